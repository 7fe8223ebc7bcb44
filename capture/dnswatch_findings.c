/*
 * Findings of a watch: see dnswatch_findings.h. Each says what was seen, of how many, which questions show it, and what helps. The
 * 5-second pattern: glibc sends A and AAAA from one socket at once, conntrack drops one of the two (both try to make the same entry), and
 * after the timeout of resolv.conf the question is repeated and answered at once.
 */
#include "capture/dnswatch_findings.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/block.h"
#include "core/dns/ask.h"
#include "core/fd.h"

enum { SLOW_US = 1000000, SLOW_FACTOR = 10, DEAD_AT_LEAST = 2 };
#define EARLY_NS     ((int64_t)100000000)
#define LATE_NS      ((int64_t)300000000) /* a busy machine starts its programs late */
#define NS_PER_MS    ((int64_t)1000000)

void dnswatch_findings_clear(struct dnswatch_findings *f)
{
	*f = (struct dnswatch_findings){ .timeout_ms = f->timeout_ms, .attempts = f->attempts };
}

/* --- counting --- */

size_t dnswatch_question_text(const struct dnswatch_exchange *e, char *buf, size_t cap)
{
	char name[DNS_NAME_PRINT], type[16];
	int n;

	dns_name_format(&e->question.name, name, sizeof name);
	n = snprintf(buf, cap, "question %" PRIu64 ": %s %.200s", e->number, dns_type_name(e->question.type, type), name);
	return n < 0 ? 0 : (size_t)n < cap ? (size_t)n : cap - 1;
}

/* Room for one more sentence about e, behind "question 12: A name"; NULL: there are enough. */
static char *example(struct dnswatch_examples *x, const struct dnswatch_exchange *e, size_t *ret_cap)
{
	char *text;
	size_t n;

	if (x->n == DNSWATCH_EXAMPLES)
		return NULL;
	if (x->n == 0) {
		char name[DNS_NAME_PRINT];

		dns_name_format(&e->question.name, name, sizeof name);
		snprintf(x->name, sizeof x->name, "%.255s", name);
		x->server = e->server;
	}
	text = x->text[x->n++];
	n = dnswatch_question_text(e, text, DNSWATCH_SENTENCE);
	*ret_cap = DNSWATCH_SENTENCE - n;
	return text + n;
}

static double seconds(int64_t ns)
{
	return (double)ns / 1e9;
}

static bool is_about(int64_t gap_ns, int64_t wait_ns)
{
	return gap_ns > wait_ns - EARLY_NS && gap_ns < wait_ns + LATE_NS;
}

/* Is this the time that a resolver waits before it asks again? glibc and Go: the timeout; musl: the timeout in so many parts. */
static bool is_timeout(const struct dnswatch_findings *f, int64_t gap_ns)
{
	int64_t timeout = (f->timeout_ms ? f->timeout_ms : 5000) * NS_PER_MS;
	uint32_t attempts = f->attempts ? f->attempts : 2;

	return is_about(gap_ns, timeout) || is_about(gap_ns, timeout / attempts);
}

static void count_gap(struct dnswatch_findings *f, const struct dnswatch_exchange *e, int64_t gap_ns, bool twin)
{
	uint64_t us = (uint64_t)gap_ns / 1000;
	char *text;
	size_t cap;

	if (!f->five.count || us < f->five.least_us)
		f->five.least_us = us;
	f->five.most_us = us > f->five.most_us ? us : f->five.most_us;
	f->five.count++;
	f->five.twins += twin;
	text = example(&f->five.examples, e, &cap);
	if (text)
		snprintf(text, cap, ", asked again after %.2f s, answered %.1f ms later%s", seconds(gap_ns),
			seconds(e->answer_ns - e->last_ns) * 1e3,
			twin ? "; its A/AAAA twin from the same socket was answered at once" : "");
}

/* A repetition after exactly the timeout, answered at once: the first one was lost, and its server was well. */
static void look_for_gap(struct dnswatch_findings *f, const struct dnswatch_exchange *e, const struct dnswatch_exchange *earlier)
{
	int64_t quick = (f->timeout_ms ? f->timeout_ms : 5000) * NS_PER_MS / 4;

	if (e->state != DNSWATCH_ANSWERED || e->tcp || e->answer_ns - e->last_ns > quick)
		return;
	if (e->retries && is_timeout(f, e->gap_ns))
		count_gap(f, e, e->gap_ns, e->twin_answered);
	else if (!e->retries && e->repeats && is_timeout(f, e->repeats_ns) && earlier && !earlier->answer_ns)
		count_gap(f, e, e->repeats_ns, earlier->twin_answered);
}

static struct dnswatch_server *server_of(struct dnswatch_findings *f, const struct addr *address, bool forwarded)
{
	struct dnswatch_server *oldest = &f->servers[0];

	for (unsigned i = 0; i < f->n_servers; i++) {
		if (f->servers[i].forwarded == forwarded && addr_same(&f->servers[i].address, address))
			return &f->servers[i];
		if (f->servers[i].last_ns < oldest->last_ns)
			oldest = &f->servers[i];
	}
	if (f->n_servers < DNSWATCH_SERVERS)
		oldest = &f->servers[f->n_servers++];
	*oldest = (struct dnswatch_server){ .address = *address, .forwarded = forwarded };
	return oldest;
}

static void count_silence(struct dnswatch_server *s, const struct dnswatch_exchange *e)
{
	char *text, from[ADDR_TEXT];
	size_t cap;

	s->in_a_row = s->answer_ns > e->last_ns ? 0 : s->in_a_row + 1; /* it answers others: one name's trouble */
	s->unanswered += e->state == DNSWATCH_UNANSWERED;
	s->unreachable += e->state == DNSWATCH_UNREACHABLE;
	text = example(&s->silences, e, &cap);
	if (text && e->state == DNSWATCH_UNREACHABLE)
		snprintf(text, cap, ", refused by ICMP type %u code %u from %s", e->icmp_type, e->icmp_code, addr_format(&e->said_by, from));
	else if (text)
		snprintf(text, cap, ", asked %u time%s in %.1f s, no answer", e->retries + 1U, e->retries ? "s" : "",
			seconds(e->settled_ns - e->first_ns));
}

static void count_server(struct dnswatch_findings *f, const struct dnswatch_exchange *e, bool again)
{
	struct dnswatch_server *s = server_of(f, &e->server, e->forwarded);
	char *text, code[16];
	size_t cap;

	s->last_ns = e->last_ns;
	s->asked += !again;
	if (!e->answer_ns) {
		count_silence(s, e);
		return;
	}
	if (e->client_gone)
		return;
	s->in_a_row = 0;
	s->answer_ns = e->answer_ns;
	s->answered++;
	if (!dnswatch_is_failure(e))
		return;
	s->failed++;
	text = example(&s->failures, e, &cap);
	if (text)
		snprintf(text, cap, ": %s", dns_rcode_name(e->rcode, code));
}

static void count_late(struct dnswatch_findings *f, const struct dnswatch_exchange *e)
{
	int64_t took = e->answer_ns - e->first_ns;
	char *text;
	size_t cap;

	f->late.count++;
	f->late.gone += e->client_gone;
	if ((uint64_t)took / 1000 > f->late.most_us)
		f->late.most_us = (uint64_t)took / 1000;
	text = example(&f->late.examples, e, &cap);
	if (text)
		snprintf(text, cap, ", answered after %.2f s%s", seconds(took),
			e->client_gone ? "; the client's socket was closed (ICMP port unreachable)" : "");
}

void dnswatch_findings_settled(struct dnswatch_findings *f, const struct dnswatch_exchange *e, const struct dnswatch_exchange *earlier,
	bool again)
{
	count_server(f, e, again);
	if (e->forwarded)
		return;
	f->asked += !again;
	if (e->state == DNSWATCH_LATE)
		count_late(f, e);
	look_for_gap(f, e, earlier);
}

void dnswatch_findings_truncated(struct dnswatch_findings *f, const struct dnswatch_exchange *e)
{
	struct dnswatch_server *s = server_of(f, &e->server, e->forwarded);
	char *text;
	size_t cap;

	if (e->forwarded)
		return;
	f->truncated.count++;
	if (e->followed)
		return;
	f->truncated.lone++;
	f->truncated.refused += s->refused > 0;
	text = example(&f->truncated.examples, e, &cap);
	if (text)
		snprintf(text, cap, ", cut short at %u bytes over UDP, %s", e->size,
			s->refused ? "and the server refused TCP" : s->syn ? "and TCP gave no answer" : "and never asked over TCP");
}

void dnswatch_findings_tcp(struct dnswatch_findings *f, const struct addr *server, bool refused)
{
	struct dnswatch_server *s = server_of(f, server, false);

	s->syn += !refused;
	s->refused += refused;
}

/* --- rows --- */

static struct dnswatch_finding *add(struct builder *b, const char *finding, enum severity severity, const char *remedy)
{
	struct dnswatch_finding *row = builder_row(b);

	row->head.severity = severity;
	row->finding = builder_str(b, finding);
	row->remedy = builder_str(b, remedy);
	row->evidence = row->name = ROW_NO_TEXT;
	row->head.id = row_hash(finding, strlen(finding), builder_count(b));
	return row;
}

static void add_examples(struct builder *b, struct dnswatch_finding *row, const struct dnswatch_examples *x)
{
	for (unsigned i = 0; i < x->n; i++)
		builder_list_add(b, &row->evidence, x->text[i], strlen(x->text[i]));
	if (x->n == 0)
		return;
	row->name = builder_str(b, x->name);
	row->server = x->server;
}

static void five_row(const struct dnswatch_findings *f, struct builder *b)
{
	struct dnswatch_finding *row;
	char text[DNSWATCH_SENTENCE];

	if (f->five.count == 0)
		return;
	row = add(b, "five-seconds", SEVERITY_BAD,
		f->five.twins ? "resolv.conf: options single-request-reopen, or use-vc; or a caching resolver near the container" :
				"look for packet loss towards the resolver, or for its rate limits; options timeout:1 shortens the wait");
	snprintf(text, sizeof text, "%" PRIu64 " of %" PRIu64 " questions were repeated after %.1f s and then answered at once: a packet was "
		"lost%s", f->five.count, f->asked, (double)f->five.least_us / 1e6,
		f->five.twins ? ", as conntrack does when A and AAAA leave one socket together" : "");
	row->text = builder_str(b, text);
	row->count = f->five.count;
	row->total = f->asked;
	add_examples(b, row, &f->five.examples);
}

static void unreachable_row(const struct dnswatch_server *s, struct builder *b)
{
	uint64_t silent = s->unanswered + s->unreachable;
	char text[DNSWATCH_SENTENCE], address[ADDR_TEXT];
	struct dnswatch_finding *row;
	bool dead = s->answered == 0;

	if (s->unreachable == 0 && (silent < DEAD_AT_LEAST || (!dead && s->in_a_row < 3)))
		return;
	addr_format(&s->address, address);
	row = add(b, "unreachable", dead && !s->forwarded ? SEVERITY_BAD : SEVERITY_WARN,
		s->unreachable ? "nothing listens there, or a firewall rejects: check the address in resolv.conf and the server" :
				 "a firewall that drops, a wrong address in resolv.conf, or a server that is down: probe port 53");
	snprintf(text, sizeof text, "%s%s %s: %" PRIu64 " of %" PRIu64 " questions without an answer%s", s->forwarded ?
		"the engine's upstream " : "resolver ", address, s->unreachable ? "is unreachable" : dead ? "never answers" :
		"has stopped answering", silent, s->asked, s->unreachable ? " (ICMP unreachable)" : "");
	row->text = builder_str(b, text);
	row->count = silent;
	row->total = s->asked;
	add_examples(b, row, &s->silences);
}

static void failing_row(const struct dnswatch_server *s, struct builder *b)
{
	char text[DNSWATCH_SENTENCE], address[ADDR_TEXT];
	struct dnswatch_finding *row;

	if (s->failed == 0)
		return;
	addr_format(&s->address, address);
	row = add(b, "failing", SEVERITY_WARN, "ask the same name at the server's own upstreams: @ADDRESS");
	snprintf(text, sizeof text, "%s%s failed for %" PRIu64 " of %" PRIu64 " questions", s->forwarded ? "the engine's upstream " :
		"resolver ", address, s->failed, s->asked);
	row->text = builder_str(b, text);
	row->count = s->failed;
	row->total = s->asked;
	add_examples(b, row, &s->failures);
}

/* AAAA silent, failing or slow where A is well. */
static bool is_dead_aaaa(const struct dnswatch_entry *e, const struct dnswatch_type **ret_a, const struct dnswatch_type **ret_aaaa)
{
	const struct dnswatch_type *a = dnswatch_names_type(e, DNS_TYPE_A), *aaaa = dnswatch_names_type(e, DNS_TYPE_AAAA);

	*ret_a = a;
	*ret_aaaa = aaaa;
	if (!a || !aaaa || a->answered == 0 || a->unanswered || a->failed)
		return false;
	if (aaaa->unanswered * 2 >= aaaa->asked && aaaa->unanswered >= DEAD_AT_LEAST)
		return true;
	if (aaaa->failed * 2 >= aaaa->asked && aaaa->failed >= DEAD_AT_LEAST)
		return true;
	return aaaa->answered && aaaa->sum_us / aaaa->answered > SLOW_US && aaaa->sum_us / aaaa->answered > a->sum_us / a->answered * SLOW_FACTOR;
}

static size_t dead_sentence(const struct dnswatch_entry *e, const struct dnswatch_type *a, const struct dnswatch_type *aaaa, char *buf, size_t cap)
{
	char name[DNS_NAME_PRINT];
	int n;

	dns_name_format(&e->name, name, sizeof name);
	n = snprintf(buf, cap, "%.200s: AAAA asked %u times, %u unanswered, %u failed, at most %.1f s; A answered %u times in %.1f ms on average",
		name, aaaa->asked, aaaa->unanswered, aaaa->failed, aaaa->max_us / 1e6, a->answered, (double)a->sum_us / a->answered / 1e3);
	return n < 0 ? 0 : (size_t)n < cap ? (size_t)n : cap - 1;
}

static void aaaa_row(const struct dnswatch_names *names, struct builder *b)
{
	char sentence[DNSWATCH_SENTENCE], text[DNSWATCH_SENTENCE], name[DNS_NAME_PRINT] = "";
	const struct dnswatch_type *a, *aaaa;
	struct str evidence = ROW_NO_TEXT;
	struct dnswatch_finding *row;
	uint64_t n = 0, bad = 0, asked = 0;

	for (unsigned i = 0; i < DNSWATCH_NAMES; i++) {
		const struct dnswatch_entry *e = dnswatch_names_at(names, i);

		if (!e || !is_dead_aaaa(e, &a, &aaaa))
			continue;
		if (n++ == 0)
			dns_name_format(&e->name, name, sizeof name);
		bad += aaaa->unanswered + aaaa->failed;
		asked += aaaa->asked;
		if (n <= DNSWATCH_EXAMPLES)
			builder_list_add(b, &evidence, sentence, dead_sentence(e, a, aaaa, sentence, sizeof sentence));
	}
	if (n == 0)
		return;
	row = add(b, "dead-aaaa", SEVERITY_BAD,
		"have the server answer AAAA with an empty answer (NOERROR); glibc 2.36: options no-aaaa; or ask for IPv4 only");
	snprintf(text, sizeof text, "AAAA of %.200s%s is not answered in time while A is: each lookup waits for it", name,
		n > 1 ? " and others" : "");
	row->text = builder_str(b, text);
	row->evidence = evidence;
	row->count = bad ? bad : n;
	row->total = asked;
	row->name = builder_str(b, name);
}

static void truncated_row(const struct dnswatch_findings *f, struct builder *b)
{
	char text[DNSWATCH_SENTENCE];
	struct dnswatch_finding *row;

	if (f->truncated.lone == 0)
		return;
	row = add(b, "truncated", f->truncated.refused ? SEVERITY_BAD : SEVERITY_WARN,
		"let TCP port 53 through and have the server listen on it; options edns0 allows larger answers over UDP");
	snprintf(text, sizeof text, "%" PRIu64 " of %" PRIu64 " answers cut short over UDP were not asked again over TCP%s", f->truncated.lone,
		f->truncated.count, f->truncated.refused ? ", where the server refuses connections" : "");
	row->text = builder_str(b, text);
	row->count = f->truncated.lone;
	row->total = f->truncated.count;
	add_examples(b, row, &f->truncated.examples);
}

static void late_row(const struct dnswatch_findings *f, struct builder *b)
{
	char text[DNSWATCH_SENTENCE];
	struct dnswatch_finding *row;

	if (f->late.count == 0)
		return;
	row = add(b, "late", SEVERITY_WARN, "a nearer or faster resolver, or a longer timeout in resolv.conf (options timeout:N)");
	snprintf(text, sizeof text, "%" PRIu64 " of %" PRIu64 " answers came when nobody waited any more, the slowest after %.1f s", f->late.count,
		f->asked, (double)f->late.most_us / 1e6);
	row->text = builder_str(b, text);
	row->count = f->late.count;
	row->total = f->asked;
	add_examples(b, row, &f->late.examples);
}

static void ndots_evidence(const struct dnswatch_groups *groups, const struct dnswatch_group *g, struct builder *b, struct dnswatch_finding *row)
{
	char text[DNSWATCH_SENTENCE], name[DNS_NAME_PRINT];

	for (unsigned i = 0; i < g->n_tried; i++) {
		const struct dnswatch_tried *t = &g->tried[i];
		struct dns_name made;

		if (!dnswatch_groups_tried(groups, g, i, &made))
			continue;
		dns_name_format(&made, name, sizeof name);
		snprintf(text, sizeof text, "%.200s asked %u time%s: %s", name, t->asked, t->asked == 1 ? "" : "s",
			t->found ? "found" : t->empty ? "exists, without such a record" : t->nxdomain ? "NXDOMAIN" : "no answer");
		builder_list_add(b, &row->evidence, text, strlen(text));
	}
	dns_name_format(&g->wanted, name, sizeof name);
	row->name = builder_str(b, name);
}

static void ndots_row(const struct dnswatch_findings *f, const struct dnswatch_groups *groups, struct builder *b)
{
	struct dnswatch_waste w = dnswatch_groups_waste(groups);
	const struct dnswatch_group *g = dnswatch_groups_find(groups, w.example);
	char text[DNSWATCH_SENTENCE];
	struct dnswatch_finding *row;

	if (w.nxdomain == 0)
		return;
	row = add(b, "ndots", w.nxdomain * 2 >= w.questions ? SEVERITY_WARN : SEVERITY_OK,
		"write the whole name with a final dot, or lower ndots (options ndots:1), or put the likely domain first in search");
	snprintf(text, sizeof text, "%" PRIu64 " of %" PRIu64 " questions asked for names that only the search list made and that do not exist, "
		"in %" PRIu64 " lookup%s", w.nxdomain, f->asked > w.questions ? f->asked : w.questions, w.groups, w.groups == 1 ? "" : "s");
	row->text = builder_str(b, text);
	row->count = w.nxdomain;
	row->total = f->asked > w.questions ? f->asked : w.questions;
	if (g)
		ndots_evidence(groups, g, b, row);
}

void dnswatch_findings_rows(const struct dnswatch_findings *f, const struct dnswatch_names *names, const struct dnswatch_groups *groups,
	struct builder *b)
{
	five_row(f, b);
	for (unsigned i = 0; i < f->n_servers; i++)
		unreachable_row(&f->servers[i], b);
	aaaa_row(names, b);
	truncated_row(f, b);
	for (unsigned i = 0; i < f->n_servers; i++)
		failing_row(&f->servers[i], b);
	late_row(f, b);
	ndots_row(f, groups, b);
}
