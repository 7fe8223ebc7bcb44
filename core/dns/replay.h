/* A request answered the way a libc would: see core/dns/glibc.c and core/dns/musl.c. What dns_ask_run does when request.libc is set. */
#ifndef NSDBG_CORE_DNS_REPLAY_H
#define NSDBG_CORE_DNS_REPLAY_H

#include "core/dns/exchange.h"

struct builder;
struct dns_name;
struct dns_request;

/* Can it be replayed? One type, or A and AAAA: a libc asks nothing else. */
bool dns_replay_fits(const struct dns_request *request);

/* `request` is checked, `name` is what it asks for. 0, or -EPIPE, -ESRCH, -EIO. */
int dns_replay_run(const struct dns_request *request, const struct dns_name *name, bool is_absolute, const struct dns_watch *watch,
	struct builder *b);

#endif
