/* SPDX-License-Identifier: BSD-3-Clause */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <rte_common.h>
#include <rte_log.h>

#include "port_log.h"

#define LOG_BYTES_MAX 65536 /* of what was captured, from its start */
#define LINE_MAX_BYTES 200U
#define REASONS_MAX 2U
#define USAGE "Usage:" /* DPDK's, after an option that it does not take */
#define FATAL "FATAL: "

/* Lines that say no more than that something failed, or nothing of it. */
static const char *const idle[] = {"Invalid 'command line' arguments", "probe failed", "Detected",
	"hugepages", "VFIO", "telemetry", "No legacy callbacks", USAGE, "failed to initialize",
	"TSC", "IOVA", "Multi-process"};

static bool
is_reason(const char *line)
{
	size_t i;

	/* DPDK's usage text is indented. */
	if (line[0] == '\0' || isspace((unsigned char)line[0]) || line[strlen(line) - 1] == ':')
		return false;
	for (i = 0; i < RTE_DIM(idle); i++) {
		if (strstr(line, idle[i]) != NULL)
			return false;
	}
	return true;
}

static void
append(char *buf, size_t room, const char *line)
{
	size_t used = strlen(buf), len = strlen(line);

	while (len > 0 && (line[len - 1] == '.' || isspace((unsigned char)line[len - 1])))
		len--;
	snprintf(buf + used, room - used, "%s%.*s", used > 0 ? "; " : "", (int)len, line);
}

void
port_log_reason(const char *text, char *buf, size_t room)
{
	char line[LINE_MAX_BYTES];
	unsigned int reasons = 0;
	const char *at, *fatal;
	size_t len;

	buf[0] = '\0';
	for (at = text; *at != '\0' && reasons < REASONS_MAX; at += len + (at[len] == '\n')) {
		len = strcspn(at, "\n");
		snprintf(line, sizeof(line), "%.*s", (int)RTE_MIN(len, sizeof(line) - 1), at);
		fatal = strstr(line, FATAL);
		if (fatal != NULL && is_reason(fatal + strlen(FATAL))) {
			buf[0] = '\0';
			append(buf, room, fatal + strlen(FATAL));
			return;
		}
		if (fatal != NULL || !is_reason(line) || strchr(line, ':') == NULL)
			continue;
		append(buf, room, line);
		reasons++;
	}
}

const char *
port_log_unknown_option(const char *text, char *const *args, int count)
{
	char name[LINE_MAX_BYTES];
	int i;

	if (strstr(text, USAGE) == NULL)
		return NULL;
	for (i = 0; i < count; i++) {
		snprintf(name, sizeof(name), "%.*s", (int)strcspn(args[i], "="), args[i]);
		if (strncmp(name, "--", 2) == 0 && strstr(text, name) == NULL)
			return args[i];
	}
	return NULL;
}

void
port_log_begin(struct port_log *log, bool on)
{
	int fd = on ? memfd_create("dpfetch-log", MFD_CLOEXEC) : -1, i;

	*log = (struct port_log){.fd = fd, .saved = {-1, -1}};
	if (fd < 0)
		return;
	fflush(NULL);
	for (i = 0; i < 2; i++) {
		log->saved[i] = dup(STDOUT_FILENO + i);
		if (log->saved[i] >= 0)
			(void)dup2(fd, STDOUT_FILENO + i);
	}
	log->stream = fdopen(dup(fd), "a");
	if (log->stream != NULL)
		rte_openlog_stream(log->stream);
}

static void
restore(struct port_log *log)
{
	int i;

	fflush(NULL);
	rte_openlog_stream(NULL);
	if (log->stream != NULL)
		fclose(log->stream);
	for (i = 0; i < 2; i++) {
		if (log->saved[i] < 0)
			continue;
		(void)dup2(log->saved[i], STDOUT_FILENO + i);
		close(log->saved[i]);
	}
}

char *
port_log_end(struct port_log *log)
{
	char *text;
	ssize_t len;

	if (log->fd < 0)
		return NULL;
	restore(log);
	text = malloc(LOG_BYTES_MAX + 1);
	len = text != NULL ? pread(log->fd, text, LOG_BYTES_MAX, 0) : 0;
	if (text != NULL)
		text[len > 0 ? len : 0] = '\0';
	close(log->fd);
	return text;
}
