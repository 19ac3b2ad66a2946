# SPDX-License-Identifier: BSD-3-Clause
"""PCI NICs on vfio-pci behind the IOMMU: fetches through each, and their checksum offloads."""
from guest import say

MACHINE = "--nic e1000e --nic vmxnet3 --nic virtio --iommu on"


def fetch(guest, model, driver):
    index = guest.nic(model)
    before = guest.retransmitted()
    stats = guest.fetch(index)
    environment, counters = stats["environment"], stats["transfers"][0]["counters"]
    sides = [name for name in ("rx", "tx") if environment[name + "_checksum_offload"]]
    say(f"{model} ({environment['driver']}): {guest.retransmitted() - before} sent again by the server; checksums by "
        f"the NIC: {' and '.join(sides) or 'none'} ({counters['rx_csum_hardware']} of them received, "
        f"{counters['rx_csum_software']} in software)")
    assert environment["driver"] == driver, environment
    # Where the NIC is asked to verify, it does; else all is done in software.
    if not environment["rx_checksum_offload"]:
        assert counters["rx_csum_hardware"] == 0, counters
    assert counters["rx_csum_hardware"] + counters["rx_csum_software"] > 2000, counters


def test_e1000e_on_vfio_fetches_4_mib_exactly(guest):
    fetch(guest, "e1000e", "net_e1000_em")


def test_vmxnet3_on_vfio_fetches_4_mib_exactly(guest):
    fetch(guest, "vmxnet3", "net_vmxnet3")


def test_virtio_on_vfio_fetches_4_mib_exactly(guest):
    fetch(guest, "virtio", "net_virtio")
