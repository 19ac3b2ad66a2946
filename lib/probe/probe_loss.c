/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <string.h>

#include "base_bytes.h"
#include "probe_loss.h"

static const char *const names[PROBE_PLACE_COUNT] = {
	[PROBE_PLACE_TX_RING] = "the transmit ring (full)",
	[PROBE_PLACE_TX_NIC] = "the NIC, sending (oerrors)",
	[PROBE_PLACE_FAR] = "the network or the server",
	[PROBE_PLACE_RX_NIC] = "the NIC, receiving (ierrors)",
	[PROBE_PLACE_RX_RING] = "the receive ring (imissed)",
	[PROBE_PLACE_MEMPOOL] = "the mempool (rx_nombuf)",
	[PROBE_PLACE_STACK] = "the frame's data (it differs)",
};

const char *
probe_place_name(enum probe_place place)
{
	return names[place];
}

void
probe_tally_add(struct probe_tally *to, const struct probe_tally *from)
{
	to->wanted += from->wanted;
	to->unsent += from->unsent;
	to->answered += from->answered;
	to->damaged += from->damaged;
	to->nic_sent += from->nic_sent;
	to->nic_tx_errors += from->nic_tx_errors;
	to->nic_rx_errors += from->nic_rx_errors;
	to->nic_missed += from->nic_missed;
	to->nic_no_mbuf += from->nic_no_mbuf;
}

/* Counters are of all frames, also of those that nobody waits for: no more than are missing. */
static uint64_t
take(uint64_t *missing, uint64_t counted)
{
	uint64_t taken = MIN_OF(*missing, counted);

	*missing -= taken;
	return taken;
}

/* What the NIC took and did not count as sent; it also sends frames that are not in the tally. A driver that does
 * not count at all says 0. */
static uint64_t
not_sent(const struct probe_tally *t)
{
	uint64_t taken = t->wanted - t->unsent;

	if (t->nic_sent == 0 || t->nic_sent >= taken)
		return t->nic_tx_errors;
	return MAX_OF(t->nic_tx_errors, taken - t->nic_sent);
}

uint64_t
probe_loss_locate(const struct probe_tally *t, uint64_t *ret)
{
	uint64_t lost = t->wanted > t->answered ? t->wanted - t->answered : 0, missing = lost;

	ret[PROBE_PLACE_TX_RING] = take(&missing, t->unsent);
	ret[PROBE_PLACE_TX_NIC] = take(&missing, not_sent(t));
	ret[PROBE_PLACE_STACK] = take(&missing, t->damaged);
	ret[PROBE_PLACE_RX_NIC] = take(&missing, t->nic_rx_errors);
	ret[PROBE_PLACE_RX_RING] = take(&missing, t->nic_missed);
	ret[PROBE_PLACE_MEMPOOL] = take(&missing, t->nic_no_mbuf);
	ret[PROBE_PLACE_FAR] = missing;
	return lost;
}

const char *
probe_loss_text(const struct probe_tally *t, char *buf, size_t room)
{
	uint64_t of[PROBE_PLACE_COUNT], lost = probe_loss_locate(t, of);
	size_t used;
	int place;

	(void)snprintf(
		buf, room, "%llu of %llu", (unsigned long long)lost, (unsigned long long)t->wanted);
	for (place = 0; place < PROBE_PLACE_COUNT; place++) {
		if (of[place] == 0)
			continue;
		used = strlen(buf);
		(void)snprintf(buf + used, room - used, "%s %llu in %s",
			strchr(buf, ':') == NULL ? ":" : ",", (unsigned long long)of[place],
			names[place]);
	}
	return buf;
}
