/* SPDX-License-Identifier: BSD-3-Clause */
#include "load_fixture.h"

#define LIMIT_NS (3600 * NS_PER_SEC)

static const char *const request[LF_TARGETS] = {
	"GET /a HTTP/1.1\r\nHost: x\r\n\r\n",
	"GET /b HTTP/1.1\r\nHost: x\r\n\r\n",
	"GET /c HTTP/1.1\r\nHost: x\r\n\r\n",
	"GET /d HTTP/1.1\r\nHost: x\r\n\r\n",
};

struct lf *
lf_new(void)
{
	struct lf *f = calloc(1, sizeof(*f));
	uint32_t i;

	assert_non_null(f);
	server_init(&f->server);
	load_config_defaults(&f->cfg);
	for (i = 0; i < LF_TARGETS; i++)
		f->target[i] = (struct load_target){
			.remote = {.family = 4, .v4 = 0xc6120001},
			.remote_port = 80,
			.request = request[i],
			.request_len = (uint32_t)strlen(request[i]),
			.weight = 1,
		};
	f->cfg.transport = f->server.transport;
	f->cfg.target = f->target;
	f->cfg.targets = 1;
	f->cfg.duration_ns = NS_PER_SEC;
	f->cfg.limits.header_bytes_max = 2048;
	f->cfg.intervals_max = 4096;
	f->now_ns = LF_START;
	return f;
}

void
lf_start(struct lf *f)
{
	f->load = load_create(&f->cfg);
	assert_non_null(f->load);
	server_advance(&f->server, f->now_ns);
	assert_int_equal(load_phase(f->load), LOAD_IDLE);
	assert_false(load_poll(f->load, f->now_ns));
	assert_true(load_deadline(f->load) == TIME_NEVER);
	load_start(f->load, f->now_ns);
}

void
lf_run(struct lf *f, uint64_t ns)
{
	uint64_t until_ns = f->now_ns + ns;

	while (!f->over) {
		server_advance(&f->server, f->now_ns);
		f->over = load_poll(f->load, f->now_ns);
		f->polls++;
		if (f->over || f->now_ns >= until_ns)
			break;
		/* An iteration takes a while, and then nothing happens until something is due. */
		f->now_ns = MAX_OF(f->now_ns + 100,
			time_min(server_next_ns(&f->server), load_deadline(f->load)));
		f->now_ns = time_min(f->now_ns, until_ns);
	}
}

const struct load_stats *
lf_run_to_end(struct lf *f)
{
	lf_run(f, LIMIT_NS);
	assert_true(f->over);
	assert_int_equal(load_phase(f->load), LOAD_OVER);
	assert_true(load_deadline(f->load) == TIME_NEVER);
	assert_int_equal(f->server.live, 0);
	return load_stats(f->load);
}

const struct load_stats *
lf_run_all(struct lf *f)
{
	lf_start(f);
	return lf_run_to_end(f);
}

uint64_t
lf_request_errors(const struct load_counts *c)
{
	uint64_t sum = 0;
	uint32_t i;

	for (i = LOAD_ERROR_CONNECT + 1; i < LOAD_ERROR_COUNT; i++)
		sum += c->errors[i];
	return sum;
}

void
lf_check(const struct lf *f)
{
	const struct load_stats *s = load_stats(f->load);
	const struct load_counts *c = &s->counts;
	uint64_t status = 0;
	uint32_t i;

	for (i = 0; i < 10; i++)
		status += c->status[i];
	assert_int_equal(status, c->responses);
	assert_int_equal(c->requests, c->responses + lf_request_errors(c) + s->unanswered);
	if (f->cfg.rate > 0)
		assert_int_equal(c->planned, c->requests + s->unsent);
	else
		assert_int_equal(c->planned + s->unsent, 0);
	assert_int_equal(s->latency.count, c->responses);
	assert_int_equal(s->service.count, c->responses);
	assert_int_equal(s->first_byte.count, c->responses);
	assert_int_equal(s->connect.count, c->connected);
	if (f->cfg.requests_max > 0)
		assert_true(c->requests <= f->cfg.requests_max);
	assert_true(s->open_max <= f->cfg.connections);
	assert_int_equal(test_buffers_live(&f->server.buffers), 0);
}

const struct load_interval *
lf_series(struct lf *f, uint32_t *ret_count)
{
	uint32_t i, n = load_intervals(f->load);

	free(f->series);
	f->series = calloc(n + 1U, sizeof(*f->series));
	assert_non_null(f->series);
	for (i = 0; i < n; i++)
		assert_int_equal(load_interval_copy(f->load, i, &f->series[i]), 0);
	*ret_count = n;
	return f->series;
}

void
lf_sum(const struct lf *f, struct load_counts *ret)
{
	uint32_t n = load_intervals(f->load), i;
	struct load_interval one;

	memset(ret, 0, sizeof(*ret));
	for (i = 0; i < n; i++) {
		assert_int_equal(load_interval_copy(f->load, i, &one), 0);
		load_counts_add(ret, &one.counts);
	}
}

void
lf_end(struct lf *f)
{
	if (f->over)
		lf_check(f);
	load_destroy(f->load);
	server_end(&f->server);
	free(f->series);
	free(f);
}
