/*
 * What the kernel would do with a packet: route, neighbour and link of one destination, asked over rtnetlink inside the target's
 * namespace. rtnetlink(7); RTM_GETNEIGH of one entry needs Linux 5.0.
 */
#ifndef NSDBG_CORE_PROBE_ROUTE_H
#define NSDBG_CORE_PROBE_ROUTE_H

#include "core/addr.h"

struct route {
	bool asked; /* the rest is known */
	int code; /* positive errno: there is no way (ENETUNREACH, EHOSTUNREACH, EACCES, EINVAL) */
	uint8_t type; /* RTN_* */
	uint32_t ifindex;
	struct addr gateway; /* ADDR_NONE: on link */
	struct addr source;
	char interface[16]; /* "" unknown */
	uint32_t mtu; /* of the interface; 0 unknown */
	bool up;
	bool neighbour_asked;
	uint16_t neighbour; /* NUD_*, of the gateway or the destination; 0: no entry */
};

/* Opens the socket; with privilege or not. -errno. */
int route_open(void);

/* Asks the way to `to`. What cannot be found out stays unknown; never fails. fd -1: nothing is asked. */
void route_ask(int fd, const struct addr *to, struct route *ret);

/* Is this one of our own addresses (a local route, RTN_LOCAL)? */
bool route_is_own(int fd, const struct addr *a);

/* Index of an interface; 0: no such one. */
uint32_t route_index(int fd, const char *interface);
/* Its name into buf ("" unknown). */
void route_interface(int fd, uint32_t index, char buf[16], uint32_t *ret_mtu, bool *ret_up);

/* "via 10.0.0.1 dev eth0 src 10.0.0.2", "unreachable", "none". */
void route_text(const struct route *r, char *buf, unsigned cap);
/* "FAILED", "REACHABLE" ...; NULL: no entry or not asked. */
const char *route_neighbour_name(const struct route *r);

#endif
