/* SPDX-License-Identifier: BSD-3-Clause */
#include "base_bytes.h"
#include "host_capacity.h"

#define TCP_IP_HEADER_LEN 40U
#define GET_CONNECTIONS 16U /* one in use, others closing */
/* As clients of a kernel choose them; a load generator needs all that RFC 6056 §3.2 allows. */
#define GET_PORT_FIRST 32768U
#define GET_PORT_COUNT 32768U
#define BENCH_PORT_FIRST 1024U
#define BENCH_PORT_COUNT 64512U
#define GET_SND_BUFFER_BYTES 65536U
#define BUFFERS_PER_WINDOW 2U /* room for segments of half the full size */
#define BUFFERS_MIN 1024U

/* bench: what all windows and all that is on its way come to; windows that small are for many
 * connections with small responses. */
#define BENCH_WINDOWS_BYTES (64U << 20)
#define BENCH_WINDOW_MIN_BYTES (16U << 10)
#define BENCH_IN_FLIGHT_BYTES (32U << 20)
#define BENCH_BUFFERS_EACH_MIN 16U
#define BENCH_BUFFERS_HELD_MAX 32768U
#define BENCH_SND_BUFFER_MIN_BYTES 2048U
#define BENCH_SND_BUFFER_MAX_BYTES 65536U
#define BENCH_OUT_OF_ORDER_MIN 4096U
#define BENCH_CLOSING_MIN 256U /* connections that close beside those that are open */

static uint32_t
frames_in(const struct settings *s, uint64_t bytes)
{
	return (uint32_t)(bytes / (s->mtu - TCP_IP_HEADER_LEN));
}

struct host_capacity
host_capacity_of_get(const struct settings *s)
{
	uint32_t frames = frames_in(s, s->window_bytes);
	uint32_t buffers = MAX_OF(frames * BUFFERS_PER_WINDOW, BUFFERS_MIN);

	if (s->rx_buffers > 0)
		buffers = (uint32_t)MAX_OF(s->rx_buffers, UINT64_C(64));
	return (struct host_capacity){
		.connections = GET_CONNECTIONS,
		.port_first = GET_PORT_FIRST,
		.port_count = GET_PORT_COUNT,
		.window_bytes = (uint32_t)s->window_bytes,
		.buffers_each = buffers,
		.buffers_held = buffers,
		.frames_in_flight = frames + frames / 4,
		.snd_buffer_bytes = GET_SND_BUFFER_BYTES,
	};
}

static uint32_t
power_of_two_for(uint32_t bytes)
{
	uint32_t size = BENCH_SND_BUFFER_MIN_BYTES;

	while (size < bytes && size < BENCH_SND_BUFFER_MAX_BYTES)
		size *= 2;
	return size;
}

struct host_capacity
host_capacity_of_bench(const struct settings *s, uint32_t request_bytes)
{
	uint32_t queues = settings_queues(s);
	uint32_t open = ((uint32_t)s->connections + queues - 1) / queues;
	uint64_t share = MAX_OF(BENCH_WINDOWS_BYTES / s->connections, BENCH_WINDOW_MIN_BYTES);
	uint32_t window = (uint32_t)MIN_OF(s->window_bytes, share);
	uint32_t each = MAX_OF(frames_in(s, window) * BUFFERS_PER_WINDOW, BENCH_BUFFERS_EACH_MIN);
	uint64_t held = MAX_OF((uint64_t)each * open, (uint64_t)BUFFERS_MIN);
	uint64_t in_flight = MIN_OF((uint64_t)window * open, (uint64_t)BENCH_IN_FLIGHT_BYTES);

	held = MIN_OF(held, (uint64_t)BENCH_BUFFERS_HELD_MAX / queues);
	return (struct host_capacity){
		.connections = open + MAX_OF(open / 8, BENCH_CLOSING_MIN) + (s->cps ? open : 0),
		.out_of_order = MAX_OF(open / 16, MIN_OF(open, BENCH_OUT_OF_ORDER_MIN)),
		.port_first = BENCH_PORT_FIRST,
		.port_count = BENCH_PORT_COUNT,
		.window_bytes = window,
		.buffers_each = each,
		.buffers_held =
			(uint32_t)(s->rx_buffers > 0 ? MAX_OF(s->rx_buffers / queues, UINT64_C(64))
						     : held),
		.frames_in_flight = MAX_OF(frames_in(s, in_flight) + frames_in(s, in_flight) / 4,
			frames_in(s, s->window_bytes)),
		.snd_buffer_bytes = power_of_two_for(request_bytes),
	};
}
