/*
 * What the replays of glibc and musl share: the questions of one name, a record of every packet that left for it and of what came
 * back, sockets, waiting, and the rows made of all that. Which packet goes where and when is theirs alone.
 */
#ifndef NSDBG_CORE_DNS_SHOTS_H
#define NSDBG_CORE_DNS_SHOTS_H

#include "core/dns/ask.h"
#include "core/dns/exchange.h"

struct pollfd;

enum { DNS_SHOTS_QUESTIONS = 2, DNS_SHOTS_MAX = 192 };

/* One question that left for a server. */
struct dns_shot {
	struct dns_flight flight; /* without frame and socket; `reply` points to `head` */
	uint8_t head[12]; /* of the reply */
	unsigned question;
	unsigned server;
	bool open; /* neither answered nor given up */
	uint32_t waits_ms; /* what libc waits for it, when the deadline leaves less; 0: as long as here */
};

/* The reply that a libc would take for one question; fate NONE: there is none. */
struct dns_taken {
	struct dns_flight flight; /* `reply` has DNS_FLIGHT_BYTES */
	unsigned server;
};

struct dns_shots {
	const struct dns_request *request;
	const struct dns_watch *watch;
	struct builder *b;
	struct dns_server servers[DNS_MAX_SERVERS];
	unsigned n_servers;
	unsigned n_questions;
	uint64_t deadline_us; /* of everything */
	struct dns_name typed;
	/* the name at hand */
	char how[DNS_NAME_PRINT + 16];
	struct dns_query queries[DNS_SHOTS_QUESTIONS];
	uint8_t frames[DNS_SHOTS_QUESTIONS][2 + DNS_QUERY_MAX]; /* behind its length, as TCP wants it */
	size_t n_frames[DNS_SHOTS_QUESTIONS];
	struct dns_shot shots[DNS_SHOTS_MAX];
	unsigned n;
	unsigned unnoted; /* left, but there was no room to note them */
	uint64_t started_us;
	uint32_t waits_ms; /* for the next packets, see struct dns_shot */
	struct dns_taken taken[DNS_SHOTS_QUESTIONS];
	/* the name to show */
	struct dns_taken best[DNS_SHOTS_QUESTIONS];
	char best_how[DNS_NAME_PRINT + 16];
	uint64_t best_waited_us;
	int best_rank;
	/* memory */
	uint8_t *replies; /* of taken and best */
	uint8_t *in; /* DNS_FLIGHT_BYTES: what arrives */
};

/* Replays of one libc: asks all names; 0, or the watch's error. */
int dns_glibc_replay(struct dns_shots *s, bool is_absolute);
int dns_musl_replay(struct dns_shots *s, bool is_absolute);
/* musl has a search list for addresses only: its res_search is its res_query. */
bool dns_musl_searches(const struct dns_request *request);

/* A new name: new ids, nothing sent. `ad`, `payload` as in struct dns_query. False: the random numbers failed. */
bool dns_shots_name(struct dns_shots *s, const struct dns_name *name, const char *how);
/* The name with this search domain behind it; false: too long, or not a name. */
bool dns_shots_join(const struct dns_shots *s, const char *domain, struct dns_name *ret);
/* The time is up: says so in a row, for the name that is not asked. */
bool dns_shots_late(struct dns_shots *s, const char *how);
/* Says in a row that no name can be made of this. */
void dns_shots_unfit(struct dns_shots *s, const char *how);

/* Notes that a question leaves. */
void dns_shots_sent(struct dns_shots *s, unsigned question, unsigned server, bool tcp);
/* What is open at this server comes to nothing: `code` positive errno, 0: no reply in time. */
void dns_shots_lost(struct dns_shots *s, unsigned server, int code);
/* The packet just noted did not leave. */
void dns_shots_failed(struct dns_shots *s, int code);
/* Nobody waits for what is open, at any server. */
void dns_shots_drop(struct dns_shots *s);
/* Which question is answered by these bytes (QR, id, question); -1: none. Errors without a question are let through. */
int dns_shots_match(const struct dns_shots *s, const uint8_t *p, size_t n);
/* Notes a matching reply, and takes it when `take`. Returns its response code (four bits, as libc reads it). */
unsigned dns_shots_reply(struct dns_shots *s, unsigned question, unsigned server, const uint8_t *p, size_t n, bool take);
/* The reply just noted was cut short: it is not taken, and TCP will be used. */
void dns_shots_cut(struct dns_shots *s, unsigned question);
/* Counts a reply that answers nothing. */
void dns_shots_stray(struct dns_shots *s, unsigned server);

/* A socket connected to this server; 0, -EINPROGRESS (TCP) or -errno. */
int dns_shots_open(const struct dns_shots *s, unsigned server, bool tcp, int *ret_fd);
/* Waits for the `n` first entries; the array has room for two more. 1: something happened, 0: time is up, -EPIPE, -ESRCH. */
int dns_shots_poll(const struct dns_shots *s, struct pollfd *p, unsigned n, uint64_t until_us);
int dns_shots_wait(const struct dns_shots *s, int fd, short events, uint64_t until_us);

/* The name is done: a step row for each packet. It becomes the name to show unless one of higher rank is. `used`, by question: the
 * records that libc hands to its caller; NULL: none. */
void dns_shots_end(struct dns_shots *s, int rank, const bool *used);

#endif
