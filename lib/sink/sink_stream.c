/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <poll.h>

#include "sink_limits.h"
#include "sink_stream.h"

/* Waits until fd takes something (or reports an error, which the write then tells). 0, or
 * -ETIMEDOUT once given up. */
static int
wait_for_room(const struct sink_stream *s)
{
	struct pollfd p = {.fd = s->fd, .events = POLLOUT};
	int waited_ms = 0;

	while (poll(&p, 1, SINK_STREAM_POLL_MS) <= 0) {
		if (!atomic_load_explicit(s->give_up, memory_order_relaxed))
			continue;
		waited_ms += SINK_STREAM_POLL_MS;
		if (waited_ms >= SINK_STREAM_GIVE_UP_MS)
			return -ETIMEDOUT;
	}
	return 0;
}

int
sink_stream_write(const struct sink_stream *s, const uint8_t *data, uint32_t len, uint32_t *done,
	uint32_t *writes)
{
	uint32_t written = 0, chunk;
	ssize_t rc;
	int ret = 0;

	while (written < len && ret == 0) {
		chunk = len - written;
		if (s->chunked)
			ret = wait_for_room(s);
		if (ret < 0)
			break;
		if (s->chunked && chunk > SINK_PIPE_CHUNK)
			chunk = SINK_PIPE_CHUNK;
		rc = s->io->write(s->fd, data + written, chunk);
		(*writes)++;
		if (rc > 0)
			written += (uint32_t)rc;
		else if (rc == 0)
			ret = -EIO;
		else if (errno != EINTR && errno != EAGAIN)
			ret = -errno;
	}
	*done += written;
	return ret;
}
