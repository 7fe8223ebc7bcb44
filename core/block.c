/*
 * Snapshots in one piece of memory: see block.h. Layout: header, rows, arena; the arena holds strings, lists, nested rows and notes.
 * Reading checks every offset once (block_open); after that accessors only clamp.
 */
#include "core/block.h"

#include "core/err.h"
#include "core/fd.h"
#include "core/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BLOCK_MAGIC = 0x6b6c6273, BLOCK_VERSION = 1, MAX_NOTES = 64, MAX_NESTING = 4 };

struct block_header {
	uint32_t magic;
	uint32_t version;
	uint32_t type_id;
	uint32_t row_size;
	uint32_t n_rows;
	uint32_t arena_len;
	struct rows notes; /* struct note in the arena */
	int64_t time_ns;
	uint64_t cost_us;
	uint64_t lost;
};

struct note {
	int32_t code;
	uint32_t zero;
	struct str text;
};

struct block {
	const struct row_type *type;
	const struct block_header *head;
	const char *rows;
	const char *arena;
	void *mem;
	size_t len;
	bool mapped; /* munmap, else free */
	unsigned refs;
};

struct builder {
	const struct row_type *type;
	char *rows;
	uint32_t n_rows, cap_rows;
	char *arena;
	size_t arena_len, arena_cap;
	struct str last; /* the newest string: equal neighbours share it */
	struct note notes[MAX_NOTES];
	uint32_t n_notes;
	uint64_t cost_us, lost;
};

/* --- writing --- */

struct builder *builder_new(const struct row_type *type)
{
	struct builder *b = fd_xcalloc(1, sizeof *b);

	b->type = type;
	return b;
}

void builder_free(struct builder *b)
{
	if (!b)
		return;
	free(b->rows);
	free(b->arena);
	free(b);
}

const struct row_type *builder_type(const struct builder *b)
{
	return b->type;
}

void builder_clear(struct builder *b)
{
	b->n_rows = 0;
	b->arena_len = 0;
	b->last = (struct str){ 0 };
	b->n_notes = 0;
	b->cost_us = b->lost = 0;
}

void *builder_row(struct builder *b)
{
	void *row;

	if (b->n_rows == b->cap_rows) {
		b->cap_rows = b->cap_rows ? b->cap_rows * 2 : 64;
		b->rows = fd_xrealloc(b->rows, b->cap_rows, b->type->size);
	}
	row = b->rows + (size_t)b->n_rows++ * b->type->size;
	memset(row, 0, b->type->size);
	return row;
}

uint32_t builder_count(const struct builder *b)
{
	return b->n_rows;
}

void *builder_at(struct builder *b, uint32_t i)
{
	return i < b->n_rows ? b->rows + (size_t)i * b->type->size : NULL;
}

void builder_drop_last(struct builder *b)
{
	if (b->n_rows > 0)
		b->n_rows--;
}

/* Room for n more bytes at the end of the arena; NULL when the block would get too big. */
static char *arena_room(struct builder *b, size_t n, size_t align)
{
	size_t at = (b->arena_len + align - 1) & ~(align - 1);

	if (n > BLOCK_MAX_BYTES || at + n > BLOCK_MAX_BYTES)
		return NULL;
	if (at + n > b->arena_cap || !b->arena) {
		size_t cap = b->arena_cap ? b->arena_cap : 4096;

		while (cap < at + n)
			cap *= 2;
		b->arena = fd_xrealloc(b->arena, cap, 1);
		b->arena_cap = cap;
	}
	if (at > b->arena_len)
		memset(b->arena + b->arena_len, 0, at - b->arena_len);
	b->arena_len = at;
	return b->arena + at;
}

struct str builder_text(struct builder *b, const char *p, size_t n)
{
	char *at;

	if (!p)
		return ROW_NO_TEXT;
	if (n == b->last.len && n > 0 && memcmp(b->arena + b->last.off, p, n) == 0)
		return b->last;
	at = arena_room(b, n, 1);
	if (!at) {
		b->lost++;
		return ROW_NO_TEXT;
	}
	if (n)
		memcpy(at, p, n);
	b->last = (struct str){ .off = (uint32_t)b->arena_len, .len = (uint32_t)n };
	b->arena_len += n;
	return b->last;
}

struct text builder_get(const struct builder *b, struct str s)
{
	if (s.len == UINT32_MAX || s.off > b->arena_len || s.len > b->arena_len - s.off)
		return (struct text){ 0 };
	return (struct text){ .p = b->arena + s.off, .n = s.len };
}

struct str builder_str(struct builder *b, const char *nul_terminated)
{
	return builder_text(b, nul_terminated, nul_terminated ? strlen(nul_terminated) : 0);
}

void builder_list_add(struct builder *b, struct str *list, const char *p, size_t n)
{
	char *at;

	if (memchr(p, 0, n))
		n = (size_t)((const char *)memchr(p, 0, n) - p);
	at = arena_room(b, n + 1, 1);
	if (!at) {
		b->lost++;
		return;
	}
	memcpy(at, p, n);
	at[n] = 0;
	if (list->len == UINT32_MAX || list->len == 0)
		*list = (struct str){ .off = (uint32_t)b->arena_len, .len = 0 };
	b->arena_len += n + 1;
	list->len = (uint32_t)(b->arena_len - list->off);
	b->last = (struct str){ 0 };
}

struct rows builder_rows(struct builder *b, const struct row_type *type, const void *rows, uint32_t n)
{
	char *at;

	if (n == 0)
		return (struct rows){ 0 };
	at = arena_room(b, (size_t)n * type->size, 8);
	if (!at) {
		b->lost += n;
		return (struct rows){ 0 };
	}
	memcpy(at, rows, (size_t)n * type->size);
	b->arena_len += (size_t)n * type->size;
	return (struct rows){ .off = (uint32_t)(at - b->arena), .n = n };
}

void builder_note(struct builder *b, int code, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	if (b->n_notes == MAX_NOTES) {
		b->lost++;
		return;
	}
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	b->notes[b->n_notes++] = (struct note){ .code = code, .text = builder_str(b, text) };
}

void builder_lost(struct builder *b, uint64_t n)
{
	b->lost += n;
}

void builder_cost(struct builder *b, uint64_t us)
{
	b->cost_us = us;
}

/* Rows start at a multiple of 8, the arena too. */
static size_t rows_bytes(uint32_t n, uint32_t size)
{
	return ((size_t)n * size + 7) & ~(size_t)7;
}

static struct block_header builder_header(struct builder *b)
{
	struct rows notes = { 0 };
	char *at = arena_room(b, b->n_notes * sizeof b->notes[0], 8);

	if (at && b->n_notes) {
		memcpy(at, b->notes, b->n_notes * sizeof b->notes[0]);
		notes = (struct rows){ .off = (uint32_t)b->arena_len, .n = b->n_notes };
		b->arena_len += b->n_notes * sizeof b->notes[0];
	}
	return (struct block_header){ .magic = BLOCK_MAGIC, .version = BLOCK_VERSION, .type_id = b->type->id,
		.row_size = b->type->size, .n_rows = b->n_rows, .arena_len = (uint32_t)b->arena_len, .notes = notes,
		.time_ns = loop_wall_ns(), .cost_us = b->cost_us, .lost = b->lost };
}

int builder_seal(struct builder *b, int *ret_fd, struct err *err)
{
	AUTO(fd_closep) int fd = memfd_create("nsdbg", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	struct block_header head = builder_header(b);
	static const char zero[8];
	size_t n = (size_t)b->n_rows * b->type->size;
	int r;

	if (fd < 0)
		return err_set(err, errno, "make a memfd for the snapshot");
	r = fd_write_all(fd, &head, sizeof head);
	if (r == 0 && n)
		r = fd_write_all(fd, b->rows, n);
	if (r == 0)
		r = fd_write_all(fd, zero, rows_bytes(b->n_rows, b->type->size) - n);
	if (r == 0 && b->arena_len)
		r = fd_write_all(fd, b->arena, b->arena_len);
	if (r < 0)
		return err_set(err, -r, "write the snapshot");
	if (fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0)
		return err_set(err, errno, "seal the snapshot");
	*ret_fd = fd_take(&fd);
	return 0;
}

struct block *builder_block(struct builder *b)
{
	struct block_header head = builder_header(b);
	size_t n = (size_t)b->n_rows * b->type->size, padded = rows_bytes(b->n_rows, b->type->size);
	struct block *ret = fd_xcalloc(1, sizeof *ret);
	char *mem = fd_xcalloc(1, sizeof head + padded + b->arena_len);

	memcpy(mem, &head, sizeof head);
	if (n)
		memcpy(mem + sizeof head, b->rows, n);
	if (b->arena_len)
		memcpy(mem + sizeof head + padded, b->arena, b->arena_len);
	*ret = (struct block){ .type = b->type, .mem = mem, .len = sizeof head + padded + b->arena_len, .refs = 1,
		.rows = mem + sizeof head, .arena = mem + sizeof head + padded };
	ret->head = ret->mem;
	return ret;
}

/* --- reading --- */

static bool str_fits(const struct block *b, struct str s)
{
	return s.len == UINT32_MAX || (s.off <= b->head->arena_len && s.len <= b->head->arena_len - s.off);
}

static bool rows_fit(const struct block *b, struct rows r, uint32_t size)
{
	uint64_t bytes = (uint64_t)r.n * size;

	return r.n == 0 || (r.off % 8 == 0 && r.off <= b->head->arena_len && bytes <= b->head->arena_len - r.off);
}

static bool row_fits(const struct block *b, const struct row_type *type, const char *row, int depth);

static bool field_fits(const struct block *b, const struct field *f, const char *row, int depth)
{
	const char *at = row + f->offset;
	struct rows r;
	struct str s;

	if (f->kind == FIELD_TEXT || f->kind == FIELD_LIST) {
		memcpy(&s, at, sizeof s);
		if (!str_fits(b, s))
			return false;
		return f->kind == FIELD_TEXT || s.len == UINT32_MAX || s.len == 0 || b->arena[s.off + s.len - 1] == 0;
	}
	if (f->kind == FIELD_ADDR) {
		uint8_t kind = ((const struct addr *)(const void *)at)->kind;

		return kind == ADDR_NONE || kind == ADDR_IP4 || kind == ADDR_IP6 || kind == ADDR_MAC;
	}
	if (f->kind != FIELD_ROWS)
		return true;
	memcpy(&r, at, sizeof r);
	if (depth >= MAX_NESTING || !rows_fit(b, r, f->sub->size))
		return false;
	for (uint32_t i = 0; i < r.n; i++)
		if (!row_fits(b, f->sub, b->arena + r.off + (size_t)i * f->sub->size, depth + 1))
			return false;
	return true;
}

static bool row_fits(const struct block *b, const struct row_type *type, const char *row, int depth)
{
	if (((const struct row_head *)(const void *)row)->severity >= SEVERITY_N)
		return false;
	for (uint32_t i = 0; i < type->n_fields; i++)
		if (!(type->fields[i].flags & FIELD_SCREEN) && !field_fits(b, &type->fields[i], row, depth))
			return false;
	return true;
}

static bool notes_fit(const struct block *b)
{
	const struct note *n;

	if (!rows_fit(b, b->head->notes, sizeof *n) || b->head->notes.n > MAX_NOTES)
		return false;
	for (uint32_t i = 0; i < b->head->notes.n; i++) {
		n = (const struct note *)(const void *)(b->arena + b->head->notes.off) + i;
		if (!str_fits(b, n->text))
			return false;
	}
	return true;
}

/* Checks b->mem of b->len bytes against b->type and sets the pointers. */
static int block_open(struct block *b, struct err *err)
{
	const struct block_header *h = b->mem;
	size_t padded;

	if (b->len < sizeof *h || h->magic != BLOCK_MAGIC || h->version != BLOCK_VERSION)
		return err_set(err, EBADMSG, "snapshot has no valid header");
	if (h->type_id != b->type->id || h->row_size != b->type->size)
		return err_set(err, EBADMSG, "snapshot is not of type %s", b->type->name);
	padded = rows_bytes(h->n_rows, h->row_size);
	if (padded > b->len - sizeof *h || h->arena_len != b->len - sizeof *h - padded)
		return err_set(err, EBADMSG, "snapshot of %s has wrong sizes", b->type->name);
	b->head = h;
	b->rows = (const char *)b->mem + sizeof *h;
	b->arena = b->rows + padded;
	if (!notes_fit(b))
		return err_set(err, EBADMSG, "snapshot of %s has wrong notes", b->type->name);
	for (uint32_t i = 0; i < h->n_rows; i++)
		if (!row_fits(b, b->type, b->rows + (size_t)i * h->row_size, 0))
			return err_set(err, EBADMSG, "snapshot of %s: row %u points outside", b->type->name, i);
	return 0;
}

int block_map(int fd_given, const struct row_type *type, struct block **ret, struct err *err)
{
	const int want = F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW;
	AUTO(fd_closep) int fd = fd_given;
	AUTO(block_unrefp) struct block *b = fd_xcalloc(1, sizeof *b);
	struct stat st;
	int seals = fcntl(fd, F_GET_SEALS), r;

	b->refs = 1;
	b->type = type;
	if (seals < 0 || (seals & want) != want)
		return err_set(err, EBADMSG, "snapshot is not sealed");
	if (fstat(fd, &st) < 0 || st.st_size <= 0 || st.st_size > (off_t)2 * BLOCK_MAX_BYTES)
		return err_set(err, EBADMSG, "snapshot has no valid size");
	b->mem = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (b->mem == MAP_FAILED) {
		b->mem = NULL;
		return err_set(err, errno, "map the snapshot");
	}
	b->len = (size_t)st.st_size;
	b->mapped = true;
	r = block_open(b, err);
	if (r < 0)
		return r;
	*ret = fd_ptr_take(&b);
	return 0;
}

int block_copy(const void *bytes, size_t n, const struct row_type *type, struct block **ret, struct err *err)
{
	AUTO(block_unrefp) struct block *b = fd_xcalloc(1, sizeof *b);
	int r;

	b->refs = 1;
	b->type = type;
	b->mem = fd_xcalloc(1, n);
	b->len = n;
	memcpy(b->mem, bytes, n);
	r = block_open(b, err);
	if (r < 0)
		return r;
	*ret = fd_ptr_take(&b);
	return 0;
}

void block_unref(struct block *b)
{
	if (!b || --b->refs > 0)
		return;
	if (b->mapped)
		munmap(b->mem, b->len);
	else
		free(b->mem);
	free(b);
}

struct block *block_ref(struct block *b)
{
	if (b)
		b->refs++;
	return b;
}

void block_unrefp(struct block **b)
{
	block_unref(*b);
	*b = NULL;
}

const struct row_type *block_type(const struct block *b)
{
	return b->type;
}

uint32_t block_count(const struct block *b)
{
	return b ? b->head->n_rows : 0;
}

const void *block_row(const struct block *b, uint32_t i)
{
	return i < block_count(b) ? b->rows + (size_t)i * b->type->size : NULL;
}

int64_t block_time(const struct block *b)
{
	return b->head->time_ns;
}

uint64_t block_cost_us(const struct block *b)
{
	return b->head->cost_us;
}

uint64_t block_lost(const struct block *b)
{
	return b->head->lost;
}

bool block_same(const struct block *a, const struct block *b)
{
	if (!a || !b || a->type != b->type || a->head->n_rows != b->head->n_rows || a->head->arena_len != b->head->arena_len ||
		a->head->lost != b->head->lost || memcmp(&a->head->notes, &b->head->notes, sizeof a->head->notes) != 0)
		return false;
	return memcmp(a->rows, b->rows, (size_t)a->head->n_rows * a->type->size) == 0 && memcmp(a->arena, b->arena, a->head->arena_len) == 0;
}

struct text block_text(const struct block *b, struct str s)
{
	if (s.len == UINT32_MAX || !str_fits(b, s))
		return (struct text){ 0 };
	return (struct text){ .p = b->arena + s.off, .n = s.len };
}

bool block_list_item(const struct block *b, struct str list, uint32_t i, struct text *ret)
{
	struct text all = block_text(b, list);

	while (all.n > 0) {
		size_t len = strnlen(all.p, all.n);

		if (i-- == 0) {
			*ret = (struct text){ .p = all.p, .n = len };
			return true;
		}
		if (len == all.n)
			break;
		all.p += len + 1;
		all.n -= len + 1;
	}
	return false;
}

const void *block_nested(const struct block *b, const struct row_type *type, struct rows r, uint32_t i)
{
	if (i >= r.n || !rows_fit(b, r, type->size))
		return NULL;
	return b->arena + r.off + (size_t)i * type->size;
}

uint32_t block_notes(const struct block *b)
{
	return b ? b->head->notes.n : 0;
}

struct text block_note(const struct block *b, uint32_t i, int *ret_code)
{
	const struct note *n;

	if (i >= block_notes(b))
		return (struct text){ 0 };
	n = (const struct note *)(const void *)(b->arena + b->head->notes.off) + i;
	if (ret_code)
		*ret_code = n->code;
	return block_text(b, n->text);
}

/* --- copying between blocks --- */

static struct str copy_list(struct builder *to, const struct block *from, struct str list)
{
	struct str copy = ROW_NO_TEXT;
	struct text item;

	if (list.len != UINT32_MAX)
		copy = (struct str){ 0 };
	for (uint32_t i = 0; block_list_item(from, list, i, &item); i++)
		builder_list_add(to, &copy, item.p, item.n);
	return copy;
}

static void copy_fields(struct builder *to, const struct block *from, const struct row_type *type, char *row);

static struct rows copy_rows(struct builder *to, const struct block *from, const struct row_type *type, struct rows r)
{
	AUTO(fd_freep) char *rows = NULL;

	if (r.n == 0)
		return r;
	rows = fd_xcalloc(r.n, type->size);
	for (uint32_t i = 0; i < r.n; i++) {
		memcpy(rows + (size_t)i * type->size, block_nested(from, type, r, i), type->size);
		copy_fields(to, from, type, rows + (size_t)i * type->size);
	}
	return builder_rows(to, type, rows, r.n);
}

/* Re-homes the strings and nested rows of a row that was copied byte by byte. */
static void copy_fields(struct builder *to, const struct block *from, const struct row_type *type, char *row)
{
	for (uint32_t i = 0; i < type->n_fields; i++) {
		const struct field *f = &type->fields[i];
		struct text t;
		struct str s;
		struct rows r;

		if (f->flags & FIELD_SCREEN)
			continue;
		if (f->kind == FIELD_TEXT) {
			memcpy(&s, row + f->offset, sizeof s);
			t = block_text(from, s);
			s = builder_text(to, t.p, t.n);
			memcpy(row + f->offset, &s, sizeof s);
		} else if (f->kind == FIELD_LIST) {
			memcpy(&s, row + f->offset, sizeof s);
			s = copy_list(to, from, s);
			memcpy(row + f->offset, &s, sizeof s);
		} else if (f->kind == FIELD_ROWS) {
			memcpy(&r, row + f->offset, sizeof r);
			r = copy_rows(to, from, f->sub, r);
			memcpy(row + f->offset, &r, sizeof r);
		}
	}
}

void *builder_copy_row(struct builder *to, const struct block *from, const void *row)
{
	void *copy = builder_row(to);

	memcpy(copy, row, to->type->size);
	copy_fields(to, from, to->type, copy);
	return copy;
}
