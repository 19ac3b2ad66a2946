/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "nic_netlink.h"

/* The kernel answers at once, unless a driver works on it. */
#define ANSWER_MAX_S 30

int
nic_netlink_open(struct nic_netlink *ret)
{
	const struct timeval patience = {.tv_sec = ANSWER_MAX_S};
	struct mnl_socket *socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);

	if (socket == NULL)
		return -errno;
	if (mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) < 0) {
		int rc = -errno;

		mnl_socket_close(socket);
		return rc;
	}
	(void)setsockopt(
		mnl_socket_get_fd(socket), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	*ret = (struct nic_netlink){.socket = socket};
	return 0;
}

void
nic_netlink_close(struct nic_netlink *n)
{
	mnl_socket_close(n->socket);
}

struct nlmsghdr *
nic_netlink_request(char *buf, uint16_t type, uint16_t flags, const void *header, size_t size)
{
	struct nlmsghdr *request = mnl_nlmsg_put_header(buf);

	request->nlmsg_type = type;
	request->nlmsg_flags = (uint16_t)(flags | NLM_F_REQUEST);
	memcpy(mnl_nlmsg_put_extra_header(request, size), header, size);
	return request;
}

int
nic_netlink_ask(struct nic_netlink *n, struct nlmsghdr *request, mnl_cb_t take, void *ctx)
{
	unsigned int port = mnl_socket_get_portid(n->socket);
	char buf[2U * NIC_NETLINK_BYTES]; /* of a dump the kernel gives up to 32 KiB at once */
	ssize_t len;
	int rc;

	request->nlmsg_seq = ++n->sequence;
	if ((request->nlmsg_flags & NLM_F_DUMP) != NLM_F_DUMP) /* its bits are others of NEW */
		request->nlmsg_flags |= NLM_F_ACK;
	if (mnl_socket_sendto(n->socket, request, request->nlmsg_len) < 0)
		return -errno;
	do {
		len = mnl_socket_recvfrom(n->socket, buf, sizeof(buf));
		if (len < 0)
			return -errno;
		rc = mnl_cb_run(buf, (size_t)len, n->sequence, port, take, ctx);
		if (rc < 0)
			return -errno;
	} while (rc > MNL_CB_STOP);
	return 0;
}
