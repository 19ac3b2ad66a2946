/* SPDX-License-Identifier: BSD-3-Clause */
#include "base_bytes.h"
#include "netstack_priv.h"

#define DATAGRAM_MAX 65535U /* bytes, header included */
#define ECN_CE 3U /* RFC 3168 §5 */

_Static_assert(NETSTACK_FRAGMENTS_MAX == NETSTACK_DATAGRAMS * NETSTACK_FRAGMENTS_PER_DATAGRAM,
	"what the port makes room for");

static void
give_up(struct netstack *ns, struct netstack_datagram *d)
{
	uint32_t i;

	for (i = 0; i < d->count; i++) {
		if (d->fragment[i].frame.owner != NULL)
			ns->cfg.release(ns->cfg.release_ctx, d->fragment[i].frame.owner);
	}
	netstack_fragment_forget(d);
}

/* RFC 791 §3.2: the four fields that tell datagrams apart; the destination is us. */
static bool
same_datagram(const struct netstack_datagram *d, const struct ipv4_header *ip)
{
	return d->in_use && d->header.src == ip->src && d->header.id == ip->id &&
	       d->header.protocol == ip->protocol;
}

/* The datagram that ip belongs to; else a free place; else that of the oldest, which is given up. */
static struct netstack_datagram *
find_or_start(struct netstack *ns, const struct ipv4_header *ip, const struct ether_addr *from,
	uint64_t now_ns)
{
	struct netstack_datagram *all = ns->fragments.datagram, *place = &all[0];
	uint32_t i;

	for (i = 0; i < NETSTACK_DATAGRAMS; i++) {
		if (same_datagram(&all[i], ip))
			return &all[i];
		if (place->in_use && (!all[i].in_use || all[i].expires_ns < place->expires_ns))
			place = &all[i];
	}
	if (place->in_use) {
		counter_drop(ns->counters, DROP_IP_FRAGMENT_LIMIT);
		give_up(ns, place);
	}
	place->in_use = true;
	place->expires_ns = now_ns + NETSTACK_FRAGMENT_TIMEOUT_NS;
	place->header = *ip;
	place->from = *from;
	ns->fragments.deadline_ns = time_min(ns->fragments.deadline_ns, place->expires_ns);
	return place;
}

/* The header that the whole datagram will have is the first fragment's. */
static bool
fits_a_datagram(const struct netstack_datagram *d, const struct ipv4_header *ip, uint32_t right)
{
	uint32_t end = d->count > 0 ? d->fragment[d->count - 1].right : 0;
	uint32_t header_len = MAX_OF(ip->header_len, d->header.header_len);

	return MAX_OF(end, right) + header_len <= DATAGRAM_MAX;
}

/* All but the last are a multiple of 8 bytes long, and none reaches beyond the last one's end. */
static bool
length_fits(const struct netstack_datagram *d, const struct ipv4_header *ip, uint32_t left,
	uint32_t right)
{
	uint32_t end = d->count > 0 ? d->fragment[d->count - 1].right : 0;

	if (left == right || !fits_a_datagram(d, ip, right))
		return false;
	if (ip->more_fragments)
		return (right - left) % 8 == 0 && (d->total == 0 || right < d->total);
	return end <= right && (d->total == 0 || d->total == right);
}

/* Where the fragment goes. DROP_IP_FRAGMENT_DUPLICATE: it is there already, to the byte. */
static enum drop_reason
find_place(const struct netstack_datagram *d, uint32_t left, uint32_t right, uint32_t *ret)
{
	uint32_t i = d->count;

	while (i > 0 && d->fragment[i - 1].left >= left)
		i--;
	*ret = i;
	if (i < d->count && d->fragment[i].left == left && d->fragment[i].right == right)
		return DROP_IP_FRAGMENT_DUPLICATE;
	if ((i < d->count && d->fragment[i].left < right) ||
		(i > 0 && d->fragment[i - 1].right > left))
		return DROP_IP_FRAGMENT_OVERLAP;
	return DROP_NONE;
}

/* Without the padding of short frames; the NIC knows nothing of the whole's checksum. */
static struct frame
trimmed(const struct frame *f, const struct ether_header *ether, const struct ipv4_header *ip)
{
	struct frame t = *f;

	t.len = (uint32_t)ether->header_len + ip->total_len;
	t.flags &= ~(FRAME_L4_CSUM_GOOD | FRAME_L4_CSUM_BAD);
	if (ip->fragment_offset > 0) {
		t.data += ether->header_len + ip->header_len;
		t.len = (uint32_t)ip->total_len - ip->header_len;
	}
	return t;
}

static void
insert(struct netstack_datagram *d, uint32_t place, const struct frame *f,
	const struct ipv4_header *ip, uint32_t left, uint32_t right)
{
	memmove(&d->fragment[place + 1], &d->fragment[place],
		(d->count - place) * sizeof(d->fragment[0]));
	d->fragment[place] = (struct netstack_fragment){.frame = *f, .left = left, .right = right};
	d->count++;
	d->bytes += right - left;
	if (!ip->more_fragments)
		d->total = right;
	d->congestion_experienced |= ip->ecn == ECN_CE;
	if (left == 0)
		d->header = *ip; /* the others' options may be fewer (RFC 791 §3.1) */
}

static bool
complete(const struct netstack_datagram *d)
{
	return d->total > 0 && d->bytes == d->total;
}

enum drop_reason
netstack_fragment_add(struct netstack *ns, const struct frame *f, const struct ether_header *ether,
	const struct ipv4_header *ip, uint64_t now_ns, struct netstack_datagram **ret)
{
	uint32_t left = ip->fragment_offset, right = left + ip->total_len - ip->header_len, place;
	struct netstack_datagram *d;
	enum drop_reason drop;
	struct frame t;

	*ret = NULL;
	counter_add(ns->counters, COUNTER_IP_FRAGMENTS, 1);
	if (f->next != NULL)
		return DROP_IP_FRAGMENT_LIMIT; /* a fragment in several buffers */
	d = find_or_start(ns, ip, &ether->src, now_ns);
	drop = length_fits(d, ip, left, right) ? find_place(d, left, right, &place)
					       : DROP_IP_FRAGMENT_LENGTH;
	if (drop == DROP_NONE && d->count == NETSTACK_FRAGMENTS_PER_DATAGRAM)
		drop = DROP_IP_FRAGMENT_LIMIT;
	if (drop != DROP_NONE) {
		if (drop != DROP_IP_FRAGMENT_DUPLICATE)
			give_up(ns, d);
		return drop;
	}
	t = trimmed(f, ether, ip);
	insert(d, place, &t, ip, left, right);
	if (complete(d))
		*ret = d;
	return DROP_NONE;
}

struct frame *
netstack_fragment_frame(struct netstack_datagram *d)
{
	uint32_t i;

	for (i = 0; i < d->count; i++)
		d->fragment[i].frame.next = i + 1 < d->count ? &d->fragment[i + 1].frame : NULL;
	d->header.total_len = (uint16_t)(d->header.header_len + d->total);
	d->header.fragment_offset = 0;
	d->header.more_fragments = false;
	if (d->congestion_experienced)
		d->header.ecn = ECN_CE;
	return &d->fragment[0].frame;
}

void
netstack_fragment_forget(struct netstack_datagram *d)
{
	d->in_use = false;
	d->count = d->bytes = d->total = 0;
	d->congestion_experienced = false;
}

/* RFC 1122 §3.3.2: the sender is told, if its first fragment has come. */
static void
tell_sender(struct netstack *ns, const struct netstack_datagram *d, uint64_t now_ns)
{
	struct ipv4_header reply = {
		.src = ns->cfg.address,
		.dst = d->header.src,
		.protocol = IPV4_PROTO_ICMP,
		.ttl = IPV4_TTL_DEFAULT,
	};
	const struct frame *first = &d->fragment[0].frame;
	uint32_t quoted = d->header.header_len + ICMP_QUOTED_DATA_LEN, l2_len;
	struct netstack_control *control;

	if (d->count == 0 || d->fragment[0].left > 0 || d->header.protocol == IPV4_PROTO_ICMP ||
		!netstack_reply_allowed(ns, now_ns))
		return;
	control = netstack_control_add(ns, &d->from, ETHER_TYPE_IPV4, &l2_len);
	if (control == NULL)
		return;
	reply.total_len = (uint16_t)(IPV4_HEADER_LEN + ICMP_HEADER_LEN + quoted);
	control->len = l2_len + wire_ipv4_build(control->bytes + l2_len, &reply, true);
	control->len += wire_icmp_build_time_exceeded(control->bytes + control->len,
		ICMP_TIME_EXCEEDED_REASSEMBLY,
		first->data + first->len - d->fragment[0].right - d->header.header_len, quoted);
}

void
netstack_fragment_run(struct netstack *ns, uint64_t now_ns)
{
	struct netstack_fragments *all = &ns->fragments;
	uint32_t i;

	all->deadline_ns = TIME_NEVER;
	for (i = 0; i < NETSTACK_DATAGRAMS; i++) {
		struct netstack_datagram *d = &all->datagram[i];

		if (d->in_use && d->expires_ns <= now_ns) {
			counter_drop(ns->counters, DROP_IP_FRAGMENT_TIMEOUT);
			tell_sender(ns, d, now_ns);
			give_up(ns, d);
		}
		if (d->in_use)
			all->deadline_ns = time_min(all->deadline_ns, d->expires_ns);
	}
}

void
netstack_fragment_clear(struct netstack *ns)
{
	uint32_t i;

	for (i = 0; i < NETSTACK_DATAGRAMS; i++)
		give_up(ns, &ns->fragments.datagram[i]);
}
