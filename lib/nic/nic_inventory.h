/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef NIC_INVENTORY_H
#define NIC_INVENTORY_H

#include <stddef.h>

#include "nic_session.h"
#include "nic_system.h"

#define NIC_MODEL_MAX 160U
#define NIC_PCI_ANY 0xffffU /* of a driver's PCI ids: whatever it is */

/** What a PCI device says that it is. */
struct nic_pci_id {
	uint16_t vendor, device, subsystem_vendor, subsystem_device;
	uint32_t class_code; /* 0x020000: an Ethernet controller */
};

/** Another device of the same IOMMU group: the two can only be handed over together. */
struct nic_member {
	char address[NIC_NAME_MAX];
	char driver[NIC_NAME_MAX]; /* "" none */
	uint32_t class_code;
};

/** An interface, with who needs it. */
struct nic_port {
	struct nic_info info; /* default_route: also by what stands on it */
	char ssh_peer[NIC_SESSION_PEER_MAX]; /* an SSH session comes in by it from here; "" none */
	char above[NIC_NAME_MAX]; /* what stands on it: the first bridge, bond, VLAN; "" none */
};

/** Which of DPDK's drivers takes a device. */
struct nic_dpdk_driver {
	char name[NIC_NAME_MAX]; /* "net_e1000_em"; "" none */
	bool bifurcated; /* it works beside the kernel's driver, which stays */
};

/** A network device: on PCI, with its interfaces if it has any here; or an interface that is not on
 *  PCI, without an address. */
struct nic_device {
	char address[NIC_NAME_MAX]; /* "0000:3b:00.0"; "" not on PCI */
	char driver[NIC_NAME_MAX]; /* what it is bound to; of an interface without PCI its kind */
	struct nic_pci_id id;
	char model[NIC_MODEL_MAX]; /* names of pci.ids; "" not on PCI */
	int numa_node; /* -1 unknown */
	int iommu_group; /* -1 none */
	struct nic_member *members; /* the others of the group */
	uint32_t member_count;
	struct nic_port *ports;
	uint32_t port_count;
	struct nic_dpdk_driver dpdk;
	bool journal; /* dpfetch has bound it, as far as this user may see */
};

typedef struct nic_dpdk_driver (*nic_dpdk_fn)(void *ctx, const struct nic_pci_id *id);

struct nic_inventory {
	struct nic_device *devices; /* by address; those that are not on PCI last, by name */
	uint32_t count;
};

struct nic_inventory_config {
	const char *ssh_connection; /* see nic_sessions_find */
	nic_dpdk_fn dpdk; /* asked for each PCI device; may be NULL */
	void *dpdk_ctx;
};

/** Every network device: PCI class 02, and the interfaces of this network namespace but lo.
 *  0 and *ret, for nic_inventory_free; -ENOMEM; -errno of looking for interfaces. */
int nic_inventory_read(const struct nic_system *s, const struct nic_inventory_config *cfg,
	struct nic_inventory *ret);

void nic_inventory_free(struct nic_inventory *inventory);

/** The device at this address ("0000:3b:00.0"), or NULL. */
const struct nic_device *nic_inventory_find(
	const struct nic_inventory *inventory, const char *address);

/** Does the name carry the machine's connection: a default route or an SSH session? Says so in text
 *  ("eth0 carries the default route and an SSH session from 192.0.2.7"), else leaves it empty. */
bool nic_device_is_needed(const struct nic_device *d, char *text, size_t room);

#endif
