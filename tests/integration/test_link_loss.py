# SPDX-License-Identifier: BSD-3-Clause
"""The cable is pulled in mid-transfer."""
import contextlib
import os
import time

from lab import SERVER_IP

LABS = [{"mtu": 1500, "size": 1 << 30}]
BIG = f"http://{SERVER_IP}/big"


def is_prefix(part, whole):
    with open(part, "rb") as a, open(whole, "rb") as b:
        while block := a.read(1 << 20):
            if b.read(len(block)) != block:
                return False
    return True


def start_transfer(lab, *args):
    """dpfetch with a file that grows already."""
    out = lab.path("out")
    if os.path.exists(out):
        os.unlink(out)
    process = lab.popen("-o", out, *args, BIG)
    while process.poll() is None and not (os.path.exists(out) and os.path.getsize(out) > 0):
        time.sleep(0.005)
    assert process.poll() is None, process.stderr.read()
    return process, out


def pull(lab, state):
    lab.in_server("ip", "link", "set", "s0", state)


def test_link_back_after_a_second_goes_on_and_is_exact(lab):
    for mode in ("ring", "af_packet", "vnet"):
        link_back_after_a_second(lab, mode)


def link_back_after_a_second(lab, mode):
    process, out = start_transfer(lab, "--nic-mode", mode)
    pull(lab, "down")
    time.sleep(1)
    pull(lab, "up")
    _, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert "link of c0 is down" in err and "is up again" in err, err
    whole = os.path.join(lab.www, "big")
    assert os.path.getsize(out) == os.path.getsize(whole) and is_prefix(out, whole)
    os.unlink(out)


def test_link_down_for_good_is_56_and_the_partial_file_is_kept_and_named(lab):
    process, out = start_transfer(lab, "--link-timeout", "2")
    start = time.monotonic()
    pull(lab, "down")
    try:
        _, err = process.communicate(timeout=60)
    finally:
        pull(lab, "up")
    assert process.returncode == 56, f"{process.returncode}: {err}"
    assert 1.5 < time.monotonic() - start < 5
    assert "link of c0" in err and out in err, err
    assert is_prefix(out, os.path.join(lab.www, "big"))
    os.unlink(out)


@contextlib.contextmanager
def own_cable(lab):
    """A second one, gone0 to gone1, that a test may cut without harm to the lab. Gives gone1's address."""
    address, nic = "198.18.1.1", "gone0"
    lab.in_client("ip", "link", "add", nic, "type", "veth", "peer", "name", "gone1")
    lab.in_client("ip", "link", "set", "gone1", "netns", lab.server)
    lab.in_client("ip", "link", "set", nic, "up")
    lab.in_client("ethtool", "-K", nic, "gro", "off")
    lab.in_server("ip", "link", "set", "gone1", "up")
    lab.in_server("ethtool", "-K", "gone1", "tx", "off", "tso", "off", "gso", "off")
    lab.in_server("ip", "addr", "add", address + "/24", "dev", "gone1")
    try:
        yield address
    finally:
        lab.in_client("ip", "link", "del", nic, check=False)


def delete_and_wait(lab, process):
    """Deletes gone0 under dpfetch, which must end at once and say so. Returns what it said."""
    lab.in_client("ip", "link", "del", "gone0")
    start = time.monotonic()
    _, err = process.communicate(timeout=60)
    assert time.monotonic() - start < 2.5, f"not at once: {err}"
    assert "gone0 is gone" in err, err
    return err


def test_interface_deleted_is_56_at_once_and_the_partial_file_is_kept_and_named(lab):
    out = lab.path("gone")
    with own_cable(lab) as address:
        lab.start("python3", "-m", "http.server", "8040", "--bind", address, "-d", lab.www, port=8040)
        process = lab.popen("--nic", "gone0", "--address", "198.18.1.2/24", "-o", out,
                            f"http://{address}:8040/big")
        while process.poll() is None and not (os.path.exists(out) and os.path.getsize(out) > 0):
            time.sleep(0.005)
        assert process.poll() is None, process.stderr.read()
        err = delete_and_wait(lab, process)
    assert process.returncode == 56, f"{process.returncode}: {err}"
    assert out in err, err
    assert is_prefix(out, os.path.join(lab.www, "big"))
    os.unlink(out)


def test_interface_deleted_while_its_link_is_awaited_is_111_at_once(lab):
    with own_cable(lab) as address:
        lab.in_server("ip", "link", "set", "gone1", "down")
        process = lab.popen("-v", "--nic", "gone0", "--address", "198.18.1.2/24", f"http://{address}/")
        while "waiting for the link" not in (line := process.stderr.readline()):
            assert line, "it ended before it waited"
        err = delete_and_wait(lab, process)
    assert process.returncode == 111, f"{process.returncode}: {err}"


def test_interface_deleted_before_a_retry_is_56_at_once(lab):
    with own_cable(lab) as address:
        lab.in_server("nft", "add table ip mute; add chain ip mute in { type filter hook input priority 0; };"
                             f"add rule ip mute in ip daddr {address} drop")
        try:
            process = lab.popen("--nic", "gone0", "--address", "198.18.1.2/24", "--connect-timeout", "0.5",
                                "--retry", "3", "--retry-delay", "30", "-o", "/dev/null", f"http://{address}/")
            while "trying again" not in (line := process.stderr.readline()):
                assert line, "it ended before it tried again"
            err = delete_and_wait(lab, process)
        finally:
            lab.in_server("nft", "delete table ip mute")
    assert process.returncode == 56, f"{process.returncode}: {err}"
