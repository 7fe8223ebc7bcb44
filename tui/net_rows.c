/* Tables of the network pane, one for each tab. */
#include "core/fd.h"
#include "core/net/address.h"
#include "core/net/neighbour.h"
#include "core/net/rule.h"
#include "core/net/sysctl.h"
#include "tui/net_view.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

const char *const net_tab_titles[NET_TABS] = {
	[NET_TAB_LINKS] = "Interfaces", [NET_TAB_ROUTES] = "Routes", [NET_TAB_RULES] = "Rules", [NET_TAB_NEIGHBOURS] = "Neighbours",
	[NET_TAB_SETTINGS] = "Sysctls", [NET_TAB_PORTS] = "Ports",
};

static size_t bounded(int n, size_t cap)
{
	return n < 0 ? 0 : (size_t)n < cap ? (size_t)n : cap - 1;
}

/* The first address, and how many more. */
static size_t addresses_format(const void *arg, const struct block *b, const void *row, const struct row_look *look, char *buf, size_t cap)
{
	const struct net_link_row *r = row;
	struct text first, more;
	uint32_t n = 0;

	(void)arg, (void)look;
	if (!block_list_item(b, r->addresses, 0, &first))
		return bounded(snprintf(buf, cap, "-"), cap);
	while (block_list_item(b, r->addresses, n + 1, &more))
		n++;
	return bounded(n ? snprintf(buf, cap, "%.*s +%u", (int)first.n, first.p, n) : snprintf(buf, cap, "%.*s", (int)first.n, first.p), cap);
}

/* "17", or "17 +3" when it moved lately. */
static size_t count_format(uint64_t x, uint64_t y, uint64_t grown, char *buf, size_t cap)
{
	if (x == ROW_NO_UINT || y == ROW_NO_UINT)
		return bounded(snprintf(buf, cap, "-"), cap);
	return bounded(grown ? snprintf(buf, cap, "%" PRIu64 " +%" PRIu64, x + y, grown) : snprintf(buf, cap, "%" PRIu64, x + y), cap);
}

static size_t drops_format(const void *arg, const struct block *b, const void *row, const struct row_look *look, char *buf, size_t cap)
{
	const struct net_link_row *r = row;

	(void)b, (void)look;
	return count_format(r->rx.dropped, r->tx.dropped, net_trace_grown(arg, r->head.id, false), buf, cap);
}

static size_t errors_format(const void *arg, const struct block *b, const void *row, const struct row_look *look, char *buf, size_t cap)
{
	const struct net_link_row *r = row;

	(void)b, (void)look;
	return count_format(r->rx.errors, r->tx.errors, net_trace_grown(arg, r->head.id, true), buf, cap);
}

static enum style drops_style(const void *arg, const struct block *b, const void *row)
{
	(void)b;
	return net_trace_grown(arg, ((const struct row_head *)row)->id, false) ? STYLE_WARN : STYLE_TEXT;
}

static enum style errors_style(const void *arg, const struct block *b, const void *row)
{
	(void)b;
	return net_trace_grown(arg, ((const struct row_head *)row)->id, true) ? STYLE_WARN : STYLE_TEXT;
}

static size_t bars_format(const void *arg, const struct block *b, const void *row, const struct row_look *look, char *buf, size_t cap)
{
	(void)b;
	return net_trace_bars(arg, ((const struct row_head *)row)->id, look->charset, buf, cap);
}

static enum style bars_style(const void *arg, const struct block *b, const void *row)
{
	(void)arg, (void)b, (void)row;
	return STYLE_OK;
}

static enum style problem_style(const void *arg, const struct block *b, const void *row)
{
	const struct row_head *head = row;

	(void)arg, (void)b;
	return head->severity >= SEVERITY_WARN ? canvas_severity_style((enum severity)head->severity) : STYLE_TEXT;
}

static enum style state_style(const void *arg, const struct block *b, const void *row)
{
	const struct net_link_row *r = row;

	if (r->head.severity >= SEVERITY_WARN)
		return problem_style(arg, b, row);
	return strcmp(net_link_words(r), "up") == 0 ? STYLE_TEXT : STYLE_DIM;
}

/* What differs from what is usual is what one looks for. */
static enum style value_style(const void *arg, const struct block *b, const void *row)
{
	uint32_t differs = ((const struct net_sysctl_row *)row)->differs;

	(void)arg, (void)b;
	return differs == NET_SYSCTL_SAME || differs == ROW_NO_ENUM ? STYLE_TEXT : STYLE_STRONG;
}

static enum style dim(const void *arg, const struct block *b, const void *row)
{
	(void)arg, (void)b, (void)row;
	return STYLE_DIM;
}

static const struct grid_column link_columns[] = {
	{ .field = "name", .title = "NAME", .min = 6, .good = 12, .max = 20, .priority = 0 },
	{ .field = "kind", .title = "KIND", .priority = 6 },
	{ .field = "condition", .title = "STATE", .priority = 1, .style = state_style },
	{ .field = "mtu", .title = "MTU", .priority = 4, .flags = GRID_RIGHT },
	{ .field = "addresses", .title = "ADDRESS", .min = 10, .good = 15, .max = 44, .priority = 2, .format = addresses_format },
	{ .field = "other_end", .title = "OTHER END", .min = 10, .good = 16, .max = 40, .priority = 3 },
	{ .field = "master", .title = "MASTER", .min = 6, .max = 20, .priority = 7 },
	{ .field = "rx_rate", .title = "RX/s", .priority = 6, .flags = GRID_RIGHT },
	{ .field = "tx_rate", .title = "TX/s", .priority = 6, .flags = GRID_RIGHT },
	{ .field = "rx_bytes", .title = "LATEST", .min = NET_TRACE, .good = NET_TRACE, .max = NET_TRACE, .priority = 5, .format = bars_format,
		.style = bars_style },
	{ .field = "rx_dropped", .title = "DROPS", .priority = 5, .flags = GRID_RIGHT, .format = drops_format, .style = drops_style },
	{ .field = "rx_errors", .title = "ERRORS", .priority = 7, .flags = GRID_RIGHT, .format = errors_format, .style = errors_style },
	{ .field = "mac", .title = "MAC", .priority = 10, .flags = GRID_NOCUT },
	{ .field = "port_state", .title = "PORT", .priority = 10, .flags = GRID_WIDE },
	{ .field = "mode", .title = "MODE", .priority = 10, .flags = GRID_WIDE },
	{ .field = "qdisc", .title = "QDISC", .priority = 11, .flags = GRID_WIDE },
	{ .field = "problem", .title = "WHAT IS WRONG", .min = 13, .good = 24, .max = 100, .priority = 2, .flags = GRID_FLEX, .style = problem_style },
};

static const struct grid_column route_columns[] = {
	{ .field = "to", .title = "TO", .min = 7, .good = 18, .max = 44, .priority = 0, .flags = GRID_NOCUT },
	{ .field = "via", .title = "VIA", .min = 7, .good = 15, .max = 40, .priority = 1, .flags = GRID_NOCUT },
	{ .field = "interface", .title = "INTERFACE", .max = 16, .priority = 2 },
	{ .field = "source", .title = "SOURCE", .good = 15, .max = 40, .priority = 4, .flags = GRID_NOCUT },
	{ .field = "table_name", .title = "TABLE", .priority = 3 },
	{ .field = "metric", .title = "METRIC", .priority = 5, .flags = GRID_RIGHT },
	{ .field = "type", .title = "TYPE", .priority = 6 },
	{ .field = "protocol", .title = "MADE BY", .priority = 7, .style = dim },
	{ .field = "scope", .title = "SCOPE", .priority = 9, .flags = GRID_WIDE },
	{ .field = "mtu", .title = "MTU", .priority = 9, .flags = GRID_RIGHT | GRID_WIDE },
	{ .field = "flags", .title = "FLAGS", .priority = 9, .flags = GRID_WIDE },
	{ .field = "problem", .title = "WHAT IS WRONG", .min = 13, .good = 24, .max = 100, .priority = 2, .flags = GRID_FLEX, .style = problem_style },
};

static const struct grid_column rule_columns[] = {
	{ .field = "priority", .title = "PRIORITY", .priority = 0, .flags = GRID_RIGHT },
	{ .field = "family", .title = "FAMILY", .priority = 2 },
	{ .field = "selector", .title = "PACKETS", .min = 8, .good = 20, .max = 80, .priority = 0 },
	{ .field = "does", .title = "DOES", .min = 8, .good = 16, .max = 60, .priority = 1, .flags = GRID_FLEX },
};

static const struct grid_column neighbour_columns[] = {
	{ .field = "address", .title = "ADDRESS", .min = 7, .good = 15, .max = 40, .priority = 0, .flags = GRID_NOCUT },
	{ .field = "state", .title = "STATE", .priority = 1, .style = problem_style },
	{ .field = "mac", .title = "MAC", .priority = 2, .flags = GRID_NOCUT },
	{ .field = "interface", .title = "INTERFACE", .max = 16, .priority = 4 },
	{ .field = "target", .title = "TARGET", .min = 6, .good = 12, .max = 30, .priority = 3 },
	{ .field = "gateway", .title = "GATEWAY", .priority = 6 },
	{ .field = "confirmed_seconds", .title = "HEARD", .priority = 7, .flags = GRID_RIGHT },
	{ .field = "used_seconds", .title = "USED", .priority = 9, .flags = GRID_RIGHT | GRID_WIDE },
	{ .field = "probes", .title = "PROBES", .priority = 8, .flags = GRID_RIGHT },
	{ .field = "problem", .title = "WHAT IS WRONG", .min = 13, .good = 24, .max = 100, .priority = 2, .flags = GRID_FLEX, .style = problem_style },
};

static enum style exposure_style(const void *arg, const struct block *b, const void *row)
{
	uint32_t exposure = ((const struct net_port_row *)row)->exposure;

	(void)arg, (void)b;
	return exposure == NET_EXPOSED_WORLD ? STYLE_STRONG : exposure == NET_EXPOSED_LOOPBACK || exposure == ROW_NO_ENUM ? STYLE_DIM : STYLE_TEXT;
}

static enum style words_style(const void *arg, const struct block *b, const void *row)
{
	return ((const struct net_port_row *)row)->problem.len != UINT32_MAX ? problem_style(arg, b, row) : STYLE_DIM;
}

static const struct grid_column port_columns[] = {
	{ .field = "host", .title = "HOST", .min = 7, .good = 14, .max = 44, .priority = 0, .flags = GRID_NOCUT },
	{ .field = "port", .title = "PORT", .priority = 0, .flags = GRID_RIGHT },
	{ .field = "protocol", .title = "PROTO", .priority = 3 },
	{ .field = "exposure", .title = "EXPOSED", .priority = 2, .style = exposure_style },
	{ .field = "listener", .title = "LISTENS", .min = 7, .good = 12, .max = 44, .priority = 4, .flags = GRID_NOCUT },
	{ .field = "process", .title = "PROCESS", .min = 5, .good = 9, .max = 16, .priority = 5 },
	{ .field = "by", .title = "BY", .min = 6, .good = 17, .max = 24, .priority = 6, .style = dim },
	{ .field = "reached_from", .title = "REACHED FROM", .min = 12, .good = 21, .max = 24, .priority = 7 },
	{ .field = "target", .title = "TARGET", .max = 20, .priority = 8, .flags = GRID_WIDE },
	{ .field = "words", .title = "WHAT IS WRONG", .min = 13, .good = 40, .max = 120, .priority = 1, .flags = GRID_FLEX, .style = words_style },
};

static const struct grid_column setting_columns[] = {
	{ .field = "name", .title = "NAME", .min = 20, .good = 36, .max = 60, .priority = 0 },
	{ .field = "value", .title = "VALUE", .min = 5, .good = 8, .max = 30, .priority = 0, .style = value_style },
	{ .field = "host", .title = "HOST", .min = 4, .good = 8, .max = 30, .priority = 1 },
	{ .field = "default", .title = "DEFAULT", .min = 7, .good = 8, .max = 30, .priority = 2 },
	{ .field = "help", .title = "MEANING", .min = 10, .good = 20, .max = 100, .priority = 4, .flags = GRID_FLEX, .style = dim },
};

static bool keep_route(const struct block *b, const void *row, void *arg)
{
	const struct net_route_row *r = row;

	(void)b;
	return ((const struct net_view *)arg)->all ||
		!(r->table == NET_TABLE_LOCAL || (r->destination.kind == ADDR_IP6 && r->destination.bytes[0] == 0xff));
}

static bool keep_setting(const struct block *b, const void *row, void *arg)
{
	const struct net_sysctl_row *s = row;

	(void)b;
	return ((const struct net_view *)arg)->all || (s->differs != ROW_NO_ENUM && s->differs != NET_SYSCTL_SAME);
}

static bool keep_port(const struct block *b, const void *row, void *arg)
{
	(void)b;
	return ((const struct net_view *)arg)->all || !net_ports_is_quiet(row);
}

void net_view_grids(struct net_view *v)
{
	grid_init(&v->grids[NET_TAB_LINKS], &net_link_row_type, link_columns, ARRAY_LEN(link_columns), NULL, v);
	grid_init(&v->grids[NET_TAB_ROUTES], &net_route_row_type, route_columns, ARRAY_LEN(route_columns), NULL, v);
	grid_init(&v->grids[NET_TAB_RULES], &net_rule_row_type, rule_columns, ARRAY_LEN(rule_columns), NULL, v);
	grid_init(&v->grids[NET_TAB_NEIGHBOURS], &net_neighbour_row_type, neighbour_columns, ARRAY_LEN(neighbour_columns), NULL, v);
	grid_init(&v->grids[NET_TAB_SETTINGS], &net_sysctl_row_type, setting_columns, ARRAY_LEN(setting_columns), NULL, v);
	grid_init(&v->grids[NET_TAB_PORTS], &net_port_row_type, port_columns, ARRAY_LEN(port_columns), NULL, v);
	table_set_keep(v->grids[NET_TAB_PORTS].table, keep_port, v);
	table_set_keep(v->grids[NET_TAB_ROUTES].table, keep_route, v);
	table_set_keep(v->grids[NET_TAB_SETTINGS].table, keep_setting, v);
}
