#!/bin/busybox sh
# SPDX-License-Identifier: BSD-3-Clause
# The /init of tools/guest's initramfs: makes a root of the host's files and goes on there.
export PATH=/bin
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
while read -r module; do
	insmod "/modules/$module"
done </modules/order

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
folder=$(sed 's/.*guest\.folder=\([^ ]*\).*/\1/' /root/proc/cmdline)
exec switch_root /root /bin/bash "$folder/stage_two" "$folder"
