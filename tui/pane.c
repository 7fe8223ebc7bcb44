/*
 * What every pane stands on: its life, its feeds (one worker each, opened, sampled, read, opened again) and its
 * requests to the app. A feed samples only while its pane is on the screen, and less often when a sample is dear: under
 * 5 % of a core.
 */
#include "tui/pane.h"

#include "core/err.h"
#include "core/fd.h"
#include "core/loop.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FEED_COST_SHARE = 20, FEED_EVENTS_A_TURN = 64 };

/* --- life --- */

static void set_target(struct pane *p, const struct target_row *row)
{
	struct err err = { 0 };

	p->target_id = row->head.id;
	text_clean(p->target_name, sizeof p->target_name, block_text(p->env->targets, row->name), p->env->look.charset);
	p->no_ref[0] = '\0';
	if (target_reference(p->env->targets, row, &p->ref, &err) < 0) {
		p->ref = (struct target_ref){ .kind = TARGET_NONE };
		snprintf(p->no_ref, sizeof p->no_ref, "%s", err.msg);
	}
}

int pane_new(const struct pane_ops *ops, struct pane_env *env, const struct target_row *row, struct pane **ret,
	struct err *err)
{
	struct pane *p = fd_xcalloc(1, sizeof *p);
	int r;

	p->ops = ops;
	p->env = env;
	p->state = fd_xcalloc(1, ops->state_size ? ops->state_size : 1);
	p->visible = true;
	for (unsigned i = 0; i < PANE_FEEDS; i++) {
		p->feeds[i].pane = p;
		p->feeds[i].slot = i;
	}
	if (row)
		set_target(p, row);
	r = ops->init ? ops->init(p, err) : 0;
	if (r < 0) {
		pane_free(p);
		return r;
	}
	*ret = p;
	return 0;
}

void pane_free(struct pane *p)
{
	if (!p)
		return;
	for (unsigned i = 0; i < PANE_FEEDS; i++)
		pane_feed_close(p, i);
	if (p->ops->done)
		p->ops->done(p);
	for (unsigned i = 0; i < PANE_FEEDS; i++) {
		free(p->feeds[i].params);
		block_unref(p->feeds[i].held);
	}
	free(p->state);
	free(p);
}

const struct target_row *pane_target(const struct pane *p, const struct block **ret_block)
{
	const struct block *b = p->env->targets;
	uint32_t n = b ? block_count(b) : 0;

	if (ret_block)
		*ret_block = b;
	for (uint32_t i = 0; p->target_id && i < n; i++) {
		const struct target_row *row = block_row(b, i);
		if (row->head.id == p->target_id)
			return row;
	}
	return NULL;
}

int pane_retarget(struct pane *p, const struct target_row *row)
{
	set_target(p, row);
	pane_feeds_reopen(p);
	return p->ref.kind == TARGET_NONE ? -ESRCH : 0;
}

/* --- feeds --- */

static void feed_drop_link(struct feed *f)
{
	if (f->item)
		loop_remove(f->pane->env->loop, f->item);
	f->item = NULL;
	link_free(f->link);
	f->link = NULL;
	f->waiting = false;
}

static void feed_fail(struct feed *f, enum feed_state state, const char *why)
{
	f->state = state;
	if (why != f->why)
		snprintf(f->why, sizeof f->why, "%s", why);
	pane_dirty(f->pane);
}

static void feed_block(struct feed *f, struct link_event *ev)
{
	struct pane *p = f->pane;
	bool was_live = f->state == FEED_LIVE && !f->why[0];

	if (f->state != FEED_GONE) /* a capture answers questions about its packets when its target has long ended */
		f->state = FEED_LIVE;
	f->why[0] = '\0';
	f->fresh_ms = (int64_t)loop_now_ms();
	f->waiting = false;
	f->cost_us = block_cost_us(ev->block);
	f->interval_ms = f->cost_us * FEED_COST_SHARE / 1000;
	if (p->frozen && f->spec.sampled && !p->ops->freeze) {
		block_unref(f->held);
		f->held = ev->block;
		return;
	}
	f->same = false;
	p->ops->event(p, f->slot, ev);
	if (!f->same || !was_live)
		pane_dirty(p);
}

static void feed_closed(struct feed *f, struct link_event *ev)
{
	feed_drop_link(f);
	if (f->state == FEED_GONE || f->state == FEED_FAILED)
		;
	else if (ev->msg[0])
		feed_fail(f, FEED_ENDED, ev->msg);
	else if (f->why[0])
		feed_fail(f, FEED_FAILED, f->why);
	else if (f->spec.sampled)
		feed_fail(f, FEED_ENDED, "the worker ended");
	else
		f->state = FEED_DONE;
}

static void feed_event(struct feed *f, struct link_event *ev)
{
	struct pane *p = f->pane;
	const struct pane_ops *ops = p->ops;

	switch (ev->type) {
	case LINK_READY:
		f->state = FEED_LIVE;
		break;
	case LINK_BLOCK:
		feed_block(f, ev);
		return;
	case LINK_ERROR:
		f->waiting = false;
		if (ev->tag == 0)
			snprintf(f->why, sizeof f->why, "%.120s%s%.60s", ev->msg, ev->code ? ": " : "",
				ev->code ? strerror(ev->code) : "");
		break;
	case LINK_GONE:
		feed_fail(f, FEED_GONE, "");
		f->gone_ms = (int64_t)loop_now_ms();
		if (f->spec.sampled)
			feed_drop_link(f); /* nothing more will come; nothing of the dead target stays open */
		break;
	case LINK_CLOSED:
		feed_closed(f, ev);
		break;
	case LINK_NOTHING:
		return;
	}
	ops->event(p, f->slot, ev);
	pane_dirty(p);
}

static int on_feed(void *arg)
{
	struct feed *f = arg;

	for (int i = 0; i < FEED_EVENTS_A_TURN && f->link; i++) {
		struct link_event ev = { 0 };
		link_read(f->link, &ev);
		if (ev.type == LINK_NOTHING)
			break;
		feed_event(f, &ev);
	}
	return 0;
}

static void feed_keep_spec(struct feed *f, const struct feed_spec *spec)
{
	f->spec = *spec;
	free(f->params);
	f->params = NULL;
	if (spec->n_params) {
		f->params = fd_xcalloc(1, spec->n_params);
		memcpy(f->params, spec->params, spec->n_params);
	}
	f->spec.params = f->params;
}

void pane_feed_open(struct pane *p, unsigned slot, const struct feed_spec *spec)
{
	struct feed *f = &p->feeds[slot];
	struct target_ref none = { .kind = TARGET_NONE };
	struct err err = { 0 };

	if (spec)
		feed_keep_spec(f, spec);
	feed_drop_link(f);
	f->why[0] = '\0';
	f->state = FEED_OFF;
	if (!p->env->session || !f->spec.source)
		return;
	if (!f->spec.no_target && p->ref.kind == TARGET_NONE) {
		feed_fail(f, FEED_FAILED, p->no_ref);
		return;
	}
	if (f->spec.on_host)
		none.kind = TARGET_HOST;
	if (f->spec.at.kind != TARGET_NONE)
		none = f->spec.at;
	f->opened_ms = loop_now_ms();
	f->fresh_ms = 0;
	f->state = FEED_STARTING;
	f->waiting = true; /* the first sample comes unasked */
	f->link = session_open(p->env->session, f->spec.source, f->spec.no_target ? &none : &p->ref, f->spec.params,
		f->spec.n_params, &err);
	if (!f->link) {
		feed_fail(f, FEED_FAILED, err.msg);
		return;
	}
	if (f->spec.n_types)
		link_expect(f->link, f->spec.types, f->spec.n_types);
	f->item = loop_add_fd(p->env->loop, link_fd(f->link), on_feed, f);
}

void pane_feed_close(struct pane *p, unsigned slot)
{
	feed_drop_link(&p->feeds[slot]);
	p->feeds[slot].state = FEED_OFF;
}

int pane_feed_request(struct pane *p, unsigned slot, uint32_t tag, uint32_t op, const void *params, size_t n, int fd)
{
	struct feed *f = &p->feeds[slot];

	return f->link ? link_request(f->link, tag, op, params, n, fd) : -ENOTCONN;
}

void pane_feed_sample(struct pane *p, unsigned slot)
{
	struct feed *f = &p->feeds[slot];

	if (!f->link || f->waiting)
		return;
	if (link_sample(f->link, 0) == 0) {
		f->waiting = true;
		f->asked_ms = (int64_t)loop_now_ms();
	}
}

static bool feed_ended(const struct feed *f)
{
	return f->state == FEED_FAILED || f->state == FEED_ENDED || f->state == FEED_GONE;
}

void pane_feeds_refresh(struct pane *p)
{
	for (unsigned i = 0; i < PANE_FEEDS; i++) {
		if (feed_ended(&p->feeds[i]))
			pane_feed_open(p, i, NULL);
		else if (p->feeds[i].spec.sampled)
			pane_feed_sample(p, i);
	}
}

void pane_feeds_reopen(struct pane *p)
{
	for (unsigned i = 0; i < PANE_FEEDS; i++)
		if (p->feeds[i].spec.source)
			pane_feed_open(p, i, NULL);
}

static uint64_t feed_interval(const struct feed *f)
{
	uint64_t every = f->spec.every_ms ? f->spec.every_ms : f->pane->env->every_ms;

	return f->interval_ms > every ? f->interval_ms : every;
}

/* Milliseconds until the feed wants something; 0: now; UINT64_MAX: never. */
static uint64_t feed_due(const struct feed *f, uint64_t now)
{
	uint64_t at = UINT64_MAX;

	if (!f->link)
		return at;
	if (f->spec.deadline_ms && !f->fresh_ms)
		at = f->opened_ms + f->spec.deadline_ms;
	if (f->spec.sampled && !f->waiting && f->pane->visible && (uint64_t)f->fresh_ms + feed_interval(f) < at)
		at = (uint64_t)f->fresh_ms + feed_interval(f);
	if (at == UINT64_MAX)
		return at;
	return at > now ? at - now : 0;
}

void pane_tick(struct pane *p)
{
	uint64_t now = loop_now_ms();
	char why[64];

	for (unsigned i = 0; i < PANE_FEEDS; i++) {
		struct feed *f = &p->feeds[i];
		if (feed_due(f, now) > 0)
			continue;
		if (f->fresh_ms || !f->spec.deadline_ms) {
			pane_feed_sample(p, i);
			continue;
		}
		struct link_event ev = { .type = LINK_CLOSED };
		snprintf(why, sizeof why, "no answer in %u s", (unsigned)(f->spec.deadline_ms / 1000));
		feed_drop_link(f);
		feed_fail(f, FEED_FAILED, why);
		p->ops->event(p, i, &ev);
	}
}

uint64_t pane_due_ms(const struct pane *p)
{
	uint64_t now = loop_now_ms(), due = UINT64_MAX;

	for (unsigned i = 0; i < PANE_FEEDS; i++) {
		uint64_t d = feed_due(&p->feeds[i], now);
		due = d < due ? d : due;
	}
	return due;
}

const struct feed *pane_trouble(const struct pane *p)
{
	for (unsigned i = 0; i < PANE_FEEDS; i++)
		if (feed_ended(&p->feeds[i]))
			return &p->feeds[i];
	return NULL;
}

void pane_freshness(const struct pane *p, unsigned slot, char *buf, size_t cap)
{
	const struct feed *f = &p->feeds[slot];
	double every = (double)feed_interval(f) / 1000, fresh = (double)(p->env->now_ms - f->fresh_ms) / 1000;

	if (f->state == FEED_STARTING || (f->state == FEED_LIVE && !f->fresh_ms)) {
		double waited = (double)(p->env->now_ms - (int64_t)f->opened_ms) / 1000;
		snprintf(buf, cap, waited >= 1 ? "starting the worker, %.0f s" : "starting the worker", waited);
	} else if (!f->fresh_ms) {
		buf[0] = '\0';
	} else {
		snprintf(buf, cap, "every %.*f s   fresh %.1f s   cost %.1f ms%s",
			every < 10 && every != (int)every ? 1 : 0, every, fresh < 0 ? 0 : fresh,
			(double)f->cost_us / 1000,
			f->interval_ms > p->env->every_ms ? "   slowed: under 5 % of a core" : "");
	}
}

void pane_freeze(struct pane *p, bool on)
{
	if (p->frozen == on)
		return;
	p->frozen = on;
	p->frozen_ms = p->env->now_ms;
	pane_dirty(p);
	if (p->ops->freeze)
		p->ops->freeze(p, on);
	for (unsigned i = 0; !on && i < PANE_FEEDS; i++) {
		struct feed *f = &p->feeds[i];
		if (!f->held)
			continue;
		struct link_event ev = { .type = LINK_BLOCK, .row_type = block_type(f->held), .block = f->held };
		f->held = NULL;
		p->ops->event(p, i, &ev);
	}
}

void pane_draw_empty(const struct pane *p, const struct grid *g, struct area a, const char *nothing)
{
	const struct feed *f = pane_trouble(p);
	int y = a.h > 3 ? 2 : 1;

	if (g->table && table_filter_text(g->table)[0] && table_total(g->table))
		canvas_hint(a, 3, y, STYLE_TEXT, "Nothing matches the filter.   [\\] clears it");
	else if (f && f->why[0])
		canvas_fit(a, 3, y, a.w - 4, false, STYLE_TEXT, text_of(f->why));
	else if (p->feeds[0].fresh_ms)
		canvas_str(a, 3, y, STYLE_TEXT, nothing);
}

void pane_table_words(const struct pane *p, const struct grid *g, struct area a, int from)
{
	char all[256], sort[64];
	const char *filter = g->table ? table_filter_text(g->table) : "";
	uint32_t n = g->table ? table_count(g->table) : 0, total = g->table ? table_total(g->table) : 0;
	int at = 0;

	(void)p;
	if (filter[0])
		at = snprintf(all, sizeof all, "%u of %u   filter: %.100s   ", n, total, filter);
	grid_sort_text(g, sort, sizeof sort);
	snprintf(all + at, sizeof all - (size_t)at, "%s%s", sort[0] ? "sort: " : "", sort);
	if (from + (int)text_width(text_of(all)) >= a.w && at)
		all[at - 3] = '\0';
	if (from + (int)text_width(text_of(all)) < a.w)
		canvas_left_of(a, a.w - 1, 0, filter[0] ? STYLE_STRONG : STYLE_DIM, all);
}

/* --- requests --- */

void pane_dirty(struct pane *p)
{
	p->env->dirty = true;
}

void pane_toast(struct pane *p, enum severity s, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(p->env->toast, sizeof p->env->toast, fmt, ap);
	va_end(ap);
	p->env->toast_severity = s;
	pane_dirty(p);
}

void pane_prompt(struct pane *p, const struct pane_prompt *what)
{
	p->env->prompt = *what;
	p->env->prompt.pane = p;
	pane_dirty(p);
}

void pane_prompt_error(struct pane *p, size_t column, const char *sentence)
{
	snprintf(p->env->prompt_error, sizeof p->env->prompt_error, "%s", sentence);
	p->env->prompt_error_column = column;
	p->env->prompt_error_set = true;
	pane_dirty(p);
}

void pane_go(struct pane *p, char view_letter, uint64_t target_id, const struct carry *carry)
{
	p->env->go = view_letter;
	p->env->go_target = target_id;
	p->env->go_has_carry = carry;
	if (carry)
		p->env->go_carry = *carry;
}

void pane_copy(struct pane *p, struct text what)
{
	char *copy = fd_xcalloc(what.n + 1, 1);

	memcpy(copy, what.p, what.n);
	free(p->env->copy);
	p->env->copy = copy;
}

void carry_init(struct carry *c)
{
	memset(c, 0, sizeof *c);
	c->pid = ROW_NO_UINT;
}
