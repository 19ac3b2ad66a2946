# SPDX-License-Identifier: BSD-3-Clause
"""What tools/bench runs: measures all figures that README.md and docs/performance.md quote, and prints the
old ones, of docs/performance.json, beside the new ones. See tools/bench --help."""
import argparse
import json
import os
import subprocess
import sys
import time

import figures
import parts

STORE = os.path.join(parts.TOP, "docs/performance.json")
DOCUMENTS = ("README.md", "docs/performance.md")
BUSY = 0.05  # of all CPUs: more, and the machine is not quiet


def first_line(path, key=""):
    """The value of the first line that begins with key."""
    try:
        with open(path, encoding="utf-8") as file:
            for line in file:
                if line.startswith(key):
                    return line[len(key):].strip(" \t:\n")
    except OSError:
        pass
    return "unknown"


def output_of(*words):
    result = subprocess.run(words, capture_output=True, text=True, check=False, cwd=parts.TOP)
    return result.stdout.strip() if result.returncode == 0 else "unknown"


def commit_now():
    """The commit that is measured, with a "+" where the tree has changes. To be asked for before anything is written:
    the store is of the tree, too."""
    changed = output_of("git", "status", "--porcelain", "-uno") not in ("", "unknown")
    return output_of("git", "rev-parse", "--short", "HEAD") + ("+" if changed else "")


def conditions(commit):
    """Under what the figures are measured."""
    return {
        "date": time.strftime("%Y-%m-%d"),
        "commit": commit,
        "cpu": f"{first_line('/proc/cpuinfo', 'model name')}, {os.cpu_count()} CPUs",
        "kernel": "Linux " + os.uname().release.split("-")[0],
        "dpdk": "DPDK " + output_of("pkg-config", "--modversion", "libdpdk"),
        "load_average": round(os.getloadavg()[0], 2),
    }


def cpu_ticks():
    words = [int(word) for word in first_line("/proc/stat", "cpu ").split()]
    return sum(words[:8]), words[3] + words[4]


def busy_share(seconds=1.0):
    """How much of all CPUs others have, now."""
    total, idle = cpu_ticks()
    time.sleep(seconds)
    total, idle = cpu_ticks()[0] - total, cpu_ticks()[1] - idle
    return max(0.0, 1.0 - idle / total) if total > 0 else 0.0


def warn_if_busy(out=sys.stdout):
    share = busy_share()
    if share > BUSY:
        print(f"warning: the machine is busy: {share:.0%} of its CPUs are others', load average "
              f"{os.getloadavg()[0]:.1f}; figures of time will be worse than they are", file=out, flush=True)
    return share


def read_store():
    if not os.path.exists(STORE):
        return {"schema": 1, "parts": {}}
    with open(STORE, encoding="utf-8") as file:
        return json.load(file)


def write_store(store):
    with open(STORE, "w", encoding="utf-8") as file:
        json.dump(store, file, indent=1, ensure_ascii=False)
        file.write("\n")


def write_documents(store):
    """Makes the blocks of the documents anew."""
    for name in DOCUMENTS:
        path = os.path.join(parts.TOP, name)
        with open(path, encoding="utf-8") as file:
            before = file.read()
        after = figures.rewrite(before, store)
        if after != before:
            with open(path, "w", encoding="utf-8") as file:
                file.write(after)
            print(f"{name} is new")


def measure(part, args, store, commit):
    """One part. Its entry for the store and how many figures are worse; None: it failed."""
    print(f"\n== {part.name}: {part.what}\n   {part.command}", flush=True)
    measured = conditions(commit)
    measured["busy_before"] = round(warn_if_busy(), 3)
    try:
        new, text = part.measure(args.quick, args.rounds)
    except (parts.Failed, OSError, ValueError) as error:
        print(f"FAILED: {error}", flush=True)
        return None, 0
    old = store["parts"].get(part.name, {"figures": {}, "measured": {}})
    when = old["measured"].get("date")
    print(f"   old: {when + ', ' + old['measured'].get('commit', '') if when else 'none'}")
    lines, worse = figures.comparison(old["figures"], new, judge=not args.quick)
    print("\n".join(lines), flush=True)
    entry = {"command": part.command, "measured": measured, "figures": new}
    if text:
        entry["text"] = text
    return entry, worse


class Parser(argparse.ArgumentParser):
    """Says what is wrong as our other tools do."""

    def error(self, message):
        sys.exit(f"bench: {message}")


def arguments():
    parser = Parser(prog="tools/bench", add_help=False)
    parser.add_argument("--parse", action="store_true")  # of tools/bench: says what is wrong before it builds
    parser.add_argument("rounds", nargs="?", type=int)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--update", action="store_true")
    parser.add_argument("--documents", action="store_true")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--only", action="append", default=[], metavar="NAME")
    args = parser.parse_args()
    known = [part.name for part in parts.PARTS]
    args.only = [name for words in args.only for name in words.split(",")]
    for name in args.only:
        if name not in known:
            parser.error(f"there is no part '{name}'; there are {', '.join(known)}")
    if args.quick and args.update:
        parser.error("--quick measures too little to be kept: --update does without it")
    if args.rounds is not None and args.rounds < 1:
        parser.error("ROUNDS is at least 1")
    return args


def show_list():
    for part in parts.PARTS:
        print(f"{part.name:16} {part.minutes:4.1f} min  {part.what}\n{'':27}{part.command}")
    print(f"{'in all':16} {sum(part.minutes for part in parts.PARTS):4.1f} min")


def main():
    args = arguments()
    store, worse, failed, done = read_store(), 0, [], 0
    if args.parse:
        return 0
    if args.list:
        show_list()
        return 0
    if args.documents:
        write_documents(store)
        return 0
    commit = commit_now()
    for key, value in conditions(commit).items():
        print(f"{key:14} {value}")
    if args.quick:
        print("--quick: few and short rounds; compare nothing but whether it works")
    for part in parts.PARTS:
        if args.only and part.name not in args.only:
            continue
        entry, more = measure(part, args, store, commit)
        if entry is None:
            failed.append(part.name)
            continue
        done, worse = done + 1, worse + more
        if args.update:
            figures.take(store, part.name, entry)
            write_store(store)  # at once: a later part may be interrupted
    if args.update:
        write_documents(store)
    print(f"\n{done} parts measured" + ("" if args.quick else f", {worse} figures worse beyond the spread")
          + (f"; FAILED: {', '.join(failed)}" if failed else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
