/* The calls by gRPC: HTTP/2 to containerd and CRI, over the mover's libcurl. Fixed, read-only methods; at most one id in the message. */
#ifndef NSDBG_CORE_ENGINE_MOVER_GRPC_H
#define NSDBG_CORE_ENGINE_MOVER_GRPC_H

#include "core/engine/mover.h"

#include <curl/curl.h>
#include <stddef.h>

enum { MOVER_GRPC_POST = 128 };

bool mover_grpc_is(uint32_t kind);
/* No end of its own: the events of containerd and of CRI. */
bool mover_grpc_is_stream(uint32_t kind);

/* The URL's path; negative: not a request of ours. */
int mover_grpc_path(const struct mover_request *r, char *buf, size_t cap);

/* Sets method, headers and message. *headers is freed and made anew, and belongs to the caller, as does post until the call is over. */
void mover_grpc_prepare(CURL *easy, const struct mover_request *r, struct curl_slist **headers, unsigned char post[MOVER_GRPC_POST]);

/* Looks for grpc-status and grpc-message in one header or trailer. */
void mover_grpc_header(const char *p, size_t n, struct mover_done *done);

#endif
