/* Messages about routes become rows: see route.h. */
#include "core/net/route.h"

#include "core/fd.h"
#include "core/net/address.h"
#include "core/net/rtnl.h"

#include <errno.h>
#include <inttypes.h>
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

enum { MAX_HOPS = 64 };

struct maker {
	struct builder *b;
	const struct net_names *names;
};

static const struct net_name protocol_names[] = { /* iproute2's rt_protos */
	{ RTPROT_REDIRECT, "redirect" }, { RTPROT_KERNEL, "kernel" }, { RTPROT_BOOT, "boot" }, { RTPROT_STATIC, "static" },
	{ RTPROT_GATED, "gated" }, { RTPROT_RA, "ra" }, { RTPROT_MRT, "mrt" }, { RTPROT_ZEBRA, "zebra" }, { RTPROT_BIRD, "bird" },
	{ RTPROT_BABEL, "babel" }, { RTPROT_DHCP, "dhcp" }, { RTPROT_KEEPALIVED, "keepalived" }, { RTPROT_BGP, "bgp" },
	{ RTPROT_ISIS, "isis" }, { RTPROT_OSPF, "ospf" }, { RTPROT_RIP, "rip" }, { RTPROT_EIGRP, "eigrp" },
};

static const struct net_name flag_names[] = {
	{ RTNH_F_DEAD, "dead" }, { RTNH_F_ONLINK, "onlink" }, { RTNH_F_PERVASIVE, "pervasive" }, { RTNH_F_OFFLOAD, "offload" },
	{ RTNH_F_TRAP, "trap" }, { RTNH_F_LINKDOWN, "linkdown" }, { RTNH_F_UNRESOLVED, "unresolved" },
};

struct str net_table_name(struct builder *b, uint64_t table)
{
	static const struct net_name names[] = { { NET_TABLE_DEFAULT, "default" }, { NET_TABLE_MAIN, "main" }, { NET_TABLE_LOCAL, "local" } };
	const char *name = table <= UINT32_MAX ? net_name_of(names, ARRAY_LEN(names), (uint32_t)table) : NULL;
	char number[24];

	snprintf(number, sizeof number, "%" PRIu64, table);
	return builder_str(b, name ? name : number);
}

static struct str protocol_of(struct builder *b, unsigned protocol)
{
	const char *name = net_name_of(protocol_names, ARRAY_LEN(protocol_names), protocol);
	char number[16];

	if (protocol == RTPROT_UNSPEC)
		return ROW_NO_TEXT;
	snprintf(number, sizeof number, "%u", protocol);
	return builder_str(b, name ? name : number);
}

/* A gateway may be of the other family (RFC 5549): struct rtvia is the family, then the bytes. */
static struct addr via(const struct nlattr *a)
{
	const unsigned char *p = a ? mnl_attr_get_payload(a) : NULL;
	size_t n = a ? mnl_attr_get_payload_len(a) : 0;
	uint16_t family = 0;

	if (n >= sizeof family)
		memcpy(&family, p, sizeof family);
	if (family == AF_INET && n == 2 + 4)
		return addr_ip4(p + 2);
	if (family == AF_INET6 && n == 2 + 16)
		return addr_ip6(p + 2);
	return (struct addr){ .kind = ADDR_NONE };
}

static struct addr gateway_of(const struct net_attrs *a)
{
	return a->at[RTA_VIA] ? via(a->at[RTA_VIA]) : net_attr_addr(a->at[RTA_GATEWAY]);
}

static void take_hop(const struct rtnexthop *head, const void *attrs, const struct maker *m, struct net_nexthop_row *ret)
{
	_Alignas(NLMSG_ALIGNTO) char nest[256];
	struct net_attrs a = { 0 };
	size_t n = head->rtnh_len - sizeof *head;

	if (n + NLA_HDRLEN <= sizeof nest) { /* as the inside of an attribute, whose reader is there already */
		struct nlattr whole = { .nla_len = (uint16_t)(NLA_HDRLEN + n) };

		memcpy(nest, &whole, sizeof whole);
		memcpy(nest + NLA_HDRLEN, attrs, n);
		net_attrs_in((const struct nlattr *)(const void *)nest, &a);
	}
	*ret = (struct net_nexthop_row){ .gateway = gateway_of(&a), .weight = head->rtnh_hops + 1u,
		.index = head->rtnh_ifindex > 0 ? (uint64_t)head->rtnh_ifindex : ROW_NO_UINT };
	ret->interface = net_names_str(m->names, ret->index, m->b);
	ret->flags = net_name_flags(m->b, flag_names, ARRAY_LEN(flag_names), head->rtnh_flags);
}

/* RTA_MULTIPATH: heads of 8 bytes, each followed by its own attributes. */
static struct rows take_hops(const struct nlattr *a, const struct maker *m)
{
	struct net_nexthop_row hops[MAX_HOPS];
	const char *p = a ? mnl_attr_get_payload(a) : NULL;
	size_t left = a ? mnl_attr_get_payload_len(a) : 0;
	uint32_t n = 0;

	while (left >= sizeof(struct rtnexthop) && n < MAX_HOPS) {
		struct rtnexthop head;
		size_t step;

		memcpy(&head, p, sizeof head);
		step = RTNH_ALIGN(head.rtnh_len);
		if (head.rtnh_len < sizeof head || head.rtnh_len > left)
			break;
		take_hop(&head, p + sizeof head, m, &hops[n++]);
		if (step > left)
			break;
		p += step;
		left -= step;
	}
	return builder_rows(m->b, &net_nexthop_row_type, hops, n);
}

static struct addr prefixed(const struct nlattr *a, unsigned prefix, unsigned family)
{
	static const unsigned char zero[16];
	struct addr r = a ? net_attr_addr(a) : family == AF_INET ? addr_ip4(zero) : addr_ip6(zero);

	r.prefix = (uint8_t)prefix;
	r.has_prefix = 1;
	return r;
}

static void take_attrs(const struct rtmsg *m, const struct net_attrs *a, struct net_route_row *row, const struct maker *maker)
{
	struct builder *b = maker->b;
	struct net_attrs metrics;

	row->destination = prefixed(a->at[RTA_DST], m->rtm_dst_len, m->rtm_family);
	row->gateway = gateway_of(a);
	row->index = net_attr_uint(a->at[RTA_OIF]);
	row->interface = net_names_str(maker->names, row->index, b);
	row->source = net_attr_addr(a->at[RTA_PREFSRC]);
	if (a->at[RTA_SRC])
		row->from = prefixed(a->at[RTA_SRC], m->rtm_src_len, m->rtm_family);
	row->table = a->at[RTA_TABLE] ? net_attr_uint(a->at[RTA_TABLE]) : m->rtm_table;
	row->table_name = net_table_name(b, row->table);
	row->protocol = protocol_of(b, m->rtm_protocol);
	row->scope = net_scope(b, m->rtm_scope);
	row->metric = net_attr_uint(a->at[RTA_PRIORITY]);
	net_attrs_in(a->at[RTA_METRICS], &metrics);
	row->mtu = net_attr_uint(metrics.at[RTAX_MTU]);
	row->flags = net_name_flags(b, flag_names, ARRAY_LEN(flag_names), m->rtm_flags & 0xffu);
	row->nexthops = a->at[RTA_MULTIPATH] ? take_hops(a->at[RTA_MULTIPATH], maker) : (struct rows){ 0 };
}

static uint64_t id_of(const struct net_route_row *row, uint64_t netns)
{
	uint64_t key[] = { row->table, row->metric, row->index, row->type };

	return row_hash(&row->destination, sizeof row->destination, row_hash(&row->gateway, sizeof row->gateway, row_hash(key, sizeof key, netns)));
}

bool net_route_take(const struct nlmsghdr *nlh, uint64_t netns, const struct net_names *names, struct builder *b)
{
	const struct maker maker = { b, names };
	struct rtmsg m;
	struct net_route_row *row;
	struct net_attrs a;

	if (nlh->nlmsg_type != RTM_NEWROUTE || mnl_nlmsg_get_payload_len(nlh) < sizeof m)
		return false;
	memcpy(&m, mnl_nlmsg_get_payload(nlh), sizeof m);
	if (m.rtm_family != AF_INET && m.rtm_family != AF_INET6)
		return false;
	net_attrs_of(nlh, sizeof m, &a);
	row = builder_row(b);
	*row = (struct net_route_row){ .netns = netns, .family = m.rtm_family == AF_INET ? 4 : 6, .interface = ROW_NO_TEXT, .problem = ROW_NO_TEXT,
		.type = m.rtm_type < NET_ROUTE_TYPE_N ? m.rtm_type : ROW_NO_ENUM };
	take_attrs(&m, &a, row, &maker);
	row->head.id = id_of(row, netns);
	return true;
}

size_t net_route_question(const struct net_question *q, void *body, size_t cap)
{
	bool v4 = q->to.kind == ADDR_IP4;
	struct rtmsg m = { .rtm_family = v4 ? AF_INET : AF_INET6, .rtm_dst_len = v4 ? 32 : 128,
		.rtm_flags = RTM_F_LOOKUP_TABLE | (q->match ? RTM_F_FIB_MATCH : 0u) };
	size_t n = sizeof m, size = v4 ? 4 : 16;
	uint32_t in = (uint32_t)q->in;

	if (cap < n)
		return 0;
	m.rtm_src_len = q->from.kind == q->to.kind ? m.rtm_dst_len : 0;
	memcpy(body, &m, sizeof m);
	net_rtnl_put(body, cap, &n, RTA_DST, q->to.bytes, size);
	if (m.rtm_src_len)
		net_rtnl_put(body, cap, &n, RTA_SRC, q->from.bytes, size);
	if (q->in != ROW_NO_UINT)
		net_rtnl_put(body, cap, &n, RTA_IIF, &in, sizeof in);
	return n;
}

const char *net_route_refusal(int r)
{
	switch (r) {
	case -ENETUNREACH:
		return "no route leads there";
	case -EHOSTUNREACH:
		return "a route says that it cannot be reached";
	case -EACCES:
		return "a prohibit route or rule forbids it";
	case -EINVAL:
		return "a blackhole route swallows it";
	default:
		return "the kernel refuses";
	}
}

bool net_route_is_default(const struct net_route_row *row)
{
	return row->destination.prefix == 0 && addr_is_any(&row->destination) &&
		(row->type == NET_ROUTE_UNICAST || row->type == ROW_NO_ENUM);
}

const struct net_route_row *net_route_default(const struct block *routes, uint64_t netns, unsigned family)
{
	const struct net_route_row *best = NULL;

	for (uint32_t i = 0; routes && i < block_count(routes); i++) {
		const struct net_route_row *row = block_row(routes, i);
		uint64_t metric = row->metric == ROW_NO_UINT ? 0 : row->metric;

		if (row->netns != netns || row->family != family || row->table != NET_TABLE_MAIN || !net_route_is_default(row))
			continue;
		if (!best || metric < (best->metric == ROW_NO_UINT ? 0 : best->metric))
			best = row;
	}
	return best;
}

unsigned net_route_choice(const struct block *routes, uint64_t netns, char *buf, size_t cap)
{
	unsigned family = net_route_default(routes, netns, 4) ? 4 : 6, n = 0;
	const struct net_route_row *best = net_route_default(routes, netns, family), *other = NULL;
	struct text by, not_by;

	buf[0] = '\0';
	for (uint32_t i = 0; best && i < block_count(routes); i++) {
		const struct net_route_row *row = block_row(routes, i);
		bool rival = row->netns == netns && row->family == family && row->table == NET_TABLE_MAIN && net_route_is_default(row);

		n += rival;
		other = rival && row != best ? row : other;
	}
	if (!other)
		return n;
	by = block_text(routes, best->interface), not_by = block_text(routes, other->interface);
	snprintf(buf, cap, "default route by %.*s, metric %" PRIu64 "; not by %.*s, metric %" PRIu64, (int)by.n, by.n ? by.p : "",
		best->metric == ROW_NO_UINT ? 0 : best->metric, (int)not_by.n, not_by.n ? not_by.p : "",
		other->metric == ROW_NO_UINT ? 0 : other->metric);
	return n;
}
