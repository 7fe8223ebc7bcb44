/* One pane without the app around it, on the targets of packets.h: blocks are handed to it as if workers had sent them. */
#ifndef NSDBG_TESTS_STAGE_H
#define NSDBG_TESTS_STAGE_H

#include "tui/pane.h"

struct stage {
	struct pane_env env; /* of the first target, at PACKETS_NOW, 100 s after the start */
	struct pane *pane;
};

void stage_open(struct stage *s, const struct pane_ops *ops, enum text_charset charset);
void stage_close(struct stage *s);

/* Takes b over. */
void stage_block(struct stage *s, unsigned slot, uint32_t tag, struct block *b);

/* What the app does with a key in a pane; one that does nothing fails the test. */
void stage_key(struct stage *s, int key);

/* The pane as it stands between the bars of a terminal of this size, compared with the golden picture. */
void stage_draw(struct stage *s, int width, int height, const char *name);

#endif
