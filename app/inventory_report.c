/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <string.h>

#include "base_bytes.h"
#include "inventory_report.h"
#include "report_json.h"

#define CELL_MAX 192U
#define NOTE_MAX 512U
#define PCI_CLASS_BRIDGE 0x06U

enum column { DEVICE, INTERFACE, DRIVER, LINK, NODE, GROUP, DPDK, CARRIES, MODEL, COLUMNS };

static const char *const headings[COLUMNS] = {"DEVICE", "INTERFACE", "DRIVER", "LINK", "NODE",
	"GROUP", "DPDK DRIVER", "CARRIES", "MODEL"};

struct row {
	char cell[COLUMNS][CELL_MAX];
};

static void
set(struct row *row, enum column column, const char *text)
{
	(void)snprintf(row->cell[column], CELL_MAX, "%s", text[0] != '\0' ? text : "-");
}

static void
set_number(struct row *row, enum column column, int number)
{
	if (number < 0)
		set(row, column, "");
	else
		(void)snprintf(row->cell[column], CELL_MAX, "%d", number);
}

static void
set_link(struct row *row, const struct nic_info *link)
{
	if (!link->up)
		set(row, LINK, "down");
	else if (!link->carrier)
		set(row, LINK, "no carrier");
	else if (link->speed_mbps == 0)
		set(row, LINK, "up");
	else
		(void)snprintf(row->cell[LINK], CELL_MAX, "up %u Mb/s", link->speed_mbps);
}

static void
set_needs(struct row *row, const struct nic_port *p)
{
	bool ssh = p->ssh_peer[0] != '\0';

	(void)snprintf(row->cell[CARRIES], CELL_MAX, "%s%s%s",
		p->info.default_route ? "default route" : "",
		p->info.default_route && ssh ? ", " : "",
		ssh			? "SSH"
		: p->info.default_route ? ""
					: "-");
}

/* Of the device's port, NULL: it has none here. */
static void
fill(struct row *row, const struct nic_device *d, const struct nic_port *p)
{
	bool pci = d->address[0] != '\0';
	int column;

	for (column = 0; column < COLUMNS; column++)
		set(row, (enum column)column, "");
	set(row, DEVICE, pci ? d->address : "virtual");
	set(row, DRIVER, d->driver);
	set_number(row, NODE, d->numa_node);
	set_number(row, GROUP, d->iommu_group);
	set(row, DPDK, pci ? d->dpdk.name : "net_af_packet");
	set(row, MODEL, d->model);
	if (p == NULL)
		return;
	set(row, INTERFACE, p->info.interface);
	set_link(row, &p->info);
	set_needs(row, p);
}

/* One for each interface, or for a device without. */
static uint32_t
fill_rows(const struct nic_inventory *inventory, struct row *rows)
{
	const struct nic_device *d;
	uint32_t i, k, n = 0;

	for (i = 0; i < inventory->count; i++) {
		d = &inventory->devices[i];
		for (k = 0; k < MAX_OF(d->port_count, 1U); k++)
			fill(&rows[n++], d, d->port_count > 0 ? &d->ports[k] : NULL);
	}
	return n;
}

static uint32_t
count_rows(const struct nic_inventory *inventory)
{
	uint32_t i, n = 0;

	for (i = 0; i < inventory->count; i++)
		n += MAX_OF(inventory->devices[i].port_count, 1U);
	return n;
}

static void
print_row(const char *const *cell, const size_t *width, FILE *file)
{
	int column;

	for (column = 0; column < COLUMNS - 1; column++)
		fprintf(file, "%-*s  ", (int)width[column], cell[column]);
	fprintf(file, "%s\n", cell[COLUMNS - 1]);
}

static void
print_rows(const struct row *rows, uint32_t n, FILE *file)
{
	size_t width[COLUMNS];
	const char *cell[COLUMNS];
	uint32_t i;
	int column;

	for (column = 0; column < COLUMNS; column++) {
		width[column] = strlen(headings[column]);
		for (i = 0; i < n; i++)
			width[column] = MAX_OF(width[column], strlen(rows[i].cell[column]));
	}
	print_row(headings, width, file);
	for (i = 0; i < n; i++) {
		for (column = 0; column < COLUMNS; column++)
			cell[column] = rows[i].cell[column];
		print_row(cell, width, file);
	}
}

/* Bridges are the group's way to the rest of the machine, and stay. */
static void
note_group(const struct nic_device *d, FILE *file)
{
	const struct nic_member *m;
	uint32_t i, n = 0;

	for (i = 0; i < d->member_count; i++) {
		m = &d->members[i];
		if (m->class_code >> 16 == PCI_CLASS_BRIDGE)
			continue;
		if (n++ == 0)
			fprintf(file, "%s shares its IOMMU group %d with", d->address,
				d->iommu_group);
		fprintf(file, "%s %s (%s)", n > 1 ? "," : "", m->address,
			m->driver[0] != '\0' ? m->driver : "no driver");
	}
	if (n > 0)
		fprintf(file, ".\n");
}

static void
note(const struct nic_device *d, FILE *file)
{
	char text[NOTE_MAX];
	uint32_t i;

	if (d->address[0] != '\0' && nic_device_is_needed(d, text, sizeof(text)))
		fprintf(file, "%s: %s.\n", d->address, text);
	for (i = 0; i < d->port_count; i++) {
		if (d->ports[i].above[0] != '\0')
			fprintf(file, "%s stands on %s.\n", d->ports[i].above,
				d->ports[i].info.interface);
	}
	if (d->journal)
		fprintf(file, "%s was bound by dpfetch: nic unbind %s gives it back.\n", d->address,
			d->address);
	if (d->dpdk.bifurcated)
		fprintf(file,
			"%s: %s works beside the kernel's driver; there is nothing to bind.\n",
			d->address, d->dpdk.name);
	note_group(d, file);
}

void
inventory_report_table(const struct nic_inventory *inventory, FILE *file)
{
	struct row *rows = calloc(MAX_OF(count_rows(inventory), 1U), sizeof(*rows));
	uint32_t i, n;

	if (rows == NULL)
		return;
	n = fill_rows(inventory, rows);
	print_rows(rows, n, file);
	for (i = 0; i < inventory->count; i++)
		note(&inventory->devices[i], file);
	free(rows);
}

static json_t *
text_or_null(const char *text)
{
	return text[0] != '\0' ? report_json_text(text) : json_null();
}

static json_t *
number_or_null(int number)
{
	return number >= 0 ? json_integer(number) : json_null();
}

static json_t *
hex(uint32_t value, int digits)
{
	return json_sprintf("%0*x", digits, value);
}

static json_t *
json_of_port(const struct nic_port *p)
{
	const uint8_t *m = p->info.mac;
	json_t *mac = p->info.ethernet ? json_sprintf("%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1],
						 m[2], m[3], m[4], m[5])
				       : json_null();

	return json_pack("{s:o, s:o, s:o, s:i, s:b, s:b, s:o, s:b, s:o, s:o}", "name",
		report_json_text(p->info.interface), "driver", text_or_null(p->info.driver), "mac",
		mac, "mtu", (int)p->info.mtu, "up", p->info.up, "carrier", p->info.carrier,
		"speed_mbps", number_or_null(p->info.speed_mbps > 0 ? (int)p->info.speed_mbps : -1),
		"default_route", p->info.default_route, "ssh_peer", text_or_null(p->ssh_peer),
		"above", text_or_null(p->above));
}

static json_t *
json_of_device(const struct nic_device *d)
{
	json_t *members = json_array(), *ports = json_array(), *object;
	uint32_t i;

	for (i = 0; i < d->member_count; i++)
		json_array_append_new(
			members, json_pack("{s:s, s:o, s:o}", "pci_address", d->members[i].address,
					 "driver", text_or_null(d->members[i].driver), "class",
					 hex(d->members[i].class_code, 6)));
	for (i = 0; i < d->port_count; i++)
		json_array_append_new(ports, json_of_port(&d->ports[i]));
	object = json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:o}", "pci_address",
		text_or_null(d->address), "driver", text_or_null(d->driver), "model",
		text_or_null(d->model), "numa_node", number_or_null(d->numa_node), "iommu_group",
		number_or_null(d->iommu_group), "iommu_group_others", members, "bifurcated",
		d->dpdk.bifurcated, "interfaces", ports);
	if (d->address[0] == '\0' || object == NULL)
		return object;
	json_object_set_new(object, "vendor_id", hex(d->id.vendor, 4));
	json_object_set_new(object, "device_id", hex(d->id.device, 4));
	json_object_set_new(object, "subsystem_vendor_id", hex(d->id.subsystem_vendor, 4));
	json_object_set_new(object, "subsystem_device_id", hex(d->id.subsystem_device, 4));
	json_object_set_new(object, "class", hex(d->id.class_code, 6));
	json_object_set_new(object, "dpdk_driver", text_or_null(d->dpdk.name));
	json_object_set_new(object, "bound_by_dpfetch", json_boolean(d->journal));
	return object;
}

json_t *
inventory_report_json(const struct nic_inventory *inventory)
{
	json_t *devices = json_array();
	uint32_t i;

	for (i = 0; i < inventory->count; i++)
		json_array_append_new(devices, json_of_device(&inventory->devices[i]));
	return json_pack("{s:i, s:o}", "schema", REPORT_JSON_SCHEMA, "devices", devices);
}
