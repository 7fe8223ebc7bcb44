/*
 * Who waits for packets, and where: the listening sockets and own addresses of many network namespaces at once, read by one worker that
 * enters each of them in turn while it may (sock_diag(7), rtnetlink(7)). Also where a container's cable ends: which namespace is the
 * one outside. ports.h joins it all.
 */
#ifndef NSDBG_CORE_NET_LISTENERS_H
#define NSDBG_CORE_NET_LISTENERS_H

#include "core/net/view.h"

enum { NET_LISTENERS = 240 };

struct net_listeners_params {
	uint32_t n;
	uint32_t zero;
	struct net_namespace list[NET_LISTENERS]; /* pid 0: found by its inode in the mount table */
};

enum net_protocol { NET_PROTOCOL_TCP, NET_PROTOCOL_UDP, NET_PROTOCOL_N };
extern const char *const net_protocol_names[NET_PROTOCOL_N];

/* A socket that takes what comes: TCP in LISTEN, UDP without a peer. */
struct net_listener_row {
	struct row_head head;
	uint64_t netns;
	uint32_t protocol; /* enum net_protocol */
	uint32_t family; /* 4, 6 */
	struct addr address; /* any: 0.0.0.0 or :: */
	uint64_t port;
	uint8_t v6only; /* IPV6_V6ONLY: takes no IPv4 */
	uint64_t inode; /* ROW_NO_UINT: none */
	uint64_t uid;
};
extern const struct row_type net_listener_row_type;

/* How a namespace is tied to others; the strongest that it has. */
enum net_cable { NET_CABLE_NONE, NET_CABLE_TAP /* to a program */, NET_CABLE_PAIR /* veth */, NET_CABLE_DIRECT /* macvlan, hardware */, NET_CABLE_N };

/* One address of a place. */
struct net_own_row {
	struct row_head head;
	struct addr address; /* with prefix */
	uint8_t inner; /* of an interface that only this machine is on: loopback, a bridge of nothing but containers */
};
extern const struct row_type net_own_row_type;

/* One namespace of the list. */
struct net_place_row {
	struct row_head head;
	uint64_t netns;
	uint32_t cable; /* enum net_cable */
	uint64_t outside; /* namespace at the other end of its pair; ROW_NO_UINT: none, or not among the candidates */
	struct rows own; /* net_own_row */
};
extern const struct row_type net_place_row_type;

/* Op: the descriptor holds struct net_namespace[] (<= NET_CANDIDATES): where cables may end, the likely ones first. Answered by a sample. */
enum { NET_LISTENERS_OP_CANDIDATES = 16, NET_CANDIDATES = 65536 };

/* sample(): net_listener_row, and before it a block of net_place_row. Namespaces that may not be entered are left out with a note. */
extern const struct source net_listeners_source;

/* The candidates as a file for the request: the host first, then what is no container. -errno. */
int net_listeners_candidates(const struct block *targets);

#endif
