/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <linux/ethtool.h>
#include <linux/if_arp.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "nic_interface.h"
#include "nic_route.h"
#include "nic_sysfs.h"

static int
query(int fd, const char *name, unsigned long request, struct ifreq *req)
{
	(void)snprintf(req->ifr_name, sizeof(req->ifr_name), "%.15s", name);
	return ioctl(fd, request, req) < 0 ? -errno : 0;
}

static void
read_link(int fd, struct nic_info *info)
{
	struct ifreq req = {0};

	if (query(fd, info->interface, SIOCGIFFLAGS, &req) == 0) {
		info->up = (req.ifr_flags & IFF_UP) != 0;
		info->carrier = info->up && (req.ifr_flags & IFF_RUNNING) != 0;
	}
	if (query(fd, info->interface, SIOCGIFMTU, &req) == 0)
		info->mtu = (uint32_t)req.ifr_mtu;
	if (query(fd, info->interface, SIOCGIFHWADDR, &req) == 0 &&
		req.ifr_hwaddr.sa_family == ARPHRD_ETHER) {
		memcpy(info->mac, req.ifr_hwaddr.sa_data, sizeof(info->mac));
		info->ethernet = true;
	}
}

/* The old command: it has no list of link modes, whose length would have to be asked for first. */
static void
read_speed(int fd, struct nic_info *info)
{
	struct ethtool_cmd link = {.cmd = ETHTOOL_GSET};
	struct ifreq req = {.ifr_data = (char *)&link};
	uint32_t speed;

	if (query(fd, info->interface, SIOCETHTOOL, &req) < 0)
		return;
	speed = ethtool_cmd_speed(&link);
	if (speed != (uint32_t)SPEED_UNKNOWN && speed != UINT16_MAX)
		info->speed_mbps = speed;
}

static void
read_driver(int fd, struct nic_info *info)
{
	struct ethtool_drvinfo driver = {.cmd = ETHTOOL_GDRVINFO};
	struct ifreq req = {.ifr_data = (char *)&driver};

	if (query(fd, info->interface, SIOCETHTOOL, &req) < 0)
		return;
	(void)snprintf(info->driver, sizeof(info->driver), "%.*s", (int)sizeof(driver.driver) - 1,
		driver.driver);
	/* virtio_net names its PCI device here too, though it is not its parent in sysfs. */
	driver.bus_info[sizeof(driver.bus_info) - 1] = '\0';
	(void)nic_pci_address_parse(driver.bus_info, info->pci_address);
}

int
nic_interface_read(const char *name, struct nic_info *ret)
{
	struct nic_info info = {.numa_node = -1};
	int fd;

	if (strlen(name) >= IFNAMSIZ || if_nametoindex(name) == 0)
		return -ENODEV;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	(void)snprintf(info.interface, sizeof(info.interface), "%s", name);
	read_link(fd, &info);
	read_driver(fd, &info);
	read_speed(fd, &info);
	close(fd);
	if (info.pci_address[0] != '\0')
		info.numa_node = nic_sysfs_pci_node(info.pci_address);
	info.default_route = nic_route_is_default("", name);
	*ret = info;
	return 0;
}
