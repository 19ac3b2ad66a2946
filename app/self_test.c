/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>

#include "base_bytes.h"
#include "crew.h"
#include "host_run.h"
#include "self_test.h"

#define SELF_TEST_WAIT_NS (2 * NS_PER_SEC)
/* One would arrive on the right one of two queues by chance every second time. */
#define CONNECTIONS 4U

struct self_test {
	struct ip_address remote;
	uint16_t port;
	enum self_test_result *result;
};

/* One worker's part. */
struct attempt {
	const struct self_test *test;
	struct netstack *netstack;
	const struct monitor *monitor;
	struct netstack_conn *conn[CONNECTIONS];
	uint32_t connections; /* made so far */
	bool failed;
	uint64_t until_ns;
};

const char *
self_test_result_name(enum self_test_result result)
{
	switch (result) {
	case SELF_TEST_NOT_RUN:
		return "not run";
	case SELF_TEST_OWN_QUEUE:
		return "own queue";
	case SELF_TEST_OTHER_QUEUE:
		return "other queue";
	case SELF_TEST_NO_ANSWER:
		return "no answer";
	}
	return "?";
}

static bool
is_answered(const struct netstack_conn *nc)
{
	struct tcp_info info;

	tcp_conn_info(netstack_conn_look(nc), &info);
	return info.answered;
}

/* One that a filter's ICMP has ended will have no answer, and arrived nowhere that says something. */
static bool
is_settled(const struct netstack_conn *nc)
{
	return is_answered(nc) || tcp_conn_state(netstack_conn_look(nc)) == TCP_CLOSED;
}

/* Once there is a way: addresses may still be being tested, or routers asked. */
static void
connect_all(struct attempt *a, uint64_t now_ns)
{
	int rc = 0;

	while (a->connections < CONNECTIONS && rc == 0) {
		rc = netstack_connect(a->netstack, &a->test->remote, a->test->port, NULL, now_ns,
			&a->conn[a->connections]);
		if (rc == 0)
			a->connections++;
	}
	a->failed = rc != 0 && rc != -EINPROGRESS;
}

static bool
is_over(void *ctx, uint64_t now_ns)
{
	struct attempt *a = ctx;
	uint32_t i;

	if (a->connections < CONNECTIONS)
		connect_all(a, now_ns);
	if (a->failed || now_ns >= a->until_ns || monitor_signal(a->monitor) != 0)
		return true;
	for (i = 0; i < a->connections; i++) {
		if (!is_settled(a->conn[i]))
			return false;
	}
	return a->connections == CONNECTIONS;
}

static void
test_worker(struct host *h, void *ctx)
{
	const struct self_test *t = ctx;
	struct attempt a = {.test = t,
		.netstack = h->netstack,
		.monitor = h->monitor,
		.until_ns = port_clock_ns() + SELF_TEST_WAIT_NS};
	uint64_t handed_over = h->counters.value[COUNTER_HANDED_OVER];
	uint32_t i, answered = 0;

	worker_run(&h->worker, is_over, &a);
	for (i = 0; i < a.connections; i++) {
		answered += is_answered(a.conn[i]);
		netstack_release_conn(h->netstack, a.conn[i], port_clock_ns());
	}
	if (h->counters.value[COUNTER_HANDED_OVER] > handed_over)
		t->result[h->queue] = SELF_TEST_OTHER_QUEUE;
	else
		t->result[h->queue] =
			answered == CONNECTIONS ? SELF_TEST_OWN_QUEUE : SELF_TEST_NO_ANSWER;
}

void
self_test_run(
	struct host *h, const struct ip_address *remote, uint16_t port, enum self_test_result *ret)
{
	struct self_test t = {.remote = *remote, .port = port, .result = ret};

	crew_run(h, test_worker, &t);
}

void
self_test_tell(const struct host *h, const enum self_test_result *result)
{
	uint32_t i, of[SELF_TEST_NO_ANSWER + 1] = {0};

	for (i = 0; i < h->queues; i++)
		of[result[i]]++;
	if (of[SELF_TEST_OTHER_QUEUE] > 0)
		message_warning(&h->level,
			"self-test: answers to %u of %u workers arrive on another worker's queue: "
			"%s; they are handed over in software, which costs both of them time",
			of[SELF_TEST_OTHER_QUEUE], h->queues,
			h->steering == PORT_STEERING_UNKNOWN
				? "how this port spreads frames is not known"
				: "this port does not spread frames as it says");
	else if (of[SELF_TEST_NO_ANSWER] > 0)
		message_warning(&h->level,
			"self-test: %u of %u workers got no answer, so that it is not known "
			"whether each would get its own",
			of[SELF_TEST_NO_ANSWER], h->queues);
	else
		message_detail(&h->level,
			"self-test: each of the %u workers gets its answers on its own queue (%s)",
			h->queues, host_steering_name(h->steering));
}
