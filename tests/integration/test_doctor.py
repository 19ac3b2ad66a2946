# SPDX-License-Identifier: BSD-3-Clause
"""dpfetch doctor on this machine and on the lab's interface. Of the machine itself little can be expected."""
import json

from lab import TOP

LABS = [{"mtu": 1500, "size": 0}]


def doctor(lab, *args):
    """Exit status, and the findings by subject."""
    result = lab.run(["ip", "netns", "exec", lab.client, f"{TOP}/build/release/app/dpfetch", "doctor", "--format", "json",
                      *args])
    report = json.loads(result.stdout) if result.stdout else {"findings": []}
    return result, report, {f["subject"]: f for f in report["findings"]}


def test_doctor_finds_nothing_in_the_way_on_the_labs_interface(lab):
    result, report, by = doctor(lab, "--nic", "c0")
    assert result.returncode == 0 and report["errors"] == 0, report
    assert by["mtu"]["verdict"] == by["offloads"]["verdict"] == by["link"]["verdict"] == "ok", by
    assert len(report["findings"]) == report["ok"] + report["warnings"]
    assert all(f["remedy"] for f in report["findings"] if f["verdict"] != "ok"), report


def test_doctor_says_what_is_in_the_way_and_how_to_mend_it(lab):
    result, report, by = doctor(lab, "--nic", "c0", "--mtu", "9000")
    assert result.returncode == 120 and report["errors"] == 1, report
    assert by["mtu"]["verdict"] == "error" and by["mtu"]["remedy"] == "--mtu 1500", by["mtu"]
    lab.in_client("ethtool", "-K", "c0", "gro", "on")
    try:
        _, _, by = doctor(lab, "--nic", "c0")
        assert by["offloads"]["verdict"] == "warning" and "ethtool -K c0" in by["offloads"]["remedy"], by
        _, _, by = doctor(lab, "--nic", "c0", "--nic-mode", "vnet")
        assert by["offloads"]["verdict"] == "ok", by
    finally:
        lab.in_client("ethtool", "-K", "c0", "gro", "off")
    assert doctor(lab, "--nic", "nope")[0].returncode == 110


def test_doctor_needs_more_memory_for_a_larger_window(lab):
    def needed(*args):
        return int(doctor(lab, *args)[2]["hugepages"]["text"].split("free, ")[1].split()[0])

    assert needed("--window", "64m") > needed("--window", "1m") + 30
