/* What a tool is told: its words in a memfd, the names of capabilities, and the hosts line of nsswitch.conf. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above */
#include <cmocka.h>
#include <errno.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/err.h"
#include "core/fd.h"
#include "core/tool.h"
#include "core/tool/names.h"
#include "core/tool/words.h"

static void test_words(void **state)
{
	static const char *const words[] = { "psql", "-h", "", "a b\n'\"$x" }, *const variables[] = { "PATH=/bin", "A=" };
	AUTO(fd_closep) int fd = tool_words_pack(words, 4, variables, 2, NULL);
	struct tool_words w;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "x", 1), -1); /* sealed */
	assert_int_equal(tool_words_unpack(fd, 4, 2, &w, NULL), 0);
	for (int i = 0; i < 4; i++)
		assert_string_equal(w.words[i], words[i]);
	assert_null(w.words[4]);
	assert_string_equal(w.variables[0], "PATH=/bin");
	assert_string_equal(w.variables[1], "A=");
	assert_null(w.variables[2]);
	tool_words_done(&w);
	assert_int_equal(tool_words_unpack(fd, 3, 2, &w, NULL), -EBADMSG);
	assert_int_equal(tool_words_unpack(fd, 5, 2, &w, NULL), -EBADMSG);
	assert_int_equal(tool_words_unpack(fd, 0, 6, &w, NULL), -EBADMSG);
}

static void test_too_long(void **state)
{
	char *big = fd_xcalloc(1, TOOL_WORDS_BYTES + 1);
	const char *words[] = { big };
	struct err err = { 0 };

	(void)state;
	memset(big, 'x', TOOL_WORDS_BYTES);
	assert_int_equal(tool_words_pack(words, 1, NULL, 0, &err), -E2BIG);
	assert_non_null(strstr(err.msg, "longer than 128 KiB"));
	free(big);
}

#define BIT(c) (1ull << (c))
static const struct {
	const char *text;
	uint64_t caps;
} caps[] = {
	{ "none", 0 },
	{ "all", ~0ull },
	{ "net_raw", BIT(CAP_NET_RAW) },
	{ "CAP_NET_RAW,sys_admin", BIT(CAP_NET_RAW) | BIT(CAP_SYS_ADMIN) },
	{ "all,-sys_admin", ~BIT(CAP_SYS_ADMIN) },
	{ "checkpoint_restore", BIT(CAP_CHECKPOINT_RESTORE) },
};

static void test_caps(void **state)
{
	uint64_t found, most = tool_caps_default(0), least = tool_caps_default(1000);
	struct err err = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(caps); i++) {
		assert_int_equal(tool_caps_parse(caps[i].text, most, &found, &err), 0);
		assert_int_equal(found, caps[i].caps);
	}
	assert_int_equal(tool_caps_parse("+sys_admin,-net_raw", most, &found, &err), 0);
	assert_int_equal(found, (most | BIT(CAP_SYS_ADMIN)) & ~BIT(CAP_NET_RAW));
	assert_true(most & BIT(CAP_NET_RAW) && most & BIT(CAP_SYS_PTRACE));
	assert_false(most & (BIT(CAP_SYS_ADMIN) | BIT(CAP_DAC_OVERRIDE) | BIT(CAP_SYS_MODULE)));
	assert_int_equal(least & ~most, 0);
	assert_false(least & (BIT(CAP_SETUID) | BIT(CAP_CHOWN)));
	assert_int_equal(tool_caps_parse("net_rwa", most, &found, &err), -EINVAL);
	assert_non_null(strstr(err.msg, "net_rwa"));
}

static const struct {
	const char *host, *target, *want;
} switches[] = {
	{ "passwd: files\nhosts: files resolve [!UNAVAIL=return] dns\n", "", "passwd: files\nhosts: files dns\n" },
	{ "", "hosts: dns files\n", "hosts: dns files\n" },
	{ "", "hosts:\tfiles  mdns4_minimal [NOTFOUND=return] dns myhostname\n", "hosts: files dns\n" },
	{ "", "hosts: dns [!UNAVAIL=return] files\n", "hosts: dns [!UNAVAIL=return] files\n" },
	{ "", "hosts: files\nhosts: dns\n", "hosts: dns\n" }, /* the last one counts */
	{ "", "hosts: resolve mymachines\n", "hosts: files dns\n" },
	{ "", "# hosts: dns\n  hosts : dns # no files\n", "hosts: dns\n" },
	{ "", "hosts: dns [a=\x1b]x] files\n", "hosts: dns files\n" },
	{ "group: x", "hostsx: dns\n", "group: x\nhosts: files dns\n" },
};

static void test_nsswitch(void **state)
{
	char out[256];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(switches); i++) {
		const char *host = switches[i].host, *target = switches[i].target;
		size_t n = tool_names_nsswitch(host, strlen(host), target, strlen(target), out, sizeof out - 1);

		out[n] = 0;
		assert_string_equal(out, switches[i].want);
	}
	assert_int_equal(tool_names_nsswitch("passwd: files\n", 14, "hosts: dns\n", 11, out, 9), 9); /* never more than there is room */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_too_long),
		cmocka_unit_test(test_caps),
		cmocka_unit_test(test_nsswitch),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
