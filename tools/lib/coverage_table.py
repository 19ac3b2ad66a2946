# SPDX-License-Identifier: BSD-3-Clause
"""coverage_table.py SUMMARY.json LINES BRANCHES: prints what gcovr's JSON summary says by file and
by directory. Ends with 1 when a directory has less than so many per cent of lines or branches,
with 2 when there are no files."""
import json
import os
import sys

FIELDS = ("line_covered", "line_total", "branch_covered", "branch_total")


def percent(covered, total):
    return 100.0 * covered / total if total else 100.0


def row(name, n):
    print(f"{name:34} {n[0]:5}/{n[1]:<5} {percent(n[0], n[1]):5.1f} %"
          f" {n[2]:6}/{n[3]:<5} {percent(n[2], n[3]):5.1f} %")


def main():
    summary = json.load(open(sys.argv[1], encoding="utf-8"))
    lines_min, branches_min = float(sys.argv[2]), float(sys.argv[3])
    directories = {}
    print(f"{'':34} {'lines':>11} {'':7} {'branches':>12}")
    for file in sorted(summary["files"], key=lambda f: f["filename"]):
        n = [file[field] for field in FIELDS]
        row(file["filename"], n)
        total = directories.setdefault(os.path.dirname(file["filename"]), [0, 0, 0, 0])
        directories[os.path.dirname(file["filename"])] = [a + b for a, b in zip(total, n)]
    if not directories:
        print("nothing was measured", file=sys.stderr)
        return 2
    print()
    missed = []
    for name, n in sorted(directories.items()):
        row(name, n)
        if percent(n[0], n[1]) < lines_min or percent(n[2], n[3]) < branches_min:
            missed.append(name)
    if missed:
        print(f"below {lines_min:g} % of lines or {branches_min:g} % of branches: {' '.join(missed)}")
        return 1
    print(f"all have {lines_min:g} % of lines and {branches_min:g} % of branches")
    return 0


sys.exit(main())
