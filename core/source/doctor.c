/*
 * The checks that need rights are made by trying the very thing: opening the socket, asking the system call. What the kernel was built
 * with says less than what it answers. See doctor.h.
 */
#include "core/source/doctor.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/if_packet.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/openat2.h>
#include <linux/seccomp.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "core/block.h"
#include "core/cage.h"
#include "core/fd.h"
#include "core/rights.h"
#include "core/source/proc_dir.h"
#include "core/source/proc_text.h"
#include "core/worker.h"

enum { FOUND = 160, MOUNTS_BYTES = 1 << 20 };

struct finding {
	enum doctor_state state;
	char found[FOUND];
};

struct check {
	const char *area, *name;
	void (*run)(const struct check *c, int proc, struct finding *ret);
	int number; /* capability, protocol */
	const char *lost, *remedy;
};

static void conclude(struct finding *f, enum doctor_state state, const char *found)
{
	f->state = state;
	snprintf(f->found, sizeof f->found, "%s", found);
}

/* --- rights --- */

static void run_capability(const struct check *c, int proc, struct finding *ret)
{
	bool there = cage_permitted_caps() >> c->number & 1;

	(void)proc;
	conclude(ret, there ? DOCTOR_OK : DOCTOR_MISSING, there ? "held until a worker is caged" : "not held");
}

static void run_user(const struct check *c, int proc, struct finding *ret)
{
	(void)c, (void)proc;
	ret->state = geteuid() == 0 ? DOCTOR_OK : DOCTOR_LESS;
	snprintf(ret->found, sizeof ret->found, "user %u", (unsigned)geteuid());
}

/* Its rights may exceed ours: a machine whose root is not allowed everything. */
static void run_first(const struct check *c, int proc, struct finding *ret)
{
	uint64_t inode;
	int r = proc_dir_ns(proc, 1, "net", &inode);

	(void)c;
	if (proc_dir_is_hiding(proc))
		snprintf(ret->found, sizeof ret->found, "/proc hides process 1 (hidepid)");
	else if (r < 0)
		snprintf(ret->found, sizeof ret->found, "process 1 may not be looked into: %s", strerror(-r));
	else
		snprintf(ret->found, sizeof ret->found, "process 1 may be looked into");
	ret->state = r < 0 ? DOCTOR_LESS : DOCTOR_OK;
}

static bool same_ns(int proc, const char *kind, bool *ret_known)
{
	uint64_t first = 0, own = 0;

	*ret_known = proc_dir_ns(proc, 1, kind, &first) == 0 && proc_dir_ns(proc, (uint64_t)getpid(), kind, &own) == 0;
	return *ret_known && first == own;
}

static void run_place(const struct check *c, int proc, struct finding *ret)
{
	bool known, mnt = same_ns(proc, "mnt", &known);

	(void)c;
	if (proc_dir_is_inside(proc))
		conclude(ret, DOCTOR_LESS, "in a container, or a pid namespace like one");
	else if (!known)
		conclude(ret, DOCTOR_UNKNOWN, "process 1 does not show its namespaces");
	else if (mnt)
		conclude(ret, DOCTOR_OK, "in the pid and mount namespaces of process 1");
	else
		conclude(ret, DOCTOR_LESS, "in a mount namespace of its own");
}

/* --- kernel --- */

static void run_version(const struct check *c, int proc, struct finding *ret)
{
	struct utsname u;
	unsigned major = 0, minor = 0;

	(void)c, (void)proc;
	if (uname(&u) < 0 || sscanf(u.release, "%u.%u", &major, &minor) != 2)
		return conclude(ret, DOCTOR_UNKNOWN, "the kernel does not say");
	ret->state = major > 5 || (major == 5 && minor >= 6) ? DOCTOR_OK : DOCTOR_LESS;
	snprintf(ret->found, sizeof ret->found, "Linux %.64s, %.32s", u.release, u.machine);
}

static void run_pidfd(const struct check *c, int proc, struct finding *ret)
{
	AUTO(fd_closep) int fd = (int)syscall(SYS_pidfd_open, getpid(), 0);

	(void)c, (void)proc;
	conclude(ret, fd >= 0 ? DOCTOR_OK : DOCTOR_LESS, fd >= 0 ? "answers" : "the kernel has none");
}

static void run_openat2(const struct check *c, int proc, struct finding *ret)
{
	struct open_how how = { .flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT };
	AUTO(fd_closep) int fd = (int)syscall(SYS_openat2, proc, "self", &how, sizeof how);

	(void)c;
	conclude(ret, fd >= 0 || errno != ENOSYS ? DOCTOR_OK : DOCTOR_MISSING, fd >= 0 || errno != ENOSYS ? "answers" : "the kernel has none");
}

static void run_seccomp(const struct check *c, int proc, struct finding *ret)
{
	uint32_t action = SECCOMP_RET_KILL_PROCESS;
	bool there = syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;

	(void)c, (void)proc;
	conclude(ret, there ? DOCTOR_OK : DOCTOR_MISSING, there ? "filters, and may end a process" : "the kernel has none, or is before 4.14");
}

/* The first answer to a dump: rows and the end of the dump both mean that the kernel knows the family. */
static bool diag_answers(const void *request, size_t n)
{
	AUTO(fd_closep) int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	union {
		struct nlmsghdr head;
		char bytes[16384];
	} answer;
	struct timeval second = { .tv_sec = 1 };
	ssize_t got;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &second, sizeof second) < 0 || send(fd, request, n, 0) < 0)
		return false;
	got = recv(fd, &answer, sizeof answer, 0);
	return got >= (ssize_t)sizeof answer.head && answer.head.nlmsg_type != NLMSG_ERROR;
}

static void run_inet_diag(const struct check *c, int proc, struct finding *ret)
{
	struct {
		struct nlmsghdr head;
		struct inet_diag_req_v2 body;
	} r = { .head = { .nlmsg_len = sizeof r, .nlmsg_type = SOCK_DIAG_BY_FAMILY, .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
		.body = { .sdiag_family = AF_INET, .sdiag_protocol = (uint8_t)c->number, .idiag_states = 0 } };
	bool there = diag_answers(&r, sizeof r);

	(void)proc;
	conclude(ret, there ? DOCTOR_OK : DOCTOR_LESS, there ? "answers" : "the kernel has none");
}

static void run_unix_diag(const struct check *c, int proc, struct finding *ret)
{
	struct {
		struct nlmsghdr head;
		struct unix_diag_req body;
	} r = { .head = { .nlmsg_len = sizeof r, .nlmsg_type = SOCK_DIAG_BY_FAMILY, .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
		.body = { .sdiag_family = AF_UNIX } };
	bool there = diag_answers(&r, sizeof r);

	(void)c, (void)proc;
	conclude(ret, there ? DOCTOR_OK : DOCTOR_LESS, there ? "answers" : "the kernel has none");
}

static void run_packet(const struct check *c, int proc, struct finding *ret)
{
	AUTO(fd_closep) int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	int version = TPACKET_V3;

	(void)c, (void)proc;
	if (fd < 0)
		snprintf(ret->found, sizeof ret->found, "no packet socket: %s", strerror(errno));
	else if (setsockopt(fd, SOL_PACKET, PACKET_VERSION, &version, sizeof version) < 0)
		snprintf(ret->found, sizeof ret->found, "a packet socket, but no TPACKET_V3 ring: %s", strerror(errno));
	else
		return conclude(ret, DOCTOR_OK, "packet socket with TPACKET_V3");
	ret->state = fd < 0 ? DOCTOR_MISSING : DOCTOR_LESS;
}

static bool read_sysctl(int proc, const char *name, uint64_t *ret)
{
	AUTO(fd_closep) int fd = openat(proc, name, O_RDONLY | O_CLOEXEC);
	char buf[64];
	ssize_t n = fd < 0 ? -1 : fd_read_all(fd, buf, sizeof buf);
	struct text bytes = { .p = buf, .n = n > 0 ? (size_t)n : 0 }, word;

	return proc_text_word(&bytes, &word) && proc_text_number(word, 10, ret);
}

static void run_jit(const struct check *c, int proc, struct finding *ret)
{
	uint64_t v;

	(void)c;
	if (!read_sysctl(proc, "sys/net/core/bpf_jit_enable", &v))
		return conclude(ret, DOCTOR_UNKNOWN, "net.core.bpf_jit_enable cannot be read");
	conclude(ret, v ? DOCTOR_OK : DOCTOR_LESS, v ? "on" : "net.core.bpf_jit_enable is 0");
}

static void run_user_ns(const struct check *c, int proc, struct finding *ret)
{
	uint64_t v;

	(void)c;
	if (!read_sysctl(proc, "sys/user/max_user_namespaces", &v))
		return conclude(ret, DOCTOR_LESS, "the kernel has none");
	conclude(ret, v ? DOCTOR_OK : DOCTOR_LESS, v ? "allowed" : "user.max_user_namespaces is 0");
}

/* Our mounts, proc_pid_mounts(5); the bytes are the caller's to free. */
static struct text read_mounts(int proc)
{
	AUTO(fd_closep) int fd = openat(proc, "self/mounts", O_RDONLY | O_CLOEXEC);
	char *buf = fd_xcalloc(1, MOUNTS_BYTES);
	ssize_t n = fd < 0 ? -1 : fd_read_all(fd, buf, MOUNTS_BYTES);

	return (struct text){ .p = buf, .n = n > 0 ? (size_t)n : 0 };
}

/* hidepid= among the options of /proc; proc(5). */
static void run_hidepid(const struct check *c, int proc, struct finding *ret)
{
	struct text rest = read_mounts(proc), line, word[4];
	AUTO(fd_freep) char *bytes = (char *)rest.p;
	bool read = rest.n > 0, sees_all = cage_permitted_caps() >> CAP_SYS_PTRACE & 1;

	(void)c;
	while (proc_text_line(&rest, &line)) {
		unsigned k = 0;

		while (k < 4 && proc_text_word(&line, &word[k]))
			k++;
		if (k == 4 && text_equal(word[1], text_of("/proc")) && text_contains(word[3], text_of("hidepid=")) &&
			!text_contains(word[3], text_of("hidepid=off")) && !text_contains(word[3], text_of("hidepid=0")))
			return sees_all ? conclude(ret, DOCTOR_OK, "mounted with hidepid, CAP_SYS_PTRACE sees all the same") :
				conclude(ret, DOCTOR_LESS, "/proc is mounted with hidepid");
	}
	conclude(ret, read ? DOCTOR_OK : DOCTOR_UNKNOWN, read ? "/proc shows all processes" : "/proc/self/mounts cannot be read");
}

static void run_cgroups(const struct check *c, int proc, struct finding *ret)
{
	struct text bytes = read_mounts(proc);
	AUTO(fd_freep) char *buf = (char *)bytes.p;
	bool v1 = text_contains(bytes, text_of(" cgroup ")), v2 = text_contains(bytes, text_of(" cgroup2 "));

	(void)c;
	conclude(ret, v1 || v2 ? DOCTOR_OK : DOCTOR_LESS, v1 && v2 ? "v1 and v2" : v1 ? "v1" : v2 ? "v2" : "none mounted");
}

static const char sudo[] = "run it with sudo";
static const struct check checks[] = {
	{ "rights", "user", run_user, 0, "only what this user may see is shown", sudo },
	{ "rights", "CAP_SYS_ADMIN", run_capability, CAP_SYS_ADMIN, "namespaces of others cannot be entered", sudo },
	{ "rights", "CAP_SYS_PTRACE", run_capability, CAP_SYS_PTRACE, "processes of others hide their namespaces, files and sockets", sudo },
	{ "rights", "CAP_NET_RAW", run_capability, CAP_NET_RAW, "no packets, no ping and no traceroute", sudo },
	{ "rights", "CAP_NET_ADMIN", run_capability, CAP_NET_ADMIN, "rules of nf_tables and iptables are not read, nor whose sockets hold a namespace; "
		"tools of exec set nothing up", sudo },
	{ "rights", "CAP_DAC_READ_SEARCH", run_capability, CAP_DAC_READ_SEARCH, "files of a container's users stay closed, owners of sockets unknown", sudo },
	{ "rights", "CAP_SETUID", run_capability, CAP_SETUID, "workers keep the user that started nsdbg", sudo },
	{ "rights", "process 1", run_first, 0, "processes and socket owners of the host are partial: exit status 7",
		"it holds rights that nsdbg may not have; everything else works" },
	{ "rights", "place", run_place, 0, "targets are those that this place shows", "start it on the host, or with --pid=host" },
	{ "kernel", "version", run_version, 0, "files of containers are not read (before 5.6)", "a newer kernel" },
	{ "kernel", "pidfd", run_pidfd, 0, "a process is known by its start time alone", "Linux 5.3" },
	{ "kernel", "openat2", run_openat2, 0, "files of containers are not read: it would not be safe", "Linux 5.6" },
	{ "kernel", "seccomp", run_seccomp, 0, "workers cannot be caged, and do not start", "a kernel with CONFIG_SECCOMP_FILTER" },
	{ "kernel", "tcp_diag", run_inet_diag, IPPROTO_TCP, "TCP sockets come from /proc: no round trip times, no retransmits",
		"modprobe tcp_diag" },
	{ "kernel", "udp_diag", run_inet_diag, IPPROTO_UDP, "UDP sockets come from /proc", "modprobe udp_diag" },
	{ "kernel", "raw_diag", run_inet_diag, IPPROTO_RAW, "raw sockets come from /proc", "modprobe raw_diag" },
	{ "kernel", "unix_diag", run_unix_diag, 0, "Unix sockets come from /proc: no peers, no queues", "modprobe unix_diag" },
	{ "kernel", "packet sockets", run_packet, 0, "no capture", "CAP_NET_RAW, and a kernel with CONFIG_PACKET" },
	{ "kernel", "BPF JIT", run_jit, 0, "capture filters cost more", "sysctl net.core.bpf_jit_enable=1" },
	{ "kernel", "user namespaces", run_user_ns, 0, "no rootless containers here", NULL },
	{ "kernel", "control groups", run_cgroups, 0, "no CPU, memory and process numbers of containers", NULL },
	{ "kernel", "/proc", run_hidepid, 0, "processes of others are hidden without CAP_SYS_PTRACE", sudo },
};

void doctor_add(struct builder *b, enum doctor_state state, const char *area, const char *name, const char *found, const char *lost,
	const char *remedy)
{
	static const enum severity severities[DOCTOR_N] = { [DOCTOR_OK] = SEVERITY_OK, [DOCTOR_LESS] = SEVERITY_WARN,
		[DOCTOR_MISSING] = SEVERITY_BAD, [DOCTOR_UNKNOWN] = SEVERITY_UNKNOWN };
	struct doctor_row *row = builder_row(b);
	bool ok = state == DOCTOR_OK;

	row->head = (struct row_head){ .severity = severities[state] };
	row->head.id = row_hash(name, strlen(name), row_hash(area, strlen(area), 0));
	row->area = builder_str(b, area);
	row->name = builder_str(b, name);
	row->state = state;
	row->found = found ? builder_str(b, found) : ROW_NO_TEXT;
	row->lost = lost && !ok ? builder_str(b, lost) : ROW_NO_TEXT;
	row->remedy = remedy && !ok ? builder_str(b, remedy) : ROW_NO_TEXT;
}

static int doctor_open(struct worker *w, struct err *err)
{
	struct finding *all = fd_xcalloc(ARRAY_LEN(checks), sizeof *all);

	(void)err;
	for (size_t i = 0; i < ARRAY_LEN(checks); i++)
		checks[i].run(&checks[i], worker_target(w)->proc, &all[i]);
	*worker_state(w) = all;
	return 0;
}

/* What helps a user does not help root. */
static const char *remedy_of(const struct check *c)
{
	return c->remedy == sudo && rights_of_root() ? "start nsdbg outside of its container or sandbox, or give it there (--privileged, --cap-add)" : c->remedy;
}

static int doctor_sample(struct worker *w, struct builder *b, struct err *err)
{
	const struct finding *all = *worker_state(w);

	(void)err;
	for (size_t i = 0; i < ARRAY_LEN(checks); i++)
		doctor_add(b, all[i].state, checks[i].area, checks[i].name, all[i].found, checks[i].lost, remedy_of(&checks[i]));
	return 0;
}

static const char *const state_names[DOCTOR_N] = {
	[DOCTOR_OK] = "ok", [DOCTOR_LESS] = "less", [DOCTOR_MISSING] = "missing", [DOCTOR_UNKNOWN] = "unknown",
};

static const struct field doctor_fields[] = {
	{ ROW_FIELD(struct doctor_row, area, TEXT), .title = "AREA", .help = "rights, kernel, engines, terminal" },
	{ ROW_FIELD(struct doctor_row, name, TEXT), .title = "CHECK", .help = "what was checked" },
	{ ROW_FIELD(struct doctor_row, state, ENUM), .title = "STATE", .names = state_names, .n_names = DOCTOR_N,
		.help = "ok; less: works with less; missing: something cannot work; unknown" },
	{ ROW_FIELD(struct doctor_row, found, TEXT), .title = "FOUND", .help = "what there is", .width = 40 },
	{ ROW_FIELD(struct doctor_row, lost, TEXT), .title = "WHAT THAT COSTS", .flags = FIELD_FLEX, .help = "what is lost without it" },
	{ ROW_FIELD(struct doctor_row, remedy, TEXT), .title = "REMEDY", .help = "what helps" },
};

const struct row_type doctor_row_type = {
	.name = "doctor", .noun = "checks", .id = 0x72636f64, .schema = 1, .size = sizeof(struct doctor_row),
	.fields = doctor_fields, .n_fields = ARRAY_LEN(doctor_fields),
};

const struct source doctor_source = {
	.name = "doctor", .type = &doctor_row_type, .cage = CAGE_BASE, .open = doctor_open, .sample = doctor_sample,
};
