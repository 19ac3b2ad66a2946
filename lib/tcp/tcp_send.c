/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>

#include "base_bytes.h"
#include "base_check.h"
#include "tcp_priv.h"

bool
tcp_send_buffer_init(struct tcp_send_buffer *b, uint32_t bytes)
{
	uint32_t size = 1;

	while (size < bytes)
		size *= 2;
	b->bytes = malloc(size);
	b->size = size;
	return b->bytes != NULL;
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
}

void
tcp_send_on_smss(struct tcp_conn *c, uint16_t smss)
{
	c->smss = smss;
	tcp_scoreboard_on_smss(&c->board, smss);
	tcp_congestion_on_smss(&c->congestion, smss);
}

/* What was sent before a timeout, or before the path narrowed, counts for nothing. */
static void
begin_repair(struct tcp_conn *c)
{
	tcp_tlp_on_recovery(c);
	tcp_timer_cancel(c, TCP_TIMER_REO);
	c->retransmit_first = false; /* all counts as lost */
	c->dup_acks = 0;
	c->limited_bytes = 0;
	c->timed_ns = 0; /* Karn */
}

/* RFC 1191 §6.5: send again what was too big, in smaller segments. The loss does not mean
 * congestion: the windows stay (there, "should not"). */
void
tcp_send_on_path_smss(struct tcp_conn *c, uint16_t smss)
{
	tcp_send_on_smss(c, smss);
	tcp_congestion_on_exit_recovery(&c->congestion, tcp_snd_nxt(c) - c->snd_una, 0);
	tcp_scoreboard_on_rto(&c->board);
	tcp_rack_on_all_lost(c);
	begin_repair(c);
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

/* ---- what the peer acknowledged ---- */

static void
take_rtt_sample(struct tcp_conn *c, const struct tcp_segment *s, uint32_t flight, uint64_t now_ns)
{
	uint32_t expected = flight / (2U * c->smss) + 1U;

	if (c->timed_ns != 0 && seq_geq(s->ack, c->timed_seq)) {
		tcp_rtt_on_sample(&c->rtt, now_ns - c->timed_ns, expected);
		c->timed_ns = 0;
	} else if (c->timestamps && (s->options & TCP_OPT_TIMESTAMPS) && s->ts_ecr != 0) {
		tcp_rtt_on_timestamp_echo(&c->rtt, tcp_options_clock(c, now_ns), s->ts_ecr,
			TCP_TIMESTAMP_TICK_NS, expected);
	}
}

/* RFC 6675 §5 (A) and (C), RFC 6582 §3.2: what an advance means while repairing a loss. */
static void
recovery_on_advance(struct tcp_conn *c, uint32_t bytes, uint64_t now_ns)
{
	if (seq_geq(c->snd_una, c->board.recovery_point)) {
		tcp_scoreboard_exit_recovery(&c->board);
		tcp_congestion_on_exit_recovery(
			&c->congestion, tcp_snd_nxt(c) - c->snd_una, now_ns);
		c->retransmit_first = false;
		return;
	}
	tcp_congestion_on_partial_ack(&c->congestion, bytes);
	c->retransmit_first = !c->sack;
}

static void
on_advance(struct tcp_conn *c, const struct tcp_segment *s, uint32_t flight, uint64_t now_ns)
{
	uint32_t bytes = s->ack - c->snd_una;

	c->snd_una = s->ack;
	if (seq_gt(c->snd_una, c->send.base_seq))
		c->send.base_seq = seq_min(c->snd_una, c->send.end_seq);
	c->retries = 0;
	c->soft_error = 0;
	c->dup_acks = 0;
	c->limited_bytes = 0;
	take_rtt_sample(c, s, flight, now_ns);
	if (c->board.recovering)
		recovery_on_advance(c, bytes, now_ns);
	else
		tcp_congestion_on_ack(&c->congestion, bytes, flight, c->rtt.srtt_ns, now_ns);
	if (c->snd_una == tcp_snd_nxt(c))
		tcp_timer_stop_rto(c);
	else
		tcp_timer_start_rto(c, now_ns);
}

static void
enter_recovery(struct tcp_conn *c, uint32_t flight, uint64_t now_ns)
{
	tcp_congestion_on_enter_recovery(&c->congestion, flight, c->sack, now_ns);
	tcp_ecn_on_reduction(c);
	tcp_scoreboard_enter_recovery(&c->board);
	tcp_tlp_on_recovery(c);
	c->retransmit_first = true;
	c->limited_bytes = 0;
}

/* RFC 5681 §3.2, RFC 6675 §5: the third duplicate, or SACKs that say as much. */
static void
on_duplicate(struct tcp_conn *c, uint64_t now_ns)
{
	uint32_t flight = tcp_snd_nxt(c) - c->snd_una - c->limited_bytes;

	c->dup_acks++;
	if (c->board.recovering) {
		tcp_congestion_on_dup_ack(&c->congestion);
		return;
	}
	if (c->board.after_rto)
		return;
	if (c->dup_acks >= TCP_SCOREBOARD_DUP_THRESH ||
		tcp_scoreboard_is_lost(&c->board, c->snd_una))
		enter_recovery(c, flight, now_ns);
}

/* ---- with RACK-TLP ---- */

static bool
repairing(const struct tcp_conn *c)
{
	return c->board.recovering || c->board.after_rto;
}

/* RFC 8985 §6.2 step 5. Losses in a recovery are repaired in it. */
static void
find_losses(struct tcp_conn *c, uint64_t now_ns)
{
	uint32_t flight = tcp_snd_nxt(c) - c->snd_una;

	if (c->sent.sacked_count == 0 && c->sent.lost_count == 0 && !repairing(c)) {
		tcp_timer_cancel(c, TCP_TIMER_REO);
		return; /* what is outstanding was sent after all that was delivered */
	}
	tcp_rack_detect_loss(c, now_ns);
	/* FlightSize beyond cwnd is what SACKs let out since (as RFC 3042's in RFC 5681 §3.2). */
	if (c->sent.lost_count > 0 && !repairing(c))
		enter_recovery(c, MIN_OF(flight, c->congestion.cwnd), now_ns);
}

void
tcp_send_on_reo_timer(struct tcp_conn *c, uint64_t now_ns)
{
	find_losses(c, now_ns);
}

/* What RACK-TLP makes of an ACK that the rest has dealt with; acked: it advanced SND.UNA. */
static void
rack_on_ack(struct tcp_conn *c, const struct tcp_segment *s, const struct tcp_scoreboard_news *news,
	bool was_repairing, uint64_t now_ns)
{
	uint32_t flight = tcp_snd_nxt(c) - c->snd_una + news->bytes_acked;
	bool duplicate = news->bytes_acked == 0 && tcp_segment_seq_len(s) == 0;
	struct tcp_rack_event event = {
		.dsack =
			news->dsack.left != news->dsack.right && !tcp_tlp_answered(c, &news->dsack),
		.recovered = was_repairing && !repairing(c),
	};

	tcp_rack_on_ack(c, s, news, &event, now_ns);
	if (tcp_tlp_on_ack(c, s, &news->dsack, duplicate)) {
		tcp_congestion_on_ecn(&c->congestion, MIN_OF(flight, c->congestion.cwnd));
		tcp_ecn_on_reduction(c);
	}
	find_losses(c, now_ns);
	if (news->bytes_acked > 0)
		tcp_tlp_schedule(c, now_ns);
}

/* An ACK below SND.UNA, overtaken by another, says nothing but what it SACKs. */
static void
on_old_ack(struct tcp_conn *c, const struct tcp_segment *s, uint64_t now_ns)
{
	struct tcp_scoreboard_news news;

	if (!c->rack.on || !(s->options & TCP_OPT_SACK) || tcp_snd_nxt(c) == c->snd_una)
		return;
	tcp_scoreboard_update(&c->board, s->ack, s->sack, s->sack_count, &news);
	rack_on_ack(c, s, &news, false, now_ns);
}

/* RFC 9293 §3.10.7.4: only a segment newer than the last one may change the window. */
static bool
update_window(struct tcp_conn *c, const struct tcp_segment *s)
{
	uint32_t before = c->snd_wnd;

	if (seq_lt(c->snd_wl1, s->seq) || (c->snd_wl1 == s->seq && seq_leq(c->snd_wl2, s->ack))) {
		c->snd_wnd = (uint32_t)s->window << c->snd_wscale;
		c->snd_wl1 = s->seq;
		c->snd_wl2 = s->ack;
		c->snd_wnd_max = MAX_OF(c->snd_wnd_max, c->snd_wnd);
	}
	return c->snd_wnd != before;
}

void
tcp_send_on_ack(struct tcp_conn *c, const struct tcp_segment *s, uint64_t now_ns)
{
	struct tcp_scoreboard_news news;
	uint32_t flight = tcp_snd_nxt(c) - c->snd_una;
	bool window_changed, was_repairing = repairing(c);

	if (seq_lt(s->ack, c->snd_una)) {
		on_old_ack(c, s, now_ns);
		return;
	}
	tcp_scoreboard_update(&c->board, s->ack, s->sack,
		c->sack && (s->options & TCP_OPT_SACK) ? s->sack_count : 0, &news);
	window_changed = update_window(c, s);
	if (c->snd_wnd == 0)
		c->retries = 0; /* RFC 9293 MUST-36: shut, but alive */
	if (s->ack != c->snd_una)
		on_advance(c, s, flight, now_ns);
	else if (!c->rack.on && flight > 0 &&
		 (c->sack ? news.bytes_sacked > 0 : tcp_segment_seq_len(s) == 0 && !window_changed))
		on_duplicate(c, now_ns);
	if (c->rack.on)
		rack_on_ack(c, s, &news, was_repairing, now_ns);
	if (tcp_ecn_congested(c, s)) {
		tcp_congestion_on_ecn(&c->congestion, flight);
		tcp_ecn_on_reduction(c);
		counter_add(c->counters, COUNTER_TCP_ECN_REDUCTIONS, 1);
	}
}

void
tcp_send_on_rto(struct tcp_conn *c, uint64_t now_ns)
{
	tcp_congestion_on_rto(&c->congestion, tcp_snd_nxt(c) - c->snd_una, c->retries == 1, now_ns);
	tcp_ecn_on_reduction(c);
	tcp_rack_on_rto(c, now_ns);
	tcp_scoreboard_on_rto(&c->board);
	begin_repair(c);
	c->retransmit_first = c->rack.on; /* not all counts as lost */
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
on_transmit(struct tcp_conn *c, uint64_t now_ns)
{
	c->last_sent_ns = now_ns;
	if (c->rto_ns == TIME_NEVER)
		tcp_timer_start_rto(c, now_ns);
}

static bool
fill_again(struct tcp_conn *c, const struct tcp_sack_block *segment, uint64_t now_ns,
	struct tcp_segment *ret)
{
	fill_segment(c, segment->left, segment->right, ret);
	c->timed_ns = 0; /* Karn */
	c->retransmits++;
	counter_add(c->counters, COUNTER_TCP_RETRANSMITS, 1);
	on_transmit(c, now_ns);
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
		tcp_timer_start_rto(c, now_ns);
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
	on_transmit(c, now_ns);
	tcp_tlp_schedule(c, now_ns);
	return true;
}

/* RFC 6675's pipe; in fast recovery without SACK, cwnd is inflated instead (RFC 6582 §3.2). */
static uint32_t
in_network(const struct tcp_conn *c)
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

	if (c->congestion.cwnd < in_network(c) + c->smss)
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

	if (c->congestion.cwnd < in_network(c) + c->smss)
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
		 flight = c->rack.on ? in_network(c) : tcp_snd_nxt(c) - c->snd_una;

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

	c->tlp.due = false;
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
	if (c->tlp.due && send_probe(c, now_ns, ret))
		return true;
	if (c->retransmit_first && send_first(c, now_ns, ret))
		return true;
	if (repairing(c) && c->rack.on)
		return send_in_rack_recovery(c, now_ns, ret);
	if (repairing(c))
		return send_in_recovery(c, now_ns, ret);
	if (send_normally(c, now_ns, ret))
		return true;
	tcp_timer_update_persist(c, tcp_send_blocked(c), now_ns);
	return false;
}
