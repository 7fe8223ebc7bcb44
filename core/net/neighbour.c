/* Messages about neighbours become rows: see neighbour.h. */
#include "core/net/neighbour.h"

#include "core/fd.h"
#include "core/net/rtnl.h"

#include <libmnl/libmnl.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <math.h>
#include <string.h>
#include <sys/socket.h>

enum { TICKS = 100 }; /* USER_HZ, which the kernel's interface uses whatever HZ is (time(7)) */

static const struct {
	uint16_t bit;
	enum net_neighbour_state state;
} states[] = {
	{ NUD_FAILED, NET_NEIGHBOUR_FAILED }, { NUD_INCOMPLETE, NET_NEIGHBOUR_INCOMPLETE }, { NUD_PERMANENT, NET_NEIGHBOUR_PERMANENT },
	{ NUD_REACHABLE, NET_NEIGHBOUR_REACHABLE }, { NUD_STALE, NET_NEIGHBOUR_STALE }, { NUD_DELAY, NET_NEIGHBOUR_DELAY },
	{ NUD_PROBE, NET_NEIGHBOUR_PROBE },
};

static uint32_t state_of(uint16_t bits)
{
	for (size_t i = 0; i < ARRAY_LEN(states); i++)
		if (bits & states[i].bit)
			return states[i].state;
	return ROW_NO_ENUM;
}

static void take_times(const struct nlattr *a, struct net_neighbour_row *row)
{
	struct nda_cacheinfo info;

	row->used_seconds = row->confirmed_seconds = row->updated_seconds = NAN;
	if (!a || mnl_attr_get_payload_len(a) < sizeof info)
		return;
	memcpy(&info, mnl_attr_get_payload(a), sizeof info);
	row->used_seconds = (double)info.ndm_used / TICKS;
	row->confirmed_seconds = (double)info.ndm_confirmed / TICKS;
	row->updated_seconds = (double)info.ndm_updated / TICKS;
}

bool net_neighbour_take(const struct nlmsghdr *nlh, uint64_t netns, const struct net_names *names, struct builder *b)
{
	struct ndmsg m;
	struct net_neighbour_row *row;
	struct net_attrs a;
	uint32_t state;

	if (nlh->nlmsg_type != RTM_NEWNEIGH || mnl_nlmsg_get_payload_len(nlh) < sizeof m)
		return false;
	memcpy(&m, mnl_nlmsg_get_payload(nlh), sizeof m);
	state = state_of(m.ndm_state);
	if ((m.ndm_family != AF_INET && m.ndm_family != AF_INET6) || (state == ROW_NO_ENUM && !(m.ndm_flags & NTF_PROXY)))
		return false;
	net_attrs_of(nlh, sizeof m, &a);
	row = builder_row(b);
	*row = (struct net_neighbour_row){ .index = (uint32_t)m.ndm_ifindex, .interface = net_names_str(names, (uint32_t)m.ndm_ifindex, b),
		.state = state, .router = (m.ndm_flags & NTF_ROUTER) != 0, .proxy = (m.ndm_flags & NTF_PROXY) != 0,
		.gateway = ROW_NO_BOOL, .target = ROW_NO_TEXT, .problem = ROW_NO_TEXT };
	row->address = net_attr_addr(a.at[NDA_DST]);
	row->mac = net_attr_addr(a.at[NDA_LLADDR]);
	row->probes = net_attr_uint(a.at[NDA_PROBES]);
	take_times(a.at[NDA_CACHEINFO], row);
	row->head.id = row_hash(&row->address, sizeof row->address, row_hash(&row->index, sizeof row->index, netns));
	return true;
}

const char *const net_neighbour_state_names[NET_NEIGHBOUR_STATE_N] = {
	[NET_NEIGHBOUR_PERMANENT] = "PERMANENT", [NET_NEIGHBOUR_REACHABLE] = "REACHABLE", [NET_NEIGHBOUR_STALE] = "STALE",
	[NET_NEIGHBOUR_DELAY] = "DELAY", [NET_NEIGHBOUR_PROBE] = "PROBE", [NET_NEIGHBOUR_INCOMPLETE] = "INCOMPLETE",
	[NET_NEIGHBOUR_FAILED] = "FAILED",
};

#define FIELD(member, kind) ROW_FIELD(struct net_neighbour_row, member, kind)

static const struct field neighbour_fields[] = {
	{ FIELD(address, ADDR), .title = "ADDRESS", .help = "who", .flags = FIELD_NOCUT },
	{ FIELD(state, ENUM), .title = "STATE", .help = "REACHABLE, STALE (not asked lately), INCOMPLETE (being asked), FAILED (no answer)",
		.names = net_neighbour_state_names, .n_names = NET_NEIGHBOUR_STATE_N, .priority = 1 },
	{ FIELD(mac, ADDR), .title = "MAC", .help = "hardware address; null: not known", .priority = 2 },
	{ FIELD(interface, TEXT), .title = "INTERFACE", .help = "interface it is behind", .priority = 3 },
	{ FIELD(index, UINT), .title = "INDEX", .unit = UNIT_ID, .help = "number of the interface", .flags = FIELD_HIDDEN },
	{ FIELD(target, TEXT), .title = "TARGET", .help = "container that has the address", .priority = 2 },
	{ FIELD(gateway, BOOL), .title = "GATEWAY", .help = "a route leads through it", .priority = 4 },
	{ FIELD(router, BOOL), .title = "ROUTER", .help = "IPv6: it says that it is a router", .flags = FIELD_HIDDEN },
	{ FIELD(proxy, BOOL), .title = "PROXY", .help = "this namespace answers for it", .flags = FIELD_HIDDEN },
	{ FIELD(probes, UINT), .title = "PROBES", .help = "questions without an answer so far", .flags = FIELD_RIGHT | FIELD_WIDE,
		.priority = 6 },
	{ FIELD(used_seconds, REAL), .title = "USED", .unit = UNIT_SECONDS, .help = "seconds since it was used",
		.flags = FIELD_RIGHT | FIELD_WIDE, .priority = 6 },
	{ FIELD(confirmed_seconds, REAL), .title = "CONFIRMED", .unit = UNIT_SECONDS, .help = "seconds since it was heard from",
		.flags = FIELD_RIGHT | FIELD_WIDE, .priority = 6 },
	{ FIELD(updated_seconds, REAL), .title = "UPDATED", .unit = UNIT_SECONDS, .help = "seconds since its state changed",
		.flags = FIELD_RIGHT | FIELD_WIDE, .priority = 6 },
	{ FIELD(problem, TEXT), .title = "WHAT IS WRONG", .help = "what is wrong, in words; null: nothing found", .flags = FIELD_FLEX,
		.priority = 1 },
};

const struct row_type net_neighbour_row_type = {
	.name = "ip-neigh", .noun = "neighbours", .id = 0x6e656967, .schema = 1, .size = sizeof(struct net_neighbour_row),
	.fields = neighbour_fields, .n_fields = ARRAY_LEN(neighbour_fields),
};
