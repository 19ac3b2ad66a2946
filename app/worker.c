/* SPDX-License-Identifier: BSD-3-Clause */
#include "base_bytes.h"
#include "base_compiler.h"
#include "worker.h"

#define BURST_FRAMES 32U
#define BURST_FRAMES_MIN 4U
#define BURST_BYTES 131072U /* about 5 us of checksums */

/* One by one, so that it is known of each frame what became of it. */
static void
input_tapped(struct worker *w, struct frame *frames, uint32_t n, uint64_t now_ns)
{
	struct counters before;
	uint32_t i;

	for (i = 0; i < n; i++) {
		before = *w->counters;
		capture_received(w->tap, &frames[i], now_ns);
		netstack_input(w->netstack, &frames[i], 1, now_ns);
		capture_settle(w->tap, counters_dropped(&before, w->counters));
	}
}

static void
tap_sent(struct worker *w, const struct tx_frame *frames, uint32_t n, uint64_t now_ns)
{
	uint32_t i;

	for (i = 0; i < n; i++)
		capture_sent(w->tap, &frames[i], now_ns);
}

/* Sends what is due, but not without looking at what has come: on a virtual port a frame may cost as
 * much as the server's whole work for it, and answers that wait in the ring let timers expire, which
 * makes still more due. Returns the frames handed to the port. */
static uint32_t
transmit(struct worker *w, uint64_t now_ns)
{
	struct tx_frame *tx;
	uint32_t reserved, filled, total = 0;

	do {
		tx = port_tx_reserve(w->queue, BURST_FRAMES, &reserved);
		filled = netstack_output(w->netstack, now_ns, tx, reserved);
		if (UNLIKELY(w->tap != NULL))
			tap_sent(w, tx, filled, now_ns);
		port_tx_burst(w->queue, filled);
		total += filled;
	} while (filled > 0 && filled == reserved && total < WORKER_TX_FRAMES_MAX);
	return total;
}

static void
account(struct worker *w, uint64_t cycles, bool busy)
{
	struct worker_usage *u = &w->usage;

	u->iterations++;
	u->cycles += cycles;
	if (!busy)
		return;
	u->iterations_busy++;
	u->cycles_busy += cycles;
	u->iteration_cycles_max = MAX_OF(u->iteration_cycles_max, cycles);
	histogram_record(&w->iteration, cycles);
}

void
worker_usage_add(struct worker_usage *to, const struct worker_usage *from)
{
	to->iterations += from->iterations;
	to->iterations_busy += from->iterations_busy;
	to->cycles += from->cycles;
	to->cycles_busy += from->cycles_busy;
	to->cpu_ns += from->cpu_ns;
	to->iteration_cycles_max = MAX_OF(to->iteration_cycles_max, from->iteration_cycles_max);
}

uint32_t
worker_rx_burst(uint32_t mtu)
{
	uint32_t frames = BURST_BYTES / MAX_OF(mtu, 1U);

	frames = MAX_OF(frames, BURST_FRAMES_MIN);
	return MIN_OF(frames, BURST_FRAMES);
}

void
worker_run(struct worker *w, worker_poll_fn poll, void *ctx)
{
	struct frame frames[BURST_FRAMES];
	uint64_t start = port_cycles(), end, now_ns;
	uint32_t received, sent;
	bool stop;

	do {
		received = port_rx_burst(w->queue, frames, w->rx_burst);
		now_ns = port_clock_ns();
		if (LIKELY(w->tap == NULL))
			netstack_input(w->netstack, frames, received, now_ns);
		else
			input_tapped(w, frames, received, now_ns);
		received += netstack_input_exchanged(w->netstack, now_ns);
		stop = poll(ctx, now_ns);
		sent = transmit(w, port_clock_ns());
		end = port_cycles();
		account(w, end - start, received + sent > 0);
		start = end;
	} while (!stop);
}
