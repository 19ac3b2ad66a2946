/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base_check.h"
#include "sink_priv.h"

const char *
sink_method_name(enum sink_method method)
{
	switch (method) {
	case SINK_METHOD_URING_DIRECT:
		return "io_uring, direct";
	case SINK_METHOD_URING_BUFFERED:
		return "io_uring, buffered";
	case SINK_METHOD_PWRITE:
		return "pwrite";
	case SINK_METHOD_STREAM:
		return "stream";
	case SINK_METHOD_DISCARD:
		return "discard";
	}
	return "?";
}

static uint32_t
or_default(uint32_t value, uint32_t fallback)
{
	return value != 0 ? value : fallback;
}

static bool
in_range(uint32_t value, uint32_t min, uint32_t max)
{
	return value >= min && value <= max;
}

static bool
is_power_of_two(uint32_t value)
{
	return value != 0 && (value & (value - 1)) == 0;
}

static int
take_config(struct sink *s, const struct sink_config *cfg)
{
	s->buffer_bytes = or_default(cfg->buffer_bytes, SINK_BUFFER_BYTES_DEFAULT);
	s->buffers = or_default(cfg->buffers, SINK_BUFFERS_DEFAULT);
	s->ring_entries = or_default(cfg->ring_entries, SINK_RING_ENTRIES_DEFAULT);
	s->writer_cpu = cfg->writer_cpu;
	if (!in_range(s->buffer_bytes, SINK_BUFFER_BYTES_MIN, SINK_BUFFER_BYTES_MAX) ||
		!in_range(s->buffers, SINK_BUFFERS_MIN, SINK_BUFFERS_MAX) ||
		!in_range(s->ring_entries, SINK_RING_ENTRIES_MIN, SINK_RING_ENTRIES_MAX) ||
		!is_power_of_two(s->buffer_bytes) || !is_power_of_two(s->ring_entries) ||
		s->writer_cpu >= CPU_SETSIZE)
		return -EINVAL;
	return 0;
}

static uint32_t
command_ring_entries(uint32_t writes)
{
	return writes < SINK_RING_CONTROL ? 2 * SINK_RING_CONTROL : 2 * writes;
}

/* With all signals blocked: SIGPIPE and SIGXFSZ become errors of the write, and the program's
 * handlers run on the program's own threads. */
static int
start_thread(struct sink *s)
{
	sigset_t all, before;
	pthread_attr_t attr;
	cpu_set_t set;
	int rc;

	rc = pthread_attr_init(&attr);
	if (rc != 0)
		return -rc;
	if (s->writer_cpu >= 0) {
		CPU_ZERO(&set);
		CPU_SET((size_t)s->writer_cpu, &set);
		rc = pthread_attr_setaffinity_np(&attr, sizeof(set), &set);
	}
	if (rc == 0) {
		sigfillset(&all);
		pthread_sigmask(SIG_SETMASK, &all, &before);
		rc = pthread_create(&s->thread, &attr, sink_writer_main, s);
		pthread_sigmask(SIG_SETMASK, &before, NULL);
	}
	pthread_attr_destroy(&attr);
	return -rc;
}

static struct sink *
allocate(void)
{
	/* Rings and atomics keep to their own cache lines. */
	struct sink *s = aligned_alloc(alignof(struct sink), sizeof(struct sink));

	if (s != NULL)
		memset(s, 0, sizeof(*s));
	return s;
}

int
sink_create_with(const struct sink_config *cfg, const struct sink_io_ops *io, struct sink **ret)
{
	struct sink *s = allocate();
	int rc;

	if (s == NULL)
		return -ENOMEM;
	s->io = io;
	rc = take_config(s, cfg);
	if (rc < 0)
		goto free_sink;
	rc = sink_ring_init(
		&s->commands, command_ring_entries(s->ring_entries), sizeof(struct sink_command));
	if (rc < 0)
		goto free_sink;
	rc = sink_ring_init(&s->completions, s->ring_entries, sizeof(struct sink_completion));
	if (rc < 0)
		goto free_commands;
	rc = sink_memory_map(&s->memory, (size_t)s->buffers * s->buffer_bytes, cfg->numa_node);
	if (rc < 0)
		goto free_completions;
	rc = start_thread(s);
	if (rc < 0)
		goto unmap;
	*ret = s;
	return 0;
unmap:
	sink_memory_unmap(&s->memory);
free_completions:
	sink_ring_free(&s->completions);
free_commands:
	sink_ring_free(&s->commands);
free_sink:
	free(s);
	return rc;
}

int
sink_create(const struct sink_config *cfg, struct sink **ret)
{
	return sink_create_with(cfg, &sink_io_system, ret);
}

/* Puts a command other than a write on the ring, and wakes the thread. There is always room:
 * writes take half of the ring at most, and no file has more than a few of these. */
static void
send_command(struct sink *s, const struct sink_command *command)
{
	struct sink_command *slot = sink_ring_slot(&s->commands);

	CHECK(slot != NULL);
	*slot = *command;
	sink_ring_put(&s->commands);
	sink_ring_publish(&s->commands);
	sink_wake_kick(&s->wake, &s->commands, true);
}

void
sink_destroy(struct sink *s)
{
	const struct sink_command quit = {.type = SINK_COMMAND_QUIT};

	if (s == NULL)
		return;
	atomic_store_explicit(&s->file.give_up, true, memory_order_relaxed);
	send_command(s, &quit);
	pthread_join(s->thread, NULL);
	sink_hasher_destroy(s->file.hasher);
	sink_memory_unmap(&s->memory);
	sink_ring_free(&s->completions);
	sink_ring_free(&s->commands);
	free(s);
}

int
sink_file_open(struct sink *s, const struct sink_file_config *cfg, struct sink_file **ret)
{
	const struct sink_command open_command = {.type = SINK_COMMAND_OPEN};
	struct sink_file *f = &s->file;
	struct sink_hasher *hasher;
	struct sink_path path;
	int rc;

	if (f->in_use)
		return -EBUSY;
	rc = sink_hasher_create(cfg->digest, &hasher);
	if (rc < 0)
		return rc;
	rc = sink_path_open(cfg, &path);
	if (rc < 0) {
		sink_hasher_destroy(hasher);
		return rc;
	}
	*f = (struct sink_file){
		.sink = s, .path = path, .hasher = hasher, .sync = cfg->fsync, .in_use = true};
	send_command(s, &open_command);
	*ret = f;
	return 0;
}

/* Wakes the thread for what was published meanwhile: once an iteration of the poll loop instead
 * of once a write. */
static void
kick(struct sink_file *f)
{
	if (!f->unkicked)
		return;
	f->unkicked = false;
	sink_wake_kick(&f->sink->wake, &f->sink->commands, false);
}

static uint32_t
file_write_room(void *file)
{
	const struct sink_file *f = file;

	return f->finish_sent ? 0 : f->sink->ring_entries - f->outstanding;
}

static void
file_write(void *file, const struct sink_write *write)
{
	struct sink_file *f = file;
	struct sink_command *c = sink_ring_slot(&f->sink->commands);

	CHECK(!f->finish_sent && f->outstanding < f->sink->ring_entries && c != NULL);
	CHECK(write->offset == f->next_offset && (write->len == 0 || write->data != NULL));
	c->type = SINK_COMMAND_WRITE;
	c->write = *write;
	sink_ring_put(&f->sink->commands);
	sink_ring_publish(&f->sink->commands);
	f->next_offset += write->len;
	f->outstanding++;
	f->unkicked = true;
}

static uint32_t
file_completions(void *file, struct sink_completion *ret, uint32_t n)
{
	struct sink_file *f = file;
	struct sink_ring *r = &f->sink->completions;
	uint32_t ready, i;

	kick(f);
	ready = sink_ring_ready(r);
	if (ready < n)
		n = ready;
	for (i = 0; i < n; i++)
		ret[i] = *(const struct sink_completion *)sink_ring_at(r, i);
	if (n > 0)
		sink_ring_drop(r, n);
	f->outstanding -= n;
	return n;
}

static void
file_expect(void *file, uint64_t length)
{
	const struct sink_command c = {.type = SINK_COMMAND_EXPECT, .length = length};
	struct sink_file *f = file;

	send_command(f->sink, &c);
}

static void
file_finish(void *file, bool whole)
{
	const struct sink_command c = {.type = SINK_COMMAND_FINISH, .complete = whole};
	struct sink_file *f = file;

	if (!whole)
		atomic_store_explicit(&f->give_up, true, memory_order_relaxed);
	if (f->finish_sent)
		return;
	f->finish_sent = true;
	send_command(f->sink, &c);
}

static int
file_status(void *file)
{
	struct sink_file *f = file;

	kick(f);
	if (f->finish_sent &&
		(f->outstanding > 0 || !atomic_load_explicit(&f->finished, memory_order_acquire)))
		return 0;
	return atomic_load_explicit(&f->status, memory_order_acquire);
}

const struct fetch_sink_ops sink_file_ops = {
	.write_room = file_write_room,
	.write = file_write,
	.completions = file_completions,
	.expect = file_expect,
	.finish = file_finish,
	.status = file_status,
};

void
sink_file_info(const struct sink_file *f, struct sink_file_info *ret)
{
	*ret = f->info;
}

static void
drop_completions(struct sink_file *f)
{
	struct sink_ring *r = &f->sink->completions;
	uint32_t n = sink_ring_ready(r);

	if (n > 0)
		sink_ring_drop(r, n);
	f->outstanding -= n;
}

void
sink_file_close(struct sink_file *f)
{
	const struct timespec pause = {.tv_nsec = NS_PER_MS};

	file_finish(f, false);
	while (!atomic_load_explicit(&f->finished, memory_order_acquire))
		(void)nanosleep(&pause, NULL);
	while (f->outstanding > 0)
		drop_completions(f);
	sink_hasher_destroy(f->hasher);
	f->hasher = NULL;
	f->in_use = false;
}
