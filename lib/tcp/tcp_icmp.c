/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>

#include "base_bytes.h"
#include "base_check.h"
#include "tcp_priv.h"

#define IPV4_MTU_MIN 68U /* RFC 791: no link has a smaller one; RFC 1191 §3 */

/* RFC 1191 §7.1: plateaus for routers that do not say their next hop's MTU. */
static uint32_t
plateau_below(uint32_t mtu)
{
	static const uint32_t plateaus[] = {32000, 17914, 8166, 4352, 2002, 1492, 1006, 508, 296};
	size_t i;

	for (i = 0; i < sizeof(plateaus) / sizeof(plateaus[0]); i++) {
		if (plateaus[i] < mtu)
			return plateaus[i];
	}
	return IPV4_MTU_MIN;
}

/* The path is narrower than thought: smaller segments from now on, and the lost one again. */
static bool
packet_too_big(struct tcp_conn *c, const struct tcp_icmp *icmp)
{
	uint32_t overhead =
		icmp->ip_header_len + TCP_HEADER_LEN + (c->timestamps ? TCP_TIMESTAMPS_LEN : 0);
	uint32_t packet_len = icmp->packet_len, mtu = icmp->mtu, smss;

	if (!tcp_state_synchronised(c->state))
		return false;
	if (packet_len == 0)
		packet_len = c->smss + overhead;
	/* RFC 1191 §5: below that packet, not below what is sent by now: a flight of large ones
	 * brings an error each, and is one finding. */
	if (mtu == 0)
		mtu = plateau_below(packet_len);
	if (mtu >= packet_len)
		return false;
	smss = mtu > overhead + TCP_MSS_MIN ? mtu - overhead : TCP_MSS_MIN;
	if (smss >= c->smss)
		return false; /* RFC 1191 §3: an increase is never believed */
	tcp_recovery_on_path_smss(c, (uint16_t)smss);
	return true;
}

bool
tcp_conn_icmp(struct tcp_conn *c, const struct tcp_icmp *icmp)
{
	/* RFC 5927 §4.1: only about what is in flight can the message be true. */
	if (c->state == TCP_CLOSED || seq_lt(icmp->seq, c->snd_una) ||
		seq_geq(icmp->seq, tcp_snd_nxt(c)))
		return false;
	switch (icmp->kind) {
	case TCP_ICMP_HARD:
		if (tcp_state_synchronised(c->state)) {
			c->soft_error = -EHOSTUNREACH; /* RFC 5927 §5.2: hard becomes soft */
			return true;
		}
		tcp_state_end(c, -ECONNREFUSED);
		return true;
	case TCP_ICMP_SOFT:
		c->soft_error = -EHOSTUNREACH;
		return true;
	case TCP_ICMP_PACKET_TOO_BIG:
		return packet_too_big(c, icmp);
	}
	CHECK(false);
}
