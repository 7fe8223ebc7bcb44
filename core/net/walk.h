/*
 * The way of a packet to one destination, through every namespace that may be looked into: each is asked by RTM_GETROUTE as it would
 * decide for this very packet (its sender, the interface it comes in by, rules, tables, rp_filter); cables, bridges (their forwarding
 * databases), macvlan parents and tunnels are followed in between. Sends nothing: what is not known yet (a neighbour never asked for) is
 * said so. What firewalls do is not looked at; where a sender is refused, the last namespace's own address is tried, as if it masqueraded.
 */
#ifndef NSDBG_CORE_NET_WALK_H
#define NSDBG_CORE_NET_WALK_H

#include "core/net/path.h"
#include "core/net/sides.h"

struct net_walk_params {
	uint32_t n;
	struct addr to;
	struct net_namespace list[NET_SIDES]; /* where the way may lead; pid 0: found by its inode in the mount table */
};

/* sample(): net_hop_row, from the target's own choice to a hop with `end` set. Fails with -ENETUNREACH, -EHOSTUNREACH, -EACCES, -EINVAL
 * when the target itself has no way there (net_route_refusal). Names of targets are not known here: see net_judge_walk. */
extern const struct source net_walk_source;

/* The namespaces of `targets` in the order of interest, for params->list: the host, those with the destination's address, the others. */
void net_walk_list(const struct block *targets, uint64_t own, struct net_walk_params *params);

#endif
