/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base_check.h"
#include "sim_apart.h"

/* exit(), not _exit(): a leak checker of the build has its say there. */
static void
run_child(const struct sim_config *cfg, struct sim_outcome *shared)
{
	if (cfg->dump)
		setvbuf(stdout, NULL, _IOLBF, 0); /* all frames before it dies */
	sim_world_run(cfg, shared);
	fflush(stdout);
	exit(0);
}

static int
wait_for(pid_t child)
{
	int status;

	while (waitpid(child, &status, 0) < 0)
		CHECK(errno == EINTR);
	return status;
}

void
sim_apart_run(const struct sim_config *cfg, struct sim_outcome *ret)
{
	struct sim_outcome *shared = mmap(
		NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t child;
	int status;

	CHECK(shared != MAP_FAILED);
	fflush(stdout); /* or the child would print it again */
	child = fork();
	CHECK(child >= 0);
	if (child == 0)
		run_child(cfg, shared);
	status = wait_for(child);
	*ret = *shared;
	munmap(shared, sizeof(*shared));
	if (WIFSIGNALED(status))
		snprintf(ret->failure, sizeof(ret->failure), "the run died of signal %d (%s)",
			WTERMSIG(status), strsignal(WTERMSIG(status)));
	else if (WEXITSTATUS(status) != 0)
		snprintf(ret->failure, sizeof(ret->failure), "the run ended with status %d",
			WEXITSTATUS(status));
}
