/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PD_SETTINGS_H
#define PD_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

/** Whose scripts: what a script takes for granted of the host, beyond TCP itself. */
enum pd_host {
	PD_HOST_LINUX,
	PD_HOST_FREEBSD,
};

/** What the scripts set with sysctl, as far as our stack has it. */
struct pd_settings {
	enum pd_host host;
	uint16_t mtu;
	uint32_t rcvbuf, rcvbuf_max, sndbuf; /* bytes */
	uint32_t rto_initial_ms;
	uint32_t syn_retries;
	uint32_t keepalive_idle_ms, keepalive_interval_ms, keepalive_probes;
	bool keepalive; /* for every connection, as FreeBSD has it */
	bool timestamps, sack, ecn, window_scaling, cubic;
};

/** The host's defaults. flags: "linux" or "freebsd", then perhaps ",mtu=N";
 *  or NULL. */
void pd_settings_init(struct pd_settings *ret, const char *flags);

/**
 * What a script's shell command means: sysctl settings are taken over, and those that say nothing
 * to our stack are ignored. 0: done; -1: a command that we do not know.
 */
int pd_settings_command(struct pd_settings *s, const char *command);

#endif
