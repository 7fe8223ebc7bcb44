/*
 * Did the host's network change? Links, addresses and routes of the namespace it runs in by rtnetlink(7) multicast: a container that
 * starts or ends moves a link, whoever runs it. What changed is read by others; this only says that it is time to look.
 */
#ifndef NSDBG_CORE_CHANGES_H
#define NSDBG_CORE_CHANGES_H

#include "core/source.h"

struct change_row {
	struct row_head head;
	uint64_t links, addresses, routes; /* messages so far; what the kernel could not keep for us is not in them */
	uint64_t lost; /* how often it had to drop some (ENOBUFS) */
};
extern const struct row_type change_row_type; /* "changes" */

/* serve(): a row when something changed, at most one in CHANGES_PAUSE_MS. CAGE_NETLINK, no capabilities. */
enum { CHANGES_PAUSE_MS = 200 };
extern const struct source changes_source;

#endif
