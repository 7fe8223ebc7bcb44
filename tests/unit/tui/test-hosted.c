/* The hosted terminal: what becomes of a tool's bytes, what its keys send, and what never leaves it. */
#include "tui/hosted.h"

#include "core/fd.h"
#include "tui/keys.h"

#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct world {
	struct hosted *t;
	struct canvas *c;
	char sent[4096];
	size_t n_sent;
};

static void on_output(void *arg, const char *bytes, size_t n)
{
	struct world *w = arg;

	assert_true(w->n_sent + n < sizeof w->sent);
	memcpy(w->sent + w->n_sent, bytes, n);
	w->sent[w->n_sent += n] = 0;
}

static void start(struct world *w, int width, int height)
{
	*w = (struct world){ .n_sent = 0 };
	w->t = hosted_new(width, height, on_output, w);
	w->c = canvas_new(width, height, TEXT_UTF8);
}

static void end(struct world *w)
{
	hosted_free(w->t);
	canvas_free(w->c);
}

static void feed(struct world *w, const char *bytes)
{
	hosted_write(w->t, text_of(bytes));
}

static void shows(struct world *w, const char *picture)
{
	AUTO(fd_freep) char *dump = NULL;

	canvas_clear(w->c);
	hosted_draw(w->t, canvas_all(w->c), true);
	dump = canvas_dump(w->c);
	assert_string_equal(dump, picture);
}

static void test_picture(void **state)
{
	static const struct {
		const char *bytes, *picture;
	} rows[] = {
		{ "plain\r\ntext", "plain\ntext\n\n" },
		{ "\x1b[2;3Hhere", "\n  here\n\n" },
		{ "\xe6\x97\xa5\xe6\x9c\xac|e\xcc\x81|", "\xe6\x97\xa5\xe6\x9c\xac|e\xcc\x81|\n\n\n" },
		{ "a\xffz", "a\xef\xbf\xbdz\n\n\n" },
		{ "\x1b[?1049hother", "other\n\n\n" },
		{ "\x1b[?1049hother\x1b[?1049l", "\n\n\n" },
		{ "x\xe2\x80\xaey", "xy\n\n\n" }, /* right-to-left override: not a character one sees */
		{ "\x1b]0;title\x07\x1b]52;c;aGFsbG8=\x07ok", "ok\n\n\n" },
		{ "\x1bPq#0;2;0;0;0#0~~\x1b\\ok", "ok\n\n\n" },
		{ "\x1b[99bok", "ok\n\n\n" }, /* repeats nothing, for ever */
		{ "\x1b[99999;99999Hx", "\n\n           x\n" },
		{ "\x1b[999999999;999999999Hx", "x\n\n\n" }, /* no program says so */
		{ "\x1b[:::::::::::::::::::::::1;[6nx", "6nx\n\n\n" }, /* more parameters than libvterm 0.1 has room for */
		{ "\x1b[?1000;1006h\x1b[?1003hx\x1b#8y", "x8y\n\n\n" }, /* mouse, a screen of E */
		{ "\x1b]0;never ended\x1b[1mx", "x\n\n\n" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct world w;

		start(&w, 12, 3);
		feed(&w, rows[i].bytes);
		shows(&w, rows[i].picture);
		assert_string_equal(w.sent, "");
		end(&w);
	}
}

static void test_colors(void **state)
{
	const struct canvas_cell *cell;
	struct world w;

	(void)state;
	start(&w, 12, 3);
	feed(&w, "\x1b[1;31mr\x1b[0;48;5;200mb\x1b[0;38;2;255;255;255mw\x1b[0;7mv\x1b[0mn");
	hosted_draw(w.t, canvas_all(w.c), true);
	cell = canvas_at(w.c, 0, 0);
	assert_int_equal(cell->look, CANVAS_OWN | CANVAS_BOLD);
	assert_true(cell->fg == 2 || cell->fg == 10); /* bold is bright with some */
	assert_int_equal(canvas_at(w.c, 1, 0)->bg, 201);
	assert_int_equal(canvas_at(w.c, 2, 0)->fg, 232);
	assert_int_equal(canvas_at(w.c, 3, 0)->look, CANVAS_OWN | CANVAS_REVERSE);
	assert_int_equal(canvas_at(w.c, 4, 0)->fg, 0);
	end(&w);
}

static void test_keys(void **state)
{
	static const struct {
		int key;
		const char *sends;
	} rows[] = {
		{ 'a', "a" }, { 0xe4, "\xc3\xa4" }, { KEYS_ENTER, "\r" }, { KEYS_BACKSPACE, "\x7f" }, { KEYS_CTRL('C'), "\x03" },
		{ KEYS_ESC, "\x1b" }, { KEYS_UP, "\x1b[A" }, { KEYS_F(1), "\x1bOP" }, { KEYS_PAGE_DOWN, "\x1b[6~" }, { KEYS_CLICK, "" },
		{ KEYS_RESIZE, "" },
	};
	struct world w;

	(void)state;
	start(&w, 12, 3);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		w.n_sent = 0;
		w.sent[0] = 0;
		hosted_key(w.t, rows[i].key);
		assert_string_equal(w.sent, rows[i].sends);
	}
	feed(&w, "\x1b[?1h"); /* cursor keys as an application wants them */
	w.n_sent = 0;
	hosted_key(w.t, KEYS_UP);
	assert_string_equal(w.sent, "\x1bOA");
	/* A paste is text: no escape in it, and its end is ours. */
	feed(&w, "\x1b[?2004h");
	w.n_sent = 0;
	hosted_paste(w.t, text_of("a\nb\x1b[201~c"));
	assert_string_equal(w.sent, "\x1b[200~a\rb[201~c\x1b[201~");
	end(&w);
}

static void test_scrollback(void **state)
{
	char line[32];
	struct world w;

	(void)state;
	start(&w, 12, 3);
	for (int i = 1; i <= 2000; i++) {
		snprintf(line, sizeof line, "%s%d", i == 1 ? "" : "\r\n", i);
		feed(&w, line);
	}
	shows(&w, "1998\n1999\n2000\n");
	hosted_scroll(w.t, 3);
	shows(&w, "1995\n1996\n1997\n");
	feed(&w, "\r\n2001"); /* what is looked at stays */
	shows(&w, "1995\n1996\n1997\n");
	hosted_scroll(w.t, 100000);
	assert_int_equal(hosted_looking_back(w.t), HOSTED_SCROLLBACK);
	shows(&w, "1499\n1500\n1501\n");
	hosted_scroll(w.t, -100000);
	shows(&w, "1999\n2000\n2001\n");
	end(&w);
}

static void test_sizes(void **state)
{
	struct world w;

	(void)state;
	/* A lower screen with content below the cursor, and a cursor saved where no line is any more. */
	start(&w, 12, 6);
	feed(&w, "\x1b[6;1Hbelow\x1b" "7\x1b[1;1H");
	hosted_resize(w.t, 12, 2);
	feed(&w, "\x1b[J\x1b" "8\x1b[K\x1b[1J.");
	end(&w);
	start(&w, 12, 3);
	for (int i = -3; i < 300; i += 7) {
		hosted_resize(w.t, i * 3, i);
		feed(&w, "\x1b[2J\x1b[Hx\x1b[999Bsome longer text that wraps \xe6\x97\xa5\r\n");
		hosted_draw(w.t, canvas_all(w.c), true);
	}
	end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_picture),
		cmocka_unit_test(test_colors),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_scrollback),
		cmocka_unit_test(test_sizes),
	};

	setlocale(LC_CTYPE, "C.UTF-8");
	return cmocka_run_group_tests_name("hosted", tests, NULL, NULL);
}
