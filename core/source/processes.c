/*
 * Processes of one target, from /proc. Each sample reads stat of every member; what seldom changes (user, inner pid, command line,
 * membership) is read when a process is new, while it is young, when its name changed, and otherwise in turn, an eighth a sample:
 * a host with 5,000 processes stays cheap. Environments are never read.
 */
#include "core/source/processes.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <linux/nsfs.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/block.h"
#include "core/err.h"
#include "core/fd.h"
#include "core/source/proc_dir.h"
#include "core/source/proc_text.h"
#include "core/source/processes_tree.h"
#include "core/worker.h"

#ifndef NS_GET_TGID_IN_PIDNS /* headers before Linux 6.11 */
#define NS_GET_TGID_IN_PIDNS _IOR(NSIO, 0x9, int)
#endif

enum { COMMAND_MAX = 4096, COMM_MAX = 64, TURNS = 8, FEW = 512 };
#define YOUNG_NS (10LL * 1000000000)

enum membership { BY_HOST, BY_CGROUP, BY_PIDNS, BY_NETNS };

struct known {
	uint64_t pid;
	uint64_t identity, owner; /* proc_dir_look; identity 0: not asked in this walk, since a member's start says it */
	int64_t first_seen; /* monotonic ns */
	bool is_member;
	/* of members */
	struct proc_text_stat stat; /* comm points nowhere: see name */
	struct proc_text_status status;
	uint64_t ticks_before; /* at the sample before */
	int64_t time_before; /* 0: this is the first */
	uint64_t netns; /* 0: none any more (zombie) */
	char name[COMM_MAX];
	uint32_t command, command_n; /* in text */
	bool has_stat, has_status;
};

/* One walk. */
struct walk {
	struct known *known; /* ascending pid; others too, so that their membership is remembered */
	uint32_t n, cap;
	char *text; /* command lines */
	uint32_t text_n, text_cap;
	int64_t time; /* monotonic */
};

struct user {
	uint64_t uid;
	uint32_t line;
	char name[33];
};

struct processes_scan {
	int proc;
	enum membership by;
	char container[PROC_TEXT_CONTAINER];
	uint64_t pidns, netns; /* pidns: of the leader, or of the host; 0: not known */
	int pidns_fd; /* -1: none */
	uint64_t session; /* of our broker and its workers; 0: none is left out */
	struct walk now, before;
	uint32_t n_members; /* of the walk before */
	bool few; /* of this walk, as far as one knows */
	unsigned turn;
	struct user *users; /* ascending uid */
	uint32_t n_users;
};

#define CMP(a, b) (((a) > (b)) - ((a) < (b)))

static int64_t clock_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static uint64_t tick_ns(void)
{
	long hz = sysconf(_SC_CLK_TCK);

	return 1000000000 / (uint64_t)(hz > 0 ? hz : 100);
}

/* --- who belongs --- */

static bool read_cgroup(int proc, uint64_t pid, char *buf, size_t cap, struct text *ret)
{
	ssize_t n = proc_dir_read(proc, pid, "cgroup", buf, cap);

	*ret = (struct text){ .p = buf, .n = n > 0 ? (size_t)n : 0 };
	return n > 0;
}

/* What makes a process one of the target's: the narrowest group that its first process is in. */
static void choose_membership(struct processes_scan *s, uint64_t leader)
{
	uint64_t host_pidns = 0;
	char buf[8192];
	struct text cgroup;

	s->by = BY_NETNS;
	if (leader == 0)
		return;
	proc_dir_ns(s->proc, leader, "pid", &s->pidns);
	if (read_cgroup(s->proc, leader, buf, sizeof buf, &cgroup) && proc_text_cgroup(cgroup, s->container)) {
		s->by = BY_CGROUP;
		return;
	}
	proc_dir_host_ns(s->proc, "pid", &host_pidns);
	if (s->pidns && s->pidns != host_pidns)
		s->by = BY_PIDNS;
}

struct processes_scan *processes_scan_new(int proc, uint64_t leader, uint64_t netns, bool is_host)
{
	struct processes_scan *s = fd_xcalloc(1, sizeof *s);

	s->proc = proc;
	s->netns = netns;
	s->pidns_fd = -1;
	if (is_host) {
		s->by = BY_HOST;
		proc_dir_host_ns(proc, "pid", &s->pidns);
	} else {
		choose_membership(s, leader);
	}
	return s;
}

void processes_scan_pidns(struct processes_scan *s, int fd)
{
	fd_closep(&s->pidns_fd);
	s->pidns_fd = fd;
}

void processes_scan_free(struct processes_scan *s)
{
	if (!s)
		return;
	fd_closep(&s->pidns_fd);
	free(s->now.known);
	free(s->now.text);
	free(s->before.known);
	free(s->before.text);
	free(s->users);
	free(s);
}

static bool belongs(const struct processes_scan *s, uint64_t pid)
{
	char buf[8192];
	struct text cgroup;
	uint64_t ns;

	switch (s->by) {
	case BY_HOST:
		return true;
	case BY_CGROUP:
		return read_cgroup(s->proc, pid, buf, sizeof buf, &cgroup) && proc_text_cgroup_has(cgroup, s->container);
	case BY_PIDNS:
		return proc_dir_ns(s->proc, pid, "pid", &ns) == 0 && ns == s->pidns;
	case BY_NETNS:
		return proc_dir_ns(s->proc, pid, "net", &ns) == 0 && ns == s->netns;
	}
	return false;
}

/* --- users --- */

/* Several names for one uid: the first in the file counts, as in getpwuid(3). */
static int by_uid_and_line(const void *x, const void *y)
{
	const struct user *a = x, *b = y;
	int r = CMP(a->uid, b->uid);

	return r ? r : CMP(a->line, b->line);
}

static int by_uid(const void *x, const void *y)
{
	const struct user *a = x, *b = y;

	return CMP(a->uid, b->uid);
}

/* "name:x:uid:..." */
static bool parse_user(struct text line, struct user *ret)
{
	struct text part[3];

	for (unsigned i = 0; i < 3; i++) {
		const char *colon = line.n ? memchr(line.p, ':', line.n) : NULL;

		if (!colon)
			return false;
		part[i] = (struct text){ .p = line.p, .n = (size_t)(colon - line.p) };
		line.n -= part[i].n + 1;
		line.p = colon + 1;
	}
	if (part[0].n == 0 || part[0].n >= sizeof ret->name || !proc_text_number(part[2], 10, &ret->uid))
		return false;
	memcpy(ret->name, part[0].p, part[0].n);
	ret->name[part[0].n] = 0;
	return true;
}

void processes_scan_users(struct processes_scan *s, int passwd)
{
	enum { MAX = 1 << 20 };
	AUTO(fd_freep) char *buf = fd_xrealloc(NULL, MAX, 1); /* not zeroed: little of it is used */
	ssize_t n = passwd >= 0 ? fd_read_all(passwd, buf, MAX) : 0;
	struct text rest = { .p = buf, .n = n > 0 ? (size_t)n : 0 }, line;
	uint32_t cap = 0, kept = 0;
	struct user u = { 0 };

	while (proc_text_line(&rest, &line)) {
		if (!parse_user(line, &u))
			continue;
		if (s->n_users == cap) {
			cap = cap ? cap * 2 : 64;
			s->users = fd_xrealloc(s->users, cap, sizeof *s->users);
		}
		u.line = s->n_users;
		s->users[s->n_users++] = u;
	}
	if (s->n_users == 0)
		return;
	qsort(s->users, s->n_users, sizeof *s->users, by_uid_and_line);
	for (uint32_t i = 0; i < s->n_users; i++)
		if (kept == 0 || s->users[kept - 1].uid != s->users[i].uid)
			s->users[kept++] = s->users[i];
	s->n_users = kept;
}

static struct str user_name(const struct processes_scan *s, struct builder *b, uint64_t uid)
{
	struct user key = { .uid = uid }, *u = NULL;
	char digits[24];

	if (s->n_users)
		u = bsearch(&key, s->users, s->n_users, sizeof key, by_uid);
	if (u)
		return builder_str(b, u->name);
	snprintf(digits, sizeof digits, "%" PRIu64, uid);
	return builder_str(b, digits);
}

/* --- reading --- */

static int by_pid(const void *x, const void *y)
{
	const struct known *a = x, *b = y;

	return CMP(a->pid, b->pid);
}

static const struct known *remembered(const struct processes_scan *s, uint64_t pid)
{
	struct known key = { .pid = pid };

	return s->before.n ? bsearch(&key, s->before.known, s->before.n, sizeof key, by_pid) : NULL;
}

static struct known *add_known(struct walk *w)
{
	if (w->n == w->cap) {
		w->cap = w->cap ? w->cap * 2 : 256;
		w->known = fd_xrealloc(w->known, w->cap, sizeof *w->known);
	}
	memset(&w->known[w->n], 0, sizeof w->known[0]);
	return &w->known[w->n++];
}

static void keep_command(struct walk *w, struct known *k, const char *p, size_t n)
{
	if (n > UINT32_MAX - w->text_n)
		n = 0;
	while (w->text_n + n > w->text_cap) {
		w->text_cap = w->text_cap ? w->text_cap * 2 : 16384;
		w->text = fd_xrealloc(w->text, w->text_cap, 1);
	}
	if (n)
		memcpy(w->text + w->text_n, p, n);
	k->command = w->text_n;
	k->command_n = (uint32_t)n;
	w->text_n += (uint32_t)n;
}

/* Arguments joined by blanks; nothing when there are none. */
static void read_command(struct processes_scan *s, struct known *k)
{
	char buf[COMMAND_MAX + 1];
	ssize_t n = proc_dir_read(s->proc, k->pid, "cmdline", buf, sizeof buf);

	while (n > 0 && buf[n - 1] == 0)
		n--;
	for (ssize_t i = 0; i < n; i++)
		buf[i] = buf[i] ? buf[i] : ' ';
	keep_command(&s->now, k, buf, n > 0 ? (size_t)n : 0);
}

static bool read_stat(const struct processes_scan *s, struct known *k)
{
	char buf[2048];
	ssize_t n = proc_dir_read(s->proc, k->pid, "stat", buf, sizeof buf);

	if (n < 0 || !proc_text_stat((struct text){ .p = buf, .n = (size_t)n }, &k->stat))
		return false;
	snprintf(k->name, sizeof k->name, "%.*s", (int)k->stat.comm.n, k->stat.comm.p);
	k->stat.comm = (struct text){ .p = NULL };
	if (s->by == BY_NETNS && s->session && k->stat.session == s->session)
		return false; /* a worker of ours that looks in there */
	k->has_stat = true;
	return true;
}

/*
 * User and number inside without PID/status, which is as dear as stat and cmdline together: for those in the leader's pid namespace,
 * or on the host, in the host's. Memory then is what stat says.
 */
static bool read_user_and_number(const struct processes_scan *s, struct known *k)
{
	struct proc_text_status status = { .ns_pid = ROW_NO_UINT, .rss_kb = UINT64_MAX };
	uint64_t pidns = s->pidns;
	int number;

	if (!s->pidns || (s->by != BY_HOST && s->pidns_fd < 0))
		return false;
	if (s->by != BY_PIDNS && (proc_dir_ns(s->proc, k->pid, "pid", &pidns) < 0 || pidns != s->pidns))
		return false;
	if (s->by != BY_HOST) {
		number = ioctl(s->pidns_fd, NS_GET_TGID_IN_PIDNS, k->pid);
		if (number <= 0)
			return false;
		status.ns_pid = (uint64_t)number;
	}
	if (!k->identity && proc_dir_look(s->proc, k->pid, &k->identity, &k->owner) < 0)
		return false;
	status.uid = k->owner;
	k->status = status;
	k->has_status = true;
	return true;
}

static void read_status(const struct processes_scan *s, struct known *k)
{
	char buf[8192];
	ssize_t n = proc_dir_read(s->proc, k->pid, "status", buf, sizeof buf);

	if (n > 0 && proc_text_status((struct text){ .p = buf, .n = (size_t)n }, &k->status))
		k->has_status = true;
}

/* A member's row for this walk, with what the walk before knew; false: it left. */
static bool read_member(struct processes_scan *s, struct known *k, const struct known *old, bool in_turn)
{
	bool renamed;

	if (!k->has_stat && !read_stat(s, k))
		return false;
	if (old && old->is_member) {
		k->ticks_before = old->stat.ticks;
		k->time_before = s->before.time;
		k->status = old->status;
		k->has_status = old->has_status;
		k->netns = old->netns;
	}
	renamed = !old || !old->is_member || strcmp(old->name, k->name) != 0 || old->stat.state != k->stat.state;
	/* Few processes: memory as exact as status has it, each time. */
	if ((s->few || renamed || in_turn) && (s->few || !read_user_and_number(s, k)))
		read_status(s, k);
	if (renamed || in_turn)
		read_command(s, k);
	else
		keep_command(&s->now, k, s->before.text + old->command, old->command_n);
	if ((renamed || in_turn) && proc_dir_ns(s->proc, k->pid, "net", &k->netns) < 0)
		k->netns = 0;
	return true;
}

/* A process that ended and waits for its parent has no namespaces, and at times no cgroup: it belongs where its parent does. */
static bool is_zombie_of_target(const struct processes_scan *s, struct known *k, const struct known *old)
{
	struct known key = { 0 };
	const struct known *parent;
	uint64_t ns;

	if (s->by == BY_HOST || proc_dir_ns(s->proc, k->pid, "net", &ns) != -ENOENT || (!k->has_stat && !read_stat(s, k)) ||
		k->stat.state != 'Z')
		return false;
	key.pid = k->stat.ppid;
	parent = bsearch(&key, s->now.known, s->now.n, sizeof key, by_pid);
	return (parent && parent->is_member) || (old && old->is_member);
}

/* Is `old` still this process? A member is known again by its start, which is read anyway, others by their identity. */
static bool is_same(const struct processes_scan *s, struct known *k, const struct known *old)
{
	if (old && old->is_member)
		return read_stat(s, k) && k->stat.start == old->stat.start;
	return proc_dir_look(s->proc, k->pid, &k->identity, &k->owner) == 0 && old && old->identity == k->identity;
}

static void visit(struct processes_scan *s, uint64_t pid)
{
	const struct known *old = remembered(s, pid);
	struct known *k = add_known(&s->now);
	bool in_turn;

	k->pid = pid;
	if (!is_same(s, k, old))
		old = NULL;
	/* What was there at the first walk is settled; what comes later may still be on its way into its group. */
	k->first_seen = old ? old->first_seen : s->turn == 1 ? s->now.time - YOUNG_NS : s->now.time;
	in_turn = !old || s->now.time - k->first_seen < YOUNG_NS || (pid + s->turn) % TURNS == 0;
	if (in_turn || (s->by == BY_NETNS && !old->is_member))
		k->is_member = belongs(s, pid) || is_zombie_of_target(s, k, old);
	else
		k->is_member = old->is_member;
	if (k->is_member && !read_member(s, k, old, in_turn))
		s->now.n--;
}

static int walk(struct processes_scan *s, struct err *err)
{
	AUTO(fd_freep) uint64_t *pids = NULL;
	struct walk swap = s->before;
	uint32_t n = 0;
	int r = proc_dir_pids(s->proc, &pids, &n);

	if (r < 0)
		return err_set(err, -r, "list /proc");
	s->before = s->now;
	s->now = swap;
	s->now.n = s->now.text_n = 0;
	s->now.time = clock_ns(CLOCK_MONOTONIC);
	s->turn++;
	s->few = (s->turn == 1 ? n : s->n_members) <= FEW;
	for (uint32_t i = 0; i < n; i++)
		visit(s, pids[i]);
	return 0;
}

/* --- rows --- */

struct clocks {
	int64_t real, boot; /* ns; boot: since the host started */
	uint64_t tick;
};

static double cpu_percent(const struct known *k, const struct walk *w, const struct clocks *c)
{
	double cpu, wall;

	if (k->time_before) {
		cpu = (double)(k->stat.ticks - k->ticks_before) * (double)c->tick;
		wall = (double)(w->time - k->time_before);
	} else {
		cpu = (double)k->stat.ticks * (double)c->tick;
		wall = (double)c->boot - (double)k->stat.start * (double)c->tick;
	}
	if (k->stat.ticks < k->ticks_before || wall <= 0)
		return k->stat.ticks ? NAN : 0;
	/* Ticks are coarse: a process of a few ticks' age seems to have run longer than it lived. */
	return cpu <= wall || k->time_before ? cpu * 100 / wall : 100;
}

static struct str command_text(struct builder *b, const struct known *k, const struct walk *w)
{
	char name[COMM_MAX + 16];

	if (k->command_n)
		return builder_text(b, w->text + k->command, k->command_n);
	snprintf(name, sizeof name, "[%s]%s", k->name, k->stat.state == 'Z' ? " <defunct>" : "");
	return builder_str(b, name);
}

static void add_row(const struct processes_scan *s, struct builder *b, const struct known *k, uint32_t depth,
	const struct clocks *c)
{
	static const uint64_t page_kb = 1024;
	uint64_t id[] = { k->pid, k->stat.start }, page = (uint64_t)sysconf(_SC_PAGESIZE);
	struct process_row *row = builder_row(b);

	row->head.id = row_hash(id, sizeof id, 0);
	row->head.severity = k->stat.state == 'Z' || k->stat.state == 'T' ? SEVERITY_WARN : SEVERITY_NONE;
	row->pid = k->pid;
	row->ns_pid = k->has_status ? k->status.ns_pid : ROW_NO_UINT;
	row->ppid = k->stat.ppid;
	row->uid = k->has_status ? k->status.uid : ROW_NO_UINT;
	row->user = k->has_status ? user_name(s, b, k->status.uid) : ROW_NO_TEXT;
	row->state = builder_text(b, &k->stat.state, 1);
	row->cpu_percent = cpu_percent(k, &s->now, c);
	row->cpu_time_us = k->stat.ticks * c->tick / 1000;
	row->rss_bytes = k->stat.rss_pages * page;
	if (s->few && k->has_status && k->status.rss_kb != UINT64_MAX && k->stat.rss_pages)
		row->rss_bytes = k->status.rss_kb * page_kb;
	row->threads = k->stat.threads;
	row->started_at = c->real - c->boot + (int64_t)(k->stat.start * c->tick);
	row->command = command_text(b, k, &s->now);
	row->name = builder_str(b, k->name);
	row->depth = depth;
	row->start = k->stat.start;
	row->same_netns = !k->netns || !s->netns ? ROW_NO_BOOL : k->netns == s->netns;
}

/* The first walk goes by how many the host has. Are there few of the target after all? Then they are read as such. */
static void see_few(struct processes_scan *s)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < s->now.n; i++)
		n += s->now.known[i].is_member;
	if (s->turn > 1 || s->few || n > FEW)
		return;
	s->few = true;
	for (uint32_t i = 0; i < s->now.n; i++)
		if (s->now.known[i].is_member)
			read_status(s, &s->now.known[i]);
}

int processes_scan_read(struct processes_scan *s, struct builder *b, struct err *err)
{
	AUTO(fd_freep) struct processes_node *nodes = NULL;
	struct clocks c = { .tick = tick_ns() };
	uint32_t n = 0;
	int r = walk(s, err);

	if (r < 0)
		return r;
	c.real = clock_ns(CLOCK_REALTIME);
	c.boot = clock_ns(CLOCK_BOOTTIME);
	see_few(s);
	nodes = fd_xcalloc(s->now.n, sizeof *nodes);
	for (uint32_t i = 0; i < s->now.n; i++) {
		const struct known *k = &s->now.known[i];

		if (k->is_member)
			nodes[n++] = (struct processes_node){ .pid = k->pid, .ppid = k->stat.ppid, .start = k->stat.start, .at = i };
	}
	processes_tree_sort(nodes, n);
	for (uint32_t i = 0; i < n; i++)
		add_row(s, b, &s->now.known[nodes[i].at], nodes[i].depth, &c);
	s->n_members = n;
	proc_dir_note_hiding(s->proc, b);
	return 0;
}

/* --- the source --- */

static int processes_open(struct worker *w, struct err *err)
{
	AUTO(fd_closep) int passwd = open("/etc/passwd", O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct worker_target *t = worker_target(w);
	uint64_t leader = t->ref.kind == TARGET_PID ? (uint64_t)t->ref.pid : 0;
	struct processes_scan *s;

	(void)err;
	s = processes_scan_new(t->proc, leader, t->netns_inode, t->ref.kind == TARGET_HOST);
	processes_scan_users(s, passwd);
	if (leader)
		processes_scan_pidns(s, openat(t->dir, "ns/pid", O_RDONLY | O_CLOEXEC));
	s->session = (uint64_t)getsid(0);
	*worker_state(w) = s;
	return 0;
}

static int processes_sample(struct worker *w, struct builder *b, struct err *err)
{
	return processes_scan_read(*worker_state(w), b, err);
}

#define FIELD(member, kind) ROW_FIELD(struct process_row, member, kind)

static const struct field process_fields[] = {
	{ FIELD(pid, UINT), .title = "PID", .unit = UNIT_ID, .help = "process, as the host counts", .flags = FIELD_RIGHT, .width = 7 },
	{ FIELD(ns_pid, UINT), .title = "IN-NS", .unit = UNIT_ID, .help = "its number inside; unknown: it has no other",
		.flags = FIELD_RIGHT, .width = 5, .priority = 6 },
	{ FIELD(ppid, UINT), .title = "PPID", .unit = UNIT_ID, .help = "parent, as the host counts", .flags = FIELD_RIGHT | FIELD_WIDE,
		.width = 7, .priority = 9 },
	{ FIELD(user, TEXT), .title = "USER", .help = "effective user, named as on the host", .width = 8, .priority = 3 },
	{ FIELD(state, TEXT), .title = "S", .help = "R runs, S sleeps, D waits for a device, Z ended, T stopped, I idle", .width = 1,
		.priority = 2 },
	{ FIELD(cpu_percent, REAL), .title = "CPU%", .unit = UNIT_PERCENT, .help = "since the sample before; first: since its start",
		.flags = FIELD_RIGHT, .width = 5, .priority = 4 },
	{ FIELD(rss_bytes, UINT), .title = "RSS", .unit = UNIT_BYTES, .help = "memory in use", .flags = FIELD_RIGHT, .width = 5,
		.priority = 5 },
	{ FIELD(threads, UINT), .title = "THR", .help = "threads", .flags = FIELD_RIGHT, .width = 4, .priority = 7 },
	{ FIELD(started_at, TIME), .title = "START", .help = "when it started", .flags = FIELD_RIGHT, .width = 5, .priority = 8 },
	{ FIELD(command, TEXT), .title = "COMMAND", .help = "its arguments; [name] when there are none", .flags = FIELD_FLEX,
		.priority = 1 },
	{ FIELD(uid, UINT), .title = "UID", .unit = UNIT_ID, .help = "effective user", .flags = FIELD_HIDDEN },
	{ FIELD(cpu_time_us, UINT), .title = "TIME", .unit = UNIT_US, .help = "processor time since its start", .flags = FIELD_HIDDEN },
	{ FIELD(name, TEXT), .title = "NAME", .help = "command name of the kernel, 15 bytes", .flags = FIELD_HIDDEN },
	{ FIELD(depth, UINT), .title = "DEPTH", .help = "in the tree, 0 is the top", .flags = FIELD_HIDDEN },
	{ FIELD(start, UINT), .title = "TICKS", .unit = UNIT_ID, .help = "start, clock ticks since boot", .flags = FIELD_HIDDEN },
	{ FIELD(same_netns, BOOL), .title = "SAME-NETNS", .help = "is it in the target's network namespace", .flags = FIELD_HIDDEN },
};

const struct row_type process_row_type = {
	.name = "ps", .noun = "processes", .id = 0x70726f63, .schema = 1, .size = sizeof(struct process_row),
	.fields = process_fields, .n_fields = ARRAY_LEN(process_fields),
};

const struct source processes_source = {
	.name = "processes", .type = &process_row_type, .needs_target = true, .cage = CAGE_SCAN,
	.caps = 1ULL << CAP_SYS_PTRACE | 1ULL << CAP_DAC_READ_SEARCH,
	.open = processes_open, .sample = processes_sample,
};
