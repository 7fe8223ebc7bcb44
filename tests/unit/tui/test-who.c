/* Names beside addresses, and the words of hints. */
#include "packets.h"

#include "core/fd.h"
#include "core/target.h"
#include "tui/asked.h"
#include "tui/bpfhint.h"
#include "tui/who.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void endpoints(void **state)
{
	static const struct { const char *address; uint64_t port; bool names; const char *want; } rows[] = {
		{ "172.18.0.3", 5432, true, "shop-db-1:5432" },
		{ "172.18.0.3", ROW_NO_UINT, true, "shop-db-1" },
		{ "172.18.0.3", 5432, false, "172.18.0.3:5432" },
		{ "::ffff:172.18.0.3", 5432, true, "shop-db-1:5432" },
		{ "172.18.0.99", 1, true, "172.18.0.99:1" },
		{ "2001:db8::1", 53, true, "[2001:db8::1]:53" },
		{ "2001:db8::1", ROW_NO_UINT, true, "2001:db8::1" },
		{ "127.0.0.1", 80, true, "127.0.0.1:80" },
		{ "02:42:ac:12:00:05", ROW_NO_UINT, true, "02:42:ac:12:00:05" },
		{ "", ROW_NO_UINT, true, "" },
	};
	struct block *targets = packets_targets();
	struct who w = { 0 };
	struct addr a = { 0 };
	char buf[128], small[8];

	(void)state;
	who_set(&w, targets, 1);
	for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
		a = (struct addr){ 0 };
		addr_parse(rows[i].address, &a);
		assert_int_equal(who_endpoint(&w, rows[i].names, &a, rows[i].port, buf, sizeof buf), strlen(rows[i].want));
		assert_string_equal(buf, rows[i].want);
	}
	addr_parse("172.18.0.3", &a);
	assert_int_equal(who_endpoint(&w, true, &a, 5432, small, sizeof small), 7); /* cut, ended */
	who_set(&w, NULL, 0);
	assert_int_equal(who_endpoint(&w, true, &a, 5432, buf, sizeof buf), strlen("172.18.0.3:5432"));
	who_done(&w);
	block_unref(targets);
}

/* Two networks with the same range: no name is better than a wrong one; the target's own address stays its own. */
static void shared(void **state)
{
	struct block *targets = packets_targets();
	struct builder *b = builder_new(&target_row_type);
	struct who w = { 0 };
	struct addr a;
	struct text name;

	(void)state;
	for (uint32_t i = 0; i < 2 * block_count(targets); i++) {
		struct target_row *t = builder_copy_row(b, targets, block_row(targets, i % block_count(targets)));

		if (i < block_count(targets))
			continue;
		t->name = builder_str(b, "other");
		t->head.id = 100 + i;
	}
	block_unref(targets);
	targets = builder_block(b);
	builder_free(b);
	who_set(&w, targets, 1);
	addr_parse("172.18.0.5", &a);
	assert_true(who_find(&w, &a, &name));
	assert_true(text_equal(name, text_of("shop-api-1")));
	addr_parse("172.18.0.3", &a);
	assert_false(who_find(&w, &a, &name));
	who_done(&w);
	block_unref(targets);
}

static void places(void **state)
{
	static const struct { const char *text, *why; size_t at; } rows[] = {
		{ "host 1.2.3.4 and prot 80", "syntax error near \"prot\"; did you mean \"port\"?", 17 },
		{ "port 80 or host web", "\"web\" is not an address; names are not looked up", 16 },
		{ "port", "the filter ends after \"port\": something must follow", 4 },
		{ "tcp and http", "unknown protocol 'http'", 8 },
		{ "tcp tcpx", "near \"tcp\"", 0 },
		{ "tcp", "syntax error", 3 },
		{ "tcp", "near \"udp\"", 3 },
		{ "", "\"\"", 0 },
		{ "a", "\"", 1 },
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
		if (bpfhint_locate(rows[i].text, rows[i].why) != rows[i].at)
			fail_msg("%s: %zu", rows[i].text, bpfhint_locate(rows[i].text, rows[i].why));
	}
}

static void sums(void **state)
{
	struct block *good = packets_answer(true), *bad = packets_answer(false), *rows;
	struct asked_list *l = calloc(1, sizeof *l);
	struct asked a = { .name = "db", .type = "A" };

	(void)state;
	asked_sum(good, &a);
	assert_string_equal(a.rcode, "NOERROR");
	assert_string_equal(a.answer, "172.18.0.3");
	assert_int_equal(a.severity, SEVERITY_OK); /* that AAAA is empty is no finding */
	assert_int_equal(a.time_us, 1210);
	asked_add(l, &a);
	asked_sum(bad, &a);
	assert_string_equal(a.rcode, "timeout");
	assert_string_equal(a.answer, "");
	assert_int_equal(a.severity, SEVERITY_BAD);
	for (unsigned i = 0; i < 3 * ASKED_MAX; i++)
		asked_add(l, &a);
	assert_int_equal(l->n, ASKED_MAX);
	assert_null(asked_find(l, 1));
	rows = asked_block(l);
	assert_int_equal(block_count(rows), ASKED_MAX);
	assert_non_null(asked_find(l, ((const struct asked_row *)block_row(rows, 0))->head.id));
	block_unref(rows);
	block_unref(good);
	block_unref(bad);
	free(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(endpoints), cmocka_unit_test(shared), cmocka_unit_test(places), cmocka_unit_test(sums),
	};

	return cmocka_run_group_tests_name("who", tests, NULL, NULL);
}
