/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <string.h>

#include "base_bytes.h"
#include "base_time.h"
#include "pd.h"

/* Linux's numbers of the states (net/tcp_states.h), which TCP_INFO shows. */
static uint8_t
linux_state(enum pd_state state)
{
	static const uint8_t number[] = {
		[PD_CLOSED] = 7,
		[PD_SYN_SENT] = 2,
		[PD_SYN_RECEIVED] = 3,
		[PD_ESTABLISHED] = 1,
		[PD_FIN_WAIT_1] = 4,
		[PD_FIN_WAIT_2] = 5,
		[PD_CLOSE_WAIT] = 8,
		[PD_CLOSING] = 11,
		[PD_LAST_ACK] = 9,
		[PD_TIME_WAIT] = 6,
	};

	return number[state];
}

#define LINUX_STATE_LISTEN 10

static uint8_t
info_options(const struct pd_look *look)
{
	return (uint8_t)((look->timestamps ? TCPI_OPT_TIMESTAMPS : 0) |
			 (look->sack ? TCPI_OPT_SACK : 0) |
			 (look->window_scaling ? TCPI_OPT_WSCALE : 0) |
			 (look->ecn ? TCPI_OPT_ECN : 0));
}

/* Linux's numbers of its congestion states (enum tcp_ca_state). */
static uint8_t
info_ca_state(const struct pd_look *look)
{
	if (look->recovering)
		return TCP_CA_Recovery;
	if (look->after_rto)
		return TCP_CA_Loss;
	return look->sacked_bytes > 0 ? TCP_CA_Disorder : TCP_CA_Open;
}

static uint32_t
segments(uint32_t bytes, uint32_t mss)
{
	return mss == 0 ? 0 : (bytes + mss - 1) / mss;
}

/* The part of TCP_INFO that our stack has; the rest is 0. */
static void
fill_info(const struct pd_socket *s, struct tcp_info *ret)
{
	struct pd_look look = {.state = PD_CLOSED};

	memset(ret, 0, sizeof(*ret));
	if (s->nc != NULL)
		pd_stack_look(s->nc, &look);
	ret->tcpi_state = s->kind == PD_LISTENER ? LINUX_STATE_LISTEN : linux_state(look.state);
	ret->tcpi_ca_state = info_ca_state(&look);
	ret->tcpi_sacked = segments(look.sacked_bytes, look.mss_send);
	ret->tcpi_options = info_options(&look);
	ret->tcpi_snd_wscale = look.snd_wscale & 0xfU;
	ret->tcpi_rcv_wscale = look.rcv_wscale & 0xfU;
	ret->tcpi_rto = look.rto_us;
	ret->tcpi_snd_mss = look.mss_send;
	ret->tcpi_advmss = look.mss_advertised;
	ret->tcpi_unacked = segments(look.unacked_bytes, look.mss_send);
	ret->tcpi_rtt = look.srtt_us;
	ret->tcpi_rttvar = look.rttvar_us;
	ret->tcpi_snd_cwnd = look.mss_send == 0 ? 0 : look.cwnd / look.mss_send;
	ret->tcpi_snd_ssthresh = look.mss_send == 0 || look.ssthresh > INT32_MAX
					 ? INT32_MAX
					 : look.ssthresh / look.mss_send;
	ret->tcpi_total_retrans = look.retransmits;
	ret->tcpi_rcv_space = look.rcv_wnd;
}

/* A caller with a newer, longer structure gets zeros where ours ends, as from a kernel without them. */
static int
give_info(const struct pd_socket *s, void *value, socklen_t *len)
{
	struct tcp_info info;

	fill_info(s, &info);
	memset(value, 0, *len);
	memcpy(value, &info, MIN_OF(*len, (socklen_t)sizeof(info)));
	return 0;
}

static int
give(void *value, socklen_t *len, const void *from, size_t size)
{
	socklen_t n = MIN_OF(*len, (socklen_t)size);

	memcpy(value, from, n);
	*len = n;
	return 0;
}

static int
give_int(void *value, socklen_t *len, uint32_t number)
{
	return give(value, len, &number, sizeof(number));
}

/* FreeBSD rounds the buffer up to whole segments once the MSS is known; Linux doubles what is set. */
static uint32_t
rcvbuf_shown(const struct pd *p, const struct pd_socket *s)
{
	uint32_t bytes = s->open.rcvbuf != 0 ? s->open.rcvbuf : p->settings.rcvbuf, mss;
	struct pd_look look;

	if (s->nc == NULL || p->settings.host != PD_HOST_FREEBSD)
		return p->settings.host == PD_HOST_LINUX && s->open.rcvbuf != 0 ? 2 * bytes : bytes;
	pd_stack_look(s->nc, &look);
	if (look.state == PD_SYN_SENT)
		return bytes;
	mss = look.mss_send + (look.timestamps ? 12 : 0);
	return mss == 0 ? bytes : (bytes + mss - 1) / mss * mss;
}

static int
get_socket_level(struct pd *p, struct pd_socket *s, int name, void *value, socklen_t *len)
{
	static const uint32_t meminfo[9]; /* our socket has no such accounts */
	const struct linger linger = {.l_onoff = s->linger_on, .l_linger = s->linger_seconds};

	switch (name) {
	case SO_ERROR:
		return give_int(value, len, (uint32_t)pd_socket_error(s));
	case SO_RCVBUF:
		return give_int(value, len, rcvbuf_shown(p, s));
	case SO_SNDBUF:
		return give_int(
			value, len, p->settings.host == PD_HOST_LINUX ? 2 * s->sndbuf : s->sndbuf);
	case SO_KEEPALIVE:
		return give_int(value, len, s->open.keepalive);
	case SO_REUSEADDR:
		return give_int(value, len, s->reuse);
	case SO_TYPE:
		return give_int(value, len, SOCK_STREAM);
	case SO_ACCEPTCONN:
		return give_int(value, len, s->kind == PD_LISTENER);
	case SO_MEMINFO:
		return give(value, len, meminfo, sizeof(meminfo));
	case SO_LINGER:
		return give(value, len, &linger, sizeof(linger));
	default:
		return -ENOPROTOOPT;
	}
}

static uint32_t
maxseg_shown(const struct pd_socket *s)
{
	struct pd_look look = {.mss_send = 0};

	if (s->nc != NULL)
		pd_stack_look(s->nc, &look);
	if (look.state >= PD_ESTABLISHED)
		return look.mss_send;
	return s->open.mss_max != 0 ? s->open.mss_max : 536;
}

static int
get_tcp_level(struct pd *p, struct pd_socket *s, int name, void *value, socklen_t *len)
{
	const struct pd_settings *set = &p->settings;

	switch (name) {
	case TCP_INFO:
		return give_info(s, value, len);
	case TCP_CC_INFO:
		*len = 0; /* as Linux answers for CUBIC and Reno */
		return 0;
	case TCP_MAXSEG:
		return give_int(value, len, maxseg_shown(s));
	case TCP_NODELAY:
		return give_int(value, len, s->nodelay);
	case TCP_USER_TIMEOUT:
		return give_int(value, len, (uint32_t)(s->open.user_timeout_ns / NS_PER_MS));
	case TCP_KEEPIDLE:
		return give_int(value, len,
			(s->open.keepalive_idle_ms != 0 ? s->open.keepalive_idle_ms
							: set->keepalive_idle_ms) /
				1000);
	case TCP_KEEPINTVL:
		return give_int(value, len,
			(s->open.keepalive_interval_ms != 0 ? s->open.keepalive_interval_ms
							    : set->keepalive_interval_ms) /
				1000);
	case TCP_KEEPCNT:
		return give_int(value, len,
			s->open.keepalive_probes != 0 ? s->open.keepalive_probes
						      : set->keepalive_probes);
	case TCP_SYNCNT:
		return give_int(value, len,
			s->open.syn_retries != 0 ? s->open.syn_retries : set->syn_retries);
	default:
		return -ENOPROTOOPT;
	}
}

int
pd_option_get(struct pd *p, struct pd_socket *s, int level, int name, void *value, socklen_t *len)
{
	if (value == NULL || len == NULL)
		return -EFAULT;
	if (level == SOL_SOCKET)
		return get_socket_level(p, s, name, value, len);
	if (level == IPPROTO_TCP)
		return get_tcp_level(p, s, name, value, len);
	return -ENOPROTOOPT;
}

static int
set_socket_level(struct pd_socket *s, int name, const void *value, socklen_t len, uint32_t number)
{
	struct linger linger;

	switch (name) {
	case SO_REUSEADDR:
	case SO_REUSEPORT:
		s->reuse = number != 0;
		return 0;
	case SO_KEEPALIVE:
		s->open.keepalive = number != 0;
		return s->nc == NULL ? 0 : -ENOPROTOOPT; /* our timers are set at the open */
	case SO_RCVBUF:
		s->open.rcvbuf = number;
		return 0;
	case SO_SNDBUF:
		s->sndbuf = number;
		return 0;
	case SO_LINGER:
		if (len < sizeof(linger))
			return -EINVAL;
		memcpy(&linger, value, sizeof(linger));
		s->linger_on = linger.l_onoff != 0;
		s->linger_seconds = linger.l_linger;
		return 0;
	default:
		return -ENOPROTOOPT;
	}
}

static int
set_tcp_level(struct pd_socket *s, int name, uint32_t number)
{
	switch (name) {
	case TCP_NODELAY: /* the stack never waits for an ACK (no Nagle) */
		s->nodelay = number != 0;
		return 0;
	case TCP_QUICKACK:
		return 0;
	case TCP_MAXSEG:
		if (number < 88 || number > PD_MTU_MAX - 40)
			return -EINVAL;
		s->open.mss_max = (uint16_t)number;
		return s->nc == NULL ? 0 : -EINVAL;
	case TCP_SYNCNT:
		if (number < 1 || number > 127)
			return -EINVAL;
		s->open.syn_retries = number;
		return 0;
	case TCP_KEEPIDLE:
		s->open.keepalive_idle_ms = number * 1000;
		return s->nc == NULL ? 0 : -ENOPROTOOPT;
	case TCP_KEEPINTVL:
		s->open.keepalive_interval_ms = number * 1000;
		return s->nc == NULL ? 0 : -ENOPROTOOPT;
	case TCP_KEEPCNT:
		s->open.keepalive_probes = number;
		return s->nc == NULL ? 0 : -ENOPROTOOPT;
	default:
		return -ENOPROTOOPT;
	}
}

int
pd_option_set(struct pd_socket *s, int level, int name, const void *value, socklen_t len)
{
	uint32_t number = 0;

	if (value == NULL)
		return -EFAULT;
	memcpy(&number, value, MIN_OF(len, (socklen_t)sizeof(number)));
	if (level == SOL_SOCKET)
		return set_socket_level(s, name, value, len, number);
	if (level == IPPROTO_TCP)
		return len < sizeof(number) ? -EINVAL : set_tcp_level(s, name, number);
	return -ENOPROTOOPT;
}
