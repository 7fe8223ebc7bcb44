/*
 * The capture pane: packets of the target's network namespace. The worker keeps and decodes them; this file asks it for what the
 * screen needs (pages, details, filters) and takes the answers. A dead worker takes its packets along and nothing else.
 */
#include "tui/capture_view.h"

#include "core/err.h"
#include "core/fd.h"
#include "tui/bpfhint.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static const struct row_type *const types[] = {
	&packet_row_type, &layer_row_type, &bytes_row_type, &capture_row_type, &interface_row_type,
};

const struct capture_row *capture_view_status(const struct capture_view *v)
{
	return v->status && block_count(v->status) ? block_row(v->status, 0) : NULL;
}

/* --- requests --- */

int capture_view_request(struct capture_view *v, enum capture_tag tag, uint32_t op, const void *params, size_t n)
{
	return pane_feed_request(v->pane, 0, tag, op, params, n, -1);
}

void capture_view_open(struct capture_view *v)
{
	const struct feed_spec spec = {
		.source = &capture_source,
		.params = &v->params, .n_params = sizeof v->params,
		.types = types, .n_types = ARRAY_LEN(types),
	};

	snprintf(v->filter_opened, sizeof v->filter_opened, "%s", v->params.filter);
	pane_feed_open(v->pane, 0, &spec);
}

static void typed_send(struct capture_view *v, struct capture_typed *t)
{
	bool check = t == &v->check;

	if (t->waiting)
		return;
	t->waiting = capture_view_request(v, check ? CAPTURE_TAG_CHECK : CAPTURE_TAG_DISPLAY,
		check ? CAPTURE_OP_CHECK : CAPTURE_OP_DISPLAY, t->text, strlen(t->text) + 1) == 0;
	t->changed = !t->waiting;
}

void capture_view_typed(struct capture_view *v, struct capture_typed *t, const char *text)
{
	snprintf(t->text, sizeof t->text, "%s", text);
	t->changed = true;
	typed_send(v, t);
}

static void typed_answered(struct capture_view *v, struct capture_typed *t)
{
	t->waiting = false;
	if (t->changed)
		typed_send(v, t);
}

void capture_view_filter(struct capture_view *v, const char *bpf)
{
	snprintf(v->params.filter, sizeof v->params.filter, "%s", bpf);
	if (capture_view_request(v, CAPTURE_TAG_FILTER, CAPTURE_OP_FILTER, bpf, strlen(bpf) + 1) < 0)
		capture_view_open(v);
}

void capture_view_find(struct capture_view *v, bool backwards)
{
	uint64_t at = grid_cursor(&v->grid);
	struct capture_find find = { .from = backwards ? at - 1 : at + 1, .backwards = backwards };

	if (v->find[0] == '\0' || (backwards && at == 0))
		return;
	snprintf(find.words, sizeof find.words, "%s", v->find);
	capture_view_request(v, CAPTURE_TAG_FIND, CAPTURE_OP_FIND, &find, sizeof find);
}

/* The numbers of what is shown rise with the place, so a place is found by halving; every step is one row from the worker. */
static void seek_step(struct capture_view *v)
{
	struct capture_page page = { .count = 1 };

	if (v->seek.low >= v->seek.high) {
		v->seek.number = 0;
		v->grid.follow = false;
		grid_jump(&v->grid, v->seek.low);
		v->anchor = 0;
		capture_view_want(v);
		return;
	}
	page.from = v->seek.low + (v->seek.high - v->seek.low) / 2;
	if (capture_view_request(v, CAPTURE_TAG_SEEK, CAPTURE_OP_PAGE, &page, sizeof page) < 0)
		v->seek.number = 0;
}

void capture_view_seek(struct capture_view *v, uint64_t number)
{
	uint64_t at;

	v->seek.number = number;
	v->seek.low = 0;
	v->seek.high = v->pages.promised;
	if (pages_find(&v->pages, number, &at))
		v->seek.low = v->seek.high = at;
	seek_step(v);
}

static void seek_take(struct capture_view *v, const struct block *b)
{
	uint64_t middle = v->seek.low + (v->seek.high - v->seek.low) / 2;
	const struct packet_row *row = block_count(b) ? block_row(b, 0) : NULL;

	if (v->seek.number == 0)
		return;
	if (row && row->number < v->seek.number)
		v->seek.low = middle + 1;
	else
		v->seek.high = middle;
	seek_step(v);
}

/* --- pages and details --- */

static bool frozen_rows_left(const struct capture_view *v)
{
	const struct capture_row *s = capture_view_status(v);

	return v->pane->frozen && s && s->first != v->frozen_first;
}

static uint64_t seen_rows(const struct capture_view *v)
{
	return v->grid.body > 0 ? (uint64_t)v->grid.body : 1;
}

static void want_pages(struct capture_view *v)
{
	uint64_t at = v->grid.follow ? v->pages.promised : grid_cursor(&v->grid);
	struct capture_page page;
	uint32_t tag;

	if (frozen_rows_left(v)) /* places have moved on; what is held stays */
		return;
	while (pages_next(&v->pages, at, seen_rows(v), &page, &tag)) {
		if (pane_feed_request(v->pane, 0, tag, CAPTURE_OP_PAGE, &page, sizeof page, -1) == 0)
			continue;
		pages_failed(&v->pages, tag);
		break;
	}
}

static void want_detail(struct capture_view *v)
{
	const struct packet_row *row = grid_selected(&v->grid, NULL);

	if (!row || row->number == v->detail || v->detail_asked)
		return;
	if (capture_view_request(v, CAPTURE_TAG_DETAIL, CAPTURE_OP_DETAIL, &row->number, sizeof row->number) == 0)
		v->detail_asked = row->number;
}

void capture_view_want(struct capture_view *v)
{
	pages_advance(&v->pages, v->grid.follow, seen_rows(v));
	if (v->grid.follow && v->pages.count)
		grid_jump(&v->grid, v->pages.count - 1);
	want_pages(v);
	want_detail(v);
}

void capture_view_moved(struct capture_view *v)
{
	const struct packet_row *row = grid_selected(&v->grid, NULL);

	v->anchor = row ? row->number : 0;
	capture_view_want(v);
}

/* The cursor stays on its packet though rows moved. */
static void hold_anchor(struct capture_view *v)
{
	const struct packet_row *row;
	uint64_t at;

	if (!v->grid.follow && v->anchor && pages_find(&v->pages, v->anchor, &at))
		v->grid.cursor = at;
	row = grid_selected(&v->grid, NULL);
	if (row && (v->anchor == 0 || v->grid.follow))
		v->anchor = row->number;
}

void capture_view_link(struct capture_view *v)
{
	const struct layer_row *field = layertree_selected(&v->tree);

	if (field)
		hexview_mark(&v->hex, field->offset, field->length);
}

static void detail_clear(struct capture_view *v)
{
	layertree_set(&v->tree, NULL);
	hexview_set(&v->hex, (struct text){ 0 });
	block_unref(v->bytes);
	v->bytes = NULL;
	v->detail = 0;
}

static void detail_take_bytes(struct capture_view *v, struct block *b)
{
	const struct bytes_row *row = block_count(b) ? block_row(b, 0) : NULL;

	block_unref(v->bytes);
	v->bytes = b;
	v->detail = row ? row->number : v->detail_asked;
	v->detail_asked = 0;
	v->detail_why[0] = '\0';
	hexview_set(&v->hex, row ? block_text(b, row->bytes) : (struct text){ 0 });
	capture_view_link(v);
}

/* --- status --- */

static void toast_saved(struct capture_view *v, const struct capture_row *s)
{
	if (!v->save_started || s->saved == ROW_NO_UINT || (s->saved == 0 && s->last != 0))
		return;
	v->save_started = false;
	pane_toast(v->pane, SEVERITY_OK, "%" PRIu64 " packets saved to %s%s", s->saved, v->save_path,
		s->running ? "; what comes is added" : "");
}

/* Old packets have left the ring: every place moves up. How far is known only when every packet is shown. */
static void rows_left(struct capture_view *v, uint64_t first_before, const struct capture_row *s)
{
	uint64_t gone = s->first > first_before ? s->first - first_before : 0;

	if (v->anchor && v->anchor < s->first)
		v->anchor = 0;
	if (v->shown[0] != '\0') {
		pages_moved(&v->pages);
		return;
	}
	pages_shift(&v->pages, gone);
	v->grid.cursor = v->grid.cursor > gone ? v->grid.cursor - gone : 0;
	v->grid.top = v->grid.top > gone ? v->grid.top - gone : 0;
	v->pages.count = v->pages.count > gone ? v->pages.count - gone : 0;
}

static void promise(struct capture_view *v, const struct capture_row *s)
{
	v->pages.promised = s->shown == ROW_NO_UINT ? 0 : s->shown;
	v->pages.first_number = v->shown[0] == '\0' ? s->first : 0;
}

static void status_take(struct capture_view *v, struct block *b)
{
	const struct capture_row *before = capture_view_status(v), *s = block_count(b) ? block_row(b, 0) : NULL;
	uint64_t first = before ? before->first : 0;

	if (!s) {
		block_unref(b);
		return;
	}
	if (!v->pane->frozen) {
		if (first != 0 && s->first != first)
			rows_left(v, first, s);
		promise(v, s);
	}
	block_unref(v->status);
	v->status = b;
	toast_saved(v, s);
}

/* --- events --- */

static void find_take(struct capture_view *v, const struct block *b)
{
	const struct packet_row *row = block_count(b) ? block_row(b, 0) : NULL;

	if (row)
		capture_view_seek(v, row->number);
	else
		pane_toast(v->pane, SEVERITY_WARN, "no further packet matches %s", v->find);
}

static void packets_take(struct capture_view *v, uint32_t tag, struct block *b)
{
	AUTO(block_unrefp) struct block *mine = NULL;

	if (tag == CAPTURE_TAG_FIND || tag == CAPTURE_TAG_SEEK) {
		mine = b;
		if (tag == CAPTURE_TAG_FIND)
			find_take(v, b);
		else
			seek_take(v, b);
	} else if (!pages_take(&v->pages, tag, b)) {
		return;
	}
	hold_anchor(v);
}

static void show_applied(struct capture_view *v)
{
	uint64_t anchor = v->anchor, promised = v->pages.promised;

	if (strcmp(v->shown, v->show.text) == 0 && !v->show.changed)
		return;
	snprintf(v->shown, sizeof v->shown, "%s", v->show.text);
	pages_reset(&v->pages);
	v->pages.frozen = v->pane->frozen;
	v->pages.promised = promised;
	v->pages.first_number = 0; /* the next status knows */
	v->grid.top = 0;
	if (!v->grid.follow && anchor)
		capture_view_seek(v, anchor);
}

static void status_answer(struct capture_view *v, uint32_t tag, struct block *b)
{
	status_take(v, b);
	if (tag == CAPTURE_TAG_CHECK) {
		v->check_error[0] = '\0';
		pane_prompt_error(v->pane, 0, "");
		typed_answered(v, &v->check);
	} else if (tag == CAPTURE_TAG_DISPLAY) {
		show_applied(v);
		typed_answered(v, &v->show);
	} else if (tag == CAPTURE_TAG_CLEAR) {
		pages_reset(&v->pages);
		v->pages.first_time = 0;
		detail_clear(v);
	}
}

/* The menu opens on the interface that is captured on now. */
static void menu_take(struct capture_view *v, struct block *b)
{
	const struct capture_row *s = capture_view_status(v);
	struct text now = s ? block_text(v->status, s->interface) : (struct text){ 0 };

	block_unref(v->interfaces);
	v->interfaces = b;
	v->menu_at = text_equal(now, text_of("any")) ? block_count(b) : 0;
	for (uint32_t i = 0; i < block_count(b); i++) {
		if (text_equal(block_text(b, ((const struct interface_row *)block_row(b, i))->name), now))
			v->menu_at = i;
	}
}

static void take_block(struct capture_view *v, struct link_event *ev)
{
	if (ev->row_type == &capture_row_type) {
		status_answer(v, ev->tag, ev->block);
	} else if (ev->row_type == &packet_row_type) {
		packets_take(v, ev->tag, ev->block);
	} else if (ev->row_type == &layer_row_type) {
		layertree_set(&v->tree, ev->block);
	} else if (ev->row_type == &bytes_row_type) {
		detail_take_bytes(v, ev->block);
	} else if (ev->row_type == &interface_row_type) {
		menu_take(v, ev->block);
	} else {
		block_unref(ev->block);
	}
}

static void check_failed(struct capture_view *v, const char *why)
{
	if (!v->check.changed) {
		snprintf(v->check_error, sizeof v->check_error, "%s", why);
		v->check_column = bpfhint_locate(v->check.text, why);
		pane_prompt_error(v->pane, v->check_column, why);
	}
	typed_answered(v, &v->check);
}

static void take_error(struct capture_view *v, const struct link_event *ev)
{
	if (pages_failed(&v->pages, ev->tag))
		return;
	switch (ev->tag) {
	case CAPTURE_TAG_CHECK:
		check_failed(v, ev->msg);
		return;
	case CAPTURE_TAG_DISPLAY:
		typed_answered(v, &v->show);
		break;
	case CAPTURE_TAG_DETAIL:
		detail_clear(v);
		v->detail = v->detail_asked; /* not asked again and again */
		v->detail_asked = 0;
		snprintf(v->detail_why, sizeof v->detail_why, "%s", ev->msg);
		return;
	case CAPTURE_TAG_SAVE:
		v->save_path[0] = '\0';
		v->save_started = false;
		break;
	case CAPTURE_TAG_SEEK:
		v->seek.number = 0;
		break;
	default:
		break;
	}
	if (ev->tag != 0)
		pane_toast(v->pane, SEVERITY_BAD, "%s", ev->msg);
}

/* No answers will come any more. */
static void forget_requests(struct capture_view *v)
{
	for (unsigned i = 0; i < PAGES_N; i++)
		v->pages.flight[i].tag = 0;
	v->check.waiting = v->show.waiting = false;
	v->detail_asked = 0;
	v->seek.number = 0;
	v->save_started = false;
}

/* A new worker starts with nothing. */
static void begin(struct capture_view *v)
{
	forget_requests(v);
	pages_reset(&v->pages);
	v->pages.frozen = v->pane->frozen;
	v->pages.first_time = 0;
	v->grid.cursor = v->grid.top = 0;
	v->grid.follow = true;
	memset(v->grid.width, 0, sizeof v->grid.width);
	v->anchor = 0;
	detail_clear(v);
	v->detail_why[0] = '\0';
	v->save_path[0] = '\0';
	block_unref(v->status);
	v->status = NULL;
	if (v->shown[0] != '\0')
		capture_view_typed(v, &v->show, v->shown);
	/* R starts a worker as it was started before: the filter may be another one by now. */
	if (strcmp(v->params.filter, v->filter_opened) != 0)
		capture_view_request(v, CAPTURE_TAG_FILTER, CAPTURE_OP_FILTER, v->params.filter, strlen(v->params.filter) + 1);
}

static void capture_event(struct pane *p, unsigned slot, struct link_event *ev)
{
	struct capture_view *v = capture_view_of(p);

	(void)slot;
	switch (ev->type) {
	case LINK_READY:
		begin(v);
		break;
	case LINK_BLOCK:
		take_block(v, ev);
		break;
	case LINK_ERROR:
		take_error(v, ev);
		break;
	case LINK_CLOSED:
		forget_requests(v);
		break;
	case LINK_GONE:
	case LINK_NOTHING:
		break;
	}
	if (ev->type != LINK_CLOSED)
		capture_view_want(v);
	pane_dirty(p);
}

/* --- the pane --- */

static void capture_targets(struct pane *p)
{
	if (pane_target(p, NULL) || !capture_view_of(p)->who.targets) /* packets of who has left keep their names */
		who_set(&capture_view_of(p)->who, p->env->targets, p->target_id);
}

static int capture_init(struct pane *p, struct err *err)
{
	struct capture_view *v = capture_view_of(p);

	(void)err;
	v->pane = p;
	v->layout = CAPTURE_LAYOUT_N;
	pages_init(&v->pages);
	capture_view_columns(v, 80);
	v->grid.follow = true;
	capture_targets(p);
	capture_view_open(v);
	return 0;
}

static void capture_done(struct pane *p)
{
	struct capture_view *v = capture_view_of(p);

	pages_reset(&v->pages);
	layertree_done(&v->tree);
	who_done(&v->who);
	grid_done(&v->grid);
	block_unref(v->status);
	block_unref(v->bytes);
	block_unref(v->interfaces);
	prompt_history_done(&v->filters);
	prompt_history_done(&v->shows);
	prompt_history_done(&v->finds);
	prompt_history_done(&v->jumps);
}

static void capture_take(struct pane *p, const struct carry *c)
{
	struct capture_view *v = capture_view_of(p);

	if (c->bpf[0] == '\0' || strcmp(c->bpf, v->params.filter) == 0)
		return;
	if (capture_view_status(v)) {
		capture_view_filter(v, c->bpf);
		return;
	}
	snprintf(v->params.filter, sizeof v->params.filter, "%s", c->bpf);
	capture_view_open(v);
}

/* Behind "A? " or "(A? ", up to a blank or the bracket. */
static struct text name_asked(struct text info)
{
	for (size_t i = 0; i + 2 < info.n; i++) {
		struct text name = { info.p + i + 2, 0 };

		if (info.p[i] != '?' || info.p[i + 1] != ' ')
			continue;
		while (i + 2 + name.n < info.n && !strchr(" ,)", name.p[name.n]))
			name.n++;
		return name;
	}
	return (struct text){ 0 };
}

bool capture_view_dns_name(const struct capture_view *v, char *buf, size_t cap)
{
	const struct block *b = NULL;
	const struct packet_row *row = grid_selected(&v->grid, &b);
	struct text name = { 0 };

	if (row && text_contains(block_text(b, row->protocol), text_of("DNS")))
		name = name_asked(block_text(b, row->info));
	if (name.n == 0 || name.n >= cap)
		return false;
	memcpy(buf, name.p, name.n);
	buf[name.n] = '\0';
	return true;
}

/* The side of the service: the lower port; from its own packets that is the source. */
static void give_probe(const struct packet_row *row, struct carry *ret)
{
	bool ports = row->source_port != ROW_NO_UINT && row->destination_port != ROW_NO_UINT;
	bool back = ports && row->source_port < row->destination_port;
	const struct addr *to = back ? &row->source : &row->destination;
	char text[ADDR_TEXT];

	if (to->kind != ADDR_IP4 && to->kind != ADDR_IP6)
		return;
	addr_format(to, text);
	if (!ports)
		snprintf(ret->probe, sizeof ret->probe, "ping %s", text);
	else
		snprintf(ret->probe, sizeof ret->probe, to->kind == ADDR_IP6 ? "tcp [%s]:%" PRIu64 : "tcp %s:%" PRIu64, text,
			back ? row->source_port : row->destination_port);
}

static void capture_give(const struct pane *p, char letter, struct carry *ret)
{
	const struct capture_view *v = capture_view_of(p);
	const struct packet_row *row = grid_selected(&v->grid, NULL);

	if (letter == 'd')
		capture_view_dns_name(v, ret->name, sizeof ret->name);
	if (letter == 'P' && row)
		give_probe(row, ret);
	if (letter == 's' && row && row->source_port != ROW_NO_UINT && row->destination_port != ROW_NO_UINT)
		snprintf(ret->filter, sizeof ret->filter, "%" PRIu64 " %" PRIu64, row->source_port, row->destination_port);
}

static bool capture_busy(const struct pane *p)
{
	const struct capture_view *v = capture_view_of(p);
	const struct capture_row *s = capture_view_status(v);

	return s && s->running == 1 && s->received > 0 && v->save_path[0] == '\0' && p->feeds[0].state == FEED_LIVE;
}

static void capture_freeze(struct pane *p, bool on)
{
	struct capture_view *v = capture_view_of(p);
	const struct capture_row *s = capture_view_status(v);
	uint64_t first = s ? s->first : 0;

	v->pages.frozen = on;
	if (on) {
		v->frozen_received = s ? s->received : 0;
		v->frozen_first = first;
		return;
	}
	if (s && v->frozen_first && first != v->frozen_first)
		rows_left(v, v->frozen_first, s);
	if (s)
		promise(v, s);
	capture_view_want(v);
}

static struct grid *capture_grid(const struct pane *p)
{
	return &capture_view_of(p)->grid;
}

static int capture_write(struct pane *p, const char *path, int fd, struct err *err)
{
	struct capture_view *v = capture_view_of(p);
	size_t n = strlen(path);
	uint32_t format = n > 5 && strcmp(path + n - 5, ".pcap") == 0 ? CAPTURE_PCAP : CAPTURE_PCAPNG;
	int r = pane_feed_request(p, 0, CAPTURE_TAG_SAVE, CAPTURE_OP_SAVE, &format, sizeof format, fd);

	if (r == -ENOTCONN || r == -EPIPE)
		return err_set(err, ENOTCONN, "the capture worker has ended, and the packets with it");
	if (r < 0)
		return err_set(err, -r, "ask the capture worker to save");
	snprintf(v->save_path, sizeof v->save_path, "%s", path);
	v->save_started = true;
	pane_toast(p, SEVERITY_NONE, "saving to %s", path);
	return 0;
}

static const char *capture_write_name(const struct pane *p, char *buf, size_t cap)
{
	const struct capture_view *v = capture_view_of(p);
	const struct capture_row *s = capture_view_status(v);
	struct text interface = s ? block_text(v->status, s->interface) : (struct text){ 0 };
	time_t now = (time_t)(p->env->look.now_ns / 1000000000);
	struct tm tm = { 0 };

	localtime_r(&now, &tm);
	snprintf(buf, cap, "%s-%.*s-%02d%02d%02d.pcapng", p->target_name, (int)(interface.n < 20 ? interface.n : 20),
		interface.n ? interface.p : "", tm.tm_hour, tm.tm_min, tm.tm_sec);
	for (char *c = buf; *c; c++) {
		if (!isalnum((unsigned char)*c) && !strchr("._-", *c))
			*c = '_';
	}
	return buf;
}

const struct pane_ops pane_capture = {
	.name = "capture",
	.title = "Capture",
	.short_title = "Cap",
	.digit = '4',
	.letter = 'c',
	.state_size = sizeof(struct capture_view),
	.init = capture_init,
	.done = capture_done,
	.draw = capture_view_draw,
	.key = capture_view_key,
	.mouse = capture_view_mouse,
	.event = capture_event,
	.targets = capture_targets,
	.grid = capture_grid,
	.take = capture_take,
	.give = capture_give,
	.status = capture_view_message,
	.busy = capture_busy,
	.freeze = capture_freeze,
	.write = capture_write,
	.write_name = capture_write_name,
	.write_hint = "all packets so far, and what comes: .pcap, else pcapng   [Enter] write  [Esc] cancel",
	.bindings = capture_bindings,
	.n_bindings = CAPTURE_N_BINDINGS,
};
