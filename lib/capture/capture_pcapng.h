/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CAPTURE_PCAPNG_H
#define CAPTURE_PCAPNG_H

#include <stdint.h>

#include "capture_ring.h"

/*
 * The blocks of a pcapng file (draft-ietf-opsawg-pcapng), one section and one interface, in the byte order
 * of this machine. Each function writes one block to buf and returns its length.
 */

/* No block but a packet's is longer, and a packet's is longer than its bytes by less. */
#define CAPTURE_PCAPNG_MORE_MAX 512U

/** Section Header Block; application: who captures, up to 100 bytes. */
uint32_t capture_pcapng_section(uint8_t *buf, const char *application);

/** Interface Description Block: Ethernet, times in ns. name: up to 100 bytes; snaplen: bytes captured of
 *  a frame at most, 0: all. */
uint32_t capture_pcapng_interface(uint8_t *buf, const char *name, uint32_t snaplen);

/** Enhanced Packet Block, with direction and queue; a frame that was dropped has the reason as its
 *  comment. */
uint32_t capture_pcapng_packet(uint8_t *buf, const struct capture_record *c, const uint8_t *data);

/** Interface Statistics Block: at_ns since 1970; frames that passed, and of these, that are not in the
 *  file for want of room. */
uint32_t capture_pcapng_statistics(
	uint8_t *buf, uint64_t at_ns, uint64_t passed, uint64_t left_out);

#endif
