# SPDX-License-Identifier: BSD-3-Clause
"""dpfetch on a trunk: its frames carry the tag of --vlan, and it takes no others."""
import os

from lab import SERVER_IP

LABS = [{"mtu": 1500, "size": 0, "vlan_id": 17}]
URL = f"http://{SERVER_IP}/1048576"


def test_vlan_1_mib_is_exact(lab):
    stats = lab.fetch_exact(URL, os.path.join(lab.www, "1048576"), "--vlan", "17")
    assert stats["transfers"][0]["counters"]["drop_vlan_id"] == 0, stats


def test_vlan_tags_that_the_kernel_took_out_are_seen_with_vnet(lab):
    stats = lab.fetch_exact(URL, os.path.join(lab.www, "1048576"), "--nic-mode", "vnet", "--vlan", "17")
    assert stats["transfers"][0]["counters"]["drop_vlan_id"] == 0, stats
    result = lab.dpfetch("-o", "/dev/null", "--nic-mode", "vnet", "--vlan", "18", "--connect-timeout", "20", URL)
    assert result.returncode == 7 and SERVER_IP in result.stderr, f"{result.returncode} {result.stderr}"


def test_vlan_of_others_is_not_heard(lab):
    for args in ((), ("--vlan", "18")):
        result = lab.dpfetch("-o", "/dev/null", "--connect-timeout", "20", *args, URL)
        assert result.returncode == 7 and SERVER_IP in result.stderr, f"{args} {result.returncode} {result.stderr}"
