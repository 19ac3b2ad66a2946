/* SPDX-License-Identifier: BSD-3-Clause */
#include <curl/curl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base_bytes.h"
#include "base_time.h"
#include "report.h"

#define RETRY_AFTER_MAX_S 21600LL /* libcurl, CURLINFO_RETRY_AFTER */

double
report_seconds(const struct report *r, uint64_t moment_ns)
{
	if (moment_ns < r->result.start_ns || moment_ns == 0)
		return 0.0;
	return (double)(moment_ns - r->result.start_ns + r->resolve_ns) / 1e9;
}

uint64_t
report_retry_after_ns(const char *value, time_t now)
{
	long long seconds = 0;

	if (value[strspn(value, "0123456789")] == '\0')
		seconds = strtoll(value, NULL, 10); /* saturates */
	else if (curl_getdate(value, NULL) > now)
		seconds = curl_getdate(value, NULL) - now;
	return (uint64_t)MIN_OF(seconds, RETRY_AFTER_MAX_S) * NS_PER_SEC;
}

void
report_note_header(struct report_headers *h, const char *name, const char *value, time_t now)
{
	h->count++;
	if (strcasecmp(name, "content-type") == 0)
		snprintf(h->content_type, sizeof(h->content_type), "%s", value);
	else if (strcasecmp(name, "location") == 0)
		snprintf(h->location, sizeof(h->location), "%s", value);
	else if (strcasecmp(name, "retry-after") == 0)
		h->retry_after_ns = report_retry_after_ns(value, now);
}

double
report_total_seconds(const struct report *r)
{
	return report_seconds(r, r->result.end_ns);
}

double
report_goodput_bps(const struct report *r)
{
	double seconds = report_total_seconds(r);

	return seconds > 0.0 ? (double)r->result.body_bytes * 8.0 / seconds : 0.0;
}

double
report_cycles_per_segment(const struct report *r)
{
	uint64_t segments = r->counters.value[COUNTER_TCP_SEGMENTS_RECEIVED];

	return segments > 0 ? (double)r->usage.cycles_busy / (double)segments : 0.0;
}

double
report_busy_percent(const struct report *r)
{
	return r->usage.cycles > 0 ? 100.0 * (double)r->usage.cycles_busy / (double)r->usage.cycles
				   : 0.0;
}

double
report_segments_per_ack(const struct report *r)
{
	uint64_t acks = r->counters.value[COUNTER_TCP_ACKS_SENT];

	return acks > 0 ? (double)r->counters.value[COUNTER_TCP_DATA_SEGMENTS] / (double)acks : 0.0;
}

/* Counters that are zero on a healthy link are printed only when they are not. */
static void
print_troubles(const struct report *r, FILE *out)
{
	int i;

	for (i = 0; i < COUNTER_COUNT; i++) {
		const char *name = counter_name((enum counter_id)i);

		if (r->counters.value[i] > 0 && name[0] == 'd' && name[1] == 'r' &&
			i != COUNTER_DROP_NOT_FOR_US && i != COUNTER_DROP_ETH_TYPE)
			fprintf(out, "  %-28s %" PRIu64 "  (%s)\n", name, r->counters.value[i],
				counter_help((enum counter_id)i));
	}
}

/* Over the kernel's stack: segments and ACKs are its own affair. */
static void
print_kernel(const struct report *r, FILE *out)
{
	double cpu = (double)(r->cpu_user_ns + r->cpu_system_ns) / 1e9;
	double wall = (double)(r->result.end_ns - r->result.start_ns) / 1e9;

	fprintf(out,
		"kernel's stack, client on CPU %d: %.2f s user and %.2f s system (%.0f %% of a "
		"CPU); what softirqs did is not in it\n",
		r->core, (double)r->cpu_user_ns / 1e9, (double)r->cpu_system_ns / 1e9,
		wall > 0 ? 100.0 * cpu / wall : 0.0);
}

static double
iteration_us(const struct report *r, double percent)
{
	return (double)histogram_percentile(&r->iteration, percent) * 1e6 / (double)r->cycles_hz;
}

static void
print_own_stack(const struct report *r, FILE *out)
{
	const uint64_t *v = r->counters.value;

	fprintf(out,
		"segments %" PRIu64 ", out of order %" PRIu64 ", duplicate %" PRIu64
		"; ACKs %" PRIu64 " (1 for %.1f segments), delay p50 %.1f p99 %.1f max %.1f us\n",
		v[COUNTER_TCP_SEGMENTS_RECEIVED], v[COUNTER_TCP_OUT_OF_ORDER],
		v[COUNTER_TCP_DUPLICATE], v[COUNTER_TCP_ACKS_SENT], report_segments_per_ack(r),
		(double)histogram_percentile(&r->ack_delay, 50.0) / 1e3,
		(double)histogram_percentile(&r->ack_delay, 99.0) / 1e3,
		(double)r->ack_delay.max / 1e3);
	fprintf(out,
		"core %d: %.0f cycles a segment, %.0f %% busy; busy iterations p50 %.1f p99.9 %.1f "
		"us; NIC drops: imissed %" PRIu64 ", rx_nombuf %" PRIu64 "\n",
		r->core, report_cycles_per_segment(r), report_busy_percent(r),
		iteration_us(r, 50.0), iteration_us(r, 99.9), r->nic.rx_missed, r->nic.rx_no_mbuf);
	if (report_busy_percent(r) > 90.0)
		fprintf(out, "warning: the poll core was more than 90 %% busy: dpfetch itself may "
			     "be the "
			     "limit of this figure\n");
}

void
report_summary(const struct report *r, FILE *out)
{
	fprintf(out,
		"%" PRIu64 " bytes in %.3f s, %.3f Gb/s  (connect %.3f ms, first byte %.3f ms)",
		r->result.body_bytes, report_total_seconds(r), report_goodput_bps(r) / 1e9,
		report_seconds(r, r->result.connected_ns) * 1e3,
		report_seconds(r, r->result.first_byte_ns) * 1e3);
	if (r->path != NULL && r->sink.writes > 0)
		fprintf(out, "  to %s by %s", r->path, sink_method_name(r->sink.method));
	fputc('\n', out);
	if (r->kernel)
		print_kernel(r, out);
	else
		print_own_stack(r, out);
	if (r->sink.digest_hex[0] != '\0')
		fprintf(out, "%s %s\n", r->digest_name, r->sink.digest_hex);
	print_troubles(r, out);
}

#define HINT_CHECKSUMS                                                                           \
	"the server's kernel left TCP checksums to hardware that a virtual link does not have, " \
	"so its "                                                                                \
	"segments look corrupt; "

void
report_link_hints(const struct message_level *level, const struct counters *counters,
	const struct settings *settings)
{
	bool partial = counters->value[COUNTER_DROP_TCP_CHECKSUM_PARTIAL] > 0;
	bool of_a_driver = settings->nic_mode == SETTINGS_NIC_AF_PACKET ||
			   settings->nic_mode == SETTINGS_NIC_AF_XDP;
	bool ring_helps = of_a_driver && settings_queues(settings) == 1;

	if (partial && !settings->checksum_offload)
		message_warning(level,
			HINT_CHECKSUMS "leave out --no-checksum-offload to take them as they are");
	else if (partial)
		message_warning(level,
			HINT_CHECKSUMS
			"%sat the SERVER's end of the link: ethtool -K IF tx off tso off gso off",
			ring_helps ? "--nic-mode ring takes them as they are; or " : "");
	if (counters->value[COUNTER_DROP_IP_TRUNCATED] > 0)
		message_warning(level,
			"frames arrived cut short: the server's end sends larger ones than our "
			"ring "
			"takes; --nic-mode vnet takes them whole; or there: ethtool -K IF tso off "
			"gso off; here: ethtool -K %s gro off, or a larger --mtu",
			settings->nic);
}
