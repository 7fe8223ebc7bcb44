/* nf_tables messages become a model: see nat_nft.h. Only tables in which some rule could change a destination are read at all. */
#include "core/net/nat_nft.h"

#include "core/fd.h"
#include "core/net/nat_expr.h"
#include "core/net/nat_set.h"

#include <arpa/inet.h>
#include <endian.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdlib.h>
#include <string.h>

uint8_t nat_nft_family(const struct nlmsghdr *nlh)
{
	struct nfgenmsg g = { 0 };

	if (mnl_nlmsg_get_payload_len(nlh) >= sizeof g)
		memcpy(&g, mnl_nlmsg_get_payload(nlh), sizeof g);
	return g.nfgen_family;
}

void nat_nft_each(const struct nat_bytes *b, uint16_t type, net_message_fn fn, void *arg)
{
	size_t at = 0;

	while (b->n - at >= NLMSG_HDRLEN) {
		const struct nlmsghdr *nlh = (const struct nlmsghdr *)(const void *)(b->p + at);

		if (nlh->nlmsg_len < NLMSG_HDRLEN || nlh->nlmsg_len > b->n - at)
			return;
		if (nlh->nlmsg_type == (NFNL_SUBSYS_NFTABLES << 8 | type) && mnl_nlmsg_get_payload_len(nlh) >= sizeof(struct nfgenmsg))
			fn(nlh, arg);
		if (NLMSG_ALIGN(nlh->nlmsg_len) > b->n - at)
			return;
		at += NLMSG_ALIGN(nlh->nlmsg_len);
	}
}

struct one {
	bool any, mixed;
	uint16_t state;
};

static void look_state(const struct nlmsghdr *nlh, void *arg)
{
	struct one *o = arg;
	struct nfgenmsg g;

	memcpy(&g, mnl_nlmsg_get_payload(nlh), sizeof g);
	o->mixed |= o->any && o->state != g.res_id;
	o->state = g.res_id;
	o->any = true;
}

bool nat_nft_is_one(const struct nat_bytes dumps[NAT_DUMPS])
{
	static const uint16_t types[NAT_DUMPS] = { NFT_MSG_NEWTABLE, NFT_MSG_NEWCHAIN, NFT_MSG_NEWRULE, NFT_MSG_NEWSET, NFT_MSG_NEWSETELEM };
	struct one o = { 0 };

	for (unsigned i = 0; i < NAT_DUMPS; i++)
		nat_nft_each(&dumps[i], types[i], look_state, &o);
	return !o.mixed;
}

/* --- which tables matter --- */

struct key {
	uint8_t family;
	struct text table;
};

struct reader {
	struct nat_model *m;
	struct nat_sets sets;
	const struct net_names *names;
	struct key *tables; /* with a rule that acts */
	uint32_t n_tables;
	struct nat_sets wanted; /* that were told already */
	struct key now;
	nat_set_fn fn;
	void *arg;
};

static bool has_key(const struct key *list, uint32_t n, const struct key *k)
{
	for (uint32_t i = n; i-- > 0;)
		if (list[i].family == k->family && text_equal(list[i].table, k->table))
			return true;
	return false;
}

static void add_key(struct key **list, uint32_t *n, const struct key *k)
{
	if ((*n & (*n - 1)) == 0)
		*list = fd_xrealloc(*list, *n ? *n * 2 : 1, sizeof **list);
	(*list)[(*n)++] = *k;
}

static const struct nlattr *rule_attrs(const struct nlmsghdr *nlh, struct net_attrs *a, struct key *k)
{
	net_attrs_of(nlh, sizeof(struct nfgenmsg), a);
	*k = (struct key){ .family = nat_nft_family(nlh), .table = net_attr_text(a->at[NFTA_RULE_TABLE]) };
	return a->at[NFTA_RULE_EXPRESSIONS];
}

static void find_table(const struct nlmsghdr *nlh, void *arg)
{
	struct reader *r = arg;
	struct net_attrs a;
	struct key k;
	const struct nlattr *list = rule_attrs(nlh, &a, &k);
	bool ours = k.family == NFPROTO_IPV4 || k.family == NFPROTO_IPV6 || k.family == NFPROTO_INET;

	if (list && ours && !has_key(r->tables, r->n_tables, &k) && nat_expr_scan(list, NULL, NULL) & NAT_EXPR_ACTS)
		add_key(&r->tables, &r->n_tables, &k);
}

static void want(struct text set, void *arg)
{
	struct reader *r = arg;
	const struct nat_set wanted = { .family = r->now.family, .table = r->now.table, .name = set };

	if (nat_sets_add(&r->wanted, &wanted))
		r->fn(wanted.family, wanted.table, set, r->arg);
}

static void find_sets(const struct nlmsghdr *nlh, void *arg)
{
	struct reader *r = arg;
	struct net_attrs a;
	const struct nlattr *list = rule_attrs(nlh, &a, &r->now);

	if (list && has_key(r->tables, r->n_tables, &r->now) && nat_expr_scan(list, NULL, NULL))
		nat_expr_scan(list, want, r);
}

void nat_nft_sets(const struct nat_bytes dumps[NAT_DUMPS], nat_set_fn fn, void *arg)
{
	struct reader r = { .fn = fn, .arg = arg };

	nat_nft_each(&dumps[NAT_DUMP_RULES], NFT_MSG_NEWRULE, find_table, &r);
	nat_nft_each(&dumps[NAT_DUMP_RULES], NFT_MSG_NEWRULE, find_sets, &r);
	free(r.tables);
	nat_sets_done(&r.wanted);
}

/* --- reading --- */

static uint8_t family_of(uint8_t nfproto)
{
	return nfproto == NFPROTO_IPV4 ? 4 : nfproto == NFPROTO_IPV6 ? 6 : 0;
}

static uint32_t be32_of(const struct nlattr *a, uint32_t missing)
{
	return a && mnl_attr_get_payload_len(a) == 4 ? ntohl((uint32_t)net_attr_uint(a)) : missing;
}

static uint32_t table_of(struct reader *r, const struct key *k)
{
	return nat_model_table(r->m, family_of(k->family), k->family, k->table);
}

static void take_table(const struct nlmsghdr *nlh, void *arg)
{
	struct reader *r = arg;
	struct net_attrs a;
	struct key k = { .family = nat_nft_family(nlh) };

	net_attrs_of(nlh, sizeof(struct nfgenmsg), &a);
	k.table = net_attr_text(a.at[NFTA_TABLE_NAME]);
	if (has_key(r->tables, r->n_tables, &k) && be32_of(a.at[NFTA_TABLE_FLAGS], 0) & NFT_TABLE_F_DORMANT) {
		uint32_t table = table_of(r, &k);

		r->m->tables[table].dormant = true;
	}
}

static uint32_t hook_from(uint32_t hook)
{
	return hook == NF_INET_PRE_ROUTING ? NAT_FROM_OUTSIDE : hook == NF_INET_LOCAL_OUT ? NAT_FROM_HOST : 0;
}

static void take_chain(const struct nlmsghdr *nlh, void *arg)
{
	struct reader *r = arg;
	struct net_attrs a, hook;
	struct key k = { .family = nat_nft_family(nlh) };
	uint32_t chain;

	net_attrs_of(nlh, sizeof(struct nfgenmsg), &a);
	k.table = net_attr_text(a.at[NFTA_CHAIN_TABLE]);
	if (!a.at[NFTA_CHAIN_HOOK] || !a.at[NFTA_CHAIN_NAME] || !has_key(r->tables, r->n_tables, &k))
		return;
	net_attrs_in(a.at[NFTA_CHAIN_HOOK], &hook);
	chain = nat_model_chain(r->m, table_of(r, &k), net_attr_text(a.at[NFTA_CHAIN_NAME]));
	r->m->chains[chain].from = hook_from(be32_of(hook.at[NFTA_HOOK_HOOKNUM], UINT32_MAX));
	r->m->chains[chain].priority = (int32_t)be32_of(hook.at[NFTA_HOOK_PRIORITY], 0);
}

static void take_rule(const struct nlmsghdr *nlh, void *arg)
{
	struct reader *r = arg;
	struct net_attrs a;
	struct key k;
	const struct nlattr *list = rule_attrs(nlh, &a, &k), *handle = a.at[NFTA_RULE_HANDLE];
	struct nat_expr_in in = { .model = r->m, .sets = &r->sets, .names = r->names, .family = family_of(k.family), .number = k.family, .table_name = k.table };

	if (!list || !a.at[NFTA_RULE_CHAIN] || !has_key(r->tables, r->n_tables, &k))
		return;
	in.table = table_of(r, &k);
	in.chain = nat_model_chain(r->m, in.table, net_attr_text(a.at[NFTA_RULE_CHAIN]));
	in.handle = handle && mnl_attr_get_payload_len(handle) == 8 ? be64toh(net_attr_uint(handle)) : ROW_NO_UINT;
	nat_expr_read(&in, list);
}

void nat_nft_read(const struct nat_bytes dumps[NAT_DUMPS], const struct net_names *names, struct nat_model *m)
{
	struct reader r = { .m = m, .names = names };

	nat_nft_each(&dumps[NAT_DUMP_RULES], NFT_MSG_NEWRULE, find_table, &r);
	nat_sets_read(&dumps[NAT_DUMP_SETS], &dumps[NAT_DUMP_ELEMENTS], &r.sets);
	nat_nft_each(&dumps[NAT_DUMP_TABLES], NFT_MSG_NEWTABLE, take_table, &r);
	nat_nft_each(&dumps[NAT_DUMP_CHAINS], NFT_MSG_NEWCHAIN, take_chain, &r);
	nat_nft_each(&dumps[NAT_DUMP_RULES], NFT_MSG_NEWRULE, take_rule, &r);
	m->lost += r.sets.lost;
	nat_sets_done(&r.sets);
	free(r.tables);
}
