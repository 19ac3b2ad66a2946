/* SPDX-License-Identifier: BSD-3-Clause */
#include "base_bytes.h"
#include "tcp_priv.h"

/*
 * A path that swallows large packets and does not say so (RFC 2923 §2.1): the ICMP errors that path MTU
 * discovery lives on are filtered. As RFC 4821 §7.7 advises, time-outs of full-sized segments are
 * answered by smaller ones; if those do not arrive either, size was not the reason.
 */

/* Segments that fit: Ethernet behind IPv6 or a tunnel, IPv6's least MTU, and what Linux falls back to
 * (its tcp_base_mss); without options. Below them the peer's default, which every path takes. */
static const uint16_t sizes[] = {1460, 1440, 1220, 1024};

/* The next size below c's; 0: there is none. */
static uint16_t
smaller(const struct tcp_conn *c)
{
	uint16_t options = c->timestamps ? TCP_TIMESTAMPS_LEN : 0;
	uint16_t least = (uint16_t)(c->mss_default - options);
	uint32_t i;

	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		if (sizes[i] - options < c->smss && sizes[i] - options > least)
			return (uint16_t)(sizes[i] - options);
	}
	return least < c->smss ? least : 0;
}

void
tcp_black_hole_on_rto(struct tcp_conn *c)
{
	struct tcp_black_hole *b = &c->black_hole;
	bool full_sized = tcp_snd_nxt(c) - c->snd_una >= c->smss;
	uint16_t smss = smaller(c);

	if (c->retries < TCP_BLACK_HOLE_RTOS || b->acquitted ||
		(b->smss_before == 0 && !full_sized))
		return;
	if (smss == 0) { /* the smallest are lost, too */
		if (b->smss_before != 0)
			tcp_send_on_smss(c, b->smss_before);
		*b = (struct tcp_black_hole){.acquitted = true};
		return;
	}
	if (b->smss_before == 0) {
		b->smss_before = c->smss;
		counter_add(c->counters, COUNTER_TCP_BLACK_HOLES, 1);
	}
	tcp_send_on_smss(c, smss);
}

void
tcp_black_hole_on_path_smss(struct tcp_conn *c, uint16_t smss)
{
	c->black_hole.smss_before = MIN_OF(c->black_hole.smss_before, smss);
}

void
tcp_black_hole_on_progress(struct tcp_conn *c)
{
	c->black_hole = (struct tcp_black_hole){0};
}
