/* The choke point: nothing that moves a cursor, reorders or hides text gets through. */
#include "core/text.h"

#include "core/fd.h"

#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct row {
	const char *in;
	size_t n; /* 0: strlen */
	const char *utf8, *ascii, *json;
};

static const struct row rows[] = {
	{ "plain text 123", 0, "plain text 123", "plain text 123", "plain text 123" },
	{ "a\tb\nc\rd\be", 0, "a^Ib^Jc^Md^He", "a^Ib^Jc^Md^He", "a\\tb\\nc\\rd\\be" },
	{ "\033[2J\033]52;c;eA\a", 0, "^[[2J^[]52;c;eA^G", "^[[2J^[]52;c;eA^G", "\\u001b[2J\\u001b]52;c;eA\\u0007" },
	{ "\x7f", 0, "^?", "^?", "\\u007f" },
	{ "nul\0in", 6, "nul^@in", "nul^@in", "nul\\u0000in" },
	{ "caf\xc3\xa9", 0, "caf\xc3\xa9", "caf?", "caf\xc3\xa9" },
	{ "\xc2\x9b" "31m", 0, "<U+009B>31m", "<U+009B>31m", "\\u009b31m" },
	{ "\x9b" "31m", 0, "\\x9b31m", "\\x9b31m", "\xef\xbf\xbd" "31m" },
	{ "\xe2\x80\xae" "evil", 0, "<U+202E>evil", "<U+202E>evil", "\\u202eevil" },
	{ "ng\xe2\x80\x8binx", 0, "ng<U+200B>inx", "ng<U+200B>inx", "ng\\u200binx" },
	{ "\xe2\x80\xa8", 0, "<U+2028>", "<U+2028>", "\\u2028" },
	{ "\xf3\xa0\x81\x81", 0, "<U+E0041>", "<U+E0041>", "\\udb40\\udc41" },
	{ "\xef\xbb\xbf", 0, "<U+FEFF>", "<U+FEFF>", "\\ufeff" },
	{ "\xc0\xaf", 0, "\\xc0\\xaf", "\\xc0\\xaf", "\xef\xbf\xbd\xef\xbf\xbd" }, /* overlong */
	{ "\xed\xa0\x80", 0, "\\xed\\xa0\\x80", "\\xed\\xa0\\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" }, /* surrogate */
	{ "\xf4\x90\x80\x80", 0, "\\xf4\\x90\\x80\\x80", "\\xf4\\x90\\x80\\x80",
		"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
	{ "\xe2\x82", 0, "\\xe2\\x82", "\\xe2\\x82", "\xef\xbf\xbd\xef\xbf\xbd" }, /* cut */
	{ "e\xcc\x81\xcc\x81\xcc\x81\xcc\x81x", 0, "e\xcc\x81\xcc\x81x", "e????x", "e\xcc\x81\xcc\x81\xcc\x81\xcc\x81x" },
	{ "\"\\/", 0, "\"\\/", "\"\\/", "\\\"\\\\/" },
	{ "%s%n%1000000d", 0, "%s%n%1000000d", "%s%n%1000000d", "%s%n%1000000d" },
	{ "", 0, "", "", "" },
};

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct text in = { .p = rows[i].in, .n = rows[i].n ? rows[i].n : strlen(rows[i].in) };
		char buf[256], twice[256];

		text_clean(buf, sizeof buf, in, TEXT_UTF8);
		assert_string_equal(buf, rows[i].utf8);
		text_clean(twice, sizeof twice, text_of(buf), TEXT_UTF8);
		assert_string_equal(twice, buf);
		text_clean(buf, sizeof buf, in, TEXT_ASCII);
		assert_string_equal(buf, rows[i].ascii);
		assert_int_equal(text_json(buf, sizeof buf, in), strlen(rows[i].json));
		assert_string_equal(buf, rows[i].json);
	}
}

/* Every buffer size: whole pieces only, always ended, never past the end. */
static void test_small_buffers(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct text in = { .p = rows[i].in, .n = rows[i].n ? rows[i].n : strlen(rows[i].in) };

		for (size_t cap = 1; cap < 40; cap++) {
			char *exact = malloc(cap);
			size_t n = text_clean(exact, cap, in, TEXT_UTF8);

			assert_true(n < cap);
			assert_int_equal(exact[n], 0);
			assert_memory_equal(exact, rows[i].utf8, n);
			memset(exact, '\n', cap);
			text_json(exact, cap, in);
			assert_true(strlen(exact) < cap);
			assert_memory_equal(exact, rows[i].json, strlen(exact));
			free(exact);
		}
	}
}

static void test_width(void **state)
{
	static const struct {
		const char *s;
		size_t columns, bytes, width, all;
	} w[] = {
		{ "abc", 2, 2, 2, 3 },
		{ "\xe4\xbd\xa0\xe5\xa5\xbd", 3, 3, 2, 4 }, /* two wide letters: the second does not fit in half */
		{ "e\xcc\x81x", 1, 3, 1, 2 },
		{ "", 5, 0, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(w); i++) {
		size_t width;

		assert_int_equal(text_fit(text_of(w[i].s), w[i].columns, &width), w[i].bytes);
		assert_int_equal(width, w[i].width);
		assert_int_equal(text_width(text_of(w[i].s)), w[i].all);
	}
}

static void test_contains(void **state)
{
	(void)state;
	assert_true(text_contains(text_of("Shop-API"), text_of("api")));
	assert_false(text_contains(text_of("shop"), text_of("shops")));
	assert_true(text_contains(text_of(NULL), text_of("")));
	assert_false(text_contains(text_of(NULL), text_of("x")));
	assert_int_equal(text_compare(text_of("a"), text_of("ab")), -1);
	assert_int_equal(text_compare(text_of("b"), text_of("ab")), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows), cmocka_unit_test(test_small_buffers), cmocka_unit_test(test_width),
		cmocka_unit_test(test_contains),
	};

	setlocale(LC_ALL, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
