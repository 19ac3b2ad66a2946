#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Runs packetdrill scripts against our TCP, in virtual time, and says how each ended.

run.py [-h] [--adapter FILE] [--jobs N] [--all] PACKETDRILL SUITE...

PACKETDRILL   the program, built from github.com/google/packetdrill (gtests/net/packetdrill)
SUITE         a directory with .pkt scripts: that project's gtests/net/tcp, or
              github.com/freebsd-net/tcp-testsuite. Neither is part of dpfetch.
--adapter     our module (default: the release build's)
--all         lists the scripts that a rule of policy.txt explains, too

A script that fails is explained by a rule of policy.txt, whose pattern must match what packetdrill
said, or it is a failure, and the exit status 1. Without packetdrill or a suite nothing is run.
"""
import argparse
import collections
import concurrent.futures
import configparser
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
ADAPTER = os.path.join(TOP, "build/release/tests/packetdrill/libdpfetch-packetdrill.so")
IPV4 = ["--ip_version=ipv4", "--local_ip=192.168.0.2", "--remote_ip=192.0.2.1",
        "--gateway_ip=192.168.0.1", "--netmask_ip=255.255.0.0"]
IPV6 = ["--ip_version=ipv6", "--local_ip=fd3d::2", "--remote_ip=2001:db8::1", "--gateway_ip=fd3d::1"]
TIMEOUT_SECONDS = 20
PUSHES_MAX = 60
STATES = {"ESTABLISHED": "1", "SYN_SENT": "2", "SYN_RECEIVED": "3", "FIN_WAIT_1": "4", "FIN_WAIT_2": "5",
          "TIME_WAIT": "6", "CLOSED": "7", "CLOSE_WAIT": "8", "LAST_ACK": "9", "LISTEN": "10", "CLOSING": "11",
          "OPT_TIMESTAMPS": "1", "OPT_SACK": "2", "OPT_WSCALE": "4", "OPT_ECN": "8"}
COLUMNS = ("passed", "policy", "not applicable", "open", "failed")

Rule = collections.namedtuple("Rule", "name outcome error script path changes push then why")
Result = collections.namedtuple("Result", "path group outcome rule error")


def read_changes(parser, name):
    """The substitutions of a rule and of those that it names: (pattern, replacement)."""
    changes = []
    for line in parser[name].get("change", "").strip().splitlines():
        pattern, replacement = line.split(" ==> ") if " ==> " in line else (line.removesuffix(" ==>"), "")
        changes.append((re.compile(pattern, re.MULTILINE), replacement))
    for other in parser[name].get("with", "").split(","):
        if other.strip():
            changes += read_changes(parser, other.strip())
    return changes


def read_rules():
    parser = configparser.ConfigParser(interpolation=None)
    with open(os.path.join(HERE, "policy.txt"), encoding="utf-8") as file:
        parser.read_file(file)
    rules = []
    for name in parser.sections():
        section = parser[name]
        if section["class"] not in COLUMNS[1:4]:
            raise SystemExit(f"policy.txt: [{name}]: unknown class {section['class']}")
        patterns = [re.compile(section.get(key, ""), re.MULTILINE) for key in ("error", "script", "path")]
        push = "PSH bit" in (name, *re.split(r", *", section.get("with", "")))
        then = re.compile(section["then"]) if "then" in section else None
        rules.append(Rule(name, section["class"], *patterns, read_changes(parser, name), push, then,
                          " ".join(section["why"].split())))
    return rules


def preprocess(text):
    """tcp-testsuite is for FreeBSD, as NPLab's packetdrill reads it: it has lines for #ifdef STANDARD
    and for #ifdef FreeBSD, of which we are the former, and names for TCP_INFO's states."""
    parts = re.split(r"^#(ifdef \w+|endif).*\n", text, flags=re.MULTILINE)
    kept = [parts[0]]
    for directive, part in zip(parts[1::2], parts[2::2]):
        kept.append(part if directive in ("endif", "ifdef STANDARD") else "\n" * part.count("\n"))
    text = "\n".join(kept)
    return re.sub(r"\bTCPI_([A-Z_12]+)\b", lambda name: STATES.get(name[1], name[0]), text)


def run_packetdrill(args, path, text):
    """Returns None when the script passes, else what packetdrill said."""
    host = "freebsd" if "net.inet." in text else "linux"
    addresses = IPV6 if "--ip_version=ipv6" in text else IPV4  # the command line has the last word
    mtu = re.search(r"^--mtu=(\d+)", text, re.MULTILINE)
    flags = host + (f",mtu={mtu[1]}" if mtu else "")
    command = [args.packetdrill, f"--so_filename={args.adapter}", f"--so_flags={flags}", *addresses, path]
    environment = dict(os.environ, LD_PRELOAD=args.adapter)
    try:
        done = subprocess.run(command, env=environment, cwd=os.path.dirname(path), timeout=TIMEOUT_SECONDS,
                              stdin=subprocess.DEVNULL, capture_output=True, check=False)
    except subprocess.TimeoutExpired:
        return f"no end after {TIMEOUT_SECONDS} s"
    if done.returncode == 0:
        return None
    said = (done.stderr + done.stdout).decode("utf-8", "replace").strip()
    if done.returncode < 0:
        said += f"\nkilled by signal {-done.returncode}"
    return said or f"exit status {done.returncode}"


def run_text(args, text):
    with tempfile.NamedTemporaryFile("w", suffix=".pkt", delete=False) as file:
        file.write(text)
    try:
        said = run_packetdrill(args, file.name, text)
        return said and said.replace(file.name, "changed script")
    finally:
        os.unlink(file.name)


def holds(args, rule, text):
    """Does the script pass, or fail as the rule says, when it expects what we do otherwise?"""
    if not rule.changes and not rule.push:
        return True
    text = preprocess(text)
    for pattern, replacement in rule.changes:
        text = pattern.sub(replacement, text)
    for _ in range(PUSHES_MAX if rule.push else 1):
        said = run_text(args, text)
        at = re.search(r":(\d+): error handling packet: live packet field tcp_psh", said or "")
        if not at:
            break
        text = toggle_push(text, int(at[1]))
    return said is None or (rule.then is not None and rule.then.search(said) is not None)


def toggle_push(text, number):
    """The script with the PSH bit of the packet in this line the other way round."""
    lines = text.split("\n")
    line = lines[number - 1]
    lines[number - 1] = line.replace("> P.", "> .", 1) if "> P." in line else re.sub(r">( +)\.", r">\1P.", line, count=1)
    return "\n".join(lines)


def explain(args, rules, path, text, said):
    for rule in rules:
        if not (rule.error.search(said) and rule.script.search(text) and rule.path.search(path)):
            continue
        if holds(args, rule, text):
            return rule
    return None


def run_script(args, rules, group, path):
    with open(path, encoding="utf-8", errors="replace") as file:
        text = file.read()
    if re.search(r"^#ifdef|TCPI_", text, re.MULTILINE):
        said = run_text(args, preprocess(text))
    else:
        said = run_packetdrill(args, path, text)
    if said is None:
        return Result(path, group, "passed", None, "")
    rule = explain(args, rules, path, text, said)
    return Result(path, group, rule.outcome if rule else "failed", rule, said)


def scripts_of(suite):
    """(group, path) of each script; a group is a directory right below the suite's."""
    name = os.path.basename(os.path.abspath(suite))
    for directory, subdirectories, files in os.walk(suite):
        subdirectories.sort()
        group = os.path.relpath(directory, suite).split(os.sep)[0]
        for file in sorted(files):
            if file.endswith(".pkt"):
                yield f"{name}/{group}", os.path.abspath(os.path.join(directory, file))


def print_table(results):
    groups = collections.defaultdict(collections.Counter)
    for result in results:
        groups[result.group][result.outcome] += 1
    groups["all"] = sum((groups[name] for name in list(groups)), collections.Counter())
    print("| scripts | run | " + " | ".join(COLUMNS) + " |")
    print("|---" * (len(COLUMNS) + 2) + "|")
    for name, counts in groups.items():
        cells = [str(counts[column]) for column in COLUMNS]
        print(f"| {name} | {sum(counts.values())} | " + " | ".join(cells) + " |")


def print_reasons(results, rules):
    counts = collections.Counter(result.rule.name for result in results if result.rule)
    print("\n| class | scripts | reason |\n|---|---|---|")
    for rule in sorted(rules, key=lambda rule: COLUMNS.index(rule.outcome)):
        if counts[rule.name]:
            print(f"| {rule.outcome} | {counts[rule.name]} | {rule.name}: {rule.why} |")


def print_failures(results, everything):
    shown = ("failed", "open", "policy", "not applicable") if everything else ("failed", "open")
    for result in results:
        if result.outcome in shown:
            name = f" ({result.rule.name})" if result.rule else ""
            print(f"\n{result.outcome}{name}: {result.path}")
            print("    " + "\n    ".join(result.error.splitlines()[:4]))


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("packetdrill")
    parser.add_argument("suite", nargs="+")
    parser.add_argument("--adapter", default=ADAPTER)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--all", action="store_true")
    args = parser.parse_args()
    args.packetdrill = os.path.abspath(args.packetdrill)
    args.adapter = os.path.abspath(args.adapter)
    return args


def main():
    args = parse_arguments()
    absent = [path for path in [args.packetdrill, args.adapter, *args.suite] if not os.path.exists(path)]
    if absent:
        print("skipped: there is no " + ", no ".join(absent))
        return 0
    rules = read_rules()
    scripts = [script for suite in args.suite for script in scripts_of(suite)]
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        results = list(pool.map(lambda script: run_script(args, rules, *script), scripts))
    print_table(results)
    print_reasons(results, rules)
    print_failures(results, args.all)
    return 1 if any(result.outcome == "failed" for result in results) else 0


if __name__ == "__main__":
    sys.exit(main())
