/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RESOLVE_H
#define RESOLVE_H

#include <stdint.h>

#include "http_url.h"
#include "netstack.h"
#include "settings.h"

/** Checks the --resolve arguments' form. 0, or -EINVAL with a message. */
int resolve_check(const struct settings *s, char *message);

/**
 * The address of url's host: a literal, a --resolve entry, else the system's resolver
 * (/etc/hosts, DNS by the kernel's network). *ret_ns is the time that it took.
 * 0; or an exit code (enum exit_code) with a message of SETTINGS_MESSAGE_MAX.
 */
int resolve_url(const struct settings *s, const struct http_url *url, struct ip_address *ret,
	uint64_t *ret_ns, char *message);

#endif
