/* Bytes of a packet as hex and ASCII, with a cursor and the bytes of the selected field marked. */
#ifndef NSDBG_TUI_HEXVIEW_H
#define NSDBG_TUI_HEXVIEW_H

#include "tui/canvas.h"

struct hexview {
	struct text bytes; /* lent */
	uint64_t cursor; /* byte */
	uint64_t mark, n_mark; /* marked bytes; n_mark 0: none */
	uint64_t top; /* first line on the screen */
	int columns, body; /* as last drawn */
};

/* Other bytes; cursor and scroll start anew. */
void hexview_set(struct hexview *v, struct text bytes);
/* Marks bytes, cut to what is there, and brings the first one into view. */
void hexview_mark(struct hexview *v, uint64_t from, uint64_t n);
/* Arrows, h l j k, paging, Home, End: true when used. */
bool hexview_key(struct hexview *v, int key);
/* Byte at screen coordinates relative to the area it was drawn in; false: none. */
bool hexview_hit(const struct hexview *v, int x, int y, uint64_t *ret_byte);
/* Bytes a line for this width: 16, 8 or 4. */
int hexview_columns(int width);
/* Width that n bytes a line take. */
int hexview_width(int columns);
/* Remembers the geometry in `v`; the rest is only read. */
void hexview_draw(struct hexview *v, struct area a, bool focused);
/* The marked bytes (all when none are) as "02 42 ac"; returns length. */
size_t hexview_text(const struct hexview *v, char *buf, size_t cap);

#endif
