# SPDX-License-Identifier: BSD-3-Clause
"""sch_netem on the server's side of the cable, both ways: whatever it does to the frames, the file is exact."""
import contextlib

from guest import run, say

MACHINE = "--nic e1000e --nic vmxnet3 --nic virtio --iommu on"


@contextlib.contextmanager
def netem(guest, index, *how):
    """What the server sends meets it on its way out; what it receives, on its way through ifb0."""
    peer = guest.peer(index)
    guest.in_server("ip", "link", "set", peer, "gso_max_segs", "1")  # or 64 KiB would be lost at once
    guest.in_server("ethtool", "-K", peer, "gro", "off")  # it verifies checksums, before ifb0's netem corrupts
    run("modprobe", "ifb", "numifbs=0")
    guest.in_server("ip", "link", "add", "ifb0", "type", "ifb")
    guest.in_server("ip", "link", "set", "ifb0", "up")
    guest.in_server("tc", "qdisc", "add", "dev", peer, "handle", "ffff:", "ingress")
    guest.in_server("tc", "filter", "add", "dev", peer, "parent", "ffff:", "matchall", "action", "mirred", "egress",
                    "redirect", "dev", "ifb0")
    for device in (peer, "ifb0"):
        guest.in_server("tc", "qdisc", "add", "dev", device, "root", "netem", "limit", "10000", *how)
    try:
        yield
    finally:
        guest.in_server("tc", "qdisc", "del", "dev", peer, "root")
        guest.in_server("tc", "qdisc", "del", "dev", peer, "ingress")
        guest.in_server("ip", "link", "del", "ifb0")


def fetch_through(guest, model, how):
    """Returns the run's counters and the seconds that connecting took, which show that netem was at work."""
    index = guest.nic(model)
    before = guest.retransmitted()
    with netem(guest, index, *how.split()):
        transfer = guest.fetch(index, path="small")["transfers"][0]
    counters, result = transfer["counters"], transfer["result"]
    counters["sent_again"] = guest.retransmitted() - before
    say(f"{how} ({model}): {counters['sent_again']} sent again by the server, out of order "
        f"{counters['tcp_out_of_order']}, duplicate {counters['tcp_duplicate']}, "
        f"bad sums {counters['drop_tcp_checksum'] + counters['drop_ip_checksum']}, "
        f"{result['time_total']:.1f} s")
    return counters, result["time_connect"]


def test_lost_frames_are_repaired(guest):
    counters, _ = fetch_through(guest, "virtio", "loss 3%")
    assert counters["sent_again"] > 0 and counters["tcp_sacks_sent"] > 0, counters


def test_delayed_frames_are_waited_for(guest):
    _, connect = fetch_through(guest, "vmxnet3", "delay 20ms")
    assert connect >= 0.04, connect


def test_reordered_frames_are_put_in_order(guest):
    counters, _ = fetch_through(guest, "virtio", "delay 4ms reorder 75% 50%")
    assert counters["tcp_out_of_order"] > 10, counters


def test_duplicated_frames_are_taken_once(guest):
    counters, _ = fetch_through(guest, "vmxnet3", "duplicate 10%")
    assert counters["tcp_duplicate"] > 10 and counters["tcp_dsacks_sent"] > 0, counters


def test_corrupted_frames_are_not_taken(guest):
    for model in ("e1000e", "vmxnet3"):
        counters, _ = fetch_through(guest, model, "corrupt 3%")
        assert counters["drop_tcp_checksum"] > 0 and counters["sent_again"] > 0, counters


def test_all_of_it_together_is_repaired(guest):
    counters, _ = fetch_through(guest, "virtio", "delay 2ms 1ms loss 1% duplicate 1% reorder 10% corrupt 1%")
    assert min(counters[name] for name in ("sent_again", "tcp_out_of_order", "tcp_duplicate")) > 0, counters
