/* Policy rules: which routing table a packet is looked up in. RTM_NEWRULE (linux/fib_rules.h), ip-rule(8). */
#ifndef NSDBG_CORE_NET_RULE_H
#define NSDBG_CORE_NET_RULE_H

#include "core/block.h"

struct nlmsghdr;

struct net_rule_row {
	struct row_head head;
	uint32_t family; /* 4, 6 */
	uint64_t priority;
	uint8_t inverted; /* what does not match */
	struct addr from; /* with prefix; unknown: all */
	struct addr to;
	struct str in; /* interfaces */
	struct str out;
	uint64_t mark; /* firewall mark, unknown: any */
	uint64_t mask;
	uint64_t tos;
	struct str uids; /* "0-999" */
	uint64_t protocol; /* of IP */
	struct str source_ports, destination_ports; /* "80", "1000-2000" */
	struct str action; /* "lookup", "goto", "nop", "blackhole", "unreachable", "prohibit" */
	uint64_t table;
	struct str table_name;
	uint64_t goto_priority;
	uint64_t suppress_prefix; /* a route of this length or shorter does not count */
	struct str problem;
};
extern const struct row_type net_rule_row_type; /* "ip-rule" */

/* Appends the row of a message; false: it is none. */
bool net_rule_take(const struct nlmsghdr *nlh, uint64_t netns, struct builder *b);

#endif
