/* Numbers over tries: loss, times, jitter, percentiles. What too few tries cannot say is unknown (ROW_NO_UINT), never a guess. */
#ifndef NSDBG_CORE_PROBE_STATS_H
#define NSDBG_CORE_PROBE_STATS_H

#include <stdint.h>

enum { STATS_SAMPLES = 1000, STATS_P95_FROM = 20, STATS_P99_FROM = 100 };

struct stats {
	uint64_t sent, received;
	uint64_t min_us, max_us, sum_us, last_us; /* of answers */
	uint64_t jumps_us, n_jumps; /* differences of neighbouring answers, for the jitter (RFC 3550 6.4.1 in spirit, as a mean) */
	uint32_t samples[STATS_SAMPLES]; /* ring of the latest answers */
};

void stats_reset(struct stats *s);
void stats_answer(struct stats *s, uint64_t us); /* a try with this time */
void stats_loss(struct stats *s); /* a try without answer */

double stats_loss_percent(const struct stats *s); /* NAN before the first try */
uint64_t stats_avg(const struct stats *s);
uint64_t stats_jitter(const struct stats *s); /* from two answers on */
/* Nearest rank over the latest STATS_SAMPLES answers; unknown below 2 (50), 20 (95) and 100 (99) answers. */
uint64_t stats_percentile(const struct stats *s, unsigned percent);

#endif
