/*
 * Sockets of one network namespace: TCP, UDP, UDP-Lite, raw, ICMP, unix. Read by sock_diag(7) (one dump each; no newline can forge a
 * row) with /proc/PID/net as the fallback and for ICMP. Owners come from another worker (owners_source), since looking into
 * /proc/PID/fd needs capabilities and reading sockets does not; sockets_join puts both together.
 */
#ifndef NSDBG_CORE_SOURCE_SOCKETS_H
#define NSDBG_CORE_SOURCE_SOCKETS_H

#include "core/block.h"
#include "core/source.h"

enum sock_protocol {
	SOCK_PROTO_TCP,
	SOCK_PROTO_UDP,
	SOCK_PROTO_UDPLITE,
	SOCK_PROTO_RAW,
	SOCK_PROTO_ICMP,
	SOCK_PROTO_UNIX,
	SOCK_PROTO_N,
};

/* Names as ss(8) prints them: ESTAB, SYN-SENT, ... UNCONN. */
enum sock_state {
	SOCK_STATE_ESTAB,
	SOCK_STATE_SYN_SENT,
	SOCK_STATE_SYN_RECV,
	SOCK_STATE_FIN_WAIT_1,
	SOCK_STATE_FIN_WAIT_2,
	SOCK_STATE_TIME_WAIT,
	SOCK_STATE_UNCONN,
	SOCK_STATE_CLOSE_WAIT,
	SOCK_STATE_LAST_ACK,
	SOCK_STATE_LISTEN,
	SOCK_STATE_CLOSING,
	SOCK_STATE_N,
};

struct owner_row {
	struct row_head head;
	uint64_t inode;
	uint64_t pid;
	uint64_t fd;
	uint8_t guest; /* its process lives in another network namespace (dockerd's resolver, a debugger) */
	struct str process; /* command name */
};
extern const struct row_type owner_row_type;

struct sock_row {
	struct row_head head; /* id: of the kernel's socket cookie, else of protocol, addresses, inode */
	uint32_t protocol; /* enum sock_protocol */
	uint32_t family; /* 4, 6; unix: ROW_NO_ENUM */
	uint32_t state; /* enum sock_state */
	struct addr local_address; /* unix: unknown */
	uint64_t local_port; /* raw: the IP protocol number, as ss shows */
	struct addr remote_address;
	uint64_t remote_port;
	uint64_t recv_queue; /* bytes; LISTEN: connections waiting to be accepted */
	uint64_t send_queue; /* bytes; LISTEN: backlog limit */
	uint64_t uid; /* TIME-WAIT and the like: unknown */
	uint64_t inode; /* 0 becomes unknown */
	uint64_t pid; /* first owner */
	struct str process;
	struct rows owners; /* owner_row, all of them */
	struct str path; /* unix: path or @abstract */
	struct str type; /* unix: stream, dgram, seqpacket */
	uint64_t peer_inode; /* unix */
	struct str peer; /* container that has remote_address */
	uint64_t retransmits; /* of the oldest unacknowledged segment */
	uint64_t timer_ms; /* until the pending timer fires */
	struct str interface; /* bound device */
};
extern const struct row_type sock_row_type; /* "ss" */

extern const struct source sockets_source; /* sample(): sock_row without owners; SOURCE_ENTER_NET, CAGE_NETLINK, no capabilities */
extern const struct source owners_source; /* sample(): owner_row; CAGE_SCAN, CAP_SYS_PTRACE + CAP_DAC_READ_SEARCH */

/*
 * Params of owners_source: several workers walk a share of the processes each, on a processor each; every process belongs to one
 * share. Without them: all of it.
 */
struct owners_params {
	uint32_t share, shares; /* share < shares */
};

/* Op of owners_source: also look at processes outside the namespace for inodes still unknown; params: uint64_t inodes[], <= 500.
 * The inodes of all requests stay wanted; processes inside are walked anew too. Answered by a full sample with the request's tag. */
enum { OWNERS_OP_SEARCH = 16 };

/* The walk without its worker: `proc` is lent; netns 0: every process counts as inside. */
struct owners_scan;
struct owners_scan *owners_scan_new(int proc, uint64_t netns);
void owners_scan_share(struct owners_scan *s, const struct owners_params *p);
void owners_scan_free(struct owners_scan *s); /* NULL is fine */
void owners_scan_search(struct owners_scan *s, const uint64_t *inodes, size_t n);
int owners_scan_read(struct owners_scan *s, struct builder *b, struct err *err);

/* Rows with pid, process, owners and peer filled from owners (may be NULL), targets (target_row; may be NULL). Never NULL. */
struct block *sockets_join(const struct block *sockets, const struct block *owners, const struct block *targets);
/* The same with the blocks of n shares, some of which may be NULL. */
struct block *sockets_join_shares(const struct block *sockets, const struct block *const *owners, unsigned n,
	const struct block *targets);

#endif
