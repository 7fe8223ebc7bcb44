/* The cell buffer: cutting, wide characters, outside bytes, keys in brackets. */
#include "core/fd.h"
#include "tui/canvas.h"
#include "tui/keys.h"

#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct {
	const char *name, *text, *want;
	int x, width;
	bool right;
	enum text_charset charset;
} fits[] = {
	{ "fits", "abc", "abc\n", 0, 5, false, TEXT_UTF8 },
	{ "right", "abc", "  abc\n", 0, 5, true, TEXT_UTF8 },
	{ "cut", "abcdef", "abcd…\n", 0, 5, false, TEXT_UTF8 },
	{ "cut in ASCII", "abcdef", "abcd~\n", 0, 5, false, TEXT_ASCII },
	{ "border of the area", "abcdefgh", "      abc…\n", 6, 20, false, TEXT_UTF8 },
	{ "wide character does not fit", "abc\xe6\x97\xa5\xe6\x97\xa5", "abc…\n", 0, 5, false, TEXT_UTF8 },
	{ "escape sequence", "a\033[2J", "a^[[2J\n", 0, 10, false, TEXT_UTF8 },
	{ "bidi", "a\xe2\x80\xae" "b", "a<U+202E>b\n", 0, 10, false, TEXT_UTF8 },
	{ "not UTF-8", "a\xff" "b", "a\\xffb\n", 0, 10, false, TEXT_UTF8 },
	{ "nothing", "", "\n", 0, 10, false, TEXT_UTF8 },
};

static void test_fit(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(fits); i++) {
		struct canvas *c = canvas_new(10, 1, fits[i].charset);
		canvas_fit(canvas_all(c), fits[i].x, 0, fits[i].width, fits[i].right, STYLE_TEXT, text_of(fits[i].text));
		char *got = canvas_dump(c);
		if (strcmp(got, fits[i].want) != 0)
			print_message("row: %s\n", fits[i].name);
		assert_string_equal(got, fits[i].want);
		free(got);
		canvas_free(c);
	}
}

static void test_wide_overwritten(void **state)
{
	struct canvas *c = canvas_new(6, 1, TEXT_UTF8);
	struct area a = canvas_all(c);
	char *got;

	(void)state;
	canvas_str(a, 0, 0, STYLE_TEXT, "\xe6\x97\xa5\xe6\x97\xa5");
	canvas_str(a, 1, 0, STYLE_TEXT, "x"); /* the right half of the first: its left half goes as well */
	got = canvas_dump(c);
	assert_string_equal(got, " x\xe6\x97\xa5\n");
	free(got);
	canvas_free(c);
}

static void test_outside(void **state)
{
	struct canvas *c = canvas_new(4, 2, TEXT_UTF8);
	struct area a = canvas_sub(canvas_all(c), 1, 1, 100, 100);
	char *got;

	(void)state;
	assert_int_equal(a.w, 3);
	assert_int_equal(a.h, 1);
	canvas_str(a, -2, 0, STYLE_TEXT, "abcdefgh");
	canvas_str(a, 0, -1, STYLE_TEXT, "no");
	canvas_str(a, 0, 1, STYLE_TEXT, "no");
	canvas_rule(a, 5, "no");
	canvas_ground(a, -3, GROUND_BAR);
	assert_null(canvas_at(c, 4, 0));
	got = canvas_dump(c);
	assert_string_equal(got, "\n cde\n");
	free(got);
	canvas_free(c);
}

static void test_hint(void **state)
{
	struct canvas *c = canvas_new(30, 1, TEXT_UTF8);
	char *got;

	(void)state;
	assert_int_equal(canvas_hint(canvas_all(c), 0, 0, STYLE_TEXT, "[c] capture  []] tab"), 20);
	got = canvas_dump_meaning(c, 0);
	assert_memory_equal(got, "fff..........fff....", 20);
	free(got);
	canvas_free(c);
}

static void test_rule(void **state)
{
	struct canvas *c = canvas_new(12, 1, TEXT_UTF8);
	char *got;

	(void)state;
	canvas_rule(canvas_all(c), 0, "a long title");
	got = canvas_dump(c);
	assert_string_equal(got, "─ a long … ─\n");
	free(got);
	canvas_free(c);
}

static void test_key_names(void **state)
{
	static const struct {
		int key;
		const char *name;
	} keys[] = { { KEYS_ENTER, "Enter" }, { 12, "^L" }, { KEYS_F(5), "F5" }, { 's', "s" }, { ' ', "Space" }, { 0xe9, "é" } };
	char buf[KEYS_TEXT];

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(keys); i++)
		assert_string_equal(keys_name(keys[i].key, buf), keys[i].name);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fit),
		cmocka_unit_test(test_wide_overwritten),
		cmocka_unit_test(test_outside),
		cmocka_unit_test(test_hint),
		cmocka_unit_test(test_rule),
		cmocka_unit_test(test_key_names),
	};

	setlocale(LC_ALL, "C.UTF-8");
	return cmocka_run_group_tests_name("canvas", tests, NULL, NULL);
}
