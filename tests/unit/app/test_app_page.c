/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "html_page.h"
#include "url_shown.h"
#include "utf8.h"
#include "xml_text.h"

/* What pages and other documents for others' eyes are made of. */

/* What xml_text makes of text; the caller's. */
static char *
as_xml(const char *text)
{
	char *buf = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&buf, &len);

	assert_non_null(out);
	xml_text(out, text);
	fclose(out);
	return buf;
}

static void
assert_xml(const char *text, const char *expected)
{
	char *xml = as_xml(text);

	assert_string_equal(xml, expected);
	free(xml);
}

static void
test_xml_text_markup_is_escaped(void **state)
{
	(void)state;
	assert_xml("", "");
	assert_xml(
		"a <b c=\"d\"> & ]]> 'e'\n\t", "a &lt;b c=&quot;d&quot;&gt; &amp; ]]&gt; 'e'\n\t");
	assert_xml("&lt;", "&amp;lt;");
}

static void
test_xml_text_forbidden_characters_are_replaced(void **state)
{
	(void)state;
	assert_xml("a\x01\x08\x0b\x0c\x1f\x7f"
		   "b",
		"a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\x7f"
		"b");
	assert_xml("\x1b[31m", "\xef\xbf\xbd[31m");
	assert_xml("\xef\xbf\xbe\xef\xbf\xbf", "\xef\xbf\xbd\xef\xbf\xbd"); /* U+FFFE, U+FFFF */
}

static void
test_xml_text_valid_utf8_is_kept_and_other_bytes_replaced(void **state)
{
	(void)state;
	assert_xml("\xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80 \xef\xbf\xbd",
		"\xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80 \xef\xbf\xbd");
	assert_xml("\xe4<", "\xef\xbf\xbd&lt;"); /* Latin-1 swallows no markup */
	assert_xml("\xe2\x82", "\xef\xbf\xbd\xef\xbf\xbd"); /* cut off */
	assert_xml("\xc0\xbc", "\xef\xbf\xbd\xef\xbf\xbd"); /* an overlong < */
}

static void
test_utf8_next_knows_the_bounds_of_each_length(void **state)
{
	static const struct {
		const char *text;
		uint32_t code;
		size_t len;
	} known[] = {
		{"\x01", 1, 1},
		{"\x7f", 0x7f, 1},
		{"\x80", UTF8_REPLACEMENT, 1},
		{"\xbf", UTF8_REPLACEMENT, 1},
		{"\xc1\xbf", UTF8_REPLACEMENT, 1},
		{"\xc2\x80", 0x80, 2},
		{"\xdf\xbf", 0x7ff, 2},
		{"\xe0\x9f\xbf", UTF8_REPLACEMENT, 1},
		{"\xe0\xa0\x80", 0x800, 3},
		{"\xed\x9f\xbf", 0xd7ff, 3},
		{"\xed\xa0\x80", UTF8_REPLACEMENT, 1},
		{"\xed\xbf\xbf", UTF8_REPLACEMENT, 1},
		{"\xee\x80\x80", 0xe000, 3},
		{"\xef\xbf\xbf", 0xffff, 3},
		{"\xf0\x8f\xbf\xbf", UTF8_REPLACEMENT, 1},
		{"\xf0\x90\x80\x80", 0x10000, 4},
		{"\xf4\x8f\xbf\xbf", 0x10ffff, 4},
		{"\xf4\x90\x80\x80", UTF8_REPLACEMENT, 1},
		{"\xf5\x80\x80\x80", UTF8_REPLACEMENT, 1},
		{"\xff", UTF8_REPLACEMENT, 1},
		{"\xe2\x82", UTF8_REPLACEMENT, 1},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		const char *next = known[i].text;

		assert_int_equal(utf8_next(&next), known[i].code);
		assert_int_equal(next - known[i].text, known[i].len);
	}
}

static void
assert_shown(const char *url, const char *expected)
{
	char *shown = url_shown(url);

	assert_non_null(shown);
	assert_string_equal(shown, expected);
	free(shown);
}

static void
test_url_shown_has_no_user_and_password(void **state)
{
	(void)state;
	assert_shown("http://me:secret@host:80/a@b?c@d#e@f", "http://host:80/a@b?c@d#e@f");
	assert_shown("HTTP://me@host", "http://host");
	assert_shown("https://me:se@cret@host/", "https://host/");
	assert_shown("http:/me:secret@host/", "http:/host/");
	assert_shown("http:///me:secret@host/", "http:///host/");
	assert_shown("me:secret@host/", "host/");
	assert_shown(" http://me:secret@host/", "http://host/");
	assert_shown("http://me:secret@host?q", "http://host?q");
}

static void
test_url_shown_without_user_is_the_url(void **state)
{
	(void)state;
	assert_shown("http://[fe80::1]:8080/a", "http://[fe80::1]:8080/a");
	assert_shown("host:80/mail@host", "host:80/mail@host");
	assert_shown("http://host?a@b", "http://host?a@b");
	assert_shown("", "");
}

static void
test_html_page_escapes_its_texts_and_has_the_style_asked_for(void **state)
{
	json_t *facts = json_pack("{s:s, s:i, s:b, s:n}", "a<b", "<i>", "n", 7, "yes", 1, "none");
	char *page = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&page, &len);

	(void)state;
	assert_non_null(out);
	html_page_begin(out, "<title>", "p > b{color:red}\n");
	html_page_url(out, "http://me:secret@host/<");
	html_page_facts(out, "R&D", facts);
	html_page_end(out);
	fclose(out);
	assert_non_null(strstr(page, "<title>&lt;title&gt;</title>"));
	assert_non_null(strstr(page, "color-scheme:light dark"));
	assert_non_null(strstr(page, "<style>\np > b{color:red}\n</style>"));
	assert_non_null(strstr(page, "<body>\nhttp://host/&lt;<h2>R&amp;D</h2>"));
	assert_non_null(strstr(page, "<tr><td>a&lt;b</td><td>&lt;i&gt;</td></tr>"));
	assert_non_null(strstr(page, "<tr><td>n</td><td>7</td></tr>"));
	assert_non_null(strstr(page, "<tr><td>yes</td><td>true</td></tr>"));
	assert_non_null(strstr(page, "<tr><td>none</td><td>null</td></tr>"));
	assert_null(strstr(page, "secret"));
	free(page);
	json_decref(facts);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_xml_text_markup_is_escaped),
		cmocka_unit_test(test_xml_text_forbidden_characters_are_replaced),
		cmocka_unit_test(test_xml_text_valid_utf8_is_kept_and_other_bytes_replaced),
		cmocka_unit_test(test_utf8_next_knows_the_bounds_of_each_length),
		cmocka_unit_test(test_url_shown_has_no_user_and_password),
		cmocka_unit_test(test_url_shown_without_user_is_the_url),
		cmocka_unit_test(test_html_page_escapes_its_texts_and_has_the_style_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
