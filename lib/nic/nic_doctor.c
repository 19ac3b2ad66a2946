/* SPDX-License-Identifier: BSD-3-Clause */
#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "nic_doctor_priv.h"
#include "nic_sysfs.h"

#define PAGE_BYTES (UINT64_C(2) << 20)
#define PAGES_SLACK 64U /* DPDK's own, as port_memory_needed leaves it out */

void
nic_doctor_tell(const struct nic_doctor *d, enum nic_verdict verdict, const char *subject,
	const char *remedy, const char *format, ...)
{
	struct nic_finding f = {.verdict = verdict, .subject = subject};
	va_list args;

	va_start(args, format);
	(void)vsnprintf(f.text, sizeof(f.text), format, args);
	va_end(args);
	(void)snprintf(f.remedy, sizeof(f.remedy), "%s", remedy);
	d->fn(d->ctx, &f);
}

bool
nic_doctor_list_has(const char *list, int cpu)
{
	long first, last;
	char *end;

	while (*list != '\0') {
		first = last = strtol(list, &end, 10);
		if (end == list)
			return false;
		if (*end == '-')
			last = strtol(end + 1, &end, 10);
		if (cpu >= first && cpu <= last)
			return true;
		list = *end == ',' ? end + 1 : end;
		if (*end != ',')
			return false;
	}
	return false;
}

static int
node_of(const struct nic_doctor_config *cfg)
{
	return cfg->device != NULL && cfg->device->numa_node >= 0 ? cfg->device->numa_node
								  : cfg->core_node;
}

/* Where the kernel keeps the 2 MiB pages of the node, or of the whole machine. */
static void
pages_folder(
	const struct nic_system *s, const struct nic_doctor_config *cfg, char ret[NIC_PATH_MAX])
{
	int node = node_of(cfg);
	char text[16];

	if (node >= 0) {
		nic_system_path(
			s, ret, "/sys/devices/system/node/node%d/hugepages/hugepages-2048kB", node);
		if (nic_sysfs_text(ret, "nr_hugepages", text, sizeof(text)))
			return;
	}
	nic_system_path(s, ret, "/sys/kernel/mm/hugepages/hugepages-2048kB");
}

static uint64_t
pages_needed(const struct nic_doctor_config *cfg)
{
	return (cfg->memory_bytes + PAGE_BYTES - 1) / PAGE_BYTES + PAGES_SLACK;
}

/* How many pages there would have to be in all; 0: enough are free. */
static uint64_t
pages_wanted(const char *folder, const struct nic_doctor_config *cfg)
{
	uint64_t all = (uint64_t)nic_sysfs_number(folder, "nr_hugepages", 0);
	uint64_t unused = (uint64_t)nic_sysfs_number(folder, "free_hugepages", 0);
	uint64_t needed = pages_needed(cfg);

	return unused >= needed ? 0 : all + needed - unused;
}

static void
examine_hugepages(const struct nic_doctor *d)
{
	const struct nic_doctor_config *cfg = d->cfg;
	char folder[NIC_PATH_MAX], remedy[NIC_FINDING_MAX];
	/* Behind an IOMMU a NIC can be shown ordinary pages; without, it wants memory in one piece, and so
	 * does the kernel of af_xdp. */
	bool xdp = cfg->xdp_mtu_max > 0;
	bool must = xdp || (cfg->dma && (cfg->device == NULL || cfg->device->iommu_group < 0));
	uint64_t wanted;

	pages_folder(d->system, cfg, folder);
	wanted = pages_wanted(folder, cfg);
	if (wanted == 0) {
		nic_doctor_tell(d, NIC_VERDICT_OK, "hugepages", "",
			"%ld of 2 MiB are free, %llu are needed",
			nic_sysfs_number(folder, "free_hugepages", 0),
			(unsigned long long)pages_needed(cfg));
		return;
	}
	(void)snprintf(remedy, sizeof(remedy), "echo %llu | sudo tee %s/nr_hugepages",
		(unsigned long long)wanted, folder);
	nic_doctor_tell(d, must ? NIC_VERDICT_ERROR : NIC_VERDICT_WARNING, "hugepages", remedy,
		"%ld of 2 MiB are free, %llu are needed%s",
		nic_sysfs_number(folder, "free_hugepages", 0),
		(unsigned long long)pages_needed(cfg),
		xdp    ? ": af_xdp cannot work without"
		: must ? ": the NIC's driver cannot work without"
		       : "; ordinary pages are used instead, which costs TLB misses");
}

void
nic_doctor_examine_memory(const struct nic_doctor *d)
{
	uint64_t limit = d->cfg->memlock_bytes, needed = d->cfg->memory_bytes;

	examine_hugepages(d);
	if (limit >= needed)
		nic_doctor_tell(d, NIC_VERDICT_OK, "memlock", "", "enough memory may be locked");
	else
		nic_doctor_tell(d, d->cfg->dma ? NIC_VERDICT_ERROR : NIC_VERDICT_WARNING, "memlock",
			"run as root (sudo), or: ulimit -l unlimited",
			"%llu KiB may be locked, a NIC that writes to memory needs %llu KiB",
			(unsigned long long)(limit >> 10), (unsigned long long)(needed >> 10));
}

static uint32_t
count_groups(const struct nic_doctor *d)
{
	char folder[NIC_PATH_MAX];
	struct dirent *entry;
	uint32_t n = 0;
	DIR *dir;

	nic_system_path(d->system, folder, "/sys/kernel/iommu_groups");
	dir = opendir(folder);
	if (dir == NULL)
		return 0;
	while ((entry = readdir(dir)) != NULL)
		n += entry->d_name[0] != '.';
	closedir(dir);
	return n;
}

/* A line of modules.dep names a module's file before the colon; a built-in one has a line in modules.builtin. */
static bool
names_vfio(const struct nic_doctor *d, const char *list)
{
	char path[NIC_PATH_MAX], line[NIC_FINDING_MAX];
	bool found = false;
	FILE *file;

	nic_system_path(d->system, path, "/lib/modules/%s/%s", d->cfg->release, list);
	file = fopen(path, "re");
	if (file == NULL)
		return false;
	while (!found && fgets(line, sizeof(line), file) != NULL) {
		line[strcspn(line, ":")] = '\0';
		found = strstr(line, "/vfio-pci.ko") != NULL;
	}
	(void)fclose(file);
	return found;
}

static bool
is_loaded(const struct nic_doctor *d)
{
	char folder[NIC_PATH_MAX];

	nic_system_path(d->system, folder, "/sys/bus/pci/drivers/vfio-pci");
	return access(folder, F_OK) == 0;
}

void
nic_doctor_examine_iommu(const struct nic_doctor *d)
{
	/* Nobody needs either who binds no NIC. */
	enum nic_verdict missing = d->cfg->dma ? NIC_VERDICT_WARNING : NIC_VERDICT_OK;
	uint32_t groups = count_groups(d);

	if (groups > 0)
		nic_doctor_tell(d, NIC_VERDICT_OK, "iommu", "", "%u groups", groups);
	else
		nic_doctor_tell(d, missing, "iommu",
			"VT-d or AMD-Vi in the firmware; on the kernel's command line: "
			"intel_iommu=on iommu=pt, or amd_iommu=on iommu=pt",
			"none: a PCI NIC could only be bound unsafely");
	if (is_loaded(d))
		nic_doctor_tell(d, NIC_VERDICT_OK, "vfio-pci", "", "loaded");
	else if (names_vfio(d, "modules.dep") || names_vfio(d, "modules.builtin"))
		nic_doctor_tell(d, NIC_VERDICT_OK, "vfio-pci", "", "can be loaded");
	else
		nic_doctor_tell(d, missing, "vfio-pci",
			"the distribution's own kernel (Debian's linux-image; Ubuntu: "
			"linux-modules-extra-$(uname -r))",
			"kernel %s has no such module", d->cfg->release);
}

int
nic_doctor_fix_hugepages(const struct nic_system *s, const struct nic_doctor_config *cfg)
{
	char folder[NIC_PATH_MAX], path[NIC_PATH_MAX + 16], text[32];
	uint64_t wanted;
	int rc;

	pages_folder(s, cfg, folder);
	wanted = pages_wanted(folder, cfg);
	if (wanted == 0)
		return 0;
	(void)snprintf(path, sizeof(path), "%s/nr_hugepages", folder);
	(void)snprintf(text, sizeof(text), "%llu", (unsigned long long)wanted);
	rc = s->kernel->write(s->ctx, path, text);
	if (rc != 0)
		return rc;
	return pages_wanted(folder, cfg) == 0 ? 0 : -ENOMEM;
}

void
nic_doctor_examine(const struct nic_system *s, const struct nic_doctor_config *cfg,
	nic_finding_fn fn, void *ctx)
{
	const struct nic_doctor d = {s, cfg, fn, ctx};

	nic_doctor_examine_memory(&d);
	nic_doctor_examine_iommu(&d);
	nic_doctor_examine_cpu(&d);
	if (cfg->device != NULL)
		nic_doctor_examine_device(&d);
}
