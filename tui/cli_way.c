/*
 * The destination of nsdbg ip T path: an address, or any target word. What its engine told of its networks comes first, as in the network
 * view; a target that no engine knows is asked for its addresses, and so is the one where the way begins.
 */
#include "tui/cli.h"

#include "core/err.h"
#include "core/fd.h"
#include "core/filter.h"
#include "core/net/address.h"
#include "core/net/path.h"

#include <stdio.h>
#include <string.h>

bool cli_way_is_destination(const char *word)
{
	struct filter *f = NULL;
	struct addr literal;
	bool is_filter;

	if (addr_parse(word, &literal) == 0 || target_is_kernel(word))
		return true;
	if (strchr("-!/\"", *word))
		return false;
	is_filter = strpbrk(word, ":=<>!") && filter_parse(&net_hop_row_type, word, &f, NULL, NULL) == 0;
	filter_free(f);
	return !is_filter;
}

/* NULL: it cannot be looked into, `err` says why. */
static struct block *read_addresses(struct cli *c, const struct target_ref *ref, struct err *err)
{
	const struct net_params params = { .parts = 1 << NET_LINKS | 1 << NET_ADDRESSES };
	struct link *l = session_open(c->session, &net_source, ref, &params, sizeof params, err);
	struct block *b = NULL;

	if (!l)
		return NULL;
	link_expect(l, net_types + 1, NET_PARTS - 1);
	cli_wait(c, l, &net_address_row_type, cli_deadline(c), &b, err);
	link_free(l);
	return b;
}

static bool is_on_link(const struct block *own, const struct addr *a)
{
	for (uint32_t i = 0; own && i < block_count(own); i++) {
		const struct net_address_row *o = block_row(own, i);

		if (!addr_is_loopback(&o->address) && o->address.has_prefix && addr_same_prefix(a, &o->address, o->address.prefix))
			return true;
	}
	return false;
}

/* 0: nobody else reaches it. */
static unsigned worth(const struct block *b, const struct net_address_row *a, const struct block *own)
{
	if (addr_is_loopback(&a->address) || !text_equal(block_text(b, a->scope), text_of("global")) ||
		a->head.flags & (NET_ADDRESS_TENTATIVE | NET_ADDRESS_DADFAILED))
		return 0;
	return 1 + (a->address.kind == ADDR_IP4) + 2 * is_on_link(own, &a->address);
}

static bool choose(const struct block *b, const struct block *own, struct addr *ret)
{
	unsigned best = 0;

	for (uint32_t i = 0; i < block_count(b); i++) {
		const struct net_address_row *a = block_row(b, i);
		unsigned w = worth(b, a, own);

		if (w > best)
			*ret = a->address;
		best = w > best ? w : best;
	}
	ret->has_prefix = ret->prefix = 0;
	return best > 0;
}

static bool ask(struct cli *c, const struct target_ref *ref, const char *word, struct addr *ret)
{
	AUTO(block_unrefp) struct block *theirs = NULL, *own = NULL;
	struct err err = { 0 };
	char msg[160];

	theirs = read_addresses(c, ref, &err);
	if (!theirs) {
		cli_error_err(c, cli_status_of(err.code) == CLI_USAGE ? CLI_NO_TARGET : cli_status_of(err.code), &err);
		return false;
	}
	own = read_addresses(c, &c->ref, &err); /* without it: no network is known to be shared */
	if (choose(theirs, own, ret))
		return true;
	snprintf(msg, sizeof msg, "%.80s has no address that others could reach", word);
	cli_error(c, CLI_NO, 0, msg);
	return false;
}

bool cli_way_to(struct cli *c, const char *word, struct addr *ret)
{
	const struct target_row *row = NULL;
	struct target_ref ref;

	if (addr_parse(word, ret) == 0 && ret->kind != ADDR_MAC && !ret->has_prefix)
		return true;
	if (!cli_other(c, word, &row, &ref))
		return false;
	return (row && target_address(c->targets, c->target, row, 0, ret)) || ask(c, &ref, word, ret);
}
