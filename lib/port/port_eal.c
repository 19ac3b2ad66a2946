/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_bus.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_log.h>
#include <rte_pci.h>

#include "port_fanout.h"
#include "port_priv.h"

#define EAL_ARGS_MAX 64
#define EAL_ARG_LEN 256U
#define EAL_OVERHEAD (64ULL << 20) /* what the EAL and the driver take besides our pools */
#define EAL_LOG_LINE_MAX 200U

/* The argument vector that the EAL gets; it keeps pointers into it. */
struct eal_args {
	int count;
	char *item[EAL_ARGS_MAX];
	char text[EAL_ARGS_MAX][EAL_ARG_LEN];
};

static void
add(struct eal_args *a, const char *text)
{
	if (a->count + 1 >= EAL_ARGS_MAX)
		return;
	snprintf(a->text[a->count], EAL_ARG_LEN, "%s", text);
	a->item[a->count] = a->text[a->count];
	a->count++;
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
add_memory(struct eal_args *a, const struct port_eal_config *cfg)
{
	uint64_t need = memory_needed(cfg);
	char megabytes[32];

	snprintf(megabytes, sizeof(megabytes), "%llu", (unsigned long long)(need >> 20));
	if (cfg->hugepage_bytes_free >= need) {
		add(a, "--in-memory");
	} else { /* the EAL refuses --in-memory here; this leaves no file either */
		add(a, "--no-huge");
		add(a, "--no-shconf");
	}
	add(a, "-m");
	add(a, megabytes);
}

/* Did the user name the device in an EAL option already? */
static bool
user_named(const struct port_eal_config *cfg)
{
	int i;

	for (i = 0; i < cfg->user_args_count; i++) {
		if (strstr(cfg->user_args[i], cfg->nic) != NULL)
			return true;
	}
	return false;
}

static int
build_args(struct eal_args *a, const struct port_eal_config *cfg, enum port_nic_mode mode,
	char *ret_message)
{
	char vdev[EAL_ARG_LEN - 16], text[EAL_ARG_LEN];
	int i, rc;

	add(a, cfg->program);
	for (i = 0; i < cfg->user_args_count; i++)
		add(a, cfg->user_args[i]);
	if (cfg->user_args_count == 0) {
		snprintf(text, sizeof(text), "--lcores=0@%d", cfg->main_cpu);
		add(a, text);
		add(a, "--no-telemetry");
		add(a, cfg->verbose ? "--log-level=6" : "--log-level=5");
		add_memory(a, cfg);
		if (mode != PORT_NIC_PCI)
			add(a, "--no-pci");
	}
	if (user_named(cfg))
		return 0;
	if (mode == PORT_NIC_PCI) {
		add(a, "-a");
		add(a, cfg->nic);
		return 0;
	}
	rc = port_vdev_format(cfg, mode, vdev, sizeof(vdev), ret_message);
	if (rc == 0) {
		snprintf(text, sizeof(text), "--vdev=%s", vdev);
		add(a, text);
	}
	return rc;
}

/* The last line that the EAL or a driver logged: usually the reason. */
static void
last_line(const char *log, char *buf, size_t room)
{
	const char *end = log + strlen(log), *start;

	while (end > log && end[-1] == '\n')
		end--;
	start = end;
	while (start > log && start[-1] != '\n')
		start--;
	snprintf(buf, room, "%.*s", (int)RTE_MIN(end - start, (ptrdiff_t)room - 1), start);
}

static int
explain_eal(const struct port_eal_config *cfg, const char *log, char *ret_message)
{
	char line[EAL_LOG_LINE_MAX];

	last_line(log, line, sizeof(line));
	snprintf(ret_message, PORT_MESSAGE_MAX, "DPDK could not be started with %.60s: %s. %s",
		cfg->nic, line,
		cfg->user_args_count > 0
			? "Check the EAL options before \"--\" (dpdk-testpmd takes the same ones)"
			: "-v shows its whole log");
	return -EIO;
}

static int
explain_absent(const struct port_eal_config *cfg, enum port_nic_mode mode, char *ret_message)
{
	if (mode == PORT_NIC_PCI)
		snprintf(ret_message, PORT_MESSAGE_MAX,
			"DPDK found no port at PCI address %.40s: there is no such device, or a "
			"kernel "
			"driver holds it. `dpdk-devbind.py --status-dev net` shows which; "
			"`dpdk-devbind.py "
			"--bind=vfio-pci %.40s` hands it to DPDK",
			cfg->nic, cfg->nic);
	else
		snprintf(ret_message, PORT_MESSAGE_MAX,
			"DPDK made no port of '%.100s'; a vdev string names a driver and its "
			"arguments, such "
			"as net_af_packet0,iface=eth1",
			cfg->nic);
	return -ENODEV;
}

static int
find_port(const struct port_eal_config *cfg, enum port_nic_mode mode, uint16_t *ret)
{
	char name[RTE_ETH_NAME_MAX_LEN];
	struct rte_pci_addr address;

	if (mode == PORT_NIC_AF_PACKET)
		snprintf(name, sizeof(name), "net_af_packet0");
	else if (mode == PORT_NIC_AF_XDP)
		snprintf(name, sizeof(name), "net_af_xdp0");
	else if (mode == PORT_NIC_PCI && rte_pci_addr_parse(cfg->nic, &address) == 0)
		rte_pci_device_name(&address, name, sizeof(name));
	else
		port_vdev_name(cfg->nic, name, sizeof(name));
	return rte_eth_dev_get_port_by_name(name, ret);
}

static int
init_eal(struct eal_args *args, const struct port_eal_config *cfg, char *ret_message)
{
	char *log = NULL;
	size_t log_len = 0;
	FILE *stream = cfg->verbose ? NULL : open_memstream(&log, &log_len);
	int rc;

	if (stream != NULL)
		rte_openlog_stream(stream);
	port_fanout_skip(cfg->queues == 1);
	rc = rte_eal_init(args->count, args->item);
	port_fanout_skip(false);
	if (stream != NULL) {
		fflush(stream);
		rte_openlog_stream(NULL);
	}
	if (rc < 0)
		rc = explain_eal(cfg, log != NULL ? log : "see its log above", ret_message);
	if (stream != NULL)
		fclose(stream);
	free(log);
	return rc < 0 ? rc : 0;
}

int
port_eal_start(const struct port_eal_config *cfg, uint16_t *ret_port_id, char *ret_message)
{
	enum port_nic_mode mode = port_name_mode(cfg->nic, cfg->mode);
	struct eal_args *args;
	int rc = 0;

	if (mode == PORT_NIC_AF_PACKET || mode == PORT_NIC_AF_XDP)
		rc = port_interface_check(cfg->nic, ret_message);
	if (rc != 0)
		return rc;
	args = calloc(1, sizeof(*args));
	if (args == NULL) {
		snprintf(ret_message, PORT_MESSAGE_MAX, "out of memory");
		return -ENOMEM;
	}
	rc = build_args(args, cfg, mode, ret_message);
	if (rc == 0)
		rc = init_eal(args, cfg, ret_message);
	free(args);
	if (rc != 0)
		return rc;
	if (find_port(cfg, mode, ret_port_id) == 0)
		return 0;
	rte_eal_cleanup();
	return explain_absent(cfg, mode, ret_message);
}

void
port_eal_stop(void)
{
	rte_eal_cleanup();
}
