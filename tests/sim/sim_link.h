/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SIM_LINK_H
#define SIM_LINK_H

#include "sim_random.h"

/* One direction of a cable that may be as bad as a seed says. Frames are copied. */

struct sim_link_config {
	uint64_t bits_per_second;
	uint64_t delay_ns, jitter_ns; /* jitter beyond a frame's length reorders */
	uint32_t queue_bytes; /* what exceeds it is dropped at the tail */
	uint32_t loss_per_mille, duplicate_per_mille, corrupt_per_mille, truncate_per_mille;
	uint32_t
		burst_loss_per_mille; /* Gilbert-Elliott: entering the bad state, which loses half */
	uint32_t loss_per_million; /* more of it, in finer steps */
	uint64_t down_from_ns, down_until_ns; /* the cable is out in between */
	uint32_t mark_per_mille; /* ECN-capable packets that get CE: a router's queue is long */
	uint64_t drop_ip; /* bit n: the nth IP packet from 0 is lost, whatever the dice say */
};

struct sim_frame {
	struct sim_frame *next;
	uint64_t at_ns; /* of its arrival */
	uint64_t number;
	uint32_t len;
	bool damaged;
	uint8_t bytes[];
};

struct sim_link {
	struct sim_link_config cfg;
	struct sim_random *random;
	struct sim_frame *head, *tail; /* by arrival; tail: NULL with head */
	uint64_t busy_until_ns, number, lost, packets; /* packets: IP ones that were sent into it */
	uint64_t marked;
	bool bad;
};

void sim_link_send(struct sim_link *l, const uint8_t *bytes, uint32_t len, uint64_t now_ns);
/** The next frame that has arrived by now_ns, the caller's to free; NULL: none. */
struct sim_frame *sim_link_receive(struct sim_link *l, uint64_t now_ns);
uint64_t sim_link_deadline(const struct sim_link *l);
void sim_link_clear(struct sim_link *l);

#endif
