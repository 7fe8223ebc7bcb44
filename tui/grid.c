/*
 * The table widget. Widths follow the content met so far, so columns do not jump while one scrolls; what does not fit
 * leaves by priority; an address is never cut. Costs what is on the screen, not what is in the table.
 */
#include "tui/grid.h"

#include "core/fd.h"
#include "tui/keys.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	GRID_LEFT = 3 /* ">✗ " */,
	GRID_MAX_WIDTH = 40,
	GRID_CELL = 1024,
	GRID_TOP_PRIORITY = 3,
	GRID_LOW_PRIORITY = 8,
	GRID_PRIORITIES = 16
};

void grid_init(struct grid *g, const struct row_type *type, const struct grid_column *columns, unsigned n,
	const struct grid_rows *rows, const void *arg)
{
	memset(g, 0, sizeof *g);
	g->type = type;
	g->columns = columns;
	g->n_columns = n < GRID_COLUMNS ? n : GRID_COLUMNS;
	g->rows = rows;
	g->arg = arg;
	g->body = 10;
	for (unsigned i = 0; i < g->n_columns; i++)
		g->fields[i] = columns[i].field ? row_field_find(type, columns[i].field) : NULL;
	if (!rows)
		g->table = table_new(type);
}

struct cell {
	uint32_t at; /* in `text` */
	uint32_t n;
};

/* The texts of all rows on the screen, made once for measuring and drawing; the memory serves the next frame again. */
struct grid_cells {
	struct cell *list; /* rows from g->top on, by n_columns */
	char *text; /* each with a NUL */
	size_t cap_list, n, cap;
};

static void free_cells(struct grid_cells *k)
{
	if (!k)
		return;
	free(k->list);
	free(k->text);
	free(k);
}

void grid_done(struct grid *g)
{
	free_cells(g->cells);
	g->cells = NULL;
	table_free(g->table);
	g->table = NULL;
}

uint64_t grid_count(const struct grid *g)
{
	return g->rows ? g->rows->count(g->arg) : table_count(g->table);
}

uint64_t grid_cursor(const struct grid *g)
{
	return g->rows ? g->cursor : table_cursor(g->table);
}

static const void *row_at(const struct grid *g, uint64_t i, const struct block **ret_block)
{
	if (g->rows)
		return g->rows->at(g->arg, i, ret_block);
	*ret_block = table_block(g->table);
	return table_at(g->table, (uint32_t)i);
}

const void *grid_selected(const struct grid *g, const struct block **ret_block)
{
	const struct block *b = NULL;
	const void *row = grid_count(g) ? row_at(g, grid_cursor(g), &b) : NULL;

	if (ret_block)
		*ret_block = b;
	return row;
}

void grid_jump(struct grid *g, uint64_t i)
{
	uint64_t n = grid_count(g);

	if (i >= n)
		i = n ? n - 1 : 0;
	if (g->rows)
		g->cursor = i;
	else
		table_jump(g->table, (uint32_t)i);
}

void grid_move(struct grid *g, int64_t delta)
{
	uint64_t at = grid_cursor(g);

	if (delta < 0)
		g->follow = false;
	if (delta < 0 && (uint64_t)-delta > at)
		at = 0;
	else
		at += (uint64_t)delta;
	grid_jump(g, at);
}

bool grid_jump_finding(struct grid *g, int direction)
{
	uint32_t n = g->table ? table_count(g->table) : 0;
	uint32_t at = n ? table_cursor(g->table) : 0;

	for (uint32_t i = 1; i < n; i++) {
		uint32_t next = direction > 0 ? (at + i) % n : (at + n - i) % n;
		const struct row_head *row = table_at(g->table, next);
		if (row->severity == SEVERITY_WARN || row->severity == SEVERITY_BAD) {
			table_jump(g->table, next);
			return true;
		}
	}
	return false;
}

static bool key_sideways(struct grid *g, int key)
{
	if (!g->wide)
		return false;
	if (key == KEYS_RIGHT || key == 'l')
		g->shift += g->shift + 2 < g->n_columns;
	else
		g->shift -= g->shift > 0;
	return true;
}

bool grid_key(struct grid *g, int key)
{
	int page = g->body > 1 ? g->body - 1 : 1;

	switch (key) {
	case KEYS_UP:
	case 'k':
		grid_move(g, -1);
		return true;
	case KEYS_DOWN:
	case 'j':
		grid_move(g, 1);
		return true;
	case KEYS_PAGE_UP:
	case KEYS_CTRL('U'):
		grid_move(g, -page);
		return true;
	case KEYS_PAGE_DOWN:
	case KEYS_CTRL('D'):
		grid_move(g, page);
		return true;
	case KEYS_WHEEL_UP:
		grid_move(g, -3);
		return true;
	case KEYS_WHEEL_DOWN:
		grid_move(g, 3);
		return true;
	case KEYS_HOME:
	case 'g':
		grid_move(g, -(int64_t)grid_cursor(g) - 1);
		return true;
	case KEYS_END:
	case 'G':
		grid_jump(g, UINT64_MAX);
		return true;
	case KEYS_LEFT:
	case KEYS_RIGHT:
	case 'h':
	case 'l':
		return key_sideways(g, key);
	default:
		return false;
	}
}

/* --- sorting --- */

static int sort_column(const struct grid *g, bool *ret_descending)
{
	const struct field *f = g->table ? table_sort_field(g->table, ret_descending) : NULL;

	for (unsigned i = 0; f && i < g->n_columns; i++)
		if (g->fields[i] == f)
			return (int)i;
	return -1;
}

/* Numbers are wanted with the greatest first, names with the smallest. */
static bool natural_descending(const struct field *f)
{
	return f->kind == FIELD_REAL || f->unit == UNIT_BYTES || f->unit == UNIT_PERCENT;
}

void grid_sort_step(struct grid *g, int direction)
{
	bool descending = false;
	int n = (int)g->n_columns, at = sort_column(g, &descending);

	for (int i = 0; g->table && i < n; i++) {
		at = (at + direction + n) % n;
		if (at < 0)
			at = n - 1;
		if (!g->fields[at] || (g->columns[at].flags & GRID_WIDE && !g->wide) || g->hidden >> at & 1)
			continue;
		grid_sort_by(g, g->fields[at]->name, natural_descending(g->fields[at]), false);
		return;
	}
}

void grid_sort_invert(struct grid *g)
{
	bool descending = false;
	const struct field *f = g->table ? table_sort_field(g->table, &descending) : NULL;

	if (f)
		table_sort(g->table, f, !descending, g->severity_first);
}

void grid_sort_by(struct grid *g, const char *field, bool descending, bool severity_first)
{
	if (!g->table)
		return;
	g->severity_first = severity_first;
	table_sort(g->table, field ? row_field_find(g->type, field) : NULL, descending, severity_first);
}

const char *grid_sort_text(const struct grid *g, char *buf, size_t cap)
{
	bool descending = false;
	const struct field *f = g->table ? table_sort_field(g->table, &descending) : NULL;

	if (g->severity_first)
		snprintf(buf, cap, "severity%s%s", f ? ", " : "", f ? f->name : "");
	else
		snprintf(buf, cap, "%s%s", f ? f->name : "", f ? descending ? " v" : " ^" : "");
	return buf;
}

int grid_click(struct grid *g, int x, int y)
{
	int line = y - g->y;

	if (line < 0 || line >= g->height || x < g->x)
		return 0;
	if (line == 0 && !g->no_heading) {
		for (unsigned i = 0; i < g->n_shown; i++) {
			int at = x - g->x - g->shown[i].x;
			unsigned c = g->shown[i].column;
			bool descending;
			if (at < 0 || at >= g->shown[i].w || !g->fields[c])
				continue;
			if (sort_column(g, &descending) == (int)c && !g->severity_first)
				grid_sort_invert(g);
			else
				grid_sort_by(g, g->fields[c]->name, natural_descending(g->fields[c]), false);
			return 2;
		}
		return 0;
	}
	line -= !g->no_heading;
	if (g->top + (uint64_t)line >= grid_count(g))
		return 0;
	grid_jump(g, g->top + (uint64_t)line);
	g->follow = false;
	return 1;
}

/* --- layout --- */

const char *grid_title(const struct grid *g, unsigned i)
{
	if (g->columns[i].title)
		return g->columns[i].title;
	return g->fields[i] ? g->fields[i]->title : "";
}

size_t grid_cell(const struct grid *g, unsigned i, const struct block *b, const void *row, const struct row_look *look,
	char *buf, size_t cap)
{
	char raw[GRID_CELL];
	size_t n;

	if (!g->columns[i].format)
		return g->fields[i] ? row_format(b, g->fields[i], row, look, buf, cap) : 0;
	n = g->columns[i].format(g->arg, b, row, look, raw, sizeof raw);
	return text_clean(buf, cap, (struct text){ raw, n < sizeof raw ? n : sizeof raw - 1 }, look->charset);
}

static bool column_on(const struct grid *g, unsigned i)
{
	return !(g->hidden >> i & 1) && (g->wide || !(g->columns[i].flags & GRID_WIDE));
}

static int column_max(const struct grid *g, unsigned i)
{
	int max = g->columns[i].max ? g->columns[i].max : GRID_MAX_WIDTH;

	return g->wide && max < 120 ? 120 : max;
}

static struct text cell_text(const struct grid *g, uint64_t row, unsigned column)
{
	const struct cell *c = &g->cells->list[(row - g->top) * g->n_columns + column];

	return (struct text){ g->cells->text + c->at, c->n };
}

static void add_cell(struct grid *g, uint64_t at, unsigned column, const struct block *b, const void *row, const struct row_look *look)
{
	struct grid_cells *k = g->cells;
	size_t n;

	if (k->n + GRID_CELL > k->cap) {
		k->cap = k->cap ? k->cap * 2 : 4 * GRID_CELL;
		k->text = fd_xrealloc(k->text, k->cap, 1);
	}
	n = grid_cell(g, column, b, row, look, k->text + k->n, GRID_CELL - 1);
	k->text[k->n + n] = '\0';
	k->list[(at - g->top) * g->n_columns + column] = (struct cell){ (uint32_t)k->n, (uint32_t)n };
	k->n += n + 1;
}

static void clear_cells(struct grid *g)
{
	size_t need = (size_t)g->body * g->n_columns;

	if (!g->cells)
		g->cells = fd_xcalloc(1, sizeof *g->cells);
	g->cells->n = 0;
	if (need > g->cells->cap_list) {
		g->cells->list = fd_xrealloc(g->cells->list, need, sizeof *g->cells->list);
		g->cells->cap_list = need;
	}
	memset(g->cells->list, 0, need * sizeof *g->cells->list);
}

/* Makes the cells, and widens g->width by what is on the screen now. */
static void measure(struct grid *g, const struct row_look *look)
{
	uint64_t n = grid_count(g);

	clear_cells(g);
	for (uint64_t r = g->top; r < n && r < g->top + (uint64_t)g->body; r++) {
		const struct block *b = NULL;
		const void *row = row_at(g, r, &b);
		for (unsigned i = 0; row && i < g->n_columns; i++) {
			if (!column_on(g, i))
				continue;
			add_cell(g, r, i, b, row, look);
			int w = (int)text_width(cell_text(g, r, i));
			if (w > column_max(g, i))
				w = column_max(g, i);
			if (w > g->width[i])
				g->width[i] = (uint8_t)w;
		}
	}
}

static int heading_width(const struct grid *g, unsigned i)
{
	bool descending;
	int w = (int)text_width(text_of(grid_title(g, i)));

	return w + (sort_column(g, &descending) == (int)i && !g->severity_first ? 2 : 0);
}

static int content_width(const struct grid *g, unsigned i)
{
	int w = g->width[i], head = heading_width(g, i);

	return w > head ? w : head;
}

/* The least that column i may have. */
static int least_width(const struct grid *g, unsigned i)
{
	int w = content_width(g, i), min = g->columns[i].min;

	if (g->columns[i].flags & GRID_NOCUT && g->columns[i].good)
		min = g->columns[i].good;
	return min && min < w ? min : w;
}

static int good_width(const struct grid *g, unsigned i)
{
	int w = content_width(g, i), good = g->columns[i].good, least = least_width(g, i);

	if (good && good < w)
		w = good;
	return w > least ? w : least;
}

/* What a chosen column keeps when one of priority `p` wants to join: the important ones may squeeze each other,
 * nice-to-have ones may squeeze nobody. */
static int kept_width(const struct grid *g, unsigned i, unsigned p)
{
	int content = content_width(g, i), good = g->columns[i].good;
	bool flex = g->columns[i].flags & GRID_FLEX;

	if (p <= GRID_TOP_PRIORITY || (flex && !good))
		return least_width(g, i);
	if (p < GRID_LOW_PRIORITY || g->columns[i].flags & GRID_NOCUT)
		return good_width(g, i);
	return flex && content > good * 3 / 2 ? good * 3 / 2 : content;
}

static int needed(const struct grid *g, const int w[GRID_COLUMNS], unsigned p)
{
	int sum = 0;

	for (unsigned i = 0; i < g->n_columns; i++)
		if (w[i])
			sum += kept_width(g, i, p) + 1;
	return sum;
}

/* Which columns fit, most wanted first: fills w[] with their least widths (0 = left out); returns what is left over. */
static int choose(const struct grid *g, int avail, int w[GRID_COLUMNS])
{
	for (unsigned p = 0; p < GRID_PRIORITIES; p++)
		for (unsigned i = 0; i < g->n_columns; i++)
			if (g->columns[i].priority == p && column_on(g, i) && needed(g, w, p) + least_width(g, i) <= avail)
				w[i] = least_width(g, i);
	return avail - needed(g, w, 0) + 1; /* no gap after the last */
}

/* Gives `left` to columns in the order of priority until each has what `want` says; returns what remains. */
static int widen(const struct grid *g, int left, int w[GRID_COLUMNS], int (*want)(const struct grid *, unsigned))
{
	for (unsigned p = 0; p < GRID_PRIORITIES; p++) {
		for (unsigned i = 0; i < g->n_columns && left > 0; i++) {
			int more = w[i] && g->columns[i].priority == p ? want(g, i) - w[i] : 0;
			if (more > left)
				more = left;
			if (more > 0) {
				w[i] += more;
				left -= more;
			}
		}
	}
	return left;
}

/* Flexible columns take everything. */
static int flexible_width(const struct grid *g, unsigned i)
{
	return g->columns[i].flags & GRID_FLEX ? INT_MAX / 2 : 0;
}

static void place(struct grid *g, int width, int gap, const int w[GRID_COLUMNS])
{
	int x = GRID_LEFT;

	g->n_shown = 0;
	for (unsigned i = 0; i < g->n_columns; i++) {
		/* sideways: the first column stays, the next `shift` ones are skipped */
		if (!w[i] || (g->wide && g->shift && g->n_shown == 1 && i <= g->shift) || x >= width)
			continue;
		g->shown[g->n_shown].column = (uint8_t)i;
		g->shown[g->n_shown].x = x;
		g->shown[g->n_shown].w = x + w[i] > width ? width - x : w[i];
		g->n_shown++;
		x += w[i] + gap;
	}
}

static void layout(struct grid *g, int width)
{
	int w[GRID_COLUMNS] = { 0 };
	int gap = 1, left = 0, n = 0;

	if (g->wide) {
		for (unsigned i = 0; i < g->n_columns; i++)
			w[i] = column_on(g, i) ? content_width(g, i) : 0;
		place(g, width, 2, w);
		return;
	}
	left = choose(g, width - GRID_LEFT, w);
	left = widen(g, left, w, good_width);
	for (unsigned i = 0; i < g->n_columns; i++)
		n += w[i] > 0;
	if (n > 1 && left >= n - 1) { /* two blanks between columns read better than long texts */
		gap = 2;
		left -= n - 1;
	}
	left = widen(g, left, w, content_width);
	widen(g, left, w, flexible_width);
	place(g, width, gap, w);
}

static void scroll(struct grid *g)
{
	uint64_t n = grid_count(g), body = g->body > 0 ? (uint64_t)g->body : 1, at;

	if (g->rows && g->cursor >= n)
		g->cursor = n ? n - 1 : 0;
	if (g->follow && n)
		grid_jump(g, n - 1);
	at = grid_cursor(g);
	if (at < g->top)
		g->top = at;
	if (at >= g->top + body)
		g->top = at - body + 1;
	if (g->top + body > n)
		g->top = n > body ? n - body : 0;
}

/* --- drawing --- */

static void draw_heading(const struct grid *g, struct area a)
{
	bool descending = false;
	int sorted = sort_column(g, &descending);

	canvas_ground(a, 0, GROUND_HEAD);
	for (unsigned i = 0; i < g->n_shown; i++) {
		unsigned c = g->shown[i].column;
		char title[64];
		bool mark = sorted == (int)c && !g->severity_first;
		snprintf(title, sizeof title, "%s%s%s", grid_title(g, c), mark ? " " : "",
			mark ? descending ? "v" : "^" : "");
		canvas_fit(a, g->shown[i].x, 0, g->shown[i].w, g->columns[c].flags & GRID_RIGHT, STYLE_STRONG,
			text_of(title));
	}
}

static enum style cell_style(const struct grid *g, unsigned c, const struct block *b, const void *row, const char *text)
{
	if (g->columns[c].style)
		return g->columns[c].style(g->arg, b, row);
	if (strcmp(text, "-") == 0 || g->columns[c].flags & GRID_DIM)
		return STYLE_DIM;
	return STYLE_TEXT;
}

static void highlight(const struct grid *g, unsigned c, struct area a, int x, int w, struct text cell)
{
	const struct filter *f = g->table ? table_filter_get(g->table) : NULL;
	size_t from, n;

	if (!f || !g->fields[c] || !filter_highlight(f, g->fields[c], cell, &from, &n) || from + n > cell.n)
		return;
	int before = (int)text_width((struct text){ cell.p, from });
	int len = (int)text_width((struct text){ cell.p + from, n });
	if (before + len > w)
		len = w - before;
	if (len > 0)
		canvas_mark_match(a, x + before, 0, len);
}

/* Returns how many columns the cell took beyond its own (addresses are never cut). */
static int draw_cell(const struct grid *g, unsigned i, int shift, struct area a, const struct block *b, const void *row,
	uint64_t at)
{
	unsigned c = g->shown[i].column;
	int x = g->shown[i].x + shift, w = g->shown[i].w;
	bool right = g->columns[c].flags & GRID_RIGHT;
	struct text cell = cell_text(g, at, c);
	int own = (int)text_width(cell);

	if (g->columns[c].flags & GRID_NOCUT && own > w)
		w = own;
	canvas_fit(a, x, 0, w, right, cell_style(g, c, b, row, cell.p), cell);
	highlight(g, c, a, right && own < w ? x + w - own : x, w, cell);
	return w - g->shown[i].w;
}

static void draw_row(const struct grid *g, struct area a, uint64_t at, bool focused)
{
	const struct block *b = NULL;
	const void *row = row_at(g, at, &b);
	bool here = at == grid_cursor(g);

	if (here) {
		canvas_ground(a, 0, focused ? GROUND_SELECTED : GROUND_MARKED);
		canvas_str(a, 0, 0, STYLE_STRONG, ">");
		canvas_cursor(a, 0, 0, false);
	}
	if (!row) {
		canvas_glyph(a, GRID_LEFT, 0, STYLE_DIM, GLYPH_MORE);
		return;
	}
	const struct row_head *head = row;
	if (g->table && table_is_tagged(g->table, head->id))
		canvas_str(a, 0, 0, STYLE_KEY, here ? ">" : "+");
	canvas_sign(a, 1, 0, head->severity);
	int shift = 0;
	for (unsigned i = 0; i < g->n_shown; i++)
		shift += draw_cell(g, i, shift, a, b, row, at);
}

void grid_draw(struct grid *g, struct area a, const struct row_look *look, bool focused)
{
	int line = 0;
	uint64_t n = grid_count(g);

	g->x = a.x;
	g->y = a.y;
	g->height = a.h;
	g->body = a.h - !g->no_heading;
	if (g->body < 1 || a.w < GRID_LEFT + 1)
		return;
	scroll(g);
	measure(g, look);
	layout(g, a.w);
	if (!g->no_heading)
		draw_heading(g, canvas_line(a, line++));
	for (uint64_t i = g->top; i < n && line < a.h; i++, line++)
		draw_row(g, canvas_line(a, line), i, focused);
}

size_t grid_row_text(const struct grid *g, const struct row_look *look, char *buf, size_t cap)
{
	const struct block *b = NULL;
	const void *row = grid_selected(g, &b);
	size_t n = 0;

	buf[0] = '\0';
	for (unsigned i = 0; row && i < g->n_columns && n + 3 < cap; i++) {
		if (!column_on(g, i))
			continue;
		if (n) {
			memcpy(buf + n, "  ", 3);
			n += 2;
		}
		n += grid_cell(g, i, b, row, look, buf + n, cap - n);
	}
	return n;
}
