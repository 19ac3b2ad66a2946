# SPDX-License-Identifier: BSD-3-Clause
"""Bad servers, bad disks, bad input, signals: the right exit code, a clear message, nothing lost."""
import json
import os
import signal
import subprocess
import time

from lab import SERVER_IP

LABS = [{"mtu": 1500, "size": 1 << 30}]

# A server that answers each connection with what the test wants. {answer} is Python code with
# `peer`, `time` and `struct` at hand.
RAW_SERVER = """
import socket, struct, time
listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(('{ip}', {port}))
listener.listen()
while True:
    peer, _ = listener.accept()
    {answer}
    peer.close()
"""
RESET = "peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))"


def against(lab, port, answer, *args, timeout=60):
    server = lab.start("python3", "-c", RAW_SERVER.format(ip=SERVER_IP, port=port, answer=answer), port=port)
    try:
        return lab.dpfetch("-o", lab.path("out"), *args, f"http://{SERVER_IP}:{port}/x", timeout=timeout)
    finally:
        server.kill()
        server.wait()


def expect(result, code, *words):
    assert result.returncode == code, f"exit {result.returncode}, wanted {code}: {result.stderr}"
    for word in words:
        assert word in result.stderr, f"{word!r} is not in: {result.stderr}"


def test_server_closes_early_is_18_and_the_partial_file_is_kept_and_named(lab):
    result = against(lab, 8020, "peer.recv(9999); peer.sendall(b'HTTP/1.1 200 OK\\r\\n"
                     "Content-Length: 1000\\r\\n\\r\\n' + b'y' * 100)")
    expect(result, 18, "900", lab.path("out"))
    with open(lab.path("out"), "rb") as file:
        assert file.read() == b"y" * 100


def test_server_resets_mid_body_is_reported_and_the_partial_file_is_kept(lab):
    result = against(lab, 8021, "peer.recv(9999); peer.sendall(b'HTTP/1.1 200 OK\\r\\n"
                     "Content-Length: 1000\\r\\n\\r\\n' + b'y' * 100); time.sleep(0.3); " + RESET)
    assert result.returncode in (18, 56), result.stderr
    assert os.path.getsize(lab.path("out")) == 100


def test_server_sends_nothing_is_52(lab):
    expect(against(lab, 8022, "peer.recv(9999)"), 52)


def test_server_resets_at_once_is_56(lab):
    expect(against(lab, 8023, "peer.recv(9999); " + RESET), 56)


def test_server_sends_garbage_is_an_error_not_a_file(lab):
    if os.path.exists(lab.path("out")):
        os.unlink(lab.path("out"))
    result = against(lab, 8024, "peer.recv(9999); peer.sendall(bytes(range(256)) * 8)")
    assert result.returncode in (1, 8), result.stderr
    assert not os.path.exists(lab.path("out"))


def test_server_stays_silent_is_28_after_max_time(lab):
    start = time.monotonic()
    expect(against(lab, 8025, "peer.recv(9999); time.sleep(30)", "-m", "1.5"), 28)
    assert 1.4 < time.monotonic() - start < 8


def test_no_listener_is_7_connection_refused(lab):
    expect(lab.dpfetch("-o", lab.path("out"), f"http://{SERVER_IP}:9/"), 7, "refused")


def test_absent_host_is_7_and_says_what_arp_did(lab):
    result = lab.dpfetch("-o", lab.path("out"), "http://198.18.0.9/")
    expect(result, 7, "198.18.0.9 did not answer", "who-has")


def test_off_subnet_without_gateway_is_7_and_names_the_option(lab):
    expect(lab.dpfetch("http://198.19.0.1/"), 7, "198.19.0.1", "--gateway")


def test_missing_file_is_22_with_fail_and_leaves_the_old_file(lab):
    with open(lab.path("old"), "w", encoding="ascii") as file:
        file.write("precious")
    expect(lab.dpfetch("-f", "-o", lab.path("old"), f"http://{SERVER_IP}/none"), 22, "404")
    with open(lab.path("old"), encoding="ascii") as file:
        assert file.read() == "precious"


def test_full_disk_is_23_and_the_partial_file_is_a_prefix(lab):
    disk = lab.path("small")
    os.mkdir(disk)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "dpfetch-small", disk], check=True)
    try:
        out = os.path.join(disk, "big")
        result = lab.dpfetch("-o", out, f"http://{SERVER_IP}/big")
        expect(result, 23, "No space left", out)
        with open(out, "rb") as part, open(os.path.join(lab.www, "big"), "rb") as whole:
            data = part.read()
            assert whole.read(len(data)) == data
    finally:
        subprocess.run(["umount", "-l", disk], check=True)


def test_output_directory_missing_is_23_and_create_dirs_makes_it(lab):
    out = lab.path("a/b/hello")
    expect(lab.dpfetch("-o", out, f"http://{SERVER_IP}/hello.txt"), 23, out)
    expect(lab.dpfetch("--create-dirs", "-o", out, f"http://{SERVER_IP}/hello.txt"), 0)
    with open(out, encoding="ascii") as file:
        assert file.read() == "Hello from the lab.\n"


def test_checksum_mismatch_is_117_and_match_is_0(lab):
    wrong = "sha-256=" + "0" * 64
    expect(lab.dpfetch("--checksum", wrong, "-o", lab.path("c"), f"http://{SERVER_IP}/hello.txt"), 117)
    right = subprocess.run(["sha256sum", os.path.join(lab.www, "hello.txt")], check=True,
                           capture_output=True, text=True).stdout.split()[0]
    expect(lab.dpfetch("--checksum", "sha-256=" + right, "-o", lab.path("c"),
                       f"http://{SERVER_IP}/hello.txt"), 0)


def test_address_of_the_kernel_is_refused_with_112(lab):
    result = subprocess.run(["ip", "netns", "exec", lab.client, lab.command()[4], "--nic", "c0", "--address",
                             "198.18.0.3/24", f"http://{SERVER_IP}/1"], capture_output=True, text=True, check=False)
    expect(result, 112, "198.18.0.3", "ip addr del")


def test_bad_input_names_itself(lab):
    program = lab.command()[4]

    def run(*args):
        return subprocess.run(["ip", "netns", "exec", lab.client, program, *args], capture_output=True,
                              text=True, check=False)

    common = ["--nic", "c0", "--address", "198.18.0.2/24"]
    expect(run(*common, "http://[bad/"), 3, "http://[bad/")
    expect(run(*common, "https://198.18.0.1/"), 1, "https")
    expect(run(*common, "http://no-such-host.invalid/"), 6, "no-such-host.invalid")
    expect(run(*common, "--frobnicate", "http://198.18.0.1/"), 2, "--frobnicate")
    expect(run(*common, "--vlan", "4095", "http://198.18.0.1/"), 2, "4095")
    expect(run(*common, "-H", "no colon", "http://198.18.0.1/"), 2, "no colon")
    expect(run("--nic", "nosuch0", "--nic-mode", "af_packet", "--address", "198.18.0.2/24",
               "http://198.18.0.1/"), 110, "nosuch0")
    expect(run("--nic", "0000:ff:1f.7", "--address", "198.18.0.2/24", "http://198.18.0.1/"), 110, "0000:ff:1f.7")
    expect(run("--config", "/nonexistent.ini"), 26, "/nonexistent.ini")
    expect(run(*common), 2, "no URL")


def interrupted(lab, signo):
    out = lab.path("interrupted")
    process = lab.popen("-o", out, f"http://{SERVER_IP}/big")
    for _ in range(500):
        if os.path.exists(out):
            break
        time.sleep(0.01)
    time.sleep(0.2)
    _, err = lab.interrupt(process, signo)
    assert process.returncode == -signo, f"{process.returncode}: {err}"
    assert "interrupted" in err and out in err, err
    size = os.path.getsize(out)
    with open(out, "rb") as part, open(os.path.join(lab.www, "big"), "rb") as whole:
        while block := part.read(1 << 20):
            assert whole.read(len(block)) == block
    os.unlink(out)
    return size


def test_ctrl_c_and_sigterm_keep_the_partial_file_and_end_by_the_signal(lab):
    interrupted(lab, signal.SIGINT)
    interrupted(lab, signal.SIGTERM)
    left = lab.in_server("ss", "-Htn", "state", "established").stdout
    assert left.strip() == "", f"the server still holds: {left}"


def test_server_killed_mid_transfer_is_reported(lab):
    server = lab.start("python3", "-m", "http.server", "8026", "--bind", SERVER_IP, "-d", lab.www, port=8026)
    process = lab.popen("-o", "/dev/null", f"http://{SERVER_IP}:8026/big")
    time.sleep(1.0)
    server.kill()
    _, err = process.communicate(timeout=60)
    assert process.returncode in (18, 56), f"{process.returncode}: {err}"


def test_retry_after_503_succeeds(lab):
    answer = ("peer.recv(9999); n = globals().get('n', 0) + 1; peer.sendall((b'HTTP/1.1 503 Busy\\r\\n"
              "Content-Length: 0\\r\\n\\r\\n', b'HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok')"
              "[min(n - 1, 1)])")
    result = against(lab, 8027, answer, "--retry", "2", "--retry-delay", "0.2", "-w", "%{num_retries}")
    expect(result, 0)
    assert result.stdout == "1", result.stdout


def test_ping_finds_us_during_a_fetch(lab):
    process = lab.popen("-o", "/dev/null", "-m", "20", f"http://{SERVER_IP}/big")
    time.sleep(0.5)
    ping = subprocess.run(["ip", "netns", "exec", lab.server, "ping", "-c", "3", "-i", "0.1", "-W", "2",
                           "198.18.0.2"], capture_output=True, text=True, check=False)
    process.communicate(timeout=60)
    assert " 0% packet loss" in ping.stdout, ping.stdout


def test_stats_and_write_out_agree(lab):
    stats = lab.path("agree.json")
    result = lab.dpfetch("-s", "-o", "/dev/null", "--stats", stats, "-w",
                         "%{http_code} %{size_download} %{segments} %{local_port}",
                         f"http://{SERVER_IP}/1048576")
    expect(result, 0)
    with open(stats, encoding="utf-8") as file:
        transfer = json.load(file)["transfers"][0]
    iteration, core = transfer["iteration"], transfer["core"]
    assert iteration["count"] == core["iterations_busy"] > 0, (iteration, core)
    assert 0 < iteration["p50_us"] <= iteration["p99_9_us"] <= iteration["max_us"], iteration
    assert abs(iteration["max_us"] - core["iteration_max_us"]) < 0.01, (iteration, core)
    fields = result.stdout.split()
    assert fields[:3] == ["200", "1048576", str(transfer["counters"]["tcp_segments_received"])]
    assert 32768 <= int(fields[3]) <= 65535, fields


def test_nothing_is_left_behind(lab):
    lab.dpfetch("-o", "/dev/null", f"http://{SERVER_IP}/1048576")
    link = lab.in_client("ip", "-d", "link", "show", "c0").stdout
    assert "xdp" not in link and "promiscuity 0" in link, link
