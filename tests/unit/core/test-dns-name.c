/* Names: as typed, as shown, and out of hostile messages. */
#include "core/dns/name.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/addr.h"
#include "core/err.h"
#include "core/fd.h"

#define L63 "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffggg"
#define L61 "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffg"

static const struct {
	const char *text;
	int code;
	const char *shown; /* NULL: with a dot behind */
	unsigned labels;
	bool absolute;
} typed[] = {
	{ "db", 0, NULL, 1, false },
	{ "db.shop.internal", 0, NULL, 3, false },
	{ "DB.example.", 0, "DB.example.", 2, true },
	{ ".", 0, ".", 0, true },
	{ "a\\.b.c", 0, NULL, 2, false },
	{ "a\\046b.c", 0, "a\\.b.c.", 2, false },
	{ "a b", 0, "a\\032b.", 1, false },
	{ "a\\000c", 0, NULL, 1, false },
	{ "\033[2J\a", 0, "\\027[2J\\007.", 1, false },
	{ "_http._tcp.x", 0, NULL, 3, false },
	{ "*.x", 0, NULL, 2, false },
	{ "-x", 0, NULL, 1, false },
	{ "a\\;\\\"\\(\\)\\@\\$\\\\", 0, NULL, 1, false },
	{ "172.18.0.3", 0, NULL, 4, false },
	{ L63 ".x", 0, NULL, 2, false },
	{ L63 "." L63 "." L63 "." L61, 0, NULL, 4, false },
	{ L63 "." L63 "." L63 "." L61 ".", 0, L63 "." L63 "." L63 "." L61 ".", 4, true },
	{ L63 "." L63 "." L63 "." L61 "h", -ENAMETOOLONG, NULL, 0, false },
	{ L63 "h.x", -ENAMETOOLONG, NULL, 0, false },
	{ "", -EINVAL, NULL, 0, false },
	{ "..", -EINVAL, NULL, 0, false },
	{ ".a", -EINVAL, NULL, 0, false },
	{ "a..b", -EINVAL, NULL, 0, false },
	{ "a..", -EINVAL, NULL, 0, false },
	{ "a\\", -EINVAL, NULL, 0, false },
	{ "a\\25", -EINVAL, NULL, 0, false },
	{ "a\\256", -EINVAL, NULL, 0, false },
	{ "b\xc3\xbc" "cher.example", -EINVAL, NULL, 0, false },
};

static void test_typed(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(typed); i++) {
		char shown[DNS_NAME_PRINT], expected[DNS_NAME_PRINT];
		bool absolute = false;
		struct err err = { 0 };
		struct dns_name name;
		int r = dns_name_parse(typed[i].text, &name, &absolute, &err);

		print_message("# %s\n", typed[i].text);
		assert_int_equal(r, typed[i].code);
		if (r < 0) {
			assert_int_equal(err.code, -r);
			assert_true(err.msg[0]);
			continue;
		}
		snprintf(expected, sizeof expected, "%s", typed[i].shown ? typed[i].shown : "");
		if (!typed[i].shown)
			snprintf(expected, sizeof expected, "%s.", typed[i].text);
		assert_int_equal(dns_name_format(&name, shown, sizeof shown), strlen(expected));
		assert_string_equal(shown, expected);
		assert_int_equal(absolute, typed[i].absolute);
		assert_int_equal(dns_name_labels(&name), typed[i].labels);
	}
}

/* Bytes after a header of 12; the name to read begins at `at`. */
static const struct {
	const char *what;
	const char *bytes;
	size_t n, at;
	const char *shown; /* NULL: refused */
	size_t behind;
} wires[] = {
	{ "plain", "\3www\7example", 13, 12, "www.example.", 25 },
	{ "root", "", 1, 12, ".", 13 },
	{ "pointer", "\7example\0\3www\xc0\x0c", 15, 21, "www.example.", 27 },
	{ "pointer to pointer", "\1b\0\1a\xc0\x0c\xc0\x0f", 9, 19, "a.b.", 21 },
	{ "to itself", "\xc0\x0c", 2, 12, NULL, 0 },
	{ "forward", "\xc0\x10\0\0\1a\0", 7, 12, NULL, 0 },
	{ "two in a circle", "\1a\xc0\x10\1b\xc0\x0c", 8, 16, NULL, 0 },
	{ "into its own start", "\1a\xc0\x0c", 4, 12, NULL, 0 },
	{ "into the header", "\1a\xc0\x04", 4, 12, NULL, 0 },
	{ "cut pointer", "\1a\xc0", 3, 12, NULL, 0 },
	{ "cut label", "\5ab", 3, 12, NULL, 0 },
	{ "no end", "\1a", 2, 12, NULL, 0 },
	{ "label type 01", "\101a\0", 3, 12, NULL, 0 },
	{ "label type 10", "\201a\0", 3, 12, NULL, 0 },
	{ "nothing", "", 0, 12, NULL, 0 },
};

static void test_wires(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(wires); i++) {
		uint8_t msg[64] = { 0 };
		struct dns_span s = { .p = msg, .n = 12 + wires[i].n, .at = wires[i].at };
		char shown[DNS_NAME_PRINT];
		struct dns_name name;

		print_message("# %s\n", wires[i].what);
		memcpy(msg + 12, wires[i].bytes, wires[i].n);
		assert_int_equal(dns_name_read(&s, &name), wires[i].shown != NULL);
		if (!wires[i].shown)
			continue;
		dns_name_format(&name, shown, sizeof shown);
		assert_string_equal(shown, wires[i].shown);
		assert_int_equal(s.at, wires[i].behind);
	}
}

/* Labels and a pointer to labels, and so on: the name would be endless, the reader stops at 255 bytes. */
static void test_too_long(void **state)
{
	uint8_t msg[2048] = { 0 };
	struct dns_span s = { .p = msg };
	struct dns_name name;
	size_t at = 12;

	(void)state;
	for (int i = 0; i < 9; i++) {
		size_t from = at;

		msg[at] = 30;
		memset(msg + at + 1, 'a' + i, 30);
		at += 31;
		if (i == 0) {
			msg[at++] = 0;
		} else {
			msg[at++] = 0xc0;
			msg[at++] = (uint8_t)(i == 1 ? 12 : from - 33);
		}
		s = (struct dns_span){ .p = msg, .n = at, .at = from };
		assert_int_equal(dns_name_read(&s, &name), i < 8); /* 8 * 31 + 1 = 249 fit */
	}
}

static void test_limits(void **state)
{
	struct dns_name longest, one, joined;
	uint8_t msg[300] = { 0 };
	struct dns_span s = { .p = msg, .n = sizeof msg, .at = 12 };

	(void)state;
	for (int i = 0; i < 127; i++) {
		msg[12 + 2 * i] = 1;
		msg[13 + 2 * i] = 'x';
	}
	assert_true(dns_name_read(&s, &longest));
	assert_int_equal(longest.n, 255);
	assert_int_equal(dns_name_labels(&longest), 127);
	msg[12 + 254] = 1; /* one label more */
	s.at = 12;
	assert_false(dns_name_read(&s, &one));
	assert_int_equal(dns_name_parse("x", &one, NULL, NULL), 0);
	assert_false(dns_name_join(&one, &longest, &joined));
	assert_int_equal(dns_name_parse("example.com.", &longest, NULL, NULL), 0);
	assert_true(dns_name_join(&one, &longest, &joined));
	assert_int_equal(dns_name_parse("X.Example.COM", &longest, NULL, NULL), 0);
	assert_true(dns_name_equal(&joined, &longest));
	assert_int_equal(dns_name_parse("X.Example.COX", &longest, NULL, NULL), 0);
	assert_false(dns_name_equal(&joined, &longest));
}

static void test_reverse(void **state)
{
	char text[80];
	struct addr a;

	(void)state;
	assert_int_equal(addr_parse("172.18.0.2", &a), 0);
	assert_true(dns_name_reverse(&a, text, sizeof text));
	assert_string_equal(text, "2.0.18.172.in-addr.arpa.");
	assert_int_equal(addr_parse("2001:db8::567:89ab", &a), 0); /* RFC 3596 2.5 has this one */
	assert_true(dns_name_reverse(&a, text, sizeof text));
	assert_string_equal(text, "b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa.");
	assert_int_equal(addr_parse("02:42:ac:11:00:02", &a), 0);
	assert_false(dns_name_reverse(&a, text, sizeof text));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_typed),
		cmocka_unit_test(test_wires),
		cmocka_unit_test(test_too_long),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_reverse),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
