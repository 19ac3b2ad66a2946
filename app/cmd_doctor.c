/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "cmd_doctor.h"
#include "doctor_report.h"
#include "exit_code.h"
#include "host.h"
#include "inventory.h"
#include "nic_bind.h"
#include "nic_doctor.h"
#include "port.h"
#include "report_json.h"

/* What is looked at: the machine, and the NIC that was named on it. */
struct patient {
	const struct settings *settings;
	struct nic_system system;
	struct inventory_source source;
	struct nic_inventory inventory;
	struct nic_offloads offloads;
	char firmware[NIC_NAME_MAX];
	struct utsname kernel;
	struct nic_doctor_config config;
};

static const struct nic_port *
port_named(const struct nic_device *d, const char *interface)
{
	uint32_t i;

	for (i = 0; i < d->port_count; i++) {
		if (strcmp(d->ports[i].info.interface, interface) == 0)
			return &d->ports[i];
	}
	return NULL;
}

/* By PCI address or interface name. false: there is no such one. */
static bool
find_device(struct patient *p, const char *nic)
{
	char address[NIC_NAME_MAX];
	uint32_t i;

	if (nic_pci_address_parse(nic, address)) {
		p->config.device = nic_inventory_find(&p->inventory, address);
		p->config.dma = true;
		if (p->config.device != NULL && p->config.device->port_count > 0)
			p->config.port = &p->config.device->ports[0];
		return p->config.device != NULL;
	}
	for (i = 0; i < p->inventory.count && p->config.port == NULL; i++) {
		p->config.device = &p->inventory.devices[i];
		p->config.port = port_named(p->config.device, nic);
	}
	return p->config.port != NULL;
}

/* A vdev string is nobody's here. */
static int
find_nic(struct patient *p, const struct message_level *level)
{
	const char *nic = p->settings->nic;

	if (nic == NULL || strchr(nic, ',') != NULL || strncmp(nic, "net_", 4) == 0)
		return 0;
	if (!find_device(p, nic)) {
		message_error(level, EXIT_CODE_PORT,
			"there is no NIC '%s' (dpfetch nic list shows those that there are)", nic);
		return EXIT_CODE_PORT;
	}
	if (p->config.port == NULL)
		return 0;
	nic_firmware_read(p->config.port->info.interface, p->firmware);
	if (nic_offloads_read(p->config.port->info.interface, &p->offloads) == 0)
		p->config.offloads = &p->offloads;
	return 0;
}

static void
find_machine(struct patient *p)
{
	const struct settings *s = p->settings;
	struct nic_doctor_config *c = &p->config;
	int node = c->device != NULL ? c->device->numa_node : -1;
	const struct host h = {.settings = s,
		.capacity = host_capacity_of_get(s),
		.queues = settings_queues(s),
		.numa_node = node};

	c->firmware = p->firmware;
	c->core = s->core >= 0 ? (int)s->core : nic_cpu_choose(node);
	c->core_node = nic_cpu_node(c->core);
	c->cpus = nic_cpu_allowed_count();
	c->queues = h.queues;
	c->mtu = (uint32_t)s->mtu;
	c->lro = s->lro;
	c->xdp_mtu_max = s->nic_mode == SETTINGS_NIC_AF_XDP ? port_af_xdp_mtu_max() : 0;
	c->joins = s->nic_mode == SETTINGS_NIC_VNET;
	c->memory_bytes = host_memory_needed(&h);
	if (!nic_memlock_limit(&c->memlock_bytes))
		c->memlock_bytes = UINT64_MAX;
	uname(&p->kernel);
	c->release = p->kernel.release;
}

/* Would it be bound? The same judge as of dpfetch nic bind. */
static void
examine_binding(struct patient *p, struct doctor_report *r)
{
	const struct settings *s = p->settings;
	const struct nic_bind_config cfg = {.address = p->config.device->address,
		.driver = s->driver == SETTINGS_DRIVER_UIO ? "uio_pci_generic" : "vfio-pci",
		.no_iommu = s->no_iommu,
		.force = s->force.count > 0 ? s->force.item[0] : NULL,
		.inventory = &p->source.config};
	struct nic_finding f = {.subject = "binding"};
	char message[NIC_MESSAGE_MAX] = "";
	int rc = nic_bind_check(&p->system, &cfg, message);

	f.verdict = rc < 0 ? NIC_VERDICT_ERROR : NIC_VERDICT_OK;
	if (rc == 0)
		snprintf(message, sizeof(message), "%s could be bound to %s", cfg.address,
			cfg.driver);
	snprintf(f.text, sizeof(f.text), "%.*s", (int)sizeof(f.text) - 1, message);
	doctor_report_add(r, &f);
}

static void
examine(struct patient *p, struct doctor_report *r)
{
	r->count = 0;
	nic_doctor_examine(&p->system, &p->config, doctor_report_add, r);
	if (p->config.dma)
		examine_binding(p, r);
}

static void
fix(struct patient *p, const struct message_level *level)
{
	int rc = nic_doctor_fix_hugepages(&p->system, &p->config);

	if (rc == -ENOMEM)
		message_warning(level,
			"the kernel found fewer hugepages than were asked for: memory is in "
			"pieces; "
			"reserve them at the start: hugepages=N on the kernel's command line");
	else if (rc != 0)
		message_warning(level, "no hugepages could be reserved: %s; run as root (sudo)",
			strerror(-rc));
}

static int
print(const struct doctor_report *r, int format)
{
	json_t *root;
	int rc;

	if (format == SETTINGS_FORMAT_TABLE) {
		doctor_report_text(r, stdout);
		return fflush(stdout) == 0 && ferror(stdout) == 0 ? 0 : -errno;
	}
	root = doctor_report_json(r);
	rc = root != NULL ? report_json_write(root, "-") : -ENOMEM;
	json_decref(root);
	return rc;
}

static int
diagnose(struct patient *p, const struct message_level *level)
{
	struct doctor_report report;
	int code = find_nic(p, level), rc;

	if (code != 0)
		return code;
	find_machine(p);
	if (p->settings->fix)
		fix(p, level);
	examine(p, &report);
	rc = print(&report, p->settings->format);
	if (rc != 0) {
		message_error(level, EXIT_CODE_WRITE_ERROR, "Failed writing to standard output: %s",
			strerror(-rc));
		return EXIT_CODE_WRITE_ERROR;
	}
	return doctor_report_count(&report, NIC_VERDICT_ERROR) > 0 ? EXIT_CODE_DOCTOR : 0;
}

int
cmd_doctor(const struct settings *s)
{
	const struct message_level level = message_level_of(s);
	struct patient p = {.settings = s, .system = nic_system_host()};
	int rc = inventory_open(&p.source), code;

	if (rc == 0) {
		rc = nic_inventory_read(&p.system, &p.source.config, &p.inventory);
		if (rc != 0)
			inventory_close(&p.source);
	}
	if (rc != 0) {
		message_error(&level, EXIT_CODE_OUT_OF_MEMORY, "the NICs could not be listed: %s",
			strerror(-rc));
		return EXIT_CODE_OUT_OF_MEMORY;
	}
	code = diagnose(&p, &level);
	nic_inventory_free(&p.inventory);
	inventory_close(&p.source);
	return code;
}
