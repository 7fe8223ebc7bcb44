/* The same name at every resolver, in the DNS pane: see dns_versus.h. */
#include "tui/dns_versus.h"

#include "core/err.h"
#include "core/fd.h"
#include "core/loop.h"
#include "core/session.h"
#include "core/source/files.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { HOST_FILES = DNS_MAX_PEERS, TIMEOUT_MS = 2000 };

static const struct target_ref host_ref = { .kind = TARGET_HOST };

/* --- workers --- */

static void drop(struct dns_versus_link *l)
{
	if (l->item)
		loop_remove(l->versus->pane->env->loop, l->item);
	link_free(l->link);
	l->item = NULL;
	l->link = NULL;
}

static int on_link(void *arg)
{
	struct dns_versus_link *l = arg;
	struct dns_versus *v = l->versus;
	struct link_event ev = { 0 };

	link_read(l->link, &ev);
	if (ev.type == LINK_NOTHING || ev.type == LINK_READY)
		return 0;
	drop(l);
	dns_versus_take(v, (unsigned)(l - v->links), ev.type == LINK_BLOCK ? ev.block : NULL);
	pane_dirty(v->pane);
	return 0;
}

static bool open_link(struct dns_versus *v, unsigned i, const struct source *source, bool on_host)
{
	struct pane_env *env = v->pane->env;
	struct dns_versus_link *l = &v->links[i];
	struct err err = { 0 };

	if (!env->session)
		return false;
	l->link = session_open(env->session, source, on_host ? &host_ref : &v->pane->ref, NULL, 0, &err);
	if (!l->link)
		return false;
	l->item = loop_add_fd(env->loop, link_fd(l->link), on_link, l);
	return true;
}

static void ask_peer(struct dns_versus *v, unsigned i)
{
	struct dns_request q;

	dns_compare_request(&v->peers[i], &v->asked, v->name, TIMEOUT_MS, &q);
	if (open_link(v, i, &dns_source, v->peers[i].on_host) && link_request(v->links[i].link, 1, DNS_OP_ASK, &q, sizeof q, -1) < 0)
		drop(&v->links[i]);
}

/* --- rows --- */

/* One that is still waited for is not one that did not reply. */
static void mark_waiting(const struct dns_versus *v, struct builder *b)
{
	for (uint32_t i = 1; i < builder_count(b) && i <= v->n; i++) {
		struct dns_compare_row *row = builder_at(b, i);

		if (v->links[i - 1].block)
			continue;
		row->rcode = builder_str(b, v->links[i - 1].link ? "asked" : "not asked");
		row->finding = ROW_NO_TEXT;
		row->head.severity = SEVERITY_NONE;
	}
}

static void show_rows(struct dns_versus *v)
{
	struct block *answers[DNS_MAX_PEERS];
	struct dns_compared c = { .asked = &v->asked, .name = v->name, .own = v->own, .peers = v->peers, .answers = answers, .n = v->n,
		.targets = v->pane->env->targets, .networks = v->pane->env->networks };
	AUTO(block_unrefp) struct block *rows = NULL, *shown = NULL;
	struct builder *b = builder_new(&dns_compare_row_type);

	for (unsigned i = 0; i < v->n; i++)
		answers[i] = v->links[i].block;
	rows = dns_compare_rows(&c);
	for (uint32_t i = 0; i < block_count(rows); i++)
		builder_copy_row(b, rows, block_row(rows, i));
	mark_waiting(v, b);
	shown = builder_block(b);
	builder_free(b);
	table_set_block(v->grid.table, shown);
}

/* --- the course of it --- */

void dns_versus_stop(struct dns_versus *v)
{
	for (unsigned i = 0; i < ARRAY_LEN(v->links); i++) {
		drop(&v->links[i]);
		block_unref(v->links[i].block);
		v->links[i].block = NULL;
	}
	v->n = 0;
}

static void host_files_taken(struct dns_versus *v)
{
	v->n = dns_compare_peers(v->files, v->links[HOST_FILES].block, v->peers);
	for (unsigned i = 0; i < v->n; i++)
		ask_peer(v, i);
}

void dns_versus_start(struct dns_versus *v, const struct dns_request *asked, struct block *files, struct block *own)
{
	dns_versus_stop(v);
	block_unref(v->files);
	block_unref(v->own);
	v->files = files ? block_ref(files) : NULL;
	v->own = block_ref(own);
	v->asked = *asked;
	dns_compare_name(own, asked, v->name);
	if (v->pane->ref.kind == TARGET_HOST || !open_link(v, HOST_FILES, &files_source, true))
		host_files_taken(v);
	show_rows(v);
}

void dns_versus_take(struct dns_versus *v, unsigned i, struct block *b)
{
	block_unref(v->links[i].block);
	v->links[i].block = b;
	if (i == HOST_FILES)
		host_files_taken(v);
	show_rows(v);
}

bool dns_versus_waits(const struct dns_versus *v)
{
	for (unsigned i = 0; i < ARRAY_LEN(v->links); i++)
		if (v->links[i].link)
			return true;
	return false;
}

/* --- the picture --- */

static size_t bounded(int n, size_t cap)
{
	if (n < 0)
		return 0;
	return (size_t)n < cap ? (size_t)n : cap - 1;
}

static size_t took_format(const void *arg, const struct block *b, const void *row, const struct row_look *look, char *buf, size_t cap)
{
	uint64_t us = ((const struct dns_compare_row *)row)->time_us;

	(void)arg, (void)b, (void)look;
	if (us == ROW_NO_UINT)
		return bounded(snprintf(buf, cap, "-"), cap);
	return bounded(snprintf(buf, cap, us < 1000000 ? "%.1f ms" : "%.1f s", (double)us / (us < 1000000 ? 1e3 : 1e6)), cap);
}

/* "172.18.0.3 = db", and behind it what does not fit. The verdict of the first row stands in the title. */
static size_t answer_format(const void *arg, const struct block *b, const void *row, const struct row_look *look, char *buf, size_t cap)
{
	const struct dns_compare_row *r = row;
	struct text finding = r->head.id == 1 ? (struct text){ 0 } : block_text(b, r->finding), item;
	size_t n = 0;

	(void)arg, (void)look;
	buf[0] = '\0';
	for (uint32_t i = 0; block_list_item(b, r->answers, i, &item) && n < cap; i++)
		n += bounded(snprintf(buf + n, cap - n, "%s%.*s", i ? " " : "", (int)item.n, item.p), cap - n);
	for (uint32_t i = 0; block_list_item(b, r->targets, i, &item) && n < cap; i++)
		n += bounded(snprintf(buf + n, cap - n, "%s%.*s", i ? " " : " = ", (int)item.n, item.p), cap - n);
	if (finding.n && n < cap)
		n += bounded(snprintf(buf + n, cap - n, "%s(%.*s)", n ? "  " : "", (int)finding.n, finding.p), cap - n);
	return n;
}

static enum style answer_style(const void *arg, const struct block *b, const void *row)
{
	const struct dns_compare_row *r = row;

	(void)arg, (void)b;
	return r->head.severity >= SEVERITY_WARN ? canvas_severity_style(r->head.severity) : r->head.severity <= SEVERITY_IDLE ? STYLE_DIM : STYLE_TEXT;
}

static const struct grid_column columns[] = {
	{ .field = "server", .title = "SERVER", .min = 9, .good = 13, .max = 30, .priority = 0 },
	{ .field = "who", .title = "WHO", .min = 10, .good = 18, .max = 36, .priority = 2 },
	{ .field = "from", .title = "FROM", .priority = 5, .flags = GRID_DIM },
	{ .field = "time_us", .title = "TOOK", .priority = 3, .flags = GRID_RIGHT, .format = took_format },
	{ .field = "rcode", .title = "RCODE", .min = 7, .good = 9, .max = 30, .priority = 1 },
	{ .field = "answers", .title = "ANSWER", .min = 9, .good = 20, .max = 200, .priority = 0, .flags = GRID_FLEX, .format = answer_format,
		.style = answer_style },
};

static const struct dns_compare_row *own_row(const struct dns_versus *v, const struct block **ret_block)
{
	*ret_block = table_block(v->grid.table);
	return *ret_block && block_count(*ret_block) ? block_row(*ret_block, 0) : NULL;
}

void dns_versus_draw(struct dns_versus *v, struct area a, bool focused)
{
	const struct block *b;
	const struct dns_compare_row *own = own_row(v, &b);
	struct text verdict = own ? block_text(b, own->finding) : (struct text){ 0 };
	bool waits = dns_versus_waits(v);
	char title[96];
	int y = 1;

	snprintf(title, sizeof title, "Same name, all resolvers   %.60s", v->name);
	canvas_rule(a, 0, title);
	if (a.h < 3)
		return;
	if (waits)
		verdict = text_of("asking");
	else if (verdict.n == 0)
		verdict = text_of(v->n ? "all resolvers say the same" : "no other resolver to compare with");
	if (!waits && own)
		canvas_sign(a, 1, y, own->head.severity);
	canvas_fit(a, 3, y, a.w - 4, false, waits || !own ? STYLE_DIM : own->head.severity >= SEVERITY_WARN ?
		canvas_severity_style(own->head.severity) : STYLE_TEXT, verdict);
	y++;
	grid_draw(&v->grid, canvas_sub(a, 0, y, a.w, a.h - y), &v->pane->env->look, focused);
}

void dns_versus_init(struct dns_versus *v, struct pane *p)
{
	v->pane = p;
	for (unsigned i = 0; i < ARRAY_LEN(v->links); i++)
		v->links[i].versus = v;
	grid_init(&v->grid, &dns_compare_row_type, columns, ARRAY_LEN(columns), NULL, v);
}

void dns_versus_done(struct dns_versus *v)
{
	dns_versus_stop(v);
	block_unref(v->files);
	block_unref(v->own);
	grid_done(&v->grid);
}
