/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef STATS_DOCUMENTED_H
#define STATS_DOCUMENTED_H

#include <ctype.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Is docs/stats.md, of which STATS_DOCUMENT is the path, right about the documents of --stats? */

#define STATS_HEADING_MAX 128U

/* The caller's. */
static inline char *
stats_documented_read(void)
{
	FILE *file = fopen(STATS_DOCUMENT, "re");
	char *text = calloc(1, 1 << 18);

	assert_non_null(file);
	assert_non_null(text);
	assert_true(fread(text, 1, (1 << 18) - 1, file) > 0);
	fclose(file);
	return text;
}

/* Where the chapter of what has this name begins; NULL: there is none. */
static inline const char *
stats_documented_chapter(const char *text, const char *name)
{
	static const struct {
		const char *object, *chapter;
	} shared[] = {{"service", "latency"}, {"first_byte", "latency"}, {"connect", "latency"},
		{"ack_delay", "distribution"}, {"iteration", "distribution"}};
	char heading[STATS_HEADING_MAX];
	size_t i;

	for (i = 0; i < sizeof(shared) / sizeof(shared[0]); i++) {
		if (strcmp(shared[i].object, name) == 0)
			name = shared[i].chapter;
	}
	snprintf(heading, sizeof(heading), "\n## %s\n", name);
	return strstr(text, heading);
}

/* Has the chapter a line that begins so? */
static inline bool
stats_documented_has(const char *chapter, const char *line)
{
	const char *at = strstr(chapter, line), *end = strstr(chapter + 1, "\n## ");

	return at != NULL && (end == NULL || at < end);
}

/* "prefix" "key" "suffix" as one text, the caller's. */
static inline char *
stats_documented_path(const char *prefix, const char *key, const char *suffix)
{
	char *path = NULL;

	assert_true(asprintf(&path, "%s%s%s", prefix, key, suffix) >= 0);
	return path;
}

/* All fields of an object, and of those in it, which are either in a chapter of their own or in this one, behind
 * prefix. */
static inline void
stats_documented_check(const char *text, json_t *object, const char *chapter, const char *prefix)
{
	const char *key, *own;
	char *line, *below;
	json_t *value;

	json_object_foreach(object, key, value)
	{
		bool many = json_is_array(value);
		bool status = isdigit((unsigned char)key[0]) && strcmp(key + 1, "xx") == 0;
		json_t *inner = many ? json_array_get(value, 0) : value;

		below = stats_documented_path("\n| `", prefix, status ? "Nxx" : key);
		line = stats_documented_path(below, "` | ", "");
		if (!stats_documented_has(chapter, line))
			fail_msg("docs/stats.md has no line \"%s\" in:%.40s", line + 1, chapter);
		free(line);
		free(below);
		if (!json_is_object(inner))
			continue;
		own = stats_documented_chapter(text, key);
		below = stats_documented_path(prefix, key, many ? "[]." : ".");
		stats_documented_check(
			text, inner, own != NULL ? own : chapter, own != NULL ? "" : below);
		free(below);
	}
}

/* Is the chapter's line of this field what the program says of it? */
static inline void
stats_documented_check_help(
	const char *text, const char *chapter, const char *name, const char *help)
{
	const char *at = stats_documented_chapter(text, chapter);
	char *line = NULL;

	assert_true(asprintf(&line, "\n| `%s` | %s |\n", name, help) >= 0);
	assert_non_null(at);
	if (!stats_documented_has(at, line))
		fail_msg("docs/stats.md should say of %s: %s", chapter, line);
	free(line);
}

#endif
