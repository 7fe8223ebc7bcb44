/* Published ports: what the engine says, and who really listens behind each. Pure functions on rows that others read. */
#ifndef NSDBG_CORE_NET_PORTS_H
#define NSDBG_CORE_NET_PORTS_H

#include "core/target.h"

enum net_exposure { NET_EXPOSED_LOOPBACK, NET_EXPOSED_ADDRESS, NET_EXPOSED_ALL, NET_EXPOSURE_N };

struct net_port_row {
	struct row_head head;
	struct str target;
	struct str protocol;
	struct addr host_address;
	uint64_t host_port;
	uint64_t port; /* inside */
	uint32_t exposure; /* enum net_exposure: who may come, as far as the address says; firewalls are not looked at */
	struct addr listen_address; /* of the socket that takes it; unknown: none */
	uint64_t pid; /* who holds that socket */
	struct str process;
	struct str problem;
};
extern const struct row_type net_port_row_type; /* "published" */

/* Appends the published ports of a target. sockets: sock_row of its namespace, joined with owners; NULL: not read, no verdicts. */
void net_ports_add(struct builder *b, const struct block *targets, const struct target_row *t, const struct block *sockets);

/* Has it any published port? */
bool net_ports_any(const struct block *targets, const struct target_row *t);

#endif
