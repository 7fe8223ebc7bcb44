/* One destination under way: what the worker opened while it had the right to, what is known so far, and the kinds of attempts. */
#ifndef NSDBG_CORE_PROBE_RUN_H
#define NSDBG_CORE_PROBE_RUN_H

#include "core/dns/exchange.h"
#include "core/probe/route.h"
#include "core/probe/stats.h"
#include "core/source/probe.h"

struct http_result;

/* Opened with privilege; -1: not allowed or no such family. */
struct probe_sockets {
	int echo4, echo6; /* raw or unprivileged ICMP */
	bool raw4, raw6; /* ... raw: with the IP header in front (v4), our own id */
	int tcp4, tcp6; /* raw TCP, RST only: shows where a refusal came from; sends a SYN by hand to see whether we may */
	int route;
	uint32_t port_from, port_to; /* net.ipv4.ip_local_port_range; 0 unknown */
};

/* What an attempt saw. Zeroed before each. */
struct probe_facts {
	int code; /* positive errno; 0: it worked; ETIMEDOUT: nothing came within the time */
	uint64_t time_us; /* from start to answer or error */
	bool answered; /* time_us is that of an answer: counts as received */
	uint32_t verdict; /* set by attempts that know better than errno says; PROBE_VERDICT_N: verdict.c decides */
	struct {
		bool seen;
		uint8_t type, code;
		struct addr from;
		bool own; /* `from` is an address of ours */
		uint32_t mtu;
	} icmp;
	struct {
		bool seen, own;
		uint8_t ttl;
		char interface[16];
	} rst; /* tcp */
	uint32_t syns; /* SYNs sent, retransmitted ones counted */
	int syn_code; /* a SYN sent by hand after the silence: EPERM */
	bool port_known; /* udp: the payload asks what this port's usual protocol answers */
	int closed; /* tcp: after connecting, 0 nothing, 1 end of file, else errno */
	uint64_t received; /* bytes */
	uint32_t unacked; /* segments of ours that nobody confirmed */
	bool disordered; /* later bytes came, earlier ones did not */
	struct addr source;
	uint8_t ttl; /* of the answer; 0 unknown */
	struct route route;
	bool dest_own; /* the destination is an address of ours */
	char detail[256]; /* further evidence in words, "" none */
	char detail2[256];
	uint32_t path_mtu, kernel_mtu; /* 0 unknown */
};

struct trace_hop {
	struct addr address;
	struct stats stats; /* big: one in a hop of a trace only */
	char says[48];
};

struct probe_run {
	const struct probe_params *p;
	struct dns_watch watch;
	struct probe_sockets s;
	struct addr to;
	uint32_t how;
	uint16_t echo_id, echo_seq;
	uint64_t seq; /* tries so far */
	uint64_t resolve_us;
	struct stats stats;
	char zone[16]; /* interface index in digits */
	struct trace_hop *hops; /* PROBE_MAX_HOPS, trace only */
	unsigned n_hops;
	bool reached;
	struct http_result *http; /* http only */
	char *ca; /* PEM; NULL: the host's */
	size_t n_ca;
};

/* Each kind: 0, or -EPIPE, -ESRCH when nobody waits any more. What was seen goes into *f. */
int probe_tcp(struct probe_run *run, struct probe_facts *f);
int probe_udp(struct probe_run *run, struct probe_facts *f);
int probe_ping(struct probe_run *run, struct probe_facts *f);
int probe_trace(struct probe_run *run, struct probe_facts *f);
int probe_mtu(struct probe_run *run, struct probe_facts *f);
int probe_http(struct probe_run *run, struct probe_facts *f);

/* connect.c: connects and leaves the socket in *ret_fd (-1 when it failed, f->code says why). */
int connect_open(struct probe_run *run, struct probe_facts *f, uint64_t deadline_us, int *ret_fd);
/* TCP_INFO after the handshake: what was sent and not confirmed, what came out of order. */
void connect_info(int fd, struct probe_facts *f);

/* verdict.c: turns facts into the row's verdict, sentence and evidence. */
struct builder;
void verdict_fill(const struct probe_run *run, const struct probe_facts *f, struct builder *b, struct probe_row *row);
uint32_t verdict_of(const struct probe_run *run, const struct probe_facts *f);

#endif
