/* SPDX-License-Identifier: BSD-3-Clause */
#include "base_bytes.h"
#include "base_check.h"
#include "tcp_priv.h"

uint32_t
tcp_send_buffer_size(uint32_t bytes)
{
	uint32_t size = 1;

	while (size < bytes)
		size *= 2;
	return size;
}

void
tcp_send_start(struct tcp_conn *c, uint32_t iss)
{
	c->iss = iss;
	c->snd_una = iss;
	c->send.base_seq = c->send.end_seq = iss + 1;
	tcp_scoreboard_reset(&c->board, iss, c->smss);
	tcp_rack_reset(c);
	tcp_tlp_reset(c);
	tcp_undo_stop(c);
}

void
tcp_send_on_smss(struct tcp_conn *c, uint16_t smss)
{
	c->smss = smss;
	tcp_scoreboard_on_smss(&c->board, smss);
	tcp_congestion_on_smss(&c->congestion, smss);
}

/* The sequence number after all that is queued, our FIN included. */
static uint32_t
stream_end(const struct tcp_conn *c)
{
	return c->send.end_seq + (c->fin_queued ? 1U : 0U);
}

bool
tcp_send_pending(const struct tcp_conn *c)
{
	return seq_lt(tcp_snd_nxt(c), stream_end(c));
}

bool
tcp_send_fin_acked(const struct tcp_conn *c)
{
	return c->fin_queued && c->snd_una == stream_end(c);
}

/* ---- what to send next ---- */

/* left .. right of the stream as a segment: bytes from the ring, FIN at its end. */
static void
fill_segment(const struct tcp_conn *c, uint32_t left, uint32_t right, struct tcp_segment *ret)
{
	const struct tcp_send_buffer *b = &c->send;
	uint32_t len = seq_min(right, b->end_seq) - left;
	uint32_t at = left & (b->size - 1), first = MIN_OF(len, b->size - at);

	ret->seq = left;
	ret->flags |= TCP_ACK;
	if (seq_gt(right, b->end_seq))
		ret->flags |= TCP_FIN;
	if (len > 0 && seq_geq(right, b->end_seq))
		ret->flags |= TCP_PSH;
	ret->payload = (struct payload){.data = b->bytes + at, .len = first};
	ret->payload2 = (struct payload){.data = b->bytes, .len = len - first};
}

static void
on_transmit(struct tcp_conn *c, const struct tcp_segment *ret, uint64_t now_ns)
{
	c->last_sent_ns = now_ns;
	if (c->board.recovering)
		tcp_congestion_on_recovery_sent(
			&c->congestion, ret->payload.len + ret->payload2.len);
	if (c->rto_ns == TIME_NEVER)
		tcp_timer_start_rto(c, now_ns);
}

static bool
fill_again(struct tcp_conn *c, const struct tcp_sack_block *segment, uint64_t now_ns,
	struct tcp_segment *ret)
{
	fill_segment(c, segment->left, segment->right, ret);
	c->timed_ns = 0; /* Karn */
	tcp_undo_on_retransmit(c, segment, now_ns);
	c->retransmits++;
	counter_add(c->counters, COUNTER_TCP_RETRANSMITS, 1);
	on_transmit(c, ret, now_ns);
	return true;
}

static bool
send_again(struct tcp_conn *c, enum tcp_next_seg kind, const struct tcp_sack_block *segment,
	uint64_t now_ns, struct tcp_segment *ret)
{
	tcp_scoreboard_on_retransmit(&c->board, kind, segment);
	return fill_again(c, segment, now_ns, ret);
}

/* With RACK: part of this record of c->sent. */
static bool
send_record_again(struct tcp_conn *c, uint32_t record, const struct tcp_sack_block *segment,
	uint64_t now_ns, struct tcp_segment *ret)
{
	tcp_sent_on_retransmit(&c->sent, record, segment, now_ns);
	if (c->board.recovering) /* RFC 6675 §6: so that it does not end while it goes well */
		tcp_timer_restart_rto(c, now_ns);
	return fill_again(c, segment, now_ns, ret);
}

/* Bytes of new data that the peer's window and silly window avoidance allow now; 0: none.
 * RFC 9293 §3.8.6.2.1, the sender's algorithm with PUSH. */
static uint32_t
sendable(const struct tcp_conn *c)
{
	uint32_t nxt = tcp_snd_nxt(c), edge = c->snd_una + c->snd_wnd, queued, open, len;

	if (!tcp_send_pending(c) || (c->rack.on && !tcp_sent_has_room(&c->sent)))
		return 0;
	queued = stream_end(c) - nxt;
	open = seq_gt(edge, nxt) ? edge - nxt : 0;
	len = MIN_OF(MIN_OF(queued, open), (uint32_t)c->smss);
	if (len == queued || len == c->smss || len >= c->snd_wnd_max / 2 || c->small_allowed)
		return len;
	return 0;
}

bool
tcp_send_blocked(const struct tcp_conn *c)
{
	return tcp_send_pending(c) && tcp_snd_nxt(c) == c->snd_una && sendable(c) == 0;
}

bool
tcp_send_override(struct tcp_conn *c)
{
	c->small_allowed = c->snd_wnd > 0; /* nothing is in flight */
	return c->small_allowed;
}

static bool
send_new(struct tcp_conn *c, uint64_t now_ns, uint32_t len, struct tcp_segment *ret)
{
	uint32_t left = tcp_snd_nxt(c), right = left + len;

	if (left == c->snd_una && c->last_sent_ns != 0)
		tcp_congestion_on_idle(
			&c->congestion, now_ns - c->last_sent_ns, tcp_rtt_rto(&c->rtt));
	c->small_allowed = false;
	fill_segment(c, left, right, ret);
	tcp_ecn_on_new_data(c, ret);
	tcp_scoreboard_on_sent(&c->board, right);
	if (c->rack.on)
		tcp_sent_on_new(&c->sent, right, now_ns);
	if (c->timed_ns == 0) {
		c->timed_seq = right;
		c->timed_ns = now_ns;
	}
	on_transmit(c, ret, now_ns);
	tcp_tlp_schedule(c, now_ns);
	return true;
}

/* RFC 6675's pipe; in fast recovery without SACK, cwnd is inflated instead (RFC 6582 §3.2). */
uint32_t
tcp_send_in_network(const struct tcp_conn *c)
{
	if (c->board.recovering && !c->sack)
		return tcp_snd_nxt(c) - c->snd_una;
	if (c->rack.on)
		return tcp_rack_pipe(c);
	return tcp_scoreboard_pipe(&c->board);
}

/* Lost segments first, then new data. */
static bool
send_in_rack_recovery(struct tcp_conn *c, uint64_t now_ns, struct tcp_segment *ret)
{
	struct tcp_sack_block segment;
	uint32_t record, len;

	if (c->congestion.cwnd < tcp_send_in_network(c) + c->smss)
		return false;
	if (tcp_rack_next_lost(c, &record, &segment))
		return send_record_again(c, record, &segment, now_ns, ret);
	len = sendable(c);
	return len > 0 && send_new(c, now_ns, len, ret);
}

static bool
send_in_recovery(struct tcp_conn *c, uint64_t now_ns, struct tcp_segment *ret)
{
	struct tcp_sack_block segment;
	uint32_t len = sendable(c);
	enum tcp_next_seg kind;

	if (c->congestion.cwnd < tcp_send_in_network(c) + c->smss)
		return false;
	kind = tcp_scoreboard_next_seg(&c->board, len > 0, &segment);
	switch (kind) {
	case TCP_NEXT_SEG_NONE:
		return false;
	case TCP_NEXT_SEG_NEW:
		return send_new(c, now_ns, len, ret);
	case TCP_NEXT_SEG_RETRANSMIT:
	case TCP_NEXT_SEG_RESCUE:
		return send_again(c, kind, &segment, now_ns, ret);
	}
	CHECK(false);
}

static bool
send_normally(struct tcp_conn *c, uint64_t now_ns, struct tcp_segment *ret)
{
	/* With RACK, what was SACKed has left the network: RFC 3042 without its bound. */
	uint32_t len = sendable(c),
		 flight = c->rack.on ? tcp_send_in_network(c) : tcp_snd_nxt(c) - c->snd_una;

	if (len == 0)
		return false;
	if (flight + len <= c->congestion.cwnd)
		return send_new(c, now_ns, len, ret);
	/* RFC 3042: the first duplicate ACKs each let one new segment out. */
	if (c->dup_acks == 0 || c->dup_acks > TCP_LIMITED_TRANSMIT ||
		c->limited_bytes + len > c->dup_acks * c->smss)
		return false;
	c->limited_bytes += len;
	return send_new(c, now_ns, len, ret);
}

/* RFC 8985 §7.3: whatever cwnd says, but for the peer's window. */
static bool
send_probe(struct tcp_conn *c, uint64_t now_ns, struct tcp_segment *ret)
{
	struct tcp_sack_block last;
	uint32_t len = sendable(c), record;

	c->tlp_due = false;
	if (len > 0)
		(void)send_new(c, now_ns, len, ret);
	else if (tcp_rack_last(c, &record, &last))
		(void)send_record_again(c, record, &last, now_ns, ret);
	else
		return false;
	tcp_tlp_on_probe(c, len == 0);
	return true;
}

/* The first of a recovery, which cwnd does not hold back. */
static bool
send_first(struct tcp_conn *c, uint64_t now_ns, struct tcp_segment *ret)
{
	struct tcp_sack_block first;
	uint32_t record;

	c->retransmit_first = false;
	if (c->rack.on)
		return tcp_rack_next_lost(c, &record, &first) &&
		       send_record_again(c, record, &first, now_ns, ret);
	return tcp_scoreboard_first_seg(&c->board, &first) &&
	       send_again(c, TCP_NEXT_SEG_RETRANSMIT, &first, now_ns, ret);
}

bool
tcp_send_next(struct tcp_conn *c, uint64_t now_ns, struct tcp_segment *ret)
{
	if (c->tlp_due && send_probe(c, now_ns, ret))
		return true;
	if (c->retransmit_first && send_first(c, now_ns, ret))
		return true;
	if (tcp_recovery_on(c) && c->rack.on)
		return send_in_rack_recovery(c, now_ns, ret);
	if (tcp_recovery_on(c))
		return send_in_recovery(c, now_ns, ret);
	if (send_normally(c, now_ns, ret))
		return true;
	tcp_timer_update_persist(c, tcp_send_blocked(c), now_ns);
	return false;
}
