/*
 * The engines of a command: which are asked, all at once and each on its own, and what came of it. An engine that fails costs a
 * sentence and its rows; only one that the user named ends the command.
 */
#include "tui/cli.h"

#include "core/engine/docker.h"
#include "core/err.h"
#include "core/fd.h"
#include "core/loop.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* One that is asked. */
struct asked {
	const struct engine_place *place;
	struct link *link; /* NULL: over */
	struct block *blocks[3]; /* as in `types` */
	struct err err;
	bool is_judged;
};

struct cli_engines {
	struct cli *c;
	struct asked list[ENGINE_PLACES];
	unsigned n;
};

static const struct row_type *const types[3] = { &target_row_type, &network_row_type, &engine_row_type };
enum { TARGETS, NETWORKS, ENGINES };

static void open_one(struct cli_engines *e, const struct engine_place *place, const char *only, bool rest)
{
	struct docker_params params = { .once = 1, .rest = rest };
	struct asked *a = &e->list[e->n++];

	*a = (struct asked){ .place = place };
	snprintf(params.runtime, sizeof params.runtime, "%s", engine_kind_names[place->kind]);
	memcpy(params.endpoint, place->endpoint, sizeof params.endpoint);
	if (only)
		snprintf(params.only, sizeof params.only, "%s", only);
	a->link = session_open(e->c->session, engine_source(place->kind), NULL, &params, sizeof params, &a->err);
	if (a->link)
		link_expect(a->link, types, ARRAY_LEN(types));
}

struct cli_engines *cli_engines_open(struct cli *c, const char *only, bool rest)
{
	struct cli_engines *e = fd_xcalloc(1, sizeof *e);

	e->c = c;
	for (unsigned i = 0; i < c->places.n; i++)
		if (!c->places.list[i].is_idle)
			open_one(e, &c->places.list[i], only, rest);
	return e;
}

void cli_engines_add(struct cli_engines *e, unsigned n)
{
	for (unsigned i = n; i < e->c->places.n; i++)
		open_one(e, &e->c->places.list[i], NULL, false);
}

/* --- answers --- */

static void ended(struct asked *a, const char *how)
{
	if (!a->err.code && !a->blocks[TARGETS] && !a->blocks[ENGINES])
		err_set(&a->err, EPIPE, "the worker for %.100s %s", a->place->endpoint, how[0] ? how : "ended without an answer");
	link_free(a->link);
	a->link = NULL;
}

static void take_event(struct asked *a)
{
	struct link_event ev;

	link_read(a->link, &ev);
	if (ev.type == LINK_ERROR)
		err_set(&a->err, ev.code, "%s", ev.msg);
	if (ev.type == LINK_CLOSED)
		ended(a, ev.msg);
	for (unsigned i = 0; i < ARRAY_LEN(types) && ev.type == LINK_BLOCK; i++) {
		if (types[i] != ev.row_type)
			continue;
		block_unref(a->blocks[i]);
		a->blocks[i] = ev.block;
		return;
	}
	if (ev.type == LINK_BLOCK)
		block_unref(ev.block);
}

/* Is anything worth waiting for? */
static bool is_open(const struct asked *a, bool first)
{
	return a->link && !(first && a->blocks[TARGETS]);
}

/* Waits for one of them; false: all are over, or the time is. */
static bool turn(struct cli_engines *e, uint64_t deadline, bool first)
{
	struct pollfd p[ENGINE_PLACES];
	uint64_t now = loop_now_ms();
	unsigned left = 0;

	for (unsigned i = 0; i < e->n; i++) {
		p[i] = (struct pollfd){ .fd = e->list[i].link ? link_fd(e->list[i].link) : -1, .events = POLLIN };
		left += is_open(&e->list[i], first);
	}
	if (left == 0 || now >= deadline)
		return false;
	if (poll(p, e->n, (int)(deadline - now < 60000 ? deadline - now : 60000)) < 0)
		return errno == EINTR;
	for (unsigned i = 0; i < e->n; i++)
		if (p[i].revents)
			take_event(&e->list[i]);
	return true;
}

/* Why an engine does not answer, in its own words; false: it does. */
static bool has_failed(struct asked *a)
{
	const struct block *b = a->blocks[ENGINES];
	const struct engine_row *row = b && block_count(b) ? block_row(b, 0) : NULL;
	struct text why = row ? block_text(b, row->error) : (struct text){ 0 };

	if (a->link)
		err_set(&a->err, ETIMEDOUT, "%s at %.120s does not answer within the time limit (--timeout)",
			engine_kind_names[a->place->kind], a->place->endpoint);
	else if (row && row->answering != 1)
		err_set(&a->err, why.p && memmem(why.p, why.n, "ermission", 9) ? EACCES : EHOSTDOWN, "%.*s", (int)why.n,
			why.p ? why.p : "the engine does not answer");
	return a->err.code != 0;
}

/* Nobody expects containerd's socket to be open to all. */
static bool is_worth_saying(const struct asked *a)
{
	return a->place->is_explicit || a->place->kind != ENGINE_CONTAINERD || a->err.code != EACCES;
}

/* A daemon that was killed leaves its socket: its containers live on and are worth listing. A name nobody ever had is a mistake. */
static bool was_there(const struct asked *a)
{
	const char *path = strncmp(a->place->endpoint, "unix://", 7) == 0 ? a->place->endpoint + 7 : NULL;

	return a->err.code != EACCES && a->err.code != EPERM && path && (access(path, F_OK) == 0 || errno == EACCES);
}

static bool judge(struct cli_engines *e, struct asked *a)
{
	enum cli_status status;

	if (!has_failed(a))
		return true;
	status = a->err.code == EACCES || a->err.code == EPERM ? CLI_NOT_PERMITTED : CLI_NO_ENGINE;
	e->c->engine_status = status;
	if (e->c->o->command != COMMAND_ENGINES && is_worth_saying(a)) /* its table is about nothing else */
		cli_error_err(e->c, a->place->is_explicit ? status : CLI_PARTIAL, &a->err);
	return !a->place->is_explicit || was_there(a);
}

static struct block *unite(struct cli_engines *e, unsigned kind, struct block *more)
{
	const struct block *all[ENGINE_PLACES + 1];
	struct block *ret;
	unsigned n = 0;

	for (unsigned i = 0; i < e->n; i++)
		if (e->list[i].blocks[kind])
			all[n++] = e->list[i].blocks[kind];
	if (more && block_count(more))
		all[n++] = more;
	ret = n ? target_union(types[kind], all, n) : NULL;
	block_unref(more);
	return ret;
}

bool cli_engines_under_way(const struct cli_engines *e)
{
	for (unsigned i = 0; e && i < e->n; i++)
		if (e->list[i].link)
			return true;
	return false;
}

unsigned cli_engines_targets(const struct cli_engines *e, const struct block **ret)
{
	unsigned n = 0;

	for (unsigned i = 0; e && i < e->n; i++)
		if (e->list[i].blocks[TARGETS])
			ret[n++] = e->list[i].blocks[TARGETS];
	return n;
}

bool cli_engines_read(struct cli_engines *e, bool first)
{
	uint64_t deadline = e ? cli_deadline(e->c) : 0;
	bool good = true;

	while (e && turn(e, deadline, first))
		;
	for (unsigned i = 0; e && i < e->n; i++) {
		struct asked *a = &e->list[i];

		if (a->is_judged || (first && a->link && a->blocks[TARGETS]))
			continue;
		a->is_judged = true;
		good &= judge(e, a);
		cli_notes(e->c, a->blocks[TARGETS]);
		link_free(a->link); /* its time is over */
		a->link = NULL;
	}
	if (!e || cli_engines_under_way(e))
		return good;
	block_unref(e->c->networks);
	block_unref(e->c->engines);
	e->c->networks = unite(e, NETWORKS, NULL);
	e->c->engines = unite(e, ENGINES, engine_places_idle(&e->c->places));
	return good;
}

void cli_engines_free(struct cli_engines *e)
{
	if (!e)
		return;
	for (unsigned i = 0; i < e->n; i++) {
		link_free(e->list[i].link);
		for (unsigned k = 0; k < ARRAY_LEN(types); k++)
			block_unref(e->list[i].blocks[k]);
	}
	free(e);
}
