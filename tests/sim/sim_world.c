/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base_bytes.h"
#include "base_check.h"
#include "sim_attacker.h"
#include "sim_dump.h"
#include "sim_world.h"
#include "transport_netstack.h"
#include "wire_checksum.h"

#define CLIENT_IP UINT32_C(0xc6120002) /* 198.18.0.2 */
#define SERVER_IP UINT32_C(0xc6120001)
#define SERVER_MAC ((struct ether_addr){{2, 0, 0, 0, 0, 1}})
#define CLIENT_MAC ((struct ether_addr){{2, 0, 0, 0, 0, 2}})
#define BURST 64U
#define PARTS 8U
#define STEPS_MAX 20000000U
#define TIME_MAX_NS (4 * 3600 * NS_PER_SEC)
#define POLL_NS 2000U /* between two iterations at most, when there is something to do */
#define DELAYED_ACK_NS (40 * NS_PER_MS)
#define CLOSE_NS (1200 * NS_PER_SEC) /* our FIN alone may be sent again for 924 s */

struct world {
	const struct sim_config *cfg;
	struct sim_outcome *out;
	struct sim_random random;
	uint64_t now_ns;
	struct sim_link to_client, to_server;
	const struct sim_server_ops *ops;
	void *server;
	uint16_t client_port; /* of the newest connection */
	struct sim_sink sink;
	struct test_buffers buffers;
	struct netstack *netstack;
	struct fetch *fetch;
	struct http_url url;
	uint8_t tx_bytes[BURST][70000];
	struct sim_referee referee;
};

static void fail(struct world *w, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void
fail(struct world *w, const char *format, ...)
{
	va_list args;

	if (w->out->failure[0] != '\0')
		return;
	va_start(args, format);
	vsnprintf(w->out->failure, sizeof(w->out->failure), format, args);
	va_end(args);
}

/* Into the run's hash, and before your eyes if you like. */
static void
trace(struct world *w, bool to_server, bool damaged, const uint8_t *bytes, uint32_t len)
{
	const struct siphash_key key = {w->out->trace, w->now_ns};

	w->out->trace = siphash24(&key, bytes, len);
	if (w->cfg->dump)
		sim_dump_frame(w->now_ns - w->cfg->start_ns, to_server, damaged, bytes, len);
}

/* ---- our side's frames ---- */

static void
emit(struct world *w, const struct tx_frame *f)
{
	struct sim_tcp t;

	trace(w, true, false, f->data, f->len);
	sim_referee_on_sent(&w->referee, f->data, f->len);
	if (sim_wire_is_tcp(f->data, f->len) && sim_wire_read(f->data, f->len, &t) == NULL &&
		(t.flags & SIM_SYN))
		w->client_port = t.src_port;
	sim_link_send(&w->to_server, f->data, f->len, w->now_ns);
}

static void
transmit(struct world *w)
{
	struct tx_frame tx[BURST];
	uint32_t i, n;

	do {
		for (i = 0; i < BURST; i++)
			tx[i] = (struct tx_frame){
				.data = w->tx_bytes[i], .room = sizeof(w->tx_bytes[i])};
		n = netstack_output(w->netstack, w->now_ns, tx, BURST);
		for (i = 0; i < n; i++)
			emit(w, &tx[i]);
	} while (n > 0);
}

/* One arrived frame as the port would hand it over: in one buffer or cut into several. */
static void
make_frame(struct world *w, const struct sim_frame *f, struct frame *ret, struct frame *parts)
{
	uint32_t cut[PARTS + 1] = {0, f->len}, count = 1, i;
	struct payload p;

	if (f->len > 100 && sim_random_chance(&w->random, w->cfg->chain_per_mille)) {
		count = (uint32_t)sim_random_range(&w->random, 2, PARTS);
		cut[1] = (uint32_t)sim_random_range(&w->random, MIN_OF(94U, f->len), f->len);
		for (i = 2; i < count; i++)
			cut[i] = (uint32_t)sim_random_range(&w->random, cut[i - 1], f->len);
		cut[count] = f->len;
	}
	for (i = count; i-- > 0;) {
		struct frame *at = i == 0 ? ret : &parts[i];

		p = test_buffer_make(&w->buffers, f->bytes + cut[i], cut[i + 1] - cut[i]);
		*at = (struct frame){.data = p.owner, .len = p.len, .owner = p.owner};
		at->next = i + 1 < count ? &parts[i + 1] : NULL;
	}
	if (!f->damaged && sim_random_chance(&w->random, 300))
		ret->flags = FRAME_L4_CSUM_GOOD;
}

static void
receive(struct world *w)
{
	struct frame frames[BURST];
	struct frame parts[BURST][PARTS + 1];
	struct sim_frame *f;
	uint32_t n = 0;

	while (n < BURST && (f = sim_link_receive(&w->to_client, w->now_ns)) != NULL) {
		trace(w, false, f->damaged, f->bytes, f->len);
		if (!f->damaged)
			sim_referee_on_delivered(&w->referee, f->bytes, f->len);
		make_frame(w, f, &frames[n], parts[n]);
		free(f);
		n++;
	}
	netstack_input(w->netstack, frames, n, w->now_ns);
}

static void
attack(struct world *w)
{
	struct sim_attack a = {.client_mac = CLIENT_MAC,
		.server_mac = SERVER_MAC,
		.client_ip = CLIENT_IP,
		.server_ip = SERVER_IP,
		.client_port = w->client_port};
	uint8_t bytes[SIM_FORGED_MAX];
	struct frame frame = {0};
	struct payload p;

	if (!fetch_info(w->fetch, &a.victim) ||
		!sim_random_chance(&w->random, w->cfg->attack_per_mille))
		return;
	if (a.victim.state < TCP_ESTABLISHED)
		return;
	frame.len = sim_attacker_forge(&w->random, &a, bytes);
	p = test_buffer_make(&w->buffers, bytes, frame.len);
	frame.data = frame.owner = p.owner;
	trace(w, false, false, bytes, frame.len);
	sim_referee_on_forged(&w->referee, a.client_port);
	netstack_input(w->netstack, &frame, 1, w->now_ns);
	w->out->forged++;
}

static void
check_connection(struct world *w)
{
	if (!w->cfg->unchecked && fetch_connection(w->fetch) != NULL)
		tcp_conn_check(transport_netstack_tcp(fetch_connection(w->fetch)));
}

/* Segments that the client may refuse, and does not have then. */
static uint64_t
refusals(const struct world *w)
{
	const uint64_t *v = w->out->counters.value;

	return v[COUNTER_DROP_TCP_NO_BUFFER] + v[COUNTER_DROP_TCP_PAWS];
}

/* One iteration of the worker's loop. true: the download is over. */
static bool
iterate(struct world *w)
{
	uint64_t refused;
	bool over;

	if (w->cfg->attack_per_mille > 0)
		attack(w);
	refused = refusals(w); /* of the server's segments */
	receive(w);
	check_connection(w);
	over = fetch_poll(w->fetch, w->now_ns);
	transmit(w);
	check_connection(w);
	w->out->buffers_max = MAX_OF(w->out->buffers_max, test_buffers_live(&w->buffers));
	sim_referee_on_iteration(&w->referee, refusals(w) != refused, w->now_ns);
	if (w->referee.fault[0] != '\0')
		fail(w, "referee: %s", w->referee.fault);
	return over;
}

/* To the next moment at which anything happens, or a poll's length further. */
static void
step_time(struct world *w)
{
	uint64_t next =
		time_min(sim_link_deadline(&w->to_client), sim_link_deadline(&w->to_server));

	next = time_min(next, w->ops->deadline(w->server));
	next = time_min(next, netstack_deadline(w->netstack));
	next = time_min(next, fetch_deadline(w->fetch));
	next = time_min(next, sim_sink_deadline(&w->sink));
	/* The worker never sleeps: what a timer did in the output is seen by the next poll. */
	next = time_min(next, w->now_ns + NS_PER_SEC);
	w->now_ns = MAX_OF(next, w->now_ns + 1 + sim_random_next(&w->random) % POLL_NS);
}

static void
run_server(struct world *w)
{
	struct sim_frame *f;
	const char *fault;

	while ((f = sim_link_receive(&w->to_server, w->now_ns)) != NULL) {
		w->ops->input(w->server, f, w->now_ns);
		free(f);
	}
	w->ops->run(w->server, w->now_ns);
	fault = w->ops->fault(w->server);
	if (fault[0] != '\0')
		fail(w, "server: %s", fault);
}

/* Who waits for whom. */
static void
fail_stalled(struct world *w)
{
	struct tcp_info i = {0};
	char server[200];

	fetch_info(w->fetch, &i);
	w->ops->describe(w->server, server, sizeof(server));
	fail(w,
		"no end after %llu steps, %.0f virtual s: we %s una %u nxt %u rcv_nxt %u wnd %u "
		"held %u; server %s",
		(unsigned long long)w->out->steps, (double)(w->now_ns - w->cfg->start_ns) / 1e9,
		tcp_state_name(i.state), i.snd_una, i.snd_nxt, i.rcv_nxt, i.rcv_wnd,
		i.payloads_held, server);
}

static bool
step(struct world *w)
{
	bool over;

	step_time(w);
	run_server(w);
	over = iterate(w);
	if (++w->out->steps > STEPS_MAX || w->now_ns - w->cfg->start_ns > TIME_MAX_NS)
		fail_stalled(w);
	return over;
}

/* ---- a run ---- */

static void
start_server(struct world *w)
{
	struct sim_site site = {
		.cfg = &w->cfg->peer, .random = &w->random, .out = &w->to_client, .ip = SERVER_IP};

	memcpy(site.mac, SERVER_MAC.byte, sizeof(site.mac));
	w->ops = w->cfg->server;
	w->server = w->ops->start(&site, w->now_ns);
}

/* One for four buffers, of which powers of two there are 4 to 32. */
static uint32_t
acks_recorded(uint32_t payloads_max)
{
	uint32_t n = 32;

	while (n > 4 && 4 * n > payloads_max)
		n /= 2;
	return n;
}

static void
set_up(struct world *w)
{
	const struct sim_config *cfg = w->cfg;
	struct netstack_config ns;
	struct fetch_config fetch = {0};
	const char *why;

	w->random.state = cfg->seed;
	w->now_ns = cfg->start_ns;
	histogram_reset(&w->out->ack_delay);
	w->to_client = (struct sim_link){.cfg = cfg->to_client, .random = &w->random};
	w->to_server = (struct sim_link){.cfg = cfg->to_server, .random = &w->random};
	start_server(w);
	netstack_config_defaults(&ns);
	w->referee.cfg = (struct sim_referee_config){
		.client_ip = CLIENT_IP,
		.server_ip = SERVER_IP,
		.ack_policy = cfg->ack_policy,
		.ack_delay_max_ns = cfg->ack_policy == TCP_ACK_DELAYED ? DELAYED_ACK_NS
								       : ns.tcp.ack_delay_max_ns,
		.slack_ns = POLL_NS,
		.acks_recorded = acks_recorded(cfg->payloads_max),
		.ack_segments_max = ns.tcp.ack_segments_max,
		.mtu = cfg->mtu,
	};
	ns.mac = CLIENT_MAC;
	ns.address = CLIENT_IP;
	ns.mtu = cfg->mtu;
	ns.key = (struct siphash_key){sim_random_next(&w->random), sim_random_next(&w->random)};
	ns.lasting_key = ns.key;
	ns.arp_tries = 50; /* the cable may be bad; giving up is another test's matter */
	ns.tcp.ack_policy = cfg->ack_policy;
	ns.tcp.congestion = cfg->congestion;
	ns.tcp.ecn = cfg->ecn;
	ns.tcp.rack = !cfg->rfc6675;
	ns.tcp.rcv_window_max_bytes = cfg->window_bytes;
	ns.tcp.rcv_window_init_bytes = MIN_OF(cfg->window_bytes, ns.tcp.rcv_window_init_bytes);
	ns.tcp.rcv_payloads_max = cfg->payloads_max;
	ns.out_of_order_max = cfg->shared_places ? 1 : 0;
	if (!cfg->own_limits) {
		ns.tcp.syn_retries = 30;
		ns.tcp.data_retries = 60;
	}
	if (!cfg->keepalive)
		ns.tcp.keepalive_idle_ns = TIME_NEVER;
	ns.tcp.ack_delay = &w->out->ack_delay;
	ns.release = test_buffer_release;
	ns.keep = (cfg->seed & 1) ? test_buffer_keep : NULL; /* both kinds of ports */
	ns.release_ctx = &w->buffers;
	ns.counters = &w->out->counters;
	w->netstack = netstack_create(&ns, w->now_ns);
	CHECK(w->netstack != NULL);
	fetch.transport = transport_of_netstack(w->netstack, test_buffer_release, &w->buffers);
	http_limits_defaults(&fetch.limits);
	w->fetch = fetch_create(&fetch);
	CHECK(w->fetch != NULL && http_url_parse("http://198.18.0.1/file", &w->url, &why) == 0);
}

static bool
expected_code(enum sim_answer answer, enum fetch_code code, bool sink_failed)
{
	switch (answer) {
	case SIM_ANSWER_LENGTH:
	case SIM_ANSWER_CHUNKED:
	case SIM_ANSWER_CLOSE:
		return code == (sink_failed ? FETCH_WRITE_ERROR : FETCH_OK);
	case SIM_ANSWER_EARLY_CLOSE:
	case SIM_ANSWER_RESET:
		return code == FETCH_PARTIAL_FILE || (sink_failed && code == FETCH_WRITE_ERROR);
	case SIM_ANSWER_NOTHING:
		return code == FETCH_GOT_NOTHING;
	case SIM_ANSWER_GARBAGE:
		return code == FETCH_UNSUPPORTED_PROTOCOL || code == FETCH_WEIRD_SERVER_REPLY;
	}
	return false;
}

static void
judge(struct world *w, uint32_t i)
{
	const struct fetch_result *r = fetch_result(w->fetch);
	enum sim_answer answer = w->cfg->answer[i];
	bool whole = answer <= SIM_ANSWER_CLOSE, sink_failed = w->sink.written >= w->sink.fail_at;
	uint64_t due = whole ? w->cfg->body_len[i] : w->cfg->body_len[i] / 2;

	w->out->code[i] = r->code;
	w->out->bytes += w->sink.written;
	if (w->sink.mismatch)
		fail(w, "download %u: wrong bytes on disk", i);
	else if (w->cfg->peer.silent_from > 0)
		return; /* how it ends is the test's matter */
	else if (!expected_code(answer, r->code, sink_failed))
		fail(w, "download %u: code %d (%s)", i, (int)r->code, r->message);
	else if (!sink_failed && answer <= SIM_ANSWER_RESET && w->sink.written != due)
		fail(w, "download %u: %llu bytes on disk, not %llu", i,
			(unsigned long long)w->sink.written, (unsigned long long)due);
	else if (w->sink.complete != (r->code == FETCH_OK) && !sink_failed)
		fail(w, "download %u: the sink was told a wrong end", i);
}

static void
download(struct world *w, uint32_t i)
{
	static const uint32_t header_max = 60000;
	uint64_t start_ns;
	char *header = malloc(header_max + 1);
	const char *headers[] = {header};
	struct fetch_job job = {
		.url = &w->url,
		.remote = {.family = 4, .v4 = SERVER_IP},
		.remote_port = 80,
		.headers = headers,
		.headers_count = w->cfg->long_request_bytes > 0 ? 1 : 0,
		.connect_timeout_ns = TIME_NEVER,
		.max_time_ns = w->cfg->max_time_ns > 0 ? w->cfg->max_time_ns : TIME_NEVER,
		.sink = &sim_sink_ops,
		.sink_file = &w->sink,
	};

	CHECK(header != NULL);
	snprintf(header, header_max + 1, "X-Long: %0*d",
		(int)MIN_OF(w->cfg->long_request_bytes, header_max - 10U), 1);
	w->sink = (struct sim_sink){.random = &w->random,
		.now_ns = &w->now_ns,
		.body_seed = w->cfg->seed + i,
		.delay_max_ns = w->cfg->sink_delay_max_ns,
		.room_per_mille = w->cfg->sink_room_per_mille,
		.fail_at = w->cfg->sink_fail_at};
	w->ops->serve(w->server, &(struct sim_response){w->cfg->answer[i], w->cfg->seed + i,
					 w->cfg->body_len[i], w->cfg->peer.chunk_max});
	start_ns = w->now_ns;
	if (fetch_start(w->fetch, &job, w->now_ns) != 0)
		fail(w, "download %u could not be started", i);
	w->out->half_ns = w->out->half_bytes = 0;
	while (w->out->failure[0] == '\0' && !step(w)) {
		if (w->out->half_ns == 0 && w->sink.written >= w->cfg->body_len[i] / 2) {
			w->out->half_ns = w->now_ns - start_ns;
			w->out->half_bytes = w->sink.written;
		}
	}
	w->out->took_ns[i] = w->now_ns - start_ns;
	if (w->out->failure[0] == '\0')
		judge(w, i);
	free(header);
}

/* What a connection leaves must be gone before netstack_destroy, which would hide it. */
static void
close_all(struct world *w)
{
	uint64_t until_ns = w->now_ns + CLOSE_NS;

	fetch_shutdown(w->fetch, w->now_ns);
	while (w->out->failure[0] == '\0' && netstack_connections(w->netstack) > 0 &&
		w->now_ns < until_ns)
		step(w);
	if (w->out->failure[0] != '\0')
		return;
	if (netstack_connections(w->netstack) > 0)
		fail(w, "%u connections are still open", netstack_connections(w->netstack));
	else if (test_buffers_live(&w->buffers) != 0)
		fail(w, "%llu received buffers are held by no connection",
			(unsigned long long)test_buffers_live(&w->buffers));
}

static void
tear_down(struct world *w)
{
	struct sim_server_report report;

	close_all(w);
	fetch_destroy(w->fetch);
	netstack_destroy(w->netstack);
	http_url_free(&w->url);
	w->ops->report(w->server, &report);
	w->out->server_retransmissions = report.retransmissions;
	w->out->lost = w->to_client.lost + w->to_server.lost;
	w->out->end_ns = w->now_ns;
	w->out->marked = w->to_client.marked + w->to_server.marked;
	w->out->server_ecn_reductions = report.ecn_reductions;
	w->out->fins_crossed = report.fins_crossed;
	w->out->all_ended = sim_referee_all_ended(&w->referee);
	w->out->seen = w->referee.counts;
	w->ops->stop(w->server);
	sim_link_clear(&w->to_client);
	sim_link_clear(&w->to_server);
	sim_referee_clear(&w->referee);
	if (test_buffers_live(&w->buffers) != 0)
		fail(w, "%llu received buffers leaked",
			(unsigned long long)test_buffers_live(&w->buffers));
}

void
sim_world_run(const struct sim_config *cfg, struct sim_outcome *ret)
{
	struct world *w = calloc(1, sizeof(*w));
	uint32_t i;

	CHECK(w != NULL);
	memset(ret, 0, sizeof(*ret));
	w->cfg = cfg;
	w->out = ret;
	set_up(w);
	for (i = 0; i < cfg->downloads && ret->failure[0] == '\0'; i++)
		download(w, i);
	tear_down(w);
	free(w);
}
