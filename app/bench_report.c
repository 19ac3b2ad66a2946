/* SPDX-License-Identifier: BSD-3-Clause */
#include <inttypes.h>
#include <string.h>

#include "base_bytes.h"
#include "bench_figures.h"
#include "bench_report.h"

#define BUSY_LIMIT_PERCENT 90.0 /* beyond it, the generator may be what limits */
#define TEXT_MAX 32U

/* A time of three digits or so with its unit, as wrk writes it. */
static const char *
time_text(double ns, char *buf)
{
	if (ns >= 1e9)
		snprintf(buf, TEXT_MAX, "%.2fs", ns / 1e9);
	else if (ns >= 1e6)
		snprintf(buf, TEXT_MAX, "%.2fms", ns / 1e6);
	else
		snprintf(buf, TEXT_MAX, "%.2fus", ns / 1e3);
	return buf;
}

/* Bytes in binary units, as wrk and h2load write them. */
static const char *
bytes_text(double bytes, char *buf)
{
	static const char *const units[] = {"B", "KB", "MB", "GB", "TB"};
	size_t unit = 0;

	while (bytes >= 1024.0 && unit + 1 < sizeof(units) / sizeof(units[0])) {
		bytes /= 1024.0;
		unit++;
	}
	snprintf(buf, TEXT_MAX, "%.2f%s", bytes, units[unit]);
	return buf;
}

static void
print_latencies(const char *name, const struct histogram *h, FILE *out)
{
	static const double percents[] = {50, 75, 90, 99, 99.9, 99.99};
	char text[TEXT_MAX];
	size_t i;

	if (h->count == 0)
		return;
	fprintf(out, "  %-11s %9s", name, time_text(histogram_mean(h), text));
	fprintf(out, " %9s", time_text(histogram_stddev(h), text));
	for (i = 0; i < sizeof(percents) / sizeof(percents[0]); i++)
		fprintf(out, " %9s", time_text((double)histogram_percentile(h, percents[i]), text));
	fprintf(out, " %9s\n", time_text((double)h->max, text));
}

void
bench_report_heading(const struct bench_report *r, FILE *out)
{
	const struct settings *s = r->settings;
	const char *how = s->cps ? ", one request each" : s->pipeline > 1 ? ", pipelined" : "";

	if (s->requests > 0)
		fprintf(out, "Running %" PRIu64 " requests", s->requests);
	else
		fprintf(out, "Running %.4gs", (double)r->duration_ns / 1e9);
	fprintf(out, " @ %s", r->url);
	if (r->urls > 1)
		fprintf(out, " and %u more", r->urls - 1);
	fprintf(out, "\n  %u worker%s, %" PRIu64 " connection%s%s, ", r->workers,
		r->workers > 1 ? "s" : "", s->connections, s->connections > 1 ? "s" : "", how);
	if (s->rate > 0)
		fprintf(out, "open loop at %.10g requests/s", s->rate);
	else
		fprintf(out, "closed loop");
	if (s->ramp_ns + s->warmup_ns > 0)
		fprintf(out, "; %.3g s of ramp and warm-up left out",
			(double)(s->ramp_ns + s->warmup_ns) / 1e9);
	fputc('\n', out);
}

static void
print_statuses(const struct load_counts *c, FILE *out)
{
	const char *separator = "  Status: ";
	int i;

	for (i = 0; i < 10; i++) {
		if (c->status[i] == 0)
			continue;
		fprintf(out, "%s%" PRIu64 " %dxx", separator, c->status[i], i);
		separator = ", ";
	}
	if (separator[0] == ',')
		fputc('\n', out);
}

static void
print_errors(const struct load_stats *s, FILE *out)
{
	const char *separator = "  Errors: ";
	int i;

	for (i = 0; i < LOAD_ERROR_COUNT; i++) {
		if (s->counts.errors[i] == 0)
			continue;
		fprintf(out, "%s%s %" PRIu64, separator, load_error_name((enum load_error)i),
			s->counts.errors[i]);
		separator = ", ";
	}
	if (separator[0] == ',')
		fputc('\n', out);
	if (s->unsent > 0)
		fprintf(out,
			"  Unsent: %" PRIu64 " planned requests never found a free connection: the "
			"server, or too few connections, could not keep the rate\n",
			s->unsent);
	if (s->unanswered > 0)
		fprintf(out, "  Unanswered: %" PRIu64 " requests were under way at the end\n",
			s->unanswered);
	if (s->counts.unasked > 0)
		fprintf(out,
			"  Unasked: %" PRIu64
			" connections were given up, as bytes came on them that "
			"no request had asked for\n",
			s->counts.unasked);
}

static void
print_rates(const struct bench_report *r, FILE *out)
{
	const struct load_stats *s = r->stats;
	double seconds = bench_figures_seconds(s);
	uint64_t bytes = s->counts.body_bytes + s->counts.header_bytes;
	char text[TEXT_MAX];

	fprintf(out, "  %" PRIu64 " requests in %.2fs, %s read", s->counts.responses, seconds,
		bytes_text((double)bytes, text));
	fprintf(out,
		"; connections: %u open at most, %" PRIu64 " made, %" PRIu64
		" closed by the server\n",
		s->open_max, s->counts.connected, s->counts.disconnects);
	print_statuses(&s->counts, out);
	print_errors(s, out);
	fprintf(out, "Requests/sec:  %12.2f\n", bench_figures_rps(s));
	if (r->settings->cps)
		fprintf(out, "Connects/sec:  %12.2f\n", bench_figures_cps(s));
	fprintf(out, "Transfer/sec:  %12s  (%.3f Gb/s of bodies)\n",
		bytes_text(seconds > 0 ? (double)bytes / seconds : 0, text),
		bench_figures_bps(s) / 1e9);
}

/* Over the kernel's stack there is no poll core: what its thread took is what counts. */
static void
print_kernel(const struct bench_report *r, FILE *out)
{
	double wall = MAX_OF((double)r->wall_ns, 1.0);

	fprintf(out,
		"kernel's stack, client on CPU %d%s: %.2f s user and %.2f s system in %.2f s (%.0f "
		"%%); "
		"what softirqs did is not in it\n",
		r->core, r->workers > 1 ? " and others" : "", (double)r->cpu_user_ns / 1e9,
		(double)r->cpu_system_ns / 1e9, (double)r->wall_ns / 1e9,
		100.0 * (double)(r->cpu_user_ns + r->cpu_system_ns) / wall);
}

/* Of a poll core's cycles; there are none over the kernel's stack. */
static double
busy_percent(const struct worker_usage *u)
{
	return u->cycles > 0 ? 100.0 * (double)u->cycles_busy / (double)u->cycles : 0.0;
}

/* A worker's thread over the kernel's stack, with the softirqs of its CPU: they are as much in its way when they are
 * others'. Kernels without CONFIG_IRQ_TIME_ACCOUNTING count one that interrupts the thread for both: it is no more than
 * the CPU was busy, as compare has it. */
static uint64_t
thread_busy_ns(const struct bench_report *r, int core, const struct worker_usage *u)
{
	const struct machine_sample *m = r->machine;
	const struct machine_cpu *c;

	if (m == NULL || core < 0 || (uint32_t)core >= m->cpus)
		return u->cpu_ns;
	c = &m->cpu[core];
	return MIN_OF(u->cpu_ns + c->softirq_ns, c->user_ns + c->system_ns + c->softirq_ns);
}

static double
thread_percent(const struct bench_report *r, int core, const struct worker_usage *u)
{
	return 100.0 * (double)thread_busy_ns(r, core, u) / MAX_OF((double)r->wall_ns, 1.0);
}

static double
worker_percent(const struct bench_report *r, int core, const struct worker_usage *u)
{
	return r->settings->stack == SETTINGS_STACK_KERNEL ? thread_percent(r, core, u)
							   : busy_percent(u);
}

/* Each of several, with what went astray between them. */
static void
print_workers(const struct bench_report *r, FILE *out)
{
	uint32_t i;

	for (i = 0; i < r->workers; i++) {
		const struct bench_report_worker *w = &r->worker[i];

		fprintf(out, "  worker %u on core %d: %" PRIu64 " requests", i, w->core,
			w->responses);
		if (r->settings->stack == SETTINGS_STACK_DPDK)
			fprintf(out,
				", %.0f %% busy, %" PRIu64 " segments for others received, %" PRIu64
				" of its own by others",
				busy_percent(&w->usage), w->wrong_queue, w->handed_over);
		fputc('\n', out);
	}
}

/* Of any worker: one that cannot keep up is enough. */
static double
busiest_percent(const struct bench_report *r)
{
	double most = 0.0;
	uint32_t i;

	if (r->workers <= 1)
		return worker_percent(r, r->core, &r->usage);
	for (i = 0; i < r->workers; i++)
		most = MAX_OF(most, worker_percent(r, r->worker[i].core, &r->worker[i].usage));
	return most;
}

static void
print_busy_warning(const struct bench_report *r, FILE *out)
{
	if (busiest_percent(r) > BUSY_LIMIT_PERCENT)
		fprintf(out,
			"warning: %s was more than %.0f %% busy: dpfetch itself may be what limits "
			"these figures\n",
			r->settings->stack == SETTINGS_STACK_KERNEL
				? "a CPU of the client, softirqs included,"
				: "a poll core",
			BUSY_LIMIT_PERCENT);
}

static void
print_machine(const struct bench_report *r, FILE *out)
{
	const struct worker_usage *u = &r->usage;
	uint64_t received = r->counters.value[COUNTER_TCP_SEGMENTS_RECEIVED];

	if (r->workers > 1)
		fprintf(out, "%u workers", r->workers);
	else
		fprintf(out, "core %d", r->core);
	fprintf(out,
		": %.0f %% busy, %.0f cycles a request; %" PRIu64 " segments received, %" PRIu64
		" sent again; NIC drops: imissed %" PRIu64 ", rx_nombuf %" PRIu64 "\n",
		busy_percent(u),
		r->stats->counts.responses > 0
			? (double)u->cycles_busy / (double)r->stats->counts.responses
			: 0.0,
		received, r->counters.value[COUNTER_TCP_RETRANSMITS], r->nic.rx_missed,
		r->nic.rx_no_mbuf);
	if (r->workers > 1)
		print_workers(r, out);
	fprintf(out, "memory: %.1f KiB a connection (%.1f TCP, %.1f HTTP)\n",
		(double)(r->stack_bytes_per_connection + r->load_bytes_per_connection) / 1024.0,
		(double)r->stack_bytes_per_connection / 1024.0,
		(double)r->load_bytes_per_connection / 1024.0);
	print_busy_warning(r, out);
	if (r->nic.rx_missed + r->nic.rx_no_mbuf > 0)
		fprintf(out, "warning: the port dropped frames for want of room: latencies have "
			     "retransmissions in them\n");
}

/* Counters that are zero on a healthy link. */
static void
print_drops(const struct bench_report *r, FILE *out)
{
	int i;

	for (i = 0; i < COUNTER_COUNT; i++) {
		const char *name = counter_name((enum counter_id)i);

		if (r->counters.value[i] > 0 && strncmp(name, "drop", 4) == 0 &&
			i != COUNTER_DROP_NOT_FOR_US && i != COUNTER_DROP_ETH_TYPE)
			fprintf(out, "  %-28s %" PRIu64 "  (%s)\n", name, r->counters.value[i],
				counter_help((enum counter_id)i));
	}
}

void
bench_report_text(const struct bench_report *r, FILE *out)
{
	if (r->stats->latency.count > 0)
		fprintf(out, "  %-11s %9s %9s %9s %9s %9s %9s %9s %9s %9s\n", "Latency", "mean",
			"stdev", "50%", "75%", "90%", "99%", "99.9%", "99.99%", "max");
	print_latencies("response", &r->stats->latency, out);
	if (r->settings->rate > 0)
		print_latencies("  from sent", &r->stats->service, out);
	print_latencies("first byte", &r->stats->first_byte, out);
	print_latencies("connect", &r->stats->connect, out);
	print_rates(r, out);
	if (r->intervals_joined > 1)
		fprintf(out,
			"note: there were so many intervals that each of --stats and --csv is %u "
			"of "
			"them; a longer --interval would leave them as they are\n",
			r->intervals_joined);
	if (r->intervals_lost)
		fprintf(out,
			"warning: intervals are missing, as what reads them was too slow; a longer "
			"--interval makes fewer\n");
	if (r->machine != NULL && r->machine->server)
		fprintf(out, "server: %.2f s of CPU, %" PRIu64 " segments sent again\n",
			(double)r->machine->server_cpu_ns / 1e9, r->machine->server_retransmits);
	if (r->settings->stack == SETTINGS_STACK_KERNEL) {
		print_kernel(r, out);
		if (r->workers > 1)
			print_workers(r, out);
		print_busy_warning(r, out);
		return;
	}
	print_machine(r, out);
	print_drops(r, out);
}

static double
since(uint64_t start_ns, uint64_t at_ns)
{
	return (double)(at_ns - start_ns) / 1e9;
}

void
bench_report_interval_text(const struct load_interval *i, uint64_t start_ns, FILE *out)
{
	double seconds = since(i->start_ns, i->end_ns);
	char p50[TEXT_MAX], p99[TEXT_MAX], max[TEXT_MAX];

	fprintf(out,
		"%7.2f-%-7.2f s  %10.0f requests/s  %8.3f Gb/s  p50 %9s p99 %9s max %9s  "
		"%" PRIu64 " errors, %u open%s\n",
		since(start_ns, i->start_ns), since(start_ns, i->end_ns),
		seconds > 0 ? (double)i->counts.responses / seconds : 0.0,
		seconds > 0 ? (double)i->counts.body_bytes * 8.0 / seconds / 1e9 : 0.0,
		time_text((double)i->latency_p50_ns, p50),
		time_text((double)i->latency_p99_ns, p99),
		time_text((double)i->latency_max_ns, max), bench_figures_errors(&i->counts),
		i->open, i->measured ? "" : "  (not measured)");
}
