/* The DNS picture, from the top: what the container's files say, the form, the answer and the way to it, what was asked before. */
#include "tui/dns_view.h"

#include "core/fd.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WIDE = 100, LINE = 512 };

/* --- what the files say --- */

static uint32_t count_key(const struct dns_view *v, enum file_key key)
{
	uint32_t n = 0;

	for (uint32_t i = 0; v->files && i < block_count(v->files); i++)
		n += ((const struct file_row *)block_row(v->files, i))->key == key;
	return n;
}

/* The first thing that could not be read; NULL: all is well. */
static const struct file_row *file_error(const struct dns_view *v)
{
	for (uint32_t i = 0; v->files && i < block_count(v->files); i++) {
		const struct file_row *row = block_row(v->files, i);
		struct text file = block_text(v->files, row->file);

		if (row->key == FILE_ERROR && text_contains(file, text_of("resolv.conf")))
			return row;
	}
	return NULL;
}

static int draw_servers(const struct dns_view *v, struct area a, int x)
{
	for (unsigned i = 0; i < v->defaults.n_servers; i++) {
		char text[ADDR_TEXT];

		addr_format(&v->defaults.servers[i], text);
		x += canvas_printf(a, x, 0, STYLE_STRONG, "%s%s", i ? "  " : "", text);
		if (strcmp(text, "127.0.0.11") == 0)
			x += canvas_str(a, x, 0, STYLE_TEXT, " (Docker)");
	}
	return x;
}

/* One "label value", if it fits left of `end`. */
static int draw_fact(struct area a, int x, int end, const char *label, const char *value)
{
	int w = (int)strlen(label) + 1 + (int)text_width(text_of(value));

	if (x + 3 + w > end)
		return x;
	x += 3 + canvas_str(a, x + 3, 0, STYLE_DIM, label) + 1;
	return x + canvas_put(a, x, 0, STYLE_TEXT, text_of(value));
}

static void draw_libc(const struct dns_view *v, struct area a, int x, int end)
{
	for (uint32_t i = 0; v->files && i < block_count(v->files); i++) {
		const struct file_row *row = block_row(v->files, i);
		struct text t = block_text(v->files, row->value);
		char value[48];

		if (row->key != FILE_LIBC)
			continue;
		snprintf(value, sizeof value, "%.*s", (int)(t.n < 40 ? t.n : 40), t.p);
		draw_fact(a, x, end, "libc", strncmp(value, "unknown", 7) == 0 ? "unknown, as glibc" : value);
	}
}

static void draw_resolver_facts(const struct dns_view *v, struct area a)
{
	const struct dns_request *d = &v->defaults;
	char list[LINE] = "", number[32];
	int end = dns_wire_draw_subtabs(a, false), x = 1;
	size_t n = 0;

	if (a.w >= 110)
		end = canvas_left_of(a, end - 2, 0, STYLE_DIM, "[a] files");
	if (a.w >= WIDE)
		x += canvas_str(a, x, 0, STYLE_DIM, "resolver ");
	x = draw_servers(v, a, x);
	for (unsigned i = 0; i < d->n_search && n < sizeof list; i++)
		n += (size_t)snprintf(list + n, sizeof list - n, "%s%s", i ? " " : "", d->search[i]);
	x = draw_fact(a, x, end, "search", list[0] ? list : "none");
	snprintf(number, sizeof number, "%u", d->ndots);
	x = draw_fact(a, x, end, "ndots", number);
	snprintf(number, sizeof number, "%g s", (double)d->timeout_ms / 1000);
	x = draw_fact(a, x, end, "timeout", number);
	snprintf(number, sizeof number, "%u", d->attempts);
	x = draw_fact(a, x, end, "attempts", number);
	draw_libc(v, a, x, end);
}

static void draw_resolver(const struct dns_view *v, struct area a)
{
	const struct feed *f = &v->pane->feeds[DNS_SLOT_FILES];
	const struct file_row *bad = file_error(v);
	char line[LINE];

	if (!v->files_done) {
		canvas_str(a, 1, 0, STYLE_DIM, "reading the container's resolv.conf, hosts and nsswitch.conf");
		return;
	}
	if (v->files && !bad) {
		draw_resolver_facts(v, a);
		return;
	}
	if (bad) {
		struct text why = block_text(v->files, bad->value);

		snprintf(line, sizeof line, "/etc/resolv.conf: %.*s; libc asks 127.0.0.1 then   [u] name a server", (int)why.n, why.n ? why.p : "");
	} else {
		snprintf(line, sizeof line, "the container's files: %s   [R] again   [u] name a server", f->why[0] ? f->why : "not read");
	}
	canvas_sign(a, 1, 0, SEVERITY_WARN);
	canvas_hint(a, 3, 0, STYLE_WARN, line);
}

static void ask_title(const struct dns_view *v, char *buf, size_t cap)
{
	uint32_t hosts = count_key(v, FILE_HOST);
	size_t n = (size_t)snprintf(buf, cap, "Ask");

	if (!v->files)
		return;
	if (count_key(v, FILE_NSS) > 0)
		n += (size_t)snprintf(buf + n, cap - n, "   nsswitch:");
	for (uint32_t i = 0; i < block_count(v->files) && n + 40 < cap; i++) {
		const struct file_row *row = block_row(v->files, i);
		struct text word = block_text(v->files, row->value);

		if (row->key == FILE_NSS)
			n += (size_t)snprintf(buf + n, cap - n, " %.*s", (int)(word.n < 24 ? word.n : 24), word.n ? word.p : "");
	}
	snprintf(buf + n, cap - n, "   /etc/hosts %u %s", hosts, hosts == 1 ? "entry" : "entries");
}

/* --- the form --- */

static int draw_input(struct area a, int x, const char *label, const char *value, int width, bool given)
{
	x += canvas_str(a, x, 0, STYLE_DIM, label) + 1;
	canvas_ground_part(a, x, 0, width, GROUND_INPUT);
	canvas_fit(a, x + 1, 0, width - 2, false, given ? STYLE_STRONG : STYLE_DIM, text_of(value));
	return x + width;
}

static const char *server_text(const struct dns_view *v, char buf[DNS_SERVER_TEXT])
{
	char text[ADDR_TEXT];

	if (v->server[0])
		return v->server;
	snprintf(buf, DNS_SERVER_TEXT, "%s%s", addr_format(&v->defaults.servers[0], text), v->defaults.n_servers > 1 ? " .." : "");
	return buf;
}

static void draw_form(const struct dns_view *v, struct area a)
{
	bool wide = a.w >= WIDE;
	char server[DNS_SERVER_TEXT];
	int name = wide ? a.w - 88 : a.w >= 60 ? a.w - 54 : a.w - 11, x;

	x = draw_input(a, a.w >= 60 ? 1 : 0, a.w >= 60 ? "name" : "", v->name[0] ? v->name : "press / and type a name", name < 14 ? 14 : name > 60 ? 60 : name, v->name[0]);
	x = draw_input(a, x + (wide ? 3 : 1), wide ? "type" : "", dns_choices[v->choice].name, 8, true);
	if (a.w >= 60)
		x = draw_input(a, x + (wide ? 3 : 1), wide ? "server" : "@", server_text(v, server), 20, v->server[0]);
	if (a.w < 60)
		return;
	x += 2;
	x += canvas_str(a, x, 0, v->flags & DNS_NO_SEARCH ? STYLE_STRONG : STYLE_DIM, v->flags & DNS_NO_SEARCH ? "exact" : "search") + 1;
	x += canvas_str(a, x, 0, v->flags & DNS_TCP ? STYLE_STRONG : STYLE_DIM, v->flags & DNS_TCP ? "tcp" : "udp") + 1;
	if (v->flags & DNS_NO_HOSTS)
		x += canvas_str(a, x, 0, STYLE_STRONG, "no hosts") + 1;
	if (wide && x + 21 < a.w)
		canvas_hint(a, x + 1, 0, STYLE_DIM, v->repeat ? "[S] stop asking" : "[Enter] ask [S] repeat");
}

/* --- the answer --- */

/* One more part of the title, if it fits. */
static void title_add(char *buf, size_t room, const char *before, const char *what)
{
	size_t n = strlen(buf);

	if (what[0] && n + strlen(before) + text_width(text_of(what)) < room)
		snprintf(buf + n, LINE - n, "%s%s", before, what);
}

static void answer_title(const struct dns_view *v, int width, char buf[LINE])
{
	const struct asked *l = &v->last;
	size_t room = width > 8 ? (size_t)width - 4 : 0;
	char clock[32] = "", took[32] = "", reply[64];

	snprintf(buf, LINE, "Answer");
	if (v->pending || v->waiting) {
		double s = (double)(v->pane->env->now_ms - v->asked_ms) / 1000;

		snprintf(took, sizeof took, s >= 1 ? "asking, %.0f s" : "asking", s);
		title_add(buf, room, "   ", took);
		return;
	}
	if (v->why[0] || l->time == 0)
		return;
	dns_view_clock(l->time, v->pane->env->look.utc, true, clock, sizeof clock);
	if (l->time_us != ROW_NO_UINT)
		dns_view_took(l->time_us, took, sizeof took);
	snprintf(reply, sizeof reply, l->size == ROW_NO_UINT ? "%s" : "%s %" PRIu64 " bytes", l->transport, l->size);
	if (width >= WIDE)
		title_add(buf, room, "   ", clock);
	title_add(buf, room, "   ", took);
	title_add(buf, room, "   ", l->rcode);
	title_add(buf, room, "   ", l->flags);
	title_add(buf, room, "   ", reply);
	title_add(buf, room, "   from ", l->server);
}

static bool has_answer(const struct dns_view *v)
{
	return table_total(v->answer.table) > 0;
}

static int answer_lines(const struct dns_view *v)
{
	return v->why[0] || !has_answer(v) ? 1 : (int)table_count(v->answer.table);
}

static void draw_answer(struct dns_view *v, struct area a)
{
	bool stale = v->pending || v->waiting;

	if (v->why[0]) {
		canvas_sign(a, 1, 0, SEVERITY_BAD);
		canvas_hint(a, 3, 0, STYLE_BAD, v->why);
		return;
	}
	if (!has_answer(v)) {
		if (!stale)
			canvas_hint(a, 1, 0, STYLE_DIM, "nothing asked yet   [/] a name, or an address for its name");
		return;
	}
	grid_draw(&v->answer, a, &v->pane->env->look, v->focus == DNS_ANSWER);
	for (int y = 0; stale && y < a.h; y++) /* of the question before */
		canvas_restyle(a, 0, y, a.w, STYLE_DIM);
}

/* --- repeated: how long answers take --- */

static int by_value(const void *x, const void *y)
{
	double a = *(const double *)x, b = *(const double *)y;

	return a < b ? -1 : a > b;
}

static void draw_bar(struct area a, int x, double part, bool ascii, bool lost)
{
	static const char *const bars[2][8] = {
		{ "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" }, { ".", ":", "-", "=", "+", "*", "#", "#" },
	};
	int i = (int)(part * 7.999);

	if (lost)
		canvas_str(a, x, 0, STYLE_BAD, ascii ? "X" : "✗");
	else
		canvas_str(a, x, 0, STYLE_OK, bars[ascii][i < 0 ? 0 : i > 7 ? 7 : i]);
}

static void draw_times(const struct dns_view *v, struct area a)
{
	bool ascii = canvas_charset(a.canvas) == TEXT_ASCII;
	double sorted[DNS_SAMPLES], worst = 0;
	unsigned n = 0, lost = 0, room = a.w > 90 ? DNS_SAMPLES : 20, from = v->n_samples > room ? v->n_samples - room : 0;
	int x = 1;

	for (unsigned i = 0; i < v->n_samples; i++) {
		lost += v->samples[i] < 0;
		if (v->samples[i] >= 0)
			sorted[n++] = v->samples[i];
	}
	qsort(sorted, n, sizeof sorted[0], by_value);
	worst = n ? sorted[n - 1] : 0;
	for (unsigned i = from; i < v->n_samples; i++)
		draw_bar(a, x++, worst > 0 ? v->samples[i] / worst : 0, ascii, v->samples[i] < 0);
	x += 2;
	x += canvas_printf(a, x, 0, STYLE_TEXT, "asked %u times", v->n_samples) + 3;
	if (n)
		x += canvas_printf(a, x, 0, STYLE_TEXT, "median %.1f ms   worst %.1f ms", sorted[n / 2], worst) + 3;
	if (lost)
		canvas_printf(a, x, 0, STYLE_BAD, "%u without answer", lost);
}

/* --- all of it --- */

static void draw_lower(struct dns_view *v, struct area a)
{
	char title[96];

	if (dns_view_lower(v) == &v->versus.grid) {
		dns_versus_draw(&v->versus, a, v->focus == DNS_LOWER);
		return;
	}
	if (dns_view_shows_files(v))
		snprintf(title, sizeof title, "The container's /etc/resolv.conf, hosts, nsswitch.conf");
	else
		snprintf(title, sizeof title, "Asked so far   %u %s", v->asked.n, v->asked.n == 1 ? "question" : "questions");
	canvas_rule(a, 0, title);
	grid_draw(dns_view_lower(v), canvas_sub(a, 0, 1, a.w, a.h - 1), &v->pane->env->look, v->focus == DNS_LOWER);
}

static int draw_head(const struct dns_view *v, struct area a)
{
	char title[LINE];
	int y = 0;

	if (a.h >= 8)
		draw_resolver(v, canvas_line(a, y++));
	if (a.h >= 20) {
		ask_title(v, title, sizeof title);
		canvas_rule(a, y++, title);
	}
	draw_form(v, canvas_line(a, y++));
	answer_title(v, a.w, title);
	canvas_rule(a, y++, title);
	return y;
}

static void draw_ask(struct dns_view *v, struct area a)
{
	int y = draw_head(v, a), left = a.h - y, want = answer_lines(v), least = v->focus == DNS_LOWER ? left * 7 / 10 : left * 4 / 10;
	bool times = v->n_samples > 1 && left > 6;

	if (times)
		left--;
	if (v->pane->zoom)
		least = v->focus == DNS_LOWER ? left : 0;
	if (least < 3 && least > 0)
		least = 0;
	if (want > left - least)
		want = left - least;
	if (want > 0)
		draw_answer(v, canvas_sub(a, 0, y, a.w, want));
	y += want;
	if (times)
		draw_times(v, canvas_line(a, y++));
	if (least > 0)
		draw_lower(v, canvas_sub(a, 0, y, a.w, a.h - y));
}

void dns_view_draw(const struct pane *p, struct area a)
{
	struct dns_view *v = dns_view_of(p);

	v->answer.height = v->history.height = v->lines.height = v->versus.grid.height = 0; /* for the mouse: what is not drawn is not there */
	if (v->on_wire)
		dns_wire_view_draw(&v->wire, a);
	else
		draw_ask(v, a);
}

void dns_view_message(const struct pane *p, char *buf, size_t cap)
{
	const struct dns_view *v = dns_view_of(p);
	const struct feed *f = &p->feeds[DNS_SLOT_ASK];

	buf[0] = '\0';
	if (v->on_wire)
		dns_wire_view_message(&v->wire, buf, cap);
	else if (f->state == FEED_ENDED || f->state == FEED_FAILED)
		snprintf(buf, cap, "the DNS worker ended: %s", f->why);
	else if (v->repeat)
		snprintf(buf, cap, "asked every 2 s");
}
