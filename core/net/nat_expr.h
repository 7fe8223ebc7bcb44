/* The expressions of a rule of nf_tables, run over a packet that is not there: registers hold what they would be loaded with. */
#ifndef NSDBG_CORE_NET_NAT_EXPR_H
#define NSDBG_CORE_NET_NAT_EXPR_H

#include "core/net/nat_set.h"

struct nat_expr_in {
	struct nat_model *model;
	const struct nat_sets *sets;
	const struct net_names *names; /* of interfaces; NULL: not known */
	uint8_t family; /* 4, 6; 0: inet */
	uint8_t number; /* NFPROTO_* */
	uint32_t table, chain; /* of the model */
	struct text table_name;
	uint64_t handle;
};

/* Adds the rule, once for each alternative; one that neither acts nor leads on or away is left out. */
void nat_expr_read(const struct nat_expr_in *in, const struct nlattr *expressions);

enum { NAT_EXPR_ACTS = 1 << 0, NAT_EXPR_LEADS = 1 << 1 /* to a chain, or away */ };
/* Without understanding: what could such a rule do? Calls fn (may be NULL) with each set that is looked up. */
unsigned nat_expr_scan(const struct nlattr *expressions, void (*fn)(struct text set, void *arg), void *arg);

#endif
