/* SPDX-License-Identifier: BSD-3-Clause */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <rte_version.h>

#include "base_bytes.h"
#include "compare.h"
#include "load.h"
#include "machine.h"
#include "nic_info.h"
#include "nic_offloads.h"
#include "report_json.h"

#define LINE_ROOM 512U
#define FRAME_OVERHEAD 18.0 /* Ethernet's header and a VLAN tag, bytes */
#define BUSY_LIMIT 0.9
#define OTHERS_LIMIT 0.1 /* of the client's CPU; ticks of 10 ms are not exact */

static json_t *
offloads_json(const char *interface)
{
	struct nic_offloads o;

	if (nic_offloads_read(interface, &o) != 0)
		return json_null();
	return json_pack("{s:b, s:b, s:b, s:b, s:b, s:b}", "rx_checksum", (int)o.rx_checksum,
		"tx_checksum", (int)o.tx_checksum, "tso", (int)o.tso, "gso", (int)o.gso, "gro",
		(int)o.gro, "lro", (int)o.lro);
}

static void
set_file(json_t *object, const char *key, const char *path)
{
	char text[LINE_ROOM], *at;

	machine_first_line(path, text, sizeof(text));
	for (at = text; (at = strchr(at, '\t')) != NULL;)
		*at = ' ';
	json_object_set_new(object, key, json_string(text));
}

/* The initial network namespace alone has the file; a new socket has its value in all of them. */
static void
set_busy_read(json_t *object)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), us = 0;
	socklen_t len = sizeof(us);
	char text[16] = "";

	if (fd < 0)
		return;
	if (getsockopt(fd, SOL_SOCKET, SO_BUSY_POLL, &us, &len) == 0)
		snprintf(text, sizeof(text), "%d", us);
	json_object_set_new(object, "busy_read_us", json_string(text));
	close(fd);
}

/* curl's and the server's only where they are known. */
static void
set_versions(const struct compare *c, json_t *object)
{
	json_object_set_new(object, "dpfetch", json_string(DPFETCH_VERSION));
	json_object_set_new(object, "dpdk", json_string(rte_version()));
	set_file(object, "kernel", "/proc/sys/kernel/osrelease");
	if (c->curl_version[0] != '\0')
		json_object_set_new(object, "curl", report_json_text(c->curl_version));
	if (c->server[0] != '\0')
		json_object_set_new(object, "server", report_json_text(c->server));
}

bool
compare_interface(const struct compare *c, char *ret)
{
	struct nic_info nic = {0};

	if (c->settings->nic == NULL || nic_info_find(c->settings->nic, &nic) != 0)
		nic.interface[0] = '\0';
	snprintf(ret, NIC_NAME_MAX, "%s", nic.interface);
	return ret[0] != '\0';
}

json_t *
compare_conditions(const struct compare *c)
{
	const struct settings *s = c->settings;
	json_t *object = json_object();
	struct nic_info nic;
	char text[LINE_ROOM];

	set_versions(c, object);
	set_file(object, "congestion_control", "/proc/sys/net/ipv4/tcp_congestion_control");
	set_file(object, "tcp_rmem", "/proc/sys/net/ipv4/tcp_rmem");
	set_file(object, "busy_poll_us", "/proc/sys/net/core/busy_poll");
	set_busy_read(object);
	machine_cpu_model(text, sizeof(text));
	json_object_set_new(object, "cpu", json_string(text));
	machine_governor(text, sizeof(text));
	json_object_set_new(object, "governor", json_string(text));
	json_object_set_new(object, "cpus", json_integer(nic_cpu_allowed_count()));
	json_object_set_new(object, "interface", json_string(s->nic));
	if (nic_info_find(s->nic, &nic) == 0 && nic.interface[0] != '\0') {
		json_object_set_new(object, "interface", json_string(nic.interface));
		json_object_set_new(object, "interface_mtu", json_integer(nic.mtu));
		json_object_set_new(object, "offloads", offloads_json(nic.interface));
	}
	json_object_set_new(object, "mtu", json_integer((json_int_t)s->mtu));
	if (c->file != NULL)
		json_object_set_new(object, "file", compare_file_conditions(c));
	return object;
}

void
compare_warn(struct compare *c, const char *format, ...)
{
	va_list args;

	if (c->warnings == COMPARE_WARNINGS_MAX)
		return;
	va_start(args, format);
	vsnprintf(c->warning[c->warnings++], COMPARE_TEXT_MAX, format, args);
	va_end(args);
}

void
compare_note(struct compare *c, const char *format, ...)
{
	va_list args;
	uint32_t i;

	if (c->notes == COMPARE_NOTES_MAX)
		return;
	va_start(args, format);
	vsnprintf(c->note[c->notes], COMPARE_TEXT_MAX, format, args);
	va_end(args);
	for (i = 0; i < c->notes && strcmp(c->note[i], c->note[c->notes]) != 0; i++)
		;
	if (i == c->notes)
		c->notes++;
}

/* The largest of one side's runs; NAN: none has it. */
static double
largest_of(const struct compare *c, enum compare_side side, double (*value)(const json_t *run))
{
	double largest = NAN;
	uint32_t i;

	for (i = 0; i < c->pairs; i++)
		largest = fmax(largest, value(c->run[side][i]));
	return largest;
}

/* The median over the runs of one side of a number in their reports; NAN: not all have it. */
static double
median_of(const struct compare *c, enum compare_side side, double (*value)(const json_t *run))
{
	double values[COMPARE_PAIRS_MAX];
	uint32_t i;

	for (i = 0; i < c->pairs; i++) {
		values[i] = value(c->run[side][i]);
		if (isnan(values[i]))
			return NAN;
	}
	return c->pairs > 0 ? bootstrap_median_of(values, c->pairs) : NAN;
}

static double
frame_bytes(const json_t *run)
{
	return report_json_number(run, "end/machine/interface/rx_bytes") /
	       report_json_number(run, "end/machine/interface/rx_frames");
}

/* With --queues there are several. */
static size_t
worker_count(const json_t *run)
{
	return MAX_OF(json_array_size(report_json_find(run, "end/workers")), (size_t)1);
}

/* What one worker's core was and did. */
static const json_t *
worker_core(const json_t *run, size_t worker)
{
	const json_t *workers = report_json_find(run, "end/workers");

	return workers != NULL ? report_json_find(json_array_get(workers, worker), "core")
			       : report_json_find(run, "end/core");
}

/* Of the busiest worker: it is the first to be a limit. */
static double
busy_share(const json_t *run)
{
	double most = NAN;
	size_t i;

	for (i = 0; i < worker_count(run); i++) {
		const json_t *core = worker_core(run, i);

		most = fmax(most, report_json_number(core, "cycles_busy") /
					  report_json_number(core, "cycles"));
	}
	return most;
}

/* What the CPUs that the client's workers are pinned to spent so; NAN: unknown. */
static double
client_cpus(const json_t *run, const char *kind)
{
	const json_t *cpus = report_json_find(run, "end/machine/cpus");
	double core, sum = 0.0;
	size_t i;

	for (i = 0; i < worker_count(run); i++) {
		core = report_json_number(worker_core(run, i), "core");
		sum += core >= 0 ? report_json_number(json_array_get(cpus, (size_t)core), kind)
				 : NAN;
	}
	return sum;
}

/* What they had in all. */
static double
client_seconds(const json_t *run)
{
	return report_json_number(run, "end/cpu/wall_s") * (double)worker_count(run);
}

/* The kernel's client and the softirqs on its CPU, which may be its own; not what else runs there. Kernels without
 * CONFIG_IRQ_TIME_ACCOUNTING count a softirq that interrupts a thread for both: it is no more than the CPU was busy. */
static double
client_cpu_share(const json_t *run)
{
	double softirq = client_cpus(run, "softirq_s");
	double busy = client_cpus(run, "user_s") + client_cpus(run, "system_s") + softirq;

	return fmin(report_json_number(run, "end/core/cpu_s") + softirq, busy) /
	       client_seconds(run);
}

/* How much of the client's CPU other processes had. */
static double
others_share(const json_t *run)
{
	return (client_cpus(run, "user_s") + client_cpus(run, "system_s") -
		       report_json_number(run, "end/core/cpu_s")) /
	       client_seconds(run);
}

/* Of all that was answered or failed. */
static double
failed_share(const json_t *run)
{
	const json_t *errors = report_json_find(run, "end/counts/errors");
	double responses = report_json_number(run, "end/counts/responses"), errors_sum = 0.0;
	int i;

	for (i = 0; i < LOAD_ERROR_COUNT; i++)
		errors_sum += json_number_value(
			json_object_get(errors, load_error_name((enum load_error)i)));
	return (errors_sum + responses - report_json_number(run, "end/counts/status/2xx")) /
	       (errors_sum + responses);
}

/* 1: no response was whole in the measured time. */
static double
lacks_responses(const json_t *run)
{
	return report_json_number(run, "end/counts/responses") == 0.0 ? 1.0 : 0.0;
}

static double
ring_drops(const json_t *run)
{
	return report_json_number(run, "end/nic/imissed") +
	       report_json_number(run, "end/nic/rx_nombuf") +
	       report_json_number(run, "end/nic/ierrors");
}

static double
frames_received(const json_t *run)
{
	return report_json_number(run, "end/machine/interface/rx_frames");
}

/* Super-packets: frames larger than the MTU lets on the wire. */
static void
check_super_packets(struct compare *c, const json_t *conditions)
{
	double ours = median_of(c, COMPARE_DPDK, frame_bytes);
	double kernels = median_of(c, COMPARE_KERNEL, frame_bytes);
	double limit = (double)c->settings->mtu + FRAME_OVERHEAD;
	const json_t *offloads = json_object_get(conditions, "offloads");
	const char *interface = json_string_value(json_object_get(conditions, "interface"));

	if (kernels > limit && !(ours > limit))
		compare_warn(c,
			"super-packets on the kernel's side only: its frames have %.0f bytes on "
			"average, ours %.0f, the MTU is %llu; turn the server's segmentation "
			"offload "
			"off (ethtool -K IF tso off gso off)",
			kernels, ours, (unsigned long long)c->settings->mtu);
	else if (ours > limit && !(kernels > limit))
		compare_warn(c,
			"super-packets on our side only: our frames have %.0f bytes on average, "
			"the "
			"kernel's %.0f",
			ours, kernels);
	if (json_is_true(json_object_get(offloads, "gro")) ||
		json_is_true(json_object_get(offloads, "lro")))
		compare_warn(c,
			"GRO or LRO is on at %s: the kernel joins segments before its TCP sees "
			"them, "
			"ours takes them one by one; ethtool -K %s gro off lro off",
			interface, interface);
}

static void
check_load_generator(struct compare *c)
{
	double busy = median_of(c, COMPARE_DPDK, busy_share);
	double cpu = median_of(c, COMPARE_KERNEL, client_cpu_share);

	if (busy > BUSY_LIMIT)
		compare_warn(c,
			"our poll core was %.0f %% busy: its limit was measured, not the server's "
			"or "
			"the link's",
			100.0 * busy);
	if (cpu > BUSY_LIMIT)
		compare_warn(c,
			"the CPU of the kernel's client was %.0f %% busy: its limit was measured, "
			"not "
			"the server's or the link's",
			100.0 * cpu);
	if ((busy > BUSY_LIMIT) != (cpu > BUSY_LIMIT))
		compare_warn(c,
			"only one side was limited by its client: the ratio understates the other");
}

/* Others on the client's CPU are not the load's business, and need not meet both sides alike. */
static void
check_others(struct compare *c)
{
	double others;
	int side;

	for (side = 0; side < COMPARE_SIDES; side++) {
		others = largest_of(c, (enum compare_side)side, others_share);
		if (others > OTHERS_LIMIT)
			compare_warn(c,
				"%s: other processes had %.0f %% of the client's CPU in a run, and "
				"the machine's CPU "
				"counts them: the machine is not quiet",
				compare_side_name((enum compare_side)side), 100.0 * others);
	}
}

static void
check_failures(struct compare *c)
{
	double failed;
	int side;

	for (side = 0; side < COMPARE_SIDES; side++) {
		failed = largest_of(c, (enum compare_side)side, failed_share);
		if (failed > 0)
			compare_warn(c,
				"%s: up to %.3g %% of a run's requests failed or were answered "
				"with another "
				"status than 2xx, which the figures contain",
				compare_side_name((enum compare_side)side), 100.0 * failed);
	}
}

static void
check_responses(struct compare *c)
{
	int side;

	for (side = 0; side < COMPARE_SIDES; side++) {
		if (largest_of(c, (enum compare_side)side, lacks_responses) > 0)
			compare_warn(c,
				"%s: no response was whole in the measured time of a run, so there "
				"are no latencies; the goodput counts what came; use a longer -d "
				"or a smaller file",
				compare_side_name((enum compare_side)side));
	}
}

static void
check_drops(struct compare *c)
{
	double drops = largest_of(c, COMPARE_DPDK, ring_drops);

	if (drops > 0)
		compare_warn(c,
			"our port dropped up to %.0f frames in a run (of %.0f): retransmissions "
			"are in the "
			"figures",
			drops, median_of(c, COMPARE_DPDK, frames_received));
}

static void
check_cores(struct compare *c)
{
	const json_t *run = c->pairs > 0 ? c->run[COMPARE_DPDK][0] : NULL;
	double core;
	size_t i;

	if (c->settings->server_pid == 0) {
		compare_warn(c,
			"where the server runs is not known (--server-pid tells): it may share the "
			"client's CPU");
		return;
	}
	for (i = 0; run != NULL && i < worker_count(run); i++) {
		core = report_json_number(worker_core(run, i), "core");
		if (!isnan(core) &&
			machine_process_may_use((pid_t)c->settings->server_pid, (int)core))
			compare_warn(c,
				"the server may run on CPU %.0f, too, which the client has: pin it "
				"elsewhere (taskset)",
				core);
	}
}

static void
check_mtu(struct compare *c, const json_t *conditions)
{
	const json_t *mtu = json_object_get(conditions, "interface_mtu");

	if (mtu != NULL && (uint64_t)json_integer_value(mtu) != c->settings->mtu)
		compare_warn(c,
			"the interface's MTU is %lld, which the kernel uses, and ours %llu: give "
			"--mtu %lld",
			(long long)json_integer_value(mtu), (unsigned long long)c->settings->mtu,
			(long long)json_integer_value(mtu));
}

void
compare_check_fairness(struct compare *c, const json_t *conditions)
{
	check_super_packets(c, conditions);
	check_failures(c);
	check_responses(c);
	check_load_generator(c);
	check_others(c);
	check_cores(c);
	check_mtu(c, conditions);
	check_drops(c);
	if (c->file != NULL)
		compare_file_check_fairness(c, conditions);
	if (c->pairs < 5)
		compare_warn(c,
			"%u pair%s: too few for an interval that means something; --pairs 5 or "
			"more",
			c->pairs, c->pairs == 1 ? "" : "s");
}
