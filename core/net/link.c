/* Messages about interfaces become rows: see link.h. Each kind keeps its own facts in IFLA_INFO_DATA; a const table says who reads them. */
#include "core/net/link.h"

#include "core/fd.h"
#include "core/net/address.h"
#include "core/net/rtnl.h"

#include <libmnl/libmnl.h>
#include <linux/if.h>
#include <linux/if_arp.h>
#include <linux/if_link.h>
#include <linux/if_tunnel.h>
#include <linux/rtnetlink.h>
#include <math.h>
#include <string.h>
#include <sys/socket.h>

static const struct net_name flag_names[] = { /* in the order of ip(8) */
	{ IFF_LOOPBACK, "LOOPBACK" }, { IFF_BROADCAST, "BROADCAST" }, { IFF_POINTOPOINT, "POINTOPOINT" }, { IFF_MULTICAST, "MULTICAST" },
	{ IFF_NOARP, "NOARP" }, { IFF_ALLMULTI, "ALLMULTI" }, { IFF_PROMISC, "PROMISC" }, { IFF_MASTER, "MASTER" },
	{ IFF_SLAVE, "SLAVE" }, { IFF_DEBUG, "DEBUG" }, { IFF_DYNAMIC, "DYNAMIC" }, { IFF_AUTOMEDIA, "AUTOMEDIA" },
	{ IFF_PORTSEL, "PORTSEL" }, { IFF_NOTRAILERS, "NOTRAILERS" }, { IFF_UP, "UP" }, { IFF_LOWER_UP, "LOWER_UP" },
	{ IFF_DORMANT, "DORMANT" }, { IFF_ECHO, "ECHO" },
};

static const struct net_name type_names[] = {
	{ ARPHRD_ETHER, "ether" }, { ARPHRD_LOOPBACK, "loopback" }, { ARPHRD_NONE, "none" }, { ARPHRD_TUNNEL, "ipip" },
	{ ARPHRD_TUNNEL6, "tunnel6" }, { ARPHRD_SIT, "sit" }, { ARPHRD_IPGRE, "gre" }, { ARPHRD_IP6GRE, "gre6" },
	{ ARPHRD_PPP, "ppp" }, { ARPHRD_CAN, "can" }, { ARPHRD_INFINIBAND, "infiniband" }, { ARPHRD_NETLINK, "netlink" },
	{ ARPHRD_RAWIP, "rawip" },
};

static const struct net_name macvlan_modes[] = {
	{ MACVLAN_MODE_PRIVATE, "private" }, { MACVLAN_MODE_VEPA, "vepa" }, { MACVLAN_MODE_BRIDGE, "bridge" },
	{ MACVLAN_MODE_PASSTHRU, "passthru" }, { MACVLAN_MODE_SOURCE, "source" },
};

static const struct net_name ipvlan_modes[] = { { 0, "l2" }, { 1, "l3" }, { 2, "l3s" } }; /* IPVLAN_MODE_* of linux/if_link.h */
static const struct net_name bond_modes[] = { /* linux/if_bonding.h */
	{ 0, "balance-rr" }, { 1, "active-backup" }, { 2, "balance-xor" }, { 3, "broadcast" }, { 4, "802.3ad" }, { 5, "balance-tlb" },
	{ 6, "balance-alb" },
};

static const struct net_name tun_modes[] = { { 1, "tun" }, { 2, "tap" } }; /* IFF_TUN, IFF_TAP of linux/if_tun.h */

/* --- what each kind adds --- */

static struct str named(struct builder *b, const struct net_name *names, size_t n, const struct nlattr *a)
{
	uint64_t v = net_attr_uint(a);

	return builder_str(b, v == ROW_NO_UINT ? NULL : net_name_of(names, n, (uint32_t)v));
}

static void take_macvlan(const struct net_attrs *d, struct net_link_row *row, struct builder *b)
{
	row->mode = named(b, macvlan_modes, ARRAY_LEN(macvlan_modes), d->at[IFLA_MACVLAN_MODE]);
}

static void take_ipvlan(const struct net_attrs *d, struct net_link_row *row, struct builder *b)
{
	row->mode = named(b, ipvlan_modes, ARRAY_LEN(ipvlan_modes), d->at[IFLA_IPVLAN_MODE]);
}

static void take_vlan(const struct net_attrs *d, struct net_link_row *row, struct builder *b)
{
	(void)b;
	row->vlan = net_attr_uint(d->at[IFLA_VLAN_ID]);
}

static struct addr either(const struct nlattr *v4, const struct nlattr *v6)
{
	return net_attr_addr(v4 ? v4 : v6);
}

static void take_vxlan(const struct net_attrs *d, struct net_link_row *row, struct builder *b)
{
	(void)b;
	row->vni = net_attr_uint(d->at[IFLA_VXLAN_ID]);
	row->remote = either(d->at[IFLA_VXLAN_GROUP], d->at[IFLA_VXLAN_GROUP6]);
	row->local = either(d->at[IFLA_VXLAN_LOCAL], d->at[IFLA_VXLAN_LOCAL6]);
	row->port = net_attr_be16(d->at[IFLA_VXLAN_PORT]);
}

static void take_geneve(const struct net_attrs *d, struct net_link_row *row, struct builder *b)
{
	(void)b;
	row->vni = net_attr_uint(d->at[IFLA_GENEVE_ID]);
	row->remote = either(d->at[IFLA_GENEVE_REMOTE], d->at[IFLA_GENEVE_REMOTE6]);
	row->port = net_attr_be16(d->at[IFLA_GENEVE_PORT]);
}

static void take_tun(const struct net_attrs *d, struct net_link_row *row, struct builder *b)
{
	row->mode = named(b, tun_modes, ARRAY_LEN(tun_modes), d->at[IFLA_TUN_TYPE]);
	row->owner = net_attr_uint(d->at[IFLA_TUN_OWNER]);
}

static void take_bridge(const struct net_attrs *d, struct net_link_row *row, struct builder *b)
{
	(void)b;
	row->stp = net_attr_bool(d->at[IFLA_BR_STP_STATE]);
	row->vlan_filtering = net_attr_bool(d->at[IFLA_BR_VLAN_FILTERING]);
}

/* 0.0.0.0 is how the kernel says that there is none. */
static struct addr end_of(const struct nlattr *a)
{
	struct addr end = net_attr_addr(a);

	return addr_is_any(&end) ? (struct addr){ .kind = ADDR_NONE } : end;
}

static void take_gre(const struct net_attrs *d, struct net_link_row *row, struct builder *b)
{
	(void)b;
	row->local = end_of(d->at[IFLA_GRE_LOCAL]);
	row->remote = end_of(d->at[IFLA_GRE_REMOTE]);
}

static void take_iptun(const struct net_attrs *d, struct net_link_row *row, struct builder *b)
{
	(void)b;
	row->local = end_of(d->at[IFLA_IPTUN_LOCAL]);
	row->remote = end_of(d->at[IFLA_IPTUN_REMOTE]);
}

static void take_bond(const struct net_attrs *d, struct net_link_row *row, struct builder *b)
{
	row->mode = named(b, bond_modes, ARRAY_LEN(bond_modes), d->at[IFLA_BOND_MODE]);
}

static const struct {
	const char *kind;
	void (*take)(const struct net_attrs *data, struct net_link_row *row, struct builder *b);
} kinds[] = {
	{ "macvlan", take_macvlan }, { "macvtap", take_macvlan }, { "ipvlan", take_ipvlan }, { "ipvtap", take_ipvlan },
	{ "vlan", take_vlan }, { "vxlan", take_vxlan }, { "geneve", take_geneve }, { "tun", take_tun }, { "bridge", take_bridge },
	{ "gre", take_gre }, { "gretap", take_gre }, { "ip6gre", take_gre }, { "ip6gretap", take_gre }, { "ipip", take_iptun },
	{ "sit", take_iptun }, { "ip6tnl", take_iptun }, { "bond", take_bond },
};

static void take_port(const struct nlattr *data, struct net_link_row *row)
{
	struct net_attrs d;

	net_attrs_in(data, &d);
	if (net_attr_uint(d.at[IFLA_BRPORT_STATE]) <= 4)
		row->port_state = (uint32_t)net_attr_uint(d.at[IFLA_BRPORT_STATE]);
	row->hairpin = net_attr_bool(d.at[IFLA_BRPORT_MODE]);
	row->guard = net_attr_bool(d.at[IFLA_BRPORT_GUARD]);
	row->learning = net_attr_bool(d.at[IFLA_BRPORT_LEARNING]);
	row->flood = net_attr_bool(d.at[IFLA_BRPORT_UNICAST_FLOOD]);
	row->isolated = net_attr_bool(d.at[IFLA_BRPORT_ISOLATED]);
}

static void take_info(const struct nlattr *nest, struct net_link_row *row, struct builder *b)
{
	struct net_attrs info, data;
	struct text kind, slave;

	net_attrs_in(nest, &info);
	kind = net_attr_text(info.at[IFLA_INFO_KIND]);
	slave = net_attr_text(info.at[IFLA_INFO_SLAVE_KIND]);
	row->kind = builder_text(b, kind.p, kind.n);
	net_attrs_in(info.at[IFLA_INFO_DATA], &data);
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (text_equal(kind, text_of(kinds[i].kind)))
			kinds[i].take(&data, row, b);
	if (text_equal(slave, text_of("bridge")))
		take_port(info.at[IFLA_INFO_SLAVE_DATA], row);
}

/* --- the message --- */

static void take_counters(const struct nlattr *a, struct net_link_row *row)
{
	struct rtnl_link_stats64 s;

	/* Older kernels tell fewer members: only the first ten matter here. */
	if (!a || mnl_attr_get_payload_len(a) < offsetof(struct rtnl_link_stats64, rx_length_errors))
		return;
	memset(&s, 0, sizeof s);
	memcpy(&s, mnl_attr_get_payload(a), offsetof(struct rtnl_link_stats64, rx_length_errors));
	row->rx = (struct net_counters){ s.rx_bytes, s.rx_packets, s.rx_errors, s.rx_dropped };
	row->tx = (struct net_counters){ s.tx_bytes, s.tx_packets, s.tx_errors, s.tx_dropped };
	row->multicast = s.multicast;
	row->collisions = s.collisions;
}

static void blank(struct net_link_row *row)
{
	const struct net_counters none = { ROW_NO_UINT, ROW_NO_UINT, ROW_NO_UINT, ROW_NO_UINT };

	*row = (struct net_link_row){ .index = ROW_NO_UINT, .netns = ROW_NO_UINT, .name = ROW_NO_TEXT, .kind = ROW_NO_TEXT, .type = ROW_NO_TEXT,
		.state = ROW_NO_ENUM, .flags = ROW_NO_TEXT, .mtu = ROW_NO_UINT, .addresses = ROW_NO_TEXT, .alias = ROW_NO_TEXT,
		.qdisc = ROW_NO_TEXT, .queue_length = ROW_NO_UINT, .promiscuity = ROW_NO_UINT, .rx = none, .tx = none,
		.multicast = ROW_NO_UINT, .collisions = ROW_NO_UINT, .rx_rate = NAN, .tx_rate = NAN, .drop_rate = NAN,
		.link_index = ROW_NO_UINT, .link_netnsid = ROW_NO_INT, .peer_netns = ROW_NO_UINT, .peer = ROW_NO_TEXT,
		.peer_target = ROW_NO_TEXT, .parent = ROW_NO_TEXT, .master_index = ROW_NO_UINT, .master = ROW_NO_TEXT,
		.port_state = ROW_NO_ENUM, .hairpin = ROW_NO_BOOL, .isolated = ROW_NO_BOOL, .learning = ROW_NO_BOOL,
		.flood = ROW_NO_BOOL, .guard = ROW_NO_BOOL, .mode = ROW_NO_TEXT, .vlan = ROW_NO_UINT, .vni = ROW_NO_UINT,
		.port = ROW_NO_UINT, .owner = ROW_NO_UINT, .stp = ROW_NO_BOOL, .vlan_filtering = ROW_NO_BOOL, .problem = ROW_NO_TEXT };
}

/* Zero is what tunnels say that are bound to no device. */
static uint64_t index_of(const struct nlattr *a)
{
	uint64_t v = net_attr_uint(a);

	return v ? v : ROW_NO_UINT;
}

static void take_attrs(const struct net_attrs *a, struct net_link_row *row, struct builder *b)
{
	uint64_t state = net_attr_uint(a->at[IFLA_OPERSTATE]), nsid = net_attr_uint(a->at[IFLA_LINK_NETNSID]);

	row->name = net_attr_str(b, a->at[IFLA_IFNAME]);
	row->alias = net_attr_str(b, a->at[IFLA_IFALIAS]);
	row->qdisc = net_attr_str(b, a->at[IFLA_QDISC]);
	row->state = state < NET_LINK_STATE_N ? (uint32_t)state : ROW_NO_ENUM;
	row->carrier = net_attr_bool(a->at[IFLA_CARRIER]);
	row->mtu = net_attr_uint(a->at[IFLA_MTU]);
	row->mac = net_attr_addr(a->at[IFLA_ADDRESS]);
	row->queue_length = net_attr_uint(a->at[IFLA_TXQLEN]);
	row->promiscuity = net_attr_uint(a->at[IFLA_PROMISCUITY]);
	row->link_index = index_of(a->at[IFLA_LINK]);
	row->master_index = index_of(a->at[IFLA_MASTER]);
	if (nsid != ROW_NO_UINT)
		row->link_netnsid = (int32_t)(uint32_t)nsid;
	take_counters(a->at[IFLA_STATS64], row);
	take_info(a->at[IFLA_LINKINFO], row, b);
}

bool net_link_take(const struct nlmsghdr *nlh, uint64_t netns, struct net_names *names, struct builder *b)
{
	struct ifinfomsg info;
	struct net_link_row *row;
	struct net_attrs attrs;

	if (nlh->nlmsg_type != RTM_NEWLINK || mnl_nlmsg_get_payload_len(nlh) < sizeof info)
		return false;
	memcpy(&info, mnl_nlmsg_get_payload(nlh), sizeof info);
	if (info.ifi_family == AF_BRIDGE || info.ifi_index <= 0)
		return false;
	net_attrs_of(nlh, sizeof info, &attrs);
	row = builder_row(b);
	blank(row);
	row->index = (uint64_t)info.ifi_index;
	row->netns = netns;
	row->head.id = row_hash(&row->index, sizeof row->index, netns);
	row->type = builder_str(b, net_name_of(type_names, ARRAY_LEN(type_names), info.ifi_type));
	row->up = (info.ifi_flags & IFF_UP) != 0;
	row->flags = net_name_flags(b, flag_names, ARRAY_LEN(flag_names), info.ifi_flags);
	take_attrs(&attrs, row, b);
	net_names_add(names, row->index, net_attr_text(attrs.at[IFLA_IFNAME]));
	if (row->link_index == row->index)
		row->link_index = ROW_NO_UINT;
	return true;
}

/* --- after all messages --- */

static const struct net_link_row *at_index(struct builder *b, uint64_t netns, uint64_t index)
{
	for (uint32_t i = 0; index != ROW_NO_UINT && i < builder_count(b); i++) {
		const struct net_link_row *row = builder_at(b, i);

		if (row->index == index && row->netns == netns)
			return row;
	}
	return NULL;
}

static double rate(uint64_t now, uint64_t before, double seconds)
{
	return now == ROW_NO_UINT || before == ROW_NO_UINT || now < before || seconds <= 0 ? NAN : (double)(now - before) / seconds;
}

static uint64_t lost(const struct net_link_row *row)
{
	if (row->rx.dropped == ROW_NO_UINT)
		return ROW_NO_UINT;
	return row->rx.dropped + row->rx.errors + row->tx.dropped + row->tx.errors;
}

static void set_rates(struct net_link_row *row, const struct net_link_past *past)
{
	for (uint32_t i = 0; i < past->n; i++) {
		const struct net_link_row *old = &past->rows[i];

		if (old->head.id != row->head.id)
			continue;
		if (past->seconds < NET_LINK_SHORTEST) { /* asked twice in a row: the number would jump */
			row->rx_rate = old->rx_rate;
			row->tx_rate = old->tx_rate;
			row->drop_rate = old->drop_rate;
			return;
		}
		row->rx_rate = rate(row->rx.bytes, old->rx.bytes, past->seconds);
		row->tx_rate = rate(row->tx.bytes, old->tx.bytes, past->seconds);
		row->drop_rate = rate(lost(row), lost(old), past->seconds);
		return;
	}
}

static void list_addresses(struct builder *b, struct net_link_row *row, struct builder *addresses)
{
	char text[ADDR_TEXT];

	for (uint32_t i = 0; addresses && i < builder_count(addresses); i++) {
		const struct net_address_row *a = builder_at(addresses, i);

		if (a->index == row->index && a->address.kind) {
			addr_format(&a->address, text);
			builder_list_add(b, &row->addresses, text, strlen(text));
		}
	}
}

void net_link_keep(struct builder *links, struct net_link_past *past)
{
	past->n = builder_count(links);
	past->rows = fd_xrealloc(past->rows, past->n ? past->n : 1, sizeof *past->rows);
	for (uint32_t i = 0; i < past->n; i++)
		memcpy(&past->rows[i], builder_at(links, i), sizeof *past->rows);
}

void net_link_finish(struct builder *links, struct builder *addresses, const struct net_link_past *past)
{
	for (uint32_t i = 0; i < builder_count(links); i++) {
		struct net_link_row *row = builder_at(links, i);
		const struct net_link_row *master = at_index(links, row->netns, row->master_index), *other = NULL;

		if (master)
			row->master = master->name;
		if (row->link_netnsid == ROW_NO_INT)
			other = at_index(links, row->netns, row->link_index);
		if (other && other->link_index == row->index) /* a pair with both ends here */
			row->peer = other->name;
		else if (other)
			row->parent = other->name;
		list_addresses(links, row, addresses);
		set_rates(row, past);
	}
}

const struct net_link_row *net_link_find(const struct block *links, uint64_t netns, uint64_t index)
{
	for (uint32_t i = 0; links && index != ROW_NO_UINT && i < block_count(links); i++) {
		const struct net_link_row *row = block_row(links, i);

		if (row->index == index && row->netns == netns)
			return row;
	}
	return NULL;
}

const struct net_link_row *net_link_named(const struct block *links, struct text name)
{
	for (uint32_t i = 0; links && name.n && i < block_count(links); i++) {
		const struct net_link_row *row = block_row(links, i);

		if (text_equal(block_text(links, row->name), name))
			return row;
	}
	return NULL;
}

const char *net_link_words(const struct net_link_row *row)
{
	if (row->up == 0)
		return "down";
	if (row->state == NET_LINK_LOWERLAYERDOWN)
		return "lower down";
	if (row->carrier == 0)
		return "no carrier";
	if (row->state == NET_LINK_DORMANT)
		return "dormant";
	return "up";
}
