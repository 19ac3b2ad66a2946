/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PROBE_LOSS_H
#define PROBE_LOSS_H

#include <stddef.h>
#include <stdint.h>

/* Where frames were lost, from what everybody on their way counted. */

enum probe_place {
	PROBE_PLACE_TX_RING, /* the NIC's queue had no room for them */
	PROBE_PLACE_TX_NIC, /* the NIC took them and did not send them */
	PROBE_PLACE_FAR, /* they left the port, and nothing came: network or server */
	PROBE_PLACE_RX_NIC, /* they came damaged (CRC, length) */
	PROBE_PLACE_RX_RING, /* they found no descriptor free: the poll core was too slow */
	PROBE_PLACE_MEMPOOL, /* there was no buffer for them */
	PROBE_PLACE_STACK, /* the port delivered them, and they were not what was sent */
	PROBE_PLACE_COUNT
};

/** "the receive ring (imissed)", for people. Static storage. */
const char *probe_place_name(enum probe_place place);

/** Frames that were sent and wait for one answer each, and what became of them. */
struct probe_tally {
	uint64_t wanted; /* frames that we meant to send */
	uint64_t unsent; /* of these, that the port did not take */
	uint64_t answered; /* right answers, each once */
	uint64_t damaged; /* answers that were not intact */
	/* differences of the port's statistics, from before the first frame to after the last answer */
	uint64_t nic_sent; /* opackets */
	uint64_t nic_tx_errors, nic_rx_errors, nic_missed, nic_no_mbuf;
};

/** Adds what another measurement counted. */
void probe_tally_add(struct probe_tally *to, const struct probe_tally *from);

/** How many of the frames without a right answer were lost where, into ret (PROBE_PLACE_COUNT). Returns their sum.
 *  What nobody has counted was lost far away. */
uint64_t probe_loss_locate(const struct probe_tally *t, uint64_t *ret);

/** "12 of 1000: 10 in the receive ring (imissed), 2 in the network or the server" to buf; returns buf. */
const char *probe_loss_text(const struct probe_tally *t, char *buf, size_t room);

#endif
