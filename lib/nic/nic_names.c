/* SPDX-License-Identifier: BSD-3-Clause */
#include <pciaccess.h>
#include <stdio.h>

#include "nic_names.h"

void
nic_names_model(uint16_t vendor, uint16_t device, char *ret, size_t room)
{
	const struct pci_id_match match = {.vendor_id = vendor,
		.device_id = device,
		.subvendor_id = PCI_MATCH_ANY,
		.subdevice_id = PCI_MATCH_ANY};
	const char *vendor_name = NULL, *device_name = NULL;

	pci_get_strings(&match, &device_name, &vendor_name, NULL, NULL);
	if (vendor_name != NULL && device_name != NULL)
		(void)snprintf(ret, room, "%s %s", vendor_name, device_name);
	else if (vendor_name != NULL)
		(void)snprintf(ret, room, "%s %04x:%04x", vendor_name, vendor, device);
	else
		(void)snprintf(ret, room, "%04x:%04x", vendor, device);
}
