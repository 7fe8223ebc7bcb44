/* Rows of one block in the order a reader wants them: filtered, sorted, with a cursor that stays on its row's id. No screen here. */
#ifndef NSDBG_CORE_TABLE_H
#define NSDBG_CORE_TABLE_H

#include "core/block.h"
#include "core/filter.h"

struct table;

struct table *table_new(const struct row_type *type);
void table_free(struct table *t);

/* Swaps the snapshot (own reference taken), filters and sorts again, keeps the cursor on the same id (else the same place). */
void table_set_block(struct table *t, struct block *b);
const struct block *table_block(const struct table *t); /* may be NULL */

/* Stable sort; field NULL = the block's own order. By severity first when `severity_first`. */
void table_sort(struct table *t, const struct field *f, bool descending, bool severity_first);
const struct field *table_sort_field(const struct table *t, bool *ret_descending);

/* Takes the text; on error the old filter stays. */
int table_filter(struct table *t, const char *text, size_t *ret_column, struct err *err);
const char *table_filter_text(const struct table *t); /* "" when none */
const struct filter *table_filter_get(const struct table *t);

/* Extra predicate of the pane (stopped containers, loopback); NULL: all. */
void table_set_keep(struct table *t, bool (*keep)(const struct block *, const void *row, void *arg), void *arg);

uint32_t table_count(const struct table *t); /* rows shown */
uint32_t table_total(const struct table *t); /* rows in the block */
const void *table_at(const struct table *t, uint32_t i); /* NULL past the end */

uint32_t table_cursor(const struct table *t); /* index; 0 when empty */
void table_move(struct table *t, int64_t delta); /* clamps */
void table_jump(struct table *t, uint32_t i);
bool table_jump_id(struct table *t, uint64_t id); /* false: not there */
const void *table_selected(const struct table *t); /* NULL when empty */

/* Tags: a set of row ids that survives new blocks. */
void table_tag(struct table *t, uint64_t id, bool on);
bool table_is_tagged(const struct table *t, uint64_t id);
uint32_t table_tagged(const struct table *t);
void table_untag_all(struct table *t);

#endif
