/*
 * Questions waiting for answers, and those that have theirs: a bounded ring, oldest out first, found by port and id or by name. Time is
 * that of the packets, so that a test needs no clock. What came of a question is settled once, and again when its answer is late.
 */
#ifndef NSDBG_CAPTURE_DNSWATCH_PAIR_H
#define NSDBG_CAPTURE_DNSWATCH_PAIR_H

#include "capture/dnswatch.h"
#include "capture/dnswatch_message.h"
#include "capture/dnswatch_tcp.h"

enum { DNSWATCH_TWIN_NS = 20000000, DNSWATCH_GRACE_NS = 1000000000 };

struct dnswatch_exchange {
	uint64_t number; /* 0: free */
	uint64_t settled; /* in which order it came to its end; 0 not yet */
	int64_t first_ns, last_ns; /* questions */
	int64_t gap_ns; /* between the first two; 0 none */
	int64_t answer_ns; /* 0 none */
	int64_t settled_ns;
	uint64_t repeats; /* number of the exchange that asked the same before */
	int64_t repeats_ns; /* how long before */
	uint64_t search; /* number of its group; 0 none */
	struct addr client, server, said_by; /* said_by: who sent the ICMP error */
	uint16_t client_port, server_port; /* server_port 0: not known */
	uint16_t id, flags;
	uint16_t retries, replies, n_answers, n_texts, texts_len;
	struct dns_question question;
	uint32_t ifindex, reply_ifindex;
	uint32_t rcode, ttl, size;
	enum dnswatch_state state;
	bool tcp;
	bool forwarded; /* by the engine's resolver */
	bool spare; /* another server was asked at the same moment, and answered */
	bool twin_answered; /* the other of A and AAAA, asked at the same moment from the same socket, has its answer */
	bool followed; /* truncated, then asked by TCP */
	bool judged; /* truncated, and counted as followed or not */
	bool broken;
	bool client_gone; /* the client's kernel refused the answer */
	bool owner_asked;
	uint8_t icmp_type, icmp_code;
	uint64_t inode, uid, pid; /* ROW_NO_UINT: unknown */
	char process[DNSWATCH_PROCESS];
	char texts[DNSWATCH_TEXTS];
	int32_t next_key, next_name; /* chains; -1 ends */
};

struct dnswatch_pair;
struct dnswatch_pair *dnswatch_pair_new(uint64_t seed); /* seed: so that nobody can aim at one chain */
void dnswatch_pair_free(struct dnswatch_pair *p);
void dnswatch_pair_clear(struct dnswatch_pair *p);
void dnswatch_pair_timeout(struct dnswatch_pair *p, uint32_t ms);

/* Where and when a message was seen. way: from client to server for questions, back for replies. */
struct dnswatch_seen {
	const struct dnswatch_way *way;
	int64_t time;
	uint32_t ifindex; /* 0: not known */
	bool tcp;
};

/* A question: its exchange, and whether it is new. NULL: the same packet seen on another interface. */
struct dnswatch_exchange *dnswatch_pair_question(struct dnswatch_pair *p, const struct dnswatch_seen *seen, const struct dnswatch_message *m,
	bool *ret_new);
/* A reply: its exchange, settled by it; NULL: nobody asked, or it was answered before. *ret_before: the state it had. */
struct dnswatch_exchange *dnswatch_pair_reply(struct dnswatch_pair *p, const struct dnswatch_seen *seen, const struct dnswatch_message *m,
	enum dnswatch_state *ret_before);
/* An ICMP error about a datagram on this way: settles a question that was refused, marks an answer that was. NULL: neither. */
struct dnswatch_exchange *dnswatch_pair_refused(struct dnswatch_pair *p, const struct dnswatch_way *way, const struct addr *said_by,
	uint8_t type, uint8_t code, int64_t now);
/* One that is over by the clock; NULL: none. Settles it. */
struct dnswatch_exchange *dnswatch_pair_expired(struct dnswatch_pair *p, int64_t now);
/* A truncated one, 2 s after its answer or asked again by TCP, for the first and only time; NULL: none. */
struct dnswatch_exchange *dnswatch_pair_truncated(struct dnswatch_pair *p, int64_t now);
int64_t dnswatch_pair_due(const struct dnswatch_pair *p); /* when the next one is over, ns; INT64_MAX never */

struct dnswatch_exchange *dnswatch_pair_find(struct dnswatch_pair *p, uint64_t number); /* NULL: left */
uint64_t dnswatch_pair_last(const struct dnswatch_pair *p); /* number of the newest; 0 none */
uint64_t dnswatch_pair_first(const struct dnswatch_pair *p); /* of the oldest kept */
uint64_t dnswatch_pair_settled(const struct dnswatch_pair *p); /* how many so far */
uint64_t dnswatch_pair_evicted(const struct dnswatch_pair *p, uint64_t since); /* settled after `since` and no longer here, or left unsettled */

/* Docker's resolver, whose questions are redirected. */
bool dnswatch_is_docker(const struct addr *a);

#endif
