/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "affinity.h"
#include "output.h"

#define FIFO_POLL_NS 20000000L /* 20 ms: as soon as a person notices */

enum open_state {
	OPEN_IDLE, /* no body byte yet */
	OPEN_WANTED, /* the opener thread is at it */
	OPEN_DONE,
	OPEN_FAILED,
	OPEN_NEVER, /* the transfer ended without one */
};

struct output {
	struct sink *sink;
	const struct sink_file_config *cfg;
	pthread_t opener;
	sem_t wake;
	atomic_int state; /* enum open_state; the thread writes DONE and FAILED */
	struct sink_file *file; /* set before DONE */
	int error; /* set before FAILED */
	atomic_bool give_up; /* the transfer has ended: no longer wait for a FIFO's reader */
	/* the poll core's own */
	uint64_t length; /* what expect said, 0 nothing */
	bool length_told, finish_wanted, finish_told, complete;
};

static enum open_state
state_of(const struct output *o)
{
	return (enum open_state)atomic_load_explicit(&o->state, memory_order_acquire);
}

/* Like open(2) it waits for a FIFO's reader, but not beyond the transfer's end. */
static int
open_file(struct output *o)
{
	const struct timespec pause = {.tv_nsec = FIFO_POLL_NS};
	int rc = sink_file_open(o->sink, o->cfg, &o->file);

	while (rc == -EAGAIN && !atomic_load(&o->give_up)) {
		(void)nanosleep(&pause, NULL);
		rc = sink_file_open(o->sink, o->cfg, &o->file);
	}
	return rc == -EAGAIN ? -ENXIO : rc;
}

static void *
opener_run(void *ctx)
{
	struct output *o = ctx;
	int rc;

	while (sem_wait(&o->wake) != 0)
		;
	if (state_of(o) != OPEN_WANTED)
		return NULL;
	rc = open_file(o);
	o->error = rc;
	atomic_store_explicit(&o->state, rc == 0 ? OPEN_DONE : OPEN_FAILED, memory_order_release);
	return NULL;
}

static void
want_open(struct output *o)
{
	if (state_of(o) != OPEN_IDLE)
		return;
	atomic_store_explicit(&o->state, OPEN_WANTED, memory_order_release);
	sem_post(&o->wake);
}

/* Passes on what was said before the file was there. */
static void
catch_up(struct output *o)
{
	if (o->length > 0 && !o->length_told) {
		o->length_told = true;
		sink_file_ops.expect(o->file, o->length);
	}
	if (o->finish_wanted && !o->finish_told) {
		o->finish_told = true;
		sink_file_ops.finish(o->file, o->complete);
	}
}

static uint32_t
output_write_room(void *file)
{
	struct output *o = file;

	want_open(o);
	if (state_of(o) != OPEN_DONE)
		return 0;
	catch_up(o);
	return sink_file_ops.write_room(o->file);
}

static void
output_write(void *file, const struct sink_write *write)
{
	struct output *o = file;

	sink_file_ops.write(o->file, write);
}

static uint32_t
output_completions(void *file, struct sink_completion *ret, uint32_t n)
{
	struct output *o = file;

	return state_of(o) == OPEN_DONE ? sink_file_ops.completions(o->file, ret, n) : 0;
}

static void
output_expect(void *file, uint64_t length)
{
	struct output *o = file;

	o->length = length;
}

static void
output_finish(void *file, bool complete)
{
	struct output *o = file;

	if (o->finish_told && !complete) {
		sink_file_ops.finish(o->file, false); /* give up waiting */
		return;
	}
	o->finish_wanted = true;
	o->complete = complete;
	if (!complete)
		atomic_store(&o->give_up, true);
	if (state_of(o) == OPEN_IDLE && !complete)
		atomic_store(&o->state, OPEN_NEVER);
	want_open(o); /* an empty body makes an empty file */
}

static int
output_status(void *file)
{
	struct output *o = file;

	switch (state_of(o)) {
	case OPEN_IDLE:
	case OPEN_WANTED:
		return 0;
	case OPEN_DONE:
		catch_up(o);
		return sink_file_ops.status(o->file);
	case OPEN_FAILED:
		return o->error;
	case OPEN_NEVER:
		return 1;
	}
	return -EINVAL;
}

const struct fetch_sink_ops output_ops = {
	.write_room = output_write_room,
	.write = output_write,
	.completions = output_completions,
	.expect = output_expect,
	.finish = output_finish,
	.status = output_status,
};

int
output_create(struct sink *sink, const struct sink_file_config *cfg, const cpu_set_t *others,
	struct output **ret)
{
	struct output *o = calloc(1, sizeof(*o));
	int rc;

	if (o == NULL)
		return -ENOMEM;
	o->sink = sink;
	o->cfg = cfg;
	atomic_init(&o->state, OPEN_IDLE);
	sem_init(&o->wake, 0, 0);
	rc = pthread_create(&o->opener, NULL, opener_run, o);
	if (rc != 0) {
		sem_destroy(&o->wake);
		free(o);
		return -rc;
	}
	affinity_keep_to(o->opener, others);
	*ret = o;
	return 0;
}

bool
output_opened(const struct output *o)
{
	return state_of(o) == OPEN_DONE;
}

bool
output_pending(const struct output *o)
{
	return state_of(o) == OPEN_WANTED || o->finish_wanted;
}

void
output_info(const struct output *o, struct sink_file_info *ret)
{
	memset(ret, 0, sizeof(*ret));
	if (state_of(o) == OPEN_DONE) {
		sink_file_info(o->file, ret);
	} else if (state_of(o) == OPEN_FAILED) {
		ret->error = o->error;
		ret->error_call = "open";
	}
}

void
output_destroy(struct output *o)
{
	if (o == NULL)
		return;
	sem_post(&o->wake);
	pthread_join(o->opener, NULL);
	if (o->file != NULL)
		sink_file_close(o->file);
	sem_destroy(&o->wake);
	free(o);
}

/* -O: the URL's last path segment. A '/' that was percent-encoded must not lead elsewhere. */
static int
remote_name(const struct http_url *url, char **ret, char *message)
{
	char *name, *slash;

	if (url->filename == NULL || strcmp(url->filename, ".") == 0 ||
		strcmp(url->filename, "..") == 0) {
		snprintf(message, SETTINGS_MESSAGE_MAX,
			"-O: %.300s names no file; give one with -o FILE", url->canonical);
		return -EINVAL;
	}
	name = strdup(url->filename);
	if (name == NULL)
		return -ENOMEM;
	while ((slash = strchr(name, '/')) != NULL)
		*slash = '_';
	*ret = name;
	return 0;
}

static char *
in_directory(const char *directory, char *name)
{
	char *path;

	if (directory == NULL || directory[0] == '\0' || name == NULL || strcmp(name, "-") == 0 ||
		name[0] == '/')
		return name;
	if (asprintf(&path, "%s/%s", directory, name) < 0)
		path = NULL;
	free(name);
	return path;
}

int
output_path(const struct settings *s, uint32_t index, const struct http_url *url, char **ret_path,
	char *message)
{
	const char *given = "-";
	char *name = NULL;
	int rc;

	if (s->remote_name) {
		rc = remote_name(url, &name, message);
		if (rc != 0)
			return rc;
	} else {
		if (index < s->outputs.count)
			given = s->outputs.item[index];
		if (strcmp(given, "/dev/null") == 0) {
			*ret_path = NULL;
			return 0;
		}
		name = strdup(given);
	}
	*ret_path = in_directory(s->output_dir, name);
	if (*ret_path != NULL)
		return 0;
	snprintf(message, SETTINGS_MESSAGE_MAX, "out of memory");
	return -ENOMEM;
}
