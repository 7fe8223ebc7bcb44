/*
 * nsdbg ip: interfaces, addresses, routes, rules, neighbours, settings of a target, the way out of it, and what is wrong. One worker
 * reads the target; where its cables end elsewhere, another one looks at those ends.
 */
#include "tui/cli.h"

#include "core/err.h"
#include "core/fd.h"
#include "core/net/address.h"
#include "core/net/judge.h"
#include "core/net/nat.h"
#include "core/net/neighbour.h"
#include "core/net/rule.h"
#include "core/net/sides.h"
#include "core/net/sysctl.h"
#include "core/net/walk.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum ip_part { IP_LINK, IP_ADDR, IP_ROUTE, IP_RULE, IP_NEIGH, IP_SYSCTL, IP_NAT, IP_PATH, IP_GET, IP_CHECK, IP_N };

enum { LINK = 1 << NET_LINKS, ADDR = 1 << NET_ADDRESSES, ROUTE = 1 << NET_ROUTES, RULE = 1 << NET_RULES, NEIGH = 1 << NET_NEIGHBOURS };

static const struct ip_word {
	const char *name, *alias;
	const struct row_type *type;
	uint32_t needs; /* parts that must be read */
	bool sides; /* and the other ends of its cables */
} ip_words[IP_N] = {
	[IP_LINK] = { "link", "l", &net_link_row_type, LINK | ADDR | ROUTE, true },
	[IP_ADDR] = { "addr", "address", &net_address_row_type, LINK | ADDR, false },
	[IP_ROUTE] = { "route", "r", &net_route_row_type, LINK | ROUTE | NEIGH, false },
	[IP_RULE] = { "rule", "rules", &net_rule_row_type, RULE, false },
	[IP_NEIGH] = { "neigh", "neighbour", &net_neighbour_row_type, LINK | ROUTE | NEIGH, false },
	[IP_SYSCTL] = { "sysctl", "settings", &net_sysctl_row_type, 0, false },
	[IP_NAT] = { "nat", "dnat", &nat_row_type, 0, false },
	[IP_PATH] = { "path", "way", &net_hop_row_type, LINK | ADDR | ROUTE, true },
	[IP_GET] = { "get", "to", &net_route_row_type, 0, false },
	[IP_CHECK] = { "check", "problems", &net_finding_row_type, LINK | ADDR | ROUTE | NEIGH, true },
};

struct ip {
	struct cli *c;
	enum ip_part part;
	const char *to; /* path: the word for its end; NULL: the default route's way */
	struct addr destination; /* get, path */
	struct link *link;
	struct block *parts[NET_PARTS];
	struct block *side_links, *side_routes;
	struct net_facts facts;
};

/* --- words --- */

static bool find_part(struct ip *ip, const char *word)
{
	char msg[160], list[96] = "";

	for (unsigned i = 0; i < IP_N; i++) {
		size_t n = strlen(list);

		if (!word || strcmp(ip_words[i].name, word) == 0 || strcmp(ip_words[i].alias, word) == 0) {
			ip->part = (enum ip_part)i;
			return true;
		}
		snprintf(list + n, sizeof list - n, "%s%s", i ? ", " : "", ip_words[i].name);
	}
	snprintf(msg, sizeof msg, "ip has no part \"%.30s\": there are %s", word, list);
	cli_error(ip->c, CLI_USAGE, EINVAL, msg);
	return false;
}

/* Which words are filters depends on it: path takes an address, a target, or none. */
static bool find_destination(struct ip *ip)
{
	const struct options *o = ip->c->o;
	const char *word = o->n_words > 2 ? o->words[2] : NULL;
	char msg[128];

	if (ip->part == IP_PATH && word && cli_way_is_destination(word))
		ip->to = word;
	if (ip->part != IP_GET || (word && addr_parse(word, &ip->destination) == 0 && ip->destination.kind != ADDR_MAC))
		return true;
	snprintf(msg, sizeof msg, word ? "\"%.60s\" is not an address: look names up with nsdbg dns" :
		"ip get wants an address: nsdbg ip TARGET get ADDRESS", word ? word : "");
	cli_error(ip->c, CLI_USAGE, EINVAL, msg);
	return false;
}

/* --- reading --- */

static void keep(struct block **at, struct block *b)
{
	block_unref(*at);
	*at = b;
}

/* One sample: a block of each part, in their order. */
static int take_parts(struct ip *ip, struct err *err)
{
	for (unsigned p = 0; p < NET_PARTS; p++) {
		struct block *b = NULL;
		int r;

		if (!(ip_words[ip->part].needs >> p & 1))
			continue;
		r = cli_wait(ip->c, ip->link, net_types[p], cli_deadline(ip->c), &b, err);
		if (r < 0)
			return r;
		keep(&ip->parts[p], b);
	}
	return 0;
}

/* Which of the namespaces that we know has which number in the target? */
static int name_namespaces(struct ip *ip, struct err *err)
{
	struct net_namespace list[NET_NAMESPACES];
	uint32_t from = 0, n;
	int r = 0;

	if (!net_view_wants_namespaces(ip->parts[NET_LINKS]))
		return 0;
	while (r == 0 && (n = net_path_processes(ip->c->targets, &from, list)) > 0) {
		r = link_request(ip->link, 1, NET_OP_NAMESPACES, list, n * sizeof list[0], -1);
		if (r == 0)
			r = take_parts(ip, err);
	}
	return r;
}

static struct net_map map_of(const struct ip *ip)
{
	const struct block *links = ip->parts[NET_LINKS];
	const struct net_link_row *first = links && block_count(links) ? block_row(links, 0) : NULL;

	return (struct net_map){ .netns = first ? first->netns : ROW_NO_UINT, .links = links, .routes = ip->parts[NET_ROUTES],
		.side_links = ip->side_links, .side_routes = ip->side_routes, .targets = ip->c->targets };
}

static void read_sides(struct ip *ip)
{
	static const struct row_type *const types[] = { &net_route_row_type };
	struct net_map map = map_of(ip);
	struct net_sides_params params = { 0 };
	struct err err = { 0 };
	struct link *l;
	int r = -EPIPE;

	params.n = net_path_sides(&map, params.list, NET_SIDES);
	params.left_out = net_path_left_out(&map, params.list, params.n);
	if (params.n == 0)
		return;
	l = session_open(ip->c->session, &net_sides_source, NULL, &params, sizeof params, &err);
	if (l) {
		link_expect(l, types, ARRAY_LEN(types));
		r = cli_wait(ip->c, l, &net_route_row_type, cli_deadline(ip->c), &ip->side_routes, &err);
	}
	if (r == 0)
		r = cli_wait(ip->c, l, &net_link_row_type, cli_deadline(ip->c), &ip->side_links, &err);
	link_free(l);
	if (r < 0)
		cli_error_err(ip->c, CLI_PARTIAL, &err);
	cli_notes(ip->c, ip->side_links);
}

static bool wants_names(const struct ip *ip)
{
	return ip_words[ip->part].sides || ip->part == IP_NEIGH;
}

static int open_target(struct ip *ip, struct err *err)
{
	struct net_params params = { .parts = ip_words[ip->part].needs };

	ip->link = session_open(ip->c->session, &net_source, &ip->c->ref, &params, sizeof params, err);
	if (ip->link)
		link_expect(ip->link, net_types + 1, NET_PARTS - 1);
	return ip->link ? 0 : -EPIPE;
}

static int read_target(struct ip *ip, struct err *err)
{
	int r;

	if (wants_names(ip))
		cli_complete(ip->c); /* who else is there: read while the worker began */
	r = take_parts(ip, err);
	if (r == 0 && ip_words[ip->part].sides)
		r = name_namespaces(ip, err);
	if (r == 0 && ip_words[ip->part].sides)
		read_sides(ip);
	return r;
}

/* --- printing --- */

static bool family_wanted(const struct options *o, uint32_t family)
{
	return (!o->ip4 && !o->ip6) || (o->ip4 && family == 4) || (o->ip6 && family == 6);
}

/* The local table and IPv6 multicast are made by the kernel for each address. */
static bool is_plumbing(const struct net_route_row *r)
{
	return r->table == NET_TABLE_LOCAL || (r->destination.kind == ADDR_IP6 && r->destination.bytes[0] == 0xff);
}

static bool keep_row(const struct block *b, const void *row, void *arg)
{
	const struct ip *ip = arg;
	const struct options *o = ip->c->o;
	const struct net_sysctl_row *s = row;

	(void)b;
	switch (ip->part) {
	case IP_ADDR:
		return family_wanted(o, ((const struct net_address_row *)row)->family);
	case IP_ROUTE:
		return family_wanted(o, ((const struct net_route_row *)row)->family) && (o->all || !is_plumbing(row));
	case IP_RULE:
		return family_wanted(o, ((const struct net_rule_row *)row)->family);
	case IP_NEIGH:
		return family_wanted(o, ((const struct net_neighbour_row *)row)->address.kind);
	case IP_NAT: {
		uint32_t family = ((const struct nat_row *)row)->family;

		return family == 0 || family_wanted(o, family);
	}
	case IP_SYSCTL:
		return o->all || (s->differs != ROW_NO_ENUM && s->differs != NET_SYSCTL_SAME);
	case IP_LINK:
	case IP_PATH:
	case IP_GET:
	case IP_CHECK:
	case IP_N:
		break;
	}
	return true;
}

static struct block *result(struct ip *ip)
{
	switch (ip->part) {
	case IP_LINK:
		return ip->facts.parts[NET_LINKS];
	case IP_ADDR:
		return ip->facts.parts[NET_ADDRESSES];
	case IP_ROUTE:
		return ip->facts.parts[NET_ROUTES];
	case IP_RULE:
		return ip->facts.parts[NET_RULES];
	case IP_NEIGH:
		return ip->facts.parts[NET_NEIGHBOURS];
	case IP_PATH:
		return ip->facts.path;
	case IP_CHECK:
		return ip->facts.findings;
	case IP_SYSCTL:
	case IP_NAT:
	case IP_GET:
	case IP_N:
		break;
	}
	return NULL;
}

static void print_facts(struct ip *ip, struct cli_print *p)
{
	struct net_map map = map_of(ip);

	for (unsigned i = 0; i < NET_PARTS; i++)
		cli_notes(ip->c, ip->parts[i]);
	net_judge((const struct block *const *)ip->parts, &map, &ip->facts);
	p->block = result(ip);
	p->noted = true;
	cli_print(ip->c, p);
}

static bool is_refusal(int r)
{
	return r == -ENETUNREACH || r == -EHOSTUNREACH || r == -EACCES || r == -EINVAL;
}

/* Exit 1 when the kernel has no way there: an answer as well. */
static void print_route(struct ip *ip, struct cli_print *p)
{
	AUTO(block_unrefp) struct block *b = NULL;
	struct err err = { 0 };
	int r = link_request(ip->link, 2, NET_OP_GET, &ip->destination, sizeof ip->destination, -1);

	if (r == 0)
		r = cli_wait(ip->c, ip->link, &net_route_row_type, cli_deadline(ip->c), &b, &err);
	if (r < 0)
		cli_error_err(ip->c, is_refusal(r) ? CLI_NO : CLI_INTERNAL, &err);
	p->block = b;
	cli_print(ip->c, p);
}

static void say_lost(struct ip *ip, const struct block *walk)
{
	uint32_t at = net_walk_lost(walk);
	const struct net_hop_row *last = at == UINT32_MAX ? NULL : block_row(walk, at);
	struct text name, why;
	char msg[320], to[ADDR_TEXT];

	if (!last)
		return;
	name = block_text(walk, last->name), why = block_text(walk, last->problem);
	snprintf(msg, sizeof msg, "the way to %s is lost at %.*s: %.*s", addr_format(&ip->destination, to), (int)name.n, name.n ? name.p : "",
		(int)why.n, why.n ? why.p : "");
	cli_error(ip->c, CLI_NO, 0, msg);
}

/* Exit 1 when the packet gets lost somewhere. */
static void print_walk(struct ip *ip, struct cli_print *p)
{
	struct net_walk_params params = { .to = ip->destination };
	AUTO(block_unrefp) struct block *walk = NULL, *judged = NULL;
	struct err err = { 0 };
	int r = -EPIPE;

	cli_complete(ip->c);
	net_walk_list(ip->c->targets, ip->c->ref.netns, &params);
	ip->link = session_open(ip->c->session, &net_walk_source, &ip->c->ref, &params, sizeof params, &err);
	if (ip->link)
		r = cli_wait(ip->c, ip->link, &net_hop_row_type, cli_deadline(ip->c), &walk, &err);
	if (r < 0)
		cli_error_err(ip->c, is_refusal(r) ? CLI_NO : cli_status_of(err.code), &err);
	if (walk) {
		p->block = judged = net_judge_walk(walk, ip->c->targets);
		p->noted = true;
		cli_notes(ip->c, walk);
		say_lost(ip, judged);
	}
	cli_print(ip->c, p);
}

/* One sample of a source of its own. */
static struct block *read_source(struct cli *c, const struct source *s, const struct target_ref *ref, struct err *err)
{
	struct link *l = session_open(c->session, s, ref, NULL, 0, err);
	struct block *b = NULL;

	if (l)
		cli_wait(c, l, s->type, cli_deadline(c), &b, err);
	link_free(l);
	return b;
}

static void say_error(struct cli *c, const struct err *err)
{
	cli_error_err(c, cli_status_of(err->code) == CLI_USAGE ? CLI_NO_TARGET : cli_status_of(err->code), err);
}

static void print_nat(struct ip *ip, struct cli_print *p)
{
	AUTO(block_unrefp) struct block *b = NULL;
	struct err err = { 0 };

	p->block = b = read_source(ip->c, &nat_source, &ip->c->ref, &err);
	if (b)
		cli_print(ip->c, p);
	else
		say_error(ip->c, &err);
}

static void print_settings(struct ip *ip, struct cli_print *p)
{
	const struct target_ref host = { .kind = TARGET_HOST };
	AUTO(block_unrefp) struct block *target = NULL, *theirs = NULL, *both = NULL;
	struct err err = { 0 };

	target = read_source(ip->c, &net_sysctl_source, &ip->c->ref, &err);
	if (!target) {
		say_error(ip->c, &err);
		return;
	}
	if (ip->c->ref.kind != TARGET_HOST)
		theirs = read_source(ip->c, &net_sysctl_source, &host, &err);
	if (!theirs && ip->c->ref.kind != TARGET_HOST)
		cli_error_err(ip->c, CLI_PARTIAL, &err);
	p->block = both = net_sysctl_compare(target, theirs);
	cli_print(ip->c, p);
}

static void run(struct ip *ip, struct cli_print *p)
{
	struct err err = { 0 };

	if (ip->part == IP_SYSCTL) {
		print_settings(ip, p);
		return;
	}
	if (ip->to) {
		if (cli_way_to(ip->c, ip->to, &ip->destination))
			print_walk(ip, p);
		return;
	}
	if (ip->part == IP_NAT) {
		print_nat(ip, p);
		return;
	}
	if (open_target(ip, &err) < 0 || read_target(ip, &err) < 0) {
		say_error(ip->c, &err);
		return;
	}
	if (ip->part == IP_GET)
		print_route(ip, p);
	else
		print_facts(ip, p);
}

void cli_ip(struct cli *c)
{
	struct ip ip = { .c = c };
	struct cli_print p = { .first_word = 2, .keep = keep_row, .arg = &ip };

	if (!find_part(&ip, c->o->n_words > 1 ? c->o->words[1] : NULL) || !find_destination(&ip))
		return;
	p.type = ip_words[ip.part].type;
	p.first_word = ip.to || ip.destination.kind ? 3 : 2;
	if (cli_check(c, &p) && cli_find(c, wants_names(&ip) ? CLI_WANTS_SCAN : CLI_WANTS_REF))
		run(&ip, &p);
	link_free(ip.link);
	net_facts_done(&ip.facts);
	for (unsigned i = 0; i < NET_PARTS; i++)
		block_unref(ip.parts[i]);
	block_unref(ip.side_links);
	block_unref(ip.side_routes);
}
