/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <string.h>

#include "base_check.h"
#include "http_response_priv.h"

#define ENTRIES 4U
#define HEAD_BYTES_MAX 1024U /* a longer one is parsed each time */

/* A head, and what it meant. */
struct entry {
	uint32_t len; /* 0: none */
	uint32_t fields, status;
	uint64_t length;
	enum http_phase phase; /* that follows: LENGTH, CLOSE or COMPLETE */
	enum http_framing framing;
	uint8_t minor;
	bool is_head, keep_alive;
	uint8_t bytes[HEAD_BYTES_MAX];
};

struct http_head_cache {
	uint32_t last; /* found or stored */
	struct entry entry[ENTRIES];
};

struct http_head_cache *
http_head_cache_create(void)
{
	return calloc(1, sizeof(struct http_head_cache));
}

void
http_head_cache_destroy(struct http_head_cache *cache)
{
	free(cache);
}

void
http_response_share_heads(struct http_response *r, struct http_head_cache *cache)
{
	CHECK(r->on_header == NULL);
	r->heads = cache;
}

static bool
means(const struct entry *e, const struct http_response *r, const uint8_t *data, uint32_t len)
{
	return e->len > 0 && e->len <= len && e->is_head == r->is_head &&
	       e->len <= r->limits.header_bytes_max && e->fields <= r->limits.header_fields_max &&
	       memcmp(e->bytes, data, e->len) == 0;
}

static const struct entry *
find(struct http_head_cache *cache, const struct http_response *r, const uint8_t *data,
	uint32_t len)
{
	uint32_t i, at;

	for (i = 0; i < ENTRIES; i++) {
		at = (cache->last + i) % ENTRIES;
		if (means(&cache->entry[at], r, data, len)) {
			cache->last = at;
			return &cache->entry[at];
		}
	}
	return NULL;
}

/* r is as new: nothing of this response was fed before. */
uint32_t
http_head_cache_apply(struct http_response *r, const uint8_t *data, uint32_t len)
{
	const struct entry *e = find(r->heads, r, data, len);

	if (e == NULL)
		return 0;
	r->status = e->status;
	r->length = e->length;
	r->framing = e->framing;
	r->phase = e->phase;
	r->remaining = e->phase == HTTP_PHASE_LENGTH ? e->length : 0;
	r->keep_alive = e->keep_alive;
	r->fields = e->fields;
	r->parser.status_code = (uint16_t)e->status;
	r->parser.http_minor = e->minor;
	r->prefix_matched = HTTP_PREFIX_LEN;
	r->head_bytes = r->offset = e->len;
	return e->len;
}

/* A 1xx before it, or chunks after it, would need what the parser alone knows. */
void
http_head_cache_store(struct http_response *r, const uint8_t *data, uint32_t len)
{
	struct http_head_cache *cache = r->heads;
	struct entry *e = &cache->entry[(cache->last + ENTRIES - 1) % ENTRIES];

	if (r->phase == HTTP_PHASE_CHUNKED || r->informational > 0 || len > HEAD_BYTES_MAX)
		return;
	cache->last = (uint32_t)(e - cache->entry);
	e->len = len;
	e->fields = r->fields;
	e->status = r->status;
	e->length = r->length;
	e->phase = r->phase;
	e->framing = r->framing;
	e->minor = r->parser.http_minor;
	e->is_head = r->is_head;
	e->keep_alive = r->keep_alive;
	memcpy(e->bytes, data, len);
}
