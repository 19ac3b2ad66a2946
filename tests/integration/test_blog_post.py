# SPDX-License-Identifier: BSD-3-Clause
"""The blog post's four failures, each as a test over a real kernel's server.

The third (out-of-order data is acknowledged at once, with SACK) and the fourth (FIN with data
closes) need a peer that misbehaves on command; tests/sim has them packet by packet, and here the
real server's counters must agree.
"""
import os

from lab import SERVER_IP

LABS = [{"mtu": 1500, "size": 1 << 30}]
BIG = f"http://{SERVER_IP}/big"


def test_blog_1_our_own_kernel_sends_no_rst(lab):
    before = lab.tcp_counters(lab.client)
    capture = lab.start("tcpdump", "-ni", "c0", "-w", lab.path("rst.pcap"), "tcp[tcpflags] & tcp-rst != 0",
                        namespace=lab.client)
    lab.fetch_exact(f"http://{SERVER_IP}/1048576", os.path.join(lab.www, "1048576"))
    capture.terminate()
    capture.wait()
    after = lab.tcp_counters(lab.client)
    assert after["OutRsts"] == before["OutRsts"], "the client's kernel sent RST"
    assert after["InSegs"] == before["InSegs"], "the client's kernel took our segments for its own"


def test_blog_2_no_server_retransmission_in_20_of_20_runs_of_1_gib(lab):
    lab.lossless_runs(int(os.environ.get("LOSSLESS_RUNS", "20")), "-o", "/dev/null", BIG)


def test_blog_4_fin_with_data_closes_cleanly(lab):
    """A response whose last segment carries FIN: the server must end in TIME-WAIT, not in reset."""
    server = lab.start("python3", "-c", FIN_SERVER % SERVER_IP, port=8010)
    result = lab.dpfetch("-o", lab.path("fin"), f"http://{SERVER_IP}:8010/")
    assert result.returncode == 0, result.stderr
    with open(lab.path("fin"), "rb") as file:
        assert file.read() == b"x" * 1000
    _, problem = server.communicate(timeout=10)
    assert server.returncode == 0, problem


FIN_SERVER = """
import socket
listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(('%s', 8010))
listener.listen()
peer, _ = listener.accept()
peer.recv(65536)
peer.setsockopt(socket.IPPROTO_TCP, 3, 1)  # TCP_CORK: data waits for the FIN
peer.sendall(b'HTTP/1.1 200 OK\\r\\nConnection: close\\r\\n\\r\\n' + b'x' * 1000)
peer.shutdown(socket.SHUT_WR)
peer.settimeout(5)
assert peer.recv(10) == b'', 'the client must close in order'
"""
