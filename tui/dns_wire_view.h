/*
 * The Wire half of the DNS pane: questions seen in the target's namespace, in several views. dns_wire_view.c keeps its worker fed,
 * dns_wire_grids.c has the columns, dns_wire_draw.c the picture, dns_wire_keys.c the keys.
 */
#ifndef NSDBG_TUI_DNS_WIRE_VIEW_H
#define NSDBG_TUI_DNS_WIRE_VIEW_H

#include "tui/dns_wire.h"
#include "tui/pane.h"

enum { DNS_SLOT_WATCH = 2, DNS_SLOT_OWNERS = 3 };

enum dns_wire_tab {
	DNS_WIRE_ALL,
	DNS_WIRE_SLOWEST,
	DNS_WIRE_FAILING,
	DNS_WIRE_UNANSWERED,
	DNS_WIRE_NAMES,
	DNS_WIRE_SEARCHES,
	DNS_WIRE_FINDINGS,
	DNS_WIRE_TABS,
};

enum { DNS_WIRE_SECONDS = 60 };

struct dns_wire_view {
	struct pane *pane;
	bool open; /* its worker was started */
	enum dns_wire_tab tab;
	bool detail;
	bool has_state;
	struct dnswatch_row now; /* texts are gone */
	char note[192];
	bool asked; /* rows are under way */
	bool behind; /* and newer ones are there */
	uint32_t counts[DNS_WIRE_TABS]; /* rows in each tab */
	struct block *questions; /* newest, with names; NULL none yet */
	struct block *findings; /* with stale addresses; NULL none yet */
	struct dns_wire_owners sockets;
	struct grid question_grid, name_grid, search_grid, finding_grid;
};

/* --- dns_wire_view.c --- */

void dns_wire_view_init(struct dns_wire_view *w, struct pane *p);
void dns_wire_view_done(struct dns_wire_view *w);
/* Starts the watch, once. files: file_row or NULL when they are not read (yet). */
void dns_wire_view_open(struct dns_wire_view *w, const struct block *files);
void dns_wire_view_files(struct dns_wire_view *w, const struct block *files);
void dns_wire_view_event(struct dns_wire_view *w, unsigned slot, struct link_event *ev); /* takes ev->block */
void dns_wire_view_tab(struct dns_wire_view *w, enum dns_wire_tab tab);
void dns_wire_view_freeze(struct dns_wire_view *w, bool on);
struct grid *dns_wire_view_grid(struct dns_wire_view *w);
/* The question under the cursor and its block; NULL: another kind of row, or none. */
const struct dnswatch_question *dns_wire_view_question(struct dns_wire_view *w, const struct block **ret_block);
/* The name under the cursor without its final dot; false: none. */
bool dns_wire_view_name(struct dns_wire_view *w, char *buf, size_t cap);
void dns_wire_view_give(struct dns_wire_view *w, struct carry *ret); /* a capture filter for it */
bool dns_wire_is_failing(const struct dnswatch_question *q, const struct block *b);
bool dns_wire_is_unanswered(const struct dnswatch_question *q);

/* --- dns_wire_grids.c --- */

void dns_wire_view_grids(struct dns_wire_view *w);

/* --- dns_wire_draw.c --- */

extern const char *const dns_wire_tab_names[DNS_WIRE_TABS];
void dns_wire_view_draw(struct dns_wire_view *w, struct area a);
void dns_wire_view_message(const struct dns_wire_view *w, char *buf, size_t cap);
/* "Ask Wire" at the right end of a line, the one we are in marked; returns the column where it starts. */
int dns_wire_draw_subtabs(struct area line, bool on_wire);

/* --- dns_wire_keys.c: bindings in dns_keys.c --- */

int dns_wire_key_tab(struct pane *p, int key);
int dns_wire_key_detail(struct pane *p, int key);
int dns_wire_key_ask(struct pane *p, int key);
int dns_wire_key_stop(struct pane *p, int key);
int dns_wire_key_clear(struct pane *p, int key);
int dns_wire_key_copy(struct pane *p, int key);
int dns_wire_key(struct pane *p, int key); /* PANE_* */

#endif
