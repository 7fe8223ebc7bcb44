/*
 * One question to an engine on a unix socket, "is there a container of this name", without libcurl: loading that takes longer than all
 * the rest of finding a target. HTTP/1.0, one request, the answer until the end. Whatever is unusual about it fails, and the caller asks
 * again the ordinary way.
 */
#ifndef NSDBG_CORE_ENGINE_FINDER_H
#define NSDBG_CORE_ENGINE_FINDER_H

#include "core/engine/mover.h"

#include <stddef.h>

/* Connects, goes into a cage that knows no sockets, answers `r` (MOVER_FIND) in frames to `sock`, and ends. Never returns. */
_Noreturn void finder_main(const struct mover_target *target, const struct mover_request *r, int sock);

/* Reads the head of an answer (RFC 9112): status, Server, where the body begins and how long it is (SIZE_MAX: until the end).
 * 1; 0: more bytes are needed; -EPROTO: not such an answer, or one in chunks; -EMSGSIZE: a head of more than MOVER_MAX_HEADER. */
int finder_head(const char *p, size_t n, struct mover_done *ret, size_t *ret_body, size_t *ret_length);

#endif
