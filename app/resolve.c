/* SPDX-License-Identifier: BSD-3-Clause */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "exit_code.h"
#include "resolve.h"
#include "wire_ipv4.h"

/* One HOST:PORT:ADDRESS. */
struct resolve_entry {
	char host[256];
	uint16_t port;
	uint32_t address;
};

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
	if (ipv4_addr_parse(address + 1, &ret->address) != 0)
		return -EINVAL;
	memcpy(ret->host, text, (size_t)(port - text));
	ret->host[port - text] = '\0';
	ret->port = (uint16_t)number;
	return 0;
}

int
resolve_check(const struct settings *s, char *message)
{
	struct resolve_entry entry;
	uint32_t i;

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
find_entry(const struct settings *s, const struct http_url *url, uint32_t *ret)
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

static int
ask_system(const char *host, uint32_t *ret, char *message)
{
	const struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
	struct addrinfo *list = NULL;
	struct sockaddr_in in;
	int rc = getaddrinfo(host, NULL, &hints, &list);

	if (rc != 0 || list == NULL) {
		snprintf(message, SETTINGS_MESSAGE_MAX,
			"Could not resolve host: %.200s (%s); give its address with --resolve "
			"%.100s:PORT:ADDRESS",
			host, gai_strerror(rc), host);
		return EXIT_CODE_COULDNT_RESOLVE_HOST;
	}
	memcpy(&in, list->ai_addr, sizeof(in));
	freeaddrinfo(list);
	*ret = ntohl(in.sin_addr.s_addr);
	return 0;
}

static uint64_t
monotonic_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * NS_PER_SEC + (uint64_t)ts.tv_nsec;
}

int
resolve_url(const struct settings *s, const struct http_url *url, struct ip_address *ret,
	uint64_t *ret_ns, char *message)
{
	uint64_t start_ns = monotonic_ns();
	uint32_t address;
	int rc = 0;

	if (url->host[0] == '[') {
		snprintf(message, SETTINGS_MESSAGE_MAX,
			"%.200s is an IPv6 address, which dpfetch does not speak yet; use IPv4",
			url->host);
		return EXIT_CODE_COULDNT_CONNECT;
	}
	if (ipv4_addr_parse(url->host, &address) != 0 && !find_entry(s, url, &address))
		rc = ask_system(url->host, &address, message);
	if (rc != 0)
		return rc;
	*ret = (struct ip_address){.family = 4, .v4 = address};
	*ret_ns = monotonic_ns() - start_ns;
	return 0;
}
