/* Addresses of a network namespace's interfaces, from RTM_NEWADDR (rtnetlink(7), linux/if_addr.h). */
#ifndef NSDBG_CORE_NET_ADDRESS_H
#define NSDBG_CORE_NET_ADDRESS_H

#include "core/block.h"

struct net_names;
struct nlmsghdr;

enum { /* net_address_row.head.flags: what judging needs */
	NET_ADDRESS_TENTATIVE = 1 << 0,
	NET_ADDRESS_DADFAILED = 1 << 1,
	NET_ADDRESS_DEPRECATED = 1 << 2,
};

struct net_address_row {
	struct row_head head;
	struct str interface;
	uint64_t index;
	uint32_t family; /* 4, 6 */
	struct addr address; /* own, with prefix */
	struct addr peer; /* other end of a point-to-point link */
	struct addr broadcast;
	struct str scope; /* "global", "link", "host" */
	struct str flags; /* list, as ip(8): "permanent", "tentative", "dadfailed" ... */
	struct str label;
	uint64_t valid_seconds; /* unknown: for ever */
	uint64_t preferred_seconds; /* unknown: for ever */
	struct str problem;
};
extern const struct row_type net_address_row_type; /* "ip-addr" */

/* Appends the row of a message; false: it is none. `netns` goes into the id. */
bool net_address_take(const struct nlmsghdr *nlh, uint64_t netns, const struct net_names *names, struct builder *b);

/* RT_SCOPE_* as ip(8) names it; others are numbers. */
struct str net_scope(struct builder *b, unsigned scope);

#endif
