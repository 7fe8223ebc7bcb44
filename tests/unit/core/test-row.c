/* Values by their field table: text on the screen, order, unknown. */
#include "tests/unit/core/sample.h"

#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

static const struct row_look look = { .charset = TEXT_UTF8, .utc = true };
static const struct row_look raw = { .charset = TEXT_UTF8, .raw_numbers = true, .utc = true };

static struct block *one(void)
{
	struct builder *b = builder_new(&sample_type);
	struct sample_row *r = builder_row(b);
	struct part_row parts[2] = { 0 };
	struct block *ret;

	r->list = ROW_NO_TEXT;
	builder_list_add(b, &r->list, "one", 3);
	builder_list_add(b, &r->list, "t\033wo", 4);
	parts[0].label = builder_str(b, "p0");
	parts[1].label = ROW_NO_TEXT;
	r->parts = builder_rows(b, &part_type, parts, 2);
	r->name = builder_str(b, "na\nme");
	r->bytes = 220200960;
	r->port = 43012;
	r->delta = -5;
	r->percent = 12.04;
	assert_int_equal(addr_parse("172.18.0.5", &r->address), 0);
	r->time = 1000000000ll * 1700000000;
	r->rtt_us = 1234;
	r->age = 3 * 3600 + 60;
	r->state = 1;
	r->flag = 0;
	sample_unknown(b);
	ret = builder_block(b);
	builder_free(b);
	return ret;
}

static void test_format(void **state)
{
	static const struct {
		const char *field, *text, *digits;
	} t[] = {
		{ "name", "na^Jme", "na^Jme" }, { "list", "one,t^[wo", "one,t^[wo" }, { "bytes", "210M", "220200960" },
		{ "port", "43012", "43012" }, { "delta", "-5", "-5" }, { "percent", "12.0", "12.0" },
		{ "address", "172.18.0.5", "172.18.0.5" }, { "time", "2023-11-14 22:13:20Z", "2023-11-14 22:13:20Z" },
		{ "rtt_us", "1.2 ms", "1234" }, { "age", "3h", "10860" }, { "state", "down", "down" }, { "flag", "no", "no" },
		{ "parts", "2", "2" },
	};
	AUTO(block_unrefp) struct block *b = one();
	char buf[64];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		const struct field *f = row_field_find(&sample_type, t[i].field);

		row_format(b, f, block_row(b, 0), &look, buf, sizeof buf);
		assert_string_equal(buf, t[i].text);
		row_format(b, f, block_row(b, 0), &raw, buf, sizeof buf);
		assert_string_equal(buf, t[i].digits);
		if (f->kind == FIELD_ROWS)
			continue;
		assert_true(row_is_unknown(b, f, block_row(b, 1)));
		row_format(b, f, block_row(b, 1), &look, buf, sizeof buf);
		assert_string_equal(buf, "-");
	}
	assert_null(row_field_find(&sample_type, "nothing"));
}

/* A zero is a number; unknown is last in both columns of the comparison and has no number. */
static void test_order(void **state)
{
	AUTO(block_unrefp) struct block *b = one();
	const void *known = block_row(b, 0), *unknown = block_row(b, 1);

	(void)state;
	for (uint32_t i = 0; i < sample_type.n_fields; i++) {
		const struct field *f = &sample_type.fields[i];

		assert_int_equal(row_compare(b, f, known, known), 0);
		if (f->kind == FIELD_ROWS)
			continue;
		assert_int_equal(row_compare(b, f, known, unknown), -1);
		assert_int_equal(row_compare(b, f, unknown, known), 1);
		assert_true(isnan(row_number(f, unknown)));
	}
	assert_true(row_number(row_field_find(&sample_type, "port"), known) == 43012);
}

static void test_small_units(void **state)
{
	static const struct {
		uint64_t v;
		const char *bytes, *us, *seconds;
	} t[] = {
		{ 0, "0", "0 us", "0s" }, { 999, "999", "999 us", "16m" }, { 1000, "1.0K", "1.0 ms", "16m" },
		{ 1048576, "1.0M", "1.0 s", "12d" }, { 5000000, "4.8M", "5.0 s", "57d" }, { 60, "60", "60 us", "1m" },
	};
	struct builder *bu = builder_new(&sample_type);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct sample_row *r = sample_unknown(bu);

		r->bytes = r->rtt_us = r->age = t[i].v;
	}
	AUTO(block_unrefp) struct block *b = builder_block(bu);

	builder_free(bu);
	for (uint32_t i = 0; i < ARRAY_LEN(t); i++) {
		char buf[64];

		row_format(b, row_field_find(&sample_type, "bytes"), block_row(b, i), &look, buf, sizeof buf);
		assert_string_equal(buf, t[i].bytes);
		row_format(b, row_field_find(&sample_type, "rtt_us"), block_row(b, i), &look, buf, sizeof buf);
		assert_string_equal(buf, t[i].us);
		row_format(b, row_field_find(&sample_type, "age"), block_row(b, i), &look, buf, sizeof buf);
		assert_string_equal(buf, t[i].seconds);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_format), cmocka_unit_test(test_order),
		cmocka_unit_test(test_small_units) };

	setlocale(LC_ALL, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
