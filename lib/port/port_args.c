/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_pci.h>

#include "port_args.h"
#include "port_priv.h"

#define EAL_OVERHEAD (64ULL << 20) /* what the EAL and the driver take besides our pools */
#define VDEV_MAX 256U /* bytes of one that we make; an interface's name is short */

/* Arguments as they are collected: each ends with a zero byte. */
struct collector {
	FILE *stream;
	int count;
};

static void add(struct collector *c, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void
add(struct collector *c, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vfprintf(c->stream, format, args);
	va_end(args);
	fputc('\0', c->stream);
	c->count++;
}

/* What the pools need; more where the user's vdev string asks for larger frames than the MTU. */
static uint64_t
memory_needed(const struct port_eal_config *cfg)
{
	const char *value = port_argument(cfg->nic, "framesz=");
	uint64_t room = port_vdev_frame_room(cfg->mtu), asked = 0, need = cfg->memory_bytes;

	if (value != NULL)
		asked = RTE_MIN(strtoul(value, NULL, 10), (unsigned long)AF_PACKET_FRAME_MAX);
	if (asked > room)
		need = need * asked / room;
	return need + need / 4 + EAL_OVERHEAD;
}

static void
add_memory(struct collector *c, const struct port_eal_config *cfg)
{
	uint64_t need = memory_needed(cfg);

	if (cfg->hugepage_bytes_free >= need) {
		add(c, "--in-memory");
	} else { /* the EAL refuses --in-memory here; this leaves no file either */
		add(c, "--no-huge");
		add(c, "--no-shconf");
	}
	add(c, "-m");
	add(c, "%llu", (unsigned long long)(need >> 20));
}

static void
add_telemetry(struct collector *c, const struct port_eal_config *cfg)
{
	char prefix[PORT_TELEMETRY_PREFIX_MAX];

	if (cfg->telemetry) {
		port_telemetry_prefix(prefix, sizeof(prefix));
		add(c, "--file-prefix=%s", prefix);
	} else {
		add(c, "--no-telemetry");
	}
}

static void
add_ours(struct collector *c, const struct port_eal_config *cfg, enum port_nic_mode mode)
{
	add(c, "--lcores=0@%d", cfg->main_cpu);
	add_telemetry(c, cfg);
	add(c, cfg->verbose ? "--log-level=6" : "--log-level=5");
	add_memory(c, cfg);
	if (mode != PORT_NIC_PCI)
		add(c, "--no-pci");
}

static int
add_device(struct collector *c, const struct port_eal_config *cfg, enum port_nic_mode mode,
	char *ret_message)
{
	char vdev[VDEV_MAX];
	int rc = 0;

	if (mode == PORT_NIC_PCI) {
		add(c, "-a");
		add(c, "%s", cfg->nic);
	} else if (mode == PORT_NIC_VDEV) {
		add(c, "--vdev=%s", cfg->nic);
	} else {
		rc = port_vdev_format(cfg, mode, vdev, sizeof(vdev), ret_message);
		if (rc == 0)
			add(c, "--vdev=%s", vdev);
	}
	return rc;
}

/* The value of a device option among the user's, which may be the argument after it (then *i
 * moves on). NULL: no such option. */
static const char *
device_option(const struct port_eal_config *cfg, int *i)
{
	static const char *const options[] = {"--vdev", "--allow", "-a"};
	const char *arg = cfg->user_args[*i];
	size_t k, len;

	for (k = 0; k < RTE_DIM(options); k++) {
		len = strlen(options[k]);
		if (strcmp(arg, options[k]) == 0)
			return *i + 1 < cfg->user_args_count ? cfg->user_args[++*i] : NULL;
		if (strncmp(arg, options[k], len) == 0 && (arg[len] == '=' || arg[1] != '-'))
			return arg + len + (arg[1] == '-');
	}
	return NULL;
}

static bool
is_item(const char *list, const char *item)
{
	size_t len = strcspn(item, ",");

	return strcspn(list, ",") == len && memcmp(list, item, len) == 0;
}

static bool
names_nic(const char *device, const char *nic)
{
	const char *interface = port_argument(device, "iface=");
	struct rte_pci_addr a, b;
	char address[PCI_PRI_STR_SIZE + 1];

	snprintf(address, sizeof(address), "%.*s", (int)strcspn(device, ","), device);
	if (rte_pci_addr_parse(nic, &a) == 0)
		return rte_pci_addr_parse(address, &b) == 0 && rte_pci_addr_cmp(&a, &b) == 0;
	return is_item(device, nic) || (interface != NULL && is_item(interface, nic));
}

bool
port_args_user_named(const struct port_eal_config *cfg)
{
	const char *device;
	int i;

	for (i = 0; i < cfg->user_args_count; i++) {
		device = device_option(cfg, &i);
		if (device != NULL && names_nic(device, cfg->nic))
			return true;
	}
	return false;
}

static int
collect(struct collector *c, const struct port_eal_config *cfg, enum port_nic_mode mode,
	char *ret_message)
{
	int i;

	add(c, "%s", cfg->program);
	for (i = 0; i < cfg->user_args_count; i++)
		add(c, "%s", cfg->user_args[i]);
	if (cfg->user_args_count == 0)
		add_ours(c, cfg, mode);
	return port_mode_is_packet(mode) || port_args_user_named(cfg)
		       ? 0
		       : add_device(c, cfg, mode, ret_message);
}

/* The array that the EAL wants, of the collected text. */
static bool
point_to_items(struct port_args *a)
{
	char *at = a->text;
	int i;

	a->item = calloc((size_t)a->count + 1, sizeof(*a->item));
	if (a->item == NULL)
		return false;
	for (i = 0; i < a->count; i++) {
		a->item[i] = at;
		at += strlen(at) + 1;
	}
	return true;
}

int
port_args_build(const struct port_eal_config *cfg, enum port_nic_mode mode, struct port_args *ret,
	char *ret_message)
{
	struct port_args a = {0};
	struct collector c = {0};
	size_t bytes;
	int rc = -ENOMEM;

	c.stream = open_memstream(&a.text, &bytes);
	if (c.stream != NULL) {
		rc = collect(&c, cfg, mode, ret_message);
		a.count = c.count;
		if (fclose(c.stream) != 0 || (rc == 0 && !point_to_items(&a)))
			rc = -ENOMEM;
	}
	if (rc == 0)
		*ret = a;
	else
		port_args_free(&a);
	if (rc == -ENOMEM)
		snprintf(ret_message, PORT_MESSAGE_MAX, "out of memory");
	return rc;
}

void
port_args_free(struct port_args *a)
{
	free(a->item);
	free(a->text);
}
