/* SPDX-License-Identifier: BSD-3-Clause */
#include "base_bytes.h"
#include "base_check.h"
#include "dhcp_client.h"
#include "dhcp_limits.h"

#define BROADCAST UINT32_MAX /* 255.255.255.255 */

static uint64_t
draw(struct dhcp_client *c)
{
	c->randoms++;
	return siphash24(&c->key, &c->randoms, sizeof(c->randoms));
}

/* ns, give or take up to jitter_ns. */
static uint64_t
fuzz(struct dhcp_client *c, uint64_t ns, uint64_t jitter_ns)
{
	return ns - jitter_ns + draw(c) % (2 * jitter_ns + 1);
}

static bool
has_lease(const struct dhcp_client *c)
{
	return c->state >= DHCP_CLIENT_BOUND;
}

static void
begin_anew(struct dhcp_client *c, uint64_t at_ns)
{
	c->state = DHCP_CLIENT_INIT;
	c->next_ns = at_ns;
}

void
dhcp_client_start(struct dhcp_client *c, const struct ether_addr *mac,
	const struct siphash_key *key, uint64_t now_ns)
{
	*c = (struct dhcp_client){.mac = *mac, .key = *key};
	begin_anew(c, now_ns);
}

/* ---- output ---- */

/* The fields that all messages of ours have. */
static struct dhcp_message
new_message(const struct dhcp_client *c, enum dhcp_type type, uint64_t now_ns)
{
	uint64_t secs = (now_ns - c->start_ns) / NS_PER_SEC;

	return (struct dhcp_message){
		.op = DHCP_OP_REQUEST,
		.type = (uint8_t)type,
		.xid = c->xid,
		.secs = (uint16_t)MIN_OF(secs, UINT64_C(0xffff)),
		.chaddr = c->mac,
	};
}

static void
write_output(
	struct dhcp_client *c, const struct dhcp_message *m, uint32_t dst, struct dhcp_output *ret)
{
	*ret = (struct dhcp_output){.src = m->ciaddr, .dst = dst, .data = c->message};
	ret->len = wire_dhcp_build(c->message, m);
}

/* RFC 2131 §4.1; tries: sent so far, 1.. */
static void
back_off(struct dhcp_client *c, uint64_t now_ns)
{
	uint64_t delay_ns = DHCP_RETRY_FIRST_NS << MIN_OF(c->tries - 1, 4U);

	delay_ns = MIN_OF(delay_ns, DHCP_RETRY_MAX_NS);
	c->next_ns = now_ns + fuzz(c, delay_ns, DHCP_RETRY_JITTER_NS);
}

/* §4.1: who can take unicast before he has an address says so. A server that then does not get
 * through is asked to broadcast at the second try. */
static void
send_discover(struct dhcp_client *c, uint64_t now_ns, struct dhcp_output *ret)
{
	struct dhcp_message m = new_message(c, DHCP_TYPE_DISCOVER, now_ns);

	m.broadcast = c->tries > 0;
	c->tries++;
	c->info.discovers_sent++;
	back_off(c, now_ns);
	write_output(c, &m, BROADCAST, ret);
}

static void
send_request(struct dhcp_client *c, uint64_t now_ns, struct dhcp_output *ret)
{
	struct dhcp_message m = new_message(c, DHCP_TYPE_REQUEST, now_ns);

	m.broadcast = c->tries > 0 || c->info.discovers_sent > 1;
	m.requested = c->offer_address;
	m.server_id = c->offer_server;
	c->tries++;
	c->sent_ns = now_ns;
	back_off(c, now_ns);
	write_output(c, &m, BROADCAST, ret);
}

/* §4.4.5: half of what is left until the state's end, but a minute at least. */
static void
send_renewal(struct dhcp_client *c, uint64_t end_ns, uint64_t now_ns, struct dhcp_output *ret)
{
	struct dhcp_message m;

	if (c->tries == 0) {
		c->xid = (uint32_t)draw(c);
		c->start_ns = c->state == DHCP_CLIENT_RENEWING ? now_ns : c->start_ns;
	}
	m = new_message(c, DHCP_TYPE_REQUEST, now_ns);
	m.ciaddr = c->lease.address;
	c->tries++;
	c->sent_ns = now_ns;
	c->next_ns = now_ns + MAX_OF((end_ns - now_ns) / 2, DHCP_RENEW_RETRY_MIN_NS);
	c->next_ns = MIN_OF(c->next_ns, end_ns);
	write_output(c, &m, c->state == DHCP_CLIENT_RENEWING ? c->lease.server_id : BROADCAST, ret);
}

static void
lose(struct dhcp_client *c, uint64_t begin_ns)
{
	c->event = DHCP_CLIENT_LOST_LEASE;
	begin_anew(c, begin_ns);
}

static void
set_state(struct dhcp_client *c, enum dhcp_client_state state)
{
	if (c->state != state)
		c->tries = 0;
	c->state = state;
}

/* The timer of a state with a lease. false: nothing to send. */
static bool
on_lease_timer(struct dhcp_client *c, uint64_t now_ns, struct dhcp_output *ret)
{
	if (now_ns >= c->lease.expires_ns) {
		lose(c, now_ns);
		return false;
	}
	if (now_ns >= c->lease.rebind_ns) {
		set_state(c, DHCP_CLIENT_REBINDING);
		send_renewal(c, c->lease.expires_ns, now_ns, ret);
	} else {
		set_state(c, DHCP_CLIENT_RENEWING);
		send_renewal(c, c->lease.rebind_ns, now_ns, ret);
	}
	return true;
}

static bool
on_timer(struct dhcp_client *c, uint64_t now_ns, struct dhcp_output *ret)
{
	switch (c->state) {
	case DHCP_CLIENT_OFF:
		return false;
	case DHCP_CLIENT_INIT:
		c->xid = (uint32_t)draw(c);
		c->start_ns = now_ns;
		set_state(c, DHCP_CLIENT_SELECTING);
		send_discover(c, now_ns, ret);
		return true;
	case DHCP_CLIENT_SELECTING:
		send_discover(c, now_ns, ret);
		return true;
	case DHCP_CLIENT_REQUESTING:
		if (c->tries == DHCP_REQUEST_TRIES) {
			begin_anew(c, now_ns);
			return false;
		}
		send_request(c, now_ns, ret);
		return true;
	case DHCP_CLIENT_BOUND:
	case DHCP_CLIENT_RENEWING:
	case DHCP_CLIENT_REBINDING:
		return on_lease_timer(c, now_ns, ret);
	}
	CHECK(false);
}

/* §4.4.1, §4.4.6 and table 5: DECLINE from nobody to all, RELEASE from the address to its server. */
static void
send_farewell(struct dhcp_client *c, uint64_t now_ns, struct dhcp_output *ret)
{
	bool release = c->farewell == DHCP_TYPE_RELEASE;
	struct dhcp_message m;

	c->xid = (uint32_t)draw(c);
	c->start_ns = now_ns;
	m = new_message(c, (enum dhcp_type)c->farewell, now_ns);
	m.ciaddr = release ? c->lease.address : 0;
	m.requested = release ? 0 : c->lease.address;
	m.server_id = c->lease.server_id;
	c->farewell = 0;
	write_output(c, &m, release ? c->lease.server_id : BROADCAST, ret);
}

bool
dhcp_client_output(struct dhcp_client *c, uint64_t now_ns, struct dhcp_output *ret)
{
	if (c->farewell != 0) {
		send_farewell(c, now_ns, ret);
		return true;
	}
	while (c->state != DHCP_CLIENT_OFF && now_ns >= c->next_ns) {
		if (on_timer(c, now_ns, ret))
			return true;
	}
	return false;
}

uint64_t
dhcp_client_deadline(const struct dhcp_client *c)
{
	if (c->farewell != 0)
		return 0;
	return c->state == DHCP_CLIENT_OFF ? TIME_NEVER : c->next_ns;
}

/* ---- input ---- */

/* Where the server gives no mask (RFC 791's classes). */
static uint8_t
prefix_of_class(uint32_t address)
{
	if (address >> 31 == 0)
		return 8;
	return address >> 30 == 2 ? 16 : 24;
}

/* The prefix length of a mask, or of the class without one; -1: the mask has holes. */
static int
prefix_of(uint32_t mask, uint32_t address)
{
	uint32_t holes = ~mask;

	if (mask == 0)
		return prefix_of_class(address);
	return (holes & (holes + 1)) == 0 ? 32 - __builtin_popcount(holes) : -1;
}

static bool
is_host_address(uint32_t address)
{
	uint32_t first = address >> 24;

	return first != 0 && first != 127 && first < 224;
}

/* Can a host live with what is offered? */
static bool
usable(const struct dhcp_message *m)
{
	return is_host_address(m->yiaddr) && m->server_id != 0 &&
	       prefix_of(m->subnet_mask, m->yiaddr) >= 0;
}

static void
set_times(struct dhcp_client *c, const struct dhcp_message *m)
{
	uint64_t lease_s = m->lease_s, t1_s = m->t1_s, t2_s = m->t2_s, start_ns = c->sent_ns;
	struct dhcp_lease *l = &c->lease;

	if (m->lease_s == DHCP_LEASE_FOR_EVER) {
		l->renew_ns = l->rebind_ns = l->expires_ns = TIME_NEVER;
		return;
	}
	if (t2_s == 0 || t2_s >= lease_s)
		t2_s = lease_s * 7 / 8; /* §4.4.5 */
	if (t1_s == 0 || t1_s >= t2_s)
		t1_s = MIN_OF(lease_s / 2, t2_s);
	l->expires_ns = start_ns + lease_s * NS_PER_SEC;
	/* Both with some fuzz (§4.4.5), so that hosts that started together do not ask together. */
	l->rebind_ns = start_ns + t2_s * NS_PER_SEC;
	l->renew_ns = start_ns + fuzz(c, t1_s * NS_PER_SEC, t1_s * NS_PER_SEC / 20);
	l->renew_ns = MIN_OF(l->renew_ns, l->rebind_ns);
}

static void
bind_lease(struct dhcp_client *c, const struct dhcp_message *m)
{
	struct dhcp_lease *l = &c->lease;
	bool renewed = has_lease(c);

	l->address = m->yiaddr;
	l->prefix_len = (uint8_t)prefix_of(m->subnet_mask, m->yiaddr);
	l->router = m->router;
	l->dns_count = m->dns_count;
	memcpy(l->dns, m->dns, sizeof(l->dns));
	l->server_id = m->server_id;
	l->mtu = m->mtu >= DHCP_MTU_MIN ? m->mtu : 0;
	set_times(c, m);
	set_state(c, DHCP_CLIENT_BOUND);
	c->next_ns = l->renew_ns;
	c->event = renewed ? DHCP_CLIENT_RENEWED_LEASE : DHCP_CLIENT_GOT_LEASE;
	c->info.renewals = renewed ? c->info.renewals + 1 : 0;
}

static enum drop_reason
on_offer(struct dhcp_client *c, const struct dhcp_message *m, uint64_t now_ns)
{
	if (c->state != DHCP_CLIENT_SELECTING)
		return DROP_DHCP_MISMATCH; /* a second server's, or late */
	if (!usable(m))
		return DROP_DHCP_MALFORMED;
	c->info.offers_received++;
	c->offer_address = m->yiaddr;
	c->offer_server = m->server_id;
	set_state(c, DHCP_CLIENT_REQUESTING);
	c->next_ns = now_ns;
	return DROP_NONE;
}

static enum drop_reason
on_ack(struct dhcp_client *c, const struct dhcp_message *m)
{
	bool requesting = c->state == DHCP_CLIENT_REQUESTING;

	if (!requesting && c->state != DHCP_CLIENT_RENEWING && c->state != DHCP_CLIENT_REBINDING)
		return DROP_DHCP_MISMATCH;
	if (c->tries == 0 || m->yiaddr != (requesting ? c->offer_address : c->lease.address) ||
		(requesting && m->server_id != c->offer_server))
		return DROP_DHCP_MISMATCH;
	if (!usable(m) || m->lease_s == 0)
		return DROP_DHCP_MALFORMED;
	bind_lease(c, m);
	return DROP_NONE;
}

/* §4.4.1: begin anew; §4.4.5: and stop using the address at once. */
static enum drop_reason
on_nak(struct dhcp_client *c, const struct dhcp_message *m, uint64_t now_ns)
{
	bool requesting = c->state == DHCP_CLIENT_REQUESTING;

	if ((requesting && m->server_id != c->offer_server) ||
		(c->state == DHCP_CLIENT_RENEWING && m->server_id != c->lease.server_id) ||
		(!requesting && c->state < DHCP_CLIENT_RENEWING) || c->tries == 0)
		return DROP_DHCP_MISMATCH;
	c->info.naks_received++;
	memcpy(c->info.text, m->text, sizeof(c->info.text));
	if (requesting)
		begin_anew(c, now_ns + DHCP_NAK_WAIT_NS);
	else
		lose(c, now_ns + DHCP_NAK_WAIT_NS);
	return DROP_NONE;
}

enum drop_reason
dhcp_client_input(struct dhcp_client *c, const uint8_t *data, uint32_t len, uint64_t now_ns)
{
	struct dhcp_message m;
	enum drop_reason drop = wire_dhcp_parse(data, len, &m);

	if (drop != DROP_NONE)
		return drop;
	if (m.op != DHCP_OP_REPLY || m.xid != c->xid || !ether_addr_equal(&m.chaddr, &c->mac))
		return DROP_DHCP_MISMATCH;
	if (m.type == DHCP_TYPE_OFFER)
		return on_offer(c, &m, now_ns);
	if (m.type == DHCP_TYPE_ACK)
		return on_ack(c, &m);
	if (m.type == DHCP_TYPE_NAK)
		return on_nak(c, &m, now_ns);
	return DROP_DHCP_MISMATCH;
}

/* ---- the caller's ---- */

enum dhcp_client_event
dhcp_client_event(struct dhcp_client *c)
{
	enum dhcp_client_event event = c->event;

	c->event = DHCP_CLIENT_NOTHING;
	return event;
}

const struct dhcp_lease *
dhcp_client_lease(const struct dhcp_client *c)
{
	return has_lease(c) ? &c->lease : NULL;
}

void
dhcp_client_decline(struct dhcp_client *c, uint64_t now_ns)
{
	if (!has_lease(c))
		return;
	c->farewell = DHCP_TYPE_DECLINE;
	begin_anew(c, now_ns + DHCP_DECLINE_WAIT_NS);
}

void
dhcp_client_release(struct dhcp_client *c)
{
	c->farewell = has_lease(c) ? DHCP_TYPE_RELEASE : 0;
	c->state = DHCP_CLIENT_OFF;
}

void
dhcp_client_info(const struct dhcp_client *c, struct dhcp_client_info *ret)
{
	*ret = c->info;
	ret->state = c->state;
}
