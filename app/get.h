/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GET_H
#define GET_H

#include <stdbool.h>

#include "dns_client.h"
#include "fetch.h"
#include "host.h"
#include "report.h"
#include "request_headers.h"

/* The inside of the get command: its state, and its steps (get_prepare.c, get_route.c, get_transfer.c). */

/* One URL, parsed and resolved before the port is touched. */
struct target {
	struct http_url url;
	struct ip_address remote; /* family 0: DNS is yet to be asked */
	uint64_t resolve_ns;
	char *path; /* NULL: discard */
};

struct get {
	const struct settings *settings;
	struct host host;
	struct fetch *fetch;
	struct dns_client *dns; /* of the last name; NULL: none has needed it yet */
	struct target *target;
	struct report *report;
	uint32_t count; /* targets */
	struct request_headers headers;
	enum sink_digest digest;
	const char *digest_hex; /* what it must be, NULL: only computed */
	/* the transfer under way */
	uint64_t
		begun_ns; /* the try, with its name's lookup and the way's: what time-outs count from */
	uint64_t start_ns, progress_ns, wait_until_ns;
	bool interrupted;
	struct output *output; /* its file */
};

/** Parses every URL, resolves those that need no DNS of ours, and decides where each goes, without
 *  touching the port. 0, or an exit code after having said why; get_cleanup in any case. */
int get_prepare(struct get *g);

void get_cleanup(struct get *g);

/** Is there a way from our address, given or leased, to remote? 0, or an exit code with a message
 *  of SETTINGS_MESSAGE_MAX. */
int get_check_route(const struct get *g, const struct ip_address *remote, char *message);
/** What is left of limit_ns (as a setting: 0 is none, and gives TIME_NEVER) in this try: 1 ns at
 *  least. */
uint64_t get_time_left_ns(const struct get *g, uint64_t limit_ns, uint64_t now_ns);
/** Until when this try must be connected: --connect-timeout, --max-time. TIME_NEVER: no limit. */
uint64_t get_connect_until_ns(const struct get *g);
/** Waits until there is a way to t's server, for as long as our addresses are being tested or routers
 *  asked, or until get_connect_until_ns. 0, or an exit code and why in text (of room bytes). */
int get_route(struct get *g, const struct target *t, char *text, size_t room);

/** Parses a URL into t, and resolves its host if that needs no DNS of ours. 0, or an exit code after
 *  having said why; t->url is to be freed in any case. */
int get_prepare_target(const struct get *g, const char *url, struct target *t);

/** Fetches target index, retries included: fills g->report[index], says how it went. */
void get_one(struct get *g, uint32_t index);

#endif
