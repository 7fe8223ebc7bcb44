/*
 * Traceroute: packets with a growing TTL, a few under way at a time, so that a silent hop costs no time of its own. Each try goes once
 * over the whole path (three times when there is only one try), and the hops' statistics add up, as in mtr.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/fd.h"
#include "core/probe/carrier.h"
#include "core/probe/wire.h"

enum { WINDOW = 6, ROUNDS = 3, HOP_MS = 1000, GAP = 8 };

struct flight {
	uint8_t hop; /* 0: free */
	uint16_t key;
	uint64_t sent_us;
};

struct trace {
	struct probe_run *run;
	struct probe_facts *f;
	struct carrier c;
	struct flight flights[WINDOW];
	unsigned limit; /* last hop worth trying */
	unsigned next;
	unsigned heard; /* last hop that ever answered */
	bool ended; /* the destination answered, or a router said no: `limit` is where */
	uint64_t wait_us;
};

static struct flight *find(struct trace *t, uint16_t key)
{
	for (unsigned i = 0; i < WINDOW; i++)
		if (t->flights[i].hop && t->flights[i].key == key)
			return &t->flights[i];
	return NULL;
}

static struct flight *free_flight(struct trace *t)
{
	for (unsigned i = 0; i < WINDOW; i++)
		if (!t->flights[i].hop)
			return &t->flights[i];
	return NULL;
}

/* A refusal that ends the path: verdict.c puts it into words. */
static void keep_refusal(struct trace *t, const struct carrier_news *n)
{
	t->f->code = n->code;
	t->f->icmp.seen = n->from.kind != ADDR_NONE;
	t->f->icmp.type = n->type;
	t->f->icmp.code = n->icmp_code;
	t->f->icmp.from = n->from;
	t->f->icmp.mtu = n->mtu;
}

static void take(struct trace *t, const struct carrier_news *n, uint64_t now)
{
	struct flight *flight = find(t, n->key);
	struct trace_hop *h;
	unsigned hop;

	if (!flight)
		return; /* too late */
	hop = flight->hop;
	h = &t->run->hops[hop - 1];
	flight->hop = 0;
	stats_answer(&h->stats, now - flight->sent_us);
	h->address = n->from;
	snprintf(h->says, sizeof h->says, "%s", n->says);
	t->heard = hop > t->heard ? hop : t->heard;
	if (n->what == CARRIER_EXCEEDED || hop > t->limit)
		return;
	t->limit = hop;
	t->ended = true;
	t->run->reached = n->what == CARRIER_ARRIVED;
	if (n->what == CARRIER_ARRIVED) {
		t->f->answered = true;
		t->f->code = 0;
		t->f->icmp.seen = false;
		t->f->time_us = now - flight->sent_us;
	} else if (!t->f->answered) {
		keep_refusal(t, n);
	}
}

static void expire(struct trace *t, uint64_t now)
{
	for (unsigned i = 0; i < WINDOW; i++) {
		struct flight *flight = &t->flights[i];

		if (!flight->hop || now < flight->sent_us + t->wait_us)
			continue;
		if (flight->hop <= t->limit)
			stats_loss(&t->run->hops[flight->hop - 1].stats);
		flight->hop = 0;
	}
}

static bool any_worth_waiting(const struct trace *t, uint64_t *ret_until)
{
	bool any = false;

	*ret_until = UINT64_MAX;
	for (unsigned i = 0; i < WINDOW; i++) {
		const struct flight *flight = &t->flights[i];

		if (!flight->hop || flight->hop > t->limit)
			continue; /* beyond the destination: nobody needs it */
		any = true;
		if (flight->sent_us + t->wait_us < *ret_until)
			*ret_until = flight->sent_us + t->wait_us;
	}
	return any;
}

static void take_all(struct trace *t)
{
	struct carrier_news news;

	while (carrier_next(t->run, &t->c, &news))
		take(t, &news, wire_now_us());
}

/* Looks for answers after each packet: times count from there. */
static void send_more(struct trace *t)
{
	struct flight *flight;

	while (t->next <= t->limit && !t->f->code && (flight = free_flight(t))) {
		int r;

		if (!t->ended && t->next > t->heard + GAP)
			return; /* nothing but silence for a while */
		flight->sent_us = wire_now_us();
		r = carrier_send(t->run, &t->c, (int)t->next, t->run->p->size, &flight->key);
		if (r < 0) {
			t->f->code = -r;
			return;
		}
		flight->hop = (uint8_t)t->next++;
		take_all(t);
	}
}

static int one_round(struct trace *t)
{
	uint64_t until;
	int r = 0;

	t->next = 1;
	memset(t->flights, 0, sizeof t->flights);
	for (;;) {
		send_more(t);
		if (!any_worth_waiting(t, &until))
			return 0;
		r = carrier_wait(t->run, &t->c, until);
		if (r < 0)
			return r;
		take_all(t);
		expire(t, wire_now_us());
	}
}

static void finish(struct trace *t)
{
	struct probe_run *run = t->run;

	if (t->ended)
		run->n_hops = t->limit;
	else if (t->heard > run->n_hops || !run->reached)
		run->n_hops = t->heard;
	if (t->f->answered)
		t->f->verdict = PROBE_REACHED;
	else if (!t->f->code)
		t->f->verdict = PROBE_NOT_REACHED;
}

int probe_trace(struct probe_run *run, struct probe_facts *f)
{
	enum carrier_kind kind = run->p->flags & PROBE_BY_TCP ? CARRIER_TCP : run->p->flags & PROBE_BY_ICMP ? CARRIER_ICMP : CARRIER_UDP;
	struct trace t = { .run = run, .f = f, .limit = run->reached ? run->n_hops : run->p->max_hops, .ended = run->reached };
	unsigned rounds = run->p->count == 1 ? ROUNDS : 1;
	int r = carrier_open(run, kind, run->p->size > 0, &t.c);

	if (r < 0) {
		f->code = -r;
		return 0;
	}
	t.wait_us = (run->p->timeout_ms < HOP_MS ? run->p->timeout_ms : HOP_MS) * 1000ull;
	for (unsigned i = 0; r >= 0 && i < rounds && !(f->code && !t.heard); i++) {
		r = one_round(&t);
		if (!t.ended) /* what was silent once will not be asked three times */
			t.limit = t.heard;
	}
	carrier_close(&t.c);
	finish(&t);
	return r < 0 ? r : 0;
}
