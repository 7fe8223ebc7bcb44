/*
 * Asking the way the container's libc would: names by ndots and the search list, servers in turn, tries with glibc's timeouts
 * (res_search, res_send; resolv.conf(5)), all types of one name at the same time. Each question is a "step" row; the rows of the name
 * that decided come after them. See ask.h; the wire is in exchange.c.
 */
#include "core/dns/ask.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/dns/batch.h"
#include "core/dns/exchange.h"
#include "core/dns/rdata.h"
#include "core/dns/replay.h"
#include "core/dns/rows.h"
#include "core/dns/tape.h"
#include "core/err.h"
#include "core/fd.h"
#include "core/worker.h"

enum { DEFAULT_TIMEOUT_MS = 5000, DEFAULT_ATTEMPTS = 2, DEFAULT_DEADLINE_MS = 5000, DEFAULT_PORT = 53 };

_Static_assert(sizeof(struct dns_request) <= MSG_PARAMS, "a question fits into one message");

/* What a name came to, from worst to best to show. */
enum verdict {
	VERDICT_NONE, /* not asked */
	VERDICT_NOBODY, /* every server refused: there is no resolver, give up */
	VERDICT_STOP, /* no reply, or one that forbids to go on */
	VERDICT_NXDOMAIN,
	VERDICT_SERVFAIL,
	VERDICT_NODATA,
	VERDICT_FIRST, /* the name as it was typed decides when the list finds nothing */
	VERDICT_FOUND,
};

/* One name that is tried. */
struct candidate {
	char how[DNS_NAME_PRINT + 16];
	struct dns_flight flights[DNS_MAX_FLIGHTS];
	unsigned server[DNS_MAX_FLIGHTS]; /* that was asked last */
	uint64_t started_us;
	uint64_t waited_us;
	enum verdict verdict;
};

struct ask {
	const struct dns_request *request;
	const struct dns_watch *watch;
	struct builder *b;
	struct dns_server servers[DNS_MAX_SERVERS];
	unsigned n_servers;
	unsigned n_types;
	uint64_t deadline_us;
	struct dns_name name;
	struct candidate tried; /* the name at hand */
	struct candidate best; /* the one to show */
	uint8_t *replies; /* DNS_FLIGHT_BYTES for each flight of both candidates */
	char *text; /* DNS_RDATA_TEXT */
};

/* A name among many has the time of its tape: what was decided once is decided again when it is played back. */
static uint64_t now_us(const struct ask *a)
{
	return a->watch->tape ? dns_tape_now(a->watch->tape) : dns_now_us();
}

/* --- one name --- */

static bool is_settled(const struct dns_flight *f)
{
	if (f->fate == DNS_FATE_MALFORMED)
		return true;
	/* SERVFAIL, NOTIMP, REFUSED: the next server may know better, as in glibc's res_send. */
	return f->fate == DNS_FATE_REPLY && f->rcode != 2 && f->rcode != 4 && f->rcode != 5;
}

static void add_steps(struct ask *a, const struct dns_flight *flights, unsigned n, unsigned server)
{
	for (unsigned i = 0; i < n; i++) {
		struct dns_asked asked = { .flight = &flights[i], .server = &a->servers[server], .how = a->tried.how };

		dns_rows_step(a->b, &asked);
		if (flights[i].unexpected >= DNS_MAX_UNEXPECTED)
			builder_note(a->b, 0, "%u replies that answer no question of ours came from the server: asked over TCP",
				flights[i].unexpected);
	}
}

/* glibc waits longer for later servers: timeout << n, shared by their number. A try also leaves the servers after it their part of
 * what remains of the deadline, so that a dead first server does not hide a good second one. */
static uint64_t try_deadline(const struct ask *a, unsigned server)
{
	uint64_t now = now_us(a);
	uint64_t wait = (uint64_t)a->request->timeout_ms * 1000 << server;
	uint64_t left = a->deadline_us > now ? a->deadline_us - now : 0;
	uint64_t share = left / (a->n_servers - server);

	if (server > 0)
		wait /= a->n_servers;
	return now + (wait < share ? wait : share);
}

/* Asks one server whatever is not settled yet; 0 or the watch's error. */
static int ask_server(struct ask *a, unsigned server)
{
	struct candidate *c = &a->tried;
	struct dns_flight flights[DNS_MAX_FLIGHTS];
	unsigned from[DNS_MAX_FLIGHTS], n = 0;
	int r;

	for (unsigned i = 0; i < a->n_types; i++) {
		if (is_settled(&c->flights[i]))
			continue;
		c->flights[i].tcp = a->request->flags & DNS_TCP;
		flights[n] = c->flights[i];
		from[n++] = i;
	}
	r = dns_exchange(flights, n, &a->servers[server], try_deadline(a, server), a->watch);
	if (r < 0)
		return r;
	add_steps(a, flights, n, server);
	for (unsigned i = 0; i < n; i++) {
		c->flights[from[i]] = flights[i];
		c->server[from[i]] = server;
	}
	return 0;
}

static bool all_settled(const struct ask *a)
{
	for (unsigned i = 0; i < a->n_types; i++)
		if (!is_settled(&a->tried.flights[i]))
			return false;
	return true;
}

static enum verdict judge_flight(const struct dns_flight *f)
{
	if (f->fate == DNS_FATE_FAILED && f->code == ECONNREFUSED)
		return VERDICT_NOBODY;
	if (f->fate != DNS_FATE_REPLY)
		return VERDICT_STOP;
	switch (f->rcode) {
	case 0:
		return f->reply[6] || f->reply[7] ? VERDICT_FOUND : VERDICT_NODATA;
	case 2:
		return VERDICT_SERVFAIL;
	case 3:
		return VERDICT_NXDOMAIN;
	default:
		return VERDICT_STOP;
	}
}

/* Several types of one name: any answer is an answer; else the first reply that is not an empty NOERROR decides, as in res_query. */
static enum verdict judge(const struct ask *a)
{
	enum verdict verdict = VERDICT_NODATA;

	for (unsigned i = 0; i < a->n_types; i++) {
		enum verdict v = judge_flight(&a->tried.flights[i]);

		if (v == VERDICT_FOUND)
			return v;
		if (verdict == VERDICT_NODATA)
			verdict = v;
	}
	return verdict;
}

static void swap_candidates(struct ask *a)
{
	struct candidate old = a->best;

	a->best = a->tried;
	a->tried = old;
}

/* Asks all servers, as often as allowed, for this name. Leaves the verdict in *ret; what is best to show goes to a->best. */
static int ask_name(struct ask *a, const struct dns_name *name, enum verdict *ret)
{
	struct candidate *c = &a->tried;
	int r = 0;

	c->started_us = now_us(a);
	for (unsigned i = 0; i < a->n_types; i++) {
		struct dns_question q = { .name = *name, .type = a->request->types[i], .class = DNS_CLASS_IN };

		c->flights[i].fate = DNS_FATE_NONE;
		c->flights[i].query = (struct dns_query){ .question = q, .recurse = !(a->request->flags & DNS_NO_RECURSE),
			.edns = a->request->flags & DNS_EDNS };
	}
	for (unsigned k = 0; k < a->request->attempts * a->n_servers && r == 0 && !all_settled(a); k++)
		if (k == 0 || now_us(a) < a->deadline_us)
			r = ask_server(a, k % a->n_servers);
	if (r < 0)
		return r;
	c->waited_us = now_us(a) - c->started_us;
	*ret = c->verdict = judge(a);
	return 0;
}

/* --- the search list, as in glibc's res_search --- */

static bool is_late(const struct ask *a)
{
	return now_us(a) >= a->deadline_us;
}

static int try_as_is(struct ask *a, bool is_first, enum verdict *ret)
{
	int r;

	if (a->best.verdict != VERDICT_NONE && is_late(a))
		return 0;
	snprintf(a->tried.how, sizeof a->tried.how, "as typed");
	r = ask_name(a, &a->name, ret);
	if (r < 0)
		return r;
	if (is_first && *ret < VERDICT_FIRST)
		a->tried.verdict = VERDICT_FIRST;
	if (a->tried.verdict >= a->best.verdict || a->best.verdict < VERDICT_SERVFAIL)
		swap_candidates(a);
	return 0;
}

static int try_domain(struct ask *a, const char *domain, enum verdict *ret)
{
	struct dns_name suffix, name;
	int r;

	if (a->best.verdict != VERDICT_NONE && is_late(a)) {
		*ret = VERDICT_STOP;
		return 0;
	}
	snprintf(a->tried.how, sizeof a->tried.how, "search %s", domain);
	if (dns_name_parse(domain, &suffix, NULL, NULL) < 0 || !dns_name_join(&a->name, &suffix, &name)) {
		dns_rows_skipped(a->b, a->request->name, a->tried.how, "not a name");
		*ret = VERDICT_NXDOMAIN;
		return 0;
	}
	r = ask_name(a, &name, ret);
	if (r == 0 && a->tried.verdict >= a->best.verdict)
		swap_candidates(a);
	return r;
}

static int search_list(struct ask *a, bool *ret_has_root)
{
	enum verdict v = VERDICT_NONE;
	int r = 0;

	for (unsigned i = 0; i < a->request->n_search && r == 0; i++) {
		*ret_has_root |= strcmp(a->request->search[i], ".") == 0;
		r = try_domain(a, a->request->search[i], &v);
		if (v == VERDICT_FOUND || v == VERDICT_NOBODY || v == VERDICT_STOP)
			break;
	}
	return r;
}

static int search(struct ask *a, bool is_absolute)
{
	bool as_is = is_absolute || a->request->flags & DNS_NO_SEARCH || a->request->n_search == 0;
	bool is_first = as_is || dns_name_labels(&a->name) > a->request->ndots;
	enum verdict v = VERDICT_NONE;
	bool has_root = false;
	int r = 0;

	if (is_first)
		r = try_as_is(a, true, &v);
	if (r < 0 || as_is || v == VERDICT_FOUND || v == VERDICT_NOBODY)
		return r;
	r = search_list(a, &has_root);
	if (r < 0 || a->best.verdict == VERDICT_FOUND || a->best.verdict == VERDICT_NOBODY)
		return r;
	return is_first || has_root ? 0 : try_as_is(a, false, &v);
}

/* --- one request --- */

/* The request came from another process: nothing in it is trusted to be in bounds or ended. Zeroes become defaults. */
static void check_request(struct dns_request *q)
{
	q->name[sizeof q->name - 1] = 0;
	q->n_search = q->n_search > DNS_MAX_SEARCH ? DNS_MAX_SEARCH : q->n_search;
	q->n_servers = q->n_servers > DNS_MAX_SERVERS ? DNS_MAX_SERVERS : q->n_servers;
	for (unsigned i = 0; i < DNS_MAX_SEARCH; i++)
		q->search[i][sizeof q->search[i] - 1] = 0;
	for (unsigned i = 0; i < DNS_MAX_SERVERS; i++)
		q->zones[i][sizeof q->zones[i] - 1] = 0;
	if (q->n_servers == 0) {
		q->servers[0] = addr_ip4((uint8_t[]){ 127, 0, 0, 1 });
		q->n_servers = 1;
	}
	if (q->types[0] == 0)
		q->types[0] = DNS_TYPE_A;
	q->port = q->port ? q->port : DEFAULT_PORT;
	q->timeout_ms = q->timeout_ms ? q->timeout_ms : DEFAULT_TIMEOUT_MS;
	q->attempts = q->attempts ? q->attempts : DEFAULT_ATTEMPTS;
	if (q->attempts > (q->libc == DNS_LIBC_MUSL ? 10 : 5)) /* glibc's RES_MAXRETRY */
		q->attempts = q->libc == DNS_LIBC_MUSL ? 10 : 5;
	q->deadline_ms = q->deadline_ms ? q->deadline_ms : DEFAULT_DEADLINE_MS;
}

/* The name to ask; an address whose PTR is wanted becomes its name under arpa. */
static int take_name(struct ask *a, bool *ret_absolute, struct err *err)
{
	const char *text = a->request->name;
	char reverse[80];
	struct addr addr;

	if (a->request->types[0] == DNS_TYPE_PTR && addr_parse(text, &addr) == 0 && !addr.has_prefix &&
		dns_name_reverse(&addr, reverse, sizeof reverse))
		return dns_name_parse(reverse, &a->name, ret_absolute, err);
	return dns_name_parse(text, &a->name, ret_absolute, err);
}

/* fe80::/10: the only ones that mean nothing without an interface. */
static bool is_link_local(const struct addr *a)
{
	return a->kind == ADDR_IP6 && a->bytes[0] == 0xfe && (a->bytes[1] & 0xc0) == 0x80;
}

static void set_up(struct ask *a)
{
	const struct dns_request *q = a->request;

	for (a->n_types = 0; a->n_types < ARRAY_LEN(q->types) && q->types[a->n_types];)
		a->n_types++;
	a->n_servers = q->n_servers;
	for (unsigned i = 0; i < q->n_servers; i++) {
		a->servers[i] = (struct dns_server){ .address = q->servers[i], .port = q->port };
		if (is_link_local(&q->servers[i]))
			memcpy(a->servers[i].zone, q->zones[i], sizeof a->servers[i].zone);
	}
	for (unsigned i = 0; i < DNS_MAX_FLIGHTS; i++) {
		a->tried.flights[i].reply = a->replies + i * DNS_FLIGHT_BYTES;
		a->best.flights[i].reply = a->replies + (i + DNS_MAX_FLIGHTS) * DNS_FLIGHT_BYTES;
	}
	a->deadline_us = now_us(a) + (uint64_t)q->deadline_ms * 1000;
}

static void add_answers(struct ask *a)
{
	const struct candidate *c = &a->best;

	for (unsigned i = 0; i < a->n_types; i++) {
		struct dns_asked asked = { .flight = &c->flights[i], .server = &a->servers[c->server[i]], .how = c->how,
			.waited_us = c->waited_us };

		dns_rows_answer(a->b, &asked, a->text);
	}
}

int dns_ask_run(const struct dns_request *request, const struct dns_watch *watch, struct builder *b, struct err *err)
{
	static const struct dns_watch nothing = { .channel = -1, .pidfd = -1, .tape = NULL };
	AUTO(fd_freep) uint8_t *replies = fd_xrealloc(NULL, 2 * DNS_MAX_FLIGHTS, DNS_FLIGHT_BYTES); /* half a MiB: not cleared */
	AUTO(fd_freep) char *text = fd_xrealloc(NULL, 1, DNS_RDATA_TEXT);
	AUTO(fd_freep) struct ask *a = fd_xcalloc(1, sizeof *a);
	struct dns_request checked = *request;
	uint64_t from = dns_now_us();
	bool is_absolute;
	int r;

	check_request(&checked);
	a->request = &checked;
	a->watch = watch ? watch : &nothing;
	a->b = b;
	a->replies = replies;
	a->text = text;
	r = take_name(a, &is_absolute, err);
	if (r < 0)
		return r;
	if (dns_replay_fits(&checked)) {
		r = dns_replay_run(&checked, &a->name, is_absolute, a->watch, b);
		builder_cost(b, dns_now_us() - from);
		return r;
	}
	set_up(a);
	r = search(a, is_absolute);
	if (r < 0)
		return r;
	add_answers(a);
	builder_cost(b, dns_now_us() - from);
	return 0;
}

/* --- the worker --- */

static int answer_request(struct worker *w, struct builder *b, const struct msg *m, const struct dns_watch *watch)
{
	struct err err = { 0 };
	struct dns_request q;
	int r;

	if (m->head.type == MSG_REQUEST && m->request.op == DNS_OP_BATCH)
		return dns_batch_serve(w, m, watch);
	if (m->head.type != MSG_REQUEST || m->request.op != DNS_OP_ASK || m->request.n_params != sizeof q) {
		err_set(&err, EINVAL, "a question of a form that this version does not know");
		return worker_send_error(w, m->head.tag, &err);
	}
	memcpy(&q, m->request.params, sizeof q);
	builder_clear(b);
	r = dns_ask_run(&q, watch, b, &err);
	if (r == -EPIPE || r == -ESRCH)
		return r;
	return r < 0 ? worker_send_error(w, m->head.tag, &err) : worker_send_block(w, m->head.tag, b);
}

/* 0: a message waits; -EPIPE: the app left; -ESRCH: the target ended. */
static int wait_request(const struct dns_watch *watch)
{
	struct pollfd p[2] = {
		{ .fd = watch->channel, .events = POLLIN },
		{ .fd = watch->pidfd, .events = POLLIN },
	};

	while (poll(p, 2, -1) < 0)
		if (errno != EINTR)
			return -errno;
	if (p[1].revents)
		return -ESRCH;
	return 0;
}

static int dns_serve(struct worker *w, struct err *err)
{
	struct dns_watch watch = { .channel = worker_channel(w), .pidfd = worker_target(w)->pidfd };
	struct builder *b = builder_new(&dns_row_type);
	struct msg m;
	int r = 0;

	(void)err;
	while (r == 0) {
		r = wait_request(&watch);
		if (r < 0)
			break;
		m.fd = -1;
		r = worker_recv(w, &m, 0);
		if (r == 1)
			r = answer_request(w, b, &m, &watch);
		else
			r = r == 0 ? -EPIPE : r == -EAGAIN ? 0 : r;
		fd_closep(&m.fd);
	}
	builder_free(b);
	if (r == -ESRCH)
		worker_send_gone(w);
	return r == -EPIPE || r == -ESRCH ? 0 : r;
}

const struct source dns_source = {
	.name = "dns",
	.type = &dns_row_type,
	.enter = SOURCE_ENTER_NET,
	.needs_target = true,
	.cage = CAGE_DNS,
	.serve = dns_serve,
};
