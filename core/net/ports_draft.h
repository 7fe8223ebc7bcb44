/* Parts of ports.h's join: what is known about one port before it is judged. ports_join.c collects, ports_way.c asks who takes packets,
 * ports_judge.c says what is wrong and writes the row. */
#ifndef NSDBG_CORE_NET_PORTS_DRAFT_H
#define NSDBG_CORE_NET_PORTS_DRAFT_H

#include "core/net/forwarder.h"
#include "core/net/port_holders.h"
#include "core/net/listeners.h"
#include "core/net/nat.h"
#include "core/net/ports.h"

struct net_port_draft {
	const struct target_row *owner; /* NULL: nobody has the address */
	enum net_port_kind kind;
	uint8_t published;
	struct text protocol; /* p NULL: any */
	struct addr host; /* ADDR_NONE: not published */
	uint64_t host_port, port; /* ROW_NO_UINT: not published; not known */
	const struct nat_row *rule; /* leads to this container */
	const struct net_listener_row *entry; /* socket outside */
	const struct net_holder_row *by; /* its process */
	const struct net_place_row *at; /* where the way in begins: exposure goes by its addresses */
	bool rootless; /* a program on the host is in front */
	const struct net_listener_row *service; /* the socket inside that is the whole story (NET_PORT_LISTENS) */
};

/* All ports of one network namespace. */
struct net_port_group {
	const struct net_port_facts *f;
	uint64_t netns;
	const struct target_row *primary; /* NULL: for leftovers */
	const struct net_place_row *place, *outside, *host; /* NULL: not read */
	const struct block *rules; /* of outside; NULL: not readable */
	bool no_rules; /* none can lead in: only a program ties the container to the outside */
	bool maybe_forwarded; /* behind a tap, and a program on the host may serve any port of it */
	bool own_stack; /* the host's or a bare one: what listens there is the whole story */
	struct net_port_draft *list;
	uint32_t n, cap;
};

/* --- ports_way.c --- */

const struct net_place_row *net_ports_place(const struct net_port_facts *f, uint64_t netns);
const struct net_holder_row *net_ports_holder(const struct net_port_facts *f, const struct net_listener_row *l); /* NULL: unknown */
bool net_ports_has(const struct net_port_facts *f, const struct net_place_row *place, const struct addr *a);
bool net_ports_protocol(struct text name, enum net_protocol *ret); /* false: its sockets are not read */

/* Does a socket take packets to this address (any: 0.0.0.0, ::, exactly those)? */
bool net_ports_covers(const struct net_listener_row *l, const struct addr *to);
/* The listener of a namespace that takes packets to an address and port; NULL: none. */
const struct net_listener_row *net_ports_listener(const struct net_port_facts *f, uint64_t netns, enum net_protocol protocol, uint64_t port,
	const struct addr *to);

/* Where packets come to in the container; unknown: not known. */
struct addr net_ports_inside(const struct net_port_group *g, const struct net_port_draft *d);

enum net_way { NET_WAY_NONE, NET_WAY_OURS, NET_WAY_RULE /* leads elsewhere */, NET_WAY_PROGRAM /* takes them itself */, NET_WAY_UNKNOWN };
enum net_origin { NET_FROM_LOOPBACK, NET_FROM_HOST, NET_FROM_OUTSIDE, NET_ORIGIN_N };

struct net_port_way {
	enum net_way way;
	const struct nat_row *rule; /* the first that they meet */
	const struct net_listener_row *entry;
	const struct net_holder_row *by;
};
/* What becomes of packets to the published port? False: none come from there. */
bool net_ports_way(const struct net_port_group *g, const struct net_port_draft *d, enum net_origin from, struct net_port_way *ret);

/* Does the rule send to this container, and to this port of it? */
bool net_ports_is_ours(const struct net_port_group *g, const struct net_port_draft *d, const struct nat_row *r);
uint64_t net_ports_to_port(const struct nat_row *r, uint64_t host_port);

/* A service's address that no interface has: a rule takes what is routed to it (kube-proxy's cluster and load balancer addresses). */
bool net_ports_is_virtual(const struct net_port_group *g, const struct net_port_draft *d);

uint32_t net_ports_exposure_of(const struct addr *a); /* by the kind of address alone */
uint32_t net_ports_exposure(const struct net_place_row *at, const struct net_port_facts *f, const struct addr *bound, bool both);

/* --- ports_judge.c --- */

/* Judges and appends a row. */
void net_ports_emit(struct builder *b, const struct net_port_group *g, const struct net_port_draft *d);
/* "iptables-nft nat/DOCKER 12", "tcp to port 8080 goes to 172.17.0.2:80" */
size_t net_ports_rule_place(const struct block *rules, const struct nat_row *r, char *buf, size_t cap);
size_t net_ports_rule_text(const struct block *rules, const struct nat_row *r, char *buf, size_t cap);
size_t net_ports_endpoint(const struct addr *a, uint64_t port, char *buf, size_t cap); /* "[::1]:80", "*:80" */

#endif
