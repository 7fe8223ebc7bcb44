/*
 * Filter words over rows of any type: `word` any column contains it · `-word` none does · `col:word[,word]` that column ·
 * `col=word` equals · `col>n col<n col>=n col<=n` numbers, with K M G, us ms s · `/regex/` POSIX extended, any column.
 * Words are and-ed. Column = field name, its title, or an unambiguous prefix; case does not matter. Also: `-col:word`, `col!=word`,
 * "quotes" keep blanks and make plain text; `port:80` means local_port or remote_port, and the whole number for ports, pids and inodes;
 * `col=-` is unknown; times compare by age, `started<5m`. Hidden columns count only when they are named.
 */
#ifndef NSDBG_CORE_FILTER_H
#define NSDBG_CORE_FILTER_H

#include "core/row.h"

struct filter;
struct err;

/* 0, or -EINVAL with the sentence and *ret_column = byte offset of the wrong word in `text` (may be NULL). Empty text: *ret NULL. */
int filter_parse(const struct row_type *type, const char *text, struct filter **ret, size_t *ret_column, struct err *err);
void filter_free(struct filter *f);
bool filter_match(const struct filter *f, const struct block *b, const void *row, const struct row_look *look); /* NULL matches */

/* Does `text` (one formatted cell of `field`) contain a word of the filter: for highlighting. Sets byte range. */
bool filter_highlight(const struct filter *f, const struct field *field, struct text cell, size_t *ret_from, size_t *ret_n);

#endif
