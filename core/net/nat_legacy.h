/*
 * A table of legacy x_tables as the kernel hands it out: struct ipt_getinfo, struct ipt_get_entries, and entries behind it, each with its
 * matches and target (linux/netfilter_ipv4/ip_tables.h and the IPv6 one). Nothing in the bytes is trusted.
 */
#ifndef NSDBG_CORE_NET_NAT_LEGACY_H
#define NSDBG_CORE_NET_NAT_LEGACY_H

#include "core/net/nat_nft.h"

/* Adds the table to the model. False: broken off where it could not be understood; what came before stays. */
bool nat_legacy_read(const struct nat_bytes *b, uint8_t family, struct nat_model *m);

#endif
