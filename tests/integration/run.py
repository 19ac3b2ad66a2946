# SPDX-License-Identifier: BSD-3-Clause
"""Runs the integration tests, or those whose names contain one of the arguments.

A test is a function test_* of a test_*.py module beside this file; each module's LABS says on which
labs its tests run, and modules with the same lab share it. One line a test: "ok NAME" or "FAIL NAME".
The environment's LAB names the lab. Else it is one of this process's own, so that two runs can go on side
by side, and labs of runs that were killed are taken down first.
"""
import glob
import importlib
import os
import subprocess
import sys
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import lab as lab_module  # noqa: E402

PREFIX = "dpfetch-test-"
NAME = os.environ.get("LAB", f"{PREFIX}{os.getpid()}")


def take_down_orphans():
    """Labs of runs that are no more."""
    for state in glob.glob(f"/run/{PREFIX}*-lab"):
        name = os.path.basename(state)[:-len("-lab")]
        if not os.path.exists(f"/proc/{name[len(PREFIX):]}"):
            subprocess.run(["ip", "netns", "del", f"{name}-middle"], check=False, capture_output=True)
            subprocess.run([f"{lab_module.TOP}/tools/lab", "down"], env=dict(os.environ, LAB=name), check=False)


def collect(wanted):
    groups = {}
    for path in sorted(glob.glob(os.path.join(HERE, "test_*.py"))):
        module = importlib.import_module(os.path.basename(path)[:-3])
        for name in [n for n in vars(module) if n.startswith("test_")]:
            if wanted and not any(word in name for word in wanted):
                continue
            for config in module.LABS:
                groups.setdefault(tuple(sorted(config.items())), []).append(
                    (name, getattr(module, name)))
    return groups


def describe(config):
    """What sets this lab apart, for the line of a test: " [loss_percent=5]", or nothing."""
    special = [f"{key}={value}" for key, value in config if key not in ("mtu", "size")]
    return f" [{' '.join(special)}]" if special else ""


def run_one(name, function, lab):
    start = time.monotonic()
    try:
        function(lab)
        problem = None
    except Exception:  # pylint: disable=broad-except
        problem = traceback.format_exc()
    took = time.monotonic() - start
    print(f"{'FAIL' if problem else 'ok'} {name} ({took:.1f} s)", flush=True)
    if problem:
        print("      " + problem.replace("\n", "\n      "), flush=True)
    return problem is None


def main():
    passed = failed = 0
    take_down_orphans()
    for config, tests in collect(sys.argv[1:]).items():
        try:
            with lab_module.Lab(NAME, **dict(config)) as lab:
                for name, function in tests:
                    if run_one(name + describe(config), function, lab):
                        passed += 1
                    else:
                        failed += 1
        except subprocess.CalledProcessError as error:
            failed += 1
            print(f"FAIL lab {dict(config)}: {error} {error.stderr}", flush=True)
    print(f"integration: {passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
