/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SIM_ATTACKER_H
#define SIM_ATTACKER_H

#include "sim_random.h"
#include "tcp_conn.h"
#include "wire_ether.h"

/*
 * A stranger who knows the addresses and ports of a connection and sends the client what might end
 * or corrupt it (RFC 5961, RFC 5927). It is luckier than a blind one: it hits the receive window
 * whenever it likes. Only what such luck cannot give it is kept from it: the exact RCV.NXT for a
 * reset, and an acceptable acknowledgment number for data. With ICMP it may hit what is in flight.
 */

#define SIM_FORGED_MAX 256U /* bytes of a frame */

struct sim_attack {
	struct ether_addr client_mac, server_mac;
	uint32_t client_ip, server_ip;
	uint16_t client_port;
	struct tcp_info victim;
};

/** Writes one forged frame of any kind at frame; returns its length. */
uint32_t sim_attacker_forge(
	struct sim_random *r, const struct sim_attack *a, uint8_t frame[SIM_FORGED_MAX]);

#endif
