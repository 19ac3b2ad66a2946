/* SPDX-License-Identifier: BSD-3-Clause */
#include <linux/if_packet.h>
#include <net/if.h>
#include <sys/socket.h>

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
