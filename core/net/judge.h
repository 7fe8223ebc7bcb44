/* What is wrong with a namespace's network: a verdict on each row, and all of them as a list, the gravest first. Pure functions. */
#ifndef NSDBG_CORE_NET_JUDGE_H
#define NSDBG_CORE_NET_JUDGE_H

#include "core/net/path.h"

struct net_finding_row {
	struct row_head head;
	uint32_t gravity; /* 0 warning, 1 broken */
	struct str part; /* "interface", "address", "route", "neighbour", "path", "namespace" */
	struct str object; /* "eth0", "default via 172.18.0.1" */
	struct str problem;
};
extern const struct row_type net_finding_row_type; /* "ip-check" */

/* Everything one knows about a namespace; blocks are owned, NULL: not read. */
struct net_facts {
	struct block *parts[NET_PARTS];
	struct block *path; /* net_hop_row */
	struct block *findings; /* net_finding_row; never NULL */
};

/* From what the workers told. `parts` as sent (NULL: not read); map->links and map->routes are set from them. */
void net_judge(const struct block *const parts[NET_PARTS], const struct net_map *map, struct net_facts *ret);
/* The way to one destination (walk.h): its hops with their namespaces' names and what is wrong with each. Never NULL. */
struct block *net_judge_walk(const struct block *walk, const struct block *targets);
/* Row index of the hop where the packet gets lost; UINT32_MAX: nowhere. */
uint32_t net_walk_lost(const struct block *walk);
void net_facts_done(struct net_facts *f);

#endif
