# SPDX-License-Identifier: BSD-3-Clause
"""dpfetch over IPv6: its address given or made from a router's prefix, neighbours found by NDP."""
import contextlib
import os
import subprocess
import sys
import time

from lab import client_etc

LABS = [{"mtu": 1500, "size": 256 << 20, "ipv6": True}]
SERVER = "2001:2:0:18::1"
OURS = "2001:2:0:18::2"
FAR = "2001:2:0:99::1"  # off the link, behind the server
BIG = f"http://[{SERVER}]/big"
# A body that does not end: the fetch lasts as long as --max-time says, however fast the machine is.
STUCK_SERVER = f"""
import socket, time
listening = socket.create_server(("{SERVER}", 8081), family=socket.AF_INET6)
connection, _ = listening.accept()
connection.recv(4096)
connection.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nx")
time.sleep(60)
"""
STATIC = ("--address6", f"{OURS}/64")


def router(lab):
    """Debian's dnsmasq as the link's router: it advertises itself and the prefix. No DNS, no DHCP."""
    process = lab.start("dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--port=0", "--enable-ra",
                        "--dhcp-range=2001:2:0:18::,ra-only,64,1h", "--interface=s0", "--bind-interfaces",
                        f"--dhcp-leasefile={lab.path('leases')}", "--pid-file=", "--user=root", "--log-facility=-")
    time.sleep(0.3)
    assert process.poll() is None, process.stderr.read()
    return process


def far_server(lab):
    """A web server at an address that is not on the link."""
    lab.in_server("ip", "addr", "replace", f"{FAR}/128", "dev", "lo", "nodad")
    return lab.start(sys.executable, "-m", "http.server", "--bind", FAR, "--directory", lab.www, "8080", port=8080)


def test_ipv6_256_mib_is_exact_and_nothing_is_sent_twice(lab):
    stats = lab.fetch_exact(BIG, os.path.join(lab.www, "big"), *STATIC)
    transfer = stats["transfers"][0]
    assert transfer["counters"]["tcp_fast_path"] > 0.9 * transfer["counters"]["tcp_data_segments"], transfer
    lab.lossless_runs(3, *STATIC, "-o", "/dev/null", BIG)


def test_ipv6_addresses_are_what_write_out_says(lab):
    result = lab.dpfetch("-s", "-o", "/dev/null", "-w", "%{local_ip} %{remote_ip} %{http_code}", *STATIC,
                         "--resolve", f"www.lab:80:[{SERVER}]", "http://www.lab/hello.txt")
    assert (result.returncode, result.stdout) == (0, f"{OURS} {SERVER} 200"), f"{result.stdout} {result.stderr}"


def test_ipv6_and_ipv4_at_a_time(lab):
    result = lab.dpfetch("-s", "-S", "-w", "%{remote_ip} ", "--address", "198.18.0.2/24", *STATIC,
                         f"http://[{SERVER}]/hello.txt", "http://198.18.0.1/hello.txt")
    assert result.returncode == 0 and result.stdout.split()[-1] == "198.18.0.1", result.stdout + result.stderr


def test_ipv6_address_is_made_from_a_routers_prefix(lab):
    process = router(lab)
    try:
        result = lab.dpfetch("-s", "-S", "-o", lab.path("out"), "-w", "%{local_ip}", "--address6", "auto",
                             f"http://[{SERVER}]/1048576")
    finally:
        lab.stop(process)
    assert result.returncode == 0, result.stderr
    assert result.stdout == "2001:2:0:18:0:5eff:fe12:2", result.stdout  # the MAC address's EUI-64
    subprocess.run(["cmp", lab.path("out"), os.path.join(lab.www, "1048576")], check=True)


def test_ipv6_server_off_the_link_is_reached_by_the_router(lab):
    server, process = far_server(lab), router(lab)
    url = f"http://[{FAR}]:8080/65536"
    try:
        by_advertisement = lab.dpfetch("-s", "-S", "-o", "/dev/null", *STATIC, url)
        lab.stop(process)
        by_option = lab.dpfetch("-s", "-S", "-o", "/dev/null", *STATIC, "--gateway6", SERVER, url)
    finally:
        lab.stop(process)
        lab.stop(server)
    assert by_advertisement.returncode == 0, by_advertisement.stderr
    assert by_option.returncode == 0, by_option.stderr


def test_ipv6_without_a_router_says_so(lab):
    start = time.monotonic()
    result = lab.dpfetch("-o", "/dev/null", "--address6", "auto", f"http://[{SERVER}]/1")
    assert result.returncode == 7 and "--address6 CIDR" in result.stderr, f"{result.returncode} {result.stderr}"
    assert time.monotonic() - start < 20
    result = lab.dpfetch("-o", "/dev/null", "--connect-timeout", "1", *STATIC, f"http://[{FAR}]/1")
    assert result.returncode == 28, f"{result.returncode} {result.stderr}"


def test_ipv6_address_of_another_host_is_not_used(lab):
    lab.in_server("ip", "addr", "replace", f"{OURS}/64", "dev", "s0", "nodad")
    try:
        result = lab.dpfetch("-o", "/dev/null", "--probe-address", *STATIC, f"http://[{SERVER}]/1")
    finally:
        lab.in_server("ip", "addr", "del", f"{OURS}/64", "dev", "s0")
    assert result.returncode == 112 and OURS in result.stderr, f"{result.returncode} {result.stderr}"
    result = lab.dpfetch("-s", "-S", "-o", "/dev/null", "--probe-address", *STATIC, f"http://[{SERVER}]/1")
    assert result.returncode == 0, result.stderr


def test_ipv6_absent_host_is_said_with_who_was_heard(lab):
    result = lab.dpfetch("-o", "/dev/null", *STATIC, "http://[2001:2:0:18::77]/1")
    assert result.returncode == 7, f"{result.returncode} {result.stderr}"
    assert "did not answer 5 neighbour solicitations" in result.stderr, result.stderr


def test_ipv6_ping_finds_us_during_a_fetch(lab):
    server = lab.start(sys.executable, "-c", STUCK_SERVER, port=8081)
    fetch = lab.popen("-s", "-S", "-m", "4", "-o", "/dev/null", *STATIC, f"http://[{SERVER}]:8081/")
    time.sleep(1)
    ping = lab.run(["ip", "netns", "exec", lab.server, "ping", "-6", "-c", "3", "-i", "0.2", "-s", "1200", OURS])
    _, errors = fetch.communicate(timeout=120)
    lab.stop(server)
    assert fetch.returncode == 28 and "1 out of 2 bytes" in errors, errors
    assert " 0% packet loss" in ping.stdout, ping.stdout


def test_ipv6_kernel_neither_sees_nor_answers(lab):
    before = lab.tcp_counters(lab.client)["OutRsts"]
    lab.fetch_exact(f"http://[{SERVER}]/1048576", os.path.join(lab.www, "1048576"), *STATIC)
    assert lab.tcp_counters(lab.client)["OutRsts"] == before


def test_ipv6_address_of_the_kernel_is_refused(lab):
    result = lab.dpfetch("-o", "/dev/null", "--address6", "2001:2:0:18::3/64", f"http://[{SERVER}]/1")
    assert result.returncode == 112 and "the kernel owns" in result.stderr, f"{result.returncode} {result.stderr}"
    mac = lab.in_client("cat", "/sys/class/net/c0/address").stdout.strip()
    result = lab.dpfetch("-o", "/dev/null", *STATIC, "--mac", mac, f"http://[{SERVER}]/1")
    assert result.returncode == 112 and "--mac" in result.stderr, f"{result.returncode} {result.stderr}"


@contextlib.contextmanager
def names(lab, *options):
    """dnsmasq as the DNS server of .lab on both of the server's addresses, not on the link-local one."""
    log = lab.path("names.log")
    process = lab.start(
        "dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--user=root", "--bind-interfaces",
        f"--listen-address=198.18.0.1,{SERVER}", "--interface=s0", "--pid-file=", f"--log-facility={log}",
        "--log-queries", "--no-resolv", "--no-hosts", "--local=/lab/", f"--host-record=six.lab,{SERVER}",
        f"--host-record=both.lab,198.18.0.1,{SERVER}", "--cname=alias.lab,six.lab",
        f"--dhcp-leasefile={lab.path('leases')}", *options, port=53)
    try:
        yield lambda: open(log, encoding="utf-8").read()  # pylint: disable=consider-using-with
    finally:
        lab.stop(process)
        os.unlink(log)


def test_ipv6_addresses_of_names_come_by_dns_over_ipv4(lab):
    both = ("-s", "-S", "-o", "/dev/null", "-w", "%{remote_ip}", "--dns", "198.18.0.1", *STATIC)
    with names(lab):
        for args, expected in ((["http://six.lab/1"], SERVER), (["http://both.lab/1"], "198.18.0.1"),
                               (["-6", "http://both.lab/1"], SERVER)):
            result = lab.dpfetch("--address", "198.18.0.2/24", *both, *args)
            assert (result.returncode, result.stdout) == (0, expected), f"{args} {result}"
        result = lab.dpfetch("--address", "198.18.0.2/24", *both, "-4", "http://six.lab/1")
        assert result.returncode == 6 and "no address of it" in result.stderr, result
        result = lab.dpfetch(*both, "http://six.lab/1")  # IPv6 alone
        assert result.returncode == 6 and "no IPv4 address to ask it from" in result.stderr, result


def test_ipv6_names_by_ipv6_alone(lab):
    source = os.path.join(lab.www, "1048576")
    with names(lab) as log:
        for server in (SERVER, f"[{SERVER}]", f"2001:2:0:18::77,{SERVER}"):
            lab.fetch_exact("http://alias.lab/1048576", source, *STATIC, "--dns", server)
        text = log()
        assert f"query[AAAA] alias.lab from {OURS}" in text and "query[A]" not in text, text
        stats = lab.fetch_exact("http://both.lab/1048576", source, "--address", "198.18.0.2/24", *STATIC,
                                "--dns", SERVER, "-6")
        assert stats["transfers"][0]["result"]["remote_ip"] == SERVER
        result = lab.dpfetch("-o", "/dev/null", *STATIC, "--dns", SERVER, "http://none.lab/1")
        assert result.returncode == 6 and f"{SERVER} knows no such name" in result.stderr, result


def test_ipv6_names_in_the_asan_build_are_clean(lab):
    with names(lab):
        lab.fetch_exact("http://alias.lab/1048576", os.path.join(lab.www, "1048576"), *STATIC, "--dns", SERVER,
                        build="asan")


def test_ipv6_dns_answer_that_is_truncated_comes_by_tcp(lab):
    """A hundred addresses do not fit into 1232 bytes; all of them are of the same host."""
    hosts = lab.path("many")
    with open(hosts, "w", encoding="ascii") as file:
        file.writelines(f"2001:2:0:64::{i:x} many.lab\n" for i in range(1, 101))
    lab.in_server("ip", "-6", "route", "add", "local", "2001:2:0:64::/64", "dev", "lo")
    lab.start(sys.executable, "-m", "http.server", "8042", "--bind", "::", "-d", lab.www, port=8042)
    try:
        with names(lab, f"--addn-hosts={hosts}"):
            result = lab.dpfetch("-v", *STATIC, "--dns", SERVER, "--gateway6", SERVER, "-o", "/dev/null",
                                 "http://many.lab:8042/1048576")
            assert result.returncode == 0 and "by TCP" in result.stderr, result
    finally:
        lab.in_server("ip", "-6", "route", "del", "local", "2001:2:0:64::/64", "dev", "lo")
        lab.stop(lab.processes[-2])


def test_ipv6_dns_server_that_is_shut_or_out_of_reach_is_6_soon(lab):
    for server, word in ((SERVER, "no DNS server runs there"), (FAR, "--gateway6")):
        gateway = [] if server == FAR else ["--gateway6", SERVER]
        start = time.monotonic()
        result = lab.dpfetch("-o", "/dev/null", *STATIC, *gateway, "--dns", server, "http://six.lab/1")
        assert result.returncode == 6 and word in result.stderr, result
        assert time.monotonic() - start < (3 if gateway else 15)


def test_ipv6_dns_server_of_a_router_is_asked(lab):
    """RFC 8106: address, router and DNS server, all from one advertisement; before resolv.conf's."""
    with client_etc(lab, hosts="", resolv_conf="nameserver 2001:2:0:18::77\n"), \
            names(lab, "--enable-ra", "--dhcp-range=2001:2:0:18::,ra-only,64,1h",
                  f"--dhcp-option=option6:dns-server,[{SERVER}]") as log:
        source = os.path.join(lab.www, "1048576")
        stats = lab.fetch_exact("http://alias.lab/1048576", source, "--address6", "auto")
        ours = stats["transfers"][0]["result"]["local_ip"]
        assert f"query[AAAA] alias.lab from {ours}" in log(), log()
        lab.fetch_exact("http://alias.lab/1048576", source, "--address6", "auto", "--probe-address")


def test_ipv6_dns_servers_of_resolv_conf_are_those_of_our_version(lab):
    text = f"nameserver 198.18.0.77\nnameserver ::1\nnameserver fe80::1%c0\nnameserver {SERVER}\n"
    with client_etc(lab, hosts="", resolv_conf=text), names(lab) as log:
        start = time.monotonic()
        lab.fetch_exact("http://six.lab/1048576", os.path.join(lab.www, "1048576"), *STATIC, "--probe-address")
        assert f"query[AAAA] six.lab from {OURS}\n" in log(), log()
        assert time.monotonic() - start < 5
