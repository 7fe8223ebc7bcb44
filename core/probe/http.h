/* HTTP and HTTPS by libcurl over a socket that connect.c has connected: status, phases, TLS, the chain of certificates. */
#ifndef NSDBG_CORE_PROBE_HTTP_H
#define NSDBG_CORE_PROBE_HTTP_H

#include "core/probe/run.h"

struct builder;

/* With privilege: what opens files (OpenSSL's settings, the host's CA certificates). */
void http_prepare(struct probe_run *run);

/* The row's fields of the latest try. */
void http_fill(const struct probe_run *run, struct builder *b, struct probe_row *row);

#endif
