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

static struct nat_set *find(const struct nat_sets *s, uint8_t family, struct text table, struct text name)
{
	for (uint32_t i = 0; i < s->n; i++)
		if (s->list[i].family == family && text_equal(s->list[i].name, name) && text_equal(s->list[i].table, table))
			return &s->list[i];
	return NULL;
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
	if (!set.name.n || find(s, set.family, set.table, set.name))
		return;
	if (s->n == s->cap) {
		s->cap = s->cap ? s->cap * 2 : 8;
		s->list = fd_xrealloc(s->list, s->cap, sizeof *s->list);
	}
	s->list[s->n++] = set;
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

static void take_element(struct nat_set *set, const struct nlattr *nest)
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
	if ((!e.n_key && !e.any) || set->n == MAX_ELEMENTS)
		return;
	if (set->n == set->cap) {
		set->cap = set->cap ? set->cap * 2 : 16;
		set->elements = fd_xrealloc(set->elements, set->cap, sizeof *set->elements);
	}
	set->elements[set->n++] = e;
}

static void take_elements(const struct nlmsghdr *nlh, void *arg)
{
	const struct nat_sets *s = arg;
	const struct nlattr *list, *item;
	struct net_attrs a;
	struct nat_set *set;

	net_attrs_of(nlh, sizeof(struct nfgenmsg), &a);
	set = find(s, nat_nft_family(nlh), net_attr_text(a.at[NFTA_SET_ELEM_LIST_TABLE]), net_attr_text(a.at[NFTA_SET_ELEM_LIST_SET]));
	list = a.at[NFTA_SET_ELEM_LIST_ELEMENTS];
	if (!set || !list)
		return;
	mnl_attr_for_each_nested(item, list)
		take_element(set, item);
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

	qsort(set->elements, set->n, sizeof *set->elements, by_key);
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
	for (uint32_t i = 0; i < ret->n; i++)
		if (ret->list[i].flags & NFT_SET_INTERVAL && !(ret->list[i].flags & NFT_SET_CONCAT))
			close_intervals(&ret->list[i]);
}

void nat_sets_done(struct nat_sets *s)
{
	for (uint32_t i = 0; i < s->n; i++)
		free(s->list[i].elements);
	free(s->list);
	*s = (struct nat_sets){ 0 };
}
