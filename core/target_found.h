/* Part of target_merge: containers that /proc shows and no engine named, and who shares a network namespace with whom. */
#ifndef NSDBG_CORE_TARGET_FOUND_H
#define NSDBG_CORE_TARGET_FOUND_H

#include "core/source/namespaces.h"
#include "core/target.h"

/* One container of the scan. */
struct found {
	struct text id;
	const struct found_row *row;
	uint32_t netns; /* row of the scan */
	bool is_used; /* an engine named it */
};

/* All of them in the order of their ids. */
struct found_index {
	struct found *list;
	uint32_t n;
};

struct found_index found_index_new(const struct block *scan);
void found_index_free(struct found_index *ix);
/* The one with this id; NULL: none. */
struct found *found_index_find(const struct found_index *ix, struct text id);

/* Rows of engines' blocks that are the same container: met by id or by pid. */
struct seen {
	uint64_t *slots; /* open addressing, a power of two; 0 free */
	uint32_t n, cap;
};

bool seen_add(struct seen *s, uint64_t key); /* false: it was there already */
bool seen_has(const struct seen *s, uint64_t key);
uint64_t seen_id(struct text id);
uint64_t seen_pid(uint64_t pid);

/* Fills row (blank) from what /proc shows. */
void found_describe(const struct block *scan, const struct found *f, struct builder *out, struct target_row *row);

/* Adds what its files say (bundle_row, in any order; NULL: none). */
void found_name(const struct block *bundles, struct builder *out, struct target_row *row);

/* Sets shares_with and shared_by of the containers that are together in one network namespace. The owner is a pod's sandbox, else the
 * one that joined nobody, else the oldest. */
void found_groups(struct builder *out);

#endif
