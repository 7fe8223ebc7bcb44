/* Commands that read a target's tables once: ss, ps, files. */
#include "tui/cli.h"

#include "core/err.h"
#include "core/fd.h"
#include "core/loop.h"
#include "core/source/files.h"
#include "core/source/processes.h"
#include "core/source/sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_SEARCH = 500, SHARES = 2, MANY_FILES = 8000 };

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

/* Who owns what: looking into /proc/PID/fd is most of the work, so two processors share it. */
struct owners {
	struct link *links[SHARES];
	struct block *blocks[SHARES];
	unsigned n;
};

/*
 * Another worker costs 1.5 ms, 8,000 descriptors cost 40. Without rights each share would say what it could not see, and there would be
 * little to see.
 */
static bool is_worth_sharing(const struct cli *c)
{
	AUTO(fd_closep) int fd = open("/proc/sys/fs/file-nr", O_RDONLY | O_CLOEXEC); /* proc_sys_fs(5): open files of the host come first */
	char text[64] = "";

	return fd >= 0 && read(fd, text, sizeof text - 1) > 0 && strtoul(text, NULL, 10) >= MANY_FILES && session_is_privileged(c->session) &&
		sysconf(_SC_NPROCESSORS_ONLN) > 1;
}

static void owners_open(struct cli *c, struct owners *o)
{
	struct err err = { 0 };

	o->n = is_worth_sharing(c) ? SHARES : 1;
	for (unsigned i = 0; i < o->n; i++) {
		struct owners_params p = { .share = i, .shares = o->n };

		o->links[i] = session_open(c->session, &owners_source, &c->ref, &p, sizeof p, &err);
	}
}

static int owners_read(struct cli *c, struct owners *o, struct err *err)
{
	int r = 0;

	for (unsigned i = 0; i < o->n && r == 0; i++) {
		block_unref(o->blocks[i]);
		o->blocks[i] = NULL;
		r = o->links[i] ? cli_wait(c, o->links[i], &owner_row_type, cli_deadline(c), &o->blocks[i], err) : -EPIPE;
	}
	return r;
}

static void owners_done(struct owners *o)
{
	for (unsigned i = 0; i < o->n; i++) {
		link_free(o->links[i]);
		block_unref(o->blocks[i]);
	}
}

static struct block *join(struct cli *c, const struct owners *o, const struct block *sockets)
{
	return sockets_join_shares(sockets, (const struct block *const *)o->blocks, o->n, c->targets);
}

/* Asks the owners' workers to look for those as well, and for all owners again. */
static void search_owners(struct cli *c, struct owners *o, struct block **joined, const struct block *sockets)
{
	uint64_t inodes[MAX_SEARCH];
	uint32_t n = ownerless(*joined, inodes);
	struct err err = { 0 };
	bool asked = n > 0;

	for (unsigned i = 0; i < o->n && asked; i++)
		asked = link_request(o->links[i], 2, OWNERS_OP_SEARCH, inodes, n * sizeof inodes[0], -1) == 0;
	if (!asked || owners_read(c, o, &err) < 0)
		return; /* who owns them stays unknown, as it is for ss */
	block_unref(*joined);
	*joined = join(c, o, sockets);
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

static void print_sockets(struct cli *c, struct cli_print *p, struct owners *o, struct block *sockets)
{
	AUTO(block_unrefp) struct block *joined = NULL;
	struct err err = { 0 };
	int r = owners_read(c, o, &err);

	cli_complete(c);
	joined = join(c, o, sockets);
	if (r == 0)
		search_owners(c, o, &joined, sockets);
	else
		cli_error_err(c, CLI_PARTIAL, &err);
	cli_notes(c, sockets);
	for (unsigned i = 0; i < o->n && lacks_owner(c, joined); i++)
		cli_notes(c, o->blocks[i]);
	p->noted = true;
	p->block = joined;
	cli_print(c, p);
}

void cli_ss(struct cli *c)
{
	struct cli_print p = { .type = &sock_row_type, .first_word = 1, .keep = keep_socket, .arg = c };
	AUTO(block_unrefp) struct block *sockets = NULL;
	struct owners owners = { .n = 0 };

	if (!cli_check(c, &p) || !cli_find(c, CLI_WANTS_NAMES))
		return;
	owners_open(c, &owners); /* works while the sockets are read */
	if (sample(c, &sockets_source, &sockets))
		print_sockets(c, &p, &owners, sockets);
	owners_done(&owners);
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
