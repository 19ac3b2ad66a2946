/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp_fixture.h"

/* Paths that swallow large packets and send no ICMP: RFC 2923 §2.1, RFC 4821 §7.7. */

#define UPLOAD 8000U

static const uint8_t upload[UPLOAD];

/* What of this round's segments gets through a path for payloads of path_bytes is acknowledged. Returns
 * the end of what the peer has. */
static uint32_t
carry(struct fx *f, uint32_t peer_has, uint32_t path_bytes)
{
	uint32_t before = peer_has;
	struct tcp_segment s;

	while (tcp_conn_output(f->c, f->now_ns, &s)) {
		assert_true(fx_payload_len(&s) <= f->c->smss);
		if (fx_payload_len(&s) <= path_bytes && s.seq == peer_has)
			peer_has += fx_payload_len(&s);
	}
	if (peer_has != before)
		fx_window(f, peer_has, FX_WINDOW);
	return peer_has;
}

/* Until the upload has arrived, or the connection has ended; the seconds that it took. */
static uint64_t
run_path(struct fx *f, uint32_t path_bytes)
{
	uint64_t start_ns = f->now_ns;
	uint32_t peer_has = FX_UNA, before;

	while (peer_has != FX_UNA + UPLOAD && tcp_conn_state(f->c) != TCP_CLOSED) {
		do {
			before = peer_has;
			peer_has = carry(f, before, path_bytes);
			f->now_ns += NS_PER_MS;
		} while (peer_has != before);
		if (tcp_snd_nxt(f->c) != f->c->snd_una)
			fx_advance_to_deadline(f);
	}
	return (f->now_ns - start_ns) / NS_PER_SEC;
}

static void
no_rack(struct tcp_config *cfg)
{
	cfg->rack = false;
}

static void
jumbo(struct tcp_config *cfg)
{
	cfg->mss_max = 8960;
}

TEST(test_black_hole_is_got_through_in_smaller_segments)
{
	void (*const changes[])(struct tcp_config *) = {NULL, no_rack};
	uint32_t i;

	for (i = 0; i < 2; i++) {
		struct fx *f = fx_open(TCP_ESTABLISHED, changes[i]);

		assert_int_equal(tcp_conn_send(f->c, upload, UPLOAD), UPLOAD);
		assert_true(run_path(f, 1100) < 10);
		assert_int_equal(tcp_conn_state(f->c), TCP_ESTABLISHED);
		assert_int_equal(f->c->smss, 1024 - TCP_TIMESTAMPS_LEN);
		assert_int_equal(fx_count(f, COUNTER_TCP_BLACK_HOLES), 1);
		fx_end(f);
	}
}

TEST(test_black_hole_of_the_narrowest_path_is_got_through)
{
	struct fx *f = fx_open(TCP_ESTABLISHED, jumbo);

	assert_int_equal(tcp_conn_send(f->c, upload, UPLOAD), UPLOAD);
	assert_true(run_path(f, 536 - TCP_TIMESTAMPS_LEN) < 60);
	assert_int_equal(tcp_conn_state(f->c), TCP_ESTABLISHED);
	assert_int_equal(f->c->smss, 536 - TCP_TIMESTAMPS_LEN);
	fx_end(f);
}

/* An outage, not a narrow path: the smallest segments get lost like the others. */
TEST(test_black_hole_that_swallows_all_sizes_is_none)
{
	struct fx *f = fx_open(TCP_ESTABLISHED, NULL);
	uint32_t i;

	assert_int_equal(tcp_conn_send(f->c, upload, UPLOAD), UPLOAD);
	for (i = 0; i < 30 && f->c->retries < 8; i++) {
		(void)carry(f, FX_UNA, 0);
		fx_advance_to_deadline(f);
	}
	assert_int_equal(f->c->retries, 8);
	assert_int_equal(f->c->smss, FX_MSS);
	assert_true(run_path(f, FX_MSS) < 200); /* it is over */
	assert_int_equal(tcp_conn_state(f->c), TCP_ESTABLISHED);
	assert_int_equal(f->c->smss, FX_MSS);
	fx_end(f);
}

/* When it turns out to be an outage, what a router has said in between still holds. */
TEST(test_black_hole_that_was_none_does_not_undo_path_mtu_discovery)
{
	struct fx *f = fx_open(TCP_ESTABLISHED, NULL);
	struct tcp_icmp icmp = {.kind = TCP_ICMP_PACKET_TOO_BIG,
		.seq = FX_UNA,
		.ip_header_len = 20,
		.packet_len = 1480,
		.mtu = 1200};
	uint32_t i;

	assert_int_equal(tcp_conn_send(f->c, upload, UPLOAD), UPLOAD);
	for (i = 0; i < 30 && f->c->retries < 8; i++) {
		(void)carry(f, FX_UNA, 0);
		fx_advance_to_deadline(f);
		if (f->c->retries == 2 && f->c->smss > 1148)
			assert_true(tcp_conn_icmp(f->c, &icmp));
	}
	assert_int_equal(f->c->retries, 8);
	assert_int_equal(f->c->smss, 1148);
	fx_end(f);
}

TEST(test_black_hole_is_not_suspected_of_a_small_request)
{
	struct fx *f = fx_open(TCP_ESTABLISHED, NULL);
	uint32_t i;

	assert_int_equal(tcp_conn_send(f->c, upload, 300), 300);
	for (i = 0; i < 30 && f->c->retries < 6; i++) {
		fx_drain(f);
		fx_advance_to_deadline(f);
	}
	assert_int_equal(f->c->retries, 6);
	assert_int_equal(f->c->smss, FX_MSS);
	assert_int_equal(fx_count(f, COUNTER_TCP_BLACK_HOLES), 0);
	fx_end(f);
}

static void
six(struct tcp_config *cfg)
{
	cfg->mss_max = 1440;
}

/* RFC 8200 §5: every IPv6 link carries 1280 bytes. */
TEST(test_black_hole_never_goes_below_the_least_that_ipv6_carries)
{
	struct fx *f = fx_open(TCP_ESTABLISHED, six);
	uint32_t i, least = UINT32_MAX;

	f->c->mss_default = TCP_MSS_DEFAULT_IPV6;
	assert_int_equal(tcp_conn_send(f->c, upload, UPLOAD), UPLOAD);
	for (i = 0; i < 30 && f->c->retries < 8; i++) {
		(void)carry(f, FX_UNA, 0);
		fx_advance_to_deadline(f);
		least = MIN_OF(least, (uint32_t)f->c->smss);
	}
	assert_int_equal(least, 1220 - TCP_TIMESTAMPS_LEN);
	fx_end(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_black_hole_is_got_through_in_smaller_segments),
		T(test_black_hole_of_the_narrowest_path_is_got_through),
		T(test_black_hole_that_swallows_all_sizes_is_none),
		T(test_black_hole_that_was_none_does_not_undo_path_mtu_discovery),
		T(test_black_hole_is_not_suspected_of_a_small_request),
		T(test_black_hole_never_goes_below_the_least_that_ipv6_carries),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
