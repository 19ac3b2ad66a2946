/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PORT_FIXTURE_H
#define PORT_FIXTURE_H

#include "port.h"

/* A small port: one queue, MTU 1500, few buffers. The counters are the caller's. */
static inline struct port_config
port_fixture_config(int port_id, struct counters **of_queue)
{
	assert_true(port_id >= 0);
	return (struct port_config){.port_id = (uint16_t)port_id,
		.queues = 1,
		.mtu = 1500,
		.rx_held_max = 64,
		.rx_descriptors = 64,
		.tx_descriptors = 64,
		.numa_node = -1,
		.counters = of_queue};
}

/* Opened, or the test has failed with the port's own message. */
static inline struct port *
port_fixture_open(const struct port_config *cfg)
{
	char message[PORT_MESSAGE_MAX];
	struct port *port = NULL;

	if (port_open(cfg, &port, message) != 0)
		fail_msg("%s", message);
	return port;
}

#endif
