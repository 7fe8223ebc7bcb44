/* One worker with a socket in each of several namespaces: see sides.h. A namespace that cannot be entered is left out with a note. */
#include "core/net/sides.h"

#include "core/block.h"
#include "core/err.h"
#include "core/fd.h"
#include "core/net/link.h"
#include "core/net/mounted.h"
#include "core/net/route.h"
#include "core/net/rtnl.h"
#include "core/rights.h"
#include "core/source/proc_dir.h"
#include "core/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/net_namespace.h>
#include <linux/rtnetlink.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct side {
	uint64_t netns;
	struct net_rtnl *rtnl;
};

struct sides {
	struct worker *w;
	struct net_sides_params params;
	struct side list[NET_SIDES];
	unsigned n, denied;
	int own; /* the namespace we came from */
	uint64_t own_netns;
	struct builder *links, *routes; /* links: of the sample under way */
	struct net_names names;
	struct net_link_past past;
	struct timespec past_time;
	struct side *now; /* the one being read */
};

/* --- entering --- */

static void enter(struct sides *s, int fd, uint64_t inode)
{
	struct stat st;
	int route;

	if (s->n == NET_SIDES || fstat(fd, &st) < 0 || st.st_ino != inode)
		return; /* its process has left, another one has the number */
	if (setns(fd, CLONE_NEWNET) < 0) {
		s->denied++;
		return;
	}
	route = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (route >= 0)
		s->list[s->n++] = (struct side){ inode, net_rtnl_new(route) };
}

static void enter_process(struct sides *s, const struct net_namespace *ns)
{
	AUTO(fd_closep) int fd = proc_dir_open_netns(worker_target(s->w)->proc, (uint64_t)ns->pid);

	if (fd < 0 && s->own_netns == ns->inode) /* pid 1 may hold rights that we lack, and so hide its own */
		enter(s, s->own, ns->inode);
	else if (fd >= 0)
		enter(s, fd, ns->inode);
	else if (errno == EACCES || errno == EPERM)
		s->denied++;
}

static void enter_mounted(int fd, uint64_t inode, void *arg)
{
	struct sides *s = arg;

	for (uint32_t i = 0; i < s->params.n; i++)
		if (s->params.list[i].pid == 0 && s->params.list[i].inode == inode)
			enter(s, fd, inode);
}

static int sides_open(struct worker *w, struct err *err)
{
	const struct net_sides_params *params = worker_params(w, sizeof *params);
	struct sides *s = fd_xcalloc(1, sizeof *s);
	bool mounted = false;
	struct stat st;

	*worker_state(w) = s;
	if (!params || params->n > NET_SIDES)
		return err_set(err, EINVAL, "which namespaces?");
	s->w = w;
	s->params = *params;
	s->routes = builder_new(&net_route_row_type);
	s->own = openat(worker_target(w)->proc, "self/ns/net", O_RDONLY | O_CLOEXEC);
	if (s->own >= 0 && fstat(s->own, &st) == 0)
		s->own_netns = st.st_ino;
	for (uint32_t i = 0; i < s->params.n; i++) {
		if (s->params.list[i].pid > 0)
			enter_process(s, &s->params.list[i]);
		mounted |= s->params.list[i].pid == 0;
	}
	if (mounted)
		net_mounted_each(worker_target(w)->proc, enter_mounted, s);
	fd_closep(&s->own);
	return 0;
}

/* --- reading --- */

/* The inode behind a number of the side that is being read: asked for each process we were told of. */
static uint64_t inode_of(struct sides *s, int64_t nsid)
{
	for (uint32_t i = 0; nsid >= 0 && i < s->params.n; i++) {
		const struct net_namespace *ns = &s->params.list[i];

		if (ns->pid > 0 && net_rtnl_nsid(s->now->rtnl, NETNSA_PID, (uint32_t)ns->pid) == nsid)
			return ns->inode;
	}
	return ROW_NO_UINT;
}

static void take_link(const struct nlmsghdr *nlh, void *arg)
{
	struct sides *s = arg;

	net_link_take(nlh, s->now->netns, &s->names, s->links);
}

/* Only default routes say where the way goes on. */
static void take_route(const struct nlmsghdr *nlh, void *arg)
{
	struct sides *s = arg;
	const struct net_route_row *row;

	if (!net_route_take(nlh, s->now->netns, &s->names, s->routes))
		return;
	row = builder_at(s->routes, builder_count(s->routes) - 1);
	if (!net_route_is_default(row) || row->table != NET_TABLE_MAIN)
		builder_drop_last(s->routes);
}

static int read_side(struct sides *s)
{
	static const int families[] = { AF_INET, AF_INET6 };
	struct ifinfomsg all = { 0 };
	uint32_t from = builder_count(s->links);
	int r;

	net_names_clear(&s->names);
	r = net_rtnl_dump(s->now->rtnl, RTM_GETLINK, &all, sizeof all, take_link, s);
	for (size_t i = 0; r >= 0 && i < ARRAY_LEN(families); i++) {
		struct rtmsg m = { .rtm_family = (unsigned char)families[i] };

		net_rtnl_dump(s->now->rtnl, RTM_GETROUTE, &m, sizeof m, take_route, s);
	}
	for (uint32_t i = from; i < builder_count(s->links); i++) {
		struct net_link_row *row = builder_at(s->links, i);

		/* Only an uplink can lead on: asking for each cable of each container would be a square of work. */
		if (row->link_netnsid != ROW_NO_INT && row->master_index == ROW_NO_UINT)
			row->peer_netns = inode_of(s, row->link_netnsid);
	}
	return r < 0 ? r : 0;
}

static int sides_sample(struct worker *w, struct builder *b, struct err *err)
{
	struct sides *s = *worker_state(w);
	struct timespec now;

	(void)err;
	clock_gettime(CLOCK_MONOTONIC, &now);
	s->links = b;
	builder_clear(s->routes);
	for (unsigned i = 0; i < s->n; i++) {
		s->now = &s->list[i];
		read_side(s);
	}
	s->past.seconds = (double)(now.tv_sec - s->past_time.tv_sec) + (double)(now.tv_nsec - s->past_time.tv_nsec) / 1e9;
	net_link_finish(b, NULL, &s->past);
	if (s->past.seconds >= NET_LINK_SHORTEST) {
		net_link_keep(b, &s->past);
		s->past_time = now;
	}
	if (s->denied)
		builder_note(b, EPERM, "namespaces at the other end that may not be entered: %u; %s", s->denied, rights_needed(RIGHT(CAP_SYS_ADMIN), (char[RIGHTS_TEXT]){ 0 }));
	if (s->params.left_out)
		builder_note(b, 0, "the other ends of %u cables are not looked at: %d namespaces at most", s->params.left_out, NET_SIDES);
	return worker_send_block(w, 0, s->routes);
}

const struct source net_sides_source = {
	.name = "other ends", .type = &net_link_row_type, .needs_target = false, .cage = CAGE_NETLINK,
	.open = sides_open, .sample = sides_sample,
};
