/*
 * The reader of one engine: see docker.h. Asks the mover for bytes, reads the JSON, keeps the model, sends blocks. Order: ping (which
 * version), then events, list and networks at once, then an inspection of every container; from then on only what events name.
 * The only rights left here are those of CAGE_BASE.
 */
#include "core/engine/docker.h"

#include "core/block.h"
#include "core/engine/docker_json.h"
#include "core/engine/reader.h"
#include "core/err.h"
#include "core/fd.h"
#include "core/loop.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	API_MAX = 52, /* Docker 29 refuses less than 1.44; nothing that 1.52 removed is read here */
	API_MIN = 24,
	PARTIAL_MS = 300, /* a long round shows what it has this often */
	ROUND_MS = 2500, /* `once`: details that come later are left out, and said so */
	SILENCE_MS = 30000, /* no event for so long: is it still there? */
	MAX_EVENT = 64 << 10,
	MAX_WANTED_NETWORKS = 16,
};

enum phase {
	PHASE_PING, /* asked for the version */
	PHASE_LIST, /* asked for the list */
	PHASE_ROUND, /* asking for details */
	PHASE_LIVE, /* nothing to ask: events will tell */
	PHASE_DOWN, /* no answer: waiting to try again */
};

struct reader {
	struct engine_reader base;
	struct docker_model model;
	struct builder *networks;
	enum phase phase;
	struct mover_request as; /* version and dialect of every request */
	char runtime[16], version[64], api[16];
	bool long_way; /* the short one has failed: see finder.h */
	bool has_looked; /* for params->only */
	bool shows_stale; /* the rows that the app has are marked */
	bool has_listed, has_networks; /* since the engine last came back */
	/* what is to be asked */
	uint32_t next; /* containers before this index are not wanted */
	bool wants_networks;
	char wanted_networks[MAX_WANTED_NETWORKS][DOCKER_ID + 1];
	unsigned n_wanted_networks;
	/* what is missing in this round */
	uint32_t n_skipped, n_failed;
	char gap[192]; /* why the last one failed */
	char no_events[192]; /* "": there are events */
	/* timers: monotonic ms, 0 = off */
	uint64_t round_at, partial_at, round_end, ping_at, relist_at;
};

/* --- telling the app --- */

static void send_engine(struct reader *r)
{
	engine_reader_send_engine(&r->base,
		&(struct engine_words){ .runtime = r->runtime, .version = r->version, .api = r->api, .no_events = r->no_events });
}

/* Once a round is over: what it could not get. */
static void note_gaps(struct reader *r)
{
	unsigned missing = 0;

	if (r->phase != PHASE_LIVE)
		return;
	for (uint32_t i = 0; i < r->model.n_containers; i++)
		missing += r->model.containers[i]->is_listed && !r->model.containers[i]->is_detailed;
	if (missing)
		builder_note(r->base.targets, ETIMEDOUT, "details of %u containers are missing: %s", missing, r->gap);
	else if (r->n_failed)
		builder_note(r->base.targets, EBADMSG, "not all could be read: %s", r->gap);
}

static void send_rows(struct reader *r)
{
	struct docker_rows_stamp stamp = engine_reader_stamp(&r->base, r->runtime);

	builder_clear(r->base.targets);
	docker_rows_targets(&r->model, &stamp, r->base.targets);
	note_gaps(r);
	if (r->n_skipped)
		builder_note(r->base.targets, EBADMSG, "%u containers or networks could not be read", r->n_skipped);
	builder_lost(r->base.targets, r->n_skipped);
	engine_reader_send(&r->base, r->base.targets);
	builder_clear(r->networks);
	docker_rows_networks(&r->model, &stamp, r->networks);
	engine_reader_send(&r->base, r->networks);
	r->shows_stale = r->base.error[0] != 0;
	r->partial_at = 0;
}

/* --- asking --- */

static void ask(struct reader *r, enum mover_kind kind, const char *id)
{
	memset(r->as.id, 0, sizeof r->as.id);
	r->as.long_way = r->long_way;
	if (id)
		snprintf(r->as.id, sizeof r->as.id, "%.*s", MOVER_ID, id);
	engine_reader_start(&r->base, kind, &r->as);
}

static bool is_waiting(const struct reader *r)
{
	return docker_calls_is_busy(&r->base.calls, MOVER_LIST) || docker_calls_is_busy(&r->base.calls, MOVER_INSPECT) ||
		docker_calls_is_busy(&r->base.calls, MOVER_NETWORKS) || docker_calls_is_busy(&r->base.calls, MOVER_POD_LIST) ||
		docker_calls_is_busy(&r->base.calls, MOVER_POD_NETWORKS) || docker_calls_is_busy(&r->base.calls, MOVER_NETWORK);
}

static void begin(struct reader *r)
{
	bool finds = r->base.params->only[0] && !r->has_looked;

	r->phase = PHASE_PING;
	r->base.retry_at = r->round_at = r->partial_at = r->round_end = r->ping_at = r->relist_at = 0;
	r->has_listed = r->has_networks = false;
	r->as = (struct mover_request){ 0 };
	if (finds)
		ask(r, MOVER_FIND, r->base.params->only); /* without a version: the engine's own is as good for this */
	if (!finds || r->base.params->rest)
		ask(r, MOVER_PING, NULL);
}

/* What only its own API tells, in one call each: pids and pods, interfaces of networks. */
static void ask_podman(struct reader *r)
{
	if (!r->as.is_podman || docker_calls_is_busy(&r->base.calls, MOVER_POD_LIST))
		return;
	ask(r, MOVER_POD_LIST, NULL);
	ask(r, MOVER_POD_NETWORKS, NULL);
}

static void ask_list(struct reader *r)
{
	r->phase = PHASE_LIST;
	r->n_failed = r->n_skipped = 0;
	r->round_at = r->relist_at = 0;
	ask(r, MOVER_LIST, NULL);
	ask(r, MOVER_NETWORKS, NULL);
	ask_podman(r);
	r->wants_networks = false;
	r->n_wanted_networks = 0;
}

/* Everything runs out of the room that calls have; called again whenever an answer made some. */
static void ask_details(struct reader *r)
{
	struct docker_model *m = &r->model;

	if (r->wants_networks && docker_calls_have_room(&r->base.calls, MOVER_NETWORKS)) {
		ask(r, MOVER_NETWORKS, NULL);
		r->wants_networks = false;
	}
	while (r->n_wanted_networks && docker_calls_have_room(&r->base.calls, MOVER_NETWORK))
		ask(r, MOVER_NETWORK, r->wanted_networks[--r->n_wanted_networks]);
	for (; r->next < m->n_containers && docker_calls_have_room(&r->base.calls, MOVER_INSPECT); r->next++) {
		struct docker_container *c = m->containers[r->next];

		if (!c->is_wanted || c->is_asked)
			continue;
		c->is_wanted = false;
		c->is_asked = true;
		ask(r, MOVER_INSPECT, c->id);
	}
}

static bool wants_more(const struct reader *r)
{
	return r->wants_networks || r->n_wanted_networks || r->next < r->model.n_containers;
}

static void finish_once(struct reader *r)
{
	send_rows(r);
	send_engine(r);
	r->base.is_over = true;
}

static void end_round(struct reader *r)
{
	r->phase = PHASE_LIVE;
	r->partial_at = r->round_end = 0;
	r->ping_at = loop_now_ms() + SILENCE_MS;
	if (r->no_events[0])
		r->relist_at = loop_now_ms() + ENGINE_RELIST_MS;
	if (r->base.params->once)
		finish_once(r);
	else
		send_rows(r);
}

static void begin_round(struct reader *r)
{
	uint64_t now = loop_now_ms();

	r->phase = PHASE_ROUND;
	r->next = 0;
	r->round_at = 0;
	r->round_end = r->base.params->once ? now + ROUND_MS : 0;
	r->partial_at = r->base.params->once ? 0 : now + PARTIAL_MS;
}

static void go_on(struct reader *r)
{
	if (r->phase != PHASE_ROUND || r->base.is_over)
		return;
	ask_details(r);
	if (!is_waiting(r) && !wants_more(r))
		end_round(r);
}

/* --- failing --- */

static void engine_failed(struct reader *r, const char *why)
{
	bool was_told = r->shows_stale, is_news = engine_reader_failed(&r->base, why);

	r->phase = PHASE_DOWN;
	for (uint32_t i = 0; i < r->model.n_containers; i++)
		r->model.containers[i]->is_asked = false;
	r->round_at = r->partial_at = r->round_end = r->ping_at = r->relist_at = 0;
	if (r->base.params->once) {
		finish_once(r);
		return;
	}
	if (!was_told)
		send_rows(r);
	if (is_news)
		send_engine(r);
}

/* Why an answer is of no use, or NULL. `buf` may get the sentence. */
static const char *bad_answer(const struct reader *r, const struct docker_call *call, const struct mover_done *done,
	char buf[192])
{
	char said[110];

	if (done->code)
		return done->msg;
	if (done->status == 200)
		return NULL;
	docker_json_message(call->body, call->n < 4096 ? call->n : 4096, said, sizeof said);
	if (said[0])
		snprintf(buf, 192, "%.50s says: %s (HTTP %d)", r->base.params->endpoint, said, done->status);
	else
		snprintf(buf, 192, "%.100s answers with HTTP %d: is it a Docker engine?", r->base.params->endpoint, done->status);
	return buf;
}

/* --- answers --- */

/* "Docker/20.10.24 (linux)": version and dialect. */
static void take_server(struct reader *r, const char *server)
{
	const char *slash = strchr(server, '/');

	r->as.is_podman = strncmp(server, "Libpod/", 7) == 0;
	snprintf(r->runtime, sizeof r->runtime, "%s", r->as.is_podman ? "podman" : r->base.params->runtime);
	r->version[0] = 0;
	if (slash)
		snprintf(r->version, sizeof r->version, "%.*s", (int)strcspn(slash + 1, " "), slash + 1);
}

static void take_ping(struct reader *r, const struct mover_done *done)
{
	unsigned major, minor;
	char why[192];

	if (r->phase != PHASE_PING)
		return; /* only asked whether it is there */
	if (sscanf(done->api, "%3u.%3u", &major, &minor) != 2 || major != 1) {
		snprintf(why, sizeof why, "%.100s answers, but not as a Docker engine does", r->base.params->endpoint);
		engine_failed(r, why);
		return;
	}
	take_server(r, done->server);
	r->as.minor = minor < API_MAX ? minor : API_MAX;
	snprintf(r->api, sizeof r->api, "1.%u", r->as.minor);
	if (minor < API_MIN) {
		snprintf(why, sizeof why, "%.100s speaks API 1.%u only; nsdbg needs 1.%d (Docker 1.12) or newer", r->base.params->endpoint,
			minor, API_MIN);
		engine_failed(r, why);
		return;
	}
	r->as.since = done->date >= 0 ? done->date - 1 : (int64_t)time(NULL) - 1;
	r->no_events[0] = 0;
	ask_list(r);
	/* From a second ago: nothing that happens while we list is missed. */
	if (!r->base.params->once)
		ask(r, MOVER_EVENTS, NULL);
}

static void take_list(struct reader *r, const struct docker_call *call)
{
	struct docker_container **list = NULL;
	struct err err = { 0 };
	uint32_t n = 0, skipped = 0;
	char why[192];

	if (docker_json_list(call->body, call->n, &list, &n, &skipped, &err) < 0) {
		snprintf(why, sizeof why, "%.70s: list of containers: %.90s", r->base.params->endpoint, err.msg);
		engine_failed(r, why);
		return;
	}
	docker_model_merge_list(&r->model, list, n);
	free(list);
	r->n_skipped += skipped;
	engine_reader_is_well(&r->base);
	begin_round(r);
	if (r->base.params->once)
		return;
	if (!r->has_listed)
		send_engine(r);
	if (r->base.params->first_list && !r->has_listed && !r->shows_stale)
		send_rows(r);
	r->has_listed = true;
	r->partial_at = loop_now_ms() + PARTIAL_MS;
}

static void take_networks(struct reader *r, const struct docker_call *call)
{
	struct docker_network **list = NULL;
	struct err err = { 0 };
	uint32_t n = 0, skipped = 0;
	char why[192];

	if (docker_json_networks(call->body, call->n, &list, &n, &skipped, &err) < 0) {
		snprintf(why, sizeof why, "%.70s: list of networks: %.90s", r->base.params->endpoint, err.msg);
		engine_failed(r, why);
		return;
	}
	docker_model_set_networks(&r->model, list, n);
	r->has_networks = true;
	free(list);
	r->n_skipped += skipped;
}

/* The one that was asked for, and as it was asked for: the engine might also find it in ways that ours are not. */
static bool is_the_one(const struct reader *r, const struct docker_container *c)
{
	struct text name = docker_model_get(&c->text, c->row.name);
	size_t n = strlen(r->base.params->only);

	return text_equal(name, text_of(r->base.params->only)) || (n >= TARGET_MIN_PREFIX && strncmp(c->id, r->base.params->only, n) == 0);
}

static void send_one(struct reader *r, struct docker_container *c)
{
	struct docker_rows_stamp stamp = engine_reader_stamp(&r->base, r->runtime);
	struct docker_model one = { 0 };

	docker_model_put(&one, c);
	builder_clear(r->base.targets);
	docker_rows_targets(&one, &stamp, r->base.targets);
	engine_reader_send(&r->base, r->base.targets);
	docker_model_done(&one);
	r->base.is_over = !r->base.params->rest;
}

/* An answer that does not help says nothing yet: the list will. */
static void take_find(struct reader *r, const struct docker_call *call, const struct mover_done *done)
{
	struct docker_container *c = NULL;
	struct err err = { 0 };

	r->has_looked = true;
	take_server(r, done->server);
	if (done->status == 200 && docker_json_inspect(call->body, call->n, &c, &err) == 0 && is_the_one(r, c)) {
		send_one(r, c);
		return;
	}
	docker_model_container_free(c);
	/* Nothing, said at once: with several engines the others need not wait for this one's list. */
	builder_clear(r->base.targets);
	engine_reader_send(&r->base, r->base.targets);
	if (!r->base.params->rest)
		begin(r);
}

static void gap(struct reader *r, const char *why)
{
	r->n_failed++;
	snprintf(r->gap, sizeof r->gap, "%s", why);
}

static void take_podman(struct reader *r, const struct docker_call *call)
{
	struct docker_member *members = NULL;
	struct docker_bridge *bridges = NULL;
	struct err err = { 0 };
	uint32_t n = 0;

	if (call->kind == MOVER_POD_LIST && docker_json_members(call->body, call->n, &members, &n, &err) == 0)
		docker_model_set_members(&r->model, members, n);
	if (call->kind == MOVER_POD_NETWORKS && docker_json_bridges(call->body, call->n, &bridges, &n, &err) == 0)
		docker_model_set_bridges(&r->model, bridges, n);
	if (err.code)
		gap(r, err.msg);
}

static void take_inspect(struct reader *r, const struct docker_call *call)
{
	struct docker_container *old = docker_model_find(&r->model, call->id), *c = NULL;
	struct err err = { 0 };

	if (!old)
		return; /* destroyed meanwhile */
	old->is_asked = false;
	if (docker_json_inspect(call->body, call->n, &c, &err) < 0) {
		gap(r, err.msg);
		return;
	}
	if (strcmp(c->id, call->id) != 0) {
		docker_model_container_free(c);
		gap(r, "the engine answered for another container");
		return;
	}
	c->is_wanted = old->is_wanted; /* an event came while this answer was on its way */
	r->next = c->is_wanted ? 0 : r->next;
	docker_model_put(&r->model, c);
	/* Podman has no events about networks: one that nobody told of shows up here first. Stopped ones may name removed networks. */
	if (r->has_networks && c->row.pid != ROW_NO_UINT && !docker_model_knows_networks(&r->model, c))
		r->wants_networks = true;
}

static void take_network(struct reader *r, const struct docker_call *call)
{
	struct docker_network *n = NULL;
	struct err err = { 0 };

	if (docker_json_network(call->body, call->n, &n, &err) < 0)
		gap(r, err.msg);
	else
		docker_model_put_network(&r->model, n);
}

static bool is_podman_only(enum mover_kind kind)
{
	return kind == MOVER_POD_LIST || kind == MOVER_POD_NETWORKS;
}

/* One object could not be had. A container that is gone is just gone; else: is the engine still there? */
static void object_failed(struct reader *r, const struct docker_call *call, const struct mover_done *done, const char *why)
{
	struct docker_container *c = docker_model_find(&r->model, call->id);

	if (call->kind == MOVER_INSPECT && c)
		c->is_asked = false;
	if (done->code == 0 && done->status == 404) {
		if (call->kind == MOVER_INSPECT) {
			docker_model_remove(&r->model, call->id);
			r->next = 0;
		}
		return;
	}
	gap(r, why);
	if (done->code && !r->base.params->once && !docker_calls_is_busy(&r->base.calls, MOVER_PING))
		ask(r, MOVER_PING, NULL);
}

static void events_ended(struct reader *r, const struct mover_done *done, const char *why)
{
	char buf[192];

	if (!done->code && done->status != 200) { /* refused, by a proxy perhaps; the rest may work */
		snprintf(r->no_events, sizeof r->no_events, "%s", why);
		r->relist_at = loop_now_ms() + ENGINE_RELIST_MS;
		send_engine(r);
		return;
	}
	if (!why) {
		snprintf(buf, sizeof buf, "%.100s ended its events: is it restarting?", r->base.params->endpoint);
		why = buf;
	}
	engine_failed(r, why);
}

static void take_answer(struct reader *r, const struct docker_call *call, const struct mover_done *done)
{
	char buf[192];
	const char *why;

	if ((call->kind == MOVER_PING || call->kind == MOVER_LIST) && !done->code && !done->status && !r->long_way) {
		r->long_way = true;
		ask(r, call->kind, NULL);
		return;
	}
	why = bad_answer(r, call, done, buf);
	if (done->status && !done->code)
		engine_reader_answered(&r->base, done);
	if (call->kind == MOVER_EVENTS)
		events_ended(r, done, why);
	else if (why && (call->kind == MOVER_INSPECT || call->kind == MOVER_NETWORK))
		object_failed(r, call, done, why);
	else if (call->kind == MOVER_FIND && !done->code)
		take_find(r, call, done);
	else if (is_podman_only(call->kind) && !done->code && done->status == 404)
		; /* before podman 4: what Docker's API says is all there is */
	else if (why && (call->kind == MOVER_NETWORKS || is_podman_only(call->kind)) &&
		!done->code)
		gap(r, why); /* refused: the containers are worth showing */
	else if (why)
		engine_failed(r, why);
	else if (call->kind == MOVER_PING)
		take_ping(r, done);
	else if (call->kind == MOVER_LIST)
		take_list(r, call);
	else if (call->kind == MOVER_NETWORKS)
		take_networks(r, call);
	else if (call->kind == MOVER_INSPECT)
		take_inspect(r, call);
	else if (call->kind == MOVER_NETWORK)
		take_network(r, call);
	else if (is_podman_only(call->kind))
		take_podman(r, call);
}

/* --- events --- */

static void want_container(struct reader *r, const char *id)
{
	struct docker_container *c = docker_model_find(&r->model, id);

	if (!c) {
		c = docker_model_container_new();
		snprintf(c->id, sizeof c->id, "%s", id);
		docker_model_put(&r->model, c);
	}
	c->is_wanted = true;
	r->next = 0;
}

static void want_network(struct reader *r, const char *id)
{
	for (unsigned i = 0; i < r->n_wanted_networks; i++)
		if (strcmp(r->wanted_networks[i], id) == 0)
			return;
	if (r->n_wanted_networks == MAX_WANTED_NETWORKS) {
		r->wants_networks = true;
		r->n_wanted_networks = 0;
	} else if (!r->wants_networks) {
		snprintf(r->wanted_networks[r->n_wanted_networks++], DOCKER_ID + 1, "%s", id);
	}
}

static bool is_end(const char *action)
{
	return strcmp(action, "destroy") == 0 || strcmp(action, "remove") == 0;
}

static void take_event(struct reader *r, const struct docker_event *e)
{
	if (strncmp(e->action, "exec_", 5) == 0)
		return;
	if (!e->is_network && is_end(e->action)) {
		docker_model_remove(&r->model, e->id);
		r->next = 0;
	} else if (!e->is_network) {
		want_container(r, e->id);
	} else if (e->container[0]) { /* connect, disconnect: members follow from the containers */
		want_container(r, e->container);
	} else if (is_end(e->action)) {
		docker_model_remove_network(&r->model, e->id);
	} else if (e->id[0]) {
		want_network(r, e->id);
	}
	if (!r->round_at)
		r->round_at = loop_now_ms() + ENGINE_COALESCE_MS;
}

/* An event that cannot be read may have been about anything: list again. */
static void take_line(struct reader *r, const char *p, size_t n)
{
	struct docker_event e;
	struct err err = { 0 };
	int ret;

	while (n > 0 && (p[n - 1] == '\r' || p[n - 1] == ' '))
		n--;
	if (n == 0)
		return;
	ret = docker_json_event(p, n, &e, &err);
	if (ret == 0)
		take_event(r, &e);
	else if (ret != -ENOMSG && !r->relist_at)
		r->relist_at = loop_now_ms() + ENGINE_COALESCE_MS;
}

static void take_events(struct reader *r, struct docker_call *call)
{
	size_t used = 0;
	char *end;

	while (used < call->n && (end = memchr(call->body + used, '\n', call->n - used))) {
		take_line(r, call->body + used, (size_t)(end - call->body) - used);
		used = (size_t)(end - call->body) + 1;
	}
	docker_calls_eat(call, used);
	if (call->n > MAX_EVENT) {
		docker_calls_eat(call, call->n);
		r->relist_at = loop_now_ms() + ENGINE_COALESCE_MS;
	}
	r->ping_at = r->phase == PHASE_LIVE ? loop_now_ms() + SILENCE_MS : 0;
}

static void take(void *arg, struct docker_call *call, const struct mover_done *done)
{
	struct reader *r = arg;

	if (!done)
		take_events(r, call);
	else
		take_answer(r, call, done);
}

/* --- time --- */

/* What is there, with a word about what is not. */
static void cut_round(struct reader *r)
{
	for (uint32_t i = 0; i < r->model.n_containers; i++) {
		if (r->model.containers[i]->is_asked || r->model.containers[i]->is_wanted)
			gap(r, "the engine answers too slowly");
	}
	docker_calls_reset(&r->base.calls);
	end_round(r);
}

/* A long round: shows what it has; when nothing came in all the while, asks whether the engine is there at all. */
static void look_at_round(struct reader *r, uint64_t now)
{
	if (r->base.answered_ms + PARTIAL_MS > now)
		send_rows(r);
	else if (!docker_calls_is_busy(&r->base.calls, MOVER_PING))
		ask(r, MOVER_PING, NULL);
	r->partial_at = now + PARTIAL_MS;
}

static void run_timers(struct reader *r)
{
	uint64_t now = loop_now_ms();
	char why[192];

	if (engine_timer_is_due(&r->base.retry_at, now))
		begin(r);
	if (r->phase == PHASE_LIVE && engine_timer_is_due(&r->relist_at, now))
		ask_list(r);
	if (r->phase == PHASE_LIVE && engine_timer_is_due(&r->round_at, now)) {
		r->n_failed = 0;
		begin_round(r);
		ask_podman(r);
	}
	if (r->phase == PHASE_LIVE && engine_timer_is_due(&r->ping_at, now)) {
		ask(r, MOVER_PING, NULL);
		r->ping_at = now + SILENCE_MS;
	}
	if (r->phase == PHASE_ROUND && engine_timer_is_due(&r->partial_at, now))
		look_at_round(r, now);
	if (r->phase == PHASE_ROUND && engine_timer_is_due(&r->round_end, now))
		cut_round(r);
	if (engine_reader_is_late(&r->base, why))
		engine_failed(r, why);
}

static int wait_ms(const void *arg)
{
	const struct reader *r = arg;
	const uint64_t timers[] = {
		r->base.retry_at, r->base.once_end,
		r->phase == PHASE_LIVE ? r->relist_at : 0, r->phase == PHASE_LIVE ? r->round_at : 0,
		r->phase == PHASE_LIVE ? r->ping_at : 0, r->phase == PHASE_ROUND ? r->partial_at : 0,
		r->phase == PHASE_ROUND ? r->round_end : 0,
	};

	return engine_timer_wait(timers, ARRAY_LEN(timers));
}

/* --- the source --- */

static void look_again(void *arg)
{
	struct reader *r = arg;

	if (r->phase == PHASE_DOWN)
		r->base.retry_at = loop_now_ms();
	else if (r->phase == PHASE_LIVE)
		ask_list(r);
}

static void turn(void *arg)
{
	run_timers(arg);
	go_on(arg);
}

static const struct engine_ops docker_ops = { .take = take, .ask = look_again, .turn = turn, .wait_ms = wait_ms };

static int docker_serve(struct worker *w, struct err *err)
{
	struct reader r = { .networks = builder_new(&network_row_type) };
	int ret;

	engine_reader_init(&r.base, w);
	snprintf(r.runtime, sizeof r.runtime, "%s", r.base.params->runtime);
	begin(&r);
	ret = engine_reader_serve(&r.base, &docker_ops, &r, err);
	if (r.base.is_over)
		return ret; /* somebody waits for this process to end, which frees faster */
	engine_reader_done(&r.base);
	docker_model_done(&r.model);
	builder_free(r.networks);
	return ret;
}

const struct source docker_source = {
	.name = "engine",
	.type = &target_row_type,
	.cage = CAGE_BASE,
	.open = engine_reader_open,
	.serve = docker_serve,
};
