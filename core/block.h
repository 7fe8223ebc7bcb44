/*
 * A snapshot: header, rows, arena in one relocatable piece of memory. Built once by a worker into a sealed memfd, mapped read-only
 * by the app, swapped whole. Whoever reads one checks it first (block_map), since its writer may have been fooled.
 */
#ifndef NSDBG_CORE_BLOCK_H
#define NSDBG_CORE_BLOCK_H

#include "core/row.h"

struct err;
struct block; /* read side: immutable */
struct builder; /* write side */

enum { BLOCK_MAX_BYTES = 512 << 20 };

/* --- writing --- */

struct builder *builder_new(const struct row_type *type);
void builder_free(struct builder *b);
const struct row_type *builder_type(const struct builder *b);
void builder_clear(struct builder *b); /* keeps the memory for the next sample */

/* Appends a zeroed row and returns it; valid until the next builder_row. Fill every field: zero is a value, not unknown. */
void *builder_row(struct builder *b);
uint32_t builder_count(const struct builder *b);
void *builder_at(struct builder *b, uint32_t i);
void builder_drop_last(struct builder *b); /* the row turned out to be gone */

/* Copies text into the arena (equal neighbours are shared). NULL p gives ROW_NO_TEXT. */
struct str builder_text(struct builder *b, const char *p, size_t n);
struct str builder_str(struct builder *b, const char *nul_terminated);
/* A string of this builder; good until the next one is added. */
struct text builder_get(const struct builder *b, struct str s);
/* Appends one item to a FIELD_LIST that starts as ROW_NO_TEXT or {0,0}; items of one list must be added in one go. */
void builder_list_add(struct builder *b, struct str *list, const char *p, size_t n);
/* Copies n nested rows of `type`. Their own strings must already be in this builder's arena. */
struct rows builder_rows(struct builder *b, const struct row_type *type, const void *rows, uint32_t n);

/* What is missing or noteworthy, said once per gap ("37 processes hidden: needs CAP_SYS_PTRACE"); code: errno or 0. A block with
 * notes is a partial result. */
void builder_note(struct builder *b, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Rows that were cut off by a limit, counted. */
void builder_lost(struct builder *b, uint64_t n);
void builder_cost(struct builder *b, uint64_t us); /* time the sample took */

/* Seals a copy into a memfd; 0 or -errno. The builder stays usable. */
int builder_seal(struct builder *b, int *ret_fd, struct err *err);
/* The same as an owned block in this process's memory; never NULL. */
struct block *builder_block(struct builder *b);

/* --- reading --- */

/* Takes fd (closed always), checks seals, sizes, every string and nested row against the type; 0 or -errno. */
int block_map(int fd, const struct row_type *type, struct block **ret, struct err *err);
/* Same checks on `n` bytes of foreign memory, copied: for files and fuzzing. */
int block_copy(const void *bytes, size_t n, const struct row_type *type, struct block **ret, struct err *err);
void block_unref(struct block *b); /* NULL is fine */
struct block *block_ref(struct block *b);
void block_unrefp(struct block **b); /* for AUTO */

const struct row_type *block_type(const struct block *b);
uint32_t block_count(const struct block *b);
const void *block_row(const struct block *b, uint32_t i);
int64_t block_time(const struct block *b); /* CLOCK_REALTIME ns when it was built */
uint64_t block_cost_us(const struct block *b);
uint64_t block_lost(const struct block *b);
/* Do both say the same, whenever that was? False when one is NULL; may be false for equal rows whose strings lie elsewhere. */
bool block_same(const struct block *a, const struct block *b);

struct text block_text(const struct block *b, struct str s); /* unknown: p NULL, n 0 */
/* Item i of a list; false past the end. */
bool block_list_item(const struct block *b, struct str list, uint32_t i, struct text *ret);
const void *block_nested(const struct block *b, const struct row_type *type, struct rows r, uint32_t i);

uint32_t block_notes(const struct block *b);
struct text block_note(const struct block *b, uint32_t i, int *ret_code);

/* Copies a row of `from` with all its strings and nested rows into `to` (same type) and returns it. */
void *builder_copy_row(struct builder *to, const struct block *from, const void *row);

#endif
