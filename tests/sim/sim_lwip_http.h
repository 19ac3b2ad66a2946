/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SIM_LWIP_HTTP_H
#define SIM_LWIP_HTTP_H

#include <lwip/tcp.h>

#include "sim_server.h"

/* An HTTP server on lwIP's raw API. Callbacks only take notes; all sending, closing and aborting is
 * done by sim_lwip_http_run(), where no pcb is in use further up the stack. */

struct sim_lwip_conn {
	struct sim_lwip_conn *next;
	struct sim_lwip_http *http;
	struct tcp_pcb *pcb; /* NULL: closed, or freed by lwIP */
	char request[70000];
	uint32_t request_len, requests;
	uint64_t answer_at_ns;
	struct sim_stream stream;
	uint64_t written, acked;
	bool fin_due, reset_due;
};

struct sim_lwip_http {
	const struct sim_peer_config *cfg;
	struct sim_random *random;
	struct sim_response response;
	struct tcp_pcb *listener;
	struct sim_lwip_conn *conns; /* all of the run, the newest first */
	uint64_t now_ns;
	bool stopping; /* connections that end from now on end with the run */
	char fault[160];
};

void sim_lwip_http_start(struct sim_lwip_http *h, const struct sim_site *site);
void sim_lwip_http_run(struct sim_lwip_http *h, uint64_t now_ns);
uint64_t sim_lwip_http_deadline(const struct sim_lwip_http *h);
void sim_lwip_http_describe(const struct sim_lwip_http *h, char *buf, size_t room);
/** When lwIP has no connection that would call back. */
void sim_lwip_http_stop(struct sim_lwip_http *h);

#endif
