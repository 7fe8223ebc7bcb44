/* The layers and fields of a packet as a tree one can walk and fold. What is folded is remembered by layer name, so the next packet
 * looks the same. */
#ifndef NSDBG_TUI_LAYERTREE_H
#define NSDBG_TUI_LAYERTREE_H

#include "capture/capture.h"
#include "core/block.h"
#include "tui/canvas.h"

enum { LAYERTREE_HABITS = 64 };

struct layertree_node {
	uint64_t path; /* the same for the same field in every packet: hash of the labels from the top down */
	uint32_t parent; /* row that holds it; itself at the top */
	bool open; /* its children are shown */
};

struct layertree {
	struct block *block; /* layer_row, owned */
	uint32_t *visible; /* indices of rows that are shown */
	uint32_t n_visible;
	struct layertree_node *nodes; /* by row */
	uint32_t cursor; /* into visible */
	uint32_t top; /* first line on the screen */
	int body; /* lines, as last drawn */
	struct { uint64_t layer; bool open; } habits[LAYERTREE_HABITS]; /* what the user folded by hand */
	unsigned n_habits;
};

/* Takes the block (NULL: empty). The cursor goes to the same field of the same layer if there is one, else to the innermost layer. */
void layertree_set(struct layertree *t, struct block *b);
void layertree_done(struct layertree *t);

/* Movement, arrows left and right fold, * unfolds all, Enter and Space toggle: true when used. */
bool layertree_key(struct layertree *t, int key);
/* Puts the cursor on line y of the last drawn picture: true when there is one. */
bool layertree_click(struct layertree *t, int y);
/* NULL: empty. */
const struct layer_row *layertree_selected(const struct layertree *t);
/* Puts the cursor on the smallest field that covers this byte, unfolding what is in the way. */
bool layertree_select_byte(struct layertree *t, uint64_t byte);

void layertree_draw(struct layertree *t, struct area a, bool focused);
/* The selected line as text; returns length. */
size_t layertree_text(const struct layertree *t, char *buf, size_t cap);

#endif
