/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cmd_nic.h"
#include "exit_code.h"
#include "inventory.h"
#include "inventory_report.h"
#include "message.h"
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
	struct nic_inventory inventory;
	int rc = inventory_read(&inventory);

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
	case SETTINGS_NIC_NOTHING:
	case SETTINGS_NIC_ACTION_COUNT:
		break;
	}
	return EXIT_CODE_USAGE; /* settings_check has said so */
}
