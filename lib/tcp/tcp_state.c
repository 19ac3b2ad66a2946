/* SPDX-License-Identifier: BSD-3-Clause */
#include "base_check.h"
#include "tcp_priv.h"

#define TO(state) (1U << (state))

/* RFC 9293 §3.3.2, figure 5; every state may also be ended by a reset, an abort or a time-out. */
static const uint32_t legal[] = {
	[TCP_CLOSED] = TO(TCP_SYN_SENT),
	[TCP_SYN_SENT] = TO(TCP_CLOSED) | TO(TCP_ESTABLISHED) | TO(TCP_SYN_RECEIVED),
	[TCP_SYN_RECEIVED] = TO(TCP_CLOSED) | TO(TCP_ESTABLISHED) | TO(TCP_FIN_WAIT_1),
	[TCP_ESTABLISHED] = TO(TCP_CLOSED) | TO(TCP_FIN_WAIT_1) | TO(TCP_CLOSE_WAIT),
	[TCP_FIN_WAIT_1] =
		TO(TCP_CLOSED) | TO(TCP_FIN_WAIT_2) | TO(TCP_CLOSING) | TO(TCP_TIME_WAIT),
	[TCP_FIN_WAIT_2] = TO(TCP_CLOSED) | TO(TCP_TIME_WAIT),
	[TCP_CLOSE_WAIT] = TO(TCP_CLOSED) | TO(TCP_LAST_ACK),
	[TCP_CLOSING] = TO(TCP_CLOSED) | TO(TCP_TIME_WAIT),
	[TCP_LAST_ACK] = TO(TCP_CLOSED),
	[TCP_TIME_WAIT] = TO(TCP_CLOSED),
};

const char *
tcp_state_name(enum tcp_state state)
{
	static const char *const names[] = {
		[TCP_CLOSED] = "CLOSED",
		[TCP_SYN_SENT] = "SYN-SENT",
		[TCP_SYN_RECEIVED] = "SYN-RECEIVED",
		[TCP_ESTABLISHED] = "ESTABLISHED",
		[TCP_FIN_WAIT_1] = "FIN-WAIT-1",
		[TCP_FIN_WAIT_2] = "FIN-WAIT-2",
		[TCP_CLOSE_WAIT] = "CLOSE-WAIT",
		[TCP_CLOSING] = "CLOSING",
		[TCP_LAST_ACK] = "LAST-ACK",
		[TCP_TIME_WAIT] = "TIME-WAIT",
	};

	return names[state];
}

void
tcp_set_state(struct tcp_conn *c, enum tcp_state state)
{
	CHECK(legal[c->state] & TO(state));
	c->state = state;
}

void
tcp_state_end(struct tcp_conn *c, int error)
{
	tcp_set_state(c, TCP_CLOSED);
	c->error = error;
	tcp_timer_stop_all(c);
	tcp_ack_reset(&c->ack, c->cfg->ack_policy);
	c->syn_due = false;
	c->probe_due = false;
}
