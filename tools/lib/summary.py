# SPDX-License-Identifier: BSD-3-Clause
"""summary.py SIZE RESULTS: a table of lines "name seconds cpu_seconds retransmissions sync_seconds"."""
import statistics
import sys


def main():
    size = int(sys.argv[1])
    rows = {}
    with open(sys.argv[2], encoding="ascii") as results:
        for line in results:
            name, wall, cpu, sent_again, sync = line.split()
            rows.setdefault(name, []).append((float(wall), float(cpu), int(sent_again), float(sync)))
    print(f"\n{'':10}{'seconds':>9}{'Gb/s':>7}{'fsync s':>9}{'on disk':>16}{'CPU s':>7}{'retransmissions':>17}")
    for name, runs in rows.items():
        whole = [size * 8 / (wall + sync) / 1e9 for wall, _, _, sync in runs]
        on_disk = f"{statistics.median(whole):.2f} Gb/s"
        wall = statistics.median(r[0] for r in runs)
        print(
            f"{name:10}{wall:9.2f}{size * 8 / wall / 1e9:7.2f}{statistics.median(r[3] for r in runs):9.2f}"
            f"{on_disk:>16}{statistics.median(r[1] for r in runs):7.2f}{sum(r[2] for r in runs):17d}"
        )
    count = len(next(iter(rows.values())))
    print(
        f"\n{count} run(s) of each, interleaved; {size} bytes, MTU 1500, offloads off, to disk, "
        "whole process (start-up included); medians.\n"
        "fsync: how long the file still took to be on the disk itself, which \"on disk\" includes: curl leaves\n"
        "its bytes in the kernel's page cache.\n"
        "CPU: dpfetch polls, so its core is busy all the time; retransmissions: the server's, summed."
    )


if __name__ == "__main__":
    main()
