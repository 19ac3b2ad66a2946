/* SPDX-License-Identifier: BSD-3-Clause */
#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <rte_version.h>

#include "child.h"
#include "cmd_bench.h"
#include "cmd_compare.h"
#include "cmd_doctor.h"
#include "cmd_get.h"
#include "cmd_nic.h"
#include "cmd_nic_test.h"
#include "exit_code.h"
#include "message.h"
#include "settings.h"

static void
print_stdout(void *ctx, const char *text)
{
	(void)ctx;
	fputs(text, stdout);
}

/* Has all of standard output reached its place? 0 or an exit code, after having said why not. */
static int
written(void)
{
	const struct message_level loud = {.errors = true};

	if (fflush(stdout) == 0 && ferror(stdout) == 0)
		return 0;
	message_error(&loud, EXIT_CODE_WRITE_ERROR, "Failed writing to standard output: %s",
		strerror(errno));
	return EXIT_CODE_WRITE_ERROR;
}

static int
print_version(void)
{
	printf("dpfetch %s (%s, libcurl %s for URLs, llhttp)\n", DPFETCH_VERSION, rte_version(),
		curl_version_info(CURLVERSION_NOW)->version);
	return written();
}

/* Else the first file or socket that is opened becomes "standard output", and bodies go there.
 * Read-only, so that writing is an error. */
static void
occupy_standard_fds(void)
{
	int fd;

	for (fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF)
			(void)open("/dev/null", O_RDONLY);
	}
}

static int
dump(const struct settings *s)
{
	const struct message_level loud = {.errors = true};
	const char *unfit = settings_dump(s, print_stdout, NULL);

	if (unfit == NULL)
		return written();
	message_error(&loud, EXIT_CODE_USAGE,
		"--dump-config: a config file cannot hold this value of --%s (a line end, blanks "
		"at "
		"the ends, \" ;\", or too long); it is left out: give it on the command line",
		unfit);
	return EXIT_CODE_USAGE;
}

static int
run(const struct settings *s, int *ret_signal)
{
	if (s->help) {
		settings_help((enum settings_command)s->command, print_stdout, NULL);
		return written();
	}
	if (s->version)
		return print_version();
	if (s->dump_config) {
		return dump(s);
	}
	switch ((enum settings_command)s->command) {
	case SETTINGS_BENCH:
		return cmd_bench(s, ret_signal);
	case SETTINGS_COMPARE:
		return cmd_compare(s, ret_signal);
	case SETTINGS_NIC:
		return cmd_nic(s);
	case SETTINGS_DOCTOR:
		return cmd_doctor(s);
	case SETTINGS_NIC_TEST:
		return cmd_nic_test(s, ret_signal);
	case SETTINGS_GET:
	case SETTINGS_COMMAND_COUNT:
		break;
	}
	return cmd_get(s, ret_signal);
}

int
main(int argc, char **argv)
{
	const struct message_level loud = {.errors = true, .notes = true};
	struct settings s;
	char message[SETTINGS_MESSAGE_MAX];
	int code, signo = 0;

	occupy_standard_fds();
	code = (int)settings_load(argc, argv, &s, message);
	if (code != SETTINGS_OK) {
		message_error(&loud, code, "%s", message);
		return code;
	}
	code = run(&s, &signo);
	settings_free(&s);
	if (signo != 0)
		child_die_by_signal(signo);
	return code;
}
