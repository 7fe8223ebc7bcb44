/* Probes without a network: destinations, verdicts from facts, statistics, and the texts that servers say. */
#include "core/probe/dest.h"

#include <errno.h>
#include <linux/neighbour.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/block.h"
#include "core/err.h"
#include "core/fd.h"
#include "core/probe/echo.h"
#include "core/probe/httptext.h"
#include "core/probe/lookup.h"
#include "core/probe/run.h"
#include "core/probe/stats.h"
#include "core/probe/wire.h"

/* --- destinations --- */

static const struct {
	uint32_t kind;
	const char *text, *host, *zone; /* host NULL: refused */
	uint16_t port;
	uint8_t literal;
} dests[] = {
	{ PROBE_TCP, "db:5432", "db", "", 5432, 0 },
	{ PROBE_TCP, "10.0.0.1:1", "10.0.0.1", "", 1, ADDR_IP4 },
	{ PROBE_TCP, "[::1]:80", "::1", "", 80, ADDR_IP6 },
	{ PROBE_TCP, "[fe80::1%eth0]:80", "fe80::1", "eth0", 80, ADDR_IP6 },
	{ PROBE_TCP, "::1:80", NULL, "", 0, 0 }, /* where does the address end? */
	{ PROBE_TCP, "db", NULL, "", 0, 0 },
	{ PROBE_TCP, "db:", NULL, "", 0, 0 },
	{ PROBE_TCP, "db:0", NULL, "", 0, 0 },
	{ PROBE_TCP, "db:65536", NULL, "", 0, 0 },
	{ PROBE_TCP, "db:1x", NULL, "", 0, 0 },
	{ PROBE_TCP, ":80", NULL, "", 0, 0 },
	{ PROBE_TCP, "[::1:80", NULL, "", 0, 0 },
	{ PROBE_TCP, "[::1]80", NULL, "", 0, 0 },
	{ PROBE_TCP, "a b:80", NULL, "", 0, 0 },
	{ PROBE_TCP, "10.0.0.0/8:80", NULL, "", 0, 0 },
	{ PROBE_UDP, "dns:53", "dns", "", 53, 0 },
	{ PROBE_PING, "::1", "::1", "", 0, ADDR_IP6 },
	{ PROBE_PING, "[::1]", "::1", "", 0, ADDR_IP6 },
	{ PROBE_PING, "fe80::1%eth0", "fe80::1", "eth0", 0, ADDR_IP6 },
	{ PROBE_PING, "db:80", NULL, "", 0, 0 },
	{ PROBE_PING, "", NULL, "", 0, 0 },
	{ PROBE_TRACE, "db:80", "db", "", 80, 0 },
	{ PROBE_MTU, "02:42:ac:11:00:02", NULL, "", 0, 0 },
	{ PROBE_HTTP, "http://api/x?y:1", "api", "", 80, 0 },
	{ PROBE_HTTP, "HTTPS://api:8443", "api", "", 8443, 0 },
	{ PROBE_HTTP, "https://[::1]/", "::1", "", 443, ADDR_IP6 },
	{ PROBE_HTTP, "api:8080/health", "api", "", 8080, 0 },
	{ PROBE_HTTP, "http://", NULL, "", 0, 0 },
	{ PROBE_HTTP, "http://u:p@api/", NULL, "", 0, 0 },
	{ PROBE_HTTP, "http://a b/", NULL, "", 0, 0 },
	{ PROBE_HTTP, "http://api/\r\nHost: x", NULL, "", 0, 0 },
};

static void test_destinations(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(dests); i++) {
		struct err err = { 0 };
		struct dest d;
		int r = dest_parse(dests[i].kind, dests[i].text, &d, &err);

		if ((r == 0) != (dests[i].host != NULL))
			fail_msg("\"%s\": %d %s", dests[i].text, r, err.msg);
		if (r < 0)
			continue;
		assert_string_equal(d.host, dests[i].host);
		assert_string_equal(d.zone, dests[i].zone);
		assert_int_equal(d.port, dests[i].port);
		assert_int_equal(d.literal.kind, dests[i].literal);
	}
}

/* --- containers --- */

static struct endpoint_row endpoint(struct builder *b, const char *network, const char *address)
{
	struct endpoint_row e = { .network = builder_str(b, network), .network_id = ROW_NO_TEXT, .interface = ROW_NO_TEXT, .aliases = ROW_NO_TEXT };

	assert_int_equal(addr_parse(address, &e.address), 0);
	return e;
}

static void add_target(struct builder *b, const char *name, uint32_t state, const char *const (*networks)[2], unsigned n)
{
	struct target_row *t = builder_row(b);
	struct endpoint_row endpoints[4];

	t->head = (struct row_head){ .id = builder_count(b), .flags = TARGET_IS_CONTAINER };
	t->name = builder_str(b, name);
	t->state = state;
	t->netns = 1000 + builder_count(b);
	t->id = t->runtime = t->image = t->command = t->networks = t->network_mode = t->shares_with = t->hostname = ROW_NO_TEXT;
	t->project = t->path = t->problem = ROW_NO_TEXT;
	t->addresses = ROW_NO_TEXT;
	for (unsigned i = 0; i < n; i++)
		builder_list_add(b, &t->addresses, networks[i][1], strcspn(networks[i][1], "/"));
	for (unsigned i = 0; i < n; i++)
		endpoints[i] = endpoint(b, networks[i][0], networks[i][1]);
	t->endpoints = builder_rows(b, &endpoint_row_type, endpoints, n);
}

static struct block *containers(void)
{
	static const char *const web[][2] = { { "shop", "10.5.0.2/24" } };
	static const char *const db[][2] = { { "back", "10.6.0.9/24" }, { "shop", "10.5.0.9/24" } };
	static const char *const old[][2] = { { "shop", "10.5.0.7/24" } };
	struct builder *b = builder_new(&target_row_type);
	struct block *ret;

	add_target(b, "web", TARGET_STATE_RUNNING, web, 1);
	add_target(b, "db", TARGET_STATE_PAUSED, db, 2);
	add_target(b, "old", TARGET_STATE_EXITED, old, 1);
	ret = builder_block(b);
	builder_free(b);
	return ret;
}

static void test_containers(void **state)
{
	AUTO(block_unrefp) struct block *targets = containers();
	struct dest_ask ask = { .kind = PROBE_TCP, .text = "db:5432", .targets = targets, .own = block_row(targets, 0) };
	struct probe_params p;
	struct err err = { 0 };
	char text[ADDR_TEXT];

	(void)state;
	assert_int_equal(dest_fill(&ask, &p, &err), 0);
	assert_string_equal(addr_format(&p.address, text), "10.5.0.9"); /* on the network that both share */
	assert_int_equal(p.how, PROBE_CONTAINER);
	assert_string_equal(p.label, "db:5432");
	ask.own = NULL;
	assert_int_equal(dest_fill(&ask, &p, &err), 0);
	assert_string_equal(addr_format(&p.address, text), "10.6.0.9");
	ask.family = 6;
	assert_int_equal(dest_fill(&ask, &p, &err), -EADDRNOTAVAIL);
	ask.family = 0;
	ask.text = "old:1";
	assert_int_equal(dest_fill(&ask, &p, &err), -ESRCH);
	assert_non_null(strstr(err.msg, "exited"));
	ask.text = "db.example:1";
	assert_int_equal(dest_fill(&ask, &p, &err), 0);
	assert_true(p.flags & PROBE_RESOLVE);
}

static void test_names(void **state)
{
	AUTO(block_unrefp) struct block *targets = containers(), *rows = NULL, *named = NULL;
	struct builder *b = builder_new(&probe_row_type);
	struct probe_row *r = probe_row_blank(b);
	const struct block *one[1];

	(void)state;
	r->verdict = PROBE_OPEN;
	addr_parse("10.5.0.9", &r->address);
	rows = builder_block(b);
	builder_free(b);
	one[0] = rows;
	named = dest_name_targets(one, 1, targets);
	r = (struct probe_row *)block_row(named, 0);
	assert_true(text_equal(block_text(named, r->target), text_of("db")));
	assert_int_equal(r->verdict, PROBE_PAUSED); /* its kernel may accept all the same */
	assert_int_equal(r->works, 0);
}

/* --- verdicts --- */

static struct addr address(const char *text)
{
	struct addr a = { 0 };

	if (text)
		addr_parse(text, &a);
	return a;
}

static const struct {
	const char *name;
	uint32_t kind;
	int code;
	uint8_t type, icmp; /* with `from` */
	const char *from;
	bool own;
	uint64_t time_us;
	int route_code, syn_code, closed;
	uint32_t want;
	const char *says; /* part of sentence or evidence */
} cases[] = {
	{ "open", PROBE_TCP, 0, 0, 0, NULL, false, 100, 0, 0, 0, PROBE_OPEN, "accepts" },
	{ "eof", PROBE_TCP, 0, 0, 0, NULL, false, 100, 0, 0, 1, PROBE_CLOSED_AT_ONCE, "end of file" },
	{ "rst", PROBE_TCP, ECONNREFUSED, 0, 0, NULL, false, 100, 0, 0, 0, PROBE_REFUSED, "nobody listens" },
	{ "rst of our own", PROBE_TCP, ECONNREFUSED, 0, 0, NULL, true, 100, 0, EPERM, 0, PROBE_OWN_FIREWALL, "reject it" },
	{ "reject", PROBE_TCP, ECONNREFUSED, 3, 3, "10.0.0.9", false, 100, 0, 0, 0, PROBE_REJECTED, "a firewall at 10.0.0.9" },
	{ "reject on the way", PROBE_TCP, EHOSTUNREACH, 3, 13, "10.0.0.1", false, 100, 0, 0, 0, PROBE_REJECTED, "on the way, at 10.0.0.1" },
	{ "own reject", PROBE_TCP, ECONNREFUSED, 3, 3, "10.0.0.2", true, 100, 0, 0, 0, PROBE_OWN_FIREWALL, "(ourselves)" },
	{ "neighbour", PROBE_TCP, EHOSTUNREACH, 3, 1, "10.0.0.2", true, 3000000, 0, 0, 0, PROBE_NO_NEIGHBOUR, "nobody on the network" },
	{ "router", PROBE_TCP, EHOSTUNREACH, 3, 1, "10.0.0.1", false, 3000000, 0, 0, 0, PROBE_UNREACHABLE, "router 10.0.0.1 says host unreachable" },
	{ "silence", PROBE_TCP, ETIMEDOUT, 0, 0, NULL, false, 5000000, 0, 0, 0, PROBE_TIMEOUT, "3 SYNs sent (2 retransmitted)" },
	{ "own drop", PROBE_TCP, ETIMEDOUT, 0, 0, NULL, false, 5000000, 0, EPERM, 0, PROBE_OWN_FIREWALL, "by hand: EPERM" },
	{ "no route", PROBE_TCP, ENETUNREACH, 0, 0, NULL, false, 10, ENETUNREACH, 0, 0, PROBE_NO_ROUTE, "route: none" },
	{ "unreachable", PROBE_TCP, EHOSTUNREACH, 0, 0, NULL, false, 10, EHOSTUNREACH, 0, 0, PROBE_ROUTE_UNREACHABLE, "route: unreachable" },
	{ "prohibit", PROBE_TCP, EACCES, 0, 0, NULL, false, 10, EACCES, 0, 0, PROBE_ROUTE_PROHIBIT, "route: prohibit" },
	{ "blackhole", PROBE_TCP, EINVAL, 0, 0, NULL, false, 10, EINVAL, 0, 0, PROBE_ROUTE_BLACKHOLE, "route: blackhole" },
	{ "bpf", PROBE_TCP, EPERM, 0, 0, NULL, false, 10, 0, 0, 0, PROBE_NOT_PERMITTED, "BPF" },
	{ "ports", PROBE_TCP, EADDRNOTAVAIL, 0, 0, NULL, false, 10, 0, 0, 0, PROBE_NO_LOCAL_PORT, "32768 to 60999" },
	{ "limits", PROBE_TCP, EMFILE, 0, 0, NULL, false, 10, 0, 0, 0, PROBE_OWN_LIMITS, "nsdbg itself" },
	{ "protocol", PROBE_TCP, ENOPROTOOPT, 3, 2, "10.0.0.9", false, 10, 0, 0, 0, PROBE_REJECTED, "protocol unreachable" },
	{ "datagram refused", PROBE_UDP, ECONNREFUSED, 3, 3, "10.0.0.9", false, 10, 0, 0, 0, PROBE_REFUSED, "nobody listens" },
	{ "datagram silent", PROBE_UDP, ETIMEDOUT, 0, 0, NULL, false, 10, 0, 0, 0, PROBE_SILENT, "proves nothing" },
	{ "datagram dropped here", PROBE_UDP, EPERM, 0, 0, NULL, false, 10, 0, 0, 0, PROBE_OWN_FIREWALL, "drop it" },
	{ "echo", PROBE_PING, 0, 0, 0, NULL, false, 10, 0, 0, 0, PROBE_ANSWERED, "answers" },
	{ "no echo", PROBE_PING, ETIMEDOUT, 0, 0, NULL, false, 10, 0, 0, 0, PROBE_TIMEOUT, "no echo" },
	{ "too big", PROBE_PING, EMSGSIZE, 3, 4, "10.0.0.1", false, 10, 0, 0, 0, PROBE_TOO_BIG, "1400" },
};

/* Sentence and evidence in one text. */
static void said(const struct block *b, char *buf, size_t cap)
{
	const struct probe_row *r = block_row(b, 0);
	struct text t = block_text(b, r->meaning), item;
	size_t n = (size_t)snprintf(buf, cap, "%.*s", (int)t.n, t.p);

	for (uint32_t i = 0; n < cap && block_list_item(b, r->evidence, i, &item); i++)
		n += (size_t)snprintf(buf + n, cap - n, " | %.*s", (int)item.n, item.p);
}

static void test_verdicts(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct probe_params p = { .kind = cases[i].kind, .port = 80 };
		struct probe_run *run = fd_xcalloc(1, sizeof *run);
		struct probe_facts f = { .code = cases[i].code, .verdict = PROBE_VERDICT_N, .time_us = cases[i].time_us, .closed = cases[i].closed,
			.syn_code = cases[i].syn_code, .syns = cases[i].code == ETIMEDOUT ? 3 : 1 };
		struct builder *b = builder_new(&probe_row_type);
		struct block *block;
		char text[1024];

		run->p = &p;
		run->to = address("10.0.0.9");
		run->s.port_from = 32768;
		run->s.port_to = 60999;
		f.icmp.seen = cases[i].from != NULL;
		f.icmp.type = cases[i].type;
		f.icmp.code = cases[i].icmp;
		f.icmp.from = address(cases[i].from);
		f.icmp.own = cases[i].own && cases[i].from;
		f.icmp.mtu = 1400;
		f.rst.seen = cases[i].code == ECONNREFUSED && !cases[i].from;
		f.rst.own = f.rst.seen && cases[i].own;
		f.route.asked = true;
		f.route.code = cases[i].route_code;
		f.route.source = address("10.0.0.2");
		verdict_fill(run, &f, b, probe_row_blank(b));
		block = builder_block(b);
		said(block, text, sizeof text);
		if (((const struct probe_row *)block_row(block, 0))->verdict != cases[i].want || !strstr(text, cases[i].says))
			fail_msg("%s: %s: %s", cases[i].name, probe_verdict_names[((const struct probe_row *)block_row(block, 0))->verdict], text);
		block_unref(block);
		builder_free(b);
		free(run);
	}
}

/* Each verdict has a name and an outcome; no placeholder is left in any sentence. */
static void test_every_verdict(void **state)
{
	(void)state;
	for (uint32_t v = 0; v < PROBE_VERDICT_N; v++) {
		struct probe_params p = { .kind = PROBE_TCP, .port = 80, .name = "db" };
		struct probe_run *run = fd_xcalloc(1, sizeof *run);
		struct probe_facts f = { .verdict = v };
		struct builder *b = builder_new(&probe_row_type);
		struct block *block;
		char text[1024];

		run->p = &p;
		run->to = address("10.0.0.9");
		verdict_fill(run, &f, b, probe_row_blank(b));
		block = builder_block(b);
		said(block, text, sizeof text);
		assert_non_null(probe_verdict_names[v]);
		assert_true(probe_outcome(v) < PROBE_OUTCOME_N);
		assert_true(text[0] && !strchr(text, '{'));
		block_unref(block);
		builder_free(b);
		free(run);
	}
}

/* --- names without an address --- */

static const struct {
	const char *rows[4]; /* "RCODE SERVER"; '-' in front: a step */
	uint32_t want;
	const char *says;
} failures[] = {
	{ { "timeout 127.0.0.11", "timeout 127.0.0.11" }, PROBE_DNS_TIMEOUT, "the name server 127.0.0.11 did not answer in time when asked for api" },
	{ { "timeout 10.0.0.2", "-timeout 10.0.0.1", "-timeout 10.0.0.2" }, PROBE_DNS_TIMEOUT, "the name servers 10.0.0.2, 10.0.0.1 did not answer" },
	{ { "NOERROR 10.0.0.1", "timeout 10.0.0.2" }, PROBE_DNS_TIMEOUT, "10.0.0.2 did not answer" },
	{ { "NXDOMAIN 10.0.0.1", "NXDOMAIN 10.0.0.1" }, PROBE_NO_NAME, "there is no such name: api is NXDOMAIN for 10.0.0.1" },
	{ { "-timeout 10.0.0.3", "NXDOMAIN 10.0.0.1" }, PROBE_NO_NAME, "NXDOMAIN for 10.0.0.1" },
	{ { "NOERROR 10.0.0.1", "NOERROR 10.0.0.1" }, PROBE_NO_ADDRESS, "has no address of this kind: api, says 10.0.0.1" },
	{ { "NXDOMAIN 10.0.0.1", "NOERROR 10.0.0.1" }, PROBE_NO_ADDRESS, "no address" },
	{ { "SERVFAIL 10.0.0.1", "NXDOMAIN 10.0.0.1" }, PROBE_DNS_FAILED, "the name server 10.0.0.1 does not help with api: SERVFAIL" },
	{ { "malformed 10.0.0.1" }, PROBE_DNS_FAILED, "malformed" },
	{ { NULL }, PROBE_DNS_FAILED, "no answer" },
};

static struct block *answer_of(const char *const rows[4])
{
	struct builder *b = builder_new(&dns_row_type);
	struct block *ret;

	for (unsigned i = 0; i < 4 && rows[i]; i++) {
		const char *rcode = rows[i] + (rows[i][0] == '-'), *server = strchr(rows[i], ' ') + 1;
		struct dns_row *d = builder_row(b);

		d->section = rows[i][0] == '-' ? DNS_SECTION_STEP : DNS_SECTION_ANSWER;
		d->rcode = builder_text(b, rcode, (size_t)(server - rcode) - 1);
		d->server = builder_str(b, server);
	}
	ret = builder_block(b);
	builder_free(b);
	return ret;
}

static void test_lookups(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(failures); i++) {
		AUTO(block_unrefp) struct block *answer = answer_of(failures[i].rows);
		struct probe_facts f = { 0 };
		struct addr a;

		assert_false(lookup_address(answer, &a));
		lookup_failure(answer, "api", &f);
		if (f.verdict != failures[i].want || !strstr(f.detail, failures[i].says))
			fail_msg("%zu: %s: %s", i, probe_verdict_names[f.verdict], f.detail);
	}
	assert_int_equal(probe_outcome(PROBE_DNS_TIMEOUT), PROBE_LATE); /* exit status 6 */
	assert_int_equal(probe_outcome(PROBE_NO_NAME), PROBE_NO);
}

/* --- numbers --- */

static void test_stats(void **state)
{
	struct stats *s = fd_xcalloc(1, sizeof *s);

	(void)state;
	stats_reset(s);
	assert_true(isnan(stats_loss_percent(s)));
	assert_true(stats_avg(s) == ROW_NO_UINT && stats_jitter(s) == ROW_NO_UINT && stats_percentile(s, 50) == ROW_NO_UINT);
	stats_answer(s, 100);
	stats_loss(s);
	assert_true(stats_loss_percent(s) > 49.9 && stats_loss_percent(s) < 50.1);
	assert_true(stats_jitter(s) == ROW_NO_UINT);
	stats_answer(s, 300);
	assert_int_equal(stats_jitter(s), 200);
	assert_int_equal(stats_avg(s), 200);
	assert_true(stats_percentile(s, 95) == ROW_NO_UINT);
	stats_reset(s);
	for (unsigned i = 1; i <= 100; i++)
		stats_answer(s, i * 10);
	assert_int_equal(stats_percentile(s, 50), 500);
	assert_int_equal(stats_percentile(s, 95), 950);
	assert_int_equal(stats_percentile(s, 99), 990);
	for (unsigned i = 0; i < 3 * STATS_SAMPLES; i++)
		stats_answer(s, 7);
	assert_int_equal(stats_percentile(s, 99), 7); /* the latest ones */
	assert_int_equal(s->max_us, 1000);
	free(s);
}

/* --- texts --- */

static void test_http_texts(void **state)
{
	char version[16], cipher[64], value[16];
	unsigned status;

	(void)state;
	assert_true(httptext_status(text_of("HTTP/1.1 503 Sorry\r\n"), version, &status));
	assert_int_equal(status, 503);
	assert_string_equal(version, "HTTP/1.1");
	assert_true(httptext_status(text_of("HTTP/2 200"), version, &status));
	assert_false(httptext_status(text_of("HTTP/1.1 20"), version, &status));
	assert_false(httptext_status(text_of("ICY 200 OK"), version, &status));
	assert_true(httptext_header(text_of("SERVER:\t nginx \r\n"), "server", value, sizeof value));
	assert_string_equal(value, "nginx");
	assert_true(httptext_header(text_of("server:aaaaaaaaaaaaaaaaaaaaaaaaaaaa"), "server", value, sizeof value));
	assert_int_equal(strlen(value), 15);
	assert_false(httptext_header(text_of("serverx: a"), "server", value, sizeof value));
	assert_true(httptext_tls(text_of("SSL connection using TLSv1.3 / TLS_AES_256_GCM_SHA384 / X25519\n"), version, cipher));
	assert_string_equal(version, "TLSv1.3");
	assert_string_equal(cipher, "TLS_AES_256_GCM_SHA384");
}

static void test_dates(void **state)
{
	(void)state;
	assert_int_equal(httptext_date(text_of("Nov 22 18:00:00 2026 GMT")), 1795370400ll * 1000000000);
	assert_int_equal(httptext_date(text_of("2026-11-22 18:00:00 GMT")), 1795370400ll * 1000000000);
	assert_int_equal(httptext_date(text_of("Jan  1 00:00:00 1970 GMT")), 0);
	assert_true(httptext_date(text_of("Nov 22 18:00:00 99999 GMT")) == ROW_NO_INT || httptext_date(text_of("Nov 22 18:00:00 99999")) == ROW_NO_INT);
	assert_true(httptext_date(text_of("Foo 22 18:00:00 2026")) == ROW_NO_INT);
	assert_true(httptext_date(text_of("Nov 42 18:00:00 2026")) == ROW_NO_INT);
	assert_true(httptext_date(text_of("")) == ROW_NO_INT);
}

static void test_certificate_names(void **state)
{
	static const struct {
		const char *names, *host;
		bool holds;
	} rows[] = {
		{ "DNS:a.example, DNS:b.example", "b.example", true },
		{ "DNS:a.example", "A.EXAMPLE.", true },
		{ "DNS:*.example.com", "www.example.com", true },
		{ "DNS:*.example.com", "a.b.example.com", false },
		{ "DNS:*.example.com", "example.com", false },
		{ "DNS:*.com", "example.com", false },
		{ "DNS:*", "localhost", false },
		{ "IP Address:10.0.0.1", "10.0.0.1", true },
		{ "DNS:10.0.0.1", "10.0.0.1", false },
		{ "IP Address:10.0.0.1", "10.0.0.2", false },
		{ "IP Address:FE80:0:0:0:0:0:0:1", "fe80::1", true },
		{ "email:x@a.example, URI:http://a.example", "a.example", false },
		{ "", "a", false },
		{ "DNS:, DNS:a", "a", true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (httptext_holds_for(text_of(rows[i].names), rows[i].host) != rows[i].holds)
			fail_msg("%s for %s", rows[i].names, rows[i].host);
}

static void test_echoes(void **state)
{
	uint8_t raw[28] = { 0x45, [20] = 0, [24] = 0x12, 0x34, 0, 7 }, v6[8] = { 129, 0, 0, 0, 0x12, 0x34, 0, 8 };
	struct wire_error e = { 0 };
	uint8_t quoted[8] = { 8, 0, 0, 0, 0xab, 0xcd, 0, 9 };
	uint16_t id, seq;

	(void)state;
	assert_true(echo_parse(raw, sizeof raw, true, &id, &seq) && id == 0x1234 && seq == 7);
	assert_true(echo_parse(v6, sizeof v6, false, &id, &seq) && seq == 8);
	raw[0] = 0x4f; /* the header claims more than there is */
	assert_false(echo_parse(raw, sizeof raw, true, &id, &seq));
	assert_false(echo_parse(v6, 7, false, &id, &seq));
	assert_true(wire_parse_echo(quoted, sizeof quoted, &e) && e.id == 0xabcd && e.seq == 9);
	quoted[0] = 3;
	assert_false(wire_parse_echo(quoted, sizeof quoted, &e));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_destinations),
		cmocka_unit_test(test_containers),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_verdicts),
		cmocka_unit_test(test_every_verdict),
		cmocka_unit_test(test_lookups),
		cmocka_unit_test(test_stats),
		cmocka_unit_test(test_http_texts),
		cmocka_unit_test(test_dates),
		cmocka_unit_test(test_certificate_names),
		cmocka_unit_test(test_echoes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
