/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "affinity.h"
#include "crew.h"
#include "exit_code.h"
#include "host_priv.h"
#include "kernel_transport.h"
#include "sink_limits.h"

static int
start_sink(struct host *h)
{
	struct sink_config cfg = {
		.writer_cpu = h->settings->writer_core >= 0 ? (int)h->settings->writer_core
							    : affinity_first(&h->others),
		.numa_node = h->numa_node,
	};
	int rc;

	if (!h->keeps_bytes) { /* memory to copy to takes time to get */
		cfg.buffers = SINK_BUFFERS_MIN;
		cfg.buffer_bytes = SINK_BUFFER_BYTES_MIN;
	}
	rc = sink_create(&cfg, &h->sink);
	if (rc == 0)
		return 0;
	message_error(&h->level, EXIT_CODE_OUT_OF_MEMORY,
		"the file writer could not be started: %s", strerror(-rc));
	return EXIT_CODE_OUT_OF_MEMORY;
}

static int
start_monitor(struct host *h, bool meter)
{
	const struct monitor_config cfg = {
		.port = h->port,
		.nic = h->settings->nic,
		.level = &h->level,
		.link_timeout_ns = h->settings->link_timeout_ns,
		.meter = meter,
		.flap_ns = h->settings->flap_ns,
		.others = &h->others,
	};
	int rc = monitor_start(&cfg, &h->monitor);

	if (rc == 0)
		return 0;
	message_error(&h->level, EXIT_CODE_OUT_OF_MEMORY,
		"the monitor thread could not be started: %s", strerror(-rc));
	return EXIT_CODE_OUT_OF_MEMORY;
}

static int
start_link(struct host *h, bool meter)
{
	int rc = host_bind_nic(h);

	if (rc == 0)
		rc = host_start_port(h);
	if (rc == 0)
		rc = host_start_capture(h);
	if (rc == 0)
		rc = start_monitor(h, meter);
	if (rc == 0)
		rc = host_wait_link(h);
	return rc;
}

static int
start_own_stack(struct host *h, bool meter)
{
	int rc = start_link(h, meter);

	if (rc == 0)
		rc = host_start_netstack(h);
	if (rc == 0 && h->crew != NULL)
		rc = crew_start(h);
	return rc;
}

static int
start_kernel_stack(struct host *h, bool meter)
{
	int rc = host_allow_files(h);

	if (rc == 0)
		rc = start_monitor(h, meter);
	if (rc == 0)
		rc = host_start_kernel(h);
	if (rc == 0 && h->crew != NULL)
		rc = crew_start(h);
	return rc;
}

void
host_warn_unpinned(struct host *h)
{
	const struct host *first = NULL;
	uint32_t i, count = 0;

	for (i = h->queues; i-- > 0;) {
		if (crew_worker(h, i)->pin_error == 0)
			continue;
		first = crew_worker(h, i);
		count++;
	}
	if (first == NULL)
		return;
	message_warning(&h->level,
		"%u of %u workers could not be bound to their CPUs (CPU %d: %s): they run where "
		"the system puts them, and where two meet both are slow; choose others with "
		"%s",
		count, h->queues, first->core, strerror(-first->pin_error),
		h->queues > 1 ? "--cores" : "--core");
}

static int
create_crew(struct host *h)
{
	if (h->queues == 1 || crew_create(h) == 0)
		return 0;
	message_error(&h->level, EXIT_CODE_OUT_OF_MEMORY, "no memory for %u workers", h->queues);
	return EXIT_CODE_OUT_OF_MEMORY;
}

int
host_start_bare(struct host *h)
{
	int rc = create_crew(h); /* whose hosts have the queues' counters */

	if (rc == 0)
		rc = start_link(h, false);
	if (rc != 0)
		host_stop(h);
	return rc;
}

int
host_start(struct host *h, bool meter)
{
	int rc;

	histogram_reset(&h->ack_delay);
	histogram_reset(&h->worker.iteration);
	rc = create_crew(h);
	if (rc != 0)
		return rc;
	rc = h->settings->stack == SETTINGS_STACK_KERNEL ? start_kernel_stack(h, meter)
							 : start_own_stack(h, meter);
	if (rc == 0)
		rc = start_sink(h);
	if (rc != 0) {
		h->failed = true;
		host_stop(h);
		return rc;
	}
	host_warn_unpinned(h);
	if (!h->all_cpus)
		affinity_raise_priority(); /* the last: threads made before keep the usual one */
	if (h->kernel == NULL)
		host_describe(h);
	return 0;
}

int
host_stop(struct host *h)
{
	uint32_t lost = 0;
	int code, rc;

	if (h->sink != NULL)
		sink_destroy(h->sink);
	h->sink = NULL;
	if (h->netstack != NULL)
		crew_run(h, host_drain_netstack, NULL);
	crew_dismiss(h);
	if (h->netstack != NULL)
		host_stop_netstack(h);
	if (h->kernel != NULL)
		kernel_transport_destroy(h->kernel);
	h->kernel = NULL;
	crew_destroy(h);
	if (h->exchange != NULL)
		netstack_exchange_clear(h->exchange, port_release, port_queue_of(h->port, 0));
	netstack_exchange_destroy(h->exchange);
	netstack_steer_destroy(h->steer);
	h->exchange = NULL;
	h->steer = NULL;
	if (h->monitor != NULL)
		h->signo = monitor_signal(h->monitor);
	monitor_stop(h->monitor);
	h->monitor = NULL;
	code = host_stop_capture(h);
	if (h->port != NULL) {
		port_release_flush(port_queue_of(h->port, 0));
		lost = port_close(h->port);
	}
	h->port = NULL;
	if (h->eal_started)
		port_eal_stop();
	h->eal_started = false;
	rc = host_release_nic(h);
	if (lost == 0)
		return code != 0 ? code : rc;
	message_error(&h->level, EXIT_CODE_INTERNAL,
		"internal error: %u received buffers were not given back; please report this",
		lost);
	return EXIT_CODE_INTERNAL;
}
