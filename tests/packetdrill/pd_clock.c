/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base_bytes.h"
#include "base_time.h"
#include "pd.h"

/* Each look at the clock takes as long: packetdrill spins for the last microseconds of a wait. */
#define READ_NS NS_PER_US
/* What nothing happens within, never happens. */
#define PATIENCE_NS (3600 * NS_PER_SEC)
#define HANDOVER_SECONDS 2
#define RETURN_TRIES_MAX 50000U /* a second */

/* The other thread is on its way from its call to the clock: let it see this moment. */
static void
wait_for_reader(struct pd *p)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += HANDOVER_SECONDS;
	while (p->woken) {
		if (pthread_cond_timedwait(&p->changed, &p->lock, &until) != 0)
			p->woken = false; /* it ended instead */
	}
}

static bool
try_blocked(struct pd *p)
{
	struct pd_op *op = p->blocked;
	long result;

	if (op == NULL)
		return false;
	result = op->attempt(p, op);
	if (result == -EAGAIN && p->now_ns >= op->deadline_ns)
		result = op->on_deadline;
	if (result == -EAGAIN)
		return false;
	op->result = result;
	op->done = true;
	p->blocked = NULL;
	return true;
}

void
pd_clock_settle(struct pd *p)
{
	bool ended;

	pd_stack_run(p->stack, p->now_ns);
	pd_socket_update(p);
	ended = try_blocked(p);
	pd_stack_run(p->stack, p->now_ns);
	pd_socket_update(p);
	if (!ended)
		return;
	p->woken = true;
	pthread_cond_broadcast(&p->changed);
	wait_for_reader(p);
}

static uint64_t
next_event(const struct pd *p)
{
	uint64_t next_ns = pd_stack_deadline(p->stack);

	return p->blocked != NULL ? time_min(next_ns, p->blocked->deadline_ns) : next_ns;
}

void
pd_clock_advance(struct pd *p, uint64_t until_ns)
{
	uint64_t next_ns;

	pd_clock_settle(p);
	while ((next_ns = next_event(p)) <= until_ns) {
		/* What is due now and does nothing must not hold up the time. */
		p->now_ns = MAX_OF(next_ns, p->now_ns + 1);
		pd_clock_settle(p);
	}
	p->now_ns = MAX_OF(p->now_ns, until_ns);
}

bool
pd_clock_next(struct pd *p)
{
	uint64_t next_ns = next_event(p);

	if (next_ns == TIME_NEVER || next_ns > p->now_ns + PATIENCE_NS)
		return false;
	pd_clock_advance(p, MAX_OF(next_ns, p->now_ns));
	return true;
}

/* The script lets the main thread block: nobody else moves the time. */
static long
block_main(struct pd *p, struct pd_op *op)
{
	long result;

	while ((result = op->attempt(p, op)) == -EAGAIN) {
		if (p->now_ns >= op->deadline_ns)
			return op->on_deadline;
		if (op->deadline_ns != TIME_NEVER &&
			time_min(next_event(p), op->deadline_ns) == op->deadline_ns)
			pd_clock_advance(p, op->deadline_ns);
		else if (!pd_clock_next(p))
			return -EDEADLK; /* a real call would never return */
	}
	return result;
}

long
pd_clock_do(struct pd *p, struct pd_op *op, bool nonblock)
{
	long result;

	pd_clock_settle(p);
	result = op->attempt(p, op);
	pd_clock_settle(p);
	if (result != -EAGAIN || nonblock)
		return result;
	if (op->deadline_ns == 0)
		op->deadline_ns = TIME_NEVER;
	if (pthread_equal(pthread_self(), p->main_thread))
		return block_main(p, op);
	p->blocked = op;
	while (!op->done)
		pthread_cond_wait(&p->changed, &p->lock);
	return op->result;
}

static bool
asleep(pid_t thread)
{
	char path[64], text[512], *state;
	FILE *file;
	size_t len;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", (int)thread);
	file = fopen(path, "re");
	if (file == NULL)
		return true; /* it has ended */
	len = fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	text[len] = '\0';
	state = strrchr(text, ')'); /* "pid (name) state ..." */
	return state == NULL || state[2] == 'S';
}

void
pd_clock_let_return(struct pd *p)
{
	const struct timespec moment = {.tv_nsec = 20 * 1000};
	pid_t thread = p->returning;
	uint32_t tries;

	if (thread == 0 || !pthread_equal(pthread_self(), p->main_thread))
		return;
	pthread_mutex_unlock(&p->lock);
	for (tries = 0; tries < RETURN_TRIES_MAX && !asleep(thread); tries++)
		nanosleep(&moment, NULL);
	pthread_mutex_lock(&p->lock);
	p->returning = 0;
}

uint64_t
pd_clock_read(struct pd *p)
{
	if (p->woken && !pthread_equal(pthread_self(), p->main_thread)) {
		p->woken = false;
		p->returning = gettid();
		pthread_cond_broadcast(&p->changed);
		return p->now_ns;
	}
	p->now_ns += READ_NS;
	return p->now_ns;
}
