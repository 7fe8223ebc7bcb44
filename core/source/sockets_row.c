/* What a socket's row shows: the field table of "ss" and its combined columns, addresses written as ss(8) writes them. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/fd.h"
#include "core/source/sockets.h"

enum { PATH_SHOWN = 32 };

static size_t put(char *buf, size_t cap, int n)
{
	(void)buf;
	return n < 0 ? 0 : (size_t)n < cap ? (size_t)n : cap - 1;
}

/* By hand: 100,000 rows have three such cells each. */
static size_t append(char *buf, size_t cap, size_t n, const char *p, size_t len)
{
	if (len > cap - 1 - n)
		len = cap - 1 - n;
	if (len)
		memcpy(buf + n, p, len);
	buf[n + len] = 0;
	return n + len;
}

static size_t append_str(char *buf, size_t cap, size_t n, const char *s)
{
	return append(buf, cap, n, s, strlen(s));
}

static size_t append_uint(char *buf, size_t cap, size_t n, uint64_t v)
{
	char digits[24];

	return append(buf, cap, n, digits, row_format_uint(v, digits, sizeof digits));
}

static size_t format_endpoint(const struct addr *a, uint64_t port, struct text device, char *buf, size_t cap)
{
	char text[ADDR_TEXT];
	bool v6 = a->kind == ADDR_IP6;
	size_t n = append_str(buf, cap, 0, v6 ? "[" : "");

	n = append_str(buf, cap, n, addr_format(a, text));
	n = append_str(buf, cap, n, v6 ? "]" : "");
	if (device.n) {
		n = append_str(buf, cap, n, "%");
		n = append(buf, cap, n, device.p, device.n < 16 ? device.n : 16);
	}
	n = append_str(buf, cap, n, ":");
	return append_uint(buf, cap, n, port);
}

static size_t format_local(const struct block *b, const void *row, char *buf, size_t cap)
{
	const struct sock_row *s = row;
	struct text path = block_text(b, s->path), device = block_text(b, s->interface);

	if (s->protocol != SOCK_PROTO_UNIX)
		return format_endpoint(&s->local_address, s->local_port, device, buf, cap);
	if (path.n == 0)
		return put(buf, cap, snprintf(buf, cap, "*"));
	/* The end says more than the start; `path` has all of it. */
	if (path.n > PATH_SHOWN)
		return put(buf, cap, snprintf(buf, cap, "~%.*s", PATH_SHOWN - 1, path.p + path.n - (PATH_SHOWN - 1)));
	return put(buf, cap, snprintf(buf, cap, "%.*s", (int)path.n, path.p));
}

static size_t format_remote(const struct block *b, const void *row, char *buf, size_t cap)
{
	const struct sock_row *s = row;

	(void)b;
	if (s->protocol == SOCK_PROTO_UNIX && s->peer_inode != ROW_NO_UINT)
		return put(buf, cap, snprintf(buf, cap, "* %" PRIu64, s->peer_inode));
	if (addr_is_any(&s->remote_address))
		return put(buf, cap, snprintf(buf, cap, "-"));
	return format_endpoint(&s->remote_address, s->remote_port, (struct text){ .n = 0 }, buf, cap);
}

static size_t format_holder(const struct block *b, const void *row, char *buf, size_t cap)
{
	const struct sock_row *s = row;
	struct text name = block_text(b, s->process);
	size_t n;

	if (s->pid == ROW_NO_UINT)
		return put(buf, cap, snprintf(buf, cap, "-"));
	n = append(buf, cap, 0, name.p, name.n < 64 ? name.n : 64);
	n = append_str(buf, cap, n, "/");
	n = append_uint(buf, cap, n, s->pid);
	return append_str(buf, cap, n, s->owners.n > 1 ? "+" : "");
}

static const char *const protocol_names[SOCK_PROTO_N] = {
	[SOCK_PROTO_TCP] = "tcp", [SOCK_PROTO_UDP] = "udp", [SOCK_PROTO_UDPLITE] = "udplite", [SOCK_PROTO_RAW] = "raw",
	[SOCK_PROTO_ICMP] = "icmp", [SOCK_PROTO_UNIX] = "unix",
};

static const char *const family_names[] = { "", "", "", "", "ipv4", "", "ipv6" };

static const char *const state_names[SOCK_STATE_N] = {
	[SOCK_STATE_ESTAB] = "ESTAB", [SOCK_STATE_SYN_SENT] = "SYN-SENT", [SOCK_STATE_SYN_RECV] = "SYN-RECV",
	[SOCK_STATE_FIN_WAIT_1] = "FIN-WAIT-1", [SOCK_STATE_FIN_WAIT_2] = "FIN-WAIT-2", [SOCK_STATE_TIME_WAIT] = "TIME-WAIT",
	[SOCK_STATE_UNCONN] = "UNCONN", [SOCK_STATE_CLOSE_WAIT] = "CLOSE-WAIT", [SOCK_STATE_LAST_ACK] = "LAST-ACK",
	[SOCK_STATE_LISTEN] = "LISTEN", [SOCK_STATE_CLOSING] = "CLOSING",
};

#define FIELD(member, kind) ROW_FIELD(struct sock_row, member, kind)
#define AT(member)          .offset = offsetof(struct sock_row, member)

/* In the order of JSON; the screen's combined columns stand between. */
static const struct field sock_fields[] = {
	{ FIELD(protocol, ENUM), .title = "PROTO", .help = "tcp, udp, udplite, raw, icmp, unix", .names = protocol_names,
		.n_names = SOCK_PROTO_N, .width = 5, .priority = 5 },
	{ FIELD(state, ENUM), .title = "STATE", .help = "connection state, named as in ss(8)", .names = state_names,
		.n_names = SOCK_STATE_N, .width = 10 },
	{ FIELD(local_address, ADDR), .title = "LOCAL-ADDRESS", .help = "own address", .flags = FIELD_HIDDEN },
	{ FIELD(local_port, UINT), .title = "LOCAL-PORT", .unit = UNIT_ID, .help = "own port; raw: number of the IP protocol",
		.flags = FIELD_HIDDEN },
	{ FIELD(remote_address, ADDR), .title = "REMOTE-ADDRESS", .help = "address of the other end", .flags = FIELD_HIDDEN },
	{ FIELD(remote_port, UINT), .title = "REMOTE-PORT", .unit = UNIT_ID, .help = "port of the other end", .flags = FIELD_HIDDEN },
	{ .name = "local", .title = "LOCAL", .help = "own address and port, or unix path", .kind = FIELD_ADDR, AT(local_address),
		.flags = FIELD_SCREEN | FIELD_NOCUT, .priority = 1, .format = format_local },
	{ .name = "remote", .title = "REMOTE", .help = "address and port of the other end; unix: inode of the peer",
		.kind = FIELD_ADDR, AT(remote_address), .flags = FIELD_SCREEN | FIELD_NOCUT, .priority = 2, .format = format_remote },
	{ .name = "peer_name", .title = "PEER", .help = "container at the other end", .kind = FIELD_TEXT, AT(peer),
		.flags = FIELD_SCREEN, .width = 12, .priority = 3 },
	{ .name = "holder", .title = "PROCESS", .help = "process that holds it: name/pid; +: there are more", .kind = FIELD_TEXT,
		AT(process), .flags = FIELD_SCREEN, .width = 12, .priority = 4, .format = format_holder },
	{ FIELD(recv_queue, UINT), .title = "RECV-Q", .help = "bytes received and not read; LISTEN: connections waiting for accept",
		.flags = FIELD_RIGHT, .width = 6, .priority = 7 },
	{ FIELD(send_queue, UINT), .title = "SEND-Q", .help = "bytes sent and not confirmed; LISTEN: limit of waiting connections",
		.flags = FIELD_RIGHT, .width = 6, .priority = 6 },
	{ FIELD(uid, UINT), .title = "UID", .unit = UNIT_ID, .help = "user who made it", .flags = FIELD_RIGHT | FIELD_WIDE,
		.width = 5, .priority = 9 },
	{ FIELD(inode, UINT), .title = "INODE", .unit = UNIT_ID, .help = "number of the socket", .flags = FIELD_RIGHT | FIELD_WIDE,
		.priority = 11 },
	{ FIELD(pid, UINT), .title = "PID", .unit = UNIT_ID, .help = "process that holds it, the first one", .flags = FIELD_HIDDEN },
	{ FIELD(process, TEXT), .title = "COMMAND", .help = "command name of pid", .flags = FIELD_HIDDEN },
	{ FIELD(owners, ROWS), .sub = &owner_row_type, .title = "OWNERS", .help = "all processes that hold it",
		.flags = FIELD_HIDDEN },
	{ FIELD(path, TEXT), .title = "PATH", .help = "unix: path, or @name for an abstract one", .flags = FIELD_WIDE,
		.priority = 12 },
	{ FIELD(type, TEXT), .title = "TYPE", .help = "unix: stream, dgram, seqpacket", .flags = FIELD_WIDE, .priority = 11 },
	{ FIELD(peer, TEXT), .title = "PEER-NAME", .help = "container that has the other end's address", .flags = FIELD_HIDDEN },
	{ FIELD(peer_inode, UINT), .title = "PEER-INODE", .unit = UNIT_ID, .help = "unix: socket at the other end",
		.flags = FIELD_HIDDEN },
	{ FIELD(family, ENUM), .title = "FAMILY", .help = "ipv4 or ipv6", .names = family_names, .n_names = ARRAY_LEN(family_names),
		.flags = FIELD_HIDDEN },
	{ FIELD(retransmits, UINT), .title = "RTX", .help = "how often the oldest unconfirmed segment was sent again",
		.flags = FIELD_RIGHT, .width = 3, .priority = 8 },
	{ FIELD(timer_ms, UINT), .title = "TIMER", .help = "milliseconds until its timer fires", .flags = FIELD_RIGHT | FIELD_WIDE,
		.width = 6, .priority = 10 },
	{ FIELD(interface, TEXT), .title = "IF", .help = "device it is bound to", .flags = FIELD_WIDE, .priority = 11 },
};

const struct row_type sock_row_type = {
	.name = "ss", .noun = "sockets", .id = 0x736f636b, .schema = 1, .size = sizeof(struct sock_row), .fields = sock_fields,
	.n_fields = ARRAY_LEN(sock_fields),
};
