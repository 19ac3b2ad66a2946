/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SINK_LIMITS_H
#define SINK_LIMITS_H

#include <stdint.h>

#include "base_time.h"

/* Defaults and bounds of struct sink_config. A disk may take the writes that it is handed together and say
 * so of all of them at the end (a virtual one does): while it works on some buffers as many have to fill
 * (docs/adr/writer-copies.md has what was measured). */
#define SINK_BUFFER_BYTES_DEFAULT (UINT32_C(1) << 23)
#define SINK_BUFFER_BYTES_MIN (UINT32_C(1) << 16)
#define SINK_BUFFER_BYTES_MAX (UINT32_C(1) << 24)
#define SINK_BUFFERS_DEFAULT 8U
#define SINK_BUFFERS_MIN 2U
#define SINK_BUFFERS_MAX 64U
#define SINK_RING_ENTRIES_DEFAULT 4096U
#define SINK_RING_ENTRIES_MIN 2U
#define SINK_RING_ENTRIES_MAX (1U << 20)

/* Commands that need a place on the ring besides writes: open, expect, finish, finish again, quit,
 * rounded up to a power of two. */
#define SINK_RING_CONTROL 8U

/* O_DIRECT's alignment of memory, offset and length: a page, the largest that block devices ask
 * for (statx(2), STATX_DIOALIGN). */
#define SINK_DIRECT_ALIGN UINT32_C(4096)

/* Writes taken between two looks at the completions and the digest: about a core's L2 cache. */
#define SINK_BATCH_WRITES 64U

/* The data that is copied next is called for so many writes before, so many bytes of it at most, as a core's L1
 * cache has room for. */
#define SINK_PREFETCH_AHEAD 2U
#define SINK_PREFETCH_BYTES 16384U
#define SINK_CACHE_LINE 64U

/*
 * While data flows the thread naps this long between looks at the ring, and the poll core wakes
 * it only when this many writes have piled up: so small bursts cost no system call. 5,000 naps a
 * second are about 2 % of a core.
 */
#define SINK_NAP_NS (200U * NS_PER_US)
#define SINK_NAP_WAKE_WRITES 128U
/* Empty naps in a row after which the thread sleeps until it is woken. */
#define SINK_NAPS_MAX 10U

/* A pipe that is readable in poll(2)'s sense takes this much without blocking (pipe(7), PIPE_BUF);
 * so the thread is never stuck in write(2) and can give up. */
#define SINK_PIPE_CHUNK UINT32_C(4096)
/* How often a stream that takes nothing is looked at, and how long it may take nothing once the
 * download has been given up. */
#define SINK_STREAM_POLL_MS 100
#define SINK_STREAM_GIVE_UP_MS 1000

/* curl(1), --create-dirs: "created with mode 0750". */
#define SINK_DIRECTORY_MODE 0750
#define SINK_FILE_MODE 0666

#endif
