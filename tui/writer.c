/*
 * Rows as text, JSON, NDJSON, CSV or records: see writer.h. All bytes go into one buffer that is written when it is full; a table's
 * cells are formatted once into an arena, since their widths are known only after the last row.
 */
#include "tui/writer.h"

#include "core/block.h"
#include "core/err.h"
#include "core/fd.h"
#include "core/table.h"
#include "core/target.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

enum {
	BUFFER = 1 << 16,
	MAX_COLUMNS = 64,
	CELL = 2048, /* room for a cell that is no text */
	CLEAN_GROWTH = 8, /* one byte becomes at most <U+XXXX> or \uXXXX */
	MIN_FLEX = 16, /* a column that gives way to a narrow terminal keeps this */
	MAX_PAD = 120, /* a longer cell sticks out: one hostile name must not blow up all rows */
	LONG_ID = 64,
	SHORT_ID = 12,
	TIME_TEXT = 40,
	MAX_NESTING = 4,
	MAX_DEPTH = 32,
};

struct cell {
	uint32_t off; /* into writer.cells */
	uint32_t len;
	uint32_t width;
};

struct writer {
	struct writer_options o;
	const struct row_type *type;
	const struct field *columns[MAX_COLUMNS];
	const struct field *depth; /* of a tree */
	size_t widths[MAX_COLUMNS];
	uint32_t n_columns;
	int fd;
	int failed;
	char *buf;
	size_t len;
	size_t cap;
	bool begun;
	uint64_t n_rows;
	int64_t second; /* whose text `day` is */
	char day[TIME_TEXT];
	char *cells;
	size_t cells_len;
	size_t cells_cap;
	int64_t time_ns;
	const char *host;
	const struct block *targets;
	const struct target_row *target;
};

/* --- bytes --- */

static void flush(struct writer *w)
{
	if (w->len > 0 && w->failed == 0)
		w->failed = fd_write_all(w->fd, w->buf, w->len);
	w->len = 0;
}

/* Room for n bytes. */
static char *room(struct writer *w, size_t n)
{
	if (w->cap - w->len < n)
		flush(w);
	if (w->cap < n) {
		w->cap = n;
		w->buf = fd_xrealloc(w->buf, w->cap, 1);
	}
	return w->buf + w->len;
}

static void put(struct writer *w, const char *p, size_t n)
{
	memcpy(room(w, n), p, n);
	w->len += n;
}

static void put_str(struct writer *w, const char *s)
{
	put(w, s, strlen(s));
}

static void put_char(struct writer *w, char c)
{
	*room(w, 1) = c;
	w->len++;
}

static void put_uint(struct writer *w, uint64_t v)
{
	char digits[20], *p = digits + sizeof digits;

	do
		*--p = (char)('0' + v % 10);
	while (v /= 10);
	put(w, p, (size_t)(digits + sizeof digits - p));
}

static void put_int(struct writer *w, int64_t v)
{
	if (v < 0)
		put_char(w, '-');
	put_uint(w, v < 0 ? 0 - (uint64_t)v : (uint64_t)v);
}

static void put_blanks(struct writer *w, size_t n)
{
	memset(room(w, n), ' ', n);
	w->len += n;
}

/* --- JSON --- */

static void put_json(struct writer *w, struct text t)
{
	size_t most = t.n * CLEAN_GROWTH + 3;
	char *p = room(w, most);

	*p = '"';
	w->len += 1 + text_json(p + 1, most - 1, t);
	put_char(w, '"');
}

static void put_json_str(struct writer *w, const char *s)
{
	put_json(w, text_of(s));
}

static void put_real(struct writer *w, double v)
{
	char *p = room(w, 32);

	if (!isfinite(v))
		put_str(w, "null");
	else
		w->len += (size_t)snprintf(p, 32, "%.10g", v);
}

/* RFC 3339 in UTC; most rows share a second, so its text is kept. */
static void put_time(struct writer *w, int64_t ns)
{
	int64_t s = ns / 1000000000 - (ns % 1000000000 < 0);
	int64_t part = ns - s * 1000000000;
	time_t seconds = (time_t)s;
	struct tm tm;

	if (!w->day[0] || s != w->second) {
		if (!gmtime_r(&seconds, &tm) || tm.tm_year > 8099) {
			put_str(w, "null");
			return;
		}
		strftime(w->day, sizeof w->day, "%Y-%m-%dT%H:%M:%S", &tm);
		w->second = s;
	}
	w->len += (size_t)(part % 1000 ? snprintf(room(w, TIME_TEXT + 16), TIME_TEXT + 16, "\"%s.%09uZ\"", w->day, (unsigned)part) :
					 snprintf(room(w, TIME_TEXT + 16), TIME_TEXT + 16, "\"%s.%06uZ\"", w->day,
						 (unsigned)(part / 1000)));
}

static struct str get_str(const struct field *f, const void *row)
{
	struct str s;

	memcpy(&s, (const char *)row + f->offset, sizeof s);
	return s;
}

static uint64_t get_u64(const struct field *f, const void *row)
{
	uint64_t v;

	memcpy(&v, (const char *)row + f->offset, sizeof v);
	return v;
}

static void put_list(struct writer *w, const struct block *b, struct str list)
{
	struct text item;

	put_char(w, '[');
	for (uint32_t i = 0; block_list_item(b, list, i, &item); i++) {
		if (i > 0)
			put_char(w, ',');
		put_json(w, item);
	}
	put_char(w, ']');
}

static void put_object(struct writer *w, const struct block *b, const struct row_type *type, const void *row, int depth);

static void put_nested(struct writer *w, const struct block *b, const struct field *f, const void *row, int depth)
{
	const void *sub;
	struct rows rows;

	memcpy(&rows, (const char *)row + f->offset, sizeof rows);
	put_char(w, '[');
	for (uint32_t i = 0; depth < MAX_NESTING && (sub = block_nested(b, f->sub, rows, i)); i++) {
		if (i > 0)
			put_char(w, ',');
		put_object(w, b, f->sub, sub, depth + 1);
	}
	put_char(w, ']');
}

static void put_value(struct writer *w, const struct block *b, const struct field *f, const void *row, int depth)
{
	const char *at = (const char *)row + f->offset;
	char addr[ADDR_TEXT];
	double real;
	uint32_t e;

	if (f->kind != FIELD_ROWS && row_is_unknown(b, f, row)) {
		put_str(w, "null");
		return;
	}
	switch (f->kind) {
	case FIELD_TEXT:
		put_json(w, block_text(b, get_str(f, row)));
		break;
	case FIELD_LIST:
		put_list(w, b, get_str(f, row));
		break;
	case FIELD_UINT:
		put_uint(w, get_u64(f, row));
		break;
	case FIELD_INT:
		put_int(w, (int64_t)get_u64(f, row));
		break;
	case FIELD_REAL:
		memcpy(&real, at, sizeof real);
		put_real(w, real);
		break;
	case FIELD_BOOL:
		put_str(w, *at ? "true" : "false");
		break;
	case FIELD_ADDR:
		put_json_str(w, addr_format((const struct addr *)(const void *)at, addr));
		break;
	case FIELD_TIME:
		put_time(w, (int64_t)get_u64(f, row));
		break;
	case FIELD_ENUM:
		memcpy(&e, at, sizeof e);
		put_json_str(w, f->names[e]);
		break;
	case FIELD_ROWS:
		put_nested(w, b, f, row, depth);
		break;
	}
}

static void put_member(struct writer *w, const struct block *b, const struct field *f, const void *row, bool first, int depth)
{
	put_str(w, first ? "\"" : ",\"");
	put_str(w, f->name);
	put_str(w, "\":");
	put_value(w, b, f, row, depth);
}

static void put_object(struct writer *w, const struct block *b, const struct row_type *type, const void *row, int depth)
{
	bool first = true;

	put_char(w, '{');
	for (uint32_t i = 0; i < type->n_fields; i++) {
		if (type->fields[i].flags & FIELD_SCREEN)
			continue;
		put_member(w, b, &type->fields[i], row, first, depth);
		first = false;
	}
	put_char(w, '}');
}

/* A row of the document itself: the columns that were asked for. */
static void put_row(struct writer *w, const struct block *b, const void *row)
{
	put_char(w, '{');
	for (uint32_t i = 0; i < w->n_columns; i++)
		put_member(w, b, w->columns[i], row, i == 0, 0);
	put_char(w, '}');
}

/* --- document --- */

static void put_target(struct writer *w)
{
	static const char *const names[] = { "name", "id", "runtime", "pid", "netns" };
	bool first = true;

	if (!w->target) {
		put_str(w, "null");
		return;
	}
	put_char(w, '{');
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const struct field *f = row_field_find(&target_row_type, names[i]);

		if (f)
			put_member(w, w->targets, f, w->target, first, 0);
		first = first && !f;
	}
	put_char(w, '}');
}

static void begin_document(struct writer *w)
{
	put_str(w, "{\"schema\":\"nsdbg.");
	put_str(w, w->type->name);
	put_char(w, '/');
	put_uint(w, w->type->schema ? w->type->schema : 1);
	put_str(w, "\",\"time\":");
	put_time(w, w->time_ns);
	put_str(w, ",\"host\":");
	put_json_str(w, w->host);
	put_str(w, ",\"target\":");
	put_target(w);
	put_str(w, ",\"data\":[");
}

static void end_document(struct writer *w, const struct writer_error *errors, size_t n)
{
	put_str(w, "],\"errors\":[");
	for (size_t i = 0; i < n; i++) {
		put_str(w, i ? ",{\"code\":" : "{\"code\":");
		if (errors[i].code && strerrorname_np(errors[i].code))
			put_json_str(w, strerrorname_np(errors[i].code));
		else
			put_str(w, "null");
		put_str(w, ",\"message\":");
		put_json_str(w, errors[i].message);
		put_char(w, '}');
	}
	put_str(w, "]}\n");
}

/* --- CSV, RFC 4180 --- */

/* Quotes what was put since `from` when a reader would split it; control bytes are clean already. */
static void csv_quote(struct writer *w, struct text cell)
{
	if (cell.n > 0 && !memchr(cell.p, ',', cell.n) && !memchr(cell.p, '"', cell.n) && !memchr(cell.p, ' ', cell.n)) {
		put(w, cell.p, cell.n);
		return;
	}
	if (cell.n == 0)
		return;
	put_char(w, '"');
	for (size_t i = 0; i < cell.n; i++) {
		if (cell.p[i] == '"')
			put_char(w, '"');
		put_char(w, cell.p[i]);
	}
	put_char(w, '"');
}

static struct cell cell_make(struct writer *w, const struct block *b, const struct field *f, const void *row);

/* Numbers and times as in JSON, texts clean, nothing for unknown; a list is one cell. */
static void csv_value(struct writer *w, const struct block *b, const struct field *f, const void *row)
{
	struct cell c;

	if (f->kind != FIELD_ROWS && row_is_unknown(b, f, row))
		return;
	switch (f->kind) {
	case FIELD_TEXT:
	case FIELD_LIST:
		c = cell_make(w, b, f, row);
		csv_quote(w, (struct text){ .p = w->cells + c.off, .n = c.len });
		w->cells_len = 0;
		break;
	case FIELD_TIME:
		put_time(w, (int64_t)get_u64(f, row));
		break;
	case FIELD_ROWS: {
		struct rows rows;

		memcpy(&rows, (const char *)row + f->offset, sizeof rows);
		put_uint(w, rows.n);
		break;
	}
	case FIELD_ADDR:
	case FIELD_ENUM:
		c = cell_make(w, b, f, row);
		put(w, w->cells + c.off, c.len);
		w->cells_len = 0;
		break;
	case FIELD_UINT:
	case FIELD_INT:
	case FIELD_REAL:
	case FIELD_BOOL:
		put_value(w, b, f, row, 0);
		break;
	}
}

static void csv_row(struct writer *w, const struct block *b, const void *row)
{
	for (uint32_t i = 0; i < w->n_columns; i++) {
		if (i > 0)
			put_char(w, ',');
		csv_value(w, b, w->columns[i], row);
	}
	put_char(w, '\n');
}

static void csv_header(struct writer *w)
{
	for (uint32_t i = 0; i < w->n_columns; i++) {
		if (i > 0)
			put_char(w, ',');
		put_str(w, w->columns[i]->name);
	}
	put_char(w, '\n');
}

/* --- text --- */

/* Most bytes that the cell can take: nothing is cut because a buffer was small. */
static size_t cell_most(const struct field *f, const void *row)
{
	struct str s;

	if (f->format || (f->kind != FIELD_TEXT && f->kind != FIELD_LIST))
		return CELL;
	s = get_str(f, row);
	return s.len == UINT32_MAX ? CELL : (size_t)s.len * CLEAN_GROWTH + MAX_DEPTH * 2 + 8;
}

/* Two blanks a level of the tree; deeper than a screen is wide helps nobody. */
static uint32_t indent(const struct writer *w, const void *row, char *at)
{
	uint64_t depth = get_u64(w->depth, row);
	uint32_t n = depth < MAX_DEPTH ? (uint32_t)depth * 2 : depth == ROW_NO_UINT ? 0 : MAX_DEPTH * 2;

	memset(at, ' ', n);
	return n;
}

/* Packets come by the thousand in a second: 15:53:55.123456 */
static size_t format_clock(const struct writer *w, int64_t ns, char *buf, size_t cap)
{
	time_t s = (time_t)(ns / 1000000000);
	struct tm tm;
	size_t n;

	if (!(w->o.utc ? gmtime_r(&s, &tm) : localtime_r(&s, &tm)))
		return 0;
	n = strftime(buf, cap, "%H:%M:%S", &tm);
	return n + (size_t)snprintf(buf + n, cap - n, ".%06u", (unsigned)(ns % 1000000000 / 1000));
}

static bool is_clock(const struct writer *w, const struct block *b, const struct field *f, const void *row)
{
	return w->o.stream && f->kind == FIELD_TIME && !f->format && !row_is_unknown(b, f, row);
}

static struct cell cell_make(struct writer *w, const struct block *b, const struct field *f, const void *row)
{
	struct row_look look = { .charset = w->o.charset, .raw_numbers = w->o.raw_numbers, .utc = w->o.utc };
	struct field plain = *f;
	struct cell c = { .off = (uint32_t)w->cells_len };
	size_t most;

	if (w->o.format == WRITER_CSV || (w->o.full && f->kind == FIELD_TEXT && !(f->flags & FIELD_SCREEN)))
		plain.format = NULL;
	if (w->o.format == WRITER_TABLE && f->kind == FIELD_TIME && !w->o.raw_numbers && f->width > 0 && f->width < 8)
		look.now_ns = w->time_ns; /* a narrow column holds an age */
	most = cell_most(&plain, row);
	if (w->cells_cap - w->cells_len < most) {
		w->cells_cap = w->cells_cap * 2 + most;
		w->cells = fd_xrealloc(w->cells, w->cells_cap, 1);
	}
	if (w->depth && strcmp(f->name, "command") == 0)
		c.len = indent(w, row, w->cells + c.off);
	if (is_clock(w, b, f, row))
		c.len = (uint32_t)format_clock(w, (int64_t)get_u64(f, row), w->cells + c.off, most);
	else
		c.len += (uint32_t)row_format(b, &plain, row, &look, w->cells + c.off + c.len, most - c.len);
	if (c.len == LONG_ID && !w->o.full && w->o.format <= WRITER_WIDE && strcmp(f->name, "id") == 0)
		c.len = SHORT_ID; /* as docker ps */
	if (c.len == 0) {
		w->cells[c.off] = '-';
		c.len = 1;
	}
	c.width = (uint32_t)text_width((struct text){ .p = w->cells + c.off, .n = c.len });
	w->cells_len += c.len;
	return c;
}

static void put_cell(struct writer *w, uint32_t column, struct text t, size_t width, bool last)
{
	size_t full = w->widths[column], shown = width;

	if (width > full && w->o.width > 0 && w->columns[column]->flags & FIELD_FLEX)
		t.n = text_fit(t, full, &shown);
	if (w->columns[column]->flags & FIELD_RIGHT && shown < full)
		put_blanks(w, full - shown);
	put(w, t.p, t.n);
	if (last)
		return;
	if (!(w->columns[column]->flags & FIELD_RIGHT) && shown < full)
		put_blanks(w, full - shown);
	put_str(w, "  ");
}

static const char *title(const struct field *f)
{
	return f->title ? f->title : f->name;
}

static void text_header(struct writer *w)
{
	if (w->o.color)
		put_str(w, "\033[1m");
	for (uint32_t i = 0; i < w->n_columns; i++) {
		struct text t = text_of(title(w->columns[i]));

		put_cell(w, i, t, text_width(t), i + 1 == w->n_columns);
	}
	put_str(w, w->o.color ? "\033[m\n" : "\n");
}

/* Broken and suspicious rows stand out, what does not run steps back (ux.md 2). */
static const char *severity_color(uint32_t severity)
{
	static const char *const colors[SEVERITY_N] = {
		[SEVERITY_BAD] = "\033[38;5;204m",
		[SEVERITY_WARN] = "\033[38;5;220m",
		[SEVERITY_IDLE] = "\033[2m",
	};

	return severity < SEVERITY_N ? colors[severity] : NULL;
}

static void text_row(struct writer *w, const struct cell *cells, const void *row)
{
	const char *color = w->o.color ? severity_color(((const struct row_head *)row)->severity) : NULL;

	if (color)
		put_str(w, color);
	for (uint32_t i = 0; i < w->n_columns; i++)
		put_cell(w, i, (struct text){ .p = w->cells + cells[i].off, .n = cells[i].len }, cells[i].width,
			i + 1 == w->n_columns);
	put_str(w, color ? "\033[m\n" : "\n");
}

/* Columns over the terminal's width; how far flexible ones could give way goes to *ret_spare. */
static size_t text_excess(const struct writer *w, size_t *ret_spare)
{
	size_t total = 0;

	*ret_spare = 0;
	for (uint32_t i = 0; i < w->n_columns; i++) {
		total += w->widths[i] + (i ? 2 : 0);
		if (w->columns[i]->flags & FIELD_FLEX && w->widths[i] > MIN_FLEX)
			*ret_spare += w->widths[i] - MIN_FLEX;
	}
	return total > w->o.width ? total - w->o.width : 0;
}

/* Takes width from the flexible columns, the widest first. When that is not enough, the terminal wraps and nothing is cut. */
static void text_shrink(struct writer *w)
{
	size_t spare, excess = text_excess(w, &spare);

	if (w->o.width == 0 || excess > spare)
		return;
	while (excess-- > 0) {
		size_t *widest = NULL;

		for (uint32_t i = 0; i < w->n_columns; i++)
			if (w->columns[i]->flags & FIELD_FLEX && (!widest || w->widths[i] > *widest))
				widest = &w->widths[i];
		--*widest;
	}
}

static void text_widths(struct writer *w, const struct cell *cells, uint32_t n)
{
	for (uint32_t i = 0; i < w->n_columns && !w->begun; i++) {
		w->widths[i] = w->o.no_header ? 0 : text_width(text_of(title(w->columns[i])));
		if (w->o.stream && w->columns[i]->width > w->widths[i])
			w->widths[i] = w->columns[i]->width;
	}
	for (size_t i = 0; i < (size_t)n * w->n_columns; i++)
		if (cells[i].width > w->widths[i % w->n_columns] && w->widths[i % w->n_columns] < MAX_PAD)
			w->widths[i % w->n_columns] = cells[i].width < MAX_PAD ? cells[i].width : MAX_PAD;
	text_shrink(w);
}

static void text_rows(struct writer *w, const struct table *t)
{
	uint32_t n = table_count(t);
	AUTO(fd_freep) struct cell *cells = fd_xcalloc((size_t)n * w->n_columns, sizeof *cells);

	w->cells_len = 0;
	for (uint32_t i = 0; i < n; i++)
		for (uint32_t k = 0; k < w->n_columns; k++)
			cells[(size_t)i * w->n_columns + k] = cell_make(w, table_block(t), w->columns[k], table_at(t, i));
	text_widths(w, cells, n);
	if (!w->begun && !w->o.no_header)
		text_header(w);
	for (uint32_t i = 0; i < n; i++)
		text_row(w, cells + (size_t)i * w->n_columns, table_at(t, i));
}

/* --- records: a line a field, nested rows indented --- */

static void record(struct writer *w, const struct block *b, const struct row_type *type, const void *row, int depth);

static void record_nested(struct writer *w, const struct block *b, const struct field *f, const void *row, int depth)
{
	const void *sub;
	struct rows rows;

	memcpy(&rows, (const char *)row + f->offset, sizeof rows);
	if (rows.n == 0 || depth >= MAX_NESTING)
		return;
	put_blanks(w, (size_t)depth * 2);
	put_str(w, f->name);
	put_char(w, '\n');
	for (uint32_t i = 0; (sub = block_nested(b, f->sub, rows, i)); i++) {
		if (i > 0)
			put_char(w, '\n');
		record(w, b, f->sub, sub, depth + 1);
	}
}

static void record_field(struct writer *w, const struct block *b, const struct field *f, const void *row, size_t width, int depth)
{
	struct cell c;

	if (row_is_unknown(b, f, row))
		return;
	w->cells_len = 0;
	c = cell_make(w, b, f, row);
	put_blanks(w, (size_t)depth * 2);
	put_str(w, f->name);
	put_blanks(w, width - strlen(f->name) + 2);
	put(w, w->cells + c.off, c.len);
	put_char(w, '\n');
}

static void record(struct writer *w, const struct block *b, const struct row_type *type, const void *row, int depth)
{
	size_t width = 0;

	for (uint32_t i = 0; i < type->n_fields; i++)
		if (!(type->fields[i].flags & FIELD_SCREEN) && strlen(type->fields[i].name) > width)
			width = strlen(type->fields[i].name);
	for (uint32_t i = 0; i < type->n_fields; i++) {
		const struct field *f = &type->fields[i];

		if (f->flags & FIELD_SCREEN)
			continue;
		if (f->kind == FIELD_ROWS)
			record_nested(w, b, f, row, depth);
		else
			record_field(w, b, f, row, width, depth);
	}
}

/* --- columns --- */

/* Where lists of columns come from: a text table has what the screen has, the others have the facts. */
static bool shows(const struct writer_options *o, const struct field *f)
{
	switch (o->format) {
	case WRITER_TABLE:
		return !(f->flags & (FIELD_HIDDEN | FIELD_WIDE));
	case WRITER_WIDE:
		return !(f->flags & FIELD_HIDDEN);
	case WRITER_JSON:
	case WRITER_NDJSON:
	case WRITER_CSV:
	case WRITER_RECORD:
	case WRITER_N:
		break;
	}
	return !(f->flags & FIELD_SCREEN);
}

static int columns_parse(struct writer *w, const char *text, struct err *err)
{
	while (*text) {
		struct text want = { .p = text, .n = strcspn(text, ",") };
		const struct field *f = writer_column_find(w->type, want);

		text += want.n + (text[want.n] == ',');
		if (want.n == 0)
			continue;
		if (!f)
			return err_set(err, EINVAL, "no column \"%.*s\" in %s: nsdbg fields %s lists them",
				(int)(want.n < 40 ? want.n : 40), want.p, w->type->noun, w->type->name);
		if (w->o.format != WRITER_TABLE && w->o.format != WRITER_WIDE && f->flags & FIELD_SCREEN)
			return err_set(err, EINVAL, "column \"%s\" exists only in tables: nsdbg fields %s lists the others", f->name,
				w->type->name);
		if (w->n_columns < MAX_COLUMNS)
			w->columns[w->n_columns++] = f;
	}
	return w->n_columns > 0 ? 0 : err_set(err, EINVAL, "--columns names no column: nsdbg fields %s lists them", w->type->name);
}

/* --- exported --- */

int writer_new(const struct writer_options *o, const struct row_type *type, int fd, struct writer **ret, struct err *err)
{
	struct writer *w = fd_xcalloc(1, sizeof *w);
	int r = 0;

	*w = (struct writer){ .o = *o, .type = type, .fd = fd, .cap = BUFFER };
	w->buf = fd_xcalloc(1, w->cap);
	w->depth = o->tree ? row_field_find(type, "depth") : NULL;
	if (o->columns)
		r = columns_parse(w, o->columns, err);
	else
		for (uint32_t i = 0; i < type->n_fields; i++)
			if (shows(o, &type->fields[i]) && w->n_columns < MAX_COLUMNS)
				w->columns[w->n_columns++] = &type->fields[i];
	if (r < 0) {
		writer_free(w);
		return r;
	}
	*ret = w;
	return 0;
}

void writer_free(struct writer *w)
{
	if (!w)
		return;
	free(w->buf);
	free(w->cells);
	free(w);
}

void writer_head(struct writer *w, int64_t time_ns, const char *host, const struct block *targets, const struct target_row *target)
{
	w->time_ns = time_ns;
	w->host = host;
	w->targets = targets;
	w->target = target;
}

static void write_row(struct writer *w, const struct block *b, const void *row)
{
	switch (w->o.format) {
	case WRITER_JSON:
		if (w->n_rows)
			put_char(w, ',');
		put_row(w, b, row);
		break;
	case WRITER_NDJSON:
		put_row(w, b, row);
		put_char(w, '\n');
		break;
	case WRITER_CSV:
		csv_row(w, b, row);
		break;
	case WRITER_RECORD:
		if (w->n_rows)
			put_char(w, '\n');
		record(w, b, w->type, row, 0);
		break;
	case WRITER_TABLE:
	case WRITER_WIDE:
	case WRITER_N:
		break;
	}
	w->n_rows++;
}

static void begin(struct writer *w)
{
	if (w->begun)
		return;
	if (w->o.format == WRITER_JSON)
		begin_document(w);
	if (w->o.format == WRITER_CSV && !w->o.no_header)
		csv_header(w);
	w->begun = true;
}

void writer_rows(struct writer *w, const struct table *t)
{
	if (w->o.format == WRITER_TABLE || w->o.format == WRITER_WIDE)
		text_rows(w, t);
	begin(w);
	if (w->o.format != WRITER_TABLE && w->o.format != WRITER_WIDE)
		for (uint32_t i = 0; i < table_count(t) && w->failed == 0; i++)
			write_row(w, table_block(t), table_at(t, i));
	if (w->o.stream)
		flush(w);
}

void writer_more(struct writer *w, const char *name, const struct block *rows)
{
	bool json = w->o.format == WRITER_JSON;

	begin(w);
	if (!json && w->o.format != WRITER_NDJSON)
		return;
	if (json) {
		put_str(w, "],\"");
		put_str(w, name);
		put_str(w, "\":[");
	}
	for (uint32_t i = 0; i < block_count(rows); i++) {
		if (json && i)
			put_char(w, ',');
		put_object(w, rows, block_type(rows), block_row(rows, i), 0);
		if (!json)
			put_char(w, '\n');
	}
}

int writer_end(struct writer *w, const struct writer_error *errors, size_t n)
{
	begin(w);
	if (w->o.format == WRITER_JSON)
		end_document(w, errors, n);
	flush(w);
	return w->failed;
}

int writer_failed(const struct writer *w)
{
	return w->failed;
}

const struct field *writer_column_find(const struct row_type *type, struct text want)
{
	for (uint32_t i = 0; i < type->n_fields; i++) {
		const struct field *f = &type->fields[i];

		if (strlen(f->name) == want.n && strncasecmp(f->name, want.p, want.n) == 0)
			return f;
	}
	for (uint32_t i = 0; i < type->n_fields; i++) {
		const struct field *f = &type->fields[i];

		if (f->title && strlen(f->title) == want.n && strncasecmp(f->title, want.p, want.n) == 0)
			return f;
	}
	return NULL;
}

uint32_t writer_columns(const struct writer *w)
{
	return w->n_columns;
}
