/* Listening sockets of many namespaces in one worker: see listeners.h. The sockets are made inside; reading them needs no right. */
#include "core/net/listeners.h"

#include "core/block.h"
#include "core/err.h"
#include "core/fd.h"
#include "core/net/address.h"
#include "core/net/link.h"
#include "core/net/mounted.h"
#include "core/net/rtnl.h"
#include "core/rights.h"
#include "core/source/proc_dir.h"
#include "core/target.h"
#include "core/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/capability.h>
#include <linux/inet_diag.h>
#include <linux/net_namespace.h>
#include <linux/nsfs.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { KERNEL_CLOSE = 7, KERNEL_LISTEN = 10, TRIES = 3 }; /* net/tcp_states.h */

const char *const net_protocol_names[NET_PROTOCOL_N] = { [NET_PROTOCOL_TCP] = "tcp", [NET_PROTOCOL_UDP] = "udp" };

struct spot {
	uint64_t netns;
	struct net_rtnl *rtnl, *diag;
};

struct listeners {
	struct worker *w;
	struct net_listeners_params params;
	struct spot list[NET_LISTENERS];
	unsigned n, denied;
	bool refused[NET_LISTENERS]; /* of params.list: entering was denied */
	int own; /* the namespace we came from */
	uint64_t own_netns;
	struct net_namespace *candidates;
	uint32_t n_candidates;
	struct builder *rows, *places, *links, *addresses; /* links, addresses: of the one being read */
	struct net_names names;
	struct spot *now;
	enum net_protocol protocol;
};

/* --- entering --- */

/* An ordinary user's rootless containers: their owner first. Afterwards others of the same owner are entered directly. */
static int enter_as_owner(int fd)
{
	AUTO(fd_closep) int owner = ioctl(fd, NS_GET_USERNS);

	return owner >= 0 && setns(owner, CLONE_NEWUSER) == 0 ? setns(fd, CLONE_NEWNET) : -1;
}

/* false: denied */
static bool enter(struct listeners *s, int fd, uint64_t inode, bool as_owner)
{
	int route, diag;
	struct stat st;

	if (s->n == NET_LISTENERS || fstat(fd, &st) < 0 || st.st_ino != inode)
		return true; /* its process has left, another one has the number */
	if (setns(fd, CLONE_NEWNET) < 0 && inode != s->own_netns && (!as_owner || enter_as_owner(fd) < 0))
		return false;
	route = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_ROUTE);
	diag = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	if (route >= 0 && diag >= 0)
		s->list[s->n++] = (struct spot){ inode, net_rtnl_new(route), net_rtnl_new(diag) };
	return true;
}

static bool enter_process(struct listeners *s, const struct net_namespace *ns, bool as_owner)
{
	AUTO(fd_closep) int fd = -1;

	if (ns->inode != s->own_netns) /* pid 1 may hold rights that we lack, and so hide its own */
		fd = proc_dir_open_netns(worker_target(s->w)->proc, (uint64_t)ns->pid);
	if (fd < 0 && ns->inode != s->own_netns)
		return errno != EACCES && errno != EPERM;
	return enter(s, fd < 0 ? s->own : fd, ns->inode, as_owner);
}

static void enter_mounted(int fd, uint64_t inode, void *arg)
{
	struct listeners *s = arg;

	for (uint32_t i = 0; i < s->params.n; i++)
		if (s->params.list[i].pid == 0 && inode != s->own_netns && s->params.list[i].inode == inode && !enter(s, fd, inode, false))
			s->denied++;
}

/* First what can be entered as we are; becoming an owner is for good. */
static void enter_all(struct listeners *s)
{
	bool mounted = false, root = geteuid() == 0; /* asked now: in an owner's namespace everybody is root */

	for (uint32_t i = 0; i < s->params.n; i++) {
		mounted |= s->params.list[i].pid <= 0 && s->params.list[i].inode != s->own_netns;
		s->refused[i] = (s->params.list[i].pid > 0 || s->params.list[i].inode == s->own_netns) && !enter_process(s, &s->params.list[i], false);
	}
	if (mounted)
		net_mounted_each(worker_target(s->w)->proc, enter_mounted, s);
	for (uint32_t i = 0; i < s->params.n; i++)
		s->denied += s->refused[i] && (root || !enter_process(s, &s->params.list[i], true));
}

static int listeners_open(struct worker *w, struct err *err)
{
	const struct net_listeners_params *params = worker_params(w, sizeof *params);
	struct listeners *s = fd_xcalloc(1, sizeof *s);
	struct stat st;

	*worker_state(w) = s;
	if (!params || params->n > NET_LISTENERS)
		return err_set(err, EINVAL, "which namespaces?");
	s->w = w;
	s->params = *params;
	s->places = builder_new(&net_place_row_type);
	s->links = builder_new(&net_link_row_type);
	s->addresses = builder_new(&net_address_row_type);
	s->own = openat(worker_target(w)->proc, "self/ns/net", O_RDONLY | O_CLOEXEC);
	if (s->own >= 0 && fstat(s->own, &st) == 0)
		s->own_netns = st.st_ino;
	enter_all(s);
	fd_closep(&s->own);
	return 0;
}

/* --- sockets --- */

static void take_socket(const struct nlmsghdr *nlh, void *arg)
{
	struct listeners *s = arg;
	struct net_listener_row *row;
	struct inet_diag_msg m;
	struct net_attrs a;

	if (nlh->nlmsg_type != SOCK_DIAG_BY_FAMILY || mnl_nlmsg_get_payload_len(nlh) < sizeof m)
		return;
	memcpy(&m, mnl_nlmsg_get_payload(nlh), sizeof m);
	if ((m.idiag_family != AF_INET && m.idiag_family != AF_INET6) || m.id.idiag_dport)
		return;
	net_attrs_of(nlh, sizeof m, &a);
	row = builder_row(s->rows);
	*row = (struct net_listener_row){ .head.id = row_hash(m.id.idiag_cookie, sizeof m.id.idiag_cookie, s->now->netns),
		.netns = s->now->netns, .protocol = s->protocol, .family = m.idiag_family == AF_INET ? 4 : 6, .port = ntohs(m.id.idiag_sport),
		.inode = m.idiag_inode ? m.idiag_inode : ROW_NO_UINT, .uid = m.idiag_uid };
	row->address = row->family == 4 ? addr_ip4(m.id.idiag_src) : addr_ip6(m.id.idiag_src);
	row->v6only = row->family == 6 && a.at[INET_DIAG_SKV6ONLY] && net_attr_uint(a.at[INET_DIAG_SKV6ONLY]) == 1;
}

static void read_sockets(struct listeners *s, enum net_protocol protocol, uint8_t family)
{
	struct inet_diag_req_v2 req = { .sdiag_family = family, .sdiag_protocol = protocol == NET_PROTOCOL_TCP ? IPPROTO_TCP : IPPROTO_UDP,
		.idiag_states = 1u << (protocol == NET_PROTOCOL_TCP ? KERNEL_LISTEN : KERNEL_CLOSE) };
	uint32_t before = builder_count(s->rows);

	s->protocol = protocol;
	for (unsigned try = 0; try < TRIES; try++) { /* a disturbed dump is taken again; a kernel without the family has none */
		while (builder_count(s->rows) > before)
			builder_drop_last(s->rows);
		if (net_rtnl_dump(s->now->diag, SOCK_DIAG_BY_FAMILY, &req, sizeof req, take_socket, s) <= 0)
			return;
	}
}

/* --- places --- */

static void take_link(const struct nlmsghdr *nlh, void *arg)
{
	struct listeners *s = arg;

	net_link_take(nlh, s->now->netns, &s->names, s->links);
}

static void take_address(const struct nlmsghdr *nlh, void *arg)
{
	struct listeners *s = arg;

	net_address_take(nlh, s->now->netns, &s->names, s->addresses);
}

/* The inode behind a number. What was found moves to the front: most containers of a host have the same outside. */
static uint64_t inode_of(struct listeners *s, int64_t nsid)
{
	for (uint32_t i = 0; nsid >= 0 && i < s->n_candidates; i++) {
		struct net_namespace ns = s->candidates[i];

		if (ns.pid <= 0 || ns.inode == s->now->netns || net_rtnl_nsid(s->now->rtnl, NETNSA_PID, (uint32_t)ns.pid) != nsid)
			continue;
		memmove(s->candidates + 1, s->candidates, i * sizeof ns);
		s->candidates[0] = ns;
		return ns.inode;
	}
	return ROW_NO_UINT;
}

static bool is_kind(const struct listeners *s, const struct net_link_row *l, const char *kind)
{
	return text_equal(builder_get(s->links, l->kind), text_of(kind));
}

/* Only this machine is there: a bridge whose ports are cables and virtual machines; loopback; a dummy. */
static bool is_inner(const struct listeners *s, const struct net_link_row *l)
{
	if (text_equal(builder_get(s->links, l->type), text_of("loopback")) || is_kind(s, l, "dummy"))
		return true;
	if (!is_kind(s, l, "bridge"))
		return false;
	for (uint32_t i = 0; i < builder_count(s->links); i++) {
		const struct net_link_row *port = builder_at(s->links, i);

		if (port->master_index == l->index && !is_kind(s, port, "veth") && !is_kind(s, port, "tun"))
			return false;
	}
	return true;
}

static const struct net_link_row *link_at(const struct listeners *s, uint64_t index)
{
	for (uint32_t i = 0; i < builder_count(s->links); i++)
		if (((const struct net_link_row *)builder_at(s->links, i))->index == index)
			return builder_at(s->links, i);
	return NULL;
}

/* A port of a bridge is where the bridge is. */
static bool is_inner_address(const struct listeners *s, uint64_t index)
{
	const struct net_link_row *l = link_at(s, index), *master = l && l->master_index != ROW_NO_UINT ? link_at(s, l->master_index) : NULL;

	return l && (is_inner(s, l) || (master && is_inner(s, master)));
}

static enum net_cable cable_of(const struct listeners *s, const struct net_link_row *l)
{
	if (l->up != 1 || is_inner(s, l))
		return NET_CABLE_NONE;
	if (is_kind(s, l, "tun"))
		return NET_CABLE_TAP;
	if (is_kind(s, l, "veth"))
		return l->master_index == ROW_NO_UINT ? NET_CABLE_PAIR : NET_CABLE_NONE; /* a port of a bridge leads inwards */
	return NET_CABLE_DIRECT;
}

static void look_at_links(struct listeners *s, struct net_place_row *place)
{
	for (uint32_t i = 0; i < builder_count(s->links); i++) {
		const struct net_link_row *l = builder_at(s->links, i);
		enum net_cable cable = cable_of(s, l);

		if (cable > place->cable)
			place->cable = cable;
		if (cable == NET_CABLE_PAIR && place->outside == ROW_NO_UINT && l->link_netnsid != ROW_NO_INT)
			place->outside = inode_of(s, l->link_netnsid);
	}
}

static void read_place(struct listeners *s)
{
	static const unsigned char families[] = { AF_INET, AF_INET6 };
	struct net_place_row place = { .head.id = s->now->netns, .netns = s->now->netns, .outside = ROW_NO_UINT };
	struct net_own_row *own;
	struct ifinfomsg all = { 0 };
	uint32_t n;

	net_names_clear(&s->names);
	builder_clear(s->links);
	builder_clear(s->addresses);
	net_rtnl_dump(s->now->rtnl, RTM_GETLINK, &all, sizeof all, take_link, s);
	for (size_t i = 0; i < ARRAY_LEN(families); i++) {
		struct ifaddrmsg m = { .ifa_family = families[i] };

		net_rtnl_dump(s->now->rtnl, RTM_GETADDR, &m, sizeof m, take_address, s);
	}
	look_at_links(s, &place);
	n = builder_count(s->addresses);
	own = fd_xcalloc(n + 1, sizeof *own);
	for (uint32_t i = 0; i < n; i++) {
		const struct net_address_row *a = builder_at(s->addresses, i);

		own[i] = (struct net_own_row){ .head.id = a->head.id, .address = a->address, .inner = is_inner_address(s, a->index) };
	}
	place.own = builder_rows(s->places, &net_own_row_type, own, n);
	free(own);
	memcpy(builder_row(s->places), &place, sizeof place);
}

/* --- the worker --- */

static int listeners_sample(struct worker *w, struct builder *b, struct err *err)
{
	struct listeners *s = *worker_state(w);

	(void)err;
	builder_clear(s->places);
	s->rows = b;
	for (unsigned i = 0; s->candidates && i < s->n; i++) { /* without them the places would be half told */
		s->now = &s->list[i];
		read_place(s);
		for (unsigned p = 0; p < NET_PROTOCOL_N; p++) {
			read_sockets(s, (enum net_protocol)p, AF_INET);
			read_sockets(s, (enum net_protocol)p, AF_INET6);
		}
	}
	if (s->denied)
		builder_note(b, EPERM, "network namespaces that may not be entered: %u; %s", s->denied, rights_needed(RIGHT(CAP_SYS_ADMIN), (char[RIGHTS_TEXT]){ 0 }));
	return worker_send_block(w, 0, s->places);
}

static int listeners_request(struct worker *w, const struct msg *m, struct err *err)
{
	struct listeners *s = *worker_state(w);
	struct net_namespace *list;
	uint32_t n;

	if (m->request.op != NET_LISTENERS_OP_CANDIDATES)
		return err_set(err, EBADMSG, "not a request of the listeners' worker");
	list = msg_list(m, sizeof *list, NET_CANDIDATES, "namespaces", &n, err);
	if (!list)
		return -EBADMSG;
	free(s->candidates);
	s->candidates = list;
	s->n_candidates = n;
	return 0;
}

/* --- the front's side --- */

/* The host, then what is no container (a daemon's namespace), then containers, which may hold a daemon as well. */
static int candidate_rank(const struct target_row *t)
{
	return t->head.flags & TARGET_IS_HOST ? 0 : t->head.flags & TARGET_IS_NETNS ? 1 : 2;
}

int net_listeners_candidates(const struct block *targets)
{
	AUTO(fd_closep) int fd = memfd_create("candidates", MFD_CLOEXEC);
	uint32_t all = targets ? block_count(targets) : 0, n = 0;
	AUTO(fd_freep) struct net_namespace *list = fd_xcalloc(all + 1, sizeof *list);
	int r;

	if (fd < 0)
		return -errno;
	for (int rank = 0; rank <= 2; rank++)
		for (uint32_t i = 0; i < all && n < NET_CANDIDATES; i++) {
			const struct target_row *t = block_row(targets, i);

			if (candidate_rank(t) == rank && t->pid != ROW_NO_UINT && t->pid > 0 && t->netns != ROW_NO_UINT)
				list[n++] = (struct net_namespace){ .pid = (int32_t)t->pid, .inode = t->netns };
		}
	r = fd_write_all(fd, list, n * sizeof *list);
	return r < 0 ? r : fd_take(&fd);
}

/* --- tables --- */

static const char *const cable_names[NET_CABLE_N] = {
	[NET_CABLE_NONE] = "none", [NET_CABLE_TAP] = "tap", [NET_CABLE_PAIR] = "pair", [NET_CABLE_DIRECT] = "direct",
};

static const struct field listener_fields[] = {
	{ ROW_FIELD(struct net_listener_row, netns, UINT), .title = "NETNS", .unit = UNIT_ID, .help = "namespace" },
	{ ROW_FIELD(struct net_listener_row, protocol, ENUM), .title = "PROTO", .help = "tcp, udp", .names = net_protocol_names,
		.n_names = NET_PROTOCOL_N },
	{ ROW_FIELD(struct net_listener_row, address, ADDR), .title = "ADDRESS", .help = "own address" },
	{ ROW_FIELD(struct net_listener_row, port, UINT), .title = "PORT", .unit = UNIT_ID, .help = "own port" },
	{ ROW_FIELD(struct net_listener_row, v6only, BOOL), .title = "V6ONLY", .help = "takes no IPv4" },
	{ ROW_FIELD(struct net_listener_row, inode, UINT), .title = "INODE", .unit = UNIT_ID, .help = "the socket" },
	{ ROW_FIELD(struct net_listener_row, uid, UINT), .title = "UID", .unit = UNIT_ID, .help = "who made it" },
};

const struct row_type net_listener_row_type = {
	.name = "listeners", .noun = "listening sockets", .id = 0x6c73746e, .schema = 1, .size = sizeof(struct net_listener_row),
	.fields = listener_fields, .n_fields = ARRAY_LEN(listener_fields),
};

static const struct field own_fields[] = {
	{ ROW_FIELD(struct net_own_row, address, ADDR), .title = "ADDRESS", .help = "own address" },
	{ ROW_FIELD(struct net_own_row, inner, BOOL), .title = "INNER", .help = "only this machine is on that interface" },
};

const struct row_type net_own_row_type = {
	.name = "own", .noun = "own addresses", .id = 0x6f776e61, .schema = 1, .size = sizeof(struct net_own_row), .fields = own_fields,
	.n_fields = ARRAY_LEN(own_fields),
};

static const struct field place_fields[] = {
	{ ROW_FIELD(struct net_place_row, netns, UINT), .title = "NETNS", .unit = UNIT_ID, .help = "namespace" },
	{ ROW_FIELD(struct net_place_row, cable, ENUM), .title = "CABLE", .help = "how it is tied to others", .names = cable_names,
		.n_names = NET_CABLE_N },
	{ ROW_FIELD(struct net_place_row, outside, UINT), .title = "OUTSIDE", .unit = UNIT_ID, .help = "namespace at the other end" },
	{ ROW_FIELD(struct net_place_row, own, ROWS), .title = "OWN", .help = "own addresses", .sub = &net_own_row_type },
};

const struct row_type net_place_row_type = {
	.name = "places", .noun = "namespaces", .id = 0x706c6163, .schema = 1, .size = sizeof(struct net_place_row), .fields = place_fields,
	.n_fields = ARRAY_LEN(place_fields),
};

const struct source net_listeners_source = {
	.name = "listeners", .type = &net_listener_row_type, .needs_target = false, .cage = CAGE_NETLINK,
	.open = listeners_open, .sample = listeners_sample, .request = listeners_request,
};
