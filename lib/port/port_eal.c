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
#include <rte_lcore.h>
#include <rte_log.h>
#include <rte_pci.h>

#include "port_args.h"
#include "port_fanout.h"
#include "port_log.h"
#include "port_priv.h"

#define REASON_MAX 240U /* bytes of DPDK's own words in our message */

static int
explain_eal(const struct port_eal_config *cfg, const char *reason, char *ret_message)
{
	snprintf(ret_message, PORT_MESSAGE_MAX, "DPDK could not be started with %.60s: %s. %s",
		cfg->nic, reason[0] != '\0' ? reason : "it does not say why",
		cfg->user_args_count > 0
			? "Check the EAL options before \"--\" (dpdk-testpmd takes the same ones)"
			: "-v shows its whole log");
	return -EIO;
}

static int
explain_absent(const struct port_eal_config *cfg, enum port_nic_mode mode, const char *reason,
	char *ret_message)
{
	if (mode == PORT_NIC_PCI)
		snprintf(ret_message, PORT_MESSAGE_MAX,
			"DPDK found no port at PCI address %.40s%s%s; `dpfetch nic list` shows its "
			"driver, DPDK's for it, and its IOMMU group",
			cfg->nic, reason[0] != '\0' ? ": " : "", reason);
	else
		snprintf(ret_message, PORT_MESSAGE_MAX,
			"DPDK made no port of '%.100s'%s%s; a vdev string names a driver and its "
			"arguments, such as net_af_packet0,iface=eth1",
			cfg->nic, reason[0] != '\0' ? ": " : "", reason);
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

static void
find_reason(const char *text, const struct port_eal_config *cfg, char *reason)
{
	const char *option = port_log_unknown_option(text, cfg->user_args, cfg->user_args_count);

	if (option != NULL)
		snprintf(reason, REASON_MAX, "it knows no option '%.80s'", option);
	else
		port_log_reason(text, reason, REASON_MAX);
}

/* Then the EAL prints its usage and ends the program. */
static bool
asks_for_help(const struct port_eal_config *cfg)
{
	int i;

	for (i = 0; i < cfg->user_args_count; i++) {
		if (strcmp(cfg->user_args[i], "-h") == 0 ||
			strcmp(cfg->user_args[i], "--help") == 0)
			return true;
	}
	return false;
}

/* One queue needs no group of sockets; several of ours are steered, those of the user's own vdev string
 * are as that says. */
static void
choose_fanout(const struct port_eal_config *cfg, enum port_nic_mode mode)
{
	port_fanout_skip(cfg->queues == 1);
	if (cfg->queues > 1 && mode == PORT_NIC_AF_PACKET && !port_args_user_named(cfg))
		port_fanout_steer(cfg->queues);
}

static bool
init_eal(const struct port_args *args, const struct port_eal_config *cfg, enum port_nic_mode mode,
	char *reason)
{
	struct port_log log;
	char *text;
	int rc;

	port_log_begin(&log, !cfg->verbose && !asks_for_help(cfg));
	choose_fanout(cfg, mode);
	rc = rte_eal_init(args->count, args->item);
	port_fanout_skip(false);
	port_fanout_steer(0);
	text = port_log_end(&log);
	reason[0] = '\0';
	if (text != NULL)
		find_reason(text, cfg, reason);
	free(text);
	return rc >= 0;
}

/* The kernel interface, if any, that a port is to be made on. */
static int
check_interface(const struct port_eal_config *cfg, enum port_nic_mode mode, char *ret_message)
{
	const char *value = port_argument(cfg->nic, "iface=");
	char interface[IFNAMSIZ + 1];

	if (mode == PORT_NIC_AF_PACKET || mode == PORT_NIC_AF_XDP || port_mode_is_packet(mode))
		return port_interface_check(cfg->nic, ret_message);
	/* Other drivers' iface= names what they make, or no interface at all. */
	if (mode != PORT_NIC_VDEV || value == NULL ||
		(strncmp(cfg->nic, "net_af_packet", 13) != 0 &&
			strncmp(cfg->nic, "net_af_xdp", 10) != 0))
		return 0;
	snprintf(interface, sizeof(interface), "%.*s", (int)strcspn(value, ","), value);
	return port_interface_check(interface, ret_message);
}

int
port_eal_start(const struct port_eal_config *cfg, uint16_t *ret_port_id, char *ret_message)
{
	enum port_nic_mode mode = port_nic_mode_of(cfg);
	char reason[REASON_MAX];
	struct port_args args;
	bool started;
	int rc;

	rc = check_interface(cfg, mode, ret_message);
	if (rc != 0)
		return rc;
	rc = port_args_build(cfg, mode, &args, ret_message);
	if (rc != 0)
		return rc;
	started = init_eal(&args, cfg, mode, reason);
	port_args_free(&args);
	if (!started) {
		port_telemetry_remove_socket();
		port_telemetry_remove_dir(); /* the EAL makes it before most else */
		return explain_eal(cfg, reason, ret_message);
	}
	*ret_port_id = RTE_MAX_ETHPORTS;
	if (port_mode_is_packet(mode) || find_port(cfg, mode, ret_port_id) == 0)
		return 0;
	port_eal_stop();
	return explain_absent(cfg, mode, reason, ret_message);
}

void
port_eal_stop(void)
{
	port_telemetry_remove_socket();
	rte_eal_cleanup();
	port_telemetry_remove_dir();
}

int
port_thread_register(void)
{
	return rte_thread_register() == 0 ? 0 : -rte_errno;
}

void
port_thread_unregister(void)
{
	rte_thread_unregister();
}
