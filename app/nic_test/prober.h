/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PROBER_H
#define PROBER_H

#include "host.h"
#include "nic_test.h"
#include "probe.h"
#include "probe_loss.h"

/*
 * A port without a stack on it, in a process of its own: sends probes (probe.h) and looks at what comes. Of
 * all else it only answers ARP for its address, or nobody could answer.
 */

#define PROBER_ANSWER_NS (500 * NS_PER_MS) /* a host on the link answers within this */
#define PROBER_SILENCE_NS (300 * NS_PER_MS) /* no answer for so long after a probe is none */

/** How a test wants its port; 0: as the settings have it. */
struct prober_config {
	uint32_t queues;
	uint16_t mtu; /* bytes */
	bool vlan_offload;
	bool port_only; /* the link is looked at, and nobody is asked: peers.next_hop_mac is not known */
};

struct prober {
	struct host host;
	struct settings settings;
	struct probe_peers peers;
	const struct nic_test_facts *facts;
	uint64_t received; /* frames, of all queues */
	uint16_t next_port; /* of the next connection that is tried */
	uint32_t next_number; /* of the next ISN, echo or voucher: not those of another run */
};

/** A test's own part: with an open prober. */
typedef void (*prober_fn)(struct prober *p, struct nic_test_result *r);

/** Opens a port as cfg says in a child, finds the next hop's MAC address, lets fn try the port, and takes all
 *  down. Fills in r, whatever becomes of the child, and t->facts of the port. */
void prober_run(struct nic_test *t, const struct prober_config *cfg, prober_fn fn,
	struct nic_test_result *r);

/** Who takes our frames for the server: it, or the router on the way. */
uint32_t prober_next_hop(const struct prober *p);

/** Is the link up? By the monitor's last look: no two threads may ask some drivers at once. */
bool prober_link_up(const struct prober *p);

/** Has somebody told us to end? */
bool prober_must_end(const struct prober *p);

/** Looks at a frame that arrived on that queue. true: it is what was waited for. */
typedef bool (*prober_see_fn)(void *ctx, uint16_t queue, const struct probe_seen *seen);

/** Takes one burst from each queue, and shows each frame to see (not the ARP requests for us, which are
 *  answered). true: one was what was waited for. */
bool prober_poll(struct prober *p, prober_see_fn see, void *ctx);

/** Polls, and looks at nothing, for that time, or until somebody tells us to end. */
void prober_idle(struct prober *p, uint64_t duration_ns);

/** Polls until what was waited for has come (true), for timeout_ns, or until somebody tells us to end. */
bool prober_await(struct prober *p, uint64_t timeout_ns, prober_see_fn see, void *ctx);

/** A frame to build in, sent by prober_send: first queue. */
struct tx_frame *prober_frame(struct prober *p);
/** false: the port did not take it. */
bool prober_send(struct prober *p);

#define PROBER_TRIES 3U

/** A frame of a test, into frame; attempt counts from 0. */
typedef void (*prober_build_fn)(void *ctx, struct tx_frame *frame, uint32_t attempt);

/** Sends what build makes up to PROBER_TRIES times, until the answer has come that see waits for. false: none
 *  has, each time for timeout_ns. */
bool prober_ask(
	struct prober *p, uint64_t timeout_ns, prober_build_fn build, prober_see_fn see, void *ctx);

/** A local port for a connection that is tried: another one each time. */
uint16_t prober_port(struct prober *p);
/** A number that no recent frame has. */
uint32_t prober_number(struct prober *p);

/** Differences of the port's statistics since before, into the tally. */
void prober_tally_port(struct prober *p, const struct port_stats *before, struct probe_tally *ret);

#endif
