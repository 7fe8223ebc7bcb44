/* Rules that change a destination, as rows: the field table of nat.h, and whether a packet meets one. */
#include "core/net/nat.h"

#include "core/block.h"
#include "core/fd.h"
#include "core/net/nat_match.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char *const origin_names[NAT_ORIGIN_N] = {
	[NAT_NFT] = "nft", [NAT_IPTABLES_NFT] = "iptables-nft", [NAT_IPTABLES_LEGACY] = "iptables-legacy",
};
static const char *const action_names[NAT_ACTION_N] = { [NAT_DNAT] = "dnat", [NAT_REDIRECT] = "redirect", [NAT_TPROXY] = "tproxy" };
static const char *const from_names[] = { "nowhere", "outside", "host", "both" }; /* NAT_FROM_* */
static const char *const family_names[] = { "both", "", "", "", "ipv4", "", "ipv6" };

/* --- how they look --- */

static size_t bounded(int n, size_t cap)
{
	return n < 0 ? 0 : (size_t)n < cap ? (size_t)n : cap - 1;
}

static size_t put_ports(uint64_t from, uint64_t to, const char *before, char *buf, size_t cap)
{
	if (from == ROW_NO_UINT)
		return 0;
	if (from == to)
		return bounded(snprintf(buf, cap, "%s%" PRIu64, before, from), cap);
	return bounded(snprintf(buf, cap, "%s%" PRIu64 "-%" PRIu64, before, from, to), cap);
}

static const char *address_text(const struct addr *a, bool bracket, char *buf, size_t cap)
{
	char text[ADDR_TEXT];

	addr_format(a, text);
	snprintf(buf, cap, bracket && a->kind == ADDR_IP6 ? "[%s]" : "%s", text);
	return buf;
}

/* "tcp *:8080", "udp !127.0.0.0/8:53", "tcp local:80" */
static size_t format_packets(const struct block *b, const void *row, char *buf, size_t cap)
{
	const struct nat_row *r = row;
	struct text protocol = block_text(b, r->protocol);
	bool has_ports = r->port != ROW_NO_UINT;
	char to[ADDR_TEXT + 2];
	size_t n = 0;

	if (protocol.n)
		n += bounded(snprintf(buf, cap, "%.*s ", (int)protocol.n, protocol.p), cap);
	if (r->address.kind)
		address_text(&r->address, has_ports, to, sizeof to);
	else
		snprintf(to, sizeof to, "%s", r->local_only == 1 ? "host" : "any");
	n += bounded(snprintf(buf + n, cap - n, "%s%s", r->address_not == 1 ? "!" : "", to), cap - n);
	return n + put_ports(r->port, r->port_last, ":", buf + n, cap - n);
}

static size_t format_to(const struct block *b, const void *row, char *buf, size_t cap)
{
	const struct nat_row *r = row;
	bool has_ports = r->to_port != ROW_NO_UINT;
	char from[ADDR_TEXT + 2] = "", to[ADDR_TEXT + 2] = "";
	size_t n;

	(void)b;
	if (r->to_address.kind)
		address_text(&r->to_address, has_ports && !r->to_address_last.kind, from, sizeof from);
	else
		snprintf(from, sizeof from, "%s", r->action == NAT_DNAT ? "same" : "host");
	if (r->to_address_last.kind)
		address_text(&r->to_address_last, false, to, sizeof to);
	n = bounded(snprintf(buf, cap, "%s%s%s", from, to[0] ? "-" : "", to), cap);
	return n + put_ports(r->to_port, r->to_port_last, ":", buf + n, cap - n);
}

static size_t format_in(const struct block *b, const void *row, char *buf, size_t cap)
{
	const struct nat_row *r = row;
	struct text in = block_text(b, r->in);

	return in.n ? bounded(snprintf(buf, cap, "%s%.*s", r->in_not == 1 ? "!" : "", (int)in.n, in.p), cap) : 0;
}

static size_t format_from(const struct block *b, const void *row, char *buf, size_t cap)
{
	static const char *const names[] = { "nowhere", "outside", "host", "outside, host" };
	const struct nat_row *r = row;
	bool both = r->from & NAT_FROM_HOST && r->loopback_not == 1;

	(void)b;
	return bounded(snprintf(buf, cap, "%s%s", r->from < ARRAY_LEN(names) ? names[r->from] : "", both ? " not lo" : ""), cap);
}

#define FIELD(member, kind) ROW_FIELD(struct nat_row, member, kind)
#define AT(member)          .offset = offsetof(struct nat_row, member)

static const struct field nat_fields[] = {
	{ .name = "packets_to", .title = "PACKETS TO", .kind = FIELD_TEXT, AT(protocol), .flags = FIELD_SCREEN | FIELD_NOCUT,
		.help = "protocol, destination and port that the rule is for; host: any address of the namespace", .format = format_packets },
	{ FIELD(action, ENUM), .title = "ACTION", .help = "dnat: another address or port, redirect: the namespace itself, tproxy: a socket of its own",
		.names = action_names, .n_names = ARRAY_LEN(action_names), .priority = 3 },
	{ .name = "goes_to", .title = "GO TO", .kind = FIELD_TEXT, AT(to_port), .flags = FIELD_SCREEN | FIELD_NOCUT,
		.help = "where they go instead", .format = format_to },
	{ .name = "sent_from", .title = "SENT FROM", .kind = FIELD_TEXT, AT(from), .flags = FIELD_SCREEN, .priority = 2,
		.help = "outside: what comes in, host: what the namespace itself sends", .format = format_from },
	{ .name = "comes_in", .title = "IN", .kind = FIELD_TEXT, AT(in_not), .flags = FIELD_SCREEN, .priority = 4,
		.help = "interface that they come in by; !: any other one", .format = format_in },
	{ FIELD(packets, UINT), .title = "PACKETS", .help = "packets that met it", .flags = FIELD_RIGHT, .priority = 1 },
	{ FIELD(bytes, UINT), .title = "BYTES", .unit = UNIT_BYTES, .help = "their bytes", .flags = FIELD_RIGHT | FIELD_WIDE },
	{ FIELD(origin, ENUM), .title = "BY", .help = "who made it: nft, iptables-nft, iptables-legacy", .names = origin_names,
		.n_names = ARRAY_LEN(origin_names), .priority = 5 },
	{ FIELD(chain, TEXT), .title = "CHAIN", .help = "chain of the rule", .priority = 6 },
	{ FIELD(conditions, TEXT), .title = "CONDITIONS", .help = "what else it asks for", .flags = FIELD_FLEX },
	{ FIELD(unless, TEXT), .title = "UNLESS", .help = "packets that earlier rules keep away from it", .flags = FIELD_WIDE },
	{ FIELD(family, ENUM), .title = "FAMILY", .help = "ipv4, ipv6 or both", .names = family_names, .n_names = ARRAY_LEN(family_names),
		.flags = FIELD_WIDE },
	{ FIELD(table, TEXT), .title = "TABLE", .help = "table of the rule", .flags = FIELD_WIDE },
	{ FIELD(handle, UINT), .title = "HANDLE", .unit = UNIT_ID, .help = "handle in nf_tables; legacy: number in the chain, from 1",
		.flags = FIELD_WIDE | FIELD_RIGHT },
	{ FIELD(protocol, TEXT), .title = "PROTOCOL", .help = "tcp, udp, sctp; null: any", .flags = FIELD_HIDDEN },
	{ FIELD(address, ADDR), .title = "ADDRESS", .help = "destination that matches; null: any", .flags = FIELD_HIDDEN },
	{ FIELD(address_not, BOOL), .title = "ADDRESS-NOT", .help = "every destination but that one", .flags = FIELD_HIDDEN },
	{ FIELD(port, UINT), .title = "PORT", .unit = UNIT_ID, .help = "destination port, or the first of them; null: any", .flags = FIELD_HIDDEN },
	{ FIELD(port_last, UINT), .title = "PORT-LAST", .unit = UNIT_ID, .help = "the last of them", .flags = FIELD_HIDDEN },
	{ FIELD(to_address, ADDR), .title = "TO-ADDRESS", .help = "where to; null: the same, or with redirect the namespace's own",
		.flags = FIELD_HIDDEN },
	{ FIELD(to_address_last, ADDR), .title = "TO-LAST", .help = "the last of several addresses that share the work", .flags = FIELD_HIDDEN },
	{ FIELD(to_port, UINT), .title = "TO-PORT", .unit = UNIT_ID, .help = "port there, or the first of them; null: the same",
		.flags = FIELD_HIDDEN },
	{ FIELD(to_port_last, UINT), .title = "TO-PORT-LAST", .unit = UNIT_ID, .help = "the last of them", .flags = FIELD_HIDDEN },
	{ FIELD(shifted, BOOL), .title = "SHIFTED", .help = "a range of ports becomes another one, port by port", .flags = FIELD_HIDDEN },
	{ FIELD(from, ENUM), .title = "FROM", .help = "whose packets meet it: outside: those that come in, host: those of the namespace itself",
		.names = from_names, .n_names = ARRAY_LEN(from_names), .flags = FIELD_HIDDEN },
	{ FIELD(local_only, BOOL), .title = "LOCAL", .help = "only for addresses of the namespace itself", .flags = FIELD_HIDDEN },
	{ FIELD(loopback_not, BOOL), .title = "LOOPBACK-NOT", .help = "not for 127.0.0.0/8 or ::1 when the namespace itself sends",
		.flags = FIELD_HIDDEN },
	{ FIELD(in, TEXT), .title = "IN-NAME", .help = "interface that packets come in by; null: any", .flags = FIELD_HIDDEN },
	{ FIELD(in_not, BOOL), .title = "IN-NOT", .help = "every interface but that one", .flags = FIELD_HIDDEN },
};

const struct row_type nat_row_type = {
	.name = "nat", .noun = "rules", .id = 0x6e617472, .schema = 1, .size = sizeof(struct nat_row), .fields = nat_fields,
	.n_fields = ARRAY_LEN(nat_fields),
};

/* --- a packet --- */

bool nat_matches(const struct block *rules, const struct nat_row *r, struct text protocol, const struct addr *to, uint64_t port)
{
	struct text wanted = block_text(rules, r->protocol);
	struct addr plain = addr_unmap(to);

	if (wanted.n && !text_equal(wanted, protocol))
		return false;
	if (r->family && plain.kind && r->family != plain.kind)
		return false;
	if (r->port != ROW_NO_UINT && (port < r->port || port > r->port_last))
		return false;
	if (r->address.kind && plain.kind && nat_address_in(&r->address, &plain) == (r->address_not == 1))
		return false;
	return true;
}
