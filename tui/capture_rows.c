/* The packet list: columns, and the grid's way to the pages. */
#include "tui/capture_view.h"

#include "core/fd.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static const int64_t NS = 1000000000;

static uint64_t rows_count(const void *arg)
{
	return ((const struct capture_view *)arg)->pages.count;
}

static const void *rows_at(const void *arg, uint64_t i, const struct block **ret_block)
{
	return pages_at(&((const struct capture_view *)arg)->pages, i, ret_block);
}

static size_t seconds_text(int64_t ns, char *buf, size_t cap)
{
	int64_t us = (ns < 0 ? -ns : ns) / 1000;

	return (size_t)snprintf(buf, cap, "%s%" PRId64 ".%06" PRId64, ns < 0 ? "-" : "", us / 1000000, us % 1000000);
}

static size_t clock_text(int64_t ns, bool utc, char *buf, size_t cap)
{
	time_t s = (time_t)(ns / NS);
	struct tm tm = { 0 };

	if (utc)
		gmtime_r(&s, &tm);
	else
		localtime_r(&s, &tm);
	return (size_t)snprintf(buf, cap, "%02d:%02d:%02d.%06" PRId64, tm.tm_hour, tm.tm_min, tm.tm_sec, ns % NS / 1000);
}

/* Packet that stands above this one in the list; NULL: none, or not here. */
static const struct packet_row *row_before(const struct capture_view *v, const struct block *b, const struct packet_row *row)
{
	uint64_t at;

	if (!pages_index(&v->pages, b, row, &at) || at == 0)
		return NULL;
	return pages_at(&v->pages, at - 1, NULL);
}

/* When the first packet came; as long as nobody has seen it, when the capture began. */
static int64_t start_time(const struct capture_view *v, const struct packet_row *r)
{
	const struct capture_row *s = capture_view_status(v);

	if (v->pages.first_time)
		return v->pages.first_time;
	return s && s->started_at != ROW_NO_INT ? s->started_at : r->time;
}

static size_t time_format(const void *arg, const struct block *b, const void *row, const struct row_look *look, char *buf, size_t cap)
{
	const struct capture_view *v = arg;
	const struct packet_row *r = row, *before;

	switch (v->clock) {
	case CAPTURE_TIME_OF_DAY:
		return clock_text(r->time, look->utc, buf, cap);
	case CAPTURE_SINCE_LAST:
		before = row_before(v, b, r);
		return seconds_text(before ? r->time - before->time : 0, buf, cap);
	case CAPTURE_SINCE_FIRST:
	case CAPTURE_CLOCK_N:
		break;
	}
	return seconds_text(r->time - start_time(v, r), buf, cap);
}

enum { ADDRESS_SHORT = 21, ADDRESS_END = 9 };

/* "2001:db8:12~2f:5a01": both ends of a long address, where there is no room for it. */
static void shorten(char *text, const char *mark)
{
	size_t n = strlen(text), m = strlen(mark);
	char end[ADDRESS_END + 1];

	if (n <= ADDRESS_SHORT)
		return;
	memcpy(end, text + n - ADDRESS_END, sizeof end);
	memcpy(text + ADDRESS_SHORT - ADDRESS_END - 1, mark, m);
	memcpy(text + ADDRESS_SHORT - ADDRESS_END - 1 + m, end, sizeof end);
}

/* The other side's port has the lower number: that one names the service, this one is any number. */
static bool is_client_port(uint64_t port, uint64_t other)
{
	return port != ROW_NO_UINT && other != ROW_NO_UINT && other < port;
}

static size_t endpoint(const struct capture_view *v, const struct row_look *look, const struct addr *a, uint64_t port, uint64_t other,
	char *buf, size_t cap)
{
	struct text who;
	size_t n;

	if (v->width < CAPTURE_PORTS_FROM && !v->grid.wide && is_client_port(port, other))
		port = ROW_NO_UINT;
	n = who_endpoint(&v->who, !v->addresses, a, port, buf, cap);
	if (v->width >= CAPTURE_LONG_FROM || v->grid.wide || a->kind != ADDR_IP6 || (!v->addresses && who_find(&v->who, a, &who)))
		return n;
	shorten(buf, canvas_glyph_text(look->charset, GLYPH_MORE));
	return strlen(buf);
}

static size_t source_format(const void *arg, const struct block *b, const void *row, const struct row_look *look, char *buf, size_t cap)
{
	const struct packet_row *r = row;

	(void)b;
	return endpoint(arg, look, &r->source, r->source_port, r->destination_port, buf, cap);
}

static size_t destination_format(const void *arg, const struct block *b, const void *row, const struct row_look *look, char *buf,
	size_t cap)
{
	const struct packet_row *r = row;

	(void)b;
	return endpoint(arg, look, &r->destination, r->destination_port, r->source_port, buf, cap);
}

static enum style info_style(const void *arg, const struct block *b, const void *row)
{
	(void)arg;
	(void)b;
	return canvas_severity_style(((const struct packet_row *)row)->head.severity);
}

static enum style dim_style(const void *arg, const struct block *b, const void *row)
{
	(void)arg;
	(void)b;
	(void)row;
	return STYLE_DIM;
}

static const struct grid_rows rows = { .count = rows_count, .at = rows_at };

enum { COLUMN_DEVICE = 2 }; /* its place in the list below */

static const struct grid_column columns[] = {
	{ .field = "number", .title = "NO", .min = 4, .priority = 4, .flags = GRID_RIGHT, .style = dim_style },
	{ .field = "time", .title = "TIME", .min = 8, .priority = 2, .format = time_format },
	{ .field = "interface", .title = "DEV", .max = 15, .priority = 5 },
	{ .field = "source", .title = "SOURCE", .max = 45, .priority = 1, .flags = GRID_NOCUT, .format = source_format },
	{ .field = "destination", .title = "DESTINATION", .max = 45, .priority = 1, .flags = GRID_NOCUT, .format = destination_format },
	{ .field = "protocol", .title = "PROTO", .max = 12, .priority = 3 },
	{ .field = "length", .title = "LEN", .priority = 5, .flags = GRID_RIGHT },
	{ .field = "info", .title = "INFO", .min = 20, .good = 20, .max = 200, .priority = 0, .flags = GRID_FLEX, .style = info_style },
};

/* 40 columns: who to whom, and what. */
static const struct grid_column few_columns[] = {
	{ .field = "source", .title = "SOURCE", .min = 12, .good = 12, .max = 15, .priority = 1, .format = source_format },
	{ .field = "destination", .title = "DESTINATION", .min = 12, .good = 12, .max = 15, .priority = 1, .format = destination_format },
	{ .field = "info", .title = "INFO", .min = 10, .good = 10, .max = 200, .priority = 0, .flags = GRID_FLEX, .style = info_style },
};

/* The device says something only when there are several. */
static uint32_t hidden_columns(const struct capture_view *v)
{
	const struct capture_row *s = capture_view_status(v);
	bool any = s && text_equal(block_text(v->status, s->interface), text_of("any"));

	return any || v->width < CAPTURE_COLUMNS_FROM ? 0 : 1u << COLUMN_DEVICE;
}

void capture_view_columns(struct capture_view *v, int width)
{
	bool few = width < CAPTURE_COLUMNS_FROM;
	struct grid old = v->grid;

	v->grid.hidden = hidden_columns(v);
	if (width == v->width)
		return;
	v->width = width;
	grid_done(&v->grid); /* what the last columns left */
	grid_init(&v->grid, &packet_row_type, few ? few_columns : columns, few ? ARRAY_LEN(few_columns) : ARRAY_LEN(columns), &rows, v);
	v->grid.cursor = old.cursor;
	v->grid.top = old.top;
	v->grid.follow = old.follow;
	v->grid.wide = old.wide;
	v->grid.body = old.body;
	v->grid.hidden = hidden_columns(v);
}
