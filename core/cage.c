/*
 * Giving rights up: see cage.h. The order matters: bounding set while CAP_SETPCAP is there, then the user, then capabilities;
 * PR_SET_PDEATHSIG after the user change, which clears it (security.md E29); the filter last.
 */
#include "core/cage.h"

#include "core/err.h"
#include "core/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <linux/sockios.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { NOBODY = 65534, LAST_CAP = 63, PROT_EXEC_BIT = 4 };

#if defined(__SANITIZE_ADDRESS__)
enum { SANITIZED = 1 };
#else
enum { SANITIZED = 0 };
#endif

/* --- capabilities --- */

int cage_set_caps(uint64_t effective, uint64_t permitted, uint64_t inheritable)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = {
		{ (uint32_t)effective, (uint32_t)permitted, (uint32_t)inheritable },
		{ (uint32_t)(effective >> 32), (uint32_t)(permitted >> 32), (uint32_t)(inheritable >> 32) },
	};

	return syscall(SYS_capset, &head, data) < 0 ? -errno : 0;
}

uint64_t cage_caps(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { 0 };

	if (syscall(SYS_capget, &head, data) < 0)
		return 0;
	return (uint64_t)data[1].effective << 32 | data[0].effective;
}

void cage_drop_bounding(uint64_t keep)
{
	int there; /* -1: past the last one that this kernel knows */

	for (int c = 0; c <= LAST_CAP && (there = prctl(PR_CAPBSET_READ, c, 0, 0, 0)) >= 0; c++)
		if (!(keep >> c & 1) && there == 1)
			prctl(PR_CAPBSET_DROP, c, 0, 0, 0); /* refused without CAP_SETPCAP: then there is nothing to gain either */
}

int cage_keep_caps(uint64_t caps, struct err *err)
{
	uint64_t keep = caps & cage_caps();
	int r;

	cage_drop_bounding(keep);
	r = cage_set_caps(keep, keep, 0);
	if (r < 0)
		return err_set(err, -r, "reduce capabilities");
	return 0;
}

int cage_rest_caps(uint64_t caps, struct err *err)
{
	uint64_t have = cage_caps();
	int r = cage_set_caps(caps & have, have, 0);

	return r < 0 ? err_set(err, -r, "reduce capabilities") : 0;
}

void cage_raise_caps(uint64_t caps)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { 0 };
	uint64_t permitted;

	if (syscall(SYS_capget, &head, data) < 0)
		return;
	permitted = (uint64_t)data[1].permitted << 32 | data[0].permitted;
	cage_set_caps(cage_caps() | (caps & permitted), permitted, 0);
}

/* --- user --- */

static int become(unsigned uid, unsigned gid, struct err *err)
{
	uid_t a, b, c;

	if (setgroups(0, NULL) < 0)
		return err_set(err, errno, "leave all groups");
	if (setresgid(gid, gid, gid) < 0)
		return err_set(err, errno, "become group %u", gid);
	if (setresuid(uid, uid, uid) < 0)
		return err_set(err, errno, "become user %u", uid);
	if (getresuid(&a, &b, &c) < 0 || a != uid || b != uid || c != uid)
		return err_set(err, EPERM, "become user %u", uid);
	if (uid != 0 && setuid(0) == 0)
		return err_set(err, EPERM, "stay user %u: root came back", uid);
	return 0;
}

static int finish_drop(uint64_t caps, struct err *err)
{
	int r = cage_set_caps(caps, caps, 0);

	if (r < 0)
		return err_set(err, -r, "reduce capabilities");
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_set(err, errno, "set no_new_privs");
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	return 0;
}

int cage_drop_user(unsigned uid, unsigned gid, struct err *err)
{
	int r = 0;

	cage_drop_bounding(0);
	if (geteuid() == 0)
		r = become(uid, gid, err);
	if (r < 0)
		return r;
	return finish_drop(0, err);
}

static void set_limits(unsigned n_files)
{
	struct rlimit core = { 0, 0 }, files = { n_files ? n_files : 64, n_files ? n_files : 64 };
	struct rlimit space = { 2048ul << 20, 2048ul << 20 };
	struct rlimit now;

	setrlimit(RLIMIT_CORE, &core);
	if (getrlimit(RLIMIT_NOFILE, &now) == 0 && files.rlim_max <= now.rlim_max)
		setrlimit(RLIMIT_NOFILE, &files);
	if (!SANITIZED) /* the shadow memory of a sanitizer is larger than any limit */
		setrlimit(RLIMIT_AS, &space);
}

/* --- system calls --- */

static const int calls_base[] = {
	SCMP_SYS(read), SCMP_SYS(readv), SCMP_SYS(write), SCMP_SYS(writev), SCMP_SYS(close), SCMP_SYS(poll), SCMP_SYS(ppoll),
	SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(exit), SCMP_SYS(exit_group),
	SCMP_SYS(rt_sigreturn), SCMP_SYS(rt_sigprocmask), SCMP_SYS(clock_gettime), SCMP_SYS(clock_nanosleep),
	SCMP_SYS(nanosleep), SCMP_SYS(gettimeofday), SCMP_SYS(time), SCMP_SYS(getpid), SCMP_SYS(gettid), SCMP_SYS(getrandom),
	SCMP_SYS(futex), SCMP_SYS(restart_syscall), SCMP_SYS(lseek), SCMP_SYS(pread64), SCMP_SYS(preadv), SCMP_SYS(pwrite64),
	SCMP_SYS(fstat), SCMP_SYS(ftruncate), SCMP_SYS(fdatasync), SCMP_SYS(fcntl), SCMP_SYS(memfd_create),
	SCMP_SYS(sendmsg), SCMP_SYS(recvmsg), SCMP_SYS(sendto), SCMP_SYS(recvfrom), SCMP_SYS(waitid), SCMP_SYS(sched_yield),
	SCMP_SYS(rseq), SCMP_SYS(set_robust_list), SCMP_SYS(getrusage), SCMP_SYS(pidfd_send_signal),
	SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait), SCMP_SYS(epoll_ctl), SCMP_SYS(timerfd_settime), SCMP_SYS(setitimer),
};

static const int calls_sanitizer[] = {
	SCMP_SYS(sigaltstack), SCMP_SYS(rt_sigaction), SCMP_SYS(readlink), SCMP_SYS(prctl), SCMP_SYS(getrlimit),
	SCMP_SYS(prlimit64), SCMP_SYS(openat), SCMP_SYS(tgkill), SCMP_SYS(kill),
};

/* Libraries that look for a file or a name must see "no", not die. */
static const int calls_denied[] = {
	SCMP_SYS(open), SCMP_SYS(openat), SCMP_SYS(openat2), SCMP_SYS(stat), SCMP_SYS(lstat), SCMP_SYS(newfstatat),
	SCMP_SYS(statx), SCMP_SYS(access), SCMP_SYS(faccessat), SCMP_SYS(faccessat2), SCMP_SYS(readlink),
	SCMP_SYS(readlinkat), SCMP_SYS(socket), SCMP_SYS(uname), SCMP_SYS(ioctl), SCMP_SYS(getdents64),
	SCMP_SYS(getsockopt), SCMP_SYS(setsockopt), SCMP_SYS(getuid), SCMP_SYS(geteuid), SCMP_SYS(sysinfo),
};

static const int calls_socket[] = {
	SCMP_SYS(getsockopt), SCMP_SYS(getsockname), SCMP_SYS(getpeername),
};

static const int calls_capture[] = { SCMP_SYS(setsockopt) };

static const int calls_dns[] = {
	SCMP_SYS(connect), SCMP_SYS(bind), SCMP_SYS(setsockopt), SCMP_SYS(shutdown), SCMP_SYS(select), SCMP_SYS(pselect6),
	SCMP_SYS(sendmmsg), SCMP_SYS(recvmmsg),
};

/* libcurl wakes itself by a pipe; socketpair only where AF_UNIX is made by no socket() of ours. */
static const int calls_probe[] = {
	SCMP_SYS(getsockopt), SCMP_SYS(getsockname), SCMP_SYS(getpeername), SCMP_SYS(socketpair), SCMP_SYS(eventfd2),
	SCMP_SYS(pipe2), SCMP_SYS(pipe), SCMP_SYS(rt_sigaction),
};

static const int calls_scan[] = {
	SCMP_SYS(getdents64), SCMP_SYS(readlinkat), SCMP_SYS(newfstatat), SCMP_SYS(statx), SCMP_SYS(fstatfs), SCMP_SYS(dup),
};

/* libcurl's resolver thread is not needed: names are resolved before the cage. */
static const int calls_engine[] = {
	SCMP_SYS(connect), SCMP_SYS(setsockopt), SCMP_SYS(socketpair), SCMP_SYS(eventfd2), SCMP_SYS(pipe2), SCMP_SYS(pipe),
	SCMP_SYS(select), SCMP_SYS(pselect6), SCMP_SYS(rt_sigaction), SCMP_SYS(shutdown), SCMP_SYS(getuid), SCMP_SYS(geteuid),
	SCMP_SYS(epoll_create1), SCMP_SYS(bind), SCMP_SYS(sendmmsg),
};

static int allow(scmp_filter_ctx ctx, const int *calls, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, calls[i], 0);

		if (r < 0)
			return r;
	}
	return 0;
}

static bool is_listed(int call, const int *calls, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (calls[i] == call)
			return true;
	return false;
}

struct call_set {
	const int *calls;
	size_t n;
};

#define CALLS(a) { a, ARRAY_LEN(a) }
static const struct call_set cage_calls[CAGE_N][2] = {
	[CAGE_BASE] = { { NULL, 0 }, { NULL, 0 } },
	[CAGE_NETLINK] = { CALLS(calls_socket), { NULL, 0 } },
	[CAGE_CAPTURE] = { CALLS(calls_socket), CALLS(calls_capture) },
	[CAGE_DNS] = { CALLS(calls_socket), CALLS(calls_dns) },
	[CAGE_PROBE] = { CALLS(calls_probe), CALLS(calls_dns) },
	[CAGE_SCAN] = { CALLS(calls_scan), { NULL, 0 } },
	[CAGE_ENGINE] = { CALLS(calls_socket), CALLS(calls_engine) },
};

/* Memory, but never executable memory. */
static int allow_memory(scmp_filter_ctx ctx)
{
	int r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1, SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC_BIT, 0));

	if (r == 0)
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1,
			SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC_BIT, 0));
	return r;
}

static int allow_sockets(scmp_filter_ctx ctx, const int *families, size_t n)
{
	static const int types[] = { SOCK_DGRAM, SOCK_STREAM };

	for (size_t f = 0; f < n; f++) {
		for (size_t t = 0; t < ARRAY_LEN(types); t++) {
			int r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(socket), 2,
				SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)families[f]),
				SCMP_A1(SCMP_CMP_MASKED_EQ, 0xf, (scmp_datum_t)types[t]));

			if (r < 0)
				return r;
		}
	}
	return 0;
}

/* Rules with argument checks, by cage. */
static int allow_special(scmp_filter_ctx ctx, enum cage cage)
{
	static const int inet[] = { AF_INET, AF_INET6 };
	static const int engine[] = { AF_INET, AF_INET6, AF_UNIX };
	int r = 0;

	if (cage == CAGE_CAPTURE) /* libpcap asks after ENETDOWN whether the interface is only down */
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1, SCMP_A1(SCMP_CMP_EQ, SIOCGIFFLAGS));
	if (cage == CAGE_DNS || cage == CAGE_PROBE)
		r = allow_sockets(ctx, inet, ARRAY_LEN(inet));
	if (cage == CAGE_ENGINE)
		r = allow_sockets(ctx, engine, ARRAY_LEN(engine));
	if (r == 0 && (cage == CAGE_ENGINE || cage == CAGE_PROBE)) /* libcurl sets FIONBIO where fcntl would do */
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1, SCMP_A1(SCMP_CMP_EQ, FIONBIO));
	if (cage == CAGE_SCAN)
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(openat), 1,
			SCMP_A2(SCMP_CMP_MASKED_EQ, O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY));
	return r;
}

/* What is neither allowed nor listed here kills the process. */
static int deny_softly(scmp_filter_ctx ctx, enum cage cage)
{
	static const int conditional[] = { SCMP_SYS(socket), SCMP_SYS(ioctl), SCMP_SYS(openat) };
	const struct call_set *sets = cage_calls[cage];

	for (size_t i = 0; i < ARRAY_LEN(calls_denied); i++) {
		int call = calls_denied[i], r;

		if (is_listed(call, sets[0].calls, sets[0].n) || is_listed(call, sets[1].calls, sets[1].n))
			continue;
		if (SANITIZED && is_listed(call, calls_sanitizer, ARRAY_LEN(calls_sanitizer)))
			continue;
		if (is_listed(call, conditional, ARRAY_LEN(conditional)) && cage != CAGE_BASE && cage != CAGE_NETLINK)
			continue; /* see deny_rest */
		r = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EACCES), call, 0);
		if (r < 0)
			return r;
	}
	return 0;
}

/* libseccomp takes no "else" beside argument rules: the refusal is spelt as the other argument values. */
static int deny_rest(scmp_filter_ctx ctx, enum cage cage)
{
	const uint32_t no = SCMP_ACT_ERRNO(EACCES);
	bool has_ioctl = cage == CAGE_CAPTURE || cage == CAGE_ENGINE || cage == CAGE_PROBE;
	bool has_socket = cage == CAGE_DNS || cage == CAGE_PROBE || cage == CAGE_ENGINE;
	int r = 0;

	if (cage == CAGE_BASE || cage == CAGE_NETLINK)
		return 0;
	if (!has_ioctl)
		r = seccomp_rule_add(ctx, no, SCMP_SYS(ioctl), 0);
	else
		r = seccomp_rule_add(ctx, no, SCMP_SYS(ioctl), 1,
			SCMP_A1(SCMP_CMP_NE, cage == CAGE_CAPTURE ? SIOCGIFFLAGS : FIONBIO));
	if (r == 0 && !has_socket)
		r = seccomp_rule_add(ctx, no, SCMP_SYS(socket), 0);
	if (r == 0 && has_socket)
		r = seccomp_rule_add(ctx, no, SCMP_SYS(socket), 1, SCMP_A0(SCMP_CMP_GT, AF_INET6));
	if (r == 0 && (cage == CAGE_DNS || cage == CAGE_PROBE))
		r = seccomp_rule_add(ctx, no, SCMP_SYS(socket), 1, SCMP_A0(SCMP_CMP_EQ, AF_UNIX));
	if (r == 0 && cage != CAGE_SCAN && !SANITIZED)
		r = seccomp_rule_add(ctx, no, SCMP_SYS(openat), 0);
	return r;
}

static int load_filter(enum cage cage, struct err *err)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int r;

	if (!ctx)
		return err_set(err, ENOMEM, "make the system call filter");
	r = allow(ctx, calls_base, ARRAY_LEN(calls_base));
	for (size_t i = 0; r == 0 && i < 2; i++)
		r = allow(ctx, cage_calls[cage][i].calls, cage_calls[cage][i].n);
	if (r == 0 && SANITIZED)
		r = allow(ctx, calls_sanitizer, ARRAY_LEN(calls_sanitizer));
	if (r == 0)
		r = allow_memory(ctx);
	if (r == 0)
		r = allow_special(ctx, cage);
	if (r == 0)
		r = deny_softly(ctx, cage);
	if (r == 0)
		r = deny_rest(ctx, cage);
	if (r == 0)
		r = seccomp_load(ctx);
	seccomp_release(ctx);
	return r < 0 ? err_set(err, -r, "load the system call filter") : 0;
}

int cage_enter(enum cage cage, uint64_t caps, unsigned n_files, bool keep_uid, struct err *err)
{
	bool is_root = geteuid() == 0;
	uint64_t keep = caps & cage_caps();
	pid_t parent = getppid();
	int r;

	set_limits(n_files);
	cage_drop_bounding(keep);
	prctl(PR_SET_SECUREBITS, SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_CAP_AMBIENT_RAISE |
		SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED, 0, 0, 0);
	if (keep && is_root && !keep_uid && prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
		return err_set(err, errno, "keep capabilities over the user change");
	if (is_root && !keep_uid) {
		r = become(NOBODY, NOBODY, err);
		if (r < 0)
			return r;
	}
	r = finish_drop(keep, err);
	if (r < 0)
		return r;
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 || getppid() != parent)
		return err_set(err, ECHILD, "stay with the parent process");
	return load_filter(cage, err);
}
