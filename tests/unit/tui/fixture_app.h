/* The app without a terminal, a session or workers, on the fixture's blocks. */
#ifndef NSDBG_TESTS_FIXTURE_APP_H
#define NSDBG_TESTS_FIXTURE_APP_H

#include "tui/app_state.h"

void fixture_app_start(struct app *app, int w, int h, enum text_charset charset);
void fixture_app_end(struct app *app);
/* '0' list, else the view of the first target, with its blocks. */
void fixture_app_view(struct app *app, char view);
void fixture_app_press(struct app *app, const char *keys);
void fixture_app_key(struct app *app, int key);
/* Hands a block to a pane as its feed would. */
void fixture_app_give(struct pane *p, unsigned slot, struct block *b);

#endif
