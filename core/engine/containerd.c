/*
 * The reader for containerd and CRI: see containerd.h. A round asks for everything: versions, namespaces, pods, then what each of them
 * has; an event begins the next one. Facts of the last whole round stay until then, also while nobody answers.
 */
#include "core/engine/containerd.h"

#include "core/block.h"
#include "core/engine/containerd_facts.h"
#include "core/engine/reader.h"
#include "core/err.h"
#include "core/fd.h"
#include "core/loop.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	MAX_EVENTS = 1 << 20,
};

/* A call that waits for room. */
struct job {
	enum mover_kind kind;
	char id[MOVER_ID + 1], space[MOVER_ID + 1];
};

struct reader {
	struct engine_reader base;
	struct containerd_facts *last, *now; /* whole; of the round under way, NULL: none */
	struct job *jobs;
	unsigned n_jobs, cap_jobs;
	bool has_containerd, has_cri; /* in this round */
	char no_events[128]; /* of a runtime that has only CRI: why it has none; "": it has, or was not asked */
	char gap[192];
	unsigned n_failed;
	uint64_t round_at, relist_at; /* monotonic ms, 0 = off */
};

/* --- telling the app --- */

static void send_rows(struct reader *r)
{
	struct docker_rows_stamp stamp = engine_reader_stamp(&r->base, NULL);

	builder_clear(r->base.targets);
	if (r->last)
		containerd_facts_rows(r->last, &stamp, r->base.targets);
	if (r->n_failed && !r->base.error[0])
		builder_note(r->base.targets, EBADMSG, "%.90s: not all could be read: %s", r->base.params->endpoint, r->gap);
	engine_reader_send(&r->base, r->base.targets);
}

static void send_engine(struct reader *r)
{
	engine_reader_send_engine(&r->base,
		&(struct engine_words){ .runtime = r->has_cri && !r->has_containerd ? "cri" : r->base.params->runtime,
			.version = r->last ? containerd_facts_version(r->last) : "",
			.no_events = r->no_events, .api = r->has_containerd && r->has_cri ? "v1, cri v1" : r->has_cri ? "cri v1" : "v1" });
}

/* --- asking --- */

static void want(struct reader *r, enum mover_kind kind, const char *space, const char *id)
{
	struct job *j;

	if (r->n_jobs == r->cap_jobs) {
		r->cap_jobs = r->cap_jobs ? r->cap_jobs * 2 : 32;
		r->jobs = fd_xrealloc(r->jobs, r->cap_jobs, sizeof *r->jobs);
	}
	j = &r->jobs[r->n_jobs++];
	*j = (struct job){ .kind = kind };
	snprintf(j->space, sizeof j->space, "%s", space);
	snprintf(j->id, sizeof j->id, "%s", id);
}

/* The order does not matter: each answer finds its place. */
static void start_jobs(struct reader *r)
{
	while (r->n_jobs && docker_calls_have_room(&r->base.calls, r->jobs[r->n_jobs - 1].kind)) {
		const struct job *j = &r->jobs[--r->n_jobs];
		struct mover_request as = { 0 };

		memcpy(as.id, j->id, sizeof as.id);
		memcpy(as.space, j->space, sizeof as.space);
		as.verbose = !r->has_containerd; /* nobody else tells pids then */
		engine_reader_start(&r->base, j->kind, &as);
	}
}

static void ask_events(struct reader *r)
{
	const struct mover_request as = { 0 };

	if (!r->base.params->once && !docker_calls_is_busy(&r->base.calls, MOVER_CTR_EVENTS))
		engine_reader_start(&r->base, MOVER_CTR_EVENTS, &as);
}

/* CRI's own events: CRI-O 1.26 where its configuration says so, containerd 1.7. What happened before they came is asked once more. */
static void ask_cri_events(struct reader *r)
{
	const struct mover_request as = { 0 };

	if (r->base.params->once || r->has_containerd || !r->has_cri || r->no_events[0] ||
		docker_calls_is_busy(&r->base.calls, MOVER_CRI_EVENTS))
		return;
	if (engine_reader_start(&r->base, MOVER_CRI_EVENTS, &as))
		r->round_at = loop_now_ms() + ENGINE_COALESCE_MS;
}

static bool has_events(const struct reader *r)
{
	return docker_calls_is_busy(&r->base.calls, r->has_containerd ? MOVER_CTR_EVENTS : MOVER_CRI_EVENTS);
}

static void begin_round(struct reader *r)
{
	containerd_facts_free(r->now);
	r->now = containerd_facts_new();
	r->n_jobs = 0;
	r->round_at = r->relist_at = r->base.retry_at = 0;
	r->n_failed = 0;
	r->has_containerd = r->has_cri = false;
	ask_events(r); /* before the lists: nothing that happens meanwhile is missed */
	want(r, MOVER_CRI_VERSION, "", "");
	want(r, MOVER_CTR_VERSION, "", "");
}

static void end_round(struct reader *r)
{
	bool is_news = !r->last || r->base.error[0];

	containerd_facts_free(r->last);
	r->last = r->now;
	r->now = NULL;
	engine_reader_is_well(&r->base);
	ask_cri_events(r);
	if (!has_events(r))
		r->relist_at = loop_now_ms() + ENGINE_RELIST_MS;
	send_rows(r);
	if (is_news || r->base.params->once)
		send_engine(r);
	r->base.is_over = r->base.params->once;
}

static void engine_failed(struct reader *r, const char *why)
{
	bool is_news = engine_reader_failed(&r->base, why);

	containerd_facts_free(r->now);
	r->now = NULL;
	r->n_jobs = 0;
	r->round_at = r->relist_at = 0;
	r->no_events[0] = 0; /* it may come back as another version */
	if (is_news) {
		send_rows(r);
		send_engine(r);
	}
	r->base.is_over = r->base.params->once;
}

/* --- answers --- */

static bool is_version(enum mover_kind kind)
{
	return kind == MOVER_CTR_VERSION || kind == MOVER_CRI_VERSION;
}

static void gap(struct reader *r, const char *why)
{
	r->n_failed++;
	snprintf(r->gap, sizeof r->gap, "%s", why);
}

/* What the answer makes worth asking. */
static void ask_more(struct reader *r, enum mover_kind kind)
{
	const char *name;

	if (kind == MOVER_CTR_VERSION) {
		r->has_containerd = true;
		want(r, MOVER_CTR_SPACES, "", "");
	} else if (kind == MOVER_CRI_VERSION) {
		r->has_cri = true;
		want(r, MOVER_CRI_PODS, "", "");
		want(r, MOVER_CRI_CONTAINERS, "", "");
	}
	for (unsigned i = 0; kind == MOVER_CTR_SPACES && (name = containerd_facts_space(r->now, i)); i++) {
		want(r, MOVER_CTR_TASKS, name, "");
		/* CRI tells more of its own; when it does not answer, this is what there is. */
		if (!r->has_cri || strcmp(name, "k8s.io") != 0)
			want(r, MOVER_CTR_CONTAINERS, name, "");
	}
	for (unsigned i = 0; kind == MOVER_CRI_PODS && (name = containerd_facts_pod(r->now, i)); i++)
		want(r, MOVER_CRI_POD, "", name);
	for (unsigned i = 0; kind == MOVER_CRI_CONTAINERS && (name = containerd_facts_container(r->now, i)); i++)
		want(r, MOVER_CRI_CONTAINER, "", name);
}

/* Why an answer is of no use, NULL: it is. */
static const char *bad_answer(const struct reader *r, const struct mover_done *done, char buf[192])
{
	if (done->code)
		return done->msg;
	if (done->status == 200 && done->grpc == 0)
		return NULL;
	if (done->grpc < 0)
		snprintf(buf, 192, "%.90s answers, but not by gRPC: is it containerd or CRI-O?", r->base.params->endpoint);
	else
		snprintf(buf, 192, "%.60s says: %.100s (status %d)", r->base.params->endpoint, done->msg, done->grpc);
	return buf;
}

/* One interface of the two may be missing; an object may have gone meanwhile. */
static void refused(struct reader *r, enum mover_kind kind, const struct mover_done *done, const char *why)
{
	bool is_object = kind == MOVER_CRI_POD || kind == MOVER_CRI_CONTAINER;
	bool other = kind == MOVER_CTR_VERSION ? r->has_cri || docker_calls_is_busy(&r->base.calls, MOVER_CRI_VERSION) :
		r->has_containerd || docker_calls_is_busy(&r->base.calls, MOVER_CTR_VERSION);

	if (done->code || (is_version(kind) && (done->grpc < 0 || !other)))
		engine_failed(r, why);
	else if (!is_version(kind) && !is_object)
		gap(r, why);
}

/* Refused: from now on it is asked. Ended in order: a new round begins, and events with it. */
static void cri_events_ended(struct reader *r, const struct mover_done *done, const char *why)
{
	if (done->code) {
		engine_failed(r, why ? why : "its events ended");
	} else if (why) {
		snprintf(r->no_events, sizeof r->no_events, "%.120s", why);
		r->relist_at = loop_now_ms() + ENGINE_RELIST_MS;
		send_engine(r);
	} else {
		r->round_at = loop_now_ms() + ENGINE_COALESCE_MS;
	}
}

static void take_answer(struct reader *r, const struct docker_call *call, const struct mover_done *done)
{
	char buf[192];
	const char *why = bad_answer(r, done, buf);
	struct err err = { 0 };

	if (call->kind == MOVER_CRI_EVENTS) {
		cri_events_ended(r, done, why);
		return;
	}
	if (call->kind == MOVER_CTR_EVENTS) {
		if (done->code || r->base.error[0])
			engine_failed(r, why ? why : "its events ended");
		else if (!r->now) /* refused, or ended in order: from now on it is asked */
			r->relist_at = loop_now_ms() + (done->grpc == 0 ? ENGINE_COALESCE_MS : ENGINE_RELIST_MS);
		return;
	}
	if (!r->now)
		return;
	if (done->status)
		engine_reader_answered(&r->base, done);
	if (why)
		refused(r, call->kind, done, why);
	else if (containerd_facts_take(r->now, call->kind, call->space, call->id, call->body, call->n, &err) < 0)
		gap(r, err.msg);
	else
		ask_more(r, call->kind);
}

static void take_events(struct reader *r, struct docker_call *call)
{
	const unsigned char *p = (const unsigned char *)call->body, *body;
	size_t used = 0, n;
	ssize_t frame;

	while ((frame = containerd_frame(p + used, call->n - used, &body, &n)) > 0) {
		if ((call->kind == MOVER_CRI_EVENTS || containerd_event_matters(body, n)) && !r->round_at)
			r->round_at = loop_now_ms() + ENGINE_COALESCE_MS;
		used += (size_t)frame;
	}
	docker_calls_eat(call, frame < 0 || call->n - used > MAX_EVENTS ? call->n : used);
}

static void take(void *arg, struct docker_call *call, const struct mover_done *done)
{
	if (done)
		take_answer(arg, call, done);
	else
		take_events(arg, call);
}

/* --- time --- */

static bool is_busy(const struct reader *r)
{
	return r->n_jobs > 0 || r->base.calls.n_busy > 0;
}

static void run_timers(struct reader *r)
{
	uint64_t now = loop_now_ms();
	char why[192];

	if (engine_timer_is_due(&r->base.retry_at, now))
		begin_round(r);
	if (!r->now && !r->base.error[0] && (engine_timer_is_due(&r->round_at, now) || engine_timer_is_due(&r->relist_at, now)))
		begin_round(r);
	if (engine_reader_is_late(&r->base, why))
		engine_failed(r, why);
}

static int wait_ms(const void *arg)
{
	const struct reader *r = arg;
	const uint64_t timers[] = { r->base.retry_at, r->base.once_end, r->now ? 0 : r->round_at, r->now ? 0 : r->relist_at };
	return engine_timer_wait(timers, ARRAY_LEN(timers));
}

/* --- the source --- */

static void look_again(void *arg)
{
	struct reader *r = arg;

	if (!r->now)
		begin_round(r);
}

static void turn(void *arg)
{
	struct reader *r = arg;

	run_timers(r);
	if (r->now && !is_busy(r))
		end_round(r);
	start_jobs(r);
}

static const struct engine_ops containerd_ops = { .take = take, .ask = look_again, .turn = turn, .wait_ms = wait_ms };

static int containerd_serve(struct worker *w, struct err *err)
{
	struct reader r = { 0 };
	int ret;

	engine_reader_init(&r.base, w);
	begin_round(&r);
	start_jobs(&r);
	ret = engine_reader_serve(&r.base, &containerd_ops, &r, err);
	engine_reader_done(&r.base);
	containerd_facts_free(r.now);
	containerd_facts_free(r.last);
	free(r.jobs);
	return ret;
}

const struct source containerd_source = {
	.name = "containerd",
	.type = &target_row_type,
	.cage = CAGE_BASE,
	.open = engine_reader_open,
	.serve = containerd_serve,
};
