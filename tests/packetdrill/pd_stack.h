/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PD_STACK_H
#define PD_STACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pd_settings.h"
#include "wire_ip.h"

/*
 * The stack under test in virtual time: raw IP packets in and out. What lies between is the
 * product's netstack and TCP, unchanged. The only thing added is a passive open, which the product
 * does not have: pd_stack_open with a SYN that has come puts a connection into SYN-RECEIVED.
 *
 * This header leaves out lib/tcp's, whose names collide with those of <linux/tcp.h>.
 */

/* Ours, which the runner tells packetdrill. */
#define PD_LOCAL_ADDRESS UINT32_C(0xc0a80002) /* 192.168.0.2 */
#define PD_LOCAL_ADDRESS_IPV6                \
	{                                    \
		{                            \
			0xfd, 0x3d, [15] = 2 \
		}                            \
	} /* fd3d::2 */
#define PD_MTU_MAX 65535U

struct netstack_conn;
struct pd_stack;

/** States in words, so that callers need no lib/tcp header. In the order of enum tcp_state. */
enum pd_state {
	PD_CLOSED,
	PD_SYN_SENT,
	PD_SYN_RECEIVED,
	PD_ESTABLISHED,
	PD_FIN_WAIT_1,
	PD_FIN_WAIT_2,
	PD_CLOSE_WAIT,
	PD_CLOSING,
	PD_LAST_ACK,
	PD_TIME_WAIT,
};

/** What a socket's owner asked for its connection. 0: the default. */
struct pd_open {
	struct ip_address remote;
	uint16_t remote_port, local_port; /* local_port 0: chosen */
	uint16_t mss_max;
	uint32_t rcvbuf;
	uint32_t syn_retries;
	uint64_t user_timeout_ns;
	uint32_t keepalive_idle_ms, keepalive_interval_ms, keepalive_probes;
	bool keepalive;
};

/** A TCP segment that is about to be injected, as far as a listener wants to know it. */
struct pd_arrival {
	struct ip_address remote;
	uint16_t remote_port, local_port;
	bool syn, ack, rst;
	bool known; /* it belongs to a connection */
};

/** A look inside a connection. */
struct pd_look {
	enum pd_state state;
	int error; /* 0 or -errno */
	uint32_t mss_send, mss_advertised;
	uint32_t unacked_bytes, cwnd, ssthresh, rto_us, srtt_us, rttvar_us, retransmits;
	uint32_t snd_wnd, rcv_wnd, unread;
	uint8_t snd_wscale, rcv_wscale;
	bool timestamps, sack, window_scaling, ecn;
	bool recovering, after_rto;
	uint32_t sacked_bytes;
};

/** settings must outlive the stack. NULL: out of memory. */
struct pd_stack *pd_stack_create(const struct pd_settings *settings, uint64_t now_ns);
/** Frees all; says on standard error when a received buffer was never given back. */
void pd_stack_destroy(struct pd_stack *st);

/** Opens a connection. passive: to be followed by the injection of the SYN that called for it. NULL:
 *  no room. */
struct netstack_conn *pd_stack_open(
	struct pd_stack *st, const struct pd_open *open, bool passive, uint64_t now_ns);
/** false: not a TCP segment to us. */
bool pd_stack_arrival(
	const struct pd_stack *st, const void *packet, size_t len, struct pd_arrival *ret);
/** Injects a raw IP packet. */
void pd_stack_input(struct pd_stack *st, const void *packet, size_t len, uint64_t now_ns);
/** Runs the stack; what it sends is queued. */
void pd_stack_run(struct pd_stack *st, uint64_t now_ns);
/** Time of the next thing that happens without input; UINT64_MAX: none. */
uint64_t pd_stack_deadline(const struct pd_stack *st);
/** Takes the oldest queued packet: its length, or 0 when there is none. */
size_t pd_stack_take(struct pd_stack *st, void *ret, size_t room, uint64_t *ret_sent_ns);

/* A connection. */
void pd_stack_look(struct netstack_conn *nc, struct pd_look *ret);
uint16_t pd_stack_local_port(struct netstack_conn *nc);
void pd_stack_remote(struct netstack_conn *nc, struct ip_address *ret_ip, uint16_t *ret_port);
/** Our address of the family of a. */
struct ip_address pd_stack_local(const struct ip_address *a);
/** Bytes accepted, 0 when there is no room. limit: of what may be queued. */
uint32_t pd_stack_send(struct pd_stack *st, struct netstack_conn *nc, const void *data,
	uint32_t len, uint32_t limit);
uint32_t pd_stack_send_queued(struct netstack_conn *nc);
/** The next in-order run; its owner is the caller's until pd_stack_consumed. false: none. */
bool pd_stack_recv(
	struct netstack_conn *nc, const uint8_t **ret_data, uint32_t *ret_len, void **ret_owner);
/** len bytes were read; owner, unless NULL, is done with. */
void pd_stack_consumed(struct pd_stack *st, struct netstack_conn *nc, uint32_t len, void *owner);
/** The owner of a run that nobody will read. */
void pd_stack_drop(struct pd_stack *st, void *owner);
bool pd_stack_recv_finished(struct netstack_conn *nc);
void pd_stack_shutdown(struct pd_stack *st, struct netstack_conn *nc, uint64_t now_ns);
void pd_stack_abort(struct pd_stack *st, struct netstack_conn *nc);
/** The socket is gone; the connection closes by itself. */
void pd_stack_release(struct pd_stack *st, struct netstack_conn *nc, uint64_t now_ns);
/** Connections in this state, whoever holds them. */
uint32_t pd_stack_count(const struct pd_stack *st, enum pd_state state);

#endif
