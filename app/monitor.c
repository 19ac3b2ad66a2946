/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "affinity.h"
#include "base_bytes.h"
#include "base_time.h"
#include "monitor.h"
#include "port.h"
#include "port_control.h"

#define TICK_NS (100 * NS_PER_MS)
#define FLAP_AFTER_NS NS_PER_SEC
#define METER_TICKS 5U /* a meter line every 0.5 s */
#define METER_LINE_MAX 160U

struct monitor {
	struct monitor_config cfg;
	pthread_t thread;
	atomic_bool stop;
	atomic_int signal;
	atomic_uint signals; /* how many */
	atomic_uint_fast64_t link_down_ns;
	uint64_t down_since_ns; /* the thread's own; 0: the link is up */
	uint64_t flap_at_ns; /* the thread's own: when flap_step comes next. 0: not known yet */
	uint32_t flap_step; /* 1: the link is taken down, 2: and up again */
	atomic_bool gone;
	atomic_bool watching;
	atomic_uint_fast64_t bytes, total, elapsed_ns;
	pthread_mutex_t drawing; /* guards what follows */
	struct progress_meter meter;
	bool meter_on, heading_drawn;
};

/* For the monitor's thread alone, which waits for the others, too: look at stop. */
static int
stop_signal(void)
{
	return SIGRTMIN;
}

void
monitor_signal_set(sigset_t *ret)
{
	static const int known[] = {SIGINT, SIGTERM, SIGHUP};
	struct sigaction now;
	size_t i;

	sigemptyset(ret);
	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		/* An ignored signal that is blocked would be queued all the same. */
		if (sigaction(known[i], NULL, &now) == 0 && now.sa_handler != SIG_IGN)
			sigaddset(ret, known[i]);
	}
}

void
monitor_block_signals(void)
{
	sigset_t set;

	monitor_signal_set(&set);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN); /* the write's EFBIG says it better */
}

static void
draw(struct monitor *m)
{
	char line[METER_LINE_MAX];
	struct progress p = {
		.bytes = atomic_load(&m->bytes),
		.total = atomic_load(&m->total),
		.elapsed_ns = atomic_load(&m->elapsed_ns),
	};

	if (!m->heading_drawn)
		fputs(progress_heading(), stderr);
	m->heading_drawn = true;
	fputs(progress_line(&m->meter, &p, line, sizeof(line)), stderr);
	fflush(stderr);
}

/* A line of its own, also in the middle of the meter's. */
static void
say_link(struct monitor *m, bool up, uint64_t down_ns)
{
	pthread_mutex_lock(&m->drawing);
	if (m->meter_on && m->heading_drawn)
		fputc('\n', stderr);
	if (up)
		message_warning(m->cfg.level, "the link of %s is up again after %.1f s", m->cfg.nic,
			(double)down_ns / 1e9);
	else
		message_warning(m->cfg.level,
			"the link of %s is down; waiting up to %.0f s for it (--link-timeout)",
			m->cfg.nic, (double)m->cfg.link_timeout_ns / 1e9);
	pthread_mutex_unlock(&m->drawing);
}

static void
watch_link(struct monitor *m)
{
	uint64_t now_ns = port_clock_ns();

	if (port_is_gone(m->cfg.port)) {
		atomic_store(&m->gone, true);
	} else if (port_link_up(m->cfg.port)) {
		if (m->down_since_ns != 0)
			say_link(m, true, now_ns - m->down_since_ns);
		m->down_since_ns = 0;
		atomic_store(&m->link_down_ns, 0);
	} else {
		if (m->down_since_ns == 0) {
			m->down_since_ns = now_ns;
			say_link(m, false, 0);
		}
		atomic_store(&m->link_down_ns, MAX_OF(now_ns - m->down_since_ns, UINT64_C(1)));
	}
}

/* Down after FLAP_AFTER_NS, and up again; what the port says to that is the link's watch to see. */
static void
flap_link(struct monitor *m)
{
	uint64_t now_ns = port_clock_ns();

	if (m->flap_at_ns == 0) {
		m->flap_at_ns = now_ns + FLAP_AFTER_NS;
		m->flap_step = 1;
	}
	if (m->flap_step > 2 || now_ns < m->flap_at_ns)
		return;
	(void)port_set_link_up(m->cfg.port, m->flap_step == 2);
	m->flap_at_ns = now_ns + m->cfg.flap_ns;
	m->flap_step++;
}

static void
tick(struct monitor *m, uint32_t ticks)
{
	if (atomic_load(&m->watching)) {
		if (m->cfg.flap_ns > 0)
			flap_link(m);
		watch_link(m);
	}
	if (!m->cfg.meter || ticks % METER_TICKS != 0)
		return;
	pthread_mutex_lock(&m->drawing);
	if (m->meter_on)
		draw(m);
	pthread_mutex_unlock(&m->drawing);
}

static void *
run(void *ctx)
{
	struct monitor *m = ctx;
	const struct timespec wait = {.tv_nsec = (long)TICK_NS};
	sigset_t set;
	uint32_t ticks = 0;
	int signo;

	monitor_signal_set(&set);
	sigaddset(&set, stop_signal());
	while (!atomic_load(&m->stop)) {
		signo = sigtimedwait(&set, NULL, &wait);
		if (signo <= 0) {
			tick(m, ++ticks);
		} else if (signo != stop_signal()) {
			atomic_store(&m->signal, signo);
			atomic_fetch_add(&m->signals, 1);
		}
	}
	return NULL;
}

/* With the stop signal blocked from the thread's first instruction on. */
static int
start_thread(struct monitor *m)
{
	sigset_t stop, before;
	int rc;

	sigemptyset(&stop);
	sigaddset(&stop, stop_signal());
	pthread_sigmask(SIG_BLOCK, &stop, &before);
	rc = pthread_create(&m->thread, NULL, run, m);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return rc;
}

int
monitor_start(const struct monitor_config *cfg, struct monitor **ret)
{
	struct monitor *m = calloc(1, sizeof(*m));
	int rc;

	if (m == NULL)
		return -ENOMEM;
	m->cfg = *cfg;
	pthread_mutex_init(&m->drawing, NULL);
	rc = start_thread(m);
	if (rc != 0) {
		free(m);
		return -rc;
	}
	affinity_keep_to(m->thread, cfg->others);
	*ret = m;
	return 0;
}

void
monitor_stop(struct monitor *m)
{
	if (m == NULL)
		return;
	atomic_store(&m->stop, true);
	pthread_kill(m->thread, stop_signal()); /* else it is a tick until it looks */
	pthread_join(m->thread, NULL);
	pthread_mutex_destroy(&m->drawing);
	free(m);
}

int
monitor_signal(const struct monitor *m)
{
	return atomic_load_explicit(&m->signal, memory_order_relaxed);
}

uint32_t
monitor_signals(const struct monitor *m)
{
	return atomic_load_explicit(&m->signals, memory_order_relaxed);
}

uint64_t
monitor_link_down_ns(const struct monitor *m)
{
	return atomic_load_explicit(&m->link_down_ns, memory_order_relaxed);
}

void
monitor_watch_link(struct monitor *m)
{
	atomic_store(&m->watching, true);
}

bool
monitor_port_gone(const struct monitor *m)
{
	return atomic_load_explicit(&m->gone, memory_order_relaxed);
}

void
monitor_progress(struct monitor *m, const struct progress *p)
{
	atomic_store_explicit(&m->bytes, p->bytes, memory_order_relaxed);
	atomic_store_explicit(&m->total, p->total, memory_order_relaxed);
	atomic_store_explicit(&m->elapsed_ns, p->elapsed_ns, memory_order_relaxed);
}

void
monitor_meter(struct monitor *m, bool on)
{
	if (!m->cfg.meter)
		return;
	pthread_mutex_lock(&m->drawing);
	if (m->meter_on && !on) {
		draw(m);
		fputc('\n', stderr);
	}
	if (on)
		m->meter = (struct progress_meter){0};
	m->meter_on = on;
	pthread_mutex_unlock(&m->drawing);
}
