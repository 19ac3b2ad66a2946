/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pd_settings.h"

void
pd_settings_init(struct pd_settings *ret, const char *flags)
{
	bool freebsd = flags != NULL && strncmp(flags, "freebsd", 7) == 0;
	const char *mtu = flags != NULL ? strstr(flags, "mtu=") : NULL;

	*ret = (struct pd_settings){
		.host = freebsd ? PD_HOST_FREEBSD : PD_HOST_LINUX,
		.mtu = mtu != NULL ? (uint16_t)atoi(mtu + 4) : 1500,
		.rcvbuf = freebsd ? 65536 : 65535,
		.rcvbuf_max = freebsd ? 2097152 : 15U << 20,
		.sndbuf = freebsd ? 32768 : 256U << 10,
		.rto_initial_ms = 1000,
		.syn_retries = freebsd ? 12 : 5,
		.keepalive_idle_ms = 7200 * 1000,
		.keepalive_interval_ms = 75 * 1000,
		.keepalive_probes = 8,
		.keepalive = freebsd,
		.timestamps = true,
		.sack = true,
		.window_scaling = true,
		.cubic = true,
	};
}

/* The n-th number of a value like "4096 540000 15728640". */
static uint32_t
number(const char *value, uint32_t n)
{
	char *end = NULL;
	unsigned long number = strtoul(value, &end, 0);

	while (n-- > 0)
		number = strtoul(end, &end, 0);
	return (uint32_t)number;
}

static void
set_freebsd(struct pd_settings *s, const char *name, const char *value)
{
	if (strcmp(name, "net.inet.tcp.rfc1323") == 0)
		s->timestamps = s->window_scaling = number(value, 0) != 0;
	else if (strcmp(name, "net.inet.tcp.ecn.enable") == 0)
		s->ecn = number(value, 0) == 1; /* 2: agrees, but does not ask */
	else if (strcmp(name, "net.inet.tcp.sack.enable") == 0)
		s->sack = number(value, 0) != 0;
	else if (strcmp(name, "net.inet.tcp.recvspace") == 0)
		s->rcvbuf = number(value, 0);
	else if (strcmp(name, "net.inet.tcp.sendspace") == 0)
		s->sndbuf = number(value, 0);
	else if (strcmp(name, "kern.ipc.maxsockbuf") == 0)
		s->rcvbuf_max = number(value, 0);
	else if (strcmp(name, "net.inet.tcp.rexmit_initial") == 0)
		s->rto_initial_ms = number(value, 0);
	else if (strcmp(name, "net.inet.tcp.keepidle") == 0)
		s->keepalive_idle_ms = number(value, 0);
	else if (strcmp(name, "net.inet.tcp.keepintvl") == 0)
		s->keepalive_interval_ms = number(value, 0);
	else if (strcmp(name, "net.inet.tcp.keepcnt") == 0)
		s->keepalive_probes = number(value, 0);
}

static void
set_linux(struct pd_settings *s, const char *name, const char *value)
{
	if (strcmp(name, "net.ipv4.tcp_timestamps") == 0)
		s->timestamps = number(value, 0) != 0;
	else if (strcmp(name, "net.ipv4.tcp_ecn") == 0)
		s->ecn = number(value, 0) == 1;
	else if (strcmp(name, "net.ipv4.tcp_sack") == 0)
		s->sack = number(value, 0) != 0;
	else if (strcmp(name, "net.ipv4.tcp_window_scaling") == 0)
		s->window_scaling = number(value, 0) != 0;
	else if (strcmp(name, "net.ipv4.tcp_syn_retries") == 0)
		s->syn_retries = number(value, 0);
	else if (strcmp(name, "net.ipv4.tcp_congestion_control") == 0)
		s->cubic = strncmp(value, "cubic", 5) == 0;
	else if (strcmp(name, "net.ipv4.tcp_rmem") == 0)
		s->rcvbuf_max = number(value, 2);
	else if (strcmp(name, "net.ipv4.tcp_wmem") == 0)
		s->sndbuf = number(value, 1);
}

/* /proc/sys/net/ipv4/tcp_sack and net/ipv4/tcp_sack are names, too. */
static void
normalise(char *name)
{
	const char *proc = "/proc/sys/";
	char *at;

	if (strncmp(name, proc, strlen(proc)) == 0)
		memmove(name, name + strlen(proc), strlen(name + strlen(proc)) + 1);
	for (at = name; *at != '\0'; at++) {
		if (*at == '/')
			*at = '.';
	}
}

/* One word: NAME=VALUE is a setting, all else (options, comments, the tool's name) is not. */
static void
take_word(struct pd_settings *s, char *word)
{
	char *equal = strchr(word, '=');

	if (equal == NULL)
		return;
	*equal = '\0';
	normalise(word);
	set_freebsd(s, word, equal + 1);
	set_linux(s, word, equal + 1);
}

/* Words as the shell splits them, for the little that scripts use of it. */
static void
take_words(struct pd_settings *s, const char *command)
{
	char word[256];
	size_t len = 0;
	bool quoted = false;

	for (;; command++) {
		if (*command == '"') {
			quoted = !quoted;
		} else if (*command != '\0' && (quoted || strchr(" \t\n\\", *command) == NULL)) {
			if (len + 1 < sizeof(word))
				word[len++] = *command;
		} else {
			word[len] = '\0';
			take_word(s, word);
			len = 0;
		}
		if (*command == '\0')
			return;
	}
}

/* Tools whose whole purpose is settings, and those that would only tidy up a real host. */
static bool
harmless(const char *line, size_t len)
{
	static const char *const known[] = {"sysctl ", "common/defaults.sh", "set_sysctls.py",
		"sysctl_restore", "tcp_metrics", "tcpdrop", "net.ipv4.", "net/ipv4/", "qdisc",
		"net.inet.", "setkey -F"};
	size_t i;

	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (memmem(line, len, known[i], strlen(known[i])) != NULL)
			return true;
	}
	return len == 0 || line[0] == '#' || strspn(line, " \t") >= len;
}

int
pd_settings_command(struct pd_settings *s, const char *command)
{
	const char *line = command, *end;

	for (;; line = end + 1) {
		line += strspn(line, " \t\n");
		end = line + strcspn(line, "\n");
		if (!harmless(line, (size_t)(end - line))) {
			fprintf(stderr, "shell command not emulated: %.*s\n", (int)(end - line),
				line);
			return -1;
		}
		if (*end == '\0')
			break;
	}
	take_words(s, command);
	return 0;
}
