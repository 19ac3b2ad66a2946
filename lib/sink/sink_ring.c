/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>

#include "sink_ring.h"

int
sink_ring_init(struct sink_ring *r, uint32_t entries, uint32_t element_bytes)
{
	CHECK(entries > 0 && (entries & (entries - 1)) == 0);
	memset(r, 0, sizeof(*r));
	r->elements = calloc(entries, element_bytes);
	if (r->elements == NULL)
		return -ENOMEM;
	r->mask = entries - 1;
	r->element_bytes = element_bytes;
	return 0;
}

void
sink_ring_free(struct sink_ring *r)
{
	free(r->elements);
	r->elements = NULL;
}
