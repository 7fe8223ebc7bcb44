/* Tables, chains and rules of a firewall as far as they may change a destination: what the readers of nf_tables and x_tables fill in. */
#ifndef NSDBG_CORE_NET_NAT_MODEL_H
#define NSDBG_CORE_NET_NAT_MODEL_H

#include "core/net/nat.h"
#include "core/net/nat_match.h"

struct builder;

enum nat_verdict { NAT_CONTINUE, NAT_END /* accept, drop */, NAT_RETURN, NAT_JUMP, NAT_GOTO, NAT_ACT };

enum { NAT_NAME = 256, NAT_MAX_RULES = 1 << 18, NAT_MAX_ROWS = 1 << 16 };
#define NAT_NO_CHAIN UINT32_MAX

struct nat_effect {
	uint32_t action; /* enum nat_action */
	struct addr to, to_last; /* ADDR_NONE: kept, or the namespace's own; to_last: of a range */
	uint32_t port, port_last; /* NAT_NO_PORT: kept */
	uint32_t base; /* the matching port that becomes `port`; NAT_NO_PORT: any of the range */
};

/* One alternative of a rule: a rule that looks up a set has one for each element. */
struct nat_rule {
	struct nat_match match;
	enum nat_verdict verdict;
	uint32_t target; /* chain, for jump and goto */
	struct nat_effect effect;
	uint32_t origin; /* enum nat_origin */
	uint64_t handle, packets, bytes;
	bool met; /* by a walk */
};

struct nat_chain {
	uint32_t table;
	char name[NAT_NAME];
	uint32_t from; /* NAT_FROM_*; 0: not of a hook that we follow */
	int32_t priority;
	struct nat_rule *rules;
	uint32_t n, cap;
	bool visiting;
};

struct nat_table {
	uint8_t family; /* 4, 6, 0 */
	uint32_t number; /* of the reader, to tell families apart */
	char name[NAT_NAME];
	bool dormant;
};

struct nat_model {
	struct nat_table *tables;
	uint32_t n_tables, cap_tables;
	struct nat_chain *chains;
	uint32_t n_chains, cap_chains;
	uint32_t *slots, n_slots; /* chains by table and name */
	uint32_t n_rules;
	uint64_t lost; /* rules beyond NAT_MAX_RULES, elements that were too many */
};

void nat_model_init(struct nat_model *m);
void nat_model_done(struct nat_model *m);

/* Found or made; pointers are good until the next one is added. */
uint32_t nat_model_table(struct nat_model *m, uint8_t family, uint32_t number, struct text name);
uint32_t nat_model_chain(struct nat_model *m, uint32_t table, struct text name);
void nat_model_rule(struct nat_model *m, uint32_t chain, const struct nat_rule *rule);

/* Follows all base chains and gives a row for each rule that acts, in the order in which packets meet them. */
void nat_walk(struct nat_model *m, struct builder *b);

#endif
