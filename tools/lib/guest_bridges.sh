#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# guest_bridges.sh "QUEUES..." COMMAND...: in a network namespace made for it, one bridge for each NIC of
# tools/guest's machine, between its end of the cable (tap cable0, cable1, ..., of as many queues) and its
# peer's (far0, ...); then becomes COMMAND. All of it ends with the namespace.
set -euo pipefail
read -ra queues <<<"$1"
shift
sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1 2>/dev/null || true
for i in "${!queues[@]}"; do
	several=
	[ "${queues[i]}" = 1 ] || several=multi_queue
	ip link add "bridge$i" type bridge
	ip tuntap add "cable$i" mode tap vnet_hdr $several
	ip tuntap add "far$i" mode tap vnet_hdr
	for end in "cable$i" "far$i"; do
		ip link set "$end" master "bridge$i"
		ip link set "$end" up
	done
	ip link set "bridge$i" up
done
exec "$@"
