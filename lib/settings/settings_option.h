/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SETTINGS_OPTION_H
#define SETTINGS_OPTION_H

#include <stddef.h>
#include <stdint.h>

#include "settings.h"

/*
 * The one option table: the parser, the config file, --help, the man page, completion and
 * --dump-config are all made from it.
 */

enum option_type {
	OPTION_FLAG, /* bool; --no-NAME clears it */
	OPTION_TEXT, /* char *, strdup'd */
	OPTION_LIST, /* struct settings_list, repeatable */
	OPTION_COUNT, /* uint64_t within min..max */
	OPTION_CPU, /* int64_t within -1..max */
	OPTION_BYTES, /* uint64_t; suffixes k, m, g (powers of 1024) */
	OPTION_SECONDS, /* uint64_t ns, given in seconds with decimals; suffixes us, ms, s, m, h */
	OPTION_RATE, /* double, a second; suffixes k, m (1000, 1000000) */
	OPTION_MICROSECONDS, /* uint64_t ns, given in microseconds with decimals */
	OPTION_CHOICE, /* int; the index of the text in choices */
	OPTION_CIDR, /* address, prefix_len, address_dhcp and address_set */
	OPTION_IPV4, /* uint32_t, host order */
	OPTION_CIDR6, /* address6, prefix6_len, address6_auto and address6_set */
	OPTION_IPV6, /* struct ipv6_addr */
	OPTION_MAC, /* struct ether_addr at offset, bool at set_offset */
	OPTION_CONFIG, /* --config itself: no storage */
};

enum option_group {
	OPTION_GROUP_PORT,
	OPTION_GROUP_TCP,
	OPTION_GROUP_TRANSFER,
	OPTION_GROUP_LOAD,
	OPTION_GROUP_OUTPUT,
	OPTION_GROUP_REPORT,
	OPTION_GROUP_NIC,
	OPTION_GROUP_TEST,
	OPTION_GROUP_MACHINE,
	OPTION_GROUP_OTHER,
	OPTION_GROUP_COUNT
};

struct settings_option {
	const char *name; /* the long option and the config file's key */
	const char *argument; /* what it is called in --help; NULL for flags */
	const char *help; /* one or two sentences */
	const char *const *choices; /* OPTION_CHOICE: NULL-terminated */
	size_t offset, set_offset; /* in struct settings */
	uint64_t min, max; /* of the given number (bytes, seconds, microseconds, count) */
	enum option_type type;
	enum option_group group;
	char letter; /* the short option, 0: none */
	unsigned int commands; /* bits 1 << enum settings_command: whose it is; 0: all that
				   * transfer */
	bool own_stack; /* of our own stack alone: means nothing over the kernel's */
};

/** The table; *ret_count entries. Static storage. */
const struct settings_option *settings_options(uint32_t *ret_count);

/** "The port" and so on. */
const char *settings_group_title(enum option_group group);

/** Does the command have this option? */
bool settings_option_is_of(const struct settings_option *option, int command);

/** The option of that long name, or NULL. */
const struct settings_option *settings_option_find(const char *name);

/**
 * Parses text as the option's value and stores it. For OPTION_FLAG text is "true"/"false" and
 * their kin. what names the option in the message ("--vlan", "lab.ini:7: vlan").
 * SETTINGS_OK; SETTINGS_USAGE with a message; SETTINGS_NO_MEMORY.
 */
enum settings_result settings_option_set(struct settings *s, const struct settings_option *option,
	const char *text, const char *what, char *message);

/** Was the option given, on the command line or in the config file, whatever its value? */
bool settings_option_given(const struct settings *s, const struct settings_option *option);

/** Writes the option's value as settings_option_set reads it; item selects among an
 *  OPTION_LIST's values. false: it has none (unset, or item beyond the list). */
bool settings_option_format(const struct settings *s, const struct settings_option *option,
	uint32_t item, char *buf, size_t room);

/** The values before anything is read; the strings are allocated. */
enum settings_result settings_defaults(struct settings *ret);

#endif
