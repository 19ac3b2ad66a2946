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

/* RFC 791 §3.2: the four fields that tell datagrams apart; RFC 8200 §4.5: without the protocol. */
static bool
same_datagram(const struct netstack_datagram *d, const struct netstack_packet *p,
	const struct netstack_fragment_place *place)
{
	return d->in_use && d->id == place->id && ip_address_equal(&d->src, &p->src) &&
	       ip_address_equal(&d->dst, &p->dst) &&
	       (p->src.family == 6 || d->protocol == p->protocol);
}

static uint32_t
ip_header_len(const struct netstack_packet *p)
{
	return (uint32_t)(p->l4 - p->l3);
}

/* What of the whole is the first fragment's to say. */
static void
take_header(struct netstack_datagram *d, const struct netstack_packet *p)
{
	d->protocol = p->protocol;
	d->ecn = p->ecn;
	d->hop_limit = p->hop_limit;
	d->header_len = ip_header_len(p);
	d->from = p->ether->src;
}

/* The datagram that ip belongs to; else a free place; else that of the oldest, which is given up. */
static struct netstack_datagram *
find_or_start(struct netstack *ns, const struct netstack_packet *p,
	const struct netstack_fragment_place *fragment, uint64_t now_ns)
{
	struct netstack_datagram *all = ns->fragments.datagram, *place = &all[0];
	uint32_t i;

	for (i = 0; i < NETSTACK_DATAGRAMS; i++) {
		if (same_datagram(&all[i], p, fragment))
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
	place->src = p->src;
	place->dst = p->dst;
	place->id = fragment->id;
	take_header(place, p);
	ns->fragments.deadline_ns = time_min(ns->fragments.deadline_ns, place->expires_ns);
	return place;
}

/* The header that the whole datagram will have is the first fragment's. */
static bool
fits_a_datagram(const struct netstack_datagram *d, const struct netstack_packet *p, uint32_t right)
{
	uint32_t end = d->count > 0 ? d->fragment[d->count - 1].right : 0;
	uint32_t header_len = MAX_OF(ip_header_len(p), d->header_len);

	return MAX_OF(end, right) + header_len <= DATAGRAM_MAX;
}

/* All but the last are a multiple of 8 bytes long, and none reaches beyond the last one's end. */
static bool
length_fits(const struct netstack_datagram *d, const struct netstack_packet *p, bool more,
	uint32_t left, uint32_t right)
{
	uint32_t end = d->count > 0 ? d->fragment[d->count - 1].right : 0;

	if (left == right || !fits_a_datagram(d, p, right))
		return false;
	if (more)
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
trimmed(const struct frame *f, const struct netstack_packet *p, bool first)
{
	uint32_t headers_len = (uint32_t)(p->l4 - f->data);
	struct frame t = *f;

	t.len = headers_len + p->l4_len;
	t.flags &= ~(FRAME_L4_CSUM_GOOD | FRAME_L4_CSUM_BAD);
	if (!first) {
		t.data += headers_len;
		t.len = p->l4_len;
	}
	return t;
}

static void
insert(struct netstack_datagram *d, uint32_t place, const struct frame *f,
	const struct netstack_packet *p, bool more, uint32_t left)
{
	uint32_t right = left + p->l4_len;

	memmove(&d->fragment[place + 1], &d->fragment[place],
		(d->count - place) * sizeof(d->fragment[0]));
	d->fragment[place] = (struct netstack_fragment){.frame = *f, .left = left, .right = right};
	d->count++;
	d->bytes += right - left;
	if (!more)
		d->total = right;
	d->congestion_experienced |= p->ecn == ECN_CE;
	if (left == 0)
		take_header(d, p); /* the others' options may be fewer (RFC 791 §3.1) */
}

/* Others of its datagram may never come. */
static bool
may_stay(const struct netstack *ns, struct frame *f)
{
	struct payload p = {f->data, f->len, f->owner};
	bool may = ns->cfg.keep == NULL || ns->cfg.keep(ns->cfg.release_ctx, &p);

	memcpy(&f->data, &p.data, sizeof(f->data)); /* a frame may be written to */
	f->owner = p.owner;
	return may;
}

static bool
complete(const struct netstack_datagram *d)
{
	return d->total > 0 && d->bytes == d->total;
}

enum drop_reason
netstack_fragment_add(struct netstack *ns, const struct frame *f, const struct netstack_packet *p,
	const struct netstack_fragment_place *place, uint64_t now_ns,
	struct netstack_datagram **ret)
{
	uint32_t left = place->offset, right = left + p->l4_len, at;
	struct netstack_datagram *d;
	enum drop_reason drop;
	struct frame t;

	*ret = NULL;
	counter_add(ns->counters, COUNTER_IP_FRAGMENTS, 1);
	if (f->next != NULL)
		return DROP_IP_FRAGMENT_LIMIT; /* a fragment in several buffers */
	d = find_or_start(ns, p, place, now_ns);
	drop = length_fits(d, p, place->more, left, right) ? find_place(d, left, right, &at)
							   : DROP_IP_FRAGMENT_LENGTH;
	if (drop == DROP_NONE && d->count == NETSTACK_FRAGMENTS_PER_DATAGRAM)
		drop = DROP_IP_FRAGMENT_LIMIT;
	if (drop != DROP_NONE) {
		if (drop != DROP_IP_FRAGMENT_DUPLICATE)
			give_up(ns, d);
		return drop;
	}
	t = trimmed(f, p, left == 0);
	if (!may_stay(ns, &t)) {
		give_up(ns, d);
		return DROP_IP_FRAGMENT_LIMIT;
	}
	insert(d, at, &t, p, place->more, left);
	if (complete(d))
		*ret = d;
	return DROP_NONE;
}

struct frame *
netstack_fragment_frame(
	struct netstack_datagram *d, const struct ether_header *ether, struct netstack_packet *ret)
{
	struct frame *first = &d->fragment[0].frame;
	uint32_t i;

	for (i = 0; i < d->count; i++)
		d->fragment[i].frame.next = i + 1 < d->count ? &d->fragment[i + 1].frame : NULL;
	*ret = (struct netstack_packet){.ether = ether,
		.src = d->src,
		.dst = d->dst,
		.protocol = d->protocol,
		.ecn = d->congestion_experienced ? (uint8_t)ECN_CE : d->ecn,
		.hop_limit = d->hop_limit,
		.fragmented = true,
		.l4 = first->data + first->len - d->fragment[0].right,
		.l4_len = d->total};
	ret->l3 = ret->l4 - d->header_len;
	return first;
}

enum drop_reason
netstack_fragment_walk(const struct frame *f, struct netstack_packet *p)
{
	uint32_t here = (uint32_t)(f->data + f->len - p->l3), offset = (uint32_t)(p->l4 - p->l3);
	enum drop_reason drop;

	if (p->src.family == 4)
		return DROP_NONE;
	drop = wire_ipv6_walk(p->l3, here, &offset, &p->protocol);
	if (drop != DROP_NONE)
		return drop;
	p->l4_len -= (uint32_t)(p->l3 + offset - p->l4);
	p->l4 = p->l3 + offset;
	return DROP_NONE;
}

void
netstack_fragment_forget(struct netstack_datagram *d)
{
	d->in_use = false;
	d->count = d->bytes = d->total = 0;
	d->congestion_experienced = false;
}

/* RFC 1122 §3.3.2, RFC 8200 §4.5: the sender is told, if its first fragment has come. */
static void
tell_sender(struct netstack *ns, const struct netstack_datagram *d, uint64_t now_ns)
{
	const struct frame *first = &d->fragment[0].frame;
	struct netstack_packet p;
	uint8_t icmp = d->src.family == 4 ? IPV4_PROTO_ICMP : IPV6_NEXT_ICMPV6;
	struct ether_header ether = {.src = d->from};

	if (d->count == 0 || d->fragment[0].left > 0 || d->protocol == icmp)
		return;
	p = (struct netstack_packet){.ether = &ether,
		.src = d->src,
		.dst = d->dst,
		.l4 = first->data + first->len - d->fragment[0].right,
		.l4_len = d->fragment[0].right};
	p.l3 = p.l4 - d->header_len;
	if (d->src.family == 4)
		netstack_icmp_reassembly_expired(ns, &p, now_ns);
	else
		netstack_icmpv6_reassembly_expired(ns, &p, now_ns);
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
