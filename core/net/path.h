/*
 * The way a packet takes from a namespace to the outside, device by device: eth0 > its peer > bridge > uplink. Made of rows that the
 * namespaces told (view.h, sides.h); a cable counts only when both ends name each other.
 */
#ifndef NSDBG_CORE_NET_PATH_H
#define NSDBG_CORE_NET_PATH_H

#include "core/net/link.h"
#include "core/net/route.h"
#include "core/net/view.h"

struct net_hop_row {
	struct row_head head;
	uint64_t hop; /* from 1 */
	struct str name;
	struct str target; /* whose namespace it is in */
	uint64_t netns;
	struct str kind;
	struct str step; /* how one gets here: "default route", "route", "peer", "bridge", "port", "below", "tunnel", "uplink", "destination" */
	uint64_t index;
	uint32_t state; /* enum net_link_state */
	uint8_t up, carrier;
	uint64_t mtu;
	uint64_t rx_bytes, tx_bytes;
	uint64_t errors, dropped; /* both directions */
	double rx_rate, tx_rate, drop_rate;
	/* where a namespace chose the way, on the device that it chose; else unknown */
	struct str route; /* what matched: "default metric 100", "172.18.0.0/16", "10.0.0.0/8 table 100" */
	struct addr source; /* address that the packet has as its sender */
	struct addr next_hop; /* whose hardware address is asked for: the gateway, or the destination itself */
	uint32_t next_hop_state; /* enum net_neighbour_state; unknown: nobody asked so far */
	uint32_t end; /* enum net_hop_end; unknown: the way goes on. Behind a LOST one is where it would have led */
	struct str problem;
};
enum net_hop_end { NET_HOP_DESTINATION, NET_HOP_UPLINK, NET_HOP_LOST, NET_HOP_UNKNOWN, NET_HOP_END_N };
extern const struct row_type net_hop_row_type; /* "ip-path" */

/* The hop's numbers, those of its interface; names and the rest unknown. */
struct net_hop_row net_hop_of(const struct net_link_row *link);

/* What is known, all lent; NULL: nothing. */
struct net_map {
	uint64_t netns; /* where the way begins */
	const struct block *links, *routes; /* of that namespace */
	const struct block *side_links, *side_routes; /* of others */
	const struct block *targets; /* for names */
};

/* The hops from the interface `index` (ROW_NO_UINT: that of the default route). Never NULL; empty without a route. */
struct block *net_path(const struct net_map *map, uint64_t index);

/* The interfaces with the names of their other ends and of whose namespace these are in. Never NULL. */
struct block *net_path_join(const struct net_map *map);

/* Does a cable end in a namespace that `side_links` does not have? */
bool net_path_wants_sides(const struct net_map *map);

/* What net_sides_source should look at: the missing ones, those known already, and the host, where most ways lead. 0: nothing. */
uint32_t net_path_sides(const struct net_map *map, struct net_namespace *ret, uint32_t cap);
/* Cables of the target whose other end is in none of these: there were more than `cap` namespaces. */
uint32_t net_path_left_out(const struct net_map *map, const struct net_namespace *sides, uint32_t n);

/* Processes to ask for numbers of namespaces with (NET_OP_NAMESPACES): those of targets from *at on, which moves on; returns how many. */
uint32_t net_path_processes(const struct block *targets, uint32_t *at, struct net_namespace ret[NET_NAMESPACES]);

/* Name of the target with this namespace: the host, a container, a bare namespace, a guest of it. p NULL: none. */
struct text net_path_owner(const struct block *targets, uint64_t netns);

#endif
