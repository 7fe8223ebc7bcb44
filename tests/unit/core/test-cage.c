/* What the filters of cages decide: their programs are run here, as the kernel would run them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/cage_filter.h"
#include "core/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <linux/sockios.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#if defined(__SANITIZE_ADDRESS__)
enum { SANITIZED = 1 };
#else
enum { SANITIZED = 0 };
#endif

enum { KILL = 'k', DENY = 'd', ALLOW = 'a' };

static uint32_t load(const struct seccomp_data *d, uint32_t offset)
{
	uint32_t ret;

	assert_true(offset % 4 == 0 && offset + 4 <= sizeof *d);
	memcpy(&ret, (const char *)d + offset, sizeof ret);
	return ret;
}

static bool compare(unsigned op, uint32_t a, uint32_t k)
{
	switch (op) {
	case BPF_JEQ:
		return a == k;
	case BPF_JGE:
		return a >= k;
	case BPF_JGT:
		return a > k;
	default:
		assert_int_equal(op, BPF_JSET);
		return a & k;
	}
}

/* What the program returns; a program that runs past its end fails the test. */
static uint32_t run(const struct sock_filter *code, int n, const struct seccomp_data *d)
{
	uint32_t a = 0;

	for (int i = 0; i < n; i++) {
		const struct sock_filter *c = &code[i];

		if (c->code == (BPF_LD | BPF_W | BPF_ABS))
			a = load(d, c->k);
		else if (c->code == (BPF_ALU | BPF_AND | BPF_K))
			a &= c->k;
		else if (BPF_CLASS(c->code) == BPF_JMP)
			i += compare(BPF_OP(c->code), a, c->k) ? c->jt : c->jf;
		else if (c->code == (BPF_RET | BPF_K))
			return c->k;
		else
			fail_msg("instruction %d has the code %x", i, c->code);
	}
	fail_msg("the program has no end");
	return 0;
}

static int verdict(enum cage cage, const struct seccomp_data *d)
{
	struct sock_filter code[CAGE_FILTER_MAX];
	int n = cage_filter_build(cage, code);
	uint32_t ret;

	assert_in_range(n, 1, CAGE_FILTER_MAX);
	ret = run(code, n, d);
	if (ret == SECCOMP_RET_ALLOW)
		return ALLOW;
	if (ret == (SECCOMP_RET_ERRNO | EACCES))
		return DENY;
	assert_int_equal(ret, SECCOMP_RET_KILL_PROCESS);
	return KILL;
}

/* The architecture of this very program: the only one that all cages let pass. */
static uint32_t own_arch(void)
{
	struct sock_filter code[CAGE_FILTER_MAX];

	cage_filter_build(CAGE_BASE, code);
	return code[1].k;
}

static const uint64_t high = 1ull << 32;

/* One letter for each cage: base, netlink, capture, dns, probe, scan, engine. */
static const struct {
	int call;
	uint64_t args[3];
	const char *expect;
} rows[] = {
	{ __NR_read, { 0 }, "aaaaaaa" },
	{ __NR_memfd_create, { 0 }, "aaaaaaa" },
	{ __NR_exit_group, { 0 }, "aaaaaaa" },
	{ __NR_execve, { 0 }, "kkkkkkk" },
	{ __NR_execveat, { 0 }, "kkkkkkk" },
	{ __NR_clone, { 0 }, "kkkkkkk" },
	{ __NR_ptrace, { 0 }, "kkkkkkk" },
	{ __NR_setns, { 0 }, "kkkkkkk" },
	{ __NR_unshare, { 0 }, "kkkkkkk" },
	{ __NR_mount, { 0 }, "kkkkkkk" },
	{ __NR_bpf, { 0 }, "kkkkkkk" },
	{ __NR_process_vm_readv, { 0 }, "kkkkkkk" },
	{ __NR_io_uring_setup, { 0 }, "kkkkkkk" },
	{ __NR_seccomp, { 0 }, "kkkkkkk" },
	{ __NR_setuid, { 0 }, "kkkkkkk" },
	{ __NR_capset, { 0 }, "kkkkkkk" },
	{ __NR_unlinkat, { 0 }, "kkkkkkk" },
	{ __NR_accept4, { 0 }, "kkkkkkk" },
	{ __NR_mmap, { 0, 4096, PROT_READ | PROT_WRITE }, "aaaaaaa" },
	{ __NR_mmap, { 0, 4096, PROT_READ | PROT_EXEC }, "kkkkkkk" },
	{ __NR_mprotect, { 0, 4096, PROT_READ }, "aaaaaaa" },
	{ __NR_mprotect, { 0, 4096, PROT_READ | PROT_EXEC }, "kkkkkkk" },
	{ __NR_openat2, { 0 }, "ddddddd" },
	{ __NR_uname, { 0 }, "ddddddd" },
	{ __NR_getdents64, { 0 }, "dddddad" },
	{ __NR_readlinkat, { 0 }, "dddddad" },
	{ __NR_connect, { 0 }, "kkkaaka" },
	{ __NR_setsockopt, { 0 }, "ddaaada" },
	{ __NR_getsockopt, { 0 }, "daaaada" },
	{ __NR_ioctl, { 3, SIOCGIFFLAGS }, "ddadddd" },
	{ __NR_ioctl, { 3, FIONBIO }, "ddddada" },
	{ __NR_ioctl, { 3, 0x8004b709 /* NS_GET_TGID_IN_PIDNS */ }, "dddddad" },
	{ __NR_ioctl, { 3, FIONBIO + high }, "ddddddd" },
	{ __NR_ioctl, { 3, TIOCSTI }, "ddddddd" },
	{ __NR_socket, { AF_INET, SOCK_DGRAM }, "dddaada" },
	{ __NR_socket, { AF_INET6, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK }, "dddaada" },
	{ __NR_socket, { AF_INET, SOCK_RAW }, "dddkkdk" },
	{ __NR_socket, { AF_UNIX, SOCK_STREAM }, "dddddda" },
	{ __NR_socket, { AF_UNIX, SOCK_SEQPACKET }, "dddddd" "k" },
	{ __NR_socket, { AF_NETLINK, SOCK_RAW }, "ddddddd" },
	{ __NR_socket, { AF_PACKET, SOCK_DGRAM }, "ddddddd" },
	{ __NR_socket, { 3, SOCK_DGRAM }, "dddkkdk" },
	{ __NR_socket, { AF_INET + high, SOCK_DGRAM }, "ddddddd" },
};

static const struct {
	uint64_t flags;
	int expect;
} opens[] = {
	{ O_RDONLY, ALLOW }, { O_RDONLY | O_CLOEXEC | O_DIRECTORY | O_NONBLOCK, ALLOW }, { O_WRONLY, KILL }, { O_RDWR, KILL },
	{ O_RDONLY | O_CREAT, KILL }, { O_RDONLY | O_TRUNC, KILL }, { O_ACCMODE, KILL },
};

static void test_calls(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct seccomp_data d = { .nr = rows[i].call, .arch = own_arch() };

		memcpy(d.args, rows[i].args, sizeof rows[i].args);
		assert_int_equal(strlen(rows[i].expect), CAGE_N);
		for (int cage = 0; cage < CAGE_N; cage++)
			if (verdict((enum cage)cage, &d) != rows[i].expect[cage])
				fail_msg("call %d (row %zu) in cage %d: %c, not %c", rows[i].call, i, cage, verdict((enum cage)cage, &d),
					rows[i].expect[cage]);
	}
}

static void test_open(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(opens) && !SANITIZED; i++) {
		struct seccomp_data d = { .nr = __NR_openat, .arch = own_arch(), .args = { 3, 0, opens[i].flags } };

		for (int cage = 0; cage < CAGE_N; cage++)
			assert_int_equal(verdict((enum cage)cage, &d), cage == CAGE_SCAN ? opens[i].expect : DENY);
	}
}

/* Other architectures and x32 have other numbers: none of them may pass, nor numbers that no kernel has yet. */
static void test_foreign(void **state)
{
	static const uint32_t archs[] = { AUDIT_ARCH_I386, AUDIT_ARCH_ARM, 0 };

	(void)state;
	for (int cage = 0; cage < CAGE_N; cage++) {
		for (int nr = -600; nr < 600; nr++) {
			struct seccomp_data d = { .nr = nr, .arch = own_arch() };

			if (nr < 0 || nr > 500)
				assert_int_equal(verdict((enum cage)cage, &d), KILL);
			d.nr = (int)((unsigned)nr | 0x40000000u);
			assert_int_equal(verdict((enum cage)cage, &d), KILL);
			for (size_t i = 0; i < ARRAY_LEN(archs); i++) {
				d = (struct seccomp_data){ .nr = nr, .arch = archs[i] };
				assert_int_equal(verdict((enum cage)cage, &d), KILL);
			}
		}
	}
}

/* So few that a tree is what they are found by: the kernel tries each number when it loads the filter. */
static void test_is_short(void **state)
{
	struct sock_filter code[CAGE_FILTER_MAX];

	(void)state;
	for (int cage = 0; cage < CAGE_N; cage++)
		assert_in_range(cage_filter_build((enum cage)cage, code), 50, 160);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_calls),
		cmocka_unit_test(test_open),
		cmocka_unit_test(test_foreign),
		cmocka_unit_test(test_is_short),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
