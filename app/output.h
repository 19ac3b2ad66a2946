/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef OUTPUT_H
#define OUTPUT_H

#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fetch_sink.h"
#include "http_url.h"
#include "settings.h"
#include "sink_file.h"

/*
 * Where one download's body goes. The file is opened (and an older one truncated) only when the
 * first body byte is there, as curl does: a dead server or -f's 404 leaves the old file alone.
 * Opening may block, so a thread of its own does it and the poll core looks on.
 */
struct output;

/**
 * Decides the file of the URL with this index: its -o, or -O's name, or standard output; put
 * under --output-dir. 0 and *ret_path (malloc'd; NULL: discard, for -o /dev/null), or
 * -EINVAL with a message (SETTINGS_MESSAGE_MAX).
 */
int output_path(const struct settings *s, uint32_t index, const struct http_url *url,
	char **ret_path, char *message);

/** Makes the opener thread, which keeps off the poll core. cfg and its path must outlive the
 *  output. 0 and *ret, or -errno. */
int output_create(struct sink *sink, const struct sink_file_config *cfg, const cpu_set_t *others,
	struct output **ret);

/** What fetch uses; the file argument is the struct output. */
extern const struct fetch_sink_ops output_ops;

/** Was the file made? */
bool output_opened(const struct output *o);

/** Is its thread opening the file, or the sink finishing it, so that output_ops will say something else
 *  by and by? */
bool output_pending(const struct output *o);

/** How the writing went; zeroes when the file was never opened. After the fetch has ended. */
void output_info(const struct output *o, struct sink_file_info *ret);

/** Closes the file and frees o. NULL is allowed. After the fetch has ended. */
void output_destroy(struct output *o);

#endif
