/*
 * The capture source: opens the ring and the route sockets with privilege inside the target's network namespace, then
 * serves in the cage. When the target ends, everything that would keep its namespace alive is closed; the packets stay
 * to be looked at.
 */
#include "capture/capture.h"

#include "capture/live.h"
#include "capture/requests.h"
#include "core/err.h"
#include "core/fd.h"
#include "core/worker.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum {
	TELL_MS = 200, /* between two capture_rows while packets come */
	REQUESTS_A_TURN = 8,
};

static int64_t now_ns(void)
{
	struct timespec ts = { 0 };

	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

/* --- opening --- */

static int choose_interface(struct live *l, const struct capture_params *p, struct err *err)
{
	const struct link_info *link;

	if (strcmp(p->interface, "any") == 0) {
		snprintf(l->interface, sizeof l->interface, "any");
		return 0;
	}
	link = p->interface[0] ? links_find_name(l->links, p->interface) : links_default(l->links, device_name_is_safe);
	if (link && !link->up && !p->interface[0]) { /* nothing is up yet: this waits for whatever comes up */
		snprintf(l->interface, sizeof l->interface, "any");
		return 0;
	}
	if (!link && p->interface[0])
		return err_set(err, ENODEV, "there is no interface \"%s\" in this container", p->interface);
	if (!link)
		return err_set(err, ENODEV, "this container has no interface to capture on");
	snprintf(l->interface, sizeof l->interface, "%s", link->name);
	l->ifindex = link->index;
	l->is_down = !link->up;
	return 0;
}

static int open_device(struct live *l, const struct capture_params *p, struct err *err)
{
	struct device_options o = { .interface = l->interface, .snaplen = p->snaplen, .promiscuous = p->promiscuous };
	int r = device_open(&o, &l->device, err);

	if (r < 0)
		return r;
	l->link_type = device_link_type(l->device);
	l->snaplen = device_snaplen(l->device);
	return 0;
}

/* Bounded, since the cage bounds the memory of the process. */
static bool params_are_good(const struct capture_params *p)
{
	return p && p->spool_bytes <= SPOOL_MAX_BYTES && memchr(p->interface, 0, sizeof p->interface) && memchr(p->filter, 0, sizeof p->filter);
}

static int capture_open(struct worker *w, struct err *err)
{
	const struct capture_params *p = worker_params(w, sizeof *p);
	struct live *l;
	int r;

	if (!params_are_good(p))
		return err_set(err, EBADMSG, "these capture parameters cannot be (at most 1 GiB is kept)");
	signal(SIGXFSZ, SIG_IGN); /* a full disk is an error of write, not the end */
	l = fd_xcalloc(1, sizeof *l);
	*worker_state(w) = l;
	l->worker = w;
	l->max_packets = p->max_packets;
	l->display = display_new();
	r = spool_new(p->spool_bytes, &l->spool, err);
	if (r == 0)
		r = links_open(&l->links, err);
	if (r == 0)
		r = choose_interface(l, p, err);
	if (r == 0)
		r = open_device(l, p, err);
	if (r == 0)
		worker_leave_net(w);
	else
		live_done(l);
	return r;
}

/* --- serving --- */

enum { ON_APP, ON_RING, ON_LINKS, ON_TARGET, ON_FILE, ON_N };

/* When the next thing is due by the clock; -1 never. */
static int next_timeout(const struct live *l, bool more)
{
	uint64_t now = live_now_ms(), due = UINT64_MAX;

	if (more)
		return 0;
	if (l->changed || l->stale)
		due = l->told_ms + TELL_MS;
	if (l->state == LIVE_STOPPING && l->stop_at_ms < due)
		due = l->stop_at_ms;
	if (l->gone_at_ms && now + TELL_MS < due)
		due = now + TELL_MS;
	if (due == UINT64_MAX)
		return -1;
	return due > now ? (int)(due - now) : 0;
}

static void wait_for(const struct live *l, struct pollfd p[ON_N], bool more)
{
	bool watch_target = !l->target_gone;

	p[ON_APP] = (struct pollfd){ .fd = worker_channel(l->worker), .events = POLLIN };
	p[ON_RING] = (struct pollfd){ .fd = l->device ? device_fd(l->device) : -1, .events = POLLIN };
	p[ON_LINKS] = (struct pollfd){ .fd = links_fd(l->links), .events = POLLIN };
	p[ON_TARGET] = (struct pollfd){ .fd = watch_target ? worker_target(l->worker)->pidfd : -1, .events = POLLIN };
	p[ON_FILE] = (struct pollfd){ .fd = l->saver ? saver_fd(l->saver) : -1, .events = POLLOUT };
	if (poll(p, ON_N, next_timeout(l, more)) < 0)
		for (int i = 0; i < ON_N; i++)
			p[i].revents = 0;
}

/* 1, 0 when the app has left, -errno. */
static int answer_requests(struct live *l)
{
	for (int i = 0; i < REQUESTS_A_TURN; i++) {
		struct msg m = { .fd = -1 };
		int r = worker_recv(l->worker, &m, 0);

		if (r == -EAGAIN || r == -EINTR)
			return 1;
		if (r <= 0)
			return r;
		r = requests_answer(l, &m);
		fd_closep(&m.fd);
		if (r == -EPIPE || r == -EBADMSG || r == -ECONNRESET)
			return r;
	}
	return 1;
}

/* Unasked, so only when the app keeps up: a stopped one must not stop the capture. */
static int tell(struct live *l)
{
	struct pollfd p = { .fd = worker_channel(l->worker), .events = POLLOUT };
	uint64_t now = live_now_ms();
	int r;

	if (!l->changed && (!l->stale || now < l->told_ms + TELL_MS))
		return 0;
	if (poll(&p, 1, 0) <= 0 || !(p.revents & POLLOUT)) {
		l->told_ms = now; /* try again later */
		l->stale = true;
		l->changed = false;
		return 0;
	}
	r = live_tell(l, 0);
	return r == -EPIPE || r == -ECONNRESET ? r : 0;
}

static int turn(struct live *l, bool *more)
{
	struct pollfd p[ON_N];
	bool again = false;
	int r;

	wait_for(l, p, *more);
	if (p[ON_TARGET].revents)
		live_target_gone(l);
	if (p[ON_RING].revents || *more)
		again = live_drain(l);
	if (p[ON_LINKS].revents && links_read(l->links))
		live_links_changed(l);
	*more = live_step(l) || again;
	if (p[ON_APP].revents) {
		r = answer_requests(l);
		if (r <= 0)
			return r;
		*more = true; /* there may be a new file to write or list to make */
	}
	live_tell_gone(l);
	r = tell(l);
	return r < 0 ? r : 1;
}

/* The app has left: what is in the spool still goes to the file, as far as its reader takes it. */
static void finish(struct live *l)
{
	uint64_t until = live_now_ms() + 2000;

	if (!l->saver)
		return;
	if (l->device)
		live_drain(l);
	l->state = LIVE_STOPPED;
	while (live_now_ms() < until && (live_step(l) || saver_waits(l->saver))) {
		struct pollfd p = { .fd = saver_fd(l->saver), .events = POLLOUT };

		if (saver_waits(l->saver))
			poll(&p, 1, 100);
	}
}

static int capture_serve(struct worker *w, struct err *err)
{
	const struct capture_params *p = worker_params(w, sizeof *p);
	struct live *l = *worker_state(w);
	bool more = false;
	int r;

	l->started_at = now_ns();
	snprintf(l->filter, sizeof l->filter, "%s", p->filter);
	r = p->paused ? live_filter(l, p->filter, true, err) : live_start(l, err);
	if (r < 0)
		return r;
	l->changed = true;
	tell(l);
	do
		r = turn(l, &more);
	while (r > 0);
	finish(l);
	live_done(l);
	return r == -EPIPE || r == -ECONNRESET ? 0 : r;
}

const struct source capture_source = {
	.name = "capture",
	.type = &capture_row_type,
	.enter = SOURCE_ENTER_NET,
	.needs_target = true,
	.cage = CAGE_CAPTURE,
	.open = capture_open,
	.serve = capture_serve,
};
