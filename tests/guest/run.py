# SPDX-License-Identifier: BSD-3-Clause
"""Runs the tests that need a machine of their own, in tools/guest's, or those whose names contain an argument; but
none whose module's or own name contains a word of the environment's GUEST_SKIP.

A test is a function test_* of a test_*.py module beside this file; each module's MACHINE says with which of
tools/guest's options its machine is made. Tests of the same machine share one boot. One line a test:
"ok NAME (s)" or "FAIL NAME (s)"; what a test says of itself begins with blanks.
"""
import glob
import importlib
import os
import subprocess
import sys
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
INSIDE = "--inside"
sys.path.insert(0, HERE)


def collect(wanted):
    """The tests by machine: {options: [(name, function)]}."""
    machines = {}
    left_out = os.environ.get("GUEST_SKIP", "").split()
    for path in sorted(glob.glob(os.path.join(HERE, "test_*.py"))):
        module = importlib.import_module(os.path.basename(path)[:-3])
        tests = [(name, function) for name, function in vars(module).items()
                 if name.startswith("test_") and (not wanted or any(word in name for word in wanted))
                 and not any(word in f"{module.__name__} {name}" for word in left_out)]
        if tests:
            machines.setdefault(tuple(module.MACHINE.split()), []).extend(tests)
    return machines


def run_one(name, function, guest):
    start = time.monotonic()
    try:
        function(guest)
        problem = None
    except Exception:  # pylint: disable=broad-except
        problem = traceback.format_exc()
    print(f"{'FAIL' if problem else 'ok'} {name} ({time.monotonic() - start:.1f} s)", flush=True)
    if problem:
        print("      " + problem.replace("\n", "\n      "), flush=True)


def inside(names):
    """In the guest: what the host told us to run."""
    from guest import Guest  # pylint: disable=import-outside-toplevel
    for options, tests in collect(names).items():
        with Guest(options) as guest:
            for name, function in tests:
                run_one(name, function, guest)
    return 0


def boot(options, tests):
    """One machine; its lines as they come. Returns how many tests passed and failed."""
    passed = failed = 0
    start = time.monotonic()
    command = [f"{TOP}/tools/guest", "run", *options, "/usr/bin/python3", "-B", os.path.abspath(__file__), INSIDE,
               *[name for name, _ in tests]]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
                          errors="replace") as machine:
        for line in machine.stdout:
            passed += line.startswith("ok ")
            failed += line.startswith("FAIL ")
            print(line, end="", flush=True)
    if machine.returncode != 0 or passed + failed != len(tests):
        failed += 1
        print(f"FAIL machine {' '.join(options)}: status {machine.returncode}, {passed + failed - 1} of {len(tests)} "
              "tests ran", flush=True)
    print(f"      {len(tests)} tests in {time.monotonic() - start:.0f} s on: {' '.join(options)}", flush=True)
    return passed, failed


def main():
    if sys.argv[1:2] == [INSIDE]:
        return inside(sys.argv[2:])
    passed = failed = 0
    start = time.monotonic()
    for options, tests in collect(sys.argv[1:]).items():
        counts = boot(options, tests)
        passed, failed = passed + counts[0], failed + counts[1]
    print(f"guest: {passed} passed, {failed} failed in {time.monotonic() - start:.0f} s")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
