/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>

#include "netstack_priv.h"
#include "wire_rss.h"

#define WORD_BITS 64U

struct netstack_steer {
	enum netstack_steer_kind kind;
	uint16_t queues;
	uint32_t places; /* of queue[]; RSS: a power of two */
	uint16_t queue[NETSTACK_STEER_RETA_MAX];
	struct wire_rss rss;
};

static bool
reta_valid(const struct netstack_steer_config *cfg)
{
	uint32_t i;

	if (cfg->reta_size == 0 || cfg->reta_size > NETSTACK_STEER_RETA_MAX ||
		(cfg->reta_size & (cfg->reta_size - 1)) != 0)
		return false;
	for (i = 0; i < cfg->reta_size; i++) {
		if (cfg->reta[i] >= cfg->queues)
			return false;
	}
	return true;
}

struct netstack_steer *
netstack_steer_create(const struct netstack_steer_config *cfg)
{
	bool rss = cfg->kind == NETSTACK_STEER_RSS;
	struct netstack_steer *s;
	uint32_t i;

	if (cfg->queues == 0 || cfg->queues > NETSTACK_STEER_QUEUES_MAX ||
		(rss && !reta_valid(cfg)))
		return NULL;
	s = calloc(1, sizeof(*s));
	if (s == NULL || (rss && !wire_rss_init(&s->rss, cfg->key, cfg->key_len))) {
		free(s);
		return NULL;
	}
	s->kind = cfg->kind;
	s->queues = cfg->queues;
	s->places = rss ? cfg->reta_size : cfg->queues;
	for (i = 0; i < s->places; i++)
		s->queue[i] = rss ? cfg->reta[i] : (uint16_t)i;
	return s;
}

void
netstack_steer_destroy(struct netstack_steer *s)
{
	free(s);
}

uint16_t
netstack_steer_queues(const struct netstack_steer *s)
{
	return s->queues;
}

/* What the place of a connection is made of beside our port. */
static uint32_t
base_of(const struct netstack_steer *s, const struct ip_address *local,
	const struct ip_address *remote, uint16_t remote_port)
{
	return s->kind == NETSTACK_STEER_RSS ? wire_rss_hash(&s->rss, remote, local, remote_port, 0)
					     : 0;
}

/* And with it. */
static uint32_t
place_of(const struct netstack_steer *s, uint32_t base, uint8_t family, uint16_t local_port)
{
	if (s->kind == NETSTACK_STEER_PORT)
		return local_port % s->places;
	return (base ^ wire_rss_dst_port(&s->rss, family, local_port)) & (s->places - 1);
}

uint16_t
netstack_steer_queue(const struct netstack_steer *s, const struct ip_address *local,
	const struct ip_address *remote, uint16_t remote_port, uint16_t local_port)
{
	uint32_t base = base_of(s, local, remote, remote_port);

	return s->queue[place_of(s, base, local->family, local_port)];
}

/* ---- which ports are ours, 64 at a time ---- */

/*
 * Of 64 ports that begin at a multiple of 64, with the first one at this place: which are at places of
 * this queue. The place of the others follows from the first one's: of ports by counting on, of a hash
 * because its low six bits are added to it without a carry, and its contributions are linear.
 */
static uint64_t
mask_at(const struct netstack_steer *s, uint8_t family, uint32_t place, uint16_t queue)
{
	uint64_t mask = 0;
	uint32_t i, at;

	for (i = 0; i < WORD_BITS; i++) {
		at = s->kind == NETSTACK_STEER_PORT ? (place + i) % s->places
						    : place_of(s, place, family, (uint16_t)i);
		if (s->queue[at] == queue)
			mask |= UINT64_C(1) << i;
	}
	return mask;
}

bool
netstack_steer_attach(struct netstack *ns)
{
	const struct netstack_steer *s = ns->cfg.steer;
	uint32_t i, family;

	if (s == NULL)
		return true;
	ns->steer_mask = calloc(2 * s->places, sizeof(uint64_t));
	if (ns->steer_mask == NULL)
		return false;
	for (family = 0; family < 2; family++) {
		for (i = 0; i < s->places; i++)
			ns->steer_mask[family * s->places + i] =
				mask_at(s, family == 0 ? 4 : 6, i, ns->cfg.queue);
	}
	return true;
}

void
netstack_steer_detach(struct netstack *ns)
{
	free(ns->steer_mask);
}

/* Which of the 64 ports from `first` on are ours; first need not be a multiple of 64. */
static uint64_t
ours_from(const struct netstack *ns, uint32_t base, uint8_t family, uint32_t first)
{
	const struct netstack_steer *s = ns->cfg.steer;
	const uint64_t *mask = ns->steer_mask + (family == 4 ? 0 : s->places);
	uint32_t shift = first % WORD_BITS, aligned = first - shift;
	uint64_t ours = mask[place_of(s, base, family, (uint16_t)aligned)] >> shift;

	if (shift != 0)
		ours |= mask[place_of(s, base, family, (uint16_t)(aligned + WORD_BITS))]
			<< (WORD_BITS - shift);
	return ours;
}

uint32_t
netstack_steer_first_free(const struct netstack *ns, const uint64_t *used, uint32_t words,
	const struct netstack_pair *pair, uint32_t from)
{
	uint32_t base = base_of(ns->cfg.steer, &pair->local, &pair->remote, pair->remote_port);
	uint32_t word = from / WORD_BITS, turn;
	uint64_t open, beginning = UINT64_MAX << from % WORD_BITS;

	for (turn = 0; turn <= words; turn++) { /* the first word twice: its end, its beginning */
		open = ~used[word] & beginning &
		       ours_from(
			       ns, base, pair->local.family, ns->cfg.port_first + word * WORD_BITS);
		if (open != 0)
			return word * WORD_BITS + (uint32_t)__builtin_ctzll(open);
		beginning = UINT64_MAX;
		word = word + 1 == words ? 0 : word + 1;
	}
	return NETSTACK_NO_INDEX;
}

bool
netstack_steer_is_ours(const struct netstack *ns, const struct ip_address *local,
	const struct ip_address *remote, uint16_t remote_port, uint16_t local_port)
{
	return ns->cfg.steer == NULL || netstack_steer_queue(ns->cfg.steer, local, remote,
						remote_port, local_port) == ns->cfg.queue;
}
