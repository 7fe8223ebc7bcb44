/* Names to look up, from words and from files: which names, which types, and what is refused with which sentence. */
#include "tui/dns_words.h"

#include "core/dns/ask.h"
#include "core/err.h"
#include "core/fd.h"
#include "tui/options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const struct {
	const char *words[8]; /* behind the target */
	const char *reverse; /* -x */
	const char *file; /* -f: what it holds */
	const char *says; /* NAME/TYPE+TYPE ..., then @SERVER and flags; or a part of the error */
} lines[] = {
	{ { "db" }, NULL, NULL, "db/A+AAAA " },
	{ { "db", "mx" }, NULL, NULL, "db/MX " },
	{ { "MX", "db" }, NULL, NULL, "db/MX " },
	{ { "mx" }, NULL, NULL, "mx/A+AAAA " },
	{ { "mx", "mx" }, NULL, NULL, "mx/MX " },
	{ { "db", "cache", "A", "TXT" }, NULL, NULL, "db/A+TXT cache/A+TXT " },
	{ { "db", "A", "A" }, NULL, NULL, "db/A " },
	{ { "db", "TYPE65" }, NULL, NULL, "db/HTTPS " },
	{ { "db", "@1.1.1.1", "+short", "+tcp" }, NULL, NULL, "db/A+AAAA @1.1.1.1 short tcp " },
	{ { "db", "@::1", "+trace", "+nosearch" }, NULL, NULL, "db/A+AAAA @::1 trace nosearch " },
	{ { NULL }, "172.18.0.3", NULL, "172.18.0.3/PTR " },
	{ { "fd00::3" }, "172.18.0.3", NULL, "172.18.0.3/PTR fd00::3/PTR " },
	{ { NULL }, NULL, "db\n\n  cache\tMX TXT\r\n# no\n;nor this\n-x 10.0.0.1\nlast", "db/A+AAAA cache/MX+TXT 10.0.0.1/PTR last/A+AAAA " },
	{ { "first", "AAAA" }, NULL, "db\ncache A\n", "first/AAAA db/AAAA cache/A " },
	{ { NULL }, NULL, NULL, "a name is wanted" },
	{ { "db", "NOPE" }, NULL, NULL, "not a record type" },
	{ { "db", "A", "AAAA", "MX", "TXT", "SRV" }, NULL, NULL, "at most 4" },
	{ { "db", "+nonsense" }, NULL, NULL, "unknown \"+nonsense\"" },
	{ { "db", "@dns.example" }, NULL, NULL, "not an address" },
	{ { NULL }, "db", NULL, "wants an address" },
	{ { "db" }, "10.0.0.1", NULL, "wants an address" },
	{ { NULL }, "10.0.0.0/8", NULL, "wants an address" },
	{ { NULL }, NULL, "db\ncache nope\n", "names.txt, line 2: \"nope\" is not a record type" },
	{ { NULL }, NULL, "-x db\n", "names.txt, line 1: -x wants an address" },
	{ { NULL }, NULL, "-x\n", "line 1: -x wants an address" },
};

static void describe(const struct dns_words *w, char *ret, size_t cap)
{
	char number[16], server[ADDR_TEXT];
	size_t n = 0;

	ret[0] = 0;
	for (size_t i = 0; i < w->n_names; i++) {
		n += (size_t)snprintf(ret + n, cap - n, "%s/", w->names[i].name);
		for (unsigned k = 0; k < DNS_WORDS_TYPES && w->names[i].types[k]; k++)
			n += (size_t)snprintf(ret + n, cap - n, "%s%s", k ? "+" : "", dns_type_name(w->names[i].types[k], number));
		n += (size_t)snprintf(ret + n, cap - n, " ");
	}
	if (w->has_server)
		n += (size_t)snprintf(ret + n, cap - n, "@%s ", addr_format(&w->server, server));
	snprintf(ret + n, cap - n, "%s%s%s%s", w->is_short ? "short " : "", w->is_trace ? "trace " : "", w->flags & DNS_TCP ? "tcp " : "",
		w->flags & DNS_NO_SEARCH ? "nosearch " : "");
}

static void test_lines(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		struct options o = { .words = { "web" }, .n_words = 1, .reverse = lines[i].reverse, .names = lines[i].file ? "names.txt" : NULL };
		struct dns_words w = { 0 };
		struct err err = { 0 };
		char found[512];
		int r;

		for (unsigned k = 0; k < 8 && lines[i].words[k]; k++)
			o.words[o.n_words++] = lines[i].words[k];
		r = dns_words_parse(&o, &w, &err);
		if (r == 0 && lines[i].file)
			r = dns_words_file(&w, lines[i].file, strlen(lines[i].file), "names.txt", &err);
		describe(&w, found, sizeof found);
		if (strcmp(r < 0 ? err.msg : found, lines[i].says) != 0 && (r == 0 || !strstr(err.msg, lines[i].says)))
			fail_msg("line %zu: %s %s instead of %s", i, found, err.msg, lines[i].says);
		dns_words_done(&w);
	}
}

static void test_limits(void **state)
{
	struct options o = { .words = { "web" }, .n_words = 1, .names = "names.txt" };
	char bytes[5000];
	struct dns_words w = { 0 };
	struct err err = { 0 };

	(void)state;
	assert_int_equal(dns_words_parse(&o, &w, &err), 0);
	memset(bytes, 'x', sizeof bytes);
	assert_true(dns_words_file(&w, bytes, sizeof bytes, "names.txt", &err) < 0);
	assert_non_null(strstr(err.msg, "more than 4096 bytes"));
	assert_true(dns_words_file(&w, bytes, DNS_NAME_TEXT, "names.txt", &err) < 0);
	assert_non_null(strstr(err.msg, "too long"));
	assert_true(dns_words_file(&w, "a\0b", 3, "names.txt", &err) < 0);
	assert_non_null(strstr(err.msg, "NUL"));
	assert_int_equal(w.n_names, 0);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(dns_words_file(&w, "a.\n-x ::1\n", 10, "names.txt", &err), 0);
	assert_int_equal(w.n_names, 2000);
	assert_true(w.is_list);
	assert_true(dns_words_are_absolute(&w));
	assert_int_equal(dns_words_file(&w, "b", 1, "names.txt", &err), 0);
	assert_false(dns_words_are_absolute(&w));
	w.flags |= DNS_NO_SEARCH;
	assert_true(dns_words_are_absolute(&w));
	dns_words_done(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
