# SPDX-License-Identifier: BSD-3-Clause
"""load.py [ROUNDS]: dpfetch bench over our stack and over the kernel's, and wrk, against one nginx.

Interleaved rounds of 3 s (5): 1 KiB responses on 100 kept-alive connections, then one request a
connection on 50 (wrk has no such mode). Medians and spread. Last, 100,000 connections held open over
four addresses, 2,000 requests a second among them.
"""
import json
import os
import re
import statistics
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "integration"))
from lab import Lab, SERVER_IP  # noqa: E402

PORT = 8100
OPEN = 100000
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


def wrk(lab, url):
    text = lab.in_client("taskset", "-c", str(os.cpu_count() - 1), "wrk", "-t", "1", "-c", "100", "-d", "3s",
                         "--latency", url).stdout
    unit = {"us": 1, "ms": 1e3, "s": 1e6}
    value, suffix = re.search(r"99%\s+([0-9.]+)(us|ms|s)", text).groups()
    return {"rps": float(re.search(r"Requests/sec:\s+([0-9.]+)", text).group(1)), "p99": float(value) * unit[suffix]}


def show(name, rounds, key, scale=1.0):
    values = [r[key] * scale for r in rounds]
    return f"{name} {statistics.median(values):.0f} ({min(values):.0f}-{max(values):.0f})"


def row(name, rounds):
    print(f"  {name:28} {show('requests/s', rounds, 'rps')}, {show('p99 us', rounds, 'p99')}", flush=True)


def figures(end):
    return {"rps": end["requests_per_second"], "p99": end["latency"]["p99_us"]}


def small_responses(lab, rounds):
    url, runs = f"http://{SERVER_IP}:{PORT}/1k", {"dpfetch": [], "dpfetch --stack kernel": [], "wrk": []}
    for _ in range(rounds):
        runs["dpfetch"].append(figures(bench(lab, "-c", "100", "-d", "3", url)))
        runs["dpfetch --stack kernel"].append(figures(bench(lab, "-c", "100", "-d", "3", url, kernel=True)))
        runs["wrk"].append(wrk(lab, url))
    print("1 KiB responses, 100 connections, closed loop", flush=True)
    for name, results in runs.items():
        row(name, results)


def connections(lab, rounds):
    url, runs = f"http://{SERVER_IP}:{PORT}/1k", {"dpfetch": [], "dpfetch --stack kernel": []}
    for _ in range(rounds):
        runs["dpfetch"].append(figures(bench(lab, "-c", "50", "--cps", "-d", "3", url)))
        runs["dpfetch --stack kernel"].append(figures(bench(lab, "-c", "50", "--cps", "-d", "3", url, kernel=True)))
    print("one request a connection, 50 at a time", flush=True)
    for name, results in runs.items():
        row(name, results)


def many_open(lab):
    end = bench(lab, "--address", "198.18.0.100/24", "--addresses", "4", "-c", str(OPEN), "--ramp", "40", "-R", "2000", "-d", "10",
                f"http://{SERVER_IP}:{PORT}/hello")
    memory = end["bytes_per_connection"]
    print(f"{OPEN} connections: {end['open_max']} open, {end['counts']['responses']} responses, errors "
          f"{sum(end['counts']['errors'].values())}, p99 {end['latency']['p99_us']:.0f} us, "
          f"{memory['stack']} + {memory['load']} bytes a connection", flush=True)


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    with Lab("dpfetch-load", size=0) as lab:
        server = serve(lab, 1)
        small_responses(lab, rounds)
        connections(lab, rounds)
        lab.stop(server)
        serve(lab, WORKERS)
        many_open(lab)


if __name__ == "__main__":
    try:
        main()
    except subprocess.CalledProcessError as error:
        sys.exit(f"{error}: {error.stderr}")
