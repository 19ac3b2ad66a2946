/* SPDX-License-Identifier: BSD-3-Clause */
#include "base_bytes.h"
#include "sim_referee_priv.h"

/* What an iteration's deliveries oblige the client to send before the iteration ends. */
struct duties {
	uint32_t acks; /* one for each out-of-order or duplicate segment, by policy for others */
	bool any; /* at least one */
	uint64_t ack_to; /* at least this far, at once */
	uint32_t in_order, full; /* segments in order, full-sized ones, not acknowledged yet */
	bool push; /* one of them */
};

/* Does an ACK of this iteration show that the segment came in? RFC 2018 §4: the first block
 * holds the segment that caused the ACK. */
static bool
was_sacked(const struct sim_referee_conn *c, const struct sim_delivery *d)
{
	uint32_t i;

	for (i = 0; i < c->tolds; i++) {
		if (c->told[i].ack >= d->right ||
			(c->told[i].first_known && c->told[i].first.left <= d->left &&
				c->told[i].first.right >= d->right))
			return true;
	}
	return false;
}

/* RFC 2883 §4: the D-SACK block begins with the duplicate. */
static bool
was_called_duplicate(const struct sim_referee_conn *c, const struct sim_delivery *d)
{
	uint32_t i;

	for (i = 0; i < c->tolds; i++) {
		if (c->told[i].duplicate_known && c->told[i].duplicate.left == d->left)
			return true;
	}
	return false;
}

static void
on_in_order(struct sim_referee *r, struct sim_referee_conn *c, const struct sim_delivery *d,
	uint64_t prefix, struct duties *due)
{
	uint64_t len = d->right - d->left;
	bool holes = c->kept.count > (prefix > 0 ? 1 : 0);

	c->largest = MAX_OF(c->largest, len);
	c->segments_in_order++;
	due->acks += d->left < prefix; /* partly a duplicate */
	due->acks += r->cfg.ack_policy == TCP_ACK_EVERY;
	if (d->right > c->ack) {
		due->in_order++;
		due->full += len == c->largest;
		due->push |= d->push;
	}
	sim_ranges_add(&c->kept, d->left, d->right);
	if (holes)
		due->ack_to = sim_ranges_gap(&c->kept, 0);
}

static void
on_delivery(struct sim_referee *r, struct sim_referee_conn *c, const struct sim_delivery *d,
	struct duties *due)
{
	uint64_t prefix = sim_ranges_gap(&c->kept, 0);
	bool crowded = c->deliveries > r->cfg.acks_recorded;

	if (d->right > c->edge_before) {
		due->any = true; /* a window probe, or too much: it is answered */
		return;
	}
	if (d->right > d->left && sim_ranges_hold(&c->kept, d->left, d->right)) {
		due->acks++;
		if (c->sack && !crowded && !was_called_duplicate(c, d))
			sim_referee_fault(r, "no D-SACK for a duplicate");
	} else if (d->left > prefix) {
		due->acks += d->right > d->left;
		if (c->sack && !crowded && d->right > d->left && !was_sacked(c, d))
			sim_referee_fault(r, "no first SACK block with an out-of-order segment");
		sim_ranges_add(&c->kept, d->left, d->right);
	} else if (d->right > d->left) {
		on_in_order(r, c, d, prefix, due);
	}
	due->any |= d->fin;
	c->fin_kept |= d->fin && d->right < c->edge_before;
	prefix = sim_ranges_gap(&c->kept, 0);
	if (c->fin_kept && c->fin_at == prefix)
		due->ack_to = prefix + 1;
}

static uint64_t
delay_max(const struct sim_referee *r)
{
	return r->cfg.ack_policy == TCP_ACK_EVERY ? 0 : r->cfg.ack_delay_max_ns + r->cfg.slack_ns;
}

/* In-order data may wait for its ACK as long, and in as many segments, as the policy says. */
static void
judge_waiting(struct sim_referee *r, struct sim_referee_conn *c, const struct duties *due,
	uint64_t now_ns)
{
	/* An ACK of this iteration covers at least all that came before it. */
	if (c->ack > c->ack_before)
		c->waiting = c->waiting_full = 0;
	if (c->ack >= sim_ranges_gap(&c->kept, 0))
		return;
	if (c->waiting == 0)
		c->waiting_since_ns = now_ns;
	c->waiting += due->in_order;
	c->waiting_full += due->full;
	if (now_ns - c->waiting_since_ns > delay_max(r))
		sim_referee_fault(r, "data waited %llu ns for its ACK",
			(unsigned long long)(now_ns - c->waiting_since_ns));
	switch (r->cfg.ack_policy) {
	case TCP_ACK_BURST:
		if (c->waiting >= r->cfg.ack_segments_max || due->push ||
			c->segments_in_order <= SIM_QUICK_SEGMENTS)
			sim_referee_fault(
				r, "%u segments without an ACK after their burst", c->waiting);
		break;
	case TCP_ACK_EVERY:
		sim_referee_fault(r, "a segment without an ACK after its burst");
		break;
	case TCP_ACK_DELAYED:
		if (c->waiting_full >= 2)
			sim_referee_fault(r, "two full-sized segments without an ACK");
		break;
	}
}

/* Until all that was delivered is acknowledged, a refusal leaves open what the client has; in the
 * iteration of that acknowledgment too, whose segments were taken before it. */
static bool
in_doubt(struct sim_referee_conn *c, bool excused)
{
	uint64_t end = c->got.count > 0 ? c->got.at[c->got.count - 1].right : 0;
	bool doubt = c->doubt || excused;

	if (c->fin_at != SIM_NEVER)
		end = MAX_OF(end, c->fin_at + 1);
	c->doubt = doubt && c->ack < end;
	return doubt;
}

void
sim_referee_judge_duties(
	struct sim_referee *r, struct sim_referee_conn *c, bool excused, uint64_t now_ns)
{
	struct duties due = {0};
	uint32_t i;

	if (in_doubt(c, excused)) {
		c->segments_in_order += c->deliveries; /* or fewer */
		for (i = 0; i < c->deliveries; i++)
			c->largest =
				MAX_OF(c->largest, c->delivered[i].right - c->delivered[i].left);
		c->waiting = c->waiting_full = 0;
		return;
	}
	for (i = 0; i < c->deliveries; i++)
		on_delivery(r, c, &c->delivered[i], &due);
	if (c->tolds < MIN_OF(due.acks, r->cfg.acks_recorded))
		sim_referee_fault(
			r, "%u ACKs where %u segments ask for one each", c->tolds, due.acks);
	/* A sender without SACK would take them for a loss. */
	if (c->repeats > MAX_OF(c->frames, 1U))
		sim_referee_fault(r, "%u duplicate ACKs for %u segments", c->repeats, c->frames);
	if (due.any && c->tolds == 0)
		sim_referee_fault(r, "no ACK for a FIN or a window probe");
	if (c->ack < due.ack_to)
		sim_referee_fault(r, "the ACK after a filled hole or a FIN is not at once");
	judge_waiting(r, c, &due, now_ns);
}
