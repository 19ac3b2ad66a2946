/* SPDX-License-Identifier: BSD-3-Clause */
#include <linux/if_packet.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "port_fanout.h"

static _Thread_local bool skip;

void
port_fanout_skip(bool on)
{
	skip = on;
}

/* Stands in front of libc's, for the driver's sake; see port_fanout.h. */
__attribute__((visibility("default"), used)) int
setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
	if (skip && level == SOL_PACKET && name == PACKET_FANOUT)
		return 0;
	return (int)syscall(SYS_setsockopt, fd, level, name, value, len);
}
