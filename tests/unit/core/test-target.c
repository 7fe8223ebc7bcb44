/* Targets: engine rows and the scan become one list; what a user types finds one of them or is told why not. */
#include "core/target.h"

#include "core/err.h"
#include "core/fd.h"
#include "core/loop.h"
#include "core/source/health.h"
#include "core/source/holders.h"
#include "core/source/namespaces.h"

#include <math.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

struct container {
	const char *name, *id;
	uint32_t state, health;
	uint64_t pid, restarts;
	int64_t exit_code;
	const char *mode;
	uint8_t oom;
};

static const struct container containers[] = {
	{ "web", "aaaa11112222", TARGET_STATE_RUNNING, TARGET_HEALTH_HEALTHY, 100, 0, ROW_NO_INT, "shop", 0 },
	{ "web-old", "aaaa33334444", TARGET_STATE_EXITED, ROW_NO_ENUM, ROW_NO_UINT, 0, 3, "shop", 0 },
	{ "side", "bbbb11112222", TARGET_STATE_RUNNING, ROW_NO_ENUM, 101, 0, ROW_NO_INT, "container:aaaa11112222", 0 },
	{ "agent", "cccc11112222", TARGET_STATE_RUNNING, TARGET_HEALTH_UNHEALTHY, 10, 2, ROW_NO_INT, "host", 0 },
	{ "loop", "dddd11112222", TARGET_STATE_RUNNING, ROW_NO_ENUM, 102, 4, ROW_NO_INT, "none", 0 },
	{ "oom", "eeee11112222", TARGET_STATE_EXITED, ROW_NO_ENUM, ROW_NO_UINT, 0, 137, "shop", 1 },
	{ "done", "ffff11112222", TARGET_STATE_EXITED, ROW_NO_ENUM, ROW_NO_UINT, 0, 0, "shop", 0 },
	{ "ice", "abcd11112222", TARGET_STATE_PAUSED, ROW_NO_ENUM, 103, 0, ROW_NO_INT, "shop", 0 },
};

static struct block *engine_block(void)
{
	struct builder *b = builder_new(&target_row_type);
	struct block *ret;

	for (size_t i = 0; i < ARRAY_LEN(containers); i++) {
		const struct container *c = &containers[i];
		struct target_row *r = builder_row(b);

		r->head.id = row_hash(c->id, strlen(c->id), 0);
		r->runtime = builder_str(b, "docker");
		r->name = builder_str(b, c->name);
		r->id = builder_str(b, c->id);
		r->network_mode = builder_str(b, c->mode);
		r->image = r->command = r->hostname = r->project = r->path = r->problem = r->shares_with = ROW_NO_TEXT;
		r->networks = r->addresses = ROW_NO_TEXT;
		r->state = c->state;
		r->health = c->health;
		r->pid = c->pid;
		r->restarts = c->restarts;
		r->exit_code = c->exit_code;
		r->oom_killed = c->oom;
		r->start = r->netns = r->processes = ROW_NO_UINT;
		r->created_at = r->started_at = r->as_of = ROW_NO_INT;
		r->finished_at = c->state == TARGET_STATE_EXITED ? ((int64_t)time(NULL) - 7200) * 1000000000 : ROW_NO_INT;
	}
	ret = builder_block(b);
	builder_free(b);
	return ret;
}

static void add_netns(struct builder *b, uint64_t inode, bool host, const uint64_t *pids, uint32_t n, const char *path)
{
	struct netns_row *r = builder_row(b);
	struct netns_member_row members[4] = { 0 };

	for (uint32_t i = 0; i < n; i++)
		members[i] = (struct netns_member_row){ .pid = pids[i], .start = pids[i] * 10 };
	r->head.id = r->inode = inode;
	r->is_host = host;
	r->pid = n ? pids[0] : ROW_NO_UINT;
	r->start = n ? pids[0] * 10 : ROW_NO_UINT;
	r->leader = n ? builder_str(b, "sleep") : ROW_NO_TEXT;
	r->container = ROW_NO_TEXT;
	r->path = builder_str(b, path);
	r->members = builder_rows(b, &netns_member_row_type, members, n);
}

static struct block *scan_block(void)
{
	static const uint64_t host[] = { 1, 10 }, web[] = { 100, 101 }, bare[] = { 200 }, none[] = { 102 };
	struct builder *b = builder_new(namespaces_source.type);
	struct block *ret;

	add_netns(b, 4000, true, host, 2, NULL);
	add_netns(b, 4001, false, web, 2, NULL);
	add_netns(b, 4002, false, bare, 1, NULL);
	add_netns(b, 4003, false, NULL, 0, "/run/netns/lab");
	add_netns(b, 4004, false, none, 1, NULL);
	add_netns(b, 4005, false, NULL, 0, "/run/netns/side"); /* named like a container, but not its namespace */
	ret = builder_block(b);
	builder_free(b);
	return ret;
}

static struct block *merged(void)
{
	AUTO(block_unrefp) struct block *engine = engine_block();
	AUTO(block_unrefp) struct block *scan = scan_block();
	const struct block *engines[] = { engine };

	return target_merge(engines, 1, &(struct target_seen){ .netns = scan });
}

static const struct target_row *find(const struct block *b, const char *name)
{
	for (uint32_t i = 0; i < block_count(b); i++) {
		const struct target_row *r = block_row(b, i);

		if (text_equal(block_text(b, r->name), text_of(name)))
			return r;
	}
	fail_msg("no %s", name);
	return NULL;
}

static void test_merge(void **state)
{
	static const struct {
		const char *name;
		enum severity severity;
		const char *problem; /* NULL: none */
		uint64_t netns, start;
	} want[] = {
		{ "web", SEVERITY_OK, NULL, 4001, 1000 },
		{ "web-old", SEVERITY_WARN, "exited 3 2h ago", ROW_NO_UINT, ROW_NO_UINT },
		{ "side", SEVERITY_OK, NULL, 4001, 1010 },
		{ "agent", SEVERITY_BAD, "health check fails", 4000, 100 },
		{ "loop", SEVERITY_WARN, "restarted 4 times", 4004, 1020 },
		{ "oom", SEVERITY_BAD, "killed for want of memory (OOM) 2h ago", ROW_NO_UINT, ROW_NO_UINT },
		{ "done", SEVERITY_IDLE, NULL, ROW_NO_UINT, ROW_NO_UINT },
		{ "ice", SEVERITY_WARN, "paused", ROW_NO_UINT, ROW_NO_UINT },
		{ "sleep/200", SEVERITY_NONE, NULL, 4002, 2000 },
		{ "lab", SEVERITY_NONE, NULL, 4003, ROW_NO_UINT },
		{ "host", SEVERITY_NONE, NULL, 4000, 10 },
	};
	AUTO(block_unrefp) struct block *b = merged();

	(void)state;
	assert_int_equal(block_count(b), ARRAY_LEN(want) + 1);
	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		const struct target_row *r = find(b, want[i].name);

		assert_int_equal(r->head.severity, want[i].severity);
		assert_true(text_equal(block_text(b, r->problem), text_of(want[i].problem)));
		assert_int_equal(r->netns, want[i].netns);
		assert_int_equal(r->start, want[i].start);
	}
	assert_true(find(b, "agent")->head.flags & TARGET_HOST_NETWORK);
	assert_false(find(b, "web")->head.flags & TARGET_HOST_NETWORK);
	assert_true(find(b, "lab")->head.flags & TARGET_IS_NETNS);
}

static void test_resolve(void **state)
{
	static const struct {
		const char *text;
		int r;
		uint32_t kind;
		int32_t pid;
		const char *says; /* part of the sentence */
	} t[] = {
		{ "web", 0, TARGET_PID, 100, NULL },
		{ "docker:web", 0, TARGET_PID, 100, NULL },
		{ "podman:web", -ENOENT, 0, 0, "no target web" },
		{ "bbbb", 0, TARGET_PID, 101, NULL },
		{ "bbbb11112222", 0, TARGET_PID, 101, NULL },
		{ "bbb", -ENOENT, 0, 0, "no target bbb" },
		{ "aaaa", -ENOTUNIQ, 0, 0, "docker:web (aaaa11112222), docker:web-old (aaaa33334444)" },
		{ "aaaa3", -ESRCH, 0, 0, "web-old is not running (exited)" },
		{ "wbe", -ENOENT, 0, 0, "near it: web" },
		{ "zzzzzz", -ENOENT, 0, 0, "nsdbg ls -a" },
		{ "", -ENOENT, 0, 0, "nsdbg ls -a" },
		{ "host", 0, TARGET_HOST, 0, NULL },
		{ "pid:77", 0, TARGET_PID, 77, NULL },
		{ "pid:0", -EINVAL, 0, 0, "not a process number" },
		{ "pid:-1", -EINVAL, 0, 0, "not a process number" },
		{ "pid:99999999999", -EINVAL, 0, 0, "not a process number" },
		{ "netns:lab", 0, TARGET_PATH, 0, NULL },
		{ "netns:/var/x", 0, TARGET_PATH, 0, NULL },
		{ "netns:", -EINVAL, 0, 0, "not a name or path" },
		{ "ns:4002", 0, TARGET_PID, 200, NULL },
		{ "sleep/200", 0, TARGET_PID, 200, NULL }, /* as the list calls it */
		{ "ns:4003", 0, TARGET_PATH, 0, NULL },
		{ "ns:5", -ENOENT, 0, 0, "no network namespace 5" },
		{ "lab", 0, TARGET_PATH, 0, NULL },
		{ "side", 0, TARGET_PID, 101, NULL },
		{ "netns:side", 0, TARGET_PATH, 0, NULL },
	};
	AUTO(block_unrefp) struct block *b = merged();

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct target_ref ref = { 0 };
		struct err err = { 0 };
		uint32_t row = 0;
		int r = target_resolve(b, t[i].text, &row, &ref, &err);

		if (r != t[i].r)
			fail_msg("%s: %d, not %d (%s)", t[i].text, r, t[i].r, err.msg);
		if (r == 0) {
			assert_int_equal(ref.kind, t[i].kind);
			assert_int_equal(ref.pid, t[i].pid);
		} else if (!strstr(err.msg, t[i].says)) {
			fail_msg("%s: \"%s\" lacks \"%s\"", t[i].text, err.msg, t[i].says);
		}
	}
}

/* The engine's bare list knows no pids yet: a namespace whose cgroup names such a container is not listed beside it. */
static void test_bare_list(void **state)
{
	static const struct {
		uint64_t pid;
		uint32_t state, rows;
	} t[] = { { ROW_NO_UINT, TARGET_STATE_RUNNING, 2 }, { ROW_NO_UINT, TARGET_STATE_EXITED, 3 }, { 999, TARGET_STATE_RUNNING, 3 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		static const uint64_t host[] = { 1 }, web[] = { 100 };
		struct builder *eb = builder_new(&target_row_type), *sb = builder_new(namespaces_source.type);
		struct target_row *r = builder_row(eb);
		struct block *engine, *scan, *b;

		*r = (struct target_row){ .name = builder_str(eb, "web"), .id = builder_str(eb, "aaaa11112222"), .state = t[i].state,
			.health = ROW_NO_ENUM, .pid = t[i].pid, .exit_code = ROW_NO_INT, .restarts = ROW_NO_UINT, .as_of = ROW_NO_INT };
		add_netns(sb, 4000, true, host, 1, NULL);
		add_netns(sb, 4001, false, web, 1, NULL);
		((struct netns_row *)builder_at(sb, 1))->container = builder_str(sb, "aaaa11112222");
		engine = builder_block(eb);
		scan = builder_block(sb);
		b = target_merge((const struct block *const[]){ engine }, 1, &(struct target_seen){ .netns = scan });
		assert_int_equal(block_count(b), t[i].rows);
		block_unref(b);
		block_unref(engine);
		block_unref(scan);
		builder_free(eb);
		builder_free(sb);
	}
}

/* A process that /proc shows as a container's first one. */
static struct rows found_of(struct builder *b, uint64_t pid, const char *runtime, const char *id)
{
	const struct found_row f = { .pid = pid, .start = pid * 10, .runtime = builder_str(b, runtime), .id = builder_str(b, id),
		.name = ROW_NO_TEXT, .space = ROW_NO_TEXT, .pod = ROW_NO_TEXT, .address = ROW_NO_TEXT, .owner = ROW_NO_UINT, .infra = ROW_NO_BOOL };

	return builder_rows(b, &found_row_type, &f, 1);
}

static struct block *engine_with(const char *runtime, const char *id, uint64_t pid, int64_t as_of)
{
	struct builder *b = builder_new(&target_row_type);
	struct target_row *r = builder_row(b);
	struct block *ret;

	r->name = builder_str(b, "web");
	r->id = builder_str(b, id);
	r->runtime = builder_str(b, runtime);
	r->image = r->command = r->networks = r->addresses = r->network_mode = r->shares_with = r->hostname = ROW_NO_TEXT;
	r->project = r->path = r->problem = r->engine = r->space = r->pod = r->shared_by = ROW_NO_TEXT;
	r->state = TARGET_STATE_RUNNING;
	r->health = ROW_NO_ENUM;
	r->pid = pid;
	r->start = r->netns = r->restarts = r->attempt = r->owner = ROW_NO_UINT;
	r->exit_code = r->started_at = r->finished_at = r->created_at = ROW_NO_INT;
	r->as_of = as_of;
	target_health_unknown(r);
	ret = builder_block(b);
	builder_free(b);
	return ret;
}

/* One container by two engines and /proc is one row; without an engine it stays, marked; a dead engine's row follows the process. */
static void test_found(void **state)
{
	static const uint64_t host[] = { 1 }, web[] = { 100 };
	static const struct {
		bool has_engine, is_double, is_stale;
		uint64_t pid;
		uint32_t flags; /* of them TARGET_FOUND and TARGET_STALE are compared */
	} rows[] = {
		{ false, false, false, 0, TARGET_FOUND }, { true, false, false, 100, 0 }, { true, true, false, 100, 0 },
		{ true, false, false, ROW_NO_UINT, 0 }, { true, false, true, 999, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct builder *sb = builder_new(namespaces_source.type);
		AUTO(block_unrefp) struct block *one = engine_with("docker", "aaaa11112222", rows[i].pid, rows[i].is_stale ? 1 : ROW_NO_INT);
		AUTO(block_unrefp) struct block *two = engine_with("containerd", "aaaa11112222", rows[i].pid, ROW_NO_INT);
		AUTO(block_unrefp) struct block *scan = NULL, *b = NULL;
		const struct target_row *r;
		struct timespec boot;

		add_netns(sb, 4000, true, host, 1, NULL);
		add_netns(sb, 4001, false, web, 1, NULL);
		((struct netns_row *)builder_at(sb, 1))->containers = found_of(sb, 100, "docker", "aaaa11112222");
		scan = builder_block(sb);
		builder_free(sb);
		b = target_merge((const struct block *const[]){ one, two }, rows[i].is_double ? 2 : rows[i].has_engine, &(struct target_seen){ .netns = scan });
		assert_int_equal(block_count(b), 2); /* and the host */
		r = block_row(b, 0);
		assert_true(r->pid == 100 && r->start == 1000 && r->netns == 4001);
		assert_int_equal(r->head.flags & TARGET_FOUND, rows[i].flags);
		assert_true(text_equal(block_text(b, r->runtime), text_of("docker")));
		assert_int_equal(block_text(b, r->problem).n > 0, !rows[i].has_engine || rows[i].is_stale);
		/* nobody says since when: 1000 ticks after the machine's start */
		clock_gettime(CLOCK_BOOTTIME, &boot);
		assert_float_equal((double)(loop_wall_ns() - r->started_at) / 1e9, (double)boot.tv_sec - 1000.0 / (double)sysconf(_SC_CLK_TCK), 2);
	}
}

/* No engine, no scan: an empty list, not a crash. */
static void test_empty(void **state)
{
	AUTO(block_unrefp) struct block *b = target_merge(NULL, 0, &(struct target_seen){ 0 });
	struct target_ref ref;
	uint32_t row;

	(void)state;
	assert_int_equal(block_count(b), 0);
	assert_int_equal(target_resolve(b, "web", &row, &ref, NULL), -ENOENT);
	assert_int_equal(target_resolve(b, "host", &row, &ref, NULL), 0);
}

/* What the kernel shows is said where it is graver than what the engine says, and only there. */
static struct block *holders_block(void)
{
	static const struct {
		uint64_t netns, pid;
		uint32_t by;
		uint64_t number;
	} rows[] = {
		{ 4002, 500, HOLDER_DESCRIPTOR, 3 }, /* a process is in it since */
		{ 4003, 500, HOLDER_DESCRIPTOR, 4 }, /* mounted as well */
		{ 5001, 500, HOLDER_SOCKET, 5 }, { 5001, 501, HOLDER_THREAD, 77 }, { 5002, 502, HOLDER_DESCRIPTOR, 6 },
	};
	struct builder *b = builder_new(&holder_row_type);
	struct block *ret;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct holder_row *r = builder_row(b);

		*r = (struct holder_row){ .head.id = i + 1, .netns = rows[i].netns, .pid = rows[i].pid, .start = rows[i].pid * 10,
			.by = rows[i].by, .number = rows[i].number, .count = 1, .process = builder_str(b, "keeper") };
	}
	ret = builder_block(b);
	builder_free(b);
	return ret;
}

static void test_held(void **state)
{
	AUTO(block_unrefp) struct block *scan = scan_block(), *holders = holders_block();
	AUTO(block_unrefp) struct block *b = target_merge(NULL, 0, &(struct target_seen){ .netns = scan, .holders = holders });
	const struct target_row *r;
	struct target_ref ref;
	struct err err = { 0 };
	uint32_t row;

	(void)state;
	assert_int_equal(block_count(b), 6 + 2);
	assert_int_equal(find(b, "sleep/200")->holders.n, 0);
	r = find(b, "lab");
	assert_true(r->holders.n == 1 && r->problem.len == UINT32_MAX);
	r = find(b, "netns-5001");
	assert_true(r->holders.n == 2 && r->processes == 0 && r->pid == ROW_NO_UINT && r->head.flags & TARGET_IS_NETNS);
	assert_true(text_equal(block_text(b, r->problem),
		text_of("no process in it; keeper (500) holds it by socket 5, and 1 more")));
	assert_int_equal(target_resolve(b, "ns:5001", &row, &ref, &err), 0);
	assert_true(ref.kind == TARGET_PATH && ref.pid == 500 && ref.start == 5000 && ref.netns == 5001);
	assert_string_equal(ref.path, "/proc/500/fd/5");
	assert_int_equal(target_resolve(b, "netns-5002", &row, &ref, &err), 0);
	assert_string_equal(ref.path, "/proc/502/fd/6");
	assert_int_equal(target_resolve(b, "lab", &row, &ref, &err), 0);
	assert_true(ref.pid == 0 && strcmp(ref.path, "/run/netns/lab") == 0);
}

static void test_with_health(void **state)
{
	struct builder *t = builder_new(&target_row_type), *h = builder_new(&health_row_type);
	static const enum severity engine[] = { SEVERITY_OK, SEVERITY_BAD, SEVERITY_WARN, SEVERITY_OK };
	static const enum severity kernel[] = { SEVERITY_WARN, SEVERITY_BAD, SEVERITY_BAD, SEVERITY_OK };
	static const char *const expected[] = { "kernel", "engine", "kernel", "engine" };

	(void)state;
	for (uint64_t i = 0; i < 4; i++) {
		struct target_row *row = builder_row(t);
		struct health_row *health = builder_row(h);

		row->name = row->id = row->runtime = row->image = row->command = row->networks = row->addresses = ROW_NO_TEXT;
		row->network_mode = row->shares_with = row->hostname = row->project = row->path = ROW_NO_TEXT;
		row->head = (struct row_head){ .id = 10 + i, .severity = engine[i] };
		row->problem = builder_str(t, "engine");
		target_health_unknown(row);
		health->head = (struct row_head){ .id = 13 - i, .severity = kernel[3 - i] };
		health->name = ROW_NO_TEXT;
		health->cpu_percent = 42;
		health->problem = builder_str(h, "kernel");
	}
	AUTO(block_unrefp) struct block *targets = builder_block(t), *readings = builder_block(h);
	AUTO(block_unrefp) struct block *joined = target_with_health(targets, readings), *alone = target_with_health(targets, NULL);
	for (uint32_t i = 0; i < 4; i++) {
		const struct target_row *row = block_row(joined, i);

		assert_true(text_equal(block_text(joined, row->problem), text_of(expected[i])));
		assert_int_equal(row->head.severity, engine[i] > kernel[i] ? engine[i] : kernel[i]);
		assert_float_equal(row->cpu_percent, 42, 0);
		assert_true(isnan(((const struct target_row *)block_row(alone, i))->cpu_percent));
	}
	builder_free(t);
	builder_free(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_merge), cmocka_unit_test(test_resolve),
		cmocka_unit_test(test_bare_list), cmocka_unit_test(test_empty), cmocka_unit_test(test_found),
		cmocka_unit_test(test_with_health), cmocka_unit_test(test_held) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
