/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdarg.h>
#include <stdio.h>

#include "message.h"
#include "settings.h"

#define MESSAGE_LINE_MAX 2048U

struct message_level
message_level_of(const struct settings *s)
{
	return (struct message_level){
		.errors = !s->silent || s->show_error,
		.notes = !s->silent,
		.details = s->verbose,
	};
}

/* One fprintf a line, so that lines of several threads do not mix. */
static void print_line(const char *prefix, const char *format, va_list args)
	__attribute__((format(printf, 2, 0)));

static void
print_line(const char *prefix, const char *format, va_list args)
{
	char line[MESSAGE_LINE_MAX];

	vsnprintf(line, sizeof(line), format, args);
	fprintf(stderr, "%s%s\n", prefix, line);
}

void
message_error(const struct message_level *level, int code, const char *format, ...)
{
	char prefix[32];
	va_list args;

	if (!level->errors)
		return;
	snprintf(prefix, sizeof(prefix), "dpfetch: (%d) ", code);
	va_start(args, format);
	print_line(prefix, format, args);
	va_end(args);
}

void
message_warning(const struct message_level *level, const char *format, ...)
{
	va_list args;

	if (!level->notes)
		return;
	va_start(args, format);
	print_line("dpfetch: warning: ", format, args);
	va_end(args);
}

void
message_detail(const struct message_level *level, const char *format, ...)
{
	va_list args;

	if (!level->details)
		return;
	va_start(args, format);
	print_line("* ", format, args);
	va_end(args);
}

void
message_note(const struct message_level *level, const char *format, ...)
{
	va_list args;

	if (!level->notes)
		return;
	va_start(args, format);
	print_line("", format, args);
	va_end(args);
}
