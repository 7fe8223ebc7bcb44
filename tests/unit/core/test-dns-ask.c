/* Asking: which names go to which servers in which order, as glibc's res_search and res_send would, and what is shown of it. */
#include "core/dns/ask.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/block.h"
#include "core/dns/batch.h"
#include "core/dns/exchange.h"
#include "core/dns/message.h"
#include "core/err.h"
#include "core/fd.h"

enum { MAX_LOG = 4096, SERVERS = 3 };

/*
 * What a server does with a name: letter '+' answers A with 192.0.2.1, 'e' a name without records, 'n' NXDOMAIN, 's' SERVFAIL,
 * 'r' REFUSED, 'f' FORMERR to EDNS else '+', '-' silence, 'b' bytes that cannot be, 'w' ten wrong ids. The last entry whose name fits; names of "" fit all.
 */
struct script {
	char server; /* '1' to '3', '*' all */
	const char *name;
	char action;
};

static const struct {
	const char *what;
	const char *name;
	const char *search[4];
	int ndots;
	const char *types[2];
	unsigned n_servers;
	unsigned flags;
	struct script script[5];
	const char *asked; /* server:name/type ... in order */
	const char *shown; /* name type data rcode server|, without the steps */
} searches[] = {
	{ "a name with dots goes first as it is", "db.x", { "s.example" }, 1, { "A" }, 1, 0, { { '*', "db.x.", '+' } },
		"1:db.x./A ", "db.x. A 192.0.2.1 NOERROR 1|" },
	{ "a short name takes the search list first", "db", { "one.example", "two.example" }, 1, { "A" }, 1, 0,
		{ { '*', "", 'n' }, { '*', "db.two.example.", '+' } }, "1:db.one.example./A 1:db.two.example./A ",
		"db.two.example. A 192.0.2.1 NOERROR 1|" },
	{ "and at last as it is", "db", { "one.example" }, 1, { "A" }, 1, 0, { { '*', "", 'n' }, { '*', "db.", '+' } },
		"1:db.one.example./A 1:db./A ", "db. A 192.0.2.1 NOERROR 1|" },
	{ "ndots:0 turns that round (Docker)", "db", { "one.example" }, 0, { "A" }, 1, 0, { { '*', "", 'n' }, { '*', "db.", '+' } },
		"1:db./A ", "db. A 192.0.2.1 NOERROR 1|" },
	{ "ndots:5 searches long names too (Kubernetes)", "api.partner.example", { "ns.svc", "svc" }, 5, { "A" }, 1, 0,
		{ { '*', "", 'n' }, { '*', "api.partner.example.", '+' } },
		"1:api.partner.example.ns.svc./A 1:api.partner.example.svc./A 1:api.partner.example./A ",
		"api.partner.example. A 192.0.2.1 NOERROR 1|" },
	{ "a dot at the end: nothing is added", "db.", { "one.example" }, 5, { "A" }, 1, 0, { { '*', "", 'n' } }, "1:db./A ",
		"db. A - NXDOMAIN 1|" },
	{ "no search when told so", "db", { "one.example" }, 5, { "A" }, 1, DNS_NO_SEARCH, { { '*', "", 'n' } }, "1:db./A ",
		"db. A - NXDOMAIN 1|" },
	{ "the typed name decides when all fail", "db.x", { "one.example" }, 1, { "A" }, 1, 0,
		{ { '*', "", 'n' }, { '*', "db.x.one.example.", 'e' } }, "1:db.x./A 1:db.x.one.example./A ", "db.x. A - NXDOMAIN 1|" },
	{ "a name without records is better than none", "db", { "one.example", "two.example" }, 1, { "A" }, 1, 0,
		{ { '*', "", 'n' }, { '*', "db.one.example.", 'e' } },
		"1:db.one.example./A 1:db.two.example./A 1:db./A ", "db.one.example. A - NOERROR 1|" },
	{ "SERVFAIL goes on with the list", "db", { "one.example", "two.example" }, 1, { "A" }, 1, 0,
		{ { '*', "", 'n' }, { '*', "db.one.example.", 's' }, { '*', "db.two.example.", '+' } },
		"1:db.one.example./A 1:db.one.example./A 1:db.two.example./A ", "db.two.example. A 192.0.2.1 NOERROR 1|" },
	{ "REFUSED ends the list", "db", { "one.example", "two.example" }, 1, { "A" }, 1, 0,
		{ { '*', "", '+' }, { '*', "db.one.example.", 'r' } }, "1:db.one.example./A 1:db.one.example./A 1:db./A ",
		"db. A 192.0.2.1 NOERROR 1|" },
	{ "search of the root is the name itself", "db", { "." }, 1, { "A" }, 1, 0, { { '*', "", 'n' } }, "1:db./A ",
		"db. A - NXDOMAIN 1|" },
	{ "a search name that is none is passed over", "db", { "a..b", "two.example" }, 1, { "A" }, 1, 0,
		{ { '*', "", 'n' }, { '*', "db.two.example.", '+' } }, "1:db.two.example./A ", "db.two.example. A 192.0.2.1 NOERROR 1|" },
	{ "both types at the same time; one answer is enough", "db", { "one.example" }, 1, { "A", "AAAA" }, 1, 0,
		{ { '*', "", 'n' }, { '*', "db.one.example.", '+' } }, "1:db.one.example./A 1:db.one.example./AAAA ",
		"db.one.example. A 192.0.2.1 NOERROR 1|db.one.example. AAAA - NOERROR 1|" },
	{ "SERVFAIL: the next server", "db.x", { NULL }, 1, { "A" }, 3, 0, { { '*', "", '+' }, { '1', "", 's' } },
		"1:db.x./A 2:db.x./A ", "db.x. A 192.0.2.1 NOERROR 2|" },
	{ "NXDOMAIN is an answer: no other server", "db.x", { NULL }, 1, { "A" }, 3, 0, { { '*', "", '+' }, { '1', "", 'n' } },
		"1:db.x./A ", "db.x. A - NXDOMAIN 1|" },
	{ "silence: the next server", "db.x", { NULL }, 1, { "A" }, 2, 0, { { '1', "", '-' }, { '2', "", '+' } },
		"1:db.x./A 2:db.x./A ", "db.x. A 192.0.2.1 NOERROR 2|" },
	{ "silence everywhere: each twice, one name of the list, the typed one decides", "db.x", { "one.example", "two.example" }, 1,
		{ "A" }, 2, 0, { { '*', "", '-' } },
		"1:db.x./A 2:db.x./A 1:db.x./A 2:db.x./A 1:db.x.one.example./A 2:db.x.one.example./A 1:db.x.one.example./A "
		"2:db.x.one.example./A ", "db.x. A - timeout 2|" },
	{ "a server that knows no EDNS is asked without", "db.x", { NULL }, 1, { "A" }, 1, DNS_EDNS, { { '*', "", 'f' } },
		"1:db.x./A 1:db.x./A ", "db.x. A 192.0.2.1 NOERROR 1|" },
	{ "bytes that cannot be end the matter", "db.x", { NULL }, 1, { "A" }, 2, 0, { { '*', "", 'b' } }, "1:db.x./A ",
		"db.x. A - malformed 1|" },
	{ "ten wrong ids: TCP, where nobody listens here", "db.x", { NULL }, 1, { "A" }, 2, 0, { { '1', "", 'w' }, { '2', "", '+' } },
		"1:db.x./A 2:db.x./A ", "db.x. A 192.0.2.1 NOERROR 2|" },
	{ "an address becomes its name under arpa", "192.0.2.7", { "one.example" }, 9, { "PTR" }, 1, 0, { { '*', "", 'n' } },
		"1:7.2.0.192.in-addr.arpa./PTR ", "7.2.0.192.in-addr.arpa. PTR - NXDOMAIN 1|" },
	{ "only when PTR is asked for", "192.0.2.7", { NULL }, 1, { "A" }, 1, 0, { { '*', "", 'n' } }, "1:192.0.2.7./A ",
		"192.0.2.7. A - NXDOMAIN 1|" },
};

/* --- the servers --- */

struct lab {
	pid_t pid;
	uint16_t port;
	int log; /* read end */
	int fds[SERVERS];
};

static char action_of(const struct script *script, char server, const char *name)
{
	char action = 'n';

	for (const struct script *s = script; s < script + 5 && s->action; s++)
		if ((s->server == '*' || s->server == server) && (!s->name[0] || strcmp(s->name, name) == 0))
			action = s->action;
	return action;
}

static size_t reply_for(char action, uint8_t *msg, size_t n, uint16_t type)
{
	static const uint8_t record[] = "\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\xc0\0\2\1";
	static const char rcodes[] = { ['f'] = 1, ['n'] = 3, ['s'] = 2, ['r'] = 5, ['e'] = 0, ['+'] = 0, ['b'] = 0, ['w'] = 0 };

	if (action == 'f' && msg[11] == 0) /* no OPT record */
		action = '+';
	msg[2] = 0x81;
	msg[3] = (uint8_t)(0x80 | rcodes[(unsigned char)action]);
	if (action == 'b' || (action == '+' && type == 1))
		msg[7] = 1;
	if (action != '+' || type != 1)
		return n;
	memcpy(msg + n, record, sizeof record - 1);
	return n + sizeof record - 1;
}

static void answer_one(int fd, char server, const struct script *script, int log)
{
	struct sockaddr_in from;
	socklen_t len = sizeof from;
	char name[DNS_NAME_PRINT], line[DNS_NAME_PRINT + 32], number[16];
	struct dns_question q;
	struct dns_reader r;
	uint8_t msg[1500];
	ssize_t n = recvfrom(fd, msg, 512, 0, (struct sockaddr *)&from, &len);
	char action;
	int line_n;

	if (n < 0 || !dns_message_open(&r, msg, (size_t)n) || dns_message_question(&r, &q) != 1)
		return;
	dns_name_format(&q.name, name, sizeof name);
	line_n = snprintf(line, sizeof line, "%c:%s/%s ", server, name, dns_type_name(q.type, number));
	if (fd_write_all(log, line, (size_t)line_n) < 0)
		_exit(1);
	action = action_of(script, server, name);
	if (action == '-')
		return;
	n = (ssize_t)reply_for(action, msg, (size_t)n, q.type);
	for (int i = 0; action == 'w' && i < DNS_MAX_UNEXPECTED - 1; i++) {
		msg[0]++;
		sendto(fd, msg, (size_t)n, 0, (struct sockaddr *)&from, len);
	}
	msg[0] = (uint8_t)(msg[0] + (action == 'w'));
	sendto(fd, msg, (size_t)n, 0, (struct sockaddr *)&from, len);
}

static _Noreturn void run_servers(const struct lab *lab, const struct script *script, int log)
{
	struct pollfd p[SERVERS];

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		for (int i = 0; i < SERVERS; i++)
			p[i] = (struct pollfd){ .fd = lab->fds[i], .events = POLLIN };
		poll(p, SERVERS, -1);
		for (int i = 0; i < SERVERS; i++)
			if (p[i].revents)
				answer_one(lab->fds[i], (char)('1' + i), script, log);
	}
}

/* 127.0.0.1 to 127.0.0.3 on one port. */
static void bind_servers(struct lab *lab)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	socklen_t len = sizeof at;

	for (int i = 0; i < SERVERS; i++) {
		lab->fds[i] = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		at.sin_addr.s_addr = htonl(INADDR_LOOPBACK + (unsigned)i);
		assert_int_equal(bind(lab->fds[i], (struct sockaddr *)&at, sizeof at), 0);
		assert_int_equal(getsockname(lab->fds[i], (struct sockaddr *)&at, &len), 0);
	}
	lab->port = ntohs(at.sin_port);
}

static void start_lab(struct lab *lab, const struct script *script)
{
	int ends[2];

	bind_servers(lab);
	assert_int_equal(pipe(ends), 0);
	lab->pid = fork();
	if (lab->pid == 0)
		run_servers(lab, script, ends[1]);
	close(ends[1]);
	lab->log = ends[0];
	for (int i = 0; i < SERVERS; i++)
		close(lab->fds[i]);
}

static void stop_lab(struct lab *lab, char *log, size_t cap)
{
	ssize_t n;

	kill(lab->pid, SIGKILL);
	waitpid(lab->pid, NULL, 0);
	n = fd_read_all(lab->log, log, cap - 1);
	log[n > 0 ? n : 0] = 0;
	close(lab->log);
}

/* --- asking --- */

static void fill(struct dns_request *q, size_t i, uint16_t port)
{
	memset(q, 0, sizeof *q);
	strcpy(q->name, searches[i].name);
	for (; q->n_search < 4 && searches[i].search[q->n_search]; q->n_search++)
		strcpy(q->search[q->n_search], searches[i].search[q->n_search]);
	for (unsigned k = 0; k < searches[i].n_servers; k++)
		q->servers[k] = addr_ip4((uint8_t[]){ 127, 0, 0, (uint8_t)(1 + k) });
	q->n_servers = (uint16_t)searches[i].n_servers;
	for (int k = 0; k < 2 && searches[i].types[k]; k++)
		q->types[k] = dns_type_parse(searches[i].types[k]);
	q->ndots = (uint16_t)searches[i].ndots;
	q->flags = searches[i].flags;
	q->port = port;
	q->timeout_ms = searches[i].script[0].server == '*' && searches[i].script[0].action == '-' ? 100 : 1500;
	q->attempts = 2;
	q->deadline_ms = 30000;
}

/* All but the steps; the server by its last digit before the port. */
static void describe(const struct block *b, char *ret, size_t cap)
{
	size_t n = 0;

	ret[0] = 0;
	for (uint32_t i = 0; i < block_count(b); i++) {
		const struct dns_row *row = block_row(b, i);
		struct text name = block_text(b, row->name), type = block_text(b, row->type), data = block_text(b, row->data);
		struct text rcode = block_text(b, row->rcode), server = block_text(b, row->server);

		if (row->section == DNS_SECTION_STEP)
			continue;
		n += (size_t)snprintf(ret + n, cap - n, "%.*s %.*s %.*s %.*s %c|", (int)name.n, name.p, (int)type.n, type.p,
			data.p ? (int)data.n : 1, data.p ? data.p : "-", (int)rcode.n, rcode.p, server.p[8]);
	}
}

static void test_searches(void **state)
{
	char log[MAX_LOG], shown[MAX_LOG];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(searches); i++) {
		AUTO(block_unrefp) struct block *b = NULL;
		struct builder *builder = builder_new(&dns_row_type);
		struct err err = { 0 };
		struct dns_request q;
		struct lab lab;

		print_message("# %s\n", searches[i].what);
		start_lab(&lab, searches[i].script);
		fill(&q, i, lab.port);
		assert_int_equal(dns_ask_run(&q, NULL, builder, &err), 0);
		stop_lab(&lab, log, sizeof log);
		b = builder_block(builder);
		builder_free(builder);
		describe(b, shown, sizeof shown);
		assert_string_equal(log, searches[i].asked);
		assert_string_equal(shown, searches[i].shown);
	}
}

/* --- as a libc does: tests/lab/check_replay.py compares the packets; here it is what they make of replies --- */

static const struct {
	const char *what;
	enum dns_libc libc;
	const char *name;
	const char *types[2];
	unsigned n_servers;
	unsigned flags;
	struct script script[5];
	const char *asked;
	const char *shown;
} replayed[] = {
	{ "glibc: both types, the first domain", DNS_LIBC_GLIBC, "db", { "A", "AAAA" }, 1, 0, { { '*', "db.one.example.", '+' } },
		"1:db.one.example./A 1:db.one.example./AAAA ", "db.one.example. A 192.0.2.1 NOERROR 1|db.one.example. AAAA - NOERROR 1|" },
	{ "glibc: SERVFAIL, the next server", DNS_LIBC_GLIBC, "db.x", { "A", "AAAA" }, 2, 0, { { '*', "", '+' }, { '1', "", 's' } },
		"1:db.x./A 1:db.x./AAAA 2:db.x./A 2:db.x./AAAA ", "db.x. A 192.0.2.1 NOERROR 2|db.x. AAAA - NOERROR 2|" },
	{ "glibc: FORMERR is final, EDNS or not", DNS_LIBC_GLIBC, "db.", { "A" }, 1, DNS_EDNS, { { '*', "", 'f' } }, "1:db./A ",
		"db. A - FORMERR 1|" },
	{ "glibc: half a message is taken for an answer", DNS_LIBC_GLIBC, "db.", { "A" }, 2, 0, { { '*', "", 'b' } }, "1:db./A ",
		"db. A - malformed 1|" },
	{ "glibc: wrong ids are waited out", DNS_LIBC_GLIBC, "db.", { "A" }, 2, 0, { { '1', "", 'w' }, { '2', "", '+' } }, "1:db./A 2:db./A ",
		"db. A 192.0.2.1 NOERROR 2|" },
	{ "glibc: no-aaaa", DNS_LIBC_GLIBC, "db.", { "A", "AAAA" }, 1, DNS_NO_AAAA, { { '*', "", '+' } }, "1:db./A ", "db. A 192.0.2.1 NOERROR 1|" },
	{ "glibc: one at a time", DNS_LIBC_GLIBC, "db.", { "A", "AAAA" }, 1, DNS_SINGLE_REQUEST | DNS_SINGLE_REOPEN, { { '*', "", '+' } },
		"1:db./A 1:db./AAAA ", "db. A 192.0.2.1 NOERROR 1|db. AAAA - NOERROR 1|" },
	{ "musl: a name without records ends the search", DNS_LIBC_MUSL, "db", { "A", "AAAA" }, 1, 0, { { '*', "db.one.example.", 'e' } },
		"1:db.one.example./A 1:db.one.example./AAAA ", "db.one.example. A - NOERROR 1|db.one.example. AAAA - NOERROR 1|" },
	{ "musl: SERVFAIL again at once, twice a question", DNS_LIBC_MUSL, "db.", { "A" }, 1, 0, { { '*', "", 's' } },
		"1:db./A 1:db./A 1:db./A ", "db. A - SERVFAIL 1|" },
	{ "musl: no search list but for addresses", DNS_LIBC_MUSL, "db", { "MX" }, 1, 0, { { '*', "", 'n' } }, "1:db./MX ", "db. MX - NXDOMAIN 1|" },
};

static void test_replays(void **state)
{
	char log[MAX_LOG], shown[MAX_LOG];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(replayed); i++) {
		struct dns_request q = { .n_search = 1, .search = { "one.example" }, .ndots = 1, .timeout_ms = 1000, .attempts = 1,
			.deadline_ms = 30000, .libc = replayed[i].libc, .flags = replayed[i].flags, .n_servers = (uint16_t)replayed[i].n_servers };
		AUTO(block_unrefp) struct block *b = NULL;
		struct builder *builder = builder_new(&dns_row_type);
		struct err err = { 0 };
		struct lab lab;

		print_message("# %s\n", replayed[i].what);
		strcpy(q.name, replayed[i].name);
		for (unsigned k = 0; k < replayed[i].n_servers; k++)
			q.servers[k] = addr_ip4((uint8_t[]){ 127, 0, 0, (uint8_t)(1 + k) });
		for (int k = 0; k < 2 && replayed[i].types[k]; k++)
			q.types[k] = dns_type_parse(replayed[i].types[k]);
		start_lab(&lab, replayed[i].script);
		q.port = lab.port;
		assert_int_equal(dns_ask_run(&q, NULL, builder, &err), 0);
		stop_lab(&lab, log, sizeof log);
		b = builder_block(builder);
		builder_free(builder);
		describe(b, shown, sizeof shown);
		assert_string_equal(log, replayed[i].asked);
		assert_string_equal(shown, replayed[i].shown);
	}
}

/* --- many names --- */

static void keep_rows(void *arg, const struct block *rows)
{
	struct builder *b = arg;

	for (uint32_t i = 0; i < block_count(rows); i++)
		builder_copy_row(b, rows, block_row(rows, i));
}

static void add_to_list(struct dns_batch_list *list, const struct dns_request *q, uint32_t position)
{
	struct dns_batch_entry entry = { .position = position, .n_name = (uint16_t)strlen(q->name) };

	memcpy(entry.types, q->types, sizeof entry.types);
	dns_batch_add(list, &entry, q->name);
}

static struct block *ask_list(const struct dns_request *as, const struct dns_batch_list *list)
{
	static const struct dns_watch nothing = { .channel = -1, .pidfd = -1 };
	struct builder *builder = builder_new(&dns_row_type);
	struct err err = { 0 };
	struct block *b;

	assert_int_equal(dns_batch_run(as, list->bytes, list->n, &nothing, keep_rows, builder, &err), 0);
	b = builder_block(builder);
	builder_free(builder);
	return b;
}

/* Asked as one of a list, a name goes to the same servers in the same order, and the same is shown. */
static void test_searches_as_list(void **state)
{
	char log[MAX_LOG], shown[MAX_LOG];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(searches); i++) {
		AUTO(block_unrefp) struct block *b = NULL;
		struct dns_batch_list list = { 0 };
		struct dns_request q;
		struct lab lab;

		print_message("# %s\n", searches[i].what);
		start_lab(&lab, searches[i].script);
		fill(&q, i, lab.port);
		add_to_list(&list, &q, 1);
		memset(q.name, 'x', 9); /* neither counts: the list has its own */
		q.types[0] = 99;
		b = ask_list(&q, &list);
		stop_lab(&lab, log, sizeof log);
		describe(b, shown, sizeof shown);
		assert_string_equal(log, searches[i].asked);
		assert_string_equal(shown, searches[i].shown);
		free(list.bytes);
	}
}

/* Two servers that never answer: one after the other that is 200 names of 2 x 200 ms; in a window of 32 it is a few of them. */
static void test_window(void **state)
{
	static const struct script script[5] = { { '*', "", '+' }, { '*', "dead.x.", '-' } };
	struct dns_request q = { .types = { 1 }, .n_servers = 2, .deadline_ms = 3000, .timeout_ms = 200, .attempts = 1, .flags = DNS_NO_SEARCH };
	AUTO(block_unrefp) struct block *b = NULL;
	struct dns_batch_list list = { 0 };
	unsigned rows[201] = { 0 }, silent = 0;
	char log[MAX_LOG];
	uint64_t from = dns_now_us();
	struct lab lab;

	(void)state;
	start_lab(&lab, script);
	for (unsigned k = 0; k < 2; k++)
		q.servers[k] = addr_ip4((uint8_t[]){ 127, 0, 0, (uint8_t)(1 + k) });
	q.port = lab.port;
	for (uint32_t i = 1; i <= 200; i++) {
		snprintf(q.name, sizeof q.name, i % 4 == 0 ? "dead.x" : i == 7 ? "bad..name" : "n%u.x", i);
		add_to_list(&list, &q, i);
	}
	b = ask_list(&q, &list);
	stop_lab(&lab, log, sizeof log);
	free(list.bytes);
	for (uint32_t i = 0; i < block_count(b); i++) {
		const struct dns_row *row = block_row(b, i);
		char asked[16];

		assert_in_range(row->position, 1, 200);
		snprintf(asked, sizeof asked, row->position % 4 == 0 ? "dead.x" : row->position == 7 ? "bad..name" : "n%u.x", (unsigned)row->position);
		assert_true(text_equal(block_text(b, row->asked), text_of(asked)));
		rows[row->position] += row->section == DNS_SECTION_ANSWER;
		silent += row->section == DNS_SECTION_ANSWER && text_equal(block_text(b, row->rcode), text_of("timeout"));
	}
	for (unsigned i = 1; i <= 200; i++)
		assert_int_equal(rows[i], 1);
	assert_int_equal(silent, 50);
	assert_in_range(dns_now_us() - from, 300000, 5000000); /* 20 s one by one */
}

/* A list that is none: nothing is read beyond its end, nothing asked. */
static void test_broken_list(void **state)
{
	static const struct dns_watch nothing = { .channel = -1, .pidfd = -1 };
	struct dns_request q = { .name = "db.x", .types = { 1 } };
	struct builder *builder = builder_new(&dns_row_type);
	struct dns_batch_list list = { 0 };
	struct err err = { 0 };

	(void)state;
	add_to_list(&list, &q, 1);
	for (size_t n = 1; n < list.n; n++)
		assert_int_equal(dns_batch_run(&q, list.bytes, n, &nothing, keep_rows, builder, &err), -EBADMSG);
	assert_int_equal(dns_batch_run(&q, list.bytes, 0, &nothing, keep_rows, builder, &err), 0);
	assert_int_equal(builder_count(builder), 0);
	builder_free(builder);
	free(list.bytes);
}

static struct block *ask_one(const struct dns_request *q, const struct dns_watch *watch, int expected)
{
	struct builder *builder = builder_new(&dns_row_type);
	struct err err = { 0 };
	struct block *b;

	assert_int_equal(dns_ask_run(q, watch, builder, &err), expected);
	if (expected == -EINVAL || expected == -ENAMETOOLONG)
		assert_true(err.msg[0]);
	b = builder_block(builder);
	builder_free(builder);
	return b;
}

static bool says(const struct block *b, uint32_t i, const char *rcode)
{
	const struct dns_row *row = block_row(b, i);

	return text_equal(block_text(b, row->rcode), text_of(rcode));
}

/* A dead first server takes its part of the deadline, not all of it; nothing waits longer than the deadline. */
static void test_deadline(void **state)
{
	static const struct script script[5] = { { '1', "", '-' }, { '2', "", '-' }, { '3', "", '+' } };
	struct dns_request q = { .name = "db.x", .types = { 1 }, .n_servers = 3, .deadline_ms = 3000, .timeout_ms = 5000 };
	AUTO(block_unrefp) struct block *b = NULL;
	char log[MAX_LOG];
	struct lab lab;
	uint64_t from;

	(void)state;
	start_lab(&lab, script);
	for (unsigned k = 0; k < 3; k++)
		q.servers[k] = addr_ip4((uint8_t[]){ 127, 0, 0, (uint8_t)(1 + k) });
	q.port = lab.port;
	from = dns_now_us();
	b = ask_one(&q, NULL, 0);
	assert_in_range(dns_now_us() - from, 1900000, 2990000);
	assert_int_equal(block_count(b), 4);
	assert_true(says(b, 0, "timeout") && says(b, 1, "timeout") && says(b, 2, "NOERROR") && says(b, 3, "NOERROR"));
	block_unref(b);
	q.n_servers = 2;
	q.deadline_ms = 600;
	from = dns_now_us();
	b = ask_one(&q, NULL, 0);
	assert_in_range(dns_now_us() - from, 590000, 2500000);
	assert_true(says(b, block_count(b) - 1, "timeout"));
	stop_lab(&lab, log, sizeof log);
}

static void test_nobody_listens(void **state)
{
	struct dns_request q = { .name = "db", .types = { 1, 28 }, .n_search = 1, .search = { "x" }, .ndots = 1, .port = 1 };
	AUTO(block_unrefp) struct block *b = ask_one(&q, NULL, 0);
	const struct dns_row *last = block_row(b, block_count(b) - 1);

	(void)state;
	/* Two types, two attempts, one name; then the verdict of each. No server named: 127.0.0.1, as libc does. */
	assert_int_equal(block_count(b), 6);
	for (uint32_t i = 0; i < 6; i++)
		assert_true(says(b, i, "refused by 127.0.0.1:1"));
	assert_int_equal(last->head.severity, SEVERITY_BAD);
	assert_int_equal(last->ttl, ROW_NO_UINT);
	assert_int_equal(last->size, ROW_NO_UINT);
	assert_null(block_text(b, last->data).p);
	assert_null(block_text(b, last->flags).p);
	assert_int_equal(last->address.kind, ADDR_NONE);
}

/* The app leaves, or the target ends, while a server is silent: at once, not at the deadline. */
static void test_watch(void **state)
{
	static const struct script script[5] = { { '*', "", '-' } };
	struct dns_request q = { .name = "db.x", .types = { 1 }, .n_servers = 1, .deadline_ms = 5000 };
	struct dns_watch watch = { .channel = -1, .pidfd = -1 };
	char log[MAX_LOG];
	struct lab lab;
	uint64_t from;
	int pair[2];

	(void)state;
	start_lab(&lab, script);
	q.servers[0] = addr_ip4((uint8_t[]){ 127, 0, 0, 1 });
	q.port = lab.port;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	watch.channel = pair[0];
	from = dns_now_us();
	close(pair[1]);
	block_unref(ask_one(&q, &watch, -EPIPE));
	watch.channel = -1;
	watch.pidfd = pair[0]; /* readable at its end, like a pidfd */
	block_unref(ask_one(&q, &watch, -ESRCH));
	assert_in_range(dns_now_us() - from, 0, 4000000);
	close(pair[0]);
	stop_lab(&lab, log, sizeof log);
}

/* A request with everything out of bounds, and names that are none. */
static void test_bad_requests(void **state)
{
	struct dns_request q;

	(void)state;
	memset(&q, 'a', sizeof q);
	block_unref(ask_one(&q, NULL, -ENAMETOOLONG));
	memset(&q, 0xff, sizeof q);
	block_unref(ask_one(&q, NULL, -EINVAL));
	q = (struct dns_request){ .name = "" };
	block_unref(ask_one(&q, NULL, -EINVAL));
	q = (struct dns_request){ .name = ".." };
	block_unref(ask_one(&q, NULL, -EINVAL));
	memset(&q, 0xff, sizeof q);
	strcpy(q.name, "x.");
	q.deadline_ms = 100;
	block_unref(ask_one(&q, NULL, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_searches), cmocka_unit_test(test_replays),
		cmocka_unit_test(test_searches_as_list),
		cmocka_unit_test(test_window),
		cmocka_unit_test(test_broken_list),
		cmocka_unit_test(test_deadline),
		cmocka_unit_test(test_nobody_listens),
		cmocka_unit_test(test_watch),
		cmocka_unit_test(test_bad_requests),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
