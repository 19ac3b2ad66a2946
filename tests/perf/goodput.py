# SPDX-License-Identifier: BSD-3-Clause
"""goodput.py [ROUNDS] [--cells N] [--json FILE] (under setsid -w): dpfetch and curl over the same lossy, long, narrow cable.

A real nginx over the kernel's TCP (Reno, so that Mathis' bound holds, and no metrics remembered from
one connection for the next) behind bad_link, a cable in user space. For each loss, RTT and bandwidth
the same object is fetched ROUNDS times (3 by default) by dpfetch and by curl, in turn, and each time
the cable loses the same frames, by their numbers, for both. A figure is the median of body bits over
the time from the handshake's end to the last byte. Mathis et al. 1997: MSS / RTT * sqrt(3 / 2 / loss).
"""
import argparse
import math
import os
import statistics
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "integration"))
from figures import figure, ratio, save  # noqa: E402
from lab import Lab, SERVER_IP, TOP  # noqa: E402

MSS, FRAME = 1448, 1514
SECONDS = 1.2  # that a fetch at the bound takes
TIMES = "%{time_connect} %{time_total}"
# loss in per cent, RTT in ms, bandwidth in Mb/s
CELLS = [(loss, rtt, 100) for loss in (0, 0.1, 1, 3) for rtt in (1, 10, 50)]
CELLS += [(0, 100, 10), (1, 50, 10), (0, 1, 500), (0.1, 1, 500), (0.01, 10, 500)]


def mathis_mbps(loss, rtt):
    return MSS * 8 / (rtt * 1e3) * math.sqrt(1.5 / (loss / 100)) if loss else math.inf


def bound_mbps(loss, rtt, rate):
    return min(rate * MSS / FRAME, mathis_mbps(loss, rtt))


def make_object(lab, size):
    with open(os.path.join(lab.www, "object"), "wb") as file:
        file.truncate(size)
    return f"http://{SERVER_IP}/object"


def start_cable(lab, seed, loss, rtt, rate):
    queue = max(int(rate * 1e6 * rtt / 1e3 / 8), 64000)
    program = os.path.join(TOP, "build/release/tests/perf/bad_link")
    cable = lab.start("taskset", "-c", "0", program, "left", "right", str(seed), str(round(loss * 1e4)),
                      str(round(rtt * 1e3 / 2)), str(rate * 1000), str(queue), namespace=lab.middle)
    said = cable.stderr.readline()
    assert said == "ready\n", said
    return cable


def mbps(result, size):
    assert result.returncode == 0, result.stderr
    connected, total = (float(word) for word in result.stdout.split())
    return size * 8 / (total - connected) / 1e6


def measure(lab, cell, rounds):
    """Both clients' rounds, Mb/s."""
    losses = min(10 / (cell[0] / 100), 3000) * MSS if cell[0] else 0  # ten, in bytes
    size = int(max(bound_mbps(*cell) * 1e6 / 8 * SECONDS, losses))
    url = make_object(lab, size)
    ours, theirs, curl = [], [], ["ip", "netns", "exec", lab.client, "curl"]
    for seed in range(rounds):
        for client, figures in ((lab.command(), ours), (curl, theirs)):
            cable = start_cable(lab, seed, *cell)
            try:
                figures.append(mbps(lab.run([*client, "-s", "-S", "-o", "/dev/null", "-w", TIMES, url]), size))
            finally:
                lab.stop(cable)
    return ours, theirs


def prepare(lab):
    lab.insert_middle()
    lab.in_server("ip", "route", "replace", "198.18.0.0/24", "dev", "s0", "src", SERVER_IP, "congctl", "reno")
    lab.in_server("sysctl", "-qw", "net.ipv4.tcp_no_metrics_save=1")
    with open(f"/run/{lab.name}-lab/nginx.pid", encoding="ascii") as file:
        come_first(file.read().strip())


def come_first(pid):
    """Of all sessions on this machine: nice counts only within one (sched(7), autogroup)."""
    path = f"/proc/{pid}/autogroup"
    if os.path.exists(path):
        with open(path, "w", encoding="ascii") as file:
            file.write("-20")


def row(cell, ours, theirs):
    """A line of the table."""
    mathis, median = mathis_mbps(*cell[:2]), statistics.median
    return (f"{cell[0]:6g}  {cell[1]:6g}  {cell[2]:6g}  {'-' if mathis == math.inf else f'{mathis:.1f}':>6} |"
            f" {median(ours):7.2f} {median(theirs):7.2f} {median(ours) / median(theirs):13.2f}"
            f" {median(ours) / bound_mbps(*cell):14.2f}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("rounds", nargs="?", type=int, default=3)
    parser.add_argument("--cells", type=int, default=len(CELLS))
    parser.add_argument("--json")
    args = parser.parse_args()
    if os.getsid(0) == os.getpid():  # ours alone, by setsid
        come_first("self")
    lines = [f"nginx, Reno; Mb/s, medians of {args.rounds}; queue: one bandwidth-delay product, at least 64 kB",
             "loss %  RTT ms    rate  Mathis | dpfetch    curl  dpfetch/curl  dpfetch/bound"]
    print("\n".join(lines), flush=True)
    figures = {}
    with Lab(os.environ.get("LAB", "dpfetch") + "-goodput") as lab:
        prepare(lab)
        for cell in CELLS[:args.cells]:
            ours, theirs = measure(lab, cell, args.rounds)
            lines.append(row(cell, ours, theirs))
            print(lines[-1], flush=True)
            name = f"loss {cell[0]:g} %, RTT {cell[1]:g} ms, {cell[2]} Mb/s"
            figures[f"{name}: dpfetch"] = figure(ours, "Mb/s")
            figures[f"{name}: curl"] = figure(theirs, "Mb/s", "")
            figures[f"{name}: dpfetch / curl"] = ratio(ours, theirs)
    if args.json:
        save(args.json, figures, "\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
