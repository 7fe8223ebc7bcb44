/*
 * Probes from inside a network namespace: one worker a destination tries it again and again and sends one row a try. Everything an
 * attempt can tell is in that row: the verdict in words, the evidence for it, times and loss so far, hops, certificates.
 * Sources: connect(2), ip(7), ipv6(7), icmp(7), udp(7) (IP_RECVERR, MSG_ERRQUEUE), tcp(7) (TCP_INFO), RFC 792, 4443, 1191, 8201.
 */
#ifndef NSDBG_CORE_SOURCE_PROBE_H
#define NSDBG_CORE_SOURCE_PROBE_H

#include "core/dns/ask.h"
#include "core/source.h"

enum probe_kind { PROBE_TCP, PROBE_UDP, PROBE_PING, PROBE_TRACE, PROBE_MTU, PROBE_HTTP, PROBE_KIND_N };
extern const char *const probe_kind_names[PROBE_KIND_N]; /* "tcp" ... as on the command line */

enum probe_how { PROBE_LITERAL, PROBE_CONTAINER, PROBE_HOSTS, PROBE_DNS, PROBE_HOW_N }; /* where the address came from */

enum { /* probe_params.flags */
	PROBE_RESOLVE = 1 << 0, /* address unknown: PROBE_OP_GO brings a dns_request */
	PROBE_INSECURE = 1 << 1, /* go on when the certificate does not hold (-k) */
	PROBE_TLS = 1 << 2, /* https */
	PROBE_BY_ICMP = 1 << 3, /* trace: echo requests; default UDP */
	PROBE_BY_TCP = 1 << 4, /* trace: SYNs to `port` */
};

enum { PROBE_MAX_HOPS = 64, PROBE_MAX_SEND = 512, PROBE_MAX_SIZE = 65507 };

/* What to try. Given when the worker is opened; it starts with PROBE_OP_GO. */
struct probe_params {
	uint32_t kind; /* enum probe_kind */
	uint32_t flags; /* PROBE_* */
	struct addr address; /* unless PROBE_RESOLVE */
	uint32_t how; /* enum probe_how */
	uint16_t port;
	uint16_t max_hops; /* 0: 30 */
	uint32_t interval_ms; /* from start to start of tries; 0: 1000 */
	uint32_t timeout_ms; /* a try; 0: 5000 */
	uint32_t count; /* tries; 0: until the channel closes */
	uint32_t size; /* payload bytes of ping and udp; 0: 56 for ping, what `send` has for udp */
	uint32_t n_send;
	unsigned char send[PROBE_MAX_SEND]; /* tcp, udp: bytes to send, an answer is waited for */
	char name[256]; /* host as typed: certificates are checked against it */
	char zone[16]; /* interface of a link-local address */
	char url[2048]; /* http: what to get */
	char label[300]; /* destination as shown: "db:5432" */
};

enum {
	PROBE_OP_GO = 16, /* no params, or struct dns_request; a descriptor is a file of CA certificates (PEM) */
	PROBE_OP_RESET, /* forget the statistics */
	PROBE_OP_NOW, /* do not wait for the interval */
};

enum probe_verdict {
	PROBE_OPEN, /* connected */
	PROBE_ANSWERED, /* datagram, echo or page came back */
	PROBE_REACHED, /* trace */
	PROBE_MTU_FOUND,
	PROBE_REFUSED, /* RST, or port unreachable for UDP: nobody listens */
	PROBE_REJECTED, /* a firewall on the way or at the destination said no */
	PROBE_OWN_FIREWALL, /* our side's own output rules */
	PROBE_CLOSED_AT_ONCE, /* accepted, then closed: a proxy without its back end */
	PROBE_HUNG, /* accepted, then silence */
	PROBE_TIMEOUT, /* no answer at all to a SYN or echo */
	PROBE_SILENT, /* UDP: says nothing */
	PROBE_NO_NEIGHBOUR,
	PROBE_UNREACHABLE, /* a router says so */
	PROBE_NO_ROUTE,
	PROBE_ROUTE_UNREACHABLE, /* a route of type unreachable */
	PROBE_ROUTE_PROHIBIT,
	PROBE_ROUTE_BLACKHOLE,
	PROBE_NOT_PERMITTED, /* cgroup BPF or a security module */
	PROBE_NO_LOCAL_PORT, /* ephemeral ports used up */
	PROBE_NO_LOCAL_ADDRESS,
	PROBE_TOO_BIG,
	PROBE_MTU_BLACK_HOLE, /* big packets vanish and nobody says so */
	PROBE_NOT_REACHED, /* trace */
	PROBE_BAD_CERTIFICATE,
	PROBE_TLS_FAILED,
	PROBE_HTTP_ERROR, /* status 400 or more */
	PROBE_BROKEN_REPLY, /* reset or nonsense in the middle */
	PROBE_NO_NAME, /* NXDOMAIN, or not a name at all */
	PROBE_NO_ADDRESS, /* the name exists without addresses of the family asked for */
	PROBE_DNS_FAILED, /* a name server answers, but with an error; or cannot be reached */
	PROBE_DNS_TIMEOUT, /* no name server answered in time */
	PROBE_OWN_LIMITS, /* the prober's own descriptors or memory */
	PROBE_PAUSED, /* tcp: accepted by the kernel of a container whose processes are frozen; set by the front */
	PROBE_FAILED, /* any other errno */
	PROBE_VERDICT_N,
};
extern const char *const probe_verdict_names[PROBE_VERDICT_N]; /* "open", "refused", "own-firewall" ...: a contract */

enum probe_outcome { PROBE_NO, PROBE_YES, PROBE_LATE, PROBE_OUTCOME_N }; /* the answer is no, works, no answer */
enum probe_outcome probe_outcome(uint32_t verdict);

/* One hop of a trace. */
struct hop_row {
	struct row_head head;
	uint64_t hop; /* 1-based */
	struct addr address; /* ADDR_NONE: silent */
	struct str name; /* container or network that has it; filled by the front */
	uint64_t sent, received;
	double loss; /* percent */
	uint64_t last_us, min_us, avg_us, max_us, jitter_us;
	struct str says; /* "time exceeded", "port unreachable", "echo reply", "SYN-ACK" */
};
extern const struct row_type hop_row_type; /* "hops" */

/* One certificate of the chain, leaf first. */
struct certificate_row {
	struct row_head head;
	struct str subject, issuer; /* RFC 2253-like text */
	struct str names; /* list: subject alternative names */
	int64_t not_before, not_after;
};
extern const struct row_type certificate_row_type; /* "certificates" */

/* One destination after its latest try. Statistics count all tries since the start or reset. */
struct probe_row {
	struct row_head head; /* id: kind and destination */
	struct str destination; /* as typed */
	uint32_t kind; /* enum probe_kind */
	struct addr address;
	uint64_t port;
	struct str target; /* container that has the address; filled by the front */
	uint32_t how; /* enum probe_how */
	uint64_t resolve_us;
	uint32_t verdict; /* enum probe_verdict */
	uint8_t works; /* of the latest try; unknown: silence proves nothing */
	struct str meaning; /* one sentence */
	struct str evidence; /* list */
	struct str error; /* "ECONNREFUSED" */
	int64_t at; /* of the latest try */
	uint64_t time_us; /* of the latest try; unknown: no answer */
	uint64_t ttl; /* of the latest answer */
	uint64_t sent, received;
	double loss; /* percent */
	uint64_t min_us, avg_us, p50_us, p95_us, p99_us, max_us, jitter_us;
	struct addr source; /* our address */
	struct addr gateway; /* ADDR_NONE: on link */
	struct str interface;
	uint64_t interface_mtu;
	uint64_t path_mtu; /* found by search */
	uint64_t kernel_mtu; /* what the kernel believes */
	struct rows hops; /* hop_row */
	/* http */
	uint64_t status;
	struct str url, protocol, server, content_type, location;
	uint64_t bytes;
	uint64_t connect_us, tls_us, first_byte_us, total_us; /* each phase alone, but the total */
	struct str tls_version, tls_cipher;
	uint8_t tls_verified;
	struct str tls_problem;
	struct rows certificates; /* certificate_row */
};
extern const struct row_type probe_row_type; /* "probe" */
struct probe_row *probe_row_blank(struct builder *b); /* everything unknown */

extern const struct source probe_source; /* serve(): a block of one probe_row each try; the worker ends after `count` */

#endif
