/* SPDX-License-Identifier: BSD-3-Clause */
/* A DHCP message with any bytes from "sname" on; if it parses, it is built and parsed again. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base_bytes.h"
#include "base_check.h"
#include "wire_dhcp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SNAME 44U
#define OPTIONS 240U

static void
check_again(struct dhcp_message *m)
{
	uint8_t built[DHCP_MESSAGE_LEN_MAX];
	struct dhcp_message again;
	uint32_t len;

	CHECK(m->dns_count <= DHCP_DNS_MAX);
	CHECK(memchr(m->text, '\0', sizeof(m->text)) != NULL);
	m->op = DHCP_OP_REPLY; /* which is built with all options, but for the text */
	len = wire_dhcp_build(built, m);
	CHECK(len >= DHCP_MESSAGE_LEN_MIN && len <= DHCP_MESSAGE_LEN_MAX);
	CHECK(wire_dhcp_parse(built, len, &again) == DROP_NONE);
	CHECK(again.type == m->type && again.server_id == m->server_id && again.mtu == m->mtu);
	CHECK(again.router == m->router && again.lease_s == m->lease_s && again.t1_s == m->t1_s);
	CHECK(again.dns_count == m->dns_count);
	CHECK(memcmp(again.dns, m->dns, 4 * (size_t)m->dns_count) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(SNAME + size);
	struct dhcp_message m;

	if (copy == NULL || size > 4096) {
		free(copy);
		return 0;
	}
	memset(copy, 0, SNAME);
	memcpy(copy, "\2\1\6", 3);
	if (size > 0)
		memcpy(copy + SNAME, data, size);
	if (SNAME + size >= OPTIONS)
		be32_store(copy + OPTIONS - 4, 0x63825363);
	if (wire_dhcp_parse(copy, (uint32_t)(SNAME + size), &m) == DROP_NONE)
		check_again(&m);
	free(copy);
	return 0;
}
