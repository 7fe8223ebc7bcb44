/* The DNS pane without workers: files and answers are handed to it as if they had come; pictures are compared with those on record. */
#include "golden.h"
#include "packets.h"

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
	struct pane_env env;
	struct pane *pane;
	struct dns_view *v;
};

static void send_block(struct world *w, unsigned slot, uint32_t tag, struct block *b)
{
	struct link_event ev = { .type = LINK_BLOCK, .tag = tag, .row_type = block_type(b), .block = b };

	w->pane->ops->event(w->pane, slot, &ev);
}

static void open_world(struct world *w, enum text_charset charset)
{
	memset(w, 0, sizeof *w);
	w->env.targets = packets_targets();
	w->env.look = (struct row_look){ .charset = charset, .utc = true, .now_ns = PACKETS_NOW };
	w->env.now_ms = 100000;
	assert_int_equal(pane_new(&pane_dns, &w->env, block_row(w->env.targets, 0), &w->pane, NULL), 0);
	w->v = w->pane->state;
}

static void close_world(struct world *w)
{
	pane_free(w->pane);
	block_unref(w->env.targets);
}

/* An answer for what the form asks now, at a fixed time. */
static void answer(struct world *w, bool good)
{
	w->v->tag = 5;
	w->v->waiting = true;
	send_block(w, DNS_SLOT_ASK, 5, packets_answer(good));
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
	w->pane->ops->take(w->pane, &carry);
}

static void draw(struct world *w, int width, int height, const char *name)
{
	struct canvas *c = canvas_new(width, height, w->env.look.charset);
	struct area all = canvas_all(c);
	int top = height < 14 ? 1 : 2, bottom = height < 14 ? 1 : 2;

	w->pane->ops->draw(w->pane, canvas_sub(all, 0, top, width, height - top - bottom));
	golden_check(name, c);
	canvas_free(c);
}

static void key(struct world *w, int k)
{
	if (w->pane->ops->key(w->pane, k))
		return;
	for (unsigned i = 0; i < w->pane->ops->n_bindings; i++) {
		const struct binding *b = &w->pane->ops->bindings[i];
		if ((b->key == k || b->alias == k) && (!b->works || b->works(w->pane))) {
			b->run(w->pane, k);
			return;
		}
	}
	fail_msg("key %d does nothing", k);
}

static void fill_world(struct world *w, enum text_charset charset)
{
	open_world(w, charset);
	send_block(w, DNS_SLOT_FILES, 0, packets_files());
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
			draw(&w, sizes[i].w, sizes[i].h, name);
		}
		close_world(&w);
	}
}

static void states(void **state)
{
	struct link_event closed = { .type = LINK_CLOSED };
	struct world w;

	(void)state;
	open_world(&w, TEXT_UTF8);
	draw(&w, 80, 24, "dns-start-80x24");
	send_block(&w, DNS_SLOT_FILES, 0, packets_files());
	draw(&w, 80, 24, "dns-nothing-80x24");
	take_name(&w, "queue.default.svc");
	w.env.now_ms += 3000;
	draw(&w, 80, 24, "dns-asking-80x24");
	answer(&w, false);
	draw(&w, 80, 24, "dns-timeout-80x24");
	key(&w, 'a');
	draw(&w, 120, 36, "dns-files-120x36");
	close_world(&w);
	open_world(&w, TEXT_UTF8);
	w.pane->feeds[DNS_SLOT_FILES].state = FEED_FAILED;
	strcpy(w.pane->feeds[DNS_SLOT_FILES].why, "no answer in 2 s");
	w.pane->ops->event(w.pane, DNS_SLOT_FILES, &closed);
	assert_true(w.v->files_done);
	draw(&w, 120, 36, "dns-nofiles-120x36");
	close_world(&w);
}

/* o: the host's resolver does not know Docker's name; then one of them says something else. */
static void others(void **state)
{
	static const char resolv[] = "nameserver 192.168.7.1\n";
	struct builder *b = builder_new(&file_row_type);
	struct world w;

	(void)state;
	fill_world(&w, TEXT_UTF8);
	key(&w, 'o');
	draw(&w, 80, 24, "dns-others-asked-80x24");
	files_parse(b, "/etc/resolv.conf", resolv, sizeof resolv - 1);
	dns_versus_take(&w.v->versus, DNS_MAX_PEERS, builder_block(b));
	assert_int_equal(w.v->versus.n, 2);
	dns_versus_take(&w.v->versus, 0, packets_answer(true));
	dns_versus_take(&w.v->versus, 1, packets_answer(false));
	draw(&w, 120, 36, "dns-others-120x36");
	draw(&w, 80, 24, "dns-others-80x24");
	key(&w, 'a');
	assert_true(dns_view_shows_files(w.v));
	key(&w, 'o');
	assert_ptr_equal(dns_view_lower(w.v), &w.v->versus.grid);
	key(&w, 'o');
	assert_ptr_equal(dns_view_lower(w.v), &w.v->history);
	builder_free(b);
	close_world(&w);
}

/* What is in /etc/hosts is answered from there and nobody is asked. */
static void hosts(void **state)
{
	struct world w;

	(void)state;
	open_world(&w, TEXT_UTF8);
	take_name(&w, "shop-api-1");
	assert_true(w.v->pending);
	send_block(&w, DNS_SLOT_FILES, 0, packets_files());
	assert_false(w.v->pending);
	assert_string_equal(w.v->last.server, "/etc/hosts");
	assert_string_equal(w.v->last.answer, "172.18.0.5");
	w.v->last.time = PACKETS_NOW;
	w.v->asked.n = 0;
	table_set_block(w.v->history.table, NULL);
	draw(&w, 80, 24, "dns-hosts-80x24");
	close_world(&w);
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
	draw(&w, 120, 36, "dns-repeat-120x36");
	w.v->repeat = false;
	close_world(&w);
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
	close_world(&w);
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
	key(&w, 'T');
	dns_view_dig(w.v, dig, sizeof dig);
	assert_string_equal(dig, "dig @8.8.8.8 +tcp -p 5353 -x 172.18.0.3");
	dns_view_set_name(w.v, "web");
	assert_string_equal(dns_choices[w.v->choice].name, "A+AAAA");
	key(&w, 't');
	assert_string_equal(dns_choices[w.v->choice].name, "A");
	key(&w, KEYS_TAB);
	key(&w, 'j'); /* the older question: queue.default.svc */
	w.v->waiting = false;
	key(&w, KEYS_ENTER);
	assert_string_equal(w.v->name, "queue.default.svc");
	key(&w, '/');
	assert_non_null(w.env.prompt.done);
	assert_false(w.env.prompt.done(w.pane, "two words"));
	assert_true(w.env.prompt_error_set);
	assert_true(w.env.prompt.done(w.pane, "  one"));
	assert_string_equal(w.v->name, "one");
	close_world(&w);
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
	send_block(&w, DNS_SLOT_ASK, 8, packets_answer(false));
	assert_true(w.v->waiting);
	strcpy(w.pane->feeds[DNS_SLOT_ASK].why, "killed by signal 9");
	w.pane->feeds[DNS_SLOT_ASK].state = FEED_ENDED;
	w.pane->ops->event(w.pane, DNS_SLOT_ASK, &closed);
	assert_false(w.v->waiting);
	draw(&w, 80, 24, "dns-ended-80x24");
	close_world(&w);
}

static void bindings(void **state)
{
	(void)state;
	for (unsigned i = 0; i < pane_dns.n_bindings; i++) {
		assert_non_null(pane_dns.bindings[i].help);
		assert_non_null(pane_dns.bindings[i].run);
		for (unsigned k = 0; k < i; k++)
			assert_int_not_equal(pane_dns.bindings[i].key, pane_dns.bindings[k].key);
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
		cmocka_unit_test(bindings),
	};

	setlocale(LC_CTYPE, "C.UTF-8");
	return cmocka_run_group_tests_name("pane_dns", tests, NULL, NULL);
}
