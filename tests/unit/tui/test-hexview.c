/* The hex view: geometry, cursor, marks. */
#include "core/fd.h"
#include "tui/hexview.h"
#include "tui/keys.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void widths(void **state)
{
	(void)state;
	assert_int_equal(hexview_columns(200), 16);
	assert_int_equal(hexview_columns(hexview_width(16)), 16);
	assert_int_equal(hexview_columns(hexview_width(16) - 1), 8);
	assert_int_equal(hexview_columns(hexview_width(8) - 1), 4);
	assert_int_equal(hexview_columns(0), 4);
}

static void marks(void **state)
{
	struct hexview v = { 0 };
	char buf[64];

	(void)state;
	hexview_set(&v, (struct text){ "abcdef", 6 });
	hexview_mark(&v, 2, 3);
	assert_int_equal(v.cursor, 2);
	hexview_text(&v, buf, sizeof buf);
	assert_string_equal(buf, "63 64 65");
	hexview_mark(&v, 4, 100); /* cut to what is there */
	assert_int_equal(v.n_mark, 2);
	hexview_mark(&v, 6, 1); /* outside */
	assert_int_equal(v.n_mark, 0);
	hexview_mark(&v, UINT64_MAX, UINT64_MAX);
	assert_int_equal(v.n_mark, 0);
	hexview_text(&v, buf, sizeof buf);
	assert_string_equal(buf, "61 62 63 64 65 66");
	hexview_text(&v, buf, 8);
	assert_true(strlen(buf) < 8);
}

static void moves(void **state)
{
	static const struct { int key; uint64_t at; } steps[] = {
		{ KEYS_DOWN, 8 }, { KEYS_DOWN, 16 }, { KEYS_DOWN, 19 }, { KEYS_RIGHT, 19 }, { KEYS_UP, 11 }, { KEYS_LEFT, 10 },
		{ KEYS_HOME, 0 }, { KEYS_LEFT, 0 }, { KEYS_UP, 0 }, { KEYS_END, 19 }, { KEYS_PAGE_UP, 11 }, { KEYS_PAGE_UP, 3 },
		{ KEYS_PAGE_UP, 3 }, { KEYS_PAGE_DOWN, 11 },
	};
	struct canvas *c = canvas_new(40, 2, TEXT_ASCII);
	struct hexview v = { 0 };

	(void)state;
	assert_false(hexview_key(&v, 'x'));
	assert_true(hexview_key(&v, KEYS_END)); /* nothing there: stays at 0 */
	assert_int_equal(v.cursor, 0);
	hexview_set(&v, (struct text){ "01234567890123456789", 20 });
	hexview_draw(&v, canvas_all(c), true);
	for (unsigned i = 0; i < ARRAY_LEN(steps); i++) {
		assert_true(hexview_key(&v, steps[i].key));
		if (v.cursor != steps[i].at)
			fail_msg("step %u: at %d", i, (int)v.cursor);
	}
	canvas_free(c);
}

static void draws(void **state)
{
	struct canvas *c = canvas_new(40, 3, TEXT_ASCII);
	struct hexview v = { 0 };
	uint64_t byte = 99;
	char *dump, *ground;

	(void)state;
	hexview_set(&v, (struct text){ "GET / HTTP/1.1\r\n\x00\xff", 18 });
	hexview_mark(&v, 6, 4);
	hexview_draw(&v, canvas_all(c), false);
	dump = canvas_dump(c);
	assert_string_equal(dump, "0000  47 45 54 20 2f 20[48 54  GET / HT\n"
		"0008  54 50]2f 31 2e 31 0d 0a  TP/1.1..\n"
		"0010  00 ff                    ..\n");
	ground = canvas_dump_meaning(c, 1);
	assert_non_null(strchr(ground, 'a' + GROUND_MARKED));
	assert_true(hexview_hit(&v, 6 + 3 * 2, 1, &byte));
	assert_int_equal(byte, 10);
	assert_true(hexview_hit(&v, 31, 1, &byte));
	assert_int_equal(byte, 8);
	assert_false(hexview_hit(&v, 6 + 3 * 2, 2, &byte)); /* behind the last byte */
	assert_false(hexview_hit(&v, 0, 0, &byte));
	assert_false(hexview_hit(&v, 7, -1, &byte));
	free(dump);
	free(ground);
	canvas_free(c);
}

/* A mark far down scrolls; nothing blank is shown while there are bytes above. */
static void scrolls(void **state)
{
	static char bytes[1000];
	struct canvas *c = canvas_new(40, 4, TEXT_ASCII);
	struct hexview v = { 0 };

	(void)state;
	hexview_set(&v, (struct text){ bytes, sizeof bytes });
	hexview_mark(&v, 500, 20);
	hexview_draw(&v, canvas_all(c), false);
	assert_true(v.top <= 500 / 8 && v.top + 4 > 519 / 8);
	hexview_mark(&v, 0, sizeof bytes);
	hexview_draw(&v, canvas_all(c), false);
	assert_int_equal(v.top, 0);
	hexview_key(&v, KEYS_END);
	hexview_draw(&v, canvas_all(c), true);
	assert_int_equal(v.top, 125 - 4);
	canvas_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(widths), cmocka_unit_test(marks), cmocka_unit_test(moves), cmocka_unit_test(draws), cmocka_unit_test(scrolls),
	};

	return cmocka_run_group_tests_name("hexview", tests, NULL, NULL);
}
