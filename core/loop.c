/*
 * One epoll loop: descriptors and timers (timerfd) with callbacks. Items removed inside a callback
 * are parked until the turn ends, since epoll may already have handed out events that point at them.
 */
#include "core/loop.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "core/err.h"
#include "core/fd.h"

enum { LOOP_EVENTS = 64 };

struct loop_item { /* linked by next, prev in loop.items; by next alone in loop.parked */
	struct loop_item *next;
	struct loop_item *prev;
	loop_fn fn;
	void *arg;
	int fd;
	bool own_fd; /* a timer's */
	bool repeat;
	bool removed;
};

struct loop {
	int epoll;
	unsigned depth; /* turns running: a callback may run a turn of its own */
	struct loop_item *items;
	struct loop_item *parked;
};

struct loop *loop_new(struct err *err)
{
	AUTO(fd_closep) int fd = epoll_create1(EPOLL_CLOEXEC);
	struct loop *l;

	if (fd < 0) {
		err_set(err, errno, "make an epoll descriptor");
		return NULL;
	}
	l = fd_xcalloc(1, sizeof *l);
	l->epoll = fd_take(&fd);
	return l;
}

static void free_parked(struct loop *l)
{
	while (l->parked) {
		struct loop_item *item = l->parked;

		l->parked = item->next;
		free(item);
	}
}

void loop_free(struct loop *l)
{
	if (!l)
		return;
	while (l->items)
		loop_remove(l, l->items);
	free_parked(l);
	fd_closep(&l->epoll);
	free(l);
}

/* NULL when epoll refuses the descriptor: a regular file (EPERM) or a closed one. */
static struct loop_item *item_add(struct loop *l, const struct loop_item *init)
{
	struct loop_item *item = fd_xcalloc(1, sizeof *item);
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = item };

	*item = *init;
	if (epoll_ctl(l->epoll, EPOLL_CTL_ADD, item->fd, &ev) < 0) {
		free(item);
		return NULL;
	}
	item->next = l->items;
	if (l->items)
		l->items->prev = item;
	l->items = item;
	return item;
}

struct loop_item *loop_add_fd(struct loop *l, int fd, loop_fn fn, void *arg)
{
	struct loop_item init = { .fn = fn, .arg = arg, .fd = fd };

	return item_add(l, &init);
}

static struct timespec timespec_of_ms(uint64_t ms)
{
	return (struct timespec){ .tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000 };
}

struct loop_item *loop_add_timer(struct loop *l, uint64_t ms, bool repeat, loop_fn fn, void *arg)
{
	AUTO(fd_closep) int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	struct loop_item init = { .fn = fn, .arg = arg, .own_fd = true, .repeat = repeat };
	struct itimerspec when = { .it_value = timespec_of_ms(ms) };
	struct loop_item *item;

	if (fd < 0)
		return NULL;
	if (ms == 0)
		when.it_value.tv_nsec = 1; /* all zero would disarm it */
	if (repeat)
		when.it_interval = when.it_value;
	init.fd = fd;
	if (timerfd_settime(fd, 0, &when, NULL) < 0)
		return NULL;
	item = item_add(l, &init);
	if (item)
		fd_take(&fd);
	return item;
}

void loop_remove(struct loop *l, struct loop_item *item)
{
	if (!item || item->removed)
		return;
	/* fails when the caller closed it before: fine */
	epoll_ctl(l->epoll, EPOLL_CTL_DEL, item->fd, NULL);
	if (item->own_fd)
		fd_closep(&item->fd);
	if (item->prev)
		item->prev->next = item->next;
	else
		l->items = item->next;
	if (item->next)
		item->next->prev = item->prev;
	item->removed = true;
	item->next = l->parked;
	l->parked = item;
	if (l->depth == 0)
		free_parked(l);
}

static void item_run(struct loop *l, struct loop_item *item)
{
	uint64_t times;
	int r;

	if (item->removed)
		return;
	if (item->own_fd && read(item->fd, &times, sizeof times) < 0)
		return; /* a nested turn already took this tick */
	r = item->fn(item->arg);
	if (r < 0 || (item->own_fd && !item->repeat))
		loop_remove(l, item);
}

int loop_turn(struct loop *l, int timeout_ms)
{
	struct epoll_event events[LOOP_EVENTS];
	int n = epoll_wait(l->epoll, events, LOOP_EVENTS, timeout_ms);

	if (n < 0)
		return errno == EINTR ? 0 : -errno;
	l->depth++;
	for (int i = 0; i < n; i++)
		item_run(l, events[i].data.ptr);
	l->depth--;
	if (l->depth == 0)
		free_parked(l);
	return 0;
}

uint64_t loop_now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

int64_t loop_now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

int64_t loop_wall_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}
