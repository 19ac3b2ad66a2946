/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <string.h>

#include "dns_client.h"
#include "netstack_udp.h"

#define PARTS 8U

struct dns_client {
	struct dns_client_config cfg;
	struct dns_resolver *resolver;
	struct netstack_udp *udp; /* of the question under way, or NULL */
	struct netstack_conn *conn; /* the same by TCP */
	int error;
	struct ip_address error_server; /* that it is about */
	uint32_t question_len; /* 0: it was sent */
	uint8_t question[DNS_TCP_PREFIX_LEN + DNS_QUERY_LEN_MAX]; /* waits for the connection */
};

struct dns_client *
dns_client_create(const struct dns_client_config *cfg)
{
	struct dns_client *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	c->cfg = *cfg;
	c->resolver = dns_resolver_create(&cfg->dns);
	if (c->resolver == NULL) {
		free(c);
		return NULL;
	}
	return c;
}

/* What belongs to the question before; its late answers find no port. */
static void
close_transports(struct dns_client *c, uint64_t now_ns)
{
	netstack_udp_close(c->cfg.netstack, c->udp);
	c->udp = NULL;
	if (c->conn != NULL)
		netstack_release_conn(c->cfg.netstack, c->conn, now_ns);
	c->conn = NULL;
}

void
dns_client_destroy(struct dns_client *c, uint64_t now_ns)
{
	if (c == NULL)
		return;
	close_transports(c, now_ns);
	dns_resolver_destroy(c->resolver);
	free(c);
}

int
dns_client_start(struct dns_client *c, const char *name, uint8_t family)
{
	c->error = 0;
	return dns_resolver_start(c->resolver, name, family);
}

static void
on_error(struct dns_client *c, int error)
{
	c->error = error;
	c->error_server = dns_client_result(c)->server;
	dns_resolver_on_error(c->resolver);
}

/* ---- UDP ---- */

static int
send_udp(struct dns_client *c, const struct dns_output *out)
{
	int rc = netstack_udp_open(c->cfg.netstack, 0, &c->udp);

	if (rc != 0) {
		c->udp = NULL;
		return rc;
	}
	return netstack_udp_send(
		c->cfg.netstack, c->udp, &out->server, DNS_PORT, out->data, out->len);
}

static void
poll_udp(struct dns_client *c, uint64_t now_ns)
{
	struct netstack_udp_received r;
	int error;

	while (netstack_udp_recv(c->udp, &r))
		(void)dns_resolver_input(c->resolver, &r.from, r.from_port, r.data, r.len, now_ns);
	error = netstack_udp_error(c->udp);
	if (error != 0)
		on_error(c, error);
}

/* ---- TCP ---- */

static int
send_tcp(struct dns_client *c, const struct dns_output *out, uint64_t now_ns)
{
	int rc = netstack_connect(c->cfg.netstack, &out->server, DNS_PORT, c, now_ns, &c->conn);

	if (rc != 0) {
		c->conn = NULL;
		return rc;
	}
	memcpy(c->question, out->data, out->len);
	c->question_len = out->len;
	return 0;
}

static void
send_question(struct dns_client *c, struct tcp_conn *tcp)
{
	if (c->question_len == 0 || tcp_conn_state(tcp) < TCP_ESTABLISHED)
		return;
	/* The send buffer is empty, and larger than any question. */
	(void)tcp_conn_send(tcp, c->question, c->question_len);
	c->question_len = 0;
	netstack_conn_touch(c->cfg.netstack, c->conn);
}

static void
receive(struct dns_client *c, struct tcp_conn *tcp)
{
	struct payload part[PARTS];
	uint32_t n, i;

	while ((n = tcp_conn_recv(tcp, part, PARTS)) > 0) {
		for (i = 0; i < n; i++) {
			(void)dns_resolver_input_tcp(c->resolver, part[i].data, part[i].len);
			tcp_conn_consumed(tcp, part[i].len, 1);
			if (part[i].owner != NULL)
				c->cfg.release(c->cfg.release_ctx, part[i].owner);
		}
		netstack_conn_touch(c->cfg.netstack, c->conn);
	}
}

static void
poll_tcp(struct dns_client *c)
{
	struct tcp_conn *tcp = netstack_conn_tcp(c->conn);
	int error;

	send_question(c, tcp);
	receive(c, tcp);
	error = netstack_conn_error(c->conn);
	if (dns_resolver_wants_tcp(c->resolver) &&
		(error != 0 || tcp_conn_recv_finished(tcp) || tcp_conn_state(tcp) == TCP_CLOSED))
		on_error(c, error);
}

/* ---- both ---- */

bool
dns_client_poll(struct dns_client *c, uint64_t now_ns)
{
	struct dns_output out;
	int rc;

	if (c->udp != NULL)
		poll_udp(c, now_ns);
	if (c->conn != NULL)
		poll_tcp(c);
	while (dns_resolver_output(c->resolver, now_ns, &out)) {
		close_transports(c, now_ns);
		rc = out.tcp ? send_tcp(c, &out, now_ns) : send_udp(c, &out);
		if (rc != 0)
			on_error(c, rc);
	}
	if (dns_client_result(c)->outcome == DNS_RUNNING)
		return false;
	close_transports(c, now_ns);
	return true;
}

const struct dns_result *
dns_client_result(const struct dns_client *c)
{
	return dns_resolver_result(c->resolver);
}

int
dns_client_error(const struct dns_client *c)
{
	return ip_address_equal(&c->error_server, &dns_client_result(c)->server) ? c->error : 0;
}
