/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sys/ioctl.h>

#include "base_bytes.h"
#include "base_time.h"
#include "kernel_priv.h"

#define BUSY_POLL_PACKETS 8U /* the kernel's BUSY_POLL_BUDGET */

/* linux/eventpoll.h since 6.9. */
struct busy_poll_params {
	uint32_t usecs;
	uint16_t budget;
	uint8_t prefer;
	uint8_t pad;
};
#define SET_BUSY_POLL_PARAMS _IOW(0x8A, 0x01, struct busy_poll_params) /* EPIOCSPARAMS */

void
kernel_transport_config_defaults(struct kernel_transport_config *ret)
{
	*ret = (struct kernel_transport_config){
		.connections_max = 1024,
		.buffer_bytes = 256U << 10,
		.buffers = 64,
	};
}

static bool
in_range(const struct kernel_transport_config *cfg)
{
	return cfg->connections_max >= 1 && cfg->connections_max <= KERNEL_CONNECTIONS_MAX &&
	       cfg->buffer_bytes >= 1 && cfg->buffer_bytes <= KERNEL_BUFFER_BYTES_MAX &&
	       cfg->buffers >= 1 && cfg->buffers <= KERNEL_BUFFERS_MAX &&
	       cfg->receive_buffer_bytes <= INT32_MAX && cfg->busy_poll_us <= INT32_MAX &&
	       (cfg->interface == NULL || strlen(cfg->interface) < IFNAMSIZ);
}

/* Trying the options once tells now what would fail with every connection. */
static int
make_options(const struct kernel_transport_config *cfg, struct kernel_socket_options *ret)
{
	int fd;

	ret->receive_buffer_bytes = cfg->receive_buffer_bytes;
	ret->busy_poll_us = cfg->busy_poll_us;
	ret->local = cfg->local;
	if (cfg->interface != NULL) {
		(void)snprintf(ret->interface, IFNAMSIZ, "%s", cfg->interface);
		ret->interface_index = if_nametoindex(cfg->interface);
		if (ret->interface_index == 0)
			return -ENODEV;
	}
	fd = kernel_socket_open(ret, cfg->local.family == 6 ? 6 : 4);
	if (fd < 0)
		return fd;
	(void)close(fd);
	return 0;
}

static int
make_epoll(struct kernel_transport *kt)
{
	const struct busy_poll_params params = {
		.usecs = kt->options.busy_poll_us, .budget = BUSY_POLL_PACKETS};

	kt->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (kt->epoll_fd < 0)
		return -errno;
	/* An older kernel goes by net.core.busy_poll instead. */
	if (params.usecs > 0 && ioctl(kt->epoll_fd, SET_BUSY_POLL_PARAMS, &params) != 0 &&
		errno != ENOTTY && errno != EINVAL)
		return -errno;
	return 0;
}

static int
make_tables(struct kernel_transport *kt, const struct kernel_transport_config *cfg)
{
	uint32_t i;

	kt->connections_max = cfg->connections_max;
	kt->events_max = MIN_OF(cfg->connections_max, KERNEL_EVENTS_MAX);
	kt->conn = calloc(kt->connections_max, sizeof(*kt->conn));
	kt->event = calloc(kt->events_max, sizeof(*kt->event));
	if (kt->conn == NULL || kt->event == NULL)
		return -ENOMEM;
	TAILQ_INIT(&kt->free);
	TAILQ_INIT(&kt->events);
	TAILQ_INIT(&kt->spent);
	TAILQ_INIT(&kt->starved);
	for (i = 0; i < kt->connections_max; i++) {
		kt->conn[i].fd = -1;
		TAILQ_INSERT_TAIL(&kt->free, &kt->conn[i], link);
	}
	return kernel_pool_init(&kt->pool, cfg->buffers, cfg->buffer_bytes);
}

int
kernel_transport_create(const struct kernel_transport_config *cfg, struct kernel_transport **ret)
{
	struct kernel_transport *kt;
	int rc;

	if (!in_range(cfg))
		return -EINVAL;
	kt = calloc(1, sizeof(*kt));
	if (kt == NULL)
		return -ENOMEM;
	kt->epoll_fd = -1;
	rc = make_options(cfg, &kt->options);
	if (rc == 0)
		rc = make_epoll(kt);
	if (rc == 0)
		rc = make_tables(kt, cfg);
	if (rc != 0) {
		kernel_transport_destroy(kt);
		return rc;
	}
	*ret = kt;
	return 0;
}

void
kernel_transport_destroy(struct kernel_transport *kt)
{
	uint32_t i;

	if (kt == NULL)
		return;
	for (i = 0; kt->conn != NULL && i < kt->connections_max; i++)
		if (kt->conn[i].fd >= 0)
			kernel_socket_close(kt->conn[i].fd, true);
	if (kt->epoll_fd >= 0)
		(void)close(kt->epoll_fd);
	kernel_pool_fini(&kt->pool);
	free(kt->conn);
	free(kt->event);
	free(kt);
}

static void
give_buffer(void *ctx, void *owner)
{
	struct kernel_transport *kt = ctx;

	kernel_pool_give(&kt->pool, owner);
}

struct transport
kernel_transport_of(struct kernel_transport *kt)
{
	return (struct transport){
		.ops = &kernel_conn_ops,
		.ctx = kt,
		.release = give_buffer,
		.release_ctx = kt,
	};
}

void
kernel_transport_queue_event(struct kernel_transport *kt, struct transport_conn *c)
{
	if (c->queued)
		return;
	c->queued = true;
	TAILQ_INSERT_TAIL(&kt->events, c, link);
}

static int
wait_for_events(struct kernel_transport *kt, uint64_t timeout_ns)
{
	const struct timespec timeout = {
		.tv_sec = (time_t)(timeout_ns / NS_PER_SEC),
		.tv_nsec = (long)(timeout_ns % NS_PER_SEC),
	};

	if (timeout_ns == 0)
		return epoll_wait(kt->epoll_fd, kt->event, (int)kt->events_max, 0);
	return epoll_pwait2(kt->epoll_fd, kt->event, (int)kt->events_max,
		timeout_ns == TIME_NEVER ? NULL : &timeout, NULL);
}

int
kernel_transport_wait(struct kernel_transport *kt, uint64_t timeout_ns)
{
	int woken = (int)kernel_turn_begin(kt), n, i;
	uint64_t now_ns;

	n = wait_for_events(kt, woken > 0 ? 0 : timeout_ns);
	if (n < 0)
		return woken > 0 ? woken : -errno;
	now_ns = n > 0 ? kernel_transport_clock_ns() : 0;
	for (i = 0; i < n; i++) {
		struct transport_conn *c = kt->event[i].data.ptr;

		kernel_conn_on_event(c, kt->event[i].events, now_ns);
		kernel_transport_queue_event(kt, c);
	}
	return woken + n;
}

uint32_t
kernel_transport_buffers_out(const struct kernel_transport *kt)
{
	return kt->pool.count - kt->pool.free_count;
}

uint64_t
kernel_transport_clock_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NS_PER_SEC + (uint64_t)now.tv_nsec;
}
