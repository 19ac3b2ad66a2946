/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SIM_ANSWER_H
#define SIM_ANSWER_H

#include <stddef.h>

#include "sim_random.h"

/* The HTTP of the simulated servers: bytes of a response, whatever TCP carries them. */

enum sim_answer { /* what the server does with a request */
	SIM_ANSWER_LENGTH,
	SIM_ANSWER_CHUNKED,
	SIM_ANSWER_CLOSE, /* no framing: the connection's end is the body's */
	SIM_ANSWER_EARLY_CLOSE, /* FIN before the body is whole */
	SIM_ANSWER_RESET, /* RST before the body is whole */
	SIM_ANSWER_NOTHING, /* FIN without a byte */
	SIM_ANSWER_GARBAGE,
};

/** One of them. The body is sim_body_byte() of body_seed. */
struct sim_response {
	enum sim_answer answer;
	uint64_t body_seed, body_len;
	uint32_t chunk_max; /* bytes in a chunk at most; 0: any number */
};

/** All that a connection's server has to say, growing. Zeroed: empty. free(bytes) ends it. */
struct sim_stream {
	uint8_t *bytes;
	uint64_t len, room;
};

/** Appends the response. close: this is the connection's last request.
 *  Returns whether a FIN follows; SIM_ANSWER_RESET wants a RST instead. */
bool sim_answer_append(
	struct sim_stream *s, const struct sim_response *r, struct sim_random *random, bool close);

#endif
