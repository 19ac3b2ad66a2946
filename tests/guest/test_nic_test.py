# SPDX-License-Identifier: BSD-3-Clause
"""dpfetch nic test on emulated NICs: a sound one passes, and what is spoilt, on purpose or by QEMU, is found."""
import json
import os
import subprocess
import time
import xml.etree.ElementTree

from guest import DPFETCH, WORK, run, say

MACHINE = "--nic e1000e --nic vmxnet3 --nic virtio --iommu on"

VLAN = 100


def prepare(guest, index, mtu=1500):
    """A next hop that sends back what is for us, and is in a VLAN, too."""
    peer = guest.peer(index)
    vlan = f"{peer}.{VLAN}"
    guest.in_server("sysctl", "-qw", "net.ipv4.ip_forward=1")
    guest.in_server("ip", "link", "set", peer, "mtu", str(mtu))
    guest.in_server("ip", "link", "del", vlan, check=False)
    guest.in_server("ip", "link", "add", "link", peer, "name", vlan, "type", "vlan", "id", str(VLAN))
    guest.in_server("ip", "link", "set", vlan, "up")


def command_of(guest, index, *args):
    plain = guest.command(index, "--test-vlan", str(VLAN), "--stats", f"{WORK}/tests", "--junit", f"{WORK}/junit",
                          "--html", f"{WORK}/html", *args, f"http://{guest.server_ip(index)}/small")
    at = plain.index(DPFETCH) + 1
    return [*plain[:at], "nic", "test", *plain[at:]]


def reports(failed):
    """What each test said, by its name; all three reports agree on how many failed."""
    with open(f"{WORK}/tests", encoding="utf-8") as file:
        document = json.load(file)
    suite = xml.etree.ElementTree.parse(f"{WORK}/junit").getroot().find("testsuite")
    tests = {test["name"]: test for test in document["tests"]}
    assert document["failed"] == int(suite.get("failures")) == failed, suite.attrib
    assert os.path.getsize(f"{WORK}/html") > 1000
    return tests


def nic_test(guest, index, *args, failed=0):
    result = run(*command_of(guest, index, *args), check=False, timeout=400)
    say(result.stdout.strip().replace("\n", "\n      "))
    assert result.returncode == (121 if failed else 0), f"exit {result.returncode}: {result.stderr}"
    return reports(failed)


def cases(test, verdict):
    return {case["name"]: case["text"] for case in test["cases"] if case["verdict"] == verdict}


def test_nic_test_of_a_sound_e1000e_passes(guest):
    index = guest.nic("e1000e")
    prepare(guest, index, 9000)
    tests = nic_test(guest, index, "--skip", "soak,flap")
    passed = {name for name, test in tests.items() if test["verdict"] == "pass"}
    assert passed >= {"link", "fetch", "mac", "mtu", "checksum-tx", "checksum-rx", "vlan", "sizes", "rates"}, passed
    assert "9000 bytes" in cases(tests["mtu"], "pass")
    assert "the NIC reports it" in cases(tests["checksum-rx"], "pass")["TCP, 100 bytes, wrong"]
    assert cases(tests["vlan"], "pass").keys() >= {"stripped", "inserted, the VLAN that we share"}
    assert "no RSS" in tests["rss"]["text"]


def test_nic_test_of_vmxnet3_finds_that_qemu_does_not_spread_its_frames(guest):
    index = guest.nic("vmxnet3")
    prepare(guest, index)
    tests = nic_test(guest, index, "--only", "mac,checksum-tx,checksum-rx,vlan,rss", failed=1)
    assert tests["rss"]["verdict"] == "fail" and "spread evenly" in cases(tests["rss"], "fail"), tests["rss"]


def test_nic_test_of_a_sound_virtio_passes(guest):
    index = guest.nic("virtio")
    prepare(guest, index)
    tests = nic_test(guest, index, "--only", "mac,vlan")
    assert tests["mac"]["verdict"] == tests["vlan"]["verdict"] == "pass", tests


def test_nic_test_finds_a_cable_that_damages_frames(guest):
    """Of IPv4 only: ARP has no checksum, and a damaged answer gives a wrong MAC address, so that nothing is reached."""
    index = guest.nic("e1000e")
    peer = guest.peer(index)
    prepare(guest, index)
    guest.in_server("tc", "qdisc", "add", "dev", peer, "root", "handle", "1:", "prio", "bands", "2", "priomap", *["0"] * 16)
    guest.in_server("tc", "qdisc", "add", "dev", peer, "parent", "1:2", "netem", "corrupt", "10%")
    guest.in_server("tc", "filter", "add", "dev", peer, "parent", "1:", "protocol", "ip", "matchall", "classid", "1:2")
    try:
        tests = nic_test(guest, index, "--only", "sizes", failed=1)
    finally:
        guest.in_server("tc", "qdisc", "del", "dev", peer, "root")
    assert "the frame's data (it differs)" in tests["sizes"]["text"], tests["sizes"]


def test_nic_test_finds_a_path_that_loses_jumbo_frames(guest):
    index = guest.nic("e1000e")
    peer = guest.peer(index)
    prepare(guest, index, 9000)
    guest.in_server("ethtool", "-K", peer, "tso", "off", "gso", "off")
    guest.in_server("tc", "qdisc", "add", "dev", peer, "clsact")
    guest.in_server("tc", "filter", "add", "dev", peer, "egress", "matchall", "action", "police", "rate", "10gbit",
                    "burst", "10m", "mtu", "3000", "conform-exceed", "drop")
    try:
        tests = nic_test(guest, index, "--only", "mtu", "-m", "8", failed=1)
    finally:
        guest.in_server("tc", "qdisc", "del", "dev", peer, "clsact")
    assert cases(tests["mtu"], "pass").keys() >= {"576 bytes", "1500 bytes", "2048 bytes"}, tests["mtu"]
    assert cases(tests["mtu"], "fail").keys() >= {"4096 bytes", "9000 bytes"}, tests["mtu"]


def test_nic_test_with_a_cable_pulled_by_hand_goes_on(guest):
    index = guest.nic("e1000e")
    prepare(guest, index)
    with subprocess.Popen(command_of(guest, index, "--only", "flap", "--flap", "manual"), stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        for line in process.stderr:
            if "pull the cable" in line:
                break
        time.sleep(12)  # a start takes 6 s here
        guest.monitor(f"set_link nic{index} off")
        time.sleep(3)
        guest.monitor(f"set_link nic{index} on")
        out, err = process.communicate(timeout=120)
    say(out.strip().replace("\n", "\n      "))
    assert process.returncode == 0, f"exit {process.returncode}: {err}"
    assert reports(0)["flap"]["verdict"] == "pass", out


def test_nic_test_without_a_link_fails_and_skips_the_rest(guest):
    index = guest.nic("e1000e")
    guest.monitor(f"set_link nic{index} off")
    try:
        tests = nic_test(guest, index, "--link-timeout", "5", failed=1)
    finally:
        guest.monitor(f"set_link nic{index} on")
    assert "did not come up" in tests["link"]["text"], tests["link"]
    assert all(test["verdict"] == "skipped" for name, test in tests.items() if name != "link")
