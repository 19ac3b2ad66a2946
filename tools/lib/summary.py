# SPDX-License-Identifier: BSD-3-Clause
"""summary.py SIZE RESULTS: medians of lines "name seconds cpu_seconds retransmissions" as a table."""
import statistics
import sys


def main():
    size = int(sys.argv[1])
    rows = {}
    with open(sys.argv[2], encoding="ascii") as results:
        for line in results:
            name, wall, cpu, sent_again = line.split()
            rows.setdefault(name, []).append((float(wall), float(cpu), int(sent_again)))
    print(f"\n{'':10}{'Gb/s':>8}{'min-max':>14}{'seconds':>9}{'CPU s':>8}{'retransmissions':>17}")
    for name, runs in rows.items():
        speeds = [size * 8 / wall / 1e9 for wall, _, _ in runs]
        spread = f"{min(speeds):.2f}-{max(speeds):.2f}"
        print(
            f"{name:10}{statistics.median(speeds):8.2f}{spread:>14}"
            f"{statistics.median(r[0] for r in runs):9.2f}"
            f"{statistics.median(r[1] for r in runs):8.2f}"
            f"{sum(r[2] for r in runs):17d}"
        )
    count = len(next(iter(rows.values())))
    print(
        f"\n{count} run(s) of each, interleaved; {size} bytes, MTU 1500, offloads off, to disk, "
        "whole process (start-up included).\n"
        "CPU: dpfetch polls, so its core is busy all the time; retransmissions: the server's, summed."
    )


if __name__ == "__main__":
    main()
