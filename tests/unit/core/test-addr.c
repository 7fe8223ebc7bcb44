/* Addresses: text to value and back, order, special ones. */
#include "core/addr.h"

#include "core/fd.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void test_parse(void **state)
{
	static const struct {
		const char *in, *out; /* NULL: refused */
		uint8_t kind;
	} t[] = {
		{ "172.17.0.2", "172.17.0.2", ADDR_IP4 },
		{ "10.0.0.1/24", "10.0.0.1/24", ADDR_IP4 },
		{ "10.0.0.1/0", "10.0.0.1/0", ADDR_IP4 },
		{ "10.0.0.1/33", NULL, 0 },
		{ "10.0.0.1/", NULL, 0 },
		{ "10.0.0.1/-1", NULL, 0 },
		{ "10.0.0.1/8x", NULL, 0 },
		{ "10.0.0", NULL, 0 },
		{ "010.0.0.1", NULL, 0 },
		{ "FE80::0001", "fe80::1", ADDR_IP6 },
		{ "fd77:3::/64", "fd77:3::/64", ADDR_IP6 },
		{ "::ffff:1.2.3.4", "::ffff:1.2.3.4", ADDR_IP6 },
		{ "fe80::1%eth0", NULL, 0 },
		{ "02:42:AC:11:00:02", "02:42:ac:11:00:02", ADDR_MAC },
		{ "02:42:ac:11:00:0g", NULL, 0 },
		{ "02:42:ac:11:00:02:03", NULL, 0 },
		{ "localhost", NULL, 0 },
		{ "", NULL, 0 },
		{ "1.2.3.4 ", NULL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct addr a = { 0 };
		char buf[ADDR_TEXT];
		int r = addr_parse(t[i].in, &a);

		if (!t[i].out) {
			assert_true(r < 0);
			continue;
		}
		assert_int_equal(r, 0);
		assert_int_equal(a.kind, t[i].kind);
		assert_string_equal(addr_format(&a, buf), t[i].out);
	}
}

static struct addr of(const char *text)
{
	struct addr a = { 0 };

	assert_int_equal(addr_parse(text, &a), 0);
	return a;
}

static void test_meaning(void **state)
{
	struct addr a = of("::ffff:127.0.0.11"), b = of("127.0.0.11"), c = of("10.0.0.9"), d = of("10.0.0.10");
	struct addr u = addr_unmap(&a), any4 = of("0.0.0.0"), any6 = of("::"), one = of("::1"), with = of("10.0.0.9/24");
	struct addr none = { 0 };

	(void)state;
	assert_true(addr_same(&u, &b));
	assert_true(addr_is_loopback(&a));
	assert_true(addr_is_loopback(&one));
	assert_false(addr_is_loopback(&c));
	assert_true(addr_is_any(&any4) && addr_is_any(&any6) && addr_is_any(&none));
	assert_false(addr_is_any(&c));
	assert_int_equal(addr_compare(&c, &d), -1);
	assert_int_equal(addr_compare(&d, &c), 1);
	assert_int_equal(addr_compare(&c, &with), 0);
	assert_true(addr_same(&c, &with));
}

static void test_prefix(void **state)
{
	static const struct {
		const char *address, *network;
		unsigned bits;
		bool same;
	} rows[] = {
		{ "10.0.0.9", "10.0.0.0", 24, true }, { "10.0.1.9", "10.0.0.0", 24, false }, { "10.0.1.9", "10.0.0.0", 23, true },
		{ "10.0.2.9", "10.0.0.0", 23, false }, { "192.0.2.1", "10.0.0.0", 0, true }, { "10.0.0.9", "10.0.0.9", 32, true },
		{ "10.0.0.8", "10.0.0.9", 32, false }, { "10.0.0.8", "10.0.0.9", 31, true }, { "fd00::1", "fd00::2", 128, false },
		{ "fd00::1", "fd00::2", 126, true }, { "fd00::1", "10.0.0.0", 0, false }, { "fd00::1", "fd00::1", 129, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct addr a = of(rows[i].address), network = of(rows[i].network);

		if (addr_same_prefix(&a, &network, rows[i].bits) != rows[i].same)
			fail_msg("%s in %s/%u", rows[i].address, rows[i].network, rows[i].bits);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_parse), cmocka_unit_test(test_meaning), cmocka_unit_test(test_prefix) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
