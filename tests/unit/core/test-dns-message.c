/* Messages: queries byte by byte, replies record by record, every type's data, and every way to cut a message. */
#include "core/dns/message.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/dns/ask.h"
#include "core/dns/rdata.h"
#include "core/fd.h"

static void test_query(void **state)
{
	static const uint8_t plain[] = "\x12\x34\x01\0\0\1\0\0\0\0\0\0\2db\0\0\1\0\1";
	static const uint8_t edns[] = "\x12\x34\0\0\0\1\0\0\0\0\0\1\2db\0\0\x1c\0\1\0\0\x29\x04\xd0\0\0\0\0\0\0";
	struct dns_query q = { .id = 0x1234, .recurse = true, .question = { .type = 1, .class = 1 } };
	uint8_t buf[DNS_QUERY_MAX];

	(void)state;
	assert_int_equal(dns_name_parse("db", &q.question.name, NULL, NULL), 0);
	assert_int_equal(dns_message_query(&q, buf), sizeof plain - 1);
	assert_memory_equal(buf, plain, sizeof plain - 1);
	q.recurse = false;
	q.edns = true;
	q.question.type = 28;
	assert_int_equal(dns_message_query(&q, buf), sizeof edns - 1);
	assert_memory_equal(buf, edns, sizeof edns - 1);
}

/* alias.x: CNAME www.x, A 192.0.2.10; authority NS; additional OPT with extended rcode 1. */
static const uint8_t reply[] = "\x12\x34\x85\x80\0\1\0\2\0\1\0\1"
	"\5alias\1x\0\0\1\0\1"
	"\xc0\x0c\0\5\0\1\0\0\0\x1e\0\6\3www\xc0\x12"
	"\xc0\x25\0\1\0\1\0\0\1\x2c\0\4\xc0\0\2\x0a"
	"\xc0\x12\0\2\0\1\0\0\0\0\0\5\2ns\xc0\x12"
	"\0\0\x29\x04\xd0\1\0\0\0\0\0";

static void test_reply(void **state)
{
	static const struct {
		unsigned section;
		const char *name;
		uint16_t type;
		uint32_t ttl;
		const char *data;
	} expected[] = {
		{ 1, "alias.x.", 5, 30, "www.x." },
		{ 1, "www.x.", 1, 300, "192.0.2.10" },
		{ 2, "x.", 2, 0, "ns.x." },
		{ 3, ".", 41, 0x01000000, "\\# 0" },
	};
	struct dns_question q;
	struct dns_record rec;
	struct dns_reader r;
	char text[256], name[DNS_NAME_PRINT];

	(void)state;
	assert_true(dns_message_open(&r, reply, sizeof reply - 1));
	assert_string_equal(dns_flags_text(r.head.flags, text), "qr aa rd ra");
	assert_int_equal(dns_message_question(&r, &q), 1);
	assert_int_equal(q.type, 1);
	assert_int_equal(dns_message_question(&r, &q), 0);
	for (size_t i = 0; i < ARRAY_LEN(expected); i++) {
		struct dns_text out = { .p = text, .cap = sizeof text };

		assert_int_equal(dns_message_record(&r, &rec), 1);
		assert_int_equal(rec.section, expected[i].section);
		assert_int_equal(rec.type, expected[i].type);
		assert_int_equal(rec.ttl, expected[i].ttl);
		dns_name_format(&rec.name, name, sizeof name);
		assert_string_equal(name, expected[i].name);
		assert_true(dns_rdata_format(reply, sizeof reply - 1, &rec, &out));
		assert_string_equal(text, expected[i].data);
	}
	assert_int_equal(dns_message_record(&r, &rec), 0);
	assert_int_equal(dns_message_rcode(reply, sizeof reply - 1), 16);
}

/* Each prefix in memory of its own, so that a sanitizer sees one byte too many. Only whole messages are believed. */
static void test_every_cut(void **state)
{
	(void)state;
	for (size_t n = 0; n < sizeof reply - 1; n++) {
		AUTO(fd_freep) uint8_t *cut = fd_xcalloc(1, n ? n : 1);

		memcpy(cut, reply, n);
		assert_int_equal(dns_message_rcode(cut, n), -EBADMSG);
	}
}

/* Each byte of the message, set to each value: no crash, no endless reading. */
static void test_every_byte(void **state)
{
	struct dns_record rec;
	struct dns_reader r;
	char text[4096];

	(void)state;
	for (size_t i = 0; i < sizeof reply - 1; i++) {
		for (int v = 0; v < 256; v++) {
			uint8_t msg[sizeof reply - 1];
			struct dns_text out = { .p = text, .cap = sizeof text };

			memcpy(msg, reply, sizeof msg);
			msg[i] = (uint8_t)v;
			assert_true(dns_message_open(&r, msg, sizeof msg));
			while (dns_message_record(&r, &rec) > 0)
				dns_rdata_format(msg, sizeof msg, &rec, &out);
		}
	}
}

#define DATA(s) s, sizeof s - 1

static const struct {
	const char *type;
	const char *bytes;
	size_t n;
	const char *text; /* NULL: refused */
} datas[] = {
	{ "A", DATA("\xc0\0\2\1"), "192.0.2.1" },
	{ "A", DATA("\xc0\0\2"), NULL },
	{ "A", DATA("\xc0\0\2\1\1"), NULL },
	{ "AAAA", DATA("\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1"), "2001:db8::1" },
	{ "AAAA", DATA("\x20\1"), NULL },
	{ "NS", DATA("\2ns\1x\0"), "ns.x." },
	{ "CNAME", DATA("\4a.b;\0"), "a\\.b\\;." },
	{ "CNAME", DATA("\2ns\1x\0\0"), NULL },
	{ "PTR", DATA("\0"), "." },
	{ "PTR", DATA(""), NULL },
	{ "MX", DATA("\0\x0a\4mail\0"), "10 mail." },
	{ "MX", DATA("\0\x0a"), NULL },
	{ "SOA", DATA("\1a\0\1b\0\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0\4\xff\xff\xff\xff"), "a. b. 1 2 3 4 4294967295" },
	{ "SOA", DATA("\1a\0\1b\0\0\0\0\1"), NULL },
	{ "TXT", DATA("\5hello"), "\"hello\"" },
	{ "TXT", DATA("\2hi\0\3a\"\\"), "\"hi\" \"\" \"a\\\"\\\\\"" },
	{ "TXT", DATA("\4\033[2J"), "\"\\027[2J\"" },
	{ "TXT", DATA("\3\xe2\x80\xae"), "\"\\226\\128\\174\"" },
	{ "TXT", DATA("\5hi"), NULL },
	{ "TXT", DATA(""), NULL },
	{ "SRV", DATA("\0\1\0\2\x1f\x90\3www\0"), "1 2 8080 www." },
	{ "CAA", DATA("\0\5issuele.org"), "0 issue \"le.org\"" },
	{ "CAA", DATA("\x80\5issue"), "128 issue \"\"" },
	{ "CAA", DATA("\0\0"), NULL },
	{ "CAA", DATA("\0\3\033[2x"), "0 \\027[2 \"x\"" },
	{ "HINFO", DATA("\3ARM\5Linux"), "\"ARM\" \"Linux\"" },
	{ "NAPTR", DATA("\0\1\0\2\1s\3E2U\0\1y\0"), "1 2 \"s\" \"E2U\" \"\" y." },
	{ "DS", DATA("\1\2\5\1\xab\xcd"), "258 5 1 ABCD" },
	{ "TLSA", DATA("\3\1\1\xab\xcd"), "3 1 1 ABCD" },
	{ "SSHFP", DATA("\4\2\0\1"), "4 2 0001" },
	{ "URI", DATA("\0\1\0\2http://x"), "1 2 \"http://x\"" },
	{ "HTTPS", DATA("\0\1\0"), "1 ." },
	{ "HTTPS", DATA("\0\1\0\0\1\0\6\2h2\2h3\0\3\0\2\x20\xfb"), "1 . alpn=\"h2,h3\" port=8443" },
	{ "HTTPS", DATA("\0\1\0\0\3\0\2\1\1\0\1\0\0"), NULL }, /* keys must rise */
	{ "HTTPS", DATA("\0\1\0\0\3\0\3\1\1\1"), NULL },
	{ "HTTPS", DATA("\0\1\0\0\3\0\5\1\1"), NULL },
	{ "HTTPS", DATA("\0\1\0\0\4\0\4\1\2\3\4\0\6\0\x10\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1"), "1 . ipv4hint=1.2.3.4 ipv6hint=::1" },
	{ "HTTPS", DATA("\0\1\0\0\4\0\3\1\2\3"), NULL },
	{ "SVCB", DATA("\0\1\0\0\0\0\4\0\1\0\3\0\1\0\3\2h2\0\2\0\0\0\3\0\2\0\x35"),
		"1 . mandatory=alpn,port alpn=\"h2\" no-default-alpn port=53" },
	{ "SVCB", DATA("\0\1\0\0\5\0\4\1\2\3\4"), "1 . ech=AQIDBA==" },
	{ "SVCB", DATA("\0\1\0\x02\x9b\0\3a\"\1"), "1 . key667=\"a\\\"\\001\"" },
	{ "SVCB", DATA("\0\1\0\0\7\0\7/{?dns}"), "1 . dohpath=\"/{?dns}\"" },
	{ "SVCB", DATA("\0\1\0\x02\x9b\0\0"), "1 . key667" },
	{ "TYPE65400", DATA("\1\xfe"), "\\# 2 01FE" },
	{ "TYPE65400", DATA(""), "\\# 0" },
	{ "DNSKEY", DATA("\1"), "\\# 1 01" },
};

static void test_data(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(datas); i++) {
		AUTO(fd_freep) uint8_t *msg = fd_xcalloc(1, 12 + datas[i].n);
		struct dns_record rec = { .type = dns_type_parse(datas[i].type), .class = 1, .n = (uint16_t)datas[i].n, .at = 12 };
		char text[256] = "";
		struct dns_text out = { .p = text, .cap = sizeof text };
		bool ok;

		print_message("# %s %s\n", datas[i].type, datas[i].text ? datas[i].text : "refused");
		assert_int_not_equal(rec.type, 0);
		memcpy(msg + 12, datas[i].bytes, datas[i].n);
		ok = dns_rdata_format(msg, 12 + datas[i].n, &rec, &out);
		assert_int_equal(ok, datas[i].text != NULL);
		if (ok)
			assert_string_equal(text, datas[i].text);
	}
}

static void test_types(void **state)
{
	static const struct {
		const char *text;
		uint16_t type;
		const char *name;
	} types[] = {
		{ "A", 1, "A" },
		{ "aaaa", 28, "AAAA" },
		{ "Ptr", 12, "PTR" },
		{ "CAA", 257, "CAA" },
		{ "HTTPS", 65, "HTTPS" },
		{ "TYPE65", 65, "HTTPS" },
		{ "type65280", 65280, "TYPE65280" },
		{ "ANY", 255, "ANY" },
		{ "", 0, "TYPE0" },
		{ "AA", 0, "TYPE0" },
		{ "TYPE", 0, "TYPE0" },
		{ "TYPE-1", 0, "TYPE0" },
		{ "TYPE65536", 0, "TYPE0" },
		{ "TYPE1x", 0, "TYPE0" },
		{ "OPT", 0, "TYPE0" },
	};
	char buf[16];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		assert_int_equal(dns_type_parse(types[i].text), types[i].type);
		assert_string_equal(dns_type_name(types[i].type, buf), types[i].name);
	}
	assert_string_equal(dns_rcode_name(3, buf), "NXDOMAIN");
	assert_string_equal(dns_rcode_name(11, buf), "RCODE11");
	assert_string_equal(dns_rcode_name(4095, buf), "RCODE4095");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_query),
		cmocka_unit_test(test_reply),
		cmocka_unit_test(test_every_cut),
		cmocka_unit_test(test_every_byte),
		cmocka_unit_test(test_data),
		cmocka_unit_test(test_types),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
