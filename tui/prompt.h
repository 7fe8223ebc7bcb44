/* One line of input: UTF-8, cursor keys, ^A ^E ^U ^W ^K, history, an error mark under a column. Knows nothing of panes. */
#ifndef NSDBG_TUI_PROMPT_H
#define NSDBG_TUI_PROMPT_H

#include "tui/canvas.h"

enum { PROMPT_TEXT = 2048, PROMPT_HISTORY = 50 };

/* Kept by whoever owns the field, newest last; one for each kind of input. */
struct prompt_history {
	char *items[PROMPT_HISTORY];
	unsigned n;
};

struct prompt {
	char text[PROMPT_TEXT]; /* NUL-terminated UTF-8, may be read at any time */
	size_t len;
	size_t cursor; /* byte offset, at a code point's start */
	const char *label; /* "/", "capture filter for eth0" */
	const char *hint; /* under it while nothing is wrong */
	struct prompt_history *history; /* may be NULL */
	unsigned history_at;
	char error[192]; /* "" = fine */
	size_t error_column; /* byte offset into text */
};

enum prompt_result { PROMPT_IGNORED, PROMPT_MOVED, PROMPT_CHANGED, PROMPT_DONE, PROMPT_CANCELLED };

void prompt_init(struct prompt *p, const char *label, const char *initial, struct prompt_history *history);
enum prompt_result prompt_key(struct prompt *p, int key);
enum prompt_result prompt_paste(struct prompt *p, struct text raw); /* first line only, cleaned */
void prompt_set(struct prompt *p, const char *text);
/* "" clears it. */
void prompt_error(struct prompt *p, size_t column, const char *sentence);
/* Two lines of `a` from y: the input, then the error under its column or the hint. */
void prompt_draw(const struct prompt *p, struct area a, int y);
/* Only the field itself in `width` columns from x, without label: for forms (DNS). focused: shows the cursor. */
void prompt_draw_field(const struct prompt *p, struct area a, int x, int y, int width, bool focused);

void prompt_history_add(struct prompt_history *h, const char *text);
void prompt_history_done(struct prompt_history *h);

#endif
