/* SPDX-License-Identifier: BSD-3-Clause */
#include "base_bytes.h"
#include "tcp_priv.h"

uint32_t
tcp_options_clock(const struct tcp_conn *c, uint64_t now_ns)
{
	return (uint32_t)(now_ns / TCP_TIMESTAMP_TICK_NS) + c->ts_offset;
}

void
tcp_options_offer(const struct tcp_conn *c, struct tcp_segment *ret)
{
	bool reply = c->state == TCP_SYN_RECEIVED; /* then only what the peer offered too */

	ret->options |= TCP_OPT_MSS;
	ret->mss = c->mss_max;
	if (reply ? c->sack : c->cfg->sack)
		ret->options |= TCP_OPT_SACK_PERMITTED;
	if (reply ? c->window_scaling : c->cfg->window_scaling) {
		ret->options |= TCP_OPT_WSCALE;
		ret->wscale = tcp_window_scale(c->cfg->rcv_window_max_bytes);
	}
}

void
tcp_options_stamp(const struct tcp_conn *c, uint64_t now_ns, struct tcp_segment *ret)
{
	bool syn_sent = c->state == TCP_SYN_SENT;

	if (syn_sent ? !c->cfg->timestamps : !c->timestamps)
		return;
	ret->options |= TCP_OPT_TIMESTAMPS;
	ret->ts_val = tcp_options_clock(c, now_ns);
	ret->ts_ecr = syn_sent ? 0 : c->ts_recent;
}

static uint16_t
effective_smss(const struct tcp_conn *c)
{
	uint32_t mss = MIN_OF((uint32_t)MAX_OF(c->mss_peer, TCP_MSS_MIN), (uint32_t)c->mss_max);

	/* RFC 6691: options come out of the segment size. */
	return (uint16_t)(mss - (c->timestamps ? TCP_TIMESTAMPS_LEN : 0));
}

void
tcp_options_negotiate(struct tcp_conn *c, const struct tcp_segment *syn)
{
	c->mss_peer = syn->options & TCP_OPT_MSS ? syn->mss : c->mss_default;
	c->timestamps = c->cfg->timestamps && (syn->options & TCP_OPT_TIMESTAMPS);
	c->sack = c->cfg->sack && (syn->options & TCP_OPT_SACK_PERMITTED);
	c->rack.on = c->sack && c->cfg->rack;
	c->window_scaling = c->cfg->window_scaling && (syn->options & TCP_OPT_WSCALE);
	if (c->window_scaling) {
		c->snd_wscale = (uint8_t)MIN_OF(syn->wscale, TCP_WSCALE_MAX);
		c->rcv_wscale = tcp_window_scale(c->cfg->rcv_window_max_bytes);
	}
	tcp_send_on_smss(c, effective_smss(c));
}

bool
tcp_options_stamp_missing(const struct tcp_conn *c, const struct tcp_segment *s)
{
	/* A SYN is challenged whatever it carries (RFC 5961 §4): the peer may have restarted. */
	return c->timestamps && !(s->flags & (TCP_RST | TCP_SYN)) &&
	       !(s->options & TCP_OPT_TIMESTAMPS);
}

bool
tcp_options_paws_reject(const struct tcp_conn *c, const struct tcp_segment *s, uint64_t now_ns)
{
	if (!c->timestamps || (s->flags & TCP_RST) || !(s->options & TCP_OPT_TIMESTAMPS))
		return false;
	return (int32_t)(s->ts_val - c->ts_recent) < 0 &&
	       now_ns - c->ts_recent_ns < TCP_PAWS_IDLE_NS;
}

void
tcp_options_on_segment(struct tcp_conn *c, const struct tcp_segment *s, uint64_t now_ns)
{
	if (!c->timestamps || !(s->options & TCP_OPT_TIMESTAMPS) || seq_gt(s->seq, c->ack.covered))
		return;
	c->ts_recent = s->ts_val;
	c->ts_recent_ns = now_ns;
}
