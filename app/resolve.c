/* SPDX-License-Identifier: BSD-3-Clause */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <nss.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "exit_code.h"
#include "resolve.h"

#define SERVER_TEXT_LEN (IP_ADDRESS_TEXT_LEN + 18U) /* with brackets and a zone */

/* One HOST:PORT:ADDRESS. */
struct resolve_entry {
	char host[256];
	uint16_t port;
	struct ip_address address;
};

/* An address; of IPv6 in brackets, as in a URL, or without. A zone is dropped: there is one port. */
static int
parse_literal(const char *text, struct ip_address *ret)
{
	char bare[IP_ADDRESS_TEXT_LEN];
	const char *end;
	size_t len;

	if (text[0] != '[')
		return ip_address_parse(text, ret);
	len = strcspn(++text, "]%");
	end = strchr(text, ']');
	if (len >= sizeof(bare) || end == NULL || end[1] != '\0')
		return -EINVAL;
	memcpy(bare, text, len);
	bare[len] = '\0';
	return ip_address_parse(bare, ret);
}

static int
parse_entry(const char *text, struct resolve_entry *ret)
{
	const char *port = strchr(text, ':');
	const char *address = port != NULL ? strchr(port + 1, ':') : NULL;
	char *end;
	unsigned long number;

	if (address == NULL || port == text || (size_t)(port - text) >= sizeof(ret->host))
		return -EINVAL;
	number = strtoul(port + 1, &end, 10);
	if (end != address || number == 0 || number > UINT16_MAX)
		return -EINVAL;
	if (parse_literal(address + 1, &ret->address) != 0)
		return -EINVAL;
	memcpy(ret->host, text, (size_t)(port - text));
	ret->host[port - text] = '\0';
	ret->port = (uint16_t)number;
	return 0;
}

bool
resolve_is_server(const struct ip_address *a)
{
	uint32_t first = a->v4 >> 24;

	if (a->family == 4)
		return first != 0 && first != 127 && first < 224;
	return a->family == 6 && !ipv6_addr_is_unspecified(&a->v6) &&
	       !ipv6_addr_is_loopback(&a->v6) && !ipv6_addr_is_multicast(&a->v6);
}

static bool
is_system(const struct settings *s)
{
	return s->dns != NULL && strcasecmp(s->dns, "system") == 0;
}

/* A list of addresses separated by commas. Returns how many, -1: it is none, or too long. */
static int
parse_servers(const char *text, struct ip_address *ret)
{
	char item[SERVER_TEXT_LEN];
	const char *end;
	uint32_t count = 0;
	size_t len;

	for (;; text = end + 1) {
		end = strchr(text, ',');
		len = end != NULL ? (size_t)(end - text) : strlen(text);
		if (len >= sizeof(item) || count == DNS_SERVERS_MAX)
			return -1;
		memcpy(item, text, len);
		item[len] = '\0';
		if (parse_literal(item, &ret[count]) != 0 || !resolve_is_server(&ret[count]))
			return -1;
		count++;
		if (end == NULL)
			return (int)count;
	}
}

uint32_t
resolve_servers_given(const struct settings *s, struct ip_address *ret)
{
	int count = s->dns != NULL && !is_system(s) ? parse_servers(s->dns, ret) : 0;

	return count > 0 ? (uint32_t)count : 0;
}

/* Is it one that we can speak to, whatever link the kernel means? */
static bool
is_within_reach(const struct settings *s, const struct ip_address *a)
{
	if (!resolve_is_server(a))
		return false;
	return a->family == 4 ? s->address_set
			      : s->address6_set && !ipv6_addr_is_link_local(&a->v6);
}

uint32_t
resolve_servers_of(const struct settings *s, const char *path, struct ip_address *ret)
{
	FILE *file = fopen(path, "re");
	char line[256], text[IP_ADDRESS_TEXT_LEN];
	struct ip_address address;
	uint32_t count = 0;

	if (file == NULL)
		return 0;
	while (count < DNS_SERVERS_MAX && fgets(line, sizeof(line), file) != NULL) {
		if (sscanf(line, " nameserver %45s", text) == 1 &&
			ip_address_parse(text, &address) == 0 && is_within_reach(s, &address))
			ret[count++] = address;
	}
	fclose(file);
	return count;
}

int
resolve_check(const struct settings *s, char *message)
{
	struct ip_address servers[DNS_SERVERS_MAX];
	struct resolve_entry entry;
	uint32_t i;

	if (s->dns != NULL && !is_system(s) && parse_servers(s->dns, servers) < 0) {
		snprintf(message, SETTINGS_MESSAGE_MAX,
			"--dns: '%.100s' is not a list of up to %u addresses that our own stack "
			"can reach, such as 198.18.0.1,2001:db8::53, and not the word system",
			s->dns, DNS_SERVERS_MAX);
		return -EINVAL;
	}

	for (i = 0; i < s->resolve.count; i++) {
		if (parse_entry(s->resolve.item[i], &entry) == 0)
			continue;
		snprintf(message, SETTINGS_MESSAGE_MAX,
			"--resolve: '%.100s' is not HOST:PORT:ADDRESS, such as "
			"www.lab:80:198.18.0.1",
			s->resolve.item[i]);
		return -EINVAL;
	}
	return 0;
}

static bool
find_entry(const struct settings *s, const struct http_url *url, struct ip_address *ret)
{
	struct resolve_entry entry;
	uint32_t i;

	for (i = 0; i < s->resolve.count; i++) {
		if (parse_entry(s->resolve.item[i], &entry) == 0 && entry.port == url->port &&
			strcasecmp(entry.host, url->host) == 0) {
			*ret = entry.address;
			return true;
		}
	}
	return false;
}

/* The kinds of address that we could connect from, and the user wants. */
static int
wanted_family(const struct settings *s)
{
	bool kernel = s->stack == SETTINGS_STACK_KERNEL;
	bool v4 = (kernel || s->address_set) && !s->ipv6_only;
	bool v6 = (kernel || s->address6_set) && !s->ipv4_only;

	if (v4 == v6)
		return AF_UNSPEC;
	return v4 ? AF_INET : AF_INET6;
}

/* The first of the kind that we have; of both, IPv4: there is no second try at the other. */
static struct ip_address
choose(const struct addrinfo *list)
{
	const struct addrinfo *at = list;
	struct sockaddr_in6 in6;
	struct sockaddr_in in;
	struct ipv6_addr v6;

	while (at->ai_family != AF_INET && at->ai_next != NULL)
		at = at->ai_next;
	if (at->ai_family == AF_INET) {
		memcpy(&in, at->ai_addr, sizeof(in));
		return ip_address_of_v4(ntohl(in.sin_addr.s_addr));
	}
	memcpy(&in6, list->ai_addr, sizeof(in6));
	memcpy(v6.byte, &in6.sin6_addr, sizeof(v6.byte));
	return ip_address_of_v6(&v6);
}

/* The host's own resolver. 0, or getaddrinfo's error. */
static int
ask_libc(const struct settings *s, const char *host, struct ip_address *ret)
{
	const struct addrinfo hints = {.ai_family = wanted_family(s), .ai_socktype = SOCK_STREAM};
	struct addrinfo *list = NULL;
	int rc = getaddrinfo(host, NULL, &hints, &list);

	if (rc != 0 || list == NULL)
		return rc != 0 ? rc : EAI_NONAME;
	*ret = choose(list);
	freeaddrinfo(list);
	return 0;
}

static int
ask_system(const struct settings *s, const char *host, struct ip_address *ret, char *message)
{
	int rc = ask_libc(s, host, ret);

	if (rc != 0)
		snprintf(message, SETTINGS_MESSAGE_MAX,
			"Could not resolve host: %.200s (%s); give its address with --resolve "
			"%.100s:PORT:ADDRESS",
			host, gai_strerror(rc), host);
	return rc != 0 ? EXIT_CODE_COULDNT_RESOLVE_HOST : 0;
}

/* /etc/hosts as the C library reads it: its other sources are switched off for this process, so
 * that nothing is asked over the kernel's network. */
static bool
ask_hosts_file(const struct settings *s, const char *host, struct ip_address *ret)
{
	return __nss_configure_lookup("hosts", "files") == 0 && ask_libc(s, host, ret) == 0;
}

uint8_t
resolve_family(const struct settings *s)
{
	int family = wanted_family(s);

	if (family == AF_UNSPEC)
		return 0;
	return family == AF_INET ? 4 : 6;
}

int
resolve_url(
	const struct settings *s, const struct http_url *url, struct ip_address *ret, char *message)
{
	struct ip_address address;
	int rc = 0;

	if (parse_literal(url->host, &address) != 0 && !find_entry(s, url, &address)) {
		if (s->stack == SETTINGS_STACK_KERNEL || is_system(s))
			rc = ask_system(s, url->host, &address, message);
		else if (!ask_hosts_file(s, url->host, &address))
			rc = -ENOENT;
	}
	if (rc == 0)
		*ret = address;
	return rc;
}
