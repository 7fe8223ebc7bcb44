/* Messages of rtnetlink: the kernel made their shape, but names, aliases and counts are what a container chose. All parts of a view are
 * made of the same bytes and judged, as the worker and the app would. */
#include <libmnl/libmnl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/fd.h"
#include "core/net/address.h"
#include "core/net/judge.h"
#include "core/net/neighbour.h"
#include "core/net/rtnl.h"
#include "core/net/rule.h"
#include "core/net/sites.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void take(const struct nlmsghdr *nlh, struct net_site *site, struct net_names *names, struct builder *const parts[NET_PARTS])
{
	struct net_conf conf = { 0 };

	net_forward_take(nlh, site);
	net_conf_take(nlh, &conf);
	net_link_take(nlh, 7, names, parts[NET_LINKS]);
	net_address_take(nlh, 7, names, parts[NET_ADDRESSES]);
	net_route_take(nlh, 7, names, parts[NET_ROUTES]);
	net_rule_take(nlh, 7, parts[NET_RULES]);
	net_neighbour_take(nlh, 7, names, parts[NET_NEIGHBOURS]);
}

static void format_all(const struct block *b)
{
	const struct row_type *t = block_type(b);
	struct row_look look = { .charset = TEXT_UTF8 };
	char buf[256];

	for (uint32_t i = 0; i < block_count(b); i++)
		for (uint32_t f = 0; f < t->n_fields; f++)
			if (t->fields[f].kind != FIELD_ROWS)
				row_format(b, &t->fields[f], block_row(b, i), &look, buf, sizeof buf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *bytes = fd_xcalloc(1, size + 16); /* aligned as the kernel's are */
	const struct nlmsghdr *nlh = (const struct nlmsghdr *)(const void *)bytes;
	struct builder *parts[NET_PARTS];
	struct block *blocks[NET_PARTS];
	struct net_names names = { 0 };
	struct net_site site = { .ns = -1, .route = -1 };
	struct net_link_past past = { 0 };
	struct net_map map = { .netns = 7 };
	struct net_facts facts;
	int n = (int)size;

	memcpy(bytes, data, size);
	for (unsigned p = 0; p < NET_PARTS; p++)
		parts[p] = builder_new(net_types[p]);
	/* libmnl takes a length over 2 GiB for a negative one; the kernel never says such */
	for (; n >= (int)sizeof *nlh && nlh->nlmsg_len <= (unsigned)n && mnl_nlmsg_ok(nlh, n); nlh = mnl_nlmsg_next(nlh, &n))
		take(nlh, &site, &names, parts);
	net_link_finish(parts[NET_LINKS], parts[NET_ADDRESSES], &past);
	for (unsigned p = 0; p < NET_PARTS; p++) {
		blocks[p] = builder_block(parts[p]);
		builder_free(parts[p]);
	}
	map.side_links = blocks[NET_LINKS];
	map.side_routes = blocks[NET_ROUTES];
	net_judge((const struct block *const *)blocks, &map, &facts);
	for (unsigned p = 0; p < NET_PARTS; p++)
		format_all(facts.parts[p]);
	format_all(facts.path);
	format_all(facts.findings);
	net_facts_done(&facts);
	for (unsigned p = 0; p < NET_PARTS; p++)
		block_unref(blocks[p]);
	free(site.forwards);
	net_names_done(&names);
	free(bytes);
	return 0;
}
