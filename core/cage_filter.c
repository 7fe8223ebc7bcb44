/*
 * The system call filter, as the kernel takes it (seccomp(2), classic BPF): the call's number is found by a balanced tree of comparisons,
 * not by a list, because the kernel runs each filter over every number when it is loaded: a list costs a worker 0.4 ms more than this
 * tree (Linux 6.18). Arguments are looked at last; what nothing names kills the process.
 */
#include "core/cage_filter.h"

#include "core/err.h"
#include "core/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/nsfs.h>
#include <linux/seccomp.h>
#include <linux/sockios.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#elif defined(__riscv) && __riscv_xlen == 64
#define ARCH AUDIT_ARCH_RISCV64
#elif defined(__powerpc64__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define ARCH AUDIT_ARCH_PPC64LE
#elif defined(__s390x__)
#define ARCH AUDIT_ARCH_S390X
#elif defined(__loongarch_lp64)
#define ARCH AUDIT_ARCH_LOONGARCH64
#else
#error "the system call filter does not know this architecture: name its AUDIT_ARCH here"
#endif

enum { MAX_CALLS = 512, MAX_RUNS = 256, PROT_EXEC_BIT = 4 };

#if defined(__SANITIZE_ADDRESS__)
enum { SANITIZED = 1 };
#else
enum { SANITIZED = 0 };
#endif

/* --- lists --- */

/* Newer architectures lack the older calls. */
#ifndef __NR_access
#define __NR_access -1
#endif
#ifndef __NR_epoll_wait
#define __NR_epoll_wait -1
#endif
#ifndef __NR_fstat
#define __NR_fstat -1
#endif
#ifndef __NR_getrlimit
#define __NR_getrlimit -1
#endif
#ifndef __NR_lstat
#define __NR_lstat -1
#endif
#ifndef __NR_newfstatat
#define __NR_newfstatat -1
#endif
#ifndef __NR_open
#define __NR_open -1
#endif
#ifndef __NR_pipe
#define __NR_pipe -1
#endif
#ifndef __NR_poll
#define __NR_poll -1
#endif
#ifndef __NR_readlink
#define __NR_readlink -1
#endif
#ifndef __NR_select
#define __NR_select -1
#endif
#ifndef __NR_stat
#define __NR_stat -1
#endif
#ifndef __NR_time
#define __NR_time -1
#endif
#define CALL(name) __NR_##name

static const short calls_base[] = {
	CALL(read), CALL(readv), CALL(write), CALL(writev), CALL(close), CALL(poll), CALL(ppoll),
	CALL(brk), CALL(munmap), CALL(mremap), CALL(madvise), CALL(exit), CALL(exit_group),
	CALL(rt_sigreturn), CALL(rt_sigprocmask), CALL(clock_gettime), CALL(clock_nanosleep),
	CALL(nanosleep), CALL(gettimeofday), CALL(time), CALL(getpid), CALL(gettid), CALL(getrandom),
	CALL(futex), CALL(restart_syscall), CALL(lseek), CALL(pread64), CALL(preadv), CALL(pwrite64),
	CALL(fstat), CALL(ftruncate), CALL(fdatasync), CALL(fcntl), CALL(memfd_create),
	CALL(sendmsg), CALL(recvmsg), CALL(sendto), CALL(recvfrom), CALL(waitid), CALL(sched_yield),
	CALL(rseq), CALL(set_robust_list), CALL(getrusage), CALL(pidfd_send_signal),
	CALL(epoll_wait), CALL(epoll_pwait), CALL(epoll_ctl), CALL(timerfd_settime), CALL(setitimer),
};

static const short calls_sanitizer[] = {
	CALL(sigaltstack), CALL(rt_sigaction), CALL(readlink), CALL(prctl), CALL(getrlimit),
	CALL(prlimit64), CALL(openat), CALL(tgkill), CALL(kill),
};

/* Libraries that look for a file or a name must see "no", not die. */
static const short calls_denied[] = {
	CALL(open), CALL(openat), CALL(openat2), CALL(stat), CALL(lstat), CALL(newfstatat),
	CALL(statx), CALL(access), CALL(faccessat), CALL(faccessat2), CALL(readlink),
	CALL(readlinkat), CALL(socket), CALL(uname), CALL(ioctl), CALL(getdents64),
	CALL(getsockopt), CALL(setsockopt), CALL(getuid), CALL(geteuid), CALL(sysinfo),
};

static const short calls_socket[] = {
	CALL(getsockopt), CALL(getsockname), CALL(getpeername),
};

static const short calls_capture[] = { CALL(setsockopt) };

static const short calls_dns[] = {
	CALL(connect), CALL(bind), CALL(setsockopt), CALL(shutdown), CALL(select), CALL(pselect6),
	CALL(sendmmsg), CALL(recvmmsg),
};

/* libcurl wakes itself by a pipe; socketpair only where AF_UNIX is made by no socket() of ours. */
static const short calls_probe[] = {
	CALL(getsockopt), CALL(getsockname), CALL(getpeername), CALL(socketpair), CALL(eventfd2),
	CALL(pipe2), CALL(pipe), CALL(rt_sigaction),
};

static const short calls_scan[] = {
	CALL(getdents64), CALL(readlinkat), CALL(newfstatat), CALL(statx), CALL(fstatfs), CALL(dup),
};

/* libcurl's resolver thread is not needed: names are resolved before the cage. */
static const short calls_engine[] = {
	CALL(connect), CALL(setsockopt), CALL(socketpair), CALL(eventfd2), CALL(pipe2), CALL(pipe),
	CALL(select), CALL(pselect6), CALL(rt_sigaction), CALL(shutdown), CALL(getuid), CALL(geteuid),
	CALL(epoll_create1), CALL(bind), CALL(sendmmsg),
};

struct call_set {
	const short *calls;
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

/* --- what happens to each call --- */

enum label {
	LABEL_NEXT, /* the following instruction, or a distance that is known already */
	LABEL_KILL, /* what nothing names */
	LABEL_DENY,
	LABEL_ALLOW,
	LABEL_MEMORY, /* mmap, mprotect: never executable */
	LABEL_IOCTL,
	LABEL_SOCKET,
	LABEL_SOCKET_TYPE,
	LABEL_OPEN,
	LABEL_N,
};

static void decide(uint8_t verdicts[MAX_CALLS], const short *calls, size_t n, enum label label)
{
	for (size_t i = 0; i < n; i++)
		if (calls[i] >= 0)
			verdicts[calls[i]] = (uint8_t)label;
}

#ifndef NS_GET_TGID_IN_PIDNS /* headers before Linux 6.11 */
#define NS_GET_TGID_IN_PIDNS _IOR(NSIO, 0x9, int)
#endif

/*
 * The only one of a cage: libpcap asks after ENETDOWN whether the interface is only down, libcurl sets FIONBIO, and the processes' reader
 * asks for a process's number in an open pid namespace.
 */
static uint32_t ioctl_of(enum cage cage)
{
	if (cage == CAGE_SCAN)
		return NS_GET_TGID_IN_PIDNS;
	if (cage == CAGE_CAPTURE)
		return SIOCGIFFLAGS;
	return cage == CAGE_ENGINE || cage == CAGE_PROBE ? FIONBIO : 0;
}

static void decide_all(uint8_t verdicts[MAX_CALLS], enum cage cage)
{
	memset(verdicts, LABEL_KILL, MAX_CALLS);
	decide(verdicts, calls_denied, ARRAY_LEN(calls_denied), LABEL_DENY);
	decide(verdicts, calls_base, ARRAY_LEN(calls_base), LABEL_ALLOW);
	for (size_t i = 0; i < 2; i++)
		decide(verdicts, cage_calls[cage][i].calls, cage_calls[cage][i].n, LABEL_ALLOW);
	verdicts[CALL(mmap)] = verdicts[CALL(mprotect)] = LABEL_MEMORY;
	if (ioctl_of(cage))
		verdicts[CALL(ioctl)] = LABEL_IOCTL;
	if (cage == CAGE_DNS || cage == CAGE_PROBE || cage == CAGE_ENGINE)
		verdicts[CALL(socket)] = LABEL_SOCKET;
	if (cage == CAGE_SCAN)
		verdicts[CALL(openat)] = LABEL_OPEN;
	if (SANITIZED)
		decide(verdicts, calls_sanitizer, ARRAY_LEN(calls_sanitizer), LABEL_ALLOW);
}

/* --- the program --- */

struct program {
	struct sock_filter *code;
	unsigned n;
	struct {
		uint8_t yes, no; /* enum label: where the jumps lead */
	} to[CAGE_FILTER_MAX];
	unsigned at[LABEL_N];
};

struct run { /* of neighbouring numbers that fare alike */
	uint32_t from;
	uint8_t label;
};

static unsigned put(struct program *p, unsigned code, uint32_t k, enum label yes, enum label no)
{
	p->code[p->n] = (struct sock_filter){ .code = (uint16_t)code, .k = k };
	p->to[p->n].yes = (uint8_t)yes;
	p->to[p->n].no = (uint8_t)no;
	return p->n++;
}

static void put_load(struct program *p, size_t offset)
{
	put(p, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, LABEL_NEXT, LABEL_NEXT);
}

/* Filters see 32 bits at a time. */
static size_t low_half(unsigned argument)
{
	return offsetof(struct seccomp_data, args) + 8 * argument + (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? 4 : 0);
}

static size_t high_half(unsigned argument)
{
	return offsetof(struct seccomp_data, args) + 8 * argument + (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? 0 : 4);
}

/* runs[from] to runs[to - 1], more than one. */
static void put_tree(struct program *p, const struct run *runs, unsigned from, unsigned to)
{
	unsigned middle = (from + to) / 2;
	bool left_is_leaf = middle - from == 1, right_is_leaf = to - middle == 1;
	unsigned here = put(p, BPF_JMP | BPF_JGE | BPF_K, runs[middle].from, right_is_leaf ? runs[middle].label : LABEL_NEXT,
		left_is_leaf ? runs[from].label : LABEL_NEXT);

	if (!left_is_leaf)
		put_tree(p, runs, from, middle);
	if (!right_is_leaf) {
		p->code[here].jt = (uint8_t)(p->n - here - 1);
		put_tree(p, runs, middle, to);
	}
}

static void put_calls(struct program *p, enum cage cage)
{
	uint8_t verdicts[MAX_CALLS];
	struct run runs[MAX_RUNS] = { 0 };
	unsigned n = 0;

	decide_all(verdicts, cage);
	for (unsigned i = 0; i < MAX_CALLS; i++)
		if (n == 0 || verdicts[i] != runs[n - 1].label)
			runs[n++] = (struct run){ .from = i, .label = verdicts[i] };
	/* The last run is that of numbers which no kernel has yet: it has no end, so x32's calls are in it, too. */
	put_load(p, offsetof(struct seccomp_data, nr));
	put_tree(p, runs, 0, n);
}

static void put_memory(struct program *p)
{
	p->at[LABEL_MEMORY] = p->n;
	put_load(p, low_half(2));
	put(p, BPF_JMP | BPF_JSET | BPF_K, PROT_EXEC_BIT, LABEL_KILL, LABEL_ALLOW);
}

static void put_open(struct program *p)
{
	p->at[LABEL_OPEN] = p->n;
	put_load(p, low_half(2));
	put(p, BPF_ALU | BPF_AND | BPF_K, O_ACCMODE | O_CREAT | O_TRUNC, LABEL_NEXT, LABEL_NEXT);
	put(p, BPF_JMP | BPF_JEQ | BPF_K, O_RDONLY, LABEL_ALLOW, LABEL_KILL);
}

static void put_ioctl(struct program *p, enum cage cage)
{
	p->at[LABEL_IOCTL] = p->n;
	put_load(p, high_half(1));
	put(p, BPF_JMP | BPF_JEQ | BPF_K, 0, LABEL_NEXT, LABEL_DENY);
	put_load(p, low_half(1));
	put(p, BPF_JMP | BPF_JEQ | BPF_K, ioctl_of(cage), LABEL_ALLOW, LABEL_DENY);
}

/* Datagrams and streams of IPv4 and IPv6, and of AF_UNIX to an engine; netlink and the like are refused, raw sockets kill. */
static void put_socket(struct program *p, enum cage cage)
{
	p->at[LABEL_SOCKET] = p->n;
	put_load(p, high_half(0));
	put(p, BPF_JMP | BPF_JEQ | BPF_K, 0, LABEL_NEXT, LABEL_DENY);
	put_load(p, low_half(0));
	put(p, BPF_JMP | BPF_JGT | BPF_K, AF_INET6, LABEL_DENY, LABEL_NEXT);
	put(p, BPF_JMP | BPF_JEQ | BPF_K, AF_UNIX, cage == CAGE_ENGINE ? LABEL_SOCKET_TYPE : LABEL_DENY, LABEL_NEXT);
	put(p, BPF_JMP | BPF_JEQ | BPF_K, AF_INET, LABEL_SOCKET_TYPE, LABEL_NEXT);
	put(p, BPF_JMP | BPF_JEQ | BPF_K, AF_INET6, LABEL_SOCKET_TYPE, LABEL_KILL);
	p->at[LABEL_SOCKET_TYPE] = p->n;
	put_load(p, low_half(1));
	put(p, BPF_ALU | BPF_AND | BPF_K, 0xf, LABEL_NEXT, LABEL_NEXT); /* without SOCK_CLOEXEC and SOCK_NONBLOCK */
	put(p, BPF_JMP | BPF_JEQ | BPF_K, SOCK_DGRAM, LABEL_ALLOW, LABEL_NEXT);
	put(p, BPF_JMP | BPF_JEQ | BPF_K, SOCK_STREAM, LABEL_ALLOW, LABEL_KILL);
}

static void put_verdict(struct program *p, enum label label, uint32_t action)
{
	p->at[label] = p->n;
	put(p, BPF_RET | BPF_K, action, LABEL_NEXT, LABEL_NEXT);
}

/* -EOVERFLOW: a jump is longer than BPF has (255). */
static int resolve_jumps(struct program *p)
{
	for (unsigned i = 0; i < p->n; i++) {
		unsigned yes = p->at[p->to[i].yes] - i - 1, no = p->at[p->to[i].no] - i - 1;

		if ((p->to[i].yes && yes > UINT8_MAX) || (p->to[i].no && no > UINT8_MAX))
			return -EOVERFLOW;
		if (p->to[i].yes)
			p->code[i].jt = (uint8_t)yes;
		if (p->to[i].no)
			p->code[i].jf = (uint8_t)no;
	}
	return 0;
}

int cage_filter_build(enum cage cage, struct sock_filter *ret)
{
	struct program p = { .code = ret };
	int r;

	put_load(&p, offsetof(struct seccomp_data, arch));
	put(&p, BPF_JMP | BPF_JEQ | BPF_K, ARCH, LABEL_NEXT, LABEL_KILL);
	put_calls(&p, cage);
	put_memory(&p);
	put_open(&p);
	put_ioctl(&p, cage);
	put_socket(&p, cage);
	put_verdict(&p, LABEL_KILL, SECCOMP_RET_KILL_PROCESS);
	put_verdict(&p, LABEL_DENY, SECCOMP_RET_ERRNO | EACCES);
	put_verdict(&p, LABEL_ALLOW, SECCOMP_RET_ALLOW);
	r = resolve_jumps(&p);
	return r < 0 ? r : (int)p.n;
}

int cage_filter_load(enum cage cage, struct err *err)
{
	struct sock_filter code[CAGE_FILTER_MAX];
	int n = cage_filter_build(cage, code);
	struct sock_fprog program = { .len = (unsigned short)n, .filter = code };

	if (n < 0)
		return err_set(err, -n, "make the system call filter");
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0)
		return err_set(err, errno, "load the system call filter");
	return 0;
}
