/* The hosted terminal: see hosted.h. Only what libvterm 0.1 to 0.3 have in common is used. */
#include "tui/hosted.h"

#include "core/fd.h"
#include "tui/hosted_filter.h"
#include "tui/keys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef NSDBG_VTERM

#include <vterm.h>

enum { HOSTED_MIN_W = 8, HOSTED_MIN_H = 2, HOSTED_CHARS = 3 };

struct hosted_cell {
	uint32_t cp[HOSTED_CHARS]; /* base and combining marks, 0 ends; cp[0] 0: blank */
	uint8_t width, look;
	uint16_t fg, bg;
};

struct hosted_line {
	struct hosted_cell *cells;
	int w;
};

struct hosted {
	VTerm *vt;
	VTermScreen *screen;
	int w, h;
	VTermPos cursor;
	bool cursor_shown;
	struct hosted_line back[HOSTED_SCROLLBACK]; /* ring */
	unsigned n_back; /* ever pushed */
	int looking; /* lines back */
	struct hosted_filter filter;
	hosted_output output;
	void *arg;
};

bool hosted_is_there(void)
{
	return true;
}

/* --- cells --- */

/* 256-colour index + 1; 24 bits go to the nearest of the 6x6x6 cube. */
static uint16_t color_of(const VTermColor *c, bool is_default)
{
	static const uint8_t steps[] = { 48, 115, 155, 195, 235 };
	unsigned n[3] = { 0 };
	const uint8_t rgb[3] = { c->rgb.red, c->rgb.green, c->rgb.blue };

	if (is_default)
		return 0;
	if (VTERM_COLOR_IS_INDEXED(c))
		return (uint16_t)(c->indexed.idx + 1);
	for (unsigned i = 0; i < 3; i++)
		while (n[i] < ARRAY_LEN(steps) && rgb[i] >= steps[n[i]])
			n[i]++;
	return (uint16_t)(16 + 36 * n[0] + 6 * n[1] + n[2] + 1);
}

static void take_cell(const VTermScreenCell *from, struct hosted_cell *to)
{
	*to = (struct hosted_cell){ .width = from->width == 2 ? 2 : 1 };
	for (unsigned i = 0; i < HOSTED_CHARS && i < VTERM_MAX_CHARS_PER_CELL && from->chars[i]; i++)
		to->cp[i] = from->chars[i] == (uint32_t)-1 ? 0 : from->chars[i]; /* -1: right half of the one before */
	to->fg = color_of(&from->fg, VTERM_COLOR_IS_DEFAULT_FG(&from->fg));
	to->bg = color_of(&from->bg, VTERM_COLOR_IS_DEFAULT_BG(&from->bg));
	to->look = (uint8_t)((from->attrs.bold ? CANVAS_BOLD : 0) | (from->attrs.underline ? CANVAS_UNDERLINE : 0) |
		(from->attrs.reverse ? CANVAS_REVERSE : 0));
}

static void draw_cell(const struct hosted_cell *c, struct area a, int x, int y)
{
	char utf8[4 * HOSTED_CHARS + 4] = " ";
	size_t n = 0;

	for (unsigned i = 0; i < HOSTED_CHARS && c->cp[i]; i++)
		n += text_encode(c->cp[i], utf8 + n);
	canvas_hosted(a, x, y, n ? c->width : 1, (struct text){ utf8, n ? n : 1 }, c->fg, c->bg, c->look);
}

/* --- what libvterm calls --- */

static int on_cursor(VTermPos pos, VTermPos old, int visible, void *user)
{
	struct hosted *t = user;

	(void)old;
	t->cursor = pos;
	t->cursor_shown = visible;
	return 1;
}

/* Titles, icons, mouse: nothing of them leaves. */
static int on_property(VTermProp prop, VTermValue *value, void *user)
{
	struct hosted *t = user;

	if (prop == VTERM_PROP_CURSORVISIBLE)
		t->cursor_shown = value->boolean;
	return 1;
}

static int on_push(int cols, const VTermScreenCell *cells, void *user)
{
	struct hosted *t = user;
	struct hosted_line *l = &t->back[t->n_back++ % HOSTED_SCROLLBACK];

	cols = cols > HOSTED_MAX_W ? HOSTED_MAX_W : cols;
	if (l->w != cols) {
		l->cells = fd_xrealloc(l->cells, (size_t)cols, sizeof *l->cells);
		l->w = cols;
	}
	for (int i = 0; i < cols; i++)
		take_cell(&cells[i], &l->cells[i]);
	if (t->looking > 0 && t->looking < HOSTED_SCROLLBACK)
		t->looking++; /* what is looked at stays where it is */
	return 1;
}

static const VTermScreenCallbacks callbacks = { .movecursor = on_cursor, .settermprop = on_property, .sb_pushline = on_push };

static void on_output(const char *bytes, size_t n, void *user)
{
	struct hosted *t = user;

	t->output(t->arg, bytes, n);
}

/* --- life --- */

static int clamp(int v, int low, int high)
{
	return v < low ? low : v > high ? high : v;
}

static void terminal_open(struct hosted *t)
{
	t->cursor = (VTermPos){ 0 };
	t->cursor_shown = true;
	t->vt = vterm_new(t->h, t->w);
	vterm_set_utf8(t->vt, 1);
	vterm_output_set_callback(t->vt, on_output, t);
	t->screen = vterm_obtain_screen(t->vt);
	vterm_screen_set_callbacks(t->screen, &callbacks, t);
	vterm_screen_enable_altscreen(t->screen, 1);
	vterm_screen_reset(t->screen, 1);
}

struct hosted *hosted_new(int w, int h, hosted_output output, void *arg)
{
	struct hosted *t = fd_xcalloc(1, sizeof *t);

	t->w = clamp(w, HOSTED_MIN_W, HOSTED_MAX_W);
	t->h = clamp(h, HOSTED_MIN_H, HOSTED_MAX_H);
	t->output = output;
	t->arg = arg;
	terminal_open(t);
	return t;
}

void hosted_free(struct hosted *t)
{
	if (!t)
		return;
	vterm_free(t->vt);
	for (unsigned i = 0; i < HOSTED_SCROLLBACK; i++)
		free(t->back[i].cells);
	free(t);
}

/* --- another size --- */

/* What is on the screen, down to the cursor. */
struct picture {
	struct hosted_cell *cells;
	int w, h;
	VTermPos cursor;
};

static void picture_take(const struct hosted *t, struct picture *ret)
{
	ret->w = t->w;
	ret->h = clamp(t->cursor.row, 0, t->h - 1) + 1;
	ret->cursor = t->cursor;
	ret->cells = fd_xcalloc((size_t)ret->w * (size_t)ret->h, sizeof *ret->cells);
	for (int y = 0; y < ret->h; y++)
		for (int x = 0; x < ret->w; x++) {
			VTermScreenCell from;

			if (vterm_screen_get_cell(t->screen, (VTermPos){ .row = y, .col = x }, &from))
				take_cell(&from, &ret->cells[y * ret->w + x]);
		}
}

static void say(struct hosted *t, const char *words)
{
	vterm_input_write(t->vt, words, strlen(words));
}

static void say_look(struct hosted *t, const struct hosted_cell *c)
{
	char buf[96];
	int n = snprintf(buf, sizeof buf, "\033[0%s%s%s", c->look & CANVAS_BOLD ? ";1" : "", c->look & CANVAS_UNDERLINE ? ";4" : "",
		c->look & CANVAS_REVERSE ? ";7" : "");

	if (c->fg)
		n += snprintf(buf + n, sizeof buf - (size_t)n, ";38;5;%d", c->fg - 1);
	if (c->bg)
		n += snprintf(buf + n, sizeof buf - (size_t)n, ";48;5;%d", c->bg - 1);
	snprintf(buf + n, sizeof buf - (size_t)n, "m");
	say(t, buf);
}

static bool is_plain(const struct hosted_cell *c)
{
	return (c->cp[0] == 0 || c->cp[0] == ' ') && !c->bg && !c->look;
}

static void say_line(struct hosted *t, const struct hosted_cell *line, int w)
{
	while (w > 0 && is_plain(&line[w - 1]))
		w--;
	for (int x = 0; x < w; x += line[x].width) {
		char utf8[4 * HOSTED_CHARS + 4] = " ";
		size_t n = 0;

		if (x + line[x].width > w)
			break;
		for (unsigned i = 0; i < HOSTED_CHARS && line[x].cp[i] >= ' '; i++)
			n += text_encode(line[x].cp[i], utf8 + n);
		say_look(t, &line[x]);
		vterm_input_write(t->vt, utf8, n ? n : 1);
	}
	say(t, "\033[0m");
}

static void picture_put(struct hosted *t, const struct picture *p)
{
	char move[32];
	int w = p->w < t->w ? p->w : t->w;

	for (int y = 0; y < p->h; y++) {
		say(t, y ? "\r\n" : "");
		say_line(t, p->cells + (size_t)y * (size_t)p->w, w);
	}
	snprintf(move, sizeof move, "\r\033[%dC", p->cursor.col);
	say(t, p->cursor.col > 0 && p->cursor.col < t->w ? move : "");
}

/*
 * libvterm 0.1 to 0.3 keep positions of the old size in a screen that has become smaller, and write beside it later. So each size gets
 * a terminal of its own, with the modes that the tool set and the picture so far; tools that draw whole screens do so at SIGWINCH.
 */
void hosted_resize(struct hosted *t, int w, int h)
{
	struct picture p;

	w = clamp(w, HOSTED_MIN_W, HOSTED_MAX_W);
	h = clamp(h, HOSTED_MIN_H, HOSTED_MAX_H);
	if (w == t->w && h == t->h)
		return;
	picture_take(t, &p);
	vterm_free(t->vt);
	t->w = w;
	t->h = h;
	t->filter.state = HOSTED_TEXT; /* a sequence that has come half is lost */
	terminal_open(t);
	for (unsigned i = 0; hosted_filter_mode(i); i++)
		if (t->filter.modes >> i & 1)
			say(t, hosted_filter_mode(i));
	picture_put(t, &p);
	free(p.cells);
	vterm_screen_flush_damage(t->screen);
}

void hosted_write(struct hosted *t, struct text bytes)
{
	char buf[4096 + HOSTED_FILTER_HELD];

	for (size_t at = 0, n; at < bytes.n; at += n) {
		n = bytes.n - at < 4096 ? bytes.n - at : 4096;
		vterm_input_write(t->vt, buf, hosted_filter(&t->filter, (struct text){ bytes.p + at, n }, buf));
	}
	vterm_screen_flush_damage(t->screen);
}

/* --- keys --- */

static const struct {
	int key;
	VTermKey vterm;
} special[] = {
	{ KEYS_ENTER, VTERM_KEY_ENTER }, { KEYS_TAB, VTERM_KEY_TAB }, { KEYS_BACKSPACE, VTERM_KEY_BACKSPACE }, { KEYS_ESC, VTERM_KEY_ESCAPE },
	{ KEYS_UP, VTERM_KEY_UP }, { KEYS_DOWN, VTERM_KEY_DOWN }, { KEYS_LEFT, VTERM_KEY_LEFT }, { KEYS_RIGHT, VTERM_KEY_RIGHT },
	{ KEYS_HOME, VTERM_KEY_HOME }, { KEYS_END, VTERM_KEY_END }, { KEYS_PAGE_UP, VTERM_KEY_PAGEUP },
	{ KEYS_PAGE_DOWN, VTERM_KEY_PAGEDOWN }, { KEYS_DELETE, VTERM_KEY_DEL }, { KEYS_INSERT, VTERM_KEY_INS },
};

void hosted_key(struct hosted *t, int key)
{
	t->looking = 0;
	for (size_t i = 0; i < ARRAY_LEN(special); i++)
		if (special[i].key == key) {
			vterm_keyboard_key(t->vt, special[i].vterm, VTERM_MOD_NONE);
			return;
		}
	if (key == KEYS_BACK_TAB)
		vterm_keyboard_key(t->vt, VTERM_KEY_TAB, VTERM_MOD_SHIFT);
	else if (key > KEYS_F0 && key <= KEYS_F12)
		vterm_keyboard_key(t->vt, (VTermKey)VTERM_KEY_FUNCTION(key - KEYS_F0), VTERM_MOD_NONE);
	else if (key > 0 && key < ' ')
		t->output(t->arg, &(char){ (char)key }, 1);
	else if (key >= ' ' && key < KEYS_UP)
		vterm_keyboard_unichar(t->vt, (uint32_t)key, VTERM_MOD_NONE);
}

void hosted_paste(struct hosted *t, struct text raw)
{
	t->looking = 0;
	vterm_keyboard_start_paste(t->vt);
	for (size_t i = 0; i < raw.n; i++) {
		char c = raw.p[i] == '\n' ? '\r' : raw.p[i];

		/* No byte that could end the bracket around it or be a key of its own. */
		if ((unsigned char)c >= ' ' ? c != 127 : c == '\r' || c == '\t')
			t->output(t->arg, &c, 1);
	}
	vterm_keyboard_end_paste(t->vt);
}

/* --- picture --- */

static int kept(const struct hosted *t)
{
	return t->n_back < HOSTED_SCROLLBACK ? (int)t->n_back : HOSTED_SCROLLBACK;
}

void hosted_scroll(struct hosted *t, int lines)
{
	t->looking = clamp(t->looking + lines, 0, kept(t));
}

int hosted_looking_back(const struct hosted *t)
{
	return t->looking < kept(t) ? t->looking : kept(t);
}

static void draw_old(const struct hosted *t, struct area a, int y, unsigned back)
{
	const struct hosted_line *l = &t->back[(t->n_back - back) % HOSTED_SCROLLBACK];

	for (int x = 0; x < l->w && x < a.w; x += l->cells[x].width)
		draw_cell(&l->cells[x], a, x, y);
}

static void draw_now(const struct hosted *t, struct area a, int y, int row)
{
	for (int x = 0; x < t->w && x < a.w;) {
		VTermScreenCell from;
		struct hosted_cell c;

		if (!vterm_screen_get_cell(t->screen, (VTermPos){ .row = row, .col = x }, &from))
			break;
		take_cell(&from, &c);
		draw_cell(&c, a, x, y);
		x += c.width;
	}
}

void hosted_draw(const struct hosted *t, struct area a, bool focused)
{
	int back = hosted_looking_back(t), y = t->cursor.row + back;

	for (int i = 0; i < a.h; i++) {
		if (i < back)
			draw_old(t, a, i, (unsigned)(back - i));
		else if (i - back < t->h)
			draw_now(t, a, i, i - back);
	}
	if (focused)
		canvas_cursor(a, t->cursor.col < a.w ? t->cursor.col : a.w - 1, y < a.h ? y : a.h - 1, t->cursor_shown && y < a.h);
}

#else /* without libvterm nobody has one, so nothing below is ever reached but by mistake */

bool hosted_is_there(void)
{
	return false;
}

struct hosted *hosted_new(int w, int h, hosted_output output, void *arg)
{
	(void)w, (void)h, (void)output, (void)arg;
	return NULL;
}

void hosted_free(struct hosted *t)
{
	(void)t;
}

void hosted_resize(struct hosted *t, int w, int h)
{
	(void)t, (void)w, (void)h;
}

void hosted_write(struct hosted *t, struct text bytes)
{
	(void)t, (void)bytes;
}

void hosted_key(struct hosted *t, int key)
{
	(void)t, (void)key;
}

void hosted_paste(struct hosted *t, struct text raw)
{
	(void)t, (void)raw;
}

void hosted_scroll(struct hosted *t, int lines)
{
	(void)t, (void)lines;
}

int hosted_looking_back(const struct hosted *t)
{
	(void)t;
	return 0;
}

void hosted_draw(const struct hosted *t, struct area a, bool focused)
{
	(void)t, (void)a, (void)focused;
}

#endif
