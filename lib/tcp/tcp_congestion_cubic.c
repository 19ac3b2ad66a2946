/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp_congestion_priv.h"

#include <math.h>

#include "base_time.h"

#define CUBIC_C 0.4 /* segments / s^3, RFC 9438 §5 */
#define CUBIC_BETA 0.7 /* RFC 9438 §4.6 */
#define CUBIC_ALPHA (3.0 * (1.0 - CUBIC_BETA) / (1.0 + CUBIC_BETA)) /* RFC 9438 §4.3 */
#define CUBIC_TARGET_MAX 1.5 /* of cwnd in one RTT, RFC 9438 §4.2 */

static double
seconds(uint64_t ns)
{
	return (double)ns / (double)NS_PER_SEC;
}

/* C in bytes / s^3. */
static double
cubic_c(const struct tcp_congestion_control *cc)
{
	return CUBIC_C * (double)cc->smss;
}

/* RFC 9438 §4.2 eq. 1 */
static double
w_cubic(const struct tcp_congestion_control *cc, double t)
{
	double offset = t - cc->cubic.k;

	return cubic_c(cc) * offset * offset * offset + cc->cubic.w_max;
}

static uint32_t
cubic_on_congestion(struct tcp_congestion_control *cc, uint32_t flight_bytes)
{
	double cwnd = (double)cc->cwnd;

	/* RFC 9438 §4.7: fast convergence makes room for a new flow. */
	cc->cubic.w_max = cwnd < cc->cubic.w_max ? cwnd * (1.0 + CUBIC_BETA) / 2.0 : cwnd;
	cc->cubic.cwnd_prior = cwnd;
	cc->cubic.epoch_start_ns = TIME_NEVER;
	return (uint32_t)lround((double)flight_bytes * CUBIC_BETA);
}

/* RFC 9438 §4.8: in the next congestion avoidance K is 0 and W_max is where it begins. */
static void
cubic_on_restart(struct tcp_congestion_control *cc)
{
	cc->cubic.w_max = 0.0;
	cc->cubic.epoch_start_ns = TIME_NEVER;
}

static void
begin_epoch(struct tcp_congestion_control *cc, uint64_t now_ns)
{
	struct tcp_cubic *c = &cc->cubic;
	double cwnd_epoch = (double)cc->cwnd;

	c->epoch_start_ns = now_ns;
	c->w_est = cwnd_epoch;
	c->cwnd_fraction = 0.0;
	if (c->w_max > cwnd_epoch) {
		c->k = cbrt((c->w_max - cwnd_epoch) / cubic_c(cc)); /* RFC 9438 §4.2 eq. 2 */
	} else {
		c->k = 0.0;
		c->w_max = cwnd_epoch;
	}
}

/* RFC 9438 §4.3: what Reno would have, at its own rate once it has regained cwnd_prior. */
static void
estimate_reno(struct tcp_congestion_control *cc, double windows_acked)
{
	struct tcp_cubic *c = &cc->cubic;
	double alpha = c->w_est < c->cwnd_prior ? CUBIC_ALPHA : 1.0;

	c->w_est += alpha * windows_acked * (double)cc->smss;
}

/* RFC 9438 §4.4 and §4.5: cwnd after an ACK of that part of the window. */
static double
concave_or_convex(const struct tcp_congestion_control *cc, double cwnd, double windows_acked,
	double t, double rtt)
{
	double target = w_cubic(cc, t + rtt);

	target = fmin(fmax(target, cwnd), CUBIC_TARGET_MAX * cwnd);
	return cwnd + (target - cwnd) * windows_acked;
}

static void
cubic_on_avoidance_ack(
	struct tcp_congestion_control *cc, uint32_t bytes, uint64_t srtt_ns, uint64_t now_ns)
{
	struct tcp_cubic *c = &cc->cubic;
	double cwnd, next, t, windows_acked = fmin((double)bytes / (double)cc->cwnd, 1.0);

	if (c->epoch_start_ns == TIME_NEVER)
		begin_epoch(cc, now_ns);
	else if (cc->unlimited) /* RFC 9438 §5.8: that time does not count. */
		c->epoch_start_ns += now_ns - cc->unlimited_since_ns;
	cwnd = (double)cc->cwnd + c->cwnd_fraction;
	t = seconds(now_ns - c->epoch_start_ns);
	estimate_reno(cc, windows_acked);
	if (w_cubic(cc, t) < c->w_est)
		next = fmax(cwnd, c->w_est);
	else
		next = concave_or_convex(cc, cwnd, windows_acked, t, seconds(srtt_ns));
	next = fmin(next, (double)TCP_CONGESTION_CWND_MAX);
	cc->cwnd = (uint32_t)next;
	c->cwnd_fraction = next - (double)cc->cwnd;
}

const struct tcp_congestion_ops tcp_congestion_cubic = {
	.on_congestion = cubic_on_congestion,
	.on_restart = cubic_on_restart,
	.on_avoidance_ack = cubic_on_avoidance_ack,
};
