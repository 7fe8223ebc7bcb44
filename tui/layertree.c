/* The tree is the block's rows in their order and a list of those that no folded one hides; depth is all there is of structure. */
#include "tui/layertree.h"

#include "core/fd.h"
#include "tui/keys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct layer_row *row_at(const struct layertree *t, uint32_t i)
{
	return block_row(t->block, i);
}

static uint32_t n_rows(const struct layertree *t)
{
	return t->block ? block_count(t->block) : 0;
}

static bool has_children(const struct layertree *t, uint32_t i)
{
	return i + 1 < n_rows(t) && row_at(t, i + 1)->depth > row_at(t, i)->depth;
}

/* Row that holds row i; i itself at the top. Goes over rows before i that have theirs already: linear over a whole tree. */
static uint32_t find_parent(const struct layertree *t, uint32_t i)
{
	uint32_t k = i ? i - 1 : 0;

	if (i == 0 || row_at(t, i)->depth == 0)
		return i;
	while (row_at(t, k)->depth >= row_at(t, i)->depth) {
		if (t->nodes[k].parent == k)
			return i;
		k = t->nodes[k].parent;
	}
	return k;
}

static void read_nodes(struct layertree *t)
{
	for (uint32_t i = 0; i < n_rows(t); i++) {
		struct text label = block_text(t->block, row_at(t, i)->label);
		uint32_t parent = find_parent(t, i);

		t->nodes[i].parent = parent;
		t->nodes[i].path = row_hash(label.p, label.n, parent == i ? 1 : t->nodes[parent].path);
	}
}

static void habit_set(struct layertree *t, uint64_t layer, bool open)
{
	for (unsigned i = 0; i < t->n_habits; i++) {
		if (t->habits[i].layer == layer) {
			t->habits[i].open = open;
			return;
		}
	}
	if (t->n_habits == LAYERTREE_HABITS) { /* the oldest is forgotten */
		memmove(t->habits, t->habits + 1, sizeof t->habits - sizeof t->habits[0]);
		t->n_habits--;
	}
	t->habits[t->n_habits].layer = layer;
	t->habits[t->n_habits++].open = open;
}

static bool habit_open(const struct layertree *t, uint64_t layer, bool otherwise)
{
	for (unsigned i = 0; i < t->n_habits; i++) {
		if (t->habits[i].layer == layer)
			return t->habits[i].open;
	}
	return otherwise;
}

static void list_visible(struct layertree *t)
{
	uint64_t closed = UINT64_MAX; /* deeper rows than this are hidden */

	t->n_visible = 0;
	for (uint32_t i = 0; i < n_rows(t); i++) {
		uint64_t depth = row_at(t, i)->depth;

		if (depth > closed)
			continue;
		closed = t->nodes[i].open ? UINT64_MAX : depth;
		t->visible[t->n_visible++] = i;
	}
	if (t->cursor >= t->n_visible)
		t->cursor = t->n_visible ? t->n_visible - 1 : 0;
}

/* The last layer that has fields: payload that nobody could read is not it. */
static uint32_t innermost(const struct layertree *t)
{
	uint32_t last = 0;

	for (uint32_t i = 0; i < n_rows(t); i++) {
		if (row_at(t, i)->depth == 0 && has_children(t, i))
			last = i;
	}
	return last;
}

static void put_cursor(struct layertree *t, uint32_t row)
{
	for (uint32_t i = 0; i < t->n_visible; i++) {
		if (t->visible[i] <= row)
			t->cursor = i;
	}
}

static void show_row(struct layertree *t, uint32_t row)
{
	for (uint32_t i = t->nodes[row].parent, k = row; i != k; k = i, i = t->nodes[i].parent)
		t->nodes[i].open = 1;
	list_visible(t);
	put_cursor(t, row);
}

void layertree_set(struct layertree *t, struct block *b)
{
	bool had = t->n_visible > 0;
	uint64_t path = had ? t->nodes[t->visible[t->cursor]].path : 0;
	uint32_t last, to;

	block_unref(t->block);
	t->block = b;
	t->visible = fd_xrealloc(t->visible, n_rows(t) + 1, sizeof *t->visible);
	t->nodes = fd_xrealloc(t->nodes, n_rows(t) + 1, sizeof *t->nodes);
	read_nodes(t);
	last = to = innermost(t);
	for (uint32_t i = 0; i < n_rows(t); i++) {
		uint64_t here = t->nodes[i].path;

		t->nodes[i].open = habit_open(t, here, i >= last);
		if (had && here == path)
			to = i;
	}
	t->cursor = t->top = 0;
	list_visible(t);
	put_cursor(t, to);
}

void layertree_done(struct layertree *t)
{
	block_unref(t->block);
	free(t->visible);
	free(t->nodes);
	*t = (struct layertree){ 0 };
}

static void fold(struct layertree *t, uint32_t row, bool open)
{
	t->nodes[row].open = open;
	habit_set(t, t->nodes[row].path, open);
	list_visible(t);
	put_cursor(t, row);
}

static void unfold_all(struct layertree *t)
{
	uint32_t row = t->n_visible ? t->visible[t->cursor] : 0;

	for (uint32_t i = 0; i < n_rows(t); i++) {
		if (has_children(t, i))
			habit_set(t, t->nodes[i].path, true);
		t->nodes[i].open = 1;
	}
	list_visible(t);
	put_cursor(t, row);
}

static void move(struct layertree *t, int64_t delta)
{
	int64_t to = (int64_t)t->cursor + delta;

	if (to >= (int64_t)t->n_visible)
		to = (int64_t)t->n_visible - 1;
	t->cursor = to < 0 ? 0 : (uint32_t)to;
}

/* Left folds, or goes up to the layer; right unfolds, or goes in. */
static void go_left(struct layertree *t, uint32_t row)
{
	if (has_children(t, row) && t->nodes[row].open)
		fold(t, row, false);
	else
		put_cursor(t, t->nodes[row].parent);
}

static void go_right(struct layertree *t, uint32_t row)
{
	if (has_children(t, row) && !t->nodes[row].open)
		fold(t, row, true);
	else if (has_children(t, row))
		move(t, 1);
}

bool layertree_key(struct layertree *t, int key)
{
	int64_t page = t->body > 1 ? t->body - 1 : 1;
	uint32_t row;

	if (t->n_visible == 0)
		return false;
	row = t->visible[t->cursor];
	switch (key) {
	case KEYS_UP: case 'k': move(t, -1); return true;
	case KEYS_DOWN: case 'j': move(t, 1); return true;
	case KEYS_PAGE_UP: case KEYS_CTRL('u'): move(t, -page); return true;
	case KEYS_PAGE_DOWN: case KEYS_CTRL('d'): move(t, page); return true;
	case KEYS_HOME: case 'g': t->cursor = 0; return true;
	case KEYS_END: case 'G': t->cursor = t->n_visible - 1; return true;
	case KEYS_LEFT: case 'h': go_left(t, row); return true;
	case KEYS_RIGHT: case 'l': go_right(t, row); return true;
	case '*': unfold_all(t); return true;
	case KEYS_ENTER: case ' ':
		if (has_children(t, row))
			fold(t, row, !t->nodes[row].open);
		return true;
	default: return false;
	}
}

bool layertree_click(struct layertree *t, int y)
{
	uint64_t line = (uint64_t)t->top + (y < 0 ? UINT32_MAX : (uint64_t)y);

	if (y < 0 || y >= t->body || line >= t->n_visible)
		return false;
	t->cursor = (uint32_t)line;
	return true;
}

const struct layer_row *layertree_selected(const struct layertree *t)
{
	return t->n_visible ? row_at(t, t->visible[t->cursor]) : NULL;
}

bool layertree_select_byte(struct layertree *t, uint64_t byte)
{
	uint64_t best = UINT64_MAX;
	uint32_t found = 0;

	for (uint32_t i = 0; i < n_rows(t); i++) {
		const struct layer_row *r = row_at(t, i);

		if (r->length == 0 || byte < r->offset || byte - r->offset >= r->length || r->length > best)
			continue;
		best = r->length;
		found = i;
	}
	if (best == UINT64_MAX)
		return false;
	show_row(t, found);
	return true;
}

static void draw_row(const struct layertree *t, struct area a, int y, uint32_t i)
{
	const struct layer_row *r = row_at(t, i);
	struct text label = block_text(t->block, r->label), value = block_text(t->block, r->value);
	bool layer = r->depth == 0;
	int x = 1;

	if (r->head.severity != SEVERITY_NONE && r->head.severity < SEVERITY_N)
		canvas_sign(a, 0, y, r->head.severity);
	x += r->depth < 16 ? 2 * (int)r->depth : 32;
	if (has_children(t, i))
		canvas_str(a, x, y, STYLE_DIM, t->nodes[i].open ? "-" : "+");
	x += 2;
	x += canvas_put(a, x, y, layer ? STYLE_STRONG : STYLE_DIM, label);
	if (value.n == 0 || !value.p)
		return;
	x += layer ? 1 : 2;
	canvas_fit(a, x, y, a.w - x, false, canvas_severity_style(r->head.severity), value);
}

static void scroll(struct layertree *t)
{
	uint32_t body = t->body > 0 ? (uint32_t)t->body : 1;

	if (t->cursor >= t->top + body)
		t->top = t->cursor - body + 1;
	if (t->cursor < t->top)
		t->top = t->cursor;
	if (t->n_visible <= body)
		t->top = 0;
	else if (t->top > t->n_visible - body)
		t->top = t->n_visible - body;
}

void layertree_draw(struct layertree *t, struct area a, bool focused)
{
	t->body = a.h;
	scroll(t);
	for (int y = 0; y < a.h && t->top + (uint32_t)y < t->n_visible; y++) {
		draw_row(t, a, y, t->visible[t->top + (uint32_t)y]);
		if (t->top + (uint32_t)y != t->cursor)
			continue;
		canvas_ground(a, y, focused ? GROUND_SELECTED : GROUND_MARKED);
		if (focused)
			canvas_cursor(a, 0, y, false);
	}
}

size_t layertree_text(const struct layertree *t, char *buf, size_t cap)
{
	const struct layer_row *r = layertree_selected(t);
	struct text label, value;
	int n;

	buf[0] = '\0';
	if (!r)
		return 0;
	label = block_text(t->block, r->label);
	value = block_text(t->block, r->value);
	n = snprintf(buf, cap, "%.*s%s%.*s", (int)label.n, label.n ? label.p : "", value.n ? " " : "",
		(int)value.n, value.n ? value.p : "");
	return n < 0 ? 0 : (size_t)n < cap ? (size_t)n : cap - 1;
}
