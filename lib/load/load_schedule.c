/* SPDX-License-Identifier: BSD-3-Clause */
#include "base_bytes.h"
#include "load_priv.h"

uint64_t
load_schedule_open_ns(const struct load *l, uint32_t number)
{
	uint64_t n = l->cfg.connections, step = l->cfg.ramp_ns / n, rest = l->cfg.ramp_ns % n;

	return load_time_after(l->start_ns, step * number + rest * number / n);
}

/*
 * Of all loads together: each of cfg.shares takes every one that is its turn.
 * After the ramp one every ns_per_request. In it the rate grows evenly from 0, so that what is asked
 * for is in proportion to the connections: with T the ramp, rate * t^2 / (2 T) requests by t. Half of
 * what the constant rate would have asked for: the later ones come half a ramp later.
 */
uint64_t
load_schedule_request_ns(const struct load *l, uint64_t number)
{
	double ramp_ns = (double)l->cfg.ramp_ns;
	double of_all = (double)l->cfg.share + (double)number * (double)l->cfg.shares;
	double even_ns = of_all * l->schedule.ns_per_request;
	double at_ns = even_ns < ramp_ns / 2 ? __builtin_sqrt(2 * even_ns * ramp_ns)
					     : even_ns + ramp_ns / 2;

	return at_ns < 0x1p63 ? load_time_after(l->start_ns, (uint64_t)(at_ns + 0.5)) : TIME_NEVER;
}

/* The first request of ours that is not due before until_ns: about, in one step however many there are. */
static double
number_at(const struct load *l, uint64_t until_ns)
{
	double ramp_ns = (double)l->cfg.ramp_ns, at_ns = (double)(until_ns - l->start_ns);
	double even_ns = at_ns < ramp_ns ? at_ns * at_ns / (2 * ramp_ns) : at_ns - ramp_ns / 2;
	double of_all = even_ns / l->schedule.ns_per_request;

	return of_all > l->cfg.share ? (of_all - l->cfg.share) / l->cfg.shares : 0.0;
}

/* How many may be planned in all, in the phase that is under way. */
static uint64_t
planned_max(const struct load *l)
{
	if (!load_is_measuring(l) || l->cfg.requests_max == 0)
		return UINT64_MAX;
	return l->schedule.measured_from + l->cfg.requests_max;
}

void
load_schedule_plan(struct load *l, uint64_t until_ns)
{
	struct load_schedule *s = &l->schedule;
	uint64_t before = s->planned, max = planned_max(l);

	if (s->next_ns < until_ns && before < max) {
		s->planned = MAX_OF((uint64_t)number_at(l, until_ns), before + 1);
		while (s->planned > before + 1 &&
			load_schedule_request_ns(l, s->planned - 1) >= until_ns)
			s->planned--;
		while (load_schedule_request_ns(l, s->planned) < until_ns)
			s->planned++;
		s->planned = MIN_OF(s->planned, max);
		s->next_ns = load_schedule_request_ns(l, s->planned);
		LOAD_COUNT(l, load_is_measuring(l), planned, s->planned - before);
	}
	if (s->planned >= max)
		s->next_ns = TIME_NEVER;
}

void
load_schedule_measure(struct load *l)
{
	l->schedule.measured_from = l->schedule.planned;
}

uint64_t
load_schedule_end(struct load *l)
{
	struct load_schedule *s = &l->schedule;
	uint64_t from = s->sent > s->measured_from ? s->sent : s->measured_from;
	uint64_t unsent = load_is_measuring(l) ? s->planned - from : 0;

	s->sent = s->planned;
	s->next_ns = TIME_NEVER;
	return unsent;
}
