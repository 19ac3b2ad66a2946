/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "exit_code.h"
#include "get.h"
#include "output.h"
#include "resolve.h"
#include "wire_ipv4.h"

static bool
is_hex(const char *text, uint32_t len)
{
	return strlen(text) == len && strspn(text, "0123456789abcdefABCDEF") == len;
}

static int
parse_checksum(struct get *g)
{
	const char *text = g->settings->checksum;
	const char *equals;
	char name[32];

	if (text == NULL)
		return 0;
	equals = strchr(text, '=');
	snprintf(name, sizeof(name), "%.*s",
		(int)(equals != NULL ? (size_t)(equals - text) : strlen(text)), text);
	if (sink_digest_parse(name, &g->digest) != 0) {
		message_error(&g->host.level, EXIT_CODE_USAGE,
			"--checksum: '%s' is not an algorithm; known are sha-256, sha-512, sha-1, "
			"md5 and "
			"xxh3-128",
			name);
		return EXIT_CODE_USAGE;
	}
	g->digest_hex = equals != NULL ? equals + 1 : NULL;
	if (g->digest_hex != NULL && !is_hex(g->digest_hex, sink_digest_hex_len(g->digest))) {
		message_error(&g->host.level, EXIT_CODE_USAGE,
			"--checksum: '%s' is not %u hexadecimal digits, as %s has", g->digest_hex,
			sink_digest_hex_len(g->digest), sink_digest_name(g->digest));
		return EXIT_CODE_USAGE;
	}
	if (g->digest_hex != NULL && g->count > 1) {
		message_error(&g->host.level, EXIT_CODE_USAGE,
			"--checksum with a value fits one URL, and there are %u", g->count);
		return EXIT_CODE_USAGE;
	}
	return 0;
}

/* Which router there is, and whether an address will come, only the link can tell. */
static int
check_route_ipv6(const struct settings *s, const struct ip_address *remote, char *message)
{
	char ip[IP_ADDRESS_TEXT_LEN];

	ip_address_format(remote, ip);
	if (!s->address6_set) {
		snprintf(message, SETTINGS_MESSAGE_MAX,
			"%s is an IPv6 address and we have none; give one with --address6 CIDR, or "
			"--address6 auto to take one from the link's router",
			ip);
		return EXIT_CODE_COULDNT_CONNECT;
	}
	if (ipv6_addr_equal(&remote->v6, &s->address6)) {
		snprintf(message, SETTINGS_MESSAGE_MAX,
			"%s is our own --address6; choose another one, or another URL", ip);
		return EXIT_CODE_COULDNT_CONNECT;
	}
	return 0;
}

int
get_check_route(const struct get *g, const struct ip_address *remote, char *message)
{
	const struct settings *s = g->settings;
	const struct dhcp_lease *l = s->address_dhcp ? dhcp_host_lease(&g->host.dhcp) : NULL;
	uint32_t address = l != NULL ? l->address : s->address;
	uint32_t gateway = l != NULL && s->gateway == 0 ? l->router : s->gateway;
	uint8_t prefix_len = l != NULL ? l->prefix_len : s->prefix_len;
	char ip[IPV4_ADDR_TEXT_LEN], own[IPV4_ADDR_TEXT_LEN];

	if (s->stack == SETTINGS_STACK_KERNEL)
		return 0; /* the kernel knows */
	if (remote->family == 6)
		return check_route_ipv6(s, remote, message);
	ipv4_addr_format(remote->v4, ip);
	if (!s->address_set) {
		snprintf(message, SETTINGS_MESSAGE_MAX,
			"%s is an IPv4 address and we have none; give one with --address CIDR", ip);
		return EXIT_CODE_COULDNT_CONNECT;
	}
	ipv4_addr_format(address, own);
	if (remote->v4 - address < s->addresses) {
		snprintf(message, SETTINGS_MESSAGE_MAX,
			"%s is our own --address; choose another one, or another URL", ip);
		return EXIT_CODE_COULDNT_CONNECT;
	}
	if (((remote->v4 ^ address) & ipv4_prefix_mask(prefix_len)) == 0 || gateway != 0 ||
		s->gateway_mac_set)
		return 0;
	snprintf(message, SETTINGS_MESSAGE_MAX,
		"%s is outside our subnet %s/%u; name the router with --gateway, or correct the "
		"prefix length of --address",
		ip, own, prefix_len);
	return EXIT_CODE_COULDNT_CONNECT;
}

int
get_prepare_target(const struct get *g, const char *url, struct target *t)
{
	const char *why = NULL;
	char message[SETTINGS_MESSAGE_MAX];
	int rc = http_url_parse(url, &t->url, &why), code;

	if (rc != 0) {
		code = rc == -EPROTONOSUPPORT ? EXIT_CODE_UNSUPPORTED_PROTOCOL
		       : rc == -ENOMEM	      ? EXIT_CODE_OUT_OF_MEMORY
					      : EXIT_CODE_URL_MALFORMED;
		message_error(&g->host.level, code, "URL '%s': %s", url, why);
		return code;
	}
	code = resolve_url(g->settings, &t->url, &t->remote, message);
	if (code == -ENOENT)
		return 0; /* DNS is asked once the port is up */
	if (code == 0 && !(g->settings->address_dhcp && t->remote.family == 4))
		code = get_check_route(g, &t->remote, message);
	if (code != 0)
		message_error(&g->host.level, code, "%s", message);
	return code;
}

static int
prepare_url(struct get *g, uint32_t i)
{
	struct target *t = &g->target[i];
	char message[SETTINGS_MESSAGE_MAX];
	int code = get_prepare_target(g, g->settings->urls.item[i], t), rc;

	if (code != 0)
		return code;
	rc = output_path(g->settings, i, &t->url, &t->path, message);
	if (rc == 0)
		return 0;
	code = rc == -ENOMEM ? EXIT_CODE_OUT_OF_MEMORY : EXIT_CODE_WRITE_ERROR;
	message_error(&g->host.level, code, "%s", message);
	return code;
}

/* All that can be found wrong without touching the port. */
int
get_prepare(struct get *g)
{
	char message[SETTINGS_MESSAGE_MAX];
	uint32_t i;
	int rc;

	if (settings_check(g->settings, message) != SETTINGS_OK ||
		resolve_check(g->settings, message) != 0 ||
		request_headers_check(g->settings, message) != 0) {
		message_error(&g->host.level, EXIT_CODE_USAGE, "%s", message);
		return EXIT_CODE_USAGE;
	}
	g->count = g->settings->urls.count;
	g->target = calloc(g->count, sizeof(*g->target));
	g->report = calloc(g->count, sizeof(*g->report));
	if (g->target == NULL || g->report == NULL ||
		request_headers_make(g->settings, false, &g->headers) != 0)
		return EXIT_CODE_OUT_OF_MEMORY;
	rc = parse_checksum(g);
	for (i = 0; rc == 0 && i < g->count; i++)
		rc = prepare_url(g, i);
	return rc;
}

void
get_cleanup(struct get *g)
{
	uint32_t i;

	for (i = 0; g->report != NULL && i < g->count; i++)
		free(g->report[i].machine);
	for (i = 0; g->target != NULL && i < g->count; i++) {
		http_url_free(&g->target[i].url);
		free(g->target[i].path);
	}
	free(g->target);
	free(g->report);
	request_headers_free(&g->headers);
}
