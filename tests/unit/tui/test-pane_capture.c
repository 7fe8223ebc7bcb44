/* The capture pane without a worker: blocks are handed to it as if one had sent them; the pictures are compared with those on record. */
#include "packets.h"
#include "stage.h"

#include "core/fd.h"
#include "tui/capture_view.h"

#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct world {
	struct stage s;
	struct capture_view *v;
};

/* Answers the page that a worker would have been asked for. */
static void send_page(struct world *w, uint64_t from, uint32_t n)
{
	w->v->pages.flight[PAGES_ON].tag = PAGES_TAGS | 7;
	w->v->pages.flight[PAGES_ON].from = from;
	w->v->pages.flight[PAGES_ON].promised = w->v->pages.promised;
	stage_block(&w->s, 0, PAGES_TAGS | 7, packets_page(from, n));
}

static void send_detail(struct world *w, uint64_t number)
{
	w->v->detail_asked = number;
	stage_block(&w->s, 0, CAPTURE_TAG_DETAIL, packets_layers());
	stage_block(&w->s, 0, CAPTURE_TAG_DETAIL, packets_bytes(number));
}

static void open_world(struct world *w, enum text_charset charset)
{
	struct link_event ready = { .type = LINK_READY };
	struct carry carry;

	stage_open(&w->s, &pane_capture, charset);
	w->v = w->s.pane->state;
	carry_init(&carry);
	strcpy(carry.bpf, "host 172.18.0.3 or port 53 or port 8080");
	w->s.pane->ops->take(w->s.pane, &carry);
	assert_string_equal(w->v->params.filter, carry.bpf);
	w->s.pane->feeds[0].state = FEED_LIVE;
	w->s.pane->ops->event(w->s.pane, 0, &ready);
}

static void fill_world(struct world *w, enum text_charset charset)
{
	open_world(w, charset);
	stage_block(&w->s, 0, 0, packets_status(1234, PACKETS_N, true));
	send_page(w, 0, PACKETS_N);
	w->v->grid.follow = false;
	grid_jump(&w->v->grid, 8);
	capture_view_moved(w->v);
	send_detail(w, 9);
}

static void screens(void **state)
{
	static const struct { int w, h; } sizes[] = { { 210, 40 }, { 160, 50 }, { 120, 36 }, { 80, 24 }, { 40, 10 } };
	struct world w;
	char name[64];

	(void)state;
	for (unsigned cs = 0; cs < 2; cs++) {
		fill_world(&w, cs ? TEXT_UTF8 : TEXT_ASCII);
		for (unsigned i = 0; i < ARRAY_LEN(sizes); i++) {
			snprintf(name, sizeof name, "capture-%dx%d%s", sizes[i].w, sizes[i].h, cs ? "" : "-ascii");
			stage_draw(&w.s, sizes[i].w, sizes[i].h, name);
		}
		stage_close(&w.s);
	}
}

static void parts(void **state)
{
	struct world w;

	(void)state;
	fill_world(&w, TEXT_UTF8);
	stage_key(&w.s, KEYS_ENTER);
	assert_int_equal(w.v->focus, CAPTURE_TREE);
	stage_key(&w.s, 'j');
	stage_key(&w.s, 'j');
	assert_int_equal(w.v->hex.mark, 36);
	assert_int_equal(w.v->hex.n_mark, 2);
	stage_draw(&w.s, 80, 24, "capture-tree-80x24");
	stage_draw(&w.s, 40, 10, "capture-tree-40x10");
	stage_key(&w.s, KEYS_TAB);
	stage_key(&w.s, KEYS_HOME);
	assert_true(text_equal(block_text(w.v->tree.block, layertree_selected(&w.v->tree)->label), text_of("Destination")));
	stage_draw(&w.s, 120, 36, "capture-bytes-120x36");
	stage_key(&w.s, KEYS_ESC);
	assert_int_equal(w.v->focus, CAPTURE_LIST);
	stage_key(&w.s, 'r');
	stage_key(&w.s, 't');
	stage_key(&w.s, 't');
	stage_draw(&w.s, 120, 36, "capture-addresses-120x36");
	stage_key(&w.s, '|');
	stage_draw(&w.s, 120, 36, "capture-layout-120x36");
	stage_close(&w.s);
}

static void states(void **state)
{
	struct world w;

	(void)state;
	open_world(&w, TEXT_UTF8);
	stage_draw(&w.s, 80, 24, "capture-starting-80x24");
	stage_block(&w.s, 0, 0, packets_status(0, 0, true));
	stage_draw(&w.s, 80, 24, "capture-empty-80x24");
	stage_close(&w.s);
	fill_world(&w, TEXT_UTF8);
	pane_freeze(w.s.pane, true);
	stage_block(&w.s, 0, 0, packets_status(2000, 500, true));
	assert_int_equal(w.v->pages.count, PACKETS_N);
	stage_draw(&w.s, 80, 24, "capture-frozen-80x24");
	pane_freeze(w.s.pane, false);
	assert_int_equal(w.v->pages.count, 500);
	w.s.pane->feeds[0].state = FEED_GONE;
	stage_draw(&w.s, 80, 24, "capture-gone-80x24");
	stage_block(&w.s, 0, CAPTURE_TAG_INTERFACES, packets_interfaces());
	stage_draw(&w.s, 120, 36, "capture-interfaces-120x36");
	stage_key(&w.s, 'j');
	stage_key(&w.s, KEYS_ENTER);
	assert_string_equal(w.v->params.interface, "lo");
	assert_null(w.v->interfaces);
	stage_close(&w.s);
}

static void show_filter(void **state)
{
	struct world w;

	(void)state;
	fill_world(&w, TEXT_UTF8);
	stage_key(&w.s, '/');
	assert_non_null(w.s.env.prompt.done);
	w.s.env.prompt.changed(w.s.pane, "length>abc");
	assert_true(w.s.env.prompt_error_set);
	assert_string_not_equal(w.s.env.prompt_error, "");
	assert_false(w.s.env.prompt.done(w.s.pane, "length>abc"));
	assert_true(w.s.env.prompt.done(w.s.pane, "dns"));
	stage_block(&w.s, 0, CAPTURE_TAG_DISPLAY, packets_status(1234, 2, true));
	assert_string_equal(w.v->shown, "dns");
	send_page(&w, 0, 2);
	assert_int_equal(w.v->pages.count, 2);
	stage_draw(&w.s, 120, 36, "capture-shown-120x36");
	stage_key(&w.s, '\\');
	assert_string_equal(w.v->show.text, "");
	stage_close(&w.s);
}

/* The name of a DNS packet goes along to the DNS view. */
static void carries(void **state)
{
	struct world w;
	struct carry carry;

	(void)state;
	fill_world(&w, TEXT_UTF8);
	carry_init(&carry);
	w.s.pane->ops->give(w.s.pane, 'd', &carry);
	assert_string_equal(carry.name, "");
	grid_jump(&w.v->grid, 2);
	w.s.pane->ops->give(w.s.pane, 'd', &carry);
	assert_string_equal(carry.name, "db.default.svc");
	carry_init(&carry);
	grid_jump(&w.v->grid, 3); /* the reply */
	w.s.pane->ops->give(w.s.pane, 'd', &carry);
	assert_string_equal(carry.name, "db.default.svc");
	stage_close(&w.s);
}

/* Packets leave the ring: the cursor stays on its packet. */
static void anchor(void **state)
{
	struct world w;
	struct block *b;

	(void)state;
	fill_world(&w, TEXT_UTF8);
	b = packets_status(1234, PACKETS_N, true);
	((struct capture_row *)block_row(b, 0))->first = 4;
	stage_block(&w.s, 0, 0, b);
	assert_int_equal(w.v->grid.cursor, 5);
	send_page(&w, 3, PACKETS_N); /* places 0.. are packets 4.. now */
	w.v->pages.page[0].from = 0;
	stage_close(&w.s);
}

/* Answers for another worker, errors, and broken blocks change nothing that they should not. */
static void strangers(void **state)
{
	struct world w;
	struct link_event error = { .type = LINK_ERROR, .tag = CAPTURE_TAG_DETAIL, .code = 2, .msg = "packet 9 has left the spool" };
	struct link_event closed = { .type = LINK_CLOSED };

	(void)state;
	fill_world(&w, TEXT_UTF8);
	stage_block(&w.s, 0, PAGES_TAGS | 99, packets_page(0, 3));
	assert_int_equal(block_count(w.v->pages.page[0].block), PACKETS_N);
	w.v->detail_asked = 9;
	w.s.pane->ops->event(w.s.pane, 0, &error);
	assert_null(layertree_selected(&w.v->tree));
	stage_draw(&w.s, 120, 36, "capture-left-120x36");
	w.v->detail_asked = 9;
	w.s.pane->feeds[0].state = FEED_ENDED;
	strcpy(w.s.pane->feeds[0].why, "killed by signal 9");
	w.s.pane->ops->event(w.s.pane, 0, &closed);
	assert_int_equal(w.v->detail_asked, 0);
	assert_int_equal(w.v->pages.count, PACKETS_N);
	stage_close(&w.s);
}

/* Every key is in one table only once, and has help. */
static void bindings(void **state)
{
	(void)state;
	for (unsigned i = 0; i < pane_capture.n_bindings; i++) {
		assert_non_null(pane_capture.bindings[i].help);
		assert_non_null(pane_capture.bindings[i].run);
		for (unsigned k = 0; k < i; k++)
			assert_int_not_equal(pane_capture.bindings[i].key, pane_capture.bindings[k].key);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(screens),
		cmocka_unit_test(parts),
		cmocka_unit_test(states),
		cmocka_unit_test(show_filter),
		cmocka_unit_test(carries),
		cmocka_unit_test(anchor),
		cmocka_unit_test(strangers),
		cmocka_unit_test(bindings),
	};

	setlocale(LC_CTYPE, "C.UTF-8");
	return cmocka_run_group_tests_name("pane_capture", tests, NULL, NULL);
}
