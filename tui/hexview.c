/* Hex view. A line is "0010  00 3c 1c 2e 40 00 40 06  c6 4f ...  .<..@.@."; brackets stand around the marked bytes, so that a
 * terminal without colours shows them too. */
#include "tui/hexview.h"

#include "tui/keys.h"

#include <inttypes.h>
#include <stdio.h>

enum { HEXVIEW_OFFSET = 6 }; /* "0010  " */

void hexview_set(struct hexview *v, struct text bytes)
{
	v->bytes = bytes;
	v->cursor = v->mark = v->n_mark = v->top = 0;
}

void hexview_mark(struct hexview *v, uint64_t from, uint64_t n)
{
	if (from >= v->bytes.n)
		n = 0;
	else if (n > v->bytes.n - from)
		n = v->bytes.n - from;
	v->mark = n ? from : 0;
	v->n_mark = n;
	if (n)
		v->cursor = from;
}

int hexview_width(int columns)
{
	/* offset, three for each byte, one more in the middle, a blank, the characters */
	return HEXVIEW_OFFSET + 3 * columns + (columns > 8 ? 1 : 0) + 1 + columns;
}

int hexview_columns(int width)
{
	if (width >= hexview_width(16))
		return 16;
	return width >= hexview_width(8) ? 8 : 4;
}

static void cursor_move(struct hexview *v, int64_t delta)
{
	if (delta < 0 && v->cursor < (uint64_t)-delta)
		v->cursor = delta == -1 ? 0 : v->cursor % (v->columns ? (uint64_t)v->columns : 16);
	else
		v->cursor += (uint64_t)delta;
	if (v->bytes.n == 0)
		v->cursor = 0;
	else if (v->cursor >= v->bytes.n)
		v->cursor = v->bytes.n - 1;
}

bool hexview_key(struct hexview *v, int key)
{
	int64_t line = v->columns ? v->columns : 16, page = v->body > 1 ? line * (v->body - 1) : line;

	switch (key) {
	case KEYS_LEFT: case 'h': cursor_move(v, -1); return true;
	case KEYS_RIGHT: case 'l': cursor_move(v, 1); return true;
	case KEYS_UP: case 'k': cursor_move(v, -line); return true;
	case KEYS_DOWN: case 'j': cursor_move(v, line); return true;
	case KEYS_PAGE_UP: case KEYS_CTRL('u'): cursor_move(v, -page); return true;
	case KEYS_PAGE_DOWN: case KEYS_CTRL('d'): cursor_move(v, page); return true;
	case KEYS_HOME: case 'g': v->cursor = 0; return true;
	case KEYS_END: case 'G': v->cursor = v->bytes.n ? v->bytes.n - 1 : 0; return true;
	default: return false;
	}
}

static int hex_x(const struct hexview *v, int i)
{
	return HEXVIEW_OFFSET + 3 * i + (v->columns > 8 && i >= 8 ? 1 : 0);
}

static int ascii_x(const struct hexview *v, int i)
{
	return hexview_width(v->columns) - v->columns + i;
}

bool hexview_hit(const struct hexview *v, int x, int y, uint64_t *ret_byte)
{
	if (y < 0 || y >= v->body || v->columns == 0)
		return false;
	for (int i = 0; i < v->columns; i++) {
		uint64_t at = (v->top + (uint64_t)y) * (uint64_t)v->columns + (uint64_t)i;
		bool hit = x == ascii_x(v, i) || (x >= hex_x(v, i) && x < hex_x(v, i) + 2);

		if (!hit || at >= v->bytes.n)
			continue;
		*ret_byte = at;
		return true;
	}
	return false;
}

static bool is_marked(const struct hexview *v, uint64_t at)
{
	return at >= v->mark && at - v->mark < v->n_mark;
}

static enum style byte_style(const struct hexview *v, uint64_t at)
{
	if (is_marked(v, at))
		return STYLE_STRONG;
	return v->bytes.p[at] == 0 ? STYLE_DIM : STYLE_TEXT;
}

static void draw_byte(const struct hexview *v, struct area a, int y, int i, uint64_t at, bool focused)
{
	unsigned char byte = (unsigned char)v->bytes.p[at];
	char shown[2] = { byte >= 0x20 && byte < 0x7f ? (char)byte : '.', '\0' };
	enum style style = byte_style(v, at);

	canvas_printf(a, hex_x(v, i), y, style, "%02x", byte);
	canvas_str(a, ascii_x(v, i), y, style, shown);
	if (is_marked(v, at)) {
		bool more = is_marked(v, at + 1) && i + 1 < v->columns;

		canvas_ground_part(a, hex_x(v, i), y, more ? hex_x(v, i + 1) - hex_x(v, i) : 2, GROUND_MARKED);
		canvas_ground_part(a, ascii_x(v, i), y, 1, GROUND_MARKED);
		if (at == v->mark)
			canvas_str(a, hex_x(v, i) - 1, y, STYLE_STRONG, "[");
		if (!is_marked(v, at + 1))
			canvas_str(a, hex_x(v, i) + 2, y, STYLE_STRONG, "]");
	}
	if (focused && at == v->cursor) {
		canvas_ground_part(a, hex_x(v, i), y, 2, GROUND_SELECTED);
		canvas_ground_part(a, ascii_x(v, i), y, 1, GROUND_SELECTED);
		canvas_cursor(a, hex_x(v, i), y, false);
	}
}

static void draw_line(const struct hexview *v, struct area a, int y, bool focused)
{
	uint64_t from = (v->top + (uint64_t)y) * (uint64_t)v->columns;

	canvas_printf(a, 0, y, STYLE_DIM, "%04" PRIx64, from);
	for (int i = 0; i < v->columns && from + (uint64_t)i < v->bytes.n; i++)
		draw_byte(v, a, y, i, from + (uint64_t)i, focused);
}

/* The cursor stays in view, a marked field as far as it fits, and no blank lines are shown while there are bytes above. */
static void scroll(struct hexview *v)
{
	uint64_t columns = (uint64_t)v->columns, lines = (v->bytes.n + columns - 1) / columns;
	uint64_t body = v->body > 0 ? (uint64_t)v->body : 1, line = v->cursor / columns;
	uint64_t last = v->n_mark && v->cursor == v->mark ? (v->mark + v->n_mark - 1) / columns : line;

	if (last >= v->top + body)
		v->top = last - body + 1;
	if (line >= v->top + body)
		v->top = line - body + 1;
	if (line < v->top)
		v->top = line;
	if (lines <= body)
		v->top = 0;
	else if (v->top > lines - body)
		v->top = lines - body;
}

void hexview_draw(struct hexview *v, struct area a, bool focused)
{
	v->columns = hexview_columns(a.w);
	v->body = a.h;
	scroll(v);
	for (int y = 0; y < a.h; y++) {
		if ((v->top + (uint64_t)y) * (uint64_t)v->columns >= v->bytes.n)
			break;
		draw_line(v, a, y, focused);
	}
}

size_t hexview_text(const struct hexview *v, char *buf, size_t cap)
{
	uint64_t from = v->n_mark ? v->mark : 0, n = v->n_mark ? v->n_mark : v->bytes.n;
	size_t len = 0;

	buf[0] = '\0';
	for (uint64_t i = 0; i < n && len + 4 < cap; i++)
		len += (size_t)snprintf(buf + len, cap - len, i ? " %02x" : "%02x", (unsigned char)v->bytes.p[from + i]);
	return len;
}
