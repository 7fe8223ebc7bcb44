/* Snapshots: what is written is read; what points outside is refused; copies carry everything along. */
#include "core/err.h"
#include "tests/unit/core/sample.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

static struct builder *filled(uint32_t n)
{
	struct builder *b = builder_new(&sample_type);

	for (uint32_t i = 0; i < n; i++) {
		struct sample_row *r = sample_unknown(b);
		struct part_row part = { .n = i };
		char name[32];

		snprintf(name, sizeof name, "row-%u", i);
		r->head.id = i;
		r->name = builder_str(b, name);
		builder_list_add(b, &r->list, "x", 1);
		builder_list_add(b, &r->list, "", 0);
		builder_list_add(b, &r->list, "yz", 2);
		part.label = builder_str(b, "part");
		r->parts = builder_rows(b, &part_type, &part, 1);
	}
	return b;
}

static void check(const struct block *b, uint32_t n)
{
	assert_int_equal(block_count(b), n);
	for (uint32_t i = 0; i < n; i++) {
		const struct sample_row *r = block_row(b, i);
		const struct part_row *p = block_nested(b, &part_type, r->parts, 0);
		char name[32];
		struct text t;

		snprintf(name, sizeof name, "row-%u", i);
		assert_true(text_equal(block_text(b, r->name), text_of(name)));
		assert_true(block_list_item(b, r->list, 2, &t) && text_equal(t, text_of("yz")));
		assert_true(block_list_item(b, r->list, 1, &t) && t.n == 0);
		assert_false(block_list_item(b, r->list, 3, &t));
		assert_int_equal(p->n, i);
		assert_true(text_equal(block_text(b, p->label), text_of("part")));
		assert_null(block_nested(b, &part_type, r->parts, 1));
	}
	assert_null(block_row(b, n));
}

static void test_same(void **state)
{
	struct builder *x = filled(3), *y = filled(3);
	struct block *a = builder_block(x), *b, *c;

	(void)state;
	builder_cost(y, 7); /* when it was built, and how long that took, is not what it says */
	b = builder_block(y);
	assert_true(block_same(a, a) && block_same(a, b));
	assert_false(block_same(a, NULL) || block_same(NULL, a) || block_same(NULL, NULL));
	builder_note(y, 0, "something is missing");
	c = builder_block(y);
	assert_false(block_same(a, c));
	block_unref(c);
	((struct sample_row *)builder_at(x, 1))->head.id = 77;
	c = builder_block(x);
	assert_false(block_same(a, c));
	block_unref(a);
	block_unref(b);
	block_unref(c);
	builder_free(x);
	builder_free(y);
}

static void test_round_trip(void **state)
{
	static const uint32_t sizes[] = { 0, 1, 3, 5000 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		struct builder *b = filled(sizes[i]);
		AUTO(block_unrefp) struct block *mapped = NULL;
		struct err err = { 0 };
		int fd;

		builder_note(b, EACCES, "%d processes hidden", 7);
		assert_int_equal(builder_seal(b, &fd, &err), 0);
		assert_int_equal(block_map(fd, &sample_type, &mapped, &err), 0);
		check(mapped, sizes[i]);
		int code = 0;
		assert_true(text_equal(block_note(mapped, 0, &code), text_of("7 processes hidden")));
		assert_int_equal(code, EACCES);
		AUTO(block_unrefp) struct block *own = builder_block(b);
		check(own, sizes[i]);
		builder_free(b);
	}
}

static void test_copy_rows(void **state)
{
	struct builder *from = filled(20), *to = builder_new(&sample_type);
	AUTO(block_unrefp) struct block *b = builder_block(from);

	(void)state;
	for (uint32_t i = 0; i < 20; i++)
		builder_copy_row(to, b, block_row(b, i));
	AUTO(block_unrefp) struct block *copy = builder_block(to);

	check(copy, 20);
	builder_free(from);
	builder_free(to);
}

static size_t bytes_of(struct builder *b, unsigned char *buf, size_t cap)
{
	int fd;
	ssize_t n;

	assert_int_equal(builder_seal(b, &fd, NULL), 0);
	n = pread(fd, buf, cap, 0);
	close(fd);
	assert_true(n > 0 && (size_t)n < cap);
	return (size_t)n;
}

/* Each 32-bit word in turn made huge: accepted or refused, never read outside (the sanitizer build tells). */
static void test_wrong_words(void **state)
{
	static unsigned char good[16384], bad[16384];
	struct builder *b = filled(3);
	size_t n = bytes_of(b, good, sizeof good);
	unsigned refused = 0;

	(void)state;
	for (size_t at = 0; at + 4 <= n; at += 4) {
		AUTO(block_unrefp) struct block *block = NULL;
		const uint32_t huge = 0xfffffff0;

		memcpy(bad, good, n);
		memcpy(bad + at, &huge, 4);
		if (block_copy(bad, n, &sample_type, &block, NULL) < 0) {
			refused++;
			continue;
		}
		for (uint32_t i = 0; i < block_count(block); i++) {
			const struct sample_row *r = block_row(block, i);
			struct text t;

			block_text(block, r->name);
			for (uint32_t k = 0; block_list_item(block, r->list, k, &t); k++)
				;
		}
	}
	assert_true(refused > 10);
	for (size_t cut = 0; cut < n; cut += 3) {
		AUTO(block_unrefp) struct block *block = NULL;

		assert_true(block_copy(good, cut, &sample_type, &block, NULL) < 0);
	}
	builder_free(b);
}

static void test_unsealed_refused(void **state)
{
	AUTO(block_unrefp) struct block *b = NULL;
	int fd = memfd_create("t", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	struct err err = { 0 };

	(void)state;
	assert_int_equal(ftruncate(fd, 4096), 0);
	assert_int_equal(block_map(fd, &sample_type, &b, &err), -EBADMSG);
	assert_string_equal(err.msg, "snapshot is not sealed");
	assert_int_equal(fcntl(fd, F_GETFD), -1); /* closed in any case */
}

static void test_wrong_type(void **state)
{
	struct builder *b = filled(1);
	AUTO(block_unrefp) struct block *block = NULL;
	int fd;

	(void)state;
	assert_int_equal(builder_seal(b, &fd, NULL), 0);
	assert_int_equal(block_map(fd, &part_type, &block, NULL), -EBADMSG);
	builder_free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same),
		cmocka_unit_test(test_round_trip), cmocka_unit_test(test_copy_rows), cmocka_unit_test(test_wrong_words),
		cmocka_unit_test(test_unsealed_refused), cmocka_unit_test(test_wrong_type),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
