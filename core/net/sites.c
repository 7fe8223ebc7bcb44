/* Namespaces of one worker: see sites.h. Whatever fails to be read is left out; who walks says where the way is lost. */
#include "core/net/sites.h"

#include "core/fd.h"
#include "core/net/address.h"

#include <errno.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/neighbour.h>
#include <linux/net_namespace.h>
#include <linux/netconf.h>
#include <linux/rtnetlink.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_FORWARDS = 65536 };

struct net_forward {
	uint64_t bridge, port;
	struct addr mac;
	bool own;
};

/* --- entering, letting go --- */

bool net_sites_enter(struct net_sites *s, int ns, uint64_t inode, bool here)
{
	AUTO(fd_closep) int kept = -1;
	struct stat st;
	int route;

	if (s->n == NET_SITES || fstat(ns, &st) < 0 || st.st_ino != inode)
		return false; /* its process has left, another one has the number */
	for (unsigned i = 0; i < s->n; i++)
		if (s->list[i].netns == inode)
			return true;
	kept = fcntl(ns, F_DUPFD_CLOEXEC, 0);
	if (kept < 0 || (!here && setns(ns, CLONE_NEWNET) < 0)) {
		s->denied++;
		return false;
	}
	route = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (route < 0)
		return false;
	s->list[s->n++] = (struct net_site){ .netns = inode, .ns = fd_take(&kept), .route = route, .rtnl = net_rtnl_new(route) };
	return true;
}

static void let_go(struct net_site *site)
{
	fd_closep(&site->ns);
	fd_closep(&site->route);
	net_rtnl_free(site->rtnl);
	net_names_done(&site->names);
	builder_free(site->addresses);
	builder_free(site->neighbours);
	free(site->forwards);
	*site = (struct net_site){ .netns = site->netns, .ns = -1, .route = -1 };
}

void net_sites_let_go(struct net_sites *s)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < s->n; i++) {
		if (s->list[i].used)
			s->list[kept++] = s->list[i];
		else
			let_go(&s->list[i]);
	}
	s->n = kept;
}

void net_sites_done(struct net_sites *s)
{
	for (unsigned i = 0; i < s->n; i++)
		let_go(&s->list[i]);
	builder_free(s->links);
	*s = (struct net_sites){ .n = 0 };
}

void net_sites_round(struct net_sites *s)
{
	builder_clear(s->links);
	for (unsigned i = 0; i < s->n; i++)
		s->list[i].read = false;
}

/* --- reading --- */

struct reader {
	struct net_sites *sites;
	struct net_site *site;
	struct builder *routes;
};

static void take_link(const struct nlmsghdr *nlh, void *arg)
{
	struct reader *r = arg;

	net_link_take(nlh, r->site->netns, &r->site->names, r->sites->links);
}

static void take_address(const struct nlmsghdr *nlh, void *arg)
{
	struct reader *r = arg;

	net_address_take(nlh, r->site->netns, &r->site->names, r->site->addresses);
}

static void take_neighbour(const struct nlmsghdr *nlh, void *arg)
{
	struct reader *r = arg;

	net_neighbour_take(nlh, r->site->netns, &r->site->names, r->site->neighbours);
}

static void clear(struct net_site *site)
{
	net_names_clear(&site->names);
	site->n_forwards = 0;
	if (!site->addresses)
		site->addresses = builder_new(&net_address_row_type);
	if (!site->neighbours)
		site->neighbours = builder_new(&net_neighbour_row_type);
	builder_clear(site->addresses);
	builder_clear(site->neighbours);
}

int net_site_read(struct net_sites *s, struct net_site *site)
{
	static const int families[] = { AF_INET, AF_INET6 };
	struct reader reader = { .sites = s, .site = site };
	struct ifinfomsg all = { 0 };
	struct ndmsg any = { 0 };
	int r;

	if (site->read)
		return 0;
	clear(site);
	r = net_rtnl_dump(site->rtnl, RTM_GETLINK, &all, sizeof all, take_link, &reader);
	for (size_t i = 0; r >= 0 && i < ARRAY_LEN(families); i++) {
		struct ifaddrmsg m = { .ifa_family = (unsigned char)families[i] };

		net_rtnl_dump(site->rtnl, RTM_GETADDR, &m, sizeof m, take_address, &reader); /* a kernel may lack IPv6 */
	}
	if (r >= 0)
		r = net_rtnl_dump(site->rtnl, RTM_GETNEIGH, &any, sizeof any, take_neighbour, &reader);
	site->read = true;
	return r < 0 ? r : 0;
}

/* --- whose number --- */

static void take_nsid(const struct nlmsghdr *nlh, void *arg)
{
	struct net_attrs a;

	if (nlh->nlmsg_type != RTM_NEWNSID)
		return;
	net_attrs_of(nlh, sizeof(struct rtgenmsg), &a);
	if (a.at[NETNSA_NSID])
		*(int64_t *)arg = (int32_t)(uint32_t)net_attr_uint(a.at[NETNSA_NSID]);
}

struct net_site *net_site_of(struct net_sites *s, struct net_site *site, int64_t nsid)
{
	for (unsigned i = 0; nsid != ROW_NO_INT && i < s->n; i++) {
		uint32_t fd = (uint32_t)s->list[i].ns;
		char body[64] = { 0 };
		size_t n = NLMSG_ALIGN(sizeof(struct rtgenmsg));
		int64_t found = NETNSA_NSID_NOT_ASSIGNED;

		net_rtnl_put(body, sizeof body, &n, NETNSA_FD, &fd, sizeof fd);
		if (net_rtnl_ask(site->rtnl, RTM_GETNSID, body, n, take_nsid, &found) == 0 && found == nsid)
			return &s->list[i];
	}
	return NULL;
}

/* --- looking up --- */

uint32_t net_site_link(const struct net_sites *s, const struct net_site *site, uint64_t index)
{
	for (uint32_t i = 0; index != ROW_NO_UINT && i < builder_count(s->links); i++) {
		const struct net_link_row *row = builder_at(s->links, i);

		if (row->index == index && row->netns == site->netns)
			return i;
	}
	return UINT32_MAX;
}

uint64_t net_site_holder(const struct net_site *site, const struct addr *address, uint64_t index)
{
	for (uint32_t i = 0; site->addresses && i < builder_count(site->addresses); i++) {
		const struct net_address_row *row = builder_at(site->addresses, i);

		if ((index == ROW_NO_UINT || row->index == index) && addr_same(&row->address, address))
			return row->index;
	}
	return ROW_NO_UINT;
}

uint32_t net_site_neighbour(const struct net_site *site, const struct addr *address, uint64_t index)
{
	for (uint32_t i = 0; site->neighbours && i < builder_count(site->neighbours); i++) {
		const struct net_neighbour_row *row = builder_at(site->neighbours, i);

		if (row->index == index && !row->proxy && addr_same(&row->address, address))
			return i;
	}
	return UINT32_MAX;
}

static void take_route(const struct nlmsghdr *nlh, void *arg)
{
	struct reader *r = arg;

	net_route_take(nlh, r->site->netns, &r->site->names, r->routes);
}

int net_site_route(struct net_site *site, const struct net_question *q, struct builder *routes)
{
	struct reader reader = { .site = site, .routes = routes };
	uint32_t before = builder_count(routes);
	char body[128];
	int r = net_rtnl_ask(site->rtnl, RTM_GETROUTE, body, net_route_question(q, body, sizeof body), take_route, &reader);

	return r < 0 ? r : builder_count(routes) > before ? 0 : -ENODATA;
}

/* --- forwarding databases --- */

void net_forward_take(const struct nlmsghdr *nlh, void *arg)
{
	struct net_site *site = arg;
	struct net_attrs a;
	struct ndmsg m;

	if (nlh->nlmsg_type != RTM_NEWNEIGH || mnl_nlmsg_get_payload_len(nlh) < sizeof m || site->n_forwards == MAX_FORWARDS)
		return;
	memcpy(&m, mnl_nlmsg_get_payload(nlh), sizeof m);
	net_attrs_of(nlh, sizeof m, &a);
	if (m.ndm_family != AF_BRIDGE || !a.at[NDA_MASTER] || !a.at[NDA_LLADDR])
		return;
	if ((site->n_forwards & (site->n_forwards - 1)) == 0)
		site->forwards = fd_xrealloc(site->forwards, site->n_forwards ? 2 * site->n_forwards : 16, sizeof *site->forwards);
	site->forwards[site->n_forwards++] = (struct net_forward){ .bridge = net_attr_uint(a.at[NDA_MASTER]),
		.port = (uint32_t)m.ndm_ifindex, .mac = net_attr_addr(a.at[NDA_LLADDR]), .own = (m.ndm_state & NUD_PERMANENT) != 0 };
}

uint64_t net_site_port(struct net_site *site, uint64_t bridge, const struct addr *mac)
{
	struct ndmsg m = { .ndm_family = AF_BRIDGE };

	if (!site->n_forwards)
		net_rtnl_dump(site->rtnl, RTM_GETNEIGH, &m, sizeof m, net_forward_take, site);
	for (uint32_t i = 0; i < site->n_forwards; i++) {
		const struct net_forward *f = &site->forwards[i];

		if (f->bridge == bridge && addr_same(&f->mac, mac))
			return f->own ? NET_PORT_OWN : f->port;
	}
	return ROW_NO_UINT;
}

/* --- settings --- */

void net_conf_take(const struct nlmsghdr *nlh, void *arg)
{
	struct net_conf *conf = arg;
	struct net_attrs a;

	if (nlh->nlmsg_type != RTM_NEWNETCONF)
		return;
	net_attrs_of(nlh, sizeof(struct netconfmsg), &a);
	conf->forwarding = net_attr_uint(a.at[NETCONFA_FORWARDING]);
	conf->rp_filter = net_attr_uint(a.at[NETCONFA_RP_FILTER]);
}

struct net_conf net_site_conf(struct net_site *site, unsigned family, uint64_t index)
{
	struct netconfmsg m = { .ncm_family = family == 4 ? AF_INET : AF_INET6 };
	struct net_conf conf = { ROW_NO_UINT, ROW_NO_UINT };
	int32_t of = index ? (int32_t)index : NETCONFA_IFINDEX_ALL;
	char body[32] = { 0 };
	size_t n = NLMSG_ALIGN(sizeof m);

	memcpy(body, &m, sizeof m);
	net_rtnl_put(body, sizeof body, &n, NETCONFA_IFINDEX, &of, sizeof of);
	net_rtnl_ask(site->rtnl, RTM_GETNETCONF, body, n, net_conf_take, &conf);
	return conf;
}
