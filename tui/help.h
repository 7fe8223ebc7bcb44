/* Panes that lie over another one: help, messages, columns. Made from the key tables, so they cannot lie. */
#ifndef NSDBG_TUI_HELP_H
#define NSDBG_TUI_HELP_H

#include "tui/pane.h"

/* Each is about the pane `over`; owned by the caller. */
struct pane *help_open(struct pane *over);
struct pane *help_messages_open(struct pane *over);
struct pane *help_columns_open(struct pane *over);

/* "Enter", "1-5", "s": how a binding is written. Returns buf or a constant. */
const char *help_key_text(const struct binding *b, char *buf, size_t cap);

#endif
