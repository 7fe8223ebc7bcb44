/* Exchanges of one name, recorded and played back: see tape.h. Replies are kept at their own size, and only so many bytes of them. */
#include "core/dns/tape.h"

#include "core/fd.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { KEPT_BYTES = 512 << 10 }; /* of replies: a server cannot make us hold more by failing at length */

struct exchange {
	struct dns_flight flights[DNS_MAX_FLIGHTS];
	unsigned n;
	uint64_t ended_us;
};

struct dns_tape {
	struct exchange *played;
	unsigned n_played, at;
	uint64_t started_us, now_us;
	size_t kept;
	struct exchange live; /* n 0: nothing is under way */
	struct dns_server server;
	uint64_t deadline_us;
	uint8_t *buffers; /* DNS_FLIGHT_BYTES for each live flight */
};

struct dns_tape *dns_tape_new(void)
{
	struct dns_tape *t = fd_xcalloc(1, sizeof *t);

	t->started_us = t->now_us = dns_now_us();
	t->buffers = fd_xrealloc(NULL, DNS_MAX_FLIGHTS, DNS_FLIGHT_BYTES);
	return t;
}

void dns_tape_free(struct dns_tape *t)
{
	if (!t)
		return;
	for (unsigned i = 0; i < t->live.n; i++)
		dns_flight_finish(&t->live.flights[i], DNS_FATE_FAILED, ECANCELED);
	for (unsigned i = 0; i < t->n_played; i++)
		for (unsigned k = 0; k < t->played[i].n; k++)
			free(t->played[i].flights[k].reply);
	free(t->played);
	free(t->buffers);
	free(t);
}

void dns_tape_rewind(struct dns_tape *t)
{
	t->at = 0;
	t->now_us = t->started_us;
}

uint64_t dns_tape_now(const struct dns_tape *t)
{
	return t->now_us;
}

/* --- playing --- */

/* As it ended, but for the memory, which is the caller's. */
static void play(struct dns_flight *to, const struct dns_flight *from)
{
	uint8_t *reply = to->reply;

	*to = *from;
	to->reply = reply;
	if (from->n_reply)
		memcpy(reply, from->reply, from->n_reply);
}

int dns_tape_exchange(struct dns_tape *t, struct dns_flight *flights, unsigned n, const struct dns_server *server, uint64_t deadline_us)
{
	if (t->at < t->n_played) {
		const struct exchange *e = &t->played[t->at++];

		for (unsigned i = 0; i < n && i < e->n; i++)
			play(&flights[i], &e->flights[i]);
		t->now_us = e->ended_us;
		return 0;
	}
	t->live.n = n;
	t->server = *server;
	t->deadline_us = deadline_us;
	for (unsigned i = 0; i < n; i++) {
		t->live.flights[i] = flights[i];
		t->live.flights[i].reply = t->buffers + i * DNS_FLIGHT_BYTES;
		dns_flight_start(&t->live.flights[i], &t->server);
	}
	return -EINPROGRESS;
}

/* --- recording --- */

static void keep_reply(struct dns_tape *t, struct dns_flight *f)
{
	const uint8_t *bytes = f->reply;

	f->reply = NULL;
	if (f->fate != DNS_FATE_REPLY && f->fate != DNS_FATE_MALFORMED)
		f->n_reply = 0;
	if (f->n_reply == 0)
		return;
	if (t->kept + f->n_reply > KEPT_BYTES) {
		f->fate = DNS_FATE_FAILED;
		f->code = ENOBUFS;
		f->n_reply = 0;
		return;
	}
	t->kept += f->n_reply;
	f->reply = fd_xcalloc(1, f->n_reply);
	memcpy(f->reply, bytes, f->n_reply);
}

static void record(struct dns_tape *t)
{
	for (unsigned i = 0; i < t->live.n; i++)
		keep_reply(t, &t->live.flights[i]);
	t->live.ended_us = dns_now_us();
	t->played = fd_xrealloc(t->played, t->n_played + 1, sizeof *t->played);
	t->played[t->n_played++] = t->live;
	t->live.n = 0;
}

uint64_t dns_tape_poll(const struct dns_tape *t, struct pollfd *p)
{
	for (unsigned i = 0; i < DNS_MAX_FLIGHTS; i++) {
		const struct dns_flight *f = &t->live.flights[i];
		bool waits = i < t->live.n && f->wait;

		p[i] = (struct pollfd){ .fd = waits ? f->fd : -1, .events = waits ? f->wait : 0 };
	}
	return t->deadline_us;
}

bool dns_tape_turn(struct dns_tape *t, const struct pollfd *p, uint64_t now_us)
{
	bool waits = false;

	for (unsigned i = 0; i < t->live.n; i++) {
		struct dns_flight *f = &t->live.flights[i];

		if (f->wait && p[i].revents)
			dns_flight_turn(f, &t->server);
		if (f->wait && now_us >= t->deadline_us)
			dns_flight_finish(f, DNS_FATE_TIMEOUT, 0);
		waits = waits || f->wait;
	}
	if (waits)
		return false;
	record(t);
	return true;
}
