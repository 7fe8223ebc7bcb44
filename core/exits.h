/*
 * The ends of processes that no engine tells of: a pidfd for each in the loop, so that nothing is asked while they live. pidfd_open(2)
 * (Linux 5.3) needs no right over the process; its number may be another's by then, so the start time is compared afterwards.
 */
#ifndef NSDBG_CORE_EXITS_H
#define NSDBG_CORE_EXITS_H

#include <stdint.h>

struct block;
struct exits;
struct loop;

enum { /* what ended; bits */
	EXITS_LEADER = 1 << 0, /* the process by which a target is known */
	EXITS_HOLDER = 1 << 1, /* one that keeps a namespace without processes alive */
};
enum { EXITS_MAX = 4096, EXITS_PAUSE_MS = 100 };

struct exit_process {
	uint64_t pid, start; /* clock ticks */
	uint32_t what;
	uint32_t zero;
};

/* Returns what cannot be served now: that is said again after the pause. */
typedef uint32_t (*exits_fn)(void *arg, uint32_t what);

/* Calls fn(arg, what) EXITS_PAUSE_MS after an end: a burst is told once. NULL without a loop; all below accept NULL. */
struct exits *exits_new(struct loop *loop, exits_fn fn, void *arg);
void exits_free(struct exits *e);

/* From now on these, sorted in place; those known already cost nothing. One that has ended before is told, once. At most EXITS_MAX, and half
 * of RLIMIT_NOFILE: the rest is left out. */
void exits_watch(struct exits *e, struct exit_process *list, uint32_t n);

/* The same for target_row: leaders where no engine answers for the target, and holders. */
void exits_watch_targets(struct exits *e, const struct block *targets);

/* No two calls of fn within so many ms: what it starts has its price. */
void exits_pause(struct exits *e, uint64_t ms);

/* Descriptors that are open. */
uint32_t exits_watching(const struct exits *e);

#endif
