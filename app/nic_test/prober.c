/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base_bytes.h"
#include "base_check.h"
#include "base_time.h"
#include "exit_code.h"
#include "prober.h"

#define BURST 32U
#define RESOLVE_TRIES 5U
#define PORT_FIRST 20000U /* of probes; below those that systems choose by themselves */
#define PORT_LAST 31999U
#define NUMBER_STEP 65537U /* so that both halves of it change */
#define TIMEOUT_NS (180 * NS_PER_SEC) /* of a whole test */

/* What child and parent share. */
struct shared {
	struct nic_test_result result;
	struct nic_test_facts facts;
	bool concluded;
};

uint32_t
prober_next_hop(const struct prober *p)
{
	const struct settings *s = &p->settings;
	uint32_t remote = p->peers.remote;
	bool on_link = ((remote ^ s->address) & ipv4_prefix_mask(s->prefix_len)) == 0;

	return on_link ? remote : s->gateway;
}

bool
prober_link_up(const struct prober *p)
{
	return monitor_link_down_ns(p->host.monitor) == 0;
}

bool
prober_must_end(const struct prober *p)
{
	return monitor_signal(p->host.monitor) != 0;
}

struct tx_frame *
prober_frame(struct prober *p)
{
	uint32_t n;
	struct tx_frame *frame = port_tx_reserve(port_queue_of(p->host.port, 0), 1, &n);

	CHECK(n == 1); /* the pool is larger than the ring */
	return frame;
}

bool
prober_send(struct prober *p)
{
	return port_tx_burst(port_queue_of(p->host.port, 0), 1) == 1;
}

static void
answer_arp(struct prober *p, const struct arp_packet *request)
{
	struct tx_frame *frame = prober_frame(p);

	probe_build_arp_reply(frame, &p->peers, request);
	(void)prober_send(p);
}

static void
release(struct port_queue *q, struct frame *frame)
{
	for (; frame != NULL; frame = frame->next)
		port_release(q, frame->owner);
}

static bool
look_at(struct prober *p, uint16_t queue, const struct frame *frame, prober_see_fn see, void *ctx)
{
	struct probe_seen seen;

	probe_parse(&p->peers, frame, &seen);
	if (seen.kind != PROBE_ARP_REQUEST)
		return see(ctx, queue, &seen);
	answer_arp(p, &seen.arp);
	return false;
}

bool
prober_poll(struct prober *p, prober_see_fn see, void *ctx)
{
	struct frame frames[BURST];
	struct port_queue *q;
	uint32_t i, n, queue;
	bool found = false;

	for (queue = 0; queue < p->host.queues; queue++) {
		q = port_queue_of(p->host.port, (uint16_t)queue);
		n = port_rx_burst(q, frames, BURST);
		p->received += n;
		for (i = 0; i < n; i++) {
			found |= look_at(p, (uint16_t)queue, &frames[i], see, ctx);
			release(q, &frames[i]);
		}
	}
	return found;
}

bool
prober_await(struct prober *p, uint64_t timeout_ns, prober_see_fn see, void *ctx)
{
	uint64_t until_ns = port_clock_ns() + timeout_ns;

	do {
		if (prober_poll(p, see, ctx))
			return true;
	} while (port_clock_ns() < until_ns && !prober_must_end(p));
	return false;
}

void
prober_tally_port(struct prober *p, const struct port_stats *before, struct probe_tally *ret)
{
	struct port_stats now;

	port_stats(p->host.port, &now);
	port_stats_subtract(&now, before);
	ret->nic_sent = now.tx_packets;
	ret->nic_tx_errors = now.tx_errors;
	ret->nic_rx_errors = now.rx_errors;
	ret->nic_missed = now.rx_missed;
	ret->nic_no_mbuf = now.rx_no_mbuf;
}

static bool
see_nothing(void *ctx, uint16_t queue, const struct probe_seen *seen)
{
	(void)ctx;
	(void)queue;
	(void)seen;
	return false;
}

void
prober_idle(struct prober *p, uint64_t duration_ns)
{
	(void)prober_await(p, duration_ns, see_nothing, NULL);
}

bool
prober_ask(
	struct prober *p, uint64_t timeout_ns, prober_build_fn build, prober_see_fn see, void *ctx)
{
	struct tx_frame *frame;
	uint32_t i;

	for (i = 0; i < PROBER_TRIES && !prober_must_end(p); i++) {
		frame = prober_frame(p);
		build(ctx, frame, i);
		(void)prober_send(p);
		if (prober_await(p, timeout_ns, see, ctx))
			return true;
	}
	return false;
}

uint16_t
prober_port(struct prober *p)
{
	uint16_t port = p->next_port;

	p->next_port = port < PORT_LAST ? (uint16_t)(port + 1) : PORT_FIRST;
	return port;
}

uint32_t
prober_number(struct prober *p)
{
	p->next_number += NUMBER_STEP;
	return p->next_number;
}

/* ---- opening ---- */

struct resolving {
	struct prober *prober;
	uint32_t target;
};

static bool
is_resolved(void *ctx, uint16_t queue, const struct probe_seen *seen)
{
	struct resolving *r = ctx;

	(void)queue;
	if (seen->kind != PROBE_ARP_REPLY || seen->arp.sender_ip != r->target)
		return false;
	r->prober->peers.next_hop_mac = seen->arp.sender_mac;
	return true;
}

static int
resolve(struct prober *p)
{
	struct resolving r = {p, prober_next_hop(p)};
	char text[IPV4_ADDR_TEXT_LEN];
	struct tx_frame *frame;
	uint32_t i;

	if (p->settings.gateway_mac_set) {
		p->peers.next_hop_mac = p->settings.gateway_mac;
		return 0;
	}
	for (i = 0; i < RESOLVE_TRIES && !prober_must_end(p); i++) {
		frame = prober_frame(p);
		probe_build_arp_request(frame, &p->peers, r.target);
		(void)prober_send(p);
		if (prober_await(p, PROBER_ANSWER_NS, is_resolved, &r))
			return 0;
	}
	message_error(&p->host.level, EXIT_CODE_COULDNT_CONNECT, "%s does not answer ARP",
		ipv4_addr_format(r.target, text));
	return EXIT_CODE_COULDNT_CONNECT;
}

static int
open_port(struct prober *p, const struct nic_test *t, const struct prober_config *cfg)
{
	struct settings *s = &p->settings;
	int code;
	uint32_t i;

	*s = *t->settings;
	s->mtu = cfg->mtu > 0 ? cfg->mtu : s->mtu;
	s->link_settle_ns =
		t->facts.port_known && t->facts.abilities.virtual_device ? 0 : NIC_TEST_SETTLE_NS;
	s->silent = false; /* what is said is read by our parent */
	s->lro = false; /* frames are to come as they are */
	code = host_check(&p->host, s);
	if (code != 0)
		return code;
	p->host.queues = MAX_OF(cfg->queues, 1U);
	for (i = 0; i < p->host.queues; i++)
		p->host.cpu[i] = p->host.core; /* one thread polls them all */
	p->host.vlan_offload = cfg->vlan_offload;
	monitor_block_signals();
	return host_start_bare(&p->host);
}

static void
note_port(struct prober *p, struct nic_test_facts *facts)
{
	port_info(p->host.port, &facts->port);
	port_abilities(p->host.port, &facts->abilities);
	port_link(p->host.port, &facts->link);
	facts->port_known = true;
	p->peers.mac = p->settings.mac_set ? p->settings.mac : facts->port.mac;
	p->peers.address = p->settings.address;
	p->peers.vlan_id = (uint16_t)p->settings.vlan_id;
	p->peers.remote = facts->remote;
	p->peers.remote_port = facts->remote_port;
	p->next_number = (uint32_t)port_cycles();
	p->next_port = (uint16_t)(PORT_FIRST + p->next_number % (PORT_LAST - PORT_FIRST));
}

static void __attribute__((noreturn)) run_child(const struct nic_test *t,
	const struct prober_config *cfg, prober_fn fn, struct shared *shared)
{
	struct prober p = {.facts = &shared->facts};
	int code = open_port(&p, t, cfg), rc;

	if (code == 0) {
		note_port(&p, &shared->facts);
		code = cfg->port_only ? 0 : resolve(&p);
		if (code == 0) {
			fn(&p, &shared->result);
			shared->concluded = true;
		}
		p.host.failed = code != 0;
		rc = host_stop(&p.host);
		code = code != 0 ? code : rc;
	}
	fflush(NULL);
	if (p.host.signo != 0)
		child_die_by_signal(p.host.signo);
	_exit(code);
}

/* ---- the parent's part ---- */

static void
take_over(struct nic_test *t, const struct shared *shared, struct nic_test_result *r)
{
	char name[NIC_TEST_NAME_MAX];

	memcpy(name, r->name, sizeof(name));
	*r = shared->result;
	memcpy(r->name, name, sizeof(name));
	t->facts = shared->facts;
}

void
prober_run(struct nic_test *t, const struct prober_config *cfg, prober_fn fn,
	struct nic_test_result *r)
{
	struct shared *shared = mmap(
		NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct child_errors errors;
	int status;
	pid_t child;

	if (shared == MAP_FAILED || child_errors_open(&errors) != 0) {
		nic_test_conclude(r, NIC_TEST_FAIL, "no memory: %s", strerror(errno));
		if (shared != MAP_FAILED)
			munmap(shared, sizeof(*shared));
		return;
	}
	shared->facts = t->facts;
	child = child_fork();
	if (child == 0) {
		child_errors_redirect(&errors);
		run_child(t, cfg, fn, shared);
	}
	status = child > 0 ? child_wait(child, TIMEOUT_NS, CHILD_GRACE_NS, &t->signo) : -errno;
	if (shared->concluded || shared->facts.port_known)
		take_over(t, shared, r);
	if (!shared->concluded || status != 0 || t->signo != 0)
		nic_test_conclude_child(t, status, &errors, r);
	child_errors_close(&errors, t->level.details);
	munmap(shared, sizeof(*shared));
}
