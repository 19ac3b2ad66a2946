/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nic_doctor_priv.h"
#include "nic_sysfs.h"

#define LIST_MAX 256U
#define LINE_MAX_BYTES 4096U
#define NAME_MAX_BYTES 128U
#define INTERRUPTS_NOTED 1000U /* since the machine's start; fewer are its set-up */
#define STEAL_NOTED 0.01 /* of all time */

static void
cpu_folder(const struct nic_doctor *d, char ret[NIC_PATH_MAX])
{
	nic_system_path(d->system, ret, "/sys/devices/system/cpu/cpu%d", d->cfg->core);
}

static void
examine_count(const struct nic_doctor *d)
{
	if (d->cfg->cpus > 1)
		nic_doctor_tell(d, NIC_VERDICT_OK, "cpus", "",
			"%d, of which CPU %d polls and the file writer has another", d->cfg->cpus,
			d->cfg->core);
	else
		nic_doctor_tell(d, NIC_VERDICT_WARNING, "cpus",
			"taskset or the machine's configuration: give dpfetch two CPUs",
			"one only: the poll loop shares it with the kernel and with the file "
			"writer, and is slow");
}

static void
examine_isolation(const struct nic_doctor *d)
{
	char folder[NIC_PATH_MAX], isolated[LIST_MAX] = "", remedy[NIC_FINDING_MAX];
	char tickless[LIST_MAX] = "";
	int core = d->cfg->core;
	bool alone, quiet;

	nic_system_path(d->system, folder, "/sys/devices/system/cpu");
	(void)nic_sysfs_text(folder, "isolated", isolated, sizeof(isolated));
	(void)nic_sysfs_text(folder, "nohz_full", tickless, sizeof(tickless));
	alone = nic_doctor_list_has(isolated, core);
	quiet = nic_doctor_list_has(tickless, core);
	(void)snprintf(remedy, sizeof(remedy),
		"on the kernel's command line: isolcpus=%d nohz_full=%d rcu_nocbs=%d", core, core,
		core);
	if (alone && quiet)
		nic_doctor_tell(d, NIC_VERDICT_OK, "isolation", "",
			"CPU %d is isolated and without a tick", core);
	else
		nic_doctor_tell(d, NIC_VERDICT_WARNING, "isolation", remedy,
			"CPU %d is %s%s: others' work on it makes ACKs late", core,
			alone ? "isolated" : "not isolated",
			quiet ? "" : " and has the scheduler's tick");
}

static void
examine_governor(const struct nic_doctor *d)
{
	char folder[NIC_PATH_MAX], path[NIC_PATH_MAX + 16], governor[NAME_MAX_BYTES];
	char remedy[NIC_FINDING_MAX];

	cpu_folder(d, folder);
	(void)snprintf(path, sizeof(path), "%s/cpufreq", folder);
	if (!nic_sysfs_text(path, "scaling_governor", governor, sizeof(governor))) {
		nic_doctor_tell(d, NIC_VERDICT_OK, "governor", "",
			"the kernel does not change the frequency of CPU %d", d->cfg->core);
		return;
	}
	(void)snprintf(
		remedy, sizeof(remedy), "echo performance | sudo tee %s/scaling_governor", path);
	if (strcmp(governor, "performance") == 0)
		nic_doctor_tell(d, NIC_VERDICT_OK, "governor", "", "performance");
	else
		nic_doctor_tell(d, NIC_VERDICT_WARNING, "governor", remedy,
			"%s: CPU %d may be slow when a burst comes, and figures differ from run to "
			"run",
			governor, d->cfg->core);
}

static void
examine_sibling(const struct nic_doctor *d)
{
	char folder[NIC_PATH_MAX], path[NIC_PATH_MAX + 16], list[LIST_MAX], remedy[NIC_FINDING_MAX];

	cpu_folder(d, folder);
	(void)snprintf(path, sizeof(path), "%s/topology", folder);
	if (!nic_sysfs_text(path, "thread_siblings_list", list, sizeof(list)) ||
		strpbrk(list, ",-") == NULL) {
		nic_doctor_tell(d, NIC_VERDICT_OK, "smt", "",
			"CPU %d shares its core with no other", d->cfg->core);
		return;
	}
	(void)snprintf(remedy, sizeof(remedy),
		"keep the others of CPUs %s idle, or: echo off | sudo tee "
		"/sys/devices/system/cpu/smt/control",
		list);
	nic_doctor_tell(d, NIC_VERDICT_WARNING, "smt", remedy,
		"CPUs %s are threads of one core: what runs beside CPU %d takes half of it", list,
		d->cfg->core);
}

/* The cpu-th number of a line of /proc/interrupts, and what comes behind all numbers. false: no line of an
 * interrupt with a number. */
static bool
parse_interrupt(
	char *line, int cpu, long *ret_number, unsigned long long *ret_count, char **ret_name)
{
	char *at, *end;
	int i;

	*ret_number = strtol(line, &at, 10);
	if (at == line || *at != ':')
		return false;
	*ret_count = 0;
	for (at++, i = 0;; i++, at = end) {
		unsigned long long n = strtoull(at, &end, 10);

		if (end == at || (*end != ' ' && *end != '\n'))
			break;
		if (i == cpu)
			*ret_count = n;
	}
	*ret_name = strrchr(at, ' ') != NULL ? strrchr(at, ' ') + 1 : at;
	(*ret_name)[strcspn(*ret_name, "\n")] = '\0';
	return i > cpu;
}

/* A device's interrupts hold the poll loop up, 5 to 50 us each. */
static void
examine_interrupts(const struct nic_doctor *d)
{
	char path[NIC_PATH_MAX], line[LINE_MAX_BYTES], worst[NAME_MAX_BYTES] = "";
	char remedy[NIC_FINDING_MAX], *name;
	unsigned long long count, most = 0;
	long number, worst_number = 0;
	FILE *file;

	nic_system_path(d->system, path, "/proc/interrupts");
	file = fopen(path, "re");
	if (file == NULL)
		return;
	while (fgets(line, sizeof(line), file) != NULL) {
		if (!parse_interrupt(line, d->cfg->core, &number, &count, &name) || count <= most)
			continue;
		most = count;
		worst_number = number;
		(void)snprintf(worst, sizeof(worst), "%s", name);
	}
	(void)fclose(file);
	if (most < INTERRUPTS_NOTED) {
		nic_doctor_tell(d, NIC_VERDICT_OK, "interrupts", "", "no device sends CPU %d many",
			d->cfg->core);
		return;
	}
	(void)snprintf(remedy, sizeof(remedy),
		"echo %d | sudo tee /proc/irq/%ld/smp_affinity_list (and stop irqbalance)",
		d->cfg->core == 0 ? 1 : 0, worst_number);
	nic_doctor_tell(d, NIC_VERDICT_WARNING, "interrupts", remedy,
		"%llu of %s came to CPU %d: each holds the poll loop up", most, worst,
		d->cfg->core);
}

static void
examine_clock(const struct nic_doctor *d)
{
	char path[NIC_PATH_MAX], line[LINE_MAX_BYTES];
	bool x86 = false, invariant = false;
	FILE *file;

	nic_system_path(d->system, path, "/proc/cpuinfo");
	file = fopen(path, "re");
	if (file == NULL)
		return;
	while (!x86 && fgets(line, sizeof(line), file) != NULL) {
		if (strncmp(line, "flags", 5) != 0)
			continue;
		x86 = true;
		invariant = strstr(line, " constant_tsc") != NULL &&
			    strstr(line, " nonstop_tsc") != NULL;
	}
	(void)fclose(file);
	if (!x86)
		return;
	if (invariant)
		nic_doctor_tell(d, NIC_VERDICT_OK, "clock", "", "the TSC goes on evenly");
	else
		nic_doctor_tell(d, NIC_VERDICT_WARNING, "clock",
			"the governor performance, and no deep sleep: idle=poll on the kernel's "
			"command line",
			"the TSC changes its pace or stops: all times that dpfetch tells are in "
			"doubt");
}

/* Of a virtual machine: the share of its time that the host gave to others. */
static void
examine_steal(const struct nic_doctor *d)
{
	char path[NIC_PATH_MAX], line[LINE_MAX_BYTES], *at;
	unsigned long long value, all = 0, steal = 0;
	FILE *file;
	int i;

	nic_system_path(d->system, path, "/proc/stat");
	file = fopen(path, "re");
	if (file == NULL)
		return;
	if (fgets(line, sizeof(line), file) == NULL)
		line[0] = '\0';
	(void)fclose(file);
	if (strncmp(line, "cpu ", 4) != 0)
		return;
	for (at = line + 4, i = 0; i < 8; i++) { /* proc(5): user .. softirq, steal */
		value = strtoull(at, &at, 10);
		all += value;
		steal = value;
	}
	if (all > 0 && (double)steal > STEAL_NOTED * (double)all)
		nic_doctor_tell(d, NIC_VERDICT_WARNING, "host",
			"a quieter host, or CPUs of its own",
			"the host took %.1f %% of this virtual machine's time: ACKs may be late",
			100.0 * (double)steal / (double)all);
}

void
nic_doctor_examine_cpu(const struct nic_doctor *d)
{
	examine_count(d);
	examine_isolation(d);
	examine_governor(d);
	examine_sibling(d);
	examine_interrupts(d);
	examine_clock(d);
	examine_steal(d);
}
