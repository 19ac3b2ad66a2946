/* SPDX-License-Identifier: BSD-3-Clause */
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "nic_sysctl.h"
#include "nic_sysfs.h"

#define VALUE_MAX 256U

static const char *const folders[] = {"ipv4/conf", "ipv6/conf", "ipv4/neigh", "ipv6/neigh"};

static void
path_of(char ret[PATH_MAX], const char *root, const char *folder, const char *interface)
{
	(void)snprintf(ret, PATH_MAX, "%s/proc/sys/net/%s/%s", root, folder, interface);
}

static void
save_folder(json_t *into, const char *root, const char *folder, const char *interface)
{
	char path[PATH_MAX], key[NAME_MAX + 32], value[VALUE_MAX];
	const struct dirent *entry;
	DIR *dir;

	path_of(path, root, folder, interface);
	dir = opendir(path);
	if (dir == NULL)
		return;
	while ((entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == '.' ||
			!nic_sysfs_text(path, entry->d_name, value, sizeof(value)))
			continue;
		(void)snprintf(key, sizeof(key), "%s/%s", folder, entry->d_name);
		json_object_set_new(into, key, json_string(value));
	}
	(void)closedir(dir);
}

json_t *
nic_sysctl_save(const char *root, const char *interface)
{
	json_t *ret = json_object();
	size_t i;

	for (i = 0; ret != NULL && i < sizeof(folders) / sizeof(folders[0]); i++)
		save_folder(ret, root, folders[i], interface);
	return ret;
}

static bool
write_value(const char *folder, const char *name, const char *value)
{
	char path[PATH_MAX + NAME_MAX];
	bool written;
	int fd;

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	written = write(fd, value, strlen(value)) == (ssize_t)strlen(value);
	return close(fd) == 0 && written;
}

/* Is it so already, or again? key: "ipv4/conf/rp_filter". */
static bool
apply_one(const char *root, const char *interface, const char *key, const char *value)
{
	const char *name = strrchr(key, '/') + 1;
	char folder[NAME_MAX], path[PATH_MAX], now[VALUE_MAX];

	(void)snprintf(folder, sizeof(folder), "%.*s", (int)(name - 1 - key), key);
	path_of(path, root, folder, interface);
	if (nic_sysfs_text(path, name, now, sizeof(now)) && strcmp(now, value) == 0)
		return true;
	return write_value(path, name, value);
}

unsigned int
nic_sysctl_apply(
	const char *root, const char *interface, json_t *saved, char *ret_name, size_t room)
{
	unsigned int failed = 0;
	const char *key, *text;
	json_t *value;

	json_object_foreach(saved, key, value)
	{
		text = json_string_value(value);
		if (text == NULL || strchr(key, '/') == NULL || strstr(key, "..") != NULL ||
			apply_one(root, interface, key, text))
			continue;
		if (failed++ == 0)
			(void)snprintf(ret_name, room, "%s", key);
	}
	return failed;
}
