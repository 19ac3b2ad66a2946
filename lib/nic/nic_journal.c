/* SPDX-License-Identifier: BSD-3-Clause */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "nic_journal.h"

#define SUFFIX ".json"
#define OTHERS (S_IWGRP | S_IWOTH)

void
nic_journal_path(const struct nic_system *s, const char *address, char ret[NIC_PATH_MAX])
{
	nic_system_path(s, ret, NIC_JOURNAL_FOLDER "/%s" SUFFIX, address);
}

static void
lock_path(const struct nic_system *s, const char *address, char ret[NIC_PATH_MAX])
{
	nic_system_path(s, ret, NIC_JOURNAL_FOLDER "/%s.lock", address);
}

/* Ours alone: who could write there could have us write anything to the kernel. */
static int
make_folder(const struct nic_system *s)
{
	char path[NIC_PATH_MAX], *slash;
	struct stat st;

	nic_system_path(s, path, NIC_JOURNAL_FOLDER);
	slash = strrchr(path, '/');
	*slash = '\0';
	if (mkdir(path, 0755) != 0 && errno != EEXIST)
		return -errno;
	*slash = '/';
	if (mkdir(path, 0700) != 0 && errno != EEXIST)
		return -errno;
	if (lstat(path, &st) != 0)
		return -errno;
	return S_ISDIR(st.st_mode) && st.st_uid == geteuid() && (st.st_mode & OTHERS) == 0 ? 0
											   : -EPERM;
}

/* Is the file that was opened still the one at path? Its owner may have removed it meanwhile. */
static bool
is_current(int fd, const char *path)
{
	struct stat of_fd, of_path;

	return fstat(fd, &of_fd) == 0 && lstat(path, &of_path) == 0 &&
	       of_fd.st_ino == of_path.st_ino && of_fd.st_dev == of_path.st_dev;
}

static pid_t
read_pid(int fd)
{
	char text[32];
	ssize_t len = pread(fd, text, sizeof(text) - 1, 0);

	text[len > 0 ? len : 0] = '\0';
	return (pid_t)atoi(text);
}

static void
write_pid(int fd)
{
	char text[32];
	int len = snprintf(text, sizeof(text), "%d\n", (int)getpid());

	if (ftruncate(fd, 0) == 0)
		(void)!pwrite(fd, text, (size_t)len, 0); /* only for others' messages */
}

int
nic_journal_lock(const struct nic_system *s, const char *address, int *ret_fd, pid_t *ret_pid)
{
	char path[NIC_PATH_MAX];
	int rc, fd;

	lock_path(s, address, path);
	for (;;) {
		rc = make_folder(s);
		if (rc != 0)
			return rc;
		fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
		if (fd < 0 && errno == ENOENT)
			continue; /* another one has just removed the folder */
		if (fd < 0)
			return -errno;
		if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
			rc = errno == EWOULDBLOCK ? -EBUSY : -errno;
			*ret_pid = read_pid(fd);
			close(fd);
			return rc;
		}
		if (is_current(fd, path))
			break;
		close(fd);
	}
	write_pid(fd);
	*ret_fd = fd;
	return 0;
}

/* An empty folder is of no use to anybody. */
static void
remove_folder(const struct nic_system *s)
{
	char path[NIC_PATH_MAX];

	nic_system_path(s, path, NIC_JOURNAL_FOLDER);
	if (rmdir(path) != 0)
		return;
	*strrchr(path, '/') = '\0';
	(void)rmdir(path);
}

void
nic_journal_unlock(const struct nic_system *s, const char *address, int fd)
{
	char path[NIC_PATH_MAX];

	lock_path(s, address, path);
	(void)unlink(path);
	close(fd);
	remove_folder(s);
}

/* So that the name itself is on the disk. */
static int
sync_folder(const struct nic_system *s)
{
	char path[NIC_PATH_MAX];
	int fd, rc = 0;

	nic_system_path(s, path, NIC_JOURNAL_FOLDER);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (fsync(fd) != 0 && errno != EINVAL)
		rc = -errno;
	close(fd);
	return rc;
}

static int
write_whole(const char *path, const json_t *journal)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600), rc = 0;

	if (fd < 0)
		return -errno;
	if (json_dumpfd(journal, fd, JSON_INDENT(1)) != 0)
		rc = errno != 0 ? -errno : -EIO;
	if (rc == 0 && fsync(fd) != 0)
		rc = -errno;
	if (close(fd) != 0 && rc == 0)
		rc = -errno;
	return rc;
}

int
nic_journal_write(const struct nic_system *s, const char *address, const json_t *journal)
{
	char path[NIC_PATH_MAX], next[NIC_PATH_MAX];
	int rc;

	nic_journal_path(s, address, path);
	nic_system_path(s, next, NIC_JOURNAL_FOLDER "/%s.next", address);
	rc = write_whole(next, journal);
	if (rc == 0 && rename(next, path) != 0)
		rc = -errno;
	if (rc != 0) {
		(void)unlink(next);
		return rc;
	}
	return sync_folder(s);
}

/* Of our version, with what all the rest needs. */
static bool
is_journal(const json_t *journal)
{
	return json_integer_value(json_object_get(journal, "version")) == NIC_JOURNAL_VERSION &&
	       json_is_string(json_object_get(journal, "driver")) &&
	       json_is_string(json_object_get(journal, "bound_to")) &&
	       json_is_array(json_object_get(journal, "interfaces"));
}

int
nic_journal_read(const struct nic_system *s, const char *address, json_t **ret)
{
	char path[NIC_PATH_MAX];
	json_t *journal;
	struct stat st;
	int fd;

	nic_journal_path(s, address, path);
	fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) != 0 || st.st_uid != geteuid() || (st.st_mode & OTHERS) != 0) {
		close(fd);
		return -EPERM;
	}
	journal = json_loadfd(fd, 0, NULL);
	close(fd);
	if (journal != NULL && is_journal(journal)) {
		*ret = journal;
		return 0;
	}
	json_decref(journal);
	return -EBADMSG;
}

int
nic_journal_remove(const struct nic_system *s, const char *address)
{
	char path[NIC_PATH_MAX];

	nic_journal_path(s, address, path);
	return unlink(path) == 0 ? sync_folder(s) : -errno;
}

static int
by_text(const void *a, const void *b)
{
	return strcmp(a, b);
}

int
nic_journal_list(const struct nic_system *s, char ret[NIC_JOURNALS_MAX][NIC_NAME_MAX])
{
	char path[NIC_PATH_MAX], name[NIC_NAME_MAX], address[NIC_NAME_MAX];
	const struct dirent *entry;
	size_t len;
	int n = 0;
	DIR *dir;

	nic_system_path(s, path, NIC_JOURNAL_FOLDER);
	dir = opendir(path);
	if (dir == NULL)
		return errno == ENOENT ? 0 : -errno;
	while (n < (int)NIC_JOURNALS_MAX && (entry = readdir(dir)) != NULL) {
		len = strlen(entry->d_name);
		if (len <= strlen(SUFFIX) || len >= sizeof(name) ||
			strcmp(entry->d_name + len - strlen(SUFFIX), SUFFIX) != 0)
			continue;
		(void)snprintf(
			name, sizeof(name), "%.*s", (int)(len - strlen(SUFFIX)), entry->d_name);
		if (nic_pci_address_parse(name, address) && strcmp(name, address) == 0)
			(void)snprintf(ret[n++], NIC_NAME_MAX, "%s", address);
	}
	(void)closedir(dir);
	qsort(ret, (size_t)n, NIC_NAME_MAX, by_text);
	return n;
}
