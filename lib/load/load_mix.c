/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>

#include "base_bytes.h"
#include "base_check.h"
#include "load_priv.h"

#define UNEVEN_MIN 0.1 /* of its share that an endpoint may be off */

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

/* The endpoint with most credit. */
static struct load_endpoint *
most_owed(struct load_mix *m)
{
	struct load_endpoint *most = &m->endpoint[0];
	uint32_t i;

	for (i = 1; i < m->endpoints; i++)
		if (m->endpoint[i].credit > most->credit)
			most = &m->endpoint[i];
	return most;
}

/* Largest remainders (Hamilton's method); the turns of the loads before this one are over, as if they had
 * as many connections. */
static void
divide(struct load_mix *m, uint32_t connections, uint32_t share)
{
	load_wide weight = m->weight, owed = 0;
	uint32_t i;

	CHECK(weight > 0);
	for (i = 0; i < m->endpoints; i++) {
		struct load_endpoint *e = &m->endpoint[i];
		load_wide part = (load_wide)connections * e->weight, rest = part % weight;

		e->whole = (uint32_t)(part / weight);
		e->rest = (double)(uint64_t)rest / (double)m->weight;
		e->credit = (double)(uint64_t)(rest * share % weight) / (double)m->weight;
		owed += rest * share % weight;
	}
	for (; owed >= weight; owed -= weight) /* the rests come to a whole number */
		most_owed(m)->credit--;
}

int
load_mix_init(struct load_mix *m, const struct load_target *target, uint32_t targets,
	uint32_t connections, uint32_t share, uint64_t seed)
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
	divide(m, connections, share);
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

/* The endpoint that lacks one of its whole connections, so that all fill up evenly. NULL: none does. */
static struct load_endpoint *
lacking(struct load_mix *m)
{
	struct load_endpoint *e, *most = NULL;
	double fill, least = 0;
	uint32_t i;

	for (i = 0; i < m->endpoints; i++) {
		e = &m->endpoint[i];
		fill = ((double)e->connections + 0.5) / (double)e->weight;
		if (e->connections >= e->whole || (most != NULL && fill >= least))
			continue;
		most = e;
		least = fill;
	}
	return most;
}

/* Those without one for their fraction get one in turn, as often as the fractions say: the one that has
 * waited most for what it is worth. The first ones are those with the largest. */
static struct load_endpoint *
take_turn(struct load_mix *m)
{
	struct load_endpoint *e, *next = NULL;
	double sum = 0;
	uint32_t i;

	for (i = 0; i < m->endpoints; i++)
		sum += m->endpoint[i].connections <= m->endpoint[i].whole ? m->endpoint[i].rest : 0;
	for (i = 0; i < m->endpoints; i++) {
		e = &m->endpoint[i];
		if (e->connections > e->whole || e->rest <= 0)
			continue;
		e->credit += e->rest / sum;
		if (next == NULL || e->credit > next->credit)
			next = e;
	}
	CHECK(next != NULL);
	next->credit--;
	return next;
}

/* By what is missing, not by weight alone: else those that a server closes more often would in the
 * end all be at the others. */
uint32_t
load_mix_join(struct load_mix *m)
{
	struct load_endpoint *e = lacking(m);

	if (e == NULL)
		e = take_turn(m);
	e->connections++;
	return (uint32_t)(e - m->endpoint);
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

/* -- Do the connections follow the weights? -- */

/* How many each endpoint of m, which is of all loads' connections, gets at the start. 0, or -ENOMEM. */
static int
add_starts(struct load_mix *m, const struct load_target *target, uint32_t targets,
	uint32_t connections, uint32_t shares)
{
	struct load_mix one;
	uint32_t share, i, count, left;

	for (share = 0; share < shares; share++) {
		count = connections / shares + (share < connections % shares);
		if (load_mix_init(&one, target, targets, count, share, 0) != 0)
			return -ENOMEM;
		for (i = 0, left = count; i < one.endpoints; i++) {
			one.endpoint[i].connections = one.endpoint[i].whole;
			left -= one.endpoint[i].whole;
		}
		for (; left > 0; left--)
			(void)load_mix_join(&one);
		for (i = 0; i < one.endpoints; i++)
			m->endpoint[i].connections += one.endpoint[i].connections;
		load_mix_free(&one);
	}
	return 0;
}

static double
share_of(const struct load_endpoint *e)
{
	return (double)e->whole + e->rest;
}

/* By how much of its share it is off; 1: it has none. */
static double
off(const struct load_endpoint *e)
{
	double share = share_of(e), more = (double)e->connections - share;

	return (more < 0 ? -more : more) / share;
}

static uint64_t
greatest_divisor(uint64_t a, uint64_t b)
{
	while (b != 0) {
		uint64_t rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

/* A number for one load, above that of now, with which no share has a fraction, or one of them is at most a
 * tenth of any share. */
static uint64_t
enough(const struct load_mix *m, uint32_t connections)
{
	uint64_t divisor = m->weight, least = UINT64_MAX, whole, tenths;
	uint32_t i;

	for (i = 0; i < m->endpoints; i++) {
		divisor = greatest_divisor(divisor, m->endpoint[i].weight);
		least = MIN_OF(least, m->endpoint[i].weight);
	}
	whole = m->weight / divisor;
	whole = (connections / whole + 1) * whole;
	tenths = (uint64_t)(((load_wide)m->weight * 10 + least - 1) / least);
	return MIN_OF(whole, MAX_OF(tenths, (uint64_t)connections + 1));
}

/* Its first target, as the caller numbers them. */
static uint32_t
number_of(const struct load_mix *m, const struct load_endpoint *e, const struct load_target *target)
{
	uint32_t i = 0;

	while (!is_same_endpoint(&m->target[e->first], &target[i]))
		i++;
	return i;
}

bool
load_is_uneven(const struct load_target *target, uint32_t targets, uint32_t connections,
	uint32_t shares, struct load_unevenness *ret)
{
	const struct load_endpoint *worst;
	struct load_mix m;
	bool uneven;
	uint32_t i;

	if (load_mix_init(&m, target, targets, connections, 0, 0) != 0)
		return false;
	uneven = add_starts(&m, target, targets, connections, shares) == 0;
	for (i = 1, worst = &m.endpoint[0]; i < m.endpoints; i++)
		if (off(&m.endpoint[i]) > off(worst))
			worst = &m.endpoint[i];
	uneven = uneven && off(worst) > UNEVEN_MIN;
	if (uneven)
		*ret = (struct load_unevenness){
			.target = number_of(&m, worst, target),
			.connections = worst->connections,
			.share = share_of(worst),
			.wanted = shares * enough(&m, connections / shares),
		};
	load_mix_free(&m);
	return uneven;
}
