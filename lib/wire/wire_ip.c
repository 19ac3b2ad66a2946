/* SPDX-License-Identifier: BSD-3-Clause */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "wire_ip.h"
#include "wire_ipv4.h"

#define IPV6_BITS 128U
#define EUI64_LOCAL_BIT 0x02U /* RFC 4291 appendix A inverts it */

const struct ipv6_addr ipv6_addr_unspecified = {{0}};
const struct ipv6_addr ipv6_addr_all_nodes = {{0xff, 2, [15] = 1}};
const struct ipv6_addr ipv6_addr_all_routers = {{0xff, 2, [15] = 2}};
const struct ipv6_addr ipv6_addr_all_mldv2_routers = {{0xff, 2, [15] = 0x16}};
const struct ipv6_addr ipv6_addr_link_local_prefix = {{0xfe, 0x80}};

bool
ip_address_equal(const struct ip_address *a, const struct ip_address *b)
{
	if (a->family != b->family)
		return false;
	if (a->family == 4)
		return a->v4 == b->v4;
	return a->family == 0 || ipv6_addr_equal(&a->v6, &b->v6);
}

int
ip_address_parse(const char *text, struct ip_address *ret)
{
	struct ipv6_addr v6;
	uint32_t v4;

	if (ipv4_addr_parse(text, &v4) == 0) {
		*ret = ip_address_of_v4(v4);
		return 0;
	}
	if (inet_pton(AF_INET6, text, v6.byte) != 1)
		return -EINVAL;
	*ret = ip_address_of_v6(&v6);
	return 0;
}

char *
ip_address_format(const struct ip_address *a, char *buf)
{
	if (a->family == 4)
		return ipv4_addr_format(a->v4, buf);
	if (a->family != 6 || inet_ntop(AF_INET6, a->v6.byte, buf, IP_ADDRESS_TEXT_LEN) == NULL)
		snprintf(buf, IP_ADDRESS_TEXT_LEN, "none");
	return buf;
}

bool
ipv6_addr_equal(const struct ipv6_addr *a, const struct ipv6_addr *b)
{
	return memcmp(a->byte, b->byte, sizeof(a->byte)) == 0;
}

bool
ipv6_addr_is_unspecified(const struct ipv6_addr *a)
{
	return ipv6_addr_equal(a, &ipv6_addr_unspecified);
}

bool
ipv6_addr_is_loopback(const struct ipv6_addr *a)
{
	static const struct ipv6_addr loopback = {{[15] = 1}};

	return ipv6_addr_equal(a, &loopback);
}

bool
ipv6_addr_is_multicast(const struct ipv6_addr *a)
{
	return a->byte[0] == 0xff;
}

bool
ipv6_addr_is_link_local(const struct ipv6_addr *a)
{
	return a->byte[0] == 0xfe && (a->byte[1] & 0xc0) == 0x80;
}

uint32_t
ipv6_addr_common_bits(const struct ipv6_addr *a, const struct ipv6_addr *b)
{
	uint32_t i;
	uint8_t differs;

	for (i = 0; i < sizeof(a->byte) && a->byte[i] == b->byte[i]; i++)
		;
	if (i == sizeof(a->byte))
		return IPV6_BITS;
	differs = a->byte[i] ^ b->byte[i];
	return i * 8 + (uint32_t)__builtin_clz(differs) - 24U;
}

struct ipv6_addr
ipv6_addr_join(const struct ipv6_addr *prefix, uint32_t prefix_len, const struct ipv6_addr *host)
{
	struct ipv6_addr joined = *host;
	uint32_t whole = prefix_len / 8, bits = prefix_len % 8;
	uint8_t mask = (uint8_t)(0xff00U >> bits);

	memcpy(joined.byte, prefix->byte, whole);
	if (bits > 0)
		joined.byte[whole] = (uint8_t)((prefix->byte[whole] & mask) |
					       (host->byte[whole] & (uint8_t)~mask));
	return joined;
}

struct ipv6_addr
ipv6_addr_of_mac(const struct ipv6_addr *prefix, const struct ether_addr *mac)
{
	struct ipv6_addr a = *prefix;

	memcpy(a.byte + 8, mac->byte, 3);
	a.byte[8] ^= EUI64_LOCAL_BIT;
	a.byte[11] = 0xff;
	a.byte[12] = 0xfe;
	memcpy(a.byte + 13, mac->byte + 3, 3);
	return a;
}

struct ipv6_addr
ipv6_addr_solicited_node(const struct ipv6_addr *a)
{
	struct ipv6_addr group = {{0xff, 2, [11] = 1, 0xff}};

	memcpy(group.byte + 13, a->byte + 13, 3);
	return group;
}

struct ether_addr
ipv6_addr_multicast_mac(const struct ipv6_addr *a)
{
	struct ether_addr mac = {{0x33, 0x33}};

	memcpy(mac.byte + 2, a->byte + 12, 4);
	return mac;
}

/* 0 .. 128 in decimal, nothing after it. */
static bool
parse_prefix_len(const char *text, uint8_t *ret)
{
	uint32_t value = 0;
	const char *p;

	for (p = text; *p >= '0' && *p <= '9'; p++) {
		value = value * 10 + (uint32_t)(*p - '0');
		if (value > IPV6_BITS)
			return false;
	}
	if (p == text || *p != '\0' || (text[0] == '0' && text[1] != '\0'))
		return false;
	*ret = (uint8_t)value;
	return true;
}

int
ipv6_cidr_parse(const char *text, struct ipv6_addr *ret_addr, uint8_t *ret_prefix_len)
{
	const char *slash = strchr(text, '/');
	char address[IP_ADDRESS_TEXT_LEN];
	uint8_t prefix_len = IPV6_BITS;
	struct ipv6_addr v6;
	size_t len = slash != NULL ? (size_t)(slash - text) : strlen(text);

	if (len >= sizeof(address) || (slash != NULL && !parse_prefix_len(slash + 1, &prefix_len)))
		return -EINVAL;
	memcpy(address, text, len);
	address[len] = '\0';
	if (inet_pton(AF_INET6, address, v6.byte) != 1)
		return -EINVAL;
	*ret_addr = v6;
	*ret_prefix_len = prefix_len;
	return 0;
}
