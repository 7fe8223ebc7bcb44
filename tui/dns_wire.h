/* What both faces need to watch DNS on the wire: the container's search list for the worker, and owners for the sockets it asks about. */
#ifndef NSDBG_TUI_DNS_WIRE_H
#define NSDBG_TUI_DNS_WIRE_H

#include "capture/dnswatch.h"
#include "core/session.h"

enum { DNS_WIRE_TYPES = 5, DNS_WIRE_WANTED = 500 };

/* All rows that a watch sends. */
extern const struct row_type *const dns_wire_types[DNS_WIRE_TYPES];

/* files: file_row, NULL: the defaults of resolv.conf(5). */
void dns_wire_params(const struct block *files, uint16_t port, struct dnswatch_params *ret);

/* Sockets whose owner is wanted, and those that owners_source is looking for. One request at a time. */
struct dns_wire_owners {
	uint64_t wanted[DNS_WIRE_WANTED], asked[DNS_WIRE_WANTED];
	unsigned n_wanted, n_asked;
};

void dns_wire_want(struct dns_wire_owners *o, const struct block *sockets); /* dnswatch_socket */
/* Asks, when something is wanted and nothing is under way. owners: a link to owners_source, NULL fine. */
void dns_wire_ask(struct dns_wire_owners *o, struct link *owners);
/* Takes owner_row and tells the watch. */
void dns_wire_tell(struct dns_wire_owners *o, const struct block *owners, struct link *watch);

#endif
