/*
 * Ports joined from what the engine, the kernel and the sockets say: worlds written as lines, and the rows that come of them. Then the
 * command lines of programs that forward, and who holds which socket, on this machine.
 */
#include "core/fd.h"
#include "core/net/port_holders.h"
#include "core/net/listeners.h"
#include "core/net/nat.h"
#include "core/net/ports.h"

#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { HOST = 1, OUT = 2, MAX = 2048 };

struct world {
	struct builder *targets, *places, *listeners, *holders, *rules;
	bool has_rules;
};

static struct addr address(const char *text)
{
	struct addr a = { 0 };

	if (text[0] != '*' && text[0] != '-')
		assert_int_equal(addr_parse(text, &a), 0);
	return a;
}

static struct str str(struct builder *b, const char *text)
{
	return text[0] == '-' ? ROW_NO_TEXT : builder_str(b, text);
}

/* T NAME RUNTIME NETNS [HOST:PORT>PORT/PROTO]... */
static void add_target(struct world *w, const char *line)
{
	char name[32], runtime[16], host[64], protocol[8];
	struct port_row ports[8] = { 0 };
	uint64_t netns, host_port, port;
	struct target_row *t;
	uint32_t n = 0;
	int used;

	assert_int_equal(sscanf(line, "T %31s %15s %" SCNu64 "%n", name, runtime, &netns, &used), 3);
	for (line += used; sscanf(line, " %63[^>:]:%" SCNu64 ">%" SCNu64 "/%7s%n", host, &host_port, &port, protocol, &used) == 4; line += used) {
		for (char *p = host; *p; p++)
			*p = *p == '_' ? ':' : *p; /* __1 is ::1 */
		ports[n++] = (struct port_row){ .host_address = address(host), .host_port = host_port, .port = port,
			.protocol = builder_str(w->targets, protocol) };
	}
	t = builder_row(w->targets);
	target_health_unknown(t);
	*t = (struct target_row){ .head.id = builder_count(w->targets), .netns = netns, .pid = 1000 + netns, .owner = ROW_NO_UINT,
		.infra = ROW_NO_BOOL, .name = builder_str(w->targets, name), .id = builder_str(w->targets, name), .runtime = builder_str(w->targets, runtime),
		.shares_with = ROW_NO_TEXT, .engine = ROW_NO_TEXT };
	if (strcmp(runtime, "host") == 0)
		t->head.flags = TARGET_IS_HOST;
	else if (strcmp(runtime, "netns") == 0)
		t->head.flags = TARGET_IS_NETNS;
	else
		t->head.flags = TARGET_IS_CONTAINER | (strcmp(runtime, "found") == 0 ? TARGET_FOUND : 0) | (netns == HOST ? TARGET_HOST_NETWORK : 0);
	if (strcmp(runtime, "docker") == 0)
		t->engine = builder_str(w->targets, "unix:///run/docker.sock");
	t->ports = builder_rows(w->targets, &port_row_type, ports, n);
}

/* P NETNS CABLE OUTSIDE ADDRESS[!]... (!: inner) */
static void add_place(struct world *w, const char *line)
{
	struct net_own_row own[8] = { 0 };
	struct net_place_row p = { 0 };
	char cable, text[64];
	uint32_t n = 0;
	int used;

	assert_int_equal(sscanf(line, "P %" SCNu64 " %c %" SCNu64 "%n", &p.netns, &cable, &p.outside, &used), 3);
	for (line += used; sscanf(line, " %63s%n", text, &used) == 1; line += used) {
		char *bang = strchr(text, '!');

		if (bang)
			*bang = '\0';
		own[n++] = (struct net_own_row){ .address = address(text), .inner = bang != NULL };
	}
	p.cable = cable == 'v' ? NET_CABLE_PAIR : cable == 't' ? NET_CABLE_TAP : cable == 'd' ? NET_CABLE_DIRECT : NET_CABLE_NONE;
	p.outside = p.outside ? p.outside : ROW_NO_UINT;
	p.own = builder_rows(w->places, &net_own_row_type, own, n);
	memcpy(builder_row(w->places), &p, sizeof p);
}

/* L NETNS PROTO ADDRESS PORT INODE [6]; 6: takes no IPv4 */
static void add_listener(struct world *w, const char *line)
{
	struct net_listener_row *l = builder_row(w->listeners);
	char protocol[8], text[64], only = 0;

	assert_true(sscanf(line, "L %" SCNu64 " %7s %63s %" SCNu64 " %" SCNu64 " %c", &l->netns, protocol, text, &l->port, &l->inode, &only) >= 5);
	l->protocol = strcmp(protocol, "udp") == 0 ? NET_PROTOCOL_UDP : NET_PROTOCOL_TCP;
	l->address = address(text);
	l->family = l->address.kind == ADDR_IP4 ? 4 : 6;
	l->v6only = only == '6';
}

/* H INODE PID NAME NETNS CONTAINER INNER TO PORT */
static void add_holder(struct world *w, const char *line)
{
	struct net_holder_row h = { .command = ROW_NO_TEXT };
	char name[32], container[32], to[64];

	assert_int_equal(sscanf(line, "H %" SCNu64 " %" SCNu64 " %31s %" SCNu64 " %31s %" SCNu64 " %63s %" SCNu64, &h.inode, &h.pid, name, &h.netns,
		container, &h.inner_netns, to, &h.to_port), 8);
	h.process = builder_str(w->holders, name);
	h.container = str(w->holders, container);
	h.forwarder = net_forwarder_of(text_of(name), (struct text){ 0 });
	h.to_address = address(to);
	memcpy(builder_row(w->holders), &h, sizeof h);
}

/* R PROTO ADDRESS PORT TO PORT HOOKS CHAIN; hooks: o outside, h host, l not 127.0.0.0/8, c with a condition */
static void add_rule(struct world *w, const char *line)
{
	struct nat_row r = { .conditions = ROW_NO_TEXT, .in = ROW_NO_TEXT, .packets = ROW_NO_UINT, .bytes = ROW_NO_UINT, .action = NAT_DNAT };
	char protocol[8], text[64], to[64], hooks[8], chain[32];

	assert_int_equal(sscanf(line, "R %7s %63s %" SCNu64 " %63s %" SCNu64 " %7s %31s", protocol, text, &r.port, to, &r.to_port, hooks, chain), 7);
	r.head.id = r.handle = builder_count(w->rules) + 1;
	r.port_last = r.port;
	r.to_port_last = r.to_port;
	r.protocol = builder_str(w->rules, protocol);
	r.table = builder_str(w->rules, "nat");
	r.chain = builder_str(w->rules, chain);
	r.address = address(text);
	r.to_address = address(to);
	r.family = r.to_address.kind;
	r.from = (strchr(hooks, 'o') ? NAT_FROM_OUTSIDE : 0) | (strchr(hooks, 'h') ? NAT_FROM_HOST : 0);
	r.loopback_not = strchr(hooks, 'l') != NULL;
	if (strchr(hooks, 'c'))
		r.conditions = builder_str(w->rules, "from 10.0.0.0/8");
	memcpy(builder_row(w->rules), &r, sizeof r);
	w->has_rules = true;
}

static void read_line(struct world *w, const char *line)
{
	switch (line[0]) {
	case 'T':
		add_target(w, line);
		break;
	case 'P':
		add_place(w, line);
		break;
	case 'L':
		add_listener(w, line);
		break;
	case 'H':
		add_holder(w, line);
		break;
	case 'R':
		add_rule(w, line);
		break;
	case 'N': /* readable, and none there */
		w->has_rules = true;
		break;
	default:
		fail_msg("what is \"%s\"?", line);
	}
}

static void start(struct world *w, const char *const *lines)
{
	*w = (struct world){ .targets = builder_new(&target_row_type), .places = builder_new(&net_place_row_type),
		.listeners = builder_new(&net_listener_row_type), .holders = builder_new(&net_holder_row_type), .rules = builder_new(&nat_row_type) };
	for (; *lines; lines++)
		read_line(w, *lines);
}

/* "web 0.0.0.0:8080>80/tcp lan [loopback host] rule+docker-proxy 0.0.0.0:80 | words" */
static void say(const struct block *b, const struct net_port_row *r, char *buf, size_t cap)
{
	static const struct row_look look = { .charset = TEXT_ASCII };
	static const char *const names[] = { "target", "host", "port", "protocol", "exposure", "reached_from", "by", "listener", "words" };
	char text[9][200];

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		row_format(b, row_field_find(&net_port_row_type, names[i]), r, &look, text[i], sizeof text[i]);
	assert_true((size_t)snprintf(buf, cap, "%s %s>%s/%s %s [%s] %s %s | %s\n", text[0], text[1], text[2], text[3], text[4], text[5], text[6], text[7],
		text[8]) < cap);
}

static void join(const char *const *lines, char *said, size_t cap)
{
	struct world w;
	struct block *targets, *places, *listeners, *holders, *rules, *rows;
	struct net_port_facts f;

	start(&w, lines);
	targets = builder_block(w.targets), places = builder_block(w.places), listeners = builder_block(w.listeners);
	holders = builder_block(w.holders), rules = builder_block(w.rules);
	f = (struct net_port_facts){ .targets = targets, .places = places, .listeners = listeners, .holders = holders, .whole = true };
	if (w.has_rules)
		f.rules[f.n_rules++] = (struct net_port_rules){ OUT, rules };
	rows = net_ports_join(&f, NULL);
	*said = '\0';
	for (uint32_t i = 0; i < block_count(rows); i++)
		say(rows, block_row(rows, i), said + strlen(said), cap - strlen(said));
	block_unref(rows), block_unref(targets), block_unref(places), block_unref(listeners), block_unref(holders), block_unref(rules);
	builder_free(w.targets), builder_free(w.places), builder_free(w.listeners), builder_free(w.holders), builder_free(w.rules);
}

/* --- worlds: Docker in a namespace of its own, with an uplink --- */

#define DAEMON  "T host host 1", "T out netns 2", "P 1 d 0 127.0.0.1! 203.0.113.5", "P 2 d 0 127.0.0.1! 192.168.1.2 172.17.0.1!"
#define WEB(ports) "T web docker 10 " ports, "P 10 v 2 127.0.0.1! 172.17.0.2"
#define SERVES  "L 10 tcp 0.0.0.0 80 100", "H 100 500 httpd 10 web 0 - 0"
#define PROXY   "L 2 tcp 0.0.0.0 8080 200", "H 200 600 docker-proxy 2 - 0 172.17.0.2 80"
#define RULE    "R tcp * 8080 172.17.0.2 80 ohl DOCKER"

static const struct {
	const char *name;
	const char *lines[16], *want;
} worlds[] = {
	{ "as it should be", { DAEMON, WEB("0.0.0.0:8080>80/tcp"), SERVES, PROXY, RULE },
		"web 0.0.0.0:8080>80/tcp lan [loopback host outside] rule+docker-proxy 0.0.0.0:80 | -\n" },
	{ "nobody listens", { DAEMON, WEB("0.0.0.0:8080>80/tcp"), PROXY, RULE },
		"web 0.0.0.0:8080>80/tcp lan [nowhere] rule+docker-proxy - | nobody listens on 80/tcp in the container\n" },
	{ "loopback only", { DAEMON, WEB("0.0.0.0:8080>80/tcp"), "L 10 tcp 127.0.0.1 80 100", PROXY, RULE },
		"web 0.0.0.0:8080>80/tcp lan [nowhere] rule+docker-proxy 127.0.0.1:80 | "
		"listens on 127.0.0.1 only: connections from outside the container are refused\n" },
	{ "IPv6 only", { DAEMON, WEB("0.0.0.0:8080>80/tcp"), "L 10 tcp :: 80 100 6", PROXY, RULE },
		"web 0.0.0.0:8080>80/tcp lan [nowhere] rule+docker-proxy [::]:80 | listens on IPv6 only, but packets come by IPv4\n" },
	{ "both families in one socket", { DAEMON, WEB("0.0.0.0:8080>80/tcp"), "L 10 tcp :: 80 100", PROXY, RULE },
		"web 0.0.0.0:8080>80/tcp lan [loopback host outside] rule+docker-proxy [::]:80 | -\n" },
	{ "another address of the container", { DAEMON, "T web docker 10 0.0.0.0:8080>80/tcp", "P 10 v 2 172.17.0.2 172.18.0.2",
		"L 10 tcp 172.18.0.2 80 100", PROXY, RULE },
		"web 0.0.0.0:8080>80/tcp lan [nowhere] rule+docker-proxy 172.18.0.2:80 | listens on 172.18.0.2 only, but packets come to 172.17.0.2\n" },
	{ "rules flushed, no proxy", { DAEMON, WEB("0.0.0.0:8080>80/tcp"), SERVES, "N" },
		"web 0.0.0.0:8080>80/tcp lan [nowhere] - 0.0.0.0:80 | "
		"no rule and no proxy leads here: were they flushed? Restart the container\n" },
	{ "rules flushed, the proxy works", { DAEMON, WEB("0.0.0.0:8080>80/tcp"), SERVES, PROXY, "N" },
		"web 0.0.0.0:8080>80/tcp lan [loopback host outside] docker-proxy 0.0.0.0:80 | "
		"no DNAT rule: only docker-proxy forwards, so the container does not see who calls\n" },
	{ "rules not readable", { DAEMON, WEB("0.0.0.0:8080>80/tcp"), SERVES }, "web 0.0.0.0:8080>80/tcp lan [-] - 0.0.0.0:80 | -\n" },
	{ "the proxy has ended", { DAEMON, WEB("0.0.0.0:8080>80/tcp"), SERVES, RULE },
		"web 0.0.0.0:8080>80/tcp lan [host outside] rule 0.0.0.0:80 | no proxy listens for it: connections to 127.0.0.1 are refused\n" },
	{ "without proxies", { DAEMON, WEB("0.0.0.0:8080>80/tcp"), SERVES, "L 2 tcp 0.0.0.0 8080 200", "H 200 600 dockerd 2 - 0 - 0",
		"R tcp * 8080 172.17.0.2 80 oh DOCKER" },
		"web 0.0.0.0:8080>80/tcp lan [loopback host outside] rule+dockerd 0.0.0.0:80 | -\n" },
	{ "published on loopback", { DAEMON, WEB("127.0.0.1:8080>80/tcp"), SERVES, "L 2 tcp 127.0.0.1 8080 200",
		"H 200 600 docker-proxy 2 - 0 172.17.0.2 80", "R tcp 127.0.0.1 8080 172.17.0.2 80 ohl DOCKER" },
		"web 127.0.0.1:8080>80/tcp loopback [loopback] rule+docker-proxy 0.0.0.0:80 | published on 127.0.0.1: only this host reaches it\n" },
	{ "published on the bridge", { DAEMON, WEB("172.17.0.1:8080>80/tcp"), SERVES, "R tcp 172.17.0.1 8080 172.17.0.2 80 oh DOCKER" },
		"web 172.17.0.1:8080>80/tcp host [host] rule 0.0.0.0:80 | -\n" },
	{ "an address that is not there", { DAEMON, WEB("10.9.9.9:8080>80/tcp"), SERVES, "R tcp 10.9.9.9 8080 172.17.0.2 80 oh DOCKER" },
		"web 10.9.9.9:8080>80/tcp host [nowhere] rule 0.0.0.0:80 | the host has no address 10.9.9.9\n" },
	{ "the rule leads elsewhere", { DAEMON, WEB("0.0.0.0:8080>80/tcp"), SERVES, "R tcp * 8080 172.17.0.9 80 ohl DOCKER" },
		"web 0.0.0.0:8080>80/tcp lan [nowhere] - 0.0.0.0:80 | the rule leads to 172.17.0.9:80, not to this container\n"
		"- 0.0.0.0:8080>80/tcp lan [-] rule - | a rule leads to 172.17.0.9:80, which no container has: left over\n" },
	{ "another rule comes first", { DAEMON, WEB("0.0.0.0:8080>80/tcp"), SERVES, "T db docker 11", "P 11 v 2 172.17.0.9",
		"R tcp * 8080 172.17.0.9 80 ohl DOCKER", RULE },
		"web 0.0.0.0:8080>80/tcp lan [nowhere] rule 0.0.0.0:80 | another rule comes first: packets go to 172.17.0.9:80\n"
		"db 0.0.0.0:8080>80/tcp lan [nowhere] rule - | a rule leads here that the engine does not know of: left over, or made by hand\n" },
	{ "a rule with a condition decides nothing", { DAEMON, WEB("0.0.0.0:8080>80/tcp"), SERVES, PROXY, "R tcp * 8080 10.1.1.1 80 oc PREROUTING", RULE },
		"web 0.0.0.0:8080>80/tcp lan [loopback host outside] rule+docker-proxy 0.0.0.0:80 | -\n" },
	{ "the proxy leads elsewhere", { DAEMON, WEB("0.0.0.0:8080>80/tcp"), SERVES, "L 2 tcp 0.0.0.0 8080 200",
		"H 200 600 docker-proxy 2 - 0 172.17.0.9 80", "N" },
		"web 0.0.0.0:8080>80/tcp lan [nowhere] docker-proxy 0.0.0.0:80 | the proxy leads to 172.17.0.9:80, not to this container\n"
		"- 0.0.0.0:8080>80/tcp lan [-] docker-proxy - | a proxy leads to 172.17.0.9:80, which no container has: left over\n" },
	{ "the port is taken", { DAEMON, WEB("0.0.0.0:8080>80/tcp"), SERVES, "L 2 tcp 0.0.0.0 8080 200", "H 200 600 python3 2 - 0 - 0", "N" },
		"web 0.0.0.0:8080>80/tcp lan [nowhere] python3 0.0.0.0:80 | "
		"port 8080 of the host is taken by python3 (pid 600): nothing leads to the container\n" },
	{ "taken for the host itself only", { DAEMON, WEB("0.0.0.0:8080>80/tcp"), SERVES, "L 2 tcp 127.0.0.1 8080 200",
		"H 200 600 python3 2 - 0 - 0", RULE },
		"web 0.0.0.0:8080>80/tcp lan [host outside] rule 0.0.0.0:80 | port 8080 on the host itself is python3 (pid 600), not the container\n"
		"out ->8080/tcp loopback [loopback] - 127.0.0.1:8080 | -\n" },
	{ "the daemon is dead", { DAEMON, "T web found 10", "P 10 v 2 172.17.0.2", SERVES, PROXY, RULE },
		"web 0.0.0.0:8080>80/tcp lan [loopback host outside] rule+docker-proxy 0.0.0.0:80 | -\n" },
	{ "IPv6 by proxy", { DAEMON, WEB("__:8080>80/tcp"), SERVES, "L 2 tcp :: 8080 200 6", "H 200 600 docker-proxy 2 - 0 172.17.0.2 80", "N" },
		"web [::]:8080>80/tcp host [loopback] docker-proxy 0.0.0.0:80 | -\n" },
	{ "not published", { DAEMON, WEB(""), SERVES, "L 10 tcp 127.0.0.1 81 101", "L 10 udp 127.0.0.11 40000 102", "L 10 tcp 0.0.0.0 80 103", "N" },
		"web ->80/tcp host [host] - 0.0.0.0:80 | -\n"
		"web ->81/tcp loopback [nowhere] - 127.0.0.1:81 | -\n" },
	{ "on the network itself", { DAEMON, "T web docker 10", "P 10 d 0 192.0.2.7", SERVES }, "web ->80/tcp world [outside] - 0.0.0.0:80 | -\n" },
	{ "no network", { DAEMON, "T web docker 10", "P 10 n 0 127.0.0.1!", SERVES }, "web ->80/tcp loopback [nowhere] - 0.0.0.0:80 | -\n" },
	{ "host network", { DAEMON, "T web docker 1", "L 1 tcp 0.0.0.0 80 100", "H 100 500 httpd 1 web 0 - 0", "L 1 tcp 127.0.0.1 22 101" },
		"web ->80/tcp world [loopback host outside] - 0.0.0.0:80 | host network: the port is the host's own\n"
		"host ->22/tcp loopback [loopback] - 127.0.0.1:22 | -\n" },
	{ "a shared namespace", { DAEMON, WEB("0.0.0.0:8080>80/tcp"), SERVES, "T side docker 10", "L 10 tcp 0.0.0.0 90 101",
		"H 101 501 nc 10 side 0 - 0", PROXY, RULE },
		"web 0.0.0.0:8080>80/tcp lan [loopback host outside] rule+docker-proxy 0.0.0.0:80 | -\n"
		"side ->90/tcp host [host] - 0.0.0.0:90 | -\n" },
	{ "a rootless engine's program on the host", { DAEMON, "T web docker 10 0.0.0.0:8080>80/tcp", "P 10 t 0 10.0.2.100", SERVES,
		"L 1 tcp :: 8080 200", "H 200 600 rootlessport 1 - 10 - 0" },
		"web 0.0.0.0:8080>80/tcp world [loopback host outside] rootlessport 0.0.0.0:80 | -\n" },
	{ "a rootless engine, and nobody listens on the host", { DAEMON, "T web docker 10 0.0.0.0:8080>80/tcp", "P 10 t 0 10.0.2.100", SERVES },
		"web 0.0.0.0:8080>80/tcp world [nowhere] - 0.0.0.0:80 | no rule and no proxy leads here: were they flushed? Restart the container\n" },
	{ "slirp4netns speaks IPv4 to the container", { DAEMON, "T web docker 10 0.0.0.0:8080>80/tcp", "P 10 t 0 127.0.0.1! 10.0.2.100 fd00::7",
		"L 10 tcp :: 80 100 6", "L 1 tcp 0.0.0.0 8080 200", "H 200 600 slirp4netns 1 - 0 - 0" },
		"web 0.0.0.0:8080>80/tcp world [nowhere] slirp4netns [::]:80 | listens on IPv6 only, but packets come by IPv4\n" },
	{ "rootlessport speaks to the container's first address", { DAEMON, "T web docker 10 0.0.0.0:8080>80/tcp", "P 10 t 0 10.0.2.100",
		"L 10 tcp 10.0.2.101 80 100", "L 1 tcp :: 8080 200", "H 200 600 rootlessport 1 - 10 - 0" },
		"web 0.0.0.0:8080>80/tcp world [nowhere] rootlessport 10.0.2.101:80 | listens on 10.0.2.101 only, but packets come to 10.0.2.100\n" },
	{ "pasta may bring the host's loopback to the container's", { DAEMON, "T web docker 10 0.0.0.0:8080>80/tcp", "P 10 t 0 203.0.113.5",
		"L 10 tcp 127.0.0.1 80 100", "L 1 tcp :: 8080 200", "H 200 600 pasta 1 - 0 - 0" },
		"web 0.0.0.0:8080>80/tcp world [-] pasta 127.0.0.1:80 | listens on 127.0.0.1 only: connections from outside the host are refused\n" },
	{ "pasta keeps the family", { DAEMON, "T web docker 10 __:8080>80/tcp", "P 10 t 0 203.0.113.5 2001:db8::5", "L 10 tcp 0.0.0.0 80 100",
		"L 1 tcp :: 8080 200", "H 200 600 pasta 1 - 0 - 0" },
		"web [::]:8080>80/tcp world [nowhere] pasta 0.0.0.0:80 | listens on IPv4 only, but packets come by IPv6\n" },
	{ "a bare namespace behind a tap: its own addresses say nothing", { DAEMON, "T lone netns 10", "P 10 t 0 127.0.0.1! 203.0.113.5", SERVES },
		"lone ->80/tcp loopback [nowhere] - 0.0.0.0:80 | -\n" },
	{ "... and pasta may serve any port of it", { DAEMON, "T lone netns 10", "P 10 t 0 127.0.0.1! 203.0.113.5", SERVES,
		"L 1 tcp :: 8080 200", "H 200 600 pasta 1 - 0 - 0" },
		"host ->8080/tcp world [loopback host outside] - [::]:8080 | -\nlone ->80/tcp - [-] - 0.0.0.0:80 | -\n" },
	{ "a bare namespace on a cable: rules lead to it as to a container", { DAEMON, "T lone netns 10", "P 10 v 2 172.17.0.2", SERVES, RULE,
		"R tcp * 9090 172.17.0.2 90 oh CNI-DN-x" },
		"lone 0.0.0.0:8080>80/tcp lan [host outside] rule 0.0.0.0:80 | no proxy listens for it: connections to 127.0.0.1 are refused\n"
		"lone 0.0.0.0:9090>90/tcp lan [nowhere] rule - | nobody listens on 90/tcp in the container\n" },
	{ "a service's address is no interface's", { DAEMON, "T web found 10", "P 10 v 2 172.17.0.2", SERVES, "R tcp 10.96.0.7 80 172.17.0.2 80 ohc KUBE-SEP-A",
		"R tcp 10.96.0.7 80 172.17.0.3 80 oh KUBE-SEP-B", "R tcp 198.51.100.7 443 172.17.0.2 443 oh KUBE-SEP-C" },
		"web 10.96.0.7:80>80/tcp lan [host outside] rule 0.0.0.0:80 | no interface has 10.96.0.7: a rule takes what is routed to it\n"
		"web 198.51.100.7:443>443/tcp world [nowhere] rule - | nobody listens on 443/tcp in the container\n" },
	{ "sctp has no sockets that we read", { DAEMON, WEB("0.0.0.0:8080>80/sctp"), "R sctp * 8080 172.17.0.2 80 ohl DOCKER" },
		"web 0.0.0.0:8080>80/sctp lan [-] rule - | -\n" },
};

static void test_worlds(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(worlds); i++) {
		char said[MAX];

		join(worlds[i].lines, said, sizeof said);
		if (strcmp(said, worlds[i].want) != 0)
			fail_msg("%s:\n%swanted\n%s", worlds[i].name, said, worlds[i].want);
	}
}

/* --- forwarders --- */

static void test_forwarders(void **state)
{
	static const char proxy[] = "/usr/bin/docker-proxy\0-proto\0udp\0-host-ip\0::\0--host-port=53\0-container-ip\0" "172.17.0.2\0-container-port\0" "53";
	static const struct {
		const char *comm, *args;
		size_t n;
		enum net_forwarder want;
	} names[] = {
		{ "docker-proxy", "", 0, NET_FORWARDER_DOCKER_PROXY },
		{ "exe", "containers-rootlessport", 23, NET_FORWARDER_ROOTLESSPORT },
		{ "exe", "/usr/bin/rootlesskit\0--net", 26, NET_FORWARDER_ROOTLESSKIT },
		{ "pasta.avx2", "/usr/bin/pasta", 14, NET_FORWARDER_PASTA },
		{ "passt.avx2", "pasta\0--config-net", 18, NET_FORWARDER_PASTA },
		{ "conmon", "", 0, NET_FORWARDER_HOLDER },
		{ "nginx", "nginx: docker-proxy", 19, NET_FORWARDER_NONE },
	};
	struct net_forward f;
	struct text args = { .p = proxy, .n = sizeof proxy };
	char line[64];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		assert_int_equal(net_forwarder_of(text_of(names[i].comm), (struct text){ names[i].args, names[i].n }), names[i].want);
	assert_true(net_forwarder_parse(args, &f));
	assert_true(f.udp && f.host_address.kind == ADDR_IP6 && f.host_port == 53 && f.to_address.kind == ADDR_IP4 && f.to_port == 53);
	for (size_t n = 0; n + 4 < sizeof proxy; n++) /* cut anywhere: never half believed */
		assert_false(net_forwarder_parse((struct text){ .p = proxy, .n = n }, &f));
	assert_int_equal(net_forwarder_line(args, line, sizeof line), sizeof line - 1);
	assert_memory_equal(line, "/usr/bin/docker-proxy -proto udp", 32);
}

/* --- holders --- */

static uint64_t inode_of(int fd)
{
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	return st.st_ino;
}

static void test_holders(void **state)
{
	AUTO(fd_closep) int proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC), s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	uint64_t inodes[] = { inode_of(s), UINT64_MAX - 1 };
	struct builder *b = builder_new(&net_holder_row_type);
	const struct net_holder_row *row;

	(void)state;
	net_holders_read(proc, inodes, ARRAY_LEN(inodes), b);
	assert_int_equal(builder_count(b), 1);
	row = builder_at(b, 0);
	assert_int_equal(row->inode, inodes[0]);
	assert_int_equal(row->pid, getpid());
	assert_int_equal(row->forwarder, NET_FORWARDER_NONE);
	builder_free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_worlds),
		cmocka_unit_test(test_forwarders),
		cmocka_unit_test(test_holders),
	};

	return cmocka_run_group_tests_name("ports", tests, NULL, NULL);
}
