/* Building a packet's tree line by line, with bounds on depth and number. */
#ifndef NSDBG_CAPTURE_TREE_H
#define NSDBG_CAPTURE_TREE_H

#include "capture/describe.h"

struct tree {
	tree_fn put;
	void *arg;
	uint32_t n; /* lines so far */
	struct words value; /* of the line being made */
};

/* Where a line's bytes are. */
struct place {
	uint32_t offset;
	uint32_t length;
};

/* Sends t->value as a line and clears it. */
void tree_put(struct tree *t, uint32_t depth, struct place at, const char *label);
void tree_put_warn(struct tree *t, uint32_t depth, struct place at, const char *label);

/* The same with the value given. */
void tree_add(struct tree *t, uint32_t depth, struct place at, const char *label, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));

#endif
