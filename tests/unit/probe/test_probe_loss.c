/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "probe_loss.h"

static void
check(const struct probe_tally *t, enum probe_place place, uint64_t lost)
{
	uint64_t of[PROBE_PLACE_COUNT];
	int i;

	assert_int_equal(probe_loss_locate(t, of), lost);
	for (i = 0; i < PROBE_PLACE_COUNT; i++)
		assert_int_equal(of[i], i == (int)place ? lost : 0);
}

static void
test_loss_of_none_is_nowhere(void **state)
{
	/* ARP came, too, and was counted; nobody waits for that */
	const struct probe_tally t = {
		.wanted = 100, .answered = 100, .nic_sent = 101, .nic_missed = 3};

	(void)state;
	check(&t, PROBE_PLACE_FAR, 0);
}

static void
test_loss_is_where_it_was_counted(void **state)
{
	const struct {
		struct probe_tally tally;
		enum probe_place place;
	} cases[] = {
		{{.wanted = 100, .answered = 90, .nic_sent = 100}, PROBE_PLACE_FAR},
		{{.wanted = 100, .answered = 90, .nic_sent = 100, .nic_missed = 10},
			PROBE_PLACE_RX_RING},
		{{.wanted = 100, .answered = 90, .nic_sent = 100, .nic_no_mbuf = 10},
			PROBE_PLACE_MEMPOOL},
		{{.wanted = 100, .answered = 90, .nic_sent = 100, .nic_rx_errors = 10},
			PROBE_PLACE_RX_NIC},
		{{.wanted = 100, .answered = 90, .nic_sent = 100, .nic_tx_errors = 10},
			PROBE_PLACE_TX_NIC},
		{{.wanted = 100, .answered = 90, .nic_sent = 100, .damaged = 10},
			PROBE_PLACE_STACK},
		{{.wanted = 100, .unsent = 10, .answered = 90, .nic_sent = 90},
			PROBE_PLACE_TX_RING},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		check(&cases[i].tally, cases[i].place, 10);
}

/* The NIC took 100, and counts 95 as sent. */
static void
test_loss_of_frames_that_the_nic_did_not_count_is_its_own(void **state)
{
	const struct probe_tally t = {.wanted = 100, .answered = 95, .nic_sent = 95};
	const struct probe_tally silent = {.wanted = 100, .answered = 95};

	(void)state;
	check(&t, PROBE_PLACE_TX_NIC, 5);
	check(&silent, PROBE_PLACE_FAR, 5); /* it counts nothing at all */
}

/* More was counted than is missing: of other traffic. */
static void
test_loss_is_never_more_than_is_missing(void **state)
{
	const struct probe_tally t = {
		.wanted = 100, .answered = 97, .nic_sent = 100, .nic_missed = 2, .nic_no_mbuf = 50};
	uint64_t of[PROBE_PLACE_COUNT];

	(void)state;
	assert_int_equal(probe_loss_locate(&t, of), 3);
	assert_int_equal(of[PROBE_PLACE_RX_RING], 2);
	assert_int_equal(of[PROBE_PLACE_MEMPOOL], 1);
	assert_int_equal(of[PROBE_PLACE_FAR], 0);
}

static void
test_loss_text_names_the_places(void **state)
{
	const struct probe_tally t = {
		.wanted = 1000, .answered = 988, .nic_sent = 1000, .nic_missed = 10};
	char text[200], tight[12];

	(void)state;
	assert_string_equal(probe_loss_text(&t, text, sizeof(text)),
		"12 of 1000: 2 in the network or the server, 10 in the receive ring (imissed)");
	assert_string_equal(probe_loss_text(&t, tight, sizeof(tight)), "12 of 1000:");
}

static void
test_tally_adds_up(void **state)
{
	struct probe_tally sum = {.wanted = 1, .nic_missed = 1};
	const struct probe_tally t = {1, 2, 3, 4, 5, 6, 7, 8, 9};

	(void)state;
	probe_tally_add(&sum, &t);
	assert_int_equal(sum.wanted, 2);
	assert_int_equal(sum.unsent, 2);
	assert_int_equal(sum.answered, 3);
	assert_int_equal(sum.damaged, 4);
	assert_int_equal(sum.nic_sent, 5);
	assert_int_equal(sum.nic_tx_errors, 6);
	assert_int_equal(sum.nic_rx_errors, 7);
	assert_int_equal(sum.nic_missed, 9);
	assert_int_equal(sum.nic_no_mbuf, 9);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_loss_of_none_is_nowhere),
		cmocka_unit_test(test_loss_is_where_it_was_counted),
		cmocka_unit_test(test_loss_of_frames_that_the_nic_did_not_count_is_its_own),
		cmocka_unit_test(test_loss_is_never_more_than_is_missing),
		cmocka_unit_test(test_loss_text_names_the_places),
		cmocka_unit_test(test_tally_adds_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
