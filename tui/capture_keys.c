/* Keys of the capture pane: the table that footer, help and README read, and the prompts that they put up. */
#include "tui/capture_view.h"

#include "core/err.h"
#include "core/fd.h"
#include "core/filter.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int used(struct pane *p)
{
	pane_dirty(p);
	return PANE_USED | PANE_DRAW;
}

/* A worker that answers; else says what to do. */
static bool alive(struct pane *p)
{
	if (p->feeds[0].state == FEED_LIVE || p->feeds[0].state == FEED_GONE || !p->env->session)
		return true;
	pane_toast(p, SEVERITY_WARN, "no capture worker runs; R starts one");
	return false;
}

/* --- running --- */

static int key_start_stop(struct pane *p, int key)
{
	struct capture_view *v = capture_view_of(p);
	const struct capture_row *s = capture_view_status(v);

	(void)key;
	if (p->feeds[0].state != FEED_LIVE && p->feeds[0].state != FEED_STARTING && p->env->session)
		capture_view_open(v);
	else if (s)
		capture_view_request(v, CAPTURE_TAG_RUN, s->running ? CAPTURE_OP_STOP : CAPTURE_OP_START, NULL, 0);
	return used(p);
}

static int key_clear(struct pane *p, int key)
{
	(void)key;
	if (alive(p))
		capture_view_request(capture_view_of(p), CAPTURE_TAG_CLEAR, CAPTURE_OP_CLEAR, NULL, 0);
	return used(p);
}

static int key_interfaces(struct pane *p, int key)
{
	(void)key;
	if (alive(p))
		capture_view_request(capture_view_of(p), CAPTURE_TAG_INTERFACES, CAPTURE_OP_INTERFACES, NULL, 0);
	return used(p);
}

/* --- capture filter --- */

static void filter_changed(struct pane *p, const char *text)
{
	struct capture_view *v = capture_view_of(p);

	v->check_error[0] = '\0';
	capture_view_typed(v, &v->check, text);
}

static bool filter_done(struct pane *p, const char *text)
{
	struct capture_view *v = capture_view_of(p);

	if (v->check_error[0] && strcmp(v->check.text, text) == 0) {
		pane_prompt_error(p, v->check_column, v->check_error);
		return false;
	}
	capture_view_filter(v, text);
	return true;
}

static int key_filter(struct pane *p, int key)
{
	struct capture_view *v = capture_view_of(p);
	const struct capture_row *s = capture_view_status(v);
	struct text now = s ? block_text(v->status, s->filter) : text_of(v->params.filter);
	struct pane_prompt prompt = {
		.label = "capture filter: ", .hint = "as tcpdump: host 172.18.0.3 and port 5432   empty: every packet   up: earlier ones",
		.history = &v->filters, .changed = filter_changed, .done = filter_done,
	};

	(void)key;
	v->check_error[0] = '\0';
	snprintf(prompt.initial, sizeof prompt.initial, "%.*s", (int)now.n, now.n ? now.p : "");
	pane_prompt(p, &prompt);
	return used(p);
}

/* --- show filter --- */

/* true: fine. Else the prompt says where it is wrong. */
static bool words_check(struct pane *p, const char *text)
{
	struct filter *f = NULL;
	struct err err = { 0 };
	size_t column = 0;

	if (filter_parse(&packet_row_type, text, &f, &column, &err) < 0) {
		pane_prompt_error(p, column, err.msg);
		return false;
	}
	filter_free(f);
	pane_prompt_error(p, 0, "");
	return true;
}

static void show_changed(struct pane *p, const char *text)
{
	struct capture_view *v = capture_view_of(p);

	if (words_check(p, text))
		capture_view_typed(v, &v->show, text);
}

static bool show_done(struct pane *p, const char *text)
{
	struct capture_view *v = capture_view_of(p);

	if (!words_check(p, text))
		return false;
	capture_view_typed(v, &v->show, text);
	return true;
}

static void show_cancelled(struct pane *p)
{
	struct capture_view *v = capture_view_of(p);

	capture_view_typed(v, &v->show, v->show_before);
}

static int key_show(struct pane *p, int key)
{
	struct capture_view *v = capture_view_of(p);
	struct pane_prompt prompt = {
		.label = "show: ", .hint = "words: dns   protocol:tcp   length>1000   -ssh   /regex/",
		.history = &v->shows, .changed = show_changed, .done = show_done, .cancelled = show_cancelled,
	};

	(void)key;
	snprintf(v->show_before, sizeof v->show_before, "%s", v->shown);
	snprintf(prompt.initial, sizeof prompt.initial, "%s", v->shown);
	pane_prompt(p, &prompt);
	return used(p);
}

static bool is_filtered(const struct pane *p)
{
	return capture_view_of(p)->shown[0] != '\0';
}

static int key_show_all(struct pane *p, int key)
{
	struct capture_view *v = capture_view_of(p);

	(void)key;
	v->find[0] = '\0';
	capture_view_typed(v, &v->show, "");
	return used(p);
}

/* --- finding --- */

static bool find_done(struct pane *p, const char *text)
{
	struct capture_view *v = capture_view_of(p);

	if (!words_check(p, text))
		return false;
	snprintf(v->find, sizeof v->find, "%s", text);
	capture_view_find(v, false);
	return true;
}

static void find_changed(struct pane *p, const char *text)
{
	words_check(p, text);
}

static int key_find_words(struct pane *p, int key)
{
	struct capture_view *v = capture_view_of(p);
	struct pane_prompt prompt = {
		.label = "find packet: ", .hint = "words as in the show filter; n and N repeat",
		.history = &v->finds, .changed = find_changed, .done = find_done,
	};

	(void)key;
	snprintf(prompt.initial, sizeof prompt.initial, "%s", v->find);
	pane_prompt(p, &prompt);
	return used(p);
}

static int key_find(struct pane *p, int key)
{
	struct capture_view *v = capture_view_of(p);

	if (v->find[0] == '\0')
		return key_find_words(p, key);
	if (alive(p))
		capture_view_find(v, key == 'N');
	return used(p);
}

static bool jump_done(struct pane *p, const char *text)
{
	char *end = NULL;
	uint64_t n = strtoull(text, &end, 10);

	if (text[0] && (*end || text[0] == '-')) {
		pane_prompt_error(p, 0, "a packet number: digits");
		return false;
	}
	if (text[0])
		capture_view_seek(capture_view_of(p), n);
	return true;
}

static int key_jump(struct pane *p, int key)
{
	struct capture_view *v = capture_view_of(p);
	struct pane_prompt prompt = { .label = "packet number: ", .hint = "number of a packet", .history = &v->jumps, .done = jump_done };

	(void)key;
	pane_prompt(p, &prompt);
	return used(p);
}

/* --- looks --- */

static int key_follow(struct pane *p, int key)
{
	struct capture_view *v = capture_view_of(p);

	(void)key;
	v->grid.follow = !v->grid.follow;
	capture_view_moved(v);
	return used(p);
}

static int key_time(struct pane *p, int key)
{
	static const char *const names[CAPTURE_CLOCK_N] = {
		[CAPTURE_SINCE_FIRST] = "seconds since the first packet",
		[CAPTURE_SINCE_LAST] = "seconds since the packet above",
		[CAPTURE_TIME_OF_DAY] = "time of day",
	};
	struct capture_view *v = capture_view_of(p);

	(void)key;
	v->clock = (v->clock + 1) % CAPTURE_CLOCK_N;
	memset(v->grid.width, 0, sizeof v->grid.width);
	pane_toast(p, SEVERITY_NONE, "time: %s", names[v->clock]);
	return used(p);
}

static int key_names(struct pane *p, int key)
{
	struct capture_view *v = capture_view_of(p);

	(void)key;
	v->addresses = !v->addresses;
	memset(v->grid.width, 0, sizeof v->grid.width);
	return used(p);
}

static int key_layout(struct pane *p, int key)
{
	static const char *const names[CAPTURE_LAYOUT_N] = {
		[CAPTURE_SIDE] = "side by side", [CAPTURE_BELOW] = "packet below the list", [CAPTURE_STACK] = "stacked",
		[CAPTURE_ALONE] = "one part at a time",
	};
	struct capture_view *v = capture_view_of(p);
	unsigned now = v->layout_now;

	(void)key;
	for (unsigned i = 1; i < CAPTURE_LAYOUT_N; i++) {
		v->layout = (now + i) % CAPTURE_LAYOUT_N;
		if (capture_view_layout(v, v->screen_w, v->screen_h) == v->layout)
			break;
	}
	pane_toast(p, SEVERITY_NONE, "layout: %s", names[v->layout % CAPTURE_LAYOUT_N]);
	return used(p);
}

static int key_part(struct pane *p, int key)
{
	struct capture_view *v = capture_view_of(p);

	v->focus = (v->focus + (key == KEYS_BACK_TAB ? CAPTURE_FOCUS_N - 1 : 1)) % CAPTURE_FOCUS_N;
	return used(p);
}

static int key_copy(struct pane *p, int key)
{
	struct capture_view *v = capture_view_of(p);
	char buf[4096];
	size_t n;

	(void)key;
	if (v->focus == CAPTURE_TREE)
		n = layertree_text(&v->tree, buf, sizeof buf);
	else if (v->focus == CAPTURE_BYTES)
		n = hexview_text(&v->hex, buf, sizeof buf);
	else
		n = grid_row_text(&v->grid, &p->env->look, buf, sizeof buf);
	if (n)
		pane_copy(p, (struct text){ buf, n });
	return used(p);
}

/* --- movement --- */

static int key_open(struct pane *p, int key)
{
	struct capture_view *v = capture_view_of(p);

	if (v->focus == CAPTURE_LIST) {
		v->focus = CAPTURE_TREE;
	} else if (v->focus == CAPTURE_TREE) {
		layertree_key(&v->tree, key);
		capture_view_link(v);
	}
	return used(p);
}

static int list_key(struct pane *p, struct capture_view *v, int key)
{
	uint64_t before = grid_cursor(&v->grid);

	if (!grid_key(&v->grid, key))
		return 0;
	if (key == 'G' || key == KEYS_END)
		v->grid.follow = true;
	else if (v->grid.follow && grid_cursor(&v->grid) != before)
		v->grid.follow = false;
	capture_view_moved(v);
	return used(p);
}

static int tree_key(struct pane *p, struct capture_view *v, int key)
{
	if (!layertree_key(&v->tree, key))
		return 0;
	capture_view_link(v);
	return used(p);
}

/* The cursor in the bytes takes the tree along: marked is the field that the byte belongs to. */
static void follow_byte(struct capture_view *v)
{
	uint64_t byte = v->hex.cursor;

	if (layertree_select_byte(&v->tree, byte)) {
		capture_view_link(v);
		v->hex.cursor = byte;
	}
}

static int bytes_key(struct pane *p, struct capture_view *v, int key)
{
	if (!hexview_key(&v->hex, key))
		return 0;
	follow_byte(v);
	return used(p);
}

/* One step back: bytes and tree to the list, then the show filter. */
static int key_escape(struct pane *p, struct capture_view *v)
{
	if (v->focus != CAPTURE_LIST && !p->zoom) {
		v->focus = CAPTURE_LIST;
		return used(p);
	}
	if (!p->zoom && v->shown[0])
		return key_show_all(p, 0);
	return 0;
}

/* --- menu of interfaces --- */

static void menu_close(struct capture_view *v)
{
	block_unref(v->interfaces);
	v->interfaces = NULL;
}

static void menu_enter(struct pane *p, struct capture_view *v)
{
	uint32_t n = block_count(v->interfaces);
	const struct interface_row *row = v->menu_at < n ? block_row(v->interfaces, v->menu_at) : NULL;
	struct text name = row ? block_text(v->interfaces, row->name) : text_of("any");

	if (name.n == 0 || name.n >= sizeof v->params.interface)
		return;
	memset(v->params.interface, 0, sizeof v->params.interface);
	memcpy(v->params.interface, name.p, name.n);
	v->grid.follow = true;
	menu_close(v);
	capture_view_open(v);
	pane_toast(p, SEVERITY_NONE, "capturing on %s", v->params.interface);
}

static int menu_key(struct pane *p, struct capture_view *v, int key)
{
	uint32_t last = block_count(v->interfaces); /* the line "any" comes after the rows */

	switch (key) {
	case KEYS_UP:
	case 'k':
		v->menu_at -= v->menu_at > 0;
		break;
	case KEYS_DOWN:
	case 'j':
		v->menu_at += v->menu_at < last;
		break;
	case KEYS_HOME:
	case 'g':
		v->menu_at = 0;
		break;
	case KEYS_END:
	case 'G':
		v->menu_at = last;
		break;
	case KEYS_ENTER:
		menu_enter(p, v);
		break;
	case KEYS_ESC:
	case 'q':
	case 'b':
		menu_close(v);
		break;
	default:
		break;
	}
	return used(p);
}

int capture_view_key(struct pane *p, int key)
{
	struct capture_view *v = capture_view_of(p);

	if (v->interfaces)
		return menu_key(p, v, key);
	if (key == KEYS_ESC)
		return key_escape(p, v);
	if (key == KEYS_ENTER)
		return 0; /* in the table */
	if (v->focus == CAPTURE_TREE)
		return tree_key(p, v, key);
	if (v->focus == CAPTURE_BYTES)
		return bytes_key(p, v, key);
	return list_key(p, v, key);
}

/* --- mouse --- */

static bool hits(struct area a, int x, int y)
{
	return x >= a.x && x < a.x + a.w && y >= a.y && y < a.y + a.h;
}

/* The app sends Enter after a double click. */
static void click(struct capture_view *v, enum capture_focus part, int x, int y)
{
	uint64_t byte;

	v->focus = part;
	if (part == CAPTURE_TREE && layertree_click(&v->tree, y - v->at[part].y)) {
		capture_view_link(v);
	} else if (part == CAPTURE_BYTES && hexview_hit(&v->hex, x - v->at[part].x, y - v->at[part].y, &byte)) {
		v->hex.cursor = byte;
		follow_byte(v);
	} else if (part == CAPTURE_LIST && grid_click(&v->grid, x, y) == 1) {
		capture_view_moved(v);
	}
}

static void wheel(struct pane *p, struct capture_view *v, enum capture_focus part, bool up)
{
	for (int i = 0; i < 3; i++) {
		if (part == CAPTURE_LIST)
			list_key(p, v, up ? KEYS_UP : KEYS_DOWN);
		else if (part == CAPTURE_TREE)
			tree_key(p, v, up ? KEYS_UP : KEYS_DOWN);
		else
			bytes_key(p, v, up ? KEYS_UP : KEYS_DOWN);
	}
}

int capture_view_mouse(struct pane *p, int key, int x, int y)
{
	struct capture_view *v = capture_view_of(p);

	if (v->interfaces)
		return 0;
	for (unsigned i = 0; i < CAPTURE_FOCUS_N; i++) {
		if (v->at[i].w == 0 || !hits(v->at[i], x, y))
			continue;
		if (key == KEYS_WHEEL_UP || key == KEYS_WHEEL_DOWN)
			wheel(p, v, i, key == KEYS_WHEEL_UP);
		else
			click(v, i, x, y);
		return used(p);
	}
	return 0;
}

const struct binding capture_bindings[CAPTURE_N_BINDINGS] = {
	{ .key = 'S', .run = key_start_stop, .label = "start/stop", .help = "stop the capture, or go on", .rank = 1 },
	{ .key = 'f', .run = key_filter, .label = "capture filter", .help = "which packets are taken: BPF, as tcpdump",
		.rank = 0 },
	{ .key = '/', .run = key_show, .label = "show", .help = "which of them are shown: words",
		.rank = 0 },
	{ .key = '\\', .run = key_show_all, .label = "all", .help = "show all packets again", .works = is_filtered, .rank = 2 },
	{ .key = 'b', .run = key_interfaces, .label = "interface", .help = "capture on another interface, or all", .rank = 3 },
	{ .key = KEYS_ENTER, .run = key_open, .label = "fields", .help = "into the fields; fold and unfold there",
		.group = BINDING_MOVE, .rank = 2 },
	{ .key = KEYS_TAB, .alias = KEYS_BACK_TAB, .shown = "Tab", .run = key_part, .label = "part",
		.help = "list, fields, bytes in turn", .group = BINDING_MOVE, .rank = 5 },
	{ .key = 'F', .run = key_follow, .label = "follow", .help = "stay on the newest; moving up ends it", .rank = 4 },
	{ .key = 't', .run = key_time, .label = "time", .help = "time since the first, since above, of day", .rank = 4 },
	{ .key = 'r', .run = key_names, .label = "names", .help = "names of containers, or addresses", .rank = 6 },
	{ .key = 'n', .alias = 'N', .shown = "n N", .run = key_find, .label = "find", .help = "next, previous packet found",
		.rank = 6 },
	{ .key = '&', .run = key_find_words, .help = "look for other words" },
	{ .key = ':', .shown = ":N", .run = key_jump, .help = "go to a packet by its number" },
	{ .key = '|', .run = key_layout, .label = "layout", .help = "arrange list, fields, bytes otherwise", .group = BINDING_SCREEN,
		.rank = 7, .right = true },
	{ .key = 'y', .run = key_copy, .label = "copy", .help = "copy the line, field or marked bytes", .group = BINDING_OUT,
		.rank = 5 },
	{ .key = 'D', .run = key_clear, .help = "throw all packets away, count from 1" },
};
