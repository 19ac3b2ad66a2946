# SPDX-License-Identifier: BSD-3-Clause
"""The cable of a PCI NIC is pulled in mid-transfer, by QEMU's monitor."""
import os
import time

from guest import WORK, say, wait_until

MACHINE = "--nic e1000e --nic vmxnet3 --nic virtio --iommu on"


def heard(guest, index):
    """Frames that the server's end has received."""
    return int(guest.in_server("cat", f"/sys/class/net/{guest.peer(index)}/statistics/rx_packets").stdout)


def test_link_flap_during_a_transfer_goes_on_and_is_exact(guest):
    index = guest.nic("e1000e")
    out = f"{WORK}/out"
    process = guest.popen(index, "-o", out, "--stats", f"{WORK}/stats", f"http://{guest.server_ip(index)}/slow/long")
    wait_until(lambda: os.path.exists(out) and os.path.getsize(out) > 0 or process.poll() is not None, 90, "first bytes")
    guest.monitor("set_link nic0 off")
    time.sleep(1)
    held = heard(guest, index)
    time.sleep(1)
    assert process.poll() is None and heard(guest, index) == held, "the cable was not pulled"
    guest.monitor("set_link nic0 on")
    stats = guest.finish(process, "long")
    assert "is down" in stats["stderr"] and "is up again" in stats["stderr"], stats["stderr"]
    say(f"the cable was out for 2 s; {stats['transfers'][0]['result']['time_total']:.1f} s in all")
