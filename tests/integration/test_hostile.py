# SPDX-License-Identifier: BSD-3-Clause
"""Servers that mean us harm, over a real kernel's TCP; the rest of them are unit tests and scenarios."""
import hashlib
import os
import subprocess
import time

from lab import SERVER_IP
from test_failures import RAW_SERVER, against, expect

LABS = [{"mtu": 1500, "size": 0}]

CHUNKS = 1000000
TINY_CHUNKS = ("peer.recv(9999); peer.sendall(b'HTTP/1.1 200 OK\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n'); "
               "blocks = b''.join(b'1\\r\\n%c\\r\\n' % (97 + i % 26) for i in range(26 * 100)); "
               f"whole = blocks * ({CHUNKS} // 2600 + 1); peer.sendall(whole[:6 * {CHUNKS}] + b'0\\r\\n\\r\\n')")


def body_of(lab):
    with open(lab.path("out"), "rb") as file:
        return file.read()


def peak_kib(lab, url):
    """Fetches url to "out"; returns the most memory that the process had resident."""
    process = subprocess.Popen(lab.command("-s", "-S", "-o", lab.path("out"), url), stdin=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, process.returncode
    return usage.ru_maxrss


def test_hostile_byte_a_tenth_of_a_second_is_28_after_max_time(lab):
    start = time.monotonic()
    result = against(lab, 8040, "peer.recv(9999); peer.sendall(b'HTTP/1.1 200 OK\\r\\nContent-Length: 999\\r\\n\\r\\n')\n"
                     "    try:\n        while True: peer.send(b'x'); time.sleep(0.1)\n    except OSError: pass",
                     "-m", "2")
    expect(result, 28, "out of 999 bytes received")
    assert 1.9 < time.monotonic() - start < 8
    assert 10 <= len(body_of(lab)) <= 21


def test_hostile_64_kib_of_head_is_taken(lab):
    result = against(lab, 8041, "peer.recv(9999); peer.sendall(b'HTTP/1.1 200 OK\\r\\nContent-Length: 4\\r\\n' + "
                     "b''.join(b'X-Field-%06d: %081d\\r\\n' % (i, i) for i in range(662)) + b'\\r\\nbody')")
    assert result.returncode == 0, result.stderr
    assert body_of(lab) == b"body"


def test_hostile_million_tiny_chunks_are_exact_in_no_more_memory(lab):
    plain = lab.start("python3", "-c", RAW_SERVER.format(ip=SERVER_IP, port=8042, answer=(
        "peer.recv(9999); peer.sendall(b'HTTP/1.1 200 OK\\r\\nContent-Length: 6000000\\r\\n\\r\\n' + bytes(6000000))")),
        port=8042)
    chunks = lab.start("python3", "-c", RAW_SERVER.format(ip=SERVER_IP, port=8043, answer=TINY_CHUNKS), port=8043)
    usual = peak_kib(lab, f"http://{SERVER_IP}:8042/x")
    tiny = peak_kib(lab, f"http://{SERVER_IP}:8043/x")
    lab.stop(plain)
    lab.stop(chunks)
    alphabet = bytes(range(97, 123))
    expected = (alphabet * (CHUNKS // 26 + 1))[:CHUNKS]
    assert hashlib.sha256(body_of(lab)).digest() == hashlib.sha256(expected).digest()
    assert tiny < usual + 8192, f"{tiny} KiB, a plain body {usual} KiB"


def test_hostile_window_shut_for_ever_is_28_and_says_so(lab):
    """The server's application reads nothing of a request that is larger than its buffer."""
    small = RAW_SERVER.replace("listener.bind", "listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)\n"
                               "listener.bind")
    server = lab.start("python3", "-c", small.format(ip=SERVER_IP, port=8044, answer="time.sleep(60)"), port=8044)
    headers = [arg for i in range(40) for arg in ("-H", f"X-{i}: " + "y" * 1000)]
    result = lab.dpfetch("-o", lab.path("out"), "-m", "3", *headers, f"http://{SERVER_IP}:8044/x")
    lab.stop(server)
    expect(result, 28, "the server's window is shut")


def test_hostile_tiny_mss_is_exact(lab):
    server = lab.start("python3", "-c", RAW_SERVER.replace("listener.bind", "listener.setsockopt(6, 2, 88)\nlistener.bind")
                       .format(ip=SERVER_IP, port=8045, answer="peer.recv(9999); peer.sendall(b'HTTP/1.1 200 OK\\r\\n"
                               "Content-Length: 300000\\r\\n\\r\\n' + bytes(i % 251 for i in range(300000)))"), port=8045)
    result = lab.dpfetch("-o", lab.path("out"), f"http://{SERVER_IP}:8045/x")
    lab.stop(server)
    assert result.returncode == 0, result.stderr
    assert body_of(lab) == bytes(i % 251 for i in range(300000))


def test_hostile_syn_cookies_of_a_kernel_are_exact(lab):
    lab.in_server("sysctl", "-qw", "net.ipv4.tcp_syncookies=2")  # always, not only when the queue is full
    before = lab.tcp_counters(lab.server)
    try:
        result = against(lab, 8046, "peer.recv(9999); peer.sendall(b'HTTP/1.1 200 OK\\r\\nContent-Length: 5\\r\\n\\r\\nhello')")
    finally:
        lab.in_server("sysctl", "-qw", "net.ipv4.tcp_syncookies=1")
    after = lab.tcp_counters(lab.server)
    assert result.returncode == 0, result.stderr
    assert body_of(lab) == b"hello"
    assert after["SyncookiesSent"] > before["SyncookiesSent"] and after["SyncookiesRecv"] > before["SyncookiesRecv"]
