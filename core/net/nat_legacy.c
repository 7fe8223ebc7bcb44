/* Legacy tables become a model: see nat_legacy.h. A chain is a place in the bytes; jumps are offsets; the policy is a last rule. */
#include "core/net/nat_legacy.h"

#include "core/fd.h"
#include "core/net/nat_xt.h"

#include <arpa/inet.h>
#include <linux/netfilter_ipv4/ip_tables.h>
#include <linux/netfilter_ipv6/ip6_tables.h>
#include <stdlib.h>
#include <string.h>

enum { TABLE_NUMBER = 1 << 16 /* + family: beside those of nf_tables */, MATCH_HEAD = 32 };

/* What both families have, of one entry. */
struct entry {
	const uint8_t *p;
	size_t at; /* in the entries */
	uint32_t target, next; /* offsets from p */
	uint64_t packets, bytes;
	struct nat_match match;
	bool is_goto;
};

struct start {
	uint32_t at; /* first entry */
	uint32_t chain;
};

struct legacy {
	struct nat_model *m;
	struct ipt_getinfo info;
	const uint8_t *p;
	size_t n;
	uint8_t family;
	uint32_t table;
	struct start *starts;
	uint32_t n_starts;
};

/* --- one entry --- */

static void take_name(struct nat_match *m, const char *name, const unsigned char *mask, bool out, bool not)
{
	char text[IFNAMSIZ + 2] = "";
	size_t n = strnlen(name, IFNAMSIZ - 1), compared = 0;

	while (compared < IFNAMSIZ && mask[compared])
		compared++;
	if (compared == 0)
		return;
	if (compared <= n) /* its end is not compared: "eth+" */
		text[n = compared] = '*';
	memcpy(text, name, n);
	if (out)
		nat_match_words(m, "%sout by %s", not ? "not " : "", text);
	else
		nat_match_in(m, text, not);
}

static void take_address(struct nat_match *m, const void *address, const void *mask, uint8_t family, bool source, bool not)
{
	struct addr a = family == 6 ? addr_ip6(address) : addr_ip4(address);
	int bits = nat_prefix_of(mask, family == 6 ? 16 : 4);
	char text[ADDR_TEXT];

	if (bits == 0 && !not)
		return;
	a.has_prefix = bits >= 0;
	a.prefix = bits >= 0 ? (uint8_t)bits : 0;
	if (bits >= 0 && !source)
		nat_match_address(m, &a, not);
	else
		nat_match_words(m, "%s%s %s%s", not ? "not " : "", source ? "from" : "to", addr_format(&a, text),
			bits < 0 ? " by a mask with holes" : "");
}

static void take_protocol(struct nat_match *m, uint16_t protocol, bool not)
{
	if (protocol && not)
		nat_match_words(m, "not protocol %u", protocol);
	else if (protocol && protocol <= UINT8_MAX)
		nat_match_protocol(m, (uint8_t)protocol);
}

static bool read_entry4(const struct legacy *l, struct entry *e)
{
	struct ipt_entry x;

	if (l->n - e->at < sizeof x)
		return false;
	memcpy(&x, e->p, sizeof x);
	e->target = x.target_offset;
	e->next = x.next_offset;
	e->packets = x.counters.pcnt;
	e->bytes = x.counters.bcnt;
	e->is_goto = x.ip.flags & IPT_F_GOTO;
	take_protocol(&e->match, x.ip.proto, x.ip.invflags & XT_INV_PROTO);
	take_address(&e->match, &x.ip.dst, &x.ip.dmsk, 4, false, x.ip.invflags & IPT_INV_DSTIP);
	take_address(&e->match, &x.ip.src, &x.ip.smsk, 4, true, x.ip.invflags & IPT_INV_SRCIP);
	take_name(&e->match, x.ip.iniface, x.ip.iniface_mask, false, x.ip.invflags & IPT_INV_VIA_IN);
	take_name(&e->match, x.ip.outiface, x.ip.outiface_mask, true, x.ip.invflags & IPT_INV_VIA_OUT);
	if (x.ip.flags & IPT_F_FRAG)
		nat_match_words(&e->match, "%sfragments", x.ip.invflags & IPT_INV_FRAG ? "not " : "");
	return e->target >= sizeof x;
}

static bool read_entry6(const struct legacy *l, struct entry *e)
{
	struct ip6t_entry x;

	if (l->n - e->at < sizeof x)
		return false;
	memcpy(&x, e->p, sizeof x);
	e->target = x.target_offset;
	e->next = x.next_offset;
	e->packets = x.counters.pcnt;
	e->bytes = x.counters.bcnt;
	e->is_goto = x.ipv6.flags & IP6T_F_GOTO;
	take_protocol(&e->match, x.ipv6.proto, x.ipv6.invflags & XT_INV_PROTO);
	take_address(&e->match, &x.ipv6.dst, &x.ipv6.dmsk, 6, false, x.ipv6.invflags & IP6T_INV_DSTIP);
	take_address(&e->match, &x.ipv6.src, &x.ipv6.smsk, 6, true, x.ipv6.invflags & IP6T_INV_SRCIP);
	take_name(&e->match, x.ipv6.iniface, x.ipv6.iniface_mask, false, x.ipv6.invflags & IP6T_INV_VIA_IN);
	take_name(&e->match, x.ipv6.outiface, x.ipv6.outiface_mask, true, x.ipv6.invflags & IP6T_INV_VIA_OUT);
	if (x.ipv6.flags & IP6T_F_TOS)
		nat_match_words(&e->match, "%stos 0x%x", x.ipv6.invflags & IP6T_INV_TOS ? "not " : "", x.ipv6.tos);
	return e->target >= sizeof x;
}

/* False at the end and where the offsets lead out of the bytes. */
static bool read_entry(const struct legacy *l, size_t at, struct entry *e)
{
	*e = (struct entry){ .p = l->p + at, .at = at };
	nat_match_init(&e->match);
	if (at >= l->n || !(l->family == 6 ? read_entry6(l, e) : read_entry4(l, e)))
		return false;
	return e->next >= e->target + sizeof(struct xt_entry_target) && e->next <= l->n - at;
}

struct part {
	struct nat_xt xt;
	size_t whole;
};

/* A match or the target: size, name, revision, then its own bytes. */
static bool read_part(const struct legacy *l, const uint8_t *p, size_t n, struct part *ret)
{
	uint16_t size;

	_Static_assert(sizeof(struct xt_entry_match) == MATCH_HEAD && sizeof(struct xt_entry_target) == MATCH_HEAD, "one head");
	if (n < MATCH_HEAD)
		return false;
	memcpy(&size, p, sizeof size);
	if (size < MATCH_HEAD || size > n)
		return false;
	*ret = (struct part){ .whole = size, .xt = { .family = l->family, .revision = p[MATCH_HEAD - 1], .info = p + MATCH_HEAD,
		.n = size - MATCH_HEAD } };
	ret->xt.name = (struct text){ .p = (const char *)p + 2, .n = strnlen((const char *)p + 2, XT_EXTENSION_MAXNAMELEN) };
	return true;
}

/* --- chains --- */

static int by_place(const void *x, const void *y)
{
	const struct start *a = x, *b = y;

	return a->at < b->at ? -1 : a->at > b->at;
}

static uint32_t chain_at(const struct legacy *l, uint32_t at)
{
	const struct start key = { .at = at };
	const struct start *s = l->n_starts ? bsearch(&key, l->starts, l->n_starts, sizeof key, by_place) : NULL;

	return s ? s->chain : NAT_NO_CHAIN;
}

static void add_start(struct legacy *l, uint32_t at, struct text name)
{
	if ((l->n_starts & (l->n_starts - 1)) == 0)
		l->starts = fd_xrealloc(l->starts, l->n_starts ? l->n_starts * 2 : 1, sizeof *l->starts);
	l->starts[l->n_starts++] = (struct start){ .at = at, .chain = nat_model_chain(l->m, l->table, name) };
}

static void add_hooks(struct legacy *l)
{
	static const char *const names[NF_INET_NUMHOOKS] = { "PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING" };
	static const uint32_t from[NF_INET_NUMHOOKS] = { [NF_INET_PRE_ROUTING] = NAT_FROM_OUTSIDE, [NF_INET_LOCAL_OUT] = NAT_FROM_HOST };
	bool mangle = strcmp(l->info.name, "mangle") == 0;

	for (unsigned h = 0; h < NF_INET_NUMHOOKS; h++)
		if (l->info.valid_hooks >> h & 1) {
			struct nat_chain *c;

			add_start(l, l->info.hook_entry[h], text_of(names[h]));
			c = &l->m->chains[l->starts[l->n_starts - 1].chain];
			c->from = from[h];
			c->priority = mangle ? -150 : -100; /* NF_IP_PRI_MANGLE, NF_IP_PRI_NAT_DST */
		}
}

/* A chain of the user begins behind an entry whose target is called ERROR and holds its name. */
static bool find_chains(struct legacy *l)
{
	struct entry e;
	struct part t;
	size_t at = 0;

	add_hooks(l);
	for (; read_entry(l, at, &e); at += e.next) {
		if (!read_part(l, e.p + e.target, e.next - e.target, &t))
			return false;
		if (text_equal(t.xt.name, text_of(XT_ERROR_TARGET)) && at + e.next < l->n)
			add_start(l, (uint32_t)(at + e.next),
				(struct text){ .p = (const char *)t.xt.info, .n = strnlen((const char *)t.xt.info, t.xt.n) });
	}
	if (l->n_starts)
		qsort(l->starts, l->n_starts, sizeof *l->starts, by_place);
	return at == l->n;
}

/* --- rules --- */

static void take_standard(const struct legacy *l, const struct entry *e, const struct part *t, struct nat_rule *r)
{
	int32_t verdict;

	if (t->xt.n < sizeof verdict)
		return;
	memcpy(&verdict, t->xt.info, sizeof verdict);
	if (verdict == XT_RETURN)
		r->verdict = NAT_RETURN;
	else if (verdict < 0)
		r->verdict = NAT_END;
	else if ((size_t)verdict != e->at + e->next) { /* to the next one: a rule without a target */
		r->verdict = e->is_goto ? NAT_GOTO : NAT_JUMP;
		r->target = chain_at(l, (uint32_t)verdict);
	}
}

static void add_rules(const struct legacy *l, uint32_t chain, const struct nat_rule *r, const struct nat_xt_ports *ports)
{
	if (ports->n == 0)
		nat_model_rule(l->m, chain, r);
	for (unsigned i = 0; i < ports->n; i++) {
		struct nat_rule one = *r;

		nat_match_ports(&one.match, ports->from[i], ports->to[i]);
		nat_model_rule(l->m, chain, &one);
	}
}

static bool take_entry(const struct legacy *l, const struct entry *e, uint32_t chain, uint64_t number)
{
	struct nat_rule r = { .match = e->match, .target = NAT_NO_CHAIN, .origin = NAT_IPTABLES_LEGACY, .handle = number, .packets = e->packets,
		.bytes = e->bytes };
	struct nat_xt_ports ports = { 0 };
	struct part p;
	size_t at = l->family == 6 ? sizeof(struct ip6t_entry) : sizeof(struct ipt_entry);

	for (; at < e->target; at += p.whole) {
		if (!read_part(l, e->p + at, e->target - at, &p))
			return false;
		nat_xt_match(&p.xt, &r.match, &ports);
	}
	if (!read_part(l, e->p + e->target, e->next - e->target, &p))
		return false;
	nat_effect_init(&r.effect);
	if (p.xt.name.n == 0) /* XT_STANDARD_TARGET */
		take_standard(l, e, &p, &r);
	else
		r.verdict = nat_xt_target(&p.xt, &r.match, &r.effect);
	if (r.verdict != NAT_CONTINUE)
		add_rules(l, chain, &r, &ports);
	return true;
}

static bool take_entries(const struct legacy *l)
{
	uint32_t chain = NAT_NO_CHAIN;
	uint64_t number = 0;
	struct entry e;

	for (size_t at = 0; read_entry(l, at, &e); at += e.next) {
		uint32_t begins = chain_at(l, (uint32_t)at);

		if (begins != NAT_NO_CHAIN) {
			chain = begins;
			number = 0;
		}
		number++;
		if (chain != NAT_NO_CHAIN && !take_entry(l, &e, chain, number))
			return false;
	}
	return true;
}

bool nat_legacy_read(const struct nat_bytes *b, uint8_t family, struct nat_model *m)
{
	const size_t head = sizeof(struct ipt_getinfo) + sizeof(struct ipt_get_entries);
	struct legacy l = { .m = m, .family = family };
	bool whole;

	if (b->n < head)
		return false;
	memcpy(&l.info, b->p, sizeof l.info);
	l.info.name[sizeof l.info.name - 1] = 0;
	l.p = b->p + head;
	l.n = b->n - head;
	l.table = nat_model_table(m, family, TABLE_NUMBER + family, text_of(l.info.name));
	whole = l.n == l.info.size;
	whole = find_chains(&l) && whole;
	whole = take_entries(&l) && whole;
	free(l.starts);
	return whole;
}
