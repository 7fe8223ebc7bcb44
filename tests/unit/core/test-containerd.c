/* Facts of containerd and CRI from answers made by hand: pods by labels when only containerd's own API answers, pids in verbose answers. */
#include "core/engine/containerd_facts.h"

#include "core/block.h"
#include "core/err.h"
#include "core/fd.h"
#include "core/target.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct bytes {
	unsigned char p[2048];
	size_t n;
};

static void put_bytes(struct bytes *b, unsigned field, const void *p, size_t n)
{
	b->p[b->n++] = (unsigned char)(field << 3 | 2);
	if (n > 127)
		b->p[b->n++] = (unsigned char)((n & 127) | 128);
	b->p[b->n++] = (unsigned char)(n > 127 ? n >> 7 : n);
	memcpy(b->p + b->n, p, n);
	b->n += n;
}

static void put_text(struct bytes *b, unsigned field, const char *text)
{
	put_bytes(b, field, text, strlen(text));
}

static void put_pair(struct bytes *b, unsigned field, const char *key, const char *value)
{
	struct bytes pair = { 0 };

	put_text(&pair, 1, key);
	put_text(&pair, 2, value);
	put_bytes(b, field, pair.p, pair.n);
}

static void take(struct containerd_facts *f, enum mover_kind kind, const char *space, const char *id, const struct bytes *message)
{
	unsigned char frame[5 + sizeof message->p] = { 0, 0, 0, (unsigned char)(message->n >> 8), (unsigned char)message->n };
	struct err err = { 0 };

	memcpy(frame + 5, message->p, message->n);
	if (containerd_facts_take(f, kind, space, id, frame, 5 + message->n, &err) < 0)
		fail_msg("%s", err.msg);
}

static void put_container(struct bytes *list, const char *id, const char *kind, const char *pod, const char *name)
{
	struct bytes c = { 0 };

	put_text(&c, 1, id);
	put_pair(&c, 2, "io.cri-containerd.kind", kind);
	put_pair(&c, 2, "io.kubernetes.pod.name", pod);
	put_pair(&c, 2, "io.kubernetes.pod.namespace", "prod");
	if (name)
		put_pair(&c, 2, "io.kubernetes.container.name", name);
	put_bytes(list, 1, c.p, c.n);
}

static struct block *rows_of(const struct containerd_facts *f)
{
	const struct docker_rows_stamp stamp = { .engine = "unix:///c.sock", .owner = ROW_NO_UINT, .as_of = ROW_NO_INT };
	struct builder *b = builder_new(&target_row_type);
	struct block *ret;

	containerd_facts_rows(f, &stamp, b);
	ret = builder_block(b);
	builder_free(b);
	return ret;
}

static void same(const struct block *b, struct str s, const char *expected)
{
	struct text t = block_text(b, s);

	if (!text_equal(t, text_of(expected)))
		fail_msg("%.*s instead of %s", (int)t.n, t.p ? t.p : "", expected);
}

static void test_labels(void **state)
{
	static const char *const names[] = { "shop", "httpd", "plain" };
	struct containerd_facts *f = containerd_facts_new();
	struct bytes spaces = { 0 }, space = { 0 }, list = { 0 }, plain = { 0 };
	AUTO(block_unrefp) struct block *b = NULL;

	(void)state;
	put_text(&space, 1, "k8s.io");
	put_bytes(&spaces, 1, space.p, space.n);
	take(f, MOVER_CTR_SPACES, "", "", &spaces);
	put_container(&list, "aaaa", "sandbox", "shop", NULL);
	put_container(&list, "bbbb", "container", "shop", "httpd");
	put_text(&plain, 1, "plain");
	put_bytes(&list, 1, plain.p, plain.n);
	take(f, MOVER_CTR_CONTAINERS, "k8s.io", "", &list);
	b = rows_of(f);
	assert_int_equal(block_count(b), 3);
	for (uint32_t i = 0; i < 3; i++) {
		const struct target_row *r = block_row(b, i);

		same(b, r->name, names[i]);
		same(b, r->runtime, i < 2 ? "cri" : "containerd");
		same(b, r->space, i < 2 ? "prod" : "k8s.io");
		same(b, r->pod, i < 2 ? "shop" : "");
		assert_int_equal(r->infra, i == 0 ? 1 : i == 1 ? 0 : ROW_NO_BOOL);
	}
	containerd_facts_free(f);
}

static void test_verbose(void **state)
{
	static const struct {
		const char *info;
		uint64_t pid;
	} rows[] = {
		{ "{\"pid\":77,\"sandboxID\":\"a\"}", 77 }, { "{\"pid\":0}", ROW_NO_UINT }, { "{\"pid\":\"77\"}", ROW_NO_UINT },
		{ "{\"pid\":1e300}", ROW_NO_UINT }, { "[", ROW_NO_UINT }, { "7", ROW_NO_UINT },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct containerd_facts *f = containerd_facts_new();
		struct bytes pods = { 0 }, pod = { 0 }, status = { 0 };
		AUTO(block_unrefp) struct block *b = NULL;

		put_text(&pod, 1, "aaaa");
		put_bytes(&pods, 1, pod.p, pod.n);
		take(f, MOVER_CRI_PODS, "", "", &pods);
		put_pair(&status, 2, "info", rows[i].info);
		take(f, MOVER_CRI_POD, "", "aaaa", &status);
		b = rows_of(f);
		assert_int_equal(block_count(b), 1);
		assert_int_equal(((const struct target_row *)block_row(b, 0))->pid, rows[i].pid);
		containerd_facts_free(f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_labels), cmocka_unit_test(test_verbose) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
