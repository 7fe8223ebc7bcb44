/* Broker, workers and their cage, for real: what a caged worker may not do, how its end is told, who it is. */
#include "core/broker.h"
#include "core/err.h"
#include "core/fd.h"
#include "core/session.h"
#include "core/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

struct fact_row {
	struct row_head head;
	struct str name;
	int64_t value;
};

static const struct field fact_fields[] = {
	{ ROW_FIELD(struct fact_row, name, TEXT) },
	{ ROW_FIELD(struct fact_row, value, INT) },
};

static const struct row_type fact_type = { .name = "fact", .id = 0x66616374, .schema = 1, .size = sizeof(struct fact_row),
	.fields = fact_fields, .n_fields = ARRAY_LEN(fact_fields) };

static void fact(struct builder *b, const char *name, int64_t value)
{
	struct fact_row *r = builder_row(b);

	r->value = value;
	r->name = builder_str(b, name);
}

#if defined(__SANITIZE_ADDRESS__)
enum { OPEN_REFUSED = 0 }; /* the sanitizer's own reports read files */
#else
enum { OPEN_REFUSED = -EACCES };
#endif

/* A library that looks for a file or a socket must see a refusal, not die. */
static int try_things(struct worker *w, struct builder *b, struct err *err)
{
	int fd = open("/etc/passwd", O_RDONLY);

	(void)w;
	(void)err;
	fact(b, "open", fd < 0 ? -errno : 0);
	fact(b, "socket unix", socket(AF_UNIX, SOCK_STREAM, 0) < 0 ? -errno : 0);
	fact(b, "socket inet", socket(AF_INET, SOCK_DGRAM, 0) < 0 ? -errno : 0);
	fact(b, "pid", getpid());
	return 0;
}

enum { OP_EXEC = 16, OP_NAME_STATE };

static int do_bad(struct worker *w, const struct msg *m, struct err *err)
{
	char *argv[] = { (char *)(uintptr_t) "true", NULL };

	(void)w;
	if (m->request.op == OP_EXEC)
		execv("/bin/true", argv);
	return err_set(err, EPERM, "asked for %u", m->request.op);
}

static int refuse_open(struct worker *w, struct err *err)
{
	(void)w;
	return err_set(err, EACCES, "open the thing");
}

static const struct source base_source = { .name = "base", .type = &fact_type, .cage = CAGE_BASE, .sample = try_things,
	.request = do_bad };
static const struct source dns_like_source = { .name = "dnslike", .type = &fact_type, .cage = CAGE_DNS, .sample = try_things };
static const struct source scan_like_source = { .name = "scanlike", .type = &fact_type, .cage = CAGE_SCAN, .sample = try_things };
static const struct source failing_source = { .name = "failing", .type = &fact_type, .cage = CAGE_BASE, .open = refuse_open,
	.sample = try_things };
static const struct source pinned_source = { .name = "pinned", .type = &fact_type, .cage = CAGE_BASE, .needs_target = true,
	.sample = try_things };

static const struct source *const sources[] = { &base_source, &dns_like_source, &scan_like_source, &failing_source,
	&pinned_source };

static int64_t value_of(const struct block *b, const char *name)
{
	for (uint32_t i = 0; i < block_count(b); i++) {
		const struct fact_row *r = block_row(b, i);

		if (text_equal(block_text(b, r->name), text_of(name)))
			return r->value;
	}
	return INT64_MAX;
}

static struct block *first_block(struct link *l)
{
	struct link_event ev;

	for (int i = 0; i < 4; i++) {
		link_wait(l, 5000, &ev);
		if (ev.type == LINK_BLOCK)
			return ev.block;
		if (ev.type == LINK_ERROR || ev.type == LINK_CLOSED)
			fail_msg("no block: %d %s", ev.code, ev.msg);
	}
	fail_msg("no block in time");
	return NULL;
}

static void status_line(pid_t pid, const char *key, char *ret, size_t cap)
{
	char path[64], line[256];
	FILE *f;

	snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
	f = fopen(path, "re");
	assert_non_null(f);
	ret[0] = 0;
	while (fgets(line, sizeof line, f))
		if (strncmp(line, key, strlen(key)) == 0)
			snprintf(ret, cap, "%s", line + strlen(key) + 1);
	fclose(f);
	ret[strcspn(ret, "\n")] = 0;
}

static void test_cage_refuses(void **state)
{
	struct session *s = *state;
	AUTO(block_unrefp) struct block *b = NULL;
	struct link *l = session_open(s, &base_source, NULL, NULL, 0, NULL);
	char text[128];

	b = first_block(l);
	assert_int_equal(value_of(b, "open"), OPEN_REFUSED);
	assert_int_equal(value_of(b, "socket unix"), -EACCES);
	assert_int_equal(value_of(b, "socket inet"), -EACCES);
	status_line((pid_t)value_of(b, "pid"), "CapEff:", text, sizeof text);
	assert_string_equal(text, "0000000000000000");
	status_line((pid_t)value_of(b, "pid"), "NoNewPrivs:", text, sizeof text);
	assert_string_equal(text, "1");
	status_line((pid_t)value_of(b, "pid"), "Seccomp:", text, sizeof text);
	assert_string_equal(text, "2");
	if (session_is_privileged(s)) {
		status_line((pid_t)value_of(b, "pid"), "CapBnd:", text, sizeof text);
		assert_string_equal(text, "0000000000000000");
		status_line((pid_t)value_of(b, "pid"), "Uid:", text, sizeof text);
		assert_string_equal(text, "65534\t65534\t65534\t65534");
	}
	link_free(l);
}

/* Somebody else who is nobody has more descriptors on their way than a worker may have open, for a moment. */
static _Noreturn void crowd(int ready)
{
	union {
		struct cmsghdr head;
		char bytes[CMSG_SPACE(sizeof(int) * 100)];
	} control = { 0 };
	char byte = 0;
	struct iovec part = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr m = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control };
	int pair[2], fds[100];

	if ((geteuid() == 0 && setuid(65534) < 0) || socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) < 0)
		_exit(1);
	for (size_t i = 0; i < ARRAY_LEN(fds); i++)
		fds[i] = pair[0];
	control.head = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof fds), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS };
	memcpy(CMSG_DATA(&control.head), fds, sizeof fds);
	if (sendmsg(pair[0], &m, 0) < 0 || write(ready, "x", 1) < 0)
		_exit(1);
	poll(NULL, 0, 300);
	_exit(0);
}

static void test_waits_its_turn(void **state)
{
	struct link *l;
	struct block *b;
	int ready[2];
	pid_t pid;
	char c;

	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0)
		crowd(ready[1]);
	close(ready[1]);
	assert_int_equal(read(ready[0], &c, 1), 1);
	close(ready[0]);
	l = session_open(*state, &base_source, NULL, NULL, 0, NULL);
	b = first_block(l);
	assert_int_equal(value_of(b, "socket unix"), -EACCES);
	block_unref(b);
	link_free(l);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void test_cages_differ(void **state)
{
	struct session *s = *state;
	struct link *dns = session_open(s, &dns_like_source, NULL, NULL, 0, NULL);
	struct link *scan = session_open(s, &scan_like_source, NULL, NULL, 0, NULL);
	AUTO(block_unrefp) struct block *b = first_block(dns);
	AUTO(block_unrefp) struct block *c = first_block(scan);

	assert_int_equal(value_of(b, "socket inet"), 0);
	assert_int_equal(value_of(b, "socket unix"), -EACCES);
	assert_int_equal(value_of(b, "open"), OPEN_REFUSED);
	assert_int_equal(value_of(c, "open"), 0);
	assert_int_equal(value_of(c, "socket inet"), -EACCES);
	link_free(dns);
	link_free(scan);
}

static void expect_closed(struct link *l, const char *part)
{
	struct link_event ev;

	do {
		link_wait(l, 5000, &ev);
		block_unref(ev.block);
	} while (ev.type != LINK_CLOSED && ev.type != LINK_NOTHING);
	assert_int_equal(ev.type, LINK_CLOSED);
	if (!strstr(ev.msg, part))
		fail_msg("\"%s\" does not hold \"%s\"", ev.msg, part);
}

static void test_exec_kills(void **state)
{
	struct link *l = session_open(*state, &base_source, NULL, NULL, 0, NULL);

	block_unref(first_block(l));
	assert_int_equal(link_request(l, 7, OP_EXEC, NULL, 0, -1), 0);
	expect_closed(l, "forbids");
	link_free(l);
}

static void test_kill_is_told(void **state)
{
	struct link *l = session_open(*state, &base_source, NULL, NULL, 0, NULL);
	AUTO(block_unrefp) struct block *b = first_block(l);

	/* The worker is another user's by now, so this process cannot signal it: ask for what kills it. */
	assert_int_equal(link_request(l, 7, OP_EXEC, NULL, 0, -1), 0);
	expect_closed(l, "ended");
	link_free(l);
}

static void test_errors_travel(void **state)
{
	struct link *l = session_open(*state, &failing_source, NULL, NULL, 0, NULL);
	struct link_event ev;

	link_wait(l, 5000, &ev);
	assert_int_equal(ev.type, LINK_ERROR);
	assert_int_equal(ev.code, EACCES);
	assert_string_equal(ev.msg, "open the thing");
	link_free(l);
	l = session_open(*state, &base_source, NULL, NULL, 0, NULL);
	block_unref(first_block(l));
	assert_int_equal(link_request(l, 9, OP_NAME_STATE, NULL, 0, -1), 0);
	link_wait(l, 5000, &ev);
	assert_int_equal(ev.type, LINK_ERROR);
	assert_int_equal(ev.tag, 9);
	assert_string_equal(ev.msg, "asked for 17");
	link_free(l);
}

static void test_pid_reuse_is_seen(void **state)
{
	struct target_ref ref = { .kind = TARGET_PID, .pid = getpid(), .start = 12345 };
	struct link *l = session_open(*state, &pinned_source, &ref, NULL, 0, NULL);
	struct link_event ev;

	link_wait(l, 5000, &ev);
	assert_int_equal(ev.type, LINK_ERROR);
	assert_int_equal(ev.code, ESRCH);
	link_free(l);
}

static void test_no_target(void **state)
{
	struct target_ref ref = { .kind = TARGET_PID, .pid = -4 };
	struct link *l = session_open(*state, &pinned_source, &ref, NULL, 0, NULL);
	struct link_event ev;

	link_wait(l, 5000, &ev);
	assert_int_equal(ev.type, LINK_ERROR);
	assert_int_equal(ev.code, EINVAL);
	link_free(l);
	ref = (struct target_ref){ .kind = TARGET_PATH, .path = "/etc/passwd" };
	l = session_open(*state, &pinned_source, &ref, NULL, 0, NULL);
	link_wait(l, 5000, &ev);
	assert_int_equal(ev.code, EINVAL);
	assert_string_equal(ev.msg, "/etc/passwd is not a network namespace");
	link_free(l);
}

static void test_create_rules(void **state)
{
	char dir[] = "/tmp/nsdbg-test-XXXXXX", path[64], other[64];
	struct err err = { 0 };
	struct stat st;
	int fd;

	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof path, "%s/new", dir);
	snprintf(other, sizeof other, "%s/link", dir);
	fd = session_create(*state, path, false, &err);
	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	close(fd);
	fd = session_create(*state, path, false, &err); /* empty: nothing is lost */
	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, "x", 1), 0);
	close(fd);
	assert_int_equal(session_create(*state, path, false, &err), -EEXIST);
	assert_non_null(strstr(err.msg, "--force"));
	assert_int_equal(symlink(path, other), 0);
	assert_int_equal(session_create(*state, other, true, &err), -EEXIST);
	assert_int_equal(session_create(*state, "/nonexistent/x", false, &err), -ENOENT);
	unlink(path);
	unlink(other);
	rmdir(dir);
}

static int start(void **state)
{
	struct err err = { 0 };
	struct session *s = NULL;

	if (session_start(sources, ARRAY_LEN(sources), &s, &err) < 0) {
		fprintf(stderr, "%s\n", err.msg);
		return -1;
	}
	*state = s;
	return 0;
}

static int stop(void **state)
{
	session_stop(*state);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cage_refuses), cmocka_unit_test(test_waits_its_turn), cmocka_unit_test(test_cages_differ), cmocka_unit_test(test_exec_kills),
		cmocka_unit_test(test_kill_is_told), cmocka_unit_test(test_errors_travel),
		cmocka_unit_test(test_pid_reuse_is_seen), cmocka_unit_test(test_no_target), cmocka_unit_test(test_create_rules),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
