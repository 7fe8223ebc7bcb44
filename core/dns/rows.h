/* Rows of dns_row out of questions and replies. */
#ifndef NSDBG_CORE_DNS_ROWS_H
#define NSDBG_CORE_DNS_ROWS_H

#include "core/dns/exchange.h"

struct builder;

/* What was asked, how it ended. */
struct dns_asked {
	const struct dns_flight *flight;
	const struct dns_server *server;
	const char *how; /* why this name: "as typed", "search example.com" */
	uint64_t waited_us; /* all tries together, for the row that says there was no reply */
};

/* One "step" row: this name was asked there and that came back. */
void dns_rows_step(struct builder *b, const struct dns_asked *asked);

/* A "step" row for a name that could not be asked: `why` goes into rcode. */
void dns_rows_skipped(struct builder *b, const char *name, const char *how, const char *why);

/* The records of the reply, or one row without data when it has none of the type asked for. `text` has DNS_RDATA_TEXT bytes. */
void dns_rows_answer(struct builder *b, const struct dns_asked *asked, char *text);

/* A row of this type with every field unknown. */
struct dns_row *dns_rows_blank(struct builder *b);

/* Sets head.id from what the row says; two rows that say the same have the same id. */
void dns_rows_identify(struct dns_row *row, const char *name, const char *type, const char *data);

#endif
