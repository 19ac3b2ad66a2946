# SPDX-License-Identifier: BSD-3-Clause
"""link.py PAIRS [--size BYTES] [--long-pairs N] [--json FILE]: goodput beside curl over the lab's link, interleaved, to nowhere
and to disk.

For each link (MTU 1500 and 9000 with offloads off, the latter also with the server's TCP kept to its own CPU; MTU 1500
with checksums left to hardware, and with super-packets, which --nic-mode vnet takes): PAIRS rounds of dpfetch to the
null sink, curl to /dev/null, dpfetch to disk, curl to disk, fio to disk with nothing else running, which says whether the
disk could take what the link gives, and the null sink while fio writes as fast as dpfetch did: link and disk have the same CPUs, caches and memory, so that each takes from the other, whoever
writes and however little it copies. At MTU 1500 and 9000 once more with 8 GiB, N rounds (half of PAIRS).

A file is new each time, and what fsync(2) still takes after the transfer is measured, too: curl's file lies in memory
first. Before the next one it is removed, and the disk has a rest (ext4 discards behind everybody's back). Medians and
spread; a ratio is the median of the rounds' own ratios.
"""
import argparse
import contextlib
import json
import os
import resource
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "integration"))
import fio  # noqa: E402
from figures import CHECKSUM, LONG, LONG_1500, OWN_CPU, SUPER, figure, ratio, save, spread  # noqa: E402
from lab import Lab, SERVER_IP, TOP  # noqa: E402

URL = f"http://{SERVER_IP}/big"
MAC = "02:00:5e:12:00:02"
LONG_BYTES = 8 << 30
REST_SECONDS = 1


def run_dpfetch(lab, out, size, options):
    stats = lab.path("stats.json")
    before = lab.retransmitted()
    result = lab.dpfetch("-s", "-S", "--mac", MAC, *options, "-o", out, "--stats", stats, URL)
    assert result.returncode == 0, result.stderr
    with open(stats, encoding="utf-8") as file:
        transfer = json.load(file)["transfers"][0]
    assert transfer["result"]["size_download"] == size, transfer["result"]
    return {"gbps": transfer["result"]["goodput_gbps"], "sent_again": lab.retransmitted() - before,
            "busy": transfer["result"]["busy_percent"], "cycles": transfer["result"]["cycles_per_segment"],
            "p99": transfer["ack_delay"]["p99_us"],
            "iteration": transfer["iteration"]["p99_9_us"]}


def children_cpu_seconds():
    """Of those that have ended; a program's system time has what the kernel did for it, and in whose interrupt it was."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def run_curl(lab, out, size):
    before, used = lab.retransmitted(), children_cpu_seconds()
    result = lab.in_client("curl", "-s", "-S", "-o", out, "-w", "%{time_total}", URL)
    used, took = children_cpu_seconds() - used, float(result.stdout)
    return {"gbps": size * 8 / took / 1e9, "sent_again": lab.retransmitted() - before, "busy": 100 * used / took}


def rest():
    os.sync()
    time.sleep(REST_SECONDS)


def to_disk(lab, fetch, size, *args):
    """The same to a new file, with what it takes to have it on the disk; leaves no file."""
    path = lab.path("big")
    got = fetch(lab, path, size, *args)
    start = time.monotonic()
    fd = os.open(path, os.O_RDONLY)
    os.fsync(fd)
    got["synced"] = size * 8 / (size * 8 / got["gbps"] / 1e9 + time.monotonic() - start) / 1e9
    os.close(fd)
    os.unlink(path)
    rest()
    return got


def run_fio(lab, size):
    """What the disk takes when nothing else runs."""
    path = lab.path("fio")
    with fio.hugepages(fio.HUGEPAGES_NEEDED):
        gbps = fio.run(path, size)
    os.unlink(path)
    rest()
    return {"gbps": gbps}


def run_beside_fio(lab, size, gbps, options):
    """The null sink's Gb/s while fio writes gbps, of which it had what "fio" says, from our start to our end."""
    with fio.hugepages(fio.HUGEPAGES_NEEDED), fio.writing(lab.path("fio"), gbps, 3 * size + (4 << 30)) as written:
        start, before = time.monotonic(), written()
        got = run_dpfetch(lab, "/dev/null", size, options)
        beside = (written() - before) * 8 / (time.monotonic() - start) / 1e9
    rest()
    return {"gbps": got["gbps"], "fio": beside}


def column(rounds, name, key="gbps"):
    return [r[name][key] for r in rounds]


def figures_of(link, rounds):
    """Named as docs/performance.json has them."""
    labels = (("null", "dpfetch, null sink"), ("curl", "curl -o /dev/null"), ("disk", "dpfetch to disk"),
              ("curl disk", "curl to disk"), ("fio", "fio"), ("beside", "null sink while fio writes"))
    ratios = (("dpfetch / curl", "null", "curl"), ("dpfetch / curl, to disk", "disk", "curl disk"),
              ("to disk / null sink", "disk", "null"), ("to disk / fio", "disk", "fio"),
              ("to disk / null sink while fio writes", "disk", "beside"))
    figures = {label: figure(column(rounds, name), "Gb/s") for name, label in labels}
    figures.update({label: ratio(column(rounds, a), column(rounds, b)) for label, a, b in ratios})
    smaller = [min(pair) for pair in zip(column(rounds, "null"), column(rounds, "fio"))]
    figures["to disk / the smaller of null sink and fio"] = ratio(column(rounds, "disk"), smaller)
    figures["fio meanwhile"] = figure(column(rounds, "beside", "fio"), "Gb/s")
    figures["dpfetch to disk, synced"] = figure(column(rounds, "disk", "synced"), "Gb/s")
    figures["curl to disk, synced"] = figure(column(rounds, "curl disk", "synced"), "Gb/s")
    figures["dpfetch / curl, to disk, synced"] = ratio(column(rounds, "disk", "synced"), column(rounds, "curl disk", "synced"))
    figures["ACK delay p99"] = figure(column(rounds, "null", "p99"), "us", "less")
    figures["poll iteration p99.9, to disk"] = figure(column(rounds, "disk", "iteration"), "us", "less")
    figures["busy cycles a segment"] = figure(column(rounds, "null", "cycles"), "cycles", "less")
    figures["poll core busy"] = figure(column(rounds, "null", "busy"), "%", "less")
    figures["curl's CPU"] = figure(column(rounds, "curl", "busy"), "%", "less")
    for name, label in labels[:4]:
        figures[f"server sent again, {label}"] = figure([sum(column(rounds, name, "sent_again"))], "", "less")
    return {f"{link}: {label}": fig for label, fig in figures.items()}


def measure(link, pairs, size, options=(), own_cpu=False, **lab_settings):
    rounds = []
    with Lab(os.environ.get("LAB", "dpfetch") + "-bench", size=size, **lab_settings) as lab, \
            lab.server_on_its_own_cpu() if own_cpu else contextlib.nullcontext():
        for _ in range(pairs):
            rounds.append({"null": run_dpfetch(lab, "/dev/null", size, options),
                           "curl": run_curl(lab, "/dev/null", size),
                           "disk": to_disk(lab, run_dpfetch, size, options),
                           "curl disk": to_disk(lab, run_curl, size),
                           "fio": run_fio(lab, size)})
            rounds[-1]["beside"] = run_beside_fio(lab, size, rounds[-1]["disk"]["gbps"], options)
    figures = figures_of(link, rounds)
    print(f"\n{link}, {size} bytes, {pairs} interleaved rounds: median (min-max)")
    for name, fig in figures.items():
        print(f"  {name:50} {spread(fig):>24} {fig['unit']}", flush=True)
    return figures


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("pairs", nargs="?", type=int, default=10)
    parser.add_argument("--size", type=int, default=1 << 30)
    parser.add_argument("--long-pairs", type=int)
    parser.add_argument("--json")
    args = parser.parse_args()
    long_pairs = (args.pairs + 1) // 2 if args.long_pairs is None else args.long_pairs
    figures = {}
    for mtu in (1500, 9000):
        figures.update(measure(f"MTU {mtu}", args.pairs, args.size, mtu=mtu))
    if long_pairs > 0:
        figures.update(measure(LONG_1500, long_pairs, LONG_BYTES, mtu=1500))
        figures.update(measure(LONG, long_pairs, LONG_BYTES, mtu=9000))
    figures.update(measure(OWN_CPU, args.pairs, args.size, own_cpu=True, mtu=9000))
    figures.update(measure(CHECKSUM, args.pairs, args.size, offloads="checksum"))
    figures.update(measure(SUPER, args.pairs, args.size, ("--nic-mode", "vnet"), offloads="on"))
    if args.json:
        save(args.json, figures)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # what was begun is taken down
    main()
