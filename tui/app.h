/* The curses app: owns the screen, the loop, the panes; turns keys into calls and pictures into flushes. */
#ifndef NSDBG_TUI_APP_H
#define NSDBG_TUI_APP_H

#include "tui/screen.h"

#include <stdio.h>

struct config;
struct engine_places;
struct err;
struct session;

struct app_options {
	const struct engine_places *places; /* engines to ask */
	const char *target; /* open on this target (ux.md 3.1 words); NULL: the list */
	char view; /* with target: letter or digit of the first view; 0: overview */
	struct screen_options screen;
	unsigned every_ms; /* refresh; 0: 2000 */
	bool utc;
	struct config *config; /* own commands; NULL: none */
};

/* Runs until the user quits. 0, or -errno with one sentence; the terminal is whole again in any case. */
int app_run(struct session *s, const struct app_options *o, struct err *err);

/* The keys as a Markdown table, from the same tables as footer and help. */
void app_print_keys(FILE *out);

#endif
