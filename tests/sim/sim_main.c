/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sim_apart.h"
#include "sim_goodput.h"
#include "sim_lwip.h"

#define REPEAT_EVERY 50U /* seeds that are run twice: the traces must be equal */

#define EXIT_SKIP 77 /* what meson takes for a skipped test */

struct options {
	uint64_t from, to; /* seeds */
	bool lwip;
	int verbose;
};

static double
seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void
run_world(const struct sim_config *cfg, struct sim_outcome *out)
{
	if (cfg->server == sim_lwip_server())
		sim_apart_run(cfg, out);
	else
		sim_world_run(cfg, out);
}

static bool
run_seed(uint64_t seed, const struct options *o, struct sim_outcome *out)
{
	struct sim_config cfg;
	struct sim_outcome again;
	char text[500];

	sim_case_derive(seed, &cfg);
	sim_case_describe(&cfg, text, sizeof(text));
	cfg.dump = o->verbose > 1;
	if (o->lwip)
		cfg.server = sim_lwip_server();
	run_world(&cfg, out);
	if (out->failure[0] == '\0' && seed % REPEAT_EVERY == 0) {
		run_world(&cfg, &again);
		if (again.trace != out->trace)
			snprintf(out->failure, sizeof(out->failure), "two runs of the seed differ");
	}
	if (o->verbose > 0 || out->failure[0] != '\0')
		printf("seed %" PRIu64 ": %s\n  %" PRIu64 " bytes, %.3f virtual s, %" PRIu64
		       " steps, %" PRIu64 " frames lost, server sent %" PRIu64
		       " again, first code %d\n",
			seed, text, out->bytes, (double)(out->end_ns - cfg.start_ns) / 1e9,
			out->steps, out->lost, out->server_retransmissions, (int)out->code[0]);
	if (out->failure[0] == '\0')
		return true;
	printf("FAILED: %s\nreplay: dpfetch-sim %s--seed %" PRIu64 " -vv\n", out->failure,
		o->lwip ? "--server lwip " : "", seed);
	return false;
}

static int
usage(void)
{
	fputs("usage: dpfetch-sim [--server model|lwip] --seeds FROM..TO | --seed N [-v | -vv]\n"
	      "       dpfetch-sim --goodput-table\n"
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
parse_seeds(const char *text, struct options *o)
{
	const char *dots = strstr(text, "..");

	return dots != NULL && parse_number(text, dots, &o->from) &&
	       parse_number(dots + 2, dots + strlen(dots), &o->to) && o->from <= o->to;
}

static bool
parse_server(const char *text, struct options *o)
{
	o->lwip = strcmp(text, "lwip") == 0;
	return o->lwip || strcmp(text, "model") == 0;
}

/* An option with a value. */
static bool
parse_pair(const char *name, const char *value, struct options *o)
{
	if (strcmp(name, "--server") == 0)
		return parse_server(value, o);
	if (strcmp(name, "--seeds") == 0)
		return parse_seeds(value, o);
	if (strcmp(name, "--seed") != 0 || !parse_number(value, value + strlen(value), &o->from))
		return false;
	o->to = o->from;
	return true;
}

static bool
parse_arguments(int argc, char **argv, struct options *ret)
{
	int i;

	*ret = (struct options){.from = 1, .to = 0};
	for (i = 1; i < argc; i++) {
		if (strcmp(argv[i], "-v") == 0)
			ret->verbose = 1;
		else if (strcmp(argv[i], "-vv") == 0)
			ret->verbose = 2;
		else if (i + 1 == argc || !parse_pair(argv[i], argv[i + 1], ret))
			return false;
		else
			i++;
	}
	return ret->from <= ret->to;
}

static int
run_seeds(const struct options *o)
{
	struct sim_outcome *out = malloc(sizeof(*out));
	uint64_t seed, bytes = 0, lost = 0, again = 0;
	double start = seconds();
	bool good = true;

	if (out == NULL)
		return 1;
	for (seed = o->from; good; seed++) {
		good = run_seed(seed, o, out);
		bytes += out->bytes;
		lost += out->lost;
		again += out->server_retransmissions;
		if (seed == o->to)
			break;
	}
	if (good)
		printf("%" PRIu64 " seeds: %" PRIu64 " bytes exact, %" PRIu64
		       " frames lost, %" PRIu64
		       " segments sent again by the server, all rules kept, %.1f s\n",
			o->to - o->from + 1, bytes, lost, again, seconds() - start);
	free(out);
	return good ? 0 : 1;
}

int
main(int argc, char **argv)
{
	struct options o;

	if (argc == 2 && strcmp(argv[1], "--goodput-table") == 0)
		return sim_goodput_table() ? 0 : 1;
	if (!parse_arguments(argc, argv, &o))
		return usage();
	if (o.lwip && sim_lwip_server() == NULL) {
		fputs("dpfetch-sim: built without liblwip\n", stderr);
		return EXIT_SKIP;
	}
	return run_seeds(&o);
}
