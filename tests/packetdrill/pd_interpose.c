/* SPDX-License-Identifier: BSD-3-Clause */
#include <dlfcn.h>
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/times.h>

#include "base_compiler.h"
#include "pd.h"

/*
 * Where packetdrill goes to the system past its interface. The runner preloads this module, so that
 * these come before libc's:
 *   system       a script's shell commands would change this host's settings; none is run. The
 *                checking of %{ }% code by Python is let through.
 *   getsockopt   %{ }% code asks for TCP_INFO directly.
 *   times, sched_setscheduler, mlockall: preparations for real time, of which there is none here.
 *
 * An interposed function gets no userdata: hence the one global of the module.
 */
static struct pd *instance;

typedef int (*system_fn)(const char *);
typedef int (*getsockopt_fn)(int, int, int, void *, socklen_t *);

void
pd_interpose_begin(struct pd *p)
{
	instance = p;
	unsetenv("LD_PRELOAD"); /* for packetdrill alone, not for the Python that it starts */
}

/* libc's own; POSIX has dlsym's pointer stand for a function, ISO C does not. */
static void *
next_symbol(const char *name)
{
	return dlsym(RTLD_NEXT, name);
}

static bool
begins(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

/* sockstat ... | grep -c STATE | grep N: does the stack have N connections in this state? */
static int
check_sockstat(const struct pd *p, const char *command)
{
	static const struct {
		const char *word;
		enum pd_state state;
	} states[] = {
		{"SYN_RCVD", PD_SYN_RECEIVED}, {"TIME_WAIT", PD_TIME_WAIT}, {"CLOSED", PD_CLOSED}};
	const char *count = strrchr(command, ' ');
	size_t i;

	for (i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		if (strstr(command, states[i].word) == NULL || count == NULL)
			continue;
		return (uint32_t)atoi(count) == pd_stack_count(p->stack, states[i].state) ? 0 : 1;
	}
	return 1;
}

int
system(const char *command)
{
	system_fn next;
	void *symbol = next_symbol("system");
	int status;

	memcpy(&next, &symbol, sizeof(next));
	if (instance == NULL || command == NULL || begins(command, "python3 /tmp/code_"))
		return next(command);
	pthread_mutex_lock(&instance->lock);
	if (begins(command, "sockstat "))
		status = check_sockstat(instance, command);
	else
		status = pd_settings_command(&instance->settings, command) == 0 ? 0 : 127;
	pthread_mutex_unlock(&instance->lock);
	return status << 8; /* as wait(2) encodes an exit status */
}

int
getsockopt(int fd, int level, int name, void *restrict value, socklen_t *restrict len)
{
	getsockopt_fn next;
	void *symbol = next_symbol("getsockopt");
	struct pd_socket *s;
	int result;

	memcpy(&next, &symbol, sizeof(next));
	if (instance == NULL)
		return next(fd, level, name, value, len);
	pthread_mutex_lock(&instance->lock);
	s = pd_socket_find(instance, fd);
	result = s == NULL ? 1 : pd_option_get(instance, s, level, name, value, len);
	pthread_mutex_unlock(&instance->lock);
	if (result > 0)
		return next(fd, level, name, value, len);
	errno = result < 0 ? -result : errno;
	return result < 0 ? -1 : 0;
}

/* packetdrill waits for ten ticks of this clock before a script. */
clock_t
times(struct tms *buffer)
{
	static clock_t ticks;

	if (buffer != NULL)
		memset(buffer, 0, sizeof(*buffer));
	return ++ticks;
}

int
sched_setscheduler(pid_t pid, int policy, const struct sched_param *param)
{
	(void)pid;
	(void)policy;
	(void)param;
	errno = EPERM;
	return -1;
}

int
mlockall(int flags)
{
	(void)flags;
	return 0;
}
