/*
 * Part of the DNS pane: the answer beside those of all resolvers that matter (core/dns/compare.h). A worker for each of them and one
 * for the host's files; they live as long as they are waited for. Rows come as answers come.
 */
#ifndef NSDBG_TUI_DNS_VERSUS_H
#define NSDBG_TUI_DNS_VERSUS_H

#include "core/dns/compare.h"
#include "tui/pane.h"

struct dns_versus;

/* One worker: of a peer, or (the last) of the host's files. */
struct dns_versus_link {
	struct dns_versus *versus;
	struct link *link; /* NULL: over */
	struct loop_item *item;
	struct block *block; /* what it brought */
};

struct dns_versus {
	struct pane *pane;
	bool shown;
	struct dns_request asked;
	char name[DNS_NAME_TEXT];
	struct block *files, *own; /* of the target; own: its answer */
	struct dns_peer peers[DNS_MAX_PEERS];
	unsigned n;
	struct dns_versus_link links[DNS_MAX_PEERS + 1];
	struct grid grid; /* dns_compare_row */
};

void dns_versus_init(struct dns_versus *v, struct pane *p);
void dns_versus_done(struct dns_versus *v);

/* Asks everybody for what `own` (dns_row) answers; files may be NULL. The blocks are only lent. */
void dns_versus_start(struct dns_versus *v, const struct dns_request *asked, struct block *files, struct block *own);
/* Waits for nobody any more. */
void dns_versus_stop(struct dns_versus *v);
bool dns_versus_waits(const struct dns_versus *v);

/* An answer of peer i, or with i = DNS_MAX_PEERS the host's files (NULL: none will come). Takes the block. */
void dns_versus_take(struct dns_versus *v, unsigned i, struct block *b);

/* Draws the title and the rows. */
void dns_versus_draw(struct dns_versus *v, struct area a, bool focused);

#endif
