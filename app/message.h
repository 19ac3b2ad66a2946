/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MESSAGE_H
#define MESSAGE_H

#include <stdbool.h>

struct settings;

/** How much the user wants to hear; all of it goes to standard error. */
struct message_level {
	bool errors; /* not -s, or -S */
	bool notes; /* summary and warnings: not -s */
	bool details; /* -v */
};

struct message_level message_level_of(const struct settings *s);

/** "dpfetch: (28) text", curl's form. code: the exit code that it leads to. */
void message_error(const struct message_level *level, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/** "dpfetch: warning: text". */
void message_warning(const struct message_level *level, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/** "* text", as curl -v does. */
void message_detail(const struct message_level *level, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/** Plain text of the summary; silent with -s. */
void message_note(const struct message_level *level, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
