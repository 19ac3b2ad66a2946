/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PORT_TELEMETRY_H
#define PORT_TELEMETRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Commands of our own at DPDK's telemetry socket (rte_telemetry), which answer with an object of names
 * and values. DPDK runs them in threads of its own, one a client; here they run one at a time.
 */

/** An answer in the making. */
struct port_telemetry_answer;

/** Adds name: letters, digits, '_'. At most 256 a answer. */
void port_telemetry_add_number(struct port_telemetry_answer *a, const char *name, uint64_t value);

/** The same with a text, cut at 127 bytes; what is not printable ASCII becomes '?'. */
void port_telemetry_add_text(struct port_telemetry_answer *a, const char *name, const char *value);

struct port_telemetry_endpoint {
	const char
		*command; /* letters, digits, '_' and '/', with which it begins; at most 55 bytes */
	const char *help; /* one line, at most 127 bytes */
	void (*answer)(void *ctx, struct port_telemetry_answer *ret); /* not on the poll core */
};

/**
 * Answers the commands from now on. endpoint (count of them) and ctx are used until
 * port_telemetry_close. Once a process, after port_eal_start. 0, -EALREADY: it was opened before,
 * -EINVAL: a bad endpoint, -ENOMEM.
 */
int port_telemetry_open(const struct port_telemetry_endpoint *endpoint, uint32_t count, void *ctx);

/** Ends that: waits for an answer that is being made; later ones are null, because DPDK never forgets
 *  a command. Without an open one: nothing. */
void port_telemetry_close(void);

#define PORT_TELEMETRY_PATH_MAX \
	112U /* bytes; what a socket's address holds (unix(7)), and a zero byte */

/** The path of the socket that this process listens at, as long as the EAL runs. false: there is none
 *  (--no-telemetry), or it is longer than room. */
bool port_telemetry_socket(char *buf, size_t room);

#endif
