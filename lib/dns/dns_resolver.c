/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "base_bytes.h"
#include "dns_resolver.h"

struct dns_resolver {
	struct dns_config cfg;
	struct dns_result result;
	struct dns_query query; /* under way */
	struct ip_address failed_server; /* that gave result.rcode */
	uint64_t randoms; /* drawn so far */
	uint32_t tries; /* questions by UDP begun for this name: the next one's server and round */
	uint32_t aliases; /* names asked for because a server did not follow an alias */
	bool ask_aaaa_too; /* when there is no A */
	bool due; /* the question is to be sent */
	bool tcp; /* it is under way by TCP */
	uint64_t deadline_ns; /* of the answer */
	uint8_t message[DNS_TCP_PREFIX_LEN + DNS_QUERY_LEN_MAX];
	uint32_t stream_len; /* bytes at stream, prefix included */
	uint8_t stream[DNS_TCP_PREFIX_LEN + DNS_TCP_MESSAGE_MAX];
};

struct dns_resolver *
dns_resolver_create(const struct dns_config *cfg)
{
	struct dns_resolver *r;

	if (cfg->server_count == 0 || cfg->server_count > DNS_SERVERS_MAX || cfg->counters == NULL)
		return NULL;
	r = calloc(1, sizeof(*r));
	if (r == NULL)
		return NULL;
	r->cfg = *cfg;
	r->result.outcome = DNS_FAILED;
	return r;
}

void
dns_resolver_destroy(struct dns_resolver *r)
{
	free(r);
}

static bool
running(const struct dns_resolver *r)
{
	return r->result.outcome == DNS_RUNNING;
}

static void
end(struct dns_resolver *r, enum dns_outcome outcome)
{
	r->result.outcome = outcome;
	r->due = r->tcp = false;
}

static uint64_t
draw(struct dns_resolver *r)
{
	r->randoms++;
	return siphash24(&r->cfg.key, &r->randoms, sizeof(r->randoms));
}

/* The question for query.name, from the first server on. */
static void
ask_from_the_first(struct dns_resolver *r)
{
	r->tries = 0;
	r->due = true;
	r->tcp = false;
}

int
dns_resolver_start(struct dns_resolver *r, const char *name, uint8_t family)
{
	struct dns_query query = {.type = family == 6 ? DNS_TYPE_AAAA : DNS_TYPE_A, .edns = true};
	int len = snprintf(query.name, sizeof(query.name), "%s", name);
	int rc;

	if (len < 0 || (size_t)len >= sizeof(query.name))
		return -EINVAL;
	rc = wire_dns_build_query(r->message, sizeof(r->message), &query);
	if (rc < 0)
		return rc;
	r->query = query;
	r->ask_aaaa_too = family == 0;
	r->aliases = 0;
	r->result = (struct dns_result){.outcome = DNS_RUNNING};
	memcpy(r->result.name, query.name, sizeof(r->result.name));
	ask_from_the_first(r);
	return 0;
}

/* ---- output ---- */

static void
next_server(struct dns_resolver *r)
{
	if (r->tries < DNS_ROUNDS * r->cfg.server_count) {
		r->due = true;
		r->tcp = false;
		return;
	}
	if (r->result.rcode == DNS_RCODE_NOERROR) {
		end(r, DNS_TIMED_OUT);
		return;
	}
	r->result.server = r->failed_server;
	end(r, DNS_FAILED);
}

/* Writes the question after the length prefix; its id is new. Returns its length. */
static uint32_t
write_question(struct dns_resolver *r)
{
	int len;

	r->query.id = (uint16_t)draw(r);
	len = wire_dns_build_query(r->message + DNS_TCP_PREFIX_LEN,
		sizeof(r->message) - DNS_TCP_PREFIX_LEN, &r->query);
	be16_store(r->message, (uint16_t)len);
	return (uint32_t)len; /* dns_resolver_start, or leads_on, has built it before */
}

static void
send_udp(struct dns_resolver *r, uint64_t now_ns, struct dns_output *ret)
{
	uint32_t round = r->tries / r->cfg.server_count;

	r->result.server = r->cfg.server[r->tries++ % r->cfg.server_count];
	r->deadline_ns = now_ns + (round == 0 ? DNS_TIMEOUT_FIRST_NS : DNS_TIMEOUT_SECOND_NS);
	*ret = (struct dns_output){.server = r->result.server, .len = write_question(r)};
	ret->data = r->message + DNS_TCP_PREFIX_LEN;
}

static void
send_tcp(struct dns_resolver *r, uint64_t now_ns, struct dns_output *ret)
{
	r->stream_len = 0;
	r->result.by_tcp = true;
	r->deadline_ns = now_ns + DNS_TIMEOUT_TCP_NS;
	*ret = (struct dns_output){.server = r->result.server, .tcp = true, .data = r->message};
	ret->len = DNS_TCP_PREFIX_LEN + write_question(r);
}

bool
dns_resolver_output(struct dns_resolver *r, uint64_t now_ns, struct dns_output *ret)
{
	if (running(r) && !r->due && now_ns >= r->deadline_ns)
		next_server(r);
	if (!running(r) || !r->due)
		return false;
	r->due = false;
	if (r->tcp)
		send_tcp(r, now_ns, ret);
	else
		send_udp(r, now_ns, ret);
	r->result.questions++;
	return true;
}

uint64_t
dns_resolver_deadline(const struct dns_resolver *r)
{
	if (!running(r))
		return TIME_NEVER;
	return r->due ? 0 : r->deadline_ns;
}

/* ---- input ---- */

static void
take_addresses(struct dns_resolver *r, const struct dns_answer *a)
{
	struct ip_address *address;
	uint32_t i;

	for (i = 0; i < a->count; i++) {
		address = &r->result.address[i];
		if (r->query.type == DNS_TYPE_A) {
			*address = (struct ip_address){.family = 4};
			address->v4 = be32_load(a->address[i]);
		} else {
			*address = (struct ip_address){.family = 6};
			memcpy(address->v6.byte, a->address[i], sizeof(address->v6.byte));
		}
	}
	r->result.count = a->count;
	end(r, DNS_FOUND);
}

/* Is the answer's name another one than the question's, and one that can be asked for? An alias for
 * the root cannot. */
static bool
leads_on(struct dns_resolver *r, const struct dns_answer *a)
{
	struct dns_query query = r->query;

	memcpy(query.name, a->name, sizeof(query.name));
	return strcasecmp(a->name, r->query.name) != 0 &&
	       wire_dns_build_query(r->message, sizeof(r->message), &query) > 0;
}

/* NOERROR without an address: an alias that the server did not follow, or another type to ask for,
 * or the end. */
static void
on_no_address(struct dns_resolver *r, const struct dns_answer *a)
{
	if (r->aliases < DNS_CNAMES_MAX && leads_on(r, a)) {
		r->aliases++;
		memcpy(r->query.name, a->name, sizeof(r->query.name));
		ask_from_the_first(r);
	} else if (r->query.type == DNS_TYPE_A && r->ask_aaaa_too) {
		r->query.type = DNS_TYPE_AAAA;
		ask_from_the_first(r);
	} else {
		end(r, DNS_NO_ADDRESS);
	}
}

static void
on_rcode(struct dns_resolver *r, uint8_t rcode)
{
	r->result.rcode = rcode;
	r->failed_server = r->result.server;
	if (rcode == DNS_RCODE_NXDOMAIN) {
		end(r, DNS_NO_NAME);
	} else if ((rcode == DNS_RCODE_FORMERR || rcode == DNS_RCODE_NOTIMP) && r->query.edns) {
		r->query.edns = false; /* RFC 6891 §6.2.2: it does not know EDNS */
		r->due = true;
		r->tries -= r->tcp ? 0 : 1;
	} else {
		next_server(r);
	}
}

static void
on_answer(struct dns_resolver *r, const struct dns_answer *a)
{
	memcpy(r->result.name, a->name, sizeof(r->result.name));
	if (a->rcode != DNS_RCODE_NOERROR) {
		on_rcode(r, a->rcode);
		return;
	}
	r->result.rcode = DNS_RCODE_NOERROR;
	if (a->truncated && !r->tcp)
		r->tcp = r->due = true;
	else if (a->truncated)
		next_server(r); /* there is no more room than TCP's */
	else if (a->count > 0)
		take_addresses(r, a);
	else
		on_no_address(r, a);
}

enum drop_reason
dns_resolver_input(struct dns_resolver *r, const struct ip_address *from, uint16_t from_port,
	const uint8_t *data, uint32_t len, uint64_t now_ns)
{
	struct dns_answer a;
	enum drop_reason drop;

	if (!running(r) || r->due || r->tcp || now_ns >= r->deadline_ns || from_port != DNS_PORT ||
		!ip_address_equal(from, &r->result.server))
		drop = DROP_DNS_MISMATCH;
	else
		drop = wire_dns_parse(data, len, &r->query, &a);
	counter_drop(r->cfg.counters, drop);
	if (drop == DROP_NONE)
		on_answer(r, &a);
	return drop;
}

/* The message is whole: it is the answer, or the server is given up. */
static void
on_stream_message(struct dns_resolver *r, uint32_t len)
{
	struct dns_answer a;
	enum drop_reason drop = wire_dns_parse(r->stream + DNS_TCP_PREFIX_LEN, len, &r->query, &a);

	counter_drop(r->cfg.counters, drop);
	if (drop == DROP_NONE)
		on_answer(r, &a);
	else
		next_server(r);
}

uint32_t
dns_resolver_input_tcp(struct dns_resolver *r, const uint8_t *data, uint32_t len)
{
	uint32_t used = 0, wanted, n;

	while (used < len && dns_resolver_wants_tcp(r)) {
		wanted = DNS_TCP_PREFIX_LEN;
		if (r->stream_len >= DNS_TCP_PREFIX_LEN)
			wanted += be16_load(r->stream);
		n = MIN_OF(wanted - r->stream_len, len - used);
		memcpy(r->stream + r->stream_len, data + used, n);
		r->stream_len += n;
		used += n;
		if (r->stream_len >= DNS_TCP_PREFIX_LEN &&
			r->stream_len == DNS_TCP_PREFIX_LEN + (uint32_t)be16_load(r->stream))
			on_stream_message(r, r->stream_len - DNS_TCP_PREFIX_LEN);
	}
	return used;
}

void
dns_resolver_on_error(struct dns_resolver *r)
{
	if (running(r) && !r->due)
		next_server(r);
}

bool
dns_resolver_wants_tcp(const struct dns_resolver *r)
{
	return running(r) && r->tcp && !r->due;
}

const struct dns_result *
dns_resolver_result(const struct dns_resolver *r)
{
	return &r->result;
}
