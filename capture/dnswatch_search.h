/*
 * What a search list makes of names (resolv.conf(5), search and ndots): questions for one wanted name, tried with one suffix after the
 * other, as a group. Only what the wire shows, and the container's own list: without a list there are no groups.
 */
#ifndef NSDBG_CAPTURE_DNSWATCH_SEARCH_H
#define NSDBG_CAPTURE_DNSWATCH_SEARCH_H

#include "capture/dnswatch_pair.h"

enum { DNSWATCH_TRIED = DNSWATCH_MAX_SEARCH + 1 };

/* One name of the group. */
struct dnswatch_tried {
	uint8_t suffix; /* index of the search list; DNSWATCH_MAX_SEARCH: as it is */
	uint32_t asked, nxdomain, found, empty; /* empty: the name exists without such a record */
};

struct dnswatch_group {
	uint64_t number; /* 0: free */
	struct dns_name wanted;
	struct addr client;
	int64_t first_ns, last_ns, answer_ns;
	uint32_t questions, nxdomain; /* nxdomain: of names that the list made */
	struct dnswatch_tried tried[DNSWATCH_TRIED]; /* in the order of the first question */
	unsigned n_tried;
	char process[DNSWATCH_PROCESS];
};

struct dnswatch_groups;
struct dnswatch_groups *dnswatch_groups_new(void);
void dnswatch_groups_free(struct dnswatch_groups *g);
void dnswatch_groups_clear(struct dnswatch_groups *g); /* keeps the list */
/* Takes the search list; what is no name is left out. */
void dnswatch_groups_list(struct dnswatch_groups *g, const struct dnswatch_params *p);
unsigned dnswatch_groups_suffixes(const struct dnswatch_groups *g);

/* A new question: sets e->search. */
void dnswatch_groups_question(struct dnswatch_groups *g, struct dnswatch_exchange *e);
void dnswatch_groups_settled(struct dnswatch_groups *g, const struct dnswatch_exchange *e);

/* By number; NULL: left, or never more than one name was tried. */
const struct dnswatch_group *dnswatch_groups_find(const struct dnswatch_groups *g, uint64_t number);
uint64_t dnswatch_groups_last(const struct dnswatch_groups *g);
/* The name that was tried: wanted with that suffix. False: too long to be one. */
bool dnswatch_groups_tried(const struct dnswatch_groups *g, const struct dnswatch_group *group, unsigned i, struct dns_name *ret);

/* All groups so far: questions in them, those answered NXDOMAIN for a made-up name, groups. */
struct dnswatch_waste {
	uint64_t groups, questions, nxdomain;
	uint64_t example; /* number of the worst group */
	uint32_t example_nxdomain;
};
struct dnswatch_waste dnswatch_groups_waste(const struct dnswatch_groups *g);

#endif
