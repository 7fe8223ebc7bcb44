/*
 * Whole screens from built blocks, compared exactly with tests/unit/tui/golden/. No terminal, no session: the app's drawing on a
 * canvas. NSDBG_GOLDEN=write makes the files anew; look at them before committing.
 */
#include "fixture.h"
#include "fixture_app.h"

#include "core/fd.h"
#include "core/source/sockets.h"
#include "tui/hosted.h"

#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct shot {
	const char *name;
	int w, h;
	char view; /* '0' list, '1' ... */
	const char *keys; /* pressed before the picture */
	bool ascii;
	int dump; /* 0 text, 1 style, 2 ground */
	enum feed_state state; /* of the view's first feed; FEED_OFF: live */
	const char *why; /* of the feed's state; shots called shell: what runs in the terminal pane has written */
};

static const struct shot shots[] = {
	{ "list", 120, 36, '0', "", false, 0, FEED_OFF, NULL },
	{ "list", 160, 50, '0', "", false, 0, FEED_OFF, NULL },
	{ "list", 80, 24, '0', "", false, 0, FEED_OFF, NULL },
	{ "list", 40, 10, '0', "", false, 0, FEED_OFF, NULL },
	{ "list-ascii", 80, 24, '0', "", true, 0, FEED_OFF, NULL },
	{ "list-style", 80, 24, '0', "", false, 1, FEED_OFF, NULL },
	{ "list-ground", 80, 24, '0', "", false, 2, FEED_OFF, NULL },
	{ "list-all", 80, 24, '0', "aG", false, 0, FEED_OFF, NULL },
	{ "list-wide", 80, 24, '0', "wll", false, 0, FEED_OFF, NULL },
	{ "list-filter", 80, 24, '0', "/shop state:running", false, 0, FEED_OFF, NULL },
	{ "list-filter-wrong", 80, 24, '0', "/shop nosuch:x", false, 0, FEED_OFF, NULL },
	{ "list-filter-style", 80, 24, '0', "/db", false, 1, FEED_OFF, NULL },
	{ "networks", 80, 24, '0', "]j", false, 0, FEED_OFF, NULL },
	{ "shell", 120, 36, '2', "", .why = "$ ip -br addr\r\nlo     UNKNOWN  127.0.0.1/8\r\neth0   \033[32mUP\033[0m  172.18.0.5/16\r\n$ " },
	{ "shell", 80, 24, '2', "\035", .why = "$ \xe6\x97\xa5\xe6\x9c\xac\r\n$ " },
	{ "shell-zoom", 80, 24, '2', "\035V", .why = "$ top\r\n" },
	{ "shell", 40, 10, '2', "\035", .why = "$ " },
	{ "shell-palette", 80, 24, '2', "\035:term", .why = "$ " },
	{ "palette", 120, 36, '2', ":", false, 0, FEED_OFF, NULL },
	{ "palette", 80, 24, '0', ":so", false, 0, FEED_OFF, NULL },
	{ "palette", 40, 10, '0', ":shop", false, 0, FEED_OFF, NULL },
	{ "palette-style", 80, 24, '0', ":so", false, 1, FEED_OFF, NULL },
	{ "palette-nothing", 80, 24, '0', ":zzzz\r", false, 0, FEED_OFF, NULL },
	{ "palette-setting", 80, 24, '0', ":interval 1h\r", false, 0, FEED_OFF, NULL },
	{ "columns", 80, 24, '0', "C", false, 0, FEED_OFF, NULL },
	{ "too-small", 39, 10, '0', "", false, 0, FEED_OFF, NULL },
	{ "overview", 120, 36, '1', "", false, 0, FEED_OFF, NULL },
	{ "overview", 80, 24, '1', "", false, 0, FEED_OFF, NULL },
	{ "overview", 40, 10, '1', "", false, 0, FEED_OFF, NULL },
	{ "sockets", 120, 36, '2', "", false, 0, FEED_OFF, NULL },
	{ "sockets", 160, 50, '2', "", false, 0, FEED_OFF, NULL },
	{ "sockets", 80, 24, '2', "", false, 0, FEED_OFF, NULL },
	{ "sockets", 40, 10, '2', "", false, 0, FEED_OFF, NULL },
	{ "sockets-ascii", 120, 36, '2', "", true, 0, FEED_OFF, NULL },
	{ "sockets-sorted", 120, 36, '2', ">>I", false, 0, FEED_OFF, NULL },
	{ "sockets-killed", 80, 24, '2', "", false, 0, FEED_ENDED, "killed by signal 9" },
	{ "sockets-gone", 80, 24, '2', "", false, 0, FEED_GONE, "" },
	{ "sockets-gone-style", 80, 24, '2', "", false, 1, FEED_GONE, "" },
	{ "sockets-denied", 40, 10, '2', "", false, 0, FEED_FAILED, "open /proc/12841/ns/net: Permission denied" },
	{ "processes", 120, 36, '3', "jj", false, 0, FEED_OFF, NULL },
	{ "processes", 80, 24, '3', "jj", false, 0, FEED_OFF, NULL },
	{ "processes", 40, 10, '3', "", false, 0, FEED_OFF, NULL },
	{ "processes-flat", 80, 24, '3', "t", false, 0, FEED_OFF, NULL },
	{ "processes-frozen", 80, 24, '3', "Z", false, 0, FEED_OFF, NULL },
	{ "help", 120, 36, '2', "?", false, 0, FEED_OFF, NULL },
	{ "help", 80, 24, '0', "?", false, 0, FEED_OFF, NULL },
	{ "help", 40, 10, '3', "?", true, 0, FEED_OFF, NULL },
	{ "messages", 80, 24, '0', "hL", false, 0, FEED_OFF, NULL },
};

static void start(struct app *app, const struct shot *s)
{
	fixture_app_start(app, s->w, s->h, s->ascii ? TEXT_ASCII : TEXT_UTF8);
	fixture_app_view(app, s->view);
	struct pane *p = app_front(app);
	if (s->state != FEED_OFF) {
		p->feeds[0].state = s->state;
		p->feeds[0].spec.source = &sockets_source;
		snprintf(p->feeds[0].why, sizeof p->feeds[0].why, "%s", s->why);
	}
}

/* Keys, then no trace of when they were pressed. */
static void press(struct app *app, const char *keys)
{
	fixture_app_press(app, keys);
	app->toast[0] = '\0';
	for (unsigned i = 0; i < app->n_messages; i++)
		app->messages[i].time_ns = FIXTURE_NOW;
}

static char *read_file(const char *path)
{
	FILE *f = fopen(path, "r");
	char *text = fd_xcalloc(1, 1 << 18);

	if (f) {
		text[fread(text, 1, (1 << 18) - 1, f)] = '\0';
		fclose(f);
	}
	return text;
}

static void compare(const struct shot *s, const char *got)
{
	char path[512];

	snprintf(path, sizeof path, "%s/%s-%dx%d.txt", GOLDEN_DIR, s->name, s->w, s->h);
	if (getenv("NSDBG_GOLDEN")) {
		FILE *f = fopen(path, "w");
		assert_non_null(f);
		fputs(got, f);
		fclose(f);
		return;
	}
	char *want = read_file(path);
	if (strcmp(want, got) != 0)
		print_message("%s differs; it is now:\n%s", path, got);
	assert_string_equal(got, want);
	free(want);
}

static void test_shot(void **state)
{
	const struct shot *s = *state;
	bool is_shell = strncmp(s->name, "shell", 5) == 0;
	struct app app;
	char *got;

	if (is_shell && !hosted_is_there())
		return;
	start(&app, s);
	if (is_shell)
		hosted_write(app_term_open(&app, "net of shop-api-1   files: the host's", "bash", true), text_of(s->why));
	app_draw(&app); /* scrolling and columns know the screen from here on */
	press(&app, s->keys);
	app_draw(&app);
	got = s->dump ? canvas_dump_meaning(app.canvas, s->dump - 1) : canvas_dump(app.canvas);
	compare(s, got);
	free(got);
	fixture_app_end(&app);
}

/* What was never read has no number: not "0 processes". */
static void test_unread(void **state)
{
	(void)state;
	for (char view = '2'; view <= '3'; view++) {
		struct shot s = { .name = "unread", .w = 80, .h = 24, .view = view };
		struct app app;
		char *got;

		start(&app, &s);
		table_set_block(app_front(&app)->ops->grid(app_front(&app))->table, NULL);
		app_draw(&app);
		got = canvas_dump(app.canvas);
		assert_null(strstr(got, "0 sockets"));
		assert_null(strstr(got, "0 processes"));
		free(got);
		fixture_app_end(&app);
	}
}

/* Nothing may be written past the right or the lower border, whatever the size. */
static void test_all_sizes(void **state)
{
	(void)state;
	for (char view = '0'; view <= '3'; view++) {
		for (int w = 1; w < 170; w += 7) {
			for (int h = 1; h < 52; h += 5) {
				struct shot s = { .name = "any", .w = w, .h = h, .view = view };
				struct app app;
				start(&app, &s);
				app_draw(&app);
				if (hosted_is_there() && w % 2)
					app_term_open(&app, "net of x", "sh", true);
				app_draw(&app);
				press(&app, "\035G/x");
				app_draw(&app);
				fixture_app_end(&app);
			}
		}
	}
}

int main(void)
{
	struct CMUnitTest tests[ARRAY_LEN(shots) + 2];
	char names[ARRAY_LEN(shots)][64];

	setlocale(LC_ALL, "C.UTF-8");
	for (unsigned i = 0; i < ARRAY_LEN(shots); i++) {
		snprintf(names[i], sizeof names[i], "%s %dx%d", shots[i].name, shots[i].w, shots[i].h);
		tests[i] = (struct CMUnitTest){ .name = names[i], .test_func = test_shot, .initial_state = (void *)&shots[i] };
	}
	tests[ARRAY_LEN(shots)] = (struct CMUnitTest)cmocka_unit_test(test_all_sizes);
	tests[ARRAY_LEN(shots) + 1] = (struct CMUnitTest)cmocka_unit_test(test_unread);
	return cmocka_run_group_tests_name("screens", tests, NULL, NULL);
}
