/* SPDX-License-Identifier: BSD-3-Clause */
#include <dirent.h>
#include <glob.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base_bytes.h"
#include "base_time.h"
#include "machine.h"

#define PROCESSES_MAX 4096U /* of a server; more are not counted */
#define PATH_ROOM 128U
#define LINE_ROOM 4096U
#define GOVERNORS "/sys/devices/system/cpu/cpu*/cpufreq/scaling_governor"

static uint64_t
ticks_to_ns(uint64_t ticks)
{
	return ticks * (NS_PER_SEC / (uint64_t)sysconf(_SC_CLK_TCK));
}

/* "cpu0 user nice system idle iowait irq softirq steal ...", proc_stat(5). */
static bool
parse_cpu(const char *line, struct machine_sample *s)
{
	uint64_t user, nice, system, idle, iowait, irq, softirq, steal;
	uint32_t cpu;

	if (sscanf(line,
		    "cpu%" SCNu32 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64
		    " %" SCNu64 " %" SCNu64 " %" SCNu64,
		    &cpu, &user, &nice, &system, &idle, &iowait, &irq, &softirq, &steal) != 9 ||
		cpu >= MACHINE_CPUS_MAX)
		return false;
	s->cpu[cpu] = (struct machine_cpu){
		.user_ns = ticks_to_ns(user + nice),
		.system_ns = ticks_to_ns(system),
		.softirq_ns = ticks_to_ns(irq + softirq),
		.steal_ns = ticks_to_ns(steal),
		.idle_ns = ticks_to_ns(idle + iowait),
	};
	s->cpus = MAX_OF(s->cpus, cpu + 1U);
	return true;
}

static void
sample_cpus(struct machine_sample *s)
{
	FILE *file = fopen("/proc/stat", "re");
	char line[LINE_ROOM];

	if (file == NULL)
		return;
	while (fgets(line, sizeof(line), file) != NULL) {
		if (strncmp(line, "cpu", 3) == 0)
			(void)parse_cpu(line, s);
	}
	fclose(file);
}

/* Reads one line, or all up to room. */
static bool
read_text(const char *path, char *buf, size_t room)
{
	FILE *file = fopen(path, "re");
	size_t len;

	if (file == NULL)
		return false;
	len = fread(buf, 1, room - 1, file);
	buf[len] = '\0';
	fclose(file);
	return true;
}

/* Fields 14 and 15 of proc_pid_stat(5): behind the name, which may hold anything. */
static uint64_t
process_cpu_ns(pid_t pid)
{
	char path[PATH_ROOM], text[LINE_ROOM];
	const char *at;
	uint64_t user, system;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	if (!read_text(path, text, sizeof(text)) || (at = strrchr(text, ')')) == NULL)
		return 0;
	if (sscanf(at + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %" SCNu64 " %" SCNu64,
		    &user, &system) != 2)
		return 0;
	return ticks_to_ns(user + system);
}

/* proc_pid_children(5): those that this thread has forked. */
static void
add_children_of_thread(pid_t pid, long thread, pid_t *list, uint32_t *count)
{
	char path[PATH_ROOM], text[LINE_ROOM * 8];
	char *at, *end;
	long child;

	snprintf(path, sizeof(path), "/proc/%d/task/%ld/children", (int)pid, thread);
	if (!read_text(path, text, sizeof(text)))
		return;
	for (at = text; *count < PROCESSES_MAX; at = end) {
		child = strtol(at, &end, 10);
		if (end == at || child <= 0)
			return;
		list[(*count)++] = (pid_t)child;
	}
}

/* The children of each thread of pid. */
static void
add_children(pid_t pid, pid_t *list, uint32_t *count)
{
	char path[PATH_ROOM];
	struct dirent *entry;
	DIR *threads;
	long thread;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	threads = opendir(path);
	if (threads == NULL)
		return;
	while ((entry = readdir(threads)) != NULL) {
		thread = strtol(entry->d_name, NULL, 10);
		if (thread > 0) /* not . and .. */
			add_children_of_thread(pid, thread, list, count);
	}
	closedir(threads);
}

/* pid and all below it. Returns how many; the caller frees *ret. */
static uint32_t
family_of(pid_t pid, pid_t **ret)
{
	pid_t *list = calloc(PROCESSES_MAX, sizeof(*list));
	uint32_t count = 0, i;

	*ret = list;
	if (list == NULL || !machine_process_exists(pid))
		return 0;
	list[count++] = pid;
	for (i = 0; i < count; i++)
		add_children(list[i], list, &count);
	return count;
}

/* "Tcp: names\nTcp: values\n" of /proc/PID/net/snmp. */
static uint64_t
namespace_retransmits(pid_t pid)
{
	char path[PATH_ROOM], text[LINE_ROOM * 4];
	char *names, *values, *name, *value, *save_names = NULL, *save_values = NULL;

	snprintf(path, sizeof(path), "/proc/%d/net/snmp", (int)pid);
	if (!read_text(path, text, sizeof(text)) || (names = strstr(text, "\nTcp: ")) == NULL ||
		(values = strstr(names + 1, "\nTcp: ")) == NULL)
		return 0;
	*values++ = '\0';
	values[strcspn(values, "\n")] = '\0';
	name = strtok_r(names, " \n", &save_names);
	value = strtok_r(values, " \n", &save_values);
	for (; name != NULL && value != NULL; name = strtok_r(NULL, " \n", &save_names),
					      value = strtok_r(NULL, " \n", &save_values)) {
		if (strcmp(name, "RetransSegs") == 0)
			return strtoull(value, NULL, 10);
	}
	return 0;
}

static void
sample_server(struct machine_sample *s, pid_t server)
{
	pid_t *list;
	uint32_t count = family_of(server, &list), i;

	s->server = count > 0;
	for (i = 0; i < count; i++)
		s->server_cpu_ns += process_cpu_ns(list[i]);
	if (count > 0)
		s->server_retransmits = namespace_retransmits(server);
	free(list);
}

static bool
interface_figure(const char *interface, const char *name, uint64_t *ret)
{
	char path[PATH_ROOM + 64], text[64];

	snprintf(path, sizeof(path), "/sys/class/net/%.15s/statistics/%s", interface, name);
	if (strchr(interface, '/') != NULL || !read_text(path, text, sizeof(text)))
		return false;
	*ret = strtoull(text, NULL, 10);
	return true;
}

static void
sample_interface(struct machine_sample *s, const char *interface)
{
	s->interface = interface_figure(interface, "rx_packets", &s->rx_frames) &&
		       interface_figure(interface, "rx_bytes", &s->rx_bytes) &&
		       interface_figure(interface, "tx_packets", &s->tx_frames) &&
		       interface_figure(interface, "tx_bytes", &s->tx_bytes);
}

void
machine_sample_take(struct machine_sample *ret, pid_t server, const char *interface)
{
	*ret = (struct machine_sample){0};
	sample_cpus(ret);
	if (server > 0)
		sample_server(ret, server);
	if (interface != NULL)
		sample_interface(ret, interface);
}

void
machine_sample_subtract(struct machine_sample *s, const struct machine_sample *earlier)
{
	uint32_t i;

	for (i = 0; i < s->cpus; i++) {
		s->cpu[i].user_ns -= earlier->cpu[i].user_ns;
		s->cpu[i].system_ns -= earlier->cpu[i].system_ns;
		s->cpu[i].softirq_ns -= earlier->cpu[i].softirq_ns;
		s->cpu[i].steal_ns -= earlier->cpu[i].steal_ns;
		s->cpu[i].idle_ns -= MIN_OF(earlier->cpu[i].idle_ns, s->cpu[i].idle_ns);
	}
	s->server = s->server && earlier->server;
	/* Children that ended meanwhile took their time along. */
	s->server_cpu_ns -= MIN_OF(earlier->server_cpu_ns, s->server_cpu_ns);
	s->server_retransmits -= earlier->server_retransmits;
	s->interface = s->interface && earlier->interface;
	s->rx_frames -= earlier->rx_frames;
	s->rx_bytes -= earlier->rx_bytes;
	s->tx_frames -= earlier->tx_frames;
	s->tx_bytes -= earlier->tx_bytes;
}

uint64_t
machine_cpu_busy_ns(const struct machine_cpu *c)
{
	return c->user_ns + c->system_ns + c->softirq_ns;
}

bool
machine_process_may_use(pid_t pid, int cpu)
{
	pid_t *list;
	uint32_t count = family_of(pid, &list), i;
	cpu_set_t set;
	bool may = false;

	for (i = 0; i < count && cpu >= 0 && cpu < CPU_SETSIZE; i++) {
		/* A master that only waits for its workers may be anywhere. */
		if (count > 1 && list[i] == pid)
			continue;
		if (sched_getaffinity(list[i], sizeof(set), &set) == 0 &&
			CPU_ISSET((size_t)cpu, &set))
			may = true;
	}
	free(list);
	return may;
}

bool
machine_process_exists(pid_t pid)
{
	char path[PATH_ROOM];

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	return access(path, R_OK) == 0;
}

void
machine_first_line(const char *path, char *buf, size_t room)
{
	FILE *file = fopen(path, "re");

	buf[0] = '\0';
	if (file == NULL)
		return;
	if (fgets(buf, (int)room, file) != NULL)
		buf[strcspn(buf, "\n")] = '\0';
	fclose(file);
}

void
machine_cpu_model(char *buf, size_t room)
{
	FILE *file = fopen("/proc/cpuinfo", "re");
	char line[LINE_ROOM];
	const char *at;

	snprintf(buf, room, "unknown");
	while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
		if (strncmp(line, "model name", 10) != 0 || (at = strstr(line, ": ")) == NULL)
			continue;
		snprintf(buf, room, "%.*s", (int)strcspn(at + 2, "\n"), at + 2);
		break;
	}
	if (file != NULL)
		fclose(file);
}

void
machine_governor(char *buf, size_t room)
{
	glob_t found = {0};

	snprintf(buf, room, "none");
	if (glob(GOVERNORS, 0, NULL, &found) == 0 && found.gl_pathc > 0)
		machine_first_line(found.gl_pathv[0], buf, room);
	globfree(&found);
}
