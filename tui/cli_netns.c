/*
 * nsdbg netns: gives containers' network namespaces names for ip-netns(8), takes ours away, lists what is there. What is alive is told
 * by the same scan that lists targets, so a name whose container has gone is known without any memory of ours.
 */
#include "tui/cli.h"

#include "core/err.h"
#include "core/fd.h"
#include "core/netns.h"
#include "core/rights.h"
#include "core/source/netnames.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>

enum { SHORT_ID = 12 };

struct names {
	struct cli *c;
	struct block *names; /* joined with the targets */
	uint64_t *done; /* inodes and paths that this command worked on: ids of rows */
	unsigned n_done;
	enum netname_state did;
};

/* --- reading --- */

static bool uses(const struct target_row *t, uint64_t netns)
{
	return t->netns != ROW_NO_UINT && t->netns == netns;
}

static void add_targets(const struct cli *c, struct builder *b, struct netname_row *row)
{
	row->targets = (struct str){ 0 };
	for (uint32_t i = 0; i < block_count(c->targets); i++) {
		const struct target_row *t = block_row(c->targets, i);
		struct text name = block_text(c->targets, t->name);

		if (!uses(t, row->netns))
			continue;
		row->processes = t->processes;
		if (t->head.flags & (TARGET_IS_CONTAINER | TARGET_IS_HOST))
			builder_list_add(b, &row->targets, name.p, name.n);
	}
}

/* Processes that we may not see are not there for us: then nothing is said about life. */
static void judge(const struct cli *c, struct builder *b, struct netname_row *row)
{
	char text[160];

	if (row->state == NETNAME_EMPTY) {
		row->head.severity = SEVERITY_WARN;
		row->problem = builder_str(b, "a leftover file without a namespace: nsdbg netns detach --all removes it");
		return;
	}
	if (row->processes != 0 && row->processes != ROW_NO_UINT)
		row->state = NETNAME_ALIVE;
	if (row->processes != 0 || !session_is_privileged(c->session))
		return;
	row->state = NETNAME_KEPT;
	row->head.severity = SEVERITY_WARN;
	snprintf(text, sizeof text, "no process in it: only this mount keeps it alive%s",
		row->ours == 1 ? "; nsdbg netns detach takes it away" : "");
	row->problem = builder_str(b, text);
}

static struct block *join(const struct cli *c, const struct block *from)
{
	struct builder *b = builder_new(&netname_row_type);
	struct block *ret;

	for (uint32_t i = 0; i < block_count(from); i++) {
		struct netname_row *row = builder_copy_row(b, from, block_row(from, i));

		if (row->netns != ROW_NO_UINT)
			add_targets(c, b, row);
		judge(c, b, row);
	}
	ret = builder_block(b);
	builder_free(b);
	return ret;
}

static bool read_names(struct names *n)
{
	AUTO(block_unrefp) struct block *plain = NULL;
	struct cli *c = n->c;
	struct err err = { 0 };
	struct link *l = session_open(c->session, &netnames_source, NULL, NULL, 0, &err);
	int r = l ? cli_wait(c, l, &netname_row_type, cli_deadline(c), &plain, &err) : -EPIPE;

	link_free(l);
	if (r < 0) {
		cli_error_err(c, cli_status_of(err.code), &err);
		return false;
	}
	block_unref(n->names);
	n->names = join(c, plain);
	return true;
}

static const struct netname_row *find(const struct names *n, const char *name)
{
	for (uint32_t i = 0; i < block_count(n->names); i++) {
		const struct netname_row *row = block_row(n->names, i);
		struct text t = block_text(n->names, row->name);

		if (t.p && text_equal(t, text_of(name)))
			return row;
	}
	return NULL;
}

/* --- doing --- */

static void remember(struct names *n, const char *name)
{
	char path[sizeof NETNS_DIR + MSG_NAME_TEXT];
	int len = snprintf(path, sizeof path, NETNS_DIR "/%.*s", MSG_NAME_TEXT - 1, name);

	n->done = fd_xrealloc(n->done, n->n_done + 1, sizeof *n->done);
	n->done[n->n_done++] = row_hash(path, (size_t)len, 0);
}

static bool say(struct names *n, const struct err *err)
{
	enum cli_status status = cli_status_of(err->code);

	cli_error_err(n->c, n->c->o->all && status != CLI_NOT_PERMITTED ? CLI_PARTIAL : status, err);
	return false;
}

static bool detach_name(struct names *n, struct text name, uint64_t netns)
{
	struct msg_name m = { .op = MSG_NAME_DETACH, .netns = netns };
	struct err err = { 0 };

	snprintf(m.name, sizeof m.name, "%.*s", (int)name.n, name.p);
	if (session_name(n->c->session, &m, &err) < 0)
		return say(n, &err);
	if (n->did == NETNAME_DETACHED)
		remember(n, m.name);
	return true;
}

static bool attach_name(struct names *n, const char *name, const struct target_ref *ref)
{
	const struct netname_row *old = find(n, name);
	struct msg_name m = { .op = MSG_NAME_ATTACH, .target = *ref };
	struct err err = { 0 };

	/* The container was started again: its old name leads to the namespace that it had before. */
	if (old && old->ours == 1 && old->state == NETNAME_KEPT && !detach_name(n, text_of(name), old->netns))
		return false;
	snprintf(m.name, sizeof m.name, "%s", name);
	if (session_name(n->c->session, &m, &err) < 0)
		return say(n, &err);
	remember(n, name);
	return true;
}

/* --- attach --- */

static bool is_named_like(const struct block *b, const struct target_row *t, const char *name)
{
	char other[MSG_NAME_TEXT];

	netns_name_make(block_text(b, t->name), NULL, other);
	return strcmp(other, name) == 0;
}

/* The container's name; with its runtime, then its id behind it where two containers would have the same. */
static void default_name(const struct cli *c, const struct target_row *t, char ret[MSG_NAME_TEXT])
{
	const struct block *b = c->targets;
	struct text runtime = block_text(b, t->runtime), id = block_text(b, t->id);
	char plain[MSG_NAME_TEXT], suffix[24];
	bool clash = false, same_runtime = false;

	netns_name_make(block_text(b, t->name), NULL, plain);
	for (uint32_t i = 0; i < block_count(b); i++) {
		const struct target_row *o = block_row(b, i);

		if (o == t || !(o->head.flags & TARGET_IS_CONTAINER) || !is_named_like(b, o, plain))
			continue;
		clash = true;
		same_runtime = same_runtime || text_equal(block_text(b, o->runtime), runtime);
	}
	if (same_runtime)
		runtime = (struct text){ .p = id.p, .n = id.n < SHORT_ID ? id.n : SHORT_ID };
	snprintf(suffix, sizeof suffix, "%.*s", (int)(runtime.n < 20 ? runtime.n : 20), runtime.p ? runtime.p : "");
	netns_name_make(block_text(b, t->name), clash ? suffix : NULL, ret);
}

static bool attach_one(struct names *n)
{
	struct cli *c = n->c;
	char name[MSG_NAME_TEXT];
	struct err err = { 0 };

	if (c->ref.kind == TARGET_HOST || (c->target && c->target->head.flags & TARGET_HOST_NETWORK)) {
		err_set(&err, EINVAL, "%.60s uses the host's network: ip works there without a name", c->o->words[1]);
		return say(n, &err);
	}
	if (c->target)
		default_name(c, c->target, name);
	else
		netns_name_make(text_of(c->ref.kind == TARGET_PATH ? strrchr(c->ref.path, '/') + 1 : c->o->words[1]), NULL, name);
	return attach_name(n, c->o->name ? c->o->name : name, &c->ref);
}

static void attach_all(struct names *n)
{
	struct cli *c = n->c;
	struct err err = { 0 };

	for (uint32_t i = 0; i < block_count(c->targets); i++) {
		const struct target_row *t = block_row(c->targets, i);
		char name[MSG_NAME_TEXT];
		struct target_ref ref;

		if (!(t->head.flags & TARGET_IS_CONTAINER) || t->head.flags & TARGET_HOST_NETWORK ||
			target_reference(c->targets, t, &ref, &err) < 0)
			continue;
		default_name(c, t, name);
		if (!attach_name(n, name, &ref) && c->status == CLI_NOT_PERMITTED)
			return; /* nor will the next one be */
	}
}

/* --- detach --- */

static void detach_all(struct names *n)
{
	for (uint32_t i = 0; i < block_count(n->names); i++) {
		const struct netname_row *row = block_row(n->names, i);
		struct text name = block_text(n->names, row->name);

		if (row->ours == 1 && name.p && name.n < MSG_NAME_TEXT)
			detach_name(n, name, row->netns == ROW_NO_UINT ? 0 : row->netns);
	}
}

/* By target: all our names of its namespace. */
static void detach_target(struct names *n)
{
	struct cli *c = n->c;
	struct err err = { 0 };
	unsigned found = 0;

	for (uint32_t i = 0; c->target && i < block_count(n->names); i++) {
		const struct netname_row *row = block_row(n->names, i);
		struct text name = block_text(n->names, row->name);

		if (row->ours != 1 || !name.p || !uses(c->target, row->netns))
			continue;
		found++;
		detach_name(n, name, row->netns);
	}
	if (found == 0) {
		err_set(&err, ESRCH, "%.60s has no name of nsdbg's: nsdbg netns list says which there are", c->o->words[1]);
		say(n, &err);
	}
}

/* --- printing --- */

static bool keep_listed(const struct block *b, const void *row, void *arg)
{
	const struct netname_row *r = row;

	(void)b;
	(void)arg;
	return r->name.len != UINT32_MAX || r->state == NETNAME_KEPT;
}

static bool keep_done(const struct block *b, const void *row, void *arg)
{
	const struct names *n = arg;

	(void)b;
	for (unsigned i = 0; i < n->n_done; i++)
		if (n->done[i] == ((const struct row_head *)row)->id)
			return true;
	return false;
}

/* The names as they were before (detach) or are now, with what was done to them. */
static void print_done(struct names *n)
{
	struct cli_print p = { .type = &netname_row_type, .first_word = OPTIONS_MAX_WORDS, .keep = keep_done, .arg = n };
	struct builder *b = builder_new(&netname_row_type);
	AUTO(block_unrefp) struct block *done = NULL;

	if (n->did == NETNAME_DETACHED || read_names(n))
		for (uint32_t i = 0; i < block_count(n->names); i++) {
			struct netname_row *row = builder_copy_row(b, n->names, block_row(n->names, i));

			row->state = n->did;
			row->problem = ROW_NO_TEXT;
			row->head.severity = SEVERITY_NONE;
		}
	p.block = done = builder_block(b);
	builder_free(b);
	cli_print(n->c, &p);
}

static void list(struct names *n)
{
	struct cli_print p = { .type = &netname_row_type, .first_word = 1, .keep = keep_listed, .block = n->names };
	char msg[64 + RIGHTS_TEXT], why[RIGHTS_TEXT];
	bool unsure = false;

	for (uint32_t i = 0; i < block_count(n->names); i++)
		unsure = unsure || ((const struct netname_row *)block_row(n->names, i))->ours == ROW_NO_BOOL;
	if (unsure) {
		snprintf(msg, sizeof msg, "whose the names are cannot be seen: %s", rights_needed(RIGHT(CAP_SYS_ADMIN), why));
		cli_error(n->c, CLI_PARTIAL, EPERM, msg);
	}
	cli_print(n->c, &p);
}

/* --- words --- */

static int check_words(const struct options *o, struct err *err)
{
	const char *op = o->n_words ? o->words[0] : "list";

	if (strcmp(op, "list") == 0)
		return o->all || o->name ? err_set(err, EINVAL, "netns list takes no --all and no --name: it lists all names") : 0;
	if (strcmp(op, "attach") != 0 && strcmp(op, "detach") != 0)
		return err_set(err, EINVAL, "netns knows no \"%.30s\": it is attach, detach or list", op);
	if (o->n_words > 2)
		return err_set(err, EINVAL, "netns %s takes one target, not \"%.40s\"", op, o->words[2]);
	if ((o->n_words == 2) == o->all)
		return err_set(err, EINVAL, "netns %s wants either a target or --all", op);
	if (o->name && (o->all || strcmp(op, "detach") == 0))
		return err_set(err, EINVAL, "--name goes with attach and one target");
	if (o->name && !netns_name_valid(o->name))
		return err_set(err, EINVAL, "--name is 1-63 letters, digits and _ . - and does not begin with . or -");
	return 0;
}

static void run(struct names *n)
{
	struct cli *c = n->c;
	const char *op = c->o->n_words ? c->o->words[0] : "list", *word = c->o->n_words > 1 ? c->o->words[1] : NULL;

	if (!cli_targets(c) || !read_names(n))
		return;
	if (strcmp(op, "list") == 0) {
		list(n);
		return;
	}
	n->did = op[0] == 'a' ? NETNAME_ATTACHED : NETNAME_DETACHED;
	if (op[0] == 'a' && !word)
		attach_all(n);
	else if (op[0] == 'a' && cli_target_find(c, word))
		attach_one(n);
	else if (op[0] == 'd' && !word)
		detach_all(n);
	else if (op[0] == 'd' && find(n, word))
		detach_name(n, text_of(word), 0);
	else if (op[0] == 'd' && cli_target_find(c, word))
		detach_target(n);
	if (n->n_done || c->status == CLI_OK)
		print_done(n);
}

void cli_netns(struct cli *c)
{
	bool is_list = c->o->n_words == 0 || strcmp(c->o->words[0], "list") == 0;
	struct cli_print p = { .type = &netname_row_type, .first_word = is_list ? 1 : OPTIONS_MAX_WORDS };
	struct names n = { .c = c };
	struct err err = { 0 };

	if (check_words(c->o, &err) < 0)
		cli_error_err(c, CLI_USAGE, &err);
	else if (cli_check(c, &p))
		run(&n);
	block_unref(n.names);
	free(n.done);
}
