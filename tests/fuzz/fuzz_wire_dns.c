/* SPDX-License-Identifier: BSD-3-Clause */
/* Any bytes as the answer to a question for www.lab; the first byte chooses the type and whether
 * what follows gets the question's id and section, so that more than those checks is reached. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base_check.h"
#include "wire_dns.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define QUESTION_LEN 25U /* header, name, type and class */

static void
check(const struct dns_answer *a)
{
	CHECK(a->count <= DNS_ADDRESSES_MAX);
	CHECK(memchr(a->name, '\0', sizeof(a->name)) != NULL);
	CHECK(a->count == 0 || (a->rcode == DNS_RCODE_NOERROR && !a->truncated));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dns_query q = {.id = 0x1234, .type = DNS_TYPE_A, .name = "www.lab"};
	struct dns_answer a;
	uint8_t query[DNS_QUERY_LEN_MAX], *copy;

	if (size < 1 || size > UINT16_MAX)
		return 0;
	if (data[0] & 1)
		q.type = DNS_TYPE_AAAA;
	copy = malloc(size > 1 ? size - 1 : 1);
	if (copy == NULL)
		return 0;
	memcpy(copy, data + 1, size - 1);
	CHECK(wire_dns_build_query(query, sizeof(query), &q) == QUESTION_LEN);
	if ((data[0] & 2) && size - 1 >= QUESTION_LEN) {
		memcpy(copy, query, 2);
		memcpy(copy + 4, query + 4, 2);
		memcpy(copy + DNS_HEADER_LEN, query + DNS_HEADER_LEN,
			QUESTION_LEN - DNS_HEADER_LEN);
	}
	if (wire_dns_parse(copy, (uint32_t)size - 1, &q, &a) == DROP_NONE)
		check(&a);
	free(copy);
	return 0;
}
