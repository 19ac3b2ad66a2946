/* SPDX-License-Identifier: BSD-3-Clause */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/rtnetlink.h>

#include "nic_interface.h"
#include "nic_kernel.h"
#include "nic_netlink.h"

#define OWN "/proc/thread-self/ns/net"
#define INITIAL "/proc/1/ns/net"
#define NAMED "/run/netns" /* where ip netns keeps them */

static ino_t
inode_of(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 ? st.st_ino : 0;
}

/* The named namespace with this inode: its name, or "". */
static void
find_name(ino_t inode, char ret[NAME_MAX + 1])
{
	char path[PATH_MAX];
	const struct dirent *entry;
	DIR *dir = opendir(NAMED);

	ret[0] = '\0';
	if (dir == NULL)
		return;
	while (ret[0] == '\0' && (entry = readdir(dir)) != NULL) {
		(void)snprintf(path, sizeof(path), NAMED "/%s", entry->d_name);
		if (inode_of(path) == inode)
			(void)snprintf(ret, NAME_MAX + 1, "%s", entry->d_name);
	}
	(void)closedir(dir);
}

json_t *
nic_kernel_namespace_save(void *ctx)
{
	ino_t own = inode_of(OWN), initial = inode_of(INITIAL);
	char name[NAME_MAX + 1];

	(void)ctx;
	if (initial == 0 || own == initial)
		return json_null();
	find_name(own, name);
	return json_pack("{s:I, s:s}", "inode", (json_int_t)own, "name", name);
}

/* Its folder entry may have come to mean another one. */
static int
open_saved(const json_t *saved)
{
	ino_t inode = (ino_t)json_integer_value(json_object_get(saved, "inode"));
	char name[NAME_MAX + 1], path[PATH_MAX];
	int fd;

	if (!json_is_object(saved)) {
		fd = open(INITIAL, O_RDONLY | O_CLOEXEC);
		return fd >= 0 ? fd : open(OWN, O_RDONLY | O_CLOEXEC);
	}
	if (inode_of(OWN) == inode)
		return open(OWN, O_RDONLY | O_CLOEXEC);
	find_name(inode, name);
	if (name[0] == '\0') {
		errno = ENOENT;
		return -1;
	}
	(void)snprintf(path, sizeof(path), NAMED "/%s", name);
	return open(path, O_RDONLY | O_CLOEXEC);
}

int
nic_kernel_namespace_enter(void *ctx, const json_t *saved, int *ret_before)
{
	int before = open(OWN, O_RDONLY | O_CLOEXEC), there, rc = 0;

	(void)ctx;
	if (before < 0)
		return -errno;
	there = open_saved(saved);
	if (there < 0 || setns(there, CLONE_NEWNET) != 0)
		rc = -errno;
	if (there >= 0)
		close(there);
	if (rc != 0)
		close(before);
	else
		*ret_before = before;
	return rc;
}

void
nic_kernel_namespace_leave(void *ctx, int before)
{
	(void)ctx;
	(void)setns(before, CLONE_NEWNET);
	close(before);
}

static int
move(struct nic_netlink *n, unsigned int index, int to)
{
	const struct ifinfomsg link = {.ifi_index = (int)index};
	char buf[NIC_NETLINK_BYTES];
	struct nlmsghdr *request = nic_netlink_request(buf, RTM_SETLINK, 0, &link, sizeof(link));

	mnl_attr_put_u32(request, IFLA_NET_NS_FD, (uint32_t)to);
	return nic_netlink_ask(n, request, NULL, NULL);
}

/* From this thread's namespace to `to`. */
static void
move_links(const char *pci_address, int to)
{
	struct if_nameindex *list = if_nameindex(), *at;
	struct nic_netlink n;
	struct nic_info info;

	if (list == NULL)
		return;
	if (nic_netlink_open(&n) == 0) {
		for (at = list; at->if_index != 0; at++) {
			if (nic_interface_read(at->if_name, &info) == 0 &&
				strcmp(info.pci_address, pci_address) == 0)
				(void)move(&n, at->if_index, to);
		}
		nic_netlink_close(&n);
	}
	if_freenameindex(list);
}

void
nic_kernel_links_fetch(void *ctx, const char *pci_address)
{
	int own = open(OWN, O_RDONLY | O_CLOEXEC), initial = open(INITIAL, O_RDONLY | O_CLOEXEC);

	(void)ctx;
	if (own >= 0 && initial >= 0 && inode_of(OWN) != inode_of(INITIAL) &&
		setns(initial, CLONE_NEWNET) == 0) {
		move_links(pci_address, own);
		(void)setns(own, CLONE_NEWNET);
	}
	if (own >= 0)
		close(own);
	if (initial >= 0)
		close(initial);
}
