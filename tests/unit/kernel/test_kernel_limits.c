/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <unistd.h>

#include <sys/resource.h>
#include <sys/socket.h>

#include "kernel_fixture.h"
#include "kernel_limits.h"

#define BUFFERS 4U
#define BUFFER_BYTES 4096U

static int
try_connect(struct kx *k, const struct kx_server *s, struct transport_conn **ret)
{
	return k->t.ops->connect(k->t.ctx, &s->address, s->port, NULL, kx_now(), ret);
}

static void
serve_drain(struct kx_server *s, int fd)
{
	kx_server_drain(s, fd);
}

TEST(test_kernel_more_connections_than_there_may_be_are_enobufs)
{
	struct transport_conn *c[3] = {NULL};
	struct kx_server s;
	struct kx k;

	kx_make(&k, 2, BUFFERS, BUFFER_BYTES);
	kx_server_start(&s, 4, 3, serve_drain, NULL);
	c[0] = kx_connect(&k, &s, NULL);
	c[1] = kx_establish(&k, &s);
	assert_int_equal(try_connect(&k, &s, &c[2]), -ENOBUFS);
	assert_null(c[2]);
	k.t.ops->release(k.t.ctx, c[0], false, kx_now());
	c[2] = kx_establish(&k, &s);
	k.t.ops->release(k.t.ctx, c[1], false, kx_now());
	k.t.ops->release(k.t.ctx, c[2], false, kx_now());
	kx_server_join(&s);
	kx_end(&k);
}

TEST(test_kernel_no_descriptor_left_is_emfile_and_costs_no_place)
{
	struct transport_conn *c = NULL;
	struct rlimit limit, none;
	struct kx_server s;
	struct kx k;
	uint32_t i;

	kx_make(&k, 1, BUFFERS, BUFFER_BYTES);
	kx_server_start(&s, 4, 1, serve_drain, NULL);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	none = limit;
	none.rlim_cur = 3;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	for (i = 0; i < 3; i++)
		assert_int_equal(try_connect(&k, &s, &c), -EMFILE);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	assert_null(c);
	c = kx_establish(&k, &s);
	k.t.ops->release(k.t.ctx, c, false, kx_now());
	kx_server_join(&s);
	kx_end(&k);
}

TEST(test_kernel_connect_that_fails_at_once_gives_its_errno)
{
	struct kx_server v6 = {.address = {.family = 6}, .port = 1};
	struct kernel_transport_config cfg;
	struct transport_conn *c = NULL;
	struct kx k;

	k.descriptors = kx_descriptors();
	kernel_transport_config_defaults(&cfg);
	cfg.buffers = 1;
	assert_int_equal(ip_address_parse("127.0.0.3", &cfg.local), 0);
	assert_int_equal(kernel_transport_create(&cfg, &k.kt), 0);
	k.t = kernel_transport_of(k.kt);
	assert_int_equal(try_connect(&k, &v6, &c), -EAFNOSUPPORT);
	assert_null(c);
	kx_end(&k);
}

#define CROWD 1000U
#define WORD 64U

/* Accepts all before it answers any. */
static void
serve_crowd(struct kx_server *s, int first)
{
	int fd[CROWD] = {first};
	uint8_t word[WORD];
	uint32_t i;

	for (i = 1; i < CROWD; i++)
		fd[i] = accept4(s->listen_fd, NULL, NULL, SOCK_CLOEXEC);
	for (i = 0; i < CROWD; i++) {
		if (fd[i] >= 0 && kx_server_receive(s, fd[i], word, WORD))
			kx_server_send(s, fd[i], word, WORD);
		if (i > 0)
			close(fd[i]);
	}
}

struct guest {
	struct transport_conn *conn;
	uint8_t word[WORD];
	uint32_t received;
	bool sent;
};

/* Moves one guest on. true: it has all its answer, and is gone. */
static bool
serve_guest(struct kx *k, struct guest *g)
{
	struct payload p;

	if (!g->sent && k->t.ops->established(g->conn)) {
		assert_int_equal(k->t.ops->send(k->t.ctx, g->conn, g->word, WORD), WORD);
		g->sent = true;
	}
	while (k->t.ops->recv(k->t.ctx, g->conn, &p, 1) == 1) {
		assert_true(g->received + p.len <= WORD);
		assert_memory_equal(p.data, g->word + g->received, p.len);
		g->received += p.len;
		k->t.release(k->t.release_ctx, p.owner);
	}
	if (g->received < WORD)
		return false;
	k->t.ops->release(k->t.ctx, g->conn, false, kx_now());
	return true;
}

TEST(test_kernel_a_thousand_connections_each_get_their_own_answer)
{
	static struct guest guest[CROWD];
	struct rlimit limit;
	struct kx_server s;
	uint32_t i, left;
	void *user;
	struct kx k;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = limit.rlim_max; /* both ends are this process's */
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	kx_make(&k, CROWD, BUFFERS, BUFFER_BYTES);
	kx_server_start(&s, 4, 1, serve_crowd, NULL);
	for (i = 0; i < CROWD; i++) {
		kx_pattern(i * 7919U, guest[i].word, WORD);
		guest[i].conn = kx_connect(&k, &s, &guest[i]);
	}
	for (left = CROWD; left > 0;) {
		kx_wait(&k);
		while (k.t.ops->event_next(k.t.ctx, &user) != NULL)
			left -= serve_guest(&k, user);
	}
	kx_server_join(&s);
	assert_int_equal(s.received, (uint64_t)CROWD * WORD);
	assert_int_equal(s.error, 0);
	kx_end(&k);
}

/* What create says to cfg. */
static int
create(const struct kernel_transport_config *cfg)
{
	struct kernel_transport *kt = NULL;
	int rc = kernel_transport_create(cfg, &kt);

	assert_true((rc == 0) == (kt != NULL));
	kernel_transport_destroy(kt);
	return rc;
}

TEST(test_kernel_create_out_of_range_is_einval)
{
	const struct kernel_transport_config good = {
		.connections_max = 1, .buffers = 1, .buffer_bytes = 1};
	struct kernel_transport_config cfg = good;

	assert_int_equal(create(&cfg), 0);
	cfg.connections_max = 0;
	assert_int_equal(create(&cfg), -EINVAL);
	cfg.connections_max = KERNEL_CONNECTIONS_MAX + 1;
	assert_int_equal(create(&cfg), -EINVAL);
	cfg = good;
	cfg.buffers = 0;
	assert_int_equal(create(&cfg), -EINVAL);
	cfg = good;
	cfg.buffer_bytes = 0;
	assert_int_equal(create(&cfg), -EINVAL);
	cfg.buffer_bytes = KERNEL_BUFFER_BYTES_MAX + 1;
	assert_int_equal(create(&cfg), -EINVAL);
	cfg = good;
	cfg.interface = "a-name-longer-than-any-interface-has";
	assert_int_equal(create(&cfg), -EINVAL);
}

TEST(test_kernel_create_with_what_no_socket_may_have_tells_so)
{
	struct kernel_transport_config cfg;
	uint32_t descriptors = kx_descriptors();

	kernel_transport_config_defaults(&cfg);
	cfg.buffers = 1;
	cfg.interface = "no-such-if";
	assert_int_equal(create(&cfg), -ENODEV);
	cfg.interface = NULL;
	assert_int_equal(ip_address_parse("192.0.2.77", &cfg.local), 0); /* RFC 5737: nobody's */
	assert_int_equal(create(&cfg), -EADDRNOTAVAIL);
	assert_int_equal(kx_descriptors(), descriptors);
}

TEST(test_kernel_socket_options_hold)
{
	struct kernel_transport_config cfg;
	struct transport_conn *c;
	struct ip_address local;
	struct tcp_info info;
	struct kx_server s;
	uint16_t port;
	struct kx k;

	k.descriptors = kx_descriptors();
	kernel_transport_config_defaults(&cfg);
	cfg.buffers = 1;
	cfg.receive_buffer_bytes = 8192;
	cfg.interface = "lo";
	assert_int_equal(ip_address_parse("127.0.0.3", &cfg.local), 0);
	assert_int_equal(kernel_transport_create(&cfg, &k.kt), 0);
	k.t = kernel_transport_of(k.kt);
	kx_server_start(&s, 4, 1, serve_drain, NULL);
	c = kx_establish(&k, &s);
	k.t.ops->local(c, &local, &port);
	assert_true(ip_address_equal(&local, &cfg.local));
	assert_true(port != 0);
	k.t.ops->info(c, &info);
	assert_true(info.window_scaling);
	assert_int_equal(info.rcv_wscale, 0); /* so small a buffer needs no scale */
	k.t.ops->release(k.t.ctx, c, false, kx_now());
	kx_server_join(&s);
	kx_end(&k);
}

TEST(test_kernel_busy_poll_is_taken_or_not_permitted)
{
	struct kernel_transport_config cfg;
	struct transport_conn *c;
	struct kx_server s;
	struct kx k;
	int rc;

	k.descriptors = kx_descriptors();
	kernel_transport_config_defaults(&cfg);
	cfg.busy_poll_us = 50;
	rc = kernel_transport_create(&cfg, &k.kt);
	assert_true(rc == 0 || rc == -EPERM);
	if (rc != 0)
		return;
	k.t = kernel_transport_of(k.kt);
	kx_server_start(&s, 4, 1, serve_drain, NULL);
	c = kx_establish(&k, &s);
	k.t.ops->release(k.t.ctx, c, false, kx_now());
	kx_server_join(&s);
	kx_end(&k);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_kernel_more_connections_than_there_may_be_are_enobufs),
		T(test_kernel_no_descriptor_left_is_emfile_and_costs_no_place),
		T(test_kernel_connect_that_fails_at_once_gives_its_errno),
		T(test_kernel_a_thousand_connections_each_get_their_own_answer),
		T(test_kernel_create_out_of_range_is_einval),
		T(test_kernel_create_with_what_no_socket_may_have_tells_so),
		T(test_kernel_socket_options_hold),
		T(test_kernel_busy_poll_is_taken_or_not_permitted),
	};

	return cmocka_run_group_tests_name("kernel_limits", tests, NULL, NULL);
}
