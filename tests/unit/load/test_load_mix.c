/* SPDX-License-Identifier: BSD-3-Clause */
#include "load_fixture.h"
#include "load_priv.h"

/* Which target a request goes to, and which endpoint a connection. */

static void
count_path(struct server *s, struct server_conn *c, uint32_t number, const char *head)
{
	uint32_t *count = s->test;

	(void)number;
	count[head[5] - 'a']++;
	server_say(c, s->response_ns, SERVER_OK);
}

TEST(test_mix_requests_follow_the_weights)
{
	static const uint32_t weight[LF_TARGETS] = {1, 2, 3, 994};
	struct lf *f = lf_new();
	uint32_t count[LF_TARGETS] = {0}, i;
	double chi = 0;

	for (i = 0; i < LF_TARGETS; i++)
		f->target[i].weight = weight[i];
	f->cfg.targets = LF_TARGETS;
	f->cfg.connections = 10;
	f->cfg.pipeline = 4;
	f->cfg.requests_max = 100000;
	f->cfg.duration_ns = TIME_NEVER;
	f->cfg.seed = 1;
	f->server.test = count;
	f->server.on_request = count_path;
	lf_run_all(f);
	for (i = 0; i < LF_TARGETS; i++) {
		double expected = 100000.0 * weight[i] / 1000.0, off = count[i] - expected;

		chi += off * off / expected;
	}
	assert_true(chi < 16.27); /* 3 degrees of freedom, 99.9 % */
	lf_end(f);
}

TEST(test_mix_seed_decides)
{
	struct load_target target[3];
	struct load_mix a, b;
	uint32_t i, differ = 0;

	for (i = 0; i < 3; i++)
		target[i] = (struct load_target){.remote.family = 4, .weight = 1};
	assert_int_equal(load_mix_init(&a, target, 3, 1, 0, 7), 0);
	assert_int_equal(load_mix_init(&b, target, 3, 1, 0, 7), 0);
	for (i = 0; i < 100; i++)
		assert_int_equal(load_mix_target(&a, 0), load_mix_target(&b, 0));
	load_mix_free(&b);
	assert_int_equal(load_mix_init(&b, target, 3, 1, 0, 8), 0);
	for (i = 0; i < 100; i++)
		differ += load_mix_target(&a, 0) != load_mix_target(&b, 0);
	assert_in_range(differ, 40, 90);
	load_mix_free(&a);
	load_mix_free(&b);
}

/* /a and /c at one endpoint with 3 of 4 parts of the weight; /b by its port, /d by its address. */
static void
spread(struct lf *f)
{
	f->target[0].weight = 2;
	f->target[2].weight = 4;
	f->target[1].remote_port = 8080;
	f->target[3].remote.v4++;
	f->cfg.targets = LF_TARGETS;
}

static void
count_endpoints(const struct lf *f, uint32_t count[3])
{
	const struct server_conn *c;

	memset(count, 0, 3 * sizeof(*count));
	for (c = f->server.conns; c != NULL; c = c->next)
		if (!c->released)
			count[c->remote.v4 != 0xc6120001 ? 2 : c->remote_port == 8080]++;
}

static void
check_path_endpoint(struct server *s, struct server_conn *c, uint32_t number, const char *head)
{
	char path = head[5];

	assert_int_equal(path == 'd', c->remote.v4 != 0xc6120001);
	assert_int_equal(path == 'b', c->remote_port == 8080);
	if (path == 'd' && number % 7 == 6)
		server_fin(c, s->response_ns);
	else
		count_path(s, c, number, head);
}

/* One endpoint closes again and again: the shares do not drift. */
TEST(test_mix_connections_follow_the_weights)
{
	struct lf *f = lf_new();
	uint32_t count[LF_TARGETS] = {0}, at[3], i;

	spread(f);
	f->cfg.connections = 80;
	f->server.test = count;
	f->server.on_request = check_path_endpoint;
	lf_start(f);
	for (i = 0; i < 50; i++) {
		lf_run(f, 10 * NS_PER_MS);
		count_endpoints(f, at);
		assert_int_equal(at[0], 60);
		assert_int_equal(at[1], 10);
		assert_int_equal(at[2], 10);
	}
	lf_run_to_end(f);
	assert_in_range(2000.0 * count[2] / count[0], 3800, 4200);
	assert_true(load_stats(f->load)->counts.disconnects > 1000);
	lf_end(f);
}

TEST(test_mix_open_loop_requests_follow_the_weights)
{
	struct lf *f = lf_new();
	uint32_t count[LF_TARGETS] = {0};

	spread(f);
	f->cfg.connections = 80;
	f->cfg.rate = 10000;
	f->server.test = count;
	f->server.on_request = check_path_endpoint;
	lf_run_all(f);
	assert_in_range(count[0] + count[2], 7450, 7550);
	assert_in_range(count[1], 1225, 1275);
	lf_end(f);
}

static int
refuse_8080(struct server *s, struct server_conn *c)
{
	if (c->remote_port == 8080) {
		c->quiet = true;
		server_refuse(c, s->connect_ns, -ECONNREFUSED);
	}
	return 0;
}

/* Servers on ports 1, 2, ...; as many as there are weights before a 0. Returns how many. */
static uint32_t
servers(const uint32_t *weight, struct load_target *target)
{
	uint32_t n;

	for (n = 0; weight[n] > 0; n++)
		target[n] = (struct load_target){.remote = {.family = 4, .v4 = 1},
			.remote_port = (uint16_t)(n + 1),
			.weight = weight[n]};
	return n;
}

#define SERVERS_MAX 6U

/* What all loads' connections come to, one load after the other. */
static void
join_all(const struct load_target *target, uint32_t n, uint32_t connections, uint32_t shares,
	uint32_t ret_count[SERVERS_MAX])
{
	struct load_mix m;
	uint32_t share, i;

	memset(ret_count, 0, SERVERS_MAX * sizeof(*ret_count));
	for (share = 0; share < shares; share++) {
		uint32_t count = connections / shares + (share < connections % shares);

		assert_int_equal(load_mix_init(&m, target, n, count, share, share), 0);
		for (i = 0; i < count; i++)
			ret_count[load_mix_join(&m)]++;
		load_mix_free(&m);
	}
}

static const struct {
	uint32_t weight[SERVERS_MAX], connections, shares, count[SERVERS_MAX];
	uint64_t wanted; /* 0: even enough */
} starts[] = {
	{{9, 1}, 10, 1, {9, 1}, 0},
	{{99, 1}, 10, 1, {10, 0}, 100},
	{{99, 1}, 100, 1, {99, 1}, 0},
	{{1, 1}, 1, 1, {1, 0}, 2},
	{{1, 1}, 3, 1, {2, 1}, 4},
	{{1, 1}, 15, 1, {8, 7}, 0},
	{{5, 3, 3}, 10, 1, {4, 3, 3}, 11}, /* 4.55, 2.73, 2.73 */
	{{40, 35, 25}, 1, 1, {1, 0, 0}, 20},
	{{8, 8, 4}, 12, 1, {5, 5, 2}, 15}, /* 4.8, 4.8, 2.4 */
	{{1000003, 999983}, 1, 1, {1, 0}, 21}, /* and not 1,999,986 */
	{{9, 1}, 10, 2, {9, 1}, 0}, /* 4.5 and 0.5, twice */
	{{9, 1}, 10, 3, {9, 1}, 0}, /* 3.6 and 0.4, 2.7 and 0.3 twice */
	{{3, 1}, 4, 4, {3, 1}, 0},
	{{1, 1, 1}, 3, 3, {1, 1, 1}, 0},
	{{99, 1}, 20, 4, {20, 0}, 400},
	{{4}, 7, 2, {7}, 0},
};

TEST(test_mix_connections_are_divided_by_largest_remainders)
{
	struct load_target target[SERVERS_MAX];
	uint32_t count[SERVERS_MAX], i;

	for (i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
		join_all(target, servers(starts[i].weight, target), starts[i].connections,
			starts[i].shares, count);
		assert_memory_equal(count, starts[i].count, sizeof(count));
	}
}

TEST(test_mix_that_connections_cannot_follow_is_told)
{
	struct load_target target[SERVERS_MAX];
	struct load_unevenness u;
	uint32_t n, i;

	for (i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
		n = servers(starts[i].weight, target);
		u.wanted = 0;
		assert_int_equal(
			load_is_uneven(target, n, starts[i].connections, starts[i].shares, &u),
			starts[i].wanted > 0);
		assert_int_equal(u.wanted, starts[i].wanted);
		if (u.wanted == 0)
			continue;
		assert_int_equal(u.connections, starts[i].count[u.target]);
		assert_false(load_is_uneven(target, n, (uint32_t)u.wanted, starts[i].shares, &u));
	}
	n = servers((const uint32_t[]){1, 99, 0}, target);
	assert_true(load_is_uneven(target, n, 10, 1, &u));
	assert_int_equal(u.target, 0);
	assert_int_equal(u.connections, 0);
	assert_true(u.share > 0.099 && u.share < 0.101);
	target[1].remote_port = target[0].remote_port; /* all weights hold at one server */
	assert_false(load_is_uneven(target, n, 1, 1, &u));
}

/* The one that is left over goes round by the fractions, however long it takes. */
TEST(test_mix_connections_opened_again_take_turns)
{
	struct load_target target[SERVERS_MAX];
	uint32_t n = servers((const uint32_t[]){990, 9, 1, 0}, target), count[3] = {0}, i, e;
	struct load_mix m;

	assert_int_equal(load_mix_init(&m, target, n, 1, 0, 1), 0);
	for (i = 1; i <= 10000; i++) {
		e = load_mix_join(&m);
		count[e]++;
		load_mix_leave(&m, e);
		if (i % 1000 == 0) {
			assert_int_equal(count[0], i / 1000 * 990);
			assert_int_equal(count[1], i / 1000 * 9);
			assert_int_equal(count[2], i / 1000);
		}
	}
	load_mix_free(&m);
}

/* In a ramp no endpoint fills up before the others. */
TEST(test_mix_connections_fill_endpoints_evenly)
{
	struct load_target target[SERVERS_MAX];
	uint32_t n = servers((const uint32_t[]){3, 1, 0}, target), count[2] = {0}, i;
	struct load_mix m;

	assert_int_equal(load_mix_init(&m, target, n, 400, 0, 1), 0);
	for (i = 0; i < 400; i++) {
		count[load_mix_join(&m)]++;
		assert_in_range(count[1], i / 4, i / 4 + 1);
	}
	load_mix_free(&m);
}

/* One connection for two endpoints: they take turns at each opening, so that all get theirs. */
TEST(test_mix_few_connections_reach_all_endpoints)
{
	struct lf *f = lf_new();
	uint32_t count[LF_TARGETS] = {0};
	const struct load_stats *s;

	f->target[1].remote_port = 8080;
	f->cfg.targets = 2;
	f->cfg.requests_per_connection = 1;
	f->cfg.requests_max = 1000;
	f->cfg.duration_ns = TIME_NEVER;
	f->server.test = count;
	f->server.on_request = count_path;
	lf_run_all(f);
	assert_int_equal(count[0], 500);
	assert_int_equal(count[1], 500);
	lf_end(f);

	f = lf_new(); /* and one that is dead does not stop it, where the first lives */
	f->target[1].remote_port = 8080;
	f->cfg.targets = 2;
	f->cfg.requests_per_connection = 1;
	f->cfg.duration_ns = 10 * NS_PER_SEC;
	f->server.on_connect = refuse_8080;
	s = lf_run_all(f);
	assert_true(s->counts.responses > 20);
	assert_true(s->counts.errors[LOAD_ERROR_CONNECT] > 20);
	lf_end(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_mix_requests_follow_the_weights),
		T(test_mix_seed_decides),
		T(test_mix_connections_follow_the_weights),
		T(test_mix_open_loop_requests_follow_the_weights),
		T(test_mix_connections_are_divided_by_largest_remainders),
		T(test_mix_that_connections_cannot_follow_is_told),
		T(test_mix_connections_opened_again_take_turns),
		T(test_mix_connections_fill_endpoints_evenly),
		T(test_mix_few_connections_reach_all_endpoints),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
