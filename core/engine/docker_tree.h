/* The engine's hostile bytes to a cJSON tree, within limits. */
#ifndef NSDBG_CORE_ENGINE_DOCKER_TREE_H
#define NSDBG_CORE_ENGINE_DOCKER_TREE_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

struct err;

enum { DOCKER_TREE_MAX_BYTES = 8 << 20, DOCKER_TREE_MAX_DEPTH = 64, DOCKER_TREE_MAX_VALUES = 2000000 };

/* One JSON document and nothing behind it; the tree is the caller's. 0, -EBADMSG (not JSON), -E2BIG (a limit). */
int docker_tree_parse(const char *p, size_t n, cJSON **ret, struct err *err);
void docker_tree_freep(cJSON **t); /* for AUTO */

enum docker_tree_kind { DOCKER_TREE_LIST, DOCKER_TREE_INSPECTION, DOCKER_TREE_POD_LIST, DOCKER_TREE_N };

/*
 * Takes the members out of an answer about containers that nobody reads, in place: that is more than half of it, and making the tree
 * is the dearest part of reading. It also keeps one container's giant label from costing the whole list. Checks nothing: broken JSON
 * stays broken, or its broken part is left out. Returns the new length.
 */
size_t docker_tree_prune(char *p, size_t n, enum docker_tree_kind kind);

#endif
