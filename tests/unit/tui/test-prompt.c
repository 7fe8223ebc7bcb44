/* The input line: key scripts and what they leave. ^ in a script makes the next letter a control key. */
#include "core/fd.h"
#include "tui/keys.h"
#include "tui/prompt.h"

#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct {
	const char *name, *initial, *keys, *text;
	size_t cursor;
} rows[] = {
	{ "typing", "", "abc", "abc", 3 },
	{ "in the middle", "ac", "<b", "abc", 2 },
	{ "home and end", "bc", "^Aa^Ed", "abcd", 4 },
	{ "backspace over a wide character", "a\xe6\x97\xa5", "\b", "a", 1 },
	{ "left over a wide character", "a\xe6\x97\xa5z", "<<x", "ax\xe6\x97\xa5z", 2 },
	{ "delete at the end does nothing", "a", "\x7f", "a", 1 },
	{ "delete", "abc", "^A\x7f", "bc", 0 },
	{ "word", "host 10.0.0.1  ", "^W", "host ", 5 },
	{ "word at the start", "", "^W", "", 0 },
	{ "to the start", "abc def", "<<<^U", "def", 0 },
	{ "to the end", "abc def", "^A>>>^K", "abc", 3 },
	{ "left at the start stays", "a", "^A<<<b", "ba", 1 },
	{ "history", "", "uu", "first", 5 },
	{ "history and back", "", "uudd", "", 0 },
	{ "controls are not typed", "a", "^G^T", "a", 1 },
};

static int key_of(const char **at)
{
	char c = *(*at)++;

	switch (c) {
	case '^':
		return KEYS_CTRL(*(*at)++);
	case '<':
		return KEYS_LEFT;
	case '>':
		return KEYS_RIGHT;
	case '\b':
		return KEYS_BACKSPACE;
	case '\x7f':
		return KEYS_DELETE;
	case 'u':
		return KEYS_UP;
	case 'd':
		return KEYS_DOWN;
	default:
		return c;
	}
}

static void test_keys(void **state)
{
	struct prompt_history h = { .n = 0 };

	(void)state;
	prompt_history_add(&h, "first");
	prompt_history_add(&h, "second");
	prompt_history_add(&h, "second"); /* repeats are kept once */
	assert_int_equal(h.n, 2);
	for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
		struct prompt p;
		prompt_init(&p, "/", rows[i].initial, &h);
		bool history = strncmp(rows[i].name, "history", 7) == 0;
		for (const char *k = rows[i].keys; *k;) {
			int key = !history && (*k == 'u' || *k == 'd') ? *k++ : key_of(&k);
			prompt_key(&p, key);
		}
		if (strcmp(p.text, rows[i].text) != 0 || p.cursor != rows[i].cursor)
			print_message("row: %s\n", rows[i].name);
		assert_string_equal(p.text, rows[i].text);
		assert_int_equal(p.cursor, rows[i].cursor);
	}
	prompt_history_done(&h);
}

static void test_full(void **state)
{
	struct prompt p;

	(void)state;
	prompt_init(&p, "/", "", NULL);
	for (int i = 0; i < PROMPT_TEXT + 100; i++)
		prompt_key(&p, 'x');
	assert_int_equal(p.len, PROMPT_TEXT - 1);
	assert_int_equal(strlen(p.text), PROMPT_TEXT - 1);
}

static void test_paste(void **state)
{
	struct prompt p;

	(void)state;
	prompt_init(&p, "/", "a", NULL);
	prompt_paste(&p, (struct text){ "b\033[2Jc\nq", 8 });
	assert_string_equal(p.text, "ab^[[2Jc"); /* first line, made safe; the q presses no key */
	assert_int_equal(prompt_key(&p, KEYS_ENTER), PROMPT_DONE);
	assert_int_equal(prompt_key(&p, KEYS_ESC), PROMPT_CANCELLED);
	assert_int_equal(prompt_key(&p, KEYS_CTRL('C')), PROMPT_CANCELLED);
}

static void test_error_mark(void **state)
{
	struct canvas *c = canvas_new(40, 2, TEXT_UTF8);
	struct prompt p;
	char *got;

	(void)state;
	prompt_init(&p, "f>", "tcp prot 5", NULL);
	prompt_error(&p, 4, "syntax error");
	prompt_draw(&p, canvas_all(c), 0);
	got = canvas_dump(c);
	assert_string_equal(got, " f>tcp prot 5\n       ^ syntax error\n");
	free(got);
	canvas_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_paste),
		cmocka_unit_test(test_error_mark),
	};

	setlocale(LC_ALL, "C.UTF-8");
	return cmocka_run_group_tests_name("prompt", tests, NULL, NULL);
}
