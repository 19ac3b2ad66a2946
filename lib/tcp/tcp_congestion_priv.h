/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TCP_CONGESTION_PRIV_H
#define TCP_CONGESTION_PRIV_H

#include "tcp_congestion.h"

/** What distinguishes one algorithm from another; tcp_congestion.c does the rest. */
struct tcp_congestion_ops {
	/** Congestion is found: returns the new ssthresh, which the caller raises to its floor. */
	uint32_t (*on_congestion)(struct tcp_congestion_control *cc, uint32_t flight_bytes);

	/** The window begins anew with slow start, after a timeout or an idle time. */
	void (*on_restart)(struct tcp_congestion_control *cc);

	/** An ACK of bytes in congestion avoidance, cwnd having been the limit: lets cwnd grow. */
	void (*on_avoidance_ack)(struct tcp_congestion_control *cc, uint32_t bytes,
		uint64_t srtt_ns, uint64_t now_ns);
};

/** Adds to cwnd, up to its maximum. */
void tcp_congestion_grow(struct tcp_congestion_control *cc, uint32_t bytes);

#endif
