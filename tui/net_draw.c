/* The network picture below the way (net_way.c): the tabs, the table, the selected row in full. */
#include "core/fd.h"
#include "core/net/address.h"
#include "core/net/sysctl.h"
#include "tui/net_view.h"

#include <stdio.h>
#include <string.h>

enum { LABEL = 12 };

/* --- tabs --- */

static uint32_t findings_in(const struct grid *g)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < table_count(g->table); i++)
		n += ((const struct row_head *)table_at(g->table, i))->severity >= SEVERITY_WARN;
	return n;
}

static int tab_text(const struct net_view *v, unsigned i, bool brief, char *buf, size_t cap)
{
	uint32_t bad = findings_in(&v->grids[i]), n = table_count(v->grids[i].table);
	int len = snprintf(buf, cap, "%.*s", brief ? 5 : 20, net_tab_titles[i]);

	if (table_block(v->grids[i].table))
		len += snprintf(buf + len, cap - (size_t)len, " %u", n);
	(void)bad;
	return len;
}

static void draw_tabs(struct net_view *v, struct area a)
{
	char text[48];
	int x = 3;

	canvas_rule(a, 0, NULL);
	v->tab_y = a.y;
	for (unsigned i = 0; i < NET_TABS; i++) {
		bool here = i == v->tab, bad = findings_in(&v->grids[i]) > 0;

		tab_text(v, i, a.w < 76, text, sizeof text);
		v->tab_x[i] = a.x + x;
		x += canvas_str(a, x, 0, STYLE_RULE, " ");
		if (bad) {
			canvas_sign(a, x, 0, SEVERITY_WARN);
			x += 1 + canvas_str(a, x + 1, 0, STYLE_TEXT, " ");
		}
		int w = canvas_str(a, x, 0, here ? STYLE_STRONG : STYLE_TEXT, text);
		if (here)
			canvas_ground_part(a, x, 0, w, GROUND_TAB);
		x += w;
		x += canvas_str(a, x, 0, STYLE_RULE, " ");
		if (a.w >= 60)
			x++;
	}
	v->tab_x[NET_TABS] = a.x + x;
	pane_table_words(v->pane, &v->grids[v->tab], canvas_sub(a, 0, 0, a.w, 1), x + 2);
}

/* --- the selected row --- */

struct facts_line {
	struct area a;
	int x, y;
	const struct block *b;
	const void *row;
	const struct row_type *type;
	const struct row_look *look;
};

/* "label value", on the next line when there is no room. */
static void add(struct facts_line *l, const char *name, const char *label)
{
	const struct field *f = row_field_find(l->type, name);
	char buf[256];
	int w;

	if (!f || row_is_unknown(l->b, f, l->row) || l->y >= l->a.h)
		return;
	row_format(l->b, f, l->row, l->look, buf, sizeof buf);
	w = (int)(strlen(label) + 1 + text_width(text_of(buf)));
	if (l->x + w > l->a.w - 1 && l->x > LABEL) {
		l->x = LABEL;
		l->y++;
	}
	l->x += canvas_str(l->a, l->x, l->y, STYLE_DIM, label) + (*label != 0);
	l->x += canvas_fit(l->a, l->x, l->y, l->a.w - l->x - 1, false, STYLE_TEXT, text_of(buf)) + 3;
}

static void heading(struct facts_line *l, const char *word)
{
	if (l->x > LABEL)
		l->y++;
	l->x = LABEL;
	canvas_str(l->a, 1, l->y, STYLE_DIM, word);
}

static void draw_addresses(struct facts_line *l, const struct net_view *v, uint64_t index)
{
	const struct block *b = v->facts.parts[NET_ADDRESSES];
	const struct row_look *look = l->look;
	struct facts_line each = *l;

	for (uint32_t i = 0; b && i < block_count(b) && each.y < l->a.h; i++) {
		const struct net_address_row *r = block_row(b, i);

		if (r->index != index)
			continue;
		each.b = b, each.row = r, each.type = &net_address_row_type, each.look = look;
		heading(&each, each.y == l->y ? "address" : "");
		add(&each, "address", "");
		add(&each, "scope", "");
		add(&each, "flags", "");
		add(&each, "peer", "peer");
		add(&each, "valid_seconds", "valid");
		if (r->head.severity >= SEVERITY_WARN)
			each.x += canvas_put(each.a, each.x, each.y, canvas_severity_style((enum severity)r->head.severity), block_text(b, r->problem));
	}
	l->x = each.x;
	l->y = each.y;
}

static void draw_link(struct facts_line *l, const struct net_view *v)
{
	static const char *const port[][2] = { { "master", "of" }, { "port_state", "" }, { "hairpin", "hairpin" }, { "isolated", "isolated" },
		{ "learning", "learning" }, { "flood", "flood" }, { "guard", "guard" } };
	static const char *const kind[][2] = { { "mode", "mode" }, { "vlan", "vlan" }, { "vni", "vni" }, { "local", "local" },
		{ "remote", "remote" }, { "port", "port" }, { "owner", "owner" }, { "stp", "spanning tree" }, { "vlan_filtering", "vlan filter" },
		{ "parent", "on" }, { "peer", "other end" }, { "peer_target", "in" } };
	const struct net_link_row *r = l->row;

	draw_addresses(l, v, r->index);
	heading(l, "received");
	add(l, "rx_bytes", "bytes"), add(l, "rx_packets", "packets"), add(l, "rx_errors", "errors"), add(l, "rx_dropped", "dropped");
	heading(l, "sent");
	add(l, "tx_bytes", "bytes"), add(l, "tx_packets", "packets"), add(l, "tx_errors", "errors"), add(l, "tx_dropped", "dropped");
	heading(l, "device");
	for (size_t i = 0; i < ARRAY_LEN(kind); i++)
		add(l, kind[i][0], kind[i][1]);
	add(l, "mac", "mac"), add(l, "flags", ""), add(l, "qdisc", "qdisc"), add(l, "alias", "alias");
	if (r->port_state == ROW_NO_ENUM)
		return;
	heading(l, "port");
	for (size_t i = 0; i < ARRAY_LEN(port); i++)
		add(l, port[i][0], port[i][1]);
}

static void draw_setting(struct facts_line *l)
{
	heading(l, "value");
	add(l, "value", "here"), add(l, "host", "host"), add(l, "default", "default");
	heading(l, "meaning");
	add(l, "help", "");
	heading(l, "default");
	add(l, "known_from", "set in");
}

/* Rule, proxy, listener: what the table has no room for. */
static void draw_port(struct facts_line *l)
{
	const struct net_port_row *r = l->row;

	if (r->problem.len != UINT32_MAX || r->note.len != UINT32_MAX) {
		heading(l, r->problem.len != UINT32_MAX ? "wrong" : "note");
		add(l, "words", "");
	}
	heading(l, "rule");
	add(l, "rule_text", ""), add(l, "rule_place", ""), add(l, "rule_packets", "packets"), add(l, "rule_bytes", "bytes");
	heading(l, "proxy");
	add(l, "forwarder", ""), add(l, "forwarder_pid", "pid"), add(l, "forwarder_command", "");
	heading(l, "inside");
	add(l, "listener", ""), add(l, "process", ""), add(l, "pid", "pid"), add(l, "target", "of");
	heading(l, "reached");
	add(l, "reached_from", "from"), add(l, "outside", "outside is"), add(l, "published", "published"), add(l, "to_address", "sent to"),
		add(l, "to_port", "port");
}

static void draw_others(struct facts_line *l, const char *const (*names)[2], size_t n)
{
	heading(l, "more");
	for (size_t i = 0; i < n; i++)
		add(l, names[i][0], names[i][1]);
}

/* What the kernel answered to the typed address. */
static void draw_answer(const struct net_view *v, struct area a)
{
	static const char *const names[] = { "gateway", "interface", "source", "type", "table_name", "mtu" };
	char to[ADDR_TEXT];
	struct facts_line l = { .a = a, .x = 1, .b = v->answer, .type = &net_route_row_type, .look = &v->pane->env->look };

	l.x += canvas_str(a, 1, 0, STYLE_DIM, "route to ");
	l.x += canvas_str(a, l.x, 0, STYLE_STRONG, addr_format(&v->to, to)) + 2;
	if (v->refused[0]) {
		canvas_fit(a, l.x, 0, a.w - l.x - 1, false, STYLE_BAD, text_of(v->refused));
		return;
	}
	if (!v->answer || !block_count(v->answer))
		return;
	l.row = block_row(v->answer, 0);
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		add(&l, names[i], i == 0 ? "via" : i == 1 ? "by" : i == 2 ? "from" : i == 4 ? "table" : i == 5 ? "mtu" : "");
}

static const char *port_title(const struct net_port_row *r)
{
	return r->host_port == ROW_NO_UINT ? "listener" : "host";
}

static void draw_detail(const struct net_view *v, struct area a)
{
	static const char *const route[][2] = { { "type", "" }, { "scope", "scope" }, { "protocol", "made by" }, { "metric", "metric" },
		{ "mtu", "mtu" }, { "flags", "flags" }, { "from", "from" } };
	static const char *const rule[][2] = { { "table_name", "table" }, { "suppress_prefix", "not for prefixes up to" }, { "tos", "tos" } };
	static const char *const neighbour[][2] = { { "interface", "on" }, { "router", "router" }, { "proxy", "proxy" }, { "probes", "probes" },
		{ "used_seconds", "used" }, { "confirmed_seconds", "heard from" }, { "updated_seconds", "changed" } };
	const struct grid *g = &v->grids[v->tab];
	struct facts_line l = { .a = a, .y = 1, .x = LABEL, .type = g->type, .look = &v->pane->env->look };
	char title[128];

	l.row = grid_selected(g, &l.b);
	if (!l.row) {
		canvas_rule(a, 0, NULL);
		return;
	}
	row_format(l.b, row_field_find(g->type, v->tab == NET_TAB_ROUTES ? "to" : v->tab == NET_TAB_RULES ? "selector" :
		v->tab == NET_TAB_NEIGHBOURS ? "address" : v->tab == NET_TAB_PORTS ? port_title(l.row) : "name"), l.row, l.look, title, sizeof title);
	canvas_rule(a, 0, title);
	if (v->tab == NET_TAB_LINKS)
		draw_link(&l, v);
	else if (v->tab == NET_TAB_SETTINGS)
		draw_setting(&l);
	else if (v->tab == NET_TAB_PORTS)
		draw_port(&l);
	else if (v->tab == NET_TAB_ROUTES)
		draw_others(&l, route, ARRAY_LEN(route));
	else
		draw_others(&l, v->tab == NET_TAB_RULES ? rule : neighbour, v->tab == NET_TAB_RULES ? ARRAY_LEN(rule) : ARRAY_LEN(neighbour));
}

/* --- all of it --- */

static const char *nothing(const struct net_view *v)
{
	static const char *const words[NET_TABS] = {
		[NET_TAB_LINKS] = "No interfaces.", [NET_TAB_ROUTES] = "No routes: nothing can be sent.   [a] the kernel's own, too",
		[NET_TAB_RULES] = "No rules.", [NET_TAB_NEIGHBOURS] = "No neighbours: nobody on the link was spoken to lately.",
		[NET_TAB_SETTINGS] = "All as usual: nothing differs from the host or the kernel's default.   [a] all settings",
		[NET_TAB_PORTS] = "No ports: nothing is published, and nobody listens for others.   [a] on loopback, too",
	};

	bool is_read = v->tab == NET_TAB_PORTS ? table_block(v->grids[NET_TAB_PORTS].table) != NULL : v->tab != NET_TAB_SETTINGS || v->settings;

	if (is_read)
		return words[v->tab];
	if (net_view_ended(v))
		return "not known: it ended before anybody looked";
	return v->tab == NET_TAB_PORTS ? "reading sockets, addresses and rules" : "reading the settings";
}

void net_view_draw(const struct pane *p, struct area a)
{
	struct net_view *v = net_view_of(p);
	int screen = canvas_height(a.canvas), y = 0, below = screen < 20 || p->zoom ? 0 : screen >= 30 ? 9 : 6;
	struct grid *g = &v->grids[v->tab];
	bool asked = v->to.kind && v->tab == NET_TAB_ROUTES;

	if (!p->zoom && screen >= 14) {
		net_way_draw(v, canvas_sub(a, 0, 0, a.w, 3));
		y = 3;
	}
	draw_tabs(v, canvas_line(a, y++));
	if (asked)
		draw_answer(v, canvas_line(a, y++));
	if (v->tab == NET_TAB_PORTS)
		below = v->ports.whole ? (a.h - y < 18 ? (a.h - y) / 2 : 12) : below ? 6 : 0;
	else if (below && v->tab != NET_TAB_LINKS)
		below = 4;
	struct area rows = canvas_sub(a, 0, y, a.w, a.h - y - below);
	grid_draw(g, rows, &p->env->look, true);
	if (grid_count(g) == 0)
		pane_draw_empty(p, g, rows, nothing(v));
	if (below)
		draw_detail(v, canvas_sub(a, 0, a.h - below, a.w, below));
}
