/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef NIC_TEST_H
#define NIC_TEST_H

#include <stdbool.h>
#include <stdint.h>

#include "base_time.h"
#include "child.h"
#include "message.h"
#include "nic_test_result.h"
#include "port.h"
#include "port_control.h"
#include "settings.h"
#include "sink_file.h"

/*
 * The inside of dpfetch nic test. Each test runs in a process of its own, or lets dpfetch's commands run in
 * such: with a fresh EAL, a port configured as the test wants it, and no effect on the next one, whatever
 * becomes of it. Frames that no connection sends are prober.h's.
 */

#define NIC_TEST_SETTLE_NS NS_PER_SEC /* a NIC's link is up for so long before anything is tried */

/** What has been found of port and server, by the first tests for the later ones. No pointers. */
struct nic_test_facts {
	bool port_known;
	struct port_info port;
	struct port_abilities abilities;
	struct port_link link;
	bool fetched; /* the URL was, and so: */
	uint32_t remote; /* the server's address */
	uint16_t remote_port;
	uint64_t body_bytes;
	double fetch_seconds;
	char digest[SINK_DIGEST_HEX_MAX]; /* sha-256 of the body */
};

struct nic_test {
	const struct settings *settings; /* the user's, but with nic_bound where it is */
	struct message_level level;
	struct nic_test_facts facts;
	int signo; /* that ended a test, and so all; 0: none */
};

/** Concludes that a test's child has failed: interrupted (t->signo), or with what it said last, or how it ended. */
void nic_test_conclude_child(struct nic_test *t, int status, const struct child_errors *errors,
	struct nic_test_result *r);

/** A child that ran get or bench: its report, the caller's. NULL: it failed, and r says
 *  how. timeout_ns: as child_run_command's. */
json_t *nic_test_run_command(struct nic_test *t, const struct settings *s, uint64_t timeout_ns,
	struct child_errors *errors, struct nic_test_result *r);

/** A number at "a/b/c" of a report; 0: there is none. */
double nic_test_number(const json_t *report, const char *path);

/** The user's settings for get or bench in a child, without reports of the user's. */
struct settings nic_test_settings(const struct nic_test *t, enum settings_command command);

/** Runs one test: fills in r, but for name and seconds. */
typedef void (*nic_test_fn)(struct nic_test *t, struct nic_test_result *r);

/* Each is one test. */
void nic_test_link(struct nic_test *t, struct nic_test_result *r); /* nic_test_link.c */
void nic_test_mac(struct nic_test *t, struct nic_test_result *r); /* nic_test_mac.c */
void nic_test_checksum_tx(struct nic_test *t, struct nic_test_result *r); /* nic_test_checksum.c */
void nic_test_checksum_rx(struct nic_test *t, struct nic_test_result *r);
void nic_test_vlan(struct nic_test *t, struct nic_test_result *r); /* nic_test_vlan.c */
void nic_test_rss(struct nic_test *t, struct nic_test_result *r); /* nic_test_rss.c */
void nic_test_sizes(struct nic_test *t, struct nic_test_result *r); /* nic_test_echo.c */
void nic_test_rates(struct nic_test *t, struct nic_test_result *r);
void nic_test_pause(struct nic_test *t, struct nic_test_result *r);
void nic_test_fetch(struct nic_test *t, struct nic_test_result *r); /* nic_test_fetch.c */
void nic_test_mtu(struct nic_test *t, struct nic_test_result *r);
void nic_test_queues(struct nic_test *t, struct nic_test_result *r); /* nic_test_load.c */
void nic_test_flap(struct nic_test *t, struct nic_test_result *r);
void nic_test_soak(struct nic_test *t, struct nic_test_result *r);

/** The largest MTU to try: --mtu, or what the port can up to 9000. */
uint16_t nic_test_mtu_max(const struct nic_test *t);

/** Queues to try: --queues, or as many as port and tests can use. 1: it has no more, or spreads nothing. */
uint32_t nic_test_queues_max(const struct nic_test *t);

#endif
