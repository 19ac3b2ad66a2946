/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>

#include "inventory.h"
#include "port_pmd.h"

static struct nic_dpdk_driver
ask_dpdk(void *ctx, const struct nic_pci_id *id)
{
	struct nic_dpdk_driver ret = {.name = ""};
	struct port_pmd pmd;

	if (!port_pmds_find(
		    ctx, id->vendor, id->device, id->subsystem_vendor, id->subsystem_device, &pmd))
		return ret;
	(void)snprintf(ret.name, sizeof(ret.name), "%s", pmd.name);
	ret.bifurcated = pmd.bifurcated;
	return ret;
}

int
inventory_read(struct nic_inventory *ret)
{
	const struct nic_system system = nic_system_host();
	struct nic_inventory_config cfg = {
		.ssh_connection = getenv("SSH_CONNECTION"),
		.dpdk = ask_dpdk,
	};
	struct port_pmds *pmds;
	int rc = port_pmds_read(NULL, &pmds);

	if (rc != 0)
		return rc;
	cfg.dpdk_ctx = pmds;
	rc = nic_inventory_read(&system, &cfg, ret);
	port_pmds_free(pmds);
	return rc;
}
