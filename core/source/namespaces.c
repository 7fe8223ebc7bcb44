/*
 * Every network namespace that a process or a mount shows. A process that is new is read at once, one that is known each eighth time or
 * when asked to; start time and inner pid cannot change, cgroup and addresses are of leaders only: 5,000 processes stay cheap.
 * Zombies have no namespace any more and are left out; kernel threads live in the host's.
 */
#include "core/source/namespaces.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/block.h"
#include "core/err.h"
#include "core/fd.h"
#include "core/rights.h"
#include "core/source/local_addresses.h"
#include "core/source/origin.h"
#include "core/source/mounts.h"
#include "core/source/proc_dir.h"
#include "core/source/proc_text.h"
#include "core/worker.h"

struct member {
	uint64_t pid;
	uint64_t identity; /* inode of its directory: proc_dir_look */
	uint64_t start;
	uint64_t netns;
	uint64_t ppid;
	uint64_t uid; /* real one; UNREAD */
	char comm[16]; /* when its stat was read in this scan; "": not known */
	uint8_t inner; /* enum inner: read only where several processes want to lead */
	uint8_t kind; /* enum origin_parent, of itself */
	bool settled; /* old enough that parent and command will stay */
	bool orphan_checked;
	bool checked; /* whether it is a container's first process, or a daemon that listens */
	struct found *found; /* owned */
	struct leader *leader; /* owned; only of those that lead a namespace */
};

/* What a namespace is called after, and its addresses. */
struct leader {
	char comm[64], id[PROC_TEXT_CONTAINER]; /* "": not known */
	struct local_addresses *addresses; /* owned; NULL: not read, as only containers' are */
};

/* What is known of a container, or of a daemon. */
struct found {
	struct origin origin;
	char endpoint[160]; /* daemon: "docker unix:///path" */
	uint64_t owner;
	bool is_infra;
};

enum inner { INNER_UNKNOWN, INNER_FIRST, INNER_LATER };
/* A process that is not new is looked at each LOOK_EVERY scans: hardly any changes its namespace, name, group or addresses then. */
#define UNREAD UINT64_MAX
enum { NO_NETNS = 0, SETTLED_S = 3, LOOK_EVERY = 8, MOUNTS_EVERY = 4, MAX_CMDLINE = 8192, MAX_MOUNTINFO = 64 << 10 };

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
	bool inside; /* a container */
	struct members now, before; /* by pid */
	uint32_t n_denied;
	uint64_t n_scans;
	bool all; /* nothing is taken as known in the next scan */
	uint64_t session; /* of our broker and its workers; 0: none is left out */
	uint64_t ticks, now_ticks; /* per second; since boot */
	struct mount *mounted;
	uint32_t n_mounted, cap_mounted;
	uint64_t mounts_hash; /* of n_mounted */
	unsigned mounts_in_vain, mounts_rest; /* readings in a row that found nothing new; scans without one from here on */
};

struct namespaces_scan *namespaces_scan_new(int proc, int mounts)
{
	struct namespaces_scan *s = fd_xcalloc(1, sizeof *s);

	s->proc = proc;
	s->mounts = mounts;
	s->ticks = (uint64_t)sysconf(_SC_CLK_TCK);
	return s;
}

static void drop_mounts(struct namespaces_scan *s)
{
	for (uint32_t i = 0; i < s->n_mounted; i++)
		free(s->mounted[i].path);
	s->n_mounted = 0;
}

static void drop_found(struct member *m)
{
	if (m->leader)
		free(m->leader->addresses);
	free(m->leader);
	free(m->found);
	m->found = NULL;
	m->leader = NULL;
}

static void drop_all(struct members *l)
{
	for (uint32_t i = 0; i < l->n; i++)
		drop_found(&l->m[i]);
}

void namespaces_scan_free(struct namespaces_scan *s)
{
	if (!s)
		return;
	drop_mounts(s);
	free(s->mounted);
	drop_all(&s->now);
	drop_all(&s->before);
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
	if (s->session && stat.session == s->session)
		return false; /* a worker of ours that looks into this namespace: nobody there knows it */
	m->start = stat.start;
	m->ppid = stat.ppid;
	m->comm[0] = 0;
	if (stat.comm.n < sizeof m->comm && !memchr(stat.comm.p, '\\', stat.comm.n)) /* written as it is */
		snprintf(m->comm, sizeof m->comm, "%.*s", (int)stat.comm.n, stat.comm.p);
	m->kind = (uint8_t)origin_parent_of(stat.comm);
	m->settled = stat.start + SETTLED_S * s->ticks < s->now_ticks;
	return true;
}

static void read_status(const struct namespaces_scan *s, struct member *m)
{
	struct proc_text_status status;
	char buf[8192];
	ssize_t n = proc_dir_read(s->proc, m->pid, "status", buf, sizeof buf);
	bool good = n >= 0 && proc_text_status((struct text){ .p = buf, .n = (size_t)n }, &status);

	m->inner = good && status.ns_pid == 1 ? INNER_FIRST : INNER_LATER;
	m->uid = good ? status.uid : 0;
}

/* Is it pid 1 of a pid namespace of its own? That cannot change either. */
static bool is_inner_first(const struct namespaces_scan *s, struct member *m)
{
	if (m->inner == INNER_UNKNOWN)
		read_status(s, m);
	return m->inner == INNER_FIRST;
}

/* Of a process that is not root's. */
static uint64_t user_of(const struct namespaces_scan *s, struct member *m)
{
	if (m->uid == UNREAD)
		read_status(s, m);
	return m->uid ? m->uid : ROW_NO_UINT;
}

static bool fill_member(const struct namespaces_scan *s, struct member *m)
{
	struct member *old = s->before.n ? bsearch(m, s->before.m, s->before.n, sizeof *m, by_pid) : NULL;
	uint64_t netns = m->netns;

	if (!old || old->identity != m->identity)
		return read_start(s, m);
	*m = *old;
	m->netns = netns;
	m->comm[0] = 0;
	old->found = NULL; /* moved on */
	old->leader = NULL;
	return m->settled || read_start(s, m);
}

static uint64_t uptime_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return (uint64_t)ts.tv_sec;
}

/* --- containers --- */

/* A runtime may be what the container's own cgroup claims; a parent cannot be chosen by what runs in it. */
static struct member *find_member(const struct members *l, uint64_t pid)
{
	const struct member key = { .pid = pid };

	return l->n ? bsearch(&key, l->m, l->n, sizeof key, by_pid) : NULL;
}

static bool read_text(const struct namespaces_scan *s, uint64_t pid, const char *name, char *buf, size_t cap, struct text *ret)
{
	ssize_t n = proc_dir_read(s->proc, pid, name, buf, cap);

	*ret = (struct text){ .p = buf, .n = n > 0 ? (size_t)n : 0 };
	return n > 0;
}

/* A pod has one shim, whose -id is the sandbox: what else it runs has its own id in its cgroup. */
static void take_own_id(const struct namespaces_scan *s, uint64_t pid, struct found *f)
{
	char buf[8192];
	struct origin group = { 0 };
	struct text bytes;

	if (strcmp(f->origin.runtime, "cri") != 0 || f->origin.address[0] == 0)
		return;
	f->is_infra = true;
	if (!read_text(s, pid, "cgroup", buf, sizeof buf, &bytes) || !origin_from_cgroup(bytes, &group) || group.id[0] == 0)
		return;
	f->is_infra = strcmp(group.id, f->origin.id) == 0;
	memcpy(f->origin.id, group.id, sizeof group.id);
}

/* Commands that an engine runs in a container have the same parent, but come later. */
static bool is_known(const struct namespaces_scan *s, const struct member *m, const struct found *f)
{
	for (uint32_t i = 0; i < s->now.n; i++) {
		const struct member *o = &s->now.m[i];

		if (o != m && o->found && o->ppid == m->ppid && strcmp(o->found->origin.id, f->origin.id) == 0)
			return true;
	}
	return false;
}

static void look_at_child(const struct namespaces_scan *s, struct member *m, struct member *parent)
{
	char buf[MAX_CMDLINE];
	struct text cmdline;
	struct found f = { 0 };

	if (!read_text(s, parent->pid, "cmdline", buf, sizeof buf, &cmdline) ||
		!origin_from_parent((enum origin_parent)parent->kind, cmdline, &f.origin))
		return;
	take_own_id(s, m->pid, &f);
	if (is_known(s, m, &f))
		return;
	f.owner = user_of(s, parent);
	m->found = fd_xcalloc(1, sizeof f);
	*m->found = f;
}

static void look_at_daemon(const struct namespaces_scan *s, struct member *m)
{
	char buf[MAX_CMDLINE], endpoint[ORIGIN_ADDRESS + 8];
	struct text cmdline;
	const char *kind = NULL;
	uint64_t uid;

	/* Only root's are believed: connecting to what anybody names would be doing their bidding. */
	m->uid = UNREAD;
	uid = user_of(s, m);
	if (!read_text(s, m->pid, "cmdline", buf, sizeof buf, &cmdline) ||
		!origin_endpoint(cmdline, uid == ROW_NO_UINT ? 0 : uid, &kind, endpoint))
		return;
	m->found = fd_xcalloc(1, sizeof *m->found);
	snprintf(m->found->endpoint, sizeof m->found->endpoint, "%s %s", kind, endpoint);
}

/* Is it all that its parent runs? */
static bool is_only_child(const struct namespaces_scan *s, const struct member *m)
{
	for (uint32_t i = 0; i < s->now.n; i++)
		if (s->now.m[i].ppid == m->ppid && &s->now.m[i] != m)
			return false;
	return true;
}

/* First those that are pid 1 of their own namespace, then those that share the pids of others. An only child is the one or the other. */
static void find_containers(struct namespaces_scan *s, bool first)
{
	for (uint32_t i = 0; i < s->now.n; i++) {
		struct member *m = &s->now.m[i];
		struct member *parent;

		if (m->checked || m->found)
			continue;
		if (m->kind == ORIGIN_DAEMON) {
			look_at_daemon(s, m);
			m->checked = m->settled;
			continue;
		}
		parent = find_member(&s->now, m->ppid);
		if (parent && parent->kind != ORIGIN_NOBODY && parent->kind != ORIGIN_DAEMON &&
			(is_only_child(s, m) || is_inner_first(s, m) == first))
			look_at_child(s, m, parent);
		m->checked = !first && m->settled;
	}
}

/* Its parent has died: what its cgroup and its mounts say. */
static void look_at_orphan(const struct namespaces_scan *s, struct member *m)
{
	AUTO(fd_freep) char *buf = NULL;
	struct found f = { .owner = ROW_NO_UINT };
	struct text bytes;

	if (m->found || m->orphan_checked || !is_inner_first(s, m))
		return;
	m->orphan_checked = m->settled;
	buf = fd_xcalloc(1, MAX_MOUNTINFO);
	if (!read_text(s, m->pid, "cgroup", buf, MAX_MOUNTINFO, &bytes) || !origin_from_cgroup(bytes, &f.origin) ||
		f.origin.runtime[0] == 0) {
		if (!read_text(s, m->pid, "mountinfo", buf, MAX_MOUNTINFO, &bytes) || !origin_from_mounts(bytes, &f.origin))
			return;
	}
	m->found = fd_xcalloc(1, sizeof f);
	*m->found = f;
}

static bool is_due(const struct namespaces_scan *s, uint64_t pid)
{
	return s->all || (s->n_scans + pid) % LOOK_EVERY == 0;
}

/* One that is known, not new and not due: as it was. */
static bool take_known(struct namespaces_scan *s, const struct proc_dir_entry *e)
{
	struct member *old = is_due(s, e->pid) ? NULL : find_member(&s->before, e->pid);

	if (!old || old->identity != e->inode || !old->settled || old->netns == NO_NETNS)
		return false;
	*members_add(&s->now) = *old;
	s->now.m[s->now.n - 1].comm[0] = 0;
	old->found = NULL; /* moved on */
	old->leader = NULL;
	return true;
}

static void look_at(struct namespaces_scan *s, const struct proc_dir_entry *e)
{
	uint64_t netns;
	int r = proc_dir_ns(s->proc, e->pid, "net", &netns);
	struct member *m;

	if (err_denied(r) && e->pid == 1) { /* holds more rights than we do; it is the host's by definition */
		netns = s->host;
		r = 0;
	}
	s->n_denied += err_denied(r);
	if (r < 0 && !err_denied(r))
		return;
	m = members_add(&s->now);
	m->pid = e->pid;
	m->identity = e->inode;
	m->uid = UNREAD;
	m->netns = r < 0 ? NO_NETNS : netns;
	if (!fill_member(s, m)) {
		drop_found(m);
		s->now.n--;
	}
}

static int walk(struct namespaces_scan *s, struct err *err)
{
	AUTO(fd_freep) struct proc_dir_entry *list = NULL;
	struct members swap = s->before;
	uint32_t n = 0;
	int listed = proc_dir_list(s->proc, &list, &n);

	if (listed < 0)
		return err_set(err, -listed, "list /proc");
	drop_all(&s->before);
	s->before = s->now;
	s->now = swap;
	s->now.n = 0;
	s->now_ticks = uptime_s() * s->ticks;
	s->n_denied = 0;
	s->n_scans++;
	if (s->before.n)
		qsort(s->before.m, s->before.n, sizeof *s->before.m, by_pid);
	for (uint32_t i = 0; i < n; i++)
		if (!take_known(s, &list[i]))
			look_at(s, &list[i]);
	for (int pass = 0; pass < 2; pass++)
		find_containers(s, pass == 0);
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
	s->mounts_hash = row_hash(path, strlen(path), s->mounts_hash ^ inode);
	s->mounted[s->n_mounted++] = (struct mount){ .inode = inode, .path = strdup(path) };
}

/* Some hosts mount something all the time, as runc does for each health check: then every fourth scan is enough. */
static bool are_mounts_due(struct namespaces_scan *s)
{
	if (s->n_scans == 1 || s->all)
		return true;
	if (s->mounts_rest > 0) { /* poll(2) tells of a change once */
		s->mounts_rest--;
		return false;
	}
	return mounts_changed(s->mounts);
}

static void find_mounts(struct namespaces_scan *s)
{
	AUTO(fd_freep) char *bytes = NULL;
	uint64_t inode, before = s->mounts_hash;
	struct text rest, line;
	size_t n = 0;
	char path[PROC_TEXT_PATH];

	for (uint32_t i = 0; i < s->n_mounted; i++)
		s->mounted[i].used = false;
	if (!are_mounts_due(s))
		return;
	bytes = mounts_read(s->mounts, &n);
	rest = (struct text){ .p = bytes, .n = n };
	drop_mounts(s);
	s->mounts_hash = 0;
	while (bytes && proc_text_line(&rest, &line))
		if (proc_text_nsfs(line, &inode, path))
			add_mount(s, inode, path);
	if (s->mounts_hash != before)
		s->mounts_in_vain = 0;
	else if (s->mounts_in_vain < MOUNTS_EVERY - 1)
		s->mounts_in_vain++;
	s->mounts_rest = s->mounts_in_vain;
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
	row->inode = inode == NO_NETNS ? ROW_NO_UINT : inode;
	row->addresses = row->daemons = ROW_NO_TEXT;
	row->is_host = inode == s->host;
	row->is_inside = row->is_host && s->inside;
	row->pid = row->start = ROW_NO_UINT;
	row->leader = row->container = ROW_NO_TEXT;
	row->path = inode == NO_NETNS ? ROW_NO_TEXT : take_path(s, b, inode);
	return row;
}

static struct str text_or_none(struct builder *b, const char *text)
{
	return builder_str(b, text[0] ? text : NULL);
}

static void read_comm(const struct namespaces_scan *s, const struct member *m, struct leader *ret)
{
	char buf[64];
	ssize_t n = m->comm[0] ? 0 : proc_dir_read(s->proc, m->pid, "comm", buf, sizeof buf);

	snprintf(ret->comm, sizeof ret->comm, "%s", m->comm);
	if (n > 0)
		snprintf(ret->comm, sizeof ret->comm, "%.*s", (int)n - (buf[n - 1] == '\n'), buf);
}

static void read_id(const struct namespaces_scan *s, const struct member *m, struct leader *ret)
{
	char buf[8192];
	ssize_t n = proc_dir_read(s->proc, m->pid, "cgroup", buf, sizeof buf);

	if (n <= 0 || !proc_text_cgroup((struct text){ .p = buf, .n = (size_t)n }, ret->id))
		ret->id[0] = 0;
}

static void read_addresses(const struct namespaces_scan *s, const struct member *m, struct leader *ret)
{
	if (!ret->addresses)
		ret->addresses = fd_xcalloc(1, sizeof *ret->addresses);
	ret->addresses->n = 0;
	local_addresses_read(s->proc, m->pid, ret->addresses);
}

/* Engines tell the addresses that they gave; these are those that are there. */
static void add_addresses(struct builder *b, struct netns_row *row, const struct local_addresses *found)
{
	struct str list = ROW_NO_TEXT;
	char text[ADDR_TEXT];

	for (unsigned i = 0; i < found->n; i++) {
		addr_format(&found->list[i], text);
		builder_list_add(b, &list, text, strlen(text));
	}
	row->addresses = list;
}

static void describe_leader(const struct namespaces_scan *s, struct builder *b, struct netns_row *row, struct member *m)
{
	bool look = !m->leader || !m->settled || is_due(s, m->pid), wants_addresses = row->containers.n && !row->is_host;

	if (!m->leader)
		m->leader = fd_xcalloc(1, sizeof *m->leader);
	if (look)
		read_comm(s, m, m->leader);
	if (look && !row->is_host)
		read_id(s, m, m->leader);
	if (wants_addresses && (look || !m->leader->addresses))
		read_addresses(s, m, m->leader);
	row->leader = text_or_none(b, m->leader->comm);
	row->container = text_or_none(b, m->leader->id);
	if (wants_addresses)
		add_addresses(b, row, m->leader->addresses);
}

static void add_daemons(struct builder *b, struct netns_row *row, const struct member *m, uint32_t n)
{
	struct str list = ROW_NO_TEXT;

	for (uint32_t i = 0; i < n; i++)
		if (m[i].found && m[i].found->endpoint[0])
			builder_list_add(b, &list, m[i].found->endpoint, strlen(m[i].found->endpoint));
	row->daemons = list;
}

static void add_containers(struct builder *b, struct netns_row *row, const struct member *m, uint32_t n)
{
	AUTO(fd_freep) struct found_row *rows = NULL;
	uint32_t count = 0;

	for (uint32_t i = 0; i < n; i++)
		count += m[i].found && !m[i].found->endpoint[0];
	rows = fd_xcalloc(count, sizeof *rows);
	count = 0;
	for (uint32_t i = 0; i < n; i++) {
		const struct found *f = m[i].found;

		if (!f || f->endpoint[0])
			continue;
		rows[count++] = (struct found_row){ .head.id = m[i].pid, .pid = m[i].pid, .start = m[i].start,
			.runtime = builder_str(b, f->origin.runtime), .id = builder_str(b, f->origin.id),
			.name = text_or_none(b, f->origin.name), .space = text_or_none(b, f->origin.space),
			.pod = text_or_none(b, f->origin.pod), .address = text_or_none(b, f->origin.address), .owner = f->owner,
			.infra = f->is_infra };
	}
	row->containers = builder_rows(b, &found_row_type, rows, count);
}

/* Containers whose namespaces we may not see. */
static void add_hidden(struct namespaces_scan *s, struct builder *b, const struct member *m, uint32_t n)
{
	bool any = false;

	for (uint32_t i = 0; i < n; i++)
		any |= m[i].found && !m[i].found->endpoint[0];
	if (any)
		add_containers(b, add_row(s, b, NO_NETNS), m, n);
}

/* Members [m, m+n) of one namespace, ascending pid. */
static void add_group(struct namespaces_scan *s, struct builder *b, struct member *m, uint32_t n)
{
	AUTO(fd_freep) struct netns_member_row *rows = fd_xcalloc(n, sizeof *rows);
	struct netns_row *row = add_row(s, b, m->netns);
	struct member *leader = NULL;
	bool any = false;

	for (uint32_t i = 0; i < n; i++) {
		any |= m[i].found != NULL;
		rows[i] = (struct netns_member_row){ .head.id = m[i].pid, .pid = m[i].pid, .start = m[i].start };
		if (!leader && n > 1 && !row->is_host && is_inner_first(s, &m[i]))
			leader = &m[i];
	}
	leader = leader ? leader : m;
	row->pid = leader->pid;
	row->start = leader->start;
	row->members = builder_rows(b, &netns_member_row_type, rows, n);
	if (!any && !row->is_host)
		look_at_orphan(s, leader);
	add_containers(b, row, m, n);
	describe_leader(s, b, row, leader);
	add_daemons(b, row, m, n);
}

void namespaces_scan_all(struct namespaces_scan *s)
{
	s->all = true;
}

int namespaces_scan_read(struct namespaces_scan *s, struct builder *b, struct err *err)
{
	bool host = s->host == 0; /* unknown: none to add */
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
		host |= s->now.m[i].netns == s->host;
		if (s->now.m[i].netns == NO_NETNS)
			add_hidden(s, b, s->now.m + i, k - i);
		else
			add_group(s, b, s->now.m + i, k - i);
	}
	for (uint32_t i = 0; i < s->n_mounted; i++) {
		host |= s->mounted[i].inode == s->host;
		if (!s->mounted[i].used)
			add_row(s, b, s->mounted[i].inode);
	}
	s->all = false;
	if (!host) /* nobody is seen there: hidepid */
		add_row(s, b, s->host);
	proc_dir_note_hiding(s->proc, b);
	if (s->n_denied)
		builder_note(b, EACCES, "%" PRIu32 " process%s hidden: %s", s->n_denied, s->n_denied == 1 ? "" : "es",
			rights_needed(RIGHT(CAP_SYS_PTRACE), (char[RIGHTS_TEXT]){ 0 }));
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
	s->inside = proc_dir_is_inside(t->proc);
	s->session = (uint64_t)getsid(0);
	*worker_state(w) = s;
	return 0;
}

static int namespaces_sample(struct worker *w, struct builder *b, struct err *err)
{
	return namespaces_scan_read(*worker_state(w), b, err);
}

static int namespaces_request(struct worker *w, const struct msg *m, struct err *err)
{
	if (m->request.op != NAMESPACES_LOOK)
		return err_set(err, EBADMSG, "unknown request %u", m->request.op);
	namespaces_scan_all(*worker_state(w));
	return 0;
}

static const struct field member_fields[] = {
	{ ROW_FIELD(struct netns_member_row, pid, UINT), .title = "PID", .unit = UNIT_ID, .help = "process" },
	{ ROW_FIELD(struct netns_member_row, start, UINT), .title = "START", .unit = UNIT_ID, .help = "its start, clock ticks since boot" },
};

const struct row_type netns_member_row_type = {
	.name = "member", .noun = "processes", .id = 0x6e736d62, .schema = 1, .size = sizeof(struct netns_member_row),
	.fields = member_fields, .n_fields = ARRAY_LEN(member_fields),
};

static const struct field found_fields[] = {
	{ ROW_FIELD(struct found_row, pid, UINT), .title = "PID", .unit = UNIT_ID, .help = "first process" },
	{ ROW_FIELD(struct found_row, start, UINT), .title = "START", .unit = UNIT_ID, .help = "its start, clock ticks since boot" },
	{ ROW_FIELD(struct found_row, runtime, TEXT), .title = "RUNTIME", .help = "who runs it" },
	{ ROW_FIELD(struct found_row, id, TEXT), .title = "ID", .help = "container id" },
	{ ROW_FIELD(struct found_row, name, TEXT), .title = "NAME", .help = "its name" },
	{ ROW_FIELD(struct found_row, space, TEXT), .title = "NAMESPACE", .help = "containerd's or Kubernetes' namespace" },
	{ ROW_FIELD(struct found_row, pod, TEXT), .title = "POD", .help = "pod" },
	{ ROW_FIELD(struct found_row, address, TEXT), .title = "ADDRESS", .help = "socket of its containerd" },
	{ ROW_FIELD(struct found_row, owner, UINT), .title = "OWNER", .unit = UNIT_ID, .help = "user that runs it, when not root" },
	{ ROW_FIELD(struct found_row, infra, BOOL), .title = "INFRA", .help = "a pod's sandbox" },
};

const struct row_type found_row_type = {
	.name = "found", .noun = "containers", .id = 0x666f756e, .schema = 1, .size = sizeof(struct found_row),
	.fields = found_fields, .n_fields = ARRAY_LEN(found_fields),
};

static const struct field netns_fields[] = {
	{ ROW_FIELD(struct netns_row, inode, UINT), .title = "NETNS", .unit = UNIT_ID, .help = "inode of the namespace" },
	{ ROW_FIELD(struct netns_row, is_host, BOOL), .title = "HOST", .help = "is it the host's own" },
	{ ROW_FIELD(struct netns_row, is_inside, BOOL), .title = "INSIDE", .help = "is the host only a container, where nsdbg runs" },
	{ ROW_FIELD(struct netns_row, pid, UINT), .title = "PID", .unit = UNIT_ID, .help = "its first process" },
	{ ROW_FIELD(struct netns_row, start, UINT), .title = "START", .unit = UNIT_ID, .help = "start of pid, clock ticks since boot",
		.flags = FIELD_HIDDEN },
	{ ROW_FIELD(struct netns_row, leader, TEXT), .title = "COMMAND", .help = "command name of pid" },
	{ ROW_FIELD(struct netns_row, container, TEXT), .title = "CONTAINER", .help = "container id from its cgroup", .width = 12 },
	{ ROW_FIELD(struct netns_row, path, TEXT), .title = "PATH", .help = "where it is mounted", .flags = FIELD_FLEX },
	{ ROW_FIELD(struct netns_row, members, ROWS), .sub = &netns_member_row_type, .title = "PROCS", .help = "processes in it" },
	{ ROW_FIELD(struct netns_row, containers, ROWS), .sub = &found_row_type, .title = "FOUND", .help = "containers found in it" },
	{ ROW_FIELD(struct netns_row, addresses, LIST), .title = "ADDRESSES", .help = "its addresses" },
	{ ROW_FIELD(struct netns_row, daemons, LIST), .title = "DAEMONS", .help = "engines that run in it" },
};

const struct row_type netns_row_type = {
	.name = "namespaces", .noun = "network namespaces", .id = 0x6e736e73, .schema = 1, .size = sizeof(struct netns_row),
	.fields = netns_fields, .n_fields = ARRAY_LEN(netns_fields),
};

const struct source namespaces_source = {
	.name = "namespaces", .type = &netns_row_type, .cage = CAGE_SCAN, .caps = 1ULL << CAP_SYS_PTRACE,
	.open = namespaces_open, .sample = namespaces_sample, .request = namespaces_request,
};
