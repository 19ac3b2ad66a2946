# SPDX-License-Identifier: BSD-3-Clause
"""dpfetch nic test over the lab's cable: what passes, what is found out, and what is said of it."""
import contextlib
import json
import os
import re
import signal
import sys
import time
import xml.etree.ElementTree

from lab import NIC, SERVER_IP
from test_compare import Page, wait_for_packets

LABS = [{"mtu": 1500, "size": 20000000}]
URL = f"http://{SERVER_IP}/1048576"
LINE = re.compile(r"^(PASS|FAIL|SKIPPED) +(\S+) +[\d.]+ s(?:  (.*))?$", re.M)
# Of a virtual device over a kernel's interface: no NIC filters, no hardware sums, no cable.
ON_A_VIRTUAL_CABLE = {
    "link": "PASS", "fetch": "PASS", "mac": "SKIPPED", "mtu": "PASS", "checksum-tx": "SKIPPED", "checksum-rx": "PASS",
    "vlan": "SKIPPED", "rss": "PASS", "queues": "PASS", "sizes": "PASS", "rates": "PASS", "pause": "SKIPPED",
    "flap": "SKIPPED", "soak": "PASS"}
# What soak finds where another program takes the poll core's CPU.
TIRED = re.compile(r"FAIL +soak.*(frames were lost at the port|seconds nothing came)")
# A server whose file is another one each time.
CHANGING = """
import http.server, os
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "65536")
        self.end_headers()
        self.wfile.write(os.urandom(65536))
http.server.HTTPServer(("198.18.0.1", 8099), Handler).serve_forever()
"""


@contextlib.contextmanager
def forwarding(lab):
    """The server sends back what is for us, as a router does."""
    lab.in_server("sysctl", "-qw", "net.ipv4.ip_forward=1")
    try:
        yield
    finally:
        lab.in_server("sysctl", "-qw", "net.ipv4.ip_forward=0")


@contextlib.contextmanager
def nft(lab, rules):
    """Rules of a table of their own in the server's namespace."""
    lab.in_server("nft", "-f", "-", input=f"table ip nic_test {{\n{rules}\n}}\n")
    try:
        yield
    finally:
        lab.in_server("nft", "delete", "table", "ip", "nic_test")


def nic_test(lab, *args, url=URL):
    return lab.dpfetch("nic", "test", *args, url)


def own_string(lab, string, *args):
    """With a vdev string of the user's own instead of an interface."""
    command = lab.command("nic", "test", *args, URL)
    command[command.index(NIC)] = string
    return lab.run(command)


def found(text):
    """{test: (verdict, text)} of the lines that people read."""
    return {name: (verdict, said or "") for verdict, name, said in LINE.findall(text)}


def verdicts(text):
    return {name: verdict for name, (verdict, _) in found(text).items()}


def expect(result, code, **expected):
    """Exit code and verdicts, no more and no fewer; names have _ for -."""
    expected = {name.replace("_", "-"): verdict for name, verdict in expected.items()}
    everything = result.stdout + result.stderr
    assert result.returncode == code, (result.returncode, everything)
    assert verdicts(everything) == expected, everything
    return found(everything)


def check_json(report, lines):
    assert {t["name"]: (t["verdict"].upper(), t["text"]) for t in report["tests"]} == lines
    counted = [t["verdict"] for t in report["tests"]]
    assert [report[key] for key in ("passed", "failed", "skipped")] == \
        [counted.count(verdict) for verdict in ("pass", "fail", "skipped")], report
    assert report["nic"] == NIC and report["url"] == URL and report["environment"]["driver"] == "ring"
    assert abs(sum(t["seconds"] for t in report["tests"]) - report["seconds"]) < 0.5


def check_junit(path, report):
    suite = xml.etree.ElementTree.parse(path).getroot().find("testsuite")
    cases = suite.findall("testcase")
    assert [int(suite.get(key)) for key in ("tests", "failures", "skipped")] == \
        [len(report["tests"]), report["failed"], report["skipped"]], suite.attrib
    assert [case.get("name") for case in cases] == [t["name"] for t in report["tests"]]
    for case, test in zip(cases, report["tests"]):
        assert (case.find("skipped") is not None) == (test["verdict"] == "skipped"), test
        assert (case.find("failure") is not None) == (test["verdict"] == "fail"), test
        assert case.find("system-out").text.startswith(test["text"]), test
        if test["verdict"] == "skipped":
            assert case.find("skipped").get("message") == test["text"], test


class Rows(Page):
    """A Page's table rows, as lists of their cells' texts."""

    def __init__(self):
        super().__init__()
        self.rows, self.row = [], None

    def handle_starttag(self, tag, attrs):
        super().handle_starttag(tag, attrs)
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_data(self, data):
        if self.rows and self.rows[-1]:
            self.rows[-1][-1] += data


def check_html(path, report):
    page = Rows()
    with open(path, encoding="utf-8") as file:
        page.feed(file.read())
    page.close()
    assert not page.open and not page.links, (page.open, page.links)
    for test in report["tests"]:
        rows = [row for row in page.rows if row[0] == test["name"] and row[1] == test["verdict"].upper()]
        assert len(rows) == 1 and rows[0][3].strip().startswith(test["text"]), (test, rows)


def whole_run(lab, *args):
    """A run of all tests in which nobody took the CPU from us: else it says nothing, and is repeated."""
    for _ in range(3):
        start, foreign = time.monotonic(), lab.foreign_cpu_seconds()
        result = nic_test(lab, *args)
        busy = (lab.foreign_cpu_seconds() - foreign) / (time.monotonic() - start)
        if not TIRED.search(result.stdout) or busy < 0.1:
            break
    return result


def test_nic_test_whole_run_passes_and_its_reports_agree(lab):
    expected = dict(ON_A_VIRTUAL_CABLE)
    if os.cpu_count() < 2:
        expected["queues"] = "SKIPPED"
    paths = [lab.path(name) for name in ("all.json", "all.xml", "all.html")]
    with forwarding(lab):
        result = whole_run(lab, "--soak", "3", "--stats", paths[0], "--junit", paths[1], "--html", paths[2])
    assert result.returncode == 0 and verdicts(result.stdout) == expected, result.stdout + result.stderr
    assert "9 passed, 0 failed, 5 skipped" in result.stdout or os.cpu_count() < 2, result.stdout
    with open(paths[0], encoding="utf-8") as file:
        report = json.load(file)
    assert report["verdict"] == "pass"
    check_json(report, found(result.stdout))
    check_junit(paths[1], report)
    check_html(paths[2], report)
    of = {t["name"]: t for t in report["tests"]}
    assert of["fetch"]["values"]["bytes"] == 1048576 and of["rss"]["values"]["queues"] == 4, of
    assert of["rss"]["values"]["flows_unanswered"] == 0 and of["sizes"]["values"]["echoes_lost"] == 0, of
    assert of["soak"]["values"]["responses"] > 10, of["soak"]
    assert [c["name"] for c in of["mtu"]["cases"]] == ["576 bytes", "1280 bytes", "1492 bytes", "1500 bytes"], of["mtu"]
    assert {c["verdict"] for name in ("mtu", "checksum-rx", "queues", "sizes") for c in of[name]["cases"]} == {"pass"}, of


def test_nic_test_over_packet_sockets_with_a_digest_of_the_users(lab):
    with forwarding(lab):
        result = nic_test(lab, "--nic-mode", "vnet", "--only", "mtu,checksum-tx,checksum-rx,rss,sizes", "--checksum",
                          "md5", "-v")
    lines = expect(result, 0, link="PASS", fetch="PASS", mtu="PASS", checksum_tx="PASS", checksum_rx="PASS",
                   rss="SKIPPED", sizes="PASS")
    assert "md5" in lines["fetch"][1], lines["fetch"]
    assert "by the NIC, 1455 bytes of data" in result.stdout, result.stdout  # odd, and as long as fits


def test_nic_test_driver_that_inserts_tags_is_tried(lab):
    result = nic_test(lab, "--nic-mode", "af_packet", "--only", "vlan")
    expect(result, 0, link="PASS", fetch="PASS", vlan="PASS")


def test_nic_test_report_on_standard_output_is_alone_and_what_cannot_be_is_skipped(lab):
    result = nic_test(lab, "--queues", "2", "--only", "queues,checksum-rx", "--stats", "-")
    report = json.loads(result.stdout)
    several = "PASS" if os.cpu_count() > 1 else "SKIPPED"
    lines = expect(result, 0, link="PASS", fetch="PASS", checksum_rx="SKIPPED", queues=several)
    check_json(report, lines)
    assert "sysctl -w net.ipv4.ip_forward=1" in lines["checksum-rx"][1], lines
    queues = next(t for t in report["tests"] if t["name"] == "queues")
    assert [c["name"] for c in queues["cases"]] == (["queue 0", "queue 1"] if os.cpu_count() > 1 else []), queues


def test_nic_test_of_a_server_that_is_not_there_skips_what_needs_it(lab):
    result = nic_test(lab, url="http://198.18.0.99/")
    assert result.returncode == 121, (result.returncode, result.stderr)
    lines = found(result.stdout)
    assert list(lines) == list(ON_A_VIRTUAL_CABLE), lines
    assert lines.pop("link")[0] == "PASS"
    verdict, text = lines.pop("fetch")
    assert verdict == "FAIL" and "198.18.0.99" in text and "who-has" in text, text
    assert set(lines.values()) == {("SKIPPED", "the server was not reached")}, lines


def test_nic_test_of_a_file_that_is_not_there_says_so(lab):
    result = nic_test(lab, "--only", "sizes", url=f"http://{SERVER_IP}/none")
    lines = expect(result, 121, link="PASS", fetch="FAIL", sizes="SKIPPED")
    assert "404" in lines["fetch"][1], lines


def test_nic_test_of_a_file_that_changes_asks_whether_it_does(lab):
    server = lab.start(sys.executable, "-c", CHANGING, port=8099)
    result = nic_test(lab, "--only", "mtu", url="http://198.18.0.1:8099/")
    lab.stop(server)
    lines = expect(result, 121, link="PASS", fetch="PASS", mtu="FAIL")
    assert "does the file change?" in lines["mtu"][1], lines


def test_nic_test_lost_echoes_are_counted_and_located_beyond_the_port(lab):
    stats = lab.path("lost.json")
    with nft(lab, "chain out { type filter hook output priority 0;\n"
                  "icmp type echo-reply numgen inc mod 50 == 0 drop\n}"):
        result = nic_test(lab, "--only", "sizes", "--stats", stats)
    lines = expect(result, 121, link="PASS", fetch="PASS", sizes="FAIL")
    assert "in the network or the server" in lines["sizes"][1], lines
    with open(stats, encoding="utf-8") as file:
        sizes = json.load(file)["tests"][-1]
    lost, sent = sizes["values"]["echoes_lost"], sizes["values"]["echoes"]
    assert sent == 7 * 256 and abs(lost - sent / 50) <= 1, sizes
    for case in sizes["cases"][:-1]:
        count = re.search(r"^lost (\d+) of 256: \1 in the network or the server$", case["text"])
        assert case["verdict"] == "fail" and count and int(count.group(1)) in (5, 6), case


def test_nic_test_own_port_with_one_queue_has_none_to_spread_over(lab):
    result = own_string(lab, f"net_af_packet0,iface={NIC}", "--only", "rss,queues")
    expect(result, 0, link="PASS", fetch="PASS", rss="SKIPPED", queues="SKIPPED")


def test_nic_test_own_port_that_says_nothing_of_its_queues_is_not_judged_by_it(lab):
    string = f"net_af_packet0,iface={NIC},qpairs=2,blocksz=1048576,framesz=2048,framecnt=8192"
    result = own_string(lab, string, "--only", "queues", "-v")
    lines = expect(result, 0, link="PASS", fetch="PASS", queues="PASS" if os.cpu_count() > 1 else "SKIPPED")
    assert "handed over" in lines["queues"][1] or os.cpu_count() < 2, lines


def test_nic_test_mistakes_are_found_before_any_test(lab):
    missing = lab.path("missing/report")
    for options, code, words in ((("--only", "mtu,frob"), 2, "there is no test 'frob'"),
                                 (("--skip", "frob,mtu"), 2, "there is no test 'frob'"),
                                 (("--only", "mtu", "--skip", "soak"), 2, "exclude each other"),
                                 (("--stats", "-", "--junit", "-"), 2, "takes one report"),
                                 (("--stats", missing), 115, missing), (("--junit", missing), 115, missing),
                                 (("--html", missing), 115, missing), (("--core", "4000"), 2, "--core")):
        result = nic_test(lab, *options)
        assert result.returncode == code and words in result.stderr, (options, result.returncode, result.stderr)
        assert result.stdout == "", (options, result.stdout)


def test_nic_test_check_changes_nothing_and_says_so(lab):
    stats = lab.path("check.json")
    before = lab.in_client("cat", "/sys/class/net/c0/statistics/tx_packets").stdout
    result = nic_test(lab, "--check", "--stats", stats)
    assert result.returncode == 0 and "in order" in result.stderr, (result.returncode, result.stderr)
    assert not LINE.search(result.stdout) and not os.path.exists(stats), result.stdout
    assert lab.in_client("cat", "/sys/class/net/c0/statistics/tx_packets").stdout == before


def things_left():
    """What a run may leave behind outside its namespace."""
    return {folder: sorted(os.listdir(folder)) for folder in ("/dev/shm", "/dev/hugepages", "/run/dpdk")
            if os.path.isdir(folder)}


def promiscuity(lab):
    """Of the interface; whoever was killed before in this lab has left its own."""
    return json.loads(lab.in_client("ip", "-d", "-j", "link", "show", NIC).stdout)[0]["promiscuity"]


def test_nic_test_ctrl_c_ends_it_within_seconds_and_leaves_nothing(lab):
    before, stats = (things_left(), promiscuity(lab)), lab.path("interrupted.json")
    process = lab.popen("nic", "test", "--only", "soak", "--soak", "60", "--stats", stats, URL)
    lines = [process.stdout.readline() for _ in range(2)]  # of link and fetch
    assert all(line.startswith("PASS") for line in lines), lines
    wait_for_packets(lab)
    start = time.monotonic()
    out, err = lab.interrupt(process, signal.SIGINT)
    took = time.monotonic() - start
    assert process.returncode == -signal.SIGINT and took < 10, (process.returncode, took, err)
    assert found(out)["soak"] == ("FAIL", "interrupted"), out
    with open(stats, encoding="utf-8") as file:
        assert [t["name"] for t in json.load(file)["tests"]] == ["link", "fetch", "soak"]
    assert lab.run(["ip", "netns", "pids", lab.client]).stdout.split() == [], "a process is left"
    assert (things_left(), promiscuity(lab)) == before
