/* Who takes packets to a port: rules in the order in which the kernel asks them, then sockets. See ports_draft.h. */
#include "core/net/ports_draft.h"

#include "core/fd.h"

#include <string.h>

static const struct addr any4 = { .kind = ADDR_IP4 }, any6 = { .kind = ADDR_IP6 };
static const struct addr loopback4 = { .kind = ADDR_IP4, .bytes = { 127, 0, 0, 1 } };
static const struct addr loopback6 = { .kind = ADDR_IP6, .bytes = { [15] = 1 } };

/* --- looking up --- */

const struct net_place_row *net_ports_place(const struct net_port_facts *f, uint64_t netns)
{
	for (uint32_t i = 0; f->places && netns != ROW_NO_UINT && i < block_count(f->places); i++) {
		const struct net_place_row *p = block_row(f->places, i);

		if (p->netns == netns)
			return p;
	}
	return NULL;
}

/* Rows of holders come in the order of their inodes. */
const struct net_holder_row *net_ports_holder(const struct net_port_facts *f, const struct net_listener_row *l)
{
	uint32_t low = 0, high = f->holders ? block_count(f->holders) : 0;

	while (l && l->inode != ROW_NO_UINT && low < high) {
		uint32_t middle = low + (high - low) / 2;
		const struct net_holder_row *h = block_row(f->holders, middle);

		if (h->inode == l->inode)
			return h;
		if (h->inode < l->inode)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

bool net_ports_has(const struct net_port_facts *f, const struct net_place_row *place, const struct addr *a)
{
	for (uint32_t i = 0; place && i < place->own.n; i++) {
		const struct net_own_row *own = block_nested(f->places, &net_own_row_type, place->own, i);

		if (addr_same(&own->address, a))
			return true;
	}
	return false;
}

bool net_ports_protocol(struct text name, enum net_protocol *ret)
{
	for (unsigned i = 0; i < NET_PROTOCOL_N; i++)
		if (text_equal(name, text_of(net_protocol_names[i]))) {
			*ret = (enum net_protocol)i;
			return true;
		}
	return false;
}

/* --- sockets --- */

bool net_ports_covers(const struct net_listener_row *l, const struct addr *to)
{
	struct addr own = addr_unmap(&l->address);

	if (addr_same(&own, to))
		return true;
	if (!addr_is_any(&own) || addr_is_any(to))
		return false;
	return own.kind == to->kind || (own.kind == ADDR_IP6 && to->kind == ADDR_IP4 && !l->v6only);
}

const struct net_listener_row *net_ports_listener(const struct net_port_facts *f, uint64_t netns, enum net_protocol protocol, uint64_t port,
	const struct addr *to)
{
	const struct net_listener_row *best = NULL;

	for (uint32_t i = 0; f->listeners && i < block_count(f->listeners); i++) {
		const struct net_listener_row *l = block_row(f->listeners, i);

		if (l->netns != netns || l->protocol != protocol || l->port != port || !net_ports_covers(l, to))
			continue;
		if (addr_same(&l->address, to)) /* the kernel prefers the more exact one as well */
			return l;
		if (!best || (addr_is_any(&best->address) && l->family == (to->kind == ADDR_IP4 ? 4u : 6u)))
			best = l;
	}
	return best;
}

/* rootlessport's child and slirp4netns send to the container's IPv4 address; pasta keeps the family. Others go on from 127.0.0.1. */
static bool sends_to_address(const struct net_port_draft *d)
{
	return !d->rootless || (d->by && (d->by->forwarder == NET_FORWARDER_ROOTLESSPORT || d->by->forwarder == NET_FORWARDER_SLIRP4NETNS ||
		d->by->forwarder == NET_FORWARDER_PASTA));
}

struct addr net_ports_inside(const struct net_port_group *g, const struct net_port_draft *d)
{
	bool keeps = !d->by || d->by->forwarder == NET_FORWARDER_PASTA;
	unsigned kind = d->host.kind == ADDR_IP6 && keeps ? ADDR_IP6 : ADDR_IP4;

	if (d->rule && d->rule->to_address.kind != ADDR_NONE)
		return d->rule->to_address;
	if (d->by && d->by->to_address.kind != ADDR_NONE)
		return d->by->to_address;
	for (uint32_t i = 0; g->place && sends_to_address(d) && i < g->place->own.n; i++) {
		const struct net_own_row *own = block_nested(g->f->places, &net_own_row_type, g->place->own, i);

		if (own->address.kind == kind && !own->inner)
			return own->address;
	}
	return (struct addr){ 0 };
}

/* --- rules --- */

/* A port that lies in the range is kept, unless the range is shifted (nf_nat_l4proto_unique_tuple of the kernel). */
uint64_t net_ports_to_port(const struct nat_row *r, uint64_t host_port)
{
	if (r->to_port == ROW_NO_UINT)
		return host_port;
	if (r->shifted && r->port != ROW_NO_UINT && host_port >= r->port)
		return r->to_port + (host_port - r->port);
	return r->to_port_last != ROW_NO_UINT && host_port >= r->to_port && host_port <= r->to_port_last ? host_port : r->to_port;
}

bool net_ports_is_ours(const struct net_port_group *g, const struct net_port_draft *d, const struct nat_row *r)
{
	return r->action == NAT_DNAT && net_ports_has(g->f, g->place, &r->to_address) &&
		(d->port == ROW_NO_UINT || net_ports_to_port(r, d->host_port) == d->port);
}

/* The first rule that packets meet. What asks for more than an address and a port may let them pass, unless it leads to us. */
static const struct nat_row *first_rule(const struct net_port_group *g, const struct net_port_draft *d, uint32_t hook, const struct addr *to)
{
	for (uint32_t i = 0; g->rules && i < block_count(g->rules); i++) {
		const struct nat_row *r = block_row(g->rules, i);

		if (!(r->from & hook) || (r->loopback_not && hook == NAT_FROM_HOST && addr_is_loopback(to)))
			continue;
		if (r->conditions.len != UINT32_MAX && !net_ports_is_ours(g, d, r))
			continue;
		if (nat_matches(g->rules, r, d->protocol, to, d->host_port))
			return r;
	}
	return NULL;
}

/* --- the way --- */

bool net_ports_is_virtual(const struct net_port_group *g, const struct net_port_draft *d)
{
	return d->rule && d->published != 1 && d->host.kind != ADDR_NONE && !addr_is_any(&d->host) && !addr_is_loopback(&d->host) &&
		!net_ports_has(g->f, d->at, &d->host);
}

/* An address of the place of this kind: an outer one, else (unless `outer`) any but loopback. */
static bool own_address(const struct net_port_facts *f, const struct net_place_row *place, unsigned kind, bool outer, struct addr *ret)
{
	bool found = false;

	for (uint32_t i = 0; place && i < place->own.n; i++) {
		const struct net_own_row *own = block_nested(f->places, &net_own_row_type, place->own, i);
		bool link_local = own->address.kind == ADDR_IP6 && own->address.bytes[0] == 0xfe && (own->address.bytes[1] & 0xc0) == 0x80;

		if (own->address.kind != kind || addr_is_loopback(&own->address) || (outer && own->inner) || link_local)
			continue;
		if (!found || !own->inner)
			*ret = own->address;
		if (!own->inner)
			return true;
		found = true;
	}
	return found;
}

/* Where packets from there are sent to. False: none can come. */
static bool destination(const struct net_port_group *g, const struct net_port_draft *d, enum net_origin from, struct addr *ret)
{
	bool any = addr_is_any(&d->host), outer = from == NET_FROM_OUTSIDE;

	if (d->host.kind != ADDR_IP4 && d->host.kind != ADDR_IP6)
		return false;
	if (from == NET_FROM_LOOPBACK) {
		*ret = any ? (d->host.kind == ADDR_IP4 ? loopback4 : loopback6) : d->host;
		return any || addr_is_loopback(&d->host);
	}
	if (any)
		return own_address(g->f, d->at, d->host.kind, outer, ret);
	*ret = d->host;
	if (net_ports_is_virtual(g, d))
		return true;
	if (addr_is_loopback(ret) || !net_ports_has(g->f, d->at, ret))
		return false;
	return !outer || net_ports_exposure(d->at, g->f, ret, false) >= NET_EXPOSED_LAN;
}

static enum net_way way_of_holder(const struct net_port_group *g, const struct net_port_draft *d, const struct net_holder_row *by)
{
	if (!by)
		return NET_WAY_UNKNOWN;
	switch ((enum net_forwarder)by->forwarder) {
	case NET_FORWARDER_DOCKER_PROXY:
		return net_ports_has(g->f, g->place, &by->to_address) && (d->port == ROW_NO_UINT || by->to_port == d->port) ? NET_WAY_OURS :
			NET_WAY_RULE;
	case NET_FORWARDER_ROOTLESSPORT:
	case NET_FORWARDER_ROOTLESSKIT:
	case NET_FORWARDER_SLIRP4NETNS:
	case NET_FORWARDER_PASTA:
		return NET_WAY_OURS;
	case NET_FORWARDER_HOLDER:
		return NET_WAY_NONE;
	case NET_FORWARDER_NONE:
	case NET_FORWARDER_N:
		break;
	}
	return NET_WAY_PROGRAM;
}

bool net_ports_way(const struct net_port_group *g, const struct net_port_draft *d, enum net_origin from, struct net_port_way *ret)
{
	struct net_port_way w = { .way = NET_WAY_UNKNOWN };
	enum net_protocol protocol;
	struct addr to;

	if (!d->at || !destination(g, d, from, &to))
		return false;
	if (!d->rootless)
		w.rule = first_rule(g, d, from == NET_FROM_OUTSIDE ? NAT_FROM_OUTSIDE : NAT_FROM_HOST, &to);
	if (w.rule) {
		w.way = net_ports_is_ours(g, d, w.rule) ? NET_WAY_OURS : NET_WAY_RULE;
	} else if (net_ports_protocol(d->protocol, &protocol)) {
		w.entry = net_ports_listener(g->f, d->at->netns, protocol, d->host_port, &to);
		w.by = net_ports_holder(g->f, w.entry);
		w.way = w.entry ? way_of_holder(g, d, w.by) : NET_WAY_NONE;
		if (!g->rules && !g->no_rules && !d->rootless && w.way != NET_WAY_OURS)
			w.way = NET_WAY_UNKNOWN;
	}
	*ret = w;
	return true;
}

/* --- exposure --- */

static bool in4(const struct addr *a, unsigned first, unsigned second, unsigned bits)
{
	unsigned want = first << 8 | second, have = (unsigned)a->bytes[0] << 8 | a->bytes[1], mask = 0xffff << (16 - bits) & 0xffff;

	return (have & mask) == (want & mask);
}

/* RFC 1918, RFC 3927, RFC 6598; RFC 4193, RFC 4291 2.5.6. */
static bool is_private(const struct addr *a)
{
	if (a->kind == ADDR_IP6)
		return (a->bytes[0] & 0xfe) == 0xfc || (a->bytes[0] == 0xfe && (a->bytes[1] & 0xc0) == 0x80);
	return in4(a, 10, 0, 8) || in4(a, 172, 16, 12) || in4(a, 192, 168, 16) || in4(a, 169, 254, 16) || in4(a, 100, 64, 10);
}

uint32_t net_ports_exposure_of(const struct addr *a)
{
	return addr_is_loopback(a) ? NET_EXPOSED_LOOPBACK : is_private(a) ? NET_EXPOSED_LAN : NET_EXPOSED_WORLD;
}

static uint32_t exposure_of(const struct net_own_row *own)
{
	return own->inner && !addr_is_loopback(&own->address) ? NET_EXPOSED_HOST : net_ports_exposure_of(&own->address);
}

/* both: an IPv6 socket that takes IPv4 as well. */
uint32_t net_ports_exposure(const struct net_place_row *at, const struct net_port_facts *f, const struct addr *bound, bool both)
{
	struct addr a = addr_unmap(bound);
	uint32_t worst = NET_EXPOSED_HOST;

	if (addr_is_loopback(&a))
		return NET_EXPOSED_LOOPBACK;
	if (!at)
		return ROW_NO_ENUM;
	for (uint32_t i = 0; i < at->own.n; i++) {
		const struct net_own_row *own = block_nested(f->places, &net_own_row_type, at->own, i);
		bool same_kind = own->address.kind == a.kind || (both && own->address.kind == ADDR_IP4);

		if (addr_same(&own->address, &a))
			return exposure_of(own);
		if ((addr_same(&a, &any4) || addr_same(&a, &any6)) && same_kind && exposure_of(own) > worst)
			worst = exposure_of(own);
	}
	return worst;
}
