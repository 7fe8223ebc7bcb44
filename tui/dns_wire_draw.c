/* The Wire half's picture, from the top: tabs, rates with the last minute as bars, what is wrong, the table, the selected row in full. */
#include "tui/dns_view.h"

#include "core/fd.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE = 512, WIDE = 100 };

const char *const dns_wire_tab_names[DNS_WIRE_TABS] = {
	[DNS_WIRE_ALL] = "all", [DNS_WIRE_SLOWEST] = "slowest", [DNS_WIRE_FAILING] = "failing", [DNS_WIRE_UNANSWERED] = "unanswered",
	[DNS_WIRE_NAMES] = "names", [DNS_WIRE_SEARCHES] = "search list", [DNS_WIRE_FINDINGS] = "findings",
};

/* --- tabs --- */

int dns_wire_draw_subtabs(struct area a, bool on_wire)
{
	static const char *const names[2][2] = { { "[Ask]", " Ask " }, { " Wire ", "[Wire]" } };
	int x = a.w - 12;

	if (a.w < 50)
		return a.w;
	for (int i = 0; i < 2; i++) {
		int n = canvas_str(a, x, 0, i == on_wire ? STYLE_TEXT : STYLE_DIM, names[i][on_wire]);

		if (i == on_wire)
			canvas_ground_part(a, x, 0, n, GROUND_TAB);
		x += n;
	}
	return a.w - 12;
}

/* "names 11", or only the one we are in where there is no room for others. */
static void draw_tabs(const struct dns_wire_view *w, struct area a)
{
	static const char *const narrow[DNS_WIRE_TABS] = { "all", "slow", "fail", "none", "names", "search", "find" };
	int end = dns_wire_draw_subtabs(a, true), x = 1;

	for (int i = 0; i < DNS_WIRE_TABS; i++) {
		bool here = i == (int)w->tab, bad = (i == DNS_WIRE_UNANSWERED || i == DNS_WIRE_FINDINGS) && w->counts[i];
		char text[48];
		int n;

		snprintf(text, sizeof text, here ? "[%s %u]" : "%s %u", a.w < WIDE && a.w >= 50 ? narrow[i] : dns_wire_tab_names[i], w->counts[i]);
		if ((a.w < 50 && !here) || x + (int)strlen(text) >= end)
			continue;
		n = canvas_str(a, x, 0, here ? STYLE_TEXT : bad ? STYLE_WARN : w->counts[i] ? STYLE_TEXT : STYLE_DIM, text);
		if (here)
			canvas_ground_part(a, x, 0, n, GROUND_TAB);
		x += n + (a.w < WIDE ? 1 : 2);
	}
}

/* --- rates --- */

static int draw_count(struct area a, int x, enum severity s, uint64_t n, const char *word)
{
	if (n == 0 || x + 24 > a.w)
		return x;
	canvas_sign(a, x, 0, s);
	return x + 2 + canvas_printf(a, x + 2, 0, s == SEVERITY_BAD ? STYLE_BAD : STYLE_WARN, "%" PRIu64 " %s", n, word) + 3;
}

static int draw_time(struct area a, int x, const char *word, uint64_t us)
{
	char text[32];

	if (us == ROW_NO_UINT || x + (int)strlen(word) + 10 > a.w)
		return x;
	dns_view_took(us, text, sizeof text);
	x += canvas_str(a, x, 0, STYLE_DIM, word) + 1;
	return x + canvas_str(a, x, 0, STYLE_TEXT, text) + 3;
}

static void draw_rates(const struct dns_wire_view *w, struct area a)
{
	const struct dnswatch_row *n = &w->now;
	uint64_t none = n->unanswered + n->unreachable + n->late;
	int x = 1;

	if (!w->has_state)
		return;
	if (n->running == 1)
		x += canvas_str(a, x, 0, STYLE_LIVE, "LIVE") + 1;
	else
		x += canvas_str(a, x, 0, STYLE_WARN, "stopped") + 1;
	x += canvas_printf(a, x, 0, STYLE_STRONG, "%" PRIu64 " asked", n->asked) + 3;
	if (a.w >= 60)
		x += canvas_printf(a, x, 0, STYLE_TEXT, "%.1f/s", n->rate) + 3;
	x = draw_count(a, x, SEVERITY_BAD, none, "unanswered");
	x = draw_count(a, x, SEVERITY_WARN, n->retried, "again");
	x = draw_count(a, x, SEVERITY_WARN, n->failed, "failed");
	if (n->nxdomain && x + 24 < a.w)
		x += canvas_printf(a, x, 0, STYLE_TEXT, "%" PRIu64 " NXDOMAIN", n->nxdomain) + 3;
	x = draw_time(a, x, "median", n->p50_us);
	x = draw_time(a, x, "p95", n->p95_us);
	x = draw_count(a, x, SEVERITY_WARN, n->dropped, "packets lost");
	draw_count(a, x, SEVERITY_WARN, n->missed, "not followed");
}

/* --- the last minute --- */

struct minute {
	double worst[DNS_WIRE_SECONDS]; /* us; 0: nothing */
	bool none[DNS_WIRE_SECONDS]; /* something was not answered */
	double most;
};

static void fill_minute(const struct dns_wire_view *w, struct minute *m)
{
	int64_t now = w->pane->env->look.now_ns / 1000000000;

	*m = (struct minute){ 0 };
	for (uint32_t i = 0; w->questions && i < block_count(w->questions); i++) {
		const struct dnswatch_question *q = block_row(w->questions, i);
		int64_t ago = now - q->time / 1000000000;
		int at = DNS_WIRE_SECONDS - 1 - (int)ago;

		if (ago < 0 || ago >= DNS_WIRE_SECONDS || q->forwarded == 1)
			continue;
		m->none[at] = m->none[at] || dns_wire_is_unanswered(q);
		if (q->time_us != ROW_NO_UINT && (double)q->time_us > m->worst[at])
			m->worst[at] = (double)q->time_us;
		m->most = m->worst[at] > m->most ? m->worst[at] : m->most;
	}
}

/* 0.1 ms is the lowest bar, 10 s the highest: what matters is the power of ten. */
static int height_of(double us)
{
	double part = (log10(us < 100 ? 100 : us) - 2) / 5;

	return part >= 1 ? 7 : (int)(part * 8);
}

static void draw_minute(const struct dns_wire_view *w, struct area a)
{
	static const char *const bars[2][8] = {
		{ "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" }, { ".", ":", "-", "=", "+", "*", "#", "#" },
	};
	bool ascii = canvas_charset(a.canvas) == TEXT_ASCII;
	int n = a.w >= 90 ? DNS_WIRE_SECONDS : a.w >= 60 ? 30 : 20, x = 1;
	struct minute m;
	char took[32];

	fill_minute(w, &m);
	x += canvas_printf(a, x, 0, STYLE_DIM, "last %d s", n) + 1;
	for (int i = DNS_WIRE_SECONDS - n; i < DNS_WIRE_SECONDS; i++, x++) {
		if (m.none[i])
			canvas_str(a, x, 0, STYLE_BAD, ascii ? "X" : "✗");
		else if (m.worst[i] > 0)
			canvas_str(a, x, 0, m.worst[i] >= 1e6 ? STYLE_WARN : STYLE_OK, bars[ascii][height_of(m.worst[i])]);
		else
			canvas_str(a, x, 0, STYLE_RULE, ascii ? " " : "·");
	}
	if (m.most <= 0)
		return;
	dns_view_took((uint64_t)m.most, took, sizeof took);
	canvas_printf(a, x + 1, 0, STYLE_DIM, "slowest %s   0.1 ms %s  10 s %s", took, bars[ascii][0], bars[ascii][7]);
}

/* --- what is wrong --- */

static int draw_findings(const struct dns_wire_view *w, struct area a, int y, int most)
{
	for (uint32_t i = 0; w->findings && i < block_count(w->findings) && most > 0; i++) {
		const struct dnswatch_finding *f = block_row(w->findings, i);

		if (f->head.severity < SEVERITY_WARN)
			continue;
		canvas_sign(a, 1, y, (enum severity)f->head.severity);
		canvas_fit(a, 3, y, a.w - 4, false, canvas_severity_style(f->head.severity), block_text(w->findings, f->text));
		y++;
		most--;
	}
	return y;
}

/* --- the selected row in full --- */

static int draw_fact(struct area a, int y, const char *label, const char *value)
{
	if (y >= a.h || !value[0])
		return y;
	canvas_str(a, 1, y, STYLE_DIM, label);
	canvas_fit(a, 11, y, a.w - 12, false, STYLE_TEXT, text_of(value));
	return y + 1;
}

/* A sentence over as many lines as it takes. */
static int draw_sentence(struct area a, int y, const char *label, struct text t)
{
	size_t room = a.w > 32 ? (size_t)a.w - 12 : 20;

	canvas_str(a, 1, y, STYLE_DIM, label);
	while (t.n > 0 && y < a.h) {
		size_t n = t.n <= room ? t.n : room;

		while (n < t.n && n > room / 2 && t.p[n] != ' ')
			n--;
		canvas_fit(a, 11, y++, (int)room, false, STYLE_TEXT, (struct text){ t.p, n });
		n += n < t.n && t.p[n] == ' ';
		t = (struct text){ t.p + n, t.n - n };
	}
	return y;
}

static int draw_list(struct area a, int y, const char *label, const struct block *b, struct str list)
{
	struct text item;

	for (uint32_t i = 0; y < a.h && block_list_item(b, list, i, &item); i++)
		y = draw_sentence(a, y, i ? "" : label, item);
	return y;
}

static void asked_text(const struct dns_wire_view *w, const struct block *b, const struct dnswatch_question *q, char *buf, size_t cap)
{
	char clock[32], from[ADDR_TEXT], to[ADDR_TEXT], port[24] = "";
	struct text by = block_text(b, q->process);
	size_t n;

	dns_view_clock(q->time, w->pane->env->look.utc, true, clock, sizeof clock);
	if (q->server_port != ROW_NO_UINT && q->server_port != 53)
		snprintf(port, sizeof port, "#%" PRIu64, q->server_port);
	n = (size_t)snprintf(buf, cap, "%s   %s:%" PRIu64 " > %s%s   %s", clock, addr_format(&q->client, from), q->client_port,
		addr_format(&q->server, to), port, q->transport ? "tcp" : "udp");
	if (by.n && n < cap)
		n += (size_t)snprintf(buf + n, cap - n, "   by %.*s (%" PRIu64 ")", (int)by.n, by.p, q->pid);
	if (q->uid != ROW_NO_UINT && n < cap)
		snprintf(buf + n, cap - n, "   uid %" PRIu64, q->uid);
	else if (q->forwarded == 1 && n < cap)
		snprintf(buf + n, cap - n, "   by the engine's resolver, for a question to it");
}

static void answer_text(const struct block *b, const struct dnswatch_question *q, char *buf, size_t cap)
{
	struct text rcode = block_text(b, q->rcode), flags = block_text(b, q->flags);
	char took[32] = "", ttl[48] = "";

	buf[0] = 0;
	if (!rcode.p)
		return;
	dns_view_took(q->time_us, took, sizeof took);
	if (q->ttl != ROW_NO_UINT)
		snprintf(ttl, sizeof ttl, "   ttl %" PRIu64 " s", q->ttl);
	snprintf(buf, cap, "%.*s   %s after the first question   %.*s   %" PRIu64 " bytes   %" PRIu64 " records%s", (int)rcode.n, rcode.p, took,
		(int)flags.n, flags.n ? flags.p : "", q->size, q->n_answers, ttl);
}

static int draw_question(const struct dns_wire_view *w, struct area a, const struct block *b, const struct dnswatch_question *q)
{
	struct text note = block_text(b, q->note), wanted = block_text(b, q->wanted), target = block_text(b, q->target);
	char line[LINE] = "";
	int y = 1;

	asked_text(w, b, q, line, sizeof line);
	y = draw_fact(a, y, "asked", line);
	answer_text(b, q, line, sizeof line);
	y = draw_fact(a, y, "answer", line[0] ? line : q->state == DNSWATCH_WAITING ? "none yet" : "none");
	y = draw_list(a, y, "data", b, q->answers);
	snprintf(line, sizeof line, "%.*s", (int)target.n, target.n ? target.p : "");
	y = draw_fact(a, y, "is", line);
	snprintf(line, sizeof line, "%.*s", (int)wanted.n, wanted.n ? wanted.p : "");
	y = draw_fact(a, y, "wanted", line);
	snprintf(line, sizeof line, "%.*s", (int)note.n, note.n ? note.p : "");
	return draw_fact(a, y, "odd", line);
}

static void detail_title(struct dns_wire_view *w, const struct block *b, const void *row, char *buf, size_t cap)
{
	char name[DNS_NAME_TEXT] = "";

	dns_wire_view_name(w, name, sizeof name);
	if (w->tab < DNS_WIRE_NAMES) {
		const struct dnswatch_question *q = row;
		struct text type = block_text(b, q->type);

		snprintf(buf, cap, "Question %" PRIu64 "   %.*s %.300s", q->number, (int)type.n, type.n ? type.p : "", name);
	} else {
		snprintf(buf, cap, "%.400s", w->tab == DNS_WIRE_FINDINGS ? "Evidence" : name);
	}
}

static void draw_finding(struct area a, const struct block *b, const struct dnswatch_finding *f)
{
	int y = draw_sentence(a, 1, "what", block_text(b, f->text));

	y = draw_list(a, y, "seen", b, f->evidence);
	draw_sentence(a, y, "helps", block_text(b, f->remedy));
}

static void draw_name(struct area a, const struct block *b, const struct dnswatch_name *n)
{
	char line[LINE];
	int y = draw_list(a, 1, "types", b, n->types);

	snprintf(line, sizeof line, "%" PRIu64 " questions: %" PRIu64 " NOERROR, %" PRIu64 " NXDOMAIN, %" PRIu64 " failed, %" PRIu64
		" unanswered; %" PRIu64 " repeated", n->count, n->noerror, n->nxdomain, n->failed, n->unanswered, n->retries);
	draw_fact(a, y, "counts", line);
}

static uint32_t count_items(const struct block *b, struct str list)
{
	struct text item;
	uint32_t n = 0;

	while (block_list_item(b, list, n, &item))
		n++;
	return n;
}

/* Lines for the selected row, its rule included; 0: nothing is selected. */
static int detail_lines(struct dns_wire_view *w, int width)
{
	const struct block *b = NULL;
	const void *row = grid_selected(dns_wire_view_grid(w), &b);
	int sentence = width >= 140 ? 1 : 2;

	if (!row)
		return 0;
	if (w->tab == DNS_WIRE_NAMES)
		return 5;
	if (w->tab == DNS_WIRE_SEARCHES)
		return 1 + (int)count_items(b, ((const struct dnswatch_search *)row)->tried);
	if (w->tab == DNS_WIRE_FINDINGS)
		return 1 + sentence * (2 + (int)count_items(b, ((const struct dnswatch_finding *)row)->evidence));
	return 6 + (int)count_items(b, ((const struct dnswatch_question *)row)->answers);
}

static void draw_detail(struct dns_wire_view *w, struct area a)
{
	const struct block *b = NULL;
	const void *row = grid_selected(dns_wire_view_grid(w), &b);
	char title[LINE] = "";

	if (!row)
		return;
	detail_title(w, b, row, title, sizeof title);
	canvas_rule(a, 0, title);
	if (w->tab == DNS_WIRE_NAMES)
		draw_name(a, b, row);
	else if (w->tab == DNS_WIRE_SEARCHES)
		draw_list(a, 1, "tried", b, ((const struct dnswatch_search *)row)->tried);
	else if (w->tab == DNS_WIRE_FINDINGS)
		draw_finding(a, b, row);
	else
		draw_question(w, a, b, row);
}

/* --- all of it --- */

static void rule_title(const struct dns_wire_view *w, char *buf, size_t cap)
{
	static const char *const titles[DNS_WIRE_TABS] = {
		[DNS_WIRE_ALL] = "Questions seen, newest first", [DNS_WIRE_SLOWEST] = "Slowest answers first",
		[DNS_WIRE_FAILING] = "No such name, failed, or not answered", [DNS_WIRE_UNANSWERED] = "Not answered, or too late",
		[DNS_WIRE_NAMES] = "Names, most asked first", [DNS_WIRE_SEARCHES] = "One name wanted, several asked: the search list",
		[DNS_WIRE_FINDINGS] = "What is wrong",
	};

	snprintf(buf, cap, "%s", titles[w->tab]);
}

static void draw_empty(const struct dns_wire_view *w, const struct grid *g, struct area a)
{
	const struct feed *f = &w->pane->feeds[DNS_SLOT_WATCH];
	int y = a.h > 3 ? 2 : 1;

	if (f->state == FEED_FAILED || f->state == FEED_ENDED)
		canvas_fit(a, 3, y, a.w - 4, false, STYLE_TEXT, text_of(f->why));
	else if (g->table && table_filter_text(g->table)[0] && table_total(g->table))
		canvas_hint(a, 3, y, STYLE_TEXT, "Nothing matches the filter.   [\\] clears it");
	else if (!w->has_state)
		canvas_str(a, 3, y, STYLE_DIM, "starting to watch");
	else if (w->tab <= DNS_WIRE_SLOWEST && w->now.asked == 0)
		canvas_str(a, 3, y, STYLE_DIM, "Nothing in here has asked a name server yet.");
	else
		canvas_str(a, 3, y, STYLE_DIM, "Nothing of that kind so far.");
}

static int draw_head(struct dns_wire_view *w, struct area a)
{
	char title[96];
	int y = 0;

	draw_tabs(w, canvas_line(a, y++));
	if (a.h >= 8)
		draw_rates(w, canvas_line(a, y++));
	if (a.h >= 14)
		draw_minute(w, canvas_line(a, y++));
	if (w->tab != DNS_WIRE_FINDINGS && a.h >= 10)
		y = draw_findings(w, a, y, a.h >= 24 ? 3 : a.h >= 14 ? 2 : 1);
	if (a.h < 12)
		return y;
	rule_title(w, title, sizeof title);
	canvas_rule(a, y, title);
	pane_table_words(w->pane, dns_wire_view_grid(w), canvas_line(a, y++), (int)text_width(text_of(title)) + 6);
	return y;
}

void dns_wire_view_draw(struct dns_wire_view *w, struct area a)
{
	struct grid *g = dns_wire_view_grid(w);
	int y = draw_head(w, a), left = a.h - y, below = w->detail && left >= 8 && !w->pane->zoom ? detail_lines(w, a.w) : 0;
	struct area body;

	if (below > left / 2)
		below = left / 2;
	w->question_grid.height = w->name_grid.height = w->search_grid.height = w->finding_grid.height = 0;
	body = canvas_sub(a, 0, y, a.w, left - below);
	grid_draw(g, body, &w->pane->env->look, true);
	if (grid_count(g) == 0)
		draw_empty(w, g, body);
	if (below)
		draw_detail(w, canvas_sub(a, 0, a.h - below, a.w, below));
}

void dns_wire_view_message(const struct dns_wire_view *w, char *buf, size_t cap)
{
	const struct feed *f = &w->pane->feeds[DNS_SLOT_WATCH];
	char clock[32] = "";

	buf[0] = 0;
	if (f->state == FEED_ENDED || f->state == FEED_FAILED)
		snprintf(buf, cap, "the watch ended: %s", f->why);
	else if (w->note[0])
		snprintf(buf, cap, "%s", w->note);
	else if (w->has_state && w->now.started_at > 0) {
		dns_view_clock(w->now.started_at, w->pane->env->look.utc, false, clock, sizeof clock);
		snprintf(buf, cap, "since %s   %" PRIu64 " packets%s", clock, w->now.packets, w->now.malformed ? "   some were no DNS" : "");
	}
}
