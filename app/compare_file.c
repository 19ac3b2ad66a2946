/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "base_time.h"
#include "compare.h"
#include "exit_code.h"
#include "report_json.h"
#include "sink_digest.h"

#define READ_BYTES (1U << 20)
#define LINE_ROOM 1024U

static int
complain(const struct compare *c, int code, const char *what, int error)
{
	message_error(&c->level, code, "-o %.200s: %s: %s", c->file->path, what, strerror(error));
	return code;
}

/* The directory that path is in: strdup'd; NULL: no memory. */
static char *
directory_of(const char *path)
{
	char *copy = strdup(path), *directory = NULL;

	if (copy != NULL)
		directory = strdup(dirname(copy));
	free(copy);
	return directory;
}

/* Only what a transfer would replace, too, is removed. */
static int
check_path(const struct compare *c)
{
	char *directory;
	struct stat st;
	int rc = 0;

	if (lstat(c->file->path, &st) == 0) {
		if (S_ISREG(st.st_mode))
			return 0;
		message_error(&c->level, EXIT_CODE_USAGE,
			"-o %.200s is no regular file: it could not be removed and made anew for "
			"each run",
			c->file->path);
		return EXIT_CODE_USAGE;
	}
	directory = directory_of(c->file->path);
	if (directory == NULL)
		return complain(c, EXIT_CODE_OUT_OF_MEMORY, "a name", ENOMEM);
	if (access(directory, W_OK | X_OK) != 0)
		rc = complain(c, EXIT_CODE_WRITE_ERROR, "cannot be written", errno);
	free(directory);
	return rc;
}

/* --checksum NAME[=HEX]; without it sha-256. */
static int
check_digest(struct compare *c)
{
	const char *text = c->settings->checksum != NULL ? c->settings->checksum : "sha-256";
	const char *equals = strchr(text, '=');
	char name[32];

	snprintf(name, sizeof(name), "%.*s", (int)strcspn(text, "="), text);
	c->file->given_hex = equals != NULL ? equals + 1 : NULL;
	if (sink_digest_parse(name, &c->file->digest) == 0 &&
		(equals == NULL ||
			strlen(c->file->given_hex) == sink_digest_hex_len(c->file->digest)))
		return 0;
	message_error(&c->level, EXIT_CODE_USAGE,
		"--checksum: '%.100s' is no algorithm (sha-256, sha-512, sha-1, md5, xxh3-128), or "
		"its value has another length",
		text);
	return EXIT_CODE_USAGE;
}

static uint64_t
free_bytes(const char *path)
{
	char *directory = directory_of(path);
	struct statvfs fs;
	uint64_t bytes = 0;

	if (directory != NULL && statvfs(directory, &fs) == 0)
		bytes = (uint64_t)fs.f_bavail * fs.f_frsize;
	free(directory);
	return bytes;
}

int
compare_file_open(struct compare *c)
{
	int code;

	c->file = calloc(1, sizeof(*c->file));
	c->null = calloc(1, sizeof(*c->null));
	if (c->file == NULL || c->null == NULL) {
		message_error(&c->level, EXIT_CODE_OUT_OF_MEMORY, "out of memory for the figures");
		return EXIT_CODE_OUT_OF_MEMORY;
	}
	c->path = c->file->path = c->settings->outputs.item[0];
	c->null->settings = c->settings;
	c->null->level = c->level;
	c->null->path = "/dev/null";
	code = check_digest(c);
	if (code == 0)
		code = check_path(c);
	c->file->free_bytes = free_bytes(c->path);
	return code;
}

void
compare_file_free(struct compare *c)
{
	uint32_t i;
	int side;

	for (side = 0; c->null != NULL && side < COMPARE_SIDES; side++) {
		for (i = 0; i < c->null->pairs; i++)
			json_decref(c->null->run[side][i]);
	}
	free(c->null);
	free(c->file);
	c->null = NULL;
	c->file = NULL;
}

/* All runs begin alike: without the file, and with nothing of an earlier one still to be written. */
static int
clear_away(const struct compare *c)
{
	char *directory = directory_of(c->path);
	int fd = directory != NULL ? open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	int rc = 0;

	free(directory);
	if (fd < 0)
		return complain(c, EXIT_CODE_WRITE_ERROR, "its directory", errno);
	if (unlink(c->path) != 0 && errno != ENOENT)
		rc = complain(c, EXIT_CODE_WRITE_ERROR, "cannot be removed", errno);
	else if (syncfs(fd) != 0)
		rc = complain(c, EXIT_CODE_WRITE_ERROR, "sync", errno);
	close(fd);
	return rc;
}

/* Reads all of it; what is in no cache comes from the disk. 0 or -errno. */
static int
digest_file(const struct compare_file *f, char *ret_hex, uint64_t *ret_bytes)
{
	int fd = open(f->path, O_RDONLY | O_CLOEXEC), rc;
	struct sink_hasher *hasher = NULL;
	uint8_t *block = malloc(READ_BYTES);
	ssize_t n = 0;

	rc = fd < 0 ? -errno : block == NULL ? -ENOMEM : sink_hasher_create(f->digest, &hasher);
	*ret_bytes = 0;
	while (rc == 0 && (n = read(fd, block, READ_BYTES)) > 0) {
		sink_hasher_feed(hasher, block, (size_t)n);
		*ret_bytes += (uint64_t)n;
	}
	if (n < 0)
		rc = -errno;
	if (rc == 0)
		sink_hasher_final(hasher, ret_hex);
	sink_hasher_destroy(hasher);
	free(block);
	if (fd >= 0)
		close(fd);
	return rc;
}

/* Is it what it was the time before, and what the user says that it is? 0 or an exit code, said. */
static int
verify(struct compare *c, const char *who)
{
	struct compare_file *f = c->file;
	char hex[SINK_DIGEST_HEX_MAX];
	const char *right = f->given_hex;
	uint64_t bytes;
	int rc = digest_file(f, hex, &bytes);

	if (rc != 0)
		return complain(c, EXIT_CODE_READ_ERROR, "cannot be read back", -rc);
	if (right == NULL && f->verified > 0)
		right = f->hex;
	if (right != NULL && strcasecmp(right, hex) != 0) {
		message_error(&c->level, EXIT_CODE_CHECKSUM,
			"%s's file is not the right one: its %s is %s, not %s; %.200s is kept", who,
			sink_digest_name(f->digest), hex, right, f->path);
		return EXIT_CODE_CHECKSUM;
	}
	snprintf(f->hex, sizeof(f->hex), "%s", hex);
	f->bytes = bytes;
	f->verified++;
	return 0;
}

int
compare_file_run(struct compare *c, enum compare_side side, json_t **ret)
{
	json_t *run = NULL;
	int code = c->file != NULL ? clear_away(c) : 0;

	if (code == 0)
		code = compare_run_get(c, side, c->path, false, &run);
	if (code == 0 && c->file != NULL && c->signo == 0)
		code = verify(c, compare_side_name(side));
	if (code == 0)
		*ret = run;
	else
		json_decref(run);
	return code;
}

/* What fsync takes now, s; below 0: it failed. */
static double
sync_seconds(const char *path)
{
	struct timespec from, to;
	int fd = open(path, O_WRONLY | O_CLOEXEC), rc;

	if (fd < 0)
		return -1.0;
	clock_gettime(CLOCK_MONOTONIC, &from);
	rc = fsync(fd);
	clock_gettime(CLOCK_MONOTONIC, &to);
	close(fd);
	return rc == 0 ? (double)(to.tv_sec - from.tv_sec) +
				 1e-9 * (double)(to.tv_nsec - from.tv_nsec)
		       : -1.0;
}

bool
compare_file_curl(struct compare *c, struct compare_curl *ret, int *ret_code)
{
	double sync = 0.0, bits;

	*ret_code = c->file != NULL ? clear_away(c) : 0;
	if (*ret_code != 0 || !compare_run_curl(c, c->path, ret))
		return false;
	if (c->file == NULL)
		return true;
	if (c->settings->fsync)
		sync = sync_seconds(c->path);
	if (sync < 0.0) {
		*ret_code = complain(c, EXIT_CODE_WRITE_ERROR, "fsync", errno);
		return false;
	}
	bits = ret->bits_per_second * ret->seconds;
	ret->seconds += sync;
	ret->bits_per_second = bits / ret->seconds;
	*ret_code = verify(c, "curl");
	return *ret_code == 0;
}

/* The type of the file system that directory is on: by its device in /proc/self/mountinfo. */
static void
file_system_of(const char *directory, char *buf, size_t room)
{
	FILE *file = fopen("/proc/self/mountinfo", "re");
	unsigned int major, minor;
	char line[LINE_ROOM];
	struct stat st = {0};
	const char *at;

	snprintf(buf, room, "unknown");
	if (stat(directory, &st) != 0) {
		if (file != NULL)
			fclose(file);
		return;
	}
	while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
		if (sscanf(line, "%*d %*d %u:%u", &major, &minor) == 2 &&
			makedev(major, minor) == st.st_dev && (at = strstr(line, " - ")) != NULL)
			snprintf(buf, room, "%.*s", (int)strcspn(at + 3, " \n"), at + 3);
	}
	if (file != NULL)
		fclose(file);
}

/* How this side's runs wrote it; "?": they differ, or there are none. */
static const char *
method_of(const struct compare *c, enum compare_side side)
{
	const char *method = NULL, *this;
	uint32_t i;

	for (i = 0; i < c->pairs; i++) {
		this = json_string_value(report_json_find(c->run[side][i], "end/sink/method"));
		if (this == NULL || (method != NULL && strcmp(method, this) != 0))
			return "?";
		method = this;
	}
	return method != NULL ? method : "?";
}

json_t *
compare_file_conditions(const struct compare *c)
{
	const struct compare_file *f = c->file;
	char *directory = directory_of(f->path);
	char type[64] = "unknown";

	if (directory != NULL)
		file_system_of(directory, type, sizeof(type));
	free(directory);
	return json_pack("{s:o, s:s, s:I, s:I, s:I, s:s, s:s, s:b, s:s, s:s, s:s, s:i}", "path",
		report_json_text(f->path), "file_system", type, "bytes", (json_int_t)f->bytes,
		"free_bytes_before", (json_int_t)f->free_bytes, "free_bytes_after",
		(json_int_t)free_bytes(f->path), "dpfetch_wrote_by", method_of(c, COMPARE_DPDK),
		"kernel_wrote_by", method_of(c, COMPARE_KERNEL), "fsync", (int)c->settings->fsync,
		"before_each_run", "cold: the file was removed and the file system synced",
		"digest", sink_digest_name(f->digest), "hex", f->hex, "verified", (int)f->verified);
}
