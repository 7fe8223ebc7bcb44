/*
 * One question to an engine on a unix socket, such as "is there a container of this name", without libcurl: loading that takes longer
 * than all the rest of finding a target. HTTP/1.0, one request, the answer until the end. Whatever is unusual about it fails, which a
 * status and a code of 0 say, and the caller asks again the ordinary way.
 */
#ifndef NSDBG_CORE_ENGINE_FINDER_H
#define NSDBG_CORE_ENGINE_FINDER_H

#include "core/engine/mover.h"

#include <stddef.h>

/* Is this one of its questions: MOVER_FIND, MOVER_PING, MOVER_LIST? */
bool finder_takes(const struct mover_target *target, const struct mover_request *r);

/* Connects, goes into a cage that knows no sockets, answers `r` in frames to `sock`, and ends. Never returns. */
_Noreturn void finder_main(const struct mover_target *target, const struct mover_request *r, int sock);

/* Reads the head of an answer (RFC 9112): status, Server, Api-Version, Date, where the body begins and how long it is (SIZE_MAX: until the end).
 * 1; 0: more bytes are needed; -EPROTO: not such an answer, or one in chunks; -EMSGSIZE: a head of more than MOVER_MAX_HEADER. */
int finder_head(const char *p, size_t n, struct mover_done *ret, size_t *ret_body, size_t *ret_length);

#endif
