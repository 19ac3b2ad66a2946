# SPDX-License-Identifier: BSD-3-Clause
"""Names by DNS over our own stack, our address by DHCP: real servers (dnsmasq)."""
import contextlib
import os
import subprocess
import sys
import time

from lab import MAC, SERVER_IP, client_etc

LABS = [{"mtu": 1500, "size": 1000000}]


def expect(result, code, *words):
    assert result.returncode == code, f"exit {result.returncode}, wanted {code}: {result.stderr}"
    for word in words:
        assert word in result.stderr, f"{word!r} is not in: {result.stderr}"


@contextlib.contextmanager
def dnsmasq(lab, *options, address="198.18.0.50,198.18.0.60"):
    """A DHCP and DNS server on the server's end of the cable; gives a function that reads its log."""
    log, hosts = lab.path("dnsmasq.log"), lab.path("names")
    with open(hosts, "w", encoding="ascii") as file:
        file.write(f"{SERVER_IP} www.lab\n")
        file.writelines(f"198.18.64.{i} many.lab\n" for i in range(1, 101))
    process = lab.start(
        "dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--user=root", "--interface=s0",
        "--bind-interfaces", f"--pid-file={lab.path('dnsmasq.pid')}", f"--log-facility={log}", "--log-dhcp",
        "--log-queries", "--no-resolv", "--no-hosts", f"--addn-hosts={hosts}", "--local=/lab/",
        "--cname=alias.lab,www.lab", "--dhcp-authoritative", "--no-ping",
        f"--dhcp-leasefile={lab.path('dnsmasq.leases')}", f"--dhcp-range={address},255.255.255.0,120",
        *options, port=53)
    try:
        yield lambda: open(log, encoding="utf-8").read()  # pylint: disable=consider-using-with
    finally:
        lab.stop(process)
        for path in (log, lab.path("dnsmasq.leases")):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)


def source(lab):
    return os.path.join(lab.www, "1048576")


def slow_server(lab, port, seconds):
    """A body of ten bytes a second."""
    return lab.start(sys.executable, "-c", f"""
import socket, time
listener = socket.create_server(('{SERVER_IP}', {port}))
while True:
    peer, _ = listener.accept()
    peer.recv(9999)
    peer.sendall(b'HTTP/1.1 200 OK\\r\\nContent-Length: {10 * seconds}\\r\\n\\r\\n')
    try:
        for i in range({seconds}):
            peer.sendall(b'0123456789')
            time.sleep(1)
    except OSError:
        pass
    peer.close()
""", port=port)


def test_dhcp_gives_address_and_dns_and_takes_the_lease_back(lab):
    with dnsmasq(lab) as log:
        stats = lab.fetch_exact("http://www.lab/1048576", source(lab), "--address", "dhcp")
        transfer = stats["transfers"][0]
        assert transfer["result"]["local_ip"].startswith("198.18.0.5"), transfer["result"]
        assert transfer["result"]["remote_ip"] == SERVER_IP
        text = log()
        for step in ("DHCPDISCOVER", "DHCPOFFER", "DHCPREQUEST", "DHCPACK", "DHCPRELEASE"):
            assert f"{step}(s0)" in text, f"{step} is not in: {text}"
        assert f"query[A] www.lab from {transfer['result']['local_ip']}" in text, text


def test_dhcp_and_dns_in_the_asan_build_are_clean(lab):
    with dnsmasq(lab):
        lab.fetch_exact("http://alias.lab/1048576", source(lab), "--address", "dhcp", build="asan")


def test_dhcp_without_a_server_is_45_in_30_s(lab):
    start = time.monotonic()
    result = lab.dpfetch("--address", "dhcp", "-o", "/dev/null", f"http://{SERVER_IP}/1", timeout=60)
    expect(result, 45, "no DHCP server answered on c0: 4 DISCOVERs", "--address CIDR")
    assert 28 < time.monotonic() - start < 36


def test_dhcp_lease_is_renewed_during_a_slow_fetch(lab):
    with dnsmasq(lab, "--dhcp-option-force=option:T1,5") as log:
        slow_server(lab, 8040, 14)
        result = lab.dpfetch("--address", "dhcp", "-w", "%{size_download}", "-o", "/dev/null",
                             "http://www.lab:8040/")
        expect(result, 0)
        assert result.stdout == "140"
        assert log().count("DHCPACK(s0)") >= 3, log()


def test_dhcp_lease_that_is_taken_back_ends_the_fetch_with_45(lab):
    with dnsmasq(lab, "--dhcp-option-force=option:T1,5"):
        slow_server(lab, 8041, 20)
        process = lab.popen("--address", "dhcp", "-o", lab.path("lost"), "http://www.lab:8041/")
        time.sleep(3)
    with dnsmasq(lab, address="198.18.0.70,198.18.0.80"):  # the address is not this one's to give
        _, err = process.communicate(timeout=30)
    assert process.returncode == 45, f"{process.returncode}: {err}"
    assert "lease is lost" in err and "partial file" in err, err


def test_dhcp_address_of_another_host_is_declined_for_another(lab):
    """The kernel at the server's end answers ARP for an address that the server gives us."""
    lab.in_server("ip", "route", "add", "local", "198.18.0.50/32", "dev", "lo")
    try:
        with dnsmasq(lab, f"--dhcp-host={MAC},198.18.0.50", "--dhcp-host=02:ff:ff:ff:ff:ff,198.18.0.51") as log:
            stats = lab.fetch_exact("http://www.lab/1048576", source(lab), "--address", "dhcp",
                                    "--probe-address")
            assert "DHCPDECLINE(s0) 198.18.0.50" in log(), log()
            assert stats["transfers"][0]["result"]["local_ip"] != "198.18.0.50"
    finally:
        lab.in_server("ip", "route", "del", "local", "198.18.0.50/32", "dev", "lo")


def test_dns_server_given_is_asked_and_aliases_are_followed(lab):
    with dnsmasq(lab) as log:
        lab.fetch_exact("http://alias.lab/1048576", source(lab), "--dns", SERVER_IP)
        assert "query[A] alias.lab from 198.18.0.2" in log(), log()
        out = ["-o", "/dev/null"]
        result = lab.dpfetch("-w", "%{remote_ip} ", "--dns", SERVER_IP, *out, "http://www.lab/1", *out,
                             "http://WWW.lab/1")
        expect(result, 0)
        assert result.stdout == f"{SERVER_IP} " * 2
        assert log().count("query[A] www.lab ") == 1, log()  # once for both


def test_dns_truncated_answer_is_fetched_by_tcp(lab):
    """A hundred addresses do not fit into 1232 bytes; all of them lead to the same host."""
    lab.in_server("ip", "route", "add", "local", "198.18.64.0/24", "dev", "lo")
    lab.start(sys.executable, "-m", "http.server", "8042", "--bind", "0.0.0.0", "-d", lab.www, port=8042)
    try:
        with dnsmasq(lab):
            result = lab.dpfetch("-v", "--dns", SERVER_IP, "--gateway", SERVER_IP, "-o", lab.path("many"),
                                 "http://many.lab:8042/1048576")
            expect(result, 0, "many.lab is 198.18.64.", "by TCP")
            subprocess.run(["cmp", lab.path("many"), source(lab)], check=True)
    finally:
        lab.in_server("ip", "route", "del", "local", "198.18.64.0/24", "dev", "lo")


def test_dns_name_that_does_not_exist_is_6_and_the_next_url_is_fetched(lab):
    with dnsmasq(lab):
        out = ["-o", "/dev/null"]
        result = lab.dpfetch("--dns", SERVER_IP, "-w", "%{exitcode} %{http_code}\\n", *out, "http://none.lab/1",
                             *out, "http://www.lab/1")
        expect(result, 6, "Could not resolve host: none.lab", f"{SERVER_IP} knows no such name")
        assert result.stdout == "6 000\n0 200\n", result.stdout
        expect(lab.dpfetch("--dns", SERVER_IP, "http://elsewhere.example/"), 6, "REFUSED")


def test_dns_silence_is_6_within_a_bound(lab):
    lab.start(sys.executable, "-c", f"""
import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(('{SERVER_IP}', 53))
print('bound', file=__import__('sys').stderr, flush=True)
time.sleep(60)
""").stderr.readline()
    start = time.monotonic()
    expect(lab.dpfetch("--dns", SERVER_IP, "http://www.lab/"), 6, "no answer to 2 questions", SERVER_IP)
    assert 5 < time.monotonic() - start < 10
    for limit in ("--connect-timeout", "--max-time"):  # of curl's, both count the name's lookup
        start = time.monotonic()
        expect(lab.dpfetch("--dns", SERVER_IP, limit, "1", "http://www.lab/"), 28, "Resolving timed out after 1")
        assert time.monotonic() - start < 4, limit
    lab.stop(lab.processes[-1])
    start = time.monotonic()
    expect(lab.dpfetch("--dns", SERVER_IP, "http://www.lab/"), 6, "no DNS server runs there")
    assert time.monotonic() - start < 3
    expect(lab.dpfetch("--dns", "8.8.8.8", "http://www.lab/"), 6, "outside our subnet", "--gateway")


def test_dns_first_server_dead_costs_two_seconds(lab):
    with dnsmasq(lab):
        start = time.monotonic()
        lab.fetch_exact("http://www.lab/1048576", source(lab), "--dns", f"198.18.0.99,{SERVER_IP}")
        assert 2 <= time.monotonic() - start < 6


def test_names_of_resolve_and_etc_hosts_need_no_dns(lab):
    with client_etc(lab, hosts=f"127.0.0.1 localhost\n{SERVER_IP} here.lab\n", resolv_conf="nameserver 127.0.0.53\n"):
        lab.fetch_exact("http://here.lab/1048576", source(lab))
        lab.fetch_exact("http://there.lab/1048576", source(lab), "--resolve", f"there.lab:80:{SERVER_IP}")
        # Over the kernel's network nobody is asked, and nobody can be over ours.
        expect(lab.dpfetch("http://www.lab/"), 6, "no DNS server is known", "--dns")


def test_dns_servers_of_resolv_conf_are_asked_over_our_stack(lab):
    with client_etc(lab, hosts="", resolv_conf=f"# ours\nnameserver {SERVER_IP}\n"), dnsmasq(lab) as log:
        stats = lab.fetch_exact("http://www.lab/1048576", source(lab))
        assert stats["transfers"][0]["result"]["time_namelookup"] > 0
        assert "query[A] www.lab from 198.18.0.2\n" in log(), log()
        result = lab.dpfetch("--dns", "system", "-o", "/dev/null", "http://www.lab/1")
        expect(result, 0)
        assert "query[A] www.lab from 198.18.0.3\n" in log(), log()  # the kernel's address


def test_dns_option_is_checked_before_anything_is_done(lab):
    for value in ("", "198.18.0.1,", "www.lab", "127.0.0.53", "1.1.1.1,2.2.2.2,3.3.3.3,4.4.4.4"):
        expect(lab.dpfetch("--dns", value, "--check", "http://www.lab/"), 2, "--dns")
    expect(lab.dpfetch("--dns", SERVER_IP, "--address", "dhcp", "--check", "http://www.lab/"), 0)
    text = lab.run([lab.command()[4], "--address", "DHCP", "--dns", "1.1.1.1", "--dump-config"]).stdout
    assert "address = dhcp" in text and "dns = 1.1.1.1" in text, text
