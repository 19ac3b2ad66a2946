# SPDX-License-Identifier: BSD-3-Clause
"""A packet socket's ring, read in place, on a cable where checksums are left to hardware. --nic-mode ring, the default."""
import hashlib
import json
import os
import re
import subprocess
import time

from lab import SERVER_IP

LABS = [{"size": 256 << 20, "offloads": "checksum"}]
BIG = f"http://{SERVER_IP}/big"


def driver_of(stderr):
    return re.search(r"port .* \((\w+)\), MAC", stderr)[1]


def test_ring_is_what_auto_takes_for_one_queue(lab):
    for mode, driver in (("auto", "ring"), ("ring", "ring"), ("af_packet", "net_af_packet")):
        result = lab.dpfetch("-v", "-m", "2", "--nic-mode", mode, "-o", "/dev/null", f"http://{SERVER_IP}/1")
        assert driver_of(result.stderr) == driver, result.stderr


def test_ring_takes_checksums_that_nobody_made(lab):
    """af_packet cannot tell them from damage."""
    stats = lab.fetch_exact(BIG, os.path.join(lab.www, "big"))
    assert stats["transfers"][0]["counters"]["rx_csum_hardware"] > 10 * stats["transfers"][0]["counters"].get("rx_csum_software", 0), stats["transfers"][0]["counters"]
    result = lab.dpfetch("--nic-mode", "af_packet", "-m", "3", "-o", "/dev/null", f"http://{SERVER_IP}/1")
    assert result.returncode == 28 and "--nic-mode ring" in result.stderr, result.stderr


def test_ring_checksums_are_not_taken_for_good_where_the_user_said_so(lab):
    result = lab.dpfetch("--no-checksum-offload", "-m", "3", "-o", "/dev/null", f"http://{SERVER_IP}/1")
    assert result.returncode == 28, result.stderr


def test_ring_file_is_exact_while_the_writer_has_the_frames(lab):
    """Those that do not fit what may be lent are copied."""
    for window in ("64k", "4m", "16m"):
        stats = lab.fetch_exact(BIG, os.path.join(lab.www, "big"), "--window", window)
        assert stats["transfers"][0]["nic"]["imissed"] == 0, stats["transfers"][0]["nic"]


def test_ring_few_buffers_are_exact(lab):
    lab.fetch_exact(f"http://{SERVER_IP}/1048576", os.path.join(lab.www, "1048576"), "--rx-buffers", "64")


def noise(lab, frames):
    """Broadcast frames on the cable, which go round the ring and mean nothing."""
    code = ("import socket; s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW); s.bind(('s0', 0))\n"
            f"for _ in range({frames}): s.send(b'\\xff' * 6 + b'\\x02\\0\\0\\0\\0\\1' + b'\\x88\\xb5' + bytes(46))")
    lab.in_server("python3", "-c", code)


def test_ring_that_a_stopped_reader_blocks_goes_on_with_it(lab):
    """The reader of our standard output stops until the ring is full of what it has not taken, and others' frames
    have gone round it: they are missed, and counted; then it reads on."""
    stats = lab.path("stats.json")
    with subprocess.Popen(lab.command("-s", "--stats", stats, "-o", "-", BIG), stdout=subprocess.PIPE) as process:
        digest = hashlib.sha256(process.stdout.read(1 << 20))
        time.sleep(0.5)
        noise(lab, 20000)
        time.sleep(0.5)
        while data := process.stdout.read(1 << 20):
            digest.update(data)
        assert process.wait(30) == 0
    with open(os.path.join(lab.www, "big.sha256"), encoding="ascii") as file:
        assert file.read().split()[0] == digest.hexdigest()
    with open(stats, encoding="utf-8") as file:
        assert json.load(file)["transfers"][0]["nic"]["imissed"] > 1000, "the ring was not blocked: no test"


def test_ring_own_mac_address_is_used_and_nothing_is_left(lab):
    lab.fetch_exact(f"http://{SERVER_IP}/1048576", os.path.join(lab.www, "1048576"), "--mac", "02:00:5e:10:00:01")
    assert "02:00:5e:10:00:01" in lab.in_server("ip", "neigh").stdout
    assert "promiscuity 0" in lab.in_client("ip", "-d", "link", "show", "c0").stdout


def test_ring_several_queues_are_refused(lab):
    result = lab.dpfetch("bench", "--nic-mode", "ring", "--queues", "2", "-c", "2", "-n", "10", f"http://{SERVER_IP}/1")
    assert result.returncode != 0 and "one queue" in result.stderr, result.stderr


def test_ring_bench_is_answered(lab):
    result = lab.dpfetch("bench", "-c", "16", "-n", "2000", "--fail-if", "errors>0", f"http://{SERVER_IP}/1448")
    assert result.returncode == 0, result.stderr
