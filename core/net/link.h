/*
 * Interfaces of a network namespace, from RTM_NEWLINK (rtnetlink(7), linux/if_link.h). Names and aliases are what the container chose.
 * peer_target, peer and problem stay unknown here: path.h and judge.h fill them from other namespaces' rows.
 */
#ifndef NSDBG_CORE_NET_LINK_H
#define NSDBG_CORE_NET_LINK_H

#include "core/block.h"

struct net_names;
struct nlmsghdr;

enum net_link_state { /* RFC 2863 operational state, in the order of linux/if.h IF_OPER_* */
	NET_LINK_UNKNOWN,
	NET_LINK_NOTPRESENT,
	NET_LINK_DOWN,
	NET_LINK_LOWERLAYERDOWN,
	NET_LINK_TESTING,
	NET_LINK_DORMANT,
	NET_LINK_UP,
	NET_LINK_STATE_N,
};

struct net_counters {
	uint64_t bytes, packets, errors, dropped;
};

struct net_link_row {
	struct row_head head; /* id: of index and namespace */
	uint64_t index;
	uint64_t netns; /* inode of the namespace it is in */
	struct str name;
	struct str kind; /* "veth", "bridge"; hardware and loopback have none */
	struct str type; /* "ether", "loopback", "none" */
	uint32_t state; /* enum net_link_state */
	uint8_t up; /* switched on */
	uint8_t carrier;
	struct str flags; /* list, as ip(8) names them */
	uint64_t mtu;
	struct addr mac;
	struct str addresses; /* list "172.17.0.2/16" */
	struct str alias;
	struct str qdisc;
	uint64_t queue_length;
	uint64_t promiscuity; /* how many asked for all packets (captures) */
	struct net_counters rx, tx;
	uint64_t multicast, collisions;
	double rx_rate, tx_rate; /* bytes a second since the last sample; NAN the first time */
	double drop_rate; /* drops and errors a second, both directions */
	uint64_t link_index; /* the other end or the device below */
	int64_t link_netnsid; /* in which namespace that is, as numbered in this one; unknown: here */
	uint64_t peer_netns; /* inode of that namespace */
	struct str peer; /* its name there */
	struct str peer_target; /* whose namespace that is */
	struct str parent; /* device below, in this namespace (macvlan, vlan) */
	uint64_t master_index;
	struct str master; /* bridge, bond or vrf that it belongs to */
	uint32_t port_state; /* of a bridge port: IEEE 802.1D, order of linux/if_bridge.h BR_STATE_* */
	uint8_t hairpin, isolated, learning, flood, guard; /* of a bridge port */
	struct str mode; /* macvlan, ipvlan: bridge, private, l2 ...; tun: tun or tap */
	uint64_t vlan; /* IEEE 802.1Q id */
	uint64_t vni; /* vxlan, geneve */
	struct addr local, remote; /* ends of a tunnel */
	uint64_t port; /* UDP port of a tunnel */
	uint64_t owner; /* tun: uid that may open it */
	uint8_t stp, vlan_filtering; /* of a bridge */
	struct str problem; /* in words; unknown: nothing wrong */
};
extern const struct row_type net_link_row_type; /* "ip-link" */

/* Appends the row that a message tells; false: it is none (bridge notices, too short). `netns` goes into the id; the name is added to `names`. */
bool net_link_take(const struct nlmsghdr *nlh, uint64_t netns, struct net_names *names, struct builder *b);

#define NET_LINK_SHORTEST 0.2 /* seconds between two samples that make a rate */

/* After all: names of masters and parents, their addresses, and rates against the rows before. */
struct net_link_past {
	struct net_link_row *rows; /* owned; only counters, rates and ids are read */
	uint32_t n;
	double seconds; /* since then */
};
void net_link_keep(struct builder *links, struct net_link_past *past);
/* addresses: net_address_row; NULL: not known. */
void net_link_finish(struct builder *links, struct builder *addresses, const struct net_link_past *past);

/* Row with this index or name; NULL: none. */
const struct net_link_row *net_link_find(const struct block *links, uint64_t netns, uint64_t index);
const struct net_link_row *net_link_named(const struct block *links, struct text name);

/* Words for the screen: "up", "down", "no carrier". */
const char *net_link_words(const struct net_link_row *row);

#endif
