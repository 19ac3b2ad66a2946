/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <rte_pci.h>

#include "port_args.h"
#include "port_priv.h"

static const char *const mode_names[] = {
	[PORT_NIC_AUTO] = "auto",
	[PORT_NIC_RING] = "ring",
	[PORT_NIC_AF_PACKET] = "af_packet",
	[PORT_NIC_AF_XDP] = "af_xdp",
	[PORT_NIC_VNET] = "vnet",
	[PORT_NIC_PCI] = "pci",
	[PORT_NIC_VDEV] = "vdev",
};

int
port_nic_mode_parse(const char *text, enum port_nic_mode *ret)
{
	unsigned int i;

	for (i = 0; i < RTE_DIM(mode_names); i++) {
		if (strcmp(mode_names[i], text) == 0) {
			*ret = (enum port_nic_mode)i;
			return 0;
		}
	}
	return -EINVAL;
}

const char *
port_nic_mode_name(enum port_nic_mode mode)
{
	return mode_names[mode];
}

enum port_nic_mode
port_nic_mode_of(const struct port_eal_config *cfg)
{
	struct rte_pci_addr address;
	const char *nic = cfg->nic;

	if (cfg->mode != PORT_NIC_AUTO)
		return cfg->mode;
	if (nic != NULL && rte_pci_addr_parse(nic, &address) == 0)
		return PORT_NIC_PCI;
	if (nic != NULL && (strchr(nic, ',') != NULL || strncmp(nic, "net_", 4) == 0))
		return PORT_NIC_VDEV;
	if (cfg->queues > 1 || (nic != NULL && port_args_user_named(cfg)))
		return PORT_NIC_AF_PACKET;
	return PORT_NIC_RING;
}

static int
format_af_packet(const struct port_eal_config *cfg, char *buf, size_t room, char *ret_message)
{
	uint32_t frame = port_vdev_frame_room(cfg->mtu);
	uint32_t per_block = port_ring_frames_per_block(frame);
	uint32_t frames = port_ring_frames(frame, cfg->rx_frames_min);
	int rc = port_ring_check_mtu(cfg->mtu, ret_message);

	if (rc != 0)
		return rc;
	frames = (frames + per_block - 1) / per_block * per_block;
	snprintf(buf, room, "net_af_packet0,iface=%s,qpairs=%u,blocksz=%u,framesz=%u,framecnt=%u%s",
		cfg->nic, cfg->queues, per_block * frame, frame, frames,
		cfg->visible ? ",qdisc_bypass=0" : "");
	return 0;
}

uint32_t
port_af_xdp_room(uint16_t mtu)
{
	return RTE_MAX(mtu + PORT_L2_OVERHEAD + AF_XDP_KERNEL_HEADROOM, PORT_FRAME_ROOM_MIN);
}

uint32_t
port_af_xdp_mtu_max(void)
{
	return AF_XDP_MTU_MAX;
}

int
port_af_xdp_check_mtu(uint16_t mtu, char *ret_message)
{
	if (mtu <= AF_XDP_MTU_MAX)
		return 0;
	snprintf(ret_message, PORT_MESSAGE_MAX,
		"an MTU of %u is too large for af_xdp, where a frame and its headroom must fit one "
		"page; use --mtu %u or less, or --nic-mode af_packet",
		mtu, AF_XDP_MTU_MAX);
	return -ERANGE;
}

static int
format_af_xdp(const struct port_eal_config *cfg, char *buf, size_t room, char *ret_message)
{
	int rc = port_af_xdp_check_mtu(cfg->mtu, ret_message);

	if (rc != 0)
		return rc;
	snprintf(buf, room, "net_af_xdp0,iface=%s,queue_count=%u", cfg->nic, cfg->queues);
	return 0;
}

int
port_vdev_format(const struct port_eal_config *cfg, enum port_nic_mode mode, char *buf, size_t room,
	char *ret_message)
{
	return mode == PORT_NIC_AF_XDP ? format_af_xdp(cfg, buf, room, ret_message)
				       : format_af_packet(cfg, buf, room, ret_message);
}

void
port_vdev_name(const char *vdev, char *buf, size_t room)
{
	snprintf(buf, room, "%.*s", (int)strcspn(vdev, ","), vdev);
}
