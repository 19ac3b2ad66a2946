/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DHCP_CLIENT_H
#define DHCP_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base_counters.h"
#include "base_siphash.h"
#include "wire_dhcp.h"
#include "wire_ether.h"

/*
 * A DHCPv4 client (RFC 2131 §4.4) without I/O: messages and the time go in, messages come out.
 * It begins at INIT always; addresses of an earlier run are not asked for again. The first offer
 * that can be used is taken. The caller sends what dhcp_client_output gives, from UDP port 68 to
 * 67; it probes a new address (RFC 5227) and calls dhcp_client_decline where another host has it.
 */

enum dhcp_client_state { /* RFC 2131 figure 5 */
	DHCP_CLIENT_OFF, /* not started, or released */
	DHCP_CLIENT_INIT, /* waits before it begins anew */
	DHCP_CLIENT_SELECTING,
	DHCP_CLIENT_REQUESTING,
	DHCP_CLIENT_BOUND,
	DHCP_CLIENT_RENEWING,
	DHCP_CLIENT_REBINDING,
};

/** What happened to the lease since dhcp_client_event was last called. */
enum dhcp_client_event {
	DHCP_CLIENT_NOTHING,
	DHCP_CLIENT_GOT_LEASE,
	DHCP_CLIENT_RENEWED_LEASE,
	DHCP_CLIENT_LOST_LEASE, /* it expired, or a server took it back */
};

/** A lease in force. Addresses in host order, times absolute. */
struct dhcp_lease {
	uint32_t address;
	uint8_t prefix_len; /* of the mask; the address's class's where the server names none */
	uint32_t router; /* 0: none */
	uint32_t dns[DHCP_DNS_MAX];
	uint32_t dns_count;
	uint32_t server_id;
	uint16_t mtu; /* 576.., or 0: the server says nothing (that can be used) */
	uint64_t renew_ns, rebind_ns, expires_ns; /* T1, T2, end; TIME_NEVER: for ever */
};

/** For messages to the user. */
struct dhcp_client_info {
	enum dhcp_client_state state;
	uint32_t discovers_sent, offers_received, naks_received;
	uint32_t renewals; /* of the lease in force */
	char text[DHCP_TEXT_MAX]; /* a server's words about its refusal, or "" */
};

/** The client; what is in it is dhcp_client.c's. Plain memory, no destructor. */
struct dhcp_client {
	enum dhcp_client_state state;
	enum dhcp_client_event event;
	struct ether_addr mac;
	struct siphash_key key;
	uint64_t randoms; /* drawn so far */
	uint32_t xid;
	uint32_t tries; /* messages sent in this state */
	uint64_t start_ns; /* of the acquisition, for "secs" */
	uint64_t sent_ns; /* the last REQUEST: leases count from then (§4.4.5) */
	uint64_t next_ns; /* of the state's timer */
	uint32_t offer_address, offer_server;
	uint8_t farewell; /* DHCP_TYPE_DECLINE or _RELEASE about to be sent, else 0 */
	struct dhcp_lease lease; /* with BOUND and above; and for a farewell */
	struct dhcp_client_info info;
	uint8_t message[DHCP_MESSAGE_LEN_MAX];
};

/** A message to send; data is valid until the next call. dst UINT32_MAX: broadcast. */
struct dhcp_output {
	uint32_t src, dst; /* IPv4, host order; src 0: no address yet */
	const uint8_t *data;
	uint32_t len;
};

/** Begins: a DISCOVER is due at once. key: secret and new each time; ids and delays come of it. */
void dhcp_client_start(struct dhcp_client *c, const struct ether_addr *mac,
	const struct siphash_key *key, uint64_t now_ns);

/** The data of one UDP datagram to port 68. DROP_NONE, DROP_DHCP_MALFORMED (also a lease that no
 *  host can use), or DROP_DHCP_MISMATCH (another's, or none that we wait for). */
enum drop_reason dhcp_client_input(
	struct dhcp_client *c, const uint8_t *data, uint32_t len, uint64_t now_ns);

/** Runs the timers. true: *ret is to be sent; call again. */
bool dhcp_client_output(struct dhcp_client *c, uint64_t now_ns, struct dhcp_output *ret);

/** When dhcp_client_output must be called; TIME_NEVER: no timer runs. */
uint64_t dhcp_client_deadline(const struct dhcp_client *c);

/** The newest event, once. */
enum dhcp_client_event dhcp_client_event(struct dhcp_client *c);

/** The lease in force, or NULL. Valid until the next call. */
const struct dhcp_lease *dhcp_client_lease(const struct dhcp_client *c);

/** Another host uses the leased address: the server is told, and all begins anew in 10 s
 *  (RFC 2131 §3.1.5). Without a lease nothing happens. */
void dhcp_client_decline(struct dhcp_client *c, uint64_t now_ns);

/** Gives the lease back (§4.4.6); a RELEASE is due if there is one. The client is OFF then. */
void dhcp_client_release(struct dhcp_client *c);

void dhcp_client_info(const struct dhcp_client *c, struct dhcp_client_info *ret);

#endif
