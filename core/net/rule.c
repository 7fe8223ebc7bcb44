/* Messages about policy rules become rows: see rule.h. */
#include "core/net/rule.h"

#include "core/fd.h"
#include "core/net/route.h"
#include "core/net/rtnl.h"

#include <inttypes.h>
#include <libmnl/libmnl.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

static const struct net_name action_names[] = {
	{ FR_ACT_TO_TBL, "lookup" }, { FR_ACT_GOTO, "goto" }, { FR_ACT_NOP, "nop" }, { FR_ACT_BLACKHOLE, "blackhole" },
	{ FR_ACT_UNREACHABLE, "unreachable" }, { FR_ACT_PROHIBIT, "prohibit" },
};

static struct addr prefixed(const struct nlattr *a, unsigned prefix)
{
	struct addr r = net_attr_addr(a);

	if (r.kind) {
		r.prefix = (uint8_t)prefix;
		r.has_prefix = 1;
	}
	return r;
}

/* Two numbers of `each` bytes, from and to; equal ones are written once. */
static struct str range(struct builder *b, const struct nlattr *a, size_t each)
{
	const char *p = a ? mnl_attr_get_payload(a) : NULL;
	uint32_t from = 0, to = 0;
	char text[32];

	if (!a || mnl_attr_get_payload_len(a) != 2 * each)
		return ROW_NO_TEXT;
	memcpy(&from, p, each);
	memcpy(&to, p + each, each);
	if (from == to)
		snprintf(text, sizeof text, "%" PRIu32, from);
	else
		snprintf(text, sizeof text, "%" PRIu32 "-%" PRIu32, from, to);
	return builder_str(b, text);
}

static void take_attrs(const struct fib_rule_hdr *h, const struct net_attrs *a, struct net_rule_row *row, struct builder *b)
{
	row->from = prefixed(a->at[FRA_SRC], h->src_len);
	row->to = prefixed(a->at[FRA_DST], h->dst_len);
	row->in = net_attr_str(b, a->at[FRA_IIFNAME]);
	row->out = net_attr_str(b, a->at[FRA_OIFNAME]);
	row->mark = net_attr_uint(a->at[FRA_FWMARK]);
	row->mask = net_attr_uint(a->at[FRA_FWMASK]);
	if (row->mark == 0 && row->mask == ROW_NO_UINT)
		row->mark = ROW_NO_UINT;
	row->tos = h->tos ? h->tos : ROW_NO_UINT;
	row->uids = range(b, a->at[FRA_UID_RANGE], 4);
	row->protocol = net_attr_uint(a->at[FRA_IP_PROTO]);
	row->source_ports = range(b, a->at[FRA_SPORT_RANGE], 2);
	row->destination_ports = range(b, a->at[FRA_DPORT_RANGE], 2);
	row->action = builder_str(b, net_name_of(action_names, ARRAY_LEN(action_names), h->action));
	row->table = a->at[FRA_TABLE] ? net_attr_uint(a->at[FRA_TABLE]) : h->table;
	row->goto_priority = net_attr_uint(a->at[FRA_GOTO]);
	row->suppress_prefix = net_attr_uint(a->at[FRA_SUPPRESS_PREFIXLEN]);
	if (row->suppress_prefix == UINT32_MAX) /* the kernel says -1 for none */
		row->suppress_prefix = ROW_NO_UINT;
	if (h->action != FR_ACT_TO_TBL || row->table == 0)
		row->table = ROW_NO_UINT;
	row->table_name = row->table == ROW_NO_UINT ? ROW_NO_TEXT : net_table_name(b, row->table);
}

bool net_rule_take(const struct nlmsghdr *nlh, uint64_t netns, struct builder *b)
{
	struct fib_rule_hdr h;
	struct net_rule_row *row;
	struct net_attrs a;
	uint64_t priority;

	if (nlh->nlmsg_type != RTM_NEWRULE || mnl_nlmsg_get_payload_len(nlh) < sizeof h)
		return false;
	memcpy(&h, mnl_nlmsg_get_payload(nlh), sizeof h);
	if (h.family != AF_INET && h.family != AF_INET6)
		return false;
	net_attrs_of(nlh, sizeof h, &a);
	row = builder_row(b);
	priority = net_attr_uint(a.at[FRA_PRIORITY]);
	*row = (struct net_rule_row){ .family = h.family == AF_INET ? 4 : 6, .priority = priority == ROW_NO_UINT ? 0 : priority,
		.inverted = (h.flags & FIB_RULE_INVERT) != 0, .problem = ROW_NO_TEXT };
	take_attrs(&h, &a, row, b);
	row->head.id = row_hash(mnl_nlmsg_get_payload(nlh), mnl_nlmsg_get_payload_len(nlh), netns); /* a rule has no name but itself */
	return true;
}

/* --- fields --- */

static size_t bounded(int n, size_t cap)
{
	return n < 0 ? 0 : (size_t)n < cap ? (size_t)n : cap - 1;
}

static const char *addr_or_all(const struct addr *a, char buf[ADDR_TEXT])
{
	return a->kind ? addr_format(a, buf) : "all";
}

/* "from all fwmark 0x1", as ip rule says it. */
static size_t format_selector(const struct block *b, const void *row, char *buf, size_t cap)
{
	const struct net_rule_row *r = row;
	struct text in = block_text(b, r->in), out = block_text(b, r->out), uids = block_text(b, r->uids);
	struct text ports[2] = { block_text(b, r->source_ports), block_text(b, r->destination_ports) };
	char text[ADDR_TEXT];
	size_t n = bounded(snprintf(buf, cap, "%sfrom %s", r->inverted == 1 ? "not " : "", addr_or_all(&r->from, text)), cap);

	if (r->to.kind)
		n += bounded(snprintf(buf + n, cap - n, " to %s", addr_or_all(&r->to, text)), cap - n);
	if (r->mark != ROW_NO_UINT)
		n += bounded(snprintf(buf + n, cap - n, " fwmark 0x%" PRIx64, r->mark), cap - n);
	if (r->mark != ROW_NO_UINT && r->mask != ROW_NO_UINT && r->mask != UINT32_MAX)
		n += bounded(snprintf(buf + n, cap - n, "/0x%" PRIx64, r->mask), cap - n);
	if (in.n)
		n += bounded(snprintf(buf + n, cap - n, " iif %.*s", (int)in.n, in.p), cap - n);
	if (out.n)
		n += bounded(snprintf(buf + n, cap - n, " oif %.*s", (int)out.n, out.p), cap - n);
	if (uids.n)
		n += bounded(snprintf(buf + n, cap - n, " uid %.*s", (int)uids.n, uids.p), cap - n);
	if (r->protocol != ROW_NO_UINT)
		n += bounded(snprintf(buf + n, cap - n, " ipproto %" PRIu64, r->protocol), cap - n);
	for (unsigned i = 0; i < 2; i++)
		if (ports[i].n)
			n += bounded(snprintf(buf + n, cap - n, " %s %.*s", i ? "dport" : "sport", (int)ports[i].n, ports[i].p), cap - n);
	return n;
}

static size_t format_action(const struct block *b, const void *row, char *buf, size_t cap)
{
	const struct net_rule_row *r = row;
	struct text action = block_text(b, r->action), table = block_text(b, r->table_name);

	if (r->goto_priority != ROW_NO_UINT)
		return bounded(snprintf(buf, cap, "goto %" PRIu64, r->goto_priority), cap);
	return bounded(snprintf(buf, cap, "%.*s%s%.*s", (int)action.n, action.n ? action.p : "", table.n ? " " : "", (int)table.n,
		table.n ? table.p : ""), cap);
}

static const char *const family_names[] = { "", "", "", "", "ipv4", "", "ipv6" };

#define FIELD(member, kind) ROW_FIELD(struct net_rule_row, member, kind)
#define AT(member)          .offset = offsetof(struct net_rule_row, member)

static const struct field rule_fields[] = {
	{ FIELD(priority, UINT), .title = "PRIORITY", .unit = UNIT_ID, .help = "rules are asked from the lowest on", .flags = FIELD_RIGHT },
	{ FIELD(family, ENUM), .title = "FAMILY", .help = "ipv4 or ipv6", .names = family_names, .n_names = ARRAY_LEN(family_names) },
	{ .name = "selector", .title = "PACKETS", .kind = FIELD_TEXT, AT(in), .flags = FIELD_SCREEN, .help = "which packets it is for",
		.format = format_selector },
	{ .name = "does", .title = "DOES", .kind = FIELD_TEXT, AT(action), .flags = FIELD_SCREEN, .help = "what happens with them",
		.format = format_action },
	{ FIELD(inverted, BOOL), .title = "NOT", .help = "for packets that do not match", .flags = FIELD_HIDDEN },
	{ FIELD(from, ADDR), .title = "FROM", .help = "source; null: all", .flags = FIELD_HIDDEN },
	{ FIELD(to, ADDR), .title = "TO", .help = "destination; null: all", .flags = FIELD_HIDDEN },
	{ FIELD(in, TEXT), .title = "IN", .help = "interface the packet came in by", .flags = FIELD_HIDDEN },
	{ FIELD(out, TEXT), .title = "OUT", .help = "interface the sender is bound to", .flags = FIELD_HIDDEN },
	{ FIELD(mark, UINT), .title = "MARK", .unit = UNIT_HEX, .help = "firewall mark", .flags = FIELD_HIDDEN },
	{ FIELD(mask, UINT), .title = "MASK", .unit = UNIT_HEX, .help = "bits of the mark that count", .flags = FIELD_HIDDEN },
	{ FIELD(tos, UINT), .title = "TOS", .unit = UNIT_HEX, .help = "type of service", .flags = FIELD_HIDDEN },
	{ FIELD(uids, TEXT), .title = "UIDS", .help = "users who sent it", .flags = FIELD_HIDDEN },
	{ FIELD(protocol, UINT), .title = "IP-PROTO", .unit = UNIT_ID, .help = "protocol of IP", .flags = FIELD_HIDDEN },
	{ FIELD(source_ports, TEXT), .title = "SPORT", .help = "source ports", .flags = FIELD_HIDDEN },
	{ FIELD(destination_ports, TEXT), .title = "DPORT", .help = "destination ports", .flags = FIELD_HIDDEN },
	{ FIELD(action, TEXT), .title = "ACTION", .help = "lookup, goto, nop, blackhole, unreachable, prohibit", .flags = FIELD_HIDDEN },
	{ .name = "table_name", .title = "TABLE", .kind = FIELD_TEXT, AT(table_name), .help = "table that is looked up: main, local, "
		"default or a number", .flags = FIELD_HIDDEN },
	{ FIELD(table, UINT), .title = "TABLE-ID", .unit = UNIT_ID, .help = "its number", .flags = FIELD_HIDDEN },
	{ FIELD(goto_priority, UINT), .title = "GOTO", .unit = UNIT_ID, .help = "rule to go on with", .flags = FIELD_HIDDEN },
	{ FIELD(suppress_prefix, UINT), .title = "SUPPRESS", .unit = UNIT_ID, .help = "routes with this prefix length or a shorter one "
		"do not count", .flags = FIELD_HIDDEN },
	{ FIELD(problem, TEXT), .title = "WHAT IS WRONG", .help = "what is wrong, in words; null: nothing found", .flags = FIELD_FLEX },
};

const struct row_type net_rule_row_type = {
	.name = "ip-rule", .noun = "rules", .id = 0x72756c65, .schema = 1, .size = sizeof(struct net_rule_row), .fields = rule_fields,
	.n_fields = ARRAY_LEN(rule_fields),
};
