/* SPDX-License-Identifier: BSD-3-Clause */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base_bytes.h"
#include "base_check.h"
#include "sim_peer.h"

static void
append(struct sim_peer *p, const void *bytes, uint64_t len)
{
	if (p->stream_len + len > p->stream_room) {
		p->stream_room = 2 * (p->stream_len + len);
		p->stream = realloc(p->stream, p->stream_room);
		CHECK(p->stream != NULL);
	}
	memcpy(p->stream + p->stream_len, bytes, len);
	p->stream_len += len;
}

static void
append_text(struct sim_peer *p, const char *text)
{
	append(p, text, strlen(text));
}

static void
append_body(struct sim_peer *p, uint64_t from, uint64_t len)
{
	uint8_t block[4096];
	uint64_t i, n;

	for (; len > 0; len -= n, from += n) {
		n = MIN_OF(len, (uint64_t)sizeof(block));
		for (i = 0; i < n; i++)
			block[i] = sim_body_byte(p->body_seed, from + i);
		append(p, block, n);
	}
}

static void
append_chunks(struct sim_peer *p, uint64_t len)
{
	uint64_t at = 0, n, max = sim_random_chance(p->random, 300) ? 20 : 40000;
	char line[64];

	max = p->cfg.chunk_max > 0 ? p->cfg.chunk_max : max;
	while (at < len) {
		n = sim_random_range(p->random, 1, max);
		n = MIN_OF(n, len - at);
		snprintf(line, sizeof(line), "%" PRIx64 "%s\r\n", n,
			sim_random_chance(p->random, 100) ? ";extension=1" : "");
		append_text(p, line);
		append_body(p, at, n);
		append_text(p, "\r\n");
		at += n;
	}
	append_text(p, "0\r\n");
	if (sim_random_chance(p->random, 300))
		append_text(p, "X-Trailer: here\r\n");
	append_text(p, "\r\n");
}

static void
append_head(struct sim_peer *p, const char *framing, bool close)
{
	char head[256];

	if (sim_random_chance(p->random, 100))
		append_text(p, "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n");
	snprintf(head, sizeof(head), "HTTP/1.1 200 OK\r\nServer: sim\r\n%s%s\r\n", framing,
		close ? "Connection: close\r\n" : "");
	append_text(p, head);
}

void
sim_peer_answer(struct sim_peer *p)
{
	bool close = p->requests >= p->cfg.keep_alive;
	uint64_t part = p->body_len / 2;
	char length[64];

	snprintf(length, sizeof(length), "Content-Length: %" PRIu64 "\r\n", p->body_len);
	switch (p->answer) {
	case SIM_ANSWER_LENGTH:
		append_head(p, length, close);
		append_body(p, 0, p->body_len);
		break;
	case SIM_ANSWER_CHUNKED:
		append_head(p, "Transfer-Encoding: chunked\r\n", close);
		append_chunks(p, p->body_len);
		break;
	case SIM_ANSWER_CLOSE:
		append_head(p, "", true);
		append_body(p, 0, p->body_len);
		close = true;
		break;
	case SIM_ANSWER_EARLY_CLOSE:
	case SIM_ANSWER_RESET:
		append_head(p, length, false);
		append_body(p, 0, part);
		close = p->answer == SIM_ANSWER_EARLY_CLOSE;
		p->reset_queued = !close;
		break;
	case SIM_ANSWER_NOTHING:
		close = true;
		break;
	case SIM_ANSWER_GARBAGE:
		append_text(p, "\x01\x02 this is no HTTP \xff\r\n\r\n");
		close = true;
		break;
	}
	p->fin_queued = p->fin_queued || close;
}
