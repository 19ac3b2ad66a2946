/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "binding.h"
#include "exit_code.h"
#include "host_priv.h"
#include "nic_driver.h"
#include "nic_info.h"

/* What the kernel lets who is not root lock is often too little for a device's memory. */
static void
warn_of_memlock(const struct host *h, const char *driver)
{
	uint64_t limit;

	if (strcmp(driver, "vfio-pci") == 0 && nic_memlock_limit(&limit))
		message_warning(&h->level,
			"this process may lock %llu KiB of memory, and vfio locks all that the NIC "
			"can "
			"reach; if the port cannot be set up, run as root, or raise it: ulimit -l "
			"unlimited (/etc/security/limits.conf: memlock)",
			(unsigned long long)(limit >> 10));
}

/* Bound by others: then nobody may work with it, either. */
static int
check_user(const struct host *h, const char *address, const char *driver)
{
	const struct nic_system system = nic_system_host();
	char user[NIC_NAME_MAX];

	if (!nic_driver_is_for_users(driver) ||
		!nic_driver_user(&system, address, user, sizeof(user)))
		return 0;
	message_error(
		&h->level, EXIT_CODE_BIND, "%s is in use by %s; end that first", address, user);
	return EXIT_CODE_BIND;
}

/* Its driver works beside the kernel's, which still owns its addresses. */
static int
check_what_stays(struct host *h)
{
	h->nic_interface[0] = '\0';
	return host_check_addresses(h);
}

int
host_bind_nic(struct host *h)
{
	const struct settings *s = h->settings;
	const struct nic_system system = nic_system_host();
	char address[NIC_NAME_MAX], driver[NIC_NAME_MAX];
	int code;

	if (!binding_is_wanted(s, address))
		return 0;
	code = binding_take(s, &h->level, address, s->keep_bound, &h->nic);
	if (code != 0 || !nic_driver_of(&system, address, driver))
		return code;
	warn_of_memlock(h, driver);
	if (h->nic.address[0] != '\0')
		return 0;
	code = check_user(h, address, driver);
	return code != 0 ? code : check_what_stays(h);
}

int
host_release_nic(struct host *h)
{
	return binding_end(&h->level, &h->nic);
}
