/* Which C library a process has: what its maps say, and the version in musl's linker. */
#include "core/source/libc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/fd.h"

#define LINE(path) "7f12a000-7f12b000 r-xp 00001000 fe:01 1234                       " path "\n"

static const struct {
	const char *maps;
	enum libc_kind kind;
	uint32_t version;
	const char *path;
} maps[] = {
	{ LINE("/usr/bin/sleep") LINE("/usr/lib/x86_64-linux-gnu/libc.so.6"), LIBC_GLIBC, 0, "/usr/lib/x86_64-linux-gnu/libc.so.6" },
	{ LINE("/bin/app") LINE("/lib/x86_64-linux-gnu/libc-2.31.so"), LIBC_GLIBC, 2031000, "/lib/x86_64-linux-gnu/libc-2.31.so" },
	{ LINE("/bin/app") LINE("/lib64/ld-linux-x86-64.so.2"), LIBC_GLIBC, 0, "/lib64/ld-linux-x86-64.so.2" },
	{ LINE("/bin/busybox") LINE("/lib/ld-musl-x86_64.so.1"), LIBC_MUSL, 0, "/lib/ld-musl-x86_64.so.1" },
	{ LINE("/bin/busybox") LINE("/lib/ld-musl-aarch64.so.1 (deleted)"), LIBC_MUSL, 0, "/lib/ld-musl-aarch64.so.1 (deleted)" },
	{ LINE("/app") LINE("/usr/lib/x86_64-linux-musl/libc.so"), LIBC_MUSL, 0, "/usr/lib/x86_64-linux-musl/libc.so" },
	{ LINE("/app") "7ffd1000-7ffd2000 rw-p 0 00:00 0    [stack]\n", LIBC_STATIC, 0, "" },
	{ "7ffd1000-7ffd2000 rw-p 0 00:00 0    [stack]\n", LIBC_UNKNOWN, 0, "" },
	{ "", LIBC_UNKNOWN, 0, "" },
	{ LINE("/data/libc.socket") LINE("/ld-musl"), LIBC_STATIC, 0, "" },
	{ LINE("/lib/libc-2.x.so"), LIBC_GLIBC, 0, "/lib/libc-2.x.so" },
	{ LINE("/lib/libc-2.99999999999999999999.so"), LIBC_GLIBC, 0, "/lib/libc-2.99999999999999999999.so" },
};

static void test_maps(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(maps); i++) {
		struct libc_found found = { 0 };
		bool done = false;

		libc_from_maps(maps[i].maps, strlen(maps[i].maps), &found, &done);
		print_message("# %zu\n", i);
		assert_int_equal(found.kind, maps[i].kind);
		assert_int_equal(found.version, maps[i].version);
		assert_string_equal(found.path, maps[i].path);
		assert_int_equal(done, found.kind == LIBC_GLIBC || found.kind == LIBC_MUSL);
	}
}

static const struct {
	const char *bytes;
	size_t n;
	uint32_t version;
} versions[] = {
#define BYTES(s) s, sizeof s - 1
	{ BYTES("musl libc (x86_64)\nVersion %s\0" "1.2.3\0dynamic"), 1002003 },
	{ BYTES("x\0" "1.1.24\0"), 1001024 },
	{ BYTES("x\0" "1.2.4_git20230717\0"), 1002004 },
	{ BYTES("x\0" "1.0\0" "1.x.3\0" "1.2.5\0"), 1002005 },
	{ BYTES("x\0" "1.2.5"), 0 }, /* cut off */
	{ BYTES("1.2.5\0"), 0 },
	{ BYTES("x\0" "1.2.5 and more\0"), 0 },
	{ BYTES(""), 0 },
#undef BYTES
};

static void test_versions(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
		print_message("# %zu\n", i);
		assert_int_equal(libc_musl_version(versions[i].bytes, versions[i].n), versions[i].version);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_maps), cmocka_unit_test(test_versions) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
