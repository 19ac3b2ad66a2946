/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "base_bytes.h"
#include "capture_limits.h"
#include "capture_priv.h"
#include "wire_ether.h"

#define MACS_LEN (2U * ETHER_ADDR_LEN)

static uint32_t
length_of(const struct frame *f)
{
	uint32_t len = f->flags & FRAME_VLAN_STRIPPED ? ETHER_VLAN_LEN : 0;

	for (; f != NULL; f = f->next)
		len += f->len;
	return len;
}

/* Copies until the room is used up. Returns where the next bytes go. */
static uint8_t *
copy(uint8_t *to, const uint8_t *end, const uint8_t *from, uint32_t len)
{
	uint32_t part = MIN_OF(len, (uint32_t)(end - to));

	memcpy(to, from, part);
	return to + part;
}

/* With the tag that the port took out where it was on the wire (IEEE 802.1Q). */
static void
copy_frame(uint8_t *to, uint32_t room, const struct frame *f)
{
	const uint8_t *end = to + room;
	uint32_t done = 0;
	uint8_t tag[ETHER_VLAN_LEN];

	if (f->flags & FRAME_VLAN_STRIPPED && f->len >= MACS_LEN) {
		be16_store(tag, ETHER_TYPE_VLAN);
		be16_store(tag + 2, f->vlan_tci);
		to = copy(to, end, f->data, MACS_LEN);
		to = copy(to, end, tag, sizeof(tag));
		done = MACS_LEN;
	}
	for (; f != NULL; f = f->next, done = 0)
		to = copy(to, end, f->data + done, f->len - done);
}

static struct capture_record *
begin(const struct capture_tap *t, struct capture_ring *r, uint32_t len, uint64_t now_ns)
{
	uint32_t snaplen = t->capture->cfg.snaplen, captured = MIN_OF(len, CAPTURE_FRAME_MAX);
	struct capture_record *c;

	if (r == NULL ||
		(!r->keep && atomic_load_explicit(&t->capture->ended, memory_order_relaxed)))
		return NULL;
	if (snaplen > 0)
		captured = MIN_OF(captured, snaplen);
	c = capture_ring_begin(r, captured);
	if (c == NULL)
		return NULL;
	c->at_ns = now_ns + (uint64_t)t->capture->cfg.epoch_ns;
	c->original = len;
	c->queue = t->queue;
	return c;
}

void
capture_received(struct capture_tap *t, const struct frame *f, uint64_t now_ns)
{
	uint32_t len = length_of(f);

	t->file_record = begin(t, t->file, len, now_ns);
	t->keep_record = begin(t, t->keep, len, now_ns);
	if (t->file_record != NULL)
		copy_frame(capture_record_data(t->file_record), t->file_record->captured, f);
	if (t->keep_record != NULL)
		copy_frame(capture_record_data(t->keep_record), t->keep_record->captured, f);
}

static void
settle(struct capture_ring *r, struct capture_record *c, enum drop_reason reason)
{
	if (c == NULL)
		return;
	c->reason = (uint8_t)reason;
	capture_ring_commit(r);
}

void
capture_settle(struct capture_tap *t, enum drop_reason reason)
{
	settle(t->file, t->file_record, reason);
	settle(t->keep, t->keep_record, reason);
	t->file_record = NULL;
	t->keep_record = NULL;
}

static void
send_to(const struct capture_tap *t, struct capture_ring *r, const struct tx_frame *f,
	uint64_t now_ns)
{
	struct capture_record *c = begin(t, r, f->len, now_ns);

	if (c == NULL)
		return;
	c->sent = 1;
	memcpy(capture_record_data(c), f->data, c->captured);
	capture_ring_commit(r);
}

void
capture_sent(struct capture_tap *t, const struct tx_frame *f, uint64_t now_ns)
{
	send_to(t, t->file, f, now_ns);
	send_to(t, t->keep, f, now_ns);
}
