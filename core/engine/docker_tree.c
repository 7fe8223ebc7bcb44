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

/* What an inspection is read for; below a name with a list, only that list. */
struct wanted {
	const char *name;
	const char *children[4]; /* none: all of it */
};

static const struct wanted wanted[] = {
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

/* Is `key`, quotes and blanks around it, the text of `name`? Keys with escapes are not. */
static bool is_key(const char *key, size_t n, const char *name)
{
	size_t len = strlen(name);

	for (; n > 0 && *key != '"'; key++, n--)
		;
	return n >= len + 2 && key[len + 1] == '"' && memcmp(key + 1, name, len) == 0;
}

static const struct wanted *find_wanted(const char *key, size_t n)
{
	for (size_t i = 0; i < ARRAY_LEN(wanted); i++)
		if (is_key(key, n, wanted[i].name))
			return &wanted[i];
	return NULL;
}

static bool is_wanted_child(const struct wanted *parent, const char *key, size_t n)
{
	for (size_t i = 0; parent->children[i]; i++)
		if (is_key(key, n, parent->children[i]))
			return true;
	return !parent->children[0];
}

/* An inspection while it is thinned out: out[0..n) is kept so far. */
struct pruning {
	char *out;
	size_t n;
	unsigned depth;
	const struct wanted *member; /* of level 1, NULL: not wanted */
	struct {
		size_t from; /* where its present member began, with the comma in front */
		bool is_dropped;
		bool has_member; /* one was kept: the next needs a comma */
	} levels[3]; /* [1] and [2] are looked at */
};

/* Behind a key: is its value wanted? */
static void prune_key(struct pruning *x)
{
	size_t from = x->levels[x->depth].from;

	if (x->depth == 1) {
		x->member = find_wanted(x->out + from, x->n - from);
		x->levels[1].is_dropped = !x->member;
	} else {
		x->levels[2].is_dropped = x->member && !is_wanted_child(x->member, x->out + from, x->n - from);
	}
}

/* A member ends: takes it back when it was not wanted. False: the comma that ended it has no place either. */
static bool prune_member(struct pruning *x)
{
	if (x->levels[x->depth].is_dropped)
		x->n = x->levels[x->depth].from;
	else
		x->levels[x->depth].has_member = true;
	x->levels[x->depth].is_dropped = false;
	x->levels[x->depth].from = x->n;
	return x->levels[x->depth].has_member;
}

static void prune_byte(struct pruning *x, char c)
{
	bool is_looked_at = x->depth == 1 || x->depth == 2;

	if (is_looked_at && c == ':')
		prune_key(x);
	if (is_looked_at && (c == ',' || c == '}') && !prune_member(x) && c == ',')
		return;
	if (c == '}' || c == ']')
		x->depth -= x->depth > 0;
	x->out[x->n++] = c;
	if (c != '{' && c != '[')
		return;
	if (++x->depth <= 2) {
		x->levels[x->depth].from = x->n;
		x->levels[x->depth].is_dropped = x->levels[x->depth].has_member = false;
	}
}

size_t docker_tree_prune(char *p, size_t n)
{
	struct pruning x = { .out = p };

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
