# SPDX-License-Identifier: BSD-3-Clause
"""fio: what a disk takes from a program that copies nothing (io_uring, O_DIRECT, registered buffers in hugepages)."""
import contextlib
import json
import os
import signal
import subprocess
import time

HUGEPAGES = "/proc/sys/vm/nr_hugepages"
BLOCK_MIB, BLOCKS = 4, 4
HUGEPAGES_NEEDED = BLOCK_MIB * BLOCKS // 2 + 4  # of 2 MiB, with fio's own
UNDER_WAY_BYTES = 64 << 20
START_SECONDS = 20


@contextlib.contextmanager
def hugepages(count):
    """As many hugepages at least; given back at the end."""
    with open(HUGEPAGES, encoding="ascii") as file:
        before = file.read().strip()
    try:
        if int(before) < count:
            with open(HUGEPAGES, "w", encoding="ascii") as file:
                file.write(str(count))
        yield
    finally:
        with open(HUGEPAGES, "w", encoding="ascii") as file:
            file.write(before)


def command(path, size, *more):
    return ["fio", "--name=write", f"--filename={path}", "--rw=write", f"--bs={BLOCK_MIB}M", "--ioengine=io_uring",
            "--direct=1", "--fixedbufs=1", "--registerfiles=1", f"--iodepth={BLOCKS}", "--iomem=shmhuge",
            f"--size={size}", "--output-format=json", *more]


def gbps_of(output):
    """Of fio's JSON; it says a line or two before it when it was interrupted."""
    return json.loads(output[output.index("{"):])["jobs"][0]["write"]["bw_bytes"] * 8 / 1e9


def run(path, size):
    """Gb/s; the highest priority, as nothing else is to be measured. Leaves the file."""
    return gbps_of(subprocess.run(["nice", "-n", "-20", *command(path, size)], check=True, capture_output=True, text=True).stdout)


def written(pid):
    with open(f"/proc/{pid}/io", encoding="ascii") as file:
        return int(next(line for line in file if line.startswith("write_bytes")).split()[1])


@contextlib.contextmanager
def writing(path, gbps, size):
    """While it lasts fio writes to path, gbps at most, size bytes at most; it must not be through at the end. Yields a
    dict, which then has "gbps"."""
    result = {}
    process = subprocess.Popen(command(path, size, "--thread", f"--rate={int(gbps * 1e9 / 8)}"), stdout=subprocess.PIPE, text=True)
    try:
        until = time.monotonic() + START_SECONDS
        while written(process.pid) < UNDER_WAY_BYTES:
            assert time.monotonic() < until and process.poll() is None, "fio does not write"
            time.sleep(0.01)
        yield result
        assert process.poll() is None, "fio was through before us"
    finally:
        process.send_signal(signal.SIGINT)
        output = process.communicate()[0]
        if os.path.exists(path):
            os.unlink(path)
    result["gbps"] = gbps_of(output)
