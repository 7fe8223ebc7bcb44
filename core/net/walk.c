/*
 * From decision to decision: see walk.h. A namespace routes (`decide`), the frame then crosses cables and bridges (`cross`) until another
 * namespace takes it. Rows of interfaces live in one builder that grows meanwhile: they are copied, not pointed to.
 */
#include "core/net/walk.h"

#include "core/block.h"
#include "core/err.h"
#include "core/fd.h"
#include "core/net/mounted.h"
#include "core/net/sites.h"
#include "core/rights.h"
#include "core/source/proc_dir.h"
#include "core/target.h"
#include "core/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { MAX_HOPS = 24 };

struct decided {
	uint64_t netns, in;
};

struct walk {
	struct net_walk_params params;
	struct net_sites sites;
	struct addr to, from; /* of the packet under way: a tunnel puts it into another one */
	struct builder *hops, *routes;
	const char *step; /* how the next hop is reached */
	struct net_link_past past;
	struct timespec past_time;
	struct decided decided[MAX_HOPS]; /* where it was chosen so far */
	unsigned n_decided;
	bool tidy; /* namespaces off the way were let go */
	struct worker *w;
};

struct place { /* a device that the packet leaves by */
	struct net_site *site;
	struct net_link_row link;
};

struct stage { /* a namespace that decides */
	struct net_site *site;
	uint64_t in; /* by which it came; ROW_NO_UINT: made here */
	struct addr own; /* the last namespace's own address on that way */
};

struct station { /* whom the frame is for */
	struct addr address, mac;
};

enum turn { TURN_ON, TURN_DECIDE, TURN_END };

/* --- hops --- */

/* The nth from the end; NULL: there are not so many. */
static struct net_hop_row *at(struct walk *k, uint32_t back)
{
	uint32_t n = builder_count(k->hops);

	return back && n >= back ? builder_at(k->hops, n - back) : NULL;
}

static struct net_hop_row *last(struct walk *k)
{
	return at(k, 1);
}

static enum turn end(struct walk *k, enum net_hop_end how)
{
	if (last(k) && last(k)->end != NET_HOP_LOST)
		last(k)->end = how;
	return TURN_END;
}

static void vblame(struct walk *k, enum severity severity, const char *fmt, va_list ap)
{
	struct net_hop_row *hop = last(k);
	char words[192];

	if (!hop || (uint32_t)severity <= hop->head.severity)
		return;
	vsnprintf(words, sizeof words, fmt, ap);
	hop->head.severity = severity;
	hop->problem = builder_str(k->hops, words);
}

__attribute__((format(printf, 3, 4))) static void blame(struct walk *k, enum severity severity, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vblame(k, severity, fmt, ap);
	va_end(ap);
}

/* The last hop is where the packet gets lost, or where nothing more is known. */
__attribute__((format(printf, 3, 4))) static enum turn lose(struct walk *k, enum severity severity, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vblame(k, severity, fmt, ap);
	va_end(ap);
	return end(k, last(k) && last(k)->head.severity >= SEVERITY_BAD ? NET_HOP_LOST : NET_HOP_UNKNOWN);
}

static bool is_hop(const struct net_hop_row *hop, const struct place *p)
{
	return hop && hop->netns == p->site->netns && hop->index == p->link.index;
}

static const char *word(const struct walk *k, struct str s, char *buf, size_t cap)
{
	struct text t = builder_get(k->sites.links, s);

	snprintf(buf, cap, "%.*s", (int)t.n, t.n ? t.p : "");
	return buf;
}

static void add(struct walk *k, const struct place *p, const char *step)
{
	struct text name = builder_get(k->sites.links, p->link.name), kind = builder_get(k->sites.links, p->link.kind);
	struct net_hop_row *hop = builder_row(k->hops);

	*hop = net_hop_of(&p->link);
	hop->hop = builder_count(k->hops);
	hop->name = builder_text(k->hops, name.p, name.n);
	hop->kind = builder_text(k->hops, kind.p, kind.n);
	hop->step = builder_str(k->hops, step);
	if (p->link.up == 0 || p->link.carrier == 0 || p->link.state == NET_LINK_LOWERLAYERDOWN)
		end(k, NET_HOP_LOST); /* judge.h says why; the way is shown on */
	p->site->used = true;
}

static bool find(struct walk *k, struct net_site *site, uint64_t index, struct place *ret)
{
	uint32_t at = net_site_link(&k->sites, site, index);

	if (at == UINT32_MAX)
		return false;
	ret->link = *(const struct net_link_row *)builder_at(k->sites.links, at);
	ret->site = site;
	return true;
}

static bool is_kind(const struct walk *k, const struct place *p, const char *kind)
{
	return text_equal(builder_get(k->sites.links, p->link.kind), text_of(kind));
}

/* --- crossing devices --- */

/* What is at the other end of a cable, or below a device that stands on another one. */
static bool beyond(struct walk *k, const struct place *p, struct place *ret)
{
	struct net_site *site = p->link.link_netnsid == ROW_NO_INT ? p->site : net_site_of(&k->sites, p->site, p->link.link_netnsid);

	if (!site || p->link.link_index == ROW_NO_UINT || net_site_read(&k->sites, site) < 0)
		return false;
	return find(k, site, p->link.link_index, ret);
}

/* A cable leads into another namespace: there a bridge takes the frame, or the namespace itself. */
static enum turn cross_cable(struct walk *k, struct place *p, struct stage *ret)
{
	struct place peer, bridge;
	char name[64];

	if (!beyond(k, p, &peer))
		return lose(k, SEVERITY_UNKNOWN, "its other end is in a namespace that cannot be looked into");
	add(k, &peer, "peer");
	if (find(k, peer.site, peer.link.master_index, &bridge)) {
		if (is_kind(k, &bridge, "bridge")) {
			add(k, &bridge, "bridge");
			*p = bridge;
			return TURN_ON;
		}
		if (!is_kind(k, &bridge, "vrf"))
			return lose(k, SEVERITY_UNKNOWN, "belongs to %.40s, which decides by itself", word(k, bridge.link.name, name, sizeof name));
	}
	*ret = (struct stage){ .site = peer.site, .in = peer.link.index, .own = ret->own };
	return TURN_DECIDE;
}

static bool holds(struct walk *k, const struct place *port, const struct addr *address)
{
	struct place peer;

	return beyond(k, port, &peer) && net_site_holder(peer.site, address, peer.link.index) != ROW_NO_UINT;
}

/* The port that leads to the station: where its hardware address was seen, or the cable whose other end has the address. */
static bool find_port(struct walk *k, const struct place *bridge, const struct station *to, struct place *ret)
{
	uint64_t seen = to->mac.kind ? net_site_port(bridge->site, bridge->link.index, &to->mac) : ROW_NO_UINT;
	uint32_t n = builder_count(k->sites.links);

	if (seen != ROW_NO_UINT && seen != NET_PORT_OWN)
		return find(k, bridge->site, seen, ret);
	for (uint32_t i = 0; i < n; i++) {
		struct place port = { bridge->site, *(const struct net_link_row *)builder_at(k->sites.links, i) };

		if (port.link.netns == bridge->site->netns && port.link.master_index == bridge->link.index && is_kind(k, &port, "veth") &&
			holds(k, &port, &to->address)) {
			*ret = port;
			return true;
		}
	}
	return false;
}

/* A port that is no cable: what nobody here has is out there. */
static bool find_outer_port(struct walk *k, const struct place *bridge, struct place *ret)
{
	for (uint32_t i = 0; i < builder_count(k->sites.links); i++) {
		struct place port = { bridge->site, *(const struct net_link_row *)builder_at(k->sites.links, i) };

		if (port.link.netns == bridge->site->netns && port.link.master_index == bridge->link.index && port.link.up == 1 &&
			!is_kind(k, &port, "veth") && !is_kind(k, &port, "tun")) {
			*ret = port;
			return true;
		}
	}
	return false;
}

static enum turn cross_bridge(struct walk *k, struct place *p, const struct station *to, struct stage *ret)
{
	bool local = to->address.kind == ADDR_IP6 && to->address.bytes[0] == 0xfe && (to->address.bytes[1] & 0xc0) == 0x80;
	char text[ADDR_TEXT];
	struct place port;

	if (net_site_holder(p->site, &to->address, local ? p->link.index : ROW_NO_UINT) != ROW_NO_UINT ||
		(to->mac.kind && net_site_port(p->site, p->link.index, &to->mac) == NET_PORT_OWN)) {
		*ret = (struct stage){ .site = p->site, .in = p->link.index, .own = ret->own };
		return TURN_DECIDE;
	}
	if (!find_port(k, p, to, &port) && !find_outer_port(k, p, &port))
		return lose(k, SEVERITY_UNKNOWN, "nobody on this bridge is known to be %s", addr_format(&to->address, text));
	if (is_hop(at(k, 2), &port))
		return lose(k, SEVERITY_BAD, "would go back where it came from");
	add(k, &port, "port");
	*p = port;
	return TURN_ON;
}

/* The packet travels inside another one, to the far end of the tunnel. */
static enum turn cross_tunnel(struct walk *k, const struct place *p, struct stage *ret)
{
	struct net_site *site = p->link.link_netnsid == ROW_NO_INT ? p->site : net_site_of(&k->sites, p->site, p->link.link_netnsid);

	if (!p->link.remote.kind || addr_is_any(&p->link.remote))
		return end(k, NET_HOP_UPLINK);
	if (!site || net_site_read(&k->sites, site) < 0)
		return lose(k, SEVERITY_UNKNOWN, "its packets leave from a namespace that cannot be looked into");
	k->to = p->link.remote;
	k->from = addr_is_any(&p->link.local) ? (struct addr){ .kind = ADDR_NONE } : p->link.local;
	k->step = "tunnel";
	*ret = (struct stage){ .site = site, .in = ROW_NO_UINT };
	return TURN_DECIDE;
}

static bool stands_on_another(const struct walk *k, const struct place *p)
{
	static const char *const kinds[] = { "macvlan", "macvtap", "ipvlan", "ipvtap", "vlan", "macsec" };

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (is_kind(k, p, kinds[i]))
			return true;
	return false;
}

static enum turn cross(struct walk *k, struct place *p, const struct station *to, struct stage *ret)
{
	struct place below;

	if (is_kind(k, p, "veth"))
		return cross_cable(k, p, ret);
	if (is_kind(k, p, "bridge"))
		return cross_bridge(k, p, to, ret);
	if (stands_on_another(k, p)) {
		if (!beyond(k, p, &below))
			return lose(k, SEVERITY_UNKNOWN, "stands on a device in a namespace that cannot be looked into");
		add(k, &below, "below");
		*p = below;
		return TURN_ON;
	}
	if (p->link.remote.kind)
		return cross_tunnel(k, p, ret);
	return end(k, NET_HOP_UPLINK);
}

/* --- deciding --- */

/* The destination is an address of this namespace: on the device it came in by, or on another one. */
static void arrive(struct walk *k, const struct stage *s)
{
	uint64_t index = net_site_holder(s->site, &k->to, ROW_NO_UINT);
	struct place p;

	if (index == ROW_NO_UINT)
		index = s->in != ROW_NO_UINT ? s->in : 1; /* broadcasts, all of 127.0.0.0/8 */
	if (find(k, s->site, index, &p) && !is_hop(last(k), &p))
		add(k, &p, "destination");
	end(k, NET_HOP_DESTINATION);
}

/* Does the namespace pass on at all? False: the setting that says no is named. */
static bool forwards(struct walk *k, const struct stage *s)
{
	unsigned family = k->to.kind == ADDR_IP4 ? 4 : 6;
	struct net_conf all = net_site_conf(s->site, family, 0), one = { ROW_NO_UINT, ROW_NO_UINT };
	const char *name = net_names_find(&s->site->names, s->in);

	if (family == 4)
		one = net_site_conf(s->site, family, s->in);
	if (all.forwarding == 0 && (family == 6 || one.forwarding != 1))
		lose(k, SEVERITY_BAD, "%s=0: its namespace does not pass packets on", family == 4 ? "net.ipv4.ip_forward" : "net.ipv6.conf.all.forwarding");
	else if (one.forwarding == 0)
		lose(k, SEVERITY_BAD, "net.ipv4.conf.%s.forwarding=0: what comes in here is not passed on", name ? name : "");
	else
		return true;
	return false;
}

/* 0, or the number of the setting by which the namespace drops what it would not answer by the same way (RFC 3704). The kernel said
 * EXDEV for that; since 6.14 it is EINVAL, as for martians and blackholes, so the way back is asked for. */
static uint64_t filters(struct walk *k, const struct stage *s)
{
	struct net_question back = { .to = k->from, .in = ROW_NO_UINT };
	struct net_conf all = net_site_conf(s->site, 4, 0), one = net_site_conf(s->site, 4, s->in);
	uint64_t all_mode = all.rp_filter == ROW_NO_UINT ? 0 : all.rp_filter, mode = one.rp_filter == ROW_NO_UINT ? 0 : one.rp_filter;
	const struct net_route_row *row;

	mode = mode > all_mode ? mode : all_mode; /* the larger one counts */
	if (k->from.kind != ADDR_IP4 || !mode)
		return 0;
	builder_clear(k->routes);
	if (net_site_route(s->site, &back, k->routes) < 0)
		return mode;
	row = builder_at(k->routes, 0);
	return mode == 1 && row->index != s->in ? 1 : 0;
}

/* Without the sender: is it the way that is refused, or who sends? */
static bool refuses_sender(struct walk *k, const struct stage *s)
{
	struct net_question q = { .to = k->to, .in = ROW_NO_UINT };

	builder_clear(k->routes);
	return net_site_route(s->site, &q, k->routes) == 0;
}

static void refuse(struct walk *k, const struct stage *s, int r)
{
	const char *name = net_names_find(&s->site->names, s->in);
	uint64_t mode = s->in != ROW_NO_UINT && (r == -EXDEV || r == -EINVAL) ? filters(k, s) : 0;
	char to[ADDR_TEXT], from[ADDR_TEXT];

	addr_format(&k->to, to);
	addr_format(&k->from, from);
	if (mode == 1 && net_site_conf(s->site, 4, s->in).rp_filter != 1)
		lose(k, SEVERITY_BAD, "net.ipv4.conf.all.rp_filter=1 drops packets from %s: the way back leads elsewhere", from);
	else if (mode == 1)
		lose(k, SEVERITY_BAD, "net.ipv4.conf.%s.rp_filter=1 drops packets from %s: the way back leads elsewhere", name ? name : "", from);
	else if (mode)
		lose(k, SEVERITY_BAD, "rp_filter=%" PRIu64 " drops packets from %s: no route leads back there", mode, from);
	else if ((r == -EXDEV || r == -EINVAL) && s->in != ROW_NO_UINT && refuses_sender(k, s))
		lose(k, SEVERITY_BAD, "its namespace does not take packets from %s here", from);
	else if (s->in == ROW_NO_UINT || r != -EHOSTUNREACH || forwards(k, s))
		lose(k, SEVERITY_BAD, "its namespace has no way to %s: %s", to, net_route_refusal(r));
}

static int ask(struct walk *k, struct stage *s, struct net_route_row *ret)
{
	struct net_question q = { .to = k->to, .from = k->from, .in = s->in };
	int r;

	builder_clear(k->routes);
	r = net_site_route(s->site, &q, k->routes);
	if ((r == -EXDEV || r == -EINVAL) && s->own.kind == k->to.kind && !addr_same(&s->own, &k->from)) {
		q.from = s->own; /* as if the last namespace masqueraded */
		builder_clear(k->routes);
		if (net_site_route(s->site, &q, k->routes) == 0) {
			k->from = s->own;
			r = 0;
		}
	}
	if (r == 0)
		*ret = *(const struct net_route_row *)builder_at(k->routes, 0);
	return r;
}

/* Which route that was: the kernel names it when asked again in another way. */
static struct str matched(struct walk *k, const struct stage *s)
{
	struct net_question q = { .to = k->to, .from = k->from, .in = s->in, .match = true };
	char text[ADDR_TEXT], words[160], metric[40] = "", table[40] = "";
	const struct net_route_row *row;

	builder_clear(k->routes);
	if (net_site_route(s->site, &q, k->routes) < 0)
		return ROW_NO_TEXT;
	row = builder_at(k->routes, 0);
	if (row->metric != ROW_NO_UINT && row->metric)
		snprintf(metric, sizeof metric, " metric %" PRIu64, row->metric);
	if (row->table != NET_TABLE_MAIN && row->table != ROW_NO_UINT)
		snprintf(table, sizeof table, " table %" PRIu64, row->table);
	snprintf(words, sizeof words, "%s%s%s", row->destination.prefix ? addr_format(&row->destination, text) : "default", metric, table);
	return builder_str(k->hops, words);
}

/* Whose hardware address the frame gets, and does that one answer? */
static void next_hop(struct walk *k, const struct place *p, const struct net_route_row *route, struct station *ret)
{
	struct net_hop_row *hop = last(k);
	const struct net_neighbour_row *n;
	char text[ADDR_TEXT];
	uint32_t at;

	ret->address = route->gateway.kind ? route->gateway : k->to;
	ret->mac = (struct addr){ .kind = ADDR_NONE };
	at = net_site_neighbour(p->site, &ret->address, p->link.index);
	hop->source = k->from;
	if (!p->link.mac.kind)
		return; /* a device without hardware addresses asks for none */
	hop->next_hop = ret->address;
	if (at == UINT32_MAX)
		return;
	n = builder_at(p->site->neighbours, at);
	hop->next_hop_state = n->state;
	ret->mac = n->mac;
	if (n->state == NET_NEIGHBOUR_FAILED || n->state == NET_NEIGHBOUR_INCOMPLETE)
		blame(k, n->state == NET_NEIGHBOUR_FAILED ? SEVERITY_BAD : SEVERITY_WARN, "%s does not answer %s", addr_format(&ret->address, text),
			ret->address.kind == ADDR_IP6 ? "neighbour discovery" : "ARP");
	if (n->state == NET_NEIGHBOUR_FAILED)
		end(k, NET_HOP_LOST);
}

/* A namespace that is asked the same again would say the same again. */
static bool is_circle(struct walk *k, const struct stage *s)
{
	for (unsigned i = 0; i < k->n_decided; i++)
		if (k->decided[i].netns == s->site->netns && k->decided[i].in == s->in)
			return true;
	if (k->n_decided < MAX_HOPS)
		k->decided[k->n_decided++] = (struct decided){ s->site->netns, s->in };
	return false;
}

/* One namespace's choice: the device that the packet leaves by. False: the way ends here. */
static bool decide(struct walk *k, struct stage *s, struct place *ret, struct station *to, int *ret_code)
{
	struct net_route_row route = { .type = ROW_NO_ENUM };
	struct net_hop_row *hop;

	s->site->used = true;
	if (is_circle(k, s)) {
		lose(k, SEVERITY_BAD, "packets go in a circle");
		return false;
	}
	*ret_code = net_site_read(&k->sites, s->site);
	if (*ret_code == 0)
		*ret_code = ask(k, s, &route);
	if (*ret_code < 0) {
		refuse(k, s, *ret_code);
		return false;
	}
	if (route.type != NET_ROUTE_UNICAST) {
		arrive(k, s);
		return false;
	}
	if (s->in != ROW_NO_UINT && !forwards(k, s))
		return false;
	if (!find(k, s->site, route.index, ret)) {
		lose(k, SEVERITY_UNKNOWN, "the interface that its namespace chose is not there any more");
		return false;
	}
	if (!k->from.kind)
		k->from = route.source;
	s->own = route.source;
	if (!is_hop(last(k), ret))
		add(k, ret, k->step);
	k->step = "route";
	next_hop(k, ret, &route, to);
	hop = last(k);
	hop->route = matched(k, s);
	return true;
}

static int way(struct walk *k)
{
	struct stage s = { .site = &k->sites.list[0], .in = ROW_NO_UINT };
	struct station to;
	struct place p;
	int code = 0;

	k->to = k->params.to;
	k->from = (struct addr){ .kind = ADDR_NONE };
	k->step = "route";
	while (builder_count(k->hops) < MAX_HOPS && decide(k, &s, &p, &to, &code)) {
		enum turn turn;

		do
			turn = cross(k, &p, &to, &s);
		while (turn == TURN_ON && builder_count(k->hops) < MAX_HOPS);
		if (turn == TURN_END)
			return 0;
	}
	if (last(k) && last(k)->end == ROW_NO_ENUM)
		lose(k, SEVERITY_UNKNOWN, "the way is longer than %d devices", MAX_HOPS);
	return builder_count(k->hops) ? 0 : code;
}

/* --- the worker --- */

/* pid 1 may hold rights that we lack, and so hide the namespace that is `own` anyway. */
static void enter_process(struct walk *k, const struct net_namespace *ns, int own)
{
	AUTO(fd_closep) int fd = proc_dir_open_netns(worker_target(k->w)->proc, (uint64_t)ns->pid);
	struct stat st;

	if (fd >= 0)
		net_sites_enter(&k->sites, fd, ns->inode, false);
	else if (own >= 0 && fstat(own, &st) == 0 && st.st_ino == ns->inode)
		net_sites_enter(&k->sites, own, ns->inode, false);
	else if (errno == EACCES || errno == EPERM)
		k->sites.denied++;
}

static void enter_mounted(int fd, uint64_t inode, void *arg)
{
	struct walk *k = arg;

	for (uint32_t i = 0; i < k->params.n; i++)
		if (k->params.list[i].pid == 0 && k->params.list[i].inode == inode)
			net_sites_enter(&k->sites, fd, inode, false);
}

static int walk_open(struct worker *w, struct err *err)
{
	const struct net_walk_params *params = worker_params(w, sizeof *params);
	struct walk *k = fd_xcalloc(1, sizeof *k);
	AUTO(fd_closep) int own = -1;
	char path[32];
	bool mounted = false;

	*worker_state(w) = k;
	if (!params || params->n > NET_SIDES || (params->to.kind != ADDR_IP4 && params->to.kind != ADDR_IP6))
		return err_set(err, EINVAL, "which destination?");
	k->w = w;
	k->params = *params;
	k->params.to.has_prefix = k->params.to.prefix = 0;
	k->routes = builder_new(&net_route_row_type);
	k->sites.links = builder_new(&net_link_row_type);
	if (!net_sites_enter(&k->sites, worker_target(w)->netns, worker_target(w)->netns_inode, true))
		return err_set(err, errno, "open a route socket");
	snprintf(path, sizeof path, "%d/ns/net", (int)getppid());
	own = openat(worker_target(w)->proc, path, O_RDONLY | O_CLOEXEC);
	for (uint32_t i = 0; i < k->params.n; i++) {
		if (k->params.list[i].pid > 0)
			enter_process(k, &k->params.list[i], own);
		mounted |= k->params.list[i].pid == 0;
	}
	if (mounted)
		net_mounted_each(worker_target(w)->proc, enter_mounted, k);
	worker_leave_net(w);
	return 0;
}

/* Rates are known when all interfaces are: the hops get theirs afterwards. */
static void set_rates(struct walk *k)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	k->past.seconds = (double)(now.tv_sec - k->past_time.tv_sec) + (double)(now.tv_nsec - k->past_time.tv_nsec) / 1e9;
	net_link_finish(k->sites.links, NULL, &k->past);
	if (k->past.seconds >= NET_LINK_SHORTEST) {
		net_link_keep(k->sites.links, &k->past);
		k->past_time = now;
	}
	for (uint32_t i = 0; i < builder_count(k->hops); i++) {
		struct net_hop_row *hop = builder_at(k->hops, i);
		const struct net_site site = { .netns = hop->netns };
		uint32_t link = net_site_link(&k->sites, &site, hop->index);
		const struct net_link_row *row = link == UINT32_MAX ? NULL : builder_at(k->sites.links, link);

		hop->rx_rate = row ? row->rx_rate : NAN;
		hop->tx_rate = row ? row->tx_rate : NAN;
		hop->drop_rate = row ? row->drop_rate : NAN;
	}
}

static int walk_sample(struct worker *w, struct builder *b, struct err *err)
{
	struct walk *k = *worker_state(w);
	char text[ADDR_TEXT];
	int r;

	k->hops = b;
	k->n_decided = 0;
	net_sites_round(&k->sites);
	r = way(k);
	if (r < 0)
		return err_set(err, -r, "route to %s: %s", addr_format(&k->params.to, text), net_route_refusal(r));
	set_rates(k);
	if (k->sites.denied && last(k)->end == NET_HOP_UNKNOWN)
		builder_note(b, EPERM, "namespaces on the way that may not be entered: %u; %s", k->sites.denied, rights_needed(RIGHT(CAP_SYS_ADMIN), (char[RIGHTS_TEXT]){ 0 }));
	if (!k->tidy)
		net_sites_let_go(&k->sites);
	k->tidy = true;
	return 0;
}

/* --- where to look --- */

static int interest(const struct block *targets, const struct target_row *t, const struct addr *to)
{
	char text[ADDR_TEXT];
	struct text item;

	addr_format(to, text);
	for (uint32_t i = 0; block_list_item(targets, t->addresses, i, &item); i++)
		if (text_equal(item, text_of(text)))
			return 1;
	return t->head.flags & TARGET_IS_HOST ? 0 : 2;
}

static void list(struct net_walk_params *params, uint64_t own, const struct target_row *t)
{
	for (uint32_t i = 0; i < params->n; i++)
		if (params->list[i].inode == t->netns)
			return;
	if (params->n < NET_SIDES && t->netns != ROW_NO_UINT && t->netns != own)
		params->list[params->n++] = (struct net_namespace){ .pid = t->pid == ROW_NO_UINT ? 0 : (int32_t)t->pid, .inode = t->netns };
}

void net_walk_list(const struct block *targets, uint64_t own, struct net_walk_params *params)
{
	params->n = 0;
	for (int round = 0; targets && round < 3; round++)
		for (uint32_t i = 0; i < block_count(targets); i++)
			if (interest(targets, block_row(targets, i), &params->to) == round)
				list(params, own, block_row(targets, i));
}

const struct source net_walk_source = {
	.name = "way", .type = &net_hop_row_type, .enter = SOURCE_ENTER_NET, .needs_target = true, .cage = CAGE_NETLINK,
	.open = walk_open, .sample = walk_sample,
};
