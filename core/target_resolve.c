/* From what a user types to a target: ux.md 3.1. Every refusal is one sentence with what to type instead. */
#include "core/target.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "core/err.h"
#include "core/fd.h"
#include "core/target_words.h"

enum { NONE = UINT32_MAX, SHORTEST_ID = 4, NEAR_MAX = 3, LISTED_MAX = 4 };

struct lookup {
	const struct block *targets; /* may be NULL: nothing is known yet */
	const char *runtime; /* only targets of this one; NULL: all */
	const char *word; /* name or id, without the kind */
	const char *typed; /* all of it, for messages */
};

static uint32_t count(const struct lookup *l)
{
	return l->targets ? block_count(l->targets) : 0;
}

static const struct target_row *row_at(const struct lookup *l, uint32_t i)
{
	return block_row(l->targets, i);
}

static struct text name_of(const struct lookup *l, uint32_t i)
{
	return block_text(l->targets, row_at(l, i)->name);
}

static bool has_runtime(const struct lookup *l, uint32_t i)
{
	return !l->runtime || text_equal(block_text(l->targets, row_at(l, i)->runtime), text_of(l->runtime));
}

/* --- ways to match, the strongest first --- */

static bool matches_name(const struct lookup *l, uint32_t i)
{
	const char *word = l->word[0] == '/' ? l->word + 1 : l->word; /* Docker's own API writes "/web" */

	return text_equal(name_of(l, i), text_of(word));
}

static bool matches_id(const struct lookup *l, uint32_t i)
{
	struct text id = block_text(l->targets, row_at(l, i)->id);

	return id.n && id.n == strlen(l->word) && strncasecmp(id.p, l->word, id.n) == 0;
}

/* "vpn-lab" for netns:vpn-lab. */
static bool matches_mount(const struct lookup *l, uint32_t i)
{
	static const char prefix[] = "netns:";
	struct text name = name_of(l, i);
	const size_t k = sizeof prefix - 1;

	return name.n > k && memcmp(name.p, prefix, k) == 0 &&
		text_equal((struct text){ .p = name.p + k, .n = name.n - k }, text_of(l->word));
}

static bool matches_id_prefix(const struct lookup *l, uint32_t i)
{
	struct text id = block_text(l->targets, row_at(l, i)->id);
	size_t n = strlen(l->word);

	return n >= SHORTEST_ID && id.n > n && strncasecmp(id.p, l->word, n) == 0;
}

typedef bool (*match_fn)(const struct lookup *l, uint32_t i);

/* --- sentences --- */

/* Edit distance, bounded: words longer than 40 are never near. */
static unsigned distance(struct text a, struct text b)
{
	enum { LONGEST = 40 };
	unsigned row[LONGEST + 1];

	if (a.n > LONGEST || b.n > LONGEST)
		return LONGEST;
	for (unsigned k = 0; k <= b.n; k++)
		row[k] = k;
	for (size_t i = 0; i < a.n; i++) {
		unsigned corner = row[0];

		row[0] = (unsigned)i + 1;
		for (size_t k = 0; k < b.n; k++) {
			unsigned change = corner + (a.p[i] != b.p[k]), least = row[k] < row[k + 1] ? row[k] : row[k + 1];

			corner = row[k + 1];
			row[k + 1] = change < least + 1 ? change : least + 1;
		}
	}
	return row[b.n];
}

static bool is_near(struct text name, struct text word)
{
	if (word.n >= 2 && text_contains(name, word))
		return true;
	return distance(name, word) <= (word.n > 5 ? 2 : 1);
}

static size_t append(char *buf, size_t cap, size_t n, const char *before, struct text t)
{
	int r = snprintf(buf + n, cap - n, "%s%.*s", before, (int)(t.n < 40 ? t.n : 40), t.n ? t.p : "");

	return r < 0 ? n : n + (size_t)r < cap ? n + (size_t)r : cap - 1;
}

static int not_found(const struct lookup *l, struct err *err)
{
	char near[160] = "";
	unsigned n_near = 0;
	size_t n = 0;

	for (uint32_t i = 0; i < count(l) && n_near < NEAR_MAX; i++)
		if (has_runtime(l, i) && is_near(name_of(l, i), text_of(l->word)))
			n = append(near, sizeof near, n, n_near++ ? ", " : "", name_of(l, i));
	if (n_near)
		return err_set(err, ENOENT, "no target %.40s; near: %.100s", l->typed, near);
	return err_set(err, ENOENT, "no target %.60s; 'nsdbg ls -a' lists them all", l->typed);
}

static int ambiguous(const struct lookup *l, match_fn matches, struct err *err)
{
	char list[160] = "";
	unsigned found = 0;
	size_t n = 0;

	for (uint32_t i = 0; i < count(l); i++) {
		if (!has_runtime(l, i) || !matches(l, i) || found++ >= LISTED_MAX)
			continue;
		n = append(list, sizeof list, n, found > 1 ? ", " : "", block_text(l->targets, row_at(l, i)->runtime));
		n = append(list, sizeof list, n, ":", name_of(l, i));
	}
	return err_set(err, ENOTUNIQ, "%.40s could be %u targets: %.110s%s", l->typed, found, list,
		found > LISTED_MAX ? ", ..." : "");
}

/* --- looking up --- */

static int find(const struct lookup *l, match_fn matches, uint32_t *ret, struct err *err)
{
	uint32_t at = NONE;

	for (uint32_t i = 0; i < count(l); i++) {
		if (!has_runtime(l, i) || !matches(l, i))
			continue;
		if (at != NONE)
			return ambiguous(l, matches, err);
		at = i;
	}
	if (at == NONE)
		return -ENOENT;
	*ret = at;
	return 0;
}

static int find_word(const struct lookup *l, uint32_t *ret, struct err *err)
{
	static const match_fn ways[] = { matches_name, matches_id, matches_mount, matches_id_prefix };

	for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
		int r = find(l, ways[i], ret, err);

		if (r != -ENOENT)
			return r;
	}
	return not_found(l, err);
}

static int reference_at(const struct lookup *l, uint32_t i, uint32_t *ret_row, struct target_ref *ret, struct err *err)
{
	*ret_row = i; /* also when it is not running: `show` wants the row */
	return target_reference(l->targets, row_at(l, i), ret, err);
}

static int by_word(const struct lookup *l, uint32_t *ret_row, struct target_ref *ret, struct err *err)
{
	uint32_t at;
	int r = find_word(l, &at, err);

	return r < 0 ? r : reference_at(l, at, ret_row, ret, err);
}

static int by_host(const struct lookup *l, uint32_t *ret_row, struct target_ref *ret, struct err *err)
{
	(void)err;
	*ret_row = NONE;
	for (uint32_t i = 0; i < count(l); i++)
		if (row_at(l, i)->head.flags & TARGET_IS_HOST)
			*ret_row = i;
	*ret = (struct target_ref){ .kind = TARGET_HOST };
	return 0;
}

static bool parse_number(const char *text, uint64_t max, uint64_t *ret)
{
	char *end;

	if (text[0] < '0' || text[0] > '9')
		return false;
	errno = 0;
	*ret = strtoull(text, &end, 10);
	return errno == 0 && *end == 0 && *ret <= max;
}

static int by_pid(const struct lookup *l, uint32_t *ret_row, struct target_ref *ret, struct err *err)
{
	uint64_t pid;

	if (!parse_number(l->word, INT32_MAX, &pid) || pid == 0)
		return err_set(err, EINVAL, "%.60s: pid: wants the number of a process, as in pid:1234", l->typed);
	*ret_row = NONE;
	for (uint32_t i = 0; i < count(l); i++)
		if (row_at(l, i)->pid == pid && !(row_at(l, i)->head.flags & TARGET_IS_HOST))
			return reference_at(l, i, ret_row, ret, err);
	if (kill((pid_t)pid, 0) < 0 && errno == ESRCH)
		return err_set(err, ENOENT, "there is no process %" PRIu64, pid);
	*ret = (struct target_ref){ .kind = TARGET_PID, .pid = (int32_t)pid };
	return 0;
}

static int by_inode(const struct lookup *l, uint32_t *ret_row, struct target_ref *ret, struct err *err)
{
	uint64_t inode;

	if (!parse_number(l->word, UINT64_MAX - 1, &inode))
		return err_set(err, EINVAL, "%.60s: ns: wants the inode of a network namespace, as in ns:4026532871", l->typed);
	/* Several containers may share one: any of them leads there. */
	for (uint32_t i = 0; i < count(l); i++)
		if (row_at(l, i)->netns == inode)
			return reference_at(l, i, ret_row, ret, err);
	return err_set(err, ENOENT, "no network namespace with inode %" PRIu64 "; 'nsdbg ls' lists them", inode);
}

static int by_path(const struct lookup *l, const char *path, uint32_t *ret_row, struct target_ref *ret, struct err *err)
{
	if (strlen(path) >= sizeof ret->path)
		return err_set(err, ENAMETOOLONG, "%.60s...: the path is too long", l->typed);
	*ret_row = NONE;
	for (uint32_t i = 0; i < count(l); i++)
		if (text_equal(block_text(l->targets, row_at(l, i)->path), text_of(path)))
			*ret_row = i;
	*ret = (struct target_ref){ .kind = TARGET_PATH };
	snprintf(ret->path, sizeof ret->path, "%s", path);
	return 0;
}

static int by_netns(const struct lookup *l, uint32_t *ret_row, struct target_ref *ret, struct err *err)
{
	char path[256];
	uint32_t at;
	int r;

	if (l->word[0] == 0)
		return err_set(err, EINVAL, "netns: wants a name or a path, as in netns:blue or netns:/run/netns/blue");
	if (strchr(l->word, '/'))
		return by_path(l, l->word, ret_row, ret, err);
	r = find(l, matches_mount, &at, err);
	if (r != -ENOENT)
		return r < 0 ? r : reference_at(l, at, ret_row, ret, err);
	/* Made a moment ago by `ip netns add`, and not in the list yet? */
	if ((size_t)snprintf(path, sizeof path, "/run/netns/%s", l->word) < sizeof path && access(path, F_OK) == 0)
		return by_path(l, path, ret_row, ret, err);
	return not_found(l, err);
}

static const struct {
	const char *prefix;
	const char *runtime;
	int (*resolve)(const struct lookup *l, uint32_t *ret_row, struct target_ref *ret, struct err *err);
} kinds[] = {
	{ "docker:", "docker", by_word },
	{ "podman:", "podman", by_word },
	{ "pid:", NULL, by_pid },
	{ "netns:", NULL, by_netns },
	{ "ns:", NULL, by_inode },
};

int target_resolve(const struct block *targets, const char *text, uint32_t *ret_row, struct target_ref *ret, struct err *err)
{
	struct lookup l = { .targets = targets, .word = text, .typed = text };

	if (text[0] == 0)
		return err_set(err, EINVAL, "a target is wanted: a name, an id, pid:N, netns:NAME, ns:INODE or host");
	if (strcmp(text, "host") == 0)
		return by_host(&l, ret_row, ret, err);
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		size_t n = strlen(kinds[i].prefix);

		if (strncmp(text, kinds[i].prefix, n) != 0)
			continue;
		l.word = text + n;
		l.runtime = kinds[i].runtime;
		return kinds[i].resolve(&l, ret_row, ret, err);
	}
	return by_word(&l, ret_row, ret, err);
}

/* --- references --- */

static int not_running(const struct block *targets, const struct target_row *row, struct err *err)
{
	struct text name = block_text(targets, row->name);
	int n = (int)(name.n < 60 ? name.n : 60);
	const char *p = name.n ? name.p : "";

	switch ((enum target_state)row->state) {
	case TARGET_STATE_RUNNING:
	case TARGET_STATE_PAUSED:
		return err_set(err, ESRCH, "%.*s: its engine has not said yet which process it is", n, p);
	case TARGET_STATE_RESTARTING:
		return err_set(err, ESRCH, "%.*s is between two starts: it keeps ending", n, p);
	case TARGET_STATE_EXITED:
		if (row->exit_code != ROW_NO_INT)
			return err_set(err, ESRCH, "%.*s is not running: it exited with code %" PRId64, n, p, row->exit_code);
		break;
	case TARGET_STATE_CREATED:
		return err_set(err, ESRCH, "%.*s is not running: it was never started", n, p);
	case TARGET_STATE_REMOVING:
	case TARGET_STATE_DEAD:
	case TARGET_STATE_N:
		break;
	}
	return err_set(err, ESRCH, "%.*s is not running", n, p);
}

int target_reference(const struct block *targets, const struct target_row *row, struct target_ref *ret, struct err *err)
{
	struct text path = block_text(targets, row->path);

	if (row->head.flags & TARGET_IS_HOST) {
		*ret = (struct target_ref){ .kind = TARGET_HOST };
		return 0;
	}
	if (row->pid != ROW_NO_UINT && row->pid > 0 && row->pid <= INT32_MAX) {
		*ret = (struct target_ref){ .kind = TARGET_PID, .pid = (int32_t)row->pid,
			.start = row->start == ROW_NO_UINT ? 0 : row->start };
		/* Such a process entered the namespace and may leave it; a container's first process is its identity. */
		if (row->head.flags & TARGET_IS_NETNS && row->netns != ROW_NO_UINT)
			ret->netns = row->netns;
		return 0;
	}
	if (path.n && path.n < sizeof ret->path) {
		*ret = (struct target_ref){ .kind = TARGET_PATH };
		memcpy(ret->path, path.p, path.n);
		return 0;
	}
	return not_running(targets, row, err);
}
