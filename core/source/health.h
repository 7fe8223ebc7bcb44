/*
 * How containers do, at a glance: traffic, retransmits, dropped connections, CPU, memory, processes, and what is wrong in words. One
 * worker reads all of them from /proc/PID/net/{dev,snmp,netstat,sockstat} (proc_pid_net(5)) and their control groups (cgroups(7));
 * it enters no namespace and needs no right.
 */
#ifndef NSDBG_CORE_SOURCE_HEALTH_H
#define NSDBG_CORE_SOURCE_HEALTH_H

#include "core/source.h"

enum { HEALTH_WATCH = 16 }; /* request: the descriptor is a memfd of struct health_target, replacing the list before */

enum { /* health_target.flags */
	HEALTH_CONTAINER = 1 << 0, /* has control groups of its own */
	HEALTH_HOST = 1 << 1, /* CPU and memory of the whole machine; traffic of the interfaces with a default route */
	HEALTH_SHARED_NET = 1 << 2, /* lives in a network namespace that is another's (the host's): its traffic is not told apart */
};

enum { HEALTH_MAX_TARGETS = 4096, HEALTH_LEAST_MS = 100 };

struct health_target {
	uint64_t id; /* comes back as row_head.id */
	uint64_t pid;
	uint64_t start; /* clock ticks, as in /proc/PID/stat */
	uint64_t name_hash; /* row_hash of the container's id, seed 0; 0: none. See cgroup_open */
	uint64_t flags;
};

/* Traffic between two samples. Oldest first. */
struct rate_row {
	struct row_head head;
	int64_t at;
	uint64_t rx_bytes_per_second;
	uint64_t tx_bytes_per_second;
};
extern const struct row_type rate_row_type;

enum { HEALTH_HISTORY = 16 }; /* samples that are remembered */

/* Rates are over the last interval between samples, *_recent and percentages over all samples remembered (HEALTH_HISTORY). */
struct health_row {
	struct row_head head; /* id of the target */
	struct str name; /* of the target; unknown here, filled in by whoever asked */
	uint64_t pid;
	uint64_t rx_bytes_per_second, tx_bytes_per_second;
	uint64_t rx_bytes, tx_bytes, rx_packets, tx_packets; /* since the interfaces were made */
	uint64_t rx_drops, tx_drops, rx_errors, tx_errors;
	uint64_t sockets; /* of all families, as "ss -s" totals them */
	uint64_t connections; /* TCP established or close-wait */
	uint64_t segments_sent, retransmits; /* TCP, since the namespace was made */
	double retransmit_percent; /* recent; unknown below 50 segments */
	uint64_t resets; /* established connections that were reset, since the namespace was made */
	uint64_t resets_recent;
	uint64_t listen_overflows; /* accept queue full, since the namespace was made */
	uint64_t listen_drops; /* connections dropped by listeners, overflows included */
	uint64_t listen_drops_recent;
	double cpu_percent; /* 100 = one core */
	double throttled_percent; /* recent: periods in which the CPU quota was used up */
	uint64_t memory_bytes, memory_limit_bytes;
	double memory_percent; /* of the limit */
	uint64_t processes, processes_limit; /* threads count too, as the limit counts them */
	uint64_t oom_kills; /* since the control group was made */
	uint64_t oom_kills_recent;
	struct str problem; /* the gravest thing that is wrong, in words */
	struct rows rates; /* rate_row */
};
extern const struct row_type health_row_type; /* "health" */

/* sample() of the targets named last by HEALTH_WATCH; none before that. A target that was read less than HEALTH_LEAST_MS ago is not read
 * again: rates over less are noise. CAGE_SCAN without capabilities. */
extern const struct source health_source;

/* Puts those of `targets` (target_row) that have a process into a memfd for HEALTH_WATCH; the descriptor or -errno. *ret_lost: how many
 * were above HEALTH_MAX_TARGETS. */
int health_watch_list(const struct block *targets, uint32_t *ret_lost);
/* Changes when that list does. */
uint64_t health_watch_hash(const struct block *targets);

#endif
