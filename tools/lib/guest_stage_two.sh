#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# guest_stage_two.sh FOLDER: what tools/guest runs as process 1 once the host's files are the root: makes
# the rest of a machine, runs FOLDER/command, and ends the machine with its status.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8
folder=$1

# To isa-debug-exit, which makes 2 N + 1 of what it is told, in eight bits; 1 is QEMU's own when it fails.
leave() {
	printf "\\x$(printf %x $((($1 > 126 ? 126 : $1) + 1)))" | dd of=/dev/port bs=1 seek=244 status=none
	sleep 10
	echo b >/proc/sysrq-trigger
}

mount_all() {
	mkdir -p /dev/shm /dev/pts /dev/hugepages
	mount -t tmpfs run /run
	mkdir -p /run/lock
	mount -t tmpfs shm /dev/shm
	mount -t devpts pts /dev/pts
	mount -t hugetlbfs huge /dev/hugepages
	mount -t cgroup2 cgroup /sys/fs/cgroup
	ln -sfn /proc/self/fd /dev/fd
	ln -sfn fd/0 /dev/stdin
	ln -sfn fd/1 /dev/stdout
	ln -sfn fd/2 /dev/stderr
}

# As udev names them.
name_ports() {
	local port
	mkdir -p /dev/virtio-ports
	for port in /sys/class/virtio-ports/*; do
		ln -s "../${port##*/}" "/dev/virtio-ports/$(cat "$port/name")"
	done
}

mount_all
name_ports
. "$folder/command"
mkdir -p /lib/modules
mount --bind "$modules" /lib/modules
modprobe virtio_net
ip link set lo up
hostname guest
"${command[@]}" </dev/null >/dev/virtio-ports/stdout 2>/dev/virtio-ports/stderr
leave $?
