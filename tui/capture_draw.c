/* Pictures of the capture pane: what runs on the first line, then list, packet and bytes in the layout that fits. */
#include "tui/capture_view.h"

#include "core/loop.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static const int64_t NS = 1000000000;

enum capture_layout capture_view_layout(const struct capture_view *v, int width, int height)
{
	static const struct { int w, h; } least[CAPTURE_LAYOUT_N] = {
		[CAPTURE_SIDE] = { 110, 8 }, [CAPTURE_BELOW] = { 84, 14 }, [CAPTURE_STACK] = { 40, 16 }, [CAPTURE_ALONE] = { 0, 0 },
	};

	if (v->layout < CAPTURE_LAYOUT_N && width >= least[v->layout].w && height >= least[v->layout].h)
		return v->layout;
	if (height < 18 || width < 60)
		return CAPTURE_ALONE;
	if (width >= 160)
		return CAPTURE_SIDE;
	return width >= 100 ? CAPTURE_BELOW : CAPTURE_STACK;
}

/* --- numbers --- */

/* 999, 1.2K, 34K, 5.0M; `bytes`: "240 KB". Returns buf. */
static const char *compact(uint64_t n, bool bytes, char buf[32])
{
	static const char units[] = " KMGTPE";
	double x = (double)n;
	unsigned u = 0;

	for (; x >= (bytes ? 1024 : 1000) && u < 6; u++)
		x /= bytes ? 1024 : 1000;
	snprintf(buf, 32, "%.*f%s%.1s%s", u && x < 9.95 ? 1 : 0, x, bytes ? " " : "", u ? units + u : "", bytes ? "B" : "");
	return buf;
}

static const char *duration(int64_t ns, char buf[32])
{
	int64_t s = ns < 0 ? 0 : ns / NS;

	if (s >= 3600)
		snprintf(buf, 32, "%" PRId64 ":%02d:%02d", s / 3600, (int)(s / 60 % 60), (int)(s % 60));
	else
		snprintf(buf, 32, "%02d:%02d", (int)(s / 60), (int)(s % 60));
	return buf;
}

/* --- first line --- */

struct part { /* of the right end of a line; the highest rank is left out first */
	char text[48];
	enum style style;
	uint8_t rank;
};
enum { PARTS = 8, LEAST_FILTER = 6, THREE_FROM = 200 };

static void part_add(struct part *parts, unsigned *n, uint8_t rank, enum style style, const char *text, const char *unit)
{
	if (*n == PARTS)
		return;
	snprintf(parts[*n].text, sizeof parts[*n].text, "%s%s", text, unit);
	parts[*n].rank = rank;
	parts[(*n)++].style = style;
}

static unsigned count_parts(const struct capture_view *v, const struct capture_row *s, struct part parts[PARTS])
{
	char buf[32];
	unsigned n = 0;
	uint64_t ns = s->running ? (uint64_t)v->pane->env->look.now_ns : (uint64_t)block_time(v->status);

	part_add(parts, &n, 0, STYLE_STRONG, compact(s->received, false, buf), " pkts");
	if (v->shown[0])
		part_add(parts, &n, 1, STYLE_TEXT, compact(s->shown, false, buf), " shown");
	part_add(parts, &n, 3, STYLE_TEXT, compact(s->bytes, true, buf), "");
	part_add(parts, &n, s->dropped ? 1 : 2, s->dropped ? STYLE_BAD : STYLE_TEXT, compact(s->dropped, false, buf), " dropped");
	if (s->overwritten)
		part_add(parts, &n, 1, STYLE_WARN, compact(s->overwritten, false, buf), " overwritten");
	if (s->saved && s->saved != ROW_NO_UINT)
		part_add(parts, &n, 3, STYLE_TEXT, compact(s->saved, false, buf), " saved");
	part_add(parts, &n, 2, STYLE_TEXT, duration((int64_t)ns - s->started_at, buf), "");
	part_add(parts, &n, 5, STYLE_DIM, "ring ", compact(v->params.spool_bytes ? v->params.spool_bytes : 64 << 20, true, buf));
	return n;
}

static int parts_width(const struct part *parts, unsigned n, int rank)
{
	int w = 0;

	for (unsigned i = 0; i < n; i++)
		w += parts[i].rank <= rank ? (int)strlen(parts[i].text) + 2 : 0;
	return w;
}

/* Draws what fits beside `left` columns, flush right; returns the column where it starts. */
static int draw_parts(struct area a, int y, int left, const struct part *parts, unsigned n)
{
	int rank = 9, x;

	while (rank > 0 && parts_width(parts, n, rank) > a.w - left)
		rank--;
	x = a.w - parts_width(parts, n, rank);
	for (unsigned i = 0, at = (unsigned)(x < 0 ? 0 : x); i < n; i++) {
		if (parts[i].rank <= rank)
			at += 2 + (unsigned)canvas_str(a, (int)at + 1, y, parts[i].style, parts[i].text);
	}
	return x;
}

static const char *state_word(const struct capture_view *v, const struct capture_row *s, enum style *ret)
{
	const struct feed *f = &v->pane->feeds[0];

	*ret = STYLE_WARN;
	if (f->state == FEED_FAILED || f->state == FEED_ENDED)
		*ret = STYLE_BAD;
	switch (f->state) {
	case FEED_FAILED: return "FAILED";
	case FEED_ENDED: return "ENDED";
	case FEED_DONE: return "CLOSED";
	case FEED_GONE: return "TARGET GONE";
	case FEED_OFF: case FEED_STARTING: case FEED_LIVE: break;
	}
	if (v->pane->frozen)
		return "FROZEN";
	*ret = STYLE_DIM;
	if (!s)
		return "STARTING";
	*ret = s->running ? STYLE_LIVE : STYLE_WARN;
	return s->running ? "REC" : "STOPPED";
}

static void draw_status(const struct capture_view *v, struct area a)
{
	const struct capture_row *s = capture_view_status(v);
	struct part parts[PARTS];
	struct text interface = s ? block_text(v->status, s->interface) : text_of(v->params.interface);
	struct text filter = s ? block_text(v->status, s->filter) : text_of(v->params.filter);
	enum style style;
	const char *word = state_word(v, s, &style);
	int x = 1, end = a.w;

	x += canvas_printf(a, x, 0, style, style == STYLE_LIVE ? " %s " : "%s", word) + 1;
	x += canvas_put(a, x, 0, STYLE_STRONG, interface) + 2;
	if (s)
		end = draw_parts(a, 0, x + (filter.n < (size_t)a.w / 2 ? (int)filter.n + 1 : a.w / 2), parts, count_parts(v, s, parts));
	if (end - x < LEAST_FILTER)
		return;
	if (filter.n)
		canvas_fit(a, x, 0, end - x, false, STYLE_TEXT, filter);
	else if (s)
		canvas_fit(a, x, 0, end - x, false, STYLE_DIM, text_of("every packet"));
}

/* --- second line: only when there is something to say --- */

static bool note_of(const struct capture_view *v, char *buf, size_t cap, enum severity *ret)
{
	const struct capture_row *s = capture_view_status(v);
	const struct feed *f = &v->pane->feeds[0];
	struct text note = s ? block_text(v->status, s->note) : (struct text){ 0 };
	char n[32];

	*ret = SEVERITY_WARN;
	if (f->state == FEED_GONE)
		return snprintf(buf, cap, "%s has ended: its packets stay readable   [W] save them", v->pane->target_name) > 0;
	if (note.n)
		return snprintf(buf, cap, "%.*s", (int)note.n, note.p) > 0;
	*ret = SEVERITY_NONE;
	if (v->pane->frozen && s && s->received > v->frozen_received)
		return snprintf(buf, cap, "frozen: %s newer packets wait   [Z] go on",
			compact(s->received - v->frozen_received, false, n)) > 0;
	return false;
}

static int draw_note(const struct capture_view *v, struct area a)
{
	const struct capture_row *s = capture_view_status(v);
	enum severity severity;
	char note[320];
	int x;

	if (note_of(v, note, sizeof note, &severity)) {
		x = severity == SEVERITY_NONE ? 1 : 2 + canvas_sign(a, 1, 0, severity);
		canvas_hint(a, x, 0, canvas_severity_style(severity), note);
		return 1;
	}
	if (!v->shown[0] || !s)
		return 0;
	x = 1 + canvas_str(a, 1, 0, STYLE_DIM, "show ");
	x += canvas_put(a, x, 0, STYLE_MATCH, text_of(v->shown)) + 3;
	x += canvas_printf(a, x, 0, STYLE_TEXT, "%" PRIu64 " of %" PRIu64, s->shown, s->received) + 3;
	canvas_hint(a, x, 0, STYLE_DIM, "[\\] all");
	return 1;
}

/* --- the three parts --- */

static void draw_empty(const struct capture_view *v, struct area a)
{
	const struct capture_row *s = capture_view_status(v);
	int x = a.w > 50 ? 4 : 1, y = a.h > 8 ? 2 : a.h > 2 ? 1 : 0;

	if (!s) {
		if (v->pane->feeds[0].state == FEED_STARTING)
			canvas_str(a, x, y, STYLE_DIM, "starting the capture worker");
		return;
	}
	if (s->received && v->shown[0]) {
		canvas_hint(a, x, y, STYLE_TEXT, "no packet matches   [/] change what is shown   [\\] show all");
		return;
	}
	canvas_str(a, x, y, STYLE_TEXT, s->running ? "waiting for the first packet" : "stopped");
	canvas_hint(a, x, y + 1, STYLE_DIM, s->running ? "[f] capture filter   [b] another interface   [S] stop" :
		"[S] start   [f] capture filter   [b] another interface");
}

static void draw_list(struct capture_view *v, struct area a)
{
	capture_view_columns(v, a.w);
	v->at[CAPTURE_LIST] = a;
	v->grid.no_heading = a.h < 5;
	grid_draw(&v->grid, a, &v->pane->env->look, v->focus == CAPTURE_LIST);
	if (v->pages.promised == 0)
		draw_empty(v, canvas_sub(a, 0, 1, a.w, a.h - 1));
}

static void draw_tree(struct capture_view *v, struct area a)
{
	v->at[CAPTURE_TREE] = a;
	if (v->detail_why[0])
		canvas_put(a, 1, 0, STYLE_DIM, text_of(v->detail_why));
	layertree_draw(&v->tree, a, v->focus == CAPTURE_TREE);
}

static void draw_bytes(struct capture_view *v, struct area a)
{
	v->at[CAPTURE_BYTES] = a;
	hexview_draw(&v->hex, a, v->focus == CAPTURE_BYTES);
}

static const char *packet_title(const struct capture_view *v, bool times, char *buf, size_t cap)
{
	uint64_t at;
	const struct packet_row *r = NULL;
	char clock[32] = "";

	if (v->detail == 0)
		return "Packet";
	if (times && pages_find(&v->pages, v->detail, &at))
		r = pages_at(&v->pages, at, NULL);
	if (r) {
		time_t s = (time_t)(r->time / NS);
		struct tm tm = { 0 };

		if (v->pane->env->look.utc)
			gmtime_r(&s, &tm);
		else
			localtime_r(&s, &tm);
		snprintf(clock, sizeof clock, "   %02d:%02d:%02d.%06d", tm.tm_hour, tm.tm_min, tm.tm_sec, (int)(r->time % NS / 1000));
	}
	snprintf(buf, cap, "Packet %" PRIu64 "%s", v->detail, clock);
	return buf;
}

static const char *bytes_title(const struct capture_view *v, char *buf, size_t cap)
{
	const struct layer_row *field = layertree_selected(&v->tree);
	struct text label = field ? block_text(v->tree.block, field->label) : (struct text){ 0 };

	snprintf(buf, cap, "Bytes %zu", v->hex.bytes.n);
	if (field && v->hex.n_mark)
		snprintf(buf, cap, "Bytes %zu   %.*s %" PRIu64 "..%" PRIu64, v->hex.bytes.n, (int)(label.n < 40 ? label.n : 40),
			label.n ? label.p : "", v->hex.mark, v->hex.mark + v->hex.n_mark - 1);
	return buf;
}

/* Tree and bytes beside each other under rules that share a line. */
static void draw_pair(struct capture_view *v, struct area a)
{
	int bytes = hexview_width(a.w >= 150 ? 16 : 8) + 2, x = a.w - bytes;
	char title[96];
	struct area left = canvas_sub(a, 0, 0, x, a.h), right = canvas_sub(a, x + 1, 0, bytes - 1, a.h);

	canvas_rule(left, 0, packet_title(v, true, title, sizeof title));
	canvas_rule(right, 0, bytes_title(v, title, sizeof title));
	canvas_vline(a, x, 0, a.h);
	canvas_glyph(a, x, 0, STYLE_RULE, GLYPH_TEE_DOWN);
	draw_tree(v, canvas_sub(left, 0, 1, left.w, a.h - 1));
	draw_bytes(v, canvas_sub(right, 1, 1, right.w - 1, a.h - 1));
}

static void draw_below(struct capture_view *v, struct area a)
{
	int list = v->focus == CAPTURE_LIST ? a.h * 11 / 20 : a.h * 8 / 20;

	if (list < 6)
		list = 6;
	draw_list(v, canvas_sub(a, 0, 0, a.w, list));
	draw_pair(v, canvas_sub(a, 0, list, a.w, a.h - list));
}

/* List, tree and bytes beside each other. */
static void draw_three(struct capture_view *v, struct area a)
{
	int bytes = hexview_width(a.w >= 240 ? 16 : 8) + 2, tree = (a.w - bytes) * 36 / 100, list = a.w - bytes - tree;
	struct area right = canvas_sub(a, list, 0, a.w - list, a.h);
	char title[96];

	draw_list(v, canvas_sub(a, 0, 0, list - 1, a.h));
	canvas_vline(right, 0, 0, a.h);
	canvas_rule(canvas_sub(right, 1, 0, tree - 1, 1), 0, packet_title(v, true, title, sizeof title));
	draw_tree(v, canvas_sub(right, 1, 1, tree - 1, a.h - 1));
	canvas_vline(right, tree, 0, a.h);
	canvas_rule(canvas_sub(right, tree + 1, 0, bytes - 1, 1), 0, bytes_title(v, title, sizeof title));
	draw_bytes(v, canvas_sub(right, tree + 2, 1, bytes - 2, a.h - 1));
}

/* List on the left, tree over bytes on the right. */
static void draw_side(struct capture_view *v, struct area a)
{
	int w = a.w >= 184 ? hexview_width(16) + 2 : a.w * 36 / 100, x = a.w - w, bytes = a.h * 2 / 5;
	struct area right = canvas_sub(a, x, 0, w, a.h);
	char title[96];

	if (a.w >= THREE_FROM) {
		draw_three(v, a);
		return;
	}
	if (v->focus == CAPTURE_BYTES)
		bytes = a.h * 3 / 5;
	draw_list(v, canvas_sub(a, 0, 0, x - 1, a.h));
	canvas_vline(right, 0, 0, a.h);
	canvas_rule(canvas_sub(right, 1, 0, w - 1, 1), 0, packet_title(v, true, title, sizeof title));
	draw_tree(v, canvas_sub(right, 1, 1, w - 1, a.h - bytes - 1));
	canvas_rule(canvas_sub(right, 1, a.h - bytes, w - 1, 1), 0, bytes_title(v, title, sizeof title));
	canvas_glyph(right, 0, a.h - bytes, STYLE_RULE, GLYPH_TEE_RIGHT);
	draw_bytes(v, canvas_sub(right, 2, a.h - bytes + 1, w - 2, bytes - 1));
}

/* The part with the focus gets the room. */
static void draw_stack(struct capture_view *v, struct area a)
{
	static const struct { int list, bytes; } share[CAPTURE_FOCUS_N] = {
		[CAPTURE_LIST] = { 10, 4 }, [CAPTURE_TREE] = { 5, 4 }, [CAPTURE_BYTES] = { 5, 9 },
	};
	int list = a.h * share[v->focus].list / 19, bytes = a.h * share[v->focus].bytes / 19, tree;
	char title[96];

	if (list < 4)
		list = 4;
	tree = a.h - list - bytes;
	draw_list(v, canvas_sub(a, 0, 0, a.w, list));
	canvas_rule(a, list, packet_title(v, true, title, sizeof title));
	draw_tree(v, canvas_sub(a, 0, list + 1, a.w, tree - 1));
	canvas_rule(a, list + tree, bytes_title(v, title, sizeof title));
	draw_bytes(v, canvas_sub(a, 0, list + tree + 1, a.w, bytes - 1));
}

static void draw_alone(struct capture_view *v, struct area a)
{
	char title[96];

	if (v->focus == CAPTURE_LIST) {
		draw_list(v, a);
		return;
	}
	canvas_rule(a, 0, v->focus == CAPTURE_TREE ? packet_title(v, true, title, sizeof title) :
		bytes_title(v, title, sizeof title));
	if (v->focus == CAPTURE_TREE)
		draw_tree(v, canvas_sub(a, 0, 1, a.w, a.h - 1));
	else
		draw_bytes(v, canvas_sub(a, 0, 1, a.w, a.h - 1));
}

/* --- menu of interfaces --- */

static void draw_interface(const struct capture_view *v, struct area a, int y, const struct interface_row *r)
{
	struct text address;
	char mac[ADDR_TEXT];
	int x = 28;

	canvas_fit(a, 3, y, 15, false, STYLE_STRONG, block_text(v->interfaces, r->name));
	canvas_str(a, 20, y, r->up == 1 ? STYLE_OK : STYLE_IDLE, r->up == 1 ? "up" : r->up == 0 ? "down" : "-");
	for (uint32_t i = 0; block_list_item(v->interfaces, r->addresses, i, &address) && x < a.w - 20; i++)
		x += canvas_put(a, x, y, STYLE_TEXT, address) + 2;
	addr_format(&r->mac, mac);
	if (x < 70)
		x = 70;
	if (x + 18 < a.w)
		canvas_str(a, x, y, STYLE_DIM, mac);
	if (x + 30 < a.w && r->mtu != ROW_NO_UINT)
		canvas_printf(a, x + 20, y, STYLE_DIM, "mtu %" PRIu64, r->mtu);
}

static void draw_menu(const struct capture_view *v, struct area a)
{
	uint32_t n = block_count(v->interfaces), body = a.h > 2 ? (uint32_t)a.h - 2 : 1;
	uint32_t top = v->menu_at >= body ? v->menu_at - body + 1 : 0;

	canvas_rule(a, 0, "Capture on which interface?");
	canvas_hint(a, 1, a.h - 1, STYLE_DIM, "[Enter] start there: what was captured so far goes   [Esc] leave it");
	for (uint32_t i = top; i <= n && i - top < body; i++) {
		int y = 1 + (int)(i - top);

		if (i == v->menu_at)
			canvas_ground(a, y, GROUND_SELECTED);
		canvas_str(a, 0, y, STYLE_STRONG, i == v->menu_at ? ">" : " ");
		if (i < n)
			draw_interface(v, a, y, block_row(v->interfaces, i));
		else
			canvas_str(a, 3 + canvas_str(a, 3, y, STYLE_STRONG, "any"), y, STYLE_TEXT, "              all of this network namespace");
	}
}

void capture_view_draw(const struct pane *p, struct area a)
{
	struct capture_view *v = capture_view_of(p);
	enum capture_layout layout = capture_view_layout(v, canvas_width(a.canvas), canvas_height(a.canvas));
	int y = 1;
	struct area rest;

	memset(v->at, 0, sizeof v->at);
	v->screen_w = canvas_width(a.canvas);
	v->screen_h = canvas_height(a.canvas);
	v->layout_now = layout;
	draw_status(v, a);
	y += draw_note(v, canvas_sub(a, 0, 1, a.w, 1));
	rest = canvas_sub(a, 0, y, a.w, a.h - y);
	if (v->interfaces)
		draw_menu(v, rest);
	else if (v->pages.promised == 0 && v->detail == 0)
		draw_list(v, rest);
	else if (p->zoom || layout == CAPTURE_ALONE)
		draw_alone(v, rest);
	else if (layout == CAPTURE_SIDE)
		draw_side(v, rest);
	else if (layout == CAPTURE_BELOW)
		draw_below(v, rest);
	else
		draw_stack(v, rest);
}

void capture_view_message(const struct pane *p, char *buf, size_t cap)
{
	const struct capture_view *v = capture_view_of(p);
	const struct capture_row *s = capture_view_status(v);
	uint64_t at = grid_cursor(&v->grid), n = grid_count(&v->grid);
	char save[300] = "";

	buf[0] = '\0';
	if (!s)
		return;
	if (v->save_path[0])
		snprintf(save, sizeof save, "   saving to %s", v->save_path);
	if (n)
		snprintf(buf, cap, "packet %" PRIu64 " of %" PRIu64 "   follow %s%s", at + 1, n, v->grid.follow ? "on" : "off", save);
	else
		snprintf(buf, cap, "%s", save[0] ? save + 3 : "");
}
