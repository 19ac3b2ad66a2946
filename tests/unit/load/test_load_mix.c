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
	assert_int_equal(load_mix_init(&a, target, 3, 7), 0);
	assert_int_equal(load_mix_init(&b, target, 3, 7), 0);
	for (i = 0; i < 100; i++)
		assert_int_equal(load_mix_target(&a, 0), load_mix_target(&b, 0));
	load_mix_free(&b);
	assert_int_equal(load_mix_init(&b, target, 3, 8), 0);
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

/* One connection for two endpoints: chance decides anew at each opening, so that all get theirs. */
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
	assert_in_range(count[0], 440, 560);
	assert_int_equal(count[0] + count[1], 1000);
	lf_end(f);

	f = lf_new(); /* and one that is dead does not stop it */
	f->target[1].remote_port = 8080;
	f->cfg.targets = 2;
	f->cfg.requests_per_connection = 1;
	f->cfg.duration_ns = 10 * NS_PER_SEC;
	f->cfg.seed = 3; /* the first one lives: else the load is unreachable */
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
		T(test_mix_few_connections_reach_all_endpoints),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
