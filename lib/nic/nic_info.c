/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <limits.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "nic_info.h"
#include "nic_interface.h"
#include "nic_sysfs.h"

/* The interface that the kernel's driver made of this PCI device. Of several (a card with two
 * ports on one function) the one that carries the default route: it must not be overlooked. */
static bool
find_interface_of(const char *pci_address, struct nic_info *ret)
{
	struct if_nameindex *list = if_nameindex(), *at;
	struct nic_info info;
	bool found = false;

	if (list == NULL)
		return false;
	for (at = list; at->if_index != 0; at++) {
		if (nic_interface_read(at->if_name, &info) < 0 ||
			strcmp(info.pci_address, pci_address) != 0)
			continue;
		if (!found || info.default_route)
			*ret = info;
		found = true;
	}
	if_freenameindex(list);
	return found;
}

static int
find_pci(const char *address, struct nic_info *ret)
{
	struct nic_info info = {.numa_node = -1};
	char folder[PATH_MAX];

	(void)snprintf(folder, sizeof(folder), NIC_SYSFS_PCI "/%s", address);
	if (access(folder, F_OK) != 0)
		return -ENODEV;
	if (!find_interface_of(address, &info)) {
		(void)snprintf(info.pci_address, sizeof(info.pci_address), "%s", address);
		info.numa_node = nic_sysfs_pci_node(address);
	}
	/* The PCI driver's name, as vfio-pci; an interface's own may differ (virtio_net). */
	nic_sysfs_link(folder, "driver", info.driver);
	*ret = info;
	return 0;
}

/* What the kernel takes for an interface's name (dev_valid_name). */
static bool
is_interface_name(const char *name)
{
	size_t len = strlen(name);

	return len > 0 && len < IFNAMSIZ && strpbrk(name, "/: \t\n\v\f\r,") == NULL &&
	       strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

int
nic_info_find(const char *name, struct nic_info *ret)
{
	char address[NIC_NAME_MAX];

	if (nic_pci_address_parse(name, address))
		return find_pci(address, ret);
	if (!is_interface_name(name))
		return -EINVAL;
	return nic_interface_read(name, ret);
}
