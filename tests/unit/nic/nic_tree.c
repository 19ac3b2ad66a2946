/* SPDX-License-Identifier: BSD-3-Clause */
#include <arpa/inet.h>
#include <errno.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "nic_tree.h"

static bool bound_to(const struct nic_tree *t, const char *address, char *driver);

/* One on PCI is there while its device is bound to the driver that makes it, once that has made it. */
static bool
is_there(const struct nic_tree *t, const struct nic_info *link)
{
	char driver[NIC_NAME_MAX];

	if (link->pci_address[0] == '\0')
		return true;
	return bound_to(t, link->pci_address, driver) && strcmp(driver, link->driver) == 0 &&
	       t->pauses >= t->late;
}

static int
each_link(void *ctx, nic_link_fn visit, void *visit_ctx)
{
	const struct nic_tree *t = ctx;
	uint32_t i;

	for (i = 0; i < t->link_count; i++) {
		if (is_there(t, &t->link[i]))
			visit(visit_ctx, &t->link[i]);
	}
	return 0;
}

static bool
address_owner(void *ctx, int family, const uint8_t *address, char *ret_interface)
{
	const struct nic_tree *t = ctx;
	uint32_t i;

	for (i = 0; i < t->owner_count; i++) {
		if (t->owner[i].family == family &&
			memcmp(t->owner[i].address, address, family == 4 ? 4 : 16) == 0) {
			snprintf(ret_interface, NIC_NAME_MAX, "%s", t->owner[i].interface);
			return true;
		}
	}
	return false;
}

/* Each change of the machine counts, and may be the last thing that the process did not do. */
static void
step(struct nic_tree *t)
{
	if (++t->steps == t->die_at)
		_exit(TREE_DEATH);
}

static void
text_of(const struct nic_tree *t, const char *address, const char *name, char *buf, size_t room)
{
	char path[NIC_PATH_MAX];
	FILE *file;

	nic_system_path(&t->system, path, "/sys/bus/pci/devices/%s/%s", address, name);
	file = fopen(path, "re");
	buf[0] = '\0';
	if (file == NULL)
		return;
	if (fgets(buf, (int)room, file) == NULL)
		buf[0] = '\0';
	buf[strcspn(buf, "\n")] = '\0';
	(void)fclose(file);
}

static bool
bound_to(const struct nic_tree *t, const char *address, char *driver)
{
	char path[NIC_PATH_MAX], target[NIC_PATH_MAX];
	ssize_t len;

	nic_system_path(&t->system, path, "/sys/bus/pci/devices/%s/driver", address);
	len = readlink(path, target, sizeof(target) - 1);
	target[len > 0 ? len : 0] = '\0';
	snprintf(driver, NIC_NAME_MAX, "%.63s", len > 0 ? strrchr(target, '/') + 1 : "");
	return len > 0;
}

/* A driver's new interface has nothing of what the old one had been given. */
static void
forget_state(const struct nic_tree *t, const char *address)
{
	uint32_t i;

	for (i = 0; i < t->link_count; i++) {
		if (strcmp(t->link[i].pci_address, address) == 0)
			nic_tree_state_set(t, t->link[i].interface, json_object());
	}
}

static int
unbind(struct nic_tree *t, const char *address, const char *driver)
{
	char now[NIC_NAME_MAX], path[NIC_PATH_MAX];

	if (!bound_to(t, address, now) || strcmp(now, driver) != 0)
		return -ENODEV;
	nic_system_path(&t->system, path, "/sys/bus/pci/devices/%s/driver", address);
	assert_int_equal(unlink(path), 0);
	forget_state(t, address);
	return 0;
}

/* vfio-pci takes what is overridden for it alone, and other drivers what is not. */
static int
bind_device(struct nic_tree *t, const char *address, const char *driver)
{
	char now[NIC_NAME_MAX], override[NIC_NAME_MAX], path[NIC_PATH_MAX], text[NIC_PATH_MAX];
	bool for_users = strcmp(driver, "vfio-pci") == 0 || strcmp(driver, "uio_pci_generic") == 0;

	if (bound_to(t, address, now))
		return -EBUSY;
	text_of(t, address, "driver_override", override, sizeof(override));
	if (strcmp(override, for_users ? driver : "(null)") != 0)
		return -ENODEV;
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/driver", address);
	snprintf(text, sizeof(text), "../../../bus/pci/drivers/%s", driver);
	nic_tree_link(t, path, text);
	t->pauses = 0;
	return 0;
}

static int
tree_write(void *ctx, const char *path, const char *text)
{
	struct nic_tree *t = ctx;
	const char *inside = path + strlen(t->root);
	char driver[NIC_NAME_MAX], what[NIC_NAME_MAX];

	step(t);
	if (t->refuse != NULL && strstr(path, t->refuse) != NULL)
		return -t->refuse_errno;
	if (access(path, F_OK) != 0)
		return -ENOENT;
	if (sscanf(inside, "/sys/bus/pci/drivers/%63[^/]/%63s", driver, what) == 2)
		return strcmp(what, "bind") == 0 ? bind_device(t, text, driver)
						 : unbind(t, text, driver);
	nic_tree_file(t, inside, strcmp(text, "\n") == 0 ? "(null)\n" : text);
	return 0;
}

static int
tree_load_module(void *ctx, const char *name)
{
	struct nic_tree *t = ctx;
	char path[NIC_PATH_MAX];

	if (t->load_errno != 0)
		return -t->load_errno;
	snprintf(path, sizeof(path), "/sys/bus/pci/drivers/%s/bind", name);
	nic_tree_file(t, path, "");
	snprintf(path, sizeof(path), "/sys/bus/pci/drivers/%s/unbind", name);
	nic_tree_file(t, path, "");
	return 0;
}

static int
tree_try_open(void *ctx, const char *path)
{
	const struct nic_tree *t = ctx;

	(void)path;
	return t->busy ? -EBUSY : 0;
}

static void
state_path(const char *interface, char ret[NIC_PATH_MAX])
{
	snprintf(ret, NIC_PATH_MAX, "/state/%s", interface);
}

json_t *
nic_tree_state(const struct nic_tree *t, const char *interface)
{
	char path[NIC_PATH_MAX], whole[NIC_PATH_MAX];
	json_t *state;

	state_path(interface, path);
	nic_system_path(&t->system, whole, "%s", path);
	state = json_load_file(whole, 0, NULL);
	assert_non_null(state);
	return state;
}

void
nic_tree_state_set(const struct nic_tree *t, const char *interface, json_t *state)
{
	char path[NIC_PATH_MAX], *text = json_dumps(state, 0);

	state_path(interface, path);
	nic_tree_file(t, path, text);
	free(text);
	json_decref(state);
}

static int
tree_state_save(void *ctx, const char *interface, json_t **ret)
{
	*ret = nic_tree_state(ctx, interface);
	json_object_set_new(*ret, "name", json_string(interface));
	return 0;
}

/* In two steps, so that it can be cut short. */
static int
tree_state_apply(void *ctx, const char *interface, json_t *state, nic_say_fn say, void *say_ctx)
{
	struct nic_tree *t = ctx;
	json_t *part = json_object();

	(void)say;
	(void)say_ctx;
	json_object_set(part, "mtu", json_object_get(state, "mtu"));
	step(t);
	nic_tree_state_set(t, interface, part);
	step(t);
	nic_tree_state_set(t, interface, json_deep_copy(state));
	return 0;
}

static json_t *
tree_namespace_save(void *ctx)
{
	(void)ctx;
	return json_null();
}

static int
tree_namespace_enter(void *ctx, const json_t *saved, int *ret_before)
{
	(void)ctx;
	assert_true(json_is_null(saved));
	*ret_before = 42;
	return 0;
}

static void
tree_namespace_leave(void *ctx, int before)
{
	(void)ctx;
	assert_int_equal(before, 42);
}

static void
tree_links_fetch(void *ctx, const char *pci_address)
{
	(void)ctx;
	(void)pci_address;
}

static void
tree_pause(void *ctx, uint32_t ms)
{
	struct nic_tree *t = ctx;

	(void)ms;
	t->pauses++;
}

static const struct nic_kernel kernel = {
	.each_link = each_link,
	.address_owner = address_owner,
	.write = tree_write,
	.load_module = tree_load_module,
	.try_open = tree_try_open,
	.state_save = tree_state_save,
	.state_apply = tree_state_apply,
	.namespace_save = tree_namespace_save,
	.namespace_enter = tree_namespace_enter,
	.namespace_leave = tree_namespace_leave,
	.links_fetch = tree_links_fetch,
	.pause = tree_pause,
};

void
nic_tree_make(struct nic_tree *t)
{
	*t = (struct nic_tree){.root = "/tmp/dpfetch-nic-XXXXXX"};
	assert_non_null(mkdtemp(t->root));
	t->system = (struct nic_system){.root = t->root, .kernel = &kernel, .ctx = t};
}

static int
remove_one(const char *path, const struct stat *st, int kind, struct FTW *where)
{
	(void)st;
	(void)kind;
	(void)where;
	return remove(path);
}

void
nic_tree_remove(struct nic_tree *t)
{
	assert_int_equal(nftw(t->root, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

/* The whole path into ret, and the folders that lead to its last part. */
static void
prepare(const struct nic_tree *t, const char *path, char ret[NIC_PATH_MAX])
{
	char *at;

	nic_system_path(&t->system, ret, "%s", path);
	for (at = ret + strlen(t->root) + 1; (at = strchr(at, '/')) != NULL; at++) {
		*at = '\0';
		(void)mkdir(ret, 0755);
		*at = '/';
	}
}

void
nic_tree_file(const struct nic_tree *t, const char *path, const char *text)
{
	char whole[NIC_PATH_MAX];
	FILE *file;

	prepare(t, path, whole);
	file = fopen(whole, "we");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

void
nic_tree_link(const struct nic_tree *t, const char *path, const char *target)
{
	char whole[NIC_PATH_MAX];

	prepare(t, path, whole);
	(void)unlink(whole);
	assert_int_equal(symlink(target, whole), 0);
}

static void
attribute(const struct nic_tree *t, const char *address, const char *name, const char *value)
{
	char path[NIC_PATH_MAX];

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/%s", address, name);
	nic_tree_file(t, path, value);
}

void
nic_tree_pci(const struct nic_tree *t, const struct nic_tree_pci *p)
{
	char path[NIC_PATH_MAX], text[NIC_PATH_MAX];

	attribute(t, p->address, "vendor", p->vendor);
	attribute(t, p->address, "device", p->device);
	attribute(t, p->address, "class", p->class);
	attribute(t, p->address, "subsystem_vendor", "0x1234");
	attribute(t, p->address, "subsystem_device", "0x5678");
	attribute(t, p->address, "driver_override", "(null)\n");
	snprintf(text, sizeof(text), "%d\n", p->numa_node);
	attribute(t, p->address, "numa_node", text);
	if (p->driver != NULL) {
		snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/driver", p->address);
		snprintf(text, sizeof(text), "../../../bus/pci/drivers/%s", p->driver);
		nic_tree_link(t, path, text);
		snprintf(path, sizeof(path), "/sys/bus/pci/drivers/%s/bind", p->driver);
		nic_tree_file(t, path, "");
		snprintf(path, sizeof(path), "/sys/bus/pci/drivers/%s/unbind", p->driver);
		nic_tree_file(t, path, "");
	}
	if (p->iommu_group < 0)
		return;
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/iommu_group", p->address);
	snprintf(text, sizeof(text), "../../../kernel/iommu_groups/%d", p->iommu_group);
	nic_tree_link(t, path, text);
	snprintf(path, sizeof(path), "/sys/kernel/iommu_groups/%d/devices/%s", p->iommu_group,
		p->address);
	nic_tree_link(t, path, "../../../../devices/pci0000:00");
}

struct nic_info *
nic_tree_interface(
	struct nic_tree *t, const char *name, const char *driver, const char *pci_address)
{
	struct nic_info *link = &t->link[t->link_count++];

	assert_true(t->link_count <= TREE_LINKS_MAX);
	*link = (struct nic_info){.mtu = 1500, .ethernet = true, .numa_node = -1};
	snprintf(link->interface, sizeof(link->interface), "%s", name);
	snprintf(link->driver, sizeof(link->driver), "%s", driver);
	snprintf(link->pci_address, sizeof(link->pci_address), "%s", pci_address);
	link->mac[5] = (uint8_t)t->link_count;
	return link;
}

void
nic_tree_address(struct nic_tree *t, const char *interface, const char *address)
{
	uint32_t n = t->owner_count++;

	assert_true(t->owner_count <= TREE_LINKS_MAX);
	t->owner[n].interface = interface;
	t->owner[n].family = strchr(address, ':') != NULL ? 6 : 4;
	assert_int_equal(inet_pton(t->owner[n].family == 4 ? AF_INET : AF_INET6, address,
				 t->owner[n].address),
		1);
}

void
nic_tree_stack(const struct nic_tree *t, const char *lower, const char *upper)
{
	char path[NIC_PATH_MAX];

	snprintf(path, sizeof(path), "/sys/class/net/%s/upper_%s", lower, upper);
	nic_tree_link(t, path, "../upper");
}
