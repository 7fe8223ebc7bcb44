/*
 * Messages of nf_tables (linux/netfilter/nf_tables.h, subsystem 10 of nfnetlink; numbers in network order) become tables, chains and rules.
 * Bytes are what recv gave, message behind message; nothing in them is trusted.
 */
#ifndef NSDBG_CORE_NET_NAT_NFT_H
#define NSDBG_CORE_NET_NAT_NFT_H

#include "core/net/nat_model.h"
#include "core/net/rtnl.h"

enum nat_dump { NAT_DUMP_TABLES, NAT_DUMP_CHAINS, NAT_DUMP_RULES, NAT_DUMP_SETS, NAT_DUMP_ELEMENTS, NAT_DUMPS };

struct nat_bytes {
	uint8_t *p;
	size_t n, cap;
};

/* Which elements are needed before rules can be understood; names are within the bytes. */
typedef void (*nat_set_fn)(uint8_t family, struct text table, struct text set, void *arg);

/* `dumps`: of NAT_DUMP_*; elements are not read yet. Calls fn once for each set whose elements matter. */
void nat_nft_sets(const struct nat_bytes dumps[NAT_DUMPS], nat_set_fn fn, void *arg);

/* `names` of interfaces by number may be NULL. */
void nat_nft_read(const struct nat_bytes dumps[NAT_DUMPS], const struct net_names *names, struct nat_model *m);

/* Do all messages speak of one state of the rules? Each carries 16 bits of its number (nfgenmsg.res_id). */
bool nat_nft_is_one(const struct nat_bytes dumps[NAT_DUMPS]);

/* Calls fn on each message with the subsystem's `type`. */
void nat_nft_each(const struct nat_bytes *b, uint16_t type, net_message_fn fn, void *arg);
uint8_t nat_nft_family(const struct nlmsghdr *nlh); /* NFPROTO_* */

#endif
