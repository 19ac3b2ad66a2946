/* SPDX-License-Identifier: BSD-3-Clause */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <linux/if_ether.h>
#include <net/if.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base_bytes.h"
#include "base_time.h"
#include "compare_trace.h"
#include "wire_ipv4.h"
#include "wire_ipv6.h"
#include "wire_tcp.h"

#define SNAP_BYTES 160U /* IPv6's and TCP's headers with all options */
#define KEPT_BYTES (32 << 20) /* in the socket: far more than COMPARE_TRACE_SEGMENTS take */

/* One packet as the socket gave it. */
struct packet {
	uint8_t data[SNAP_BYTES];
	uint32_t len, whole_len; /* kept, and on the wire */
	uint64_t time_ns;
	bool outgoing;
};

/* What the stream's offsets count from. */
struct stream {
	uint16_t server_port, client_port; /* client_port 0: no SYN yet */
	uint64_t start_ns;
	uint32_t irs; /* the server's initial sequence number */
	bool irs_known;
};

int
compare_trace_open(const char *interface)
{
	struct sock_filter snap[] = {BPF_STMT(BPF_RET | BPF_K, SNAP_BYTES)};
	const struct sock_fprog program = {.len = 1, .filter = snap};
	struct sockaddr_ll at = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
	int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, 0), on = 1, room = KEPT_BYTES;

	if (fd < 0)
		return -errno;
	at.sll_ifindex = (int)if_nametoindex(interface);
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
	if (at.sll_ifindex == 0 ||
		setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) != 0 ||
		setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on)) != 0 ||
		bind(fd, (const struct sockaddr *)&at, sizeof(at)) != 0) {
		int rc = errno != 0 ? -errno : -ENODEV;

		close(fd);
		return rc;
	}
	return fd;
}

static uint64_t
time_of(struct msghdr *m)
{
	struct cmsghdr *c;
	struct timespec t;

	for (c = CMSG_FIRSTHDR(m); c != NULL; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_TIMESTAMPNS)
			continue;
		memcpy(&t, CMSG_DATA(c), sizeof(t));
		return (uint64_t)t.tv_sec * NS_PER_SEC + (uint64_t)t.tv_nsec;
	}
	return 0;
}

/* false: there is no more. */
static bool
next_packet(int fd, struct packet *ret)
{
	union { /* aligned as cmsg(3) wants it */
		char room[CMSG_SPACE(sizeof(struct timespec))];
		struct cmsghdr header;
	} control;
	struct sockaddr_ll from;
	struct iovec into = {ret->data, sizeof(ret->data)};
	struct msghdr m = {.msg_name = &from,
		.msg_namelen = sizeof(from),
		.msg_iov = &into,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control)};
	ssize_t len = recvmsg(fd, &m, MSG_DONTWAIT | MSG_TRUNC);

	if (len < 0)
		return false;
	ret->len = MIN_OF((uint32_t)len, SNAP_BYTES);
	ret->whole_len = (uint32_t)len;
	ret->outgoing = from.sll_pkttype == PACKET_OUTGOING;
	ret->time_ns = time_of(&m);
	return true;
}

/* The TCP header and how many bytes follow it on the wire. The snap cut them off, so lengths are
 * IP's word. */
static bool
parse(const struct packet *p, struct tcp_segment *ret, uint32_t *ret_len)
{
	struct ipv4_header v4;
	uint32_t at, total;

	if (p->len < IPV4_HEADER_LEN)
		return false;
	if (p->data[0] >> 4 == 4) {
		total = be16_load(p->data + 2);
		if (wire_ipv4_parse(p->data, p->len, MAX_OF(total, p->len), false, &v4) !=
				DROP_NONE ||
			v4.protocol != IPPROTO_TCP)
			return false;
		at = v4.header_len;
	} else {
		if (p->len < IPV6_HEADER_LEN || p->data[6] != IPPROTO_TCP)
			return false;
		total = IPV6_HEADER_LEN + be16_load(p->data + 4);
		at = IPV6_HEADER_LEN;
	}
	if (at >= p->len || wire_tcp_parse(p->data + at, p->len - at, ret) != DROP_NONE)
		return false;
	at += (uint32_t)(p->data[at + 12] >> 4) * 4U;
	*ret_len = total > at ? total - at : 0;
	return true;
}

/* Is it the stream's? The first SYN to the server begins it. A RST of ours without ACK has no place
 * in the server's stream. */
static bool
belongs(struct stream *s, const struct packet *p, const struct tcp_segment *segment)
{
	bool syn = (segment->flags & (TCP_SYN | TCP_ACK)) == TCP_SYN;

	if (s->client_port == 0 && syn && segment->dst_port == s->server_port) {
		s->client_port = segment->src_port;
		s->start_ns = p->time_ns;
	}
	if (s->client_port == 0 || (segment->dst_port == s->server_port &&
					   (segment->flags & (TCP_SYN | TCP_ACK)) == 0))
		return false;
	return (segment->dst_port == s->server_port && segment->src_port == s->client_port) ||
	       (segment->src_port == s->server_port && segment->dst_port == s->client_port);
}

static struct compare_segment
note(struct stream *s, const struct packet *p, const struct tcp_segment *segment, uint32_t len)
{
	bool from_server = segment->src_port == s->server_port;

	if (from_server && (segment->flags & TCP_SYN) != 0) {
		s->irs = segment->seq;
		s->irs_known = true;
	}
	return (struct compare_segment){
		.time_ns = p->time_ns - s->start_ns,
		.from_server = from_server,
		.flags = segment->flags,
		.offset = !s->irs_known || (segment->flags & TCP_SYN) != 0 ? 0
			  : from_server ? segment->seq - s->irs - 1U
					: segment->ack - s->irs - 1U,
		.len = len,
	};
}

struct compare_trace *
compare_trace_close(int fd, uint16_t server_port)
{
	struct compare_trace *t = calloc(1, sizeof(*t));
	struct stream stream = {.server_port = server_port};
	struct tcp_segment segment;
	struct packet p;
	uint32_t len;

	while (t != NULL && t->count < COMPARE_TRACE_SEGMENTS && next_packet(fd, &p)) {
		if (parse(&p, &segment, &len) && belongs(&stream, &p, &segment))
			t->segment[t->count++] = note(&stream, &p, &segment, len);
	}
	close(fd);
	if (t != NULL && t->count > 0)
		return t;
	free(t);
	return NULL;
}

uint32_t
compare_trace_delays(const struct compare_trace *t, double *ret_delay)
{
	uint64_t oldest_ns = 0;
	uint32_t i, n = 0, acked = 0, seen = 0;
	bool waiting = false;

	for (i = 0; t != NULL && i < t->count; i++) {
		const struct compare_segment *s = &t->segment[i];

		if (s->from_server && s->len > 0 && s->offset + s->len > seen) {
			seen = s->offset + s->len;
			if (!waiting)
				oldest_ns = s->time_ns;
			waiting = true;
		} else if (!s->from_server && waiting && s->offset > acked) {
			acked = s->offset;
			/* Two CPUs stamp them: the order is not always that of the times. */
			ret_delay[n++] = s->time_ns > oldest_ns
						 ? (double)(s->time_ns - oldest_ns) / 1e3
						 : 0.0;
			waiting = false;
		}
	}
	return n;
}

static int
by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void
count_segments(const struct compare_trace *t, struct compare_acks *ret)
{
	uint32_t i;

	for (i = 0; i < t->count; i++) {
		const struct compare_segment *s = &t->segment[i];

		if (s->from_server && s->len > 0)
			ret->data++;
		else if (!s->from_server && s->len == 0 && (s->flags & TCP_SYN) == 0)
			ret->bare++;
	}
}

bool
compare_trace_acks(const struct compare_trace *t, struct compare_acks *ret)
{
	struct compare_acks a = {0};
	double *delay = t != NULL ? calloc(t->count + 1U, sizeof(*delay)) : NULL;

	if (delay == NULL)
		return false;
	a.acks = compare_trace_delays(t, delay);
	qsort(delay, a.acks, sizeof(*delay), by_value);
	if (a.acks > 0) {
		count_segments(t, &a);
		a.p50_us = delay[(a.acks - 1U) / 2U];
		a.p99_us = delay[a.acks - 1U - a.acks / 100U];
		a.max_us = delay[a.acks - 1U];
		*ret = a;
	}
	free(delay);
	return a.acks > 0;
}

bool
compare_trace_acks_text(const struct compare_trace *t, char *buf)
{
	struct compare_acks a;

	if (!compare_trace_acks(t, &a))
		return false;
	snprintf(buf, COMPARE_ACKS_TEXT_MAX,
		"%u ACKs for a transfer's first %u data segments (1 for %.1f), delay p50 %.1f p99 "
		"%.1f max %.1f us, at the interface",
		a.bare, a.data, a.data / fmax(a.bare, 1.0), a.p50_us, a.p99_us, a.max_us);
	return true;
}
