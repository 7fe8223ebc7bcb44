/*
 * Many names at a time, from one worker: so many of them are under way at once (batch.c), and each is asked as dns_ask_run asks one.
 * The names come in a memory file, the answers as blocks of whole names in the order in which they ended.
 */
#ifndef NSDBG_CORE_DNS_BATCH_H
#define NSDBG_CORE_DNS_BATCH_H

#include "core/dns/ask.h"

struct worker;

enum {
	DNS_OP_BATCH = 17, /* params: dns_request for all; the descriptor: the list; name and types of the request do not count */
	DNS_BATCH_MAX_NAMES = 100000,
	DNS_BATCH_MAX_BYTES = 16 << 20,
};

/* One entry of the list; n_name bytes of the name follow it. */
struct dns_batch_entry {
	uint32_t position; /* goes into the rows: dns_row.position */
	uint16_t types[4]; /* as in dns_request */
	uint16_t n_name; /* less than DNS_NAME_TEXT */
	uint16_t zero;
};

/* A list on its way: zeroed is empty; `bytes` is the caller's to free. */
struct dns_batch_list {
	unsigned char *bytes;
	size_t n, cap;
};

/* Rows of one name, position and asked filled in; never none. NULL: now comes a wait, show what there is. */
typedef void (*dns_batch_fn)(void *arg, const struct block *rows);

/* Asks for all names of the list: `n` bytes. A name that is none gives a row that says so. 0; -EBADMSG: not a list (err says why);
 * -EPIPE, -ESRCH: the watch ended it. */
int dns_batch_run(const struct dns_request *as, const void *list, size_t n, const struct dns_watch *watch, dns_batch_fn fn, void *arg,
	struct err *err);

/* Answers a DNS_OP_BATCH in the worker: blocks with the request's tag. */
int dns_batch_serve(struct worker *w, const struct msg *m, const struct dns_watch *watch);

void dns_batch_add(struct dns_batch_list *list, const struct dns_batch_entry *entry, const char *name);

#endif
