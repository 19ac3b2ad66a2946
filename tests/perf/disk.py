# SPDX-License-Identifier: BSD-3-Clause
"""disk.py PAIRS [--gib N] [--json FILE]: a body to a real disk with no kernel network in the way, beside fio.

PAIRS rounds of bench_disk (RX burst, TCP, HTTP and the file writer, fed by a modelled server that always
has more), of the same receive path into the null sink (bench_ceiling --lockstep, as a rate), and of fio with
io_uring, O_DIRECT, registered buffers in hugepages, which copies nothing: what the disk takes; and of fio
while two other programs keep two CPUs busy, as our poll core and writer do: a virtual machine's disk is
served by a thread of the host, which then has to share with them. After each the file system is
synced and has 2 s: else whoever is next, and begins at once, has the discarding of the last one's blocks in its way. While it runs the kernel keeps 64 hugepages for both. The file lies on the file system of TMPDIR or /var/tmp.
"""
import argparse
import contextlib
import os
import re
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "integration"))
import fio  # noqa: E402
from figures import figure, ratio, save, spread  # noqa: E402
from lab import TOP  # noqa: E402

BENCH = os.path.join(TOP, "build/release/tests/perf")
REST_SECONDS = 2  # ext4 discards blocks behind everybody's back


@contextlib.contextmanager
def busy_cpus():
    """Two CPUs, the first and the last, that never rest."""
    spin = [subprocess.Popen(["taskset", "-c", str(cpu), sys.executable, "-c", "while True: pass"])
            for cpu in (0, os.cpu_count() - 1)]
    try:
        yield
    finally:
        for process in spin:
            process.kill()
            process.wait()


def output_of(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def remove(path):
    os.unlink(path)
    os.sync()
    time.sleep(REST_SECONDS)


def run_ours(path, gib):
    text = output_of(f"{BENCH}/bench_disk", path, str(gib))
    found = re.search(r"([0-9.]+) Gb/s to disk .* p99\.9 ([0-9.]+) max ([0-9.]+) us", text)
    remove(path)
    return {"ours": float(found[1]), "p99.9": float(found[2]), "max": float(found[3])}


def run_fio(path, gib, name="fio"):
    gbps = fio.run(path, gib << 30)
    remove(path)
    return {name: gbps}


def run_null():
    text = output_of(f"{BENCH}/bench_ceiling", "--lockstep")
    return {"null": float(re.search(r"that is ([0-9.]+) Gb/s of body", text)[1])}


def measure(pairs, gib):
    rounds = []
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR", "/var/tmp")) as folder, fio.hugepages(64):
        path = os.path.join(folder, "file")
        for _ in range(pairs):
            rounds.append({**run_ours(path, gib), **run_fio(path, gib), **run_null()})
            with busy_cpus():
                rounds[-1].update(run_fio(path, gib, "fio, busy"))
    return {key: [r[key] for r in rounds] for key in rounds[0]}


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("pairs", nargs="?", type=int, default=5)
    parser.add_argument("--gib", type=int, nargs="+", default=[1, 8])
    parser.add_argument("--json")
    args = parser.parse_args()
    figures = {}
    for gib in args.gib:
        got = measure(args.pairs, gib)
        figures[f"{gib} GiB: to disk, dpfetch"] = figure(got["ours"], "Gb/s")
        figures[f"{gib} GiB: to disk, fio"] = figure(got["fio"], "Gb/s")
        figures[f"{gib} GiB: to disk, fio beside busy CPUs"] = figure(got["fio, busy"], "Gb/s")
        figures[f"{gib} GiB: to the null sink, dpfetch"] = figure(got["null"], "Gb/s")
        figures[f"{gib} GiB: of the smaller, dpfetch"] = ratio(got["ours"], [min(a, b) for a, b in zip(got["fio"], got["null"])])
        figures[f"{gib} GiB: of fio beside busy CPUs, dpfetch"] = ratio(got["ours"], got["fio, busy"])
        figures[f"{gib} GiB: poll iteration p99.9, dpfetch"] = figure(got["p99.9"], "us", "less")
        figures[f"{gib} GiB: poll iteration max, dpfetch"] = figure(got["max"], "us", "less")
    for name, fig in figures.items():
        print(f"  {name:45} {spread(fig):>24} {fig['unit']}", flush=True)
    if args.json:
        save(args.json, figures)


if __name__ == "__main__":
    main()
