# SPDX-License-Identifier: BSD-3-Clause
"""What dpfetch bench tells of a run while it goes on and afterwards: --metrics."""
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
