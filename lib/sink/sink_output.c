/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>

#include "base_check.h"
#include "sink_output.h"
#include "sink_stream.h"

uint64_t
sink_clock_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NS_PER_SEC + (uint64_t)now.tv_nsec;
}

void
sink_output_init(struct sink_output *o, const struct sink_io_ops *io, struct sink_uring *uring,
	uint8_t *memory, uint32_t buffers, uint32_t buffer_bytes)
{
	uint32_t i;

	*o = (struct sink_output){
		.io = io, .uring = uring, .buffer_bytes = buffer_bytes, .buffers_count = buffers};
	for (i = 0; i < buffers; i++) {
		o->buffers[i].data = memory + (size_t)i * buffer_bytes;
		o->buffers[i].index = i;
		o->free[o->free_count++] = &o->buffers[i];
	}
}

static enum sink_method
choose_method(const struct sink_output *o)
{
	if (o->path.fd < 0)
		return SINK_METHOD_DISCARD;
	if (!o->path.regular)
		return SINK_METHOD_STREAM;
	if (!o->by_uring)
		return SINK_METHOD_PWRITE;
	return o->direct ? SINK_METHOD_URING_DIRECT : SINK_METHOD_URING_BUFFERED;
}

static void
use_method(struct sink_output *o)
{
	o->method = choose_method(o);
	o->info->method = o->method;
}

void
sink_output_begin(struct sink_output *o, const struct sink_path *path, const _Atomic bool *give_up,
	struct sink_file_info *info)
{
	CHECK(o->free_count == o->buffers_count);
	o->path = *path;
	o->give_up = give_up;
	o->by_uring = path->regular && o->uring->open && !o->uring->broken;
	o->direct = path->fd_direct >= 0;
	o->in_flight = 0;
	o->sized = false;
	o->failed_at = UINT64_MAX;
	o->info = info;
	*info = (struct sink_file_info){0};
	use_method(o);
	if (o->by_uring)
		sink_uring_set_files(o->uring, path->fd, path->fd_direct);
}

struct sink_buffer *
sink_output_buffer(struct sink_output *o)
{
	struct sink_buffer *b;

	if (o->free_count == 0)
		sink_output_poll(o);
	if (o->free_count == 0)
		return NULL;
	b = o->free[--o->free_count];
	b->len = 0;
	b->done = 0;
	return b;
}

static void
release(struct sink_output *o, struct sink_buffer *b)
{
	o->free[o->free_count++] = b;
}

/* Only the first error is the user's to see; the file ends at the lowest failure. */
static void
fail(struct sink_output *o, int error, const char *call, uint64_t at)
{
	if (o->info->error == 0) {
		o->info->error = error;
		o->info->error_call = call;
	}
	if (at < o->failed_at)
		o->failed_at = at;
}

/* What a write of the buffer's rest can take at once: O_DIRECT takes whole aligned blocks, the
 * odd end of a file (and of a short write) goes through the page cache. */
static uint32_t
plan_write(const struct sink_output *o, struct sink_buffer *b)
{
	uint32_t rest = b->len - b->done;

	b->direct = o->direct && b->done % SINK_DIRECT_ALIGN == 0 && rest >= SINK_DIRECT_ALIGN;
	return b->direct ? rest - rest % SINK_DIRECT_ALIGN : rest;
}

/* The file system or the kernel does not do this kind of write after all: the next simpler.
 * false: there is none. */
static bool
downgrade(struct sink_output *o, const struct sink_buffer *b, bool by_uring)
{
	if (b->direct)
		o->direct = false;
	else if (by_uring)
		o->by_uring = false;
	else
		return false;
	use_method(o);
	return true;
}

/* Does an error go away by writing again, perhaps in another way? */
static bool
may_pass(struct sink_output *o, const struct sink_buffer *b, int64_t error, bool by_uring)
{
	if (error == -EINTR || error == -EAGAIN)
		return true;
	return (error == -EINVAL || error == -EOPNOTSUPP) && downgrade(o, b, by_uring);
}

/* Books one write's result. true: the buffer needs another write; false: it is released. */
static bool
take_result(struct sink_output *o, struct sink_buffer *b, int64_t result, bool by_uring)
{
	uint64_t took_ns = sink_clock_ns() - b->submitted_ns;

	o->info->writes++;
	o->info->write_ns_total += took_ns;
	if (!by_uring)
		o->info->stall_ns += took_ns;
	if (result > 0)
		b->done += (uint32_t)result;
	else if (!may_pass(o, b, result, by_uring))
		fail(o, result == 0 ? -EIO : (int)result, "write", b->offset + b->done);
	/* What precedes a failure is still worth writing: it belongs to the part that is kept. */
	if (b->done < b->len && b->offset + b->done < o->failed_at)
		return true;
	release(o, b);
	return false;
}

static void
pwrite_all(struct sink_output *o, struct sink_buffer *b)
{
	uint32_t len;
	ssize_t rc;

	do {
		len = plan_write(o, b);
		b->submitted_ns = sink_clock_ns();
		rc = o->io->pwrite(b->direct ? o->path.fd_direct : o->path.fd, b->data + b->done,
			len, (off_t)(b->offset + b->done));
	} while (take_result(o, b, rc < 0 ? -errno : rc, false));
}

/* By io_uring. A ring that takes nothing any more says nothing of the file. */
static void
uring_write(struct sink_output *o, struct sink_buffer *b)
{
	uint32_t len = plan_write(o, b);
	const struct sink_uring_write w = {.data = b->data + b->done,
		.len = len,
		.offset = b->offset + b->done,
		.buffer = b->index,
		.direct = b->direct,
		.tag = b};

	b->submitted_ns = sink_clock_ns();
	if (sink_uring_submit(o->uring, &w) == 0) {
		o->in_flight++;
		return;
	}
	o->by_uring = false;
	use_method(o);
	pwrite_all(o, b);
}

static void
write_rest(struct sink_output *o, struct sink_buffer *b)
{
	if (o->by_uring)
		uring_write(o, b);
	else
		pwrite_all(o, b);
}

static bool
reap_one(struct sink_output *o, bool wait)
{
	int32_t result;
	void *tag;

	if (o->in_flight == 0 || !sink_uring_reap(o->uring, wait, &tag, &result))
		return false;
	o->in_flight--;
	if (take_result(o, tag, result, true))
		write_rest(o, tag);
	return true;
}

void
sink_output_poll(struct sink_output *o)
{
	while (reap_one(o, false))
		;
}

void
sink_output_wait(struct sink_output *o)
{
	uint64_t start_ns = sink_clock_ns();

	while (o->free_count == 0)
		CHECK(reap_one(o, true));
	o->info->stall_ns += sink_clock_ns() - start_ns;
}

static void
stream_write(struct sink_output *o, struct sink_buffer *b)
{
	const struct sink_stream stream = {
		.io = o->io, .fd = o->path.fd, .chunked = o->path.chunked, .give_up = o->give_up};
	uint64_t took_ns;
	int rc;

	b->submitted_ns = sink_clock_ns();
	rc = sink_stream_write(&stream, b->data, b->len, &b->done, &o->info->writes);
	took_ns = sink_clock_ns() - b->submitted_ns;
	o->info->write_ns_total += took_ns;
	o->info->stall_ns += took_ns;
	if (rc < 0)
		fail(o, rc, "write", b->offset + b->done);
	release(o, b);
}

void
sink_output_submit(struct sink_output *o, struct sink_buffer *b)
{
	if (o->info->error != 0 || b->len == 0) {
		release(o, b);
		return;
	}
	switch (o->method) {
	case SINK_METHOD_URING_DIRECT:
	case SINK_METHOD_URING_BUFFERED:
		uring_write(o, b);
		break;
	case SINK_METHOD_PWRITE:
		pwrite_all(o, b);
		break;
	case SINK_METHOD_STREAM:
		stream_write(o, b);
		break;
	case SINK_METHOD_DISCARD:
		release(o, b);
		break;
	}
}

/* On tmpfs preallocation would zero each page now and write it later: only look for room. */
static int
reserve_memory(const struct sink_output *o, uint64_t length)
{
	uint64_t room;

	if (sink_path_room(o->path.fd, &room) < 0 || length <= room)
		return 0;
	return -ENOSPC;
}

static int
reserve_blocks(struct sink_output *o, uint64_t length)
{
	int rc;

	do {
		rc = o->io->fallocate(o->path.fd, FALLOC_FL_KEEP_SIZE, 0, (off_t)length);
	} while (rc < 0 && errno == EINTR);
	if (rc == 0)
		o->sized = true;
	return rc == 0 ? 0 : -errno;
}

void
sink_output_expect(struct sink_output *o, uint64_t length)
{
	int rc;

	if (!o->path.regular || o->info->error != 0 || length == 0 || length > INT64_MAX)
		return;
	rc = o->path.memory ? reserve_memory(o, length) : reserve_blocks(o, length);
	/* Any other answer means that this file system does not preallocate; the writes tell. */
	if (rc == -ENOSPC || rc == -EDQUOT || rc == -EFBIG || rc == -EIO)
		fail(o, rc, "fallocate", 0);
}

static void
cut(struct sink_output *o, uint64_t size)
{
	if (!o->path.regular || (!o->sized && o->info->error == 0))
		return;
	if (o->io->ftruncate(o->path.fd, (off_t)size) < 0)
		fail(o, -errno, "ftruncate", size);
}

static void
sync_to_disk(struct sink_output *o)
{
	/* EINVAL, EROFS: a pipe or a terminal, which nothing need be synced of (fsync(2)). */
	if (o->info->error == 0 && o->io->fsync(o->path.fd) < 0 && errno != EINVAL &&
		errno != EROFS)
		fail(o, -errno, "fsync", UINT64_MAX);
}

/* NFS and quotas may report a write's failure only here. */
static void
close_path(struct sink_output *o)
{
	if (o->path.fd_direct >= 0)
		(void)o->io->close(o->path.fd_direct);
	if (o->path.fd >= 0 && !o->path.keep_open && o->io->close(o->path.fd) < 0)
		fail(o, -errno, "close", UINT64_MAX);
	o->path.fd = -1;
	o->path.fd_direct = -1;
}

int
sink_output_end(struct sink_output *o, uint64_t total, bool sync)
{
	while (o->in_flight > 0)
		(void)reap_one(o, true);
	o->info->bytes_written = total < o->failed_at ? total : o->failed_at;
	cut(o, o->info->bytes_written);
	if (sync && o->path.fd >= 0)
		sync_to_disk(o);
	if (o->uring->open)
		sink_uring_set_files(o->uring, -1, -1);
	close_path(o);
	CHECK(o->free_count == o->buffers_count);
	return o->info->error;
}
