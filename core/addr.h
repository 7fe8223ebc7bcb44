/* Network addresses as values. Bytes in network order, as in RFC 791 and RFC 4291. */
#ifndef NSDBG_CORE_ADDR_H
#define NSDBG_CORE_ADDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ADDR_NONE = 0, ADDR_IP4 = 4, ADDR_IP6 = 6, ADDR_MAC = 48 };

/* ADDR_NONE is "unknown". 20 bytes, no padding; rows hold it by value. */
struct addr {
	uint8_t kind; /* ADDR_* */
	uint8_t prefix; /* network length when has_prefix, else 0 */
	uint8_t has_prefix;
	uint8_t zero;
	uint8_t bytes[16]; /* 4, 16 or 6 of them used, the rest zero */
};

enum { ADDR_TEXT = 64 }; /* room for the longest text with its NUL */

struct addr addr_ip4(const void *four);
struct addr addr_ip6(const void *sixteen);
struct addr addr_mac(const void *six);

/* "172.17.0.2", "fe80::1", "10.0.0.1/24", "02:42:ac:11:00:02". Literals only, never a name. Returns 0 or -EINVAL. */
int addr_parse(const char *text, struct addr *ret);

/* Writes the usual text form ("" for ADDR_NONE; "/prefix" only when has_prefix) and returns buf. */
char *addr_format(const struct addr *a, char buf[ADDR_TEXT]);

/* Same kind and bytes; the prefix does not count. */
bool addr_same(const struct addr *a, const struct addr *b);

/* Same kind and the same first `bits`, at most 128: is `a` in that network? */
bool addr_same_prefix(const struct addr *a, const struct addr *network, unsigned bits);

/* Order: kind, then bytes as numbers. -1, 0, 1. */
int addr_compare(const struct addr *a, const struct addr *b);

/* 0.0.0.0, :: or unknown. */
bool addr_is_any(const struct addr *a);
bool addr_is_loopback(const struct addr *a);

/* IPv4-mapped IPv6 (::ffff:a.b.c.d, RFC 4291 2.5.5.2) becomes IPv4; everything else is returned as it is. */
struct addr addr_unmap(const struct addr *a);

#endif
