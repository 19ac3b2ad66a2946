/* SPDX-License-Identifier: BSD-3-Clause */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "nic_info.h"
#include "nic_sysfs.h"

#define ROUTE_FLAG_UP 0x1U /* linux/route.h RTF_UP */

/* "0000:3b:00.0", or without the domain. */
bool
nic_pci_address_parse(const char *text, char *ret_address)
{
	unsigned int domain = 0, bus, device, function;
	int end = 0;

	if (sscanf(text, "%4x:%2x:%2x.%1x%n", &domain, &bus, &device, &function, &end) != 4 ||
		text[end] != '\0') {
		domain = 0;
		end = 0;
		if (sscanf(text, "%2x:%2x.%1x%n", &bus, &device, &function, &end) != 3 ||
			text[end] != '\0')
			return false;
	}
	if (device > 0x1f || function > 7)
		return false;
	snprintf(ret_address, NIC_NAME_MAX, "%04x:%02x:%02x.%x", domain, bus, device, function);
	return true;
}

/* The last component of the link at path; empty if there is none. */
static void
read_link_name(const char *path, char *buf)
{
	char target[PATH_MAX];
	ssize_t len = readlink(path, target, sizeof(target) - 1);
	const char *slash;

	buf[0] = '\0';
	if (len < 0)
		return;
	target[len] = '\0';
	slash = strrchr(target, '/');
	snprintf(buf, NIC_NAME_MAX, "%.63s", slash != NULL ? slash + 1 : target);
}

static bool
has_default_route(const char *interface)
{
	FILE *file = fopen("/proc/net/route", "re");
	char line[256], name[NIC_NAME_MAX];
	unsigned int destination, flags;
	bool found = false;

	if (file == NULL)
		return false;
	while (!found && fgets(line, sizeof(line), file) != NULL)
		found = sscanf(line, "%63s %x %*x %x", name, &destination, &flags) == 3 &&
			destination == 0 && (flags & ROUTE_FLAG_UP) && strcmp(name, interface) == 0;
	fclose(file);
	return found;
}

static void
parse_mac(const char *text, uint8_t *mac)
{
	unsigned int b[6];
	int i;

	if (sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x", &b[0], &b[1], &b[2], &b[3], &b[4], &b[5]) != 6)
		return;
	for (i = 0; i < 6; i++)
		mac[i] = (uint8_t)b[i];
}

/* dir: the device's folder in sysfs, where driver and numa_node are. */
static void
read_device(const char *dir, struct nic_info *ret)
{
	char path[PATH_MAX], name[NIC_NAME_MAX];

	ret->numa_node = (int)nic_sysfs_number(dir, "numa_node", -1);
	snprintf(path, sizeof(path), "%s/driver", dir);
	read_link_name(path, ret->driver);
	snprintf(path, sizeof(path), "%s", dir);
	read_link_name(path, name);
	if (!nic_pci_address_parse(name, ret->pci_address))
		ret->pci_address[0] = '\0';
}

static int
find_interface(const char *name, struct nic_info *ret)
{
	char dir[PATH_MAX], text[NIC_NAME_MAX];

	if (strlen(name) >= IFNAMSIZ || strchr(name, '/') != NULL || if_nametoindex(name) == 0)
		return -ENODEV;
	snprintf(ret->interface, sizeof(ret->interface), "%s", name);
	snprintf(dir, sizeof(dir), "/sys/class/net/%s/device", name);
	read_device(dir, ret);
	snprintf(dir, sizeof(dir), "/sys/class/net/%s", name);
	ret->mtu = (uint32_t)nic_sysfs_number(dir, "mtu", 0);
	ret->up = (nic_sysfs_number(dir, "flags", 0) & IFF_UP) != 0;
	if (nic_sysfs_text(dir, "address", text, sizeof(text)))
		parse_mac(text, ret->mac);
	ret->default_route = has_default_route(name);
	return 0;
}

/* The interface that the kernel's driver made of this PCI device, if there is one. */
static void
add_interface(const char *pci_dir, struct nic_info *ret)
{
	char path[PATH_MAX];
	struct dirent *entry;
	struct nic_info of_interface = {.numa_node = -1};
	DIR *dir;

	snprintf(path, sizeof(path), "%.200s/net", pci_dir);
	dir = opendir(path);
	if (dir == NULL)
		return;
	while ((entry = readdir(dir)) != NULL && entry->d_name[0] == '.')
		;
	if (entry != NULL && find_interface(entry->d_name, &of_interface) == 0)
		*ret = of_interface;
	closedir(dir);
}

int
nic_info_find(const char *name, struct nic_info *ret)
{
	struct nic_info info = {.numa_node = -1};
	char dir[PATH_MAX], address[NIC_NAME_MAX];
	int rc = 0;

	if (nic_pci_address_parse(name, address)) {
		snprintf(dir, sizeof(dir), "/sys/bus/pci/devices/%s", address);
		if (access(dir, F_OK) != 0)
			return -ENODEV;
		add_interface(dir, &info);
		read_device(dir, &info);
		snprintf(info.pci_address, sizeof(info.pci_address), "%s", address);
	} else if (strchr(name, ',') != NULL || strncmp(name, "net_", 4) == 0) {
		return -EINVAL;
	} else {
		rc = find_interface(name, &info);
	}
	if (rc == 0)
		*ret = info;
	return rc;
}
