/* Fields of a route's row. */
#include "core/fd.h"
#include "core/net/route.h"

#include <stdio.h>
#include <string.h>

static size_t bounded(int n, size_t cap)
{
	return n < 0 ? 0 : (size_t)n < cap ? (size_t)n : cap - 1;
}

static size_t format_destination(const struct block *b, const void *row, char *buf, size_t cap)
{
	const struct net_route_row *r = row;
	char text[ADDR_TEXT];
	struct addr a = r->destination;

	(void)b;
	if (a.prefix == 0 && addr_is_any(&a))
		return bounded(snprintf(buf, cap, "default%s", r->family == 6 ? " (IPv6)" : ""), cap);
	if (a.prefix == (a.kind == ADDR_IP4 ? 32 : 128))
		a.has_prefix = 0;
	return bounded(snprintf(buf, cap, "%s", addr_format(&a, text)), cap);
}

static size_t format_gateway(const struct block *b, const void *row, char *buf, size_t cap)
{
	const struct net_route_row *r = row;
	char text[ADDR_TEXT];

	(void)b;
	if (r->nexthops.n)
		return bounded(snprintf(buf, cap, "%u next hops", r->nexthops.n), cap);
	return bounded(snprintf(buf, cap, "%s", r->gateway.kind ? addr_format(&r->gateway, text) : "-"), cap);
}

static const char *const family_names[] = { "", "", "", "", "ipv4", "", "ipv6" };
static const char *const type_names[NET_ROUTE_TYPE_N] = {
	[NET_ROUTE_UNSPEC] = "unspec", [NET_ROUTE_UNICAST] = "unicast", [NET_ROUTE_LOCAL] = "local", [NET_ROUTE_BROADCAST] = "broadcast",
	[NET_ROUTE_ANYCAST] = "anycast", [NET_ROUTE_MULTICAST] = "multicast", [NET_ROUTE_BLACKHOLE] = "blackhole",
	[NET_ROUTE_UNREACHABLE] = "unreachable", [NET_ROUTE_PROHIBIT] = "prohibit", [NET_ROUTE_THROW] = "throw", [NET_ROUTE_NAT] = "nat",
};

#define HOP(member, kind) ROW_FIELD(struct net_nexthop_row, member, kind)

static const struct field nexthop_fields[] = {
	{ HOP(gateway, ADDR), .title = "GATEWAY", .help = "router" },
	{ HOP(index, UINT), .title = "INDEX", .unit = UNIT_ID, .help = "number of the interface" },
	{ HOP(interface, TEXT), .title = "INTERFACE", .help = "interface it leaves by" },
	{ HOP(weight, UINT), .title = "WEIGHT", .unit = UNIT_ID, .help = "share of the connections that go this way" },
	{ HOP(flags, LIST), .title = "FLAGS", .help = "dead, linkdown, onlink" },
};

const struct row_type net_nexthop_row_type = {
	.name = "nexthop", .noun = "next hops", .id = 0x6e786870, .schema = 1, .size = sizeof(struct net_nexthop_row),
	.fields = nexthop_fields, .n_fields = ARRAY_LEN(nexthop_fields),
};

#define FIELD(member, kind) ROW_FIELD(struct net_route_row, member, kind)
#define AT(member)          .offset = offsetof(struct net_route_row, member)

static const struct field route_fields[] = {
	{ .name = "to", .title = "TO", .kind = FIELD_ADDR, AT(destination), .flags = FIELD_SCREEN | FIELD_NOCUT,
		.help = "where it leads", .format = format_destination },
	{ FIELD(destination, ADDR), .title = "DESTINATION", .help = "where it leads; 0.0.0.0/0 and ::/0: everywhere else",
		.flags = FIELD_HIDDEN },
	{ FIELD(type, ENUM), .title = "TYPE", .help = "unicast, local, broadcast, blackhole, unreachable, prohibit ...",
		.names = type_names, .n_names = NET_ROUTE_TYPE_N, .priority = 4 },
	{ .name = "via", .title = "VIA", .kind = FIELD_ADDR, AT(gateway), .flags = FIELD_SCREEN | FIELD_NOCUT, .priority = 1,
		.help = "router, or how many next hops", .format = format_gateway },
	{ FIELD(gateway, ADDR), .title = "GATEWAY", .help = "router; null: the destination itself is on the link", .flags = FIELD_HIDDEN },
	{ FIELD(interface, TEXT), .title = "INTERFACE", .help = "interface it leaves by", .priority = 1 },
	{ FIELD(index, UINT), .title = "INDEX", .unit = UNIT_ID, .help = "number of that interface", .flags = FIELD_HIDDEN },
	{ FIELD(source, ADDR), .title = "SOURCE", .help = "own address that is used", .flags = FIELD_NOCUT, .priority = 3 },
	{ FIELD(from, ADDR), .title = "FROM", .help = "only packets from there", .flags = FIELD_WIDE, .priority = 8 },
	{ .name = "table_name", .title = "TABLE", .kind = FIELD_TEXT, AT(table_name), .help = "main, local, default or a number",
		.priority = 2 },
	{ FIELD(table, UINT), .title = "TABLE-ID", .unit = UNIT_ID, .help = "number of the table", .flags = FIELD_HIDDEN },
	{ FIELD(metric, UINT), .title = "METRIC", .unit = UNIT_ID, .help = "the lowest wins; null: 0", .flags = FIELD_RIGHT,
		.priority = 5 },
	{ FIELD(protocol, TEXT), .title = "MADE BY", .help = "kernel, boot, static, dhcp, ra ...", .priority = 6 },
	{ FIELD(scope, TEXT), .title = "SCOPE", .help = "global, link, host", .flags = FIELD_WIDE, .priority = 8 },
	{ FIELD(mtu, UINT), .title = "MTU", .unit = UNIT_ID, .help = "largest packet, fixed for this route", .flags = FIELD_RIGHT | FIELD_WIDE,
		.priority = 7 },
	{ FIELD(flags, LIST), .title = "FLAGS", .help = "onlink, linkdown, dead", .flags = FIELD_WIDE, .priority = 7 },
	{ FIELD(nexthops, ROWS), .sub = &net_nexthop_row_type, .title = "NEXTHOPS", .help = "when the route has several",
		.flags = FIELD_HIDDEN },
	{ FIELD(family, ENUM), .title = "FAMILY", .help = "ipv4 or ipv6", .names = family_names, .n_names = ARRAY_LEN(family_names),
		.flags = FIELD_HIDDEN },
	{ FIELD(netns, UINT), .title = "NETNS", .unit = UNIT_ID, .help = "inode of the namespace it is in", .flags = FIELD_HIDDEN },
	{ FIELD(problem, TEXT), .title = "WHAT IS WRONG", .help = "what is wrong, in words; null: nothing found", .flags = FIELD_FLEX,
		.priority = 1 },
};

const struct row_type net_route_row_type = {
	.name = "ip-route", .noun = "routes", .id = 0x726f7574, .schema = 1, .size = sizeof(struct net_route_row),
	.fields = route_fields, .n_fields = ARRAY_LEN(route_fields),
};
