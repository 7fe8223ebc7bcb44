/*
 * DNS seen on the wire: the questions of a network namespace paired with their answers, live. The caged worker takes the packets apart,
 * puts TCP streams together, pairs, groups by search list and judges; the front reads typed rows. Ports: 53, and anything to or from
 * Docker's 127.0.0.11, whose questions are redirected (iptables, OUTPUT) before a capture sees them. RFC 1035, 6891, 7766.
 */
#ifndef NSDBG_CAPTURE_DNSWATCH_H
#define NSDBG_CAPTURE_DNSWATCH_H

#include "core/block.h"
#include "core/source.h"

enum dnswatch_state {
	DNSWATCH_WAITING, /* no answer yet, and still time for one */
	DNSWATCH_ANSWERED,
	DNSWATCH_LATE, /* the answer came when nobody waited any more */
	DNSWATCH_UNANSWERED,
	DNSWATCH_UNREACHABLE, /* ICMP said so, or TCP was refused */
	DNSWATCH_STATE_N,
};

/* One question and what came of it; asked again with the same id and port, it is the same row. JSON names are a contract ("dnswire"). */
struct dnswatch_question {
	struct row_head head; /* id = number */
	uint64_t number; /* 1-based, in order of the first question */
	int64_t time; /* of the first question */
	struct str name; /* with the final dot */
	struct str type; /* "AAAA" */
	struct addr server;
	uint64_t server_port; /* unknown until Docker's resolver answers: its port is redirected */
	uint32_t transport; /* 0 udp, 1 tcp */
	uint32_t state; /* enum dnswatch_state */
	uint64_t time_us; /* from the first question to the answer */
	struct str rcode; /* "NOERROR"; no reply: unknown */
	struct str answers; /* list: "172.18.0.3", "CNAME www.example." */
	uint64_t n_answers; /* records in the answer section, shown or not */
	uint64_t ttl; /* lowest, seconds */
	uint64_t size; /* bytes of the reply */
	struct str flags; /* "qr rd ra" */
	uint64_t retries; /* questions repeated with the same id and port */
	uint64_t gap_us; /* from the question to its first repetition */
	uint64_t repeats; /* number of the earlier row that this one asks again with another id or port */
	uint8_t forwarded; /* asked by the engine's resolver on the way, not by a program */
	struct addr client;
	uint64_t client_port;
	uint64_t inode; /* of the asking socket, when it was still open */
	uint64_t uid;
	uint64_t pid;
	struct str process;
	uint64_t search; /* number of its dnswatch_search row */
	struct str wanted; /* the name before the search list was added */
	struct str note; /* what is odd, in words */
	struct str target; /* container that has the answer's address; filled by the front */
	uint64_t settled; /* in which order it came to its end, 0 not yet: what `since` counts by; not a field */
};
extern const struct row_type dnswatch_question_type; /* "dnswire" */

/* Everything about one name. */
struct dnswatch_name {
	struct row_head head;
	struct str name;
	struct str types; /* list */
	uint64_t count; /* questions, those of the engine's resolver left out */
	uint64_t p50_us, p95_us, max_us; /* of the newest 128 answers */
	uint64_t noerror, nxdomain, failed; /* failed: SERVFAIL, REFUSED and the like */
	uint64_t unanswered; /* with unreachable and late */
	uint64_t retries;
	int64_t last;
};
extern const struct row_type dnswatch_name_type; /* "dnsnames" */

/* One wanted name and the questions that the search list made of it. */
struct dnswatch_search {
	struct row_head head;
	uint64_t number;
	int64_t time;
	struct str wanted; /* as the program gave it, as far as the wire can tell */
	struct str tried; /* list: "db.a.example. NXDOMAIN" */
	uint64_t questions;
	uint64_t nxdomain; /* of them, for a name that the search list made */
	uint64_t time_us; /* from the first question to the last answer */
	struct str found; /* the name that exists; unknown: none (yet) */
	struct addr client;
	struct str process;
};
extern const struct row_type dnswatch_search_type; /* "dnssearch" */

/* What is wrong, with the evidence. */
struct dnswatch_finding {
	struct row_head head;
	struct str finding; /* "five-seconds", "ndots", "dead-aaaa", "stale-address", "truncated", "unreachable", "failing", "late" */
	struct str text; /* one sentence */
	struct str evidence; /* list of sentences */
	struct str remedy;
	uint64_t count; /* how often */
	uint64_t total; /* of how many */
	struct str name; /* an example */
	struct addr server;
};
extern const struct row_type dnswatch_finding_type; /* "dnsfindings" */

/* How the watch stands: on change, at most five times a second; one row. */
struct dnswatch_row {
	struct row_head head;
	uint8_t running;
	uint64_t asked; /* questions, repeated ones once; the engine's resolver's left out, as in all counts down to waiting */
	uint64_t answered, late, unanswered, unreachable, nxdomain, failed, retried, waiting;
	uint64_t forwarded; /* of the engine's resolver */
	double rate; /* questions a second, of the last 10 s */
	uint64_t p50_us, p95_us, max_us; /* of the last 60 s */
	uint64_t settled; /* rows with an end so far: DNSWATCH_OP_QUESTIONS counts by it */
	uint64_t missed; /* left the table before they were fetched, or before they had an end: more than DNSWATCH_KEPT waited */
	uint64_t packets, dropped, malformed;
	int64_t started_at;
	struct str note;
};
extern const struct row_type dnswatch_row_type; /* "dnswatch" */

/* "Who holds this?", unasked: the front looks and says so with DNSWATCH_OP_OWNERS, since that takes rights. */
struct dnswatch_socket {
	struct row_head head;
	uint64_t inode;
};
extern const struct row_type dnswatch_socket_type;

enum { DNSWATCH_MAX_SEARCH = 8, DNSWATCH_KEPT = 4096, DNSWATCH_NAMES = 1024, DNSWATCH_SEARCHES = 1024, DNSWATCH_PROCESS = 32 };

/* Params of MSG_OPEN and of DNSWATCH_OP_SETUP: what the container's resolv.conf says. */
struct dnswatch_params {
	char search[DNSWATCH_MAX_SEARCH][256];
	uint32_t n_search;
	uint32_t timeout_ms; /* a try; 0: 5000 */
	uint32_t attempts; /* 0: 2 */
	uint16_t port; /* watched besides 53; 0 none */
};

enum dnswatch_op {
	DNSWATCH_OP_QUESTIONS = 16, /* struct dnswatch_fetch -> block of dnswatch_question */
	DNSWATCH_OP_NAMES, /* -> block of dnswatch_name */
	DNSWATCH_OP_SEARCHES, /* -> block of dnswatch_search */
	DNSWATCH_OP_FINDINGS, /* -> block of dnswatch_finding */
	DNSWATCH_OP_SETUP, /* struct dnswatch_params; no answer */
	DNSWATCH_OP_OWNERS, /* struct dnswatch_owner[]; no answer */
	DNSWATCH_OP_STOP, /* takes what the ring holds, then nothing more -> dnswatch_row */
	DNSWATCH_OP_START, /* goes on -> dnswatch_row */
	DNSWATCH_OP_CLEAR, /* forgets everything -> dnswatch_row */
};

/* all: the whole table, newest first. Else the rows that came to their end after the `since`th, in that order (a late answer makes a row
 * come again), held back for half a second as long as the owner of a socket is being looked for, unless `now`. */
struct dnswatch_fetch {
	uint64_t since;
	uint32_t all;
	uint32_t now;
};

struct dnswatch_owner {
	uint64_t inode;
	uint64_t pid;
	char process[DNSWATCH_PROCESS];
};
enum { DNSWATCH_OWNERS = MSG_PARAMS / sizeof(struct dnswatch_owner) };

extern const struct source dnswatch_source; /* serve(); SOURCE_ENTER_NET, CAGE_CAPTURE */

/* --- for fronts --- */

/* Owners of these sockets, out of a sample of owners_source; returns how many were found. The first holder inside counts. */
unsigned dnswatch_owners_find(const struct block *owners, const uint64_t *inodes, unsigned n, struct dnswatch_owner ret[DNSWATCH_OWNERS]);

/* The rows with `target` filled in, by the addresses of the answers. Never NULL. targets: target_row, may be NULL. */
struct block *dnswatch_name_targets(const struct block *questions, const struct block *targets);

/* Answers that point to an address of an engine's network which no running container has. own: the target that is watched, NULL: any
 * network counts. Looks at rows after the `since`th by number and goes on counting in *state, which starts zeroed. */
struct dnswatch_stale {
	uint64_t seen; /* address answers looked at */
	uint64_t count;
	char name[256]; /* of the first */
	char address[64];
	char network[128];
	uint64_t number;
};
struct target_row;
void dnswatch_stale_count(struct dnswatch_stale *state, const struct block *questions, const struct block *targets,
	const struct block *networks, const struct target_row *own, uint64_t since);
/* The worker's findings and that one, gravest first. Never NULL; findings may be NULL. */
struct block *dnswatch_findings_join(const struct block *findings, const struct dnswatch_stale *stale);

#endif
