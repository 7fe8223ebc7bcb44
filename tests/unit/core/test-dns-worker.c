/*
 * The files and dns workers for real: caged, in other processes' roots and network namespaces. Each target is a process of its own with
 * a root that lies in wait for whoever reads it (security.md B1 to B8). Needs root; skipped without.
 */
#include "core/dns/ask.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/block.h"
#include "core/dns/message.h"
#include "core/err.h"
#include "core/fd.h"
#include "core/loop.h"
#include "core/session.h"
#include "core/source/files.h"

static const char canary[] = "nameserver 6.6.6.6 # canary: outside of the container\n";

/* --- roots: run in the target's own mount namespace, in the directory that becomes its root --- */

static void put(const char *path, const char *text)
{
	AUTO(fd_closep) int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (fd < 0 || fd_write_all(fd, text, strlen(text)) < 0)
		_exit(3);
}

static void must(int r)
{
	if (r < 0)
		_exit(4);
}

static void root_plain(void)
{
	put("etc/resolv.conf", "nameserver 127.0.0.1\nsearch inside\n");
	put("etc/hosts", "127.0.0.1 localhost\n");
}

static void root_link_out(void)
{
	char dir[64], path[128];

	if (!getcwd(dir, sizeof dir))
		_exit(4);
	snprintf(path, sizeof path, "%s/canary", dir);
	must(symlink(path, "etc/resolv.conf"));
	snprintf(path, sizeof path, "../../../../../../../..%s/canary", dir);
	must(symlink(path, "etc/hosts"));
}

static void root_loop(void)
{
	must(symlink("hosts", "etc/resolv.conf"));
	must(symlink("resolv.conf", "etc/hosts"));
}

static void root_special(void)
{
	must(mkfifo("etc/resolv.conf", 0666));
	must(mknod("etc/hosts", S_IFCHR | 0666, (1 << 8) | 5)); /* /dev/zero */
	must(mkdir("etc/nsswitch.conf", 0755));
}

static void root_proc(void)
{
	must(mkdir("proc", 0755));
	must(mount("proc", "proc", "proc", 0, NULL));
	must(symlink("/proc/self/environ", "etc/resolv.conf"));
	must(symlink("/proc/kmsg", "etc/hosts"));
	must(symlink("/proc/self/fd/0", "etc/nsswitch.conf"));
}

/* As Docker does it: files of the host mounted over those of the image. */
static void root_mounted(void)
{
	put("etc/resolv.conf", "");
	put("from-host", "nameserver 127.0.0.11\noptions ndots:0\n");
	must(mkdir("other", 0755));
	must(mount("tmpfs", "other", "tmpfs", 0, NULL));
	put("other/resolv.conf", "nameserver 127.0.0.11\noptions ndots:0\n");
	must(mount("other/resolv.conf", "etc/resolv.conf", NULL, MS_BIND, NULL));
}

static void root_huge(void)
{
	AUTO(fd_closep) int fd = open("etc/resolv.conf", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	must(fd);
	must(ftruncate(fd, 1LL << 40));
	put("etc/hosts", "1.2.3.4 first\n");
	for (int i = 0; i < 17; i++) { /* 68 KiB */
		AUTO(fd_closep) int more = open("etc/hosts", O_WRONLY | O_APPEND | O_CLOEXEC);
		char line[4096];

		memset(line, '#', sizeof line);
		must(fd_write_all(more, line, sizeof line));
	}
}

static void root_empty(void)
{
	must(rmdir("etc"));
}

/* A link out of the root and a file take turns under one name for as long as the target lives. */
static void root_race(void)
{
	char dir[64], path[128];

	if (!getcwd(dir, sizeof dir))
		_exit(4);
	snprintf(path, sizeof path, "%s/canary", dir);
	if (fork() > 0)
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		must(symlink(path, "etc/a"));
		must(rename("etc/a", "etc/resolv.conf"));
		put("etc/b", "nameserver 127.0.0.1\n");
		must(rename("etc/b", "etc/resolv.conf"));
	}
}

/* A file system whose daemon never says a word. */
static void root_fuse(void)
{
	char options[96];
	int fd = open("/dev/fuse", O_RDWR); /* stays open: the mount lives as long as the target */

	put("etc/hosts", "");
	snprintf(options, sizeof options, "fd=%d,rootmode=100644,user_id=0,group_id=0,allow_other", fd);
	if (fd < 0 || mount("fuse", "etc/hosts", "fuse", 0, options) < 0)
		must(mount("proc", "etc/hosts", NULL, MS_BIND, NULL)); /* no FUSE here: the test says so */
}

static const struct {
	const char *what;
	void (*make)(void);
	const char *rows; /* key value|, in order; notes as note */
} roots[] = {
	{ "plain", root_plain,
		"nameserver 127.0.0.1|search inside|host localhost|error not there|" },
	{ "links out of the root", root_link_out, "error not there|error not there|error not there|" },
	{ "links in a circle", root_loop,
		"error symbolic links lead round in a circle, or to a place that cannot be trusted|"
		"error symbolic links lead round in a circle, or to a place that cannot be trusted|error not there|" },
	{ "a FIFO, a device, a directory", root_special,
		"error not a regular file|error not a regular file|error not a regular file|" },
	{ "links into /proc", root_proc,
		"error not a file of the container|error not a file of the container|"
		"error symbolic links lead round in a circle, or to a place that cannot be trusted|" },
	{ "mounted by the engine", root_mounted, "nameserver 127.0.0.11|option ndots:0|error not there|error not there|" },
	{ "one terabyte of nothing, too much text", root_huge, NULL },
	{ "nothing at all", root_empty, "error not there|error not there|error not there|" },
	{ "renamed all the time", root_race, NULL },
	{ "FUSE that does not answer", root_fuse, "error not there|error on a file system that may not answer|error not there|" },
};
enum { PLAIN = 0, HUGE_FILE = 6, RACE = 8, N_ROOTS = ARRAY_LEN(roots), WAIT_MS = 15000 };

/* --- targets --- */

struct lab {
	struct session *session;
	pid_t targets[N_ROOTS];
	int killer; /* write the number of a target here: this process may not kill any more once the session has begun */
	char dir[32];
};

static void loopback_up(void)
{
	AUTO(fd_closep) int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq r = { .ifr_name = "lo", .ifr_flags = IFF_UP };

	must(ioctl(fd, SIOCSIFFLAGS, &r));
}

/* Answers every question with 10.9.8.7, but those whose name begins with 's': they get nothing. */
static void serve_dns(int fd)
{
	static const uint8_t record[] = "\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\x0a\x09\x08\x07";
	struct sockaddr_in from;
	socklen_t len = sizeof from;
	uint8_t msg[1500];
	ssize_t n = recvfrom(fd, msg, 512, MSG_DONTWAIT, (struct sockaddr *)&from, &len);

	if (n < 17 || msg[13] == 's')
		return;
	msg[2] |= 0x80;
	msg[7] = 1;
	memcpy(msg + n, record, sizeof record - 1);
	sendto(fd, msg, (size_t)n + sizeof record - 1, 0, (struct sockaddr *)&from, len);
}

static _Noreturn void live(int ready)
{
	AUTO(fd_closep) int dns = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(53), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct pollfd p = { .fd = dns, .events = POLLIN };

	must(bind(dns, (struct sockaddr *)&at, sizeof at));
	must(fd_write_all(ready, "r", 1));
	while (poll(&p, 1, -1) >= 0)
		serve_dns(dns);
	_exit(0);
}

static _Noreturn void become_target(const char *dir, size_t i, int ready)
{
	must(unshare(CLONE_NEWNET | CLONE_NEWNS));
	must(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL));
	loopback_up();
	must(mount("tmpfs", dir, "tmpfs", 0, NULL)); /* seen by this process only */
	must(chdir(dir));
	must(mkdir("etc", 0755));
	roots[i].make();
	must(chroot("."));
	live(ready);
}

static int start_target(struct lab *lab, size_t i)
{
	int ready[2];
	ssize_t n;
	char c;

	if (pipe2(ready, O_CLOEXEC) < 0)
		return -1;
	lab->targets[i] = fork();
	if (lab->targets[i] == 0) {
		close(ready[0]);
		become_target(lab->dir, i, ready[1]);
	}
	close(ready[1]);
	n = read(ready[0], &c, 1);
	close(ready[0]);
	return n == 1 ? 0 : -1;
}

static int start_killer(struct lab *lab)
{
	unsigned char i;
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -1;
	if (fork() == 0) {
		close(ends[1]);
		while (read(ends[0], &i, 1) == 1)
			kill(lab->targets[i], SIGKILL);
		for (i = 0; i < N_ROOTS; i++) /* the test is over, or dead */
			kill(lab->targets[i], SIGKILL);
		if (chdir(lab->dir) == 0)
			unlink("canary");
		_exit(rmdir(lab->dir) < 0);
	}
	close(ends[0]);
	lab->killer = ends[1];
	return 0;
}

static const struct source *const sources[] = { &files_source, &dns_source };

static int start(void **state)
{
	struct lab *lab = fd_xcalloc(1, sizeof *lab);
	struct err err = { 0 };
	char path[64];

	*state = lab;
	if (geteuid() != 0)
		return 0;
	strcpy(lab->dir, "/tmp/nsdbg-test-XXXXXX");
	if (!mkdtemp(lab->dir))
		return -1;
	snprintf(path, sizeof path, "%s/canary", lab->dir);
	put(path, canary);
	for (size_t i = 0; i < N_ROOTS; i++)
		if (start_target(lab, i) < 0)
			return -1;
	if (start_killer(lab) < 0)
		return -1;
	if (session_start(sources, ARRAY_LEN(sources), &lab->session, &err) < 0) {
		fprintf(stderr, "%s\n", err.msg);
		return -1;
	}
	return 0;
}

static int stop(void **state)
{
	struct lab *lab = *state;

	session_stop(lab->session);
	if (lab->killer > 0)
		close(lab->killer);
	free(lab);
	return 0;
}

static struct lab *lab_of(void **state)
{
	struct lab *lab = *state;

	if (!lab->session)
		skip();
	return lab;
}

static struct link *open_link(struct lab *lab, const struct source *source, size_t i)
{
	struct target_ref ref = { .kind = TARGET_PID, .pid = lab->targets[i] };
	struct link *l = session_open(lab->session, source, &ref, NULL, 0, NULL);

	assert_non_null(l);
	return l;
}

static struct block *wait_block(struct link *l)
{
	struct link_event ev;

	for (;;) {
		link_wait(l, WAIT_MS, &ev);
		if (ev.type == LINK_BLOCK)
			return ev.block;
		if (ev.type != LINK_READY)
			fail_msg("no block: event %d code %d %s", ev.type, ev.code, ev.msg);
	}
}

/* --- files --- */

static void describe(const struct block *b, char *ret, size_t cap)
{
	static const char *const keys[] = { "nameserver", "search", "option", "host", "nss", "other", "error" };
	size_t n = 0;

	ret[0] = 0;
	for (uint32_t i = 0; i < block_count(b) && n < cap; i++) {
		const struct file_row *row = block_row(b, i);
		struct text value = block_text(b, row->value);

		if (row->key < ARRAY_LEN(keys)) /* not what it says about this machine */
			n += (size_t)snprintf(ret + n, cap - n, "%s %.*s|", keys[row->key], (int)value.n, value.p);
	}
}

static void test_roots(void **state)
{
	struct lab *lab = lab_of(state);
	char text[2048];

	for (size_t i = 0; i < N_ROOTS; i++) {
		struct link *l = open_link(lab, &files_source, i);
		AUTO(block_unrefp) struct block *b = wait_block(l);

		print_message("# %s\n", roots[i].what);
		link_free(l);
		describe(b, text, sizeof text);
		assert_null(strstr(text, "6.6.6.6"));
		if (roots[i].rows)
			assert_string_equal(text, roots[i].rows);
	}
}

static void test_cut(void **state)
{
	struct lab *lab = lab_of(state);
	struct link *l = open_link(lab, &files_source, HUGE_FILE);
	AUTO(block_unrefp) struct block *b = wait_block(l);
	const struct file_row *row = block_row(b, 0);
	int code;

	link_free(l);
	assert_int_equal(block_notes(b), 2);
	assert_true(text_contains(block_note(b, 0, &code), text_of("/etc/resolv.conf: only the first 64 KiB")));
	assert_int_equal(row->key, FILE_OTHER);
	assert_int_equal(block_text(b, row->value).n, 65536);
	row = block_row(b, 1);
	assert_true(text_equal(block_text(b, row->value), text_of("first")));
}

static void test_race(void **state)
{
	struct lab *lab = lab_of(state);
	char text[2048];

	for (int i = 0; i < 60; i++) {
		struct link *l = open_link(lab, &files_source, RACE);
		AUTO(block_unrefp) struct block *b = wait_block(l);

		link_free(l);
		describe(b, text, sizeof text);
		assert_null(strstr(text, "6.6.6.6"));
		if (strncmp(text, "nameserver 127.0.0.1|", 21) != 0 && strncmp(text, "error not there|", 16) != 0)
			fail_msg("%s", text);
	}
}

/* --- dns --- */

static struct dns_request question(const char *name)
{
	struct dns_request q;

	dns_request_from_files(NULL, &q);
	strcpy(q.name, name);
	q.types[0] = DNS_TYPE_A;
	return q;
}

static void test_asks_inside(void **state)
{
	struct lab *lab = lab_of(state);
	struct link *l = open_link(lab, &dns_source, PLAIN);
	struct dns_request q = question("db.x");

	for (uint32_t tag = 5; tag < 8; tag++) {
		AUTO(block_unrefp) struct block *b = NULL;
		const struct dns_row *row;

		assert_int_equal(link_request(l, tag, DNS_OP_ASK, &q, sizeof q, -1), 0);
		b = wait_block(l);
		assert_int_equal(block_count(b), 2);
		row = block_row(b, 1);
		assert_int_equal(row->section, DNS_SECTION_ANSWER);
		assert_true(text_equal(block_text(b, row->data), text_of("10.9.8.7")));
		assert_true(text_equal(block_text(b, row->server), text_of("127.0.0.1")));
		assert_in_range(row->time_us, 1, 2000000);
	}
	link_free(l);
}

/* TCP, refused, unreachable, link-local: every call on those ways must be allowed in the cage. */
static void test_cage_lets_it_fail(void **state)
{
	static const struct {
		const char *server;
		const char *zone;
		uint16_t port;
		uint32_t flags;
		const char *rcode;
	} rows[] = {
		{ "127.0.0.1", "", 54, 0, "refused by 127.0.0.1:54" },
		{ "127.0.0.1", "", 53, DNS_TCP, "refused by 127.0.0.1:53" },
		{ "::1", "", 54, 0, "refused by [::1]:54" },
		{ "8.8.8.8", "", 53, 0, "no route to 8.8.8.8:53" },
		{ "fe80::1", "", 53, 0, "not an address to ask: [fe80::1]:53" },
		{ "fe80::1", "nosuch0", 53, 0, "not an address to ask: [fe80::1%nosuch0]:53" },
	};
	struct lab *lab = lab_of(state);
	struct link *l = open_link(lab, &dns_source, PLAIN);

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct dns_request q = question("db.x");
		AUTO(block_unrefp) struct block *b = NULL;
		const struct dns_row *row;
		struct text rcode;

		assert_int_equal(addr_parse(rows[i].server, &q.servers[0]), 0);
		strcpy(q.zones[0], rows[i].zone);
		q.port = rows[i].port;
		q.flags = rows[i].flags;
		q.attempts = 1;
		assert_int_equal(link_request(l, 1, DNS_OP_ASK, &q, sizeof q, -1), 0);
		b = wait_block(l);
		row = block_row(b, block_count(b) - 1);
		rcode = block_text(b, row->rcode);
		if (!text_equal(rcode, text_of(rows[i].rcode)))
			fail_msg("%.*s instead of %s", (int)rcode.n, rcode.p, rows[i].rcode);
	}
	link_free(l);
}

static void test_bad_request(void **state)
{
	struct lab *lab = lab_of(state);
	struct link *l = open_link(lab, &dns_source, PLAIN);
	struct dns_request q = question("a..b");
	struct link_event ev;

	assert_int_equal(link_request(l, 3, DNS_OP_ASK, &q, sizeof q, -1), 0);
	do
		link_wait(l, WAIT_MS, &ev);
	while (ev.type == LINK_READY);
	assert_int_equal(ev.type, LINK_ERROR);
	assert_int_equal(ev.code, EINVAL);
	assert_int_equal(ev.tag, 3);
	assert_int_equal(link_request(l, 4, DNS_OP_ASK, &q, 12, -1), 0);
	link_wait(l, WAIT_MS, &ev);
	assert_int_equal(ev.type, LINK_ERROR);
	q = question("db.x"); /* and it still works */
	assert_int_equal(link_request(l, 5, DNS_OP_ASK, &q, sizeof q, -1), 0);
	block_unref(wait_block(l));
	link_free(l);
}

/* The last test: its target ends while a question waits for a server that never answers. */
static void test_target_ends(void **state)
{
	struct lab *lab = lab_of(state);
	struct link *l = open_link(lab, &dns_source, PLAIN);
	struct dns_request q = question("silent.x");
	struct link_event ev;
	uint64_t from;

	assert_int_equal(link_request(l, 3, DNS_OP_ASK, &q, sizeof q, -1), 0);
	link_wait(l, WAIT_MS, &ev);
	assert_int_equal(ev.type, LINK_READY);
	link_wait(l, 200, &ev);
	assert_int_equal(ev.type, LINK_NOTHING);
	from = loop_now_ms();
	assert_int_equal(write(lab->killer, &(unsigned char){ PLAIN }, 1), 1);
	link_wait(l, WAIT_MS, &ev);
	assert_int_equal(ev.type, LINK_GONE);
	link_wait(l, WAIT_MS, &ev);
	assert_int_equal(ev.type, LINK_CLOSED);
	assert_in_range(loop_now_ms() - from, 0, 4000); /* the question's own deadline is 5 s */
	link_free(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_roots),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_race),
		cmocka_unit_test(test_asks_inside),
		cmocka_unit_test(test_cage_lets_it_fail),
		cmocka_unit_test(test_bad_request),
		cmocka_unit_test(test_target_ends),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
