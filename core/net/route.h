/* Routes of all tables, from RTM_NEWROUTE (rtnetlink(7), linux/rtnetlink.h); also the answer to "which way to this address". */
#ifndef NSDBG_CORE_NET_ROUTE_H
#define NSDBG_CORE_NET_ROUTE_H

#include "core/block.h"

struct net_names;
struct nlmsghdr;

struct net_nexthop_row {
	struct row_head head;
	struct addr gateway;
	uint64_t index;
	struct str interface;
	uint64_t weight; /* from 1 */
	struct str flags; /* list: "dead", "linkdown", "onlink" */
};
extern const struct row_type net_nexthop_row_type;

enum net_route_type { /* linux/rtnetlink.h RTN_* */
	NET_ROUTE_UNSPEC,
	NET_ROUTE_UNICAST,
	NET_ROUTE_LOCAL,
	NET_ROUTE_BROADCAST,
	NET_ROUTE_ANYCAST,
	NET_ROUTE_MULTICAST,
	NET_ROUTE_BLACKHOLE,
	NET_ROUTE_UNREACHABLE,
	NET_ROUTE_PROHIBIT,
	NET_ROUTE_THROW,
	NET_ROUTE_NAT,
	NET_ROUTE_TYPE_N,
};

enum { NET_TABLE_DEFAULT = 253, NET_TABLE_MAIN = 254, NET_TABLE_LOCAL = 255 };

struct net_route_row {
	struct row_head head;
	uint64_t netns; /* inode of the namespace it is in */
	struct addr destination; /* with prefix; 0.0.0.0/0 and ::/0: the default */
	uint32_t family; /* 4, 6 */
	uint32_t type; /* enum net_route_type */
	struct addr gateway;
	uint64_t index;
	struct str interface;
	struct addr source; /* preferred own address */
	struct addr from; /* only for packets from there */
	uint64_t table;
	struct str table_name; /* "main", "local", "default", else the number */
	struct str protocol; /* who made it: "kernel", "boot", "static", "dhcp", "ra" */
	struct str scope;
	uint64_t metric; /* unknown: 0 of IPv4 */
	uint64_t mtu; /* fixed for this route */
	struct str flags; /* list: "onlink", "linkdown", "dead" */
	struct rows nexthops; /* net_nexthop_row, when there are several */
	struct str problem;
};
extern const struct row_type net_route_row_type; /* "ip-route" */

/* Appends the row of a message; false: it is none, too short or of another family. */
bool net_route_take(const struct nlmsghdr *nlh, uint64_t netns, const struct net_names *names, struct builder *b);

struct net_question {
	struct addr to;
	struct addr from; /* unknown: as the kernel chooses */
	uint64_t in; /* interface that the packet came in by: the kernel then answers as it would for one to be passed on; ROW_NO_UINT: own */
	bool match; /* answer with the route that matched (its prefix and metric) instead of what follows from it; since Linux 4.13 */
};

/* Body of an RTM_GETROUTE question; returns its length. */
size_t net_route_question(const struct net_question *q, void *body, size_t cap);
/* What the kernel's refusal (-errno) of such a question means. */
const char *net_route_refusal(int r);

bool net_route_is_default(const struct net_route_row *row);
/* The default route that new connections take: main table, lowest metric. family 4 or 6. NULL: none. */
const struct net_route_row *net_route_default(const struct block *routes, uint64_t netns, unsigned family);

/* Which default route is taken, and why not the others: "default route by eth0, metric 0; not by eth1, metric 200". Returns how many there are. */
unsigned net_route_choice(const struct block *routes, uint64_t netns, char *buf, size_t cap);

struct str net_table_name(struct builder *b, uint64_t table);

#endif
