/*
 * What the readers of all engines have in common: the process in the cage that asks a mover (mover.h) and tells the app. It keeps how the
 * engine is, sends blocks, waits, and tries again after 1, 2, 4 ... 30 s; what is asked and what answers mean is the engine's own.
 */
#ifndef NSDBG_CORE_ENGINE_READER_H
#define NSDBG_CORE_ENGINE_READER_H

#include "core/engine/docker.h"
#include "core/engine/docker_calls.h"
#include "core/engine/docker_rows.h"

struct err;
struct worker;

enum {
	ENGINE_COALESCE_MS = 100, /* events of one moment are answered together */
	ENGINE_RELIST_MS = 10000, /* engines without events */
	ENGINE_ONCE_MS = 2900, /* a command waits no longer */
};

struct engine_reader {
	struct worker *worker;
	const struct docker_params *params;
	unsigned owner; /* of the engine's socket, when it is not root's */
	struct docker_calls calls;
	struct builder *targets, *engines;
	int64_t answered_at; /* wall clock, ns; 0 never */
	uint64_t latency_us, answered_ms; /* monotonic */
	char error[192]; /* "" while it answers */
	unsigned failures; /* in a row */
	bool is_over; /* `once` has sent everything */
	int broken; /* the app or the mover left: -errno */
	uint64_t retry_at, once_end; /* monotonic ms, 0 = off */
};

/* What an engine's row says besides; NULL and "": unknown. */
struct engine_words {
	const char *runtime, *version, *api;
	const char *no_events; /* why it has none: it is asked every ENGINE_RELIST_MS */
};

/* What is different from engine to engine; `arg` as given to engine_reader_serve. */
struct engine_ops {
	docker_calls_fn take; /* an answer, or bytes of events */
	void (*ask)(void *arg); /* look again now: the app wants it */
	void (*turn)(void *arg); /* after each wait: timers, and what can be asked now */
	int (*wait_ms)(const void *arg); /* until the next timer; -1: none */
};

/* open() of a source with struct docker_params: starts the mover. */
int engine_reader_open(struct worker *w, struct err *err);
/* For serve(); engine_reader_done frees what it made. */
void engine_reader_init(struct engine_reader *r, struct worker *w);
void engine_reader_done(struct engine_reader *r);
/* Until everything is sent, or the app or the mover left. 0 or -errno. */
int engine_reader_serve(struct engine_reader *r, const struct engine_ops *ops, void *arg, struct err *err);

void engine_reader_send(struct engine_reader *r, struct builder *b);
void engine_reader_send_engine(struct engine_reader *r, const struct engine_words *w);
struct docker_rows_stamp engine_reader_stamp(const struct engine_reader *r, const char *runtime);

/* It answered. */
void engine_reader_answered(struct engine_reader *r, const struct mover_done *done);
/* It does not: gives up what is under way and sets when to try again. True: the reason is another one than before. */
bool engine_reader_failed(struct engine_reader *r, const char *why);
/* It answers with lists again. */
void engine_reader_is_well(struct engine_reader *r);
/* Did `once` end without an answer? Then *ret_why is the sentence. */
bool engine_reader_is_late(struct engine_reader *r, char ret_why[192]);
/* Starts a call; a mover that left ends the reader. False: no room. */
bool engine_reader_start(struct engine_reader *r, enum mover_kind kind, const struct mover_request *as);

/* Turns a timer off that is due; true then. */
bool engine_timer_is_due(uint64_t *timer, uint64_t now);
/* Milliseconds until the first of them (0 = off) is due; -1: none is on. */
int engine_timer_wait(const uint64_t *timers, size_t n);

#endif
