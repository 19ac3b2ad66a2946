/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <string.h>

#include <linux/netlink.h>

#include "nic_state.h"
#include "nic_state_priv.h"

#define MAC_TEXT_MAX 128U

json_t *
state_hex(const void *bytes, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *b = bytes;
	char text[2U * 4096U + 1U];
	size_t i;

	if (2 * len >= sizeof(text))
		return NULL;
	for (i = 0; i < len; i++) {
		text[2 * i] = digits[b[i] >> 4];
		text[2 * i + 1] = digits[b[i] & 0xf];
	}
	return json_stringn(text, 2 * len);
}

size_t
state_unhex(const char *text, void *buf, size_t room)
{
	size_t len = text != NULL ? strlen(text) / 2 : 0, i;
	uint8_t *to = buf;
	unsigned int value;

	if (text == NULL || len > room || strlen(text) % 2 != 0 ||
		strspn(text, "0123456789abcdef") != strlen(text))
		return 0;
	for (i = 0; i < len; i++) {
		(void)sscanf(text + 2 * i, "%2x", &value);
		to[i] = (uint8_t)value;
	}
	return len;
}

int64_t
state_now_s(void)
{
	struct timespec now = {0};

	clock_gettime(CLOCK_BOOTTIME, &now);
	return now.tv_sec;
}

json_t *
state_mac(const uint8_t *bytes, size_t len)
{
	char text[MAC_TEXT_MAX] = "";
	size_t i, used = 0;

	for (i = 0; i < len && used < sizeof(text) - 4; i++)
		used += (size_t)snprintf(
			text + used, sizeof(text) - used, "%s%02x", i > 0 ? ":" : "", bytes[i]);
	return json_string(text);
}

const void *
state_attribute(const void *message, size_t len, size_t header, uint16_t type, size_t *ret_len)
{
	struct nlattr attr;
	const char *at = message;
	size_t left;

	if (len < header)
		return NULL;
	at += header;
	for (left = len - header; left >= sizeof(attr); left -= NLMSG_ALIGN(attr.nla_len)) {
		memcpy(&attr, at, sizeof(attr));
		if (attr.nla_len < sizeof(attr) || attr.nla_len > left)
			return NULL;
		if ((attr.nla_type & NLA_TYPE_MASK) == type) {
			*ret_len = attr.nla_len - sizeof(attr);
			return at + sizeof(attr);
		}
		if (NLMSG_ALIGN(attr.nla_len) > left)
			return NULL;
		at += NLMSG_ALIGN(attr.nla_len);
	}
	return NULL;
}
