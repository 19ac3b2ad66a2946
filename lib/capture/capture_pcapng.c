/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <string.h>

#include "base_counters.h"
#include "capture_pcapng.h"

enum {
	BLOCK_SECTION = 0x0a0d0d0a,
	BLOCK_INTERFACE = 1,
	BLOCK_STATISTICS = 5,
	BLOCK_PACKET = 6,
};

enum {
	OPTION_END = 0,
	OPTION_COMMENT = 1,
	OPTION_SECTION_APPLICATION = 4,
	OPTION_INTERFACE_NAME = 2,
	OPTION_INTERFACE_TSRESOL = 9,
	OPTION_STATISTICS_RECEIVED = 4,
	OPTION_STATISTICS_DROPPED = 5,
	OPTION_PACKET_FLAGS = 2,
	OPTION_PACKET_QUEUE = 6,
};

#define BYTE_ORDER_MAGIC 0x1a2b3c4dU
#define LINKTYPE_ETHERNET 1U
#define TSRESOL_NS 9U /* 10^-9 s */
#define FLAGS_INBOUND 1U
#define FLAGS_OUTBOUND 2U
#define TEXT_MAX 100U

struct writer {
	uint8_t *start, *p;
};

static void
put16(struct writer *w, uint32_t value)
{
	uint16_t v = (uint16_t)value;

	memcpy(w->p, &v, sizeof(v));
	w->p += sizeof(v);
}

static void
put32(struct writer *w, uint32_t value)
{
	memcpy(w->p, &value, sizeof(value));
	w->p += sizeof(value);
}

/* Times and counts are two words, the high one first (draft §4.3). */
static void
put_high_low(struct writer *w, uint64_t value)
{
	put32(w, (uint32_t)(value >> 32));
	put32(w, (uint32_t)value);
}

static void
put64(struct writer *w, uint64_t value)
{
	memcpy(w->p, &value, sizeof(value));
	w->p += sizeof(value);
}

static void
put_padded(struct writer *w, const void *data, uint32_t len)
{
	if (len > 0)
		memcpy(w->p, data, len);
	w->p += len;
	for (; len % 4 != 0; len++)
		*w->p++ = 0;
}

static struct writer
begin_block(uint8_t *buf, uint32_t type)
{
	struct writer w = {buf, buf};

	put32(&w, type);
	put32(&w, 0); /* the length: end_block */
	return w;
}

static uint32_t
end_block(struct writer *w)
{
	uint32_t len = (uint32_t)(w->p - w->start) + 4;

	put32(w, len);
	memcpy(w->start + 4, &len, sizeof(len));
	return len;
}

static void
put_option(struct writer *w, uint32_t code, const void *data, uint32_t len)
{
	put16(w, code);
	put16(w, len);
	put_padded(w, data, len);
}

static void
put_text(struct writer *w, uint32_t code, const char *text)
{
	put_option(w, code, text, (uint32_t)strnlen(text, TEXT_MAX));
}

uint32_t
capture_pcapng_section(uint8_t *buf, const char *application)
{
	struct writer w = begin_block(buf, BLOCK_SECTION);

	put32(&w, BYTE_ORDER_MAGIC);
	put16(&w, 1); /* version 1.0 */
	put16(&w, 0);
	put64(&w, UINT64_MAX); /* the section's length is not told */
	put_text(&w, OPTION_SECTION_APPLICATION, application);
	put_option(&w, OPTION_END, NULL, 0);
	return end_block(&w);
}

uint32_t
capture_pcapng_interface(uint8_t *buf, const char *name, uint32_t snaplen)
{
	struct writer w = begin_block(buf, BLOCK_INTERFACE);
	const uint8_t resolution = TSRESOL_NS;

	put16(&w, LINKTYPE_ETHERNET);
	put16(&w, 0);
	put32(&w, snaplen);
	put_text(&w, OPTION_INTERFACE_NAME, name);
	put_option(&w, OPTION_INTERFACE_TSRESOL, &resolution, sizeof(resolution));
	put_option(&w, OPTION_END, NULL, 0);
	return end_block(&w);
}

static void
put_reason(struct writer *w, uint8_t reason)
{
	enum counter_id id = counter_of_drop((enum drop_reason)reason);
	char text[TEXT_MAX];

	snprintf(text, sizeof(text), "%s: %s", counter_name(id), counter_help(id));
	put_text(w, OPTION_COMMENT, text);
}

uint32_t
capture_pcapng_packet(uint8_t *buf, const struct capture_record *c, const uint8_t *data)
{
	struct writer w = begin_block(buf, BLOCK_PACKET);
	uint32_t flags = c->sent ? FLAGS_OUTBOUND : FLAGS_INBOUND, queue = c->queue;

	put32(&w, 0); /* the interface */
	put_high_low(&w, c->at_ns);
	put32(&w, c->captured);
	put32(&w, c->original);
	put_padded(&w, data, c->captured);
	put_option(&w, OPTION_PACKET_FLAGS, &flags, sizeof(flags));
	put_option(&w, OPTION_PACKET_QUEUE, &queue, sizeof(queue));
	if (c->reason != DROP_NONE)
		put_reason(&w, c->reason);
	put_option(&w, OPTION_END, NULL, 0);
	return end_block(&w);
}

uint32_t
capture_pcapng_statistics(uint8_t *buf, uint64_t at_ns, uint64_t passed, uint64_t left_out)
{
	struct writer w = begin_block(buf, BLOCK_STATISTICS);

	put32(&w, 0); /* the interface */
	put_high_low(&w, at_ns);
	put_option(&w, OPTION_STATISTICS_RECEIVED, &passed, sizeof(passed));
	put_option(&w, OPTION_STATISTICS_DROPPED, &left_out, sizeof(left_out));
	put_option(&w, OPTION_END, NULL, 0);
	return end_block(&w);
}
