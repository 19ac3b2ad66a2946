/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "sink_limits.h"
#include "sink_path.h"

int
sink_path_create_dirs(const char *path)
{
	char *copy = strdup(path), *slash;
	int rc = 0;

	if (copy == NULL)
		return -ENOMEM;
	for (slash = strchr(copy + (*copy == '/'), '/'); slash != NULL && rc == 0;
		slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		/* Something else than a directory of that name is found out by the next step. */
		if (mkdir(copy, SINK_DIRECTORY_MODE) < 0 && errno != EEXIST)
			rc = -errno;
		*slash = '/';
	}
	free(copy);
	return rc;
}

/* A second descriptor of the same file: O_DIRECT belongs to the open, and the unaligned tail has
 * to go without. Through /proc, so that a rename in between cannot lead to another file. */
static int
reopen_direct(int fd)
{
	char name[sizeof("/proc/self/fd/") + 3 * sizeof(int)];

	(void)snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	return open(name, O_WRONLY | O_DIRECT | O_CLOEXEC);
}

static bool
on_tmpfs(int fd)
{
	struct statfs fs;

	return fstatfs(fd, &fs) == 0 && fs.f_type == TMPFS_MAGIC;
}

static bool
is_null_device(const struct stat *st)
{
	struct stat null;

	return S_ISCHR(st->st_mode) && stat("/dev/null", &null) == 0 && null.st_rdev == st->st_rdev;
}

static int
classify(const struct sink_file_config *cfg, struct sink_path *p)
{
	struct stat st;

	if (fstat(p->fd, &st) < 0)
		return -errno;
	p->regular = S_ISREG(st.st_mode) && !p->keep_open;
	p->chunked = !S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode) && !is_null_device(&st);
	if (!p->regular)
		return 0;
	p->memory = on_tmpfs(p->fd);
	if (cfg->direct && !p->memory)
		p->fd_direct = reopen_direct(p->fd);
	return 0;
}

/* Without blocking: a FIFO that nobody reads would hold the caller for good. */
static int
open_output(const char *path)
{
	struct stat st;
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY | O_NONBLOCK,
		SINK_FILE_MODE);

	if (fd >= 0) {
		(void)fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
		return fd;
	}
	if (errno == ENXIO && stat(path, &st) == 0 && S_ISFIFO(st.st_mode))
		return -EAGAIN;
	return errno == EAGAIN ? -EBUSY : -errno;
}

int
sink_path_open(const struct sink_file_config *cfg, struct sink_path *ret)
{
	struct sink_path p = {.fd = -1, .fd_direct = -1};
	int rc = 0;

	if (cfg->path == NULL) {
		*ret = p;
		return 0;
	}
	p.keep_open = strcmp(cfg->path, "-") == 0;
	if (p.keep_open) {
		p.fd = STDOUT_FILENO;
	} else {
		if (cfg->create_dirs)
			rc = sink_path_create_dirs(cfg->path);
		if (rc < 0)
			return rc;
		p.fd = open_output(cfg->path);
		if (p.fd < 0)
			return p.fd;
	}
	rc = classify(cfg, &p);
	if (rc < 0) {
		if (!p.keep_open)
			close(p.fd);
		return rc;
	}
	*ret = p;
	return 0;
}

int
sink_path_room(int fd, uint64_t *ret_bytes)
{
	struct statfs fs;

	if (fstatfs(fd, &fs) < 0)
		return -errno;
	*ret_bytes = (uint64_t)fs.f_bavail * (uint64_t)fs.f_bsize;
	return 0;
}
