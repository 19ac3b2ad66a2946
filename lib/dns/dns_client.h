/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DNS_CLIENT_H
#define DNS_CLIENT_H

#include "dns_resolver.h"
#include "netstack.h"

/*
 * A resolver with a netstack under it: each question goes out from a UDP port of its own, or over
 * a TCP connection. Pure. One name at a time; the worker calls dns_client_poll in every iteration.
 */

struct dns_client;

struct dns_client_config {
	struct netstack *netstack;
	struct dns_config dns;
	buffer_release_fn release; /* gives back received owners */
	void *release_ctx;
};

/** NULL when out of memory or without servers. cfg is copied. */
struct dns_client *dns_client_create(const struct dns_client_config *cfg);

/** Closes what is open and frees c; the netstack still sends a connection's FIN. NULL is allowed. */
void dns_client_destroy(struct dns_client *c, uint64_t now_ns);

/** As dns_resolver_start. */
int dns_client_start(struct dns_client *c, const char *name, uint8_t family);

/** Moves the lookup on. true: it is over, dns_client_result says how. */
bool dns_client_poll(struct dns_client *c, uint64_t now_ns);

const struct dns_result *dns_client_result(const struct dns_client *c);

/** Why the server of dns_client_result could not be asked, or not answer, when that was last so: 0
 *  (nothing is known), or an error of netstack_udp_send, netstack_udp_error, netstack_connect or the
 *  connection. */
int dns_client_error(const struct dns_client *c);

#endif
