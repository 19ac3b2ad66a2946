/* SPDX-License-Identifier: BSD-3-Clause */
#include <netinet/in.h>
#include <string.h>

#include <sys/socket.h>

/* The kernel's header has a struct of our name. */
#define tcp_info linux_tcp_info
#include <linux/tcp.h>
#undef tcp_info

#include "base_bytes.h"
#include "base_time.h"
#include "kernel_priv.h"

#define SSTHRESH_INFINITE 0x7fffffffU /* TCP_INFINITE_SSTHRESH, in segments */

/* The kernel's numbers (net/tcp_states.h): 1 is ESTABLISHED. */
static enum tcp_state
state_of(uint8_t number)
{
	static const enum tcp_state state[] = {
		TCP_CLOSED,
		TCP_ESTABLISHED,
		TCP_SYN_SENT,
		TCP_SYN_RECEIVED,
		TCP_FIN_WAIT_1,
		TCP_FIN_WAIT_2,
		TCP_TIME_WAIT,
		TCP_CLOSED,
		TCP_CLOSE_WAIT,
		TCP_LAST_ACK,
		TCP_CLOSED, /* LISTEN: not ours */
		TCP_CLOSING,
	};

	return number < sizeof(state) / sizeof(state[0]) ? state[number] : TCP_CLOSED;
}

/* Segments to bytes, as far as they fit. */
static uint32_t
bytes_of(uint32_t segments, uint32_t mss)
{
	uint64_t bytes = (uint64_t)segments * mss;

	return segments >= SSTHRESH_INFINITE ? UINT32_MAX : (uint32_t)MIN_OF(bytes, UINT32_MAX);
}

static void
fill(const struct linux_tcp_info *from, struct tcp_info *ret)
{
	ret->state = state_of(from->tcpi_state);
	ret->srtt_ns = from->tcpi_rtt * NS_PER_US;
	ret->rttvar_ns = from->tcpi_rttvar * NS_PER_US;
	ret->rto_ns = from->tcpi_rto * NS_PER_US;
	ret->rcv_rtt_ns = from->tcpi_rcv_rtt * NS_PER_US;
	ret->snd_wnd = from->tcpi_snd_wnd;
	ret->snd_cwnd = bytes_of(from->tcpi_snd_cwnd, from->tcpi_snd_mss);
	ret->snd_ssthresh = bytes_of(from->tcpi_snd_ssthresh, from->tcpi_snd_mss);
	ret->rcv_window_limit = from->tcpi_rcv_space;
	ret->mss_send = (uint16_t)MIN_OF(from->tcpi_snd_mss, UINT16_MAX);
	ret->snd_wscale = from->tcpi_snd_wscale;
	ret->rcv_wscale = from->tcpi_rcv_wscale;
	ret->timestamps = (from->tcpi_options & TCPI_OPT_TIMESTAMPS) != 0;
	ret->sack = (from->tcpi_options & TCPI_OPT_SACK) != 0;
	ret->window_scaling = (from->tcpi_options & TCPI_OPT_WSCALE) != 0;
	ret->ecn = (from->tcpi_options & TCPI_OPT_ECN) != 0;
	ret->retransmits = from->tcpi_total_retrans;
}

void
kernel_info(const struct transport_conn *c, struct tcp_info *ret)
{
	struct linux_tcp_info from;
	socklen_t len = sizeof(from);

	memset(ret, 0, sizeof(*ret));
	memset(&from, 0, sizeof(from));
	ret->syn_sent_ns = c->syn_sent_ns;
	ret->established_ns = c->established_ns;
	if (getsockopt(c->fd, IPPROTO_TCP, TCP_INFO, &from, &len) != 0)
		return;
	fill(&from, ret);
	ret->rcv_bytes_unread = kernel_socket_unread(c->fd);
	if (from.tcpi_bytes_received > 0)
		ret->last_received_ns =
			kernel_transport_clock_ns() - from.tcpi_last_data_recv * NS_PER_MS;
}
