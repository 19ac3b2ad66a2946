# SPDX-License-Identifier: BSD-3-Clause
"""dpfetch compare, and get and bench over the kernel's sockets."""
import filecmp
import glob
import html.parser
import json
import os
import re
import signal
import subprocess
import time

from lab import SERVER_IP, sha256_file

LABS = [{"mtu": 1500, "size": 20000000}]
BIG = f"http://{SERVER_IP}/big"
SMALL = f"http://{SERVER_IP}/hello.txt"


def kernel_bench(lab, *args, build="release"):
    command = lab.command("bench", "--stack", "kernel", "--stats", lab.path("kernel.json"), *args, build=build)
    result = lab.run(command, timeout=60)
    assert result.returncode == 0, result.stderr
    with open(lab.path("kernel.json"), encoding="utf-8") as file:
        return json.load(file), result.stdout


def server_pid(lab):
    with open(f"/run/{lab.name}-lab/nginx.pid", encoding="ascii") as file:
        return file.read().strip()


def compare(lab, *args):
    result = lab.dpfetch("compare", "--stats", lab.path("compare.json"), "--html", lab.path("compare.html"), *args)
    assert result.returncode == 0, result.stderr + result.stdout
    with open(lab.path("compare.json"), encoding="utf-8") as file:
        return json.load(file), result.stdout


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
        return [int(child) for child in file.read().split()]


def wait_for_packets(lab):
    """Until a load runs."""
    before = int(lab.in_client("cat", "/sys/class/net/c0/statistics/rx_packets").stdout)
    for _ in range(200):
        time.sleep(0.1)
        if int(lab.in_client("cat", "/sys/class/net/c0/statistics/rx_packets").stdout) > before + 100:
            return
    raise AssertionError("there is no load")


class Page(html.parser.HTMLParser):
    """Are all tags closed, and is there anything that a browser would fetch?"""

    VOID = {"meta", "br"}

    def __init__(self):
        super().__init__()
        self.open, self.counts, self.links = [], {}, []

    def handle_starttag(self, tag, attrs):
        self.counts[tag] = self.counts.get(tag, 0) + 1
        self.links += [value for name, value in attrs if name in ("src", "href", "srcset", "data", "action")]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        self.open.pop()

    def handle_endtag(self, tag):
        assert self.open and self.open.pop() == tag, f"</{tag}> closes another tag"


def test_compare_kernel_bench_counts_what_the_server_sent(lab):
    before = lab.tcp_counters(lab.server)["PassiveOpens"]
    stats, text = kernel_bench(lab, "-c", "6", "-n", "300", SMALL)
    end = stats["end"]
    assert end["counts"]["responses"] == 300 and end["counts"]["status"]["2xx"] == 300, end["counts"]
    assert end["counts"]["body_bytes"] == 300 * len("Hello from the lab.\n")
    assert lab.tcp_counters(lab.server)["PassiveOpens"] - before == 6
    assert stats["load"]["stack"] == "kernel" and "kernel's stack" in text
    kernel_bench(lab, "-c", "3", "--cps", "-n", "50", SMALL, build="asan")


def test_compare_reports_both_stacks_and_an_html_page_of_its_own(lab):
    report, text = compare(lab, "-c", "2", "-d", "0.5", "--pairs", "2", "--server-pid", server_pid(lab), BIG)
    assert len(report["pairs"]) == 2 and {"dpfetch", "kernel", "curl"} == set(report["pairs"][0])
    for key in ("goodput_bps", "latency_p99_us", "machine_cycles_per_byte", "server_retransmits", "frame_bytes"):
        line = report["summary"][key]
        assert line["dpfetch"]["low"] <= line["dpfetch"]["median"] <= line["dpfetch"]["high"], (key, line)
    assert report["summary"]["goodput_bps"]["kernel"]["median"] > 1e8
    assert report["conditions"]["offloads"]["gro"] is False and report["conditions"]["interface_mtu"] == 1500
    assert report["workload"]["urls"] == [{"url": BIG, "weight": 1}] and report["workload"]["connections"] == 2, report
    assert report["conditions"]["dpdk"].startswith("DPDK ") and report["conditions"]["curl"][0].isdigit(), report
    assert re.search(rf"^  URL +{BIG}$", text, re.M) and re.search(r"^  load +2 connections, .* 0.5 s;", text, re.M), text
    assert re.search(r"^  offloads .*GRO off, LRO off$", text, re.M) and "governor" in text and "busy poll" in text, text
    assert re.search(r"^  versions +dpfetch .*DPDK .*kernel .*curl \d", text, re.M), text
    for side in ("dpfetch", "kernel"):
        acks = report["acks"][side]
        assert acks["data_segments"] > 1000 and 0 < acks["acks"] < acks["data_segments"], acks
        assert 0 < acks["delay_p50_us"] <= acks["delay_p99_us"] <= acks["delay_max_us"], acks
        assert re.search(rf"^{side} +[1-9]\d* ACKs for a transfer's first [1-9]\d* data segments", text, re.M), text
    assert "too few for an interval" in text and "goodput, Gb/s" in text
    with open(lab.path("compare.html"), encoding="utf-8") as file:
        content = file.read()
    page = Page()
    page.feed(content)
    page.close()
    assert not page.open and page.counts["svg"] >= 6, (page.open, page.counts)
    assert not page.links and not re.search(r"url\(|@import|<script", content), page.links
    assert "nan" not in re.sub(r"<text[^>]*>[^<]*", "", content), "a coordinate is no number"
    assert "<b>A</b>" in content and " P" in content, "the packets of the beginning"


def test_compare_warns_of_what_is_not_fair(lab):
    lab.in_client("ethtool", "-K", "c0", "gro", "on")
    try:
        report, text = compare(lab, "-c", "1", "-d", "0.3", "--pairs", "1", "--no-curl", SMALL)
    finally:
        lab.in_client("ethtool", "-K", "c0", "gro", "off")
    assert any("GRO" in warning for warning in report["warnings"]), report["warnings"]
    assert "warning: GRO" in text and "--server-pid" in text
    assert "curl" not in report["pairs"][0]


def test_compare_interrupted_reports_whole_pairs_and_leaves_nothing(lab):
    process = lab.popen("compare", "-c", "1", "-d", "1", "--pairs", "50", "--no-curl", SMALL)
    time.sleep(5.5)
    out, err = lab.interrupt(process)
    assert process.returncode == -signal.SIGINT, (process.returncode, out, err)
    assert "interleaved pairs" in out and "Gb/s" in err, (out, err)
    left = lab.in_client("ss", "-Htnp", "state", "established").stdout
    assert "dpfetch" not in left, f"a child is left: {left}"
    assert not glob.glob("/tmp/dpfetch-compare-*")


def test_compare_without_an_interface_of_the_kernel_is_2(lab):
    result = lab.run([f"{lab.command()[4]}", "compare", "--nic", "0000:00:00.9", "--address", "198.18.0.2/24", BIG])
    assert result.returncode == 2 and "the kernel has, too" in result.stderr, result.stderr


def test_compare_says_before_it_begins_where_it_cannot_write(lab):
    before = time.monotonic()
    for option in ("--stats", "--html"):
        result = lab.dpfetch("compare", "-d", "20", option, lab.path("absent/report"), SMALL)
        assert result.returncode == 115 and f"{option}: cannot write" in result.stderr, result.stderr
    assert time.monotonic() - before < 15, "it was measured first"


def test_compare_ends_with_the_error_of_its_measurement(lab):
    result = lab.dpfetch("compare", "-d", "1", "--pairs", "1", f"http://{SERVER_IP}:8199/")
    assert result.returncode == 7 and "Failed to connect" in result.stderr, result.stderr


def test_compare_needs_no_temporary_files(lab):
    """/tmp can be read only: the children's reports are in memory."""
    command = lab.command("compare", "-c", "1", "-d", "0.2", "--pairs", "1", "--no-curl", SMALL)
    read_only = "mount --bind /tmp /tmp && mount -o remount,bind,ro /tmp && exec \"$@\""
    result = lab.run(["unshare", "-m", "sh", "-c", read_only, "-", *command])
    assert result.returncode == 0 and "interleaved pairs" in result.stdout, result.stderr


def test_compare_curl_asks_as_we_do_and_as_nobodys_curlrc_wants(lab):
    folder = lab.path("bin")
    os.makedirs(folder)
    with open(os.path.join(folder, "curl"), "w", encoding="ascii") as file:
        file.write(f"#!/bin/sh\nfor a; do echo \"$a\"; done >{folder}/args\necho 1000 0.5\n")
    os.chmod(os.path.join(folder, "curl"), 0o755)
    command = lab.command("compare", "-d", "0.2", "--pairs", "1", "-H", "X-One: 1", "-H", "X-Two: 2", "-A", "me", "-4",
                          SMALL)
    result = lab.run(["env", f"PATH={folder}:{os.environ['PATH']}", *command])
    assert result.returncode == 0 and "curl -o /dev/null" in result.stdout, result.stderr
    with open(os.path.join(folder, "args"), encoding="ascii") as file:
        args = file.read().split("\n")[:-1]
    assert args[0] == "-q" and "-g" in args and "-4" in args and args[-1] == SMALL, args
    assert [args[i + 1] for i, arg in enumerate(args) if arg == "-H"] == ["X-One: 1", "X-Two: 2"], args
    assert args[args.index("-A") + 1] == "me", args


def test_compare_warns_of_a_curl_that_fails(lab):
    folder = lab.path("failing")
    os.makedirs(folder)
    with open(os.path.join(folder, "curl"), "w", encoding="ascii") as file:
        file.write("#!/bin/sh\nexit 22\n")
    os.chmod(os.path.join(folder, "curl"), 0o755)
    command = lab.command("compare", "-d", "0.2", "--pairs", "1", SMALL)
    result = lab.run(["env", f"PATH={folder}:{os.environ['PATH']}", *command])
    assert result.returncode == 0 and "curl did not fetch the URL in pair 1" in result.stdout + result.stderr, result


def test_compare_with_a_list_of_urls_has_curl_and_the_time_line(lab):
    listed = lab.path("urls")
    with open(listed, "w", encoding="ascii") as file:
        file.write(f"# a list\n3 {BIG}\n{SMALL}\n")
    report, text = compare(lab, "-d", "0.3", "--pairs", "1", "--url-file", listed)
    assert report["workload"]["urls"] == [{"url": BIG, "weight": 3}, {"url": SMALL, "weight": 1}], report["workload"]
    assert "curl" in report["pairs"][0] and report["notes"] == [], (report["notes"], text)
    assert not any("curl" in warning for warning in report["warnings"]), report["warnings"]
    for side in ("dpfetch", "kernel"):
        assert report["acks"][side]["data_segments"] > 1000, report["acks"]
    result = lab.dpfetch("compare", "--pairs", "1", "--url-file", "-")
    assert result.returncode == 2 and "regular file" in result.stderr, result.stderr


def test_compare_goes_on_without_the_terminal_that_nohup_took(lab):
    """For the parent and for its child: who had SIGHUP ignored meant it."""
    command = lab.command("compare", "-c", "1", "-d", "1", "--pairs", "1", "--no-curl", SMALL)
    with subprocess.Popen(["nohup", *command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        time.sleep(1)
        for pid in (process.pid, *children(process.pid)):
            os.kill(pid, signal.SIGHUP)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 0 and "medians of 1" in out, (process.returncode, out, err)


def test_compare_hears_of_its_children_though_sigchld_was_ignored(lab):
    command = lab.command("compare", "-c", "1", "-d", "0.2", "--pairs", "1", "--no-curl", SMALL)
    ignore = "import os,signal,sys; signal.signal(signal.SIGCHLD, signal.SIG_IGN); os.execvp(sys.argv[1], sys.argv[1:])"
    result = lab.run(["python3", "-c", ignore, *command], timeout=30)
    assert result.returncode == 0 and "medians of 1" in result.stdout, result.stderr


def test_compare_takes_no_part_of_a_run_for_a_run(lab):
    """The child alone is told to end: what it has measured so far is not a pair's."""
    process = lab.popen("compare", "-c", "1", "-d", "30", "--pairs", "1", "--no-curl", SMALL)
    wait_for_packets(lab)
    os.kill(children(process.pid)[0], signal.SIGTERM)
    out, err = process.communicate(timeout=20)
    assert process.returncode == -signal.SIGTERM and "medians" not in out, (process.returncode, out, err)


def test_compare_says_that_its_child_was_killed(lab):
    process = lab.popen("compare", "-c", "1", "-d", "30", "--pairs", "1", "--no-curl", SMALL)
    wait_for_packets(lab)
    os.kill(children(process.pid)[0], signal.SIGKILL)
    out, err = process.communicate(timeout=20)
    assert process.returncode == 116 and "ended by a signal: Killed" in err, (process.returncode, out, err)


def test_compare_kernel_bench_has_more_connections_than_the_usual_open_files(lab):
    command = lab.command("bench", "--stack", "kernel", "-c", "300", "-n", "600", "--stats", lab.path("files.json"),
                          SMALL)
    result = lab.run(["sh", "-c", "ulimit -Sn 200; exec \"$@\"", "-", *command], timeout=60)
    assert result.returncode == 0, result.stderr
    with open(lab.path("files.json"), encoding="utf-8") as file:
        end = json.load(file)["end"]
    assert end["open_max"] == 300 and end["counts"]["errors"]["connect"] == 0, end["counts"]
    may_not = ["setpriv", "--bounding-set", "-sys_resource", "--inh-caps", "-sys_resource"]
    result = lab.run(["sh", "-c", "ulimit -n 200; exec \"$@\"", "-", *command[:4], *may_not, *command[4:]], timeout=60)
    assert result.returncode == 2 and "300 connections of the kernel's need" in result.stderr, result.stderr


def test_compare_check_finds_what_would_stop_a_run(lab):
    result = lab.dpfetch("compare", "--check", SMALL)
    assert result.returncode == 0 and "in order" in result.stderr, result.stderr
    result = lab.dpfetch("compare", "--check", SMALL, "https://web.test/")
    assert result.returncode == 1 and "only http://" in result.stderr, result.stderr
    result = lab.dpfetch("compare", "--check", "-H", "no colon", SMALL)
    assert result.returncode == 2, result.stderr


def test_compare_to_a_file_is_exact_and_says_how_it_was_written(lab):
    out = lab.path("compared")
    report, text = compare(lab, "--pairs", "2", "--server-pid", server_pid(lab), "-o", out, BIG)
    assert filecmp.cmp(out, f"{lab.www}/big", shallow=False), "the last run's file is kept"
    file = report["conditions"]["file"]
    assert file["verified"] == 6 and file["bytes"] == 20000000, file
    assert file["digest"] == "sha-256" and file["hex"] == sha256_file(out), file
    assert file["fsync"] is False and file["free_bytes_before"] > 20000000 and "cold" in file["before_each_run"], file
    assert file["file_system"] not in ("", "unknown") and "io_uring" in file["dpfetch_wrote_by"], file
    for where in (report, report["null_sink"]):
        assert len(where["pairs"]) == 2 and {"dpfetch", "kernel", "curl"} == set(where["pairs"][0])
        assert where["summary"]["goodput_bps"]["dpfetch"]["median"] > 1e7
        assert where["summary"]["frames_sent"]["kernel"]["median"] > 100
        assert where["summary"]["client_cycles_per_byte"]["kernel"]["median"] > 0
    for ratio in ("file_to_null", "to_curl_null", "to_curl_file"):
        assert report["ratios"][ratio]["dpfetch"]["median"] > 0, report["ratios"]
    assert report["acks"]["kernel"]["acks"] > 0 and report["acks"]["dpfetch"]["acks"] > 0
    assert "one transfer, to nowhere" in text and f"one transfer, to {out}" in text and "all alike" in text, text
    with open(lab.path("compare.html"), encoding="utf-8") as html_file:
        content = html_file.read()
    page = Page()
    page.feed(content)
    page.close()
    assert not page.open and page.counts["svg"] >= 4 and not page.links, (page.open, page.counts)
    assert "Ratios of goodputs" in content and "nan" not in re.sub(r"<text[^>]*>[^<]*", "", content)


def test_compare_to_a_file_with_fsync_counts_it_and_warns_of_no_page_cache(lab):
    report, text = compare(lab, "--pairs", "1", "--fsync", "--no-curl", "-o", lab.path("synced"), BIG)
    assert report["conditions"]["file"]["fsync"] is True and report["conditions"]["file"]["verified"] == 2
    assert "fsync counts, for all three" in text and not any("O_DIRECT" in w for w in report["warnings"]), text


def test_compare_to_a_file_finds_what_is_wrong_before_and_after(lab):
    out = lab.path("wrong")
    result = lab.dpfetch("compare", "--pairs", "1", "--checksum", "md5=" + "0" * 32, "-o", out, BIG)
    assert result.returncode == 117 and "dpfetch's file is not the right one" in result.stderr, result.stderr
    assert os.path.exists(out)
    for args, code, words in ((["-o", lab.work], 2, "no regular file"), (["-o", out, "-c", "2"], 2, "is a load's"),
                              (["-o", lab.path("absent/file")], 23, "cannot be written"),
                              (["-o", "/dev/null"], 2, "needs a file")):
        result = lab.dpfetch("compare", "--pairs", "1", *args, BIG)
        assert result.returncode == code and words in result.stderr, (args, result.returncode, result.stderr)
    result = lab.dpfetch("compare", "--check", "-o", out, BIG)
    assert result.returncode == 0 and "in order" in result.stderr, result.stderr
    result = lab.dpfetch("compare", "--pairs", "1", "-o", out, f"http://{SERVER_IP}/absent")
    assert result.returncode == 22, (result.returncode, result.stderr)


def kernel_get(lab, *args, build="release"):
    """A fetch over the kernel's sockets. Its exit code, standard error and (--stats) transfers."""
    stats = lab.path("get.json")
    if os.path.exists(stats):
        os.unlink(stats)
    result = lab.dpfetch("--stack", "kernel", "--stats", stats, *args, build=build)
    if not os.path.exists(stats):
        return result, None
    with open(stats, encoding="utf-8") as file:
        return result, json.load(file)


def test_get_kernel_stack_fetches_byte_exact_like_our_own(lab):
    out = lab.path("kernel-out")
    for build in ("release", "asan"):
        result, stats = kernel_get(lab, "--checksum", "sha-256=" + sha256_file(f"{lab.www}/big"), "-o", out, BIG, build=build)
        assert result.returncode == 0, result.stderr
        assert filecmp.cmp(out, f"{lab.www}/big", shallow=False)
        assert "kernel's stack, client on CPU" in result.stderr and "ACKs" not in result.stderr, result.stderr
        assert stats["stack"] == "kernel" and stats["environment"]["driver"] == "kernel", stats
        transfer = stats["transfers"][0]
        assert transfer["result"]["size_download"] == 20000000 and transfer["cpu"]["user_s"] > 0, transfer
        assert transfer["tcp"]["timestamps"] and transfer["result"]["time_connect"] > 0, transfer["tcp"]
        os.unlink(out)


def test_get_kernel_stack_reuses_its_connection_and_follows_curls_exit_codes(lab):
    result, stats = kernel_get(lab, "-w", "%{num_connects} %{http_code} ", "-o", "/dev/null", "-o", "/dev/null",
                               SMALL, SMALL)
    assert result.returncode == 0 and result.stdout == "1 200 0 200 ", (result.stdout, result.stderr)
    assert len(stats["transfers"]) == 2
    assert kernel_get(lab, "-f", "-o", "/dev/null", f"http://{SERVER_IP}/absent")[0].returncode == 22
    result, _ = kernel_get(lab, "--retry", "1", "--retry-connrefused", "--retry-delay", "0.2", "-o", "/dev/null",
                           f"http://{SERVER_IP}:8199/")
    assert result.returncode == 7 and "1 retries used" in result.stderr, result.stderr
    result, _ = kernel_get(lab, "-o", "/dev/full", BIG)
    assert result.returncode == 23, (result.returncode, result.stderr)
    result, _ = kernel_get(lab, "-m", "0.3", "-o", "/dev/null", "http://198.18.0.77/")
    assert result.returncode == 28, (result.returncode, result.stderr)


def test_get_kernel_stack_ends_by_a_signal_and_keeps_what_came(lab):
    fifo = lab.path("slow")
    os.mkfifo(fifo)
    process = lab.popen("--stack", "kernel", "-o", fifo, BIG)
    with open(fifo, "rb") as reader:
        assert len(reader.read(100000)) == 100000
        _, err = lab.interrupt(process)
    assert process.returncode == -signal.SIGINT and "interrupted by SIGINT" in err, (process.returncode, err)
    os.unlink(fifo)


def test_kernel_stack_refuses_what_only_our_own_heeds(lab):
    for word in ([], ["bench"]):
        result = lab.dpfetch(*word, "--stack", "kernel", "--window", "1m", SMALL)
        assert result.returncode == 2 and "--window is our own stack's" in result.stderr, result.stderr
