/*
 * State of the capture pane, shared by its three files: pane_capture.c asks the worker and takes its answers, capture_keys.c holds the
 * keys, capture_draw.c the pictures; capture_rows.c says how a packet looks in the list.
 */
#ifndef NSDBG_TUI_CAPTURE_VIEW_H
#define NSDBG_TUI_CAPTURE_VIEW_H

#include "capture/capture.h"
#include "tui/hexview.h"
#include "tui/layertree.h"
#include "tui/pages.h"
#include "tui/pane.h"
#include "tui/who.h"

enum capture_focus { CAPTURE_LIST, CAPTURE_TREE, CAPTURE_BYTES, CAPTURE_FOCUS_N };
enum capture_layout { CAPTURE_SIDE, CAPTURE_BELOW, CAPTURE_STACK, CAPTURE_ALONE, CAPTURE_LAYOUT_N };
enum capture_clock { CAPTURE_SINCE_FIRST, CAPTURE_SINCE_LAST, CAPTURE_TIME_OF_DAY, CAPTURE_CLOCK_N };

/* Tags of requests; pages have their own (pages.h). */
enum capture_tag {
	CAPTURE_TAG_DETAIL = 1,
	CAPTURE_TAG_FILTER,
	CAPTURE_TAG_CHECK,
	CAPTURE_TAG_DISPLAY,
	CAPTURE_TAG_RUN,
	CAPTURE_TAG_SAVE,
	CAPTURE_TAG_INTERFACES,
	CAPTURE_TAG_FIND,
	CAPTURE_TAG_CLEAR,
	CAPTURE_TAG_SEEK,
};

/* Text that is sent as it is typed: never more than one under way, the newest always last. */
struct capture_typed {
	char text[CAPTURE_FILTER_TEXT];
	bool waiting; /* for an answer */
	bool changed; /* since it was sent */
};

struct capture_view {
	struct pane *pane;
	struct capture_params params; /* what a worker is to do; .filter follows the prompt */
	char filter_opened[CAPTURE_FILTER_TEXT]; /* what the feed was opened with */
	struct grid grid;
	struct pages pages;
	struct layertree tree;
	struct hexview hex;
	struct who who;
	struct block *status; /* capture_row, one row; NULL: none yet */
	struct block *bytes; /* bytes_row of the packet in tree and hex */
	uint64_t detail; /* its number; 0: none */
	uint64_t detail_asked; /* number under way; 0: none */
	char detail_why[192]; /* why there is none */
	uint64_t anchor; /* number of the packet under the cursor: it stays there when rows move */
	uint64_t frozen_received, frozen_first;
	enum capture_focus focus;
	unsigned layout; /* enum capture_layout; CAPTURE_LAYOUT_N: by the size of the screen */
	enum capture_clock clock;
	bool addresses; /* numbers instead of names */
	int width; /* of the list */
	struct capture_typed check, show;
	char shown[CAPTURE_FILTER_TEXT]; /* show filter in force */
	char check_error[192]; /* of check.text; "" fine or not known */
	size_t check_column;
	char show_before[CAPTURE_FILTER_TEXT]; /* what Esc in its prompt goes back to */
	char find[512];
	struct { uint64_t number, low, high; } seek; /* place of packet `number`, by halving; number 0: nobody asks */
	struct block *interfaces; /* the menu is up */
	uint32_t menu_at;
	char save_path[256]; /* "" nothing is saved */
	bool save_started;
	struct prompt_history filters, shows, finds, jumps;
	int screen_w, screen_h; /* as last drawn */
	enum capture_layout layout_now;
	struct area at[CAPTURE_FOCUS_N]; /* where the parts were drawn: for the mouse; w 0: not there */
};

/* --- pane_capture.c: what keys ask for --- */

static inline struct capture_view *capture_view_of(const struct pane *p)
{
	return p->state;
}
/* NULL: no word from the worker yet. */
const struct capture_row *capture_view_status(const struct capture_view *v);
int capture_view_request(struct capture_view *v, enum capture_tag tag, uint32_t op, const void *params, size_t n);
/* A new worker with v->params; when it is there, everything that was captured before goes. */
void capture_view_open(struct capture_view *v);
/* Sends text if nothing is under way, else later. */
void capture_view_typed(struct capture_view *v, struct capture_typed *t, const char *text);
void capture_view_filter(struct capture_view *v, const char *bpf);
void capture_view_find(struct capture_view *v, bool backwards);
/* Asks for pages and details that are missing. */
void capture_view_want(struct capture_view *v);
/* The reader moved the cursor. */
void capture_view_moved(struct capture_view *v);
/* Puts the cursor on the packet with this number, or the next one that is shown. */
void capture_view_seek(struct capture_view *v, uint64_t number);
/* Marks the bytes of the selected field. */
void capture_view_link(struct capture_view *v);
/* Name asked in the selected DNS packet; false: it is none. */
bool capture_view_dns_name(const struct capture_view *v, char *buf, size_t cap);

/* --- capture_keys.c --- */

enum { CAPTURE_N_BINDINGS = 16 };
extern const struct binding capture_bindings[CAPTURE_N_BINDINGS];
int capture_view_key(struct pane *p, int key);
int capture_view_mouse(struct pane *p, int key, int x, int y);

/* --- capture_draw.c --- */

enum capture_layout capture_view_layout(const struct capture_view *v, int width, int height);
void capture_view_draw(const struct pane *p, struct area a);
void capture_view_message(const struct pane *p, char *buf, size_t cap);

/* --- capture_rows.c --- */

/* Narrow lists have fewer columns, below these widths. */
enum {
	CAPTURE_COLUMNS_FROM = 60, /* only who to whom and what */
	CAPTURE_PORTS_FROM = 100, /* only the service's port */
	CAPTURE_LONG_FROM = 150, /* long addresses lose their middle */
};

/* Sets the grid up for a list that is so wide; the cursor stays. */
void capture_view_columns(struct capture_view *v, int width);

#endif
