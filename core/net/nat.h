/*
 * Destination NAT of one network namespace: what the kernel does with packets to a port before any program sees them. Read from nf_tables
 * by netlink (nft(8), also what iptables-nft wrote there: compat "target" expressions, linux/netfilter/nf_tables.h) and from legacy
 * x_tables (IPT_SO_GET_INFO, IPT_SO_GET_ENTRIES of linux/netfilter_ipv4/ip_tables.h; only tables that /proc/net/ip_tables_names lists,
 * since asking for another one would make it). Looking loads no kernel module and creates no table.
 */
#ifndef NSDBG_CORE_NET_NAT_H
#define NSDBG_CORE_NET_NAT_H

#include "core/addr.h"
#include "core/source.h"

enum nat_origin { NAT_NFT, NAT_IPTABLES_NFT, NAT_IPTABLES_LEGACY, NAT_ORIGIN_N };
enum nat_action { NAT_DNAT, NAT_REDIRECT, NAT_TPROXY, NAT_ACTION_N };
enum { NAT_FROM_OUTSIDE = 1 << 0 /* reached from a prerouting hook */, NAT_FROM_HOST = 1 << 1 /* from an output hook */ };

struct nat_row {
	struct row_head head; /* id: of origin, family, table, chain and handle or position */
	uint32_t origin; /* enum nat_origin */
	uint32_t family; /* 4, 6; 0: both (inet) */
	struct str table, chain;
	uint64_t handle; /* of the rule in nf_tables; legacy: its number in the chain, from 1 */
	uint32_t action; /* enum nat_action */
	uint32_t from; /* NAT_FROM_*: which hooks lead here by jumps and gotos; 0: none, the rule never acts */
	struct str protocol; /* "tcp", "udp", "sctp"; unknown: any */
	struct addr address; /* destination that matches, with prefix; unknown: any */
	uint8_t address_not; /* what does not match it */
	uint8_t local_only; /* the rule or every jump to it asks for an address of the host (addrtype LOCAL, fib daddr type local) */
	uint8_t loopback_not; /* ... refuses 127.0.0.0/8 (IPv6: ::1) for what the host itself sends */
	struct str in; /* interface that packets come in by; unknown: any */
	uint8_t in_not; /* every interface but that one */
	uint64_t port, port_last; /* destination ports, host order; ROW_NO_UINT: any */
	struct addr to_address; /* unknown: keeps the address (REDIRECT: the namespace's own) */
	struct addr to_address_last; /* the last of several that connections are spread over; unknown: there is one */
	uint64_t to_port, to_port_last; /* ROW_NO_UINT: kept */
	uint8_t shifted; /* port i becomes to_port + (i - port); otherwise any of to_port to to_port_last, if that is a range */
	uint64_t packets, bytes; /* that the rule met; ROW_NO_UINT: not counted */
	struct str unless; /* packets that earlier rules of its chain, or of those that lead to it, accept or send back; unknown: none */
	struct str conditions; /* what else the rule asks for, in words as far as they are known; unknown: nothing else */
};
extern const struct row_type nat_row_type; /* "nat" */

/* sample(): every rule of the namespace that changes a destination. Needs CAP_NET_ADMIN there, for both kinds (a
 * datagram socket does for legacy tables: no CAP_NET_RAW); nat_ask.h says who holds it. Without it: an error that names the right. Rows come
 * in the order in which packets meet the rules. A kernel without either kind: an empty block. */
extern const struct source nat_source;

/* Would a packet to this address and port (protocol "tcp", ...), sent from outside the host or from itself, meet the rule? Conditions
 * that are only known as words count as met. */
bool nat_matches(const struct block *rules, const struct nat_row *r, struct text protocol, const struct addr *to, uint64_t port);

#endif
