/*
 * One list of targets from what engines name and what /proc shows: the scan knows which namespace a pid is in, the engine knows what
 * it is called. A namespace that belongs to a container is not listed again.
 */
#include "core/target.h"

#include "core/fd.h"
#include "core/loop.h"
#include "core/rights.h"
#include "core/source/holders.h"
#include "core/target_found.h"

#include <inttypes.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* pid -> namespace row, sorted by pid. */
struct member {
	uint64_t pid;
	uint64_t start;
	uint32_t netns; /* index into the scan */
};

struct merge {
	struct builder *out;
	const struct block *scan;
	const struct block *holders; /* by namespace */
	struct member *members;
	size_t n_members;
	bool *taken; /* namespaces that a container has */
	bool inside; /* nsdbg runs in a container, and may not see what engines speak of */
	struct found_index found;
	struct seen seen; /* ids and pids of containers */
	const struct block *const *engines;
	unsigned n_engines;
	const struct block *bundles;
};

#define CMP(a, b) (((a) > (b)) - ((a) < (b)))

static int by_pid(const void *a, const void *b)
{
	const struct member *x = a, *y = b;

	return CMP(x->pid, y->pid);
}

static void index_members(struct merge *m)
{
	size_t total = 0;

	for (uint32_t i = 0; i < block_count(m->scan); i++)
		total += ((const struct netns_row *)block_row(m->scan, i))->members.n;
	m->members = fd_xcalloc(total, sizeof m->members[0]);
	m->taken = fd_xcalloc(block_count(m->scan), sizeof m->taken[0]);
	for (uint32_t i = 0; i < block_count(m->scan); i++) {
		const struct netns_row *n = block_row(m->scan, i);

		m->inside |= n->is_inside == 1;
		for (uint32_t k = 0; k < n->members.n; k++) {
			const struct netns_member_row *p = block_nested(m->scan, &netns_member_row_type, n->members, k);

			m->members[m->n_members++] = (struct member){ .pid = p->pid, .start = p->start, .netns = i };
		}
	}
	qsort(m->members, m->n_members, sizeof m->members[0], by_pid);
}

static const struct member *find_member(const struct merge *m, uint64_t pid)
{
	struct member key = { .pid = pid };

	return m->n_members ? bsearch(&key, m->members, m->n_members, sizeof key, by_pid) : NULL;
}

/* --- containers --- */

static void judge(struct merge *m, struct target_row *r, const char *problem, enum severity s)
{
	r->problem = builder_str(m->out, problem);
	r->head.severity = s;
}

static void judge_stopped(struct merge *m, struct target_row *r)
{
	int64_t now = (int64_t)time(NULL), then = r->finished_at == ROW_NO_INT ? now : r->finished_at / 1000000000;
	long long s = now > then ? now - then : 0;
	char when[32], text[80];

	row_format_age((double)s, when, sizeof when);
	if (r->oom_killed == 1) {
		snprintf(text, sizeof text, "killed for want of memory (OOM) %s ago", when);
		judge(m, r, text, SEVERITY_BAD);
	} else if (r->exit_code != ROW_NO_INT && r->exit_code != 0) {
		snprintf(text, sizeof text, "exited %lld %s ago", (long long)r->exit_code, when);
		judge(m, r, text, SEVERITY_WARN);
	} else {
		r->head.severity = SEVERITY_IDLE;
	}
}

/* A restart of last month is history, not a problem. */
static bool started_lately(const struct target_row *r)
{
	return r->started_at == ROW_NO_INT || (int64_t)time(NULL) - r->started_at / 1000000000 < 3600;
}

static void judge_running(struct merge *m, struct target_row *r)
{
	char text[64];

	if (r->health == TARGET_HEALTH_UNHEALTHY) {
		judge(m, r, "health check fails", SEVERITY_BAD);
	} else if (r->restarts != ROW_NO_UINT && r->restarts > 0 && started_lately(r)) {
		snprintf(text, sizeof text, "restarted %llu times", (unsigned long long)r->restarts);
		judge(m, r, text, SEVERITY_WARN);
	} else if (m->inside && r->netns == ROW_NO_UINT) {
		judge(m, r, "its processes are not seen from in here: start nsdbg on the host, or with --pid=host", SEVERITY_UNKNOWN);
	} else {
		r->head.severity = SEVERITY_OK;
	}
}

/* Sign and words for a container, from what its engine says. */
static void judge_container(struct merge *m, struct target_row *r)
{
	char text[64];

	if (r->as_of != ROW_NO_INT) {
		judge(m, r, r->pid != ROW_NO_UINT && r->netns == ROW_NO_UINT && m->scan ?
			"its engine does not answer, and its process has ended since" :
			"its engine does not answer; shown as it was", SEVERITY_UNKNOWN);
		return;
	}
	switch ((enum target_state)r->state) {
	case TARGET_STATE_RUNNING:
		judge_running(m, r);
		return;
	case TARGET_STATE_PAUSED:
		judge(m, r, "paused", SEVERITY_WARN);
		return;
	case TARGET_STATE_RESTARTING:
		snprintf(text, sizeof text, r->exit_code == ROW_NO_INT ? "restarting" : "restarting, last exit %lld",
			(long long)r->exit_code);
		judge(m, r, text, SEVERITY_BAD);
		return;
	case TARGET_STATE_EXITED:
		judge_stopped(m, r);
		return;
	case TARGET_STATE_DEAD:
		judge(m, r, "dead: the engine could not remove it", SEVERITY_BAD);
		return;
	case TARGET_STATE_CREATED:
	case TARGET_STATE_REMOVING:
		r->head.severity = SEVERITY_IDLE;
		return;
	case TARGET_STATE_N:
		break;
	}
	r->head.severity = SEVERITY_UNKNOWN;
}

static bool may_run(const struct target_row *r)
{
	return r->as_of != ROW_NO_INT || r->state == TARGET_STATE_RUNNING || r->state == TARGET_STATE_PAUSED || r->state == ROW_NO_ENUM;
}

/*
 * An engine's bare list comes before the pids, and one that does not answer knows old ones: then the process that /proc shows under this
 * id counts. A container may choose its cgroup, but not the parent of its first process.
 */
static void find_process(struct merge *m, struct target_row *r, struct found *f)
{
	if (f)
		f->is_used = true;
	if (!f || !may_run(r) || (r->pid != ROW_NO_UINT && find_member(m, r->pid)))
		return;
	r->pid = f->row->pid;
	r->start = f->row->start;
}

static bool has_item(struct text list, struct text item)
{
	while (list.n > 0) {
		size_t n = strnlen(list.p, list.n);

		if (n == item.n && memcmp(list.p, item.p, n) == 0)
			return true;
		n += n < list.n;
		list = (struct text){ .p = list.p + n, .n = list.n - n };
	}
	return false;
}

/* First what the engine says, then what was added since and it knows nothing of. A list is in one piece: it is written anew. */
static void take_addresses(struct merge *m, struct target_row *r, const struct netns_row *n)
{
	struct str list = { 0 };
	char said[1024];
	struct text told = builder_get(m->out, r->addresses), item;
	bool is_new = false;

	if (r->shares_with.len != UINT32_MAX || r->head.flags & TARGET_HOST_NETWORK || told.n >= sizeof said)
		return;
	for (uint32_t i = 0; block_list_item(m->scan, n->addresses, i, &item); i++)
		is_new |= !has_item(told, item);
	if (!is_new)
		return;
	if (told.n)
		memcpy(said, told.p, told.n); /* the arena moves while it grows */
	told.p = said;
	for (size_t at = 0; at < told.n; at += strnlen(said + at, told.n - at) + 1)
		builder_list_add(m->out, &list, said + at, strnlen(said + at, told.n - at));
	for (uint32_t i = 0; block_list_item(m->scan, n->addresses, i, &item); i++)
		if (!has_item(told, item))
			builder_list_add(m->out, &list, item.p, item.n);
	r->addresses = list;
}

static void locate(struct merge *m, struct target_row *r)
{
	const struct member *p = r->pid == ROW_NO_UINT ? NULL : find_member(m, r->pid);
	const struct netns_row *n = p ? block_row(m->scan, p->netns) : NULL;

	if (!n || n->inode == ROW_NO_UINT)
		return;
	m->taken[p->netns] = true;
	r->netns = n->inode;
	r->start = p->start;
	r->processes = n->members.n;
	if (n->is_host)
		r->head.flags |= TARGET_HOST_NETWORK;
	take_addresses(m, r, n);
}

/* One container named by several engines is the first one's. */
static bool is_double(struct merge *m, const struct block *engine, const struct target_row *r)
{
	bool is_new = seen_add(&m->seen, seen_id(block_text(engine, r->id)));

	if (r->pid != ROW_NO_UINT && may_run(r))
		is_new &= seen_add(&m->seen, seen_pid(r->pid));
	return !is_new;
}

static void add_containers(struct merge *m, const struct block *engine)
{
	for (uint32_t i = 0; i < block_count(engine); i++) {
		const struct target_row *from = block_row(engine, i);
		struct target_row *r;

		if (is_double(m, engine, from))
			continue;
		r = builder_copy_row(m->out, engine, from);
		r->head.flags |= TARGET_IS_CONTAINER;
		target_health_unknown(r);
		if (text_equal(block_text(engine, from->network_mode), text_of("host")))
			r->head.flags |= TARGET_HOST_NETWORK;
		find_process(m, r, found_index_find(&m->found, block_text(engine, from->id)));
		locate(m, r);
		judge_container(m, r);
	}
}

/* --- namespaces and the host --- */

static struct target_row *blank(struct merge *m)
{
	struct target_row *r = builder_row(m->out);

	r->name = r->id = r->runtime = r->image = r->command = r->network_mode = ROW_NO_TEXT;
	r->networks = r->addresses = r->shares_with = r->hostname = r->project = r->path = r->problem = ROW_NO_TEXT;
	r->engine = r->space = r->pod = r->shared_by = ROW_NO_TEXT;
	r->attempt = r->owner = ROW_NO_UINT;
	r->holders = (struct rows){ 0 };
	r->infra = ROW_NO_BOOL;
	r->state = TARGET_STATE_RUNNING;
	r->health = ROW_NO_ENUM;
	r->pid = r->start = r->netns = r->restarts = r->processes = ROW_NO_UINT;
	r->created_at = r->started_at = r->finished_at = r->exit_code = r->as_of = ROW_NO_INT;
	r->oom_killed = ROW_NO_BOOL;
	target_health_unknown(r);
	return r;
}

/* Only names that people gave: engines mount theirs elsewhere, under numbers. */
static struct text given_name(struct text path)
{
	static const char *const places[] = { "/run/netns/", "/var/run/netns/" };

	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		size_t n = strlen(places[i]);

		if (path.n > n && memcmp(path.p, places[i], n) == 0)
			return (struct text){ .p = path.p + n, .n = path.n - n };
	}
	return (struct text){ 0 };
}

/* Its name under /run/netns, else the container its first process belongs to, else that process. */
static struct str namespace_name(struct merge *m, const struct netns_row *n)
{
	struct text name = given_name(block_text(m->scan, n->path)), leader = block_text(m->scan, n->leader);
	struct text container = block_text(m->scan, n->container);
	char buf[192];
	int len;

	if (n->is_host)
		return builder_str(m->out, "host");
	if (name.n > 0)
		return builder_text(m->out, name.p, name.n);
	if (container.n >= 12)
		return builder_text(m->out, container.p, 12);
	if (leader.n > 0)
		len = snprintf(buf, sizeof buf, "%.*s/%llu", (int)(leader.n < 64 ? leader.n : 64), leader.p,
			(unsigned long long)n->pid);
	else
		len = snprintf(buf, sizeof buf, "netns-%llu", (unsigned long long)n->inode);
	return builder_text(m->out, buf, (size_t)len);
}

/* The holders of one namespace are neighbours; how many, from *ret_first on. */
static uint32_t find_holders(const struct merge *m, uint64_t netns, uint32_t *ret_first)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < block_count(m->holders); i++) {
		if (((const struct holder_row *)block_row(m->holders, i))->netns != netns)
			continue;
		*ret_first = n++ ? *ret_first : i;
	}
	return n;
}

static void say_holder(struct merge *m, struct target_row *r, const struct holder_row *h, uint32_t n)
{
	struct text name = block_text(m->holders, h->process);
	char text[160];
	int len;

	len = snprintf(text, sizeof text, "no process in it; %.*s (%" PRIu64 ") holds it by %s %" PRIu64, (int)(name.n < 64 ? name.n : 64),
		name.n ? name.p : "", h->pid, holder_names[h->by], h->number);
	if (n > 1)
		snprintf(text + len, sizeof text - (size_t)len, ", and %" PRIu32 " more", n - 1);
	r->problem = builder_str(m->out, text);
}

/* `r` has no process. */
static void add_holders(struct merge *m, struct target_row *r)
{
	AUTO(fd_freep) struct holder_row *rows = NULL;
	uint32_t first = 0, n = find_holders(m, r->netns, &first);

	if (n == 0)
		return;
	rows = fd_xcalloc(n, sizeof *rows);
	for (uint32_t i = 0; i < n; i++) {
		const struct holder_row *from = block_row(m->holders, first + i);
		struct text name = block_text(m->holders, from->process);

		rows[i] = *from;
		rows[i].process = builder_text(m->out, name.p, name.n);
	}
	r->holders = builder_rows(m->out, &holder_row_type, rows, n);
	if (r->path.len == UINT32_MAX)
		say_holder(m, r, block_row(m->holders, first), n);
}

static void add_namespace(struct merge *m, const struct netns_row *n)
{
	struct target_row *r = blank(m);
	struct text path = block_text(m->scan, n->path), leader = block_text(m->scan, n->leader);
	char inode[24];

	snprintf(inode, sizeof inode, "%llu", (unsigned long long)n->inode);
	r->name = namespace_name(m, n);
	r->id = builder_str(m->out, inode);
	r->runtime = builder_str(m->out, n->is_host ? "host" : "netns");
	r->head.id = row_hash(&n->inode, sizeof n->inode, 1);
	r->head.flags = n->is_host ? TARGET_IS_HOST : TARGET_IS_NETNS;
	r->pid = n->pid;
	r->start = n->start;
	r->netns = n->inode;
	r->processes = n->members.n;
	r->path = builder_text(m->out, path.p, path.n);
	r->command = builder_text(m->out, leader.p, leader.n);
	if (n->members.n == 0)
		add_holders(m, r);
	if (n->is_inside == 1)
		judge(m, r, "nsdbg runs in a container: this is that one, not the machine; --pid=host shows more", SEVERITY_UNKNOWN);
}

static bool is_scanned(const struct merge *m, uint64_t netns)
{
	for (uint32_t i = 0; i < block_count(m->scan); i++)
		if (((const struct netns_row *)block_row(m->scan, i))->inode == netns)
			return true;
	return false;
}

/* Those that the scan knows nothing of. */
static void add_held(struct merge *m)
{
	uint64_t last = 0;

	for (uint32_t i = 0; m->scan && i < block_count(m->holders); i++) {
		const struct holder_row *h = block_row(m->holders, i);
		const struct netns_row n = { .inode = h->netns, .pid = ROW_NO_UINT, .start = ROW_NO_UINT, .leader = ROW_NO_TEXT,
			.container = ROW_NO_TEXT, .path = ROW_NO_TEXT };

		if (h->netns != last && !is_scanned(m, h->netns))
			add_namespace(m, &n);
		last = h->netns;
	}
}

/* --- containers without an engine --- */

static bool is_waiting(const struct merge *m)
{
	for (unsigned i = 0; i < m->n_engines; i++)
		if (!m->engines[i])
			return true;
	return false;
}

/* Does an engine of this kind answer? Then it must be another one that runs this. */
static bool has_engine(const struct merge *m, struct text runtime)
{
	for (unsigned i = 0; i < m->n_engines; i++) {
		const struct target_row *r = m->engines[i] ? block_row(m->engines[i], 0) : NULL;

		if (r && r->as_of == ROW_NO_INT && text_equal(block_text(m->engines[i], r->runtime), runtime))
			return true;
	}
	return false;
}

static void judge_found(struct merge *m, struct target_row *r, struct text runtime)
{
	static const char *const alone[] = { "lxc", "nspawn" }; /* nobody to ask: /proc is all there is */
	char text[32 + RIGHTS_TEXT];

	for (size_t i = 0; i < ARRAY_LEN(alone); i++)
		if (text_equal(runtime, text_of(alone[i])))
			r->head.severity = SEVERITY_OK;
	if (r->netns == ROW_NO_UINT) {
		r->head.flags |= TARGET_LOCKED;
		snprintf(text, sizeof text, "%s: %s", r->owner == ROW_NO_UINT ? "root's" : "another user's",
			rights_needed(RIGHT(CAP_SYS_PTRACE), (char[RIGHTS_TEXT]){ 0 }));
		judge(m, r, text, SEVERITY_UNKNOWN);
	} else if (r->head.severity != SEVERITY_OK && !is_waiting(m)) {
		if (has_engine(m, runtime))
			r->head.flags |= TARGET_FOREIGN;
		if (r->head.flags & TARGET_FOREIGN)
			snprintf(text, sizeof text, "of another %.*s than those that were asked", (int)runtime.n, runtime.p);
		else
			snprintf(text, sizeof text, "no engine answers for it; found in /proc");
		judge(m, r, text, SEVERITY_UNKNOWN);
	}
}

static void add_found(struct merge *m)
{
	for (uint32_t i = 0; i < m->found.n; i++) {
		struct found *f = &m->found.list[i];
		struct target_row *r;

		if (m->taken)
			m->taken[f->netns] |= ((const struct netns_row *)block_row(m->scan, f->netns))->is_host != 1;
		if (f->is_used || !seen_add(&m->seen, seen_pid(f->row->pid)))
			continue;
		r = blank(m);
		found_describe(m->scan, f, m->out, r);
		found_name(m->bundles, m->out, r);
		r->head.flags |= TARGET_FOUND;
		judge_found(m, r, block_text(m->scan, f->row->runtime));
	}
}

/*
 * An engine's bare list comes before the pids: until then the namespace of such a container is not a target of its own. Its id comes
 * from a cgroup, which a container may choose; that hides a namespace for this moment, and names nothing.
 */
static bool waits_for_pid(const struct block *const *engines, unsigned n, struct text container)
{
	for (unsigned e = 0; e < n && container.n; e++)
		for (uint32_t i = 0; engines[e] && i < block_count(engines[e]); i++) {
			const struct target_row *r = block_row(engines[e], i);

			if ((r->pid == ROW_NO_UINT || r->pid == 0) && text_equal(block_text(engines[e], r->id), container))
				return r->state == TARGET_STATE_RUNNING || r->state == TARGET_STATE_PAUSED;
		}
	return false;
}

/* Not all that run containers say since when: then it is since their first process began. */
static void tell_starts(struct builder *out)
{
	struct timespec boot;
	int64_t zero, tick = 1000000000 / sysconf(_SC_CLK_TCK);

	clock_gettime(CLOCK_BOOTTIME, &boot);
	zero = loop_wall_ns() - (boot.tv_sec * INT64_C(1000000000) + boot.tv_nsec);
	for (uint32_t i = 0; i < builder_count(out); i++) {
		struct target_row *r = builder_at(out, i);

		if (r->head.flags & TARGET_IS_CONTAINER && r->state == TARGET_STATE_RUNNING && r->started_at == ROW_NO_INT &&
			r->start != ROW_NO_UINT && r->start > 0)
			r->started_at = zero + (int64_t)r->start * tick;
	}
}

struct block *target_merge(const struct block *const *engines, unsigned n, const struct target_seen *seen)
{
	struct merge m = { .out = builder_new(&target_row_type), .scan = seen->netns, .holders = seen->holders, .bundles = seen->bundles,
		.found = found_index_new(seen->netns), .engines = engines, .n_engines = n };
	struct block *ret;

	index_members(&m);
	for (unsigned i = 0; i < n; i++)
		if (engines[i])
			add_containers(&m, engines[i]);
	add_found(&m);
	found_groups(m.out);
	for (int host = 0; host <= 1; host++) {
		if (host)
			add_held(&m);
		for (uint32_t i = 0; i < block_count(seen->netns); i++) {
			const struct netns_row *row = block_row(seen->netns, i);

			if (row->is_host != host || (!host && m.taken[i]) || row->inode == ROW_NO_UINT)
				continue;
			if (host || !waits_for_pid(engines, n, block_text(seen->netns, row->container)))
				add_namespace(&m, row);
		}
	}
	tell_starts(m.out);
	ret = builder_block(m.out);
	builder_free(m.out);
	free(m.members);
	free(m.taken);
	free(m.seen.slots);
	found_index_free(&m.found);
	return ret;
}
