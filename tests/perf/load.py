# SPDX-License-Identifier: BSD-3-Clause
"""load.py [ROUNDS] [--quick] [--json FILE]: dpfetch bench over our stack and over the kernel's, and wrk, against one nginx.

Interleaved rounds of 3 s (5): 1 KiB responses on 100 kept-alive connections, then one request a
connection on 50 (wrk has no such mode). Medians and spread. Last, 100,000 connections held open over
four addresses, 2,000 requests a second among them.
"""
import argparse
import json
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "integration"))
from figures import figure, save, spread  # noqa: E402
from lab import Lab, SERVER_IP  # noqa: E402

PORT = 8100
WORKERS = 8  # so that each has fewer descriptors than most limits allow
CONF = """
worker_processes {workers}; worker_rlimit_nofile 19500; pid {work}/pid; error_log {work}/err warn; daemon off;
worker_cpu_affinity {affinity};
events {{ worker_connections 19000; }}
http {{
    access_log off; keepalive_requests 100000000; keepalive_timeout 600s;
    client_body_temp_path {work}/b; proxy_temp_path {work}/p; fastcgi_temp_path {work}/f;
    uwsgi_temp_path {work}/u; scgi_temp_path {work}/s;
    server {{
        listen {ip}:{port} backlog=65535 reuseport;
        location / {{ root {work}/www; }}
        location = /hello {{ return 200 "hello\\n"; }}
    }}
}}
"""


def serve(lab, workers):
    work = lab.path(f"nginx-{workers}")
    os.makedirs(os.path.join(work, "www"))
    os.chmod(lab.work, 0o755)
    with open(os.path.join(work, "www", "1k"), "wb") as file:
        file.write(b"x" * 1024)
    with open(os.path.join(work, "conf"), "w", encoding="ascii") as file:
        file.write(CONF.format(workers=workers, work=work, ip=SERVER_IP, port=PORT,
                               affinity=" ".join(["01"] * workers)))
    lab.in_server("sysctl", "-qw", "net.core.somaxconn=65535", "net.ipv4.tcp_max_syn_backlog=65535")
    return lab.start("nginx", "-c", f"{work}/conf", "-e", f"{work}/err", "-p", work, port=PORT)


def bench(lab, *args, kernel=False):
    stats = lab.path("bench.json")
    stack = ["--stack", "kernel"] if kernel else []
    command = lab.command("bench", *stack, "-s", "-S", "--stats", stats, *args)
    result = lab.run(command, timeout=300)
    assert result.returncode == 0, result.stderr
    with open(stats, encoding="utf-8") as file:
        return json.load(file)["end"]


def wrk(lab, url, seconds):
    text = lab.in_client("taskset", "-c", str(os.cpu_count() - 1), "wrk", "-t", "1", "-c", "100", "-d", f"{seconds}s",
                         "--latency", url).stdout
    unit = {"us": 1, "ms": 1e3, "s": 1e6}
    value, suffix = re.search(r"99%\s+([0-9.]+)(us|ms|s)", text).groups()
    return {"rps": float(re.search(r"Requests/sec:\s+([0-9.]+)", text).group(1)), "p99": float(value) * unit[suffix]}


def figures(end):
    return {"rps": end["requests_per_second"], "p99": end["latency"]["p99_us"]}


def summed_up(what, runs):
    """The medians of each client, shown and by name."""
    result = {}
    print(what, flush=True)
    for who, rounds in runs.items():
        rate = figure([r["rps"] for r in rounds], "")
        p99 = figure([r["p99"] for r in rounds], "us", "less")
        print(f"  {who:10} requests/s {spread(rate)}, p99 us {spread(p99)}", flush=True)
        result[f"{what}: requests a second, {who}"], result[f"{what}: p99, {who}"] = rate, p99
    return {name: result[name] for name in sorted(result, key=lambda name: "p99" in name)}


def both_stacks(lab, runs, seconds, *args):
    for who in ("dpfetch", "kernel"):
        runs.setdefault(who, []).append(figures(bench(lab, *args, "-d", str(seconds), kernel=who == "kernel")))


def small_responses(lab, rounds, seconds):
    url, runs = f"http://{SERVER_IP}:{PORT}/1k", {}
    for _ in range(rounds):
        both_stacks(lab, runs, seconds, "-c", "100", url)
        runs.setdefault("wrk", []).append(wrk(lab, url, seconds))
    return summed_up("1 KiB responses on 100 connections", runs)


def connections(lab, rounds, seconds):
    url, runs = f"http://{SERVER_IP}:{PORT}/1k", {}
    for _ in range(rounds):
        both_stacks(lab, runs, seconds, "-c", "50", "--cps", url)
    return summed_up("one request a connection, 50 at a time", runs)


def many_open(lab, count, ramp, seconds):
    end = bench(lab, "--address", "198.18.0.100/24", "--addresses", "4", "-c", str(count), "--ramp", str(ramp), "-R",
                "2000", "-d", str(seconds), f"http://{SERVER_IP}:{PORT}/hello")
    memory, errors = end["bytes_per_connection"], sum(end["counts"]["errors"].values())
    print(f"{count} connections: {end['open_max']} open, {end['counts']['responses']} responses, errors "
          f"{errors}, p99 {end['latency']['p99_us']:.0f} us, "
          f"{memory['stack']} + {memory['load']} bytes a connection", flush=True)
    assert end["open_max"] == count, f"{end['open_max']} of {count} connections were open"
    assert errors == 0, end["counts"]["errors"]
    what = f"{count:,} connections"
    return {f"{what}: open, dpfetch": figure([end["open_max"]], ""),
            f"{what}: responses in {seconds} s, dpfetch": figure([end["counts"]["responses"]], ""),
            f"{what}: errors, dpfetch": figure([errors], "", "less"),
            f"{what}: p99, dpfetch": figure([end["latency"]["p99_us"]], "us", "less"),
            f"{what}: bytes each, dpfetch": figure([memory["stack"] + memory["load"]], "bytes", "less")}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("rounds", nargs="?", type=int, default=5)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json")
    args = parser.parse_args()
    seconds = 1 if args.quick else 3
    with Lab(os.environ.get("LAB", "dpfetch") + "-load", size=0) as lab:
        server = serve(lab, 1)
        result = small_responses(lab, args.rounds, seconds)
        result.update(connections(lab, args.rounds, seconds))
        lab.stop(server)
        serve(lab, WORKERS)
        result.update(many_open(lab, *((2000, 2, 2) if args.quick else (100000, 40, 10))))
    if args.json:
        save(args.json, result)


if __name__ == "__main__":
    try:
        main()
    except subprocess.CalledProcessError as error:
        sys.exit(f"{error}: {error.stderr}")
