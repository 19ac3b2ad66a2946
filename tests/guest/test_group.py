# SPDX-License-Identifier: BSD-3-Clause
"""Two NICs behind one PCIe-to-PCI bridge: one IOMMU group, of which all go to user space, or none."""
import json
import os
import signal

from guest import DPFETCH, WORK, run, say, wait_until
from test_bind import driver_of, end, expect_as_before, fetch, give_to, interface_of, nic, state

MACHINE = "--nic e1000 --nic vmxnet3 --bus pci --iommu on"

NICS = (("e1000", "lab0"), ("vmxnet3", "lab1"))  # by their index: the kernel's driver and interface


def prepare(guest):
    """Both are the kernel's, and the first one is in use. What must be the same again, by NIC."""
    for index, (driver, name) in enumerate(NICS):
        give_to(guest.pci(index), driver)
        interface = interface_of(guest.pci(index))
        if interface != name:
            run("ip", "link", "set", interface, "name", name)
    run("ip", "link", "set", "lab0", "up", "mtu", "1400")
    run("ip", "addr", "replace", "198.18.0.2/24", "dev", "lab0")
    return [state(name) for _, name in NICS]


def expect_both_as_before(guest, before):
    for index, (driver, name) in enumerate(NICS):
        expect_as_before(before[index], guest.pci(index), driver, name)


def group_of(pci):
    return os.path.basename(os.path.realpath(f"/sys/bus/pci/devices/{pci}/iommu_group"))


def test_group_is_listed_with_its_other_members(guest):
    prepare(guest)
    first, second = guest.pci(0), guest.pci(1)
    group = group_of(first)
    assert group_of(second) == group
    devices = {device["pci_address"]: device for device in json.loads(nic("list", "--format", "json"))["devices"]}
    for one, other, driver in ((first, second, "vmxnet3"), (second, first, "e1000")):
        assert devices[one]["iommu_group"] == int(group), devices[one]
        members = {member["pci_address"]: member["driver"] for member in devices[one]["iommu_group_others"]}
        assert members.pop(other) == driver and one not in members, members
    text = nic("list")
    say(text.strip().replace("\n", "\n      "))
    assert f"{first} shares its IOMMU group {group} with {second} (vmxnet3)." in text, text
    assert f"{second} shares its IOMMU group {group} with {first} (e1000)." in text, text


def test_group_of_which_the_kernel_uses_another_is_refused(guest):
    before = prepare(guest)
    first, second = guest.pci(0), guest.pci(1)
    for args in (("nic", "bind", first), ("nic", "bind", first, "--check"),
                 tuple(guest.command(0, "-o", "/dev/null", f"http://{guest.server_ip(0)}/big")[1:])):
        result = run(DPFETCH, *args, check=False)
        assert result.returncode == 119, result
        assert f"group {group_of(first)} also has {second} (vmxnet3)" in result.stderr, result.stderr
        assert f"dpfetch nic bind {first} {second}" in result.stderr, result.stderr
        expect_both_as_before(guest, before)
    say(result.stderr.strip())


def test_group_is_bound_whole_or_not_at_all(guest):
    before = prepare(guest)
    run("ip", "link", "set", "lab1", "up")
    run("ip", "addr", "replace", "198.18.1.2/24", "dev", "lab1")
    run("ip", "route", "replace", "default", "via", "198.18.1.9", "dev", "lab1")
    said = nic("bind", guest.pci(0), guest.pci(1), status=119)
    assert "lab1 carries the default route" in said, said
    assert [driver_of(guest.pci(index)) for index in (0, 1)] == ["e1000", "vmxnet3"], said
    run("ip", "route", "del", "default")
    run("ip", "addr", "flush", "dev", "lab1")
    run("ip", "link", "set", "lab1", "down")
    expect_both_as_before(guest, before)


def test_group_bound_in_one_command_fetches_and_is_given_back(guest):
    before = prepare(guest)
    first, second = guest.pci(0), guest.pci(1)
    said = nic("bind", first, second)
    assert f"{first} is bound to vfio-pci" in said and f"{second} is bound to vfio-pci" in said, said
    stats = fetch(guest, 0)
    assert stats["environment"]["driver"] == "net_e1000_em", stats["environment"]
    stats = fetch(guest, 1)
    assert stats["environment"]["driver"] == "net_vmxnet3", stats["environment"]
    assert [driver_of(pci) for pci in (first, second)] == ["vfio-pci", "vfio-pci"]
    nic("unbind", first)
    assert driver_of(first) == "e1000" and driver_of(second) == "vfio-pci"
    nic("unbind", second)
    expect_both_as_before(guest, before)


def test_group_bound_in_one_command_is_given_back_by_restore(guest):
    before = prepare(guest)
    nic("bind", guest.pci(1), guest.pci(0))
    said = nic("restore")
    assert all(f"{guest.pci(index)} was given back" in said for index in (0, 1)), said
    expect_both_as_before(guest, before)


def test_group_with_a_fetch_over_one_is_in_use_for_the_other(guest):
    """The kernel lets one process have a group, and no driver of its own near it meanwhile."""
    before = prepare(guest)
    first, second = guest.pci(0), guest.pci(1)
    nic("bind", first, second)
    process = guest.popen(0, "-o", f"{WORK}/out", f"http://{guest.server_ip(0)}/slow/big")
    wait_until(lambda: os.path.exists(f"{WORK}/out") or process.poll() is not None, 60, "the first bytes")
    assert process.poll() is None, process.communicate()
    process.send_signal(signal.SIGSTOP)  # it has the group, and does not come to its end
    said = nic("unbind", second, status=119)
    assert f"in use by dpfetch (process {process.pid}), which has IOMMU group {group_of(second)}" in said, said
    result = run(*guest.command(1, "-o", "/dev/null", f"http://{guest.server_ip(1)}/big"), check=False)
    assert result.returncode == 119 and f"process {process.pid}" in result.stderr, result
    say(result.stderr.strip())
    process.kill()
    end(process)
    nic("restore")
    expect_both_as_before(guest, before)
