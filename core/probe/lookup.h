/* The name before the probe: an address out of what DNS answered (dns_row), or why there is none. */
#ifndef NSDBG_CORE_PROBE_LOOKUP_H
#define NSDBG_CORE_PROBE_LOOKUP_H

#include <stdbool.h>

struct addr;
struct block;
struct probe_facts;

/* The first address of the answer; false: there is none. */
bool lookup_address(const struct block *answer, struct addr *ret);

/* Sets verdict and detail: nobody answered in time (who), an answer that is none (SERVFAIL, refused), a name without addresses, no such
 * name (RFC 1035 4.1.1, RFC 2308 2). Of several questions the gravest counts: what was not answered may exist. */
void lookup_failure(const struct block *answer, const char *name, struct probe_facts *f);

#endif
