/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A body to a file on a real disk, with nothing but our own code before it: RX burst, netstack, TCP, HTTP
 * and the file writer, fed by a modelled server that always has more than the disk takes. The poll core
 * takes turns with the server, so that what is measured of an iteration is our own; the writer thread
 * has the other CPU.
 *
 *   bench_disk FILE [GIB [CPU-OF-US [CPU-OF-WRITER]]]
 *
 * Prints Gb/s, and how long the poll loop's busy iterations took: a slow disk must not show there.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "in_process.h"
#include "sink_file.h"

static double
iteration_us(const struct in_process *o, double percent)
{
	return (double)histogram_percentile(&o->worker.iteration, percent) * 1e6 /
	       (double)port_cycles_hz();
}

static void
report(const struct in_process *o, const struct sink_file_info *info, double seconds)
{
	const struct histogram *h = &o->worker.iteration;

	printf("%.2f Gb/s to disk (%s), %" PRIu64
	       " bytes, %.3f s; the writer waited %.0f %% for the disk; "
	       "%" PRIu64 " busy iterations p50 %.2f p99 %.2f p99.9 %.2f max %.2f us\n",
		(double)info->bytes_written * 8 / seconds / 1e9, sink_method_name(info->method),
		info->bytes_written, seconds, 100.0 * (double)info->stall_ns / 1e9 / seconds,
		h->count, iteration_us(o, 50), iteration_us(o, 99), iteration_us(o, 99.9),
		iteration_us(o, 100));
}

/* Until the last byte is with the kernel. */
static double
take_turns(struct in_process *o)
{
	uint64_t start_ns = port_clock_ns();

	while (!o->over) {
		model_server_turn(&o->server);
		in_process_run_for(o, 0);
	}
	return (double)(port_clock_ns() - start_ns) / 1e9;
}

int
main(int argc, char **argv)
{
	const struct sink_config config = {
		.writer_cpu = argc > 4 ? atoi(argv[4]) : 0, .numa_node = -1};
	struct sink_file_config file = {.direct = true};
	static struct in_process in;
	struct sink_file_info info;
	struct sink_file *f = NULL;
	struct sink *s = NULL;
	double seconds;

	in_process_check(argc > 1, "usage: bench_disk FILE [GIB [CPU-OF-US [CPU-OF-WRITER]]]: it");
	file.path = argv[1];
	in.server.run = MODEL_SERVER_BURST;
	in.server.body_bytes = (argc > 2 ? strtoull(argv[2], NULL, 10) : 1) << 30;
	in_process_create(&in, argv[0], argc > 3 ? atoi(argv[3]) : 1, config.writer_cpu, 1);
	in_process_check(sink_create(&config, &s) == 0 && sink_file_open(s, &file, &f) == 0,
		"opening the file");
	in_process_fetch(&in, &sink_file_ops, f);
	seconds = take_turns(&in);
	sink_file_info(f, &info);
	in_process_check(
		info.error == 0 && info.bytes_written == in.server.body_bytes, "writing the file");
	report(&in, &info, seconds);
	sink_file_close(f);
	in_process_end(&in);
	sink_destroy(s);
	return 0;
}
