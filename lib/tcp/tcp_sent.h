/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TCP_SENT_H
#define TCP_SENT_H

#include <stdbool.h>
#include <stdint.h>

#include "tcp_limits.h"
#include "wire_tcp.h"

/*
 * What is outstanding, segment by segment, and when each was last sent: RFC 8985 §5.2. The records
 * lie side by side from SND.UNA to SND.NXT, so that a record begins where the one before it ends.
 * What has been SACKed stands in the scoreboard; `sacked` here is a note that all of a record was.
 *
 * The memory is given once. New data may fill half of the records (tcp_sent_has_room); the other
 * half is for splitting them when part of one is sent again. Should even that run out, which takes
 * a peer that SACKs crumbs of segments, a record counts as sent again as a whole: what of it was
 * not is found lost later, by its new time or by the RTO.
 */

/** One segment, or what is left of it. */
struct tcp_sent_record {
	uint64_t xmit_ns; /* Segment.xmit_ts: when it was last sent */
	uint32_t right; /* Segment.end_seq, exclusive */
	bool retransmitted; /* more than once */
	bool lost; /* and not sent again since */
	bool sacked; /* from end to end */
	bool delivered; /* it was sacked once: no news, even if a timeout forgot it since */
};

/** Fields may be read; they are changed by the functions only. */
struct tcp_sent {
	struct tcp_sent_record *ring;
	uint32_t size; /* a power of two */
	uint32_t head, count; /* head is free-running */
	uint32_t una; /* where the first record begins */
	uint32_t lost_count, sacked_count; /* records that are */
};

/** Records for what a send buffer of buffer_bytes may have outstanding: a power of two. */
uint32_t tcp_sent_records(uint32_t buffer_bytes);

/** Its memory: records (tcp_sent_records) of them, the caller's, which has to outlive s. */
void tcp_sent_init(struct tcp_sent *s, struct tcp_sent_record *ring, uint32_t records);

/** Nothing is outstanding; the next byte to be sent is una. */
void tcp_sent_reset(struct tcp_sent *s, uint32_t una);

/** May another segment of new data be sent? If not, ACKs will make room. */
bool tcp_sent_has_room(const struct tcp_sent *s);

/** The i-th record from SND.UNA on, 0..count - 1. */
static inline struct tcp_sent_record *
tcp_sent_at(const struct tcp_sent *s, uint32_t i)
{
	return &s->ring[(s->head + i) & (s->size - 1)];
}

/** Where it begins. */
static inline uint32_t
tcp_sent_left(const struct tcp_sent *s, uint32_t i)
{
	return i == 0 ? s->una : tcp_sent_at(s, i - 1)->right;
}

/** New data up to right (exclusive) goes for the first time; there is room. */
void tcp_sent_on_new(struct tcp_sent *s, uint32_t right, uint64_t now_ns);

/** Part of the i-th record, at most all of it, goes again. */
void tcp_sent_on_retransmit(
	struct tcp_sent *s, uint32_t i, const struct tcp_sack_block *segment, uint64_t now_ns);

/** SND.UNA is una: the records below it, which the caller has seen, go; of one that contains it
 *  the rest stays. */
void tcp_sent_on_ack(struct tcp_sent *s, uint32_t una);

/** The i-th record has been lost (it is neither lost yet nor sacked). */
void tcp_sent_set_lost(struct tcp_sent *s, uint32_t i);

/** All of the i-th record has been SACKed. */
void tcp_sent_set_sacked(struct tcp_sent *s, uint32_t i);

/** What was SACKed is forgotten (RFC 2018 §8), though not that it was delivered. */
void tcp_sent_forget_sacked(struct tcp_sent *s);

/** Nothing is lost after all. */
void tcp_sent_clear_lost(struct tcp_sent *s);

/** All that is outstanding has been lost, SACKed or not: it is one record from now on, whatever
 *  segments it went in. */
void tcp_sent_set_all_lost(struct tcp_sent *s);

/** Checks every invariant with CHECK(); the records must reach from una to nxt. For tests. */
void tcp_sent_check(const struct tcp_sent *s, uint32_t una, uint32_t nxt);

#endif
