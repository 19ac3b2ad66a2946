/* SPDX-License-Identifier: BSD-3-Clause */
#include <arpa/inet.h>
#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "nic_session.h"
#include "nic_sysfs.h"

#define INODES_MAX 512U
#define LINE_BYTES 512
#define SSH_PORT 22U
#define TCP_STATE_ESTABLISHED 1U /* include/net/tcp_states.h */
#define IPV6_BYTES 16U

/* The sockets of the sshd processes. */
struct inodes {
	unsigned long item[INODES_MAX];
	uint32_t count;
};

struct search {
	const struct nic_system *system;
	struct inodes inodes;
	struct nic_session *session;
	uint32_t count;
};

/* One end of a connection. */
struct end {
	int family; /* 4 or 6 */
	uint8_t address[IPV6_BYTES]; /* network order */
	unsigned int port;
};

static bool
is_number(const char *text)
{
	return text[0] != '\0' && text[strspn(text, "0123456789")] == '\0';
}

static void
add_sockets(struct inodes *list, const char *process)
{
	char folder[NIC_PATH_MAX + 3], path[2 * NIC_PATH_MAX], target[64];
	const struct dirent *entry;
	unsigned long inode;
	ssize_t len;
	DIR *dir;

	(void)snprintf(folder, sizeof(folder), "%s/fd", process);
	dir = opendir(folder);
	if (dir == NULL)
		return;
	while (list->count < INODES_MAX && (entry = readdir(dir)) != NULL) {
		(void)snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		len = readlink(path, target, sizeof(target) - 1);
		if (len <= 0)
			continue;
		target[len] = '\0';
		if (sscanf(target, "socket:[%lu]", &inode) == 1)
			list->item[list->count++] = inode;
	}
	(void)closedir(dir);
}

static void
find_sshd(struct search *s)
{
	char folder[NIC_PATH_MAX], process[NIC_PATH_MAX], name[32];
	const struct dirent *entry;
	DIR *dir;

	nic_system_path(s->system, folder, "/proc");
	dir = opendir(folder);
	if (dir == NULL)
		return;
	while ((entry = readdir(dir)) != NULL) {
		if (!is_number(entry->d_name))
			continue;
		nic_system_path(s->system, process, "/proc/%s", entry->d_name);
		if (nic_sysfs_text(process, "comm", name, sizeof(name)) &&
			(strcmp(name, "sshd") == 0 || strcmp(name, "sshd-session") == 0))
			add_sockets(&s->inodes, process);
	}
	(void)closedir(dir);
}

static bool
is_sshd_socket(const struct inodes *list, unsigned long inode)
{
	uint32_t i;

	for (i = 0; i < list->count; i++) {
		if (list->item[i] == inode)
			return true;
	}
	return false;
}

/* IPv4 in IPv6 is IPv4. */
static void
unmap(struct end *e)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

	if (e->family != 6 || memcmp(e->address, mapped, sizeof(mapped)) != 0)
		return;
	memmove(e->address, e->address + sizeof(mapped), 4);
	e->family = 4;
}

/* "0100007F:0016": 32-bit words, each as the CPU has it. */
static bool
parse_end(const char *text, struct end *ret)
{
	size_t digits = strcspn(text, ":"), i;
	struct end e = {.family = digits == 8 ? 4 : 6};
	char word[9] = "";
	uint32_t value;

	if ((digits != 8 && digits != 2 * IPV6_BYTES) || text[digits] != ':')
		return false;
	for (i = 0; i < digits / 8; i++) {
		memcpy(word, text + 8 * i, 8);
		value = (uint32_t)strtoul(word, NULL, 16);
		memcpy(e.address + 4 * i, &value, sizeof(value));
	}
	e.port = (unsigned int)strtoul(text + digits + 1, NULL, 16);
	unmap(&e);
	*ret = e;
	return true;
}

static bool
is_known(const struct search *s, const struct nic_session *session)
{
	uint32_t i;

	for (i = 0; i < s->count; i++) {
		if (strcmp(s->session[i].interface, session->interface) == 0 &&
			strcmp(s->session[i].peer, session->peer) == 0)
			return true;
	}
	return false;
}

static void
add_session(struct search *s, const struct end *local, const struct end *peer)
{
	const struct nic_system *system = s->system;
	struct nic_session session = {.interface = ""};

	if (s->count >= NIC_SESSIONS_MAX ||
		!system->kernel->address_owner(
			system->ctx, local->family, local->address, session.interface) ||
		strcmp(session.interface, "lo") == 0 ||
		inet_ntop(peer->family == 4 ? AF_INET : AF_INET6, peer->address, session.peer,
			sizeof(session.peer)) == NULL ||
		is_known(s, &session))
		return;
	s->session[s->count++] = session;
}

/* /proc/net/tcp: sl local remote st tx_queue:rx_queue tr:tm->when retrnsmt uid timeout inode */
static void
take_line(struct search *s, const char *line)
{
	char local_text[48], peer_text[48];
	struct end local, peer;
	unsigned long inode;
	unsigned int state;

	if (sscanf(line, "%*d: %47s %47s %x %*s %*s %*s %*u %*d %lu", local_text, peer_text, &state,
		    &inode) != 4 ||
		state != TCP_STATE_ESTABLISHED || !parse_end(local_text, &local) ||
		!parse_end(peer_text, &peer))
		return;
	if (local.port == SSH_PORT || is_sshd_socket(&s->inodes, inode))
		add_session(s, &local, &peer);
}

static void
read_table(struct search *s, const char *name)
{
	char path[NIC_PATH_MAX], line[LINE_BYTES];
	FILE *file;

	nic_system_path(s->system, path, "/proc/net/%s", name);
	file = fopen(path, "re");
	if (file == NULL)
		return;
	while (fgets(line, sizeof(line), file) != NULL)
		take_line(s, line);
	(void)fclose(file);
}

static bool
parse_address(const char *text, struct end *ret)
{
	struct end e = {.family = 4};

	if (inet_pton(AF_INET, text, e.address) != 1) {
		e.family = 6;
		if (inet_pton(AF_INET6, text, e.address) != 1)
			return false;
		unmap(&e);
	}
	*ret = e;
	return true;
}

static void
take_variable(struct search *s, const char *text)
{
	char local_text[48], peer_text[48];
	struct end local, peer;

	if (sscanf(text, "%47s %*u %47s", peer_text, local_text) != 2)
		return;
	local_text[strcspn(local_text, "%")] = '\0'; /* a link-local address's interface */
	peer_text[strcspn(peer_text, "%")] = '\0';
	if (parse_address(local_text, &local) && parse_address(peer_text, &peer))
		add_session(s, &local, &peer);
}

uint32_t
nic_sessions_find(const struct nic_system *s, const char *ssh_connection,
	struct nic_session ret[NIC_SESSIONS_MAX])
{
	struct search search = {.system = s, .session = ret};

	if (ssh_connection != NULL)
		take_variable(&search, ssh_connection);
	find_sshd(&search);
	read_table(&search, "tcp");
	read_table(&search, "tcp6");
	return search.count;
}
