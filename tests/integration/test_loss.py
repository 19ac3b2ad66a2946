# SPDX-License-Identifier: BSD-3-Clause
"""Frames lost in the middle, both ways: exact, and finishing."""
import os

from lab import SERVER_IP

LABS = [{"mtu": 1500, "size": 0, "loss_percent": percent} for percent in (1, 5)]


def make(lab, size):
    path = os.path.join(lab.www, f"loss{size}")
    if not os.path.exists(path):
        with open(path, "wb") as file:
            file.write(os.urandom(size))
    return path


def test_loss_16_mib_is_exact(lab):
    path = make(lab, 16 << 20)
    stats = lab.fetch_exact(f"http://{SERVER_IP}/{os.path.basename(path)}", path)
    assert stats["transfers"][0]["counters"]["tcp_out_of_order"] > 0, "nothing was lost: no test"


def test_loss_20_small_fetches_are_exact(lab):
    path = make(lab, 100000)
    for _ in range(20):
        lab.fetch_exact(f"http://{SERVER_IP}/{os.path.basename(path)}", path)
