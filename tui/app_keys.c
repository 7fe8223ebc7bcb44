/*
 * What keys do. A key goes to the prompt, else to the overlay, else through the tables: the pane's own, the table keys
 * when it has a grid, the keys that work everywhere. Footer, help and README are made from these same tables.
 */
#include "core/err.h"
#include "core/fd.h"
#include "core/loop.h"
#include "tui/app_state.h"
#include "tui/help.h"
#include "tui/palette.h"
#include "tui/pane_list.h"
#include "tui/writer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { APP_INTERRUPT_MS = 2000 };
enum { USED_DRAW = PANE_USED | PANE_DRAW };

static struct grid *grid_of(const struct pane *p)
{
	return p->ops->grid ? p->ops->grid(p) : NULL;
}

static bool has_table(const struct pane *p)
{
	struct grid *g = grid_of(p);

	return g && g->table;
}

static bool is_view(const struct pane *p)
{
	return p->ops->digit != '0';
}

/* --- everywhere --- */

static int key_view(struct pane *p, int key)
{
	struct app *app = p->env->app;
	struct carry carry;

	if (app_view_index((char)key) < 0)
		return 0;
	carry_init(&carry);
	if (p->ops->give && key > '9') /* letters take the selection along, digits do not */
		p->ops->give(p, (char)key, &carry);
	app_go(app, (char)key, 0, &carry);
	return USED_DRAW;
}

static int key_list(struct pane *p, int key)
{
	(void)key;
	app_to_list(p->env->app);
	return USED_DRAW;
}

static int key_target(struct pane *p, int key)
{
	struct app *app = p->env->app;
	uint64_t id = pane_list_step(app->list, p->target_id, key == '}' ? 1 : -1);

	if (id && id != p->target_id)
		app_go(app, p->ops->digit, id, NULL);
	else
		app_toast(app, SEVERITY_NONE, key == '}' ? "this is the last target" : "this is the first target");
	return USED_DRAW;
}

static int key_last(struct pane *p, int key)
{
	struct app *app = p->env->app;
	int last = app->last;

	(void)key;
	if (last == APP_AT_LIST)
		app_to_list(app);
	else if (app->views_target)
		app_go(app, pane_views[last]->digit, app->views_target, NULL);
	return USED_DRAW;
}

/* One step back: filter, zoom, view. */
static bool undo_step(struct pane *p)
{
	struct app *app = p->env->app;

	if (has_table(p) && table_filter_text(grid_of(p)->table)[0])
		table_filter(grid_of(p)->table, "", NULL, NULL);
	else if (p->frozen)
		pane_freeze(p, false);
	else if (p->zoom)
		p->zoom = false;
	else if (app->current != APP_AT_LIST)
		app_to_list(app);
	else
		return false;
	return true;
}

static int key_escape(struct pane *p, int key)
{
	(void)key;
	if (!undo_step(p))
		app_toast(p->env->app, SEVERITY_NONE, "q leaves nsdbg");
	return USED_DRAW;
}

static int key_back(struct pane *p, int key)
{
	struct app *app = p->env->app;

	(void)key;
	if (app->current == APP_AT_LIST)
		app->quit = true;
	else
		app_to_list(app);
	return USED_DRAW;
}

static int key_quit(struct pane *p, int key)
{
	(void)key;
	p->env->app->quit = true;
	return PANE_USED;
}

static int key_interrupt(struct pane *p, int key)
{
	struct app *app = p->env->app;
	uint64_t now = loop_now_ms();

	(void)key;
	if (app->interrupt_ms && now - app->interrupt_ms < APP_INTERRUPT_MS)
		app->quit = true;
	app->interrupt_ms = now;
	app_toast(app, SEVERITY_NONE, "press ^C again to quit");
	return USED_DRAW;
}

static int key_refresh(struct pane *p, int key)
{
	const struct target_row *back = app_comeback(p);

	(void)key;
	if (back) {
		struct app *app = p->env->app;
		for (int i = 0; i < APP_VIEWS; i++)
			if (app->views[i])
				pane_retarget(app->views[i], back);
		app->views_target = back->head.id;
		app_toast(app, SEVERITY_NONE, "%s opened again", p->target_name);
	} else if (pane_trouble(p) || !p->ops->refresh) {
		pane_feeds_refresh(p);
	} else {
		p->ops->refresh(p);
	}
	return USED_DRAW;
}

static int key_freeze(struct pane *p, int key)
{
	(void)key;
	pane_freeze(p, !p->frozen);
	return USED_DRAW;
}

static int key_zoom(struct pane *p, int key)
{
	(void)key;
	p->zoom = !p->zoom;
	return USED_DRAW;
}

static int key_numbers(struct pane *p, int key)
{
	(void)key;
	p->env->look.raw_numbers = !p->env->look.raw_numbers;
	app_toast(p->env->app, SEVERITY_NONE, p->env->look.raw_numbers ? "numbers in full" : "numbers with units");
	return USED_DRAW;
}

static int key_help(struct pane *p, int key)
{
	(void)key;
	app_overlay(p->env->app, help_open(p));
	return USED_DRAW;
}

static int key_palette(struct pane *p, int key)
{
	(void)key;
	app_overlay(p->env->app, palette_open(p));
	return USED_DRAW;
}

static int key_messages(struct pane *p, int key)
{
	(void)key;
	app_overlay(p->env->app, help_messages_open(p));
	return USED_DRAW;
}

static int key_mouse(struct pane *p, int key)
{
	struct app *app = p->env->app;

	(void)key;
	app->mouse = !app->mouse;
	screen_mouse(app->screen, app->mouse);
	app_toast(app, SEVERITY_NONE, app->mouse ? "mouse on" : "mouse off: the terminal selects text");
	return USED_DRAW;
}

static int key_redraw(struct pane *p, int key)
{
	(void)key;
	screen_redraw(p->env->app->screen);
	return USED_DRAW;
}

static int key_suspend(struct pane *p, int key)
{
	(void)key;
	screen_suspend(p->env->app->screen);
	return USED_DRAW;
}

/* --- tables --- */

static void filter_hint(struct app *app, const struct pane *p)
{
	const struct table *t = grid_of(p)->table;

	snprintf(app->prompt_hint, sizeof app->prompt_hint,
		"%u of %u   [Enter] keep  [Esc] cancel   word  -word  col:word  col>n  /re/", table_count(t),
		table_total(t));
}

static void filter_changed(struct pane *p, const char *text)
{
	struct err err = { 0 };
	size_t column = 0;

	if (table_filter(grid_of(p)->table, text, &column, &err) < 0)
		pane_prompt_error(p, column, err.msg);
	else
		pane_prompt_error(p, 0, "");
	filter_hint(p->env->app, p);
}

static bool filter_done(struct pane *p, const char *text)
{
	struct err err = { 0 };
	size_t column = 0;

	if (table_filter(grid_of(p)->table, text, &column, &err) == 0)
		return true;
	pane_prompt_error(p, column, err.msg);
	return false;
}

static void filter_cancelled(struct pane *p)
{
	table_filter(grid_of(p)->table, p->env->app->filter_before, NULL, NULL);
}

static int key_filter(struct pane *p, int key)
{
	struct app *app = p->env->app;
	struct pane_prompt spec = { .label = "/",
		.hint = app->prompt_hint,
		.history = &app->filter_history,
		.changed = filter_changed,
		.done = filter_done,
		.cancelled = filter_cancelled };

	(void)key;
	snprintf(spec.initial, sizeof spec.initial, "%s", table_filter_text(grid_of(p)->table));
	snprintf(app->filter_before, sizeof app->filter_before, "%s", spec.initial);
	filter_hint(app, p);
	pane_prompt(p, &spec);
	return USED_DRAW;
}

static int key_clear(struct pane *p, int key)
{
	(void)key;
	table_filter(grid_of(p)->table, "", NULL, NULL);
	return USED_DRAW;
}

static int key_finding(struct pane *p, int key)
{
	if (!grid_jump_finding(grid_of(p), key == 'N' ? -1 : 1))
		app_toast(p->env->app, SEVERITY_NONE, "no other row with a finding");
	return USED_DRAW;
}

static int key_sort(struct pane *p, int key)
{
	grid_sort_step(grid_of(p), key == '>' ? 1 : -1);
	return USED_DRAW;
}

static int key_invert(struct pane *p, int key)
{
	(void)key;
	grid_sort_invert(grid_of(p));
	return USED_DRAW;
}

static int key_columns(struct pane *p, int key)
{
	(void)key;
	app_overlay(p->env->app, help_columns_open(p));
	return USED_DRAW;
}

static int key_wide(struct pane *p, int key)
{
	struct grid *g = grid_of(p);

	(void)key;
	g->wide = !g->wide;
	g->shift = 0;
	app_toast(p->env->app, SEVERITY_NONE, g->wide ? "all columns; Left and Right scroll" : "columns that fit");
	return USED_DRAW;
}

static int key_follow(struct pane *p, int key)
{
	struct grid *g = grid_of(p);

	(void)key;
	g->follow = !g->follow;
	app_toast(p->env->app, SEVERITY_NONE, g->follow ? "following the end" : "not following");
	return USED_DRAW;
}

static int key_tag(struct pane *p, int key)
{
	struct grid *g = grid_of(p);
	const struct row_head *row = grid_selected(g, NULL);

	(void)key;
	if (!row)
		return PANE_USED;
	table_tag(g->table, row->id, !table_is_tagged(g->table, row->id));
	grid_move(g, 1);
	return USED_DRAW;
}

static int key_untag(struct pane *p, int key)
{
	(void)key;
	table_untag_all(grid_of(p)->table);
	return USED_DRAW;
}

static int key_copy(struct pane *p, int key)
{
	char buf[8192];
	size_t n = grid_row_text(grid_of(p), &p->env->look, buf, sizeof buf);

	(void)key;
	if (n)
		pane_copy(p, (struct text){ buf, n });
	return USED_DRAW;
}

/* --- writing to a file --- */

static enum writer_format format_of(const char *path)
{
	const char *dot = strrchr(path, '.');

	if (dot && strcmp(dot, ".json") == 0)
		return WRITER_JSON;
	if (dot && strcmp(dot, ".ndjson") == 0)
		return WRITER_NDJSON;
	if (dot && strcmp(dot, ".csv") == 0)
		return WRITER_CSV;
	return WRITER_WIDE;
}

static int write_table(struct pane *p, const char *path, int fd, struct err *err)
{
	const struct grid *g = grid_of(p);
	const struct block *b = table_block(g->table);
	struct writer_options o = { .format = format_of(path), .utc = p->env->look.utc, .charset = TEXT_UTF8, .full = true };
	struct writer *w = NULL;
	int r;

	if (!b)
		return err_set(err, ENODATA, "nothing to write yet");
	r = writer_new(&o, g->type, fd, &w, err);
	if (r < 0)
		return r;
	writer_head(w, block_time(b), p->env->app->host, p->env->targets, pane_target(p, NULL));
	writer_rows(w, g->table);
	r = writer_end(w, NULL, 0);
	writer_free(w);
	return r < 0 ? err_set(err, -r, "write %s", path) : 0;
}

static bool write_done(struct pane *p, const char *path)
{
	struct app *app = p->env->app;
	bool force = strcmp(app->write_refused, path) == 0;
	struct err err = { 0 };
	AUTO(fd_closep) int fd = -1;
	int r;

	if (!path[0])
		return false;
	fd = session_create(app->session, path, force, &err);
	if (fd == -EEXIST) {
		snprintf(app->write_refused, sizeof app->write_refused, "%s", path);
		pane_prompt_error(p, 0, "is there already: Enter again replaces it");
		return false;
	}
	r = fd < 0 ? fd : p->ops->write ? p->ops->write(p, path, fd, &err) : write_table(p, path, fd, &err);
	if (r < 0) {
		pane_prompt_error(p, 0, err.msg);
		return false;
	}
	if (!p->ops->write) /* who writes by itself says how much */
		app_toast(app, SEVERITY_NONE, "written to %s", path);
	return true;
}

static bool can_write(const struct pane *p)
{
	return p->ops->write || has_table(p);
}

static int key_write(struct pane *p, int key)
{
	struct app *app = p->env->app;
	struct pane_prompt spec = { .label = "write to ",
		.hint = "format by the name: .json .ndjson .csv, else text   [Enter] write  [Esc] cancel",
		.history = &app->write_history,
		.done = write_done };

	(void)key;
	app->write_refused[0] = '\0';
	if (p->ops->write_hint)
		spec.hint = p->ops->write_hint;
	if (p->ops->write_name)
		p->ops->write_name(p, spec.initial, sizeof spec.initial);
	else
		snprintf(spec.initial, sizeof spec.initial, "%s%s%s.json", p->target_name, p->target_name[0] ? "-" : "",
			p->ops->name);
	pane_prompt(p, &spec);
	return USED_DRAW;
}

/* --- tables of keys --- */

static const struct binding table_bindings[] = {
	{ .key = '/',
		.alias = KEYS_F(4),
		.label = "filter",
		.help = "filter the rows: word  -word  col:word  col>n  /re/",
		.run = key_filter,
		.works = has_table,
		.rank = 3,
		.group = BINDING_TABLE,
		.right = true },
	{ .key = '\\', .help = "clear the filter", .run = key_clear, .works = has_table, .group = BINDING_TABLE },
	{ .key = 'n',
		.alias = KEYS_F(3),
		.help = "next row with a finding",
		.run = key_finding,
		.works = has_table,
		.group = BINDING_TABLE },
	{ .key = 'N',
		.help = "previous row with a finding",
		.run = key_finding,
		.works = has_table,
		.group = BINDING_TABLE },
	{ .key = '<',
		.alias = '>',
		.shown = "< >",
		.label = "sort",
		.help = "sort by the column to the left, to the right",
		.run = key_sort,
		.works = has_table,
		.rank = 10,
		.group = BINDING_TABLE,
		.right = true },
	{ .key = 'I', .help = "invert the order", .run = key_invert, .works = has_table, .group = BINDING_TABLE },
	{ .key = 'C',
		.alias = 'O',
		.label = "columns",
		.help = "choose columns, sort by one",
		.run = key_columns,
		.works = has_table,
		.rank = 12,
		.group = BINDING_TABLE },
	{ .key = 'w',
		.label = "wide",
		.help = "all columns, scroll with Left and Right",
		.run = key_wide,
		.works = has_table,
		.rank = 13,
		.group = BINDING_TABLE },
	{ .key = 'F', .help = "follow: stay at the end", .run = key_follow, .group = BINDING_TABLE },
	{ .key = ' ', .help = "tag the row", .run = key_tag, .works = has_table, .group = BINDING_TABLE },
	{ .key = 'U', .help = "untag all", .run = key_untag, .works = has_table, .group = BINDING_TABLE },
	{ .key = 'y',
		.label = "copy",
		.help = "copy the row to the clipboard (OSC 52)",
		.run = key_copy,
		.rank = 14,
		.group = BINDING_OUT },
	{ .key = 'W',
		.label = "write",
		.help = "write to a file: .json .ndjson .csv, else text",
		.run = key_write,
		.works = can_write,
		.rank = 11,
		.group = BINDING_OUT },
	{ .shown = "j k Up Down", .help = "line down, up", .group = BINDING_MOVE },
	{ .shown = "^D ^U PgDn PgUp", .help = "page down, up", .group = BINDING_MOVE },
	{ .shown = "g G Home End", .help = "top, end", .group = BINDING_MOVE },
};

static const struct binding global_bindings[] = {
	{ .key = 's',
		.label = "sock",
		.help = "sockets; from a process: its own",
		.run = key_view,
		.rank = 4,
		.group = BINDING_GO,
		.list_only = true },
	{ .key = 'p',
		.label = "proc",
		.help = "processes; from a socket: its owner",
		.run = key_view,
		.rank = 5,
		.group = BINDING_GO,
		.list_only = true },
	{ .key = 'c',
		.label = "cap",
		.help = "capture; from a socket: its packets",
		.run = key_view,
		.rank = 6,
		.group = BINDING_GO,
		.list_only = true },
	{ .key = 'd',
		.label = "dns",
		.help = "DNS; from a socket or packet: that name",
		.run = key_view,
		.rank = 7,
		.group = BINDING_GO,
		.list_only = true },
	{ .key = 'i',
		.label = "net",
		.help = "network: interfaces, routes, the way out",
		.run = key_view,
		.rank = 8,
		.group = BINDING_GO,
		.list_only = true },
	{ .key = 'P',
		.label = "probe",
		.help = "probe; from a socket, packet, answer: that peer",
		.run = key_view,
		.rank = 8,
		.group = BINDING_GO,
		.list_only = true },
	{ .key = '1',
		.shown = "1-7",
		.help = "views of the target, in the order of the tabs",
		.run = key_view,
		.group = BINDING_GO },
	{ .key = '0', .help = "list of targets", .run = key_list, .group = BINDING_GO },
	{ .key = '{',
		.alias = '}',
		.shown = "{ }",
		.label = "target",
		.help = "previous, next target in the same view",
		.run = key_target,
		.works = is_view,
		.rank = 9,
		.group = BINDING_GO },
	{ .key = 'e', .label = "shell", .help = "shell of the host with the target's network and names", .run = app_exec_shell, .rank = 8,
		.group = BINDING_GO },
	{ .key = 'E', .help = "shell, choose namespaces first", .run = app_exec_choose, .group = BINDING_GO },
	{ .key = '!', .help = "run one command of the host in the target", .run = app_exec_command, .group = BINDING_GO },
	{ .key = '-', .help = "back to the last view", .run = key_last, .group = BINDING_GO },
	{ .key = KEYS_ESC,
		.help = "undo one step: prompt, filter, freeze, zoom, view",
		.run = key_escape,
		.group = BINDING_GO },
	{ .key = 'Z',
		.alias = KEYS_F(8),
		.label = "freeze",
		.help = "freeze the picture, data go on",
		.run = key_freeze,
		.rank = 15,
		.group = BINDING_SCREEN },
	{ .key = 'R',
		.alias = KEYS_F(5),
		.help = "refresh now; restart what has ended",
		.run = key_refresh,
		.group = BINDING_SCREEN },
	{ .key = KEYS_CTRL('R'), .help = "the same", .run = key_refresh, .group = BINDING_SCREEN },
	{ .key = 'z', .help = "zoom: the table alone", .run = key_zoom, .group = BINDING_SCREEN },
	{ .key = 'r', .help = "numbers in full or with units", .run = key_numbers, .group = BINDING_SCREEN },
	{ .key = 'M',
		.help = "mouse off, on (off: the terminal selects text)",
		.run = key_mouse,
		.group = BINDING_SCREEN },
	{ .key = ':',
		.help = "command palette: everything by its name, own commands",
		.run = key_palette,
		.group = BINDING_GO },
	{ .key = KEYS_CTRL(']'), .help = "terminal pane: into it, and back", .run = app_term_enter, .works = app_term_has, .group = BINDING_SCREEN },
	{ .key = 'V', .help = "terminal pane: the whole screen", .run = app_term_enter, .works = app_term_has, .group = BINDING_SCREEN },
	{ .key = 'L', .help = "messages so far", .run = key_messages, .group = BINDING_SCREEN },
	{ .key = KEYS_CTRL('L'), .help = "draw everything again", .run = key_redraw, .group = BINDING_SCREEN },
	{ .key = KEYS_CTRL('Z'), .help = "suspend (fg comes back)", .run = key_suspend, .group = BINDING_SCREEN },
	{ .key = KEYS_CTRL('C'), .help = "twice: quit", .run = key_interrupt, .group = BINDING_SCREEN },
	{ .key = '?',
		.alias = KEYS_F(1),
		.label = "help",
		.help = "this help",
		.run = key_help,
		.rank = 0,
		.group = BINDING_SCREEN,
		.right = true },
	{ .key = 'q',
		.label = "back",
		.help = "back; on the list: quit",
		.run = key_back,
		.rank = 1,
		.group = BINDING_GO,
		.right = true },
	{ .key = 'Q', .alias = KEYS_F(10), .help = "quit at once", .run = key_quit, .group = BINDING_GO },
};

const struct binding *app_table_bindings(unsigned *ret_n)
{
	*ret_n = ARRAY_LEN(table_bindings);
	return table_bindings;
}

const struct binding *app_bindings(const struct pane *p, unsigned i, unsigned *ret_n)
{
	*ret_n = 0;
	if (i == 0) {
		*ret_n = p->ops->n_bindings;
		return p->ops->n_bindings ? p->ops->bindings : table_bindings;
	}
	if (i == 1) {
		*ret_n = grid_of(p) ? ARRAY_LEN(table_bindings) : 0;
		return table_bindings;
	}
	if (i == 2) {
		*ret_n = ARRAY_LEN(global_bindings);
		return global_bindings;
	}
	return NULL;
}

static bool is_shown_digit(const struct binding *b, int key)
{
	return b->key == '1' && b->run == key_view && key >= '1' && key <= '9';
}

static int run_table(struct pane *p, const struct binding *bindings, unsigned n, int key)
{
	for (unsigned i = 0; i < n; i++) {
		const struct binding *b = &bindings[i];
		if (!b->run || (b->key != key && (!b->alias || b->alias != key) && !is_shown_digit(b, key)))
			continue;
		if (b->works && !b->works(p))
			continue;
		int r = b->run(p, key);
		if (r)
			return r;
	}
	return 0;
}

/* --- prompt --- */

void app_prompt_start(struct app *app)
{
	app->prompt_spec = app->env.prompt;
	memset(&app->env.prompt, 0, sizeof app->env.prompt);
	prompt_init(&app->prompt, app->prompt_spec.label, app->prompt_spec.initial, app->prompt_spec.history);
	app->prompt.hint = app->prompt_spec.hint;
	app->prompting = true;
	app->env.prompt_error_set = false;
}

static void prompt_result(struct app *app, enum prompt_result r)
{
	struct pane_prompt *spec = &app->prompt_spec;

	switch (r) {
	case PROMPT_CHANGED:
		if (spec->changed)
			spec->changed(spec->pane, app->prompt.text);
		break;
	case PROMPT_DONE:
		if (!spec->done(spec->pane, app->prompt.text))
			break;
		prompt_history_add(spec->history, app->prompt.text);
		app->prompting = false;
		break;
	case PROMPT_CANCELLED:
		app->prompting = false;
		if (spec->cancelled)
			spec->cancelled(spec->pane);
		break;
	case PROMPT_IGNORED:
	case PROMPT_MOVED:
		break;
	}
}

static void paste(struct app *app)
{
	struct text raw = screen_pasted(app->screen);

	if (app->prompting)
		prompt_result(app, prompt_paste(&app->prompt, raw));
	else if (!app->overlay && app_term_paste(app, raw))
		;
	else if (app->overlay && app->overlay->ops->paste)
		app->overlay->ops->paste(app->overlay, raw);
	else if (app_front(app)->ops->paste && !app->overlay)
		app_front(app)->ops->paste(app_front(app), raw);
	else
		app_toast(app, SEVERITY_NONE, "pasted text is ignored here; it works in prompts");
}

/* --- mouse --- */

static int spot_at(const struct app *app, int x, int y)
{
	for (unsigned i = 0; i < app->n_spots; i++)
		if (app->spots[i].y == y && x >= app->spots[i].x && x < app->spots[i].x + app->spots[i].w)
			return app->spots[i].key;
	return KEYS_NONE;
}

static void mouse(struct app *app, struct screen_key k)
{
	struct pane *p = app_front(app);
	struct grid *g = grid_of(p);
	int spot = k.key == KEYS_CLICK || k.key == KEYS_DOUBLE_CLICK ? spot_at(app, k.x, k.y) : KEYS_NONE;

	if (app_term_mouse(app, k.key, k.y))
		return;
	if (spot != KEYS_NONE) {
		app_key(app, (struct screen_key){ .key = spot });
		return;
	}
	if (p->ops->mouse && p->ops->mouse(p, k.key, k.x, k.y)) {
		;
	} else if (g && (k.key == KEYS_WHEEL_UP || k.key == KEYS_WHEEL_DOWN)) {
		grid_key(g, k.key);
		return;
	} else if (!g || grid_click(g, k.x, k.y) != 1) {
		return;
	}
	if (k.key == KEYS_DOUBLE_CLICK)
		run_table(p, p->ops->bindings, p->ops->n_bindings, KEYS_ENTER);
}

/* --- dispatch --- */

static bool key_in_pane(struct pane *p, int key)
{
	const struct config_command *own = app_command_of_key(p->env->app, key);
	unsigned n;
	const struct binding *b;
	struct grid *g = grid_of(p);

	if (p->ops->key && p->ops->key(p, key))
		return true;
	if (key == ':') /* a view's own :N is an entry in there */
		return key_palette(p, key);
	if (own) {
		app_command(p->env->app, own);
		return true;
	}
	for (unsigned i = 0; (b = app_bindings(p, i, &n)); i++)
		if (run_table(p, b, n, key))
			return true;
	return g && grid_key(g, key);
}

static void key_in_overlay(struct app *app, int key)
{
	struct pane *p = app->overlay;

	if (p->ops->key && p->ops->key(p, key))
		return;
	if (key == KEYS_CTRL('Z') || key == KEYS_CTRL('L') || key == KEYS_CTRL('C') || key == 'Q' || key == KEYS_F(10))
		run_table(app_front(app), global_bindings, ARRAY_LEN(global_bindings), key);
	else if (key == KEYS_ESC || key == 'q' || key == KEYS_ENTER || key == '?' || key == KEYS_F(1))
		app_overlay(app, NULL);
}

void app_key(struct app *app, struct screen_key k)
{
	char name[KEYS_TEXT];

	if (!app->overlay && !app->prompting && k.key < KEYS_CLICK && app_term_key(app, k.key))
		return;
	if (k.key == KEYS_PASTE) {
		paste(app);
	} else if (app->prompting && k.key < KEYS_CLICK) {
		prompt_result(app, prompt_key(&app->prompt, k.key));
	} else if (app->overlay) {
		key_in_overlay(app, k.key);
	} else if (k.key >= KEYS_CLICK && k.key <= KEYS_WHEEL_DOWN) {
		if (!app->prompting)
			mouse(app, k);
	} else if (!key_in_pane(app_front(app), k.key) && k.key < KEYS_CLICK) {
		if (k.key == 'h' || k.key == 'l' || k.key == KEYS_LEFT || k.key == KEYS_RIGHT)
			app_toast(app, SEVERITY_NONE, "nothing to the %s; ? is help",
				k.key == 'h' || k.key == KEYS_LEFT ? "left" : "right");
		else
			app_toast(app, SEVERITY_NONE, "%s does nothing here; ? is help", keys_name(k.key, name));
	}
}
