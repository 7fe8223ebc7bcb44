/* Messages about addresses become rows: see address.h. IFA_LOCAL is the own address of a point-to-point link, IFA_ADDRESS the peer's. */
#include "core/net/address.h"

#include "core/fd.h"
#include "core/net/rtnl.h"

#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

static const struct net_name scope_names[] = {
	{ RT_SCOPE_UNIVERSE, "global" }, { RT_SCOPE_SITE, "site" }, { RT_SCOPE_LINK, "link" }, { RT_SCOPE_HOST, "host" },
	{ RT_SCOPE_NOWHERE, "nowhere" },
};

static const struct net_name flag_names[] = {
	{ IFA_F_NODAD, "nodad" }, { IFA_F_OPTIMISTIC, "optimistic" }, { IFA_F_DADFAILED, "dadfailed" }, { IFA_F_HOMEADDRESS, "home" },
	{ IFA_F_DEPRECATED, "deprecated" }, { IFA_F_TENTATIVE, "tentative" }, { IFA_F_PERMANENT, "permanent" },
	{ IFA_F_MANAGETEMPADDR, "mngtmpaddr" }, { IFA_F_NOPREFIXROUTE, "noprefixroute" }, { IFA_F_MCAUTOJOIN, "autojoin" },
	{ IFA_F_STABLE_PRIVACY, "stable-privacy" },
};

struct str net_scope(struct builder *b, unsigned scope)
{
	const char *name = net_name_of(scope_names, ARRAY_LEN(scope_names), scope);
	char number[16];

	snprintf(number, sizeof number, "%u", scope);
	return builder_str(b, name ? name : number);
}

/* One bit with two meanings: a second address of a subnet (IPv4), a made-up one (IPv6, RFC 8981). */
static struct str flags_of(struct builder *b, uint32_t bits, unsigned family)
{
	struct str list = net_name_flags(b, flag_names, ARRAY_LEN(flag_names), bits);

	if (bits & IFA_F_SECONDARY)
		builder_list_add(b, &list, family == AF_INET6 ? "temporary" : "secondary", 9);
	if (!(bits & IFA_F_PERMANENT))
		builder_list_add(b, &list, "dynamic", 7);
	return list;
}

static uint64_t lifetime(uint32_t seconds)
{
	return seconds == UINT32_MAX ? ROW_NO_UINT : seconds;
}

static void take_lifetimes(const struct nlattr *a, struct net_address_row *row)
{
	struct ifa_cacheinfo info;

	row->valid_seconds = row->preferred_seconds = ROW_NO_UINT;
	if (!a || mnl_attr_get_payload_len(a) < sizeof info)
		return;
	memcpy(&info, mnl_attr_get_payload(a), sizeof info);
	row->valid_seconds = lifetime(info.ifa_valid);
	row->preferred_seconds = lifetime(info.ifa_prefered);
}

static uint32_t head_flags(uint32_t bits)
{
	return (bits & IFA_F_TENTATIVE ? NET_ADDRESS_TENTATIVE : 0) | (bits & IFA_F_DADFAILED ? NET_ADDRESS_DADFAILED : 0) |
		(bits & IFA_F_DEPRECATED ? NET_ADDRESS_DEPRECATED : 0);
}

static uint64_t id_of(const struct net_address_row *row, uint64_t netns)
{
	uint64_t seed = row_hash(&row->index, sizeof row->index, netns);

	return row_hash(&row->address, sizeof row->address, seed);
}

bool net_address_take(const struct nlmsghdr *nlh, uint64_t netns, const struct net_names *names, struct builder *b)
{
	struct ifaddrmsg info;
	struct net_address_row *row;
	struct net_attrs a;
	uint64_t bits;

	if (nlh->nlmsg_type != RTM_NEWADDR || mnl_nlmsg_get_payload_len(nlh) < sizeof info)
		return false;
	memcpy(&info, mnl_nlmsg_get_payload(nlh), sizeof info);
	if (info.ifa_family != AF_INET && info.ifa_family != AF_INET6)
		return false;
	net_attrs_of(nlh, sizeof info, &a);
	bits = net_attr_uint(a.at[IFA_FLAGS]);
	if (bits == ROW_NO_UINT)
		bits = info.ifa_flags;
	row = builder_row(b);
	*row = (struct net_address_row){ .index = info.ifa_index, .family = info.ifa_family == AF_INET ? 4 : 6,
		.interface = net_names_str(names, info.ifa_index, b), .head.flags = head_flags((uint32_t)bits), .problem = ROW_NO_TEXT };
	row->address = net_attr_addr(a.at[IFA_LOCAL] ? a.at[IFA_LOCAL] : a.at[IFA_ADDRESS]);
	row->peer = a.at[IFA_LOCAL] ? net_attr_addr(a.at[IFA_ADDRESS]) : row->peer;
	if (addr_same(&row->peer, &row->address))
		row->peer = (struct addr){ .kind = ADDR_NONE };
	if (row->address.kind) {
		row->address.prefix = info.ifa_prefixlen;
		row->address.has_prefix = 1;
	}
	row->broadcast = net_attr_addr(a.at[IFA_BROADCAST]);
	row->scope = net_scope(b, info.ifa_scope);
	row->flags = flags_of(b, (uint32_t)bits, info.ifa_family);
	row->label = net_attr_str(b, a.at[IFA_LABEL]);
	take_lifetimes(a.at[IFA_CACHEINFO], row);
	row->head.id = id_of(row, netns);
	return true;
}

static const char *const family_names[] = { "", "", "", "", "ipv4", "", "ipv6" };

#define FIELD(member, kind) ROW_FIELD(struct net_address_row, member, kind)

static const struct field address_fields[] = {
	{ FIELD(interface, TEXT), .title = "INTERFACE", .help = "interface that has it" },
	{ FIELD(index, UINT), .title = "INDEX", .unit = UNIT_ID, .help = "number of the interface", .flags = FIELD_HIDDEN },
	{ FIELD(family, ENUM), .title = "FAMILY", .help = "ipv4 or ipv6", .names = family_names, .n_names = ARRAY_LEN(family_names),
		.flags = FIELD_HIDDEN },
	{ FIELD(address, ADDR), .title = "ADDRESS", .help = "address with its prefix", .flags = FIELD_NOCUT },
	{ FIELD(peer, ADDR), .title = "PEER", .help = "other end of a point-to-point link", .flags = FIELD_WIDE, .priority = 6 },
	{ FIELD(broadcast, ADDR), .title = "BROADCAST", .help = "broadcast address", .flags = FIELD_WIDE, .priority = 7 },
	{ FIELD(scope, TEXT), .title = "SCOPE", .help = "how far it is valid: global, link, host", .priority = 3 },
	{ FIELD(flags, LIST), .title = "FLAGS", .help = "permanent, tentative, dadfailed, deprecated, dynamic ...", .priority = 2 },
	{ FIELD(label, TEXT), .title = "LABEL", .help = "IPv4: name of the old alias form", .flags = FIELD_HIDDEN },
	{ FIELD(valid_seconds, UINT), .title = "VALID", .unit = UNIT_SECONDS, .help = "seconds it stays; null: for ever",
		.flags = FIELD_RIGHT | FIELD_WIDE, .priority = 6 },
	{ FIELD(preferred_seconds, UINT), .title = "PREFERRED", .unit = UNIT_SECONDS,
		.help = "seconds it may be used for new connections; null: for ever", .flags = FIELD_HIDDEN },
	{ FIELD(problem, TEXT), .title = "WHAT IS WRONG", .help = "what is wrong, in words; null: nothing found", .flags = FIELD_FLEX,
		.priority = 1 },
};

const struct row_type net_address_row_type = {
	.name = "ip-addr", .noun = "addresses", .id = 0x69706164, .schema = 1, .size = sizeof(struct net_address_row),
	.fields = address_fields, .n_fields = ARRAY_LEN(address_fields),
};
