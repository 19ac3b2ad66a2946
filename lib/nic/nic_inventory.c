/* SPDX-License-Identifier: BSD-3-Clause */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "nic_inventory.h"
#include "nic_journal.h"
#include "nic_names.h"
#include "nic_route.h"
#include "nic_stack.h"
#include "nic_sysfs.h"

#define CLASS_SHIFT 16U
#define CLASS_NETWORK 0x02U /* PCI Code and ID Assignment Specification */

struct reading {
	const struct nic_system *system;
	const struct nic_inventory_config *cfg;
	struct nic_inventory inventory;
	struct nic_session sessions[NIC_SESSIONS_MAX];
	uint32_t session_count;
	int error; /* 0, -ENOMEM */
};

/* A zeroed element more at the end of a growing array; NULL: no memory. */
static void *
grow(void **array, uint32_t *count, size_t size)
{
	char *grown = realloc(*array, (*count + 1U) * size);

	if (grown == NULL)
		return NULL;
	*array = grown;
	memset(grown + *count * size, 0, size);
	return grown + (*count)++ * size;
}

static struct nic_device *
add_device(struct reading *r, const char *address)
{
	void *array = r->inventory.devices;
	struct nic_device *d = grow(&array, &r->inventory.count, sizeof(*d));

	r->inventory.devices = array;
	if (d == NULL) {
		r->error = -ENOMEM;
		return NULL;
	}
	(void)snprintf(d->address, sizeof(d->address), "%s", address);
	d->numa_node = d->iommu_group = -1;
	return d;
}

static void
read_id(const char *folder, struct nic_pci_id *ret)
{
	*ret = (struct nic_pci_id){
		.vendor = (uint16_t)nic_sysfs_number(folder, "vendor", 0),
		.device = (uint16_t)nic_sysfs_number(folder, "device", 0),
		.subsystem_vendor = (uint16_t)nic_sysfs_number(folder, "subsystem_vendor", 0),
		.subsystem_device = (uint16_t)nic_sysfs_number(folder, "subsystem_device", 0),
		.class_code = (uint32_t)nic_sysfs_number(folder, "class", 0),
	};
}

static void
add_member(struct reading *r, struct nic_device *d, const char *address)
{
	void *array = d->members;
	struct nic_member *m = grow(&array, &d->member_count, sizeof(*m));
	char folder[NIC_PATH_MAX];

	d->members = array;
	if (m == NULL) {
		r->error = -ENOMEM;
		return;
	}
	nic_system_path(r->system, folder, NIC_SYSFS_PCI "/%s", address);
	(void)snprintf(m->address, sizeof(m->address), "%.63s", address);
	nic_sysfs_link(folder, "driver", m->driver);
	m->class_code = (uint32_t)nic_sysfs_number(folder, "class", 0);
}

static int
by_member(const void *a, const void *b)
{
	return strcmp(
		((const struct nic_member *)a)->address, ((const struct nic_member *)b)->address);
}

static void
read_group(struct reading *r, struct nic_device *d, const char *folder)
{
	char group[NIC_NAME_MAX], members[NIC_PATH_MAX];
	const struct dirent *entry;
	DIR *dir;

	nic_sysfs_link(folder, "iommu_group", group);
	if (group[0] == '\0')
		return;
	d->iommu_group = atoi(group);
	nic_system_path(r->system, members, "/sys/kernel/iommu_groups/%s/devices", group);
	dir = opendir(members);
	if (dir == NULL)
		return;
	while ((entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] != '.' && strcmp(entry->d_name, d->address) != 0)
			add_member(r, d, entry->d_name);
	}
	(void)closedir(dir);
	if (d->member_count > 1)
		qsort(d->members, d->member_count, sizeof(*d->members), by_member);
}

static struct nic_device *
add_pci(struct reading *r, const char *address)
{
	struct nic_device *d = add_device(r, address);
	char folder[NIC_PATH_MAX];

	if (d == NULL)
		return NULL;
	nic_system_path(r->system, folder, NIC_SYSFS_PCI "/%s", address);
	read_id(folder, &d->id);
	nic_sysfs_link(folder, "driver", d->driver);
	d->numa_node = (int)nic_sysfs_number(folder, "numa_node", -1);
	nic_names_model(d->id.vendor, d->id.device, d->model, sizeof(d->model));
	read_group(r, d, folder);
	nic_journal_path(r->system, address, folder);
	d->journal = access(folder, F_OK) == 0;
	if (r->cfg->dpdk != NULL)
		d->dpdk = r->cfg->dpdk(r->cfg->dpdk_ctx, &d->id);
	return d;
}

static void
read_pci_devices(struct reading *r)
{
	char folder[NIC_PATH_MAX], device[NIC_PATH_MAX];
	const struct dirent *entry;
	DIR *dir;

	nic_system_path(r->system, folder, NIC_SYSFS_PCI);
	dir = opendir(folder);
	if (dir == NULL)
		return; /* a machine without PCI */
	while (r->error == 0 && (entry = readdir(dir)) != NULL) {
		nic_system_path(r->system, device, NIC_SYSFS_PCI "/%s", entry->d_name);
		if ((unsigned long)nic_sysfs_number(device, "class", 0) >> CLASS_SHIFT ==
			CLASS_NETWORK)
			(void)add_pci(r, entry->d_name);
	}
	(void)closedir(dir);
}

static struct nic_device *
find(const struct nic_inventory *inventory, const char *address)
{
	uint32_t i;

	for (i = 0; i < inventory->count; i++) {
		if (strcmp(inventory->devices[i].address, address) == 0)
			return &inventory->devices[i];
	}
	return NULL;
}

const struct nic_device *
nic_inventory_find(const struct nic_inventory *inventory, const char *address)
{
	return address[0] != '\0' ? find(inventory, address) : NULL;
}

/* Who needs the interface. */
static void
read_needs(const struct reading *r, struct nic_port *p)
{
	const char *root = r->system->root, *name = p->info.interface;
	char stack[NIC_STACK_MAX][IFNAMSIZ];
	uint32_t i;

	p->info.default_route = nic_route_is_default(root, name);
	if (nic_stack_of(root, name, stack) > 1)
		(void)snprintf(p->above, sizeof(p->above), "%s", stack[1]);
	for (i = 0; i < r->session_count; i++) {
		if (!nic_stack_has(root, name, r->sessions[i].interface))
			continue;
		(void)snprintf(p->ssh_peer, sizeof(p->ssh_peer), "%s", r->sessions[i].peer);
		return;
	}
}

static struct nic_device *
device_of(struct reading *r, const struct nic_info *link)
{
	struct nic_device *d = NULL;

	if (link->pci_address[0] != '\0')
		d = find(&r->inventory, link->pci_address);
	if (d == NULL)
		d = link->pci_address[0] != '\0' ? add_pci(r, link->pci_address)
						 : add_device(r, "");
	if (d != NULL && d->driver[0] == '\0')
		(void)snprintf(d->driver, sizeof(d->driver), "%s", link->driver);
	return d;
}

static void
take_link(void *ctx, const struct nic_info *link)
{
	struct reading *r = ctx;
	struct nic_device *d;
	struct nic_port *p;
	void *array;

	if (strcmp(link->interface, "lo") == 0)
		return;
	d = device_of(r, link);
	if (d == NULL)
		return;
	array = d->ports;
	p = grow(&array, &d->port_count, sizeof(*p));
	d->ports = array;
	if (p == NULL) {
		r->error = -ENOMEM;
		return;
	}
	p->info = *link;
	read_needs(r, p);
}

static const char *
name_of(const struct nic_device *d)
{
	return d->port_count > 0 ? d->ports[0].info.interface : "";
}

static int
by_address(const void *one, const void *other)
{
	const struct nic_device *a = one, *b = other;

	if ((a->address[0] == '\0') != (b->address[0] == '\0'))
		return a->address[0] == '\0' ? 1 : -1;
	if (a->address[0] == '\0')
		return strcmp(name_of(a), name_of(b));
	return strcmp(a->address, b->address);
}

int
nic_inventory_read(const struct nic_system *s, const struct nic_inventory_config *cfg,
	struct nic_inventory *ret)
{
	struct reading *r = calloc(1, sizeof(*r));
	int rc;

	if (r == NULL)
		return -ENOMEM;
	r->system = s;
	r->cfg = cfg;
	r->session_count = nic_sessions_find(s, cfg->ssh_connection, r->sessions);
	read_pci_devices(r);
	rc = s->kernel->each_link(s->ctx, take_link, r);
	if (rc == 0)
		rc = r->error;
	if (r->inventory.count > 1)
		qsort(r->inventory.devices, r->inventory.count, sizeof(*r->inventory.devices),
			by_address);
	if (rc == 0)
		*ret = r->inventory;
	else
		nic_inventory_free(&r->inventory);
	free(r);
	return rc;
}

void
nic_inventory_free(struct nic_inventory *inventory)
{
	uint32_t i;

	for (i = 0; i < inventory->count; i++) {
		free(inventory->devices[i].members);
		free(inventory->devices[i].ports);
	}
	free(inventory->devices);
	*inventory = (struct nic_inventory){0};
}

bool
nic_device_is_needed(const struct nic_device *d, char *text, size_t room)
{
	const struct nic_port *p;
	uint32_t i;

	for (i = 0; i < d->port_count; i++) {
		p = &d->ports[i];
		if (!p->info.default_route && p->ssh_peer[0] == '\0')
			continue;
		(void)snprintf(text, room, "%s carries %s%s%s%s", p->info.interface,
			p->info.default_route ? "the default route" : "",
			p->info.default_route && p->ssh_peer[0] != '\0' ? " and " : "",
			p->ssh_peer[0] != '\0' ? "an SSH session from " : "", p->ssh_peer);
		return true;
	}
	text[0] = '\0';
	return false;
}
