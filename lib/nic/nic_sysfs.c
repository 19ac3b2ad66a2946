/* SPDX-License-Identifier: BSD-3-Clause */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "nic_sysfs.h"

bool
nic_sysfs_text(const char *dir, const char *name, char *buf, size_t room)
{
	char path[PATH_MAX];
	FILE *file;
	bool read;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	file = fopen(path, "re");
	if (file == NULL)
		return false;
	read = fgets(buf, (int)room, file) != NULL;
	(void)fclose(file);
	if (read)
		buf[strcspn(buf, "\n")] = '\0';
	return read;
}

long
nic_sysfs_number(const char *dir, const char *name, long fallback)
{
	char text[64], *end;
	long value;

	if (!nic_sysfs_text(dir, name, text, sizeof(text)))
		return fallback;
	value = strtol(text, &end, 0);
	return end == text ? fallback : value;
}

void
nic_sysfs_link(const char *dir, const char *name, char ret[NIC_NAME_MAX])
{
	char path[PATH_MAX], target[PATH_MAX];
	const char *slash;
	ssize_t len;

	ret[0] = '\0';
	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	len = readlink(path, target, sizeof(target) - 1);
	if (len < 0)
		return;
	target[len] = '\0';
	slash = strrchr(target, '/');
	(void)snprintf(ret, NIC_NAME_MAX, "%.63s", slash != NULL ? slash + 1 : target);
}

int
nic_sysfs_pci_node(const char *pci_address)
{
	char folder[PATH_MAX];

	(void)snprintf(folder, sizeof(folder), NIC_SYSFS_PCI "/%s", pci_address);
	return (int)nic_sysfs_number(folder, "numa_node", -1);
}
