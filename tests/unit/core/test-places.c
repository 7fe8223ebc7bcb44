/* Where engines are: options and variables, and whether only systemd listens at a socket (a made-up /proc). */
#include "core/engine/places.h"

#include "core/err.h"
#include "core/fd.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "proctree.h"

static void clear_environment(void)
{
	static const char *const names[] = { "DOCKER_HOST", "DOCKER_CONTEXT", "CONTAINER_HOST", "CONTAINERD_ADDRESS", "CONTAINER_RUNTIME_ENDPOINT" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		unsetenv(names[i]);
	setenv("XDG_RUNTIME_DIR", "/nowhere", 1);
	setenv("HOME", "/nowhere", 1);
}

static void test_named(void **state)
{
	const struct engine_wishes wishes = { .docker = "unix:///a.sock,tcp://127.0.0.1:2375", .podman = "unix:///p.sock",
		.runtimes = "docker,podman" };
	struct engine_places p;
	struct err err = { 0 };

	(void)state;
	clear_environment();
	assert_int_equal(engine_places_find(&wishes, &p, &err), 0);
	assert_int_equal(p.n, 3);
	assert_string_equal(p.list[0].endpoint, "unix:///a.sock");
	assert_string_equal(p.list[1].endpoint, "tcp://127.0.0.1:2375");
	assert_true(p.list[2].kind == ENGINE_PODMAN && p.list[2].is_explicit);
	assert_true(p.is_closed[ENGINE_DOCKER] && p.is_closed[ENGINE_PODMAN] && p.is_closed[ENGINE_CONTAINERD]);
}

static void test_variables(void **state)
{
	const struct engine_wishes wishes = { .runtimes = "containerd,podman" };
	struct engine_places p;
	struct err err = { 0 };

	(void)state;
	clear_environment();
	setenv("CONTAINER_HOST", "unix:///v.sock", 1);
	setenv("CONTAINERD_ADDRESS", "/c.sock", 1);
	assert_int_equal(engine_places_find(&wishes, &p, &err), 0);
	assert_int_equal(p.n, 2);
	assert_string_equal(p.list[0].endpoint, "unix:///v.sock");
	assert_string_equal(p.list[1].endpoint, "unix:///c.sock");
	setenv("CONTAINER_HOST", "ssh://host/x", 1);
	assert_int_equal(engine_places_find(&wishes, &p, &err), -EINVAL);
	assert_non_null(strstr(err.msg, "CONTAINER_HOST"));
	clear_environment();
	assert_int_equal(engine_places_find(&(struct engine_wishes){ .containerd = "tcp://x:1" }, &p, &err), -EINVAL);
	assert_non_null(strstr(err.msg, "unix:///path"));
	assert_int_equal(engine_places_find(&(struct engine_wishes){ .docker = "" }, &p, &err), -EINVAL);
}

static void test_runtimes(void **state)
{
	static const char *const wrong[] = { "", "dokcer", "docker,dokcer", "dockerdockerdockerdocker", "docker,netns, host" };
	struct engine_places p;
	struct err err = { 0 };

	(void)state;
	clear_environment();
	assert_int_equal(engine_places_find(&(struct engine_wishes){ .runtimes = "netns,host," }, &p, &err), 0);
	assert_int_equal(p.n, 0);
	assert_true(engine_places_shows(&p, text_of("host")) && engine_places_shows(&p, text_of("netns")));
	assert_false(engine_places_shows(&p, text_of("docker")) || engine_places_shows(&p, (struct text){ 0 }));
	assert_true(engine_places_shows(&(struct engine_places){ 0 }, text_of("docker")));
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		assert_int_equal(engine_places_find(&(struct engine_wishes){ .runtimes = wrong[i] }, &p, &err), -EINVAL);
		assert_non_null(strstr(err.msg, "--runtime knows no"));
	}
}

static void write_text(struct proctree *t, const char *path, const char *text)
{
	proctree_write(t, path, text, strlen(text));
}

static void hold(struct proctree *t, const char *path, const char *target)
{
	proctree_dirs(t, path);
	unlinkat(t->fd, path, 0);
	if (symlinkat(target, t->fd, path) < 0)
		abort();
}

static void test_idle(void **state)
{
	static const char sockets[] = "Num       RefCount Protocol Flags    Type St Inode Path\n"
		"0000: 00000002 00000000 00010000 0001 01 700 /run/x.sock\n0001: 00000003 00000000 00000000 0001 03 701 /run/x.sock\n";
	struct proctree t;
	bool activated;

	(void)state;
	proctree_make(&t);
	write_text(&t, "net/unix", sockets);
	write_text(&t, "1/comm", "systemd\n");
	hold(&t, "1/fd/33", "socket:[700]");
	assert_true(engine_places_is_idle(t.fd, "/run/x.sock", ENGINE_PODMAN, &activated));
	assert_true(activated);
	/* Its daemon runs, too: systemd only keeps the socket. */
	write_text(&t, "50/comm", "podman\n");
	hold(&t, "50/fd/3", "socket:[700]");
	assert_false(engine_places_is_idle(t.fd, "/run/x.sock", ENGINE_PODMAN, &activated));
	assert_true(activated);
	/* A podman that does something else does not serve. */
	hold(&t, "50/fd/3", "socket:[999]");
	assert_true(engine_places_is_idle(t.fd, "/run/x.sock", ENGINE_PODMAN, &activated));
	assert_false(engine_places_is_idle(t.fd, "/run/other.sock", ENGINE_PODMAN, &activated));
	write_text(&t, "1/comm", "init\n");
	assert_false(engine_places_is_idle(t.fd, "/run/x.sock", ENGINE_PODMAN, &activated));
	assert_false(activated);
	proctree_remove(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_named), cmocka_unit_test(test_variables),
		cmocka_unit_test(test_runtimes), cmocka_unit_test(test_idle) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
