# SPDX-License-Identifier: BSD-3-Clause
"""meson_results.py testlog.json: one line a test, "ok NAME (N s)" or "FAIL NAME (...)"."""
import json
import sys


def main():
    with open(sys.argv[1], encoding="utf-8") as log:
        for line in log:
            test = json.loads(line)
            good = test["result"] in ("OK", "EXPECTEDFAIL", "SKIP")
            word = "ok" if good else "FAIL"
            print(f"{word} {test['name']} ({test['duration']:.1f} s{'' if good else ', ' + test['result']})")


if __name__ == "__main__":
    main()
