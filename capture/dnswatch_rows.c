/* What a watch knows, as rows. */
#include "capture/dnswatch_wire.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/dns/ask.h"
#include "core/fd.h"

#define OWNER_NS   ((int64_t)500000000) /* a row waits so long for its owner */
#define RECENT_NS  ((int64_t)60000000000)
#define UNKNOWN(v) ((v) ? (v) : ROW_NO_UINT)

/* --- questions --- */

static enum severity severity_of(const struct dnswatch_exchange *e)
{
	if (e->state == DNSWATCH_UNREACHABLE || (e->state == DNSWATCH_UNANSWERED && !e->spare))
		return SEVERITY_BAD;
	if (e->state == DNSWATCH_LATE || dnswatch_is_failure(e) || e->retries || (e->repeats && e->answer_ns) ||
		(e->answer_ns && e->flags & DNS_FLAG_TC && !e->followed && e->judged))
		return SEVERITY_WARN;
	return SEVERITY_NONE;
}

static void note_of(const struct dnswatch_exchange *e, char *buf, size_t cap)
{
	char from[ADDR_TEXT];

	buf[0] = 0;
	if (e->state == DNSWATCH_UNREACHABLE)
		snprintf(buf, cap, "ICMP type %u code %u from %s", e->icmp_type, e->icmp_code, addr_format(&e->said_by, from));
	else if (e->client_gone)
		snprintf(buf, cap, "the client had closed its socket");
	else if (e->state == DNSWATCH_LATE)
		snprintf(buf, cap, "nobody waited any more");
	else if (e->spare)
		snprintf(buf, cap, "another server answered first");
	else if (e->retries)
		snprintf(buf, cap, "asked again after %.2f s%s", (double)e->gap_ns / 1e9, e->twin_answered ? ", its A/AAAA twin was answered" : "");
	else if (e->repeats)
		snprintf(buf, cap, "asked before, %.2f s earlier (%" PRIu64 ")", (double)e->repeats_ns / 1e9, e->repeats);
	else if (e->answer_ns && e->flags & DNS_FLAG_TC)
		snprintf(buf, cap, e->followed ? "cut short, asked again over TCP" : "cut short");
	else if (e->broken)
		snprintf(buf, cap, "the answer could not be read to its end");
}

static void fill_answer(struct dnswatch_question *row, struct builder *b, const struct dnswatch_exchange *e)
{
	char flags[32], code[16];

	row->rcode = row->answers = row->flags = ROW_NO_TEXT;
	row->time_us = row->n_answers = row->ttl = row->size = ROW_NO_UINT;
	if (!e->answer_ns)
		return;
	row->time_us = dnswatch_time_us(e);
	row->rcode = builder_str(b, dns_rcode_name(e->rcode, code));
	row->flags = builder_str(b, dns_flags_text(e->flags, flags));
	row->n_answers = e->n_answers;
	row->ttl = e->ttl == UINT32_MAX ? ROW_NO_UINT : e->ttl;
	row->size = e->size;
	row->answers = (struct str){ 0 };
	for (size_t at = 0; at < e->texts_len; at += strlen(e->texts + at) + 1)
		builder_list_add(b, &row->answers, e->texts + at, strlen(e->texts + at));
}

static void fill_search(struct dnswatch_question *row, struct builder *b, const struct dnswatch_group *g)
{
	char name[DNS_NAME_PRINT];

	row->search = g ? g->number : ROW_NO_UINT;
	row->wanted = ROW_NO_TEXT;
	if (!g)
		return;
	dns_name_format(&g->wanted, name, sizeof name);
	if (name[0])
		name[strlen(name) - 1] = 0; /* what the program wrote has no final dot, or the list would not have been used */
	row->wanted = builder_str(b, name);
}

static void add_question(struct dnswatch_wire *w, struct builder *b, const struct dnswatch_exchange *e)
{
	struct dnswatch_question *row = builder_row(b);
	char name[DNS_NAME_PRINT], type[16], note[160];

	row->head.id = row->number = e->number;
	row->head.severity = severity_of(e);
	row->time = e->first_ns;
	dns_name_format(&e->question.name, name, sizeof name);
	row->name = builder_str(b, name);
	row->type = builder_str(b, dns_type_name(e->question.type, type));
	row->server = e->server;
	row->server_port = UNKNOWN(e->server_port);
	row->transport = e->tcp;
	row->state = e->state;
	row->retries = e->retries;
	row->gap_us = e->retries ? (uint64_t)e->gap_ns / 1000 : ROW_NO_UINT;
	row->repeats = UNKNOWN(e->repeats);
	row->forwarded = e->forwarded;
	row->client = e->client;
	row->client_port = e->client_port;
	row->inode = e->inode;
	row->uid = e->uid;
	row->pid = e->pid;
	row->process = e->process[0] ? builder_str(b, e->process) : ROW_NO_TEXT;
	row->target = ROW_NO_TEXT;
	row->settled = e->settled;
	note_of(e, note, sizeof note);
	row->note = note[0] ? builder_str(b, note) : ROW_NO_TEXT;
	fill_search(row, b, dnswatch_groups_find(w->groups, e->search));
	fill_answer(row, b, e);
}

void dnswatch_rows_all(struct dnswatch_wire *w, struct builder *b)
{
	uint64_t first = dnswatch_pair_first(w->pair);

	for (uint64_t n = dnswatch_pair_last(w->pair); n && n >= first; n--) {
		const struct dnswatch_exchange *e = dnswatch_pair_find(w->pair, n);

		if (e)
			add_question(w, b, e);
	}
}

static int by_settled(const void *x, const void *y)
{
	const struct dnswatch_exchange *a = *(const struct dnswatch_exchange *const *)x, *b = *(const struct dnswatch_exchange *const *)y;

	return (a->settled > b->settled) - (a->settled < b->settled);
}

static bool waits_for_owner(const struct dnswatch_wire *w, const struct dnswatch_exchange *e)
{
	return e->inode != ROW_NO_UINT && e->pid == ROW_NO_UINT && w->now - e->first_ns < OWNER_NS;
}

void dnswatch_rows_settled(struct dnswatch_wire *w, struct builder *b, const struct dnswatch_fetch *fetch)
{
	const struct dnswatch_exchange **list = fd_xcalloc(DNSWATCH_KEPT, sizeof *list);
	size_t n = 0;

	for (uint64_t i = dnswatch_pair_first(w->pair); i && i <= dnswatch_pair_last(w->pair); i++) {
		const struct dnswatch_exchange *e = dnswatch_pair_find(w->pair, i);

		if (e && e->settled > fetch->since)
			list[n++] = e;
	}
	qsort(list, n, sizeof *list, by_settled);
	for (size_t i = 0; i < n && (fetch->now || !waits_for_owner(w, list[i])); i++)
		add_question(w, b, list[i]);
	free(list);
}

/* --- names --- */

static int by_count(const void *x, const void *y)
{
	const struct dnswatch_entry *a = *(const struct dnswatch_entry *const *)x, *b = *(const struct dnswatch_entry *const *)y;

	if (a->count != b->count)
		return a->count < b->count ? 1 : -1;
	return (a->last_ns < b->last_ns) - (a->last_ns > b->last_ns);
}

static void add_types(struct builder *b, struct dnswatch_name *row, const struct dnswatch_entry *e)
{
	char type[16];

	row->types = (struct str){ 0 };
	for (unsigned i = 0; i < e->n_types; i++) {
		const char *name = dns_type_name(e->types[i].type, type);

		builder_list_add(b, &row->types, name, strlen(name));
	}
}

static void add_name(struct builder *b, const struct dnswatch_entry *e)
{
	struct dnswatch_name *row = builder_row(b);
	size_t n = e->n_times < DNSWATCH_TIMES ? (size_t)e->n_times : DNSWATCH_TIMES;
	uint32_t times[DNSWATCH_TIMES];
	char name[DNS_NAME_PRINT];
	bool bad = e->unanswered > 0;

	memcpy(times, e->times, sizeof times);
	dns_name_format(&e->name, name, sizeof name);
	row->head.id = row_hash(name, strlen(name), 0);
	row->head.severity = bad ? SEVERITY_BAD : e->failed || e->retries ? SEVERITY_WARN : SEVERITY_NONE;
	row->name = builder_str(b, name);
	add_types(b, row, e);
	row->count = e->count;
	row->p50_us = dnswatch_percentile(times, n, 50);
	row->p95_us = dnswatch_percentile(times, n, 95);
	row->max_us = n ? times[n - 1] : ROW_NO_UINT;
	row->noerror = e->noerror;
	row->nxdomain = e->nxdomain;
	row->failed = e->failed;
	row->unanswered = e->unanswered;
	row->retries = e->retries;
	row->last = e->last_ns;
}

void dnswatch_rows_names(struct dnswatch_wire *w, struct builder *b)
{
	const struct dnswatch_entry **list = fd_xcalloc(DNSWATCH_NAMES, sizeof *list);
	size_t n = 0;

	for (unsigned i = 0; i < DNSWATCH_NAMES; i++)
		if (dnswatch_names_at(w->names, i))
			list[n++] = dnswatch_names_at(w->names, i);
	qsort(list, n, sizeof *list, by_count);
	for (size_t i = 0; i < n; i++)
		add_name(b, list[i]);
	free(list);
}

/* --- search lists --- */

static const char *tried_word(const struct dnswatch_tried *t)
{
	return t->found ? "found" : t->empty ? "empty" : t->nxdomain ? "NXDOMAIN" : "no answer";
}

static void add_tried(struct dnswatch_wire *w, struct builder *b, struct dnswatch_search *row, const struct dnswatch_group *g)
{
	char name[DNS_NAME_PRINT], text[DNS_NAME_PRINT + 32];
	struct dns_name made;

	for (unsigned i = 0; i < g->n_tried; i++) {
		if (!dnswatch_groups_tried(w->groups, g, i, &made))
			continue;
		dns_name_format(&made, name, sizeof name);
		snprintf(text, sizeof text, "%s %s", name, tried_word(&g->tried[i]));
		builder_list_add(b, &row->tried, text, strlen(text));
	}
	for (unsigned i = 0; i < g->n_tried; i++)
		if (g->tried[i].found && row->found.len == UINT32_MAX && dnswatch_groups_tried(w->groups, g, i, &made)) {
			dns_name_format(&made, name, sizeof name);
			row->found = builder_str(b, name);
		}
}

static void add_search(struct dnswatch_wire *w, struct builder *b, const struct dnswatch_group *g)
{
	struct dnswatch_search *row = builder_row(b);
	char name[DNS_NAME_PRINT];

	row->head.id = row->number = g->number;
	row->head.severity = g->nxdomain ? SEVERITY_WARN : SEVERITY_NONE;
	row->time = g->first_ns;
	dns_name_format(&g->wanted, name, sizeof name);
	if (name[0])
		name[strlen(name) - 1] = 0;
	row->wanted = builder_str(b, name);
	row->questions = g->questions;
	row->nxdomain = g->nxdomain;
	row->time_us = g->answer_ns > g->first_ns ? (uint64_t)(g->answer_ns - g->first_ns) / 1000 : ROW_NO_UINT;
	row->client = g->client;
	row->process = g->process[0] ? builder_str(b, g->process) : ROW_NO_TEXT;
	row->tried = (struct str){ 0 };
	row->found = ROW_NO_TEXT;
	add_tried(w, b, row, g);
}

void dnswatch_rows_searches(struct dnswatch_wire *w, struct builder *b)
{
	uint64_t last = dnswatch_groups_last(w->groups);

	for (uint64_t n = last; n && n + DNSWATCH_SEARCHES > last; n--) {
		const struct dnswatch_group *g = dnswatch_groups_find(w->groups, n);

		if (g)
			add_search(w, b, g);
	}
}

/* --- state --- */

static double rate(const struct dnswatch_wire *w)
{
	int64_t second = w->now / 1000000000, young = w->begun ? (w->now - w->begun) / 1000000000 : 0;
	double n = 0, of = young < 1 ? 1 : young < DNSWATCH_RATE_SECONDS ? (double)young : DNSWATCH_RATE_SECONDS;

	for (int64_t s = second - DNSWATCH_RATE_SECONDS + 1; s <= w->second; s++)
		if (s > w->second - DNSWATCH_RATE_SECONDS && s > 0)
			n += w->per_second[s % DNSWATCH_RATE_SECONDS];
	return n / of;
}

static void fill_times(struct dnswatch_wire *w, struct dnswatch_row *row)
{
	uint32_t *times = fd_xcalloc(DNSWATCH_KEPT, sizeof *times);
	uint64_t first = dnswatch_pair_first(w->pair), waiting = 0;
	size_t n = 0;

	for (uint64_t i = dnswatch_pair_last(w->pair); i && i >= first; i--) {
		const struct dnswatch_exchange *e = dnswatch_pair_find(w->pair, i);

		if (!e || e->forwarded)
			continue;
		waiting += e->state == DNSWATCH_WAITING;
		if (e->answer_ns && w->now - e->answer_ns < RECENT_NS)
			times[n++] = dnswatch_time_us(e) < UINT32_MAX ? (uint32_t)dnswatch_time_us(e) : UINT32_MAX;
	}
	row->waiting = waiting;
	row->p50_us = dnswatch_percentile(times, n, 50);
	row->p95_us = dnswatch_percentile(times, n, 95);
	row->max_us = n ? times[n - 1] : ROW_NO_UINT;
	free(times);
}

struct dnswatch_row *dnswatch_rows_state(struct dnswatch_wire *w, struct builder *b)
{
	struct dnswatch_row *row = builder_row(b), *t = &w->totals;

	*row = *t;
	row->head = (struct row_head){ .id = 1, .severity = t->unanswered || t->unreachable ? SEVERITY_WARN : SEVERITY_OK };
	row->rate = rate(w);
	row->settled = dnswatch_pair_settled(w->pair);
	row->note = ROW_NO_TEXT;
	fill_times(w, row);
	return row;
}
