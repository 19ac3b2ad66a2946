/* SPDX-License-Identifier: BSD-3-Clause */
#include "wire_fixture.h"
#include "wire_checksum.h"
#include "wire_ipv4.h"
#include "wire_ipv6.h"

/* RFC 8200: the header, and the extension headers that may stand after it. */

#define ROOM 512U
#define PAYLOAD 20U

/* A packet made header by header. */
struct packet {
	uint8_t bytes[ROOM];
	uint32_t len;
	uint32_t next_at; /* where the kind of what comes next is to be written */
};

static struct packet
begin(void)
{
	const struct ipv6_header h = {.src = fx_v6("2001:db8::1"),
		.dst = fx_v6("2001:db8::2"),
		.total_len = IPV6_HEADER_LEN,
		.hop_limit = 63};
	struct packet k = {.len = IPV6_HEADER_LEN, .next_at = 6};

	wire_ipv6_build(k.bytes, &h);
	return k;
}

/* An extension header of this kind; its bytes from the second one on, whose len is a multiple of 8. */
static void
add(struct packet *k, uint8_t kind, const void *bytes, uint32_t len)
{
	assert_true(k->len + len + PAYLOAD <= ROOM);
	k->bytes[k->next_at] = kind;
	k->next_at = k->len;
	memcpy(k->bytes + k->len, bytes, len);
	k->len += len;
}

static void
add_padding(struct packet *k, uint8_t kind)
{
	static const uint8_t pad_6[8] = {0, 0, 1, 4};

	add(k, kind, pad_6, sizeof(pad_6));
}

static void
add_fragment(struct packet *k, uint16_t place)
{
	uint8_t header[8] = {0, 0, (uint8_t)(place >> 8), (uint8_t)place, 1, 2, 3, 4};

	add(k, IPV6_NEXT_FRAGMENT, header, sizeof(header));
}

static void
finish(struct packet *k, uint8_t protocol)
{
	k->bytes[k->next_at] = protocol;
	k->len += PAYLOAD;
	be16_store(k->bytes + 4, (uint16_t)(k->len - IPV6_HEADER_LEN));
}

/* In a block of its own length, so that ASan sees what is read past it. */
static enum drop_reason
parse(const uint8_t *bytes, uint32_t len, uint32_t frame_len, struct ipv6_header *ret)
{
	uint8_t *copy = malloc(len > 0 ? len : 1);
	enum drop_reason drop;

	assert_non_null(copy);
	memcpy(copy, bytes, len);
	drop = wire_ipv6_parse(copy, len, frame_len, ret);
	free(copy);
	return drop;
}

static void
assert_drop(const struct packet *k, uint32_t len, enum drop_reason reason)
{
	struct ipv6_header h = {.fragment_id = 7};

	assert_int_equal(parse(k->bytes, len, len, &h), reason);
	assert_int_equal(h.fragment_id, 7); /* untouched */
}

static struct ipv6_header
assert_passes(const struct packet *k)
{
	struct ipv6_header h;

	assert_int_equal(parse(k->bytes, k->len, k->len, &h), DROP_NONE);
	return h;
}

TEST(test_ipv6_header_built_is_parsed_with_every_field)
{
	struct packet k = begin();
	struct ipv6_addr src = fx_v6("2001:db8::1"), dst = fx_v6("2001:db8::2");
	struct ipv6_header h;

	finish(&k, 6);
	k.bytes[0] |= 0x0f; /* the rest of the traffic class and the flow label say nothing to us */
	k.bytes[1] = 0xff - 0x20;
	k.bytes[2] = k.bytes[3] = 0xff;
	h = assert_passes(&k);
	assert_true(ipv6_addr_equal(&h.src, &src) && ipv6_addr_equal(&h.dst, &dst));
	assert_int_equal(h.total_len, 60);
	assert_int_equal(h.header_len, 40);
	assert_int_equal(h.protocol, 6);
	assert_int_equal(h.hop_limit, 63);
	assert_int_equal(h.ecn, 1);
	assert_false(h.more_fragments || h.fragment_header);
	assert_int_equal(h.fragment_offset, 0);
}

/* Byte by byte, as RFC 8200 §3 draws it. */
TEST(test_ipv6_header_built_has_the_rfcs_bytes)
{
	static const uint8_t wanted[IPV6_HEADER_LEN] = {
		0x60, 0x20, 0, 0, 0, 20, 58, 255, 0xfe, 0x80, [23] = 1, 0xff, 2, [39] = 2};
	const struct ipv6_header h = {.src = fx_v6("fe80::1"),
		.dst = fx_v6("ff02::2"),
		.total_len = 60,
		.protocol = IPV6_NEXT_ICMPV6,
		.hop_limit = 255,
		.ecn = 2};
	uint8_t bytes[IPV6_HEADER_LEN];

	memset(bytes, 0xee, sizeof(bytes));
	assert_int_equal(wire_ipv6_build(bytes, &h), IPV6_HEADER_LEN);
	assert_memory_equal(bytes, wanted, sizeof(bytes));
}

TEST(test_ipv6_header_that_cannot_be_is_dropped)
{
	struct packet k = begin();

	finish(&k, 6);
	assert_drop(&k, 0, DROP_IP_HEADER);
	assert_drop(&k, 39, DROP_IP_HEADER);
	k.bytes[0] = 0x45;
	assert_drop(&k, k.len, DROP_IP_HEADER);
	k.bytes[0] = 0x70;
	assert_drop(&k, k.len, DROP_IP_HEADER);
}

TEST(test_ipv6_packet_longer_than_its_frame_is_truncated)
{
	struct packet k = begin();
	struct ipv6_header h;

	finish(&k, 6);
	assert_drop(&k, k.len - 1, DROP_IP_TRUNCATED);
	/* Its rest may be in the frame's other parts; padding may follow it. */
	assert_int_equal(parse(k.bytes, 40, k.len, &h), DROP_NONE);
	assert_int_equal(parse(k.bytes, 40, k.len + 6, &h), DROP_NONE);
	assert_int_equal(h.total_len, k.len);
}

/* A payload of no length is a packet of headers alone, not a jumbogram (RFC 2675), which asks for a
 * hop-by-hop option that says "drop". */
TEST(test_ipv6_payload_length_0_is_an_empty_packet)
{
	static const uint8_t jumbo[8] = {0, 0, 0xc2, 4, 0, 1, 0, 0};
	struct packet k = begin();

	k.bytes[6] = 59;
	assert_int_equal(assert_passes(&k).total_len, 40);
	add(&k, IPV6_NEXT_HOP_BY_HOP, jumbo, sizeof(jumbo));
	k.len += 100;
	assert_drop(&k, k.len, DROP_IP_EXTENSION);
}

TEST(test_ipv6_extension_headers_are_passed_over)
{
	static const uint8_t routing_done[24] = {0, 2, 0, 0};
	static const uint8_t skipped[16] = {0, 1, 0x1e, 3, 1, 2, 3, 0, 5, 2, 0, 0, 1, 2, 0, 0};
	struct packet k = begin();
	struct ipv6_header h;

	add_padding(&k, IPV6_NEXT_HOP_BY_HOP);
	add(&k, IPV6_NEXT_DESTINATION, skipped, sizeof(skipped));
	add(&k, IPV6_NEXT_ROUTING, routing_done, sizeof(routing_done));
	add_padding(&k, IPV6_NEXT_DESTINATION);
	finish(&k, 6);
	h = assert_passes(&k);
	assert_int_equal(h.header_len, 40 + 8 + 16 + 24 + 8);
	assert_int_equal(h.protocol, 6);
	assert_int_equal(h.total_len, k.len);
}

/* RFC 8200 §4.1, §4.3: nowhere but right after the IPv6 header. */
TEST(test_ipv6_hop_by_hop_header_that_is_not_the_first_is_dropped)
{
	struct packet k = begin();

	add_padding(&k, IPV6_NEXT_DESTINATION);
	add_padding(&k, IPV6_NEXT_HOP_BY_HOP);
	finish(&k, 6);
	assert_drop(&k, k.len, DROP_IP_EXTENSION);
	k = begin();
	add_padding(&k, IPV6_NEXT_HOP_BY_HOP);
	add_padding(&k, IPV6_NEXT_HOP_BY_HOP);
	finish(&k, 6);
	assert_drop(&k, k.len, DROP_IP_EXTENSION);
	k = begin();
	add_fragment(&k, 0);
	add_padding(&k, IPV6_NEXT_HOP_BY_HOP);
	finish(&k, 6);
	assert_drop(&k, k.len, DROP_IP_EXTENSION);
}

/* RFC 5095: type 0 is gone; RFC 8200 §4.4: an unknown one with no segments left is skipped. */
TEST(test_ipv6_routing_header_with_segments_left_is_dropped)
{
	uint8_t routing[24] = {0, 2};
	uint32_t type, left;

	for (type = 0; type < 6; type++) {
		for (left = 0; left < 3; left++) {
			struct packet k = begin();

			routing[2] = (uint8_t)type;
			routing[3] = (uint8_t)left;
			add(&k, IPV6_NEXT_ROUTING, routing, sizeof(routing));
			finish(&k, 6);
			if (left > 0)
				assert_drop(&k, k.len, DROP_IP_EXTENSION);
			else
				assert_int_equal(assert_passes(&k).header_len, 64);
		}
	}
}

/* RFC 8200 §4.2: the two highest bits of an unknown option's type. */
TEST(test_ipv6_unknown_option_is_skipped_only_if_it_says_so)
{
	static const uint8_t kinds[] = {IPV6_NEXT_HOP_BY_HOP, IPV6_NEXT_DESTINATION};
	uint32_t type, i;

	for (i = 0; i < 2; i++) {
		for (type = 0; type < 256; type++) {
			uint8_t options[8] = {0, 0, (uint8_t)type, 4};
			struct packet k = begin();

			if (type == 0) /* Pad1, whose next byte is a type again */
				options[3] = 0;
			add(&k, kinds[i], options, sizeof(options));
			finish(&k, 6);
			if (type < 0x40)
				assert_int_equal(assert_passes(&k).header_len, 48);
			else
				assert_drop(&k, k.len, DROP_IP_EXTENSION);
		}
	}
}

TEST(test_ipv6_option_of_a_length_that_lies_is_dropped)
{
	static const uint8_t options[][8] = {
		{0, 0, 1, 5}, /* one byte past the header */
		{0, 0, 1, 255}, {0, 0, 1, 3, 0, 0, 0, 1}, /* a type without a length */
		{0, 0, 1, 1, 0, 1, 2, 0}, /* a data byte past the header */
	};
	size_t i;

	for (i = 0; i < COUNT_OF(options); i++) {
		struct packet k = begin();

		add(&k, IPV6_NEXT_DESTINATION, options[i], 8);
		finish(&k, 6);
		assert_drop(&k, k.len, DROP_IP_EXTENSION);
	}
}

/* Whether the packet, the frame's first part, or the payload length ends it. */
TEST(test_ipv6_extension_header_that_is_cut_is_dropped)
{
	static const uint8_t long_padding[24] = {0, 2, 1, 20};
	static const uint8_t kinds[] = {
		IPV6_NEXT_HOP_BY_HOP, IPV6_NEXT_DESTINATION, IPV6_NEXT_ROUTING, IPV6_NEXT_FRAGMENT};
	uint32_t i, cut;
	struct ipv6_header h;

	for (i = 0; i < COUNT_OF(kinds); i++) {
		uint32_t whole = kinds[i] == IPV6_NEXT_FRAGMENT ? 48 : 64;
		struct packet k = begin();

		add(&k, kinds[i], long_padding, sizeof(long_padding));
		if (kinds[i] == IPV6_NEXT_ROUTING)
			k.bytes[43] = 0;
		finish(&k, 6);
		for (cut = 40; cut < whole; cut++) {
			struct packet shorter = k;

			assert_int_equal(parse(k.bytes, cut, k.len, &h), DROP_IP_EXTENSION);
			be16_store(shorter.bytes + 4, (uint16_t)(cut - 40));
			assert_drop(&shorter, k.len, DROP_IP_EXTENSION);
		}
		assert_int_equal(parse(k.bytes, whole, k.len, &h), DROP_NONE);
	}
}

/* RFC 8504 §5.3. */
TEST(test_ipv6_extension_headers_beyond_the_bound_are_dropped)
{
	uint32_t n, i;

	for (n = IPV6_EXTENSIONS_MAX - 1; n <= IPV6_EXTENSIONS_MAX + 1; n++) {
		struct packet k = begin(), with_fragment = begin();

		add_fragment(&with_fragment, 0);
		for (i = 0; i < n; i++)
			add_padding(&k, IPV6_NEXT_DESTINATION);
		for (i = 1; i < n; i++)
			add_padding(&with_fragment, IPV6_NEXT_DESTINATION);
		finish(&k, 6);
		finish(&with_fragment, 6);
		if (n > IPV6_EXTENSIONS_MAX) {
			assert_drop(&k, k.len, DROP_IP_EXTENSION);
			assert_drop(&with_fragment, with_fragment.len, DROP_IP_EXTENSION);
		} else {
			assert_int_equal(assert_passes(&k).header_len, 40 + 8 * n);
			assert_int_equal(assert_passes(&with_fragment).header_len, 40 + 8 * n);
		}
	}
}

/* RFC 8200 §4.5: offset in units of 8, two reserved bits, M. */
TEST(test_ipv6_fragment_first_middle_or_last_is_told_apart)
{
	static const struct {
		uint16_t field, offset;
		bool more;
	} places[] = {{0x0001, 0, true}, {0x0007, 0, true}, {0x0009, 8, true}, {0x0008, 8, false},
		{0xfff8, 65528, false}, {0xffff, 65528, true}};
	size_t i;

	for (i = 0; i < COUNT_OF(places); i++) {
		struct packet k = begin();
		struct ipv6_header h;

		add_padding(&k, IPV6_NEXT_HOP_BY_HOP);
		add_fragment(&k, places[i].field);
		finish(&k, IPV6_NEXT_DESTINATION); /* is data until the whole is together */
		h = assert_passes(&k);
		assert_int_equal(h.fragment_offset, places[i].offset);
		assert_int_equal(h.more_fragments, places[i].more);
		assert_int_equal(h.fragment_id, 0x01020304);
		assert_int_equal(h.header_len, 56);
		assert_int_equal(h.protocol, IPV6_NEXT_DESTINATION);
	}
}

/* RFC 6946: a Fragment header around a whole packet, on which the walk goes on. */
TEST(test_ipv6_atomic_fragment_is_a_whole_packet)
{
	struct packet k = begin();
	struct ipv6_header h;

	add_fragment(&k, 0x0006); /* reserved bits are ignored */
	add_padding(&k, IPV6_NEXT_DESTINATION);
	finish(&k, 6);
	h = assert_passes(&k);
	assert_int_equal(h.fragment_offset, 0);
	assert_false(h.more_fragments);
	assert_true(h.fragment_header);
	assert_int_equal(h.header_len, 56);
	assert_int_equal(h.protocol, 6);
}

TEST(test_ipv6_walk_passes_over_what_fragments_carried)
{
	uint8_t bytes[24] = {6, 1, 1, 12};
	uint32_t offset = 0;
	uint8_t next = IPV6_NEXT_DESTINATION;

	assert_int_equal(wire_ipv6_walk(bytes, sizeof(bytes), &offset, &next), DROP_NONE);
	assert_int_equal(offset, 16);
	assert_int_equal(next, 6);
	assert_int_equal(wire_ipv6_walk(bytes, sizeof(bytes), &offset, &next), DROP_NONE);
	assert_int_equal(offset, 16); /* there is nothing to pass over */
	offset = 0;
	next = IPV6_NEXT_DESTINATION;
	assert_int_equal(wire_ipv6_walk(bytes, 15, &offset, &next), DROP_IP_EXTENSION);
	offset = 0;
	next = IPV6_NEXT_FRAGMENT; /* of a fragment */
	assert_int_equal(wire_ipv6_walk(bytes, 24, &offset, &next), DROP_IP_EXTENSION);
	bytes[0] = IPV6_NEXT_FRAGMENT;
	next = IPV6_NEXT_DESTINATION;
	offset = 0;
	assert_int_equal(wire_ipv6_walk(bytes, 24, &offset, &next), DROP_IP_EXTENSION);
}

/* RFC 8200 §8.1. The sum was made by hand: fe80+0001 + ff02+0001 + 1+0234 + 3a, carried. */
TEST(test_ipv6_pseudo_header_sums_addresses_length_and_protocol)
{
	struct ipv6_addr src = fx_v6("fe80::1"), dst = fx_v6("ff02::1");
	const struct ip_address a = ip_address_of_v6(&src), b = ip_address_of_v6(&dst);

	assert_int_equal(
		wire_checksum_fold(wire_checksum_pseudo_ipv6(&src, &dst, 58, 0x10234)), 0xfff4);
	assert_int_equal(wire_checksum_fold(wire_checksum_pseudo(&a, &b, 58, 0x10234)), 0xfff4);
}

TEST(test_ip_pseudo_header_is_its_familys)
{
	const struct ip_address a = ip_address_of_v4(0xc6120001), b = ip_address_of_v4(0xc6120002);

	assert_int_equal(wire_checksum_fold(wire_checksum_pseudo(&a, &b, 6, 20)),
		wire_checksum_fold(wire_checksum_pseudo_ipv4(a.v4, b.v4, 6, 20)));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_ipv6_header_built_is_parsed_with_every_field),
		T(test_ipv6_header_built_has_the_rfcs_bytes),
		T(test_ipv6_header_that_cannot_be_is_dropped),
		T(test_ipv6_packet_longer_than_its_frame_is_truncated),
		T(test_ipv6_payload_length_0_is_an_empty_packet),
		T(test_ipv6_extension_headers_are_passed_over),
		T(test_ipv6_hop_by_hop_header_that_is_not_the_first_is_dropped),
		T(test_ipv6_routing_header_with_segments_left_is_dropped),
		T(test_ipv6_unknown_option_is_skipped_only_if_it_says_so),
		T(test_ipv6_option_of_a_length_that_lies_is_dropped),
		T(test_ipv6_extension_header_that_is_cut_is_dropped),
		T(test_ipv6_extension_headers_beyond_the_bound_are_dropped),
		T(test_ipv6_fragment_first_middle_or_last_is_told_apart),
		T(test_ipv6_atomic_fragment_is_a_whole_packet),
		T(test_ipv6_walk_passes_over_what_fragments_carried),
		T(test_ipv6_pseudo_header_sums_addresses_length_and_protocol),
		T(test_ip_pseudo_header_is_its_familys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
