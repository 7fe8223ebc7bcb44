/* nsdbg ports: what the engine published, and who listens behind it. One pair of workers per container, one container after the other. */
#include "tui/cli.h"

#include "core/err.h"
#include "core/fd.h"
#include "core/net/ports.h"
#include "core/source/sockets.h"

/* The sockets of a target with their owners; NULL: could not be read, said why. */
static struct block *read_sockets(struct cli *c, const struct target_ref *ref)
{
	AUTO(block_unrefp) struct block *sockets = NULL, *who = NULL;
	struct err err = { 0 }, ignored = { 0 };
	struct link *owners = session_open(c->session, &owners_source, ref, NULL, 0, &ignored);
	struct link *l = session_open(c->session, &sockets_source, ref, NULL, 0, &err);
	struct block *joined = NULL;

	if (!l || cli_wait(c, l, &sock_row_type, cli_deadline(c), &sockets, &err) < 0)
		cli_error_err(c, CLI_PARTIAL, &err);
	else if (owners) /* without them only the names of the processes are missing */
		cli_wait(c, owners, &owner_row_type, cli_deadline(c), &who, &ignored);
	if (sockets)
		joined = sockets_join(sockets, who, NULL);
	link_free(owners);
	link_free(l);
	return joined;
}

static void add_target(struct cli *c, struct builder *b, const struct target_row *t)
{
	AUTO(block_unrefp) struct block *sockets = NULL;
	struct target_ref ref;
	struct err err = { 0 };

	if (!net_ports_any(c->targets, t) || target_reference(c->targets, t, &ref, &err) < 0)
		return; /* what does not run listens nowhere, and is not published either */
	sockets = read_sockets(c, &ref);
	net_ports_add(b, c->targets, t, sockets);
}

void cli_ports(struct cli *c)
{
	struct cli_print p = { .type = &net_port_row_type, .first_word = 1 };
	AUTO(block_unrefp) struct block *block = NULL;
	struct builder *b;

	if (!cli_check(c, &p) || !(c->o->n_words ? cli_target(c) : cli_targets(c)))
		return;
	b = builder_new(&net_port_row_type);
	for (uint32_t i = 0; i < block_count(c->targets); i++) {
		const struct target_row *t = block_row(c->targets, i);

		if (!c->o->n_words || t == c->target)
			add_target(c, b, t);
	}
	p.block = block = builder_block(b);
	builder_free(b);
	cli_print(c, &p);
}
