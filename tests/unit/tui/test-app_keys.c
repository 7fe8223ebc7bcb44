/* What keys do, through the whole dispatch: prompt, overlay, tables; where they lead and what they take along. */
#include "fixture.h"
#include "fixture_app.h"

#include "core/fd.h"

#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct world {
	struct app app;
};

static int set_up(void **state)
{
	struct world *w = fd_xcalloc(1, sizeof *w);

	fixture_app_start(&w->app, 120, 36, TEXT_UTF8);
	app_draw(&w->app);
	*state = w;
	return 0;
}

static int tear_down(void **state)
{
	fixture_app_end(&((struct world *)*state)->app);
	free(*state);
	return 0;
}

static const char *filter_of(struct app *app)
{
	return table_filter_text(app_front(app)->ops->grid(app_front(app))->table);
}

static uint64_t selected(struct app *app)
{
	return app->list->ops->subject(app->list);
}

/* The fixture's targets without the first that the list shows: what an engine that answers early tells. */
static struct block *early_targets(uint64_t without)
{
	AUTO(block_unrefp) struct block *all = fixture_targets();
	struct builder *b = builder_new(&target_row_type);
	struct block *ret;

	for (uint32_t i = 0; i < block_count(all); i++)
		if (((const struct row_head *)block_row(all, i))->id != without)
			builder_copy_row(b, all, block_row(all, i));
	ret = builder_block(b);
	builder_free(b);
	return ret;
}

/* Engines answer one after the other: the cursor stays at the top until it is moved. */
static void test_cursor_starts_at_the_top(void **state)
{
	struct app *app = &((struct world *)*state)->app;
	uint64_t top = selected(app), moved;

	fixture_app_give(app->list, 1, early_targets(top));
	assert_true(selected(app) != top);
	fixture_app_give(app->list, 1, fixture_targets());
	assert_true(selected(app) == top);
	fixture_app_press(app, "j");
	moved = selected(app);
	fixture_app_give(app->list, 1, early_targets(top));
	assert_true(moved != top && selected(app) == moved);
	fixture_app_give(app->list, 1, fixture_targets());
	assert_true(selected(app) == moved);
}

static const char *view_of(struct app *app)
{
	return app_front(app)->ops->name;
}

/* Keys from the list and where one ends up. */
static const struct {
	const char *name, *keys, *view;
	bool quit;
} ways[] = {
	{ "Enter is the overview", "\r", "overview", false },
	{ "letter from the list", "s", "sockets", false },
	{ "digit", "3", "processes", false },
	{ "letter between views", "sp", "processes", false },
	{ "0 leads back", "s0", "list", false },
	{ "q leads back", "sq", "list", false },
	{ "Esc leads back", "s\033", "list", false },
	{ "Esc never quits", "\033\033\033", "list", false },
	{ "q quits from the list", "q", "list", true },
	{ "Q quits from anywhere", "sQ", "sockets", true },
	{ "- is the view before", "sp-", "sockets", false },
	{ "- twice", "sp--", "processes", false },
	{ "} keeps the view", "s}", "sockets", false },
	{ "letters on the list do nothing else", "xye", "list", false },
	{ "^C once", "\003", "list", false },
	{ "^C twice", "\003\003", "list", true },
	{ "q closes help, not the view", "s?q", "sockets", false },
	{ "keys in help are not pressed below", "?s", "list", false },
	{ "letters in a prompt are text", "/spQ\033", "list", false },
	{ "palette: a view by its name", ":sockets\r", "sockets", false },
	{ "palette: keys by their name", "s:processes\r", "processes", false },
	{ "palette: letters are text", ":Q\033", "list", false },
	{ "palette: Esc closes it, not the view", "s:proc\033", "sockets", false },
	{ "palette: a target opens in the same view", "s:target shop-api\r", "sockets", false },
	{ "palette: quit", ":quit at once\r", "list", true },
	{ "palette: nothing called so stays open", ":zzzz\rQ", "list", false },
};

static void test_ways(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(ways); i++) {
		struct app app;
		fixture_app_start(&app, 120, 36, TEXT_UTF8);
		app_draw(&app);
		fixture_app_press(&app, ways[i].keys);
		app_draw(&app);
		if (strcmp(view_of(&app), ways[i].view) != 0 || app.quit != ways[i].quit)
			print_message("row: %s\n", ways[i].name);
		assert_string_equal(view_of(&app), ways[i].view);
		assert_int_equal(app.quit, ways[i].quit);
		fixture_app_end(&app);
	}
}

static void test_filter(void **state)
{
	struct app *app = &((struct world *)*state)->app;

	fixture_app_press(app, "/db\r");
	assert_string_equal(filter_of(app), "db");
	fixture_app_press(app, "/xyz");
	assert_string_equal(filter_of(app), "dbxyz"); /* live */
	fixture_app_press(app, "\033");
	assert_false(app->prompting);
	assert_string_equal(filter_of(app), "db"); /* as before */
	fixture_app_press(app, "/ nosuch:1\r");
	assert_true(app->prompting); /* a wrong filter stays open, with the error under it */
	assert_string_not_equal(app->prompt.error, "");
	fixture_app_press(app, "\033\033");
	assert_string_equal(filter_of(app), ""); /* Esc undoes one step: the filter */
	assert_false(app->quit);
}

static void test_carry(void **state)
{
	struct app *app = &((struct world *)*state)->app;
	struct pane *p;
	struct carry c;

	fixture_app_view(app, '3');
	app_draw(app);
	fixture_app_press(app, "j2");
	assert_string_equal(filter_of(app), ""); /* a digit takes nothing along */
	fixture_app_press(app, "3s");
	assert_string_equal(view_of(app), "sockets");
	assert_string_equal(filter_of(app), "pid=12990"); /* a letter does */
	p = app_front(app);
	fixture_app_press(app, "\\");
	fixture_app_give(p, 0, fixture_sockets());
	fixture_app_give(p, 1, fixture_owners());
	app_draw(app);
	carry_init(&c);
	p->ops->give(p, 'c', &c);
	assert_string_equal(c.bpf, "host 172.18.0.3 and tcp port 5432");
	carry_init(&c);
	p->ops->give(p, 'd', &c);
	assert_string_equal(c.name, "172.18.0.3");
	carry_init(&c);
	p->ops->give(p, 'p', &c);
	assert_int_equal(c.pid, 12841);
}

static void test_findings(void **state)
{
	struct app *app = &((struct world *)*state)->app;
	struct grid *g = app->list->ops->grid(app->list);

	fixture_app_press(app, "Gn");
	assert_int_equal(grid_cursor(g), 0); /* the worst comes first */
	fixture_app_press(app, "n");
	assert_int_equal(grid_cursor(g), 1);
	fixture_app_press(app, "n");
	assert_int_equal(grid_cursor(g), 0); /* round */
	fixture_app_press(app, "N");
	assert_int_equal(grid_cursor(g), 1);
}

static void test_cursor_stays_on_its_row(void **state)
{
	struct app *app = &((struct world *)*state)->app;
	uint64_t before, after;

	fixture_app_press(app, "jjj");
	before = app->list->ops->subject(app->list);
	fixture_app_press(app, ">>I");
	after = app->list->ops->subject(app->list);
	assert_int_equal(before, after);
	fixture_app_give(app->list, 1, fixture_targets());
	assert_int_equal(app->list->ops->subject(app->list), before);
}

static void test_freeze(void **state)
{
	struct app *app = &((struct world *)*state)->app;
	struct pane *p;
	char *dump;

	fixture_app_view(app, '3');
	p = app_front(app);
	fixture_app_press(app, "Z");
	assert_true(p->frozen);
	app->env.now_ms += 61000;
	app_draw(app);
	dump = canvas_dump(app->canvas);
	assert_non_null(strstr(dump, "FROZEN 01:01"));
	free(dump);
	fixture_app_press(app, "\033");
	assert_false(p->frozen);
	assert_string_equal(view_of(app), "processes");
}

static void test_sorting_by_click(void **state)
{
	struct app *app = &((struct world *)*state)->app;
	struct grid *g = app->list->ops->grid(app->list);
	bool descending = true;

	app_key(app, (struct screen_key){ .key = KEYS_CLICK, .x = 5, .y = 2 }); /* NAME */
	assert_string_equal(table_sort_field(g->table, &descending)->name, "name");
	assert_false(descending);
	app_key(app, (struct screen_key){ .key = KEYS_CLICK, .x = 5, .y = 2 });
	table_sort_field(g->table, &descending);
	assert_true(descending);
	app_key(app, (struct screen_key){ .key = KEYS_CLICK, .x = 5, .y = 5 });
	assert_int_equal(grid_cursor(g), 2);
	app_key(app, (struct screen_key){ .key = KEYS_WHEEL_DOWN, .x = 5, .y = 5 });
	assert_int_equal(grid_cursor(g), 5);
	app_key(app, (struct screen_key){ .key = KEYS_DOUBLE_CLICK, .x = 5, .y = 3 });
	assert_string_equal(view_of(app), "list"); /* asked for: the loop serves it */
	assert_int_equal(app->env.go, '1');
}

/* Every key with a help text does something somewhere, and none is bound twice in one table. */
static void test_tables(void **state)
{
	struct app *app = &((struct world *)*state)->app;
	unsigned n;
	const struct binding *b;

	for (unsigned t = 0; (b = app_bindings(app->list, t, &n)); t++) {
		for (unsigned i = 0; i < n; i++) {
			assert_non_null(b[i].help);
			assert_true(b[i].run || b[i].shown);
			for (unsigned j = 0; b[i].key && j < i; j++) {
				assert_int_not_equal(b[i].key, b[j].key);
				assert_int_not_equal(b[i].key, b[j].alias);
			}
		}
	}
}

/* Any keys in any order: nothing may fall over. ^L ^Z M need a terminal, W a session. */
static void test_random_keys(void **state)
{
	static const int others[] = { KEYS_ENTER, KEYS_ESC, KEYS_TAB, KEYS_BACKSPACE, KEYS_UP, KEYS_DOWN, KEYS_LEFT, KEYS_RIGHT, KEYS_HOME,
		KEYS_END, KEYS_PAGE_UP, KEYS_PAGE_DOWN, KEYS_DELETE, KEYS_F(1), KEYS_F(4), KEYS_CTRL('D'), KEYS_CTRL('U') };
	struct app *app = &((struct world *)*state)->app;
	uint32_t seed = 1;

	for (int i = 0; i < 30000; i++) {
		seed = seed * 1664525 + 1013904223;
		uint32_t r = seed >> 8;
		int key = r % 3 ? (int)(' ' + r / 3 % 95) : others[r / 3 % ARRAY_LEN(others)];
		if (key == 'M' || key == 'W')
			continue;
		fixture_app_key(app, key);
		if (i % 100 == 0)
			canvas_resize(app->canvas, 30 + (int)(r % 140), 8 + (int)(r / 7 % 45));
		if (i % 500 == 0 && app->current != APP_AT_LIST && pane_views[app->current]->digit == '2')
			fixture_app_give(app_front(app), 0, fixture_sockets());
		if (i % 700 == 0)
			fixture_app_give(app->list, 1, fixture_targets());
		app_draw(app);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ways),
		cmocka_unit_test_setup_teardown(test_filter, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_carry, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_findings, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_cursor_stays_on_its_row, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_freeze, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_sorting_by_click, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_tables, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_cursor_starts_at_the_top, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_random_keys, set_up, tear_down),
	};

	setlocale(LC_ALL, "C.UTF-8");
	return cmocka_run_group_tests_name("app_keys", tests, NULL, NULL);
}
