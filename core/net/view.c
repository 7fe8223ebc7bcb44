/*
 * The worker for a namespace's network: see view.h. It may read what its two sockets say and nothing else. Numbers of other namespaces
 * become inodes by asking for each process that the front names; those that only a mount holds are looked up before the cage closes.
 */
#include "core/net/view.h"

#include "core/block.h"
#include "core/err.h"
#include "core/fd.h"
#include "core/loop.h"
#include "core/net/address.h"
#include "core/net/link.h"
#include "core/net/mounted.h"
#include "core/net/neighbour.h"
#include "core/net/route.h"
#include "core/net/rtnl.h"
#include "core/net/rule.h"
#include "core/worker.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/net_namespace.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { TRIES = 3, MAX_KNOWN = 4096, SETTLE_MS = 100, COST_SHARE = 20 };

const struct row_type *const net_types[NET_PARTS] = {
	[NET_LINKS] = &net_link_row_type, [NET_ADDRESSES] = &net_address_row_type, [NET_ROUTES] = &net_route_row_type,
	[NET_RULES] = &net_rule_row_type, [NET_NEIGHBOURS] = &net_neighbour_row_type,
};

struct known {
	int64_t nsid;
	uint64_t inode;
};

struct view {
	struct worker *w;
	struct net_params params;
	uint64_t netns;
	struct net_rtnl *rtnl;
	int events; /* -1: not watched */
	struct builder *parts[NET_PARTS];
	struct net_names names;
	struct net_link_past past; /* an earlier sample, for rates */
	int64_t past_us;
	struct known known[MAX_KNOWN];
	unsigned n_known;
	int64_t due_us; /* something changed: sample then; 0: no */
	int64_t cost_us, sampled_us;
};

/* --- numbers of namespaces --- */

/* `what`: NETNSA_PID or NETNSA_FD. */
static void learn(struct view *v, uint16_t what, uint32_t value, uint64_t inode)
{
	int64_t nsid = net_rtnl_nsid(v->rtnl, what, value);

	if (nsid < 0)
		return;
	for (unsigned i = 0; i < v->n_known; i++)
		if (v->known[i].nsid == nsid) {
			v->known[i].inode = inode;
			return;
		}
	if (v->n_known < MAX_KNOWN)
		v->known[v->n_known++] = (struct known){ nsid, inode };
}

static uint64_t inode_of(const struct view *v, int64_t nsid)
{
	for (unsigned i = 0; nsid != ROW_NO_INT && i < v->n_known; i++)
		if (v->known[i].nsid == nsid)
			return v->known[i].inode;
	return ROW_NO_UINT;
}

static void count_elsewhere(const struct nlmsghdr *nlh, void *arg)
{
	struct net_attrs a;

	net_attrs_of(nlh, sizeof(struct ifinfomsg), &a);
	*(unsigned *)arg += a.at[IFLA_LINK_NETNSID] != NULL;
}

static void learn_mount(int fd, uint64_t inode, void *arg)
{
	learn(arg, NETNSA_FD, (uint32_t)fd, inode);
}

/* --- reading --- */

static void take_link(const struct nlmsghdr *nlh, void *arg)
{
	struct view *v = arg;
	struct net_link_row *row;

	if (!net_link_take(nlh, v->netns, &v->names, v->parts[NET_LINKS]))
		return;
	row = builder_at(v->parts[NET_LINKS], builder_count(v->parts[NET_LINKS]) - 1);
	row->peer_netns = inode_of(v, row->link_netnsid);
}

static void take_address(const struct nlmsghdr *nlh, void *arg)
{
	struct view *v = arg;

	net_address_take(nlh, v->netns, &v->names, v->parts[NET_ADDRESSES]);
}

static void take_route(const struct nlmsghdr *nlh, void *arg)
{
	struct view *v = arg;

	net_route_take(nlh, v->netns, &v->names, v->parts[NET_ROUTES]);
}

static void take_rule(const struct nlmsghdr *nlh, void *arg)
{
	struct view *v = arg;

	net_rule_take(nlh, v->netns, v->parts[NET_RULES]);
}

static void take_neighbour(const struct nlmsghdr *nlh, void *arg)
{
	struct view *v = arg;

	net_neighbour_take(nlh, v->netns, &v->names, v->parts[NET_NEIGHBOURS]);
}

static const struct {
	uint16_t type;
	size_t body; /* size of the request's header */
	int families[2];
	net_message_fn take;
	const char *noun;
} questions[NET_PARTS] = {
	[NET_LINKS] = { RTM_GETLINK, sizeof(struct ifinfomsg), { AF_UNSPEC }, take_link, "interfaces" },
	[NET_ADDRESSES] = { RTM_GETADDR, sizeof(struct ifaddrmsg), { AF_INET, AF_INET6 }, take_address, "addresses" },
	[NET_ROUTES] = { RTM_GETROUTE, sizeof(struct rtmsg), { AF_INET, AF_INET6 }, take_route, "routes" },
	[NET_RULES] = { RTM_GETRULE, sizeof(struct rtmsg), { AF_INET, AF_INET6 }, take_rule, "rules" },
	[NET_NEIGHBOURS] = { RTM_GETNEIGH, sizeof(struct ndmsg), { AF_UNSPEC }, take_neighbour, "neighbours" },
};

/* A disturbed dump is taken again; the third time its rows stay, with a note. */
static int read_family(struct view *v, enum net_part part, int family)
{
	struct builder *b = v->parts[part];
	uint32_t before = builder_count(b);
	char body[64] = { 0 }; /* each header begins with the family's byte */
	int r = 0;

	body[0] = (char)family;
	for (unsigned try = 0; try < TRIES; try++) {
		while (builder_count(b) > before)
			builder_drop_last(b);
		if (part == NET_LINKS)
			net_names_clear(&v->names);
		r = net_rtnl_dump(v->rtnl, questions[part].type, body, questions[part].body, questions[part].take, v);
		if (r <= 0 && r != -EINTR)
			return r;
	}
	builder_note(b, 0, "%s changed while they were read: some may be missing or twice", questions[part].noun);
	return 0;
}

static int read_part(struct view *v, enum net_part part, struct err *err)
{
	for (unsigned i = 0; i < 2; i++) {
		int family = questions[part].families[i], r;

		if (i && family == AF_UNSPEC)
			break;
		r = read_family(v, part, family);
		if (r == -EOPNOTSUPP || r == -EAFNOSUPPORT)
			continue; /* a kernel without IPv6, or without policy rules */
		if (r < 0)
			return err_set(err, -r, "read the %s of the namespace", questions[part].noun);
	}
	return 0;
}

/* All that is wanted; addresses always, since interfaces list theirs. */
static int read_all(struct view *v, struct err *err)
{
	int64_t from = loop_now_us();
	int r = 0;

	for (unsigned p = 0; p < NET_PARTS; p++)
		builder_clear(v->parts[p]);
	for (unsigned p = 0; p < NET_PARTS && r == 0; p++)
		if (p <= NET_ADDRESSES || v->params.parts >> p & 1)
			r = read_part(v, (enum net_part)p, err);
	if (r < 0)
		return r;
	v->past.seconds = (double)(from - v->past_us) / 1e6;
	net_link_finish(v->parts[NET_LINKS], v->parts[NET_ADDRESSES], &v->past);
	if (v->past.seconds >= NET_LINK_SHORTEST) {
		net_link_keep(v->parts[NET_LINKS], &v->past);
		v->past_us = from;
	}
	v->sampled_us = loop_now_us();
	v->cost_us = v->sampled_us - from;
	v->due_us = 0;
	return 0;
}

static int sample(struct view *v, uint32_t tag)
{
	struct err err = { 0 };
	int r = read_all(v, &err);

	if (r < 0)
		return worker_send_error(v->w, tag, &err);
	for (unsigned p = 0; p < NET_PARTS && r >= 0; p++) {
		if (!(v->params.parts >> p & 1))
			continue;
		builder_cost(v->parts[p], (uint64_t)v->cost_us);
		r = worker_send_block(v->w, tag, v->parts[p]);
	}
	return r;
}

/* --- requests --- */

static int learn_processes(struct view *v, const struct msg *m)
{
	struct net_namespace list[NET_NAMESPACES];
	size_t n = m->request.n_params / sizeof list[0];

	if (n > NET_NAMESPACES || m->request.n_params % sizeof list[0])
		return -EBADMSG;
	memcpy(list, m->request.params, n * sizeof list[0]);
	for (size_t i = 0; i < n; i++)
		if (list[i].pid > 0 && list[i].inode != v->netns)
			learn(v, NETNSA_PID, (uint32_t)list[i].pid, list[i].inode);
	return sample(v, m->head.tag);
}

static int route_error(struct view *v, uint32_t tag, int r, const struct addr *to)
{
	char text[ADDR_TEXT];
	struct err err = { 0 };

	err_set(&err, -r, "route to %s: %s", addr_format(to, text), net_route_refusal(r));
	return worker_send_error(v->w, tag, &err);
}

static int find_route(struct view *v, const struct msg *m)
{
	char body[128];
	struct net_question q = { .in = ROW_NO_UINT };
	size_t n;
	int r;

	if (m->request.n_params != sizeof q.to)
		return -EBADMSG;
	memcpy(&q.to, m->request.params, sizeof q.to);
	if (q.to.kind != ADDR_IP4 && q.to.kind != ADDR_IP6)
		return -EBADMSG;
	q.to.has_prefix = 0;
	n = net_route_question(&q, body, sizeof body);
	builder_clear(v->parts[NET_ROUTES]);
	r = net_rtnl_ask(v->rtnl, RTM_GETROUTE, body, n, take_route, v);
	if (r < 0)
		return route_error(v, m->head.tag, r, &q.to);
	return worker_send_block(v->w, m->head.tag, v->parts[NET_ROUTES]);
}

static int answer(struct view *v, const struct msg *m)
{
	if (m->head.type != MSG_REQUEST)
		return -EBADMSG;
	switch (m->request.op) {
	case MSG_OP_SAMPLE:
		return sample(v, m->head.tag);
	case NET_OP_NAMESPACES:
		return learn_processes(v, m);
	case NET_OP_GET:
		return find_route(v, m);
	default:
		return -EBADMSG;
	}
}

/* --- the worker --- */

/* What is said does not matter: everything is read again, once it has settled, under 5 % of a core. Lost messages say as much. */
static void take_events(struct view *v)
{
	char buf[16384];
	int64_t soon = loop_now_us() + SETTLE_MS * 1000, fair = v->sampled_us + v->cost_us * COST_SHARE;

	while (recv(v->events, buf, sizeof buf, MSG_DONTWAIT) > 0 || errno == ENOBUFS)
		errno = 0;
	if (!v->due_us)
		v->due_us = soon > fair ? soon : fair;
}

static int timeout_of(const struct view *v)
{
	int64_t left;

	if (!v->due_us)
		return -1;
	left = (v->due_us - loop_now_us() + 999) / 1000;
	return left < 0 ? 0 : (int)left;
}

static int serve(struct worker *w, struct err *err)
{
	struct view *v = *worker_state(w);
	struct pollfd p[3] = { { .fd = worker_channel(w), .events = POLLIN }, { .fd = v->events, .events = POLLIN },
		{ .fd = worker_target(w)->pidfd, .events = POLLIN } };
	int r = sample(v, 0);

	(void)err;
	while (r >= 0) {
		struct msg m;
		int n = poll(p, 3, timeout_of(v));

		if (n < 0 && errno != EINTR)
			return -errno;
		if (p[2].revents)
			return worker_send_gone(w);
		if (p[1].revents)
			take_events(v);
		if (v->due_us && loop_now_us() >= v->due_us)
			r = sample(v, 0);
		if (r < 0 || !p[0].revents)
			continue;
		r = msg_recv(p[0].fd, &m, 0);
		if (r <= 0)
			return r;
		r = answer(v, &m);
		fd_closep(&m.fd);
	}
	return r;
}

static int watch(void)
{
	static const unsigned groups[] = { RTNLGRP_LINK, RTNLGRP_NEIGH, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV4_RULE,
		RTNLGRP_IPV6_IFADDR, RTNLGRP_IPV6_ROUTE, RTNLGRP_IPV6_RULE };
	AUTO(fd_closep) int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
	struct sockaddr_nl a = { .nl_family = AF_NETLINK };

	for (size_t i = 0; i < ARRAY_LEN(groups); i++)
		a.nl_groups |= 1u << (groups[i] - 1);
	if (fd < 0 || bind(fd, (const struct sockaddr *)&a, sizeof a) < 0)
		return -1; /* then changes are seen at the next sample */
	return fd_take(&fd);
}

static int open_view(struct worker *w, struct err *err)
{
	const struct net_params *params = worker_params(w, sizeof *params);
	int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_ROUTE);
	struct view *v = fd_xcalloc(1, sizeof *v);
	struct ifinfomsg all = { 0 };
	unsigned elsewhere = 0;

	*worker_state(w) = v;
	if (fd < 0)
		return err_set(err, errno, "open a route socket");
	v->w = w;
	v->params = params ? *params : (struct net_params){ .parts = (1 << NET_PARTS) - 1 };
	v->netns = worker_target(w)->netns_inode;
	v->rtnl = net_rtnl_new(fd);
	v->events = v->params.watch ? watch() : -1;
	for (unsigned p = 0; p < NET_PARTS; p++)
		v->parts[p] = builder_new(net_types[p]);
	/* Only a namespace that was met in a dump has a number. */
	net_rtnl_dump(v->rtnl, RTM_GETLINK, &all, sizeof all, count_elsewhere, &elsewhere);
	if (elsewhere)
		net_mounted_each(worker_target(w)->proc, learn_mount, v);
	return 0;
}

bool net_view_wants_namespaces(const struct block *links)
{
	for (uint32_t i = 0; links && i < block_count(links); i++) {
		const struct net_link_row *row = block_row(links, i);

		if (row->link_netnsid != ROW_NO_INT && row->peer_netns == ROW_NO_UINT)
			return true;
	}
	return false;
}

const struct source net_source = {
	.name = "network", .type = &net_link_row_type, .enter = SOURCE_ENTER_NET, .needs_target = true, .cage = CAGE_NETLINK,
	.open = open_view, .serve = serve,
};
