/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRE_DHCP_H
#define WIRE_DHCP_H

#include <stdbool.h>
#include <stdint.h>

#include "base_counters.h"
#include "wire_ether.h"

/* DHCPv4 messages (RFC 2131 §2) with the options (RFC 2132) that a client needs. */

#define DHCP_SERVER_PORT 67U
#define DHCP_CLIENT_PORT 68U
#define DHCP_MESSAGE_LEN_MIN 300U /* what we send at least: BOOTP's size, which old relays expect */
#define DHCP_MESSAGE_LEN_MAX 576U /* that we build; every host takes as much (RFC 2131 §2) */
#define DHCP_DNS_MAX 3U /* name servers kept of a message; resolv.conf's MAXNS */
#define DHCP_TEXT_MAX 64U /* of the server's words (option 56), NUL included */

enum dhcp_op { /* BOOTP's, RFC 951 */
	DHCP_OP_REQUEST = 1,
	DHCP_OP_REPLY = 2,
};

enum dhcp_type { /* RFC 2132 §9.6 */
	DHCP_TYPE_NONE = 0, /* a BOOTP message */
	DHCP_TYPE_DISCOVER = 1,
	DHCP_TYPE_OFFER = 2,
	DHCP_TYPE_REQUEST = 3,
	DHCP_TYPE_DECLINE = 4,
	DHCP_TYPE_ACK = 5,
	DHCP_TYPE_NAK = 6,
	DHCP_TYPE_RELEASE = 7,
	DHCP_TYPE_INFORM = 8,
};

/** One message; addresses in host order, 0 where there is none. */
struct dhcp_message {
	uint8_t op; /* enum dhcp_op */
	uint8_t type; /* enum dhcp_type; others parse and are the caller's to ignore */
	bool broadcast; /* the B bit: answer by broadcast */
	uint16_t secs; /* since the client began */
	uint32_t xid;
	uint32_t ciaddr, yiaddr, giaddr; /* the client's own; "yours"; the relay's */
	struct ether_addr chaddr; /* the client's */
	/* options; 0 where absent */
	uint32_t requested; /* 50 */
	uint32_t server_id; /* 54 */
	uint32_t subnet_mask; /* 1 */
	uint32_t router; /* 3: the first one */
	uint32_t dns[DHCP_DNS_MAX]; /* 6 */
	uint32_t dns_count;
	uint32_t lease_s, t1_s, t2_s; /* 51, 58, 59; UINT32_MAX: for ever */
	uint16_t mtu; /* 26 */
	char text[DHCP_TEXT_MAX]; /* 56, printable ASCII; what is not is shown as '?' */
};

/**
 * Parses len contiguous bytes, the UDP datagram's data. Options may go on in the fields "file" and
 * "sname" (option 52), and a long one may come in pieces (RFC 3396).
 * DROP_NONE; or DROP_DHCP_MALFORMED with *ret untouched: short, no Ethernet, no DHCP cookie, an
 * option that passes the end of its field, or one whose length is not its kind's.
 */
enum drop_reason wire_dhcp_parse(const uint8_t *data, uint32_t len, struct dhcp_message *ret);

/**
 * Writes the message at p, where there are DHCP_MESSAGE_LEN_MAX bytes of room, and returns its
 * length. Of a request's options those that are not 0 are written, with the client identifier (61)
 * and, in DISCOVER and REQUEST, what we should like to be told (55) and how much we take (57). Of a
 * reply's (tests build them) all but the text, too.
 */
uint32_t wire_dhcp_build(uint8_t *p, const struct dhcp_message *message);

#endif
