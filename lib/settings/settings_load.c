/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <getopt.h>
#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base_bytes.h"
#include "base_check.h"
#include "settings_option.h"

#define SHORT_OPTIONS_MAX 64U
#define WRITE_OUT_FILE_MAX 65536U

#define EAL_LETTERS "abcdhlmnrsSvw" /* rte_eal_init's short options */

/* getopt_long's val for option i is VAL_BASE + 2 i, and one more for its --no- form. */
#define VAL_BASE 1000

/* One reading of argv. */
struct argv_reader {
	struct settings *settings;
	char *message;
	struct option *longs; /* NULL-terminated, with the --no- forms */
	char **no_names;
	char shorts[SHORT_OPTIONS_MAX];
	bool *replaced; /* per option: a list from the config file was put aside */
	const char *config; /* the --config argument */
	bool only_config; /* the first pass: look for --config alone */
	enum settings_result result;
};

static void
add_short(char *shorts, const struct settings_option *option)
{
	size_t len = strlen(shorts);

	CHECK(len + 3 < SHORT_OPTIONS_MAX);
	shorts[len++] = option->letter;
	if (option->type != OPTION_FLAG)
		shorts[len++] = ':';
	shorts[len] = '\0';
}

static void
reader_free(struct argv_reader *r)
{
	uint32_t i, count;

	settings_options(&count);
	for (i = 0; r->no_names != NULL && i < count; i++)
		free(r->no_names[i]);
	free(r->no_names);
	free(r->longs);
	free(r->replaced);
}

static bool
reader_init(struct argv_reader *r, struct settings *s, char *message)
{
	uint32_t i, used = 0, count;
	const struct settings_option *o = settings_options(&count);
	int val;

	*r = (struct argv_reader){.settings = s, .message = message, .shorts = ":"};
	r->longs = calloc(2U * count + 1U, sizeof(*r->longs));
	r->no_names = calloc(count, sizeof(*r->no_names));
	r->replaced = calloc(count, sizeof(*r->replaced));
	if (r->longs == NULL || r->no_names == NULL || r->replaced == NULL)
		return false;
	for (i = 0; i < count; i++) {
		val = VAL_BASE + 2 * (int)i;
		r->longs[used++] = (struct option){o[i].name,
			o[i].type == OPTION_FLAG ? no_argument : required_argument, NULL, val};
		if (o[i].letter != 0)
			add_short(r->shorts, &o[i]);
		if (o[i].type != OPTION_FLAG)
			continue;
		if (asprintf(&r->no_names[i], "no-%s", o[i].name) < 0) {
			r->no_names[i] = NULL;
			return false;
		}
		r->longs[used++] = (struct option){r->no_names[i], no_argument, NULL, val + 1};
	}
	return true;
}

static void
clear_list(struct settings *s, const struct settings_option *option)
{
	struct settings_list *list = (void *)((char *)s + option->offset);

	while (list->count > 0)
		free(list->item[--list->count]);
}

/* The index of the option that getopt_long's result means; *ret_value is "false" for --no-. */
static uint32_t
option_index(int val, const char **ret_value)
{
	uint32_t i, count;
	const struct settings_option *o = settings_options(&count);

	if (val >= VAL_BASE) {
		if ((val - VAL_BASE) % 2 == 1)
			*ret_value = "false";
		return (uint32_t)(val - VAL_BASE) / 2U;
	}
	for (i = 0; i < count; i++) {
		if (o[i].letter == (char)val)
			return i;
	}
	CHECK(false);
}

static enum settings_command
first_command_of(const struct settings_option *option)
{
	int command = 0;

	while (command < SETTINGS_COMMAND_COUNT - 1 && !settings_option_is_of(option, command))
		command++;
	return (enum settings_command)command;
}

/* The option belongs to another command. */
static bool
refuse_foreign(struct argv_reader *r, const struct settings_option *option)
{
	if (settings_option_is_of(option, r->settings->command))
		return false;
	if (r->settings->command == SETTINGS_GET)
		snprintf(r->message, SETTINGS_MESSAGE_MAX,
			"--%s is an option of dpfetch %s [options]%s", option->name,
			settings_command_name(first_command_of(option)),
			settings_option_is_of(option, SETTINGS_NIC) ? "" : " URL...");
	else
		snprintf(r->message, SETTINGS_MESSAGE_MAX,
			"dpfetch %s has no --%s; dpfetch %s --help lists what it has",
			settings_command_name((enum settings_command)r->settings->command),
			option->name,
			settings_command_name((enum settings_command)r->settings->command));
	r->result = SETTINGS_USAGE;
	return true;
}

static void
take_option(struct argv_reader *r, int val, const char *argument)
{
	uint32_t count, i;
	const struct settings_option *option;
	const char *value = argument != NULL ? argument : "true";
	char what[64];

	i = option_index(val, &value);
	option = &settings_options(&count)[i];
	if (option->type == OPTION_CONFIG) {
		r->config = argument;
		return;
	}
	if (r->only_config || refuse_foreign(r, option))
		return;
	if (option->type == OPTION_LIST && !r->replaced[i]) {
		clear_list(r->settings, option); /* the command line overrides the file's list */
		r->replaced[i] = true;
	}
	snprintf(what, sizeof(what), "--%s", option->name);
	r->result = settings_option_set(r->settings, option, value, what, r->message);
}

/* optopt: the letter of a short option; of a long one 0 where it is unknown, else its val. */
static void
take_error(struct argv_reader *r, int kind, char *const *argv)
{
	const char *problem = kind == ':' ? "needs a value" : "is not an option, or is ambiguous";

	if (kind == '?' && optopt >= VAL_BASE)
		problem = "takes no value";
	if (optopt > 0 && optopt < VAL_BASE)
		snprintf(r->message, SETTINGS_MESSAGE_MAX,
			"option -%c %s; dpfetch --help lists all", optopt, problem);
	else
		snprintf(r->message, SETTINGS_MESSAGE_MAX,
			"option %.100s %s; dpfetch --help lists all", argv[optind - 1], problem);
	r->result = SETTINGS_USAGE;
}

static void
take_item(
	struct argv_reader *r, const char *name, const char *what, const char *text, bool *replaced)
{
	const struct settings_option *list = settings_option_find(name);
	uint32_t count;

	CHECK(list != NULL);
	if (!*replaced && !r->replaced[list - settings_options(&count)])
		clear_list(r->settings, list);
	*replaced = true;
	r->result = settings_option_set(r->settings, list, text, what, r->message);
}

static const char *const action_names[SETTINGS_NIC_ACTION_COUNT] = {[SETTINGS_NIC_NOTHING] = "",
	[SETTINGS_NIC_LIST] = "list",
	[SETTINGS_NIC_BIND] = "bind",
	[SETTINGS_NIC_UNBIND] = "unbind",
	[SETTINGS_NIC_RESTORE] = "restore"};

const char *
settings_nic_action_name(enum settings_nic_action action)
{
	return action_names[action];
}

static void
take_action(struct argv_reader *r, const char *text)
{
	int action;

	for (action = SETTINGS_NIC_NOTHING + 1; action < SETTINGS_NIC_ACTION_COUNT; action++) {
		if (strcmp(action_names[action], text) == 0)
			r->settings->nic_action = action;
	}
	if (r->settings->nic_action != SETTINGS_NIC_NOTHING)
		return;
	if (strcmp(text, "test") == 0)
		snprintf(r->message, SETTINGS_MESSAGE_MAX,
			"write \"dpfetch nic test\" together, options behind it (dpfetch nic test "
			"--help)");
	else
		snprintf(r->message, SETTINGS_MESSAGE_MAX,
			"dpfetch nic knows no '%.60s'; dpfetch nic --help tells what it knows",
			text);
	r->result = SETTINGS_USAGE;
}

/* What is no option: a URL; of nic first what to do and then devices. */
static void
take_argument(struct argv_reader *r, const char *text, bool *replaced)
{
	if (r->settings->command != SETTINGS_NIC)
		take_item(r, "url", "URL", text, replaced);
	else if (r->settings->nic_action == SETTINGS_NIC_NOTHING)
		take_action(r, text);
	else
		take_item(r, "device", "PCI address", text, replaced);
}

/* argv is permuted by getopt_long: options first, then the other arguments. */
static enum settings_result
read_argv(struct argv_reader *r, int argc, char **argv, bool only_config)
{
	bool replaced = false;
	int val;

	r->only_config = only_config;
	r->result = SETTINGS_OK;
	opterr = 0;
	optind = 0; /* GNU: start afresh */
	while (r->result == SETTINGS_OK &&
		(val = getopt_long(argc, argv, r->shorts, r->longs, NULL)) != -1) {
		if (val == '?' || val == ':')
			take_error(r, val, argv);
		else
			take_option(r, val, optarg);
	}
	while (r->result == SETTINGS_OK && !only_config && optind < argc)
		take_argument(r, argv[optind++], &replaced);
	return r->result;
}

/* One reading of a config file. */
struct file_reader {
	struct settings *settings;
	const char *path;
	char *message;
	FILE *file;
	int line; /* the one being read, from 1 */
	enum settings_result result;
};

/*
 * An ini_reader that counts lines (Debian's inih does not pass their number on), refuses one that
 * inih would silently cut in two, and takes away the indentation, by which inih would take a key
 * for more of the value above it.
 */
static char *
next_line(char *line, int room, void *stream)
{
	struct file_reader *r = stream;
	size_t len, blanks;

	if (r->result != SETTINGS_OK || fgets(line, room, r->file) == NULL)
		return NULL;
	r->line++;
	len = strlen(line);
	if (len + 1 < (size_t)room || line[len - 1] == '\n') {
		blanks = strspn(line, " \t");
		memmove(line, line + blanks, len - blanks + 1);
		return line;
	}
	snprintf(r->message, SETTINGS_MESSAGE_MAX,
		"%.200s:%d: the line is longer than %d bytes; give this option on the command line",
		r->path, r->line, room - 2);
	r->result = SETTINGS_FILE;
	return NULL;
}

static int
take_key(void *ctx, const char *section, const char *key, const char *value)
{
	struct file_reader *r = ctx;
	const struct settings_option *option = settings_option_find(key);
	char what[160];

	if (section[0] != '\0' && strcmp(section, "dpfetch") != 0) {
		snprintf(r->message, SETTINGS_MESSAGE_MAX,
			"%.200s:%d: there is no section [%.60s]; only [dpfetch], or none", r->path,
			r->line, section);
		r->result = SETTINGS_FILE;
		return 0;
	}
	if (option == NULL) {
		snprintf(r->message, SETTINGS_MESSAGE_MAX,
			"%.200s:%d: '%.60s' is not an option; dpfetch --help lists all", r->path,
			r->line, key);
		r->result = SETTINGS_FILE;
		return 0;
	}
	if (!settings_option_is_of(option, r->settings->command))
		return 1; /* a file may serve several commands */
	snprintf(what, sizeof(what), "%.80s:%d: %s", r->path, r->line, option->name);
	r->result = settings_option_set(
		r->settings, option, value != NULL ? value : "", what, r->message);
	if (r->result == SETTINGS_USAGE)
		r->result = SETTINGS_FILE;
	return r->result == SETTINGS_OK;
}

static enum settings_result
read_file(struct settings *s, const char *path, char *message)
{
	struct file_reader r = {.settings = s, .path = path, .message = message};
	int rc;

	r.file = fopen(path, "re");
	if (r.file == NULL) {
		snprintf(message, SETTINGS_MESSAGE_MAX, "cannot read the config file '%.200s': %s",
			path, strerror(errno));
		return SETTINGS_FILE;
	}
	errno = 0;
	rc = ini_parse_stream(next_line, &r, take_key, &r);
	if (ferror(r.file) != 0 && r.result == SETTINGS_OK) { /* a directory, for one */
		snprintf(message, SETTINGS_MESSAGE_MAX, "cannot read the config file '%.200s': %s",
			path, strerror(errno));
		r.result = SETTINGS_FILE;
	}
	fclose(r.file);
	if (r.result != SETTINGS_OK)
		return r.result;
	if (rc == 0)
		return SETTINGS_OK;
	snprintf(message, SETTINGS_MESSAGE_MAX, "%.200s:%d: this is not 'key = value'", path,
		MAX_OF(rc, 0));
	return SETTINGS_FILE;
}

/* -w @FILE: the format is in the file, "@-" is standard input. */
static enum settings_result
read_write_out(struct settings *s, char *message)
{
	FILE *file;
	char *text;
	size_t len;

	if (s->write_out == NULL || s->write_out[0] != '@')
		return SETTINGS_OK;
	file = strcmp(s->write_out, "@-") == 0 ? stdin : fopen(s->write_out + 1, "re");
	text = calloc(1, WRITE_OUT_FILE_MAX + 1U);
	if (file == NULL || text == NULL) {
		snprintf(message, SETTINGS_MESSAGE_MAX, "--write-out: cannot read '%.200s': %s",
			s->write_out + 1, strerror(errno));
		free(text);
		if (file != NULL && file != stdin)
			fclose(file);
		return file == NULL ? SETTINGS_USAGE : SETTINGS_NO_MEMORY;
	}
	len = fread(text, 1, WRITE_OUT_FILE_MAX, file);
	text[len] = '\0';
	if (file != stdin)
		fclose(file);
	free(s->write_out);
	s->write_out = text;
	return SETTINGS_OK;
}

/* Where "--" stands in argv, or 0. What is before it is for the EAL. */
static int
find_separator(int argc, char **argv)
{
	int i;

	for (i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--") == 0)
			return i;
	}
	return 0;
}

/* Is this -X one of ours, in front of "--" by mistake? Letters that the EAL has too are its. */
static bool
is_own_letter(const char *arg)
{
	uint32_t i, count;
	const struct settings_option *o = settings_options(&count);

	if (arg[0] != '-' || arg[1] == '\0' || strchr(EAL_LETTERS, arg[1]) != NULL)
		return false;
	for (i = 0; i < count; i++) {
		if (o[i].letter == arg[1])
			return true;
	}
	return false;
}

/* Our own options before "--" would reach the EAL and fail there with its own words. */
static enum settings_result
check_eal_args(const struct settings *s, char *message)
{
	char name[64];
	int i;

	for (i = 0; i < s->eal_args_count; i++) {
		snprintf(name, sizeof(name), "%.*s", (int)strcspn(s->eal_args[i], "="),
			s->eal_args[i]);
		if (!is_own_letter(name) &&
			(strncmp(name, "--", 2) != 0 || settings_option_find(name + 2) == NULL ||
				strcmp(name, "--help") == 0))
			continue;
		snprintf(message, SETTINGS_MESSAGE_MAX,
			"%s stands before \"--\", where only EAL options belong; write: dpfetch "
			"[EAL "
			"options --] [options] URL...",
			name);
		return SETTINGS_USAGE;
	}
	return SETTINGS_OK;
}

static const char *const command_names[SETTINGS_COMMAND_COUNT] = {[SETTINGS_GET] = "get",
	[SETTINGS_BENCH] = "bench",
	[SETTINGS_COMPARE] = "compare",
	[SETTINGS_NIC] = "nic",
	[SETTINGS_DOCTOR] = "doctor",
	[SETTINGS_NIC_TEST] = "nic test"};

const char *
settings_command_name(enum settings_command command)
{
	return command_names[command];
}

/* How many of the first arguments are this command's name; 0: they are not. */
static int
words_of_command(const char *name, int argc, char **argv)
{
	const char *second = strchr(name, ' ');
	size_t len = second != NULL ? (size_t)(second - name) : strlen(name);

	if (argc < 2 || strlen(argv[1]) != len || strncmp(argv[1], name, len) != 0)
		return 0;
	if (second == NULL)
		return 1;
	return argc > 2 && strcmp(argv[2], second + 1) == 0 ? 2 : 0;
}

/* Are the first arguments a command's name? Then they are taken out of argv. Of nic and nic test the longer
 * one, which is the later one. */
static int
take_command(struct settings *s, int argc, char **argv)
{
	int command, words, taken = 0;

	for (command = 0; command < SETTINGS_COMMAND_COUNT; command++) {
		words = words_of_command(command_names[command], argc, argv);
		if (words == 0)
			continue;
		s->command = command;
		taken = words;
	}
	memmove(argv + 1, argv + 1 + taken, (size_t)(argc - taken) * sizeof(*argv));
	return argc - taken;
}

static enum settings_result
load_into(struct settings *s, int argc, char **argv, char *message)
{
	struct argv_reader reader;
	enum settings_result result;

	if (!reader_init(&reader, s, message)) {
		reader_free(&reader);
		snprintf(message, SETTINGS_MESSAGE_MAX, "out of memory while reading the options");
		return SETTINGS_NO_MEMORY;
	}
	result = read_argv(&reader, argc, argv, true);
	if (result == SETTINGS_OK && reader.config != NULL)
		result = read_file(s, reader.config, message);
	if (result == SETTINGS_OK)
		result = read_argv(&reader, argc, argv, false);
	if (result == SETTINGS_OK)
		result = read_write_out(s, message);
	reader_free(&reader);
	return result;
}

enum settings_result
settings_load(int argc, char **argv, struct settings *ret, char *message)
{
	struct settings s;
	enum settings_result result;
	int separator = find_separator(argc, argv);
	char **own;

	CHECK(argc >= 1);
	own = calloc((size_t)argc + 1U, sizeof(*own));
	if (own == NULL) {
		snprintf(message, SETTINGS_MESSAGE_MAX, "out of memory while reading the options");
		return SETTINGS_NO_MEMORY;
	}
	own[0] = argv[0];
	memcpy(own + 1, argv + separator + 1, (size_t)(argc - separator - 1) * sizeof(*own));
	settings_defaults(&s);
	if (separator > 1) {
		s.eal_args = argv + 1;
		s.eal_args_count = separator - 1;
	}
	result = check_eal_args(&s, message);
	argc = take_command(&s, argc - separator, own);
	if (result == SETTINGS_OK)
		result = load_into(&s, argc, own, message);
	free(own);
	if (result == SETTINGS_OK)
		*ret = s;
	else
		settings_free(&s);
	return result;
}
