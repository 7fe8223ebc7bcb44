/*
 * What of a tool's output reaches the hosted terminal: text, the control sequences of ECMA-48 that programs of TERM=screen-256color
 * send, and nothing else. Strings (titles, clipboard), mouse and odd or overlong sequences are swallowed: terminal emulators have
 * faults there, and libvterm 0.1 ends its process.
 */
#ifndef NSDBG_TUI_HOSTED_FILTER_H
#define NSDBG_TUI_HOSTED_FILTER_H

#include "core/text.h"

enum { HOSTED_FILTER_HELD = 64 }; /* bytes of an unfinished sequence */

enum hosted_filter_state {
	HOSTED_TEXT,
	HOSTED_ESCAPE, /* after ESC */
	HOSTED_CHARSET, /* after ESC ( and its like */
	HOSTED_CSI,
	HOSTED_STRING, /* OSC, DCS, APC, PM, SOS: up to ST or BEL */
	HOSTED_STRING_ESCAPE,
};

struct hosted_filter { /* zeroed: at the start */
	enum hosted_filter_state state;
	char held[HOSTED_FILTER_HELD]; /* from its ESC on */
	unsigned n;
	uint32_t modes; /* bit i: hosted_filter_mode(i) is on */
};

/* Appends what is harmless of `from` to `to`, which has room for from.n + HOSTED_FILTER_HELD bytes. Returns how much that is. */
size_t hosted_filter(struct hosted_filter *f, struct text from, char *to);

/* The sequence that switches remembered mode `i` on (what keys send, alternate screen, hidden cursor); NULL past the last. */
const char *hosted_filter_mode(unsigned i);

#endif
