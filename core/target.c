/* Field tables of targets, networks and engines: what they are called in JSON, on the screen and in the manual. See target.h. */
#include "core/target.h"

#include "core/fd.h"
#include "core/source/holders.h"

#include <stdio.h>
#include <string.h>

const char *const target_state_names[TARGET_STATE_N] = {
	[TARGET_STATE_CREATED] = "created",
	[TARGET_STATE_RUNNING] = "running",
	[TARGET_STATE_PAUSED] = "paused",
	[TARGET_STATE_RESTARTING] = "restarting",
	[TARGET_STATE_REMOVING] = "removing",
	[TARGET_STATE_EXITED] = "exited",
	[TARGET_STATE_DEAD] = "dead",
};

const char *const target_health_names[TARGET_HEALTH_N] = {
	[TARGET_HEALTH_STARTING] = "starting",
	[TARGET_HEALTH_HEALTHY] = "healthy",
	[TARGET_HEALTH_UNHEALTHY] = "unhealthy",
};

/* --- columns made from several fields --- */

static size_t age(int64_t from, int64_t to, char *buf, size_t cap)
{
	int64_t s = to / 1000000000 - from / 1000000000;

	return row_format_age(s > 0 ? (double)s : 0, buf, cap);
}

/* "up 3h", "exit 1", "rst 4", "paused". */
static size_t format_status(const struct block *b, const void *row, char *buf, size_t cap)
{
	const struct target_row *r = row;
	char up[24] = "";

	if (r->holders.n && r->processes == 0)
		return (size_t)snprintf(buf, cap, "held");
	if (!(r->head.flags & TARGET_IS_CONTAINER))
		return (size_t)snprintf(buf, cap, r->processes == ROW_NO_UINT ? "-" : "%llu procs",
			(unsigned long long)r->processes);
	switch ((enum target_state)r->state) {
	case TARGET_STATE_RUNNING:
		if (r->started_at == ROW_NO_INT)
			return (size_t)snprintf(buf, cap, "up");
		age(r->started_at, block_time(b), up, sizeof up);
		return (size_t)snprintf(buf, cap, "up %s", up);
	case TARGET_STATE_RESTARTING:
		return (size_t)snprintf(buf, cap, r->restarts == ROW_NO_UINT ? "restarting" : "rst %llu",
			(unsigned long long)r->restarts);
	case TARGET_STATE_EXITED:
		return (size_t)snprintf(buf, cap, r->exit_code == ROW_NO_INT ? "exited" : "exit %lld", (long long)r->exit_code);
	case TARGET_STATE_CREATED:
	case TARGET_STATE_PAUSED:
	case TARGET_STATE_REMOVING:
	case TARGET_STATE_DEAD:
		return (size_t)snprintf(buf, cap, "%s", target_state_names[r->state]);
	case TARGET_STATE_N:
		break;
	}
	return (size_t)snprintf(buf, cap, "-");
}

/* Docker lists a port twice, for 0.0.0.0 and for ::; one mention says both. */
static bool said_before(const struct block *b, struct rows ports, uint32_t i)
{
	const struct port_row *p = block_nested(b, &port_row_type, ports, i);

	for (uint32_t k = 0; k < i; k++) {
		const struct port_row *o = block_nested(b, &port_row_type, ports, k);

		if (o->port == p->port && o->host_port == p->host_port && addr_is_any(&o->host_address) &&
			addr_is_any(&p->host_address) && text_equal(block_text(b, o->protocol), block_text(b, p->protocol)))
			return true;
	}
	return false;
}

/* "8080>80" published, "443" only exposed; a protocol other than tcp is said. */
static size_t format_ports(const struct block *b, const void *row, char *buf, size_t cap)
{
	const struct target_row *r = row;
	size_t n = 0;

	for (uint32_t i = 0; i < r->ports.n && n + 32 < cap; i++) {
		const struct port_row *p = block_nested(b, &port_row_type, r->ports, i);
		struct text proto = block_text(b, p->protocol);
		char address[ADDR_TEXT] = "";

		if (said_before(b, r->ports, i))
			continue;
		if (!addr_is_any(&p->host_address))
			addr_format(&p->host_address, address);
		n += (size_t)snprintf(buf + n, cap - n, n ? " " : "");
		if (p->host_port != ROW_NO_UINT)
			n += (size_t)snprintf(buf + n, cap - n, "%s%s%llu>", address, address[0] ? ":" : "",
				(unsigned long long)p->host_port);
		n += (size_t)snprintf(buf + n, cap - n, "%llu", (unsigned long long)p->port);
		if (!text_equal(proto, text_of("tcp")) && proto.n > 0 && n < cap)
			n += (size_t)snprintf(buf + n, cap - n, "/%.*s", (int)(proto.n < 16 ? proto.n : 16), proto.p);
	}
	return n ? (n < cap ? n : cap - 1) : (size_t)snprintf(buf, cap, "-");
}

/* --- tables --- */

#define F(member, k) ROW_FIELD(struct port_row, member, k)
static const struct field port_fields[] = {
	{ F(host_address, ADDR), .help = "address on the host; unknown: exposed, not published" },
	{ F(host_port, UINT), .unit = UNIT_ID, .help = "port on the host" },
	{ F(port, UINT), .unit = UNIT_ID, .help = "port in the container" },
	{ F(protocol, TEXT), .help = "tcp, udp or sctp" },
};
#undef F

const struct row_type port_row_type = { .name = "ports", .noun = "ports", .id = 0x706f7274, .schema = 1,
	.size = sizeof(struct port_row), .fields = port_fields, .n_fields = ARRAY_LEN(port_fields) };

#define F(member, k) ROW_FIELD(struct endpoint_row, member, k)
static const struct field endpoint_fields[] = {
	{ F(network, TEXT), .title = "NETWORK", .help = "name of the network" },
	{ F(network_id, TEXT), .help = "its id" },
	{ F(address, ADDR), .title = "ADDRESS", .help = "IPv4 address with its prefix length" },
	{ F(gateway, ADDR), .title = "GATEWAY", .help = "IPv4 gateway" },
	{ F(address6, ADDR), .title = "ADDRESS6", .help = "IPv6 address with its prefix length" },
	{ F(gateway6, ADDR), .help = "IPv6 gateway" },
	{ F(mac, ADDR), .title = "MAC", .help = "hardware address" },
	{ F(interface, TEXT), .title = "INTERFACE", .help = "bridge or parent interface on the host" },
	{ F(aliases, LIST), .help = "names by which the engine's DNS knows it there" },
};
#undef F

const struct row_type endpoint_row_type = { .name = "endpoints", .noun = "networks", .id = 0x656e6470, .schema = 1,
	.size = sizeof(struct endpoint_row), .fields = endpoint_fields, .n_fields = ARRAY_LEN(endpoint_fields) };

#define F(member, k) ROW_FIELD(struct target_row, member, k)
#define APP(t)       .title = t, .flags = FIELD_SCREEN | FIELD_HIDDEN | FIELD_RIGHT
static const struct field target_fields[] = {
	{ F(name, TEXT), .title = "NAME", .help = "name of the container or namespace", .width = 20 },
	{ F(id, TEXT), .title = "ID", .flags = FIELD_WIDE, .help = "full container id; of a namespace: its inode", .priority = 12 },
	{ F(runtime, TEXT), .title = "RUNTIME", .help = "engine that runs it; netns: a bare namespace; host", .priority = 6 },
	{ .name = "status", .title = "STATE", .kind = FIELD_ENUM, .offset = offsetof(struct target_row, state),
		.names = target_state_names, .n_names = TARGET_STATE_N, .flags = FIELD_SCREEN, .format = format_status,
		.help = "state with its age, exit code or restarts", .priority = 5 },
	{ F(state, ENUM), .names = target_state_names, .n_names = TARGET_STATE_N, .flags = FIELD_HIDDEN,
		.help = "created, running, paused, restarting, removing, exited, dead" },
	{ F(health, ENUM), .title = "HEALTH", .names = target_health_names, .n_names = TARGET_HEALTH_N, .priority = 8,
		.help = "of its health check: starting, healthy, unhealthy; unknown: it has none" },
	{ F(pid, UINT), .title = "PID", .unit = UNIT_ID, .flags = FIELD_RIGHT, .help = "process id on the host", .priority = 9 },
	{ F(image, TEXT), .title = "IMAGE", .help = "image it was made from", .priority = 10 },
	{ F(networks, LIST), .title = "NETWORKS", .help = "names of its networks", .priority = 4 },
	{ F(addresses, LIST), .title = "ADDRESSES", .flags = FIELD_NOCUT, .help = "its addresses", .priority = 3 },
	{ F(ports, ROWS), .title = "PORTS", .sub = &port_row_type, .format = format_ports, .priority = 7,
		.help = "published (host>container) and exposed ports" },
	{ F(endpoints, ROWS), .sub = &endpoint_row_type, .flags = FIELD_HIDDEN,
		.help = "each network with address, gateway, hardware address and interface on the host" },
	{ F(command, TEXT), .title = "COMMAND", .flags = FIELD_WIDE, .help = "what it runs", .priority = 12 },
	{ F(restarts, UINT), .title = "RESTARTS", .flags = FIELD_RIGHT | FIELD_WIDE, .help = "times the engine restarted it",
		.priority = 11 },
	{ F(exit_code, INT), .flags = FIELD_HIDDEN, .help = "exit code of its last run" },
	{ F(oom_killed, BOOL), .flags = FIELD_HIDDEN, .help = "the kernel ended it for want of memory" },
	{ F(created_at, TIME), .flags = FIELD_HIDDEN, .help = "when it was made" },
	{ F(started_at, TIME), .flags = FIELD_HIDDEN, .help = "when it was last started" },
	{ F(finished_at, TIME), .flags = FIELD_HIDDEN, .help = "when it last ended" },
	{ F(netns, UINT), .title = "NETNS", .unit = UNIT_ID, .flags = FIELD_RIGHT | FIELD_WIDE,
		.help = "inode of its network namespace", .priority = 11 },
	{ F(processes, UINT), .title = "PROCS", .flags = FIELD_RIGHT | FIELD_WIDE,
		.help = "processes in its network namespace", .priority = 11 },
	{ F(network_mode, TEXT), .flags = FIELD_HIDDEN, .help = "network mode as the engine says it" },
	{ F(shares_with, TEXT), .flags = FIELD_HIDDEN, .help = "container whose network namespace it uses" },
	{ F(hostname, TEXT), .flags = FIELD_HIDDEN, .help = "its host name" },
	{ F(project, TEXT), .flags = FIELD_HIDDEN, .help = "compose project" },
	{ F(pod, TEXT), .title = "POD", .flags = FIELD_WIDE, .help = "pod it belongs to", .priority = 11 },
	{ F(infra, BOOL), .flags = FIELD_HIDDEN, .help = "it only holds the namespaces of its pod open" },
	{ .name = "namespace", .kind = FIELD_TEXT, .offset = offsetof(struct target_row, space), .flags = FIELD_HIDDEN,
		.help = "containerd's or Kubernetes' namespace" },
	{ F(attempt, UINT), .flags = FIELD_HIDDEN, .help = "Kubernetes: times it was started before" },
	{ F(engine, TEXT), .flags = FIELD_HIDDEN, .help = "engine that named it; unknown: found in /proc, no engine answers for it" },
	{ F(owner, UINT), .unit = UNIT_ID, .flags = FIELD_HIDDEN, .help = "user of a rootless engine" },
	{ F(shared_by, LIST), .flags = FIELD_HIDDEN, .help = "others that use its network namespace" },
	{ F(path, TEXT), .flags = FIELD_HIDDEN, .help = "nsfs file of a namespace" },
	{ F(holders, ROWS), .sub = &holder_row_type, .flags = FIELD_HIDDEN,
		.help = "who keeps a namespace without a process alive: process, and by a descriptor, a socket or a thread" },
	{ F(start, UINT), .flags = FIELD_HIDDEN, .help = "start of pid in clock ticks since boot: with pid, its identity" },
	{ F(problem, TEXT), .title = "WHAT IS WRONG", .flags = FIELD_FLEX, .help = "what is wrong, in words", .priority = 1 },
	{ F(as_of, TIME), .flags = FIELD_HIDDEN, .help = "set while its engine does not answer: time of the last answer" },
	{ F(cpu_percent, REAL), APP("CPU%"), .unit = UNIT_PERCENT, .help = "CPU, 100 is one core" },
	{ F(memory_bytes, UINT), APP("MEM"), .unit = UNIT_BYTES, .help = "memory without inactive page cache, as docker stats" },
	{ F(memory_percent, REAL), APP("MEM%"), .unit = UNIT_PERCENT, .help = "memory of its limit" },
	{ F(rx_bytes_per_second, UINT), APP("RX/S"), .unit = UNIT_BYTES, .help = "received per second" },
	{ F(tx_bytes_per_second, UINT), APP("TX/S"), .unit = UNIT_BYTES, .help = "sent per second" },
	{ F(retransmit_percent, REAL), APP("RETR%"), .unit = UNIT_PERCENT, .help = "TCP segments sent again lately" },
};
#undef F
#undef APP

const struct row_type target_row_type = { .name = "ls", .noun = "targets", .id = 0x74617267, .schema = 1,
	.size = sizeof(struct target_row), .fields = target_fields, .n_fields = ARRAY_LEN(target_fields) };

#define F(member, k) ROW_FIELD(struct network_row, member, k)
static const struct field network_fields[] = {
	{ F(name, TEXT), .title = "NAME", .help = "name of the network" },
	{ F(id, TEXT), .title = "ID", .flags = FIELD_WIDE, .help = "its id", .priority = 11 },
	{ F(runtime, TEXT), .title = "RUNTIME", .help = "engine that has it", .priority = 8 },
	{ F(driver, TEXT), .title = "DRIVER", .help = "bridge, host, macvlan, overlay, null", .priority = 4 },
	{ F(subnets, LIST), .title = "SUBNETS", .help = "address ranges", .priority = 1 },
	{ F(gateway, ADDR), .title = "GATEWAY", .flags = FIELD_NOCUT, .help = "address of the host in it", .priority = 2 },
	{ F(interface, TEXT), .title = "INTERFACE", .help = "bridge or parent interface on the host", .priority = 3 },
	{ F(members, LIST), .title = "MEMBERS", .flags = FIELD_FLEX, .help = "containers on it", .priority = 5 },
	{ F(scope, TEXT), .title = "SCOPE", .flags = FIELD_WIDE, .help = "local, swarm or global", .priority = 10 },
	{ F(internal, BOOL), .flags = FIELD_HIDDEN, .help = "without a way to the outside" },
	{ F(ipv6, BOOL), .flags = FIELD_HIDDEN, .help = "IPv6 is on" },
	{ F(mtu, UINT), .flags = FIELD_HIDDEN, .help = "MTU when one was set" },
	{ F(created_at, TIME), .flags = FIELD_HIDDEN, .help = "when it was made" },
	{ F(as_of, TIME), .flags = FIELD_HIDDEN, .help = "set while its engine does not answer: time of the last answer" },
};
#undef F

const struct row_type network_row_type = { .name = "networks", .noun = "networks", .id = 0x6e657477, .schema = 1,
	.size = sizeof(struct network_row), .fields = network_fields, .n_fields = ARRAY_LEN(network_fields) };

#define F(member, k) ROW_FIELD(struct engine_row, member, k)
static const struct field engine_fields[] = {
	{ F(runtime, TEXT), .title = "RUNTIME", .help = "docker or podman" },
	{ F(endpoint, TEXT), .title = "ENDPOINT", .help = "where it listens" },
	{ F(answering, BOOL), .title = "ANSWERS", .help = "it answers now" },
	{ F(version, TEXT), .title = "VERSION", .help = "of the engine" },
	{ F(api, TEXT), .title = "API", .help = "version of the API that is spoken" },
	{ F(latency_us, UINT), .title = "TIME", .unit = UNIT_US, .flags = FIELD_RIGHT, .help = "of the last answer" },
	{ F(answered_at, TIME), .flags = FIELD_HIDDEN, .help = "time of the last answer" },
	{ F(owner, UINT), .title = "USER", .unit = UNIT_ID, .flags = FIELD_RIGHT | FIELD_WIDE, .help = "user whose engine it is, when not root's" },
	{ F(error, TEXT), .title = "ERROR", .flags = FIELD_FLEX, .help = "why it does not answer" },
};
#undef F

const struct row_type engine_row_type = { .name = "engines", .noun = "engines", .id = 0x656e6769, .schema = 1,
	.size = sizeof(struct engine_row), .fields = engine_fields, .n_fields = ARRAY_LEN(engine_fields) };
