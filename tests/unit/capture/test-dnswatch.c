/* DNS on the wire: packets made here go in, and what came of each question, the groups and the findings must come out. Time is ours. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above */
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture/decode/packet.h"
#include "capture/dnswatch_wire.h"
#include "core/err.h"
#include "core/fd.h"
#include "core/target.h"

#define MS ((int64_t)1000000)
#define T0 ((int64_t)1795356000 * 1000000000)

enum { A = 1, AAAA = 28, SERVFAIL = 2, NXDOMAIN = 3 };

struct end {
	const char *address;
	uint16_t port;
};

static struct dnswatch_wire *wire;

static int setup(void **state)
{
	(void)state;
	wire = dnswatch_wire_new(7);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	dnswatch_wire_free(wire);
	return 0;
}

static size_t put16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
	return 2;
}

/* IPv4 with this protocol around a payload; checksums are not looked at. */
static size_t ip4(uint8_t *p, struct end from, struct end to, uint8_t protocol, const uint8_t *payload, size_t n)
{
	struct addr a;

	memset(p, 0, 20);
	p[0] = 0x45;
	put16(p + 2, (unsigned)(20 + n));
	p[8] = 64;
	p[9] = protocol;
	addr_parse(from.address, &a);
	memcpy(p + 12, a.bytes, 4);
	addr_parse(to.address, &a);
	memcpy(p + 16, a.bytes, 4);
	memcpy(p + 20, payload, n);
	return 20 + n;
}

static size_t udp(uint8_t *p, struct end from, struct end to, const uint8_t *payload, size_t n)
{
	uint8_t body[4096];

	put16(body, from.port);
	put16(body + 2, to.port);
	put16(body + 4, (unsigned)(8 + n));
	put16(body + 6, 0);
	memcpy(body + 8, payload, n);
	return ip4(p, from, to, 17, body, 8 + n);
}

static void feed(const uint8_t *p, size_t n, int64_t at)
{
	dnswatch_wire_packet(wire, p, (uint32_t)n, (uint32_t)n, LINK_TYPE_RAW, T0 + at);
}

static size_t question(uint8_t buf[DNS_QUERY_MAX], uint16_t id, const char *name, uint16_t type)
{
	struct dns_query q = { .question = { .type = type, .class = 1 }, .id = id, .recurse = true };
	struct err err;

	assert_int_equal(dns_name_parse(name, &q.question.name, NULL, &err), 0);
	return dns_message_query(&q, buf);
}

/* The answer to it: an address when there is one, else only the code. */
static size_t reply(uint8_t *buf, uint16_t id, const char *name, uint16_t type, unsigned rcode, const char *address)
{
	size_t n = question(buf, id, name, type);
	struct addr a;

	put16(buf + 2, 0x8180 | rcode);
	if (!address)
		return n;
	addr_parse(address, &a);
	put16(buf + 6, 1);
	n += put16(buf + n, 0xc00c);
	n += put16(buf + n, type);
	n += put16(buf + n, 1);
	n += put16(buf + n, 0);
	n += put16(buf + n, 60);
	n += put16(buf + n, a.kind == ADDR_IP4 ? 4 : 16);
	memcpy(buf + n, a.bytes, a.kind == ADDR_IP4 ? 4 : 16);
	return n + (a.kind == ADDR_IP4 ? 4 : 16);
}

static const struct end client = { "10.0.0.5", 40000 }, server = { "10.0.0.53", 53 };

static void ask_from(struct end from, struct end to, uint16_t id, const char *name, uint16_t type, int64_t at)
{
	uint8_t m[DNS_QUERY_MAX], p[4096];

	feed(p, udp(p, from, to, m, question(m, id, name, type)), at);
}

static void answer_to(struct end to, struct end from, uint16_t id, const char *name, uint16_t type, unsigned rcode, const char *address, int64_t at)
{
	uint8_t m[DNS_QUERY_MAX + 64], p[4096];

	feed(p, udp(p, from, to, m, reply(m, id, name, type, rcode, address)), at);
}

#define ASK(id, name, type, at)                        ask_from(client, server, id, name, type, at)
#define ANSWER(id, name, type, rcode, address, at)     answer_to(client, server, id, name, type, rcode, address, at)

static struct block *rows(void (*fill)(struct dnswatch_wire *, struct builder *), const struct row_type *type)
{
	struct builder *b = builder_new(type);
	struct block *ret;

	fill(wire, b);
	ret = builder_block(b);
	builder_free(b);
	return ret;
}

static void fill_findings(struct dnswatch_wire *w, struct builder *b)
{
	dnswatch_findings_rows(&w->findings, w->names, w->groups, b);
}

static struct dnswatch_row state_now(void)
{
	struct builder *b = builder_new(&dnswatch_row_type);
	struct dnswatch_row row = *dnswatch_rows_state(wire, b);

	builder_free(b);
	return row;
}

/* The row with this number; its texts live in *b. */
static const struct dnswatch_question *row_of(const struct block *b, uint64_t number)
{
	for (uint32_t i = 0; i < block_count(b); i++) {
		const struct dnswatch_question *row = block_row(b, i);

		if (row->number == number)
			return row;
	}
	fail_msg("no row %d", (int)number);
	return NULL;
}

static void same(const struct block *b, struct str s, const char *want)
{
	struct text t = block_text(b, s);

	if (!text_equal(t, text_of(want)))
		fail_msg("found \"%.*s\", expected \"%s\"", (int)t.n, t.n ? t.p : "", want);
}

/* The finding of that kind, or NULL. */
static const struct dnswatch_finding *finding(const struct block *b, const char *kind)
{
	for (uint32_t i = 0; i < block_count(b); i++) {
		const struct dnswatch_finding *f = block_row(b, i);

		if (text_equal(block_text(b, f->finding), text_of(kind)))
			return f;
	}
	return NULL;
}

static void expect_finding(const char *kind, uint64_t count, uint64_t total, const char *part)
{
	AUTO(block_unrefp) struct block *b = rows(fill_findings, &dnswatch_finding_type);
	const struct dnswatch_finding *f = finding(b, kind);
	struct text item;
	bool found = false;

	if (!f)
		fail_msg("no finding %s", kind);
	assert_int_equal(f->count, count);
	assert_int_equal(f->total, total);
	found = text_contains(block_text(b, f->text), text_of(part));
	for (uint32_t i = 0; block_list_item(b, f->evidence, i, &item); i++)
		found = found || text_contains(item, text_of(part));
	if (!found)
		fail_msg("%s does not say \"%s\": %.*s", kind, part, (int)f->text.len, block_text(b, f->text).p);
}

static void expect_none(const char *kind)
{
	AUTO(block_unrefp) struct block *b = rows(fill_findings, &dnswatch_finding_type);

	if (finding(b, kind))
		fail_msg("finding %s: %.*s", kind, (int)finding(b, kind)->text.len, block_text(b, finding(b, kind)->text).p);
}

/* --- rows --- */

static void test_pairs(void **state)
{
	AUTO(block_unrefp) struct block *b = NULL;
	const struct dnswatch_question *r;
	struct text item;

	(void)state;
	ASK(1, "www.example.", A, 0);
	ASK(2, "www.example.", AAAA, 0);
	ANSWER(2, "www.example.", AAAA, NXDOMAIN, NULL, 3 * MS);
	ANSWER(1, "WWW.example.", A, 0, "192.0.2.10", 5 * MS);
	ANSWER(9, "www.example.", A, 0, "192.0.2.66", 6 * MS); /* nobody asked */
	b = rows(dnswatch_rows_all, &dnswatch_question_type);
	assert_int_equal(block_count(b), 2);
	r = row_of(b, 1);
	assert_int_equal(((const struct dnswatch_question *)block_row(b, 0))->number, 2); /* newest first */
	same(b, r->name, "www.example.");
	same(b, r->type, "A");
	same(b, r->rcode, "NOERROR");
	same(b, r->flags, "qr rd ra");
	assert_int_equal(r->time_us, 5000);
	assert_int_equal(r->ttl, 60);
	assert_int_equal(r->state, DNSWATCH_ANSWERED);
	assert_int_equal(r->server_port, 53);
	assert_int_equal(r->client_port, 40000);
	assert_int_equal(r->pid, ROW_NO_UINT);
	assert_true(block_list_item(b, r->answers, 0, &item));
	assert_true(text_equal(item, text_of("192.0.2.10")));
	same(b, row_of(b, 2)->rcode, "NXDOMAIN");
	assert_int_equal(state_now().asked, 2);
	assert_int_equal(state_now().nxdomain, 1);
	assert_int_equal(state_now().p95_us, 5000);
}

static void test_retry_and_silence(void **state)
{
	AUTO(block_unrefp) struct block *b = NULL;

	(void)state;
	ASK(1, "lost.example.", A, 0);
	ASK(1, "lost.example.", A, 5000 * MS);
	ANSWER(1, "lost.example.", A, 0, "192.0.2.1", 5001 * MS);
	ASK(2, "dead.example.", A, 5100 * MS);
	dnswatch_wire_tick(wire, T0 + 10000 * MS);
	assert_int_equal(state_now().waiting, 1);
	dnswatch_wire_tick(wire, T0 + 11200 * MS);
	b = rows(dnswatch_rows_all, &dnswatch_question_type);
	assert_int_equal(row_of(b, 1)->retries, 1);
	assert_int_equal(row_of(b, 1)->gap_us, 5000000);
	assert_int_equal(row_of(b, 1)->time_us, 5001000);
	assert_int_equal(row_of(b, 1)->head.severity, SEVERITY_WARN);
	assert_int_equal(row_of(b, 2)->state, DNSWATCH_UNANSWERED);
	assert_int_equal(row_of(b, 2)->time_us, ROW_NO_UINT);
	assert_int_equal(row_of(b, 2)->rcode.len, UINT32_MAX);
	assert_int_equal(row_of(b, 2)->head.severity, SEVERITY_BAD);
	assert_int_equal(state_now().retried, 1);
	assert_int_equal(state_now().unanswered, 1);
}

/* Docker's port is redirected before a capture sees it; its upstream question is its own. */
static void test_docker(void **state)
{
	const struct end inside = { "127.0.0.1", 41000 }, docker = { "127.0.0.11", 44556 }, docker53 = { "127.0.0.11", 53 };
	const struct end out = { "172.18.0.5", 50000 }, upstream = { "8.8.8.8", 53 };
	AUTO(block_unrefp) struct block *b = NULL;

	(void)state;
	ask_from(inside, docker, 1, "example.org.", A, 0);
	b = rows(dnswatch_rows_all, &dnswatch_question_type);
	assert_int_equal(row_of(b, 1)->server_port, ROW_NO_UINT);
	ask_from(out, upstream, 77, "example.org.", A, 1 * MS);
	answer_to(out, upstream, 77, "example.org.", A, 0, "192.0.2.1", 20 * MS);
	answer_to(inside, docker53, 1, "example.org.", A, 0, "192.0.2.1", 21 * MS);
	block_unref(b);
	b = rows(dnswatch_rows_all, &dnswatch_question_type);
	assert_int_equal(row_of(b, 1)->server_port, 53);
	assert_int_equal(row_of(b, 1)->time_us, 21000);
	assert_int_equal(row_of(b, 1)->forwarded, 0);
	assert_int_equal(row_of(b, 2)->forwarded, 1);
	assert_int_equal(state_now().asked, 1);
	assert_int_equal(state_now().forwarded, 1);
}

static void icmp_about(struct end from, struct end to, struct end said_by, int64_t at)
{
	uint8_t quoted[64], body[128] = { 3, 3 }, p[4096], none[8] = { 0 };
	size_t n = udp(quoted, from, to, none, 8);

	memcpy(body + 8, quoted, n);
	feed(p, ip4(p, said_by, from, 1, body, 8 + n), at);
}

static void test_icmp(void **state)
{
	AUTO(block_unrefp) struct block *b = NULL;

	(void)state;
	ASK(1, "a.example.", A, 0);
	icmp_about(client, server, server, 2 * MS);
	b = rows(dnswatch_rows_all, &dnswatch_question_type);
	assert_int_equal(row_of(b, 1)->state, DNSWATCH_UNREACHABLE);
	same(b, row_of(b, 1)->note, "ICMP type 3 code 3 from 10.0.0.53");
	expect_finding("unreachable", 1, 1, "ICMP");
}

static void test_late(void **state)
{
	AUTO(block_unrefp) struct block *b = NULL;

	(void)state;
	ASK(1, "slow.example.", A, 0);
	dnswatch_wire_tick(wire, T0 + 6100 * MS);
	ANSWER(1, "slow.example.", A, 0, "192.0.2.1", 7000 * MS);
	/* and one whose reader had gone: its kernel refuses the answer */
	ASK(2, "gone.example.", A, 8000 * MS);
	ANSWER(2, "gone.example.", A, 0, "192.0.2.1", 9000 * MS);
	icmp_about(server, client, client, 9000 * MS + 1);
	b = rows(dnswatch_rows_all, &dnswatch_question_type);
	assert_int_equal(row_of(b, 1)->state, DNSWATCH_LATE);
	assert_int_equal(row_of(b, 1)->time_us, 7000000);
	assert_int_equal(row_of(b, 2)->state, DNSWATCH_LATE);
	assert_int_equal(state_now().late, 2);
	assert_int_equal(state_now().unanswered, 0);
	assert_int_equal(state_now().answered, 0);
	expect_finding("late", 2, 2, "7.0 s");
	expect_finding("late", 2, 2, "closed");
}

/* A stream of answers: each once, in order, and again when late. */
static void test_stream(void **state)
{
	struct builder *b = builder_new(&dnswatch_question_type);
	struct dnswatch_fetch fetch = { .since = 0 };

	(void)state;
	ASK(1, "a.example.", A, 0);
	ASK(2, "b.example.", A, 0);
	ASK(3, "c.example.", A, 0);
	ANSWER(2, "b.example.", A, 0, "192.0.2.1", 1 * MS);
	ANSWER(1, "a.example.", A, 0, "192.0.2.1", 2 * MS);
	dnswatch_rows_settled(wire, b, &fetch);
	assert_int_equal(builder_count(b), 2);
	assert_int_equal(((struct dnswatch_question *)builder_at(b, 0))->number, 2);
	assert_int_equal(((struct dnswatch_question *)builder_at(b, 1))->settled, state_now().settled);
	builder_clear(b);
	fetch.since = state_now().settled;
	dnswatch_wire_tick(wire, T0 + 6100 * MS);
	dnswatch_rows_settled(wire, b, &fetch);
	assert_int_equal(builder_count(b), 1);
	builder_clear(b);
	fetch.since = state_now().settled;
	ANSWER(3, "c.example.", A, 0, "192.0.2.1", 6500 * MS);
	dnswatch_rows_settled(wire, b, &fetch);
	assert_int_equal(builder_count(b), 1);
	assert_int_equal(((struct dnswatch_question *)builder_at(b, 0))->state, DNSWATCH_LATE);
	builder_free(b);
}

static void test_owner_is_waited_for(void **state)
{
	struct builder *b = builder_new(&dnswatch_question_type);
	struct dnswatch_fetch fetch = { .since = 0 };
	struct dnswatch_owner owner = { .inode = 99, .pid = 123, .process = "node" };

	(void)state;
	ASK(1, "a.example.", A, 0);
	dnswatch_pair_find(wire->pair, 1)->inode = 99;
	ANSWER(1, "a.example.", A, 0, "192.0.2.1", 1 * MS);
	dnswatch_rows_settled(wire, b, &fetch);
	assert_int_equal(builder_count(b), 0);
	dnswatch_wire_owner(wire, &owner);
	dnswatch_rows_settled(wire, b, &fetch);
	assert_int_equal(builder_count(b), 1);
	assert_int_equal(((struct dnswatch_question *)builder_at(b, 0))->pid, 123);
	builder_free(b);
}

/* --- TCP --- */

static void segment(struct end from, struct end to, uint32_t sequence, uint8_t flags, const uint8_t *bytes, size_t n, int64_t at)
{
	uint8_t body[4096] = { 0 }, p[4200];

	put16(body, from.port);
	put16(body + 2, to.port);
	put16(body + 4, sequence >> 16);
	put16(body + 6, sequence & 0xffff);
	body[12] = 0x50;
	body[13] = flags;
	memcpy(body + 20, bytes, n);
	feed(p, ip4(p, from, to, 6, body, 20 + n), at);
}

static size_t frame(uint8_t *buf, const uint8_t *m, size_t n)
{
	put16(buf, (unsigned)n);
	memcpy(buf + 2, m, n);
	return n + 2;
}

/* Two answers in one stream: a byte at a time, backwards in pieces of 7, both at once, with a piece twice. */
static void test_tcp(void **state)
{
	uint8_t m[DNS_QUERY_MAX + 64], stream[2048], q[DNS_QUERY_MAX + 2];
	size_t n, step;

	(void)state;
	for (int way = 0; way < 4; way++) {
		struct end from = { "10.0.0.5", (uint16_t)(41000 + way) };
		uint32_t base = 0xfffffff0; /* wraps */

		segment(from, server, 100, TCP_SYN, NULL, 0, 0);
		n = frame(q, m, question(m, 1, "one.example.", A));
		segment(from, server, 101, TCP_ACK | TCP_PSH, q, n, 0);
		step = frame(q, m, question(m, 2, "two.example.", AAAA));
		segment(from, server, 101 + (uint32_t)n, TCP_ACK | TCP_PSH, q, step, 0);
		segment(server, from, base - 1, TCP_SYN | TCP_ACK, NULL, 0, 0);
		n = frame(stream, m, reply(m, 2, "two.example.", AAAA, 0, "2001:db8::1"));
		n += frame(stream + n, m, reply(m, 1, "one.example.", A, 0, "192.0.2.1"));
		step = way == 0 ? 1 : way == 1 ? 7 : way == 2 ? n : 20;
		for (size_t at = 0; at < n; at += step) {
			size_t here = way == 1 ? (n - 1) / step * step - at : at, len = n - here < step ? n - here : step;

			segment(server, from, base + (uint32_t)here, TCP_ACK, stream + here, len, 2 * MS);
			if (way == 3)
				segment(server, from, base + (uint32_t)here, TCP_ACK, stream + here, len, 2 * MS);
		}
	}
	assert_int_equal(state_now().answered, 8);
	assert_int_equal(state_now().asked, 8);
	assert_int_equal(state_now().malformed, 0);
}

/* What is no message ends at the next segment, and a stream may be met in its middle. */
static void test_tcp_out_of_step(void **state)
{
	uint8_t m[DNS_QUERY_MAX], q[DNS_QUERY_MAX + 2], junk[40];
	size_t n = frame(q, m, question(m, 1, "one.example.", A));

	(void)state;
	memset(junk, 0xff, sizeof junk);
	junk[0] = 0;
	junk[1] = 20;
	segment(client, server, 5000, TCP_ACK, junk, sizeof junk, 0);
	segment(client, server, 5040, TCP_ACK, q, n, 0);
	assert_int_equal(state_now().asked, 1);
	for (uint16_t i = 0; i < 1000; i++)
		segment((struct end){ "10.0.0.6", (uint16_t)(1000 + i) }, server, 1, TCP_ACK, q, 10, 0);
	assert_true(dnswatch_tcp_count(wire->tcp) <= DNSWATCH_TCP_STREAMS);
}

/* --- groups --- */

static void search_list(uint32_t timeout_ms)
{
	struct dnswatch_params p = { .search = { "default.svc.cluster.local", "svc.cluster.local", "cluster.local" }, .n_search = 3,
		.timeout_ms = timeout_ms };

	dnswatch_wire_setup(wire, &p);
}

static void lookup(uint16_t id, const char *name, unsigned rcode, int64_t at)
{
	ASK(id, name, A, at);
	ASK(id + 1, name, AAAA, at);
	ANSWER(id, name, A, rcode, rcode ? NULL : "192.0.2.7", at + 1 * MS);
	ANSWER(id + 1, name, AAAA, rcode, NULL, at + 1 * MS);
}

static void test_search(void **state)
{
	AUTO(block_unrefp) struct block *b = NULL;
	const struct dnswatch_search *s;
	struct text item;

	(void)state;
	search_list(5000);
	lookup(10, "api.example.com.default.svc.cluster.local.", NXDOMAIN, 0);
	lookup(12, "api.example.com.svc.cluster.local.", NXDOMAIN, 2 * MS);
	lookup(14, "api.example.com.cluster.local.", NXDOMAIN, 4 * MS);
	lookup(16, "api.example.com.", 0, 6 * MS);
	lookup(18, "other.example.", 0, 8 * MS); /* none of it */
	b = rows(dnswatch_rows_searches, &dnswatch_search_type);
	assert_int_equal(block_count(b), 1);
	s = block_row(b, 0);
	same(b, s->wanted, "api.example.com");
	same(b, s->found, "api.example.com.");
	assert_int_equal(s->questions, 8);
	assert_int_equal(s->nxdomain, 6);
	assert_int_equal(s->time_us, 7000);
	assert_true(block_list_item(b, s->tried, 3, &item));
	assert_true(text_equal(item, text_of("api.example.com. found")));
	expect_finding("ndots", 6, 10, "6 of 10 questions");
	/* the same lookup again is another group */
	lookup(20, "api.example.com.default.svc.cluster.local.", NXDOMAIN, 100 * MS);
	lookup(22, "api.example.com.svc.cluster.local.", NXDOMAIN, 102 * MS);
	block_unref(b);
	b = rows(dnswatch_rows_searches, &dnswatch_search_type);
	assert_int_equal(block_count(b), 2);
}

static void test_names(void **state)
{
	AUTO(block_unrefp) struct block *b = NULL;
	const struct dnswatch_name *n;

	(void)state;
	for (uint16_t i = 0; i < 20; i++) {
		ASK((uint16_t)(100 + i), "often.example.", A, i * 10 * MS);
		ANSWER((uint16_t)(100 + i), "OFTEN.example.", A, i == 7 ? SERVFAIL : 0, NULL, i * 10 * MS + (i + 1) * MS);
	}
	ASK(1, "once.example.", AAAA, 500 * MS);
	dnswatch_wire_tick(wire, T0 + 7000 * MS);
	b = rows(dnswatch_rows_names, &dnswatch_name_type);
	assert_int_equal(block_count(b), 2);
	n = block_row(b, 0);
	same(b, n->name, "often.example.");
	assert_int_equal(n->count, 20);
	assert_int_equal(n->p50_us, 10000);
	assert_int_equal(n->p95_us, 19000);
	assert_int_equal(n->max_us, 20000);
	assert_int_equal(n->noerror, 19);
	assert_int_equal(n->failed, 1);
	n = block_row(b, 1);
	assert_int_equal(n->unanswered, 1);
	assert_int_equal(n->p50_us, ROW_NO_UINT);
	expect_finding("failing", 1, 21, "SERVFAIL");
}

/* --- findings --- */

static void test_five_seconds(void **state)
{
	(void)state;
	search_list(5000);
	for (uint16_t i = 0; i < 3; i++) {
		int64_t at = i * 20000 * MS;

		ASK(10, "db.example.", A, at);
		ASK(11, "db.example.", AAAA, at);
		ANSWER(10, "db.example.", A, 0, "192.0.2.1", at + 1 * MS);
		ASK(11, "db.example.", AAAA, at + 5004 * MS);
		ANSWER(11, "db.example.", AAAA, 0, NULL, at + 5005 * MS);
	}
	expect_finding("five-seconds", 3, 6, "conntrack");
	expect_finding("five-seconds", 3, 6, "asked again after 5.00 s");
	expect_none("late");
	expect_none("unreachable");
}

/* With a new id and port for each try, as Go does; and a gap that is no timeout. */
static void test_five_seconds_anew(void **state)
{
	const struct end second = { "10.0.0.5", 40001 };

	(void)state;
	search_list(2000);
	ASK(1, "go.example.", A, 0);
	ask_from(second, server, 2, "go.example.", A, 2003 * MS);
	answer_to(second, server, 2, "go.example.", A, 0, "192.0.2.1", 2004 * MS);
	ASK(5, "slow.example.", A, 3000 * MS);
	ASK(5, "slow.example.", A, 3700 * MS);
	ANSWER(5, "slow.example.", A, 0, "192.0.2.1", 3701 * MS);
	expect_finding("five-seconds", 1, 3, "2.00 s");
}

static void test_dead_aaaa(void **state)
{
	(void)state;
	for (uint16_t i = 0; i < 3; i++) {
		ASK((uint16_t)(10 + i), "q.example.", A, i * 10000 * MS);
		ASK((uint16_t)(20 + i), "q.example.", AAAA, i * 10000 * MS);
		ANSWER((uint16_t)(10 + i), "q.example.", A, 0, "192.0.2.1", i * 10000 * MS + 1 * MS);
	}
	dnswatch_wire_tick(wire, T0 + 60000 * MS);
	expect_finding("dead-aaaa", 3, 3, "q.example.");
	expect_none("five-seconds");
}

static void truncated_answer(uint16_t id, const char *name, int64_t at)
{
	uint8_t m[DNS_QUERY_MAX + 64], p[4096];
	size_t n = reply(m, id, name, A, 0, NULL);

	put16(m + 2, 0x8380);
	feed(p, udp(p, server, client, m, n), at);
}

static void test_truncated(void **state)
{
	uint8_t m[DNS_QUERY_MAX], q[DNS_QUERY_MAX + 2];

	(void)state;
	ASK(1, "big.example.", A, 0);
	truncated_answer(1, "big.example.", 1 * MS);
	segment((struct end){ client.address, 45000 }, server, 1, TCP_SYN, NULL, 0, 2 * MS);
	segment((struct end){ client.address, 45000 }, server, 2, TCP_ACK, q, frame(q, m, question(m, 9, "big.example.", A)), 3 * MS);
	dnswatch_wire_tick(wire, T0 + 3000 * MS);
	expect_none("truncated");
	ASK(2, "huge.example.", A, 3000 * MS);
	truncated_answer(2, "huge.example.", 3001 * MS);
	segment((struct end){ client.address, 45001 }, server, 1, TCP_SYN, NULL, 0, 3002 * MS);
	segment(server, (struct end){ client.address, 45001 }, 0, TCP_RST | TCP_ACK, NULL, 0, 3003 * MS);
	dnswatch_wire_tick(wire, T0 + 6000 * MS);
	expect_finding("truncated", 1, 2, "refused TCP");
}

static void test_dead_server(void **state)
{
	const struct end dead = { "10.0.0.99", 53 };

	(void)state;
	for (uint16_t i = 0; i < 2; i++)
		ask_from(client, dead, (uint16_t)(1 + i), "x.example.", A, i * 1000 * MS);
	ASK(3, "x.example.", A, 2000 * MS);
	ANSWER(3, "x.example.", A, 0, "192.0.2.1", 2001 * MS);
	dnswatch_wire_tick(wire, T0 + 20000 * MS);
	expect_finding("unreachable", 2, 2, "10.0.0.99 never answers");
}

/* musl asks all servers at once and takes the first answer: the others are no fault. */
static void test_parallel_servers(void **state)
{
	const struct end other = { "10.0.0.54", 53 };
	AUTO(block_unrefp) struct block *b = NULL;

	(void)state;
	ASK(1, "m.example.", A, 0);
	ask_from(client, other, 1, "m.example.", A, 0);
	ANSWER(1, "m.example.", A, 0, "192.0.2.1", 1 * MS);
	answer_to(client, other, 1, "m.example.", A, 0, "192.0.2.1", 3000 * MS);
	icmp_about(other, client, client, 3000 * MS + 1);
	b = rows(dnswatch_rows_all, &dnswatch_question_type);
	assert_int_equal(row_of(b, 2)->state, DNSWATCH_ANSWERED);
	expect_none("late");
}

static struct block *networks(void)
{
	struct builder *b = builder_new(&network_row_type);
	struct network_row *n;
	struct str subnets = ROW_NO_TEXT;
	struct block *ret;

	builder_list_add(b, &subnets, "172.18.0.0/20", 13);
	n = builder_row(b);
	n->name = builder_str(b, "shop");
	n->driver = builder_str(b, "bridge");
	n->subnets = subnets;
	addr_parse("172.18.0.1", &n->gateway);
	n->id = n->runtime = n->scope = n->interface = n->members = ROW_NO_TEXT;
	ret = builder_block(b);
	builder_free(b);
	return ret;
}

static struct block *targets(void)
{
	struct builder *b = builder_new(&target_row_type);
	struct str addresses = ROW_NO_TEXT, nets = ROW_NO_TEXT;
	struct target_row *t;
	struct block *ret;

	builder_list_add(b, &addresses, "172.18.0.3", 10);
	builder_list_add(b, &nets, "shop", 4);
	t = builder_row(b);
	t->head.flags = TARGET_IS_CONTAINER;
	t->state = TARGET_STATE_RUNNING;
	t->name = builder_str(b, "db");
	t->addresses = addresses;
	t->networks = nets;
	ret = builder_block(b);
	builder_free(b);
	return ret;
}

static void test_stale(void **state)
{
	AUTO(block_unrefp) struct block *nets = networks(), *all = targets(), *b = NULL, *named = NULL, *found = NULL;
	struct dnswatch_stale stale = { 0 };

	(void)state;
	ASK(1, "db.", A, 0);
	ANSWER(1, "db.", A, 0, "172.18.0.3", 1 * MS);
	ASK(2, "old.", A, 2 * MS);
	ANSWER(2, "old.", A, 0, "172.18.9.9", 3 * MS);
	ASK(3, "far.", A, 4 * MS);
	ANSWER(3, "far.", A, 0, "172.18.16.1", 5 * MS); /* next to the network */
	b = rows(dnswatch_rows_all, &dnswatch_question_type);
	named = dnswatch_name_targets(b, all);
	same(named, row_of(named, 1)->target, "db");
	assert_int_equal(row_of(named, 2)->target.len, UINT32_MAX);
	dnswatch_stale_count(&stale, b, all, nets, block_row(all, 0), 0);
	assert_int_equal(stale.seen, 3);
	assert_int_equal(stale.count, 1);
	assert_string_equal(stale.name, "old.");
	dnswatch_stale_count(&stale, b, all, nets, NULL, 3);
	assert_int_equal(stale.count, 1);
	found = dnswatch_findings_join(NULL, &stale);
	assert_int_equal(block_count(found), 1);
	same(found, ((const struct dnswatch_finding *)block_row(found, 0))->finding, "stale-address");
}

/* --- bounds --- */

static void test_flood(void **state)
{
	AUTO(block_unrefp) struct block *b = NULL, *names = NULL;
	char name[64];

	(void)state;
	search_list(5000);
	for (unsigned i = 0; i < 3 * DNSWATCH_KEPT; i++) {
		snprintf(name, sizeof name, "n%u.default.svc.cluster.local.", i);
		ask_from((struct end){ "10.0.0.7", (uint16_t)(1024 + i % 60000) }, server, (uint16_t)i, name, A, i * 1000);
	}
	b = rows(dnswatch_rows_all, &dnswatch_question_type);
	assert_int_equal(block_count(b), DNSWATCH_KEPT);
	assert_int_equal(state_now().asked, 3 * DNSWATCH_KEPT);
	dnswatch_wire_tick(wire, T0 + 20000 * MS);
	names = rows(dnswatch_rows_names, &dnswatch_name_type);
	assert_in_range(block_count(names), 1, DNSWATCH_NAMES);
	assert_int_equal(dnswatch_pair_evicted(wire->pair, 0), 2 * DNSWATCH_KEPT); /* nothing is lost without being counted */
	assert_int_equal(state_now().unanswered, DNSWATCH_KEPT);
}

static void test_junk(void **state)
{
	uint8_t junk[200], p[4096];

	(void)state;
	for (unsigned i = 0; i < sizeof junk; i++)
		junk[i] = (uint8_t)(i * 37);
	for (size_t n = 1; n < sizeof junk; n++)
		feed(p, udp(p, client, server, junk, n), 0);
	assert_true(state_now().malformed > 100);
	assert_int_equal(state_now().asked, 0);
	dnswatch_wire_clear(wire);
	assert_int_equal(state_now().malformed, 0);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = { T(test_pairs), T(test_retry_and_silence), T(test_docker), T(test_icmp), T(test_late), T(test_stream),
		T(test_owner_is_waited_for), T(test_tcp), T(test_tcp_out_of_step), T(test_search), T(test_names), T(test_five_seconds),
		T(test_five_seconds_anew), T(test_dead_aaaa), T(test_truncated), T(test_dead_server), T(test_parallel_servers), T(test_stale),
		T(test_flood), T(test_junk) };

	return cmocka_run_group_tests_name("dnswatch", tests, NULL, NULL);
}
