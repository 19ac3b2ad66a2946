/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef NETSTACK_LIMITS_H
#define NETSTACK_LIMITS_H

#include "base_time.h"

#define NETSTACK_NEIGHBOURS 64U
#define NETSTACK_NEIGHBOURS_HEARD 8U /* hosts remembered for the failure report */
#define NETSTACK_NEIGHBOUR_IDLE_NS (600 * NS_PER_SEC) /* an unused entry is forgotten */
#define NETSTACK_NEIGHBOUR_UNICAST_TRIES \
	2U /* of a refresh, before it asks everybody (RFC 1122 §2.3.2.1) */

/* RFC 5227 §1.1. */
#define ARP_PROBE_WAIT_NS NS_PER_SEC
#define ARP_PROBE_NUM 3U
#define ARP_PROBE_MIN_NS NS_PER_SEC
#define ARP_PROBE_MAX_NS (2 * NS_PER_SEC)
#define ARP_ANNOUNCE_WAIT_NS (2 * NS_PER_SEC)
#define ARP_ANNOUNCE_NUM 2U
#define ARP_ANNOUNCE_INTERVAL_NS (2 * NS_PER_SEC)
#define ARP_DEFEND_INTERVAL_NS (10 * NS_PER_SEC)

/* RFC 4861 §10, RFC 4862 §5.1, RFC 3810 §9. The first router solicitation and duplicate test go out at
 * once: the random delay is for hosts that all start when a switch does. */
#define NDP_RS_MAX 3U /* MAX_RTR_SOLICITATIONS */
#define NDP_RS_INTERVAL_NS (4 * NS_PER_SEC)
#define NDP_DAD_TRANSMITS 1U
#define NDP_RETRANSMIT_NS NS_PER_SEC
#define NDP_VALID_MIN_NS (2 * UINT64_C(3600) * NS_PER_SEC) /* RFC 4862 §5.5.3 (e): two hours */
#define MLD_REPORTS 2U /* the Robustness Variable */
#define MLD_REPORT_INTERVAL_NS NS_PER_SEC
#define NETSTACK_IPV6_ADDRESSES 6U /* link-local, given, and those of four prefixes */
#define NETSTACK_IPV6_ROUTERS 4U
#define NETSTACK_IPV6_PREFIXES 8U /* on this link */
#define NETSTACK_IPV6_DNS_SERVERS 3U /* RFC 8106 §5.3.1: enough; resolv.conf's MAXNS */

/* Control frames (ARP, ICMP, RST) that wait for netstack_output; more are dropped. */
#define NETSTACK_CONTROL_FRAMES 32U
/* Reassembly: a datagram of 64 KiB is 45 fragments at MTU 1500. More datagrams at a time
 * take the oldest one's place. */
#define NETSTACK_DATAGRAMS 4U
#define NETSTACK_FRAGMENTS_PER_DATAGRAM 48U
#define NETSTACK_FRAGMENT_TIMEOUT_NS (60 * NS_PER_SEC) /* RFC 1122 §3.3.2: 60 to 120 s */
/* Answers to strangers in one second: echo replies, RSTs (RFC 1812 §4.3.2.8's advice). */
#define NETSTACK_REPLIES_PER_SECOND 1000U

/* UDP: DHCP's port and one DNS question's, with room for one more of each. */
#define NETSTACK_UDP_PORTS 4U
#define NETSTACK_UDP_QUEUE 4U /* datagrams received and not yet taken, of each */
#define NETSTACK_UDP_DATA_MAX 1472U /* bytes: Ethernet's MTU; DNS asks for 1232 at most */

/* RFC 6056 §3.2: as large a range as possible; below 32768 servers listen. */
#define NETSTACK_PORT_FIRST 32768U
#define NETSTACK_PORT_COUNT 32768U
#define NETSTACK_PORT_TRIES 512U

/* Between two workers (netstack_exchange.h), powers of two: segments on their way, a burst of eight
 * times 32 and so 12 KiB; and copies of ARP, NDP and the like that one shares, some of each neighbour. */
#define NETSTACK_EXCHANGE_FRAMES 256U
/** Those that one worker has in all its rings together, at most: two rings full, so that one worker that sleeps does not
 *  take all of it. Memory for them grows with the number of workers, not with its square. Source: ours. */
#define NETSTACK_EXCHANGE_GIVEN_MAX 512U
#define NETSTACK_EXCHANGE_COPIES 64U

/* Segments of one connection in a row before the next one has its turn. */
#define NETSTACK_QUANTUM 16U

#endif
