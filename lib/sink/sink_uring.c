/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <sched.h>
#include <time.h>

#include "base_check.h"
#include "base_time.h"
#include "sink_uring.h"

enum { SLOT_BUFFERED, SLOT_DIRECT, SLOTS };

int
sink_uring_open(struct sink_uring *u, const struct sink_io_ops *io, const struct iovec *buffers,
	uint32_t buffers_count)
{
	int rc;

	*u = (struct sink_uring){.io = io, .fds = {-1, -1}};
	rc = io->uring_init(buffers_count, &u->ring);
	if (rc < 0)
		return rc;
	u->open = true;
	/* Either may be refused (RLIMIT_MEMLOCK, an old kernel); plain writes do as well. */
	u->buffers_registered = io_uring_register_buffers(&u->ring, buffers, buffers_count) == 0;
	u->files_registered = io_uring_register_files(&u->ring, u->fds, SLOTS) == 0;
	return 0;
}

void
sink_uring_close(struct sink_uring *u)
{
	if (u->open)
		io_uring_queue_exit(&u->ring);
	u->open = false;
}

void
sink_uring_pin(struct sink_uring *u, int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((size_t)cpu, &set);
	if (u->open)
		(void)io_uring_register_iowq_aff(&u->ring, sizeof(set), &set);
}

void
sink_uring_set_files(struct sink_uring *u, int fd, int fd_direct)
{
	u->fds[SLOT_BUFFERED] = fd;
	u->fds[SLOT_DIRECT] = fd_direct;
	if (u->files_registered &&
		io_uring_register_files_update(&u->ring, 0, u->fds, SLOTS) != SLOTS)
		u->files_registered = false;
}

static void
prepare(const struct sink_uring *u, struct io_uring_sqe *sqe, const struct sink_uring_write *w)
{
	int slot = w->direct ? SLOT_DIRECT : SLOT_BUFFERED;
	int fd = u->files_registered ? slot : u->fds[slot];

	if (u->buffers_registered)
		io_uring_prep_write_fixed(sqe, fd, w->data, w->len, w->offset, (int)w->buffer);
	else
		io_uring_prep_write(sqe, fd, w->data, w->len, w->offset);
	if (u->files_registered)
		io_uring_sqe_set_flags(sqe, IOSQE_FIXED_FILE);
	io_uring_sqe_set_data(sqe, w->tag);
}

int
sink_uring_submit(struct sink_uring *u, const struct sink_uring_write *w)
{
	const struct timespec pause = {.tv_nsec = NS_PER_MS};
	struct io_uring_sqe *sqe = io_uring_get_sqe(&u->ring);
	int rc;

	CHECK(!u->broken);
	/* As many entries as buffers, and each is submitted before the next is taken. */
	CHECK(sqe != NULL);
	prepare(u, sqe, w);
	for (;;) {
		rc = u->io->uring_submit(&u->ring);
		if (rc == 1)
			return 0;
		/* Short of memory for the moment (io_uring_enter(2)): the entry stays queued. */
		if (rc == -EAGAIN || rc == -EBUSY)
			(void)nanosleep(&pause, NULL);
		else if (rc != -EINTR)
			break;
	}
	u->broken = true;
	return rc < 0 ? rc : -EIO;
}

bool
sink_uring_reap(struct sink_uring *u, bool wait, void **ret_tag, int32_t *ret_result)
{
	struct io_uring_cqe *cqe = NULL;
	int rc;

	do {
		rc = wait ? io_uring_wait_cqe(&u->ring, &cqe) : io_uring_peek_cqe(&u->ring, &cqe);
	} while (rc == -EINTR);
	if (rc < 0 || cqe == NULL) {
		CHECK(!wait);
		return false;
	}
	*ret_tag = io_uring_cqe_get_data(cqe);
	*ret_result = u->io->uring_result(cqe->res);
	io_uring_cqe_seen(&u->ring, cqe);
	return true;
}
