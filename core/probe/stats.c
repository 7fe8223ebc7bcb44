/* Loss, times, jitter and percentiles of repeated tries: see stats.h. */
#include "core/probe/stats.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/row.h"

void stats_reset(struct stats *s)
{
	memset(s, 0, sizeof *s);
	s->min_us = s->max_us = s->last_us = ROW_NO_UINT;
}

void stats_answer(struct stats *s, uint64_t us)
{
	if (s->received > 0) {
		s->jumps_us += us > s->last_us ? us - s->last_us : s->last_us - us;
		s->n_jumps++;
	}
	s->samples[s->received % STATS_SAMPLES] = us > UINT32_MAX ? UINT32_MAX : (uint32_t)us;
	s->min_us = s->received == 0 || us < s->min_us ? us : s->min_us;
	s->max_us = s->received == 0 || us > s->max_us ? us : s->max_us;
	s->last_us = us;
	s->sum_us += us;
	s->sent++;
	s->received++;
}

void stats_loss(struct stats *s)
{
	s->sent++;
}

double stats_loss_percent(const struct stats *s)
{
	return s->sent ? 100.0 * (double)(s->sent - s->received) / (double)s->sent : NAN;
}

uint64_t stats_avg(const struct stats *s)
{
	return s->received ? s->sum_us / s->received : ROW_NO_UINT;
}

uint64_t stats_jitter(const struct stats *s)
{
	return s->n_jumps ? s->jumps_us / s->n_jumps : ROW_NO_UINT;
}

static int by_value(const void *x, const void *y)
{
	uint32_t a = *(const uint32_t *)x, b = *(const uint32_t *)y;

	return (a > b) - (a < b);
}

uint64_t stats_percentile(const struct stats *s, unsigned percent)
{
	size_t n = s->received < STATS_SAMPLES ? (size_t)s->received : STATS_SAMPLES, rank;
	size_t least = percent >= 99 ? STATS_P99_FROM : percent >= 95 ? STATS_P95_FROM : 2;
	uint32_t sorted[STATS_SAMPLES];

	if (n < least)
		return ROW_NO_UINT;
	memcpy(sorted, s->samples, n * sizeof sorted[0]);
	qsort(sorted, n, sizeof sorted[0], by_value);
	rank = (n * percent + 99) / 100;
	return sorted[rank ? rank - 1 : 0];
}
