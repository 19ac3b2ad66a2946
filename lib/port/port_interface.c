/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <bpf/libbpf.h>
#include <linux/ethtool.h>
#include <linux/if_link.h>
#include <linux/sockios.h>
#include <rte_dev.h>
#include <rte_devargs.h>

#include "port_control.h"
#include "port_priv.h"

/* A program there takes frames before anybody else sees them. One that dpfetch left when it was
 * killed cannot be told from one that somebody needs, so it is the user's to remove. */
static int
check_no_xdp(const char *interface, char *ret_message)
{
	struct bpf_xdp_query_opts query = {.sz = sizeof(query)};
	uint32_t program;

	if (bpf_xdp_query((int)if_nametoindex(interface), 0, &query) != 0 ||
		query.attach_mode == XDP_ATTACHED_NONE)
		return 0;
	program = query.drv_prog_id | query.skb_prog_id | query.hw_prog_id | query.prog_id;
	snprintf(ret_message, PORT_MESSAGE_MAX,
		"the interface %s has an XDP program (id %u), which keeps frames from us: another "
		"program that runs, or what a killed dpfetch left; `bpftool prog show id %u` tells "
		"more; if nobody needs it: ip link set dev %s %s off",
		interface, program, program, interface,
		query.attach_mode == XDP_ATTACHED_SKB ? "xdpgeneric" : "xdp");
	return -EBUSY;
}

int
port_interface_check(const char *interface, char *ret_message)
{
	struct ifreq request = {0};
	int fd, rc;

	if (strlen(interface) >= IFNAMSIZ || if_nametoindex(interface) == 0) {
		snprintf(ret_message, PORT_MESSAGE_MAX,
			"there is no interface '%.60s' in this network namespace (`ip -br link` "
			"lists them; "
			"a PCI NIC is named by its address, as `lspci -D` shows it)",
			interface);
		return -ENODEV;
	}
	fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (fd < 0) {
		rc = -errno;
		snprintf(ret_message, PORT_MESSAGE_MAX,
			"no permission to send and receive raw frames on '%s'; run as root: sudo "
			"dpfetch "
			"... (or grant the capabilities CAP_NET_RAW and CAP_NET_ADMIN)",
			interface);
		return rc;
	}
	memcpy(request.ifr_name, interface, strlen(interface));
	rc = ioctl(fd, SIOCGIFFLAGS, &request);
	close(fd);
	if (rc == 0 && !(request.ifr_flags & IFF_UP)) {
		snprintf(ret_message, PORT_MESSAGE_MAX,
			"the interface %s is down; bring it up: ip link set %s up", interface,
			interface);
		return -ENETDOWN;
	}
	return check_no_xdp(interface, ret_message);
}

/* The EAL keeps the arguments that a device was made with, such as iface=NAME,framesz=2048. */
static const char *
device_argument(uint16_t port_id, const char *key)
{
	struct rte_eth_dev_info info;
	const struct rte_devargs *devargs;

	if (rte_eth_dev_info_get(port_id, &info) != 0 || info.device == NULL)
		return NULL;
	devargs = rte_dev_devargs(info.device);
	return devargs != NULL && devargs->args != NULL ? port_argument(devargs->args, key) : NULL;
}

const char *
port_argument(const char *args, const char *key)
{
	const char *at;

	for (at = strstr(args, key); at != NULL; at = strstr(at + 1, key)) {
		if (at == args || at[-1] == ',')
			return at + strlen(key);
	}
	return NULL;
}

void
port_interface_of(uint16_t port_id, char *buf, size_t room)
{
	const char *value = device_argument(port_id, "iface=");

	buf[0] = '\0';
	if (value != NULL)
		snprintf(buf, room, "%.*s", (int)strcspn(value, ","), value);
}

uint32_t
port_frame_room_of(uint16_t port_id)
{
	const char *value = device_argument(port_id, "framesz=");

	return value != NULL ? (uint32_t)strtoul(value, NULL, 10) : 0;
}

/* Asks the kernel about an interface, into *ret, which is zero. 0, or -errno. */
static int
interface_ask(const char *interface, unsigned long what, struct ifreq *ret)
{
	int rc, fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	snprintf(ret->ifr_name, sizeof(ret->ifr_name), "%s", interface);
	rc = ioctl(fd, what, ret) == 0 ? 0 : -errno;
	close(fd);
	return rc;
}

/* IFF_* */
static int
interface_flags(const char *interface, short *ret)
{
	struct ifreq request = {0};
	int rc = interface_ask(interface, SIOCGIFFLAGS, &request);

	if (rc == 0)
		*ret = request.ifr_flags;
	return rc;
}

void
port_interface_mac(const char *interface, struct ether_addr *ret)
{
	struct ifreq request = {0};

	*ret = (struct ether_addr){0};
	if (interface_ask(interface, SIOCGIFHWADDR, &request) == 0)
		memcpy(ret->byte, request.ifr_hwaddr.sa_data, ETHER_ADDR_LEN);
}

void
port_interface_link(const char *interface, struct port_link *ret)
{
	struct ethtool_cmd cmd = {.cmd = ETHTOOL_GSET};
	struct ifreq request = {.ifr_data = (void *)&cmd};
	uint32_t speed;

	if (interface_ask(interface, SIOCETHTOOL, &request) != 0)
		return;
	speed = ethtool_cmd_speed(&cmd);
	ret->mbps = speed != (uint32_t)SPEED_UNKNOWN ? speed : 0;
	ret->full_duplex = cmd.duplex == DUPLEX_FULL;
	ret->autoneg = cmd.autoneg == AUTONEG_ENABLE;
}

bool
port_interface_carrier(const char *interface)
{
	short flags = 0;
	int rc = interface_flags(interface, &flags);

	if (rc == -ENODEV)
		return false;
	if (rc != 0)
		return true; /* not known: do not claim that it is down */
	return (flags & IFF_UP) && (flags & IFF_RUNNING);
}

bool
port_interface_promiscuous(const char *interface)
{
	short flags = 0;

	return interface_flags(interface, &flags) == 0 && (flags & IFF_PROMISC);
}
