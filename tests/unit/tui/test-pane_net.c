/* The network pane without workers: blocks are handed to it as if they had come; pictures are compared with those on record. */
#include "packets.h"
#include "stage.h"

#include "core/fd.h"
#include "core/net/address.h"
#include "core/net/port_holders.h"
#include "core/net/listeners.h"
#include "core/net/nat.h"
#include "core/net/neighbour.h"
#include "core/net/rule.h"
#include "core/net/sysctl.h"
#include "tui/net_view.h"

#include <locale.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { HERE = 4026532871u, HOST = 4026531840u };

struct world {
	struct stage s;
	struct net_view *v;
};

static void send_block(struct world *w, unsigned slot, struct builder *b)
{
	struct block *block = builder_block(b);

	builder_free(b);
	stage_block(&w->s, slot, 0, block);
}

/* --- what workers would tell --- */

struct device {
	uint64_t netns, index;
	const char *name, *kind;
	uint64_t mtu, link, peer_netns, master;
	const char *address;
	uint64_t drops;
};

static void add_device(struct builder *b, const struct device *d)
{
	struct net_link_row *row = builder_row(b);
	const struct net_counters count = { 123456, 789, 0, d->drops };

	*row = (struct net_link_row){ .head.id = d->netns + d->index, .index = d->index, .netns = d->netns, .name = builder_str(b, d->name),
		.kind = builder_str(b, d->kind), .type = builder_str(b, d->index == 1 ? "loopback" : "ether"), .state = NET_LINK_UP, .up = 1,
		.carrier = 1, .flags = ROW_NO_TEXT, .mtu = d->mtu, .addresses = ROW_NO_TEXT, .alias = ROW_NO_TEXT, .queue_length = ROW_NO_UINT,
		.qdisc = builder_str(b, "noqueue"), .promiscuity = 0, .rx = count, .tx = count, .multicast = 0, .collisions = 0,
		.rx_rate = 2048, .tx_rate = 512, .drop_rate = 0, .link_index = d->link ? d->link : ROW_NO_UINT,
		.link_netnsid = d->peer_netns ? 0 : ROW_NO_INT, .peer_netns = d->peer_netns ? d->peer_netns : ROW_NO_UINT,
		.peer = ROW_NO_TEXT, .peer_target = ROW_NO_TEXT, .parent = ROW_NO_TEXT, .master_index = d->master ? d->master : ROW_NO_UINT,
		.master = ROW_NO_TEXT, .port_state = ROW_NO_ENUM, .hairpin = ROW_NO_BOOL, .isolated = ROW_NO_BOOL, .learning = ROW_NO_BOOL,
		.flood = ROW_NO_BOOL, .guard = ROW_NO_BOOL, .mode = ROW_NO_TEXT, .vlan = ROW_NO_UINT, .vni = ROW_NO_UINT, .port = ROW_NO_UINT,
		.owner = ROW_NO_UINT, .stp = ROW_NO_BOOL, .vlan_filtering = ROW_NO_BOOL, .problem = ROW_NO_TEXT };
	if (d->address)
		builder_list_add(b, &row->addresses, d->address, strlen(d->address));
	addr_parse("02:42:ac:12:00:05", &row->mac);
}

static void send_devices(struct world *w, unsigned slot, const struct device *list, size_t n)
{
	struct builder *b = builder_new(&net_link_row_type);

	for (size_t i = 0; i < n; i++)
		add_device(b, &list[i]);
	send_block(w, slot, b);
}

static void add_route(struct builder *b, uint64_t netns, const char *to, const char *gateway, uint64_t index, const char *interface)
{
	struct net_route_row *row = builder_row(b);

	*row = (struct net_route_row){ .head.id = builder_count(b), .netns = netns, .family = 4, .type = NET_ROUTE_UNICAST, .index = index,
		.interface = builder_str(b, interface), .table = NET_TABLE_MAIN, .table_name = builder_str(b, "main"),
		.protocol = builder_str(b, "boot"), .scope = builder_str(b, "global"), .metric = ROW_NO_UINT, .mtu = ROW_NO_UINT,
		.flags = ROW_NO_TEXT, .problem = ROW_NO_TEXT };
	addr_parse(to, &row->destination);
	if (gateway)
		addr_parse(gateway, &row->gateway);
}

static void send_routes(struct world *w, unsigned slot, uint64_t netns, const char *gateway, uint64_t index, const char *interface)
{
	struct builder *b = builder_new(&net_route_row_type);

	add_route(b, netns, "0.0.0.0/0", gateway, index, interface);
	add_route(b, netns, "172.18.0.0/16", NULL, index, interface);
	send_block(w, slot, b);
}

static void send_neighbours(struct world *w, bool gateway_failed)
{
	static const char *const who[] = { "172.18.0.1", "172.18.0.3", "172.18.0.11" };
	struct builder *b = builder_new(&net_neighbour_row_type);

	for (size_t i = 0; i < ARRAY_LEN(who); i++) {
		struct net_neighbour_row *row = builder_row(b);
		bool failed = i == 2 || (i == 0 && gateway_failed);

		*row = (struct net_neighbour_row){ .head.id = i + 1, .index = 2, .interface = builder_str(b, "eth0"),
			.state = failed ? NET_NEIGHBOUR_FAILED : NET_NEIGHBOUR_REACHABLE, .router = 0, .proxy = 0, .probes = failed ? 6 : 1,
			.used_seconds = 3, .confirmed_seconds = failed ? NAN : 2, .updated_seconds = 2, .gateway = ROW_NO_BOOL,
			.target = ROW_NO_TEXT, .problem = ROW_NO_TEXT };
		addr_parse(who[i], &row->address);
		if (!failed)
			addr_parse("02:42:ac:12:00:01", &row->mac);
	}
	send_block(w, NET_SLOT_TARGET, b);
}

static void send_address(struct world *w)
{
	struct builder *b = builder_new(&net_address_row_type);
	struct net_address_row *row = builder_row(b);

	*row = (struct net_address_row){ .head.id = 1, .index = 2, .interface = builder_str(b, "eth0"), .family = 4,
		.scope = builder_str(b, "global"), .flags = ROW_NO_TEXT, .label = ROW_NO_TEXT, .valid_seconds = ROW_NO_UINT,
		.preferred_seconds = ROW_NO_UINT, .problem = ROW_NO_TEXT };
	addr_parse("172.18.0.5/16", &row->address);
	builder_list_add(b, &row->flags, "permanent", 9);
	send_block(w, NET_SLOT_TARGET, b);
}

static void send_settings(struct world *w, unsigned slot, const char *value)
{
	struct builder *b = builder_new(&net_sysctl_row_type);
	struct net_sysctl_row *row = builder_row(b);

	*row = (struct net_sysctl_row){ .head.id = 1, .name = builder_str(b, "net.ipv4.tcp_fin_timeout"), .value = builder_str(b, value),
		.host = ROW_NO_TEXT, .standard = ROW_NO_TEXT, .differs = ROW_NO_ENUM, .known_from = ROW_NO_TEXT, .help = ROW_NO_TEXT };
	send_block(w, slot, b);
}

static const struct device inside[] = {
	{ HERE, 1, "lo", NULL, 65536, 0, 0, 0, "127.0.0.1/8", 0 },
	{ HERE, 2, "eth0", "veth", 1500, 9, HOST, 0, "172.18.0.5/16", 0 },
	{ HERE, 3, "\033[31mred", "veth", 1500, 0, 0, 0, NULL, 0 },
};
static const struct device outside[] = {
	{ HOST, 9, "veth91c2", "veth", 1500, 2, HERE, 7, NULL, 0 },
	{ HOST, 7, "br-3f1c02aa9d11", "bridge", 1500, 0, 0, 0, NULL, 2 },
	{ HOST, 4, "uplink", NULL, 1400, 0, 0, 0, NULL, 17 },
};

static void fill(struct world *w, bool gateway_failed)
{
	struct builder *rules = builder_new(&net_rule_row_type);

	send_devices(w, NET_SLOT_TARGET, inside, ARRAY_LEN(inside));
	send_address(w);
	send_routes(w, NET_SLOT_TARGET, HERE, "172.18.0.1", 2, "eth0");
	send_block(w, NET_SLOT_TARGET, rules);
	send_neighbours(w, gateway_failed);
	send_routes(w, NET_SLOT_SIDES, HOST, "192.0.2.1", 4, "uplink");
	send_devices(w, NET_SLOT_SIDES, outside, ARRAY_LEN(outside));
}

static void open_world(struct world *w, enum text_charset charset)
{
	stage_open(&w->s, &pane_net, charset);
	w->v = w->s.pane->state;
}

static void screens(void **state)
{
	static const struct { int w, h; } sizes[] = { { 160, 50 }, { 120, 36 }, { 80, 24 }, { 40, 10 } };
	struct world w;
	char name[64];

	(void)state;
	for (unsigned cs = 0; cs < 2; cs++) {
		open_world(&w, cs ? TEXT_UTF8 : TEXT_ASCII);
		fill(&w, false);
		grid_move(&w.v->grids[NET_TAB_LINKS], 1);
		for (unsigned i = 0; i < ARRAY_LEN(sizes); i++) {
			snprintf(name, sizeof name, "net-%dx%d%s", sizes[i].w, sizes[i].h, cs ? "" : "-ascii");
			stage_draw(&w.s, sizes[i].w, sizes[i].h, name);
		}
		stage_close(&w.s);
	}
}

static void tabs(void **state)
{
	struct world w;

	(void)state;
	open_world(&w, TEXT_UTF8);
	stage_draw(&w.s, 80, 24, "net-start-80x24");
	fill(&w, true);
	stage_key(&w.s, ']');
	stage_draw(&w.s, 80, 24, "net-routes-80x24");
	stage_key(&w.s, '[');
	stage_key(&w.s, '[');
	stage_key(&w.s, '[');
	assert_int_equal(w.v->tab, NET_TAB_SETTINGS);
	send_settings(&w, NET_SLOT_SETTINGS, "33");
	send_settings(&w, NET_SLOT_HOST, "60");
	stage_draw(&w.s, 100, 30, "net-settings-100x30");
	stage_key(&w.s, '[');
	stage_draw(&w.s, 120, 36, "net-neighbours-120x36");
	assert_int_equal(w.s.pane->ops->mouse(w.s.pane, KEYS_CLICK, w.v->tab_x[NET_TAB_RULES] + 1, w.v->tab_y), PANE_USED | PANE_DRAW);
	assert_int_equal(w.v->tab, NET_TAB_RULES);
	stage_close(&w.s);
}

/* The other end of a cable is a target; on loopback there is none. */
static void follow(void **state)
{
	struct world w;

	(void)state;
	open_world(&w, TEXT_UTF8);
	fill(&w, false);
	stage_key(&w.s, KEYS_ENTER);
	assert_int_equal(w.s.env.go, 0);
	assert_string_equal(w.s.env.toast, "no target known at the other end");
	stage_key(&w.s, 't');
	assert_non_null(w.s.env.prompt.done);
	assert_false(w.s.env.prompt.done(w.s.pane, "example.org"));
	assert_true(w.s.env.prompt_error_set);
	assert_true(w.s.env.prompt.done(w.s.pane, "10.0.0.7"));
	assert_int_equal(w.v->tab, NET_TAB_LINKS);
	assert_int_equal(w.v->to.kind, ADDR_IP4);
	stage_close(&w.s);
}

/* --- the way to a typed destination --- */

static void add_hop(struct builder *b, const char *name, uint64_t netns, const char *next, uint32_t end, const char *problem)
{
	const struct net_link_row link = { .head.id = builder_count(b) + 1, .index = builder_count(b) + 2, .netns = netns, .up = 1, .carrier = 1,
		.state = NET_LINK_UP, .mtu = 1500, .rx = { 1, 1, 0, builder_count(b) }, .tx = { 1, 1, 0, 0 } };
	struct net_hop_row *hop = builder_row(b);

	*hop = net_hop_of(&link);
	hop->hop = builder_count(b);
	hop->name = builder_str(b, name);
	hop->end = end;
	if (next)
		addr_parse(next, &hop->next_hop);
	if (problem)
		hop->head.severity = SEVERITY_BAD;
	hop->problem = builder_str(b, problem);
}

static void send_way(struct world *w, bool lost)
{
	struct builder *b = builder_new(&net_hop_row_type);

	add_hop(b, "eth0", HERE, "172.18.0.1", ROW_NO_ENUM, NULL);
	add_hop(b, "veth91c2f0a1b2c", HOST, NULL, ROW_NO_ENUM, NULL);
	if (lost) {
		add_hop(b, "br-3f1c02aa9d11", HOST, NULL, NET_HOP_LOST, "net.ipv4.ip_forward=0: its namespace does not pass packets on");
	} else {
		add_hop(b, "br-3f1c02aa9d11", HOST, NULL, ROW_NO_ENUM, NULL);
		add_hop(b, "veth22aa8d7e6f5", HOST, NULL, ROW_NO_ENUM, NULL);
		add_hop(b, "eth0", HERE + 1, NULL, NET_HOP_DESTINATION, NULL);
	}
	send_block(w, NET_SLOT_WALK, b);
}

static void way(void **state)
{
	struct link_event refused = { .type = LINK_ERROR, .code = 101, .msg = "route to 172.18.0.3: no route leads there" };
	struct world w;

	(void)state;
	open_world(&w, TEXT_UTF8);
	fill(&w, false);
	stage_key(&w.s, 't');
	assert_true(w.s.env.prompt.done(w.s.pane, "172.18.0.3"));
	send_way(&w, false);
	stage_draw(&w.s, 120, 36, "net-way-120x36");
	stage_draw(&w.s, 80, 24, "net-way-80x24");
	send_way(&w, true);
	stage_draw(&w.s, 120, 36, "net-way-lost-120x36");
	w.s.pane->ops->event(w.s.pane, NET_SLOT_WALK, &refused);
	assert_null(w.v->way);
	assert_string_equal(w.v->no_way, refused.msg);
	stage_key(&w.s, 't');
	assert_true(w.s.env.prompt.done(w.s.pane, "")); /* the default route's again */
	assert_int_equal(w.v->to.kind, ADDR_NONE);
	stage_close(&w.s);
}

/* --- ports --- */

/* The first target publishes three ports; the host is there as well. */
static void publish(struct world *w)
{
	static const struct { const char *host; uint64_t host_port, port; } list[] = { { "0.0.0.0", 8080, 80 }, { "127.0.0.1", 9090, 90 }, { "::", 8080, 80 } };
	struct port_row ports[ARRAY_LEN(list)] = { 0 };
	struct builder *b = builder_new(&target_row_type);
	struct target_row *t = builder_copy_row(b, w->s.env.targets, block_row(w->s.env.targets, 0)), *host;

	for (size_t i = 0; i < ARRAY_LEN(list); i++) {
		ports[i] = (struct port_row){ .host_port = list[i].host_port, .port = list[i].port, .protocol = builder_str(b, "tcp") };
		addr_parse(list[i].host, &ports[i].host_address);
	}
	t->netns = HERE;
	t->engine = builder_str(b, "unix:///run/docker.sock");
	t->ports = builder_rows(b, &port_row_type, ports, ARRAY_LEN(ports));
	host = builder_copy_row(b, w->s.env.targets, block_row(w->s.env.targets, 1));
	host->head = (struct row_head){ .id = 99, .flags = TARGET_IS_HOST };
	host->name = builder_str(b, "host");
	host->netns = HOST;
	block_unref(w->s.env.targets);
	w->s.env.targets = builder_block(b);
	builder_free(b);
}

static void add_place(struct builder *b, uint64_t netns, enum net_cable cable, uint64_t far, const char *address)
{
	struct net_own_row own = { .inner = 0 };
	struct net_place_row *row;
	struct rows rows;

	addr_parse(address, &own.address);
	rows = builder_rows(b, &net_own_row_type, &own, 1);
	row = builder_row(b);
	*row = (struct net_place_row){ .netns = netns, .cable = cable, .outside = far, .own = rows };
}

static void add_listener(struct builder *b, uint64_t netns, const char *address, uint64_t port, uint64_t inode)
{
	struct net_listener_row *row = builder_row(b);

	*row = (struct net_listener_row){ .head.id = inode, .netns = netns, .port = port, .inode = inode };
	addr_parse(address, &row->address);
	row->family = row->address.kind == ADDR_IP4 ? 4 : 6;
	row->v6only = row->family == 6;
}

static void add_holder(struct builder *b, uint64_t inode, const char *name, uint64_t netns, const char *command)
{
	struct net_holder_row *row = builder_row(b);

	*row = (struct net_holder_row){ .inode = inode, .pid = inode + 4000, .process = builder_str(b, name), .netns = netns,
		.container = ROW_NO_TEXT, .command = builder_str(b, command), .inner_netns = ROW_NO_UINT, .to_port = 80,
		.forwarder = net_forwarder_of(text_of(name), (struct text){ 0 }) };
	if (command)
		addr_parse("172.18.0.5", &row->to_address);
}

static void send_rule(struct world *w)
{
	struct builder *b = builder_new(&nat_row_type);
	struct nat_row *row = builder_row(b);

	*row = (struct nat_row){ .head.id = 1, .origin = NAT_IPTABLES_NFT, .family = 4, .table = builder_str(b, "nat"), .chain = builder_str(b, "DOCKER"),
		.handle = 12, .action = NAT_DNAT, .from = NAT_FROM_OUTSIDE | NAT_FROM_HOST, .protocol = builder_str(b, "tcp"), .local_only = 1,
		.loopback_not = 1, .in = builder_str(b, "br-3f1c02aa9d11"), .in_not = 1, .port = 8080, .port_last = 8080, .to_port = 80, .to_port_last = 80,
		.packets = 1234, .bytes = 74040, .conditions = ROW_NO_TEXT };
	addr_parse("172.18.0.5", &row->to_address);
	send_block(w, NET_SLOT_RULES, b);
}

static void send_ports(struct world *w)
{
	struct builder *places = builder_new(&net_place_row_type), *sockets = builder_new(&net_listener_row_type);
	struct builder *holders = builder_new(&net_holder_row_type);

	add_place(places, HERE, NET_CABLE_PAIR, HOST, "172.18.0.5");
	add_place(places, HOST, NET_CABLE_DIRECT, ROW_NO_UINT, "192.0.2.7");
	add_listener(sockets, HERE, "0.0.0.0", 80, 1);
	add_listener(sockets, HERE, "127.0.0.1", 90, 2);
	add_listener(sockets, HERE, "0.0.0.0", 7000, 3);
	add_listener(sockets, HERE, "127.0.0.1", 7001, 4);
	add_listener(sockets, HOST, "0.0.0.0", 8080, 5);
	add_holder(holders, 1, "nginx", HERE, NULL);
	add_holder(holders, 2, "\033[31madmin", HERE, NULL);
	add_holder(holders, 3, "nginx", HERE, NULL);
	add_holder(holders, 5, "docker-proxy", HOST, "/usr/bin/docker-proxy -proto tcp -host-ip 0.0.0.0 -host-port 8080 -container-ip 172.18.0.5 -container-port 80");
	w->v->ports.asked_holders = 1; /* as if a worker had been asked */
	send_block(w, NET_SLOT_LISTENERS, places);
	send_block(w, NET_SLOT_LISTENERS, sockets);
	send_rule(w);
	send_block(w, NET_SLOT_HOLDERS, holders);
}

static void ports(void **state)
{
	struct world w;
	struct carry carry;

	(void)state;
	open_world(&w, TEXT_UTF8);
	publish(&w);
	fill(&w, false);
	stage_key(&w.s, '[');
	assert_int_equal(w.v->tab, NET_TAB_PORTS);
	stage_draw(&w.s, 80, 24, "net-ports-start-80x24");
	send_ports(&w);
	stage_draw(&w.s, 80, 24, "net-ports-80x24");
	stage_draw(&w.s, 40, 10, "net-ports-40x10");
	stage_key(&w.s, KEYS_ENTER);
	stage_draw(&w.s, 160, 50, "net-ports-160x50");
	assert_int_equal(table_count(w.v->grids[NET_TAB_PORTS].table), 4);
	carry_init(&carry);
	w.s.pane->ops->give(w.s.pane, 'c', &carry);
	assert_string_equal(carry.bpf, "tcp port 80");
	w.s.pane->ops->give(w.s.pane, 's', &carry);
	assert_string_equal(carry.filter, "local_port=80");
	stage_key(&w.s, 'a');
	assert_int_equal(table_count(w.v->grids[NET_TAB_PORTS].table), 5);
	w.s.pane->feeds[NET_SLOT_TARGET].state = FEED_GONE; /* nobody listens in what has ended: this is how it was */
	send_block(&w, NET_SLOT_LISTENERS, builder_new(&net_listener_row_type));
	assert_int_equal(table_count(w.v->grids[NET_TAB_PORTS].table), 5);
	stage_key(&w.s, 'a');
	assert_int_equal(table_count(w.v->grids[NET_TAB_PORTS].table), 4);
	stage_close(&w.s);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(screens), cmocka_unit_test(tabs), cmocka_unit_test(follow), cmocka_unit_test(way),
		cmocka_unit_test(ports) };

	setlocale(LC_ALL, "C.UTF-8");
	return cmocka_run_group_tests_name("pane_net", tests, NULL, NULL);
}
