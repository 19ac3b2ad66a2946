/* SPDX-License-Identifier: BSD-3-Clause */
#include <limits.h>
#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/route.h>

#include "nic_route.h"
#include "nic_stack.h"

#define LINE_BYTES 512
#define FIELDS_MAX 12U

/* /proc/net/route: Iface Destination Gateway Flags RefCnt Use Metric Mask MTU Window IRTT */
enum { IPV4_INTERFACE = 0, IPV4_DESTINATION = 1, IPV4_FLAGS = 3, IPV4_MASK = 7, IPV4_FIELDS = 8 };

/* /proc/net/ipv6_route: destination, its prefix length, source, its prefix length, next hop,
 * metric, references, use, flags, interface */
enum { IPV6_PREFIX_LEN = 1, IPV6_FLAGS = 8, IPV6_INTERFACE = 9, IPV6_FIELDS = 10 };

typedef bool (*line_matches_fn)(const char *line, const char *interface);

/* Divides a copy of line in buf at white space. Returns how many fields there are. */
static uint32_t
split(const char *line, char buf[LINE_BYTES], const char *fields[FIELDS_MAX])
{
	char *rest = NULL, *field;
	uint32_t n = 0;

	(void)snprintf(buf, LINE_BYTES, "%s", line);
	for (field = strtok_r(buf, " \t\n", &rest); field != NULL && n < FIELDS_MAX;
		field = strtok_r(NULL, " \t\n", &rest))
		fields[n++] = field;
	return n;
}

static bool
is_hex_zero(const char *field)
{
	return field[strspn(field, "0")] == '\0';
}

static bool
is_usable(const char *hex_flags)
{
	unsigned long flags = strtoul(hex_flags, NULL, 16);

	return (flags & RTF_UP) != 0 && (flags & RTF_REJECT) == 0;
}

bool
nic_route_line_ipv4(const char *line, const char *interface)
{
	const char *f[FIELDS_MAX];
	char buf[LINE_BYTES];

	return split(line, buf, f) >= IPV4_FIELDS && is_hex_zero(f[IPV4_DESTINATION]) &&
	       is_hex_zero(f[IPV4_MASK]) && is_usable(f[IPV4_FLAGS]) &&
	       strcmp(f[IPV4_INTERFACE], interface) == 0;
}

bool
nic_route_line_ipv6(const char *line, const char *interface)
{
	const char *f[FIELDS_MAX];
	char buf[LINE_BYTES];

	return split(line, buf, f) >= IPV6_FIELDS && is_hex_zero(f[IPV6_PREFIX_LEN]) &&
	       is_usable(f[IPV6_FLAGS]) && strcmp(f[IPV6_INTERFACE], interface) == 0;
}

static bool
any_line(const char *root, const char *name, line_matches_fn matches, const char *interface)
{
	char path[PATH_MAX], line[LINE_BYTES];
	bool found = false;
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/proc/net/%s", root, name);
	file = fopen(path, "re");
	if (file == NULL)
		return false;
	while (!found && fgets(line, sizeof(line), file) != NULL)
		found = matches(line, interface);
	(void)fclose(file);
	return found;
}

static bool
has_default(const char *root, const char *interface)
{
	return any_line(root, "route", nic_route_line_ipv4, interface) ||
	       any_line(root, "ipv6_route", nic_route_line_ipv6, interface);
}

bool
nic_route_is_default(const char *root, const char *interface)
{
	char names[NIC_STACK_MAX][IFNAMSIZ];
	uint32_t n = nic_stack_of(root, interface, names), i;

	for (i = 0; i < n; i++) {
		if (has_default(root, names[i]))
			return true;
	}
	return false;
}
