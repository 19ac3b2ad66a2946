/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_telemetry.h>

#include "port_priv.h"
#include "port_telemetry.h"

#define FDS_MAX 1024U /* the EAL's socket is among the first; this bounds the search */

struct port_telemetry_answer {
	struct rte_tel_data *data;
};

/*
 * The one piece of global state. DPDK's callbacks get no context (rte_telemetry_register_cmd), and
 * with one (rte_telemetry_register_cmd_arg, DPDK 24.11) it could not be let go, because a command can
 * never be taken back. The lock is DPDK's threads' and that of who opens and closes; the poll core
 * never takes it while it polls.
 */
static struct {
	pthread_mutex_t lock;
	const struct port_telemetry_endpoint *endpoint; /* NULL: closed */
	uint32_t count;
	void *ctx;
	bool used; /* the commands are DPDK's for good */
} telemetry = {.lock = PTHREAD_MUTEX_INITIALIZER};

void
port_telemetry_add_number(struct port_telemetry_answer *a, const char *name, uint64_t value)
{
	rte_tel_data_add_dict_u64(a->data, name, value);
}

void
port_telemetry_add_text(struct port_telemetry_answer *a, const char *name, const char *value)
{
	char text[RTE_TEL_MAX_STRING_LEN];
	size_t i;

	snprintf(text, sizeof(text), "%s", value);
	for (i = 0; text[i] != '\0'; i++) {
		if (text[i] < ' ' || text[i] > '~')
			text[i] = '?'; /* half a UTF-8 sequence would spoil the JSON */
	}
	rte_tel_data_add_dict_string(a->data, name, text);
}

/* The callback of all commands. */
static int
answer(const char *command, const char *params, struct rte_tel_data *data)
{
	struct port_telemetry_answer a = {data};
	const struct port_telemetry_endpoint *e = NULL;
	uint32_t i;

	(void)params;
	pthread_mutex_lock(&telemetry.lock);
	for (i = 0; telemetry.endpoint != NULL && i < telemetry.count; i++) {
		if (strcmp(telemetry.endpoint[i].command, command) == 0)
			e = &telemetry.endpoint[i];
	}
	if (e != NULL) {
		rte_tel_data_start_dict(data);
		e->answer(telemetry.ctx, &a);
	}
	pthread_mutex_unlock(&telemetry.lock);
	return e != NULL ? 0 : -ENOENT;
}

static bool
set_endpoints(const struct port_telemetry_endpoint *endpoint, uint32_t count, void *ctx)
{
	bool was_used;

	pthread_mutex_lock(&telemetry.lock);
	was_used = telemetry.used;
	if (!was_used) {
		telemetry.endpoint = endpoint;
		telemetry.count = count;
		telemetry.ctx = ctx;
		telemetry.used = true;
	}
	pthread_mutex_unlock(&telemetry.lock);
	return !was_used;
}

int
port_telemetry_open(const struct port_telemetry_endpoint *endpoint, uint32_t count, void *ctx)
{
	uint32_t i;
	int rc = 0;

	if (!set_endpoints(endpoint, count, ctx))
		return -EALREADY;
	for (i = 0; rc == 0 && i < count; i++)
		rc = rte_telemetry_register_cmd(endpoint[i].command, answer, endpoint[i].help);
	if (rc != 0)
		port_telemetry_close();
	return rc;
}

void
port_telemetry_close(void)
{
	pthread_mutex_lock(&telemetry.lock);
	telemetry.endpoint = NULL;
	pthread_mutex_unlock(&telemetry.lock);
}

/* -- The socket, which is DPDK's. -- */

/* Is fd a socket in the EAL's folder? Then its path is in ret. */
static bool
is_in_runtime_dir(int fd, struct sockaddr_un *ret)
{
	const char *dir = rte_eal_get_runtime_dir();
	size_t len = strlen(dir);
	socklen_t bytes = sizeof(*ret);

	memset(ret, 0, sizeof(*ret));
	return len > 0 && getsockname(fd, (struct sockaddr *)ret, &bytes) == 0 &&
	       ret->sun_family == AF_UNIX && strncmp(ret->sun_path, dir, len) == 0 &&
	       ret->sun_path[len] == '/';
}

bool
port_telemetry_socket(char *buf, size_t room)
{
	struct sockaddr_un address;
	int fd;

	for (fd = 0; fd < (int)FDS_MAX; fd++) {
		if (is_in_runtime_dir(fd, &address) &&
			strstr(address.sun_path, "telemetry") != NULL)
			return snprintf(buf, room, "%.*s", (int)sizeof(address.sun_path),
				       address.sun_path) < (int)room;
	}
	return false;
}

void
port_telemetry_remove_socket(void)
{
	char path[PORT_TELEMETRY_PATH_MAX];

	if (port_telemetry_socket(path, sizeof(path)))
		unlink(path);
}

void
port_telemetry_prefix(char *buf, size_t room)
{
	snprintf(buf, room, "dpfetch-%d", (int)getpid());
}

void
port_telemetry_remove_dir(void)
{
	const char *dir = rte_eal_get_runtime_dir(), *name = strrchr(dir, '/');
	char ours[PORT_TELEMETRY_PREFIX_MAX];

	port_telemetry_prefix(ours, sizeof(ours));
	if (name != NULL && strcmp(name + 1, ours) == 0)
		rmdir(dir);
}
