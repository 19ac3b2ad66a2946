/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MODEL_SERVER_H
#define MODEL_SERVER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <rte_mempool.h>
#include <rte_ring.h>

/* The server of the in-process benchmarks: just enough TCP for a lossless cable of two rings. It answers every
 * request with a body of full segments, as fast as the window allows, and never ends. */

#define MODEL_SERVER_MSS 1448U
#define MODEL_SERVER_HEADERS_LEN (14U + 20U + 32U)
#define MODEL_SERVER_BURST 32U
#define MODEL_SERVER_IP UINT32_C(0xc6120001)
#define MODEL_CLIENT_IP UINT32_C(0xc6120002)
#define MODEL_SERVER_CONNECTIONS_MAX 1024U

struct model_stream {
	uint8_t frame
		[MODEL_SERVER_HEADERS_LEN]; /* Ethernet, IPv4 and TCP headers of a data segment */
	uint16_t client_port;
	uint32_t seq, edge, rcv_nxt;
	uint8_t wscale;
	bool streaming;
};

/** The user sets what is above the line, and zeroes the rest. */
struct model_server {
	struct rte_ring *in, *out; /* to the server, to the client */
	struct rte_mempool *pool;
	uint32_t run; /* frames of one stream that follow each other, 1 to MODEL_SERVER_BURST */
	uint64_t body_bytes; /* what the response's Content-Length says */

	atomic_bool stop; /* model_server_run returns */
	uint32_t streams, streaming; /* there are, and that have begun */
	uint32_t next; /* the stream whose turn it is */
	struct model_stream stream[MODEL_SERVER_CONNECTIONS_MAX];
	uint16_t of_port[UINT16_MAX + 1]; /* a stream's number + 1 by the client's port */
};

/** Takes what has come, then sends one burst. */
void model_server_turn(struct model_server *s);

/** Turn after turn, until stop: an lcore_function_t of a struct model_server. */
int model_server_run(void *server);

#endif
