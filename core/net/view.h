/*
 * The network of one namespace as a source: interfaces, addresses, routes, rules, neighbours by rtnetlink(7) on sockets made inside,
 * told anew when asked and, if wanted, whenever the kernel says that something changed. Nothing comes from /sys, which is the host's.
 */
#ifndef NSDBG_CORE_NET_VIEW_H
#define NSDBG_CORE_NET_VIEW_H

#include "core/addr.h"
#include "core/source.h"

enum net_part { NET_LINKS, NET_ADDRESSES, NET_ROUTES, NET_RULES, NET_NEIGHBOURS, NET_PARTS };

/* Row types of the parts; further ones of the worker's blocks for link_expect: all but the first. */
extern const struct row_type *const net_types[NET_PARTS];

struct net_params {
	uint32_t parts; /* 1 << enum net_part: which blocks each sample sends */
	uint32_t watch; /* also when something changed */
};

/* serve(): a block of each part; CAGE_NETLINK, no capabilities. */
extern const struct source net_source;

enum {
	NET_OP_NAMESPACES = 16, /* struct net_namespace[], <= 250: whose number is it, if another end is there? Answered by a sample */
	NET_OP_GET, /* struct addr: which way? Answered by a block of net_route_row with one row, or an error of the kernel's */
};

/* A process and the inode of its network namespace, as the front knows it. RTM_GETNSID tells the number that it has in here. */
struct net_namespace {
	int32_t pid;
	uint32_t zero;
	uint64_t inode;
};
enum { NET_NAMESPACES = 250 };

/* Does any interface end in a namespace that is not known yet? */
bool net_view_wants_namespaces(const struct block *links);

#endif
