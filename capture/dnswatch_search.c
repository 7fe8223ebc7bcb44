/*
 * Search-list groups: see dnswatch_search.h. The wanted name behind db.svc.example. may be db, db.svc or itself: a question joins an open
 * group that it fits, else it begins one under the first suffix of the list that it ends in, since that is the one libc tries first.
 */
#include "capture/dnswatch_search.h"

#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "core/fd.h"

enum { KEPT = DNSWATCH_SEARCHES, AS_IT_IS = DNSWATCH_MAX_SEARCH, LOOK_BACK = 64 };
#define OPEN_NS ((int64_t)12000000000) /* two timeouts and some */

struct dnswatch_groups {
	struct dnswatch_group ring[KEPT]; /* number n lives in (n - 1) % KEPT */
	uint64_t last;
	struct dns_name suffixes[DNSWATCH_MAX_SEARCH];
	unsigned n_suffixes;
	struct dnswatch_waste waste;
};

struct dnswatch_groups *dnswatch_groups_new(void)
{
	return fd_xcalloc(1, sizeof(struct dnswatch_groups));
}

void dnswatch_groups_free(struct dnswatch_groups *g)
{
	free(g);
}

void dnswatch_groups_clear(struct dnswatch_groups *g)
{
	for (uint64_t i = 0; i < KEPT && i < g->last; i++)
		g->ring[i].number = 0;
	g->last = 0;
	g->waste = (struct dnswatch_waste){ 0 };
}

void dnswatch_groups_list(struct dnswatch_groups *g, const struct dnswatch_params *p)
{
	struct err ignored;

	dnswatch_groups_clear(g); /* groups point into the list */
	g->n_suffixes = 0;
	for (unsigned i = 0; i < p->n_search && i < DNSWATCH_MAX_SEARCH; i++) {
		struct dns_name name;

		if (dns_name_parse(p->search[i], &name, NULL, &ignored) == 0 && name.n > 1)
			g->suffixes[g->n_suffixes++] = name;
	}
}

unsigned dnswatch_groups_suffixes(const struct dnswatch_groups *g)
{
	return g->n_suffixes;
}

/* The name without the suffix, as an absolute name; false: it does not end so, or nothing would be left. */
static bool strip(const struct dns_name *name, const struct dns_name *suffix, struct dns_name *ret)
{
	struct dns_name end;
	unsigned at = 0;

	if (name->n <= suffix->n)
		return false;
	while (name->n - at > suffix->n)
		at += 1U + name->bytes[at];
	if (name->n - at != suffix->n)
		return false;
	end = (struct dns_name){ .n = suffix->n };
	memcpy(end.bytes, name->bytes + at, suffix->n);
	if (!dns_name_equal(&end, suffix))
		return false;
	*ret = (struct dns_name){ .n = (uint8_t)(at + 1) };
	memcpy(ret->bytes, name->bytes, at);
	return true;
}

static struct dnswatch_group *open_group(struct dnswatch_groups *g, const struct dnswatch_exchange *e, const struct dns_name *wanted)
{
	uint64_t stop = g->last > LOOK_BACK ? g->last - LOOK_BACK : 0;

	for (uint64_t n = g->last; n > stop; n--) {
		struct dnswatch_group *group = &g->ring[(n - 1) % KEPT];

		if (e->first_ns - group->last_ns < OPEN_NS && addr_same(&group->client, &e->client) && dns_name_equal(&group->wanted, wanted))
			return group;
	}
	return NULL;
}

static struct dnswatch_group *new_group(struct dnswatch_groups *g, const struct dnswatch_exchange *e, const struct dns_name *wanted)
{
	struct dnswatch_group *group = &g->ring[g->last % KEPT];

	*group = (struct dnswatch_group){ .number = ++g->last, .wanted = *wanted, .client = e->client, .first_ns = e->first_ns };
	return group;
}

/* Its place in the group, added when there is none. */
static struct dnswatch_tried *tried(struct dnswatch_group *group, unsigned suffix)
{
	for (unsigned i = 0; i < group->n_tried; i++)
		if (group->tried[i].suffix == suffix)
			return &group->tried[i];
	group->tried[group->n_tried] = (struct dnswatch_tried){ .suffix = (uint8_t)suffix };
	return &group->tried[group->n_tried++];
}

/* Did libc go on to another name since? Asked again for the same names by the next lookup, it is a new group. */
static bool is_round_over(const struct dnswatch_group *group, unsigned suffix)
{
	const struct dnswatch_tried *last = &group->tried[group->n_tried - 1];

	return group->n_tried > 1 && last->suffix != suffix && (last->found || last->empty || last->nxdomain);
}

static bool has_tried(const struct dnswatch_group *group, unsigned suffix)
{
	for (unsigned i = 0; i < group->n_tried; i++)
		if (group->tried[i].suffix == suffix)
			return true;
	return false;
}

static void join(struct dnswatch_groups *g, struct dnswatch_group *group, struct dnswatch_exchange *e, unsigned suffix)
{
	if (group->n_tried == 1 && !has_tried(group, suffix)) { /* now it is an expansion */
		g->waste.groups++;
		g->waste.questions += group->questions;
		g->waste.nxdomain += group->nxdomain;
	}
	tried(group, suffix)->asked++;
	group->questions++;
	group->last_ns = e->first_ns;
	g->waste.questions += group->n_tried > 1;
	e->search = group->number;
}

void dnswatch_groups_question(struct dnswatch_groups *g, struct dnswatch_exchange *e)
{
	const struct dns_name *name = &e->question.name;
	struct dns_name wanted, first = *name;
	unsigned first_suffix = AS_IT_IS;
	struct dnswatch_group *group;

	if (e->forwarded || g->n_suffixes == 0 || (e->question.type != DNS_TYPE_A && e->question.type != DNS_TYPE_AAAA))
		return;
	for (unsigned i = 0; i < g->n_suffixes; i++) {
		if (!strip(name, &g->suffixes[i], &wanted))
			continue;
		if (first_suffix == AS_IT_IS) {
			first = wanted;
			first_suffix = i;
		}
		group = open_group(g, e, &wanted);
		if (group && !(has_tried(group, i) && is_round_over(group, i))) {
			join(g, group, e, i);
			return;
		}
	}
	group = open_group(g, e, name);
	if (group && !(has_tried(group, AS_IT_IS) && is_round_over(group, AS_IT_IS))) {
		join(g, group, e, AS_IT_IS);
		return;
	}
	join(g, new_group(g, e, &first), e, first_suffix);
}

/* Which of the group's names the question was for. */
static struct dnswatch_tried *tried_by(struct dnswatch_groups *g, struct dnswatch_group *group, const struct dns_name *name)
{
	for (unsigned i = 0; i < group->n_tried; i++) {
		struct dns_name made;

		if (dnswatch_groups_tried(g, group, i, &made) && dns_name_equal(&made, name))
			return &group->tried[i];
	}
	return NULL;
}

static void count(struct dnswatch_groups *g, struct dnswatch_group *group, struct dnswatch_tried *t, const struct dnswatch_exchange *e)
{
	enum { NXDOMAIN = 3 };

	if (e->rcode == 0 && e->n_answers)
		t->found++;
	else if (e->rcode == 0)
		t->empty++;
	if (e->rcode != NXDOMAIN)
		return;
	t->nxdomain++;
	if (t->suffix == AS_IT_IS)
		return;
	group->nxdomain++;
	if (group->n_tried > 1)
		g->waste.nxdomain++;
	if (group->nxdomain > g->waste.example_nxdomain) {
		g->waste.example = group->number;
		g->waste.example_nxdomain = group->nxdomain;
	}
}

void dnswatch_groups_settled(struct dnswatch_groups *g, const struct dnswatch_exchange *e)
{
	struct dnswatch_group *group = e->search ? &g->ring[(e->search - 1) % KEPT] : NULL;
	struct dnswatch_tried *t;

	if (!group || group->number != e->search)
		return;
	if (e->process[0])
		memcpy(group->process, e->process, sizeof group->process);
	if (!e->answer_ns || e->client_gone)
		return;
	group->answer_ns = e->answer_ns;
	t = tried_by(g, group, &e->question.name);
	if (t)
		count(g, group, t, e);
}

const struct dnswatch_group *dnswatch_groups_find(const struct dnswatch_groups *g, uint64_t number)
{
	const struct dnswatch_group *group = number ? &g->ring[(number - 1) % KEPT] : NULL;

	return group && group->number == number && group->n_tried > 1 ? group : NULL;
}

uint64_t dnswatch_groups_last(const struct dnswatch_groups *g)
{
	return g->last;
}

bool dnswatch_groups_tried(const struct dnswatch_groups *g, const struct dnswatch_group *group, unsigned i, struct dns_name *ret)
{
	unsigned suffix = group->tried[i].suffix;

	if (suffix < g->n_suffixes)
		return dns_name_join(&group->wanted, &g->suffixes[suffix], ret);
	*ret = group->wanted;
	return true;
}

struct dnswatch_waste dnswatch_groups_waste(const struct dnswatch_groups *g)
{
	return g->waste;
}
