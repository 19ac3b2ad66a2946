/* SPDX-License-Identifier: BSD-3-Clause */
#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include "nic_doctor_priv.h"

static const char *
name_of(const struct nic_doctor *d)
{
	return d->cfg->port != NULL ? d->cfg->port->info.interface : d->cfg->device->address;
}

static void
examine_driver(const struct nic_doctor *d)
{
	const struct nic_device *n = d->cfg->device;

	nic_doctor_tell(d, NIC_VERDICT_OK, "nic", "", "%s: %s%s driver %s%s%s%s%s", name_of(d),
		n->model, n->model[0] != '\0' ? "," : "", n->driver[0] != '\0' ? n->driver : "none",
		d->cfg->firmware[0] != '\0' ? ", firmware " : "", d->cfg->firmware,
		n->dpdk.name[0] != '\0' ? "; DPDK's would be " : "", n->dpdk.name);
	if (d->cfg->dma && n->dpdk.name[0] == '\0')
		nic_doctor_tell(d, NIC_VERDICT_ERROR, "nic",
			"use its kernel interface: --nic INTERFACE",
			"none of the drivers of this DPDK takes %s", n->address);
}

static void
examine_needs(const struct nic_doctor *d)
{
	char text[NIC_FINDING_MAX / 2];

	if (d->cfg->dma || !nic_device_is_needed(d->cfg->device, text, sizeof(text)))
		return; /* of a device that is to be bound, nic_bind_check judges */
	nic_doctor_tell(d, NIC_VERDICT_WARNING, "use", "another NIC (dpfetch nic list)",
		"%s, and what dpfetch does on it disturbs that", text);
}

static void
examine_link(const struct nic_doctor *d)
{
	char remedy[NIC_FINDING_MAX];

	if (d->cfg->port == NULL)
		return;
	(void)snprintf(remedy, sizeof(remedy), "sudo ip link set %s up", name_of(d));
	if (!d->cfg->port->info.up)
		nic_doctor_tell(d, d->cfg->dma ? NIC_VERDICT_OK : NIC_VERDICT_ERROR, "link",
			d->cfg->dma ? "" : remedy, "%s is down%s", name_of(d),
			d->cfg->dma ? "; DPDK's driver will bring it up" : "");
	else if (!d->cfg->port->info.carrier)
		nic_doctor_tell(d, NIC_VERDICT_ERROR, "link", "check the cable and the other end",
			"%s has no carrier", name_of(d));
	else if (d->cfg->port->info.speed_mbps > 0)
		nic_doctor_tell(d, NIC_VERDICT_OK, "link", "", "%s is up, %u Mb/s", name_of(d),
			d->cfg->port->info.speed_mbps);
	else
		nic_doctor_tell(d, NIC_VERDICT_OK, "link", "", "%s is up", name_of(d));
}

static void
examine_node(const struct nic_doctor *d)
{
	int node = d->cfg->device->numa_node;
	char remedy[NIC_FINDING_MAX];

	(void)snprintf(remedy, sizeof(remedy), "--core N with a CPU of node %d (numactl -H)", node);
	if (node >= 0 && d->cfg->core_node >= 0 && node != d->cfg->core_node)
		nic_doctor_tell(d, NIC_VERDICT_WARNING, "numa", remedy,
			"%s is on node %d, CPU %d on node %d: every frame crosses the interconnect",
			name_of(d), node, d->cfg->core, d->cfg->core_node);
	else if (node >= 0)
		nic_doctor_tell(d, NIC_VERDICT_OK, "numa", "", "%s and CPU %d are on node %d",
			name_of(d), d->cfg->core, node);
	else
		nic_doctor_tell(
			d, NIC_VERDICT_OK, "numa", "", "%s is on no particular node", name_of(d));
}

static void
examine_mtu(const struct nic_doctor *d)
{
	uint32_t mtu = d->cfg->port != NULL ? d->cfg->port->info.mtu : 0;
	char remedy[NIC_FINDING_MAX];

	if (mtu == 0 || d->cfg->dma || (d->cfg->xdp_mtu_max > 0 && mtu > d->cfg->xdp_mtu_max))
		return; /* longer than af_xdp takes: that is said elsewhere */
	(void)snprintf(remedy, sizeof(remedy), "--mtu %u", mtu);
	if (mtu == d->cfg->mtu)
		nic_doctor_tell(d, NIC_VERDICT_OK, "mtu", "", "%u", mtu);
	else if (mtu > d->cfg->mtu)
		nic_doctor_tell(d, NIC_VERDICT_WARNING, "mtu", remedy,
			"%s takes %u bytes, dpfetch was told %u: segments are shorter than they "
			"could be",
			name_of(d), mtu, d->cfg->mtu);
	else
		nic_doctor_tell(d, NIC_VERDICT_ERROR, "mtu", remedy,
			"%s takes %u bytes, dpfetch was told %u: longer frames do not come through",
			name_of(d), mtu, d->cfg->mtu);
}

/* What a kernel interface joins is longer than a slot of a packet socket's ring. */
static void
examine_offloads(const struct nic_doctor *d)
{
	const struct nic_offloads *o = d->cfg->offloads;
	char remedy[NIC_FINDING_MAX];

	if (o == NULL || d->cfg->dma)
		return;
	(void)snprintf(remedy, sizeof(remedy),
		"--nic-mode vnet, or: sudo ethtool -K %s gro off lro off tso off gso off",
		name_of(d));
	if (d->cfg->joins || !(o->gro || o->lro || o->tso || o->gso))
		nic_doctor_tell(d, NIC_VERDICT_OK, "offloads", "",
			"rx-checksumming %s, tx-checksumming %s, tso %s, gso %s, gro %s, lro %s",
			o->rx_checksum ? "on" : "off", o->tx_checksum ? "on" : "off",
			o->tso ? "on" : "off", o->gso ? "on" : "off", o->gro ? "on" : "off",
			o->lro ? "on" : "off");
	else
		nic_doctor_tell(d, NIC_VERDICT_WARNING, "offloads", remedy,
			"%s has%s%s%s%s on: frames longer than the MTU are cut short, unless the "
			"other end sends none",
			name_of(d), o->tso ? " tso" : "", o->gso ? " gso" : "",
			o->gro ? " gro" : "", o->lro ? " lro" : "");
}

uint32_t
nic_doctor_count_queues(const struct nic_doctor *d)
{
	char path[NIC_PATH_MAX];
	struct dirent *entry;
	uint32_t n = 0;
	DIR *dir;

	if (d->cfg->port == NULL)
		return 0;
	nic_system_path(d->system, path, "/sys/class/net/%s/queues", name_of(d));
	dir = opendir(path);
	if (dir == NULL)
		return 0;
	while ((entry = readdir(dir)) != NULL)
		n += strncmp(entry->d_name, "rx-", 3) == 0;
	closedir(dir);
	return n;
}

/* af_packet spreads frames by a program of ours, whatever the interface has. */
static void
examine_queues(const struct nic_doctor *d)
{
	uint32_t n = nic_doctor_count_queues(d);

	if (n == 0 || !d->cfg->dma)
		return;
	if (n >= d->cfg->queues)
		nic_doctor_tell(d, NIC_VERDICT_OK, "queues", "",
			"the kernel's driver has %u, %u asked for", n, d->cfg->queues);
	else
		nic_doctor_tell(d, NIC_VERDICT_WARNING, "queues", "fewer --queues",
			"the kernel's driver has %u, %u are asked for: DPDK's may have no more", n,
			d->cfg->queues);
}

static void
examine_journal(const struct nic_doctor *d)
{
	char remedy[NIC_FINDING_MAX];

	if (!d->cfg->device->journal)
		return;
	(void)snprintf(
		remedy, sizeof(remedy), "sudo dpfetch nic restore %s", d->cfg->device->address);
	nic_doctor_tell(d, NIC_VERDICT_WARNING, "journal", remedy,
		"%s is bound by dpfetch, and the kernel does not have it", d->cfg->device->address);
}

void
nic_doctor_examine_device(const struct nic_doctor *d)
{
	examine_driver(d);
	examine_needs(d);
	examine_link(d);
	examine_node(d);
	examine_mtu(d);
	examine_offloads(d);
	examine_queues(d);
	examine_journal(d);
	nic_doctor_examine_known(d);
}
