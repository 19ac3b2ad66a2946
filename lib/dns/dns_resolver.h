/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DNS_RESOLVER_H
#define DNS_RESOLVER_H

#include <stdbool.h>
#include <stdint.h>

#include "base_counters.h"
#include "base_siphash.h"
#include "dns_limits.h"
#include "netstack.h"
#include "wire_dns.h"

/*
 * A DNS stub resolver (RFC 1035, RFC 1123 §6.1.3) without I/O: one name at a time; messages and
 * the time go in, messages come out. Names are taken as they are: no search list.
 *
 * Servers are asked in order, all of them twice. Each question has a random id and is to go out
 * from a random port of its own (RFC 5452); an answer counts only if server, port, id and question
 * are right. A truncated one is asked for by TCP. SERVFAIL, REFUSED and their kin lead on to the
 * next server; NXDOMAIN and "no such record" are answers.
 */

enum dns_outcome {
	DNS_RUNNING,
	DNS_FOUND,
	DNS_NO_NAME, /* NXDOMAIN */
	DNS_NO_ADDRESS, /* the name exists, without an address of a family that was asked for */
	DNS_FAILED, /* every server refused or failed; rcode is the last answer's */
	DNS_TIMED_OUT, /* no server answered in time, or none could be reached */
};

struct dns_config {
	struct ip_address server[DNS_SERVERS_MAX];
	uint32_t server_count; /* 1.. */
	struct siphash_key key; /* secret and new each time: ids come of it */
	struct counters *counters;
};

struct dns_result {
	enum dns_outcome outcome;
	uint8_t rcode; /* of the last answer, 0: NOERROR or none */
	uint32_t count; /* addresses, with FOUND */
	struct ip_address address[DNS_ADDRESSES_MAX]; /* as the server ordered them */
	char name[DNS_NAME_MAX]; /* that has them: the end of the aliases */
	struct ip_address server; /* that answered, with FAILED rcode; else that was asked last */
	uint32_t questions; /* sent, by UDP and TCP */
	bool by_tcp; /* the answer was too long for UDP */
};

/** A question to send; data is valid until the next call. */
struct dns_output {
	struct ip_address server; /* its port is DNS_PORT */
	bool tcp; /* over a new connection; the length prefix is in data. Else by UDP, from a new
		   * random port; whatever went out before is over and not waited for any longer */
	const uint8_t *data;
	uint32_t len;
};

struct dns_resolver;

/** NULL when out of memory or without servers. cfg is copied. */
struct dns_resolver *dns_resolver_create(const struct dns_config *cfg);
void dns_resolver_destroy(struct dns_resolver *r);

/**
 * Begins to look up a name; what was under way is forgotten. family: 4, 6, or 0: IPv4 addresses,
 * and IPv6 ones if it has none of those. 0, or -EINVAL when no name of DNS is written like that.
 */
int dns_resolver_start(struct dns_resolver *r, const char *name, uint8_t family);

/** Runs the timer. true: *ret is to be sent; call again. */
bool dns_resolver_output(struct dns_resolver *r, uint64_t now_ns, struct dns_output *ret);

/** When dns_resolver_output must be called; TIME_NEVER: the lookup is over. */
uint64_t dns_resolver_deadline(const struct dns_resolver *r);

/** A datagram to the port that the last question went out from. What is no answer to it changes
 *  nothing and is counted under its drop reason, which is returned. */
enum drop_reason dns_resolver_input(struct dns_resolver *r, const struct ip_address *from,
	uint16_t from_port, const uint8_t *data, uint32_t len, uint64_t now_ns);

/** The next bytes of the connection that was asked for. Returns how many were taken; fewer than
 *  len when the answer is complete, or wrong: the connection is to be closed. */
uint32_t dns_resolver_input_tcp(struct dns_resolver *r, const uint8_t *data, uint32_t len);

/** The question under way will not be answered (unreachable, refused, connection closed): on to
 *  the next server. */
void dns_resolver_on_error(struct dns_resolver *r);

/** Is the question under way one by TCP? */
bool dns_resolver_wants_tcp(const struct dns_resolver *r);

/** The lookup so far, or its end. */
const struct dns_result *dns_resolver_result(const struct dns_resolver *r);

#endif
