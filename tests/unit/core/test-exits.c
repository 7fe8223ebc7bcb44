/* Ends of processes: told once, together, of the right process only; what lives costs nothing. Children of the test, in the real /proc. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above */
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/block.h"
#include "core/exits.h"
#include "core/fd.h"
#include "core/loop.h"
#include "core/source/holders.h"
#include "core/source/proc_dir.h"
#include "core/source/proc_text.h"
#include "core/target.h"

struct told {
	unsigned calls;
	uint32_t what;
	uint32_t later; /* what is given back at the first call */
};

static uint32_t on_ended(void *arg, uint32_t what)
{
	struct told *t = arg;
	uint32_t later = t->later;

	t->calls++;
	t->what |= what & ~later;
	t->later = 0;
	return later;
}

static bool has_pidfd(void)
{
	AUTO(fd_closep) int fd = (int)syscall(SYS_pidfd_open, getpid(), 0);

	return fd >= 0;
}

static pid_t child(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL); /* a failed test leaves none */
		pause();
		_exit(0);
	}
	return pid;
}

static uint64_t start_of(pid_t pid)
{
	AUTO(fd_closep) int proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct proc_text_stat stat = { 0 };
	char buf[1024];
	ssize_t n = proc_dir_read(proc, (uint64_t)pid, "stat", buf, sizeof buf);

	assert_true(n > 0 && proc_text_stat((struct text){ buf, (size_t)n }, &stat));
	return stat.start;
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void turns(struct loop *l, unsigned ms)
{
	uint64_t until = loop_now_ms() + ms;

	for (uint64_t now = loop_now_ms(); now < until; now = loop_now_ms())
		loop_turn(l, (int)(until - now));
}

static void test_ends(void **state)
{
	struct loop *l = loop_new(NULL);
	struct told told = { 0 };
	struct exits *e = exits_new(l, on_ended, &told);
	pid_t a = child(), b = child(), c = child();
	struct exit_process list[] = { { (uint64_t)c, start_of(c), EXITS_HOLDER, 0 }, { (uint64_t)a, start_of(a), EXITS_LEADER, 0 },
		{ (uint64_t)b, start_of(b), EXITS_LEADER, 0 }, { (uint64_t)a, start_of(a), EXITS_LEADER, 0 } };

	(void)state;
	if (!has_pidfd())
		skip(); /* before Linux 5.3 */
	exits_watch(e, list, ARRAY_LEN(list));
	assert_int_equal(exits_watching(e), 3); /* the same twice is one */
	turns(l, 150);
	assert_int_equal(told.calls, 0);
	end(a);
	end(b);
	turns(l, 200);
	assert_int_equal(told.calls, 1); /* a burst is one */
	assert_int_equal(told.what, EXITS_LEADER);
	assert_int_equal(exits_watching(e), 1);
	exits_watch(e, list, ARRAY_LEN(list) - 1); /* still listed: told already */
	turns(l, 150);
	assert_int_equal(told.calls, 1);
	told.later = EXITS_HOLDER; /* not now */
	end(c);
	turns(l, 400);
	assert_int_equal(told.calls, 3);
	assert_int_equal(told.what, EXITS_LEADER | EXITS_HOLDER);
	assert_int_equal(exits_watching(e), 0);
	exits_free(e);
	loop_free(l);
}

/* The number has come to stand for another process, or for none: told at once, and nothing is watched. Who leaves the list is let go. */
static void test_others(void **state)
{
	struct loop *l = loop_new(NULL);
	struct told told = { 0 };
	struct exits *e = exits_new(l, on_ended, &told);
	pid_t a = child(), gone = child();
	struct exit_process list[] = { { (uint64_t)a, start_of(a) + 1, EXITS_LEADER, 0 } }, dead[] = { { (uint64_t)gone, 1, EXITS_HOLDER, 0 } },
		alive[] = { { (uint64_t)a, start_of(a), EXITS_LEADER, 0 } };

	(void)state;
	end(gone);
	if (!has_pidfd())
		skip();
	exits_watch(e, list, 1);
	assert_int_equal(exits_watching(e), 0);
	turns(l, 200);
	assert_int_equal(told.what, EXITS_LEADER);
	exits_watch(e, dead, 1);
	turns(l, 200);
	assert_int_equal(told.what, EXITS_LEADER | EXITS_HOLDER);
	exits_watch(e, alive, 1);
	assert_int_equal(exits_watching(e), 1);
	exits_watch(e, alive, 0);
	assert_int_equal(exits_watching(e), 0);
	end(a);
	turns(l, 200);
	assert_int_equal(told.calls, 2);
	exits_pause(e, 60000); /* dear: the next one waits */
	exits_watch(e, alive, 1);
	turns(l, 200);
	assert_int_equal(told.calls, 2);
	exits_free(e);
	exits_free(NULL);
	loop_free(l);
}

/* More than are opened in one go, all in the end; none of them is told that never was. */
static void test_many(void **state)
{
	enum { MANY = 300 };
	struct loop *l = loop_new(NULL);
	struct told told = { 0 };
	struct exits *e = exits_new(l, on_ended, &told);
	struct exit_process *list = fd_xcalloc(MANY, sizeof *list);
	pid_t pids[MANY];

	(void)state;
	for (unsigned i = 0; i < MANY; i++) {
		pids[i] = child();
		list[i] = (struct exit_process){ (uint64_t)pids[i], start_of(pids[i]), EXITS_LEADER, 0 };
	}
	exits_watch(e, list, MANY);
	exits_watch(e, list, MANY);
	if (has_pidfd())
		assert_in_range(exits_watching(e), 1, MANY - 1); /* the loop has other things to do */
	turns(l, 200);
	assert_int_equal(exits_watching(e), has_pidfd() ? MANY : 0);
	assert_int_equal(told.calls, 0);
	for (unsigned i = 0; i < MANY; i++)
		end(pids[i]);
	turns(l, 300);
	assert_int_equal(exits_watching(e), 0);
	exits_free(e);
	free(list);
	loop_free(l);
}

static void add(struct builder *b, pid_t pid, const char *engine, unsigned flags)
{
	struct target_row *t = builder_row(b);
	struct holder_row h = { .pid = (uint64_t)pid, .start = pid > 0 ? start_of(pid) : 0, .process = ROW_NO_TEXT };

	*t = (struct target_row){ .head.flags = flags, .pid = ROW_NO_UINT, .start = ROW_NO_UINT };
	t->engine = engine ? builder_str(b, engine) : ROW_NO_TEXT;
	if (flags & TARGET_LOCKED) { /* here: of no process, held by this one */
		t->holders = builder_rows(b, &holder_row_type, &h, 1);
	} else if (pid > 0) {
		t->pid = h.pid;
		t->start = h.start;
	}
}

/* Which rows: nobody speaks for them, or their engine does not answer. */
static void test_targets(void **state)
{
	struct loop *l = loop_new(NULL);
	struct told told = { 0 };
	struct exits *e = exits_new(l, on_ended, &told);
	struct builder *b = builder_new(&target_row_type);
	pid_t pids[5];
	struct block *rows;

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(pids); i++)
		pids[i] = child();
	add(b, pids[0], NULL, TARGET_IS_NETNS);
	add(b, pids[1], "unix:///run/docker.sock", TARGET_IS_CONTAINER);
	add(b, pids[2], "unix:///run/docker.sock", TARGET_IS_CONTAINER | TARGET_STALE);
	add(b, pids[3], NULL, TARGET_LOCKED);
	add(b, pids[4], NULL, TARGET_IS_HOST);
	add(b, 0, NULL, TARGET_FOUND);
	rows = builder_block(b);
	exits_watch_targets(e, rows);
	assert_int_equal(exits_watching(e), has_pidfd() ? 3 : 0);
	end(pids[1]);
	end(pids[4]);
	turns(l, 200);
	assert_int_equal(told.calls, 0);
	end(pids[3]);
	turns(l, 200);
	assert_int_equal(told.what, has_pidfd() ? EXITS_HOLDER : 0);
	end(pids[0]);
	end(pids[2]);
	exits_free(e);
	block_unref(rows);
	builder_free(b);
	loop_free(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ends),
		cmocka_unit_test(test_others),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_targets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
