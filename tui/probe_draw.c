/*
 * The probe picture: left the list with times as a sparkline, right what the selected one means: the verdict in words, its evidence,
 * the numbers, and hops, phases or certificates. One below the other on narrow screens.
 */
#include "tui/probe_view.h"

#include "core/fd.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { SIDE_BY_SIDE = 100, SPARK = 12, LINE = 512, MAX_LINES = 200 };

/* --- sparkline --- */

static const char *bar(double part, bool lost, enum text_charset charset)
{
	if (lost)
		return charset == TEXT_UTF8 ? "✗" : "X";
	return canvas_bar_text(charset, part);
}

static double worst_of(const struct probe_item *item, unsigned from)
{
	double worst = 0;

	for (unsigned i = from; i < item->n_history; i++)
		worst = item->history[i] > worst ? item->history[i] : worst;
	return worst;
}

size_t probe_view_sparkline(const struct probe_item *item, unsigned n, enum text_charset charset, char *buf, size_t cap)
{
	unsigned from = item->n_history > n ? item->n_history - n : 0;
	double worst = worst_of(item, from);
	size_t len = 0;

	buf[0] = '\0';
	for (unsigned i = from; i < item->n_history && len + 4 < cap; i++)
		len += (size_t)snprintf(buf + len, cap - len, "%s", bar(worst > 0 ? item->history[i] / worst : 0, item->history[i] < 0, charset));
	return len;
}

/* --- the list --- */

static size_t took_text(uint64_t us, char *buf, size_t cap)
{
	int n;

	if (us == ROW_NO_UINT)
		n = snprintf(buf, cap, "-");
	else if (us < 1000)
		n = snprintf(buf, cap, "%" PRIu64 " us", us);
	else if (us < 1000000)
		n = snprintf(buf, cap, us < 10000 ? "%.1f ms" : "%.0f ms", (double)us / 1000);
	else
		n = snprintf(buf, cap, "%.1f s", (double)us / 1e6);
	return n < 0 ? 0 : (size_t)n < cap ? (size_t)n : cap - 1;
}

static size_t spark_format(const void *arg, const struct block *b, const void *row, const struct row_look *look, char *buf, size_t cap)
{
	const struct probe_row *r = row;
	const struct probe_item *item = probe_view_find(arg, r->head.id);

	(void)b;
	buf[0] = '\0';
	return item ? probe_view_sparkline(item, SPARK, look->charset, buf, cap) : 0;
}

static size_t time_format(const void *arg, const struct block *b, const void *row, const struct row_look *look, char *buf, size_t cap)
{
	const struct probe_row *r = row;
	const struct probe_item *item = probe_view_find(arg, r->head.id);

	(void)b, (void)look;
	if (item && item->state == PROBE_IS_STOPPED && r->kind != PROBE_MTU)
		return (size_t)snprintf(buf, cap, "stopped");
	return took_text(r->time_us, buf, cap);
}

static size_t loss_format(const void *arg, const struct block *b, const void *row, const struct row_look *look, char *buf, size_t cap)
{
	const struct probe_row *r = row;

	(void)arg, (void)b, (void)look;
	return (size_t)(isnan(r->loss) ? snprintf(buf, cap, "-") : snprintf(buf, cap, "%.0f%%", r->loss));
}

static size_t verdict_format(const void *arg, const struct block *b, const void *row, const struct row_look *look, char *buf, size_t cap)
{
	const struct probe_row *r = row;
	const struct probe_item *item = probe_view_find(arg, r->head.id);
	const char *word = r->verdict < PROBE_VERDICT_N ? probe_verdict_names[r->verdict] : item && item->why[0] ? "failed" : "...";

	(void)b, (void)look;
	return (size_t)snprintf(buf, cap, "%s", word);
}

static enum style verdict_style(const void *arg, const struct block *b, const void *row)
{
	const struct row_head *head = row;

	(void)arg, (void)b;
	return head->severity >= SEVERITY_WARN || head->severity == SEVERITY_OK ? canvas_severity_style(head->severity) : STYLE_DIM;
}

static enum style loss_style(const void *arg, const struct block *b, const void *row)
{
	const struct probe_row *r = row;

	(void)arg, (void)b;
	return r->loss > 0 ? STYLE_WARN : STYLE_DIM;
}

static enum style spark_style(const void *arg, const struct block *b, const void *row)
{
	(void)arg, (void)b, (void)row;
	return STYLE_OK;
}

static const struct grid_column columns[] = {
	{ .field = "kind", .title = "KIND", .priority = 1 },
	{ .field = "destination", .title = "DESTINATION", .min = 10, .good = 16, .max = 60, .priority = 0, .flags = GRID_FLEX },
	{ .field = "verdict", .title = "VERDICT", .min = 12, .good = 12, .max = 26, .priority = 0, .format = verdict_format, .style = verdict_style },
	{ .field = "time_us", .title = "TIME", .min = 6, .priority = 2, .flags = GRID_RIGHT, .format = time_format },
	{ .field = "loss", .title = "LOSS", .priority = 3, .flags = GRID_RIGHT, .format = loss_format, .style = loss_style },
	{ .field = "p50_us", .title = "LATEST TRIES", .min = SPARK, .good = SPARK, .max = SPARK, .priority = 4, .format = spark_format, .style = spark_style },
};

void probe_view_grids(struct probe_view *v)
{
	grid_init(&v->list, &probe_row_type, columns, ARRAY_LEN(columns), NULL, v);
}

/* --- lines of the detail --- */

struct page {
	struct area a;
	int y;
	const struct probe_view *v;
	const struct block *b;
	const struct probe_row *r;
};

/* Breaks at blanks; returns lines used. */
static void wrapped(struct page *g, int x, enum style style, struct text t)
{
	int room = g->a.w - x;

	while (t.n && g->y < g->a.h && room > 4) {
		size_t n = text_fit(t, (size_t)room, NULL), cut = n;

		while (n < t.n && cut > 0 && t.p[cut] != ' ')
			cut--;
		if (n < t.n && cut > 0)
			n = cut;
		if (n == 0)
			return;
		canvas_put(g->a, x, g->y++, style, (struct text){ t.p, n });
		t.p += n;
		t.n -= n;
		while (t.n && *t.p == ' ') {
			t.p++;
			t.n--;
		}
	}
}

static void clean_wrapped(struct page *g, int x, enum style style, struct text raw)
{
	char buf[2 * LINE];

	wrapped(g, x, style, (struct text){ buf, text_clean(buf, sizeof buf, raw, canvas_charset(g->a.canvas)) });
}

static void fact(struct page *g, const char *label, const char *value, enum style style)
{
	if (g->y >= g->a.h || !value[0])
		return;
	canvas_str(g->a, 3, g->y, STYLE_DIM, label);
	canvas_fit(g->a, 15, g->y++, g->a.w - 15, false, style, text_of(value));
}

static void text_fact(struct page *g, const char *label, struct str s)
{
	char buf[LINE];
	struct text t = block_text(g->b, s);

	if (s.len == UINT32_MAX || t.n == 0)
		return;
	text_clean(buf, sizeof buf, t, canvas_charset(g->a.canvas));
	fact(g, label, buf, STYLE_TEXT);
}

static void heading(struct page *g, const char *title)
{
	if (g->y + 1 >= g->a.h)
		return;
	g->y++;
	canvas_str(g->a, 1, g->y++, STYLE_STRONG, title);
}

/* --- what is said --- */

static void draw_verdict(struct page *g, const struct probe_item *item)
{
	struct text item_text;

	canvas_sign(g->a, 1, g->y, g->r->head.severity);
	clean_wrapped(g, 3, canvas_severity_style(g->r->head.severity), block_text(g->b, g->r->meaning));
	if (item->why[0] && item->latest)
		wrapped(g, 3, STYLE_BAD, text_of(item->why));
	for (uint32_t i = 0; block_list_item(g->b, g->r->evidence, i, &item_text); i++) {
		if (g->y < g->a.h)
			canvas_glyph(g->a, 3, g->y, STYLE_DIM, GLYPH_DOT);
		clean_wrapped(g, 5, STYLE_TEXT, item_text);
	}
}

static void draw_where(struct page *g)
{
	static const char *const how[PROBE_HOW_N] = { [PROBE_LITERAL] = "", [PROBE_CONTAINER] = "   container's address",
		[PROBE_HOSTS] = "   from /etc/hosts", [PROBE_DNS] = "   by DNS" };
	char line[LINE], text[ADDR_TEXT], took[32] = "";

	if (!g->r->address.kind)
		return;
	if (g->r->resolve_us != ROW_NO_UINT)
		took_text(g->r->resolve_us, took, sizeof took);
	snprintf(line, sizeof line, "%s%s%s%s", addr_format(&g->r->address, text), g->r->how < PROBE_HOW_N ? how[g->r->how] : "", took[0] ? " in " : "",
		took);
	fact(g, "address", line, STYLE_STRONG);
	text_fact(g, "is", g->r->target);
	if (g->r->ttl != ROW_NO_UINT) {
		snprintf(line, sizeof line, "%" PRIu64 " in the answer", g->r->ttl);
		fact(g, "TTL", line, STYLE_TEXT);
	}
}

static void add_time(char *line, const char *label, uint64_t us)
{
	size_t n = strlen(line);
	char took[32];

	if (us == ROW_NO_UINT)
		return;
	took_text(us, took, sizeof took);
	snprintf(line + n, LINE - n, "%s%s %s", n ? "   " : "", label, took);
}

static void draw_numbers(struct page *g, const struct probe_item *item)
{
	const struct probe_row *r = g->r;
	char line[LINE] = "", spark[LINE];

	if (r->kind == PROBE_MTU || r->sent < 2)
		return;
	heading(g, "so far");
	snprintf(line, sizeof line, "%" PRIu64 " sent   %" PRIu64 " answered   %.0f %% lost", r->sent, r->received, r->loss);
	fact(g, "tries", line, r->received < r->sent ? STYLE_WARN : STYLE_TEXT);
	line[0] = '\0';
	add_time(line, "min", r->min_us);
	add_time(line, "avg", r->avg_us);
	add_time(line, "max", r->max_us);
	add_time(line, "jitter", r->jitter_us);
	fact(g, "times", line, STYLE_TEXT);
	line[0] = '\0';
	add_time(line, "p50", r->p50_us);
	add_time(line, "p95", r->p95_us);
	add_time(line, "p99", r->p99_us);
	fact(g, "percentile", line, STYLE_TEXT);
	probe_view_sparkline(item, g->a.w > 20 ? (unsigned)g->a.w - 16 : 4, canvas_charset(g->a.canvas), spark, sizeof spark);
	fact(g, "latest", spark, STYLE_OK);
}

static void draw_mtu(struct page *g)
{
	static const char *const labels[] = { "path", "kernel", "interface" };
	const uint64_t values[] = { g->r->path_mtu, g->r->kernel_mtu, g->r->interface_mtu };
	char line[64];

	if (g->r->kind != PROBE_MTU || g->r->path_mtu == ROW_NO_UINT)
		return;
	heading(g, "biggest packets");
	for (unsigned i = 0; i < ARRAY_LEN(values); i++) {
		if (values[i] == ROW_NO_UINT)
			continue;
		snprintf(line, sizeof line, "%" PRIu64 " bytes", values[i]);
		fact(g, labels[i], line, i == 0 ? STYLE_STRONG : STYLE_TEXT);
	}
}

/* --- hops, as in mtr --- */

static void draw_hop(struct page *g, const struct hop_row *h, bool wide)
{
	char address[ADDR_TEXT], last[32], avg[32], worst[32], name[128] = "";
	enum style style = h->received == 0 ? STYLE_DIM : h->received < h->sent ? STYLE_WARN : STYLE_TEXT;
	int x = wide ? g->a.w - 36 : g->a.w - 18;

	text_clean(name, sizeof name, block_text(g->b, h->name), canvas_charset(g->a.canvas));
	canvas_printf(g->a, 1, g->y, STYLE_DIM, "%2" PRIu64, h->hop);
	if (h->received == 0)
		canvas_str(g->a, 5, g->y, STYLE_DIM, "silent");
	else
		canvas_printf(g->a, 5, g->y, STYLE_TEXT, "%s", addr_format(&h->address, address));
	if (h->received && name[0] && x - 5 - (int)strlen(address) > 4)
		canvas_fit(g->a, 7 + (int)strlen(address), g->y, x - 8 - (int)strlen(address), false, STYLE_STRONG, text_of(name));
	took_text(h->last_us, last, sizeof last);
	took_text(h->avg_us, avg, sizeof avg);
	took_text(h->max_us, worst, sizeof worst);
	canvas_printf(g->a, x, g->y, style, isnan(h->loss) ? "    -" : "%4.0f%%", h->loss);
	canvas_printf(g->a, x + 7, g->y, STYLE_TEXT, "%9s", last);
	if (wide) {
		canvas_printf(g->a, x + 17, g->y, STYLE_DIM, "%9s", avg);
		canvas_printf(g->a, x + 27, g->y, STYLE_DIM, "%9s", worst);
	}
	g->y++;
}

static void draw_hops(struct page *g)
{
	bool wide = g->a.w >= 64;
	int x = wide ? g->a.w - 36 : g->a.w - 18;

	if (g->r->hops.n == 0 || g->y + 2 >= g->a.h)
		return;
	g->y++;
	canvas_str(g->a, 1, g->y, STYLE_DIM, "HOP");
	canvas_str(g->a, 5, g->y, STYLE_DIM, "ADDRESS");
	canvas_printf(g->a, x, g->y, STYLE_DIM, wide ? " LOSS       LAST       AVG     WORST" : " LOSS       LAST");
	g->y++;
	for (uint32_t i = 0; i < g->r->hops.n && g->y < g->a.h; i++)
		draw_hop(g, block_nested(g->b, &hop_row_type, g->r->hops, i), wide);
}

/* --- http --- */

/* Phases one behind the other, as long as they took. */
static void draw_phase(struct page *g, const char *label, uint64_t us, uint64_t *from, uint64_t total)
{
	int room = g->a.w - 27, x, n;
	char took[32];

	if (us == ROW_NO_UINT || g->y >= g->a.h || total == 0)
		return;
	took_text(us, took, sizeof took);
	canvas_str(g->a, 3, g->y, STYLE_DIM, label);
	canvas_printf(g->a, 15, g->y, STYLE_TEXT, "%9s", took);
	x = (int)((double)*from / (double)total * room);
	n = (int)((double)us / (double)total * room);
	for (int i = 0; i < (n ? n : 1) && x + i < room; i++)
		canvas_str(g->a, 26 + x + i, g->y, STYLE_OK, canvas_charset(g->a.canvas) == TEXT_UTF8 ? "━" : "=");
	*from += us;
	g->y++;
}

static void draw_certificate(struct page *g, const struct certificate_row *c, const struct row_look *look)
{
	const struct field *until = row_field_find(&certificate_row_type, "not_after");
	char line[LINE], subject[200], left[64];

	text_clean(subject, sizeof subject, block_text(g->b, c->subject), canvas_charset(g->a.canvas));
	row_format(g->b, until, c, look, left, sizeof left);
	if (c->not_after != ROW_NO_INT && look->now_ns > c->not_after)
		snprintf(line, sizeof line, "%s   ended %s ago", subject, left);
	else
		snprintf(line, sizeof line, "%s   ends in %s", subject, left[0] == '-' ? left + 1 : left);
	fact(g, c->head.id == 1 ? "certificate" : "signed by", line, STYLE_TEXT);
}

static void draw_http(struct page *g, const struct row_look *look)
{
	const struct probe_row *r = g->r;
	uint64_t from = 0;
	char line[64];

	if (r->kind != PROBE_HTTP || r->connect_us == ROW_NO_UINT)
		return;
	heading(g, "phases");
	draw_phase(g, "connect", r->connect_us, &from, r->total_us);
	draw_phase(g, "tls", r->tls_us, &from, r->total_us);
	draw_phase(g, "first byte", r->first_byte_us, &from, r->total_us);
	draw_phase(g, "rest", r->first_byte_us == ROW_NO_UINT || r->total_us == ROW_NO_UINT || r->total_us < from ? ROW_NO_UINT : r->total_us - from, &from,
		r->total_us);
	heading(g, "answer");
	if (r->status != ROW_NO_UINT) {
		snprintf(line, sizeof line, "%" PRIu64 "   %" PRIu64 " bytes", r->status, r->bytes);
		fact(g, "status", line, r->status >= 400 ? STYLE_BAD : STYLE_STRONG);
	}
	text_fact(g, "type", r->content_type);
	text_fact(g, "server", r->server);
	text_fact(g, "leads to", r->location);
	text_fact(g, "tls", r->tls_version);
	text_fact(g, "cipher", r->tls_cipher);
	text_fact(g, "problem", r->tls_problem);
	for (uint32_t i = 0; i < r->certificates.n; i++)
		draw_certificate(g, block_nested(g->b, &certificate_row_type, r->certificates, i), look);
}

/* --- all of it --- */

static void draw_detail(const struct probe_view *v, struct area a)
{
	struct page g = { .a = a, .v = v };
	const struct probe_item *item = probe_view_selected(v);

	g.r = grid_selected(&v->list, &g.b);
	if (!g.r || !item)
		return;
	canvas_fit(a, 1, g.y++, a.w - 2, false, STYLE_STRONG, text_of(item->words));
	if (!item->latest) {
		if (item->why[0])
			wrapped(&g, 3, STYLE_BAD, text_of(item->why));
		else
			canvas_str(a, 3, g.y, STYLE_DIM, item->state == PROBE_IS_WAITING ? "reading the container's files for its name servers" :
				item->state == PROBE_IS_STOPPED ? "stopped" : "trying");
		return;
	}
	draw_verdict(&g, item);
	draw_where(&g);
	draw_hops(&g);
	draw_mtu(&g);
	draw_http(&g, &v->pane->env->look);
	draw_numbers(&g, item);
}

static void draw_nothing(const struct pane *p, struct area a)
{
	char line[LINE];

	snprintf(line, sizeof line, "nothing is probed yet   [a] add: tcp db:5432, ping db, trace 1.1.1.1%s", a.w < 100 ? "" : ", mtu db, http http://api/");
	canvas_hint(a, 1, 0, STYLE_DIM, line);
	snprintf(line, sizeof line, "from inside %s; or press [P] on a socket, a packet, a DNS answer", p->target_name);
	canvas_hint(a, 1, 1, STYLE_DIM, line);
}

void probe_view_draw(const struct pane *p, struct area a)
{
	struct probe_view *v = probe_view_of(p);
	int left = a.w >= 140 ? 72 : a.w * 6 / 11, list;

	v->list.height = 0; /* for the mouse: what is not drawn is not there */
	if (table_total(v->list.table) == 0) {
		draw_nothing(p, a);
		return;
	}
	if (p->zoom) {
		draw_detail(v, a);
		return;
	}
	if (a.w >= SIDE_BY_SIDE) {
		grid_draw(&v->list, canvas_sub(a, 0, 0, left, a.h), &p->env->look, true);
		canvas_vline(a, left, 0, a.h);
		draw_detail(v, canvas_sub(a, left + 1, 0, a.w - left - 1, a.h));
		return;
	}
	list = (int)table_count(v->list.table) + 1;
	list = list > a.h / 2 ? a.h / 2 : list;
	grid_draw(&v->list, canvas_sub(a, 0, 0, a.w, list), &p->env->look, true);
	if (a.h - list < 2)
		return;
	canvas_rule(a, list, NULL);
	draw_detail(v, canvas_sub(a, 0, list + 1, a.w, a.h - list - 1));
}
