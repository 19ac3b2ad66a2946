/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sink_digest.h"

static void
assert_digest(enum sink_digest digest, const char *text, const char *want)
{
	char hex[SINK_DIGEST_HEX_MAX];
	struct sink_hasher *h = NULL;
	size_t half = strlen(text) / 2;

	assert_int_equal(sink_hasher_create(digest, &h), 0);
	sink_hasher_feed(h, text, half);
	sink_hasher_feed(h, text + half, strlen(text) - half);
	sink_hasher_final(h, hex);
	assert_string_equal(hex, want);
	sink_hasher_destroy(h);
}

/* FIPS 180-4 and RFC 1321 examples; XXH3's of the reference program xxhsum -H2. */
static void
test_digest_known_vectors_match(void **state)
{
	(void)state;
	assert_digest(SINK_DIGEST_SHA256, "abc",
		"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	assert_digest(SINK_DIGEST_SHA256, "",
		"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	assert_digest(SINK_DIGEST_SHA512, "abc",
		"ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
		"2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
	assert_digest(SINK_DIGEST_SHA1, "abc", "a9993e364706816aba3e25717850c26c9cd0d89d");
	assert_digest(SINK_DIGEST_MD5, "abc", "900150983cd24fb0d6963f7d28e17f72");
	assert_digest(SINK_DIGEST_XXH3_128, "", "99aa06d3014798d86001c324468d497f");
}

static void
test_digest_none_is_empty(void **state)
{
	char hex[SINK_DIGEST_HEX_MAX] = "x";
	struct sink_hasher *h = NULL;

	(void)state;
	assert_int_equal(sink_hasher_create(SINK_DIGEST_NONE, &h), 0);
	assert_null(h);
	sink_hasher_feed(h, "abc", 3);
	sink_hasher_final(h, hex);
	assert_string_equal(hex, "");
}

static void
test_digest_names_parse_in_every_spelling(void **state)
{
	static const struct {
		const char *name;
		enum sink_digest want;
	} names[] = {
		{"sha-256", SINK_DIGEST_SHA256},
		{"SHA256", SINK_DIGEST_SHA256},
		{"Sha-512", SINK_DIGEST_SHA512},
		{"sha1", SINK_DIGEST_SHA1},
		{"sha", SINK_DIGEST_SHA1},
		{"md5", SINK_DIGEST_MD5},
		{"MD-5", SINK_DIGEST_MD5},
		{"xxh3-128", SINK_DIGEST_XXH3_128},
		{"xxh3_128", SINK_DIGEST_XXH3_128},
	};
	enum sink_digest digest;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		digest = SINK_DIGEST_NONE;
		assert_int_equal(sink_digest_parse(names[i].name, &digest), 0);
		assert_int_equal(digest, names[i].want);
	}
	for (i = SINK_DIGEST_SHA256; i <= SINK_DIGEST_XXH3_128; i++) {
		assert_int_equal(
			sink_digest_parse(sink_digest_name((enum sink_digest)i), &digest), 0);
		assert_int_equal(digest, i);
	}
}

static void
test_digest_unknown_name_is_refused(void **state)
{
	static const char *const names[] = {"", "-", "none", "sha-25", "sha-2567", "crc32"};
	enum sink_digest digest = SINK_DIGEST_MD5;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_int_equal(sink_digest_parse(names[i], &digest), -EINVAL);
	assert_int_equal(digest, SINK_DIGEST_MD5);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_digest_known_vectors_match),
		cmocka_unit_test(test_digest_none_is_empty),
		cmocka_unit_test(test_digest_names_parse_in_every_spelling),
		cmocka_unit_test(test_digest_unknown_name_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
