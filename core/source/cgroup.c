/*
 * Control groups: see cgroup.h. Files are opened anew for each reading, below directories held open: an open file of a group that was
 * removed costs the kernel memory, a directory held O_PATH only a dentry. Only the one that is read each time stays open, if that is wished.
 */
#include "core/source/cgroup.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/fd.h"
#include "core/row.h"
#include "core/source/proc_dir.h"
#include "core/source/proc_text.h"

enum { PATH_MAX_BYTES = 4096, FILE_MAX_BYTES = 16384, MAX_DEPTH = 32 };

#define NO_LIMIT_V1 (UINT64_MAX >> 1 & ~UINT64_C(4095)) /* PAGE_COUNTER_MAX in bytes; larger pages: still above 2^62 */

static const char *const controller_names[CGROUP_N] = {
	[CGROUP_CPU] = "cpu", [CGROUP_CPUACCT] = "cpuacct", [CGROUP_MEMORY] = "memory", [CGROUP_PIDS] = "pids",
};

/* Is `name` one of the words between commas? */
static bool in_list(struct text list, const char *name)
{
	size_t k = strlen(name);

	while (list.n > 0) {
		const char *comma = memchr(list.p, ',', list.n);
		size_t n = comma ? (size_t)(comma - list.p) : list.n;

		if (n == k && memcmp(list.p, name, k) == 0)
			return true;
		list.p += comma ? n + 1 : n;
		list.n -= comma ? n + 1 : n;
	}
	return false;
}

static int open_dir(int at, struct text path)
{
	char name[PATH_MAX_BYTES];

	if (path.n >= sizeof name)
		return -1;
	memcpy(name, path.p, path.n);
	name[path.n] = 0;
	return openat(at, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* --- the host's hierarchies --- */

/* Fields 4 and 5, type and super options of one line; false: not a control group's, or not from its root. */
static bool mount_line(struct text line, struct text *ret_where, struct text *ret_type, struct text *ret_options)
{
	struct text word, root;

	for (unsigned i = 0; i < 3; i++)
		if (!proc_text_word(&line, &word))
			return false;
	if (!proc_text_word(&line, &root) || !proc_text_word(&line, ret_where) || memchr(ret_where->p, '\\', ret_where->n))
		return false;
	while (proc_text_word(&line, &word))
		if (text_equal(word, text_of("-")))
			break;
	return proc_text_word(&line, ret_type) && proc_text_word(&line, &word) && proc_text_word(&line, ret_options) &&
		text_equal(root, text_of("/"));
}

void cgroup_host_open(struct text mountinfo, struct cgroup_host *ret)
{
	struct text line, where, type, options;

	for (int i = 0; i < CGROUP_N; i++)
		ret->v1[i] = -1;
	ret->v2 = -1;
	while (proc_text_line(&mountinfo, &line)) {
		if (!mount_line(line, &where, &type, &options))
			continue;
		if (text_equal(type, text_of("cgroup2")) && ret->v2 < 0)
			ret->v2 = open_dir(AT_FDCWD, where);
		for (int i = 0; i < CGROUP_N && text_equal(type, text_of("cgroup")); i++)
			if (ret->v1[i] < 0 && in_list(options, controller_names[i]))
				ret->v1[i] = open_dir(AT_FDCWD, where);
	}
}

void cgroup_host_close(struct cgroup_host *h)
{
	for (int i = 0; i < CGROUP_N; i++)
		fd_closep(&h->v1[i]);
	fd_closep(&h->v2);
}

/* --- one container's --- */

static bool has_prefix(struct text t, const char *prefix)
{
	size_t k = strlen(prefix);

	return t.n > k && memcmp(t.p, prefix, k) == 0;
}

static bool names_container(struct text part, uint64_t name_hash)
{
	char line[PROC_TEXT_CONTAINER + 64], id[PROC_TEXT_CONTAINER];
	int n;

	if (has_prefix(part, "lxc.payload.") || has_prefix(part, "machine-") || has_prefix(part, "systemd-nspawn@"))
		return true;
	if (name_hash && row_hash(part.p, part.n, 0) == name_hash)
		return true;
	if (part.n >= PROC_TEXT_CONTAINER + 56)
		return false;
	n = snprintf(line, sizeof line, "0::/%.*s", (int)part.n, part.p);
	return proc_text_cgroup((struct text){ .p = line, .n = (size_t)n }, id);
}

/* "machine-libpod_pod_<id>.slice" and "machine.slice" hold containers and are none. */
static bool is_slice(struct text part)
{
	static const char slice[] = ".slice";
	size_t k = sizeof slice - 1;

	return part.n > k && memcmp(part.p + part.n - k, slice, k) == 0;
}

bool cgroup_text_container(struct text path, uint64_t name_hash, struct text *ret)
{
	size_t at = 0, found = 0;

	while (at < path.n) {
		struct text part;
		const char *slash;

		while (at < path.n && path.p[at] == '/')
			at++;
		if (at == path.n)
			break;
		slash = memchr(path.p + at, '/', path.n - at);
		part = (struct text){ .p = path.p + at, .n = slash ? (size_t)(slash - path.p) - at : path.n - at };
		if (text_equal(part, text_of("..")))
			return false; /* outside of what we may see */
		at += part.n;
		if (!is_slice(part) && names_container(part, name_hash))
			found = at; /* the last: pods stand above their containers */
	}
	*ret = (struct text){ .p = path.p, .n = found };
	return found > 0;
}

/* "5:cpu,cpuacct:/docker/<id>"; controllers hold no ':'. */
static bool cgroup_line(struct text line, struct text *ret_controllers, struct text *ret_path)
{
	const char *end = line.p + line.n, *a = line.n ? memchr(line.p, ':', line.n) : NULL;
	const char *b = a ? memchr(a + 1, ':', (size_t)(end - a - 1)) : NULL;

	if (!b)
		return false;
	*ret_controllers = (struct text){ .p = a + 1, .n = (size_t)(b - a - 1) };
	*ret_path = (struct text){ .p = b + 1, .n = (size_t)(end - b - 1) };
	return true;
}

static unsigned depth_of(struct text path)
{
	unsigned n = 0;

	for (size_t i = 0; i < path.n; i++)
		n += path.p[i] == '/' && i + 1 < path.n && path.p[i + 1] != '/';
	return n;
}

static void take_line(const struct cgroup_host *h, struct text controllers, struct text path, struct cgroup *g)
{
	while (path.n > 0 && path.p[0] == '/') {
		path.p++;
		path.n--;
	}
	for (int i = 0; i < CGROUP_N; i++) {
		bool v2 = controllers.n == 0;
		int at = v2 ? h->v2 : h->v1[i];

		if (at < 0 || g->dir[i] >= 0 || (v2 ? h->v1[i] >= 0 : !in_list(controllers, controller_names[i])))
			continue;
		g->dir[i] = open_dir(at, path);
		g->is_v2[i] = v2;
		g->depth[i] = depth_of(path) + 1;
	}
}

bool cgroup_open(const struct cgroup_host *h, struct text bytes, uint64_t name_hash, struct cgroup *ret)
{
	struct text line, controllers, path, cut;
	bool any = false;

	ret->cpu = -1;
	for (int i = 0; i < CGROUP_N; i++)
		ret->dir[i] = -1;
	while (proc_text_line(&bytes, &line))
		if (cgroup_line(line, &controllers, &path) && cgroup_text_container(path, name_hash, &cut))
			take_line(h, controllers, cut, ret);
	for (int i = 0; i < CGROUP_N; i++)
		any |= ret->dir[i] >= 0;
	return any;
}

static const char *cpu_file(const struct cgroup *g)
{
	return g->is_v2[CGROUP_CPUACCT] ? "cpu.stat" : "cpuacct.usage";
}

void cgroup_keep(struct cgroup *g, int last_file)
{
	int dir = g->dir[g->is_v2[CGROUP_CPUACCT] ? CGROUP_CPU : CGROUP_CPUACCT];

	if (g->cpu < 0 && dir >= 0)
		g->cpu = openat(dir, cpu_file(g), O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (g->cpu >= last_file)
		fd_closep(&g->cpu);
}

void cgroup_close(struct cgroup *g)
{
	fd_closep(&g->cpu);
	for (int i = 0; i < CGROUP_N; i++)
		fd_closep(&g->dir[i]);
}

/* --- values --- */

static bool read_file(int dir, const char *name, char *buf, struct text *ret)
{
	AUTO(fd_closep) int fd = dir < 0 ? -1 : openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : proc_dir_read_fd(fd, buf, FILE_MAX_BYTES);

	*ret = (struct text){ .p = buf, .n = n > 0 ? (size_t)n : 0 };
	return n > 0;
}

/* A file that is one number; "max" and whatever else is none. */
static uint64_t read_number(int dir, const char *name)
{
	char buf[FILE_MAX_BYTES];
	struct text bytes, word;
	uint64_t v;

	if (!read_file(dir, name, buf, &bytes) || !proc_text_word(&bytes, &word) || !proc_text_number(word, 10, &v))
		return UINT64_MAX;
	return v;
}

bool cgroup_text_key(struct text bytes, const char *key, uint64_t *ret)
{
	struct text line, word;

	while (proc_text_line(&bytes, &line))
		if (proc_text_word(&line, &word) && text_equal(word, text_of(key)))
			return proc_text_word(&line, &word) && proc_text_number(word, 10, ret);
	return false;
}

static uint64_t key_or_unknown(struct text bytes, const char *key)
{
	uint64_t v;

	return cgroup_text_key(bytes, key, &v) ? v : UINT64_MAX;
}

/* The lowest limit from the group up to below the root. */
static uint64_t lowest_limit(int dir, unsigned depth, const char *name)
{
	char path[MAX_DEPTH * 3 + 64] = "";
	uint64_t low = UINT64_MAX;

	for (unsigned i = 0; i < depth && i < MAX_DEPTH; i++) {
		char file[sizeof path];
		uint64_t v;

		snprintf(file, sizeof file, "%.*s%s", (int)(i * 3), path, name);
		v = read_number(dir, file);
		low = v < low ? v : low;
		memcpy(path + (size_t)i * 3, "../", 4);
	}
	return low;
}

static bool read_cpu_file(const struct cgroup *g, char buf[FILE_MAX_BYTES], struct text *ret)
{
	ssize_t n;

	if (g->cpu < 0)
		return read_file(g->dir[g->is_v2[CGROUP_CPUACCT] ? CGROUP_CPU : CGROUP_CPUACCT], cpu_file(g), buf, ret);
	n = pread(g->cpu, buf, FILE_MAX_BYTES, 0);
	*ret = (struct text){ .p = buf, .n = n > 0 ? (size_t)n : 0 };
	return n > 0;
}

/* Microseconds; `ret` has the bytes of the file. */
static uint64_t read_cpu_used(const struct cgroup *g, char buf[FILE_MAX_BYTES], struct text *ret)
{
	struct text rest, word;
	uint64_t ns;

	if (!read_cpu_file(g, buf, ret))
		return UINT64_MAX;
	if (g->is_v2[CGROUP_CPUACCT])
		return key_or_unknown(*ret, "usage_usec");
	rest = *ret;
	return proc_text_word(&rest, &word) && proc_text_number(word, 10, &ns) ? ns / 1000 : UINT64_MAX;
}

/* True: no CPU was used since the values that `v` has. */
static bool read_cpu(const struct cgroup *g, struct cgroup_values *v)
{
	char buf[FILE_MAX_BYTES];
	struct text bytes = { 0 };
	uint64_t before = v->cpu_us;

	v->cpu_us = read_cpu_used(g, buf, &bytes);
	if (v->cpu_us == before && before != UINT64_MAX)
		return true;
	if (!g->is_v2[CGROUP_CPUACCT])
		read_file(g->dir[CGROUP_CPU], "cpu.stat", buf, &bytes);
	v->periods = key_or_unknown(bytes, "nr_periods");
	v->throttled = key_or_unknown(bytes, "nr_throttled");
	return false;
}

static void read_memory(const struct cgroup *g, bool with_limits, struct cgroup_values *v)
{
	int dir = g->dir[CGROUP_MEMORY];
	bool v2 = g->is_v2[CGROUP_MEMORY];
	char buf[FILE_MAX_BYTES];
	struct text bytes;
	uint64_t cache, limit;

	v->oom_kills = UINT64_MAX;
	v->memory = read_number(dir, v2 ? "memory.current" : "memory.usage_in_bytes");
	if (read_file(dir, "memory.stat", buf, &bytes)) {
		cache = key_or_unknown(bytes, v2 ? "inactive_file" : "total_inactive_file");
		if (v->memory != UINT64_MAX && cache < v->memory)
			v->memory -= cache;
		limit = key_or_unknown(bytes, "hierarchical_memory_limit");
		if (!v2)
			v->memory_limit = limit >= NO_LIMIT_V1 >> 1 ? UINT64_MAX : limit;
	}
	if (v2 && with_limits)
		v->memory_limit = lowest_limit(dir, g->depth[CGROUP_MEMORY], "memory.max");
	if (read_file(dir, v2 ? "memory.events" : "memory.oom_control", buf, &bytes))
		v->oom_kills = key_or_unknown(bytes, "oom_kill");
}

void cgroup_read(const struct cgroup *g, bool all, struct cgroup_values *v)
{
	if (read_cpu(g, v) && !all)
		return;
	read_memory(g, all, v);
	v->processes = read_number(g->dir[CGROUP_PIDS], "pids.current");
	if (all)
		v->processes_limit = lowest_limit(g->dir[CGROUP_PIDS], g->depth[CGROUP_PIDS], "pids.max");
}
