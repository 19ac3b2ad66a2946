/* SPDX-License-Identifier: BSD-3-Clause */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "compare.h"
#include "report_json.h"

#define SEED 20261128U /* of the bootstrap: the same figures give the same intervals */
#define DECIMALS_MAX 6

const char *
compare_side_name(enum compare_side side)
{
	return side == COMPARE_DPDK ? "dpfetch" : "kernel";
}

int
compare_decimals(double value)
{
	int decimals;

	if (value >= 1000)
		return 0;
	if (value >= 100)
		return 1;
	if (value >= 1 || value == 0)
		return 2;
	for (decimals = 3; decimals < DECIMALS_MAX && value < 0.1; decimals++)
		value *= 10;
	return decimals;
}

double
compare_hz(const struct compare *c)
{
	double hz = c->pairs > 0 ? report_json_number(c->run[COMPARE_DPDK][0], "end/core/hz") : NAN;

	return isnan(hz) ? 0.0 : hz;
}

static bool
is_kernel(const json_t *run)
{
	const char *stack = json_string_value(report_json_find(run, "load/stack"));

	return stack != NULL && strcmp(stack, "kernel") == 0;
}

double
compare_process_seconds(const json_t *run)
{
	return report_json_number(run, "end/cpu/user_s") +
	       report_json_number(run, "end/cpu/system_s");
}

/* What a thread that polls had of its CPU and was not busy with. Cycles also count while others have
 * the CPU, so it may seem less than nothing. */
static double
idle_polling_of(const json_t *core)
{
	return fmax(
		0.0, report_json_number(core, "cpu_s") - report_json_number(core, "cycles_busy") /
								 report_json_number(core, "hz"));
}

/* Of the workers on this CPU, or of all (below 0). */
static double
idle_polling_on(const json_t *run, double cpu)
{
	const json_t *workers = report_json_find(run, "end/workers"), *worker, *core;
	double seconds = 0.0;
	size_t i;

	if (is_kernel(run))
		return 0.0;
	if (json_array_size(workers) == 0) {
		core = report_json_find(run, "end/core");
		return cpu < 0 || report_json_number(core, "core") == cpu ? idle_polling_of(core)
									  : 0.0;
	}
	json_array_foreach(workers, i, worker)
	{
		core = json_object_get(worker, "core");
		if (cpu < 0 || report_json_number(core, "core") == cpu)
			seconds += idle_polling_of(core);
	}
	return seconds;
}

double
compare_idle_polling_seconds(const json_t *run)
{
	return idle_polling_on(run, -1.0);
}

double
compare_idle_polling_seconds_on(const json_t *run, uint32_t cpu)
{
	return idle_polling_on(run, cpu);
}

/* What the client took, its file writer included. */
static double
client_seconds(const json_t *run)
{
	return compare_process_seconds(run) - compare_idle_polling_seconds(run);
}

/* All CPUs of this machine, without what our poll core idled away. */
static double
machine_seconds(const json_t *run)
{
	const json_t *cpus = report_json_find(run, "end/machine/cpus"), *cpu;
	double seconds = 0.0;
	size_t i;

	if (cpus == NULL)
		return NAN;
	json_array_foreach(cpus, i, cpu) seconds += report_json_number(cpu, "user_s") +
						    report_json_number(cpu, "system_s") +
						    report_json_number(cpu, "softirq_s");
	seconds -= compare_idle_polling_seconds(run);
	return isnan(seconds) ? NAN : fmax(seconds, 0.0);
}

/* Of the whole run, as CPU time is: end/counts has those of the measured time alone. */
static double
body_bytes(const json_t *run)
{
	const json_t *intervals = json_object_get(run, "intervals"), *interval;
	double bytes = 0.0;
	size_t i;

	json_array_foreach(intervals, i, interval)
	{
		bytes += report_json_number(interval, "counts/body_bytes");
	}
	return bytes;
}

static double
per_body_byte(const json_t *run, double seconds, double hz)
{
	double bytes = body_bytes(run);

	return bytes > 0 ? seconds * hz / bytes : NAN;
}

static double
client_cycles(const json_t *run, double hz)
{
	return per_body_byte(run, client_seconds(run), hz);
}

static double
machine_cycles(const json_t *run, double hz)
{
	return per_body_byte(run, machine_seconds(run), hz);
}

static double
server_cycles(const json_t *run, double hz)
{
	return per_body_byte(run, report_json_number(run, "end/machine/server/cpu_s"), hz);
}

static double
client_cpu(const json_t *run, double hz)
{
	(void)hz;
	return client_seconds(run);
}

static double
machine_cpu(const json_t *run, double hz)
{
	(void)hz;
	return machine_seconds(run);
}

static double
frames_per_sent(const json_t *run, double hz)
{
	double sent = report_json_number(run, "end/machine/interface/tx_frames");

	(void)hz;
	return sent > 0 ? report_json_number(run, "end/machine/interface/rx_frames") / sent : NAN;
}

static double
frame_bytes(const json_t *run, double hz)
{
	double frames = report_json_number(run, "end/machine/interface/rx_frames");

	(void)hz;
	return frames > 0 ? report_json_number(run, "end/machine/interface/rx_bytes") / frames
			  : NAN;
}

static const struct compare_figure figures[] = {
	{"goodput_bps", "goodput, Gb/s", 1e-9, "end/body_bits_per_second", NULL, false},
	{"requests_per_second", "requests/s", 1, "end/requests_per_second", NULL, false},
	{"latency_p50_us", "latency p50, ms", 1e-3, "end/latency/p50_us", NULL, true},
	{"latency_p99_us", "latency p99, ms", 1e-3, "end/latency/p99_us", NULL, true},
	{"first_byte_p50_us", "first byte p50, ms", 1e-3, "end/first_byte/p50_us", NULL, true},
	{"connect_p50_us", "connect p50, ms", 1e-3, "end/connect/p50_us", NULL, true},
	{"client_cpu_s", "client's CPU, s", 1, NULL, client_cpu, true},
	{"machine_cpu_s", "machine's CPU, s", 1, NULL, machine_cpu, true},
	{"server_cpu_s", "server's CPU, s", 1, "end/machine/server/cpu_s", NULL, true},
	{"client_cycles_per_byte", "client, cycles a byte", 1, NULL, client_cycles, true},
	{"machine_cycles_per_byte", "machine, cycles a byte", 1, NULL, machine_cycles, true},
	{"server_cycles_per_byte", "server, cycles a byte", 1, NULL, server_cycles, true},
	{"server_retransmits", "server sent again", 1, "end/machine/server/retransmits", NULL,
		true},
	{"frames_received", "frames in", 1, "end/machine/interface/rx_frames", NULL, false},
	{"frames_sent", "frames out (mostly ACKs)", 1, "end/machine/interface/tx_frames", NULL,
		true},
	{"frames_received_per_sent", "frames in for each out", 1, NULL, frames_per_sent, false},
	{"frame_bytes", "mean frame in, bytes", 1, NULL, frame_bytes, false},
};

const struct compare_figure *
compare_figures(uint32_t *ret_count)
{
	*ret_count = sizeof(figures) / sizeof(figures[0]);
	return figures;
}

/* Is it a percentile of no samples? A load of responses larger than it lasts has no latencies, and a
 * transfer's document no count of them. */
static bool
is_of_nothing(const struct compare_figure *f, const json_t *run)
{
	char path[64];
	const char *last = f->path != NULL ? strrchr(f->path, '/') : NULL;

	if (last == NULL)
		return false;
	snprintf(path, sizeof(path), "%.*s/count", (int)(last - f->path), f->path);
	return report_json_number(run, path) == 0.0;
}

static double
value_of(const struct compare_figure *f, const json_t *run, double hz)
{
	if (is_of_nothing(f, run))
		return NAN;
	return f->path != NULL ? report_json_number(run, f->path) : f->value(run, hz);
}

bool
compare_figure_estimate(const struct compare *c, const struct compare_figure *figure,
	struct bootstrap_estimate ret_side[COMPARE_SIDES], struct bootstrap_estimate *ret_ratio)
{
	double value[COMPARE_SIDES][COMPARE_PAIRS_MAX], hz = compare_hz(c);
	uint32_t i;
	int side;

	for (side = 0; side < COMPARE_SIDES; side++) {
		for (i = 0; i < c->pairs; i++) {
			value[side][i] = value_of(figure, c->run[side][i], hz);
			if (isnan(value[side][i]))
				return false;
		}
	}
	if (c->pairs == 0)
		return false;
	for (side = 0; side < COMPARE_SIDES; side++)
		ret_side[side] = bootstrap_median(value[side], c->pairs, COMPARE_CONFIDENCE, SEED);
	*ret_ratio = bootstrap_ratio(
		value[COMPARE_DPDK], value[COMPARE_KERNEL], c->pairs, COMPARE_CONFIDENCE, SEED);
	return true;
}
