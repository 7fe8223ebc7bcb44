/*
 * The other ends: interfaces and default routes of several namespaces in one worker, which enters each of them in turn while it may and
 * keeps one socket in each. A target's cables end there; path.h joins both.
 */
#ifndef NSDBG_CORE_NET_SIDES_H
#define NSDBG_CORE_NET_SIDES_H

#include "core/net/view.h"

enum { NET_SIDES = 240 };

struct net_sides_params {
	uint32_t n;
	uint32_t left_out; /* cables that lead elsewhere: said with each sample */
	struct net_namespace list[NET_SIDES]; /* pid 0: found by its inode in the mount table */
};

/* sample(): net_link_row of all of them (netns says whose), and with each sample a block of net_route_row: their default routes. */
extern const struct source net_sides_source;

#endif
