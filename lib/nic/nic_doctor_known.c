/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "nic_bind_priv.h"
#include "nic_doctor_priv.h"
#include "nic_sysfs.h"

/* What is known to go wrong together, beside what nic_judge refuses. Each says where that is from. */

#define LANES_MAX 32 /* what sysfs says above is "not known" */

static bool
is_for(const struct nic_doctor *d, const char *dpdk_driver)
{
	return d->cfg->dma && strcmp(d->cfg->device->dpdk.name, dpdk_driver) == 0;
}

static bool
is_in_qemu(const struct nic_doctor *d)
{
	char folder[NIC_PATH_MAX], vendor[NIC_NAME_MAX];

	nic_system_path(d->system, folder, "/sys/class/dmi/id");
	return nic_sysfs_text(folder, "sys_vendor", vendor, sizeof(vendor)) &&
	       strcmp(vendor, "QEMU") == 0;
}

/* DPDK 22.11 vmxnet3_ethdev.c sets UPT1_F_LRO and leaves maxNumRxSG at 0 (Linux's driver sets both); QEMU 7.2
 * vmxnet3.c takes that for one buffer a frame, and receives on queue 0 (RXQ_IDX) alone. Both seen. */
static void
examine_vmxnet3(const struct nic_doctor *d)
{
	if (!is_for(d, "net_vmxnet3"))
		return;
	if (d->cfg->lro)
		nic_doctor_tell(d, NIC_VERDICT_OK, "lro", "",
			"not asked of vmxnet3: its driver does not say how many buffers a frame "
			"may take, and QEMU's device drops each that needs two");
	if (d->cfg->queues > 1 && is_in_qemu(d))
		nic_doctor_tell(d, NIC_VERDICT_WARNING, "queues", "--queues 1, or a virtio NIC",
			"QEMU's vmxnet3 receives on its first queue only; %u are asked for",
			d->cfg->queues);
}

/* DPDK's guide "How to get best performance with NICs on Intel platforms" has this looked up by lspci. */
static void
examine_slot(const struct nic_doctor *d)
{
	char folder[NIC_PATH_MAX], speed[32] = "", speed_max[32] = "", remedy[NIC_FINDING_MAX];
	const char *address = d->cfg->device->address;
	long lanes, lanes_max;

	nic_system_path(d->system, folder, NIC_SYSFS_PCI "/%s", address);
	lanes = nic_sysfs_number(folder, "current_link_width", 0);
	lanes_max = nic_sysfs_number(folder, "max_link_width", 0);
	(void)nic_sysfs_text(folder, "current_link_speed", speed, sizeof(speed));
	(void)nic_sysfs_text(folder, "max_link_speed", speed_max, sizeof(speed_max));
	if (lanes <= 0 || lanes > LANES_MAX || lanes_max > LANES_MAX || strtod(speed, NULL) <= 0)
		return;
	(void)snprintf(remedy, sizeof(remedy),
		"another slot (sudo lspci -vv -s %s shows LnkCap and LnkSta)", address);
	if (lanes < lanes_max || strtod(speed, NULL) < strtod(speed_max, NULL))
		nic_doctor_tell(d, NIC_VERDICT_WARNING, "slot", remedy,
			"%s has %ld PCIe lanes at %s, and could use %ld at %s", address, lanes,
			speed, lanes_max, speed_max);
	else
		nic_doctor_tell(
			d, NIC_VERDICT_OK, "slot", "", "%ld PCIe lanes at %s", lanes, speed);
}

/* kernel_lockdown(7): no direct access to PCI BARs, which is what uio_pci_generic is for. */
static void
examine_lockdown(const struct nic_doctor *d)
{
	if (d->cfg->device->iommu_group < 0 && nic_is_locked_down(d->system))
		nic_doctor_tell(d, NIC_VERDICT_ERROR, "lockdown",
			"VT-d or AMD-Vi in the firmware and intel_iommu=on (vfio-pci works under "
			"Secure Boot), or Secure Boot off",
			"the kernel is locked down, and %s has no IOMMU group: uio_pci_generic "
			"cannot have it either",
			d->cfg->device->address);
}

/* DPDK's guide of af_xdp, Limitations: a frame takes one page, and the port does not start where the
 * interface's MTU is longer. */
static void
examine_xdp_mtu(const struct nic_doctor *d)
{
	const struct nic_info *i = &d->cfg->port->info;
	uint32_t max = d->cfg->xdp_mtu_max;
	char remedy[NIC_FINDING_MAX];

	if (i->mtu > max) {
		(void)snprintf(remedy, sizeof(remedy),
			"--nic-mode af_packet, or --mtu %u and: sudo ip link set %s mtu %u (its "
			"driver may ask for less)",
			max, i->interface, max);
		nic_doctor_tell(d, NIC_VERDICT_ERROR, "af_xdp", remedy,
			"the MTU of %s is %u, and a frame of more than %u does not fit af_xdp's "
			"buffers",
			i->interface, i->mtu, max);
	} else if (d->cfg->mtu > max) {
		(void)snprintf(remedy, sizeof(remedy), "--mtu %u, or --nic-mode af_packet", i->mtu);
		nic_doctor_tell(d, NIC_VERDICT_ERROR, "af_xdp", remedy,
			"an MTU of %u is asked for, and af_xdp's buffers take %u at most",
			d->cfg->mtu, max);
	}
}

/* The same guide, "iface": what a NIC spreads to queues that have no socket does not come. And drivers
 * refuse an XDP program while LRO is on (virtio_net, mlx5). */
static void
examine_xdp(const struct nic_doctor *d)
{
	uint32_t queues = nic_doctor_count_queues(d);
	const char *interface = d->cfg->port->info.interface;
	char remedy[NIC_FINDING_MAX];

	examine_xdp_mtu(d);
	if (queues > d->cfg->queues) {
		(void)snprintf(remedy, sizeof(remedy), "sudo ethtool -L %s combined %u", interface,
			d->cfg->queues);
		nic_doctor_tell(d, NIC_VERDICT_WARNING, "af_xdp", remedy,
			"%s has %u queues, and af_xdp sees the first %u only: what comes on the "
			"others is lost to it",
			interface, queues, d->cfg->queues);
	}
	if (d->cfg->offloads != NULL && d->cfg->offloads->lro) {
		(void)snprintf(remedy, sizeof(remedy), "sudo ethtool -K %s lro off", interface);
		nic_doctor_tell(d, NIC_VERDICT_WARNING, "af_xdp", remedy,
			"%s has lro on: most drivers refuse XDP programs meanwhile", interface);
	}
}

/* The kernel's bonding.rst: the switch, or the other end, chooses the member that a frame comes by. */
static void
examine_master(const struct nic_doctor *d)
{
	const char *interface = d->cfg->port->info.interface;
	char folder[NIC_PATH_MAX], path[NIC_PATH_MAX + 16], master[NIC_NAME_MAX];
	char remedy[NIC_FINDING_MAX];
	bool bridged;

	nic_system_path(d->system, folder, "/sys/class/net/%s", interface);
	nic_sysfs_link(folder, "master", master);
	if (master[0] == '\0')
		return;
	(void)snprintf(path, sizeof(path), "%s/brport", folder);
	bridged = access(path, F_OK) == 0;
	(void)snprintf(remedy, sizeof(remedy), "--nic %s, or: sudo ip link set %s nomaster", master,
		interface);
	nic_doctor_tell(d, NIC_VERDICT_WARNING, "member", remedy,
		bridged ? "%s is a port of the bridge %s, which forwards what dpfetch receives, too"
			: "%s is a member of %s (a bond or team): answers may come by another "
			  "member, where dpfetch does not see them",
		interface, master);
}

void
nic_doctor_examine_known(const struct nic_doctor *d)
{
	if (d->cfg->dma) {
		examine_vmxnet3(d);
		examine_lockdown(d);
	}
	if (d->cfg->device->address[0] != '\0')
		examine_slot(d);
	if (d->cfg->port == NULL || d->cfg->dma)
		return;
	examine_master(d);
	if (d->cfg->xdp_mtu_max > 0)
		examine_xdp(d);
}
