/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <string.h>

#include "binding.h"
#include "exit_code.h"
#include "inventory.h"

static const char *const driver_names[] = {
	[SETTINGS_DRIVER_VFIO] = "vfio-pci", [SETTINGS_DRIVER_UIO] = "uio_pci_generic"};

static void
warn(void *ctx, const char *text)
{
	message_warning(ctx, "%s", text);
}

bool
binding_is_wanted(const struct settings *s, char *ret_address)
{
	return s->stack == SETTINGS_STACK_DPDK && s->nic != NULL && !s->nic_bound &&
	       (s->nic_mode == SETTINGS_NIC_AUTO || s->nic_mode == SETTINGS_NIC_PCI) &&
	       nic_pci_address_parse(s->nic, ret_address);
}

static bool
is_forced(const struct settings *s, const char *address)
{
	char forced[NIC_NAME_MAX];
	uint32_t i;

	for (i = 0; i < s->force.count; i++) {
		if (nic_pci_address_parse(s->force.item[i], forced) && strcmp(forced, address) == 0)
			return true;
	}
	return false;
}

/* The level is not changed by those who are told it. */
static struct nic_bind_config
config_of(const struct settings *s, struct message_level *level, const char *address, bool keep,
	const struct inventory_source *source)
{
	return (struct nic_bind_config){
		.address = address,
		.driver = driver_names[s->driver],
		.no_iommu = s->no_iommu,
		.force = is_forced(s, address) ? address : NULL,
		.together = (const char *const *)s->devices.item,
		.together_count = s->devices.count,
		.keep = keep,
		.as_bound = s->command != SETTINGS_NIC,
		.inventory = &source->config,
		.say = warn,
		.say_ctx = level,
	};
}

static int
no_memory(const struct message_level *level)
{
	message_error(level, EXIT_CODE_OUT_OF_MEMORY, "no memory for the list of DPDK's drivers");
	return EXIT_CODE_OUT_OF_MEMORY;
}

int
binding_check(const struct settings *s, const struct message_level *level, const char *address)
{
	const struct nic_system system = nic_system_host();
	struct message_level own = *level;
	struct inventory_source source;
	struct nic_bind_config cfg;
	char message[NIC_MESSAGE_MAX];
	int rc;

	if (inventory_open(&source) != 0)
		return no_memory(level);
	cfg = config_of(s, &own, address, false, &source);
	rc = nic_bind_check(&system, &cfg, message);
	inventory_close(&source);
	if (rc >= 0)
		return 0;
	message_error(level, EXIT_CODE_BIND, "%s", message);
	return EXIT_CODE_BIND;
}

static void
warn_of_driver(
	const struct settings *s, const struct message_level *level, const struct nic_hold *hold)
{
	if (strcmp(hold->driver, driver_names[SETTINGS_DRIVER_UIO]) == 0 || s->no_iommu)
		message_warning(level,
			"%s: without an IOMMU between them, the NIC, and this program through it, "
			"can "
			"write to any memory of this machine",
			hold->address);
}

/* To whom asked for it: a result; else a detail on the way. hold NULL: message says why nothing was done. */
static void
tell_outcome(const struct settings *s, const struct message_level *level,
	const struct nic_hold *hold, const char *message)
{
	if (s->command == SETTINGS_NIC && hold != NULL)
		message_note(level, "%s is bound to %s; dpfetch nic unbind %s gives it back",
			hold->address, hold->driver, hold->address);
	else if (s->command == SETTINGS_NIC)
		message_note(level, "%s", message);
	else if (hold != NULL)
		message_detail(level, "%s is bound to %s%s", hold->address, hold->driver,
			hold->restore ? " for this run, and given back at its end" : "");
	else
		message_detail(level, "%s", message);
}

int
binding_take(const struct settings *s, const struct message_level *level, const char *address,
	bool keep, struct nic_hold *ret)
{
	const struct nic_system system = nic_system_host();
	struct message_level own = *level;
	struct inventory_source source;
	struct nic_bind_config cfg;
	char message[NIC_MESSAGE_MAX];
	int rc;

	*ret = (struct nic_hold){.lock = -1};
	if (inventory_open(&source) != 0)
		return no_memory(level);
	cfg = config_of(s, &own, address, keep, &source);
	rc = nic_bind(&system, &cfg, ret, message);
	inventory_close(&source);
	if (rc < 0) {
		message_error(level, EXIT_CODE_BIND, "%s", message);
		return EXIT_CODE_BIND;
	}
	if (rc == 0)
		warn_of_driver(s, level, ret);
	tell_outcome(s, level, rc == 0 ? ret : NULL, message);
	return 0;
}

int
binding_end(const struct message_level *level, struct nic_hold *hold)
{
	const struct nic_system system = nic_system_host();
	struct message_level own = *level;
	char message[NIC_MESSAGE_MAX], address[NIC_NAME_MAX];
	bool restore = hold->restore;

	memcpy(address, hold->address, sizeof(address));
	if (address[0] == '\0')
		return 0;
	if (nic_hold_end(&system, hold, warn, &own, message) != 0) {
		message_error(level, EXIT_CODE_BIND, "%s", message);
		return EXIT_CODE_BIND;
	}
	if (restore)
		message_detail(level, "%s was given back", address);
	return 0;
}

int
binding_restore(const struct message_level *level, const char *address)
{
	const struct nic_system system = nic_system_host();
	struct message_level own = *level;
	char message[NIC_MESSAGE_MAX];

	if (nic_restore(&system, address, warn, &own, message) != 0) {
		message_error(level, EXIT_CODE_BIND, "%s", message);
		return EXIT_CODE_BIND;
	}
	message_note(level, "%s was given back", address);
	return 0;
}

void
binding_restore_abandoned(const struct message_level *level, const char *except)
{
	const struct nic_system system = nic_system_host();
	struct message_level own = *level;

	(void)nic_restore_abandoned(&system, except, warn, &own);
}
