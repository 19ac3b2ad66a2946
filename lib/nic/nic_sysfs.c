/* SPDX-License-Identifier: BSD-3-Clause */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nic_sysfs.h"

bool
nic_sysfs_text(const char *dir, const char *name, char *buf, size_t room)
{
	char path[PATH_MAX];
	FILE *file;
	bool read;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	file = fopen(path, "re");
	if (file == NULL)
		return false;
	read = fgets(buf, (int)room, file) != NULL;
	fclose(file);
	if (read)
		buf[strcspn(buf, "\n")] = '\0';
	return read;
}

long
nic_sysfs_number(const char *dir, const char *name, long fallback)
{
	char text[64], *end;
	long value;

	if (!nic_sysfs_text(dir, name, text, sizeof(text)))
		return fallback;
	value = strtol(text, &end, 0);
	return end == text ? fallback : value;
}
