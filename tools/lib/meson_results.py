# SPDX-License-Identifier: BSD-3-Clause
"""meson_results.py testlog.json: one line a test, "ok NAME (N s)" or "FAIL NAME (...)".

meson_results.py --why testlog.json: what those that failed said, the end of stdout and the start of stderr,
where cmocka and the sanitizers say what happened.
"""
import json
import sys


GOOD = ("OK", "EXPECTEDFAIL", "SKIP")


def line_of(test):
    good = test["result"] in GOOD
    return f"{'ok' if good else 'FAIL'} {test['name']} ({test['duration']:.1f} s{'' if good else ', ' + test['result']})"


def why(test):
    said = (test.get("stdout") or "").splitlines()[-8:] + (test.get("stderr") or "").splitlines()[:12]
    return "\n".join([test["name"]] + ["    " + line for line in said])


def main():
    with open(sys.argv[-1], encoding="utf-8") as log:
        tests = [json.loads(line) for line in log]
    explain = sys.argv[1] == "--why"
    for test in tests:
        if not explain:
            print(line_of(test))
        elif test["result"] not in GOOD:
            print(why(test))


if __name__ == "__main__":
    main()
