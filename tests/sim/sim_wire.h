/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SIM_WIRE_H
#define SIM_WIRE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * A second reading of the wire format, for the referee: written from the RFCs and not with
 * lib/wire, so that one mistake there cannot hide on both sides of the simulated cable.
 */

#define SIM_SACK_MAX 4U

/* RFC 9293 §3.1 */
#define SIM_FIN 0x01U
#define SIM_SYN 0x02U
#define SIM_RST 0x04U
#define SIM_PSH 0x08U
#define SIM_ACK 0x10U
#define SIM_URG 0x20U
#define SIM_ECE 0x40U
#define SIM_CWR 0x80U
/* RFC 3168 §5 */
#define SIM_NOT_ECT 0U
#define SIM_ECT0 2U
#define SIM_CE 3U

struct sim_tcp {
	uint32_t src_ip, dst_ip;
	uint16_t src_port, dst_port, window, mss;
	uint32_t seq, ack, ts_val, ts_ecr;
	uint8_t flags, wscale, ecn;
	bool has_mss, has_wscale, has_sack_permitted, has_timestamps;
	uint32_t sacks;
	struct {
		uint32_t left, right;
	} sack[SIM_SACK_MAX];
	uint32_t options_len, len; /* of the options, of the data: bytes */
	const uint8_t *data;
};

/** Is this frame IPv4 with TCP in it? Looks at the type and protocol fields only. */
bool sim_wire_is_tcp(const uint8_t *frame, uint32_t len);

/** Reads a frame for which sim_wire_is_tcp holds, strictly. NULL and *ret, or what is wrong with
 *  it: a length, a checksum, an option. Static text. */
const char *sim_wire_read(const uint8_t *frame, uint32_t len, struct sim_tcp *ret);

#endif
