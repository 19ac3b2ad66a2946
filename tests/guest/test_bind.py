# SPDX-License-Identifier: BSD-3-Clause
"""dpfetch binds a NIC that the kernel has, and gives it back as it was: at its end, after kill -9, by command."""
import glob
import json
import os
import re
import signal
import subprocess
import time

from guest import DPFETCH, WORK, run, say, wait_until, write

MACHINE = "--nic e1000e --nic vmxnet3 --nic virtio --iommu on"

JOURNALS = "/run/dpfetch/nic"
NAME = "lab0"
ADDRESS = "198.18.0.2"  # the kernel's on that NIC; dpfetch may have it, too: it takes the whole NIC


def driver_of(pci):
    link = f"/sys/bus/pci/devices/{pci}/driver"
    return os.path.basename(os.path.realpath(link)) if os.path.exists(link) else None


def interface_of(pci):
    """Its interface in this network namespace; virtio's is the child of another device."""
    device = f"/sys/bus/pci/devices/{pci}"
    return next((os.path.basename(path) for pattern in ("net/*", "virtio*/net/*")
                 for path in glob.glob(f"{device}/{pattern}")), None)


def give_to(pci, driver):
    """Whatever another test did with it: to the kernel's driver."""
    run(DPFETCH, "nic", "restore", check=False)
    run("modprobe", driver.replace("-", "_"))
    if driver_of(pci) not in (driver, None):
        write(f"/sys/bus/pci/devices/{pci}/driver/unbind", pci)
    write(f"/sys/bus/pci/devices/{pci}/driver_override", "\n")
    if driver_of(pci) is None:
        write(f"/sys/bus/pci/drivers/{driver}/bind", pci)
    wait_until(lambda: interface_of(pci), 10, "an interface")


def configure(pci, driver="e1000e", name=NAME, up=True):
    """An interface with all that dpfetch promises to put back."""
    give_to(pci, driver)
    interface = interface_of(pci)
    run("ip", "link", "set", interface, "down")
    if interface != name:
        run("ip", "link", "set", interface, "name", name)
    run("ip", "link", "set", name, "mtu", "1400", "txqueuelen", "321", "alias", "the lab's")
    write(f"/proc/sys/net/ipv4/conf/{name}/rp_filter", "2")
    write(f"/proc/sys/net/ipv6/conf/{name}/accept_ra", "0")
    run("ethtool", "-K", name, "tso", "off")
    if not up:
        return
    run("ip", "link", "set", name, "up", "promisc", "on", "allmulticast", "on")
    run("ip", "addr", "replace", f"{ADDRESS}/24", "dev", name)
    run("ip", "addr", "replace", "198.18.0.3/24", "dev", name)
    run("ip", "addr", "replace", "2001:2::5/64", "dev", name, "nodad")
    run("ip", "addr", "replace", "198.18.7.1/24", "dev", name, "noprefixroute", "valid_lft", "3600", "preferred_lft", "1800")
    run("ip", "route", "replace", "203.0.113.0/24", "via", "198.18.0.9", "metric", "55")
    run("ip", "route", "replace", "203.0.114.0/24", "via", "198.18.0.9", "table", "77")
    run("ip", "-6", "route", "replace", "2001:db8:77::/48", "via", "2001:2::9")


def state(name=NAME):
    """What of it must be the same again; lifetimes pass, and a link takes its time."""
    link = json.loads(run("ip", "-d", "-j", "link", "show", name).stdout)[0]
    addresses = json.loads(run("ip", "-j", "addr", "show", name).stdout)[0]["addr_info"]
    routes = [run("ip", family, "route", "show", "table", "all", "dev", name).stdout for family in ("-4", "-6")]
    return {
        "link": {key: link.get(key) for key in ("ifname", "mtu", "txqlen", "address", "ifalias", "promiscuity")},
        "flags": sorted(set(link["flags"]) & {"UP", "PROMISC", "ALLMULTI", "MULTICAST", "NOARP"}),
        "addresses": [(a["local"], a["prefixlen"], a.get("noprefixroute"), a.get("secondary"),
                       a["valid_life_time"] > 4000) for a in addresses if a["scope"] != "link"],
        "routes": sorted(re.sub(r" (linkdown|pref \w+)", "", line).strip() for text in routes
                         for line in text.splitlines() if "fe80" not in line and "ff00" not in line),
        "features": run("ethtool", "-k", name).stdout,
        "sysctl": {key: open(f"/proc/sys/net/{key}", encoding="ascii").read() for key in
                   (f"ipv4/conf/{name}/rp_filter", f"ipv6/conf/{name}/accept_ra")},
    }


def expect_as_before(before, pci, driver="e1000e", name=NAME):
    assert driver_of(pci) == driver, driver_of(pci)
    with open(f"/sys/bus/pci/devices/{pci}/driver_override", encoding="ascii") as file:
        assert file.read() == "(null)\n"
    after = state(name)
    assert after == before, f"\nbefore {before}\nafter  {after}"
    assert not os.path.exists("/run/dpfetch"), os.listdir(JOURNALS)


def nic(*args, status=0):
    result = run(DPFETCH, "nic", *args, check=False)
    assert result.returncode == status, f"nic {args}: {result.returncode} {result.stderr}{result.stdout}"
    return result.stdout + result.stderr


def fetch(guest, index=0, *args, **kw):
    """One that has nothing to say of giving back."""
    stats = guest.fetch(index, *args, **kw)
    assert "could not" not in stats["stderr"], stats["stderr"]
    return stats


def start_slow(guest, pci, *args, driver="vfio-pci"):
    """A fetch that takes a few seconds, when it has begun."""
    process = guest.popen(0, *args, "-o", f"{WORK}/out", "--stats", f"{WORK}/stats", f"http://{guest.server_ip(0)}/slow/big")
    wait_until(lambda: os.path.exists(f"{WORK}/out") or process.poll() is not None, 60, "the first bytes")
    assert process.poll() is None, process.communicate()
    assert driver_of(pci) == driver, driver_of(pci)
    return process


def end(process):
    out, err = process.communicate(timeout=60)
    if os.path.exists(f"{WORK}/out"):
        os.unlink(f"{WORK}/out")
    return out + err


def test_bind_by_itself_fetches_and_gives_all_back(guest):
    pci = guest.pci(0)
    configure(pci)
    before = state()
    start = time.monotonic()
    stats = fetch(guest)
    assert stats["environment"]["driver"] == "net_e1000_em", stats["environment"]
    expect_as_before(before, pci)
    say(f"bind, fetch 4 MiB and give back: {time.monotonic() - start:.1f} s; {len(before['routes'])} routes, "
        f"{len(before['addresses'])} addresses")


def test_bind_by_itself_leaves_an_interface_down_that_was_down(guest):
    pci = guest.pci(0)
    configure(pci, up=False)
    before = state()
    assert "UP" not in before["flags"]
    fetch(guest)
    expect_as_before(before, pci)


def test_bind_by_itself_on_virtio_gives_all_back(guest):
    index = guest.models.index("virtio")
    pci = guest.pci(index)
    configure(pci, "virtio-pci", "lab2")
    before = state("lab2")
    fetch(guest, index)
    expect_as_before(before, pci, "virtio-pci", "lab2")
    run("ip", "addr", "flush", "dev", "lab2")
    run("ip", "link", "set", "lab2", "down")


def test_bind_interrupted_gives_all_back(guest):
    pci = guest.pci(0)
    configure(pci)
    before = state()
    for number in (signal.SIGINT, signal.SIGTERM):
        process = start_slow(guest, pci)
        process.send_signal(number)
        said = end(process)
        assert process.returncode == -number, (process.returncode, said)
        expect_as_before(before, pci)


def test_bind_killed_is_given_back_by_restore(guest):
    pci = guest.pci(0)
    configure(pci)
    before = state()
    process = start_slow(guest, pci)
    process.kill()
    end(process)
    assert driver_of(pci) == "vfio-pci"
    said = nic("restore")
    assert f"{pci} was given back" in said, said
    expect_as_before(before, pci)
    assert "no NIC is bound" in nic("restore")


def test_bind_killed_is_taken_over_by_the_next_fetch(guest):
    pci = guest.pci(0)
    configure(pci)
    before = state()
    process = start_slow(guest, pci)
    process.kill()
    end(process)
    stats = guest.fetch(0)
    assert "did not come to its end; taken over" in stats["stderr"], stats["stderr"]
    expect_as_before(before, pci)


def test_bind_killed_is_given_back_by_a_fetch_over_another_nic(guest):
    pci, other = guest.pci(0), guest.models.index("virtio")
    give_to(guest.pci(other), "virtio-pci")
    configure(pci)
    before = state()
    process = start_slow(guest, pci)
    process.kill()
    end(process)
    stats = guest.fetch(other)
    assert f"{pci}, which a dpfetch had left bound" in stats["stderr"], stats["stderr"]
    expect_as_before(before, pci)


def test_bind_of_a_running_fetch_is_not_taken_from_it(guest):
    pci = guest.pci(0)
    configure(pci)
    before = state()
    process = start_slow(guest, pci)
    for args in (("restore",), ("unbind", pci), ("bind", pci)):
        said = nic(*args, status=119)
        assert f"in use by another dpfetch (process {process.pid})" in said, said
    process.send_signal(signal.SIGTERM)
    end(process)
    expect_as_before(before, pci)


def test_bind_by_command_stays_until_unbind(guest):
    pci = guest.pci(0)
    configure(pci)
    before = state()
    nic("bind", "00:10.0", "--check")
    expect_as_before(before, pci)
    said = nic("bind", "00:10.0")
    assert f"{pci} is bound to vfio-pci" in said, said
    guest.fetch(0)
    guest.fetch(0)
    assert driver_of(pci) == "vfio-pci"
    nic("bind", pci)
    nic("unbind", pci)
    expect_as_before(before, pci)
    guest.fetch(0, "--keep-bound")
    assert driver_of(pci) == "vfio-pci"
    nic("restore", pci)
    expect_as_before(before, pci)


def test_bind_of_the_default_routes_nic_is_refused(guest):
    pci = guest.pci(0)
    configure(pci)
    run("ip", "route", "replace", "default", "via", "198.18.0.9", "dev", NAME)
    before = state()
    for args in (("nic", "bind", pci), tuple(guest.command(0, "-o", "/dev/null", "http://198.18.0.1/big")[1:])):
        result = run(DPFETCH, *args, check=False)
        assert result.returncode == 119, result
        assert f"{NAME} carries the default route" in result.stderr and f"--force {pci}" in result.stderr, result.stderr
        expect_as_before(before, pci)
    guest.fetch(0, "--force", pci)
    expect_as_before(before, pci)
    run("ip", "route", "del", "default")


def test_bind_of_an_ssh_sessions_nic_is_refused(guest):
    pci = guest.pci(0)
    configure(pci)
    before = state()
    result = run(DPFETCH, "nic", "bind", pci, check=False,
                 env={**os.environ, "SSH_CONNECTION": f"198.18.0.1 50022 {ADDRESS} 22"})
    assert result.returncode == 119 and "an SSH session from 198.18.0.1" in result.stderr, result
    expect_as_before(before, pci)


def test_bind_of_a_nic_under_a_vlan_is_refused(guest):
    pci = guest.pci(0)
    configure(pci)
    run("ip", "link", "add", "link", NAME, "name", "lab0.5", "type", "vlan", "id", "5")
    before = state()
    said = nic("bind", pci, status=119)
    assert "lab0.5 stands on" in said, said
    expect_as_before(before, pci)
    run("ip", "link", "del", "lab0.5")


def test_bind_in_a_network_namespace_gives_back_into_it(guest):
    pci = guest.pci(0)
    give_to(pci, "e1000e")
    run("ip", "netns", "add", "client")
    run("ip", "link", "set", interface_of(pci), "netns", "client", "name", NAME)
    inside = ("ip", "netns", "exec", "client")
    run(*inside, "ip", "link", "set", NAME, "up")
    run(*inside, "ip", "addr", "add", "198.18.0.7/24", "dev", NAME)
    said = nic("bind", pci, status=119)
    assert "not in this network namespace" in said, said
    guest.fetch(0, namespace="client")
    text = run(*inside, "ip", "-br", "addr", "show", NAME).stdout
    assert "198.18.0.7/24" in text, text
    process = subprocess.Popen(guest.command(0, "-o", f"{WORK}/out", f"http://{guest.server_ip(0)}/slow/big",
                                             namespace="client"),
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    wait_until(lambda: os.path.exists(f"{WORK}/out") or process.poll() is not None, 60, "the first bytes")
    process.kill()
    end(process)
    nic("restore")
    text = run(*inside, "ip", "-br", "addr", "show", NAME).stdout
    assert "198.18.0.7/24" in text, text
    run(*inside, "ip", "link", "set", NAME, "netns", "1")
    run("ip", "netns", "del", "client")


def test_list_tells_driver_interface_group_and_dpdks_driver(guest):
    pci = guest.pci(0)
    configure(pci)
    devices = {device["pci_address"]: device for device in json.loads(nic("list", "--format", "json"))["devices"]}
    e1000e = devices[pci]
    assert (e1000e["driver"], e1000e["dpdk_driver"]) == ("e1000e", "net_e1000_em"), e1000e
    assert e1000e["iommu_group"] is not None and not e1000e["bifurcated"], e1000e
    assert [port["name"] for port in e1000e["interfaces"]] == [NAME], e1000e
    vmxnet3 = devices[guest.pci(guest.models.index("vmxnet3"))]
    assert vmxnet3["dpdk_driver"] == "net_vmxnet3", vmxnet3
    text = nic("list")
    say(text.strip().replace("\n", "\n      "))
    assert re.search(rf"{pci}  {NAME}  +e1000e ", text), text


def doctor(pci, *args):
    """What it says of that NIC, by subject: the last of each."""
    text = run(DPFETCH, "doctor", "--nic", pci, "--format", "json", *args, check=False).stdout
    return {finding["subject"]: finding for finding in json.loads(text)["findings"]}


def test_doctor_knows_what_is_special_of_vmxnet3(guest):
    virtio, vmxnet3 = (guest.pci(guest.models.index(model)) for model in ("virtio", "vmxnet3"))
    give_to(virtio, "virtio-pci")
    found = doctor(virtio)
    assert found["binding"]["verdict"] == "ok" and "slot" not in found, found
    found = doctor(vmxnet3, "--queues", "2")
    assert found["lro"]["verdict"] == "ok" and "not asked of vmxnet3" in found["lro"]["text"], found
    assert found["queues"]["verdict"] == "warning" and "first queue only" in found["queues"]["text"], found
