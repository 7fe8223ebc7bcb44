/* Ports: see ports.h. The engine's list is compared with the sockets inside; a published port needs one that others can reach. */
#include "core/net/ports.h"

#include "core/fd.h"
#include "core/source/sockets.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct found {
	const struct sock_row *reachable; /* takes connections from outside */
	const struct sock_row *loopback; /* only from inside */
};

static bool protocol_of(struct text name, enum sock_protocol *ret)
{
	if (text_equal(name, text_of("tcp")))
		*ret = SOCK_PROTO_TCP;
	else if (text_equal(name, text_of("udp")))
		*ret = SOCK_PROTO_UDP;
	else
		return false; /* sctp: its sockets are not read */
	return true;
}

/* TCP listens; a datagram socket takes from everybody as long as it has no peer. */
static bool waits(const struct sock_row *s, enum sock_protocol protocol)
{
	return s->protocol == protocol && s->state == (protocol == SOCK_PROTO_TCP ? SOCK_STATE_LISTEN : SOCK_STATE_UNCONN);
}

static struct found find(const struct block *sockets, enum sock_protocol protocol, uint64_t port)
{
	struct found f = { NULL, NULL };

	for (uint32_t i = 0; sockets && i < block_count(sockets); i++) {
		const struct sock_row *s = block_row(sockets, i);
		struct addr local = addr_unmap(&s->local_address);

		if (!waits(s, protocol) || s->local_port != port)
			continue;
		if (addr_is_loopback(&local))
			f.loopback = f.loopback ? f.loopback : s;
		else
			f.reachable = f.reachable ? f.reachable : s;
	}
	return f;
}

static void judge(struct builder *b, struct net_port_row *row, const struct found *f, struct text protocol)
{
	char words[160], address[ADDR_TEXT];

	if (f->reachable)
		return;
	row->head.severity = SEVERITY_BAD;
	if (f->loopback)
		snprintf(words, sizeof words, "listens on %s only: connections from outside the container are refused",
			addr_format(&f->loopback->local_address, address));
	else
		snprintf(words, sizeof words, "nobody listens on %" PRIu64 "/%.*s in the container", row->port, (int)protocol.n, protocol.p);
	row->problem = builder_str(b, words);
}

static uint32_t exposure_of(const struct addr *a)
{
	if (a->kind == ADDR_NONE || addr_is_any(a))
		return NET_EXPOSED_ALL;
	return addr_is_loopback(a) ? NET_EXPOSED_LOOPBACK : NET_EXPOSED_ADDRESS;
}

static void add(struct builder *b, const struct block *targets, const struct target_row *t, const struct port_row *p, const struct block *sockets)
{
	struct text name = block_text(targets, t->name), protocol = block_text(targets, p->protocol);
	struct net_port_row *row = builder_row(b);
	enum sock_protocol kind = SOCK_PROTO_TCP;
	bool known = protocol_of(protocol, &kind);
	struct found f = known ? find(sockets, kind, p->port) : (struct found){ NULL, NULL };
	const struct sock_row *s = f.reachable ? f.reachable : f.loopback;
	uint64_t key[] = { t->head.id, p->host_port, p->port, kind };

	*row = (struct net_port_row){ .target = builder_text(b, name.p, name.n), .protocol = builder_text(b, protocol.p, protocol.n),
		.host_address = p->host_address, .host_port = p->host_port, .port = p->port, .exposure = exposure_of(&p->host_address),
		.pid = ROW_NO_UINT, .process = ROW_NO_TEXT, .problem = ROW_NO_TEXT };
	row->head.id = row_hash(&p->host_address, sizeof p->host_address, row_hash(key, sizeof key, 0));
	if (s) {
		struct text process = block_text(sockets, s->process);

		row->listen_address = s->local_address;
		row->pid = s->pid;
		row->process = builder_text(b, process.p, process.n);
	}
	if (known && sockets)
		judge(b, row, &f, protocol);
}

void net_ports_add(struct builder *b, const struct block *targets, const struct target_row *t, const struct block *sockets)
{
	for (uint32_t i = 0; i < t->ports.n; i++) {
		const struct port_row *p = block_nested(targets, &port_row_type, t->ports, i);

		if (p->host_port != ROW_NO_UINT)
			add(b, targets, t, p, sockets);
	}
}

bool net_ports_any(const struct block *targets, const struct target_row *t)
{
	for (uint32_t i = 0; i < t->ports.n; i++)
		if (((const struct port_row *)block_nested(targets, &port_row_type, t->ports, i))->host_port != ROW_NO_UINT)
			return true;
	return false;
}

/* --- fields --- */

static size_t bounded(int n, size_t cap)
{
	return n < 0 ? 0 : (size_t)n < cap ? (size_t)n : cap - 1;
}

static size_t endpoint(const struct addr *a, uint64_t port, char *buf, size_t cap)
{
	char text[ADDR_TEXT];

	if (a->kind == ADDR_NONE)
		return bounded(snprintf(buf, cap, "*:%" PRIu64, port), cap);
	return bounded(snprintf(buf, cap, a->kind == ADDR_IP6 ? "[%s]:%" PRIu64 : "%s:%" PRIu64, addr_format(a, text), port), cap);
}

static size_t format_host(const struct block *b, const void *row, char *buf, size_t cap)
{
	const struct net_port_row *r = row;

	(void)b;
	return endpoint(&r->host_address, r->host_port, buf, cap);
}

static size_t format_listener(const struct block *b, const void *row, char *buf, size_t cap)
{
	const struct net_port_row *r = row;

	(void)b;
	return r->listen_address.kind == ADDR_NONE ? bounded(snprintf(buf, cap, "-"), cap) : endpoint(&r->listen_address, r->port, buf, cap);
}

static const char *const exposure_names[NET_EXPOSURE_N] = {
	[NET_EXPOSED_LOOPBACK] = "loopback", [NET_EXPOSED_ADDRESS] = "one address", [NET_EXPOSED_ALL] = "all addresses",
};

#define FIELD(member, kind) ROW_FIELD(struct net_port_row, member, kind)
#define AT(member)          .offset = offsetof(struct net_port_row, member)

static const struct field port_fields[] = {
	{ FIELD(target, TEXT), .title = "TARGET", .help = "container" },
	{ .name = "host", .title = "HOST", .kind = FIELD_ADDR, AT(host_address), .flags = FIELD_SCREEN | FIELD_NOCUT,
		.help = "address and port of the host", .format = format_host },
	{ FIELD(host_address, ADDR), .title = "HOST-ADDRESS", .help = "address of the host that it is published on; null: all",
		.flags = FIELD_HIDDEN },
	{ FIELD(host_port, UINT), .title = "HOST-PORT", .unit = UNIT_ID, .help = "port of the host", .flags = FIELD_HIDDEN },
	{ FIELD(protocol, TEXT), .title = "PROTO", .help = "tcp, udp, sctp" },
	{ FIELD(port, UINT), .title = "PORT", .unit = UNIT_ID, .help = "port in the container", .flags = FIELD_RIGHT },
	{ FIELD(exposure, ENUM), .title = "EXPOSED ON", .help = "by its address: loopback, one address, all addresses; firewalls are not looked at",
		.names = exposure_names, .n_names = NET_EXPOSURE_N, .priority = 2 },
	{ .name = "listener", .title = "LISTENS", .kind = FIELD_ADDR, AT(listen_address), .flags = FIELD_SCREEN | FIELD_NOCUT, .priority = 1,
		.help = "socket in the container that takes it", .format = format_listener },
	{ FIELD(listen_address, ADDR), .title = "LISTEN-ADDRESS", .help = "address of the socket in the container; null: there is none",
		.flags = FIELD_HIDDEN },
	{ FIELD(process, TEXT), .title = "PROCESS", .help = "who holds that socket", .priority = 3 },
	{ FIELD(pid, UINT), .title = "PID", .unit = UNIT_ID, .help = "its process", .flags = FIELD_RIGHT, .priority = 4 },
	{ FIELD(problem, TEXT), .title = "WHAT IS WRONG", .help = "what is wrong, in words; null: nothing found", .flags = FIELD_FLEX,
		.priority = 1 },
};

const struct row_type net_port_row_type = {
	.name = "published", .noun = "published ports", .id = 0x70756273, .schema = 1, .size = sizeof(struct net_port_row),
	.fields = port_fields, .n_fields = ARRAY_LEN(port_fields),
};
