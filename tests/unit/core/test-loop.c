/* The loop: descriptors, timers, removal inside callbacks, nested turns. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above */
#include <cmocka.h>
#include <fcntl.h>
#include <unistd.h>

#include "core/fd.h"
#include "core/loop.h"

struct probe {
	struct loop *loop;
	struct loop_item *own;
	struct loop_item *other;
	int fd;
	int calls;
	int answer;
};

static int drain(void *arg)
{
	struct probe *p = arg;
	char c;

	p->calls++;
	if (p->fd >= 0)
		assert_int_equal(read(p->fd, &c, 1), 1);
	return p->answer;
}

static int remove_both(void *arg)
{
	struct probe *p = arg;

	p->calls++;
	loop_remove(p->loop, p->other);
	loop_remove(p->loop, p->own);
	return 0;
}

static int nested(void *arg)
{
	struct probe *p = arg;

	p->calls++;
	loop_remove(p->loop, p->own);
	return loop_turn(p->loop, 0);
}

static void make_pipe(int p[2])
{
	assert_int_equal(pipe2(p, O_CLOEXEC), 0);
}

static void test_fd(void **state)
{
	struct loop *l = loop_new(NULL);
	struct probe a = { .loop = l };
	int p[2];

	(void)state;
	make_pipe(p);
	a.fd = p[0];
	assert_non_null(loop_add_fd(l, p[0], drain, &a));
	assert_int_equal(loop_turn(l, 0), 0);
	assert_int_equal(a.calls, 0);
	assert_int_equal(write(p[1], "xy", 2), 2);
	loop_turn(l, -1);
	a.answer = -1; /* negative: the item goes, so the third byte stays unread */
	loop_turn(l, -1);
	assert_int_equal(write(p[1], "z", 1), 1);
	loop_turn(l, 20);
	assert_int_equal(a.calls, 2);
	loop_free(l);
	close(p[0]);
	close(p[1]);
}

static void test_refused(void **state)
{
	struct loop *l = loop_new(NULL);
	AUTO(fd_closep) int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	(void)state;
	assert_null(loop_add_fd(l, file, drain, NULL)); /* epoll takes no regular files */
	assert_null(loop_add_fd(l, -1, drain, NULL));
	loop_remove(l, NULL);
	loop_free(l);
	loop_free(NULL);
}

static void test_timers(void **state)
{
	struct loop *l = loop_new(NULL);
	struct probe once = { .loop = l, .fd = -1 }, often = once, zero = once;
	uint64_t start = loop_now_ms();

	(void)state;
	loop_add_timer(l, 10, false, drain, &once);
	loop_add_timer(l, 5, true, drain, &often);
	loop_add_timer(l, 0, false, drain, &zero);
	while (loop_now_ms() < start + 60)
		loop_turn(l, 5);
	assert_int_equal(once.calls, 1);
	assert_int_equal(zero.calls, 1);
	assert_in_range(often.calls, 3, 13);
	loop_free(l);
}

static void test_remove_inside(void **state)
{
	struct loop *l = loop_new(NULL);
	struct probe a = { .loop = l }, b = { .loop = l };
	int p[2], q[2];

	(void)state;
	make_pipe(p);
	make_pipe(q);
	assert_int_equal(write(p[1], "x", 1), 1);
	assert_int_equal(write(q[1], "x", 1), 1);
	a.own = b.other = loop_add_fd(l, p[0], remove_both, &a);
	b.own = a.other = loop_add_fd(l, q[0], remove_both, &b);
	loop_turn(l, 0);
	/* the first removed the second although its event was pending */
	assert_int_equal(a.calls + b.calls, 1);
	loop_turn(l, 0);
	assert_int_equal(a.calls + b.calls, 1);
	loop_free(l);
	close(p[0]);
	close(p[1]);
	close(q[0]);
	close(q[1]);
}

static void test_nested(void **state)
{
	struct loop *l = loop_new(NULL);
	struct probe a = { .loop = l, .fd = -1 }, b = { .loop = l, .fd = -1 };

	(void)state;
	a.own = loop_add_timer(l, 0, false, nested, &a);
	loop_add_timer(l, 0, false, drain, &b);
	usleep(2000);
	loop_turn(l, 100);
	assert_int_equal(a.calls, 1);
	assert_int_equal(b.calls, 1);
	loop_free(l);
}

static void test_hangup(void **state)
{
	struct loop *l = loop_new(NULL);
	struct probe a = { .loop = l, .fd = -1, .answer = -1 };
	int p[2];

	(void)state;
	make_pipe(p);
	loop_add_fd(l, p[0], drain, &a);
	close(p[1]);
	loop_turn(l, 1000);
	assert_int_equal(a.calls, 1);
	loop_free(l);
	close(p[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fd),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_timers),
		cmocka_unit_test(test_remove_inside),
		cmocka_unit_test(test_nested),
		cmocka_unit_test(test_hangup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
