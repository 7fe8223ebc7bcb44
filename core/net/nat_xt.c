/* Extensions of x_tables: see nat_xt.h. What is not known is said by its name; what is cut short is said to be unreadable. */
#include "core/net/nat_xt.h"

#include "core/fd.h"
#include "core/net/nat_field.h"

#include <arpa/inet.h>
#include <linux/netfilter/nf_nat.h>
#include <linux/netfilter/xt_addrtype.h>
#include <linux/netfilter/xt_conntrack.h>
#include <linux/netfilter/xt_iprange.h>
#include <linux/netfilter/xt_mark.h>
#include <linux/netfilter/xt_multiport.h>
#include <linux/netfilter/xt_sctp.h>
#include <linux/netfilter/xt_statistic.h>
#include <linux/netfilter/xt_tcpudp.h>
#include <linux/netfilter/xt_TPROXY.h>
#include <stdio.h>
#include <string.h>

enum { TYPES = 12, STATES = 0xf | XT_CONNTRACK_STATE_UNTRACKED };

void nat_effect_init(struct nat_effect *e)
{
	memset(e, 0, sizeof *e);
	e->port = e->port_last = e->base = NAT_NO_PORT;
}

/* Copies the struct out of the bytes; false: there are not enough. */
static bool take(const struct nat_xt *x, void *to, size_t size)
{
	if (x->n < size)
		return false;
	memcpy(to, x->info, size);
	return true;
}

/* --- matches --- */

static void ports_words(struct nat_match *m, const char *what, const uint16_t range[2], bool not)
{
	if (!not && range[0] == 0 && range[1] == UINT16_MAX)
		return;
	if (range[0] == range[1])
		nat_match_words(m, "%s%s %u", not ? "not " : "", what, range[0]);
	else
		nat_match_words(m, "%s%s %u-%u", not ? "not " : "", what, range[0], range[1]);
}

static void take_ports(struct nat_match *m, const uint16_t source[2], const uint16_t destination[2], uint8_t invert)
{
	ports_words(m, "source port", source, invert & XT_TCP_INV_SRCPT);
	if (invert & XT_TCP_INV_DSTPT)
		ports_words(m, "port", destination, true);
	else if (destination[0] || destination[1] != UINT16_MAX)
		nat_match_ports(m, destination[0], destination[1]);
}

static bool match_tcp(const struct nat_xt *x, struct nat_match *m)
{
	struct xt_tcp t;

	if (!take(x, &t, sizeof t))
		return false;
	take_ports(m, t.spts, t.dpts, t.invflags);
	if (t.flg_mask)
		nat_match_words(m, "%stcp flags 0x%x/0x%x", t.invflags & XT_TCP_INV_FLAGS ? "not " : "", t.flg_cmp, t.flg_mask);
	if (t.option)
		nat_match_words(m, "%stcp option %u", t.invflags & XT_TCP_INV_OPTION ? "not " : "", t.option);
	return true;
}

static bool match_udp(const struct nat_xt *x, struct nat_match *m)
{
	struct xt_udp u;

	if (!take(x, &u, sizeof u))
		return false;
	take_ports(m, u.spts, u.dpts, u.invflags);
	return true;
}

static bool match_sctp(const struct nat_xt *x, struct nat_match *m)
{
	static const uint16_t all[2] = { 0, UINT16_MAX };
	struct xt_sctp_info v;
	uint8_t invert;

	if (!take(x, &v, sizeof v))
		return false;
	invert = (v.invflags & XT_SCTP_SRC_PORTS ? XT_TCP_INV_SRCPT : 0) | (v.invflags & XT_SCTP_DEST_PORTS ? XT_TCP_INV_DSTPT : 0);
	take_ports(m, v.flags & XT_SCTP_SRC_PORTS ? v.spts : all, v.flags & XT_SCTP_DEST_PORTS ? v.dpts : all, invert);
	if (v.flags & XT_SCTP_CHUNK_TYPES)
		nat_match_words(m, "sctp chunks");
	return true;
}

/* Pairs are marked on their first port. */
static unsigned ranges_of(const struct xt_multiport_v1 *v, struct nat_xt_ports *ret)
{
	ret->n = 0;
	for (unsigned i = 0; i < v->count && i < XT_MULTI_PORTS; i++) {
		bool pair = v->pflags[i] && i + 1 < v->count && i + 1 < XT_MULTI_PORTS;

		ret->from[ret->n] = v->ports[i];
		ret->to[ret->n++] = v->ports[pair ? i + 1 : i];
		i += pair;
	}
	return ret->n;
}

static void multiport_words(struct nat_match *m, const struct xt_multiport_v1 *v, const struct nat_xt_ports *p)
{
	const char *what = v->flags == XT_MULTIPORT_SOURCE ? "source port" : v->flags == XT_MULTIPORT_EITHER ? "either port" : "port";
	char list[128] = "";

	for (unsigned i = 0; i < p->n; i++) {
		size_t n = strlen(list);

		if (p->from[i] == p->to[i])
			snprintf(list + n, sizeof list - n, "%s%u", i ? "," : "", p->from[i]);
		else
			snprintf(list + n, sizeof list - n, "%s%u-%u", i ? "," : "", p->from[i], p->to[i]);
	}
	nat_match_words(m, "%s%s %s", v->invert ? "not " : "", what, list);
}

static bool match_multiport(const struct nat_xt *x, struct nat_match *m, struct nat_xt_ports *ret)
{
	struct xt_multiport_v1 v = { 0 };
	struct xt_multiport old;
	struct nat_xt_ports p;

	if (x->revision == 0) {
		if (!take(x, &old, sizeof old))
			return false;
		v.flags = old.flags;
		v.count = old.count;
		memcpy(v.ports, old.ports, sizeof v.ports);
	} else if (!take(x, &v, sizeof v)) {
		return false;
	}
	if (ranges_of(&v, &p) == 0)
		return false;
	if (v.flags == XT_MULTIPORT_DESTINATION && !v.invert && ret->n == 0)
		*ret = p;
	else
		multiport_words(m, &v, &p);
	return true;
}

static void types_words(struct nat_match *m, const char *what, uint16_t types, bool not)
{
	static const char *const names[TYPES] = { "unspecified", "unicast", "local", "broadcast", "anycast", "multicast", "blackhole",
		"unreachable", "prohibit", "throw", "nat", "xresolve" };
	char list[128] = "";

	for (unsigned i = 0; i < TYPES; i++) {
		size_t n = strlen(list);

		if (types >> i & 1)
			snprintf(list + n, sizeof list - n, "%s%s", n ? "," : "", names[i]);
	}
	if (types)
		nat_match_words(m, "%s%s %s", not ? "not " : "", what, list);
}

static bool match_addrtype(const struct nat_xt *x, struct nat_match *m)
{
	struct xt_addrtype_info_v1 v = { 0 };
	struct xt_addrtype_info old;

	if (x->revision == 0) {
		if (!take(x, &old, sizeof old))
			return false;
		v.source = old.source;
		v.dest = old.dest;
		v.flags = (old.invert_source ? XT_ADDRTYPE_INVERT_SOURCE : 0u) | (old.invert_dest ? XT_ADDRTYPE_INVERT_DEST : 0u);
	} else if (!take(x, &v, sizeof v)) {
		return false;
	}
	types_words(m, "source type", v.source, v.flags & XT_ADDRTYPE_INVERT_SOURCE);
	if (v.dest == XT_ADDRTYPE_LOCAL && !(v.flags & XT_ADDRTYPE_INVERT_DEST))
		m->local = true;
	else
		types_words(m, "destination type", v.dest, v.flags & XT_ADDRTYPE_INVERT_DEST);
	if (v.flags & (XT_ADDRTYPE_LIMIT_IFACE_IN | XT_ADDRTYPE_LIMIT_IFACE_OUT))
		nat_match_words(m, "of the packet's interface");
	return true;
}

static bool match_mark(const struct nat_xt *x, struct nat_match *m)
{
	struct xt_mark_mtinfo1 v;

	if (x->revision != 1 || !take(x, &v, sizeof v))
		return false;
	nat_match_words(m, "%smark 0x%x/0x%x", v.invert ? "not " : "", v.mark, v.mask);
	return true;
}

/* New, established and so on; a match for more than that is known by its name only. */
static bool match_state(const struct nat_xt *x, struct nat_match *m)
{
	struct xt_conntrack_mtinfo3 v;
	char text[64];

	if (x->revision < 2 || !take(x, &v, sizeof v))
		return false;
	if (v.match_flags == XT_CONNTRACK_STATE && !(v.state_mask & ~(uint32_t)STATES))
		nat_match_words(m, "%sct state %s", v.invert_flags & XT_CONNTRACK_STATE ? "not " : "",
			nat_field_ct_states((v.state_mask & 0xf) | (v.state_mask & XT_CONNTRACK_STATE_UNTRACKED ? 64 : 0), text, sizeof text));
	else
		nat_match_words(m, "match conntrack");
	return true;
}

static bool match_statistic(const struct nat_xt *x, struct nat_match *m)
{
	struct xt_statistic_info v;

	if (x->revision != 0 || x->n < offsetof(struct xt_statistic_info, master))
		return false;
	memset(&v, 0, sizeof v);
	memcpy(&v, x->info, offsetof(struct xt_statistic_info, master));
	if (v.mode == XT_STATISTIC_MODE_RANDOM)
		nat_match_words(m, "%s%.3g %% by chance", v.flags & XT_STATISTIC_INVERT ? "not " : "", v.u.random.probability * 100.0 / 0x80000000u);
	else
		nat_match_words(m, "%severy %u. packet", v.flags & XT_STATISTIC_INVERT ? "not " : "", v.u.nth.every + 1);
	return true;
}

static struct addr address_of(const union nf_inet_addr *a, uint8_t family)
{
	return family == 6 ? addr_ip6(a) : addr_ip4(a);
}

static bool match_iprange(const struct nat_xt *x, struct nat_match *m)
{
	struct xt_iprange_mtinfo v;
	char a[ADDR_TEXT], b[ADDR_TEXT];
	struct addr from, to;

	if (x->revision != 1 || !take(x, &v, sizeof v))
		return false;
	if (v.flags & IPRANGE_SRC) {
		from = address_of(&v.src_min, x->family);
		to = address_of(&v.src_max, x->family);
		nat_match_words(m, "%sfrom %s-%s", v.flags & IPRANGE_SRC_INV ? "not " : "", addr_format(&from, a), addr_format(&to, b));
	}
	if (v.flags & IPRANGE_DST) {
		from = address_of(&v.dst_min, x->family);
		to = address_of(&v.dst_max, x->family);
		nat_match_words(m, "%sto %s-%s", v.flags & IPRANGE_DST_INV ? "not " : "", addr_format(&from, a), addr_format(&to, b));
	}
	return true;
}

static bool is(struct text name, const char *what)
{
	return text_equal(name, text_of(what));
}

/* 1: understood, 0: a match that is only known by its name, -1: too short or of an unknown revision. */
static int understand(const struct nat_xt *x, struct nat_match *m, struct nat_xt_ports *ret)
{
	if (is(x->name, "comment"))
		return 1;
	if (is(x->name, "tcp"))
		return match_tcp(x, m) ? 1 : -1;
	if (is(x->name, "udp"))
		return match_udp(x, m) ? 1 : -1;
	if (is(x->name, "sctp"))
		return match_sctp(x, m) ? 1 : -1;
	if (is(x->name, "multiport"))
		return match_multiport(x, m, ret) ? 1 : -1;
	if (is(x->name, "addrtype"))
		return match_addrtype(x, m) ? 1 : -1;
	if (is(x->name, "mark"))
		return match_mark(x, m) ? 1 : -1;
	if (is(x->name, "conntrack"))
		return match_state(x, m) ? 1 : -1;
	if (is(x->name, "statistic"))
		return match_statistic(x, m) ? 1 : -1;
	if (is(x->name, "iprange"))
		return match_iprange(x, m) ? 1 : -1;
	return 0;
}

void nat_xt_match(const struct nat_xt *x, struct nat_match *m, struct nat_xt_ports *ret)
{
	int r = understand(x, m, ret);

	if (r <= 0)
		nat_match_words(m, r < 0 ? "match %.*s, which cannot be read" : "match %.*s", (int)x->name.n, x->name.p);
}

/* --- targets --- */

static void set_addresses(struct nat_effect *e, const union nf_inet_addr *from, const union nf_inet_addr *to, uint8_t family)
{
	e->to = address_of(from, family);
	e->to_last = address_of(to, family);
	if (addr_same(&e->to, &e->to_last))
		e->to_last = (struct addr){ .kind = ADDR_NONE };
}

static void set_range(struct nat_effect *e, const struct nf_nat_range2 *r, uint8_t family)
{
	if (r->flags & NF_NAT_RANGE_MAP_IPS)
		set_addresses(e, &r->min_addr, &r->max_addr, family);
	if (r->flags & NF_NAT_RANGE_PROTO_SPECIFIED) {
		e->port = ntohs(r->min_proto.all);
		e->port_last = ntohs(r->max_proto.all);
	}
	if (r->flags & NF_NAT_RANGE_PROTO_OFFSET)
		e->base = ntohs(r->base_proto.all);
}

/* Revision 0 of IPv4 counts its ranges; since Linux 2.6.11 there is only one. */
static bool read_range(const struct nat_xt *x, struct nf_nat_range2 *r)
{
	struct nf_nat_ipv4_multi_range_compat old;

	memset(r, 0, sizeof *r);
	if (x->revision == 2)
		return take(x, r, sizeof *r);
	if (x->revision == 1 || (x->revision == 0 && x->family == 6))
		return take(x, r, sizeof(struct nf_nat_range));
	if (x->revision != 0 || !take(x, &old, sizeof old) || old.rangesize != 1)
		return false;
	r->flags = old.range[0].flags;
	r->min_addr.ip = old.range[0].min_ip;
	r->max_addr.ip = old.range[0].max_ip;
	r->min_proto.all = old.range[0].min.all;
	r->max_proto.all = old.range[0].max.all;
	return true;
}

static bool target_tproxy(const struct nat_xt *x, struct nat_effect *e)
{
	struct xt_tproxy_target_info_v1 v;
	struct xt_tproxy_target_info old;

	if (x->revision == 0) {
		if (!take(x, &old, sizeof old))
			return false;
		e->to = addr_ip4(&old.laddr);
		e->port = ntohs(old.lport);
	} else {
		if (!take(x, &v, sizeof v))
			return false;
		e->to = address_of(&v.laddr, x->family);
		e->port = ntohs(v.lport);
	}
	if (addr_is_any(&e->to))
		e->to = (struct addr){ .kind = ADDR_NONE };
	e->port = e->port ? e->port : NAT_NO_PORT;
	e->port_last = e->port;
	return true;
}

bool nat_xt_acts(struct text target)
{
	return is(target, "DNAT") || is(target, "REDIRECT") || is(target, "NETMAP") || is(target, "TPROXY");
}

enum nat_verdict nat_xt_target(const struct nat_xt *x, struct nat_match *m, struct nat_effect *ret)
{
	struct nf_nat_range2 range;

	nat_effect_init(ret);
	if (is(x->name, "TPROXY")) {
		ret->action = NAT_TPROXY;
		if (!target_tproxy(x, ret))
			nat_match_words(m, "where to cannot be read");
		return NAT_ACT;
	}
	if (!nat_xt_acts(x->name))
		return NAT_CONTINUE;
	ret->action = is(x->name, "REDIRECT") ? NAT_REDIRECT : NAT_DNAT;
	if (read_range(x, &range))
		set_range(ret, &range, x->family);
	else
		nat_match_words(m, "where to cannot be read");
	if (is(x->name, "NETMAP"))
		nat_match_words(m, "each address keeps its place in the network");
	return NAT_ACT;
}
