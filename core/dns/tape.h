/*
 * What one name's asking has exchanged so far. Asking is plain blocking code (ask.c); so that many names can be asked at the same
 * time, it is run again from its beginning whenever an exchange has ended: what was exchanged before is played back from here, time
 * included, and the first exchange that is new is left under way, ending the run with -EINPROGRESS.
 */
#ifndef NSDBG_CORE_DNS_TAPE_H
#define NSDBG_CORE_DNS_TAPE_H

#include "core/dns/exchange.h"

#include <poll.h>

struct dns_tape;

struct dns_tape *dns_tape_new(void); /* time begins now */
void dns_tape_free(struct dns_tape *t); /* NULL is fine */

/* Before each run. */
void dns_tape_rewind(struct dns_tape *t);

/* CLOCK_MONOTONIC in microseconds as the run has it: when the exchange that was played last had ended. */
uint64_t dns_tape_now(const struct dns_tape *t);

/* dns_exchange for a tape: 0 with the flights as they ended once, or -EINPROGRESS. */
int dns_tape_exchange(struct dns_tape *t, struct dns_flight *flights, unsigned n, const struct dns_server *server, uint64_t deadline_us);

/* --- what is under way --- */

/* Its sockets into DNS_MAX_FLIGHTS entries, unused ones -1. Returns its deadline. */
uint64_t dns_tape_poll(const struct dns_tape *t, struct pollfd *p);

/* Goes on with what is ready, and ends what is late. True: the exchange is over, run again. */
bool dns_tape_turn(struct dns_tape *t, const struct pollfd *p, uint64_t now_us);

#endif
