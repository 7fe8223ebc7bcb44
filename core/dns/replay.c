/* Sets a replay up, lets glibc's or musl's way run, and shows what they would have taken. */
#include "core/dns/replay.h"

#include <string.h>

#include "core/dns/rdata.h"
#include "core/dns/rows.h"
#include "core/dns/shots.h"
#include "core/fd.h"

const char *const dns_libc_names[DNS_LIBC_N] = {
	[DNS_LIBC_NONE] = "",
	[DNS_LIBC_GLIBC] = "glibc",
	[DNS_LIBC_MUSL] = "musl",
};

enum { GLIBC_PAYLOAD = 1200 };

static int (*const replays[DNS_LIBC_N])(struct dns_shots *s, bool is_absolute) = {
	[DNS_LIBC_GLIBC] = dns_glibc_replay,
	[DNS_LIBC_MUSL] = dns_musl_replay,
};

static bool is_address_type(uint16_t type)
{
	return type == DNS_TYPE_A || type == DNS_TYPE_AAAA;
}

bool dns_replay_fits(const struct dns_request *request)
{
	const uint16_t *types = request->types;

	if (request->libc == DNS_LIBC_NONE || request->libc >= DNS_LIBC_N)
		return false;
	return types[1] == 0 || (types[2] == 0 && is_address_type(types[0]) && is_address_type(types[1]) && types[0] != types[1]);
}

/* A first, as both do. With "no-aaaa" glibc asks for A alone. */
static void make_questions(struct dns_shots *s)
{
	const struct dns_request *q = s->request;
	bool is_glibc = q->libc == DNS_LIBC_GLIBC, both = q->types[1];
	uint16_t types[DNS_SHOTS_QUESTIONS] = { both ? DNS_TYPE_A : q->types[0], both ? DNS_TYPE_AAAA : 0 };

	if (is_glibc && q->flags & DNS_NO_AAAA && both)
		types[1] = 0;
	for (s->n_questions = 0; s->n_questions < DNS_SHOTS_QUESTIONS && types[s->n_questions]; s->n_questions++) {
		struct dns_query *query = &s->queries[s->n_questions];

		query->question.type = types[s->n_questions];
		query->question.class = DNS_CLASS_IN;
		query->recurse = !(q->flags & DNS_NO_RECURSE);
		query->edns = is_glibc && q->flags & DNS_EDNS;
		query->payload = GLIBC_PAYLOAD;
		query->ad = is_glibc ? q->flags & DNS_TRUST_AD : !is_address_type(query->question.type);
	}
}

static bool is_link_local(const struct addr *a)
{
	return a->kind == ADDR_IP6 && a->bytes[0] == 0xfe && (a->bytes[1] & 0xc0) == 0x80;
}

static void set_up(struct dns_shots *s)
{
	const struct dns_request *q = s->request;

	make_questions(s);
	s->n_servers = q->n_servers;
	for (unsigned i = 0; i < q->n_servers; i++) {
		s->servers[i] = (struct dns_server){ .address = q->servers[i], .port = q->port };
		if (is_link_local(&q->servers[i]))
			memcpy(s->servers[i].zone, q->zones[i], sizeof s->servers[i].zone);
	}
	for (unsigned i = 0; i < DNS_SHOTS_QUESTIONS; i++) {
		s->taken[i].flight.reply = s->replies + i * DNS_FLIGHT_BYTES;
		s->best[i].flight.reply = s->replies + (i + DNS_SHOTS_QUESTIONS) * DNS_FLIGHT_BYTES;
	}
	s->deadline_us = dns_now_us() + (uint64_t)q->deadline_ms * 1000;
}

static void add_answers(struct dns_shots *s, char *text)
{
	for (unsigned i = 0; i < s->n_questions && s->best_rank; i++) {
		const struct dns_taken *t = &s->best[i];
		struct dns_asked asked = { .flight = &t->flight, .server = &s->servers[t->server], .how = s->best_how,
			.waited_us = s->best_waited_us };

		dns_rows_answer(s->b, &asked, text);
	}
}

int dns_replay_run(const struct dns_request *request, const struct dns_name *name, bool is_absolute, const struct dns_watch *watch,
	struct builder *b)
{
	AUTO(fd_freep) struct dns_shots *s = fd_xcalloc(1, sizeof *s);
	AUTO(fd_freep) uint8_t *replies = fd_xcalloc(2 * DNS_SHOTS_QUESTIONS + 1, DNS_FLIGHT_BYTES);
	AUTO(fd_freep) char *text = fd_xcalloc(1, DNS_RDATA_TEXT);
	int r;

	s->request = request;
	s->watch = watch;
	s->b = b;
	s->typed = *name;
	s->replies = replies;
	s->in = replies + 2 * DNS_SHOTS_QUESTIONS * DNS_FLIGHT_BYTES;
	set_up(s);
	r = replays[request->libc](s, is_absolute);
	if (r == 0)
		add_answers(s, text);
	return r;
}
