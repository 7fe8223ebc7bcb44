/*
 * From what a user types to a target: a name, the start of an id, docker:NAME, pid:N, netns:NAME or netns:/path, ns:INODE, host.
 * Every failure is one sentence that names what was typed and what there is instead.
 */
#include "core/target.h"

#include "core/err.h"
#include "core/fd.h"
#include "core/source/holders.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

static struct text name_of(const struct block *b, const struct target_row *r)
{
	return block_text(b, r->name);
}

int target_reference(const struct block *targets, const struct target_row *row, struct target_ref *ret, struct err *err)
{
	struct text name = name_of(targets, row), path = block_text(targets, row->path);
	struct target_ref ref = { .kind = TARGET_PID };

	if (row->head.flags & TARGET_IS_HOST) {
		*ret = (struct target_ref){ .kind = TARGET_HOST };
		return 0;
	}
	if (row->holders.n && row->pid == ROW_NO_UINT && path.n == 0) {
		const struct holder_row *h = block_nested(targets, &holder_row_type, row->holders, 0);

		ref = (struct target_ref){ .kind = TARGET_PATH, .pid = (int32_t)h->pid, .netns = row->netns,
			.start = h->start == ROW_NO_UINT ? 0 : h->start };
		holder_path(h, ref.path, sizeof ref.path);
		*ret = ref;
		return 0;
	}
	if (row->pid == ROW_NO_UINT && path.n > 0 && path.n < sizeof ref.path) {
		ref.kind = TARGET_PATH;
		memcpy(ref.path, path.p, path.n);
		*ret = ref;
		return 0;
	}
	if (row->pid == ROW_NO_UINT || row->pid == 0 || row->pid > INT32_MAX)
		return err_set(err, ESRCH, "%.*s is not running (%s): it has no namespaces to look into",
			(int)(name.n < 64 ? name.n : 64), name.p,
			row->state < TARGET_STATE_N ? target_state_names[row->state] : "unknown");
	ref.pid = (int32_t)row->pid;
	ref.start = row->start == ROW_NO_UINT ? 0 : row->start;
	if (row->head.flags & TARGET_IS_NETNS && row->netns != ROW_NO_UINT)
		ref.netns = row->netns;
	*ret = ref;
	return 0;
}

/* --- special forms --- */

static int parse_number(const char *digits, uint64_t max, uint64_t *ret)
{
	unsigned long long v;
	char *end;

	if (*digits < '0' || *digits > '9')
		return -EINVAL;
	errno = 0;
	v = strtoull(digits, &end, 10);
	if (errno || *end || v > max)
		return -EINVAL;
	*ret = v;
	return 0;
}

static int resolve_pid(const struct block *targets, const char *digits, uint32_t *ret_row, struct target_ref *ret,
	struct err *err)
{
	uint64_t pid;

	if (parse_number(digits, INT32_MAX, &pid) < 0 || pid == 0)
		return err_set(err, EINVAL, "pid:%s is not a process number", digits);
	*ret = (struct target_ref){ .kind = TARGET_PID, .pid = (int32_t)pid };
	*ret_row = UINT32_MAX;
	for (uint32_t i = 0; i < block_count(targets); i++)
		if (((const struct target_row *)block_row(targets, i))->pid == pid)
			*ret_row = i;
	return 0;
}

static int resolve_netns(const struct block *targets, const char *name, uint32_t *ret_row, struct target_ref *ret,
	struct err *err)
{
	struct target_ref ref = { .kind = TARGET_PATH };
	struct stat st = { 0 };
	int n = snprintf(ref.path, sizeof ref.path, name[0] == '/' ? "%s" : "/run/netns/%s", name);

	if (n < 0 || (size_t)n >= sizeof ref.path || name[0] == 0)
		return err_set(err, EINVAL, "netns:%s is not a name or path", name);
	*ret_row = UINT32_MAX;
	if (stat(ref.path, &st) < 0)
		st.st_ino = 0;
	for (uint32_t i = 0; i < block_count(targets); i++) {
		const struct target_row *r = block_row(targets, i);

		/* One namespace can be mounted at several places; a container's row comes before a bare one. */
		if (*ret_row == UINT32_MAX && (text_equal(block_text(targets, r->path), text_of(ref.path)) ||
			(st.st_ino && r->netns == st.st_ino)))
			*ret_row = i;
	}
	*ret = ref;
	return 0;
}

static int resolve_inode(const struct block *targets, const char *digits, uint32_t *ret_row, struct target_ref *ret,
	struct err *err)
{
	uint64_t inode;

	if (parse_number(digits, UINT64_MAX - 1, &inode) < 0)
		return err_set(err, EINVAL, "ns:%s is not an inode number", digits);
	for (uint32_t i = 0; i < block_count(targets); i++) {
		const struct target_row *r = block_row(targets, i);

		if (r->netns != inode || target_reference(targets, r, ret, NULL) < 0)
			continue;
		*ret_row = i;
		return 0;
	}
	return err_set(err, ENOENT, "no network namespace %s is in use; nsdbg ls lists what is there", digits);
}

static int resolve_host(const struct block *targets, uint32_t *ret_row, struct target_ref *ret)
{
	*ret_row = UINT32_MAX;
	for (uint32_t i = 0; i < block_count(targets); i++)
		if (((const struct target_row *)block_row(targets, i))->head.flags & TARGET_IS_HOST)
			*ret_row = i;
	*ret = (struct target_ref){ .kind = TARGET_HOST };
	return 0;
}

/* --- names and ids --- */

/*
 * BARE: exactly a namespace's name below /run/netns; a container of that name comes before it (its own old one, often). FOREIGN: the name of
 * a container whose engine was not asked; one that the asked engine has under this name is meant.
 */
enum match { MATCH_NONE, MATCH_PREFIX, MATCH_BARE, MATCH_FOREIGN, MATCH_EXACT };

struct search {
	const struct block *targets;
	struct text what;
	struct text runtime; /* empty: any */
	struct text space, pod; /* empty: any */
	bool is_pod; /* the sandbox of a pod is meant */
	bool is_hex;
};

static bool all_hex(struct text t)
{
	for (size_t i = 0; i < t.n; i++)
		if (!strchr("0123456789abcdef", t.p[i]) || !t.p[i])
			return false;
	return t.n > 0;
}

static enum match match_row(const struct search *s, const struct target_row *r)
{
	struct text id = block_text(s->targets, r->id);

	if (s->runtime.n && !text_equal(block_text(s->targets, r->runtime), s->runtime))
		return MATCH_NONE;
	if ((s->space.n && !text_equal(block_text(s->targets, r->space), s->space)) ||
		(s->pod.n && !text_equal(block_text(s->targets, r->pod), s->pod)))
		return MATCH_NONE;
	if (s->is_pod)
		return r->infra == 1 && text_equal(block_text(s->targets, r->pod), s->what) ? MATCH_EXACT : MATCH_NONE;
	if (text_equal(name_of(s->targets, r), s->what) || text_equal(id, s->what))
		return r->head.flags & TARGET_IS_NETNS ? MATCH_BARE : r->head.flags & TARGET_FOREIGN ? MATCH_FOREIGN : MATCH_EXACT;
	if (!(r->head.flags & TARGET_IS_CONTAINER) || !s->is_hex || s->what.n < TARGET_MIN_PREFIX || s->what.n > id.n)
		return MATCH_NONE;
	return memcmp(id.p, s->what.p, s->what.n) == 0 ? MATCH_PREFIX : MATCH_NONE;
}

/* The best kind of match and how many rows have it; running ones win over stopped ones of the same name. */
static unsigned find_best(const struct search *s, enum match *ret_kind, uint32_t *ret_row)
{
	enum match best = MATCH_NONE;
	unsigned n = 0;

	for (uint32_t i = 0; i < block_count(s->targets); i++) {
		enum match m = match_row(s, block_row(s->targets, i));

		if (m == MATCH_NONE || m < best)
			continue;
		n = m > best ? 1 : n + 1;
		if (m > best || n == 1)
			*ret_row = i;
		best = m;
	}
	*ret_kind = best;
	return n;
}

static int say_ambiguous(const struct search *s, enum match kind, struct err *err)
{
	char list[128] = "";
	size_t n = 0;

	for (uint32_t i = 0; i < block_count(s->targets) && n < sizeof list; i++) {
		const struct target_row *r = block_row(s->targets, i);
		struct text name = name_of(s->targets, r), id = block_text(s->targets, r->id), rt = block_text(s->targets, r->runtime);

		if (match_row(s, r) != kind)
			continue;
		n += (size_t)snprintf(list + n, sizeof list - n, "%s%.*s:%.*s (%.*s)", n ? ", " : "", (int)rt.n, rt.p,
			(int)(name.n < 40 ? name.n : 40), name.p, (int)(id.n < 12 ? id.n : 12), id.p);
	}
	return err_set(err, ENOTUNIQ, "%.*s fits several: %s", (int)(s->what.n < 40 ? s->what.n : 40), s->what.p, list);
}

/* Optimal string alignment distance, bounded: for "did you mean". */
static unsigned distance(struct text a, struct text b)
{
	unsigned row[65], prev, next;

	if (a.n > 64 || b.n > 64)
		return 99;
	for (size_t k = 0; k <= b.n; k++)
		row[k] = (unsigned)k;
	for (size_t i = 1; i <= a.n; i++) {
		prev = row[0];
		row[0] = (unsigned)i;
		for (size_t k = 1; k <= b.n; k++) {
			next = row[k];
			row[k] = prev + (a.p[i - 1] != b.p[k - 1]);
			if (row[k] > next + 1)
				row[k] = next + 1;
			if (row[k] > row[k - 1] + 1)
				row[k] = row[k - 1] + 1;
			prev = next;
		}
	}
	return row[b.n];
}

static bool is_near(const struct search *s, struct text name)
{
	return text_contains(name, s->what) || (name.n > 2 && text_contains(s->what, name)) || distance(name, s->what) <= 2;
}

static int say_unknown(const struct search *s, struct err *err)
{
	char list[96] = "";
	size_t n = 0;
	unsigned found = 0;

	for (uint32_t i = 0; i < block_count(s->targets) && found < 3 && n < sizeof list; i++) {
		struct text name = name_of(s->targets, block_row(s->targets, i));

		if (s->what.n == 0 || !is_near(s, name))
			continue;
		n += (size_t)snprintf(list + n, sizeof list - n, "%s%.*s", found++ ? ", " : "",
			(int)(name.n < 40 ? name.n : 40), name.p);
	}
	if (found)
		return err_set(err, ENOENT, "no target %.*s; near it: %s", (int)(s->what.n < 60 ? s->what.n : 60), s->what.p, list);
	return err_set(err, ENOENT, "no target %.*s; nsdbg ls -a lists what is there",
		(int)(s->what.n < 60 ? s->what.n : 60), s->what.p);
}

static int resolve_name(const struct search *s, uint32_t *ret_row, struct target_ref *ret, struct err *err)
{
	enum match kind = MATCH_NONE;
	unsigned n = find_best(s, &kind, ret_row);
	const struct target_row *r;

	if (n == 0)
		return say_unknown(s, err);
	if (n > 1)
		return say_ambiguous(s, kind, err);
	r = block_row(s->targets, *ret_row);
	return target_reference(s->targets, r, ret, err);
}

bool target_is_kernel(const char *text)
{
	static const char *const forms[] = { "pid:", "netns:", "ns:" };

	for (size_t i = 0; i < ARRAY_LEN(forms); i++)
		if (strncmp(text, forms[i], strlen(forms[i])) == 0)
			return true;
	return strcmp(text, "host") == 0;
}

/* "pod:NAME", "pod:SPACE/NAME", "ctr:SPACE/NAME", "POD/NAME". False: none of these forms. */
static bool take_scope(const char *text, struct search *s)
{
	const char *name = strncmp(text, "pod:", 4) == 0 || strncmp(text, "ctr:", 4) == 0 ? text + 4 : text;
	const char *slash = strchr(name, '/');
	struct text before = { .p = name, .n = slash ? (size_t)(slash - name) : 0 };

	if (name == text && (!slash || before.n == 0 || strchr(text, ':')))
		return false;
	s->is_pod = text[0] == 'p' && name != text;
	if (name != text && !s->is_pod)
		s->runtime = text_of("containerd");
	if (name != text)
		s->space = before;
	else
		s->pod = before;
	s->what = text_of(slash ? slash + 1 : name);
	return true;
}

/* "sleep/4711": that is what the list calls a namespace by its first process. */
static bool is_bare_name(const struct search *s)
{
	for (uint32_t i = 0; i < block_count(s->targets); i++) {
		const struct target_row *r = block_row(s->targets, i);

		if (r->head.flags & TARGET_IS_NETNS && text_equal(name_of(s->targets, r), s->what))
			return true;
	}
	return false;
}

int target_resolve(const struct block *targets, const char *text, uint32_t *ret_row, struct target_ref *ret, struct err *err)
{
	struct search s = { .targets = targets, .what = text_of(text) };
	const char *colon = strchr(text, ':');

	if (strncmp(text, "pid:", 4) == 0)
		return resolve_pid(targets, text + 4, ret_row, ret, err);
	if (strncmp(text, "netns:", 6) == 0)
		return resolve_netns(targets, text + 6, ret_row, ret, err);
	if (strncmp(text, "ns:", 3) == 0)
		return resolve_inode(targets, text + 3, ret_row, ret, err);
	if (strcmp(text, "host") == 0)
		return resolve_host(targets, ret_row, ret);
	if (!is_bare_name(&s) && !take_scope(text, &s) && colon) {
		s.runtime = (struct text){ .p = text, .n = (size_t)(colon - text) };
		s.what = text_of(colon + 1);
	}
	s.is_hex = all_hex(s.what);
	return resolve_name(&s, ret_row, ret, err);
}
