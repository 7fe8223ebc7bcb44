/* Refusals in words: who is sent to sudo, and who hears what is missing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above */
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/cage.h"
#include "core/err.h"
#include "core/fd.h"
#include "core/rights.h"
#include "core/tool.h"

static void test_names(void **state)
{
	char buf[TOOL_CAP_TEXT];

	(void)state;
	assert_string_equal(tool_caps_name(CAP_NET_ADMIN, buf), "CAP_NET_ADMIN");
	assert_string_equal(tool_caps_name(CAP_CHECKPOINT_RESTORE, buf), "CAP_CHECKPOINT_RESTORE");
	assert_string_equal(tool_caps_name(63, buf), "capability 63");
	assert_string_equal(tool_caps_name(-1, buf), "capability -1");
}

/* What is no refusal is left to the reader's strerror. */
static void test_others(void **state)
{
	struct err e = { 0 };

	(void)state;
	assert_int_equal(rights_refused(&e, ENOSPC, CAP_SYS_ADMIN, -1, "mount %s", "x"), -ENOSPC);
	assert_string_equal(e.msg, "mount x");
}

static void test_who(void **state)
{
	bool held = cage_permitted_caps() >> CAP_SYS_ADMIN & 1;
	char buf[RIGHTS_TEXT];
	struct err e = { 0 };

	(void)state;
	assert_int_equal(rights_of_root(), geteuid() == 0);
	assert_int_equal(rights_refused(&e, EPERM, CAP_SYS_ADMIN, -1, "mount %s", "x"), -EPERM);
	assert_int_equal(strncmp(e.msg, "mount x: ", 9), 0);
	assert_non_null(strstr(e.msg, "CAP_SYS_ADMIN"));
	assert_int_equal(strstr(e.msg, "sudo") != NULL, geteuid() != 0);
	assert_int_equal(strstr(rights_needed(RIGHT(CAP_SYS_PTRACE), buf), "sudo") != NULL, geteuid() != 0);
	if (geteuid() == 0)
		assert_non_null(strstr(e.msg, held ? "the kernel refuses" : "which this root does not have"));
}

/* A process with every capability there may ever be, in a folder like /proc/PID. */
static void test_more(void **state)
{
	char path[] = "/tmp/nsdbg-rights.XXXXXX", file[64];
	static const char status[] = "Name:\tx\\nCapPrm:\t0\nCapInh:\t0000000000000000\nCapPrm:\tffffffffffffffff\nCapEff:\t0\n";
	struct err e = { 0 };
	int dir, fd;

	(void)state;
	assert_non_null(mkdtemp(path));
	snprintf(file, sizeof file, "%s/status", path);
	fd = open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(write(fd, status, sizeof status - 1), sizeof status - 1);
	close(fd);
	dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	rights_refused(&e, EACCES, CAP_SYS_PTRACE, dir, "look into process %d", 1234567);
	close(dir);
	unlink(file);
	rmdir(path);
	if (geteuid() == 0 && cage_permitted_caps() >> CAP_SYS_PTRACE & 1 && !strstr(e.msg, "user namespace"))
		assert_non_null(strstr(e.msg, "the process holds "));
	assert_true(strlen(e.msg) < sizeof e.msg - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_others),
		cmocka_unit_test(test_who),
		cmocka_unit_test(test_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
