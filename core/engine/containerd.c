/*
 * The reader for containerd and CRI: see containerd.h. A round asks for everything: versions, namespaces, pods, then what each of them
 * has; an event begins the next one. Facts of the last whole round stay until then, also while nobody answers.
 */
#include "core/engine/containerd.h"

#include "core/block.h"
#include "core/engine/containerd_facts.h"
#include "core/engine/docker.h"
#include "core/engine/docker_calls.h"
#include "core/err.h"
#include "core/fd.h"
#include "core/loop.h"
#include "core/worker.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	COALESCE_MS = 100, /* events of one moment are answered together */
	RELIST_MS = 10000, /* CRI-O: it has no events that are spoken here */
	ONCE_MS = 2900,
	UNIMPLEMENTED = 12, /* grpc-status */
	MAX_EVENTS = 1 << 20,
};

/* Made in open(), with privilege. */
struct containerd_state {
	int mover;
	unsigned owner;
};

/* A call that waits for room. */
struct job {
	enum mover_kind kind;
	char id[MOVER_ID + 1], space[MOVER_ID + 1];
};

struct reader {
	struct worker *worker;
	const struct docker_params *params;
	const struct containerd_state *state;
	struct docker_calls calls;
	struct containerd_facts *last, *now; /* whole; of the round under way, NULL: none */
	struct job *jobs;
	unsigned n_jobs, cap_jobs;
	struct builder *targets, *engines;
	bool has_containerd, has_cri; /* in this round */
	char error[192]; /* "" while it answers */
	char gap[192];
	unsigned n_failed, failures;
	int64_t answered_at;
	uint64_t latency_us;
	bool is_over;
	int broken;
	uint64_t retry_at, round_at, relist_at, once_end; /* monotonic ms, 0 = off */
};

static int64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

/* --- telling the app --- */

static void send_block(struct reader *r, struct builder *b)
{
	int ret = worker_send_block(r->worker, 0, b);

	if (ret < 0 && !r->broken)
		r->broken = ret;
}

static void send_rows(struct reader *r)
{
	struct docker_rows_stamp stamp = { .engine = r->params->endpoint, .owner = r->state->owner ? r->state->owner : ROW_NO_UINT,
		.as_of = ROW_NO_INT };

	if (r->error[0])
		stamp.as_of = r->answered_at ? r->answered_at : now_ns();
	builder_clear(r->targets);
	if (r->last)
		containerd_facts_rows(r->last, &stamp, r->targets);
	if (r->n_failed && !r->error[0])
		builder_note(r->targets, EBADMSG, "%.90s: not all could be read: %s", r->params->endpoint, r->gap);
	send_block(r, r->targets);
}

static void send_engine(struct reader *r)
{
	const char *endpoint = r->params->endpoint, *version = r->last ? containerd_facts_version(r->last) : "";
	struct engine_row *e;

	builder_clear(r->engines);
	e = builder_row(r->engines);
	*e = (struct engine_row){ .answering = !r->error[0], .latency_us = r->answered_at ? r->latency_us : ROW_NO_UINT,
		.answered_at = r->answered_at ? r->answered_at : ROW_NO_INT };
	e->head.id = row_hash(endpoint, strlen(endpoint), 0);
	e->head.severity = r->error[0] ? SEVERITY_BAD : SEVERITY_OK;
	e->runtime = builder_str(r->engines, r->has_cri && !r->has_containerd ? "cri" : r->params->runtime);
	e->endpoint = builder_str(r->engines, endpoint);
	e->version = builder_str(r->engines, version[0] ? version : NULL);
	e->api = builder_str(r->engines, r->has_containerd && r->has_cri ? "v1, cri v1" : r->has_cri ? "cri v1" : "v1");
	e->error = builder_str(r->engines, r->error[0] ? r->error : NULL);
	e->owner = r->state->owner ? r->state->owner : ROW_NO_UINT;
	send_block(r, r->engines);
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
	while (r->n_jobs && docker_calls_have_room(&r->calls, r->jobs[r->n_jobs - 1].kind)) {
		const struct job *j = &r->jobs[--r->n_jobs];
		struct mover_request as = { 0 };
		int ret;

		memcpy(as.id, j->id, sizeof as.id);
		memcpy(as.space, j->space, sizeof as.space);
		ret = docker_calls_start(&r->calls, j->kind, &as);
		if (ret == -EPIPE)
			r->broken = ret;
	}
}

static void ask_events(struct reader *r)
{
	const struct mover_request as = { 0 };

	if (!r->params->once && !docker_calls_is_busy(&r->calls, MOVER_CTR_EVENTS) &&
		docker_calls_start(&r->calls, MOVER_CTR_EVENTS, &as) == -EPIPE)
		r->broken = -EPIPE;
}

static void begin_round(struct reader *r)
{
	containerd_facts_free(r->now);
	r->now = containerd_facts_new();
	r->n_jobs = 0;
	r->round_at = r->relist_at = r->retry_at = 0;
	r->n_failed = 0;
	r->has_containerd = r->has_cri = false;
	ask_events(r); /* before the lists: nothing that happens meanwhile is missed */
	want(r, MOVER_CRI_VERSION, "", "");
	want(r, MOVER_CTR_VERSION, "", "");
}

static void end_round(struct reader *r)
{
	bool is_news = !r->last || r->error[0];

	containerd_facts_free(r->last);
	r->last = r->now;
	r->now = NULL;
	r->error[0] = 0;
	r->failures = 0;
	if (!r->has_containerd || !docker_calls_is_busy(&r->calls, MOVER_CTR_EVENTS))
		r->relist_at = loop_now_ms() + RELIST_MS;
	send_rows(r);
	if (is_news || r->params->once)
		send_engine(r);
	r->is_over = r->params->once;
}

static void engine_failed(struct reader *r, const char *why)
{
	bool is_news = strcmp(r->error, why) != 0;

	docker_calls_reset(&r->calls);
	containerd_facts_free(r->now);
	r->now = NULL;
	r->n_jobs = 0;
	r->round_at = r->relist_at = 0;
	snprintf(r->error, sizeof r->error, "%s", why);
	r->retry_at = r->params->no_retry ? 0 : loop_now_ms() + (r->failures < 5 ? 1000u << r->failures : 30000u);
	r->failures++;
	if (is_news) {
		send_rows(r);
		send_engine(r);
	}
	r->is_over = r->params->once;
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
		snprintf(buf, 192, "%.90s answers, but not by gRPC: is it containerd or CRI-O?", r->params->endpoint);
	else
		snprintf(buf, 192, "%.60s says: %.100s (status %d)", r->params->endpoint, done->msg, done->grpc);
	return buf;
}

/* One interface of the two may be missing; an object may have gone meanwhile. */
static void refused(struct reader *r, enum mover_kind kind, const struct mover_done *done, const char *why)
{
	bool is_object = kind == MOVER_CRI_POD || kind == MOVER_CRI_CONTAINER;
	bool other = kind == MOVER_CTR_VERSION ? r->has_cri || docker_calls_is_busy(&r->calls, MOVER_CRI_VERSION) :
		r->has_containerd || docker_calls_is_busy(&r->calls, MOVER_CTR_VERSION);

	if (done->code || (is_version(kind) && (done->grpc < 0 || !other)))
		engine_failed(r, why);
	else if (!is_version(kind) && !is_object)
		gap(r, why);
}

static void take_answer(struct reader *r, const struct docker_call *call, const struct mover_done *done)
{
	char buf[192];
	const char *why = bad_answer(r, done, buf);
	struct err err = { 0 };

	if (call->kind == MOVER_CTR_EVENTS) {
		if (done->code || r->error[0])
			engine_failed(r, why ? why : "its events ended");
		else if (!r->now) /* refused, or ended in order: from now on it is asked */
			r->relist_at = loop_now_ms() + (done->grpc == 0 ? COALESCE_MS : RELIST_MS);
		return;
	}
	if (!r->now)
		return;
	if (done->status) {
		r->answered_at = now_ns();
		r->latency_us = done->latency_us;
	}
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
		if (containerd_event_matters(body, n) && !r->round_at)
			r->round_at = loop_now_ms() + COALESCE_MS;
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

static bool is_due(uint64_t *timer, uint64_t now)
{
	if (!*timer || now < *timer)
		return false;
	*timer = 0;
	return true;
}

static bool is_busy(const struct reader *r)
{
	return r->n_jobs > 0 || r->calls.n_busy > 0;
}

static void run_timers(struct reader *r)
{
	uint64_t now = loop_now_ms();
	char why[192];

	if (is_due(&r->retry_at, now))
		begin_round(r);
	if (!r->now && !r->error[0] && (is_due(&r->round_at, now) || is_due(&r->relist_at, now)))
		begin_round(r);
	if (is_due(&r->once_end, now) && !r->is_over) {
		snprintf(why, sizeof why, "%.100s: no answer within %d ms: is containerd hanging?", r->params->endpoint, ONCE_MS);
		engine_failed(r, why);
	}
}

static int next_timer(const struct reader *r)
{
	const uint64_t timers[] = { r->retry_at, r->once_end, r->now ? 0 : r->round_at, r->now ? 0 : r->relist_at };
	uint64_t first = UINT64_MAX, now = loop_now_ms();

	for (size_t i = 0; i < ARRAY_LEN(timers); i++)
		if (timers[i] && timers[i] < first)
			first = timers[i];
	if (first == UINT64_MAX)
		return -1;
	return first <= now ? 0 : (int)(first - now);
}

/* --- the source --- */

/* A request means: look again now. False: the app left. */
static bool take_request(struct reader *r)
{
	struct msg m;
	int ret = worker_recv(r->worker, &m, 0);

	if (ret == -EAGAIN)
		return true;
	if (ret <= 0)
		return false;
	fd_closep(&m.fd);
	if (m.head.type == MSG_REQUEST && m.request.op == MSG_OP_SAMPLE && !r->now)
		begin_round(r);
	return true;
}

static int loop(struct reader *r, struct err *err)
{
	struct pollfd p[2] = { { .fd = worker_channel(r->worker), .events = POLLIN }, { .fd = r->calls.fd, .events = POLLIN } };
	int ret = 0;

	while (!r->is_over && !r->broken) {
		start_jobs(r);
		if (poll(p, 2, ret == -EAGAIN ? 0 : next_timer(r)) < 0 && errno != EINTR)
			return err_set(err, errno, "wait for the engine");
		if (p[0].revents && !take_request(r))
			return 0;
		ret = docker_calls_read(&r->calls, take, r, err);
		if (ret == -EPIPE || ret == -EBADMSG)
			return err_set(err, ECHILD, "the process that talks to %.100s ended", r->params->endpoint);
		if (ret < 0 && ret != -EAGAIN)
			return ret;
		run_timers(r);
		if (r->now && !is_busy(r))
			end_round(r);
	}
	return r->broken == -EPIPE ? 0 : r->broken;
}

static int containerd_serve(struct worker *w, struct err *err)
{
	struct reader r = { .worker = w, .params = worker_params(w, sizeof *r.params), .state = *worker_state(w),
		.targets = builder_new(&target_row_type), .engines = builder_new(&engine_row_type) };
	int ret;

	docker_calls_init(&r.calls, r.state->mover);
	r.once_end = r.params->once ? loop_now_ms() + ONCE_MS : 0;
	begin_round(&r);
	ret = loop(&r, err);
	docker_calls_done(&r.calls);
	containerd_facts_free(r.now);
	containerd_facts_free(r.last);
	free(r.jobs);
	builder_free(r.targets);
	builder_free(r.engines);
	return ret;
}

static int containerd_open(struct worker *w, struct err *err)
{
	const struct docker_params *p = worker_params(w, sizeof *p);
	struct containerd_state *s = fd_xcalloc(1, sizeof *s);
	struct mover_target target;
	int r;

	*worker_state(w) = s;
	if (!p || !memchr(p->endpoint, 0, sizeof p->endpoint) || !memchr(p->runtime, 0, sizeof p->runtime))
		return err_set(err, EINVAL, "wrong parameters for an engine");
	r = mover_target_parse(p->endpoint, &target, err);
	return r < 0 ? r : mover_start(&target, &s->mover, &s->owner, err);
}

const struct source containerd_source = {
	.name = "containerd",
	.type = &target_row_type,
	.cage = CAGE_BASE,
	.open = containerd_open,
	.serve = containerd_serve,
};
