/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base_check.h"
#include "capture_limits.h"
#include "capture_priv.h"

_Static_assert(DROP_COUNT <= UINT8_MAX, "capture_record.reason");

static struct capture_ring *
file_ring(struct capture *c, uint32_t queue)
{
	return c->cfg.path != NULL ? &c->ring[queue] : NULL;
}

static struct capture_ring *
keep_ring(struct capture *c, uint32_t queue)
{
	return c->cfg.on_error != NULL ? &c->ring[c->cfg.queues + queue] : NULL;
}

/* Nothing more is taken from the workers once the file has its size. */
static void
write_one(struct capture *c, struct capture_ring *r, const struct capture_record *record)
{
	if (!atomic_load_explicit(&c->ended, memory_order_relaxed))
		capture_file_write(&c->file, record);
	capture_ring_drop(r);
	c->full = c->cfg.file_bytes_max > 0 && c->file.bytes >= c->cfg.file_bytes_max;
	if (c->full || c->file.error != 0)
		atomic_store_explicit(&c->ended, true, memory_order_relaxed);
}

/* Of several queues the oldest frame first. false: there is none. */
static bool
write_oldest(struct capture *c)
{
	const struct capture_record *oldest = NULL, *record;
	struct capture_ring *from = NULL, *r;
	uint32_t i;

	for (i = 0; i < c->cfg.queues; i++) {
		r = file_ring(c, i);
		record = capture_ring_first(r);
		if (record == NULL || (oldest != NULL && oldest->at_ns <= record->at_ns))
			continue;
		oldest = record;
		from = r;
	}
	if (oldest == NULL)
		return false;
	write_one(c, from, oldest);
	return true;
}

static void *
writer_main(void *ctx)
{
	const struct timespec nap = {0, CAPTURE_NAP_NS};
	struct capture *c = ctx;
	bool last = false;

	pthread_setname_np(pthread_self(), "dpfetch-pcap");
	for (;;) {
		last = atomic_load_explicit(&c->stop, memory_order_acquire);
		while (write_oldest(c))
			;
		if (last)
			return NULL;
		(void)nanosleep(&nap, NULL);
	}
}

static int
start_thread(struct capture *c)
{
	sigset_t all, before;
	int rc;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(&c->thread, NULL, writer_main, c);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	c->running = rc == 0;
	if (c->running && c->cfg.cpus != NULL && CPU_COUNT(c->cfg.cpus) > 0)
		(void)pthread_setaffinity_np(c->thread, sizeof(*c->cfg.cpus), c->cfg.cpus);
	return -rc;
}

static int
make_taps(struct capture *c)
{
	const struct capture_config *cfg = &c->cfg;
	uint32_t i;
	int rc = 0;

	c->tap = calloc(cfg->queues, sizeof(*c->tap));
	c->ring = aligned_alloc(_Alignof(struct capture_ring), 2 * cfg->queues * sizeof(*c->ring));
	if (c->tap == NULL || c->ring == NULL)
		return -ENOMEM;
	memset(c->ring, 0, 2 * cfg->queues * sizeof(*c->ring));
	for (i = 0; i < cfg->queues; i++) {
		c->tap[i] = (struct capture_tap){.capture = c,
			.queue = (uint16_t)i,
			.file = file_ring(c, i),
			.keep = keep_ring(c, i)};
		if (rc == 0 && c->tap[i].file != NULL)
			rc = capture_ring_init(c->tap[i].file, CAPTURE_RING_BYTES, false, 0);
		if (rc == 0 && c->tap[i].keep != NULL)
			rc = capture_ring_init(
				c->tap[i].keep, CAPTURE_RING_BYTES, true, cfg->keep_packets);
	}
	return rc;
}

static void
destroy(struct capture *c)
{
	uint32_t i;

	for (i = 0; c->ring != NULL && i < 2 * c->cfg.queues; i++)
		capture_ring_free(&c->ring[i]);
	free(c->ring);
	free(c->tap);
	free(c);
}

int
capture_create(const struct capture_config *cfg, struct capture **ret)
{
	struct capture *c = calloc(1, sizeof(*c));
	int rc;

	CHECK(cfg->queues > 0);
	if (c == NULL)
		return -ENOMEM;
	c->cfg = *cfg;
	rc = make_taps(c);
	if (rc == 0 && cfg->path != NULL) {
		rc = capture_file_open(
			&c->file, cfg->path, cfg->application, cfg->interface, cfg->snaplen);
		if (rc == 0)
			rc = start_thread(c);
	}
	if (rc == 0) {
		*ret = c;
		return 0;
	}
	if (c->file.stream != NULL)
		(void)capture_file_close(&c->file, 0);
	destroy(c);
	return rc;
}

struct capture_tap *
capture_tap_of(struct capture *c, uint32_t queue)
{
	CHECK(queue < c->cfg.queues);
	return &c->tap[queue];
}

static uint64_t
left_out(const struct capture *c)
{
	uint64_t sum = 0;
	uint32_t i;

	for (i = 0; i < c->cfg.queues; i++)
		sum += c->ring[i].left_out;
	return sum;
}

static const struct capture_record *
oldest_kept(struct capture *c, struct capture_ring **ret_ring)
{
	const struct capture_record *oldest = NULL, *record;
	uint32_t i;

	for (i = 0; i < c->cfg.queues; i++) {
		record = capture_ring_first(keep_ring(c, i));
		if (record == NULL || (oldest != NULL && oldest->at_ns <= record->at_ns))
			continue;
		oldest = record;
		*ret_ring = keep_ring(c, i);
	}
	return oldest;
}

static void
write_kept(struct capture *c, struct capture_result *ret)
{
	const struct capture_config *cfg = &c->cfg;
	const struct capture_record *record;
	struct capture_ring *from = NULL;
	struct capture_file f;

	ret->keep_error = capture_file_open(
		&f, cfg->on_error, cfg->application, cfg->interface, cfg->snaplen);
	if (ret->keep_error != 0)
		return;
	for (record = oldest_kept(c, &from); record != NULL; record = oldest_kept(c, &from)) {
		capture_file_write(&f, record);
		capture_ring_drop(from);
	}
	ret->kept = f.packets;
	ret->keep_error = capture_file_close(&f, 0);
}

void
capture_finish(struct capture *c, bool failed, struct capture_result *ret)
{
	*ret = (struct capture_result){0};
	if (c->running) {
		atomic_store_explicit(&c->stop, true, memory_order_release);
		pthread_join(c->thread, NULL);
		ret->left_out = left_out(c);
		ret->packets = c->file.packets;
		ret->full = c->full;
		ret->error = capture_file_close(&c->file, ret->left_out);
	}
	if (failed && c->cfg.on_error != NULL)
		write_kept(c, ret);
	destroy(c);
}
