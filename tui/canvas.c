/*
 * The cell buffer: text goes in clean, cut at the border of its area; what lies under a cell (ground) is kept apart
 * from what the character means (style), so a selected row stays selected whatever is written into it.
 */
#include "tui/canvas.h"

#include "core/fd.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct canvas {
	int w, h;
	int low; /* canvas_lower */
	enum text_charset charset;
	int cursor_x, cursor_y;
	bool cursor;
	struct canvas_cell *cells;
};

static const char *const glyphs[GLYPH_N][2] = {
	[GLYPH_HLINE] = { "-", "─" },
	[GLYPH_VLINE] = { "|", "│" },
	[GLYPH_TEE_DOWN] = { "+", "┬" },
	[GLYPH_TEE_UP] = { "+", "┴" },
	[GLYPH_TEE_RIGHT] = { "+", "├" },
	[GLYPH_CORNER] = { "`", "└" },
	[GLYPH_DESCENDING] = { "v", "v" },
	[GLYPH_ASCENDING] = { "^", "^" },
	[GLYPH_MORE] = { "~", "…" },
	[GLYPH_ARROW_RIGHT] = { ">", "→" },
	[GLYPH_ARROW_LEFT] = { "<", "←" },
	[GLYPH_DOT] = { ".", "·" },
};

static const struct {
	const char *text[2];
	enum style style;
} signs[SEVERITY_N] = {
	[SEVERITY_NONE] = { { "", "" }, STYLE_TEXT },
	[SEVERITY_OK] = { { "*", "●" }, STYLE_OK },
	[SEVERITY_IDLE] = { { "-", "○" }, STYLE_IDLE },
	[SEVERITY_UNKNOWN] = { { "?", "◌" }, STYLE_UNKNOWN },
	[SEVERITY_WARN] = { { "!", "▲" }, STYLE_WARN },
	[SEVERITY_BAD] = { { "X", "✗" }, STYLE_BAD },
};

static const struct canvas_cell blank = { .cp = { ' ' } };

struct canvas *canvas_new(int w, int h, enum text_charset charset)
{
	struct canvas *c = fd_xcalloc(1, sizeof *c);

	c->charset = charset;
	canvas_resize(c, w, h);
	return c;
}

void canvas_free(struct canvas *c)
{
	if (!c)
		return;
	free(c->cells);
	free(c);
}

void canvas_resize(struct canvas *c, int w, int h)
{
	c->w = w < 1 ? 1 : w;
	c->h = h < 1 ? 1 : h;
	c->cells = fd_xrealloc(c->cells, (size_t)c->w * (size_t)c->h, sizeof *c->cells);
	canvas_clear(c);
}

void canvas_clear(struct canvas *c)
{
	size_t n = (size_t)c->w * (size_t)c->h;

	for (size_t i = 0; i < n; i++)
		c->cells[i] = blank;
	c->cursor = false;
	c->cursor_x = c->cursor_y = 0;
}

int canvas_width(const struct canvas *c)
{
	return c->w;
}

int canvas_height(const struct canvas *c)
{
	return c->low ? c->low : c->h;
}

void canvas_lower(struct canvas *c, int h)
{
	c->low = h;
}

enum text_charset canvas_charset(const struct canvas *c)
{
	return c->charset;
}

const struct canvas_cell *canvas_at(const struct canvas *c, int x, int y)
{
	if (x < 0 || y < 0 || x >= c->w || y >= c->h)
		return NULL;
	return &c->cells[(size_t)y * (size_t)c->w + (size_t)x];
}

struct area canvas_all(struct canvas *c)
{
	return (struct area){ .canvas = c, .x = 0, .y = 0, .w = c->w, .h = c->h };
}

/* Cuts [*at, *at + *n) to [0, size). */
static void clip(int *at, int *n, int size)
{
	if (*at < 0) {
		*n += *at;
		*at = 0;
	}
	if (*n > size - *at)
		*n = size - *at;
	if (*n < 0)
		*n = 0;
}

struct area canvas_sub(struct area a, int x, int y, int w, int h)
{
	clip(&x, &w, a.w);
	clip(&y, &h, a.h);
	return (struct area){ .canvas = a.canvas, .x = a.x + x, .y = a.y + y, .w = w, .h = h };
}

/* NULL when x, y is outside the area. */
static struct canvas_cell *cell(struct area a, int x, int y)
{
	if (x < 0 || y < 0 || x >= a.w || y >= a.h)
		return NULL;
	return (struct canvas_cell *)canvas_at(a.canvas, a.x + x, a.y + y);
}

static void cell_set(struct canvas_cell *c, uint32_t cp, enum style style)
{
	memset(c->cp, 0, sizeof c->cp);
	c->cp[0] = cp;
	c->style = (uint8_t)style;
	c->match = 0;
	c->look = 0;
	c->fg = c->bg = 0;
}

/* A wide character loses both halves when one is written over. */
static void cell_cut_wide(struct area a, int x, int y)
{
	struct canvas_cell *here = cell(a, x, y);
	struct canvas_cell *before = cell(a, x - 1, y);
	struct canvas_cell *after = cell(a, x + 1, y);

	if (here->cp[0] == 0 && before)
		before->cp[0] = ' ';
	if (here->cp[0] != 0 && after && after->cp[0] == 0)
		after->cp[0] = ' ';
}

static void cell_combine(struct canvas_cell *c, uint32_t cp)
{
	if (c && c->cp[1] == 0)
		c->cp[1] = cp;
	else if (c && c->cp[2] == 0)
		c->cp[2] = cp;
}

/* Clean text to cells; returns columns. Stops at the right border. */
static int put_clean(struct area a, int x, int y, int limit, enum style style, struct text clean)
{
	int at = x, last = -1;
	struct canvas_cell *here;
	uint32_t cp;

	for (size_t i = 0, n; i < clean.n; i += n) {
		n = text_decode(clean.p + i, clean.n - i, &cp);
		if (n == 0)
			break;
		int w = text_cp_width(cp);
		if (w == 0) {
			cell_combine(cell(a, last, y), cp);
			continue;
		}
		if (at + w > x + limit || at + w > a.w)
			break;
		here = cell(a, at, y);
		if (here) {
			struct canvas_cell *next = w == 2 ? cell(a, at + 1, y) : NULL;

			cell_cut_wide(a, at, y);
			if (next) {
				cell_cut_wide(a, at + 1, y);
				cell_set(next, 0, style);
			}
			cell_set(here, cp, style);
			last = at;
		}
		at += w;
	}
	return at - x;
}

enum { CLEAN_TEXT = 4096 }; /* bytes of one piece on a line; more never fits a screen */

int canvas_put(struct area a, int x, int y, enum style style, struct text raw)
{
	char buf[CLEAN_TEXT];
	size_t n;

	if (y < 0 || y >= a.h || x >= a.w || raw.n == 0)
		return 0;
	n = text_clean(buf, sizeof buf, raw, a.canvas->charset);
	return put_clean(a, x, y, a.w - x, style, (struct text){ buf, n });
}

int canvas_str(struct area a, int x, int y, enum style style, const char *s)
{
	return canvas_put(a, x, y, style, text_of(s));
}

int canvas_printf(struct area a, int x, int y, enum style style, const char *fmt, ...)
{
	char buf[CLEAN_TEXT];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(buf, sizeof buf, fmt, ap);
	va_end(ap);
	return canvas_str(a, x, y, style, buf);
}

int canvas_fit(struct area a, int x, int y, int width, bool right, enum style style, struct text raw)
{
	char buf[CLEAN_TEXT];
	struct text clean = { buf, 0 };
	size_t w = 0;
	int done;

	if (width > a.w - x)
		width = a.w - x;
	if (width <= 0 || y < 0 || y >= a.h)
		return 0;
	clean.n = text_clean(buf, sizeof buf, raw, a.canvas->charset);
	text_fit(clean, (size_t)width, &w);
	if (text_width(clean) <= (size_t)width)
		return put_clean(a, right ? x + width - (int)w : x, y, width, style, clean);
	clean.n = text_fit(clean, (size_t)width - 1, NULL);
	done = put_clean(a, x, y, width - 1, style, clean);
	return done + canvas_glyph(a, x + done, y, STYLE_DIM, GLYPH_MORE);
}

int canvas_left_of(struct area a, int right, int y, enum style style, const char *s)
{
	char buf[CLEAN_TEXT];
	struct text clean = { buf, text_clean(buf, sizeof buf, text_of(s), a.canvas->charset) };
	int x = right - (int)text_width(clean);

	put_clean(a, x, y, right - x, style, clean);
	return x;
}

int canvas_hint(struct area a, int x, int y, enum style style, const char *s)
{
	int at = x;

	while (*s) {
		size_t plain = strcspn(s, "[");
		at += canvas_put(a, at, y, style, (struct text){ s, plain });
		s += plain;
		if (!*s)
			break;
		size_t key = strcspn(s, "]");
		key += s[key] == ']';
		if (key == 2 && s[key] == ']') /* "[]]": the key ] itself */
			key++;
		at += canvas_put(a, at, y, STYLE_KEY, (struct text){ s, key });
		s += key;
	}
	return at - x;
}

const char *canvas_bar_text(enum text_charset charset, double part)
{
	static const char *const bars[2][8] = {
		{ ".", ":", "-", "=", "+", "*", "#", "#" }, { "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" },
	};
	int i = (int)(part * 7.999);

	return bars[charset == TEXT_UTF8][i < 0 ? 0 : i > 7 ? 7 : i];
}

const char *canvas_glyph_text(enum text_charset charset, enum glyph g)
{
	return glyphs[g][charset == TEXT_UTF8];
}

int canvas_glyph(struct area a, int x, int y, enum style style, enum glyph g)
{
	return canvas_str(a, x, y, style, canvas_glyph_text(a.canvas->charset, g));
}

int canvas_sign(struct area a, int x, int y, enum severity s)
{
	if ((unsigned)s < SEVERITY_N)
		canvas_str(a, x, y, signs[s].style, signs[s].text[a.canvas->charset == TEXT_UTF8]);
	return 1;
}

enum style canvas_severity_style(enum severity s)
{
	return (unsigned)s < SEVERITY_N ? signs[s].style : STYLE_TEXT;
}

void canvas_rule(struct area a, int y, const char *title)
{
	int at = 0;

	for (int x = 0; x < a.w; x++)
		canvas_glyph(a, x, y, STYLE_RULE, GLYPH_HLINE);
	if (!title)
		return;
	at = 2 + canvas_fit(canvas_sub(a, 2, 0, a.w - 4, a.h), 0, y, a.w - 4, false, STYLE_TITLE, text_of(title));
	canvas_str(a, 1, y, STYLE_RULE, " ");
	canvas_str(a, at, y, STYLE_RULE, " ");
}

void canvas_hosted(struct area a, int x, int y, int width, struct text raw, uint16_t fg, uint16_t bg, uint8_t look)
{
	char clean[128];
	uint32_t base;
	size_t n = text_clean(clean, sizeof clean, raw, a.canvas->charset);

	if (!cell(a, x, y) || (width == 2 && !cell(a, x + 1, y)))
		return;
	if ((int)text_width((struct text){ clean, n }) != width) /* an invisible mark, perhaps: without it */
		n = text_clean(clean, sizeof clean, (struct text){ raw.p, raw.n ? text_decode(raw.p, raw.n, &base) : 0 }, a.canvas->charset);
	if ((int)text_width((struct text){ clean, n }) != width) {
		memset(clean, '?', (size_t)width);
		n = (size_t)width;
	}
	put_clean(a, x, y, width, STYLE_TEXT, (struct text){ clean, n });
	for (int i = 0; i < width; i++) {
		struct canvas_cell *c = cell(a, x + i, y);

		c->look = look | CANVAS_OWN;
		c->fg = fg;
		c->bg = bg;
	}
}

void canvas_vline(struct area a, int x, int y, int n)
{
	for (int i = 0; i < n; i++)
		canvas_glyph(a, x, y + i, STYLE_RULE, GLYPH_VLINE);
}

void canvas_ground(struct area a, int y, enum ground g)
{
	canvas_ground_part(a, 0, y, a.w, g);
}

void canvas_ground_part(struct area a, int x, int y, int n, enum ground g)
{
	for (int i = x; i < x + n; i++)
		if (cell(a, i, y))
			cell(a, i, y)->ground = (uint8_t)g;
}

void canvas_restyle(struct area a, int x, int y, int n, enum style style)
{
	for (int i = x; i < x + n; i++)
		if (cell(a, i, y))
			cell(a, i, y)->style = (uint8_t)style;
}

void canvas_mark_match(struct area a, int x, int y, int n)
{
	for (int i = x; i < x + n; i++)
		if (cell(a, i, y))
			cell(a, i, y)->match = 1;
}

void canvas_cursor(struct area a, int x, int y, bool visible)
{
	a.canvas->cursor_x = a.x + x;
	a.canvas->cursor_y = a.y + y;
	a.canvas->cursor = visible;
}

bool canvas_cursor_at(const struct canvas *c, int *ret_x, int *ret_y)
{
	*ret_x = c->cursor_x < c->w ? c->cursor_x : c->w - 1;
	*ret_y = c->cursor_y < c->h ? c->cursor_y : c->h - 1;
	return c->cursor;
}

static size_t cell_encode(const struct canvas_cell *c, char out[12])
{
	size_t n = 0;

	for (unsigned i = 0; i < ARRAY_LEN(c->cp) && c->cp[i]; i++)
		n += text_encode(c->cp[i], out + n);
	return n;
}

char *canvas_dump(const struct canvas *c)
{
	char *out = fd_xcalloc((size_t)c->h * ((size_t)c->w * 12 + 1) + 1, 1);
	size_t n = 0;

	for (int y = 0; y < c->h; y++) {
		size_t end = n;
		for (int x = 0; x < c->w; x++) {
			n += cell_encode(canvas_at(c, x, y), out + n);
			if (n && out[n - 1] != ' ')
				end = n;
		}
		n = end;
		out[n++] = '\n';
	}
	out[n] = '\0';
	return out;
}

char *canvas_dump_meaning(const struct canvas *c, int what)
{
	char *out = fd_xcalloc((size_t)c->h * ((size_t)c->w + 1) + 1, 1);
	size_t n = 0;

	for (int y = 0; y < c->h; y++) {
		for (int x = 0; x < c->w; x++) {
			const struct canvas_cell *here = canvas_at(c, x, y);
			int v = what ? here->ground : here->style;
			out[n++] = here->match && !what ? '_' : v ? (char)('a' + v) : '.';
		}
		out[n++] = '\n';
	}
	return out;
}
