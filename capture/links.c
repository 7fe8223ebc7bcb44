/* rtnetlink dumps of links and addresses, and the link events after them: rtnetlink(7), libmnl. */
#include "capture/links.h"

#include "core/err.h"
#include "core/fd.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { LINKS_MAX = 4096 };

struct table {
	struct link_info *links;
	uint32_t n;
	uint32_t cap;
};

struct links {
	struct mnl_socket *dump;
	struct mnl_socket *events;
	struct table table;
	unsigned sequence;
};

/* --- one message --- */

static int take_attr(const struct nlattr *a, void *arg)
{
	const struct nlattr **attrs = arg;

	if (mnl_attr_type_valid(a, IFLA_MAX) >= 0)
		attrs[mnl_attr_get_type(a)] = a;
	return MNL_CB_OK;
}

static struct link_info *table_find(const struct table *t, uint32_t index)
{
	for (uint32_t i = 0; i < t->n; i++)
		if (t->links[i].index == index)
			return &t->links[i];
	return NULL;
}

static struct link_info *table_add(struct table *t, uint32_t index)
{
	struct link_info *l = table_find(t, index);

	if (l || t->n == LINKS_MAX)
		return l;
	if (t->n == t->cap) {
		t->cap = t->cap ? t->cap * 2 : 8;
		t->links = fd_xrealloc(t->links, t->cap, sizeof *t->links);
	}
	l = &t->links[t->n++];
	*l = (struct link_info){ .index = index };
	return l;
}

static void table_remove(struct table *t, uint32_t index)
{
	struct link_info *l = table_find(t, index);

	if (!l)
		return;
	*l = t->links[t->n - 1];
	t->n--;
}

static void take_link(struct table *t, const struct nlmsghdr *h)
{
	const struct nlattr *attrs[IFLA_MAX + 1] = { NULL };
	const struct ifinfomsg *info = mnl_nlmsg_get_payload(h);
	struct link_info *l;

	if (mnl_nlmsg_get_payload_len(h) < sizeof *info || info->ifi_family == AF_BRIDGE || info->ifi_index <= 0)
		return;
	l = table_add(t, (uint32_t)info->ifi_index);
	if (!l)
		return;
	mnl_attr_parse(h, sizeof *info, take_attr, attrs);
	l->up = info->ifi_flags & IFF_UP;
	l->running = info->ifi_flags & IFF_RUNNING;
	l->loopback = info->ifi_flags & IFF_LOOPBACK;
	if (attrs[IFLA_IFNAME] && mnl_attr_validate(attrs[IFLA_IFNAME], MNL_TYPE_NUL_STRING) >= 0)
		snprintf(l->name, sizeof l->name, "%s", mnl_attr_get_str(attrs[IFLA_IFNAME]));
	if (attrs[IFLA_MTU] && mnl_attr_validate(attrs[IFLA_MTU], MNL_TYPE_U32) >= 0)
		l->mtu = mnl_attr_get_u32(attrs[IFLA_MTU]);
	if (attrs[IFLA_ADDRESS] && mnl_attr_get_payload_len(attrs[IFLA_ADDRESS]) == 6)
		l->mac = addr_mac(mnl_attr_get_payload(attrs[IFLA_ADDRESS]));
}

/* IFA_LOCAL is the own address of a point-to-point link; IFA_ADDRESS is the peer's then. */
static void take_address(struct table *t, const struct nlmsghdr *h)
{
	const struct nlattr *attrs[IFLA_MAX + 1] = { NULL };
	const struct ifaddrmsg *info = mnl_nlmsg_get_payload(h);
	const struct nlattr *a;
	struct link_info *l;
	struct addr address;

	if (mnl_nlmsg_get_payload_len(h) < sizeof *info)
		return;
	l = table_find(t, info->ifa_index);
	mnl_attr_parse(h, sizeof *info, take_attr, attrs);
	a = attrs[IFA_LOCAL] ? attrs[IFA_LOCAL] : attrs[IFA_ADDRESS];
	if (!l || !a || l->n_addresses == LINK_ADDRESSES)
		return;
	if (info->ifa_family == AF_INET && mnl_attr_get_payload_len(a) == 4)
		address = addr_ip4(mnl_attr_get_payload(a));
	else if (info->ifa_family == AF_INET6 && mnl_attr_get_payload_len(a) == 16)
		address = addr_ip6(mnl_attr_get_payload(a));
	else
		return;
	address.prefix = info->ifa_prefixlen;
	address.has_prefix = 1;
	l->addresses[l->n_addresses++] = address;
}

static int take_message(const struct nlmsghdr *h, void *arg)
{
	struct table *t = arg;
	const struct ifinfomsg *info = mnl_nlmsg_get_payload(h);

	if (h->nlmsg_type == RTM_NEWLINK)
		take_link(t, h);
	else if (h->nlmsg_type == RTM_NEWADDR)
		take_address(t, h);
	else if (h->nlmsg_type == RTM_DELLINK && mnl_nlmsg_get_payload_len(h) >= sizeof *info && info->ifi_index > 0 &&
		info->ifi_family != AF_BRIDGE)
		table_remove(t, (uint32_t)info->ifi_index);
	return MNL_CB_OK;
}

/* --- dumps --- */

static int dump(struct links *l, uint16_t type, struct table *t)
{
	char buf[16384] __attribute__((aligned(8)));
	struct nlmsghdr *h = mnl_nlmsg_put_header(buf);
	struct rtgenmsg *g = mnl_nlmsg_put_extra_header(h, sizeof(struct ifinfomsg));
	int r = MNL_CB_OK;

	h->nlmsg_type = type;
	h->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	h->nlmsg_seq = ++l->sequence;
	g->rtgen_family = AF_UNSPEC;
	if (mnl_socket_sendto(l->dump, h, h->nlmsg_len) < 0)
		return -errno;
	while (r > MNL_CB_STOP) {
		ssize_t n = mnl_socket_recvfrom(l->dump, buf, sizeof buf);

		if (n < 0)
			return -errno;
		r = mnl_cb_run(buf, (size_t)n, l->sequence, 0, take_message, t);
	}
	return r < 0 ? -errno : 0;
}

static int compare_links(const void *x, const void *y)
{
	const struct link_info *a = x, *b = y;

	return a->index < b->index ? -1 : a->index > b->index;
}

int links_refresh(struct links *l, struct err *err)
{
	struct table t = { 0 };
	int r;

	if (!l->dump)
		return err_set(err, ESRCH, "the container has ended");
	r = dump(l, RTM_GETLINK, &t);
	if (r == 0)
		r = dump(l, RTM_GETADDR, &t);
	if (r < 0) {
		free(t.links);
		return err_set(err, -r, "read the interfaces");
	}
	if (t.n > 0)
		qsort(t.links, t.n, sizeof *t.links, compare_links);
	free(l->table.links);
	l->table = t;
	return 0;
}

/* --- the life of a table --- */

static struct mnl_socket *route_socket(unsigned groups, int flags)
{
	struct mnl_socket *s = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC | flags);
	struct timeval second = { .tv_sec = 1 };

	if (!s)
		return NULL;
	if (mnl_socket_bind(s, groups, MNL_SOCKET_AUTOPID) < 0) {
		mnl_socket_close(s);
		return NULL;
	}
	setsockopt(mnl_socket_get_fd(s), SOL_SOCKET, SO_RCVTIMEO, &second, sizeof second);
	return s;
}

int links_open(struct links **ret, struct err *err)
{
	struct links *l = fd_xcalloc(1, sizeof *l);
	int r = 0;

	l->events = route_socket(RTMGRP_LINK, SOCK_NONBLOCK);
	l->dump = route_socket(0, 0);
	if (!l->events || !l->dump)
		r = err_set(err, errno, "open a route socket");
	if (r == 0)
		r = links_refresh(l, err);
	if (r < 0) {
		links_free(l);
		return r;
	}
	*ret = l;
	return 0;
}

void links_close(struct links *l)
{
	if (l->events)
		mnl_socket_close(l->events);
	if (l->dump)
		mnl_socket_close(l->dump);
	l->events = l->dump = NULL;
}

void links_free(struct links *l)
{
	if (!l)
		return;
	links_close(l);
	free(l->table.links);
	free(l);
}

int links_fd(const struct links *l)
{
	return l->events ? mnl_socket_get_fd(l->events) : -1;
}

bool links_read(struct links *l)
{
	char buf[16384] __attribute__((aligned(8)));
	bool changed = false;
	ssize_t n;

	while (l->events && (n = mnl_socket_recvfrom(l->events, buf, sizeof buf)) != 0) {
		struct err ignored;

		if (n < 0 && errno == ENOBUFS) /* events were lost: read it all */
			links_refresh(l, &ignored);
		else if (n < 0)
			break;
		else
			mnl_cb_run(buf, (size_t)n, 0, 0, take_message, &l->table);
		changed = true;
	}
	return changed;
}

uint32_t links_count(const struct links *l)
{
	return l->table.n;
}

const struct link_info *links_at(const struct links *l, uint32_t i)
{
	return i < l->table.n ? &l->table.links[i] : NULL;
}

const struct link_info *links_find(const struct links *l, uint32_t index)
{
	return table_find(&l->table, index);
}

const struct link_info *links_find_name(const struct links *l, const char *name)
{
	for (uint32_t i = 0; i < l->table.n; i++)
		if (strcmp(l->table.links[i].name, name) == 0)
			return &l->table.links[i];
	return NULL;
}

const struct link_info *links_default(const struct links *l, bool (*usable)(const char *name))
{
	const struct link_info *best = NULL;

	for (uint32_t i = 0; i < l->table.n; i++) {
		const struct link_info *c = &l->table.links[i];

		if (!usable(c->name) || (!c->up && !c->loopback))
			continue;
		if (!best || (best->loopback && !c->loopback) || (best->loopback == c->loopback && c->index < best->index))
			best = c;
	}
	return best;
}
