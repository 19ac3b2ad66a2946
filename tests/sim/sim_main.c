/* SPDX-License-Identifier: BSD-3-Clause */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sim_world.h"

#define REPEAT_EVERY 50U /* seeds that are run twice: the traces must be equal */

static double
seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static bool
run_seed(uint64_t seed, bool verbose, struct sim_outcome *out)
{
	struct sim_config cfg;
	struct sim_outcome again;
	char text[400];

	sim_case_derive(seed, &cfg);
	sim_case_describe(&cfg, text, sizeof(text));
	sim_world_run(&cfg, out);
	if (out->failure[0] == '\0' && seed % REPEAT_EVERY == 0) {
		sim_world_run(&cfg, &again);
		if (again.trace != out->trace)
			snprintf(out->failure, sizeof(out->failure), "two runs of the seed differ");
	}
	if (verbose || out->failure[0] != '\0')
		printf("seed %" PRIu64 ": %s\n  %" PRIu64 " bytes, %.3f virtual s, %" PRIu64
		       " steps, %" PRIu64 " frames lost, server sent %" PRIu64
		       " again, first code %d\n",
			seed, text, out->bytes, (double)(out->end_ns - cfg.start_ns) / 1e9,
			out->steps, out->lost, out->server_retransmissions, (int)out->code[0]);
	if (out->failure[0] == '\0')
		return true;
	printf("FAILED: %s\nreplay: dpfetch-sim --seed %" PRIu64 " -v\n", out->failure, seed);
	return false;
}

static int
usage(void)
{
	fputs("usage: dpfetch-sim --seeds FROM..TO | --seed N [-v]\n", stderr);
	return 2;
}

int
main(int argc, char **argv)
{
	struct sim_outcome *out = malloc(sizeof(*out));
	uint64_t from = 0, to = 0, seed, bytes = 0, lost = 0, again = 0;
	bool verbose = argc == 4 && strcmp(argv[3], "-v") == 0;
	double start = seconds();

	if (argc < 3 || out == NULL)
		return usage();
	if (strcmp(argv[1], "--seeds") == 0 &&
		sscanf(argv[2], "%" SCNu64 "..%" SCNu64, &from, &to) != 2)
		return usage();
	if (strcmp(argv[1], "--seed") == 0)
		from = to = strtoull(argv[2], NULL, 10);
	for (seed = from; seed <= to; seed++) {
		if (!run_seed(seed, verbose, out)) {
			free(out);
			return 1;
		}
		bytes += out->bytes;
		lost += out->lost;
		again += out->server_retransmissions;
	}
	printf("%" PRIu64 " seeds: %" PRIu64 " bytes exact, %" PRIu64 " frames lost, %" PRIu64
	       " segments sent again by the server, %.1f s\n",
		to - from + 1, bytes, lost, again, seconds() - start);
	free(out);
	return 0;
}
