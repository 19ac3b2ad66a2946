/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SIM_REFEREE_PRIV_H
#define SIM_REFEREE_PRIV_H

#include <stddef.h>

#include "sim_referee.h"
#include "sim_wire.h"

/* Between the referee's own files. */

/** Keeps the first fault. */
void sim_referee_fault(struct sim_referee *r, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/** At the end of an iteration: what should have been sent in it (sim_referee_duties.c). */
void sim_referee_judge_duties(
	struct sim_referee *r, struct sim_referee_conn *c, bool excused, uint64_t now_ns);

/* sim_referee_ecn.c */
void sim_referee_ecn_on_syn(
	struct sim_referee *r, struct sim_referee_conn *c, const struct sim_tcp *t);
void sim_referee_ecn_on_syn_ack(struct sim_referee_conn *c, const struct sim_tcp *t);
/** Before anything else is noted of the segment. */
void sim_referee_ecn_on_delivered(
	struct sim_referee_conn *c, const struct sim_tcp *t, uint64_t left);
void sim_referee_ecn_on_sent(
	struct sim_referee *r, struct sim_referee_conn *c, const struct sim_tcp *t);

/** The newest connection from this port of the client, or NULL. */
static inline struct sim_referee_conn *
sim_referee_find(const struct sim_referee *r, uint16_t port)
{
	struct sim_referee_conn *c = r->conns;

	while (c != NULL && c->port != port)
		c = c->next;
	return c;
}

/** A sequence number of the server's as an offset near what was told last; "negative" ones, from
 *  before the first byte, are above SIM_NEVER / 2. */
static inline uint64_t
sim_referee_server_offset(const struct sim_referee_conn *c, uint32_t seq)
{
	int32_t ahead = (int32_t)(seq - (c->irs + 1 + (uint32_t)c->ack));

	return c->ack + (uint64_t)(int64_t)ahead;
}

/** The same for the client's, near the farthest that it sent. */
static inline uint64_t
sim_referee_client_offset(const struct sim_referee_conn *c, uint32_t seq)
{
	int32_t ahead = (int32_t)(seq - (c->iss + 1 + (uint32_t)c->snd_max));

	return c->snd_max + (uint64_t)(int64_t)ahead;
}

/** The TCP segment in a frame. false: it is none, or it is malformed, which is a fault of whose. */
bool sim_referee_read(struct sim_referee *r, const uint8_t *frame, uint32_t len, const char *whose,
	struct sim_tcp *ret);

#endif
