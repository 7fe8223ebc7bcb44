/*
 * Every network namespace that a process or a mount shows. The link of ns/net is read for each process each time; start time and inner
 * pid only when a process is new (they cannot change), command name and cgroup only of leaders: 5,000 processes stay cheap.
 * Zombies have no namespace any more and are left out; kernel threads live in the host's.
 */
#include "core/source/namespaces.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/block.h"
#include "core/err.h"
#include "core/fd.h"
#include "core/source/mounts.h"
#include "core/source/proc_dir.h"
#include "core/source/proc_text.h"
#include "core/worker.h"

struct member {
	uint64_t pid;
	uint64_t identity; /* proc_dir_identity */
	uint64_t start;
	uint64_t netns;
	uint8_t inner; /* enum inner: read only where several processes want to lead */
};

enum inner { INNER_UNKNOWN, INNER_FIRST, INNER_LATER };

struct members {
	struct member *m;
	uint32_t n, cap;
};

struct mount {
	uint64_t inode;
	char *path;
	bool used;
};

struct namespaces_scan {
	int proc;
	int mounts; /* mountinfo; -1: none */
	uint64_t host; /* inode */
	struct members now, before; /* by pid */
	uint32_t n_denied;
	struct mount *mounted;
	uint32_t n_mounted, cap_mounted;
};

struct namespaces_scan *namespaces_scan_new(int proc, int mounts)
{
	struct namespaces_scan *s = fd_xcalloc(1, sizeof *s);

	s->proc = proc;
	s->mounts = mounts;
	return s;
}

static void drop_mounts(struct namespaces_scan *s)
{
	for (uint32_t i = 0; i < s->n_mounted; i++)
		free(s->mounted[i].path);
	s->n_mounted = 0;
}

void namespaces_scan_free(struct namespaces_scan *s)
{
	if (!s)
		return;
	drop_mounts(s);
	free(s->mounted);
	free(s->now.m);
	free(s->before.m);
	free(s);
}

#define CMP(a, b) (((a) > (b)) - ((a) < (b)))

static int by_pid(const void *x, const void *y)
{
	const struct member *a = x, *b = y;

	return CMP(a->pid, b->pid);
}

static int by_namespace(const void *x, const void *y)
{
	const struct member *a = x, *b = y;
	int r = CMP(a->netns, b->netns);

	return r ? r : CMP(a->pid, b->pid);
}

static struct member *members_add(struct members *l)
{
	if (l->n == l->cap) {
		l->cap = l->cap ? l->cap * 2 : 256;
		l->m = fd_xrealloc(l->m, l->cap, sizeof *l->m);
	}
	memset(&l->m[l->n], 0, sizeof l->m[0]);
	return &l->m[l->n++];
}

/* What cannot change while the process lives; false: it left. */
static bool read_start(const struct namespaces_scan *s, struct member *m)
{
	struct proc_text_stat stat;
	char buf[2048];
	ssize_t n = proc_dir_read(s->proc, m->pid, "stat", buf, sizeof buf);

	if (n < 0 || !proc_text_stat((struct text){ .p = buf, .n = (size_t)n }, &stat))
		return false;
	m->start = stat.start;
	return true;
}

/* Is it pid 1 of a pid namespace of its own? That cannot change either. */
static bool is_inner_first(const struct namespaces_scan *s, struct member *m)
{
	struct proc_text_status status;
	char buf[8192];
	ssize_t n;

	if (m->inner != INNER_UNKNOWN)
		return m->inner == INNER_FIRST;
	n = proc_dir_read(s->proc, m->pid, "status", buf, sizeof buf);
	m->inner = n >= 0 && proc_text_status((struct text){ .p = buf, .n = (size_t)n }, &status) && status.ns_pid == 1 ?
		INNER_FIRST : INNER_LATER;
	return m->inner == INNER_FIRST;
}

static bool fill_member(const struct namespaces_scan *s, struct member *m)
{
	const struct member *old = NULL;
	uint64_t netns = m->netns;

	if (proc_dir_identity(s->proc, m->pid, &m->identity) < 0)
		return false;
	if (s->before.n)
		old = bsearch(m, s->before.m, s->before.n, sizeof *m, by_pid);
	if (!old || old->identity != m->identity)
		return read_start(s, m);
	*m = *old;
	m->netns = netns;
	return true;
}

static int walk(struct namespaces_scan *s, struct err *err)
{
	AUTO(fd_freep) uint64_t *pids = NULL;
	struct members swap = s->before;
	uint32_t n = 0;
	int listed = proc_dir_pids(s->proc, &pids, &n);

	if (listed < 0)
		return err_set(err, -listed, "list /proc");
	s->before = s->now;
	s->now = swap;
	s->now.n = 0;
	s->n_denied = 0;
	if (s->before.n)
		qsort(s->before.m, s->before.n, sizeof *s->before.m, by_pid);
	for (uint32_t i = 0; i < n; i++) {
		uint64_t netns;
		int r = proc_dir_ns(s->proc, pids[i], "net", &netns);
		struct member *m;

		if (err_denied(r) && pids[i] == 1) { /* holds more rights than we do; it is the host's by definition */
			netns = s->host;
			r = 0;
		}
		s->n_denied += err_denied(r);
		if (r < 0)
			continue;
		m = members_add(&s->now);
		m->pid = pids[i];
		m->netns = netns;
		if (!fill_member(s, m))
			s->now.n--;
	}
	return 0;
}

static void add_mount(struct namespaces_scan *s, uint64_t inode, const char *path)
{
	for (uint32_t i = 0; i < s->n_mounted; i++)
		if (s->mounted[i].inode == inode)
			return; /* the first one: the same mount shows up again below bind mounts */
	if (s->n_mounted == s->cap_mounted) {
		s->cap_mounted = s->cap_mounted ? s->cap_mounted * 2 : 16;
		s->mounted = fd_xrealloc(s->mounted, s->cap_mounted, sizeof *s->mounted);
	}
	s->mounted[s->n_mounted++] = (struct mount){ .inode = inode, .path = strdup(path) };
}

static void find_mounts(struct namespaces_scan *s)
{
	size_t n = 0;
	AUTO(fd_freep) char *bytes = mounts_read(s->mounts, &n);
	struct text rest = { .p = bytes, .n = n }, line;
	char path[PROC_TEXT_PATH];
	uint64_t inode;

	drop_mounts(s);
	while (bytes && proc_text_line(&rest, &line))
		if (proc_text_nsfs(line, &inode, path))
			add_mount(s, inode, path);
}

static struct str take_path(struct namespaces_scan *s, struct builder *b, uint64_t inode)
{
	for (uint32_t i = 0; i < s->n_mounted; i++)
		if (s->mounted[i].inode == inode) {
			s->mounted[i].used = true;
			return builder_str(b, s->mounted[i].path);
		}
	return ROW_NO_TEXT;
}

static struct netns_row *add_row(struct namespaces_scan *s, struct builder *b, uint64_t inode)
{
	struct netns_row *row = builder_row(b);

	row->head = (struct row_head){ .id = inode, .severity = SEVERITY_NONE };
	row->inode = inode;
	row->is_host = inode == s->host;
	row->pid = row->start = ROW_NO_UINT;
	row->leader = row->container = ROW_NO_TEXT;
	row->path = take_path(s, b, inode);
	return row;
}

static void describe_leader(const struct namespaces_scan *s, struct builder *b, struct netns_row *row)
{
	char buf[8192], id[PROC_TEXT_CONTAINER];
	ssize_t n = proc_dir_read(s->proc, row->pid, "comm", buf, sizeof buf);

	if (n > 0)
		row->leader = builder_text(b, buf, (size_t)n - (buf[n - 1] == '\n'));
	n = row->is_host ? 0 : proc_dir_read(s->proc, row->pid, "cgroup", buf, sizeof buf);
	if (n > 0 && proc_text_cgroup((struct text){ .p = buf, .n = (size_t)n }, id))
		row->container = builder_str(b, id);
}

/* Members [m, m+n) of one namespace, ascending pid. */
static void add_group(struct namespaces_scan *s, struct builder *b, struct member *m, uint32_t n)
{
	AUTO(fd_freep) struct netns_member_row *rows = fd_xcalloc(n, sizeof *rows);
	struct netns_row *row = add_row(s, b, m->netns);
	const struct member *leader = NULL;

	for (uint32_t i = 0; i < n; i++) {
		rows[i] = (struct netns_member_row){ .head.id = m[i].pid, .pid = m[i].pid, .start = m[i].start };
		if (!leader && n > 1 && !row->is_host && is_inner_first(s, &m[i]))
			leader = &m[i];
	}
	leader = leader ? leader : m;
	row->pid = leader->pid;
	row->start = leader->start;
	row->members = builder_rows(b, &netns_member_row_type, rows, n);
	describe_leader(s, b, row);
}

int namespaces_scan_read(struct namespaces_scan *s, struct builder *b, struct err *err)
{
	int r;

	proc_dir_host_ns(s->proc, "net", &s->host); /* refused in the cage: then what open() saw stays */
	r = walk(s, err);
	if (r < 0)
		return r;
	find_mounts(s);
	if (s->now.n)
		qsort(s->now.m, s->now.n, sizeof *s->now.m, by_namespace);
	for (uint32_t i = 0, k; i < s->now.n; i = k) {
		for (k = i + 1; k < s->now.n && s->now.m[k].netns == s->now.m[i].netns;)
			k++;
		add_group(s, b, s->now.m + i, k - i);
	}
	for (uint32_t i = 0; i < s->n_mounted; i++)
		if (!s->mounted[i].used)
			add_row(s, b, s->mounted[i].inode);
	if (s->n_denied)
		builder_note(b, EACCES, "%" PRIu32 " processes hidden: needs CAP_SYS_PTRACE; run with sudo", s->n_denied);
	return 0;
}

static int namespaces_open(struct worker *w, struct err *err)
{
	struct worker_target *t = worker_target(w);
	int mounts = openat(t->proc, "self/mountinfo", O_RDONLY | O_CLOEXEC);
	struct namespaces_scan *s = namespaces_scan_new(t->proc, mounts);

	(void)err;
	/* Read now: the cage takes the right to look at ourselves. */
	proc_dir_host_ns(t->proc, "net", &s->host);
	*worker_state(w) = s;
	return 0;
}

static int namespaces_sample(struct worker *w, struct builder *b, struct err *err)
{
	return namespaces_scan_read(*worker_state(w), b, err);
}

static const struct field member_fields[] = {
	{ ROW_FIELD(struct netns_member_row, pid, UINT), .title = "PID", .unit = UNIT_ID, .help = "process" },
	{ ROW_FIELD(struct netns_member_row, start, UINT), .title = "START", .unit = UNIT_ID, .help = "its start, clock ticks since boot" },
};

const struct row_type netns_member_row_type = {
	.name = "member", .noun = "processes", .id = 0x6e736d62, .schema = 1, .size = sizeof(struct netns_member_row),
	.fields = member_fields, .n_fields = ARRAY_LEN(member_fields),
};

static const struct field netns_fields[] = {
	{ ROW_FIELD(struct netns_row, inode, UINT), .title = "NETNS", .unit = UNIT_ID, .help = "inode of the namespace" },
	{ ROW_FIELD(struct netns_row, is_host, BOOL), .title = "HOST", .help = "is it the host's own" },
	{ ROW_FIELD(struct netns_row, pid, UINT), .title = "PID", .unit = UNIT_ID, .help = "its first process" },
	{ ROW_FIELD(struct netns_row, start, UINT), .title = "START", .unit = UNIT_ID, .help = "start of pid, clock ticks since boot",
		.flags = FIELD_HIDDEN },
	{ ROW_FIELD(struct netns_row, leader, TEXT), .title = "COMMAND", .help = "command name of pid" },
	{ ROW_FIELD(struct netns_row, container, TEXT), .title = "CONTAINER", .help = "container id from its cgroup", .width = 12 },
	{ ROW_FIELD(struct netns_row, path, TEXT), .title = "PATH", .help = "where it is mounted", .flags = FIELD_FLEX },
	{ ROW_FIELD(struct netns_row, members, ROWS), .sub = &netns_member_row_type, .title = "PROCS", .help = "processes in it" },
};

const struct row_type netns_row_type = {
	.name = "namespaces", .noun = "network namespaces", .id = 0x6e736e73, .schema = 1, .size = sizeof(struct netns_row),
	.fields = netns_fields, .n_fields = ARRAY_LEN(netns_fields),
};

const struct source namespaces_source = {
	.name = "namespaces", .type = &netns_row_type, .cage = CAGE_SCAN, .caps = 1ULL << CAP_SYS_PTRACE,
	.open = namespaces_open, .sample = namespaces_sample,
};
