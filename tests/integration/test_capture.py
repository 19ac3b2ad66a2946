# SPDX-License-Identifier: BSD-3-Clause
"""--pcap and --pcap-on-error: what tshark reads is what was sent and received."""
import json
import os
import subprocess
import sys
import time

from lab import MAC, SERVER_IP

LABS = [{"mtu": 1500, "size": 0}]


def tshark(path, *fields, only=None):
    """One list of fields a frame."""
    command = ["tshark", "-n", "-o", "tcp.check_checksum:TRUE", "-r", path, "-T", "fields", "-E", "separator=|"]
    for field in fields:
        command += ["-e", field]
    text = subprocess.run(command + (["-Y", only] if only else []), check=True, capture_output=True, text=True).stdout
    return [line.split("|") for line in text.splitlines()]


def test_pcap_has_every_frame_of_both_directions(lab):
    pcap, stats, out = lab.path("all.pcapng"), lab.path("all.json"), lab.path("all")
    result = lab.dpfetch("-s", "-S", "-o", out, "--pcap", pcap, "--stats", stats, f"http://{SERVER_IP}/1048576")
    assert result.returncode == 0, result.stderr
    with open(stats, encoding="utf-8") as file:
        counters = json.load(file)["transfers"][0]["counters"]
    received = tshark(pcap, "frame.number", only=f"eth.dst == {MAC} and frame.packet_flags_direction == 1")
    sent = tshark(pcap, "frame.number", only=f"eth.src == {MAC} and frame.packet_flags_direction == 2")
    body = sum(int(row[0]) for row in tshark(pcap, "tcp.len", only="tcp.srcport == 80"))
    assert len(received) >= counters["tcp_segments_received"], (len(received), counters)
    assert len(sent) >= counters["tx_frames"], (len(sent), counters)
    assert body > 1048576, body
    assert len(tshark(pcap, "frame.number", only="tcp.checksum.status == 1")) >= len(received) - 2  # good; ARP has none
    for wrong in ("tcp.checksum.status == 0", "tcp.analysis.lost_segment", "tcp.flags.reset == 1"):
        assert not tshark(pcap, "frame.number", only=wrong), wrong


def test_pcap_times_are_those_of_the_day_and_in_order(lab):
    pcap = lab.path("times.pcapng")
    before = time.time()
    assert lab.dpfetch("-s", "-o", "/dev/null", "--pcap", pcap, f"http://{SERVER_IP}/65536").returncode == 0
    times = [float(row[0]) for row in tshark(pcap, "frame.time_epoch")]
    assert times == sorted(times) and len(times) > 50, times
    assert before - 1 < times[0] < times[-1] < time.time() + 1, times


def test_pcap_comments_say_why_a_frame_was_dropped(lab):
    pcap = lab.path("dropped.pcapng")
    silent = lab.start(sys.executable, "-c", SILENT_SERVER, str(PORT))
    lab.wait_for_port(PORT, silent)
    process = lab.popen("-s", "-o", "/dev/null", "--pcap", pcap, "-m", "3", f"http://{SERVER_IP}:{PORT}/")
    lab.in_server(sys.executable, "-c", OTHER_ETHERTYPE)
    process.communicate(timeout=30)
    lab.stop(silent)
    comments = [row[0] for row in tshark(pcap, "frame.comment", only="eth.type == 0x88b5")]
    assert comments and all(c.startswith("drop_eth_type: ") for c in comments), comments


PORT = 8099
SILENT_SERVER = """
import socket, sys, time
listening = socket.create_server(("198.18.0.1", int(sys.argv[1])))
connection = listening.accept()
time.sleep(60)
"""
OTHER_ETHERTYPE = """
import socket, time
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind(("s0", 0))
for _ in range(100):
    s.send(bytes.fromhex("02005e120002" "020000000001" "88b5") + bytes(46))
    time.sleep(0.02)
"""


def test_pcap_on_error_is_written_only_when_something_fails(lab):
    pcap = lab.path("error.pcapng")
    assert lab.dpfetch("-s", "-o", "/dev/null", "--pcap-on-error", pcap, f"http://{SERVER_IP}/65536").returncode == 0
    assert not os.path.exists(pcap)
    result = lab.dpfetch("-f", "-o", "/dev/null", "--pcap-on-error", pcap, "--pcap-packets", "8",
                         f"http://{SERVER_IP}/65536", f"http://{SERVER_IP}/is-not-there")
    assert result.returncode == 22, result.stderr
    assert f"the last 8 frames are in '{pcap}'" in result.stderr, result.stderr
    assert len(tshark(pcap, "frame.number")) == 8
    assert tshark(pcap, "http.response.code", only="http.response")[-1] == ["404"]


def test_pcap_that_cannot_be_written_is_said(lab):
    result = lab.dpfetch("-o", "/dev/null", "--pcap", "/nowhere/file", f"http://{SERVER_IP}/1")
    assert result.returncode == 115, result.stderr
    assert "--pcap: cannot write '/nowhere/file': No such file or directory" in result.stderr, result.stderr
    result = lab.dpfetch("-o", "/dev/null", "--pcap", "/dev/full", f"http://{SERVER_IP}/1048576")
    assert result.returncode == 115 and "No space left on device" in result.stderr, result.stderr


def test_pcap_snaplen_and_size_bound_the_file(lab):
    pcap = lab.path("bounded.pcapng")
    result = lab.dpfetch("-o", "/dev/null", "--pcap", pcap, "--pcap-snaplen", "96", "--pcap-size", "20k",
                         f"http://{SERVER_IP}/1048576")
    assert result.returncode == 0 and "later frames are not in it" in result.stderr, result.stderr
    assert 20 << 10 <= os.path.getsize(pcap) < 21 << 10
    assert all(int(cap) <= 96 <= int(length) or int(length) < 96
               for cap, length in tshark(pcap, "frame.cap_len", "frame.len"))


def test_pcap_of_several_queues_has_them_all(lab):
    pcap = lab.path("queues.pcapng")
    result = lab.dpfetch("bench", "-c", "8", "-n", "80", "--queues", "2", "--pcap", pcap, f"http://{SERVER_IP}/1")
    assert result.returncode == 0, result.stderr
    queues = {row[0] for row in tshark(pcap, "frame.interface_queue", only="http.response")}
    assert queues == {"0", "1"}, queues
    assert len(tshark(pcap, "frame.number", only="http.response")) >= 80
