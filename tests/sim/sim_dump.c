/* SPDX-License-Identifier: BSD-3-Clause */
#include <inttypes.h>
#include <stdio.h>

#include "sim_dump.h"
#include "sim_wire.h"

static void
print_options(const struct sim_tcp *t)
{
	uint32_t i;

	if (t->has_mss)
		printf(" mss %u", t->mss);
	if (t->has_wscale)
		printf(" wscale %u", t->wscale);
	if (t->has_sack_permitted)
		printf(" sackOK");
	if (t->has_timestamps)
		printf(" TS %u ecr %u", t->ts_val, t->ts_ecr);
	for (i = 0; i < t->sacks; i++)
		printf(" sack %u..%u", t->sack[i].left, t->sack[i].right);
}

static void
print_flags(uint8_t flags)
{
	static const char letter[] = "FSRPAUEC";
	uint32_t i;

	putchar(' ');
	for (i = 0; i < sizeof(letter) - 1; i++) {
		if (flags & 1U << i)
			putchar(letter[i]);
	}
}

void
sim_dump_frame(
	uint64_t elapsed_ns, bool to_server, bool damaged, const uint8_t *frame, uint32_t len)
{
	struct sim_tcp t;

	printf("%14.3f %s", (double)elapsed_ns / 1e3, to_server ? ">" : "<");
	if (damaged) {
		printf(" %u bytes, damaged\n", len);
		return;
	}
	if (!sim_wire_is_tcp(frame, len) || sim_wire_read(frame, len, &t) != NULL) {
		printf(" %u bytes, not TCP\n", len);
		return;
	}
	printf(" %u", to_server ? t.src_port : t.dst_port);
	print_flags(t.flags);
	printf(" seq %u..%u ack %u win %u", t.seq, t.seq + t.len, t.ack, t.window);
	print_options(&t);
	if (t.ecn != 0)
		printf(" ecn %u", t.ecn);
	putchar('\n');
}
