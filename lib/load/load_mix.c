/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>

#include "base_check.h"
#include "load_priv.h"

__extension__ typedef unsigned __int128 load_wide;

/* SplitMix64 (Steele, Lea, Flood 2014). */
static uint64_t
random_next(struct load_mix *m)
{
	uint64_t z = m->random += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static uint64_t
random_below(struct load_mix *m, uint64_t limit)
{
	return (uint64_t)(((load_wide)random_next(m) * limit) >> 64);
}

static bool
is_same_endpoint(const struct load_target *a, const struct load_target *b)
{
	return a->remote_port == b->remote_port && ip_address_equal(&a->remote, &b->remote);
}

/* The targets at first's endpoint that are not in m yet. taken: one flag a target. */
static void
add_endpoint(struct load_mix *m, const struct load_target *target, uint32_t targets, uint32_t first,
	bool *taken)
{
	struct load_endpoint *e = &m->endpoint[m->endpoints++];
	uint32_t i;

	*e = (struct load_endpoint){.first = m->targets};
	for (i = first; i < targets; i++) {
		if (taken[i] || !is_same_endpoint(&target[first], &target[i]))
			continue;
		taken[i] = true;
		e->weight += target[i].weight;
		e->targets++;
		m->target[m->targets] = target[i];
		m->weight_up_to[m->targets++] = e->weight;
	}
	m->weight += e->weight;
}

int
load_mix_init(struct load_mix *m, const struct load_target *target, uint32_t targets, uint64_t seed)
{
	bool *taken = calloc(targets, sizeof(*taken));
	uint32_t i;

	*m = (struct load_mix){
		.target = calloc(targets, sizeof(*m->target)),
		.weight_up_to = calloc(targets, sizeof(*m->weight_up_to)),
		.endpoint = calloc(targets, sizeof(*m->endpoint)),
		.random = seed,
	};
	if (taken == NULL || m->target == NULL || m->weight_up_to == NULL || m->endpoint == NULL) {
		free(taken);
		load_mix_free(m);
		return -ENOMEM;
	}
	for (i = 0; i < targets; i++)
		if (!taken[i])
			add_endpoint(m, target, targets, i, taken);
	free(taken);
	return 0;
}

void
load_mix_free(struct load_mix *m)
{
	free(m->target);
	free(m->weight_up_to);
	free(m->endpoint);
	*m = (struct load_mix){0};
}

/* How many connections an endpoint lacks of its share. */
static double
missing(const struct load_mix *m, const struct load_endpoint *e, uint32_t connections)
{
	double share = (double)connections * (double)e->weight / (double)m->weight;

	return share > (double)e->connections ? share - (double)e->connections : 0;
}

/* By what is missing, not by weight alone: else those that a server closes more often would in the
 * end all be at the others. */
uint32_t
load_mix_join(struct load_mix *m, uint32_t connections)
{
	uint32_t i, last = 0;
	double sum = 0, at;

	if (m->endpoints > 1) {
		for (i = 0; i < m->endpoints; i++)
			sum += missing(m, &m->endpoint[i], connections);
		at = (double)(random_next(m) >> 11) * 0x1p-53 * sum;
		for (i = 0; i < m->endpoints; i++) {
			double here = missing(m, &m->endpoint[i], connections);

			if (here <= 0)
				continue;
			last = i;
			at -= here;
			if (at < 0)
				break;
		}
	}
	m->endpoint[last].connections++;
	return last;
}

void
load_mix_leave(struct load_mix *m, uint32_t endpoint)
{
	CHECK(m->endpoint[endpoint].connections > 0);
	m->endpoint[endpoint].connections--;
}

uint32_t
load_mix_target(struct load_mix *m, uint32_t endpoint)
{
	const struct load_endpoint *e = &m->endpoint[endpoint];
	uint32_t low = e->first, high = e->first + e->targets - 1;
	uint64_t at;

	if (low == high)
		return low;
	at = random_below(m, e->weight);
	while (low < high) { /* the first whose weight_up_to is above */
		uint32_t middle = low + (high - low) / 2;

		if (m->weight_up_to[middle] > at)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}
