/*
 * The lines that have the same job on every screen: top = where am I and how bad is it, second = views, last but one =
 * messages and freshness, last = keys. Small screens lose the tab line first, then the message line.
 */
#include "core/fd.h"
#include "tui/app_state.h"
#include "tui/facts.h"
#include "tui/help.h"
#include "tui/pane_list.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { MIN_W = 40, MIN_H = 10, TABS_FROM_H = 14, WIDE_BAR = 100, NARROW_BAR = 60 };

static void add_spot(struct app *app, int x, int y, int w, int key)
{
	if (app->n_spots < APP_SPOTS)
		app->spots[app->n_spots++] = (struct app_spot){ .x = x, .y = y, .w = w, .key = key };
}

/* --- top line --- */

static const char *clock_text(const struct app *app, int64_t ns, char *buf, size_t cap)
{
	time_t t = (time_t)(ns / 1000000000);
	struct tm tm;

	buf[0] = '\0';
	if (app->env.look.utc ? gmtime_r(&t, &tm) : localtime_r(&t, &tm))
		strftime(buf, cap, app->env.look.utc ? "%H:%M:%SZ" : "%H:%M:%S", &tm);
	return buf;
}

static void count_targets(const struct app *app, uint32_t n[SEVERITY_N])
{
	const struct block *b = app->env.targets;

	memset(n, 0, SEVERITY_N * sizeof n[0]);
	for (uint32_t i = 0; b && i < block_count(b); i++) {
		const struct target_row *t = block_row(b, i);
		if (!(t->head.flags & TARGET_IS_HOST) && t->head.severity < SEVERITY_N)
			n[t->head.severity]++;
	}
}

/* From the right: signs with counts. Returns the column where they start. */
static int draw_counts(const struct app *app, struct area a, int right)
{
	static const enum severity order[] = { SEVERITY_IDLE, SEVERITY_OK, SEVERITY_WARN, SEVERITY_BAD };
	uint32_t n[SEVERITY_N];
	bool narrow = a.w < NARROW_BAR;
	char text[16];

	count_targets(app, n);
	for (unsigned i = 0; i < ARRAY_LEN(order); i++) {
		if (!n[order[i]] || (narrow && order[i] != SEVERITY_WARN && order[i] != SEVERITY_BAD))
			continue;
		snprintf(text, sizeof text, narrow ? "%u" : " %u", n[order[i]]);
		right = canvas_left_of(a, right, 0, STYLE_STRONG, text) - 1;
		canvas_sign(a, right, 0, order[i]);
		right -= narrow ? 1 : 2;
	}
	return right;
}

static unsigned running_work(const struct app *app)
{
	unsigned n = 0;

	for (int i = 0; i < APP_VIEWS; i++)
		n += app->views[i] && app->views[i]->ops->busy && app->views[i]->ops->busy(app->views[i]);
	return n;
}

static int draw_right(struct app *app, struct area a)
{
	struct pane *p = app_front(app);
	char text[64];
	int right = a.w - 1;
	unsigned place, n;

	right = canvas_left_of(a, right, 0, STYLE_STRONG, clock_text(app, app->env.look.now_ns, text, sizeof text)) - 2;
	if (running_work(app)) {
		right = canvas_left_of(a, right, 0, STYLE_LIVE, " cap ") - 2;
	}
	if (p->frozen) {
		int64_t s = (app->env.now_ms - p->frozen_ms) / 1000;
		snprintf(text, sizeof text, " FROZEN %02d:%02d ", (int)(s / 60), (int)(s % 60));
		right = canvas_left_of(a, right, 0, STYLE_LIVE, text) - 2;
	}
	right = draw_counts(app, a, right);
	if (app->current != APP_AT_LIST && pane_list_place(app->list, app->views_target, &place, &n)) {
		snprintf(text, sizeof text, a.w >= WIDE_BAR ? "%u of %u { }" : "%u/%u { }", place, n);
		if (a.w >= NARROW_BAR)
			right = canvas_left_of(a, right - 1, 0, STYLE_TEXT, text) - 2;
	}
	return right;
}

/* Writes a piece if it fits before `end`, else nothing. */
static int piece(struct area a, int x, int end, enum style style, const char *s)
{
	if (!s[0] || x + (int)text_width(text_of(s)) > end)
		return x;
	return x + canvas_str(a, x, 0, style, s);
}

static int draw_runtimes(const struct app *app, struct area a, int x, int end)
{
	static const char *const names[] = { "docker", "podman", "containerd", "cri", "lxc", "nspawn", "netns" };
	const struct block *b = app->env.targets;
	char text[48];

	for (unsigned k = 0; k < ARRAY_LEN(names); k++) {
		unsigned n = 0;
		for (uint32_t i = 0; b && i < block_count(b); i++)
			n += text_equal(block_text(b, ((const struct target_row *)block_row(b, i))->runtime),
				text_of(names[k]));
		snprintf(text, sizeof text, "  %s %u", names[k], n);
		if (n)
			x = piece(a, x, end, STYLE_TEXT, text);
	}
	return x;
}

static void draw_target_words(const struct pane *p, struct area a, int x, int end)
{
	const struct block *b = NULL;
	const struct target_row *t = pane_target(p, &b);
	char text[96], state[64];

	if (!t)
		return;
	struct text runtime = block_text(b, t->runtime), id = block_text(b, t->id);
	bool container = t->head.flags & TARGET_IS_CONTAINER;
	snprintf(text, sizeof text, "   %.*s %.*s", (int)runtime.n, runtime.p ? runtime.p : "",
		(int)(a.w < WIDE_BAR || !container ? 0
			: id.n < 12                ? id.n
						   : 12),
		id.p ? id.p : "");
	x = piece(a, x, end, STYLE_TEXT, text);
	state[facts_state(t, &p->env->look, state, sizeof state)] = '\0';
	snprintf(text, sizeof text, "   %s", state);
	x = piece(a, x, end, STYLE_TEXT, text);
	snprintf(text, sizeof text, "   pid %" PRIu64, t->pid);
	if (t->pid != ROW_NO_UINT)
		piece(a, x, end, STYLE_TEXT, text);
}

static void draw_top(struct app *app, struct area a)
{
	struct pane *p = app_front(app);
	int right, x = a.w >= NARROW_BAR ? 1 : 0;
	char text[80];

	canvas_ground(a, 0, GROUND_BAR);
	right = draw_right(app, a);
	if (app->current == APP_AT_LIST) {
		if (a.w >= NARROW_BAR)
			x = piece(a, x, right, STYLE_STRONG, a.w >= WIDE_BAR ? "nsdbg  " : "nsdbg ");
		x = piece(a, x, right, STYLE_STRONG, app->host);
		if (a.w >= NARROW_BAR)
			x = draw_runtimes(app, a, x + 1, right);
		snprintf(text, sizeof text, a.w >= WIDE_BAR ? "   %u targets" : " %u",
			app->env.targets ? block_count(app->env.targets) : 0);
		if (a.w >= WIDE_BAR || a.w < NARROW_BAR)
			piece(a, x, right, STYLE_TEXT, text);
		return;
	}
	if (a.w >= WIDE_BAR) {
		x = piece(a, x, right, STYLE_STRONG, "nsdbg  ");
		x = piece(a, x, right, STYLE_TEXT, app->host);
		x = piece(a, x, right, STYLE_TEXT, " > ");
	}
	x += canvas_fit(a, x, 0, right - x, false, STYLE_STRONG, text_of(p->target_name));
	draw_target_words(p, a, x, right);
}

/* --- tabs --- */

static int tabs_width(bool full)
{
	int w = 1;

	for (unsigned i = 0; i < pane_n_views; i++)
		w += (int)strlen(full ? pane_views[i]->title : pane_views[i]->short_title) + 4;
	return w;
}

static void draw_tabs(struct app *app, struct area a)
{
	bool full = tabs_width(true) + 4 <= a.w;
	int x = 1;
	char text[48];

	for (unsigned i = 0; i < pane_n_views && x < a.w; i++) {
		const struct pane_ops *o = pane_views[i];
		bool here = (int)i == app->current;
		snprintf(text, sizeof text, here ? "[%c %s]" : "%c %s", o->digit, full ? o->title : o->short_title);
		int n = canvas_str(a, x, 0, STYLE_TEXT, text);
		if (here)
			canvas_ground_part(a, x, 0, n, GROUND_TAB);
		add_spot(app, x, a.y, n, o->digit);
		x += n + (full ? 2 : 1);
	}
}

/* --- message line --- */

/* What is wrong with the pane in front, and which key helps. False: nothing. */
static bool trouble_words(struct app *app, char *buf, size_t cap, const char **ret_keys)
{
	struct pane *p = app_front(app);
	const struct feed *f = pane_trouble(p);
	bool list = app->current == APP_AT_LIST;
	char when[32];

	if (app_comeback(p)) {
		snprintf(buf, cap, "%s is back as a new %s", p->target_name, pane_target(p, NULL) ? "process" : "container");
		*ret_keys = "[R] open it   [q] back";
		return true;
	}
	if (!f)
		return false;
	*ret_keys = list ? "[R] restart" : "[R] restart   [q] back";
	if (f->state == FEED_GONE) {
		*ret_keys = list ? "[R] again" : "[R] again   [q] back"; /* nobody is to think that it restarts the target */
		clock_text(app, app->env.look.now_ns - (app->env.now_ms - f->gone_ms) * 1000000 + 500000000, when, sizeof when);
		snprintf(buf, cap, "%s ended at %s%s", p->target_name, when, f->fresh_ms ? ": this is how it was" : "");
	} else if (f->state == FEED_ENDED) {
		snprintf(buf, cap, strncmp(f->why, "the ", 4) == 0 ? "%s: %s" : "the reader of %s was %s", f->spec.source->name, f->why);
	} else {
		snprintf(buf, cap, "%s", f->why);
		*ret_keys = list ? "[R] try again" : "[R] try again   [q] back";
	}
	return true;
}

static bool has_news(struct app *app)
{
	char buf[512];
	const char *keys;

	return app->prompting || app->toast[0] || trouble_words(app, buf, sizeof buf, &keys);
}

static void draw_status(struct app *app, struct area a)
{
	const struct pane *p = app_front(app);
	char buf[512] = "", fresh[160] = "";
	int x = 1;

	if (p->ops->status) {
		p->ops->status(p, buf, sizeof buf);
		x += canvas_hint(a, 1, 0, STYLE_DIM, buf) + 3;
	} else {
		pane_freshness(p, 0, fresh, sizeof fresh);
		x += canvas_str(a, x, 0, STYLE_DIM, fresh) + 3;
	}
	if (app->n_messages && x + 11 < a.w) {
		canvas_left_of(a, a.w - 1, 0, STYLE_DIM, "messages");
		canvas_left_of(a, a.w - 10, 0, STYLE_KEY, "L");
		add_spot(app, a.w - 11, a.y, 10, 'L');
	}
}

/* The sentence gives way to the keys: they stand right behind it, or at the end of the line. */
static void draw_trouble(struct area a, const char *words, const char *keys)
{
	int need = (int)strlen(keys), room = a.w - 3 - need - 4, wide = (int)text_width(text_of(words));

	canvas_sign(a, 1, 0, SEVERITY_WARN);
	canvas_fit(a, 3, 0, room, false, STYLE_STRONG, text_of(words));
	canvas_hint(a, 3 + (wide < room ? wide : room) + 3, 0, STYLE_TEXT, keys);
}

static void draw_message(struct app *app, struct area a)
{
	char buf[512];
	const char *keys;

	if (app->toast[0]) {
		canvas_sign(a, 1, 0, app->toast_severity);
		canvas_hint(a, app->toast_severity ? 3 : 1, 0, STYLE_STRONG, app->toast);
	} else if (trouble_words(app, buf, sizeof buf, &keys)) {
		draw_trouble(a, buf, a.w < NARROW_BAR ? "[R]" : keys);
	} else {
		draw_status(app, a);
	}
}

/* --- footer --- */

enum { FOOTER_MAX = 48 };

struct footer {
	const struct binding *items[FOOTER_MAX];
	unsigned n;
};

static bool taken(const struct footer *f, const struct binding *b)
{
	for (unsigned i = 0; i < f->n; i++)
		if (f->items[i]->key == b->key)
			return true;
	return false;
}

static void footer_collect(const struct app *app, const struct pane *p, bool right, struct footer *f)
{
	const struct binding *b;
	unsigned n;

	for (unsigned t = 0; (b = app_bindings(p, t, &n)); t++) {
		for (unsigned i = 0; i < n && f->n < FOOTER_MAX; i++) {
			if (!b[i].label || b[i].right != right || (b[i].works && !b[i].works(p)) ||
				(b[i].list_only && app->current != APP_AT_LIST) || taken(f, &b[i]))
				continue;
			if (b[i].group == BINDING_GO && b[i].key >= 'a' && b[i].key != 'q' && b[i].list_only &&
				app_view_index((char)b[i].key) < 0)
				continue;
			f->items[f->n++] = &b[i];
		}
	}
}

static bool is_narrow(const struct app *app)
{
	return canvas_width(app->canvas) < NARROW_BAR;
}

/* On a narrow list the views matter more than how to leave. */
static unsigned item_rank(const struct app *app, const struct binding *b)
{
	return b->key == 'q' && is_narrow(app) && app->current == APP_AT_LIST ? UINT8_MAX : b->rank;
}

static const char *item_text(const struct app *app, const struct binding *b, const char **ret_label, char *buf, size_t cap)
{
	bool bare = is_narrow(app) && (b->list_only || (b->key == KEYS_ENTER && app->current == APP_AT_LIST));

	*ret_label = b->key == 'q' && app->current == APP_AT_LIST ? "quit" : bare ? "" : b->label;
	if (b->shown)
		return b->shown;
	snprintf(buf, cap, "%s", keys_name(b->key, (char[KEYS_TEXT]){ 0 }));
	return buf;
}

static int item_width(const struct app *app, const struct binding *b)
{
	char buf[24];
	const char *label;
	const char *key = item_text(app, b, &label, buf, sizeof buf);

	return (int)(text_width(text_of(key)) + strlen(label)) + (label[0] ? 3 : 1);
}

/* Left ones in the order of their rank. */
static void footer_sort(struct footer *f)
{
	for (unsigned i = 1; i < f->n; i++)
		for (unsigned j = i; j > 0 && !f->items[j]->right && !f->items[j - 1]->right &&
				     f->items[j]->rank < f->items[j - 1]->rank;
			j--) {
			const struct binding *swap = f->items[j];
			f->items[j] = f->items[j - 1];
			f->items[j - 1] = swap;
		}
}

/* Leaves out what matters least until the rest fits. */
static void footer_fit(const struct app *app, struct footer *f, int width)
{
	for (;;) {
		int w = 2;
		unsigned worst = 0;
		for (unsigned i = 0; i < f->n; i++) {
			w += item_width(app, f->items[i]);
			if (item_rank(app, f->items[i]) > item_rank(app, f->items[worst]))
				worst = i;
		}
		if (w <= width || f->n == 0)
			return;
		memmove(&f->items[worst], &f->items[worst + 1], (f->n - worst - 1) * sizeof f->items[0]);
		f->n--;
	}
}

static void footer_item(struct app *app, struct area a, int x, const struct binding *b)
{
	char buf[24];
	const char *label;
	const char *key = item_text(app, b, &label, buf, sizeof buf);
	int n = canvas_str(a, x, 0, STYLE_KEY, key);

	if (label[0])
		n += 1 + canvas_str(a, x + n + 1, 0, STYLE_TEXT, label);
	add_spot(app, x, a.y, n, b->key);
}

static void draw_footer(struct app *app, struct area a)
{
	struct footer f = { .n = 0 };
	int left = 1, right = a.w + 1;

	footer_collect(app, app_front(app), false, &f);
	footer_collect(app, app_front(app), true, &f);
	footer_fit(app, &f, a.w);
	footer_sort(&f);
	canvas_ground(a, 0, GROUND_BAR);
	for (unsigned i = 0; i < f.n; i++) {
		if (f.items[i]->right)
			continue;
		footer_item(app, a, left, f.items[i]);
		left += item_width(app, f.items[i]);
	}
	for (unsigned i = 0; i < f.n; i++)
		if (f.items[i]->right)
			right -= item_width(app, f.items[i]);
	for (unsigned i = 0; i < f.n; i++) {
		if (!f.items[i]->right)
			continue;
		footer_item(app, a, right, f.items[i]);
		right += item_width(app, f.items[i]);
	}
}

/* --- all of it --- */

static void dim_all(struct area a)
{
	for (int y = 0; y < a.h; y++) {
		for (int x = 0; x < a.w; x++) {
			const struct canvas_cell *c = canvas_at(a.canvas, a.x + x, a.y + y);
			if (c->style == STYLE_TEXT || c->style == STYLE_STRONG)
				canvas_restyle(a, x, y, 1, STYLE_DIM);
		}
	}
}

static void draw_body(struct app *app, struct area a)
{
	struct pane *p = app_front(app);
	const struct feed *f = pane_trouble(p);
	bool low = a.h < TABS_FROM_H, message = !low || has_news(app);
	int y = 1, bottom = a.h - 1 - message;

	draw_top(app, canvas_line(a, 0));
	if (app->current != APP_AT_LIST && !low)
		draw_tabs(app, canvas_line(a, y++));
	struct area body = canvas_sub(a, 0, y, a.w, bottom - y);
	p->ops->draw(p, body);
	if (f && f->state == FEED_GONE)
		dim_all(body);
	if (app->prompting) {
		prompt_draw(&app->prompt, a, a.h - 2);
		return;
	}
	if (message)
		draw_message(app, canvas_line(a, bottom));
	draw_footer(app, canvas_line(a, a.h - 1));
}

/* The view, and the terminal pane below it. */
static void draw_split(struct app *app, struct area a)
{
	int dock = app_term_height(app, a.h);

	canvas_lower(app->canvas, dock ? a.h - dock : 0);
	if (dock < a.h)
		draw_body(app, canvas_sub(a, 0, 0, a.w, a.h - dock));
	canvas_lower(app->canvas, 0);
	if (dock)
		app_term_draw(app, canvas_sub(a, 0, a.h - dock, a.w, dock));
}

void app_draw_clock(struct app *app)
{
	struct area a = canvas_line(canvas_all(app->canvas), 0);
	char text[64];

	if (a.w >= MIN_W && canvas_height(app->canvas) >= MIN_H)
		canvas_left_of(a, a.w - 1, 0, STYLE_STRONG, clock_text(app, app->env.look.now_ns, text, sizeof text));
}

void app_draw(struct app *app)
{
	struct area a = canvas_all(app->canvas);

	canvas_clear(app->canvas);
	app->n_spots = 0;
	if (a.w < MIN_W || a.h < MIN_H)
		canvas_str(a, 0, 0, STYLE_TEXT, "nsdbg needs 40x10");
	else if (app->overlay && !app->overlay->ops->lies_over)
		app->overlay->ops->draw(app->overlay, a);
	else
		draw_split(app, a);
	if (app->overlay && app->overlay->ops->lies_over && a.w >= MIN_W && a.h >= MIN_H) {
		app->n_spots = 0;
		app->overlay->ops->draw(app->overlay, a);
	}
}
