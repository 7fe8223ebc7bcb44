/* State of the probe pane: pane_probe.c runs the probes, probe_keys.c holds the keys, probe_draw.c the picture. */
#ifndef NSDBG_TUI_PROBE_VIEW_H
#define NSDBG_TUI_PROBE_VIEW_H

#include "core/probe/dest.h"
#include "tui/pane.h"

enum { PROBE_SLOT_FILES, PROBE_SLOT_FIRST, PROBE_ITEMS = PANE_FEEDS - PROBE_SLOT_FIRST, PROBE_HISTORY = 120 };

enum probe_state { PROBE_IS_FREE, PROBE_IS_WAITING /* for the container's files */, PROBE_IS_STARTING, PROBE_IS_RUNNING, PROBE_IS_STOPPED };

/* One destination; its worker is feed PROBE_SLOT_FIRST + index. */
struct probe_item {
	enum probe_state state;
	char words[320]; /* "tcp db:5432" */
	struct probe_params params;
	struct block *latest; /* one probe_row; NULL: nothing yet */
	float history[PROBE_HISTORY]; /* ms, newest last; < 0: no answer */
	unsigned n_history;
	char why[192]; /* it could not be started, or broke */
	uint64_t id; /* of its row */
};

struct probe_view {
	struct pane *pane;
	struct probe_item items[PROBE_ITEMS];
	struct block *files; /* file_row; NULL: not read (yet) */
	bool files_done, files_asked;
	struct grid list; /* probe_row */
	struct prompt_history typed;
};

static inline struct probe_view *probe_view_of(const struct pane *p)
{
	return p->state;
}

/* --- pane_probe.c --- */

/* Starts "tcp db:5432", "ping db", "db:5432" ...; again when it is there already. False: not a probe, said in err. */
bool probe_view_add(struct probe_view *v, const char *words, struct err *err);
void probe_view_start(struct probe_view *v, struct probe_item *item);
void probe_view_stop(struct probe_view *v, struct probe_item *item);
void probe_view_remove(struct probe_view *v, struct probe_item *item);
void probe_view_reset(struct probe_view *v, struct probe_item *item);
/* Under the cursor; NULL: there is none. */
struct probe_item *probe_view_selected(const struct probe_view *v);
struct probe_item *probe_view_find(const struct probe_view *v, uint64_t id);
bool probe_item_runs(const struct probe_item *item);

/* --- probe_keys.c --- */

enum { PROBE_N_BINDINGS = 6 };
extern const struct binding probe_bindings[PROBE_N_BINDINGS];

/* --- probe_draw.c --- */

void probe_view_draw(const struct pane *p, struct area a);
void probe_view_grids(struct probe_view *v);
/* Bars of the latest `n` tries as text: UTF-8 or ASCII. Returns length. */
size_t probe_view_sparkline(const struct probe_item *item, unsigned n, enum text_charset charset, char *buf, size_t cap);

#endif
