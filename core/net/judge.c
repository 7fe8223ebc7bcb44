/* Verdicts: see judge.h. Each row is copied with what is wrong with it; a sentence says what that means for packets. */
#include "core/net/judge.h"

#include "core/fd.h"
#include "core/net/address.h"
#include "core/net/neighbour.h"
#include "core/target.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct judge {
	const struct block *const *parts;
	const struct net_map *map;
	struct builder *findings;
};

/* --- saying it --- */

struct verdict {
	enum severity severity;
	char words[192];
};

__attribute__((format(printf, 3, 4))) static void say(struct verdict *v, enum severity severity, const char *fmt, ...)
{
	va_list ap;

	if (severity <= v->severity)
		return;
	v->severity = severity;
	va_start(ap, fmt);
	vsnprintf(v->words, sizeof v->words, fmt, ap);
	va_end(ap);
}

static void find(struct judge *j, enum severity severity, const char *part, struct text object, const char *problem)
{
	struct net_finding_row *f;

	if (severity < SEVERITY_WARN)
		return;
	f = builder_row(j->findings);
	*f = (struct net_finding_row){ .head.severity = severity, .gravity = severity == SEVERITY_BAD, .part = builder_str(j->findings, part),
		.object = builder_text(j->findings, object.n ? object.p : "", object.n), .problem = builder_str(j->findings, problem) };
	f->head.id = row_hash(problem, strlen(problem), row_hash(object.n ? object.p : "", object.n, 0));
}

/* --- interfaces --- */

static unsigned routes_over(const struct judge *j, uint64_t index)
{
	const struct block *b = j->parts[NET_ROUTES];
	unsigned n = 0;

	for (uint32_t i = 0; b && i < block_count(b); i++) {
		const struct net_route_row *r = block_row(b, i);

		n += r->index == index && r->table != NET_TABLE_LOCAL && r->type == NET_ROUTE_UNICAST;
	}
	return n;
}

static bool has_ports(const struct judge *j, uint64_t index)
{
	const struct block *b = j->parts[NET_LINKS];

	for (uint32_t i = 0; b && i < block_count(b); i++)
		if (((const struct net_link_row *)block_row(b, i))->master_index == index)
			return true;
	return false;
}

/* docker0 without a container has no carrier, and that is as it should be. */
static bool is_idle_bridge(const struct judge *j, const struct net_link_row *l)
{
	return text_equal(block_text(j->parts[NET_LINKS], l->kind), text_of("bridge")) && !has_ports(j, l->index);
}

static bool lacks_carrier(const struct net_link_row *l)
{
	return l->up == 1 && (l->carrier == 0 || l->state == NET_LINK_LOWERLAYERDOWN);
}

static void judge_link(const struct judge *j, const struct net_link_row *l, struct verdict *v)
{
	unsigned routes = lacks_carrier(l) && !is_idle_bridge(j, l) ? routes_over(j, l->index) : 0;
	bool other_down = l->state == NET_LINK_LOWERLAYERDOWN;

	if (routes)
		say(v, SEVERITY_BAD, "%s, but %u %s out of it", other_down ? "its other end is down" : "no carrier", routes,
			routes == 1 ? "route leads" : "routes lead");
	else if (lacks_carrier(l) && !is_idle_bridge(j, l))
		say(v, SEVERITY_WARN, other_down ? "its other end is down" : "no carrier");
	if (l->up == 0 && l->addresses.len != UINT32_MAX)
		say(v, SEVERITY_WARN, "is switched off, but has addresses");
	if (l->up == 1 && l->port_state != ROW_NO_ENUM && l->port_state != 3 && l->master_index != ROW_NO_UINT && l->carrier == 1)
		say(v, SEVERITY_WARN, "its bridge port does not forward");
	if (l->drop_rate > 0)
		say(v, SEVERITY_WARN, "loses %.0f packets a second", ceil(l->drop_rate));
}

static struct block *judge_links(struct judge *j)
{
	AUTO(block_unrefp) struct block *joined = net_path_join(j->map);
	struct builder *b = builder_new(&net_link_row_type);
	struct block *ret;

	for (uint32_t i = 0; i < block_count(joined); i++) {
		struct net_link_row *row = builder_copy_row(b, joined, block_row(joined, i));
		struct text known = block_text(joined, ((const struct net_link_row *)block_row(joined, i))->problem);
		struct verdict v = { .severity = row->head.severity };

		snprintf(v.words, sizeof v.words, "%.*s", (int)known.n, known.n ? known.p : "");
		judge_link(j, block_row(joined, i), &v);
		row->head.severity = v.severity;
		row->problem = builder_str(b, v.words[0] ? v.words : NULL);
		find(j, v.severity, "interface", block_text(joined, ((const struct net_link_row *)block_row(joined, i))->name), v.words);
	}
	builder_cost(b, block_cost_us(joined));
	ret = builder_block(b);
	builder_free(b);
	return ret;
}

/* --- addresses --- */

static const struct net_address_row *twin(const struct block *b, uint32_t at)
{
	const struct net_address_row *a = block_row(b, at);

	for (uint32_t i = 0; i < block_count(b); i++) {
		const struct net_address_row *other = block_row(b, i);

		/* link-local addresses are of one link each (RFC 4291 2.5.6) */
		if (i != at && addr_same(&a->address, &other->address) && a->index != other->index &&
			!(a->family == 6 && a->address.bytes[0] == 0xfe && (a->address.bytes[1] & 0xc0) == 0x80))
			return other;
	}
	return NULL;
}

static void judge_address(const struct block *b, uint32_t i, struct verdict *v)
{
	const struct net_address_row *a = block_row(b, i), *other = twin(b, i);
	struct text where = other ? block_text(b, other->interface) : text_of("");

	if (a->head.flags & NET_ADDRESS_DADFAILED)
		say(v, SEVERITY_BAD, "not usable: somebody on the link has it already (duplicate address detection failed)");
	if (a->head.flags & NET_ADDRESS_TENTATIVE)
		say(v, SEVERITY_WARN, "not usable yet: still tentative");
	if (other)
		say(v, SEVERITY_BAD, "is on %.*s, too: replies may take either", (int)where.n, where.n ? where.p : "");
}

static struct block *judge_addresses(struct judge *j)
{
	const struct block *from = j->parts[NET_ADDRESSES];
	struct builder *b = builder_new(&net_address_row_type);
	char text[ADDR_TEXT];
	struct block *ret;

	for (uint32_t i = 0; i < block_count(from); i++) {
		struct net_address_row *row = builder_copy_row(b, from, block_row(from, i));
		struct verdict v = { 0 };

		judge_address(from, i, &v);
		row->head.severity = v.severity;
		row->problem = builder_str(b, v.words[0] ? v.words : NULL);
		find(j, v.severity, "address", text_of(addr_format(&row->address, text)), v.words);
	}
	ret = builder_block(b);
	builder_free(b);
	return ret;
}

/* --- neighbours and routes --- */

static bool is_gateway(const struct judge *j, const struct net_neighbour_row *n)
{
	const struct block *b = j->parts[NET_ROUTES];

	for (uint32_t i = 0; b && i < block_count(b); i++) {
		const struct net_route_row *r = block_row(b, i);

		if (addr_same(&r->gateway, &n->address) && r->gateway.kind && (r->index == n->index || r->index == ROW_NO_UINT))
			return true;
		for (uint32_t k = 0; k < r->nexthops.n; k++) {
			const struct net_nexthop_row *hop = block_nested(b, &net_nexthop_row_type, r->nexthops, k);

			if (addr_same(&hop->gateway, &n->address) && hop->gateway.kind && hop->index == n->index)
				return true;
		}
	}
	return false;
}

static void judge_neighbour(const struct net_neighbour_row *n, bool gateway, struct verdict *v)
{
	const char *question = n->address.kind == ADDR_IP6 ? "neighbour discovery" : "ARP";

	if (n->state == NET_NEIGHBOUR_FAILED && gateway)
		say(v, SEVERITY_BAD, "the gateway does not answer %s: nothing gets out this way", question);
	else if (n->state == NET_NEIGHBOUR_FAILED)
		say(v, SEVERITY_WARN, "does not answer %s", question);
	else if (n->state == NET_NEIGHBOUR_INCOMPLETE)
		say(v, SEVERITY_WARN, "%sis asked by %s, no answer so far", gateway ? "the gateway " : "", question);
}

static struct text target_with(const struct block *targets, const struct addr *address)
{
	for (uint32_t i = 0; targets && i < block_count(targets); i++) {
		const struct target_row *t = block_row(targets, i);

		for (uint32_t e = 0; e < t->endpoints.n; e++) {
			const struct endpoint_row *ep = block_nested(targets, &endpoint_row_type, t->endpoints, e);

			if (addr_same(&ep->address, address) || (ep->address6.kind && addr_same(&ep->address6, address)))
				return block_text(targets, t->name);
		}
	}
	return (struct text){ 0 };
}

static struct block *judge_neighbours(struct judge *j)
{
	const struct block *from = j->parts[NET_NEIGHBOURS];
	struct builder *b = builder_new(&net_neighbour_row_type);
	char text[ADDR_TEXT];
	struct block *ret;

	for (uint32_t i = 0; i < block_count(from); i++) {
		struct net_neighbour_row *row = builder_copy_row(b, from, block_row(from, i));
		struct text target = target_with(j->map->targets, &row->address);
		struct verdict v = { 0 };

		row->gateway = is_gateway(j, row);
		judge_neighbour(row, row->gateway, &v);
		row->head.severity = v.severity;
		row->target = builder_text(b, target.p, target.n);
		row->problem = builder_str(b, v.words[0] ? v.words : NULL);
		find(j, v.severity, "neighbour", text_of(addr_format(&row->address, text)), v.words);
	}
	ret = builder_block(b);
	builder_free(b);
	return ret;
}

static const struct net_neighbour_row *neighbour_of(const struct judge *j, const struct addr *gateway, uint64_t index)
{
	const struct block *b = j->parts[NET_NEIGHBOURS];

	for (uint32_t i = 0; b && gateway->kind && i < block_count(b); i++) {
		const struct net_neighbour_row *n = block_row(b, i);

		if (addr_same(&n->address, gateway) && n->index == index)
			return n;
	}
	return NULL;
}

static void judge_route(const struct judge *j, const struct net_route_row *r, struct verdict *v)
{
	const struct net_link_row *l = net_link_find(j->parts[NET_LINKS], r->netns, r->index);
	const struct net_neighbour_row *n = neighbour_of(j, &r->gateway, r->index);
	char text[ADDR_TEXT];

	if (n && n->state == NET_NEIGHBOUR_FAILED)
		say(v, SEVERITY_BAD, "its gateway %s does not answer", addr_format(&r->gateway, text));
	if (l && lacks_carrier(l) && !is_idle_bridge(j, l) && r->table != NET_TABLE_LOCAL)
		say(v, SEVERITY_BAD, "its interface has no carrier");
	if (l && l->mtu != ROW_NO_UINT && r->mtu != ROW_NO_UINT && r->mtu > l->mtu)
		say(v, SEVERITY_WARN, "MTU %" PRIu64 " is more than the %" PRIu64 " of its interface", r->mtu, l->mtu);
}

static struct block *judge_routes(struct judge *j)
{
	const struct block *from = j->parts[NET_ROUTES];
	struct builder *b = builder_new(&net_route_row_type);
	struct row_look look = { .charset = TEXT_UTF8 };
	char text[ADDR_TEXT + 16];
	struct block *ret;

	for (uint32_t i = 0; i < block_count(from); i++) {
		struct net_route_row *row = builder_copy_row(b, from, block_row(from, i));
		struct verdict v = { 0 };

		judge_route(j, block_row(from, i), &v);
		row->head.severity = v.severity;
		row->problem = builder_str(b, v.words[0] ? v.words : NULL);
		row_format(from, &net_route_row_type.fields[0], block_row(from, i), &look, text, sizeof text);
		find(j, v.severity, "route", text_of(text), v.words);
	}
	ret = builder_block(b);
	builder_free(b);
	return ret;
}

/* --- the namespace and the way out --- */

static void judge_default(struct judge *j)
{
	const struct block *links = j->parts[NET_LINKS];
	bool any = false;

	if (!links || !j->parts[NET_ROUTES] || net_route_default(j->parts[NET_ROUTES], j->map->netns, 4) ||
		net_route_default(j->parts[NET_ROUTES], j->map->netns, 6))
		return;
	for (uint32_t i = 0; i < block_count(links); i++) {
		const struct net_link_row *l = block_row(links, i);

		any |= l->up == 1 && l->addresses.len != UINT32_MAX && !text_equal(block_text(links, l->type), text_of("loopback"));
	}
	if (any)
		find(j, SEVERITY_WARN, "namespace", net_path_owner(j->map->targets, j->map->netns),
			"no default route: only what is on its own networks can be reached");
}

/* Within one cable or bridge nobody says that a packet was too large; a router does. */
static void judge_hop(const struct block *path, uint32_t i, struct verdict *v)
{
	const struct net_hop_row *h = block_row(path, i), *before = i ? block_row(path, i - 1) : NULL;
	struct net_link_row l = { .up = h->up, .carrier = h->carrier, .state = h->state };
	struct text name = before ? block_text(path, before->name) : text_of("");
	bool routed = text_equal(block_text(path, h->step), text_of("uplink")) || h->route.len != UINT32_MAX;

	if (h->up == 0)
		say(v, SEVERITY_BAD, "is switched off");
	else if (lacks_carrier(&l))
		say(v, SEVERITY_BAD, h->state == NET_LINK_LOWERLAYERDOWN ? "its other end is down" : "no carrier");
	if (before && h->mtu != ROW_NO_UINT && before->mtu != ROW_NO_UINT && h->mtu < before->mtu)
		say(v, routed ? SEVERITY_WARN : SEVERITY_BAD, "MTU %" PRIu64 " after %" PRIu64 " of %.*s: %s", h->mtu, before->mtu, (int)name.n,
			name.n ? name.p : "", routed ? "needs path MTU discovery" : "larger packets get lost");
	if (h->drop_rate > 0)
		say(v, SEVERITY_WARN, "loses %.0f packets a second", ceil(h->drop_rate));
}

static struct block *judge_path(struct judge *j)
{
	AUTO(block_unrefp) struct block *path = net_path(j->map, ROW_NO_UINT);
	struct builder *b = builder_new(&net_hop_row_type);
	struct block *ret;

	for (uint32_t i = 0; i < block_count(path); i++) {
		struct net_hop_row *row = builder_copy_row(b, path, block_row(path, i));
		struct verdict v = { 0 };

		judge_hop(path, i, &v);
		row->head.severity = v.severity;
		row->problem = builder_str(b, v.words[0] ? v.words : NULL);
		if (i) /* the first hop is one of the interfaces, judged above */
			find(j, v.severity, "path", block_text(path, ((const struct net_hop_row *)block_row(path, i))->name), v.words);
	}
	ret = builder_block(b);
	builder_free(b);
	return ret;
}

struct block *net_judge_walk(const struct block *walk, const struct block *targets)
{
	struct builder *b = builder_new(&net_hop_row_type);
	struct block *ret;

	for (uint32_t i = 0; i < block_count(walk); i++) {
		const struct net_hop_row *from = block_row(walk, i);
		struct net_hop_row *row = builder_copy_row(b, walk, from);
		struct text owner = net_path_owner(targets, row->netns), known = block_text(walk, from->problem);
		struct verdict v = { .severity = row->head.severity };

		snprintf(v.words, sizeof v.words, "%.*s", (int)known.n, known.n ? known.p : "");
		judge_hop(walk, i, &v);
		row->head.severity = v.severity;
		row->target = builder_text(b, owner.p, owner.n);
		row->problem = builder_str(b, v.words[0] ? v.words : NULL);
	}
	builder_cost(b, block_cost_us(walk));
	ret = builder_block(b);
	builder_free(b);
	return ret;
}

uint32_t net_walk_lost(const struct block *walk)
{
	for (uint32_t i = 0; i < block_count(walk); i++)
		if (((const struct net_hop_row *)block_row(walk, i))->end == NET_HOP_LOST)
			return i;
	return UINT32_MAX;
}

/* Stable: the order of the parts stays within one severity. */
static struct block *gravest_first(struct builder *from)
{
	AUTO(block_unrefp) struct block *all = builder_block(from);
	struct builder *b = builder_new(&net_finding_row_type);
	struct block *ret;

	for (uint32_t grave = 2; grave-- > 0;)
		for (uint32_t i = 0; i < block_count(all); i++)
			if (((const struct net_finding_row *)block_row(all, i))->gravity == grave)
				builder_copy_row(b, all, block_row(all, i));
	ret = builder_block(b);
	builder_free(b);
	return ret;
}

void net_judge(const struct block *const parts[NET_PARTS], const struct net_map *map, struct net_facts *ret)
{
	struct net_map whole = *map;
	struct judge j = { .parts = parts, .map = &whole, .findings = builder_new(&net_finding_row_type) };

	*ret = (struct net_facts){ .findings = NULL };
	whole.links = parts[NET_LINKS];
	whole.routes = parts[NET_ROUTES];
	judge_default(&j);
	if (parts[NET_LINKS])
		ret->parts[NET_LINKS] = judge_links(&j);
	if (parts[NET_ADDRESSES])
		ret->parts[NET_ADDRESSES] = judge_addresses(&j);
	if (parts[NET_ROUTES])
		ret->parts[NET_ROUTES] = judge_routes(&j);
	if (parts[NET_NEIGHBOURS])
		ret->parts[NET_NEIGHBOURS] = judge_neighbours(&j);
	if (parts[NET_RULES])
		ret->parts[NET_RULES] = block_ref((struct block *)(uintptr_t)parts[NET_RULES]);
	ret->path = judge_path(&j);
	ret->findings = gravest_first(j.findings);
	builder_free(j.findings);
}

void net_facts_done(struct net_facts *f)
{
	for (unsigned p = 0; p < NET_PARTS; p++)
		block_unref(f->parts[p]);
	block_unref(f->path);
	block_unref(f->findings);
	*f = (struct net_facts){ .path = NULL };
}

static const char *const gravity_names[] = { "warning", "broken" };

#define FIELD(member, kind) ROW_FIELD(struct net_finding_row, member, kind)

static const struct field finding_fields[] = {
	{ FIELD(gravity, ENUM), .title = "GRAVITY", .help = "warning or broken", .names = gravity_names, .n_names = ARRAY_LEN(gravity_names) },
	{ FIELD(part, TEXT), .title = "PART", .help = "namespace, interface, address, route, neighbour or path" },
	{ FIELD(object, TEXT), .title = "OBJECT", .help = "which one" },
	{ FIELD(problem, TEXT), .title = "WHAT IS WRONG", .help = "what is wrong, and what that means for packets", .flags = FIELD_FLEX },
};

const struct row_type net_finding_row_type = {
	.name = "ip-check", .noun = "findings", .id = 0x66696e64, .schema = 1, .size = sizeof(struct net_finding_row),
	.fields = finding_fields, .n_fields = ARRAY_LEN(finding_fields),
};
