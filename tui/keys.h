/* Keys as numbers: a code point, a control code (^L = 12), or one of these. What the terminal sent is translated in screen.c. */
#ifndef NSDBG_TUI_KEYS_H
#define NSDBG_TUI_KEYS_H

enum {
	KEYS_NONE = 0,
	KEYS_TAB = 9,
	KEYS_ENTER = 13, /* ^J as well */
	KEYS_ESC = 27,
	KEYS_BACKSPACE = 127, /* ^H as well */
	KEYS_UP = 0x110000, /* first number past Unicode */
	KEYS_DOWN,
	KEYS_LEFT,
	KEYS_RIGHT,
	KEYS_HOME,
	KEYS_END,
	KEYS_PAGE_UP,
	KEYS_PAGE_DOWN,
	KEYS_DELETE,
	KEYS_INSERT,
	KEYS_BACK_TAB,
	KEYS_F0, /* F1 = KEYS_F0 + 1 ... F12 */
	KEYS_F12 = KEYS_F0 + 12,
	KEYS_CLICK, /* left button at x, y */
	KEYS_DOUBLE_CLICK,
	KEYS_WHEEL_UP,
	KEYS_WHEEL_DOWN,
	KEYS_RESIZE,
	KEYS_PASTE, /* text of a bracketed paste: screen_pasted */
};

#define KEYS_CTRL(c) ((c) & 31)
#define KEYS_F(n)    (KEYS_F0 + (n))

enum { KEYS_TEXT = 16 };

/* "Enter", "^L", "F5", "s", "PgDn" into buf, which is returned. */
const char *keys_name(int key, char buf[KEYS_TEXT]);

/* The other way round, for keys that people name: one character, F1-F12, ^X, or a name from above. KEYS_NONE: none of these. */
int keys_parse(const char *text);

#endif
