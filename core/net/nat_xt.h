/*
 * Matches and targets of x_tables, the same structs in legacy tables and in what iptables-nft writes into nf_tables ("compat"). Layouts:
 * linux/netfilter/xt_*.h, nf_nat.h; numbers in the machine's order unless said.
 */
#ifndef NSDBG_CORE_NET_NAT_XT_H
#define NSDBG_CORE_NET_NAT_XT_H

#include "core/net/nat_model.h"

struct nat_xt {
	struct text name;
	uint8_t revision;
	uint8_t family; /* 4 or 6: whose extension it is */
	const uint8_t *info;
	size_t n;
};

enum { NAT_XT_PORTS = 15 };
struct nat_xt_ports {
	unsigned n; /* 0: no alternatives */
	uint32_t from[NAT_XT_PORTS], to[NAT_XT_PORTS];
};

/* Adds what a match asks for to *m; a list of ports, of which one must match, goes to *ret (n stays 0 without one). */
void nat_xt_match(const struct nat_xt *x, struct nat_match *m, struct nat_xt_ports *ret);

/* A target that changes the destination: NAT_ACT with *ret, and words of its own in *m. NAT_CONTINUE for all others. */
enum nat_verdict nat_xt_target(const struct nat_xt *x, struct nat_match *m, struct nat_effect *ret);

bool nat_xt_acts(struct text target); /* a target that changes the destination */

void nat_effect_init(struct nat_effect *e);

#endif
