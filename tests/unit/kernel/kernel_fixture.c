/* SPDX-License-Identifier: BSD-3-Clause */
#include <arpa/inet.h>
#include <dirent.h>
#include <netinet/in.h>
#include <unistd.h>

#include <sys/socket.h>

#include "base_bytes.h"
#include "kernel_fixture.h"

#define PERIOD 65521U /* a prime: no buffer's size divides it */
#define BACKLOG 4096

static uint8_t
pattern_byte(uint32_t at)
{
	return (uint8_t)((at * 2654435761U) >> 24);
}

void
kx_pattern(uint64_t offset, void *ret, size_t len)
{
	uint8_t *out = ret;
	uint32_t at = (uint32_t)(offset % PERIOD);
	size_t i;

	for (i = 0; i < len; i++) {
		out[i] = pattern_byte(at);
		at = at + 1 == PERIOD ? 0 : at + 1;
	}
}

bool
kx_is_pattern(uint64_t offset, const void *data, size_t len)
{
	const uint8_t *in = data;
	uint32_t at = (uint32_t)(offset % PERIOD);
	size_t i;

	for (i = 0; i < len; i++) {
		if (in[i] != pattern_byte(at))
			return false;
		at = at + 1 == PERIOD ? 0 : at + 1;
	}
	return true;
}

uint32_t
kx_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	uint32_t n = 0;

	assert_non_null(dir);
	while (readdir(dir) != NULL)
		n++;
	closedir(dir);
	return n;
}

uint64_t
kx_now(void)
{
	return kernel_transport_clock_ns();
}

static void *
server_main(void *arg)
{
	struct kx_server *s = arg;
	uint32_t i;

	for (i = 0; i < s->connections; i++) {
		int fd = accept4(s->listen_fd, NULL, NULL, SOCK_CLOEXEC);

		if (fd < 0) {
			s->error = errno;
			break;
		}
		s->serve(s, fd);
		close(fd);
	}
	return NULL;
}

static void
bind_to_loopback(struct kx_server *s, uint8_t family)
{
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	struct sockaddr_in v4 = {.sin_family = AF_INET};
	socklen_t len = family == 4 ? sizeof(v4) : sizeof(v6);
	struct sockaddr *any = family == 4 ? (struct sockaddr *)&v4 : (struct sockaddr *)&v6;

	v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	s->listen_fd = socket(any->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(s->listen_fd >= 0);
	assert_int_equal(bind(s->listen_fd, any, len), 0);
	assert_int_equal(getsockname(s->listen_fd, any, &len), 0);
	s->port = ntohs(family == 4 ? v4.sin_port : v6.sin6_port);
	if (family == 4) {
		s->address = ip_address_of_v4(INADDR_LOOPBACK);
	} else {
		s->address.family = 6;
		memcpy(&s->address.v6, &v6.sin6_addr, sizeof(s->address.v6));
	}
}

void
kx_server_start(struct kx_server *s, uint8_t family, uint32_t connections,
	void (*serve)(struct kx_server *s, int fd), void *serve_ctx)
{
	*s = (struct kx_server){.connections = connections, .serve = serve, .serve_ctx = serve_ctx};
	bind_to_loopback(s, family);
	assert_int_equal(listen(s->listen_fd, BACKLOG), 0);
	assert_int_equal(pthread_create(&s->thread, NULL, server_main, s), 0);
}

void
kx_server_join(struct kx_server *s)
{
	assert_int_equal(pthread_join(s->thread, NULL), 0);
	close(s->listen_fd);
}

bool
kx_server_send(struct kx_server *s, int fd, const void *data, size_t len)
{
	const uint8_t *at = data;
	ssize_t n;

	while (len > 0) {
		n = send(fd, at, len, MSG_NOSIGNAL);
		if (n < 0) {
			s->error = errno;
			return false;
		}
		at += n;
		len -= (size_t)n;
	}
	return true;
}

bool
kx_server_receive(struct kx_server *s, int fd, void *ret, size_t len)
{
	uint8_t *at = ret;
	ssize_t n;

	while (len > 0) {
		n = recv(fd, at, len, 0);
		if (n <= 0) {
			s->error = n < 0 ? errno : s->error;
			return false;
		}
		s->received += (uint64_t)n;
		at += n;
		len -= (size_t)n;
	}
	return true;
}

void
kx_server_drain(struct kx_server *s, int fd)
{
	uint8_t some[65536];
	ssize_t n;

	while ((n = recv(fd, some, sizeof(some), 0)) > 0)
		s->received += (uint64_t)n;
	if (n < 0)
		s->error = errno;
}

void
kx_server_reset(int fd)
{
	const struct linger at_once = {.l_onoff = 1, .l_linger = 0};

	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
}

void
kx_make(struct kx *k, uint32_t connections, uint32_t buffers, uint32_t buffer_bytes)
{
	struct kernel_transport_config cfg;

	k->descriptors = kx_descriptors();
	kernel_transport_config_defaults(&cfg);
	cfg.connections_max = connections;
	cfg.buffers = buffers;
	cfg.buffer_bytes = buffer_bytes;
	assert_int_equal(kernel_transport_create(&cfg, &k->kt), 0);
	k->t = kernel_transport_of(k->kt);
}

void
kx_end(struct kx *k)
{
	assert_int_equal(kernel_transport_buffers_out(k->kt), 0);
	assert_int_equal(kx_descriptors(), k->descriptors + 1);
	kernel_transport_destroy(k->kt);
	assert_int_equal(kx_descriptors(), k->descriptors);
}

struct transport_conn *
kx_connect(struct kx *k, const struct kx_server *s, void *user)
{
	struct transport_conn *c = NULL;

	assert_int_equal(k->t.ops->connect(k->t.ctx, &s->address, s->port, user, kx_now(), &c), 0);
	assert_non_null(c);
	return c;
}

struct transport_conn *
kx_establish(struct kx *k, const struct kx_server *s)
{
	struct transport_conn *c = kx_connect(k, s, NULL);

	kx_wait_until(k, k->t.ops->established, c);
	return c;
}

void
kx_wait(struct kx *k)
{
	assert_true(kernel_transport_wait(k->kt, KX_PATIENCE_NS) > 0);
}

void
kx_wait_until(
	struct kx *k, bool (*is)(const struct transport_conn *c), const struct transport_conn *c)
{
	while (!is(c))
		kx_wait(k);
}

void
kx_send(struct kx *k, struct transport_conn *c, const void *data, uint32_t len)
{
	const uint8_t *at = data;
	uint32_t n;

	while (len > 0) {
		n = k->t.ops->send(k->t.ctx, c, at, len);
		at += n;
		len -= n;
		if (n == 0)
			kx_wait(k);
	}
}

uint32_t
kx_take(struct kx *k, struct transport_conn *c, uint64_t offset)
{
	struct payload p;

	if (k->t.ops->recv(k->t.ctx, c, &p, 1) == 0)
		return 0;
	assert_true(p.len > 0);
	assert_true(kx_is_pattern(offset, p.data, p.len));
	k->t.ops->consumed(k->t.ctx, c, p.len, 1);
	k->t.release(k->t.release_ctx, p.owner);
	return p.len;
}

void
kx_take_pattern_from(struct kx *k, struct transport_conn *c, uint64_t at, uint64_t end)
{
	uint32_t n;

	while (at < end) {
		n = kx_take(k, c, at);
		at += n;
		if (n == 0)
			kx_wait(k);
	}
	assert_int_equal(at, end);
}

void
kx_take_pattern(struct kx *k, struct transport_conn *c, uint64_t len)
{
	kx_take_pattern_from(k, c, 0, len);
}
