/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef NIC_DOCTOR_H
#define NIC_DOCTOR_H

#include "nic_inventory.h"
#include "nic_offloads.h"

/*
 * Is this machine fit for what dpfetch is asked to do? Each finding says what is, what it means, and the
 * command that mends it. Reads only, but for nic_doctor_fix_hugepages.
 */

#define NIC_FINDING_MAX 1024U

enum nic_verdict {
	NIC_VERDICT_OK,
	NIC_VERDICT_WARNING, /* it works, but slower or less surely */
	NIC_VERDICT_ERROR, /* it does not work */
};

struct nic_finding {
	enum nic_verdict verdict;
	const char *subject; /* one word, static storage */
	char text[NIC_FINDING_MAX];
	char remedy[NIC_FINDING_MAX]; /* a command, or what to change; "" nothing is to be done */
};

typedef void (*nic_finding_fn)(void *ctx, const struct nic_finding *f);

struct nic_doctor_config {
	const struct nic_device *device; /* the NIC that was named; NULL: none, or a vdev */
	const struct nic_port *port; /* its interface; NULL: none */
	const struct nic_offloads *offloads; /* of the interface; NULL: not known */
	const char *firmware; /* as its driver tells; "" not told */
	bool dma; /* the NIC itself will write to our memory: a PCI device on a DPDK driver */
	bool joins; /* frames longer than the MTU are welcome: --nic-mode vnet */
	bool lro; /* segments may be joined by the NIC: not --no-lro */
	uint32_t xdp_mtu_max; /* IP bytes that af_xdp takes, where it is to be used; 0: it is not */
	int core; /* the poll core */
	int core_node; /* its NUMA node, -1 unknown */
	int cpus; /* that this process may run on */
	uint32_t queues; /* asked for */
	uint32_t mtu; /* asked for */
	uint64_t memory_bytes; /* that dpfetch's buffers need */
	uint64_t memlock_bytes; /* that this process may lock; UINT64_MAX: any */
	const char *release; /* the kernel's, as of uname(2) */
};

/** Tells fn of everything, in a fixed order. */
void nic_doctor_examine(const struct nic_system *s, const struct nic_doctor_config *cfg,
	nic_finding_fn fn, void *ctx);

/** Reserves the 2 MiB pages that are missing on the NIC's node, beside those that there are. 0: there are
 *  enough now; -ENOMEM: the kernel found fewer (memory is in pieces); -errno of writing. */
int nic_doctor_fix_hugepages(const struct nic_system *s, const struct nic_doctor_config *cfg);

#endif
