/* What is wrong with a port, in words, and the row that says so: see ports.h. The first of the verdicts that holds is told. */
#include "core/net/ports_draft.h"

#include "core/fd.h"
#include "core/net/path.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { WORDS = 200 };

struct judged {
	const struct net_port_group *g;
	const struct net_port_draft *d;
	struct addr inside; /* where packets come to in the container */
	const struct net_listener_row *service, *loopback, *other; /* takes them; does not: on loopback, elsewhere or of the other family */
	bool asks; /* are the sockets of this protocol known? */
	bool spliced; /* only on loopback, and pasta may bring there what comes to the host's: pasta(1), --host-lo-to-ns-lo; always until 2024 */
	bool comes[NET_ORIGIN_N]; /* can packets come from there? */
	struct net_port_way ways[NET_ORIGIN_N];
	enum severity severity;
	char words[WORDS], note[WORDS];
};

static size_t bounded(int n, size_t cap)
{
	return n < 0 ? 0 : (size_t)n < cap ? (size_t)n : cap - 1;
}

size_t net_ports_endpoint(const struct addr *a, uint64_t port, char *buf, size_t cap)
{
	char text[ADDR_TEXT], number[24] = "*";

	if (port != ROW_NO_UINT)
		snprintf(number, sizeof number, "%" PRIu64, port);
	if (a->kind == ADDR_NONE)
		return bounded(snprintf(buf, cap, "*:%s", number), cap);
	return bounded(snprintf(buf, cap, a->kind == ADDR_IP6 ? "[%s]:%s" : "%s:%s", addr_format(a, text), number), cap);
}

/* --- rules in words --- */

size_t net_ports_rule_place(const struct block *rules, const struct nat_row *r, char *buf, size_t cap)
{
	static const char *const origins[NAT_ORIGIN_N] = {
		[NAT_NFT] = "nft", [NAT_IPTABLES_NFT] = "iptables-nft", [NAT_IPTABLES_LEGACY] = "iptables-legacy",
	};
	struct text table = block_text(rules, r->table), chain = block_text(rules, r->chain);
	const char *origin = r->origin < NAT_ORIGIN_N ? origins[r->origin] : "?";

	return bounded(snprintf(buf, cap, "%s %.*s/%.*s %s %" PRIu64, origin, (int)table.n, table.n ? table.p : "", (int)chain.n,
		chain.n ? chain.p : "", r->origin == NAT_IPTABLES_LEGACY ? "rule" : "handle", r->handle), cap);
}

static size_t ports_words(uint64_t first, uint64_t last, char *buf, size_t cap)
{
	if (first == ROW_NO_UINT)
		return bounded(snprintf(buf, cap, "any port"), cap);
	if (last == ROW_NO_UINT || last <= first)
		return bounded(snprintf(buf, cap, "port %" PRIu64, first), cap);
	return bounded(snprintf(buf, cap, "ports %" PRIu64 "-%" PRIu64, first, last), cap);
}

size_t net_ports_rule_text(const struct block *rules, const struct nat_row *r, char *buf, size_t cap)
{
	struct text protocol = block_text(rules, r->protocol), in = block_text(rules, r->in), conditions = block_text(rules, r->conditions);
	char ports[48], to[ADDR_TEXT + 16], address[ADDR_TEXT] = "";
	bool all = r->address.kind == ADDR_NONE;
	size_t n;

	ports_words(r->port, r->port_last, ports, sizeof ports);
	net_ports_endpoint(&r->to_address, r->to_port, to, sizeof to);
	if (!all)
		addr_format(&r->address, address);
	n = bounded(snprintf(buf, cap, "%.*s to %s%s%s%s goes to %s", (int)protocol.n, protocol.n ? protocol.p : "",
		r->address_not && !all ? "all but " : "", address, all ? "" : " ", ports, to), cap);
	if (in.n)
		n += bounded(snprintf(buf + n, cap - n, "%s %.*s", r->in_not ? ", not by" : ", by", (int)in.n, in.p), cap - n);
	if (r->loopback_not)
		n += bounded(snprintf(buf + n, cap - n, ", not to 127.0.0.0/8"), cap - n);
	if (conditions.n)
		n += bounded(snprintf(buf + n, cap - n, ", if %.*s", (int)conditions.n, conditions.p), cap - n);
	return n;
}

/* --- what there is --- */

static void look_for_service(struct judged *v)
{
	const struct net_port_facts *f = v->g->f;
	enum net_protocol protocol = NET_PROTOCOL_TCP;

	v->asks = v->g->place && f->listeners && v->d->port != ROW_NO_UINT && net_ports_protocol(v->d->protocol, &protocol);
	for (uint32_t i = 0; v->asks && i < block_count(f->listeners); i++) {
		const struct net_listener_row *l = block_row(f->listeners, i);
		struct addr own = addr_unmap(&l->address);

		if (l->netns != v->g->netns || l->protocol != protocol || l->port != v->d->port)
			continue;
		if (addr_is_loopback(&own))
			v->loopback = l;
		else if (v->inside.kind == ADDR_NONE || net_ports_covers(l, &v->inside))
			v->service = v->service ? v->service : l;
		else
			v->other = l;
	}
}

static void look(struct judged *v)
{
	if (v->d->kind == NET_PORT_LISTENS) {
		v->service = v->d->service;
		return;
	}
	v->inside = net_ports_inside(v->g, v->d);
	look_for_service(v);
	for (unsigned i = 0; i < NET_ORIGIN_N; i++)
		v->comes[i] = net_ports_way(v->g, v->d, (enum net_origin)i, &v->ways[i]);
	v->spliced = v->loopback && !v->service && v->d->by && v->d->by->forwarder == NET_FORWARDER_PASTA && v->comes[NET_FROM_LOOPBACK];
}

/* Who has this address, for sentences: " (db)" or "". */
static const char *owner_words(const struct judged *v, const struct addr *a, char *buf, size_t cap)
{
	const struct net_port_facts *f = v->g->f;
	struct text name = { 0 };

	for (uint32_t i = 0; i < block_count(f->targets) && !name.n; i++) {
		const struct target_row *t = block_row(f->targets, i);

		for (uint32_t k = 0; k < t->endpoints.n; k++) {
			const struct endpoint_row *e = block_nested(f->targets, &endpoint_row_type, t->endpoints, k);

			if (addr_same(&e->address, a) || addr_same(&e->address6, a))
				name = block_text(f->targets, t->name);
		}
	}
	buf[0] = '\0';
	if (name.n)
		snprintf(buf, cap, " (%.*s)", (int)name.n, name.p);
	return buf;
}

/* The first rule or proxy on the way that leads to somebody else. */
static const struct net_port_way *elsewhere(const struct judged *v)
{
	for (unsigned i = NET_ORIGIN_N; i-- > 0;)
		if (v->comes[i] && v->ways[i].way == NET_WAY_RULE)
			return &v->ways[i];
	return NULL;
}

static bool is_reached(const struct judged *v, enum net_origin from)
{
	return v->comes[from] && v->ways[from].way == NET_WAY_OURS;
}

static const struct net_port_way *taken(const struct judged *v)
{
	for (unsigned i = 0; i < NET_ORIGIN_N; i++)
		if (v->comes[i] && v->ways[i].way == NET_WAY_PROGRAM)
			return &v->ways[i];
	return NULL;
}

/* --- verdicts: true, with the words --- */

static bool is_leftover(struct judged *v)
{
	char to[ADDR_TEXT + 16];
	const char *what = v->d->rule ? "rule" : v->d->by ? "proxy" : "way";

	if (v->d->kind != NET_PORT_LEFTOVER)
		return false;
	if (v->d->owner) {
		snprintf(v->words, sizeof v->words, "a %s leads here that the engine does not know of: left over, or made by hand", what);
		return true;
	}
	net_ports_endpoint(v->d->rule ? &v->d->rule->to_address : &v->d->by->to_address,
		v->d->rule ? net_ports_to_port(v->d->rule, v->d->host_port) : v->d->by->to_port, to, sizeof to);
	snprintf(v->words, sizeof v->words, "a %s leads to %s, which no container has: left over", what, to);
	return true;
}

static bool leads_elsewhere(struct judged *v)
{
	const struct net_port_way *w = elsewhere(v);
	char to[ADDR_TEXT + 16], who[80];
	const struct addr *a;
	uint64_t port;

	if (!w)
		return false;
	a = w->rule ? &w->rule->to_address : &w->by->to_address;
	port = w->rule ? net_ports_to_port(w->rule, v->d->host_port) : w->by->to_port;
	net_ports_endpoint(a, port, to, sizeof to);
	owner_words(v, a, who, sizeof who);
	if (v->d->rule)
		snprintf(v->words, sizeof v->words, "another %s comes first: packets go to %s%s", w->rule ? "rule" : "program", to, who);
	else
		snprintf(v->words, sizeof v->words, "the %s leads to %s%s, not to this container", w->rule ? "rule" : "proxy", to, who);
	return true;
}

static bool is_taken(struct judged *v)
{
	const struct net_port_way *w = taken(v);
	struct text who = w ? block_text(v->g->f->holders, w->by->process) : (struct text){ 0 };

	if (!w || v->d->rule)
		return false;
	snprintf(v->words, sizeof v->words, "port %" PRIu64 " of the host is taken by %.*s (pid %" PRIu64 "): nothing leads to the container",
		v->d->host_port, (int)who.n, who.n ? who.p : "", w->by->pid);
	return true;
}

static bool has_no_way(struct judged *v)
{
	bool any = false;

	for (unsigned i = 0; i < NET_ORIGIN_N; i++) {
		any |= v->comes[i];
		if (v->comes[i] && v->ways[i].way != NET_WAY_NONE)
			return false;
	}
	if (!any || v->d->rule || (!v->g->rules && !v->g->no_rules))
		return false;
	snprintf(v->words, sizeof v->words, "no rule and no proxy leads here: were they flushed? Restart the container");
	return true;
}

static bool has_no_service(struct judged *v)
{
	struct text protocol = v->d->protocol;
	char address[ADDR_TEXT], to[ADDR_TEXT];

	if (!v->asks || v->service)
		return false;
	if (v->other && addr_is_any(&v->other->address))
		snprintf(v->words, sizeof v->words, "listens on IPv%d only, but packets come by IPv%d", v->other->family == 4 ? 4 : 6,
			v->inside.kind == ADDR_IP4 ? 4 : 6);
	else if (v->other)
		snprintf(v->words, sizeof v->words, "listens on %s only, but packets come to %s", addr_format(&v->other->address, address),
			addr_format(&v->inside, to));
	else if (v->loopback)
		snprintf(v->words, sizeof v->words, "listens on %s only: connections from outside the %s are refused",
			addr_format(&v->loopback->address, address), v->spliced ? "host" : "container");
	else
		snprintf(v->words, sizeof v->words, "nobody listens on %" PRIu64 "/%.*s in the container", v->d->port, (int)protocol.n, protocol.p);
	return true;
}

static bool is_not_an_address(struct judged *v)
{
	char address[ADDR_TEXT];

	if (!v->d->at || v->d->host.kind == ADDR_NONE || addr_is_any(&v->d->host) || addr_is_loopback(&v->d->host) ||
		net_ports_has(v->g->f, v->d->at, &v->d->host) || net_ports_is_virtual(v->g, v->d))
		return false;
	snprintf(v->words, sizeof v->words, "the host has no address %s", addr_format(&v->d->host, address));
	return true;
}

static bool is_taken_on_loopback(struct judged *v)
{
	const struct net_port_way *w = taken(v);
	struct text who = w ? block_text(v->g->f->holders, w->by->process) : (struct text){ 0 };

	if (!w)
		return false;
	snprintf(v->words, sizeof v->words, "port %" PRIu64 " on the host itself is %.*s (pid %" PRIu64 "), not the container", v->d->host_port,
		(int)who.n, who.n ? who.p : "", w->by->pid);
	return true;
}

static bool has_no_loopback(struct judged *v)
{
	const struct net_port_way *w = &v->ways[NET_FROM_LOOPBACK];
	bool elsewhere_too = is_reached(v, NET_FROM_HOST) || is_reached(v, NET_FROM_OUTSIDE);

	if (!v->comes[NET_FROM_LOOPBACK] || w->way != NET_WAY_NONE || (!elsewhere_too && !addr_is_loopback(&v->d->host)))
		return false;
	snprintf(v->words, sizeof v->words, "no proxy listens for it: connections to %s are refused",
		v->d->host.kind == ADDR_IP6 ? "::1" : "127.0.0.1");
	return true;
}

/* Docker's proxies take over when rules are gone; containers then see the bridge's address instead of the client's. */
static bool has_no_rule(struct judged *v)
{
	if (v->d->rule || !v->g->rules || v->d->rootless || v->d->kind != NET_PORT_PUBLISHED || v->d->host.kind != ADDR_IP4 ||
		addr_is_loopback(&v->d->host) || !v->d->by || v->d->by->forwarder != NET_FORWARDER_DOCKER_PROXY)
		return false;
	snprintf(v->words, sizeof v->words, "no DNAT rule: only docker-proxy forwards, so the container does not see who calls");
	return true;
}

static const struct {
	bool (*holds)(struct judged *v);
	enum severity severity;
} verdicts[] = {
	{ is_leftover, SEVERITY_WARN }, { leads_elsewhere, SEVERITY_BAD }, { is_taken, SEVERITY_BAD }, { is_not_an_address, SEVERITY_BAD },
	{ has_no_way, SEVERITY_BAD }, { has_no_service, SEVERITY_BAD }, { is_taken_on_loopback, SEVERITY_WARN },
	{ has_no_loopback, SEVERITY_WARN }, { has_no_rule, SEVERITY_WARN },
};

/* Nothing wrong, but who looks for the port wants to know. */
static void note(struct judged *v)
{
	const struct target_row *t = v->d->owner;
	char address[ADDR_TEXT];

	if (v->d->kind != NET_PORT_LISTENS && v->d->host.kind != ADDR_NONE && addr_is_loopback(&v->d->host))
		snprintf(v->note, sizeof v->note, "published on %s: only this host reaches it", addr_format(&v->d->host, address));
	else if (v->d->kind != NET_PORT_LISTENS && net_ports_is_virtual(v->g, v->d))
		snprintf(v->note, sizeof v->note, "no interface has %s: a rule takes what is routed to it", addr_format(&v->d->host, address));
	else if (v->d->kind == NET_PORT_LISTENS && t && t->head.flags & TARGET_HOST_NETWORK)
		snprintf(v->note, sizeof v->note, "host network: the port is the host's own");
}

static void judge(struct judged *v)
{
	note(v);
	for (size_t i = 0; v->d->kind != NET_PORT_LISTENS && i < ARRAY_LEN(verdicts); i++)
		if (verdicts[i].holds(v)) {
			v->severity = verdicts[i].severity;
			return;
		}
	v->severity = v->d->kind != NET_PORT_LISTENS && v->service ? SEVERITY_OK : SEVERITY_NONE;
}

/* --- the row --- */

static const char *const origins[NET_ORIGIN_N] = {
	[NET_FROM_LOOPBACK] = "loopback", [NET_FROM_HOST] = "host", [NET_FROM_OUTSIDE] = "outside",
};

static uint32_t exposure(const struct judged *v)
{
	const struct net_port_group *g = v->g;
	const struct net_listener_row *l = v->d->service;
	struct addr own;

	if (net_ports_is_virtual(g, v->d))
		return net_ports_exposure_of(&v->d->host);
	if (v->d->kind != NET_PORT_LISTENS)
		return v->d->at ? net_ports_exposure(v->d->at, g->f, &v->d->host, v->d->entry && v->d->rootless && !v->d->entry->v6only &&
			v->d->entry->family == 6) : addr_is_loopback(&v->d->host) ? NET_EXPOSED_LOOPBACK : ROW_NO_ENUM;
	own = addr_unmap(&l->address);
	if (!g->place || (g->maybe_forwarded && !addr_is_loopback(&own)))
		return ROW_NO_ENUM;
	if (addr_is_loopback(&own) || (!g->own_stack && (g->place->cable == NET_CABLE_NONE || g->place->cable == NET_CABLE_TAP)))
		return NET_EXPOSED_LOOPBACK;
	if (!g->own_stack && g->place->cable == NET_CABLE_PAIR)
		return NET_EXPOSED_HOST;
	return net_ports_exposure(g->place, g->f, &own, own.kind == ADDR_IP6 && !l->v6only);
}

/* A socket of the namespace itself: from where its address is reached. */
static bool takes_from(const struct judged *v, enum net_origin from, uint32_t exposed)
{
	struct addr own = addr_unmap(&v->d->service->address);

	switch (from) {
	case NET_FROM_LOOPBACK:
		return v->g->own_stack && (addr_is_loopback(&own) || addr_is_any(&own));
	case NET_FROM_HOST:
		return v->g->own_stack ? !addr_is_loopback(&own) : exposed == NET_EXPOSED_HOST;
	case NET_FROM_OUTSIDE:
	case NET_ORIGIN_N:
		break;
	}
	return exposed == NET_EXPOSED_LAN || exposed == NET_EXPOSED_WORLD;
}

static void write_reach(const struct judged *v, struct net_port_row *row, struct builder *b)
{
	bool known = v->d->kind == NET_PORT_LISTENS ? row->exposure != ROW_NO_ENUM : v->asks && v->d->at && !v->spliced;

	for (unsigned i = 0; i < NET_ORIGIN_N; i++)
		known = known && !(v->comes[i] && v->ways[i].way == NET_WAY_UNKNOWN);
	row->reached_from = known ? (struct str){ 0 } : ROW_NO_TEXT;
	for (unsigned i = 0; known && i < NET_ORIGIN_N; i++)
		if (v->d->kind == NET_PORT_LISTENS ? takes_from(v, (enum net_origin)i, row->exposure) : v->service && is_reached(v, (enum net_origin)i))
			builder_list_add(b, &row->reached_from, origins[i], strlen(origins[i]));
}

static struct str copy(struct builder *b, const struct block *from, struct str s)
{
	struct text t = from ? block_text(from, s) : (struct text){ 0 };

	return builder_text(b, t.p, t.n);
}

static void write_rule(const struct judged *v, struct net_port_row *row, struct builder *b)
{
	const struct nat_row *r = v->d->rule;
	char buf[256];

	row->rule = v->d->kind == NET_PORT_LISTENS || (!v->g->rules && !v->g->no_rules) ? ROW_NO_BOOL : r != NULL;
	if (!r)
		return;
	net_ports_rule_text(v->g->rules, r, buf, sizeof buf);
	row->rule_text = builder_str(b, buf);
	net_ports_rule_place(v->g->rules, r, buf, sizeof buf);
	row->rule_place = builder_str(b, buf);
	row->rule_packets = r->packets;
	row->rule_bytes = r->bytes;
	row->to_address = r->to_address;
	row->to_port = net_ports_to_port(r, v->d->host_port);
}

static void write_forwarder(const struct judged *v, struct net_port_row *row, struct builder *b)
{
	const struct net_holder_row *by = v->d->by;
	const struct block *holders = v->g->f->holders;

	if (!by || (by->forwarder == NET_FORWARDER_NONE && v->d->rule))
		return;
	row->forwarder = copy(b, holders, by->process);
	if (by->forwarder != NET_FORWARDER_NONE && by->forwarder != NET_FORWARDER_HOLDER)
		row->forwarder = builder_str(b, net_forwarder_names[by->forwarder]);
	row->forwarder_pid = by->pid;
	row->forwarder_command = copy(b, holders, by->command);
	if (!v->d->rule && by->to_address.kind != ADDR_NONE) {
		row->to_address = by->to_address;
		row->to_port = by->to_port;
	}
}

static void write_service(const struct judged *v, struct net_port_row *row, struct builder *b)
{
	const struct net_listener_row *l = v->service ? v->service : v->loopback ? v->loopback : v->other;
	const struct net_holder_row *by = net_ports_holder(v->g->f, l);

	if (!l)
		return;
	row->listen_address = l->address;
	if (!by)
		return;
	row->pid = by->pid;
	row->process = copy(b, v->g->f->holders, by->process);
}

static void write_names(const struct judged *v, struct net_port_row *row, struct builder *b)
{
	const struct net_port_facts *f = v->g->f;
	struct text outside = v->g->outside ? net_path_owner(f->targets, v->g->outside->netns) : (struct text){ 0 };

	if (v->d->owner)
		row->target = copy(b, f->targets, v->d->owner->name);
	row->protocol = builder_text(b, v->d->protocol.p, v->d->protocol.n);
	row->outside = builder_text(b, outside.p, outside.n);
	row->outside_netns = v->g->outside ? v->g->outside->netns : ROW_NO_UINT;
}

static uint64_t id_of(const struct judged *v)
{
	const struct net_port_draft *d = v->d;
	uint64_t key[] = { d->owner ? d->owner->head.id : v->g->netns, d->host_port, d->port, d->kind };
	uint64_t h = row_hash(&d->host, sizeof d->host, row_hash(key, sizeof key, 0));

	if (d->service)
		h = row_hash(&d->service->address, sizeof d->service->address, h);
	if (!d->owner && d->rule)
		h = row_hash(&d->rule->head.id, sizeof d->rule->head.id, h);
	return row_hash(d->protocol.p, d->protocol.n, h);
}

void net_ports_emit(struct builder *b, const struct net_port_group *g, const struct net_port_draft *d)
{
	struct judged v = { .g = g, .d = d };
	struct net_port_row row = { .kind = d->kind, .host_address = d->host, .host_port = d->host_port, .port = d->port,
		.published = d->published, .target = ROW_NO_TEXT, .rule_text = ROW_NO_TEXT, .rule_place = ROW_NO_TEXT, .rule_packets = ROW_NO_UINT,
		.rule_bytes = ROW_NO_UINT, .forwarder = ROW_NO_TEXT, .forwarder_pid = ROW_NO_UINT, .forwarder_command = ROW_NO_TEXT,
		.to_port = ROW_NO_UINT, .pid = ROW_NO_UINT, .process = ROW_NO_TEXT, .netns = g->netns, .note = ROW_NO_TEXT, .problem = ROW_NO_TEXT };

	look(&v);
	judge(&v);
	row.head = (struct row_head){ .id = id_of(&v), .severity = v.severity,
		.flags = text_equal(d->protocol, text_of(net_protocol_names[NET_PROTOCOL_UDP])) ? NET_PORT_DATAGRAM : 0 };
	row.exposure = exposure(&v);
	write_names(&v, &row, b);
	write_reach(&v, &row, b);
	write_rule(&v, &row, b);
	write_forwarder(&v, &row, b);
	write_service(&v, &row, b);
	if (v.words[0])
		row.problem = builder_str(b, v.words);
	if (v.note[0])
		row.note = builder_str(b, v.note);
	memcpy(builder_row(b), &row, sizeof row);
}
