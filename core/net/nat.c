/*
 * The worker for destination NAT: see nat.h. Before the cage it finds out what may be asked without making the kernel load a module or
 * make a table, and starts the process that asks; in the cage it reads what the kernel says.
 */
#include "core/net/nat.h"

#include "core/block.h"
#include "core/err.h"
#include "core/fd.h"
#include "core/net/nat_ask.h"
#include "core/net/nat_legacy.h"
#include "core/net/nat_there.h"
#include "core/net/rtnl.h"
#include "core/rights.h"
#include "core/worker.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { TRIES = 3, NAMES = 4096, FAMILIES = 2 };

struct nat {
	struct nat_ask *ask;
	bool nft;
	int names[FAMILIES]; /* ip_tables_names, ip6_tables_names; -1: none, or not readable */
	int names_error;
	struct nat_bytes dumps[NAT_DUMPS];
	struct net_rtnl *rtnl; /* for names of interfaces, which rules may give as numbers */
	struct net_names links;
};

/* --- nf_tables --- */

struct elements {
	struct nat *n;
	int r;
};

static void ask_elements(uint8_t family, struct text table, struct text set, void *arg)
{
	struct elements *e = arg;
	int r;

	if (e->r < 0)
		return;
	r = nat_ask_dump(e->n->ask, NAT_DUMP_ELEMENTS, family, table, set, &e->n->dumps[NAT_DUMP_ELEMENTS]);
	e->r = r < 0 ? r : e->r | r;
}

/* 0; 1: the rules changed meanwhile. */
static int dump_once(struct nat *n)
{
	struct elements e = { .n = n };
	const struct text none = { 0 };

	for (unsigned i = 0; i < NAT_DUMPS; i++)
		n->dumps[i].n = 0;
	for (unsigned i = 0; i < NAT_DUMP_ELEMENTS; i++) {
		int r = nat_ask_dump(n->ask, (enum nat_dump)i, 0, none, none, &n->dumps[i]);

		if (r < 0)
			return r;
		e.r |= r;
	}
	nat_nft_sets(n->dumps, ask_elements, &e);
	return e.r ? e.r : !nat_nft_is_one(n->dumps);
}

static int refused(int r, const char *what, struct err *err)
{
	if (r == -EPERM)
		return err_set(err, EPERM, "read the %s of the namespace: %s", what, rights_needed(RIGHT(CAP_NET_ADMIN), (char[RIGHTS_TEXT]){ 0 }));
	return err_set(err, -r, "read the %s of the namespace", what);
}

static void take_link(const struct nlmsghdr *nlh, void *arg)
{
	struct ifinfomsg h;
	struct net_attrs a;

	if (nlh->nlmsg_type != RTM_NEWLINK || nlh->nlmsg_len < NLMSG_LENGTH(sizeof h))
		return;
	memcpy(&h, NLMSG_DATA(nlh), sizeof h);
	net_attrs_of(nlh, sizeof h, &a);
	net_names_add(arg, (uint64_t)h.ifi_index, net_attr_text(a.at[IFLA_IFNAME]));
}

static void read_names(struct nat *n)
{
	const struct ifinfomsg all = { 0 };

	net_names_clear(&n->links);
	if (n->rtnl) /* without names the numbers are said */
		net_rtnl_dump(n->rtnl, RTM_GETLINK, &all, sizeof all, take_link, &n->links);
}

static int read_nft(struct nat *n, struct nat_model *m, struct builder *b, struct err *err)
{
	int r = 1;

	for (unsigned i = 0; i < TRIES && r == 1; i++)
		r = dump_once(n);
	if (r < 0)
		return refused(r, "rules of nf_tables", err);
	if (r == 1)
		builder_note(b, 0, "rules of nf_tables changed while they were read: some may be missing or twice");
	read_names(n);
	nat_nft_read(n->dumps, &n->links, m);
	return 0;
}

/* --- legacy --- */

static int read_table(struct nat *n, uint8_t family, const char *name, struct nat_model *m, struct builder *b, struct err *err)
{
	struct nat_bytes bytes;
	int r;

	if (strcmp(name, "nat") != 0 && strcmp(name, "mangle") != 0)
		return 0; /* the others change no destination */
	r = nat_ask_legacy(n->ask, family, name, &bytes);
	if (r < 0)
		return refused(r, "legacy tables", err);
	if (!nat_legacy_read(&bytes, family, m))
		builder_note(b, EBADMSG, "the legacy table %s of %s cannot be understood to its end", name, family == 6 ? "IPv6" : "IPv4");
	return 0;
}

/* Only tables that are there: asking for another one would make it. */
static int read_legacy(struct nat *n, uint8_t family, struct nat_model *m, struct builder *b, struct err *err)
{
	int fd = n->names[family == 6], r = 0;
	char names[NAMES], *line, *rest = names;
	ssize_t got = fd < 0 ? 0 : pread(fd, names, sizeof names - 1, 0);

	names[got < 0 ? 0 : got] = 0;
	while (r == 0 && (line = strsep(&rest, "\n")))
		r = read_table(n, family, line, m, b, err);
	return r;
}

/* --- the worker --- */

static int sample_nat(struct worker *w, struct builder *b, struct err *err)
{
	struct nat *n = *worker_state(w);
	struct nat_model m;
	int r = 0;

	nat_model_init(&m);
	if (n->nft)
		r = read_nft(n, &m, b, err);
	if (r == 0)
		r = read_legacy(n, 4, &m, b, err);
	if (r == 0)
		r = read_legacy(n, 6, &m, b, err);
	if (r == 0 && n->names_error)
		builder_note(b, n->names_error, "legacy tables of the namespace were not read: %s",
			rights_needed(RIGHT(CAP_DAC_OVERRIDE), (char[RIGHTS_TEXT]){ 0 }));
	if (r == 0)
		nat_walk(&m, b);
	nat_model_done(&m);
	return r;
}

static int open_nat(struct worker *w, struct err *err)
{
	struct nat *n = fd_xcalloc(1, sizeof *n);
	const struct worker_target *t = worker_target(w);
	int route = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_ROUTE);

	*worker_state(w) = n;
	n->nft = nat_there_nft(t->proc);
	if (route >= 0)
		n->rtnl = net_rtnl_new(route);
	for (unsigned i = 0; i < FAMILIES; i++) {
		n->names[i] = nat_there_names(t->proc, i ? 6 : 4);
		if (n->names[i] == -EACCES || n->names[i] == -EPERM)
			n->names_error = -n->names[i];
	}
	return nat_ask_start(n->nft, n->names[0] >= 0 || n->names[1] >= 0, &n->ask, err);
}

const struct source nat_source = {
	.name = "nat", .type = &nat_row_type, .enter = SOURCE_ENTER_NET, .needs_target = true, .cage = CAGE_NETLINK, .open = open_nat,
	.sample = sample_nat,
};
