/* Names for namespaces: which are valid, what a container's name becomes, which files bear our mark. */
#include "core/fd.h"
#include "core/netns.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static const char long63[] = "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz01234567890";
static const char long64[] = "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz012345678901";

static void test_valid(void **state)
{
	static const char *const good[] = { "web", "web-1", "web.1.x", "_", "7", "A_b", long63 };
	static const char *const bad[] = { "", ".", "..", ".web", "-web", "a/b", "../x", "a b", "a\nb", "a\x1b[m", "w\xc3\xa4", long64 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		assert_true(netns_name_valid(good[i]));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(netns_name_valid(bad[i]));
}

static void test_make(void **state)
{
	static const struct {
		const char *from, *suffix, *name;
	} rows[] = {
		{ "web", NULL, "web" },
		{ "web", "podman", "web-podman" },
		{ "../../etc", NULL, "etc" },
		{ "a/b c", NULL, "a_b_c" },
		{ "\x1b[31m", NULL, "31m" },
		{ "", NULL, "_" },
		{ "///", "x", "_-x" },
		{ long64, NULL, long63 },
		{ long64, "docker", "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz0123-docker" },
	};
	char name[MSG_NAME_TEXT];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		netns_name_make(text_of(rows[i].from), rows[i].suffix, name);
		assert_string_equal(name, rows[i].name);
		assert_true(netns_name_valid(name));
	}
}

static void put(int dir, const char *name, const char *text, mode_t mode)
{
	AUTO(fd_closep) int fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, text, strlen(text)), 0);
	assert_int_equal(fchmod(fd, mode), 0);
}

static void test_mark(void **state)
{
	static const char *const foreign[] = { "", "nsdbg 1 ", "nsdbg 1 \n", "nsdbg 1 12", "nsdbg 1 12\nx", "nsdbg 1 -12\n", "nsdbg 1 012\n",
		"nsdbg 2 12\n", "nsdbg 1 99999999999999999999\n", "nsdbg 1 12 \n", " nsdbg 1 12\n" };
	char path[] = "/tmp/nsdbg-netns-XXXXXX";
	AUTO(fd_closep) int dir = -1;
	uint64_t inode = 0;

	(void)state;
	assert_non_null(mkdtemp(path));
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	put(dir, "ours", "nsdbg 1 4026532177\n", 0444);
	if (geteuid() == 0) { /* a mark is root's: others cannot make one */
		assert_true(netns_mark(dir, "ours", &inode));
		assert_int_equal(inode, 4026532177);
		assert_int_equal(fchownat(dir, "ours", 1000, 1000, 0), 0);
	}
	assert_false(netns_mark(dir, "ours", &inode));
	for (size_t i = 0; i < ARRAY_LEN(foreign); i++) {
		put(dir, "foreign", foreign[i], 0444);
		assert_false(netns_mark(dir, "foreign", &inode));
	}
	put(dir, "target", "nsdbg 1 12\n", 0444);
	assert_int_equal(symlinkat("target", dir, "link"), 0);
	assert_false(netns_mark(dir, "link", &inode));
	assert_false(netns_mark(dir, "missing", &inode));
	for (size_t i = 0; i < 4; i++)
		unlinkat(dir, (const char *[]){ "ours", "foreign", "target", "link" }[i], 0);
	rmdir(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_valid),
		cmocka_unit_test(test_make),
		cmocka_unit_test(test_mark),
	};

	return cmocka_run_group_tests_name("netns", tests, NULL, NULL);
}
