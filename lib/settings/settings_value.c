/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base_check.h"
#include "settings_option.h"
#include "wire_ipv4.h"

static void *
field(struct settings *s, size_t offset)
{
	return (char *)s + offset;
}

static const void *
field_const(const struct settings *s, size_t offset)
{
	return (const char *)s + offset;
}

static enum settings_result
bad_value(const char *what, const char *text, const char *expected, char *message)
{
	snprintf(message, SETTINGS_MESSAGE_MAX, "%s: '%.100s' is not %s", what, text, expected);
	return SETTINGS_USAGE;
}

static enum settings_result
no_memory(char *message)
{
	snprintf(message, SETTINGS_MESSAGE_MAX, "out of memory while reading the settings");
	return SETTINGS_NO_MEMORY;
}

static bool
parse_flag(const char *text, bool *ret)
{
	static const char *const yes[] = {"true", "yes", "on", "1", ""};
	static const char *const no[] = {"false", "no", "off", "0"};
	size_t i;

	for (i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
		if (strcasecmp(text, yes[i]) == 0) {
			*ret = true;
			return true;
		}
	}
	for (i = 0; i < sizeof(no) / sizeof(no[0]); i++) {
		if (strcasecmp(text, no[i]) == 0) {
			*ret = false;
			return true;
		}
	}
	return false;
}

/* A whole decimal number without sign; *ret_end is left at what follows it. */
static bool
parse_number(const char *text, uint64_t *ret, const char **ret_end)
{
	char *end;

	if (text[0] < '0' || text[0] > '9')
		return false;
	errno = 0;
	*ret = strtoull(text, &end, 10);
	*ret_end = end;
	return errno == 0;
}

static enum settings_result
set_count(struct settings *s, const struct settings_option *option, const char *text,
	const char *what, char *message)
{
	uint64_t value;
	const char *end;
	char expected[96];

	if (parse_number(text, &value, &end) && *end == '\0' && value >= option->min &&
		value <= option->max) {
		*(uint64_t *)field(s, option->offset) = value;
		return SETTINGS_OK;
	}
	snprintf(expected, sizeof(expected), "a whole number from %llu to %llu",
		(unsigned long long)option->min, (unsigned long long)option->max);
	return bad_value(what, text, expected, message);
}

static enum settings_result
set_cpu(struct settings *s, const struct settings_option *option, const char *text,
	const char *what, char *message)
{
	uint64_t value;
	const char *end;
	char expected[96];

	if (strcmp(text, "-1") == 0) {
		*(int64_t *)field(s, option->offset) = -1;
		return SETTINGS_OK;
	}
	if (parse_number(text, &value, &end) && *end == '\0' && value <= option->max) {
		*(int64_t *)field(s, option->offset) = (int64_t)value;
		return SETTINGS_OK;
	}
	snprintf(expected, sizeof(expected), "a CPU number from 0 to %llu, or -1",
		(unsigned long long)option->max);
	return bad_value(what, text, expected, message);
}

static uint64_t
suffix_shift(const char *end)
{
	switch (*end) {
	case 'k':
	case 'K':
		return 10;
	case 'm':
	case 'M':
		return 20;
	case 'g':
	case 'G':
		return 30;
	default:
		return 0;
	}
}

static enum settings_result
set_bytes(struct settings *s, const struct settings_option *option, const char *text,
	const char *what, char *message)
{
	uint64_t value, shift;
	const char *end;
	char expected[128];

	if (parse_number(text, &value, &end)) {
		shift = suffix_shift(end);
		end += shift > 0 ? 1 : 0;
		if (*end == '\0' && value <= UINT64_MAX >> shift && value << shift >= option->min &&
			value << shift <= option->max) {
			*(uint64_t *)field(s, option->offset) = value << shift;
			return SETTINGS_OK;
		}
	}
	snprintf(expected, sizeof(expected),
		"a size from %llu to %llu bytes, such as 65536, 256k or 4m",
		(unsigned long long)option->min, (unsigned long long)option->max);
	return bad_value(what, text, expected, message);
}

/* A decimal number without sign, whatever else strtod knows; *ret_end is left at what follows. */
static bool
parse_decimal(const char *text, double *ret, const char **ret_end)
{
	char *end;

	if (strchr("0123456789.", text[0]) == NULL || text[0] == '\0')
		return false;
	errno = 0;
	*ret = strtod(text, &end);
	*ret_end = end;
	return end != text && errno == 0 && isfinite(*ret);
}

/* How many units a time's suffix stands for; 0: it is none. */
static double
time_suffix_ns(const char *end, double unit_ns)
{
	static const struct {
		const char *suffix;
		double ns;
	} known[] = {{"ns", 1}, {"us", 1e3}, {"ms", 1e6}, {"s", 1e9}, {"m", 60e9}, {"h", 3600e9}};
	size_t i;

	if (*end == '\0')
		return unit_ns;
	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (strcmp(end, known[i].suffix) == 0)
			return known[i].ns;
	}
	return 0;
}

static enum settings_result
set_time(struct settings *s, const struct settings_option *option, const char *text, double unit_ns,
	const char *unit, const char *what, char *message)
{
	const char *end;
	double value, ns;
	char expected[128];

	if (parse_decimal(text, &value, &end) && (ns = value * time_suffix_ns(end, unit_ns)) >= 0 &&
		time_suffix_ns(end, unit_ns) > 0 && ns >= (double)option->min * unit_ns &&
		ns <= (double)option->max * unit_ns) {
		*(uint64_t *)field(s, option->offset) = (uint64_t)(ns + 0.5);
		return SETTINGS_OK;
	}
	snprintf(expected, sizeof(expected), "a number of %s from %llu to %llu", unit,
		(unsigned long long)option->min, (unsigned long long)option->max);
	return bad_value(what, text, expected, message);
}

static double
rate_suffix(const char *end)
{
	if (*end == '\0')
		return 1;
	if (end[1] != '\0')
		return 0;
	return *end == 'k' || *end == 'K' ? 1e3 : *end == 'm' || *end == 'M' ? 1e6 : 0;
}

static enum settings_result
set_rate(struct settings *s, const struct settings_option *option, const char *text,
	const char *what, char *message)
{
	const char *end;
	double value;
	char expected[128];

	if (parse_decimal(text, &value, &end) && rate_suffix(end) > 0 &&
		value * rate_suffix(end) >= (double)option->min &&
		value * rate_suffix(end) <= (double)option->max) {
		*(double *)field(s, option->offset) = value * rate_suffix(end);
		return SETTINGS_OK;
	}
	snprintf(expected, sizeof(expected),
		"a number a second from %llu to %llu, such as 1000, 50k or 1.5m",
		(unsigned long long)option->min, (unsigned long long)option->max);
	return bad_value(what, text, expected, message);
}

static enum settings_result
set_choice(struct settings *s, const struct settings_option *option, const char *text,
	const char *what, char *message)
{
	char expected[160] = "one of";
	size_t used = strlen(expected);
	int i;

	for (i = 0; option->choices[i] != NULL; i++) {
		if (strcasecmp(option->choices[i], text) == 0) {
			*(int *)field(s, option->offset) = i;
			return SETTINGS_OK;
		}
	}
	for (i = 0; option->choices[i] != NULL && used < sizeof(expected); i++)
		used += (size_t)snprintf(expected + used, sizeof(expected) - used, "%s %s",
			i > 0 ? "," : "", option->choices[i]);
	return bad_value(what, text, expected, message);
}

static enum settings_result
set_text(struct settings *s, const struct settings_option *option, const char *text, char *message)
{
	char **slot = field(s, option->offset);
	char *copy = strdup(text);

	if (copy == NULL)
		return no_memory(message);
	free(*slot);
	*slot = copy;
	return SETTINGS_OK;
}

static enum settings_result
add_item(struct settings *s, const struct settings_option *option, const char *text, char *message)
{
	struct settings_list *list = field(s, option->offset);
	char **grown = realloc(list->item, (list->count + 1) * sizeof(char *));
	char *copy = strdup(text);

	if (grown != NULL)
		list->item = grown;
	if (grown == NULL || copy == NULL) {
		free(copy);
		return no_memory(message);
	}
	list->item[list->count++] = copy;
	return SETTINGS_OK;
}

static enum settings_result
set_cidr(struct settings *s, const char *text, const char *what, char *message)
{
	uint32_t address;
	uint8_t prefix_len;

	s->address_dhcp = strcasecmp(text, "dhcp") == 0;
	if (s->address_dhcp)
		address = prefix_len = 0;
	else if (ipv4_cidr_parse(text, &address, &prefix_len) != 0)
		return bad_value(what, text,
			"an IPv4 address with a prefix length, such as "
			"198.18.0.2/24, or dhcp",
			message);
	s->address = address;
	s->prefix_len = prefix_len;
	s->address_set = true;
	return SETTINGS_OK;
}

static enum settings_result
set_cidr6(struct settings *s, const char *text, const char *what, char *message)
{
	struct ipv6_addr address = ipv6_addr_unspecified;
	bool automatic = strcmp(text, "auto") == 0;
	uint8_t prefix_len = 0;

	if (!automatic && ipv6_cidr_parse(text, &address, &prefix_len) != 0)
		return bad_value(what, text,
			"an IPv6 address with a prefix length, such as 2001:2:0:18::2/64, or auto",
			message);
	s->address6 = address;
	s->prefix6_len = prefix_len;
	s->address6_auto = automatic;
	s->address6_set = true;
	return SETTINGS_OK;
}

static enum settings_result
set_ipv6(struct settings *s, const struct settings_option *option, const char *text,
	const char *what, char *message)
{
	struct ip_address address;

	if (ip_address_parse(text, &address) != 0 || address.family != 6)
		return bad_value(what, text, "an IPv6 address, such as fe80::1", message);
	*(struct ipv6_addr *)field(s, option->offset) = address.v6;
	return SETTINGS_OK;
}

static enum settings_result
set_mac(struct settings *s, const struct settings_option *option, const char *text,
	const char *what, char *message)
{
	struct ether_addr mac;

	if (ether_addr_parse(text, &mac) != 0 || ether_addr_is_multicast(&mac))
		return bad_value(
			what, text, "a unicast MAC address, such as 02:00:5e:10:00:01", message);
	*(struct ether_addr *)field(s, option->offset) = mac;
	*(bool *)field(s, option->set_offset) = true;
	return SETTINGS_OK;
}

static enum settings_result
set_value(struct settings *s, const struct settings_option *option, const char *text,
	const char *what, char *message)
{
	switch (option->type) {
	case OPTION_FLAG:
		return parse_flag(text, field(s, option->offset))
			       ? SETTINGS_OK
			       : bad_value(what, text, "true or false", message);
	case OPTION_TEXT:
		return set_text(s, option, text, message);
	case OPTION_LIST:
		return add_item(s, option, text, message);
	case OPTION_COUNT:
		return set_count(s, option, text, what, message);
	case OPTION_CPU:
		return set_cpu(s, option, text, what, message);
	case OPTION_BYTES:
		return set_bytes(s, option, text, what, message);
	case OPTION_SECONDS:
		return set_time(s, option, text, 1e9, "seconds", what, message);
	case OPTION_MICROSECONDS:
		return set_time(s, option, text, 1e3, "microseconds", what, message);
	case OPTION_RATE:
		return set_rate(s, option, text, what, message);
	case OPTION_CHOICE:
		return set_choice(s, option, text, what, message);
	case OPTION_CIDR:
		return set_cidr(s, text, what, message);
	case OPTION_IPV4:
		return ipv4_addr_parse(text, field(s, option->offset)) == 0
			       ? SETTINGS_OK
			       : bad_value(what, text, "an IPv4 address, such as 198.18.0.1",
					 message);
	case OPTION_CIDR6:
		return set_cidr6(s, text, what, message);
	case OPTION_IPV6:
		return set_ipv6(s, option, text, what, message);
	case OPTION_MAC:
		return set_mac(s, option, text, what, message);
	case OPTION_CONFIG:
		snprintf(message, SETTINGS_MESSAGE_MAX, "%s: a config file cannot name another one",
			what);
		return SETTINGS_USAGE;
	}
	CHECK(false);
}

/* Its bit in given; *ret_word is which word. */
static uint64_t
given_bit(const struct settings_option *option, uint32_t *ret_word)
{
	uint32_t count, index = (uint32_t)(option - settings_options(&count));

	CHECK(index < count && count <= SETTINGS_GIVEN_WORDS * 64U);
	*ret_word = index / 64U;
	return UINT64_C(1) << index % 64U;
}

enum settings_result
settings_option_set(struct settings *s, const struct settings_option *option, const char *text,
	const char *what, char *message)
{
	enum settings_result result = set_value(s, option, text, what, message);
	uint32_t word;
	uint64_t bit = given_bit(option, &word);

	if (result == SETTINGS_OK)
		s->given[word] |= bit;
	return result;
}

bool
settings_option_given(const struct settings *s, const struct settings_option *option)
{
	uint32_t word;
	uint64_t bit = given_bit(option, &word);

	return (s->given[word] & bit) != 0;
}

static bool
format_text(const char *text, char *buf, size_t room)
{
	if (text == NULL)
		return false;
	snprintf(buf, room, "%s", text);
	return true;
}

static bool
format_item(const struct settings_list *list, uint32_t item, char *buf, size_t room)
{
	return item < list->count && format_text(list->item[item], buf, room);
}

static bool
format_cidr(const struct settings *s, char *buf, size_t room)
{
	char address[IPV4_ADDR_TEXT_LEN];

	if (s->address_dhcp)
		return format_text("dhcp", buf, room);
	snprintf(buf, room, "%s/%u", ipv4_addr_format(s->address, address), s->prefix_len);
	return s->address_set;
}

static bool
format_ipv6(const struct ipv6_addr *address, char *buf, size_t room)
{
	struct ip_address a = ip_address_of_v6(address);
	char text[IP_ADDRESS_TEXT_LEN];

	return !ipv6_addr_is_unspecified(address) &&
	       format_text(ip_address_format(&a, text), buf, room);
}

static bool
format_cidr6(const struct settings *s, char *buf, size_t room)
{
	struct ip_address a = ip_address_of_v6(&s->address6);
	char text[IP_ADDRESS_TEXT_LEN];

	if (s->address6_auto)
		snprintf(buf, room, "auto");
	else
		snprintf(buf, room, "%s/%u", ip_address_format(&a, text), s->prefix6_len);
	return s->address6_set;
}

static bool
format_ipv4(uint32_t address, char *buf, size_t room)
{
	char text[IPV4_ADDR_TEXT_LEN];

	return address != 0 && format_text(ipv4_addr_format(address, text), buf, room);
}

static bool
format_mac(const struct settings *s, const struct settings_option *option, char *buf, size_t room)
{
	char text[ETHER_ADDR_TEXT_LEN];

	ether_addr_format(field_const(s, option->offset), text);
	return *(const bool *)field_const(s, option->set_offset) && format_text(text, buf, room);
}

bool
settings_option_format(const struct settings *s, const struct settings_option *option,
	uint32_t item, char *buf, size_t room)
{
	const void *at = field_const(s, option->offset);

	if (item > 0 && option->type != OPTION_LIST)
		return false;
	switch (option->type) {
	case OPTION_FLAG:
		return format_text(*(const bool *)at ? "true" : "false", buf, room);
	case OPTION_TEXT:
		return format_text(*(char *const *)at, buf, room);
	case OPTION_LIST:
		return format_item(at, item, buf, room);
	case OPTION_COUNT:
	case OPTION_BYTES:
		snprintf(buf, room, "%llu", (unsigned long long)*(const uint64_t *)at);
		return true;
	case OPTION_CPU:
		snprintf(buf, room, "%lld", (long long)*(const int64_t *)at);
		return true;
	case OPTION_SECONDS:
		snprintf(buf, room, "%.9g", (double)*(const uint64_t *)at / 1e9);
		return true;
	case OPTION_MICROSECONDS:
		snprintf(buf, room, "%.9g", (double)*(const uint64_t *)at / 1e3);
		return true;
	case OPTION_RATE:
		snprintf(buf, room, "%.17g", *(const double *)at);
		return true;
	case OPTION_CHOICE:
		return format_text(option->choices[*(const int *)at], buf, room);
	case OPTION_CIDR:
		return format_cidr(s, buf, room);
	case OPTION_IPV4:
		return format_ipv4(*(const uint32_t *)at, buf, room);
	case OPTION_CIDR6:
		return format_cidr6(s, buf, room);
	case OPTION_IPV6:
		return format_ipv6((const struct ipv6_addr *)at, buf, room);
	case OPTION_MAC:
		return format_mac(s, option, buf, room);
	case OPTION_CONFIG:
		return false;
	}
	CHECK(false);
}

enum settings_result
settings_defaults(struct settings *ret)
{
	struct tcp_config tcp;

	tcp_config_defaults(&tcp);
	*ret = (struct settings){
		.addresses = 1,
		.mtu = 1500,
		.checksum_offload = true,
		.lro = true,
		.pcap_size_bytes = UINT64_C(1) << 30,
		.pcap_packets = 10000,
		.link_timeout_ns = 10 * NS_PER_SEC,
		.core = -1,
		.writer_core = -1,
		.ack = (int)tcp.ack_policy,
		.congestion = (int)tcp.congestion,
		.ecn = tcp.ecn,
		.ack_delay_ns = tcp.ack_delay_max_ns,
		.ack_segments = tcp.ack_segments_max,
		.window_bytes = tcp.rcv_window_max_bytes,
		.direct = true,
		.connections = 10,
		.pipeline = 1,
		.pairs = 5,
		.curl = true,
		.soak_ns = 60 * NS_PER_SEC,
	};
	return SETTINGS_OK;
}

static void
free_list(struct settings_list *list)
{
	uint32_t i;

	for (i = 0; i < list->count; i++)
		free(list->item[i]);
	free(list->item);
	*list = (struct settings_list){0};
}

void
settings_free(struct settings *s)
{
	uint32_t i, count;
	const struct settings_option *options = settings_options(&count);
	char **text;

	for (i = 0; i < count; i++) {
		if (options[i].type == OPTION_LIST) {
			free_list(field(s, options[i].offset));
		} else if (options[i].type == OPTION_TEXT) {
			text = field(s, options[i].offset);
			free(*text);
			*text = NULL;
		}
	}
}
