/*
 * The network pane: the way out on top, below it interfaces, routes, rules, neighbours, settings, ports. One worker tells the target's side and
 * follows what changes; a second one looks at the other ends of its cables; two more read settings when that tab is opened.
 */
#include "core/err.h"
#include "core/fd.h"
#include "core/net/neighbour.h"
#include "core/net/sysctl.h"
#include "tui/net_view.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const struct row_type *const side_types[] = { &net_route_row_type };

/* --- data --- */

struct net_map net_view_map(const struct net_view *v)
{
	const struct block *links = v->parts[NET_LINKS];
	const struct net_link_row *first = links && block_count(links) ? block_row(links, 0) : NULL;

	return (struct net_map){ .netns = first ? first->netns : ROW_NO_UINT, .links = links, .routes = v->parts[NET_ROUTES],
		.side_links = v->side_links, .side_routes = v->side_routes, .targets = v->pane->env->targets };
}

static void keep(struct block **at, struct block *b)
{
	block_unref(*at);
	*at = b;
}

static void show(struct net_view *v, enum net_tab tab, struct block *b)
{
	if (b)
		table_set_block(v->grids[tab].table, b);
}

static void judge(struct net_view *v)
{
	struct net_map map = net_view_map(v);

	if (!map.links)
		return;
	net_facts_done(&v->facts);
	net_judge((const struct block *const *)v->parts, &map, &v->facts);
	show(v, NET_TAB_LINKS, v->facts.parts[NET_LINKS]);
	show(v, NET_TAB_ROUTES, v->facts.parts[NET_ROUTES]);
	show(v, NET_TAB_RULES, v->facts.parts[NET_RULES]);
	show(v, NET_TAB_NEIGHBOURS, v->facts.parts[NET_NEIGHBOURS]);
}

static void compare_settings(struct net_view *v)
{
	struct block *both;

	if (!v->settings)
		return;
	both = net_sysctl_compare(v->settings, v->host_settings);
	show(v, NET_TAB_SETTINGS, both);
	block_unref(both);
}

/* Which numbers are open, and among how many processes they may be found: asked once for each state of that. */
static void ask_numbers(struct net_view *v)
{
	const struct block *links = v->parts[NET_LINKS];
	struct net_namespace list[NET_NAMESPACES];
	uint32_t at = 0, n;
	uint64_t hash = v->pane->env->targets ? block_count(v->pane->env->targets) : 0;

	if (!net_view_wants_namespaces(links))
		return;
	for (uint32_t i = 0; i < block_count(links); i++) {
		const struct net_link_row *row = block_row(links, i);

		if (row->link_netnsid != ROW_NO_INT && row->peer_netns == ROW_NO_UINT)
			hash = row_hash(&row->link_netnsid, sizeof row->link_netnsid, hash);
	}
	if (hash == v->asked_numbers)
		return;
	v->asked_numbers = hash;
	while ((n = net_path_processes(v->pane->env->targets, &at, list)) > 0)
		pane_feed_request(v->pane, NET_SLOT_TARGET, 0, NET_OP_NAMESPACES, list, n * sizeof list[0], -1);
}

static void look_at_sides(struct net_view *v)
{
	struct net_map map = net_view_map(v);
	struct net_sides_params params = { 0 };
	uint64_t hash;

	if (!net_path_wants_sides(&map))
		return;
	params.n = net_path_sides(&map, params.list, NET_SIDES);
	params.left_out = net_path_left_out(&map, params.list, params.n);
	hash = row_hash(params.list, params.n * sizeof params.list[0], 1);
	if (params.n == 0 || hash == v->asked_sides)
		return;
	v->asked_sides = hash;
	if (params.left_out)
		pane_toast(v->pane, SEVERITY_WARN, "the other ends of %u cables are not looked at: %d namespaces at most", params.left_out, NET_SIDES);
	pane_feed_open(v->pane, NET_SLOT_SIDES, &(struct feed_spec){ .source = &net_sides_source, .params = &params, .n_params = sizeof params,
		.types = side_types, .n_types = ARRAY_LEN(side_types), .sampled = true, .no_target = true });
}

static void take_answer(struct net_view *v, struct block *b)
{
	keep(&v->answer, b);
	v->refused[0] = '\0';
}

static void target_event(struct net_view *v, struct link_event *ev)
{
	if (ev->type == LINK_ERROR && ev->tag && ev->tag == v->tag) {
		keep(&v->answer, NULL);
		snprintf(v->refused, sizeof v->refused, "%s", ev->msg);
	}
	if (ev->type == LINK_READY)
		v->asked_numbers = 0; /* a new worker knows nothing */
	if (ev->type == LINK_GONE) { /* the other ends and the ports vanish, too: they stay as they were */
		pane_feed_close(v->pane, NET_SLOT_SIDES);
		net_view_ports_close(v);
	}
	if (ev->type != LINK_BLOCK)
		return;
	if (ev->tag && ev->tag == v->tag) {
		take_answer(v, ev->block);
		return;
	}
	for (unsigned p = 0; p < NET_PARTS; p++)
		if (ev->row_type == net_types[p])
			keep(&v->parts[p], ev->block);
	if (ev->row_type != net_types[NET_PARTS - 1])
		return; /* the others of this sample are coming */
	net_trace_take(v, v->parts[NET_LINKS]);
	judge(v);
	ask_numbers(v);
	look_at_sides(v);
}

static void net_event(struct pane *p, unsigned slot, struct link_event *ev)
{
	struct net_view *v = net_view_of(p);

	if (slot == NET_SLOT_TARGET || slot == NET_SLOT_WALK) {
		(slot == NET_SLOT_TARGET ? target_event : net_way_event)(v, ev);
		return;
	}
	if (net_view_ports_event(v, slot, ev))
		return;
	if (ev->type != LINK_BLOCK)
		return;
	if (slot == NET_SLOT_SIDES) {
		keep(ev->row_type == &net_link_row_type ? &v->side_links : &v->side_routes, ev->block);
		if (ev->row_type == &net_link_row_type) {
			judge(v);
			look_at_sides(v);
		}
		return;
	}
	keep(slot == NET_SLOT_SETTINGS ? &v->settings : &v->host_settings, ev->block);
	compare_settings(v);
}

/* --- the pane --- */

static int net_init(struct pane *p, struct err *err)
{
	static const struct net_params params = { .parts = (1 << NET_PARTS) - 1, .watch = 1 };
	struct net_view *v = net_view_of(p);

	(void)err;
	v->pane = p;
	net_view_grids(v);
	pane_feed_open(p, NET_SLOT_TARGET, &(struct feed_spec){ .source = &net_source, .params = &params, .n_params = sizeof params,
		.types = net_types + 1, .n_types = NET_PARTS - 1, .sampled = true });
	return 0;
}

static void net_done(struct pane *p)
{
	struct net_view *v = net_view_of(p);

	for (unsigned i = 0; i < NET_TABS; i++)
		grid_done(&v->grids[i]);
	for (unsigned i = 0; i < NET_PARTS; i++)
		block_unref(v->parts[i]);
	block_unref(v->side_links);
	block_unref(v->side_routes);
	block_unref(v->settings);
	block_unref(v->host_settings);
	block_unref(v->answer);
	net_view_ports_done(v);
	net_way_clear(v);
	net_trace_done(v);
	net_facts_done(&v->facts);
	prompt_history_done(&v->history);
}

static struct grid *net_grid(const struct pane *p)
{
	struct net_view *v = net_view_of(p);

	return &v->grids[v->tab];
}

static void net_targets(struct pane *p)
{
	struct net_view *v = net_view_of(p);

	if (p->frozen || net_view_ended(v))
		return;
	judge(v);
	net_way_targets(v);
	ask_numbers(v);
	if (v->ports.asked) { /* its engine may tell other ports by now, and it may be elsewhere */
		net_view_ports_open(v);
		net_view_ports_join(v);
	}
}

/* --- keys --- */

static void open_settings(struct pane *p)
{
	struct feed_spec spec = { .source = &net_sysctl_source, .sampled = true, .every_ms = 10000 };

	if (p->feeds[NET_SLOT_SETTINGS].spec.source)
		return;
	pane_feed_open(p, NET_SLOT_SETTINGS, &spec);
	spec.no_target = spec.on_host = true;
	if (p->ref.kind != TARGET_HOST)
		pane_feed_open(p, NET_SLOT_HOST, &spec);
}

static void go_to_tab(struct pane *p, enum net_tab tab)
{
	net_view_of(p)->tab = tab;
	if (tab == NET_TAB_SETTINGS)
		open_settings(p);
	if (tab == NET_TAB_PORTS)
		net_view_ports_open(net_view_of(p));
	pane_dirty(p);
}

static int key_tab(struct pane *p, int key)
{
	go_to_tab(p, (net_view_of(p)->tab + (key == '[' ? NET_TABS - 1 : 1)) % NET_TABS);
	return PANE_USED | PANE_DRAW;
}

static int key_all(struct pane *p, int key)
{
	struct net_view *v = net_view_of(p);

	(void)key;
	v->all = !v->all;
	net_view_ports_join(v);
	if (v->facts.parts[NET_ROUTES])
		show(v, NET_TAB_ROUTES, v->facts.parts[NET_ROUTES]);
	compare_settings(v);
	return PANE_USED | PANE_DRAW;
}

static bool has_more(const struct pane *p)
{
	enum net_tab tab = net_view_of(p)->tab;

	return tab == NET_TAB_ROUTES || tab == NET_TAB_SETTINGS || tab == NET_TAB_PORTS;
}

static bool address_done(struct pane *p, const char *text)
{
	struct net_view *v = net_view_of(p);
	struct addr to = { .kind = ADDR_NONE };

	if (*text && !net_way_parse(p, text, &to)) {
		pane_prompt_error(p, 0, "an address such as 10.0.0.7 or 2001:db8::1, or a container's name; d looks other names up");
		return false;
	}
	net_way_to(v, &to);
	keep(&v->answer, NULL);
	v->refused[0] = '\0';
	if (to.kind && pane_feed_request(p, NET_SLOT_TARGET, ++v->tag, NET_OP_GET, &to, sizeof to, -1) < 0)
		snprintf(v->refused, sizeof v->refused, "the worker does not take questions; R starts another");
	pane_dirty(p);
	return true;
}

static int key_route(struct pane *p, int key)
{
	struct pane_prompt prompt = { .label = "route to: ", .hint = "an address or a container: the way there, device by device; empty: the default route's",
		.history = &net_view_of(p)->history, .done = address_done };

	(void)key;
	pane_prompt(p, &prompt);
	return PANE_USED | PANE_DRAW;
}

static uint64_t target_in(const struct pane *p, uint64_t netns, struct text name)
{
	const struct block *b = p->env->targets;

	for (uint32_t i = 0; b && i < block_count(b); i++) {
		const struct target_row *t = block_row(b, i);

		if ((netns != ROW_NO_UINT && t->netns == netns && text_equal(block_text(b, t->name), net_path_owner(b, netns))) ||
			(name.n && text_equal(block_text(b, t->name), name)))
			return t->head.id;
	}
	return 0;
}

/* The target at the other end of a cable, or the one that a neighbour is. */
static int key_follow(struct pane *p, int key)
{
	struct net_view *v = net_view_of(p);
	const struct block *b = NULL;
	const void *row = grid_selected(&v->grids[v->tab], &b);
	uint64_t id = 0;

	(void)key;
	if (row && v->tab == NET_TAB_LINKS)
		id = target_in(p, ((const struct net_link_row *)row)->peer_netns, (struct text){ 0 });
	if (row && v->tab == NET_TAB_NEIGHBOURS)
		id = target_in(p, ROW_NO_UINT, block_text(b, ((const struct net_neighbour_row *)row)->target));
	if (id && id != p->target_id)
		pane_go(p, 'i', id, NULL);
	else
		pane_toast(p, SEVERITY_NONE, "no target known at the other end");
	return PANE_USED;
}

static bool can_follow(const struct pane *p)
{
	enum net_tab tab = net_view_of(p)->tab;

	return tab == NET_TAB_LINKS || tab == NET_TAB_NEIGHBOURS;
}

static int key_port(struct pane *p, int key)
{
	struct net_view *v = net_view_of(p);

	(void)key;
	v->ports.whole = !v->ports.whole;
	return PANE_USED | PANE_DRAW;
}

static bool is_on_ports(const struct pane *p)
{
	return net_view_of(p)->tab == NET_TAB_PORTS;
}

static void net_give(const struct pane *p, char letter, struct carry *ret)
{
	const struct net_view *v = net_view_of(p);
	const struct block *b = NULL;
	const void *row = grid_selected(&v->grids[v->tab], &b);
	char text[ADDR_TEXT];

	if (row && v->tab == NET_TAB_PORTS)
		net_view_ports_give(row, b, letter, ret);
	if (!row || v->tab != NET_TAB_NEIGHBOURS)
		return;
	addr_format(&((const struct net_neighbour_row *)row)->address, text);
	if (letter == 'c')
		snprintf(ret->bpf, sizeof ret->bpf, "host %s or arp", text);
	if (letter == 'd')
		snprintf(ret->name, sizeof ret->name, "%s", text);
}

static int net_mouse(struct pane *p, int key, int x, int y)
{
	struct net_view *v = net_view_of(p);

	if (y != v->tab_y || key == KEYS_WHEEL_UP || key == KEYS_WHEEL_DOWN) {
		if (key == KEYS_WHEEL_UP || key == KEYS_WHEEL_DOWN)
			grid_key(&v->grids[v->tab], key);
		else
			grid_click(&v->grids[v->tab], x, y);
		return PANE_USED | PANE_DRAW;
	}
	for (unsigned i = 0; i < NET_TABS; i++)
		if (x >= v->tab_x[i] && x < v->tab_x[i + 1])
			go_to_tab(p, (enum net_tab)i);
	return PANE_USED | PANE_DRAW;
}

static const struct binding bindings[] = {
	{ .key = ']', .alias = '[', .shown = "[ ]", .run = key_tab, .label = "part", .help = "interfaces, routes, rules, neighbours, settings, ports",
		.group = BINDING_VIEW, .rank = 1 },
	{ .key = 't', .run = key_route, .label = "route to", .help = "the way to an address or container", .group = BINDING_VIEW, .rank = 2 },
	{ .key = KEYS_ENTER, .alias = KEYS_DOUBLE_CLICK, .run = key_follow, .label = "other end", .help = "the target at the other end",
		.works = can_follow, .group = BINDING_VIEW, .rank = 3 },
	{ .key = KEYS_ENTER, .alias = KEYS_DOUBLE_CLICK, .run = key_port, .label = "details", .help = "of a port: rule, proxy and listener in full",
		.works = is_on_ports, .group = BINDING_VIEW, .rank = 3 },
	{ .key = 'a', .run = key_all, .label = "all", .help = "the kernel's own routes, usual settings, loopback ports: shown or not",
		.works = has_more, .group = BINDING_VIEW, .rank = 4 },
};

const struct pane_ops pane_net = {
	.name = "network",
	.title = "Network",
	.short_title = "Net",
	.digit = '6',
	.letter = 'i',
	.state_size = sizeof(struct net_view),
	.init = net_init,
	.done = net_done,
	.draw = net_view_draw,
	.mouse = net_mouse,
	.event = net_event,
	.targets = net_targets,
	.grid = net_grid,
	.give = net_give,
	.bindings = bindings,
	.n_bindings = ARRAY_LEN(bindings),
};
