# SPDX-License-Identifier: BSD-3-Clause
"""What users of curl expect of outputs, options and signals."""
import json
import os
import signal
import subprocess
import time

from lab import SERVER_IP

LABS = [{"mtu": 1500, "size": 10000000}]


def expect(result, code, *words):
    assert result.returncode == code, f"exit {result.returncode}, wanted {code}: {result.stderr}"
    for word in words:
        assert word in result.stderr, f"{word!r} is not in: {result.stderr}"


def url(path, port=80):
    return f"http://{SERVER_IP}:{port}/{path}"


def end_by(lab, process, signo):
    """The signal must end the process, by that signal, within seconds."""
    try:
        _, err = lab.interrupt(process, signo)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    assert process.returncode == -signo, f"{process.returncode}: {err}"
    return err


def test_fifo_that_nobody_reads_gives_way_to_ctrl_c_and_max_time(lab):
    fifo = lab.path("fifo")
    os.mkfifo(fifo)
    process = lab.popen("-o", fifo, url("1"))
    time.sleep(1)
    end_by(lab, process, signal.SIGINT)
    expect(lab.dpfetch("-m", "1", "-o", fifo, url("big"), timeout=20), 28)


def test_fifo_gets_its_reader_late(lab):
    fifo = lab.path("fifo-late")
    os.mkfifo(fifo)
    process = lab.popen("-o", fifo, url("hello.txt"))
    time.sleep(1)
    with open(fifo, "rb") as file:
        assert file.read() == b"Hello from the lab.\n"
    assert process.wait(timeout=20) == 0


def test_closed_standard_output_is_23_and_closed_streams_harm_no_file(lab):
    command = lab.command("-s", "-S", url("1"))
    result = subprocess.run(["sh", "-c", '"$@" >&-', "sh", *command], capture_output=True, text=True,
                            timeout=20, check=False)
    expect(result, 23, "Bad file descriptor")
    command = lab.command("-s", "-o", lab.path("closed"), url("hello.txt"))
    subprocess.run(["sh", "-c", '"$@" <&- >&- 2>&-', "sh", *command], timeout=20, check=True)
    with open(lab.path("closed"), encoding="ascii") as file:
        assert file.read() == "Hello from the lab.\n"


def test_ctrl_c_while_the_link_is_down_ends_by_the_signal(lab):
    subprocess.run(["ip", "-n", lab.server, "link", "set", "s0", "down"], check=True)
    try:
        process = lab.popen("-o", lab.path("never"), url("1"))
        time.sleep(2)
        assert "interrupted" in end_by(lab, process, signal.SIGINT)
    finally:
        subprocess.run(["ip", "-n", lab.server, "link", "set", "s0", "up"], check=True)


RAW = """
import socket
listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(('{ip}', {port}))
listener.listen()
answers = {answers!r}
while True:
    peer, _ = listener.accept()
    peer.recv(9999)
    peer.sendall(answers.pop(0) if len(answers) > 1 else answers[0])
    peer.close()
"""


def serve(lab, port, *answers):
    """A server that gives the answers in turn, one a connection, the last one for ever."""
    return lab.start("python3", "-c", RAW.format(ip=SERVER_IP, port=port, answers=list(answers)), port=port)


def test_304_leaves_the_old_file_alone(lab):
    serve(lab, 8030, b"HTTP/1.1 304 Not Modified\r\nETag: \"x\"\r\n\r\n")
    with open(lab.path("cached"), "w", encoding="ascii") as file:
        file.write("precious")
    expect(lab.dpfetch("-H", 'If-None-Match: "x"', "-o", lab.path("cached"), url("x", 8030)), 0)
    with open(lab.path("cached"), encoding="ascii") as file:
        assert file.read() == "precious"


def test_malformed_chunk_is_56_and_what_came_before_is_kept(lab):
    serve(lab, 8031, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nxyz\r\n")
    expect(lab.dpfetch("-o", lab.path("cut"), url("x", 8031)), 56, "chunk", lab.path("cut"))
    assert os.path.getsize(lab.path("cut")) == 5


def test_stats_know_the_connection_that_the_server_has_closed(lab):
    serve(lab, 8032, b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello")
    stats = lab.path("closed.json")
    expect(lab.dpfetch("-o", "/dev/null", "--stats", stats, url("x", 8032)), 0)
    with open(stats, encoding="utf-8") as file:
        tcp = json.load(file)["transfers"][0]["tcp"]
    assert tcp["mss_send"] > 500 and tcp["sack"] and tcp["srtt_us"] > 0, tcp


def test_retry_after_is_waited_for_as_curl_does(lab):
    serve(lab, 8033, b"HTTP/1.1 503 Busy\r\nRetry-After: 3\r\nContent-Length: 0\r\n\r\n",
          b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    start = time.monotonic()
    result = lab.dpfetch("--retry", "1", "-w", "%{http_code}", "-o", lab.path("later"), url("x", 8033))
    expect(result, 0, "3.0 s")
    assert result.stdout == "200" and time.monotonic() - start >= 3, result.stdout


def test_check_and_start_find_what_is_wrong_before_the_port_is_touched(lab):
    program = lab.command()[4]

    def check(*args):
        return lab.run(["ip", "netns", "exec", lab.client, program, "--check", "--address", "198.18.0.2/24", *args])

    expect(check("--nic", "nosuch0", url("1")), 110, "nosuch0", "dpfetch nic list")
    expect(check("--nic", "0000:ff:1f.7", url("1")), 110, "0000:ff:1f.7")
    expect(check("--nic", "c0", url("1")), 0)
    expect(check("--nic", "c0", "http://198.18.0.2/"), 7, "our own --address")
    expect(check("--nic", "c0", "-A", "a\r\nb: c", url("1")), 2, "--user-agent")
    expect(check("--nic", "c0", "--checksum", "md5=" + "a" * 31, url("1")), 2, "32 hexadecimal digits")
    expect(check("--nic", "c0", "--output-dir", "", "-o", "", url("1")), 2, "empty name")


def test_empty_output_dir_is_the_current_one_not_the_root(lab):
    name = f"dpfetch-test-{os.getpid()}"
    subprocess.run(lab.command("--output-dir", "", "-o", name, url("1")), check=True, cwd=lab.work,
                   capture_output=True)
    assert os.path.exists(lab.path(name)) and not os.path.exists(f"/{name}")


def test_output_of_help_that_is_lost_is_23(lab):
    for option in ("--help", "--version", "--dump-config"):
        with open("/dev/full", "w", encoding="ascii") as full:
            result = subprocess.run([lab.command()[4], option], stdout=full, stderr=subprocess.PIPE, text=True,
                                    check=False)
        expect(result, 23, "No space left")


def test_address_of_another_host_is_112(lab):
    lab.in_server("ip", "addr", "add", "198.18.0.2/24", "dev", "s0")
    try:
        expect(lab.dpfetch("--probe-address", "-o", lab.path("never"), url("1")), 112, "uses our address")
    finally:
        lab.in_server("ip", "addr", "del", "198.18.0.2/24", "dev", "s0")


def test_write_out_prints_what_curl_prints(lab):
    """Every variable of curl's that does not depend on the moment, in several outcomes."""
    names = ("content_type errormsg exitcode filename_effective http_code http_connect http_version method "
             "num_connects num_headers num_redirects proxy_ssl_verify_result redirect_url referer remote_ip "
             "remote_port response_code scheme size_download size_header size_request size_upload "
             "speed_upload ssl_verify_result time_redirect url url_effective urlnum").split()
    serve(lab, 8034, b"HTTP/1.0 301 Moved\r\nLocation: ../y?z\r\nContent-Length: 0\r\n\r\n")
    template = "\n".join(f"{name}=%{{{name}}}" for name in names)
    for args in ([url("hello.txt")], ["-f", url("none")], [url("a/b", 8034)], ["-o", "/dev/null", url("1")]):
        args = ["-s", "-A", "x", *args, "-w", f"{template}\n%{{onerror}}failed"]
        ours = lab.dpfetch(*args)
        curl = lab.in_client("curl", *args, check=False)
        assert (ours.returncode, ours.stdout) == (curl.returncode, curl.stdout), f"{ours.stdout}\n{curl.stdout}"


def test_verbose_shows_request_and_response_as_curl_does(lab):
    args = ["-v", "-o", "/dev/null", "-A", "me/1", "-H", "X-One: 1", url("hello.txt"), url("1")]
    args[3:3] = ["-o", "/dev/null"]
    ours, curls = lab.dpfetch(*args).stderr, lab.in_client("curl", "-s", *args).stderr

    def shown(text, mark):
        return [line.strip() for line in text.splitlines() if line.startswith(mark + " ") and line.strip() != mark]

    def fields(lines):  # curl's reason phrase is left out, and the clock ticks
        return [" ".join(line.split()[:3]) for line in lines if not line.startswith("< Date:")]

    assert sorted(shown(ours, ">")) == sorted(shown(curls, ">")), ours
    assert len(shown(ours, "<")) > 6 and fields(shown(ours, "<")) == fields(shown(curls, "<")), ours
