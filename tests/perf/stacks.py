# SPDX-License-Identifier: BSD-3-Clause
"""stacks.py [PAIRS] [--file] [--quick] [--json FILE]: dpfetch compare in the lab, and what it says.

Without --file: -c 1 -d 2 over MTU 1500, offloads off, the server's TCP on nginx's CPU and the client on another.
With --file: -o to the disk, beside the same to nowhere and beside curl, over MTU 9000. Medians and 95 %
intervals, as compare gives them.
"""
import argparse
import contextlib
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "integration"))
from figures import save  # noqa: E402
from lab import Lab, SERVER_IP  # noqa: E402

URL = f"http://{SERVER_IP}/big"
LOAD_LINES = (("goodput", "goodput_bps", 1e-9, "Gb/s", "more"),
              ("all CPUs", "machine_cycles_per_byte", 1, "cycles/B", "less"),
              ("the server", "server_cycles_per_byte", 1, "cycles/B", "less"),
              ("the server sent again", "server_retransmits", 1, "", "less"))


def estimate(line, unit, better="more", scale=1.0):
    """compare's median with its interval, as a figure."""
    return {"value": line["median"] * scale, "low": line["low"] * scale, "high": line["high"] * scale, "unit": unit,
            "better": better}


def of_load(report):
    figures = {}
    for what, key, scale, unit, better in LOAD_LINES:
        line = report["summary"].get(key)
        if line is None:
            continue
        for who in ("dpfetch", "kernel"):
            figures[f"{what}, {who}"] = estimate(line[who], unit, better, scale)
        if line["ratio"]["median"] is not None and line["ratio"]["high"] is not None:
            figures[f"{what}, ratio"] = estimate(line["ratio"], "x", better)
    return figures


def of_file(report):
    figures = {}
    for what, summary in (("to nowhere", report["null_sink"]["summary"]), ("to the file", report["summary"])):
        for who in ("dpfetch", "kernel"):
            figures[f"{what}, {who}"] = estimate(summary["goodput_bps"][who], "Gb/s", scale=1e-9)
        figures[f"{what}, ratio"] = estimate(summary["goodput_bps"]["ratio"], "x")
    for what, key in (("file / nowhere", "file_to_null"), ("stack / curl, to nowhere", "to_curl_null"),
                      ("stack / curl, to the file", "to_curl_file")):
        for who, line in report["ratios"].get(key, {}).items():
            figures[f"{what}, {who}"] = estimate(line, "x")
    return figures


def compare(lab, args):
    stats = lab.path("compare.json")
    with open(f"/run/{lab.name}-lab/nginx.pid", encoding="ascii") as file:
        pid = file.read().strip()
    what = ["-o", lab.path("file")] if args.file else ["-c", "1", "-d", "0.5" if args.quick else "2", "--no-curl"]
    result = lab.dpfetch("compare", "--pairs", str(args.pairs), "--server-pid", pid, "--stats", stats, *what, URL,
                         timeout=1200)
    print(result.stderr + result.stdout, end="", flush=True)
    assert result.returncode == 0, f"exit {result.returncode}"
    with open(stats, encoding="utf-8") as file:
        return json.load(file)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("pairs", nargs="?", type=int, default=5)
    parser.add_argument("--file", action="store_true")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json")
    args = parser.parse_args()
    size = 1 << 26 if args.quick else 1 << 30
    with Lab(os.environ.get("LAB", "dpfetch") + "-stacks", mtu=9000 if args.file else 1500, size=size) as lab:
        with contextlib.nullcontext() if args.file else lab.server_on_its_own_cpu():
            report = compare(lab, args)
    if args.json:
        save(args.json, of_file(report) if args.file else of_load(report))


if __name__ == "__main__":
    main()
