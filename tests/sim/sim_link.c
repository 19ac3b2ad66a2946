/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <string.h>

#include "base_bytes.h"
#include "base_check.h"
#include "base_time.h"
#include "sim_link.h"

#define ETHERNET_AND_ARP_LEN 42U

static void
insert(struct sim_link *l, struct sim_frame *f)
{
	struct sim_frame **at = &l->head;

	if (l->tail != NULL && l->tail->at_ns <= f->at_ns)
		at = &l->tail->next; /* without jitter always */
	while (*at != NULL && (*at)->at_ns <= f->at_ns)
		at = &(*at)->next;
	f->next = *at;
	*at = f;
	if (f->next == NULL)
		l->tail = f;
}

/* Flips up to 15 bits in a row: what every checksum must notice. The Ethernet header and ARP, which
 * only the frame check sequence protects, stay as they are. */
static void
corrupt(struct sim_link *l, struct sim_frame *f)
{
	uint32_t bits = (uint32_t)sim_random_range(l->random, 1, 15), first, i;

	if (f->len <= ETHERNET_AND_ARP_LEN)
		return;
	first = (uint32_t)sim_random_range(l->random, 14U * 8U, f->len * 8U - bits);
	for (i = first; i < first + bits; i++) {
		if (i == first || i + 1 == first + bits || sim_random_chance(l->random, 500))
			f->bytes[i / 8] ^= (uint8_t)(1U << (i % 8));
	}
	f->damaged = true;
}

static bool
is_lost(struct sim_link *l)
{
	if (l->bad)
		l->bad = !sim_random_chance(l->random, 250);
	else
		l->bad = sim_random_chance(l->random, l->cfg.burst_loss_per_mille);
	if (sim_random_chance(l->random, l->bad ? 500 : l->cfg.loss_per_mille))
		return true;
	return l->cfg.loss_per_million > 0 &&
	       sim_random_next(l->random) % 1000000 < l->cfg.loss_per_million;
}

/* RFC 3168 §5: ECT becomes CE; the header's checksum by RFC 1624 eq. 3, on its last bits. */
static void
mark(struct sim_link *l, uint8_t *bytes)
{
	uint8_t *ip = bytes + 14, ecn = ip[1] & 3;
	uint32_t sum;

	if (bytes[12] != 0x08 || bytes[13] != 0x00 || ecn == 0 || ecn == 3 ||
		!sim_random_chance(l->random, l->cfg.mark_per_mille))
		return;
	ip[1] |= 3;
	sum = (uint32_t)(ip[10] << 8 | ip[11]) + 0xffffU - (3U - ecn);
	sum = (sum & 0xffffU) + (sum >> 16);
	ip[10] = (uint8_t)(sum >> 8);
	ip[11] = (uint8_t)sum;
	l->marked++;
}

static void
deliver(struct sim_link *l, const uint8_t *bytes, uint32_t len, uint64_t at_ns)
{
	struct sim_frame *f = malloc(sizeof(*f) + len);

	CHECK(f != NULL);
	*f = (struct sim_frame){.at_ns = at_ns, .number = l->number++, .len = len};
	memcpy(f->bytes, bytes, len);
	if (l->cfg.mark_per_mille > 0 && len > 34)
		mark(l, f->bytes);
	if (sim_random_chance(l->random, l->cfg.corrupt_per_mille))
		corrupt(l, f);
	if (len > 64 && sim_random_chance(l->random, l->cfg.truncate_per_mille)) {
		f->len = (uint32_t)sim_random_range(l->random, 14, len - 1);
		f->damaged = true;
	}
	insert(l, f);
}

/* Does a test want exactly this packet lost? ARP is not counted. */
static bool
is_dropped(struct sim_link *l, const uint8_t *bytes, uint32_t len)
{
	uint64_t nth;

	if (len < 14 || bytes[12] != 0x08 || bytes[13] != 0x00)
		return false;
	nth = l->packets++;
	return nth < 64 && (l->cfg.drop_ip >> nth & 1) != 0;
}

void
sim_link_send(struct sim_link *l, const uint8_t *bytes, uint32_t len, uint64_t now_ns)
{
	uint64_t start_ns = MAX_OF(l->busy_until_ns, now_ns), bits = (uint64_t)len * 8U;
	uint64_t queued = (start_ns - now_ns) * (l->cfg.bits_per_second / 1000) / 8000000U;
	uint64_t at_ns;

	if (is_dropped(l, bytes, len) ||
		(now_ns >= l->cfg.down_from_ns && now_ns < l->cfg.down_until_ns) ||
		queued > l->cfg.queue_bytes || is_lost(l)) {
		l->lost++;
		return;
	}
	l->busy_until_ns = start_ns + bits * NS_PER_SEC / l->cfg.bits_per_second;
	at_ns = l->busy_until_ns + l->cfg.delay_ns;
	if (l->cfg.jitter_ns > 0)
		at_ns += sim_random_range(l->random, 0, l->cfg.jitter_ns);
	deliver(l, bytes, len, at_ns);
	if (sim_random_chance(l->random, l->cfg.duplicate_per_mille))
		deliver(l, bytes, len, at_ns + sim_random_range(l->random, 0, NS_PER_MS));
}

struct sim_frame *
sim_link_receive(struct sim_link *l, uint64_t now_ns)
{
	struct sim_frame *f = l->head;

	if (f == NULL || f->at_ns > now_ns)
		return NULL;
	l->head = f->next;
	if (l->head == NULL)
		l->tail = NULL;
	return f;
}

uint64_t
sim_link_deadline(const struct sim_link *l)
{
	return l->head != NULL ? l->head->at_ns : TIME_NEVER;
}

void
sim_link_clear(struct sim_link *l)
{
	struct sim_frame *f;

	while ((f = l->head) != NULL) {
		l->head = f->next;
		free(f);
	}
	l->tail = NULL;
}
