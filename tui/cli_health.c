/* nsdbg health: how the targets do. Two readings, the time of --for apart: rates need both. */
#include "tui/cli.h"

#include "core/err.h"
#include "core/fd.h"
#include "core/source/health.h"

#include <errno.h>
#include <time.h>

enum { DEFAULT_MS = 1000 };

static void pause_ms(uint64_t ms)
{
	struct timespec ts = { .tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000 };

	while (nanosleep(&ts, &ts) < 0 && errno == EINTR)
		;
}

static int watch(struct cli *c, struct link *l, struct err *err)
{
	uint32_t lost = 0;
	AUTO(fd_closep) int fd = health_watch_list(c->targets, &lost);
	char msg[96];
	int r = fd < 0 ? fd : link_request(l, 0, HEALTH_WATCH, NULL, 0, fd);

	if (r < 0)
		return err_set(err, -r, "name the targets to the health worker");
	if (lost > 0) {
		snprintf(msg, sizeof msg, "%u targets more than %d were left out", lost, HEALTH_MAX_TARGETS);
		cli_error(c, CLI_PARTIAL, 0, msg);
	}
	return 0;
}

/* The first block comes before the worker knows any target, the second answers the list; the one after the pause counts. */
static int read_twice(struct cli *c, struct link *l, struct block **ret, struct err *err)
{
	int r = watch(c, l, err);

	for (int i = 0; i < 3 && r == 0; i++) {
		block_unref(*ret);
		*ret = NULL;
		if (i == 2) {
			pause_ms(c->o->for_ms ? c->o->for_ms : DEFAULT_MS);
			link_sample(l, 0);
		}
		r = cli_wait(c, l, &health_row_type, cli_deadline(c), ret, err);
	}
	return r;
}

static const struct target_row *target_of(const struct block *targets, uint64_t id)
{
	for (uint32_t i = 0; i < block_count(targets); i++)
		if (((const struct row_head *)block_row(targets, i))->id == id)
			return block_row(targets, i);
	return NULL;
}

static struct block *with_names(const struct cli *c, const struct block *rows)
{
	struct builder *b = builder_new(&health_row_type);
	struct block *ret;

	for (uint32_t i = 0; i < block_count(rows); i++) {
		const struct health_row *from = block_row(rows, i);
		const struct target_row *t = target_of(c->targets, from->head.id);
		struct text name = t ? block_text(c->targets, t->name) : (struct text){ 0 };
		struct health_row *row;

		if (t && !engine_places_shows(&c->places, block_text(c->targets, t->runtime)))
			continue;
		row = builder_copy_row(b, rows, from);
		row->name = builder_text(b, name.p, name.n);
	}
	ret = builder_block(b);
	builder_free(b);
	return ret;
}

void cli_health(struct cli *c)
{
	struct cli_print p = { .type = &health_row_type };
	AUTO(block_unrefp) struct block *rows = NULL, *named = NULL;
	struct err err = { 0 };
	struct link *l;
	int r;

	if (!cli_check(c, &p) || !cli_targets(c))
		return;
	l = session_open(c->session, &health_source, NULL, NULL, 0, &err);
	r = l ? read_twice(c, l, &rows, &err) : -EPIPE;
	link_free(l);
	if (r < 0) {
		cli_error_err(c, cli_status_of(err.code), &err);
		return;
	}
	cli_notes(c, rows);
	p.block = named = with_names(c, rows);
	cli_print(c, &p);
}
