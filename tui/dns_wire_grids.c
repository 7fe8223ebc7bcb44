/* Columns of the Wire half's tables. */
#include "tui/dns_view.h"

#include "core/fd.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static size_t bounded(int n, size_t cap)
{
	if (n < 0)
		return 0;
	return (size_t)n < cap ? (size_t)n : cap - 1;
}

static size_t copy(struct text t, char *buf, size_t cap)
{
	return bounded(snprintf(buf, cap, "%.*s", (int)t.n, t.n ? t.p : ""), cap);
}

#define FORMAT(name) \
	static size_t name(const void *arg, const struct block *b, const void *row, const struct row_look *look, char *buf, size_t cap)

FORMAT(clock_format)
{
	int64_t time;

	(void)arg;
	memcpy(&time, b && block_type(b) == &dnswatch_search_type ? &((const struct dnswatch_search *)row)->time :
								      &((const struct dnswatch_question *)row)->time, sizeof time);
	return dns_view_clock(time, look->utc, false, buf, cap);
}

static size_t took(uint64_t us, char *buf, size_t cap)
{
	return us == ROW_NO_UINT ? copy(text_of("-"), buf, cap) : dns_view_took(us, buf, cap);
}

FORMAT(question_took)
{
	const struct dnswatch_question *q = row;

	(void)arg, (void)b, (void)look;
	if (q->state == DNSWATCH_WAITING)
		return copy(text_of("..."), buf, cap);
	return took(q->time_us, buf, cap);
}

/* What the answer said, or why there is none. */
FORMAT(outcome_format)
{
	static const char *const words[DNSWATCH_STATE_N] = { [DNSWATCH_WAITING] = "waiting", [DNSWATCH_UNANSWERED] = "no answer",
		[DNSWATCH_UNREACHABLE] = "unreachable" };
	const struct dnswatch_question *q = row;
	struct text rcode = block_text(b, q->rcode);

	(void)arg, (void)look;
	if (!rcode.p)
		return copy(text_of(q->state < DNSWATCH_STATE_N && words[q->state] ? words[q->state] : "-"), buf, cap);
	return bounded(snprintf(buf, cap, "%s%.*s", q->state == DNSWATCH_LATE ? "late " : "", (int)rcode.n, rcode.p), cap);
}

FORMAT(by_format)
{
	const struct dnswatch_question *q = row;
	struct text name = block_text(b, q->process);

	(void)arg, (void)look;
	if (name.n)
		return bounded(snprintf(buf, cap, "%.*s/%" PRIu64, (int)name.n, name.p, q->pid), cap);
	return copy(text_of(q->forwarded == 1 ? "engine" : "-"), buf, cap);
}

FORMAT(tries_format)
{
	const struct dnswatch_question *q = row;

	(void)arg, (void)b, (void)look;
	return bounded(snprintf(buf, cap, "%" PRIu64, q->retries + 1), cap);
}

/* The data, with the container that has the address; else what is odd. */
FORMAT(answer_format)
{
	const struct dnswatch_question *q = row;
	struct text item, target = block_text(b, q->target), note = block_text(b, q->note);
	size_t n = 0;

	(void)arg, (void)look;
	buf[0] = 0;
	for (uint32_t i = 0; n < cap && i < 4 && block_list_item(b, q->answers, i, &item); i++)
		n += bounded(snprintf(buf + n, cap - n, "%s%.*s", n ? ", " : "", (int)item.n, item.p), cap - n);
	if (target.n && n < cap)
		n += bounded(snprintf(buf + n, cap - n, " = %.*s", (int)target.n, target.p), cap - n);
	if (note.n && n < cap)
		n += bounded(snprintf(buf + n, cap - n, "%s%.*s", n ? "   " : "", (int)note.n, note.p), cap - n);
	if (n == 0 && q->n_answers == 0 && text_equal(block_text(b, q->rcode), text_of("NOERROR")))
		return copy(text_of("(empty)"), buf, cap);
	return n;
}

static enum style row_style(const void *row, enum style other)
{
	const struct row_head *head = row;

	return head->severity >= SEVERITY_WARN ? canvas_severity_style(head->severity) : other;
}

static enum style outcome_style(const void *arg, const struct block *b, const void *row)
{
	const struct dnswatch_question *q = row;

	(void)arg;
	if (q->head.severity < SEVERITY_WARN && block_text(b, q->rcode).n != 7) /* NOERROR */
		return STYLE_DIM;
	return row_style(row, STYLE_TEXT);
}

/* The engine's own questions stand back. */
static enum style name_style(const void *arg, const struct block *b, const void *row)
{
	(void)arg, (void)b;
	return ((const struct dnswatch_question *)row)->forwarded == 1 ? STYLE_DIM : STYLE_STRONG;
}

static enum style answer_style(const void *arg, const struct block *b, const void *row)
{
	const struct dnswatch_question *q = row;

	(void)arg, (void)b;
	return q->forwarded == 1 || q->n_answers == ROW_NO_UINT || q->n_answers == 0 ? STYLE_DIM : STYLE_TEXT;
}

static enum style dim(const void *arg, const struct block *b, const void *row)
{
	(void)arg, (void)b, (void)row;
	return STYLE_DIM;
}

static const struct grid_column question_columns[] = {
	{ .field = "time", .title = "TIME", .priority = 5, .format = clock_format, .style = dim },
	{ .field = "name", .title = "NAME", .min = 14, .good = 28, .max = 60, .priority = 0, .style = name_style },
	{ .field = "type", .title = "TYPE", .priority = 1 },
	{ .field = "server", .title = "SERVER", .priority = 6, .flags = GRID_NOCUT, .style = dim },
	{ .field = "transport", .title = "VIA", .priority = 8, .style = dim },
	{ .field = "process", .title = "BY", .min = 4, .good = 12, .max = 22, .priority = 3, .format = by_format },
	{ .field = "rcode", .title = "OUTCOME", .min = 7, .good = 12, .max = 16, .priority = 1, .format = outcome_format, .style = outcome_style },
	{ .field = "time_us", .title = "TOOK", .priority = 2, .flags = GRID_RIGHT, .format = question_took },
	{ .field = "retries", .title = "TRIES", .priority = 7, .flags = GRID_RIGHT, .format = tries_format },
	{ .field = "answers", .title = "ANSWER", .min = 8, .good = 14, .max = 200, .priority = 4, .flags = GRID_FLEX, .format = answer_format,
		.style = answer_style },
};

/* --- names --- */

#define TOOK(name, type, member) \
	FORMAT(name) \
	{ \
		(void)arg, (void)b, (void)look; \
		return took(((const struct type *)row)->member, buf, cap); \
	}
TOOK(p50_format, dnswatch_name, p50_us)
TOOK(p95_format, dnswatch_name, p95_us)
TOOK(max_format, dnswatch_name, max_us)
TOOK(search_took, dnswatch_search, time_us)

/* A zero is nothing to read. */
static size_t number(uint64_t v, char *buf, size_t cap)
{
	return v ? bounded(snprintf(buf, cap, "%" PRIu64, v), cap) : copy(text_of("-"), buf, cap);
}

#define NUMBER(name, member) \
	FORMAT(name) \
	{ \
		(void)arg, (void)b, (void)look; \
		return number(((const struct dnswatch_name *)row)->member, buf, cap); \
	}
NUMBER(noerror_format, noerror)
NUMBER(nxdomain_format, nxdomain)
NUMBER(failed_format, failed)
NUMBER(unanswered_format, unanswered)
NUMBER(retries_format, retries)

static enum style unanswered_style(const void *arg, const struct block *b, const void *row)
{
	(void)arg, (void)b;
	return ((const struct dnswatch_name *)row)->unanswered ? STYLE_BAD : STYLE_DIM;
}

static enum style failed_style(const void *arg, const struct block *b, const void *row)
{
	(void)arg, (void)b;
	return ((const struct dnswatch_name *)row)->failed ? STYLE_WARN : STYLE_DIM;
}

static const struct grid_column name_columns[] = {
	{ .field = "name", .title = "NAME", .min = 16, .good = 30, .max = 80, .priority = 0, .flags = GRID_FLEX },
	{ .field = "types", .title = "TYPES", .min = 4, .max = 16, .priority = 5, .style = dim },
	{ .field = "count", .title = "ASKED", .priority = 0, .flags = GRID_RIGHT },
	{ .field = "p50_us", .title = "MEDIAN", .priority = 1, .flags = GRID_RIGHT, .format = p50_format },
	{ .field = "p95_us", .title = "P95", .priority = 2, .flags = GRID_RIGHT, .format = p95_format },
	{ .field = "max_us", .title = "WORST", .priority = 4, .flags = GRID_RIGHT, .format = max_format },
	{ .field = "noerror", .title = "OK", .priority = 3, .flags = GRID_RIGHT, .format = noerror_format },
	{ .field = "nxdomain", .title = "NXDOMAIN", .priority = 2, .flags = GRID_RIGHT, .format = nxdomain_format },
	{ .field = "failed", .title = "FAILED", .priority = 2, .flags = GRID_RIGHT, .format = failed_format, .style = failed_style },
	{ .field = "unanswered", .title = "NONE", .priority = 1, .flags = GRID_RIGHT, .format = unanswered_format, .style = unanswered_style },
	{ .field = "retries", .title = "AGAIN", .priority = 6, .flags = GRID_RIGHT, .format = retries_format, .style = dim },
};

/* --- search lists --- */

FORMAT(tried_format)
{
	const struct dnswatch_search *s = row;
	const char *arrow = look->charset == TEXT_UTF8 ? " → " : " > ";
	struct text item;
	size_t n = 0;

	(void)arg;
	buf[0] = 0;
	for (uint32_t i = 0; n < cap && block_list_item(b, s->tried, i, &item); i++)
		n += bounded(snprintf(buf + n, cap - n, "%s%.*s", i ? arrow : "", (int)item.n, item.p), cap - n);
	return n;
}

static const struct grid_column search_columns[] = {
	{ .field = "time", .title = "TIME", .priority = 5, .format = clock_format, .style = dim },
	{ .field = "wanted", .title = "WANTED", .min = 10, .good = 20, .max = 50, .priority = 0 },
	{ .field = "questions", .title = "ASKED", .priority = 1, .flags = GRID_RIGHT },
	{ .field = "nxdomain", .title = "NXDOMAIN", .priority = 0, .flags = GRID_RIGHT },
	{ .field = "time_us", .title = "TOOK", .priority = 2, .flags = GRID_RIGHT, .format = search_took },
	{ .field = "process", .title = "BY", .min = 4, .max = 16, .priority = 4 },
	{ .field = "tried", .title = "TRIED, ONE AFTER THE OTHER", .min = 20, .good = 40, .max = 250, .priority = 3, .flags = GRID_FLEX,
		.format = tried_format, .style = dim },
};

/* --- findings --- */

static enum style finding_style(const void *arg, const struct block *b, const void *row)
{
	(void)arg, (void)b;
	return row_style(row, STYLE_TEXT);
}

static const struct grid_column finding_columns[] = {
	{ .field = "finding", .title = "FINDING", .priority = 2, .style = finding_style },
	{ .field = "count", .title = "COUNT", .priority = 3, .flags = GRID_RIGHT },
	{ .field = "total", .title = "OF", .priority = 4, .flags = GRID_RIGHT },
	{ .field = "text", .title = "WHAT", .min = 20, .good = 40, .max = 250, .priority = 0, .flags = GRID_FLEX },
};

void dns_wire_view_grids(struct dns_wire_view *w)
{
	grid_init(&w->question_grid, &dnswatch_question_type, question_columns, ARRAY_LEN(question_columns), NULL, w);
	grid_init(&w->name_grid, &dnswatch_name_type, name_columns, ARRAY_LEN(name_columns), NULL, w);
	grid_init(&w->search_grid, &dnswatch_search_type, search_columns, ARRAY_LEN(search_columns), NULL, w);
	grid_init(&w->finding_grid, &dnswatch_finding_type, finding_columns, ARRAY_LEN(finding_columns), NULL, w);
}
