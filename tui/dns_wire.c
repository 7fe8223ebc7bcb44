/* Between the watch, the container's files and the owners of sockets: see dns_wire.h. */
#include "tui/dns_wire.h"

#include "core/dns/ask.h"
#include "core/fd.h"
#include "core/source/sockets.h"

#include <stdio.h>
#include <string.h>

const struct row_type *const dns_wire_types[DNS_WIRE_TYPES] = { &dnswatch_question_type, &dnswatch_name_type, &dnswatch_search_type,
	&dnswatch_finding_type, &dnswatch_socket_type };

void dns_wire_params(const struct block *files, uint16_t port, struct dnswatch_params *ret)
{
	struct dns_request r;

	dns_request_from_files(files, &r);
	*ret = (struct dnswatch_params){ .n_search = r.n_search, .timeout_ms = r.timeout_ms, .attempts = r.attempts, .port = port };
	_Static_assert(sizeof ret->search == sizeof r.search, "both hold the search list of resolv.conf(5)");
	memcpy(ret->search, r.search, sizeof ret->search);
}

void dns_wire_want(struct dns_wire_owners *o, const struct block *sockets)
{
	for (uint32_t i = 0; i < block_count(sockets) && o->n_wanted < DNS_WIRE_WANTED; i++)
		o->wanted[o->n_wanted++] = ((const struct dnswatch_socket *)block_row(sockets, i))->inode;
}

void dns_wire_ask(struct dns_wire_owners *o, struct link *owners)
{
	if (!owners || o->n_wanted == 0 || o->n_asked)
		return;
	if (link_request(owners, 1, OWNERS_OP_SEARCH, o->wanted, o->n_wanted * sizeof o->wanted[0], -1) < 0)
		return;
	memcpy(o->asked, o->wanted, o->n_wanted * sizeof o->wanted[0]);
	o->n_asked = o->n_wanted;
	o->n_wanted = 0;
}

void dns_wire_tell(struct dns_wire_owners *o, const struct block *owners, struct link *watch)
{
	struct dnswatch_owner found[DNSWATCH_OWNERS];

	for (unsigned at = 0; at < o->n_asked; at += DNSWATCH_OWNERS) {
		unsigned part = o->n_asked - at < DNSWATCH_OWNERS ? o->n_asked - at : DNSWATCH_OWNERS;
		unsigned n = dnswatch_owners_find(owners, o->asked + at, part, found);

		if (n && watch)
			link_request(watch, 0, DNSWATCH_OP_OWNERS, found, n * sizeof found[0], -1);
	}
	o->n_asked = 0;
}
