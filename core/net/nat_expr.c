/*
 * Expressions of nf_tables: see nat_expr.h. A load says which part of the packet a register holds, a comparison with it becomes a test of
 * the match, a lookup goes on once for each element of the set. What has no place in a match is said in words.
 */
#include "core/net/nat_expr.h"

#include "core/fd.h"
#include "core/net/nat_field.h"
#include "core/net/nat_xt.h"

#include <arpa/inet.h>
#include <endian.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_nat.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nf_tables_compat.h>
#include <stdio.h>
#include <string.h>

enum { WORDS = 20, WORD = 4, LOOKUPS = 4, EXPRESSIONS = 128 };

/* Four bytes of a register. */
struct word {
	struct nat_field field; /* where they come from; NAT_FIELD_NONE: nobody loaded them */
	uint8_t off; /* of these bytes in the field or value */
};

struct state {
	struct nat_rule rule;
	struct word words[WORDS];
	unsigned lookups;
	bool done; /* a verdict or an action: what follows is not run */
	bool xt;
};

struct run {
	const struct nat_expr_in *in;
	const struct nlattr *list[EXPRESSIONS];
	unsigned n;
};

static void go_on(struct run *r, unsigned i, struct state *s);

/* --- attributes --- */

static uint32_t be32_of(const struct nlattr *a, uint32_t missing)
{
	return a && mnl_attr_get_payload_len(a) == 4 ? ntohl((uint32_t)net_attr_uint(a)) : missing;
}

static uint64_t be64_of(const struct nlattr *a)
{
	return a && mnl_attr_get_payload_len(a) == 8 ? be64toh(net_attr_uint(a)) : ROW_NO_UINT;
}

/* The value in a nested NFTA_DATA_VALUE; NULL: none. */
static const uint8_t *value_of(const struct nlattr *nest, unsigned *ret_n)
{
	struct net_attrs a;
	const struct nlattr *v;

	net_attrs_in(nest, &a);
	v = a.at[NFTA_DATA_VALUE];
	*ret_n = v ? mnl_attr_get_payload_len(v) : 0;
	return v ? mnl_attr_get_payload(v) : NULL;
}

/* First word of a register; WORDS: none. */
static unsigned word_of(const struct nlattr *a)
{
	uint32_t reg = be32_of(a, UINT32_MAX);

	if (reg >= NFT_REG_1 && reg <= NFT_REG_4)
		return reg * (NFT_REG_SIZE / NFT_REG32_SIZE);
	if (reg >= NFT_REG32_00 && reg <= NFT_REG32_15)
		return reg - NFT_REG32_00 + NFT_REG_SIZE / NFT_REG32_SIZE;
	return WORDS;
}

static void load(struct state *s, unsigned word, const struct nat_field *f)
{
	for (unsigned off = 0; word < WORDS && (off == 0 || off < f->n); off += WORD)
		s->words[word++] = (struct word){ .field = *f, .off = (uint8_t)off };
}

/* Bytes of an immediate or a map's data in a register; NULL: it holds something else, or less. */
static const uint8_t *bytes_at(const struct state *s, unsigned word, unsigned n)
{
	const struct word *w = word < WORDS ? &s->words[word] : NULL;

	if (!w || w->field.kind != NAT_FIELD_VALUE || w->off + n > w->field.n)
		return NULL;
	return w->field.value + w->off;
}

/* --- loads --- */

static void run_payload(const struct nat_expr_in *in, const struct net_attrs *a, struct state *s)
{
	struct nat_field f;
	uint8_t family = in->family ? in->family : s->rule.match.family;

	if (a->at[NFTA_PAYLOAD_SREG])
		return; /* it writes */
	f = nat_field_payload(be32_of(a->at[NFTA_PAYLOAD_BASE], UINT32_MAX), be32_of(a->at[NFTA_PAYLOAD_OFFSET], 0),
		be32_of(a->at[NFTA_PAYLOAD_LEN], 0), family);
	load(s, word_of(a->at[NFTA_PAYLOAD_DREG]), &f);
}

static void run_meta(const struct nat_expr_in *in, const struct net_attrs *a, struct state *s)
{
	struct nat_field f = nat_field_meta(be32_of(a->at[NFTA_META_KEY], UINT32_MAX), in->names);

	if (a->at[NFTA_META_DREG])
		load(s, word_of(a->at[NFTA_META_DREG]), &f);
}

static void run_ct(const struct net_attrs *a, struct state *s)
{
	struct nat_field f = nat_field_ct(be32_of(a->at[NFTA_CT_KEY], UINT32_MAX));

	if (a->at[NFTA_CT_DREG])
		load(s, word_of(a->at[NFTA_CT_DREG]), &f);
}

static void run_fib(const struct net_attrs *a, struct state *s)
{
	struct nat_field f = nat_field_fib(be32_of(a->at[NFTA_FIB_RESULT], UINT32_MAX), be32_of(a->at[NFTA_FIB_FLAGS], 0));

	load(s, word_of(a->at[NFTA_FIB_DREG]), &f);
}

/* Whatever else gives a value is known by its name. */
static void run_opaque(const char *name, const struct nlattr *dreg, struct state *s)
{
	struct nat_field f = { .kind = NAT_FIELD_OTHER, .label = name, .n = 4 };

	load(s, word_of(dreg), &f);
}

/* --- verdicts --- */

static void take_verdict(const struct nat_expr_in *in, int32_t code, struct text chain, struct state *s)
{
	s->done = code != NFT_CONTINUE;
	switch (code) {
	case NFT_JUMP:
	case NFT_GOTO:
		s->rule.verdict = code == NFT_JUMP ? NAT_JUMP : NAT_GOTO;
		s->rule.target = nat_model_chain(in->model, in->table, chain);
		break;
	case NFT_RETURN:
		s->rule.verdict = NAT_RETURN;
		break;
	case NFT_CONTINUE:
		break;
	case NFT_BREAK:
		s->rule.match.never = true;
		break;
	default: /* drop, accept, stolen, queue: linux/netfilter.h */
		s->rule.verdict = NAT_END;
		break;
	}
}

static void run_immediate(const struct nat_expr_in *in, const struct net_attrs *a, struct state *s)
{
	struct net_attrs data, verdict;
	struct nat_field f = { .kind = NAT_FIELD_VALUE };
	unsigned n;

	net_attrs_in(a->at[NFTA_IMMEDIATE_DATA], &data);
	if (data.at[NFTA_DATA_VERDICT]) {
		net_attrs_in(data.at[NFTA_DATA_VERDICT], &verdict);
		take_verdict(in, (int32_t)be32_of(verdict.at[NFTA_VERDICT_CODE], 0), net_attr_text(verdict.at[NFTA_VERDICT_CHAIN]), s);
		return;
	}
	f.value = value_of(a->at[NFTA_IMMEDIATE_DATA], &n);
	f.n = n < NAT_KEY ? (uint8_t)n : NAT_KEY;
	if (f.value)
		load(s, word_of(a->at[NFTA_IMMEDIATE_DREG]), &f);
}

/* --- tests --- */

static void run_bitwise(const struct net_attrs *a, struct state *s)
{
	unsigned from = word_of(a->at[NFTA_BITWISE_SREG]), to = word_of(a->at[NFTA_BITWISE_DREG]), n, n_xor;
	const uint8_t *mask = value_of(a->at[NFTA_BITWISE_MASK], &n), *xor = value_of(a->at[NFTA_BITWISE_XOR], &n_xor);
	struct nat_field f = { .kind = NAT_FIELD_OTHER, .label = "a computed value", .n = 4 };
	bool plain = from < WORDS && s->words[from].off == 0 && s->words[from].field.kind != NAT_FIELD_VALUE && mask &&
		be32_of(a->at[NFTA_BITWISE_OP], NFT_BITWISE_BOOL) == NFT_BITWISE_BOOL && n >= s->words[from].field.n && n <= NAT_KEY;

	for (unsigned i = 0; i < n_xor && plain; i++)
		plain = xor[i] == 0;
	if (plain) {
		f = s->words[from].field;
		f.mask = mask;
	}
	load(s, to, &f);
}

/* What a byteorder expression leaves is a number of the machine: good for nothing but words. */
static void run_byteorder(const struct net_attrs *a, struct state *s)
{
	unsigned from = word_of(a->at[NFTA_BYTEORDER_SREG]);
	struct nat_field f = { .kind = NAT_FIELD_OTHER, .label = "a value", .n = 4 };

	if (from < WORDS && s->words[from].field.label)
		f.label = s->words[from].field.label;
	load(s, word_of(a->at[NFTA_BYTEORDER_DREG]), &f);
}

static void run_cmp(const struct net_attrs *a, struct state *s)
{
	unsigned word = word_of(a->at[NFTA_CMP_SREG]), n;
	const uint8_t *value = value_of(a->at[NFTA_CMP_DATA], &n);

	if (word >= WORDS || s->words[word].off || !value) {
		nat_match_words(&s->rule.match, "a comparison that cannot be read");
		return;
	}
	nat_field_compare(&s->words[word].field, be32_of(a->at[NFTA_CMP_OP], UINT32_MAX), value, n, &s->rule.match);
}

static void run_range(const struct net_attrs *a, struct state *s)
{
	unsigned word = word_of(a->at[NFTA_RANGE_SREG]), n, n_to;
	const uint8_t *from = value_of(a->at[NFTA_RANGE_FROM_DATA], &n), *to = value_of(a->at[NFTA_RANGE_TO_DATA], &n_to);

	if (word >= WORDS || s->words[word].off || !from || !to || n != n_to) {
		nat_match_words(&s->rule.match, "a range that cannot be read");
		return;
	}
	nat_field_range(&s->words[word].field, from, to, n, be32_of(a->at[NFTA_RANGE_OP], NFT_RANGE_EQ) == NFT_RANGE_NEQ, &s->rule.match);
}

/* --- sets --- */

/* A key is one field, or several one behind the other, each beginning at a multiple of 4. */
static void test_key(const struct state *from, unsigned word, const struct nat_element *e, struct nat_match *m)
{
	for (unsigned off = 0; off < e->n_key && word < WORDS;) {
		const struct nat_field *f = &from->words[word].field;
		unsigned n = f->n && f->n <= e->n_key - off ? f->n : e->n_key - off;
		unsigned whole = (n + WORD - 1) / WORD;

		nat_field_range(f, e->key + off, e->last + off, n, false, m);
		off += whole * WORD;
		word += whole;
	}
}

static bool is_telling(const struct state *s, unsigned word, unsigned n)
{
	for (unsigned i = word; i < WORDS && i < word + (n + WORD - 1) / WORD; i++)
		if (nat_field_is_telling(&s->words[i].field))
			return true;
	return false;
}

static void say_lookup(const struct state *s, unsigned word, struct text set, bool not, struct nat_match *m)
{
	const char *label = word < WORDS ? nat_field_label(&s->words[word].field) : "a value";

	nat_match_words(m, "%s %sin set %.*s", label, not ? "not " : "", (int)set.n, set.p ? set.p : "");
}

/* "ip daddr != { 10.0.0.1 }": all elements are refused. */
static bool refuse_elements(const struct state *s, unsigned word, const struct nat_set *set, struct nat_match *m)
{
	if (!set || set->n == 0 || set->n > 4 || word >= WORDS || set->elements[0].n_key > s->words[word].field.n)
		return false;
	for (uint32_t i = 0; i < set->n; i++)
		nat_field_range(&s->words[word].field, set->elements[i].key, set->elements[i].last, set->elements[i].n_key, true, m);
	return true;
}

struct lookup {
	const struct nat_set *set;
	unsigned sreg, dreg;
	bool verdict;
	struct text name;
};

static void take_element(struct run *r, unsigned i, const struct state *before, const struct lookup *l, const struct nat_element *e)
{
	struct state s = *before;
	struct nat_field f = { .kind = NAT_FIELD_VALUE, .value = e->data, .n = e->n_data < NAT_KEY ? (uint8_t)e->n_data : NAT_KEY };

	s.lookups++;
	if (e->any)
		nat_match_words(&s.rule.match, "what is not in set %.*s", (int)l->name.n, l->name.p ? l->name.p : "");
	else
		test_key(before, l->sreg, e, &s.rule.match);
	if (l->verdict && e->has_verdict)
		take_verdict(r->in, e->verdict, e->chain, &s);
	else if (l->dreg < WORDS && e->data)
		load(&s, l->dreg, &f);
	go_on(r, i + 1, &s);
}

/* True: the alternatives were followed to the rule's end. */
static bool run_lookup(struct run *r, unsigned i, const struct net_attrs *a, struct state *s)
{
	struct lookup l = { .name = net_attr_text(a->at[NFTA_LOOKUP_SET]), .sreg = word_of(a->at[NFTA_LOOKUP_SREG]),
		.dreg = word_of(a->at[NFTA_LOOKUP_DREG]), .verdict = be32_of(a->at[NFTA_LOOKUP_DREG], 1) == NFT_REG_VERDICT };
	bool not = be32_of(a->at[NFTA_LOOKUP_FLAGS], 0) & NFT_LOOKUP_F_INV, is_map = a->at[NFTA_LOOKUP_DREG];
	uint32_t n;

	l.set = nat_sets_find(r->in->sets, r->in->number, r->in->table_name, l.name);
	if (not) {
		if (!refuse_elements(s, l.sreg, l.set, &s->rule.match))
			say_lookup(s, l.sreg, l.name, true, &s->rule.match);
		return false;
	}
	n = l.set ? l.set->n : 0;
	if (!is_map && n == 0 && l.set) {
		say_lookup(s, l.sreg, l.name, false, &s->rule.match);
		s->rule.match.never = true; /* an empty set has nobody */
		return false;
	}
	if (!l.set || s->lookups >= LOOKUPS || (!is_map && !is_telling(s, l.sreg, l.set->elements[0].n_key))) {
		say_lookup(s, l.sreg, l.name, false, &s->rule.match);
		return false;
	}
	for (uint32_t k = 0; k < n; k++)
		take_element(r, i, s, &l, &l.set->elements[k]);
	return true;
}

/* --- actions --- */

static struct addr address_at(const struct state *s, const struct nlattr *reg, uint8_t family)
{
	const uint8_t *p = reg ? bytes_at(s, word_of(reg), family == 6 ? 16 : 4) : NULL;

	return !p ? (struct addr){ .kind = ADDR_NONE } : family == 6 ? addr_ip6(p) : addr_ip4(p);
}

static uint32_t port_at(const struct state *s, const struct nlattr *reg)
{
	const uint8_t *p = reg ? bytes_at(s, word_of(reg), 2) : NULL;

	return p ? (uint32_t)p[0] << 8 | p[1] : NAT_NO_PORT;
}

static void set_ports(struct state *s, const struct nlattr *min, const struct nlattr *max)
{
	struct nat_effect *e = &s->rule.effect;

	e->port = port_at(s, min);
	e->port_last = max ? port_at(s, max) : e->port;
	if (e->port_last == NAT_NO_PORT)
		e->port_last = e->port;
	if (min && e->port == NAT_NO_PORT)
		nat_match_words(&s->rule.match, "to a port that is computed");
}

static void set_addresses(struct state *s, const struct nlattr *min, const struct nlattr *max, uint8_t family)
{
	struct nat_effect *e = &s->rule.effect;

	e->to = address_at(s, min, family);
	e->to_last = max ? address_at(s, max, family) : (struct addr){ .kind = ADDR_NONE };
	if (addr_same(&e->to, &e->to_last))
		e->to_last = (struct addr){ .kind = ADDR_NONE };
	if (min && !e->to.kind)
		nat_match_words(&s->rule.match, "to an address that is computed");
}

static void act(struct state *s, enum nat_action action)
{
	nat_effect_init(&s->rule.effect);
	s->rule.effect.action = action;
	s->rule.verdict = NAT_ACT;
	s->done = true;
}

static uint8_t family_of(uint32_t nfproto)
{
	return nfproto == NFPROTO_IPV4 ? 4 : nfproto == NFPROTO_IPV6 ? 6 : 0;
}

static void run_nat(const struct net_attrs *a, struct state *s)
{
	uint8_t family = family_of(be32_of(a->at[NFTA_NAT_FAMILY], 0));

	if (be32_of(a->at[NFTA_NAT_TYPE], UINT32_MAX) != NFT_NAT_DNAT) {
		s->done = true; /* the source: none of ours */
		return;
	}
	act(s, NAT_DNAT);
	nat_match_family(&s->rule.match, family);
	set_addresses(s, a->at[NFTA_NAT_REG_ADDR_MIN], a->at[NFTA_NAT_REG_ADDR_MAX], family);
	set_ports(s, a->at[NFTA_NAT_REG_PROTO_MIN], a->at[NFTA_NAT_REG_PROTO_MAX]);
	if (be32_of(a->at[NFTA_NAT_FLAGS], 0) & NF_NAT_RANGE_NETMAP)
		nat_match_words(&s->rule.match, "each address keeps its place in the network");
}

static void run_redir(const struct net_attrs *a, struct state *s)
{
	act(s, NAT_REDIRECT);
	set_ports(s, a->at[NFTA_REDIR_REG_PROTO_MIN], a->at[NFTA_REDIR_REG_PROTO_MAX]);
}

/* It does not end the rule: "tproxy to :1 accept". */
static void run_tproxy(const struct net_attrs *a, struct state *s)
{
	uint8_t family = family_of(be32_of(a->at[NFTA_TPROXY_FAMILY], 0));

	act(s, NAT_TPROXY);
	nat_match_family(&s->rule.match, family);
	set_addresses(s, a->at[NFTA_TPROXY_REG_ADDR], NULL, family ? family : s->rule.match.family);
	set_ports(s, a->at[NFTA_TPROXY_REG_PORT], NULL);
}

/* --- x_tables inside --- */

static struct nat_xt xt_of(const struct nat_expr_in *in, const struct nlattr *name, const struct nlattr *revision,
	const struct nlattr *info)
{
	return (struct nat_xt){ .name = net_attr_text(name), .revision = (uint8_t)be32_of(revision, 0), .family = in->family,
		.info = info ? mnl_attr_get_payload(info) : NULL, .n = info ? mnl_attr_get_payload_len(info) : 0 };
}

/* True: it was a list of ports, and each of them was followed to the rule's end. */
static bool run_match(struct run *r, unsigned i, const struct net_attrs *a, struct state *s)
{
	struct nat_xt x = xt_of(r->in, a->at[NFTA_MATCH_NAME], a->at[NFTA_MATCH_REV], a->at[NFTA_MATCH_INFO]);
	struct nat_xt_ports ports = { 0 };

	s->xt = true;
	nat_xt_match(&x, &s->rule.match, &ports);
	for (unsigned k = 0; k < ports.n; k++) {
		struct state one = *s;

		nat_match_ports(&one.rule.match, ports.from[k], ports.to[k]);
		go_on(r, i + 1, &one);
	}
	return ports.n > 0;
}

static void run_target(const struct nat_expr_in *in, const struct net_attrs *a, struct state *s)
{
	struct nat_xt x = xt_of(in, a->at[NFTA_TARGET_NAME], a->at[NFTA_TARGET_REV], a->at[NFTA_TARGET_INFO]);
	struct nat_effect effect;
	enum nat_verdict v = nat_xt_target(&x, &s->rule.match, &effect);

	s->xt = true;
	if (v != NAT_ACT)
		return;
	s->rule.effect = effect;
	s->rule.verdict = v;
	s->done = true;
}

static void run_counter(const struct net_attrs *a, struct state *s)
{
	s->rule.packets = be64_of(a->at[NFTA_COUNTER_PACKETS]);
	s->rule.bytes = be64_of(a->at[NFTA_COUNTER_BYTES]);
}

/* --- all of them --- */

enum op { OP_PAYLOAD, OP_META, OP_CT, OP_FIB, OP_IMMEDIATE, OP_BITWISE, OP_BYTEORDER, OP_CMP, OP_RANGE, OP_LOOKUP, OP_NAT, OP_REDIR, OP_TPROXY,
	OP_MATCH, OP_TARGET, OP_COUNTER, OP_NUMGEN, OP_HASH, OP_NONE, OP_WORDS };

static const struct {
	const char *name;
	enum op op;
} ops[] = {
	{ "payload", OP_PAYLOAD }, { "meta", OP_META }, { "ct", OP_CT }, { "fib", OP_FIB }, { "immediate", OP_IMMEDIATE },
	{ "bitwise", OP_BITWISE }, { "byteorder", OP_BYTEORDER }, { "cmp", OP_CMP }, { "range", OP_RANGE }, { "lookup", OP_LOOKUP },
	{ "nat", OP_NAT }, { "redir", OP_REDIR }, { "tproxy", OP_TPROXY }, { "match", OP_MATCH }, { "target", OP_TARGET },
	{ "counter", OP_COUNTER }, { "numgen", OP_NUMGEN }, { "hash", OP_HASH }, { "log", OP_NONE }, { "dynset", OP_NONE },
	{ "last", OP_NONE }, { "objref", OP_NONE }, { "notrack", OP_NONE }, { "dup", OP_NONE }, { "masq", OP_NONE },
};

static enum op op_of(struct text name)
{
	for (size_t i = 0; i < ARRAY_LEN(ops); i++)
		if (text_equal(name, text_of(ops[i].name)))
			return ops[i].op;
	return OP_WORDS;
}

/* True: the rest of the rule was run already. */
static bool run_one(struct run *r, unsigned i, struct text name, const struct net_attrs *a, struct state *s)
{
	switch (op_of(name)) {
	case OP_PAYLOAD:
		run_payload(r->in, a, s);
		break;
	case OP_META:
		run_meta(r->in, a, s);
		break;
	case OP_CT:
		run_ct(a, s);
		break;
	case OP_FIB:
		run_fib(a, s);
		break;
	case OP_IMMEDIATE:
		run_immediate(r->in, a, s);
		break;
	case OP_BITWISE:
		run_bitwise(a, s);
		break;
	case OP_BYTEORDER:
		run_byteorder(a, s);
		break;
	case OP_CMP:
		run_cmp(a, s);
		break;
	case OP_RANGE:
		run_range(a, s);
		break;
	case OP_LOOKUP:
		return run_lookup(r, i, a, s);
	case OP_NAT:
		run_nat(a, s);
		break;
	case OP_REDIR:
		run_redir(a, s);
		break;
	case OP_TPROXY:
		run_tproxy(a, s);
		break;
	case OP_MATCH:
		return run_match(r, i, a, s);
	case OP_TARGET:
		run_target(r->in, a, s);
		break;
	case OP_COUNTER:
		run_counter(a, s);
		break;
	case OP_NUMGEN:
		run_opaque("turn", a->at[NFTA_NG_DREG], s);
		break;
	case OP_HASH:
		run_opaque("hash", a->at[NFTA_HASH_DREG], s);
		break;
	case OP_NONE:
		break;
	case OP_WORDS:
		nat_match_words(&s->rule.match, "%.*s", (int)name.n, name.p ? name.p : "");
		break;
	}
	return false;
}

static void go_on(struct run *r, unsigned i, struct state *s)
{
	for (; i < r->n && !s->done; i++) {
		struct net_attrs a, data;

		net_attrs_in(r->list[i], &a);
		net_attrs_in(a.at[NFTA_EXPR_DATA], &data);
		if (run_one(r, i, net_attr_text(a.at[NFTA_EXPR_NAME]), &data, s))
			return;
	}
	if (s->rule.verdict == NAT_CONTINUE)
		return;
	s->rule.origin = s->xt ? NAT_IPTABLES_NFT : NAT_NFT;
	nat_model_rule(r->in->model, r->in->chain, &s->rule);
}

void nat_expr_read(const struct nat_expr_in *in, const struct nlattr *expressions)
{
	struct run r = { .in = in };
	struct state s = { .rule = { .handle = in->handle, .packets = ROW_NO_UINT, .bytes = ROW_NO_UINT, .target = NAT_NO_CHAIN } };
	const struct nlattr *item;

	nat_match_init(&s.rule.match);
	nat_effect_init(&s.rule.effect);
	mnl_attr_for_each_nested(item, expressions)
		if (r.n < EXPRESSIONS) /* NFT_RULE_MAXEXPRS */
			r.list[r.n++] = item;
	go_on(&r, 0, &s);
}

static unsigned scan_one(struct text name, const struct net_attrs *data, void (*fn)(struct text set, void *arg), void *arg)
{
	struct net_attrs a;

	switch ((int)op_of(name)) {
	case OP_NAT:
	case OP_REDIR:
	case OP_TPROXY:
		return NAT_EXPR_ACTS;
	case OP_TARGET:
		return nat_xt_acts(net_attr_text(data->at[NFTA_TARGET_NAME])) ? NAT_EXPR_ACTS : 0;
	case OP_IMMEDIATE:
		net_attrs_in(data->at[NFTA_IMMEDIATE_DATA], &a);
		return a.at[NFTA_DATA_VERDICT] ? NAT_EXPR_LEADS : 0;
	case OP_LOOKUP:
		if (fn)
			fn(net_attr_text(data->at[NFTA_LOOKUP_SET]), arg);
		return be32_of(data->at[NFTA_LOOKUP_DREG], 1) == NFT_REG_VERDICT ? NAT_EXPR_LEADS : 0;
	default:
		return 0;
	}
}

unsigned nat_expr_scan(const struct nlattr *expressions, void (*fn)(struct text set, void *arg), void *arg)
{
	const struct nlattr *item;
	unsigned found = 0;

	mnl_attr_for_each_nested(item, expressions) {
		struct net_attrs a, data;

		net_attrs_in(item, &a);
		net_attrs_in(a.at[NFTA_EXPR_DATA], &data);
		found |= scan_one(net_attr_text(a.at[NFTA_EXPR_NAME]), &data, fn, arg);
	}
	return found;
}
