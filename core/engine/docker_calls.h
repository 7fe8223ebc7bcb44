/* Requests to the mover and their answers, put together from frames. One side of a channel; knows no JSON. */
#ifndef NSDBG_CORE_ENGINE_DOCKER_CALLS_H
#define NSDBG_CORE_ENGINE_DOCKER_CALLS_H

#include "core/engine/mover.h"

#include <stddef.h>

enum { DOCKER_CALLS = 24 }; /* under way at once: enough that the mover never waits for work */

struct docker_call {
	uint32_t tag; /* 0: free */
	enum mover_kind kind;
	char id[MOVER_ID + 1]; /* of the object asked for */
	char space[MOVER_ID + 1];
	char *body;
	size_t n, cap;
};

struct docker_calls {
	int fd; /* non-blocking */
	uint32_t last_tag;
	uint32_t n_busy; /* EVENTS not counted */
	struct docker_call slots[DOCKER_CALLS + 1]; /* the last one is for EVENTS */
};

/* What is told to the owner: `done` NULL: more bytes of EVENTS (call->body; take them by docker_calls_eat); else the answer is whole
 * and the call is free again when the function returns. */
typedef void (*docker_calls_fn)(void *arg, struct docker_call *call, const struct mover_done *done);

void docker_calls_init(struct docker_calls *c, int fd);
void docker_calls_done(struct docker_calls *c);

/* Is there room for another one of this kind? */
bool docker_calls_have_room(const struct docker_calls *c, enum mover_kind kind);
/* 0, -EAGAIN (no room), -EPIPE: the mover is gone. `as`: minor, is_podman, since and, where the kind needs it, id. */
int docker_calls_start(struct docker_calls *c, enum mover_kind kind, const struct mover_request *as);
/* Gives everything up; answers still on their way are ignored. */
int docker_calls_reset(struct docker_calls *c);
bool docker_calls_is_busy(const struct docker_calls *c, enum mover_kind kind);

/* Reads what is there without waiting, calling fn; 0, -EAGAIN: more to come after a short turn, -EPIPE: the mover is gone,
 * -EBADMSG: it talks nonsense. */
int docker_calls_read(struct docker_calls *c, docker_calls_fn fn, void *arg, struct err *err);

/* Removes the first n bytes of a body. */
void docker_calls_eat(struct docker_call *call, size_t n);

#endif
