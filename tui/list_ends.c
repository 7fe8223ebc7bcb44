/* From the end of a process to the reading that shows it: see list_ends.h. A reading that is under way may have missed it: one more then. */
#include "tui/list_ends.h"

#include "core/exits.h"
#include "core/fd.h"
#include "tui/pane.h"

#include <stdlib.h>

struct list_ends {
	struct pane *list;
	unsigned scan;
	uint64_t *walk_at;
	struct exits *exits;
};

static uint32_t on_ended(void *arg, uint32_t what)
{
	struct list_ends *e = arg;
	bool walks = *e->walk_at == UINT64_MAX;

	if (e->list->feeds[e->scan].waiting)
		return what;
	if (what & EXITS_HOLDER && !walks)
		*e->walk_at = 1; /* with the sample that is asked for now */
	pane_feed_sample(e->list, e->scan);
	return walks ? what & EXITS_HOLDER : 0;
}

struct list_ends *list_ends_new(struct pane *list, unsigned scan, uint64_t *walk_at)
{
	struct list_ends *e;

	if (!list->env->loop)
		return NULL;
	e = fd_xcalloc(1, sizeof *e);
	*e = (struct list_ends){ .list = list, .scan = scan, .walk_at = walk_at };
	e->exits = exits_new(list->env->loop, on_ended, e);
	return e;
}

void list_ends_free(struct list_ends *e)
{
	if (!e)
		return;
	exits_free(e->exits);
	free(e);
}

void list_ends_watch(struct list_ends *e, const struct block *targets)
{
	if (!e)
		return;
	exits_pause(e->exits, e->list->feeds[e->scan].interval_ms);
	exits_watch_targets(e->exits, targets);
}
