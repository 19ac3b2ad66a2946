/* SPDX-License-Identifier: BSD-3-Clause */
#include "wire_fixture.h"
#include "wire_rss.h"

/* The Toeplitz hash, against what Microsoft publishes to verify one ("Verifying the RSS hash
 * calculation"), and against the definition, bit by bit. */

static const uint8_t key[] = {0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67, 0x25,
	0x3d, 0x43, 0xa3, 0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb, 0xae, 0x7b, 0x30, 0xb4, 0x77, 0xcb,
	0x2d, 0xa3, 0x80, 0x30, 0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa};

static struct ip_address
address(const char *text)
{
	struct ip_address a;

	assert_int_equal(ip_address_parse(text, &a), 0);
	return a;
}

TEST(test_wire_rss_hash_published_tuples_give_the_published_hashes)
{
	static const struct {
		const char *dst;
		uint16_t dst_port;
		const char *src;
		uint16_t src_port;
		uint32_t hash;
	} known[] = {
		{"161.142.100.80", 1766, "66.9.149.187", 2794, 0x51ccc178},
		{"65.69.140.83", 4739, "199.92.111.2", 14230, 0xc626b0ea},
		{"12.22.207.184", 38024, "24.19.198.95", 12898, 0x5c2b394a},
		{"209.142.163.6", 2217, "38.27.205.30", 48228, 0xafc7327f},
		{"202.188.127.2", 1303, "153.39.163.191", 44251, 0x10e828a2},
		{"3ffe:2501:200:3::1", 1766, "3ffe:2501:200:1fff::7", 2794, 0x40207d3d},
		{"ff02::1", 4739, "3ffe:501:8::260:97ff:fe40:efab", 14230, 0xdde51bbf},
		{"fe80::200:f8ff:fe21:67cf", 38024, "3ffe:1900:4545:3:200:f8ff:fe21:67cf", 44251,
			0x02d1feef},
	};
	static struct wire_rss r;
	size_t i;

	assert_true(wire_rss_init(&r, key, sizeof(key)));
	for (i = 0; i < COUNT_OF(known); i++) {
		struct ip_address src = address(known[i].src), dst = address(known[i].dst);

		assert_int_equal(
			wire_rss_hash(&r, &src, &dst, known[i].src_port, known[i].dst_port),
			known[i].hash);
	}
}

/* For each bit of the input that is set, the 32 bits of the key from its place on. */
static uint32_t
by_definition(const uint8_t *k, const uint8_t *input, uint32_t len)
{
	uint32_t hash = 0, bit, i, word;

	for (bit = 0; bit < len * 8; bit++) {
		if ((input[bit / 8] & (0x80 >> bit % 8)) == 0)
			continue;
		for (word = 0, i = 0; i < 32; i++)
			word = word << 1 | ((uint32_t)k[(bit + i) / 8] >> (7 - (bit + i) % 8) & 1U);
		hash ^= word;
	}
	return hash;
}

TEST(test_wire_rss_hash_long_key_and_any_tuple_is_that_of_the_definition)
{
	static struct wire_rss r;
	uint8_t k[52], input[WIRE_RSS_INPUT_MAX];
	struct ip_address src = {.family = 6}, dst = {.family = 6};
	uint32_t i, round;

	srand(1);
	for (round = 0; round < 200; round++) {
		for (i = 0; i < sizeof(k); i++)
			k[i] = (uint8_t)rand();
		for (i = 0; i < sizeof(input); i++)
			input[i] = (uint8_t)rand();
		memcpy(src.v6.byte, input, 16);
		memcpy(dst.v6.byte, input + 16, 16);
		assert_true(wire_rss_init(&r, k, sizeof(k)));
		assert_int_equal(
			wire_rss_hash(&r, &src, &dst, be16_load(input + 32), be16_load(input + 34)),
			by_definition(k, input, sizeof(input)));
	}
}

TEST(test_wire_rss_dst_port_turns_the_hash_of_one_port_into_that_of_another)
{
	static struct wire_rss r;
	struct ip_address src = address("198.18.0.1"), dst = address("198.18.0.2");
	struct ip_address src6 = address("2001:2::1"), dst6 = address("2001:2::2");
	uint32_t port;

	assert_true(wire_rss_init(&r, key, sizeof(key)));
	for (port = 0; port < 65536; port += 7) {
		assert_int_equal(wire_rss_hash(&r, &src, &dst, 80, (uint16_t)port),
			wire_rss_hash(&r, &src, &dst, 80, 0) ^
				wire_rss_dst_port(&r, 4, (uint16_t)port));
		assert_int_equal(wire_rss_hash(&r, &src6, &dst6, 80, (uint16_t)port),
			wire_rss_hash(&r, &src6, &dst6, 80, 0) ^
				wire_rss_dst_port(&r, 6, (uint16_t)port));
	}
}

/* On the heap and of just this size, so that a byte read behind it is found. */
TEST(test_wire_rss_init_takes_forty_bytes_and_refuses_fewer)
{
	static struct wire_rss r;
	uint8_t *copy = malloc(WIRE_RSS_KEY_MIN);

	assert_non_null(copy);
	memcpy(copy, key, WIRE_RSS_KEY_MIN);
	assert_true(wire_rss_init(&r, copy, WIRE_RSS_KEY_MIN));
	assert_false(wire_rss_init(&r, copy, WIRE_RSS_KEY_MIN - 1));
	free(copy);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_wire_rss_hash_published_tuples_give_the_published_hashes),
		T(test_wire_rss_hash_long_key_and_any_tuple_is_that_of_the_definition),
		T(test_wire_rss_dst_port_turns_the_hash_of_one_port_into_that_of_another),
		T(test_wire_rss_init_takes_forty_bytes_and_refuses_fewer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
