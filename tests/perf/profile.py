# SPDX-License-Identifier: BSD-3-Clause
"""profile.py CALLGRIND_OUT N: instructions by stage for each of N segments, connections or responses, from a
callgrind profile with debug info.

Each instruction belongs to the source file that it was written in, inlined or not, and a source file to a
stage. What comes from a shared object without debug info is the PMD's (and the C library's).
"""
import collections
import re
import sys

STAGES = [  # the first that matches; paths as the compiler has them
    ("rx, tx: port", r"/lib/port/"),
    ("rx, tx: mbufs", r"/(rte_mbuf|rte_mempool|rte_ring|rte_ethdev|rte_memcpy|rte_prefetch|rte_cycles)[a-z_]*\.h"),
    ("parse: wire", r"/lib/wire/"),
    ("lookup: netstack", r"/lib/netstack/"),
    ("tcp: reassembly", r"/lib/tcp/tcp_reassembly"),
    ("tcp: ACKs, window", r"/lib/tcp/tcp_(ack|window|options)"),
    ("tcp: the rest", r"/lib/tcp/"),
    ("http", r"/lib/http/|llhttp"),
    ("fetch, load, transport", r"/lib/(fetch|load|transport)/(?!fetch_sink)"),
    ("sink", r"/lib/sink/|fetch_sink"),
    ("loop", r"/app/"),
    ("base", r"/lib/base/"),
    ("the benchmark's sink and server", r"/tests/"),
]


def read(path):
    """Instructions by (object, file), self cost only."""
    cost, names = collections.Counter(), {}
    obj = current = None
    skip = False

    def name(text):
        number, _, rest = text.partition(" ")
        if rest:
            names[number] = rest
        return names.get(number, text)

    with open(path, encoding="utf-8", errors="replace") as file:
        for line in file:
            if match := re.match(r"(ob|fl|fi|fe|fn|cob|cfi|cfl|cfn)=(.*)", line):
                kind, text = match.groups()
                value = name(("o" if kind in ("ob", "cob") else "n" if kind in ("fn", "cfn") else "f") + text)
                if kind == "ob":
                    obj = value
                elif kind in ("fl", "fi", "fe"):
                    current = value
            elif line.startswith("calls="):
                skip = True  # the next line is what the callee took
            elif re.match(r"[+\-*\d]", line):
                words = line.split()
                if not skip and len(words) > 1:
                    cost[(obj, current)] += int(words[1])
                skip = False
    return cost


def stage_of(obj, file):
    for stage, pattern in STAGES:
        if file and re.search(pattern, file):
            return stage
    if obj and "librte_net" in obj:
        return f"PMD ({obj.rsplit('/', 1)[-1].split('.so')[0]})"
    if obj and "librte" in obj:
        return "DPDK, elsewhere"
    return "C library, elsewhere"


def main():
    cost, segments = read(sys.argv[1]), int(sys.argv[2])
    stages = collections.Counter()
    for (obj, file), instructions in cost.items():
        stages[stage_of(obj, file)] += instructions
    total = sum(stages.values())
    print(f"{'stage':34} {'instructions':>14} {'share':>7}")
    for stage, instructions in stages.most_common():
        print(f"{stage:34} {instructions / segments:14.1f} {100 * instructions / total:6.1f} %")
    print(f"{'in all, a segment':34} {total / segments:14.1f}")


main()
