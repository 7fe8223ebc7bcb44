/* The list hears at once of the end of those that no engine speaks for: see core/exits.h. */
#ifndef NSDBG_TUI_LIST_ENDS_H
#define NSDBG_TUI_LIST_ENDS_H

#include <stdint.h>

struct block;
struct list_ends;
struct pane;

/* An end asks the feed in slot `scan` of `list` for a sample, that of a holder also puts *walk_at (the time of the next walk over
 * descriptors, UINT64_MAX while there is one) forward. NULL without a loop. */
struct list_ends *list_ends_new(struct pane *list, unsigned scan, uint64_t *walk_at);
void list_ends_free(struct list_ends *e); /* NULL is fine */

void list_ends_watch(struct list_ends *e, const struct block *targets);

#endif
