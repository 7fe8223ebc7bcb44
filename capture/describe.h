/* Decoded packets as text: one line for the list, a tree for the detail view. Raw bytes: viewers clean them. */
#ifndef NSDBG_CAPTURE_DESCRIBE_H
#define NSDBG_CAPTURE_DESCRIBE_H

#include "capture/words.h"
#include "core/addr.h"
#include "core/row.h"

struct layer;
struct packet;

struct packet_line {
	struct addr source;
	struct addr destination;
	uint64_t source_port; /* ROW_NO_UINT: none */
	uint64_t destination_port;
	char protocol[24];
	enum severity severity;
	struct words info;
};

void describe_line(const struct packet *p, struct packet_line *ret);

/* "IPv4", "DNS": as in packet_line.protocol. */
const char *describe_layer_name(const struct layer *l);

/* One line of the tree; offset and length of the bytes it was read from, length 0: none. Pointers live during the call only. */
struct tree_line {
	uint32_t depth; /* 0 a layer, at most TREE_DEPTH */
	const char *label;
	const struct words *value;
	uint32_t offset;
	uint32_t length;
	enum severity severity;
};
enum { TREE_DEPTH = 8, TREE_LINES = 4096 };

typedef void (*tree_fn)(void *arg, const struct tree_line *line);

/* What the packet's bytes do not say. */
struct tree_about {
	uint64_t number;
	const char *interface; /* "" unknown */
	const char *time; /* as text */
};

/* Calls put for every line, depth first; at most TREE_LINES times. */
void describe_tree(const struct packet *p, const struct tree_about *about, tree_fn put, void *arg);

#endif
