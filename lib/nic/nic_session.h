/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef NIC_SESSION_H
#define NIC_SESSION_H

#include <stdint.h>

#include "nic_system.h"

#define NIC_SESSIONS_MAX 64U
#define NIC_SESSION_PEER_MAX 64U

/** An SSH session into this machine. */
struct nic_session {
	char interface[NIC_NAME_MAX]; /* that has its local address */
	char peer[NIC_SESSION_PEER_MAX]; /* where it comes from, "192.0.2.7" */
};

/**
 * The SSH sessions of this network namespace: established TCP connections of a process named sshd or
 * sshd-session, or from port 22, by whoever asks; and the one that ssh_connection ("client_ip client_port server_ip server_port", sshd's
 * variable SSH_CONNECTION) tells of; NULL: none. Those over the loopback are none.
 * How many were written to ret (NIC_SESSIONS_MAX); more are left out.
 */
uint32_t nic_sessions_find(const struct nic_system *s, const char *ssh_connection,
	struct nic_session ret[NIC_SESSIONS_MAX]);

#endif
