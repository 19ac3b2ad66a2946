/* SPDX-License-Identifier: BSD-3-Clause */
#include "load.h"

#include <stdlib.h>
#include <string.h>

#include "base_bytes.h"
#include "base_check.h"
#include "load_priv.h"

#define CACHE_LINE 64U

void
load_config_defaults(struct load_config *ret)
{
	*ret = (struct load_config){
		.connections = 1,
		.pipeline = 1,
		.shares = 1,
		.duration_ns = 10 * NS_PER_SEC,
		.silence_ns = 30 * NS_PER_SEC,
		.drain_ns = 2 * NS_PER_SEC,
		.connect_timeout_ns = 30 * NS_PER_SEC,
		.request_timeout_ns = 30 * NS_PER_SEC,
		.interval_ns = NS_PER_SEC,
		.intervals_max = 86400,
	};
	http_limits_defaults(&ret->limits);
	ret->limits.header_bytes_max = 32U * 1024U;
}

/* -- Making it. -- */

static bool
is_target_in_range(const struct load_target *t)
{
	return (t->remote.family == 4 || t->remote.family == 6) && t->request != NULL &&
	       t->request_len > 0 && t->weight > 0;
}

static bool
is_in_range(const struct load_config *cfg)
{
	uint32_t i;

	if (cfg->transport.ops == NULL || cfg->target == NULL || cfg->targets == 0)
		return false;
	for (i = 0; i < cfg->targets; i++)
		if (!is_target_in_range(&cfg->target[i]))
			return false;
	return cfg->connections >= 1 && cfg->connections <= LOAD_CONNECTIONS_MAX &&
	       cfg->pipeline >= 1 && cfg->pipeline <= LOAD_PIPELINE_MAX && cfg->rate >= 0 &&
	       cfg->rate <= LOAD_RATE_MAX && cfg->share < cfg->shares && cfg->duration_ns > 0 &&
	       cfg->interval_histograms <= LOAD_INTERVAL_HISTOGRAMS_MAX;
}

static int
create_connections(struct load *l)
{
	size_t n = l->cfg.connections, i;

	l->conn = aligned_alloc(
		CACHE_LINE, (n * sizeof(*l->conn) + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE);
	l->request = calloc(n * l->cfg.pipeline, sizeof(*l->request));
	if (l->conn != NULL)
		memset(l->conn, 0, n * sizeof(*l->conn));
	if (l->conn == NULL || l->request == NULL)
		return -1;
	for (i = 0; i < n; i++) {
		l->conn[i].endpoint = LOAD_ENDPOINT_NONE;
		l->conn[i].response = http_response_create(&l->cfg.limits, NULL, NULL);
		if (l->conn[i].response != NULL)
			http_response_share_heads(l->conn[i].response, l->heads);
		if (l->conn[i].response == NULL)
			return -1;
	}
	return 0;
}

static void
init(struct load *l, const struct load_config *cfg)
{
	l->cfg = *cfg;
	l->cfg.target = NULL;
	l->schedule.ns_per_request = cfg->rate > 0 ? (double)NS_PER_SEC / cfg->rate : 0;
	l->schedule.next_ns = TIME_NEVER;
	l->phase_end_ns = TIME_NEVER;
	load_list_init(&l->connecting);
	load_list_init(&l->waiting);
	load_list_init(&l->under_way);
	load_list_init(&l->idle);
	load_list_init(&l->room);
	load_stats_init(&l->stats);
}

struct load *
load_create(const struct load_config *cfg)
{
	struct load *l;

	if (!is_in_range(cfg))
		return NULL;
	l = calloc(1, sizeof(*l));
	if (l == NULL)
		return NULL;
	init(l, cfg);
	/* A page of the series is touched, and so takes memory, once it is written. */
	l->series = calloc((size_t)cfg->intervals_max + 1U, sizeof(*l->series));
	l->histogram = calloc(cfg->interval_histograms + 1U, sizeof(*l->histogram));
	l->heads = http_head_cache_create();
	if (l->series == NULL || l->histogram == NULL || l->heads == NULL ||
		load_mix_init(&l->mix, cfg->target, cfg->targets, cfg->connections, cfg->share,
			cfg->seed) != 0 ||
		create_connections(l) != 0) {
		load_destroy(l);
		return NULL;
	}
	return l;
}

void
load_destroy(struct load *l)
{
	uint32_t i;

	if (l == NULL)
		return;
	for (i = 0; l->conn != NULL && i < l->cfg.connections; i++) {
		if (l->conn[i].transport != NULL)
			load_conn_give_up(l, &l->conn[i], true, l->now_ns);
		http_response_destroy(l->conn[i].response);
	}
	http_head_cache_destroy(l->heads);
	free(l->conn);
	free(l->request);
	load_mix_free(&l->mix);
	free(l->series);
	free(l->histogram);
	free(l);
}

uint64_t
load_bytes_per_connection(const struct load_config *cfg)
{
	return sizeof(struct load_conn) + (uint64_t)cfg->pipeline * sizeof(struct load_request) +
	       http_response_size(&cfg->limits, NULL);
}

/* -- Phases. -- */

static void
enter_phase(struct load *l, enum load_phase phase, uint64_t at_ns, uint64_t limit_ns)
{
	l->phase = phase;
	l->phase_start_ns = at_ns;
	l->phase_end_ns = load_time_after(at_ns, limit_ns);
}

static void
begin_measure(struct load *l, uint64_t at_ns)
{
	load_schedule_measure(l);
	enter_phase(l, LOAD_MEASURE, at_ns, l->cfg.duration_ns);
	l->stats.start_ns = l->heard_ns = at_ns;
	l->stats.open_max = l->open;
}

static void
begin_drain(struct load *l, uint64_t at_ns)
{
	l->stats.unsent = load_schedule_end(l);
	if (load_is_measuring(l))
		l->stats.end_ns = at_ns;
	enter_phase(l, LOAD_DRAIN, at_ns, l->cfg.drain_ns);
}

static void
next_phase(struct load *l, uint64_t at_ns)
{
	switch (l->phase) {
	case LOAD_RAMP:
		enter_phase(l, LOAD_WARMUP, at_ns, l->cfg.warmup_ns);
		break;
	case LOAD_WARMUP:
		begin_measure(l, at_ns);
		break;
	case LOAD_MEASURE:
		begin_drain(l, at_ns);
		break;
	case LOAD_IDLE:
	case LOAD_DRAIN:
	case LOAD_CLOSE:
	case LOAD_OVER:
		CHECK(false);
	}
}

/* A few at a time: the answers of 100,000 FINs at once would overrun the port. */
static void
close_some(struct load *l, uint64_t now_ns)
{
	uint32_t end = MIN_OF(l->closed + LOAD_CLOSES_PER_POLL, l->cfg.connections);

	while (l->closed < end)
		load_conn_give_up(l, &l->conn[l->closed++], false, now_ns);
	if (l->closed == l->cfg.connections)
		l->phase = LOAD_OVER;
}

static void
finish(struct load *l, uint64_t now_ns)
{
	if (load_is_measuring(l))
		begin_drain(l, now_ns);
	l->stats.unanswered = l->measured_under_way;
	load_stats_end(l, now_ns);
	enter_phase(l, LOAD_CLOSE, now_ns, 0);
	close_some(l, now_ns);
}

/* Intervals and phases end when their time has come, however late the poll is; and what is planned
 * is counted in that which its moment lies in. The drain ends later, after the events. */
static void
pass_time(struct load *l, uint64_t now_ns)
{
	for (;;) {
		uint64_t interval_ns = load_stats_interval_end(l);
		uint64_t phase_ns = l->phase < LOAD_DRAIN ? l->phase_end_ns : TIME_NEVER;
		uint64_t end_ns = time_min(interval_ns, phase_ns);

		if (end_ns > now_ns)
			break;
		load_schedule_plan(l, end_ns);
		if (interval_ns == end_ns)
			load_stats_end_interval(l, end_ns);
		else
			next_phase(l, end_ns);
	}
	load_schedule_plan(l, now_ns + 1);
}

bool
load_wants_requests(const struct load *l)
{
	if (l->phase < LOAD_RAMP || l->phase > LOAD_MEASURE)
		return false;
	return !load_is_measuring(l) || l->cfg.requests_max == 0 ||
	       l->stats.counts.requests < l->cfg.requests_max;
}

/* Has requests_max been reached? */
static bool
is_enough(const struct load *l)
{
	return load_is_measuring(l) && l->measured_under_way == 0 && !load_wants_requests(l);
}

/* When nothing has been heard for too long, in a measured time that nothing else may end: a server
 * that is gone for good answers no request, so that requests_max is never reached. */
static uint64_t
silence_due_ns(const struct load *l)
{
	if (!load_is_measuring(l) || l->phase_end_ns != TIME_NEVER)
		return TIME_NEVER;
	return load_time_after(l->heard_ns, l->cfg.silence_ns);
}

static void
check_silence(struct load *l, uint64_t now_ns)
{
	if (load_is_open_loop(l) && l->requests_under_way == 0 &&
		load_schedule_backlog(&l->schedule) == 0)
		l->heard_ns = now_ns; /* none is missing */
	if (silence_due_ns(l) > now_ns)
		return;
	l->silent = true;
	begin_drain(l, now_ns);
}

static void
check_end(struct load *l, uint64_t now_ns)
{
	if (is_enough(l))
		begin_drain(l, now_ns);
	check_silence(l, now_ns);
	if (l->ever_connected)
		l->unreachable = false;
	else if (l->failed == l->cfg.connections)
		l->unreachable = true;
	if ((l->unreachable && !l->cfg.keeps_trying) ||
		(l->phase == LOAD_DRAIN &&
			(l->requests_under_way == 0 || now_ns >= l->phase_end_ns)))
		finish(l, now_ns);
}

/* -- What is due. -- */

static struct load_conn *
conn_of(struct load_link *link)
{
	return (struct load_conn *)((char *)link - offsetof(struct load_conn, link));
}

static struct load_request *
request_of(struct load_link *link)
{
	return (struct load_request *)((char *)link - offsetof(struct load_request, link));
}

/* When the longest waiting member of a list of connections has been there for that long. */
static uint64_t
due_ns(const struct load_link *list, uint64_t wait_ns)
{
	struct load_link *first = load_list_first(list);

	return first != NULL ? load_time_after(conn_of(first)->at_ns, wait_ns) : TIME_NEVER;
}

static uint64_t
request_due_ns(const struct load *l)
{
	struct load_link *first = load_list_first(&l->under_way);

	return first != NULL
		       ? load_time_after(request_of(first)->start_ns, l->cfg.request_timeout_ns)
		       : TIME_NEVER;
}

static uint64_t
open_due_ns(const struct load *l)
{
	uint64_t at_ns = due_ns(&l->waiting, LOAD_RETRY_NS);

	if (!load_wants_requests(l))
		return TIME_NEVER;
	if (l->schedule.opened < l->cfg.connections)
		at_ns = time_min(at_ns, load_schedule_open_ns(l, l->schedule.opened));
	return at_ns;
}

static void
open_due(struct load *l, uint64_t now_ns)
{
	uint32_t n;

	for (n = 0; n < LOAD_OPENS_PER_POLL && open_due_ns(l) <= now_ns; n++) {
		struct load_conn *c;

		if (due_ns(&l->waiting, LOAD_RETRY_NS) <= now_ns) {
			c = conn_of(load_list_first(&l->waiting));
			load_list_remove(&c->link);
		} else {
			c = &l->conn[l->schedule.opened++];
		}
		load_conn_open(l, c, now_ns);
	}
}

static void
expire(struct load *l, uint64_t now_ns)
{
	while (due_ns(&l->connecting, l->cfg.connect_timeout_ns) <= now_ns)
		load_conn_on_connect_timeout(l, conn_of(load_list_first(&l->connecting)), now_ns);
	while (request_due_ns(l) <= now_ns) {
		const struct load_request *q = request_of(load_list_first(&l->under_way));
		size_t number = (size_t)(q - l->request) / l->cfg.pipeline;

		load_conn_on_request_timeout(l, &l->conn[number], now_ns);
	}
}

static void
take_events(struct load *l, uint64_t now_ns)
{
	struct transport_conn *t;
	void *user;

	while ((t = load_ops(l)->event_next(l->cfg.transport.ctx, &user)) != NULL) {
		struct load_conn *c = user;

		/* Others may have connections on this transport, too. */
		if (c >= l->conn && c < l->conn + l->cfg.connections && c->transport == t)
			load_conn_on_event(l, c, now_ns);
	}
}

/* Planned requests go to the connections that have been idle for longest. */
static void
dispatch(struct load *l, uint64_t now_ns)
{
	while (load_schedule_backlog(&l->schedule) > 0) {
		struct load_link *link = load_list_first(&l->idle);

		if (link == NULL)
			link = load_list_first(&l->room);
		if (link == NULL)
			return;
		load_conn_take_planned(l, conn_of(link), now_ns);
	}
}

/* -- The interface. -- */

void
load_start(struct load *l, uint64_t now_ns)
{
	CHECK(l->phase == LOAD_IDLE);
	l->now_ns = l->start_ns = now_ns;
	enter_phase(l, LOAD_RAMP, now_ns, l->cfg.ramp_ns);
	load_stats_begin(l, now_ns);
	if (load_is_open_loop(l))
		l->schedule.next_ns = load_schedule_request_ns(l, 0);
}

bool
load_poll(struct load *l, uint64_t now_ns)
{
	l->now_ns = now_ns;
	if (l->phase == LOAD_CLOSE)
		close_some(l, now_ns);
	if (l->phase == LOAD_IDLE || l->phase >= LOAD_CLOSE)
		return l->phase == LOAD_OVER;
	pass_time(l, now_ns);
	take_events(l, now_ns);
	expire(l, now_ns);
	open_due(l, now_ns);
	dispatch(l, now_ns);
	check_end(l, now_ns);
	return l->phase == LOAD_OVER;
}

uint64_t
load_deadline(const struct load *l)
{
	uint64_t at_ns;

	if (l->phase == LOAD_IDLE || l->phase == LOAD_OVER)
		return TIME_NEVER;
	if (l->phase == LOAD_CLOSE)
		return l->phase_end_ns;
	at_ns = time_min(l->phase_end_ns, load_stats_interval_end(l));
	at_ns = time_min(at_ns, l->schedule.next_ns);
	at_ns = time_min(at_ns, silence_due_ns(l));
	at_ns = time_min(at_ns, open_due_ns(l));
	at_ns = time_min(at_ns, due_ns(&l->connecting, l->cfg.connect_timeout_ns));
	return time_min(at_ns, request_due_ns(l));
}

void
load_stop(struct load *l, uint64_t now_ns)
{
	if (l->phase == LOAD_IDLE || l->phase >= LOAD_CLOSE)
		return;
	pass_time(l, now_ns);
	if (l->phase == LOAD_DRAIN) {
		finish(l, now_ns);
		return;
	}
	begin_drain(l, now_ns);
	check_end(l, now_ns);
}

enum load_phase
load_phase(const struct load *l)
{
	return l->phase;
}

bool
load_unreachable(const struct load *l, int *ret_error)
{
	if (l->unreachable)
		*ret_error = l->last_error;
	return l->unreachable;
}

bool
load_silent(const struct load *l)
{
	return l->silent;
}
