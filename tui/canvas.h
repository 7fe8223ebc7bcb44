/*
 * The picture before it goes to the terminal: cells with a character and a meaning. No curses here, so tests compare it as text.
 * All text passes text_clean on its way in. Coordinates are columns and lines of an area, from 0; what leaves the area is cut.
 */
#ifndef NSDBG_TUI_CANVAS_H
#define NSDBG_TUI_CANVAS_H

#include "core/row.h"
#include "core/text.h"

/* What the character means; the theme in screen.c gives it a colour. */
enum style {
	STYLE_TEXT,
	STYLE_STRONG, /* names, values that the eye looks for */
	STYLE_DIM, /* labels, units, what is out of date */
	STYLE_TITLE, /* title in a rule */
	STYLE_RULE, /* lines */
	STYLE_KEY, /* a key one may press */
	STYLE_OK, /* these five: enum severity */
	STYLE_IDLE,
	STYLE_UNKNOWN,
	STYLE_WARN,
	STYLE_BAD,
	STYLE_LIVE, /* REC: something runs */
	STYLE_MATCH, /* found by the filter */
	STYLE_N,
};

/* What lies under it. */
enum ground {
	GROUND_NONE, /* the terminal's own */
	GROUND_BAR, /* top line, footer */
	GROUND_HEAD, /* column headings: underlined */
	GROUND_SELECTED, /* the row the keys act on */
	GROUND_MARKED, /* linked to the selection: bytes of the selected field; selection of a pane without focus */
	GROUND_TAB, /* the tab we are in */
	GROUND_INPUT, /* text being typed */
	GROUND_N,
};

struct canvas_cell {
	uint32_t cp[3]; /* base and up to two combining marks, 0 ends; cp[0] 0: right half of a wide character */
	uint8_t style; /* enum style */
	uint8_t ground; /* enum ground */
	uint8_t match; /* underlined and bold as well */
	uint8_t look; /* CANVAS_*: a hosted terminal's cell, with colours of its own */
	uint16_t fg, bg; /* 256-colour index + 1; 0: the terminal's own */
};

enum { CANVAS_OWN = 1 << 0, CANVAS_BOLD = 1 << 1, CANVAS_UNDERLINE = 1 << 2, CANVAS_REVERSE = 1 << 3 }; /* canvas_cell.look */

struct canvas;

/* A rectangle of a canvas, passed by value. */
struct area {
	struct canvas *canvas;
	int x, y, w, h;
};

enum glyph { /* UTF-8 / ASCII */
	GLYPH_HLINE, /* ─ - */
	GLYPH_VLINE, /* │ | */
	GLYPH_TEE_DOWN, /* ┬ + */
	GLYPH_TEE_UP, /* ┴ + */
	GLYPH_TEE_RIGHT, /* ├ + */
	GLYPH_CORNER, /* └ ` */
	GLYPH_DESCENDING, /* v in both: sort arrows */
	GLYPH_ASCENDING, /* ^ in both */
	GLYPH_MORE, /* … ~ : cut here */
	GLYPH_ARROW_RIGHT, /* → > */
	GLYPH_ARROW_LEFT, /* ← < */
	GLYPH_DOT, /* · . */
	GLYPH_N,
};

struct canvas *canvas_new(int w, int h, enum text_charset charset);
void canvas_free(struct canvas *c);
void canvas_resize(struct canvas *c, int w, int h); /* and clears */
void canvas_clear(struct canvas *c);
int canvas_width(const struct canvas *c); /* of the whole screen: layout rules go by it */
int canvas_height(const struct canvas *c);
/* Layout goes by this height from now on: part of the screen is somebody else's. 0: by the real one again. */
void canvas_lower(struct canvas *c, int h);
enum text_charset canvas_charset(const struct canvas *c);
const struct canvas_cell *canvas_at(const struct canvas *c, int x, int y); /* NULL outside */

struct area canvas_all(struct canvas *c);
struct area canvas_sub(struct area a, int x, int y, int w, int h); /* clipped to `a`; may be empty */
static inline struct area canvas_line(struct area a, int y)
{
	return canvas_sub(a, 0, y, a.w, 1);
}

/* Each returns the columns it wrote. canvas_put takes raw outside bytes. */
int canvas_put(struct area a, int x, int y, enum style style, struct text raw);
int canvas_str(struct area a, int x, int y, enum style style, const char *s);
int canvas_printf(struct area a, int x, int y, enum style style, const char *fmt, ...) __attribute__((format(printf, 5, 6)));
/* At most `width` columns; what does not fit ends in GLYPH_MORE. right: flush right in the width. */
int canvas_fit(struct area a, int x, int y, int width, bool right, enum style style, struct text raw);
/* Ends at column `right` (exclusive); returns the column where it starts. */
int canvas_left_of(struct area a, int right, int y, enum style style, const char *s);
/* Words of different weight in one go: "[c] capture  [R] restart": what stands in brackets gets STYLE_KEY. */
int canvas_hint(struct area a, int x, int y, enum style style, const char *s);

int canvas_glyph(struct area a, int x, int y, enum style style, enum glyph g);
/* One of eight bars, ▁ to █ or . to #, for a part of the whole (0 to 1). */
const char *canvas_bar_text(enum text_charset charset, double part);
const char *canvas_glyph_text(enum text_charset charset, enum glyph g);
/* ✗ ▲ ● ○ ◌ or X ! * - ?; SEVERITY_NONE writes nothing. Returns 1. */
int canvas_sign(struct area a, int x, int y, enum severity s);
enum style canvas_severity_style(enum severity s);

/* "─ title ─────" over the whole width; title NULL: only the line. */
void canvas_rule(struct area a, int y, const char *title);
/* One cell of a hosted terminal: `raw` is cleaned as all text and shown as ? when it then is not `width` (1, 2) columns wide. */
void canvas_hosted(struct area a, int x, int y, int width, struct text raw, uint16_t fg, uint16_t bg, uint8_t look);
void canvas_vline(struct area a, int x, int y, int n);
void canvas_ground(struct area a, int y, enum ground g); /* the whole line of the area */
void canvas_ground_part(struct area a, int x, int y, int n, enum ground g);
void canvas_restyle(struct area a, int x, int y, int n, enum style style);
void canvas_mark_match(struct area a, int x, int y, int n);

/* Where the hardware cursor stands (selected row, input line); screen readers follow it. */
void canvas_cursor(struct area a, int x, int y, bool visible);
bool canvas_cursor_at(const struct canvas *c, int *ret_x, int *ret_y); /* visible? */

/* The picture as UTF-8 text, lines without trailing blanks, each ended by a newline. To be freed. */
char *canvas_dump(const struct canvas *c);
/* The same size, one letter a cell for style (0) or ground (1): golden tests of highlights. To be freed. */
char *canvas_dump_meaning(const struct canvas *c, int what);

#endif
