/* The list of targets also answers for the app: which target comes next, where are we. */
#ifndef NSDBG_TUI_PANE_LIST_H
#define NSDBG_TUI_PANE_LIST_H

#include "tui/pane.h"

/* Row id of the target `direction` (+1, -1) of `id` in the list's order; `id` itself at the ends. 0: the list is empty. */
uint64_t pane_list_step(const struct pane *list, uint64_t id, int direction);
/* 1-based place of `id` in the list and how many there are; false: it is not in the list as filtered. */
bool pane_list_place(const struct pane *list, uint64_t id, unsigned *ret_place, unsigned *ret_n);
/* Puts the cursor there. */
void pane_list_show(struct pane *list, uint64_t id);

#endif
