/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef NIC_STATE_PRIV_H
#define NIC_STATE_PRIV_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <jansson.h>
#include <linux/rtnetlink.h>

/** Bytes as hexadecimal text. NULL: no memory. */
json_t *state_hex(const void *bytes, size_t len);

/** And back, into buf. How many bytes; 0: it is no such text, or longer than room. */
size_t state_unhex(const char *text, void *buf, size_t room);

/** Seconds since the machine was started, those asleep included. */
int64_t state_now_s(void);

/** "02:00:5e:10:00:01" */
json_t *state_mac(const uint8_t *bytes, size_t len);

/** Is the attribute of this type among those that follow the header of a route or address?
 *  Its payload, or NULL. */
const void *state_attribute(
	const void *message, size_t len, size_t header, uint16_t type, size_t *ret_len);

#endif
