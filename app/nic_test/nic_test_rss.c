/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>

#include "base_bytes.h"
#include "base_time.h"
#include "nic_info.h"
#include "prober.h"
#include "probe_spread.h"
#include "wire_rss.h"

/* Connections are begun from many ports, twice from each; the server's answers show the queue of each. */

#define QUEUES_TRIED 4U /* of those that a port has, unless --queues says more */
#define ROUNDS 2U
#define IN_FLIGHT_MAX 16U
#define PASSES 3U /* over those that were not answered */
#define NOT_SEEN UINT16_MAX
#define PORT_FIRST 32768U

struct flow {
	uint16_t port;
	uint16_t queue[ROUNDS]; /* NOT_SEEN: not answered */
};

struct survey {
	struct prober *prober;
	struct flow *flow;
	uint32_t flows, round;
	uint32_t isn;
	uint32_t in_flight;
};

static bool
see(void *ctx, uint16_t queue, const struct probe_seen *seen)
{
	struct survey *s = ctx;
	struct tx_frame *frame;
	uint32_t i = (uint32_t)seen->port - PORT_FIRST;

	if (seen->kind != PROBE_SYN_ACK || i >= s->flows || seen->seq != s->isn + 1)
		return false;
	frame = prober_frame(s->prober);
	probe_build_rst(frame, &s->prober->peers, seen->port, seen->seq);
	(void)prober_send(s->prober);
	if (s->flow[i].queue[s->round] == NOT_SEEN)
		s->in_flight -= s->in_flight > 0;
	s->flow[i].queue[s->round] = queue;
	return false;
}

static bool
has_room(void *ctx, uint16_t queue, const struct probe_seen *seen)
{
	struct survey *s = ctx;

	(void)see(ctx, queue, seen);
	return s->in_flight < IN_FLIGHT_MAX;
}

/* Asks for all flows that have not been seen in this round. */
static void
ask_all(struct survey *s)
{
	struct prober *p = s->prober;
	struct tx_frame *frame;
	uint32_t i;

	s->in_flight = 0;
	for (i = 0; i < s->flows && !prober_must_end(p); i++) {
		if (s->flow[i].queue[s->round] != NOT_SEEN)
			continue;
		frame = prober_frame(p);
		probe_build_syn(frame, &p->peers, s->flow[i].port, s->isn, 0, PROBE_SUM_RIGHT);
		s->in_flight += prober_send(p);
		if (s->in_flight >= IN_FLIGHT_MAX &&
			!prober_await(p, PROBER_SILENCE_NS / 10, has_room, s))
			s->in_flight = 0; /* they do not come any more */
	}
	(void)prober_await(p, PROBER_SILENCE_NS, see, s);
}

static void
survey_all(struct survey *s)
{
	uint32_t i, pass;

	for (i = 0; i < s->flows; i++)
		s->flow[i] = (struct flow){
			.port = (uint16_t)(PORT_FIRST + i), .queue = {NOT_SEEN, NOT_SEEN}};
	for (s->round = 0; s->round < ROUNDS; s->round++) {
		s->isn = prober_number(s->prober);
		for (pass = 0; pass < PASSES; pass++)
			ask_all(s);
	}
}

/* ---- what it says ---- */

static void
judge_answers(const struct survey *s, struct nic_test_result *r)
{
	uint32_t i, missing = 0, moved = 0;

	for (i = 0; i < s->flows; i++) {
		missing += s->flow[i].queue[0] == NOT_SEEN || s->flow[i].queue[1] == NOT_SEEN;
		moved += s->flow[i].queue[0] != NOT_SEEN && s->flow[i].queue[1] != NOT_SEEN &&
			 s->flow[i].queue[0] != s->flow[i].queue[1];
	}
	nic_test_add_value(r, "flows", s->flows);
	nic_test_add_value(r, "flows_unanswered", missing);
	if (missing > 0)
		nic_test_add_case(r, NIC_TEST_FAIL, "all arrive",
			"%u of %u connections were never answered: is there a queue that nobody "
			"polls?",
			missing, s->flows);
	else
		nic_test_add_case(r, NIC_TEST_PASS, "all arrive", "%u connections", s->flows);
	if (moved > 0)
		nic_test_add_case(r, NIC_TEST_FAIL, "one queue each",
			"%u connections came on another queue the second time", moved);
	else
		nic_test_add_case(
			r, NIC_TEST_PASS, "one queue each", "the same one the second time");
}

static void
judge_spread(const struct survey *s, struct nic_test_result *r)
{
	struct probe_spread spread = {.queues = s->prober->host.queues};
	char text[NIC_TEST_TEXT_MAX] = "", name[NIC_TEST_NAME_MAX];
	size_t used = 0;
	uint32_t i;

	for (i = 0; i < s->flows; i++) {
		if (s->flow[i].queue[0] != NOT_SEEN)
			spread.flows[s->flow[i].queue[0]]++;
	}
	for (i = 0; i < spread.queues; i++) {
		(void)snprintf(name, sizeof(name), "queue_%u_flows", i);
		nic_test_add_value(r, name, spread.flows[i]);
		used = MIN_OF(used, sizeof(text) - 1);
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%u",
			i > 0 ? ", " : "", spread.flows[i]);
	}
	if (probe_spread_is_even(&spread))
		nic_test_add_case(r, NIC_TEST_PASS, "spread evenly", "%s", text);
	else
		nic_test_add_case(r, NIC_TEST_FAIL, "spread evenly",
			"%s on the queues: some have less than half of their share, or more than "
			"twice as much",
			text);
}

static uint32_t
expected_queue(const struct port_steering *st, uint32_t queues, uint32_t hash, uint16_t port)
{
	return st->kind == PORT_STEERING_PORT ? port % queues : st->reta[hash % st->reta_size];
}

/* How many flows came elsewhere than steering says; *ret_symmetric: both directions of each have one hash. */
static uint32_t
count_surprises(const struct survey *s, const struct port_steering *st, const struct wire_rss *rss,
	bool *ret_symmetric)
{
	const struct probe_peers *p = &s->prober->peers;
	const struct ip_address us = ip_address_of_v4(p->address),
				them = ip_address_of_v4(p->remote);
	uint32_t i, in, surprises = 0;

	*ret_symmetric = true;
	for (i = 0; i < s->flows; i++) {
		in = wire_rss_hash(rss, &them, &us, p->remote_port, s->flow[i].port);
		*ret_symmetric &=
			in == wire_rss_hash(rss, &us, &them, s->flow[i].port, p->remote_port);
		surprises += s->flow[i].queue[0] != NOT_SEEN &&
			     s->flow[i].queue[0] != expected_queue(st, s->prober->host.queues, in,
							    s->flow[i].port);
	}
	return surprises;
}

static void
judge_symmetry(const struct port_steering *st, bool symmetric, struct nic_test_result *r)
{
	static const char name[] = "symmetry";

	if (st->kind == PORT_STEERING_PORT)
		nic_test_add_case(r, NIC_TEST_PASS, name,
			"by our port alone: what comes in of a connection is on one queue");
	else
		nic_test_add_case(r, NIC_TEST_PASS, name, "%s",
			symmetric ? "both directions of a connection have one hash"
				  : "the two directions have different hashes (the usual key); "
				    "dpfetch needs no more, "
				    "a tap would need a symmetric key");
}

static void
judge_steering(const struct survey *s, struct nic_test_result *r)
{
	static const char name[] = "as it says";
	struct port_steering *st = malloc(sizeof(*st));
	struct wire_rss *rss = malloc(sizeof(*rss));
	uint32_t surprises;
	bool symmetric, known = st != NULL && rss != NULL;

	if (known) {
		port_steering(s->prober->host.port, st);
		known = st->kind == PORT_STEERING_PORT ||
			(st->kind == PORT_STEERING_RSS && wire_rss_init(rss, st->key, st->key_len));
	}
	if (known && st->kind == PORT_STEERING_PORT)
		*rss = (struct wire_rss){0};
	if (!known) {
		nic_test_add_case(r, NIC_TEST_SKIPPED, name,
			"driver %s does not say how it spreads frames",
			s->prober->facts->port.driver);
	} else {
		surprises = count_surprises(s, st, rss, &symmetric);
		if (surprises > 0)
			nic_test_add_case(r, NIC_TEST_FAIL, name,
				"%u of %u connections came on another queue than key and RETA say: "
				"workers would choose wrong ports, and hand over in software",
				surprises, s->flows);
		else
			nic_test_add_case(r, NIC_TEST_PASS, name, "each on the queue that %s",
				st->kind == PORT_STEERING_RSS ? "key and RETA say"
							      : "its port says");
		judge_symmetry(st, symmetric, r);
	}
	free(rss);
	free(st);
}

static void
try_spreading(struct prober *p, struct nic_test_result *r)
{
	struct survey s = {.prober = p, .flows = probe_spread_flows(p->host.queues)};

	s.flow = calloc(s.flows, sizeof(*s.flow));
	if (s.flow == NULL) {
		nic_test_conclude(r, NIC_TEST_FAIL, "no memory for %u connections", s.flows);
		return;
	}
	survey_all(&s);
	nic_test_add_value(r, "queues", p->host.queues);
	judge_answers(&s, r);
	judge_spread(&s, r);
	judge_steering(&s, r);
	nic_test_conclude_cases(r, "%u connections over %u queues", s.flows, p->host.queues);
	free(s.flow);
}

uint32_t
nic_test_queues_max(const struct nic_test *t)
{
	const struct settings *s = t->settings;
	uint32_t asked = settings_queues(s);

	if (asked > 1)
		return asked;
	if (s->nic_mode == SETTINGS_NIC_RING || s->nic_mode == SETTINGS_NIC_VNET)
		return 1;
	/* A virtual device has as many as it is made with: by the user, or by us. */
	if (t->facts.abilities.virtual_device)
		return host_nic_is_vdev(s)
			       ? MIN_OF((uint32_t)t->facts.abilities.queues_max, PROBE_QUEUES_MAX)
			       : QUEUES_TRIED;
	if (!t->facts.abilities.rss)
		return 1;
	return MIN_OF((uint32_t)t->facts.abilities.queues_max, QUEUES_TRIED);
}

void
nic_test_rss(struct nic_test *t, struct nic_test_result *r)
{
	const struct prober_config cfg = {.queues = nic_test_queues_max(t)};

	if (cfg.queues > 1)
		prober_run(t, &cfg, try_spreading, r);
	else
		nic_test_conclude(r, NIC_TEST_SKIPPED, "driver %s has %s", t->facts.port.driver,
			t->facts.abilities.queues_max > 1 ? "several queues, and no RSS for them"
							  : "one queue here");
}
