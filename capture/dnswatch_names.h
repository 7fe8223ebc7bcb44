/* What each name cost: counts and the newest times, in a bounded table; the name that was not asked longest makes room. */
#ifndef NSDBG_CAPTURE_DNSWATCH_NAMES_H
#define NSDBG_CAPTURE_DNSWATCH_NAMES_H

#include "capture/dnswatch_pair.h"

enum { DNSWATCH_TIMES = 128, DNSWATCH_TYPES = 6 };

/* Of one record type. */
struct dnswatch_type {
	uint16_t type;
	uint32_t asked, answered, unanswered, failed;
	uint64_t sum_us;
	uint32_t max_us;
};

struct dnswatch_entry {
	bool used;
	struct dns_name name;
	struct dnswatch_type types[DNSWATCH_TYPES]; /* the last one takes all further types */
	unsigned n_types;
	uint64_t count, noerror, nxdomain, failed, unanswered, retries;
	uint32_t times[DNSWATCH_TIMES]; /* us, a ring */
	uint64_t n_times;
	int64_t last_ns;
};

struct dnswatch_names;
struct dnswatch_names *dnswatch_names_new(uint64_t seed);
void dnswatch_names_free(struct dnswatch_names *n);
void dnswatch_names_clear(struct dnswatch_names *n);
/* before: the state that the exchange had; an answer that came late is counted once. */
void dnswatch_names_settled(struct dnswatch_names *n, const struct dnswatch_exchange *e, bool again);
/* Entry i of DNSWATCH_NAMES; NULL: free. */
const struct dnswatch_entry *dnswatch_names_at(const struct dnswatch_names *n, unsigned i);
const struct dnswatch_type *dnswatch_names_type(const struct dnswatch_entry *e, uint16_t type); /* NULL: not asked */

/* Percentiles of values, which are sorted: nearest rank. ROW_NO_UINT when there are none. */
uint64_t dnswatch_percentile(uint32_t *values, size_t n, unsigned percent);

/* Response codes that are no answer: all but NOERROR and NXDOMAIN. */
static inline bool dnswatch_is_failure(const struct dnswatch_exchange *e)
{
	return e->answer_ns && e->rcode != 0 && e->rcode != 3;
}

/* What its program waited, us; what its last question waited is not known when it was repeated. */
static inline uint64_t dnswatch_time_us(const struct dnswatch_exchange *e)
{
	return e->answer_ns > e->first_ns ? (uint64_t)(e->answer_ns - e->first_ns) / 1000 : 0;
}

#endif
