/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef NIC_INFO_H
#define NIC_INFO_H

#include <stdbool.h>
#include <stdint.h>

/* What sysfs and libnuma say of network devices, cores and memory. Reads only. */

#define NIC_NAME_MAX 64U

/** A network device as the kernel sees it. Absent facts: empty strings, -1. */
struct nic_info {
	char interface[NIC_NAME_MAX];
	char pci_address[NIC_NAME_MAX]; /* "0000:3b:00.0" */
	char driver[NIC_NAME_MAX]; /* found by PCI address: what it is bound to, as vfio-pci */
	uint8_t mac[6];
	int numa_node;
	uint32_t mtu;
	bool up;
	bool carrier; /* up, and with a link */
	uint32_t speed_mbps; /* 0 unknown */
	bool ethernet; /* a MAC address, not a tunnel or the loopback */
	bool default_route; /* a default route, IPv4 or IPv6, leaves through it, or through a
				bridge, bond or VLAN on it */
};

/** By interface name (of this network namespace) or PCI address (short "3b:00.0" too). 0; -ENODEV;
 *  -EINVAL (neither form, as a DPDK vdev string); -errno of socket. */
int nic_info_find(const char *name, struct nic_info *ret);

/** Is text a PCI address? Normalises to "0000:3b:00.0" in ret_address (NIC_NAME_MAX). */
bool nic_pci_address_parse(const char *text, char *ret_address);

/** Does the kernel own this IPv4 address (host order) on any interface of this network
 *  namespace? 1 with the interface's name in ret_interface (NIC_NAME_MAX), 0, or -errno. */
int nic_kernel_owns_address(uint32_t address, char *ret_interface);
/** The same of an IPv6 address (network order). */
int nic_kernel_owns_address6(const uint8_t address[16], char *ret_interface);

/** The node of a CPU (libnuma), -1 unknown. */
int nic_cpu_node(int cpu);

/** The best poll core: the last CPU that this process may run on, on `node` if possible (-1:
 *  any). -1 if there is none. */
int nic_cpu_choose(int node);

/** The same beside those that are taken already, count of them. */
int nic_cpu_choose_beside(int node, const int *taken, uint32_t count);

/** Free hugepage bytes on a node (-1: all), over all page sizes. */
uint64_t nic_hugepages_free(int node);

/** Is there a limit to the memory that this process may lock (RLIMIT_MEMLOCK, and no CAP_IPC_LOCK)?
 *  Its bytes to *ret_bytes. */
bool nic_memlock_limit(uint64_t *ret_bytes);

/** CPUs that this process may run on. */
int nic_cpu_allowed_count(void);

#endif
