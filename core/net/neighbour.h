/* Neighbours: hardware addresses of those on the link (ARP, NDP), from RTM_NEWNEIGH (linux/neighbour.h), ip-neighbour(8). */
#ifndef NSDBG_CORE_NET_NEIGHBOUR_H
#define NSDBG_CORE_NET_NEIGHBOUR_H

#include "core/block.h"

struct net_names;
struct nlmsghdr;

enum net_neighbour_state { /* by attention; the kernel's NUD_* bits */
	NET_NEIGHBOUR_PERMANENT,
	NET_NEIGHBOUR_REACHABLE,
	NET_NEIGHBOUR_STALE,
	NET_NEIGHBOUR_DELAY,
	NET_NEIGHBOUR_PROBE,
	NET_NEIGHBOUR_INCOMPLETE,
	NET_NEIGHBOUR_FAILED,
	NET_NEIGHBOUR_STATE_N,
};
extern const char *const net_neighbour_state_names[NET_NEIGHBOUR_STATE_N];

struct net_neighbour_row {
	struct row_head head;
	struct addr address;
	uint64_t index;
	struct str interface;
	struct addr mac;
	uint32_t state; /* enum net_neighbour_state */
	uint8_t router; /* IPv6: says that it is one */
	uint8_t proxy; /* answered for somebody else */
	uint64_t probes; /* questions without an answer so far */
	double used_seconds, confirmed_seconds, updated_seconds; /* ago; NAN unknown */
	uint8_t gateway; /* a route leads through it */
	struct str target; /* container that has the address */
	struct str problem;
};
extern const struct row_type net_neighbour_row_type; /* "ip-neigh" */

/* Appends the row of a message; false: it is none, or an entry without a state, as ip-neighbour(8) leaves out too (NOARP, NONE). */
bool net_neighbour_take(const struct nlmsghdr *nlh, uint64_t netns, const struct net_names *names, struct builder *b);

#endif
