/* Filter words against rows: a table of words, and for each which of the rows pass. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above */
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "core/block.h"
#include "core/err.h"
#include "core/fd.h"
#include "core/filter.h"

struct part {
	struct row_head head;
	uint64_t pid;
	struct str process;
};

static const struct field part_fields[] = {
	{ ROW_FIELD(struct part, pid, UINT), .unit = UNIT_ID },
	{ ROW_FIELD(struct part, process, TEXT) },
};

static const struct row_type part_type = { .name = "part", .noun = "parts", .id = 1, .size = sizeof(struct part),
	.fields = part_fields, .n_fields = ARRAY_LEN(part_fields) };

struct item {
	struct row_head head;
	struct str name;
	struct str labels;
	uint32_t state;
	struct addr local_address;
	uint64_t local_port;
	uint64_t remote_port;
	uint64_t rss_bytes;
	uint64_t rtt_us;
	uint64_t timer_ms;
	double cpu_percent;
	int64_t exit_code;
	int64_t started_at;
	uint8_t guest;
	struct str secret;
	struct rows owners;
};

static size_t format_local(const struct block *b, const void *row, char *buf, size_t cap)
{
	const struct item *it = row;
	char text[ADDR_TEXT];

	(void)b;
	return (size_t)snprintf(buf, cap, "%s:%llu", addr_format(&it->local_address, text), (unsigned long long)it->local_port);
}

static const char *const states[] = { "listen", "estab", "close-wait" };

static const struct field fields[] = {
	{ ROW_FIELD(struct item, name, TEXT), .title = "NAME" },
	{ ROW_FIELD(struct item, labels, LIST), .title = "LABELS" },
	{ ROW_FIELD(struct item, state, ENUM), .title = "STATE", .names = states, .n_names = ARRAY_LEN(states) },
	{ ROW_FIELD(struct item, local_address, ADDR), .title = "LADDR" },
	{ ROW_FIELD(struct item, local_port, UINT), .title = "LPORT", .unit = UNIT_ID },
	{ ROW_FIELD(struct item, remote_port, UINT), .title = "RPORT", .unit = UNIT_ID },
	{ ROW_FIELD(struct item, rss_bytes, UINT), .title = "RSS", .unit = UNIT_BYTES },
	{ ROW_FIELD(struct item, rtt_us, UINT), .title = "RTT", .unit = UNIT_US },
	{ ROW_FIELD(struct item, timer_ms, UINT), .title = "TIMER" },
	{ ROW_FIELD(struct item, cpu_percent, REAL), .title = "CPU%", .unit = UNIT_PERCENT },
	{ ROW_FIELD(struct item, exit_code, INT), .title = "EXIT" },
	{ ROW_FIELD(struct item, started_at, TIME), .title = "STARTED" },
	{ ROW_FIELD(struct item, guest, BOOL), .title = "GUEST" },
	{ ROW_FIELD(struct item, secret, TEXT), .title = "SECRET", .flags = FIELD_HIDDEN },
	{ ROW_FIELD(struct item, owners, ROWS), .title = "OWNERS", .sub = &part_type },
	{ .name = "local", .title = "LOCAL", .kind = FIELD_TEXT, .flags = FIELD_SCREEN, .format = format_local },
};

static const struct row_type type = { .name = "item", .noun = "items", .id = 2, .size = sizeof(struct item),
	.fields = fields, .n_fields = ARRAY_LEN(fields) };

static struct addr addr_of(const char *text)
{
	struct addr a = { 0 };

	assert_int_equal(addr_parse(text, &a), 0);
	return a;
}

static void add_owner(struct builder *b, struct item *it, uint64_t pid, const char *process)
{
	struct part part = { .pid = pid, .process = builder_str(b, process) };

	it->owners = builder_rows(b, &part_type, &part, 1);
}

static int64_t now_ns(void)
{
	return (int64_t)time(NULL) * 1000000000;
}

/* Row 0 is full, row 1 differs in all, row 2 knows nothing. */
static struct block *rows(void)
{
	struct builder *b = builder_new(&type);
	struct item *it = builder_row(b);
	struct block *block;

	*it = (struct item){ .name = builder_str(b, "Web-01 front"), .labels = ROW_NO_TEXT, .state = 0,
		.local_address = addr_of("172.18.0.2"), .local_port = 80, .remote_port = 5432, .rss_bytes = 3 << 20,
		.rtt_us = 25000, .timer_ms = 1500, .cpu_percent = 12.5, .exit_code = -9,
		.started_at = now_ns() - 60000000000, .guest = 1, .secret = builder_str(b, "hunter2") };
	builder_list_add(b, &it->labels, "blue", 4);
	builder_list_add(b, &it->labels, "tier=one", 8);
	add_owner(b, it, 4242, "nginx");
	it = builder_row(b);
	*it = (struct item){ .name = builder_str(b, "db"), .labels = ROW_NO_TEXT, .state = 2,
		.local_address = addr_of("fe80::1"), .local_port = 8080, .remote_port = 80, .rss_bytes = 999,
		.rtt_us = 10, .timer_ms = 0, .cpu_percent = 0, .exit_code = 0, .started_at = now_ns() - 7200000000000,
		.secret = ROW_NO_TEXT };
	builder_list_add(b, &it->labels, "blues", 5);
	it = builder_row(b);
	*it = (struct item){ .name = ROW_NO_TEXT, .labels = ROW_NO_TEXT, .state = ROW_NO_ENUM, .local_port = ROW_NO_UINT,
		.remote_port = ROW_NO_UINT, .rss_bytes = ROW_NO_UINT, .rtt_us = ROW_NO_UINT, .timer_ms = ROW_NO_UINT,
		.cpu_percent = NAN, .exit_code = ROW_NO_INT, .started_at = ROW_NO_INT, .guest = ROW_NO_BOOL,
		.secret = ROW_NO_TEXT };
	block = builder_block(b);
	builder_free(b);
	return block;
}

static const struct {
	const char *words;
	const char *pass; /* a letter a row: x passes */
} cases[] = {
	{ "", "xxx" },
	{ "   ", "xxx" },
	{ "web", "x.." },
	{ "WEB", "x.." },
	{ "-web", ".xx" },
	{ "web -blue", "..." },
	{ "\"-01 f\"", "x.." },
	{ "\"01 f\"", "x.." },
	{ "blue", "xx." },
	{ "estab", "..." },
	{ "wait", ".x." },
	{ "172.18", "x.." },
	{ "172.18.0.2:80", "x.." },
	{ "fe80::1", ".x." },
	{ "fe80:", ".x." },
	{ "nginx", "x.." },
	{ "4242", "x.." },
	{ "hunter2", "..." }, /* hidden columns only by name */
	{ "secret:hunter", "x.." },
	{ "name:web,db", "xx." },
	{ "name:\"1 fr\"", "x.." },
	{ "name=db", ".x." },
	{ "name=d", "..." },
	{ "name!=db", "x.x" },
	{ "-name=db", "x.x" },
	{ "name=-", "..x" },
	{ "NAME:db", ".x." },
	{ "na:db", ".x." },
	{ "labels=blue", "x.." },
	{ "labels=tier=one", "x.." },
	{ "state:close-wait", ".x." },
	{ "state:listen,close", "xx." },
	{ "port:80", "xx." }, /* local or remote, the whole number */
	{ "lport:80", "x.." },
	{ "lport:8080,1", ".x." },
	{ "remote_port=80", ".x." },
	{ "-port:80", "..x" },
	{ "local:0.2:80", "x.." },
	{ "rss>1M", "x.." },
	{ "rss>=3M", "x.." },
	{ "rss>3M", "..." },
	{ "rss<1k", ".x." },
	{ "rss<1.5MiB", ".x." },
	{ "rtt>20ms", "x.." },
	{ "rtt<=10us", ".x." },
	{ "rtt>0.02s", "x.." },
	{ "timer>1s", "x.." },
	{ "timer>1499", "x.." },
	{ "cpu>12", "x.." },
	{ "cpu%>12.4%", "x.." },
	{ "exit<0", "x.." },
	{ "exit>-10 exit<=-9", "x.." },
	{ "exit=-9", "x.." },
	{ "started<5m", "x.." },
	{ "started>1h", ".x." },
	{ "guest:yes", "x.." },
	{ "guest=no", ".x." },
	{ "owners:ngin", "x.." },
	{ "owners>0", "x.." },
	{ "local_address=172.18.0.2", "x.." },
	{ "laddr:18.0", "x.." },
	{ "/^web-[0-9]+/", "x.." },
	{ "/d.$/", ".x." },
	{ "-/web/", ".xx" },
	{ "/web.*front/ blue", "x.." },
	{ "/no/such/path", "..." },
	{ "yes", "..." },
};

static void test_match(void **state)
{
	AUTO(block_unrefp) struct block *b = rows();
	struct row_look look = { .charset = TEXT_UTF8 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct filter *f = NULL;
		struct err err = { 0 };
		char pass[4] = "";

		if (filter_parse(&type, cases[i].words, &f, NULL, &err) != 0)
			fail_msg("%s: %s", cases[i].words, err.msg);
		for (uint32_t k = 0; k < 3; k++)
			pass[k] = filter_match(f, b, block_row(b, k), k == 1 ? NULL : &look) ? 'x' : '.';
		if (strcmp(pass, cases[i].pass) != 0)
			fail_msg("%s: %s, not %s", cases[i].words, pass, cases[i].pass);
		filter_free(f);
	}
}

static const struct {
	const char *words;
	size_t column;
	const char *says;
} wrong[] = {
	{ "web nosuch:1", 4, "no column \"nosuch\" in items" },
	{ "l>1", 0, "could be" },
	{ "name>1", 0, "not a number: use" },
	{ "rss>much", 0, "\"much\" is not a number" },
	{ "rss>1x", 0, "is not a number" },
	{ "rtt>1K", 0, "is not a number" },
	{ "rss>", 0, "is not a number" },
	{ "name:", 0, "nothing after" },
	{ "ok name:,", 3, "nothing after" },
	{ "\"open", 0, "quote" },
	{ "\"\"", 0, "empty word" },
	{ "/(/", 0, "regular expression" },
	{ "/(a)\\1/", 0, "too complex" },
	{ "/a{200}{200}/", 0, "too complex" },
	{ "/a{9999}/", 0, "too complex" },
	{ "/^5****************************************/", 0, "too complex" }, /* regcomp(3) would take hours */
	{ "/^5+++++++++++++++++++++++++/", 0, "too complex" },
	{ "/^5*?*?*?*?*?*?*?*?*?*?*?*?*?*?*?*?*?/", 0, "too complex" },
	{ "web:80", 0, "no column \"web\"" },
};

static void test_wrong(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		struct filter *f = NULL;
		struct err err = { 0 };
		size_t column = 999;

		if (filter_parse(&type, wrong[i].words, &f, &column, &err) != -22)
			fail_msg("%s passes", wrong[i].words);
		if (!strstr(err.msg, wrong[i].says) || column != wrong[i].column)
			fail_msg("%s: at %zu \"%s\"", wrong[i].words, column, err.msg);
		assert_null(f);
	}
}

static void test_limits(void **state)
{
	char many[1100];
	struct filter *f = NULL;

	(void)state;
	memset(many, 'a', sizeof many - 1);
	many[sizeof many - 1] = 0;
	assert_int_equal(filter_parse(&type, many, &f, NULL, NULL), -22);
	for (size_t i = 0; i < 80; i++)
		memcpy(many + 2 * i, "a ", 3);
	assert_int_equal(filter_parse(&type, many, &f, NULL, NULL), -22);
	memcpy(many, "name:", 5);
	for (size_t i = 0; i < 80; i++)
		memcpy(many + 5 + 2 * i, "a,", 3);
	assert_int_equal(filter_parse(&type, many, &f, NULL, NULL), -22);
	filter_free(NULL);
	assert_true(filter_match(NULL, NULL, NULL, NULL));
}

static void test_highlight(void **state)
{
	static const struct {
		const char *words;
		const char *field;
		const char *cell;
		const char *mark; /* NULL: none */
	} marks[] = {
		{ "front", "name", "Web-01 front", "front" },
		{ "WEB", "name", "Web-01 front", "Web" },
		{ "-web", "name", "Web-01 front", NULL },
		{ "state:web", "name", "Web-01 front", NULL },
		{ "name:zz,01", "name", "Web-01 front", "01" },
		{ "/[0-9]+/", "name", "Web-01 front", "01" },
		{ "/x*/", "name", "Web-01 front", NULL },
		{ "rss>1M", "rss_bytes", "3.0M", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(marks); i++) {
		const struct field *field = row_field_find(&type, marks[i].field);
		struct text cell = text_of(marks[i].cell);
		struct filter *f = NULL;
		size_t from = 0, n = 0;

		assert_int_equal(filter_parse(&type, marks[i].words, &f, NULL, NULL), 0);
		assert_int_equal(filter_highlight(f, field, cell, &from, &n), marks[i].mark != NULL);
		if (marks[i].mark)
			assert_true(n == strlen(marks[i].mark) && memcmp(cell.p + from, marks[i].mark, n) == 0);
		assert_false(filter_highlight(f, &part_fields[0], cell, &from, &n));
		filter_free(f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_match),
		cmocka_unit_test(test_wrong),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_highlight),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
