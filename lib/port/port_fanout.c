/* SPDX-License-Identifier: BSD-3-Clause */
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "port_fanout.h"

#define ID_MASK 0xffff /* of a PACKET_FANOUT value; the type and its flags are above */
#define TYPE_SHIFT 16
#define TYPE_MASK 0xff
#define NET(offset) ((uint32_t)SKF_NET_OFF + (offset)) /* from the IP header on */

static _Thread_local bool skip;
static _Thread_local uint16_t steer;

void
port_fanout_skip(bool on)
{
	skip = on;
}

void
port_fanout_steer(uint16_t queues)
{
	steer = queues;
}

static int
set(int fd, int level, int name, const void *value, socklen_t len)
{
	return (int)syscall(SYS_setsockopt, fd, level, name, value, len);
}

/* Returns the member's number: the destination port modulo queues; 0 of what is no whole TCP segment.
 * Jumps count the instructions that they pass over. */
static int
attach_program(int fd, uint16_t queues)
{
	struct sock_filter program[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_PROTOCOL)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_IP, 0, 9),
		/* IPv4 */
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, NET(9)), /* the protocol */
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_TCP, 0, 14),
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, NET(6)), /* MF, and the fragment's offset */
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 0x3fff, 12, 0),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, NET(0)), /* the header's length, in words */
		BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0xf),
		BPF_STMT(BPF_ALU | BPF_LSH | BPF_K, 2),
		BPF_STMT(BPF_MISC | BPF_TAX, 0),
		BPF_JUMP(BPF_JMP | BPF_JA, 4, 0, 0),
		/* IPv6 without extension headers */
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_IPV6, 0, 6),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, NET(6)), /* the next header */
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_TCP, 0, 4),
		BPF_STMT(BPF_LDX | BPF_W | BPF_IMM, 40),
		/* TCP's destination port, X bytes and two behind the beginning */
		BPF_STMT(BPF_LD | BPF_H | BPF_IND, NET(2)),
		BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, queues),
		BPF_STMT(BPF_RET | BPF_A, 0),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	const struct sock_fprog code = {sizeof(program) / sizeof(program[0]), program};

	return set(fd, SOL_PACKET, PACKET_FANOUT_DATA, &code, sizeof(code));
}

/* In place of the driver's group one with our program. */
static int
join_steered(int fd, const void *value, socklen_t len)
{
	int wanted;

	if (len < sizeof(wanted))
		return set(fd, SOL_PACKET, PACKET_FANOUT, value, len);
	wanted = (*(const int *)value & ID_MASK) | PACKET_FANOUT_CBPF << TYPE_SHIFT;
	if (set(fd, SOL_PACKET, PACKET_FANOUT, &wanted, sizeof(wanted)) == 0)
		return attach_program(fd, steer);
	return set(fd, SOL_PACKET, PACKET_FANOUT, value, len);
}

/* Stands in front of libc's, for the driver's sake; see port_fanout.h. */
__attribute__((visibility("default"), used)) int
setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
	if (level == SOL_PACKET && name == PACKET_FANOUT) {
		if (skip)
			return 0;
		if (steer > 0)
			return join_steered(fd, value, len);
	}
	return set(fd, level, name, value, len);
}

bool
port_fanout_is_steered(const int *sockets, uint32_t count)
{
	uint32_t i;
	int value;
	socklen_t len;

	for (i = 0; i < count; i++) {
		len = sizeof(value);
		if (getsockopt(sockets[i], SOL_PACKET, PACKET_FANOUT, &value, &len) != 0 ||
			(value >> TYPE_SHIFT & TYPE_MASK) != PACKET_FANOUT_CBPF)
			return false;
	}
	return count > 0;
}
