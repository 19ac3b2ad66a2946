/* SPDX-License-Identifier: BSD-3-Clause */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "settings_option.h"

#define LINE_MAX_BYTES 2048U
#define CONFIG_LINE_MAX 199U /* with its newline: Debian's inih */
#define HELP_COLUMN 32
#define HELP_WIDTH 66

typedef void (*option_fn)(
	const struct settings_option *option, bool on, settings_print_fn print, void *ctx);

/* Is this flag on when nobody says anything? Then --no-NAME is what users want to read of. */
static bool
on_by_default(const struct settings_option *option)
{
	struct settings s;

	if (option->type != OPTION_FLAG)
		return false;
	settings_defaults(&s);
	return *(const bool *)(const void *)((const char *)&s + option->offset);
}

/* The next line's worth of words of text; *text moves past them. */
static int
wrap_line(const char **text)
{
	const char *start = *text;
	size_t len = strlen(start), cut;

	if (len > HELP_WIDTH) {
		for (cut = HELP_WIDTH; cut > 0 && start[cut] != ' '; cut--)
			;
		len = cut > 0 ? cut : HELP_WIDTH;
	}
	*text = start + len;
	while (**text == ' ')
		(*text)++;
	return (int)len;
}

static void
help_option(const struct settings_option *option, bool on, settings_print_fn print, void *ctx)
{
	char left[64], line[LINE_MAX_BYTES];
	const char *text = option->help, *start;
	int len, used;

	if (option->letter != 0)
		used = snprintf(left, sizeof(left), " -%c, ", option->letter);
	else
		used = snprintf(left, sizeof(left), "     ");
	snprintf(left + used, sizeof(left) - (size_t)used, "--%s%s%s%s", on ? "no-" : "",
		option->name, option->argument != NULL ? " " : "",
		option->argument != NULL ? option->argument : "");
	if (strlen(left) >= HELP_COLUMN) { /* a line of its own */
		print(ctx, left);
		print(ctx, "\n");
		left[0] = '\0';
	}
	do {
		start = text;
		len = wrap_line(&text);
		snprintf(line, sizeof(line), "%-*s%s%.*s\n", HELP_COLUMN, left,
			on && start == option->help ? "Do not: " : "", len, start);
		print(ctx, line);
		left[0] = '\0';
	} while (*text != '\0');
}

/* Of one command, or (SETTINGS_COMMAND_COUNT) of all. */
static void
each_option(enum option_group group, enum settings_command command, option_fn fn,
	settings_print_fn print, void *ctx)
{
	uint32_t i, count;
	const struct settings_option *options = settings_options(&count);

	for (i = 0; i < count; i++) {
		if (options[i].group == group &&
			(command == SETTINGS_COMMAND_COUNT ||
				settings_option_is_of(&options[i], (int)command)))
			fn(&options[i], on_by_default(&options[i]), print, ctx);
	}
}

static bool
group_has_options(enum option_group group, enum settings_command command)
{
	uint32_t i, count;
	const struct settings_option *options = settings_options(&count);

	for (i = 0; i < count; i++) {
		if (options[i].group == group && settings_option_is_of(&options[i], (int)command))
			return true;
	}
	return false;
}

static const char *const usages[SETTINGS_COMMAND_COUNT] = {
	[SETTINGS_GET] =
		"Usage: dpfetch [EAL options --] [options] URL...\n"
		"       dpfetch [EAL options --] bench|compare [options] URL...\n"
		"       dpfetch nic list|bind|unbind|restore [options] [PCI...]\n"
		"       dpfetch nic test [options] URL\n"
		"       dpfetch doctor [options]\n"
		"Fetch URLs over dpfetch's own TCP stack on a DPDK port. dpfetch bench --help\n"
		"tells of the load generator, dpfetch compare --help of the comparison with\n"
		"the kernel's stack, dpfetch nic --help of the machine's NICs.\n",
	[SETTINGS_COMPARE] = "Usage: dpfetch [EAL options --] compare [options] URL...\n"
			     "Run the same load over dpfetch's own TCP stack and over the "
			     "kernel's, in turn, on\n"
			     "the same link, and compare.\n",
	[SETTINGS_BENCH] =
		"Usage: dpfetch [EAL options --] bench [options] URL...\n"
		"Load a web server over dpfetch's own TCP stack on a DPDK port, and measure it.\n",
	[SETTINGS_NIC] =
		"Usage: dpfetch nic list [options]\n"
		"       dpfetch nic bind|unbind [options] PCI...\n"
		"       dpfetch nic restore [PCI...]\n"
		"List the network devices of this machine, and who uses them; hand one to user\n"
		"space, for DPDK, and give it back as it was. restore does so with all that a\n"
		"dpfetch has bound and that none uses, also after a crash.\n"
		"dpfetch nic test tries a NIC out; see its own --help.\n",
	[SETTINGS_NIC_TEST] =
		"Usage: dpfetch [EAL options --] nic test [options] URL\n"
		"Try out a port against a web server: link, filters, MTUs, checksums, VLAN tags,\n"
		"RSS, frame sizes and rates, pause frames, a lost link, a soak. Each test says "
		"PASS,\n"
		"FAIL or SKIPPED, and why.\n",
	[SETTINGS_DOCTOR] =
		"Usage: dpfetch doctor [options]\n"
		"Look over this machine for what dpfetch would be asked to do with the same\n"
		"options, and say of each thing whether it is right, and how to mend it.\n",
};

void
settings_help(enum settings_command command, settings_print_fn print, void *ctx)
{
	char line[LINE_MAX_BYTES];
	int group;

	print(ctx, usages[command]);
	for (group = 0; group < OPTION_GROUP_COUNT; group++) {
		if (!group_has_options((enum option_group)group, command))
			continue;
		snprintf(line, sizeof(line), "\n%s:\n",
			settings_group_title((enum option_group)group));
		print(ctx, line);
		each_option((enum option_group)group, command, help_option, print, ctx);
	}
	if (command == SETTINGS_NIC || command == SETTINGS_DOCTOR) {
		print(ctx, "\nEvery flag has a --no-FLAG form. Exit status: see dpfetch(1).\n");
		return;
	}
	print(ctx, "\nEvery flag has a --no-FLAG form. Without EAL options dpfetch makes its own.\n"
		   "Exit status: curl's (0-3 6-8 18 22 23 26-28 42 52 55 56), and 110-121, see "
		   "dpfetch(1).\n\n"
		   "Try it: sudo tools/lab up, then the command that it prints.\n");
}

/* roff: a leading dot or quote and every backslash and hyphen need an escape. */
static void
man_text(const char *text, settings_print_fn print, void *ctx)
{
	char piece[3] = "\\?";

	for (; *text != '\0'; text++) {
		if (*text == '-' || *text == '\\') {
			piece[1] = *text == '-' ? '-' : 'e';
			print(ctx, piece);
		} else {
			char plain[2] = {*text, '\0'};
			print(ctx, plain);
		}
	}
}

/* Whose it is: "dpfetch URL, bench and nic", each in bold. false: everybody's. */
static bool
commands_of(const struct settings_option *option, char *buf, size_t room)
{
	const char *const names[SETTINGS_COMMAND_COUNT] = {
		"URL", "bench", "compare", "nic", "doctor", "nic test"};
	int command, left = 0;
	size_t used = 0;

	for (command = 0; command < SETTINGS_COMMAND_COUNT; command++)
		left += settings_option_is_of(option, command);
	if (left == SETTINGS_COMMAND_COUNT || option->commands == 0)
		return false;
	for (command = 0; command < SETTINGS_COMMAND_COUNT && used < room; command++) {
		if (!settings_option_is_of(option, command))
			continue;
		left--;
		used += (size_t)snprintf(buf + used, room - used, "%s\\fR%s\\fB", names[command],
			left > 1    ? ", "
			: left == 1 ? " and "
				    : "");
	}
	return true;
}

static void
man_option(const struct settings_option *option, bool on, settings_print_fn print, void *ctx)
{
	char line[LINE_MAX_BYTES], commands[LINE_MAX_BYTES / 2];

	print(ctx, ".TP\n");
	if (option->letter != 0)
		snprintf(line, sizeof(line), ".BR \\-%c \", \" \\-\\-", option->letter);
	else
		snprintf(line, sizeof(line), ".BR \\-\\-");
	print(ctx, line);
	man_text(option->name, print, ctx);
	if (option->argument != NULL) {
		snprintf(line, sizeof(line), " \" \\fI%s\\fR\"", option->argument);
		print(ctx, line);
	}
	print(ctx, "\n");
	man_text(option->help, print, ctx);
	if (on) {
		print(ctx, " On by default; \\-\\-no\\-");
		man_text(option->name, print, ctx);
		print(ctx, " turns it off.");
	}
	if (commands_of(option, commands, sizeof(commands))) {
		snprintf(line, sizeof(line), " Only for \\fBdpfetch %s\\fR.", commands);
		print(ctx, line);
	}
	print(ctx, "\n");
}

void
settings_man(settings_print_fn print, void *ctx)
{
	char line[LINE_MAX_BYTES];
	int group;

	for (group = 0; group < OPTION_GROUP_COUNT; group++) {
		snprintf(line, sizeof(line), ".SS %s\n",
			settings_group_title((enum option_group)group));
		print(ctx, line);
		each_option(
			(enum option_group)group, SETTINGS_COMMAND_COUNT, man_option, print, ctx);
	}
}

static void
completion_option(const struct settings_option *option, bool on, settings_print_fn print, void *ctx)
{
	char line[LINE_MAX_BYTES];

	snprintf(line, sizeof(line), " --%s%s", on ? "no-" : "", option->name);
	print(ctx, line);
}

static void
completion_choices(
	const struct settings_option *option, bool on, settings_print_fn print, void *ctx)
{
	char line[LINE_MAX_BYTES];
	int i;

	(void)on;
	if (option->type != OPTION_CHOICE)
		return;
	snprintf(line, sizeof(line), "\t--%s) COMPREPLY=($(compgen -W \"", option->name);
	print(ctx, line);
	for (i = 0; option->choices[i] != NULL; i++) {
		print(ctx, option->choices[i]);
		print(ctx, " ");
	}
	print(ctx, "\" -- \"$cur\")); return ;;\n");
}

void
settings_completion(settings_print_fn print, void *ctx)
{
	int group;

	print(ctx, "# bash completion for dpfetch; source this file\n"
		   "_dpfetch() {\n\tlocal cur=${COMP_WORDS[COMP_CWORD]} "
		   "prev=${COMP_WORDS[COMP_CWORD-1]}\n"
		   "\tcase $prev in\n");
	for (group = 0; group < OPTION_GROUP_COUNT; group++)
		each_option((enum option_group)group, SETTINGS_COMMAND_COUNT, completion_choices,
			print, ctx);
	print(ctx, "\t--nic) COMPREPLY=($(compgen -W \"$(ls /sys/class/net)\" -- \"$cur\")); "
		   "return ;;\n"
		   "\tesac\n"
		   "\t[[ $cur == -* ]] && COMPREPLY=($(compgen -W \"");
	for (group = 0; group < OPTION_GROUP_COUNT; group++)
		each_option((enum option_group)group, SETTINGS_COMMAND_COUNT, completion_option,
			print, ctx);
	print(ctx, "\" -- \"$cur\")) && return\n\t[[ $COMP_CWORD == 1 && $cur == [bcdn]* ]] && "
		   "COMPREPLY=($(compgen -W \"bench compare doctor nic\" -- \"$cur\")) && "
		   "return\n\t[[ $COMP_CWORD == 2 && $prev == nic ]] && "
		   "COMPREPLY=($(compgen -W \"list bind unbind restore test\" -- \"$cur\")) && "
		   "return\n\tCOMPREPLY=($(compgen -f -- \"$cur\"))\n}\n"
		   "complete -o filenames -F _dpfetch dpfetch\n");
}

/* What one run says about itself is no setting to keep. */
static bool
is_kept(const struct settings_option *option)
{
	return strcmp(option->name, "dump-config") != 0 && strcmp(option->name, "help") != 0 &&
	       strcmp(option->name, "version") != 0 && strcmp(option->name, "check") != 0;
}

/* inih takes away blanks at the ends, and what follows a semicolon after a blank. */
static bool
can_be_a_line(const char *line, const char *value)
{
	size_t len = strlen(value), i;

	if (strlen(line) > CONFIG_LINE_MAX || strchr(value, '\n') != NULL || value[0] == ';')
		return false;
	if (len > 0 && (isspace((unsigned char)value[0]) || isspace((unsigned char)value[len - 1])))
		return false;
	for (i = 1; i < len; i++) {
		if (value[i] == ';' && isspace((unsigned char)value[i - 1]))
			return false;
	}
	return true;
}

const char *
settings_dump(const struct settings *s, settings_print_fn print, void *ctx)
{
	uint32_t i, item, count;
	const struct settings_option *options = settings_options(&count);
	const char *unfit = NULL;
	char value[LINE_MAX_BYTES], line[2 * LINE_MAX_BYTES];

	print(ctx, "[dpfetch]\n");
	for (i = 0; i < count; i++) {
		if (!is_kept(&options[i]) || !settings_option_is_of(&options[i], s->command) ||
			(options[i].own_stack && s->stack == SETTINGS_STACK_KERNEL))
			continue;
		for (item = 0; settings_option_format(s, &options[i], item, value, sizeof(value));
			item++) {
			snprintf(line, sizeof(line), "%s = %s\n", options[i].name, value);
			if (can_be_a_line(line, value))
				print(ctx, line);
			else
				unfit = options[i].name;
		}
	}
	return unfit;
}
