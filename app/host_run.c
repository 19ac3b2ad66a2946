/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <sys/resource.h>
#include <time.h>

#include "base_bytes.h"
#include "host_run.h"
#include "kernel_transport.h"
#include "nic_info.h"
#include "transport_netstack.h"

#define WAIT_MAX_NS (10 * NS_PER_MS) /* signals and troubles are looked for so often */
/* While received data is under way to a file: no event tells. Shorter waits take more from the server
 * and the writer, where these share CPUs with us, than they give. */
#define WAIT_BUSY_NS (100 * NS_PER_US)

struct transport
host_transport(const struct host *h)
{
	if (h->kernel != NULL)
		return kernel_transport_of(h->kernel);
	return transport_of_netstack(h->netstack, port_release, port_queue_of(h->port, h->queue));
}

uint64_t
host_clock_ns(const struct host *h)
{
	return h->kernel != NULL ? kernel_transport_clock_ns() : port_clock_ns();
}

uint64_t
host_look_again_ns(const struct host *h)
{
	return host_clock_ns(h) + WAIT_BUSY_NS;
}

static void
run_kernel(struct host *h, worker_poll_fn poll, host_deadline_fn deadline, void *ctx)
{
	uint64_t now_ns = kernel_transport_clock_ns(), at_ns, wait_ns;

	while (!poll(ctx, now_ns)) {
		at_ns = deadline(ctx);
		wait_ns = kernel_transport_buffers_out(h->kernel) > 0 ? WAIT_BUSY_NS : WAIT_MAX_NS;
		wait_ns = at_ns > now_ns ? MIN_OF(wait_ns, at_ns - now_ns) : 0;
		(void)kernel_transport_wait(h->kernel, wait_ns); /* signals are the monitor's */
		now_ns = kernel_transport_clock_ns();
	}
}

void
host_run(struct host *h, worker_poll_fn poll, host_deadline_fn deadline, void *ctx)
{
	if (h->kernel != NULL)
		run_kernel(h, poll, deadline, ctx);
	else
		worker_run(&h->worker, poll, ctx);
}

void
host_port_info(const struct host *h, struct port_info *ret)
{
	const char *nic = h->settings->nic;
	struct nic_info info;

	if (h->port != NULL) {
		port_info(h->port, ret);
		return;
	}
	*ret = (struct port_info){.driver = "kernel", .numa_node = h->numa_node};
	if (nic == NULL || nic_info_find(nic, &info) != 0)
		return;
	snprintf(ret->name, sizeof(ret->name), "%.63s", info.interface);
	ret->mtu = (uint16_t)info.mtu;
}

void
host_sample_machine(const struct host *h, struct machine_sample *ret)
{
	const struct settings *s = h->settings;
	struct nic_info nic;
	bool interface = s->nic != NULL && nic_info_find(s->nic, &nic) == 0;

	machine_sample_take(ret, (pid_t)s->server_pid, interface ? nic.interface : NULL);
}

static uint64_t
ns_of(const struct timeval *t)
{
	return (uint64_t)t->tv_sec * NS_PER_SEC + (uint64_t)t->tv_usec * NS_PER_US;
}

struct host_cpu_time
host_cpu_time(void)
{
	struct rusage usage = {0};

	getrusage(RUSAGE_SELF, &usage);
	return (struct host_cpu_time){ns_of(&usage.ru_utime), ns_of(&usage.ru_stime)};
}

uint64_t
host_thread_cpu_ns(void)
{
	struct timespec t = {0};

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * NS_PER_SEC + (uint64_t)t.tv_nsec;
}
