/*
 * The walk over descriptors and threads: see holders.h. It runs in open(), with the rights it needs, and reads nothing that a container
 * could write but command names, which it only copies. What the limits leave out is counted and said.
 */
#include "core/source/holders.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <linux/nsfs.h>
#include <linux/sockios.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "core/block.h"
#include "core/cage.h"
#include "core/err.h"
#include "core/fd.h"
#include "core/loop.h"
#include "core/rights.h"
#include "core/source/proc_dir.h"
#include "core/source/proc_text.h"
#include "core/worker.h"

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71
#endif

enum { WALK_MS = 2000, SOCKETS_OF_ONE = 512, MAX_HELD = 20000, COMM = 16 };

struct held {
	uint64_t netns, pid, start, number, count;
	enum holder_by by;
	char process[COMM + 1];
};

struct socket_place {
	uint64_t inode, pid, fd;
};

/* A namespace by the number that sockets tell (SO_NETNS_COOKIE, Linux 5.14): its inode is asked for once. */
struct cookie {
	uint64_t cookie, inode;
};

struct holders {
	int proc;
	uint64_t nsfs;
	bool wants_sockets;
	pid_t session; /* of our broker and its workers, which look into namespaces and hold them for that; 0: nobody is left out */
	uint64_t *alive; /* namespaces with a process, sorted after the walk */
	uint32_t n_alive, cap_alive;
	struct held *held;
	uint32_t n_held, cap_held;
	struct socket_place *sockets;
	uint32_t n_sockets, cap_sockets;
	struct cookie *cookies;
	uint32_t n_cookies, cap_cookies;
	uint64_t until_ms;
	uint32_t n_hidden; /* processes whose descriptors we may not see */
	uint32_t n_unseen; /* processes left out: time */
	uint64_t n_more; /* sockets left out */
	uint32_t n_closed; /* sockets that we may not ask */
};

const char *const holder_names[HOLDER_N] = {
	[HOLDER_DESCRIPTOR] = "descriptor",
	[HOLDER_SOCKET] = "socket",
	[HOLDER_THREAD] = "thread",
};

#define CMP(a, b) (((a) > (b)) - ((a) < (b)))

#define GROW(list, n, cap) \
	do { \
		if ((n) == (cap)) { \
			(cap) = (cap) ? (cap) * 2 : 64; \
			(list) = fd_xrealloc((list), (cap), sizeof *(list)); \
		} \
	} while (0)

static int by_number(const void *x, const void *y)
{
	const uint64_t *a = x, *b = y;

	return CMP(*a, *b);
}

static int by_inode(const void *x, const void *y)
{
	const struct socket_place *a = x, *b = y;
	int r = CMP(a->inode, b->inode);

	return r ? r : CMP(a->pid, b->pid);
}

static int by_pid(const void *x, const void *y)
{
	const struct socket_place *a = x, *b = y;
	int r = CMP(a->pid, b->pid);

	return r ? r : CMP(a->fd, b->fd);
}

static int by_holder(const void *x, const void *y)
{
	const struct held *a = x, *b = y;
	int r = CMP(a->netns, b->netns);

	r = r ? r : CMP(a->by, b->by);
	r = r ? r : CMP(a->pid, b->pid);
	return r ? r : CMP(a->number, b->number);
}

void holder_path(const struct holder_row *h, char *buf, size_t cap)
{
	if (h->by == HOLDER_THREAD)
		snprintf(buf, cap, "/proc/%" PRIu64 "/task/%" PRIu64 "/ns/net", h->pid, h->number);
	else
		snprintf(buf, cap, "/proc/%" PRIu64 "/fd/%" PRIu64, h->pid, h->number);
}

struct holders *holders_new(int proc, uint64_t nsfs, bool sockets)
{
	struct holders *h = fd_xcalloc(1, sizeof *h);

	h->proc = proc;
	h->nsfs = nsfs;
	h->wants_sockets = sockets;
	return h;
}

void holders_free(struct holders *h)
{
	if (!h)
		return;
	free(h->alive);
	free(h->held);
	free(h->sockets);
	free(h->cookies);
	free(h);
}

static void add_alive(struct holders *h, uint64_t inode)
{
	if (h->n_alive && h->alive[h->n_alive - 1] == inode)
		return;
	GROW(h->alive, h->n_alive, h->cap_alive);
	h->alive[h->n_alive++] = inode;
}

static void add_held(struct holders *h, uint64_t netns, enum holder_by by, uint64_t pid, uint64_t number)
{
	struct held *last = h->n_held ? &h->held[h->n_held - 1] : NULL;

	if (last && last->netns == netns && last->by == by && last->pid == pid) {
		last->count++;
		return;
	}
	if (h->n_held == MAX_HELD) {
		h->n_more++;
		return;
	}
	GROW(h->held, h->n_held, h->cap_held);
	h->held[h->n_held++] = (struct held){ .netns = netns, .by = by, .pid = pid, .number = number, .count = 1 };
}

/* --- descriptors and threads --- */

/* A namespace file below a mount shows that path, and "/" when the mount has gone: ip netns del while a daemon has it open. */
static bool may_be_mounted(const char *link)
{
	return strcmp(link, "/") == 0 || strstr(link, "ns/");
}

/* Opened as a path first, and no file system is asked anything: neither a device nor a mount that hangs is touched. */
static bool is_namespace(const struct holders *h, int dir, const char *name, uint64_t *ret_inode)
{
	AUTO(fd_closep) int path = openat(dir, name, O_PATH | O_CLOEXEC);
	AUTO(fd_closep) int fd = -1;
	char again[40];
	struct statx st;

	if (path < 0 || statx(path, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, 0, &st) < 0 ||
		makedev(st.stx_dev_major, st.stx_dev_minor) != h->nsfs)
		return false;
	snprintf(again, sizeof again, "/proc/self/fd/%d", path);
	fd = open(again, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || ioctl(fd, NS_GET_NSTYPE) != CLONE_NEWNET)
		return false; /* nsfs has namespaces of all kinds */
	*ret_inode = st.stx_ino;
	return true;
}

static void look_at_fd(struct holders *h, int dir, uint64_t pid, const char *name, uint64_t number, unsigned *sockets)
{
	char link[256];
	ssize_t n = readlinkat(dir, name, link, sizeof link - 1);
	struct text text = { .p = link, .n = n > 0 ? (size_t)n : 0 };
	uint64_t inode;

	link[text.n] = 0;
	if (link[0] == 's' && h->wants_sockets && proc_text_link(text, "socket", &inode)) {
		if (++*sockets > SOCKETS_OF_ONE) {
			h->n_more++;
			return;
		}
		GROW(h->sockets, h->n_sockets, h->cap_sockets);
		h->sockets[h->n_sockets++] = (struct socket_place){ .inode = inode, .pid = pid, .fd = number };
	} else if ((link[0] == 'n' && proc_text_link(text, "net", &inode)) || (link[0] == '/' && may_be_mounted(link) &&
		is_namespace(h, dir, name, &inode))) {
		add_held(h, inode, HOLDER_DESCRIPTOR, pid, number);
	}
}

static void look_at_fds(struct holders *h, uint64_t pid)
{
	AUTO(proc_dir_closep) DIR *d = NULL;
	unsigned sockets = 0;
	uint64_t number;
	const char *name;
	char path[32];

	snprintf(path, sizeof path, "%" PRIu64 "/fd", pid);
	d = proc_dir_open(h->proc, path);
	if (!d) {
		h->n_hidden += errno == EACCES || errno == EPERM;
		return;
	}
	while ((name = proc_dir_next(d, &number)))
		look_at_fd(h, dirfd(d), pid, name, number, &sockets);
}

/* The directory's link count says how many threads there are (2 more, and the first one is the process). */
static void look_at_threads(struct holders *h, uint64_t pid, uint64_t own)
{
	AUTO(proc_dir_closep) DIR *d = NULL;
	struct stat st;
	uint64_t number, inode;
	const char *name;
	char path[64];

	snprintf(path, sizeof path, "%" PRIu64 "/task", pid);
	if (fstatat(h->proc, path, &st, 0) < 0 || st.st_nlink < 4)
		return;
	d = proc_dir_open(h->proc, path);
	while (d && (name = proc_dir_next(d, &number))) {
		char link[64];
		ssize_t n;

		snprintf(path, sizeof path, "%s/ns/net", name);
		n = readlinkat(dirfd(d), path, link, sizeof link);
		if (n > 0 && proc_text_link((struct text){ .p = link, .n = (size_t)n }, "net", &inode) && inode != own)
			add_held(h, inode, HOLDER_THREAD, pid, number);
	}
}

/* --- sockets --- */

static int copy_of(const struct socket_place *s, int *pidfd, uint64_t *pidfd_of)
{
	if (*pidfd < 0 || *pidfd_of != s->pid) {
		fd_closep(pidfd);
		*pidfd = (int)syscall(SYS_pidfd_open, (pid_t)s->pid, 0);
		*pidfd_of = s->pid;
	}
	return *pidfd < 0 ? -1 : (int)syscall(SYS_pidfd_getfd, *pidfd, (int)s->fd, 0);
}

static struct cookie *find_cookie(struct holders *h, uint64_t cookie)
{
	for (uint32_t i = 0; i < h->n_cookies; i++)
		if (h->cookies[i].cookie == cookie)
			return &h->cookies[i];
	return NULL;
}

/* 0: not to be known. */
static uint64_t namespace_of(struct holders *h, int fd)
{
	AUTO(fd_closep) int ns = -1;
	uint64_t cookie = 0;
	socklen_t n = sizeof cookie;
	bool has_cookie = getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &n) == 0;
	struct cookie *known = has_cookie ? find_cookie(h, cookie) : NULL;
	struct stat st;

	if (known)
		return known->inode;
	ns = ioctl(fd, SIOCGSKNS);
	if (ns < 0 || fstat(ns, &st) < 0) {
		h->n_closed += ns < 0 && errno == EPERM;
		return 0;
	}
	if (has_cookie) {
		GROW(h->cookies, h->n_cookies, h->cap_cookies);
		h->cookies[h->n_cookies++] = (struct cookie){ cookie, st.st_ino };
	}
	return st.st_ino;
}

static bool is_alive(const struct holders *h, uint64_t inode)
{
	return h->n_alive && bsearch(&inode, h->alive, h->n_alive, sizeof inode, by_number);
}

/* Sockets that several processes share are asked once. */
static uint32_t drop_shared(struct socket_place *s, uint32_t n)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < n; i++)
		if (i == 0 || s[i].inode != s[i - 1].inode)
			s[kept++] = s[i];
	return kept;
}

static void ask_sockets(struct holders *h)
{
	AUTO(fd_closep) int pidfd = -1;
	uint64_t pidfd_of = 0;

	if (h->n_sockets == 0)
		return;
	qsort(h->sockets, h->n_sockets, sizeof *h->sockets, by_inode);
	h->n_sockets = drop_shared(h->sockets, h->n_sockets);
	qsort(h->sockets, h->n_sockets, sizeof *h->sockets, by_pid);
	for (uint32_t i = 0; i < h->n_sockets; i++) {
		AUTO(fd_closep) int fd = -1;
		uint64_t inode;

		if (loop_now_ms() > h->until_ms) {
			h->n_more += h->n_sockets - i;
			return;
		}
		fd = copy_of(&h->sockets[i], &pidfd, &pidfd_of);
		if (fd < 0 && (errno == EPERM || errno == ENOSYS))
			h->n_closed++;
		inode = fd < 0 ? 0 : namespace_of(h, fd);
		if (inode && !is_alive(h, inode))
			add_held(h, inode, HOLDER_SOCKET, h->sockets[i].pid, h->sockets[i].fd);
	}
}

/* --- the whole --- */

static void describe(const struct holders *h, struct held *held)
{
	struct proc_text_stat stat;
	char buf[2048];
	ssize_t n = proc_dir_read(h->proc, held->pid, "stat", buf, sizeof buf);

	held->start = ROW_NO_UINT;
	if (n <= 0 || !proc_text_stat((struct text){ .p = buf, .n = (size_t)n }, &stat))
		return;
	held->start = stat.start;
	snprintf(held->process, sizeof held->process, "%.*s", (int)(stat.comm.n < COMM ? stat.comm.n : COMM), stat.comm.p);
}

/* Processes that came after the list was read may be in it: only those that were there all the time count. */
static void settle(struct holders *h)
{
	uint32_t kept = 0;

	qsort(h->alive, h->n_alive, sizeof *h->alive, by_number);
	for (uint32_t i = 0; i < h->n_held; i++)
		if (!is_alive(h, h->held[i].netns))
			h->held[kept++] = h->held[i];
	h->n_held = kept;
}

void holders_walk(struct holders *h)
{
	AUTO(fd_freep) uint64_t *pids = NULL;
	uint32_t n = 0;

	h->until_ms = loop_now_ms() + WALK_MS;
	if (proc_dir_pids(h->proc, &pids, &n) < 0)
		return;
	for (uint32_t i = 0; i < n; i++) {
		uint64_t own = 0;
		int r;

		if (h->session && getsid((pid_t)pids[i]) == h->session)
			continue;
		r = proc_dir_ns(h->proc, pids[i], "net", &own);
		if (r == 0)
			add_alive(h, own);
		if (r < 0 && !err_denied(r))
			continue; /* left, or a zombie */
		if (loop_now_ms() > h->until_ms) {
			h->n_unseen++;
			continue;
		}
		look_at_fds(h, pids[i]);
		if (r == 0)
			look_at_threads(h, pids[i], own);
	}
	settle(h);
	ask_sockets(h);
	for (uint32_t i = 0; i < h->n_held; i++)
		describe(h, &h->held[i]);
	if (h->n_held)
		qsort(h->held, h->n_held, sizeof *h->held, by_holder);
}

void holders_build(const struct holders *h, struct builder *b)
{
	for (uint32_t i = 0; i < h->n_held; i++) {
		const struct held *o = &h->held[i];
		struct holder_row *row = builder_row(b);

		*row = (struct holder_row){ .head.severity = SEVERITY_NONE, .netns = o->netns, .pid = o->pid, .start = o->start,
			.by = o->by, .number = o->number, .count = o->count };
		row->head.id = row_hash(&row->netns, (size_t)((char *)&row->start - (char *)&row->netns), o->by);
		row->process = builder_str(b, o->process[0] ? o->process : NULL);
	}
	proc_dir_note_hiding(h->proc, b);
	if (h->n_hidden)
		builder_note(b, EACCES, "descriptors of %" PRIu32 " processes hidden, they may hold namespaces: %s",
			h->n_hidden, rights_needed(RIGHT(CAP_SYS_PTRACE) | RIGHT(CAP_DAC_READ_SEARCH), (char[RIGHTS_TEXT]){ 0 }));
	if (h->n_closed)
		builder_note(b, EACCES, "%" PRIu32 " sockets do not tell their namespace: needs CAP_SYS_PTRACE, CAP_NET_ADMIN and Linux 5.6",
			h->n_closed);
	if (h->n_unseen)
		builder_note(b, ETIMEDOUT, "descriptors of %" PRIu32 " processes not looked at within %d s: they may hold namespaces",
			h->n_unseen, WALK_MS / 1000);
	if (h->n_more)
		builder_note(b, 0, "%" PRIu64 " sockets not looked at (%d of a process at most, %d s): they may hold namespaces", h->n_more,
			SOCKETS_OF_ONE, WALK_MS / 1000);
}

static uint64_t nsfs_device(void)
{
	struct stat st;

	return stat("/proc/self/ns/net", &st) == 0 ? st.st_dev : 0;
}

static int holders_open(struct worker *w, struct err *err)
{
	struct holders *h = holders_new(worker_target(w)->proc, nsfs_device(), true);

	(void)err;
	h->session = getsid(0);
	cage_raise_caps(1ull << CAP_NET_ADMIN);
	holders_walk(h);
	*worker_state(w) = h;
	return 0;
}

static int holders_sample(struct worker *w, struct builder *b, struct err *err)
{
	(void)err;
	holders_build(*worker_state(w), b);
	return 0;
}

#define F(member, k) ROW_FIELD(struct holder_row, member, k)
static const struct field holder_fields[] = {
	{ F(netns, UINT), .title = "NETNS", .unit = UNIT_ID, .help = "inode of the network namespace" },
	{ F(pid, UINT), .title = "PID", .unit = UNIT_ID, .help = "process that holds it" },
	{ F(start, UINT), .title = "START", .unit = UNIT_ID, .flags = FIELD_HIDDEN, .help = "its start, clock ticks since boot" },
	{ F(process, TEXT), .title = "PROCESS", .help = "its command name" },
	{ F(by, ENUM), .title = "BY", .names = holder_names, .n_names = HOLDER_N, .help = "descriptor of the namespace, socket in it, thread in it" },
	{ F(number, UINT), .title = "NUMBER", .unit = UNIT_ID, .help = "the first such descriptor, or the thread" },
	{ F(count, UINT), .title = "COUNT", .help = "how many of its descriptors, sockets or threads hold it" },
};
#undef F

const struct row_type holder_row_type = { .name = "holders", .noun = "holders", .id = 0x686f6c64, .schema = 1,
	.size = sizeof(struct holder_row), .fields = holder_fields, .n_fields = ARRAY_LEN(holder_fields) };

const struct source holders_source = {
	.name = "holders", .type = &holder_row_type, .cage = CAGE_BASE, .open = holders_open, .sample = holders_sample,
};
