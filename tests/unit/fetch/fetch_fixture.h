/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef FETCH_FIXTURE_H
#define FETCH_FIXTURE_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "fetch.h"
#include "test_peer.h"

#define FX_BODY_MAX 65536U

/** A sink in memory that a test can stall or break. */
struct fx_sink {
	uint8_t body[FX_BODY_MAX];
	uint32_t len, room; /* room: writes that it takes, UINT32_MAX: any number */
	int error;
	uint64_t expected; /* as told; UINT64_MAX: nothing was */
	bool finished, complete;
	bool slow; /* to finish */
	struct sink_completion done[256];
	uint32_t done_count;
};

struct fx {
	struct test_peer peer;
	struct fetch *fetch;
	struct fetch_job job;
	struct http_url url;
	struct fx_sink sink;
};

#define TEST(name) static void name(__attribute__((unused)) void **unused_state)
#define T(name) cmocka_unit_test(name)

/** A fetch of http://198.18.0.1/x that has not been started. */
struct fx *fx_new(void);
/** Starts it; at fx_head the request has arrived at the server. */
void fx_start(struct fx *f);
void fx_start_to_request(struct fx *f);
/** Some iterations of the poll loop, 1 us each. true: the fetch is over. */
bool fx_run(struct fx *f);
/** The server sends this text, with flags besides ACK; in segments of at most 1,400 bytes. */
void fx_reply(struct fx *f, uint8_t flags, const char *text);
void fx_reply_bytes(struct fx *f, uint8_t flags, const void *data, uint32_t len);
/** Runs to the end, which must be with this code; returns the result. */
const struct fetch_result *fx_expect_end(struct fx *f, enum fetch_code code);
/** The body in the sink must be this. */
void fx_expect_body(const struct fx *f, const char *text);
/** The sink is empty again, for the next download. */
void fx_reset_sink(struct fx *f);
/** Closes everything; no buffer may be left. */
void fx_end(struct fx *f);

#endif
