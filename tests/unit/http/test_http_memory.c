/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <curl/curl.h>

#include "http_response.h"
#include "http_url.h"
#include "test_alloc.h"

/* libcurl's memory comes from here too. Calls, not addresses: ld wraps only the former. */
static void *
curl_malloc(size_t size)
{
	return malloc(size);
}

static void
curl_release(void *block)
{
	free(block);
}

static void *
curl_realloc(void *block, size_t size)
{
	return realloc(block, size);
}

static char *
curl_strdup(const char *text)
{
	return strdup(text);
}

static void *
curl_calloc(size_t n, size_t size)
{
	return calloc(n, size);
}

static int
use_our_memory(void **state)
{
	(void)state;
	return (int)curl_global_init_mem(CURL_GLOBAL_NOTHING, curl_malloc, curl_release,
		curl_realloc, curl_strdup, curl_calloc);
}

/* libcurl may call a lack of memory inside it by another name, but never a success. */
static void
test_url_out_of_memory_at_any_allocation_is_an_error_and_leaves_nothing(void **state)
{
	static const char *const texts[] = {"http://u:p@example.org:81/dir/a b?q#f",
		"ftp.example.org/x", "http://:p@198.18.0.1/", "http://u@[2001:db8::1]",
		"file:///x"};
	int64_t before = test_alloc_live();
	const char *why;
	struct http_url u;
	uint32_t n, no_memory;
	size_t i;
	int e;

	(void)state;
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		for (n = 1, no_memory = 0;; n++) {
			memset(&u, 0xa5, sizeof(u));
			why = NULL;
			test_alloc_fail_from(n);
			e = http_url_parse(texts[i], &u, &why);
			if (e == 0)
				http_url_free(&u);
			else
				assert_non_null(why);
			if (!test_alloc_failed())
				break;
			if (e == 0)
				fail_msg("%s: taken though allocation %u failed", texts[i], n);
			no_memory += e == -ENOMEM;
			assert_int_equal(test_alloc_live(), before);
		}
		assert_int_equal(test_alloc_live(), before);
		assert_int_equal(e, i == 4 ? -EPROTONOSUPPORT : 0);
		assert_true(no_memory > 0);
	}
	test_alloc_fail_from(0);
}

static void
test_response_out_of_memory_returns_null(void **state)
{
	struct http_limits limits;

	(void)state;
	http_limits_defaults(&limits);
	test_alloc_fail_from(1);
	assert_null(http_response_create(&limits, NULL, NULL));
	test_alloc_fail_from(0);
}

static void
ignore(void *ctx, const char *name, const char *value)
{
	(void)ctx;
	(void)name;
	(void)value;
}

/* A hundred thousand of them are kept at once. */
static void
test_response_whose_fields_nobody_reads_is_small(void **state)
{
	struct http_limits limits;
	uint64_t before = test_alloc_bytes(), small;

	(void)state;
	http_limits_defaults(&limits);
	http_response_destroy(http_response_create(&limits, NULL, NULL));
	small = test_alloc_bytes() - before;
	assert_in_range(small, 1, 1023);
	http_response_destroy(http_response_create(&limits, ignore, NULL));
	assert_true(test_alloc_bytes() - before - small > limits.header_bytes_max);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_url_out_of_memory_at_any_allocation_is_an_error_and_leaves_nothing),
		cmocka_unit_test(test_response_out_of_memory_returns_null),
		cmocka_unit_test(test_response_whose_fields_nobody_reads_is_small),
	};

	return cmocka_run_group_tests(tests, use_our_memory, NULL);
}
