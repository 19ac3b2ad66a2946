/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef COMPARE_TRACE_H
#define COMPARE_TRACE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * The first TCP segments that pass an interface, as a packet socket sees them: so both stacks are
 * looked at from the same place.
 */

#define COMPARE_TRACE_SEGMENTS 20000U

/* What a packet socket keeps: so many packets of whatever size, others' on the interface included. */
#define COMPARE_TAP_SLOTS 32768U
#define COMPARE_TAP_SLOT_BYTES 256U
#define COMPARE_TAP_BYTES (COMPARE_TAP_SLOTS * COMPARE_TAP_SLOT_BYTES)

/** A packet socket and its ring (packet_mmap, TPACKET_V2), COMPARE_TAP_BYTES mapped. */
struct compare_tap {
	int fd;
	uint8_t *ring;
};

struct compare_segment {
	uint64_t time_ns; /* since the first one */
	bool from_server;
	uint8_t flags; /* TCP_FLAG_* */
	uint32_t offset; /* from the server: of its first byte in the stream; else: what it
			  * acknowledges, as an offset in the server's stream */
	uint32_t len; /* payload bytes */
};

struct compare_trace {
	uint32_t count;
	struct compare_segment segment[COMPARE_TRACE_SEGMENTS];
};

/** How a trace's data was acknowledged. An ACK's delay is how long the oldest data that it covers first
 *  has waited for it, as seen at the interface. */
struct compare_acks {
	uint32_t data; /* segments with data from the server */
	uint32_t acks; /* that cover data not covered before */
	uint32_t bare; /* all that came from the client without data: repeated ones, too */
	double p50_us, p99_us, max_us; /* of the delays; 0 without acks */
};

/** Each ACK's delay, us, in ret_delay's t->count places. Returns how many. t NULL: none. */
uint32_t compare_trace_delays(const struct compare_trace *t, double *ret_delay);

/** Sums the trace up. false: there is none, or no ACK in it, or no memory. */
bool compare_trace_acks(const struct compare_trace *t, struct compare_acks *ret);

/** The same in a sentence without its subject, into buf (COMPARE_ACKS_TEXT_MAX bytes). false: as above. */
#define COMPARE_ACKS_TEXT_MAX 160U
bool compare_trace_acks_text(const struct compare_trace *t, char *buf);

/** Opens a packet socket that keeps the headers of what passes this interface first. 0, or -errno. */
int compare_trace_open(const char *interface, struct compare_tap *ret);

/** What it kept of the first connection; closes tap. Allocated, the caller's to free; NULL: nothing, or
 *  out of memory. */
struct compare_trace *compare_trace_close(struct compare_tap *tap, uint16_t server_port);

/** Cuts the longer one, so that both have the same bytes of the server's stream: figures of a slow start are not to be
 *  held against those of what follows it. NULL: nothing is cut. */
void compare_trace_cut_alike(struct compare_trace *a, struct compare_trace *b);

#endif
