/* Where the engine is: option, environment, contexts; what is refused, and with which hint. */
#include "core/engine/docker.h"

#include "core/engine/mover.h"
#include "core/err.h"
#include "core/fd.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static const char *const variables[] = { "DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CONFIG", "DOCKER_TLS_VERIFY", "XDG_RUNTIME_DIR", "HOME" };

static void clear_environment(void)
{
	for (size_t i = 0; i < ARRAY_LEN(variables); i++)
		unsetenv(variables[i]);
}

/* --- addresses --- */

static void test_options(void **state)
{
	static const struct {
		const char *option;
		int code;
		const char *says; /* the endpoint, or a part of the sentence */
	} rows[] = {
		{ "unix:///tmp/d.sock", 0, "unix:///tmp/d.sock" },
		{ "tcp://127.0.0.1:2375", 0, "tcp://127.0.0.1:2375" },
		{ "http://127.0.0.1:2375", 0, "http://127.0.0.1:2375" },
		{ "ssh://me@host", -EINVAL, "run nsdbg on that host" },
		{ "https://host:2376", -EINVAL, "TLS is not spoken" },
		{ "fd://", -EINVAL, "that is how dockerd listens" },
		{ "/var/run/docker.sock", -EINVAL, "write unix:///var/run/docker.sock" },
		{ "127.0.0.1:2375", -EINVAL, "write tcp://127.0.0.1:2375" },
		{ "ftp://host", -EINVAL, "unix:// or tcp://" },
		{ "", -EINVAL, "is empty: write unix:" },
	};

	(void)state;
	clear_environment();
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char ret[512] = "";
		bool is_explicit = false;
		struct err err = { 0 };

		assert_int_equal(docker_endpoint(rows[i].option, ret, &is_explicit, &err), rows[i].code);
		if (rows[i].code == 0)
			assert_string_equal(ret, rows[i].says);
		else if (!strstr(err.msg, rows[i].says))
			fail_msg("%s: %s", rows[i].option, err.msg);
		assert_true(is_explicit == (rows[i].code == 0));
	}
}

/* --- the order of places --- */

static void write_file(const char *dir, const char *name, const char *text)
{
	char path[300];
	FILE *f;

	snprintf(path, sizeof path, "%s/%s", dir, name);
	for (char *slash = strchr(path + strlen(dir) + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = 0;
		mkdir(path, 0700);
		*slash = '/';
	}
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void make_contexts(const char *dir)
{
	write_file(dir, ".docker/config.json", "{\"currentContext\":\"lab\",\"auths\":{}}");
	write_file(dir, ".docker/contexts/meta/aa/meta.json",
		"{\"Name\":\"other\",\"Endpoints\":{\"docker\":{\"Host\":\"unix:///other.sock\"}}}");
	write_file(dir, ".docker/contexts/meta/bb/meta.json", "{\"Name\":\"lab\",\"Endpoints\":{\"docker\":{\"Host\":\"unix:///lab.sock\"}}}");
	write_file(dir, ".docker/contexts/meta/cc/meta.json", "{\"Name\":\"k8s\",\"Endpoints\":{}}");
	write_file(dir, ".docker/contexts/meta/dd/meta.json", "{\"Name\":\"far\",\"Endpoints\":{\"docker\":{\"Host\":\"ssh://me@far\"}}}");
	write_file(dir, ".docker/contexts/meta/ee/meta.json", "{]");
	write_file(dir, "broken/config.json", "{]");
	write_file(dir, "run/docker.sock", "");
}

static const struct {
	const char *name;
	const char *host, *context, *config; /* variables; config is below the test's directory */
	const char *option;
	int code;
	const char *says;
	bool is_explicit;
} places[] = {
	{ "option first", "unix:///host.sock", "other", NULL, "unix:///option.sock", 0, "unix:///option.sock", true },
	{ "then the host", "unix:///host.sock", "other", NULL, NULL, 0, "unix:///host.sock", true },
	{ "then the context", NULL, "other", NULL, NULL, 0, "unix:///other.sock", true },
	{ "then config.json", NULL, NULL, NULL, NULL, 0, "unix:///lab.sock", true },
	{ "the default context", NULL, "default", NULL, NULL, 0, "unix:///var/run/docker.sock", true },
	{ "empty is unset", "", "", NULL, NULL, 0, "unix:///lab.sock", true },
	{ "no such context", NULL, "nope", NULL, NULL, -ENOENT, "context nope (DOCKER_CONTEXT) does not exist", false },
	{ "a context without Docker", NULL, "k8s", NULL, NULL, -EINVAL, "names no Docker host", false },
	{ "a context by ssh", NULL, "far", NULL, NULL, -EINVAL, "run nsdbg on that host", false },
	{ "a broken config.json", NULL, NULL, "broken", NULL, 0, "docker.sock", false },
	{ "no configuration", NULL, NULL, "nothing", NULL, 0, "docker.sock", false },
	{ "a bad host", "docker.sock", NULL, NULL, NULL, -EINVAL, "DOCKER_HOST docker.sock: the scheme is missing", false },
};

static void test_places(void **state)
{
	char dir[] = "/tmp/nsdbg-test.XXXXXX", path[100];

	(void)state;
	assert_non_null(mkdtemp(dir));
	make_contexts(dir);
	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		char ret[512] = "";
		bool is_explicit = false;
		struct err err = { 0 };

		clear_environment();
		setenv("HOME", dir, 1);
		if (places[i].host)
			setenv("DOCKER_HOST", places[i].host, 1);
		if (places[i].context)
			setenv("DOCKER_CONTEXT", places[i].context, 1);
		snprintf(path, sizeof path, "%s/%s", dir, places[i].config ? places[i].config : "");
		if (places[i].config)
			setenv("DOCKER_CONFIG", path, 1);
		if (docker_endpoint(places[i].option, ret, &is_explicit, &err) != places[i].code)
			fail_msg("%s: %s %s", places[i].name, ret, err.msg);
		if (!strstr(places[i].code ? err.msg : ret, places[i].says))
			fail_msg("%s: %s %s", places[i].name, ret, err.msg);
		assert_int_equal(is_explicit, places[i].is_explicit);
	}
	snprintf(path, sizeof path, "rm -r %s", dir);
	assert_int_equal(system(path), 0);
}

/* Asked for by nobody: a user's own socket is found when the machine has none. */
static void test_rootless(void **state)
{
	char dir[] = "/tmp/nsdbg-test.XXXXXX", ret[512], want[600];
	bool is_explicit;
	struct err err = { 0 };

	(void)state;
	if (access("/var/run/docker.sock", F_OK) == 0)
		skip();
	assert_non_null(mkdtemp(dir));
	make_contexts(dir);
	clear_environment();
	snprintf(want, sizeof want, "%s/run", dir);
	setenv("XDG_RUNTIME_DIR", want, 1);
	assert_int_equal(docker_endpoint(NULL, ret, &is_explicit, &err), 0);
	snprintf(want, sizeof want, "unix://%s/run/docker.sock", dir);
	assert_string_equal(ret, want);
	assert_false(is_explicit);
	snprintf(want, sizeof want, "rm -r %s", dir);
	assert_int_equal(system(want), 0);
}

/* --- taken apart for libcurl --- */

static void test_targets(void **state)
{
	static const struct {
		const char *endpoint;
		int code;
		const char *path, *origin, *host;
	} rows[] = {
		{ "unix:///run/d.sock", 0, "/run/d.sock", "http://docker", "" },
		{ "unix://run/d.sock", -EINVAL, NULL, NULL, NULL },
		{ "unix:///0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678",
			-EINVAL, NULL, NULL, NULL },
		{ "tcp://127.0.0.1:2375", 0, "", "http://127.0.0.1:2375", "" },
		{ "tcp://127.0.0.1", 0, "", "http://127.0.0.1:2375", "" },
		{ "tcp://127.0.0.1:80/", 0, "", "http://127.0.0.1:80", "" },
		{ "http://[::1]:99", 0, "", "http://[::1]:99", "" },
		{ "tcp://[::1]", 0, "", "http://[::1]:2375", "" },
		{ "tcp://127.0.0.1:80/x", -EINVAL, NULL, NULL, NULL },
		{ "tcp://127.0.0.1:99999", -EINVAL, NULL, NULL, NULL },
		{ "tcp://127.0.0.1:8x", -EINVAL, NULL, NULL, NULL },
		{ "tcp://:80", -EINVAL, NULL, NULL, NULL },
		{ "tcp://", -EINVAL, NULL, NULL, NULL },
		{ "tcp://[", -EINVAL, NULL, NULL, NULL },
		{ "tcp://[]", -EINVAL, NULL, NULL, NULL },
		{ "tcp://[::1", -EINVAL, NULL, NULL, NULL },
		{ "tcp://[::1]x", -EINVAL, NULL, NULL, NULL },
		{ "tcp://user@host:80", -EINVAL, NULL, NULL, NULL },
		{ "tcp://a b", -EINVAL, NULL, NULL, NULL },
		{ "ftp://x", -EINVAL, NULL, NULL, NULL },
		{ "tcp://localhost:77", 0, "", "http://localhost:77", "localhost" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct mover_target t = { 0 };
		struct err err = { 0 };

		if (mover_target_parse(rows[i].endpoint, &t, &err) != rows[i].code)
			fail_msg("%s: %s", rows[i].endpoint, err.msg);
		if (rows[i].code) {
			assert_true(err.msg[0] != 0);
			continue;
		}
		assert_string_equal(t.path, rows[i].path);
		assert_string_equal(t.origin, rows[i].origin);
		assert_string_equal(t.host, rows[i].host);
		assert_string_equal(t.endpoint, rows[i].endpoint);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_places),
		cmocka_unit_test(test_rootless),
		cmocka_unit_test(test_targets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
