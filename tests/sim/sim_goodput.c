/* SPDX-License-Identifier: BSD-3-Clause */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base_bytes.h"
#include "base_check.h"
#include "sim_goodput.h"
#include "sim_world.h"

#define MSS 1448.0 /* with timestamps */
#define FRAME 1514.0 /* that it takes on the cable */
#define WINDOW_BYTES (16U << 20)
#define QUEUE_MIN_BYTES 150000U

static const uint32_t losses_per_million[] = {0, 100, 1000, 10000, 30000};
static const double rtts_ms[] = {0.1, 1, 10, 50, 100};
static const double rates_mbps[] = {10, 100, 1000, 10000};

struct cell {
	double loss, rtt_s, rate_bps;
};

/* Mathis, Semke, Mahdavi, Ott: The macroscopic behavior of the TCP congestion avoidance algorithm
 * (1997), eq. 3. The server's cwnd grows by bytes acknowledged, so that delayed ACKs do not slow it:
 * C = sqrt(3/2). Bits per second. */
static double
mathis(const struct cell *c)
{
	return c->loss > 0 ? MSS * 8 / c->rtt_s * sqrt(1.5 / c->loss) : HUGE_VAL;
}

/* Padhye, Firoiu, Towsley, Kurose: Modeling TCP throughput (1998), eq. 30 without its window limit,
 * b = 1; the RTO is the server's: 200 ms and two RTTs. */
static double
pftk(const struct cell *c)
{
	double p = c->loss, rto_s = 0.2 + 2 * c->rtt_s, waits;

	if (p <= 0)
		return HUGE_VAL;
	waits = rto_s * fmin(1, 3 * sqrt(3 * p / 8)) * p * (1 + 32 * p * p);
	return MSS * 8 / (c->rtt_s * sqrt(2 * p / 3) + waits);
}

/* What neither TCP nor Mathis can pass: the cable, headers paid, and our window. */
static double
ceiling(const struct cell *c)
{
	return fmin(c->rate_bps * MSS / FRAME, WINDOW_BYTES * 8.0 / c->rtt_s);
}

/* Some sixty losses where they happen, and enough to leave slow start behind; within reason. */
static uint64_t
body_len(const struct cell *c)
{
	double segments = c->loss > 0 ? 60 / c->loss : 0;
	double pipe = fmin(ceiling(c), mathis(c)) * c->rtt_s / 8 / MSS;

	segments = fmax(segments, 40 * pipe);
	return (uint64_t)(MSS * fmin(fmax(segments, 16000), 120000));
}

static void
configure(const struct cell *c, struct sim_config *ret)
{
	struct sim_link_config link = {
		.bits_per_second = (uint64_t)c->rate_bps,
		.delay_ns = (uint64_t)(c->rtt_s * 1e9 / 2),
		.queue_bytes =
			MAX_OF((uint32_t)fmin(c->rate_bps * c->rtt_s / 8, 1e9), QUEUE_MIN_BYTES),
	};

	sim_case_plain(body_len(c), ret);
	ret->to_server = link;
	link.loss_per_million = (uint32_t)(c->loss * 1e6 + 0.5);
	ret->to_client = link;
	ret->peer.exact_recovery = true;
	ret->unchecked = true;
	ret->window_bytes = WINDOW_BYTES;
	ret->payloads_max = 4U * WINDOW_BYTES / 1448U;
}

/* Of the second half of the body, which slow start has no part in. Bits per second; 0: it failed. */
static double
measure(const struct cell *c, struct sim_outcome *out)
{
	struct sim_config cfg;

	configure(c, &cfg);
	sim_world_run(&cfg, out);
	if (out->failure[0] != '\0') {
		printf("\nFAILED at loss %g, RTT %g s, %g b/s: %s\n", c->loss, c->rtt_s,
			c->rate_bps, out->failure);
		return 0;
	}
	return (double)(cfg.body_len[0] - out->half_bytes) * 8e9 /
	       (double)(out->took_ns[0] - out->half_ns);
}

static void
print_mbps(double bps)
{
	if (isinf(bps))
		printf("%8s ", "-");
	else
		printf("%8.*f ", bps < 1e8 ? 2 : 0, bps / 1e6);
}

/* One loss and RTT: a line. */
static bool
print_line(double loss, double rtt_ms, struct sim_outcome *out)
{
	struct cell c = {.loss = loss, .rtt_s = rtt_ms / 1e3};
	double got;
	size_t i;

	printf("%5g %5g ", loss * 100, rtt_ms);
	print_mbps(mathis(&c));
	print_mbps(pftk(&c));
	for (i = 0; i < sizeof(rates_mbps) / sizeof(rates_mbps[0]); i++) {
		c.rate_bps = rates_mbps[i] * 1e6;
		got = measure(&c, out);
		if (got <= 0)
			return false;
		print_mbps(got);
		printf("%5.2f ", got / fmin(ceiling(&c), mathis(&c)));
		fflush(stdout);
	}
	printf("\n");
	return true;
}

bool
sim_goodput_table(void)
{
	struct sim_outcome *out = malloc(sizeof(*out));
	bool good = true;
	size_t l, r;

	CHECK(out != NULL);
	printf("Goodput in Mb/s, and as a fraction of the least of cable, window (%u MiB) and "
	       "Mathis\n"
	       "loss   RTT   Mathis     PFTK        10 Mb/s       100 Mb/s         1 Gb/s        "
	       "10 "
	       "Gb/s\n"
	       "   %%    ms\n",
		WINDOW_BYTES >> 20);
	for (l = 0; good && l < sizeof(losses_per_million) / sizeof(losses_per_million[0]); l++) {
		for (r = 0; good && r < sizeof(rtts_ms) / sizeof(rtts_ms[0]); r++)
			good = print_line(losses_per_million[l] / 1e6, rtts_ms[r], out);
	}
	free(out);
	return good;
}
