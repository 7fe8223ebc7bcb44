/* The row of a port: its fields, and what is needed to make one. See ports.h. */
#include "core/net/ports.h"

#include "core/err.h"
#include "core/fd.h"
#include "core/net/ports_draft.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

enum { CLIENT_PORTS = 32768 }; /* ip_local_port_range begins here unless somebody changed it */

bool net_ports_is_quiet(const struct net_port_row *row)
{
	if (row->kind != NET_PORT_LISTENS)
		return false;
	return row->exposure == NET_EXPOSED_LOOPBACK || (row->head.flags & NET_PORT_DATAGRAM && row->port >= CLIENT_PORTS);
}

int net_ports_inodes(const struct block *listeners)
{
	AUTO(fd_closep) int fd = memfd_create("sockets", MFD_CLOEXEC);
	uint32_t all = listeners ? block_count(listeners) : 0, n = 0;
	AUTO(fd_freep) uint64_t *list = fd_xcalloc(all + 1, sizeof *list);
	int r;

	if (fd < 0)
		return -errno;
	for (uint32_t i = 0; i < all && n < NET_HOLDERS; i++) {
		const struct net_listener_row *l = block_row(listeners, i);

		if (l->inode != ROW_NO_UINT)
			list[n++] = l->inode;
	}
	r = fd_write_all(fd, list, n * sizeof *list);
	return r < 0 ? r : fd_take(&fd);
}

/* --- fields --- */

static size_t bounded(int n, size_t cap)
{
	return n < 0 ? 0 : (size_t)n < cap ? (size_t)n : cap - 1;
}

static size_t format_host(const struct block *b, const void *row, char *buf, size_t cap)
{
	const struct net_port_row *r = row;

	(void)b;
	return r->host_port == ROW_NO_UINT ? bounded(snprintf(buf, cap, "-"), cap) : net_ports_endpoint(&r->host_address, r->host_port, buf, cap);
}

static size_t format_listener(const struct block *b, const void *row, char *buf, size_t cap)
{
	const struct net_port_row *r = row;

	(void)b;
	return r->listen_address.kind == ADDR_NONE ? bounded(snprintf(buf, cap, "-"), cap) :
		net_ports_endpoint(&r->listen_address, r->port, buf, cap);
}

/* How packets come in: "rule+docker-proxy". */
static size_t format_by(const struct block *b, const void *row, char *buf, size_t cap)
{
	const struct net_port_row *r = row;
	struct text by = block_text(b, r->forwarder);

	if (r->kind == NET_PORT_LISTENS || (r->rule != 1 && !by.n))
		return bounded(snprintf(buf, cap, "-"), cap);
	return bounded(snprintf(buf, cap, "%s%s%.*s", r->rule == 1 ? "rule" : "", r->rule == 1 && by.n ? "+" : "", (int)by.n, by.n ? by.p : ""), cap);
}

static size_t format_reach(const struct block *b, const void *row, char *buf, size_t cap)
{
	const struct net_port_row *r = row;
	struct text item;
	size_t n = 0;

	if (r->reached_from.len == UINT32_MAX)
		return bounded(snprintf(buf, cap, "-"), cap);
	for (uint32_t i = 0; block_list_item(b, r->reached_from, i, &item); i++)
		n += bounded(snprintf(buf + n, cap - n, "%s%.*s", i ? " " : "", (int)item.n, item.p), cap - n);
	return n ? n : bounded(snprintf(buf, cap, "nowhere"), cap);
}

static size_t format_words(const struct block *b, const void *row, char *buf, size_t cap)
{
	const struct net_port_row *r = row;
	struct text words = block_text(b, r->problem.len != UINT32_MAX ? r->problem : r->note);

	return bounded(snprintf(buf, cap, "%.*s", words.n ? (int)words.n : 1, words.n ? words.p : "-"), cap);
}

const char *const net_exposure_names[NET_EXPOSURE_N] = {
	[NET_EXPOSED_LOOPBACK] = "loopback", [NET_EXPOSED_HOST] = "host", [NET_EXPOSED_LAN] = "lan", [NET_EXPOSED_WORLD] = "world",
};

static const char *const kind_names[NET_PORT_KIND_N] = {
	[NET_PORT_PUBLISHED] = "published", [NET_PORT_LISTENS] = "listens", [NET_PORT_LEFTOVER] = "leftover",
};

#define FIELD(member, kind) ROW_FIELD(struct net_port_row, member, kind)
#define AT(member)          .offset = offsetof(struct net_port_row, member)

static const struct field port_fields[] = {
	{ FIELD(target, TEXT), .title = "TARGET", .help = "container; null: a leftover for an address that no container has" },
	{ .name = "host", .title = "HOST", .kind = FIELD_ADDR, AT(host_address), .flags = FIELD_SCREEN | FIELD_NOCUT,
		.help = "address and port of the host; -: not published", .format = format_host },
	{ FIELD(host_address, ADDR), .title = "HOST-ADDRESS", .help = "address of the host that it is published on; null: not published",
		.flags = FIELD_HIDDEN },
	{ FIELD(host_port, UINT), .title = "HOST-PORT", .unit = UNIT_ID, .help = "port of the host", .flags = FIELD_HIDDEN },
	{ FIELD(protocol, TEXT), .title = "PROTO", .help = "tcp, udp, sctp" },
	{ FIELD(port, UINT), .title = "PORT", .unit = UNIT_ID, .help = "port in the container", .flags = FIELD_RIGHT },
	{ FIELD(exposure, ENUM), .title = "EXPOSED", .help = "who may come, by addresses alone: loopback (this host, or the container itself), host (this "
		"machine and its containers), lan, world; packet filters are not evaluated",
		.names = net_exposure_names, .n_names = NET_EXPOSURE_N, .priority = 1 },
	{ .name = "by", .title = "BY", .kind = FIELD_TEXT, AT(forwarder), .flags = FIELD_SCREEN, .priority = 5,
		.help = "how packets come in: DNAT rule, program that forwards", .format = format_by },
	{ .name = "listener", .title = "LISTENS", .kind = FIELD_ADDR, AT(listen_address), .flags = FIELD_SCREEN | FIELD_NOCUT, .priority = 2,
		.help = "socket in the container that takes it", .format = format_listener },
	{ FIELD(listen_address, ADDR), .title = "LISTEN-ADDRESS", .help = "address of the socket in the container; null: there is none",
		.flags = FIELD_HIDDEN },
	{ FIELD(process, TEXT), .title = "PROCESS", .help = "who holds that socket", .priority = 3 },
	{ FIELD(pid, UINT), .title = "PID", .unit = UNIT_ID, .help = "its process", .flags = FIELD_RIGHT, .priority = 4 },
	{ FIELD(kind, ENUM), .title = "KIND", .help = "published; listens (not published); leftover (a rule or proxy that the engine does not know)",
		.names = kind_names, .n_names = NET_PORT_KIND_N, .flags = FIELD_WIDE },
	{ FIELD(reached_from, LIST), .title = "REACHED-FROM", .help = "from where a connection comes through to a listener: loopback, host (an own "
		"address), outside (other machines)", .flags = FIELD_WIDE, .format = format_reach },
	{ FIELD(published, BOOL), .title = "PUBLISHED", .help = "the engine says so; null: it does not answer or does not tell", .flags = FIELD_HIDDEN },
	{ FIELD(rule, BOOL), .title = "RULE", .help = "a DNAT rule leads to the container; null: not readable", .flags = FIELD_HIDDEN },
	{ FIELD(rule_text, TEXT), .title = "RULE-TEXT", .help = "that rule in words", .flags = FIELD_HIDDEN },
	{ FIELD(rule_place, TEXT), .title = "RULE-PLACE", .help = "where it is: table, chain, handle or number", .flags = FIELD_HIDDEN },
	{ FIELD(rule_packets, UINT), .title = "RULE-PACKETS", .help = "connections that met it", .flags = FIELD_HIDDEN },
	{ FIELD(rule_bytes, UINT), .title = "RULE-BYTES", .unit = UNIT_BYTES, .help = "bytes of their first packets", .flags = FIELD_HIDDEN },
	{ FIELD(forwarder, TEXT), .title = "FORWARDER", .help = "program that listens outside for it", .flags = FIELD_HIDDEN },
	{ FIELD(forwarder_pid, UINT), .title = "FORWARDER-PID", .unit = UNIT_ID, .help = "its process", .flags = FIELD_HIDDEN },
	{ FIELD(forwarder_command, TEXT), .title = "FORWARDER-COMMAND", .help = "its arguments", .flags = FIELD_HIDDEN },
	{ FIELD(to_address, ADDR), .title = "TO-ADDRESS", .help = "where the rule or program sends to", .flags = FIELD_HIDDEN },
	{ FIELD(to_port, UINT), .title = "TO-PORT", .unit = UNIT_ID, .help = "and to which port", .flags = FIELD_HIDDEN },
	{ FIELD(netns, UINT), .title = "NETNS", .unit = UNIT_ID, .help = "inode of the container's network namespace", .flags = FIELD_HIDDEN },
	{ FIELD(outside, TEXT), .title = "OUTSIDE", .help = "whose namespace is outside of it", .flags = FIELD_HIDDEN },
	{ FIELD(outside_netns, UINT), .title = "OUTSIDE-NETNS", .unit = UNIT_ID, .help = "its inode", .flags = FIELD_HIDDEN },
	{ FIELD(note, TEXT), .title = "NOTE", .help = "worth knowing, and nothing wrong", .flags = FIELD_HIDDEN },
	{ FIELD(problem, TEXT), .title = "PROBLEM", .help = "what is wrong, in words; null: nothing found", .flags = FIELD_HIDDEN },
	{ .name = "words", .title = "WHAT IS WRONG", .kind = FIELD_TEXT, AT(problem), .help = "what is wrong, or else worth knowing",
		.flags = FIELD_SCREEN | FIELD_FLEX, .priority = 1, .format = format_words },
};

const struct row_type net_port_row_type = {
	.name = "published", .noun = "ports", .id = 0x70756273, .schema = 1, .size = sizeof(struct net_port_row),
	.fields = port_fields, .n_fields = ARRAY_LEN(port_fields),
};
