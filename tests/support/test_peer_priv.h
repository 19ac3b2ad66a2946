/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TEST_PEER_PRIV_H
#define TEST_PEER_PRIV_H

#include "test_peer.h"

/* What the two halves of the host tell each other. */

/** An IPv6 packet of the netstack's. */
void test_peer_on_ipv6(
	struct test_peer *p, const struct ether_header *ether, const uint8_t *data, uint32_t len);
/** A TCP segment of it, by IPv6. */
void test_peer_on_tcp(struct test_peer *p, const struct ipv6_addr *src, const struct ipv6_addr *dst,
	const uint8_t *l4, uint32_t len);

#endif
