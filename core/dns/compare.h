/*
 * The same name, asked at every resolver that matters: the target's own servers one by one, what its engine forwards to, the host's.
 * A front asks each (one dns_source worker a peer) and gives the answers here; rows say who knows what, and what does not fit.
 */
#ifndef NSDBG_CORE_DNS_COMPARE_H
#define NSDBG_CORE_DNS_COMPARE_H

#include "core/dns/ask.h"

enum { DNS_MAX_PEERS = 10 };

struct dns_peer {
	const char *who; /* "Docker's embedded DNS" */
	struct addr server;
	char zone[16];
	bool on_host; /* asked from the host's network namespace, else from the target's */
	bool is_own; /* the target asks it, too */
};

struct dns_compare_row {
	struct row_head head;
	struct str name; /* that was asked, with final dot */
	struct str who;
	struct str server; /* "127.0.0.11"; of the target itself: who answered, "/etc/hosts" */
	struct str from; /* "target" or "host": the network namespace it is asked from */
	struct str rcode;
	uint64_t time_us;
	struct str answers; /* list of addresses, or of other data; sorted */
	struct str targets; /* list: containers that have these addresses */
	struct str finding; /* what does not fit, in words; unknown: nothing. In the first row: the verdict */
};
extern const struct row_type dns_compare_row_type; /* "dns-compare" */

/* Whom to ask, from the target's files and the host's (either may be NULL). Returns their number. */
unsigned dns_compare_peers(const struct block *files, const struct block *host_files, struct dns_peer ret[DNS_MAX_PEERS]);

/* The name that decided, as answers (dns_row) tell it; else the name as it was typed. `ret` ends in a dot. */
void dns_compare_name(const struct block *answers, const struct dns_request *asked, char ret[DNS_NAME_TEXT]);

/* The question for one peer. `timeout_ms`: for all of it. */
void dns_compare_request(const struct dns_peer *p, const struct dns_request *asked, const char *name, uint32_t timeout_ms,
	struct dns_request *ret);

struct dns_compared {
	const struct dns_request *asked;
	const char *name;
	const struct block *own; /* dns_row: what the target gets */
	const struct dns_peer *peers;
	struct block *const *answers; /* of peer i; NULL: could not be asked */
	unsigned n;
	const struct block *targets, *networks; /* may be NULL */
};
/* First the target itself, then the peers. Never NULL. */
struct block *dns_compare_rows(const struct dns_compared *c);

#endif
