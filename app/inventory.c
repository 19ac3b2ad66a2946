/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>

#include "inventory.h"

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
inventory_open(struct inventory_source *ret)
{
	struct inventory_source source = {
		.config = {.ssh_connection = getenv("SSH_CONNECTION"), .dpdk = ask_dpdk}};
	int rc = port_pmds_read(NULL, &source.pmds);

	if (rc != 0)
		return rc;
	source.config.dpdk_ctx = source.pmds;
	*ret = source;
	return 0;
}

void
inventory_close(struct inventory_source *source)
{
	port_pmds_free(source->pmds);
}
