/* SPDX-License-Identifier: BSD-3-Clause */
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "nic_stack.h"

#define UPPER "upper_"

static bool
is_listed(char names[NIC_STACK_MAX][IFNAMSIZ], uint32_t n, const char *name)
{
	uint32_t i;

	for (i = 0; i < n; i++) {
		if (strcmp(names[i], name) == 0)
			return true;
	}
	return false;
}

/* Appends what stands directly on the interface. */
static uint32_t
add_uppers(const char *root, const char *interface, char names[NIC_STACK_MAX][IFNAMSIZ], uint32_t n)
{
	char folder[PATH_MAX];
	const struct dirent *entry;
	const char *name;
	DIR *dir;

	(void)snprintf(folder, sizeof(folder), "%s/sys/class/net/%s", root, interface);
	dir = opendir(folder);
	if (dir == NULL)
		return n;
	while (n < NIC_STACK_MAX && (entry = readdir(dir)) != NULL) {
		name = entry->d_name + strlen(UPPER);
		if (strncmp(entry->d_name, UPPER, strlen(UPPER)) == 0 && !is_listed(names, n, name))
			(void)snprintf(names[n++], IFNAMSIZ, "%.15s", name);
	}
	(void)closedir(dir);
	return n;
}

uint32_t
nic_stack_of(const char *root, const char *interface, char ret[NIC_STACK_MAX][IFNAMSIZ])
{
	uint32_t n = 1, i;

	(void)snprintf(ret[0], IFNAMSIZ, "%.15s", interface);
	for (i = 0; i < n; i++)
		n = add_uppers(root, ret[i], ret, n);
	return n;
}

bool
nic_stack_has(const char *root, const char *interface, const char *name)
{
	char names[NIC_STACK_MAX][IFNAMSIZ];

	return is_listed(names, nic_stack_of(root, interface, names), name);
}
