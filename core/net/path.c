/* From device to device: see path.h. */
#include "core/net/path.h"

#include "core/fd.h"
#include "core/net/neighbour.h"
#include "core/target.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MAX_HOPS = 16 };

/* --- looking up --- */

struct place { /* a row and the block that holds its strings */
	const struct block *b;
	const struct net_link_row *row;
};

static struct place find(const struct net_map *map, uint64_t netns, uint64_t index)
{
	const struct block *const blocks[] = { map->links, map->side_links };

	for (size_t i = 0; i < ARRAY_LEN(blocks); i++) {
		const struct net_link_row *row = net_link_find(blocks[i], netns, index);

		if (row)
			return (struct place){ blocks[i], row };
	}
	return (struct place){ 0 };
}

static bool is_kind(struct place p, const char *kind)
{
	return text_equal(block_text(p.b, p.row->kind), text_of(kind));
}

/* Both ends of a pair name each other; what lies below a macvlan knows nothing of it. */
static struct place other_end(const struct net_map *map, struct place p)
{
	uint64_t netns = p.row->link_netnsid == ROW_NO_INT ? p.row->netns : p.row->peer_netns;
	struct place q = { 0 };

	if (p.row->link_index != ROW_NO_UINT && netns != ROW_NO_UINT)
		q = find(map, netns, p.row->link_index);
	if (q.row && is_kind(p, "veth") && (!is_kind(q, "veth") || q.row->link_index != p.row->index))
		q.row = NULL;
	return q;
}

/* Whose namespace is it? A guest names it only when nobody else does. */
static int rank(const struct target_row *t)
{
	if (t->head.flags & TARGET_IS_HOST)
		return 3;
	if (t->shares_with.len != UINT32_MAX || t->head.flags & TARGET_HOST_NETWORK)
		return 0;
	return t->head.flags & TARGET_IS_CONTAINER ? 2 : 1;
}

struct text net_path_owner(const struct block *targets, uint64_t netns)
{
	const struct target_row *best = NULL;

	for (uint32_t i = 0; targets && netns != ROW_NO_UINT && i < block_count(targets); i++) {
		const struct target_row *t = block_row(targets, i);

		if (t->netns == netns && (!best || rank(t) > rank(best)))
			best = t;
	}
	return best ? block_text(targets, best->name) : (struct text){ 0 };
}

/* --- hops --- */

static uint64_t sum(uint64_t a, uint64_t b)
{
	return a == ROW_NO_UINT || b == ROW_NO_UINT ? ROW_NO_UINT : a + b;
}

struct net_hop_row net_hop_of(const struct net_link_row *l)
{
	return (struct net_hop_row){ .head.id = l->head.id, .name = ROW_NO_TEXT, .target = ROW_NO_TEXT, .netns = l->netns, .kind = ROW_NO_TEXT,
		.step = ROW_NO_TEXT, .index = l->index, .state = l->state, .up = l->up, .carrier = l->carrier, .mtu = l->mtu,
		.rx_bytes = l->rx.bytes, .tx_bytes = l->tx.bytes, .errors = sum(l->rx.errors, l->tx.errors),
		.dropped = sum(l->rx.dropped, l->tx.dropped), .rx_rate = l->rx_rate, .tx_rate = l->tx_rate, .drop_rate = l->drop_rate,
		.route = ROW_NO_TEXT, .next_hop_state = ROW_NO_ENUM, .end = ROW_NO_ENUM, .problem = ROW_NO_TEXT };
}

static void add(struct builder *b, const struct net_map *map, struct place p, const char *step)
{
	struct text name = block_text(p.b, p.row->name), kind = block_text(p.b, p.row->kind), owner;
	struct net_hop_row *hop = builder_row(b);

	owner = net_path_owner(map->targets, p.row->netns);
	*hop = net_hop_of(p.row);
	hop->hop = builder_count(b);
	hop->name = builder_text(b, name.p, name.n);
	hop->target = builder_text(b, owner.p, owner.n);
	hop->kind = builder_text(b, kind.p, kind.n);
	hop->step = builder_str(b, step);
}

static bool is_there(struct builder *b, const struct net_link_row *row)
{
	for (uint32_t i = 0; i < builder_count(b); i++) {
		const struct net_hop_row *hop = builder_at(b, i);

		if (hop->netns == row->netns && hop->index == row->index)
			return true;
	}
	return false;
}

/* A port of the bridge that is no cable to a container: hardware, a bond, a vlan. */
static struct place outer_port(const struct net_map *map, struct place bridge)
{
	for (uint32_t i = 0; i < block_count(bridge.b); i++) {
		struct place p = { bridge.b, block_row(bridge.b, i) };

		if (p.row->netns == bridge.row->netns && p.row->master_index == bridge.row->index && p.row->up == 1 && p.row->carrier != 0 &&
			!is_kind(p, "veth") && !is_kind(p, "tun"))
			return p;
	}
	(void)map;
	return (struct place){ 0 };
}

static struct place default_device(const struct net_map *map, uint64_t netns)
{
	const struct block *routes = netns == map->netns ? map->routes : map->side_routes;
	const struct net_route_row *r = net_route_default(routes, netns, 4);

	if (!r)
		r = net_route_default(routes, netns, 6);
	if (!r)
		return (struct place){ 0 };
	if (r->index == ROW_NO_UINT && r->nexthops.n) {
		const struct net_nexthop_row *hop = block_nested(routes, &net_nexthop_row_type, r->nexthops, 0);

		return find(map, netns, hop->index);
	}
	return find(map, netns, r->index);
}

/* Where the way goes on from a device that was reached from a container's side: its bridge first, then the namespace's default route. */
static struct place go_on(struct builder *b, const struct net_map *map, struct place p)
{
	struct place master = p.row->master_index == ROW_NO_UINT ? (struct place){ 0 } : find(map, p.row->netns, p.row->master_index), next;

	if (master.row && !is_there(b, master.row)) {
		add(b, map, master, is_kind(master, "bridge") ? "bridge" : "master");
		next = is_kind(master, "bridge") ? outer_port(map, master) : (struct place){ 0 };
		if (next.row && !is_there(b, next.row))
			return next;
	}
	next = default_device(map, p.row->netns);
	return next.row && !is_there(b, next.row) ? next : (struct place){ 0 };
}

struct block *net_path(const struct net_map *map, uint64_t index)
{
	struct builder *b = builder_new(&net_hop_row_type);
	struct place p = index == ROW_NO_UINT ? default_device(map, map->netns) : find(map, map->netns, index);
	const char *step = index == ROW_NO_UINT ? "default route" : "route";
	struct block *ret;

	while (p.row && builder_count(b) < MAX_HOPS && !is_there(b, p.row)) {
		struct place q = other_end(map, p);
		bool pair = is_kind(p, "veth");

		add(b, map, p, step);
		step = "uplink";
		if (!q.row || is_there(b, q.row))
			break;
		if (!pair) { /* macvlan, vlan: what lies below sends it */
			p = q;
			step = "below";
			continue;
		}
		add(b, map, q, "peer");
		p = go_on(b, map, q);
	}
	ret = builder_block(b);
	builder_free(b);
	return ret;
}

/* --- joining --- */

static void join(struct builder *b, const struct net_map *map, const struct net_link_row *from)
{
	struct net_link_row *row = builder_copy_row(b, map->links, from);
	struct place here = { map->links, from }, there = from->link_netnsid == ROW_NO_INT ? (struct place){ 0 } : other_end(map, here);
	struct text owner = net_path_owner(map->targets, from->peer_netns), name;

	if (there.row) {
		name = block_text(there.b, there.row->name);
		row->peer = builder_text(b, name.p, name.n);
	}
	row->peer_target = builder_text(b, owner.p, owner.n);
	if (!there.row && from->link_netnsid == ROW_NO_INT)
		there = other_end(map, here);
	if (there.row && is_kind(here, "veth") && there.row->mtu != from->mtu && from->mtu != ROW_NO_UINT) {
		char why[128];

		snprintf(why, sizeof why, "MTU %" PRIu64 ", but %" PRIu64 " at its other end: larger packets get lost", from->mtu, there.row->mtu);
		row->problem = builder_str(b, why);
		row->head.severity = SEVERITY_BAD;
	}
}

struct block *net_path_join(const struct net_map *map)
{
	struct builder *b = builder_new(&net_link_row_type);
	struct block *ret;

	for (uint32_t i = 0; map->links && i < block_count(map->links); i++)
		join(b, map, block_row(map->links, i));
	builder_cost(b, map->links ? block_cost_us(map->links) : 0);
	ret = builder_block(b);
	builder_free(b);
	return ret;
}

/* --- what to ask for --- */

static int32_t process_in(const struct block *targets, uint64_t netns)
{
	for (uint32_t i = 0; targets && i < block_count(targets); i++) {
		const struct target_row *t = block_row(targets, i);

		if (t->netns == netns && t->pid != ROW_NO_UINT && t->pid > 0)
			return (int32_t)t->pid;
	}
	return 0;
}

static bool is_listed(const struct net_namespace *list, uint32_t n, uint64_t netns)
{
	for (uint32_t i = 0; i < n; i++)
		if (list[i].inode == netns)
			return true;
	return false;
}

static void list(const struct net_map *map, uint64_t netns, struct net_namespace *ret, uint32_t *n, uint32_t cap)
{
	if (*n < cap && netns != ROW_NO_UINT && netns != map->netns && !is_listed(ret, *n, netns))
		ret[(*n)++] = (struct net_namespace){ .pid = process_in(map->targets, netns), .inode = netns };
}

uint32_t net_path_sides(const struct net_map *map, struct net_namespace *ret, uint32_t cap)
{
	const struct block *const blocks[] = { map->links, map->side_links };
	uint32_t n = 0;

	for (size_t k = 0; k < ARRAY_LEN(blocks); k++)
		for (uint32_t i = 0; blocks[k] && i < block_count(blocks[k]); i++)
			list(map, ((const struct net_link_row *)block_row(blocks[k], i))->peer_netns, ret, &n, cap);
	for (uint32_t i = 0; n && map->targets && i < block_count(map->targets); i++) {
		const struct target_row *t = block_row(map->targets, i);

		if (t->head.flags & TARGET_IS_HOST)
			list(map, t->netns, ret, &n, cap);
	}
	return n;
}

uint32_t net_path_left_out(const struct net_map *map, const struct net_namespace *sides, uint32_t n)
{
	uint32_t left = 0;

	for (uint32_t i = 0; map->links && i < block_count(map->links); i++) {
		uint64_t peer = ((const struct net_link_row *)block_row(map->links, i))->peer_netns;

		left += peer != ROW_NO_UINT && peer != map->netns && !is_listed(sides, n, peer);
	}
	return left;
}

bool net_path_wants_sides(const struct net_map *map)
{
	for (uint32_t i = 0; map->links && i < block_count(map->links); i++) {
		const struct net_link_row *row = block_row(map->links, i);
		bool known = row->peer_netns == ROW_NO_UINT || row->peer_netns == map->netns;

		for (uint32_t k = 0; !known && map->side_links && k < block_count(map->side_links); k++)
			known = ((const struct net_link_row *)block_row(map->side_links, k))->netns == row->peer_netns;
		if (!known)
			return true;
	}
	return false;
}

uint32_t net_path_processes(const struct block *targets, uint32_t *at, struct net_namespace ret[NET_NAMESPACES])
{
	uint32_t n = 0;

	for (; targets && *at < block_count(targets) && n < NET_NAMESPACES; (*at)++) {
		const struct target_row *t = block_row(targets, *at);

		if (t->pid != ROW_NO_UINT && t->pid > 0 && t->netns != ROW_NO_UINT)
			ret[n++] = (struct net_namespace){ .pid = (int32_t)t->pid, .inode = t->netns };
	}
	return n;
}

/* --- fields --- */

static size_t format_state(const struct block *b, const void *row, char *buf, size_t cap)
{
	const struct net_hop_row *h = row;
	struct net_link_row l = { .up = h->up, .carrier = h->carrier, .state = h->state };
	int n = snprintf(buf, cap, "%s", net_link_words(&l));

	(void)b;
	return n < 0 ? 0 : (size_t)n < cap ? (size_t)n : cap - 1;
}

static const char *const end_names[NET_HOP_END_N] = {
	[NET_HOP_DESTINATION] = "destination", [NET_HOP_UPLINK] = "uplink", [NET_HOP_LOST] = "lost", [NET_HOP_UNKNOWN] = "unknown",
};

#define FIELD(member, kind) ROW_FIELD(struct net_hop_row, member, kind)
#define AT(member)          .offset = offsetof(struct net_hop_row, member)

static const struct field hop_fields[] = {
	{ FIELD(hop, UINT), .title = "HOP", .unit = UNIT_ID, .help = "from 1, the interface in the target", .flags = FIELD_RIGHT },
	{ FIELD(name, TEXT), .title = "NAME", .help = "name of the device" },
	{ FIELD(target, TEXT), .title = "IN", .help = "container or host whose namespace it is in" },
	{ FIELD(step, TEXT), .title = "HOW", .priority = 3,
		.help = "how one gets there: default route, route, peer, bridge, port, below, tunnel, uplink, destination" },
	{ FIELD(kind, TEXT), .title = "KIND", .help = "veth, bridge, macvlan ...; hardware has none", .priority = 3 },
	{ .name = "condition", .title = "STATE", .kind = FIELD_BOOL, AT(up), .flags = FIELD_SCREEN, .help = "up, down, no carrier",
		.format = format_state },
	{ FIELD(up, BOOL), .title = "UP", .help = "switched on", .flags = FIELD_HIDDEN },
	{ FIELD(carrier, BOOL), .title = "CARRIER", .help = "something is at the other end", .flags = FIELD_HIDDEN },
	{ FIELD(mtu, UINT), .title = "MTU", .unit = UNIT_ID, .help = "largest packet, bytes", .flags = FIELD_RIGHT },
	{ FIELD(rx_bytes, UINT), .title = "RX-BYTES", .unit = UNIT_BYTES, .help = "bytes received", .flags = FIELD_RIGHT, .priority = 4 },
	{ FIELD(tx_bytes, UINT), .title = "TX-BYTES", .unit = UNIT_BYTES, .help = "bytes sent", .flags = FIELD_RIGHT, .priority = 4 },
	{ FIELD(errors, UINT), .title = "ERRORS", .help = "errors, both directions", .flags = FIELD_RIGHT, .priority = 2 },
	{ FIELD(dropped, UINT), .title = "DROPS", .help = "dropped packets, both directions", .flags = FIELD_RIGHT, .priority = 1 },
	{ FIELD(route, TEXT), .title = "ROUTE", .help = "route that its namespace chose; null: no choice is made here", .priority = 2 },
	{ FIELD(next_hop, ADDR), .title = "NEXT", .help = "whose hardware address is asked for: gateway or destination", .flags = FIELD_NOCUT,
		.priority = 2 },
	{ FIELD(next_hop_state, ENUM), .title = "NEIGHBOUR", .help = "does that one answer? null: nobody asked so far",
		.names = net_neighbour_state_names, .n_names = NET_NEIGHBOUR_STATE_N, .priority = 3 },
	{ FIELD(source, ADDR), .title = "SOURCE", .help = "the packet's sender", .flags = FIELD_NOCUT | FIELD_WIDE, .priority = 5 },
	{ FIELD(end, ENUM), .title = "END", .help = "the way ends here: destination, uplink, lost, unknown; null: it goes on",
		.names = end_names, .n_names = NET_HOP_END_N, .priority = 3 },
	{ FIELD(index, UINT), .title = "INDEX", .unit = UNIT_ID, .help = "number of the interface", .flags = FIELD_HIDDEN },
	{ FIELD(netns, UINT), .title = "NETNS", .unit = UNIT_ID, .help = "inode of its namespace", .flags = FIELD_HIDDEN },
	{ FIELD(problem, TEXT), .title = "WHAT IS WRONG", .help = "what is wrong, in words; null: nothing found", .flags = FIELD_FLEX,
		.priority = 1 },
};

const struct row_type net_hop_row_type = {
	.name = "ip-path", .noun = "hops", .id = 0x70617468, .schema = 1, .size = sizeof(struct net_hop_row), .fields = hop_fields,
	.n_fields = ARRAY_LEN(hop_fields),
};
