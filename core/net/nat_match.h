/*
 * What a rule of a firewall asks of a packet, as far as a port's way is concerned; the rest in words. Tests are added one by one, and a
 * whole match is laid over another when a chain jumps to the next.
 */
#ifndef NSDBG_CORE_NET_NAT_MATCH_H
#define NSDBG_CORE_NET_NAT_MATCH_H

#include "core/addr.h"

enum { NAT_WORDS = 256, NAT_IFNAME = 20, NAT_PORT_MAX = 65535 };
#define NAT_NO_PORT UINT32_MAX

struct nat_match {
	uint8_t family; /* 4, 6; 0: both */
	uint8_t protocol; /* of IP; 0: any */
	bool address_not, in_not;
	bool local; /* destination is an address of the host */
	bool loopback_not; /* not 127.0.0.0/8, ::1 */
	bool never; /* contradicts itself */
	struct addr address; /* ADDR_NONE: any */
	char in[NAT_IFNAME]; /* "": any; may end in * */
	uint32_t port, port_last; /* NAT_NO_PORT: any */
	char words[NAT_WORDS]; /* "": nothing else; in quotes of nobody: viewers clean */
};

void nat_match_init(struct nat_match *m);
bool nat_match_is_all(const struct nat_match *m); /* asks for nothing */

void nat_match_family(struct nat_match *m, uint8_t family);
void nat_match_protocol(struct nat_match *m, uint8_t protocol);
void nat_match_address(struct nat_match *m, const struct addr *a, bool not); /* with prefix, or one */
void nat_match_in(struct nat_match *m, const char *name, bool not);
void nat_match_ports(struct nat_match *m, uint32_t from, uint32_t to);
void nat_match_words(struct nat_match *m, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* m asks for all that `other` asks for, too. */
void nat_match_and(struct nat_match *m, const struct nat_match *other);

/* One short text of all that it asks for ("tcp to 10.0.0.1 port 80 in eth0"); returns buf. */
char *nat_match_say(const struct nat_match *m, char *buf, size_t cap);

/* "tcp"; NULL: no name. Writes nothing. */
const char *nat_protocol_name(uint8_t protocol);

/* Number of leading one bits of a mask in network order; -1: not contiguous. */
int nat_prefix_of(const uint8_t *mask, size_t n);

/* Is `a` within the network `net` (its prefix, or the one address)? */
bool nat_address_in(const struct addr *net, const struct addr *a);

#endif
