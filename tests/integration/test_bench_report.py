# SPDX-License-Identifier: BSD-3-Clause
"""What dpfetch bench tells of a run while it goes on and afterwards: --metrics, --stats, warnings."""
import json
import os
import time

from test_bench import Nginx, url

LABS = [{"mtu": 1500, "size": 0}]


def scrape(lab, port, until, seconds=30):
    """The figures at --metrics, asked for until they are as until(figures) wants them."""
    end, page = time.monotonic() + seconds, None
    while time.monotonic() < end:
        page = lab.in_client("curl", "-sS", "-m", "5", "--noproxy", "*", f"http://127.0.0.1:{port}/metrics", check=False)
        figures = dict(line.rsplit(" ", 1) for line in page.stdout.splitlines() if line.startswith("dpfetch_"))
        if figures and until(figures):
            return figures
        time.sleep(0.2)
    raise AssertionError(f"no such figures: {page}")


def test_bench_report_metrics_are_served_beside_many_kernel_connections(lab):
    with Nginx(lab, log=False):
        process = lab.popen("bench", "--stack", "kernel", "-c", "1500", "-d", "60", "-i", "0.2", "--metrics", "9110",
                            url("hello"))
        figures = scrape(lab, 9110, lambda figures: figures["dpfetch_connections_open"] == "1500")
        lab.interrupt(process)
    assert int(figures['dpfetch_responses_total{status="2xx"}']) > 0, figures


def test_bench_report_stats_say_what_was_run_and_where(lab):
    urls, stats, stream = lab.path("weights"), lab.path("said.json"), lab.path("said.stream")
    with open(urls, "w", encoding="ascii") as file:
        file.write(f"3 {url('hello')}\n{url('hello.txt').replace('://', '://me:secret@')}\n")
    with Nginx(lab, log=False):
        result = lab.dpfetch("bench", "-c", "2", "-n", "20", "--url-file", urls, "-H", "X-A: 1", "--stats", stats,
                             "--stats-stream", stream)
    assert result.returncode == 0, result.stderr
    with open(stats, encoding="utf-8") as file:
        text = file.read()
    with open(stream, encoding="utf-8") as file:
        first = json.loads(file.readline())
    document = json.loads(text)
    assert "secret" not in text and "secret" not in json.dumps(first)
    assert document["load"]["urls"] == [{"url": url("hello"), "weight": 3}, {"url": url("hello.txt"), "weight": 1}]
    assert document["load"]["headers"] == ["X-A: 1"] and document["load"] == first["load"]
    for key in ("version", "dpdk", "kernel", "cpu", "governor", "nic", "driver"):
        assert document["environment"][key] == first["environment"][key] != "", key
    assert document["environment"]["mtu"] == 1500 and document["environment"]["cpus"] == os.cpu_count()
