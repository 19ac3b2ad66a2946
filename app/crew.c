/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "affinity.h"
#include "base_bytes.h"
#include "crew.h"
#include "exit_code.h"
#include "host_priv.h"
#include "host_run.h"
#include "kernel_transport.h"

#define LINE 64U
#define LOOK_NS (100 * NS_PER_US) /* the kernel's stack, while there is no work */

struct member {
	struct host host;
	pthread_t thread;
	struct crew *crew;
	uint32_t works; /* done, or being done */
	int code; /* of its start */
	bool running;
} __attribute__((aligned(LINE)));

struct crew {
	uint32_t members;
	bool started; /* all of them */
	struct member *member;
	crew_work_fn work; /* NULL: the end. With ctx written before works */
	void *ctx;
	_Alignas(LINE) atomic_uint works; /* given out so far */
	_Alignas(LINE) atomic_uint done; /* members that have done the last one */
};

static void
copy_host(struct host *to, const struct host *h, uint32_t number)
{
	*to = (struct host){.settings = h->settings,
		.level = h->level,
		.capacity = h->capacity,
		.queues = h->queues,
		.all_cpus = h->all_cpus,
		.queue = (uint16_t)number,
		.core = h->cpu[number],
		.numa_node = h->numa_node};
	histogram_reset(&to->ack_delay);
	histogram_reset(&to->worker.iteration);
}

int
crew_create(struct host *h)
{
	struct crew *c = aligned_alloc(LINE, (sizeof(*c) + LINE - 1) / LINE * LINE);
	uint32_t members = h->queues - 1, i;

	if (c == NULL)
		return -ENOMEM;
	memset(c, 0, sizeof(*c));
	c->member = aligned_alloc(LINE, members * sizeof(*c->member));
	if (c->member == NULL) {
		free(c);
		return -ENOMEM;
	}
	memset(c->member, 0, members * sizeof(*c->member));
	c->members = members;
	for (i = 0; i < members; i++) {
		c->member[i].crew = c;
		copy_host(&c->member[i].host, h, i + 1);
	}
	h->crew = c;
	return 0;
}

struct host *
crew_worker(struct host *h, uint32_t number)
{
	return number == 0 ? h : &h->crew->member[number - 1].host;
}

/* ---- a member's thread ---- */

static int
start_stack(struct host *h)
{
	int rc;

	if (h->settings->stack == SETTINGS_STACK_KERNEL)
		return host_start_kernel(h);
	h->pin_error = affinity_pin(h->core);
	rc = port_thread_register();
	if (rc == 0)
		return host_start_netstack(h);
	message_error(&h->level, EXIT_CODE_INTERNAL, "DPDK does not take another thread: %s",
		strerror(-rc));
	return EXIT_CODE_INTERNAL;
}

static void
stop_stack(struct host *h)
{
	if (h->netstack != NULL)
		host_stop_netstack(h);
	if (h->kernel != NULL)
		kernel_transport_destroy(h->kernel);
	h->kernel = NULL;
	if (h->settings->stack == SETTINGS_STACK_DPDK)
		port_thread_unregister();
}

static bool
work_waits(void *ctx, uint64_t now_ns)
{
	const struct member *m = ctx;

	(void)now_ns;
	return atomic_load_explicit(&m->crew->works, memory_order_acquire) != m->works;
}

static uint64_t
soon(void *ctx)
{
	(void)ctx;
	return kernel_transport_clock_ns() + LOOK_NS;
}

static void
report_done(struct crew *c)
{
	atomic_fetch_add_explicit(&c->done, 1, memory_order_release);
}

static void *
member_main(void *ctx)
{
	struct member *m = ctx;
	struct crew *c = m->crew;

	m->code = start_stack(&m->host);
	if (m->code == 0 && !m->host.all_cpus)
		affinity_raise_priority();
	report_done(c);
	while (m->code == 0) {
		host_run(&m->host, work_waits, soon, m);
		m->works++;
		if (c->work == NULL)
			break;
		c->work(&m->host, c->ctx);
		report_done(c);
	}
	stop_stack(&m->host);
	return NULL;
}

/* ---- the first worker's thread ---- */

static bool
all_done(void *ctx, uint64_t now_ns)
{
	const struct crew *c = ctx;

	(void)now_ns;
	return atomic_load_explicit(&c->done, memory_order_acquire) == c->members;
}

static int
start_thread(struct member *m)
{
	int rc = pthread_create(&m->thread, NULL, member_main, m);

	m->running = rc == 0;
	if (rc == 0)
		return 0;
	message_error(&m->host.level, EXIT_CODE_OUT_OF_MEMORY,
		"a worker's thread could not be started: %s", strerror(rc));
	return EXIT_CODE_OUT_OF_MEMORY;
}

int
crew_start(struct host *h)
{
	struct crew *c = h->crew;
	uint32_t i;
	int code = 0;

	for (i = 0; i < c->members && code == 0; i++) {
		struct member *m = &c->member[i];

		m->host.port = h->port;
		m->host.monitor = h->monitor;
		m->host.steer = h->steer;
		m->host.exchange = h->exchange;
		m->host.capture = h->capture;
		code = start_thread(m);
	}
	if (code != 0)
		return code;
	host_run(h, all_done, soon, c);
	for (i = 0; i < c->members && code == 0; i++)
		code = c->member[i].code;
	c->started = code == 0;
	return code;
}

static void
give_out(struct crew *c, crew_work_fn work, void *ctx)
{
	c->work = work;
	c->ctx = ctx;
	atomic_store_explicit(&c->done, 0, memory_order_relaxed);
	atomic_fetch_add_explicit(&c->works, 1, memory_order_release);
}

void
crew_run(struct host *h, crew_work_fn work, void *ctx)
{
	if (h->crew == NULL || !h->crew->started) {
		work(h, ctx);
		return;
	}
	give_out(h->crew, work, ctx);
	work(h, ctx);
	host_run(h, all_done, soon, h->crew);
}

void
crew_dismiss(struct host *h)
{
	if (h->crew != NULL)
		give_out(h->crew, NULL, NULL);
}

void
crew_destroy(struct host *h)
{
	struct crew *c = h->crew;
	uint32_t i;

	if (c == NULL)
		return;
	for (i = 0; i < c->members; i++) {
		if (c->member[i].running)
			pthread_join(c->member[i].thread, NULL);
	}
	free(c->member);
	free(c);
	h->crew = NULL;
}
