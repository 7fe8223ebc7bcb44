/* Domain names: presentation form (RFC 1035 5.1, \DDD) to wire form and back, and out of messages with compression (4.1.4). */
#ifndef NSDBG_CORE_DNS_NAME_H
#define NSDBG_CORE_DNS_NAME_H

#include "core/dns/wire.h"

struct addr;
struct err;

enum { DNS_NAME_WIRE = 255, DNS_LABEL = 63, DNS_NAME_PRINT = 1025 };

/* Wire form without compression, the root's empty label included: 1 to 255 bytes. */
struct dns_name {
	uint8_t n;
	uint8_t bytes[DNS_NAME_WIRE];
};

/* Text to name; *ret_absolute (may be NULL): it ended in a dot. -EINVAL or -ENAMETOOLONG with a sentence for the reader. */
int dns_name_parse(const char *text, struct dns_name *ret, bool *ret_absolute, struct err *err);

/* Presentation form with the final dot, only printable ASCII. Returns its length; at most cap-1 bytes and a NUL are written. */
size_t dns_name_format(const struct dns_name *name, char *buf, size_t cap);

/* Reads a name at the span's place and moves behind it. Pointers go strictly backwards, never into the header. */
bool dns_name_read(struct dns_span *s, struct dns_name *ret);

/* ASCII letters of either case are the same (RFC 4343). */
bool dns_name_equal(const struct dns_name *a, const struct dns_name *b);

/* "db" and "example.com." to "db.example.com."; false: longer than 255 bytes. */
bool dns_name_join(const struct dns_name *name, const struct dns_name *suffix, struct dns_name *ret);

/* Labels without the root: "db.example." has 2. */
unsigned dns_name_labels(const struct dns_name *name);

/* "2.0.18.172.in-addr.arpa." or the nibbles under ip6.arpa.; false for other kinds of address. */
bool dns_name_reverse(const struct addr *a, char *buf, size_t cap);

#endif
