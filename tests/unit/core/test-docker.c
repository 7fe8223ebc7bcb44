/* Answers of real engines (data/: Docker 20.10, podman 4.3) become the right rows; anything else becomes unknown or an error. */
#include "core/engine/docker_json.h"
#include "core/engine/docker_rows.h"
#include "core/engine/docker_tree.h"

#include "core/err.h"
#include "core/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const struct docker_rows_stamp docker = { .runtime = "docker", .as_of = ROW_NO_INT };
static const struct docker_rows_stamp podman = { .runtime = "podman", .as_of = ROW_NO_INT };

/* --- help --- */

static char *read_data(const char *name, size_t *ret_n)
{
	const char *dir = getenv("NSDBG_TEST_DATA");
	char *buf = fd_xcalloc(1, 1 << 20), path[1024];
	AUTO(fd_closep) int fd = -1;
	ssize_t n;

	snprintf(path, sizeof path, "%s/%s", dir ? dir : "tests/unit/core/data", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : fd_read_all(fd, buf, 1 << 20);
	if (n <= 0)
		fail_msg("cannot read %s", path);
	*ret_n = (size_t)n;
	return buf;
}

static void load_list(struct docker_model *m, const char *file)
{
	AUTO(fd_freep) struct docker_container **list = NULL;
	AUTO(fd_freep) char *text = NULL;
	struct err err = { 0 };
	uint32_t n, skipped;
	size_t len;

	text = read_data(file, &len);
	assert_int_equal(docker_json_list(text, len, &list, &n, &skipped, &err), 0);
	assert_int_equal(skipped, 0);
	docker_model_merge_list(m, list, n);
}

static void load_inspects(struct docker_model *m, const char *file)
{
	AUTO(fd_freep) char *text = NULL;
	size_t len, at = 0;

	text = read_data(file, &len);
	while (at < len) {
		size_t n = strcspn(text + at, "\n");
		struct docker_container *c = NULL;
		struct err err = { 0 };

		if (docker_json_inspect(text + at, n, &c, &err) < 0)
			fail_msg("%s", err.msg);
		docker_model_put(m, c);
		at += n + 1;
	}
}

static void load_networks(struct docker_model *m, const char *file)
{
	AUTO(fd_freep) struct docker_network **list = NULL;
	AUTO(fd_freep) char *text = NULL;
	struct err err = { 0 };
	uint32_t n, skipped;
	size_t len;

	text = read_data(file, &len);
	assert_int_equal(docker_json_networks(text, len, &list, &n, &skipped, &err), 0);
	docker_model_set_networks(m, list, n);
}

static struct block *targets_of(const struct docker_model *m, const struct docker_rows_stamp *stamp)
{
	struct builder *b = builder_new(&target_row_type);
	struct block *ret;

	docker_rows_targets(m, stamp, b);
	ret = builder_block(b);
	builder_free(b);
	return ret;
}

static struct block *networks_of(const struct docker_model *m, const struct docker_rows_stamp *stamp)
{
	struct builder *b = builder_new(&network_row_type);
	struct block *ret;

	docker_rows_networks(m, stamp, b);
	ret = builder_block(b);
	builder_free(b);
	return ret;
}

static const void *row_named(const struct block *b, const char *name)
{
	const struct field *f = row_field_find(block_type(b), "name");

	for (uint32_t i = 0; i < block_count(b); i++) {
		char cell[300];

		row_format(b, f, block_row(b, i), &(struct row_look){ 0 }, cell, sizeof cell);
		if (strcmp(cell, name) == 0)
			return block_row(b, i);
	}
	fail_msg("no row %s", name);
	return NULL;
}

/* "pid=12 state=running": one field=text for each name in `fields`. */
static void describe(const struct block *b, const struct row_type *t, const void *row, const char *fields, char *buf, size_t cap)
{
	char name[40], cell[1000];
	size_t n = 0;

	for (buf[0] = 0; *fields; fields += *fields == ' ') {
		size_t len = strcspn(fields, " ");
		const struct row_look look = { .charset = TEXT_ASCII, .raw_numbers = true, .utc = true };

		snprintf(name, sizeof name, "%.*s", (int)len, fields);
		fields += len;
		if (!row_field_find(t, name))
			fail_msg("no field %s", name);
		row_format(b, row_field_find(t, name), row, &look, cell, sizeof cell);
		n += (size_t)snprintf(buf + n, cap - n, "%s%s=%s", n ? " " : "", name, cell);
	}
}

struct expected {
	const char *name;
	const char *text;
};

static const char target_words[] = "state health pid networks addresses ports restarts exit_code oom_killed network_mode shares_with";

static void check_targets(const struct block *b, const struct expected *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		char got[3000];

		describe(b, &target_row_type, row_named(b, rows[i].name), target_words, got, sizeof got);
		assert_string_equal(got, rows[i].text);
	}
}

/* --- containers --- */

static const struct expected inspected[] = {
	{ "feas-web", "state=running health=- pid=26912 networks=feas-n1 addresses=10.77.1.50 "
		"ports=18053>53/udp 18080>80 127.0.0.1:18081>80 "
		"restarts=0 exit_code=- oom_killed=no network_mode=feas-n1 shares_with=-" },
	{ "feas-two", "state=running health=- pid=27122 networks=feas-int,feas-n1 addresses=10.77.2.2,10.77.1.2 ports=- "
		"restarts=0 exit_code=- oom_killed=no network_mode=feas-n1 shares_with=-" },
	{ "feas-share", "state=running health=- pid=27871 networks= addresses= ports=- restarts=0 exit_code=- oom_killed=no "
		"network_mode=container:8c5692089b10beaa7807106f479fd1905c6f361a0139307d7326c868795cd355 shares_with=feas-web" },
	{ "feas-host", "state=running health=- pid=28058 networks=host addresses= ports=- restarts=0 exit_code=- oom_killed=no "
		"network_mode=host shares_with=-" },
	{ "feas-hc", "state=running health=unhealthy pid=30350 networks=bridge addresses=172.17.0.4 ports=- restarts=0 exit_code=- "
		"oom_killed=no network_mode=bridge shares_with=-" },
	{ "feas-oom", "state=exited health=- pid=- networks=bridge addresses= ports=- restarts=0 exit_code=137 oom_killed=yes "
		"network_mode=bridge shares_with=-" },
	{ "feas-6", "state=running health=- pid=29137 networks=feas-v6 addresses=10.77.3.2,fd77:3::2 ports=- restarts=0 exit_code=- "
		"oom_killed=no network_mode=feas-v6 shares_with=-" },
};

static void test_inspect(void **state)
{
	AUTO(block_unrefp) struct block *b = NULL;
	struct docker_model m = { 0 };
	const struct target_row *host;

	(void)state;
	load_inspects(&m, "docker-inspect.ndjson");
	b = targets_of(&m, &docker);
	check_targets(b, inspected, ARRAY_LEN(inspected));
	host = row_named(b, "feas-host");
	assert_int_equal(host->head.flags, TARGET_IS_CONTAINER | TARGET_HOST_NETWORK);
	assert_int_equal(host->as_of, ROW_NO_INT);
	docker_model_done(&m);
}

/* A list knows less; what it knows is the same. */
static const struct expected listed[] = {
	{ "feas-web", "state=running health=- pid=- networks=feas-n1 addresses=10.77.1.50 "
		"ports=18053>53/udp 18080>80 127.0.0.1:18081>80 "
		"restarts=- exit_code=- oom_killed=- network_mode=feas-n1 shares_with=-" },
	{ "feas-hc", "state=running health=unhealthy pid=- networks=bridge addresses=172.17.0.4 ports=- restarts=- exit_code=- "
		"oom_killed=- network_mode=bridge shares_with=-" },
	{ "feas-ex", "state=exited health=- pid=- networks=bridge addresses= ports=- restarts=- exit_code=3 oom_killed=- "
		"network_mode=bridge shares_with=-" },
	{ "feas-cr", "state=created health=- pid=- networks=bridge addresses= ports=- restarts=- exit_code=- oom_killed=- "
		"network_mode=bridge shares_with=-" },
	{ "feas-share", "state=running health=- pid=- networks= addresses= ports=- restarts=- exit_code=- oom_killed=- "
		"network_mode=container:8c5692089b10beaa7807106f479fd1905c6f361a0139307d7326c868795cd355 shares_with=feas-web" },
};

static void test_list(void **state)
{
	AUTO(block_unrefp) struct block *b = NULL;
	struct docker_model m = { 0 };

	(void)state;
	load_list(&m, "docker-list.json");
	b = targets_of(&m, &docker);
	assert_int_equal(block_count(b), 22);
	check_targets(b, listed, ARRAY_LEN(listed));
	docker_model_done(&m);
}

/* A list after details must not take them away; what it does not have any more goes. */
static void test_list_keeps_details(void **state)
{
	AUTO(block_unrefp) struct block *b = NULL;
	struct docker_model m = { 0 };
	struct docker_container *extra = docker_model_container_new();

	(void)state;
	memset(extra->id, 'd', DOCKER_ID);
	docker_model_put(&m, extra);
	load_inspects(&m, "docker-inspect.ndjson");
	load_list(&m, "docker-list.json");
	b = targets_of(&m, &docker);
	assert_int_equal(block_count(b), 22);
	check_targets(b, inspected, ARRAY_LEN(inspected));
	for (uint32_t i = 0; i < m.n_containers; i++)
		assert_true(m.containers[i]->is_wanted);
	docker_model_done(&m);
}

static void test_podman(void **state)
{
	static const struct expected rows[] = {
		{ "web", "state=running health=- pid=18688 networks=n1 addresses=10.78.1.2 ports=18080>80 restarts=0 exit_code=- "
			"oom_killed=no network_mode=bridge shares_with=-" },
	};
	AUTO(block_unrefp) struct block *b = NULL, *net = NULL;
	struct docker_model m = { 0 };
	const struct target_row *web;
	const struct endpoint_row *e;
	char got[500];

	(void)state;
	load_list(&m, "podman-list.json");
	load_inspects(&m, "podman-inspect.ndjson");
	load_networks(&m, "podman-networks.json");
	b = targets_of(&m, &podman);
	check_targets(b, rows, ARRAY_LEN(rows));
	web = row_named(b, "web");
	e = block_nested(b, &endpoint_row_type, web->endpoints, 0);
	for (uint32_t i = 0; i < m.n_containers; i++)
		assert_true(docker_model_knows_networks(&m, m.containers[i]));
	describe(b, &endpoint_row_type, e, "network network_id interface", got, sizeof got);
	assert_string_equal(got, "network=n1 network_id=561dd64a571c2f8f6a381fb52ab250493df208d88fc016ce74754c823ae4a9ce interface=-");
	net = networks_of(&m, &podman);
	assert_int_equal(block_count(net), 2);
	docker_model_done(&m);
}

/* --- networks --- */

static void test_networks(void **state)
{
	static const char words[] = "driver subnets gateway interface members internal ipv6 mtu";
	static const struct expected rows[] = {
		{ "bridge", "driver=bridge subnets=172.17.0.0/16 gateway=172.17.0.1 interface=docker0 members=feas-hc "
			"internal=no ipv6=no mtu=1500" },
		{ "feas-n1", "driver=bridge subnets=10.77.1.0/24 gateway=10.77.1.1 interface=feasbr1 members=feas-two,feas-web "
			"internal=no ipv6=no mtu=-" },
		{ "feas-int", "driver=bridge subnets=10.77.2.0/24 gateway=10.77.2.1 interface=br-a2a80fd6deb5 members=feas-two "
			"internal=yes ipv6=no mtu=-" },
		{ "feas-mv", "driver=macvlan subnets=10.77.4.0/24 gateway=10.77.4.1 interface=feasmv0 members=feas-mvc internal=no ipv6=no mtu=-" },
		{ "host", "driver=host subnets= gateway=- interface=- members=feas-host internal=no ipv6=no mtu=-" },
	};
	AUTO(block_unrefp) struct block *b = NULL;
	struct docker_model m = { 0 };

	(void)state;
	load_inspects(&m, "docker-inspect.ndjson");
	load_networks(&m, "docker-networks.json");
	b = networks_of(&m, &docker);
	assert_int_equal(block_count(b), 9);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct network_row *r = row_named(b, rows[i].name);
		char got[500];

		describe(b, &network_row_type, r, words, got, sizeof got);
		assert_string_equal(got, rows[i].text);
	}
	docker_model_done(&m);
}

/* A network that is not known yet is noticed. */
static void test_unknown_network(void **state)
{
	struct docker_model m = { 0 };
	unsigned known = 0;

	(void)state;
	load_inspects(&m, "docker-inspect.ndjson");
	load_networks(&m, "docker-networks.json");
	for (uint32_t i = 0; i < m.n_containers; i++)
		assert_true(docker_model_knows_networks(&m, m.containers[i]));
	docker_model_remove_network(&m, "626a1dfc1bd6e6b7beded1928b3ffe514cefaa2021316cf8de67e9866b6726bb"); /* feas-n1 */
	for (uint32_t i = 0; i < m.n_containers; i++)
		known += docker_model_knows_networks(&m, m.containers[i]);
	assert_int_equal(known, m.n_containers - 2);
	docker_model_done(&m);
}

static void test_stale(void **state)
{
	const struct docker_rows_stamp stamp = { .runtime = "docker", .as_of = 1795359106000000000 };
	AUTO(block_unrefp) struct block *b = NULL;
	struct docker_model m = { 0 };

	(void)state;
	load_list(&m, "docker-list.json");
	b = targets_of(&m, &stamp);
	for (uint32_t i = 0; i < block_count(b); i++) {
		const struct target_row *r = block_row(b, i);

		assert_true(r->head.flags & TARGET_STALE);
		assert_int_equal(r->head.severity, SEVERITY_UNKNOWN);
		assert_true(r->as_of == stamp.as_of);
	}
	docker_model_done(&m);
}

/* --- what is not as it should be --- */

static void test_refused(void **state)
{
	static const struct {
		const char *text;
		int code;
	} rows[] = {
		{ "", -EBADMSG }, { "{}", -EBADMSG }, { "null", -EBADMSG }, { "[", -EBADMSG }, { "[] x", -EBADMSG }, { "[] []", -EBADMSG },
		{ "<html>", -EBADMSG }, { "[\"\\ud800\"]", -EBADMSG }, { "[tru]", -EBADMSG },
		{ "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", -E2BIG },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct docker_container **list = NULL;
		struct err err = { 0 };
		uint32_t n = 7, skipped = 7;
		char text[100];

		snprintf(text, sizeof text, "%s", rows[i].text);
		assert_int_equal(docker_json_list(text, strlen(text), &list, &n, &skipped, &err), rows[i].code);
		assert_true(err.msg[0] != 0);
		assert_null(list);
	}
}

static void test_too_many_values(void **state)
{
	const size_t n = DOCKER_TREE_MAX_VALUES * 2 + 10;
	AUTO(fd_freep) char *text = fd_xcalloc(1, n);
	struct docker_container **list = NULL;
	struct err err = { 0 };
	uint32_t count, skipped;

	(void)state;
	for (size_t i = 0; i < n; i++)
		text[i] = i % 2 ? ',' : '0';
	text[0] = '[';
	text[n - 1] = ']';
	assert_int_equal(docker_json_list(text, n, &list, &count, &skipped, &err), -E2BIG);
}

/* Each of these must cost only itself. */
static void test_odd_values(void **state)
{
	static const char id[] = "0123456789abcdef";
	static const struct {
		const char *member, *fields, *want;
	} rows[] = {
		{ "\"State\":{\"Pid\":-5}", "pid", "pid=-" },
		{ "\"State\":{\"Pid\":1e999}", "pid", "pid=-" },
		{ "\"State\":{\"Pid\":4194305}", "pid", "pid=-" },
		{ "\"State\":{\"Pid\":\"12\"}", "pid", "pid=-" },
		{ "\"State\":{\"Pid\":0}", "pid", "pid=-" },
		{ "\"State\":7", "state pid", "state=- pid=-" },
		{ "\"State\":{\"Status\":\"dancing\"}", "state", "state=-" },
		{ "\"State\":{\"Status\":\"exited\",\"ExitCode\":-1}", "exit_code", "exit_code=-1" },
		{ "\"State\":{\"Status\":\"exited\",\"ExitCode\":1e300}", "exit_code", "exit_code=-" },
		{ "\"State\":{\"StartedAt\":\"0001-01-01T00:00:00Z\"}", "started_at", "started_at=-" },
		{ "\"State\":{\"Health\":{\"Status\":\"none\"}}", "health", "health=-" },
		{ "\"State\":{\"Error\":\"no such file\"}", "problem", "problem=no such file" },
		{ "\"Name\":7", "name", "name=-" },
		{ "\"Name\":\"/x\\u001b[2J\\nboo\"", "name", "name=x^[[2J^Jboo" },
		{ "\"Path\":\"sh\",\"Args\":[\"-c\",\"a b\",7,null]", "command", "command=sh -c 'a b'" },
		{ "\"NetworkSettings\":{\"Networks\":[1,{}]}", "networks", "networks=" },
		{ "\"NetworkSettings\":{\"Networks\":{\"n\":{\"IPAddress\":\"1.2.3.999\"}}}", "networks addresses", "networks=n addresses=" },
		{ "\"NetworkSettings\":{\"Ports\":{\"80\":null,\"x/tcp\":null,\"99999/tcp\":null,\"/\":null,\"81/tcp\":null}}", "ports", "ports=81" },
		{ "\"NetworkSettings\":{\"Ports\":{\"80/tcp\":[{\"HostIp\":\"\",\"HostPort\":\"8080\"}]}}", "ports", "ports=8080>80" },
		{ "\"NetworkSettings\":{\"Ports\":{\"80/tcp\":[{\"HostIp\":\"?\",\"HostPort\":\"808080\"}]}}", "ports", "ports=80" },
		{ "\"HostConfig\":{\"A\":{\"B\":[{},{\"C\":\"}\"}]},\"NetworkMode\":\"host\",\"Z\":[1,2]},\"Name\":\"/x\"", "name network_mode",
			"name=x network_mode=host" },
		{ " \"X\" : [ \"\\\"Name\\\":\" ] ,\n \"Name\" : \"/x\" , \"Y\" : { } ", "name", "name=x" },
		{ "\"Config\":{},\"Mounts\":[{\"Name\":\"/y\"},{}],\"Name\":\"/x\"", "name", "name=x" },
		{ "\"Mounts\":[],\"Config\":{\"Env\":[],\"Hostname\":\"h\",\"Cmd\":null,\"Image\":\"i\"},\"A\":1", "hostname image",
			"hostname=h image=i" },
		{ "\"RestartCount\":1.5e15", "restarts", "restarts=-" },
		{ "\"Config\":{\"Labels\":{\"com.docker.compose.project\":\"shop\"}}", "project", "project=shop" },
		{ "\"Config\":{\"Labels\":[\"com.docker.compose.project\"]}", "project", "project=-" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO(block_unrefp) struct block *b = NULL;
		struct docker_model m = { 0 };
		struct docker_container *c = NULL;
		struct err err = { 0 };
		char text[600], got[300];

		snprintf(text, sizeof text, "{\"Id\":\"%s\",%s}", id, rows[i].member);
		assert_int_equal(docker_json_inspect(text, strlen(text), &c, &err), 0);
		docker_model_put(&m, c);
		b = targets_of(&m, &docker);
		describe(b, &target_row_type, block_row(b, 0), rows[i].fields, got, sizeof got);
		assert_string_equal(got, rows[i].want);
		docker_model_done(&m);
	}
}

/* One container with labels of 10 MB must not cost the list. */
static void test_giant_label(void **state)
{
	static const char head[] = "[{\"Id\":\"0123456789ab\",\"Names\":[\"/a\"],\"Labels\":{\"x\":\"";
	static const char tail[] = "\",\"com.docker.compose.project\":\"shop\"}},{\"Id\":\"0123456789ac\",\"Mounts\":[{}],\"Names\":[\"/b\"]}]";
	const size_t filler = 10 << 20, n = sizeof head - 1 + filler + sizeof tail - 1;
	AUTO(fd_freep) char *text = fd_xcalloc(1, n + 1);
	AUTO(fd_freep) struct docker_container **list = NULL;
	AUTO(block_unrefp) struct block *b = NULL;
	struct docker_model m = { 0 };
	struct err err = { 0 };
	uint32_t count = 0, skipped = 0;
	char got[200];

	(void)state;
	memset(text, 'x', n);
	memcpy(text, head, sizeof head - 1);
	memcpy(text + sizeof head - 1 + filler, tail, sizeof tail - 1);
	assert_int_equal(docker_json_list(text, n, &list, &count, &skipped, &err), 0);
	assert_int_equal(count, 2);
	docker_model_merge_list(&m, list, count);
	b = targets_of(&m, &docker);
	describe(b, &target_row_type, block_row(b, 0), "name project", got, sizeof got);
	assert_string_equal(got, "name=a project=shop");
	describe(b, &target_row_type, block_row(b, 1), "name project", got, sizeof got);
	assert_string_equal(got, "name=b project=-");
	docker_model_done(&m);
}

static void test_bad_ids(void **state)
{
	static const char *const ids[] = { "7", "\"\"", "\"0123456789a\"", "\"0123456789AB\"", "\"../../../etc/pas\"",
		"\"01234567890123456789012345678901234567890123456789012345678901234\"" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
		struct docker_container *c = NULL;
		struct err err = { 0 };
		char text[200];

		snprintf(text, sizeof text, "{\"Id\":%s}", ids[i]);
		assert_int_equal(docker_json_inspect(text, strlen(text), &c, &err), -EBADMSG);
	}
}

/* --- small ones --- */

static void test_times(void **state)
{
	static const struct {
		const char *text;
		int64_t ns;
	} rows[] = {
		{ "2026-11-22T14:51:11.809234596Z", 1795359071809234596 },
		{ "2026-11-22T14:51:11Z", 1795359071000000000 },
		{ "2026-11-22T14:51:11.5Z", 1795359071500000000 },
		{ "2026-11-22T15:51:11+01:00", 1795359071000000000 },
		{ "2026-11-22T12:21:11.000000001-02:30", 1795359071000000001 },
		{ "2026-11-22T14:51:11.80923459612345Z", 1795359071809234596 },
		{ "0001-01-01T00:00:00Z", ROW_NO_INT },
		{ "2026-11-22T14:51:11", ROW_NO_INT },
		{ "2026-13-22T14:51:11Z", ROW_NO_INT },
		{ "2026-11-22 14:51:11Z", ROW_NO_INT },
		{ "2026-11-22T14:51:11Zx", ROW_NO_INT },
		{ "2026-11-22T14:51:11+1", ROW_NO_INT },
		{ "", ROW_NO_INT },
		{ NULL, ROW_NO_INT },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_true(docker_json_time(rows[i].text) == rows[i].ns);
}

static void test_events(void **state)
{
#define ID "7433bd7ed0aae9dc9464b4e195b33649c5f47de52e0a576e90f3b3bad5bd0610"
	static const struct {
		const char *text;
		int code;
		const char *action, *container;
		bool is_network;
	} rows[] = {
		{ "{\"Type\":\"container\",\"Action\":\"die\",\"Actor\":{\"ID\":\"" ID "\"}}", 0, "die", "", false },
		{ "{\"Type\":\"container\",\"Action\":\"health_status: healthy\",\"Actor\":{\"ID\":\"" ID "\"}}", 0, "health_status", "", false },
		{ "{\"Type\":\"container\",\"Action\":\"exec_create: /bin/sh -c 'test -e /tmp/a/very/long/path'\",\"Actor\":{\"ID\":\"" ID "\"}}",
			0, "exec_create", "", false },
		{ "{\"Type\":\"network\",\"Action\":\"connect\",\"Actor\":{\"ID\":\"" ID "\",\"Attributes\":{\"container\":\"" ID "\"}}}", 0,
			"connect", ID, true },
		{ "{\"Type\":\"network\",\"Action\":\"connect\",\"Actor\":{\"ID\":\"n1\"}}", 0, "connect", "", true },
		{ "{\"Type\":\"image\",\"Action\":\"pull\",\"Actor\":{\"ID\":\"bb:1\"}}", -ENOMSG, "", "", false },
		{ "{\"Type\":\"container\",\"Action\":\"die\",\"Actor\":{\"ID\":\"x\"}}", -EBADMSG, "", "", false },
		{ "{\"Type\":\"container\",\"Action\":\"die\"}", -EBADMSG, "", "", false },
		{ "{\"Action\":7}", -EBADMSG, "", "", false },
		{ "[]", -EBADMSG, "", "", false },
		{ "{]", -EBADMSG, "", "", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct docker_event e = { 0 };
		struct err err = { 0 };

		assert_int_equal(docker_json_event(rows[i].text, strlen(rows[i].text), &e, &err), rows[i].code);
		assert_string_equal(e.action, rows[i].action);
		assert_string_equal(e.container, rows[i].container);
		assert_int_equal(e.is_network, rows[i].is_network);
	}
}

static void test_messages(void **state)
{
	static const struct {
		const char *body, *want;
	} rows[] = {
		{ "{\"message\":\"client is too old\"}", "client is too old" },
		{ "{\"cause\":\"x\",\"message\":\"from podman\",\"response\":404}", "from podman" },
		{ "client version 1.10 is too old\nupgrade", "client version 1.10 is too old" },
		{ "{\"message\":7}", "{\"message\":7}" },
		{ "", "" },
	};
	char buf[64];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		docker_json_message(rows[i].body, strlen(rows[i].body), buf, sizeof buf);
		assert_string_equal(buf, rows[i].want);
	}
	docker_json_message(NULL, 0, buf, sizeof buf);
	assert_string_equal(buf, "");
}

static void test_set(void **state)
{
	struct docker_model m = { 0 };
	char id[DOCKER_ID + 1] = "000000000000";

	(void)state;
	for (unsigned i = 0; i < 500; i++) { /* in no order */
		struct docker_container *c = docker_model_container_new();

		snprintf(c->id, sizeof c->id, "%012x", i * 7919 % 500);
		docker_model_put(&m, c);
	}
	assert_int_equal(m.n_containers, 500);
	for (unsigned i = 0; i < 500; i += 2) {
		snprintf(id, sizeof id, "%012x", i);
		assert_non_null(docker_model_find(&m, id));
		docker_model_remove(&m, id);
		assert_null(docker_model_find(&m, id));
	}
	assert_int_equal(m.n_containers, 250);
	docker_model_remove(&m, "000000000000");
	assert_int_equal(m.n_containers, 250);
	docker_model_done(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_inspect),
		cmocka_unit_test(test_list),
		cmocka_unit_test(test_list_keeps_details),
		cmocka_unit_test(test_podman),
		cmocka_unit_test(test_networks),
		cmocka_unit_test(test_unknown_network),
		cmocka_unit_test(test_stale),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_too_many_values),
		cmocka_unit_test(test_odd_values),
		cmocka_unit_test(test_giant_label),
		cmocka_unit_test(test_bad_ids),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_events),
		cmocka_unit_test(test_messages),
		cmocka_unit_test(test_set),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
