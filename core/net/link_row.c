/* Fields of an interface's row. */
#include "core/fd.h"
#include "core/net/link.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static size_t bounded(int n, size_t cap)
{
	return n < 0 ? 0 : (size_t)n < cap ? (size_t)n : cap - 1;
}

static size_t format_state(const struct block *b, const void *row, char *buf, size_t cap)
{
	(void)b;
	return bounded(snprintf(buf, cap, "%s", net_link_words(row)), cap);
}

/* "veth91c2 (host)", "eth0" for a device below. */
static size_t format_other(const struct block *b, const void *row, char *buf, size_t cap)
{
	const struct net_link_row *r = row;
	struct text peer = block_text(b, r->peer), whose = block_text(b, r->peer_target), parent = block_text(b, r->parent);

	if (!peer.n && parent.n)
		return bounded(snprintf(buf, cap, "on %.*s", (int)parent.n, parent.p), cap);
	if (!peer.n && r->link_netnsid != ROW_NO_INT && r->link_index != ROW_NO_UINT)
		return bounded(snprintf(buf, cap, "if%" PRIu64 " in another namespace", r->link_index), cap);
	if (!peer.n)
		return bounded(snprintf(buf, cap, "-"), cap);
	return bounded(snprintf(buf, cap, "%.*s%s%.*s%s", (int)peer.n, peer.p, whose.n ? " (" : "", (int)whose.n, whose.n ? whose.p : "",
		whose.n ? ")" : ""), cap);
}

static const char *const state_names[NET_LINK_STATE_N] = {
	[NET_LINK_UNKNOWN] = "UNKNOWN", [NET_LINK_NOTPRESENT] = "NOTPRESENT", [NET_LINK_DOWN] = "DOWN",
	[NET_LINK_LOWERLAYERDOWN] = "LOWERLAYERDOWN", [NET_LINK_TESTING] = "TESTING", [NET_LINK_DORMANT] = "DORMANT",
	[NET_LINK_UP] = "UP",
};
static const char *const port_names[] = { "disabled", "listening", "learning", "forwarding", "blocking" };

#define FIELD(member, kind) ROW_FIELD(struct net_link_row, member, kind)
#define AT(member)          .offset = offsetof(struct net_link_row, member)
#define COUNTER(n, t, m)    .name = n, .title = t, .kind = FIELD_UINT, AT(m), .flags = FIELD_RIGHT | FIELD_WIDE, .priority = 9

static const struct field link_fields[] = {
	{ FIELD(index, UINT), .title = "INDEX", .unit = UNIT_ID, .help = "number of the interface", .flags = FIELD_RIGHT | FIELD_WIDE,
		.priority = 8 },
	{ FIELD(netns, UINT), .title = "NETNS", .unit = UNIT_ID, .help = "inode of the namespace it is in", .flags = FIELD_HIDDEN },
	{ FIELD(name, TEXT), .title = "NAME", .help = "name of the interface" },
	{ FIELD(kind, TEXT), .title = "KIND", .help = "veth, bridge, macvlan ...; hardware and loopback have none", .priority = 4 },
	{ FIELD(type, TEXT), .title = "TYPE", .help = "ether, loopback, none: what a frame looks like", .flags = FIELD_HIDDEN },
	{ FIELD(state, ENUM), .title = "OPERSTATE", .help = "operational state, RFC 2863", .names = state_names,
		.n_names = NET_LINK_STATE_N, .flags = FIELD_HIDDEN },
	{ .name = "condition", .title = "STATE", .kind = FIELD_ENUM, AT(state), .names = state_names, .n_names = NET_LINK_STATE_N,
		.help = "up, down (switched off), no carrier, lower down", .flags = FIELD_SCREEN, .priority = 1, .format = format_state },
	{ FIELD(up, BOOL), .title = "UP", .help = "switched on", .flags = FIELD_HIDDEN },
	{ FIELD(carrier, BOOL), .title = "CARRIER", .help = "something is at the other end", .flags = FIELD_HIDDEN },
	{ FIELD(flags, LIST), .title = "FLAGS", .help = "flags as ip(8) names them", .flags = FIELD_HIDDEN },
	{ FIELD(mtu, UINT), .title = "MTU", .unit = UNIT_ID, .help = "largest packet, bytes", .flags = FIELD_RIGHT, .priority = 3 },
	{ FIELD(mac, ADDR), .title = "MAC", .help = "hardware address", .priority = 6 },
	{ FIELD(addresses, LIST), .title = "ADDRESSES", .help = "its addresses with their prefix", .priority = 2 },
	{ .name = "other_end", .title = "OTHER END", .kind = FIELD_TEXT, AT(peer), .flags = FIELD_SCREEN, .priority = 3,
		.help = "where its packets come out: peer (and whose namespace that is), or the device below", .format = format_other },
	{ FIELD(master, TEXT), .title = "MASTER", .help = "bridge, bond or vrf that it belongs to", .priority = 5 },
	{ FIELD(master_index, UINT), .title = "MASTER-INDEX", .unit = UNIT_ID, .help = "number of the master", .flags = FIELD_HIDDEN },
	{ FIELD(peer, TEXT), .title = "PEER", .help = "name of the other end in its namespace", .flags = FIELD_HIDDEN },
	{ FIELD(peer_target, TEXT), .title = "PEER-TARGET", .help = "container whose namespace the other end is in",
		.flags = FIELD_HIDDEN },
	{ FIELD(peer_netns, UINT), .title = "PEER-NETNS", .unit = UNIT_ID, .help = "inode of that namespace", .flags = FIELD_HIDDEN },
	{ FIELD(parent, TEXT), .title = "PARENT", .help = "device below it, in the same namespace", .flags = FIELD_HIDDEN },
	{ FIELD(link_index, UINT), .title = "LINK-INDEX", .unit = UNIT_ID, .help = "number of the other end or of the device below",
		.flags = FIELD_HIDDEN },
	{ FIELD(link_netnsid, INT), .title = "LINK-NETNSID", .unit = UNIT_ID,
		.help = "this namespace's number for the one of the other end; null: it is here", .flags = FIELD_HIDDEN },
	{ COUNTER("rx_bytes", "RX-BYTES", rx.bytes), .unit = UNIT_BYTES, .help = "bytes received" },
	{ COUNTER("rx_packets", "RX-PACKETS", rx.packets), .help = "packets received" },
	{ COUNTER("rx_errors", "RX-ERR", rx.errors), .help = "receive errors" },
	{ COUNTER("rx_dropped", "RX-DROP", rx.dropped), .help = "received and dropped" },
	{ COUNTER("tx_bytes", "TX-BYTES", tx.bytes), .unit = UNIT_BYTES, .help = "bytes sent" },
	{ COUNTER("tx_packets", "TX-PACKETS", tx.packets), .help = "packets sent" },
	{ COUNTER("tx_errors", "TX-ERR", tx.errors), .help = "send errors" },
	{ COUNTER("tx_dropped", "TX-DROP", tx.dropped), .help = "dropped before they were sent" },
	{ FIELD(multicast, UINT), .title = "MULTICAST", .help = "multicast packets received", .flags = FIELD_HIDDEN },
	{ FIELD(collisions, UINT), .title = "COLLISIONS", .help = "collisions", .flags = FIELD_HIDDEN },
	{ FIELD(rx_rate, REAL), .title = "RX/s", .unit = UNIT_BYTES, .help = "bytes received a second; null: sampled once",
		.flags = FIELD_HIDDEN | FIELD_RIGHT },
	{ FIELD(tx_rate, REAL), .title = "TX/s", .unit = UNIT_BYTES, .help = "bytes sent a second; null: sampled once",
		.flags = FIELD_HIDDEN | FIELD_RIGHT },
	{ FIELD(drop_rate, REAL), .title = "LOST/s", .help = "drops and errors a second; null: sampled once",
		.flags = FIELD_HIDDEN | FIELD_RIGHT },
	{ FIELD(port_state, ENUM), .title = "PORT", .help = "bridge port: spanning tree state", .names = port_names,
		.n_names = ARRAY_LEN(port_names), .flags = FIELD_WIDE, .priority = 8 },
	{ FIELD(hairpin, BOOL), .title = "HAIRPIN", .help = "bridge port: sends back out where it came in", .flags = FIELD_HIDDEN },
	{ FIELD(isolated, BOOL), .title = "ISOLATED", .help = "bridge port: talks to ports that are not isolated only",
		.flags = FIELD_HIDDEN },
	{ FIELD(learning, BOOL), .title = "LEARNING", .help = "bridge port: learns hardware addresses", .flags = FIELD_HIDDEN },
	{ FIELD(flood, BOOL), .title = "FLOOD", .help = "bridge port: gets frames for unknown addresses", .flags = FIELD_HIDDEN },
	{ FIELD(guard, BOOL), .title = "GUARD", .help = "bridge port: spanning tree messages switch it off", .flags = FIELD_HIDDEN },
	{ FIELD(mode, TEXT), .title = "MODE", .help = "macvlan and ipvlan mode; tun or tap", .flags = FIELD_WIDE, .priority = 8 },
	{ FIELD(vlan, UINT), .title = "VLAN", .unit = UNIT_ID, .help = "IEEE 802.1Q id", .flags = FIELD_HIDDEN },
	{ FIELD(vni, UINT), .title = "VNI", .unit = UNIT_ID, .help = "vxlan and geneve: id of the virtual network",
		.flags = FIELD_HIDDEN },
	{ FIELD(local, ADDR), .title = "LOCAL", .help = "tunnel: own end", .flags = FIELD_HIDDEN },
	{ FIELD(remote, ADDR), .title = "REMOTE", .help = "tunnel: other end or group", .flags = FIELD_HIDDEN },
	{ FIELD(port, UINT), .title = "UDP-PORT", .unit = UNIT_ID, .help = "tunnel: UDP port", .flags = FIELD_HIDDEN },
	{ FIELD(owner, UINT), .title = "OWNER", .unit = UNIT_ID, .help = "tun: user id that may open it", .flags = FIELD_HIDDEN },
	{ FIELD(stp, BOOL), .title = "STP", .help = "bridge: spanning tree is on", .flags = FIELD_HIDDEN },
	{ FIELD(vlan_filtering, BOOL), .title = "VLAN-FILTER", .help = "bridge: ports belong to VLANs", .flags = FIELD_HIDDEN },
	{ FIELD(alias, TEXT), .title = "ALIAS", .help = "comment that somebody gave it", .flags = FIELD_WIDE, .priority = 10 },
	{ FIELD(qdisc, TEXT), .title = "QDISC", .help = "queueing discipline", .flags = FIELD_WIDE, .priority = 10 },
	{ FIELD(queue_length, UINT), .title = "QLEN", .unit = UNIT_ID, .help = "length of the send queue, packets", .flags = FIELD_HIDDEN },
	{ FIELD(promiscuity, UINT), .title = "PROMISC", .unit = UNIT_ID, .help = "how many asked for all packets", .flags = FIELD_HIDDEN },
	{ FIELD(problem, TEXT), .title = "WHAT IS WRONG", .help = "what is wrong, in words; null: nothing found", .flags = FIELD_FLEX,
		.priority = 1 },
};

const struct row_type net_link_row_type = {
	.name = "ip-link", .noun = "interfaces", .id = 0x6c696e6b, .schema = 1, .size = sizeof(struct net_link_row),
	.fields = link_fields, .n_fields = ARRAY_LEN(link_fields),
};
