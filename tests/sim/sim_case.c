/* SPDX-License-Identifier: BSD-3-Clause */
#include <inttypes.h>
#include <stdio.h>

#include "base_bytes.h"
#include "sim_world.h"

void
sim_case_plain(uint64_t body_len, struct sim_config *ret)
{
	const struct sim_link_config link = {
		.bits_per_second = UINT64_C(10000000000),
		.delay_ns = 20 * NS_PER_US,
		.queue_bytes = 100U << 20,
	};

	*ret = (struct sim_config){
		.seed = 1,
		.to_client = link,
		.to_server = link,
		.server = &sim_peer_ops,
		.peer = {.timestamps = true,
			.sack = true,
			.window_scaling = true,
			.wscale = 7,
			.mss = 1460,
			.iss = 1000,
			.window = 64240,
			.keep_alive = 1000},
		.body_len = {body_len},
		.downloads = 1,
		.window_bytes = 1U << 20,
		.payloads_max = 2048,
		.mtu = 1500,
		.sink_fail_at = UINT64_MAX,
		.sink_room_per_mille = 1000,
		.start_ns = 5 * NS_PER_SEC,
	};
}

/* 0..4: how bad the cable is. */
static struct sim_link_config
derive_link(struct sim_random *r, uint32_t quality)
{
	static const uint64_t rates[] = {UINT64_C(2000000), UINT64_C(20000000), UINT64_C(200000000),
		UINT64_C(1000000000), UINT64_C(10000000000)};
	struct sim_link_config l = {
		.bits_per_second = rates[sim_random_range(r, 1, 4)],
		.delay_ns = sim_random_range(r, 1, 300) * NS_PER_US,
		.queue_bytes = (uint32_t)sim_random_range(r, 100000, 4000000),
	};

	if (quality == 0)
		return l;
	l.loss_per_mille = (uint32_t)sim_random_range(r, 0, 10 * quality);
	l.duplicate_per_mille = (uint32_t)sim_random_range(r, 0, 10 * quality);
	l.corrupt_per_mille = (uint32_t)sim_random_range(r, 0, 8 * quality);
	l.truncate_per_mille = (uint32_t)sim_random_range(r, 0, 3 * quality);
	if (sim_random_chance(r, 500))
		l.jitter_ns = sim_random_range(r, 1, 500 * quality) * NS_PER_US;
	if (sim_random_chance(r, 200))
		l.burst_loss_per_mille = (uint32_t)sim_random_range(r, 1, 4 * quality);
	if (quality > 2) {
		l.bits_per_second = rates[sim_random_range(r, 0, 4)];
		l.delay_ns = sim_random_range(r, 1, 40) * NS_PER_MS;
		l.queue_bytes = (uint32_t)sim_random_range(r, 20000, 400000);
	}
	return l;
}

/* Near a whole number of segments, of windows, of nothing. */
static uint64_t
derive_size(struct sim_random *r, uint32_t quality)
{
	uint64_t limit = quality > 2 ? 200000 : 2000000;

	switch (sim_random_range(r, 0, 5)) {
	case 0:
		return sim_random_range(r, 0, 3);
	case 1:
		return 1448 * sim_random_range(r, 1, 12) + sim_random_range(r, 0, 2) - 1;
	case 2:
		return 65536 + sim_random_range(r, 0, 4) - 2;
	case 3:
		return sim_random_range(r, 0, 20000);
	default:
		return sim_random_range(r, 0, limit);
	}
}

static struct sim_peer_config
derive_peer(struct sim_random *r)
{
	return (struct sim_peer_config){
		.timestamps = sim_random_chance(r, 700),
		.sack = sim_random_chance(r, 700),
		.window_scaling = sim_random_chance(r, 800),
		.wscale = (uint8_t)sim_random_range(r, 0, 14),
		.mss = (uint16_t)(sim_random_chance(r, 800) ? 1460 : sim_random_range(r, 64, 1460)),
		.iss = (uint32_t)(sim_random_chance(r, 500) ? 0xffff0000U : 0) +
		       (uint32_t)sim_random_range(r, 0, 0x1ffff),
		.window = (uint32_t)(sim_random_chance(r, 800) ? 64240
							       : sim_random_range(r, 100, 3000)),
		.shut_segments = sim_random_chance(r, 50) ? (uint32_t)sim_random_range(r, 1, 4) : 0,
		.fin_alone = sim_random_chance(r, 500),
		.small_segments = sim_random_chance(r, 300),
		.keep_alive = (uint32_t)sim_random_range(r, 1, 4),
		.think_ns = sim_random_chance(r, 500) ? 0 : sim_random_range(r, 0, 5) * NS_PER_MS,
	};
}

static enum sim_answer
derive_answer(struct sim_random *r)
{
	uint64_t dice = sim_random_range(r, 0, 99);

	if (dice < 45)
		return SIM_ANSWER_LENGTH;
	if (dice < 75)
		return SIM_ANSWER_CHUNKED;
	if (dice < 88)
		return SIM_ANSWER_CLOSE;
	if (dice < 93)
		return SIM_ANSWER_EARLY_CLOSE;
	if (dice < 96)
		return SIM_ANSWER_RESET;
	return dice < 98 ? SIM_ANSWER_NOTHING : SIM_ANSWER_GARBAGE;
}

/* Servers that do what few do, and a stranger who meddles. */
static void
derive_oddities(struct sim_random *r, struct sim_config *ret)
{
	ret->peer.urgent_per_mille = sim_random_chance(r, 50) ? 200 : 0;
	ret->peer.syn_cookies = sim_random_chance(r, 100);
	ret->peer.forgets_options = ret->peer.syn_cookies && sim_random_chance(r, 300);
	ret->ecn = sim_random_chance(r, 400);
	ret->peer.ecn = sim_random_chance(r, 700);
	ret->peer.ecn_drops_syn = sim_random_chance(r, 50);
	/* A second copy of the reset refuses the second SYN as well, by RFC 9293 §3.10.7.3. */
	ret->peer.ecn_resets_syn =
		!ret->peer.ecn_drops_syn && sim_random_chance(r, 50) &&
		ret->to_client.duplicate_per_mille + ret->to_server.duplicate_per_mille == 0;
	ret->to_client.mark_per_mille =
		sim_random_chance(r, 600) ? (uint32_t)sim_random_range(r, 1, 300) : 0;
	ret->to_server.mark_per_mille =
		sim_random_chance(r, 600) ? (uint32_t)sim_random_range(r, 1, 500) : 0;
	ret->attack_per_mille =
		sim_random_chance(r, 150) ? (uint32_t)sim_random_range(r, 1, 300) : 0;
	ret->rfc6675 = sim_random_chance(r, 150);
}

/* Drawn last: what is drawn before does not depend on it. Long bodies would take too long: what lies
 * beyond our window is sent again and again, and a million segments are a million. */
static void
derive_rarities(struct sim_random *r, struct sim_config *ret)
{
	uint32_t tiny = (uint32_t)sim_random_range(r, 1, 20);
	uint32_t small = (uint32_t)sim_random_range(r, 100, 700);
	uint64_t longest = 0;
	uint32_t i;

	for (i = 0; i < ret->downloads; i++)
		longest = MAX_OF(longest, ret->body_len[i]);
	ret->peer.window_shrinks = sim_random_chance(r, 40);
	ret->peer.ignores_window = sim_random_chance(r, 80) && longest <= 150000;
	if (sim_random_chance(r, 40))
		ret->peer.segment_max = longest <= 3000 ? tiny : small;
	if (sim_random_chance(r, 40))
		ret->peer.chunk_max = (uint32_t)sim_random_range(r, 1, 50);
}

void
sim_case_derive(uint64_t seed, struct sim_config *ret)
{
	/* Mixed, or one seed's numbers would be the next one's but for the first. */
	struct sim_random mix = {seed}, r = {sim_random_next(&mix)};
	uint32_t quality = (uint32_t)sim_random_range(&r, 0, 4), i;

	sim_case_plain(0, ret);
	ret->seed = seed;
	ret->to_client = derive_link(&r, quality);
	ret->to_server = derive_link(&r, quality);
	ret->peer = derive_peer(&r);
	ret->downloads = (uint32_t)sim_random_range(&r, 1, SIM_DOWNLOADS_MAX);
	for (i = 0; i < ret->downloads; i++) {
		ret->answer[i] = derive_answer(&r);
		ret->body_len[i] = derive_size(&r, quality);
		/* Half of it must be less than all. */
		if (ret->answer[i] == SIM_ANSWER_EARLY_CLOSE || ret->answer[i] == SIM_ANSWER_RESET)
			ret->body_len[i] += 2;
		/* After a broken one there is no more to learn from the connection. */
		if (ret->answer[i] > SIM_ANSWER_CLOSE)
			ret->downloads = i + 1;
	}
	ret->ack_policy = (enum tcp_ack_policy)sim_random_range(&r, 0, 2);
	ret->congestion = (enum tcp_congestion)sim_random_range(&r, 0, 1);
	ret->window_bytes =
		(uint32_t)(sim_random_chance(&r, 500) ? 1U << 20
						      : sim_random_range(&r, 4096, 300000));
	ret->payloads_max = (uint32_t)sim_random_range(&r, 64, 4096);
	ret->chain_per_mille = sim_random_chance(&r, 300) ? 300 : 0;
	ret->long_request_bytes =
		sim_random_chance(&r, 300) ? (uint32_t)sim_random_range(&r, 100, 4000) : 0;
	if (ret->long_request_bytes > 3000) /* as much as the model's request buffer holds */
		ret->long_request_bytes = (uint32_t)sim_random_range(&r, 4000, 58000);
	ret->sink_delay_max_ns =
		sim_random_chance(&r, 500) ? 0 : sim_random_range(&r, 1, 2000) * NS_PER_US;
	ret->sink_room_per_mille =
		sim_random_chance(&r, 600) ? 1000 : (uint32_t)sim_random_range(&r, 50, 999);
	/* We have nothing to send while a body comes: if its reset is lost, only probes tell. */
	ret->keepalive =
		sim_random_chance(&r, 300) || ret->answer[ret->downloads - 1] == SIM_ANSWER_RESET;
	if (sim_random_chance(&r, 40))
		ret->sink_fail_at = sim_random_range(&r, 1, 100000);
	derive_oddities(&r, ret);
	derive_rarities(&r, ret);
	ret->shared_places = sim_random_chance(&r, 400);
}

void
sim_case_describe(const struct sim_config *c, char *buf, size_t room)
{
	snprintf(buf, room,
		"%u downloads, first %" PRIu64
		" bytes answer %d; %.0f Mb/s %.1f ms, loss %u dup %u corrupt "
		"%u per mille, jitter %.1f ms; ts %d sack %d ws %d mss %u; window %u payloads %u "
		"ack %d; urgent %u cookies %d forgets %d ecn %d%d marks %u %u attack %u rack %d; "
		"shrinks %d ignores %d segment %u chunk %u",
		c->downloads, c->body_len[0], (int)c->answer[0],
		(double)c->to_client.bits_per_second / 1e6, (double)c->to_client.delay_ns / 1e6,
		c->to_client.loss_per_mille, c->to_client.duplicate_per_mille,
		c->to_client.corrupt_per_mille, (double)c->to_client.jitter_ns / 1e6,
		c->peer.timestamps, c->peer.sack, c->peer.window_scaling, c->peer.mss,
		c->window_bytes, c->payloads_max, (int)c->ack_policy, c->peer.urgent_per_mille,
		c->peer.syn_cookies, c->peer.forgets_options, c->ecn, c->peer.ecn,
		c->to_client.mark_per_mille, c->to_server.mark_per_mille, c->attack_per_mille,
		!c->rfc6675, c->peer.window_shrinks, c->peer.ignores_window, c->peer.segment_max,
		c->peer.chunk_max);
}
