/* SPDX-License-Identifier: BSD-3-Clause */
#include <stddef.h>

#include "sim_lwip.h"

const struct sim_server_ops *
sim_lwip_server(void)
{
	return NULL;
}
