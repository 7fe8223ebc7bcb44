/* What records hold, in presentation form: a table of types, each with its layout; everything else as RFC 3597 "\# N HEX". */
#ifndef NSDBG_CORE_DNS_RDATA_H
#define NSDBG_CORE_DNS_RDATA_H

#include "core/dns/message.h"

/* Text that grows into `p`, NUL-terminated; what does not fit is left out and `n` tells the length needed. */
struct dns_text {
	char *p;
	size_t cap;
	size_t n;
};

/* Room for the longest presentation form of any record: four characters an octet, and some. */
enum { DNS_RDATA_TEXT = 4 * 65535 + 4096 };

/* Appends the record's data. `msg` is the whole message (names in it are compressed). False: the data does not fit its type. */
bool dns_rdata_format(const void *msg, size_t n, const struct dns_record *rec, struct dns_text *out);

/* Appends formatted text, length as it is written. */
void dns_text_add(struct dns_text *out, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
