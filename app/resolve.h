/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RESOLVE_H
#define RESOLVE_H

#include <stdbool.h>
#include <stdint.h>

#include "dns_limits.h"
#include "http_url.h"
#include "netstack.h"
#include "settings.h"

/* Names without DNS of our own, and where its servers come from. Reads files; asks nobody, but
 * with --dns system. */

/** Checks the form of --resolve and --dns. 0, or -EINVAL with a message. */
int resolve_check(const struct settings *s, char *message);

/**
 * The address of url's host: a literal, a --resolve entry, the host's file of names (/etc/hosts),
 * or, with --dns system, whatever the host's resolver says. 0; -ENOENT: DNS is to be asked over our
 * own stack (lookup.h); or an exit code (enum exit_code) with a message of SETTINGS_MESSAGE_MAX.
 */
int resolve_url(const struct settings *s, const struct http_url *url, struct ip_address *ret,
	char *message);

/** The kind of address that we could connect to, and the user wants: 4, 6, or 0: both, IPv4 first. */
uint8_t resolve_family(const struct settings *s);

/** The servers of --dns, in ret's DNS_SERVERS_MAX places. Returns how many; 0: it was not given. */
uint32_t resolve_servers_given(const struct settings *s, struct ip_address *ret);

/** The name servers of a file like resolv.conf, of the IP versions that we speak, but for loopback
 *  addresses, which our own stack cannot reach, and link-local ones, which may be another link's.
 *  Returns how many; 0 also where the file cannot be read. */
uint32_t resolve_servers_of(const struct settings *s, const char *path, struct ip_address *ret);

/** Can a DNS server have this address, as seen from another host? */
bool resolve_is_server(const struct ip_address *a);

#endif
