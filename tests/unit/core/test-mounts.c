/* mountinfo: the type of a mount by its number, whatever a container wrote into its paths. */
#include "core/source/mounts.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/fd.h"

static const char mountinfo[] = "21 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"
	"212 21 0:20 / /proc rw - proc proc rw\n"
	"2 21 0:44 / /mnt/a\\040-\\040b rw master:3 propagate_from:2 - fuse.sshfs host:/ rw,user_id=0\n"
	"33 21 0:45 / /x rw -\n"
	"34 21 0:46 / /x rw no separator\n"
	"35 21 0:47 / /x rw - aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa x rw\n"
	"999999999999999999999 21 0:48 / /x rw - ext4 x rw\n"
	"\n-\n - ext4\nx 21 0:49 / /y rw - ext4 x rw\n"
	"40 21 0:50 / /cut rw - nfs4";

static const struct {
	uint64_t id;
	const char *type; /* NULL: not found */
} rows[] = {
	{ 21, "ext4" },
	{ 212, "proc" },
	{ 2, "fuse.sshfs" },
	{ 33, NULL },
	{ 34, NULL },
	{ 35, NULL },
	{ 1, NULL },
	{ 0, NULL },
	{ UINT64_MAX, NULL },
	{ 40, "nfs4" },
};

static void test_find(void **state)
{
	char type[MOUNTS_TYPE];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		bool found = mounts_find(text_of(mountinfo), rows[i].id, type);

		assert_int_equal(found, rows[i].type != NULL);
		if (found)
			assert_string_equal(type, rows[i].type);
	}
	assert_false(mounts_find((struct text){ 0 }, 1, type));
}

static void test_own(void **state)
{
	AUTO(fd_closep) int proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	AUTO(fd_closep) int self = openat(proc, "self", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char type[MOUNTS_TYPE];

	(void)state;
	assert_true(mounts_type(proc, self, proc, type));
	assert_string_equal(type, "proc");
	assert_true(mounts_type(proc, -1, self, type));
	assert_string_equal(type, "proc");
	assert_false(mounts_type(proc, -1, 9999, type));
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_find), cmocka_unit_test(test_own) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
