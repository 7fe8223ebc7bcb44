/* Tables of the DNS pane: records of the answer with the way to them, questions asked so far, lines of the files. */
#include "tui/dns_view.h"

#include "core/fd.h"
#include "core/target.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

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

size_t dns_view_clock(int64_t ns, bool utc, bool ms, char *buf, size_t cap)
{
	time_t s = (time_t)(ns / 1000000000);
	struct tm tm = { 0 };
	char part[8] = "";

	if (utc)
		gmtime_r(&s, &tm);
	else
		localtime_r(&s, &tm);
	if (ms)
		snprintf(part, sizeof part, ".%03d", (int)(ns / 1000000 % 1000));
	return bounded(snprintf(buf, cap, "%02d:%02d:%02d%s", tm.tm_hour, tm.tm_min, tm.tm_sec, part), cap);
}

size_t dns_view_took(uint64_t us, char *buf, size_t cap)
{
	return bounded(snprintf(buf, cap, us < 1000000 ? "%.1f ms" : "%.1f s", (double)us / (us < 1000000 ? 1e3 : 1e6)), cap);
}

/* --- the answer --- */

static size_t section_format(const void *arg, const struct block *b, const void *row, const struct row_look *look, char *buf, size_t cap)
{
	static const char *const names[DNS_SECTION_N] = {
		[DNS_SECTION_QUESTION] = "QUESTION", [DNS_SECTION_ANSWER] = "ANSWER", [DNS_SECTION_AUTHORITY] = "AUTHORITY",
		[DNS_SECTION_ADDITIONAL] = "ADDITIONAL", [DNS_SECTION_STEP] = "how",
	};
	const struct dns_row *r = row;

	(void)arg, (void)b, (void)look;
	return copy(text_of(r->section < DNS_SECTION_N ? names[r->section] : ""), buf, cap);
}

static size_t ttl_format(const void *arg, const struct block *b, const void *row, const struct row_look *look, char *buf, size_t cap)
{
	const struct dns_row *r = row;

	(void)arg, (void)b, (void)look;
	buf[0] = '\0';
	return r->ttl == ROW_NO_UINT ? 0 : bounded(snprintf(buf, cap, "%" PRIu64, r->ttl), cap);
}

static const struct target_row *target_named(const struct block *targets, struct text name)
{
	for (uint32_t i = 0; targets && i < block_count(targets); i++) {
		const struct target_row *t = block_row(targets, i);

		if (text_equal(block_text(targets, t->name), name))
			return t;
	}
	return NULL;
}

/* A network that both are on; empty: none. */
static struct text shared_network(const struct block *targets, const struct target_row *x, const struct target_row *y)
{
	struct text one, other;

	for (uint32_t i = 0; i < 32 && block_list_item(targets, x->networks, i, &one); i++) {
		for (uint32_t k = 0; k < 32 && block_list_item(targets, y->networks, k, &other); k++) {
			if (text_equal(one, other))
				return one;
		}
	}
	return (struct text){ 0 };
}

/* "= shop-db-1 (running, same network shop_default)" */
static size_t whose_text(const struct dns_view *v, const struct block *b, const struct dns_row *r, char *buf, size_t cap)
{
	const struct block *targets = NULL;
	const struct target_row *own = pane_target(v->pane, &targets), *t;
	struct text name = block_text(b, r->target), network = { 0 };
	const char *state;

	buf[0] = '\0';
	if (name.n == 0)
		return 0;
	t = target_named(targets, name);
	if (t && own && t == own)
		return bounded(snprintf(buf, cap, "= %.*s (this one)", (int)name.n, name.p), cap);
	if (t && own)
		network = shared_network(targets, own, t);
	state = t && t->state < TARGET_STATE_N ? target_state_names[t->state] : "";
	return bounded(snprintf(buf, cap, "= %.*s%s%s%s%.*s%s", (int)name.n, name.p, t ? " (" : "", state,
		network.n ? ", same network " : t && own ? ", no network in common" : "", (int)network.n, network.n ? network.p : "",
		t ? ")" : ""), cap);
}

static size_t step_text(const struct block *b, const struct dns_row *r, char *buf, size_t cap)
{
	struct text rcode = block_text(b, r->rcode), server = block_text(b, r->server), how = block_text(b, r->data);
	char took[32] = "";

	if (r->time_us != ROW_NO_UINT)
		dns_view_took(r->time_us, took, sizeof took);
	return bounded(snprintf(buf, cap, "%.*s%s%s%s%.*s%s%.*s", (int)rcode.n, rcode.n ? rcode.p : "", took[0] ? "   " : "", took,
		server.n ? "   " : "", (int)server.n, server.n ? server.p : "", how.n ? "   " : "", (int)how.n, how.n ? how.p : ""), cap);
}

static size_t data_format(const void *arg, const struct block *b, const void *row, const struct row_look *look, char *buf, size_t cap)
{
	const struct dns_row *r = row;
	struct text data = block_text(b, r->data), rcode = block_text(b, r->rcode), type = block_text(b, r->type);

	char whose[256];

	(void)look;
	if (r->section == DNS_SECTION_STEP)
		return step_text(b, r, buf, cap);
	if (data.p && whose_text(arg, b, r, whose, sizeof whose) > 0)
		return bounded(snprintf(buf, cap, "%.*s   %s", (int)data.n, data.p, whose), cap);
	if (data.p)
		return copy(data, buf, cap);
	if (text_equal(rcode, text_of("NOERROR")))
		return bounded(snprintf(buf, cap, "(the name exists, but has no %.*s record)", (int)type.n, type.n ? type.p : ""), cap);
	if (text_equal(rcode, text_of("NXDOMAIN")))
		return copy(text_of("(no such name)"), buf, cap);
	return bounded(snprintf(buf, cap, "(%.*s)", (int)rcode.n, rcode.n ? rcode.p : "no reply"), cap);
}

static enum style data_style(const void *arg, const struct block *b, const void *row)
{
	const struct dns_row *r = row;

	(void)arg;
	if (r->section == DNS_SECTION_STEP)
		return STYLE_DIM;
	if (block_text(b, r->data).p)
		return r->section == DNS_SECTION_ANSWER ? STYLE_STRONG : STYLE_TEXT;
	return r->head.severity >= SEVERITY_WARN ? canvas_severity_style(r->head.severity) : STYLE_DIM;
}

static enum style name_style(const void *arg, const struct block *b, const void *row)
{
	(void)arg, (void)b;
	return ((const struct dns_row *)row)->section == DNS_SECTION_STEP ? STYLE_DIM : STYLE_TEXT;
}

static enum style dim(const void *arg, const struct block *b, const void *row)
{
	(void)arg, (void)b, (void)row;
	return STYLE_DIM;
}

static const struct grid_column answer_columns[] = {
	{ .field = "section", .title = "SECTION", .priority = 2, .format = section_format, .style = dim },
	{ .field = "name", .title = "NAME", .min = 10, .good = 20, .max = 60, .priority = 0, .style = name_style },
	{ .field = "ttl", .title = "TTL", .priority = 4, .flags = GRID_RIGHT, .format = ttl_format, .style = dim },
	{ .field = "type", .title = "TYPE", .priority = 0, .style = name_style },
	{ .field = "data", .title = "DATA", .min = 15, .good = 24, .max = 200, .priority = 0, .flags = GRID_FLEX, .format = data_format, .style = data_style },
};

/* --- questions asked --- */

static enum style rcode_style(const void *arg, const struct block *b, const void *row)
{
	const struct row_head *head = row;

	(void)arg, (void)b;
	return head->severity >= SEVERITY_WARN ? canvas_severity_style(head->severity) : STYLE_TEXT;
}

static size_t clock_format(const void *arg, const struct block *b, const void *row, const struct row_look *look, char *buf, size_t cap)
{
	(void)arg, (void)b;
	return dns_view_clock(((const struct asked_row *)row)->time, look->utc, false, buf, cap);
}

static size_t took_format(const void *arg, const struct block *b, const void *row, const struct row_look *look, char *buf, size_t cap)
{
	const struct asked_row *r = row;

	(void)arg, (void)b, (void)look;
	return r->time_us == ROW_NO_UINT ? copy(text_of("-"), buf, cap) : dns_view_took(r->time_us, buf, cap);
}

static const struct grid_column history_columns[] = {
	{ .field = "time", .title = "TIME", .priority = 4, .format = clock_format },
	{ .field = "name", .title = "NAME", .min = 12, .good = 20, .max = 60, .priority = 0 },
	{ .field = "type", .title = "TYPE", .priority = 2 },
	{ .field = "server", .title = "SERVER", .min = 9, .good = 12, .max = 30, .priority = 5 },
	{ .field = "rcode", .title = "RCODE", .min = 7, .good = 10, .max = 40, .priority = 1, .style = rcode_style },
	{ .field = "time_us", .title = "TOOK", .priority = 3, .flags = GRID_RIGHT, .format = took_format },
	{ .field = "answer", .title = "ANSWER", .min = 9, .good = 15, .max = 200, .priority = 2, .flags = GRID_FLEX },
};

/* --- lines of files --- */

static enum style line_style(const void *arg, const struct block *b, const void *row)
{
	const struct file_row *r = row;

	(void)arg, (void)b;
	if (r->key == FILE_ERROR)
		return STYLE_BAD;
	return r->head.flags & FILE_UNUSED ? STYLE_DIM : STYLE_TEXT;
}

static size_t meaning_format(const void *arg, const struct block *b, const void *row, const struct row_look *look, char *buf, size_t cap)
{
	static const char *const words[FILE_KEY_N] = {
		[FILE_NAMESERVER] = "nameserver", [FILE_SEARCH] = "search", [FILE_OPTION] = "option", [FILE_HOST] = "host",
		[FILE_NSS] = "hosts:", [FILE_HOSTNAME] = "host name", [FILE_LIBC] = "libc", [FILE_UPSTREAM] = "upstream", [FILE_OTHER] = "other", [FILE_ERROR] = "not read",
	};
	const struct file_row *r = row;

	(void)arg, (void)b, (void)look;
	return bounded(snprintf(buf, cap, "%s%s", r->key < FILE_KEY_N ? words[r->key] : "",
		r->head.flags & FILE_UNUSED ? " (unused)" : ""), cap);
}

static size_t address_format(const void *arg, const struct block *b, const void *row, const struct row_look *look, char *buf, size_t cap)
{
	char text[ADDR_TEXT];

	(void)arg, (void)b, (void)look;
	return copy(text_of(addr_format(&((const struct file_row *)row)->address, text)), buf, cap);
}

static const struct grid_column line_columns[] = {
	{ .field = "file", .title = "FILE", .min = 10, .priority = 2, .style = dim },
	{ .field = "line", .title = "LINE", .priority = 4, .flags = GRID_RIGHT, .style = dim },
	{ .field = "key", .title = "MEANS", .priority = 1, .format = meaning_format, .style = dim },
	{ .field = "address", .title = "ADDRESS", .priority = 3, .flags = GRID_NOCUT, .format = address_format },
	{ .field = "value", .title = "VALUE", .min = 10, .good = 20, .max = 200, .priority = 0, .flags = GRID_FLEX, .style = line_style },
};

void dns_view_grids(struct dns_view *v)
{
	grid_init(&v->answer, &dns_row_type, answer_columns, ARRAY_LEN(answer_columns), NULL, v);
	grid_init(&v->history, &asked_row_type, history_columns, ARRAY_LEN(history_columns), NULL, v);
	grid_init(&v->lines, &file_row_type, line_columns, ARRAY_LEN(line_columns), NULL, v);
	v->answer.no_heading = true;
}
