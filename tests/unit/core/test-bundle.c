/* Names from files beside containers: what each kind of file tells, what is not believed, and what the list makes of it. */
#include "core/engine/bundle.h"

#include "core/block.h"
#include "core/err.h"
#include "core/fd.h"
#include "core/source/namespaces.h"
#include "core/target.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

typedef int (*read_fn)(const char *p, size_t n, struct bundle_facts *f, struct err *err);

static void test_files(void **state)
{
	static const struct {
		read_fn read;
		const char *json;
		int ret;
		const char *name, *space, *pod, *image, *files;
		uint8_t infra;
	} rows[] = {
		{ bundle_config_read, "{\"annotations\":{\"io.kubernetes.cri.container-type\":\"container\",\"io.kubernetes.cri.container-name\":\"httpd\","
			"\"io.kubernetes.cri.sandbox-name\":\"shop\",\"io.kubernetes.cri.sandbox-namespace\":\"prod\","
			"\"io.kubernetes.cri.image-name\":\"bb:1\"}}", 0, "httpd", "prod", "shop", "bb:1", "", 0 },
		{ bundle_config_read, "{\"annotations\":{\"io.kubernetes.cri.container-type\":\"sandbox\",\"io.kubernetes.cri.sandbox-name\":\"shop\"}}",
			0, "shop", "", "shop", "", "", 1 },
		{ bundle_config_read, "{\"annotations\":{\"io.kubernetes.cri-o.ContainerType\":\"sandbox\",\"io.kubernetes.container.name\":\"POD\","
			"\"io.kubernetes.pod.name\":\"shop\",\"io.kubernetes.pod.namespace\":\"prod\"}}", 0, "shop", "prod", "shop", "", "", 1 },
		{ bundle_config_read, "{\"annotations\":{\"nerdctl/name\":\"n1\",\"nerdctl/namespace\":\"default\"}}", 0, "n1", "default", "", "", "",
			ROW_NO_BOOL },
		{ bundle_config_read, "{\"mounts\":[{\"destination\":\"/data\",\"source\":\"/x/containers/y/hosts\"},"
			"{\"destination\":\"/etc/hosts\",\"source\":\"/mnt/containers/d/containers/" ID "/hosts\"}]}", 0, "", "", "", "",
			"/mnt/containers/d/containers", ROW_NO_BOOL },
		{ bundle_config_read, "{\"annotations\":{\"nerdctl/name\":7},\"mounts\":{\"destination\":1}}", 0, "", "", "", "", "", ROW_NO_BOOL },
		{ bundle_config_read, "[1]", -EBADMSG, "", "", "", "", "", ROW_NO_BOOL },
		{ bundle_docker_read, "{\"Name\":\"/web\",\"Config\":{\"Image\":\"bb:1\"},\"RestartCount\":2}", 0, "web", "", "", "bb:1", "", ROW_NO_BOOL },
		{ bundle_docker_read, "{\"Config\":{}}", -EBADMSG, "", "", "", "", "", ROW_NO_BOOL },
		{ bundle_state_read, "{\"config\":{\"labels\":[\"nerdctl/name=n2\",\"bundle=/b\",\"odd\",5]}}", 0, "n2", "", "", "", "", ROW_NO_BOOL },
		{ bundle_daemon_read, "{\"data-root\":\"/srv/docker\"}", 0, "", "", "", "", "/srv/docker/containers", ROW_NO_BOOL },
		{ bundle_daemon_read, "{\"data-root\":\"relative\"}", 0, "", "", "", "", "", ROW_NO_BOOL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct bundle_facts f;
		struct err err = { 0 };
		int r;

		bundle_facts_init(&f);
		r = rows[i].read(rows[i].json, strlen(rows[i].json), &f, &err);
		if (r != rows[i].ret)
			fail_msg("row %zu: %d %s", i, r, err.msg);
		assert_string_equal(f.name, rows[i].name);
		assert_string_equal(f.space, rows[i].space);
		assert_string_equal(f.pod, rows[i].pod);
		assert_string_equal(f.image, rows[i].image);
		assert_string_equal(f.files, rows[i].files);
		assert_int_equal(f.infra, rows[i].infra);
	}
}

static void test_storage(void **state)
{
	static const char json[] = "[{\"id\":\"other\",\"names\":[\"no\"]},{\"id\":\"" ID "\",\"names\":[\"pweb\"],"
		"\"metadata\":\"{\\\"image-name\\\":\\\"docker.io/library/bb:1\\\",\\\"name\\\":\\\"x\\\"}\"}]";
	struct bundle_facts f;
	struct err err = { 0 };

	(void)state;
	bundle_facts_init(&f);
	assert_int_equal(bundle_storage_read(json, sizeof json - 1, ID, &f, &err), 0);
	assert_string_equal(f.name, "pweb");
	assert_string_equal(f.image, "docker.io/library/bb:1");
	bundle_facts_init(&f);
	assert_int_equal(bundle_storage_read(json, sizeof json - 1, "absent", &f, &err), 0);
	assert_string_equal(f.name, "");
}

static struct block *scan_with(uint64_t pid, const char *id)
{
	struct builder *b = builder_new(namespaces_source.type);
	struct netns_row *n = builder_row(b);
	struct found_row f = { .pid = pid, .start = pid * 10, .owner = ROW_NO_UINT };
	struct block *ret;

	n->inode = n->head.id = 4001;
	n->pid = n->start = ROW_NO_UINT;
	n->leader = n->container = n->path = n->addresses = n->daemons = ROW_NO_TEXT;
	f.runtime = builder_str(b, "docker");
	f.id = builder_str(b, id);
	f.name = f.space = f.pod = f.address = ROW_NO_TEXT;
	n->containers = builder_rows(b, &found_row_type, &f, 1);
	ret = builder_block(b);
	builder_free(b);
	return ret;
}

static struct block *bundle_of(uint64_t pid, uint64_t start, const char *name)
{
	struct builder *b = builder_new(&bundle_row_type);
	struct bundle_row *r = builder_row(b);
	struct block *ret;

	*r = (struct bundle_row){ .pid = pid, .start = start, .infra = ROW_NO_BOOL, .attempt = ROW_NO_UINT, .restarts = ROW_NO_UINT,
		.created_at = ROW_NO_INT, .started_at = ROW_NO_INT };
	r->name = builder_str(b, name);
	r->image = r->hostname = r->project = r->space = r->pod = ROW_NO_TEXT;
	ret = builder_block(b);
	builder_free(b);
	return ret;
}

/* Only the same process counts: the number alone may be another's by now. */
static void test_merge(void **state)
{
	static const struct {
		uint64_t start;
		const char *name;
	} rows[] = { { 1000, "web" }, { 999, "0123456789ab" } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO(block_unrefp) struct block *scan = scan_with(100, ID);
		AUTO(block_unrefp) struct block *bundles = bundle_of(100, rows[i].start, "web");
		AUTO(block_unrefp) struct block *b = target_merge(NULL, 0, &(struct target_seen){ .netns = scan, .bundles = bundles });
		AUTO(fd_closep) int fd = bundle_list(b);

		assert_int_equal(block_count(b), 1);
		assert_true(text_equal(block_text(b, ((const struct target_row *)block_row(b, 0))->name), text_of(rows[i].name)));
		assert_true(fd >= 0 && bundle_list_hash(b) != 0);
	}
}

/* "web" of the engine that was asked is meant, not the one that another engine of its kind left in files. */
static void test_foreign(void **state)
{
	struct builder *eb = builder_new(&target_row_type);
	struct target_row *r = builder_row(eb);
	AUTO(block_unrefp) struct block *scan = scan_with(100, ID);
	AUTO(block_unrefp) struct block *bundles = bundle_of(100, 1000, "web");
	AUTO(block_unrefp) struct block *engine = NULL, *b = NULL;
	struct target_ref ref;
	struct err err = { 0 };
	uint32_t row = 99;

	(void)state;
	memset((char *)r + sizeof r->head, 0xff, sizeof *r - sizeof r->head);
	r->name = builder_str(eb, "web");
	r->id = builder_str(eb, "aaaa");
	r->runtime = builder_str(eb, "docker");
	r->state = TARGET_STATE_RUNNING;
	r->pid = 7;
	r->start = 70;
	r->as_of = ROW_NO_INT;
	r->ports = r->endpoints = r->holders = (struct rows){ 0 };
	engine = builder_block(eb);
	builder_free(eb);
	b = target_merge((const struct block *const[]){ engine }, 1, &(struct target_seen){ .netns = scan, .bundles = bundles });
	assert_int_equal(block_count(b), 2);
	assert_int_equal(target_resolve(b, "web", &row, &ref, &err), 0);
	assert_int_equal(ref.pid, 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_storage),
		cmocka_unit_test(test_merge),
		cmocka_unit_test(test_foreign),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
