/* SPDX-License-Identifier: BSD-3-Clause */
/* A DHCP client under any replies and time steps; the replies get its xid and MAC address. */
#include <stdint.h>
#include <string.h>

#include "base_bytes.h"
#include "base_check.h"
#include "base_time.h"
#include "dhcp_client.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* One reply made of the next bytes: type, fields, options. Returns the bytes used. */
static size_t
reply(struct dhcp_client *c, const uint8_t *data, size_t size, uint64_t now_ns)
{
	size_t len = MIN_OF((size_t)data[1], size - 2);
	uint8_t p[240 + 256] = {2, 1, 6};

	be32_store(p + 4, c->xid);
	memcpy(p + 16, "\xc6\x12\0\x32", 4);
	memcpy(p + 28, c->mac.byte, ETHER_ADDR_LEN);
	be32_store(p + 236, 0x63825363);
	memcpy(p + 240, data + 2, len);
	(void)dhcp_client_input(c, p, (uint32_t)(240 + len), now_ns);
	return 2 + len;
}

static void
check(struct dhcp_client *c, uint64_t now_ns)
{
	const struct dhcp_lease *l = dhcp_client_lease(c);
	struct dhcp_output out;
	uint32_t rounds = 0;

	while (dhcp_client_output(c, now_ns, &out))
		CHECK(++rounds < 8 && out.len >= DHCP_MESSAGE_LEN_MIN);
	CHECK(c->state == DHCP_CLIENT_OFF || dhcp_client_deadline(c) > now_ns);
	l = dhcp_client_lease(c);
	if (l == NULL)
		return;
	CHECK(l->prefix_len <= 32 && l->address != 0 && l->server_id != 0);
	CHECK(l->renew_ns <= l->rebind_ns && l->rebind_ns <= l->expires_ns);
	CHECK(l->expires_ns > now_ns && l->dns_count <= DHCP_DNS_MAX);
	CHECK(l->mtu == 0 || l->mtu >= 576);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct ether_addr mac = {{2, 0, 0, 0, 0, 2}};
	const struct siphash_key key = {1, 2};
	struct dhcp_client c;
	uint64_t now_ns = NS_PER_SEC;
	size_t used;

	dhcp_client_start(&c, &mac, &key, now_ns);
	check(&c, now_ns);
	while (size >= 2) {
		now_ns += (uint64_t)(data[0] >> 4) * NS_PER_SEC << (data[0] & 7U);
		if (data[0] == 0xff)
			dhcp_client_decline(&c, now_ns);
		check(&c, now_ns);
		used = reply(&c, data, size, now_ns);
		check(&c, now_ns);
		(void)dhcp_client_event(&c);
		data += used;
		size -= used;
	}
	dhcp_client_release(&c);
	check(&c, now_ns);
	return 0;
}
