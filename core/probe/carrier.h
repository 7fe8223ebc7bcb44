/*
 * Numbered packets of a chosen size and TTL, and what comes back for each: for trace and path MTU. By UDP to ports where nobody
 * listens, by ICMP echo, or by SYNs; the number is the port, the sequence number, or the socket.
 */
#ifndef NSDBG_CORE_PROBE_CARRIER_H
#define NSDBG_CORE_PROBE_CARRIER_H

#include "core/probe/run.h"

enum carrier_kind { CARRIER_UDP, CARRIER_ICMP, CARRIER_TCP };
enum { CARRIER_FLIGHTS = 32, CARRIER_PORT = 33434, CARRIER_PORTS = 512 };

struct carrier {
	enum carrier_kind kind;
	int fd; /* UDP: ours; ICMP: the run's */
	uint16_t next; /* number of the next packet */
	int syns[CARRIER_FLIGHTS]; /* TCP: one socket a packet; -1 free */
	uint16_t syn_keys[CARRIER_FLIGHTS];
};

enum carrier_what { CARRIER_ARRIVED, CARRIER_EXCEEDED, CARRIER_UNREACHABLE, CARRIER_TOO_BIG };

struct carrier_news {
	enum carrier_what what;
	uint16_t key;
	struct addr from;
	int code; /* of an error */
	uint8_t type, icmp_code;
	uint32_t mtu; /* TOO_BIG */
	const char *says; /* "time exceeded", "echo reply" */
};

/* 0 or -errno. dont_fragment: DF whatever the kernel knows of the path. */
int carrier_open(struct probe_run *run, enum carrier_kind kind, bool dont_fragment, struct carrier *ret);
void carrier_close(struct carrier *c);

/* Sends one packet of `size` bytes with its IP header (0: small); ttl 0: the usual. 0 with *ret_key, or -errno. */
int carrier_send(struct probe_run *run, struct carrier *c, int ttl, size_t size, uint16_t *ret_key);
/* Waits: 1 news may be there, 0 late, -EPIPE, -ESRCH. */
int carrier_wait(struct probe_run *run, struct carrier *c, uint64_t deadline_us);
bool carrier_next(struct probe_run *run, struct carrier *c, struct carrier_news *ret);

#endif
