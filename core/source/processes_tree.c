/* Order of processes as a tree: see processes_tree.h. Children are found by search in a copy sorted by parent: no recursion. */
#include "core/source/processes_tree.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/fd.h"

enum { NONE = UINT32_MAX };

#define CMP(a, b) (((a) > (b)) - ((a) < (b)))

struct tree {
	struct processes_node *by_pid, *by_parent;
	uint32_t n;
	bool *done; /* index as in by_pid */
	uint32_t *stack;
	struct processes_node *out;
	uint32_t n_out;
};

static int node_by_pid(const void *x, const void *y)
{
	const struct processes_node *a = x, *b = y;

	return CMP(a->pid, b->pid);
}

static int node_by_age(const void *x, const void *y)
{
	const struct processes_node *a = x, *b = y;
	int r = CMP(a->start, b->start);

	return r ? r : CMP(a->pid, b->pid);
}

/* Children of one parent lie side by side, the oldest first. */
static int node_by_parent(const void *x, const void *y)
{
	const struct processes_node *a = x, *b = y;
	int r = CMP(a->ppid, b->ppid);

	return r ? r : node_by_age(x, y);
}

static uint32_t find_node(const struct tree *t, uint64_t pid)
{
	struct processes_node key = { .pid = pid };
	const struct processes_node *n = bsearch(&key, t->by_pid, t->n, sizeof key, node_by_pid);

	return n ? (uint32_t)(n - t->by_pid) : NONE;
}

/* Where the children of `ppid` start in by_parent. */
static uint32_t first_child(const struct tree *t, uint64_t ppid)
{
	uint32_t from = 0, to = t->n;

	while (from < to) {
		uint32_t mid = from + (to - from) / 2;

		if (t->by_parent[mid].ppid < ppid)
			from = mid + 1;
		else
			to = mid;
	}
	return from;
}

/* Puts a process and all below it out. A node is marked when it goes on the stack: circles end there. */
static void descend(struct tree *t, uint32_t top)
{
	uint32_t n = 0;

	t->done[top] = true;
	t->stack[n++] = top;
	while (n > 0) {
		struct processes_node *node = &t->by_pid[t->stack[--n]];
		uint32_t first = first_child(t, node->pid), end = first;

		t->out[t->n_out++] = *node;
		while (end < t->n && t->by_parent[end].ppid == node->pid)
			end++;
		while (end-- > first) {
			uint32_t child = find_node(t, t->by_parent[end].pid);

			if (t->done[child])
				continue;
			t->done[child] = true;
			t->by_pid[child].depth = node->depth + 1;
			t->stack[n++] = child;
		}
	}
}

/* Tops, the oldest first; then what hangs in a circle. */
static void descend_all(struct tree *t)
{
	AUTO(fd_freep) struct processes_node *tops = fd_xcalloc(t->n, sizeof *tops);
	uint32_t n = 0;

	for (uint32_t i = 0; i < t->n; i++)
		if (t->by_pid[i].ppid == t->by_pid[i].pid || find_node(t, t->by_pid[i].ppid) == NONE)
			tops[n++] = t->by_pid[i];
	qsort(tops, n, sizeof *tops, node_by_age);
	for (uint32_t i = 0; i < n; i++)
		descend(t, find_node(t, tops[i].pid));
	for (uint32_t i = 0; i < t->n; i++)
		if (!t->done[i])
			descend(t, i);
}

static struct processes_node *sorted_copy(const struct processes_node *nodes, uint32_t n, int (*cmp)(const void *, const void *))
{
	struct processes_node *copy = fd_xcalloc(n, sizeof *copy);

	memcpy(copy, nodes, n * sizeof *copy);
	qsort(copy, n, sizeof *copy, cmp);
	return copy;
}

void processes_tree_sort(struct processes_node *nodes, uint32_t n)
{
	struct tree t = { .n = n, .out = nodes };

	if (n == 0)
		return;
	for (uint32_t i = 0; i < n; i++)
		nodes[i].depth = 0;
	t.by_pid = sorted_copy(nodes, n, node_by_pid);
	t.by_parent = sorted_copy(nodes, n, node_by_parent);
	t.done = fd_xcalloc(n, sizeof *t.done);
	t.stack = fd_xcalloc(n, sizeof *t.stack);
	descend_all(&t);
	free(t.by_pid);
	free(t.by_parent);
	free(t.done);
	free(t.stack);
}
