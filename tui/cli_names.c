/* Many names at a time: the target's hosts file answers first, the worker asks for the rest, and everything is put into order. */
#include "tui/cli_names.h"

#include "core/dns/batch.h"
#include "core/err.h"
#include "core/fd.h"
#include "core/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { MAX_FILE = 8 << 20 };

/* Where the rows of a name are: names end in any order. */
struct place {
	uint32_t block, first, n;
};

struct answers {
	struct block **blocks;
	uint32_t n_blocks;
	struct place *places; /* by position - 1 */
	size_t n_names, n_done;
};

/* --- the file --- */

void cli_names_open(struct cli *c)
{
	if (c->names_fd >= 0 || !c->o->names || strcmp(c->o->names, "-") == 0)
		return;
	c->names_fd = open(c->o->names, O_RDONLY | O_NOCTTY | O_CLOEXEC);
}

bool cli_names_read(struct cli *c, struct dns_words *w)
{
	bool is_input = strcmp(c->o->names, "-") == 0;
	const char *shown = is_input ? "standard input" : c->o->names;
	AUTO(fd_freep) char *bytes = fd_xcalloc(1, MAX_FILE + 1);
	struct err err = { 0 };
	ssize_t n;
	int r = 0;

	cli_names_open(c);
	if (!is_input && c->names_fd < 0)
		r = err_set(&err, errno, "read %.120s", shown);
	n = r < 0 ? r : fd_read_all(is_input ? STDIN_FILENO : c->names_fd, bytes, MAX_FILE + 1);
	if (r == 0 && n < 0)
		r = err_set(&err, (int)-n, "read %.120s", shown);
	if (r == 0 && n > MAX_FILE)
		r = err_set(&err, EINVAL, "%.120s has more than %d MiB: ask for its names in parts", shown, MAX_FILE >> 20);
	if (r == 0)
		r = dns_words_file(w, bytes, (size_t)n, shown, &err);
	if (r == 0 && w->n_names == 0)
		r = err_set(&err, EINVAL, "%.120s has no names", shown);
	if (r < 0)
		cli_error_err(c, CLI_USAGE, &err);
	return r == 0;
}

/* --- answers --- */

/* Takes the block; rows of one name stand together. */
static void take(struct answers *a, struct block *b)
{
	a->blocks = fd_xrealloc(a->blocks, a->n_blocks + 1, sizeof *a->blocks);
	a->blocks[a->n_blocks] = b;
	for (uint32_t i = 0; i < block_count(b); i++) {
		const struct dns_row *row = block_row(b, i);
		struct place *p = row->position - 1 < a->n_names ? &a->places[row->position - 1] : NULL;

		if (!p || (p->n && p->block != a->n_blocks))
			continue; /* not ours, or answered already */
		if (p->n++ == 0) {
			*p = (struct place){ .block = a->n_blocks, .first = i, .n = 1 };
			a->n_done++;
		}
	}
	a->n_blocks++;
}

static struct block *in_order(const struct answers *a)
{
	struct builder *b = builder_new(&dns_row_type);
	struct block *ret;

	for (size_t i = 0; i < a->n_names; i++)
		for (uint32_t k = 0; k < a->places[i].n; k++) {
			const struct block *from = a->blocks[a->places[i].block];

			builder_copy_row(b, from, block_row(from, a->places[i].first + k));
		}
	ret = builder_block(b);
	builder_free(b);
	return ret;
}

static void show(struct cli *c, const struct cli_names *n, struct block *b)
{
	if (n->each && block_count(b))
		n->each(c, b, n->arg);
}

/* --- asking --- */

static void add_known(struct builder *b, const struct block *rows, const char *name, size_t position)
{
	for (uint32_t i = 0; i < block_count(rows); i++) {
		struct dns_row *row = builder_copy_row(b, rows, block_row(rows, i));
		uint64_t id[] = { row->head.id, position };

		row->asked = builder_str(b, name);
		row->position = position;
		row->head.id = row_hash(id, sizeof id, 0);
	}
}

/* What the target's files know; the rest goes into the list. */
static struct block *sort_names(const struct cli_names *n, struct dns_batch_list *list)
{
	struct builder *b = builder_new(&dns_row_type);
	struct dns_request one = *n->as;
	struct block *ret;

	for (size_t i = 0; i < n->words->n_names; i++) {
		const struct dns_word *w = &n->words->names[i];
		struct dns_batch_entry entry = { .position = (uint32_t)i + 1, .n_name = (uint16_t)strlen(w->name) };
		AUTO(block_unrefp) struct block *known = NULL;

		memcpy(entry.types, w->types, sizeof entry.types);
		memcpy(one.types, w->types, sizeof one.types);
		memcpy(one.name, w->name, entry.n_name + 1u);
		if (!(one.flags & DNS_NO_HOSTS))
			known = dns_answer_from_files(n->files, &one);
		if (known)
			add_known(b, known, w->name, i + 1);
		else
			dns_batch_add(list, &entry, w->name);
	}
	ret = builder_block(b);
	builder_free(b);
	return ret;
}

static int send_list(const struct cli_names *n, const struct dns_batch_list *list, struct err *err)
{
	AUTO(fd_closep) int fd = memfd_create("names", MFD_CLOEXEC);

	if (fd < 0 || fd_write_all(fd, list->bytes, list->n) < 0)
		return err_set(err, errno, "make the list of names");
	if (list->n > DNS_BATCH_MAX_BYTES)
		return err_set(err, E2BIG, "the names have more than %d MiB: ask for them in parts", DNS_BATCH_MAX_BYTES >> 20);
	if (link_request(n->worker, 1, DNS_OP_BATCH, n->as, sizeof *n->as, fd) < 0)
		return err_set(err, EPIPE, "the worker that asks for names has ended");
	return 0;
}

/* As long as answers come there is time; each name has its own limit in the worker, which is shorter. */
static int receive(struct cli *c, const struct cli_names *n, struct answers *a, struct err *err)
{
	while (a->n_done < a->n_names) {
		struct block *b = NULL;
		int r = cli_wait(c, n->worker, &dns_row_type, cli_deadline(c) + 1000, &b, err);

		if (r < 0)
			return r;
		take(a, b);
		show(c, n, b);
	}
	return 0;
}

struct block *cli_names_ask(struct cli *c, const struct cli_names *n)
{
	struct answers a = { .n_names = n->words->n_names };
	struct dns_batch_list list = { 0 };
	struct block *known, *ret = NULL;
	struct err err = { 0 };
	int r = 0;

	a.places = fd_xcalloc(a.n_names, sizeof *a.places);
	known = sort_names(n, &list);
	take(&a, known);
	show(c, n, known);
	if (list.n)
		r = send_list(n, &list, &err);
	if (r == 0)
		r = receive(c, n, &a, &err);
	if (r < 0)
		cli_error_err(c, cli_status_of(err.code), &err);
	if (a.n_done)
		ret = in_order(&a);
	for (uint32_t i = 0; i < a.n_blocks; i++)
		block_unref(a.blocks[i]);
	free(a.blocks);
	free(a.places);
	free(list.bytes);
	return ret;
}
