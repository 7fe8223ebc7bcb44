/* resolv.conf, hosts, nsswitch.conf: what the rows say, what is asked because of them, what /etc/hosts answers. */
#include "core/source/files.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/block.h"
#include "core/dns/ask.h"
#include "core/fd.h"
#include "core/target.h"

struct files {
	const char *resolv, *hosts, *nsswitch; /* NULL: no rows */
};

static struct block *parse(const struct files *f)
{
	struct builder *b = builder_new(&file_row_type);
	struct block *ret;

	if (f->resolv)
		files_parse(b, "/etc/resolv.conf", f->resolv, strlen(f->resolv));
	if (f->hosts)
		files_parse(b, "/etc/hosts", f->hosts, strlen(f->hosts));
	if (f->nsswitch)
		files_parse(b, "/etc/nsswitch.conf", f->nsswitch, strlen(f->nsswitch));
	ret = builder_block(b);
	builder_free(b);
	return ret;
}

/* "1 nameserver 127.0.0.11 =127.0.0.11|2 option ndots:0 #0|3 search a unused|" */
static void describe(const struct block *b, char *ret, size_t cap)
{
	static const char *const keys[] = { "nameserver", "search", "option", "host", "nss", "other", "error" };
	size_t n = 0;

	ret[0] = 0;
	for (uint32_t i = 0; i < block_count(b) && n < cap; i++) {
		const struct file_row *row = block_row(b, i);
		struct text value = block_text(b, row->value);
		char address[ADDR_TEXT] = "", number[32] = "";

		if (row->address.kind)
			addr_format(&row->address, address);
		if (row->number != ROW_NO_UINT)
			snprintf(number, sizeof number, " #%llu", (unsigned long long)row->number);
		n += (size_t)snprintf(ret + n, cap - n, "%llu %s %.*s%s%s%s%s|", (unsigned long long)row->line, keys[row->key],
			(int)value.n, value.p, address[0] ? " =" : "", address, number,
			row->head.flags & FILE_UNUSED ? " unused" : "");
	}
}

static const struct {
	struct files files;
	const char *rows;
} parsed[] = {
	{ { "nameserver 127.0.0.11\noptions ndots:0\nsearch shop.internal", NULL, NULL },
		"1 nameserver 127.0.0.11 =127.0.0.11|2 option ndots:0 #0|3 search shop.internal|" },
	{ { "# comment\n; another\n\n\nnameserver 1.1.1.1\n", NULL, NULL }, "5 nameserver 1.1.1.1 =1.1.1.1|" },
	{ { "# \r\rnameserver 9.9.9.9\n", NULL, NULL }, "" }, /* A10: CR is no line end */
	{ { "nameserver 8.8.8.8\r\n", NULL, NULL }, "1 nameserver 8.8.8.8\r|" }, /* glibc cannot read it either */
	{ { "search a b\ndomain c\nsearch d e\n", NULL, NULL },
		"1 search a unused|1 search b unused|2 search c unused|3 search d|3 search e|" },
	{ { "search\nsearch a\nsearch \t \n", NULL, NULL }, "1 other search|2 search a|" },
	{ { "nameserver 1.1.1.1\nnameserver 1.1.1.2\nnameserver 1.1.1.3\nnameserver 1.1.1.4\n", NULL, NULL },
		"1 nameserver 1.1.1.1 =1.1.1.1|2 nameserver 1.1.1.2 =1.1.1.2|3 nameserver 1.1.1.3 =1.1.1.3|"
		"4 nameserver 1.1.1.4 =1.1.1.4 unused|" },
	{ { "nameserver fe80::1%eth0\nnameserver ::ffff:1.2.3.4\nnameserver fe80::1%$(reboot)\n", NULL, NULL },
		"1 nameserver fe80::1%eth0 =fe80::1|2 nameserver ::ffff:1.2.3.4 =::ffff:1.2.3.4|"
		"3 nameserver fe80::1%$(reboot) =fe80::1|" },
	{ { "nameserver 1.2.3\nnameserver 1.2.3.4/8\nnameserver 02:42:ac:11:00:02\nnameserver x\nnameserver\n", NULL, NULL },
		"1 nameserver 1.2.3|2 nameserver 1.2.3.4/8|3 nameserver 02:42:ac:11:00:02|4 nameserver x|5 other nameserver|" },
	{ { " nameserver 1.1.1.1\nnameserverx 1.1.1.1\nNameserver 1.1.1.1\n", NULL, NULL },
		"1 other  nameserver 1.1.1.1|2 other nameserverx 1.1.1.1|3 other Nameserver 1.1.1.1|" },
	{ { "options ndots:5 timeout:1 attempts:3 rotate edns0 ndots: ndots:x ndots:99999999999\n", NULL, NULL },
		"1 option ndots:5 #5|1 option timeout:1 #1|1 option attempts:3 #3|1 option rotate|1 option edns0|"
		"1 option ndots:|1 option ndots:x|1 option ndots:99999999999|" },
	{ { "search \033[2J\n", NULL, NULL }, "1 search \033[2J|" },
	{ { NULL, "127.0.0.1\tlocalhost\n::1 localhost ip6-localhost # x y\n\n#a\n172.18.0.3 5f21 db\n", NULL },
		"1 host localhost =127.0.0.1|2 host localhost =::1|2 host ip6-localhost =::1|5 host 5f21 =172.18.0.3|"
		"5 host db =172.18.0.3|" },
	{ { NULL, "1.2.3.4\n1.2.3 a\nfe80::1%eth0 b\n 1.2.3.4 c\n1.2.3.4 a\rb\n", NULL },
		"2 other 1.2.3 a|3 other fe80::1%eth0 b|4 host c =1.2.3.4|5 host a =1.2.3.4|5 host b =1.2.3.4|" },
	{ { NULL, NULL, "# c\npasswd: files\nhosts:  files mdns4_minimal [NOTFOUND=return] dns # x\n" },
		"3 nss files|3 nss mdns4_minimal|3 nss [NOTFOUND=return]|3 nss dns|" },
	{ { NULL, NULL, "hosts : files\nhostsx: dns\nhosts files\n: x\n" }, "1 nss files|3 other hosts files|" },
	{ { NULL, NULL, "hosts:dns[NOTFOUND = return]files\nhosts: files [ !UNAVAIL = return" },
		"1 nss dns unused|1 nss [NOTFOUND = return] unused|1 nss files unused|2 nss files|2 nss [ !UNAVAIL = return|" },
};

static void test_rows(void **state)
{
	char text[2048];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(parsed); i++) {
		AUTO(block_unrefp) struct block *b = parse(&parsed[i].files);

		describe(b, text, sizeof text);
		assert_string_equal(text, parsed[i].rows);
	}
}

/* --- the question --- */

static const struct {
	const char *resolv;
	const char *asked; /* servers / search / ndots timeout attempts flags */
} requests[] = {
	{ "", "127.0.0.1 / / 1 5000 2 0" },
	{ "nameserver 127.0.0.11\noptions ndots:0\n", "127.0.0.11 / / 0 5000 2 0" },
	{ "nameserver 1.1.1.1\nnameserver bad\nnameserver ::1\nnameserver 1.1.1.3\nnameserver 1.1.1.4\n",
		"1.1.1.1 ::1 1.1.1.3 / / 1 5000 2 0" },
	{ "search a b\nsearch c d.\n", "127.0.0.1 / c d. / 1 5000 2 0" },
	{ "search 1 2 3 4 5 6 7 8 9 10\n", "127.0.0.1 / 1 2 3 4 5 6 7 8 / 1 5000 2 0" },
	{ "options ndots:5 timeout:1 attempts:3\n", "127.0.0.1 / / 5 1000 3 0" },
	{ "options ndots:99 timeout:99 attempts:99\n", "127.0.0.1 / / 15 30000 5 0" },
	{ "options timeout:0 attempts:0 ndots:-1\n", "127.0.0.1 / / 1 1000 1 0" },
	{ "options use-vc edns0 rotate no-such-thing\n", "127.0.0.1 / / 1 5000 2 65553" },
	{ "nameserver fe80::1%eth0\n", "fe80::1%eth0 / / 1 5000 2 0" },
	{ "nameserver fe80::1%$(reboot)\nnameserver fe80::1%\nnameserver fe80::1%0123456789abcdef\n", "127.0.0.1 / / 1 5000 2 0" },
};

static void describe_request(const struct dns_request *q, char *ret, size_t cap)
{
	char text[ADDR_TEXT];
	size_t n = 0;

	for (unsigned i = 0; i < q->n_servers; i++)
		n += (size_t)snprintf(ret + n, cap - n, "%s%s%s ", addr_format(&q->servers[i], text), q->zones[i][0] ? "%" : "", q->zones[i]);
	n += (size_t)snprintf(ret + n, cap - n, "/ ");
	for (unsigned i = 0; i < q->n_search; i++)
		n += (size_t)snprintf(ret + n, cap - n, "%s ", q->search[i]);
	snprintf(ret + n, cap - n, "/ %u %u %u %u", q->ndots, q->timeout_ms, q->attempts, q->flags);
}

static void test_requests(void **state)
{
	char text[2048];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(requests); i++) {
		AUTO(block_unrefp) struct block *b = parse(&(struct files){ .resolv = requests[i].resolv });
		struct dns_request q;

		memset(&q, 0xff, sizeof q);
		dns_request_from_files(b, &q);
		describe_request(&q, text, sizeof text);
		assert_string_equal(text, requests[i].asked);
	}
}

static void test_long_search_is_left_out(void **state)
{
	char resolv[400];
	struct dns_request q;
	AUTO(block_unrefp) struct block *b = NULL;

	(void)state;
	snprintf(resolv, sizeof resolv, "search %0300d ok\n", 1);
	b = parse(&(struct files){ .resolv = resolv });
	dns_request_from_files(b, &q);
	assert_int_equal(q.n_search, 1);
	assert_string_equal(q.search[0], "ok");
}

/* --- answers of /etc/hosts --- */

#define HOSTS "127.0.0.1 localhost\n::1 localhost\n172.18.0.3 5f21 DB db.shop\n172.19.0.3 db\nfd00::5 six\n::ffff:1.2.3.4 mapped\n"

static const struct {
	struct files files;
	const char *name;
	const char *types[2];
	uint32_t flags;
	const char *rows; /* NULL: no answer */
} answers[] = {
	{ { NULL, HOSTS, NULL }, "db", { "A", "AAAA" }, 0, "db. A 172.18.0.3|db. A 172.19.0.3|db. AAAA -|" },
	{ { NULL, HOSTS, NULL }, "DB.SHOP", { "A" }, 0, "DB.SHOP. A 172.18.0.3|" },
	{ { NULL, HOSTS, NULL }, "six", { "A", "AAAA" }, 0, "six. AAAA fd00::5|six. A -|" },
	{ { NULL, HOSTS, NULL }, "six", { "A" }, 0, NULL },
	{ { NULL, HOSTS, NULL }, "localhost", { "AAAA" }, 0, "localhost. AAAA ::1|" },
	{ { NULL, HOSTS, NULL }, "mapped", { "A" }, 0, "mapped. A 1.2.3.4|" },
	{ { NULL, HOSTS, NULL }, "db.", { "A" }, 0, NULL },
	{ { NULL, HOSTS, NULL }, "nope", { "A" }, 0, NULL },
	{ { NULL, HOSTS, NULL }, "db", { "MX" }, 0, NULL },
	{ { NULL, HOSTS, NULL }, "db", { "A" }, DNS_NO_HOSTS, NULL },
	{ { NULL, HOSTS, NULL }, "172.18.0.3", { "PTR" }, 0,
		"3.0.18.172.in-addr.arpa. PTR 5f21.|3.0.18.172.in-addr.arpa. PTR DB.|3.0.18.172.in-addr.arpa. PTR db.shop.|" },
	{ { NULL, HOSTS, NULL }, "10.9.9.9", { "PTR" }, 0, NULL },
	{ { NULL, HOSTS, "hosts: files dns\n" }, "db.shop", { "A" }, 0, "db.shop. A 172.18.0.3|" },
	{ { NULL, HOSTS, "hosts: mdns4 files dns\n" }, "db.shop", { "A" }, 0, "db.shop. A 172.18.0.3|" },
	{ { NULL, HOSTS, "hosts: dns files\n" }, "db.shop", { "A" }, 0, NULL },
	{ { NULL, HOSTS, "hosts: dns\n" }, "db.shop", { "A" }, 0, NULL },
	{ { NULL, HOSTS, "hosts: dns\nhosts: files\n" }, "db.shop", { "A" }, 0, "db.shop. A 172.18.0.3|" },
	{ { NULL, "1.2.3.4 \033[2J\n", NULL }, "\033[2J", { "A" }, 0, "\033[2J. A 1.2.3.4|" },
	{ { "nameserver 1.1.1.1\n", NULL, NULL }, "db", { "A" }, 0, NULL },
	{ { "nameserver 1.1.1.1\n", NULL, NULL }, "192.0.2.9", { "A", "AAAA" }, 0, "192.0.2.9. A 192.0.2.9|" },
	{ { NULL, HOSTS, "hosts: files\n" }, "nope", { "A" }, 0, "nope. A -|" },
	{ { NULL, HOSTS, "hosts: files\n" }, "nope", { "MX" }, 0, NULL },
	{ { NULL, HOSTS, "hosts: files [NOTFOUND=return] dns\n" }, "nope", { "A" }, 0, "nope. A -|" },
	{ { NULL, HOSTS, "hosts: files [ !SUCCESS = return ] dns\n" }, "nope", { "A" }, 0, "nope. A -|" },
	{ { NULL, HOSTS, "hosts: files [SUCCESS=continue notfound=RETURN] dns\n" }, "nope", { "A" }, 0, "nope. A -|" },
	{ { NULL, HOSTS, "hosts: mdns4_minimal [NOTFOUND=return] files\n" }, "six", { "AAAA" }, 0, "six. AAAA fd00::5|" },
	{ { NULL, HOSTS, "hosts: resolve [!UNAVAIL=return] files\n" }, "six", { "AAAA" }, 0, "six. AAAA fd00::5|" },
	{ { NULL, HOSTS, "hosts: mymachines [UNAVAIL=return] files\n" }, "six", { "AAAA" }, 0, "six. AAAA -|" },
};

static void describe_answers(const struct block *b, char *ret, size_t cap)
{
	size_t n = 0;

	for (uint32_t i = 0; i < block_count(b); i++) {
		const struct dns_row *row = block_row(b, i);
		struct text name = block_text(b, row->name), type = block_text(b, row->type), data = block_text(b, row->data);

		if (row->section == DNS_SECTION_STEP)
			continue;
		assert_true(text_contains(text_of("/etc/hosts libc"), block_text(b, row->server)) || row->data.len == UINT32_MAX);
		assert_true(text_equal(block_text(b, row->rcode), text_of("NOERROR")) || row->data.len == UINT32_MAX);
		n += (size_t)snprintf(ret + n, cap - n, "%.*s %.*s %.*s|", (int)name.n, name.p, (int)type.n, type.p,
			data.p ? (int)data.n : 1, data.p ? data.p : "-");
	}
}

static void test_answers(void **state)
{
	char text[2048];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
		AUTO(block_unrefp) struct block *files = parse(&answers[i].files), *b = NULL;
		struct dns_request q;

		dns_request_from_files(files, &q);
		strcpy(q.name, answers[i].name);
		q.flags = answers[i].flags;
		for (int k = 0; k < 2 && answers[i].types[k]; k++)
			q.types[k] = dns_type_parse(answers[i].types[k]);
		b = dns_answer_from_files(files, &q);
		print_message("# %zu %s\n", i, answers[i].rows ? answers[i].rows : "no answer");
		assert_int_equal(b != NULL, answers[i].rows != NULL);
		if (!b)
			continue;
		describe_answers(b, text, sizeof text);
		assert_string_equal(text, answers[i].rows);
	}
	assert_null(dns_answer_from_files(NULL, &(struct dns_request){ .name = "db", .types = { 1 } }));
}

/* --- whose address it is --- */

static void add_target(struct builder *b, const char *name, enum target_state target_state, const char *address)
{
	struct target_row *t = builder_row(b);

	t->state = target_state;
	t->name = builder_str(b, name);
	t->addresses = (struct str){ 0 };
	builder_list_add(b, &t->addresses, "fd00::9", 7);
	builder_list_add(b, &t->addresses, address, strlen(address));
}

static void test_targets(void **state)
{
	AUTO(block_unrefp) struct block *files = parse(&(struct files){ .hosts = "172.18.0.3 a\n127.0.0.1 a\n10.0.0.1 a\n" });
	AUTO(block_unrefp) struct block *answer = NULL, *targets = NULL, *named = NULL;
	struct builder *b = builder_new(&target_row_type);
	struct dns_request q = { .name = "a", .types = { 1 } };

	(void)state;
	add_target(b, "old", TARGET_STATE_EXITED, "172.18.0.3");
	add_target(b, "db", TARGET_STATE_RUNNING, "172.18.0.3");
	add_target(b, "lo", TARGET_STATE_RUNNING, "127.0.0.1");
	targets = builder_block(b);
	builder_free(b);
	answer = dns_answer_from_files(files, &q);
	named = dns_name_targets(answer, targets);
	assert_int_equal(block_count(named), 3);
	assert_true(text_equal(block_text(named, ((const struct dns_row *)block_row(named, 0))->target), text_of("db")));
	assert_null(block_text(named, ((const struct dns_row *)block_row(named, 1))->target).p);
	assert_null(block_text(named, ((const struct dns_row *)block_row(named, 2))->target).p);
	block_unref(named);
	named = dns_name_targets(answer, NULL);
	assert_int_equal(block_count(named), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_requests),
		cmocka_unit_test(test_long_search_is_left_out),
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_targets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
