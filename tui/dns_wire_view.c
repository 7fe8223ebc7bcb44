/*
 * The watch behind the Wire half: its worker says when something is new, and the rows are fetched then, one request at a time, so that
 * a busy resolver costs what the screen needs and no more. Findings about addresses are made here, since only the app knows the targets.
 */
#include "tui/dns_wire_view.h"

#include "core/fd.h"
#include "core/source/sockets.h"

#include <stdio.h>
#include <string.h>

#include "tui/dns_view.h"

enum { TAG_QUESTIONS = 1, TAG_FINDINGS, TAG_NAMES, TAG_SEARCHES };

static const struct feed_spec owners_spec = { .source = &owners_source };

void dns_wire_view_init(struct dns_wire_view *w, struct pane *p)
{
	w->pane = p;
	dns_wire_view_grids(w);
	dns_wire_view_tab(w, DNS_WIRE_ALL);
}

void dns_wire_view_done(struct dns_wire_view *w)
{
	grid_done(&w->question_grid);
	grid_done(&w->name_grid);
	grid_done(&w->search_grid);
	grid_done(&w->finding_grid);
	block_unref(w->questions);
	block_unref(w->findings);
}

/* --- the worker --- */

void dns_wire_view_open(struct dns_wire_view *w, const struct block *files)
{
	struct feed_spec spec = { .source = &dnswatch_source, .types = dns_wire_types, .n_types = DNS_WIRE_TYPES };
	struct dnswatch_params params;

	if (w->open)
		return;
	w->open = true;
	dns_wire_params(files, 0, &params);
	spec.params = &params;
	spec.n_params = sizeof params;
	pane_feed_open(w->pane, DNS_SLOT_WATCH, &spec);
	pane_feed_open(w->pane, DNS_SLOT_OWNERS, &owners_spec);
}

void dns_wire_view_files(struct dns_wire_view *w, const struct block *files)
{
	struct dnswatch_params params;

	if (!w->open)
		return;
	dns_wire_params(files, 0, &params);
	pane_feed_request(w->pane, DNS_SLOT_WATCH, 0, DNSWATCH_OP_SETUP, &params, sizeof params, -1);
}

static int request(struct dns_wire_view *w, uint32_t tag, uint32_t op)
{
	struct dnswatch_fetch all = { .all = 1 };
	bool questions = op == DNSWATCH_OP_QUESTIONS;

	return pane_feed_request(w->pane, DNS_SLOT_WATCH, tag, op, questions ? &all : NULL, questions ? sizeof all : 0, -1);
}

/* Everything the tabs show; the last answer ends the round. */
static void fetch(struct dns_wire_view *w)
{
	if (w->asked || w->pane->frozen) {
		w->behind = true;
		return;
	}
	w->behind = false;
	w->asked = request(w, TAG_QUESTIONS, DNSWATCH_OP_QUESTIONS) == 0 && request(w, TAG_NAMES, DNSWATCH_OP_NAMES) == 0 &&
		request(w, TAG_SEARCHES, DNSWATCH_OP_SEARCHES) == 0 && request(w, TAG_FINDINGS, DNSWATCH_OP_FINDINGS) == 0;
}

void dns_wire_view_freeze(struct dns_wire_view *w, bool on)
{
	if (!on && w->behind)
		fetch(w);
}

/* --- rows --- */

bool dns_wire_is_unanswered(const struct dnswatch_question *q)
{
	return q->state == DNSWATCH_UNANSWERED || q->state == DNSWATCH_UNREACHABLE || q->state == DNSWATCH_LATE;
}

bool dns_wire_is_failing(const struct dnswatch_question *q, const struct block *b)
{
	struct text rcode = block_text(b, q->rcode);

	return dns_wire_is_unanswered(q) || (rcode.p && !text_equal(rcode, text_of("NOERROR")));
}

/* What the tab lets through. The engine's own questions stand in the first tab only: they are nobody's lookups. */
static bool keep(const struct block *b, const void *row, void *arg)
{
	const struct dnswatch_question *q = row;
	const struct dns_wire_view *w = arg;

	switch (w->tab) {
	case DNS_WIRE_SLOWEST:
		return q->forwarded == 0 && q->time_us != ROW_NO_UINT;
	case DNS_WIRE_FAILING:
		return q->forwarded == 0 && dns_wire_is_failing(q, b);
	case DNS_WIRE_UNANSWERED:
		return dns_wire_is_unanswered(q);
	case DNS_WIRE_ALL:
	case DNS_WIRE_NAMES:
	case DNS_WIRE_SEARCHES:
	case DNS_WIRE_FINDINGS:
	case DNS_WIRE_TABS:
		break;
	}
	return true;
}

static void count_tabs(struct dns_wire_view *w)
{
	memset(w->counts, 0, sizeof w->counts[0] * DNS_WIRE_NAMES);
	for (uint32_t i = 0; i < block_count(w->questions); i++) {
		const struct dnswatch_question *q = block_row(w->questions, i);

		w->counts[DNS_WIRE_ALL]++;
		w->counts[DNS_WIRE_SLOWEST] += q->forwarded == 0 && q->time_us != ROW_NO_UINT;
		w->counts[DNS_WIRE_FAILING] += q->forwarded == 0 && dns_wire_is_failing(q, w->questions);
		w->counts[DNS_WIRE_UNANSWERED] += dns_wire_is_unanswered(q);
	}
}

void dns_wire_view_tab(struct dns_wire_view *w, enum dns_wire_tab tab)
{
	w->tab = tab;
	if (tab >= DNS_WIRE_NAMES)
		return;
	table_set_keep(w->question_grid.table, keep, w);
	grid_sort_by(&w->question_grid, tab == DNS_WIRE_SLOWEST ? "time_us" : NULL, tab == DNS_WIRE_SLOWEST, false);
	if (w->questions)
		table_set_block(w->question_grid.table, w->questions);
}

/* A reader at the top sees what is new; elsewhere the cursor stays on its row. */
static void show(struct dns_wire_view *w, struct grid *g, struct block *b)
{
	bool at_top = table_cursor(g->table) == 0 && !(w->detail && g == dns_wire_view_grid(w));

	table_set_block(g->table, b);
	if (at_top)
		table_jump(g->table, 0);
}

static void take_questions(struct dns_wire_view *w, const struct block *b)
{
	struct block *named = dnswatch_name_targets(b, w->pane->env->targets);

	block_unref(w->questions);
	w->questions = named;
	count_tabs(w);
	show(w, &w->question_grid, named);
}

static void take_findings(struct dns_wire_view *w, const struct block *b)
{
	const struct target_row *own = pane_target(w->pane, NULL);
	struct dnswatch_stale stale = { 0 };

	if (w->questions)
		dnswatch_stale_count(&stale, w->questions, w->pane->env->targets, w->pane->env->networks, own, 0);
	block_unref(w->findings);
	w->findings = dnswatch_findings_join(b, &stale);
	w->counts[DNS_WIRE_FINDINGS] = block_count(w->findings);
	show(w, &w->finding_grid, w->findings);
	w->asked = false;
	if (w->behind)
		fetch(w);
}

static void take_state(struct dns_wire_view *w, const struct block *b)
{
	const struct dnswatch_row *row = block_row(b, 0);
	struct text note;

	if (!row)
		return;
	note = block_text(b, row->note);
	w->now = *row;
	w->has_state = true;
	snprintf(w->note, sizeof w->note, "%.*s", (int)(note.n < sizeof w->note ? note.n : 0), note.n ? note.p : "");
	fetch(w);
}

static void take_block(struct dns_wire_view *w, struct link_event *ev)
{
	if (ev->row_type == &dnswatch_row_type) {
		take_state(w, ev->block);
	} else if (ev->row_type == &dnswatch_question_type) {
		take_questions(w, ev->block);
	} else if (ev->row_type == &dnswatch_name_type) {
		w->counts[DNS_WIRE_NAMES] = block_count(ev->block);
		show(w, &w->name_grid, ev->block);
	} else if (ev->row_type == &dnswatch_search_type) {
		w->counts[DNS_WIRE_SEARCHES] = block_count(ev->block);
		show(w, &w->search_grid, ev->block);
	} else if (ev->row_type == &dnswatch_finding_type) {
		take_findings(w, ev->block);
	} else if (ev->row_type == &dnswatch_socket_type) {
		dns_wire_want(&w->sockets, ev->block);
		dns_wire_ask(&w->sockets, w->pane->feeds[DNS_SLOT_OWNERS].link);
	}
}

static void owners_event(struct dns_wire_view *w, struct link_event *ev)
{
	struct pane *p = w->pane;

	if (ev->type == LINK_BLOCK && ev->tag == 1)
		dns_wire_tell(&w->sockets, ev->block, p->feeds[DNS_SLOT_WATCH].link);
	else if (ev->type == LINK_ERROR || ev->type == LINK_CLOSED)
		w->sockets.n_asked = 0;
	if (ev->type == LINK_BLOCK)
		dns_wire_ask(&w->sockets, p->feeds[DNS_SLOT_OWNERS].link);
}

void dns_wire_view_event(struct dns_wire_view *w, unsigned slot, struct link_event *ev)
{
	if (slot == DNS_SLOT_OWNERS)
		owners_event(w, ev);
	else if (ev->type == LINK_BLOCK)
		take_block(w, ev);
	else if (ev->type == LINK_ERROR || ev->type == LINK_CLOSED || ev->type == LINK_READY)
		w->asked = false;
	if (ev->type == LINK_BLOCK)
		block_unref(ev->block);
}

/* --- the selection --- */

struct grid *dns_wire_view_grid(struct dns_wire_view *w)
{
	switch (w->tab) {
	case DNS_WIRE_NAMES:
		return &w->name_grid;
	case DNS_WIRE_SEARCHES:
		return &w->search_grid;
	case DNS_WIRE_FINDINGS:
		return &w->finding_grid;
	case DNS_WIRE_ALL:
	case DNS_WIRE_SLOWEST:
	case DNS_WIRE_FAILING:
	case DNS_WIRE_UNANSWERED:
	case DNS_WIRE_TABS:
		break;
	}
	return &w->question_grid;
}

const struct dnswatch_question *dns_wire_view_question(struct dns_wire_view *w, const struct block **ret_block)
{
	return w->tab < DNS_WIRE_NAMES ? grid_selected(&w->question_grid, ret_block) : NULL;
}

bool dns_wire_view_name(struct dns_wire_view *w, char *buf, size_t cap)
{
	const struct block *b = NULL;
	const void *row = grid_selected(dns_wire_view_grid(w), &b);
	struct text name = { 0 };

	if (!row)
		return false;
	if (w->tab == DNS_WIRE_NAMES)
		name = block_text(b, ((const struct dnswatch_name *)row)->name);
	else if (w->tab == DNS_WIRE_SEARCHES)
		name = block_text(b, ((const struct dnswatch_search *)row)->wanted);
	else if (w->tab == DNS_WIRE_FINDINGS)
		name = block_text(b, ((const struct dnswatch_finding *)row)->name);
	else
		name = block_text(b, ((const struct dnswatch_question *)row)->name);
	if (name.n == 0 || name.n >= cap)
		return false;
	memcpy(buf, name.p, name.n);
	buf[name.n] = 0;
	return true;
}

void dns_wire_view_give(struct dns_wire_view *w, struct carry *ret)
{
	const struct dnswatch_question *q = dns_wire_view_question(w, NULL);
	char server[ADDR_TEXT];

	if (!q || q->server.kind == ADDR_NONE)
		return;
	addr_format(&q->server, server);
	if (strcmp(server, "127.0.0.11") == 0)
		snprintf(ret->bpf, sizeof ret->bpf, "host %s", server); /* its port is redirected */
	else
		snprintf(ret->bpf, sizeof ret->bpf, "host %s and port %u", server, q->server_port == ROW_NO_UINT ? 53 : (unsigned)q->server_port);
}
