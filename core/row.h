/*
 * Rows: every fact is a plain struct, and one const table of fields says what it holds. Columns, sorting, filtering, text, JSON,
 * `nsdbg fields`, help and the manual come from that table. Adding a field is adding one line to it.
 *
 * A row struct starts with struct row_head, has natural alignment, holds no pointers, and is the same bytes in every process.
 * Unknown is a value of its own (never zero): ROW_NO_UINT, ROW_NO_INT, NAN, ROW_NO_BOOL, ROW_NO_ENUM, ADDR_NONE, row_no_text.
 */
#ifndef NSDBG_CORE_ROW_H
#define NSDBG_CORE_ROW_H

#include "core/addr.h"
#include "core/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct block;

#define ROW_NO_UINT UINT64_MAX
#define ROW_NO_INT  INT64_MIN
#define ROW_NO_BOOL UINT8_MAX
#define ROW_NO_ENUM UINT32_MAX
#define ROW_NO_TEXT ((struct str){ .off = 0, .len = UINT32_MAX })

/* In the order of attention; NONE: nobody judged it. */
enum severity { SEVERITY_NONE, SEVERITY_IDLE, SEVERITY_OK, SEVERITY_UNKNOWN, SEVERITY_WARN, SEVERITY_BAD, SEVERITY_N };

struct row_head {
	uint64_t id; /* stable while the object lives: the cursor follows it */
	uint32_t severity; /* enum severity: the sign in front of the row */
	uint32_t flags; /* of the row type, and ROW_OVER */
};

#define ROW_OVER (1u << 31) /* is over and only remembered (TIME-WAIT): last where findings come first */

/* Text in the block's arena. len UINT32_MAX: unknown. */
struct str {
	uint32_t off;
	uint32_t len;
};

/* Nested rows of field.sub in the arena, 8-byte aligned. */
struct rows {
	uint32_t off;
	uint32_t n;
};

enum field_kind {
	FIELD_TEXT, /* struct str */
	FIELD_LIST, /* struct str whose bytes are items, each ended by NUL */
	FIELD_UINT, /* uint64_t */
	FIELD_INT, /* int64_t */
	FIELD_REAL, /* double */
	FIELD_BOOL, /* uint8_t 0, 1 or ROW_NO_BOOL */
	FIELD_ADDR, /* struct addr */
	FIELD_TIME, /* int64_t, nanoseconds since 1970 UTC; JSON: RFC 3339 */
	FIELD_ENUM, /* uint32_t, index into field.names */
	FIELD_ROWS, /* struct rows of field.sub */
};

enum unit {
	UNIT_NONE,
	UNIT_BYTES, /* 210M on the screen, exact in JSON */
	UNIT_PERCENT,
	UNIT_US, /* microseconds: 1.2 ms on the screen */
	UNIT_SECONDS, /* 3h on the screen */
	UNIT_ID, /* port, pid, inode: digits as they are */
	UNIT_HEX,
};

enum {
	FIELD_RIGHT = 1 << 0, /* right aligned */
	FIELD_WIDE = 1 << 1, /* column only in wide tables (-o wide, key w) */
	FIELD_HIDDEN = 1 << 2, /* never a column; JSON, csv and `show` only */
	FIELD_SCREEN = 1 << 3, /* column only; not in JSON (made from other fields). With HIDDEN: of the app's tables alone */
	FIELD_FLEX = 1 << 4, /* takes what width is left; may be cut */
	FIELD_NOCUT = 1 << 5, /* never cut (addresses): the column is left out instead */
};

struct row_type;

struct field {
	const char *name; /* JSON and filter name, snake_case, a contract */
	const char *title; /* column heading, capitals */
	const char *help; /* one clause for help, manual, `nsdbg fields` */
	enum field_kind kind;
	enum unit unit;
	uint32_t offset;
	const char *const *names; /* FIELD_ENUM */
	uint32_t n_names;
	const struct row_type *sub; /* FIELD_ROWS */
	uint32_t flags; /* FIELD_* */
	uint8_t width; /* preferred columns; 0: as wide as the content, bounded */
	uint8_t priority; /* 0 stays longest; the highest number leaves a narrow screen first */
	/* Own screen text, e.g. "8080>80"; writes clean text or raw bytes (the caller cleans), returns length. NULL: by kind. */
	size_t (*format)(const struct block *b, const void *row, char *buf, size_t cap);
};

struct row_type {
	const char *name; /* "ss": schema nsdbg.ss/1, `nsdbg fields ss` */
	const char *noun; /* "sockets" */
	uint32_t id; /* fourcc-like number, checked in blocks */
	uint32_t schema; /* number after the slash */
	uint32_t size; /* sizeof the struct */
	const struct field *fields;
	uint32_t n_fields;
};

/* Field table entry: ROW_FIELD(struct sock, state, ENUM) sets name, offset and kind; add the rest by designated initialisers. */
#define ROW_FIELD(type, member, k) .name = #member, .kind = FIELD_##k, .offset = offsetof(type, member)

const struct field *row_field_find(const struct row_type *t, const char *name); /* NULL: no such field */

bool row_is_unknown(const struct block *b, const struct field *f, const void *row);

/* How values look; `now` (ns) turns FIELD_TIME into an age when nonzero. */
struct row_look {
	enum text_charset charset;
	bool raw_numbers; /* no 1.2M, no 3h: digits */
	int64_t now_ns;
	bool utc;
};

/* Screen and text form of one field: clean text, NUL-terminated, "-" for unknown. Returns its length in bytes. */
size_t row_format(const struct block *b, const struct field *f, const void *row, const struct row_look *look, char *buf,
	size_t cap);

/* An age as screens say it: "12s", "5m", "3h", "4d" (days from two on), "-3s" for the future. Returns its length. */
size_t row_format_age(double seconds, char *buf, size_t cap);

/* Decimal, as snprintf(3) with "%llu": returns the length that it has, or would have. */
size_t row_format_uint(uint64_t v, char *buf, size_t cap);

/* Order of two rows of the same block by one field; unknown comes last. -1, 0, 1. */
int row_compare(const struct block *b, const struct field *f, const void *x, const void *y);

/* Number for col>n filters; NAN when the field is not a number or unknown. */
double row_number(const struct field *f, const void *row);

/* 64-bit id from bytes (FNV-1a), for row_head.id. */
uint64_t row_hash(const void *data, size_t n, uint64_t seed);

#endif
