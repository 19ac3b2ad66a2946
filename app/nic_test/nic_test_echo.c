/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base_bytes.h"
#include "base_time.h"
#include "prober.h"
#include "wire_tcp.h"

/* Any host sends an echo back as it came, at any size and rate: what is missing was lost, and the port's own
 * statistics tell whether here. */

#define ECHOES_MAX (1U << 23) /* of one run */
#define BURST 32U
#define FRAME_OVERHEAD 18U /* Ethernet header and frame check sequence */
#define FRAME_MIN 64U /* with these: IEEE 802.3 */
#define ECHOES_A_SIZE 256U
#define WINDOW 8U /* echoes on their way, where the rate does not matter */
#define RATE_NS (500 * NS_PER_MS) /* each rate is kept up for so long, */
#define RATE_REACHED 0.95 /* and is one where so much of it was sent */
#define LOSS_TEXT_MAX 256U
#define OVERRUN_NS (2 * NS_PER_SEC) /* for filling a ring that nobody empties */
#define RING_FULL_NS (50 * NS_PER_US) /* a full transmit ring has room again */

/* A run of equal echoes. */
struct run {
	struct prober *prober;
	uint32_t ip_len, count;
	uint32_t window; /* on their way at most; 0: */
	double rate; /* a second */
	uint32_t first; /* sequence number */
	uint16_t id;
	uint32_t sent; /* or tried to */
	uint32_t on_way;
	uint64_t last_ns; /* something came or went */
	uint64_t sending_ns; /* from the first to the last */
	uint8_t *seen; /* each */
	struct probe_tally tally;
};

static bool
see(void *ctx, uint16_t queue, const struct probe_seen *seen)
{
	struct run *r = ctx;
	uint32_t i = seen->seq - r->first;

	(void)queue;
	if (seen->kind != PROBE_ECHO_REPLY || seen->id != r->id || i >= r->sent || r->seen[i])
		return false;
	r->seen[i] = 1;
	r->on_way -= r->on_way > 0;
	r->last_ns = port_clock_ns();
	if (seen->intact)
		r->tally.answered++;
	else
		r->tally.damaged++;
	return false;
}

static uint32_t
due(const struct run *r, uint64_t start_ns, uint64_t now_ns)
{
	uint64_t planned;

	if (r->window > 0)
		return MIN_OF(r->window - MIN_OF(r->window, r->on_way), r->count - r->sent);
	planned = (uint64_t)((double)(now_ns - start_ns) * r->rate / 1e9) + 1;
	return (uint32_t)MIN_OF(planned, (uint64_t)r->count) - r->sent;
}

static void
send_some(struct run *r, uint32_t n)
{
	struct port_queue *q = port_queue_of(r->prober->host.port, 0);
	uint32_t reserved, i, sent;
	struct tx_frame *frame = port_tx_reserve(q, MIN_OF(n, BURST), &reserved);

	for (i = 0; i < reserved; i++)
		probe_build_echo(
			&frame[i], &r->prober->peers, r->ip_len, r->id, r->first + r->sent + i);
	r->sent += reserved; /* answers may come before port_tx_burst returns */
	sent = port_tx_burst(q, reserved);
	r->tally.unsent += reserved - sent;
	r->on_way += sent;
}

/* Sends all, and waits until all have come, or none has for a while. */
static void
run_echoes(struct run *r)
{
	struct prober *p = r->prober;
	struct port_stats before;
	uint64_t start_ns = port_clock_ns(), now_ns = start_ns;
	uint32_t n;

	port_stats(p->host.port, &before);
	r->first = prober_number(p);
	r->id = (uint16_t)(r->first >> 16 ^ r->first);
	r->last_ns = start_ns;
	while (!prober_must_end(p)) {
		n = due(r, start_ns, now_ns);
		if (n > 0 && r->sent < r->count) {
			send_some(r, n);
			r->last_ns = port_clock_ns();
			r->sending_ns = r->last_ns - start_ns;
		}
		(void)prober_poll(p, see, r);
		now_ns = port_clock_ns();
		if (r->sent == r->count && r->on_way == 0)
			break;
		if (now_ns > r->last_ns && now_ns - r->last_ns > PROBER_SILENCE_NS) {
			r->on_way = 0; /* these do not come any more */
			r->last_ns = now_ns;
			if (r->sent == r->count)
				break;
		}
	}
	r->tally.wanted = r->sent;
	prober_tally_port(p, &before, &r->tally);
}

static bool
run_init(struct run *r, struct prober *p, uint32_t ip_len, uint32_t count)
{
	*r = (struct run){.prober = p, .ip_len = ip_len, .count = MIN_OF(count, ECHOES_MAX)};
	r->seen = calloc(r->count, 1);
	return r->seen != NULL;
}

static uint64_t
missing(const struct run *r)
{
	return r->tally.wanted - r->tally.answered;
}

/* ---- sizes ---- */

struct mss {
	struct prober *prober;
	uint16_t port, mss;
};

static void
build_syn(void *ctx, struct tx_frame *frame, uint32_t attempt)
{
	struct mss *m = ctx;

	(void)attempt;
	m->port = prober_port(m->prober);
	probe_build_syn(
		frame, &m->prober->peers, m->port, prober_number(m->prober), 0, PROBE_SUM_RIGHT);
}

static bool
is_syn_ack(void *ctx, uint16_t queue, const struct probe_seen *seen)
{
	struct mss *m = ctx;
	struct tx_frame *frame;

	(void)queue;
	if (seen->kind != PROBE_SYN_ACK || seen->port != m->port)
		return false;
	m->mss = seen->mss;
	frame = prober_frame(m->prober);
	probe_build_rst(frame, &m->prober->peers, seen->port, seen->seq);
	(void)prober_send(m->prober);
	return true;
}

/* The largest packet that both ends take: the server's is in the MSS that it announces. */
static uint32_t
common_mtu(struct prober *p)
{
	struct mss m = {.prober = p};

	if (!prober_ask(p, PROBER_ANSWER_NS, build_syn, is_syn_ack, &m) || m.mss == 0)
		return MIN_OF((uint32_t)p->settings.mtu, 1500U);
	return MIN_OF(
		(uint32_t)p->settings.mtu, (uint32_t)m.mss + IPV4_HEADER_LEN + TCP_HEADER_LEN);
}

static void
try_size(struct prober *p, struct nic_test_result *res, uint32_t ip_len, uint32_t count,
	struct probe_tally *total)
{
	char name[NIC_TEST_NAME_MAX], lost[LOSS_TEXT_MAX];
	struct run r;

	if (!run_init(&r, p, ip_len, count))
		return;
	r.window = WINDOW;
	run_echoes(&r);
	(void)snprintf(name, sizeof(name), "frames of %u bytes", ip_len + FRAME_OVERHEAD);
	if (missing(&r) == 0)
		nic_test_add_case(res, NIC_TEST_PASS, name, "%u of %u came back, and intact",
			r.count, r.count);
	else
		nic_test_add_case(res, NIC_TEST_FAIL, name, "lost %s",
			probe_loss_text(&r.tally, lost, sizeof(lost)));
	probe_tally_add(total, &r.tally);
	free(r.seen);
}

/* One of each length, so that what is wrong with a single one (padding, a boundary) shows. */
static void
try_each(struct prober *p, struct nic_test_result *res, uint32_t mtu)
{
	uint32_t ip_len, bad = 0, first_bad = 0, tried = 0;
	struct run r;

	for (ip_len = PROBE_ECHO_IP_MIN; ip_len <= mtu && !prober_must_end(p); ip_len++) {
		if (!run_init(&r, p, ip_len, 1))
			return;
		r.window = 1;
		run_echoes(&r);
		tried++;
		if (missing(&r) > 0 && bad++ == 0)
			first_bad = ip_len;
		free(r.seen);
		if (bad > 8)
			break; /* each waits for what does not come */
	}
	if (bad > 0)
		nic_test_add_case(res, NIC_TEST_FAIL, "each length",
			"%u of %u IP lengths did not come back intact, %u bytes the first", bad,
			tried, first_bad);
	else
		nic_test_add_case(res, NIC_TEST_PASS, "each length",
			"IP packets of %u to %u bytes came back, and intact", PROBE_ECHO_IP_MIN,
			mtu);
}

static void
try_sizes(struct prober *p, struct nic_test_result *res)
{
	/* RFC 2544 §9.1, and jumbo frames */
	static const uint32_t frames[] = {64, 128, 256, 512, 1024, 1280, 1518, 2048, 4096, 9018};
	struct probe_tally total = {0};
	uint32_t mtu = common_mtu(p);
	size_t i;

	for (i = 0; i < sizeof(frames) / sizeof(frames[0]) && !prober_must_end(p); i++) {
		if (frames[i] - FRAME_OVERHEAD <= mtu)
			try_size(p, res, frames[i] - FRAME_OVERHEAD, ECHOES_A_SIZE, &total);
	}
	try_each(p, res, MIN_OF(mtu, 1500U));
	nic_test_add_value(res, "mtu", mtu);
	nic_test_add_value(res, "echoes", (double)total.wanted);
	nic_test_add_value(res, "echoes_lost", (double)(total.wanted - total.answered));
	nic_test_conclude_cases(res, "%llu echoes, none lost; up to %u bytes, which both ends take",
		(unsigned long long)total.wanted, mtu + FRAME_OVERHEAD);
}

void
nic_test_sizes(struct nic_test *t, struct nic_test_result *r)
{
	const struct prober_config cfg = {.mtu = nic_test_mtu_max(t)};

	prober_run(t, &cfg, try_sizes, r);
}

/* ---- rates ---- */

enum outcome { KEPT_UP, LOST, NOT_REACHED };

static enum outcome
try_rate(struct prober *p, struct nic_test_result *res, double rate, double *ret_reached)
{
	char name[NIC_TEST_NAME_MAX], lost[LOSS_TEXT_MAX];
	enum outcome outcome = KEPT_UP;
	enum nic_test_verdict verdict = NIC_TEST_PASS;
	struct run r;

	if (!run_init(&r, p, FRAME_MIN - FRAME_OVERHEAD, (uint32_t)(rate * (double)RATE_NS / 1e9)))
		return NOT_REACHED;
	r.rate = rate;
	run_echoes(&r);
	*ret_reached = r.sending_ns > 0 ? (double)r.sent * 1e9 / (double)r.sending_ns : 0;
	if (missing(&r) > 0)
		outcome = LOST;
	else if (*ret_reached < rate * RATE_REACHED)
		outcome = NOT_REACHED;
	if (r.tally.nic_rx_errors > 0 || r.tally.damaged > 0)
		verdict = NIC_TEST_FAIL; /* no rate excuses it */
	(void)snprintf(name, sizeof(name), "%.0f frames/s", rate);
	if (outcome == LOST)
		nic_test_add_case(res, verdict, name, "%.0f/s sent, lost %s", *ret_reached,
			probe_loss_text(&r.tally, lost, sizeof(lost)));
	else
		nic_test_add_case(res, verdict, name, "%.0f/s sent, all came back", *ret_reached);
	free(r.seen);
	return outcome;
}

static void
conclude_rates(struct nic_test_result *res, double best, double first_bad, enum outcome outcome)
{
	nic_test_add_value(res, "frames_per_second_without_loss", best);
	if (best == 0)
		nic_test_conclude(res, NIC_TEST_FAIL, "at %.0f frames/s: %.300s", first_bad,
			res->case_count > 0 ? res->cases[res->case_count - 1].text : "nothing");
	else if (outcome == LOST)
		nic_test_conclude_cases(res,
			"no loss up to %.0f frames of 64 bytes a second; at %.0f: %.200s", best,
			first_bad, res->cases[res->case_count - 1].text);
	else
		nic_test_conclude_cases(res, "no loss up to %.0f frames of 64 bytes a second%s",
			best, outcome == NOT_REACHED ? ", and this CPU sends no more" : "");
}

static void
try_rates(struct prober *p, struct nic_test_result *res)
{
	static const double rates[] = {
		1e3, 2e3, 5e3, 1e4, 2e4, 5e4, 1e5, 2e5, 5e5, 1e6, 2e6, 5e6, 1e7};
	double best = 0, reached = 0, rate = 0;
	enum outcome outcome = KEPT_UP;
	size_t i;

	for (i = 0; i < sizeof(rates) / sizeof(rates[0]) && !prober_must_end(p); i++) {
		rate = rates[i];
		outcome = try_rate(p, res, rate, &reached);
		if (outcome != LOST)
			best = MIN_OF(reached, rate);
		if (outcome != KEPT_UP)
			break;
	}
	conclude_rates(res, best, rate, outcome);
}

void
nic_test_rates(struct nic_test *t, struct nic_test_result *r)
{
	const struct prober_config cfg = {0};

	prober_run(t, &cfg, try_rates, r);
}

/* ---- pause frames ---- */

static void
find_pauses(void *ctx, const char *name, uint64_t value)
{
	uint64_t *sum = ctx;

	if (strstr(name, "xoff") != NULL || strstr(name, "pause") != NULL)
		*sum += value;
}

/* Without a look at the receive ring. */
static void
wait_blind(uint64_t duration_ns)
{
	uint64_t until_ns = port_clock_ns() + duration_ns;

	while (port_clock_ns() < until_ns)
		;
}

/* Sends until the port has taken so many. */
static void
send_blind(struct run *r, uint32_t wanted)
{
	uint64_t until_ns = port_clock_ns() + OVERRUN_NS, unsent;

	while (r->sent - r->tally.unsent < wanted && r->sent < r->count &&
		port_clock_ns() < until_ns && !prober_must_end(r->prober)) {
		unsent = r->tally.unsent;
		send_some(r, r->count - r->sent);
		if (r->tally.unsent > unsent)
			wait_blind(RING_FULL_NS);
	}
}

static void
judge_overrun(const struct run *r, uint32_t ring, uint64_t pauses, struct nic_test_result *res)
{
	uint64_t lost[PROBE_PLACE_COUNT], taken = r->tally.wanted - r->tally.unsent;
	char text[LOSS_TEXT_MAX];

	(void)probe_loss_locate(&r->tally, lost);
	nic_test_add_value(res, "pause_frames", (double)pauses);
	if (lost[PROBE_PLACE_RX_RING] > 0)
		nic_test_conclude(res, NIC_TEST_FAIL,
			"%llu frames found no place in the ring while nobody polled, though we may "
			"pause "
			"the other end: it does not heed pause frames, or the NIC sends none (%llu "
			"counted)",
			(unsigned long long)lost[PROBE_PLACE_RX_RING], (unsigned long long)pauses);
	else if (taken < ring + ring / 2)
		nic_test_conclude(res, NIC_TEST_SKIPPED,
			"the ring holds %u frames, and the port took no more than %llu to send: "
			"too few to fill it",
			ring, (unsigned long long)taken);
	else if (taken > r->tally.answered)
		nic_test_conclude(res, NIC_TEST_SKIPPED,
			"answers are missing (%s), and the driver counts none that found the ring "
			"full: nobody can tell (%llu pause frames counted)",
			probe_loss_text(&r->tally, text, sizeof(text)), (unsigned long long)pauses);
	else
		nic_test_conclude(res, NIC_TEST_PASS,
			"twice what the ring holds came while nobody polled, and nothing was lost "
			"in it "
			"(%llu pause frames counted)",
			(unsigned long long)pauses);
}

/* More than the ring holds, sent while nobody looks at it: only a link partner that heeds pause frames saves
 * the answers. */
static void
overrun(struct prober *p, struct nic_test_result *res)
{
	uint32_t ring = p->facts->port.rx_descriptors;
	struct port_stats before;
	uint64_t pauses = 0;
	struct run r;

	/* What the transmit ring has no room for is sent again, as another echo. */
	if (!run_init(&r, p, FRAME_MIN - FRAME_OVERHEAD, 64U * ring))
		return;
	port_stats(p->host.port, &before);
	r.first = prober_number(p);
	r.id = (uint16_t)r.first;
	send_blind(&r, 2U * ring);
	wait_blind(PROBER_SILENCE_NS);
	(void)prober_await(p, PROBER_ANSWER_NS, see, &r);
	r.tally.wanted = r.sent;
	prober_tally_port(p, &before, &r.tally);
	port_xstats(p->host.port, find_pauses, &pauses);
	judge_overrun(&r, ring, pauses, res);
	free(r.seen);
}

static void
try_pausing(struct prober *p, struct nic_test_result *res)
{
	struct port_flow_control fc;
	int rc = port_flow_control(p->host.port, &fc);

	if (rc != 0)
		nic_test_conclude(res, NIC_TEST_SKIPPED,
			"driver %s does not say whether there is flow control: %s",
			p->facts->port.driver, strerror(-rc));
	else if (!fc.tx_pause)
		nic_test_conclude(res, NIC_TEST_SKIPPED,
			"we may not pause the other end (flow control: receive %s, send off): "
			"frames that find "
			"the ring full are lost",
			fc.rx_pause ? "on" : "off");
	else
		overrun(p, res);
}

void
nic_test_pause(struct nic_test *t, struct nic_test_result *r)
{
	const struct prober_config cfg = {0};

	if (t->facts.abilities.virtual_device)
		nic_test_conclude(r, NIC_TEST_SKIPPED,
			"%s is no NIC of its own: a virtual link has no pause frames",
			t->facts.port.driver);
	else
		prober_run(t, &cfg, try_pausing, r);
}
