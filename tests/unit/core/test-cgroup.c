/* Control groups over made-up trees: pure v2 and v1, limits on the way up, and what is read when nothing ran. */
#include "core/source/cgroup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "proctree.h"

#define ID    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define GROUP "system.slice/docker-" ID ".scope/"

static void put_v2(struct proctree *t)
{
	proctree_put(t, GROUP "cpu.stat", "usage_usec 5000\nuser_usec 4000\nsystem_usec 1000\nnr_periods 20\nnr_throttled 7\nthrottled_usec 9\n");
	proctree_put(t, GROUP "memory.current", "10485760\n");
	proctree_put(t, GROUP "memory.stat", "anon 4096\nfile 8192\ninactive_anon 1\ninactive_file 4194304\n");
	proctree_put(t, GROUP "memory.max", "max\n");
	proctree_put(t, "system.slice/memory.max", "33554432\n");
	proctree_put(t, GROUP "memory.events", "low 0\nhigh 0\nmax 3\noom 2\noom_kill 1\noom_group_kill 0\n");
	proctree_put(t, GROUP "pids.current", "4\n");
	proctree_put(t, GROUP "pids.max", "64\n");
	proctree_put(t, "system.slice/pids.max", "max\n");
}

static void pure_v2(void **state)
{
	struct cgroup_host host = { .v1 = { -1, -1, -1, -1 }, .v2 = -1 };
	struct cgroup_values v = { .cpu_us = UINT64_MAX, .memory_limit = UINT64_MAX, .processes_limit = UINT64_MAX };
	struct cgroup g;
	struct proctree t;

	(void)state;
	proctree_make(&t);
	put_v2(&t);
	host.v2 = t.fd;
	assert_true(cgroup_open(&host, text_of("0::/" GROUP "app\n"), 0, &g)); /* the container's own sub-group is cut */
	cgroup_read(&g, true, &v);
	assert_true(v.cpu_us == 5000 && v.periods == 20 && v.throttled == 7);
	assert_int_equal(v.memory, 10485760 - 4194304); /* as docker stats: without the page cache that may go */
	assert_int_equal(v.memory_limit, 33554432); /* its slice's: lower than its own, which is none */
	assert_true(v.processes == 4 && v.processes_limit == 64);
	assert_int_equal(v.oom_kills, 1);

	/* Nothing ran: only the CPU is read, and "all" reads everything. */
	proctree_put(&t, GROUP "pids.current", "9\n");
	cgroup_read(&g, false, &v);
	assert_int_equal(v.processes, 4);
	cgroup_read(&g, true, &v);
	assert_int_equal(v.processes, 9);

	/* It ran: all but the limits. */
	proctree_put(&t, GROUP "cpu.stat", "usage_usec 5001\n");
	proctree_put(&t, GROUP "memory.events", "oom_kill 2\n");
	proctree_put(&t, GROUP "pids.max", "1\n");
	cgroup_read(&g, false, &v);
	assert_true(v.cpu_us == 5001 && v.oom_kills == 2 && v.processes_limit == 64 && v.periods == UINT64_MAX);
	cgroup_close(&g);
	proctree_remove(&t);
}

/* A tree without these controllers, as v2 is beside v1: what is not there is unknown, not zero. */
static void v2_without_controllers(void **state)
{
	struct cgroup_host host = { .v1 = { -1, -1, -1, -1 }, .v2 = -1 };
	struct cgroup_values v = { .cpu_us = UINT64_MAX, .memory_limit = UINT64_MAX, .processes_limit = UINT64_MAX };
	struct cgroup g;
	struct proctree t;

	(void)state;
	proctree_make(&t);
	proctree_put(&t, GROUP "cpu.stat", "usage_usec 70\n");
	host.v2 = t.fd;
	assert_true(cgroup_open(&host, text_of("0::/" GROUP "\n"), 0, &g));
	cgroup_read(&g, true, &v);
	assert_int_equal(v.cpu_us, 70);
	assert_true(v.memory == UINT64_MAX && v.memory_limit == UINT64_MAX && v.oom_kills == UINT64_MAX);
	assert_true(v.processes == UINT64_MAX && v.processes_limit == UINT64_MAX && v.throttled == UINT64_MAX);
	cgroup_close(&g);
	proctree_remove(&t);
}

static void v1(void **state)
{
	struct cgroup_host host = { .v2 = -1 };
	struct cgroup_values v = { .cpu_us = UINT64_MAX, .memory_limit = UINT64_MAX, .processes_limit = UINT64_MAX };
	struct cgroup g;
	struct proctree t;

	(void)state;
	proctree_make(&t);
	proctree_put(&t, "docker/" ID "/cpuacct.usage", "2000000\n");
	proctree_put(&t, "docker/" ID "/cpu.stat", "nr_periods 3\nnr_throttled 2\n");
	proctree_put(&t, "docker/" ID "/memory.usage_in_bytes", "5000\n");
	proctree_put(&t, "docker/" ID "/memory.stat", "inactive_file 9\nhierarchical_memory_limit 6000\ntotal_inactive_file 1000\n");
	proctree_put(&t, "docker/" ID "/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 4\n");
	proctree_put(&t, "docker/" ID "/pids.current", "2\n");
	proctree_put(&t, "docker/" ID "/pids.max", "max\n");
	for (int i = 0; i < CGROUP_N; i++)
		host.v1[i] = t.fd;
	assert_true(cgroup_open(&host, text_of("4:memory:/docker/" ID "\n3:pids:/docker/" ID "\n2:cpuacct,cpu:/docker/" ID "\n0::/\n"), 0, &g));
	cgroup_read(&g, true, &v);
	assert_true(v.cpu_us == 2000 && v.periods == 3 && v.throttled == 2);
	assert_true(v.memory == 4000 && v.memory_limit == 6000 && v.oom_kills == 4);
	assert_true(v.processes == 2 && v.processes_limit == UINT64_MAX);
	proctree_put(&t, "docker/" ID "/pids.current", "3\n");
	cgroup_read(&g, false, &v);
	assert_int_equal(v.processes, 2);
	proctree_put(&t, "docker/" ID "/cpuacct.usage", "3000000\n");
	cgroup_read(&g, false, &v);
	assert_true(v.processes == 3 && v.cpu_us == 3000);
	for (int last_file = 0; last_file <= 1024; last_file += 1024) { /* none left, plenty */
		cgroup_keep(&g, last_file);
		assert_int_equal(g.cpu >= 0, last_file > 0);
		proctree_put(&t, "docker/" ID "/cpuacct.usage", "%d\n", 4000000 + last_file * 1000);
		cgroup_read(&g, false, &v);
		assert_int_equal(v.cpu_us, 4000 + last_file);
		cgroup_read(&g, false, &v); /* from its beginning each time */
		assert_int_equal(v.cpu_us, 4000 + last_file);
	}
	cgroup_close(&g);
	assert_int_equal(g.cpu, -1);
	proctree_remove(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pure_v2),
		cmocka_unit_test(v2_without_controllers),
		cmocka_unit_test(v1),
	};

	return cmocka_run_group_tests_name("cgroup", tests, NULL, NULL);
}
