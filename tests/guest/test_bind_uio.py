# SPDX-License-Identifier: BSD-3-Clause
"""Binding without an IOMMU: only when asked for, and said to be unsafe."""
from guest import run
from test_bind import configure, driver_of, end, expect_as_before, nic, start_slow, state

MACHINE = "--nic e1000e --iommu off"


def test_bind_without_iommu_is_refused_with_what_would_help(guest):
    pci = guest.pci(0)
    configure(pci)
    before = state()
    said = nic("bind", pci, status=119)
    assert "no IOMMU group" in said and "--driver uio_pci_generic" in said, said
    expect_as_before(before, pci)
    said = nic("bind", pci, "--unsafe-no-iommu", status=119)
    assert "CONFIG_VFIO_NOIOMMU" in said, said  # not in Debian's kernel
    expect_as_before(before, pci)


def test_bind_to_uio_by_itself_fetches_and_gives_all_back(guest):
    pci = guest.pci(0)
    configure(pci)
    before = state()
    stats = guest.fetch(0, "--driver", "uio_pci_generic")
    assert "write to any memory" in stats["stderr"], stats["stderr"]
    expect_as_before(before, pci)


def test_bind_to_uio_killed_is_given_back_by_restore(guest):
    pci = guest.pci(0)
    configure(pci)
    before = state()
    process = start_slow(guest, pci, "--driver", "uio_pci_generic", driver="uio_pci_generic")
    process.kill()
    end(process)
    assert driver_of(pci) == "uio_pci_generic"
    nic("restore")
    expect_as_before(before, pci)


def test_bind_to_uio_by_command_stays_until_unbind(guest):
    pci = guest.pci(0)
    configure(pci)
    before = state()
    said = nic("bind", pci, "--driver", "uio_pci_generic")
    assert "write to any memory" in said, said
    guest.fetch(0, "--driver", "uio_pci_generic")
    nic("unbind", pci)
    expect_as_before(before, pci)
    run("modprobe", "-r", "uio_pci_generic", check=False)
