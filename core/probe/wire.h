/* What all probes share: time, waiting without missing the end, socket addresses, and what the kernel's error queue says. */
#ifndef NSDBG_CORE_PROBE_WIRE_H
#define NSDBG_CORE_PROBE_WIRE_H

#include "core/addr.h"

#include <sys/socket.h>

struct dns_watch;

/* Room for an address and its length. */
struct wire_name {
	struct sockaddr_storage ss;
	socklen_t n;
};

/* An ICMP error, or a local one, from the error queue (ip(7), IP_RECVERR). */
struct wire_error {
	int code; /* positive errno */
	bool icmp; /* by a packet from outside; false: our own kernel found it */
	uint8_t type, icmp_code; /* RFC 792, RFC 4443 */
	uint32_t info; /* EMSGSIZE: the MTU */
	struct addr from; /* who said so; ADDR_NONE: unknown */
	uint16_t port; /* destination port of the packet that caused it (UDP) */
	uint16_t id, seq; /* of the echo request that caused it, when `echo` */
	bool echo;
};

uint64_t wire_now_us(void); /* CLOCK_MONOTONIC */

struct wire_name wire_name(const struct addr *a, uint16_t port, const char *zone_index_name);
struct addr wire_addr(const struct sockaddr_storage *ss, uint16_t *ret_port); /* port may be NULL */
static inline int wire_family(const struct addr *a)
{
	return a->kind == ADDR_IP6 ? AF_INET6 : AF_INET;
}

/* A socket that reports ICMP errors. -errno. */
int wire_socket(int family, int type, int protocol);
/* Sets RECVERR and the receipt of the TTL on a socket that is there already. */
void wire_report_errors(int fd, int family);
int wire_set_ttl(int fd, int family, int ttl);
/* DF on every packet, whatever the kernel believes about the path (IP_PMTUDISC_PROBE). */
int wire_set_probe_mtu(int fd, int family);

/* Waits for `events` on fd until deadline. 1: something; 0: late; -EPIPE: nobody waits for us; -ESRCH: the target ended. */
int wire_wait(int fd, short events, uint64_t deadline_us, const struct dns_watch *watch);

/* Next entry of the error queue; false: empty. */
bool wire_next_error(int fd, struct wire_error *ret);
/* The echo request quoted in an error: bytes of the ICMP header. False: not one. */
bool wire_parse_echo(const uint8_t *bytes, size_t n, struct wire_error *ret);

/* "host unreachable", "communication prohibited" ...; never NULL. v6 by `kind`. */
const char *wire_icmp_name(uint8_t addr_kind, uint8_t type, uint8_t code);
/* Names of errnos that probes meet: "ECONNREFUSED"; else a number in buf. */
const char *wire_errno_name(int code, char buf[16]);

#endif
