/* SPDX-License-Identifier: BSD-3-Clause */
/* A resolver under any answers, by UDP and TCP, and time steps; answers get id and question. */
#include <stdint.h>
#include <string.h>

#include "base_bytes.h"
#include "base_check.h"
#include "dns_resolver.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct world {
	struct dns_resolver *r;
	uint64_t now_ns;
	struct dns_output last;
	uint32_t sent;
};

static void
pump(struct world *w)
{
	while (dns_resolver_output(w->r, w->now_ns, &w->last))
		CHECK(++w->sent < 200);
	CHECK(dns_resolver_deadline(w->r) > w->now_ns);
}

/* Header bytes 2.., then what follows the question. Returns the bytes used. */
static size_t
answer(struct world *w, const uint8_t *data, size_t size)
{
	size_t len = MIN_OF((size_t)data[1], size - 2), used;
	const uint8_t *question = w->last.data + (w->last.tcp ? 2 : 0), *end;
	uint8_t p[2 + 300 + 256];
	uint32_t question_len, total;

	end = memchr(question + DNS_HEADER_LEN, 0, w->last.len - DNS_HEADER_LEN);
	CHECK(end != NULL);
	question_len = (uint32_t)(end + 5 - question);
	memcpy(p + 2, question, question_len);
	used = MIN_OF(len, (size_t)10);
	memcpy(p + 4, data + 2, used);
	be16_store(p + 6, 1); /* question */
	p[4] |= 0x80;
	memcpy(p + 2 + question_len, data + 2 + used, len - used);
	total = question_len + (uint32_t)(len - used);
	be16_store(p, (uint16_t)total);
	if (dns_resolver_wants_tcp(w->r))
		(void)dns_resolver_input_tcp(w->r, p, 2 + total);
	else
		(void)dns_resolver_input(w->r, &w->last.server, DNS_PORT, p + 2, total, w->now_ns);
	return 2 + len;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct counters counters = {0};
	const struct dns_config cfg = {.server = {{.family = 4, .v4 = 1}, {.family = 4, .v4 = 2}},
		.server_count = 2,
		.counters = &counters};
	struct world w = {.r = dns_resolver_create(&cfg), .now_ns = NS_PER_SEC};
	const struct dns_result *result;
	size_t used;

	if (w.r == NULL)
		return 0;
	CHECK(dns_resolver_start(w.r, "www.lab", size > 0 ? data[0] % 3 * 2 : 0) == 0 || size > 0);
	result = dns_resolver_result(w.r);
	pump(&w);
	while (size >= 2 && result->outcome == DNS_RUNNING) {
		if (data[0] & 0x80)
			w.now_ns += (uint64_t)data[0] * NS_PER_SEC / 32;
		if (data[0] == 0x7f)
			dns_resolver_on_error(w.r);
		pump(&w);
		if (result->outcome != DNS_RUNNING)
			break;
		used = answer(&w, data, size);
		pump(&w);
		data += used;
		size -= used;
	}
	CHECK(result->count <= DNS_ADDRESSES_MAX &&
		(result->outcome == DNS_FOUND) == (result->count > 0));
	dns_resolver_destroy(w.r);
	return 0;
}
