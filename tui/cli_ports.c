/*
 * nsdbg ports: who may reach what, and whether it works. Three rounds of workers, each side by side: sockets and addresses of all
 * namespaces, many in one worker; the namespaces outside of them that were not among those; rules there and the holders of the sockets.
 */
#include "tui/cli.h"

#include "core/err.h"
#include "core/fd.h"
#include "core/net/port_holders.h"
#include "core/net/listeners.h"
#include "core/net/nat.h"
#include "core/net/ports.h"
#include "core/source/namespaces.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { CHUNKS = 16, SHARE = 64 /* namespaces from which on a second worker is worth its start */ };

struct ports {
	struct cli *c;
	const struct target_row *only; /* NULL: all */
	struct link *links[CHUNKS];
	struct block *listeners[CHUNKS], *places[CHUNKS];
	unsigned n; /* chunks so far */
	struct block *all_listeners, *all_places, *holders;
	struct link *rules_links[NET_PORT_OUTSIDES], *holders_link;
	struct block *rules[NET_PORT_OUTSIDES];
	uint64_t outsides[NET_PORT_OUTSIDES];
	uint32_t n_outsides;
};

static const struct row_type *const place_types[] = { &net_place_row_type };

/* --- sockets and addresses --- */

static void open_chunk(struct ports *p, const struct net_listeners_params *params)
{
	AUTO(fd_closep) int candidates = net_listeners_candidates(p->c->targets);
	struct err err = { 0 };
	struct link *l = session_open(p->c->session, &net_listeners_source, NULL, params, sizeof *params, &err);

	if (!l || candidates < 0) {
		link_free(l);
		cli_error_err(p->c, CLI_PARTIAL, &err);
		return;
	}
	link_expect(l, place_types, ARRAY_LEN(place_types));
	link_request(l, 1, NET_LISTENERS_OP_CANDIDATES, NULL, 0, candidates);
	p->links[p->n++] = l;
}

/* The first sample knows no candidates and is empty; the second answers. */
static void read_chunk(struct ports *p, unsigned i)
{
	struct err err = { 0 };
	int r = 0;

	for (int round = 0; round < 2 && r == 0; round++) {
		block_unref(p->places[i]);
		block_unref(p->listeners[i]);
		p->places[i] = p->listeners[i] = NULL;
		r = cli_wait(p->c, p->links[i], &net_place_row_type, cli_deadline(p->c), &p->places[i], &err);
		if (r == 0)
			r = cli_wait(p->c, p->links[i], &net_listener_row_type, cli_deadline(p->c), &p->listeners[i], &err);
	}
	if (r < 0)
		cli_error_err(p->c, CLI_PARTIAL, &err);
	cli_notes(p->c, p->listeners[i]);
	link_free(p->links[i]);
	p->links[i] = NULL;
}

static void join_chunks(struct ports *p)
{
	block_unref(p->all_listeners);
	block_unref(p->all_places);
	p->all_listeners = target_union(&net_listener_row_type, (const struct block *const *)p->listeners, p->n);
	p->all_places = target_union(&net_place_row_type, (const struct block *const *)p->places, p->n);
}

static void read_namespaces(struct ports *p)
{
	struct net_listeners_params params = { 0 };
	uint32_t at = 0, cap = block_count(p->c->targets) > NET_LISTENERS ? NET_LISTENERS : SHARE;

	while (p->n < CHUNKS - 1 && (params.n = net_ports_namespaces(p->c->targets, p->only, &at, params.list, cap)) > 0)
		open_chunk(p, &params);
	if (at < block_count(p->c->targets))
		cli_error(p->c, CLI_PARTIAL, 0, "more network namespaces than can be read at once: some were left out");
	for (unsigned i = 0; i < p->n; i++)
		read_chunk(p, i);
	join_chunks(p);
}

static struct net_port_facts facts_of(const struct ports *p)
{
	struct net_port_facts f = { .targets = p->c->targets, .listeners = p->all_listeners, .places = p->all_places, .holders = p->holders,
		.whole = !p->only };

	for (uint32_t i = 0; i < p->n_outsides; i++)
		if (p->rules[i])
			f.rules[f.n_rules++] = (struct net_port_rules){ p->outsides[i], p->rules[i] };
	return f;
}

/* --- outside --- */

/* One target: where its cable ends is known only now. */
static void read_outsides(struct ports *p)
{
	struct net_port_facts f = facts_of(p);
	struct net_listeners_params params = { 0 };
	unsigned before = p->n;

	p->n_outsides = net_ports_outsides(&f, p->only, p->outsides);
	for (uint32_t i = 0; i < p->n_outsides; i++) {
		const struct target_row *t = net_ports_target(p->c->targets, p->outsides[i]);

		if (!net_ports_was_read(&f, p->outsides[i]))
			params.list[params.n++] = (struct net_namespace){ .pid = t && t->pid != ROW_NO_UINT ? (int32_t)t->pid : 0, .inode = p->outsides[i] };
	}
	if (params.n == 0)
		return;
	open_chunk(p, &params);
	for (unsigned i = before; i < p->n; i++)
		read_chunk(p, i);
	join_chunks(p);
}

static void open_rules(struct ports *p)
{
	for (uint32_t i = 0; i < p->n_outsides; i++) {
		const struct target_row *t = net_ports_target(p->c->targets, p->outsides[i]);
		struct err err = { 0 };
		struct target_ref ref;

		if (t && target_reference(p->c->targets, t, &ref, &err) == 0)
			p->rules_links[i] = session_open(p->c->session, &nat_source, &ref, NULL, 0, &err);
	}
}

static void read_rules(struct ports *p)
{
	for (uint32_t i = 0; i < p->n_outsides; i++) {
		struct err err = { 0 };

		if (p->rules_links[i] && cli_wait(p->c, p->rules_links[i], &nat_row_type, cli_deadline(p->c), &p->rules[i], &err) < 0)
			cli_error_err(p->c, CLI_PARTIAL, &err);
		cli_notes(p->c, p->rules[i]);
		link_free(p->rules_links[i]);
		p->rules_links[i] = NULL;
	}
}

static void open_holders(struct ports *p)
{
	AUTO(fd_closep) int inodes = net_ports_inodes(p->all_listeners);
	struct err err = { 0 };

	p->holders_link = session_open(p->c->session, &net_holders_source, NULL, NULL, 0, &err);
	if (!p->holders_link || inodes < 0)
		cli_error_err(p->c, CLI_PARTIAL, &err);
	else
		link_request(p->holders_link, 1, NET_HOLDERS_OP_INODES, NULL, 0, inodes);
}

static void read_holders(struct ports *p)
{
	struct err err = { 0 };
	int r = p->holders_link ? 0 : -EPIPE;

	for (int round = 0; round < 2 && r == 0; round++) {
		block_unref(p->holders);
		p->holders = NULL;
		r = cli_wait(p->c, p->holders_link, &net_holder_row_type, cli_deadline(p->c), &p->holders, &err);
	}
	if (r < 0 && p->holders_link)
		cli_error_err(p->c, CLI_PARTIAL, &err);
	link_free(p->holders_link);
}

/* --- the command --- */

static void done(struct ports *p)
{
	for (unsigned i = 0; i < CHUNKS; i++) {
		link_free(p->links[i]);
		block_unref(p->listeners[i]);
		block_unref(p->places[i]);
	}
	for (unsigned i = 0; i < NET_PORT_OUTSIDES; i++) {
		link_free(p->rules_links[i]);
		block_unref(p->rules[i]);
	}
	block_unref(p->all_listeners);
	block_unref(p->all_places);
	block_unref(p->holders);
}

static bool keep(const struct block *b, const void *row, void *arg)
{
	(void)b;
	return ((const struct cli *)arg)->o->all || !net_ports_is_quiet(row);
}

static struct block *read_all(struct ports *p)
{
	struct net_port_facts f;

	read_namespaces(p);
	read_outsides(p);
	open_rules(p);
	open_holders(p);
	read_rules(p);
	read_holders(p);
	f = facts_of(p);
	return net_ports_join(&f, p->only);
}

/* The namespace of a target that was named by any pid in it, or by a path. */
static uint64_t netns_named(const struct cli *c)
{
	struct stat st;

	if (c->ref.kind == TARGET_PATH)
		return stat(c->ref.path, &st) == 0 ? st.st_ino : ROW_NO_UINT;
	for (uint32_t i = 0; c->ref.kind == TARGET_PID && c->netns && i < block_count(c->netns); i++) {
		const struct netns_row *ns = block_row(c->netns, i);

		for (uint32_t k = 0; k < ns->members.n; k++) {
			const struct netns_member_row *m = block_nested(c->netns, &netns_member_row_type, ns->members, k);

			if (m->pid == (uint64_t)c->ref.pid)
				return ns->inode;
		}
	}
	return ROW_NO_UINT;
}

/* The row of that namespace, if there is one. */
static bool find_only(struct cli *c, struct ports *p)
{
	p->only = c->target ? c->target : net_ports_target(c->targets, netns_named(c));
	if (!p->only)
		cli_error(c, CLI_NO_TARGET, 0, "no list of ports for this target: name its container (nsdbg ls lists them), or use nsdbg ss -l");
	return p->only;
}

/* "exposure=world": of all targets. No target has such a name. */
static bool names_target(const struct options *o)
{
	return o->n_words && (target_is_kernel(o->words[0]) || !strpbrk(o->words[0], "=<>"));
}

/* The scan as well: who else is there is where a port leads. */
static bool find_one(struct cli *c, struct ports *p)
{
	if (!cli_find(c, CLI_WANTS_SCAN))
		return false;
	cli_complete(c);
	return find_only(c, p);
}

void cli_ports(struct cli *c)
{
	bool one = names_target(c->o);
	struct cli_print p = { .type = &net_port_row_type, .first_word = one, .keep = keep, .arg = c };
	AUTO(block_unrefp) struct block *block = NULL;
	struct ports ports = { .c = c };

	if (!cli_check(c, &p) || !(one ? find_one(c, &ports) : cli_targets(c)))
		return;
	p.block = block = read_all(&ports);
	cli_print(c, &p);
	done(&ports);
}
