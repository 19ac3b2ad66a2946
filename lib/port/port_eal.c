/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_bus.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_log.h>
#include <rte_pci.h>

#include "port_args.h"
#include "port_fanout.h"
#include "port_priv.h"

#define EAL_LOG_LINE_MAX 200U

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

/* A virtual device on this kernel interface, whoever named it and however. */
static int
find_port_on(const char *interface, uint16_t *ret)
{
	char of_port[IFNAMSIZ];
	uint16_t id;

	for (id = 0; id < RTE_MAX_ETHPORTS; id++) {
		if (!rte_eth_dev_is_valid_port(id))
			continue;
		port_interface_of(id, of_port, sizeof(of_port));
		if (strcmp(of_port, interface) == 0) {
			*ret = id;
			return 0;
		}
	}
	return -ENODEV;
}

static int
find_port(const struct port_eal_config *cfg, enum port_nic_mode mode, uint16_t *ret)
{
	char name[RTE_ETH_NAME_MAX_LEN];
	struct rte_pci_addr address;

	if (mode == PORT_NIC_AF_PACKET || mode == PORT_NIC_AF_XDP)
		return find_port_on(cfg->nic, ret);
	if (mode == PORT_NIC_PCI && rte_pci_addr_parse(cfg->nic, &address) == 0)
		rte_pci_device_name(&address, name, sizeof(name));
	else
		port_vdev_name(cfg->nic, name, sizeof(name));
	return rte_eth_dev_get_port_by_name(name, ret);
}

static int
init_eal(const struct port_args *args, const struct port_eal_config *cfg, char *ret_message)
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
	struct port_args args;
	int rc = 0;

	if (mode == PORT_NIC_AF_PACKET || mode == PORT_NIC_AF_XDP)
		rc = port_interface_check(cfg->nic, ret_message);
	if (rc != 0)
		return rc;
	rc = port_args_build(cfg, mode, &args, ret_message);
	if (rc != 0)
		return rc;
	rc = init_eal(&args, cfg, ret_message);
	port_args_free(&args);
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
