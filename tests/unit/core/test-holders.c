/* Who holds namespaces without processes: over a made-up /proc, and for real where this process may make namespaces. */
#include "core/source/holders.h"

#include "core/err.h"
#include "core/fd.h"
#include "core/target.h"
#include "core/worker.h"

#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "proctree.h"

enum { HOST = 100, ALIVE = 200, BY_FD = 300, BY_THREAD = 400 };

static struct block *build(struct holders *h)
{
	struct builder *b = builder_new(&holder_row_type);
	struct block *ret;

	holders_walk(h);
	holders_build(h, b);
	ret = builder_block(b);
	builder_free(b);
	holders_free(h);
	return ret;
}

static void made_up_proc(void **state)
{
	const struct proctree_process processes[] = {
		{ .pid = 1, .netns = HOST, .pidns = 1, .comm = "init", .state = 'S', .start = 5 },
		{ .pid = 7, .netns = ALIVE, .pidns = 1, .comm = "inside", .state = 'S', .start = 60 },
		{ .pid = 9, .netns = HOST, .pidns = 1, .comm = "keeper) 1 (", .state = 'S', .start = 70 },
	};
	AUTO(block_unrefp) struct block *b = NULL;
	const struct holder_row *row;
	struct proctree t;
	char path[64];

	(void)state;
	proctree_make(&t);
	for (size_t i = 0; i < ARRAY_LEN(processes); i++)
		proctree_process(&t, &processes[i]);
	proctree_link(&t, "9/fd/3", "net:[%d]", BY_FD);
	proctree_link(&t, "9/fd/4", "net:[%d]", ALIVE); /* has a process: nobody need hold it */
	proctree_link(&t, "9/fd/5", "mnt:[%d]", 777);
	proctree_link(&t, "9/fd/6", "/tmp/net:[888]");
	proctree_link(&t, "9/fd/7", "net:[%d]", BY_FD);
	proctree_link(&t, "9/fd/8", "socket:[99]"); /* not asked for here */
	proctree_link(&t, "9/task/9/ns/net", "net:[%d]", HOST);
	proctree_link(&t, "9/task/31/ns/net", "net:[%d]", BY_THREAD);
	b = build(holders_new(t.fd, 1, false));
	assert_int_equal(block_count(b), 2);
	row = block_row(b, 0);
	assert_true(row->netns == BY_FD && row->pid == 9 && row->start == 70 && row->by == HOLDER_DESCRIPTOR && row->number == 3);
	assert_int_equal(row->count, 1 + 1);
	assert_string_equal(proctree_text(b, row->process), "keeper) 1 (");
	holder_path(row, path, sizeof path);
	assert_string_equal(path, "/proc/9/fd/3");
	row = block_row(b, 1);
	assert_true(row->netns == BY_THREAD && row->by == HOLDER_THREAD && row->number == 31 && row->count == 1);
	holder_path(row, path, sizeof path);
	assert_string_equal(path, "/proc/9/task/31/ns/net");
	proctree_remove(&t);
}

/* --- for real --- */

struct kept {
	uint64_t netns;
	int fd;
};

static uint64_t inode_of(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 ? st.st_ino : 0;
}

/* A fresh namespace that only the given thing holds once we are back. */
static bool keep(int home, bool by_socket, struct kept *ret)
{
	int ns;

	if (unshare(CLONE_NEWNET) < 0)
		return false;
	ns = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	ret->netns = inode_of(ns);
	ret->fd = by_socket ? socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0) : ns;
	if (by_socket)
		close(ns);
	return setns(home, CLONE_NEWNET) == 0;
}

static const struct holder_row *find(const struct block *b, uint64_t netns)
{
	for (uint32_t i = 0; i < block_count(b); i++)
		if (((const struct holder_row *)block_row(b, i))->netns == netns)
			return block_row(b, i);
	return NULL;
}

static int pin(const struct holder_row *row, uint64_t netns)
{
	struct worker_target t = { .ref = { .kind = TARGET_PATH, .pid = (int32_t)row->pid, .start = row->start, .netns = netns },
		.proc = -1, .dir = -1, .pidfd = -1, .netns = -1, .root = -1 };
	struct err err = { 0 };
	int r;

	holder_path(row, t.ref.path, sizeof t.ref.path);
	r = worker_pin(&t, &err);
	if (r == 0)
		assert_true(t.netns_inode == netns && t.dir == -1 && t.pidfd >= 0);
	fd_closep(&t.proc);
	fd_closep(&t.dir);
	fd_closep(&t.pidfd);
	fd_closep(&t.netns);
	fd_closep(&t.root);
	return r;
}

static void for_real(void **state)
{
	AUTO(fd_closep) int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	AUTO(fd_closep) int proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	AUTO(block_unrefp) struct block *b = NULL;
	const struct holder_row *by_fd, *by_socket;
	struct kept fd = { .fd = -1 }, socket = { .fd = -1 };
	struct stat st;

	(void)state;
	if (!keep(home, false, &fd) || !keep(home, true, &socket))
		skip(); /* needs CAP_SYS_ADMIN */
	assert_int_equal(fstat(home, &st), 0);
	b = build(holders_new(proc, st.st_dev, true));
	by_fd = find(b, fd.netns);
	by_socket = find(b, socket.netns);
	assert_true(by_fd && by_fd->by == HOLDER_DESCRIPTOR && by_fd->number == (uint64_t)fd.fd && by_fd->pid == (uint64_t)getpid());
	assert_true(by_socket && by_socket->by == HOLDER_SOCKET && by_socket->number == (uint64_t)socket.fd && by_socket->count == 1);
	assert_null(find(b, inode_of(home)));
	assert_int_equal(pin(by_fd, fd.netns), 0);
	assert_int_equal(pin(by_socket, socket.netns), 0);
	/* Another namespace has this number now, or it is closed: never entered in its place. */
	assert_int_equal(pin(by_fd, socket.netns), -ESRCH);
	close(socket.fd);
	assert_int_equal(pin(by_socket, socket.netns), -ESRCH);
	close(fd.fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(made_up_proc),
		cmocka_unit_test(for_real),
	};

	return cmocka_run_group_tests_name("holders", tests, NULL, NULL);
}
