/*
 * Containers without an engine, and groups: see target_found.h. The same container met by the Docker API, containerd, CRI and /proc is one
 * row: by id first, then by pid.
 */
#include "core/target_found.h"

#include "core/engine/bundle.h"
#include "core/fd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CMP(a, b) (((a) > (b)) - ((a) < (b)))

/* --- the index --- */

static int by_id(const void *x, const void *y)
{
	const struct found *a = x, *b = y;

	return text_compare(a->id, b->id);
}

struct found_index found_index_new(const struct block *scan)
{
	struct found_index ix = { 0 };
	uint32_t n = 0;

	for (uint32_t i = 0; i < block_count(scan); i++)
		n += ((const struct netns_row *)block_row(scan, i))->containers.n;
	ix.list = fd_xcalloc(n, sizeof ix.list[0]);
	for (uint32_t i = 0; i < block_count(scan); i++) {
		const struct netns_row *row = block_row(scan, i);

		for (uint32_t k = 0; k < row->containers.n; k++) {
			const struct found_row *f = block_nested(scan, &found_row_type, row->containers, k);

			ix.list[ix.n++] = (struct found){ .id = block_text(scan, f->id), .row = f, .netns = i };
		}
	}
	if (ix.n)
		qsort(ix.list, ix.n, sizeof ix.list[0], by_id);
	return ix;
}

void found_index_free(struct found_index *ix)
{
	free(ix->list);
	*ix = (struct found_index){ 0 };
}

struct found *found_index_find(const struct found_index *ix, struct text id)
{
	struct found key = { .id = id };

	return ix->n && id.n ? bsearch(&key, ix->list, ix->n, sizeof key, by_id) : NULL;
}

/* --- what was seen --- */

uint64_t seen_id(struct text id)
{
	return row_hash(id.p, id.n, 1) | 1;
}

uint64_t seen_pid(uint64_t pid)
{
	return row_hash(&pid, sizeof pid, 2) | 1;
}

static uint64_t *slot(const struct seen *s, uint64_t key)
{
	uint32_t i = (uint32_t)(key >> 1) & (s->cap - 1);

	while (s->slots[i] && s->slots[i] != key)
		i = (i + 1) & (s->cap - 1);
	return &s->slots[i];
}

bool seen_has(const struct seen *s, uint64_t key)
{
	return s->cap && *slot(s, key) == key;
}

static void grow(struct seen *s)
{
	struct seen bigger = { .cap = s->cap ? s->cap * 2 : 64, .n = s->n };

	bigger.slots = fd_xcalloc(bigger.cap, sizeof bigger.slots[0]);
	for (uint32_t i = 0; i < s->cap; i++)
		if (s->slots[i])
			*slot(&bigger, s->slots[i]) = s->slots[i];
	free(s->slots);
	*s = bigger;
}

bool seen_add(struct seen *s, uint64_t key)
{
	if (seen_has(s, key))
		return false;
	if (s->n * 2 >= s->cap)
		grow(s);
	*slot(s, key) = key;
	s->n++;
	return true;
}

/* --- rows --- */

static struct str copy(const struct block *from, struct str s, struct builder *out)
{
	struct text t = block_text(from, s);

	return builder_text(out, t.p, t.n);
}

static struct str copy_list(const struct block *from, struct str s, struct builder *out)
{
	struct str ret = { 0 };
	struct text item;

	for (uint32_t i = 0; block_list_item(from, s, i, &item); i++)
		builder_list_add(out, &ret, item.p, item.n);
	return ret;
}

/* As the engines make theirs (docker_rows.c): a row keeps its place when its engine comes or goes. */
static uint64_t row_id(struct text runtime, struct text id)
{
	return row_hash(id.p, id.n, row_hash(runtime.p, runtime.n, 0));
}

void found_describe(const struct block *scan, const struct found *f, struct builder *out, struct target_row *r)
{
	const struct netns_row *n = block_row(scan, f->netns);
	struct text runtime = block_text(scan, f->row->runtime), name = block_text(scan, f->row->name), id = f->id;

	r->head.id = row_id(runtime, id);
	r->head.flags = TARGET_IS_CONTAINER | (n->is_host ? TARGET_HOST_NETWORK : 0);
	r->runtime = builder_text(out, runtime.p, runtime.n);
	r->id = builder_text(out, id.p, id.n);
	r->name = name.n ? builder_text(out, name.p, name.n) : builder_text(out, id.p, id.n < 12 ? id.n : 12);
	r->pid = f->row->pid;
	r->start = f->row->start;
	r->netns = n->inode;
	r->processes = n->inode == ROW_NO_UINT ? ROW_NO_UINT : n->members.n;
	r->space = copy(scan, f->row->space, out);
	r->pod = copy(scan, f->row->pod, out);
	r->owner = f->row->owner;
	if (text_equal(runtime, text_of("cri")) || text_equal(runtime, text_of("podman"))) /* others have no pods */
		r->infra = f->row->infra;
	r->addresses = copy_list(scan, n->addresses, out);
	r->command = n->pid == f->row->pid ? copy(scan, n->leader, out) : ROW_NO_TEXT;
}

static void replace(const struct block *from, struct str s, struct builder *out, struct str *to)
{
	struct text t = block_text(from, s);

	if (t.n)
		*to = builder_text(out, t.p, t.n);
}

void found_name(const struct block *bundles, struct builder *out, struct target_row *r)
{
	const struct bundle_row *f = NULL;

	for (uint32_t i = 0; i < block_count(bundles) && !f; i++) {
		f = block_row(bundles, i);
		f = f->pid == r->pid && f->start == r->start ? f : NULL;
	}
	if (!f)
		return;
	replace(bundles, f->name, out, &r->name);
	replace(bundles, f->image, out, &r->image);
	replace(bundles, f->hostname, out, &r->hostname);
	replace(bundles, f->project, out, &r->project);
	replace(bundles, f->space, out, &r->space);
	replace(bundles, f->pod, out, &r->pod);
	r->infra = f->infra == ROW_NO_BOOL ? r->infra : f->infra;
	r->attempt = f->attempt;
	r->restarts = f->restarts;
	r->created_at = f->created_at;
	r->started_at = f->started_at; /* unknown: see target_merge */
}

/* --- groups --- */

/* A container in its namespace. */
struct mate {
	uint64_t netns, start;
	uint32_t at; /* row in the builder */
	bool joined; /* somebody else's namespace, by its network mode */
	bool is_infra;
};

static int by_rank(const void *x, const void *y)
{
	const struct mate *a = x, *b = y;

	if (a->netns != b->netns)
		return CMP(a->netns, b->netns);
	if (a->is_infra != b->is_infra)
		return b->is_infra - a->is_infra;
	if (a->joined != b->joined)
		return a->joined - b->joined;
	return CMP(a->start, b->start);
}

/* Names go through a copy: the arena moves while it grows. */
static void name_of(const struct builder *out, const struct target_row *r, char buf[256], size_t *ret_n)
{
	struct text t = builder_get(out, r->name);

	*ret_n = t.n < 256 ? t.n : 255;
	if (*ret_n)
		memcpy(buf, t.p, *ret_n);
}

static void join(struct builder *out, const struct mate *m, uint32_t n)
{
	struct target_row *owner = builder_at(out, m[0].at);
	struct str list = { 0 };
	char name[256];
	size_t len;

	for (uint32_t i = 1; i < n; i++) {
		name_of(out, builder_at(out, m[i].at), name, &len);
		builder_list_add(out, &list, name, len);
	}
	owner->shared_by = list;
	name_of(out, owner, name, &len);
	for (uint32_t i = 1; i < n; i++) {
		struct target_row *r = builder_at(out, m[i].at);

		if (r->shares_with.len == UINT32_MAX)
			r->shares_with = builder_text(out, name, len);
	}
}

void found_groups(struct builder *out)
{
	AUTO(fd_freep) struct mate *mates = fd_xcalloc(builder_count(out), sizeof *mates);
	uint32_t n = 0;

	for (uint32_t i = 0; i < builder_count(out); i++) {
		const struct target_row *r = builder_at(out, i);

		if (!(r->head.flags & TARGET_IS_CONTAINER) || r->head.flags & TARGET_HOST_NETWORK || r->netns == ROW_NO_UINT)
			continue;
		mates[n++] = (struct mate){ .netns = r->netns, .start = r->start, .at = i, .is_infra = r->infra == 1,
			.joined = r->shares_with.len != UINT32_MAX };
	}
	if (n)
		qsort(mates, n, sizeof *mates, by_rank);
	for (uint32_t i = 0, k; i < n; i = k) {
		for (k = i + 1; k < n && mates[k].netns == mates[i].netns; k++)
			;
		if (k - i > 1)
			join(out, mates + i, k - i);
	}
}
