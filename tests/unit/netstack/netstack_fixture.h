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
#include "test_peer.h"
#include "wire_arp.h"
#include "wire_ipv4.h"

#define TEST(name) static void name(__attribute__((unused)) void **unused_state)
#define T(name) cmocka_unit_test(name)

/** A netstack that has announced itself; change may be NULL. */
struct test_peer *fx_new(void (*change)(struct netstack_config *cfg));
/** Stops and frees. */
void fx_end(struct test_peer *p);

/** A connection to the host's port 80, in SYN-SENT; to this address. */
struct netstack_conn *fx_connect(struct test_peer *p);
struct netstack_conn *fx_connect_to(struct test_peer *p, uint32_t address, uint16_t port);
/** The same, established. */
struct netstack_conn *fx_established(struct test_peer *p);
/** Deliver, take and 1 us, a few times. */
void fx_run(struct test_peer *p);

/** An ARP packet from this sender, to dst. */
void fx_arp(struct test_peer *p, const struct ether_addr *dst, const struct arp_packet *a);
/** The last frame that was sent is this ARP packet; returns it. */
struct arp_packet fx_last_arp(const struct test_peer *p, uint16_t operation);
/** The last frame that was sent, as TCP. */
struct tcp_segment fx_last_tcp(const struct test_peer *p);

uint64_t fx_count(const struct test_peer *p, enum counter_id id);

#endif
