/* SPDX-License-Identifier: BSD-3-Clause */
#include "base_bytes.h"
#include "tcp_priv.h"

/* Loss detection by time, RFC 8985 §6. */

void
tcp_rack_reset(struct tcp_conn *c)
{
	bool on = c->rack.on;

	c->rack = (struct tcp_rack){.on = on, .reo_wnd_mult = 1};
	tcp_sent_reset(&c->sent, c->iss + 1);
}

/* RACK_sent_after(): of two segments sent at once, that with the higher number is the later. */
static bool
sent_after(uint64_t a_ns, uint32_t a_end, uint64_t b_ns, uint32_t b_end)
{
	return a_ns > b_ns || (a_ns == b_ns && seq_gt(a_end, b_end));
}

/* ---- steps 2 and 3: what was delivered ---- */

/* What an ACK says of the segments that it delivers. */
struct delivery {
	const struct tcp_segment *ack;
	uint64_t now_ns;
	uint64_t newest_ns; /* when the newest of them was sent */
};

/* Step 2: may this be the ACK of an earlier transmission? */
static bool
ambiguous(const struct tcp_conn *c, const struct tcp_sent_record *r, const struct delivery *d)
{
	if (!r->retransmitted)
		return false;
	if (c->timestamps && (d->ack->options & TCP_OPT_TIMESTAMPS) &&
		(int32_t)(d->ack->ts_ecr - tcp_options_clock(c, r->xmit_ns)) < 0)
		return true;
	return d->now_ns - r->xmit_ns < c->rtt.min_rtt_ns;
}

static void
on_delivered(struct tcp_conn *c, const struct tcp_sent_record *r, struct delivery *d)
{
	struct tcp_rack *k = &c->rack;

	if (!k->delivered_any || seq_gt(r->right, k->fack))
		k->fack = r->right;
	else if (seq_lt(r->right, k->fack) && !r->retransmitted)
		k->reordering_seen = true;
	if (ambiguous(c, r, d)) {
		k->delivered_any = true;
		return;
	}
	if (r->xmit_ns >= d->newest_ns) { /* "in ascending order of Segment.xmit_ts" */
		d->newest_ns = r->xmit_ns;
		k->rtt_ns = d->now_ns - r->xmit_ns;
	}
	if (!k->delivered_any || sent_after(r->xmit_ns, r->right, k->xmit_ns, k->end_seq)) {
		k->xmit_ns = r->xmit_ns;
		k->end_seq = r->right;
	}
	k->delivered_any = true;
}

/* Notes which segments have become SACKed as a whole. */
static void
note_sacked(struct tcp_conn *c, struct delivery *d)
{
	uint32_t i, cursor = 0;

	for (i = 0; i < c->sent.count; i++) {
		struct tcp_sent_record *r = tcp_sent_at(&c->sent, i);

		if (r->sacked || tcp_scoreboard_unsacked(&c->board, tcp_sent_left(&c->sent, i),
					 r->right, &cursor) > 0)
			continue;
		if (!r->delivered)
			on_delivered(c, r, d);
		tcp_sent_set_sacked(&c->sent, i);
	}
}

static void
note_acked(struct tcp_conn *c, uint32_t una, struct delivery *d)
{
	uint32_t i;

	for (i = 0; i < c->sent.count; i++) {
		const struct tcp_sent_record *r = tcp_sent_at(&c->sent, i);

		if (seq_gt(r->right, una))
			break;
		if (!r->delivered)
			on_delivered(c, r, d);
	}
	tcp_sent_on_ack(&c->sent, una);
}

/* ---- step 4: how much reordering to bear with ---- */

static void
adapt_window(struct tcp_conn *c, bool dsack, bool recovered)
{
	struct tcp_rack *k = &c->rack;

	if (k->in_dsack_round && seq_geq(c->board.snd_una, k->dsack_round))
		k->in_dsack_round = false;
	if (dsack && !k->in_dsack_round) {
		k->in_dsack_round = true;
		k->dsack_round = tcp_snd_nxt(c);
		k->reo_wnd_mult += k->reo_wnd_mult < TCP_RACK_MULT_MAX;
		k->reo_wnd_persist = TCP_RACK_PERSIST;
	} else if (recovered && k->reo_wnd_persist > 0) {
		if (--k->reo_wnd_persist == 0)
			k->reo_wnd_mult = 1;
	}
}

static uint64_t
reo_wnd(const struct tcp_conn *c)
{
	const struct tcp_rack *k = &c->rack;

	if (!k->reordering_seen && (c->board.recovering || c->board.after_rto ||
					   c->sent.sacked_count >= TCP_RACK_DUP_THRESH))
		return 0;
	return MIN_OF(k->reo_wnd_mult * (c->rtt.min_rtt_ns / 4), c->rtt.srtt_ns);
}

void
tcp_rack_on_ack(struct tcp_conn *c, const struct tcp_segment *s,
	const struct tcp_scoreboard_news *news, const struct tcp_rack_event *event, uint64_t now_ns)
{
	struct delivery d = {.ack = s, .now_ns = now_ns};

	if (news->bytes_acked > 0)
		note_acked(c, c->board.snd_una, &d);
	if (c->board.range_count > 0)
		note_sacked(c, &d);
	adapt_window(c, event->dsack, event->recovered);
}

/* ---- step 5 ---- */

bool
tcp_rack_overtaken(const struct tcp_conn *c)
{
	const struct tcp_rack *k = &c->rack;
	const struct tcp_sent_record *r = tcp_sent_at(&c->sent, 0);

	if (c->sent.count == 0)
		return false;
	/* New data goes in order: if the first was sent later, so were those above it. */
	return r->retransmitted || sent_after(k->xmit_ns, k->end_seq, r->xmit_ns, r->right);
}

bool
tcp_rack_detect_loss(struct tcp_conn *c, uint64_t now_ns)
{
	struct tcp_rack *k = &c->rack;
	uint64_t window_ns = reo_wnd(c), wait_until_ns = 0;
	uint32_t i, lost = c->sent.lost_count;

	k->lost_again = false;

	for (i = 0; k->delivered_any && i < c->sent.count; i++) {
		const struct tcp_sent_record *r = tcp_sent_at(&c->sent, i);
		uint64_t due_ns = r->xmit_ns + k->rtt_ns + window_ns;

		if (r->sacked || r->lost ||
			!sent_after(k->xmit_ns, k->end_seq, r->xmit_ns, r->right))
			continue;
		if (due_ns > now_ns) {
			wait_until_ns = MAX_OF(wait_until_ns, due_ns);
			continue;
		}
		tcp_sent_set_lost(&c->sent, i);
		k->lost_again |= r->retransmitted && r->xmit_ns >= k->reduced_ns;
	}
	if (wait_until_ns > 0)
		tcp_timer_start_before_rto(c, TCP_TIMER_REO, wait_until_ns);
	else
		tcp_timer_cancel(c, TCP_TIMER_REO);
	return c->sent.lost_count > lost;
}

/* RACK_mark_losses_on_RTO(), §6.3. */
void
tcp_rack_on_rto(struct tcp_conn *c, uint64_t now_ns)
{
	struct tcp_rack *k = &c->rack;
	uint64_t window_ns = reo_wnd(c);
	uint32_t i;

	k->reduced_ns = now_ns;
	tcp_sent_forget_sacked(&c->sent);
	for (i = 0; i < c->sent.count; i++) {
		const struct tcp_sent_record *r = tcp_sent_at(&c->sent, i);

		if (!r->lost && (i == 0 || r->xmit_ns + k->rtt_ns + window_ns <= now_ns))
			tcp_sent_set_lost(&c->sent, i);
	}
}

void
tcp_rack_on_all_lost(struct tcp_conn *c)
{
	tcp_sent_set_all_lost(&c->sent);
}

/* ---- what follows from it ---- */

uint32_t
tcp_rack_pipe(const struct tcp_conn *c)
{
	uint32_t pipe = tcp_snd_nxt(c) - c->board.snd_una - c->board.sacked_bytes, i, cursor = 0;
	uint32_t left = c->sent.lost_count;

	for (i = 0; left > 0; i++) {
		const struct tcp_sent_record *r = tcp_sent_at(&c->sent, i);

		if (!r->lost)
			continue;
		left--;
		pipe -= tcp_scoreboard_unsacked(
			&c->board, tcp_sent_left(&c->sent, i), r->right, &cursor);
	}
	return pipe;
}

bool
tcp_rack_next_lost(const struct tcp_conn *c, uint32_t *ret_record, struct tcp_sack_block *ret)
{
	uint32_t i, left, right, cursor = 0, more = c->sent.lost_count;

	for (i = 0; more > 0; i++) {
		if (!tcp_sent_at(&c->sent, i)->lost)
			continue;
		more--;
		left = tcp_sent_left(&c->sent, i);
		right = tcp_sent_at(&c->sent, i)->right;
		if (tcp_scoreboard_unsacked(&c->board, left, right, &cursor) == 0)
			continue; /* what a split left of a record, until the next ACK is looked at */
		*ret_record = i;
		*ret = tcp_scoreboard_segment(&c->board, left, right);
		return true;
	}
	return false;
}

bool
tcp_rack_last(const struct tcp_conn *c, uint32_t *ret_record, struct tcp_sack_block *ret)
{
	uint32_t i = c->sent.count;

	while (i > 0 && tcp_sent_at(&c->sent, i - 1)->sacked)
		i--;
	if (i == 0)
		return false;
	*ret_record = --i;
	*ret = (struct tcp_sack_block){tcp_sent_left(&c->sent, i), tcp_sent_at(&c->sent, i)->right};
	ret->left = ret->right - MIN_OF(ret->right - ret->left, (uint32_t)c->smss);
	return true;
}
