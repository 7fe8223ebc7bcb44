/* The scan of network namespaces over a made-up /proc: leaders, containers, mounts, zombies, reused pids. */
#include "core/source/namespaces.h"

#include "core/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "proctree.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

enum { HOST = 100, WEB = 200, BARE = 300, PARKED = 400 };

static const struct proctree_process processes[] = {
	{ .pid = 1, .netns = HOST, .pidns = 1, .comm = "init", .state = 'S', .start = 5 },
	{ .pid = 9, .ppid = 2, .netns = HOST, .pidns = 1, .comm = "kworker) S 1 (", .state = 'I', .start = 6 },
	/* An exec'd process with a lower number than the container's first one. */
	{ .pid = 40, .netns = WEB, .pidns = 2, .inner = 17, .comm = "sh", .state = 'S', .start = 900, .cgroup = "0::/docker/" ID "\n" },
	{ .pid = 50, .netns = WEB, .pidns = 2, .inner = 1, .comm = "nginx", .state = 'S', .start = 500, .cgroup = "0::/docker/" ID "/app\n" },
	{ .pid = 60, .netns = BARE, .pidns = 1, .comm = "sleep", .state = 'S', .start = 600 },
	{ .pid = 70, .netns = 0, .comm = "gone", .state = 'Z', .start = 700 },
};

static const char mounts[] =
	"20 1 0:20 / /proc rw - proc proc rw\n"
	"36 35 0:4 net:[400] /run/netns/parked rw shared:5 - nsfs nsfs rw\n"
	"37 35 0:4 net:[300] /run/netns/bare rw shared:5 - nsfs nsfs rw\n"
	"38 35 0:4 net:[400] /mnt/again rw shared:5 - nsfs nsfs rw\n"
	"39 35 0:4 net:[100] /run/docker/netns/default rw - nsfs nsfs rw\n";

static struct block *scan(struct namespaces_scan *s)
{
	struct builder *b = builder_new(&netns_row_type);
	struct err err = { 0 };
	struct block *ret;

	assert_int_equal(namespaces_scan_read(s, b, &err), 0);
	ret = builder_block(b);
	builder_free(b);
	return ret;
}

static const struct netns_row *find(const struct block *b, uint64_t inode)
{
	for (uint32_t i = 0; i < block_count(b); i++) {
		const struct netns_row *row = block_row(b, i);

		if (row->inode == inode)
			return row;
	}
	fail_msg("no namespace %u", (unsigned)inode);
	return NULL;
}

static void check_first(const struct block *b)
{
	const struct netns_row *row;

	assert_int_equal(block_count(b), 4);
	row = find(b, HOST);
	assert_true(row->is_host == 1 && row->pid == 1 && row->members.n == 2);
	assert_string_equal(proctree_text(b, row->container), "?");
	row = find(b, WEB);
	assert_true(row->is_host == 0 && row->pid == 50 && row->start == 500 && row->members.n == 2);
	assert_string_equal(proctree_text(b, row->leader), "nginx");
	assert_string_equal(proctree_text(b, row->container), ID);
	assert_string_equal(proctree_text(b, row->path), "?");
	row = find(b, BARE);
	assert_true(row->pid == 60 && row->members.n == 1);
	assert_string_equal(proctree_text(b, row->path), "/run/netns/bare");
	row = find(b, PARKED);
	assert_true(row->pid == ROW_NO_UINT && row->start == ROW_NO_UINT && row->members.n == 0);
	assert_string_equal(proctree_text(b, row->path), "/run/netns/parked");
}

static void scan_finds_all(void **state)
{
	struct proctree t;
	struct namespaces_scan *s;
	const struct netns_member_row *member;
	struct block *b;
	int fd;

	(void)state;
	proctree_make(&t);
	for (size_t i = 0; i < ARRAY_LEN(processes); i++)
		proctree_process(&t, &processes[i]);
	proctree_put(&t, "mountinfo", "%s", mounts);
	fd = openat(t.fd, "mountinfo", O_RDONLY | O_CLOEXEC);
	s = namespaces_scan_new(t.fd, fd);
	b = scan(s);
	check_first(b);
	member = block_nested(b, &netns_member_row_type, find(b, WEB)->members, 0);
	assert_true(member->pid == 40 && member->start == 900);
	block_unref(b);
	b = scan(s); /* from memory this time */
	check_first(b);
	block_unref(b);
	namespaces_scan_free(s);
	close(fd);
	proctree_remove(&t);
}

static void changes_are_seen(void **state)
{
	struct proctree_process web = processes[3], bare = processes[4];
	struct proctree t;
	struct namespaces_scan *s;
	const struct netns_row *row;
	struct block *b;

	(void)state;
	proctree_make(&t);
	proctree_process(&t, &processes[0]);
	proctree_process(&t, &web);
	proctree_process(&t, &bare);
	s = namespaces_scan_new(t.fd, -1);
	block_unref(scan(s));

	/* The same number, another process: the directory is another one. */
	assert_int_equal(renameat(t.fd, "50", t.fd, "old"), 0);
	web.start = 9999;
	web.inner = 1;
	proctree_process(&t, &web);
	/* A process enters another namespace and changes its name. */
	proctree_link(&t, "60/ns/net", "net:[%d]", WEB);
	b = scan(s);
	row = find(b, WEB);
	assert_true(row->pid == 50 && row->start == 9999);
	for (int i = 0; i < 7; i++) { /* one that is not new is looked at each eighth time */
		block_unref(b);
		b = scan(s);
	}
	assert_int_equal(block_count(b), 2);
	row = find(b, WEB);
	assert_true(row->pid == 50 && row->start == 9999 && row->members.n == 2);
	assert_string_equal(proctree_text(b, row->path), "?");
	block_unref(b);
	namespaces_scan_free(s);
	proctree_remove(&t);
}

#define SHIM "containerd-shim\0-namespace\0moby\0-id\0" ID "\0-address\0/run/containerd/containerd.sock"

static const struct proctree_process shim = { .pid = 30, .ppid = 1, .netns = HOST, .pidns = 1, .comm = "containerd-shim", .state = 'S',
	.start = 400, .uid = 1000 };

static void put_address(struct proctree *t, const char *address)
{
	proctree_put(t, "50/net/fib_trie", "Main:\n  +-- 0.0.0.0/0 3 0 5\n     |-- %s\n        /32 host LOCAL\n", address);
}

static const char *address_of(const struct block *b)
{
	static char text[64];
	struct text item;

	if (!block_list_item(b, find(b, WEB)->addresses, 0, &item))
		return "?";
	snprintf(text, sizeof text, "%.*s", (int)item.n, item.p);
	return text;
}

/* Pid 40, a command that an engine runs in the container, has the same parent as its first process, 50. */
static void containers_are_found(void **state)
{
	struct proctree_process web = processes[3], command = processes[2];
	const struct found_row *found;
	struct namespaces_scan *s;
	struct proctree t;
	struct block *b;

	(void)state;
	proctree_make(&t);
	proctree_process(&t, &processes[0]);
	proctree_process(&t, &shim);
	proctree_write(&t, "30/cmdline", SHIM, sizeof SHIM);
	web.ppid = command.ppid = 30;
	for (int with_command = 0; with_command <= 1; with_command++) {
		web.inner = with_command ? 1 : 0; /* alone it may share the pids of others */
		proctree_process(&t, &web);
		if (with_command)
			proctree_process(&t, &command);
		s = namespaces_scan_new(t.fd, -1);
		b = scan(s);
		assert_int_equal(find(b, WEB)->containers.n, 1);
		found = block_nested(b, &found_row_type, find(b, WEB)->containers, 0);
		assert_true(found->pid == 50 && found->owner == 1000);
		assert_string_equal(proctree_text(b, found->id), ID);
		assert_string_equal(proctree_text(b, find(b, WEB)->leader), "nginx");
		block_unref(b);
		namespaces_scan_free(s);
	}
	proctree_remove(&t);
}

static void addresses_are_read_in_turns(void **state)
{
	struct proctree_process web = processes[3];
	struct namespaces_scan *s;
	struct proctree t;
	struct block *b;
	int n = 0;

	(void)state;
	proctree_make(&t);
	proctree_process(&t, &processes[0]);
	proctree_process(&t, &shim);
	proctree_write(&t, "30/cmdline", SHIM, sizeof SHIM);
	web.ppid = 30;
	proctree_process(&t, &web);
	put_address(&t, "10.0.0.2");
	s = namespaces_scan_new(t.fd, -1);
	b = scan(s);
	assert_string_equal(address_of(b), "10.0.0.2");
	put_address(&t, "10.0.0.3");
	for (; n < 20 && strcmp(address_of(b), "10.0.0.3") != 0; n++) {
		block_unref(b);
		b = scan(s);
	}
	assert_true(n > 1 && n <= 8);
	put_address(&t, "10.0.0.4");
	block_unref(b);
	namespaces_scan_all(s);
	b = scan(s); /* asked to look */
	assert_string_equal(address_of(b), "10.0.0.4");
	block_unref(b);
	namespaces_scan_free(s);
	proctree_remove(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(scan_finds_all),
		cmocka_unit_test(changes_are_seen),
		cmocka_unit_test(containers_are_found),
		cmocka_unit_test(addresses_are_read_in_turns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
