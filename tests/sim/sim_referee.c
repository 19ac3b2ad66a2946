/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base_bytes.h"
#include "base_check.h"
#include "sim_referee_priv.h"

/* What is delivered, and what a connection knows of it. The rules about what is sent stand in
 * sim_referee_sent.c, those about when in sim_referee_duties.c. */

void
sim_referee_fault(struct sim_referee *r, const char *format, ...)
{
	va_list args;

	if (r->fault[0] != '\0')
		return;
	va_start(args, format);
	vsnprintf(r->fault, sizeof(r->fault), format, args);
	va_end(args);
}

/* ---- the handshake ---- */

static void
on_syn_ack(struct sim_referee_conn *c, const struct sim_tcp *t)
{
	if (c->synchronised || t->ack != c->iss + 1)
		return;
	c->synchronised = true;
	c->irs = t->seq;
	c->ts = c->ts && t->has_timestamps;
	c->sack = c->sack && t->has_sack_permitted;
	c->ws = c->ws && t->has_wscale;
	c->server_scale = t->wscale;
	c->server_mss = t->has_mss ? MAX_OF(t->mss, 64U) : 536U;
	c->ts_recent_min = c->ts_recent_max = c->ts_recent_next = t->ts_val;
	c->snd_edge = t->window; /* of a SYN, never scaled */
	sim_referee_ecn_on_syn_ack(c, t);
}

/* ---- the server's segments ---- */

static bool
newer(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) >= 0;
}

/* RFC 7323 §4.3: TS.Recent follows what starts at or below the last ACK. When that ACK counts as
 * sent inside a burst is the client's matter, so there is a lower and an upper bound; and what an
 * earlier segment of the burst asked for may go out with the earlier value. */
static void
follow_timestamp(struct sim_referee_conn *c, const struct sim_tcp *t, uint64_t left, uint64_t right)
{
	uint64_t prefix = sim_ranges_gap(&c->got, 0);

	if (!c->ts || !t->has_timestamps)
		return;
	if (left <= prefix + 1 && newer(t->ts_val, c->ts_recent_max))
		c->ts_recent_max = t->ts_val;
	if (left == c->ack_before && right > prefix && right <= c->edge_before &&
		newer(t->ts_val, c->ts_recent_next))
		c->ts_recent_next = t->ts_val;
}

static void
on_ack(struct sim_referee_conn *c, const struct sim_tcp *t)
{
	uint64_t ack = sim_referee_client_offset(c, t->ack);
	uint64_t window = (uint64_t)t->window << (c->ws ? c->server_scale : 0);

	if (ack > c->snd_max)
		return;
	c->snd_una = MAX_OF(c->snd_una, ack);
	c->snd_edge = MAX_OF(c->snd_edge, ack + window);
	/* Both FINs are acknowledged: TIME-WAIT at most is left. */
	if (c->our_fin_at != SIM_NEVER && c->snd_una > c->our_fin_at && c->fin_at != SIM_NEVER &&
		c->ack > c->fin_at)
		c->ended = true;
}

static void
on_text(struct sim_referee *r, struct sim_referee_conn *c, const struct sim_tcp *t, uint64_t left)
{
	uint64_t right = left + t->len;

	CHECK(c->deliveries < SIM_STEP_SEGMENTS);
	c->delivered[c->deliveries++] = (struct sim_delivery){
		left, right, (t->flags & SIM_PSH) != 0, (t->flags & SIM_FIN) != 0};
	r->counts.out_of_order += left > sim_ranges_gap(&c->got, 0);
	r->counts.duplicates += t->len > 0 && sim_ranges_hold(&c->got, left, right);
	sim_ranges_common(&c->got, left, right, &c->twice);
	sim_ranges_add(&c->got, left, right);
	if (t->flags & SIM_FIN)
		c->fin_at = right;
}

static void
on_segment(struct sim_referee *r, struct sim_referee_conn *c, const struct sim_tcp *t)
{
	uint64_t left = sim_referee_server_offset(c, t->seq);

	c->frames++; /* a RST or SYN may bring a challenge ACK */
	if (t->flags & SIM_RST) {
		c->ended = true; /* or it will answer with a challenge; neither is a duty */
		return;
	}
	if (t->flags & SIM_SYN)
		return;
	if (left > SIM_NEVER / 2) {
		sim_referee_fault(r, "the modelled server sent from before its first byte");
		return;
	}
	c->heard = true;
	sim_referee_ecn_on_delivered(c, t, left);
	follow_timestamp(c, t, left, left + t->len);
	if (t->len > 0 || (t->flags & SIM_FIN))
		on_text(r, c, t, left);
	if (t->flags & SIM_ACK)
		on_ack(c, t);
}

bool
sim_referee_read(struct sim_referee *r, const uint8_t *frame, uint32_t len, const char *whose,
	struct sim_tcp *ret)
{
	const char *wrong;

	if (!sim_wire_is_tcp(frame, len))
		return false;
	wrong = sim_wire_read(frame, len, ret);
	if (wrong != NULL)
		sim_referee_fault(r, "%s frame: %s", whose, wrong);
	return wrong == NULL;
}

void
sim_referee_on_delivered(struct sim_referee *r, const uint8_t *frame, uint32_t len)
{
	struct sim_referee_conn *c;
	struct sim_tcp t;

	if (!sim_referee_read(r, frame, len, "the modelled server's own", &t))
		return;
	c = sim_referee_find(r, t.dst_port);
	if (c == NULL || c->ended)
		return;
	if (c->synchronised)
		on_segment(r, c, &t);
	else if ((t.flags & (SIM_SYN | SIM_ACK | SIM_RST)) == (SIM_SYN | SIM_ACK))
		on_syn_ack(c, &t);
	else if (t.flags & SIM_RST)
		c->ended = true;
}

void
sim_referee_on_forged(struct sim_referee *r, uint16_t client_port)
{
	struct sim_referee_conn *c = sim_referee_find(r, client_port);

	if (c != NULL)
		c->frames++;
}

/* ---- iterations ---- */

/* When all that came is acknowledged, the last ACK must have echoed the newest minimum. */
static void
settle_timestamp(struct sim_referee *r, struct sim_referee_conn *c)
{
	if (c->ts && c->tolds > 0 && c->ack >= sim_ranges_gap(&c->got, 0) &&
		!newer(c->ts_ecr, c->ts_recent_next))
		sim_referee_fault(r, "TSecr %u is older than TS.Recent, which is at least %u",
			c->ts_ecr, c->ts_recent_next);
	c->ts_recent_min = c->ts_recent_next;
}

/* What it says that it has, it must have from now on. */
static void
learn(struct sim_referee_conn *c)
{
	uint32_t i;

	sim_ranges_add(&c->kept, 0, MIN_OF(c->ack, c->fin_at));
	for (i = 0; i < c->sacked.count; i++)
		sim_ranges_add(&c->kept, c->sacked.at[i].left, c->sacked.at[i].right);
	c->deliveries = c->tolds = c->frames = c->repeats = 0;
	c->data_sent = false;
	c->edge_before = c->edge;
	c->ack_before = c->ack;
}

void
sim_referee_on_iteration(struct sim_referee *r, bool excused, uint64_t now_ns)
{
	struct sim_referee_conn *c;

	for (c = r->conns; c != NULL; c = c->next) {
		if (c->synchronised && !c->ended) {
			sim_referee_judge_duties(r, c, excused, now_ns);
			settle_timestamp(r, c);
		}
		learn(c);
	}
}

bool
sim_referee_all_ended(const struct sim_referee *r)
{
	const struct sim_referee_conn *c = r->conns;

	while (c != NULL && c->ended)
		c = c->next;
	return c == NULL;
}

void
sim_referee_clear(struct sim_referee *r)
{
	struct sim_referee_conn *c;

	while ((c = r->conns) != NULL) {
		r->conns = c->next;
		sim_ranges_clear(&c->got);
		sim_ranges_clear(&c->twice);
		sim_ranges_clear(&c->kept);
		sim_ranges_clear(&c->sacked);
		free(c->sent);
		free(c);
	}
}
