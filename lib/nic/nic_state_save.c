/* SPDX-License-Identifier: BSD-3-Clause */
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "nic_features.h"
#include "nic_netlink.h"
#include "nic_state.h"
#include "nic_state_priv.h"
#include "nic_sysctl.h"

#define TEXT_MAX 256U

struct saving {
	unsigned int index;
	json_t *state, *addresses, *routes;
};

static void
put_name(json_t *state, const char *key, unsigned int index)
{
	char name[IFNAMSIZ];

	if (if_indextoname(index, name) != NULL)
		json_object_set_new(state, key, json_string(name));
}

static int
take_link_attribute(const struct nlattr *attr, void *ctx)
{
	json_t *state = ctx;

	switch (mnl_attr_get_type(attr)) {
	case IFLA_ADDRESS:
		json_object_set_new(state, "mac",
			state_mac(mnl_attr_get_payload(attr), mnl_attr_get_payload_len(attr)));
		break;
	case IFLA_PERM_ADDRESS:
		json_object_set_new(state, "permanent_mac",
			state_mac(mnl_attr_get_payload(attr), mnl_attr_get_payload_len(attr)));
		break;
	case IFLA_MTU:
		json_object_set_new(state, "mtu", json_integer(mnl_attr_get_u32(attr)));
		break;
	case IFLA_TXQLEN:
		json_object_set_new(state, "txqlen", json_integer(mnl_attr_get_u32(attr)));
		break;
	case IFLA_IFALIAS:
		json_object_set_new(state, "alias", json_string(mnl_attr_get_str(attr)));
		break;
	case IFLA_MASTER:
		put_name(state, "master", mnl_attr_get_u32(attr));
		break;
	default:
		break;
	}
	return MNL_CB_OK;
}

static int
take_link(const struct nlmsghdr *message, void *ctx)
{
	const struct ifinfomsg *link = mnl_nlmsg_get_payload(message);
	const struct saving *s = ctx;
	const struct {
		const char *key;
		bool value;
	} flags[] = {
		{"up", (link->ifi_flags & IFF_UP) != 0},
		{"promiscuous", (link->ifi_flags & IFF_PROMISC) != 0},
		{"allmulticast", (link->ifi_flags & IFF_ALLMULTI) != 0},
		{"arp", (link->ifi_flags & IFF_NOARP) == 0},
		{"multicast", (link->ifi_flags & IFF_MULTICAST) != 0},
	};
	size_t i;

	for (i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		json_object_set_new(s->state, flags[i].key, json_boolean(flags[i].value));
	return mnl_attr_parse(message, sizeof(*link), take_link_attribute, s->state);
}

static json_t *
message_of(const char *text, const void *payload, size_t len)
{
	return json_pack("{s:s, s:o}", "text", text, "netlink", state_hex(payload, len));
}

static void
format_address(int family, const void *address, char *buf, size_t room)
{
	if (address == NULL || inet_ntop(family, address, buf, (socklen_t)room) == NULL)
		(void)snprintf(buf, room, "?");
}

static int
take_address(const struct nlmsghdr *message, void *ctx)
{
	const struct ifaddrmsg *a = mnl_nlmsg_get_payload(message);
	size_t len = mnl_nlmsg_get_payload_len(message), unused;
	char address[INET6_ADDRSTRLEN], text[TEXT_MAX];
	const struct saving *s = ctx;
	const void *local;

	if (a->ifa_index != s->index)
		return MNL_CB_OK;
	local = state_attribute(a, len, sizeof(*a), IFA_LOCAL, &unused);
	if (local == NULL)
		local = state_attribute(a, len, sizeof(*a), IFA_ADDRESS, &unused);
	format_address(a->ifa_family, local, address, sizeof(address));
	(void)snprintf(text, sizeof(text), "%s/%u", address, a->ifa_prefixlen);
	json_array_append_new(s->addresses, message_of(text, a, len));
	return MNL_CB_OK;
}

/* RTNH_NEXT casts the const away. */
static const struct rtnexthop *
next_hop(const struct rtnexthop *hop)
{
	return (const struct rtnexthop *)((const char *)hop + RTNH_ALIGN(hop->rtnh_len));
}

/* Does one of its next hops leave by the interface? */
static bool
has_hop(const void *hops, size_t len, unsigned int index)
{
	const struct rtnexthop *hop = hops;
	int left = (int)len;

	for (; left >= (int)sizeof(*hop) && RTNH_OK(hop, left); hop = next_hop(hop)) {
		if (hop->rtnh_ifindex == (int)index)
			return true;
		left -= (int)NLMSG_ALIGN(hop->rtnh_len);
	}
	return false;
}

static bool
leaves_by(const struct rtmsg *r, size_t len, unsigned int index)
{
	size_t attr_len;
	const void *attr = state_attribute(r, len, sizeof(*r), RTA_OIF, &attr_len);
	uint32_t out;

	if (attr != NULL && attr_len == sizeof(out)) {
		memcpy(&out, attr, sizeof(out));
		return out == index;
	}
	attr = state_attribute(r, len, sizeof(*r), RTA_MULTIPATH, &attr_len);
	return attr != NULL && has_hop(attr, attr_len, index);
}

/* What the kernel makes from an address, or learns from a router, it makes and learns again. */
static bool
is_configured(const struct rtmsg *r)
{
	return r->rtm_type == RTN_UNICAST && r->rtm_table != RT_TABLE_LOCAL &&
	       r->rtm_protocol != RTPROT_KERNEL && r->rtm_protocol != RTPROT_RA &&
	       r->rtm_protocol != RTPROT_REDIRECT && (r->rtm_flags & RTM_F_CLONED) == 0;
}

static int
take_route(const struct nlmsghdr *message, void *ctx)
{
	const struct rtmsg *r = mnl_nlmsg_get_payload(message);
	size_t len = mnl_nlmsg_get_payload_len(message), unused;
	char to[INET6_ADDRSTRLEN] = "default", via[INET6_ADDRSTRLEN] = "", text[TEXT_MAX];
	const struct saving *s = ctx;
	const void *gateway;

	if (!is_configured(r) || !leaves_by(r, len, s->index))
		return MNL_CB_OK;
	if (r->rtm_dst_len > 0)
		format_address(r->rtm_family, state_attribute(r, len, sizeof(*r), RTA_DST, &unused),
			to, sizeof(to));
	gateway = state_attribute(r, len, sizeof(*r), RTA_GATEWAY, &unused);
	if (gateway != NULL)
		format_address(r->rtm_family, gateway, via, sizeof(via));
	(void)snprintf(text, sizeof(text), "%s/%u%s%s", to, r->rtm_dst_len,
		via[0] != '\0' ? " via " : "", via);
	json_array_append_new(s->routes, message_of(text, r, len));
	return MNL_CB_OK;
}

static int
save_messages(struct nic_netlink *n, struct saving *s)
{
	const struct ifinfomsg link = {.ifi_index = (int)s->index};
	const struct ifaddrmsg any_address = {.ifa_family = AF_UNSPEC};
	const struct rtmsg routes[] = {{.rtm_family = AF_INET}, {.rtm_family = AF_INET6}};
	char buf[NIC_NETLINK_BYTES];
	size_t i;
	int rc;

	rc = nic_netlink_ask(
		n, nic_netlink_request(buf, RTM_GETLINK, 0, &link, sizeof(link)), take_link, s);
	if (rc == 0)
		rc = nic_netlink_ask(n,
			nic_netlink_request(
				buf, RTM_GETADDR, NLM_F_DUMP, &any_address, sizeof(any_address)),
			take_address, s);
	for (i = 0; rc == 0 && i < sizeof(routes) / sizeof(routes[0]); i++)
		rc = nic_netlink_ask(n,
			nic_netlink_request(
				buf, RTM_GETROUTE, NLM_F_DUMP, &routes[i], sizeof(routes[i])),
			take_route, s);
	return rc;
}

int
nic_state_save(const char *interface, json_t **ret)
{
	struct saving s = {.index = if_nametoindex(interface)};
	struct nic_netlink n;
	json_t *features = NULL;
	int rc;

	if (s.index == 0)
		return -ENODEV;
	rc = nic_netlink_open(&n);
	if (rc != 0)
		return rc;
	s.addresses = json_array();
	s.routes = json_array();
	s.state = json_pack("{s:s, s:i, s:I, s:o, s:o}", "name", interface, "index", (int)s.index,
		"saved_s", (json_int_t)state_now_s(), "addresses", s.addresses, "routes", s.routes);
	rc = s.state != NULL ? save_messages(&n, &s) : -ENOMEM;
	nic_netlink_close(&n);
	if (rc != 0) {
		json_decref(s.state);
		return rc;
	}
	if (nic_features_save(interface, &features) == 0)
		json_object_set_new(s.state, "features", features);
	json_object_set_new(s.state, "sysctl", nic_sysctl_save("", interface));
	*ret = s.state;
	return 0;
}
