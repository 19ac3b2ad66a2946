# SPDX-License-Identifier: BSD-3-Clause
"""Without an IOMMU: uio_pci_generic, where a NIC reaches all of the memory."""
from test_nics import fetch

MACHINE = "--nic e1000e --iommu off"


def test_e1000e_on_uio_fetches_4_mib_exactly(guest):
    fetch(guest, "e1000e", "net_e1000_em")
