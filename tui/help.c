/* Help in sections, one line a key, in one or two columns by the width; messages; the column chooser. */
#include "tui/help.h"

#include "core/fd.h"
#include "tui/app_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { HELP_LINES = 160, HELP_SPLIT = 100, HELP_KEY = 17 };

struct help_line {
	char key[24]; /* "" = text; NULL title: see title */
	const char *title; /* a section starts */
	const char *text;
	enum severity sign;
};

struct help_state {
	struct pane *over;
	struct help_line lines[HELP_LINES];
	unsigned n;
	unsigned top;
	unsigned cursor; /* columns */
	unsigned most; /* last top that makes sense, as drawn */
};

const char *help_key_text(const struct binding *b, char *buf, size_t cap)
{
	char one[KEYS_TEXT], two[KEYS_TEXT];

	if (b->shown)
		return b->shown;
	if (b->alias && b->alias < KEYS_CLICK)
		snprintf(buf, cap, "%s %s", keys_name(b->key, one), keys_name(b->alias, two));
	else
		snprintf(buf, cap, "%s", keys_name(b->key, one));
	return buf;
}

/* --- help --- */

static const char *const group_titles[BINDING_N] = {
	[BINDING_VIEW] = "This view",
	[BINDING_GO] = "Go",
	[BINDING_MOVE] = "Move",
	[BINDING_TABLE] = "Tables",
	[BINDING_SCREEN] = "Screen",
	[BINDING_OUT] = "Take out",
};

static const struct help_line words[] = {
	{ .title = "Filter words" },
	{ .key = "word", .text = "any column, any case" },
	{ .key = "-word", .text = "rows without it" },
	{ .key = "col:a,b", .text = "in that column, any of them" },
	{ .key = "col=word", .text = "exactly" },
	{ .key = "col>n  col<n", .text = "numbers, with K M G, us ms s" },
	{ .key = "/re/", .text = "regular expression" },
	{ .title = "Signs (colour only repeats them)" },
	{ .sign = SEVERITY_BAD, .text = "broken" },
	{ .sign = SEVERITY_WARN, .text = "suspicious" },
	{ .sign = SEVERITY_OK, .text = "fine" },
	{ .sign = SEVERITY_IDLE, .text = "not running" },
	{ .sign = SEVERITY_UNKNOWN, .text = "unknown" },
	{ .title = "Good to know" },
	{ .text = "No key changes a target: nsdbg only looks." },
	{ .text = "A view letter takes the selection along, a digit does not." },
	{ .text = "Shift and drag: the terminal's own selection." },
};

static void line_add(struct help_state *s, const struct help_line *l)
{
	if (s->n < HELP_LINES)
		s->lines[s->n++] = *l;
}

static void collect(struct help_state *s, const struct pane *over, unsigned group)
{
	const struct binding *b;
	bool any = false;
	unsigned n;

	for (unsigned t = 0; (b = app_bindings(over, t, &n)); t++) {
		for (unsigned i = 0; i < n; i++) {
			struct help_line l = { .text = b[i].help };
			char key[24];
			if (b[i].group != group || !b[i].help || (b[i].works && !b[i].works(over)))
				continue;
			if (!any)
				line_add(s, &(struct help_line){ .title = group_titles[group] });
			any = true;
			snprintf(l.key, sizeof l.key, "%s", help_key_text(&b[i], key, sizeof key));
			line_add(s, &l);
		}
	}
}

/* The configuration's, with their keys. */
static void collect_commands(struct help_state *s)
{
	const struct app *app = s->over->env->app;
	const struct config *c = app ? app->options->config : NULL;

	for (unsigned i = 0; c && i < c->n_commands; i++) {
		const struct config_command *cmd = &c->commands[i];
		struct help_line l = { .text = cmd->help[0] ? cmd->help : cmd->text };
		char name[KEYS_TEXT];

		if (i == 0)
			line_add(s, &(struct help_line){ .title = "Own commands" });
		snprintf(l.key, sizeof l.key, "%s", cmd->key ? keys_name(cmd->key, name) : cmd->name);
		line_add(s, &l);
	}
}

static void help_collect(struct help_state *s)
{
	static const enum binding_group order[] = { BINDING_VIEW, BINDING_GO, BINDING_TABLE, BINDING_MOVE, BINDING_OUT,
		BINDING_SCREEN };

	for (unsigned i = 0; i < ARRAY_LEN(order); i++)
		collect(s, s->over, order[i]);
	collect_commands(s);
	for (unsigned i = 0; i < ARRAY_LEN(words); i++)
		line_add(s, &words[i]);
}

static void draw_help_line(struct area a, int y, const struct help_line *l)
{
	if (l->title) {
		canvas_rule(a, y, l->title);
		return;
	}
	if (l->sign) {
		canvas_sign(a, 1, y, l->sign);
		canvas_fit(a, 3, y, a.w - 4, false, STYLE_TEXT, text_of(l->text));
		return;
	}
	canvas_str(a, 1, y, STYLE_KEY, l->key);
	int x = l->key[0] ? 1 + HELP_KEY : 1;
	canvas_fit(a, x, y, a.w - x - 1, false, STYLE_TEXT, text_of(l->text));
}

/* Where to break into two columns: the section start nearest to the middle. */
static unsigned column_break(const struct help_state *s)
{
	unsigned best = s->n;

	for (unsigned i = 1; i < s->n; i++)
		if (s->lines[i].title && abs((int)i * 2 - (int)s->n) < abs((int)best * 2 - (int)s->n))
			best = i;
	return best;
}

static void draw_lines(struct help_state *s, struct area a)
{
	unsigned half = a.w >= HELP_SPLIT ? column_break(s) : s->n, high = half > s->n - half ? half : s->n - half;
	int left = half < s->n ? a.w / 2 : a.w;

	s->most = high > (unsigned)a.h ? high - (unsigned)a.h : 0;
	if (s->top > s->most)
		s->top = s->most;
	for (int y = 0; y < a.h; y++) {
		unsigned i = s->top + (unsigned)y;
		if (i < half)
			draw_help_line(canvas_sub(a, 0, 0, left, a.h), y, &s->lines[i]);
		if (half < s->n)
			canvas_glyph(a, left, y, STYLE_RULE, GLYPH_VLINE);
		if (half + i < s->n)
			draw_help_line(canvas_sub(a, left + 1, 0, a.w - left - 1, a.h), y, &s->lines[half + i]);
	}
}

static void draw_bar(struct area a, const char *left, const char *right)
{
	canvas_ground(a, 0, GROUND_BAR);
	canvas_str(a, 1, 0, STYLE_STRONG, left);
	if ((int)(strlen(left) + strlen(right)) + 4 < a.w)
		canvas_left_of(a, a.w - 1, 0, STYLE_TEXT, right);
}

static void help_draw(const struct pane *p, struct area a)
{
	struct help_state *s = p->state;
	char left[200], right[64];

	if (s->over->target_name[0])
		snprintf(left, sizeof left, "nsdbg help   view: %s (%s)", s->over->ops->title, s->over->target_name);
	else
		snprintf(left, sizeof left, "nsdbg help   view: %s", s->over->ops->title);
	draw_bar(canvas_line(a, 0), left, "Esc close");
	draw_lines(s, canvas_sub(a, 0, 1, a.w, a.h - 2));
	snprintf(right, sizeof right, "nsdbg %s", NSDBG_VERSION);
	draw_bar(canvas_line(a, a.h - 1), s->most ? "j k scroll" : "", right);
}

static int scroll_key(struct pane *p, int key)
{
	struct help_state *s = p->state;
	int page = 10, by = 0;

	switch (key) {
	case 'j':
	case KEYS_DOWN:
	case KEYS_WHEEL_DOWN:
		by = 1;
		break;
	case 'k':
	case KEYS_UP:
	case KEYS_WHEEL_UP:
		by = -1;
		break;
	case ' ':
	case KEYS_PAGE_DOWN:
	case KEYS_CTRL('D'):
		by = page;
		break;
	case 'b':
	case KEYS_PAGE_UP:
	case KEYS_CTRL('U'):
		by = -page;
		break;
	case 'g':
	case KEYS_HOME:
		by = -(int)s->top;
		break;
	case 'G':
	case KEYS_END:
		by = (int)(s->most - s->top);
		break;
	default:
		return 0;
	}
	s->top = (int)s->top + by < 0 ? 0 : (unsigned)((int)s->top + by);
	s->top = s->top > s->most ? s->most : s->top;
	return PANE_USED | PANE_DRAW;
}

static void no_event(struct pane *p, unsigned slot, struct link_event *ev)
{
	(void)p, (void)slot;
	if (ev->type == LINK_BLOCK)
		block_unref(ev->block);
}

/* --- messages --- */

static void messages_draw(const struct pane *p, struct area a)
{
	struct help_state *s = p->state;
	const struct app *app = p->env->app;
	unsigned n = app->n_messages < APP_MESSAGES ? app->n_messages : APP_MESSAGES;
	int h = a.h - 2;

	draw_bar(canvas_line(a, 0), "Messages, newest first", "Esc close");
	s->most = (int)n > h ? n - (unsigned)h : 0;
	if (n == 0)
		canvas_str(a, 1, 2, STYLE_DIM, "none");
	for (int y = 0; y < h && s->top + (unsigned)y < n; y++) {
		const struct app_message *m = &app->messages[(app->n_messages - 1 - s->top - (unsigned)y) % APP_MESSAGES];
		time_t t = (time_t)(m->time_ns / 1000000000);
		char clock[16] = "";
		struct tm tm;
		if (p->env->look.utc ? gmtime_r(&t, &tm) : localtime_r(&t, &tm))
			strftime(clock, sizeof clock, "%H:%M:%S", &tm);
		canvas_str(a, 1, y + 1, STYLE_DIM, clock);
		canvas_sign(a, 10, y + 1, m->severity);
		canvas_fit(a, 12, y + 1, a.w - 13, false, STYLE_TEXT, text_of(m->text));
	}
	draw_bar(canvas_line(a, a.h - 1), s->most ? "j k scroll" : "", "");
}

/* --- columns --- */

static struct grid *grid_over(const struct pane *p)
{
	const struct help_state *s = p->state;

	return s->over->ops->grid(s->over);
}

static void draw_column(const struct grid *g, struct area a, int y, unsigned i, bool here)
{
	const char *help = g->fields[i] && g->fields[i]->help ? g->fields[i]->help : "";
	bool shown = false;

	for (unsigned c = 0; c < g->n_shown; c++)
		shown |= g->shown[c].column == i;
	if (here)
		canvas_ground(a, y, GROUND_SELECTED);
	canvas_str(a, 0, y, STYLE_STRONG, here ? ">" : " ");
	canvas_str(a, 1, y, STYLE_KEY, g->hidden >> i & 1 ? "[ ]" : "[x]");
	canvas_fit(a, 5, y, 16, false, STYLE_STRONG, text_of(grid_title(g, i)));
	canvas_fit(a, 22, y, a.w - 22 - 15, false, STYLE_TEXT, text_of(help));
	if (!shown && !(g->hidden >> i & 1))
		canvas_left_of(a, a.w - 1, y, STYLE_DIM, g->columns[i].flags & GRID_WIDE ? "in wide (w)" : "no room");
}

static void columns_draw(const struct pane *p, struct area a)
{
	struct help_state *s = p->state;
	const struct grid *g = grid_over(p);
	int h = a.h - 2;

	draw_bar(canvas_line(a, 0), "Columns", "Esc close");
	s->top = s->cursor >= (unsigned)h ? s->cursor - (unsigned)h + 1 : 0;
	for (int y = 0; y < h && s->top + (unsigned)y < g->n_columns; y++)
		draw_column(g, canvas_sub(a, 0, 1, a.w, h), y, s->top + (unsigned)y, s->top + (unsigned)y == s->cursor);
	canvas_ground(a, a.h - 1, GROUND_BAR);
	canvas_hint(a, 1, a.h - 1, STYLE_TEXT, "[Space] on, off   [Enter] sort by it   [I] invert   [P] problems first");
}

static int columns_key(struct pane *p, int key)
{
	struct help_state *s = p->state;
	struct grid *g = grid_over(p);
	const struct field *f = g->fields[s->cursor];

	if (key == 'j' || key == KEYS_DOWN)
		s->cursor += s->cursor + 1 < g->n_columns;
	else if (key == 'k' || key == KEYS_UP)
		s->cursor -= s->cursor > 0;
	else if (key == ' ' && s->cursor > 0)
		g->hidden ^= 1u << s->cursor;
	else if (key == 'I')
		grid_sort_invert(g);
	else if (key == 'P')
		grid_sort_by(g, f ? f->name : NULL, false, true);
	else if (key == KEYS_ENTER && f)
		grid_sort_by(g, f->name, f->unit == UNIT_BYTES || f->unit == UNIT_PERCENT, false);
	else
		return 0;
	if (key == KEYS_ENTER)
		app_overlay(p->env->app, NULL);
	return PANE_USED | PANE_DRAW;
}

/* --- opening --- */

static const struct pane_ops help_ops = { .name = "help",
	.title = "Help",
	.state_size = sizeof(struct help_state),
	.draw = help_draw,
	.key = scroll_key,
	.event = no_event };
static const struct pane_ops messages_ops = { .name = "messages",
	.title = "Messages",
	.state_size = sizeof(struct help_state),
	.draw = messages_draw,
	.key = scroll_key,
	.event = no_event };
static const struct pane_ops columns_ops = { .name = "columns", .title = "Columns", .state_size = sizeof(struct help_state),
	.draw = columns_draw, .key = columns_key, .event = no_event };

static struct pane *open_over(const struct pane_ops *ops, struct pane *over)
{
	struct pane *p = NULL;

	pane_new(ops, over->env, NULL, &p, NULL);
	((struct help_state *)p->state)->over = over;
	return p;
}

struct pane *help_open(struct pane *over)
{
	struct pane *p = open_over(&help_ops, over);

	help_collect(p->state);
	return p;
}

struct pane *help_messages_open(struct pane *over)
{
	return open_over(&messages_ops, over);
}

struct pane *help_columns_open(struct pane *over)
{
	return open_over(&columns_ops, over);
}

/* --- README --- */

static void print_table(FILE *out, const char *title, const struct binding *b, unsigned n)
{
	char key[24];

	fprintf(out, "\n| %s | |\n| --- | --- |\n", title);
	for (unsigned i = 0; i < n; i++) {
		const char *text = b[i].help ? help_key_text(&b[i], key, sizeof key) : "";
		/* a bar would end the cell, in code as well */
		if (b[i].help)
			fprintf(out, "| `%s` | %s |\n", strcmp(text, "|") == 0 ? "\\|" : text, b[i].help);
	}
}

void app_print_keys(FILE *out)
{
	struct pane any = { .ops = &pane_sockets };
	const struct binding *b;
	unsigned n;

	b = app_bindings(&any, 2, &n);
	print_table(out, "Everywhere", b, n);
	b = app_table_bindings(&n);
	print_table(out, "Tables", b, n);
	print_table(out, "Targets", pane_list.bindings, pane_list.n_bindings);
	for (unsigned i = 0; i < pane_n_views; i++)
		print_table(out, pane_views[i]->title, pane_views[i]->bindings, pane_views[i]->n_bindings);
}
