/* A hash of address to target name. Networks of one host rarely overlap; where they do, a wrong name would be worse than none. */
#include "tui/who.h"

#include "core/fd.h"
#include "core/target.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct who_name {
	struct addr address; /* kind 0: free */
	struct text name;
	bool own;
	bool shared; /* several have it */
};

enum { WHO_LIST_MAX = 64 }; /* addresses looked at in one row */

static uint32_t slot_of(const struct who *w, const struct addr *a)
{
	return (uint32_t)row_hash(a->bytes, sizeof a->bytes, a->kind) & (w->n_slots - 1);
}

/* The slot that has `a`, or the free one where it belongs. */
static struct who_name *probe(const struct who *w, const struct addr *a)
{
	uint32_t i = slot_of(w, a);

	while (w->slots[i].address.kind != ADDR_NONE && !addr_same(&w->slots[i].address, a))
		i = (i + 1) & (w->n_slots - 1);
	return &w->slots[i];
}

static void add(struct who *w, const struct addr *raw, struct text name, bool own)
{
	struct addr a = addr_unmap(raw);
	struct who_name *slot;

	if (a.kind == ADDR_NONE || addr_is_any(&a) || addr_is_loopback(&a))
		return;
	slot = probe(w, &a);
	if (slot->address.kind == ADDR_NONE)
		*slot = (struct who_name){ .address = a, .name = name, .own = own };
	else if (own && !slot->own)
		*slot = (struct who_name){ .address = slot->address, .name = name, .own = true };
	else if (!slot->own && !text_equal(slot->name, name))
		slot->shared = true;
}

static void add_listed(struct who *w, const struct target_row *row, struct text name, bool own)
{
	struct text item;
	struct addr a;

	for (uint32_t i = 0; i < WHO_LIST_MAX && block_list_item(w->targets, row->addresses, i, &item); i++) {
		char text[ADDR_TEXT];

		if (item.n >= sizeof text)
			continue;
		memcpy(text, item.p, item.n);
		text[item.n] = '\0';
		if (addr_parse(text, &a) == 0)
			add(w, &a, name, own);
	}
}

static void add_target(struct who *w, const struct target_row *row, bool own)
{
	struct text name = block_text(w->targets, row->name);

	if (!name.p || name.n == 0)
		return;
	for (uint32_t i = 0; i < row->endpoints.n && i < WHO_LIST_MAX; i++) {
		const struct endpoint_row *e = block_nested(w->targets, &endpoint_row_type, row->endpoints, i);

		if (!e)
			continue;
		add(w, &e->address, name, own);
		add(w, &e->address6, name, own);
	}
	add_listed(w, row, name, own);
}

/* A stopped one's address may long be somebody else's; who borrows a namespace has the addresses of its owner. */
static bool has_addresses(const struct who *w, const struct target_row *row)
{
	struct text lender = block_text(w->targets, row->shares_with);

	if (row->head.flags & TARGET_HOST_NETWORK)
		return false;
	return (row->state == TARGET_STATE_RUNNING || row->state == TARGET_STATE_PAUSED) && lender.n == 0;
}

static uint32_t count_addresses(const struct who *w)
{
	uint32_t sum = 0;

	for (uint32_t i = 0; i < block_count(w->targets); i++) {
		const struct target_row *row = block_row(w->targets, i);
		struct text item;

		for (uint32_t k = 0; k < WHO_LIST_MAX && block_list_item(w->targets, row->addresses, k, &item); k++)
			sum++;
		sum += 2 * (row->endpoints.n < WHO_LIST_MAX ? row->endpoints.n : WHO_LIST_MAX);
	}
	return sum;
}

void who_set(struct who *w, struct block *targets, uint64_t own)
{
	who_done(w);
	if (!targets)
		return;
	w->targets = block_ref(targets);
	w->n_slots = 16;
	while (w->n_slots < 2 * count_addresses(w))
		w->n_slots *= 2;
	w->slots = fd_xcalloc(w->n_slots, sizeof *w->slots);
	for (uint32_t i = 0; i < block_count(targets); i++) {
		const struct target_row *row = block_row(targets, i);

		if (has_addresses(w, row) || row->head.id == own)
			add_target(w, row, row->head.id == own);
	}
}

void who_done(struct who *w)
{
	block_unref(w->targets);
	free(w->slots);
	*w = (struct who){ 0 };
}

bool who_find(const struct who *w, const struct addr *a, struct text *ret)
{
	struct addr key = addr_unmap(a);
	const struct who_name *slot;

	if (w->n_slots == 0 || key.kind == ADDR_NONE)
		return false;
	slot = probe(w, &key);
	if (slot->address.kind == ADDR_NONE || slot->shared)
		return false;
	*ret = slot->name;
	return true;
}

static size_t bounded(int n, size_t cap)
{
	if (n < 0)
		return 0;
	return (size_t)n < cap ? (size_t)n : cap - 1;
}

size_t who_endpoint(const struct who *w, bool use_names, const struct addr *a, uint64_t port, char *buf, size_t cap)
{
	bool bracket = false;
	char text[ADDR_TEXT];
	struct text name;

	addr_format(a, text);
	if (use_names && who_find(w, a, &name)) {
		/* as it is */
	} else {
		name = text_of(text);
		bracket = a->kind == ADDR_IP6 && port != ROW_NO_UINT;
	}
	if (port == ROW_NO_UINT)
		return bounded(snprintf(buf, cap, "%.*s", (int)name.n, name.p), cap);
	return bounded(snprintf(buf, cap, "%s%.*s%s:%" PRIu64, bracket ? "[" : "", (int)name.n, name.p,
		bracket ? "]" : "", port), cap);
}
