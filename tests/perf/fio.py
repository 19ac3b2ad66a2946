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


def reserved():
    with open(HUGEPAGES, encoding="ascii") as file:
        return int(file.read())


def reserve(count):
    with open(HUGEPAGES, "w", encoding="ascii") as file:
        file.write(str(count))


@contextlib.contextmanager
def hugepages(count):
    """As many hugepages at least; what was taken is given back at the end."""
    before = reserved()
    try:
        if before < count:
            reserve(count)
        yield
    finally:
        if before < count and reserved() == count:
            reserve(before)


def command(path, size, *more):
    return ["fio", "--name=write", f"--filename={path}", "--rw=write", f"--bs={BLOCK_MIB}M", "--ioengine=io_uring",
            "--direct=1", "--fixedbufs=1", "--registerfiles=1", f"--iodepth={BLOCKS}", "--iomem=shmhuge",
            f"--size={size}", "--output-format=json", *more]


def run(path, size):
    """Gb/s; the highest priority, as nothing else is to be measured. Leaves the file."""
    output = subprocess.run(["nice", "-n", "-20", *command(path, size)], check=True, stdout=subprocess.PIPE, text=True).stdout
    return json.loads(output)["jobs"][0]["write"]["bw_bytes"] * 8 / 1e9


def written(pid):
    with open(f"/proc/{pid}/io", encoding="ascii") as file:
        return int(next(line for line in file if line.startswith("write_bytes")).split()[1])


@contextlib.contextmanager
def writing(path, gbps, size):
    """While it lasts fio writes to path, gbps at most, size bytes at most; it must not be through at the end. Yields a
    function that tells the bytes so far."""
    process = subprocess.Popen(command(path, size, "--thread", f"--rate={int(gbps * 1e9 / 8)}"), stdout=subprocess.DEVNULL)
    try:
        until = time.monotonic() + START_SECONDS
        while written(process.pid) < UNDER_WAY_BYTES:
            assert time.monotonic() < until and process.poll() is None, "fio does not write"
            time.sleep(0.01)
        yield lambda: written(process.pid)
        assert process.poll() is None, "fio was through before us"
    finally:
        process.send_signal(signal.SIGINT)
        process.wait()
        if os.path.exists(path):
            os.unlink(path)
