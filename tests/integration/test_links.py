# SPDX-License-Identifier: BSD-3-Clause
"""Jumbo frames, and ways of using the port other than the default."""
import os
import time

from lab import SERVER_IP

LABS = [{"mtu": 9000, "size": 256 << 20}]
BIG = f"http://{SERVER_IP}/big"


def test_jumbo_256_mib_is_exact(lab):
    lab.fetch_exact(BIG, os.path.join(lab.www, "big"))


def test_jumbo_256_mib_without_retransmission(lab):
    lab.lossless_runs(3, "-o", "/dev/null", BIG)


def test_ack_policies_are_exact(lab):
    for policy in ("every", "delayed", "burst"):
        lab.fetch_exact(f"http://{SERVER_IP}/1048576", os.path.join(lab.www, "1048576"), "--ack", policy)


def test_small_window_is_exact(lab):
    lab.fetch_exact(f"http://{SERVER_IP}/1048576", os.path.join(lab.www, "1048576"), "--window", "20000")


def test_own_mac_address_is_used_and_the_interface_keeps_its_own(lab):
    before = lab.in_client("cat", "/sys/class/net/c0/address").stdout
    lab.fetch_exact(f"http://{SERVER_IP}/1048576", os.path.join(lab.www, "1048576"), "--mac",
                    "02:00:5e:10:00:01")
    assert "02:00:5e:10:00:01" in lab.in_server("ip", "neigh").stdout
    assert lab.in_client("cat", "/sys/class/net/c0/address").stdout == before
    assert "promiscuity 0" in lab.in_client("ip", "-d", "link", "show", "c0").stdout


def test_one_af_packet_queue_is_in_no_fanout_group(lab):
    """Of one member, it would only cost the kernel time."""
    process = lab.popen("-s", "-o", "/dev/null", BIG)
    handlers = ""
    while process.poll() is None and "c0" not in handlers:
        handlers = lab.in_client("cat", "/proc/net/ptype").stdout
    assert process.wait(timeout=60) == 0, process.stderr.read()
    assert "tpacket_rcv" in handlers and "fanout" not in handlers, handlers


def test_vdev_string_names_the_port(lab):
    lab.fetch_exact(f"http://{SERVER_IP}/1048576", os.path.join(lab.www, "1048576"), "--nic",
                    "net_af_packet3,iface=c0,blocksz=1048576,framesz=16384,framecnt=1024")


def test_frames_that_a_full_ring_loses_are_counted(lab):
    """net_af_packet itself reports none; and the file is exact for all that."""
    before = lab.retransmitted()
    stats = lab.fetch_exact(BIG, os.path.join(lab.www, "big"), "--nic",
                            "net_af_packet3,iface=c0,blocksz=262144,framesz=16384,framecnt=16")
    missed = stats["transfers"][0]["nic"]["imissed"]
    assert missed > 0 and lab.retransmitted() > before, f"{missed} missed: no test"


def test_eal_options_of_the_user_are_taken(lab):
    out = lab.path("eal")
    command = lab.command("-o", out, f"http://{SERVER_IP}/hello.txt")
    at = command.index("--nic")
    command[at:at] = ["--no-huge", "--no-shconf", "--no-pci", "-m", "256", "-l", "0", "--"]
    result = lab.run(command)
    assert result.returncode == 0, result.stderr
    with open(out, encoding="ascii") as file:
        assert file.read() == "Hello from the lab.\n"


def test_partial_checksums_are_named_with_their_fix(lab):
    """The server's kernel leaves checksums to its NIC: af_packet cannot work, and the user is told why."""
    lab.in_server("ethtool", "-K", "s0", "tx", "on")
    try:
        result = lab.dpfetch("--nic-mode", "af_packet", "-o", "/dev/null", "--connect-timeout", "3", f"http://{SERVER_IP}/1")
        assert result.returncode == 28, f"{result.returncode} {result.stderr}"
        assert "--nic-mode ring" in result.stderr and "ethtool -K" in result.stderr and "tx off" in result.stderr, result.stderr
    finally:
        lab.in_server("ethtool", "-K", "s0", "tx", "off", "tso", "off", "gso", "off")


def at_mtu_1500(lab, function):
    """Both ends of the cable at MTU 1500 while function runs."""
    ends = (("s0", lab.server), ("c0", lab.client))
    for end, namespace in ends:
        lab.run(["ip", "netns", "exec", namespace, "ip", "link", "set", end, "mtu", "1500"])
    lab.mtu = 1500
    try:
        function()
    finally:
        lab.mtu = 9000
        for end, namespace in ends:
            lab.run(["ip", "netns", "exec", namespace, "ip", "link", "set", end, "mtu", "9000"])


def with_hugepages(count, function):
    path = "/proc/sys/vm/nr_hugepages"
    with open(path, encoding="ascii") as file:
        before = file.read()
    try:
        with open(path, "w", encoding="ascii") as file:
            file.write(str(max(count, int(before))))
        function()
    finally:
        with open(path, "w", encoding="ascii") as file:
            file.write(before)


def test_af_xdp_256_mib_is_exact_and_leaves_no_program(lab):
    def fetch():
        lab.fetch_exact(BIG, os.path.join(lab.www, "big"), "--nic-mode", "af_xdp")
        assert "xdp" not in lab.in_client("ip", "-d", "link", "show", "c0").stdout

    at_mtu_1500(lab, lambda: with_hugepages(160, fetch))


def xdp_program(lab):
    return "xdp" in lab.in_client("ip", "-d", "link", "show", "c0").stdout


def test_xdp_program_of_a_killed_run_is_named_with_the_fix(lab):
    url = f"http://{SERVER_IP}/hello.txt"

    def kill_and_try_again():
        process = lab.popen("-s", "-o", "/dev/null", "--nic-mode", "af_xdp", BIG)
        while process.poll() is None and not xdp_program(lab):
            time.sleep(0.01)
        process.kill()
        process.communicate()
        assert xdp_program(lab), "nothing was left: no test"
        for mode in ("af_xdp", "af_packet"):
            result = lab.dpfetch("-o", "/dev/null", "--nic-mode", mode, url)
            assert result.returncode == 110, f"{result.returncode} {result.stderr}"
            assert "ip link set dev c0 xdp off" in result.stderr, result.stderr
            assert xdp_program(lab), "it may be somebody else's: not ours to remove"
        lab.in_client("ip", "link", "set", "dev", "c0", "xdp", "off")
        lab.fetch_exact(url, os.path.join(lab.www, "hello.txt"))

    try:
        at_mtu_1500(lab, lambda: with_hugepages(160, kill_and_try_again))
    finally:
        lab.in_client("ip", "link", "set", "dev", "c0", "xdp", "off", check=False)


def test_bad_device_and_bad_eal_option_give_one_message_with_the_reason(lab):
    cases = (([], "net_af_packet0,iface=nosuch", "no interface 'nosuch'"),
             ([], "net_af_packet0,iface=c0,blocksz=123", "frame size exceeds block size"),
             ([], "nosuchdriver0", "nosuchdriver0"),
             (["--frobnicate", "-l", "0", "--"], "c0", "no option '--frobnicate'"),
             (["-l", "777", "--"], "c0", "lcore 777"))
    for eal, nic, reason in cases:
        result = lab.run(["ip", "netns", "exec", lab.client, *lab.command()[4:5], *eal, "--nic", nic,
                          "--address", "198.18.0.2/24", "-o", "/dev/null", f"http://{SERVER_IP}/1"])
        assert result.returncode == 110 and reason in result.stderr, result.stderr
        assert result.stdout == "" and len(result.stderr.splitlines()) == 1, result.stdout + result.stderr


def test_af_xdp_without_hugepages_is_refused_with_the_fix(lab):
    def fetch():
        result = lab.dpfetch("--nic-mode", "af_xdp", "-o", "/dev/null", BIG)
        assert result.returncode == 110 and "vm.nr_hugepages" in result.stderr, result.stderr

    with open("/proc/sys/vm/nr_hugepages", encoding="ascii") as file:
        if int(file.read()) > 0:
            return  # this machine has some; what is refused cannot be shown
    at_mtu_1500(lab, fetch)
