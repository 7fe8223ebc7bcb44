/* The common part of the readers of engines: see reader.h. The only rights here are those of CAGE_BASE. */
#include "core/engine/reader.h"

#include "core/block.h"
#include "core/err.h"
#include "core/fd.h"
#include "core/loop.h"
#include "core/worker.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

/* Made in open(), with privilege. */
struct reader_state {
	int mover;
	unsigned owner;
};

int engine_reader_open(struct worker *w, struct err *err)
{
	const struct docker_params *p = worker_params(w, sizeof *p);
	struct reader_state *s = fd_xcalloc(1, sizeof *s);
	struct mover_target target;
	int r;

	*worker_state(w) = s;
	if (!p || !memchr(p->endpoint, 0, sizeof p->endpoint) || !memchr(p->runtime, 0, sizeof p->runtime) ||
		!memchr(p->only, 0, sizeof p->only))
		return err_set(err, EINVAL, "wrong parameters for an engine");
	r = mover_target_parse(p->endpoint, &target, err);
	if (strcmp(p->runtime, "docker") != 0)
		memcpy(target.daemon, p->runtime, sizeof target.daemon);
	return r < 0 ? r : mover_start(&target, &s->mover, &s->owner, err);
}

void engine_reader_init(struct engine_reader *r, struct worker *w)
{
	const struct reader_state *s = *worker_state(w);

	*r = (struct engine_reader){ .worker = w, .params = worker_params(w, sizeof *r->params), .owner = s->owner,
		.targets = builder_new(&target_row_type), .engines = builder_new(&engine_row_type) };
	docker_calls_init(&r->calls, s->mover);
	r->once_end = r->params->once ? loop_now_ms() + ENGINE_ONCE_MS : 0;
}

void engine_reader_done(struct engine_reader *r)
{
	docker_calls_done(&r->calls);
	builder_free(r->targets);
	builder_free(r->engines);
}

/* --- telling the app --- */

void engine_reader_send(struct engine_reader *r, struct builder *b)
{
	int ret = worker_send_block(r->worker, 0, b);

	if (ret < 0 && !r->broken)
		r->broken = ret;
}

static uint64_t owner_of(const struct engine_reader *r)
{
	return r->owner ? r->owner : ROW_NO_UINT;
}

struct docker_rows_stamp engine_reader_stamp(const struct engine_reader *r, const char *runtime)
{
	struct docker_rows_stamp stamp = { .runtime = runtime, .engine = r->params->endpoint, .owner = owner_of(r), .as_of = ROW_NO_INT };

	if (r->error[0])
		stamp.as_of = r->answered_at ? r->answered_at : loop_wall_ns();
	return stamp;
}

static struct str word(struct builder *b, const char *text)
{
	return builder_str(b, text && text[0] ? text : NULL);
}

void engine_reader_send_engine(struct engine_reader *r, const struct engine_words *w)
{
	const char *endpoint = r->params->endpoint;
	struct engine_row *e;

	builder_clear(r->engines);
	e = builder_row(r->engines);
	*e = (struct engine_row){ .answering = !r->error[0], .latency_us = r->answered_at ? r->latency_us : ROW_NO_UINT,
		.answered_at = r->answered_at ? r->answered_at : ROW_NO_INT, .owner = owner_of(r) };
	e->head.id = row_hash(endpoint, strlen(endpoint), 0);
	e->head.severity = r->error[0] ? SEVERITY_BAD : SEVERITY_OK;
	e->runtime = builder_str(r->engines, w->runtime);
	e->endpoint = builder_str(r->engines, endpoint);
	e->version = word(r->engines, w->version);
	e->api = word(r->engines, w->api);
	e->error = word(r->engines, r->error);
	if (w->no_events && w->no_events[0])
		builder_note(r->engines, 0, "no events, so it is asked every %d s: %s", ENGINE_RELIST_MS / 1000, w->no_events);
	engine_reader_send(r, r->engines);
}

/* --- how it is --- */

void engine_reader_answered(struct engine_reader *r, const struct mover_done *done)
{
	r->answered_at = loop_wall_ns();
	r->answered_ms = loop_now_ms();
	r->latency_us = done->latency_us;
}

bool engine_reader_failed(struct engine_reader *r, const char *why)
{
	bool is_news = strcmp(r->error, why) != 0;

	docker_calls_reset(&r->calls);
	snprintf(r->error, sizeof r->error, "%s", why);
	r->retry_at = r->params->no_retry ? 0 : loop_now_ms() + (r->failures < 5 ? 1000u << r->failures : 30000u);
	r->failures++;
	return is_news;
}

void engine_reader_is_well(struct engine_reader *r)
{
	r->failures = 0;
	r->error[0] = 0;
}

bool engine_reader_is_late(struct engine_reader *r, char ret_why[192])
{
	if (r->is_over || !engine_timer_is_due(&r->once_end, loop_now_ms()))
		return false;
	snprintf(ret_why, 192, "%.100s: no answer within %d ms: is it hanging?", r->params->endpoint, ENGINE_ONCE_MS);
	return true;
}

bool engine_reader_start(struct engine_reader *r, enum mover_kind kind, const struct mover_request *as)
{
	int ret = docker_calls_start(&r->calls, kind, as);

	if (ret == -EPIPE)
		r->broken = ret;
	return ret == 0;
}

/* --- time --- */

bool engine_timer_is_due(uint64_t *timer, uint64_t now)
{
	if (!*timer || now < *timer)
		return false;
	*timer = 0;
	return true;
}

int engine_timer_wait(const uint64_t *timers, size_t n)
{
	uint64_t first = UINT64_MAX, now = loop_now_ms();

	for (size_t i = 0; i < n; i++)
		if (timers[i] && timers[i] < first)
			first = timers[i];
	if (first == UINT64_MAX)
		return -1;
	return first <= now ? 0 : (int)(first - now);
}

/* --- waiting --- */

/* A request means: look again now. False: the app left. */
static bool take_request(struct engine_reader *r, const struct engine_ops *ops, void *arg)
{
	struct msg m;
	int ret = worker_recv(r->worker, &m, 0);

	if (ret == -EAGAIN)
		return true;
	if (ret <= 0)
		return false;
	fd_closep(&m.fd);
	if (m.head.type == MSG_REQUEST && m.request.op == MSG_OP_SAMPLE)
		ops->ask(arg);
	return true;
}

int engine_reader_serve(struct engine_reader *r, const struct engine_ops *ops, void *arg, struct err *err)
{
	struct pollfd p[2] = { { .fd = worker_channel(r->worker), .events = POLLIN }, { .fd = r->calls.fd, .events = POLLIN } };
	int ret = 0;

	while (!r->is_over && !r->broken) {
		if (poll(p, 2, ret == -EAGAIN ? 0 : ops->wait_ms(arg)) < 0 && errno != EINTR)
			return err_set(err, errno, "wait for the engine");
		if (p[0].revents && !take_request(r, ops, arg))
			return 0;
		ret = docker_calls_read(&r->calls, ops->take, arg, err);
		if (ret == -EPIPE || ret == -EBADMSG)
			return err_set(err, ECHILD, "the process that talks to %.100s ended", r->params->endpoint);
		if (ret < 0 && ret != -EAGAIN)
			return ret;
		ops->turn(arg);
	}
	return r->broken == -EPIPE ? 0 : r->broken;
}
