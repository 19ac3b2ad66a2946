/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef NETSTACK_FIXTURE_H
#define NETSTACK_FIXTURE_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "netstack_priv.h"
#include "netstack_udp.h"
#include "test_peer.h"
#include "wire_arp.h"
#include "wire_icmpv6.h"
#include "wire_ipv4.h"
#include "wire_ndp.h"

#define TEST(name) static void name(__attribute__((unused)) void **unused_state)
#define T(name) cmocka_unit_test(name)

/** A netstack that has announced itself; change may be NULL. */
struct test_peer *fx_new(void (*change)(struct netstack_config *cfg));
/** Stops and frees. */
void fx_end(struct test_peer *p);

/** A connection to the host's port 80, in SYN-SENT; to this address. */
struct netstack_conn *fx_connect(struct test_peer *p);
struct netstack_conn *fx_connect_to(struct test_peer *p, uint32_t address, uint16_t port);
/** By IPv6, to the host's. */
struct netstack_conn *fx_connect_ipv6(struct test_peer *p);
/** The same, established. */
struct netstack_conn *fx_established_ipv6(struct test_peer *p);
struct netstack_conn *fx_established(struct test_peer *p);
/** This much time in steps of 100 ms, in which what comes is answered. */
void fx_pass(struct test_peer *p, uint64_t ns);
/** Setups of tests that are run by each IP version: which one is being tried. */
extern bool fx_v6_tried;
int fx_by_ipv4(void **state);
int fx_by_ipv6(void **state);
/** A UDP port of ours. */
struct netstack_udp *fx_open_port(struct test_peer *p, uint16_t port);
/** The last segment that was sent resets a connection that there is none of: the host's port 80 to our
 *  40000, at this sequence number. */
void fx_assert_refused(struct test_peer *p, uint32_t seq);
/** Deliver, take and 1 us, a few times. */
void fx_run(struct test_peer *p);

/** An ARP packet from this sender, to dst. */
void fx_arp(struct test_peer *p, const struct ether_addr *dst, const struct arp_packet *a);
/** The last frame that was sent is this ARP packet; returns it. */
struct arp_packet fx_last_arp(const struct test_peer *p, uint16_t operation);
/** The last frame that was sent, as TCP. */
struct tcp_segment fx_last_tcp(const struct test_peer *p);

/** The IPv6 address of this text, which must be one. */
struct ipv6_addr fx_v6(const char *text);
/** What netstack_route says of the address of this text. */
int fx_route(const struct test_peer *p, const char *text);
/** TCP's bytes without the headers, of all that nc has; the buffers are given back. */
uint32_t fx_read(struct test_peer *p, struct netstack_conn *nc, uint8_t *buf, uint32_t size);

uint64_t fx_count(const struct test_peer *p, enum counter_id id);

#endif
