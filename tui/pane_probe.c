/*
 * The probe pane: destinations tried again and again from inside the target, each by a worker of its own. Names are found among the
 * containers, then as the container would: another worker reads its files for that, once.
 */
#include "tui/probe_view.h"

#include "core/err.h"
#include "core/fd.h"
#include "core/source/files.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { INTERVAL_MS = 1000, HTTP_INTERVAL_MS = 2000, TIMEOUT_MS = 3000 };

static const struct feed_spec files_spec = { .source = &files_source, .deadline_ms = 2000 };

/* --- items --- */

bool probe_item_runs(const struct probe_item *item)
{
	return item->state == PROBE_IS_WAITING || item->state == PROBE_IS_STARTING || item->state == PROBE_IS_RUNNING;
}

static unsigned slot_of(const struct probe_view *v, const struct probe_item *item)
{
	return PROBE_SLOT_FIRST + (unsigned)(item - v->items);
}

struct probe_item *probe_view_find(const struct probe_view *v, uint64_t id)
{
	for (unsigned i = 0; i < PROBE_ITEMS; i++)
		if (v->items[i].state != PROBE_IS_FREE && v->items[i].id == id)
			return (struct probe_item *)&v->items[i];
	return NULL;
}

struct probe_item *probe_view_selected(const struct probe_view *v)
{
	const struct probe_row *row = grid_selected(&v->list, NULL);

	return row ? probe_view_find(v, row->head.id) : NULL;
}

/* A row for what has no result yet. */
static struct block *blank_block(const struct probe_item *item)
{
	struct builder *b = builder_new(&probe_row_type);
	struct probe_row *row = probe_row_blank(b);
	struct block *ret;

	row->head.id = item->id;
	row->head.severity = item->why[0] ? SEVERITY_BAD : SEVERITY_IDLE;
	row->destination = builder_str(b, item->params.label);
	row->kind = item->params.kind;
	row->address = item->params.address;
	if (item->why[0])
		row->meaning = builder_str(b, item->why);
	ret = builder_block(b);
	builder_free(b);
	return ret;
}

static void show(struct probe_view *v)
{
	const struct block *blocks[PROBE_ITEMS];
	struct block *blank[PROBE_ITEMS] = { NULL }, *all;
	unsigned n = 0;

	for (unsigned i = 0; i < PROBE_ITEMS; i++) {
		const struct probe_item *item = &v->items[i];

		if (item->state == PROBE_IS_FREE)
			continue;
		if (!item->latest)
			blank[i] = blank_block(item);
		blocks[n++] = item->latest ? item->latest : blank[i];
	}
	all = dest_name_targets(blocks, n, v->pane->env->targets);
	table_set_block(v->list.table, all);
	block_unref(all);
	for (unsigned i = 0; i < PROBE_ITEMS; i++)
		block_unref(blank[i]);
	pane_dirty(v->pane);
}

/* --- running --- */

static void fail(struct probe_view *v, struct probe_item *item, const char *why)
{
	snprintf(item->why, sizeof item->why, "%s", why);
	item->state = PROBE_IS_STOPPED;
	show(v);
}

static void ask_files(struct probe_view *v)
{
	if (v->files_asked)
		return;
	v->files_asked = true;
	pane_feed_open(v->pane, PROBE_SLOT_FILES, &files_spec);
}

void probe_view_start(struct probe_view *v, struct probe_item *item)
{
	struct dns_request q;
	struct feed_spec spec = { .source = &probe_source, .params = &item->params, .n_params = sizeof item->params };

	item->why[0] = '\0';
	if (item->params.flags & PROBE_RESOLVE && !v->files_done) {
		item->state = PROBE_IS_WAITING;
		ask_files(v);
		show(v);
		return;
	}
	if (item->params.flags & PROBE_RESOLVE)
		dest_look_up(v->files, 0, &item->params, &q);
	item->state = PROBE_IS_STARTING;
	pane_feed_open(v->pane, slot_of(v, item), &spec);
	if (v->pane->env->session && v->pane->feeds[slot_of(v, item)].state == FEED_FAILED)
		fail(v, item, v->pane->feeds[slot_of(v, item)].why);
	show(v);
}

/* The worker is caged and waits for its word. */
static void say_go(struct probe_view *v, struct probe_item *item)
{
	struct dns_request q;
	bool asks = item->params.flags & PROBE_RESOLVE && !dest_look_up(v->files, 0, &item->params, &q);

	item->state = PROBE_IS_RUNNING;
	pane_feed_request(v->pane, slot_of(v, item), 1, PROBE_OP_GO, asks ? &q : NULL, asks ? sizeof q : 0, -1);
}

void probe_view_stop(struct probe_view *v, struct probe_item *item)
{
	pane_feed_close(v->pane, slot_of(v, item));
	item->state = PROBE_IS_STOPPED;
	show(v);
}

static void forget(struct probe_item *item)
{
	block_unref(item->latest);
	item->latest = NULL;
	item->n_history = 0;
}

void probe_view_remove(struct probe_view *v, struct probe_item *item)
{
	probe_view_stop(v, item);
	forget(item);
	*item = (struct probe_item){ .state = PROBE_IS_FREE };
	show(v);
}

void probe_view_reset(struct probe_view *v, struct probe_item *item)
{
	if (item->state == PROBE_IS_RUNNING) {
		pane_feed_request(v->pane, slot_of(v, item), 0, PROBE_OP_RESET, NULL, 0, -1);
		pane_feed_request(v->pane, slot_of(v, item), 0, PROBE_OP_NOW, NULL, 0, -1);
		item->n_history = 0;
	} else {
		forget(item);
		probe_view_start(v, item);
	}
	show(v);
}

/* --- words --- */

/* "KIND DESTINATION" or a destination that says its kind; NULL: neither. */
static const char *split(const char *words, uint32_t *ret_kind)
{
	char word[16];
	size_t n = strcspn(words, " ");

	snprintf(word, sizeof word, "%.*s", n < sizeof word ? (int)n : 0, words);
	*ret_kind = dest_kind(word);
	if (*ret_kind < PROBE_KIND_N)
		return words + n + strspn(words + n, " ");
	*ret_kind = strstr(words, "://") ? PROBE_HTTP : strchr(words, ':') ? PROBE_TCP : PROBE_PING;
	return words;
}

static struct probe_item *free_item(struct probe_view *v)
{
	for (unsigned i = 0; i < PROBE_ITEMS; i++)
		if (v->items[i].state == PROBE_IS_FREE)
			return &v->items[i];
	return NULL;
}

static void fill_times(struct probe_params *p)
{
	p->interval_ms = p->kind == PROBE_HTTP ? HTTP_INTERVAL_MS : INTERVAL_MS;
	p->timeout_ms = TIMEOUT_MS;
	p->count = p->kind == PROBE_MTU ? 1 : 0;
}

bool probe_view_add(struct probe_view *v, const char *words, struct err *err)
{
	const struct block *targets = NULL;
	struct dest_ask ask = { .own = pane_target(v->pane, &targets) };
	struct probe_params params;
	struct probe_item *item;
	uint64_t id;

	ask.targets = targets ? targets : v->pane->env->targets;
	ask.text = split(words, &ask.kind);
	if (dest_fill(&ask, &params, err) < 0)
		return false;
	fill_times(&params);
	id = row_hash(params.label, strlen(params.label), params.kind);
	item = probe_view_find(v, id);
	if (!item)
		item = free_item(v);
	if (!item) {
		err_set(err, EMFILE, "%d probes are here already: D removes one", PROBE_ITEMS);
		return false;
	}
	forget(item);
	item->id = id;
	item->params = params;
	snprintf(item->words, sizeof item->words, "%s %s", probe_kind_names[params.kind], params.label);
	probe_view_start(v, item);
	table_jump_id(v->list.table, id);
	return true;
}

/* --- events --- */

static void add_history(struct probe_item *item, const struct probe_row *row)
{
	if (item->n_history == PROBE_HISTORY)
		memmove(item->history, item->history + 1, --item->n_history * sizeof item->history[0]);
	item->history[item->n_history++] = row->time_us == ROW_NO_UINT ? -1 : (float)row->time_us / 1000;
}

static void take_block(struct probe_item *item, struct block *b)
{
	if (block_count(b) == 0 || item->state == PROBE_IS_FREE) {
		block_unref(b);
		return;
	}
	block_unref(item->latest);
	item->latest = b;
	add_history(item, block_row(b, 0));
}

static void files_event(struct probe_view *v, struct link_event *ev)
{
	if (ev->type == LINK_BLOCK) {
		block_unref(v->files);
		v->files = ev->block;
	}
	if (ev->type != LINK_BLOCK && ev->type != LINK_CLOSED && ev->type != LINK_ERROR)
		return;
	v->files_done = true;
	pane_feed_close(v->pane, PROBE_SLOT_FILES);
	for (unsigned i = 0; i < PROBE_ITEMS; i++)
		if (v->items[i].state == PROBE_IS_WAITING)
			probe_view_start(v, &v->items[i]);
}

static void probe_event(struct pane *p, unsigned slot, struct link_event *ev)
{
	struct probe_view *v = probe_view_of(p);
	struct probe_item *item = slot >= PROBE_SLOT_FIRST ? &v->items[slot - PROBE_SLOT_FIRST] : NULL;

	if (!item) {
		files_event(v, ev);
		return;
	}
	switch (ev->type) {
	case LINK_READY:
		say_go(v, item);
		break;
	case LINK_BLOCK:
		take_block(item, ev->block);
		break;
	case LINK_ERROR:
		snprintf(item->why, sizeof item->why, "%s", ev->msg);
		break;
	case LINK_CLOSED:
		if (item->state != PROBE_IS_FREE)
			item->state = PROBE_IS_STOPPED;
		break;
	case LINK_GONE:
	case LINK_NOTHING:
		break;
	}
	show(v);
}

/* --- the pane --- */

static int probe_init(struct pane *p, struct err *err)
{
	struct probe_view *v = probe_view_of(p);

	(void)err;
	v->pane = p;
	probe_view_grids(v);
	return 0;
}

static void probe_done(struct pane *p)
{
	struct probe_view *v = probe_view_of(p);

	for (unsigned i = 0; i < PROBE_ITEMS; i++)
		block_unref(v->items[i].latest);
	block_unref(v->files);
	grid_done(&v->list);
	prompt_history_done(&v->typed);
}

static void probe_take(struct pane *p, const struct carry *c)
{
	struct err err = { 0 };

	if (c->probe[0] && !probe_view_add(probe_view_of(p), c->probe, &err))
		pane_toast(p, SEVERITY_BAD, "%s", err.msg);
}

static void probe_give(const struct pane *p, char letter, struct carry *ret)
{
	const struct probe_item *item = probe_view_selected(probe_view_of(p));
	const struct probe_row *row = item && item->latest ? block_row(item->latest, 0) : NULL;
	struct addr literal;
	char text[ADDR_TEXT];

	if (!item)
		return;
	if (letter == 'c' && row && row->address.kind)
		snprintf(ret->bpf, sizeof ret->bpf, "host %s", addr_format(&row->address, text));
	if (letter == 'd' && addr_parse(item->params.name, &literal) < 0)
		snprintf(ret->name, sizeof ret->name, "%s", item->params.name);
	if (letter == 's' && row && row->address.kind)
		snprintf(ret->filter, sizeof ret->filter, "%s", addr_format(&row->address, text));
}

static struct grid *probe_grid(const struct pane *p)
{
	return &probe_view_of(p)->list;
}

static void probe_refresh(struct pane *p)
{
	struct probe_view *v = probe_view_of(p);
	struct probe_item *item = probe_view_selected(v);

	if (item)
		probe_view_reset(v, item);
}

static void probe_targets(struct pane *p)
{
	show(probe_view_of(p));
}

static void probe_status(const struct pane *p, char *buf, size_t cap)
{
	const struct probe_view *v = probe_view_of(p);
	unsigned all = 0, running = 0;

	for (unsigned i = 0; i < PROBE_ITEMS; i++) {
		all += v->items[i].state != PROBE_IS_FREE;
		running += probe_item_runs(&v->items[i]);
	}
	buf[0] = '\0';
	if (all)
		snprintf(buf, cap, "%u of %u probes running", running, all);
}

const struct pane_ops pane_probe = {
	.name = "probe",
	.title = "Probe",
	.short_title = "Probe",
	.digit = '7',
	.letter = 'P',
	.state_size = sizeof(struct probe_view),
	.init = probe_init,
	.done = probe_done,
	.draw = probe_view_draw,
	.event = probe_event,
	.targets = probe_targets,
	.grid = probe_grid,
	.take = probe_take,
	.give = probe_give,
	.status = probe_status,
	.refresh = probe_refresh,
	.bindings = probe_bindings,
	.n_bindings = PROBE_N_BINDINGS,
};
