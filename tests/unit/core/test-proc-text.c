/* Parsers of /proc/PID files: what a process can write into its own name, path and cgroup must not change what is read. */
#include "core/source/proc_net.h"
#include "core/source/proc_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/fd.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define ID2 "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"
#define TAIL " S 1 2 3 0 -1 4194560 100 0 0 0 12 34 0 0 20 0 3 0 5678 1234567 321 18446744073709551615 1"

static void stat_is_read(void **state)
{
	static const struct {
		const char *line, *comm;
		bool good;
	} cases[] = {
		{ "42 (sleep)" TAIL, "sleep", true },
		{ "42 (a b)" TAIL, "a b", true },
		{ "42 () R 1 1 ()" TAIL, ") R 1 1 (", true },
		{ "42 (x\ny)" TAIL, "x\ny", true },
		{ "42 ()" TAIL, "", true },
		{ "42 sleep" TAIL, NULL, false },
		{ "42 (sleep", NULL, false },
		{ ")42 (sleep", NULL, false },
		{ "42 (sleep) S 1 2", NULL, false },
		{ "42 (sleep) SS 1 2 3 0 -1 4194560 100 0 0 0 12 34 0 0 20 0 3 0 5678 1234567 321", NULL, false },
		{ "-2 (sleep)" TAIL, NULL, false },
		{ "", NULL, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct proc_text_stat s;

		assert_int_equal(proc_text_stat(text_of(cases[i].line), &s), cases[i].good);
		if (!cases[i].good)
			continue;
		assert_true(text_equal(s.comm, text_of(cases[i].comm)));
		assert_int_equal(s.pid, 42);
		assert_int_equal(s.state, 'S');
		assert_int_equal(s.ppid, 1);
		assert_int_equal(s.session, 3);
		assert_int_equal(s.ticks, 46);
		assert_int_equal(s.threads, 3);
		assert_int_equal(s.start, 5678);
		assert_int_equal(s.rss_pages, 321);
	}
}

static void status_is_read(void **state)
{
	struct proc_text_status s;

	(void)state;
	assert_true(proc_text_status(text_of("Name:\tx\\nUid:\nUid:\t1\t2\t3\t4\nNSpid:\t900\t7\t1\nVmRSS:\t  52 kB\n"), &s));
	assert_int_equal(s.uid, 2);
	assert_int_equal(s.ns_pid, 1);
	assert_int_equal(s.rss_kb, 52);
	assert_true(proc_text_status(text_of("Uid:\t0\t0\t0\t0\nNSpid:\t900"), &s));
	assert_true(s.ns_pid == UINT64_MAX && s.rss_kb == UINT64_MAX);
	assert_false(proc_text_status(text_of("Name:\tx\nNSpid:\t900\n"), &s));
	assert_false(proc_text_status(text_of("Uid:\tx\ty\n"), &s));
	assert_false(proc_text_status(text_of("Uid:\t1"), &s));
}

static void container_is_found_in_cgroups(void **state)
{
	static const struct {
		const char *bytes, *id;
	} cases[] = {
		{ "0::/system.slice/docker-" ID ".scope\n", ID },
		{ "12:cpu,cpuacct:/docker/" ID "\n", ID },
		{ "12:cpu:/\n0::/machine.slice/libpod-" ID ".scope/container\n", ID },
		{ "0::/kubepods/besteffort/pod1/" ID, ID },
		{ "0::/docker/" ID "/docker/" ID2 "/init\n", ID2 },
		{ "3:name=systemd:/x/" ID "/app\n", ID },
		{ "0::/libpod-conmon-" ID ".scope\n", ID },
		{ "0::/a0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n", NULL },
		{ "0::/0123456789abcdef0123456789abcdef\n", NULL },
		{ "0::/0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef\n", NULL },
		{ "0::/init.scope\n", NULL },
		{ ID, NULL },
		{ "::\n", NULL },
		{ "", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char id[PROC_TEXT_CONTAINER] = "";

		assert_int_equal(proc_text_cgroup(text_of(cases[i].bytes), id), cases[i].id != NULL);
		assert_string_equal(id, cases[i].id ? cases[i].id : "");
	}
	assert_true(proc_text_cgroup_has(text_of("0::/docker/" ID "/docker/" ID2), ID));
	assert_true(proc_text_cgroup_has(text_of("1:cpu:/\n0::/docker-" ID ".scope/sub"), ID));
	assert_false(proc_text_cgroup_has(text_of("0::/docker/" ID2), ID));
}

static void mounted_namespaces_are_found(void **state)
{
	static const struct {
		const char *line, *path;
		uint64_t inode;
	} cases[] = {
		{ "36 35 0:4 net:[4026532185] /run/netns/lab rw shared:5 - nsfs nsfs rw", "/run/netns/lab", 4026532185 },
		{ "36 35 0:4 net:[7] /a\\040b\\134c rw - nsfs nsfs rw", "/a b\\c", 7 },
		{ "36 35 0:4 net:[7] /n rw shared:1 master:2 propagate_from:3 - nsfs nsfs rw", "/n", 7 },
		{ "36 35 0:4 net:[7] /n rw - ext4 /dev/x rw", NULL, 0 }, /* a directory called so */
		{ "36 35 0:4 mnt:[7] /n rw - nsfs nsfs rw", NULL, 0 },
		{ "36 35 0:4 net:[x] /n rw - nsfs nsfs rw", NULL, 0 },
		{ "36 35 0:4 net:[7] /a\\000b rw - nsfs nsfs rw", NULL, 0 },
		{ "36 35 0:4 net:[7] /n rw -", NULL, 0 },
		{ "36 35", NULL, 0 },
		{ "", NULL, 0 },
	};
	char path[PROC_TEXT_PATH];
	uint64_t inode;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_int_equal(proc_text_nsfs(text_of(cases[i].line), &inode, path), cases[i].path != NULL);
		if (!cases[i].path)
			continue;
		assert_string_equal(path, cases[i].path);
		assert_int_equal(inode, cases[i].inode);
	}
}

static void links_and_numbers(void **state)
{
	uint64_t v;

	(void)state;
	assert_true(proc_text_link(text_of("socket:[123]"), "socket", &v));
	assert_int_equal(v, 123);
	assert_false(proc_text_link(text_of("socket:[]"), "socket", &v));
	assert_false(proc_text_link(text_of("socket:[1"), "socket", &v));
	assert_false(proc_text_link(text_of("/tmp/socket:[1]"), "socket", &v));
	assert_false(proc_text_link(text_of("socket:[1]x]"), "socket", &v));
	assert_true(proc_text_number(text_of("18446744073709551615"), 10, &v));
	assert_false(proc_text_number(text_of("18446744073709551616"), 10, &v));
	assert_false(proc_text_number(text_of("12a"), 10, &v));
	assert_true(proc_text_number(text_of("fF"), 16, &v));
	assert_int_equal(v, 255);
}

static void inet_lines(void **state)
{
	static const char tcp[] =
		"   0: 0100007F:0035 0200000A:C350 02 00000001:00000002 01:00000064 00000003   101        0 20231 2 0000000000000000";
	static const char tcp6[] = "  12: 00000000000000000000000001000000:1F90 00000000000000000000000000000000:0000 0A "
				   "00000000:00000000 00:00000000 00000000  1000        0 99 1";
	static const char *const bad[] = {
		"  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode",
		"   0: 0100007F:0035 0200000A:C350 02 00000001:00000002 01:00000064 00000003   101        0",
		"   0: 0100007F:10035 0200000A:C350 02 00000001:00000002 01:00000064 00000003 101 0 1",
		"   0: 0100007:0035 0200000A:C350 02 00000001:00000002 01:00000064 00000003 101 0 1",
		"   0: 0100007F:0035 00000000000000000000000001000000:C350 02 00000001:00000002 01:00000064 00000003 101 0 1",
		"   0  0100007F:0035 0200000A:C350 02 00000001:00000002 01:00000064 00000003 101 0 1",
		"   0: 0100007F:0035 0200000A:C350 102 00000001:00000002 01:00000064 00000003 101 0 1",
		"",
	};
	struct proc_net_inet n;
	char text[ADDR_TEXT];

	(void)state;
	assert_true(proc_net_inet(text_of(tcp), &n));
	assert_string_equal(addr_format(&n.local, text), "127.0.0.1");
	assert_string_equal(addr_format(&n.remote, text), "10.0.0.2");
	assert_int_equal(n.local_port, 53);
	assert_int_equal(n.remote_port, 50000);
	assert_int_equal(n.state, 2);
	assert_int_equal(n.send_queue, 1);
	assert_int_equal(n.recv_queue, 2);
	assert_int_equal(n.timer, 1);
	assert_int_equal(n.timer_ms, 100 * 1000 / sysconf(_SC_CLK_TCK));
	assert_int_equal(n.retransmits, 3);
	assert_int_equal(n.uid, 101);
	assert_int_equal(n.inode, 20231);
	assert_true(proc_net_inet(text_of(tcp6), &n));
	assert_string_equal(addr_format(&n.local, text), "::1");
	assert_int_equal(n.local_port, 8080);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(proc_net_inet(text_of(bad[i]), &n));
}

static void unix_lines(void **state)
{
	struct proc_net_unix u;

	(void)state;
	assert_true(proc_net_unix(text_of("ffff8880: 00000002 00000000 00010000 0001 01 20231 @a b"), &u));
	assert_true(u.listens);
	assert_int_equal(u.type, 1);
	assert_int_equal(u.inode, 20231);
	assert_true(text_equal(u.path, text_of("@a b")));
	assert_true(proc_net_unix(text_of("ffff8880: 00000003 00000000 00000000 0005 03 20232"), &u));
	assert_false(u.listens);
	assert_int_equal(u.state, 3);
	assert_int_equal(u.path.n, 0);
	assert_false(proc_net_unix(text_of("Num       RefCount Protocol Flags    Type St Inode Path"), &u));
	assert_false(proc_net_unix(text_of("ffff8880: 00000003 00000000 zz 0005 03 20232"), &u));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stat_is_read),
		cmocka_unit_test(status_is_read),
		cmocka_unit_test(container_is_found_in_cgroups),
		cmocka_unit_test(mounted_namespaces_are_found),
		cmocka_unit_test(links_and_numbers),
		cmocka_unit_test(inet_lines),
		cmocka_unit_test(unix_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
