/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "nic_bind_priv.h"
#include "nic_driver.h"
#include "nic_journal.h"

#define SAY_MAX 512U
/* A driver makes its interfaces while it is bound, or a little later; firmware may take seconds. */
#define WAIT_MAX_MS 15000U
#define WAIT_STEP_MS 50U
#define LINKS_MAX 8U /* interfaces of one device */
#define MAC_TEXT_LEN 18U

struct restoring {
	const struct nic_system *system;
	const char *address;
	json_t *journal;
	nic_say_fn say;
	void *say_ctx;
	char *message;
};

/* The device's interfaces as they are now. */
struct found {
	const char *address;
	struct nic_info link[LINKS_MAX];
	uint32_t count;
};

static const char *
text_of(const struct restoring *r, const char *key)
{
	const char *text = json_string_value(json_object_get(r->journal, key));

	return text != NULL ? text : "";
}

static void
take_link(void *ctx, const struct nic_info *link)
{
	struct found *f = ctx;

	if (f->count < LINKS_MAX && strcmp(link->pci_address, f->address) == 0)
		f->link[f->count++] = *link;
}

static void
wait_for_links(const struct restoring *r, size_t wanted, struct found *f)
{
	const struct nic_system *s = r->system;
	uint32_t waited = 0;

	for (;;) {
		f->count = 0;
		s->kernel->links_fetch(s->ctx, r->address);
		(void)s->kernel->each_link(s->ctx, take_link, f);
		if (f->count >= wanted || waited >= WAIT_MAX_MS)
			return;
		s->kernel->pause(s->ctx, WAIT_STEP_MS);
		waited += WAIT_STEP_MS;
	}
}

static bool
has_mac(const struct nic_info *link, const char *text)
{
	const uint8_t *m = link->mac;
	char own[MAC_TEXT_LEN];

	(void)snprintf(own, sizeof(own), "%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3],
		m[4], m[5]);
	return text != NULL && strcmp(own, text) == 0;
}

/* Which is the one of that state? By its MAC address, by its name, or because there is one only. */
static const struct nic_info *
choose(const struct found *f, const json_t *state, size_t states)
{
	const char *mac = json_string_value(json_object_get(state, "permanent_mac"));
	const char *name = json_string_value(json_object_get(state, "name"));
	uint32_t i;

	if (mac == NULL)
		mac = json_string_value(json_object_get(state, "mac"));
	if (f->count == 1 && states == 1)
		return &f->link[0];
	for (i = 0; i < f->count; i++) {
		if (has_mac(&f->link[i], mac))
			return &f->link[i];
	}
	for (i = 0; i < f->count; i++) {
		if (name != NULL && strcmp(f->link[i].interface, name) == 0)
			return &f->link[i];
	}
	return NULL;
}

static void
say_missing(const struct restoring *r, const json_t *state)
{
	const char *name = json_string_value(json_object_get(state, "name"));
	char text[SAY_MAX];

	(void)snprintf(text, sizeof(text),
		"%s is bound to %s again, but its interface %s did not come back within %u s; "
		"`dmesg | "
		"tail` may tell why",
		r->address, text_of(r, "driver"), name != NULL ? name : "?", WAIT_MAX_MS / 1000U);
	r->say(r->say_ctx, text);
}

static void
restore_interfaces(const struct restoring *r)
{
	const struct nic_system *s = r->system;
	json_t *states = json_object_get(r->journal, "interfaces"), *state;
	struct found found = {.address = r->address};
	const struct nic_info *link;
	size_t i;

	wait_for_links(r, json_array_size(states), &found);
	json_array_foreach(states, i, state)
	{
		link = choose(&found, state, json_array_size(states));
		if (link == NULL)
			say_missing(r, state);
		else
			(void)s->kernel->state_apply(
				s->ctx, link->interface, state, r->say, r->say_ctx);
	}
}

static void
restore_in_namespace(const struct restoring *r)
{
	const struct nic_system *s = r->system;
	const json_t *saved = json_object_get(r->journal, "namespace");
	char text[SAY_MAX];
	int before, rc;

	rc = s->kernel->namespace_enter(s->ctx, saved, &before);
	if (rc == 0) {
		restore_interfaces(r);
		s->kernel->namespace_leave(s->ctx, before);
		return;
	}
	(void)snprintf(text, sizeof(text),
		"%s is bound to %s again, but the network namespace of its interface (%s) is no "
		"more: "
		"addresses and routes were not put back",
		r->address, text_of(r, "driver"),
		json_string_value(json_object_get(saved, "name")) != NULL
			? json_string_value(json_object_get(saved, "name"))
			: strerror(-rc));
	r->say(r->say_ctx, text);
}

static void
restore_switch(const struct restoring *r)
{
	const struct nic_system *s = r->system;
	char path[NIC_PATH_MAX];

	if (!json_is_true(json_object_get(r->journal, "no_iommu")) ||
		strcmp(text_of(r, "no_iommu_before"), "N") != 0)
		return;
	nic_system_path(s, path, "/sys/module/vfio/parameters/" NIC_NO_IOMMU_SWITCH);
	(void)s->kernel->write(s->ctx, path, "N");
}

/* From whoever has it now. A user of vfio would make the unbinding wait for its end. */
static int
take_from_user(const struct restoring *r, const char *now)
{
	char user[NIC_NAME_MAX];
	int rc;

	if (nic_driver_is_for_users(now) &&
		nic_driver_user(r->system, r->address, user, sizeof(user)))
		return nic_fail(r->message, -EBUSY,
			"%s cannot be given back: it is in use by %s; end that, then: dpfetch nic "
			"restore %s",
			r->address, user, r->address);
	rc = nic_driver_override(r->system, r->address, text_of(r, "driver_override"));
	if (rc == 0 && strcmp(now, text_of(r, "driver")) != 0)
		rc = nic_driver_unbind(r->system, r->address);
	if (rc == 0)
		return 0;
	return nic_fail(r->message, rc, "%s could not be taken from %s: %s%s", r->address, now,
		strerror(-rc), rc == -EACCES || rc == -EPERM ? "; run as root (sudo)" : "");
}

static int
give_to_driver(const struct restoring *r)
{
	const char *driver = text_of(r, "driver");
	int rc;

	if (driver[0] == '\0')
		return 0;
	rc = nic_driver_load(r->system, driver);
	if (rc == 0)
		rc = nic_driver_bind(r->system, r->address, driver);
	if (rc == 0)
		return 0;
	return nic_fail(r->message, rc,
		"%s could not be given back to %s: %s; `dmesg | tail` tells more. Its journal "
		"stays: "
		"dpfetch nic restore %s tries again",
		r->address, driver, strerror(-rc), r->address);
}

static int
give_back(const struct restoring *r)
{
	char now[NIC_NAME_MAX], boot[NIC_NAME_MAX];
	int rc;

	nic_boot_id(r->system, boot);
	if (!nic_driver_of(r->system, r->address, now) || strcmp(boot, text_of(r, "boot_id")) != 0)
		return 0; /* unplugged, or the machine was started anew: the binding is gone */
	rc = take_from_user(r, now);
	if (rc == 0)
		rc = give_to_driver(r);
	if (rc != 0)
		return rc;
	restore_switch(r);
	if (json_array_size(json_object_get(r->journal, "interfaces")) > 0)
		restore_in_namespace(r);
	return 0;
}

int
nic_restore_locked(const struct nic_system *s, const char *address, nic_say_fn say, void *say_ctx,
	char *message)
{
	struct restoring r = {.system = s,
		.address = address,
		.say = say,
		.say_ctx = say_ctx,
		.message = message};
	char path[NIC_PATH_MAX];
	int rc = nic_journal_read(s, address, &r.journal);

	nic_journal_path(s, address, path);
	if (rc == -ENOENT)
		return nic_fail(message, rc,
			"%s has no journal: no dpfetch has bound it, or it was given back; "
			"`dpfetch nic "
			"list` shows its driver",
			address);
	if (rc != 0)
		return nic_fail(message, rc,
			"the journal %s cannot be read (%s); the device can be given back without "
			"its "
			"interface's settings: remove the journal, and echo %s to the driver's "
			"bind in "
			"/sys/bus/pci/drivers",
			path, strerror(-rc), address);
	rc = give_back(&r);
	if (rc == 0)
		rc = nic_journal_remove(s, address);
	json_decref(r.journal);
	return rc;
}

int
nic_restore(const struct nic_system *s, const char *address, nic_say_fn say, void *say_ctx,
	char *message)
{
	pid_t pid = 0;
	int lock, rc;

	rc = nic_journal_lock(s, address, &lock, &pid);
	if (rc != 0)
		return nic_explain_lock(address, rc, (int)pid, message);
	rc = nic_restore_locked(s, address, say, say_ctx, message);
	nic_journal_unlock(s, address, lock);
	return rc;
}

static bool
is_abandoned(const struct nic_system *s, const char *address)
{
	json_t *journal;
	bool kept;

	if (nic_journal_read(s, address, &journal) != 0)
		return false;
	kept = json_is_true(json_object_get(journal, "keep"));
	json_decref(journal);
	return !kept;
}

uint32_t
nic_restore_abandoned(const struct nic_system *s, const char *except, nic_say_fn say, void *say_ctx)
{
	char list[NIC_JOURNALS_MAX][NIC_NAME_MAX], message[NIC_MESSAGE_MAX];
	int i, n = nic_journal_list(s, list), rc;
	uint32_t failed = 0;

	for (i = 0; i < n; i++) {
		if ((except != NULL && strcmp(list[i], except) == 0) || !is_abandoned(s, list[i]))
			continue;
		rc = nic_restore(s, list[i], say, say_ctx, message);
		if (rc == -EBUSY)
			continue; /* its program runs */
		if (rc == 0)
			(void)snprintf(message, sizeof(message),
				"%.63s, which a dpfetch had left bound that did not come to its "
				"end, was "
				"given back",
				list[i]);
		failed += rc != 0;
		say(say_ctx, message);
	}
	return failed;
}
