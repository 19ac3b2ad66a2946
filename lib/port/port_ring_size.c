/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>

#include "port_priv.h"

uint32_t
port_vdev_frame_room(uint16_t mtu)
{
	uint32_t need = mtu + PORT_L2_OVERHEAD + AF_PACKET_HEADER_LEN;

	need = RTE_MAX(RTE_ALIGN_CEIL(need, AF_PACKET_FRAME_ALIGN), PORT_FRAME_ROOM_MIN);
	return RTE_MIN(need, AF_PACKET_FRAME_MAX);
}

uint32_t
port_ring_frames_per_block(uint32_t frame_bytes)
{
	uint32_t frames = AF_PACKET_BLOCK_MAX / frame_bytes;

	while (frames > 1 && frames * frame_bytes % AF_PACKET_PAGE != 0)
		frames--;
	return frames;
}

uint32_t
port_ring_frames(uint32_t frame_bytes, uint32_t frames_min)
{
	uint32_t frames = RTE_MAX(AF_PACKET_RING_BYTES / frame_bytes, AF_PACKET_FRAMES_MIN);

	return RTE_MAX(frames, RTE_MIN(frames_min, AF_PACKET_RING_BYTES_MAX / frame_bytes));
}

int
port_ring_check_mtu(uint16_t mtu, char *ret_message)
{
	if (mtu + PORT_L2_OVERHEAD + AF_PACKET_HEADER_LEN <= port_vdev_frame_room(mtu))
		return 0;
	snprintf(ret_message, PORT_MESSAGE_MAX,
		"an MTU of %u is too large for a packet socket's ring, whose frames end at %u "
		"bytes; use "
		"--mtu %u or less",
		mtu, AF_PACKET_FRAME_MAX,
		AF_PACKET_FRAME_MAX - AF_PACKET_HEADER_LEN - PORT_L2_OVERHEAD);
	return -ERANGE;
}
