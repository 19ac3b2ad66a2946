/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TEST_PEER_H
#define TEST_PEER_H

#include <stdbool.h>
#include <stdint.h>

#include "netstack.h"
#include "test_buffer.h"
#include "wire_ipv6.h"

/*
 * A netstack and a host across the cable that does what the test says: frames in, frames out,
 * virtual time. The host speaks both IPs; it answers SYN, data and FIN as told by `answers`, in the
 * version that the SYN came in; all else is the test's to send. What it sends waits until
 * test_peer_deliver, so that a test makes up its own bursts.
 */

#define TEST_PEER_ADDRESS UINT32_C(0xc6120001) /* 198.18.0.1 */
#define TEST_OUR_ADDRESS UINT32_C(0xc6120002) /* 198.18.0.2 */
#define TEST_PEER_FRAMES 64U
#define TEST_PEER_ISS UINT32_C(0xfffff000)

extern const struct ether_addr test_peer_mac; /* 02:00:00:00:00:01 */
extern const struct ether_addr test_our_mac; /* 02:00:00:00:00:02 */
extern const struct ipv6_addr test_peer_ipv6; /* 2001:db8::1 */
extern const struct ipv6_addr test_peer_link_local; /* fe80::ff:fe00:1, of its MAC address */
extern const struct ipv6_addr test_our_ipv6; /* 2001:db8::2 */
extern const struct ipv6_addr test_our_link_local; /* fe80::ff:fe00:2 */

struct test_peer_answers {
	bool arp; /* who-has is answered */
	bool ndp; /* neighbour solicitations are */
	bool router; /* and say that the host is one */
	bool syn; /* with a SYN-ACK */
	bool refuse; /* a SYN is answered with a reset */
	bool ack; /* data and FIN are acknowledged */
};

/** The last ICMPv6 message of one type that the netstack sent; its checksum was right. */
struct test_peer_icmpv6 {
	uint32_t count; /* of this type, so far */
	struct ether_header ether;
	struct ipv6_header ip;
	uint8_t message[1500];
	uint32_t len;
};

struct test_peer {
	struct netstack *ns;
	struct test_buffers buffers;
	struct counters counters;
	uint64_t now_ns;
	struct test_peer_answers answers;
	/* The connection as the host sees it; a new SYN begins it anew. */
	bool ipv6;
	uint32_t our_ipv4; /* where the netstack's last segment came from */
	struct ipv6_addr our_ipv6, host_ipv6; /* then its ends */
	uint16_t vlan_id; /* of the frames that the host sends by IPv6 */
	uint16_t client_port, port; /* port: the host's, 80 before the first SYN */
	uint32_t seq, ack;
	uint16_t window; /* that test_peer_send offers; 60000, or as the test says */
	uint32_t syns, fins, resets, who_has, frames_seen;
	struct ether_addr who_has_dst; /* whom the last one asked */
	uint8_t received[65536]; /* bytes of the connection */
	uint32_t received_len;
	/* The last frame that the netstack sent, whatever it was. */
	uint8_t last[2048];
	uint32_t last_len;
	struct test_peer_icmpv6 icmpv6[21]; /* see test_peer_icmpv6_sent */
	struct frame waiting[TEST_PEER_FRAMES];
	uint32_t waiting_count;
};

/** Defaults for a netstack at TEST_OUR_ADDRESS/24, which the test may change, then
 *  test_peer_start. */
void test_peer_config(struct test_peer *p, struct netstack_config *ret);
/** IPv6 too, with our address test_our_ipv6/64 and the host as the gateway. */
void test_peer_config_ipv6(struct netstack_config *cfg);
void test_peer_start(struct test_peer *p, const struct netstack_config *cfg);
/** Destroys the netstack; no buffer may be left. */
void test_peer_stop(struct test_peer *p);

/** A TCP segment to our port client_port at the host's next sequence number, which moves on. */
void test_peer_send(struct test_peer *p, uint8_t flags, const void *data, uint32_t len);
/** A segment as given, but for the ports when 0. */
void test_peer_send_segment(struct test_peer *p, const struct tcp_segment *s);
/** An IPv6 packet, to our MAC address or that of the group; header->total_len is filled in. */
void test_peer_send_ipv6(
	struct test_peer *p, const struct ipv6_header *header, const void *payload, uint32_t len);
/** An ICMPv6 message, whose checksum is filled in. */
void test_peer_send_icmpv6(struct test_peer *p, const struct ipv6_addr *src,
	const struct ipv6_addr *dst, uint8_t hop_limit, uint8_t *message, uint32_t len);
/** What was sent of this type: 0..4, 128..143. */
const struct test_peer_icmpv6 *test_peer_icmpv6_sent(const struct test_peer *p, uint32_t type);
/** Any frame. */
void test_peer_send_frame(struct test_peer *p, const void *bytes, uint32_t len);
/** All that waits goes in, as one burst. */
void test_peer_deliver(struct test_peer *p);
/** Takes what the netstack sends and answers it, as told. Returns the number of frames. */
uint32_t test_peer_take(struct test_peer *p);
/** The netstack's time goes on; its timers run. */
void test_peer_wait(struct test_peer *p, uint64_t ns);

#endif
