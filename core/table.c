/*
 * Order, filter, cursor and tags over one snapshot: see table.h. Sorting builds one key of 8 bytes a row and distributes by its
 * bytes (a radix sort), touching no row again; runs of equal keys of texts are sorted by their next 8 bytes, and so on.
 */
#include "core/table.h"

#include "core/err.h"
#include "core/fd.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#define CMP(a, b) (((a) > (b)) - ((a) < (b)))

struct id_set { /* open addressing; capacity is a power of two */
	uint64_t *ids;
	unsigned char *used; /* 0 free, 1 used, 2 was used */
	uint32_t cap;
	uint32_t n; /* used */
	uint32_t filled; /* used or was */
};

struct table {
	const struct row_type *type;
	struct block *block;
	uint32_t *order; /* row indices, n of them */
	uint32_t n;
	uint32_t cap;
	const struct field *sort;
	bool descending;
	bool severity_first;
	char *text; /* of the filter */
	struct filter *filter;
	bool (*keep)(const struct block *, const void *row, void *arg);
	void *keep_arg;
	uint32_t cursor;
	struct id_set tags;
};

/* --- set of ids --- */

static uint32_t id_slot(const struct id_set *s, uint64_t id, bool *ret_found)
{
	uint32_t mask = s->cap - 1, at = (uint32_t)((id * 0x9e3779b97f4a7c15u) >> 32) & mask, free_at = UINT32_MAX;

	for (; s->used[at] != 0; at = (at + 1) & mask) {
		if (s->used[at] == 1 && s->ids[at] == id) {
			*ret_found = true;
			return at;
		}
		if (s->used[at] == 2 && free_at == UINT32_MAX)
			free_at = at;
	}
	*ret_found = false;
	return free_at != UINT32_MAX ? free_at : at;
}

static void id_clear(struct id_set *s)
{
	free(s->ids);
	free(s->used);
	*s = (struct id_set){ 0 };
}

static void id_grow(struct id_set *s)
{
	struct id_set old = *s;
	bool found;

	s->cap = 16;
	while (s->cap < (old.n + 1) * 2)
		s->cap *= 2;
	s->ids = fd_xcalloc(s->cap, sizeof *s->ids);
	s->used = fd_xcalloc(s->cap, 1);
	s->filled = old.n;
	for (uint32_t i = 0; i < old.cap; i++)
		if (old.used[i] == 1) {
			uint32_t at = id_slot(s, old.ids[i], &found);

			s->ids[at] = old.ids[i];
			s->used[at] = 1;
		}
	id_clear(&old);
}

static bool id_has(const struct id_set *s, uint64_t id)
{
	bool found = false;

	if (s->cap)
		id_slot(s, id, &found);
	return found;
}

static void id_add(struct id_set *s, uint64_t id)
{
	bool found;
	uint32_t at;

	if ((s->filled + 1) * 4 > s->cap * 3)
		id_grow(s);
	at = id_slot(s, id, &found);
	if (found)
		return;
	s->filled += s->used[at] == 0;
	s->ids[at] = id;
	s->used[at] = 1;
	s->n++;
}

static void id_drop(struct id_set *s, uint64_t id)
{
	bool found = false;
	uint32_t at = s->cap ? id_slot(s, id, &found) : 0;

	if (!found)
		return;
	s->used[at] = 2;
	s->n--;
}

/* --- order --- */

enum {
	KEY_BYTES = 8,
	MAX_LEVELS = 16, /* 128 bytes of a text by keys; what is longer is compared itself */
	RADIX_MIN = 256,
};

struct sort_key {
	uint64_t key; /* smaller first, direction included */
	const char *p; /* of texts: all their bytes */
	uint32_t n;
	uint32_t row : 28; /* BLOCK_MAX_BYTES holds fewer rows than that */
	uint32_t rank : 4; /* by severity, then unknown last */
};
_Static_assert(BLOCK_MAX_BYTES / sizeof(struct row_head) < 1 << 28, "row numbers fit");

struct sorting {
	const struct table *table;
	struct sort_key *spare; /* as many as there are rows */
};

/* Broken first, then suspicious, not known, fine, not running; then what nobody judged, last what is over. */
static uint32_t severity_rank(const struct row_head *head)
{
	static const uint32_t ranks[SEVERITY_N] = {
		[SEVERITY_BAD] = 0, [SEVERITY_WARN] = 1, [SEVERITY_UNKNOWN] = 2,
		[SEVERITY_OK] = 3, [SEVERITY_IDLE] = 4, [SEVERITY_NONE] = 5,
	};

	if (head->flags & ROW_OVER)
		return 6;
	return head->severity < SEVERITY_N ? ranks[head->severity] : 5;
}

static uint64_t key_of_real(double v)
{
	uint64_t bits;

	v += 0.0; /* -0 and 0 are the same */
	memcpy(&bits, &v, sizeof bits);
	return bits >> 63 ? ~bits : bits | UINT64_C(1) << 63;
}

static uint64_t key_of_bytes(const char *p, size_t n)
{
	uint64_t v = 0;

	if (n >= KEY_BYTES) {
		memcpy(&v, p, KEY_BYTES);
		return be64toh(v);
	}
	for (size_t i = 0; i < KEY_BYTES; i++)
		v = v << 8 | (i < n ? (unsigned char)p[i] : 0);
	return v;
}

/* The key of a known value that is no text; agrees with row_compare's order. */
static uint64_t key_of_number(const struct field *f, const void *row)
{
	const char *at = (const char *)row + f->offset;
	uint64_t u;
	int64_t i;
	uint32_t e;

	switch (f->kind) {
	case FIELD_UINT:
		memcpy(&u, at, sizeof u);
		return u;
	case FIELD_INT:
	case FIELD_TIME:
		memcpy(&i, at, sizeof i);
		return (uint64_t)i ^ UINT64_C(1) << 63;
	case FIELD_ENUM:
		memcpy(&e, at, sizeof e);
		return e;
	case FIELD_REAL:
	case FIELD_BOOL:
	case FIELD_ROWS:
		return key_of_real(row_number(f, row));
	case FIELD_TEXT:
	case FIELD_LIST:
	case FIELD_ADDR:
		break;
	}
	return 0;
}

/* Texts and addresses are compared as bytes, eight at a time. The first key of an address is its kind alone. */
static bool text_of_value(const struct block *b, const struct field *f, const void *row, struct sort_key *k)
{
	const char *at = (const char *)row + f->offset;
	const struct addr *a = (const struct addr *)(const void *)at;
	struct text t;
	struct str s;

	if (f->kind == FIELD_ADDR) {
		k->p = (const char *)a->bytes;
		k->n = sizeof a->bytes;
		k->key = a->kind;
		return true;
	}
	if (f->kind != FIELD_TEXT && f->kind != FIELD_LIST)
		return false;
	memcpy(&s, at, sizeof s);
	t = block_text(b, s);
	k->p = t.p;
	k->n = (uint32_t)t.n;
	return true;
}

static void key_fill(const struct table *t, uint32_t row, struct sort_key *k)
{
	const void *r = block_row(t->block, row);
	uint32_t severity = t->severity_first ? severity_rank(r) : 0;
	bool unknown = t->sort && row_is_unknown(t->block, t->sort, r);

	*k = (struct sort_key){ .row = row & 0xfffffff, .rank = (severity * 2 + unknown) & 15 };
	if (!t->sort || unknown)
		return;
	if (!text_of_value(t->block, t->sort, r, k))
		k->key = key_of_number(t->sort, r);
	if (t->descending)
		k->key = ~k->key;
}

static int key_compare(const void *x, const void *y)
{
	const struct sort_key *a = x, *b = y;
	int r = CMP(a->rank, b->rank);

	if (r == 0)
		r = CMP(a->key, b->key);
	return r != 0 ? r : CMP(a->row, b->row);
}

static int value_compare(const void *x, const void *y, void *arg)
{
	const struct sort_key *a = x, *b = y;
	const struct table *t = arg;
	int r = row_compare(t->block, t->sort, block_row(t->block, a->row), block_row(t->block, b->row));

	return r == 0 ? CMP(a->row, b->row) : t->descending ? -r : r;
}

static bool same_key(const struct sort_key *a, const struct sort_key *b)
{
	return a->rank == b->rank && a->key == b->key;
}

static unsigned key_byte(const struct sort_key *k, unsigned byte)
{
	return byte < KEY_BYTES ? k->key >> (byte * 8) & 255 : k->rank;
}

/* One stable pass by one byte of the key; false when all have the same, and nothing was done. */
static bool radix_pass(const struct sort_key *from, struct sort_key *to, uint32_t n, unsigned byte)
{
	uint32_t at[256] = { 0 }, sum = 0;

	for (uint32_t i = 0; i < n; i++)
		at[key_byte(&from[i], byte)]++;
	if (at[key_byte(&from[0], byte)] == n)
		return false;
	for (unsigned v = 0; v < 256; v++) {
		uint32_t count = at[v];

		at[v] = sum;
		sum += count;
	}
	for (uint32_t i = 0; i < n; i++)
		to[at[key_byte(&from[i], byte)]++] = from[i];
	return true;
}

static void sort_keys(struct sort_key *keys, struct sort_key *spare, uint32_t n)
{
	struct sort_key *from = keys, *to = spare;

	if (n < RADIX_MIN) {
		qsort(keys, n, sizeof *keys, key_compare);
		return;
	}
	for (unsigned byte = 0; byte <= KEY_BYTES; byte++)
		if (radix_pass(from, to, n, byte)) {
			struct sort_key *swap = from;

			from = to;
			to = swap;
		}
	if (from != keys)
		memcpy(keys, from, n * sizeof *keys);
}

static void sort_ties(const struct sorting *s, struct sort_key *keys, uint32_t n, uint32_t level);

/* Sorts by the keys as they are, then each run of equal keys by the bytes from `level` on. */
static void sort_level(const struct sorting *s, struct sort_key *keys, uint32_t n, uint32_t level)
{
	uint32_t from = 0, i;

	for (i = 1; i < n && same_key(&keys[0], &keys[i]); i++)
		;
	if (i < n) /* a common prefix needs no sorting */
		sort_keys(keys, s->spare, n);
	for (i = 1; i <= n; i++) {
		if (i < n && same_key(&keys[from], &keys[i]))
			continue;
		if (i - from > 1)
			sort_ties(s, keys + from, i - from, level);
		from = i;
	}
}

static void sort_ties(const struct sorting *s, struct sort_key *keys, uint32_t n, uint32_t level)
{
	size_t skip = (size_t)level * KEY_BYTES;
	bool more = false;

	for (uint32_t i = 0; i < n && !more; i++)
		more = keys[i].n > skip;
	if (!more)
		return;
	if (level == MAX_LEVELS) {
		qsort_r(keys, n, sizeof *keys, value_compare, (void *)(uintptr_t)s->table);
		return;
	}
	for (uint32_t i = 0; i < n; i++) {
		keys[i].key = keys[i].n > skip ? key_of_bytes(keys[i].p + skip, keys[i].n - skip) : 0;
		if (s->table->descending)
			keys[i].key = ~keys[i].key;
	}
	sort_level(s, keys, n, level + 1);
}

static void sort_order(struct table *t)
{
	AUTO(fd_freep) struct sort_key *keys = NULL;
	struct sorting s = { .table = t };

	if (t->n < 2 || (!t->sort && !t->severity_first))
		return;
	keys = fd_xcalloc((size_t)t->n * 2, sizeof *keys);
	s.spare = keys + t->n;
	for (uint32_t i = 0; i < t->n; i++)
		key_fill(t, t->order[i], &keys[i]);
	sort_level(&s, keys, t->n, 0);
	for (uint32_t i = 0; i < t->n; i++)
		t->order[i] = keys[i].row;
}

static void fill_order(struct table *t)
{
	uint32_t total = block_count(t->block);
	/* The look that the columns have on the screen, ages included. */
	struct row_look look = { .charset = TEXT_UTF8, .now_ns = t->block ? block_time(t->block) : 0 };

	if (total > t->cap) {
		t->order = fd_xrealloc(t->order, total, sizeof *t->order);
		t->cap = total;
	}
	t->n = 0;
	for (uint32_t i = 0; i < total; i++) {
		const void *row = block_row(t->block, i);

		if ((!t->keep || t->keep(t->block, row, t->keep_arg)) && filter_match(t->filter, t->block, row, &look))
			t->order[t->n++] = i;
	}
}

static uint64_t row_id(const void *row)
{
	return ((const struct row_head *)row)->id;
}

static void rebuild(struct table *t, bool had, uint64_t id)
{
	fill_order(t);
	sort_order(t);
	if (!had || !table_jump_id(t, id))
		table_jump(t, t->cursor);
}

/* Filters and sorts again; the cursor stays on its object. */
static void refresh(struct table *t)
{
	const void *row = table_selected(t);

	rebuild(t, row != NULL, row ? row_id(row) : 0);
}

/* --- exported --- */

struct table *table_new(const struct row_type *type)
{
	struct table *t = fd_xcalloc(1, sizeof *t);

	t->type = type;
	t->text = fd_xcalloc(1, 1);
	return t;
}

void table_free(struct table *t)
{
	if (!t)
		return;
	block_unref(t->block);
	filter_free(t->filter);
	id_clear(&t->tags);
	free(t->order);
	free(t->text);
	free(t);
}

void table_set_block(struct table *t, struct block *b)
{
	const void *row = table_selected(t);
	bool had = row != NULL;
	uint64_t id = row ? row_id(row) : 0; /* the row's memory leaves with its block */

	block_ref(b);
	block_unref(t->block);
	t->block = b;
	rebuild(t, had, id);
}

const struct block *table_block(const struct table *t)
{
	return t->block;
}

void table_sort(struct table *t, const struct field *f, bool descending, bool severity_first)
{
	t->sort = f;
	t->descending = descending;
	t->severity_first = severity_first;
	refresh(t);
}

const struct field *table_sort_field(const struct table *t, bool *ret_descending)
{
	if (ret_descending)
		*ret_descending = t->descending;
	return t->sort;
}

int table_filter(struct table *t, const char *text, size_t *ret_column, struct err *err)
{
	struct filter *filter = NULL;
	int r = filter_parse(t->type, text, &filter, ret_column, err);
	size_t n;

	if (r < 0)
		return r;
	filter_free(t->filter);
	t->filter = filter;
	n = strlen(text) + 1;
	if (text != t->text) {
		t->text = fd_xrealloc(t->text, n, 1);
		memcpy(t->text, text, n);
	}
	refresh(t);
	return 0;
}

const char *table_filter_text(const struct table *t)
{
	return t->text;
}

const struct filter *table_filter_get(const struct table *t)
{
	return t->filter;
}

void table_set_keep(struct table *t, bool (*keep)(const struct block *, const void *row, void *arg), void *arg)
{
	t->keep = keep;
	t->keep_arg = arg;
	refresh(t);
}

uint32_t table_count(const struct table *t)
{
	return t->n;
}

uint32_t table_total(const struct table *t)
{
	return block_count(t->block);
}

const void *table_at(const struct table *t, uint32_t i)
{
	return i < t->n ? block_row(t->block, t->order[i]) : NULL;
}

uint32_t table_cursor(const struct table *t)
{
	return t->cursor;
}

void table_move(struct table *t, int64_t delta)
{
	int64_t room = delta < 0 ? -(int64_t)t->cursor : (int64_t)t->n - 1 - t->cursor;

	if (t->n == 0)
		return;
	t->cursor = (uint32_t)(t->cursor + (delta < 0 ? (delta < room ? room : delta) : (delta > room ? room : delta)));
}

void table_jump(struct table *t, uint32_t i)
{
	t->cursor = t->n == 0 ? 0 : i < t->n ? i : t->n - 1;
}

bool table_jump_id(struct table *t, uint64_t id)
{
	for (uint32_t i = 0; i < t->n; i++)
		if (row_id(block_row(t->block, t->order[i])) == id) {
			t->cursor = i;
			return true;
		}
	return false;
}

const void *table_selected(const struct table *t)
{
	return table_at(t, t->cursor);
}

void table_tag(struct table *t, uint64_t id, bool on)
{
	if (on)
		id_add(&t->tags, id);
	else
		id_drop(&t->tags, id);
}

bool table_is_tagged(const struct table *t, uint64_t id)
{
	return id_has(&t->tags, id);
}

uint32_t table_tagged(const struct table *t)
{
	return t->tags.n;
}

void table_untag_all(struct table *t)
{
	id_clear(&t->tags);
}
