/*
 * Messages of rtnetlink made here, as the kernel would send them: kinds of links that the machine at hand may lack, cut and odd ones; the
 * way out over several namespaces, verdicts, and the comparison of settings.
 */
#include "core/fd.h"
#include "core/net/address.h"
#include "core/net/judge.h"
#include "core/net/neighbour.h"
#include "core/net/rtnl.h"
#include "core/net/rule.h"
#include "core/net/sysctl.h"
#include "core/target.h"

#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/fib_rules.h>
#include <linux/if.h>
#include <linux/if_arp.h>
#include <linux/if_link.h>
#include <linux/if_tunnel.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

enum { HERE = 100, HOST = 200, FAR = 300 };

struct world {
	_Alignas(8) char buf[4096];
	struct nlmsghdr *nlh;
	struct net_names names;
	struct builder *b;
};

static void start(struct world *w, const struct row_type *type)
{
	memset(w, 0, sizeof *w);
	w->b = builder_new(type);
}

static void stop(struct world *w)
{
	builder_free(w->b);
	net_names_done(&w->names);
}

static void *message(struct world *w, uint16_t type, size_t header)
{
	memset(w->buf, 0, sizeof w->buf);
	w->nlh = mnl_nlmsg_put_header(w->buf);
	w->nlh->nlmsg_type = type;
	return mnl_nlmsg_put_extra_header(w->nlh, header);
}

static void text_is(const struct block *b, struct str s, const char *want)
{
	struct text t = block_text(b, s);

	if (!want) {
		assert_int_equal(s.len, UINT32_MAX);
		return;
	}
	assert_int_equal(t.n, strlen(want));
	assert_memory_equal(t.p ? t.p : "", want, t.n);
}

/* --- interfaces --- */

struct kind {
	const char *name;
	void (*data)(struct nlmsghdr *nlh);
	void (*check)(const struct block *b, const struct net_link_row *row);
};

static void put_vlan(struct nlmsghdr *nlh)
{
	mnl_attr_put_u16(nlh, IFLA_VLAN_ID, 42);
}

static void is_vlan(const struct block *b, const struct net_link_row *row)
{
	(void)b;
	assert_int_equal(row->vlan, 42);
}

static void put_vxlan(struct nlmsghdr *nlh)
{
	mnl_attr_put_u32(nlh, IFLA_VXLAN_ID, 7000);
	mnl_attr_put_u32(nlh, IFLA_VXLAN_GROUP, inet_addr("10.0.0.9"));
	mnl_attr_put_u16(nlh, IFLA_VXLAN_PORT, htons(4789));
}

static void is_vxlan(const struct block *b, const struct net_link_row *row)
{
	char text[ADDR_TEXT];

	(void)b;
	assert_int_equal(row->vni, 7000);
	assert_int_equal(row->port, 4789);
	assert_string_equal(addr_format(&row->remote, text), "10.0.0.9");
	assert_int_equal(row->local.kind, ADDR_NONE);
}

static void put_geneve(struct nlmsghdr *nlh)
{
	mnl_attr_put_u32(nlh, IFLA_GENEVE_ID, 9);
}

static void is_geneve(const struct block *b, const struct net_link_row *row)
{
	(void)b;
	assert_int_equal(row->vni, 9);
	assert_int_equal(row->port, ROW_NO_UINT);
}

static void put_ipvlan(struct nlmsghdr *nlh)
{
	mnl_attr_put_u16(nlh, IFLA_IPVLAN_MODE, 1);
}

static void is_ipvlan(const struct block *b, const struct net_link_row *row)
{
	text_is(b, row->mode, "l3");
}

static void put_macvlan(struct nlmsghdr *nlh)
{
	mnl_attr_put_u32(nlh, IFLA_MACVLAN_MODE, 4096); /* none we know */
}

static void is_macvlan(const struct block *b, const struct net_link_row *row)
{
	text_is(b, row->mode, NULL);
}

static void put_tun(struct nlmsghdr *nlh)
{
	mnl_attr_put_u8(nlh, IFLA_TUN_TYPE, 2);
	mnl_attr_put_u32(nlh, IFLA_TUN_OWNER, 1000);
}

static void is_tun(const struct block *b, const struct net_link_row *row)
{
	text_is(b, row->mode, "tap");
	assert_int_equal(row->owner, 1000);
}

static void put_nothing(struct nlmsghdr *nlh)
{
	(void)nlh;
}

static void is_unknown(const struct block *b, const struct net_link_row *row)
{
	(void)b;
	assert_int_equal(row->vni, ROW_NO_UINT);
	assert_int_equal(row->vlan, ROW_NO_UINT);
	assert_int_equal(row->hairpin, ROW_NO_BOOL);
	assert_int_equal(row->stp, ROW_NO_BOOL);
}

static void put_gre(struct nlmsghdr *nlh)
{
	mnl_attr_put_u32(nlh, IFLA_GRE_LOCAL, 0);
	mnl_attr_put_u32(nlh, IFLA_GRE_REMOTE, inet_addr("10.0.0.9"));
}

static void put_iptun(struct nlmsghdr *nlh)
{
	mnl_attr_put_u32(nlh, IFLA_IPTUN_LOCAL, 0);
	mnl_attr_put_u32(nlh, IFLA_IPTUN_REMOTE, inet_addr("10.0.0.9"));
}

static void is_tunnel(const struct block *b, const struct net_link_row *row)
{
	char text[ADDR_TEXT];

	(void)b;
	assert_string_equal(addr_format(&row->remote, text), "10.0.0.9");
	assert_int_equal(row->local.kind, ADDR_NONE);
}

static void put_bond(struct nlmsghdr *nlh)
{
	mnl_attr_put_u8(nlh, IFLA_BOND_MODE, 4);
}

static void is_bond(const struct block *b, const struct net_link_row *row)
{
	text_is(b, row->mode, "802.3ad");
}

static const struct kind kinds[] = {
	{ "gre", put_gre, is_tunnel }, { "sit", put_iptun, is_tunnel }, { "ipip", put_iptun, is_tunnel }, { "bond", put_bond, is_bond },
	{ "vlan", put_vlan, is_vlan }, { "vxlan", put_vxlan, is_vxlan }, { "geneve", put_geneve, is_geneve },
	{ "ipvlan", put_ipvlan, is_ipvlan }, { "macvlan", put_macvlan, is_macvlan }, { "tun", put_tun, is_tun },
	{ "wireguard", put_nothing, is_unknown }, { "bridge", put_nothing, is_unknown },
};

static void put_link(struct world *w, int index, const char *name, const char *kind, void (*data)(struct nlmsghdr *nlh))
{
	struct ifinfomsg *info = message(w, RTM_NEWLINK, sizeof *info);
	struct nlattr *nest, *inner;

	info->ifi_index = index;
	info->ifi_type = ARPHRD_ETHER;
	info->ifi_flags = IFF_UP | IFF_LOWER_UP | IFF_BROADCAST;
	mnl_attr_put_strz(w->nlh, IFLA_IFNAME, name);
	mnl_attr_put_u32(w->nlh, IFLA_MTU, 1500);
	mnl_attr_put_u8(w->nlh, IFLA_OPERSTATE, NET_LINK_UP);
	mnl_attr_put_u8(w->nlh, IFLA_CARRIER, 1);
	if (!kind)
		return;
	nest = mnl_attr_nest_start(w->nlh, IFLA_LINKINFO);
	mnl_attr_put_strz(w->nlh, IFLA_INFO_KIND, kind);
	inner = mnl_attr_nest_start(w->nlh, IFLA_INFO_DATA);
	data(w->nlh);
	mnl_attr_nest_end(w->nlh, inner);
	mnl_attr_nest_end(w->nlh, nest);
}

static void link_kinds(void **state)
{
	struct world w;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		AUTO(block_unrefp) struct block *b = NULL;
		const struct net_link_row *row;

		start(&w, &net_link_row_type);
		put_link(&w, 3, "x0", kinds[i].name, kinds[i].data);
		assert_true(net_link_take(w.nlh, HERE, &w.names, w.b));
		b = builder_block(w.b);
		row = block_row(b, 0);
		text_is(b, row->kind, kinds[i].name);
		text_is(b, row->name, "x0");
		assert_int_equal(row->netns, HERE);
		assert_int_equal(row->rx.bytes, ROW_NO_UINT); /* no counters were told: unknown, not 0 */
		assert_true(isnan(row->rx_rate));
		assert_string_equal(net_link_words(row), "up");
		kinds[i].check(b, row);
		stop(&w);
	}
}

/* Every message cut after every byte gives a row or none, and never more than it has. */
static void cut_messages(void **state)
{
	struct world w;

	(void)state;
	start(&w, &net_link_row_type);
	put_link(&w, 3, "x0", "vxlan", put_vxlan);
	for (uint32_t n = NLMSG_HDRLEN, whole = w.nlh->nlmsg_len; n <= whole; n++) {
		char *copy = fd_xcalloc(1, n);
		struct nlmsghdr *nlh = (struct nlmsghdr *)(void *)copy;

		memcpy(copy, w.buf, n);
		nlh->nlmsg_len = n;
		builder_clear(w.b);
		net_names_clear(&w.names);
		assert_int_equal(net_link_take(nlh, HERE, &w.names, w.b), n >= NLMSG_HDRLEN + sizeof(struct ifinfomsg));
		assert_false(net_route_take(nlh, HERE, &w.names, w.b));
		assert_false(net_address_take(nlh, HERE, &w.names, w.b));
		assert_false(net_rule_take(nlh, HERE, w.b));
		assert_false(net_neighbour_take(nlh, HERE, &w.names, w.b));
		free(copy);
	}
	stop(&w);
}

static void rates(void **state)
{
	struct rtnl_link_stats64 s = { .rx_bytes = 1000, .tx_bytes = 50, .rx_dropped = 1 };
	struct net_link_past past = { .seconds = 2 };
	struct world w;

	(void)state;
	start(&w, &net_link_row_type);
	for (int round = 0; round < 2; round++) {
		builder_clear(w.b);
		put_link(&w, 3, "x0", NULL, NULL);
		mnl_attr_put(w.nlh, IFLA_STATS64, sizeof s, &s);
		assert_true(net_link_take(w.nlh, HERE, &w.names, w.b));
		net_link_finish(w.b, NULL, &past);
		net_link_keep(w.b, &past);
		s.rx_bytes += 4000;
		s.rx_dropped += 10;
		if (round == 0)
			assert_true(isnan(past.rows[0].rx_rate));
	}
	assert_true(past.rows[0].rx_rate > 1999 && past.rows[0].rx_rate < 2001);
	assert_true(past.rows[0].tx_rate > -1 && past.rows[0].tx_rate < 1);
	assert_true(past.rows[0].drop_rate > 4.9 && past.rows[0].drop_rate < 5.1);
	free(past.rows);
	stop(&w);
}

/* --- the way out --- */

struct device {
	uint64_t netns;
	int index;
	const char *name, *kind;
	uint64_t mtu, link, peer_netns, master;
	uint8_t up, carrier;
};

static struct block *links_of(const struct device *list, size_t n)
{
	struct builder *b = builder_new(&net_link_row_type);
	struct block *ret;
	struct world w;

	for (size_t i = 0; i < n; i++) {
		struct net_link_row *row;

		memset(&w, 0, sizeof w);
		put_link(&w, list[i].index, list[i].name, list[i].kind, put_nothing);
		net_link_take(w.nlh, list[i].netns, &w.names, b);
		row = builder_at(b, (uint32_t)i);
		row->mtu = list[i].mtu;
		row->link_index = list[i].link ? list[i].link : ROW_NO_UINT;
		row->peer_netns = list[i].peer_netns ? list[i].peer_netns : ROW_NO_UINT;
		row->link_netnsid = list[i].peer_netns ? 0 : ROW_NO_INT;
		row->master_index = list[i].master ? list[i].master : ROW_NO_UINT;
		row->up = list[i].up;
		row->carrier = list[i].carrier;
		net_names_done(&w.names);
	}
	ret = builder_block(b);
	builder_free(b);
	return ret;
}

static struct block *routes_of(uint64_t netns, uint32_t index, const char *gateway)
{
	struct world w;
	struct rtmsg *m;
	struct block *ret;

	start(&w, &net_route_row_type);
	m = message(&w, RTM_NEWROUTE, sizeof *m);
	*m = (struct rtmsg){ .rtm_family = AF_INET, .rtm_table = RT_TABLE_MAIN, .rtm_type = RTN_UNICAST, .rtm_protocol = RTPROT_BOOT };
	mnl_attr_put_u32(w.nlh, RTA_OIF, index);
	mnl_attr_put_u32(w.nlh, RTA_GATEWAY, inet_addr(gateway));
	assert_true(net_route_take(w.nlh, netns, &w.names, w.b));
	ret = builder_block(w.b);
	stop(&w);
	return ret;
}

static const struct device inside[] = {
	{ HERE, 1, "lo", NULL, 65536, 0, 0, 0, 1, 1 },
	{ HERE, 2, "eth0", "veth", 1500, 9, HOST, 0, 1, 1 },
	{ HERE, 3, "mv0", "macvlan", 1500, 5, HOST, 0, 1, 1 },
	{ HERE, 4, "liar", "veth", 1500, 5, HOST, 0, 1, 1 }, /* the other end does not name it */
};
static const struct device outside[] = {
	{ HOST, 9, "veth9", "veth", 1400, 2, HERE, 7, 1, 1 },
	{ HOST, 7, "br0", "bridge", 1500, 0, 0, 0, 1, 1 },
	{ HOST, 5, "uplink", NULL, 1300, 0, 0, 0, 1, 1 },
};

static void hops_are(const struct block *path, const char *want)
{
	char all[256] = "";

	for (uint32_t i = 0; i < block_count(path); i++) {
		const struct net_hop_row *h = block_row(path, i);
		struct text name = block_text(path, h->name);
		size_t n = strlen(all);

		snprintf(all + n, sizeof all - n, "%s%.*s", i ? " > " : "", (int)name.n, name.p);
	}
	assert_string_equal(all, want);
}

static void ways(void **state)
{
	AUTO(block_unrefp) struct block *links = links_of(inside, ARRAY_LEN(inside)), *sides = links_of(outside, ARRAY_LEN(outside));
	AUTO(block_unrefp) struct block *routes = routes_of(HERE, 2, "10.0.0.1"), *host = routes_of(HOST, 5, "192.0.2.1");
	AUTO(block_unrefp) struct block *path = NULL, *below = NULL, *alone = NULL, *lie = NULL;
	struct net_map map = { .netns = HERE, .links = links, .routes = routes, .side_links = sides, .side_routes = host };

	(void)state;
	path = net_path(&map, ROW_NO_UINT);
	hops_are(path, "eth0 > veth9 > br0 > uplink");
	below = net_path(&map, 3);
	hops_are(below, "mv0 > uplink");
	lie = net_path(&map, 4);
	hops_are(lie, "liar");
	assert_false(net_path_wants_sides(&map));
	map.side_links = map.side_routes = NULL;
	assert_true(net_path_wants_sides(&map));
	alone = net_path(&map, ROW_NO_UINT);
	hops_are(alone, "eth0");
}

static bool is_found(const struct block *findings, const char *object, const char *word)
{
	for (uint32_t i = 0; i < block_count(findings); i++) {
		const struct net_finding_row *f = block_row(findings, i);

		if (text_equal(block_text(findings, f->object), text_of(object)) && text_contains(block_text(findings, f->problem), text_of(word)))
			return true;
	}
	return false;
}

static void verdicts(void **state)
{
	struct device devices[ARRAY_LEN(inside)];
	const struct block *parts[NET_PARTS] = { NULL };
	AUTO(block_unrefp) struct block *links = NULL, *sides = links_of(outside, ARRAY_LEN(outside));
	AUTO(block_unrefp) struct block *routes = routes_of(HERE, 2, "10.0.0.1"), *host = routes_of(HOST, 5, "192.0.2.1");
	struct net_map map = { .netns = HERE, .side_links = sides, .side_routes = host };
	struct net_facts facts;

	(void)state;
	memcpy(devices, inside, sizeof devices);
	devices[2].carrier = 0;
	parts[NET_LINKS] = links = links_of(devices, ARRAY_LEN(devices));
	parts[NET_ROUTES] = routes;
	net_judge(parts, &map, &facts);
	assert_true(is_found(facts.findings, "eth0", "MTU 1500, but 1400"));
	assert_true(is_found(facts.findings, "veth9", "larger packets get lost")); /* in one cable nobody says so */
	assert_true(is_found(facts.findings, "uplink", "path MTU discovery")); /* a router does */
	assert_true(is_found(facts.findings, "mv0", "no carrier"));
	assert_false(is_found(facts.findings, "lo", ""));
	assert_int_equal(((const struct net_finding_row *)block_row(facts.findings, 0))->gravity, 1);
	assert_null(facts.parts[NET_ADDRESSES]);
	net_facts_done(&facts);
}

/* --- routes and rules --- */

static void many_hops(void **state)
{
	AUTO(block_unrefp) struct block *b = NULL;
	const struct net_route_row *row;
	const struct net_nexthop_row *hop;
	struct rtnexthop *heads;
	struct nlattr *nest;
	struct world w;
	struct rtmsg *m;

	(void)state;
	start(&w, &net_route_row_type);
	m = message(&w, RTM_NEWROUTE, sizeof *m);
	*m = (struct rtmsg){ .rtm_family = AF_INET, .rtm_dst_len = 16, .rtm_table = RT_TABLE_MAIN, .rtm_type = RTN_UNICAST };
	mnl_attr_put_u32(w.nlh, RTA_DST, inet_addr("10.50.0.0"));
	nest = mnl_attr_nest_start(w.nlh, RTA_MULTIPATH);
	for (int i = 0; i < 2; i++) {
		heads = mnl_nlmsg_put_extra_header(w.nlh, sizeof *heads);
		heads->rtnh_ifindex = 2 + i;
		heads->rtnh_hops = (unsigned char)i;
		heads->rtnh_len = sizeof *heads;
		if (i)
			continue; /* the second has no gateway */
		mnl_attr_put_u32(w.nlh, RTA_GATEWAY, inet_addr("10.0.0.1"));
		heads->rtnh_len += 8;
	}
	mnl_attr_nest_end(w.nlh, nest);
	net_names_add(&w.names, 2, text_of("eth0"));
	assert_true(net_route_take(w.nlh, HERE, &w.names, w.b));
	b = builder_block(w.b);
	row = block_row(b, 0);
	assert_int_equal(row->nexthops.n, 2);
	hop = block_nested(b, &net_nexthop_row_type, row->nexthops, 0);
	text_is(b, hop->interface, "eth0");
	assert_int_equal(hop->weight, 1);
	hop = block_nested(b, &net_nexthop_row_type, row->nexthops, 1);
	assert_int_equal(hop->gateway.kind, ADDR_NONE);
	assert_int_equal(hop->weight, 2);
	heads->rtnh_len = 4000; /* claims more than there is */
	builder_clear(w.b);
	assert_true(net_route_take(w.nlh, HERE, &w.names, w.b));
	assert_int_equal(((const struct net_route_row *)builder_at(w.b, 0))->nexthops.n, 1);
	stop(&w);
}

static void rule_words(void **state)
{
	AUTO(block_unrefp) struct block *b = NULL;
	struct row_look look = { .charset = TEXT_ASCII };
	struct fib_rule_port_range ports = { 80, 90 };
	struct fib_rule_uid_range uids = { 5, 5 };
	struct fib_rule_hdr *h;
	struct world w;
	char buf[128];

	(void)state;
	start(&w, &net_rule_row_type);
	h = message(&w, RTM_NEWRULE, sizeof *h);
	*h = (struct fib_rule_hdr){ .family = AF_INET, .src_len = 24, .action = FR_ACT_TO_TBL, .flags = FIB_RULE_INVERT };
	mnl_attr_put_u32(w.nlh, FRA_SRC, inet_addr("10.0.0.0"));
	mnl_attr_put_u32(w.nlh, FRA_FWMARK, 0x10);
	mnl_attr_put_u32(w.nlh, FRA_FWMASK, 0xff);
	mnl_attr_put_u32(w.nlh, FRA_TABLE, 100);
	mnl_attr_put_u32(w.nlh, FRA_SUPPRESS_PREFIXLEN, UINT32_MAX);
	mnl_attr_put(w.nlh, FRA_DPORT_RANGE, sizeof ports, &ports);
	mnl_attr_put(w.nlh, FRA_UID_RANGE, sizeof uids, &uids);
	mnl_attr_put_strz(w.nlh, FRA_IIFNAME, "eth0");
	assert_true(net_rule_take(w.nlh, HERE, w.b));
	b = builder_block(w.b);
	row_format(b, row_field_find(&net_rule_row_type, "selector"), block_row(b, 0), &look, buf, sizeof buf);
	assert_string_equal(buf, "not from 10.0.0.0/24 fwmark 0x10/0xff iif eth0 uid 5 dport 80-90");
	row_format(b, row_field_find(&net_rule_row_type, "does"), block_row(b, 0), &look, buf, sizeof buf);
	assert_string_equal(buf, "lookup 100");
	assert_int_equal(((const struct net_rule_row *)block_row(b, 0))->suppress_prefix, ROW_NO_UINT);
	stop(&w);
}

/* --- settings --- */

static struct block *settings_of(const char *const pairs[][2], size_t n)
{
	struct builder *b = builder_new(&net_sysctl_row_type);
	struct block *ret;

	for (size_t i = 0; i < n; i++) {
		struct net_sysctl_row *row = builder_row(b);

		*row = (struct net_sysctl_row){ .name = builder_str(b, pairs[i][0]), .value = builder_str(b, pairs[i][1]), .host = ROW_NO_TEXT,
			.standard = ROW_NO_TEXT, .differs = ROW_NO_ENUM, .known_from = ROW_NO_TEXT, .help = ROW_NO_TEXT };
	}
	ret = builder_block(b);
	builder_free(b);
	return ret;
}

static void settings(void **state)
{
	static const char *const ours[][2] = { { "net.ipv4.tcp_fin_timeout", "33" }, { "net.ipv4.ip_forward", "0" },
		{ "net.ipv4.conf.eth0.rp_filter", "2" }, { "net.ipv4.unheard_of", "1" }, { "net.ipv4.conf.lo.rp_filter", "1" } };
	static const char *const theirs[][2] = { { "net.ipv4.ip_forward", "1" }, { "net.ipv4.tcp_fin_timeout", "33" },
		{ "net.ipv4.conf.eth0.rp_filter", "1" } };
	static const struct { const char *name; uint32_t differs; } want[] = { /* by name */
		{ "net.ipv4.conf.eth0.rp_filter", NET_SYSCTL_DEFAULT }, /* the host's eth0 is another one */
		{ "net.ipv4.conf.lo.rp_filter", ROW_NO_ENUM }, { "net.ipv4.ip_forward", NET_SYSCTL_HOST },
		{ "net.ipv4.tcp_fin_timeout", NET_SYSCTL_DEFAULT }, { "net.ipv4.unheard_of", ROW_NO_ENUM },
	};
	AUTO(block_unrefp) struct block *a = settings_of(ours, ARRAY_LEN(ours)), *h = settings_of(theirs, ARRAY_LEN(theirs)), *both = NULL;

	(void)state;
	both = net_sysctl_compare(a, h);
	assert_int_equal(block_count(both), ARRAY_LEN(want));
	for (uint32_t i = 0; i < ARRAY_LEN(want); i++) {
		const struct net_sysctl_row *row = block_row(both, i);

		text_is(both, row->name, want[i].name);
		assert_int_equal(row->differs, want[i].differs);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(link_kinds), cmocka_unit_test(cut_messages), cmocka_unit_test(rates), cmocka_unit_test(ways),
		cmocka_unit_test(verdicts), cmocka_unit_test(many_hops), cmocka_unit_test(rule_words), cmocka_unit_test(settings),
	};

	return cmocka_run_group_tests_name("net", tests, NULL, NULL);
}
