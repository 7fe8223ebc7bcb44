/*
 * Several network namespaces at hand in one worker: entered while it may, a socket kept in each, read as far as somebody asks. Numbers
 * that one namespace has for another (IFLA_LINK_NETNSID) are found by asking it about the descriptors kept (RTM_GETNSID, Linux 4.9).
 */
#ifndef NSDBG_CORE_NET_SITES_H
#define NSDBG_CORE_NET_SITES_H

#include "core/net/link.h"
#include "core/net/neighbour.h"
#include "core/net/route.h"
#include "core/net/rtnl.h"

enum { NET_SITES = 241 };

struct net_site {
	uint64_t netns;
	int ns, route; /* descriptors: the namespace, a socket in it; -1: let go */
	struct net_rtnl *rtnl;
	bool read; /* in this round */
	bool used; /* something was asked of it */
	struct net_names names;
	struct builder *addresses, *neighbours; /* NULL until read */
	struct net_forward *forwards; /* what its bridges learned */
	uint32_t n_forwards;
};

struct net_sites {
	struct net_site list[NET_SITES];
	unsigned n, denied;
	struct builder *links; /* of all that were read; owned */
};

/* Enters the namespace behind the descriptor (lent; `here`: is in it already) and keeps a socket there; it stays entered. Once is enough.
 * False: refused (counted), another inode, or no room. */
bool net_sites_enter(struct net_sites *s, int ns, uint64_t inode, bool here);
void net_sites_done(struct net_sites *s);

/* Forgets what was read: a new round. */
void net_sites_round(struct net_sites *s);
/* Lets go of namespaces that nobody asked about: a socket keeps one alive when its container has ended. */
void net_sites_let_go(struct net_sites *s);

/* Interfaces, addresses, neighbours of a namespace, once in a round. 0 or -errno. */
int net_site_read(struct net_sites *s, struct net_site *site);

/* The namespace that `site` calls `nsid`; NULL: none of ours. */
struct net_site *net_site_of(struct net_sites *s, struct net_site *site, int64_t nsid);

/* Index into s->links; UINT32_MAX: no such interface. */
uint32_t net_site_link(const struct net_sites *s, const struct net_site *site, uint64_t index);

/* Appends the kernel's answer to `routes`; 0 or -errno as net_route_refusal explains it. */
int net_site_route(struct net_site *site, const struct net_question *q, struct builder *routes);

/* Interface that has the address, `index` or (ROW_NO_UINT) any; ROW_NO_UINT: none. */
uint64_t net_site_holder(const struct net_site *site, const struct addr *address, uint64_t index);
/* Row index in site->neighbours; UINT32_MAX: not known. */
uint32_t net_site_neighbour(const struct net_site *site, const struct addr *address, uint64_t index);

void net_forward_take(const struct nlmsghdr *nlh, void *site); /* adds what a bridge learned to a struct net_site */
enum { NET_PORT_OWN = 0 }; /* the bridge itself takes it */
/* Port of a bridge behind which the hardware address was seen (its forwarding database, bridge(8)); ROW_NO_UINT: nowhere. */
uint64_t net_site_port(struct net_site *site, uint64_t bridge, const struct addr *mac);

/* Settings of an interface, or of all (index 0), by RTM_GETNETCONF (ip-netconf(8)); unknown: ROW_NO_UINT. */
struct net_conf {
	uint64_t forwarding, rp_filter;
};
void net_conf_take(const struct nlmsghdr *nlh, void *conf); /* what it says, into a struct net_conf */
struct net_conf net_site_conf(struct net_site *site, unsigned family, uint64_t index);

#endif
