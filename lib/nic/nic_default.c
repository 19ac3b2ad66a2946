/* SPDX-License-Identifier: BSD-3-Clause */
#include <net/if.h>
#include <string.h>

#include "nic_default.h"
#include "nic_netlink.h"
#include "nic_state_priv.h"

struct search {
	nic_name_fn visit;
	void *visit_ctx;
};

static void
tell(const struct search *s, unsigned int index)
{
	char name[IFNAMSIZ];

	if (if_indextoname(index, name) != NULL)
		s->visit(s->visit_ctx, name);
}

static void
tell_hops(const struct search *s, const char *hops, size_t len)
{
	struct rtnexthop hop;
	size_t at;

	for (at = 0; at + sizeof(hop) <= len; at += NLMSG_ALIGN(hop.rtnh_len)) {
		memcpy(&hop, hops + at, sizeof(hop));
		if (hop.rtnh_len < sizeof(hop))
			return;
		tell(s, (unsigned int)hop.rtnh_ifindex);
	}
}

static int
take_route(const struct nlmsghdr *message, void *ctx)
{
	const struct rtmsg *r = mnl_nlmsg_get_payload(message);
	size_t len = mnl_nlmsg_get_payload_len(message), attr_len;
	const void *attr;
	uint32_t index;

	if (r->rtm_type != RTN_UNICAST || r->rtm_dst_len != 0)
		return MNL_CB_OK;
	attr = state_attribute(r, len, sizeof(*r), RTA_OIF, &attr_len);
	if (attr != NULL && attr_len == sizeof(index)) {
		memcpy(&index, attr, sizeof(index));
		tell(ctx, index);
	}
	attr = state_attribute(r, len, sizeof(*r), RTA_MULTIPATH, &attr_len);
	if (attr != NULL)
		tell_hops(ctx, attr, attr_len);
	return MNL_CB_OK;
}

int
nic_default_each(nic_name_fn visit, void *visit_ctx)
{
	const struct rtmsg routes[] = {{.rtm_family = AF_INET}, {.rtm_family = AF_INET6}};
	struct search s = {.visit = visit, .visit_ctx = visit_ctx};
	char buf[NIC_NETLINK_BYTES];
	struct nic_netlink n;
	int rc = nic_netlink_open(&n);
	size_t i;

	if (rc != 0)
		return rc;
	for (i = 0; rc == 0 && i < sizeof(routes) / sizeof(routes[0]); i++)
		rc = nic_netlink_ask(&n,
			nic_netlink_request(
				buf, RTM_GETROUTE, NLM_F_DUMP, &routes[i], sizeof(routes[i])),
			take_route, &s);
	nic_netlink_close(&n);
	return rc;
}
