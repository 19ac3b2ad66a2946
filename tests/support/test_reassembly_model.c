/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base_bytes.h"
#include "base_check.h"
#include "tcp_reassembly.h"
#include "test_buffer.h"
#include "test_reassembly_model.h"

#define STREAM_BYTES 65536U
#define STREAM_BEGIN 4096U /* the first RCV.NXT: so much may lie below it */
#define SEGMENT_MAX 1500U

/* What the reference knows of one byte of the stream. */
struct model_byte {
	uint32_t payload; /* which kept segment it came from; 0: not held */
	uint32_t changed; /* when its range last changed */
	uint8_t value;
};

struct model {
	struct tcp_reassembly *store; /* under test */
	struct tcp_reassembly_pool *pool; /* with one place, or NULL */
	struct test_buffers buffers;
	const char *failure;
	uint32_t base_seq; /* of stream offset 0 */
	uint32_t window;
	uint32_t payloads_max;
	uint32_t read, rcv; /* stream offsets: next to recv, RCV.NXT */
	uint32_t high; /* no byte at or above this offset was ever held */
	uint32_t payloads_kept, clock;
	uint32_t out_of_order, ready, taken;
	uint8_t salt;
	struct model_byte byte[STREAM_BYTES];
};

struct script {
	const uint8_t *at, *end;
};

/* With whom it asks about its buffers. */
struct made {
	struct tcp_reassembly r; /* first */
	struct payload_buffers buffers;
};

struct tcp_reassembly *
test_reassembly_create(
	uint32_t payloads_max, struct tcp_reassembly_pool *pool, struct test_buffers *buffers)
{
	struct made *m = malloc(sizeof(*m));
	void *memory = malloc(tcp_reassembly_bytes(payloads_max, pool != NULL));

	CHECK(m != NULL && memory != NULL);
	m->buffers = (struct payload_buffers){test_buffer_release, test_buffer_keep, buffers};
	tcp_reassembly_init(&m->r, memory, payloads_max, pool, &m->buffers);
	return &m->r;
}

void
test_reassembly_destroy(struct tcp_reassembly *r)
{
	tcp_reassembly_reset(r);
	free(r->ring); /* where its memory begins */
	free(r);
}

static uint32_t
script_next(struct script *s)
{
	return s->at < s->end ? *s->at++ : 0;
}

static void
expect(struct model *m, bool condition, const char *what)
{
	if (!condition && m->failure == NULL)
		m->failure = what;
}

static bool
model_held(const struct model *m, uint32_t offset)
{
	return offset >= m->rcv && m->byte[offset].payload != 0;
}

static void
model_touch_run(struct model *m, uint32_t offset)
{
	uint32_t i;

	m->clock++;
	for (i = offset; model_held(m, i); i++)
		m->byte[i].changed = m->clock;
	for (i = offset; i > 0 && model_held(m, i - 1); i--)
		m->byte[i - 1].changed = m->clock;
}

static uint32_t
model_count_ranges(const struct model *m)
{
	uint32_t i, count = 0;

	for (i = m->rcv; i < m->high; i++)
		count += model_held(m, i) && !model_held(m, i - 1);
	return count;
}

static uint32_t
model_count_payloads(const struct model *m, uint32_t left, uint32_t right)
{
	uint32_t i, count = 0, previous = 0;

	for (i = left; i < right; i++) {
		if (model_held(m, i) && m->byte[i].payload != previous)
			count++;
		previous = model_held(m, i) ? m->byte[i].payload : 0;
	}
	return count;
}

static void
model_find_duplicates(
	const struct model *m, uint32_t left, uint32_t right, struct tcp_reassembly_result *ret)
{
	uint32_t i, first = right, last = right;

	for (i = left; i < right; i++) {
		if (i >= m->rcv && !model_held(m, i)) {
			ret->bytes_new++;
			continue;
		}
		ret->bytes_duplicate++;
		if (first == right)
			first = last = i;
		if (last == i)
			last++;
	}
	if (ret->bytes_duplicate > 0)
		ret->duplicate = (struct tcp_sack_block){
			.left = m->base_seq + first, .right = m->base_seq + last};
}

static bool
model_has_room(const struct model *m, uint32_t left, uint32_t right)
{
	uint32_t held = m->out_of_order + m->ready + m->taken;

	if (model_count_payloads(m, left, right) > 0)
		return true;
	if (left == m->rcv)
		return held < m->payloads_max;
	if (held >= m->payloads_max - m->payloads_max / TCP_REASSEMBLY_RESERVE_DIVISOR)
		return false;
	return model_held(m, left - 1) || model_held(m, right) ||
	       model_count_ranges(m) < tcp_reassembly_ranges_max(m->payloads_max);
}

static void
model_keep(struct model *m, uint32_t left, uint32_t right, const uint8_t *values)
{
	uint32_t i, begin = m->rcv;
	bool in_order = left == m->rcv;

	m->out_of_order -= model_count_payloads(m, left, right);
	m->out_of_order++;
	m->payloads_kept++;
	m->high = MAX_OF(m->high, right);
	for (i = left; i < right; i++) {
		m->byte[i].payload = m->payloads_kept;
		m->byte[i].value = values[i - left];
	}
	model_touch_run(m, left);
	if (!in_order)
		return;
	for (i = m->rcv; m->byte[i].payload != 0; i++)
		continue;
	m->ready += model_count_payloads(m, begin, i);
	m->out_of_order -= model_count_payloads(m, begin, i);
	m->rcv = i;
}

/* What insert should answer; the reference moves on as well. */
static struct tcp_reassembly_result
model_insert(struct model *m, uint32_t left, uint32_t right, const uint8_t *values)
{
	struct tcp_reassembly_result want = {.verdict = TCP_REASSEMBLY_DUPLICATE};
	uint32_t start = left;

	model_find_duplicates(m, left, right, &want);
	if (want.bytes_new == 0) {
		if (model_held(m, left) && right > left)
			model_touch_run(m, left);
	} else {
		while (left < m->rcv || model_held(m, left))
			left++;
		while (model_held(m, right - 1))
			right--;
		if (!model_has_room(m, left, right)) {
			want.verdict = TCP_REASSEMBLY_NO_BUFFER;
			want.bytes_new = 0;
		} else {
			want.verdict = left == m->rcv ? TCP_REASSEMBLY_IN_ORDER
						      : TCP_REASSEMBLY_OUT_OF_ORDER;
			want.filled_hole = left == m->rcv && model_count_ranges(m) > 0;
			model_keep(m, left, right, values + (left - start));
		}
	}
	want.rcv_nxt = m->base_seq + m->rcv;
	return want;
}

static struct payload
segment_make(struct model *m, uint32_t len)
{
	uint8_t values[SEGMENT_MAX];
	uint32_t i;

	m->salt = (uint8_t)(m->salt * 5 + 1);
	for (i = 0; i < len; i++)
		values[i] = (uint8_t)(m->salt + i * 7);
	return test_buffer_make(&m->buffers, values, len);
}

static void
compare_results(struct model *m, const struct tcp_reassembly_result *got,
	const struct tcp_reassembly_result *want)
{
	expect(m, got->verdict == want->verdict, "verdict");
	expect(m, got->filled_hole == want->filled_hole, "filled_hole");
	expect(m, got->rcv_nxt == want->rcv_nxt, "rcv_nxt");
	expect(m, got->bytes_new == want->bytes_new, "bytes_new");
	expect(m, got->bytes_duplicate == want->bytes_duplicate, "bytes_duplicate");
	expect(m,
		got->duplicate.left == want->duplicate.left &&
			got->duplicate.right == want->duplicate.right,
		"duplicate range");
}

static void
action_insert(struct model *m, uint32_t left, uint32_t len)
{
	struct payload payload = segment_make(m, len);
	struct tcp_reassembly_result got, want;
	uint32_t rcv_nxt = m->base_seq + m->rcv;
	bool kept;

	want = model_insert(m, left, left + len, payload.data);
	kept = tcp_reassembly_insert(m->store, m->base_seq + left, &payload, rcv_nxt, &got);
	compare_results(m, &got, &want);
	expect(m,
		kept == (got.verdict == TCP_REASSEMBLY_IN_ORDER ||
				got.verdict == TCP_REASSEMBLY_OUT_OF_ORDER),
		"kept");
	if (!kept)
		test_buffer_release(&m->buffers, payload.owner);
}

static void
action_append_in_order(struct model *m, uint32_t len)
{
	struct payload payload = segment_make(m, len);
	bool room = model_count_ranges(m) == 0 && m->ready + m->taken < m->payloads_max;

	expect(m, tcp_reassembly_append_in_order(m->store, &payload) == room, "append_in_order");
	if (room)
		model_insert(m, m->rcv, m->rcv + len, payload.data);
	else
		test_buffer_release(&m->buffers, payload.owner);
}

/* One delivered payload is exactly what one kept segment left in the stream. */
static void
compare_part(struct model *m, const struct payload *part)
{
	uint32_t i, id = m->byte[m->read].payload;

	for (i = 0; i < part->len && m->failure == NULL; i++) {
		expect(m, m->read + i < m->rcv, "delivered beyond RCV.NXT");
		expect(m, m->byte[m->read + i].payload == id, "delivered another segment's byte");
		expect(m, m->byte[m->read + i].value == part->data[i], "delivered value");
	}
	m->read += part->len;
	expect(m, m->read == m->rcv || m->byte[m->read].payload != id, "delivered too little");
}

static void
action_recv(struct model *m, uint32_t parts_max)
{
	struct payload parts[8];
	uint32_t i, n;

	parts_max = MIN_OF(parts_max, 8U);
	n = tcp_reassembly_recv(m->store, parts, parts_max);
	expect(m, n == MIN_OF(parts_max, m->ready), "recv count");
	for (i = 0; i < n; i++) {
		compare_part(m, &parts[i]);
		test_buffer_release(&m->buffers, parts[i].owner);
	}
	m->ready -= n;
	m->taken += n;
}

static void
action_consumed(struct model *m, uint32_t parts)
{
	tcp_reassembly_consumed(m->store, parts);
	m->taken -= MIN_OF(parts, m->taken);
}

static void
action_reset(struct model *m)
{
	tcp_reassembly_reset(m->store);
	expect(m, test_buffers_live(&m->buffers) == 0, "owners alive after reset");
	memset(&m->byte[m->read], 0, (STREAM_BYTES - m->read) * sizeof(m->byte[0]));
	m->read = m->rcv;
	m->ready = m->taken = m->out_of_order = 0;
}

/* The reference's ranges, the most recently changed first. */
static uint32_t
model_sack_blocks(const struct model *m, struct tcp_sack_block *ret, uint32_t blocks_max)
{
	uint32_t i, count = 0, limit = UINT32_MAX, best, left;

	while (count < blocks_max) {
		best = 0;
		left = 0;
		for (i = m->rcv; i < m->high; i++) {
			if (!model_held(m, i) || model_held(m, i - 1))
				continue;
			if (m->byte[i].changed < limit && m->byte[i].changed > best) {
				best = m->byte[i].changed;
				left = i;
			}
		}
		if (best == 0)
			break;
		for (i = left; model_held(m, i); i++)
			continue;
		ret[count++] = (struct tcp_sack_block){m->base_seq + left, m->base_seq + i};
		limit = best;
	}
	return count;
}

static void
compare_sack(struct model *m, uint32_t blocks_max)
{
	const struct tcp_sack_block dsack = {m->base_seq, m->base_seq + 7};
	struct tcp_sack_block got[8], want[8];
	uint32_t count;

	count = model_sack_blocks(m, want, blocks_max);
	expect(m, tcp_reassembly_sack_blocks(m->store, NULL, got, blocks_max) == count,
		"SACK count");
	expect(m, memcmp(got, want, count * sizeof(got[0])) == 0 || m->failure != NULL,
		"SACK blocks");
	count = MIN_OF(count + 1, blocks_max);
	expect(m, tcp_reassembly_sack_blocks(m->store, &dsack, got, blocks_max) == count,
		"D-SACK count");
	if (count == 0 || m->failure != NULL)
		return;
	expect(m, memcmp(&got[0], &dsack, sizeof(dsack)) == 0, "D-SACK first");
	expect(m, memcmp(&got[1], &want[0], (count - 1) * sizeof(got[0])) == 0, "after D-SACK");
}

static void
compare_state(struct model *m)
{
	const struct tcp_reassembly *r = m->store;

	tcp_reassembly_check(r, m->base_seq + m->rcv);
	expect(m, tcp_reassembly_ready(r) == m->ready, "ready");
	expect(m, tcp_reassembly_ready_bytes(r) == m->rcv - m->read, "ready bytes");
	expect(m, tcp_reassembly_out_of_order(r) == m->out_of_order, "out of order");
	expect(m, tcp_reassembly_held(r) == m->ready + m->out_of_order + m->taken, "held");
	expect(m, tcp_reassembly_ranges(r) == model_count_ranges(m), "ranges");
	expect(m, test_buffers_live(&m->buffers) == m->ready + m->out_of_order, "live owners");
}

static void
action_next(struct model *m, struct script *s)
{
	uint32_t action = script_next(s), argument = script_next(s), left, len;

	/* Lengths: mostly tiny, sometimes full segments. */
	len = action & 0x80 ? (argument * SEGMENT_MAX) / 255 : argument % 24;
	switch (action & 0x0f) {
	case 0:
	case 1:
		action_recv(m, argument);
		break;
	case 2:
		action_consumed(m, argument);
		break;
	case 3:
	case 4:
		action_append_in_order(m, len + (len == 0));
		break;
	case 5:
		action_insert(m, m->rcv, len);
		break;
	case 6:
		if (argument == 6)
			action_reset(m);
		break;
	case 7:
		/* Partly or wholly below RCV.NXT. */
		action_insert(m, m->rcv - script_next(s), len);
		break;
	default:
		left = (script_next(s) << 8 | script_next(s)) % m->window;
		action_insert(m, m->rcv + left, len);
		break;
	}
	if (m->failure == NULL)
		compare_state(m);
	if (m->failure == NULL)
		compare_sack(m, action >> 4 & 7);
}

static void
model_finish(struct model *m)
{
	action_recv(m, 8); /* leave something behind for destroy */
	test_reassembly_destroy(m->store);
	tcp_reassembly_pool_destroy(m->pool);
	expect(m, test_buffers_live(&m->buffers) == 0, "owners alive at the end");
}

const char *
test_reassembly_model_run(const uint8_t *script, size_t len)
{
	static const uint32_t payloads[] = {16, 24, 64, 600};
	static const uint32_t windows[] = {40, 300, 1500, 4096};
	struct script s = {script, script + len};
	struct model *m = calloc(1, sizeof(*m));
	uint32_t set_up = script_next(&s);
	const char *failure;

	CHECK(m != NULL);
	m->payloads_max = payloads[set_up & 3];
	m->window = windows[set_up >> 2 & 3];
	/* The sequence number wraps somewhere early in half of the scripts. */
	m->base_seq = (set_up & 0x10 ? 0U : 0x80000000U) - STREAM_BEGIN - script_next(&s) * 8;
	m->read = m->rcv = STREAM_BEGIN;
	if (set_up & 0x20)
		m->pool = tcp_reassembly_pool_create(m->payloads_max, 1);
	m->store = test_reassembly_create(m->payloads_max, m->pool, &m->buffers);
	while (s.at < s.end && m->failure == NULL &&
		m->rcv + m->window + SEGMENT_MAX < STREAM_BYTES - SEGMENT_MAX)
		action_next(m, &s);
	model_finish(m);
	failure = m->failure;
	free(m);
	return failure;
}
