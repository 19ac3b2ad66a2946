/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How fast does the sink take a download's bytes? Spans of one segment (1448 bytes) out of
 * mbuf-sized memory are handed over as fast as write_room allows, to nowhere, to tmpfs and to a
 * disk, with and without a digest; beside them io_uring alone (one thread that copies and writes
 * with O_DIRECT, 8 MiB, registered hugepages where there are any), the rate that the disk allows.
 * Disks are moody: the rounds alternate, compare within one.
 *
 * bench_sink [DIRECTORY [GIB]]   (on the disk to measure; default: /var/tmp 2)
 */
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sys/resource.h>

#include "base_check.h"
#include "sink_priv.h"

#define SEGMENT_BYTES 1448U
#define SLOT_BYTES 2176U /* an mbuf's data room and header */
#define SLOTS 16384U
#define BURST 32U
#define RAW_WRITES 4U
#define ROUNDS 3U
#define RAW_BYTES SINK_BUFFER_BYTES_DEFAULT
#define PATH_BYTES 512U

static uint8_t *slots;

static const uint8_t *
slot(uint64_t number)
{
	return slots + (size_t)(number % SLOTS) * SLOT_BYTES + 128;
}

static uint64_t
thread_cpu_ns(pthread_t thread)
{
	struct timespec t = {0};
	clockid_t clock;

	if (pthread_getcpuclockid(thread, &clock) == 0)
		(void)clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * NS_PER_SEC + (uint64_t)t.tv_nsec;
}

static void
drain(struct sink_file *f)
{
	struct sink_completion done[64];

	while (sink_file_ops.completions(f, done, 64) > 0)
		;
}

/* Returns the ns that a write call took, by those that came in whole bursts. */
static double
feed(struct sink_file *f, uint64_t bytes)
{
	uint64_t given = 0, number = 0, busy_ns = 0, bursts = 0, start_ns;
	struct sink_write w = {.credit_parts = 1};
	uint32_t room;
	bool whole;

	while (given < bytes) {
		room = sink_file_ops.write_room(f);
		whole = room >= BURST;
		start_ns = whole ? sink_clock_ns() : 0;
		for (room = whole ? BURST : room; room > 0 && given < bytes; room--) {
			w.offset = given;
			w.data = slot(number++);
			w.len = bytes - given < SEGMENT_BYTES ? (uint32_t)(bytes - given)
							      : SEGMENT_BYTES;
			sink_file_ops.write(f, &w);
			given += w.len;
		}
		busy_ns += whole ? sink_clock_ns() - start_ns : 0;
		bursts += whole;
		drain(f);
	}
	return bursts > 0 ? (double)busy_ns / (double)(bursts * BURST) : 0;
}

static void
run(const char *name, const char *path, enum sink_digest digest, uint64_t bytes)
{
	const struct sink_config config = {
		.writer_cpu = (int)sysconf(_SC_NPROCESSORS_ONLN) > 1 ? 0 : -1, .numa_node = -1};
	const struct sink_file_config cfg = {.path = path, .direct = true, .digest = digest};
	uint64_t start_ns, took_ns, cpu_ns;
	double write_ns;
	struct sink_file *f = NULL;
	struct sink_file_info info;
	struct sink *s = NULL;

	if (sink_create(&config, &s) < 0 || sink_file_open(s, &cfg, &f) < 0) {
		printf("%-28s cannot be opened\n", name);
		sink_destroy(s);
		return;
	}
	start_ns = sink_clock_ns();
	sink_file_ops.expect(f, bytes);
	write_ns = feed(f, bytes);
	sink_file_ops.finish(f, true);
	while (sink_file_ops.status(f) == 0)
		drain(f);
	took_ns = sink_clock_ns() - start_ns;
	cpu_ns = thread_cpu_ns(s->thread);
	sink_file_info(f, &info);
	printf("%-28s %6.2f GB/s  writer busy %3.0f %%  poll core %3.0f ns a write  %s%s%s\n", name,
		(double)info.bytes_written / (double)took_ns,
		100.0 * (double)cpu_ns / (double)took_ns, write_ns, sink_method_name(info.method),
		info.error != 0	 ? "  "
		: s->memory.huge ? ", hugepages"
				 : "",
		info.error != 0 ? strerror(-info.error) : "");
	sink_file_close(f);
	sink_destroy(s);
}

static void
raw_fill(uint8_t *data)
{
	static uint64_t number;
	uint32_t at;

	for (at = 0; at + SEGMENT_BYTES <= RAW_BYTES; at += SEGMENT_BYTES)
		memcpy(data + at, slot(number++), SEGMENT_BYTES);
}

static void
raw_writes(struct sink_uring *u, const struct sink_memory *memory, uint64_t bytes)
{
	uint64_t offset = 0, under_way = 0;
	int32_t result;
	void *tag;
	uint32_t i;

	for (i = 0; offset < bytes || under_way > 0;) {
		if (offset < bytes && under_way < RAW_WRITES) {
			const struct sink_uring_write w = {
				.data = memory->base + (size_t)i * RAW_BYTES,
				.len = RAW_BYTES,
				.offset = offset,
				.buffer = i,
				.direct = true};

			raw_fill(memory->base + (size_t)i * RAW_BYTES);
			CHECK(sink_uring_submit(u, &w) == 0);
			i = (i + 1) % RAW_WRITES;
			offset += RAW_BYTES;
			under_way++;
			continue;
		}
		CHECK(sink_uring_reap(u, true, &tag, &result) && result == (int32_t)RAW_BYTES);
		under_way--;
	}
}

static void
run_raw(const char *path, uint64_t bytes)
{
	const struct sink_file_config cfg = {.path = path, .direct = true};
	struct iovec buffers[RAW_WRITES];
	struct sink_memory memory;
	struct sink_uring u;
	struct sink_path p;
	uint64_t start_ns;
	uint32_t i;

	CHECK(sink_memory_map(&memory, (size_t)RAW_WRITES * RAW_BYTES, -1) == 0);
	for (i = 0; i < RAW_WRITES; i++)
		buffers[i] = (struct iovec){memory.base + (size_t)i * RAW_BYTES, RAW_BYTES};
	if (sink_path_open(&cfg, &p) < 0 || p.fd_direct < 0 ||
		sink_uring_open(&u, &sink_io_system, buffers, RAW_WRITES) < 0) {
		printf("disk, io_uring alone: no O_DIRECT or no io_uring here\n");
		return;
	}
	sink_uring_set_files(&u, p.fd, p.fd_direct);
	start_ns = sink_clock_ns();
	(void)fallocate(p.fd, FALLOC_FL_KEEP_SIZE, 0, (off_t)bytes);
	raw_writes(&u, &memory, bytes);
	printf("%-28s %6.2f GB/s  %s\n", "disk, io_uring alone",
		(double)bytes / (double)(sink_clock_ns() - start_ns),
		memory.huge ? "hugepages" : "ordinary pages");
	/* Else the unlink is carried out later, in the middle of the next measurement. */
	sink_uring_set_files(&u, -1, -1);
	sink_uring_close(&u);
	close(p.fd);
	close(p.fd_direct);
	sink_memory_unmap(&memory);
}

static void
pin_to_last_cpu(void)
{
	int last = (int)sysconf(_SC_NPROCESSORS_ONLN) - 1;
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((size_t)last, &set);
	(void)sched_setaffinity(0, sizeof(set), &set);
}

static void
run_all(const char *directory, uint64_t bytes)
{
	char disk[PATH_BYTES], memory[PATH_BYTES];
	uint32_t round;

	(void)snprintf(disk, sizeof(disk), "%s/bench_sink.%d", directory, (int)getpid());
	(void)snprintf(memory, sizeof(memory), "/dev/shm/bench_sink.%d", (int)getpid());
	run("discard", NULL, SINK_DIGEST_NONE, bytes);
	run("discard, sha-256", NULL, SINK_DIGEST_SHA256, bytes);
	run("discard, xxh3-128", NULL, SINK_DIGEST_XXH3_128, bytes);
	run("tmpfs, new pages", memory, SINK_DIGEST_NONE, bytes / 4);
	run("tmpfs, new pages, sha-256", memory, SINK_DIGEST_SHA256, bytes / 4);
	unlink(memory);
	for (round = 0; round < ROUNDS; round++) {
		run_raw(disk, bytes);
		unlink(disk);
		run("disk", disk, SINK_DIGEST_NONE, bytes);
		unlink(disk);
		run("disk, sha-256", disk, SINK_DIGEST_SHA256, bytes);
		unlink(disk);
	}
}

int
main(int argc, char **argv)
{
	uint64_t bytes = (argc > 2 ? strtoull(argv[2], NULL, 10) : 2) << 30;

	slots = aligned_alloc(4096, (size_t)SLOTS * SLOT_BYTES);
	if (slots == NULL)
		return 1;
	memset(slots, 0x5a, (size_t)SLOTS * SLOT_BYTES);
	pin_to_last_cpu();
	run_all(argc > 1 ? argv[1] : "/var/tmp", bytes);
	free(slots);
	return 0;
}
