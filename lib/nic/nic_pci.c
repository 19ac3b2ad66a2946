/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nic_info.h"

#define DEVICE_MAX 0x1fUL
#define FUNCTION_MAX 7UL
#define BUS_DIGITS 2U
#define DOMAIN_DIGITS 8U /* VMD's are beyond ffff: "10000:01:00.0" */

/* Up to digits_max hexadecimal digits and then `end`; no sign, no 0x, no space. */
static bool
take_hex(const char **text, uint32_t digits_max, char end, unsigned long *ret)
{
	size_t digits = strspn(*text, "0123456789abcdefABCDEF");

	if (digits == 0 || digits > digits_max || (*text)[digits] != end)
		return false;
	*ret = strtoul(*text, NULL, 16);
	*text += digits + (end != '\0');
	return true;
}

static bool
take_rest(const char *text, unsigned long *bus, unsigned long *device, unsigned long *function)
{
	return take_hex(&text, BUS_DIGITS, ':', bus) && take_hex(&text, 2, '.', device) &&
	       take_hex(&text, 1, '\0', function) && *device <= DEVICE_MAX &&
	       *function <= FUNCTION_MAX;
}

bool
nic_pci_address_parse(const char *text, char *ret_address)
{
	unsigned long domain = 0, bus, device, function;

	if (!take_rest(text, &bus, &device, &function) &&
		!(take_hex(&text, DOMAIN_DIGITS, ':', &domain) &&
			take_rest(text, &bus, &device, &function)))
		return false;
	(void)snprintf(
		ret_address, NIC_NAME_MAX, "%04lx:%02lx:%02lx.%lx", domain, bus, device, function);
	return true;
}
