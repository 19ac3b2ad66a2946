/* SPDX-License-Identifier: BSD-3-Clause */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "port_priv.h"

#define FDS_MAX 1024U /* a driver's sockets are among the first; this bounds the search */

static bool
is_packet_socket_on(int fd, int interface_index)
{
	struct sockaddr_ll address = {0};
	socklen_t len = sizeof(address);

	return getsockname(fd, (struct sockaddr *)&address, &len) == 0 &&
	       address.sll_family == AF_PACKET && address.sll_ifindex == interface_index;
}

uint32_t
port_packet_sockets(const char *interface, int *ret, uint32_t room)
{
	int interface_index = (int)if_nametoindex(interface), fd;
	uint32_t count = 0;

	for (fd = 0; interface_index > 0 && fd < (int)FDS_MAX && count < room; fd++) {
		if (is_packet_socket_on(fd, interface_index))
			ret[count++] = fd;
	}
	return count;
}

uint64_t
port_packet_drops(const int *sockets, uint32_t count)
{
	struct tpacket_stats stats;
	socklen_t len;
	uint64_t drops = 0;
	uint32_t i;

	for (i = 0; i < count; i++) {
		len = sizeof(stats);
		if (getsockopt(sockets[i], SOL_PACKET, PACKET_STATISTICS, &stats, &len) == 0)
			drops += stats.tp_drops;
	}
	return drops;
}

int
port_packet_option(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof(value)) == 0 ? 0 : -errno;
}

static int
join(int fd, unsigned int interface_index, unsigned short what)
{
	const struct packet_mreq r = {.mr_ifindex = (int)interface_index, .mr_type = what};

	return setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &r, sizeof(r)) == 0 ? 0 : -errno;
}

/* The kernel takes memberships back when the socket is closed, however we end. */
static int
configure(const struct port *p, int fd)
{
	int rc = port_packet_option(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, 1);

	if (rc == 0)
		rc = port_packet_option(fd, SOL_PACKET, PACKET_QDISC_BYPASS, !p->cfg.visible);
	if (rc == 0)
		rc = port_packet_option(fd, SOL_SOCKET, SO_SNDBUFFORCE, PORT_SOCKET_SNDBUF);
	if (rc == -EPERM) /* without CAP_NET_ADMIN as much as there may be */
		rc = port_packet_option(fd, SOL_SOCKET, SO_SNDBUF, PORT_SOCKET_SNDBUF);
	if (rc == 0 && (p->cfg.promiscuous || p->cfg.set_mac))
		rc = join(fd, p->interface_index, PACKET_MR_PROMISC);
	if (rc == 0 && p->cfg.multicast)
		rc = join(fd, p->interface_index, PACKET_MR_ALLMULTI);
	return rc;
}

int
port_packet_open(const struct port *p, int *ret)
{
	int rc, fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	rc = configure(p, fd);
	if (rc == 0)
		*ret = fd;
	else
		close(fd);
	return rc;
}

int
port_packet_bind(const struct port *p, int fd)
{
	const struct sockaddr_ll address = {.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = (int)p->interface_index};

	return bind(fd, (const struct sockaddr *)&address, sizeof(address)) == 0 ? 0 : -errno;
}

void
port_packet_info(
	const struct port *p, const char *driver, const char *rx_mode, struct port_info *ret)
{
	ret->numa_node = -1;
	ret->rx_l4_checksum = p->cfg.checksum_offload;
	ret->vlan_strip = true; /* by the kernel, before a packet socket */
	ret->promiscuous = port_interface_promiscuous(p->interface);
	snprintf(ret->name, sizeof(ret->name), "packet socket on %s", p->interface);
	snprintf(ret->driver, sizeof(ret->driver), "%s", driver);
	snprintf(ret->rx_mode, sizeof(ret->rx_mode), "%s", rx_mode);
	port_interface_mac(p->interface, &ret->mac);
}
