/* SPDX-License-Identifier: BSD-3-Clause */
#include <sched.h>
#include <string.h>

#include "affinity.h"
#include "binding.h"
#include "exit_code.h"
#include "host_priv.h"
#include "nic_info.h"

static bool
cpu_allowed(int64_t cpu)
{
	cpu_set_t set;

	return cpu >= 0 && cpu < CPU_SETSIZE && sched_getaffinity(0, sizeof(set), &set) == 0 &&
	       CPU_ISSET((size_t)cpu, &set);
}

static int
check_cores(struct host *h)
{
	const struct settings *s = h->settings;

	if (settings_cores(s, h->cpu) > 0)
		h->core = h->cpu[0];
	else
		h->core = s->core >= 0 ? (int)s->core : nic_cpu_choose(h->numa_node);
	if (!cpu_allowed(h->core) || (s->writer_core >= 0 && !cpu_allowed(s->writer_core))) {
		message_error(&h->level, EXIT_CODE_CORE,
			"CPU %lld is not one that this process may run on; `taskset -p $$` shows "
			"which are",
			cpu_allowed(h->core) ? (long long)s->writer_core : (long long)h->core);
		return EXIT_CODE_CORE;
	}
	h->all_cpus = nic_cpu_allowed_count() < 2;
	affinity_others(&h->core, 1, &h->others);
	if (h->all_cpus)
		message_warning(&h->level,
			"there is only one CPU: the poll loop shares it with the "
			"kernel and with the file writer, and is slow");
	return 0;
}

/* Without --cores: the last CPUs on the NIC's node that are left. */
static int
choose_cpus(struct host *h)
{
	uint32_t i;

	if (settings_cores(h->settings, h->cpu) > 0)
		return 0;
	h->cpu[0] = h->core;
	for (i = 1; i < h->queues; i++) {
		h->cpu[i] = nic_cpu_choose_beside(h->numa_node, h->cpu, i);
		if (h->cpu[i] >= 0)
			continue;
		message_error(&h->level, EXIT_CODE_CORE,
			"%u workers need as many CPUs, and this process may run on %d; use fewer "
			"--queues",
			h->queues, nic_cpu_allowed_count());
		return EXIT_CODE_CORE;
	}
	return 0;
}

int
host_use_queues(struct host *h, uint32_t queues)
{
	uint32_t i;
	int rc;

	h->queues = queues;
	h->all_cpus = queues >= (uint32_t)nic_cpu_allowed_count();
	rc = choose_cpus(h);
	if (rc == 0 && queues > 1)
		affinity_others(h->cpu, queues, &h->others);
	for (i = 1; i < queues && rc == 0; i++) {
		if (!cpu_allowed(h->cpu[i])) {
			message_error(&h->level, EXIT_CODE_CORE,
				"CPU %d is not one that this process may run on; `taskset -p $$` "
				"shows which are",
				h->cpu[i]);
			return EXIT_CODE_CORE;
		}
		rc = host_check_numa(&h->level, h->cpu[i], nic_cpu_node(h->cpu[i]), h->numa_node,
			h->settings->strict_numa);
	}
	return rc;
}

int
host_check_numa(
	const struct message_level *level, int core, int core_node, int nic_node, bool strict)
{
	if (nic_node < 0 || core_node < 0 || core_node == nic_node)
		return 0;
	if (strict) {
		message_error(level, EXIT_CODE_NUMA,
			"CPU %d is on NUMA node %d, the NIC on node %d, and --strict-numa is set; "
			"choose a core of node %d with --core (`numactl -H` lists them)",
			core, core_node, nic_node, nic_node);
		return EXIT_CODE_NUMA;
	}
	message_warning(level,
		"CPU %d is on NUMA node %d, the NIC on node %d: every frame crosses the "
		"interconnect; choose a core of node %d with --core",
		core, core_node, nic_node, nic_node);
	return 0;
}

/* The kernel would answer our SYN-ACKs with RST if it owned our address. */
int
host_check_address6(const struct host *h, const struct ipv6_addr *own, const char *remedy)
{
	struct ip_address address = ip_address_of_v6(own);
	char interface[NIC_NAME_MAX], text[IP_ADDRESS_TEXT_LEN];

	if (nic_kernel_owns_address6(own->byte, interface) != 1 ||
		strcmp(interface, h->nic_interface) == 0)
		return 0;
	message_error(&h->level, EXIT_CODE_ADDRESS,
		"the kernel owns %s on %s and would reset our connections; %s",
		ip_address_format(&address, text), interface, remedy);
	return EXIT_CODE_ADDRESS;
}

int
host_check_address(const struct host *h, uint32_t address, uint8_t prefix_len)
{
	char interface[NIC_NAME_MAX], text[IPV4_ADDR_TEXT_LEN];
	int rc = nic_kernel_owns_address(address, interface);

	if (rc != 1 || strcmp(interface, h->nic_interface) == 0)
		return 0;
	ipv4_addr_format(address, text);
	message_error(&h->level, EXIT_CODE_ADDRESS,
		"the kernel owns %s on %s and would reset our connections; use another --address, "
		"or "
		"take it from the kernel: ip addr del %s/%u dev %s",
		text, interface, text, prefix_len, interface);
	return EXIT_CODE_ADDRESS;
}

/* Those that are known before the port is up. */
int
host_check_addresses(const struct host *h)
{
	const struct settings *s = h->settings;
	uint32_t i;
	int rc = 0;

	if (s->address6_set && !s->address6_auto)
		rc = host_check_address6(h, &s->address6, "use another --address6");
	for (i = 0; rc == 0 && s->address_set && !s->address_dhcp && i < s->addresses; i++)
		rc = host_check_address(h, s->address + i, s->prefix_len);
	return rc;
}

bool
host_nic_is_vdev(const struct settings *s)
{
	return s->nic_mode == SETTINGS_NIC_VDEV ||
	       (s->nic_mode == SETTINGS_NIC_AUTO &&
		       (strchr(s->nic, ',') != NULL || strncmp(s->nic, "net_", 4) == 0));
}

static int
check_nic(struct host *h)
{
	struct nic_info nic;
	char address[NIC_NAME_MAX];
	const char *nic_name = h->settings->nic;

	if (nic_info_find(nic_name, &nic) == 0) {
		h->numa_node = nic.numa_node;
		if (!binding_is_wanted(h->settings, address))
			return 0;
		memcpy(h->nic_interface, nic.interface, sizeof(h->nic_interface));
		return h->settings->check ? binding_check(h->settings, &h->level, address) : 0;
	}
	if (host_nic_is_vdev(h->settings))
		return 0;
	if (nic_pci_address_parse(nic_name, address))
		message_error(&h->level, EXIT_CODE_PORT,
			"there is no PCI device %s (`dpfetch nic list` lists them)", nic_name);
	else
		message_error(&h->level, EXIT_CODE_PORT,
			"there is no interface '%s' (`dpfetch nic list` lists them)", nic_name);
	return EXIT_CODE_PORT;
}

/* The kernel's stack needs none of the port's; its interface may be named. */
static int
check_kernel(struct host *h, const struct settings *s)
{
	return s->nic != NULL ? check_nic(h) : 0;
}

/* What a killed dpfetch left; but the device that we are to have is taken over instead. */
static void
restore_abandoned(const struct host *h)
{
	char address[NIC_NAME_MAX];

	binding_restore_abandoned(
		&h->level, binding_is_wanted(h->settings, address) ? address : NULL);
}

int
host_check(struct host *h, const struct settings *s)
{
	int rc;

	*h = (struct host){.settings = s,
		.level = message_level_of(s),
		.numa_node = -1,
		.queues = 1,
		.capacity = host_capacity_of_get(s)};
	if (!s->check && s->stack == SETTINGS_STACK_DPDK)
		restore_abandoned(h);
	rc = s->stack == SETTINGS_STACK_KERNEL ? check_kernel(h, s) : check_nic(h);
	if (rc == 0)
		rc = check_cores(h);
	if (rc == 0)
		rc = host_check_numa(
			&h->level, h->core, nic_cpu_node(h->core), h->numa_node, s->strict_numa);
	if (rc == 0 && s->stack == SETTINGS_STACK_DPDK)
		rc = host_check_addresses(h);
	return rc;
}
