/*
 * Ports that others may reach: three independent facts joined into one row per (protocol, host address, host port, container port). What
 * the engine says is published; what the kernel does outside (destination NAT, nat.h) and which program forwards there (port_holders.h); who
 * really listens inside (listeners.h). Pure functions on blocks that workers read.
 *
 * Outside is the namespace at the other end of the container's cable: a daemon may have one of its own, and rootless engines have two,
 * with a program that listens on the host in front.
 *
 * Exposure says who may come, by addresses alone; packet filters (firewalls) are not evaluated. Of a published port, and of a listener
 * in the host's namespace: loopback, when it is bound to 127.0.0.0/8 or ::1; else by the outer addresses that it is bound to, all of its
 * family for 0.0.0.0 and ::, where outer means an interface that is neither loopback nor a bridge of nothing but this machine's
 * containers: world, when one of them is global; lan, when they are private (RFC 1918), link-local, unique local (RFC 4193) or shared
 * (RFC 6598); host, when there is none. An address that no interface has and a rule takes (kube-proxy's) goes by its kind. Of a listener
 * in a container that is not published: loopback, when it listens on loopback only or nothing but a program (slirp4netns, pasta) ties the
 * container to the outside; host, when a cable leads to this machine; by its own addresses, when it is on the network itself (macvlan). A
 * bare namespace that is tied to this machine counts as a container. null: the namespace could not be read, or no engine says which ports
 * of it a program on the host serves.
 */
#ifndef NSDBG_CORE_NET_PORTS_H
#define NSDBG_CORE_NET_PORTS_H

#include "core/net/view.h"
#include "core/target.h"

enum net_exposure { NET_EXPOSED_LOOPBACK, NET_EXPOSED_HOST, NET_EXPOSED_LAN, NET_EXPOSED_WORLD, NET_EXPOSURE_N };

enum net_port_kind {
	NET_PORT_PUBLISHED, /* the engine says so, or (engines that do not tell) rules or a proxy lead to it */
	NET_PORT_LISTENS, /* not published: a listener in the container, or in the host's namespace */
	NET_PORT_LEFTOVER, /* a rule or proxy that the engine does not know of */
	NET_PORT_KIND_N,
};

enum { NET_PORT_DATAGRAM = 1 << 0 }; /* head.flags: udp */

struct net_port_row {
	struct row_head head;
	struct str target; /* unknown: a leftover for an address that nobody has */
	uint32_t kind; /* enum net_port_kind */
	struct str protocol;
	struct addr host_address; /* unknown: not published */
	uint64_t host_port;
	uint64_t port; /* inside */
	uint32_t exposure; /* enum net_exposure */
	struct str reached_from; /* list of "loopback", "host", "outside": from where a connection comes through to a listener */
	uint8_t published; /* the engine says so; unknown: it does not answer, or does not tell ports */
	uint8_t rule; /* a rule leads to this container; unknown: not readable */
	struct str rule_text; /* that rule in words */
	struct str rule_place; /* "iptables-nft nat/DOCKER 12" */
	uint64_t rule_packets, rule_bytes;
	struct str forwarder; /* program that listens outside: "docker-proxy" */
	uint64_t forwarder_pid;
	struct str forwarder_command;
	struct addr to_address; /* where rule or proxy send to */
	uint64_t to_port;
	struct addr listen_address; /* of the socket inside that takes it; unknown: none */
	uint64_t pid; /* who holds that socket */
	struct str process;
	uint64_t netns; /* inode of the container's namespace */
	struct str outside; /* target whose namespace is outside */
	uint64_t outside_netns;
	struct str note; /* what is worth knowing and nothing wrong */
	struct str problem;
};
extern const struct row_type net_port_row_type; /* "published" */

enum { NET_PORT_OUTSIDES = 16 };

/* What was read. All lent; NULL: not (yet). */
struct net_port_facts {
	const struct block *targets;
	const struct block *listeners, *places, *holders;
	struct net_port_rules {
		uint64_t netns;
		const struct block *rules; /* nat_row */
	} rules[NET_PORT_OUTSIDES];
	uint32_t n_rules;
	bool whole; /* all targets' namespaces were read: what belongs to none of them is left over */
};

/* --- what to read --- */

/* Namespaces for net_listeners_source from target *at on, which moves on; returns how many. only: this one's and the host's. */
uint32_t net_ports_namespaces(const struct block *targets, const struct target_row *only, uint32_t *at, struct net_namespace *ret, uint32_t cap);

/* Namespaces outside of those that were read: rules are wanted of them, and listeners where there are none yet. */
uint32_t net_ports_outsides(const struct net_port_facts *f, const struct target_row *only, uint64_t ret[NET_PORT_OUTSIDES]);
bool net_ports_was_read(const struct net_port_facts *f, uint64_t netns);
/* The target to open a worker on for a namespace (the host, a container, a bare one); NULL: none. */
const struct target_row *net_ports_target(const struct block *targets, uint64_t netns);

/* The sockets whose holders are wanted, as a file for net_holders_source. -errno. */
int net_ports_inodes(const struct block *listeners);

/* --- joining --- */

/* Rows of one target (NULL: all) in the order of targets. Never NULL. */
struct block *net_ports_join(const struct net_port_facts *f, const struct target_row *only);

/* Is it a row that is seldom wanted: a listener that nobody outside the container reaches, or a datagram socket of a client? */
bool net_ports_is_quiet(const struct net_port_row *row);

/* "loopback" ... as one says it. */
extern const char *const net_exposure_names[NET_EXPOSURE_N];

#endif
