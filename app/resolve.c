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
	size_t len;

	if (text[0] != '[')
		return ip_address_parse(text, ret);
	len = strcspn(++text, "]%");
	if (len >= sizeof(bare) || strchr(text + len, ']') == NULL)
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
	bool v4 = s->address_set && !s->ipv6_only, v6 = s->address6_set && !s->ipv4_only;

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

static int
ask_system(const struct settings *s, const char *host, struct ip_address *ret, char *message)
{
	const struct addrinfo hints = {.ai_family = wanted_family(s), .ai_socktype = SOCK_STREAM};
	struct addrinfo *list = NULL;
	int rc = getaddrinfo(host, NULL, &hints, &list);

	if (rc != 0 || list == NULL) {
		snprintf(message, SETTINGS_MESSAGE_MAX,
			"Could not resolve host: %.200s (%s); give its address with --resolve "
			"%.100s:PORT:ADDRESS",
			host, gai_strerror(rc), host);
		return EXIT_CODE_COULDNT_RESOLVE_HOST;
	}
	*ret = choose(list);
	freeaddrinfo(list);
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
	struct ip_address address;
	int rc = 0;

	if (parse_literal(url->host, &address) != 0 && !find_entry(s, url, &address))
		rc = ask_system(s, url->host, &address, message);
	if (rc != 0)
		return rc;
	*ret = address;
	*ret_ns = monotonic_ns() - start_ns;
	return 0;
}
