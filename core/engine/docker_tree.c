/*
 * Bytes to a cJSON tree: see docker_tree.h. A scan before cJSON bounds depth and number of values, since cJSON recurses and takes 40
 * times the bytes.
 */
#include "core/engine/docker_tree.h"

#include "core/err.h"
#include "core/fd.h"

#include <errno.h>
#include <string.h>

/* Index of the quote that ends the string which begins at `at`; n - 1 when none does. */
static size_t string_end(const char *p, size_t n, size_t at)
{
	const char *q = p + at;

	while ((q = memchr(q + 1, '"', n - (size_t)(q + 1 - p)))) {
		size_t slashes = 0;

		while (q[-1 - (ptrdiff_t)slashes] == '\\')
			slashes++;
		if (slashes % 2 == 0)
			return (size_t)(q - p);
	}
	return n - 1;
}

/* Counts without trusting that it is JSON at all. */
static int scan(const char *p, size_t n, struct err *err)
{
	unsigned depth = 0, values = 1;

	if (n > DOCKER_TREE_MAX_BYTES)
		return err_set(err, E2BIG, "the answer is larger than 8 MiB");
	for (size_t i = 0; i < n; i++) {
		char c = p[i];

		if (c == '"') {
			i = string_end(p, n, i);
		} else if (c == '{' || c == '[') {
			values++;
			if (++depth > DOCKER_TREE_MAX_DEPTH)
				return err_set(err, E2BIG, "the answer is nested deeper than %d", DOCKER_TREE_MAX_DEPTH);
		} else if (c == '}' || c == ']') {
			depth -= depth > 0;
		} else if (c == ',') {
			values++;
		}
	}
	if (values > DOCKER_TREE_MAX_VALUES)
		return err_set(err, E2BIG, "the answer holds more than %d values", DOCKER_TREE_MAX_VALUES);
	return 0;
}

/* What an answer is read for; below a name with a list, only that list. */
struct wanted {
	const char *name;
	const char *children[4]; /* none: all of it */
};

static const struct wanted wanted_listed[] = {
	{ "Id", { NULL } },
	{ "Names", { NULL } },
	{ "Image", { NULL } },
	{ "Command", { NULL } },
	{ "Created", { NULL } },
	{ "State", { NULL } },
	{ "Status", { NULL } },
	{ "Health", { NULL } },
	{ "Ports", { NULL } },
	{ "Labels", { "com.docker.compose.project", NULL } },
	{ "HostConfig", { "NetworkMode", NULL } },
	{ "NetworkSettings", { "Networks", NULL } },
};

static const struct wanted wanted_inspected[] = {
	{ "Id", { NULL } },
	{ "Name", { NULL } },
	{ "Created", { NULL } },
	{ "Path", { NULL } },
	{ "Args", { NULL } },
	{ "RestartCount", { NULL } },
	{ "State", { NULL } },
	{ "Config", { "Image", "Hostname", "Labels", NULL } },
	{ "HostConfig", { "NetworkMode", NULL } },
	{ "NetworkSettings", { "Networks", "Ports", NULL } },
};

static const struct wanted wanted_pod_listed[] = {
	{ "Id", { NULL } },
	{ "Pid", { NULL } },
	{ "Pod", { NULL } },
	{ "PodName", { NULL } },
	{ "IsInfra", { NULL } },
};

static const struct {
	const struct wanted *wanted;
	size_t n;
	unsigned above; /* brackets around an object: 1 in a list */
} kinds[DOCKER_TREE_N] = {
	[DOCKER_TREE_LIST] = { wanted_listed, ARRAY_LEN(wanted_listed), 1 },
	[DOCKER_TREE_INSPECTION] = { wanted_inspected, ARRAY_LEN(wanted_inspected), 0 },
	[DOCKER_TREE_POD_LIST] = { wanted_pod_listed, ARRAY_LEN(wanted_pod_listed), 1 },
};

/* Is `key`, quotes and blanks around it, the text of `name`? Keys with escapes are not. */
static bool is_key(const char *key, size_t n, const char *name)
{
	size_t len = strlen(name);

	for (; n > 0 && *key != '"'; key++, n--)
		;
	return n >= len + 2 && key[len + 1] == '"' && memcmp(key + 1, name, len) == 0;
}

static const struct wanted *find_wanted(enum docker_tree_kind kind, const char *key, size_t n)
{
	for (size_t i = 0; i < kinds[kind].n; i++)
		if (is_key(key, n, kinds[kind].wanted[i].name))
			return &kinds[kind].wanted[i];
	return NULL;
}

static bool is_wanted_child(const struct wanted *parent, const char *key, size_t n)
{
	for (size_t i = 0; parent->children[i]; i++)
		if (is_key(key, n, parent->children[i]))
			return true;
	return !parent->children[0];
}

/* An object's members (1) or those of a member (2). */
struct level {
	size_t from; /* where its present member began, with the comma in front */
	bool is_dropped;
	bool has_member; /* one was kept: the next needs a comma */
};

/* An answer while it is thinned out: out[0..n) is kept so far. */
struct pruning {
	enum docker_tree_kind kind;
	char *out;
	size_t n;
	unsigned depth;
	const struct wanted *member; /* of level 1, NULL: not wanted */
	struct level levels[3]; /* [1] and [2] are looked at */
};

/* The level of the innermost bracket; NULL: it is not looked at. */
static struct level *level_of(struct pruning *x)
{
	unsigned level = x->depth - kinds[x->kind].above;

	return level == 1 || level == 2 ? &x->levels[level] : NULL;
}

/* Behind a key: is its value wanted? */
static void prune_key(struct pruning *x, struct level *l)
{
	const char *key = x->out + l->from;
	size_t n = x->n - l->from;

	if (l == &x->levels[1]) {
		x->member = find_wanted(x->kind, key, n);
		l->is_dropped = !x->member;
	} else {
		l->is_dropped = x->member && !is_wanted_child(x->member, key, n);
	}
}

/* A member ends: takes it back when it was not wanted. False: the comma that ended it has no place either. */
static bool prune_member(struct pruning *x, struct level *l)
{
	if (l->is_dropped)
		x->n = l->from;
	else
		l->has_member = true;
	l->is_dropped = false;
	l->from = x->n;
	return l->has_member;
}

static void prune_byte(struct pruning *x, char c)
{
	struct level *l = level_of(x);

	if (l && c == ':')
		prune_key(x, l);
	if (l && (c == ',' || c == '}') && !prune_member(x, l) && c == ',')
		return;
	if (c == '}' || c == ']')
		x->depth -= x->depth > 0;
	x->out[x->n++] = c;
	if (c != '{' && c != '[')
		return;
	x->depth++;
	l = level_of(x);
	if (l)
		*l = (struct level){ .from = x->n };
}

size_t docker_tree_prune(char *p, size_t n, enum docker_tree_kind kind)
{
	struct pruning x = { .kind = kind, .out = p };

	for (size_t i = 0; i < n; i++) {
		size_t from = i;

		if (p[i] != '"') {
			prune_byte(&x, p[i]);
			continue;
		}
		i = string_end(p, n, i);
		memmove(x.out + x.n, p + from, i - from + 1);
		x.n += i - from + 1;
	}
	return x.n;
}

void docker_tree_freep(cJSON **t)
{
	cJSON_Delete(*t);
}

int docker_tree_parse(const char *p, size_t n, cJSON **ret, struct err *err)
{
	const char *end = NULL;
	cJSON *tree;
	int r = scan(p, n, err);

	if (r < 0)
		return r;
	tree = cJSON_ParseWithLengthOpts(p, n, &end, 0);
	if (!tree)
		return err_set(err, EBADMSG, "the answer is not JSON");
	while (end < p + n && (*end == ' ' || *end == '\n' || *end == '\r' || *end == '\t'))
		end++;
	if (end != p + n) {
		cJSON_Delete(tree);
		return err_set(err, EBADMSG, "the answer has bytes behind its JSON");
	}
	*ret = tree;
	return 0;
}
