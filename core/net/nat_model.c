/* The house of the rules: see nat_model.h. Chains are found by a hash, since a node of Kubernetes has ten thousands of them. */
#include "core/net/nat_model.h"

#include "core/fd.h"

#include <stdlib.h>
#include <string.h>

void nat_model_init(struct nat_model *m)
{
	memset(m, 0, sizeof *m);
}

void nat_model_done(struct nat_model *m)
{
	for (uint32_t i = 0; i < m->n_chains; i++)
		free(m->chains[i].rules);
	free(m->chains);
	free(m->tables);
	free(m->slots);
	nat_model_init(m);
}

static void copy_name(char to[NAT_NAME], struct text name)
{
	size_t n = name.n < NAT_NAME - 1 ? name.n : NAT_NAME - 1;

	memset(to, 0, NAT_NAME);
	memcpy(to, n ? name.p : "", n);
}

static bool is_name(const char have[NAT_NAME], struct text name)
{
	size_t n = name.n < NAT_NAME - 1 ? name.n : NAT_NAME - 1;

	return (n == 0 || memcmp(have, name.p, n) == 0) && have[n] == 0;
}

uint32_t nat_model_table(struct nat_model *m, uint8_t family, uint32_t number, struct text name)
{
	struct nat_table *t;

	for (uint32_t i = 0; i < m->n_tables; i++)
		if (m->tables[i].number == number && is_name(m->tables[i].name, name))
			return i;
	if (m->n_tables == m->cap_tables) {
		m->cap_tables = m->cap_tables ? m->cap_tables * 2 : 8;
		m->tables = fd_xrealloc(m->tables, m->cap_tables, sizeof *m->tables);
	}
	t = &m->tables[m->n_tables];
	*t = (struct nat_table){ .family = family, .number = number };
	copy_name(t->name, name);
	return m->n_tables++;
}

/* --- chains --- */

static uint32_t *slot_of(const struct nat_model *m, uint32_t table, struct text name)
{
	uint32_t i = (uint32_t)row_hash(name.p ? name.p : "", name.n < NAT_NAME - 1 ? name.n : NAT_NAME - 1, table) & (m->n_slots - 1);

	while (m->slots[i] != NAT_NO_CHAIN) {
		const struct nat_chain *c = &m->chains[m->slots[i]];

		if (c->table == table && is_name(c->name, name))
			break;
		i = (i + 1) & (m->n_slots - 1);
	}
	return &m->slots[i];
}

static void grow(struct nat_model *m)
{
	m->cap_chains = m->cap_chains ? m->cap_chains * 2 : 32;
	m->chains = fd_xrealloc(m->chains, m->cap_chains, sizeof *m->chains);
	m->n_slots = m->cap_chains * 2;
	m->slots = fd_xrealloc(m->slots, m->n_slots, sizeof *m->slots);
	memset(m->slots, 0xff, m->n_slots * sizeof *m->slots);
	for (uint32_t i = 0; i < m->n_chains; i++)
		*slot_of(m, m->chains[i].table, text_of(m->chains[i].name)) = i;
}

uint32_t nat_model_chain(struct nat_model *m, uint32_t table, struct text name)
{
	uint32_t *slot;

	if (m->n_chains == m->cap_chains)
		grow(m);
	slot = slot_of(m, table, name);
	if (*slot == NAT_NO_CHAIN) {
		struct nat_chain *c = &m->chains[m->n_chains];

		*c = (struct nat_chain){ .table = table };
		copy_name(c->name, name);
		*slot = m->n_chains++;
	}
	return *slot;
}

void nat_model_rule(struct nat_model *m, uint32_t chain, const struct nat_rule *rule)
{
	struct nat_chain *c = &m->chains[chain];

	if (m->n_rules == NAT_MAX_RULES) {
		m->lost++;
		return;
	}
	if (c->n == c->cap) {
		c->cap = c->cap ? c->cap * 2 : 4;
		c->rules = fd_xrealloc(c->rules, c->cap, sizeof *c->rules);
	}
	c->rules[c->n++] = *rule;
	m->n_rules++;
}
