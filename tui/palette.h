/* The command palette: everything that can be done from here, found by typing, with the key that does it: so it teaches the keys. */
#ifndef NSDBG_TUI_PALETTE_H
#define NSDBG_TUI_PALETTE_H

#include "tui/pane.h"

/* An overlay over `over`; owned by the caller. */
struct pane *palette_open(struct pane *over);

#endif
