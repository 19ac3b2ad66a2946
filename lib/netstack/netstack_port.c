/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>

#include "netstack_priv.h"
#include "tcp_limits.h"

#define ISN_TICK_NS UINT64_C(4000) /* RFC 9293 §3.4.1: the ISN clock ticks every 4 us */

/* What is hashed: without padding, and of a length of its own for each IP version. The purpose is there
 * so that the uses of one key do not reveal each other. */
struct tuple_ipv4 {
	uint32_t local, remote;
	uint16_t local_port, remote_port;
	uint32_t purpose;
};

struct tuple_ipv6 {
	struct ipv6_addr local, remote;
	uint16_t local_port, remote_port;
	uint32_t purpose;
};

_Static_assert(sizeof(struct tuple_ipv4) == 16 && sizeof(struct tuple_ipv6) == 40, "no padding");

enum purpose { PURPOSE_ISN = 1, PURPOSE_PORT, PURPOSE_TIMESTAMP };

static uint64_t
keyed(const struct netstack *ns, const struct ip_address *local, const struct ip_address *remote,
	uint16_t local_port, uint16_t remote_port, enum purpose purpose)
{
	const struct siphash_key *key =
		purpose == PURPOSE_PORT ? &ns->cfg.key : &ns->cfg.lasting_key;

	if (remote->family == 4) {
		const struct tuple_ipv4 t = {
			local->v4, remote->v4, local_port, remote_port, (uint32_t)purpose};

		return siphash24(key, &t, sizeof(t));
	} else {
		const struct tuple_ipv6 t = {
			local->v6, remote->v6, local_port, remote_port, (uint32_t)purpose};

		return siphash24(key, &t, sizeof(t));
	}
}

/* What is the same for all connections between two hosts, or to one port: hashed once. */
static const struct netstack_pair *
pair_of(struct netstack *ns, const struct ip_address *local, const struct ip_address *remote,
	uint16_t remote_port)
{
	uint32_t byte = local->family == 4 ? local->v4 : local->v6.byte[15];
	struct netstack_pair *p = &ns->pair[byte % NETSTACK_PAIRS];

	if (p->remote_port == remote_port && ip_address_equal(&p->remote, remote) &&
		ip_address_equal(&p->local, local))
		return p;
	*p = (struct netstack_pair){*local, *remote, remote_port,
		(uint32_t)keyed(ns, local, remote, 0, remote_port, PURPOSE_PORT),
		(uint32_t)(keyed(ns, local, remote, 0, 0, PURPOSE_TIMESTAMP) +
			   (uint64_t)(ns->cfg.lasting_clock_ns / (int64_t)TCP_TIMESTAMP_TICK_NS))};
	return p;
}

/* ---- which ports are free ---- */

#define WORD_BITS 64U
#define NONE NETSTACK_NO_INDEX

/* The first clear bit from `from` on of so many words; NONE: all are set. */
static uint32_t
first_clear(const uint64_t *bits, uint32_t words, uint32_t from)
{
	uint64_t open = UINT64_MAX << from % WORD_BITS;
	uint32_t i;

	for (i = from / WORD_BITS; i < words; i++) {
		open &= ~bits[i];
		if (open != 0)
			return i * WORD_BITS + (uint32_t)__builtin_ctzll(open);
		open = UINT64_MAX;
	}
	return NONE;
}

static void
set_bit(uint64_t *bits, uint32_t at)
{
	bits[at / WORD_BITS] |= UINT64_C(1) << at % WORD_BITS;
}

static void
clear_bit(uint64_t *bits, uint32_t at)
{
	bits[at / WORD_BITS] &= ~(UINT64_C(1) << at % WORD_BITS);
}

static uint32_t
words_of(uint32_t bits)
{
	return (bits + WORD_BITS - 1) / WORD_BITS;
}

bool
netstack_port_create(struct netstack *ns)
{
	struct netstack_ports *p = &ns->ports;
	uint32_t sets = ns->cfg.address_count + 1U, set, i;

	p->words = words_of(ns->cfg.port_count);
	p->full_words = words_of(p->words);
	p->used = calloc(sets * p->words, sizeof(uint64_t));
	p->full = calloc(sets * p->full_words, sizeof(uint64_t));
	if (p->used == NULL || p->full == NULL)
		return false;
	for (set = 0; set < sets; set++) { /* what lies behind the last port is not free */
		for (i = ns->cfg.port_count; i < p->words * WORD_BITS; i++)
			set_bit(p->used + set * p->words, i);
		for (i = p->words; i < p->full_words * WORD_BITS; i++)
			set_bit(p->full + set * p->full_words, i);
	}
	return true;
}

void
netstack_port_destroy(struct netstack *ns)
{
	free(ns->ports.used);
	free(ns->ports.full);
}

static uint32_t
set_of(const struct netstack *ns, const struct ip_address *local)
{
	return local->family == 6 ? 0 : 1 + local->v4 - ns->cfg.address;
}

/* The first free port of a set from index `from` on and round about, as an index; NONE: there is none. */
static uint32_t
first_free(const struct netstack_ports *p, uint32_t set, uint32_t from)
{
	const uint64_t *used = p->used + set * p->words, *full = p->full + set * p->full_words;
	uint64_t open = ~used[from / WORD_BITS] & UINT64_MAX << from % WORD_BITS;
	uint32_t word = from / WORD_BITS;

	if (open == 0) {
		word = first_clear(full, p->full_words, word + 1);
		if (word == NONE)
			word = first_clear(full, p->full_words, 0);
		if (word == NONE)
			return NONE;
		open = ~used[word];
	}
	return word * WORD_BITS + (uint32_t)__builtin_ctzll(open);
}

/* Where nc's local port is in its set; NONE: the set does not have it. */
static uint32_t
index_of(const struct netstack *ns, const struct netstack_conn *nc)
{
	uint32_t at = (uint32_t)nc->local_port - ns->cfg.port_first;

	return at < ns->cfg.port_count ? at : NONE;
}

void
netstack_port_mark(struct netstack *ns, struct netstack_conn *nc)
{
	struct netstack_ports *p = &ns->ports;
	uint32_t set = set_of(ns, &nc->local), at = index_of(ns, nc);
	uint64_t *word;

	if (at == NONE)
		return;
	word = p->used + set * p->words + at / WORD_BITS;
	if (*word >> at % WORD_BITS & 1)
		return; /* it shares another's */
	nc->port_marked = true;
	set_bit(word, at % WORD_BITS);
	if (*word == UINT64_MAX)
		set_bit(p->full + set * p->full_words, at / WORD_BITS);
}

void
netstack_port_unmark(struct netstack *ns, struct netstack_conn *nc)
{
	struct netstack_ports *p = &ns->ports;
	uint32_t set = set_of(ns, &nc->local), at = index_of(ns, nc);

	if (!nc->port_marked)
		return;
	nc->port_marked = false;
	clear_bit(p->used + set * p->words, at);
	clear_bit(p->full + set * p->full_words, at / WORD_BITS);
}

/* ---- choosing one ---- */

/* The same, of those whose segments arrive on our queue. */
static uint32_t
first_steered(struct netstack *ns, const struct ip_address *local, const struct ip_address *remote,
	uint16_t remote_port, uint32_t from)
{
	const uint64_t *used = ns->ports.used + set_of(ns, local) * ns->ports.words;

	return netstack_steer_first_free(
		ns, used, ns->ports.words, pair_of(ns, local, remote, remote_port), from);
}

/* One that no connection has, to whichever remote end. The few that share theirs are not marked. */
static uint16_t
choose_unused(struct netstack *ns, const struct ip_address *local, const struct ip_address *remote,
	uint16_t remote_port, uint32_t offset)
{
	uint32_t count = ns->cfg.port_count, i, from, at;
	uint16_t port;

	for (i = 0; i < NETSTACK_PORT_TRIES; i++) {
		from = (offset + ns->port_counter) % count;
		at = ns->cfg.steer == NULL ? first_free(&ns->ports, set_of(ns, local), from)
					   : first_steered(ns, local, remote, remote_port, from);
		if (at == NONE)
			return 0;
		ns->port_counter += (at >= from ? at - from : at + count - from) + 1;
		port = (uint16_t)(ns->cfg.port_first + at);
		if (netstack_table_find(ns, local, remote, remote_port, port) == NULL)
			return port;
	}
	return 0;
}

/* All are in use; but maybe not all to this remote end. */
static uint16_t
choose_shared(struct netstack *ns, const struct ip_address *local, const struct ip_address *remote,
	uint16_t remote_port, uint32_t offset)
{
	uint32_t i, tries = MIN_OF(NETSTACK_PORT_TRIES, (uint32_t)ns->cfg.port_count);
	uint16_t port;

	for (i = 0; i < tries; i++) {
		port = (uint16_t)(ns->cfg.port_first +
				  (offset + ns->port_counter++) % ns->cfg.port_count);
		if (netstack_steer_is_ours(ns, local, remote, remote_port, port) &&
			netstack_table_find(ns, local, remote, remote_port, port) == NULL)
			return port;
	}
	return 0;
}

/* RFC 6056 §3.3.3, the simple hash-based algorithm: ports of one remote end follow each other
 * from a secret offset, so that one is reused as late as possible. */
uint16_t
netstack_port_choose(struct netstack *ns, const struct ip_address *local,
	const struct ip_address *remote, uint16_t remote_port)
{
	uint32_t offset = pair_of(ns, local, remote, remote_port)->port_offset;
	uint16_t port = choose_unused(ns, local, remote, remote_port, offset);

	return port != 0 ? port : choose_shared(ns, local, remote, remote_port, offset);
}

void
netstack_port_open(
	struct netstack *ns, const struct netstack_conn *nc, uint64_t now_ns, struct tcp_open *ret)
{
	/* RFC 6528 §3: ISN = M + F(localip, localport, remoteip, remoteport, secretkey). */
	uint64_t f =
		keyed(ns, &nc->local, &nc->remote, nc->local_port, nc->remote_port, PURPOSE_ISN);

	ret->local_port = nc->local_port;
	ret->remote_port = nc->remote_port;
	ret->iss = (uint32_t)((now_ns + (uint64_t)ns->cfg.lasting_clock_ns) / ISN_TICK_NS + f);
	/* RFC 7323 §7.1: one offset a host pair, so that timestamps stay monotonic between them. */
	ret->ts_offset = pair_of(ns, &nc->local, &nc->remote, nc->remote_port)->ts_offset;
	ret->challenge_seed = f >> 32; /* the half of it that the ISN does not tell of */
}
