/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "nic_bind_priv.h"
#include "nic_driver.h"
#include "nic_journal.h"
#include "nic_sysfs.h"

#define SAY_MAX 512U

/* A device on its way to user space. */
struct binding {
	const struct nic_system *system;
	const struct nic_bind_config *cfg;
	struct nic_inventory inventory;
	const struct nic_device *device;
	char *message;
	bool journaled;
};

void
nic_boot_id(const struct nic_system *s, char ret[NIC_NAME_MAX])
{
	char folder[NIC_PATH_MAX];

	nic_system_path(s, folder, "/proc/sys/kernel/random");
	if (!nic_sysfs_text(folder, "boot_id", ret, NIC_NAME_MAX))
		ret[0] = '\0';
}

int
nic_explain_lock(const char *address, int rc, int pid, char *message)
{
	if (rc == -EBUSY)
		return nic_fail(message, rc,
			"%s is in use by another dpfetch (process %d); wait for its end, or end it",
			address, pid);
	if (rc == -EACCES || rc == -EPERM || rc == -EROFS)
		return nic_fail(message, rc,
			"no permission to keep the journal of %s in " NIC_JOURNAL_FOLDER
			": %s; run as root (sudo)",
			address, strerror(-rc));
	return nic_fail(message, rc,
		"the journal of %s in " NIC_JOURNAL_FOLDER " could not be kept: %s", address,
		strerror(-rc));
}

static int
read_device(struct binding *b)
{
	int rc = nic_inventory_read(b->system, b->cfg->inventory, &b->inventory);

	if (rc != 0)
		return nic_fail(b->message, rc, "the NICs could not be listed: %s", strerror(-rc));
	b->device = nic_inventory_find(&b->inventory, b->cfg->address);
	return 0;
}

int
nic_bind_check(const struct nic_system *s, const struct nic_bind_config *cfg, char *message)
{
	struct binding b = {.system = s, .cfg = cfg, .message = message};
	int rc = read_device(&b);

	if (rc == 0)
		rc = nic_judge(s, cfg, b.device, message);
	nic_inventory_free(&b.inventory);
	return rc;
}

static void
read_switch(const struct nic_system *s, char ret[NIC_NAME_MAX])
{
	char folder[NIC_PATH_MAX];

	nic_system_path(s, folder, "/sys/module/vfio/parameters");
	if (!nic_sysfs_text(folder, NIC_NO_IOMMU_SWITCH, ret, NIC_NAME_MAX))
		ret[0] = '\0';
}

static int
save_interfaces(const struct binding *b, json_t *into)
{
	const struct nic_kernel *kernel = b->system->kernel;
	json_t *state;
	uint32_t i;
	int rc = 0;

	for (i = 0; rc == 0 && i < b->device->port_count; i++) {
		rc = kernel->state_save(b->system->ctx, b->device->ports[i].info.interface, &state);
		if (rc == 0)
			rc = json_array_append_new(into, state) == 0 ? 0 : -ENOMEM;
	}
	return rc;
}

/* Of all that binding changes. */
static int
write_journal(struct binding *b)
{
	const struct nic_system *s = b->system;
	char boot[NIC_NAME_MAX], before[NIC_NAME_MAX], override[NIC_NAME_MAX], folder[NIC_PATH_MAX];
	json_t *interfaces = json_array(), *journal;
	int rc;

	nic_boot_id(s, boot);
	read_switch(s, before);
	nic_system_path(s, folder, NIC_SYSFS_PCI "/%s", b->cfg->address);
	if (!nic_sysfs_text(folder, "driver_override", override, sizeof(override)) ||
		strcmp(override, "(null)") == 0)
		override[0] = '\0';
	rc = save_interfaces(b, interfaces);
	journal = json_pack("{s:i, s:s, s:s, s:s, s:s, s:b, s:b, s:s, s:i, s:s, s:o, s:o}",
		"version", NIC_JOURNAL_VERSION, "pci_address", b->cfg->address, "driver",
		b->device->driver, "driver_override", override, "bound_to", b->cfg->driver, "keep",
		b->cfg->keep, "no_iommu", b->cfg->no_iommu && b->device->iommu_group < 0,
		"no_iommu_before", before, "pid", (int)getpid(), "boot_id", boot, "namespace",
		s->kernel->namespace_save(s->ctx), "interfaces", interfaces);
	if (journal == NULL)
		rc = -ENOMEM;
	if (rc == 0)
		rc = nic_journal_write(s, b->cfg->address, journal);
	json_decref(journal);
	if (rc != 0)
		return nic_fail(b->message, rc,
			"%s: what it is like now could not be written down (" NIC_JOURNAL_FOLDER
			"): %s. Nothing was changed",
			b->cfg->address, strerror(-rc));
	b->journaled = true;
	return 0;
}

/* A NIC that has a kernel driver but no interface here has one elsewhere, whose state we cannot see. */
static int
check_interfaces(struct binding *b)
{
	const struct nic_device *d = b->device;

	if (d->driver[0] == '\0' || d->port_count > 0 ||
		(b->cfg->force != NULL && strcmp(b->cfg->force, d->address) == 0))
		return 0;
	return nic_fail(b->message, -ENODEV,
		"%s is bound to %s, but its interface is not in this network namespace, so that it "
		"could not be put back as it is; run dpfetch where it is: ip netns exec NAME "
		"dpfetch "
		"... (`ip netns` lists them). Without its interface's state: --force %s",
		d->address, d->driver, d->address);
}

static int
allow_no_iommu(struct binding *b)
{
	const struct nic_system *s = b->system;
	char path[NIC_PATH_MAX], now[NIC_NAME_MAX];
	int rc;

	if (!b->cfg->no_iommu || b->device->iommu_group >= 0 ||
		strcmp(b->cfg->driver, NIC_VFIO) != 0)
		return 0;
	read_switch(s, now);
	if (now[0] == '\0')
		return nic_fail(b->message, -ENOTSUP,
			"this kernel's vfio has no mode without an IOMMU (CONFIG_VFIO_NOIOMMU, "
			"which "
			"Debian leaves out); use --driver uio_pci_generic, which is unsafe as "
			"well");
	nic_system_path(s, path, "/sys/module/vfio/parameters/" NIC_NO_IOMMU_SWITCH);
	rc = now[0] == 'Y' ? 0 : s->kernel->write(s->ctx, path, "Y");
	return rc == 0 ? 0
		       : nic_fail(b->message, rc,
				 "vfio's mode without an IOMMU could not be "
				 "turned on: %s",
				 strerror(-rc));
}

static int
explain_bind(const struct binding *b, int rc)
{
	const char *hint = "`dmesg | tail` tells more";

	if (rc == -EACCES || rc == -EPERM)
		hint = "run as root (sudo)";
	else if (rc == -EROFS)
		hint = "sysfs is read-only here, as in a container; run dpfetch on the host";
	else if (strcmp(b->cfg->driver, NIC_UIO) == 0)
		hint = "uio_pci_generic needs a device with a legacy interrupt, which virtual "
		       "functions "
		       "and some NICs lack: use vfio-pci";
	return nic_fail(b->message, rc,
		"%s could not be bound to %s: %s; %s. It was given back to %s", b->cfg->address,
		b->cfg->driver, strerror(-rc), hint,
		b->device->driver[0] != '\0' ? b->device->driver : "nobody, as before");
}

static int
hand_over(struct binding *b)
{
	const struct nic_system *s = b->system;
	const char *address = b->cfg->address;
	int rc = allow_no_iommu(b);

	if (rc != 0)
		return rc;
	rc = nic_driver_unbind(s, address);
	if (rc == 0)
		rc = nic_driver_override(s, address, b->cfg->driver);
	if (rc == 0)
		rc = nic_driver_bind(s, address, b->cfg->driver);
	return rc == 0 ? 0 : explain_bind(b, rc);
}

/* Back to where it was, with the message of what went wrong first. */
static void
take_back(struct binding *b)
{
	char second[NIC_MESSAGE_MAX];
	size_t len = strlen(b->message);

	if (nic_restore_locked(b->system, b->cfg->address, b->cfg->say, b->cfg->say_ctx, second) !=
		0)
		(void)snprintf(b->message + len, NIC_MESSAGE_MAX - len, ". And: %s", second);
}

static int
bind_device(struct binding *b)
{
	int rc = read_device(b);

	if (rc == 0)
		rc = nic_judge(b->system, b->cfg, b->device, b->message);
	if (rc == 0)
		rc = check_interfaces(b);
	if (rc != 0)
		return rc;
	rc = nic_driver_load(b->system, b->cfg->driver);
	if (rc != 0)
		return nic_explain_module(b->system, b->cfg->driver, rc, b->message);
	rc = write_journal(b);
	if (rc == 0)
		rc = hand_over(b);
	if (rc != 0 && b->journaled)
		take_back(b);
	return rc;
}

static void
say_left(const struct nic_bind_config *cfg, const json_t *journal)
{
	char text[SAY_MAX];

	(void)snprintf(text, sizeof(text),
		"%s was left bound to %s by a dpfetch (process %d) that did not come to its end; "
		"taken "
		"over",
		cfg->address, json_string_value(json_object_get(journal, "bound_to")),
		(int)json_integer_value(json_object_get(journal, "pid")));
	cfg->say(cfg->say_ctx, text);
}

/* What it is bound to now: as asked for, or as somebody who keeps it that way did. */
static bool
suits(const struct nic_bind_config *cfg, bool kept, const char *driver)
{
	return strcmp(driver, cfg->driver) == 0 ||
	       (cfg->as_bound && kept && nic_driver_is_for_users(driver));
}

/* The device has a journal, and nobody works on it. 0: it is bound as wanted, and *ret_restore says
 * whether to give it back; 1: it was given back, and is to be bound; -errno. */
static int
take_over(const struct nic_system *s, const struct nic_bind_config *cfg, json_t *journal,
	bool *ret_restore, char *message)
{
	bool kept = json_is_true(json_object_get(journal, "keep"));
	char driver[NIC_NAME_MAX], user[NIC_NAME_MAX];
	int rc = 0;

	if (!nic_driver_of(s, cfg->address, driver) || !suits(cfg, kept, driver)) {
		rc = nic_restore_locked(s, cfg->address, cfg->say, cfg->say_ctx, message);
		return rc != 0 ? rc : 1;
	}
	if (nic_driver_user(s, cfg->address, user, sizeof(user)))
		return nic_fail(
			message, -EBUSY, "%s is in use by %s; end that first", cfg->address, user);
	if (!kept)
		say_left(cfg, journal);
	if (cfg->keep && !kept) {
		json_object_set_new(journal, "keep", json_true());
		rc = nic_journal_write(s, cfg->address, journal);
		if (rc != 0)
			return nic_explain_lock(cfg->address, rc, 0, message);
	}
	*ret_restore = !kept && !cfg->keep;
	return 0;
}

/* Under the lock. As nic_bind. */
static int
bind_locked(const struct nic_system *s, const struct nic_bind_config *cfg, bool *ret_restore,
	char *message)
{
	struct binding b = {.system = s, .cfg = cfg, .message = message};
	json_t *journal = NULL;
	int rc = nic_journal_read(s, cfg->address, &journal);

	if (rc == 0)
		rc = take_over(s, cfg, journal, ret_restore, message);
	else if (rc == -ENOENT)
		rc = 1;
	else
		rc = nic_fail(message, rc,
			"the journal of %s in " NIC_JOURNAL_FOLDER
			" cannot be read: %s; remove it if nobody needs it",
			cfg->address, strerror(-rc));
	json_decref(journal);
	if (rc != 1)
		return rc;
	*ret_restore = !cfg->keep;
	rc = bind_device(&b);
	nic_inventory_free(&b.inventory);
	return rc;
}

int
nic_bind(const struct nic_system *s, const struct nic_bind_config *cfg, struct nic_hold *ret,
	char *message)
{
	struct nic_hold hold = {.lock = -1};
	char driver[NIC_NAME_MAX];
	pid_t pid = 0;
	int rc;

	if (!nic_driver_of(s, cfg->address, driver))
		return nic_fail(message, -ENODEV,
			"there is no PCI device %s; `dpfetch nic list` lists them", cfg->address);
	rc = nic_journal_lock(s, cfg->address, &hold.lock, &pid);
	if ((rc == -EACCES || rc == -EPERM) && nic_driver_is_for_users(driver))
		return nic_fail(message, 1, "%s is bound to %s already", cfg->address, driver);
	if (rc != 0)
		return nic_explain_lock(cfg->address, rc, (int)pid, message);
	rc = bind_locked(s, cfg, &hold.restore, message);
	if (rc != 0) {
		nic_journal_unlock(s, cfg->address, hold.lock);
		return rc;
	}
	(void)snprintf(hold.address, sizeof(hold.address), "%s", cfg->address);
	(void)nic_driver_of(s, cfg->address, hold.driver);
	*ret = hold;
	return 0;
}

int
nic_hold_end(const struct nic_system *s, struct nic_hold *hold, nic_say_fn say, void *say_ctx,
	char *message)
{
	int rc = 0;

	if (hold->address[0] == '\0')
		return 0;
	if (hold->restore)
		rc = nic_restore_locked(s, hold->address, say, say_ctx, message);
	nic_journal_unlock(s, hold->address, hold->lock);
	*hold = (struct nic_hold){.lock = -1};
	return rc;
}
