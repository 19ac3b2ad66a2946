/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>

#include "base_bytes.h"
#include "base_time.h"
#include "prober.h"
#include "wire_tcp.h"

/* ---- sending: a SYN's checksum covers its data, and who verifies it answers only to a right one ---- */

struct knocking {
	struct prober *prober;
	uint32_t payload_len;
	enum probe_sum sum;
	uint16_t port; /* of the last one, */
	uint32_t isn; /* and its number */
	uint32_t acked;
	bool reset;
};

static void
build_syn(void *ctx, struct tx_frame *frame, uint32_t attempt)
{
	struct knocking *k = ctx;

	(void)attempt;
	k->port = prober_port(k->prober);
	k->isn = prober_number(k->prober);
	probe_build_syn(frame, &k->prober->peers, k->port, k->isn, k->payload_len, k->sum);
}

/* Some take the data of a SYN, most do not. */
static bool
is_answer(void *ctx, uint16_t queue, const struct probe_seen *seen)
{
	struct knocking *k = ctx;
	uint32_t beyond = seen->seq - (k->isn + 1);

	(void)queue;
	if ((seen->kind != PROBE_SYN_ACK && seen->kind != PROBE_RST) || seen->port != k->port ||
		beyond > k->payload_len)
		return false;
	k->acked = seen->seq;
	k->reset = seen->kind == PROBE_RST;
	return true;
}

/* Is such a SYN answered? What it opened is closed again. */
static bool
is_answered(struct prober *p, enum probe_sum sum, uint32_t payload_len, uint64_t timeout_ns)
{
	struct knocking k = {.prober = p, .payload_len = payload_len, .sum = sum};
	struct tx_frame *frame;

	if (!prober_ask(p, timeout_ns, build_syn, is_answer, &k))
		return false;
	if (!k.reset) {
		frame = prober_frame(p);
		probe_build_rst(frame, &p->peers, k.port, k.acked);
		(void)prober_send(p);
	}
	return true;
}

/* Is what the NIC sends verified at all, by whom it reaches? */
static bool
is_verified(struct prober *p, struct nic_test_result *r)
{
	if (!is_answered(p, PROBE_SUM_RIGHT, 0, PROBER_ANSWER_NS)) {
		nic_test_conclude(r, NIC_TEST_FAIL,
			"the server does not answer a SYN with a "
			"right checksum made in software");
		return false;
	}
	if (is_answered(p, PROBE_SUM_WRONG, 0, PROBER_SILENCE_NS)) {
		nic_test_conclude(r, NIC_TEST_SKIPPED,
			"the server answers a SYN with a wrong checksum: it, or a virtual link "
			"before it, "
			"does not look, so that nothing can be told of right ones");
		return false;
	}
	nic_test_add_case(r, NIC_TEST_PASS, "wrong, in software", "not answered, as it must be");
	return true;
}

/* A SYN with data may be too odd for a firewall on the way, whoever makes its checksum. */
static void
try_length(struct prober *p, struct nic_test_result *r, uint32_t payload_len)
{
	char name[NIC_TEST_NAME_MAX];

	(void)snprintf(name, sizeof(name), "by the NIC, %u bytes of data", payload_len);
	if (is_answered(p, PROBE_SUM_NIC, payload_len, PROBER_ANSWER_NS))
		nic_test_add_case(r, NIC_TEST_PASS, name, "answered");
	else if (is_answered(p, PROBE_SUM_RIGHT, payload_len, PROBER_ANSWER_NS))
		nic_test_add_case(r, NIC_TEST_FAIL, name,
			"not answered: the NIC fills in a wrong checksum; fetch with "
			"--no-checksum-offload");
	else
		nic_test_add_case(r, NIC_TEST_SKIPPED, name,
			"not answered, and with a checksum made in software neither");
}

static void
try_sending(struct prober *p, struct nic_test_result *r)
{
	static const uint32_t lengths[] = {0, 1, 2, 3, 5, 17, 64, 511, 512, 1000, 1001, 1455, 1456};
	uint32_t room = (uint32_t)p->settings.mtu - IPV4_HEADER_LEN - TCP_HEADER_LEN -
			4U; /* the MSS option */
	size_t i;

	if (!is_verified(p, r))
		return;
	for (i = 0; i < sizeof(lengths) / sizeof(lengths[0]) && !prober_must_end(p); i++) {
		if (lengths[i] <= room)
			try_length(p, r, lengths[i]);
	}
	nic_test_conclude_cases(r, "the NIC's are right; wrong ones are not answered");
}

void
nic_test_checksum_tx(struct nic_test *t, struct nic_test_result *r)
{
	const struct prober_config cfg = {0};

	if (!t->settings->checksum_offload)
		nic_test_conclude(r, NIC_TEST_SKIPPED, "--no-checksum-offload");
	else if (!(t->facts.port.tx_offloads & TX_FRAME_TCP_CSUM))
		nic_test_conclude(r, NIC_TEST_SKIPPED,
			"driver %s computes none: it is done in software", t->facts.port.driver);
	else
		prober_run(t, &cfg, try_sending, r);
}

/* ---- receiving: a router sends back what is for us, with whatever checksum it came ---- */

struct returning {
	struct prober *prober;
	uint8_t protocol;
	uint32_t payload_len;
	enum probe_sum sum;
	uint16_t port;
	uint64_t voucher;
	struct probe_seen seen;
};

static void
build_returning(void *ctx, struct tx_frame *frame, uint32_t attempt)
{
	struct returning *b = ctx;

	(void)attempt;
	b->port = prober_port(b->prober);
	b->voucher = (uint64_t)prober_number(b->prober) << 32 | prober_number(b->prober);
	probe_build_returning(
		frame, &b->prober->peers, b->protocol, b->port, b->voucher, b->payload_len, b->sum);
}

static bool
is_back(void *ctx, uint16_t queue, const struct probe_seen *seen)
{
	struct returning *b = ctx;

	(void)queue;
	if (seen->kind != PROBE_RETURNED || seen->voucher != b->voucher)
		return false;
	b->seen = *seen;
	return true;
}

static void
judge_right(const struct probe_seen *seen, struct nic_test_result *r, const char *name)
{
	if (!seen->sum_right)
		nic_test_add_case(
			r, NIC_TEST_FAIL, name, "came back with a wrong one: damaged on its way");
	else if (seen->flags & FRAME_L4_CSUM_BAD)
		nic_test_add_case(r, NIC_TEST_FAIL, name,
			"the NIC calls it wrong: every such frame is dropped; fetch with "
			"--no-checksum-offload");
	else
		nic_test_add_case(r, NIC_TEST_PASS, name, "%s",
			seen->flags & FRAME_L4_CSUM_GOOD
				? "the NIC vouches for it"
				: "the NIC says nothing; verified in software");
}

static void
judge_wrong(const struct probe_seen *seen, struct nic_test_result *r, const char *name)
{
	if (seen->sum_right)
		nic_test_add_case(r, NIC_TEST_SKIPPED, name,
			"was mended on its way: the router has made it anew");
	else if (seen->flags & FRAME_L4_CSUM_GOOD)
		nic_test_add_case(r, NIC_TEST_FAIL, name,
			"the NIC vouches for it: damaged data would reach the file; fetch with "
			"--no-checksum-offload");
	else
		nic_test_add_case(r, NIC_TEST_PASS, name, "%s",
			seen->flags & FRAME_L4_CSUM_BAD
				? "the NIC reports it"
				: "the NIC does not vouch for it; found in software");
}

static void
try_returning(struct prober *p, struct nic_test_result *r, uint8_t protocol, uint32_t len,
	enum probe_sum sum)
{
	struct returning b = {.prober = p, .protocol = protocol, .payload_len = len, .sum = sum};
	char name[NIC_TEST_NAME_MAX];

	(void)snprintf(name, sizeof(name), "%s, %u bytes, %s",
		protocol == IPV4_PROTO_TCP ? "TCP" : "UDP", len,
		sum == PROBE_SUM_RIGHT ? "right" : "wrong");
	if (prober_ask(p, PROBER_ANSWER_NS, build_returning, is_back, &b))
		(sum == PROBE_SUM_RIGHT ? judge_right : judge_wrong)(&b.seen, r, name);
	else if (sum == PROBE_SUM_RIGHT)
		nic_test_add_case(r, NIC_TEST_FAIL, name, "did not come back, as others do");
	else
		nic_test_add_case(r, NIC_TEST_SKIPPED, name,
			"did not come back: dropped by the router or by the NIC itself");
}

static void
try_receiving(struct prober *p, struct nic_test_result *r)
{
	static const uint8_t protocols[] = {IPV4_PROTO_TCP, IPV4_PROTO_UDP};
	static const uint32_t lengths[] = {PROBE_VOUCHER_BYTES, PROBE_VOUCHER_BYTES + 1, 100, 1401};
	struct returning b = {.prober = p,
		.protocol = IPV4_PROTO_UDP,
		.payload_len = PROBE_VOUCHER_BYTES,
		.sum = PROBE_SUM_RIGHT};
	size_t i, k;

	if (!prober_ask(p, PROBER_ANSWER_NS, build_returning, is_back, &b)) {
		nic_test_conclude(r, NIC_TEST_SKIPPED,
			"the next hop does not send back what is for us, and no sound host sends "
			"wrong "
			"checksums; on a Linux server sysctl -w net.ipv4.ip_forward=1 lets it (0 "
			"afterwards)");
		return;
	}
	for (i = 0; i < sizeof(protocols); i++) {
		for (k = 0; k < sizeof(lengths) / sizeof(lengths[0]) && !prober_must_end(p); k++) {
			if (lengths[k] + IPV4_HEADER_LEN + TCP_HEADER_LEN > p->settings.mtu)
				continue;
			try_returning(p, r, protocols[i], lengths[k], PROBE_SUM_RIGHT);
			try_returning(p, r, protocols[i], lengths[k], PROBE_SUM_WRONG);
		}
	}
	nic_test_conclude_cases(r, "%s",
		p->facts->port.rx_l4_checksum
			? "no wrong one passed for right, and no right one for wrong (TCP and UDP)"
			: "the NIC verifies none; right and wrong ones were told apart in "
			  "software");
}

void
nic_test_checksum_rx(struct nic_test *t, struct nic_test_result *r)
{
	const struct prober_config cfg = {0};

	prober_run(t, &cfg, try_receiving, r);
}
