/* From what is asked for to what a tool gets: namespaces, user, capabilities, environment, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above */
#include <cmocka.h>
#include <errno.h>
#include <sched.h>
#include <string.h>

#include "core/err.h"
#include "core/fd.h"
#include "tui/exec.h"
#include "tui/options.h"

static const struct {
	const char *text;
	unsigned flags; /* 0: refused */
} kinds[] = {
	{ "net", CLONE_NEWNET },
	{ "net,pid", CLONE_NEWNET | CLONE_NEWPID },
	{ "mnt,uts,ipc,user,cgroup,time", CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWCGROUP | CLONE_NEWTIME },
	{ "nett", 0 },
	{ "", 0 },
	{ "net,,pid", 0 },
};

static void test_namespaces(void **state)
{
	struct err err;
	unsigned flags;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		assert_int_equal(exec_namespaces(kinds[i].text, &flags, &err), kinds[i].flags ? 0 : -EINVAL);
		if (kinds[i].flags)
			assert_int_equal(flags, kinds[i].flags);
	}
	assert_int_equal(exec_namespaces("all", &flags, &err), 0);
	assert_int_equal(flags, exec_all_namespaces());
}

static const char *variable(const struct exec_plan *p, const char *name)
{
	for (unsigned i = 0; i < p->spec.n_variables; i++)
		if (strncmp(p->variables[i], name, strlen(name)) == 0 && p->variables[i][strlen(name)] == '=')
			return p->variables[i] + strlen(name) + 1;
	return NULL;
}

static const struct target_ref container = { .kind = TARGET_PID, .pid = 1 }, path = { .kind = TARGET_PATH, .path = "/run/netns/x" };

static struct exec_plan *plan(struct exec_request q)
{
	struct exec_plan *p = NULL;
	struct err err = { 0 };

	q.ref = q.ref ? q.ref : &container;
	q.name = q.name ? q.name : "we$b";
	q.uid = q.uid ? q.uid : "1000"; /* without a session nobody is known */
	if (exec_plan(NULL, &q, &p, &err) < 0)
		fail_msg("%s", err.msg);
	return p;
}

static void test_plan(void **state)
{
	static const char *const more[] = { "A=1", "A=2", "PATH=/x" };
	struct exec_plan *p = plan((struct exec_request){ .variables = more, .n_variables = 3 });

	(void)state;
	assert_int_equal(p->spec.namespaces, CLONE_NEWNET);
	assert_int_equal(p->spec.flags, TOOL_FILES | TOOL_NO_NEW_PRIVS);
	assert_int_equal(p->spec.caps, tool_caps_default(1000));
	assert_string_equal(variable(p, "A"), "2"); /* the later one */
	assert_string_equal(variable(p, "PATH"), "/x");
	assert_string_equal(variable(p, "NSDBG_TARGET"), "we_b"); /* a prompt may hold it */
	assert_string_equal(p->where, "net of we$b   files: the host's");
	assert_int_equal(p->spec.n_words, 1); /* a shell */
	exec_plan_free(p);

	p = plan((struct exec_request){ .namespaces = CLONE_NEWNS | CLONE_NEWPID, .uid = "0" });
	assert_int_equal(p->spec.flags, TOOL_TARGET_CAPS);
	assert_string_equal(p->spec.words[0], "/bin/sh");
	assert_null(variable(p, "debian_chroot"));
	exec_plan_free(p);

	p = plan((struct exec_request){ .ref = &path, .no_files = true, .gid = "5", .caps = "none", .directory = "/tmp" });
	assert_int_equal(p->spec.flags, TOOL_NO_NEW_PRIVS);
	assert_int_equal(p->spec.uid, 1000);
	assert_int_equal(p->spec.gid, 5);
	assert_string_equal(p->spec.directory, "/tmp");
	exec_plan_free(p);
}

static const struct {
	struct exec_request q;
	const char *says;
} refused[] = {
	{ { .ref = &path, .root = true }, "no process" },
	{ { .ref = &path, .namespaces = CLONE_NEWPID }, "no process" },
	{ { .proc = true, .namespaces = CLONE_NEWNS }, "--proc is for" },
	{ { .directory = "tmp" }, "absolute" },
	{ { .uid = "root" }, "a number" },
	{ { .uid = "1", .gid = "-1" }, "a number" },
	{ { .uid = "1", .caps = "nett" }, "no capability" },
	{ { .uid = "1", .variables = (const char *const[]){ "=x" }, .n_variables = 1 }, "NAME=VALUE" },
	{ { .uid = "1", .variables = (const char *const[]){ "NO_SUCH_THING" }, .n_variables = 1 }, "no such variable" },
};

static void test_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		struct exec_request q = refused[i].q;
		struct exec_plan *p = NULL;
		struct err err = { 0 };

		q.ref = q.ref ? q.ref : &container;
		q.name = "web";
		q.uid = q.uid ? q.uid : "0";
		assert_int_equal(exec_plan(NULL, &q, &p, &err), -EINVAL);
		if (!strstr(err.msg, refused[i].says))
			fail_msg("\"%s\" lacks \"%s\"", err.msg, refused[i].says);
	}
}

static void parse(const char *const *words, int argc, struct options *o)
{
	char *argv[16];
	struct err err = { 0 };

	memcpy(argv, words, (size_t)argc * sizeof *argv);
	if (options_parse(argc, argv, o, &err) < 0)
		fail_msg("%s", err.msg);
}

static void test_words(void **state)
{
	static const char *const plain[] = { "nsdbg", "exec", "web", "ls", "-la", "--", "--json" }, *const dashed[] = { "nsdbg", "exec", "-nm", "web", "-e", "A=1",
		"--env=B", "--", "-x" }, *const none[] = { "nsdbg", "exec", "web" };
	struct options o;

	(void)state;
	parse(plain, 7, &o);
	assert_int_equal(o.n_tail, 4);
	assert_string_equal(o.tail[3], "--json"); /* the command's own */
	assert_false(o.json);
	parse(dashed, 9, &o);
	assert_true(o.ns_net && o.ns_mnt);
	assert_int_equal(o.env.n, 2);
	assert_int_equal(o.n_tail, 1);
	assert_string_equal(o.tail[0], "-x");
	parse(none, 3, &o);
	assert_int_equal(o.n_tail, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_namespaces),
		cmocka_unit_test(test_plan),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
