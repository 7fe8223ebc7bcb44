/* Commands about the list: ls, networks, engines, show. */
#include "tui/cli.h"

#include "core/err.h"
#include "core/fd.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

struct listing {
	const struct cli *c;
	unsigned stopped; /* left out */
};

static bool is_stopped(const struct target_row *t)
{
	return t->state == TARGET_STATE_CREATED || t->state == TARGET_STATE_EXITED || t->state == TARGET_STATE_DEAD ||
		t->state == TARGET_STATE_REMOVING;
}

/* What docker ps would show; asking for a state or with words about one means all. */
static bool keep_target(const struct block *b, const void *row, void *arg)
{
	const struct target_row *t = row;
	struct listing *l = arg;

	if (!engine_places_shows(&l->c->places, block_text(b, t->runtime)))
		return false;
	if (l->c->o->all || !is_stopped(t))
		return true;
	l->stopped++;
	return false;
}

void cli_ls(struct cli *c)
{
	struct listing l = { .c = c };
	struct cli_print p = { .type = &target_row_type, .keep = keep_target, .arg = &l, .filter = c->o->filter };

	if (!cli_check(c, &p) || !cli_targets(c))
		return;
	p.block = c->targets;
	cli_print(c, &p);
	if (l.stopped > 0 && !c->o->quiet && isatty(STDERR_FILENO) && isatty(c->out))
		fprintf(stderr, "%u stopped not shown (-a shows all)\n", l.stopped);
}

static void no_engine(struct cli *c)
{
	if (c->status == CLI_OK || c->status == CLI_PARTIAL)
		cli_error(c, CLI_NO_ENGINE, 0, "no engine answers: start Docker, or name it with --docker-host");
}

void cli_networks(struct cli *c)
{
	struct cli_print p = { .type = &network_row_type };

	if (!cli_check(c, &p) || !cli_targets(c))
		return;
	if (!c->networks)
		no_engine(c);
	p.block = c->networks;
	cli_print(c, &p);
}

void cli_engines(struct cli *c)
{
	struct cli_print p = { .type = &engine_row_type };

	if (!cli_check(c, &p))
		return;
	cli_targets(c);
	if (!c->engines)
		no_engine(c);
	p.block = c->engines;
	cli_print(c, &p);
}

/* A pid or path may belong to a target of the list. */
static const struct target_row *row_of_ref(const struct cli *c)
{
	for (uint32_t i = 0; i < block_count(c->targets); i++) {
		const struct target_row *t = block_row(c->targets, i);
		struct text path = block_text(c->targets, t->path);

		if (c->ref.kind == TARGET_PID && t->pid == (uint64_t)c->ref.pid)
			return t;
		if (c->ref.kind == TARGET_PATH && path.p && text_equal(path, text_of(c->ref.path)))
			return t;
	}
	return NULL;
}

/* pid:N and netns:NAME can be written without anything being there. */
static bool is_there(struct cli *c)
{
	char msg[96];

	if (c->ref.kind != TARGET_PID || kill(c->ref.pid, 0) == 0 || errno != ESRCH)
		return cli_path_is_there(c);
	snprintf(msg, sizeof msg, "there is no process %d", (int)c->ref.pid);
	cli_error(c, CLI_NO_TARGET, 0, msg);
	return false;
}

/* A stopped container has facts, too: only entering it is impossible. */
static bool find_any(struct cli *c)
{
	struct err err = { 0 };
	uint32_t row = UINT32_MAX;
	char msg[192];
	int r;

	if (!cli_targets(c))
		return false;
	r = target_resolve(c->targets, c->o->words[0], &row, &c->ref, &err);
	c->target = block_row(c->targets, row);
	if (r == 0 && !c->target)
		c->target = row_of_ref(c);
	if (c->target)
		return true;
	if (r == 0 && !is_there(c))
		return false;
	snprintf(msg, sizeof msg, "nothing is known about %.80s beyond its namespace: try ss, ps or cap on it", c->o->words[0]);
	cli_error(c, CLI_NO_TARGET, 0, r < 0 ? err.msg : msg);
	return false;
}

void cli_show(struct cli *c)
{
	struct builder *one = builder_new(&target_row_type);
	AUTO(block_unrefp) struct block *b = NULL;
	struct cli_print p = { .type = &target_row_type, .record = true, .first_word = 1 };

	if (cli_check(c, &p) && find_any(c)) {
		builder_copy_row(one, c->targets, c->target);
		p.block = b = builder_block(one);
		cli_print(c, &p);
	}
	builder_free(one);
}
