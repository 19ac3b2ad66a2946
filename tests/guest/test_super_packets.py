# SPDX-License-Identifier: BSD-3-Clause
"""A cable that takes super-packets: NICs that join segments (LRO) get frames above the MTU, and the file is right."""
from guest import say

MACHINE = "--nic virtio --nic vmxnet3 --queues 2 --cpus 3 --iommu on"


def bytes_a_frame(stats, name):
    counters = stats["transfers"][0]["counters"]
    mean = counters["rx_bytes"] / counters["rx_frames"]
    say(f"{name}: LRO {'on' if stats['environment']['lro'] else 'off'}, {mean:.0f} bytes a frame")
    return mean


def test_virtio_lro_takes_frames_above_the_mtu(guest):
    stats = guest.fetch(guest.nic("virtio"))
    assert stats["environment"]["lro"] and bytes_a_frame(stats, "virtio") > 1600, stats["transfers"][0]["counters"]


def test_lro_switched_off_takes_frames_of_the_mtu(guest):
    stats = guest.fetch(guest.nic("virtio"), "--no-lro")
    assert not stats["environment"]["lro"] and bytes_a_frame(stats, "virtio") <= 1514, stats["transfers"][0]["counters"]


def test_vmxnet3_loses_no_frame_to_lro(guest):
    """Its driver would have QEMU's device join what one buffer cannot hold: each such frame is an error."""
    stats = guest.fetch(guest.nic("vmxnet3"))
    assert bytes_a_frame(stats, "vmxnet3") <= 1514 and stats["transfers"][0]["nic"]["ierrors"] == 0, stats["transfers"]
