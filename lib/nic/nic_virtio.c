/* SPDX-License-Identifier: BSD-3-Clause */
#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include "nic_sysfs.h"
#include "nic_virtio.h"

#define FEATURES_MAX 128U
#define VIRTIO_F_ACCESS_PLATFORM 33U

/* A character for each feature's bit. */
static bool
read_features(const struct nic_system *s, const char *address, char ret[FEATURES_MAX])
{
	char folder[NIC_PATH_MAX], path[2 * NIC_PATH_MAX];
	const struct dirent *entry;
	bool found = false;
	DIR *dir;

	nic_system_path(s, folder, NIC_SYSFS_PCI "/%s", address);
	dir = opendir(folder);
	if (dir == NULL)
		return false;
	while (!found && (entry = readdir(dir)) != NULL) {
		if (strncmp(entry->d_name, "virtio", 6) != 0)
			continue;
		(void)snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		found = nic_sysfs_text(path, "features", ret, FEATURES_MAX);
	}
	(void)closedir(dir);
	return found;
}

enum nic_virtio_way
nic_virtio_way(const struct nic_system *s, const char *address)
{
	char features[FEATURES_MAX];

	if (!read_features(s, address, features) || strlen(features) <= VIRTIO_F_ACCESS_PLATFORM)
		return NIC_VIRTIO_UNKNOWN;
	return features[VIRTIO_F_ACCESS_PLATFORM] == '1' ? NIC_VIRTIO_BY_IOMMU : NIC_VIRTIO_DIRECT;
}
