/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef IN_PROCESS_H
#define IN_PROCESS_H

#include "base_histogram.h"
#include "fetch.h"
#include "load.h"
#include "model_server.h"
#include "port.h"
#include "worker.h"

/* The program's whole receive path in one process with a modelled server: two rings are the cable, no
 * kernel is in the way. Where something fails, a message and exit status 1 end the program. */

/** Zeroed, then created; one in a process. */
struct in_process {
	struct model_server server;
	struct counters counters, *of_queue;
	struct histogram delay; /* of ACKs, ns */
	struct port *port;
	struct http_url url;
	struct worker worker;
	struct fetch *fetch; /* of one connection */
	struct load *load; /* of more */
	uint64_t until_ns;
	bool over; /* the fetch or the load has come to its end */
};

/** "name: what failed" and the end, unless ok. */
void in_process_check(bool ok, const char *what);

/** EAL, rings, port and netstack: we on lcore 0, which is CPU cpu, the server on lcore 1. The user sets
 *  server.run and server.body_bytes. */
void in_process_create(
	struct in_process *o, char *program, int cpu, int server_cpu, uint32_t connections);

/** Starts a fetch to this sink. */
void in_process_fetch(struct in_process *o, const struct fetch_sink_ops *ops, void *file);

/** Forgets what was counted so far. */
void in_process_forget(struct in_process *o);

/** The poll loop, one iteration at least. */
void in_process_run_for(struct in_process *o, double seconds);

/** Ends the fetch, or the load, which then belong to the user no more, the port and the EAL. */
void in_process_end(struct in_process *o);

#endif
