/* One pidfd a process, one-shot: see exits.h. What was told stays in the list, without a descriptor, until the caller leaves it out. */
#include "core/exits.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/fd.h"
#include "core/loop.h"
#include "core/source/holders.h"
#include "core/source/proc_dir.h"
#include "core/source/proc_text.h"
#include "core/target.h"

enum { STAT_BYTES = 1024, BATCH = 64, BATCH_PAUSE_MS = 5 }; /* a batch takes a millisecond */
#define CMP(a, b) (((a) > (b)) - ((a) < (b)))

struct watched {
	struct exits *exits;
	struct exit_process p;
	struct loop_item *item;
	int fd; /* -1: it has ended, or cannot be watched */
	bool is_new; /* not opened yet */
};

struct exits {
	struct loop *loop;
	exits_fn fn;
	void *arg;
	int proc;
	struct watched **list; /* ascending pid, start */
	uint32_t n;
	uint32_t what; /* not told yet */
	struct loop_item *timer, *opener;
	uint64_t pause_ms, told_ms;
};

/* --- telling --- */

/* Comes again as long as something is left to tell. */
static int on_timer(void *arg)
{
	struct exits *e = arg;
	uint64_t now = loop_now_ms();
	uint32_t what = e->what;

	if (now < e->told_ms + e->pause_ms)
		return 0;
	e->what = 0;
	e->told_ms = now;
	e->what |= e->fn(e->arg, what);
	if (e->what)
		return 0;
	loop_remove(e->loop, e->timer);
	e->timer = NULL;
	return 0;
}

static void note(struct watched *w)
{
	struct exits *e = w->exits;

	e->what |= w->p.what;
	if (!e->timer)
		e->timer = loop_add_timer(e->loop, EXITS_PAUSE_MS, true, on_timer, e);
}

static void let_go(struct watched *w)
{
	loop_remove(w->exits->loop, w->item);
	w->item = NULL;
	fd_closep(&w->fd);
}

static int on_end(void *arg)
{
	let_go(arg);
	note(arg);
	return 0;
}

/* --- watching --- */

static bool is_same(const struct exits *e, const struct exit_process *p)
{
	char buf[STAT_BYTES];
	ssize_t n = proc_dir_read(e->proc, p->pid, "stat", buf, sizeof buf);
	struct proc_text_stat stat;

	return n > 0 && proc_text_stat((struct text){ buf, (size_t)n }, &stat) && stat.start == p->start;
}

static void open_one(struct watched *w)
{
	struct exits *e = w->exits;

	w->is_new = false;
	w->fd = (int)syscall(SYS_pidfd_open, (pid_t)w->p.pid, 0);
	if (w->fd < 0) {
		if (errno == ESRCH)
			note(w);
	} else if (!is_same(e, &w->p)) {
		fd_closep(&w->fd);
		note(w);
	} else {
		w->item = loop_add_fd(e->loop, w->fd, on_end, w);
	}
}

/* A thousand at once would hold up the loop: true, there are more. */
static bool open_some(struct exits *e)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < e->n && n <= BATCH; i++) {
		if (!e->list[i]->is_new)
			continue;
		if (n++ < BATCH)
			open_one(e->list[i]);
	}
	return n > BATCH;
}

static int on_opener(void *arg)
{
	struct exits *e = arg;

	if (open_some(e))
		return 0;
	loop_remove(e->loop, e->opener);
	e->opener = NULL;
	return 0;
}

static struct watched *add(struct exits *e, const struct exit_process *p)
{
	struct watched *w = fd_xcalloc(1, sizeof *w);

	*w = (struct watched){ .exits = e, .p = *p, .fd = -1, .is_new = true };
	return w;
}

static int compare(const void *a, const void *b)
{
	const struct exit_process *x = a, *y = b;

	return x->pid != y->pid ? CMP(x->pid, y->pid) : CMP(x->start, y->start);
}

/* The same process twice is one, for both reasons. */
static uint32_t unite(struct exit_process *list, uint32_t n)
{
	uint32_t k = 0;

	qsort(list, n, sizeof *list, compare);
	for (uint32_t i = 0; i < n; i++) {
		if (k && compare(&list[k - 1], &list[i]) == 0)
			list[k - 1].what |= list[i].what;
		else
			list[k++] = list[i];
	}
	return k;
}

static uint32_t most(void)
{
	struct rlimit files = { .rlim_cur = EXITS_MAX };

	getrlimit(RLIMIT_NOFILE, &files);
	return files.rlim_cur / 2 < EXITS_MAX ? (uint32_t)(files.rlim_cur / 2) : EXITS_MAX;
}

static void drop(struct watched *w)
{
	let_go(w);
	free(w);
}

void exits_watch(struct exits *e, struct exit_process *list, uint32_t n)
{
	struct watched **old, **now;
	uint32_t at = 0, n_old, limit;

	if (!e)
		return;
	limit = most();
	n = unite(list, n);
	n = n < limit ? n : limit;
	now = fd_xcalloc(n + 1, sizeof(struct watched *));
	old = e->list;
	n_old = e->n;
	for (uint32_t i = 0; i < n; i++) {
		while (at < n_old && compare(&old[at]->p, &list[i]) < 0)
			drop(old[at++]);
		now[i] = at < n_old && compare(&old[at]->p, &list[i]) == 0 ? old[at++] : add(e, &list[i]);
		now[i]->p.what = list[i].what;
	}
	while (at < n_old)
		drop(old[at++]);
	free(old);
	e->list = now;
	e->n = n;
	if (!e->opener && open_some(e))
		e->opener = loop_add_timer(e->loop, BATCH_PAUSE_MS, true, on_opener, e);
}

static bool needs_watching(const struct target_row *t)
{
	bool is_told = t->engine.len != UINT32_MAX && t->engine.len && !(t->head.flags & TARGET_STALE);

	return t->pid != ROW_NO_UINT && t->pid > 0 && t->start != ROW_NO_UINT && !is_told && !(t->head.flags & TARGET_IS_HOST);
}

void exits_watch_targets(struct exits *e, const struct block *targets)
{
	struct exit_process *list;
	uint32_t n = 0, most_rows = 0;

	if (!e)
		return;
	for (uint32_t i = 0; i < block_count(targets); i++)
		most_rows += 1 + ((const struct target_row *)block_row(targets, i))->holders.n;
	list = fd_xcalloc(most_rows + 1, sizeof *list);
	for (uint32_t i = 0; i < block_count(targets); i++) {
		const struct target_row *t = block_row(targets, i);

		if (needs_watching(t))
			list[n++] = (struct exit_process){ .pid = t->pid, .start = t->start, .what = EXITS_LEADER };
		for (uint32_t k = 0; k < t->holders.n; k++) {
			const struct holder_row *h = block_nested(targets, &holder_row_type, t->holders, k);

			list[n++] = (struct exit_process){ .pid = h->pid, .start = h->start, .what = EXITS_HOLDER };
		}
	}
	exits_watch(e, list, n);
	free(list);
}

void exits_pause(struct exits *e, uint64_t ms)
{
	if (e)
		e->pause_ms = ms;
}

uint32_t exits_watching(const struct exits *e)
{
	uint32_t n = 0;

	for (uint32_t i = 0; e && i < e->n; i++)
		n += e->list[i]->fd >= 0;
	return n;
}

struct exits *exits_new(struct loop *loop, exits_fn fn, void *arg)
{
	struct exits *e;

	if (!loop)
		return NULL;
	e = fd_xcalloc(1, sizeof *e);
	*e = (struct exits){ .loop = loop, .fn = fn, .arg = arg, .proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC) };
	return e;
}

void exits_free(struct exits *e)
{
	if (!e)
		return;
	for (uint32_t i = 0; i < e->n; i++)
		drop(e->list[i]);
	loop_remove(e->loop, e->timer);
	loop_remove(e->loop, e->opener);
	fd_closep(&e->proc);
	free(e->list);
	free(e);
}
