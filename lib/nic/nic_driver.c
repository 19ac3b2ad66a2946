/* SPDX-License-Identifier: BSD-3-Clause */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "nic_driver.h"
#include "nic_sysfs.h"

#define DRIVERS "/sys/bus/pci/drivers"

bool
nic_driver_of(const struct nic_system *s, const char *address, char *ret)
{
	char folder[NIC_PATH_MAX];

	nic_system_path(s, folder, NIC_SYSFS_PCI "/%s", address);
	if (access(folder, F_OK) != 0)
		return false;
	nic_sysfs_link(folder, "driver", ret);
	return true;
}

int
nic_driver_load(const struct nic_system *s, const char *driver)
{
	char folder[NIC_PATH_MAX];
	int rc;

	nic_system_path(s, folder, DRIVERS "/%s", driver);
	if (access(folder, F_OK) == 0)
		return 0;
	rc = s->kernel->load_module(s->ctx, driver);
	if (rc != 0)
		return rc;
	return access(folder, F_OK) == 0 ? 0 : -ENOENT;
}

int
nic_driver_override(const struct nic_system *s, const char *address, const char *driver)
{
	char path[NIC_PATH_MAX];

	nic_system_path(s, path, NIC_SYSFS_PCI "/%s/driver_override", address);
	return s->kernel->write(s->ctx, path, driver[0] != '\0' ? driver : "\n");
}

int
nic_driver_unbind(const struct nic_system *s, const char *address)
{
	char driver[NIC_NAME_MAX], path[NIC_PATH_MAX];

	if (!nic_driver_of(s, address, driver))
		return -ENODEV;
	if (driver[0] == '\0')
		return 0;
	nic_system_path(s, path, DRIVERS "/%s/unbind", driver);
	return s->kernel->write(s->ctx, path, address);
}

int
nic_driver_bind(const struct nic_system *s, const char *address, const char *driver)
{
	char now[NIC_NAME_MAX], path[NIC_PATH_MAX];
	int rc;

	if (!nic_driver_of(s, address, now))
		return -ENODEV;
	if (strcmp(now, driver) == 0)
		return 0;
	nic_system_path(s, path, DRIVERS "/%s/bind", driver);
	rc = s->kernel->write(s->ctx, path, address);
	(void)nic_driver_of(s, address, now);
	if (strcmp(now, driver) == 0)
		return 0; /* another one, such as udev, was faster */
	return rc != 0 ? rc : -EIO;
}

bool
nic_driver_is_for_users(const char *driver)
{
	static const char *const known[] = {"vfio-pci", "uio_pci_generic", "igb_uio"};
	size_t i;

	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (strcmp(driver, known[i]) == 0)
			return true;
	}
	return false;
}

/* The device's file: /dev/vfio/7, /dev/vfio/noiommu-0, /dev/uio0. */
static bool
find_file(const struct nic_system *s, const char *address, char ret[NIC_PATH_MAX])
{
	char folder[NIC_PATH_MAX], group[NIC_NAME_MAX], name[NIC_NAME_MAX];
	const struct dirent *entry;
	DIR *dir;

	nic_system_path(s, folder, NIC_SYSFS_PCI "/%s", address);
	nic_sysfs_link(folder, "driver", name);
	nic_sysfs_link(folder, "iommu_group", group);
	if (strcmp(name, "vfio-pci") == 0 && group[0] != '\0') {
		nic_system_path(s, folder, "/sys/kernel/iommu_groups/%s", group);
		if (!nic_sysfs_text(folder, "name", name, sizeof(name)) ||
			strcmp(name, "vfio-noiommu") != 0)
			name[0] = '\0';
		(void)snprintf(ret, NIC_PATH_MAX, "/dev/vfio/%s%s",
			name[0] != '\0' ? "noiommu-" : "", group);
		return true;
	}
	nic_system_path(s, folder, NIC_SYSFS_PCI "/%s/uio", address);
	dir = opendir(folder);
	if (dir == NULL)
		return false;
	ret[0] = '\0';
	while ((entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] != '.')
			(void)snprintf(ret, NIC_PATH_MAX, "/dev/%.200s", entry->d_name);
	}
	(void)closedir(dir);
	return ret[0] != '\0';
}

static bool
has_open(const char *process, const char *file)
{
	char folder[NIC_PATH_MAX], path[2 * NIC_PATH_MAX], target[NIC_PATH_MAX];
	const struct dirent *entry;
	bool found = false;
	ssize_t len;
	DIR *dir;

	(void)snprintf(folder, sizeof(folder), "%.500s/fd", process);
	dir = opendir(folder);
	if (dir == NULL)
		return false;
	while (!found && (entry = readdir(dir)) != NULL) {
		(void)snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		len = readlink(path, target, sizeof(target) - 1);
		target[len > 0 ? len : 0] = '\0';
		found = strcmp(target, file) == 0;
	}
	(void)closedir(dir);
	return found;
}

static bool
find_process(const struct nic_system *s, const char *file, char *text, size_t room)
{
	char folder[NIC_PATH_MAX], process[NIC_PATH_MAX], name[32];
	const struct dirent *entry;
	bool found = false;
	DIR *dir;

	nic_system_path(s, folder, "/proc");
	dir = opendir(folder);
	if (dir == NULL)
		return false;
	while (!found && (entry = readdir(dir)) != NULL) {
		if (strspn(entry->d_name, "0123456789") != strlen(entry->d_name))
			continue;
		nic_system_path(s, process, "/proc/%s", entry->d_name);
		if (!has_open(process, file))
			continue;
		if (!nic_sysfs_text(process, "comm", name, sizeof(name)))
			name[0] = '\0';
		(void)snprintf(text, room, "%s (process %s)", name, entry->d_name);
		found = true;
	}
	(void)closedir(dir);
	return found;
}

/* Who has a group may be there for another device of it. */
static void
note_group(const struct nic_system *s, const char *address, char *text, size_t room)
{
	char folder[NIC_PATH_MAX], group[NIC_NAME_MAX];
	size_t used = strlen(text);
	struct dirent *entry;
	uint32_t members = 0;
	DIR *dir;

	nic_system_path(s, folder, NIC_SYSFS_PCI "/%s", address);
	nic_sysfs_link(folder, "iommu_group", group);
	if (group[0] == '\0')
		return;
	nic_system_path(s, folder, "/sys/kernel/iommu_groups/%s/devices", group);
	dir = opendir(folder);
	if (dir == NULL)
		return;
	while ((entry = readdir(dir)) != NULL)
		members += entry->d_name[0] != '.';
	(void)closedir(dir);
	if (members > 1)
		(void)snprintf(text + used, room - used, ", which has IOMMU group %s", group);
}

bool
nic_driver_user(const struct nic_system *s, const char *address, char *text, size_t room)
{
	char file[NIC_PATH_MAX], path[NIC_PATH_MAX];

	if (!find_file(s, address, file))
		return false;
	if (find_process(s, file, text, room)) {
		if (strncmp(file, "/dev/vfio/", 10) == 0)
			note_group(s, address, text, room);
		return true;
	}
	nic_system_path(s, path, "%s", file);
	if (strncmp(file, "/dev/vfio/", 10) != 0 || s->kernel->try_open(s->ctx, path) != -EBUSY)
		return false;
	(void)snprintf(text, room, "a process that we may not see");
	return true;
}
