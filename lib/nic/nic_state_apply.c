/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "nic_features.h"
#include "nic_netlink.h"
#include "nic_state.h"
#include "nic_state_priv.h"
#include "nic_sysctl.h"

#define SAY_MAX 512U
#define MESSAGE_MAX 4096U /* bytes of one route or address */
/* A route from an address waits until that has been found unique (RFC 4862 §5.4: a second or so). */
#define TRIES_MAX 30U
#define TRY_EVERY_MS 100U
#define FOREVER UINT32_MAX /* a lifetime */

struct applying {
	struct nic_netlink netlink;
	json_t *state;
	unsigned int index;
	char interface[IFNAMSIZ]; /* its name, as long as renaming has not changed it */
	nic_say_fn say;
	void *say_ctx;
};

static void tell(const struct applying *a, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void
tell(const struct applying *a, const char *format, ...)
{
	char text[SAY_MAX];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	a->say(a->say_ctx, text);
}

static const char *
text_of(const struct applying *a, const char *key)
{
	return json_string_value(json_object_get(a->state, key));
}

static bool
is_set(const struct applying *a, const char *key)
{
	return json_is_true(json_object_get(a->state, key));
}

static struct nlmsghdr *
link_request(const struct applying *a, char *buf, unsigned int flags, unsigned int change)
{
	const struct ifinfomsg link = {
		.ifi_index = (int)a->index, .ifi_flags = flags, .ifi_change = change};

	return nic_netlink_request(buf, RTM_SETLINK, 0, &link, sizeof(link));
}

static int
set_flags(struct applying *a, unsigned int flags, unsigned int change)
{
	char buf[NIC_NETLINK_BYTES];

	return nic_netlink_ask(&a->netlink, link_request(a, buf, flags, change), NULL, NULL);
}

static int
set_bytes(struct applying *a, uint16_t type, const void *bytes, size_t len)
{
	char buf[NIC_NETLINK_BYTES];
	struct nlmsghdr *request = link_request(a, buf, 0, 0);

	mnl_attr_put(request, type, len, bytes);
	return nic_netlink_ask(&a->netlink, request, NULL, NULL);
}

/* Its name must be free, and it down. */
static void
apply_name(struct applying *a)
{
	const char *name = text_of(a, "name");
	int rc;

	if (strcmp(a->interface, name) == 0)
		return;
	rc = set_bytes(a, IFLA_IFNAME, name, strlen(name) + 1);
	if (rc == 0)
		(void)snprintf(a->interface, sizeof(a->interface), "%.15s", name);
	else
		tell(a, "%s could not be named %s again: %s", a->interface, name, strerror(-rc));
}

static size_t
parse_mac(const char *text, uint8_t *buf, size_t room)
{
	unsigned int value;
	size_t n = 0;

	while (n < room && sscanf(text, "%2x", &value) == 1) {
		buf[n++] = (uint8_t)value;
		if (text[2] != ':')
			return text[2] == '\0' ? n : 0;
		text += 3;
	}
	return 0;
}

static int
take_mac(const struct nlattr *attr, void *ctx)
{
	json_t **mac = ctx;

	if (mnl_attr_get_type(attr) == IFLA_ADDRESS)
		*mac = state_mac(mnl_attr_get_payload(attr), mnl_attr_get_payload_len(attr));
	return MNL_CB_OK;
}

static int
take_link(const struct nlmsghdr *message, void *ctx)
{
	return mnl_attr_parse(message, sizeof(struct ifinfomsg), take_mac, ctx);
}

/* Only where it differs: some drivers refuse to be told what is so. */
static void
apply_mac(struct applying *a)
{
	const struct ifinfomsg link = {.ifi_index = (int)a->index};
	const char *wanted = text_of(a, "mac");
	char buf[NIC_NETLINK_BYTES];
	uint8_t mac[32];
	json_t *now = NULL;
	size_t len;
	int rc;

	rc = nic_netlink_ask(&a->netlink,
		nic_netlink_request(buf, RTM_GETLINK, 0, &link, sizeof(link)), take_link, &now);
	if (wanted == NULL || (now != NULL && strcmp(json_string_value(now), wanted) == 0)) {
		json_decref(now);
		return;
	}
	json_decref(now);
	len = parse_mac(wanted, mac, sizeof(mac));
	if (rc == 0 && len > 0)
		rc = set_bytes(a, IFLA_ADDRESS, mac, len);
	if (rc != 0)
		tell(a, "%s: its MAC address %s could not be set: %s", a->interface, wanted,
			strerror(-rc));
}

static void
apply_number(struct applying *a, const char *key, uint16_t type)
{
	const json_t *value = json_object_get(a->state, key);
	uint32_t number = (uint32_t)json_integer_value(value);
	int rc;

	if (value == NULL)
		return;
	rc = set_bytes(a, type, &number, sizeof(number));
	if (rc != 0)
		tell(a, "%s: %s %u could not be set: %s", a->interface, key, number, strerror(-rc));
}

static void
apply_alias(struct applying *a)
{
	const char *alias = text_of(a, "alias");

	if (alias != NULL && set_bytes(a, IFLA_IFALIAS, alias, strlen(alias) + 1) != 0)
		tell(a, "%s: its alias could not be set", a->interface);
}

static void
apply_flags(struct applying *a)
{
	unsigned int change = IFF_PROMISC | IFF_ALLMULTI | IFF_NOARP | IFF_MULTICAST;
	unsigned int flags = (is_set(a, "promiscuous") ? IFF_PROMISC : 0U) |
			     (is_set(a, "allmulticast") ? IFF_ALLMULTI : 0U) |
			     (is_set(a, "arp") ? 0U : IFF_NOARP) |
			     (is_set(a, "multicast") ? IFF_MULTICAST : 0U);
	int rc = set_flags(a, flags, change);

	if (rc != 0)
		tell(a, "%s: promiscuous, allmulticast, ARP and multicast could not be set: %s",
			a->interface, strerror(-rc));
}

static void
apply_features(struct applying *a)
{
	json_t *features = json_object_get(a->state, "features");
	int rc = features != NULL ? nic_features_apply(a->interface, features) : 0;

	if (rc < 0)
		tell(a, "%s: its offloads could not be set: %s", a->interface, strerror(-rc));
	else if (rc > 0)
		tell(a, "%s: the driver did not take all of its offloads (`ethtool -k %s`)",
			a->interface, a->interface);
}

static void
apply_sysctl(struct applying *a)
{
	json_t *sysctl = json_object_get(a->state, "sysctl");
	char name[128];
	unsigned int failed = nic_sysctl_apply("", a->interface, sysctl, name, sizeof(name));

	if (failed > 0)
		tell(a, "%s: %u of its settings below /proc/sys/net could not be written, %s first",
			a->interface, failed, name);
}

static void
apply_master(struct applying *a)
{
	const char *master = text_of(a, "master");
	uint32_t index;
	int rc;

	if (master == NULL)
		return;
	index = if_nametoindex(master);
	rc = index == 0 ? -ENODEV : set_bytes(a, IFLA_MASTER, &index, sizeof(index));
	if (rc != 0)
		tell(a, "%s could not be put back under %s: %s", a->interface, master,
			strerror(-rc));
}

/* Sends the bytes of a message that was saved, as a request to make it so. */
static int
send_again(struct applying *a, uint16_t type, uint16_t flags, const void *bytes, size_t len)
{
	char buf[NIC_NETLINK_BYTES];

	return nic_netlink_ask(
		&a->netlink, nic_netlink_request(buf, type, flags, bytes, len), NULL, NULL);
}

static uint32_t
less(uint32_t lifetime_s, int64_t gone_s)
{
	if (lifetime_s == FOREVER)
		return FOREVER;
	return (int64_t)lifetime_s > gone_s ? lifetime_s - (uint32_t)gone_s : 0;
}

/* What has passed since it was saved has been lived. false: it has no life left. */
static bool
age(const struct applying *a, char *message, size_t len)
{
	int64_t gone_s = state_now_s() - json_integer_value(json_object_get(a->state, "saved_s"));
	struct ifa_cacheinfo life;
	size_t attr_len;
	const char *attr =
		state_attribute(message, len, sizeof(struct ifaddrmsg), IFA_CACHEINFO, &attr_len);

	if (attr == NULL || attr_len != sizeof(life))
		return true;
	memcpy(&life, attr, sizeof(life));
	life.ifa_prefered = less(life.ifa_prefered, gone_s);
	life.ifa_valid = less(life.ifa_valid, gone_s);
	memcpy(message + (attr - message), &life, sizeof(life));
	return life.ifa_valid > 0;
}

static bool
is_temporary(const char *message, size_t len)
{
	struct ifaddrmsg header;
	uint32_t flags;
	size_t attr_len;
	const void *attr = state_attribute(message, len, sizeof(header), IFA_FLAGS, &attr_len);

	memcpy(&header, message, sizeof(header));
	flags = header.ifa_flags;
	if (attr != NULL && attr_len == sizeof(flags))
		memcpy(&flags, attr, sizeof(flags));
	return header.ifa_family == AF_INET6 && (flags & IFA_F_TEMPORARY) != 0;
}

static void
apply_address(struct applying *a, const json_t *saved)
{
	const char *text = json_string_value(json_object_get(saved, "text"));
	char message[MESSAGE_MAX];
	size_t len = state_unhex(
		json_string_value(json_object_get(saved, "netlink")), message, sizeof(message));
	struct ifaddrmsg header;
	int rc;

	if (len < sizeof(header)) {
		tell(a, "%s: an address in the journal cannot be read", a->interface);
		return;
	}
	if (is_temporary(message, len) || !age(a, message, len))
		return; /* the kernel makes another */
	memcpy(&header, message, sizeof(header));
	header.ifa_index = a->index;
	memcpy(message, &header, sizeof(header));
	rc = send_again(a, RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, message, len);
	if (rc != 0)
		tell(a, "%s: the address %s could not be put back: %s", a->interface,
			text != NULL ? text : "?", strerror(-rc));
}

static void
change_hops(char *hops, size_t len, int from, int to)
{
	struct rtnexthop hop;
	size_t at = 0;

	while (at + sizeof(hop) <= len) {
		memcpy(&hop, hops + at, sizeof(hop));
		if (hop.rtnh_len < sizeof(hop))
			return;
		if (hop.rtnh_ifindex == from)
			hop.rtnh_ifindex = to;
		hop.rtnh_flags &= RTNH_F_ONLINK | RTNH_F_PERVASIVE;
		memcpy(hops + at, &hop, sizeof(hop));
		at += NLMSG_ALIGN(hop.rtnh_len);
	}
}

/* The interface has another number now; and what the kernel says of a next hop's state it does not
 * want to be told. */
static void
adapt_route(const struct applying *a, char *message, size_t len)
{
	int from = (int)json_integer_value(json_object_get(a->state, "index"));
	int to = (int)a->index;
	struct rtmsg header;
	size_t attr_len;
	const char *attr;

	memcpy(&header, message, sizeof(header));
	header.rtm_flags &= RTNH_F_ONLINK | RTNH_F_PERVASIVE;
	memcpy(message, &header, sizeof(header));
	attr = state_attribute(message, len, sizeof(header), RTA_OIF, &attr_len);
	if (attr != NULL && attr_len == sizeof(to))
		memcpy(message + (attr - message), &to, sizeof(to));
	attr = state_attribute(message, len, sizeof(header), RTA_MULTIPATH, &attr_len);
	if (attr != NULL)
		change_hops(message + (attr - message), attr_len, from, to);
}

/* 0; -errno, with -EEXIST meaning that it is there. */
static int
apply_route(struct applying *a, const json_t *saved)
{
	char message[MESSAGE_MAX];
	size_t len = state_unhex(json_string_value(json_object_get(saved, "netlink")), message,
		       sizeof(message)),
	       unused;
	uint16_t flags = NLM_F_CREATE;

	if (len < sizeof(struct rtmsg))
		return -EBADMSG;
	/* Of several next hops the others may have stayed. */
	if (state_attribute(message, len, sizeof(struct rtmsg), RTA_MULTIPATH, &unused) != NULL)
		flags |= NLM_F_REPLACE;
	adapt_route(a, message, len);
	return send_again(a, RTM_NEWROUTE, flags, message, len);
}

static void
wait_ms(uint32_t ms)
{
	const struct timespec wait = {.tv_nsec = (long)ms * 1000000L};

	nanosleep(&wait, NULL);
}

/* Each may need another one, and some an address that is new: until all are there, or nothing moves. */
static void
apply_routes(struct applying *a)
{
	json_t *left = json_copy(json_object_get(a->state, "routes")), *route;
	const char *text;
	uint32_t tries = 0;
	size_t i;
	int rc = 0;

	while (json_array_size(left) > 0 && tries++ < TRIES_MAX) {
		if (tries > 2)
			wait_ms(TRY_EVERY_MS);
		for (i = 0; i < json_array_size(left);) {
			rc = apply_route(a, json_array_get(left, i));
			if (rc == 0 || rc == -EEXIST)
				json_array_remove(left, i);
			else
				i++;
		}
	}
	json_array_foreach(left, i, route)
	{
		text = json_string_value(json_object_get(route, "text"));
		tell(a, "%s: the route to %s could not be put back: %s", a->interface,
			text != NULL ? text : "?", strerror(-rc));
	}
	json_decref(left);
}

static void
apply_all(struct applying *a)
{
	const json_t *addresses = json_object_get(a->state, "addresses");
	size_t i;
	int rc;

	(void)set_flags(a, 0, IFF_UP); /* somebody may have been faster */
	apply_name(a);
	apply_mac(a);
	apply_alias(a);
	apply_number(a, "mtu", IFLA_MTU);
	apply_number(a, "txqlen", IFLA_TXQLEN);
	apply_flags(a);
	apply_features(a);
	apply_sysctl(a);
	apply_master(a);
	if (is_set(a, "up")) {
		rc = set_flags(a, IFF_UP, IFF_UP);
		if (rc != 0)
			tell(a, "%s could not be brought up: %s", a->interface, strerror(-rc));
	}
	for (i = 0; i < json_array_size(addresses); i++)
		apply_address(a, json_array_get(addresses, i));
	apply_routes(a);
}

int
nic_state_apply(const char *interface, json_t *state, nic_say_fn say, void *say_ctx)
{
	struct applying a = {
		.state = state, .index = if_nametoindex(interface), .say = say, .say_ctx = say_ctx};
	int rc;

	if (text_of(&a, "name") == NULL)
		return -EINVAL;
	if (a.index == 0)
		return -ENODEV;
	(void)snprintf(a.interface, sizeof(a.interface), "%.15s", interface);
	rc = nic_netlink_open(&a.netlink);
	if (rc != 0)
		return rc;
	apply_all(&a);
	nic_netlink_close(&a.netlink);
	return 0;
}
