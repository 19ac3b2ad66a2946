/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CAPTURE_LIMITS_H
#define CAPTURE_LIMITS_H

/* Bytes of frames between a worker and the writer: 10 ms of 25 Gb/s. A power of two. */
#define CAPTURE_RING_BYTES (UINT64_C(1) << 25)
/* The longest frame: an IP packet and its Ethernet header with a tag, and what rounding up asks for. */
#define CAPTURE_FRAME_MAX 65600U
/* How long the writer rests when there is nothing to write. */
#define CAPTURE_NAP_NS 1000000
/* The file is written in pieces of this size. */
#define CAPTURE_FILE_BUFFER (1U << 20)

#endif
