/*
 * One list of targets from what the engines say and what /proc shows. A container is matched to its namespace by the pid that its
 * engine gives, never by a name or cgroup that it could have chosen itself (security.md C12).
 */
#include "core/target.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "core/fd.h"
#include "core/source/namespaces.h"
#include "core/target_words.h"

enum { NONE = UINT32_MAX };

struct process {
	uint64_t pid;
	uint64_t start;
	uint32_t netns; /* index of the row */
};

struct merge {
	struct builder *b;
	const struct block *netns; /* may be NULL */
	struct process *processes; /* ascending pid */
	uint32_t n_processes;
	bool *taken; /* by a container; index as in netns */
	uint64_t host; /* inode; 0 unknown */
	int64_t now, boot; /* ns since 1970 */
};

#define CMP(a, b) (((a) > (b)) - ((a) < (b)))

static int by_pid(const void *x, const void *y)
{
	const struct process *a = x, *b = y;

	return CMP(a->pid, b->pid);
}

static int64_t clock_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static const struct netns_row *netns_at(const struct merge *m, uint32_t i)
{
	return block_row(m->netns, i);
}

static uint32_t netns_count(const struct merge *m)
{
	return m->netns ? block_count(m->netns) : 0;
}

static void index_processes(struct merge *m)
{
	uint32_t total = 0;

	for (uint32_t i = 0; i < netns_count(m); i++)
		total += netns_at(m, i)->members.n;
	m->processes = fd_xcalloc(total, sizeof *m->processes);
	m->taken = fd_xcalloc(netns_count(m), sizeof *m->taken);
	for (uint32_t i = 0; i < netns_count(m); i++) {
		const struct netns_row *row = netns_at(m, i);

		if (row->is_host == 1)
			m->host = row->inode;
		for (uint32_t k = 0; k < row->members.n; k++) {
			const struct netns_member_row *p = block_nested(m->netns, &netns_member_row_type, row->members, k);

			m->processes[m->n_processes++] = (struct process){ .pid = p->pid, .start = p->start, .netns = i };
		}
	}
	qsort(m->processes, m->n_processes, sizeof *m->processes, by_pid);
}

static const struct process *find_process(const struct merge *m, uint64_t pid)
{
	struct process key = { .pid = pid };

	if (pid == ROW_NO_UINT || pid == 0 || m->n_processes == 0)
		return NULL;
	return bsearch(&key, m->processes, m->n_processes, sizeof key, by_pid);
}

static void find_namespace(struct merge *m, struct target_row *row)
{
	const struct process *p = find_process(m, row->pid);
	const struct netns_row *ns;

	if (!p)
		return;
	ns = netns_at(m, p->netns);
	m->taken[p->netns] = true;
	row->start = p->start;
	row->netns = ns->inode;
	row->processes = ns->members.n;
	if (ns->is_host == 1)
		row->head.flags |= TARGET_HOST_NETWORK;
}

static void add_engine(struct merge *m, const struct block *engine)
{
	for (uint32_t i = 0; i < block_count(engine); i++) {
		struct target_row *row = builder_copy_row(m->b, engine, block_row(engine, i));

		row->head.flags |= TARGET_IS_CONTAINER;
		find_namespace(m, row);
	}
}

static void copy_notes(struct builder *b, const struct block *from)
{
	for (uint32_t i = 0; i < block_notes(from); i++) {
		int code = 0;
		struct text note = block_note(from, i, &code);

		builder_note(b, code, "%.*s", (int)note.n, note.n ? note.p : "");
	}
	if (block_lost(from))
		builder_lost(b, block_lost(from));
}

/* --- names of others: needs the text of rows that are already in the builder, so it reads the engines' blocks --- */

static const struct target_row *find_container(const struct block *const *engines, unsigned n, struct text id,
	const struct block **ret_block)
{
	for (unsigned e = 0; e < n; e++)
		for (uint32_t i = 0; engines[e] && i < block_count(engines[e]); i++) {
			const struct target_row *row = block_row(engines[e], i);

			if (id.n && text_equal(block_text(engines[e], row->id), id)) {
				*ret_block = engines[e];
				return row;
			}
		}
	return NULL;
}

static void name_shared(struct merge *m, const struct block *const *engines, unsigned n)
{
	static const char prefix[] = "container:";
	const size_t k = sizeof prefix - 1;
	uint32_t at = 0;

	for (unsigned e = 0; e < n; e++)
		for (uint32_t i = 0; engines[e] && i < block_count(engines[e]); i++) {
			const struct target_row *from = block_row(engines[e], i), *other;
			struct target_row *row = builder_at(m->b, at++);
			struct text mode = block_text(engines[e], from->network_mode), name;
			const struct block *block;

			if (mode.n <= k || memcmp(mode.p, prefix, k) != 0)
				continue;
			other = find_container(engines, n, (struct text){ .p = mode.p + k, .n = mode.n - k }, &block);
			name = other ? block_text(block, other->name) : (struct text){ .p = NULL };
			if (name.n)
				row->shares_with = builder_text(m->b, name.p, name.n);
		}
}

/* --- targets that no engine named --- */

static struct target_row *blank_row(struct builder *b)
{
	struct target_row *row = builder_row(b);

	*row = (struct target_row){ .name = ROW_NO_TEXT, .id = ROW_NO_TEXT, .runtime = ROW_NO_TEXT,
		.state = TARGET_STATE_RUNNING, .health = ROW_NO_ENUM, .pid = ROW_NO_UINT, .start = ROW_NO_UINT,
		.netns = ROW_NO_UINT, .image = ROW_NO_TEXT, .command = ROW_NO_TEXT, .networks = ROW_NO_TEXT,
		.addresses = ROW_NO_TEXT, .created_at = ROW_NO_INT, .started_at = ROW_NO_INT, .finished_at = ROW_NO_INT,
		.restarts = ROW_NO_UINT, .exit_code = ROW_NO_INT, .oom_killed = ROW_NO_BOOL, .network_mode = ROW_NO_TEXT,
		.shares_with = ROW_NO_TEXT, .hostname = ROW_NO_TEXT, .project = ROW_NO_TEXT, .path = ROW_NO_TEXT,
		.processes = ROW_NO_UINT, .problem = ROW_NO_TEXT, .as_of = ROW_NO_INT };
	return row;
}

static struct text base_name(struct text path)
{
	const char *slash = path.n ? memrchr(path.p, '/', path.n) : NULL;

	return slash ? (struct text){ .p = slash + 1, .n = path.n - (size_t)(slash + 1 - path.p) } : path;
}

/* "netns:vpn-lab" for a mounted one, else its first process: "nginx/2214". */
static struct str bare_name(struct merge *m, const struct netns_row *ns)
{
	struct text path = base_name(block_text(m->netns, ns->path)), leader = block_text(m->netns, ns->leader);
	char buf[320];

	if (path.n)
		snprintf(buf, sizeof buf, "netns:%.*s", (int)(path.n < 255 ? path.n : 255), path.p);
	else if (ns->pid != ROW_NO_UINT)
		snprintf(buf, sizeof buf, "%.*s/%" PRIu64, (int)(leader.n < 64 ? leader.n : 64), leader.n ? leader.p : "", ns->pid);
	else
		snprintf(buf, sizeof buf, "ns:%" PRIu64, ns->inode);
	return builder_str(m->b, buf);
}

/* A container that no reachable engine knows keeps its id from the cgroup, to be found by it; else the inode is the id. */
static struct str bare_id(struct merge *m, const struct netns_row *ns, bool is_known)
{
	struct text container = block_text(m->netns, ns->container);
	char buf[24];

	if (container.n && !is_known)
		return builder_text(m->b, container.p, container.n);
	snprintf(buf, sizeof buf, "%" PRIu64, ns->inode);
	return builder_str(m->b, buf);
}

static void add_bare(struct merge *m, const struct netns_row *ns, bool is_known)
{
	struct text path = block_text(m->netns, ns->path);
	struct target_row *row = blank_row(m->b);
	int64_t ticks = sysconf(_SC_CLK_TCK);

	row->head.id = row_hash(&ns->inode, sizeof ns->inode, 1);
	row->head.flags = TARGET_IS_NETNS;
	row->name = bare_name(m, ns);
	row->id = bare_id(m, ns, is_known);
	row->runtime = builder_str(m->b, "netns");
	row->pid = ns->pid;
	row->start = ns->start;
	row->netns = ns->inode;
	row->path = builder_text(m->b, path.p, path.n);
	row->processes = ns->members.n;
	if (ns->start != ROW_NO_UINT && ns->start < (uint64_t)INT64_MAX / 1000000000)
		row->started_at = m->boot + (int64_t)ns->start * (1000000000 / (ticks > 0 ? ticks : 100));
}

static void add_host(struct merge *m, const struct netns_row *ns)
{
	struct target_row *row = blank_row(m->b);
	struct utsname uts;

	row->head.id = row_hash("host", 4, 1);
	row->head.flags = TARGET_IS_HOST | TARGET_HOST_NETWORK;
	row->name = builder_str(m->b, "host");
	row->id = builder_str(m->b, "host");
	row->runtime = builder_str(m->b, "host");
	row->started_at = m->boot;
	if (uname(&uts) == 0)
		row->hostname = builder_str(m->b, uts.nodename);
	if (!ns)
		return;
	row->pid = ns->pid;
	row->start = ns->start;
	row->netns = ns->inode;
	row->processes = ns->members.n;
}

/* The bare list of an engine comes before pids: such a container's namespace is not a target of its own meanwhile. */
static bool waits_for_pid(const struct target_row *row)
{
	return row && (row->pid == ROW_NO_UINT || row->pid == 0) &&
		(row->state == TARGET_STATE_RUNNING || row->state == TARGET_STATE_PAUSED);
}

static void add_others(struct merge *m, const struct block *const *engines, unsigned n)
{
	const struct netns_row *host = NULL;

	for (uint32_t i = 0; i < netns_count(m); i++) {
		const struct netns_row *ns = netns_at(m, i);
		const struct target_row *container;
		const struct block *block;

		if (ns->is_host == 1)
			host = ns;
		if (m->taken[i] || ns->is_host == 1)
			continue;
		container = find_container(engines, n, block_text(m->netns, ns->container), &block);
		if (!waits_for_pid(container))
			add_bare(m, ns, container != NULL);
	}
	add_host(m, host);
}

/* --- what is wrong --- */

static struct block *judged(struct merge *m)
{
	AUTO(block_unrefp) struct block *plain = builder_block(m->b);
	char words[192], runtime[32];

	for (uint32_t i = 0; i < builder_count(m->b); i++) {
		struct target_row *row = builder_at(m->b, i);
		struct text name = block_text(plain, row->runtime);

		snprintf(runtime, sizeof runtime, "%.*s", (int)(name.n < sizeof runtime ? name.n : sizeof runtime - 1),
			name.n ? name.p : "");
		row->head.severity = target_words_problem(row, runtime, m->now, words, sizeof words);
		row->problem = words[0] ? builder_str(m->b, words) : ROW_NO_TEXT;
	}
	return builder_block(m->b);
}

struct block *target_merge(const struct block *const *engines, unsigned n, const struct block *netns)
{
	struct merge m = { .b = builder_new(&target_row_type), .netns = netns, .now = clock_ns(CLOCK_REALTIME) };
	struct block *ret;

	m.boot = m.now - clock_ns(CLOCK_BOOTTIME);
	index_processes(&m);
	for (unsigned i = 0; i < n; i++)
		if (engines[i]) {
			add_engine(&m, engines[i]);
			copy_notes(m.b, engines[i]);
		}
	name_shared(&m, engines, n);
	add_others(&m, engines, n);
	if (netns)
		copy_notes(m.b, netns);
	ret = judged(&m);
	builder_free(m.b);
	free(m.processes);
	free(m.taken);
	return ret;
}
