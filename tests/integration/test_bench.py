# SPDX-License-Identifier: BSD-3-Clause
"""dpfetch bench against real servers: what it counts is what they saw."""
import collections
import csv
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time

from lab import SERVER_IP

LABS = [{"mtu": 1500, "size": 0}]
PORT = 8100

NGINX = """
worker_processes {workers};
pid {work}/nginx.pid;
error_log {work}/error.log warn;
daemon off;
worker_rlimit_nofile {files};
events {{ worker_connections {files}; }}
http {{
    log_format line '$status $connection $body_bytes_sent $uri $remote_addr';
    access_log {log};
    keepalive_requests {per_connection};
    client_body_temp_path {work}/body; proxy_temp_path {work}/proxy; fastcgi_temp_path {work}/fastcgi;
    uwsgi_temp_path {work}/uwsgi; scgi_temp_path {work}/scgi;
    server {{
        listen {ip}:{port} backlog=4096 reuseport;
        keepalive_timeout 300s;
        location = /hello {{ return 200 "hello\\n"; }}
        location = /missing {{ return 404; }}
        location = /slow {{ root {work}; limit_rate 200k; }}
        location / {{ root {www}; }}
    }}
}}
"""


class Nginx:
    """A server of the test's own, which says of each request what it was."""

    def __init__(self, lab, per_connection=1000000, workers=1, files=4096, log=True):
        self.lab, self.work = lab, lab.path(f"nginx-{time.monotonic_ns()}")
        os.makedirs(self.work)
        self.log = os.path.join(self.work, "access.log")
        with open(os.path.join(self.work, "slow"), "wb") as file:
            file.truncate(1200000)  # 6 s of it
        conf = os.path.join(self.work, "nginx.conf")
        with open(conf, "w", encoding="ascii") as file:
            file.write(NGINX.format(work=self.work, ip=SERVER_IP, port=PORT, www=lab.www, workers=workers,
                                    files=files, per_connection=per_connection,
                                    log=f"{self.log} line" if log else "off"))
        os.chmod(lab.work, 0o755)
        self.process = lab.start("nginx", "-c", conf, "-e", os.path.join(self.work, "error.log"), "-p",
                                 self.work, port=PORT)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.lab.stop(self.process)

    def worker(self):
        """The pid of the one worker."""
        with open(os.path.join(self.work, "nginx.pid"), encoding="ascii") as file:
            master = file.read().strip()
        with open(f"/proc/{master}/task/{master}/children", encoding="ascii") as file:
            return int(file.read().split()[0])

    def requests(self):
        """(status, connection, bytes, path, client) of each request that was answered."""
        with open(self.log, encoding="ascii") as file:
            return [line.split() for line in file]


def url(path):
    return f"http://{SERVER_IP}:{PORT}/{path}"


def bench(lab, *args, code=0, timeout=60):
    """Runs dpfetch bench; returns its --stats and its text."""
    stats = lab.path("bench.json")
    result = lab.dpfetch("bench", "--stats", stats, *args, timeout=timeout)
    assert result.returncode == code, f"exit {result.returncode}, wanted {code}: {result.stderr}{result.stdout}"
    with open(stats, encoding="utf-8") as file:
        return json.load(file), result.stdout + result.stderr


def test_bench_number_of_requests_is_what_the_server_saw(lab):
    with Nginx(lab) as server:
        stats, text = bench(lab, "-c", "7", "-n", "500", url("hello"))
        seen = server.requests()
    end = stats["end"]
    assert end["counts"]["responses"] == 500 and end["counts"]["status"]["2xx"] == 500, end["counts"]
    assert len(seen) == 500 and len({line[1] for line in seen}) == 7, f"{len(seen)} requests"
    assert end["counts"]["body_bytes"] == 500 * len("hello\n")
    assert sum(count for _, count in end["latency"]["buckets_us"]) == 500
    assert end["counters"]["tcp_retransmits"] == 0
    for words in ("Requests/sec:", "99.99%", "500 requests in", "7 connections, closed loop", "Status: 500 2xx"):
        assert words in text, f"{words!r} is not in: {text}"


def test_bench_closed_loop_for_a_time_has_intervals_that_add_up(lab):
    with Nginx(lab, log=False):
        stats, text = bench(lab, "-c", "20", "-d", "2s", "--ramp", "0.2", "--warmup", "300ms", "-i", "0.25",
                            url("hello"))
    end, intervals = stats["end"], stats["intervals"]
    assert abs(end["seconds"] - 2.0) < 0.01 and abs(end["measured_from_s"] - 0.5) < 0.02, end
    assert end["counts"]["responses"] > 1000 and not any(end["counts"]["errors"].values())
    measured = sum(i["counts"]["responses"] for i in intervals if i["measured"])
    assert abs(measured - end["counts"]["responses"]) <= 20, (measured, end["counts"]["responses"])
    assert [i for i in intervals if not i["measured"]], "ramp and warm-up are intervals, too"
    assert text.count("requests/s ") >= 9, text


def test_bench_pipelined_and_one_request_a_connection(lab):
    with Nginx(lab) as server:
        stats, _ = bench(lab, "-c", "3", "--pipeline", "8", "-n", "600", url("hello"))
        assert stats["end"]["counts"]["responses"] == 600 and len(server.requests()) == 600
        stats, text = bench(lab, "-c", "5", "--cps", "-n", "200", url("hello"))
        connections = {line[1] for line in server.requests()[600:]}
    assert len(connections) == 200 and stats["end"]["counts"]["connected"] >= 200
    assert not any(stats["end"]["counts"]["errors"].values()), stats["end"]["counts"]
    assert "Connects/sec:" in text and "one request each" in text


def test_bench_weights_and_ranges(lab):
    path = lab.path("urls")
    with open(path, "w", encoding="ascii") as file:
        file.write(f"# what our users ask for\n3 {url('hello')}\n{url('missing')}\n")
    with Nginx(lab) as server:
        stats, _ = bench(lab, "-c", "4", "-n", "2000", "--url-file", path)
        seen = collections.Counter(line[3] for line in server.requests())
        assert 1400 < seen["/hello"] < 1600, seen
        assert stats["end"]["counts"]["status"]["4xx"] == seen["/missing"]
        stats, _ = bench(lab, "-n", "50", "-r", "3-6", url("hello.txt"))
        assert all(line[:1] + line[2:3] == ["206", "4"] for line in server.requests()[2000:])
    assert stats["end"]["counts"]["body_bytes"] == 200


def test_bench_weights_of_two_servers_divide_the_connections(lab):
    path = lab.path("urls")
    with open(path, "w", encoding="ascii") as file:
        file.write(f"9 {url('hello')}\n1 http://{SERVER_IP}/hello.txt\n")
    with Nginx(lab) as server:
        _, text = bench(lab, "-c", "10", "-n", "1000", "--url-file", path)
        assert len({line[1] for line in server.requests()}) == 9 and "weights" not in text, text
        _, text = bench(lab, "-c", "2", "-n", "10", "--url-file", path)
        assert f"of 2 connections the server of http://{SERVER_IP}/hello.txt gets 0 instead of 0.2" in text, text
        assert "-c 10 would do" in text, text
        seen = len(server.requests())
        stats, text = bench(lab, "-c", "1", "--cps", "-n", "100", "--url-file", path)
        assert len(server.requests()) - seen == 90 and "weights" not in text, text
    assert stats["end"]["counts"]["responses"] == 100, stats["end"]["counts"]


def test_bench_thousands_of_connections_from_two_addresses(lab):
    count = 3000
    with Nginx(lab, files=2 * count) as server:  # which may get little of a busy machine's CPUs: nothing is timed
        stats, text = bench(lab, "--address", "198.18.0.100/24", "--addresses", "2", "-c", str(count), "--ramp", "2",
                            "--warmup", "1", "-n", str(3 * count), "-m", "150", url("hello"), timeout=180)
        clients = {line[1]: line[4] for line in server.requests()}
    end = stats["end"]
    assert end["open_max"] == count and not any(end["counts"]["errors"].values()), (end["open_max"], end["counts"])
    assert end["counts"]["responses"] == 3 * count and end["counts"]["disconnects"] == 0, end["counts"]
    assert collections.Counter(clients.values()) == {"198.18.0.100": count // 2, "198.18.0.101": count // 2}
    memory = end["bytes_per_connection"]
    assert 2048 < memory["stack"] < 8192 and 256 < memory["load"] < 1024, memory
    assert f"memory: {(memory['stack'] + memory['load']) / 1024:.1f} KiB a connection" in text, text


def test_bench_server_that_closes_after_some_requests_makes_no_errors(lab):
    with Nginx(lab, per_connection=10) as server:
        stats, _ = bench(lab, "-c", "4", "-n", "1000", url("hello"))
        assert len(server.requests()) == 1000
    counts = stats["end"]["counts"]
    assert counts["responses"] == 1000 and not any(counts["errors"].values()), counts
    assert counts["connected"] >= 100, counts


def test_bench_open_loop_shows_a_stall_in_every_request_that_it_delayed(lab):
    """The point of an open loop (no coordinated omission): the server stands still for a second."""
    with Nginx(lab, log=False) as server:
        process = lab.popen("bench", "-c", "10", "-d", "4", "-R", "500", "--stats", lab.path("stall.json"),
                              url("hello"))
        time.sleep(1.5)
        os.kill(server.worker(), signal.SIGSTOP)
        time.sleep(1)
        os.kill(server.worker(), signal.SIGCONT)
        out, err = process.communicate(timeout=30)
    assert process.returncode == 0, out + err
    with open(lab.path("stall.json"), encoding="utf-8") as file:
        end = json.load(file)["end"]
    assert end["counts"]["planned"] == 2000 and end["unsent"] == 0, end["counts"]
    assert end["counts"]["responses"] == 2000
    # 500 of 2,000 were planned in that second: an eighth waited for more than half of it.
    assert end["latency"]["p90_us"] > 400000, end["latency"]["p90_us"]
    assert end["latency"]["max_us"] > 900000 and end["latency"]["p50_us"] < 100000
    # From the moment of sending, only the 10 under way were slow.
    assert end["service"]["p90_us"] < 200000, end["service"]["p90_us"]


def test_bench_rate_that_is_too_high_is_told_as_unsent(lab):
    with Nginx(lab, log=False):
        stats, text = bench(lab, "-c", "1", "-d", "1", "-R", "1m", url("hello"))
    assert stats["end"]["unsent"] > 0 and "Unsent:" in text, text
    assert stats["end"]["counts"]["planned"] == 1000000


def test_bench_fail_if_is_118_and_says_what_it_was(lab):
    with Nginx(lab, log=False):
        _, text = bench(lab, "-n", "100", "--fail-if", "p50>1ns", "--fail-if", "errors>0", url("hello"), code=118)
        assert "--fail-if p50>1ns: it is " in text and "errors>0" not in text, text
        bench(lab, "-n", "100", "--fail-if", "errors>0", "--fail-if", "non2xx>0", url("hello"))
        _, text = bench(lab, "-n", "100", "--fail-if", "non2xx>0", url("missing"), code=118)


def test_bench_of_what_takes_longer_than_it_tells_goodput_and_no_latency(lab):
    with Nginx(lab, log=False):
        stats, text = bench(lab, "-c", "2", "-d", "2", "--fail-if", "bps<1k", url("slow"))
        _, failed = bench(lab, "-d", "1", "--fail-if", "p99>1s", url("slow"), code=118)
        _, late = bench(lab, "-d", "2", "-m", "1", url("slow"), code=52)  # each has failed
        compared = lab.dpfetch("compare", "-c", "1", "-d", "1", "--pairs", "1", "--no-curl", "--stats",
                               lab.path("compare.json"), "--html", lab.path("compare.html"), url("slow"))
    end = stats["end"]
    assert end["counts"]["responses"] == 0 and end["latency"]["count"] == 0, end["counts"]
    assert end["counts"]["body_bytes"] > 100000 and end["body_bits_per_second"] > 1e5 and end["unanswered"] == 2
    assert "no response was whole in the measured time, so there is no latency" in text, text
    assert "p99>1s: it is unknown" in failed, failed
    assert "not one response came" in late, late
    assert compared.returncode == 0, compared.stdout + compared.stderr
    assert "latency p" not in compared.stdout and "nan" not in compared.stdout, compared.stdout
    assert "kernel: no response was whole" in compared.stdout, compared.stdout
    with open(lab.path("compare.html"), encoding="utf-8") as file:
        assert not re.search(r"\b(nan|inf)\b", file.read())
    with open(lab.path("compare.json"), encoding="utf-8") as file:
        summary = json.load(file)["summary"]
    assert "latency_p50_us" not in summary and summary["goodput_bps"]["kernel"]["median"] > 1e5, summary


def test_bench_stream_is_flushed_and_ended_by_a_signal(lab):
    stream, table = lab.path("stream"), lab.path("bench.csv")
    with Nginx(lab, log=False):
        process = lab.popen("bench", "-c", "5", "-d", "60", "-i", "0.2", "--stats-stream", stream, "--csv", table,
                              url("hello"))
        time.sleep(2)
        with open(stream, encoding="utf-8") as file:
            assert len(file.readlines()) > 3, "lines come while it runs"
        out, err = lab.interrupt(process)
    assert process.returncode == -signal.SIGINT, (process.returncode, err)
    assert "Requests/sec:" in out, out
    with open(stream, encoding="utf-8") as file:
        lines = [json.loads(line) for line in file]
    assert [line["event"] for line in lines[:2]] == ["start", "interval"] and lines[-1]["event"] == "end"
    assert lines[-1]["signal"] == signal.SIGINT and lines[-1]["counts"]["responses"] > 100
    with open(table, encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(lines) - 2
    assert sum(int(row["responses"]) for row in rows) == sum(
        line["counts"]["responses"] for line in lines[1:-1])


def test_bench_of_a_server_that_is_not_there_is_7(lab):
    _, text = bench(lab, "-c", "3", "-d", "20", f"http://{SERVER_IP}:8199/", code=7, timeout=15)
    assert "Failed to connect to" in text and "refused" in text, text


def test_bench_number_of_requests_ends_when_the_server_is_gone_for_good(lab):
    with Nginx(lab, log=False) as server:
        process = lab.popen("bench", "-c", "5", "-n", "100000000", "--stats", lab.path("gone.json"), url("hello"))
        time.sleep(3)
        stopped = time.monotonic()
        lab.stop(server.process)
        out, err = process.communicate(timeout=90)
    assert process.returncode == 28, (process.returncode, out + err)
    assert 25 < time.monotonic() - stopped < 75 and "no response came for 30 s" in err, err
    with open(lab.path("gone.json"), encoding="utf-8") as file:
        counts = json.load(file)["end"]["counts"]
    assert counts["responses"] > 0 and counts["errors"]["connect"] > 100, counts


def test_bench_second_interrupt_does_not_wait_for_what_is_under_way(lab):
    with Nginx(lab, log=False) as server:
        process = lab.popen("bench", "-c", "5", "-d", "60", "--stats", lab.path("twice.json"), url("hello"))
        time.sleep(2)
        os.kill(server.worker(), signal.SIGSTOP)
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        time.sleep(0.5)
        _, err = lab.interrupt(process)
        os.kill(server.worker(), signal.SIGCONT)
    assert process.returncode == -signal.SIGINT, (process.returncode, err)
    with open(lab.path("twice.json"), encoding="utf-8") as file:
        stats = json.load(file)
    end = stats["end"]
    drained = stats["intervals"][-1]["end_s"] - end["measured_from_s"] - end["seconds"]
    assert end["unanswered"] == 5 and drained < 1.8, (end["unanswered"], drained)


def test_bench_link_timeout_is_true_time_however_rarely_we_look(lab):
    with Nginx(lab, log=False):
        process = lab.popen("bench", "-d", "60", "--link-timeout", "10", url("hello"))
        time.sleep(2)
        subprocess.run(["ip", "-n", lab.server, "link", "set", "s0", "down"], check=True)
        time.sleep(0.5)
        process.send_signal(signal.SIGSTOP)  # as on a machine that has no time for us
        time.sleep(5)
        process.send_signal(signal.SIGCONT)
        subprocess.run(["ip", "-n", lab.server, "link", "set", "s0", "up"], check=True)
        time.sleep(1)
        _, err = lab.interrupt(process)
    told = re.search(r"is up again after ([0-9.]+) s", err)
    assert told and 4.5 < float(told.group(1)) < 10, err


def test_bench_metrics_are_served_while_it_runs(lab):
    with Nginx(lab, log=False):
        process = lab.popen("bench", "-c", "5", "-d", "30", "-i", "0.2", "--metrics", "9109", url("hello"))
        time.sleep(2)
        page = lab.in_client("curl", "-sSi", "--noproxy", "*", "http://127.0.0.1:9109/metrics").stdout
        missing = lab.in_client("curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "http://127.0.0.1:9109/").stdout
        lab.interrupt(process)
    assert "200 OK" in page and "text/plain; version=0.0.4" in page and missing == "404", page
    figures = dict(line.rsplit(" ", 1) for line in page.splitlines() if line.startswith("dpfetch_"))
    assert int(figures['dpfetch_responses_total{status="2xx"}']) > 100 and figures["dpfetch_connections_open"] == "5"
    assert 0 < float(figures['dpfetch_latency_seconds{quantile="0.5"}']) < 1


RUNTIME_DIR = "/var/run/dpdk"


class Telemetry:
    """A client of the telemetry socket under DPDK's file prefix, as dpdk-telemetry.py is one."""

    def __init__(self, prefix, process):
        self.path = os.path.join(RUNTIME_DIR, prefix, "dpdk_telemetry.v2")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.socket.settimeout(20)
        for _ in range(400):  # until it listens
            assert process.poll() is None, process.communicate()
            try:
                self.socket.connect(self.path)
                break
            except (FileNotFoundError, ConnectionRefusedError):
                time.sleep(0.05)
        self.greeting = json.loads(self.socket.recv(1024))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def ask(self, command):
        self.socket.send(command.encode())
        return json.loads(self.socket.recv(self.greeting["max_output_len"]))[command]

    def ask_until(self, command, condition):
        """The first answer that is as wanted; until the load runs it is null."""
        for _ in range(400):
            answer = self.ask(command)
            if answer and condition(answer):
                return answer
            time.sleep(0.05)
        raise AssertionError(f"{command} answers {answer}")


def check_total(total, stats):
    """Does an answer of /dpfetch/bench say what the first intervals come to, and the last of them?"""
    done = [i for i in stats["intervals"] if round(i["end_s"] * 1e6) <= total["elapsed_us"]]
    assert done and abs(done[-1]["end_s"] * 1e6 - total["elapsed_us"]) <= 1, (total, stats["intervals"])
    for name, of in (("requests", lambda c: c["requests"]), ("responses", lambda c: c["responses"]),
                     ("status_2xx", lambda c: c["status"]["2xx"]), ("body_bytes", lambda c: c["body_bytes"]),
                     ("errors_timeout", lambda c: c["errors"]["timeout"]), ("connections", lambda c: c["connected"])):
        wanted = sum(of(i["counts"]) for i in done)
        assert total[name] == wanted, f"{name} is {total[name]}, wanted {wanted}"
    assert total["interval_responses"] == done[-1]["counts"]["responses"]
    for name in ("p50_us", "p90_us", "p99_us", "max_us"):
        assert abs(total[f"latency_{name}"] - done[-1][name]) <= 0.51, (total, done[-1])


def check_core(core, later, end):
    assert 0 < core["iterations_busy"] <= core["iterations"] < later["iterations"] <= end["iterations"], (core, end)
    assert 0 < core["cycles_busy"] <= core["cycles"] < later["cycles"], (core, later)
    assert core["cpu"] == end["core"] and core["cycles_hz"] > 1e8, (core, end)


def test_bench_telemetry_answers_while_it_runs_and_leaves_nothing(lab):
    path = lab.path("telemetry.json")
    with Nginx(lab, log=False):
        process = lab.popen("bench", "-c", "5", "-d", "60", "-i", "0.2", "--telemetry", "--stats", path,
                            url("hello"))
        prefix = f"dpfetch-{process.pid}"
        with Telemetry(prefix, process) as client:
            first = client.ask_until("/dpfetch/bench", lambda a: a["responses"] > 0)
            total = client.ask_until("/dpfetch/bench", lambda a: a["interval_responses"] > 0 and
                                     a["elapsed_us"] >= first["elapsed_us"] + 600000)
            core, counters = client.ask("/dpfetch/core"), client.ask("/dpfetch/counters")
            later = client.ask_until("/dpfetch/core", lambda a: a["iterations"] > core["iterations"])
            info, commands = client.ask("/dpfetch/info"), client.ask("/")
            _, err = lab.interrupt(process)
    assert process.returncode == -signal.SIGINT, (process.returncode, err)
    assert not os.path.exists(os.path.join(RUNTIME_DIR, prefix)), "the folder is left"
    assert client.path in err, f"it does not say where the socket is: {err}"
    with open(path, encoding="utf-8") as file:
        stats = json.load(file)
    assert client.greeting["pid"] == process.pid
    assert [c for c in commands if c.startswith("/dpfetch/")] == [
        "/dpfetch/bench", "/dpfetch/core", "/dpfetch/counters", "/dpfetch/info"], commands
    assert total["responses"] > first["responses"] > 0 and total["open"] == 5 and total["backlog"] == 0
    assert 0 < total["latency_p50_us"] <= total["latency_p99_us"] <= total["latency_max_us"], total
    for answer in (first, total):
        check_total(answer, stats)
    check_core(core, later, stats["end"]["core"])
    end = stats["end"]["counters"]
    assert counters.keys() == end.keys() and all(counters[name] <= end[name] for name in end)
    assert counters["rx_frames"] >= total["responses"], (counters["rx_frames"], total["responses"])
    assert info["url"] == url("hello") and info["driver"] == "ring" and info["command"] == "bench", info


def test_bench_telemetry_with_the_users_eal_options_and_after_a_kill(lab):
    """A socket that a killed run left is taken over; the user's folder stays the user's."""
    prefix = f"{lab.name}-eal"
    folder = os.path.join(RUNTIME_DIR, prefix)
    command = lab.command("bench", "-c", "2", "-d", "60", "-i", "0.2", url("hello"))
    at = command.index("bench")
    command[at:at] = ["--no-huge", "--no-shconf", "--no-pci", "-m", "256", "-l", "0", "--file-prefix", prefix, "--"]
    try:
        with Nginx(lab, log=False):
            for signo in (signal.SIGKILL, signal.SIGINT):
                process = lab.spawn(command)
                with Telemetry(prefix, process) as client:
                    client.ask_until("/dpfetch/bench", lambda a: a["responses"] > 0)
                    lab.interrupt(process, signo)
                assert os.path.exists(client.path) == (signo == signal.SIGKILL), signo
        assert os.listdir(folder) == []
    finally:
        shutil.rmtree(folder, ignore_errors=True)
