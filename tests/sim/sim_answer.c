/* SPDX-License-Identifier: BSD-3-Clause */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base_bytes.h"
#include "base_check.h"
#include "sim_answer.h"

static void
append(struct sim_stream *s, const void *bytes, uint64_t len)
{
	if (s->len + len > s->room) {
		s->room = 2 * (s->len + len);
		s->bytes = realloc(s->bytes, s->room);
		CHECK(s->bytes != NULL);
	}
	memcpy(s->bytes + s->len, bytes, len);
	s->len += len;
}

static void
append_text(struct sim_stream *s, const char *text)
{
	append(s, text, strlen(text));
}

static void
append_body(struct sim_stream *s, uint64_t body_seed, uint64_t from, uint64_t len)
{
	uint8_t block[4096];
	uint64_t i, n;

	for (; len > 0; len -= n, from += n) {
		n = MIN_OF(len, (uint64_t)sizeof(block));
		for (i = 0; i < n; i++)
			block[i] = sim_body_byte(body_seed, from + i);
		append(s, block, n);
	}
}

static void
append_chunks(struct sim_stream *s, const struct sim_response *r, struct sim_random *random)
{
	uint64_t at = 0, n, max = sim_random_chance(random, 300) ? 20 : 40000;
	char line[64];

	max = r->chunk_max > 0 ? r->chunk_max : max;
	while (at < r->body_len) {
		n = sim_random_range(random, 1, max);
		n = MIN_OF(n, r->body_len - at);
		snprintf(line, sizeof(line), "%" PRIx64 "%s\r\n", n,
			sim_random_chance(random, 100) ? ";extension=1" : "");
		append_text(s, line);
		append_body(s, r->body_seed, at, n);
		append_text(s, "\r\n");
		at += n;
	}
	append_text(s, "0\r\n");
	if (sim_random_chance(random, 300))
		append_text(s, "X-Trailer: here\r\n");
	append_text(s, "\r\n");
}

static void
append_head(struct sim_stream *s, struct sim_random *random, const char *framing, bool close)
{
	char head[256];

	if (sim_random_chance(random, 100))
		append_text(s, "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n");
	snprintf(head, sizeof(head), "HTTP/1.1 200 OK\r\nServer: sim\r\n%s%s\r\n", framing,
		close ? "Connection: close\r\n" : "");
	append_text(s, head);
}

bool
sim_answer_append(
	struct sim_stream *s, const struct sim_response *r, struct sim_random *random, bool close)
{
	char length[64];

	snprintf(length, sizeof(length), "Content-Length: %" PRIu64 "\r\n", r->body_len);
	switch (r->answer) {
	case SIM_ANSWER_LENGTH:
		append_head(s, random, length, close);
		append_body(s, r->body_seed, 0, r->body_len);
		return close;
	case SIM_ANSWER_CHUNKED:
		append_head(s, random, "Transfer-Encoding: chunked\r\n", close);
		append_chunks(s, r, random);
		return close;
	case SIM_ANSWER_CLOSE:
		append_head(s, random, "", true);
		append_body(s, r->body_seed, 0, r->body_len);
		return true;
	case SIM_ANSWER_EARLY_CLOSE:
	case SIM_ANSWER_RESET:
		append_head(s, random, length, false);
		append_body(s, r->body_seed, 0, r->body_len / 2);
		return r->answer == SIM_ANSWER_EARLY_CLOSE;
	case SIM_ANSWER_NOTHING:
		return true;
	case SIM_ANSWER_GARBAGE:
		append_text(s, "\x01\x02 this is no HTTP \xff\r\n\r\n");
		return true;
	}
	return true;
}
