/* The shop of the drawings: api with a database that does not answer, worker that restarts, a lab namespace, a stopped job. */
#include "fixture.h"

#include "core/fd.h"
#include "core/source/processes.h"
#include "core/source/sockets.h"
#include "core/target.h"

#include <math.h>
#include <string.h>

enum { MINUTE = 60, HOUR = 3600, DAY = 86400 };

static int64_t ago(int64_t seconds)
{
	return FIXTURE_NOW - seconds * 1000000000;
}

static struct addr ip(const char *text)
{
	struct addr a = { 0 };

	addr_parse(text, &a);
	return a;
}

/* --- targets --- */

struct shop {
	const char *name, *id, *network, *address, *problem;
	uint32_t flags, severity, state, health;
	uint64_t pid, port, host_port;
	int64_t age;
	int64_t exit_code;
};

static const struct shop shops[] = {
	{ "shop-api-1", "5f21c9e0b7aa4d0c9e0b7aa45f21c9e0b7aa4d0c9e0b7aa45f21c9e0b7aa4d0c", "shop_default", "172.18.0.5",
		"31 connects to 172.18.0.3:5432 got no answer", TARGET_IS_CONTAINER, SEVERITY_BAD, TARGET_STATE_RUNNING,
		TARGET_HEALTH_UNHEALTHY, 12841, 80, 8080, 3 * HOUR, ROW_NO_INT },
	{ "shop-worker-2", "77aa01c9e0b7aa4d0c9e0b7aa45f21c9e0b7aa4d0c9e0b7aa45f21c9e0b7aa4d", "shop_default", NULL,
		"restarting, 4 times so far", TARGET_IS_CONTAINER, SEVERITY_WARN, TARGET_STATE_RESTARTING, ROW_NO_ENUM,
		ROW_NO_UINT, ROW_NO_UINT, ROW_NO_UINT, 40, 1 },
	{ "shop-db-1", "91aa01c9e0b7aa4d0c9e0b7aa45f21c9e0b7aa4d0c9e0b7aa45f21c9e0b7aa4d", "shop_default", "172.18.0.3", NULL,
		TARGET_IS_CONTAINER, SEVERITY_OK, TARGET_STATE_RUNNING, TARGET_HEALTH_HEALTHY, 12790, 5432, ROW_NO_UINT,
		3 * HOUR, ROW_NO_INT },
	{ "shop-cache-1", "a2aa01c9e0b7aa4d0c9e0b7aa45f21c9e0b7aa4d0c9e0b7aa45f21c9e0b7aa4d", "shop_default", "172.18.0.4", NULL,
		TARGET_IS_CONTAINER, SEVERITY_OK, TARGET_STATE_RUNNING, ROW_NO_ENUM, 12800, 6379, ROW_NO_UINT, 3 * HOUR,
		ROW_NO_INT },
	{ "k8s_app_with-a-name-that-is-longer-than-the-column_default_0", "b3aa01c9e0b7aa4d0c9e0b7aa45f21c9e0b7aa4d0c9e0b7aa45f21c9",
		"bridge", "172.17.0.2", NULL, TARGET_IS_CONTAINER, SEVERITY_OK, TARGET_STATE_PAUSED, ROW_NO_ENUM, 999, 5000,
		ROW_NO_UINT, 20 * DAY, ROW_NO_INT },
	{ "evil\033[2Jname\xe2\x80\xae", "c4aa01c9e0b7aa4d0c9e0b7aa45f21c9e0b7aa4d0c9e0b7aa45f21c9e0b7aa4d", "bridge", "172.17.0.3", NULL,
		TARGET_IS_CONTAINER, SEVERITY_OK, TARGET_STATE_RUNNING, ROW_NO_ENUM, 1000, ROW_NO_UINT, ROW_NO_UINT, 41 * DAY,
		ROW_NO_INT },
	{ "node-exporter", "d5aa01c9e0b7aa4d0c9e0b7aa45f21c9e0b7aa4d0c9e0b7aa45f21c9e0b7aa4d", NULL, NULL, NULL,
		TARGET_IS_CONTAINER | TARGET_HOST_NETWORK, SEVERITY_OK, TARGET_STATE_RUNNING, ROW_NO_ENUM, 1001, 9100,
		ROW_NO_UINT, 12 * DAY, ROW_NO_INT },
	{ "shop-migrate", "e6aa01c9e0b7aa4d0c9e0b7aa45f21c9e0b7aa4d0c9e0b7aa45f21c9e0b7aa4d", "shop_default", NULL, NULL,
		TARGET_IS_CONTAINER, SEVERITY_IDLE, TARGET_STATE_EXITED, ROW_NO_ENUM, ROW_NO_UINT, ROW_NO_UINT, ROW_NO_UINT,
		3 * HOUR, 0 },
	{ "netns:vpn-lab", "4026532871", NULL, NULL, NULL, TARGET_IS_NETNS, SEVERITY_OK, TARGET_STATE_RUNNING, ROW_NO_ENUM,
		2044, ROW_NO_UINT, ROW_NO_UINT, 0, ROW_NO_INT },
};

static struct rows ports_of(struct builder *b, const struct shop *s)
{
	struct port_row p = { .host_address = s->host_port == ROW_NO_UINT ? (struct addr){ 0 } : ip("0.0.0.0"),
		.host_port = s->host_port, .port = s->port, .protocol = builder_str(b, "tcp") };

	if (s->port == ROW_NO_UINT)
		return (struct rows){ 0 };
	return builder_rows(b, &port_row_type, &p, 1);
}

static struct rows endpoints_of(struct builder *b, const struct shop *s)
{
	bool bridge = s->network && strcmp(s->network, "bridge") == 0;
	struct endpoint_row e = { .network = s->network ? builder_str(b, s->network) : ROW_NO_TEXT, .network_id = ROW_NO_TEXT,
		.address = s->address ? ip(s->address) : (struct addr){ 0 }, .gateway = ip(bridge ? "172.17.0.1" : "172.18.0.1"),
		.interface = builder_str(b, bridge ? "docker0" : "br-3f1c02aa9d11"), .aliases = ROW_NO_TEXT };
	struct addr mac = addr_mac("\x02\x42\xac\x12\x00\x05");

	if (!s->network)
		return (struct rows){ 0 };
	e.mac = mac;
	if (e.address.kind) {
		e.address.has_prefix = 1;
		e.address.prefix = 16;
	}
	return builder_rows(b, &endpoint_row_type, &e, 1);
}

/* Numbers that differ and do not move; what does not run has none. */
static void add_load(struct target_row *t, const struct shop *s)
{
	bool runs = s->pid != ROW_NO_UINT && !(s->flags & TARGET_IS_NETNS);

	target_health_unknown(t);
	if (s->pid == ROW_NO_UINT)
		return;
	t->rx_bytes_per_second = s->pid * 37 % 4000000;
	t->tx_bytes_per_second = s->pid * 11 % 900000;
	t->cpu_percent = runs ? (double)(s->pid % 437) / 10 : NAN;
	t->memory_bytes = runs ? (s->pid % 300 + 4) << 20 : ROW_NO_UINT;
}

static void add_target(struct builder *b, const struct shop *s)
{
	struct rows ports = ports_of(b, s), endpoints = endpoints_of(b, s);
	struct str networks = ROW_NO_TEXT, addresses = ROW_NO_TEXT;
	struct target_row *t;

	if (s->network)
		builder_list_add(b, &networks, s->network, strlen(s->network));
	if (s->address)
		builder_list_add(b, &addresses, s->address, strlen(s->address));
	if (s->health == TARGET_HEALTH_UNHEALTHY)
		builder_list_add(b, &addresses, "10.9.9.9", 8); /* given by hand */
	t = builder_row(b);
	t->head = (struct row_head){ .id = row_hash(s->id, strlen(s->id), 0), .severity = s->severity, .flags = s->flags };
	t->engine = t->space = t->pod = t->shared_by = ROW_NO_TEXT;
	t->owner = t->attempt = ROW_NO_UINT;
	t->infra = ROW_NO_BOOL;
	t->name = builder_str(b, s->name);
	t->id = builder_str(b, s->id);
	t->runtime = builder_str(b, s->flags & TARGET_IS_NETNS ? "netns" : "docker");
	t->state = s->state;
	t->health = s->health;
	t->pid = s->pid;
	t->start = s->pid == ROW_NO_UINT ? ROW_NO_UINT : s->pid * 10;
	t->netns = s->pid == ROW_NO_UINT ? ROW_NO_UINT : 4026530000 + s->pid;
	t->image = s->flags & TARGET_IS_NETNS ? ROW_NO_TEXT : builder_str(b, "shop/api:2.14");
	t->command = s->flags & TARGET_IS_NETNS ? ROW_NO_TEXT : builder_str(b, "node server.js");
	t->networks = networks;
	t->addresses = addresses;
	t->ports = ports;
	t->endpoints = endpoints;
	t->created_at = t->started_at = s->age ? ago(s->age) : ROW_NO_INT;
	t->finished_at = s->state == TARGET_STATE_EXITED ? ago(s->age - MINUTE) : ROW_NO_INT;
	t->restarts = s->state == TARGET_STATE_RESTARTING ? 4 : s->flags & TARGET_IS_NETNS ? ROW_NO_UINT : 0;
	t->exit_code = s->exit_code;
	t->oom_killed = ROW_NO_BOOL;
	t->network_mode = t->shares_with = t->hostname = t->project = t->path = ROW_NO_TEXT;
	t->processes = s->flags & TARGET_IS_NETNS ? 2 : s->pid == ROW_NO_UINT ? ROW_NO_UINT : 3;
	t->problem = s->problem ? builder_str(b, s->problem) : ROW_NO_TEXT;
	t->as_of = ROW_NO_INT;
	add_load(t, s);
}

static struct block *finish(struct builder *b)
{
	struct block *out;

	builder_cost(b, 1200);
	out = builder_block(b);
	builder_free(b);
	return out;
}

struct block *fixture_targets(void)
{
	struct builder *b = builder_new(&target_row_type);

	for (unsigned i = 0; i < ARRAY_LEN(shops); i++)
		add_target(b, &shops[i]);
	return finish(b);
}

struct block *fixture_networks(void)
{
	static const char *const names[] = { "bridge", "shop_default" };
	static const char *const subnets[] = { "172.17.0.0/16", "172.18.0.0/16" };
	static const char *const members[] = { "shop-api-1", "shop-db-1", "shop-cache-1" };
	struct builder *b = builder_new(&network_row_type);

	for (unsigned i = 0; i < ARRAY_LEN(names); i++) {
		struct str subnet = ROW_NO_TEXT, list = ROW_NO_TEXT;
		struct network_row *n;
		builder_list_add(b, &subnet, subnets[i], strlen(subnets[i]));
		for (unsigned m = 0; i == 1 && m < ARRAY_LEN(members); m++)
			builder_list_add(b, &list, members[m], strlen(members[m]));
		n = builder_row(b);
		n->head = (struct row_head){ .id = i + 1 };
		n->name = builder_str(b, names[i]);
		n->id = builder_str(b, i ? "3f1c02aa9d11" : "0d11aa9d3f1c");
		n->runtime = builder_str(b, "docker");
		n->driver = builder_str(b, "bridge");
		n->scope = builder_str(b, "local");
		n->subnets = subnet;
		n->gateway = ip(i ? "172.18.0.1" : "172.17.0.1");
		n->interface = builder_str(b, i ? "br-3f1c02aa9d11" : "docker0");
		n->members = list;
		n->internal = n->ipv6 = 0;
		n->mtu = ROW_NO_UINT;
		n->created_at = ago(20 * DAY);
		n->as_of = ROW_NO_INT;
	}
	return finish(b);
}

struct block *fixture_engines(void)
{
	struct builder *b = builder_new(&engine_row_type);
	struct engine_row *e = builder_row(b);

	e->head = (struct row_head){ .id = 1, .severity = SEVERITY_OK };
	e->runtime = builder_str(b, "docker");
	e->endpoint = builder_str(b, "unix:///var/run/docker.sock");
	e->owner = ROW_NO_UINT;
	e->answering = 1;
	e->version = builder_str(b, "20.10.24");
	e->api = builder_str(b, "1.41");
	e->latency_us = 4100;
	e->answered_at = ago(1);
	e->error = ROW_NO_TEXT;
	return finish(b);
}

/* --- sockets --- */

struct plug {
	uint32_t protocol, state, severity;
	const char *local, *remote, *peer, *path, *process;
	uint64_t lport, rport, recv, send, pid, rtx;
};

static const struct plug plugs[] = {
	{ SOCK_PROTO_TCP, SOCK_STATE_SYN_SENT, SEVERITY_BAD, "172.18.0.5", "172.18.0.3", "shop-db-1", NULL, "node", 43012, 5432, 0, 1, 12841, 3 },
	{ SOCK_PROTO_TCP, SOCK_STATE_CLOSE_WAIT, SEVERITY_WARN, "172.18.0.5", "172.18.0.4", "shop-cache-1", NULL, "node", 50990, 6379, 1, 0,
		12841, 0 },
	{ SOCK_PROTO_TCP, SOCK_STATE_LISTEN, SEVERITY_NONE, "0.0.0.0", "0.0.0.0", NULL, NULL, "node", 8080, 0, 0, 511, 12841, 0 },
	{ SOCK_PROTO_TCP, SOCK_STATE_LISTEN, SEVERITY_NONE, "::", "::", NULL, NULL, "node", 9100, 0, 0, 511, 12990, 0 },
	{ SOCK_PROTO_TCP, SOCK_STATE_ESTAB, SEVERITY_NONE, "172.18.0.5", "172.18.0.6", "shop-web-1", NULL, "node", 8080, 51030, 0, 184320, 12841,
		0 },
	{ SOCK_PROTO_TCP, SOCK_STATE_TIME_WAIT, SEVERITY_NONE, "172.18.0.5", "172.18.0.6", "shop-web-1", NULL, NULL, 8080, 50871, 0, 0,
		ROW_NO_UINT, ROW_NO_UINT },
	{ SOCK_PROTO_TCP, SOCK_STATE_ESTAB, SEVERITY_NONE, "2001:db8:1234:5678:9abc:def0:1234:5678", "2001:db8:1234:5678:9abc:def0:1234:9999", NULL,
		NULL, "node", 50112, 443, 0, 0, 12841, 0 },
	{ SOCK_PROTO_UDP, SOCK_STATE_UNCONN, SEVERITY_NONE, "172.18.0.5", "127.0.0.11", NULL, NULL, "node", 46655, 53, 0, 0, 12841,
		ROW_NO_UINT },
	{ SOCK_PROTO_UNIX, SOCK_STATE_ESTAB, SEVERITY_NONE, NULL, NULL, NULL, "/var/run/postgresql/a-rather-long-directory/.s.PGSQL.5432", "node",
		ROW_NO_UINT, ROW_NO_UINT, 0, 0, 12990, ROW_NO_UINT },
};

static void add_socket(struct builder *b, unsigned i)
{
	const struct plug *p = &plugs[i];
	struct owner_row owner = { .head = { .id = 1 }, .inode = 99412 + i, .pid = p->pid, .fd = 211, .guest = 0,
		.process = p->process ? builder_str(b, p->process) : ROW_NO_TEXT };
	struct rows owners = p->pid == ROW_NO_UINT ? (struct rows){ 0 } : builder_rows(b, &owner_row_type, &owner, 1);
	struct sock_row *s = builder_row(b);

	s->head = (struct row_head){ .id = i + 1, .severity = p->severity, .flags = p->state == SOCK_STATE_TIME_WAIT ? ROW_OVER : 0 };
	s->protocol = p->protocol;
	s->state = p->state;
	s->family = p->local ? strchr(p->local, ':') ? 6 : 4 : ROW_NO_ENUM;
	s->local_address = p->local ? ip(p->local) : (struct addr){ 0 };
	s->local_port = p->lport;
	s->remote_address = p->remote ? ip(p->remote) : (struct addr){ 0 };
	s->remote_port = p->rport;
	s->recv_queue = p->recv;
	s->send_queue = p->send;
	s->uid = p->pid == ROW_NO_UINT ? ROW_NO_UINT : 1000;
	s->inode = p->pid == ROW_NO_UINT ? ROW_NO_UINT : 99412 + i;
	s->pid = p->pid;
	s->process = p->process ? builder_str(b, p->process) : ROW_NO_TEXT;
	s->owners = owners;
	s->path = p->path ? builder_str(b, p->path) : ROW_NO_TEXT;
	s->type = p->path ? builder_str(b, "stream") : ROW_NO_TEXT;
	s->peer_inode = ROW_NO_UINT;
	s->peer = p->peer ? builder_str(b, p->peer) : ROW_NO_TEXT;
	s->retransmits = p->rtx;
	s->timer_ms = p->severity == SEVERITY_BAD ? 1200 : ROW_NO_UINT;
	s->interface = ROW_NO_TEXT;
}

struct block *fixture_sockets(void)
{
	struct builder *b = builder_new(&sock_row_type);

	for (unsigned i = 0; i < ARRAY_LEN(plugs); i++)
		add_socket(b, i);
	return finish(b);
}

struct block *fixture_owners(void)
{
	struct builder *b = builder_new(&owner_row_type);

	for (unsigned i = 0; i < ARRAY_LEN(plugs); i++) {
		struct owner_row *o;
		if (plugs[i].pid == ROW_NO_UINT)
			continue;
		o = builder_row(b);
		o->head = (struct row_head){ .id = i + 1 };
		o->inode = 99412 + i;
		o->pid = plugs[i].pid;
		o->fd = 211;
		o->guest = 0;
		o->process = builder_str(b, plugs[i].process);
	}
	return finish(b);
}

/* --- processes --- */

static const struct {
	uint64_t pid, ns_pid, ppid, depth, rss, threads;
	double cpu;
	const char *user, *state, *name, *command;
	uint32_t severity;
	uint8_t same;
} tasks[] = {
	{ 12841, 1, 12800, 0, 220200960, 11, 12.0, "node", "S", "node", "node server.js", SEVERITY_NONE, 1 },
	{ 12990, 18, 12841, 1, 63963136, 11, 0.3, "node", "S", "node", "node metrics.js --port 9100", SEVERITY_NONE, 1 },
	{ 13002, 22, 12841, 1, 4194304, 1, NAN, "node", "S", "sh",
		"sh -c while true; do curl -s http://shop-db-1:5432/health -o /dev/null || echo the database does not answer; sleep 30; done",
		SEVERITY_NONE, 1 },
	{ 18811, 41, 13002, 2, 1048576, 1, 0.0, "node", "S", "sleep", "sleep 30", SEVERITY_NONE, 1 },
	{ 19004, 44, 13002, 2, 0, 1, 0.0, "root", "Z", "curl", "[curl]", SEVERITY_WARN, 1 },
	{ 20117, ROW_NO_UINT, 1, 0, 9437184, 1, 0.1, "root", "S", "tcpdump", "tcpdump -i eth0 -w /tmp/\033]0;x\a.pcap", SEVERITY_NONE, 0 },
};

struct block *fixture_processes(void)
{
	struct builder *b = builder_new(&process_row_type);

	for (unsigned i = 0; i < ARRAY_LEN(tasks); i++) {
		struct process_row *p = builder_row(b);
		p->head = (struct row_head){ .id = tasks[i].pid, .severity = tasks[i].severity };
		p->pid = tasks[i].pid;
		p->ns_pid = tasks[i].ns_pid;
		p->ppid = tasks[i].ppid;
		p->uid = 1000;
		p->user = builder_str(b, tasks[i].user);
		p->state = builder_str(b, tasks[i].state);
		p->cpu_percent = tasks[i].cpu;
		p->cpu_time_us = 93000000;
		p->rss_bytes = tasks[i].rss;
		p->threads = tasks[i].threads;
		p->started_at = ago(3 * HOUR);
		p->command = builder_str(b, tasks[i].command);
		p->name = builder_str(b, tasks[i].name);
		p->depth = tasks[i].depth;
		p->start = tasks[i].pid * 10;
		p->same_netns = tasks[i].same;
	}
	return finish(b);
}
