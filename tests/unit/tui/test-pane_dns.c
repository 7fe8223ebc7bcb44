/* The DNS pane without workers: files and answers are handed to it as if they had come; pictures are compared with those on record. */
#include "packets.h"
#include "stage.h"

#include "core/fd.h"
#include "tui/dns_view.h"

#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct world {
	struct stage s;
	struct dns_view *v;
};

static void open_world(struct world *w, enum text_charset charset)
{
	stage_open(&w->s, &pane_dns, charset);
	w->v = w->s.pane->state;
}

/* An answer for what the form asks now, at a fixed time. */
static void answer(struct world *w, bool good)
{
	w->v->tag = 5;
	w->v->waiting = true;
	stage_block(&w->s, DNS_SLOT_ASK, 5, packets_answer(good));
	w->v->last.time = PACKETS_NOW + 114000000;
	w->v->asked.items[w->v->asked.n - 1].time = PACKETS_NOW - (int64_t)w->v->asked.n * 11000000000;
	struct block *b = asked_block(&w->v->asked);
	table_set_block(w->v->history.table, b);
	block_unref(b);
}

static void take_name(struct world *w, const char *name)
{
	struct carry carry;

	carry_init(&carry);
	snprintf(carry.name, sizeof carry.name, "%s", name);
	w->s.pane->ops->take(w->s.pane, &carry);
}

static void fill_world(struct world *w, enum text_charset charset)
{
	open_world(w, charset);
	stage_block(&w->s, DNS_SLOT_FILES, 0, packets_files());
	take_name(w, "queue.default.svc");
	answer(w, false);
	take_name(w, "db.default.svc");
	answer(w, true);
}

static void screens(void **state)
{
	static const struct { int w, h; } sizes[] = { { 160, 50 }, { 120, 36 }, { 80, 24 }, { 40, 10 } };
	struct world w;
	char name[64];

	(void)state;
	for (unsigned cs = 0; cs < 2; cs++) {
		fill_world(&w, cs ? TEXT_UTF8 : TEXT_ASCII);
		for (unsigned i = 0; i < ARRAY_LEN(sizes); i++) {
			snprintf(name, sizeof name, "dns-%dx%d%s", sizes[i].w, sizes[i].h, cs ? "" : "-ascii");
			stage_draw(&w.s, sizes[i].w, sizes[i].h, name);
		}
		stage_close(&w.s);
	}
}

static void states(void **state)
{
	struct link_event closed = { .type = LINK_CLOSED };
	struct world w;

	(void)state;
	open_world(&w, TEXT_UTF8);
	stage_draw(&w.s, 80, 24, "dns-start-80x24");
	stage_block(&w.s, DNS_SLOT_FILES, 0, packets_files());
	stage_draw(&w.s, 80, 24, "dns-nothing-80x24");
	take_name(&w, "queue.default.svc");
	w.s.env.now_ms += 3000;
	stage_draw(&w.s, 80, 24, "dns-asking-80x24");
	answer(&w, false);
	stage_draw(&w.s, 80, 24, "dns-timeout-80x24");
	stage_key(&w.s, 'a');
	stage_draw(&w.s, 120, 36, "dns-files-120x36");
	stage_close(&w.s);
	open_world(&w, TEXT_UTF8);
	w.s.pane->feeds[DNS_SLOT_FILES].state = FEED_FAILED;
	strcpy(w.s.pane->feeds[DNS_SLOT_FILES].why, "no answer in 2 s");
	w.s.pane->ops->event(w.s.pane, DNS_SLOT_FILES, &closed);
	assert_true(w.v->files_done);
	stage_draw(&w.s, 120, 36, "dns-nofiles-120x36");
	stage_close(&w.s);
}

/* o: the host's resolver does not know Docker's name; then one of them says something else. */
static void others(void **state)
{
	static const char resolv[] = "nameserver 192.168.7.1\n";
	struct builder *b = builder_new(&file_row_type);
	struct world w;

	(void)state;
	fill_world(&w, TEXT_UTF8);
	stage_key(&w.s, 'o');
	stage_draw(&w.s, 80, 24, "dns-others-asked-80x24");
	files_parse(b, "/etc/resolv.conf", resolv, sizeof resolv - 1);
	dns_versus_take(&w.v->versus, DNS_MAX_PEERS, builder_block(b));
	assert_int_equal(w.v->versus.n, 2);
	dns_versus_take(&w.v->versus, 0, packets_answer(true));
	dns_versus_take(&w.v->versus, 1, packets_answer(false));
	stage_draw(&w.s, 120, 36, "dns-others-120x36");
	stage_draw(&w.s, 80, 24, "dns-others-80x24");
	stage_key(&w.s, 'a');
	assert_true(dns_view_shows_files(w.v));
	stage_key(&w.s, 'o');
	assert_ptr_equal(dns_view_lower(w.v), &w.v->versus.grid);
	stage_key(&w.s, 'o');
	assert_ptr_equal(dns_view_lower(w.v), &w.v->history);
	builder_free(b);
	stage_close(&w.s);
}

/* What is in /etc/hosts is answered from there and nobody is asked. */
static void hosts(void **state)
{
	struct world w;

	(void)state;
	open_world(&w, TEXT_UTF8);
	take_name(&w, "shop-api-1");
	assert_true(w.v->pending);
	stage_block(&w.s, DNS_SLOT_FILES, 0, packets_files());
	assert_false(w.v->pending);
	assert_string_equal(w.v->last.server, "/etc/hosts");
	assert_string_equal(w.v->last.answer, "172.18.0.5");
	w.v->last.time = PACKETS_NOW;
	w.v->asked.n = 0;
	table_set_block(w.v->history.table, NULL);
	stage_draw(&w.s, 80, 24, "dns-hosts-80x24");
	stage_close(&w.s);
}

static void repeated(void **state)
{
	struct world w;

	(void)state;
	fill_world(&w, TEXT_UTF8);
	w.v->n_samples = 0;
	for (unsigned i = 0; i < 70; i++) {
		if (w.v->n_samples == DNS_SAMPLES)
			w.v->n_samples = 0;
		w.v->samples[w.v->n_samples++] = i % 13 == 12 ? -1 : 0.3 + 0.1 * (i * 7 % 11);
	}
	w.v->repeat = true;
	stage_draw(&w.s, 120, 36, "dns-repeat-120x36");
	w.v->repeat = false;
	stage_close(&w.s);
}

static void servers(void **state)
{
	static const struct { const char *text; bool good; const char *address; uint16_t port; } rows[] = {
		{ "8.8.8.8", true, "8.8.8.8", 53 },
		{ "8.8.8.8:5353", true, "8.8.8.8", 5353 },
		{ "8.8.8.8#99", true, "8.8.8.8", 99 },
		{ "2001:db8::1", true, "2001:db8::1", 53 },
		{ "[2001:db8::1]:5353", true, "2001:db8::1", 5353 },
		{ "[2001:db8::1]", true, "2001:db8::1", 53 },
		{ "", true, "", 53 },
		{ "dns.google", false, NULL, 0 },
		{ "8.8.8.8:", false, NULL, 0 },
		{ "8.8.8.8:70000", false, NULL, 0 },
		{ "8.8.8.0/24", false, NULL, 0 },
		{ "[", false, NULL, 0 },
		{ "]:1", false, NULL, 0 },
	};
	struct world w;
	char text[ADDR_TEXT];

	(void)state;
	open_world(&w, TEXT_UTF8);
	for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
		if (dns_view_set_server(w.v, rows[i].text) != rows[i].good)
			fail_msg("server %s", rows[i].text);
		if (!rows[i].good)
			continue;
		assert_string_equal(addr_format(&w.v->server_address, text), rows[i].address);
		assert_int_equal(w.v->server_port, rows[i].port);
	}
	stage_close(&w.s);
}

static void forms(void **state)
{
	struct world w;
	char dig[512];

	(void)state;
	fill_world(&w, TEXT_UTF8);
	dns_view_dig(w.v, dig, sizeof dig);
	assert_string_equal(dig, "dig @127.0.0.11 db.default.svc A db.default.svc AAAA");
	dns_view_set_name(w.v, "172.18.0.3");
	assert_string_equal(dns_choices[w.v->choice].name, "PTR");
	dns_view_set_server(w.v, "8.8.8.8:5353");
	stage_key(&w.s, 'T');
	dns_view_dig(w.v, dig, sizeof dig);
	assert_string_equal(dig, "dig @8.8.8.8 +tcp -p 5353 -x 172.18.0.3");
	dns_view_set_name(w.v, "web");
	assert_string_equal(dns_choices[w.v->choice].name, "A+AAAA");
	stage_key(&w.s, 't');
	assert_string_equal(dns_choices[w.v->choice].name, "A");
	stage_key(&w.s, KEYS_TAB);
	stage_key(&w.s, 'j'); /* the older question: queue.default.svc */
	w.v->waiting = false;
	stage_key(&w.s, KEYS_ENTER);
	assert_string_equal(w.v->name, "queue.default.svc");
	stage_key(&w.s, '/');
	assert_non_null(w.s.env.prompt.done);
	assert_false(w.s.env.prompt.done(w.s.pane, "two words"));
	assert_true(w.s.env.prompt_error_set);
	assert_true(w.s.env.prompt.done(w.s.pane, "  one"));
	assert_string_equal(w.v->name, "one");
	stage_close(&w.s);
}

/* An answer to an older question, and a worker that dies while it is asked. */
static void late(void **state)
{
	struct link_event closed = { .type = LINK_CLOSED };
	struct world w;

	(void)state;
	fill_world(&w, TEXT_UTF8);
	w.v->tag = 9;
	w.v->waiting = true;
	stage_block(&w.s, DNS_SLOT_ASK, 8, packets_answer(false));
	assert_true(w.v->waiting);
	strcpy(w.s.pane->feeds[DNS_SLOT_ASK].why, "killed by signal 9");
	w.s.pane->feeds[DNS_SLOT_ASK].state = FEED_ENDED;
	w.s.pane->ops->event(w.s.pane, DNS_SLOT_ASK, &closed);
	assert_false(w.v->waiting);
	stage_draw(&w.s, 80, 24, "dns-ended-80x24");
	stage_close(&w.s);
}

/* --- on the wire --- */

struct seen_row {
	const char *name, *type, *server, *rcode, *answer, *process, *note;
	uint64_t us, retries;
	uint32_t state;
	unsigned ago_s;
	bool forwarded;
	enum severity severity;
};

static const struct seen_row seen_rows[] = {
	{ "queue.default.svc.", "AAAA", "127.0.0.11", NULL, NULL, "node", "asked again after 5.00 s, its A/AAAA twin was answered", ROW_NO_UINT, 1,
		DNSWATCH_UNANSWERED, 11, false, SEVERITY_BAD },
	{ "queue.default.svc.", "A", "127.0.0.11", "NOERROR", "172.18.0.3", "node", NULL, 900, 0, DNSWATCH_ANSWERED, 11, false, SEVERITY_NONE },
	{ "db.default.svc.", "AAAA", "127.0.0.11", "NOERROR", NULL, "node", NULL, 810, 0, DNSWATCH_ANSWERED, 25, false, SEVERITY_NONE },
	{ "db.default.svc.", "A", "127.0.0.11", "NOERROR", "172.18.0.3", "node", NULL, 812, 0, DNSWATCH_ANSWERED, 25, false, SEVERITY_NONE },
	{ "api.partner.example.shop.internal.", "A", "127.0.0.11", "NXDOMAIN", NULL, NULL, NULL, 24300, 0, DNSWATCH_ANSWERED, 36, false, SEVERITY_NONE },
	{ "api.partner.example.", "A", "8.8.8.8", "NOERROR", "203.0.113.9", NULL, NULL, 23000, 0, DNSWATCH_ANSWERED, 36, true, SEVERITY_NONE },
	{ "slow.partner.example.", "A", "127.0.0.11", "SERVFAIL", NULL, "sh\033[31m", NULL, 5002000, 1, DNSWATCH_ANSWERED, 50, false, SEVERITY_WARN },
	{ "new.example.", "A", "127.0.0.11", NULL, NULL, NULL, NULL, ROW_NO_UINT, 0, DNSWATCH_WAITING, 0, false, SEVERITY_NONE },
};

static struct str text_or_none(struct builder *b, const char *text)
{
	return text ? builder_str(b, text) : ROW_NO_TEXT;
}

static void fill_seen(struct dnswatch_question *q, struct builder *b, const struct seen_row *r, uint64_t number)
{
	q->head = (struct row_head){ .id = number, .severity = r->severity };
	q->number = number;
	q->time = PACKETS_NOW - (int64_t)r->ago_s * 1000000000 + 114000000;
	q->name = builder_str(b, r->name);
	q->type = builder_str(b, r->type);
	addr_parse(r->server, &q->server);
	addr_parse("172.18.0.5", &q->client);
	q->server_port = 53;
	q->client_port = 40000 + number;
	q->state = r->state;
	q->time_us = r->us;
	q->rcode = text_or_none(b, r->rcode);
	q->n_answers = r->rcode ? r->answer != NULL : ROW_NO_UINT;
	q->answers = r->rcode ? (struct str){ 0 } : ROW_NO_TEXT;
	if (r->answer)
		builder_list_add(b, &q->answers, r->answer, strlen(r->answer));
	q->ttl = r->answer ? 600 : ROW_NO_UINT;
	q->size = r->rcode ? 91 : ROW_NO_UINT;
	q->flags = text_or_none(b, r->rcode ? "qr rd ra" : NULL);
	q->retries = r->retries;
	q->gap_us = r->retries ? 5000000 : ROW_NO_UINT;
	q->repeats = q->inode = q->search = ROW_NO_UINT;
	q->forwarded = r->forwarded;
	q->uid = r->process ? 1000 : ROW_NO_UINT;
	q->pid = r->process ? 12841 : ROW_NO_UINT;
	q->process = text_or_none(b, r->process);
	q->note = text_or_none(b, r->note);
	q->wanted = q->target = ROW_NO_TEXT;
}

static struct block *seen_questions(void)
{
	struct builder *b = builder_new(&dnswatch_question_type);
	struct block *ret;

	for (unsigned i = ARRAY_LEN(seen_rows); i > 0; i--)
		fill_seen(builder_row(b), b, &seen_rows[ARRAY_LEN(seen_rows) - i], i);
	ret = builder_block(b);
	builder_free(b);
	return ret;
}

static struct block *seen_state(void)
{
	struct builder *b = builder_new(&dnswatch_row_type);
	struct dnswatch_row *row = builder_row(b);
	struct block *ret;

	*row = (struct dnswatch_row){ .running = 1, .asked = 214, .answered = 209, .unanswered = 3, .nxdomain = 12, .failed = 1, .retried = 4,
		.waiting = 1, .rate = 0.9, .p50_us = 812, .p95_us = 24300, .packets = 440, .started_at = PACKETS_NOW - 300000000000, .note = ROW_NO_TEXT };
	ret = builder_block(b);
	builder_free(b);
	return ret;
}

static struct block *seen_findings(void)
{
	struct builder *b = builder_new(&dnswatch_finding_type);
	struct dnswatch_finding *f = builder_row(b);
	struct block *ret;

	f->head = (struct row_head){ .id = 1, .severity = SEVERITY_BAD };
	f->finding = builder_str(b, "five-seconds");
	f->text = builder_str(b, "4 of 214 questions were repeated after 5.0 s and then answered at once: a packet was lost, as conntrack does when A "
		"and AAAA leave one socket together");
	f->evidence = (struct str){ 0 };
	builder_list_add(b, &f->evidence, "question 8: AAAA queue.default.svc., asked again after 5.00 s", 61);
	f->remedy = builder_str(b, "resolv.conf: options single-request-reopen, or use-vc");
	f->count = 4;
	f->total = 214;
	f->name = ROW_NO_TEXT;
	ret = builder_block(b);
	builder_free(b);
	return ret;
}

static struct block *seen_names(void)
{
	struct builder *b = builder_new(&dnswatch_name_type);
	struct dnswatch_name *n = builder_row(b);
	struct block *ret;

	*n = (struct dnswatch_name){ .head = { .id = 1, .severity = SEVERITY_BAD }, .count = 60, .p50_us = 900, .p95_us = 5002000, .max_us = 5003000,
		.noerror = 57, .unanswered = 3, .retries = 4, .last = PACKETS_NOW };
	n->name = builder_str(b, "queue.default.svc.");
	n->types = (struct str){ 0 };
	builder_list_add(b, &n->types, "A", 1);
	builder_list_add(b, &n->types, "AAAA", 4);
	ret = builder_block(b);
	builder_free(b);
	return ret;
}

static struct block *seen_searches(void)
{
	struct builder *b = builder_new(&dnswatch_search_type);
	struct dnswatch_search *s = builder_row(b);
	struct block *ret;

	s->head = (struct row_head){ .id = 1, .severity = SEVERITY_WARN };
	s->number = 1;
	s->time = PACKETS_NOW - 36000000000;
	s->wanted = builder_str(b, "api.partner.example");
	s->tried = (struct str){ 0 };
	builder_list_add(b, &s->tried, "api.partner.example.shop.internal. NXDOMAIN", 43);
	builder_list_add(b, &s->tried, "api.partner.example. found", 26);
	s->questions = 4;
	s->nxdomain = 2;
	s->time_us = 48000;
	s->found = builder_str(b, "api.partner.example.");
	s->process = ROW_NO_TEXT;
	ret = builder_block(b);
	builder_free(b);
	return ret;
}

static void fill_wire(struct world *w, enum text_charset charset)
{
	fill_world(w, charset);
	stage_key(&w->s, ']');
	assert_true(w->v->on_wire);
	stage_block(&w->s, DNS_SLOT_WATCH, 0, seen_state());
	stage_block(&w->s, DNS_SLOT_WATCH, 1, seen_questions());
	stage_block(&w->s, DNS_SLOT_WATCH, 3, seen_names());
	stage_block(&w->s, DNS_SLOT_WATCH, 4, seen_searches());
	stage_block(&w->s, DNS_SLOT_WATCH, 2, seen_findings());
}

static void wire_screens(void **state)
{
	static const struct { int w, h; } sizes[] = { { 160, 50 }, { 120, 36 }, { 80, 24 }, { 40, 10 } };
	struct world w;
	char name[64];

	(void)state;
	for (unsigned ascii = 0; ascii < 2; ascii++)
		for (unsigned i = 0; i < ARRAY_LEN(sizes); i++) {
			fill_wire(&w, ascii ? TEXT_ASCII : TEXT_UTF8);
			snprintf(name, sizeof name, "dnswire-%dx%d%s", sizes[i].w, sizes[i].h, ascii ? "-ascii" : "");
			stage_draw(&w.s, sizes[i].w, sizes[i].h, name);
			stage_close(&w.s);
		}
}

static void wire_views(void **state)
{
	struct world w;
	char name[64];

	(void)state;
	fill_wire(&w, TEXT_UTF8);
	stage_key(&w.s, KEYS_ENTER);
	for (unsigned i = 0; i < DNS_WIRE_TABS; i++) {
		snprintf(name, sizeof name, "dnswire-%u-120x36", i);
		stage_draw(&w.s, 120, 36, name);
		stage_key(&w.s, 't');
	}
	assert_int_equal(w.v->wire.tab, DNS_WIRE_ALL);
	stage_key(&w.s, KEYS_ESC);
	assert_false(w.v->wire.detail);
	stage_close(&w.s);
	open_world(&w, TEXT_UTF8);
	stage_key(&w.s, ']');
	stage_draw(&w.s, 80, 24, "dnswire-start-80x24");
	stage_close(&w.s);
}

/* The selection goes along: to our own question, and to a capture. */
static void wire_keys(void **state)
{
	struct carry carry;
	struct world w;

	(void)state;
	fill_wire(&w, TEXT_UTF8);
	stage_key(&w.s, 'j');
	carry_init(&carry);
	w.s.pane->ops->give(w.s.pane, 'c', &carry);
	assert_string_equal(carry.bpf, "host 127.0.0.11");
	stage_key(&w.s, 'd');
	assert_false(w.v->on_wire);
	assert_string_equal(w.v->name, "queue.default.svc.");
	carry_init(&carry);
	w.s.pane->ops->give(w.s.pane, 'c', &carry);
	assert_string_equal(carry.bpf, "port 53");
	stage_key(&w.s, '[');
	table_filter(w.s.pane->ops->grid(w.s.pane)->table, "state:waiting", NULL, NULL);
	assert_int_equal(table_count(w.s.pane->ops->grid(w.s.pane)->table), 1);
	stage_close(&w.s);
}

static void bindings(void **state)
{
	(void)state;
	for (unsigned i = 0; i < pane_dns.n_bindings; i++) {
		assert_non_null(pane_dns.bindings[i].help);
		assert_non_null(pane_dns.bindings[i].run);
		for (unsigned k = 0; k < i; k++) /* a key may be one thing on each half */
			assert_true(pane_dns.bindings[i].key != pane_dns.bindings[k].key || pane_dns.bindings[i].works != pane_dns.bindings[k].works);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(screens),
		cmocka_unit_test(states),
		cmocka_unit_test(hosts), cmocka_unit_test(others),
		cmocka_unit_test(repeated),
		cmocka_unit_test(servers),
		cmocka_unit_test(forms),
		cmocka_unit_test(late),
		cmocka_unit_test(wire_screens),
		cmocka_unit_test(wire_views),
		cmocka_unit_test(wire_keys),
		cmocka_unit_test(bindings),
	};

	setlocale(LC_CTYPE, "C.UTF-8");
	return cmocka_run_group_tests_name("pane_dns", tests, NULL, NULL);
}
