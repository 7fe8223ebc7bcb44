/* Order of processes as a tree: each followed by its children, the oldest first. */
#ifndef NSDBG_CORE_SOURCE_PROCESSES_TREE_H
#define NSDBG_CORE_SOURCE_PROCESSES_TREE_H

#include <stdint.h>

struct processes_node {
	uint64_t pid, ppid, start;
	uint32_t at; /* the caller's own index */
	uint32_t depth; /* result: 0 = its parent is not in the list */
};

/* Rearranges n nodes with distinct pids. Every node comes out once, also when parents form a circle (reused pids, torn reads). */
void processes_tree_sort(struct processes_node *nodes, uint32_t n);

#endif
