/* SPDX-License-Identifier: BSD-3-Clause */
#include "base_bytes.h"
#include "wire_icmpv6.h"
#include "wire_ndp.h"

#define OPTION_UNIT 8U
#define OPTION_SOURCE_MAC 1U
#define OPTION_TARGET_MAC 2U
#define OPTION_PREFIX 3U
#define OPTION_PREFIX_LEN 32U
#define OPTION_MTU 5U
#define OPTION_DNS 25U /* RFC 8106 §5.1 */
#define DNS_FIXED_LEN 8U /* before the addresses */
#define NEIGHBOUR_BODY_LEN 20U /* flags and target */
#define ROUTER_BODY_LEN 12U
#define FLAG_ROUTER 0x80U
#define FLAG_SOLICITED 0x40U
#define FLAG_OVERRIDE 0x20U
#define PREFIX_ON_LINK 0x80U
#define PREFIX_AUTONOMOUS 0x40U

/* The option at *p of the *left bytes there, and on to the next. false: the end, or a length of 0 or
 * past the end, and then *left is not 0. */
static bool
next_option(const uint8_t **p, uint32_t *left, const uint8_t **ret, uint32_t *ret_len)
{
	if (*left < OPTION_UNIT)
		return false;
	*ret_len = (*p)[1] * OPTION_UNIT;
	if (*ret_len == 0 || *ret_len > *left)
		return false;
	*ret = *p;
	*p += *ret_len;
	*left -= *ret_len;
	return true;
}

enum drop_reason
wire_ndp_parse_neighbour(
	const uint8_t *body, uint32_t len, bool advertisement, struct ndp_neighbour *ret)
{
	uint8_t wanted = advertisement ? OPTION_TARGET_MAC : OPTION_SOURCE_MAC;
	struct ndp_neighbour m = {0};
	const uint8_t *p, *option;
	uint32_t left, option_len;

	if (len < NEIGHBOUR_BODY_LEN)
		return DROP_NDP_MALFORMED;
	m.router = advertisement && (body[0] & FLAG_ROUTER) != 0;
	m.solicited = advertisement && (body[0] & FLAG_SOLICITED) != 0;
	m.override = advertisement && (body[0] & FLAG_OVERRIDE) != 0;
	memcpy(m.target.byte, body + 4, sizeof(m.target.byte));
	p = body + NEIGHBOUR_BODY_LEN;
	left = len - NEIGHBOUR_BODY_LEN;
	while (next_option(&p, &left, &option, &option_len)) {
		if (option[0] != wanted)
			continue;
		m.mac_set = true;
		memcpy(m.mac.byte, option + 2, ETHER_ADDR_LEN);
	}
	if (left > 0 || ipv6_addr_is_multicast(&m.target))
		return DROP_NDP_MALFORMED;
	*ret = m;
	return DROP_NONE;
}

static void
parse_prefix(const uint8_t *option, uint32_t option_len, struct ndp_router_advertisement *ra)
{
	struct ndp_prefix *prefix = &ra->prefix[ra->prefix_count];

	if (option_len != OPTION_PREFIX_LEN || ra->prefix_count == NDP_PREFIXES_MAX)
		return;
	*prefix = (struct ndp_prefix){
		.prefix_len = option[2],
		.on_link = (option[3] & PREFIX_ON_LINK) != 0,
		.autonomous = (option[3] & PREFIX_AUTONOMOUS) != 0,
		.valid_s = be32_load(option + 4),
		.preferred_s = be32_load(option + 8),
	};
	memcpy(prefix->prefix.byte, option + 16, sizeof(prefix->prefix.byte));
	/* RFC 4861 §6.3.4, RFC 4862 §5.5.3 (b) and (c). */
	if (prefix->prefix_len <= 128 && prefix->preferred_s <= prefix->valid_s &&
		!ipv6_addr_is_link_local(&prefix->prefix) &&
		!ipv6_addr_is_multicast(&prefix->prefix)) {
		prefix->prefix =
			ipv6_addr_join(&prefix->prefix, prefix->prefix_len, &ipv6_addr_unspecified);
		ra->prefix_count++;
	}
}

static void
parse_dns(const uint8_t *option, uint32_t option_len, struct ndp_router_advertisement *ra)
{
	struct ndp_dns_server *server;
	uint32_t at;

	if (option_len < DNS_FIXED_LEN + 16 || (option_len - DNS_FIXED_LEN) % 16 != 0)
		return; /* §5.3.1 */
	for (at = DNS_FIXED_LEN; at < option_len && ra->dns_count < NDP_DNS_SERVERS_MAX; at += 16) {
		server = &ra->dns[ra->dns_count];
		memcpy(server->address.byte, option + at, 16);
		server->lifetime_s = be32_load(option + 4);
		if (!ipv6_addr_is_multicast(&server->address) &&
			!ipv6_addr_is_unspecified(&server->address) &&
			!ipv6_addr_is_loopback(&server->address))
			ra->dns_count++;
	}
}

static void
parse_router_option(const uint8_t *option, uint32_t option_len, struct ndp_router_advertisement *ra)
{
	switch (option[0]) {
	case OPTION_SOURCE_MAC:
		ra->mac_set = true;
		memcpy(ra->mac.byte, option + 2, ETHER_ADDR_LEN);
		break;
	case OPTION_PREFIX:
		parse_prefix(option, option_len, ra);
		break;
	case OPTION_MTU:
		ra->mtu = be32_load(option + 4);
		break;
	case OPTION_DNS:
		parse_dns(option, option_len, ra);
		break;
	default: /* RFC 4861 §4.6: unknown ones are passed over */
		break;
	}
}

enum drop_reason
wire_ndp_parse_router(const uint8_t *body, uint32_t len, struct ndp_router_advertisement *ret)
{
	struct ndp_router_advertisement ra = {0};
	const uint8_t *p, *option;
	uint32_t left, option_len;

	if (len < ROUTER_BODY_LEN)
		return DROP_NDP_MALFORMED;
	ra.hop_limit = body[0];
	ra.lifetime_s = be16_load(body + 2);
	ra.reachable_ms = be32_load(body + 4);
	ra.retransmit_ms = be32_load(body + 8);
	p = body + ROUTER_BODY_LEN;
	left = len - ROUTER_BODY_LEN;
	while (next_option(&p, &left, &option, &option_len))
		parse_router_option(option, option_len, &ra);
	if (left > 0)
		return DROP_NDP_MALFORMED;
	*ret = ra;
	return DROP_NONE;
}

static uint32_t
build_mac_option(uint8_t *p, uint8_t type, const struct ether_addr *mac)
{
	p[0] = type;
	p[1] = 1;
	memcpy(p + 2, mac->byte, ETHER_ADDR_LEN);
	return OPTION_UNIT;
}

uint32_t
wire_ndp_build_neighbour(uint8_t *p, bool advertisement, const struct ndp_neighbour *message)
{
	uint32_t len = 4 + NEIGHBOUR_BODY_LEN;

	memset(p, 0, 8);
	p[0] = advertisement ? ICMPV6_NEIGHBOUR_ADVERTISEMENT : ICMPV6_NEIGHBOUR_SOLICITATION;
	if (advertisement)
		p[4] = (uint8_t)((message->router ? FLAG_ROUTER : 0) |
				 (message->solicited ? FLAG_SOLICITED : 0) |
				 (message->override ? FLAG_OVERRIDE : 0));
	memcpy(p + 8, message->target.byte, sizeof(message->target.byte));
	if (message->mac_set)
		len += build_mac_option(p + len,
			advertisement ? OPTION_TARGET_MAC : OPTION_SOURCE_MAC, &message->mac);
	return len;
}

uint32_t
wire_ndp_build_router_solicitation(uint8_t *p, const struct ether_addr *mac)
{
	memset(p, 0, 8);
	p[0] = ICMPV6_ROUTER_SOLICITATION;
	return mac != NULL ? 8 + build_mac_option(p + 8, OPTION_SOURCE_MAC, mac) : 8;
}
