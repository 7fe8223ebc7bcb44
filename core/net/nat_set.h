/* Sets and maps of nf_tables with their elements, as rules look them up. Everything points into the messages. */
#ifndef NSDBG_CORE_NET_NAT_SET_H
#define NSDBG_CORE_NET_NAT_SET_H

#include "core/net/nat_nft.h"

enum { NAT_KEY = 64 }; /* NFT_DATA_VALUE_MAXLEN */

struct nat_element {
	uint8_t key[NAT_KEY], last[NAT_KEY]; /* network order, concatenated fields at multiples of 4; equal without a range */
	const uint8_t *data; /* of a map; NULL: none */
	uint16_t n_key, n_data;
	int32_t verdict; /* of a verdict map: NFT_JUMP, ... */
	struct text chain;
	bool has_verdict, any; /* any: whatever the others leave */
	bool end; /* while reading: an interval ends before it */
};

struct nat_set {
	uint8_t family;
	struct text table, name;
	uint32_t flags; /* NFT_SET_* */
	struct nat_element *elements;
	uint32_t n, cap;
};

struct nat_sets {
	struct nat_set *list;
	uint32_t n, cap;
	uint64_t lost; /* elements beyond 65536 of a set */
	uint32_t *slots, n_slots; /* index + 1, by name: each "tcp dport { 80, 443 }" is a set */
};

void nat_sets_read(const struct nat_bytes *sets, const struct nat_bytes *elements, struct nat_sets *ret);
/* A set without elements; false: it is there already. */
bool nat_sets_add(struct nat_sets *s, const struct nat_set *set);
void nat_sets_done(struct nat_sets *s);
const struct nat_set *nat_sets_find(const struct nat_sets *s, uint8_t family, struct text table, struct text name);

#endif
