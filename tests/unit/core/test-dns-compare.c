/* Who is asked beside the target's own resolver, and what is said about answers that do not fit. */
#include "core/dns/compare.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/block.h"
#include "core/dns/rows.h"
#include "core/fd.h"
#include "core/source/files.h"
#include "core/target.h"

static struct block *resolv(const char *text)
{
	struct builder *b = builder_new(&file_row_type);
	struct block *ret = NULL;

	if (text) {
		files_parse(b, "/etc/resolv.conf", text, strlen(text));
		ret = builder_block(b);
	}
	builder_free(b);
	return ret;
}

static const struct {
	const char *own, *host;
	const char *peers; /* who=server@namespace| */
} peers[] = {
	{ "nameserver 127.0.0.11\n", "nameserver 192.0.2.1\n",
		"Docker's embedded DNS=127.0.0.11@target own|host's resolver, Docker's upstream=192.0.2.1@host|" },
	{ "nameserver 127.0.0.11\n# ExtServers: [host(127.0.0.53) 8.8.8.8]\n", "nameserver 127.0.0.53\n",
		"Docker's embedded DNS=127.0.0.11@target own|Docker's upstream=127.0.0.53@host|Docker's upstream=8.8.8.8@target|" },
	{ "nameserver 192.0.2.1\n", "nameserver 192.0.2.1\n",
		"the target's name server=192.0.2.1@target own|host's resolver=192.0.2.1@host|" },
	{ "nameserver 10.96.0.10\nsearch shop.svc.cluster.local svc.cluster.local\n", NULL, "cluster DNS (CoreDNS)=10.96.0.10@target own|" },
	{ "nameserver 127.0.0.1\n# ExtServers: [8.8.8\n# ExtServers: x\n", NULL, "a resolver inside=127.0.0.1@target own|" },
	{ NULL, "nameserver 192.0.2.1\n", "host's resolver=192.0.2.1@host|" },
	{ NULL, NULL, "" },
};

static void test_peers(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(peers); i++) {
		AUTO(block_unrefp) struct block *own = resolv(peers[i].own), *host = resolv(peers[i].host);
		struct dns_peer list[DNS_MAX_PEERS];
		unsigned n = dns_compare_peers(own, host, list);
		char text[1024] = "", address[ADDR_TEXT];
		size_t at = 0;

		for (unsigned k = 0; k < n; k++)
			at += (size_t)snprintf(text + at, sizeof text - at, "%s=%s@%s%s|", list[k].who, addr_format(&list[k].server, address),
				list[k].on_host ? "host" : "target", list[k].is_own ? " own" : "");
		assert_string_equal(text, peers[i].peers);
	}
}

/* "172.18.0.3 172.18.0.4", "" NODATA, "NXDOMAIN", "timeout"; NULL: not asked. */
static struct block *said(const char *what, const char *server)
{
	struct builder *b = builder_new(&dns_row_type);
	struct block *ret = NULL;
	char copy[256];

	if (what) {
		bool is_data = what[0] >= '0' && what[0] <= '9';

		snprintf(copy, sizeof copy, "%s", what);
		for (char *save, *word = strtok_r(copy, " ", &save); word || !is_data; word = strtok_r(NULL, " ", &save)) {
			struct dns_row *row = dns_rows_blank(b);

			row->section = DNS_SECTION_ANSWER;
			row->name = builder_str(b, "db.");
			row->server = builder_str(b, server);
			row->rcode = builder_str(b, is_data || !what[0] ? "NOERROR" : what);
			if (!is_data)
				break;
			row->data = builder_str(b, word);
			addr_parse(word, &row->address);
		}
		ret = builder_block(b);
	}
	builder_free(b);
	return ret;
}

static struct block *containers(void)
{
	static const struct {
		const char *name, *address;
		enum target_state state;
	} list[] = { { "db", "172.18.0.3", TARGET_STATE_RUNNING }, { "old", "172.18.0.9", TARGET_STATE_EXITED } };
	struct builder *b = builder_new(&target_row_type);
	struct block *ret;

	for (size_t i = 0; i < ARRAY_LEN(list); i++) {
		struct target_row *t = builder_row(b);

		t->name = builder_str(b, list[i].name);
		t->state = list[i].state;
		builder_list_add(b, &t->addresses, list[i].address, strlen(list[i].address));
	}
	ret = builder_block(b);
	builder_free(b);
	return ret;
}

static struct block *networks(void)
{
	struct builder *b = builder_new(&network_row_type);
	struct network_row *n = builder_row(b);
	struct block *ret;

	n->name = builder_str(b, "shop");
	builder_list_add(b, &n->subnets, "172.18.0.0/16", 13);
	addr_parse("172.18.0.1", &n->gateway);
	ret = builder_block(b);
	builder_free(b);
	return ret;
}

static const struct {
	const char *own;
	const char *others[2]; /* an own server, the host's resolver */
	const char *findings; /* of the target, then of both */
} judged[] = {
	{ "172.18.0.3", { "172.18.0.3", "172.18.0.3" }, "-|-|-|" },
	{ "172.18.0.3", { "172.18.0.3", "NXDOMAIN" },
		"only the target's own resolver knows the name, as it should be for a container's|-|does not know it|" },
	{ "192.0.2.1", { "192.0.2.1", "" }, "only the target's own resolver knows the name|-|does not know it|" },
	{ "192.0.2.1 192.0.2.2", { "192.0.2.2 192.0.2.1", "192.0.2.2" }, "resolvers disagree: host's resolver says 192.0.2.2|-|some addresses differ|" },
	{ "192.0.2.1", { "192.0.2.1", "192.0.2.7" }, "resolvers disagree: host's resolver says 192.0.2.7|-|other addresses|" },
	{ "NXDOMAIN", { "NXDOMAIN", "192.0.2.7" },
		"the target does not find it, but host's resolver does: 192.0.2.7|-|knows it, the target does not find it|" },
	{ "timeout", { "timeout", "192.0.2.7" }, "none of the target's name servers replies|no reply|knows it, the target does not find it|" },
	{ "192.0.2.1", { "timeout", "192.0.2.1" }, "own does not reply|no reply|-|" },
	{ "192.0.2.1", { "192.0.2.1", "timeout" }, "host's resolver does not reply|-|no reply|" },
	{ "192.0.2.1", { "192.0.2.1", NULL }, "-|-|-|" },
	{ "172.18.0.77", { "172.18.0.77", NULL }, "stale: 172.18.0.77 lies in network shop, but no container has it|-|-|" },
	{ "172.18.0.9", { "172.18.0.9", "NXDOMAIN" }, "stale: 172.18.0.9 was old, which does not run any more|-|does not know it|" },
	{ "172.18.0.1", { "172.18.0.1", "172.18.0.1" }, "-|-|-|" }, /* the gateway is the host */
	{ "NXDOMAIN", { "NXDOMAIN", "NXDOMAIN" }, "-|-|-|" },
};

static void test_judges(void **state)
{
	static const struct dns_peer list[] = { { .who = "own", .server = { .kind = ADDR_IP4, .bytes = { 192, 0, 2, 53 } }, .is_own = true },
		{ .who = "host's resolver", .server = { .kind = ADDR_IP4, .bytes = { 192, 0, 2, 54 } }, .on_host = true } };
	AUTO(block_unrefp) struct block *targets = containers(), *nets = networks();
	struct dns_request asked = { .types = { 1, 28 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(judged); i++) {
		AUTO(block_unrefp) struct block *own = said(judged[i].own, "192.0.2.53");
		AUTO(block_unrefp) struct block *x = said(judged[i].others[0], "192.0.2.53"), *y = said(judged[i].others[1], "192.0.2.54");
		struct dns_compared c = { .asked = &asked, .name = "db.", .own = own, .peers = list, .answers = (struct block *[]){ x, y }, .n = 2,
			.targets = targets, .networks = nets };
		AUTO(block_unrefp) struct block *rows = dns_compare_rows(&c);
		char text[1024] = "";
		size_t n = 0;

		assert_int_equal(block_count(rows), 3);
		for (uint32_t k = 0; k < 3; k++) {
			struct text t = block_text(rows, ((const struct dns_compare_row *)block_row(rows, k))->finding);

			n += (size_t)snprintf(text + n, sizeof text - n, "%.*s|", t.p ? (int)t.n : 1, t.p ? t.p : "-");
		}
		assert_string_equal(text, judged[i].findings);
	}
}

static void test_question(void **state)
{
	AUTO(block_unrefp) struct block *own = said("172.18.0.3", "x"), *none = said("NXDOMAIN", "x");
	struct dns_request asked = { .name = "db", .types = { 1, 28 }, .flags = DNS_TCP | DNS_EDNS }, q;
	struct dns_peer peer = { .server = { .kind = ADDR_IP4, .bytes = { 192, 0, 2, 53 } } };
	char name[DNS_NAME_TEXT];

	(void)state;
	dns_compare_name(own, &asked, name);
	assert_string_equal(name, "db.");
	dns_compare_name(none, &asked, name);
	assert_string_equal(name, "db.");
	dns_compare_request(&peer, &asked, name, 5000, &q);
	assert_int_equal(q.flags, DNS_TCP | DNS_NO_SEARCH | DNS_NO_HOSTS);
	assert_int_equal(q.libc, DNS_LIBC_NONE);
	assert_int_equal(q.deadline_ms, 2000);
	asked = (struct dns_request){ .name = "192.0.2.1", .types = { 12 } };
	dns_compare_name(none, &asked, name);
	assert_string_equal(name, "192.0.2.1");
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_peers), cmocka_unit_test(test_judges), cmocka_unit_test(test_question) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
