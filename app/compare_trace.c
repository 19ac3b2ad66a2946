/* SPDX-License-Identifier: BSD-3-Clause */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <linux/if_ether.h>
#include <net/if.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base_bytes.h"
#include "base_time.h"
#include "compare_trace.h"
#include "wire_ipv4.h"
#include "wire_ipv6.h"
#include "wire_tcp.h"

#define SNAP_BYTES 160U /* IPv6's and TCP's headers with all options */
#define BLOCK_BYTES 65536U /* of the ring, as the kernel allocates it */

_Static_assert(offsetof(struct tpacket2_hdr, tp_status) == 0, "the status is a slot's first word");
_Static_assert(sizeof(struct tpacket2_hdr) + sizeof(struct sockaddr_ll) + 2U * TPACKET_ALIGNMENT +
			       SNAP_BYTES <=
		       COMPARE_TAP_SLOT_BYTES,
	"a slot has the kernel's headers and what the filter leaves");

/* One packet as the socket gave it, from IP's header on. */
struct packet {
	uint8_t data[SNAP_BYTES];
	uint32_t len; /* kept */
	uint64_t time_ns;
};

/* What the stream's offsets count from. */
struct stream {
	uint16_t server_port, client_port; /* client_port 0: no SYN yet */
	uint64_t start_ns;
	uint32_t irs; /* the server's initial sequence number */
	bool irs_known;
};

/* A ring takes what the filter leaves of a packet, whatever its size was; a socket's buffer is charged with all of it,
 * as the kernel holds it, and would end after a thousand super-packets. */
static int
make_ring(int fd, uint8_t **ret)
{
	const struct tpacket_req request = {.tp_block_size = BLOCK_BYTES,
		.tp_block_nr = COMPARE_TAP_BYTES / BLOCK_BYTES,
		.tp_frame_size = COMPARE_TAP_SLOT_BYTES,
		.tp_frame_nr = COMPARE_TAP_SLOTS};
	int version = TPACKET_V2;
	void *ring;

	if (setsockopt(fd, SOL_PACKET, PACKET_VERSION, &version, sizeof(version)) != 0 ||
		setsockopt(fd, SOL_PACKET, PACKET_RX_RING, &request, sizeof(request)) != 0)
		return -errno;
	ring = mmap(NULL, COMPARE_TAP_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (ring == MAP_FAILED)
		return -errno;
	*ret = ring;
	return 0;
}

int
compare_trace_open(const char *interface, struct compare_tap *ret)
{
	struct sock_filter snap[] = {BPF_STMT(BPF_RET | BPF_K, SNAP_BYTES)};
	const struct sock_fprog program = {.len = 1, .filter = snap};
	struct sockaddr_ll at = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
	int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, 0), rc;
	uint8_t *ring = NULL;

	if (fd < 0)
		return -errno;
	at.sll_ifindex = (int)if_nametoindex(interface);
	rc = at.sll_ifindex == 0 ? -ENODEV : make_ring(fd, &ring);
	if (rc == 0 &&
		(setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) != 0 ||
			bind(fd, (const struct sockaddr *)&at, sizeof(at)) != 0))
		rc = -errno;
	if (rc == 0) {
		*ret = (struct compare_tap){fd, ring};
		return 0;
	}
	if (ring != NULL)
		munmap(ring, COMPARE_TAP_BYTES);
	close(fd);
	return rc;
}

/* The one in that slot. false: there is none, and so no more. */
static bool
packet_at(const struct compare_tap *tap, uint32_t slot, struct packet *ret)
{
	uint8_t *at = tap->ring + (size_t)slot * COMPARE_TAP_SLOT_BYTES;
	struct tpacket2_hdr h;

	/* The kernel writes the status last: what is read after it is whole. */
	if ((__atomic_load_n((uint32_t *)(void *)at, __ATOMIC_ACQUIRE) & TP_STATUS_USER) == 0)
		return false;
	memcpy(&h, at, sizeof(h));
	ret->len = MIN_OF(h.tp_snaplen, SNAP_BYTES);
	ret->time_ns = (uint64_t)h.tp_sec * NS_PER_SEC + h.tp_nsec;
	memcpy(ret->data, at + h.tp_net, ret->len);
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
compare_trace_close(struct compare_tap *tap, uint16_t server_port)
{
	struct compare_trace *t = calloc(1, sizeof(*t));
	struct stream stream = {.server_port = server_port};
	struct tcp_segment segment;
	uint32_t len, slot;
	struct packet p;

	for (slot = 0; t != NULL && slot < COMPARE_TAP_SLOTS && packet_at(tap, slot, &p) &&
		       t->count < COMPARE_TRACE_SEGMENTS;
		slot++) {
		if (parse(&p, &segment, &len) && belongs(&stream, &p, &segment))
			t->segment[t->count++] = note(&stream, &p, &segment, len);
	}
	munmap(tap->ring, COMPARE_TAP_BYTES);
	close(tap->fd);
	if (t != NULL && t->count > 0)
		return t;
	free(t);
	return NULL;
}

/* Where the server's stream has got to. */
static uint64_t
end_of(const struct compare_trace *t)
{
	uint64_t end = 0;
	uint32_t i;

	for (i = 0; i < t->count; i++) {
		const struct compare_segment *s = &t->segment[i];

		if (s->from_server && s->len > 0)
			end = MAX_OF(end, (uint64_t)s->offset + s->len);
	}
	return end;
}

/* Each segment for itself: what was sent again comes late, and so do the last ACKs. */
static void
cut(struct compare_trace *t, uint64_t end)
{
	uint32_t i, kept = 0;

	for (i = 0; i < t->count; i++) {
		struct compare_segment s = t->segment[i];
		bool data = s.from_server && s.len > 0;

		if (data ? s.offset >= end : s.offset > end)
			continue;
		if (data)
			s.len = (uint32_t)MIN_OF((uint64_t)s.len, end - s.offset);
		t->segment[kept++] = s;
	}
	t->count = kept;
}

void
compare_trace_cut_alike(struct compare_trace *a, struct compare_trace *b)
{
	uint64_t end;

	if (a == NULL || b == NULL)
		return;
	end = MIN_OF(end_of(a), end_of(b));
	if (end == 0)
		return;
	cut(a, end);
	cut(b, end);
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
