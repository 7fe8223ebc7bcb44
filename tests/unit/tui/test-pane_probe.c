/* The probe pane without workers: results are handed to it as if they had come; pictures are compared with those on record. */
#include "packets.h"
#include "stage.h"

#include "core/err.h"
#include "core/fd.h"
#include "tui/probe_view.h"

#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct world {
	struct stage s;
	struct probe_view *v;
};

static void open_world(struct world *w, enum text_charset charset)
{
	stage_open(&w->s, &pane_probe, charset);
	w->v = w->s.pane->state;
}

static struct probe_item *add(struct world *w, const char *words)
{
	struct carry carry;

	carry_init(&carry);
	snprintf(carry.probe, sizeof carry.probe, "%s", words);
	w->s.pane->ops->take(w->s.pane, &carry);
	return probe_view_selected(w->v);
}

static void send_row(struct world *w, const struct probe_item *item, struct builder *b)
{
	struct link_event ev = { .type = LINK_BLOCK, .tag = 1, .row_type = &probe_row_type, .block = builder_block(b) };

	w->s.pane->ops->event(w->s.pane, PROBE_SLOT_FIRST + (unsigned)(item - w->v->items), &ev);
}

/* A result of this item; `n` of them before it. */
static void result(struct world *w, const struct probe_item *item, uint32_t verdict, const char *meaning, const char *evidence, uint64_t us,
	unsigned n)
{
	for (unsigned i = 1; i <= n; i++) {
		struct builder *b = builder_new(&probe_row_type);
		struct probe_row *r = probe_row_blank(b);
		struct hop_row hops[2] = { { .hop = 1, .address = item->params.address, .sent = n, .received = n, .last_us = 90, .avg_us = 80, .max_us = 200 },
			{ .hop = 2, .sent = n, .loss = 100, .last_us = ROW_NO_UINT, .avg_us = ROW_NO_UINT, .max_us = ROW_NO_UINT } };

		r->head.id = item->id;
		r->head.severity = probe_outcome(verdict) == PROBE_YES ? SEVERITY_OK : SEVERITY_BAD;
		r->destination = builder_str(b, item->params.label);
		r->kind = item->params.kind;
		r->address = item->params.address;
		r->how = item->params.how;
		r->verdict = verdict;
		r->meaning = builder_str(b, meaning);
		builder_list_add(b, &r->evidence, evidence, strlen(evidence));
		r->time_us = us ? us + us / 3 * (i % 3) : ROW_NO_UINT;
		r->sent = i;
		r->received = us ? i : 0;
		r->loss = us ? 0 : 100;
		r->min_us = r->avg_us = r->p50_us = us ? us : ROW_NO_UINT;
		r->max_us = us ? us * 2 : ROW_NO_UINT;
		hops[0].name = hops[1].name = hops[0].says = hops[1].says = ROW_NO_TEXT;
		if (r->kind == PROBE_TRACE)
			r->hops = builder_rows(b, &hop_row_type, hops, 2);
		send_row(w, item, b);
		builder_free(b);
	}
}

static void fill(struct world *w)
{
	result(w, add(w, "tcp 172.18.0.3:5432"), PROBE_OPEN, "172.18.0.3 port 5432 accepts connections", "route: dev eth0 src 172.18.0.5", 160, 9);
	result(w, add(w, "trace 172.18.0.3"), PROBE_NOT_REACHED, "172.18.0.3 does not answer; the last that does is hop 1", "route: dev eth0", 0, 3);
	result(w, add(w, "tcp 10.9.0.1:80"), PROBE_OWN_FIREWALL, "output rules (nft, iptables) in this network namespace drop it",
		"sending a SYN by hand: EPERM", 0, 4);
	add(w, "ping 10.9.0.1");
	table_jump(w->v->list.table, 0);
}

static void test_screens(void **state)
{
	static const struct { int w, h; } sizes[] = { { 160, 24 }, { 80, 24 }, { 40, 10 } };
	struct world w;
	char name[64];

	(void)state;
	for (unsigned cs = 0; cs < 2; cs++) {
		open_world(&w, cs ? TEXT_UTF8 : TEXT_ASCII);
		fill(&w);
		for (unsigned i = 0; i < ARRAY_LEN(sizes); i++) {
			snprintf(name, sizeof name, "probe-%dx%d%s", sizes[i].w, sizes[i].h, cs ? "" : "-ascii");
			stage_draw(&w.s, sizes[i].w, sizes[i].h, name);
		}
		if (cs) {
			table_jump(w.v->list.table, 1);
			stage_draw(&w.s, 120, 20, "probe-trace-120x20");
		}
		stage_close(&w.s);
	}
}

static void test_adding(void **state)
{
	struct world w;
	struct err err = { 0 };

	(void)state;
	open_world(&w, TEXT_UTF8);
	stage_draw(&w.s, 80, 8, "probe-empty-80x8");
	assert_false(probe_view_add(w.v, "tcp nowhere", &err));
	assert_non_null(strstr(err.msg, "HOST:PORT"));
	assert_true(probe_view_add(w.v, "10.0.0.1:80", &err));
	assert_string_equal(probe_view_selected(w.v)->words, "tcp 10.0.0.1:80");
	assert_true(probe_view_add(w.v, "http://10.0.0.1/", &err));
	assert_int_equal(probe_view_selected(w.v)->params.kind, PROBE_HTTP);
	assert_true(probe_view_add(w.v, "10.0.0.1:80", &err)); /* is there already: not twice */
	assert_int_equal(table_total(w.v->list.table), 2);
	for (unsigned i = 2; i < PROBE_ITEMS; i++) {
		char words[32];

		snprintf(words, sizeof words, "ping 10.0.1.%u", i);
		assert_true(probe_view_add(w.v, words, &err));
	}
	assert_false(probe_view_add(w.v, "ping 10.0.2.1", &err));
	probe_view_remove(w.v, probe_view_selected(w.v));
	assert_true(probe_view_add(w.v, "ping 10.0.2.1", &err));
	stage_close(&w.s);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_screens), cmocka_unit_test(test_adding) };

	setlocale(LC_ALL, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
