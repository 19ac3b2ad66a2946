/* SPDX-License-Identifier: BSD-3-Clause */
#include "base_bytes.h"
#include "tcp_priv.h"

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

/* RFC 1191 §6.4: send again what was too big, in smaller segments. The loss does not mean
 * congestion: the windows stay (there, "should not"). */
void
tcp_recovery_on_path_smss(struct tcp_conn *c, uint16_t smss)
{
	tcp_black_hole_on_path_smss(c, smss);
	tcp_send_on_smss(c, smss);
	tcp_congestion_on_exit_recovery(&c->congestion, tcp_snd_nxt(c) - c->snd_una, 0);
	tcp_scoreboard_on_rto(&c->board);
	tcp_rack_on_all_lost(c);
	tcp_undo_stop(c);
	begin_repair(c);
}

static void
take_rtt_sample(struct tcp_conn *c, const struct tcp_segment *s, uint32_t flight, uint64_t now_ns)
{
	uint32_t expected = flight < 2U * c->smss ? 1 : flight / (2U * c->smss) + 1U;

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
	tcp_black_hole_on_progress(c);
	tcp_ecn_on_advance(c);
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

/* delivered: by the ACK that is the reason. */
static void
enter_recovery(struct tcp_conn *c, uint32_t flight, uint32_t delivered, uint64_t now_ns)
{
	uint32_t outstanding = tcp_snd_nxt(c) - c->snd_una - c->board.sacked_bytes;

	tcp_undo_begin(c, false);
	tcp_congestion_on_enter_recovery(&c->congestion, flight, c->sack, now_ns);
	tcp_congestion_begin_prr(&c->congestion, outstanding + delivered);
	tcp_ecn_on_reduction(c);
	tcp_scoreboard_enter_recovery(&c->board);
	tcp_tlp_on_recovery(c);
	c->retransmit_first = true;
	c->limited_bytes = 0;
}

/* RFC 5681 §3.2, RFC 6675 §5: the third duplicate, or SACKs that say as much. */
static void
on_duplicate(struct tcp_conn *c, uint32_t delivered, uint64_t now_ns)
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
		enter_recovery(c, flight, delivered, now_ns);
}

/* RFC 9937 §6.2, in a recovery by SACK. */
static void
reduce_in_proportion(struct tcp_conn *c, uint32_t delivered, bool safe)
{
	if (c->board.recovering && c->sack)
		tcp_congestion_on_recovery_ack(
			&c->congestion, delivered, tcp_send_in_network(c), safe);
}

/* ---- with RACK-TLP ---- */

/* RFC 5681 §4.3: "the loss of a retransmission" lowers the windows again, once for what went in one
 * window. In a fast recovery PRR follows the losses. */
static void
reduce_again(struct tcp_conn *c, uint32_t flight, uint64_t now_ns)
{
	tcp_undo_stop(c);
	tcp_congestion_on_ecn(&c->congestion, flight);
	tcp_ecn_on_reduction(c);
	c->rack.reduced_ns = now_ns;
}

/* RFC 8985 §6.2 step 5. Losses in a recovery are repaired in it. true: there were further ones. */
static bool
find_losses(struct tcp_conn *c, uint32_t delivered, uint64_t now_ns)
{
	bool found;
	/* FlightSize beyond cwnd is what SACKs let out since (as RFC 3042's in RFC 5681 §3.2). */
	uint32_t flight = MIN_OF(tcp_snd_nxt(c) - c->snd_una, c->congestion.cwnd);

	if (c->sent.sacked_count == 0 && c->sent.lost_count == 0 && !tcp_recovery_on(c) &&
		!tcp_rack_overtaken(c)) {
		tcp_timer_cancel(c, TCP_TIMER_REO);
		return false;
	}
	found = tcp_rack_detect_loss(c, now_ns);
	if (c->rack.lost_again && c->board.after_rto)
		reduce_again(c, flight, now_ns);
	if (c->sent.lost_count > 0 && !tcp_recovery_on(c))
		enter_recovery(c, flight, delivered, now_ns);
	return found;
}

void
tcp_recovery_on_reo_timer(struct tcp_conn *c, uint64_t now_ns)
{
	find_losses(c, 0, now_ns);
	reduce_in_proportion(c, 0, false);
}

/* What RACK-TLP makes of an ACK that the rest has dealt with. true: it found further losses. */
static bool
rack_on_ack(struct tcp_conn *c, const struct tcp_segment *s, const struct tcp_scoreboard_news *news,
	bool was_repairing, uint64_t now_ns)
{
	uint32_t flight = tcp_snd_nxt(c) - c->snd_una + news->bytes_acked;
	bool duplicate = news->bytes_acked == 0 && tcp_segment_seq_len(s) == 0, found;
	struct tcp_rack_event event = {
		.dsack =
			news->dsack.left != news->dsack.right && !tcp_tlp_answered(c, &news->dsack),
		.recovered = was_repairing && !tcp_recovery_on(c),
	};

	tcp_rack_on_ack(c, s, news, &event, now_ns);
	if (tcp_tlp_on_ack(c, s, &news->dsack, duplicate)) {
		tcp_congestion_on_ecn(&c->congestion, MIN_OF(flight, c->congestion.cwnd));
		tcp_ecn_on_reduction(c);
	}
	found = find_losses(c, news->bytes_delivered, now_ns);
	if (news->bytes_acked > 0)
		tcp_tlp_schedule(c, now_ns);
	return found;
}

/* An ACK below SND.UNA, overtaken by another, says nothing but what it SACKs. */
static void
on_old_ack(struct tcp_conn *c, const struct tcp_segment *s, uint64_t now_ns)
{
	struct tcp_scoreboard_news news;

	if (!c->rack.on || !(s->options & TCP_OPT_SACK) || tcp_snd_nxt(c) == c->snd_una)
		return;
	tcp_scoreboard_update(&c->board, s->ack, s->sack, s->sack_count, &news);
	(void)rack_on_ack(c, s, &news, tcp_recovery_on(c), now_ns);
	reduce_in_proportion(c, news.bytes_delivered, false);
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
tcp_recovery_on_ack(struct tcp_conn *c, const struct tcp_segment *s, uint64_t now_ns)
{
	struct tcp_scoreboard_news news;
	uint32_t flight = tcp_snd_nxt(c) - c->snd_una;
	uint32_t lost_edge = c->board.lost_edge;
	bool window_changed, lost, was_repairing = tcp_recovery_on(c);

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
		on_duplicate(c, news.bytes_delivered, now_ns);
	tcp_undo_on_ack(c, s, &news);
	lost = seq_gt(c->board.lost_edge, seq_max(lost_edge, c->snd_una));
	if (c->rack.on)
		lost = rack_on_ack(c, s, &news, was_repairing, now_ns);
	reduce_in_proportion(c, news.bytes_delivered, news.bytes_acked > 0 && !lost);
	if (tcp_ecn_congested(c, s)) {
		tcp_congestion_on_ecn(&c->congestion, flight);
		tcp_ecn_on_reduction(c);
		counter_add(c->counters, COUNTER_TCP_ECN_REDUCTIONS, 1);
	}
}

void
tcp_recovery_on_rto(struct tcp_conn *c, uint64_t now_ns)
{
	if (c->board.recovering) /* it would be two to take back */
		tcp_undo_stop(c);
	else if (!c->board.after_rto)
		tcp_undo_begin(c, true);
	tcp_congestion_on_rto(&c->congestion, tcp_snd_nxt(c) - c->snd_una, c->retries == 1, now_ns);
	tcp_ecn_on_reduction(c);
	tcp_rack_on_rto(c, now_ns);
	tcp_scoreboard_on_rto(&c->board);
	begin_repair(c);
	c->retransmit_first = c->rack.on; /* not all counts as lost */
}
