/*
 * The DNS watch as a source: opens a ring on all interfaces and a sock_diag socket with privilege inside the target's network namespace,
 * then serves in the cage. Blocks of the ring come after 5 ms, so that the socket behind a question is often still there.
 */
#include "capture/dnswatch.h"

#include <errno.h>
#include <linux/netlink.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "capture/device.h"
#include "capture/dnswatch_owner.h"
#include "capture/dnswatch_wire.h"
#include "core/err.h"
#include "core/fd.h"
#include "core/worker.h"

enum {
	HOLD_MS = 5,
	TELL_MS = 200, /* between two states while packets come */
	PORTION = 4096, /* packets taken in one turn */
	REQUESTS_A_TURN = 8,
	RING_BYTES = 4 << 20,
	SNAPLEN = 65535,
	WANTED = 500,
	KNOWN = 256,
	DRAIN_MS = 40, /* a block of the ring has been handed over by then */
};

struct watch {
	struct worker *worker;
	struct device *device; /* NULL: over */
	uint32_t link_type;
	int diag; /* -1 none */
	struct dnswatch_wire *wire;
	struct dnswatch_params params;
	bool running;
	bool stale; /* something is new since the last state */
	uint64_t told_ms;
	uint64_t dropped;
	int64_t started_at;
	uint64_t since; /* rows fetched up to here */
	char over[192]; /* why there is nothing more to come */
	uint64_t wanted[WANTED]; /* inodes to ask the front for */
	unsigned n_wanted;
	struct dnswatch_owner known[KNOWN]; /* by inode; inode 0: free, pid ROW_NO_UINT: asked for, no answer yet */
};

static int64_t now_ns(clockid_t clock)
{
	struct timespec ts = { 0 };

	clock_gettime(clock, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static uint64_t now_ms(void)
{
	return (uint64_t)now_ns(CLOCK_MONOTONIC) / 1000000;
}

/* --- sockets --- */

static struct dnswatch_owner *known_at(struct watch *w, uint64_t inode)
{
	return &w->known[row_hash(&inode, sizeof inode, 0) % KNOWN];
}

static void asked(void *arg, struct dnswatch_exchange *e)
{
	struct watch *w = arg;
	struct dnswatch_owner *o;

	if (!dnswatch_owner_find(w->diag, e))
		return;
	o = known_at(w, e->inode);
	if (o->inode == e->inode && o->pid != ROW_NO_UINT) {
		e->pid = o->pid;
		memcpy(e->process, o->process, sizeof e->process);
		return;
	}
	if (o->inode == e->inode || w->n_wanted == WANTED)
		return;
	*o = (struct dnswatch_owner){ .inode = e->inode, .pid = ROW_NO_UINT };
	w->wanted[w->n_wanted++] = e->inode;
}

/* --- opening --- */

static bool params_are_good(const struct dnswatch_params *p)
{
	if (!p || p->n_search > DNSWATCH_MAX_SEARCH)
		return false;
	for (unsigned i = 0; i < p->n_search; i++)
		if (!memchr(p->search[i], 0, sizeof p->search[i]))
			return false;
	return true;
}

static int filter(struct watch *w, struct err *err)
{
	char text[256], more[64] = "";

	if (w->params.port)
		snprintf(more, sizeof more, "or ((tcp or udp) and port %u) ", w->params.port);
	snprintf(text, sizeof text, "((tcp or udp) and port 53) %sor host 127.0.0.11 or icmp[0] = 3 or (icmp6 and ip6[40] = 1)", more);
	return device_filter(w->device, text, true, err);
}

static int watch_open(struct worker *worker, struct err *err)
{
	const struct dnswatch_params *p = worker_params(worker, sizeof *p);
	struct device_options o = { .interface = "any", .snaplen = SNAPLEN, .ring_bytes = RING_BYTES, .hold_ms = HOLD_MS };
	uint64_t seed = 0;
	struct watch *w;
	int r;

	if (!params_are_good(p))
		return err_set(err, EBADMSG, "these parameters of a DNS watch cannot be");
	w = fd_xcalloc(1, sizeof *w);
	*worker_state(worker) = w;
	w->worker = worker;
	w->params = *p;
	r = device_open(&o, &w->device, err);
	if (r < 0)
		return r;
	w->link_type = device_link_type(w->device);
	w->diag = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	worker_leave_net(worker);
	if (getrandom(&seed, sizeof seed, GRND_NONBLOCK) < 0)
		seed = (uint64_t)now_ns(CLOCK_MONOTONIC);
	w->wire = dnswatch_wire_new(seed);
	w->wire->asked = asked;
	w->wire->arg = w;
	dnswatch_wire_setup(w->wire, p);
	return 0;
}

/* --- owners, told by the front --- */

static int tell_wanted(struct watch *w)
{
	struct builder *b;
	int r;

	if (w->n_wanted == 0)
		return 0;
	b = builder_new(&dnswatch_socket_type);
	for (unsigned i = 0; i < w->n_wanted; i++) {
		struct dnswatch_socket *row = builder_row(b);

		row->head.id = row->inode = w->wanted[i];
	}
	w->n_wanted = 0;
	r = worker_send_block(w->worker, 0, b);
	builder_free(b);
	return r;
}

static int take_owners(struct watch *w, const struct msg_request *q)
{
	struct dnswatch_owner owners[DNSWATCH_OWNERS];
	size_t n = q->n_params / sizeof owners[0];

	if (q->n_params > sizeof owners || q->n_params % sizeof owners[0])
		return -EBADMSG;
	memcpy(owners, q->params, q->n_params);
	for (size_t i = 0; i < n; i++) {
		owners[i].process[DNSWATCH_PROCESS - 1] = 0;
		*known_at(w, owners[i].inode) = owners[i];
		dnswatch_wire_owner(w->wire, &owners[i]);
	}
	w->stale = true;
	return 0;
}

/* --- telling --- */

static int tell(struct watch *w, uint32_t tag)
{
	struct builder *b = builder_new(&dnswatch_row_type);
	struct dnswatch_row *row = dnswatch_rows_state(w->wire, b);
	int r;

	if (w->device)
		w->dropped += device_drops(w->device);
	row->running = w->running;
	row->dropped = w->dropped;
	row->missed = dnswatch_pair_evicted(w->wire->pair, w->since);
	row->started_at = w->started_at;
	if (w->over[0]) {
		row->note = builder_str(b, w->over);
		row->head.severity = SEVERITY_WARN;
	}
	r = worker_send_block(w->worker, tag, b);
	builder_free(b);
	w->told_ms = now_ms();
	w->stale = false;
	return r;
}

/* --- packets --- */

static void take(void *arg, const struct device_packet *p)
{
	struct watch *w = arg;

	if (w->running)
		dnswatch_wire_packet(w->wire, p->bytes, p->captured, p->length, w->link_type, p->time);
}

static void over(struct watch *w, const char *why)
{
	if (!w->over[0])
		snprintf(w->over, sizeof w->over, "%s", why);
	w->running = false;
	w->stale = true;
	device_close(w->device);
	w->device = NULL;
	fd_closep(&w->diag);
}

/* True when there may be more. */
static bool drain(struct watch *w)
{
	uint64_t before = w->wire->totals.packets;
	struct err err = { 0 };
	int n;

	if (!w->device)
		return false;
	n = device_read(w->device, PORTION, take, w, &err);
	w->stale |= w->wire->totals.packets != before;
	if (n < 0 && err.code != ENETDOWN)
		over(w, err.msg);
	return n == PORTION;
}

/* Until what is in the ring now has been handed over. */
static void drain_all(struct watch *w)
{
	uint64_t until = now_ms() + DRAIN_MS;

	while (w->device && now_ms() < until) {
		struct pollfd p = { .fd = device_fd(w->device), .events = POLLIN };

		poll(&p, 1, (int)(until - now_ms()) + 1);
		drain(w);
	}
}

static void tick(struct watch *w)
{
	uint64_t before = dnswatch_pair_settled(w->wire->pair);
	int64_t now = now_ns(CLOCK_REALTIME);

	dnswatch_wire_tick(w->wire, now);
	w->stale |= before != dnswatch_pair_settled(w->wire->pair);
}

/* --- requests --- */

static void stop(struct watch *w)
{
	struct err err = { 0 };

	drain_all(w);
	tick(w);
	w->running = false;
	if (w->device)
		device_block_all(w->device, &err);
}

static int start(struct watch *w, struct err *err)
{
	int r = w->device ? filter(w, err) : err_set(err, ENODEV, "%s", w->over[0] ? w->over : "the watch is over");

	if (r == 0)
		w->running = true;
	return r;
}

static void fill_rows(struct watch *w, uint32_t op, const struct dnswatch_fetch *fetch, struct builder *b)
{
	tick(w);
	if (op == DNSWATCH_OP_NAMES)
		dnswatch_rows_names(w->wire, b);
	else if (op == DNSWATCH_OP_SEARCHES)
		dnswatch_rows_searches(w->wire, b);
	else if (op == DNSWATCH_OP_FINDINGS)
		dnswatch_findings_rows(&w->wire->findings, w->wire->names, w->wire->groups, b);
	else if (fetch->all)
		dnswatch_rows_all(w->wire, b);
	else
		dnswatch_rows_settled(w->wire, b, fetch);
}

static int send_rows(struct watch *w, const struct msg *m)
{
	static const struct row_type *const types[] = {
		[DNSWATCH_OP_QUESTIONS] = &dnswatch_question_type, [DNSWATCH_OP_NAMES] = &dnswatch_name_type,
		[DNSWATCH_OP_SEARCHES] = &dnswatch_search_type, [DNSWATCH_OP_FINDINGS] = &dnswatch_finding_type,
	};
	int64_t from = now_ns(CLOCK_MONOTONIC);
	struct dnswatch_fetch fetch = { 0 };
	struct builder *b;
	int r;

	if (m->request.op == DNSWATCH_OP_QUESTIONS) {
		if (m->request.n_params != sizeof fetch)
			return -EBADMSG;
		memcpy(&fetch, m->request.params, sizeof fetch);
	}
	b = builder_new(types[m->request.op]);
	fill_rows(w, m->request.op, &fetch, b);
	builder_cost(b, (uint64_t)(now_ns(CLOCK_MONOTONIC) - from) / 1000);
	w->since = fetch.since > w->since ? fetch.since : w->since;
	r = worker_send_block(w->worker, m->head.tag, b);
	builder_free(b);
	return r;
}

static int set_up(struct watch *w, const struct msg_request *q)
{
	struct dnswatch_params p;

	if (q->n_params != sizeof p)
		return -EBADMSG;
	memcpy(&p, q->params, sizeof p);
	if (!params_are_good(&p))
		return -EBADMSG;
	p.port = w->params.port; /* the filter is in force */
	w->params = p;
	dnswatch_wire_setup(w->wire, &p);
	return 0;
}

static int answer(struct watch *w, const struct msg *m)
{
	struct err err = { 0 };

	if (m->head.type != MSG_REQUEST)
		return -EBADMSG;
	switch (m->request.op) {
	case DNSWATCH_OP_QUESTIONS:
	case DNSWATCH_OP_NAMES:
	case DNSWATCH_OP_SEARCHES:
	case DNSWATCH_OP_FINDINGS:
		return send_rows(w, m);
	case DNSWATCH_OP_SETUP:
		return set_up(w, &m->request);
	case DNSWATCH_OP_OWNERS:
		return take_owners(w, &m->request);
	case DNSWATCH_OP_STOP:
		stop(w);
		return tell(w, m->head.tag);
	case DNSWATCH_OP_START:
		return start(w, &err) < 0 ? worker_send_error(w->worker, m->head.tag, &err) : tell(w, m->head.tag);
	case DNSWATCH_OP_CLEAR:
		dnswatch_wire_clear(w->wire);
		w->since = 0;
		w->started_at = now_ns(CLOCK_REALTIME);
		return tell(w, m->head.tag);
	default:
		return -EBADMSG;
	}
}

/* 1, 0 when the front has left, -errno. */
static int answer_requests(struct watch *w)
{
	for (int i = 0; i < REQUESTS_A_TURN; i++) {
		struct msg m = { .fd = -1 };
		int r = worker_recv(w->worker, &m, 0);

		if (r == -EAGAIN || r == -EINTR)
			return 1;
		if (r <= 0)
			return r;
		r = answer(w, &m);
		fd_closep(&m.fd);
		if (r < 0)
			return r;
	}
	return 1;
}

/* --- serving --- */

/* When the next thing is due by the clock; -1 never. */
static int timeout(const struct watch *w, bool more)
{
	int64_t due = dnswatch_pair_due(w->wire->pair), now = now_ns(CLOCK_REALTIME), ms = -1;
	uint64_t mono = now_ms();

	if (more)
		return 0;
	if (due != INT64_MAX && w->running)
		ms = due > now ? (due - now) / 1000000 + 1 : 0;
	if (w->stale) {
		int64_t tell_in = w->told_ms + TELL_MS > mono ? (int64_t)(w->told_ms + TELL_MS - mono) : 0;

		ms = ms < 0 || tell_in < ms ? tell_in : ms;
	}
	return ms > 60000 ? 60000 : (int)ms;
}

static int target_gone(struct watch *w)
{
	drain_all(w);
	tick(w);
	over(w, "the container has ended");
	tell(w, 0);
	return worker_send_gone(w->worker);
}

/* Unasked, so only when the front keeps up. */
static int tell_if_due(struct watch *w)
{
	struct pollfd p = { .fd = worker_channel(w->worker), .events = POLLOUT };

	if ((!w->stale || now_ms() < w->told_ms + TELL_MS) && w->n_wanted == 0)
		return 0;
	if (poll(&p, 1, 0) <= 0 || !(p.revents & POLLOUT)) {
		w->told_ms = now_ms();
		w->n_wanted = 0;
		return 0;
	}
	if (tell_wanted(w) < 0)
		return -EPIPE;
	return w->stale && now_ms() >= w->told_ms + TELL_MS ? tell(w, 0) : 0;
}

static int turn(struct watch *w, bool *more, bool *gone)
{
	struct pollfd p[3] = {
		{ .fd = worker_channel(w->worker), .events = POLLIN },
		{ .fd = w->device ? device_fd(w->device) : -1, .events = POLLIN },
		{ .fd = *gone ? -1 : worker_target(w->worker)->pidfd, .events = POLLIN },
	};
	int r = poll(p, 3, timeout(w, *more));

	if (r < 0)
		return errno == EINTR ? 1 : -errno;
	*more = p[1].revents || *more ? drain(w) : false;
	tick(w);
	if (p[2].revents) {
		*gone = true;
		r = target_gone(w);
		if (r < 0)
			return r;
	}
	if (p[0].revents) {
		r = answer_requests(w);
		if (r <= 0)
			return r;
	}
	r = tell_if_due(w);
	return r < 0 ? r : 1;
}

static int watch_serve(struct worker *worker, struct err *err)
{
	struct watch *w = *worker_state(worker);
	bool more = false, gone = false;
	int r = start(w, err);

	if (r < 0)
		return r;
	w->started_at = now_ns(CLOCK_REALTIME);
	r = tell(w, 0);
	while (r >= 0) {
		r = turn(w, &more, &gone);
		if (r == 0)
			break;
	}
	device_close(w->device);
	fd_closep(&w->diag);
	dnswatch_wire_free(w->wire);
	free(w);
	return r == -EPIPE || r == -ECONNRESET ? 0 : r;
}

const struct source dnswatch_source = {
	.name = "dnswatch",
	.type = &dnswatch_row_type,
	.enter = SOURCE_ENTER_NET,
	.needs_target = true,
	.cage = CAGE_CAPTURE,
	.open = watch_open,
	.serve = watch_serve,
};
