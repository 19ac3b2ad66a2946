#!/bin/busybox sh
# SPDX-License-Identifier: BSD-3-Clause
# The /init of tools/guest's initramfs: makes a root of the host's files, the rest of a machine as far as
# busybox can (each program of the host's takes ten times as long to start), and goes on there in stage two.
export PATH=/bin
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
while read -r module; do
	insmod "/modules/$module"
done </modules/order
ip link set lo up
hostname guest

# As udev would have it.
mkdir -p /dev/shm /dev/pts /dev/hugepages /dev/virtio-ports
for port in /sys/class/virtio-ports/*; do
	ln -s "../${port##*/}" "/dev/virtio-ports/$(cat "$port/name")"
done
ln -s /proc/self/fd /dev/fd
for number in 0:stdin 1:stdout 2:stderr; do
	ln -s "fd/${number%:*}" "/dev/${number#*:}"
done
mount -t tmpfs shm /dev/shm
mount -t devpts pts /dev/pts
mount -t hugetlbfs huge /dev/hugepages
mount -t cgroup2 cgroup /sys/fs/cgroup

mount -t 9p -o ro,trans=virtio,version=9p2000.L,msize=512000,cache=loose host /host &&
	mount -t tmpfs -o size=60% over /over &&
	mkdir /over/upper /over/work &&
	mount -t overlay -o lowerdir=/host,upperdir=/over/upper,workdir=/over/work root /root || {
	echo "guest: no root"
	poweroff -f
}
for folder in dev proc sys; do
	mount --move "/$folder" "/root/$folder"
done
mount -t tmpfs run /root/run
mkdir -p /root/run/lock /root/lib/modules
option() {
	sed "s/.*guest\\.$1=\\([^ ]*\\).*/\\1/" /root/proc/cmdline
}
mount --bind "/root/$(option modules)" /root/lib/modules
folder=$(option folder)
exec switch_root /root /bin/bash "$folder/stage_two" "$folder"
