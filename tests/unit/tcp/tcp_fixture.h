/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TCP_FIXTURE_H
#define TCP_FIXTURE_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base_bytes.h"
#include "tcp_priv.h"
#include "test_buffer.h"

/*
 * A connection in any state, and the peer's view of it. Every input and output is followed by
 * tcp_conn_check, and of every segment sent it is checked that it fits the path and that the
 * window's right edge, as the peer computes it, did not retreat.
 */
struct fx {
	struct tcp_conn *c;
	struct test_buffers buffers;
	struct counters counters;
	struct histogram ack_delay;
	struct tcp_config cfg;
	uint64_t now_ns;
	uint32_t ts; /* the peer's timestamp clock */
	uint32_t edge; /* the right edge that the peer knows */
};

#define FX_ISS UINT32_C(0xfffffff0) /* so that sequence numbers wrap at once */
#define FX_IRS UINT32_C(0xffffff00)
#define FX_BASE (FX_IRS + 1) /* the peer's first data byte */
#define FX_UNA (FX_ISS + 1) /* our first data byte */
#define FX_TS_OFFSET 5000U
#define FX_WINDOW 1000U /* the peer's window field */
#define FX_MSS 1448U /* what we send in a full segment */

#define TEST(name) static void name(__attribute__((unused)) void **unused_state)
#define T(name) cmocka_unit_test(name)

/** Brings a new connection to state (not CLOSED), with nothing left to send. change: alters the
 *  configuration, or NULL. In the states after ESTABLISHED no data was exchanged. The first
 *  windows' quick ACKs are over; fx_open_quick leaves them. */
struct fx *fx_open(enum tcp_state state, void (*change)(struct tcp_config *cfg));
struct fx *fx_open_quick(void (*change)(struct tcp_config *cfg));
/** A connection whose first SYN is due. */
struct fx *fx_open_syn(void (*change)(struct tcp_config *cfg));

/** Destroys the connection and frees f; no buffer may be left. */
void fx_end(struct fx *f);

/** The next segment, which must exist. */
struct tcp_segment fx_expect(struct fx *f);
/** The same; its flags must be these. */
struct tcp_segment fx_expect_flags(struct fx *f, uint8_t flags);
/** The same; it must be a plain ACK of base + offset. */
struct tcp_segment fx_expect_ack(struct fx *f, uint32_t offset);
/** The next segment, len payload bytes at this offset of our stream. */
void fx_expect_data(struct fx *f, uint32_t offset, uint32_t len);
/** There must be nothing to send. */
void fx_expect_silence(struct fx *f);
/** Takes all there is; returns how many segments. */
uint32_t fx_drain(struct fx *f);
/** To the next deadline, which must exist, and not earlier than now. */
void fx_advance_to_deadline(struct fx *f);

/** Payload bytes of a segment that was sent (its buffer is a ring: there may be two runs). */
uint32_t fx_payload_len(const struct tcp_segment *s);

/** A data segment of the peer, offset bytes into its stream. */
struct tcp_segment fx_segment(struct fx *f, uint32_t offset, uint32_t len);
/** The peer's SYN-ACK with all options. */
struct tcp_segment fx_syn_ack(const struct fx *f);

/** Input; a timestamp is put in where the connection uses them and none is given. */
void fx_input(struct fx *f, struct tcp_segment s);
void fx_data(struct fx *f, uint32_t offset, uint32_t len);
void fx_data_flags(struct fx *f, uint32_t offset, uint32_t len, uint8_t flags);
void fx_control(struct fx *f, uint32_t seq, uint32_t ack, uint8_t flags);
/** A plain ACK with this window field. */
void fx_window(struct fx *f, uint32_t ack, uint16_t window);
/** A plain ACK with one SACK block. */
void fx_sack(struct fx *f, uint32_t ack, uint32_t left, uint32_t right);

/** Reads and checks all that is in order, from offset on; returns its length. */
uint32_t fx_read(struct fx *f, uint32_t offset);

uint64_t fx_count(const struct fx *f, enum counter_id id);

#endif
