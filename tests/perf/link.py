# SPDX-License-Identifier: BSD-3-Clause
"""link.py PAIRS: goodput beside curl over the lab's link, interleaved, to nowhere and to disk.

For each MTU (1500 and 9000, offloads off): PAIRS rounds of dpfetch to the null sink, curl to
/dev/null, dpfetch to disk, curl to disk, and the disk alone (bench_sink --alone: io_uring, O_DIRECT,
nothing else running), which says whether the disk could take what the link gives. Medians and
spread; a ratio is the median of the rounds' own ratios.
"""
import json
import os
import statistics
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "integration"))
from lab import Lab, SERVER_IP, TOP  # noqa: E402

SIZE = 1 << 30
URL = f"http://{SERVER_IP}/big"
MAC = "02:00:5e:12:00:02"


def run_dpfetch(lab, out):
    stats = lab.path("stats.json")
    before = lab.retransmitted()
    result = lab.dpfetch("-s", "-S", "--mac", MAC, "-o", out, "--stats", stats, URL)
    assert result.returncode == 0, result.stderr
    with open(stats, encoding="utf-8") as file:
        transfer = json.load(file)["transfers"][0]
    return {"gbps": transfer["result"]["goodput_gbps"], "sent_again": lab.retransmitted() - before,
            "busy": transfer["result"]["busy_percent"], "cycles": transfer["result"]["cycles_per_segment"],
            "p99": transfer["ack_delay"]["p99_us"]}


def run_curl(lab, out):
    before = lab.retransmitted()
    result = lab.in_client("curl", "-s", "-S", "-o", out, "-w", "%{time_total}", URL)
    return {"gbps": SIZE * 8 / float(result.stdout) / 1e9, "sent_again": lab.retransmitted() - before}


def run_disk(lab):
    """Gb/s of the disk by itself, 1 GiB."""
    bench = os.path.join(TOP, "build/release/tests/perf/bench_sink")
    words = lab.run([bench, "--alone", lab.work, "1"]).stdout.split()
    return {"gbps": float(words[words.index("GB/s") - 1]) * 8} if "GB/s" in words else {"gbps": float("nan")}


def column(rounds, name, key):
    values = [r[name][key] for r in rounds]
    return f"{statistics.median(values):.2f} ({min(values):.2f}-{max(values):.2f})"


def ratio(rounds, a, b):
    return statistics.median(r[a]["gbps"] / r[b]["gbps"] for r in rounds)


def measure(mtu, pairs):
    rounds = []
    with Lab("dpfetch-bench", mtu=mtu, size=SIZE) as lab:
        disk = lab.path("big")
        for _ in range(pairs):
            rounds.append({"null": run_dpfetch(lab, "/dev/null"), "curl": run_curl(lab, "/dev/null"),
                           "disk": run_dpfetch(lab, disk), "curl disk": run_curl(lab, disk)})
            os.unlink(disk)
            rounds[-1]["alone"] = run_disk(lab)
    print(f"\nMTU {mtu}, offloads off, 1 GiB, {pairs} interleaved rounds: median (min-max)")
    for name, label in (("null", "dpfetch, null sink"), ("curl", "curl -o /dev/null"),
                        ("disk", "dpfetch to disk"), ("curl disk", "curl to disk")):
        print(f"  {label:20}{column(rounds, name, 'gbps'):>22} Gb/s, server sent again "
              f"{sum(r[name]['sent_again'] for r in rounds)}")
    print(f"  {'the disk alone':20}{column(rounds, 'alone', 'gbps'):>22} Gb/s")
    print(f"  dpfetch / curl: {ratio(rounds, 'null', 'curl'):.2f}; to disk {ratio(rounds, 'disk', 'curl disk'):.2f}")
    print(f"  to disk / null sink: {ratio(rounds, 'disk', 'null'):.2f}; the disk alone / null sink: "
          f"{ratio(rounds, 'alone', 'null'):.2f}")
    print(f"  poll core: {column(rounds, 'null', 'cycles')} cycles a segment, "
          f"{column(rounds, 'null', 'busy')} % busy; ACK delay p99 {column(rounds, 'null', 'p99')} us")


def main():
    pairs = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    for mtu in (1500, 9000):
        measure(mtu, pairs)


if __name__ == "__main__":
    main()
