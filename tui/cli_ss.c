/* Commands that read a target's tables once: ss, ps, files. */
#include "tui/cli.h"

#include "core/err.h"
#include "core/fd.h"
#include "core/loop.h"
#include "core/source/files.h"
#include "core/source/processes.h"
#include "core/source/sockets.h"

#include <errno.h>
#include <string.h>

enum { MAX_SEARCH = 500 };

/* Opens a worker on the target and takes its first block; false with the reason said. */
static bool sample(struct cli *c, const struct source *source, struct block **ret)
{
	struct err err = { 0 };
	struct link *l = session_open(c->session, source, &c->ref, NULL, 0, &err);
	int r = l ? cli_wait(c, l, source->type, cli_deadline(c), ret, &err) : -EPIPE;

	link_free(l);
	if (r < 0) /* what is wrong with the words was said before: this is about the target */
		cli_error_err(c, cli_status_of(err.code) == CLI_USAGE ? CLI_NO_TARGET : cli_status_of(err.code), &err);
	return r == 0;
}

/* --- ss --- */

static bool protocol_wanted(const struct options *o, uint32_t protocol)
{
	if (!o->tcp && !o->udp && !o->raw && !o->unix_sockets)
		return true;
	switch (protocol) {
	case SOCK_PROTO_TCP:
		return o->tcp;
	case SOCK_PROTO_UDP:
	case SOCK_PROTO_UDPLITE:
		return o->udp;
	case SOCK_PROTO_RAW:
	case SOCK_PROTO_ICMP:
		return o->raw;
	case SOCK_PROTO_UNIX:
		return o->unix_sockets;
	default:
		return false;
	}
}

/* As ss -l: what waits for others, datagram sockets without a peer included. */
static bool is_listening(const struct sock_row *s)
{
	return s->state == SOCK_STATE_LISTEN || (s->state == SOCK_STATE_UNCONN && s->protocol != SOCK_PROTO_TCP);
}

static bool keep_socket(const struct block *b, const void *row, void *arg)
{
	const struct options *o = ((const struct cli *)arg)->o;
	const struct sock_row *s = row;

	(void)b;
	if (!protocol_wanted(o, s->protocol) || (o->listening && !is_listening(s)))
		return false;
	if (o->ip4 || o->ip6)
		return (o->ip4 && s->family == 4) || (o->ip6 && s->family == 6);
	return true;
}

/* Sockets whose owner lives outside the target: a resolver of the engine, a debugger. */
static uint32_t ownerless(const struct block *joined, uint64_t inodes[MAX_SEARCH])
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < block_count(joined) && n < MAX_SEARCH; i++) {
		const struct sock_row *s = block_row(joined, i);

		if (s->pid == ROW_NO_UINT && s->inode != ROW_NO_UINT)
			inodes[n++] = s->inode;
	}
	return n;
}

/* Asks the owners' worker to look for those as well, and for all owners again. */
static void search_owners(struct cli *c, struct link *owners, struct block **joined, const struct block *sockets)
{
	AUTO(block_unrefp) struct block *found = NULL;
	uint64_t inodes[MAX_SEARCH];
	uint32_t n = ownerless(*joined, inodes);
	struct err err = { 0 };

	if (n == 0 || link_request(owners, 2, OWNERS_OP_SEARCH, inodes, n * sizeof inodes[0], -1) < 0 ||
		link_sample(owners, 3) < 0)
		return;
	if (cli_wait(c, owners, &owner_row_type, cli_deadline(c), &found, &err) < 0)
		return; /* who owns them stays unknown, as it is for ss */
	block_unref(*joined);
	*joined = sockets_join(sockets, found, c->targets);
}

/* Processes that nobody may look into matter only when they may own something shown. */
static bool lacks_owner(struct cli *c, const struct block *joined)
{
	for (uint32_t i = 0; i < block_count(joined); i++) {
		const struct sock_row *s = block_row(joined, i);

		if (s->pid == ROW_NO_UINT && s->inode != ROW_NO_UINT && keep_socket(joined, s, c))
			return true;
	}
	return false;
}

static void print_sockets(struct cli *c, struct cli_print *p, struct link *owners, struct block *sockets)
{
	AUTO(block_unrefp) struct block *who = NULL, *joined = NULL;
	struct err err = { 0 };
	int r = owners ? cli_wait(c, owners, &owner_row_type, cli_deadline(c), &who, &err) : -EPIPE;

	cli_complete(c);
	joined = sockets_join(sockets, who, c->targets);
	if (r == 0)
		search_owners(c, owners, &joined, sockets);
	else
		cli_error_err(c, CLI_PARTIAL, &err);
	cli_notes(c, sockets);
	if (lacks_owner(c, joined))
		cli_notes(c, who);
	p->noted = true;
	p->block = joined;
	cli_print(c, p);
}

void cli_ss(struct cli *c)
{
	struct cli_print p = { .type = &sock_row_type, .first_word = 1, .keep = keep_socket, .arg = c };
	AUTO(block_unrefp) struct block *sockets = NULL;
	struct link *owners;
	struct err err = { 0 };

	if (!cli_check(c, &p) || !cli_find(c, CLI_WANTS_NAMES))
		return;
	owners = session_open(c->session, &owners_source, &c->ref, NULL, 0, &err); /* works while the sockets are read */
	if (sample(c, &sockets_source, &sockets))
		print_sockets(c, &p, owners, sockets);
	link_free(owners);
}

/* --- ps, files --- */

static void print_sample(struct cli *c, struct cli_print *p, const struct source *source)
{
	AUTO(block_unrefp) struct block *b = NULL;

	if (!cli_check(c, p) || !cli_find(c, CLI_WANTS_REF) || !sample(c, source, &b))
		return;
	p->block = b;
	cli_print(c, p);
}

void cli_ps(struct cli *c)
{
	struct cli_print p = { .type = &process_row_type, .first_word = 1, .tree = c->o->tree };

	print_sample(c, &p, &processes_source);
}

void cli_files(struct cli *c)
{
	struct cli_print p = { .type = &file_row_type, .first_word = 1 };

	print_sample(c, &p, &files_source);
}
