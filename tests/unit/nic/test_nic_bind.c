/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "nic_bind.h"
#include "nic_driver.h"
#include "nic_journal.h"
#include "nic_tree.h"

#define NIC "0000:00:10.0"
#define OTHER "0000:00:10.1"
#define STEPS_MAX 100U

/* What the program told the user, one line each. */
struct said {
	char text[4096];
};

static void
say(void *ctx, const char *text)
{
	struct said *s = ctx;

	strncat(s->text, text, sizeof(s->text) - strlen(s->text) - 2);
	strcat(s->text, "\n");
}

static struct nic_dpdk_driver
dpdk(void *ctx, const struct nic_pci_id *id)
{
	(void)ctx;
	if (id->vendor == 0x8086)
		return (struct nic_dpdk_driver){"net_e1000_em", false};
	if (id->vendor == 0x15b3)
		return (struct nic_dpdk_driver){"mlx5_eth", true};
	return (struct nic_dpdk_driver){.name = ""};
}

static const struct nic_inventory_config inventory_config = {.dpdk = dpdk};

static json_t *
state_of_eth1(void)
{
	return json_pack(
		"{s:i, s:b, s:[s]}", "mtu", 1400, "up", true, "addresses", "198.18.0.1/24");
}

/* One NIC with a configured interface, in a group of its own. */
static int
make(void **state)
{
	static struct nic_tree tree;
	const struct nic_tree_pci nic = {NIC, "e1000e", "0x8086", "0x10d3", "0x020000", -1, 4};

	nic_tree_make(&tree);
	nic_tree_pci(&tree, &nic);
	nic_tree_interface(&tree, "eth1", "e1000e", NIC);
	nic_tree_state_set(&tree, "eth1", state_of_eth1());
	nic_tree_file(&tree, "/proc/sys/kernel/random/boot_id", "this-boot\n");
	nic_tree_file(&tree, "/run/none", "");
	*state = &tree;
	return 0;
}

static int
unmake(void **state)
{
	nic_tree_remove(*state);
	return 0;
}

static struct nic_bind_config
config(struct said *said)
{
	static struct said nowhere;

	if (said != NULL)
		said->text[0] = '\0';
	return (struct nic_bind_config){
		.address = NIC,
		.driver = "vfio-pci",
		.inventory = &inventory_config,
		.say = say,
		.say_ctx = said != NULL ? said : &nowhere,
	};
}

static void
expect_driver(const struct nic_tree *t, const char *wanted)
{
	char driver[NIC_NAME_MAX];

	assert_true(nic_driver_of(&t->system, NIC, driver));
	assert_string_equal(driver, wanted);
}

static void
expect_override(const struct nic_tree *t, const char *wanted)
{
	char path[NIC_PATH_MAX], text[64] = "";
	FILE *file;

	nic_system_path(&t->system, path, "/sys/bus/pci/devices/" NIC "/driver_override");
	file = fopen(path, "re");
	assert_non_null(file);
	assert_non_null(fgets(text, sizeof(text), file));
	(void)fclose(file);
	text[strcspn(text, "\n")] = '\0';
	assert_string_equal(text, wanted);
}

static bool
journal_is_there(const struct nic_tree *t)
{
	char path[NIC_PATH_MAX];

	nic_journal_path(&t->system, NIC, path);
	return access(path, F_OK) == 0;
}

/* Nothing tells that it was ever bound. */
static void
expect_as_before(const struct nic_tree *t)
{
	json_t *wanted = state_of_eth1(), *now = nic_tree_state(t, "eth1");
	char path[NIC_PATH_MAX];

	expect_driver(t, "e1000e");
	expect_override(t, "(null)");
	json_object_del(now, "name");
	assert_true(json_equal(wanted, now));
	json_decref(wanted);
	json_decref(now);
	nic_system_path(&t->system, path, "/run/dpfetch");
	assert_int_equal(access(path, F_OK), -1);
}

static void
bind_or_fail(struct nic_tree *t, const struct nic_bind_config *cfg, struct nic_hold *hold)
{
	char message[NIC_MESSAGE_MAX] = "";

	if (nic_bind(&t->system, cfg, hold, message) != 0)
		fail_msg("%s", message);
}

/* It is refused with a message that says all of these, and nothing was changed. */
static void
expect_refusal(struct nic_tree *t, const struct nic_bind_config *cfg, const char *first,
	const char *second)
{
	char message[NIC_MESSAGE_MAX] = "";
	struct nic_hold hold = {.lock = -1};

	assert_true(nic_bind(&t->system, cfg, &hold, message) < 0);
	if (strstr(message, first) == NULL || strstr(message, second) == NULL)
		fail_msg("'%s' lacks '%s' or '%s'", message, first, second);
	assert_int_equal(hold.lock, -1);
	expect_as_before(t);
}

static void
test_bind_and_end_leaves_all_as_it_was(void **state)
{
	struct nic_tree *t = *state;
	char message[NIC_MESSAGE_MAX];
	struct said said;
	struct nic_bind_config cfg = config(&said);
	struct nic_hold hold;

	bind_or_fail(t, &cfg, &hold);
	expect_driver(t, "vfio-pci");
	expect_override(t, "vfio-pci");
	assert_true(journal_is_there(t));
	assert_true(hold.restore);
	assert_int_equal(nic_hold_end(&t->system, &hold, say, &said, message), 0);
	assert_string_equal(said.text, "");
	expect_as_before(t);
	assert_int_equal(nic_hold_end(&t->system, &hold, say, &said, message), 0);
}

static void
test_bind_uio_takes_a_device_without_iommu(void **state)
{
	struct nic_tree *t = *state;
	const struct nic_tree_pci nic = {OTHER, "e1000e", "0x8086", "0x10d3", "0x020000", -1, -1};
	char message[NIC_MESSAGE_MAX], driver[NIC_NAME_MAX];
	struct nic_bind_config cfg = config(NULL);
	struct nic_hold hold;

	nic_tree_pci(t, &nic);
	nic_tree_interface(t, "eth2", "e1000e", OTHER);
	nic_tree_state_set(t, "eth2", json_object());
	cfg.address = OTHER;
	cfg.driver = "uio_pci_generic";
	bind_or_fail(t, &cfg, &hold);
	assert_true(nic_driver_of(&t->system, OTHER, driver));
	assert_string_equal(driver, "uio_pci_generic");
	assert_int_equal(nic_hold_end(&t->system, &hold, say, cfg.say_ctx, message), 0);
	expect_as_before(t);
}

/* Binds and gives back, and dies before change number `at`. How it ended. */
static int
run_and_die(struct nic_tree *t, uint32_t at)
{
	char message[NIC_MESSAGE_MAX];
	struct nic_bind_config cfg = config(NULL);
	struct nic_hold hold;
	int status;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		t->steps = 0;
		t->die_at = at;
		if (nic_bind(&t->system, &cfg, &hold, message) != 0)
			_exit(1);
		_exit(nic_hold_end(&t->system, &hold, say, cfg.say_ctx, message) == 0 ? 0 : 2);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int
restore_and_die(struct nic_tree *t, uint32_t at)
{
	char message[NIC_MESSAGE_MAX];
	struct said said = {.text = ""};
	int status;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		t->steps = 0;
		t->die_at = at;
		_exit(nic_restore(&t->system, NIC, say, &said, message) == 0 ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void
test_bind_killed_before_any_change_is_undone_by_restore(void **state)
{
	struct nic_tree *t = *state;
	char message[NIC_MESSAGE_MAX];
	struct said said = {.text = ""};
	uint32_t at;

	for (at = 1; at < STEPS_MAX && run_and_die(t, at) == TREE_DEATH; at++) {
		assert_true(journal_is_there(t));
		if (nic_restore(&t->system, NIC, say, &said, message) != 0)
			fail_msg("after change %u: %s", at, message);
		expect_as_before(t);
	}
	assert_in_range(at, 8, STEPS_MAX - 1); /* three to bind, five back */
	expect_as_before(t);
	assert_string_equal(said.text, "");
}

static void
test_restore_killed_before_any_change_is_finished_by_the_next(void **state)
{
	struct nic_tree *t = *state;
	char message[NIC_MESSAGE_MAX];
	struct said said = {.text = ""};
	uint32_t at, again;

	for (at = 1; at <= 4; at++) {
		for (again = 1; again < STEPS_MAX; again++) {
			assert_int_equal(run_and_die(t, at), TREE_DEATH);
			if (restore_and_die(t, again) != TREE_DEATH)
				break;
			assert_int_equal(nic_restore(&t->system, NIC, say, &said, message), 0);
			expect_as_before(t);
		}
		assert_in_range(again, 2, STEPS_MAX - 1);
		expect_as_before(t);
	}
}

static void
test_restore_without_a_journal_says_so(void **state)
{
	struct nic_tree *t = *state;
	char message[NIC_MESSAGE_MAX];
	struct said said = {.text = ""};

	assert_int_equal(nic_restore(&t->system, NIC, say, &said, message), -ENOENT);
	assert_non_null(strstr(message, "no journal"));
	expect_as_before(t);
}

static void
test_restore_waits_for_an_interface_that_is_late(void **state)
{
	struct nic_tree *t = *state;
	struct nic_bind_config cfg = config(NULL);
	char message[NIC_MESSAGE_MAX];
	struct said said = {.text = ""};
	struct nic_hold hold;

	bind_or_fail(t, &cfg, &hold);
	t->late = 20;
	assert_int_equal(nic_hold_end(&t->system, &hold, say, &said, message), 0);
	assert_string_equal(said.text, "");
	expect_as_before(t);
}

static void
test_restore_without_its_interface_gives_the_device_back_and_says_so(void **state)
{
	struct nic_tree *t = *state;
	struct nic_bind_config cfg = config(NULL);
	char message[NIC_MESSAGE_MAX];
	struct said said = {.text = ""};
	struct nic_hold hold;

	bind_or_fail(t, &cfg, &hold);
	t->late = 1000000;
	assert_int_equal(nic_hold_end(&t->system, &hold, say, &said, message), 0);
	assert_non_null(strstr(said.text, "eth1 did not come back"));
	expect_driver(t, "e1000e");
	assert_false(journal_is_there(t));
}

static void
test_restore_of_a_device_in_use_changes_nothing(void **state)
{
	struct nic_tree *t = *state;
	struct nic_bind_config cfg = config(NULL);
	char message[NIC_MESSAGE_MAX];
	struct said said = {.text = ""};
	struct nic_hold hold;

	bind_or_fail(t, &cfg, &hold);
	t->busy = true;
	assert_int_equal(nic_hold_end(&t->system, &hold, say, &said, message), -EBUSY);
	assert_non_null(strstr(message, "in use"));
	expect_driver(t, "vfio-pci");
	assert_true(journal_is_there(t));
	t->busy = false;
	nic_tree_file(t, "/proc/4711/comm", "testpmd\n");
	nic_tree_link(t, "/proc/4711/fd/9", "/dev/vfio/4");
	assert_int_equal(nic_restore(&t->system, NIC, say, &said, message), -EBUSY);
	assert_non_null(strstr(message, "testpmd (process 4711); end that"));
	nic_tree_link(t, "/sys/kernel/iommu_groups/4/devices/" OTHER, "../../../../devices");
	assert_int_equal(nic_restore(&t->system, NIC, say, &said, message), -EBUSY);
	assert_non_null(strstr(message, "testpmd (process 4711), which has IOMMU group 4; end"));
	nic_tree_link(t, "/proc/4711/fd/9", "/dev/vfio/5");
	assert_int_equal(nic_restore(&t->system, NIC, say, &said, message), 0);
	expect_as_before(t);
}

static void
test_restore_of_an_earlier_boot_touches_only_the_journal(void **state)
{
	struct nic_tree *t = *state;
	struct nic_bind_config cfg = config(NULL);
	char message[NIC_MESSAGE_MAX];
	struct said said = {.text = ""};
	struct nic_hold hold;
	uint32_t steps;

	cfg.keep = true;
	bind_or_fail(t, &cfg, &hold);
	assert_int_equal(nic_hold_end(&t->system, &hold, say, &said, message), 0);
	nic_tree_file(t, "/proc/sys/kernel/random/boot_id", "next-boot\n");
	steps = t->steps;
	assert_int_equal(nic_restore(&t->system, NIC, say, &said, message), 0);
	assert_int_equal(t->steps, steps);
	assert_false(journal_is_there(t));
}

static void
test_bind_device_without_driver_is_left_without_one(void **state)
{
	struct nic_tree *t = *state;
	const struct nic_tree_pci nic = {OTHER, NULL, "0x8086", "0x10d3", "0x020000", -1, 5};
	char message[NIC_MESSAGE_MAX], driver[NIC_NAME_MAX];
	struct nic_bind_config cfg = config(NULL);
	struct nic_hold hold;

	nic_tree_pci(t, &nic);
	cfg.address = OTHER;
	bind_or_fail(t, &cfg, &hold);
	assert_int_equal(nic_hold_end(&t->system, &hold, say, cfg.say_ctx, message), 0);
	assert_true(nic_driver_of(&t->system, OTHER, driver));
	assert_string_equal(driver, "");
}

static void
test_bind_kept_device_stays_until_restore_is_asked_for(void **state)
{
	struct nic_tree *t = *state;
	char message[NIC_MESSAGE_MAX];
	struct said said;
	struct nic_bind_config cfg = config(&said);
	struct nic_hold hold;

	cfg.keep = true;
	bind_or_fail(t, &cfg, &hold);
	assert_int_equal(nic_hold_end(&t->system, &hold, say, &said, message), 0);
	expect_driver(t, "vfio-pci");
	assert_int_equal(nic_restore_abandoned(&t->system, NULL, say, &said), 0);
	expect_driver(t, "vfio-pci");
	cfg.keep = false; /* a transfer over what `nic bind` bound */
	bind_or_fail(t, &cfg, &hold);
	assert_false(hold.restore);
	assert_int_equal(nic_hold_end(&t->system, &hold, say, &said, message), 0);
	expect_driver(t, "vfio-pci");
	assert_string_equal(said.text, "");
	assert_int_equal(nic_restore(&t->system, NIC, say, &said, message), 0);
	expect_as_before(t);
}

static void
test_bind_device_kept_on_another_driver_is_taken_as_it_is_or_bound_anew(void **state)
{
	struct nic_tree *t = *state;
	char message[NIC_MESSAGE_MAX];
	struct said said;
	struct nic_bind_config cfg = config(&said);
	struct nic_hold hold;

	cfg.driver = "uio_pci_generic";
	cfg.keep = true;
	bind_or_fail(t, &cfg, &hold);
	assert_string_equal(hold.driver, "uio_pci_generic");
	assert_int_equal(nic_hold_end(&t->system, &hold, say, &said, message), 0);
	cfg.driver = "vfio-pci";
	cfg.keep = false;
	cfg.as_bound = true; /* a transfer */
	bind_or_fail(t, &cfg, &hold);
	assert_string_equal(hold.driver, "uio_pci_generic");
	assert_false(hold.restore);
	assert_int_equal(nic_hold_end(&t->system, &hold, say, &said, message), 0);
	expect_driver(t, "uio_pci_generic");
	cfg.keep = true;
	cfg.as_bound = false; /* nic bind */
	bind_or_fail(t, &cfg, &hold);
	assert_string_equal(hold.driver, "vfio-pci");
	assert_int_equal(nic_hold_end(&t->system, &hold, say, &said, message), 0);
	assert_int_equal(nic_restore(&t->system, NIC, say, &said, message), 0);
	expect_as_before(t);
}

static void
test_bind_device_that_a_killed_program_left_is_taken_over(void **state)
{
	struct nic_tree *t = *state;
	char message[NIC_MESSAGE_MAX];
	struct said said;
	struct nic_bind_config cfg = config(&said);
	struct nic_hold hold;

	assert_int_equal(run_and_die(t, 4), TREE_DEATH); /* while it was in use */
	expect_driver(t, "vfio-pci");
	bind_or_fail(t, &cfg, &hold);
	assert_non_null(strstr(said.text, "taken over"));
	assert_true(hold.restore);
	assert_int_equal(nic_hold_end(&t->system, &hold, say, &said, message), 0);
	expect_as_before(t);
	assert_int_equal(run_and_die(t, 2), TREE_DEATH); /* between the drivers */
	expect_driver(t, "");
	bind_or_fail(t, &cfg, &hold);
	expect_driver(t, "vfio-pci");
	assert_int_equal(nic_hold_end(&t->system, &hold, say, &said, message), 0);
	expect_as_before(t);
}

static void
test_restore_abandoned_gives_back_what_was_left_but_for_the_exception(void **state)
{
	struct nic_tree *t = *state;
	struct said said = {.text = ""};

	assert_int_equal(run_and_die(t, 4), TREE_DEATH);
	assert_int_equal(nic_restore_abandoned(&t->system, NIC, say, &said), 0);
	expect_driver(t, "vfio-pci");
	assert_int_equal(nic_restore_abandoned(&t->system, NULL, say, &said), 0);
	assert_non_null(strstr(said.text, NIC ", which a dpfetch had left bound"));
	expect_as_before(t);
}

/* A child holds the device until it reads the end of a pipe. */
static pid_t
start_holder(struct nic_tree *t, int *ret_end)
{
	struct nic_bind_config cfg = config(NULL);
	char message[NIC_MESSAGE_MAX], byte = 'x';
	int ready[2], end[2];
	struct nic_hold hold;
	pid_t child;

	assert_int_equal(pipe(ready), 0);
	assert_int_equal(pipe(end), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		close(end[1]);
		if (nic_bind(&t->system, &cfg, &hold, message) != 0 ||
			write(ready[1], &byte, 1) != 1)
			_exit(1);
		_exit(read(end[0], &byte, 1) == 0 ? 0 : 1);
	}
	close(end[0]);
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	*ret_end = end[1];
	return child;
}

static void
test_bind_device_of_a_running_program_is_refused_to_others(void **state)
{
	struct nic_tree *t = *state;
	struct nic_bind_config cfg = config(NULL);
	char message[NIC_MESSAGE_MAX], pid[32];
	struct said said = {.text = ""};
	struct nic_hold hold;
	int end, status;
	pid_t child = start_holder(t, &end);

	snprintf(pid, sizeof(pid), "process %d", (int)child);
	assert_int_equal(nic_bind(&t->system, &cfg, &hold, message), -EBUSY);
	assert_non_null(strstr(message, pid));
	assert_int_equal(nic_restore(&t->system, NIC, say, &said, message), -EBUSY);
	assert_non_null(strstr(message, pid));
	assert_int_equal(nic_restore_abandoned(&t->system, NULL, say, &said), 0);
	assert_string_equal(said.text, "");
	expect_driver(t, "vfio-pci");
	close(end);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	assert_int_equal(nic_restore(&t->system, NIC, say, &said, message), 0);
	expect_as_before(t);
}

static void
test_bind_nic_of_the_default_route_is_refused_unless_named(void **state)
{
	struct nic_tree *t = *state;
	struct nic_bind_config cfg = config(NULL);
	char message[NIC_MESSAGE_MAX];
	struct nic_hold hold;

	nic_tree_file(t, "/proc/net/route",
		"eth1\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n");
	expect_refusal(t, &cfg, "eth1 carries the default route", "--force " NIC);
	cfg.force = OTHER;
	expect_refusal(t, &cfg, "eth1 carries the default route", "--force " NIC);
	assert_true(nic_bind_check(&t->system, &cfg, message) < 0);
	cfg.force = NIC;
	assert_int_equal(nic_bind_check(&t->system, &cfg, message), 0);
	bind_or_fail(t, &cfg, &hold);
	assert_int_equal(nic_hold_end(&t->system, &hold, say, cfg.say_ctx, message), 0);
	expect_as_before(t);
}

static void
test_bind_nic_of_an_ssh_session_is_refused_unless_named(void **state)
{
	struct nic_tree *t = *state;
	const struct nic_inventory_config inventory = {
		.dpdk = dpdk, .ssh_connection = "192.0.2.7 50022 192.0.2.2 22"};
	struct nic_bind_config cfg = config(NULL);
	char message[NIC_MESSAGE_MAX];

	nic_tree_address(t, "eth1", "192.0.2.2");
	cfg.inventory = &inventory;
	expect_refusal(t, &cfg, "an SSH session from 192.0.2.7", "--force " NIC);
	cfg.force = NIC;
	assert_int_equal(nic_bind_check(&t->system, &cfg, message), 0);
}

static void
test_bind_nic_with_something_on_it_is_refused_unless_named(void **state)
{
	struct nic_tree *t = *state;
	struct nic_bind_config cfg = config(NULL);
	char message[NIC_MESSAGE_MAX];

	nic_tree_stack(t, "eth1", "eth1.5");
	expect_refusal(t, &cfg, "eth1.5 stands on", "--force " NIC);
	cfg.force = NIC;
	assert_int_equal(nic_bind_check(&t->system, &cfg, message), 0);
}

static void
test_bind_group_that_is_not_viable_is_refused_with_its_members(void **state)
{
	struct nic_tree *t = *state;
	const struct nic_tree_pci bridge = {
		"0000:00:02.0", "other-bridge", "0x8086", "0x1", "0x060400", -1, 4};
	const struct nic_tree_pci other = {OTHER, "e1000e", "0x8086", "0x10d3", "0x020000", -1, 4};
	const char *const together[] = {NIC, OTHER};
	struct nic_bind_config cfg = config(NULL);
	char message[NIC_MESSAGE_MAX];

	nic_tree_pci(t, &bridge);
	assert_int_equal(nic_bind_check(&t->system, &cfg, message), 0);
	nic_tree_pci(t, &other);
	expect_refusal(t, &cfg, "IOMMU group 4", OTHER " (e1000e)");
	expect_refusal(t, &cfg, OTHER, "sudo dpfetch nic bind " NIC " " OTHER);
	assert_int_equal(nic_bind_check(&t->system, &cfg, message), -EBUSY);
	assert_null(strstr(message, "other-bridge"));
	assert_null(strstr(message, "driver/unbind"));
	cfg.together = together;
	cfg.together_count = 2;
	assert_int_equal(nic_bind_check(&t->system, &cfg, message), 0);
}

static void
test_bind_group_with_what_is_no_nic_says_how_to_free_it(void **state)
{
	struct nic_tree *t = *state;
	const struct nic_tree_pci sound = {
		"0000:05:00.3", "snd_hda_intel", "0x8086", "0x1", "0x040300", -1, 4};
	const struct nic_tree_pci other = {OTHER, "e1000e", "0x8086", "0x10d3", "0x020000", -1, 4};
	struct nic_bind_config cfg = config(NULL);
	char message[NIC_MESSAGE_MAX];

	nic_tree_pci(t, &sound);
	expect_refusal(t, &cfg, "0000:05:00.3 (snd_hda_intel)",
		"echo 0000:05:00.3 | sudo tee /sys/bus/pci/devices/0000:05:00.3/driver/unbind");
	assert_int_equal(nic_bind_check(&t->system, &cfg, message), -EBUSY);
	assert_null(strstr(message, "nic bind"));
	nic_tree_pci(t, &other);
	expect_refusal(t, &cfg, "driver/unbind", "sudo dpfetch nic bind " NIC " " OTHER);
}

/* Feature bits 0 to 39, of which 32 (VERSION_1) and 33 (ACCESS_PLATFORM) are told. */
static void
set_features(const struct nic_tree *t, const char *bits_32_33)
{
	char text[64];

	snprintf(text, sizeof(text), "11000000000000000000000000000000%s000000\n", bits_32_33);
	nic_tree_file(t, "/sys/bus/pci/devices/" NIC "/virtio2/features", text);
}

static void
test_bind_virtio_that_goes_past_the_iommu_is_refused(void **state)
{
	struct nic_tree *t = *state;
	struct nic_bind_config cfg = config(NULL);
	char message[NIC_MESSAGE_MAX];

	set_features(t, "11");
	assert_int_equal(nic_bind_check(&t->system, &cfg, message), 0);
	set_features(t, "10");
	expect_refusal(t, &cfg, "virtio NIC behind an IOMMU", "iommu_platform=on");
	set_features(t, "00"); /* a legacy one */
	expect_refusal(t, &cfg, "ACCESS_PLATFORM", "disable-legacy=on");
	cfg.force = NIC;
	assert_int_equal(nic_bind_check(&t->system, &cfg, message), 0);
}

static void
test_bind_to_uio_behind_an_iommu_that_translates_is_refused(void **state)
{
	struct nic_tree *t = *state;
	struct nic_bind_config cfg = config(NULL);
	char message[NIC_MESSAGE_MAX];

	cfg.driver = "uio_pci_generic";
	nic_tree_file(t, "/sys/kernel/iommu_groups/4/type", "DMA-FQ\n");
	expect_refusal(t, &cfg, "behind an IOMMU", "vfio-pci");
	nic_tree_file(t, "/sys/kernel/iommu_groups/4/type", "identity\n");
	assert_int_equal(nic_bind_check(&t->system, &cfg, message), 0);
}

static void
test_bind_nic_with_virtual_functions_is_refused_unless_named(void **state)
{
	struct nic_tree *t = *state;
	struct nic_bind_config cfg = config(NULL);
	char message[NIC_MESSAGE_MAX];

	nic_tree_file(t, "/sys/bus/pci/devices/" NIC "/sriov_numvfs", "0\n");
	assert_int_equal(nic_bind_check(&t->system, &cfg, message), 0);
	nic_tree_file(t, "/sys/bus/pci/devices/" NIC "/sriov_numvfs", "4\n");
	expect_refusal(t, &cfg, "4 virtual functions", "--force " NIC);
	cfg.force = NIC;
	assert_int_equal(nic_bind_check(&t->system, &cfg, message), 0);
}

/* Takes the NIC out of its group. */
static void
remove_iommu(const struct nic_tree *t)
{
	char path[NIC_PATH_MAX];

	nic_system_path(&t->system, path, "/sys/bus/pci/devices/" NIC "/iommu_group");
	assert_int_equal(unlink(path), 0);
}

static void
test_bind_without_iommu_is_refused_unless_asked_for(void **state)
{
	struct nic_tree *t = *state;
	struct nic_bind_config cfg = config(NULL);
	char message[NIC_MESSAGE_MAX], path[NIC_PATH_MAX];
	struct nic_hold hold;

	remove_iommu(t);
	expect_refusal(t, &cfg, "no IOMMU group", "intel_iommu=on");
	cfg.no_iommu = true;
	expect_refusal(t, &cfg, "CONFIG_VFIO_NOIOMMU", "uio_pci_generic");
	nic_tree_file(t, "/sys/module/vfio/parameters/enable_unsafe_noiommu_mode", "N\n");
	bind_or_fail(t, &cfg, &hold);
	nic_system_path(&t->system, path, "/sys/module/vfio/parameters/enable_unsafe_noiommu_mode");
	assert_int_equal(access(path, F_OK), 0);
	expect_driver(t, "vfio-pci");
	assert_int_equal(nic_hold_end(&t->system, &hold, say, cfg.say_ctx, message), 0);
	expect_as_before(t);
}

static void
test_bind_failures_name_cause_and_remedy(void **state)
{
	struct nic_tree *t = *state;
	struct nic_bind_config cfg = config(NULL);

	t->load_errno = ENOENT;
	expect_refusal(t, &cfg, "no module vfio-pci", "modprobe vfio-pci");
	t->load_errno = EPERM;
	expect_refusal(t, &cfg, "no permission", "sudo");
	t->load_errno = EKEYREJECTED;
	expect_refusal(t, &cfg, "Secure Boot", "vfio-pci");
	t->load_errno = 0;
	t->refuse = "/vfio-pci/bind";
	t->refuse_errno = EINVAL;
	expect_refusal(t, &cfg, "could not be bound to vfio-pci: Invalid argument",
		"given back to e1000e");
	t->refuse = "driver_override";
	t->refuse_errno = EROFS;
	nic_tree_file(t, "/sys/kernel/security/lockdown", "none [integrity] confidentiality\n");
	cfg.driver = "uio_pci_generic";
	expect_refusal(t, &cfg, "locked down", "vfio-pci with an IOMMU");
}

static void
test_bind_absent_or_other_devices_are_refused(void **state)
{
	struct nic_tree *t = *state;
	const struct nic_tree_pci disk = {OTHER, "ahci", "0x8086", "0x2922", "0x010601", -1, 5};
	struct nic_bind_config cfg = config(NULL);

	nic_tree_pci(t, &disk);
	cfg.address = OTHER;
	expect_refusal(t, &cfg, "not a network device", "dpfetch nic list");
	cfg.address = "0000:77:00.0";
	expect_refusal(t, &cfg, "no PCI device", "dpfetch nic list");
}

static void
test_bind_device_that_dpdk_does_not_know_is_refused(void **state)
{
	struct nic_tree *t = *state;
	const struct nic_tree_pci nic = {OTHER, "8139too", "0x10ec", "0x8139", "0x020000", -1, 5};
	struct nic_bind_config cfg = config(NULL);

	nic_tree_pci(t, &nic);
	cfg.address = OTHER;
	expect_refusal(t, &cfg, "no driver for it", "by name");
}

static void
test_bind_nic_whose_interface_is_elsewhere_is_refused_unless_named(void **state)
{
	struct nic_tree *t = *state;
	struct nic_bind_config cfg = config(NULL);
	char message[NIC_MESSAGE_MAX];
	struct nic_hold hold;

	t->late = 1; /* not seen here */
	expect_refusal(t, &cfg, "not in this network namespace", "ip netns exec");
	cfg.force = NIC;
	bind_or_fail(t, &cfg, &hold);
	assert_int_equal(nic_hold_end(&t->system, &hold, say, cfg.say_ctx, message), 0);
	expect_driver(t, "e1000e");
}

static void
expect_nothing_to_do(struct nic_tree *t, const struct nic_bind_config *cfg, const char *why)
{
	char message[NIC_MESSAGE_MAX];
	struct nic_hold hold = {.lock = -1};
	uint32_t steps = t->steps;

	assert_int_equal(nic_bind_check(&t->system, cfg, message), 1);
	assert_int_equal(nic_bind(&t->system, cfg, &hold, message), 1);
	assert_non_null(strstr(message, why));
	assert_int_equal(hold.lock, -1);
	assert_int_equal(t->steps, steps);
}

static void
test_bind_bifurcated_or_bound_device_is_left_alone(void **state)
{
	struct nic_tree *t = *state;
	const struct nic_tree_pci mlx = {OTHER, "mlx5_core", "0x15b3", "0x1017", "0x020000", -1, 5};
	const struct nic_tree_pci bound = {
		"0000:00:11.0", "vfio-pci", "0x8086", "0x10d3", "0x020000", -1, 6};
	const struct nic_tree_pci beside = {
		"0000:00:11.1", "e1000e", "0x8086", "0x10d3", "0x020000", -1, 6};
	struct nic_bind_config cfg = config(NULL);
	char message[NIC_MESSAGE_MAX];

	nic_tree_pci(t, &mlx);
	nic_tree_pci(t, &bound);
	cfg.address = OTHER;
	expect_nothing_to_do(t, &cfg, "nothing to bind");
	cfg.address = "0000:00:11.0";
	expect_nothing_to_do(t, &cfg, "bound to vfio-pci already");
	nic_tree_pci(t, &beside);
	assert_int_equal(nic_bind_check(&t->system, &cfg, message), -EBUSY);
	assert_non_null(strstr(message, "0000:00:11.1 (e1000e)"));
	expect_as_before(t);
}

static void
test_journal_that_others_could_write_or_that_is_broken_is_not_believed(void **state)
{
	struct nic_tree *t = *state;
	struct nic_bind_config cfg = config(NULL);
	char message[NIC_MESSAGE_MAX], path[NIC_PATH_MAX];
	struct said said = {.text = ""};
	struct nic_hold hold;
	uint32_t steps;

	cfg.keep = true;
	bind_or_fail(t, &cfg, &hold);
	assert_int_equal(nic_hold_end(&t->system, &hold, say, &said, message), 0);
	nic_journal_path(&t->system, NIC, path);
	steps = t->steps;
	assert_int_equal(chmod(path, 0666), 0);
	assert_int_equal(nic_restore(&t->system, NIC, say, &said, message), -EPERM);
	assert_non_null(strstr(message, path));
	assert_int_equal(chmod(path, 0600), 0);
	assert_int_equal(truncate(path, 100), 0);
	assert_int_equal(nic_restore(&t->system, NIC, say, &said, message), -EBADMSG);
	assert_int_equal(nic_bind(&t->system, &cfg, &hold, message), -EBADMSG);
	assert_int_equal(t->steps, steps);
	expect_driver(t, "vfio-pci");
}

static void
test_journal_is_its_owners_alone_and_complete(void **state)
{
	struct nic_tree *t = *state;
	struct nic_bind_config cfg = config(NULL);
	char message[NIC_MESSAGE_MAX], path[NIC_PATH_MAX], list[NIC_JOURNALS_MAX][NIC_NAME_MAX];
	struct nic_hold hold;
	json_t *journal;
	struct stat st;

	bind_or_fail(t, &cfg, &hold);
	nic_journal_path(&t->system, NIC, path);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	nic_system_path(&t->system, path, NIC_JOURNAL_FOLDER);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	nic_tree_file(t, NIC_JOURNAL_FOLDER "/0000:00:1f.0.next", "{"); /* cut short by a crash */
	assert_int_equal(nic_journal_list(&t->system, list), 1);
	assert_string_equal(list[0], NIC);
	assert_int_equal(nic_journal_read(&t->system, NIC, &journal), 0);
	assert_string_equal(json_string_value(json_object_get(journal, "driver")), "e1000e");
	assert_string_equal(json_string_value(json_object_get(journal, "bound_to")), "vfio-pci");
	assert_int_equal(json_integer_value(json_object_get(
				 json_array_get(json_object_get(journal, "interfaces"), 0), "mtu")),
		1400);
	json_decref(journal);
	assert_int_equal(nic_hold_end(&t->system, &hold, say, cfg.say_ctx, message), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, unmake)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_bind_and_end_leaves_all_as_it_was),
		TEST(test_bind_uio_takes_a_device_without_iommu),
		TEST(test_bind_killed_before_any_change_is_undone_by_restore),
		TEST(test_restore_killed_before_any_change_is_finished_by_the_next),
		TEST(test_restore_without_a_journal_says_so),
		TEST(test_restore_waits_for_an_interface_that_is_late),
		TEST(test_restore_without_its_interface_gives_the_device_back_and_says_so),
		TEST(test_restore_of_a_device_in_use_changes_nothing),
		TEST(test_restore_of_an_earlier_boot_touches_only_the_journal),
		TEST(test_bind_device_without_driver_is_left_without_one),
		TEST(test_bind_kept_device_stays_until_restore_is_asked_for),
		TEST(test_bind_device_kept_on_another_driver_is_taken_as_it_is_or_bound_anew),
		TEST(test_bind_device_that_a_killed_program_left_is_taken_over),
		TEST(test_restore_abandoned_gives_back_what_was_left_but_for_the_exception),
		TEST(test_bind_device_of_a_running_program_is_refused_to_others),
		TEST(test_bind_nic_of_the_default_route_is_refused_unless_named),
		TEST(test_bind_nic_of_an_ssh_session_is_refused_unless_named),
		TEST(test_bind_nic_with_something_on_it_is_refused_unless_named),
		TEST(test_bind_group_that_is_not_viable_is_refused_with_its_members),
		TEST(test_bind_virtio_that_goes_past_the_iommu_is_refused),
		TEST(test_bind_group_with_what_is_no_nic_says_how_to_free_it),
		TEST(test_bind_to_uio_behind_an_iommu_that_translates_is_refused),
		TEST(test_bind_nic_with_virtual_functions_is_refused_unless_named),
		TEST(test_bind_without_iommu_is_refused_unless_asked_for),
		TEST(test_bind_failures_name_cause_and_remedy),
		TEST(test_bind_absent_or_other_devices_are_refused),
		TEST(test_bind_device_that_dpdk_does_not_know_is_refused),
		TEST(test_bind_nic_whose_interface_is_elsewhere_is_refused_unless_named),
		TEST(test_bind_bifurcated_or_bound_device_is_left_alone),
		TEST(test_journal_that_others_could_write_or_that_is_broken_is_not_believed),
		TEST(test_journal_is_its_owners_alone_and_complete),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
