/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PD_LAYOUT_H
#define PD_LAYOUT_H

#include <stddef.h>
#include <stdint.h>

/**
 * packetdrill compares TCP options byte by byte, in order, padding included; their order means
 * nothing to TCP. Lays the options of the IPv4 packet (len bytes, room for 60 more) out as FreeBSD
 * does, and corrects lengths and checksums. Returns the new length.
 */
size_t pd_layout_freebsd(uint8_t *packet, size_t len);

#endif
