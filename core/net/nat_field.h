/* Parts of a packet that rules of nf_tables look at, and what a comparison with one of them asks for. */
#ifndef NSDBG_CORE_NET_NAT_FIELD_H
#define NSDBG_CORE_NET_NAT_FIELD_H

#include "core/net/nat_match.h"

struct net_names;

enum nat_field_kind {
	NAT_FIELD_NONE, NAT_FIELD_VALUE /* bytes that a rule or a map gives */, NAT_FIELD_FAMILY, NAT_FIELD_ETHERTYPE, NAT_FIELD_PROTOCOL,
	NAT_FIELD_ADDRESS, NAT_FIELD_SOURCE, NAT_FIELD_PORT, NAT_FIELD_SOURCE_PORT, NAT_FIELD_IN, NAT_FIELD_OUT,
	NAT_FIELD_IN_NUMBER, NAT_FIELD_OUT_NUMBER,
	NAT_FIELD_TYPE /* of the destination: RTN_LOCAL, ... */, NAT_FIELD_CT_STATE, NAT_FIELD_OTHER, NAT_FIELD_KINDS,
};

struct nat_field {
	enum nat_field_kind kind;
	uint8_t family; /* of addresses */
	uint8_t n; /* bytes loaded */
	const uint8_t *value; /* of VALUE */
	const uint8_t *mask; /* n bytes; NULL: none */
	const char *label; /* of OTHER */
	const struct net_names *names; /* of numbers of interfaces; NULL: not known */
};

/* By the numbers of linux/netfilter/nf_tables.h. `family` 4, 6 or 0 when it is not known. */
struct nat_field nat_field_payload(uint32_t base, uint32_t offset, uint32_t n, uint8_t family);
struct nat_field nat_field_meta(uint32_t key, const struct net_names *names);
struct nat_field nat_field_ct(uint32_t key);
struct nat_field nat_field_fib(uint32_t result, uint32_t flags);

/* "new,related"; returns buf. */
char *nat_field_ct_states(uint32_t bits, char *buf, size_t cap);

const char *nat_field_label(const struct nat_field *f);
/* Has it a place of its own in a match? */
bool nat_field_is_telling(const struct nat_field *f);

void nat_field_compare(const struct nat_field *f, uint32_t op, const uint8_t *value, unsigned n, struct nat_match *m);
void nat_field_range(const struct nat_field *f, const uint8_t *from, const uint8_t *to, unsigned n, bool not, struct nat_match *m);

#endif
