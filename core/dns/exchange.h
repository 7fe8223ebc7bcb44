/*
 * Questions to one server, all at the same time: UDP, then TCP when the answer was cut short or forged replies come in. Each question
 * has a connected socket of its own, so the kernel checks the sender, and a random id. One deadline holds for everything.
 */
#ifndef NSDBG_CORE_DNS_EXCHANGE_H
#define NSDBG_CORE_DNS_EXCHANGE_H

#include "core/addr.h"
#include "core/dns/message.h"

enum { DNS_MAX_FLIGHTS = 4, DNS_MAX_UNEXPECTED = 10 };

struct dns_server {
	struct addr address;
	uint16_t port;
	char zone[16]; /* interface of a link-local address, "" none */
};

struct dns_tape;

/* What ends the asking early; -1: nothing does. */
struct dns_watch {
	int channel; /* hung up: nobody waits for the answer */
	int pidfd; /* readable: the target has ended */
	struct dns_tape *tape; /* not to wait: one of many names (tape.h); NULL: to wait */
};

enum dns_fate {
	DNS_FATE_NONE, /* not asked */
	DNS_FATE_REPLY, /* `reply` is a valid message for this question */
	DNS_FATE_TIMEOUT,
	DNS_FATE_MALFORMED, /* ours by id and question, but broken */
	DNS_FATE_FAILED, /* `code` says why: ECONNREFUSED ... */
	DNS_FATE_DROPPED, /* there is a reply with records, but a libc that is replayed makes no use of it */
};

/* One question to one server and what became of it. */
struct dns_flight {
	struct dns_query query; /* set by the caller, but for the id */
	bool tcp; /* set by the caller: TCP from the start; afterwards: the way the answer came */
	enum dns_fate fate;
	int code; /* positive errno */
	unsigned rcode;
	unsigned unexpected; /* replies with a wrong id or question, ignored */
	bool truncated; /* asked again over TCP because of TC */
	uint64_t sent_us; /* CLOCK_MONOTONIC */
	uint64_t time_us; /* from question to reply, or to giving up */
	uint8_t *reply; /* DNS_FLIGHT_BYTES of the caller's memory */
	size_t n_reply;

	/* while under way */
	int fd;
	short wait; /* POLLIN, POLLOUT; 0: done */
	bool connecting;
	size_t done; /* bytes sent or received over TCP */
	uint8_t frame[2 + DNS_QUERY_MAX]; /* the question, for TCP with its length */
	size_t n_frame;
};
enum { DNS_FLIGHT_BYTES = 2 + DNS_MESSAGE_MAX };

/* Asks and waits until each flight has a fate. 0, -EPIPE (channel) or -ESRCH (target) when the watch ended it; with a tape
 * -EINPROGRESS. */
int dns_exchange(struct dns_flight *flights, unsigned n, const struct dns_server *server, uint64_t deadline_us,
	const struct dns_watch *watch);

/* One flight, for those who wait for many of them: sends the question; goes on when its descriptor is ready; ends it. */
void dns_flight_start(struct dns_flight *f, const struct dns_server *s);
void dns_flight_turn(struct dns_flight *f, const struct dns_server *s);
void dns_flight_finish(struct dns_flight *f, enum dns_fate fate, int code);

uint64_t dns_now_us(void); /* CLOCK_MONOTONIC */

/* Why there is no reply, in words: "timeout", "refused by 127.0.0.11:53", "malformed". */
void dns_fate_text(const struct dns_flight *f, const struct dns_server *server, char *buf, size_t cap);

#endif
