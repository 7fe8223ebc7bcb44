/* The terminal. The only part that includes curses; everybody else draws on a canvas. */
#ifndef NSDBG_TUI_SCREEN_H
#define NSDBG_TUI_SCREEN_H

#include "tui/canvas.h"
#include "tui/keys.h"

struct err;
struct screen;

enum screen_color { SCREEN_COLOR_AUTO, SCREEN_COLOR_ALWAYS, SCREEN_COLOR_NEVER }; /* auto: terminfo and NO_COLOR decide */

struct screen_options {
	bool ascii; /* no line drawing, no signs beyond ASCII; also on by itself where the terminal needs it */
	enum screen_color color;
	bool no_mouse;
	int tty; /* of screen_reopen, given away; 0, -1: none, so a slow terminal is waited for */
};

struct screen_key {
	int key; /* KEYS_* or a code point; KEYS_NONE: nothing there */
	int x, y; /* mouse */
};

/* The terminal of standard output once more, to write without waiting; while rights are still there. -1: not allowed. */
int screen_reopen(void);
/* Takes the terminal over. 0, or -errno with one sentence that says what to do without (TERM unknown, no terminal). */
int screen_start(const struct screen_options *o, struct screen **ret, struct err *err);
void screen_stop(struct screen *s); /* gives the terminal back; NULL is fine */

/* How many colours terminfo gives a terminal of this name; 0: none; -1: it is not known here, or cannot place text. */
int screen_colors(const char *term);

int screen_fd(const struct screen *s); /* readable: call screen_read until KEYS_NONE */
struct screen_key screen_read(struct screen *s);
bool screen_left(const struct screen *s); /* the terminal hung up: no key will ever come */
/* Text of the last KEYS_PASTE, raw; valid until the next read. */
struct text screen_pasted(const struct screen *s);

void screen_size(struct screen *s, int *ret_w, int *ret_h); /* asks the kernel and tells curses */
enum text_charset screen_charset(const struct screen *s);
void screen_flush(struct screen *s, const struct canvas *c); /* sends changed cells only; nothing while an earlier picture is owed */
bool screen_owes(const struct screen *s); /* a slow terminal has not taken all of it: call screen_pump again soon */
void screen_pump(struct screen *s);
void screen_redraw(struct screen *s); /* next flush sends everything */
void screen_mouse(struct screen *s, bool on);
void screen_suspend(struct screen *s); /* ^Z: stops this process group, returns after fg, next flush sends everything */
void screen_lend(struct screen *s); /* the terminal as it was before, for another program, until */
void screen_take_back(struct screen *s); /* next flush sends everything */
void screen_copy(struct screen *s, struct text what); /* clipboard by OSC 52, wrapped for tmux and screen as well */
void screen_bell(struct screen *s);

#endif
