# SPDX-License-Identifier: BSD-3-Clause
"""The parts of tools/bench: each a command, and what its output says."""
import dataclasses
import json
import os
import re
import subprocess
import tempfile

from figures import figure

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PERF = "build/release/tests/perf"


class Failed(Exception):
    """A part's command went wrong."""


@dataclasses.dataclass
class Part:
    """name; what it measures; the command as documents quote it; minutes of a full run; and
    measure(quick, rounds), which gives (figures, text)."""

    name: str
    what: str
    command: str
    minutes: float
    measure: object


def run(*words, own_session=False):
    """A command's standard output; its standard error goes where ours goes."""
    if own_session:
        words = ("setsid", "-w", *words)
    result = subprocess.run(words, cwd=TOP, stdout=subprocess.PIPE, text=True, check=False, stdin=subprocess.DEVNULL)
    if result.returncode != 0:
        raise Failed(f"{' '.join(words)}: exit {result.returncode}\n{result.stdout[-2000:]}")
    return result.stdout


def run_script(script, *args, own_session=False):
    """A script of tests/perf that leaves its figures in a file."""
    with tempfile.NamedTemporaryFile(prefix="dpfetch-bench-", suffix=".json") as file:
        print(run("python3", f"tests/perf/{script}", *args, "--json", file.name, own_session=own_session), end="")
        result = json.load(file)
    return result["figures"], result["text"]


def match(pattern, text):
    found = re.search(pattern, text)
    if not found:
        raise Failed(f"no \"{pattern}\" in:\n{text[-2000:]}")
    return [float(group) for group in found.groups()]


# ---- parsers: text to figures; tested by tests/unit/perf ----

def parse_ceiling(texts):
    runs = [match(r"([\d.]+) Mseg/s, .*?, (\d+) busy cycles a segment", text) for text in texts]
    return {"segments a second": figure([run_[0] for run_ in runs], "M/s"),
            "busy cycles a segment": figure([run_[1] for run_ in runs], "cycles", "less")}


def parse_lockstep(texts):
    return {"busy cycles a segment": figure([match(r"(\d+) busy cycles a segment", text)[0] for text in texts],
                                            "cycles", "less")}


def parse_rates(texts):
    """Outputs of bench_rates by number of connections: its own median and spread of runs."""
    figures = {}
    for connections, text in texts.items():
        for what in ("connections", "responses"):
            rate, low, high, cycles = match(
                what + r":\s+([\d.]+) M a second a core \(([\d.]+)-([\d.]+) in \d+ runs\), (\d+) cycles", text)
            name = f"{connections:,} open: {what}"
            figures[f"{name} a second"] = {"value": rate, "low": low, "high": high, "unit": "M/s", "better": "more"}
            figures[f"{name}, cycles each"] = figure([cycles], "cycles", "less")
        figures[f"{connections:,} open: bytes a connection"] = figure(match(r"(\d+) bytes each", text), "bytes", "less")
    return figures


def parse_sink(text):
    rates = {}
    for name, rate in re.findall(r"^(\S.*?)\s+([\d.]+) GB/s", text, re.M):
        rates.setdefault(name, []).append(float(rate))
    if not rates:
        raise Failed(f"no rates in:\n{text}")
    return {name: figure(values, "GB/s") for name, values in rates.items()}


def parse_profile(text):
    figures = {name.strip(): figure([value], "instr.", "less")
               for name, value in re.findall(r"^(\S.{33}) +([\d.]+) +[\d.]+ %$", text, re.M)}
    figures["in all"] = figure(match(r"in all, a segment +([\d.]+)", text), "instr.", "less")
    return figures


def parse_virtual(text):
    """The rows of dpfetch-sim --goodput-table: loss, RTT, two bounds, then Mb/s and fraction by bandwidth."""
    heads = re.search(r"PFTK((?:\s+\d+ [MG]b/s)+)", text)
    if not heads:
        raise Failed(f"no table in:\n{text}")
    rates, figures = re.findall(r"\d+ [MG]b/s", heads[1]), {}
    for line in text.splitlines():
        words = line.split()
        if len(words) != 4 + 2 * len(rates) or not re.match(r"[\d.]+$", words[0]):
            continue
        for i, rate in enumerate(rates):
            figures[f"loss {words[0]} %, RTT {words[1]} ms, {rate}"] = figure([words[4 + 2 * i]], "Mb/s")
    return figures


def parse_simulation(text):
    """dpfetch-sim's last line."""
    return {"bad networks byte-exact": figure(match(r"(\d+) seeds?: \d+ bytes exact", text), "")}


def parse_lossless(text, runs):
    passed, failed = match(r"integration: (\d+) passed, (\d+) failed", text)
    if passed != 1 or failed != 0:
        raise Failed(text)
    return {"runs of 1 GiB without a retransmission": figure([runs], "")}


# ---- measuring ----

def measure_ceiling(*options):
    def measure(quick, _):
        return parse_ceiling([run(f"{PERF}/bench_ceiling", *options, "1") for _ in range(2 if quick else 9)]), None
    return measure


def measure_lockstep(*options):
    def measure(quick, _):
        texts = [run(f"{PERF}/bench_ceiling", "--lockstep", *options) for _ in range(1 if quick else 3)]
        return parse_lockstep(texts), None
    return measure


def measure_link(quick, rounds):
    return run_script("link.py", *(["1", "--size", "134217728", "--long-pairs", "0"] if quick else [str(rounds or 10)]))


def measure_sink(quick, _):
    text = run(f"{PERF}/bench_sink", "/var/tmp", "1" if quick else "2")
    print(text, end="")
    return parse_sink(text), None


def measure_disk(quick, rounds):
    return run_script("disk.py", *(["1", "--gib", "1"] if quick else [str(rounds or 5)]))


def measure_compare(quick, rounds):
    return run_script("stacks.py", *(["2", "--quick"] if quick else [str(rounds or 5)]))


def measure_compare_file(quick, rounds):
    return run_script("stacks.py", *(["2", "--quick"] if quick else [str(rounds or 5)]), "--file")


def measure_load(quick, rounds):
    return run_script("load.py", *(["1", "--quick"] if quick else [str(rounds or 3)]), own_session=True)


def measure_rates(quick, _):
    few = ["--runs", "1", "--cycles", "50000"] if quick else []
    return parse_rates({n: run(f"{PERF}/bench_rates", "--connections", str(n), *few) for n in (1000, 100000)}), None


def measure_profile(quick, _):
    text = run("tools/bench", "--profile", "200" if quick else "2000")
    print(text, end="")
    return parse_profile(text), None


COUNTS = 6


def parse_counts(text):
    """"a segment, --connections 64 --run 8   563.1", "responses   3731": instructions of each."""
    found = re.findall(r"^(a segment, .*?|connections|responses)  +([0-9.]+)$", text, re.M)
    if len(found) != COUNTS:
        raise Failed(f"{len(found)} counts of {COUNTS}")
    return {name.removesuffix("s"): figure([value], "instructions", "less") for name, value in found}


def measure_counts(quick, _):
    text = run("tools/bench", "--counts", *(("200", "500") if quick else ()))
    print(text, end="")
    return parse_counts(text), None


def measure_goodput(quick, rounds):
    return run_script("goodput.py", *(["1", "--cells", "2"] if quick else [str(rounds or 3)]), own_session=True)


def measure_virtual(_, __):
    text = run("build/release/tests/sim/dpfetch-sim", "--goodput-table")
    return parse_virtual(text), text


def measure_simulation(quick, _):
    seeds = "1..50" if quick else "1..50000"
    return parse_simulation(run("build/release/tests/sim/dpfetch-sim", "--seeds", seeds)), None


def measure_lossless(quick, _):
    runs = 1 if quick else 20
    text = run("env", f"LOSSLESS_RUNS={runs}", "python3", "tests/integration/run.py", "20_of_20")
    return parse_lossless(text, runs), None


PARTS = [
    Part("ceiling", "the receive path against a modelled server on the other CPU, over two rings",
         "build/release/tests/perf/bench_ceiling 1", 0.2, measure_ceiling()),
    Part("ceiling-64", "the same with 64 connections of the load generator, in runs of up to 32 frames",
         "build/release/tests/perf/bench_ceiling --connections 64 1", 0.2, measure_ceiling("--connections", "64")),
    Part("lockstep", "the receive path, one CPU taking the server's turns as well",
         "build/release/tests/perf/bench_ceiling --lockstep", 0.1, measure_lockstep()),
    Part("lockstep-64", "the same with 64 connections of the load generator, each burst another's",
         "build/release/tests/perf/bench_ceiling --lockstep --connections 64", 0.1,
         measure_lockstep("--connections", "64")),
    Part("link", "goodput beside curl over the lab's link, to nowhere and to disk",
         "sudo python3 tests/perf/link.py 10", 30, measure_link),
    Part("sink", "the file writer by itself", f"{PERF}/bench_sink", 1, measure_sink),
    Part("disk", "a body to a real disk, beside fio, with no kernel network in the way",
         "sudo python3 tests/perf/disk.py 5", 2, measure_disk),
    Part("compare", "dpfetch compare -c 1 -d 2: both stacks, MTU 1500, server and client on CPUs of their own",
         "sudo python3 tests/perf/stacks.py 5", 2, measure_compare),
    Part("compare-file", "dpfetch compare -o: both stacks and curl to a file and to nowhere, MTU 9000",
         "sudo python3 tests/perf/stacks.py 5 --file", 2, measure_compare_file),
    Part("load", "dpfetch bench over both stacks, and wrk: small responses, connections; 100,000 open",
         "sudo python3 tests/perf/load.py 3", 3, measure_load),
    Part("rates", "connections and small responses a second in process", f"{PERF}/bench_rates", 1, measure_rates),
    Part("profile", "instructions a segment by stage, from callgrind", "sudo tools/bench --profile", 1,
         measure_profile),
    Part("counts", "instructions: of segments of one connection and of 64, of a connection, of a response",
         "sudo tools/bench --counts", 2, measure_counts),
    Part("goodput", "over loss, RTT and bandwidth, beside curl, in real time", "sudo python3 tests/perf/goodput.py 3",
         4, measure_goodput),
    Part("goodput-virtual", "the same against the modelled server, in virtual time",
         "build/release/tests/sim/dpfetch-sim --goodput-table", 1, measure_virtual),
    Part("lossless", "1 GiB without a retransmission of the server's",
         "sudo python3 tests/integration/run.py 20_of_20", 2, measure_lossless),
    Part("simulation", "simulated bad networks", "build/release/tests/sim/dpfetch-sim --seeds 1..50000", 14,
         measure_simulation),
]
