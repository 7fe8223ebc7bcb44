/*
 * Collects what the three facts say about each port of a namespace: see ports.h. One group for each network namespace, since containers
 * that share one share its ports; then what belongs to nobody.
 */
#include "core/net/ports_draft.h"

#include "core/fd.h"
#include "core/net/path.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_RANGE = 4096 };

struct join {
	const struct net_port_facts *f;
	const struct target_row *only;
	struct builder *b;
	uint8_t *used; /* listeners that stand for a container's port */
	uint8_t *met[NET_PORT_OUTSIDES]; /* rules that lead to a container */
};

/* --- targets --- */

static bool is_netns_of(const struct target_row *t, uint64_t netns)
{
	return netns != ROW_NO_UINT && t->netns == netns;
}

static bool tells_ports(const struct net_port_facts *f, const struct target_row *t)
{
	struct text runtime = block_text(f->targets, t->runtime);

	return t->engine.len != UINT32_MAX && !(t->head.flags & TARGET_STALE) &&
		(text_equal(runtime, text_of("docker")) || text_equal(runtime, text_of("podman")));
}

static const struct target_row *host_of(const struct block *targets)
{
	for (uint32_t i = 0; targets && i < block_count(targets); i++)
		if (((const struct target_row *)block_row(targets, i))->head.flags & TARGET_IS_HOST)
			return block_row(targets, i);
	return NULL;
}

/* A guest names a namespace only when nobody else does; the one that holds a pod's namespaces comes first. */
static int rank(const struct target_row *t)
{
	if (t->head.flags & TARGET_IS_HOST)
		return 4;
	if (t->shares_with.len != UINT32_MAX || t->head.flags & TARGET_HOST_NETWORK)
		return 0;
	return t->infra == 1 ? 3 : t->head.flags & TARGET_IS_CONTAINER ? 2 : 1;
}

const struct target_row *net_ports_target(const struct block *targets, uint64_t netns)
{
	const struct target_row *best = NULL;

	for (uint32_t i = 0; targets && i < block_count(targets); i++) {
		const struct target_row *t = block_row(targets, i);

		if (is_netns_of(t, netns) && (!best || rank(t) > rank(best)))
			best = t;
	}
	return best;
}

/* --- drafts --- */

static struct net_port_draft *add(struct net_port_group *g, const struct target_row *owner)
{
	if (g->n == g->cap) {
		g->cap = g->cap ? g->cap * 2 : 16;
		g->list = fd_xrealloc(g->list, g->cap, sizeof *g->list);
	}
	g->list[g->n] = (struct net_port_draft){ .owner = owner, .published = ROW_NO_BOOL, .host_port = ROW_NO_UINT, .port = ROW_NO_UINT,
		.at = g->outside };
	return &g->list[g->n++];
}

static struct net_port_draft *find(struct net_port_group *g, struct text protocol, const struct addr *host, uint64_t host_port, uint64_t port)
{
	for (uint32_t i = 0; i < g->n; i++) {
		struct net_port_draft *d = &g->list[i];

		if (d->kind != NET_PORT_LISTENS && d->host_port == host_port && addr_same(&d->host, host) &&
			(!protocol.p || !d->protocol.p || text_equal(d->protocol, protocol)) &&
			(port == ROW_NO_UINT || d->port == ROW_NO_UINT || d->port == port))
			return d;
	}
	return NULL;
}

/* What the kernel or a program shows and the engine has not told. */
static struct net_port_draft *add_found(struct net_port_group *g, struct text protocol, const struct addr *host, uint64_t host_port, uint64_t port)
{
	struct net_port_draft *d = add(g, g->primary);
	bool told = g->primary && tells_ports(g->f, g->primary);

	d->kind = told || !g->primary ? NET_PORT_LEFTOVER : NET_PORT_PUBLISHED;
	d->published = told ? 0 : ROW_NO_BOOL;
	d->protocol = protocol;
	d->host = *host;
	d->host_port = host_port;
	d->port = port;
	return d;
}

/* --- 1: the engine --- */

static void add_engine(struct net_port_group *g, const struct target_row *t)
{
	const struct block *targets = g->f->targets;

	for (uint32_t i = 0; i < t->ports.n; i++) {
		const struct port_row *p = block_nested(targets, &port_row_type, t->ports, i);
		struct text protocol = block_text(targets, p->protocol);
		struct net_port_draft *d;

		if (p->host_port == ROW_NO_UINT || find(g, protocol, &p->host_address, p->host_port, p->port))
			continue;
		d = add_found(g, protocol, &p->host_address, p->host_port, p->port);
		d->owner = t;
		d->kind = NET_PORT_PUBLISHED;
		d->published = t->head.flags & TARGET_STALE ? ROW_NO_BOOL : 1;
	}
}

/* --- 2: the kernel and programs outside --- */

static struct addr host_address_of(const struct nat_row *r)
{
	struct addr a = { .kind = r->to_address.kind };
	unsigned whole = r->address.kind == ADDR_IP6 ? 128 : 32;

	if (r->address.kind == ADDR_NONE || r->address_not || (r->address.has_prefix && r->address.prefix < whole))
		return a;
	a = r->address;
	a.prefix = a.has_prefix = 0;
	return a;
}

static uint64_t last_port(const struct nat_row *r)
{
	uint64_t last = r->port_last == ROW_NO_UINT || r->port_last < r->port ? r->port : r->port_last;

	return last - r->port < MAX_RANGE ? last : r->port + MAX_RANGE - 1;
}

static void add_rule(struct net_port_group *g, const struct block *rules, const struct nat_row *r)
{
	struct text protocol = block_text(rules, r->protocol);
	struct addr host = host_address_of(r);

	for (uint64_t port = r->port; r->port != ROW_NO_UINT && port <= last_port(r); port++) {
		uint64_t inside = net_ports_to_port(r, port);
		struct net_port_draft *d = find(g, protocol, &host, port, inside);

		if (!d)
			d = add_found(g, protocol, &host, port, inside);
		if (!d->rule)
			d->rule = r;
	}
}

static bool leads_in(const struct nat_row *r)
{
	return r->action == NAT_DNAT && r->from != 0 && r->to_address.kind != ADDR_NONE;
}

static void add_rules(struct join *j, struct net_port_group *g)
{
	for (uint32_t i = 0; g->rules && i < block_count(g->rules); i++) {
		const struct nat_row *r = block_row(g->rules, i);

		if (!leads_in(r) || !net_ports_has(g->f, g->place, &r->to_address))
			continue;
		add_rule(g, g->rules, r);
		for (uint32_t k = 0; k < g->f->n_rules; k++)
			if (g->f->rules[k].rules == g->rules && j->met[k])
				j->met[k][i] = 1;
	}
}

static void attach(struct join *j, struct net_port_draft *d, const struct net_listener_row *l, const struct net_holder_row *by)
{
	d->entry = l;
	d->by = by;
	for (uint32_t i = 0; l && i < block_count(j->f->listeners); i++)
		if (block_row(j->f->listeners, i) == l)
			j->used[i] = 1;
}

/* Proxies that say where they send to, and rootlessport, whose child is in the container's namespace. */
static void add_proxies(struct join *j, struct net_port_group *g)
{
	for (uint32_t i = 0; g->f->listeners && i < block_count(g->f->listeners); i++) {
		const struct net_listener_row *l = block_row(g->f->listeners, i);
		const struct net_holder_row *by = net_ports_holder(g->f, l);
		struct text protocol = text_of(net_protocol_names[l->protocol]);
		struct net_port_draft *d;
		uint64_t port = ROW_NO_UINT;

		if (!by || l->netns == g->netns)
			continue;
		if (by->forwarder == NET_FORWARDER_DOCKER_PROXY && net_ports_has(g->f, g->place, &by->to_address) && g->outside &&
			l->netns == g->outside->netns)
			port = by->to_port;
		else if (by->forwarder != NET_FORWARDER_ROOTLESSPORT || by->inner_netns != g->netns)
			continue;
		d = find(g, protocol, &l->address, l->port, port);
		if (!d && by->forwarder == NET_FORWARDER_ROOTLESSPORT && addr_is_any(&l->address)) /* one socket for both families */
			d = find(g, protocol, &(struct addr){ .kind = ADDR_IP4 }, l->port, port);
		if (!d)
			d = add_found(g, protocol, &l->address, l->port, port);
		if (!d->entry)
			attach(j, d, l, by);
		if (by->forwarder == NET_FORWARDER_ROOTLESSPORT) {
			d->rootless = true;
			d->at = net_ports_place(g->f, l->netns);
		}
	}
}

static bool is_in_front(const struct net_holder_row *by)
{
	return by && (by->forwarder == NET_FORWARDER_ROOTLESSPORT || by->forwarder == NET_FORWARDER_ROOTLESSKIT ||
		by->forwarder == NET_FORWARDER_SLIRP4NETNS || by->forwarder == NET_FORWARDER_PASTA);
}

/* A rootless engine's program that listens on the host for this port. */
static const struct net_listener_row *in_front(const struct net_port_group *g, const struct net_port_draft *d)
{
	const struct net_listener_row *l = NULL;
	enum net_protocol protocol;

	if (!g->host || g->host == g->place || !net_ports_protocol(d->protocol, &protocol))
		return NULL;
	l = net_ports_listener(g->f, g->host->netns, protocol, d->host_port, &d->host);
	if (!l && addr_is_any(&d->host))
		l = net_ports_listener(g->f, g->host->netns, protocol, d->host_port, &(struct addr){ .kind = ADDR_IP6 });
	return is_in_front(net_ports_holder(g->f, l)) ? l : NULL;
}

/* Only where a program is between the container and the host: two hops, or no cable to anywhere. */
static bool may_be_rootless(const struct net_port_group *g)
{
	bool owned = g->primary && g->primary->owner != ROW_NO_UINT && g->primary->owner != 0;

	return owned || !g->outside || g->outside->cable == NET_CABLE_TAP || (g->place && g->place->cable == NET_CABLE_TAP);
}

static void add_entries(struct join *j, struct net_port_group *g)
{
	for (uint32_t i = 0; i < g->n; i++) {
		struct net_port_draft *d = &g->list[i];
		const struct net_listener_row *l = may_be_rootless(g) && !d->rootless ? in_front(g, d) : NULL;
		enum net_protocol protocol;

		if (l) {
			attach(j, d, l, net_ports_holder(g->f, l));
			d->rootless = true;
			d->at = g->host;
		}
		if (d->entry || !g->outside || !net_ports_protocol(d->protocol, &protocol))
			continue;
		l = net_ports_listener(g->f, g->outside->netns, protocol, d->host_port, &d->host);
		if (l && net_ports_holder(g->f, l))
			attach(j, d, l, net_ports_holder(g->f, l));
	}
}

/* --- 3: who listens --- */

/* By a published port, or by another socket of the same server (SO_REUSEPORT). */
static bool is_taken(const struct net_port_group *g, const struct net_listener_row *l)
{
	for (uint32_t i = 0; i < g->n; i++) {
		const struct net_port_draft *d = &g->list[i];
		bool same = text_equal(d->protocol, text_of(net_protocol_names[l->protocol]));

		if (same && (d->service ? d->service->port == l->port && addr_same(&d->service->address, &l->address) : d->port == l->port))
			return true;
	}
	return false;
}

/* Of those that share the namespace the one whose cgroup the process is in; NULL: a daemon's own namespace, which has no row. */
static const struct target_row *owner_of(const struct net_port_group *g, const struct net_holder_row *by)
{
	struct text id = by ? block_text(g->f->holders, by->container) : (struct text){ 0 };

	for (uint32_t i = 0; id.n && i < block_count(g->f->targets); i++) {
		const struct target_row *t = block_row(g->f->targets, i);

		if ((is_netns_of(t, g->netns) || t->head.flags & TARGET_HOST_NETWORK) && text_equal(block_text(g->f->targets, t->id), id))
			return t;
	}
	return g->primary && g->primary->head.flags & TARGET_HOST_NETWORK ? NULL : g->primary;
}

/* An engine's resolver in a container of its (127.0.0.11), and whoever else only came to visit. */
static bool is_guest(const struct net_port_group *g, const struct net_listener_row *l, const struct net_holder_row *by)
{
	static const uint8_t resolver[4] = { 127, 0, 0, 11 };

	if (by && by->netns != ROW_NO_UINT && !g->own_stack)
		return by->netns != g->netns;
	return l->address.kind == ADDR_IP4 && memcmp(l->address.bytes, resolver, sizeof resolver) == 0;
}

static void add_listeners(struct join *j, struct net_port_group *g)
{
	for (uint32_t i = 0; g->f->listeners && i < block_count(g->f->listeners); i++) {
		const struct net_listener_row *l = block_row(g->f->listeners, i);
		const struct net_holder_row *by = net_ports_holder(g->f, l);
		struct net_port_draft *d;

		if (l->netns != g->netns || j->used[i] || is_guest(g, l, by) || is_taken(g, l))
			continue;
		d = add(g, owner_of(g, by));
		d->kind = NET_PORT_LISTENS;
		d->protocol = text_of(net_protocol_names[l->protocol]);
		d->port = l->port;
		d->service = l;
		d->at = g->place;
		d->published = d->owner && tells_ports(g->f, d->owner) ? 0 : ROW_NO_BOOL;
	}
}

/* --- groups --- */

static const struct block *rules_of(const struct net_port_facts *f, uint64_t netns)
{
	for (uint32_t i = 0; i < f->n_rules; i++)
		if (f->rules[i].netns == netns)
			return f->rules[i].rules;
	return NULL;
}

/* Behind a program's tap (slirp4netns, pasta) comes the host. */
static uint64_t outside_of(const struct net_port_facts *f, const struct net_place_row *place)
{
	const struct target_row *host = host_of(f->targets);

	if (!place || (host && place->netns == host->netns))
		return ROW_NO_UINT;
	return place->cable == NET_CABLE_PAIR ? place->outside : place->cable == NET_CABLE_TAP && host ? host->netns : ROW_NO_UINT;
}

/* No container's: the host's, a bare one, a daemon's of its own. Tied to this machine alone, such a one is as a container's. */
static bool is_own_stack(const struct target_row *t)
{
	return t->head.flags & TARGET_HOST_NETWORK || !(t->head.flags & (TARGET_IS_CONTAINER | TARGET_FOUND));
}

/* Does a program listen on the host for a namespace behind a tap, and is not known for which port of whom? */
static bool has_front(const struct join *j)
{
	const struct net_port_facts *f = j->f;

	for (uint32_t i = 0; f->listeners && i < block_count(f->listeners); i++) {
		const struct net_holder_row *by = net_ports_holder(f, block_row(f->listeners, i));

		if (is_in_front(by) && by->forwarder != NET_FORWARDER_ROOTLESSPORT && !j->used[i])
			return true;
	}
	return false;
}

static void group_init(const struct join *j, const struct target_row *primary, struct net_port_group *g)
{
	const struct net_port_facts *f = j->f;
	const struct target_row *host = host_of(f->targets);
	*g = (struct net_port_group){ .f = f, .netns = primary->netns, .primary = primary, .place = net_ports_place(f, primary->netns),
		.host = host ? net_ports_place(f, host->netns) : NULL };
	g->outside = net_ports_place(f, outside_of(f, g->place));
	g->own_stack = (is_own_stack(primary) && !g->outside) || (host && primary->netns == host->netns);
	g->no_rules = g->place && g->place->cable == NET_CABLE_TAP;
	g->maybe_forwarded = g->no_rules && !tells_ports(f, primary) && has_front(j);
	g->rules = g->outside && !g->no_rules ? rules_of(f, g->outside->netns) : NULL;
}

static bool is_wanted(const struct join *j, const struct net_port_draft *d)
{
	const struct target_row *only = j->only;

	return !only || !(only->head.flags & TARGET_HOST_NETWORK) || d->owner == only;
}

/* Containers first: the sockets of their proxies are not the host's own ports. */
static void do_group(struct join *j, const struct target_row *primary)
{
	struct net_port_group g;

	group_init(j, primary, &g);
	for (uint32_t i = 0; !g.own_stack && i < block_count(j->f->targets); i++) {
		const struct target_row *t = block_row(j->f->targets, i);

		if (is_netns_of(t, g.netns))
			add_engine(&g, t);
	}
	if (!g.own_stack) {
		add_rules(j, &g);
		add_proxies(j, &g);
		add_entries(j, &g);
	}
	add_listeners(j, &g);
	for (uint32_t i = 0; i < g.n; i++)
		if (is_wanted(j, &g.list[i]))
			net_ports_emit(j->b, &g, &g.list[i]);
	free(g.list);
}

/* --- leftovers --- */

/* Chains that engines make for their containers; other rules (kube-proxy's, a user's) may well lead to other machines. */
static bool is_engines(const struct block *rules, const struct nat_row *r)
{
	static const char *const chains[] = { "DOCKER", "NETAVARK", "CNI-", "nv_" };
	struct text chain = block_text(rules, r->chain);

	for (size_t i = 0; i < ARRAY_LEN(chains); i++)
		if (chain.n >= strlen(chains[i]) && memcmp(chain.p, chains[i], strlen(chains[i])) == 0)
			return true;
	return false;
}

/* A namespace that no engine knows and that is tied to this one: by ip netns, by hand. Its own rows tell the rules. */
static bool bare_has(const struct net_port_facts *f, uint64_t outside, const struct addr *a)
{
	for (uint32_t i = 0; i < block_count(f->places); i++) {
		const struct net_place_row *place = block_row(f->places, i);

		if (place->outside == outside && net_ports_has(f, place, a))
			return true;
	}
	return false;
}

static void leftover_rules(struct join *j, uint32_t at)
{
	const struct net_port_facts *f = j->f;
	struct net_port_group g = { .f = f, .netns = ROW_NO_UINT, .outside = net_ports_place(f, f->rules[at].netns), .rules = f->rules[at].rules };

	for (uint32_t i = 0; g.rules && i < block_count(g.rules); i++) {
		const struct nat_row *r = block_row(g.rules, i);

		if (leads_in(r) && !j->met[at][i] && is_engines(g.rules, r) && r->port != ROW_NO_UINT && !bare_has(f, f->rules[at].netns, &r->to_address))
			add_rule(&g, g.rules, r);
	}
	for (uint32_t i = 0; i < g.n; i++)
		net_ports_emit(j->b, &g, &g.list[i]);
	free(g.list);
}

static bool anybody_has(const struct net_port_facts *f, const struct addr *a)
{
	for (uint32_t i = 0; i < block_count(f->places); i++)
		if (net_ports_has(f, block_row(f->places, i), a))
			return true;
	return false;
}

static void leftover_proxies(struct join *j)
{
	const struct net_port_facts *f = j->f;

	for (uint32_t i = 0; f->listeners && f->places && i < block_count(f->listeners); i++) {
		const struct net_listener_row *l = block_row(f->listeners, i);
		const struct net_holder_row *by = net_ports_holder(f, l);
		struct net_port_group g = { .f = f, .netns = ROW_NO_UINT, .outside = net_ports_place(f, l->netns) };
		struct net_port_draft *d;

		if (!by || by->forwarder != NET_FORWARDER_DOCKER_PROXY || by->to_address.kind == ADDR_NONE || anybody_has(f, &by->to_address))
			continue;
		g.rules = rules_of(f, l->netns);
		d = add_found(&g, text_of(net_protocol_names[l->protocol]), &l->address, l->port, by->to_port);
		attach(j, d, l, by);
		net_ports_emit(j->b, &g, d);
		free(g.list);
	}
}

/* --- all of it --- */

static bool is_first(const struct block *targets, uint32_t at)
{
	const struct target_row *t = block_row(targets, at);

	return t->netns != ROW_NO_UINT && net_ports_target(targets, t->netns) == t;
}

static void do_groups(struct join *j, bool own_stacks)
{
	const struct block *targets = j->f->targets;
	const struct target_row *host = host_of(targets);
	uint64_t only = j->only ? j->only->netns : ROW_NO_UINT;

	if (j->only && only == ROW_NO_UINT && host && j->only->head.flags & TARGET_HOST_NETWORK)
		only = host->netns;
	for (uint32_t i = 0; i < block_count(targets); i++) {
		const struct target_row *t = block_row(targets, i);
		if (is_own_stack(t) == own_stacks && is_first(targets, i) && (!j->only || t->netns == only))
			do_group(j, t);
	}
}

struct block *net_ports_join(const struct net_port_facts *f, const struct target_row *only)
{
	struct join j = { .f = f, .only = only, .b = builder_new(&net_port_row_type) };
	struct block *ret;

	j.used = fd_xcalloc(f->listeners ? block_count(f->listeners) + 1 : 1, sizeof *j.used);
	for (uint32_t i = 0; i < f->n_rules; i++)
		j.met[i] = fd_xcalloc(f->rules[i].rules ? block_count(f->rules[i].rules) + 1 : 1, 1);
	if (f->targets) {
		do_groups(&j, false);
		for (uint32_t i = 0; f->whole && !only && i < f->n_rules; i++)
			leftover_rules(&j, i);
		if (f->whole && !only)
			leftover_proxies(&j);
		do_groups(&j, true);
	}
	ret = builder_block(j.b);
	builder_free(j.b);
	free(j.used);
	for (uint32_t i = 0; i < f->n_rules; i++)
		free(j.met[i]);
	return ret;
}

/* --- what to read --- */

static bool is_listed(const struct net_namespace *list, uint32_t n, uint64_t netns)
{
	for (uint32_t i = 0; i < n; i++)
		if (list[i].inode == netns)
			return true;
	return false;
}

uint32_t net_ports_namespaces(const struct block *targets, const struct target_row *only, uint32_t *at, struct net_namespace *ret, uint32_t cap)
{
	uint32_t n = 0;

	for (; targets && *at < block_count(targets) && n < cap; (*at)++) {
		const struct target_row *t = block_row(targets, *at);
		bool wanted = !only || is_netns_of(only, t->netns) || t->head.flags & TARGET_IS_HOST;

		if (wanted && t->netns != ROW_NO_UINT && net_ports_target(targets, t->netns) == t && !is_listed(ret, n, t->netns))
			ret[n++] = (struct net_namespace){ .pid = t->pid == ROW_NO_UINT ? 0 : (int32_t)t->pid, .inode = t->netns };
	}
	return n;
}

bool net_ports_was_read(const struct net_port_facts *f, uint64_t netns)
{
	return net_ports_place(f, netns) != NULL;
}

/* Rules are wanted of the namespace outside; behind a tap none leads in. */
static uint64_t wanted_outside(const struct net_port_facts *f, const struct target_row *only, const struct net_place_row *place, bool bare)
{
	const struct target_row *t = net_ports_target(f->targets, place->netns);

	if (!t || place->cable != NET_CABLE_PAIR || (only && only->netns != place->netns) ||
		bare == ((t->head.flags & (TARGET_IS_CONTAINER | TARGET_FOUND)) != 0))
		return ROW_NO_UINT;
	return outside_of(f, place);
}

uint32_t net_ports_outsides(const struct net_port_facts *f, const struct target_row *only, uint64_t ret[NET_PORT_OUTSIDES])
{
	uint32_t n = 0, places = f->places ? block_count(f->places) : 0;

	for (uint32_t i = 0; i < 2 * places && n < NET_PORT_OUTSIDES; i++) { /* those of containers come first */
		uint64_t outside = wanted_outside(f, only, block_row(f->places, i % places), i >= places);
		bool known = outside == ROW_NO_UINT;

		for (uint32_t k = 0; !known && k < n; k++)
			known = ret[k] == outside;
		if (!known)
			ret[n++] = outside;
	}
	return n;
}
