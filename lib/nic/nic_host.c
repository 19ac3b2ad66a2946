/* SPDX-License-Identifier: BSD-3-Clause */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <ifaddrs.h>
#include <limits.h>
#include <numa.h>
#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <linux/capability.h>

#include "nic_info.h"
#include "nic_sysfs.h"

#define EFFECTIVE "CapEff:"
#define HUGEPAGES "hugepages-" /* folders "hugepages-2048kB" */

/* Is a the address of len bytes at `address`, in network order? */
static bool
is_address(const struct sockaddr *a, sa_family_t family, const void *address, size_t len)
{
	size_t at = family == AF_INET ? offsetof(struct sockaddr_in, sin_addr)
				      : offsetof(struct sockaddr_in6, sin6_addr);

	return a != NULL && a->sa_family == family &&
	       memcmp((const char *)a + at, address, len) == 0;
}

static int
kernel_owns(sa_family_t family, const void *address, size_t len, char *ret_interface)
{
	struct ifaddrs *list, *at;

	if (getifaddrs(&list) != 0)
		return -errno;
	for (at = list; at != NULL && !is_address(at->ifa_addr, family, address, len);)
		at = at->ifa_next;
	if (at != NULL)
		(void)snprintf(ret_interface, NIC_NAME_MAX, "%s", at->ifa_name);
	freeifaddrs(list);
	return at != NULL;
}

int
nic_kernel_owns_address(uint32_t address, char *ret_interface)
{
	uint32_t on_the_wire = htonl(address);

	return kernel_owns(AF_INET, &on_the_wire, sizeof(on_the_wire), ret_interface);
}

int
nic_kernel_owns_address6(const uint8_t address[16], char *ret_interface)
{
	return kernel_owns(AF_INET6, address, 16, ret_interface);
}

int
nic_cpu_node(int cpu)
{
	return numa_available() < 0 ? -1 : numa_node_of_cpu(cpu);
}

static bool
is_taken(int cpu, const int *taken, uint32_t count)
{
	uint32_t i;

	for (i = 0; i < count; i++) {
		if (taken[i] == cpu)
			return true;
	}
	return false;
}

int
nic_cpu_choose(int node)
{
	return nic_cpu_choose_beside(node, NULL, 0);
}

int
nic_cpu_choose_beside(int node, const int *taken, uint32_t count)
{
	cpu_set_t set;
	int cpu, any = -1;

	if (sched_getaffinity(0, sizeof(set), &set) != 0)
		return -1;
	for (cpu = CPU_SETSIZE - 1; cpu >= 0; cpu--) {
		if (!CPU_ISSET((size_t)cpu, &set) || is_taken(cpu, taken, count))
			continue;
		if (node < 0 || nic_cpu_node(cpu) == node)
			return cpu;
		if (any < 0)
			any = cpu;
	}
	return any;
}

/* As proc(5) has it: 64 bits in hexadecimal. */
static bool
has_capability(unsigned int number)
{
	FILE *file = fopen("/proc/self/status", "re");
	unsigned long long set = 0;
	char line[128];

	if (file == NULL)
		return false;
	while (fgets(line, sizeof(line), file) != NULL) {
		if (strncmp(line, EFFECTIVE, strlen(EFFECTIVE)) == 0)
			set = strtoull(line + strlen(EFFECTIVE), NULL, 16);
	}
	(void)fclose(file);
	return (set >> number & 1U) != 0;
}

bool
nic_memlock_limit(uint64_t *ret_bytes)
{
	struct rlimit limit;

	if (has_capability(CAP_IPC_LOCK) || getrlimit(RLIMIT_MEMLOCK, &limit) != 0 ||
		limit.rlim_cur == RLIM_INFINITY)
		return false;
	*ret_bytes = limit.rlim_cur;
	return true;
}

int
nic_cpu_allowed_count(void)
{
	cpu_set_t set;

	return sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;
}

/* Free bytes of every page size under one hugepages folder. */
static uint64_t
sum_free(const char *folder)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;
	char path[PATH_MAX];
	uint64_t total = 0;

	if (dir == NULL)
		return 0;
	while ((entry = readdir(dir)) != NULL) {
		if (strncmp(entry->d_name, HUGEPAGES, strlen(HUGEPAGES)) != 0)
			continue;
		(void)snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		total += (uint64_t)nic_sysfs_number(path, "free_hugepages", 0) *
			 strtoull(entry->d_name + strlen(HUGEPAGES), NULL, 10) * 1024U;
	}
	closedir(dir);
	return total;
}

uint64_t
nic_hugepages_free(int node)
{
	char folder[PATH_MAX];

	if (node < 0)
		return sum_free("/sys/kernel/mm/hugepages");
	(void)snprintf(folder, sizeof(folder), "/sys/devices/system/node/node%d/hugepages", node);
	return sum_free(folder);
}
