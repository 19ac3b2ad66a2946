/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "exit_code.h"
#include "report_path.h"

int
report_path_check(const char *path)
{
	const char *slash = strrchr(path, '/');
	struct stat st;
	char *directory;
	int rc;

	if (strcmp(path, "-") == 0)
		return 0;
	if (path[0] == '\0')
		return -ENOENT;
	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return -EISDIR;
	if (access(path, W_OK) == 0)
		return 0;
	if (errno != ENOENT)
		return -errno;
	directory = slash != NULL ? strndup(path, (size_t)(slash - path) + 1U) : strdup(".");
	if (directory == NULL)
		return -ENOMEM;
	rc = access(directory, W_OK | X_OK) == 0 ? 0 : -errno;
	free(directory);
	return rc;
}

int
report_path_tell(const struct message_level *level, const char *option, const char *path, int rc)
{
	if (rc == 0)
		return 0;
	message_error(level, EXIT_CODE_REPORT, "--%s: cannot write '%.200s': %s", option, path,
		strerror(-rc));
	return EXIT_CODE_REPORT;
}
