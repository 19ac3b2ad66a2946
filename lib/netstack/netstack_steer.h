/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef NETSTACK_STEER_H
#define NETSTACK_STEER_H

#include <stdbool.h>
#include <stdint.h>

#include "wire_ip.h"

/*
 * Which of a port's queues, and so which worker, has a connection. A worker takes only local ports whose
 * segments arrive on its own queue, as the port spreads them; where nobody knows how it does, the local
 * ports are dealt out among the workers all the same, so that each can tell whose a stray segment is.
 */

#define NETSTACK_STEER_QUEUES_MAX 64U
#define NETSTACK_STEER_RETA_MAX 2048U /* entries; DPDK knows of 512 (RTE_ETH_RSS_RETA_SIZE_512) */

enum netstack_steer_kind {
	NETSTACK_STEER_PORT, /* our port modulo the number of queues */
	NETSTACK_STEER_RSS, /* the Toeplitz hash's low bits choose an entry of the RETA */
};

struct netstack_steer_config {
	enum netstack_steer_kind kind;
	uint16_t queues; /* 1..NETSTACK_STEER_QUEUES_MAX */
	/* with NETSTACK_STEER_RSS, copied: */
	const uint8_t *key;
	uint32_t key_len; /* WIRE_RSS_KEY_MIN.. bytes */
	const uint16_t *reta; /* queues, all below `queues` */
	uint32_t reta_size; /* a power of two up to NETSTACK_STEER_RETA_MAX */
};

/** Read only once it is made: all workers of a port share one. */
struct netstack_steer;

/** NULL: out of memory, or cfg is out of range. */
struct netstack_steer *netstack_steer_create(const struct netstack_steer_config *cfg);
void netstack_steer_destroy(struct netstack_steer *s); /* NULL is allowed */

/** How many queues there are. */
uint16_t netstack_steer_queues(const struct netstack_steer *s);

/** Whose a connection is: the queue of the segments from remote to our end. Both addresses are of one
 *  family, 4 or 6. */
uint16_t netstack_steer_queue(const struct netstack_steer *s, const struct ip_address *local,
	const struct ip_address *remote, uint16_t remote_port, uint16_t local_port);

#endif
