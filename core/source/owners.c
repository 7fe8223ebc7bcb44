/*
 * Who holds which socket: links in /proc/PID/fd (proc_pid_fd(5)), processes of the namespace first, others only for inodes somebody
 * asks for. Links are read, never followed: a descriptor on a dead FUSE mount would hold us. A process is walked again when its number
 * of descriptors changed (size of /proc/PID/fd, Linux 6.2) or when an unknown inode is asked for; before 6.2 every time.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/block.h"
#include "core/err.h"
#include "core/fd.h"
#include "core/rights.h"
#include "core/source/proc_dir.h"
#include "core/source/proc_text.h"
#include "core/source/sockets.h"
#include "core/worker.h"

enum { MAX_WANTED = 8192, MAX_FRESH = MSG_PARAMS / sizeof(uint64_t) };

struct held {
	uint64_t inode;
	uint64_t fd;
};

/* One process and its slice of map.held. */
struct holder {
	uint64_t pid;
	uint64_t identity; /* inode of PID/fd: see proc_dir_look */
	uint64_t n_fds; /* 0: the kernel does not say */
	bool guest;
	bool complete; /* all its sockets are in the slice, not only wanted ones */
	uint32_t first, n;
};

/* One walk over all processes. */
struct map {
	struct holder *holders; /* ascending pid */
	uint32_t n_holders, cap_holders;
	struct held *held;
	uint32_t n_held, cap_held;
};

struct owners_scan {
	int proc;
	uint64_t netns; /* 0: every process counts as inside */
	uint64_t host;
	struct owners_params share; /* shares 0: all */
	struct map now, before;
	uint64_t *wanted; /* sorted */
	uint32_t n_wanted;
	bool search; /* the next walk looks at everybody, cached or not */
	uint64_t fresh[MAX_FRESH]; /* inodes asked for since the last walk */
	uint32_t n_fresh;
	uint32_t n_denied;
};

#define CMP(a, b) (((a) > (b)) - ((a) < (b)))

struct owners_scan *owners_scan_new(int proc, uint64_t netns)
{
	struct owners_scan *s = fd_xcalloc(1, sizeof *s);

	s->proc = proc;
	s->netns = netns;
	proc_dir_host_ns(proc, "net", &s->host);
	s->wanted = fd_xcalloc(MAX_WANTED, sizeof *s->wanted);
	return s;
}

void owners_scan_share(struct owners_scan *s, const struct owners_params *p)
{
	s->share = *p;
}

void owners_scan_free(struct owners_scan *s)
{
	if (!s)
		return;
	free(s->now.holders);
	free(s->now.held);
	free(s->before.holders);
	free(s->before.held);
	free(s->wanted);
	free(s);
}

static int by_number(const void *x, const void *y)
{
	const uint64_t *a = x, *b = y;

	return CMP(*a, *b);
}

static bool is_wanted(const struct owners_scan *s, uint64_t inode)
{
	return s->n_wanted && bsearch(&inode, s->wanted, s->n_wanted, sizeof inode, by_number);
}

void owners_scan_search(struct owners_scan *s, const uint64_t *inodes, size_t n)
{
	uint32_t had = s->n_wanted;

	/* Sockets come and go: when the list is full the asked-for ones are old, and start it again. */
	if (had + n > MAX_WANTED)
		had = s->n_wanted = 0;
	for (size_t i = 0; i < n && s->n_wanted < MAX_WANTED; i++)
		s->wanted[s->n_wanted++] = inodes[i];
	qsort(s->wanted, s->n_wanted, sizeof *s->wanted, by_number);
	s->n_fresh = 0;
	for (size_t i = 0; i < n && i < MAX_FRESH; i++)
		s->fresh[s->n_fresh++] = inodes[i];
	s->search = true;
}

static void map_add(struct map *m, uint64_t inode, uint64_t fd)
{
	if (m->n_held == m->cap_held) {
		m->cap_held = m->cap_held ? m->cap_held * 2 : 1024;
		m->held = fd_xrealloc(m->held, m->cap_held, sizeof *m->held);
	}
	m->held[m->n_held++] = (struct held){ .inode = inode, .fd = fd };
}

static struct holder *map_holder(struct map *m)
{
	if (m->n_holders == m->cap_holders) {
		m->cap_holders = m->cap_holders ? m->cap_holders * 2 : 256;
		m->holders = fd_xrealloc(m->holders, m->cap_holders, sizeof *m->holders);
	}
	return &m->holders[m->n_holders++];
}

static int by_pid(const void *x, const void *y)
{
	const struct holder *a = x, *b = y;

	return CMP(a->pid, b->pid);
}

static const struct holder *remembered(const struct owners_scan *s, uint64_t pid)
{
	struct holder key = { .pid = pid };

	return s->before.n_holders ? bsearch(&key, s->before.holders, s->before.n_holders, sizeof key, by_pid) : NULL;
}

/* Adds the sockets of h from its descriptors; 0 or -errno. */
static int walk_fds(struct owners_scan *s, struct holder *h)
{
	AUTO(proc_dir_closep) DIR *d = NULL;
	char path[32], link[64];
	uint64_t fd, inode;
	const char *name;

	snprintf(path, sizeof path, "%" PRIu64 "/fd", h->pid);
	d = proc_dir_open(s->proc, path);
	if (!d)
		return -errno;
	while ((name = proc_dir_next(d, &fd))) {
		ssize_t n = readlinkat(dirfd(d), name, link, sizeof link);

		if (n > 0 && proc_text_link((struct text){ .p = link, .n = (size_t)n }, "socket", &inode) &&
			(h->complete || is_wanted(s, inode)))
			map_add(&s->now, inode, fd);
	}
	h->n = s->now.n_held - h->first;
	return 0;
}

static void copy_fds(struct owners_scan *s, struct holder *h, const struct holder *old)
{
	for (uint32_t i = 0; i < old->n; i++)
		map_add(&s->now, s->before.held[old->first + i].inode, s->before.held[old->first + i].fd);
	h->n = s->now.n_held - h->first;
}

static int visit(struct owners_scan *s, uint64_t pid, bool guest)
{
	struct holder h = { .pid = pid, .guest = guest, .complete = !guest, .first = s->now.n_held };
	const struct holder *old = remembered(s, pid);
	struct stat st;
	char name[32];
	int r;

	if (guest && !old && !s->search)
		return 0;
	snprintf(name, sizeof name, "%" PRIu64 "/fd", pid);
	if (fstatat(s->proc, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	h.identity = st.st_ino;
	h.n_fds = (uint64_t)st.st_size;
	if (old && !s->search && h.n_fds && old->identity == h.identity && old->n_fds == h.n_fds && (old->complete || guest)) {
		copy_fds(s, &h, old);
	} else {
		r = walk_fds(s, &h);
		if (r < 0)
			return r;
	}
	if (!guest || h.n)
		*map_holder(&s->now) = h;
	return 0;
}

/* Were all inodes of the latest request found by now? Then nobody outside needs to be looked at. */
static bool is_search_done(struct owners_scan *s)
{
	bool found[MAX_FRESH] = { false };
	uint32_t n = 0;

	qsort(s->fresh, s->n_fresh, sizeof *s->fresh, by_number);
	for (uint32_t i = 0; i < s->now.n_held; i++) {
		const uint64_t *at = bsearch(&s->now.held[i].inode, s->fresh, s->n_fresh, sizeof *at, by_number);

		if (at && !found[at - s->fresh]) {
			found[at - s->fresh] = true;
			n++;
		}
	}
	return n == s->n_fresh;
}

/* By the number alone: workers that look at different moments still agree. Pids of a pipeline or a pool follow each other. */
static uint32_t keep_share(const struct owners_scan *s, uint64_t *pids, uint32_t n)
{
	uint32_t kept = 0;

	if (s->share.shares < 2)
		return n;
	for (uint32_t i = 0; i < n; i++)
		if ((uint32_t)((pids[i] * 0x9e3779b97f4a7c15ULL) >> 32) % s->share.shares == s->share.share)
			pids[kept++] = pids[i];
	return kept;
}

/* Visits those inside; leaves the others at the front of pids and returns how many. */
static uint32_t visit_inside(struct owners_scan *s, uint64_t *pids, uint32_t n)
{
	uint32_t n_outside = 0;

	for (uint32_t i = 0; i < n; i++) {
		uint64_t netns = s->netns;
		int r = s->netns ? proc_dir_ns(s->proc, pids[i], "net", &netns) : 0;

		if (r == 0 && netns == s->netns)
			r = visit(s, pids[i], false);
		else if (r == 0)
			pids[n_outside++] = pids[i];
		/* Pid 1 may hold rights that we cannot have; in a container it has no part. */
		s->n_denied += err_denied(r) && (pids[i] != 1 || s->netns == s->host);
	}
	return n_outside;
}

static int walk(struct owners_scan *s, struct err *err)
{
	AUTO(fd_freep) uint64_t *pids = NULL;
	struct map swap = s->before;
	uint32_t n = 0;
	int r = proc_dir_pids(s->proc, &pids, &n);

	if (r < 0)
		return err_set(err, -r, "list /proc");
	s->before = s->now;
	s->now = swap;
	s->now.n_holders = s->now.n_held = 0;
	s->n_denied = 0;
	n = visit_inside(s, pids, keep_share(s, pids, n));
	if (s->search && is_search_done(s))
		s->search = false;
	for (uint32_t i = 0; i < n; i++)
		s->n_denied += err_denied(visit(s, pids[i], true));
	if (s->now.n_holders)
		qsort(s->now.holders, s->now.n_holders, sizeof *s->now.holders, by_pid);
	s->search = false;
	s->n_fresh = 0;
	return 0;
}

static void add_rows(const struct owners_scan *s, struct builder *b, const struct holder *h)
{
	char comm[64];
	ssize_t n = h->n ? proc_dir_read(s->proc, h->pid, "comm", comm, sizeof comm) : 0;
	struct str name = n > 0 ? builder_text(b, comm, (size_t)n - (comm[n - 1] == '\n')) : ROW_NO_TEXT;

	for (uint32_t i = 0; i < h->n; i++) {
		const struct held *held = &s->now.held[h->first + i];
		uint64_t id[] = { h->pid, held->fd, held->inode };
		struct owner_row *row = builder_row(b);

		*row = (struct owner_row){ .head.id = row_hash(id, sizeof id, 0), .inode = held->inode, .pid = h->pid,
			.fd = held->fd, .guest = h->guest, .process = name };
	}
}

int owners_scan_read(struct owners_scan *s, struct builder *b, struct err *err)
{
	int r = walk(s, err);

	if (r < 0)
		return r;
	for (int guest = 0; guest < 2; guest++)
		for (uint32_t i = 0; i < s->now.n_holders; i++)
			if (s->now.holders[i].guest == guest)
				add_rows(s, b, &s->now.holders[i]);
	proc_dir_note_hiding(s->proc, b);
	if (s->n_denied)
		builder_note(b, EACCES, "descriptors of %" PRIu32 " process%s hidden: %s",
			s->n_denied, s->n_denied == 1 ? "" : "es", rights_needed(RIGHT(CAP_SYS_PTRACE) | RIGHT(CAP_DAC_READ_SEARCH), (char[RIGHTS_TEXT]){ 0 }));
	return 0;
}

static int owners_open(struct worker *w, struct err *err)
{
	const struct owners_params *share = worker_params(w, sizeof *share);
	struct worker_target *t = worker_target(w);
	struct owners_scan *s = owners_scan_new(t->proc, t->netns_inode);

	(void)err;
	if (share)
		owners_scan_share(s, share);
	*worker_state(w) = s;
	return 0;
}

static int owners_sample(struct worker *w, struct builder *b, struct err *err)
{
	return owners_scan_read(*worker_state(w), b, err);
}

static int owners_request(struct worker *w, const struct msg *m, struct err *err)
{
	uint64_t inodes[MSG_PARAMS / sizeof(uint64_t)];

	if (m->request.op != OWNERS_OP_SEARCH || m->request.n_params > sizeof m->request.params ||
		m->request.n_params % sizeof inodes[0])
		return err_set(err, EBADMSG, "owners: not a list of inodes");
	memcpy(inodes, m->request.params, m->request.n_params);
	owners_scan_search(*worker_state(w), inodes, m->request.n_params / sizeof inodes[0]);
	return 0;
}

static const struct field owner_fields[] = {
	{ ROW_FIELD(struct owner_row, inode, UINT), .title = "INODE", .unit = UNIT_ID, .help = "the socket" },
	{ ROW_FIELD(struct owner_row, pid, UINT), .title = "PID", .unit = UNIT_ID, .help = "process that holds it" },
	{ ROW_FIELD(struct owner_row, fd, UINT), .title = "FD", .unit = UNIT_ID, .help = "its descriptor" },
	{ ROW_FIELD(struct owner_row, guest, BOOL), .title = "GUEST",
		.help = "the process lives in another network namespace (a resolver, a debugger)" },
	{ ROW_FIELD(struct owner_row, process, TEXT), .title = "PROCESS", .help = "its command name" },
};

const struct row_type owner_row_type = {
	.name = "owners", .noun = "owners", .id = 0x6f776e72, .schema = 1, .size = sizeof(struct owner_row),
	.fields = owner_fields, .n_fields = ARRAY_LEN(owner_fields),
};

const struct source owners_source = {
	.name = "owners", .type = &owner_row_type, .needs_target = true, .cage = CAGE_SCAN,
	.caps = 1ULL << CAP_SYS_PTRACE | 1ULL << CAP_DAC_READ_SEARCH,
	.open = owners_open, .sample = owners_sample, .request = owners_request,
};
