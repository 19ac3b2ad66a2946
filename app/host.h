/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef HOST_H
#define HOST_H

#include <sched.h>
#include <stdbool.h>

#include "capture.h"
#include "dhcp_host.h"
#include "host_capacity.h"
#include "message.h"
#include "monitor.h"
#include "netstack.h"
#include "nic_bind.h"
#include "port.h"
#include "settings.h"
#include "sink_file.h"
#include "worker.h"

/**
 * What a fetch stands on: EAL, port, netstack, worker, sink and monitor, brought up in that order
 * and taken down in reverse.
 */
struct host {
	const struct settings *settings;
	struct message_level level;
	struct host_capacity capacity; /* host_check's is for get; changed before host_start */
	int core; /* the poll core */
	int pin_error; /* -errno: its thread could not be bound to that CPU */
	uint32_t queues; /* of the port; host_check's is for get; changed by host_use_queues */
	int cpu[SETTINGS_QUEUES_MAX]; /* of each one's worker; the first is core */
	bool vlan_offload; /* of the port; changed before host_start_bare */
	bool keeps_bytes; /* some body goes to a file, or is digested: changed before host_start */
	bool all_cpus; /* the workers have every CPU: whoever else there is can only run beside them */
	cpu_set_t others; /* for threads that do not poll */
	uint16_t queue; /* which this host's worker polls: 0 but for the others of a crew */
	int numa_node; /* the NIC's, -1 unknown */
	struct nic_hold nic; /* the PCI device that is bound for this run */
	char nic_interface
		[NIC_NAME_MAX]; /* of a PCI device: its interface, which is gone once that is
					   * bound. "" none */
	bool eal_started;
	uint64_t bytes_per_connection; /* of the netstack's memory */
	struct port *port;
	struct netstack *netstack;
	struct crew *crew; /* the other queues' workers: see crew.h. NULL: there are none */
	struct netstack_steer *steer; /* with several queues: whose a connection is, */
	struct netstack_exchange *exchange; /* and what arrives at another's */
	enum port_steering_kind steering;
	struct kernel_transport *kernel; /* --stack kernel: instead of port and netstack */
	struct sink *sink;
	struct monitor *monitor;
	struct capture *capture; /* --pcap, --pcap-on-error; NULL: neither */
	bool failed; /* set before host_stop: the run failed, so --pcap-on-error is wanted */
	int signo; /* after host_stop, or a host_start that failed: the signal that ended us, or 0 */
	struct dhcp_host dhcp; /* with --address dhcp: see lease.h */
	struct worker worker;
	struct counters counters;
	struct histogram ack_delay;
};

/** Chooses and checks core, NUMA placement, address and, with --check, whether the NIC can be bound. Without --check it
 *  first gives back NICs that a killed dpfetch left bound, else it changes nothing. 0, or an exit
 *  code after having said why. */
int host_check(struct host *h, const struct settings *s);

/** Bytes that the port's buffers will take. Of h settings, capacity, queues and numa_node are read. */
uint64_t host_memory_needed(const struct host *h);

/** Is --nic a vdev string? It may name something that the kernel does not know, and has as many queues as it says. */
bool host_nic_is_vdev(const struct settings *s);

/** How the port spreads frames, for people. Static storage. */
const char *host_steering_name(enum port_steering_kind kind);

/** Several queues: chooses and checks a CPU for each worker. After host_check. 0, or an exit code after
 *  having said why. */
int host_use_queues(struct host *h, uint32_t queues);

/** Does the kernel own our address? It would answer our SYN-ACKs with RST. 0, or
 *  EXIT_CODE_ADDRESS after having said what to do. Part of host_check, but for a DHCP lease. */
int host_check_address(const struct host *h, uint32_t address, uint8_t prefix_len);

/** Warns where core and NIC are known to be on different NUMA nodes (-1: unknown); with strict,
 *  says that it will not do. 0, or EXIT_CODE_NUMA. Part of host_check. */
int host_check_numa(
	const struct message_level *level, int core, int core_node, int nic_node, bool strict);

/** Brings all up, after host_check: the stack of --stack, monitor and sink. meter: draw the progress meter. 0, or an exit code after
 *  having said why, with everything taken down again. */
int host_start(struct host *h, bool meter);

/** Brings up EAL, port and monitor, and waits for the link: for who sends frames of his own. As
 *  host_start. */
int host_start_bare(struct host *h);

/**
 * Takes all down: closes connections, gives the NIC back as it was. 0, or
 * EXIT_CODE_INTERNAL when received buffers were lost, or EXIT_CODE_REPORT when a capture could not be
 * written. Idempotent.
 */
int host_stop(struct host *h);

#endif
