/* Field tables of targets, networks and engines, and their screen forms. The order of fields is the order of JSON and of columns. */
#include "core/target.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "core/fd.h"
#include "core/target_words.h"

const char *const target_state_names[TARGET_STATE_N] = {
	[TARGET_STATE_CREATED] = "created", [TARGET_STATE_RUNNING] = "running", [TARGET_STATE_PAUSED] = "paused",
	[TARGET_STATE_RESTARTING] = "restarting", [TARGET_STATE_REMOVING] = "removing", [TARGET_STATE_EXITED] = "exited",
	[TARGET_STATE_DEAD] = "dead",
};

const char *const target_health_names[TARGET_HEALTH_N] = {
	[TARGET_HEALTH_STARTING] = "starting", [TARGET_HEALTH_HEALTHY] = "healthy", [TARGET_HEALTH_UNHEALTHY] = "unhealthy",
};

static size_t put_text(char *buf, size_t cap, size_t at, struct text t)
{
	int n = snprintf(buf + at, cap - at, "%.*s", (int)(t.n < 1024 ? t.n : 1024), t.n ? t.p : "");

	return n < 0 ? at : at + (size_t)n < cap ? at + (size_t)n : cap - 1;
}

static size_t put_dash(char *buf, size_t cap)
{
	return put_text(buf, cap, 0, text_of("-"));
}

static size_t format_runtime(const struct block *b, const void *row, char *buf, size_t cap)
{
	static const char *const shorts[][2] = {
		{ "docker", "dock" }, { "podman", "podm" }, { "containerd", "ctrd" }, { "netns", "ns" }, { "host", "host" },
	};
	struct text runtime = block_text(b, ((const struct target_row *)row)->runtime);

	for (size_t i = 0; i < ARRAY_LEN(shorts); i++)
		if (text_equal(runtime, text_of(shorts[i][0])))
			return put_text(buf, cap, 0, text_of(shorts[i][1]));
	return put_text(buf, cap, 0, (struct text){ .p = runtime.p, .n = runtime.n < 4 ? runtime.n : 4 });
}

static size_t format_state(const struct block *b, const void *row, char *buf, size_t cap)
{
	struct timespec now;

	(void)b;
	clock_gettime(CLOCK_REALTIME, &now);
	return target_words_state(row, (int64_t)now.tv_sec * 1000000000 + now.tv_nsec, buf, cap);
}

/* The first item and how many more there are: "shop_default +1". */
static size_t format_list(const struct block *b, struct str list, char *buf, size_t cap)
{
	struct text first, item;
	uint32_t n = 0;
	size_t len;

	while (block_list_item(b, list, n, &item)) {
		if (n == 0)
			first = item;
		n++;
	}
	if (n == 0)
		return put_dash(buf, cap);
	len = put_text(buf, cap, 0, first);
	return n == 1 ? len : len + (size_t)snprintf(buf + len, cap - len, " +%" PRIu32, n - 1);
}

static size_t format_networks(const struct block *b, const void *row, char *buf, size_t cap)
{
	const struct target_row *t = row;
	struct text other = block_text(b, t->shares_with);

	if (!other.n)
		return format_list(b, t->networks, buf, cap);
	return put_text(buf, cap, put_text(buf, cap, 0, text_of("with ")), other);
}

static size_t format_address(const struct block *b, const void *row, char *buf, size_t cap)
{
	struct text first;

	if (!block_list_item(b, ((const struct target_row *)row)->addresses, 0, &first))
		return put_dash(buf, cap);
	return put_text(buf, cap, 0, first);
}

static bool same_port(const struct block *b, const struct port_row *x, const struct port_row *y)
{
	return x->host_port == y->host_port && x->port == y->port && text_equal(block_text(b, x->protocol), block_text(b, y->protocol));
}

/* IPv4 and IPv6 publish the same port twice. */
static bool was_shown(const struct block *b, struct rows ports, uint32_t i)
{
	const struct port_row *p = block_nested(b, &port_row_type, ports, i);

	for (uint32_t k = 0; k < i && k < 64; k++)
		if (same_port(b, p, block_nested(b, &port_row_type, ports, k)))
			return true;
	return false;
}

/* "8080>80 443 53/udp" */
static size_t format_ports(const struct block *b, const void *row, char *buf, size_t cap)
{
	struct rows ports = ((const struct target_row *)row)->ports;
	size_t n = 0;

	for (uint32_t i = 0; i < ports.n && n + 40 < cap; i++) {
		const struct port_row *p = block_nested(b, &port_row_type, ports, i);
		struct text protocol = block_text(b, p->protocol);

		if (was_shown(b, ports, i))
			continue;
		n += (size_t)snprintf(buf + n, cap - n, "%s", n ? " " : "");
		if (p->host_port != ROW_NO_UINT)
			n += (size_t)snprintf(buf + n, cap - n, "%" PRIu64 ">", p->host_port);
		n += (size_t)snprintf(buf + n, cap - n, "%" PRIu64, p->port);
		if (protocol.n && protocol.n < 8 && !text_equal(protocol, text_of("tcp")))
			n += (size_t)snprintf(buf + n, cap - n, "/%.*s", (int)protocol.n, protocol.p);
	}
	return n ? n : put_dash(buf, cap);
}

/* --- ports and endpoints --- */

static const struct field port_fields[] = {
	{ ROW_FIELD(struct port_row, host_address, ADDR), .title = "HOST-ADDRESS", .help = "address on the host; unknown: not published" },
	{ ROW_FIELD(struct port_row, host_port, UINT), .title = "HOST-PORT", .unit = UNIT_ID, .help = "port on the host" },
	{ ROW_FIELD(struct port_row, port, UINT), .title = "PORT", .unit = UNIT_ID, .help = "port in the container" },
	{ ROW_FIELD(struct port_row, protocol, TEXT), .title = "PROTO", .help = "tcp, udp, sctp" },
};

const struct row_type port_row_type = {
	.name = "port", .noun = "ports", .id = 0x706f7274, .schema = 1, .size = sizeof(struct port_row), .fields = port_fields,
	.n_fields = ARRAY_LEN(port_fields),
};

#define ENDPOINT(member, kind) ROW_FIELD(struct endpoint_row, member, kind)

static const struct field endpoint_fields[] = {
	{ ENDPOINT(network, TEXT), .title = "NETWORK", .help = "name of the network" },
	{ ENDPOINT(network_id, TEXT), .title = "NETWORK-ID", .help = "its id", .flags = FIELD_HIDDEN },
	{ ENDPOINT(address, ADDR), .title = "ADDRESS", .help = "IPv4 address with prefix", .flags = FIELD_NOCUT },
	{ ENDPOINT(gateway, ADDR), .title = "GATEWAY", .help = "IPv4 gateway", .flags = FIELD_NOCUT },
	{ ENDPOINT(address6, ADDR), .title = "ADDRESS6", .help = "IPv6 address with prefix", .flags = FIELD_NOCUT },
	{ ENDPOINT(gateway6, ADDR), .title = "GATEWAY6", .help = "IPv6 gateway", .flags = FIELD_NOCUT },
	{ ENDPOINT(mac, ADDR), .title = "MAC", .help = "hardware address" },
	{ ENDPOINT(interface, TEXT), .title = "INTERFACE", .help = "bridge or parent device on the host" },
	{ ENDPOINT(aliases, LIST), .title = "ALIASES", .help = "names it answers to on this network" },
};

const struct row_type endpoint_row_type = {
	.name = "endpoint", .noun = "networks", .id = 0x656e6470, .schema = 1, .size = sizeof(struct endpoint_row),
	.fields = endpoint_fields, .n_fields = ARRAY_LEN(endpoint_fields),
};

/* --- targets --- */

#define TARGET(member, kind) ROW_FIELD(struct target_row, member, kind)
#define TARGET_AT(member)    .offset = offsetof(struct target_row, member)

static const struct field target_fields[] = {
	{ TARGET(name, TEXT), .title = "NAME", .help = "name of the container or namespace", .width = 17 },
	{ TARGET(id, TEXT), .title = "ID", .help = "full container id; namespaces: inode", .flags = FIELD_WIDE, .width = 12, .priority = 12 },
	{ TARGET(runtime, TEXT), .title = "RUNTIME", .help = "docker, podman, netns, host", .flags = FIELD_HIDDEN },
	{ TARGET(state, ENUM), .title = "STATUS", .help = "created, running, paused, restarting, removing, exited, dead",
		.names = target_state_names, .n_names = TARGET_STATE_N, .flags = FIELD_HIDDEN },
	{ TARGET(health, ENUM), .title = "HEALTH", .help = "of its health check: starting, healthy, unhealthy",
		.names = target_health_names, .n_names = TARGET_HEALTH_N, .flags = FIELD_WIDE, .priority = 9 },
	{ TARGET(pid, UINT), .title = "PID", .unit = UNIT_ID, .help = "its first process, as the host counts",
		.flags = FIELD_WIDE | FIELD_RIGHT, .priority = 10 },
	{ .name = "rt", .title = "RT", .help = "runtime, short", .kind = FIELD_TEXT, TARGET_AT(runtime), .flags = FIELD_SCREEN,
		.width = 4, .priority = 5, .format = format_runtime },
	{ .name = "status", .title = "STATE", .help = "state with uptime, exit code or number of restarts", .kind = FIELD_ENUM,
		TARGET_AT(state), .names = target_state_names, .n_names = TARGET_STATE_N, .flags = FIELD_SCREEN, .width = 8,
		.priority = 4, .format = format_state },
	{ TARGET(image, TEXT), .title = "IMAGE", .help = "image it was made from", .flags = FIELD_WIDE, .priority = 11 },
	{ TARGET(networks, LIST), .title = "NETWORKS", .help = "networks it is on", .flags = FIELD_HIDDEN },
	{ TARGET(addresses, LIST), .title = "ADDRESSES", .help = "its addresses, without prefix", .flags = FIELD_HIDDEN },
	{ .name = "network", .title = "NETWORK", .help = "first network and how many more; with: shares that container's",
		.kind = FIELD_LIST, TARGET_AT(networks), .flags = FIELD_SCREEN, .width = 15, .priority = 3, .format = format_networks },
	{ .name = "address", .title = "ADDRESS", .help = "first address", .kind = FIELD_LIST, TARGET_AT(addresses),
		.flags = FIELD_SCREEN | FIELD_NOCUT, .priority = 2, .format = format_address },
	{ TARGET(ports, ROWS), .sub = &port_row_type, .title = "PORTS", .help = "published as host>container, others exposed",
		.width = 11, .priority = 6, .format = format_ports },
	{ TARGET(problem, TEXT), .title = "WHAT IS WRONG", .help = "what is wrong, in words", .flags = FIELD_FLEX, .priority = 1 },
	{ TARGET(endpoints, ROWS), .sub = &endpoint_row_type, .title = "ENDPOINTS", .help = "its place on each network",
		.flags = FIELD_HIDDEN },
	{ TARGET(restarts, UINT), .title = "RESTARTS", .help = "how often the engine restarted it", .flags = FIELD_WIDE | FIELD_RIGHT,
		.priority = 8 },
	{ TARGET(exit_code, INT), .title = "EXIT", .help = "exit code of the last end", .flags = FIELD_HIDDEN },
	{ TARGET(oom_killed, BOOL), .title = "OOM", .help = "was it killed for want of memory", .flags = FIELD_HIDDEN },
	{ TARGET(created_at, TIME), .title = "AGE", .help = "when it was made", .flags = FIELD_WIDE | FIELD_RIGHT, .width = 5,
		.priority = 10 },
	{ TARGET(started_at, TIME), .title = "STARTED", .help = "when its first process started", .flags = FIELD_HIDDEN },
	{ TARGET(finished_at, TIME), .title = "FINISHED", .help = "when it ended", .flags = FIELD_HIDDEN },
	{ TARGET(start, UINT), .title = "START", .unit = UNIT_ID, .help = "start of pid, clock ticks since boot", .flags = FIELD_HIDDEN },
	{ TARGET(netns, UINT), .title = "NETNS", .unit = UNIT_ID, .help = "inode of its network namespace", .flags = FIELD_WIDE,
		.priority = 12 },
	{ TARGET(processes, UINT), .title = "PROCS", .help = "processes in its network namespace", .flags = FIELD_WIDE | FIELD_RIGHT,
		.priority = 10 },
	{ TARGET(network_mode, TEXT), .title = "MODE", .help = "bridge, host, none, container:<id>, or a network's name",
		.flags = FIELD_HIDDEN },
	{ TARGET(shares_with, TEXT), .title = "SHARES-WITH", .help = "container whose network namespace it uses",
		.flags = FIELD_HIDDEN },
	{ TARGET(hostname, TEXT), .title = "HOSTNAME", .help = "name of the host inside", .flags = FIELD_HIDDEN },
	{ TARGET(project, TEXT), .title = "PROJECT", .help = "compose project", .flags = FIELD_WIDE, .priority = 11 },
	{ TARGET(command, TEXT), .title = "COMMAND", .help = "what it was told to run", .flags = FIELD_WIDE, .priority = 12 },
	{ TARGET(path, TEXT), .title = "PATH", .help = "file that keeps the namespace", .flags = FIELD_HIDDEN },
	{ TARGET(as_of, TIME), .title = "AS-OF", .help = "last answer of its engine, while that does not answer",
		.flags = FIELD_HIDDEN },
};

const struct row_type target_row_type = {
	.name = "ls", .noun = "targets", .id = 0x74617267, .schema = 1, .size = sizeof(struct target_row), .fields = target_fields,
	.n_fields = ARRAY_LEN(target_fields),
};

/* --- networks --- */

#define NETWORK(member, kind) ROW_FIELD(struct network_row, member, kind)

static const struct field network_fields[] = {
	{ NETWORK(name, TEXT), .title = "NAME", .help = "name of the network", .width = 17 },
	{ NETWORK(id, TEXT), .title = "ID", .help = "full id", .flags = FIELD_WIDE, .width = 12, .priority = 11 },
	{ NETWORK(runtime, TEXT), .title = "RUNTIME", .help = "docker, podman", .priority = 5 },
	{ NETWORK(driver, TEXT), .title = "DRIVER", .help = "bridge, host, none, macvlan, ipvlan, overlay", .priority = 3 },
	{ NETWORK(subnets, LIST), .title = "SUBNET", .help = "address ranges", .flags = FIELD_NOCUT, .priority = 1 },
	{ NETWORK(gateway, ADDR), .title = "GATEWAY", .help = "gateway of the first subnet", .flags = FIELD_NOCUT, .priority = 2 },
	{ NETWORK(interface, TEXT), .title = "INTERFACE", .help = "bridge or parent device on the host", .priority = 4 },
	{ NETWORK(members, LIST), .title = "MEMBERS", .help = "containers on it", .flags = FIELD_FLEX, .priority = 6 },
	{ NETWORK(scope, TEXT), .title = "SCOPE", .help = "local, global, swarm", .flags = FIELD_WIDE, .priority = 9 },
	{ NETWORK(internal, BOOL), .title = "INTERNAL", .help = "has it no way out", .flags = FIELD_WIDE, .priority = 8 },
	{ NETWORK(ipv6, BOOL), .title = "IPV6", .help = "is IPv6 on", .flags = FIELD_WIDE, .priority = 9 },
	{ NETWORK(mtu, UINT), .title = "MTU", .help = "largest packet, when set", .flags = FIELD_WIDE | FIELD_RIGHT, .priority = 9 },
	{ NETWORK(created_at, TIME), .title = "AGE", .help = "when it was made", .flags = FIELD_WIDE | FIELD_RIGHT, .priority = 10 },
	{ NETWORK(as_of, TIME), .title = "AS-OF", .help = "last answer of its engine, while that does not answer",
		.flags = FIELD_HIDDEN },
};

const struct row_type network_row_type = {
	.name = "networks", .noun = "networks", .id = 0x6e657477, .schema = 1, .size = sizeof(struct network_row),
	.fields = network_fields, .n_fields = ARRAY_LEN(network_fields),
};

/* --- engines --- */

#define ENGINE(member, kind) ROW_FIELD(struct engine_row, member, kind)

static const struct field engine_fields[] = {
	{ ENGINE(runtime, TEXT), .title = "RUNTIME", .help = "docker, podman" },
	{ ENGINE(endpoint, TEXT), .title = "ENDPOINT", .help = "where it listens", .priority = 2 },
	{ ENGINE(answering, BOOL), .title = "ANSWERS", .help = "did it answer the last request", .priority = 1 },
	{ ENGINE(version, TEXT), .title = "VERSION", .help = "its version", .priority = 3 },
	{ ENGINE(api, TEXT), .title = "API", .help = "version of its API that is spoken", .priority = 5 },
	{ ENGINE(latency_us, UINT), .title = "LATENCY", .unit = UNIT_US, .help = "time of the last answer", .flags = FIELD_RIGHT,
		.priority = 4 },
	{ ENGINE(answered_at, TIME), .title = "ANSWERED", .help = "when it answered last", .flags = FIELD_RIGHT, .priority = 6 },
	{ ENGINE(error, TEXT), .title = "ERROR", .help = "why it does not answer, and what to do", .flags = FIELD_FLEX, .priority = 1 },
};

const struct row_type engine_row_type = {
	.name = "engines", .noun = "engines", .id = 0x656e6769, .schema = 1, .size = sizeof(struct engine_row),
	.fields = engine_fields, .n_fields = ARRAY_LEN(engine_fields),
};
