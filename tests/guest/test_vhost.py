# SPDX-License-Identifier: BSD-3-Clause
"""virtio_user over the kernel's vhost-net: a tap interface as a NIC, with super-packets where both sides can."""
import contextlib

from guest import SERVER, run, say
from test_super_packets import bytes_a_frame

MACHINE = "--nic e1000e --iommu off"
INDEX = 9  # of its addresses
TAP = "v0"


@contextlib.contextmanager
def tap(guest):
    """virtio_user attaches to it; the kernel's end of it is the server."""
    run("modprobe", "tun")
    run("modprobe", "vhost_net")
    guest.in_server("ip", "tuntap", "add", TAP, "mode", "tap", "vnet_hdr")
    guest.in_server("ip", "addr", "add", guest.server_ip(INDEX) + "/24", "dev", TAP)
    guest.in_server("ip", "link", "set", TAP, "up")
    try:
        yield
    finally:
        guest.in_server("ip", "link", "del", TAP)


def test_vhost_net_fetches_4_mib_exactly(guest):
    with tap(guest):
        before = guest.retransmitted()
        stats = guest.fetch(INDEX, "--nic", f"virtio_user0,path=/dev/vhost-net,queue_size=1024,iface={TAP}",
                            namespace=SERVER)
    assert stats["environment"]["driver"] == "net_virtio_user", stats["environment"]
    say(f"{guest.retransmitted() - before} sent again by the server")
    assert stats["environment"]["lro"] and bytes_a_frame(stats, "virtio_user") > 1600, stats["transfers"][0]["counters"]
