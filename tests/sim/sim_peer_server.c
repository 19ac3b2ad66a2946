/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base_check.h"
#include "sim_peer.h"

static void *
peer_start(const struct sim_site *site, uint64_t now_ns)
{
	struct sim_peer *p = malloc(sizeof(*p));

	(void)now_ns;
	CHECK(p != NULL);
	*p = (struct sim_peer){
		.cfg = *site->cfg, .random = site->random, .out = site->out, .ip = site->ip};
	memcpy(p->mac.byte, site->mac, sizeof(p->mac.byte));
	sim_peer_start(p);
	return p;
}

static void
peer_serve(void *server, const struct sim_response *response)
{
	struct sim_peer *p = server;

	p->response = *response;
}

static void
peer_input(void *server, const struct sim_frame *f, uint64_t now_ns)
{
	sim_peer_input(server, f, now_ns);
}

static void
peer_run(void *server, uint64_t now_ns)
{
	sim_peer_run(server, now_ns);
}

static uint64_t
peer_deadline(const void *server)
{
	return sim_peer_deadline(server);
}

static const char *
peer_fault(const void *server)
{
	const struct sim_peer *p = server;

	return p->fault;
}

static void
peer_describe(const void *server, char *buf, size_t room)
{
	const struct sim_peer *p = server;

	snprintf(buf, room, "state %d una %llu nxt %llu of %llu edge %llu requests %u",
		(int)p->state, (unsigned long long)p->una, (unsigned long long)p->nxt,
		(unsigned long long)p->stream.len, (unsigned long long)p->right_edge, p->requests);
}

static void
peer_report(const void *server, struct sim_server_report *ret)
{
	const struct sim_peer *p = server;

	*ret = (struct sim_server_report){
		.retransmissions = p->retransmissions,
		.ecn_reductions = p->ecn_reductions,
		.fins_crossed = p->fins_crossed,
	};
}

static void
peer_stop(void *server)
{
	sim_peer_stop(server);
	free(server);
}

const struct sim_server_ops sim_peer_ops = {
	.start = peer_start,
	.serve = peer_serve,
	.input = peer_input,
	.run = peer_run,
	.deadline = peer_deadline,
	.fault = peer_fault,
	.describe = peer_describe,
	.report = peer_report,
	.stop = peer_stop,
};
