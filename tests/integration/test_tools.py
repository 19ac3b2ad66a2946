# SPDX-License-Identifier: BSD-3-Clause
"""The tools themselves: they say what is wrong, can be run again, and leave nothing behind."""
import glob
import os
import signal
import subprocess
import time

from lab import TOP

LABS = [{"mtu": 1500, "size": 0}]


def tool(name, *args, **env):
    return subprocess.run([f"{TOP}/tools/{name}", *args], capture_output=True, text=True, timeout=300,
                          stdin=subprocess.DEVNULL, check=False, env=dict(os.environ, **env))


def test_program_that_does_not_end_is_asked_what_it_does_and_killed(lab):
    pids = lab.path("pids")
    try:
        lab.run(["sh", "-c", f"echo $$ >{pids}; sleep 61 & echo $! >>{pids}; wait"], timeout=1)
        raise RuntimeError("it ended")
    except subprocess.TimeoutExpired as error:
        notes = "".join(error.__notes__)
    with open(pids, encoding="ascii") as file:
        shell, sleeper = file.read().split()
    os.kill(int(sleeper), signal.SIGKILL)
    assert f"process {shell}: sh -c" in notes and f"process {sleeper}: sleep 61" in notes, notes
    assert "State: S (sleeping)" in notes and "nanosleep" in notes, notes
    assert not os.path.exists(f"/proc/{shell}"), "it was not killed"


def left_behind(lab):
    namespaces = subprocess.run(["ip", "netns", "list"], capture_output=True, text=True, check=True).stdout
    paths = glob.glob(f"/run/{lab}-lab") + glob.glob("/var/tmp/dpfetch-quickstart.*")
    return paths + [line for line in namespaces.splitlines() if line.startswith(lab + "-")]


def test_quickstart_compares_and_leaves_nothing(_lab):
    for _ in range(2):
        result = tool("quickstart", "--size", "20000000")
        assert result.returncode == 0, result.stderr
        lines = result.stdout.splitlines()
        assert any(line.startswith("dpfetch") for line in lines), result.stdout
        assert any(line.startswith("curl") for line in lines), result.stdout
        assert "SHA-256" in result.stderr
        assert left_behind("dpfetch-quickstart") == []


def test_quickstart_interrupted_leaves_nothing(_lab):
    process = subprocess.Popen([f"{TOP}/tools/quickstart"], stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL, start_new_session=True)
    while process.poll() is None and not glob.glob("/var/tmp/dpfetch-quickstart.*/big"):
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGINT)  # as the terminal's Ctrl-C: to all of the group
    assert process.wait(timeout=30) != 0
    assert left_behind("dpfetch-quickstart") == []


def test_lab_up_twice_is_one_lab_but_not_another_one(_lab):
    env = {"LAB": "dpfetch-twice"}
    try:
        assert tool("lab", "up", "--size", "1000", **env).returncode == 0
        again = tool("lab", "up", "--size", "1000", **env)
        assert again.returncode == 0 and "198.18.0.1" in again.stdout
        other = tool("lab", "up", "--size", "1000", "--mtu", "9000", **env)
        assert other.returncode != 0 and "tools/lab down" in other.stderr, other.stderr
        assert tool("lab", "status", **env).returncode == 0
    finally:
        assert tool("lab", "down", **env).returncode == 0
    assert tool("lab", "status", **env).returncode != 0
    assert left_behind("dpfetch-twice") == []


def test_tools_name_what_they_do_not_know(_lab):
    for args in (("quickstart", "--sise"), ("quickstart", "--runs", "0"), ("lab", "op"), ("lab", "up", "--mtu"),
                 ("test", "units"), ("install",), ("fresh",), ("coverage", "tcp"),
                 ("bench", "--only", "nothing"), ("bench", "--quick", "--update"), ("bench", "0"), ("bench", "--quik")):
        result = tool(*args)
        assert result.returncode != 0 and result.stderr.startswith(f"{args[0]}: "), (args, result.stderr)


def test_bench_lists_its_parts_without_measuring(_lab):
    before = time.monotonic()
    result = tool("bench", "--list")
    assert result.returncode == 0 and time.monotonic() - before < 10, result.stderr
    for word in ("ceiling", "link", "compare-file", "goodput-virtual", "sudo python3 tests/perf/link.py 10"):
        assert word in result.stdout, result.stdout


def test_tools_help_is_their_head_comment(_lab):
    for path in glob.glob(f"{TOP}/tools/*"):
        name = os.path.basename(path)
        if os.path.isfile(path) and os.access(path, os.X_OK):
            result = tool(name, "--help")
            assert result.returncode == 0 and f"tools/{name}" in result.stdout, (name, result.stdout)
