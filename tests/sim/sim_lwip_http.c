/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base_bytes.h"
#include "base_check.h"
#include "base_time.h"
#include "sim_lwip_http.h"

static void fault(struct sim_lwip_http *h, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void
fault(struct sim_lwip_http *h, const char *format, ...)
{
	va_list args;

	if (h->fault[0] != '\0')
		return;
	va_start(args, format);
	vsnprintf(h->fault, sizeof(h->fault), format, args);
	va_end(args);
}

/* ---- what lwIP tells ---- */

static void
take_request(struct sim_lwip_conn *c)
{
	if (c->request_len < 4 || memcmp(c->request + c->request_len - 4, "\r\n\r\n", 4) != 0)
		return;
	if (memcmp(c->request, "GET /file HTTP/1.1\r\n", 20) != 0)
		fault(c->http, "the request is not what was asked for");
	c->request_len = 0;
	c->requests++;
	c->answer_at_ns = c->http->now_ns + c->http->cfg->think_ns;
}

static err_t
on_recv(void *arg, struct tcp_pcb *pcb, struct pbuf *p, err_t err)
{
	struct sim_lwip_conn *c = arg;

	(void)err;
	if (p == NULL) {
		c->fin_due = true;
		return ERR_OK;
	}
	if (c->request_len + p->tot_len > sizeof(c->request)) {
		fault(c->http, "the request is longer than any that was asked for");
	} else {
		pbuf_copy_partial(p, c->request + c->request_len, p->tot_len, 0);
		c->request_len += p->tot_len;
	}
	tcp_recved(pcb, p->tot_len);
	pbuf_free(p);
	take_request(c);
	return ERR_OK;
}

static err_t
on_sent(void *arg, struct tcp_pcb *pcb, u16_t len)
{
	struct sim_lwip_conn *c = arg;

	(void)pcb;
	c->acked += len;
	return ERR_OK;
}

/* The pcb is gone. A reset of the client's is the referee's matter, and that lwIP waits no longer
 * for a client's FIN is its right; retransmissions that came to their end are nobody's wish. */
static void
on_error(void *arg, err_t err)
{
	struct sim_lwip_conn *c = arg;

	c->pcb = NULL;
	if (err == ERR_ABRT && !c->http->stopping && c->acked < c->stream.len)
		fault(c->http, "lwIP gave the connection up: %llu of %llu acknowledged",
			(unsigned long long)c->acked, (unsigned long long)c->stream.len);
}

static err_t
on_accept(void *arg, struct tcp_pcb *pcb, err_t err)
{
	struct sim_lwip_http *h = arg;
	struct sim_lwip_conn *c;

	if (err != ERR_OK || pcb == NULL) {
		fault(h, "lwIP could not accept: error %d", err);
		return ERR_VAL;
	}
	c = calloc(1, sizeof(*c));
	CHECK(c != NULL);
	c->next = h->conns;
	h->conns = c;
	c->http = h;
	c->pcb = pcb;
	c->answer_at_ns = TIME_NEVER;
	tcp_arg(pcb, c);
	tcp_recv(pcb, on_recv);
	tcp_sent(pcb, on_sent);
	tcp_err(pcb, on_error);
	if (h->cfg->small_segments)
		tcp_nagle_disable(pcb);
	/* A second copy of the SYN has made it the client's MSS, whatever our own MTU: tcp_process()
	 * parses options in SYN-RECEIVED too, without tcp_eff_send_mss(). */
	pcb->mss = MIN_OF(pcb->mss, h->cfg->mss);
	return ERR_OK;
}

void
sim_lwip_http_start(struct sim_lwip_http *h, const struct sim_site *site)
{
	struct tcp_pcb *pcb = tcp_new();

	h->cfg = site->cfg;
	h->random = site->random;
	CHECK(pcb != NULL && tcp_bind(pcb, IP4_ADDR_ANY, 80) == ERR_OK);
	h->listener = tcp_listen(pcb);
	CHECK(h->listener != NULL);
	tcp_arg(h->listener, h);
	tcp_accept(h->listener, on_accept);
}

/* ---- what it is told ---- */

static void
answer(struct sim_lwip_conn *c)
{
	struct sim_lwip_http *h = c->http;
	bool close = sim_answer_append(
		&c->stream, &h->response, h->random, c->requests >= h->cfg->keep_alive);

	c->answer_at_ns = TIME_NEVER;
	c->reset_due = c->reset_due || h->response.answer == SIM_ANSWER_RESET;
	c->fin_due = c->fin_due || close;
}

/* As much as its buffer takes, in pieces, since more segments than its queue may have are refused
 * altogether. false: some is left. */
static bool
write_stream(struct sim_lwip_conn *c)
{
	const struct sim_peer_config *cfg = c->http->cfg;
	uint64_t left, n, piece = 4U * cfg->mss;

	while ((left = c->stream.len - c->written) > 0) {
		if (cfg->small_segments)
			piece = sim_random_range(c->http->random, 1, 2U * cfg->mss);
		n = MIN_OF(MIN_OF(left, piece), (uint64_t)tcp_sndbuf(c->pcb));
		if (n == 0 || tcp_write(c->pcb, c->stream.bytes + c->written, (u16_t)n,
				      TCP_WRITE_FLAG_COPY) != ERR_OK)
			return false;
		c->written += n;
	}
	return true;
}

static void
reset(struct sim_lwip_conn *c)
{
	tcp_err(c->pcb, NULL); /* we know */
	tcp_abort(c->pcb);
	c->pcb = NULL;
}

/* tcp_close() puts the FIN on what is unsent; it goes alone where that has gone before. From then
 * on the pcb is lwIP's, which frees it without a word. */
static void
push(struct sim_lwip_conn *c)
{
	bool all = write_stream(c) && c->answer_at_ns == TIME_NEVER;

	if (all && c->reset_due && c->acked == c->stream.len) {
		reset(c);
		return;
	}
	if (c->http->cfg->fin_alone || !all || !c->fin_due || c->reset_due)
		tcp_output(c->pcb);
	if (all && c->fin_due && !c->reset_due && tcp_close(c->pcb) == ERR_OK)
		c->pcb = NULL;
}

void
sim_lwip_http_run(struct sim_lwip_http *h, uint64_t now_ns)
{
	struct sim_lwip_conn *c;

	h->now_ns = now_ns;
	for (c = h->conns; c != NULL; c = c->next) {
		if (c->pcb == NULL)
			continue;
		if (now_ns >= c->answer_at_ns)
			answer(c);
		push(c);
	}
}

uint64_t
sim_lwip_http_deadline(const struct sim_lwip_http *h)
{
	const struct sim_lwip_conn *c;
	uint64_t at_ns = TIME_NEVER;

	for (c = h->conns; c != NULL; c = c->next)
		at_ns = time_min(at_ns, c->pcb != NULL ? c->answer_at_ns : TIME_NEVER);
	return at_ns;
}

void
sim_lwip_http_describe(const struct sim_lwip_http *h, char *buf, size_t room)
{
	const struct sim_lwip_conn *c = h->conns;
	const struct tcp_pcb *p = c != NULL ? c->pcb : NULL;

	if (p == NULL)
		snprintf(buf, room, "lwIP has no connection that is not closed");
	else
		snprintf(buf, room,
			"lwIP %s written %llu acked %llu of %llu cwnd %u ssthresh %u window %u "
			"resent %u requests %u",
			tcp_debug_state_str(p->state), (unsigned long long)c->written,
			(unsigned long long)c->acked, (unsigned long long)c->stream.len, p->cwnd,
			p->ssthresh, p->snd_wnd, p->nrtx, c->requests);
}

void
sim_lwip_http_stop(struct sim_lwip_http *h)
{
	struct sim_lwip_conn *c;

	while ((c = h->conns) != NULL) {
		h->conns = c->next;
		free(c->stream.bytes);
		free(c);
	}
	tcp_close(h->listener);
}
