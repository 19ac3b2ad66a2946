/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
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
run_seed(uint64_t seed, int verbose, struct sim_outcome *out)
{
	struct sim_config cfg;
	struct sim_outcome again;
	char text[400];

	sim_case_derive(seed, &cfg);
	sim_case_describe(&cfg, text, sizeof(text));
	cfg.dump = verbose > 1;
	sim_world_run(&cfg, out);
	if (out->failure[0] == '\0' && seed % REPEAT_EVERY == 0) {
		sim_world_run(&cfg, &again);
		if (again.trace != out->trace)
			snprintf(out->failure, sizeof(out->failure), "two runs of the seed differ");
	}
	if (verbose > 0 || out->failure[0] != '\0')
		printf("seed %" PRIu64 ": %s\n  %" PRIu64 " bytes, %.3f virtual s, %" PRIu64
		       " steps, %" PRIu64 " frames lost, server sent %" PRIu64
		       " again, first code %d\n",
			seed, text, out->bytes, (double)(out->end_ns - cfg.start_ns) / 1e9,
			out->steps, out->lost, out->server_retransmissions, (int)out->code[0]);
	if (out->failure[0] == '\0')
		return true;
	printf("FAILED: %s\nreplay: dpfetch-sim --seed %" PRIu64 " -vv\n", out->failure, seed);
	return false;
}

static int
usage(void)
{
	fputs("usage: dpfetch-sim --seeds FROM..TO | --seed N [-v | -vv]\n"
	      "  -v   tell each seed's case and what came of it\n"
	      "  -vv  and print each frame as the client sees it\n",
		stderr);
	return 2;
}

/* A whole number and nothing else up to `end`. */
static bool
parse_number(const char *text, const char *end, uint64_t *ret)
{
	char *stop;

	errno = 0;
	if (text == end || *text < '0' || *text > '9')
		return false;
	*ret = strtoull(text, &stop, 10);
	return errno == 0 && stop == end;
}

static bool
parse_arguments(int argc, char **argv, uint64_t *ret_from, uint64_t *ret_to, int *ret_verbose)
{
	const char *dots;

	if (argc != 3 && argc != 4)
		return false;
	*ret_verbose = 0;
	if (argc == 4) {
		if (strcmp(argv[3], "-v") != 0 && strcmp(argv[3], "-vv") != 0)
			return false;
		*ret_verbose = (int)strlen(argv[3]) - 1;
	}
	if (strcmp(argv[1], "--seed") == 0) {
		if (!parse_number(argv[2], argv[2] + strlen(argv[2]), ret_from))
			return false;
		*ret_to = *ret_from;
		return true;
	}
	dots = strstr(argv[2], "..");
	return strcmp(argv[1], "--seeds") == 0 && dots != NULL &&
	       parse_number(argv[2], dots, ret_from) &&
	       parse_number(dots + 2, dots + strlen(dots), ret_to) && *ret_from <= *ret_to;
}

int
main(int argc, char **argv)
{
	uint64_t from, to, seed, bytes = 0, lost = 0, again = 0;
	struct sim_outcome *out;
	double start = seconds();
	bool good = true;
	int verbose;

	if (!parse_arguments(argc, argv, &from, &to, &verbose))
		return usage();
	out = malloc(sizeof(*out));
	if (out == NULL)
		return 1;
	for (seed = from; good; seed++) {
		good = run_seed(seed, verbose, out);
		bytes += out->bytes;
		lost += out->lost;
		again += out->server_retransmissions;
		if (seed == to)
			break;
	}
	if (good)
		printf("%" PRIu64 " seeds: %" PRIu64 " bytes exact, %" PRIu64
		       " frames lost, %" PRIu64
		       " segments sent again by the server, all rules kept, %.1f s\n",
			to - from + 1, bytes, lost, again, seconds() - start);
	free(out);
	return good ? 0 : 1;
}
