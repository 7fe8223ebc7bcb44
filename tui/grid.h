/*
 * Rows on the screen: columns chosen by width and priority, headings with the sort arrow, the cursor's row, signs, found words,
 * sideways scrolling in wide mode. Shows a core/table.h table, or any provider of rows (pages of a capture).
 */
#ifndef NSDBG_TUI_GRID_H
#define NSDBG_TUI_GRID_H

#include "core/table.h"
#include "tui/canvas.h"

/* A column of a pane. Panes list theirs in the order of the screen. */
struct grid_column {
	const char *field; /* name in the row type: value, help, what sorting goes by */
	const char *title; /* NULL: the field's */
	uint8_t min; /* fewer columns: it is left out */
	uint8_t good; /* squeezed below this only for columns of priority 0-3; 0: its content */
	uint8_t max; /* as wide as its content, up to this; 0: 40 */
	uint8_t priority; /* 0 stays longest */
	uint8_t flags; /* GRID_* */
	/* Own screen text instead of row_format; raw bytes allowed, cleaned later. arg = grid.arg. Returns length. */
	size_t (*format)(const void *arg, const struct block *b, const void *row, const struct row_look *look, char *buf, size_t cap);
	/* May change the style of this cell (grey, red); NULL: STYLE_TEXT, strong in column 0. */
	enum style (*style)(const void *arg, const struct block *b, const void *row);
};
enum {
	GRID_RIGHT = 1 << 0,
	GRID_FLEX = 1 << 1, /* takes what is left, may be cut */
	GRID_NOCUT = 1 << 2, /* never cut: left out instead; wider than `good`: that row's next cells move to the right */
	GRID_WIDE = 1 << 3, /* only in wide mode (w) */
	GRID_DIM = 1 << 4,
};

/* Rows that do not come from a struct table. */
struct grid_rows {
	uint64_t (*count)(const void *arg);
	/* Row i and its block; NULL while it is being fetched. */
	const void *(*at)(const void *arg, uint64_t i, const struct block **ret_block);
};

enum { GRID_COLUMNS = 32 };

struct grid {
	const struct row_type *type;
	const struct grid_column *columns;
	unsigned n_columns;
	const struct field *fields[GRID_COLUMNS]; /* of each column; NULL: not a field */
	struct table *table; /* owned; NULL with a provider */
	const struct grid_rows *rows; /* provider, else NULL */
	const void *arg; /* for rows and column functions */
	uint64_t cursor; /* provider only; tables have their own */
	uint64_t top; /* first row on the screen */
	bool wide;
	bool no_heading; /* 40x10 */
	bool follow; /* stay at the end */
	uint32_t hidden; /* bit i: column i switched off by the user */
	unsigned shift; /* first column shown in wide mode */
	bool severity_first;
	/* as last drawn, for the mouse and paging */
	int x, y, height, body; /* body: lines for rows */
	uint8_t width[GRID_COLUMNS]; /* content widths met so far */
	struct { uint8_t column; int x, w; } shown[GRID_COLUMNS];
	unsigned n_shown;
	struct grid_cells *cells; /* owned: the texts of the last frame */
};

/* With a table of `type`: rows NULL. */
void grid_init(struct grid *g, const struct row_type *type, const struct grid_column *columns, unsigned n,
	const struct grid_rows *rows, const void *arg);
void grid_done(struct grid *g);

uint64_t grid_count(const struct grid *g);
uint64_t grid_cursor(const struct grid *g);
/* The row under the cursor and its block; NULL when there is none. */
const void *grid_selected(const struct grid *g, const struct block **ret_block);
void grid_move(struct grid *g, int64_t delta); /* clamps; upwards ends follow */
void grid_jump(struct grid *g, uint64_t i);
/* Next (+1) or previous (-1) row with a finding (WARN, BAD); false: none. Tables only. */
bool grid_jump_finding(struct grid *g, int direction);

/* Movement keys (arrows, j k g G PgUp PgDn ^D ^U Home End, wheel): true when used. */
bool grid_key(struct grid *g, int key);
/* A click at screen coordinates: row selected (1), heading clicked: sorted (2), else 0. */
int grid_click(struct grid *g, int x, int y);

void grid_sort_step(struct grid *g, int direction); /* next/previous visible column */
void grid_sort_invert(struct grid *g);
void grid_sort_by(struct grid *g, const char *field, bool descending, bool severity_first);
/* "state ^", "severity, name": for status lines; "" in the block's own order. Returns buf. */
const char *grid_sort_text(const struct grid *g, char *buf, size_t cap);

/* Heading and rows; `focused`: full selection. Remembers the geometry in `g` (nothing else changes). */
void grid_draw(struct grid *g, struct area a, const struct row_look *look, bool focused);

/* Column chooser and exports: what column i is called; is it on the screen by the user's choice. */
const char *grid_title(const struct grid *g, unsigned i);
/* Text of one cell, raw bytes cleaned; returns length. */
size_t grid_cell(const struct grid *g, unsigned i, const struct block *b, const void *row, const struct row_look *look, char *buf,
	size_t cap);

/* One row as text, columns separated by two blanks: for y. Returns length. */
size_t grid_row_text(const struct grid *g, const struct row_look *look, char *buf, size_t cap);

#endif
