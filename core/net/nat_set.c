/*
 * Elements of nf_tables sets: see nat_set.h. Old interval sets give starts and exclusive ends as elements of their own; those with
 * concatenations give both in one (NFTA_SET_ELEM_KEY_END, inclusive).
 */
#include "core/net/nat_set.h"

#include "core/fd.h"

#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_ELEMENTS = 1 << 16 };

static uint32_t be32_of(const struct nlattr *a, uint32_t missing)
{
	uint64_t v = net_attr_uint(a);

	return a && mnl_attr_get_payload_len(a) == 4 ? ntohl((uint32_t)v) : missing;
}

static uint32_t *slot_of(const struct nat_sets *s, uint8_t family, struct text table, struct text name)
{
	uint32_t i = (uint32_t)row_hash(name.p ? name.p : "", name.n, row_hash(table.p ? table.p : "", table.n, family)) & (s->n_slots - 1);

	for (; s->slots[i]; i = (i + 1) & (s->n_slots - 1)) {
		const struct nat_set *set = &s->list[s->slots[i] - 1];

		if (set->family == family && text_equal(set->name, name) && text_equal(set->table, table))
			break;
	}
	return &s->slots[i];
}

static struct nat_set *find(const struct nat_sets *s, uint8_t family, struct text table, struct text name)
{
	uint32_t at = s->n ? *slot_of(s, family, table, name) : 0;

	return at ? &s->list[at - 1] : NULL;
}

static void grow(struct nat_sets *s)
{
	s->cap = s->cap ? s->cap * 2 : 8;
	s->list = fd_xrealloc(s->list, s->cap, sizeof *s->list);
	free(s->slots);
	s->n_slots = s->cap * 2;
	s->slots = fd_xcalloc(s->n_slots, sizeof *s->slots);
	for (uint32_t i = 0; i < s->n; i++)
		*slot_of(s, s->list[i].family, s->list[i].table, s->list[i].name) = i + 1;
}

bool nat_sets_add(struct nat_sets *s, const struct nat_set *set)
{
	uint32_t *slot;

	if (s->n == s->cap)
		grow(s);
	slot = slot_of(s, set->family, set->table, set->name);
	if (*slot)
		return false;
	s->list[s->n++] = *set;
	*slot = s->n;
	return true;
}

const struct nat_set *nat_sets_find(const struct nat_sets *s, uint8_t family, struct text table, struct text name)
{
	return find(s, family, table, name);
}

static void take_set(const struct nlmsghdr *nlh, void *arg)
{
	struct nat_sets *s = arg;
	struct net_attrs a;
	struct nat_set set = { .family = nat_nft_family(nlh) };

	net_attrs_of(nlh, sizeof(struct nfgenmsg), &a);
	set.table = net_attr_text(a.at[NFTA_SET_TABLE]);
	set.name = net_attr_text(a.at[NFTA_SET_NAME]);
	set.flags = be32_of(a.at[NFTA_SET_FLAGS], 0);
	if (set.name.n)
		nat_sets_add(s, &set);
}

/* --- elements --- */

static uint16_t take_key(const struct nlattr *nest, uint8_t key[NAT_KEY])
{
	struct net_attrs a;
	const struct nlattr *v;
	uint16_t n;

	net_attrs_in(nest, &a);
	v = a.at[NFTA_DATA_VALUE];
	n = v ? mnl_attr_get_payload_len(v) : 0;
	if (n > NAT_KEY)
		return 0;
	memcpy(key, v ? mnl_attr_get_payload(v) : "", n);
	return n;
}

static void take_data(const struct nlattr *nest, struct nat_element *e)
{
	struct net_attrs a, verdict;

	net_attrs_in(nest, &a);
	if (a.at[NFTA_DATA_VALUE]) {
		e->data = mnl_attr_get_payload(a.at[NFTA_DATA_VALUE]);
		e->n_data = mnl_attr_get_payload_len(a.at[NFTA_DATA_VALUE]);
	}
	if (!a.at[NFTA_DATA_VERDICT])
		return;
	net_attrs_in(a.at[NFTA_DATA_VERDICT], &verdict);
	e->has_verdict = true;
	e->verdict = (int32_t)be32_of(verdict.at[NFTA_VERDICT_CODE], 0);
	e->chain = net_attr_text(verdict.at[NFTA_VERDICT_CHAIN]);
}

static void take_element(struct nat_set *set, const struct nlattr *nest, uint64_t *lost)
{
	struct nat_element e = { 0 };
	struct net_attrs a;
	uint32_t flags;
	uint16_t n;

	net_attrs_in(nest, &a);
	flags = be32_of(a.at[NFTA_SET_ELEM_FLAGS], 0);
	e.n_key = take_key(a.at[NFTA_SET_ELEM_KEY], e.key);
	memcpy(e.last, e.key, sizeof e.last);
	n = take_key(a.at[NFTA_SET_ELEM_KEY_END], e.last);
	if (n && n != e.n_key)
		return;
	if (!n)
		memcpy(e.last, e.key, sizeof e.last);
	take_data(a.at[NFTA_SET_ELEM_DATA], &e);
	e.any = flags & NFT_SET_ELEM_CATCHALL;
	e.end = flags & NFT_SET_ELEM_INTERVAL_END;
	if (!e.n_key && !e.any)
		return;
	if (set->n == MAX_ELEMENTS) {
		(*lost)++;
		return;
	}
	if (set->n == set->cap) {
		set->cap = set->cap ? set->cap * 2 : 16;
		set->elements = fd_xrealloc(set->elements, set->cap, sizeof *set->elements);
	}
	set->elements[set->n++] = e;
}

static void take_elements(const struct nlmsghdr *nlh, void *arg)
{
	struct nat_sets *s = arg;
	const struct nlattr *list, *item;
	struct net_attrs a;
	struct nat_set *set;

	net_attrs_of(nlh, sizeof(struct nfgenmsg), &a);
	set = find(s, nat_nft_family(nlh), net_attr_text(a.at[NFTA_SET_ELEM_LIST_TABLE]), net_attr_text(a.at[NFTA_SET_ELEM_LIST_SET]));
	list = a.at[NFTA_SET_ELEM_LIST_ELEMENTS];
	if (!set || !list)
		return;
	mnl_attr_for_each_nested(item, list)
		take_element(set, item, &s->lost);
}

/* By key; an end before the start at the same place. */
static int by_key(const void *x, const void *y)
{
	const struct nat_element *a = x, *b = y;
	int c = memcmp(a->key, b->key, NAT_KEY);

	if (a->any != b->any)
		return a->any ? 1 : -1;
	return c ? c : (int)b->end - (int)a->end;
}

static void one_less(uint8_t *key, size_t n)
{
	while (n-- > 0)
		if (key[n]-- != 0)
			return;
}

/* Starts get their ends; ends go. A start without one lasts to the highest key. */
static void close_intervals(struct nat_set *set)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < set->n; i++) {
		struct nat_element *e = &set->elements[i];

		if (e->end)
			continue;
		if (!e->any && memcmp(e->key, e->last, NAT_KEY) == 0) {
			if (i + 1 < set->n && !set->elements[i + 1].any) {
				memcpy(e->last, set->elements[i + 1].key, sizeof e->last);
				one_less(e->last, e->n_key);
			} else {
				memset(e->last, 0xff, e->n_key);
			}
		}
		set->elements[n++] = *e;
	}
	set->n = n;
}

void nat_sets_read(const struct nat_bytes *sets, const struct nat_bytes *elements, struct nat_sets *ret)
{
	*ret = (struct nat_sets){ 0 };
	nat_nft_each(sets, NFT_MSG_NEWSET, take_set, ret);
	nat_nft_each(elements, NFT_MSG_NEWSETELEM, take_elements, ret);
	for (uint32_t i = 0; i < ret->n; i++) {
		if (ret->list[i].n)
			qsort(ret->list[i].elements, ret->list[i].n, sizeof *ret->list[i].elements, by_key);
		if (ret->list[i].flags & NFT_SET_INTERVAL && !(ret->list[i].flags & NFT_SET_CONCAT))
			close_intervals(&ret->list[i]);
	}
}

void nat_sets_done(struct nat_sets *s)
{
	for (uint32_t i = 0; i < s->n; i++)
		free(s->list[i].elements);
	free(s->list);
	free(s->slots);
	*s = (struct nat_sets){ 0 };
}
