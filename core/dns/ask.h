/*
 * DNS questions asked from inside a network namespace by one caged worker. Own wire codec (RFC 1035, 3596, 2782, 6891); random id and
 * port a query, connected sockets, replies checked (id, question, QR), truncation repeated over TCP, one total deadline.
 * Names are tried the way the container's libc would: hosts file, then the search list by ndots (resolv.conf(5)).
 */
#ifndef NSDBG_CORE_DNS_ASK_H
#define NSDBG_CORE_DNS_ASK_H

#include "core/block.h"
#include "core/source.h"

enum { DNS_NAME_TEXT = 1025, DNS_MAX_SERVERS = 4, DNS_MAX_SEARCH = 8 };

enum { /* dns_request.flags */
	DNS_TCP = 1 << 0, /* TCP from the start */
	DNS_NO_SEARCH = 1 << 1, /* the name as it is */
	DNS_NO_RECURSE = 1 << 2,
	DNS_NO_HOSTS = 1 << 3,
	DNS_EDNS = 1 << 4, /* options edns0 */
	/* the rest matters to DNS_LIBC_GLIBC only: options of the same names in resolv.conf(5) */
	DNS_ROTATE = 1 << 16,
	DNS_SINGLE_REQUEST = 1 << 17,
	DNS_SINGLE_REOPEN = 1 << 18,
	DNS_TRUST_AD = 1 << 19,
	DNS_NO_AAAA = 1 << 20,
	DNS_NO_TLD_QUERY = 1 << 21,
	DNS_STRICT_ERROR = 1 << 22,
};

/* Whose way of asking is replayed, packet by packet. */
enum dns_libc {
	DNS_LIBC_NONE, /* nobody's: each question on a socket of its own, what is missing asked again */
	DNS_LIBC_GLIBC,
	DNS_LIBC_MUSL,
	DNS_LIBC_N,
};
extern const char *const dns_libc_names[DNS_LIBC_N]; /* "", "glibc", "musl" */

struct dns_watch; /* core/dns/exchange.h */

/* What to ask. Fixed size; goes as request params of dns_source with op DNS_OP_ASK. */
struct dns_request {
	char name[DNS_NAME_TEXT]; /* presentation form, "db", "db.example.", PTR: address or name */
	char search[DNS_MAX_SEARCH][256];
	struct addr servers[DNS_MAX_SERVERS];
	uint16_t n_search;
	uint16_t n_servers;
	uint16_t types[4]; /* RR types, RFC 1035 3.2.2; up to 4, 0 ends */
	uint16_t port; /* 0: 53 */
	uint16_t ndots;
	uint16_t timeout_ms; /* a try */
	uint16_t attempts;
	uint32_t deadline_ms; /* all together */
	uint32_t flags; /* DNS_* */
	char zones[DNS_MAX_SERVERS][16]; /* interface of a link-local server ("eth0"), "" none */
	uint32_t libc; /* enum dns_libc */
	uint32_t libc_version; /* 1002003 for 1.2.3; 0: not known, a recent one */
};
enum { DNS_OP_ASK = 16 };

enum dns_section { DNS_SECTION_QUESTION, DNS_SECTION_ANSWER, DNS_SECTION_AUTHORITY, DNS_SECTION_ADDITIONAL, DNS_SECTION_STEP,
	DNS_SECTION_N };

/* One record, or one step on the way (section "step": a candidate name that was asked or a file that was read). A name that exists
 * without such records, NXDOMAIN, or no reply gives one row with data unknown and rcode "NOERROR", "NXDOMAIN", "timeout" ... */
struct dns_row {
	struct row_head head;
	struct str name; /* owner name, presentation form with final dot */
	struct str type; /* "A" */
	uint64_t ttl;
	struct str data; /* presentation form: "172.18.0.3", "10 mail.example.", "\"v=spf1\"" */
	struct str server; /* "127.0.0.11", "/etc/hosts" */
	struct str rcode; /* "NOERROR"; "timeout", "refused by 127.0.0.11:53", "malformed" when there was no valid reply */
	uint64_t time_us; /* from question to reply */
	uint32_t section; /* enum dns_section */
	struct str flags; /* "qr rd ra" */
	struct str transport; /* "udp", "tcp" */
	uint64_t size; /* bytes of the reply */
	struct addr address; /* of A and AAAA data, for naming it */
	struct str target; /* container that has this address; filled by the front */
	struct str asked; /* of many names: the one that this is about, as it was given */
	uint64_t position; /* its place among them, from 1 */
};
extern const struct row_type dns_row_type; /* "dns" */

extern const struct source dns_source; /* serve(): one block of dns_row for each DNS_OP_ASK, same tag; CAGE_DNS */

/* What dns_source does with one request, for callers without a worker. Rows go into `b` (of dns_row); `watch` may be NULL.
 * 0; -EINVAL or -ENAMETOOLONG: not a name (err says why); -EPIPE, -ESRCH: the watch ended it. No reply is a row, not an error. */
int dns_ask_run(const struct dns_request *request, const struct dns_watch *watch, struct builder *b, struct err *err);

/* Clears *ret (so call it first), then fills servers, search, ndots, timeout, attempts, deadline and the flags that "options" set, from
 * a container's files (file_row block, may be NULL: defaults of resolv.conf(5), server 127.0.0.1). */
void dns_request_from_files(const struct block *files, struct dns_request *ret);
/* For resolv.c and nss.c: line `i` of the files block, NULL when the target does not use it; and a copy of text that fits (false: too
 * long, or with a NUL in it). */
struct file_row;
const struct file_row *dns_file_row(const struct block *files, uint32_t i);
bool dns_copy_text(struct text t, char *ret, size_t cap);
/* The same for a libc of the caller's choice; DNS_LIBC_NONE: the one that the files block tells, glibc when it does not know. */
void dns_request_as(const struct block *files, enum dns_libc libc, struct dns_request *ret);

/* The answer when libc asks no DNS for it (a literal address, /etc/hosts, an nsswitch.conf that ends there), else NULL. */
struct block *dns_answer_from_files(const struct block *files, const struct dns_request *request);

/* Around what DNS answered (reference taken): steps for the services before it, rows of /etc/hosts when it comes after. Never NULL. */
struct block *dns_answer_complete(const struct block *files, const struct dns_request *request, struct block *answers);

/* "A", "AAAA", "PTR", "TYPE65" ... to a number; 0: no such type. And back, into buf. */
uint16_t dns_type_parse(const char *text);
const char *dns_type_name(uint16_t type, char buf[16]);

struct target_row;
/* The container that has the address, one that runs before one that does not; NULL: none. */
const struct target_row *dns_target_find(const struct block *targets, const struct addr *a);

/* Fills dns_row.target: the block with names of containers by address. Never NULL. */
struct block *dns_name_targets(const struct block *answers, const struct block *targets);

#endif
