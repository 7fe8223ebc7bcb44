/*
 * Rows on a pipe or terminal: aligned text, JSON, NDJSON, CSV, or one record below the other, all from the field tables. Output
 * is buffered and never allocated per value; every text passes text_clean or text_json.
 */
#ifndef NSDBG_TUI_WRITER_H
#define NSDBG_TUI_WRITER_H

#include "core/row.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct block;
struct err;
struct table;
struct target_row;
struct writer;

enum writer_format { WRITER_TABLE, WRITER_WIDE, WRITER_JSON, WRITER_NDJSON, WRITER_CSV, WRITER_RECORD, WRITER_N };

struct writer_options {
	enum writer_format format;
	const char *columns; /* "name,pid" in that order; NULL: what the type shows */
	bool no_header;
	bool full; /* texts as they are where a column shortens them (ids) */
	bool raw_numbers;
	bool utc;
	bool color;
	enum text_charset charset;
	unsigned width; /* of the terminal; 0: none, nothing is cut */
	bool tree; /* `command` is indented by `depth` */
	bool stream; /* rows come bit by bit: columns keep their preferred width and are flushed at once */
};

struct writer_error {
	int code; /* errno or 0 */
	const char *message;
};

/* Writes to fd, which stays the caller's. 0, or -EINVAL for a column that the type does not have. */
int writer_new(const struct writer_options *o, const struct row_type *type, int fd, struct writer **ret, struct err *err);
void writer_free(struct writer *w);

/* What the document's head says; target NULL: null. Only JSON shows it. Texts are copied by the first rows: keep them until then. */
void writer_head(struct writer *w, int64_t time_ns, const char *host, const struct block *targets, const struct target_row *target);

/* Rows in the table's order. Formats other than a stream are meant to be called once. */
void writer_rows(struct writer *w, const struct table *t);

/* Further rows behind the document's data, under a name of their own; as NDJSON they follow as lines. Other formats leave them out. */
void writer_more(struct writer *w, const char *name, const struct block *rows);

/* Ends the document and flushes. 0, -EPIPE when the reader left, -errno. */
int writer_end(struct writer *w, const struct writer_error *errors, size_t n);

/* So far: 0, -EPIPE, -errno. */
int writer_failed(const struct writer *w);

/* By name or title, case ignored; NULL: no such column. */
const struct field *writer_column_find(const struct row_type *type, struct text want);

/* Columns that the writer would show, for completion and tests. */
uint32_t writer_columns(const struct writer *w);

#endif
