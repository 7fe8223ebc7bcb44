/* Processes over a made-up /proc: who belongs to a target, the tree, what is read again and what is remembered. */
#include "core/source/processes.h"

#include "core/err.h"
#include "core/source/processes_tree.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "proctree.h"

#define ID    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define GROUP "0::/docker/" ID "\n"

enum { HOST = 100, WEB = 200, LAB = 300 };

static const struct proctree_process all[] = {
	{ .pid = 1, .netns = HOST, .pidns = 1, .comm = "init", .cmdline = "/sbin/init", .state = 'S', .start = 1 },
	{ .pid = 2, .netns = HOST, .pidns = 1, .comm = "kthreadd", .state = 'S', .start = 1 },
	{ .pid = 50, .ppid = 1, .netns = WEB, .pidns = 2, .inner = 1, .comm = "nginx", .cmdline = "nginx: master", .state = 'S',
		.start = 500, .cgroup = GROUP, .ticks = 100 },
	{ .pid = 51, .ppid = 50, .netns = WEB, .pidns = 2, .inner = 7, .comm = "nginx", .cmdline = "nginx: worker", .state = 'S',
		.start = 510, .cgroup = GROUP, .uid = 33 },
	/* Ended, not yet waited for: no namespaces, and cgroup v1 says "/". */
	{ .pid = 52, .ppid = 51, .netns = 0, .comm = "curl", .state = 'Z', .start = 520, .cgroup = "1:cpu:/\n" },
	/* Its own group below the container's; entered from outside, so its parent is not in the container. */
	{ .pid = 49, .ppid = 1, .netns = WEB, .pidns = 2, .inner = 90, .comm = "sh", .cmdline = "sh", .state = 'S', .start = 600,
		.cgroup = "0::/docker/" ID "/sub\n" },
	/* A debugger that entered the network only. */
	{ .pid = 80, .ppid = 1, .netns = WEB, .pidns = 1, .comm = "tcpdump", .cmdline = "tcpdump", .state = 'S', .start = 700 },
	{ .pid = 90, .ppid = 1, .netns = LAB, .pidns = 1, .comm = "sleep", .cmdline = "sleep", .state = 'S', .start = 800 },
	/* In another container's zombie family. */
	{ .pid = 95, .ppid = 90, .netns = 0, .comm = "x", .state = 'Z', .start = 900 },
};

static struct block *read_all(struct processes_scan *s)
{
	struct builder *b = builder_new(&process_row_type);
	struct err err = { 0 };
	struct block *ret;

	assert_int_equal(processes_scan_read(s, b, &err), 0);
	ret = builder_block(b);
	builder_free(b);
	return ret;
}

static void make_all(struct proctree *t)
{
	proctree_make(t);
	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		proctree_process(t, &all[i]);
}

/* "50 51+ 52++": pids in order, one + a level. */
static const char *shape(const struct block *b, char *buf, size_t cap)
{
	size_t n = 0;

	buf[0] = 0;
	for (uint32_t i = 0; i < block_count(b); i++) {
		const struct process_row *row = block_row(b, i);

		n += (size_t)snprintf(buf + n, cap - n, "%s%u%.*s", i ? " " : "", (unsigned)row->pid, (int)row->depth, "++++++++");
	}
	return buf;
}

static void members_are_chosen(void **state)
{
	static const struct {
		uint64_t leader, netns;
		bool is_host;
		const char *want;
	} cases[] = {
		{ 50, WEB, false, "50 51+ 52++ 49" }, /* by cgroup */
		{ 90, LAB, false, "90 95+" }, /* by network: it is in the host's pid namespace */
		{ 0, LAB, false, "90 95+" }, /* a mounted namespace */
		{ 0, HOST, true, "1 50+ 51++ 52+++ 49+ 80+ 90+ 95++ 2" },
		{ 80, WEB, false, "50 51+ 52++ 49 80" }, /* by network: all in it */
	};
	struct proctree t;
	char buf[256];

	(void)state;
	make_all(&t);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct processes_scan *s = processes_scan_new(t.fd, cases[i].leader, cases[i].netns, cases[i].is_host);

		for (int again = 0; again < 2; again++) {
			struct block *b = read_all(s);

			assert_string_equal(shape(b, buf, sizeof buf), cases[i].want);
			block_unref(b);
		}
		processes_scan_free(s);
	}
	proctree_remove(&t);
}

static void pid_namespaces_count(void **state)
{
	struct proctree_process p = all[2];
	struct processes_scan *s;
	struct proctree t;
	struct block *b;
	char buf[256];

	(void)state;
	proctree_make(&t);
	proctree_process(&t, &all[0]);
	proctree_process(&t, &all[6]);
	p.cgroup = NULL; /* rootless: no group names it */
	proctree_process(&t, &p);
	s = processes_scan_new(t.fd, 50, WEB, false);
	b = read_all(s);
	assert_string_equal(shape(b, buf, sizeof buf), "50");
	block_unref(b);
	processes_scan_free(s);
	proctree_remove(&t);
}

static const struct process_row *row_of(const struct block *b, uint64_t pid)
{
	for (uint32_t i = 0; i < block_count(b); i++)
		if (((const struct process_row *)block_row(b, i))->pid == pid)
			return block_row(b, i);
	fail_msg("no process %u", (unsigned)pid);
	return NULL;
}

static void facts_are_right(void **state)
{
	static const char passwd[] = "root:x:0:0::/root:/bin/sh\nbroken\nwww-data:x:33:33::/:\nlater:x:33:33::/:\n:x:5:5:\nbad:x:y:1:\n";
	const struct process_row *row;
	struct processes_scan *s;
	struct proctree t;
	struct block *b;
	int fd;

	(void)state;
	make_all(&t);
	proctree_put(&t, "passwd", "%s", passwd);
	fd = openat(t.fd, "passwd", O_RDONLY | O_CLOEXEC);
	s = processes_scan_new(t.fd, 50, WEB, false);
	processes_scan_users(s, fd);
	close(fd);
	b = read_all(s);
	row = row_of(b, 51);
	assert_true(row->ns_pid == 7 && row->ppid == 50 && row->uid == 33 && row->threads == 3 && row->same_netns == 1);
	assert_int_equal(row->rss_bytes, 104 * 1024);
	assert_string_equal(proctree_text(b, row->user), "www-data");
	assert_string_equal(proctree_text(b, row->state), "S");
	assert_string_equal(proctree_text(b, row->command), "nginx: worker");
	row = row_of(b, 52);
	assert_string_equal(proctree_text(b, row->command), "[curl] <defunct>");
	assert_string_equal(proctree_text(b, row->user), "root");
	assert_true(row->same_netns == ROW_NO_BOOL && row->head.severity == SEVERITY_WARN);
	row = row_of(b, 50);
	assert_int_equal(row->cpu_time_us, 100 * (1000000 / (uint64_t)sysconf(_SC_CLK_TCK)));
	assert_true(row->cpu_percent >= 0 && row->cpu_percent <= 100);
	block_unref(b);
	processes_scan_free(s);
	proctree_remove(&t);
}

static void changes_are_seen(void **state)
{
	struct proctree_process p = all[2];
	const struct process_row *row;
	struct processes_scan *s;
	struct proctree t;
	struct block *b;
	uint64_t id;

	(void)state;
	make_all(&t);
	s = processes_scan_new(t.fd, 50, WEB, false);
	b = read_all(s);
	id = row_of(b, 50)->head.id;
	block_unref(b);
	/* It runs another program, and has worked meanwhile. */
	p.comm = "caddy";
	p.cmdline = "caddy run";
	p.ticks = 200;
	proctree_process(&t, &p);
	usleep(20000);
	b = read_all(s);
	row = row_of(b, 50);
	assert_true(row->head.id == id);
	assert_string_equal(proctree_text(b, row->command), "caddy run");
	assert_true(row->cpu_percent > 100); /* a second of work in 20 ms */
	assert_true(row_of(b, 51)->cpu_percent == 0);
	block_unref(b);
	/* Another process with its number. */
	assert_int_equal(renameat(t.fd, "50", t.fd, "old"), 0);
	p.start = 7777;
	p.ticks = 3;
	proctree_process(&t, &p);
	b = read_all(s);
	assert_true(row_of(b, 50)->head.id != id);
	assert_true(row_of(b, 50)->cpu_percent <= 100);
	block_unref(b);
	processes_scan_free(s);
	proctree_remove(&t);
}

static void trees_end(void **state)
{
	/* 3 and 4 are each other's parents; 5 its own; 7 comes before its older parent by number. */
	struct processes_node n[] = { { .pid = 7, .ppid = 9, .start = 3 }, { .pid = 3, .ppid = 4, .start = 1 }, { .pid = 4, .ppid = 3, .start = 2 },
		{ .pid = 5, .ppid = 5, .start = 9 }, { .pid = 9, .ppid = 0, .start = 1 }, { .pid = 8, .ppid = 9, .start = 2 } };
	static const uint64_t want[][2] = { { 9, 0 }, { 8, 1 }, { 7, 1 }, { 5, 0 }, { 3, 0 }, { 4, 1 } };

	(void)state;
	processes_tree_sort(n, ARRAY_LEN(n));
	for (size_t i = 0; i < ARRAY_LEN(n); i++) {
		assert_int_equal(n[i].pid, want[i][0]);
		assert_int_equal(n[i].depth, want[i][1]);
	}
	processes_tree_sort(n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(members_are_chosen),
		cmocka_unit_test(pid_namespaces_count),
		cmocka_unit_test(facts_are_right),
		cmocka_unit_test(changes_are_seen),
		cmocka_unit_test(trees_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
