/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KERNEL_FIXTURE_H
#define KERNEL_FIXTURE_H

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base_time.h"
#include "kernel_transport.h"

#define TEST(name) static void name(__attribute__((unused)) void **unused_state)
#define T(name) cmocka_unit_test(name)

#define KX_PATIENCE_NS (20 * NS_PER_SEC) /* for what must happen: a test that waits so long fails */

/** A server in a thread of its own. It may not assert: it says what it saw. */
struct kx_server {
	struct ip_address address;
	uint16_t port;
	int listen_fd;
	uint32_t connections; /* that it accepts, one after the other */
	void (*serve)(struct kx_server *s, int fd);
	void *serve_ctx;
	pthread_t thread;
	/* What it saw; read it after kx_server_join. */
	uint64_t received; /* bytes */
	int error; /* errno of the last recv or send that failed, 0: none did */
};

/** Listens on the loopback address of family 4 or 6 at any port; accepts `connections` ones, gives
 *  each to serve and closes it afterwards. 0: nobody ever accepts. */
void kx_server_start(struct kx_server *s, uint8_t family, uint32_t connections,
	void (*serve)(struct kx_server *s, int fd), void *serve_ctx);
/** Waits for the server's end. */
void kx_server_join(struct kx_server *s);
/** For serve: sends all of it, blocking. false: error is set. */
bool kx_server_send(struct kx_server *s, int fd, const void *data, size_t len);
/** For serve: reads until len bytes have come, or the peer's end. false: they did not come. */
bool kx_server_receive(struct kx_server *s, int fd, void *ret, size_t len);
/** For serve: reads to the peer's end. */
void kx_server_drain(struct kx_server *s, int fd);
/** For serve: fd's close will be a reset. */
void kx_server_reset(int fd);

/** The bytes of all streams: what stands at [offset, offset + len). */
void kx_pattern(uint64_t offset, void *ret, size_t len);
/** Are these bytes those? */
bool kx_is_pattern(uint64_t offset, const void *data, size_t len);

/** Open descriptors of this process. */
uint32_t kx_descriptors(void);

struct kx {
	struct kernel_transport *kt;
	struct transport t;
	uint32_t descriptors; /* before it was made */
};

/** A transport with these buffers and room for that many connections. */
void kx_make(struct kx *k, uint32_t connections, uint32_t buffers, uint32_t buffer_bytes);
/** No buffer is out; and after the end of kt no descriptor is left either. */
void kx_end(struct kx *k);

uint64_t kx_now(void);
/** A connection to s that is under way. */
struct transport_conn *kx_connect(struct kx *k, const struct kx_server *s, void *user);
/** The same, established. */
struct transport_conn *kx_establish(struct kx *k, const struct kx_server *s);
/** Waits once; something must happen. */
void kx_wait(struct kx *k);
/** Waits until this is so. */
void kx_wait_until(
	struct kx *k, bool (*is)(const struct transport_conn *c), const struct transport_conn *c);
/** Sends all of it. */
void kx_send(struct kx *k, struct transport_conn *c, const void *data, uint32_t len);
/** Takes one run if there is any; checks that it is the pattern's from offset on and gives it back.
 *  Its length, 0: none. */
uint32_t kx_take(struct kx *k, struct transport_conn *c, uint64_t offset);
/** Takes the pattern's bytes from `at` to `end`, and no more. */
void kx_take_pattern_from(struct kx *k, struct transport_conn *c, uint64_t at, uint64_t end);
/** The same from its start: len bytes. */
void kx_take_pattern(struct kx *k, struct transport_conn *c, uint64_t len);

#endif
