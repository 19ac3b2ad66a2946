/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <string.h>

#include "base_bytes.h"
#include "base_check.h"
#include "sim_referee_priv.h"

#define INITIAL_WINDOW_SEGMENTS 10U /* RFC 6928 */

/* ---- opening ---- */

static void
check_syn_again(struct sim_referee *r, const struct sim_referee_conn *c, const struct sim_tcp *t)
{
	if (c->synchronised)
		sim_referee_fault(r, "a SYN on an open connection");
	if (t->seq != c->iss)
		sim_referee_fault(r, "the SYN was repeated with another ISN");
	r->counts.retransmissions++;
}

static void
on_syn(struct sim_referee *r, const struct sim_tcp *t)
{
	struct sim_referee_conn *c = sim_referee_find(r, t->src_port);

	if (!t->has_mss || t->mss + 40U != r->cfg.mtu)
		sim_referee_fault(r, "the SYN's MSS is not the MTU less 40");
	if (t->has_wscale && t->wscale > 14)
		sim_referee_fault(r, "the SYN's window scale is above 14");
	if (t->len > 0 || (t->flags & ~(SIM_SYN | SIM_ECE | SIM_CWR)) != 0)
		sim_referee_fault(r, "the SYN carries more than a SYN");
	if (c != NULL && !c->ended) {
		check_syn_again(r, c, t);
		sim_referee_ecn_on_syn(r, c, t);
		return;
	}
	c = calloc(1, sizeof(*c));
	CHECK(c != NULL);
	c->next = r->conns;
	c->port = t->src_port;
	c->iss = t->seq;
	c->ts = t->has_timestamps;
	c->sack = t->has_sack_permitted;
	c->ws = t->has_wscale;
	c->our_scale = t->wscale;
	c->edge = c->edge_before = t->window;
	c->fin_at = c->our_fin_at = SIM_NEVER;
	r->conns = c;
	r->counts.connections++;
	sim_referee_ecn_on_syn(r, c, t);
}

/* ---- what is acknowledged ---- */

/* RFC 2018 §8: what was SACKed may be dropped, but then the hole shows here. */
static void
check_reneging(struct sim_referee *r, const struct sim_referee_conn *c, uint64_t ack)
{
	if (sim_ranges_gap(&c->sacked, ack) != ack)
		sim_referee_fault(r, "the ACK stops at %llu, inside what was SACKed",
			(unsigned long long)ack);
}

static void
check_ack(struct sim_referee *r, struct sim_referee_conn *c, const struct sim_tcp *t)
{
	uint64_t ack = sim_referee_server_offset(c, t->ack), prefix = sim_ranges_gap(&c->got, 0);
	uint64_t edge = ack + ((uint64_t)t->window << (c->ws ? c->our_scale : 0));

	if (ack > SIM_NEVER / 2 || ack < c->ack) {
		sim_referee_fault(r, "the ACK went back below %llu", (unsigned long long)c->ack);
		return;
	}
	if (ack > prefix + (c->fin_at <= prefix ? 1 : 0))
		sim_referee_fault(r, "the ACK covers %llu, but only %llu bytes were delivered",
			(unsigned long long)ack, (unsigned long long)prefix);
	check_reneging(r, c, ack);
	/* The FIN's number lies beyond any window; it may pass the edge. */
	if (edge < c->edge && c->edge > ack)
		sim_referee_fault(r, "the window's right edge went back from %llu to %llu",
			(unsigned long long)c->edge, (unsigned long long)edge);
	/* A probe has an older number: it asks, and answers nothing. */
	c->repeats += ack == c->ack && edge <= c->edge && t->len == 0 && !(t->flags & SIM_FIN) &&
		      sim_referee_client_offset(c, t->seq) == c->snd_max;
	c->ack = ack;
	c->edge = MAX_OF(c->edge, edge);
	sim_ranges_drop_below(&c->sacked, ack);
}

/* ---- SACK blocks ---- */

static bool
within(struct sim_range a, struct sim_range b)
{
	return a.left >= b.left && a.right <= b.right;
}

static void
check_block(struct sim_referee *r, struct sim_referee_conn *c, struct sim_range b, uint64_t ack)
{
	if (b.left <= ack)
		sim_referee_fault(r, "a SACK block begins below the ACK");
	if (!sim_ranges_hold(&c->got, b.left, b.right))
		sim_referee_fault(r, "a SACK block holds what was never delivered");
	sim_ranges_add(&c->sacked, b.left, b.right);
}

static void
check_duplicate_block(struct sim_referee *r, const struct sim_referee_conn *c, struct sim_range b)
{
	if (!sim_ranges_hold(&c->twice, b.left, b.right))
		sim_referee_fault(r, "a D-SACK for what came only once");
	r->counts.dsacks++;
}

static void
check_disjoint(struct sim_referee *r, const struct sim_range *b, uint32_t from, uint32_t count)
{
	uint32_t i, j;

	for (i = from; i < count; i++) {
		for (j = i + 1; j < count; j++) {
			if (b[i].left < b[j].right && b[j].left < b[i].right)
				sim_referee_fault(r, "SACK blocks overlap");
		}
	}
}

static void
check_sack(struct sim_referee *r, struct sim_referee_conn *c, const struct sim_tcp *t,
	struct sim_told *told)
{
	struct sim_range b[SIM_SACK_MAX];
	uint32_t i, first;

	if (t->sacks > 0 && !c->sack)
		sim_referee_fault(r, "SACK blocks without the permission");
	for (i = 0; i < t->sacks; i++) {
		b[i].left = sim_referee_server_offset(c, t->sack[i].left);
		b[i].right = sim_referee_server_offset(c, t->sack[i].right);
		if (b[i].left >= b[i].right || b[i].right > SIM_NEVER / 2) {
			sim_referee_fault(r, "a SACK block is empty or turned round");
			return;
		}
	}
	/* RFC 2883 §4: below the ACK, or part of the block that follows. */
	told->duplicate_known =
		t->sacks > 0 && (b[0].right <= told->ack || (t->sacks > 1 && within(b[0], b[1])));
	first = told->duplicate_known ? 1 : 0;
	if (told->duplicate_known) {
		told->duplicate = b[0];
		check_duplicate_block(r, c, b[0]);
	}
	told->first_known = t->sacks > first;
	if (told->first_known)
		told->first = b[first];
	for (i = first; i < t->sacks; i++)
		check_block(r, c, b[i], told->ack);
	check_disjoint(r, b, first, t->sacks);
	r->counts.sacks += t->sacks > first;
}

/* ---- timestamps ---- */

static void
check_timestamps(struct sim_referee *r, struct sim_referee_conn *c, const struct sim_tcp *t)
{
	if (t->flags & SIM_RST)
		return;
	if (c->ts != t->has_timestamps) {
		sim_referee_fault(r, "timestamps in spite of what was negotiated");
		return;
	}
	if (!c->ts)
		return;
	if ((int32_t)(t->ts_ecr - c->ts_recent_min) < 0 ||
		(int32_t)(c->ts_recent_max - t->ts_ecr) < 0)
		sim_referee_fault(r, "TSecr %u is not TS.Recent, which is %u to %u", t->ts_ecr,
			c->ts_recent_min, c->ts_recent_max);
	if (c->ts_val_known && (int32_t)(t->ts_val - c->ts_val) < 0)
		sim_referee_fault(r, "our timestamp went back");
	c->ts_ecr = t->ts_ecr;
	c->ts_val = t->ts_val;
	c->ts_val_known = true;
}

/* ---- what is sent ---- */

static void
remember(struct sim_referee *r, struct sim_referee_conn *c, const struct sim_tcp *t, uint64_t at)
{
	uint64_t known = at < c->snd_max ? MIN_OF(c->snd_max - at, (uint64_t)t->len) : 0;

	if (known > 0 && memcmp(c->sent + at, t->data, known) != 0)
		sim_referee_fault(r, "a retransmission with other bytes");
	r->counts.retransmissions += known > 0;
	if (at + t->len > c->sent_room) {
		c->sent_room = 2 * (at + t->len);
		c->sent = realloc(c->sent, c->sent_room);
		CHECK(c->sent != NULL);
	}
	if (t->len > 0)
		memcpy(c->sent + at, t->data, t->len);
}

/* RFC 6928; later ACKs, duplicate ones too (RFC 3042, RFC 6582), let more follow. So does, without
 * any, the tail loss probe, which cwnd does not hold back (RFC 8985 §7.3): one segment of new data,
 * after a while, so that it is the iteration's only one. */
static void
check_initial_window(
	struct sim_referee *r, const struct sim_referee_conn *c, uint64_t at, uint64_t end)
{
	uint64_t window = (uint64_t)INITIAL_WINDOW_SEGMENTS * c->server_mss;
	bool probe = c->sack && !c->data_sent && at == c->snd_max && at <= window;

	if (end > window + (probe ? c->server_mss : 0))
		sim_referee_fault(r, "more than the initial window");
}

static void
check_data(struct sim_referee *r, struct sim_referee_conn *c, const struct sim_tcp *t, uint64_t at)
{
	uint64_t end = at + t->len;
	bool fin = (t->flags & SIM_FIN) != 0;

	if (t->len + t->options_len > MIN_OF(c->server_mss, r->cfg.mtu - 40U))
		sim_referee_fault(
			r, "%u bytes and %u of options exceed the MSS", t->len, t->options_len);
	if (end > c->snd_edge)
		sim_referee_fault(r, "data beyond the server's window");
	if (at > c->snd_max)
		sim_referee_fault(r, "data with a gap before it");
	else
		remember(r, c, t, at);
	if (!c->heard)
		check_initial_window(r, c, at, end);
	c->data_sent |= end > c->snd_max;
	if (c->our_fin_at != SIM_NEVER && (end > c->our_fin_at || (fin && end != c->our_fin_at)))
		sim_referee_fault(r, "data after our FIN, or another FIN");
	r->counts.retransmissions += t->len == 0 && c->our_fin_at != SIM_NEVER;
	if (fin)
		c->our_fin_at = end;
	c->snd_max = MAX_OF(c->snd_max, end + (fin ? 1 : 0));
}

static void
check_segment(struct sim_referee *r, struct sim_referee_conn *c, const struct sim_tcp *t)
{
	uint64_t at = sim_referee_client_offset(c, t->seq);

	if (!(t->flags & SIM_ACK) || (t->flags & (SIM_SYN | SIM_URG)))
		sim_referee_fault(r, "flags %#x on an open connection", t->flags);
	check_timestamps(r, c, t);
	sim_referee_ecn_on_sent(r, c, t);
	check_ack(r, c, t);
	if (c->tolds < SIM_STEP_ACKS) {
		c->told[c->tolds] = (struct sim_told){.ack = c->ack};
		check_sack(r, c, t, &c->told[c->tolds++]);
	}
	if (t->len > 0 || (t->flags & SIM_FIN))
		check_data(r, c, t, at);
	else if (at > c->snd_max && at < SIM_NEVER / 2)
		sim_referee_fault(r, "an ACK with a sequence number never reached");
}

void
sim_referee_on_sent(struct sim_referee *r, const uint8_t *frame, uint32_t len)
{
	struct sim_referee_conn *c;
	struct sim_tcp t;

	if (!sim_referee_read(r, frame, len, "our", &t))
		return;
	if (t.src_ip != r->cfg.client_ip || t.dst_ip != r->cfg.server_ip || t.dst_port != 80)
		sim_referee_fault(r, "our frame goes where nobody asked it to");
	if (t.flags & SIM_SYN) {
		on_syn(r, &t);
		return;
	}
	c = sim_referee_find(r, t.src_port);
	if (t.flags & SIM_RST) {
		r->counts.resets++;
		if (c != NULL)
			c->ended = true;
		return;
	}
	if (c == NULL || !c->synchronised)
		sim_referee_fault(r, "a segment before the connection was open");
	else if (!c->ended)
		check_segment(r, c, &t);
}
