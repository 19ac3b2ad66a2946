/* SPDX-License-Identifier: BSD-3-Clause */
#include "load_fixture.h"

/*
 * Servers that do anything, and loads of any kind: each request must end once, nothing may be left, and
 * no CHECK may fail. Arguments: the first seed and how many.
 */

#define RUNS 3000U

struct chance {
	uint64_t state;
	uint32_t mood; /* how often the server misbehaves, per mille */
};

static uint32_t
below(struct chance *r, uint32_t limit) /* SplitMix64 */
{
	uint64_t z = r->state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return (uint32_t)((z ^ (z >> 31)) % limit);
}

static const char *const answer[] = {
	SERVER_OK,
	"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
	"HTTP/1.1 204 No Content\r\n\r\n",
	"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
	"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx",
	"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 3\r\n\r\nabc",
};

static const char *const bad_answer[] = {
	"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 3\r\n\r\nabc",
	"HTTP/1.0 200 OK\r\n\r\nuntil the end",
	"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nless",
	SERVER_OK "more than was asked for",
	"HTTP/1.1 abc\r\n\r\n",
	"\r\n",
	"H",
	SERVER_OK SERVER_OK,
	"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nZ\r\n",
};

/* In up to eight pieces. */
static void
say(struct server *s, struct server_conn *c, const char *text)
{
	struct chance *r = s->test;
	uint32_t len = (uint32_t)strlen(text), at = 0, n, i;

	for (i = 0; at < len; i++, at += n) {
		n = below(r, 2) == 0 || i == 7 ? len - at : 1 + below(r, len - at);
		server_send(c, below(r, 4) == 0 ? 0 : below(r, 200000), text + at, n);
	}
}

static void
misbehave(struct server *s, struct server_conn *c)
{
	struct chance *r = s->test;

	switch (below(r, 5)) {
	case 0: /* nothing at all */
		break;
	case 1:
		server_fin(c, below(r, 200000));
		c->quiet = true; /* it says no more */
		break;
	case 2:
		server_reset(c, below(r, 200000), -ECONNRESET);
		break;
	default:
		say(s, c, bad_answer[below(r, sizeof(bad_answer) / sizeof(bad_answer[0]))]);
		if (below(r, 3) != 0) {
			server_fin(c, below(r, 1000));
			c->quiet = true;
		}
	}
}

static void
on_request(struct server *s, struct server_conn *c, uint32_t number, const char *head)
{
	struct chance *r = s->test;

	(void)number, (void)head;
	if (c->quiet || c->pieces > 8)
		return;
	if (below(r, 1000) < r->mood)
		misbehave(s, c);
	else
		say(s, c, answer[below(r, sizeof(answer) / sizeof(answer[0]))]);
}

static int
on_connect(struct server *s, struct server_conn *c)
{
	struct chance *r = s->test;

	s->connect_ns = below(r, 100000);
	if (below(r, 1000) >= r->mood)
		return 0;
	switch (below(r, 6)) {
	case 0:
		return -ENOBUFS;
	case 1:
		return -EINPROGRESS;
	case 2:
		c->quiet = true;
		return 0;
	case 3:
		server_establish(c, 0);
		server_fin(c, below(r, 100000));
		c->quiet = true;
		return 0;
	case 4:
		server_establish(c, 0);
		server_say(c, below(r, 100000), "220 hello\r\n");
		c->quiet = true;
		return 0;
	default:
		server_refuse(c, below(r, 100000), -ECONNREFUSED);
		return 0;
	}
}

static uint64_t
some_ns(struct chance *r, uint32_t ms)
{
	return below(r, 2) == 0 ? 0 : below(r, ms * 1000) * NS_PER_US;
}

static void
choose(struct lf *f, struct chance *r)
{
	struct load_config *cfg = &f->cfg;
	uint32_t i;

	r->mood = below(r, 3) * 100;
	cfg->targets = 1 + below(r, LF_TARGETS);
	for (i = 0; i < LF_TARGETS; i++) {
		f->target[i].weight = 1 + below(r, 10);
		f->target[i].remote_port = (uint16_t)(80 + below(r, 2));
		f->target[i].is_head = false;
	}
	cfg->connections = 1 + below(r, 12);
	cfg->pipeline = 1 + below(r, 5);
	cfg->requests_per_connection = below(r, 3) == 0 ? 1 + below(r, 10) : 0;
	cfg->rate = below(r, 2) == 0 ? 0 : 100 + below(r, 50000);
	cfg->ramp_ns = some_ns(r, 20);
	cfg->warmup_ns = some_ns(r, 20);
	cfg->duration_ns = NS_PER_MS + some_ns(r, 30);
	cfg->requests_max = below(r, 3) == 0 ? 1 + below(r, 200) : 0;
	cfg->drain_ns = some_ns(r, 10);
	cfg->connect_timeout_ns = 1 + some_ns(r, 10);
	cfg->request_timeout_ns = 1 + some_ns(r, 10);
	cfg->interval_ns = NS_PER_MS + some_ns(r, 10);
	cfg->seed = below(r, 1000);
	f->server.send_room = below(r, 3) == 0 ? 1 + below(r, 60) : 0;
	f->server.on_request = on_request;
	f->server.on_connect = on_connect;
	f->server.test = r;
}

/* Over all phases as in the measured time. */
static void
check_series(const struct lf *f)
{
	const struct load_counts *c = &load_stats(f->load)->counts;
	struct load_counts all;

	lf_sum(f, &all);
	assert_true(all.requests >= all.responses + lf_request_errors(&all));
	assert_true(all.requests >= c->requests && all.responses >= c->responses);
	assert_true(all.connects >= all.connected + all.errors[LOAD_ERROR_CONNECT]);
	assert_true(all.planned >= c->planned);
	assert_true(all.header_bytes >= c->header_bytes && all.body_bytes >= c->body_bytes);
	assert_int_equal(all.connects + 0, all.connects);
	assert_true(f->server.requests >= all.responses);
}

static uint64_t
run(uint64_t seed)
{
	struct chance r = {.state = seed};
	struct lf *f = lf_new();
	uint64_t responses;

	choose(f, &r);
	lf_start(f);
	switch (below(&r, 8)) {
	case 0: /* Ctrl-C, perhaps twice */
		lf_run(f, below(&r, 30000) * NS_PER_US);
		load_stop(f->load, f->now_ns);
		lf_run(f, some_ns(&r, 5));
		if (below(&r, 2) == 0)
			load_stop(f->load, f->now_ns);
		break;
	case 1: /* and destroyed while it runs */
		lf_run(f, below(&r, 30000) * NS_PER_US);
		responses = load_stats(f->load)->counts.responses;
		lf_end(f);
		return responses;
	case 2: /* a late poll */
		lf_run(f, below(&r, 20000) * NS_PER_US);
		f->now_ns += below(&r, 20000) * NS_PER_US;
		break;
	default:
		break;
	}
	lf_run_to_end(f);
	check_series(f);
	responses = load_stats(f->load)->counts.responses;
	lf_end(f);
	return responses;
}

static uint64_t first_seed = 1, runs = RUNS;

TEST(test_random_servers_every_request_ends_once)
{
	uint64_t i, responses = 0;

	for (i = 0; i < runs; i++) {
		if (runs <= 10)
			print_message("seed %llu\n", (unsigned long long)(first_seed + i));
		responses += run(first_seed + i);
	}
	print_message("%llu runs from seed %llu, %llu responses\n", (unsigned long long)runs,
		(unsigned long long)first_seed, (unsigned long long)responses);
	assert_true(responses > runs);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {T(test_random_servers_every_request_ends_once)};

	if (argc > 1)
		first_seed = strtoull(argv[1], NULL, 10);
	if (argc > 2)
		runs = strtoull(argv[2], NULL, 10);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
