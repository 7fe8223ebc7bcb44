/*
 * Parsers of /proc/PID/{stat,status,cgroup,mountinfo} and of namespace and socket links. Everything is bounded by the bytes given;
 * a field that does not parse makes the whole record unusable instead of zero. Layouts: proc(5), cgroups(7).
 */
#include "core/source/proc_text.h"

#include <string.h>

bool proc_text_line(struct text *rest, struct text *ret)
{
	const char *end;

	if (rest->n == 0)
		return false;
	end = memchr(rest->p, '\n', rest->n);
	ret->p = rest->p;
	ret->n = end ? (size_t)(end - rest->p) : rest->n;
	rest->p += end ? ret->n + 1 : ret->n;
	rest->n -= end ? ret->n + 1 : ret->n;
	return true;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n';
}

bool proc_text_word(struct text *rest, struct text *ret)
{
	size_t i = 0, from;

	while (i < rest->n && is_blank(rest->p[i]))
		i++;
	from = i;
	while (i < rest->n && !is_blank(rest->p[i]))
		i++;
	if (i == from)
		return false;
	*ret = (struct text){ .p = rest->p + from, .n = i - from };
	rest->p += i;
	rest->n -= i;
	return true;
}

static int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return 16;
}

bool proc_text_number(struct text word, unsigned base, uint64_t *ret)
{
	uint64_t v = 0;

	if (word.n == 0)
		return false;
	for (size_t i = 0; i < word.n; i++) {
		unsigned d = (unsigned)digit_value(word.p[i]);

		if (d >= base || __builtin_mul_overflow(v, base, &v) || __builtin_add_overflow(v, d, &v))
			return false;
	}
	*ret = v;
	return true;
}

/* Skips words up to number `i` (0 = the next one) and reads it. */
static bool number_after(struct text *rest, unsigned skip, uint64_t *ret)
{
	struct text word;

	for (unsigned i = 0; i <= skip; i++)
		if (!proc_text_word(rest, &word))
			return false;
	return proc_text_number(word, 10, ret);
}

bool proc_text_stat(struct text bytes, struct proc_text_stat *ret)
{
	struct proc_text_stat s = { 0 };
	const char *open, *close;
	uint64_t utime, stime;
	struct text head, rest, word;

	open = bytes.n ? memchr(bytes.p, '(', bytes.n) : NULL;
	close = bytes.n ? memrchr(bytes.p, ')', bytes.n) : NULL;
	if (!open || !close || close < open)
		return false;
	head = (struct text){ .p = bytes.p, .n = (size_t)(open - bytes.p) };
	s.comm = (struct text){ .p = open + 1, .n = (size_t)(close - open - 1) };
	rest = (struct text){ .p = close + 1, .n = bytes.n - (size_t)(close + 1 - bytes.p) };

	if (!number_after(&head, 0, &s.pid) || !proc_text_word(&rest, &word) || word.n != 1)
		return false;
	s.state = word.p[0];
	/* Fields 4, 6, 14, 15, 20, 22, 24 of proc_pid_stat(5). */
	if (!number_after(&rest, 0, &s.ppid) || !number_after(&rest, 1, &s.session) || !number_after(&rest, 7, &utime) || !number_after(&rest, 0, &stime) ||
		!number_after(&rest, 4, &s.threads) || !number_after(&rest, 1, &s.start) || !number_after(&rest, 1, &s.rss_pages))
		return false;
	s.ticks = utime + stime;
	*ret = s;
	return true;
}

/* Is this line "KEY:..."? Then leaves what follows in *ret. */
static bool key_line(struct text line, const char *key, struct text *ret)
{
	size_t n = strlen(key);

	if (line.n < n || memcmp(line.p, key, n) != 0)
		return false;
	*ret = (struct text){ .p = line.p + n, .n = line.n - n };
	return true;
}

static void last_number(struct text values, uint64_t *ret)
{
	struct text word;
	uint64_t v;

	for (unsigned i = 0; proc_text_word(&values, &word) && proc_text_number(word, 10, &v); i++)
		if (i > 0)
			*ret = v;
}

bool proc_text_status(struct text bytes, struct proc_text_status *ret)
{
	struct proc_text_status s = { .uid = UINT64_MAX, .ns_pid = UINT64_MAX, .rss_kb = UINT64_MAX };
	struct text line, values;

	/* The first line is the name, and the kernel escapes newlines in it: a process cannot add lines. */
	while (proc_text_line(&bytes, &line)) {
		if (key_line(line, "Uid:", &values) && !number_after(&values, 1, &s.uid))
			return false;
		if (key_line(line, "NSpid:", &values))
			last_number(values, &s.ns_pid);
		if (key_line(line, "VmRSS:", &values) && !number_after(&values, 0, &s.rss_kb))
			return false;
	}
	if (s.uid == UINT64_MAX)
		return false;
	*ret = s;
	return true;
}

/* Where the 64 lowercase hex digits of a component start: "<id>", "docker-<id>.scope", "libpod-<id>"; NULL when it has none. */
static const char *component_id(struct text c)
{
	static const char scope[] = ".scope";
	size_t k = sizeof scope - 1;
	const char *id;

	if (c.n > k && memcmp(c.p + c.n - k, scope, k) == 0)
		c.n -= k;
	if (c.n < PROC_TEXT_CONTAINER - 1)
		return NULL;
	id = c.p + c.n - (PROC_TEXT_CONTAINER - 1);
	if (id > c.p && id[-1] != '-')
		return NULL;
	for (const char *p = id; p < c.p + c.n; p++)
		if (digit_value(*p) > 15 || (*p >= 'A' && *p <= 'F'))
			return NULL;
	return id;
}

/* Path of a line "5:cpu,cpuacct:/docker/<id>"; controllers hold no ':'. */
static bool cgroup_path(struct text line, struct text *ret)
{
	const char *end = line.p + line.n, *p = memchr(line.p, ':', line.n);

	p = p ? memchr(p + 1, ':', (size_t)(end - p - 1)) : NULL;
	if (!p)
		return false;
	*ret = (struct text){ .p = p + 1, .n = (size_t)(end - p - 1) };
	return true;
}

/* Cuts the next component off the front of a path. */
static bool next_component(struct text *path, struct text *ret)
{
	const char *slash;

	while (path->n > 0 && path->p[0] == '/') {
		path->p++;
		path->n--;
	}
	if (path->n == 0)
		return false;
	slash = memchr(path->p, '/', path->n);
	*ret = (struct text){ .p = path->p, .n = slash ? (size_t)(slash - path->p) : path->n };
	path->p += ret->n;
	path->n -= ret->n;
	return true;
}

bool proc_text_cgroup(struct text bytes, char ret[PROC_TEXT_CONTAINER])
{
	struct text line, path, part;

	while (proc_text_line(&bytes, &line)) {
		const char *found = NULL;

		if (line.n == 0 || !cgroup_path(line, &path))
			continue;
		while (next_component(&path, &part)) {
			const char *id = component_id(part);

			found = id ? id : found;
		}
		if (found) {
			memcpy(ret, found, PROC_TEXT_CONTAINER - 1);
			ret[PROC_TEXT_CONTAINER - 1] = 0;
			return true;
		}
	}
	return false;
}

bool proc_text_cgroup_has(struct text bytes, const char id[PROC_TEXT_CONTAINER])
{
	struct text line, path, part;

	while (proc_text_line(&bytes, &line)) {
		if (line.n == 0 || !cgroup_path(line, &path))
			continue;
		while (next_component(&path, &part)) {
			const char *found = component_id(part);

			if (found && memcmp(found, id, PROC_TEXT_CONTAINER - 1) == 0)
				return true;
		}
	}
	return false;
}

bool proc_text_link(struct text link, const char *kind, uint64_t *ret)
{
	size_t k = strlen(kind);

	if (link.n < k + 4 || memcmp(link.p, kind, k) != 0 || memcmp(link.p + k, ":[", 2) != 0 || link.p[link.n - 1] != ']')
		return false;
	return proc_text_number((struct text){ .p = link.p + k + 2, .n = link.n - k - 3 }, 10, ret);
}

/* mountinfo writes blank, tab, newline and backslash as \ooo (proc_pid_mountinfo(5)). */
static bool unescape(struct text from, char *dst, size_t cap)
{
	size_t n = 0;

	for (size_t i = 0; i < from.n; i++) {
		char c = from.p[i];

		if (c == '\\' && from.n - i > 3) {
			int a = digit_value(from.p[i + 1]), b = digit_value(from.p[i + 2]), d = digit_value(from.p[i + 3]);

			if (a < 4 && b < 8 && d < 8) {
				c = (char)(a << 6 | b << 3 | d);
				i += 3;
			}
		}
		if (n + 1 >= cap || c == 0)
			return false;
		dst[n++] = c;
	}
	dst[n] = 0;
	return n > 0;
}

bool proc_text_nsfs(struct text line, uint64_t *ret_inode, char ret_path[PROC_TEXT_PATH])
{
	struct text root, where, word;
	uint64_t inode;

	for (unsigned i = 0; i < 3; i++)
		if (!proc_text_word(&line, &word))
			return false;
	if (!proc_text_word(&line, &root) || !proc_text_word(&line, &where) || !proc_text_link(root, "net", &inode))
		return false;
	/* Optional fields end with "-", then the type of the file system: a directory named net:[1] elsewhere does not count. */
	while (proc_text_word(&line, &word))
		if (word.n == 1 && word.p[0] == '-')
			break;
	if (!proc_text_word(&line, &word) || !text_equal(word, text_of("nsfs")) || !unescape(where, ret_path, PROC_TEXT_PATH))
		return false;
	*ret_inode = inode;
	return true;
}
