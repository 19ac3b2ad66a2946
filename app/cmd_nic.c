/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "binding.h"
#include "cmd_nic.h"
#include "exit_code.h"
#include "inventory.h"
#include "inventory_report.h"
#include "message.h"
#include "nic_journal.h"
#include "report_json.h"

/* 0 or -errno. */
static int
print(const struct nic_inventory *inventory, int format)
{
	json_t *root;
	int rc;

	if (format == SETTINGS_FORMAT_TABLE) {
		inventory_report_table(inventory, stdout);
		return fflush(stdout) == 0 && ferror(stdout) == 0 ? 0 : -errno;
	}
	root = inventory_report_json(inventory);
	rc = root != NULL ? report_json_write(root, "-") : -ENOMEM;
	json_decref(root);
	return rc;
}

static int
list(const struct settings *s, const struct message_level *level)
{
	const struct nic_system system = nic_system_host();
	struct nic_inventory inventory;
	struct inventory_source source;
	int rc = inventory_open(&source);

	if (rc == 0) {
		rc = nic_inventory_read(&system, &source.config, &inventory);
		inventory_close(&source);
	}
	if (rc != 0) {
		message_error(level, EXIT_CODE_OUT_OF_MEMORY, "the NICs could not be listed: %s",
			strerror(-rc));
		return EXIT_CODE_OUT_OF_MEMORY;
	}
	rc = print(&inventory, s->format);
	nic_inventory_free(&inventory);
	if (rc == 0)
		return 0;
	message_error(level, EXIT_CODE_WRITE_ERROR, "Failed writing to standard output: %s",
		strerror(-rc));
	return EXIT_CODE_WRITE_ERROR;
}

static int
bind_one(const struct settings *s, const struct message_level *level, const char *address)
{
	struct nic_hold hold;
	int code;

	if (s->check) {
		code = binding_check(s, level, address);
		if (code == 0)
			message_note(level, "%s could be bound", address);
		return code;
	}
	code = binding_take(s, level, address, true, &hold);
	return code != 0 ? code : binding_end(level, &hold);
}

static int
act_on(const struct settings *s, const struct message_level *level, const char *address)
{
	return s->nic_action == SETTINGS_NIC_BIND ? bind_one(s, level, address)
						  : binding_restore(level, address);
}

/* Devices of one IOMMU group are of use only together: before the first is bound, all are judged. */
static int
check_all(const struct settings *s, const struct message_level *level)
{
	char address[NIC_NAME_MAX];
	int code = 0;
	uint32_t i;

	for (i = 0; code == 0 && i < s->devices.count; i++) {
		if (nic_pci_address_parse(s->devices.item[i], address))
			code = binding_check(s, level, address);
	}
	return code;
}

static int
act_on_named(const struct settings *s, const struct message_level *level, const char *name)
{
	char address[NIC_NAME_MAX];

	if (nic_pci_address_parse(name, address))
		return act_on(s, level, address);
	message_error(level, EXIT_CODE_USAGE,
		"'%s' is not a PCI address, such as 0000:3b:00.0 (dpfetch nic list shows them)",
		name);
	return EXIT_CODE_USAGE;
}

/* Each of those that were named. The exit code is the first failure's. */
static int
act_on_all(const struct settings *s, const struct message_level *level)
{
	int code = 0, rc;
	uint32_t i;

	if (s->nic_action == SETTINGS_NIC_BIND && !s->check && s->devices.count > 1)
		code = check_all(s, level);
	if (code != 0)
		return code;
	for (i = 0; i < s->devices.count; i++) {
		rc = act_on_named(s, level, s->devices.item[i]);
		code = code != 0 ? code : rc;
	}
	return code;
}

static int
restore_all(const struct message_level *level)
{
	const struct nic_system system = nic_system_host();
	char list[NIC_JOURNALS_MAX][NIC_NAME_MAX];
	int i, code = 0, rc, n = nic_journal_list(&system, list);

	if (n < 0) {
		message_error(level, EXIT_CODE_BIND,
			"the journals in " NIC_JOURNAL_FOLDER
			" cannot be read: %s; run as root (sudo)",
			strerror(-n));
		return EXIT_CODE_BIND;
	}
	if (n == 0)
		message_note(level, "no NIC is bound by dpfetch");
	for (i = 0; i < n; i++) {
		rc = binding_restore(level, list[i]);
		code = code != 0 ? code : rc;
	}
	return code;
}

int
cmd_nic(const struct settings *s)
{
	struct message_level level = message_level_of(s);
	char message[SETTINGS_MESSAGE_MAX];

	if (settings_check(s, message) != SETTINGS_OK) {
		message_error(&level, EXIT_CODE_USAGE, "%s", message);
		return EXIT_CODE_USAGE;
	}
	switch ((enum settings_nic_action)s->nic_action) {
	case SETTINGS_NIC_LIST:
		return list(s, &level);
	case SETTINGS_NIC_RESTORE:
		if (s->devices.count == 0)
			return restore_all(&level);
		return act_on_all(s, &level);
	case SETTINGS_NIC_BIND:
	case SETTINGS_NIC_UNBIND:
		return act_on_all(s, &level);
	case SETTINGS_NIC_NOTHING:
	case SETTINGS_NIC_ACTION_COUNT:
		break;
	}
	return EXIT_CODE_USAGE; /* settings_check has said so */
}
