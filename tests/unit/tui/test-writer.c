/* Rows to every output form, compared byte by byte; hostile text; what happens when the reader leaves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above */
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/err.h"
#include "core/fd.h"
#include "core/loop.h"
#include "core/table.h"
#include "tui/writer.h"

struct part {
	struct row_head head;
	uint64_t port;
	struct str name;
};

static const struct field part_fields[] = {
	{ ROW_FIELD(struct part, port, UINT), .unit = UNIT_ID },
	{ ROW_FIELD(struct part, name, TEXT) },
};
static const struct row_type part_type = { .name = "part", .noun = "parts", .id = 1, .size = sizeof(struct part),
	.fields = part_fields, .n_fields = ARRAY_LEN(part_fields) };

struct item {
	struct row_head head;
	struct str name;
	struct str tags;
	uint64_t bytes;
	int64_t code;
	double load;
	uint8_t guest;
	struct addr address;
	int64_t started_at;
	uint32_t state;
	struct rows parts;
	struct str secret;
};

static size_t format_both(const struct block *b, const void *row, char *buf, size_t cap)
{
	(void)b;
	return (size_t)snprintf(buf, cap, "<%u>", ((const struct item *)row)->state);
}

static const char *const states[] = { "up", "down" };
static const struct field fields[] = {
	{ ROW_FIELD(struct item, name, TEXT), .title = "NAME" },
	{ ROW_FIELD(struct item, tags, LIST), .title = "TAGS" },
	{ ROW_FIELD(struct item, bytes, UINT), .title = "SIZE", .unit = UNIT_BYTES, .flags = FIELD_RIGHT },
	{ ROW_FIELD(struct item, code, INT), .title = "CODE", .flags = FIELD_WIDE },
	{ ROW_FIELD(struct item, load, REAL), .title = "LOAD", .unit = UNIT_PERCENT, .flags = FIELD_RIGHT },
	{ ROW_FIELD(struct item, guest, BOOL), .title = "GUEST" },
	{ ROW_FIELD(struct item, address, ADDR), .title = "ADDRESS" },
	{ ROW_FIELD(struct item, started_at, TIME), .title = "STARTED", .flags = FIELD_HIDDEN },
	{ ROW_FIELD(struct item, state, ENUM), .title = "STATE", .names = states, .n_names = 2, .flags = FIELD_HIDDEN },
	{ ROW_FIELD(struct item, parts, ROWS), .title = "PARTS", .sub = &part_type, .flags = FIELD_HIDDEN },
	{ ROW_FIELD(struct item, secret, TEXT), .title = "SECRET", .flags = FIELD_HIDDEN },
	{ .name = "both", .title = "BOTH", .kind = FIELD_TEXT, .flags = FIELD_SCREEN, .format = format_both },
};
static const struct row_type type = { .name = "item", .noun = "items", .id = 2, .schema = 1, .size = sizeof(struct item),
	.fields = fields, .n_fields = ARRAY_LEN(fields) };

/* One full row, one that knows nothing. */
static struct block *rows(void)
{
	struct builder *b = builder_new(&type);
	struct part parts[2] = { { .port = 80, .name = builder_str(b, "http") }, { .port = ROW_NO_UINT, .name = ROW_NO_TEXT } };
	struct item *it = builder_row(b);
	struct block *ret;

	*it = (struct item){ .name = builder_str(b, "a\"b\033[2Jc,d"), .tags = ROW_NO_TEXT, .bytes = 1536, .code = -9, .load = 12.25,
		.guest = 1, .started_at = 1700000000123456000, .state = 1, .secret = builder_text(b, "\xff\x00", 2) };
	addr_parse("10.0.0.1/24", &it->address);
	builder_list_add(b, &it->tags, "one", 3);
	builder_list_add(b, &it->tags, "t\xe2\x80\xaewo", 6);
	it->parts = builder_rows(b, &part_type, parts, 2);
	it = builder_row(b);
	*it = (struct item){ .name = ROW_NO_TEXT, .tags = ROW_NO_TEXT, .bytes = ROW_NO_UINT, .code = ROW_NO_INT, .load = NAN,
		.guest = ROW_NO_BOOL, .started_at = ROW_NO_INT, .state = ROW_NO_ENUM, .secret = ROW_NO_TEXT };
	ret = builder_block(b);
	builder_free(b);
	return ret;
}

static struct table *table_of(struct block *b)
{
	struct table *t = table_new(block_type(b));

	table_set_block(t, b);
	return t;
}

/* Writes all rows and returns the text, to be freed. */
static char *written(const struct writer_options *o, struct block *b, const struct writer_error *errors, size_t n)
{
	int fd = memfd_create("out", MFD_CLOEXEC);
	struct table *t = table_of(b);
	struct writer *w = NULL;
	off_t len;
	char *text;

	assert_int_equal(writer_new(o, block_type(b), fd, &w, NULL), 0);
	writer_head(w, 1700000000000000001, "ho\"st", NULL, NULL);
	writer_rows(w, t);
	assert_int_equal(writer_end(w, errors, n), 0);
	writer_free(w);
	table_free(t);
	len = lseek(fd, 0, SEEK_END);
	text = fd_xcalloc(1, (size_t)len + 1);
	assert_int_equal(pread(fd, text, (size_t)len, 0), len);
	close(fd);
	return text;
}

static void expect(const struct writer_options *o, const char *want)
{
	AUTO(block_unrefp) struct block *b = rows();
	AUTO(fd_freep) char *got = written(o, b, NULL, 0);

	assert_string_equal(got, want);
}

static void test_json(void **state)
{
	static const struct writer_error errors[] = { { EACCES, "it \"hurts\"" }, { 0, "so\nwhat" } };
	struct writer_options o = { .format = WRITER_JSON };
	AUTO(block_unrefp) struct block *b = rows();
	AUTO(fd_freep) char *got = written(&o, b, errors, 2);

	(void)state;
	assert_string_equal(got,
		"{\"schema\":\"nsdbg.item/1\",\"time\":\"2023-11-14T22:13:20.000000001Z\",\"host\":\"ho\\\"st\",\"target\":null,\"data\":["
		"{\"name\":\"a\\\"b\\u001b[2Jc,d\",\"tags\":[\"one\",\"t\\u202ewo\"],\"bytes\":1536,\"code\":-9,\"load\":12.25,\"guest\":true,"
		"\"address\":\"10.0.0.1/24\",\"started_at\":\"2023-11-14T22:13:20.123456Z\",\"state\":\"down\","
		"\"parts\":[{\"port\":80,\"name\":\"http\"},{\"port\":null,\"name\":null}],\"secret\":\"\xef\xbf\xbd\\u0000\"},"
		"{\"name\":null,\"tags\":null,\"bytes\":null,\"code\":null,\"load\":null,\"guest\":null,\"address\":null,"
		"\"started_at\":null,\"state\":null,\"parts\":[],\"secret\":null}],"
		"\"errors\":[{\"code\":\"EACCES\",\"message\":\"it \\\"hurts\\\"\"},{\"code\":null,\"message\":\"so\\nwhat\"}]}\n");
}

static void test_ndjson(void **state)
{
	(void)state;
	expect(&(struct writer_options){ .format = WRITER_NDJSON, .columns = "bytes,name" },
		"{\"bytes\":1536,\"name\":\"a\\\"b\\u001b[2Jc,d\"}\n{\"bytes\":null,\"name\":null}\n");
}

static void test_csv(void **state)
{
	(void)state;
	expect(&(struct writer_options){ .format = WRITER_CSV, .columns = "name,bytes,load,state,parts,started_at", .charset = TEXT_UTF8 },
		"name,bytes,load,state,parts,started_at\n"
		"\"a\"\"b^[[2Jc,d\",1536,12.25,down,2,\"2023-11-14T22:13:20.123456Z\"\n"
		",,,,0,\n");
}

static void test_table(void **state)
{
	(void)state;
	expect(&(struct writer_options){ .format = WRITER_TABLE, .charset = TEXT_UTF8 },
		"NAME         TAGS             SIZE  LOAD  GUEST  ADDRESS      BOTH\n"
		"a\"b^[[2Jc,d  one,t<U+202E>wo  1.5K  12.2  yes    10.0.0.1/24  <1>\n"
		"-            -                   -     -  -      -            <4294967295>\n");
}

static void test_columns(void **state)
{
	(void)state;
	expect(&(struct writer_options){ .format = WRITER_TABLE, .columns = "CODE,size,address", .charset = TEXT_UTF8 },
		"CODE  SIZE  ADDRESS\n-9    1.5K  10.0.0.1/24\n-        -  -\n");
	expect(&(struct writer_options){ .format = WRITER_TABLE, .columns = "code,bytes", .no_header = true, .raw_numbers = true },
		"-9  1536\n-      -\n");
}

static void test_record(void **state)
{
	AUTO(block_unrefp) struct block *b = rows();
	AUTO(fd_freep) char *got = written(&(struct writer_options){ .format = WRITER_RECORD, .utc = true }, b, NULL, 0);

	(void)state;
	assert_non_null(strstr(got, "code        -9\n"));
	assert_non_null(strstr(got, "parts\n  port  80\n  name  http\n"));
	assert_null(strstr(got, "\033"));
}

static void test_wrong_columns(void **state)
{
	static const struct {
		enum writer_format format;
		const char *columns;
		const char *says;
	} wrong[] = {
		{ WRITER_TABLE, "name,nope", "no column \"nope\" in items" },
		{ WRITER_JSON, "both", "only in tables" },
		{ WRITER_TABLE, ",,", "names no column" },
		{ WRITER_TABLE, "", "names no column" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		struct writer_options o = { .format = wrong[i].format, .columns = wrong[i].columns };
		struct writer *w = NULL;
		struct err err = { 0 };

		assert_int_equal(writer_new(&o, &type, 1, &w, &err), -EINVAL);
		assert_non_null(strstr(err.msg, wrong[i].says));
		assert_null(w);
	}
	writer_free(NULL);
}

/* Long texts, many rows, nothing lost at the buffer's edges, and one long cell pads no others. */
static void test_big(void **state)
{
	struct builder *b = builder_new(&type);
	AUTO(fd_freep) char *text = fd_xcalloc(1, 300001), *got = NULL;
	AUTO(block_unrefp) struct block *block = NULL;
	struct item *it;

	(void)state;
	memset(text, '\x01', 300000);
	it = builder_row(b);
	it->name = builder_str(b, text);
	for (int i = 0; i < 20000; i++) {
		it = builder_row(b);
		it->name = builder_str(b, "0123456789");
	}
	block = builder_block(b);
	builder_free(b);
	got = written(&(struct writer_options){ .format = WRITER_NDJSON, .columns = "name" }, block, NULL, 0);
	assert_int_equal(strlen(got), 300000 * 6 + strlen("{\"name\":\"\"}\n") + 20000 * strlen("{\"name\":\"0123456789\"}\n"));
	free(got);
	got = written(&(struct writer_options){ .format = WRITER_TABLE, .columns = "name,bytes", .no_header = true }, block, NULL, 0);
	assert_int_equal(strlen(got), 600000 + 4 + (size_t)20000 * (120 + 4));
}

static void test_reader_left(void **state)
{
	AUTO(block_unrefp) struct block *b = rows();
	struct table *t = table_of(b);
	struct writer *w = NULL;
	int p[2];

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(pipe(p), 0);
	close(p[0]);
	assert_int_equal(writer_new(&(struct writer_options){ .format = WRITER_TABLE, .stream = true }, &type, p[1], &w, NULL), 0);
	writer_rows(w, t);
	assert_int_equal(writer_failed(w), -EPIPE);
	assert_int_equal(writer_end(w, NULL, 0), -EPIPE);
	writer_free(w);
	table_free(t);
	close(p[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_ndjson),
		cmocka_unit_test(test_csv),
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_columns),
		cmocka_unit_test(test_record),
		cmocka_unit_test(test_wrong_columns),
		cmocka_unit_test(test_big),
		cmocka_unit_test(test_reader_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
