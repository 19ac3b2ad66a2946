/* SPDX-License-Identifier: BSD-3-Clause */
#include "base_bytes.h"
#include "tcp_priv.h"

/* Recoveries that nothing called for: found by timestamps (the Eifel detection, RFC 3522) or by
 * D-SACKs for all that was sent again (RFC 3708), and taken back as RFC 4015 and RFC 9438 §4.9 say. */

/* Where it cannot be noted, its D-SACK will not count: D-SACKs never cover all then. */
static void
note_again(struct tcp_undo *u, const struct tcp_sack_block *segment)
{
	uint32_t i;

	u->retransmits++;
	for (i = 0; i < u->again_count; i++) {
		struct tcp_sack_block *run = &u->again[i];

		if (seq_geq(segment->left, run->left) && seq_leq(segment->left, run->right)) {
			run->right = seq_max(run->right, segment->right);
			return;
		}
	}
	if (u->again_count < TCP_UNDO_RANGES)
		u->again[u->again_count++] = *segment;
}

void
tcp_undo_begin(struct tcp_conn *c, bool by_rto)
{
	c->undo = (struct tcp_undo){.on = true, .by_rto = by_rto};
	if (c->tlp.outstanding && c->tlp.is_retrans) /* its D-SACK may come */
		note_again(&c->undo, &(struct tcp_sack_block){c->tlp.end_seq - 1, c->tlp.end_seq});
	tcp_congestion_save(&c->congestion, tcp_snd_nxt(c) - c->snd_una);
}

void
tcp_undo_stop(struct tcp_conn *c)
{
	c->undo.on = false;
}

void
tcp_undo_on_retransmit(struct tcp_conn *c, const struct tcp_sack_block *segment, uint64_t now_ns)
{
	struct tcp_undo *u = &c->undo;

	if (!u->on || !tcp_recovery_on(c))
		return;
	note_again(u, segment);
	if (!u->retransmitted) {
		u->retransmitted = true;
		u->retransmit_ts = tcp_options_clock(c, now_ns);
		/* If SND.UNA is older than that, the next ACK of new data does not tell. */
		u->eifel_awaits = c->timestamps && segment->left == c->snd_una;
	}
}

/* RFC 3522 §3.2: the first ACK of new data since the first retransmission decides. */
static bool
eifel_detects(struct tcp_undo *u, const struct tcp_segment *s, uint32_t bytes_acked)
{
	if (!u->eifel_awaits || bytes_acked == 0)
		return false;
	u->eifel_awaits = false;
	return (s->options & TCP_OPT_TIMESTAMPS) && s->ts_ecr != 0 &&
	       (int32_t)(s->ts_ecr - u->retransmit_ts) < 0;
}

/* Of others the network made duplicates. */
static bool
sent_again(const struct tcp_undo *u, const struct tcp_sack_block *dsack)
{
	uint32_t i;

	for (i = 0; i < u->again_count; i++) {
		if (seq_lt(dsack->left, u->again[i].right) &&
			seq_gt(dsack->right, u->again[i].left))
			return true;
	}
	return false;
}

/* RFC 3708 §2: each retransmission was a duplicate to the peer. The D-SACK of a probe that went before
 * the recovery says nothing of it. */
static bool
dsacks_cover(struct tcp_conn *c, const struct tcp_sack_block *dsack)
{
	struct tcp_undo *u = &c->undo;
	uint32_t segments = (dsack->right - dsack->left + c->smss - 1) / c->smss;

	if (segments == 0 || u->retransmits == 0 || !sent_again(u, dsack) ||
		tcp_tlp_answered(c, dsack))
		return false;
	u->retransmits -= MIN_OF(u->retransmits, segments);
	return u->retransmits == 0 && u->retransmitted;
}

static void
undo(struct tcp_conn *c, uint32_t bytes_acked)
{
	counter_add(c->counters, COUNTER_TCP_UNDOS, 1);
	tcp_scoreboard_undo(&c->board);
	tcp_sent_clear_lost(&c->sent);
	/* Not lost, only overtaken: RACK shall wait longer. After a timeout all were late alike. */
	c->rack.reordering_seen |= !c->undo.by_rto;
	tcp_congestion_undo(&c->congestion, tcp_snd_nxt(c) - c->snd_una, bytes_acked);
	c->retransmit_first = false;
	c->dup_acks = 0;
	c->undo.on = false;
}

/* A round trip after its end, when something sent since is acknowledged, all D-SACKs due to a recovery
 * have come: later ones are of duplicates that the network made. */
static bool
too_late(struct tcp_conn *c)
{
	struct tcp_undo *u = &c->undo;

	if (!u->over && !tcp_recovery_on(c)) {
		u->over = true;
		u->over_nxt = tcp_snd_nxt(c);
	}
	return u->over && seq_gt(c->snd_una, u->over_nxt);
}

void
tcp_undo_on_ack(
	struct tcp_conn *c, const struct tcp_segment *s, const struct tcp_scoreboard_news *news)
{
	bool late, needless;

	c->undo.on = c->undo.on && !too_late(c);
	if (!c->undo.on)
		return;
	late = eifel_detects(&c->undo, s, news->bytes_acked);
	needless = dsacks_cover(c, &news->dsack);
	if (!late && !needless)
		return;
	if ((s->flags & TCP_ECE) && c->ecn.on) { /* RFC 4015 §3: there is congestion all the same */
		c->undo.on = false;
		return;
	}
	if (late && c->undo.by_rto)
		tcp_rtt_on_spurious_timeout(&c->rtt);
	undo(c, news->bytes_acked);
}
