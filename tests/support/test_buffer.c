/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <string.h>

#include "base_check.h"
#include "test_buffer.h"

struct payload
test_buffer_make(struct test_buffers *b, const void *data, uint32_t len)
{
	uint8_t *copy = malloc(len > 0 ? len : 1);

	CHECK(copy != NULL);
	if (len > 0)
		memcpy(copy, data, len);
	b->made++;
	return (struct payload){.data = copy, .len = len, .owner = copy};
}

void
test_buffer_release(void *ctx, void *owner)
{
	struct test_buffers *b = ctx;

	b->released++;
	free(owner);
}

bool
test_buffer_keep(void *ctx, struct payload *payload)
{
	struct test_buffers *b = ctx;
	void *before = payload->owner;

	if (b->keep_refuses)
		return false;
	if (before == NULL)
		return true;
	*payload = test_buffer_make(b, payload->data, payload->len);
	b->moved++;
	test_buffer_release(b, before);
	return true;
}

uint64_t
test_buffers_live(const struct test_buffers *b)
{
	return b->made - b->released;
}
