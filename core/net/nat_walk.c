/*
 * From the hooks to the rules: a base chain is followed through its jumps and gotos, and what each step asks for adds up. The same rule
 * reached from several hooks by the same questions is one row. Loops (which the kernel refuses) and more steps than a kernel would ever
 * allow end the walk, and it is said.
 */
#include "core/net/nat_model.h"

#include "core/block.h"
#include "core/fd.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH = 64, STEPS = 1 << 20, SLOTS = 256, EXCEPTIONS = 16 };

/* How a packet came as far as this. */
struct path {
	struct nat_match match; /* what was asked for */
	const struct nat_match *unless[EXCEPTIONS]; /* what was accepted, or sent back, before */
	unsigned n_unless; /* may be more than there is room for */
};

struct walk {
	struct nat_model *m;
	struct builder *b;
	uint32_t from; /* hook that this walk began at */
	uint32_t steps;
	uint32_t *slots, n_slots; /* rows by id: index + 1 */
	bool cut;
};

/* --- rows --- */

static uint64_t identity(const struct nat_model *m, const struct nat_chain *c, const struct nat_rule *r, const struct nat_match *x)
{
	const struct nat_table *t = &m->tables[c->table];
	uint32_t numbers[] = { r->origin, t->number, r->effect.action, x->family ? x->family : t->family, x->protocol, x->address_not, x->in_not, x->local, x->port,
		x->port_last, r->effect.port, r->effect.port_last };
	uint64_t id = row_hash(t->name, strlen(t->name), r->handle);

	id = row_hash(c->name, strlen(c->name), id);
	id = row_hash(numbers, sizeof numbers, id);
	id = row_hash(&x->address, sizeof x->address, id);
	id = row_hash(&r->effect.to, sizeof r->effect.to, id);
	id = row_hash(x->in, strlen(x->in), id);
	return row_hash(x->words, strlen(x->words), id);
}

static uint64_t port_or_none(uint32_t port)
{
	return port == NAT_NO_PORT ? ROW_NO_UINT : port;
}

/* A range that is shifted keeps its distance; when only a part of it matches, that part's place is said. */
static void set_ports(struct nat_row *row, const struct nat_effect *e)
{
	row->to_port = port_or_none(e->port);
	row->to_port_last = port_or_none(e->port_last);
	row->shifted = 0;
	if (e->base == NAT_NO_PORT || row->port == ROW_NO_UINT || e->port == NAT_NO_PORT || row->port < e->base)
		return;
	row->to_port = e->port + (row->port - e->base);
	row->to_port_last = e->port + (row->port_last - e->base);
	row->shifted = 1;
}

static struct str protocol_text(struct builder *b, uint8_t protocol)
{
	const char *name = protocol ? nat_protocol_name(protocol) : NULL;
	char number[8];

	snprintf(number, sizeof number, "%u", protocol);
	return protocol ? builder_str(b, name ? name : number) : ROW_NO_TEXT;
}

static void fill(struct nat_row *row, const struct walk *w, const struct nat_chain *c, const struct nat_rule *r, const struct nat_match *x)
{
	const struct nat_table *t = &w->m->tables[c->table];
	struct builder *b = w->b;

	*row = (struct nat_row){ .origin = r->origin, .handle = r->handle, .action = r->effect.action, .from = t->dormant ? 0 : w->from,
		.address = x->address, .address_not = x->address_not, .local_only = x->local, .loopback_not = x->loopback_not,
		.in_not = x->in_not, .port = port_or_none(x->port), .port_last = port_or_none(x->port_last), .to_address = r->effect.to,
		.to_address_last = r->effect.to_last, .packets = r->packets, .bytes = r->bytes };
	row->family = x->family ? x->family : t->family ? t->family : r->effect.to.kind;
	row->table = builder_str(b, t->name);
	row->chain = builder_str(b, c->name);
	row->protocol = protocol_text(b, x->protocol);
	row->in = x->in[0] ? builder_str(b, x->in) : ROW_NO_TEXT;
	row->conditions = x->words[0] ? builder_str(b, x->words) : ROW_NO_TEXT;
	set_ports(row, &r->effect);
}

/* What the host itself sends is asked for loopback; what comes from outside never has such an address. */
static void merge(struct nat_row *row, const struct walk *w, const struct nat_match *x)
{
	if (!(w->from & NAT_FROM_HOST))
		row->loopback_not &= row->from & NAT_FROM_HOST ? 1 : x->loopback_not;
	else
		row->loopback_not = row->from & NAT_FROM_HOST ? row->loopback_not & x->loopback_not : x->loopback_not;
	row->from |= w->from;
}

/* Where the row with this id is, or would be. */
static uint32_t *slot_of(const struct walk *w, uint64_t id)
{
	uint32_t i = (uint32_t)id & (w->n_slots - 1);

	while (w->slots[i] && ((const struct nat_row *)builder_at(w->b, w->slots[i] - 1))->head.id != id)
		i = (i + 1) & (w->n_slots - 1);
	return &w->slots[i];
}

static void make_room(struct walk *w)
{
	if (builder_count(w->b) < w->n_slots / 2)
		return;
	free(w->slots);
	w->n_slots = w->n_slots ? w->n_slots * 2 : SLOTS;
	w->slots = fd_xcalloc(w->n_slots, sizeof *w->slots);
	for (uint32_t i = 0; i < builder_count(w->b); i++)
		*slot_of(w, ((const struct nat_row *)builder_at(w->b, i))->head.id) = i + 1;
}

/* Exceptions that the rule itself makes already ("! -i docker0") say nothing new. */
static struct str unless_text(struct builder *b, const struct path *p)
{
	struct nat_match said;
	char text[NAT_WORDS * 2];

	nat_match_init(&said);
	for (unsigned i = 0; i < p->n_unless && i < EXCEPTIONS; i++) {
		struct nat_match both = p->match;

		nat_match_and(&both, p->unless[i]);
		if (!both.never)
			nat_match_words(&said, "%s", nat_match_say(p->unless[i], text, sizeof text));
	}
	if (p->n_unless > EXCEPTIONS)
		nat_match_words(&said, "more");
	return said.words[0] ? builder_str(b, said.words) : ROW_NO_TEXT;
}

static void emit(struct walk *w, const struct nat_chain *c, struct nat_rule *r, const struct path *p)
{
	const struct nat_match *x = &p->match;
	uint64_t id = identity(w->m, c, r, x);
	struct nat_row *row;
	uint32_t *slot;

	r->met = true;
	make_room(w);
	slot = slot_of(w, id);
	if (*slot) {
		merge(builder_at(w->b, *slot - 1), w, x);
		return;
	}
	if (builder_count(w->b) == NAT_MAX_ROWS) {
		builder_lost(w->b, 1);
		return;
	}
	row = builder_row(w->b);
	fill(row, w, c, r, x);
	row->unless = unless_text(w->b, p);
	row->head.id = id;
	*slot = builder_count(w->b);
}

/* --- steps --- */

static bool follow(struct walk *w, uint32_t chain, const struct path *from, unsigned depth);

/* True: no packet that came as far as here gets to the next rule. */
static bool step(struct walk *w, uint32_t chain, uint32_t rule, struct path *path, unsigned depth, bool *ret_returns)
{
	const struct nat_chain *c = &w->m->chains[chain];
	struct nat_rule *r = &c->rules[rule];
	bool all = nat_match_is_all(&r->match);
	struct path x = *path;

	nat_match_and(&x.match, &r->match);
	if (w->from & NAT_FROM_HOST && x.match.in[0] && !x.match.in_not)
		x.match.never = true; /* what the host sends comes in nowhere */
	if (r->verdict == NAT_CONTINUE || x.match.never)
		return false;
	if (r->verdict == NAT_ACT)
		emit(w, c, r, &x);
	if (!all && (r->verdict == NAT_RETURN || r->verdict == NAT_END) && path->n_unless++ < EXCEPTIONS)
		path->unless[path->n_unless - 1] = &r->match;
	if (r->verdict == NAT_RETURN && all)
		*ret_returns = true;
	if (r->verdict == NAT_JUMP || r->verdict == NAT_GOTO) {
		bool ended = r->target != NAT_NO_CHAIN && follow(w, r->target, &x, depth + 1);

		if (r->verdict == NAT_JUMP)
			return all && ended;
		*ret_returns = all && !ended;
	}
	return all;
}

/* True: nothing comes back to the chain that jumped here. */
static bool follow(struct walk *w, uint32_t chain, const struct path *from, unsigned depth)
{
	struct nat_chain *c = &w->m->chains[chain];
	bool ended = false, returns = false;
	struct path path = *from;

	if (c->visiting || depth == DEPTH || w->steps >= STEPS) {
		w->cut |= !c->visiting;
		return false;
	}
	c->visiting = true;
	for (uint32_t i = 0; i < c->n && !ended && w->steps < STEPS; i++, w->steps++)
		ended = step(w, chain, i, &path, depth, &returns);
	c->visiting = false;
	w->cut |= w->steps >= STEPS;
	return ended && !returns;
}

static int by_priority(const void *x, const void *y, void *arg)
{
	const struct nat_model *m = arg;
	const struct nat_chain *a = &m->chains[*(const uint32_t *)x], *b = &m->chains[*(const uint32_t *)y];

	if (a->from != b->from)
		return a->from < b->from ? -1 : 1;
	if (a->priority != b->priority)
		return a->priority < b->priority ? -1 : 1;
	return *(const uint32_t *)x < *(const uint32_t *)y ? -1 : 1;
}

static void walk_hooks(struct walk *w)
{
	uint32_t *order = fd_xcalloc(w->m->n_chains + 1, sizeof *order), n = 0;

	for (uint32_t i = 0; i < w->m->n_chains; i++)
		if (w->m->chains[i].from)
			order[n++] = i;
	qsort_r(order, n, sizeof *order, by_priority, w->m);
	for (uint32_t i = 0; i < n; i++) {
		struct path any = { 0 };

		nat_match_init(&any.match);
		any.match.family = w->m->tables[w->m->chains[order[i]].table].family;
		w->from = w->m->chains[order[i]].from;
		follow(w, order[i], &any, 0);
	}
	free(order);
}

/* Rules that no hook leads to do nothing, but they are there. */
static void walk_rest(struct walk *w)
{
	w->from = 0;
	for (uint32_t i = 0; i < w->m->n_chains; i++)
		for (uint32_t k = 0; k < w->m->chains[i].n; k++) {
			struct nat_rule *r = &w->m->chains[i].rules[k];
			struct path own = { .match = r->match };

			if (r->verdict == NAT_ACT && !r->met)
				emit(w, &w->m->chains[i], r, &own);
		}
}

void nat_walk(struct nat_model *m, struct builder *b)
{
	struct walk w = { .m = m, .b = b };

	walk_hooks(&w);
	walk_rest(&w);
	if (w.cut)
		builder_note(b, 0, "the rules are too entangled: not every way through them was followed");
	if (m->lost)
		builder_note(b, 0, "%" PRIu64 " rules or elements of sets were left out: there are too many", m->lost);
	free(w.slots);
}
