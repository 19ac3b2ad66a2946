# SPDX-License-Identifier: BSD-3-Clause
"""dpfetch nic test on a NIC with several queues and RSS."""
from test_nic_test import cases, nic_test, prepare
from test_queues import MACHINE  # pylint: disable=unused-import


def test_nic_test_of_rss_finds_each_flow_where_the_key_says(guest):
    index = guest.nic("virtio")
    prepare(guest, index)
    tests = nic_test(guest, index, "--only", "rss,queues")
    assert tests["rss"]["verdict"] == "pass" and tests["queues"]["verdict"] == "pass", tests
    assert "key and RETA" in cases(tests["rss"], "pass")["as it says"], tests["rss"]
