/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "nic_offloads.h"

/* One of the ETHTOOL_G* that give a single value. 0 or -errno. */
static int
get(int fd, const char *interface, uint32_t command, uint32_t *ret)
{
	struct ethtool_value value = {.cmd = command};
	struct ifreq request = {0};

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", interface);
	request.ifr_data = (char *)&value;
	if (ioctl(fd, SIOCETHTOOL, &request) != 0)
		return -errno;
	*ret = value.data;
	return 0;
}

int
nic_offloads_read(const char *interface, struct nic_offloads *ret)
{
	const struct {
		uint32_t command;
		bool *into;
	} simple[] = {
		{ETHTOOL_GRXCSUM, &ret->rx_checksum},
		{ETHTOOL_GTXCSUM, &ret->tx_checksum},
		{ETHTOOL_GTSO, &ret->tso},
		{ETHTOOL_GGSO, &ret->gso},
		{ETHTOOL_GGRO, &ret->gro},
	};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), rc;
	uint32_t value = 0;
	size_t i;

	if (fd < 0)
		return -errno;
	*ret = (struct nic_offloads){0};
	rc = get(fd, interface, ETHTOOL_GFLAGS, &value);
	ret->lro = rc == 0 && (value & ETH_FLAG_LRO) != 0;
	for (i = 0; i < sizeof(simple) / sizeof(simple[0]); i++) {
		if (get(fd, interface, simple[i].command, &value) == 0)
			*simple[i].into = value != 0;
	}
	close(fd);
	return rc == -EOPNOTSUPP ? 0 : rc;
}

void
nic_firmware_read(const char *interface, char ret[NIC_NAME_MAX])
{
	struct ethtool_drvinfo info = {.cmd = ETHTOOL_GDRVINFO};
	struct ifreq request = {0};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	ret[0] = '\0';
	if (fd < 0)
		return;
	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", interface);
	request.ifr_data = (char *)&info;
	if (ioctl(fd, SIOCETHTOOL, &request) == 0)
		snprintf(ret, NIC_NAME_MAX, "%.31s", info.fw_version);
	close(fd);
}
