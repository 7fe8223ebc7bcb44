/* From counters to rows: what changed, how fast, and what of it is wrong. No system calls here. */
#ifndef NSDBG_CORE_SOURCE_HEALTH_ROW_H
#define NSDBG_CORE_SOURCE_HEALTH_ROW_H

#include "core/source/health.h"

enum health_counter {
	HEALTH_RX_BYTES, HEALTH_RX_PACKETS, HEALTH_RX_ERRORS, HEALTH_RX_DROPS,
	HEALTH_TX_BYTES, HEALTH_TX_PACKETS, HEALTH_TX_ERRORS, HEALTH_TX_DROPS,
	HEALTH_SEGMENTS, HEALTH_RETRANSMITS, HEALTH_RESETS, HEALTH_CONNECTIONS,
	HEALTH_LISTEN_OVERFLOWS, HEALTH_LISTEN_DROPS, HEALTH_SOCKETS,
	HEALTH_CPU_US, HEALTH_PERIODS, HEALTH_THROTTLED, HEALTH_MEMORY, HEALTH_PROCESSES, HEALTH_OOM_KILLS,
	HEALTH_N,
};

/* One reading; UINT64_MAX: unknown. */
struct health_counters {
	int64_t time; /* monotonic ns */
	int64_t at; /* real time, ns */
	uint64_t v[HEALTH_N];
};

/* The last HEALTH_HISTORY readings of one target, a ring. Zeroed: empty. */
struct health_history {
	struct health_counters ring[HEALTH_HISTORY];
	uint32_t n; /* readings so far */
	uint64_t memory_limit, processes_limit; /* UINT64_MAX: none or unknown */
};

/* The place for the next reading, everything in it unknown. */
struct health_counters *health_history_next(struct health_history *h);

/* The last reading; NULL: none yet. */
const struct health_counters *health_history_last(const struct health_history *h);

/* A row of what the history shows, judged. */
void health_row_build(struct builder *b, const struct health_target *t, const struct health_history *h);

#endif
