# SPDX-License-Identifier: BSD-3-Clause
"""A virtual cable as it comes: super-packets, and checksums that nobody made. --nic-mode vnet."""
import os

from lab import SERVER_IP

LABS = [{"size": 256 << 20, "offloads": "on", "ipv6": True}]
BIG = f"http://{SERVER_IP}/big"


def mean_frame(stats):
    nic = stats["transfers"][0]["nic"]
    return nic["rx_bytes"] / nic["rx_packets"]


def test_vnet_super_packets_are_exact(lab):
    stats = lab.fetch_exact(BIG, os.path.join(lab.www, "big"), "--nic-mode", "vnet")
    assert mean_frame(stats) > 20000, f"{mean_frame(stats)} bytes a frame: no test"


def test_vnet_super_packets_without_retransmission(lab):
    lab.lossless_runs(3, "--nic-mode", "vnet", "-o", "/dev/null", BIG)


def test_vnet_super_packets_over_ipv6_are_exact(lab):
    lab.fetch_exact("http://[2001:2:0:18::1]/big", os.path.join(lab.www, "big"), "--nic-mode", "vnet",
                    "--address6", "2001:2:0:18::2/64")


def test_vnet_checksums_are_not_taken_for_good_where_the_user_said_so(lab):
    """Then those that nobody made look corrupt, and the user is told whose doing it is."""
    result = lab.dpfetch("--nic-mode", "vnet", "--no-checksum-offload", "--connect-timeout", "2", "-m", "5", "-v", "-o",
                         "/dev/null", f"http://{SERVER_IP}/1")
    assert result.returncode == 28 and "leave out --no-checksum-offload" in result.stderr, result.stderr


def test_ring_names_vnet_where_super_packets_come(lab):
    result = lab.dpfetch("-m", "3", "-v", "-o", "/dev/null", BIG)
    assert result.returncode == 28 and "--nic-mode vnet" in result.stderr, result.stderr


def test_vnet_small_files_and_both_acknowledgment_policies_are_exact(lab):
    for policy in ("every", "delayed", "burst"):
        for name in ("1", "1048576"):
            lab.fetch_exact(f"http://{SERVER_IP}/{name}", os.path.join(lab.www, name), "--nic-mode", "vnet",
                            "--ack", policy)


def test_vnet_small_window_and_few_buffers_are_exact(lab):
    lab.fetch_exact(f"http://{SERVER_IP}/1048576", os.path.join(lab.www, "1048576"), "--nic-mode", "vnet",
                    "--window", "20000")
    lab.fetch_exact(f"http://{SERVER_IP}/1048576", os.path.join(lab.www, "1048576"), "--nic-mode", "vnet",
                    "--rx-buffers", "64")


def test_vnet_own_mac_address_is_used_and_nothing_is_left(lab):
    lab.fetch_exact(f"http://{SERVER_IP}/1048576", os.path.join(lab.www, "1048576"), "--nic-mode", "vnet",
                    "--mac", "02:00:5e:10:00:01")
    assert "02:00:5e:10:00:01" in lab.in_server("ip", "neigh").stdout
    assert "promiscuity 0" in lab.in_client("ip", "-d", "link", "show", "c0").stdout


def test_vnet_several_queues_are_refused(lab):
    result = lab.dpfetch("bench", "--nic-mode", "vnet", "--queues", "2", "-c", "2", "-n", "10",
                         f"http://{SERVER_IP}/1")
    assert result.returncode != 0 and "one queue" in result.stderr, result.stderr


def test_vnet_bench_is_answered(lab):
    result = lab.dpfetch("bench", "--nic-mode", "vnet", "-c", "16", "-n", "2000", "--fail-if", "errors>0",
                         f"http://{SERVER_IP}/1448")
    assert result.returncode == 0, result.stderr
