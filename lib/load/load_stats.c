/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#include "base_bytes.h"
#include "load_priv.h"

const char *
load_error_name(enum load_error error)
{
	switch (error) {
	case LOAD_ERROR_CONNECT:
		return "connect";
	case LOAD_ERROR_SEND:
		return "send";
	case LOAD_ERROR_RECEIVE:
		return "receive";
	case LOAD_ERROR_TIMEOUT:
		return "timeout";
	case LOAD_ERROR_HTTP:
		return "http";
	case LOAD_ERROR_COUNT:
		break;
	}
	return "?";
}

void
load_counts_add(struct load_counts *to, const struct load_counts *from)
{
	uint32_t i;

	to->planned += from->planned;
	to->requests += from->requests;
	to->responses += from->responses;
	for (i = 0; i < 10; i++)
		to->status[i] += from->status[i];
	for (i = 0; i < LOAD_ERROR_COUNT; i++)
		to->errors[i] += from->errors[i];
	to->request_bytes += from->request_bytes;
	to->header_bytes += from->header_bytes;
	to->body_bytes += from->body_bytes;
	to->connects += from->connects;
	to->connected += from->connected;
	to->disconnects += from->disconnects;
	to->unasked += from->unasked;
}

void
load_stats_init(struct load_stats *s)
{
	memset(s, 0, sizeof(*s));
	histogram_reset(&s->latency);
	histogram_reset(&s->service);
	histogram_reset(&s->first_byte);
	histogram_reset(&s->connect);
}

void
load_stats_merge(struct load_stats *to, const struct load_stats *from)
{
	if (from->start_ns != 0 && (to->start_ns == 0 || from->start_ns < to->start_ns))
		to->start_ns = from->start_ns;
	to->end_ns = MAX_OF(to->end_ns, from->end_ns);
	load_counts_add(&to->counts, &from->counts);
	to->unsent += from->unsent;
	to->unanswered += from->unanswered;
	to->open_max += from->open_max;
	histogram_merge(&to->latency, &from->latency);
	histogram_merge(&to->service, &from->service);
	histogram_merge(&to->first_byte, &from->first_byte);
	histogram_merge(&to->connect, &from->connect);
}

void
load_stats_on_established(struct load *l, uint64_t since_ns, uint64_t now_ns)
{
	LOAD_COUNT(l, load_is_measuring(l), connected, 1);
	if (!load_is_measuring(l))
		return;
	histogram_record(&l->stats.connect, now_ns - since_ns);
	l->stats.open_max = MAX_OF(l->stats.open_max, l->open);
}

void
load_stats_on_request(struct load *l, const struct load_request *q)
{
	LOAD_COUNT(l, q->measured, requests, 1);
	l->requests_under_way++;
	l->measured_under_way += q->measured;
}

void
load_stats_on_response(struct load *l, const struct load_request *q, uint32_t status,
	uint64_t first_byte_ns, uint64_t now_ns)
{
	l->heard_ns = now_ns;
	LOAD_COUNT(l, q->measured, responses, 1);
	LOAD_COUNT(l, q->measured, status[status / 100], 1);
	histogram_record(l->interval_latency, now_ns - q->planned_ns);
	l->requests_under_way--;
	if (!q->measured)
		return;
	l->measured_under_way--;
	histogram_record(&l->stats.latency, now_ns - q->planned_ns);
	histogram_record(&l->stats.service, now_ns - q->start_ns);
	histogram_record(&l->stats.first_byte, first_byte_ns - q->start_ns);
}

void
load_stats_on_error(struct load *l, const struct load_request *q, enum load_error error)
{
	LOAD_COUNT(l, q->measured, errors[error], 1);
	l->requests_under_way--;
	l->measured_under_way -= q->measured;
}

/* -- The time series. -- */

void
load_stats_begin(struct load *l, uint64_t now_ns)
{
	uint32_t count = atomic_load_explicit(&l->series_count, memory_order_relaxed);

	l->interval = (struct load_interval){.start_ns = now_ns};
	l->interval_latency = &l->histogram[count % (l->cfg.interval_histograms + 1)];
	histogram_reset(l->interval_latency);
}

uint64_t
load_stats_interval_end(const struct load *l)
{
	if (l->cfg.interval_ns == 0 || l->cfg.intervals_max == 0)
		return TIME_NEVER;
	return load_time_after(l->interval.start_ns, l->cfg.interval_ns);
}

static bool
lies_in_measured_time(const struct load *l, const struct load_interval *i)
{
	return l->stats.start_ns != 0 && i->start_ns >= l->stats.start_ns &&
	       (l->stats.end_ns == 0 || i->end_ns <= l->stats.end_ns);
}

void
load_stats_end_interval(struct load *l, uint64_t end_ns)
{
	uint32_t count = atomic_load_explicit(&l->series_count, memory_order_relaxed);
	struct load_interval *i = &l->interval;

	i->end_ns = end_ns;
	i->measured = lies_in_measured_time(l, i);
	i->open = l->open;
	i->backlog = load_schedule_backlog(&l->schedule);
	i->latency_p50_ns = histogram_percentile(l->interval_latency, 50);
	i->latency_p90_ns = histogram_percentile(l->interval_latency, 90);
	i->latency_p99_ns = histogram_percentile(l->interval_latency, 99);
	i->latency_max_ns = l->interval_latency->max;
	l->series[count % ((uint64_t)l->cfg.intervals_max + 1)] = *i;
	atomic_store_explicit(&l->series_count, count + 1, memory_order_release);
	/* What is overwritten from now on, here and in histogram, the count says to be gone. */
	atomic_thread_fence(memory_order_release);
	load_stats_begin(l, end_ns);
}

void
load_stats_end(struct load *l, uint64_t now_ns)
{
	const struct load_interval empty = {.start_ns = l->interval.start_ns};
	bool any = memcmp(&l->interval.counts, &empty.counts, sizeof(empty.counts)) != 0;

	if (load_stats_interval_end(l) != TIME_NEVER && (any || now_ns > l->interval.start_ns))
		load_stats_end_interval(l, now_ns);
}

uint32_t
load_intervals(const struct load *l)
{
	return atomic_load_explicit(&l->series_count, memory_order_acquire);
}

/* 0, or as load_interval_copy. */
static int
find_interval(const struct load *l, uint32_t number)
{
	uint32_t count = load_intervals(l);

	if (number >= count)
		return -EAGAIN;
	return count - number <= l->cfg.intervals_max ? 0 : -ENOENT;
}

int
load_interval_copy(const struct load *l, uint32_t number, struct load_interval *ret)
{
	int rc = find_interval(l, number);

	if (rc != 0)
		return rc;
	*ret = l->series[number % ((uint64_t)l->cfg.intervals_max + 1)];
	atomic_thread_fence(memory_order_acquire);
	return find_interval(l, number); /* it may have gone meanwhile */
}

const struct histogram *
load_interval_histogram(const struct load *l, uint32_t number)
{
	uint32_t count = atomic_load_explicit(&l->series_count, memory_order_acquire);
	bool there = number < count && count - number <= l->cfg.interval_histograms;

	return there ? &l->histogram[number % (l->cfg.interval_histograms + 1)] : NULL;
}

const struct load_stats *
load_stats(const struct load *l)
{
	return &l->stats;
}
